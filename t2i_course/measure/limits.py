"""What no picture of a caption shows: numbers of birds, and what is not (lesson 11).

Captions in pairs that differ in a word. "two birds": does a second bird appear? "wings
that are not red": are they another colour? Words that the world's vocabulary doesn't
know are read as one, "unknown"; "birds" is taken for a slip of "bird", and "three" for
one of "tree".
"""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations

import numpy as np
import torch
from torch import Tensor

from ..data import Batch
from ..drawing import from_sentences
from ..worlds.bird_captions import named_by
from ..worlds.bird_drawing import draw_birds
from ..worlds.bird_species import COLOURS
from ..worlds.birds import Birds
from .birds import asked
from .novelty import article
from .oracle import oracle

__all__ = [
    "DENIALS", "counted", "counter", "counting", "denied", "denying", "scenes",
    "two_seen",
]  # fmt: skip

SMALL, WHOLE = (0.5, 0.65), (0.7, 1.1)  # how large birds are in `scenes`
# Name: the sentence, and the one that denies it.
DENIALS = {
    "that are": ("a bird with wings that are {colour}",
                 "a bird with wings that are not {colour}"),
    "with": ("a bird with {colour} wings", "a bird without {colour} wings"),
    "has": ("this bird has {colour} wings", "this bird has no {colour} wings"),
}  # fmt: skip


# ----------------------------------------------------------------------- how many birds


def scenes(count: int, size: int, two: bool, split: str = "test", seed: int = 0):
    """Pictures (count, 3, size, size) in [-1, 1] of one bird each, or of two.

    As the world draws them; two of a picture are alike but for where they are, how
    large, and whither they look. Birds are of half their size or more, one bird is in
    every second picture at one side and else in the middle.
    """
    birds, rng = Birds(split, size), np.random.default_rng((35, seed, two))
    rows = np.linspace(0, len(birds) - 1, count).round().astype(int)
    content, drawn = birds.content[rows], []
    for side in (-1, 1):
        style = np.array(birds.style[rows])
        beside = np.full(count, True) if two else rng.random(count) < 0.5
        style[:, 0] *= rng.choice([-1, 1], count)
        style[:, 2] = np.where(beside, side * rng.uniform(0.4, 0.55, count), 0)
        style[:, 3] += rng.uniform(-0.2, 0.2, count)
        small, whole = (rng.uniform(*r, count) for r in (SMALL, WHOLE))
        style[:, 4] *= np.where(beside, small, whole)
        drawn.append(draw_birds(content, style, size))
    (left, _), (right, there) = drawn
    chosen = there > 0 if two else (rng.random(count) < 0.5)[:, None, None]
    both = np.where(chosen[:, None], right, left)
    return torch.from_numpy(both).float() / 127.5 - 1


@torch.inference_mode()
def looked(pictures: Tensor) -> np.ndarray:
    """What the oracle's convolutions see of pictures, a row each."""
    reader = oracle(pictures.shape[-1])
    return torch.cat([reader.look(p).flatten(1) for p in pictures.split(250)]).numpy()


@lru_cache(maxsize=2)
def counter(size: int = 64):
    """A line in what the oracle sees, fitted on 600 `scenes` of one and 600 of two."""
    from sklearn.linear_model import LogisticRegression

    some = [scenes(600, size, two, "train") for two in (False, True)]
    rows = np.concatenate([looked(pictures) for pictures in some])
    line = LogisticRegression(C=1e-3, max_iter=300)
    return line.fit(rows, np.repeat([0, 1], 600))


def two_seen(pictures: Tensor) -> Tensor:
    """(B,) bool: whether two birds are seen in pictures (B, 3, S, S), rather than one.

    By `counter`, which is right about some 97 of 100 real scenes of unseen species.
    """
    return torch.from_numpy(counter(pictures.shape[-1]).predict(looked(pictures)) > 0)


def counted(count: int = 300, seed: int = 0) -> dict[str, Batch]:
    """{"one", "two"}: the same `count` captions, of a bird and of two birds."""
    pairs = list(permutations(COLOURS, 2))
    rng = np.random.default_rng((34, seed))
    chosen = [pairs[i % len(pairs)] for i in rng.permutation(count)]
    rows = np.stack([named_by({"wing": w, "belly": b}) for w, b in chosen])
    return {
        name: asked([f"{start} with {wing} wings and {article(belly)} belly"
                     for wing, belly in chosen], rows)
        for name, start in (("one", "a bird"), ("two", "two birds"))
    }  # fmt: skip


def counting(system, count: int = 300, seed: int = 0) -> dict[str, float]:
    """The share of `counted` captions' pictures with two birds: "one", "two" asked.

    "apart": how far the pictures of a pair, of the same noise, differ, as a share of
    the pixels' range.
    """
    drawn = {name: from_sentences(system, batch, seed)
             for name, batch in counted(count, seed).items()}  # fmt: skip
    found = {f"{name} asked, two seen": float(two_seen(pictures).float().mean())
             for name, pictures in drawn.items()}  # fmt: skip
    found["apart"] = float((drawn["one"] - drawn["two"]).abs().mean()) / 2
    return {name: round(value, 4) for name, value in found.items()}


# -------------------------------------------------------------------------- what is not


def denied(name: str, many: int = 30) -> tuple[Batch, Batch]:
    """Captions that say of wings each colour `many` times, and that deny it.

    name: of DENIALS. What is `named` is in both the colour, said or denied.
    """
    colours = [colour for colour in COLOURS for _ in range(many)]
    rows = np.stack([named_by({"wing": colour}) for colour in colours])
    return tuple(
        asked([form.format(colour=c) for c in colours], rows) for form in DENIALS[name]
    )


def denying(system, many: int = 30, seed: int = 0) -> dict[str, float]:
    """The share of pictures whose wings have the colour, said or denied.

    {"that are": ..., "that are, denied": ...}, by DENIALS; by chance both are 0.10,
    as every colour is asked for equally often. Where "not" is understood the second is
    near 0. The noise of a pair is the same.
    """
    found = {}
    for name in DENIALS:
        for end, batch in zip(("", ", denied"), denied(name, many)):
            pictures = from_sentences(system, batch, seed)
            read = oracle(pictures.shape[-1]).read(pictures)[:, 0]
            share = (read == batch.named[:, 0]).float().mean()
            found[f"{name}{end}"] = round(float(share), 4)
    return found
