"""What lesson 01 measures of its GANs, and what was measured of them over seeds."""

from __future__ import annotations

import json
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

__all__ = ["RESULTS", "clear_digits", "results", "speckle", "values"]

# Written by benchmarks/vanilla_gan.py; read by lesson 01's tables.
RESULTS = Path(__file__).parent / "results_gan.json"


def results() -> dict:
    """{part: what `benchmarks/vanilla_gan.py --only part` found}; {} before any run."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def values(found: dict, place: str, name: str) -> list:
    """A measure of every recorded seed; [] where nothing was recorded.

    found: `results()`; place: the part, and what is within it: "ring/vanilla".
    """
    for step in place.split("/"):
        found = found.get(step, {})
    return [run[name] for run in found.get("runs", []) if name in run]


def speckle(images: Tensor) -> float:
    """How much neighbouring pixels differ, on average; pictures (N, C, H, W).

    Beside one another and above one another alike; real digits differ little, salt
    and pepper differ much.
    """
    across = (images[..., 1:] - images[..., :-1]).abs().mean()
    down = (images[..., 1:, :] - images[..., :-1, :]).abs().mean()
    return float(across + down) / 2


def clear_digits(reader, images: Tensor) -> float:
    """Share of pictures (N, 1, S, S) that are clear digits once shrunk to 8 x 8.

    reader: a `worlds.digits.DigitReader`, which knows 8 x 8 pictures only. Each small
    pixel is the mean of those it stands for, so that speckle is averaged away.
    """
    small = F.interpolate(images.float(), (8, 8), mode="area")
    return float(reader.read(small)[1].float().mean())
