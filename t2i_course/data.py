"""The one batch that every world and data set yields, and which pictures are in it."""

from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

__all__ = ["Batch", "Source", "batch_indices"]


@dataclass
class Batch:
    """Pictures with all that is known about them; unknown fields are None.

    image: (B, C, H, W), uint8 at rest, float in [-1, 1] on a device; points: (B, 2)
    caption: B sentences, or an empty list
    tokens, lengths: (B, T) int64 padded with 0, and (B,) the number of words
    class_id: (B,) species, digit or emoji
    attributes: (B, A) int64, the truth of the picture; named: the same, or -1 where
        the caption is silent
    boxes: (B, P, 4) as (x0, y0, x1, y1) in 0..1; labels: (P,) part numbers
    masks: (B, H, W) uint8 part numbers; style: (B, S) float, pose and background
    """

    image: Tensor
    caption: list[str] = field(default_factory=list)
    tokens: Tensor | None = None
    lengths: Tensor | None = None
    class_id: Tensor | None = None
    attributes: Tensor | None = None
    named: Tensor | None = None
    boxes: Tensor | None = None
    labels: Tensor | None = None
    masks: Tensor | None = None
    style: Tensor | None = None

    def __len__(self) -> int:
        return len(self.image)

    def not_finite(self) -> str:
        """The name of a field that holds NaN or infinity, or ""."""
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Tensor) and not value.isfinite().all():
                return item.name
        return ""

    def to(self, device) -> "Batch":
        """The batch on `device`; uint8 pictures become floats in [-1, 1] there."""
        moved = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Tensor):
                value = value.to(device, non_blocking=True)
                if item.name == "image" and value.dtype == torch.uint8:
                    value = value.float().div_(127.5).sub_(1)
                moved[item.name] = value
        return replace(self, **moved)


class Source(Protocol):
    """What training asks of a world or data set."""

    batch_size: int

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch of that step: a function of (seed, step, rank) and nothing else.

        Process `rank` of `world` gets its part of a batch `world` times as large, and
        a run that is resumed needs to remember nothing but its step.
        """


@lru_cache(maxsize=4)
def _permutation(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch)).permutation(count)


def batch_indices(
    count: int, size: int, seed: int, step: int, rank: int = 0, world: int = 1
) -> np.ndarray:
    """Which of `count` items are in the batch of `step`: shuffled anew each epoch.

    Returns (size,) indices. An epoch's incomplete last batch is left out; a batch
    larger than the data repeats it.
    """
    whole = size * world
    per_epoch = max(count // whole, 1)
    epoch, place = divmod(step, per_epoch)
    order = _permutation(count, seed, epoch)
    where = np.arange(place * whole + rank * size, place * whole + (rank + 1) * size)
    return order[where % count]
