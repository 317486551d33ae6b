"""Captions of birds that no training species is like, and the worst that was drawn.

Novel scenes and failures are shown in slide AT-11, chosen by hand; here a rule chooses.
All pairs of two parts' colours occur among the training species, but of triples only a
half: a caption is novel that names colours of wing, belly and crown which no training
bird has together. Lesson 11.
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
from ..worlds.bird_species import ATTRIBUTES, COLOURS, plumage_table, split_species
from .birds import asked
from .oracle import oracle

__all__ = ["TRIPLE", "fulfilled", "novel_or_not", "on_novel", "triples", "worst"]

TRIPLE = ("wing", "belly", "crown")


@lru_cache(maxsize=1)
def triples() -> tuple[list[tuple], list[tuple]]:
    """Three different colours of wing, belly, crown: those that occur, and the others.

    Among the plumages of the training species; 720 together, as numbers in COLOURS.
    """
    worn = plumage_table()[split_species()["train"]].reshape(-1, len(ATTRIBUTES))
    there = set(map(tuple, worn[:, : len(TRIPLE)].tolist()))
    every = list(permutations(range(len(COLOURS)), len(TRIPLE)))
    return ([t for t in every if t in there], [t for t in every if t not in there])


def article(word: str) -> str:
    """The word after its article: "an orange"."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def novel_or_not(count: int = 300, seed: int = 0) -> dict[str, Batch]:
    """{"occurs", "novel"}: a batch of `count` captions each, of one form, by lot.

    "a bird with red wings, a blue belly and a green crown". ValueError for more than
    there are.
    """
    rng, found = np.random.default_rng((33, seed)), {}
    for name, some in zip(("occurs", "novel"), triples()):
        if count > len(some):
            raise ValueError(f"there are {len(some)} captions that are {name}.")
        chosen = [some[i] for i in rng.permutation(len(some))[:count]]
        words = [[COLOURS[number] for number in triple] for triple in chosen]
        sentences = [
            f"a bird with {w} wings, {article(b)} belly and {article(c)} crown"
            for w, b, c in words
        ]
        rows = [named_by(dict(zip(TRIPLE, colours))) for colours in words]
        found[name] = asked(sentences, np.stack(rows))
    return found


def fulfilled(pictures: Tensor, named: Tensor) -> Tensor:
    """(B,) the share of a caption's wishes (B, A) that its picture fulfils.

    As the oracle reads pictures (B, 3, S, S); 1 where nothing is wished for.
    """
    named = named.cpu()
    right = (oracle(pictures.shape[-1]).read(pictures) == named) & (named >= 0)
    share = right.sum(1) / (named >= 0).sum(1).clamp_min(1)
    return share.masked_fill((named < 0).all(1), 1.0)


def on_novel(system, count: int = 300, seed: int = 0) -> dict[str, float]:
    """Obedience on captions whose birds occur in training, and on novel ones.

    "occurs, all": of single wishes; "occurs, whole": of captions, in each of three; the
    same of "novel". The noise of the two is the same.
    """
    found = {}
    for name, batch in novel_or_not(count, seed).items():
        pictures = from_sentences(system, batch, seed)
        share = fulfilled(pictures, batch.named)
        found[f"{name}, all"] = float(share.mean())  # each has three wishes
        found[f"{name}, whole"] = float((share == 1).float().mean())
    return {name: round(value, 4) for name, value in found.items()}


def worst(pictures: Tensor, batch: Batch, count: int = 8, least: int = 3) -> Tensor:
    """The rows (count,) of captions of which the smallest share of wishes is fulfilled.

    Of captions with `least` wishes or more; of equals the first. So nobody chooses
    which failures are shown.
    """
    share = fulfilled(pictures, batch.named)
    enough = (batch.named.cpu() >= 0).sum(1) >= least
    return torch.where(enough, share, 2.0).argsort(stable=True)[:count]
