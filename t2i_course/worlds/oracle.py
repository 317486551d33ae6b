"""The oracle's network: what reads a drawing's attributes from its picture.

How it learns, and how it is used as an instrument: `measure.oracle`.
"""

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..declarations import Network
from . import flower_species
from .bird_species import ATTRIBUTES

__all__ = ["SIZES", "Oracle"]

SIZES = (32, 64)


class Oracle(nn.Module):
    """Pictures (B, 3, S, S) in [-1, 1] to one row of logits an attribute.

    size: 32 or 64; width: channels of the first layer; attributes: {name: values}, the
    birds' by default. The largest of a world, for 64 pixels by default, shrinks larger
    pictures first.
    """

    def __init__(
        self,
        size: int = 32,
        width: int = 32,
        attributes: Mapping[str, tuple[str, ...]] = ATTRIBUTES,
        largest: bool | None = None,
    ):
        super().__init__()
        self.size, self.names = size, list(attributes)
        self.largest = size == max(SIZES) if largest is None else largest
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
        self.counts = [len(values) for values in attributes.values()]
        self.heads = nn.Linear(256, sum(self.counts))

    def look(self, pictures: Tensor) -> Tensor:
        """(B, C, 4, 4): what the convolutions see; each pixel may be a square's mean.

        ValueError for pictures of another size.
        """
        if self.largest and not pictures.shape[-1] % self.size:
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
        return dict(zip(self.names, rows))

    @torch.inference_mode()
    def read(self, pictures: Tensor) -> Tensor:
        """(B, attributes) int64: the most probable value of each attribute."""
        parts = pictures.split(500)
        return torch.cat(
            [torch.stack([r.argmax(1) for r in self(p).values()], 1) for p in parts]
        )

    @torch.inference_mode()
    def kinds(self, pictures: Tensor) -> Tensor:
        """(B, K): the probability of each pair of the first two attributes' values.

        Of birds, the colours of wing and belly: K is 100, and so can the inception
        score be, to which these are the classes.
        """
        found = []
        for part in pictures.split(500):
            one, other = list(self(part).values())[:2]
            pair = one.softmax(1)[:, :, None] * other.softmax(1)[:, None]
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
    "flower_oracle32": Network(
        partial(Oracle, 32, 20, flower_species.ATTRIBUTES, largest=True),
        "flowers",
        measure="t2i_course.measure.judges:reading_flowers",
    ),
}
