"""Specks: how much of what differs between neighbouring pixels is noise, not edges.

Neighbouring pixels differ where there is salt and pepper, and where a thing ends. The
plain mean (`measure.gan.speckle`) counts both, so a network that learns sharper edges
hides that it has less noise. Here they are told apart. Used in lesson 02.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .gan import speckle

__all__ = [
    "edges", "height_of_specks", "roughness", "shown", "specks", "without_specks",
]  # fmt: skip


def as_floats(images: Tensor) -> Tensor:
    """Pictures (N, C, H, W), uint8 or floats, as floats cut off at -1 and 1."""
    if images.ndim != 4 or min(images.shape[2:]) < 3:
        shape = tuple(images.shape)
        raise ValueError(f"Expected pictures (N, C, H, W) from 3 x 3 on, got {shape}.")
    floats = images / 127.5 - 1 if images.dtype == torch.uint8 else images.float()
    return floats.clamp(-1, 1)


def height_of_specks(images: Tensor) -> Tensor:
    """How far each inner pixel stands out from its neighbours: (N, C, H-2, W-2).

    A speck is a value above all four of its neighbours, or below all four; its height
    is the difference to the nearest of the four. All else is 0: along an edge or a
    line there is always a neighbour alike. images: (N, C, H, W), floats in [-1, 1] or
    uint8; ValueError for other shapes.
    """
    images = as_floats(images)
    here = images[..., 1:-1, 1:-1]
    around = torch.stack([images[..., :-2, 1:-1], images[..., 2:, 1:-1],
                          images[..., 1:-1, :-2], images[..., 1:-1, 2:]])  # fmt: skip
    return (here - around.amax(0)).relu() + (around.amin(0) - here).relu()


def specks(images: Tensor) -> float:
    """The mean height of specks. Arguments as `height_of_specks`.

    Independent normal noise of deviation s on a flat picture has 0.267 s: one value in
    five is the largest of its five, one the smallest, and it is 0.668 s from the next.
    """
    return float(height_of_specks(images).mean())


def without_specks(images: Tensor) -> Tensor:
    """Each value replaced by the median of the 3 x 3 around it: edges stay, specks go.

    At the border the picture is continued by its mirror image. (N, C, H, W), floats.
    """
    padded = F.pad(as_floats(images), (1, 1, 1, 1), mode="reflect")
    return padded.unfold(2, 3, 1).unfold(3, 3, 1).flatten(4).median(-1).values


def edges(images: Tensor) -> float:
    """How much neighbouring pixels differ once the specks are gone."""
    return speckle(without_specks(images))


def roughness(images: Tensor) -> dict[str, float]:
    """What makes neighbouring pixels differ: all of it, the specks, the edges."""
    images = as_floats(images)
    parts = {"neighbours": speckle, "specks": specks, "edges": edges}
    return {name: round(measure(images), 4) for name, measure in parts.items()}


def shown(images: Tensor, times: float = 4.0) -> Tensor:
    """The heights of specks as pictures (N, C, H, W) in [-1, 1]: black where none is.

    times: how much brighter than they are. The border has none.
    """
    return (F.pad(times * height_of_specks(images), (1, 1, 1, 1)) - 1).clamp(max=1)
