"""Reading pose and background back from a picture: a ruler for style transfer.

The world records every drawing's style (which way the bird looks, its tilt, place and
size, the light). A generated picture has no record, so a ruler reads it: one linear
layer on what the oracle's convolutions see and on the colours of an 8x8 thumbnail,
fitted in closed form on real drawings (ridge regression, no training).
`StyleRuler.trust` says how well it reads drawings of species that it was not fitted
on; nothing that it says is worth more than that. There is one for birds and one for
flowers.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..worlds.kinds import KINDS
from .oracle import oracle

__all__ = ["COLUMNS", "READ", "READS", "StyleRuler", "agreement", "ruler"]

READS = {  # what is read of each world's style
    "birds": ("flip", "tilt", "x", "y", "scale", "shade", "light"),
    # Where a flower looks is not read well enough (0.5 at 32 pixels).
    "flowers": ("x", "y", "scale", "shade", "light", "lean", "backdrop"),
}
READ = READS["birds"]


def columns_of(world: str) -> list[int]:
    """Where what is read stands in a world's style."""
    return [KINDS[world].world.style.index(name) for name in READS[world]]


COLUMNS = columns_of("birds")


def agreement(
    one: Tensor, other: Tensor, names: tuple[str, ...] = READ
) -> dict[str, float]:
    """Correlation by style of two tables (B, len(names)): 1 same, 0 unrelated."""
    a, b = (x.double() - x.double().mean(0) for x in (one, other))
    scale = (a.square().sum(0) * b.square().sum(0)).sqrt().clamp_min(1e-12)
    return dict(zip(names, ((a * b).sum(0) / scale).tolist()))


class StyleRuler:
    """Pictures (B, 3, S, S) in [-1, 1] to (B, len(READS[world])) readings.

    size: 32 or 64, for flowers 32; count: drawings to fit on; strength: of the ridge.
    Larger pictures are read at the oracle's size. names, columns: what is read, and
    where it stands in the world's style.
    """

    def __init__(self, size: int = 64, count: int = 2000, strength: float = 30.0,
                 world: str = "birds"):  # fmt: skip
        self.reader = oracle(size, world=world)
        self.names, self.columns = READS[world], columns_of(world)
        size = self.reader.size
        known = drawings("train", size, count, world=world)
        seen = self.look(known.image)
        self.middle = seen.mean(0)
        seen = seen - self.middle
        self.offset = known.style[:, self.columns].mean(0)
        wanted = known.style[:, self.columns] - self.offset
        gram = seen.T @ seen + strength * torch.eye(seen.shape[1])
        self.weight = torch.linalg.solve(gram, seen.T @ wanted)
        unseen = drawings("test", size, 600, world=world)
        truth = unseen.style[:, self.columns]
        self.trust = agreement(self.read(unseen.image), truth, self.names)

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


def drawings(split: str, size: int, count: int, seed: int = 0, world: str = "birds"):
    """`count` real drawings of a split with all that is known of them.

    They are spread over all species; only as many individuals are drawn as it takes.
    """
    kind = KINDS[world]
    individuals = min(-(-count // len(kind.world.splits()[split])), 60)
    source = kind(split, size, individuals=individuals)
    rng = np.random.default_rng((31, seed))
    chosen = rng.choice(len(source), min(count, len(source)), replace=False)
    return source.at(chosen, rng.integers(10, size=len(chosen))).to("cpu")


@lru_cache(maxsize=3)
def ruler(size: int = 64, world: str = "birds") -> StyleRuler:
    """The ruler for pictures of that size; fitted at the first call, in seconds."""
    return StyleRuler(size, world=world)
