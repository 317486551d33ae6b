"""Birds beside what was asked for, and how obedience grew over a training.

`beside_wishes` heads each column with what its caption asks for, and frames a picture
in which the oracle reads something else; so the figure can be judged without a look at
the captions. Used in lesson 08.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..measure.oracle import oracle
from ..worlds.bird_species import COLOUR_PARTS, COLOURS
from .pictures import grid, new_figure

__all__ = ["beside_wishes", "learned_over_time", "missed", "seconds_until", "wishes"]


def wishes(named: Tensor, parts: Sequence[str] = COLOUR_PARTS) -> list[str]:
    """The colours that captions name, in words: "wing yellow, belly orange".

    named: (B, A), -1 where a caption is silent; parts: the first attributes.
    """
    rows = named[:, : len(parts)].tolist()
    said = [[f"{p} {COLOURS[v]}" for p, v in zip(parts, row) if v >= 0] for row in rows]
    return [", ".join(row) or "no colour" for row in said]


def missed(
    pictures: Tensor, named: Tensor, parts: Sequence[str] = COLOUR_PARTS
) -> Tensor:
    """(B,) bool: a colour that the caption names is read otherwise by the oracle.

    pictures: (B, 3, S, S) in [-1, 1], or bytes; named: (B, A) what their captions name.
    """
    if pictures.dtype == torch.uint8:
        pictures = pictures.float() / 127.5 - 1
    seen = oracle(pictures.shape[-1]).read(pictures)[:, : len(parts)]
    asked = named[:, : len(parts)]
    return ((asked >= 0) & (seen != asked)).any(1)


def beside_wishes(
    rows: Mapping[str, Tensor],
    named: Tensor,
    title: str,
    parts: Sequence[str] = COLOUR_PARTS,
):
    """Rows of pictures of the same captions, under what these ask for.

    rows: {name: pictures (B, 3, S, S)}; named: (B, A). A red frame says that the oracle
    reads one of the named colours of `parts` otherwise.
    """
    framed = torch.cat([missed(pictures, named, parts) for pictures in rows.values()])
    counts = [f"{name}: {int(missed(pictures, named, parts).sum())} of {len(named)}"
              for name, pictures in rows.items()]  # fmt: skip
    figure = grid(
        torch.cat(list(rows.values())),
        wishes(named, parts),
        title=title,
        size=0.96,  # inches: three pixels of the screen to one of a small picture
        rows=list(rows),
        framed=framed.tolist(),
    )
    return figure.knows("Framed in red, for a missed colour, are " + "; ".join(counts))


def learned_over_time(
    trainings: Mapping[str, Sequence[Mapping]], hardware: str | None, title: str
):
    """Obedience over seconds of training: a line a seed, a colour a system.

    trainings: {name: runs with a "curve" of (step, seconds, wing, belly, ...)}, as
    `experiments.runs_of` gives them. The mean of wing and belly is drawn. hardware:
    whose seconds; None draws it over steps.
    """
    figure = new_figure(7.0, 3.2)
    axes, ends = figure.subplots(), []
    for number, (name, runs) in enumerate(trainings.items()):
        for place, run in enumerate(runs):
            seconds, means = _course(run["curve"])
            along = seconds if hardware else [look[0] for look in run["curve"]]
            seeds = "one seed" if len(runs) == 1 else f"{len(runs)} seeds"
            label = f"{name}, {seeds}" if place == 0 else None
            axes.plot(along, means, color=f"C{number}", marker=".", label=label)
            ends.append(f"{name}, from {means[0]:.2f} to {means[-1]:.2f}")
    label = f"seconds of training ({hardware})" if hardware else "step"
    axes.set(xlabel=label, title=title, ylim=(0, 1),
             ylabel="obedience, wing and belly")  # fmt: skip
    axes.legend(loc="lower right")
    axis = "seconds" if hardware else "steps"
    return figure.knows(title, f"Curves of obedience over {axis}", "; ".join(ends))


def _course(curve) -> tuple[list[float], list[float]]:
    """Seconds, and the mean of obedience on wing and belly."""
    return [look[1] for look in curve], [(look[2] + look[3]) / 2 for look in curve]


def seconds_until(run: Mapping, level: float) -> float | None:
    """Seconds until a look found wing and belly together at a level; None if never."""
    return next((s for s, mean in zip(*_course(run["curve"])) if mean >= level), None)
