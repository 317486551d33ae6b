"""Sentences on a plane, and how they agree with pictures: lesson 07's figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..worlds.bird_drawing import RGB
from .pictures import new_figure, to_pixels

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
    """Birds in a row, and below each a bar for how well each sentence agrees.

    pictures (N, 3, S, S); scores (len(rows), N); rows: the sentences' names.
    """
    count, best = len(pictures), scores.argmax(1).tolist()
    figure = new_figure(0.95 * count + 0.6, 2.9)
    places = figure.add_gridspec(2, count, height_ratios=[1, 1.3])
    for i, picture in enumerate(to_pixels(pictures)):
        axes = figure.add_subplot(places[0, i])
        axes.imshow(picture)
        axes.set_axis_off()
    bars = figure.add_subplot(places[1, :])
    width = 0.8 / len(rows)
    for r, name in enumerate(rows):
        left = torch.arange(count) + (r - (len(rows) - 1) / 2) * width
        bars.bar(left.numpy(), scores[r].numpy(), width, label=name)
    bars.axhline(0, color="0.3", linewidth=0.8)
    bars.set(xlim=(-0.5, count - 0.5), ylabel="agreement")
    bars.set_xticks(range(count), [f"bird {i + 1}" for i in range(count)])
    bars.legend(loc="upper right")
    if title:
        figure.suptitle(title, fontsize=10)
    most = [f"{name} agrees most with bird {b + 1}" for name, b in zip(rows, best)]
    return figure.knows(*most)
