"""t2i train: one system, with checkpoints in runs/SYSTEM-PRESET/."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import PRESETS, UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `t2i train`; see `add_parts` for what systems are built on."""
    parser.add_argument("system", metavar="SYSTEM", help="see t2i systems")
    parser.add_argument(
        "--preset",
        choices=PRESETS,
        help="size and length (default: by the hardware, or T2I_PRESET)",
    )
    parser.add_argument(
        "--data", metavar="D", help="see t2i systems (default: the system's own)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint"
    )
    parser.add_argument(
        "--steps",
        type=int,
        metavar="N",
        help="train for N steps in all (default: the preset's)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="default 0")


def add_parts(parser: argparse.ArgumentParser) -> None:
    """An option for each kind of part that a paper declares (imports them all)."""
    from .. import systems

    for part in systems.parts():
        parser.add_argument(f"--{part.option}", metavar="FILE", help=part.line)


def main(options: argparse.Namespace) -> int:
    """Trains, and prints where the checkpoint is."""
    import torch

    from .. import presets, systems
    from ..training import fit

    name, preset = options.system, options.preset or presets.current()
    data = systems.data_of(name, options.data)
    checkpoint = Path("runs") / systems.run_of(name, preset, data)[1] / "checkpoint.pt"
    if checkpoint.exists() and not options.resume:
        raise UserError(
            f"{checkpoint} holds a training already: go on with --resume, or delete it"
        )
    torch.manual_seed(options.seed)  # of the first weights
    parts = {part.option: getattr(options, part.option) for part in systems.parts()}
    system = systems.build(name, preset, data, **parts)
    steps = options.steps or (system.settings or {})["steps"]
    if steps < 1:
        raise UserError(f"--steps is 1 or more, not {steps}")
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    source = systems.source_for(name, preset, data, options.seed)
    print(f"{name} at preset {preset} on {data}: {steps} steps", flush=True)
    history = fit(
        system,
        source,
        steps,
        seed=options.seed,
        checkpoint=checkpoint,
        every=max(min(steps // 10, 500), 1),
        resume=options.resume,
    )
    losses = ", ".join(f"{player} {v[-1]:.3f}" for player, v in history.losses.items())
    print(f"{history.step} steps, last losses: {losses}; kept in {checkpoint}")
    return 0
