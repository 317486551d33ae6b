"""Train one network that draws birds from captions, measure it, ship or record it.

    python benchmarks/train_birds.py gan_int_cls_32 --seed 0 --steps 2200

Seed 0 is shipped; every seed's measures go to t2i_course/measure/results_birds.json,
and the obedience on the way (for learning curves over time) with them. --precision bf16
saves much time where the CPU has instructions for it. --mean-from N draws with the mean
of the weights at every 500th step from N on.
"""

import argparse
import json
from pathlib import Path

import torch
from torch.optim.swa_utils import AveragedModel

from t2i_course import weights
from t2i_course.measure.birds import (
    RESULTS,
    obedience_of,
    report,
    results,
    unseen_captions,
)
from t2i_course.papers import gan_cls, projection
from t2i_course.papers.joint_embedding import text_encoder
from t2i_course.training import fit
from t2i_course.training.checkpoint import write_whole
from t2i_course.worlds.birds import Birds


def record(name: str, seed: int, entry: dict) -> None:
    """Add one run's figures to the results file."""
    found = results()
    found.setdefault(name, {})[str(seed)] = entry
    RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


def build(name: str):
    """The system of that name, untrained, and the batch size of its preset."""
    if name == "projection_32":
        encoder = text_encoder()
        system = projection.ProjectionGan.from_preset("cpu", text_encoder=encoder)
        return system, projection.PRESETS["cpu"]["batch_size"]
    return gan_cls.untrained(name), gan_cls.PRESETS["cpu"]["batch_size"]


def options() -> argparse.Namespace:
    """The command line."""
    found = argparse.ArgumentParser(description=__doc__)
    found.add_argument("name", choices=gan_cls.PAINTERS)
    found.add_argument("--seed", type=int, default=0)
    found.add_argument("--steps", type=int, required=True)
    found.add_argument("--precision", choices=("no", "bf16"), default="no")
    found.add_argument("--mean-from", type=int, metavar="N", help="a multiple of 500")
    found.add_argument("--r1", type=float, help="another gamma of R1; 0 is none")
    found.add_argument("--checkpoint")
    found.add_argument("--try-out", action="store_true", help="measure only")
    found.add_argument("--look-every", type=int, default=200)
    return found.parse_args()


PARTS = ("wing", "belly", "crown")


def watcher(look, every: int):
    """A hook that notes obedience on unseen species every so many steps."""

    def watch(system, history, step):
        if step % every == 0:
            found = obedience_of(system, look)
            for part in PARTS:
                history.measure(part, round(found.get(part, 0), 3))
            print(*curve_of(history)[-1], flush=True)

    return watch


class Mean:
    """The mean of the drawing network's weights at every 500th step from `begin` on.

    Izmailov et al. 2018. It is written beside the checkpoint, and read when that is.
    """

    every = 500

    def __init__(self, begin: int | None, checkpoint: str | None):
        self.begin, self.model = begin, None
        self.path = Path(f"{checkpoint}.mean") if checkpoint else None

    def of(self, system) -> AveragedModel:
        """The mean so far."""
        if self.model is None:
            self.model = AveragedModel(system.network("generator"), use_buffers=True)
            if self.path and self.path.exists():
                self.model.load_state_dict(torch.load(self.path, weights_only=True))
        return self.model

    def take(self, system, step: int) -> None:
        """Let the weights of this step in, if it is one that counts."""
        if self.begin is None or step < self.begin or step % self.every:
            return
        model, before = self.of(system), (step - self.begin) // self.every
        if model.n_averaged == before:
            model.update_parameters(system.network("generator"))
            if self.path:
                write_whole(
                    self.path, lambda file: torch.save(model.state_dict(), file)
                )
        elif model.n_averaged != before + 1:  # that one: stopped before its checkpoint
            raise SystemExit(
                f"{self.path} holds {model.n_averaged} networks at step {step}, not "
                f"{before}: delete it and the checkpoint, and begin anew"
            )

    def give(self, system) -> None:
        """Draw with it from now on, if there is one."""
        if self.begin is None:
            return
        mean = self.of(system)
        if not mean.n_averaged:
            raise SystemExit(
                f"there is no mean to draw with: it takes every {self.every}th step "
                f"from {self.begin} on (or its file beside the checkpoint is gone)"
            )
        system.network("generator").load_state_dict(mean.module.state_dict())


def curve_of(history) -> list[list]:
    """Rows of step, seconds, and obedience on wing, belly and crown."""
    columns = zip(*(history.measures.get(part, []) for part in PARTS))
    return [
        [row[0][0], round(row[0][1], 1), *(value for *_, value in row)]
        for row in columns
    ]


def main() -> None:
    """Train, measure on unseen species, save."""
    chosen = options()
    torch.manual_seed(chosen.seed)  # of the first weights
    system, batch = build(chosen.name)
    if chosen.r1 is not None:
        system.r1 = chosen.r1
    size = system.generator.size
    look = watcher(unseen_captions(400, size, seed=1), chosen.look_every)
    mean = Mean(chosen.mean_from, chosen.checkpoint)

    def each_step(system, history, step):
        look(system, history, step)
        mean.take(system, step)

    history = fit(
        system,
        Birds("train", size, batch),
        chosen.steps,
        seed=chosen.seed,
        checkpoint=chosen.checkpoint,
        resume=chosen.checkpoint is not None,
        on_step=each_step,
        precision=chosen.precision,
        progress=False,
    )
    mean.give(system)
    found = report(system.eval(), 2000, size=size)
    print(chosen.name, chosen.seed, f"{history.seconds[-1]:.0f} s", found, flush=True)
    if not chosen.try_out:
        keep(chosen, system, history, found)


def keep(chosen, system, history, found: dict) -> None:
    """Record the run's figures; ship seed 0's generator."""
    seconds = history.seconds[-1]
    hardware = weights.hardware_in_words()
    command = f"python benchmarks/train_birds.py {chosen.name} --steps {chosen.steps}"
    if chosen.precision != "no":
        hardware += f", {chosen.precision}"
        command += f" --precision {chosen.precision}"
    if chosen.mean_from is not None:
        command += f" --mean-from {chosen.mean_from}"
    if chosen.r1 is not None:
        command += f" --r1 {chosen.r1:g}"
    entry = {
        "steps": chosen.steps,
        "seconds": round(seconds),
        "hardware": hardware,
        "measured": found,
        "curve": curve_of(history),
    }
    record(chosen.name, chosen.seed, entry)
    if chosen.seed == 0:
        weights.save(
            system.network("generator"),
            chosen.name,
            command=command,
            seed=0,
            seconds=seconds,
            hardware=hardware,
            measured=found,
            half=True,
            reads="text_birds",
        )


if __name__ == "__main__":
    main()
