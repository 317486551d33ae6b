"""Lesson 02's committed numbers, measured: rules, losses, rates, LAPGAN, noise.

    python benchmarks/dcgan.py                     every run that is not on record yet
    python benchmarks/dcgan.py --only losses       a part, or one name: losses/hinge
    python benchmarks/dcgan.py --seeds 0           fewer seeds than 0, 1, 2
    python benchmarks/dcgan.py --latent            paths and sums in the noise space
    python benchmarks/dcgan.py --ship dcgan_32     a network that the lesson loads:
                                                   dcgan_32, dcgan_64, lapgan_32, ...

Each run is saved by itself in t2i_course/measure/results_dcgan.json (seconds are those
of the machine it ran on).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from t2i_course import weights
from t2i_course.measure.dcgan import RESULTS, draw, quality, real_birds, results
from t2i_course.papers.dcgan import SHIPPED, Dcgan
from t2i_course.papers.gan import Gan
from t2i_course.papers.lapgan import Lapgan
from t2i_course.show.record import keep
from t2i_course.training import fit
from t2i_course.training.fit import NonFiniteLoss
from t2i_course.training.history import History
from t2i_course.worlds.birds import Birds

LOOKS = 5  # on the way, the last one at the end


def run(system_of, seed: int, settings: dict) -> dict:
    """Train one network from that seed; its quality on the way and at the end."""
    torch.manual_seed(seed)
    system = system_of("cpu", **settings)
    steps = system.settings["steps"]
    source, history, way = birds_for(system, seed), History(), []

    def look(system, now, step):
        nonlocal history
        history = now
        if step % (steps // LOOKS) == 0 and step < steps:
            way.append([step, *quality(draw(system, 1000, seed + 1)).values()])

    try:
        fit(
            system, source, steps, seed=seed, device="cpu", progress=False, on_step=look
        )
    except NonFiniteLoss as error:
        return {"stopped": f"{error}"[:60], "step": history.step}
    pictures = draw(system, 2000, seed + 1)
    found = quality(pictures)
    return found | {
        "steps": steps,
        "seconds": round(history.elapsed, 1),
        "way": [*way, [steps, *found.values()]],
        "losses": {name: thinned(values) for name, values in history.losses.items()},
    }


def birds_for(system, seed: int) -> Birds:
    """What the system trains on: 32x32 pictures unless it says otherwise."""
    return Birds("train", system.settings.get("size", 32),
                 system.settings["batch_size"], seed=seed)  # fmt: skip


def thinned(values: list[float], count: int = 50) -> list[float]:
    """`count` means of equal stretches."""
    stretch = max(len(values) // count, 1)
    parts = torch.tensor(values)[: stretch * (len(values) // stretch)].view(-1, stretch)
    return [round(float(mean), 3) for mean in parts.mean(1)]


# ------------------------------------------------------------------------- the runs

MLP = {"shape": (3, 32, 32), "noise_size": 100, "hidden": 512, "units": 512,
       "batch_size": 32, "cool": 0, "steps": 2000}  # fmt: skip
WASSERSTEIN = {"loss": "wgan_gp", "rates": (2e-4, 2e-4), "beta1": 0.0, "beta2": 0.9}
FAST = {"steps": 600}


def rates(factor: float, of=(2e-4, 1e-3)) -> dict:
    """Both players' rates, so many times as large, in a shorter run."""
    return FAST | {"rates": tuple(factor * rate for rate in of)}


RUNS = {
    "rules/all five": (Dcgan.from_preset, {}),
    "rules/no batch norm": (Dcgan.from_preset, {"norm": "none"}),
    "rules/pooling for strides": (Dcgan.from_preset, {"strided": False}),
    "rules/ReLU everywhere": (Dcgan.from_preset, {"leaky": False}),
    "vanilla": (Gan.from_preset, MLP),
    "losses/lsgan": (Dcgan.from_preset, {"loss": "lsgan"}),
    "losses/wgan_gp": (Dcgan.from_preset, WASSERSTEIN),
    "losses/hinge": (Dcgan.from_preset, {"loss": "hinge"}),
    "lapgan": (Lapgan.from_preset, {}),
}
for number in (1, 3, 10):
    for loss in ("nonsaturating", "lsgan", "hinge"):
        RUNS[f"rates/{loss}/{number}"] = (
            Dcgan.from_preset, {"loss": loss} | rates(number))  # fmt: skip
    RUNS[f"rates/wgan_gp/{number}"] = (
        Dcgan.from_preset, WASSERSTEIN | rates(number, WASSERSTEIN["rates"]))  # fmt: skip


def save(name: str, made: dict) -> None:
    """Add one run to the committed file, in place of an older one of that seed."""
    known = results()
    place = known
    for step in name.split("/"):
        place = place.setdefault(step, {})
    place["command"] = f"python benchmarks/dcgan.py --only '{name}'"
    place["hardware"] = weights.hardware_in_words()
    others = [run for run in place.get("runs", []) if run["seed"] != made["seed"]]
    place["runs"] = sorted([*others, made], key=lambda run: run["seed"])
    RESULTS.write_text(json.dumps(known, indent=1) + "\n")


def on_record(name: str, seed: int) -> bool:
    """Whether that run was saved."""
    place = results()
    for step in name.split("/"):
        place = place.get(step, {})
    return any(run["seed"] == seed for run in place.get("runs", []))


# --------------------------------------------------------------------- what is shipped


def ship(name: str) -> None:
    """Train a network that lesson 02 loads where it doesn't train, and save it."""
    make, settings, precision = SHIP[name]
    torch.manual_seed(0)
    system, looks = make("cpu", **settings), {}
    steps = system.settings["steps"]
    moments = {steps // 20, steps // 5, steps // 2, steps}

    def look(system, history, step):
        if step in moments:
            looks[step] = system.sample(10)

    history = fit(system, birds_for(system, 0), steps, device="cpu", progress=False,
                  precision=precision, on_step=look)  # fmt: skip
    keep(name, history, looks, f"python benchmarks/dcgan.py --ship {name}")
    drawn = draw(system, 2000, 1)
    measured = quality(drawn)
    print(name, f"{history.elapsed:.0f} s", measured, flush=True)
    made = torch.nn.ModuleDict({player: system.network(player)
                                for player in system.averaged or ("generator",)})  # fmt: skip
    only = next(iter(made.values())) if len(made) == 1 else made
    hardware = weights.hardware_in_words() + (", bf16" if precision else "")
    weights.save(only, name, command=f"python benchmarks/dcgan.py --ship {name}", seed=0,
                 seconds=history.elapsed, hardware=hardware, measured=measured,
                 half=True)  # fmt: skip


# name: how it is made, with what changes of its preset, in which precision
SHIP = {
    "dcgan_32": (Dcgan.from_preset, SHIPPED["dcgan_32"], None),
    "dcgan_64": (Dcgan.from_preset, SHIPPED["dcgan_64"], "bf16"),
    "lapgan_32": (Lapgan.from_preset, {}, None),
    "gan_birds_32": (Gan.from_preset, MLP, None),
}


def options() -> argparse.Namespace:
    """The command line."""
    found = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    found.add_argument("--only", default="", help="names that begin so")
    found.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    found.add_argument("--again", action="store_true", help="runs on record, too")
    found.add_argument("--latent", action="store_true")
    found.add_argument("--ship", choices=SHIP)
    return found.parse_args()


def main() -> None:
    """Do what was asked for."""
    asked = options()
    if asked.ship:
        return ship(asked.ship)
    if asked.latent:
        return latent(asked.seeds)
    save("real", {"seed": 0, **quality(real_birds(part=1).float() / 127.5 - 1)})
    for seed in asked.seeds:
        for name, (make, settings) in RUNS.items():
            wanted = name.startswith(asked.only)
            if wanted and (asked.again or not on_record(name, seed)):
                made = {"seed": seed, **run(make, seed, settings)}
                print(name, seed, *[f"{key} {made[key]}" for key in ("score", "distance",
                      "seconds", "stopped") if key in made], flush=True)  # fmt: skip
                save(name, made)


if __name__ == "__main__":
    main()
