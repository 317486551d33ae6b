"""Slips of lesson 17's priors: total variation, and pictures of waves."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..inside import priors

__all__ = ["VARIATIONS", "WAVES"]

# ------------------------------------------------------------- total variation, 17.2


def _right(x: Tensor) -> Tensor:
    return x[..., 1:] - x[..., :-1]


def _below(x: Tensor) -> Tensor:
    return x[..., 1:, :] - x[..., :-1, :]


def _mean(x: Tensor) -> Tensor:
    return x.flatten(1).mean(1)


def _sum(x: Tensor) -> Tensor:
    return x.flatten(1).sum(1)


def _both(of, differences=(_right, _below)):
    """What `of` makes of the differences to the right plus of those to below."""
    one, two = differences
    return lambda x: of(one(x)) + of(two(x))


def _corner(x: Tensor) -> Tensor:
    """The squared length of the gradient, where both differences are there."""
    return _right(x)[..., :-1, :].square() + _below(x)[..., :-1].square()


def _edged(x: Tensor) -> Tensor:
    """The same at each pixel, with 0 past the edge."""
    return (F.pad(_right(x), (0, 1)).square()
            + F.pad(_below(x), (0, 0, 0, 1)).square())  # fmt: skip


VARIATIONS = {
    "differences are squared; take their absolute values.": (
        _both(lambda d: _mean(d.square())), lambda x: _mean(_corner(x)),
        lambda x: _mean(_edged(x))),
    "differences are squared, and added up; take the mean of their absolute values.":
        _both(lambda d: _sum(d.square())),
    "differences are added up; take their mean, so that a larger picture has no larger "
    "total variation.": _both(lambda d: _sum(d.abs())),
    "only differences to the right are there; those to the neighbour below are "
    "missing.":
        lambda x: _mean(_right(x).abs()),
    "only differences to below are there; those to the neighbour on the right are "
    "missing.": lambda x: _mean(_below(x).abs()),
    "the last pixel of a row or column is compared with the first (roll wraps round); "
    "it has no neighbour there: x[..., 1:] - x[..., :-1].": _both(
        lambda d: _mean(d.abs()),
        (lambda x: x - x.roll(1, -1), lambda x: x - x.roll(1, -2))),
    "channels are compared with each other, axis 1; neighbours lie along axes 3 "
    "(right) and 2 (below).": (
        lambda x: _mean(x.diff(dim=1).abs()),
        _both(lambda d: _mean(d.abs()), (lambda x: x.diff(dim=1), _right)),
        _both(lambda d: _mean(d.abs()), (lambda x: x.diff(dim=1), _below)),
        lambda x: sum(_mean(x.diff(dim=axis).abs()) for axis in (1, 2, 3))),
    "the absolute values are missing, so that ups and downs cancel.": (
        _both(_mean), _both(lambda d: -_mean(d))),
    "the absolute value is taken after the mean, when ups and downs have cancelled; "
    "take it of each difference.": (
        _both(lambda d: _mean(d).abs()), lambda x: _both(_mean)(x).abs()),
    "this is one mean over the differences of both directions together; take a mean "
    "for each direction, and add the two.": lambda x: _mean(
        torch.cat([_right(x).flatten(1), _below(x).flatten(1)], 1).abs()),
    "this is half of it: the two directions' means are added, not averaged.":
        lambda x: priors.total_variation(x) / 2,
    "this is the length of the gradient, sqrt(right^2 + below^2) (the isotropic form); "
    "here the absolute values of both are added.": (
        lambda x: _mean(_corner(x).sqrt()), lambda x: _mean(_edged(x).sqrt()),
        lambda x: _mean((_corner(x) + 1e-8).sqrt())),
    "this is the root of a sum or mean of squares; take the mean of absolute values.": (
        _both(lambda d: _mean(d.square()).sqrt()),
        _both(lambda d: _sum(d.square()).sqrt()),
        lambda x: _both(lambda d: _mean(d.square()))(x).sqrt()),
    "the sums are divided by the number of pixels; a row of W pixels has W - 1 "
    "differences: take .mean() of them.":
        lambda x: _both(lambda d: _sum(d.abs()))(x) / x[0].numel(),
    "differences are added up over channels; the mean is taken over these, too.":
        (_both(lambda d: d.abs().sum(1).mean((1, 2))),
         lambda x: _both(lambda d: _sum(d.abs()))(x) / x[0, 0].numel()),
    "differences are cut to one size before they are added, so that some of the edge "
    "is left out; take a mean for each direction, and add the two.": (
        lambda x: _mean(_right(x)[..., :-1, :].abs() + _below(x)[..., :-1].abs()),
        lambda x: _mean(_right(x)[..., 1:, :].abs() + _below(x)[..., 1:].abs())),
    "each pixel is compared with the neighbour after the next; take the next one.":
        _both(lambda d: _mean(d.abs()), (lambda x: x[..., 2:] - x[..., :-2],
                                         lambda x: x[..., 2:, :] - x[..., :-2, :])),
    "pixels are compared along the diagonal; take the neighbour on the right, and the "
    "one below.": lambda x: _mean((x[..., 1:, 1:] - x[..., :-1, :-1]).abs()),
}  # fmt: skip


# ------------------------------------------------------------------ waves, 17.4


def _painted(sizes, norm="ortho"):
    """`spectrum_to_picture` with other sizes: a function of fy, fx, high, wide."""

    def answer(spectrum, high, wide):
        fy, fx = torch.fft.fftfreq(high)[:, None], torch.fft.rfftfreq(wide)[None]
        waves = spectrum * sizes(fy, fx, high, wide)
        return torch.fft.irfft2(waves, s=(high, wide), norm=norm)

    return answer


def _how_often(fy, fx, high, wide, least=None):
    """The frequency, at least 1 / max(high, wide)."""
    return torch.hypot(fy, fx).clamp_min(least or 1 / max(high, wide))


def _power(power: float):
    return _painted(lambda *f: _how_often(*f) ** power)


def _least(least):
    """One over the frequency, at least `least(high, wide)`."""
    return _painted(lambda fy, fx, h, w: 1 / _how_often(fy, fx, h, w, least(h, w)))


def _first(value):
    """One over the frequency; at frequency 0 the size is this."""

    def sizes(*f):
        found = 1 / _how_often(*f)
        found[0, 0] = value(*f[2:])
        return found

    return _painted(sizes)


def _of(length):
    """One over another length of (fy, fx), at least 1 / max(high, wide)."""
    return _painted(
        lambda fy, fx, h, w: 1 / length(fy, fx).broadcast_to(h, w // 2 + 1)
        .clamp_min(1 / max(h, w)))  # fmt: skip


def _whole(least):
    """Frequencies in waves a picture."""
    return _painted(lambda fy, fx, h, w: (
        1 / torch.hypot(fy * h, fx * w).clamp_min(least(h, w))))  # fmt: skip


def _across(spectrum, high, wide):
    fy, fx = torch.fft.fftfreq(high)[:, None], torch.fft.rfftfreq(wide)[None]
    waves = spectrum / _how_often(fy, fx, high, wide)
    return torch.fft.irfft(waves, n=wide, norm="ortho")


WAVES = {
    "waves aren't divided by their frequencies.": _power(0),
    "waves are multiplied by their frequencies; divide.": (
        _power(1), _painted(lambda fy, fx, h, w: torch.hypot(fy, fx))),
    "waves are divided by the square of the frequency; divide by it once.": _power(-2),
    "waves are divided by the root of the frequency; divide by the frequency itself.":
        _power(-0.5),
    "the root is missing: a frequency is sqrt(fy^2 + fx^2).":
        _of(lambda fy, fx: fy.square() + fx.square()),
    "the wave of frequency 0 is left out; it is the picture's mean, and is divided by "
    "1 / max(H, W).": _first(lambda h, w: 0.0),
    "the wave of frequency 0 stays as it is, divided by 1; it is divided by "
    "1 / max(H, W).": _first(lambda h, w: 1.0),
    "the least frequency is far too small, so that the picture's mean drowns all else; "
    "it is 1 / max(H, W).": [
        _least(lambda h, w, tiny=10.0**-n: tiny) for n in range(3, 17)],
    "the least frequency is 1 / min(H, W); the slowest wave fits the longer side: "
    "1 / max(H, W).": (_least(lambda h, w: 1 / min(h, w)), _first(min)),
    "the least frequency is 1 / H; it is 1 / max(H, W), whichever side is longer.": (
        _least(lambda h, w: 1 / h), _first(lambda h, w: h)),
    "the least frequency is 1 / W; it is 1 / max(H, W), whichever side is longer.": (
        _least(lambda h, w: 1 / w), _first(lambda h, w: w)),
    "1 / max(H, W) is added to the frequencies; it is the least that they can be: "
    ".clamp_min.": _painted(
        lambda fy, fx, h, w: 1 / (torch.hypot(fy, fx) + 1 / max(h, w))),
    "this is |fy| + |fx|; a frequency is sqrt(fy^2 + fx^2).":
        _of(lambda fy, fx: fy.abs() + fx.abs()),
    "this is the larger one of |fy| and |fx|; a frequency is sqrt(fy^2 + fx^2).":
        _of(lambda fy, fx: torch.maximum(*torch.broadcast_tensors(fy.abs(), fx))),
    "only frequencies across are used, fx; a frequency is sqrt(fy^2 + fx^2).":
        _of(lambda fy, fx: fx),
    "only frequencies down are used, fy; a frequency is sqrt(fy^2 + fx^2).":
        _of(lambda fy, fx: fy.abs()),
    "frequencies are counted in waves a picture; fftfreq and rfftfreq give cycles a "
    "pixel, 1 / max(H, W) to about 0.7: leave the sizes out.": (
        _whole(lambda h, w: 1.0), _whole(lambda h, w: 1 / max(h, w))),
    "frequencies are turned into radians (2 pi); leave them as cycles a pixel.": (
        _painted(lambda *f: 1 / _how_often(*f) / (2 * torch.pi)),
        _painted(lambda fy, fx, h, w: (
            1 / (2 * torch.pi * torch.hypot(fy, fx)).clamp_min(1 / max(h, w))))),
    "norm=\"ortho\" is missing: without it irfft2 divides by H * W, and not by the "
    "root of that.": _painted(lambda *f: 1 / _how_often(*f), "backward"),
    "norm is \"forward\", with which irfft2 divides by nothing; it is \"ortho\".":
        _painted(lambda *f: 1 / _how_often(*f), "forward"),
    "rows past the middle are waves of negative frequencies, -1 / H for the last one: "
    "torch.fft.fftfreq(H) has them.": _of(
        lambda fy, fx: torch.hypot(fy.remainder(1), fx)),
    "frequencies across are not those of W pixels: take torch.fft.rfftfreq(W), which "
    "has W // 2 + 1 of them, from 0 on.": (
        _of(lambda fy, fx: torch.hypot(fy, torch.fft.fftfreq(fx.shape[1]))),
        _of(lambda fy, fx: torch.hypot(fy, torch.fft.rfftfreq(2 * fx.shape[1] - 2))),
        _of(lambda fy, fx: torch.hypot(fy, torch.linspace(0, 0.5, fx.shape[1]))),
        _of(lambda fy, fx: torch.hypot(fy, torch.linspace(0, 1, fx.shape[1])))),
    "only the waves across are turned into pixels (irfft); those down, too: irfft2.":
        _across,
}  # fmt: skip
