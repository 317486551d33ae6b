"""Lesson 03: likelihoods, beta, posterior collapse, sharpness, codes and the prior."""

from __future__ import annotations

from ..measure.dcgan import draw, quality, real_birds
from ..measure.vae import (
    bits_by_draws,
    blur,
    codes_and_prior,
    fidelity,
    grey_levels,
    held_out,
    kept_pixels,
    seeded,
)
from ..papers.aae import Aae
from ..papers.vae import BIRDS, COLLAPSE, GREY, Vae
from ..systems import shipped
from ..worlds.birds import Birds
from ..worlds.digits import DigitReader, Digits
from .run import Run
from .tables import Table

GREYS = ("bits", "elbo", "kl", "clear", "error", "seconds")
NOT_OURS = (
    "GM-4 and GM-5 make statements, no figures; the papers' are of other data, and "
    "don't compare."
)


def trained(run: Run, kind, source, **settings):
    """A system of that seed after its training, and how many seconds that took."""
    system = run.build(kind, **settings)
    steps = system.settings["steps"]
    moments = {steps // 60, steps // 12, steps // 3, steps}
    course = run.row.ships == "vae_digits"  # the lesson shows how this one learned
    looks = run.looks(moments, lambda system: system.sample(15)) if course else None
    history = run.fit(system, source(system.settings["batch_size"]), on_step=looks)
    run.keep(history, looks)
    return system.eval(), round(history.elapsed, 1)


def done(run: Run, system, found: dict) -> dict:
    """The figures, after the network was shipped if it is to be."""
    run.ship(system, found["seconds"], found)
    return found


def digits(run: Run):
    """Makes the training digits for a batch size."""
    return lambda size: Digits(size, run.seed)


# --------------------------------------------------------------- likelihoods and beta

GREY_TABLE = Table("03", "grey", "digits at 17 grey levels: two likelihoods", GREYS,
                   published=NOT_OURS)  # fmt: skip
BETA = Table("03", "beta", "the same with another weight of the KL term", GREYS)


def grey(run: Run, **settings) -> dict:
    """Digits at 17 grey levels, by one likelihood or one beta."""
    settings = GREY["cpu"] | settings
    system, seconds = trained(run, Vae, digits(run), **settings)
    return done(run, system, {**grey_levels(system), "seconds": seconds})


GREY_TABLE.add("rounded", grey, cost=10, ships="vae_digits")
GREY_TABLE.add("gaussian", lambda run: grey(run, likelihood="gaussian"), cost=10)
BETA.add("0.2", lambda run: grey(run, beta=0.2), cost=10)
BETA.add("5", lambda run: grey(run, beta=5.0), cost=10)

# --------------------------------------------------------------------------- collapse

COLLAPSING = Table("03", "collapse", "what latent numbers say, by four decoders",
                   ("kl", "bits", "kept", "seconds"))  # fmt: skip


def collapse(run: Run, name: str) -> dict:
    """Black and white digits: what each latent number says of them."""
    system, seconds = trained(run, Vae, digits(run), **COLLAPSE[name])
    kl = seeded(system, 0).kl_per_latent(held_out(system))
    draws = run.choose(2, 64)
    found = {
        "kl": round(float(kl.sum()), 3),
        "per_latent": [round(value, 3) for value in kl.tolist()],
        "bits": round(bits_by_draws(system, (draws,))[draws], 4),
        "kept": round(kept_pixels(system), 4),
        "seconds": seconds,
    }
    return done(run, system, found)


for name, ships in (("mlp", "vae_mlp"), ("warm-up", None), ("pixelcnn", "vae_pixelcnn"),
                    ("free bits", "vae_free_bits")):  # fmt: skip
    COLLAPSING.add(name, lambda run, name=name: collapse(run, name),
                   cost=5 if name == "mlp" else 25, ships=ships)  # fmt: skip

# ------------------------------------------------------------------ sharpness of birds

SHARP = Table("03", "birds", "how sharp, and how near to real birds",
              ("detail", "distance", "score", "seconds"),
              published=NOT_OURS)  # fmt: skip


def sharpness(run: Run, pictures, **more) -> dict:
    """Quality and blur of birds, a row's figures."""
    return {**quality(pictures), **blur(pictures), "seconds": 0.0, **more}


@SHARP.row("vae", cost=85, ships="vae_birds_32")
def vae_birds(run: Run) -> dict:
    """A VAE of birds: what it draws, and its copies of unseen ones."""
    system, seconds = trained(run, Vae, run.birds, **BIRDS["cpu"])
    found = sharpness(run, draw(system, run.choose(40, 2000)), seconds=seconds)
    held = Birds("test", 32).all(run.choose(40, 1000)).to("cpu").image
    again = seeded(system, 0).reconstruct(held)
    found["detail_of_reconstructions"] = blur(again)["detail"]
    return done(run, system, found)


@SHARP.row("dcgan", cost=12)
def dcgan_birds(run: Run) -> dict:
    """Lesson 02's shipped DCGAN, other noise a seed."""
    drawn = draw(shipped("dcgan_32"), run.choose(40, 2000), seed=run.seed)
    return sharpness(run, drawn)


@SHARP.row("real", cost=10, seeds=(0,), only=True)
def real(run: Run) -> dict:
    """Other real birds."""
    return sharpness(run, real_birds(run.choose(40, 2000), part=1))


# --------------------------------------------------------------- codes and the prior

CODES = Table("03", "codes", "do codes lie as the prior does? two latent numbers",
              ("distance", "p", "error", "clear", "seconds"))  # fmt: skip


def codes(run: Run, kind, **settings) -> dict:
    """Two latent numbers: do the codes of digits lie as the prior does?"""
    system, seconds = trained(run, kind, digits(run), **settings)
    test = codes_and_prior(system)
    drawn = seeded(system, 0).sample(1000)
    found = {
        "distance": round(test.distance, 5),
        "p": round(test.p, 4),
        "error": round(fidelity(system), 4),
        "clear": round(float(DigitReader().read(drawn)[1].float().mean()), 3),
        "seconds": seconds,
    }
    return done(run, system, found)


PLANE = {**GREY["cpu"], "latent": 2}
CODES.add("vae", lambda run: codes(run, Vae, **PLANE), cost=8, ships="vae_plane")
CODES.add("aae", lambda run: codes(run, Aae), cost=9, ships="aae_digits")
