"""Sentences on a plane, and how they agree with pictures: lesson 07's figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from ..worlds.bird_drawing import RGB
from .pictures import grid, new_figure

__all__ = ["agreement_row", "sentence_map"]


def sentence_map(
    points: np.ndarray, kinds, names: Sequence[str], title: str, what: str
):
    """Sentences (N, 2), a dot each in the colour that it names.

    kinds (N,): a number of `names`, or -1 where the sentence is silent; those are grey
    crosses. what: the attribute, for the key. Returns the Figure.
    """
    figure = new_figure(7.0, 5.0)
    axes = figure.subplots()
    kinds = np.asarray(kinds)
    silent = points[kinds < 0]
    axes.scatter(*silent.T, c="0.75", marker="x", s=16, label=f"no {what} named")
    for number, name in enumerate(names):
        some = points[kinds == number]
        axes.scatter(*some.T, color=RGB[name], edgecolor="0.3", s=26, label=name)
    axes.set(xlabel="first direction", ylabel="second direction", title=title)
    axes.legend(title=what, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure.knows(
        f"{len(points)} sentences on a plane, a dot each in the colour it names for "
        f"the {what}"
    )


def agreement_row(
    pictures: Tensor, scores: Tensor, rows: Sequence[str], title: str | None = None
):
    """Pictures in a row, and below each how well it agrees with each sentence.

    pictures (N, 3, S, S); scores (len(rows), N). The best of a sentence has a star.
    """
    best = scores.argmax(1).tolist()
    below = [
        "\n".join(
            f"{name} {float(scores[r, i]):.1f}{' *' if best[r] == i else ''}"
            for r, name in enumerate(rows)
        )
        for i in range(len(pictures))
    ]
    figure = grid(pictures, len(pictures), below, title)
    said = [
        f"{name} agrees most with picture {best[r] + 1}" for r, name in enumerate(rows)
    ]
    return figure.knows(*said)
