"""Slide GM-11's table of four families, filled from the records. Lesson 04."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .recorded import records, values

__all__ = ["FAMILIES", "comparison"]

FAMILIES = ("GAN", "VAE", "PixelCNN", "VQ-VAE")


def comparison(found: dict) -> dict[str, list[str]]:
    """Slide GM-11's six lines for `FAMILIES`, each cell a figure or a reason.

    found: `records("04")`; the GAN's spread is lesson 02's, the VAE's bits are lesson
    03's. Where nothing was recorded a cell says so.
    """

    def mean(row: str, name: str) -> float:
        kept = values(found, row, name)
        return sum(kept) / len(kept) if kept else math.nan

    elbo, draws = (values(records("03"), "grey/rounded", n) for n in ("elbo", "bits"))
    loose_vae = sum(elbo) / len(elbo) - sum(draws) / len(draws) if elbo else math.nan
    loose_vq = mean("digits/VQ-VAE", "learned") - mean("digits/VQ-VAE", "learned_exact")
    error = {name: f"yes, squared error {mean(row, 'error'):.3f}" for name, row in
             (("VAE", "rivals/VAE"), ("VQ-VAE", "birds/reconstructed"))}  # fmt: skip
    sharp = [f"{mean(row, 'detail'):.2f}" for row in ("rivals/DCGAN", "rivals/VAE",
             "digits/PixelCNN", "birds/learned prior")]  # fmt: skip
    sharp[2] += " (digits)"
    distances = [values(records("02"), "rules/all five", "distance"),
                 values(found, "rivals/VAE", "frechet distance"),
                 values(found, "digits/PixelCNN", "bits"),
                 values(found, "birds/learned prior", "frechet distance")]  # fmt: skip
    apart = [spread(figures) for figures in distances]
    apart[2] += " (bits, digits)"
    return {
        "exact likelihood p(x)?": [
            "no, it only draws",
            f"no, a bound; {loose_vae:.3f} bits loose or more (digits)",
            "yes, sums to 1",
            f"no, a bound; {loose_vq:.3f} bits loose (digits)",
        ],
        "latent variable z?": ["100 numbers", "32 numbers", "none", "64 codes"],
        "z of a picture (inference)?": [
            "no, there is no encoder", error["VAE"], "there is no z", error["VQ-VAE"],
        ],
        "is z discrete?": ["no", "no", "there is no z", "yes, 7 bits a code"],
        "stable? spread of FID over 3 seeds": apart,
        "sharp? detail, real birds 1": sharp,
    }  # fmt: skip


def spread(figures: Sequence[float]) -> str:
    """Greatest less least, as a share of the mean, "7%"; of one figure not known."""
    if len(figures) < 2:
        return "not measured"
    apart = max(figures) - min(figures)
    return f"{apart / (sum(figures) / len(figures)):.0%}"
