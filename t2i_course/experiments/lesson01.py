"""Lesson 01: modes on a ring, two gradients, digits, and digits that are too large."""

from __future__ import annotations

import torch

from ..measure.gan import clear_digits, speckle
from ..papers.gan import Gan, nonsaturating_loss, points_gan, saturating_loss
from ..papers.gan_crowd import GanCrowd
from ..worlds.digits import DigitReader, Digits
from ..worlds.points import Ring
from .run import Run
from .tables import Table

SEEDS = range(5)

# ---------------------------------------------------------------------------- the ring

RING = Table("01", "ring", "modes of a ring found in 4,000 steps, five games at once",
             ("modes", "close"), SEEDS)  # fmt: skip
HEALING = Table("01", "healing", "the ring with twice the rate and the usual momentum",
                ("modes", "close"), SEEDS)  # fmt: skip


def on_the_ring(run: Run, group: int, betas=(0.8, 0.999), rate=5e-4) -> dict:
    """Five games side by side, of which this is one: modes at the end and on the way.

    group: of `with_deviation`, 0 for the vanilla GAN.
    """
    settings = {"seeds": len(SEEDS), "steps": 4000, "group": group, "rate": rate}
    system = GanCrowd.from_preset("cpu", **settings)
    system.betas = betas
    world = Ring(system.settings["batch_size"])
    steps = run.steps(system.settings["steps"])

    def look(system, history, step):
        if step % max(steps // 8, 1) == 0:
            for game, points in enumerate(system.sample(2000)):
                found = world.coverage(points)
                history.measure(f"modes {game}", found.modes)
                history.measure(f"close {game}", found.close)

    history = run.fit(system, world, steps, together=True, on_step=look)
    way = [int(modes) for modes in history.values(f"modes {run.seed}")]
    close = history.values(f"close {run.seed}")[-1]
    return {"modes": way[-1], "close": round(close, 3), "modes_on_the_way": way}


for name, group in (("vanilla", 0), ("with deviation", 8)):
    RING.add(name, lambda run, group=group: on_the_ring(run, group), 7, only=True)
    HEALING.add(
        name,
        lambda run, group=group: on_the_ring(run, group, (0.5, 0.999), 1e-3),
        cost=7,
        only=True,
    )

# ------------------------------------------------------------- the game of section 4

PLAY = Table("01", "play", "rounds until a GAN first covers the ring, as one sets it",
             ("rounds", "modes"), range(3))  # fmt: skip
ROUNDS, LOOKS = 3000, 60


def played(run: Run, group=0, k=1, rates=(1e-3, 1e-3)) -> dict:
    """The playground's GAN with those settings; rates of D and of G.

    rounds: after which all eight modes are first covered (None: never), looked at
    every 50 rounds; modes: at the end.
    """
    torch.manual_seed(run.seed)
    system = Gan(noise_size=2, group=group, k=k)
    system.rates = dict(zip(Gan.players, rates))
    world, noise = Ring(128 * k, run.seed), torch.randn(2000, 2)
    rounds = run.steps(ROUNDS)
    every = max(rounds // LOOKS, 1)

    def look(system, history, step):
        if step % every == 0:
            found = world.coverage(system.sample(2000, noise))
            history.measure("modes", found.modes)

    history = run.fit(system, world, rounds, on_step=look)
    modes = [int(count) for count in history.values("modes")]
    first = every * (modes.index(8) + 1) if 8 in modes else None
    return {"rounds": first, "modes": modes[-1]}


for name, settings in {
    "as it stands": {},
    "D sees its batch": {"group": 8},
    "G ten times as fast": {"rates": (1e-3, 1e-2)},
    "D a tenth as fast": {"rates": (1e-4, 1e-3)},
    "k = 5": {"k": 5},
}.items():
    PLAY.add(name, lambda run, settings=settings: played(run, **settings), cost=15)

# -------------------------------------------------------------------------- gradients

GRADIENT = Table("01", "gradient", "gradients of G's two losses where D has won",
                 ("saturating", "nonsaturating", "ratio"), SEEDS)  # fmt: skip


@GRADIENT.row("after 300 steps", cost=2)
def gradient(run: Run) -> dict:
    """Gradient norms of G's two losses against a D that has trained alone."""
    torch.manual_seed(run.seed)
    system = points_gan("cpu")
    system.rng = torch.Generator().manual_seed(run.seed)
    train_discriminator(system, Ring(128, run.seed), run.steps(300))
    fake = system.discriminator(system.generator(system.draw_noise(1024)))
    saturating, other = (
        gradient_norm(loss(fake), system.generator)
        for loss in (saturating_loss, nonsaturating_loss)
    )
    return {"saturating": saturating, "nonsaturating": other,
            "ratio": other / saturating}  # fmt: skip


def train_discriminator(system: Gan, world, steps: int) -> None:
    """The discriminator's turns only, against a generator that rests."""
    optimizer = system.optimizer("discriminator")
    for step in range(steps):
        _, loss = next(system.round(world.batch(step)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def gradient_norm(loss, network) -> float:
    """Length of the loss's gradient with respect to all of a network's weights."""
    parts = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)
    return float(torch.cat([part.flatten() for part in parts]).norm())


# ----------------------------------------------------------------------------- digits

DIGITS = Table("01", "digits", "clear digits among 1,000 drawn ones, at 8 x 8 pixels",
               ("clear", "digits", "fewest", "distance", "seconds"), SEEDS)  # fmt: skip
WIDE = Table("01", "wide", "the same at 28 x 28 pixels: do more steps help?",
             ("clear", "speckle", "seconds"), SEEDS)  # fmt: skip


@DIGITS.row("gan", cost=35, ships="gan_digits")
def digits(run: Run) -> dict:
    """Train on real digits; how many of 1000 drawn ones are clearly each digit."""
    reader, system = DigitReader(), run.build(Gan)
    steps = system.settings["steps"]
    source = Digits(system.settings["batch_size"], run.seed)
    moments = {steps // 12, steps // 3, 2 * steps // 3, steps}
    looks = run.looks(moments, lambda system: system.sample(15))
    history = run.fit(system, source, on_step=looks)
    run.keep(history, looks)
    system.rng = torch.Generator().manual_seed(run.seed + 1)  # the lesson's, at seed 0
    drawn = system.sample(1000)
    counts = reader.counts(drawn)
    clear, kinds = int(counts.sum()), int((counts > 0).sum())
    run.ship(system, history.elapsed, {"clear": clear, "digits": kinds})
    return {
        "clear": clear / 1000,
        "digits": kinds,
        "fewest": int(counts.min()),
        "counts": counts.tolist(),
        "distance": round(float(reader.distance(drawn).median()), 2),
        "seconds": round(history.elapsed, 1),
    }


@DIGITS.row("reader", cost=1, seeds=(0,), only=True)
def reader(run: Run) -> dict:
    """The reader itself, on digits held out: the ruler's own accuracy."""
    found = DigitReader()
    return {"accuracy": found.accuracy, "typical_distance": found.typical}


def wide(run: Run, **settings) -> dict:
    """Plain layers at 28 x 28 pixels."""
    system = run.build(Gan, shape=(1, 28, 28), **settings)
    source = Digits(system.settings["batch_size"], run.seed, side=28)
    history = run.fit(system, source)
    system.rng = torch.Generator().manual_seed(run.seed + 1)
    drawn = system.sample(1000)
    return {
        "clear": round(clear_digits(DigitReader(), drawn), 4),
        "speckle": round(speckle(drawn), 4),
        "seconds": round(history.elapsed, 1),
    }


@WIDE.row("1,000 steps", cost=18)
def wide_short(run: Run) -> dict:
    """A quarter of the digits' steps, at one rate."""
    return wide(run, steps=1000, cool=0)


WIDE.add("4,000 steps, cooled", wide, cost=68)

# --------------------------------------------------------------------------- networks

NETWORKS = Table("01", "networks", "the crowds of five GANs that the lesson loads",
                 ("modes", "seconds"), (0,), networks=True)  # fmt: skip


def ring_network(run: Run, group: int) -> dict:
    """Five games of the lesson's own length."""
    system = GanCrowd.from_preset("cpu", group=group)
    world, steps = Ring(system.settings["batch_size"]), system.settings["steps"]
    moments = {steps // 12, steps // 4, steps // 2, steps}
    looks = run.looks(moments, lambda system: system.sample(200))
    history = run.fit(system, world, on_step=looks)
    run.keep(history, looks, real=world.batch(0).image)
    system.rng = torch.Generator().manual_seed(0)
    found = {"modes": [world.coverage(points).modes for points in system.sample(2000)]}
    run.ship(system, history.elapsed, found)
    return {**found, "seconds": round(history.elapsed, 1)}


for name, group in (("gan_ring", 0), ("gan_ring_deviation", 8)):
    NETWORKS.add(name, lambda run, group=group: ring_network(run, group), cost=15,
                 only=True, ships=name)  # fmt: skip
