"""The oracle: a small classifier that reads a bird's attributes from its picture.

It is a measuring instrument and never a training loss. It learns from birds whose
attributes are drawn independently (no species), so nothing but the picture can tell it
the colour of a wing, and it reads unseen species as well as seen ones.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import weights
from ..data import Batch, batch_indices
from ..training import System
from ..worlds.bird_drawing import draw_birds
from ..worlds.bird_species import ATTRIBUTES, individual_styles

__all__ = ["SIZES", "Oracle", "OracleTraining", "RandomBirds", "oracle"]

SIZES = (32, 64)
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


class Oracle(nn.Module):
    """Pictures (B, 3, S, S) in [-1, 1] to one row of logits an attribute.

    size: 32 or 64; width: channels of the first layer
    """

    def __init__(self, size: int = 32, width: int = 32):
        super().__init__()
        self.size = size
        stem = [nn.Conv2d(3, width, 3, 1, 1), nn.BatchNorm2d(width), nn.ReLU()]
        if size == 64:
            stem = [nn.Conv2d(3, width, 4, 2, 1), nn.BatchNorm2d(width), nn.ReLU()]
        blocks, channels = [], width
        for out in (2 * width, 3 * width, 4 * width):
            blocks += [
                nn.Conv2d(channels, out, 4, 2, 1),
                nn.BatchNorm2d(out),
                nn.ReLU(),
            ]
            blocks += [nn.Conv2d(out, out, 3, 1, 1), nn.BatchNorm2d(out), nn.ReLU()]
            channels = out
        self.trunk = nn.Sequential(*stem, *blocks)
        self.code = nn.Linear(16 * channels, 256)
        self.counts = [len(values) for values in ATTRIBUTES.values()]
        self.heads = nn.Linear(256, sum(self.counts))

    def features(self, pictures: Tensor) -> Tensor:
        """(B, 256): the layer before the last, for distances between distributions."""
        if pictures.shape[1:] != (3, self.size, self.size):
            raise ValueError(
                f"This oracle reads pictures of 3x{self.size}x{self.size}, not "
                f"{'x'.join(map(str, pictures.shape[1:]))}."
            )
        return F.relu(self.code(self.trunk(pictures).flatten(1)))

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Logits (B, values) by attribute."""
        rows = self.heads(self.features(pictures)).split(self.counts, 1)
        return dict(zip(ATTRIBUTES, rows))

    @torch.inference_mode()
    def read(self, pictures: Tensor) -> Tensor:
        """(B, len(ATTRIBUTES)) int64: the most probable value of each attribute."""
        parts = pictures.split(500)
        return torch.cat(
            [torch.stack([r.argmax(1) for r in self(p).values()], 1) for p in parts]
        )

    @torch.inference_mode()
    def kinds(self, pictures: Tensor) -> Tensor:
        """(B, 100): the probability of each pair of wing and belly colour.

        What the inception score here calls a class; it can reach 100.
        """
        found = []
        for part in pictures.split(500):
            logits = self(part)
            pair = (
                logits["wing"].softmax(1)[:, :, None]
                * logits["belly"].softmax(1)[:, None]
            )
            found.append(pair.flatten(1))
        return torch.cat(found)


class RandomBirds:
    """Birds with independent random attributes, a source for the oracle's training."""

    def __init__(self, count: int, size: int, batch_size: int, seed: int = 0):
        rng = np.random.default_rng((99, seed))
        self.batch_size, self.seed = batch_size, seed
        self.content = np.stack(
            [rng.integers(len(v), size=count) for v in ATTRIBUTES.values()], 1
        )
        style = individual_styles(1000 + seed, count)
        pictures = [
            draw_birds(self.content[i : i + 32], style[i : i + 32], size)[0]
            for i in range(0, count, 32)
        ]
        self.images = np.concatenate(pictures)

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch of `step`; see data.Source."""
        chosen = batch_indices(
            len(self.images), self.batch_size, self.seed, step, rank, world
        )
        return Batch(
            image=torch.from_numpy(self.images[chosen]),
            attributes=torch.from_numpy(self.content[chosen]),
        )


class OracleTraining(System):
    """One player that learns to read: the sum of the attributes' cross-entropies."""

    players = ("oracle",)
    averaged = ("oracle",)
    average_decay = 0.99
    learning_rate = 1.5e-3
    betas = (0.9, 0.999)

    def __init__(self, size: int = 32, width: int = 32, steps: int = 900):
        super().__init__()
        self.oracle, self.steps = Oracle(size, width), steps

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


@lru_cache(maxsize=4)
def oracle(size: int = 32, device: str = "cpu") -> Oracle:
    """The shipped oracle for pictures of 32 or 64 pixels, ready to read."""
    if size not in SIZES:
        raise ValueError(f"There are oracles for {SIZES} pixels, not for {size}.")
    network = Oracle(size)
    weights.load_into(network, f"oracle{size}")
    return network.to(device).eval().requires_grad_(False)
