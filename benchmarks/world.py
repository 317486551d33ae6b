"""How fast is a world drawn, and how fast is it read from the cache?

    python benchmarks/world.py [--world flowers] [--size 64] [--json]

Drawing: pictures a second with their part maps, in batches as the world draws them, and
what each step takes. Captions: sentences a second, with their words' numbers. Loader:
pictures a second as batches of 64 with captions and tokens, from a cache on disk that
has just been written, once as bytes and once as floats in [-1, 1]. Each figure is the
best of several rounds, so that a busy machine disturbs it least.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np

import t2i_course  # noqa: F401  # isort: skip  (before torch: how threads wait)
import torch

from t2i_course.worlds import bird_drawing, drawn, flower_drawing
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.flowers import Flowers

SOURCES = {"birds": Birds, "flowers": Flowers}
# The functions whose time is told, each of the file that calls it.
STEPS = {
    "birds": (
        bird_drawing,
        {
            "background and habitat": ("_background",),
            "distances of the parts": ("_shapes", "_legs", "_bars"),
            "painting": ("_paint_bird",),
        },
    ),
    "flowers": (
        flower_drawing,
        {
            "background": ("background",),
            "stem and leaves": ("paint_greenery",),
            "distances of the petals": ("petals",),
            "painting": ("paint_petals", "paint_stamens", "paint_centre"),
        },
    ),
}


def best(function, rounds: int) -> float:
    """The fewest seconds that a call took."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times)


def some(source: type, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Content and style of `count` drawings of many species."""
    world, kinds = source.world, source.world.splits()["train"]
    content = np.concatenate([world.contents(k, 1) for k in np.resize(kinds, count)])
    return content, world.styles(1, count)


def drawing(source: type, size: int, count: int, rounds: int) -> float:
    """Pictures a second, drawn as the world draws them."""
    content, style = some(source, count)
    draw_some = source.world.draw

    def draw():
        for i in range(0, count, drawn.CHUNK):
            part = slice(i, i + drawn.CHUNK)
            draw_some(content[part], style[part], size)

    draw()
    return count / best(draw, rounds)


@contextmanager
def watched(module, names, seconds: dict[str, float]):
    """Adds up the seconds spent in functions of a module, each with its parts."""
    originals = {name: getattr(module, name) for name in names}

    def timed(name):
        def call(*arguments, **keywords):
            begin = time.perf_counter()
            try:
                return originals[name](*arguments, **keywords)
            finally:
                seconds[name] = seconds.get(name, 0) + time.perf_counter() - begin

        return call

    with patch.multiple(module, **{name: timed(name) for name in names}):
        yield


def profile(source: type, size: int, count: int) -> dict[str, float]:
    """Share of the drawing time by step; "painting" without the distances."""
    module, steps = STEPS[source.world.name]
    seconds: dict[str, float] = {}
    with watched(module, [name for step in steps.values() for name in step], seconds):
        begin = time.perf_counter()
        drawing(source, size, count, 2)
        whole = time.perf_counter() - begin
    shares = {
        step: sum(seconds[name] for name in names) for step, names in steps.items()
    }
    inner = next(step for step in shares if step.startswith("distances"))
    shares["painting"] -= shares[inner]
    shares["coordinates and bytes"] = whole - sum(shares.values())
    return {name: round(value / whole, 3) for name, value in shares.items()}


def captions(source: type, count: int, rounds: int) -> float:
    """Captions a second, written and turned into numbers."""
    species, content = np.arange(count), some(source, count)[0]
    seconds = best(lambda: drawn.write(source.world, species, content, 1), rounds)
    return 10 * count / seconds


def loader(kind: type, size: int, rounds: int, batches: int = 50) -> dict[str, float]:
    """Pictures a second from a fresh cache on disk, as bytes and as floats."""
    with tempfile.TemporaryDirectory() as folder:
        with patch.dict(os.environ, T2I_CACHE=folder):
            drawn.arrays_of.cache_clear()
            kind("train", size, individuals=10)
            drawn.arrays_of.cache_clear()
            source = kind("train", size, batch_size=64, individuals=10)
        source.batch(0)  # the captions are cut into lines once

        def read(floats: bool):
            for step in range(batches):
                batch = source.batch(step)
                if floats:
                    batch.to("cpu")

        return {
            "bytes": 64 * batches / best(lambda: read(False), rounds),
            "floats": 64 * batches / best(lambda: read(True), rounds),
        }


def main() -> None:
    """Measure and print lines, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", choices=SOURCES, default="birds")
    parser.add_argument("--size", type=int, default=64, help="pixels (default 64)")
    parser.add_argument("--count", type=int, default=960, help="pictures a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    source = SOURCES[chosen.world]
    read = loader(source, chosen.size, chosen.rounds)
    drew = drawing(source, chosen.size, chosen.count, chosen.rounds)
    found = {
        "world": chosen.world,
        "size": chosen.size,
        "threads": torch.get_num_threads(),
        "drawn per second": round(drew),
        "profile": profile(source, chosen.size, chosen.count),
        "captions per second": round(captions(source, 100, chosen.rounds)),
        "loaded per second": round(read["bytes"]),
        "loaded per second as floats": round(read["floats"]),
    }
    if chosen.json:
        print(json.dumps(found))
        return
    print(
        f"{chosen.world} at {chosen.size} x {chosen.size}, {found['threads']} threads:"
    )
    for name in ("drawn", "captions", "loaded"):
        print(f"  {name:<10}{found[f'{name} per second']:>9,} a second")
    print(f"  as floats {found['loaded per second as floats']:>9,} a second")
    for name, share in found["profile"].items():
        print(f"  {100 * share:4.0f} % of drawing: {name}")


if __name__ == "__main__":
    main()
