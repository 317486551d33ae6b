"""Lesson 11's measurements of networks that are trained: what they can't, and why.

What fools a score; a map of drawn birds; captions that are novel, that count, that
deny; the released mask. Seeds are of captions and of noise: nothing is trained here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from ..data import Batch
from ..drawing import from_sentences
from ..measure.birds import unseen_captions
from ..measure.fooling import SCORES, copied, forged, one_each, scored
from ..measure.limits import counting, denying, scenes, two_seen
from ..measure.mapped import map_of, neighbours, places_of, that_name
from ..measure.novelty import on_novel
from ..measure.padding import padding
from ..measure.pointing import some_of
from ..measure.variety import fitting
from ..systems import shipped
from .run import Run, rounded
from .tables import Table

NETWORKS = {"AttnGAN": "attngan_64", "StackGAN++": "stackgan_tree_64"}
PAINTER = "tree_painter_64"  # lesson 10's best, which obeys

# ------------------------------------------------------------------ what fools a score

FOOLED = Table("11", "fooled", "who pleases inception score, who R-precision, and how",
               (*SCORES, "both"))  # fmt: skip


Make = Callable[[Batch, int], Tensor]  # pictures of captions, by a seed


def judged(run: Run, make: Make, several: Make | None = None) -> dict[str, float]:
    """Every score of pictures that make(batch, seed) paints; see `measure.fooling`.

    several: makes four pictures of each caption, side by side, for their diversity; by
    default `make` does. The Frechet distance is to other birds of the unseen species.
    """
    count = run.choose(150, 1000)
    asked, others = (unseen_captions(count, 64, seed=run.seed + more).to("cpu")
                     for more in (0, 50))  # fmt: skip
    few = unseen_captions(run.choose(3, 25), 64, seed=run.seed + 100).to("cpu")
    if several is None:
        few = some_of(few, torch.arange(len(few.lengths)).repeat_interleave(4))
    many = (several or make)(few, run.seed + 1)
    examiners = {"own": shipped("damsm_64"), "foreign": shipped("damsm_64_other")}
    return scored(make(asked, run.seed), asked, examiners, others.image,
                  many.view(-1, 4, *many.shape[-3:]), run.choose(1, 10))  # fmt: skip


@FOOLED.row("real birds", cost=20)
def real_birds(run: Run) -> dict:
    """Birds that the captions belong to; several of a caption are all that it fits."""
    return judged(run, lambda batch, seed: batch.image,
                  lambda batch, seed: fitting(batch, many=4, seed=seed))  # fmt: skip


def of_network(name: str) -> Make:
    """Pictures by a shipped network."""
    return partial(from_sentences, shipped(name))


MAKERS = {
    "copier": (lambda run: lambda batch, seed: copied(batch, 64, seed), 20),
    "one drawing each": (lambda run: lambda batch, seed: one_each(batch, 64, 0), 20),
    "adversary": (lambda run: lambda batch, seed: forged(
        shipped("damsm_64"), batch, steps=run.choose(4, 80), seed=seed), 90),
    "AttnGAN": (lambda run: of_network("attngan_64"), 30),
    "StackGAN++": (lambda run: of_network("stackgan_tree_64"), 30),
}  # fmt: skip
for name, (maker, cost) in MAKERS.items():
    FOOLED.add(name, lambda run, maker=maker: judged(run, maker(run)), cost=cost)

# ------------------------------------------------------------------------------- a map

MAP = Table("11", "map", "are birds near each other on a map asked for alike wings",
            ("same", "by chance"))  # fmt: skip


@MAP.row("real birds", cost=8)
def map_of_real_birds(run: Run) -> dict:
    """The birds themselves to whom the captions belong."""
    batch = that_name(run.choose(30, 300), "wing", 64, run.seed)
    return neighbours(places_of(batch.image, run.seed), batch.named[:, 0])


# -------------------------------------------------------------------- what still fails

NOVEL = Table("11", "novel", "captions of birds that training knows, and doesn't know",
              ("occurs, all", "novel, all", "occurs, whole",
               "novel, whole"))  # fmt: skip
LIMITS = Table("11", "limits", "are two birds two, and are wings that are not red red",
               ("one asked, two seen", "two asked, two seen", "apart", "that are",
                "that are, denied", "with", "with, denied", "has",
                "has, denied"))  # fmt: skip


def limits(run: Run, name: str) -> dict[str, float]:
    """Counting and denying, by a shipped network."""
    found = counting(shipped(name), run.choose(20, 300), run.seed)
    return found | denying(shipped(name), run.choose(2, 30), run.seed)


@LIMITS.row("real scenes", cost=20)
def real_scenes(run: Run) -> dict:
    """How well the instrument counts: birds of unseen species, drawn one and two."""
    return rounded(**{
        f"{name} asked, two seen":
            two_seen(scenes(run.choose(20, 300), 64, two, seed=run.seed)).float().mean()
        for name, two in (("one", False), ("two", True))
    })  # fmt: skip


def novel(run: Run, name: str) -> dict[str, float]:
    """Captions whose birds occur in training, and novel ones, by a shipped network."""
    return on_novel(shipped(name), run.choose(20, 300), run.seed)


def alike(run: Run, name: str) -> dict[str, float]:
    """A map of what a shipped network draws."""
    return map_of(shipped(name), run.choose(30, 300), run.seed)[-1]


WHAT = ((NOVEL, novel, 10), (LIMITS, limits, 25), (MAP, alike, 10))
for name, network in (NETWORKS | {"the best painter": PAINTER}).items():
    for table, measure, cost in WHAT:
        table.add(name, lambda run, measure=measure, network=network: measure(
            run, network), cost=cost)  # fmt: skip

# ------------------------------------------------------------------- the released mask

PADDING = Table("11", "padding", "places that hear padding: the mask as released",
                ("share", "share, largest", "share, 8 words or fewer",
                 "share, 17 words or more", "unheard", "share, sorted", "change",
                 "change, another noise", "all", "all, released",
                 "all, released, sorted"))  # fmt: skip


@PADDING.row("AttnGAN", cost=30)
def released(run: Run) -> dict:
    """The shipped AttnGAN, trained with the right mask, in batches of 32."""
    return padding(shipped("attngan_64"), run.choose(64, 960), seed=run.seed)
