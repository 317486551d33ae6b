"""Reading pose and background back from a picture: a ruler for style transfer.

The world records every drawing's style (which way the bird looks, its tilt, place and
size, the light). A generated picture has no record, so a ruler reads it: one linear
layer on what the oracle's convolutions see and on the colours of an 8x8 thumbnail,
fitted in closed form on real drawings (ridge regression, no training).
`StyleRuler.trust` says how well it reads drawings of species that it was not fitted
on; nothing that it says is worth more than that.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..worlds.bird_species import STYLE, split_species
from ..worlds.birds import Birds
from .oracle import oracle

__all__ = ["READ", "StyleRuler", "agreement", "ruler"]

READ = ("flip", "tilt", "x", "y", "scale", "shade", "light")
COLUMNS = [STYLE.index(name) for name in READ]


def agreement(one: Tensor, other: Tensor) -> dict[str, float]:
    """Correlation by style of two tables (B, len(READ)): 1 same, 0 unrelated."""
    a, b = (x.double() - x.double().mean(0) for x in (one, other))
    scale = (a.square().sum(0) * b.square().sum(0)).sqrt().clamp_min(1e-12)
    return dict(zip(READ, ((a * b).sum(0) / scale).tolist()))


class StyleRuler:
    """Pictures (B, 3, S, S) in [-1, 1] to (B, len(READ)) readings.

    size: 32 or 64; count: drawings to fit on; strength: of the ridge. Larger pictures
    are read at 64.
    """

    def __init__(self, size: int = 64, count: int = 2000, strength: float = 30.0):
        self.reader = oracle(size)
        size = self.reader.size
        known = drawings("train", size, count)
        seen = self.look(known.image)
        self.middle = seen.mean(0)
        seen = seen - self.middle
        self.offset = known.style[:, COLUMNS].mean(0)
        wanted = known.style[:, COLUMNS] - self.offset
        gram = seen.T @ seen + strength * torch.eye(seen.shape[1])
        self.weight = torch.linalg.solve(gram, seen.T @ wanted)
        unseen = drawings("test", size, 600)
        self.trust = agreement(self.read(unseen.image), unseen.style[:, COLUMNS])

    @torch.inference_mode()
    def look(self, pictures: Tensor) -> Tensor:
        """What the oracle's convolutions see, place by place, and a thumbnail: (B, F).

        The oracle has learned to look past the light, so it takes both.
        """
        seen = [self.reader.look(p).flatten(1) for p in pictures.split(500)]
        thumbnail = F.adaptive_avg_pool2d(pictures, 8).flatten(1)
        return torch.cat([torch.cat(seen), thumbnail], 1)

    def read(self, pictures: Tensor) -> Tensor:
        """Readings in the world's own units; flip is near -1 or 1."""
        return (self.look(pictures) - self.middle) @ self.weight + self.offset


def drawings(split: str, size: int, count: int, seed: int = 0):
    """`count` real drawings of a split with all that is known of them.

    They are spread over all species; only as many individuals are drawn as it takes.
    """
    individuals = min(-(-count // len(split_species()[split])), 60)
    birds = Birds(split, size, individuals=individuals)
    rng = np.random.default_rng((31, seed))
    chosen = rng.choice(len(birds), min(count, len(birds)), replace=False)
    return birds.at(chosen, rng.integers(10, size=len(chosen))).to("cpu")


@lru_cache(maxsize=2)
def ruler(size: int = 64) -> StyleRuler:
    """The ruler for pictures of that size; fitted at the first call, in seconds."""
    return StyleRuler(size)
