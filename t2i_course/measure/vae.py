"""What lesson 03 measures of its autoencoders: bits, latent numbers, blur."""

from __future__ import annotations

import torch
from torch import Tensor

from ..blocks import bits_per_dimension
from ..worlds.digits import DigitReader, Digits
from .samples import TwoSamples, detail, radial_power_spectrum, two_sample_test

__all__ = [
    "bits_by_draws", "blur", "codes_and_prior", "fidelity", "grey_levels",
    "kept_pixels",
]  # fmt: skip


def seeded(system, seed: int):
    """The system in evaluation mode, with noise of that seed from now on."""
    system.rng = torch.Generator(system.device).manual_seed(seed)
    return system.eval()


def held_out(system) -> Tensor:
    """The 454 held-out digits (454, 1, 8, 8) in [-1, 1], where the system is."""
    return Digits(split="held-out").pictures().to(system.device)


@torch.no_grad()
def bits_by_draws(system, draws=(1, 4, 16, 64, 256), seed: int = 0) -> dict[int, float]:
    """Bits a pixel of the held-out digits, by how many draws of z the bound averages.

    All from the same weights: the first K of them for K draws. Fewer bits are better,
    and all are at most too many: each comes from a lower bound of log p(x).
    """
    log_weights = seeded(system, seed).log_weights(held_out(system), max(draws))
    pixels, spacing = 64, system.decoder.spacing
    found = {}
    for count in draws:
        groups = log_weights[: max(draws) // count * count].unflatten(0, (-1, count))
        bound = groups.logsumexp(1) - torch.tensor(float(count)).log()
        found[count] = float(bits_per_dimension(bound, pixels, spacing).mean())
    return found


def grey_levels(system, seed: int = 0) -> dict:
    """Bits by draws, the ELBO's own bits, KL, and the clear share of 1000 pictures."""
    bits = bits_by_draws(system, seed=seed)
    system, held = seeded(system, seed), held_out(system)
    elbo = bits_per_dimension(system.bound(held), 64, system.decoder.spacing).mean()
    clear = DigitReader().read(system.sample(1000))[1].float().mean()
    return {
        "draws": {str(count): round(value, 4) for count, value in bits.items()},
        "bits": round(bits[64], 4),
        "elbo": round(float(elbo), 4),
        "kl": round(float(system.kl_per_latent(held).sum()), 3),
        "clear": round(float(clear), 3),
        "error": round(fidelity(system), 4),
    }


def fidelity(system) -> float:
    """Mean squared error of the held-out digits' reconstructions."""
    held = held_out(system)
    return float((system.reconstruct(held) - held).square().mean())


def kept_pixels(system, seed: int = 0) -> float:
    """Share of held-out pixels that are as they were after encoding and drawing anew.

    For black and white: each picture's mean code, and what is drawn from it: by a
    PixelCNN a draw of p(x | z), by other decoders its most probable pixels. 0.5 would
    be a coin for each pixel; see lesson 03 for what two unrelated digits share.
    """
    system, held = seeded(system, seed), held_out(system)
    drawn, seen = system.reconstruct(held) > 0, held > 0
    return float((drawn == seen).float().mean())


def codes_and_prior(system, seed: int = 0) -> TwoSamples:
    """Are the held-out digits' codes spread as the prior is? See `two_sample_test`.

    As many draws of N(0, I) as there are digits.
    """
    codes = seeded(system, seed).encode(held_out(system)).cpu()
    rng = torch.Generator().manual_seed(seed + 1)
    return two_sample_test(codes, torch.randn(codes.shape, generator=rng), seed=seed)


def blur(pictures: Tensor) -> dict:
    """How fine pictures (N, 3, S, S) are: `detail`, and the power spectrum."""
    spectrum = radial_power_spectrum(pictures)
    return {
        "detail": round(detail(pictures), 4),
        "spectrum": [float(f"{power:.3g}") for power in spectrum],
    }
