"""t2i train: one system, with checkpoints in runs/SYSTEM-PRESET/."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import PRESETS, UserError, first_process


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
        help="train for N steps in all (default: the preset's; with --resume what the "
        "training was begun with)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="the same seed trains alike on the same hardware with as many threads "
        "(default 0)",
    )


def add_parts(parser: argparse.ArgumentParser) -> None:
    """An option for each kind of part that a paper declares (imports them all)."""
    from .. import systems

    for part in systems.parts():
        parser.add_argument(f"--{part.option}", metavar="FILE", help=part.line)


def main(options: argparse.Namespace) -> int:
    """Trains, and prints where the checkpoint is."""
    import torch

    from .. import presets, systems

    name, preset = options.system, options.preset or presets.current()
    data = systems.data_of(name, options.data)
    command, folder = systems.run_of(name, preset, data)
    checkpoint = Path("runs") / folder / "checkpoint.pt"
    if checkpoint.exists() and not options.resume:
        raise UserError(
            f"{checkpoint} holds a training already: go on with --resume, or delete it"
        )
    if options.steps is not None and options.steps < 1:
        raise UserError(f"--steps is 1 or more, not {options.steps}")
    torch.manual_seed(options.seed)  # of the first weights
    parts = {part.option: getattr(options, part.option) for part in systems.parts()}
    system = systems.build(name, preset, data, **parts)
    steps = options.steps or (system.settings or {})["steps"]
    if options.resume:
        steps = target(checkpoint, options.steps, steps)
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    source = systems.source_for(name, preset, data, options.seed)
    say(f"{name} at preset {preset} on {data}: {steps} steps")
    again = resuming(command, options, parts)
    history = train(system, source, steps, options, checkpoint, again)
    losses = ", ".join(f"{player} {v[-1]:.3f}" for player, v in history.losses.items())
    say(f"{history.step} steps, last losses: {losses}; kept in {checkpoint}")
    leave_together()
    return 0


def train(system, source, steps: int, options, checkpoint: Path, again: str):
    """The history of the training; `again` is the advice where it stops."""
    from ..training import CheckpointError, fit

    try:
        return fit(
            system,
            source,
            steps,
            seed=options.seed,
            checkpoint=checkpoint,
            every=max(min(steps // 10, 500), 1),
            resume=options.resume,
        )
    except KeyboardInterrupt as stop:
        at = str(stop).partition(". ")[0]
        if at:
            raise KeyboardInterrupt(f"{at}. Go on with: {again}") from None
        raise
    except CheckpointError as error:
        raise CheckpointError(f"{error} ({again})") from error


def leave_together() -> None:
    """Of several processes none ends while another still listens to it (it aborts)."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()


def say(line: str) -> None:
    """Prints a line, once where several processes train together."""
    if first_process():
        print(line, flush=True)


def target(checkpoint: Path, asked: int | None, usual: int) -> int:
    """How many steps a resumed training is to have in all; says what it finds.

    UserError where the checkpoint has more than were asked for already.
    """
    from ..training.checkpoint import read

    if not checkpoint.exists():
        say(f"there is no {checkpoint} yet: the training begins anew")
        return usual
    content = read(checkpoint)
    done, begun_with = len(content["history"]["seconds"]), content.get("target")
    if not isinstance(begun_with, int):  # a checkpoint of before version 0.2
        begun_with = max(usual, done)
    wanted = asked or begun_with
    if wanted < done:
        raise UserError(
            f"{checkpoint} has {done} steps already; --steps {asked} is less"
        )
    if wanted == done:
        say(f"{checkpoint} has all of its {done} steps; --steps N trains for more")
    return wanted


def resuming(command: str, options: argparse.Namespace, parts: dict) -> str:
    """The command that goes on with this training."""
    words = [command, "--resume"]
    if options.steps is not None:
        words.append(f"--steps {options.steps}")
    if options.seed:
        words.append(f"--seed {options.seed}")
    words += [f"--{option} {path}" for option, path in parts.items() if path]
    return " ".join(words)
