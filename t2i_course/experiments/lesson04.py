"""Lesson 04: codebooks, priors over codes, rivals, exact bits, two levels, speed."""

from __future__ import annotations

import time
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..blocks import bits_per_dimension
from ..measure import codes as measure
from ..measure.dcgan import draw
from ..measure.samples import detail
from ..papers.pixelcnn import BIRDS, PixelCnn
from ..papers.vae import BIRDS as VAE_BIRDS
from ..papers.vae import Vae
from ..papers.vqvae import VqVae, perplexity
from ..papers.vqvae2 import TwoLevelPrior, VqVae2
from ..systems import shipped
from ..worlds.digits import Digits
from .run import Run, rounded
from .tables import Table

DRAWN = ("inception score", "frechet distance", "detail", "seconds")


def birds_to_measure(run: Run) -> int:
    """How many."""
    return run.choose(100, 2000)


def train(run: Run, system, source, steps: int | None = None, part: str = ""):
    """Train, then be ready to measure with noise of the next seed; the history."""
    history = run.fit(system, source, steps, part=part)
    system.eval()
    system.rng = torch.Generator().manual_seed(run.seed + 1)
    return history


def on_birds(run: Run, kind, steps: int | None = None, part: str = "", **settings):
    """A system trained on birds, and the seconds that it took."""
    system = run.build(kind, **settings)
    history = train(run, system, run.birds(system.settings["batch_size"]), steps, part)
    return system, round(history.elapsed, 1)


# ----------------------------------------------------------------------- the codebook

CODEBOOK = Table("04", "codebook", "three ways to move a codebook's entries, 600 steps",
                 ("used", "perplexity", "error", "seconds"))  # fmt: skip


def codebook(run: Run, **settings) -> dict:
    """How many of 128 entries are used, and how well birds come back."""
    held = measure.unseen_birds(birds_to_measure(run)).image
    system, seconds = on_birds(run, VqVae, 600, **settings)
    codes = system.codes(held)
    error = F.mse_loss(system.reconstruct(held), held)
    alike = perplexity(codes, system.values)
    return {"used": len(codes.unique()), "seconds": seconds,
            **rounded(perplexity=alike, error=error)}  # fmt: skip


CODEBOOK.add("by its loss", lambda run: codebook(run, decay=None, revive=0.0), cost=16)
CODEBOOK.add("moving averages", lambda run: codebook(run, revive=0.0), cost=16)
CODEBOOK.add("and revival", codebook, cost=16)

# ------------------------------------------------------------ birds, and three priors

PRIORS = Table("04", "birds", "a VQ-VAE of birds, and three priors over its codes",
               DRAWN)  # fmt: skip


class Coder(NamedTuple):
    """The trained VQ-VAE, and what was measured with its noise, in this order."""

    system: VqVae
    held: object  # unseen birds
    known: object  # birds that it was trained on
    deviation: float
    copies: Tensor
    figures: dict
    alone: Tensor  # birds drawn by the uniform prior
    seconds: float


def coder_of(run: Run) -> Coder:
    """Trained once for all rows of a seed."""
    count = birds_to_measure(run)
    system, seconds = on_birds(run, VqVae, part="coder")
    held = measure.unseen_birds(count)
    copies = system.reconstruct(held.image)
    known = run.birds(1).all(count).to("cpu")
    deviation = measure.deviation_of(system, known.image)
    bits = system.bits_per_dimension(held.image, deviation).mean()
    alike = perplexity(system.codes(held.image), system.values)
    figures = rounded(error=F.mse_loss(copies, held.image), bits=bits,
                      deviation=deviation, perplexity=alike)  # fmt: skip
    alone = system.sample(count)
    return Coder(system, held, known, deviation, copies, figures, alone, seconds)


@PRIORS.row("reconstructed", cost=55, ships="vqvae_birds")
def reconstructed(run: Run) -> dict:
    """Unseen birds, encoded and decoded."""
    coder = coder_of(run)
    run.ship(coder.system, coder.seconds, coder.figures)
    sharp = measure.pictures_in_figures(coder.copies, coder.held.image)
    return {"seconds": coder.seconds, **coder.figures, **sharp}


@PRIORS.row("uniform prior", cost=10)
def uniform_prior(run: Run) -> dict:
    """Every code alike: what the decoder alone draws."""
    return measure.pictures_in_figures(coder_of(run).alone)


def birds_prior(run: Run, classes: int) -> dict:
    """One PixelCNN over the codes; samples of the training species."""
    coder, held, known, deviation, *_ = coder_of(run)
    settings = BIRDS["cpu"] | {"classes": classes}
    prior, seconds = on_birds(run, PixelCnn, coder=coder, **settings)
    bits = -prior.log_prob(known.image, known.class_id) / prior.places
    found = rounded(bits_per_code_trained_on=bits.mean() / torch.tensor(2.0).log())
    if not classes:
        log_prior = prior.log_prob(held.image)
        bits = coder.bits_per_dimension(held.image, deviation, log_prior).mean()
        per_code = bits_per_dimension(log_prior, prior.places).mean()
        found |= rounded(bits=bits, bits_per_code=per_code)
    began = time.perf_counter()
    drawn = prior.sample(known.class_id, count=birds_to_measure(run))
    found["seconds_drawing"] = round(time.perf_counter() - began, 1)
    found |= measure.of_species(drawn, known.attributes)
    found |= measure.pictures_in_figures(drawn)
    run.ship(prior, seconds, found)
    return {"seconds": seconds, **found}


PRIORS.add("learned prior", lambda run: birds_prior(run, 0), cost=60,
           ships="pixelcnn_birds")  # fmt: skip
PRIORS.add("prior by species", lambda run: birds_prior(run, 200), cost=60,
           ships="pixelcnn_birds_species")  # fmt: skip

# ----------------------------------------------------------------------------- rivals

RIVALS = Table("04", "rivals", "a VAE, a DCGAN and real birds beside the VQ-VAE", DRAWN)


@RIVALS.row("VAE", cost=110)
def vae(run: Run) -> dict:
    """A Gaussian VAE of the same birds."""
    held = measure.unseen_birds(birds_to_measure(run)).image
    system, seconds = on_birds(run, Vae, **VAE_BIRDS["cpu"])
    few = held[: run.choose(20, 500)]
    found = rounded(
        error=F.mse_loss(system.reconstruct(held), held),
        bits=system.bits_per_dimension(few, run.choose(2, 64)).mean(),
        bits_elbo=bits_per_dimension(
            system.bound(held), 3072, system.decoder.spacing
        ).mean(),
    )
    sharp = measure.pictures_in_figures(system.reconstruct(held), held)
    found["detail_of_reconstructions"] = sharp["detail"]
    drawn = system.sample(birds_to_measure(run))
    return {"seconds": seconds, **found, **measure.pictures_in_figures(drawn)}


@RIVALS.row("DCGAN", cost=12)
def dcgan(run: Run) -> dict:
    """Lesson 02's shipped DCGAN, with this seed's noise."""
    drawn = draw(shipped("dcgan_32"), birds_to_measure(run), run.seed + 1)
    return measure.pictures_in_figures(drawn)


@RIVALS.row("other real birds", cost=10)
def real_birds(run: Run) -> dict:
    """What other real birds get: the same ones whatever the seed."""
    others = measure.real_birds(birds_to_measure(run), part=1)
    return measure.pictures_in_figures(others)


# ----------------------------------------------------------------------------- digits

BITS = Table("04", "digits", "bits a pixel of digits at 17 grey levels",
             ("bits", "bits_trained_on", "uniform", "uniform_exact", "learned",
              "learned_exact", "seconds"),
             published="GM-9's bits are of CIFAR-10, 8 bits a number: they don't "
             "compare.")  # fmt: skip


def pixelcnn(run: Run, classes: int) -> dict:
    """A PixelCNN of the digits; the VAE's bits are lesson 03's (t2i reproduce 03 grey).

    classes: 10 where it hears which digit it is, else 0
    """
    source, held = Digits(64, run.seed), Digits(split="held-out")
    system = run.build(PixelCnn, classes=classes)
    history = train(run, system, source)
    bits = [system.bits_per_dimension(which.pictures(), which.class_id).mean()
            for which in (held, source)]  # fmt: skip
    found = rounded(bits=bits[0], bits_trained_on=bits[1])
    kinds = held.class_id.repeat(4)
    drawn = system.sample(kinds, count=1800)
    found["detail"] = round(detail(drawn) / detail(held.pictures()), 4)
    run.ship(system, history.elapsed, found)
    return {"seconds": round(history.elapsed, 1), **found}


BITS.add("PixelCNN", lambda run: pixelcnn(run, 0), cost=14, ships="pixelcnn_digits")
BITS.add("PixelCNN by class", lambda run: pixelcnn(run, 10), cost=14)


@BITS.row("VQ-VAE", cost=15, ships="pixelcnn_few_codes")
def few_codes(run: Run) -> dict:
    """A VQ-VAE with so few maps of codes that p(x) can be added up."""
    source, held = Digits(64, run.seed), Digits(split="held-out").pictures()
    held = held[: run.choose(20, len(held))]
    torch.manual_seed(run.seed)
    few = {"entries": 4} if run.smoke else {}
    coder = VqVae(**measure.FEW_CODES | few)
    history = train(run, coder, source, 1000, "few codes")
    torch.manual_seed(run.seed)
    few = {"values": 4} if run.smoke else {}
    prior = PixelCnn(coder, **measure.FEW_CODES_PRIOR | few)
    after = train(run, prior, source, 400)
    sigma = measure.deviation_of(coder, source.pictures())
    log_prior = {"uniform": None, "learned": prior.log_prob(held).detach()}
    found = rounded(deviation=sigma, error=F.mse_loss(coder.reconstruct(held), held),
                    perplexity=perplexity(coder.codes(held), coder.values))  # fmt: skip
    for name, which in log_prior.items():
        bound = coder.bits_per_dimension(held, sigma, which, 17, rounded=True)
        model = None if which is None else prior
        exact = measure.exact_bits(coder, held, sigma, model)
        found |= rounded(**{name: bound.mean(), f"{name}_exact": exact.mean()})
    seconds = history.elapsed + after.elapsed
    run.ship(prior, seconds, found)
    return {"seconds": round(seconds, 1), **found}


# --------------------------------------------------------------------------- VQ-VAE-2

LEVELS = Table("04", "levels", "VQ-VAE-2: what its two maps hold, and birds drawn",
               ("error", *DRAWN))  # fmt: skip


@LEVELS.row("coder", cost=55, ships="vqvae2_birds")
def two_levels(run: Run) -> dict:
    """Its copies of unseen birds, the use of its codes, and exchanged levels."""
    coder, seconds = on_birds(run, VqVae2, part="coder")
    held = measure.unseen_birds(birds_to_measure(run)).image
    drawn = coder.decode(*coder.codes(held))
    found = rounded(error=F.mse_loss(drawn, held))
    for name, codes in zip(("top", "bottom"), coder.codes(held)):
        found[f"perplexity_{name}"] = round(float(perplexity(codes, coder.values)), 2)
    run.ship(coder, seconds, found)
    other = held.roll(777, 0)
    swapped = measure.follows(coder.swap(held, other), held, other)
    return {"seconds": seconds, **found, "swapped": swapped,
            **measure.pictures_in_figures(drawn, held)}  # fmt: skip


@LEVELS.row("learned prior", cost=70)
def two_priors(run: Run) -> dict:
    """Birds drawn from a PixelCNN over each level."""
    coder, _ = on_birds(run, VqVae2, part="coder")
    settings = {"classes": 0, "channels": 32, "layers": 5, "out": 96, "rate": 2e-3}
    prior = run.build(TwoLevelPrior, coder=coder, **settings)
    history = train(run, prior, run.birds(32), 1000)
    drawn = prior.sample(count=birds_to_measure(run))
    return {"seconds": round(history.elapsed, 1), **measure.pictures_in_figures(drawn)}


# ------------------------------------------------------------------------------ speed

SPEED = Table("04", "speed", "seconds to draw four maps of codes, kept or anew",
              ("kept", "anew", "times"))  # fmt: skip


def speed(run: Run, side: int) -> dict:
    """Seconds to draw maps of codes with and without keeping what was computed."""
    side = run.choose(4, side)
    torch.manual_seed(run.seed)
    prior = PixelCnn(values=128, shape=(1, side, side), classes=0, first=5,
                     channels=32, layers=5, out=96)  # fmt: skip
    noise, took = torch.rand(4, side, side), {}
    for name in ("sample", "sample_slowly"):
        began = time.perf_counter()
        getattr(prior.pixelcnn.eval(), name)(noise)
        took[name] = time.perf_counter() - began
    return rounded(kept=took["sample"], anew=took["sample_slowly"],
                   times=took["sample_slowly"] / took["sample"])  # fmt: skip


for side, cost in ((8, 1), (16, 2), (32, 18)):
    SPEED.add(f"{side} x {side}", lambda run, side=side: speed(run, side), cost)
