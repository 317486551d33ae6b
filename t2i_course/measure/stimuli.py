"""What grown pictures are worth: who else recognizes them, and what is in them.

A layer here is a function from pictures (B, 3, H, W) in [-1, 1] to rows (B, N);
units: (B,), whose picture each is. Used in lesson 17.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from scipy.ndimage import label
from torch import Tensor
from torch.nn import functional as F

from ..worlds.bird_drawing import PARTS, RGB
from ..worlds.bird_species import ATTRIBUTES, COLOURS
from ..worlds.birds import Birds

__all__ = [
    "COLOURED", "attribute_units", "class_maps", "every_attribute",
    "first_of_attribute", "lead", "middles", "of_part", "palette", "part_places",
    "photographs", "pieces", "read", "recognized", "share_of_attribute", "spectrum",
    "steepness", "truth_of", "unit_numbers", "unnatural",
]  # fmt: skip

Layer = Callable[[Tensor], Tensor]
COLOURED = ("wing", "belly", "crown", "tail")
BANDS = 16  # of frequency, in a spectrum


# ----------------------------------------------------------------- the birds' units


def every_attribute(oracle) -> Layer:
    """The layer of all that an oracle says: pictures to logits (B, 54)."""

    def layer(pictures: Tensor) -> Tensor:
        return torch.cat(list(oracle(pictures).values()), 1)

    return layer


def attribute_units() -> list[tuple[str, str]]:
    """(attribute, value) of each unit of `every_attribute`, in order."""
    return [(name, value) for name, values in ATTRIBUTES.items() for value in values]


def unit_numbers(*names: str) -> list[int]:
    """The numbers of units by their names, such as "wing red"."""
    every = [f"{name} {value}" for name, value in attribute_units()]
    return [every.index(name) for name in names]


def within_attribute(rows: Tensor, units: Tensor) -> Tensor:
    """Rows (B, 54), -inf at units of other attributes than each picture's unit."""
    names = [name for name, _ in attribute_units()]
    same = torch.tensor([[a == b for b in names] for a in names])
    return rows.masked_fill(~same[units], -torch.inf)


def first_of_attribute(rows: Tensor, units: Tensor) -> Tensor:
    """(B,) bool: whether the unit is the highest among its attribute's values."""
    return within_attribute(rows, units).argmax(1) == units


def share_of_attribute(rows: Tensor, units: Tensor) -> Tensor:
    """(B,): the unit's share in a softmax over its attribute's values."""
    shares = within_attribute(rows, units).softmax(1)
    return shares.gather(1, units[:, None])[:, 0]


# -------------------------------------------------------------- who else recognizes it


@torch.inference_mode()
def read(layer: Layer, pictures: Tensor, part: int = 50) -> Tensor:
    """A layer's rows (B, N), a few pictures at a time."""
    return torch.cat([layer(some) for some in pictures.split(part)])


def recognized(rows: Tensor, units: Tensor) -> Tensor:
    """(B,) bool: whether the unit is the highest of the layer's."""
    return rows.argmax(1) == units


def lead(rows: Tensor, units: Tensor) -> Tensor:
    """(B,): the unit's activation less the highest of the others'."""
    own = rows.gather(1, units[:, None])
    others = rows.scatter(1, units[:, None], -torch.inf)
    return (own - others.amax(1, keepdim=True))[:, 0]


# ----------------------------------------------------------------------- its spectrum


def bands_of(size: int) -> tuple[Tensor, Tensor]:
    """(F, S, S): which waves lie in each band; (F,): its middle, in waves a pixel.

    The bands are as wide as each other on a scale of logarithms, from 2 waves a picture
    to half a wave a pixel; one without a wave is left out.
    """
    places = torch.fft.fftfreq(size)
    frequency = (places[:, None].square() + places.square()).sqrt()
    edges = torch.logspace(np.log10(2 / size), np.log10(0.5), BANDS + 1)
    middle = (edges[:-1] * edges[1:]).sqrt()
    edges[-1] += 1e-6
    within = (frequency >= edges[:-1, None, None]) & (frequency < edges[1:, None, None])
    there = within.any((1, 2))
    return within[there].float(), middle[there]


def middles(size: int) -> Tensor:
    """(F,): the middles of a spectrum's bands, in waves a pixel."""
    return bands_of(size)[1]


def spectrum(pictures: Tensor) -> Tensor:
    """(B, F): the logarithm (base 10) of the mean power in bands of frequency.

    Of the mean of the three channels, less its mean, faded out towards the edges
    (Hann). Where the bands are: `middles`.
    """
    size = pictures.shape[-1]
    grey = pictures.mean(1)
    grey = grey - grey.mean((1, 2), keepdim=True)
    fade = torch.hann_window(size, periodic=False)
    power = torch.fft.fft2(grey * fade * fade[:, None]).abs().square()
    within, _ = bands_of(size)
    sums = torch.einsum("byx,fyx->bf", power, within)
    return (sums / within.sum((1, 2))).clamp_min(1e-12).log10()


def steepness(bands: Tensor, size: int) -> Tensor:
    """(B,): by which power of the frequency the power falls; natural pictures: 2.

    bands: of `spectrum`; size: the pictures'. A straight line by least squares on
    scales of logarithms. 0: every frequency has the same power, as in noise. Pictures
    that were shrunk, or are blurred in part, fall faster (`photographs`: 2.3 to 3.9 at
    128 pixels).
    """
    across = middles(size).log10()
    across = across - across.mean()
    return -(bands * across).sum(1) / across.square().sum()


def unnatural(bands: Tensor, real: Tensor) -> Tensor:
    """(B,): how far a spectrum's shape is from real pictures' mean, in powers of ten.

    Root mean square over bands; the level, that is the contrast, is taken away first.
    """
    shape = bands - bands.mean(1, keepdim=True)
    like = real.mean(0) - real.mean()
    return (shape - like).square().mean(1).sqrt()


@cache
def photographs(size: int) -> Tensor:
    """(24, 3, size, size): squares of scikit-learn's two photographs, shrunk.

    A palace in China and a flower; twelve overlapping squares of each. The largest,
    which are as high as the photograph, come twice.
    """
    from sklearn.datasets import load_sample_images

    squares = []
    for picture in load_sample_images().images:
        x = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
        for side in (427, 300, 240):
            down, across = x.shape[2] - side, x.shape[3] - side
            for i in range(4):
                y, z = (i // 2) * down, (i % 2) * across
                cut = x[:, :, y : y + side, z : z + side]
                squares.append(F.interpolate(cut, (size, size), mode="bicubic",
                                             antialias=True))  # fmt: skip
    return torch.cat(squares).clamp(-1, 1)


# -------------------------------------------------------------- one thing, or pieces


def pieces(maps: Tensor, above: float = 0.3) -> Tensor:
    """(B,): into how many separate pieces a class's map (B, H, W) falls.

    A map says how much each place speaks for the class. Counted are the connected
    places (eight neighbours) with more than this share of the map's maximum; 0 where
    no place speaks for it.
    """
    joined = np.ones((3, 3))
    counts = [label((m > above * m.max()).numpy(), joined)[1] if m.max() > 0 else 0
              for m in maps]  # fmt: skip
    return torch.tensor(counts)


@torch.inference_mode()
def class_maps(network, pictures: Tensor, units: Tensor, larger: float = 1.5) -> Tensor:
    """(B, H, W): how much each place of the last map speaks for a class.

    network: has `features` and a linear layer `last` after their mean, whose sum over
    places is the logit (Zhou et al. 2016, class activation maps). Pictures are first
    made `larger`, so that the map has more places.
    """
    rows = []
    for some, which in zip(pictures.split(24), units.split(24)):
        x = F.interpolate(some, scale_factor=larger, mode="bicubic")
        weight = network.last.weight[which]
        rows.append(torch.einsum("bchw,bc->bhw", network.features(x), weight))
    return torch.cat(rows)


# ------------------------------------------------------- the truth of the bird world


@cache
def part_places(size: int = 64, count: int = 400) -> Tensor:
    """(8, S, S): how often each part of `PARTS` covers a pixel, over real birds."""
    birds = Birds("test", size, details=True)
    some = np.arange(0, len(birds), len(birds) // count)
    masks = birds.at(some, 0 * some).masks
    return torch.stack([(masks == i).float().mean(0) for i in range(len(PARTS))])


def of_part(part: str) -> list[int]:
    """The numbers of a part's ten colour units in `every_attribute`."""
    units = attribute_units()
    return [units.index((part, colour)) for colour in COLOURS]


def palette() -> Tensor:
    """(10, 3): the ten colours as they are drawn, in [-1, 1]."""
    return 2 * torch.tensor([RGB[name] for name in COLOURS]) - 1


def truth_of(pictures: Tensor, part: str) -> dict[str, float]:
    """Whether ten pictures of a part's colour units show the colour, and the place.

    pictures: (10, 3, S, S), one for each colour; what is the same in all ten says
    nothing, so their mean is taken away. "colour": the share of pictures whose mean
    colour, where the part is in real birds, points most nearly to their own colour of
    the palette; "place": the share of the squares of what differs that lies there, and
    "place by chance": that place's share of the picture.
    """
    differ = pictures - pictures.mean(0)
    where = part_places(pictures.shape[-1])[PARTS.index(part)]
    where = (where > 0.25 * where.max()).float()
    shown = F.normalize((differ * where).sum((2, 3)), dim=1)
    true = F.normalize(palette() - palette().mean(0), dim=1)
    right = (shown @ true.T).argmax(1) == torch.arange(len(true))
    heat = differ.square().sum((0, 1))
    return {
        "colour": right.float().mean().item(),
        "place": ((heat * where).sum() / heat.sum()).item(),
        "place by chance": where.mean().item(),
    }
