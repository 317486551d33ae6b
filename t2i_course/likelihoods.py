"""How probable a picture is by a decoder's word: what several papers share.

Bernoulli for black and white, a Gaussian's density, and a Gaussian's probability of
each level. Used in lessons 03 and 04.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    "bernoulli_log_likelihood", "dequantize", "gaussian_log_likelihood", "log_normal",
    "rounded_log_likelihood",
]  # fmt: skip


def bernoulli_log_likelihood(logits: Tensor, pixels: Tensor) -> Tensor:
    """log p(x | z) in nats, (B,): each pixel is white with probability sigmoid(logit).

    logits, pixels: (B, ...), pixels 0 or 1. For grey levels in between this would be no
    likelihood: over [0, 1] its exponential doesn't integrate to 1.
    """
    each = F.binary_cross_entropy_with_logits(logits, pixels, reduction="none")
    return -each.flatten(1).sum(1)


def gaussian_log_likelihood(mean: Tensor, log_deviation: Tensor, x: Tensor) -> Tensor:
    """log of the density N(x; mean, sigma^2) in nats, (B,), summed over all numbers.

    mean, x: (B, ...); log_deviation: log sigma, a scalar or of their shape. With sigma
    = 1 this is the squared error, halved, and a constant.
    """
    far = (x - mean) * (-log_deviation).exp()
    each = -far.square() / 2 - log_deviation - math.log(2 * math.pi) / 2
    return each.flatten(1).sum(1)


def rounded_log_likelihood(
    mean: Tensor, log_deviation: Tensor, x: Tensor, spacing: float
) -> Tensor:
    """log of the probability that a Gaussian draw, rounded, gives x: (B,) nats.

    Rounded to the nearest level from -1 to 1, `spacing` apart; draws beyond the ends
    are cut off to them. A level's probability is what the bell has between half a
    spacing below it and half a spacing above. Arguments as above, x at the levels.
    """
    low, high = x - spacing / 2, x + spacing / 2
    far = 1e3  # where a bell has nothing left; infinity would make its gradient NaN
    low = torch.where(low < -1, -far, low)
    high = torch.where(high > 1, far, high)
    low, high = ((edge - mean) * (-log_deviation).exp() for edge in (low, high))
    flip = low + high > 0  # the bell is even: in its left half nothing rounds to 1
    low, high = torch.where(flip, -high, low), torch.where(flip, -low, high)
    low, high = torch.special.log_ndtr(low), torch.special.log_ndtr(high)
    each = high + torch.log(-torch.expm1(low - high))
    return each.flatten(1).sum(1)


def log_normal(z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """log N(z; mu, sigma^2) in nats, (B,); log_variance is log sigma^2."""
    return gaussian_log_likelihood(mean, log_variance / 2, z)


def dequantize(
    pictures: Tensor, spacing: float, rng: torch.Generator | None = None
) -> Tensor:
    """Adds noise, uniform over the width of a level: levels to a continuous picture.

    A density may be as high as it likes at 256 exact values, and says nothing then. The
    mean of density * spacing over the noise is the level's probability, and that of its
    logarithm is below the level's: a bound (Theis, van den Oord, Bethge 2016).
    """
    noise = torch.rand(pictures.shape, device=pictures.device, generator=rng)
    return pictures + (noise - 0.5) * spacing
