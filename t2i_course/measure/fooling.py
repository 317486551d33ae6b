"""Pictures without a generator, made to please one score alone (lesson 11).

What a score can't see: inception score and R-precision, slide AT-6. A copier shows real
training birds and reads no caption; another keeps one bird for each pair of colours; an
adversary paints, pixel by pixel, what an examiner likes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..data import Batch
from ..worlds.bird_species import COLOURS
from ..worlds.birds import Birds
from .obedience import obedience
from .oracle import oracle
from .retrieval import r_precision
from .scores import diversity, oracle_frechet_distance, oracle_inception_score

__all__ = ["SCORES", "copied", "forged", "one_each", "scored"]

SCORES = ("inception score", "own", "foreign", "all", "frechet distance", "diversity")
MANY = 1009  # lots, of which captions with the same wishes have the same


def copied(batch: Batch, size: int = 64, seed: int = 0) -> Tensor:
    """A training bird (B, 3, size, size) for each caption, by lot: none is read."""
    birds, rng = Birds("train", size), np.random.default_rng((31, seed))
    many = len(batch.lengths)
    rows = rng.choice(len(birds), many, replace=many > len(birds))
    return birds.at(rows, np.zeros(many, int)).to("cpu").image


def kept(size: int, seed: int) -> Batch:
    """A training bird for each pair of colours of wing and belly: 100, by lot."""
    birds, rng = Birds("train", size), np.random.default_rng((32, seed))
    order = rng.permutation(len(birds))
    pairs = birds.content[order, 0] * len(COLOURS) + birds.content[order, 1]
    _, first = np.unique(pairs, return_index=True)
    return birds.at(order[first], np.zeros(len(first), int)).to("cpu")


def one_each(batch: Batch, size: int = 64, seed: int = 0) -> Tensor:
    """One of 100 training birds (B, 3, size, size) for each caption, and always that.

    There is one for each pair of colours of wing and belly. A caption gets the one that
    fulfils most of its wishes on these two; among equals lots decide once for ever, so
    that captions with the same wishes show the same picture.
    """
    birds, named = kept(size, seed), batch.named.cpu()
    said, there = named[:, None, :2], birds.attributes[None, :, :2]
    fulfilled = ((said == there) & (said >= 0)).sum(2).float()
    lots = torch.rand(MANY, 100, generator=torch.Generator().manual_seed(seed))
    lot = (named + 1) @ (13 ** torch.arange(named.shape[1])) % MANY
    return birds.image[(fulfilled + 0.5 * lots[lot]).argmax(1)]


def forged(
    encoders, batch: Batch, size: int = 64, steps: int = 80, seed: int = 0,
    rate: float = 0.1, part: int = 100,
) -> Tensor:  # fmt: skip
    """Pictures (B, 3, size, size) in which these encoders find their captions.

    No network draws: numbers that start near 0, a grey noise, climb the cosine of
    picture and caption, by Adam with this rate; their tanh are the pixels. encoders: as
    `retrieval.encoders_of`, frozen; part: pictures at a time.
    """
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        told = F.normalize(encoders.text.of(batch).cpu(), dim=1)
    made = []
    for some in told.split(part):
        paint = 0.1 * torch.randn(len(some), 3, size, size, generator=rng)
        paint.requires_grad_(True)
        adam = torch.optim.Adam([paint], rate)
        for _ in range(steps):
            seen = F.normalize(encoders.see(paint.tanh()), dim=1)
            paint.grad = torch.autograd.grad(-(seen * some).sum(), paint)[0]
            adam.step()
        made.append(paint.detach().tanh())
    return torch.cat(made)


def scored(
    pictures: Tensor,
    batch: Batch,
    examiners: Mapping[str, object],
    real: Tensor,
    many: Tensor | None = None,
    repeats: int = 10,
) -> dict[str, float]:
    """Every score of pictures (B, 3, S, S) for a batch's captions, {name: value}.

    examiners: {name: encoders}, R-precision by each; real: pictures for the Frechet
    distance; many: (captions, N, 3, S, S), several pictures of a caption, for their
    diversity. Of the captions that name two colours, for wing and belly, "both" is the
    share of pictures with both.
    """
    reader = oracle(pictures.shape[-1])
    seen, named = reader.read(pictures), batch.named.cpu()
    two = (named[:, :2] >= 0).all(1)
    found = {
        "inception score": oracle_inception_score(reader.kinds, pictures, splits=1)[0],
        "all": obedience(seen, named)["all"],
        "both": float((seen == named)[two, :2].all(1).float().mean()),
        "frechet distance": oracle_frechet_distance(reader.features, real, pictures),
    }
    found |= {name: r_precision(examiner, pictures, batch, repeats)
              for name, examiner in examiners.items()}  # fmt: skip
    if many is not None:
        found["diversity"] = diversity(many)
    return {name: round(float(value), 4) for name, value in found.items()}
