"""What lesson 09 shows: obedience against variety, and eight birds of one sentence."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ..data import Batch
from ..experiments import runs_of
from ..measure import variety
from .pictures import grid, new_figure

__all__ = ["dial", "eight_of", "walks"]


def dial(found: dict, rows: Mapping[str, str], real: float, title: str):
    """Obedience against diversity within a caption: a dot a seed, a colour a row.

    found: `experiments.records`; rows: {name: place}; real: the diversity of real birds
    of one plumage, a line.
    """
    figure, said = new_figure(8.4, 3.4), []
    axes = figure.subplots()
    for number, (name, place) in enumerate(rows.items()):
        runs = runs_of(found, place)
        across, up = [r["diversity"] for r in runs], [r["all"] for r in runs]
        axes.scatter(across, up, s=45, label=name, marker="osD^vPX"[number % 7])
        said.append(f"{name}: diversity {min(across):.2f} to {max(across):.2f}, "
                    f"obedience {min(up):.2f} to {max(up):.2f}")  # fmt: skip
    axes.axvline(real, color="0.4", linestyle=":", label="real birds of one plumage")
    axes.set(xlabel="diversity within a caption", ylabel="obedience, all that is named",
             title=title, xlim=(0, None), ylim=(0, 1))  # fmt: skip
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), title="weight of the KL")
    return figure.knows("Dots of obedience over diversity", *said)


def eight_of(systems: Mapping, batch: Batch, title: str, seed: int = 0):
    """Eight pictures of the first caption of a batch: a row a system."""
    rows = []
    for system in systems.values():
        noise = variety.all_lots(system, len(batch.lengths), 8, seed)
        rows.append(variety.drawn_with(system, batch, noise)[0])
    return grid(torch.cat(rows), 8, rows=list(systems), title=title, size=0.96)


def walks(systems: Mapping, batch: Batch, title: str, stops: int = 8, seed: int = 0):
    """The first of `variety.walks` of a batch of captions: a row a system."""
    rows = [variety.walks(system, batch, stops, seed)[0] for system in systems.values()]
    heads = ["first", *(f"{i}/{stops - 1}" for i in range(1, stops - 1)), "second"]
    return grid(torch.cat(rows), heads, rows=list(systems), title=title, size=0.96)
