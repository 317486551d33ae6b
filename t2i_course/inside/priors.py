"""What keeps a picture that is being grown near the pictures that there are.

Four kinds, as the slides sort them: a penalty R(x), whose gradient is followed
(AM-4); an operator r(x), which is applied in each step (AM-5); views, of which the
network sees another one in each step; and canvases, other numbers than pixels that
make the picture. Pictures are (B, C, H, W) in [-1, 1]. Used in lesson 17.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from kornia.filters import bilateral_blur, gaussian_blur2d
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    "PHOTOGRAPHS", "Fourier", "Pixels", "Views", "alpha_norm", "bilateral",
    "colour_axes", "frequencies", "gaussian_blur", "spectrum_to_picture",
    "total_variation",
]  # fmt: skip

# ---------------------------------------------------------------- penalties, R(x)


def total_variation(pictures: Tensor) -> Tensor:
    """(B,): the mean of |differences| to the neighbour on the right, and to that below.

    Slide AM-4 names it; this is its anisotropic form (Rudin, Osher, Fatemi 1992),
    a mean for each direction, so that it doesn't grow with the picture.
    """
    right = (pictures[..., 1:] - pictures[..., :-1]).abs()
    below = (pictures[..., 1:, :] - pictures[..., :-1, :]).abs()
    return right.flatten(1).mean(1) + below.flatten(1).mean(1)


def alpha_norm(pictures: Tensor, alpha: float = 6.0) -> Tensor:
    """(B,): the mean of |x|^alpha. Mahendran and Vedaldi 2015 take alpha = 6.

    Slide AM-5. With alpha 2 it is weight decay of pixels (Simonyan et al. 2014).
    """
    return pictures.abs().pow(alpha).flatten(1).mean(1)


# ---------------------------------------------------------------- operators, r(x)


def gaussian_blur(pictures: Tensor, sigma: float = 0.5) -> Tensor:
    """Each pixel becomes a mean of its neighbourhood; sigma in pixels. Slide AM-5."""
    side = 2 * math.ceil(3 * sigma) + 1
    return gaussian_blur2d(pictures, (side, side), (sigma, sigma), "reflect")


def bilateral(pictures: Tensor, sigma: float = 1.0, near: float = 0.3) -> Tensor:
    """A mean of those neighbours that have nearly the same colour: edges stay.

    sigma: in pixels; near: how far in colour a neighbour may be. Tomasi and Manduchi
    1998; slide AM-5.
    """
    side = 2 * math.ceil(2 * sigma) + 1
    return bilateral_blur(pictures, (side, side), near, (sigma, sigma), "reflect", "l1")


# ------------------------------------------------------------------------------ views


@dataclass(frozen=True)
class Views:
    """Each picture moved, turned and scaled a little, each time otherwise.

    jitter: up to so many pixels each way; rotate: up to so many degrees; scale: by up
    to this share. What comes in at the edge is the picture mirrored. Slide AM-6;
    Mordvintsev et al. 2015 (jitter), Olah et al. 2017 (all three).
    """

    jitter: float = 0.0
    rotate: float = 0.0
    scale: float = 0.0

    def __call__(self, pictures: Tensor, rng: torch.Generator) -> Tensor:
        """Pictures (B, C, H, W) to as many, as the network sees them in this step."""
        count, _, high, wide = pictures.shape
        lots = 2 * torch.rand(count, 4, generator=rng, device=rng.device) - 1
        lots = lots.to(pictures.device)
        angle = lots[:, 0] * math.radians(self.rotate)
        size = 1 + lots[:, 1] * self.scale
        places = pictures.new_zeros(count, 2, 3)
        cos, sin = angle.cos() / size, angle.sin() / size
        places[:, 0, 0], places[:, 0, 1] = cos, -sin * high / wide
        places[:, 1, 0], places[:, 1, 1] = sin * wide / high, cos
        pixels = pictures.new_tensor([2 / wide, 2 / high])
        places[:, :, 2] = (lots[:, 2:] * self.jitter).round() * pixels
        grid = F.affine_grid(places, list(pictures.shape), align_corners=False)
        return F.grid_sample(
            pictures, grid, padding_mode="reflection", align_corners=False
        )


# --------------------------------------------------------------------------- canvases


class Pixels:
    """The picture itself, kept within [-1, 1]. Starts as faint noise around grey."""

    spread = 0.1

    def start(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        """(B, C, H, W) to begin with."""
        return self.spread * torch.randn(shape, generator=rng)

    def picture(self, numbers: Tensor) -> Tensor:
        """The pictures that these numbers make."""
        return numbers

    def kept(self, numbers: Tensor) -> Tensor:
        """The numbers, where they may be."""
        return numbers.clamp(-1, 1)


def frequencies(high: int, wide: int) -> Tensor:
    """(H, W // 2 + 1): how often each wave of `torch.fft.rfft2` comes in a pixel."""
    down = torch.fft.fftfreq(high)[:, None]
    across = torch.fft.rfftfreq(wide)[None]
    return (down.square() + across.square()).sqrt()


def spectrum_to_picture(spectrum: Tensor, high: int, wide: int) -> Tensor:
    """Waves (B, C, H, W // 2 + 1), complex, each as large as 1 / its frequency.

    To pictures (B, C, H, W), real. The wave without a frequency is treated as the
    slowest, 1 / max(H, W). Olah et al. 2017, "Feature visualization"; lesson 17.
    """
    slowest = 1 / max(high, wide)
    sizes = 1 / frequencies(high, wide).clamp_min(slowest).to(spectrum.device)
    return torch.fft.irfft2(spectrum * sizes, s=(high, wide), norm="ortho")


# The colours of natural pictures, as the root of their covariance: lucid's constants.
# Brightness varies most, then blue against orange, then green against purple.
_ROOT = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]])
PHOTOGRAPHS = _ROOT / _ROOT.norm(dim=0).max()


def colour_axes(pictures: Tensor) -> Tensor:
    """(3, 3): the axes along which the colours of pictures vary, as `PHOTOGRAPHS`.

    The columns are eigenvectors of the covariance of a pixel's three channels, each as
    long as its colours spread along it, the longest 1. pictures: (B, 3, H, W).
    """
    values, axes = torch.linalg.eigh(torch.cov(pictures.transpose(0, 1).flatten(1)))
    root = axes * values.clamp_min(0).sqrt()
    return (root / root.norm(dim=0).max()).flip(1)


@dataclass(frozen=True)
class Fourier:
    """Waves in place of pixels, slow ones louder; colours as natural pictures mix them.

    colours: (3, 3), the axes along which the three numbers of a place change its
    colour; None for red, green and blue. alike: all pictures start from the same
    numbers, as a film's do. A sigmoid keeps pictures within [-1, 1]. Olah
    et al. 2017; slide AM-6.
    """

    colours: Tensor | None = None
    alike: bool = False

    def start(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        """(B, C, H, W // 2 + 1, 2): real and imaginary parts to begin with.

        ValueError for an odd width, which the waves alone don't tell from an even one.
        """
        *front, high, wide = shape
        if wide % 2:
            raise ValueError(f"a Fourier canvas has an even width, not {wide}")
        if self.alike:
            first = 0.01 * torch.randn(
                *front[1:], high, wide // 2 + 1, 2, generator=rng
            )
            return first.repeat(front[0], 1, 1, 1, 1)
        return 0.01 * torch.randn(*front, high, wide // 2 + 1, 2, generator=rng)

    def picture(self, numbers: Tensor) -> Tensor:
        """(B, C, H, W) in [-1, 1]; the width is even."""
        spectrum = torch.view_as_complex(numbers.contiguous())
        high, wide = spectrum.shape[-2], 2 * (spectrum.shape[-1] - 1)
        x = spectrum_to_picture(spectrum, high, wide) / 4
        if self.colours is not None:
            x = torch.einsum("bchw,dc->bdhw", x, self.colours.to(x.device))
        return 2 * x.sigmoid() - 1

    def kept(self, numbers: Tensor) -> Tensor:
        """They may be anything."""
        return numbers


Penalty = Callable[[Tensor], Tensor]
Operator = Callable[[Tensor], Tensor]
