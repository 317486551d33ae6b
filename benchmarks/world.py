"""How fast is the bird world drawn, and how fast is it read from the cache?

    python benchmarks/world.py [--size 64] [--json]

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

from t2i_course.worlds import bird_drawing, birds
from t2i_course.worlds.bird_species import individual_styles, species_table

STEPS = ("_background", "_shapes", "_legs", "_bars", "_paint_bird")


def best(function, rounds: int) -> float:
    """The fewest seconds that a call took."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times)


def some(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Content and style of `count` birds of many species."""
    return species_table()[np.arange(count) % 200], individual_styles(1, count)


def drawing(size: int, count: int, rounds: int) -> float:
    """Pictures a second, drawn as the world draws them."""
    content, style = some(count)

    def draw():
        for i in range(0, count, birds.CHUNK):
            part = slice(i, i + birds.CHUNK)
            bird_drawing.draw_birds(content[part], style[part], size)

    draw()
    return count / best(draw, rounds)


@contextmanager
def watched(names, seconds: dict[str, float]):
    """Adds up the seconds spent in functions of `bird_drawing`, each with its parts."""
    originals = {name: getattr(bird_drawing, name) for name in names}

    def timed(name):
        def call(*arguments, **keywords):
            begin = time.perf_counter()
            try:
                return originals[name](*arguments, **keywords)
            finally:
                seconds[name] = seconds.get(name, 0) + time.perf_counter() - begin

        return call

    with patch.multiple(bird_drawing, **{name: timed(name) for name in names}):
        yield


def profile(size: int, count: int) -> dict[str, float]:
    """Share of the drawing time by step; "painting" is the rest of _paint_bird."""
    seconds: dict[str, float] = {}
    with watched(STEPS, seconds):
        begin = time.perf_counter()
        drawing(size, count, 2)
        whole = time.perf_counter() - begin
    inner = sum(seconds[name] for name in ("_shapes", "_legs", "_bars"))
    shares = {
        "background and habitat": seconds["_background"],
        "distances of the parts": inner,
        "painting": seconds["_paint_bird"] - inner,
    }
    shares["coordinates and bytes"] = whole - sum(shares.values())
    return {name: round(value / whole, 3) for name, value in shares.items()}


def captions(count: int, rounds: int) -> float:
    """Captions a second, written and turned into numbers."""
    species = np.arange(count) % 200
    content = species_table()[species]
    return 10 * count / best(lambda: birds._write(species, content, 1), rounds)


def loader(size: int, rounds: int, batches: int = 50) -> dict[str, float]:
    """Pictures a second from a fresh cache on disk, as bytes and as floats."""
    with tempfile.TemporaryDirectory() as folder:
        with patch.dict(os.environ, T2I_CACHE=folder):
            birds._world.cache_clear()
            birds.Birds("train", size, individuals=10)
            birds._world.cache_clear()
            source = birds.Birds("train", size, batch_size=64, individuals=10)
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
    parser.add_argument("--size", type=int, default=64, help="pixels (default 64)")
    parser.add_argument("--count", type=int, default=960, help="pictures a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    read = loader(chosen.size, chosen.rounds)
    found = {
        "size": chosen.size,
        "threads": torch.get_num_threads(),
        "drawn per second": round(drawing(chosen.size, chosen.count, chosen.rounds)),
        "profile": profile(chosen.size, chosen.count),
        "captions per second": round(captions(100, chosen.rounds)),
        "loaded per second": round(read["bytes"]),
        "loaded per second as floats": round(read["floats"]),
    }
    if chosen.json:
        print(json.dumps(found))
        return
    print(f"at {chosen.size} x {chosen.size}, {found['threads']} threads:")
    for name in ("drawn", "captions", "loaded"):
        print(f"  {name:<10}{found[f'{name} per second']:>9,} a second")
    print(f"  as floats {found['loaded per second as floats']:>9,} a second")
    for name, share in found["profile"].items():
        print(f"  {100 * share:4.0f} % of drawing: {name}")


if __name__ == "__main__":
    main()
