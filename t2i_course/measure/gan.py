"""What lesson 01 measures of its GANs: clear digits, and speckle."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

__all__ = ["clear_digits", "speckle"]


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
