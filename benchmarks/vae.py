"""Lesson 03's committed numbers, measured; and the networks that the lesson loads.

    python benchmarks/vae.py                       everything, seeds 0 1 2 (ten minutes)
    python benchmarks/vae.py --only grey/rounded   one entry, or a whole part (grey)
    python benchmarks/vae.py --seeds 0             some seeds: their runs are replaced

Each run is written to t2i_course/measure/results_vae.json at once. Seed 0 of some
entries ships: see SHIPPED.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from t2i_course import weights
from t2i_course.measure.dcgan import draw, quality, real_birds
from t2i_course.measure.vae import (
    RESULTS,
    bits_by_draws,
    blur,
    codes_and_prior,
    fidelity,
    grey_levels,
    held_out,
    kept_pixels,
    results,
    seeded,
)
from t2i_course.papers.aae import Aae
from t2i_course.papers.dcgan import shipped as shipped_dcgan
from t2i_course.papers.vae import BIRDS, COLLAPSE, GREY, Vae
from t2i_course.show.record import keep
from t2i_course.training import fit
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.digits import DigitReader, Digits

RECORDED = "grey/rounded"  # the lesson shows how its network of seed 0 learned


def trained(kind, seed: int, source, record: str = "", **settings):
    """A system of that seed after its training, and how many seconds that took.

    record: a name to keep pictures and losses under (see `show.record`).
    """
    torch.manual_seed(seed)
    system, looks = kind.from_preset("cpu", **settings), {}
    data, steps = source(system.settings["batch_size"]), system.settings["steps"]

    def look(system, history, step):
        if record and step in (steps // 60, steps // 12, steps // 3, steps):
            looks[step] = system.sample(15)

    history = fit(system, data, steps, seed=seed, device="cpu", progress=False,
                  on_step=look)  # fmt: skip
    if record:
        keep(record, history, looks, f"python benchmarks/vae.py --only {RECORDED}")
    return system.eval(), round(history.elapsed, 1)


def digits(seed: int):
    """Makes the training digits for a batch size."""
    return lambda size: Digits(size, seed)


def grey(seed: int, **settings):
    """Digits at 17 grey levels, by one likelihood or one beta."""
    record = "" if seed or settings else "vae_digits"
    settings = GREY["cpu"] | settings
    system, seconds = trained(Vae, seed, digits(seed), record, **settings)
    return system, {**grey_levels(system), "seconds": seconds}


def collapse(seed: int, name: str):
    """Black and white digits: what each latent number says of them."""
    system, seconds = trained(Vae, seed, digits(seed), **COLLAPSE[name])
    kl = seeded(system, 0).kl_per_latent(held_out(system))
    return system, {
        "kl": round(float(kl.sum()), 3),
        "per_latent": [round(value, 3) for value in kl.tolist()],
        "bits": round(bits_by_draws(system, (64,))[64], 4),
        "kept": round(kept_pixels(system), 4),
        "seconds": seconds,
    }


def codes(seed: int, name: str):
    """Two latent numbers: do the codes of digits lie as the prior does?"""
    settings = {"vae": (Vae, {**GREY["cpu"], "latent": 2}), "aae": (Aae, {})}
    kind, own = settings[name]
    system, seconds = trained(kind, seed, digits(seed), **own)
    found = codes_and_prior(system)
    drawn = seeded(system, 0).sample(1000)
    return system, {
        "distance": round(found.distance, 5),
        "p": round(found.p, 4),
        "error": round(fidelity(system), 4),
        "clear": round(float(DigitReader().read(drawn)[1].float().mean()), 3),
        "seconds": seconds,
    }


def birds(seed: int, name: str):
    """How sharp, and how near to real birds: 2,000 pictures."""
    system, seconds = None, 0.0
    if name == "real":
        pictures = real_birds(part=1)
    elif name == "dcgan":
        pictures = draw(shipped_dcgan("dcgan_32"), seed=seed)
    else:

        def source(size):
            return Birds("train", 32, size, seed=seed)

        system, seconds = trained(Vae, seed, source, **BIRDS["cpu"])
        pictures = draw(system)
    found = {**quality(pictures), **blur(pictures), "seconds": seconds}
    if system is not None:
        again = seeded(system, 0).reconstruct(
            Birds("test", 32).all(1000).to("cpu").image
        )
        found["detail_of_reconstructions"] = blur(again)["detail"]
    return system, found


ENTRIES = {
    "grey/rounded": grey,
    "grey/gaussian": lambda seed: grey(seed, likelihood="gaussian"),
    "beta/0.2": lambda seed: grey(seed, beta=0.2),
    "beta/5": lambda seed: grey(seed, beta=5.0),
    **{f"collapse/{name}": lambda seed, name=name: collapse(seed, name)
       for name in COLLAPSE},
    **{f"codes/{name}": lambda seed, name=name: codes(seed, name)
       for name in ("vae", "aae")},
    **{f"birds/{name}": lambda seed, name=name: birds(seed, name)
       for name in ("vae", "dcgan", "real")},
}  # fmt: skip
# entry: the name of its network of seed 0, which the lesson loads or makes anew
SHIPPED = {
    "grey/rounded": "vae_digits",
    "collapse/mlp": "vae_mlp",
    "collapse/pixelcnn": "vae_pixelcnn",
    "codes/vae": "vae_plane",
    "codes/aae": "aae_digits",
    "birds/vae": "vae_birds_32",
}


def save(entry: str, seed: int, found: dict) -> str:
    """Replace that seed's run in the committed file; the command that made it."""
    command = f"python benchmarks/vae.py --only {entry}"
    known, (part, name) = results(), entry.split("/")
    here = known.setdefault(part, {}).setdefault(name, {"runs": []})
    here |= {"command": command, "hardware": weights.hardware_in_words()}
    others = [run for run in here["runs"] if run["seed"] != seed]
    here["runs"] = sorted([*others, {"seed": seed, **found}], key=lambda r: r["seed"])
    RESULTS.write_text(json.dumps(known, indent=1) + "\n")
    return command


def main() -> None:
    """Measure what was asked for, one run after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="an entry, or a part: grey, birds")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    asked = parser.parse_args()
    for entry, measure in ENTRIES.items():
        if not f"{entry}/".startswith(f"{asked.only}/" if asked.only else ""):
            continue
        for seed in asked.seeds if entry != "birds/real" else asked.seeds[:1]:
            system, found = measure(seed)
            command = save(entry, seed, found)
            print(entry, seed, found, flush=True)
            if seed == 0 and entry in SHIPPED:
                kept = {"seconds": found["seconds"], "measured": found, "half": True}
                weights.save(system, SHIPPED[entry], command=command, seed=0, **kept)


if __name__ == "__main__":
    main()
