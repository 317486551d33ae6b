"""Lesson 02: DCGAN's rules, losses, rates, LAPGAN, paths and sums of noise."""

from __future__ import annotations

import torch

from ..blocks import initialize
from ..measure.dcgan import draw, paths, quality, real_birds, trials
from ..measure.specks import roughness
from ..papers.dcgan import PRESETS, Dcgan, Generator
from ..papers.gan import Gan
from ..papers.lapgan import Lapgan, generators
from ..systems import shipped
from ..training.fit import NonFiniteLoss
from .run import Run
from .tables import Table

COLUMNS = ("score", "distance", "seconds")
LOOKS = 5  # on the way, the last one at the end
SHORT = {"steps": 1200}  # of what is compared: half of the cpu preset's
# Lesson 01's GAN of plain layers, as large as its digits' network.
PLAIN = {"shape": (3, 32, 32), "noise_size": 100, "batch_size": 32, "cool": 0, **SHORT}


def bird_gan(run: Run, kind=Dcgan, **settings) -> dict:
    """Train one network from that seed; its quality on the way and at the end."""
    system = run.build(kind, **settings)
    source = run.birds(system.settings["batch_size"], system.settings.get("size", 32))
    steps, seen = run.steps(system.settings["steps"]), []

    def look(system, history, step):
        seen[:] = [history]
        if step % max(steps // LOOKS, 1) == 0 and step < steps:
            drawn = draw(system, run.choose(40, 1000), run.seed + 1)
            for name, value in quality(drawn).items():
                history.measure(name, value)

    try:
        history = run.fit(system, source, on_step=look)
    except NonFiniteLoss as error:
        return {"stopped": f"{error}"[:60], "step": seen[0].step if seen else 0}
    found = quality(draw(system, run.choose(40, 2000), run.seed + 1))
    looks = zip(*(history.measures.get(name, []) for name in found))
    way = [[points[0][0], *(value for *_, value in points)] for points in looks]
    return found | {
        "steps": steps,
        "seconds": round(history.elapsed, 1),
        "way": [*way, [steps, *found.values()]],
        "losses": {name: thinned(values) for name, values in history.losses.items()},
    }


def thinned(values: list[float], count: int = 50) -> list[float]:
    """`count` means of equal stretches."""
    stretch = max(len(values) // count, 1)
    parts = torch.tensor(values)[: stretch * (len(values) // stretch)].view(-1, stretch)
    return [round(float(mean), 3) for mean in parts.mean(1)]


def rough_gan(run: Run, kind=Dcgan, last: bool = False, **settings) -> dict:
    """Train one network; its quality, and what makes its neighbouring pixels differ.

    last: the generator's last weights draw, not their running average.
    """
    system = run.build(kind, **settings)
    source = run.birds(system.settings["batch_size"])
    run.fit(system, source, part="DCGAN" if last else "")
    if last:
        system.averages = None
    pictures = draw(system.eval(), run.choose(40, 2000), run.seed + 1)
    return quality(pictures) | roughness(pictures)


def enlarging(network):
    """DCGAN's first weights; a generator enlarges in place of half steps."""
    if isinstance(network, Generator):
        base = network.net[-2].in_channels
        network = Generator(network.size, base, network.noise_size, strided=False)
    return initialize(network)


def made_by(function, *arguments, **settings):
    """The row that calls a function with these settings."""
    return lambda run: function(run, *arguments, **settings)


# --------------------------------------------------------------- rules, losses, rates

RULES = Table("02", "rules", "DCGAN with one rule broken", COLUMNS)
RULES.add("all five", made_by(bird_gan, **SHORT), cost=60)
RULES.add("no batch norm", made_by(bird_gan, norm="none", **SHORT), cost=60)
RULES.add("pooling for strides", made_by(bird_gan, strided=False, **SHORT), cost=90)
RULES.add("ReLU everywhere", made_by(bird_gan, leaky=False, **SHORT), cost=60)
RULES.add("the plain GAN", made_by(bird_gan, Gan, **PLAIN), cost=40)


@RULES.row("real birds", cost=10, seeds=(0,), only=True)
def others(run: Run) -> dict:
    """Other real birds, measured as drawn ones are: what "good" is."""
    birds = real_birds(run.choose(40, 2000), part=1)
    return quality(birds.float() / 127.5 - 1)


SPECKS = Table("02", "specks", "what makes neighbouring pixels differ, 1,200 steps",
               ("neighbours", "specks", "edges", "score", "distance"))  # fmt: skip
SPECKS.add("the plain GAN", made_by(rough_gan, Gan, **PLAIN), cost=35)
SPECKS.add("DCGAN", made_by(rough_gan, **SHORT), cost=50)
SPECKS.add("DCGAN, the last weights draw", made_by(rough_gan, last=True, **SHORT), 50)
SPECKS.add("DCGAN, G enlarges", made_by(rough_gan, start=enlarging, **SHORT), 90)


@SPECKS.row("real birds", cost=10, seeds=(0,), only=True)
def rough_birds(run: Run) -> dict:
    """The other real birds."""
    birds = real_birds(run.choose(40, 2000), part=1)
    return quality(birds.float() / 127.5 - 1) | roughness(birds)


LOSSES = Table("02", "losses", "DCGAN with other losses", COLUMNS)
for loss, cost in (("lsgan", 60), ("wgan_gp", 85), ("hinge", 60)):
    LOSSES.add(loss, made_by(bird_gan, loss=loss, **SHORT), cost)

RATES = Table("02", "rates", "four losses with 1, 8 and 30 times the rates, 400 steps",
              COLUMNS)  # fmt: skip
for loss, cost in (
    ("nonsaturating", 35),
    ("lsgan", 35),
    ("wgan_gp", 45),
    ("hinge", 35),
):
    for factor in (1, 8, 30):
        rates = tuple(factor * rate for rate in PRESETS["cpu"]["rates"])
        settings = {} if loss == "nonsaturating" else {"loss": loss}
        make = made_by(bird_gan, **settings, steps=400, rates=rates)
        RATES.add(f"{loss}/{factor}", make, cost)

LAPGAN = Table("02", "lapgan", "LAPGAN, to be seen beside DCGAN", COLUMNS)
LAPGAN.add("LAPGAN", made_by(bird_gan, Lapgan), cost=65)

# -------------------------------------------------------------------- paths and sums

PATHS = Table("02", "paths", "three ways from one picture to another, by dcgan_32",
              ("pixels", "oracle", "score", "distance", "length"))  # fmt: skip
SUMS = Table("02", "sums", "sums of averaged noise, by dcgan_32",
             ("chance", "sum", "kept", "brought", "start", "random", "average",
              "together"))  # fmt: skip


def along(run: Run, way: str) -> dict:
    """One way through the noise of the shipped network; see `measure.dcgan.paths`."""
    few = {"count": 2, "points": 3, "pairs": 40} if run.smoke else {}
    generator = shipped("dcgan_32").generator
    return paths(generator, seed=run.seed, ways=(way,), **few)[way]


def added(run: Run, examples: int | None, shell: bool) -> dict:
    """Sums of so many examples a mean; see `measure.dcgan.trials`."""
    few = {"count": 1, "pool": 500} if run.smoke else {}
    generator = shipped("dcgan_32").generator
    return trials(generator, seed=run.seed, examples=examples, shell=shell, **few)


for way, cost in (("line", 60), ("arc", 60), ("cross-fade", 40)):
    PATHS.add(way, made_by(along, way), cost)
for examples in (3, None):
    for shell in (False, True):
        name = f"{examples or 'all'}{', on the shell' if shell else ''}"
        SUMS.add(name, made_by(added, examples, shell), cost=60)

# --------------------------------------------------------------------------- networks

NETWORKS = Table("02", "networks", "the networks that lessons load", COLUMNS, (0,),
                 networks=True)  # fmt: skip


def network(run: Run, kind, precision: str | None = None, **settings) -> dict:
    """Train a network that lessons load, with the course of its training."""
    system = run.build(kind, **settings)
    steps = system.settings["steps"]
    source = run.birds(system.settings["batch_size"], system.settings.get("size", 32))
    moments = {steps // 20, steps // 5, steps // 2, steps}
    looks = run.looks(moments, lambda system: system.sample(10))
    history = run.fit(system, source, precision=precision, on_step=looks)
    run.keep(history, looks)
    found = quality(draw(system, run.choose(40, 2000), 1))
    several = isinstance(system, Lapgan)
    only = generators(system) if several else system.network("generator")
    run.ship(only, history.elapsed, found)
    return {**found, "seconds": round(history.elapsed, 1)}


for name, cost, make in (
    ("dcgan_32", 80, made_by(network, Dcgan)),
    ("dcgan_64", 250, made_by(network, Dcgan, "bf16", size=64, steps=2000)),
    ("lapgan_32", 60, made_by(network, Lapgan)),
    ("gan_birds_32", 40, made_by(network, Gan, **PLAIN)),
):  # fmt: skip
    NETWORKS.add(name, make, cost, ships=name)
