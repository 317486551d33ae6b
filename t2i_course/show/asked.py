"""What networks draw for each label, and what InfoGAN's numbers move: lesson 05."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ..experiments import runs_of
from ..measure.labels import digits_of_codes
from ..worlds.bird_species import COLOURS
from .pictures import grid
from .tables import Table

__all__ = [
    "codes_table",
    "each_label",
    "moved_table",
    "names_of",
    "side_by_side",
    "watched",
]


def names_of(system) -> list[str]:
    """The words for the values of a system's first label."""
    if system.labels == "wing":
        return list(COLOURS)
    return [str(value) for value in range(system.classes[0])]


def _asked(system, rows: int, seed: int) -> Tensor:
    """Pictures of each value of the first label, (rows * K, ...): a noise a row."""
    random = torch.Generator().manual_seed(seed)
    noise = torch.randn(rows, system.generator.noise_size, generator=random)
    count = system.classes[0]
    y = torch.zeros(rows * count, len(system.classes), dtype=torch.int64)
    y[:, 0] = torch.arange(count).repeat(rows)
    device = next(system.generator.parameters()).device
    noise = noise.repeat_interleave(count, 0).to(device)
    return system.sample(y.to(device), noise=noise).cpu()


def each_label(system, title: str, rows: int = 3, seed: int = 0, after: int = 0):
    """A column a label, a row a noise: what changes along a row is the label alone.

    after: how many noises of that seed are left out, because they were seen before.
    """
    named = [f"noise {row + 1}" for row in range(after, after + rows)]
    small = system.reads[0] == 1
    pictures = _asked(system, after + rows, seed)[after * system.classes[0] :]
    return grid(pictures, names_of(system), title=title, rows=named, smooth=small)


def two_noises(system, title: str):
    """`each_label` of two noises."""
    return each_label(system, title, rows=2)


def watched(title: str, draw: Callable = two_noises):
    """What `lesson.train` shows each time it looks: draw(system, title with step)."""

    def show(system, history):
        step = history.step or system.settings["steps"]
        return draw(system, f"{title}, step {step:,}")

    return show


def side_by_side(systems: Mapping, title: str, seed: int = 0):
    """A row a network, a column a label; all with one noise, where they share its size.

    systems: {name: system}, all of one kind of label.
    """
    first = next(iter(systems.values()))
    pictures = torch.cat([_asked(system, 1, seed) for system in systems.values()])
    small = first.reads[0] == 1
    return grid(
        pictures, names_of(first), title=title, rows=list(systems), smooth=small
    )


def moved_table(found: dict, place: str, note: str = "") -> Table:
    """A row a seed: the known cause that each of InfoGAN's numbers goes with most.

    found: `experiments.records(lesson)`; place: the table and the row. A cell holds the
    cause's name and Pearson's correlation.
    """
    runs = runs_of(found, place)
    most = max((len(run["moved"]) for run in runs), default=0)
    rows = {
        f"seed {run['seed']}": [f"{name} {r:+.2f}" for name, r in run["moved"]]
        for run in runs
    }
    return Table([f"number {i + 1}" for i in range(most)], rows, note)


def codes_table(system, of: str, values=(-1, 0, 1), each: int = 200) -> Table:
    """Which digit each of InfoGAN's codes is, at several values of number 1.

    A cell holds the digit that most clear pictures of the code are read as, and their
    share; `each` noises, the other numbers at 0. of: whose, for the line below.
    """
    rows = {}
    for value in values:
        numbers = [float(value), *[0.0] * (system.numbers - 1)]
        share, digit = digits_of_codes(system, numbers, each).max(1)
        pairs = zip(digit.tolist(), share.tolist(), strict=True)
        rows[f"number 1 at {value:g}"] = [f"{d} ({s:.0%})" for d, s in pairs]
    heads = [f"code {code}" for code in range(system.codes)]
    note = f"{of}: the digit of most clear pictures, of {each} a code; number 2 at 0"
    return Table(heads, rows, note)
