"""The oracle's network: what reads a bird's attributes from its picture.

How it learns, and how it is used as an instrument: `measure.oracle`.
"""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..declarations import Network
from .bird_species import ATTRIBUTES

__all__ = ["SIZES", "Oracle"]

SIZES = (32, 64)


class Oracle(nn.Module):
    """Pictures (B, 3, S, S) in [-1, 1] to one row of logits an attribute.

    size: 32 or 64; width: channels of the first layer. The one for 64 shrinks larger
    pictures first.
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

    def look(self, pictures: Tensor) -> Tensor:
        """(B, C, 4, 4): what the convolutions see; each pixel may be a square's mean.

        ValueError for pictures of another size.
        """
        if self.size == max(SIZES) and not pictures.shape[-1] % self.size:
            pictures = F.adaptive_avg_pool2d(pictures, self.size)
        if pictures.shape[1:] != (3, self.size, self.size):
            raise ValueError(
                f"This oracle reads pictures of 3x{self.size}x{self.size}, not "
                f"{'x'.join(map(str, pictures.shape[1:]))}."
            )
        return self.trunk(pictures)

    def features(self, pictures: Tensor) -> Tensor:
        """(B, 256): the layer before the last, for distances between distributions."""
        return F.relu(self.code(self.look(pictures).flatten(1)))

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


SHIPPED = {
    f"oracle{size}": Network(
        partial(Oracle, size), "birds", measure="t2i_course.measure.judges:reading"
    )
    for size in SIZES
} | {
    # Lesson 17's: half as wide, taught by other birds; and one whose pictures had
    # their channels in the order blue, red, green.
    "oracle64_other": Network(
        partial(Oracle, 64, 16), "birds", measure="t2i_course.measure.judges:reading"
    ),
    "oracle32_brg": Network(
        partial(Oracle, 32, 16),
        "birds",
        measure="t2i_course.measure.judges:reading_brg",
    ),
}
