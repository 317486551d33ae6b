"""Lesson 05: ways to use a label, what naming it costs, codes without names."""

from __future__ import annotations

import torch

from ..measure.labels import (
    SHAPES,
    STYLE,
    birds_as_labelled,
    correlations,
    digits_as_labelled,
    moved,
    purity,
    slant_and_ink,
    style_reader,
)
from ..measure.oracle import oracle
from ..papers import cgan, infogan
from ..papers.acgan import BIRDS as AC_BIRDS
from ..papers.acgan import AcGan
from ..papers.cgan import ConditionalGan
from ..papers.infogan import InfoGan
from ..worlds.bird_species import ATTRIBUTES
from ..worlds.digits import DigitReader, Digits
from .run import Run
from .tables import Table

WAYS = cgan.HOW


def labelled(run: Run, how: str, presets: dict, judge, **settings) -> tuple:
    """Train one way to use the label; the system and its figures."""
    torch.manual_seed(run.seed)
    if how == "auxiliary":
        system = AcGan.from_preset("cpu", **presets, **settings)
    else:
        system = ConditionalGan.from_preset("cpu", **presets, how=how, **settings)
    size = system.settings["batch_size"]
    source = Digits(size, run.seed) if system.reads[0] == 1 else run.birds(size)
    steps = system.settings["steps"]
    moments = {steps // 12, steps // 3, 2 * steps // 3, steps}
    looks = run.looks(moments, lambda system: row_of(system))
    history = run.fit(system, source, on_step=looks)
    run.keep(history, looks)
    found = judge(system.eval(), run.choose(40, 2000), seed=run.seed + 1)
    found["seconds"] = round(history.elapsed, 1)
    run.ship(system.network("generator"), history.elapsed, found)
    return system, found


def row_of(system) -> torch.Tensor:
    """A picture of each of ten labels, with one noise."""
    y = torch.arange(10)[:, None].repeat(1, len(system.classes))
    noise = system.noise(1, system.generator.noise_size).expand(10, -1)
    return system.sample(y, noise=noise)


# ---------------------------------------------------------------------- obedience

SHIPS = {"joined": "cgan_digits", "projection": "cgan_projection",
         "auxiliary": "acgan_digits"}  # fmt: skip
DIGITS = Table("05", "digits", "are digits those asked for? ways to use the label",
               ("obedience", "clear", "diversity", "seconds"))  # fmt: skip
WINGS = Table("05", "wings", "are wings of the colour asked for? the same ways",
              ("wing", "diversity", "score", "distance", "seconds"))  # fmt: skip
for how in (*WAYS, "joined, louder"):
    DIGITS.add(
        how,
        lambda run, how=how: labelled(run, how, {}, digits_as_labelled)[1],
        cost=35,
        ships=SHIPS.get(how),
    )
for how in WAYS:
    presets = AC_BIRDS["cpu"] if how == "auxiliary" else cgan.BIRDS["cpu"]
    WINGS.add(
        how,
        lambda run, how=how, presets=presets: labelled(
            run, how, presets, birds_as_labelled
        )[1],
        cost=100,
    )

WEIGHTS = Table("05", "weights", "AC-GAN's other weights: what naming the class costs",
                ("wing", "diversity", "score", "distance", "seconds"))  # fmt: skip
for weight in (0.1, 10.0):
    WEIGHTS.add(
        f"{weight:g}",
        lambda run, weight=weight: labelled(
            run, "auxiliary", AC_BIRDS["cpu"], birds_as_labelled, weight=weight
        )[1],
        cost=100,
    )

TABLE = Table("05", "families", "birds asked for by family and wing colour together",
              ("family", "wing", "diversity", "score", "distance",
               "seconds"))  # fmt: skip


@TABLE.row("projection", cost=100, ships="cgan_birds")
def families(run: Run) -> dict:
    """Both labels at once, by projection."""
    presets = cgan.BIRDS["cpu"] | {"labels": "family and wing"}
    return labelled(run, "projection", presets, birds_as_labelled)[1]


# -------------------------------------------------------------------------- InfoGAN

CODES = Table("05", "codes", "InfoGAN on digits: does a code pick one digit?",
              ("purity", "nats", "clear", "digits", "seconds"))  # fmt: skip
STYLES = Table("05", "styles", "InfoGAN on birds: what do its codes move?",
               ("wing", "habitat", "nats", "distance", "seconds"))  # fmt: skip


def asked_by_codes(system: InfoGan, count: int, seed: int):
    """Pictures with the code and the numbers that they were drawn with."""
    system.rng = torch.Generator().manual_seed(seed)
    code, numbers = system.draw_codes(count)
    made = [
        system.sample(len(part), part, some)
        for part, some in zip(code.split(500), numbers.split(500))
    ]
    return torch.cat(made), code, numbers


@torch.no_grad()
def nats(system: InfoGan, pictures, code) -> float:
    """The bound on the code's information, of fresh pictures: log 10 is all of it."""
    _, read = system.judge(pictures)
    return round(float(infogan.code_bound(read[:, : system.codes], code)), 3)


def trained(run: Run, source, **settings) -> tuple[InfoGan, float]:
    """An InfoGAN of those settings, ready to be measured, and its seconds."""
    torch.manual_seed(run.seed)
    system = InfoGan.from_preset("cpu", **settings)
    steps = system.settings["steps"]
    moments = {steps // 12, steps // 3, 2 * steps // 3, steps}
    looks = run.looks(moments, codes_in_rows)
    history = run.fit(system, source(system.settings["batch_size"]), on_step=looks)
    run.keep(history, looks)
    return system.eval(), round(history.elapsed, 1)


def codes_in_rows(system: InfoGan) -> torch.Tensor:
    """A picture of each code, with one noise and numbers of 0."""
    noise = system.noise(1, system.noise_size).expand(system.codes, -1)
    numbers = torch.zeros(system.codes, system.numbers)
    return system.sample(system.codes, torch.arange(system.codes), numbers, noise)


def on_digits(run: Run, information: float) -> dict:
    """Purity of the code by the digit reader, and what each number moves."""
    system, seconds = trained(
        run, lambda size: Digits(size, run.seed, "all"), information=information
    )
    pictures, code, numbers = asked_by_codes(system, run.choose(60, 2000), run.seed + 1)
    digit, clear = DigitReader().read(pictures)
    found = {
        "purity": round(purity(code, digit, clear), 3),
        "nats": nats(system, pictures, code),
        "clear": round(float(clear.float().mean()), 3),
        "digits": len(digit[clear].unique()),
        "moved": moved(numbers, slant_and_ink(pictures), SHAPES),
        "seconds": seconds,
    }
    run.ship(system.network("generator"), seconds, found)
    return found


def on_birds(run: Run, information: float) -> dict:
    """Purity of the code by wing and habitat, what each number moves, quality."""
    from ..measure.dcgan import quality

    system, seconds = trained(
        run, run.birds, **infogan.BIRDS["cpu"], information=information
    )
    pictures, code, numbers = asked_by_codes(system, run.choose(60, 2000), run.seed + 1)
    seen, style = oracle(32).read(pictures), style_reader().read(pictures)
    names = list(ATTRIBUTES)
    found = {
        "wing": round(purity(code, seen[:, names.index("wing")]), 3),
        "habitat": round(purity(code, seen[:, names.index("habitat")]), 3),
        "nats": nats(system, pictures, code),
        "moved": moved(numbers, style, STYLE),
        **quality(pictures),
        "seconds": seconds,
    }
    table = correlations(numbers, style).tolist()
    run.ship(system.network("generator"), seconds, found)
    return found | {"table": [[round(r, 3) for r in row] for row in table]}


for name, information in (("with the term", 1.0), ("without", 0.0)):
    kept = information == 1.0
    CODES.add(
        name,
        lambda run, weight=information: on_digits(run, weight),
        cost=35,
        **({"ships": "infogan_digits"} if kept else {}),
    )
    STYLES.add(
        name,
        lambda run, weight=information: on_birds(run, weight),
        cost=100,
        **({"ships": "infogan_birds"} if kept else {}),
    )


@STYLES.row("reader", cost=10, seeds=(0,), only=True)
def reader(run: Run) -> dict:
    """The style reader's own skill on real birds of unseen species: R^2 by style."""
    return {"skill": style_reader().skill}
