"""Lesson 04's committed numbers, measured: codes, their priors, likelihoods.

    python benchmarks/codes.py                     all parts (about 20 minutes, CPU)
    python benchmarks/codes.py --only birds        one part: codebook, birds, rivals,
                                                   digits, levels, speed
    python benchmarks/codes.py --only birds --seed 1     one seed of it
    python benchmarks/codes.py --only birds --smoke      a quick look (not saved)

Each part trains with seeds 0, 1 and 2, and puts what a seed gave into its place in
t2i_course/measure/results_codes.json. Seed 0 also saves the networks that the lesson
loads.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from t2i_course import weights
from t2i_course.blocks import bits_per_dimension
from t2i_course.measure import codes as measure
from t2i_course.measure.dcgan import draw as draw_gan
from t2i_course.measure.samples import detail
from t2i_course.papers.dcgan import shipped as shipped_gan
from t2i_course.papers.pixelcnn import BIRDS, PixelCnn
from t2i_course.papers.vae import BIRDS as VAE_BIRDS
from t2i_course.papers.vae import Vae
from t2i_course.papers.vqvae import VqVae, perplexity
from t2i_course.papers.vqvae2 import TwoLevelPrior, VqVae2
from t2i_course.training import fit
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.digits import Digits

SEEDS = (0, 1, 2)
COMMAND = "python benchmarks/codes.py --only {} --seed 0"


class Bench:
    """One seed of one part: trains, times, notes what was found."""

    def __init__(self, part: str, seed: int, smoke: bool):
        self.part, self.seed, self.smoke = part, seed, smoke
        self.preset = "smoke" if smoke else "cpu"
        self.count = 100 if smoke else 2000

    def train(self, system, source, steps: int | None = None):
        """Train from this seed; the history. Evaluation mode afterwards."""
        steps = system.settings["steps"] if steps is None else steps
        steps = min(steps, 4) if self.smoke else steps
        history = fit(system, source, steps, seed=self.seed, device="cpu",
                      progress=False)  # fmt: skip
        system.eval()
        system.rng = torch.Generator().manual_seed(self.seed + 1)
        return history

    def note(self, row: str, **found) -> None:
        """Put a seed's figures into their row of the committed file."""
        made = {"seed": self.seed, **found}
        print(f"{self.part}/{row}: {made}", flush=True)
        if self.smoke:
            return
        known = measure.results()
        part = known.setdefault(self.part, {})
        part["command"] = f"python benchmarks/codes.py --only {self.part}"
        part["hardware"] = weights.hardware_in_words()
        runs = part.setdefault(row, {"runs": []})["runs"]
        runs[:] = [run for run in runs if run["seed"] != self.seed] + [made]
        runs.sort(key=lambda run: run["seed"])
        measure.RESULTS.write_text(json.dumps(known, indent=1) + "\n")

    def ship(self, system, name: str, seconds: float, **measured) -> None:
        """Save seed 0's network with the course."""
        if self.seed == 0 and not self.smoke:
            weights.save(system, name, command=COMMAND.format(self.part), seed=0,
                         seconds=seconds, measured=measured, half=True)  # fmt: skip


def rounded(**found) -> dict:
    """Numbers as they are kept."""
    found = {name: torch.as_tensor(value).item() for name, value in found.items()}
    return {name: round(value, 4) for name, value in found.items()}


def made(kind, seed: int, preset: str, **settings):
    """A system built from that seed, so that its start is the seed's too."""
    torch.manual_seed(seed)
    return kind.from_preset(preset, **settings)


def birds_of(batch_size: int, seed: int, smoke: bool) -> Birds:
    """Training birds in batches."""
    return Birds("train", 32, batch_size, 2 if smoke else 60, seed)


# --------------------------------------------------------------------------- the parts


def codebook(bench: Bench) -> None:
    """Three ways to move the entries: loss, moving averages, averages and revival."""
    ways = {"by its loss": {"decay": None, "revive": 0.0},
            "moving averages": {"revive": 0.0}, "and revival": {}}  # fmt: skip
    held = measure.unseen_birds(bench.count).image
    for name, settings in ways.items():
        system = made(VqVae, bench.seed, bench.preset, **settings)
        source = birds_of(system.settings["batch_size"], bench.seed, bench.smoke)
        history = bench.train(system, source, 600)
        codes = system.codes(held)
        error = F.mse_loss(system.reconstruct(held), held)
        used, alike = len(codes.unique()), perplexity(codes, system.values)
        bench.note(name, used=used, seconds=round(history.elapsed, 1),
                   **rounded(perplexity=alike, error=error))  # fmt: skip


def birds(bench: Bench) -> None:
    """The VQ-VAE of birds and three priors over its codes."""
    coder = made(VqVae, bench.seed, bench.preset)
    held = measure.unseen_birds(bench.count)
    source = birds_of(coder.settings["batch_size"], bench.seed, bench.smoke)
    history = bench.train(coder, source)
    coder.rng = torch.Generator().manual_seed(bench.seed + 1)
    drawn = coder.reconstruct(held.image)
    train = source.all(bench.count).to("cpu")
    deviation = measure.deviation_of(coder, train.image)
    bits = coder.bits_per_dimension(held.image, deviation).mean()
    alike = perplexity(coder.codes(held.image), coder.values)
    found = rounded(error=F.mse_loss(drawn, held.image), bits=bits, deviation=deviation,
                    perplexity=alike)  # fmt: skip
    bench.note("reconstructed", seconds=round(history.elapsed, 1), **found,
               **measure.pictures_in_figures(drawn, held.image))  # fmt: skip
    bench.ship(coder, "vqvae_birds", history.elapsed, **found)
    alone = coder.sample(bench.count)
    bench.note("uniform prior", **measure.pictures_in_figures(alone))
    for name, classes in (("learned prior", 0), ("prior by species", 200)):
        birds_prior(bench, coder, name, classes, held, train, deviation)


def birds_prior(bench, coder, name, classes, held, train, deviation) -> None:
    """One PixelCNN over the codes; samples of the training species."""
    prior = made(PixelCnn, bench.seed, bench.preset, coder=coder,
                 **BIRDS[bench.preset] | {"classes": classes})  # fmt: skip
    source = birds_of(prior.settings["batch_size"], bench.seed, bench.smoke)
    history = bench.train(prior, source)
    known = prior.log_prob(train.image, train.class_id) / prior.places
    found = rounded(bits_per_code_trained_on=-known.mean() / torch.tensor(2.0).log())
    if not classes:
        log_prior = prior.log_prob(held.image)
        bits = coder.bits_per_dimension(held.image, deviation, log_prior).mean()
        found |= rounded(bits=bits, bits_per_code=bits_per_dimension(
            log_prior, prior.places).mean())  # fmt: skip
    began = time.perf_counter()
    drawn = prior.sample(train.class_id, count=bench.count)
    found["seconds_drawing"] = round(time.perf_counter() - began, 1)
    found |= measure.of_species(drawn, train.attributes)
    found |= measure.pictures_in_figures(drawn)
    bench.note(name, seconds=round(history.elapsed, 1), **found)
    shipped = "pixelcnn_birds_species" if classes else "pixelcnn_birds"
    bench.ship(prior, shipped, history.elapsed, **found)


def rivals(bench: Bench) -> None:
    """A Gaussian VAE of birds beside the VQ-VAE, and what real birds would get."""
    held = measure.unseen_birds(bench.count)
    system = made(Vae, bench.seed, bench.preset, **VAE_BIRDS[bench.preset])
    source = birds_of(system.settings["batch_size"], bench.seed, bench.smoke)
    history = bench.train(system, source)
    found = rounded(
        error=F.mse_loss(system.reconstruct(held.image), held.image),
        bits=system.bits_per_dimension(held.image[:500], 64).mean(),
        bits_elbo=bits_per_dimension(
            system.bound(held.image), 3072, system.decoder.spacing).mean(),
    )  # fmt: skip
    sharp = measure.pictures_in_figures(system.reconstruct(held.image), held.image)
    found["detail_of_reconstructions"] = sharp["detail"]
    drawn = system.sample(bench.count)
    bench.note("VAE", seconds=round(history.elapsed, 1), **found,
               **measure.pictures_in_figures(drawn))  # fmt: skip
    rivals_trained_elsewhere(bench)


def rivals_trained_elsewhere(bench: Bench) -> None:
    """Lesson 02's shipped DCGAN, with this seed's noise, and other real birds."""
    drawn = draw_gan(shipped_gan("dcgan_32"), bench.count, bench.seed + 1)
    bench.note("DCGAN", **measure.pictures_in_figures(drawn))
    others = measure.real_birds(bench.count, part=1)
    bench.note("other real birds", **measure.pictures_in_figures(others))


def digits(bench: Bench) -> None:
    """Bits a pixel of the same digits at 17 grey levels: PixelCNN and VQ-VAE.

    The VAE's are lesson 03's (benchmarks/vae.py --only grey/rounded).
    """
    source, held = Digits(64, bench.seed), Digits(split="held-out")
    for name, classes in (("PixelCNN", 0), ("PixelCNN by class", 10)):
        pixels = made(PixelCnn, bench.seed, bench.preset, classes=classes)
        history = bench.train(pixels, source)
        bits = [pixels.bits_per_dimension(which.pictures(), which.class_id).mean()
                for which in (held, source)]  # fmt: skip
        found = rounded(bits=bits[0], bits_trained_on=bits[1])
        drawn = pixels.sample(held.class_id.repeat(4), count=1800)
        found["detail"] = round(detail(drawn) / detail(held.pictures()), 4)
        bench.note(name, seconds=round(history.elapsed, 1), **found)
        if not classes:
            bench.ship(pixels, "pixelcnn_digits", history.elapsed, **found)
    digits_by_codes(bench, source, held.pictures())


def digits_by_codes(bench: Bench, source, held) -> None:
    """A VQ-VAE with so few maps of codes that p(x) can be added up."""
    torch.manual_seed(bench.seed)
    coder = VqVae(**measure.FEW_CODES)
    history = bench.train(coder, source, 1000)
    torch.manual_seed(bench.seed)
    prior = PixelCnn(coder, **measure.FEW_CODES_PRIOR)
    after = bench.train(prior, source, 400)
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
    bench.note("VQ-VAE", seconds=round(seconds, 1), **found)
    bench.ship(prior, "pixelcnn_few_codes", seconds, **found)


def levels(bench: Bench) -> None:
    """VQ-VAE-2: what its two maps of codes hold, and birds drawn from both priors."""
    coder = made(VqVae2, bench.seed, bench.preset)
    source = birds_of(coder.settings["batch_size"], bench.seed, bench.smoke)
    history = bench.train(coder, source)
    held = measure.unseen_birds(bench.count)
    drawn = coder.decode(*coder.codes(held.image))
    found = rounded(error=F.mse_loss(drawn, held.image))
    for name, codes in zip(("top", "bottom"), coder.codes(held.image)):
        found[f"perplexity_{name}"] = round(float(perplexity(codes, coder.values)), 2)
    other = held.image.roll(777, 0)
    swapped = measure.follows(coder.swap(held.image, other), held.image, other)
    bench.note("coder", seconds=round(history.elapsed, 1), **found, swapped=swapped,
               **measure.pictures_in_figures(drawn, held.image))  # fmt: skip
    bench.ship(coder, "vqvae2_birds", history.elapsed, **found)
    settings = {"classes": 0, "channels": 32, "layers": 5, "out": 96, "rate": 2e-3}
    prior = made(TwoLevelPrior, bench.seed, bench.preset, coder=coder, **settings)
    history = bench.train(prior, birds_of(32, bench.seed, bench.smoke), 1000)
    figures = measure.pictures_in_figures(prior.sample(count=bench.count))
    bench.note("learned prior", seconds=round(history.elapsed, 1), **figures)


def speed(bench: Bench) -> None:
    """Seconds to draw maps of codes with and without keeping what was computed."""
    for side in (8, 16) if bench.smoke else (8, 16, 32):
        torch.manual_seed(bench.seed)
        prior = PixelCnn(values=128, shape=(1, side, side), classes=0, first=5,
                         channels=32, layers=5, out=96)  # fmt: skip
        noise, took = torch.rand(4, side, side), {}
        for name in ("sample", "sample_slowly"):
            began = time.perf_counter()
            getattr(prior.pixelcnn.eval(), name)(noise)
            took[name] = time.perf_counter() - began
        bench.note(f"{side} x {side}", **rounded(
            kept=took["sample"], anew=took["sample_slowly"],
            times=took["sample_slowly"] / took["sample"]))  # fmt: skip


PARTS = {"codebook": codebook, "birds": birds, "rivals": rivals, "digits": digits,
         "levels": levels, "speed": speed}  # fmt: skip


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, help="one part")
    parser.add_argument("--seed", type=int, choices=SEEDS, help="one seed")
    parser.add_argument("--smoke", action="store_true", help="seconds; saves nothing")
    asked = parser.parse_args()
    for part in [asked.only] if asked.only else PARTS:
        for seed in SEEDS if asked.seed is None else [asked.seed]:
            PARTS[part](Bench(part, seed, asked.smoke))


if __name__ == "__main__":
    main()
