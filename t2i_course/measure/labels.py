"""What lesson 05 measures: do pictures obey their labels, and what do codes move?

Labels are read by the oracle (wing colours, and what a family shares) and by the digit
reader. InfoGAN's codes have no names: `purity` asks whether each picks one kind,
`moved` which known cause of the world's pictures each number goes with. The causes of
a drawn picture are read by `StyleReader`, whose accuracy on real birds is a figure too.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..drawing import from_classes, unasked
from ..worlds.bird_species import ATTRIBUTES, FAMILIES, STYLE, species_table
from ..worlds.birds import Birds
from ..worlds.digits import DigitReader, Digits
from .dcgan import quality
from .oracle import oracle
from .scores import diversity

__all__ = [
    "StyleReader", "birds_as_labelled", "correlations", "digits_as_labelled",
    "digits_of_codes",
    "evenly", "found_in", "moved", "of_families", "purity", "slant_and_ink",
    "style_reader",
]  # fmt: skip

FAMILY = ("beak", "size", "habitat")  # what most members of a family share


# --------------------------------------------------------------------- as asked for


def evenly(classes: tuple[int, ...], count: int) -> Tensor:
    """Labels (N, L) in which each label's values are equally frequent; N near count.

    The pictures of a value of the first label adjoin; the others are spread over them.
    """
    each = max(count // classes[0], 2)  # two at least, to be compared
    first = torch.arange(classes[0]).repeat_interleave(each)
    rest = [(torch.arange(len(first)) * 7 + first) % n for n in classes[1:]]
    return torch.stack([first, *rest], 1)


def drawn(system, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Pictures of evenly many of each label, and the labels (N, L)."""
    y = evenly(system.classes, count)
    return from_classes(system, unasked(len(y)), seed, kinds=y), y


def _within(pictures: Tensor, y: Tensor, most: int = 20) -> float:
    """How much pictures of one value of the first label differ, on average."""
    kinds = [pictures[y[:, 0] == kind][:most] for kind in y[:, 0].unique()]
    fewest = min(map(len, kinds))
    return diversity(torch.stack([kind[:fewest] for kind in kinds]))


def digits_as_labelled(system, count: int = 1000, seed: int = 0) -> dict[str, float]:
    """Shares that are read as asked for, and are clear; diversity within a digit.

    Diversity is a share of that of real digits of one kind.
    """
    pictures, y = drawn(system, count, seed)
    digit, clear = DigitReader().read(pictures)
    real = Digits(split="all")
    return {
        "obedience": round(float((digit == y[:, 0]).float().mean()), 4),
        "clear": round(float(clear.float().mean()), 4),
        "diversity": round(
            _within(pictures, y) / _within(real.pictures(), real.class_id[:, None]), 4
        ),
    }


@lru_cache(maxsize=1)
def _real_birds(labels: str) -> float:
    """The diversity of real birds of one wing colour, or of one family."""
    birds = Birds("train", 32).all(3000).to("cpu")
    kind = birds.attributes[:, 0] if labels == "wing" else birds.class_id % FAMILIES
    return _within(birds.image, kind[:, None])


def of_families(seen: Tensor, family: Tensor) -> float:
    """Share of beak, size and habitat that are what most members of the family have."""
    table, names = species_table(), list(ATTRIBUTES)
    hits = []
    for name in FAMILY:
        column = names.index(name)
        usual = [
            np.bincount(table[np.arange(len(table)) % FAMILIES == f, column]).argmax()
            for f in range(FAMILIES)
        ]
        hits.append(seen[:, column] == torch.tensor(usual)[family])
    return float(torch.stack(hits).float().mean())


def birds_as_labelled(system, count: int = 2000, seed: int = 0) -> dict[str, float]:
    """Obedience to each label, diversity within the first, and quality.

    Diversity is a share of that of real birds of one such label.
    """
    pictures, y = drawn(system, count, seed)
    seen, found = oracle(pictures.shape[-1]).read(pictures), {}
    for label, name in zip(y.unbind(1), system.labels.split(" and ")):
        kept = (seen[:, 0] == label).float().mean()
        found[name] = float(kept) if name == "wing" else of_families(seen, label)
    found["diversity"] = _within(pictures, y) / _real_birds(system.labels.split()[0])
    found = {name: round(value, 4) for name, value in found.items()}
    return found | quality(pictures)


# ------------------------------------------------------------------ codes without names


def purity(code: Tensor, kind: Tensor, clear: Tensor | None = None) -> float:
    """Share of pictures that are of the commonest kind of their own code.

    code, kind (N,) int64: which code it was drawn with, and what it is read as; clear
    (N,) bool leaves the others out. By chance alone it is the share of the commonest
    kind of all.
    """
    if clear is not None:
        code, kind = code[clear], kind[clear]
    if not len(code):
        return 0.0
    table = torch.zeros(int(code.max()) + 1, int(kind.max()) + 1)
    table.index_put_((code, kind), torch.ones(len(code)), accumulate=True)
    return float(table.amax(1).sum() / len(code))


def digits_of_codes(system, numbers=None, each: int = 200, seed: int = 1) -> Tensor:
    """Of each code's clear pictures the share that is read as each digit, (K, 10).

    system: `papers.infogan.InfoGan` of digits. numbers: of all pictures, such as
    [-1.0, 0.0]; None draws them anew for each.
    """
    codes = torch.arange(system.codes).repeat_interleave(each)
    system.eval().rng = torch.Generator().manual_seed(seed)
    device = next(system.parameters()).device
    if numbers is not None:
        numbers = torch.tensor([numbers], device=device).expand(len(codes), -1)
    pictures = system.sample(len(codes), codes.to(device), numbers).cpu()
    digit, clear = DigitReader().read(pictures)
    found = (F.one_hot(digit, 10) * clear[:, None]).float()
    counts = found.view(system.codes, each, 10).sum(1)
    return counts / counts.sum(1, keepdim=True).clamp_min(1)


def correlations(numbers: Tensor, causes: Tensor) -> Tensor:
    """Pearson's correlation of each of (N, C) with each of (N, S): (C, S)."""
    a, b = (x - x.mean(0) for x in (numbers.double(), causes.double()))
    scale = a.square().sum(0).sqrt()[:, None] * b.square().sum(0).sqrt()
    return (a.T @ b / scale.clamp_min(1e-12)).float()


def moved(numbers: Tensor, causes: Tensor, names: tuple[str, ...]) -> list[list]:
    """Of each number the cause that it goes with most: [name, correlation]."""
    table = correlations(numbers, causes)
    best = table.abs().argmax(1).tolist()
    return [[names[s], round(float(table[c, s]), 3)] for c, s in enumerate(best)]


def found_in(every: list[list], least: float = 0.25) -> dict[str, int]:
    """In how many trainings some number goes with a cause: {cause: count}, most first.

    every: what `moved` gave, for each training; least: the correlation, whatever its
    sign, from which on it counts.
    """
    names = [{name for name, r in one if abs(r) >= least} for one in every]
    causes = sorted({name for some in names for name in some})
    counts = {cause: sum(cause in some for some in names) for cause in causes}
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def slant_and_ink(pictures: Tensor) -> Tensor:
    """Of digits (N, 1, S, S) in [-1, 1]: slant, ink, width and height, (N, 4).

    Ink is the mean of how dark pixels are; the others come from the ink's second
    moments: slant is how far rows shift from top to bottom.
    """
    ink = ((pictures[:, 0] + 1) / 2).clamp(0, 1)
    side = ink.shape[-1]
    total = ink.sum((1, 2)).clamp_min(1e-6)
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    middle_x, middle_y = ((ink * axis).sum((1, 2)) / total for axis in (x, y))
    dx, dy = x - middle_x[:, None, None], y - middle_y[:, None, None]
    xx, yy, xy = (
        (ink * a * b).sum((1, 2)) / total for a, b in ((dx, dx), (dy, dy), (dx, dy))
    )
    slant = -xy / yy.clamp_min(1e-6)
    return torch.stack([slant, ink.mean((1, 2)), xx.sqrt(), yy.sqrt()], 1)


SHAPES = ("slant", "ink", "width", "height")


class StyleReader:
    """Reads the known style of birds (N, 3, 32, 32): pose, light, tones of the parts.

    Linear in the oracle's features and in the picture at 8 x 8, by least squares on
    real birds of the training species. skill: by style, how much of the variance on
    birds of other species it explains (R^2).
    """

    def __init__(self):
        train, test = (
            Birds(s, 32).all(n).to("cpu") for s, n in (("train", 6000), ("test", 2000))
        )
        x, self.middle = self._features(train.image), train.style.mean(0)
        self.shift, self.scale = x.mean(0), x.std(0).clamp_min(1e-4)
        x = self._scaled(x)
        gram = x.T @ x + 30.0 * torch.eye(x.shape[1])
        self.weight = torch.linalg.solve(gram, x.T @ (train.style - self.middle))
        error = (self.read(test.image) - test.style).square().mean(0)
        skill = 1 - error / test.style.var(0, unbiased=False).clamp_min(1e-6)
        self.skill = {n: round(float(s), 3) for n, s in zip(STYLE, skill)}

    def _features(self, pictures: Tensor) -> Tensor:
        with torch.inference_mode():
            seen = torch.cat([oracle(32).features(p) for p in pictures.split(500)])
        small = F.adaptive_avg_pool2d(pictures, 8).flatten(1)
        return torch.cat([seen.clone(), small], 1)

    def _scaled(self, x: Tensor) -> Tensor:
        return (x - self.shift) / self.scale

    def read(self, pictures: Tensor) -> Tensor:
        """(N, len(STYLE)): the style that each picture most likely has."""
        return self._scaled(self._features(pictures)) @ self.weight + self.middle


@lru_cache(maxsize=1)
def style_reader() -> StyleReader:
    """The one reader, made at its first use."""
    return StyleReader()
