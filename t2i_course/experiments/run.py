"""One seed of one row under way: it trains, resumes, ships, and can be a quick look."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from .. import weights
from ..training import History, fit
from ..training.checkpoint import write_whole
from ..worlds.birds import Birds
from .tables import Row

__all__ = ["Looks", "Run", "rounded"]


class Run:
    """What the function of a row gets.

    seed: of everything random; smoke: take two steps, measure on a handful, keep
    nothing; shipping: save the network with the course. folder: for checkpoints of the
    trainings under way, or None; each has a name of its own (`part`), and rows of one
    table that name the same part train it once.
    """

    def __init__(
        self,
        row: Row,
        seed: int,
        smoke: bool = False,
        shipping: bool = False,
        folder: Path | None = None,
    ):
        self.row, self.seed, self.smoke, self.folder = row, seed, smoke, folder
        ships = row.ships is not None and seed == row.seeds[0]
        self.shipping = shipping and ships and not smoke
        self.precision: str | None = None

    # ---------------------------------------------------------------------- training

    def choose(self, smoke, real):
        """A count for a quick look, or the real one."""
        return smoke if self.smoke else real

    def steps(self, count: int) -> int:
        """How many of so many steps are taken."""
        return self.choose(min(count, 2), count)

    def build(self, kind, **settings):
        """A system of the cpu preset whose first weights are the seed's."""
        torch.manual_seed(self.seed)
        return kind.from_preset("cpu", **settings)

    def birds(self, batch_size: int, size: int = 32, seed: int | None = None) -> Birds:
        """The birds trained on, in batches; two of each species in a quick look."""
        seed = self.seed if seed is None else seed
        return Birds("train", size, batch_size, self.choose(2, 60), seed)

    def fit(
        self,
        system,
        source,
        steps: int | None = None,
        *,
        part: str = "",
        together: bool = False,
        precision: str | None = None,
        on_step=None,
    ) -> History:
        """Train a system with this seed, or go on where it was stopped; the history.

        steps: the system's own, unless named. part: the training's name, the row's by
        default. together: the training holds all seeds side by side and has seed 0.
        Measures that `on_step` puts into the history survive a stop.
        """
        steps = self.steps(system.settings["steps"] if steps is None else steps)
        precision = self.choose(None, precision)  # bf16 is slow where it isn't at home
        self.precision = precision
        return fit(
            system,
            source,
            steps,
            seed=0 if together else self.seed,
            device="cpu",
            precision=precision,
            checkpoint=self.file(f"{part or self.row.name}.pt", together),
            resume=self.folder is not None,
            progress=not self.smoke and sys.stderr.isatty(),
            on_step=on_step,
        )

    def file(self, name: str, together: bool = False) -> Path | None:
        """A file of a training under way; None where nothing is kept."""
        if self.folder is None:
            return None
        seed = "all" if together else self.seed
        return self.folder / f"seed{seed}" / re.sub(r"[^\w.]+", "-", name)

    def clear(self) -> None:
        """Remove the files of this seed's trainings."""
        if self.folder is not None:
            shutil.rmtree(self.folder / f"seed{self.seed}", ignore_errors=True)

    @property
    def hardware(self) -> str:
        """The device, and the precision where it isn't the usual one."""
        more = f", {self.precision}" if self.precision else ""
        return weights.hardware_in_words() + more

    # ---------------------------------------------------------------------- shipping

    def looks(self, moments: set[int], draw: Callable) -> Looks | None:
        """A hook that keeps draw(system) at these steps, for the recorded course.

        None where nothing ships.
        """
        return Looks(self.file("looks.pt"), moments, draw) if self.shipping else None

    def keep(self, history: History, looks: Looks | None, real=None) -> None:
        """Put the course of the training on record, if its network ships.

        real: points (P, 2) to compare with, where points were drawn and not pictures.
        """
        if self.shipping and looks is not None:
            from ..show.record import keep

            command = self.row.ship_command
            keep(self.row.ships, history, looks.seen, command, real=real)

    def ship(self, network, seconds: float, measured: dict, **more) -> None:
        """Save the network with the course, if that was asked for.

        more: of `weights.save`, `reads` for one.
        """
        if self.shipping:
            weights.save(
                network,
                self.row.ships,
                command=self.row.ship_command,
                seed=self.seed,
                seconds=seconds,
                measured=measured,
                hardware=self.hardware,
                **{"half": True} | more,
            )


class Looks:
    """Pictures at some steps of a training; on disk too, so that they survive a stop.

    seen: {step: pictures}
    """

    def __init__(self, path: Path | None, moments: set[int], draw: Callable):
        self.path, self.moments, self.draw = path, moments, draw
        there = path is not None and path.exists()
        self.seen = torch.load(path, weights_only=True) if there else {}

    def __call__(self, system, history: History, step: int) -> None:
        """Meant for fit's `on_step`."""
        if step in self.moments:
            self.seen[step] = self.draw(system)
            if self.path is not None:
                write_whole(self.path, lambda file: torch.save(self.seen, file))


def rounded(digits: int = 4, **figures) -> dict[str, float]:
    """Numbers, or tensors of one, as they are kept."""
    found = {name: torch.as_tensor(value).item() for name, value in figures.items()}
    return {name: round(value, digits) for name, value in found.items()}
