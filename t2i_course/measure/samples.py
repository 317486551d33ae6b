"""Figures for two heaps of samples: are they from one distribution, how fine are they?

`two_sample_test` compares heaps of vectors, such as the codes of pictures and draws of
the prior that they should follow. `radial_power_spectrum` says how much of a picture is
at which frequency; what a blurred picture lacks are the high ones. Used in lesson 03.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = [
    "TwoSamples",
    "detail",
    "maximum_mean_discrepancy",
    "radial_power_spectrum",
    "two_sample_test",
]

WIDTHS = (0.25, 0.5, 1.0, 2.0)  # of the kernel, in medians of the distance


class TwoSamples(NamedTuple):
    """distance: MMD^2; p: how often so far apart a split would come by chance alone."""

    distance: float
    p: float


def _kernel(pooled: Tensor) -> Tensor:
    """Likeness of all pairs of (N, D) vectors, (N, N), 0 on the diagonal.

    The sum of Gaussian bells from a quarter of the median distance to twice that wide,
    for coarse and for fine differences; the same whichever heap a vector is in.
    """
    far = torch.cdist(pooled, pooled)
    median = far[~torch.eye(len(far), dtype=torch.bool, device=far.device)].median()
    square = (far / median.clamp_min(1e-12)).square()
    likeness = sum((-square / (2 * width**2)).exp() for width in WIDTHS)
    return likeness.fill_diagonal_(0)


def _distances(kernel: Tensor, member: Tensor) -> Tensor:
    """MMD^2 of several splits, (P,): member (P, N) is 1 in the first heap, else 0."""
    first = member[0].sum()
    second = len(kernel) - first
    near = member @ kernel
    among_first, across = (near * member).sum(1), (near * (1 - member)).sum(1)
    among_second = kernel.sum() - among_first - 2 * across
    return (
        among_first / (first * (first - 1))
        + among_second / (second * (second - 1))
        - 2 * across / (first * second)
    )


def _heaps(one: Tensor, other: Tensor) -> Tensor:
    if one.ndim != 2 or other.ndim != 2 or one.shape[1] != other.shape[1]:
        shapes = f"{tuple(one.shape)} and {tuple(other.shape)}"
        raise ValueError(f"Expected vectors (N, D) and (M, D), got {shapes}.")
    if min(len(one), len(other)) < 2:
        raise ValueError("A heap needs at least two vectors.")
    return torch.cat([one, other]).double()


def maximum_mean_discrepancy(one: Tensor, other: Tensor) -> float:
    """How far two heaps of vectors are apart: MMD^2, unbiased, so it may be below 0.

    Mean likeness within the heaps, less twice that across them; likeness is a sum of
    Gaussian kernels. one: (N, D); other: (M, D). Raises ValueError for other shapes.
    Gretton et al. 2012.
    """
    kernel = _kernel(_heaps(one, other))
    member = torch.zeros(1, len(kernel), dtype=kernel.dtype, device=kernel.device)
    member[:, : len(one)] = 1
    return float(_distances(kernel, member))


def two_sample_test(
    one: Tensor, other: Tensor, permutations: int = 500, seed: int = 0
) -> TwoSamples:
    """MMD^2 of two heaps, and the chance of one as large if both were of one kind.

    All vectors are shuffled into two new heaps `permutations` times; p is the share of
    splits at least as far apart, the one observed among them. A small p says that the
    heaps differ; a large one, only that so few vectors don't show it. Memory grows
    with (N + M)^2: a few thousand in all. Arguments as `maximum_mean_discrepancy`.
    """
    kernel = _kernel(_heaps(one, other))
    rng = torch.Generator().manual_seed(seed)
    lots = torch.rand(permutations, len(kernel), generator=rng).argsort(1)
    member = torch.zeros(permutations + 1, len(kernel), dtype=kernel.dtype)
    member[:-1] = (lots < len(one)).double()
    member[-1, : len(one)] = 1
    distance = _distances(kernel, member.to(kernel.device))
    # The rounding of sums in another order must not tell equal splits apart.
    as_far = (distance >= distance[-1] - 1e-12).double().mean()
    return TwoSamples(float(distance[-1]), float(as_far))


def _power(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Mean power (S, S) of each frequency, and how high it is (S, S), cycles."""
    if pictures.ndim != 4 or pictures.shape[2] != pictures.shape[3]:
        shape = tuple(pictures.shape)
        raise ValueError(f"Expected square pictures (N, C, S, S), got {shape}.")
    if pictures.dtype == torch.uint8:
        pictures = pictures.float() / 127.5 - 1
    side = pictures.shape[-1]
    power = torch.fft.fft2(pictures, norm="forward").abs().square().mean((0, 1))
    cycles = torch.fft.fftfreq(side, 1 / side, device=pictures.device)
    return power, (cycles[:, None].square() + cycles.square()).sqrt()


def radial_power_spectrum(pictures: Tensor) -> Tensor:
    """Power at 0, 1, ..., S // 2 cycles a picture: (S // 2 + 1,).

    pictures: (N, C, S, S), float in [-1, 1] or uint8. Each entry is the mean square of
    the waves about so high, in any direction, averaged over pictures and channels;
    summed over all waves this is the mean square of the pixels (Parseval).
    """
    power, height = _power(pictures)
    ring = height.round().long().flatten()
    count = pictures.shape[-1] // 2 + 1
    inside = ring < count
    total = power.new_zeros(count).index_add_(0, ring[inside], power.flatten()[inside])
    return total / torch.bincount(ring[inside], minlength=count)


def detail(pictures: Tensor) -> float:
    """The share of a picture's variance above S / 4 cycles: what blurring takes first.

    Compare with the same figure for real pictures. Arguments as above.
    """
    power, height = _power(pictures)
    fine = power[height > pictures.shape[-1] / 4].sum()
    return float(fine / power[height > 0].sum().clamp_min(1e-12))
