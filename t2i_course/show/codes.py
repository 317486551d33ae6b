"""Looking at codes: in the plane, as maps of colours, and what a network may see.

All functions return a matplotlib Figure (see `pictures.new_figure`) or pictures for
`pictures.grid`. Used in lesson 04.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .curves import as_array
from .described import number_in_words
from .pictures import new_figure

__all__ = ["code_maps", "planes", "views"]

CELLS = 160  # places along each axis, for the background of a plane


def planes(moments: Mapping[str, tuple], title: str | None = None):
    """The plane of slide GM-6, once for each moment: vectors, entries, who is nearest.

    moments: {title: (vectors (N, 2), codebook (K, 2))}. The background has the colour
    of the nearest entry (crosses, numbered), dots are vectors, and a line leads from
    each to its entry.
    """
    figure = new_figure(3.3 * len(moments), 3.5, layout="constrained")
    for axes, (name, (vectors, codebook)) in zip(
        figure.subplots(1, len(moments), squeeze=False)[0], moments.items()
    ):
        vectors, codebook = as_array(vectors), as_array(codebook)
        _plane(axes, vectors, codebook)
        axes.set(title=name, xlabel="channel 1", ylabel="channel 2")
        figure.knows(_plane_in_words(name, vectors, codebook))
    if title:
        figure.suptitle(title, fontsize=11)
    return figure.knows(
        "The background has the colour of the nearest entry (crosses); a line leads "
        "from each vector (dots) to its own"
    )


def _plane_in_words(name: str, vectors: np.ndarray, codebook: np.ndarray) -> str:
    """How many entries are used, and how far a vector is from its own."""
    mine = _nearest(vectors, codebook)
    far = np.linalg.norm(vectors - codebook[mine], axis=1).mean()
    return (
        f"{name}: {len(vectors)} vectors have {len(set(mine.tolist()))} of "
        f"{len(codebook)} entries as their nearest, {number_in_words(far)} away on "
        "average"
    )


def _plane(axes, vectors: np.ndarray, codebook: np.ndarray) -> None:
    import matplotlib

    both = np.concatenate([vectors, codebook])
    low, high = both.min(0), both.max(0)
    margin = 0.12 * (high - low).max() + 1e-6
    low, high = low - margin, high + margin
    across, up = (np.linspace(low[i], high[i], CELLS) for i in (0, 1))
    places = np.stack(np.meshgrid(across, up), -1).reshape(-1, 2)
    colours = matplotlib.colormaps["tab20"](np.arange(len(codebook)) % 20)[:, :3]
    owner = _nearest(places, codebook).reshape(CELLS, CELLS)
    pale = 0.72 + 0.28 * colours
    axes.imshow(pale[owner], origin="lower", interpolation="nearest", aspect="auto",
                extent=(low[0], high[0], low[1], high[1]))  # fmt: skip
    mine = _nearest(vectors, codebook)
    for vector, entry in zip(vectors, codebook[mine]):
        axes.plot(*zip(vector, entry), color="0.35", lw=0.8)
    axes.scatter(*vectors.T, s=22, color=colours[mine], ec="black", lw=0.7, zorder=3)
    axes.scatter(*codebook.T, marker="X", s=55, color="black", zorder=4)
    used = set(mine.tolist())
    for number, place in enumerate(codebook):
        if len(codebook) <= 8 or number in used:
            axes.annotate(str(number), place, (4, 4), textcoords="offset points",
                          fontsize=8, zorder=5)  # fmt: skip
    axes.grid(False)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))


def _nearest(vectors: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    return np.square(vectors[:, None] - codebook).sum(2).argmin(1)


def code_maps(codes: Tensor, codebook: Tensor, size: int) -> Tensor:
    """Maps of codes (N, h, w) as pictures (N, 3, size, size): similar entries, alike.

    The codebook's (K, D) three directions of greatest spread become red, green, blue.
    """
    centred = codebook.detach().float() - codebook.detach().float().mean(0)
    _, _, axes = torch.linalg.svd(centred, full_matrices=False)
    place = centred @ axes[:3].T
    rank = place.argsort(0).argsort(0).float() / max(len(place) - 1, 1)
    if rank.shape[1] < 3:
        rank = torch.cat([rank, rank.new_full((len(rank), 3 - rank.shape[1]), 0.5)], 1)
    return F.interpolate((1.7 * rank - 0.85)[codes].movedim(-1, 1), (size, size))


def views(maps: Mapping[str, tuple], title: str | None = None):
    """What one place sees, a square a place: seen, not seen though earlier, later.

    maps: {title: (seen (H, W) bool, (row, column))}. Blue places are seen, red ones
    come before in reading order and are not seen, orange ones are seen too early.
    """
    import matplotlib

    figure = new_figure(2.6 * len(maps), 3.1, layout="constrained")
    for axes, (name, (seen, (row, column))) in zip(
        figure.subplots(1, len(maps), squeeze=False)[0], maps.items()
    ):
        seen = torch.as_tensor(seen)
        order = torch.arange(seen.numel()).view(seen.shape)
        before = order < row * seen.shape[1] + column
        colours = np.full((*seen.shape, 3), 0.93)
        for where, colour in (
            (seen & before, "#7fb0dc"), (~seen & before, "#d9544d"),
            (seen & ~before, "#f0a04b"),
        ):  # fmt: skip
            colours[where.numpy()] = matplotlib.colors.to_rgb(colour)
        axes.imshow(colours, interpolation="nearest")
        axes.plot(column, row, "*", color="black", ms=11)
        axes.set_xticks(np.arange(-0.5, seen.shape[1]), [])
        axes.set_yticks(np.arange(-0.5, seen.shape[0]), [])
        axes.tick_params(length=0)
        axes.grid(True, color="white", lw=1.5, alpha=1)
        axes.set_title(name, fontsize=10)
    names = {
        "seen": "#7fb0dc",
        "earlier, but not seen": "#d9544d",
        "later, must not be seen": "#ededed",
        "later, and seen: a leak": "#f0a04b",
    }
    patch = matplotlib.patches.Patch
    patches = [patch(fc=c, ec="0.6", label=name) for name, c in names.items()]
    figure.legend(handles=patches, ncols=4, fontsize=9, loc="outside lower center")
    if title:
        figure.suptitle(title, fontsize=11)
    return figure.knows(
        "A square a place, the predicted one with a star",
        *(_view_in_words(name, *view) for name, view in maps.items()),
    )


def _view_in_words(name: str, seen, place: tuple[int, int]) -> str:
    """How many of the places before it a place sees, and whether a later one."""
    seen = torch.as_tensor(seen)
    here = place[0] * seen.shape[1] + place[1]
    before, after = seen.flatten()[:here], seen.flatten()[here:]
    leak = f", and {int(after.sum())} that it must not see" if after.any() else ""
    return f"{name}: it sees {int(before.sum())} of {here} earlier places{leak}"
