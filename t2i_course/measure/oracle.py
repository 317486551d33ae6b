"""The oracle: a small classifier that reads a drawing's attributes from its picture.

There is one for birds and one for flowers. It is a measuring instrument and never a
training loss. It learns from drawings whose attributes are independent (no species), so
nothing but the picture can tell it the colour of a wing, and it reads unseen species as
well as seen ones.
"""

from functools import lru_cache

import numpy as np
import torch
from torch.nn import functional as F

from .. import weights
from ..data import Batch, batch_indices
from ..training import System
from ..worlds.kinds import KINDS
from ..worlds.oracle import SHIPPED, SIZES, Oracle

__all__ = [
    "SIZES", "Oracle", "OracleTraining", "RandomBirds", "RandomDrawings",
    "flower_oracle", "oracle",
]  # fmt: skip

PRESETS = {
    "smoke": {"size": 32, "width": 8, "pictures": 256, "batch_size": 32, "steps": 4},
    "cpu": {
        "size": 32,
        "width": 32,
        "pictures": 20000,
        "batch_size": 128,
        "steps": 900,
    },
    "gpu": {
        "size": 64,
        "width": 32,
        "pictures": 60000,
        "batch_size": 256,
        "steps": 4000,
    },
    "paper": {
        "size": 64,
        "width": 32,
        "pictures": 60000,
        "batch_size": 256,
        "steps": 4000,
    },
}


class RandomDrawings:
    """Drawings with independent random attributes, a source for the oracle's training.

    world: a key of KINDS; order: in which order the channels stand, (0, 1, 2) for red,
    green, blue; lesson 17 teaches one network with (2, 0, 1).
    """

    def __init__(
        self,
        count: int,
        size: int,
        batch_size: int,
        seed: int = 0,
        order: tuple[int, ...] = (0, 1, 2),
        world: str = "birds",
    ):
        known, rng = KINDS[world].world, np.random.default_rng((99, seed))
        self.batch_size, self.seed = batch_size, seed
        self.content = known.random(count, rng)
        style = known.styles(1000 + seed, count)
        pictures = [
            known.draw(self.content[i : i + 32], style[i : i + 32], size)[0]
            for i in range(0, count, 32)
        ]
        self.images = np.concatenate(pictures)[:, list(order)]

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch of `step`; see data.Source."""
        chosen = batch_indices(
            len(self.images), self.batch_size, self.seed, step, rank, world
        )
        return Batch(
            image=torch.from_numpy(self.images[chosen]),
            attributes=torch.from_numpy(self.content[chosen]),
        )


RandomBirds = RandomDrawings


class OracleTraining(System):
    """One player that learns to read: the sum of the attributes' cross-entropies."""

    players = ("oracle",)
    averaged = ("oracle",)
    average_decay = 0.99
    learning_rate = 1.5e-3
    betas = (0.9, 0.999)

    def __init__(
        self, size: int = 32, width: int = 32, steps: int = 900, world: str = "birds"
    ):
        super().__init__()
        self.oracle = Oracle(size, width, KINDS[world].world.attributes)
        self.steps = steps

    def learning_rate_factor(self, step: int) -> float:
        """Down to zero along half a cosine."""
        return 0.5 + 0.5 * float(np.cos(np.pi * min(step / self.steps, 1)))

    def round(self, batch):
        """Pictures are shifted by up to two pixels and slightly mixed with noise."""
        shift = torch.randint(
            -2, 3, (2,), generator=self.rng, device=self.device
        ).tolist()
        image = torch.roll(batch.image, shift, (2, 3))
        image = image + 0.03 * torch.randn(
            image.shape, generator=self.rng, device=self.device
        )
        rows = self.oracle(image).values()
        truth = batch.attributes.unbind(1)
        yield (
            "oracle",
            sum(F.cross_entropy(row, true) for row, true in zip(rows, truth)),
        )


@lru_cache(maxsize=6)
def oracle(size: int = 32, device: str = "cpu", world: str = "birds") -> Oracle:
    """The shipped oracle for pictures of 32 or 64 pixels, ready to read.

    world: a key of KINDS. Pictures of 128, 192, ... are read by the birds' for 64, and
    those of 64, 96, ... by the flowers' for 32, which shrink them.
    """
    sizes, name = (SIZES, "oracle") if world == "birds" else ((32,), "flower_oracle")
    size = max(sizes) if size % max(sizes) == 0 else size
    if size not in sizes:
        raise ValueError(f"There are oracles for {sizes} pixels, not for {size}.")
    network = SHIPPED[f"{name}{size}"].make()
    weights.load_into(network, f"{name}{size}")
    return network.to(device).eval().requires_grad_(False)


def flower_oracle(size: int = 32) -> Oracle:
    """The flowers' oracle."""
    return oracle(size, world="flowers")
