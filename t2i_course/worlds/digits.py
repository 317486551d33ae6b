"""Handwritten digits: real input that comes with scikit-learn, no download.

1,797 pictures of 8 x 8 pixels, written by 43 people (the test part of the UCI "optical
recognition of handwritten digits"). Small, but real, and enough to see what a first GAN
can do and where it fails. `DigitReader` judges generated digits. Used in lesson 01.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .. import seeds
from ..data import Batch, batch_indices
from ..declarations import DataInfo, Problem

__all__ = ["DigitReader", "Digits", "digits_split"]


@lru_cache(maxsize=1)
def _scans() -> tuple[np.ndarray, np.ndarray]:
    """All pictures (1797, 8, 8) uint8 in 0..255 and their digits (1797,) int64."""
    from sklearn.datasets import load_digits  # slow to import: only who needs it

    scans = load_digits()
    grey = np.round(scans.images * (255 / 16)).astype(np.uint8)
    return grey, scans.target.astype(np.int64)


def digits_split() -> tuple[np.ndarray, np.ndarray]:
    """Indices of the training pictures (1,343) and of the held-out ones (454).

    Every fourth picture of each digit is held out, so all ten are in both parts.
    """
    _, digit = _scans()
    held = np.zeros(len(digit), dtype=bool)
    for value in range(10):
        held[np.flatnonzero(digit == value)[::4]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


class Digits:
    """Real handwritten digits as a `Source`.

    split: "train", "held-out" or "all". side: 8 as scanned; another size is drawn by
    bilinear interpolation (28 for the published networks).
    """

    def __init__(
        self, batch_size: int = 64, seed: int = 0, split: str = "train", side: int = 8
    ):
        train, held = digits_split()
        parts = {"train": train, "held-out": held}
        parts["all"] = np.sort(np.concatenate([train, held]))
        if split not in parts:
            raise ValueError(f"no split {split!r}; there are {', '.join(parts)}")
        grey, digit = _scans()
        chosen = torch.from_numpy(grey[parts[split]]).unsqueeze(1)
        self.images = chosen if side == 8 else resize(chosen, side)
        self.class_id = torch.from_numpy(digit[parts[split]])
        self.batch_size, self.seed, self.side = batch_size, seeds.checked(seed), side

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The digits of that step: image (B, 1, side, side) uint8, class_id (B,)."""
        where = torch.from_numpy(
            batch_indices(len(self), self.batch_size, self.seed, step, rank, world)
        )
        return Batch(image=self.images[where], class_id=self.class_id[where])

    def pictures(self) -> Tensor:
        """Every picture as (N, 1, side, side) float in [-1, 1]."""
        return self.images.float() / 127.5 - 1


def resize(images: Tensor, side: int) -> Tensor:
    """Pictures (N, 1, h, w), uint8 in and out, drawn at side x side pixels."""
    drawn = F.interpolate(images.float(), (side, side), mode="bilinear")
    return drawn.round().clamp(0, 255).to(torch.uint8)


class DigitReader:
    """Reads digits: a support vector machine trained on the real training pictures.

    A measuring instrument, never a training loss. It can only say which digit a picture
    is *most like*, and gives noise a name as well; so a picture counts only if it is
    also `clear`: its nearest real training picture is no further away (Euclidean, in
    pixels of [-1, 1]) than for 95 % of the held-out real pictures.

    accuracy: share of held-out real pictures read rightly. reach: the distance that
    "clear" allows. typical: the median distance of the held-out real pictures; a
    generator whose pictures are much nearer than that copies.
    """

    def __init__(self):
        from sklearn.svm import SVC

        train, held = Digits(split="train"), Digits(split="held-out")
        self.known = train.pictures().flatten(1)
        self.machine = SVC(C=10, gamma=0.02)
        self.machine.fit(self.known.numpy(), train.class_id.numpy())
        far = self.distance(held.pictures())
        self.reach, self.typical = float(far.quantile(0.95)), float(far.median())
        digit, _ = self.read(held.pictures())
        self.accuracy = float((digit == held.class_id).float().mean())

    def read(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Which digit (N,) int64, and whether it is clear (N,) bool; 8 x 8 pictures."""
        rows = images.detach().cpu().float().flatten(1)
        digit = torch.from_numpy(self.machine.predict(rows.numpy()).astype(np.int64))
        return digit, self.distance(images) <= self.reach

    def distance(self, images: Tensor) -> Tensor:
        """From each picture to the nearest real training picture, (N,)."""
        return torch.cdist(images.detach().cpu().float().flatten(1), self.known).amin(1)

    def counts(self, images: Tensor) -> Tensor:
        """How many of the pictures are clearly a 0, a 1, ... a 9: (10,) int64."""
        digit, clear = self.read(images)
        return torch.bincount(digit[clear], minlength=10)


# -------------------------------------------------------------- what the course may ask


def source(split, size, batch_size, seed=0, few=False) -> Digits:
    """Digits in batches."""
    return Digits(batch_size, seed, split, size)


def report():
    """Whether they are here, for `t2i doctor`."""
    try:
        import sklearn  # noqa: F401
    except ImportError:
        yield Problem("no digits", "pip install scikit-learn")
    else:
        yield "digits: come with scikit-learn"


DATA = {
    "digits": DataInfo(
        source,
        ("train", "held-out"),
        oracle=lambda size: DigitReader(),
        judges={
            "noise": "t2i_course.measure.judges:digits",
            "classes": "t2i_course.measure.judges:digits_of_classes",
        },
        report=report,
    )
}
