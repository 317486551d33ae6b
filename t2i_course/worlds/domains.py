"""Two domains of pictures, drawn of the same birds: what translation learns from.

Three pairs: "parts" (a part map in eight colours, and the bird), "wings" (the bird with
plain wings, and with barred ones) and "dusk" (by day, and at dusk). The world can draw
any bird in both domains, so that every translation has a truth to be held against, also
one that was learned from unpaired pictures. Slides GM-22 to GM-24; lesson 06.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from .. import seeds
from ..data import Batch, batch_indices
from .bird_drawing import PARTS, draw_birds
from .bird_species import ATTRIBUTES
from .birds import CHUNK, Birds

__all__ = [
    "CALLED", "DOMAINS", "PALETTE", "Pairs", "at_dusk", "in_colours", "nearest_part",
]  # fmt: skip

# The corners of the colour cube, one a part: as far apart as eight colours can be.
PALETTE: dict[str, tuple[int, int, int]] = {
    "background": (0, 0, 0), "wing": (0, 0, 255), "belly": (255, 255, 0),
    "crown": (255, 0, 0), "tail": (0, 255, 0), "beak": (0, 255, 255),
    "eye": (255, 255, 255), "legs": (255, 0, 255),
}  # fmt: skip
CALLED = {
    "parts": ("part map", "bird"),
    "wings": ("plain wings", "barred wings"),
    "dusk": ("day", "dusk"),
}


def in_colours(masks: np.ndarray) -> np.ndarray:
    """Part maps (B, H, W) as pictures (B, 3, H, W) uint8, by PALETTE."""
    table = np.array([PALETTE[part] for part in PARTS], np.uint8)
    return np.ascontiguousarray(table[masks].transpose(0, 3, 1, 2))


def nearest_part(pictures: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) in [-1, 1] as part maps (B, H, W) uint8, by the colours.

    Each pixel is of the part whose colour in PALETTE is nearest: the nearest corner of
    a cube is found coordinate by coordinate, by its sign.
    """
    table = torch.zeros(8, dtype=torch.uint8)
    for number, part in enumerate(PARTS):
        red, green, blue = (value > 0 for value in PALETTE[part])
        table[4 * red + 2 * green + blue] = number
    bits = (pictures > 0).long()
    corner = 4 * bits[:, 0] + 2 * bits[:, 1] + bits[:, 2]
    return table.to(pictures.device)[corner]


def at_dusk(pictures: np.ndarray) -> np.ndarray:
    """Pictures (B, 3, H, W) uint8 as they look at dusk: darker, bluer, dim at the rim.

    By channel c: 255 (k_c (x / 255)^1.3 r + b_c), where r falls from 1 in the middle
    to 0.65 in the corners. No two colours of one place become one.
    """
    side = pictures.shape[-1]
    line = (np.arange(side, dtype=np.float32) + 0.5) * (2 / side) - 1
    rim = 1 - 0.175 * (line[:, None] ** 2 + line**2)
    keep = np.array([0.50, 0.52, 0.70], np.float32)[:, None, None] * rim
    glow = np.array([0.03, 0.02, 0.12], np.float32)[:, None, None]
    light = (pictures / np.float32(255)) ** np.float32(1.3)
    return (255 * (keep * light + glow) + 0.5).astype(np.uint8)


def with_pattern(birds: Birds, pattern: str) -> np.ndarray:
    """The birds' pictures, all with wings of that pattern (N, 3, S, S) uint8."""
    column = list(ATTRIBUTES).index("pattern")
    number = ATTRIBUTES["pattern"].index(pattern)
    images = np.array(birds.images)
    others = np.flatnonzero(birds.content[:, column] != number)
    content = birds.content[others].copy()
    content[:, column] = number
    for i in range(0, len(others), CHUNK):
        part = slice(i, i + CHUNK)
        drawn = draw_birds(content[part], birds.style[others[part]], birds.size)
        images[others[part]] = drawn[0]
    return images


# Of birds, their pictures in both domains: (N, 3, S, S) uint8 each.
DOMAINS: dict[str, Callable[[Birds], tuple[np.ndarray, np.ndarray]]] = {
    "parts": lambda birds: (in_colours(birds.masks), birds.images),
    "wings": lambda birds: (
        with_pattern(birds, "plain"),
        with_pattern(birds, "barred"),
    ),
    "dusk": lambda birds: (birds.images, at_dusk(birds.images)),
}


@lru_cache(maxsize=6)
def _drawn(domains: str, split: str, size: int, individuals: int):
    return DOMAINS[domains](Birds(split, size, individuals=individuals))


class Pairs:
    """A source of two pictures side by side: batch.image is (B, 6, S, S), x then y.

    birds: whose pictures; domains: a name in DOMAINS. paired: both are of one bird.
    Else x is of one half of a species' birds and y of the other half, in an order of
    its own: no bird is ever seen in both domains. ValueError for a name that isn't
    there.
    """

    def __init__(self, birds: Birds, domains="parts", paired=True, split="train"):
        if domains not in DOMAINS:
            there = ", ".join(DOMAINS)
            raise ValueError(f"No domains {domains!r}; there are {there}.")
        self.birds, self.paired, self.domains = birds, paired, domains
        self.batch_size, self.seed = birds.batch_size, seeds.checked(birds.seed)
        self.x, self.y = _drawn(domains, split, birds.size, birds.individuals)

    def __len__(self) -> int:
        return len(self.x)

    def _together(self, first, second) -> Batch:
        both = np.concatenate([self.x[first], self.y[second]], 1)
        content, style = self.birds.content[first], self.birds.style[first]
        return Batch(
            image=torch.from_numpy(both),
            class_id=torch.from_numpy(self.birds.species[first]),
            attributes=torch.from_numpy(content),
            style=torch.from_numpy(style),
            masks=torch.from_numpy(self.birds.masks[first]),
        )

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The training batch of `step`; see data.Source. What else it holds is x's."""
        more = step, rank, world
        if self.paired:
            chosen = batch_indices(len(self), self.batch_size, self.seed, *more)
            return self._together(chosen, chosen)
        half = len(self) // 2
        first = batch_indices(half, self.batch_size, self.seed, *more)
        second = batch_indices(half, self.batch_size, self.seed + 10**6, *more)
        return self._together(2 * first, 2 * second + 1)

    def all(self, limit: int | None = None) -> Batch:
        """The same birds in both domains: all, or `limit` spread over the species."""
        count = len(self) if limit is None else min(limit, len(self))
        chosen = np.linspace(0, len(self) - 1, count).round().astype(int)
        return self._together(chosen, chosen)
