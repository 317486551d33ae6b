"""Lesson 01's committed numbers, measured: mode coverage, gradients, digits.

    python benchmarks/vanilla_gan.py                 all parts (about an hour, CPU)
    python benchmarks/vanilla_gan.py --only ring     one part: ring, healing, gradient,
                                                     digits, wide
    python benchmarks/vanilla_gan.py --seeds 1       a quick look (not saved)
    python benchmarks/vanilla_gan.py --ship          the networks that the lesson loads,
                                                     and the record of the last one

Each part trains with seeds 0, 1, ... and replaces its entry in
t2i_course/measure/results_gan.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from t2i_course import weights
from t2i_course.measure.gan import RESULTS, clear_digits, results, speckle
from t2i_course.papers.gan import (
    Gan,
    nonsaturating_loss,
    points_gan,
    saturating_loss,
)
from t2i_course.papers.gan_crowd import GanCrowd
from t2i_course.show.record import keep
from t2i_course.training import fit
from t2i_course.worlds.digits import DigitReader, Digits
from t2i_course.worlds.points import Ring

SEEDS = 5


def seeded(make, seed: int, **settings):
    """A system built from that seed, so that its start is the seed's too."""
    torch.manual_seed(seed)
    return make("cpu", **settings)


def on_the_ring(seeds: int, betas, **settings) -> list[dict]:
    """Train on the ring, all seeds side by side; modes at the end and on the way."""
    system = GanCrowd.from_preset("cpu", seeds=seeds, steps=4000, **settings)
    system.betas = betas
    world = Ring(system.settings["batch_size"])
    steps, seen = system.settings["steps"], []

    def look(system, history, step):
        if step % (steps // 8) == 0:
            seen.append([world.coverage(points) for points in system.sample(2000)])

    fit(system, world, steps, device="cpu", progress=False, on_step=look)
    return [
        {
            "modes": way[-1].modes,
            "close": round(way[-1].close, 3),
            "modes_on_the_way": [found.modes for found in way],
        }
        for way in zip(*seen)
    ]


def ring(seeds: int, betas=(0.8, 0.999), rate=5e-4) -> dict:
    """Mode coverage of the vanilla GAN and of the one whose D sees its batch."""
    rows = {}
    for name, group in (("vanilla", 0), ("with deviation", 8)):
        runs = on_the_ring(seeds, betas, group=group, rate=rate)
        print(f"{name}:", *runs, sep="\n  ", flush=True)
        rows[name] = summary(runs, ("modes", "close"))
    return rows


def healing(seeds: int) -> dict:
    """The same with twice the learning rate and the usual momentum."""
    return ring(seeds, betas=(0.5, 0.999), rate=1e-3)


def gradient(seeds: int) -> dict:
    """Gradient norms of G's two losses against a D that has trained alone."""
    runs = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        system = points_gan("cpu")
        system.rng = torch.Generator().manual_seed(seed)
        train_discriminator(system, Ring(128, seed), 300)
        fake = system.discriminator(system.generator(system.draw_noise(1024)))
        saturating, other = (
            gradient_norm(loss(fake), system.generator)
            for loss in (saturating_loss, nonsaturating_loss)
        )
        runs.append({"saturating": saturating, "nonsaturating": other,
                     "ratio": other / saturating})  # fmt: skip
        print(f"seed {seed}: {runs[-1]}", flush=True)
    return summary(runs, ("saturating", "nonsaturating", "ratio"))


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


def digits(seeds: int) -> dict:
    """Train on real digits; how many of 1000 drawn ones are clearly each digit."""
    reader, runs = DigitReader(), []
    for seed in range(seeds):
        system = seeded(Gan.from_preset, seed)
        source = Digits(system.settings["batch_size"], seed)
        history = fit(system, source, system.settings["steps"], seed=seed, device="cpu",
                      progress=False)  # fmt: skip
        system.rng = torch.Generator().manual_seed(seed + 1)  # the lesson's, at seed 0
        drawn = system.sample(1000)
        counts = reader.counts(drawn)
        runs.append({
            "clear": int(counts.sum()) / 1000,
            "digits": int((counts > 0).sum()),
            "fewest": int(counts.min()),
            "counts": counts.tolist(),
            "distance": round(float(reader.distance(drawn).median()), 2),
            "seconds": round(history.elapsed, 1),
        })  # fmt: skip
        print(f"seed {seed}: {runs[-1]}", flush=True)
    made = summary(runs, ("clear", "digits", "fewest", "distance", "seconds"))
    made["reader"] = {"accuracy": reader.accuracy, "typical_distance": reader.typical}
    return made


def wide(seeds: int) -> dict:
    """The same plain layers at 28 x 28 pixels: do more steps help, as in section 7?"""
    reader, made = DigitReader(), {}
    schedules = {"1,000 steps": {"steps": 1000, "cool": 0}, "4,000 steps, cooled": {}}
    for name, settings in schedules.items():
        runs = []
        for seed in range(seeds):
            system = seeded(Gan.from_preset, seed, shape=(1, 28, 28), **settings)
            source = Digits(system.settings["batch_size"], seed, side=28)
            history = fit(system, source, system.settings["steps"], seed=seed,
                          device="cpu", progress=False)  # fmt: skip
            system.rng = torch.Generator().manual_seed(seed + 1)
            drawn = system.sample(1000)
            runs.append({
                "clear": round(clear_digits(reader, drawn), 4),
                "speckle": round(speckle(drawn), 4),
                "seconds": round(history.elapsed, 1),
            })  # fmt: skip
            print(f"{name}, seed {seed}: {runs[-1]}", flush=True)
        made[name] = summary(runs, ("clear", "speckle", "seconds"))
    return made


def summary(runs: list[dict], names: tuple[str, ...]) -> dict:
    """Mean, least and greatest of each named value, and the runs themselves."""
    made = {}
    for name in names:
        values = [run[name] for run in runs]
        mean = round(statistics.fmean(values), 6)
        made[name] = {"mean": mean, "min": min(values), "max": max(values)}
    return {**made, "seeds": len(runs), "runs": runs}


PARTS = {"ring": ring, "healing": healing, "gradient": gradient, "digits": digits,
         "wide": wide}  # fmt: skip


def ship() -> None:
    """Train and save the networks that lesson 01 loads where it doesn't train."""
    command = "python benchmarks/vanilla_gan.py --ship"
    for name, group in (("gan_ring", 0), ("gan_ring_deviation", 8)):
        system = GanCrowd.from_preset("cpu", group=group)
        world = Ring(system.settings["batch_size"])
        history = fit(system, world, system.settings["steps"], device="cpu")
        system.rng = torch.Generator().manual_seed(0)
        found = [world.coverage(points) for points in system.sample(2000)]
        measured = {"modes": [f.modes for f in found]}
        weights.save(system, name, command=command, seed=0, seconds=history.elapsed,
                     measured=measured)  # fmt: skip
        print(name, measured, flush=True)
    ship_digits(command)


def ship_digits(command: str) -> None:
    """The digits' network, with pictures and losses of its training on record."""
    system, looks = seeded(Gan.from_preset, 0), {}
    source, steps = Digits(system.settings["batch_size"]), system.settings["steps"]
    moments = {steps // 12, steps // 3, 2 * steps // 3, steps}

    def look(system, history, step):
        if step in moments:
            looks[step] = system.sample(15)

    history = fit(system, source, steps, device="cpu", on_step=look)
    keep("gan_digits", history, looks, command)
    system.rng = torch.Generator().manual_seed(1)
    counts = DigitReader().counts(system.sample(1000))
    measured = {"clear": int(counts.sum()), "digits": int((counts > 0).sum())}
    weights.save(system, "gan_digits", command=command, seed=0, half=True,
                 seconds=history.elapsed, measured=measured)  # fmt: skip
    print("gan_digits", measured, counts.tolist())


def save(name: str, made: dict, seconds: float) -> None:
    """Replace one part's entry in the committed file."""
    known = results()
    command = f"python benchmarks/vanilla_gan.py --only {name}"
    known[name] = {"command": command, "seconds": round(seconds), **made}
    RESULTS.write_text(json.dumps(known, indent=1) + "\n")


def main() -> None:
    """Measure what was asked for; save it when all seeds were run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, help="one part")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--ship", action="store_true", help="make the shipped networks")
    asked = parser.parse_args()
    if asked.ship:
        return ship()
    for name in [asked.only] if asked.only else PARTS:
        began = time.perf_counter()
        made = PARTS[name](asked.seeds)
        if asked.seeds >= SEEDS:
            save(name, made, time.perf_counter() - began)


if __name__ == "__main__":
    main()
