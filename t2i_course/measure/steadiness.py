"""How steadily trainings learn: the spread over seeds, and the steps back on the way.

AttnGAN's summary in the talk calls it more stable to train; here that is a number.
Curves are those on record: rows of step, seconds, and obedience on parts. Lesson 11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

__all__ = ["equalised", "setback", "steadiness"]


def equalised(curve: Sequence[Sequence[float]], looks: int = 8) -> list[float]:
    """So many values of a curve, at equal shares of its training: the last is its end.

    curve: rows of step, seconds, and what was measured of each part, of which the mean
    is taken. Of the looks on record the nearest to each share is taken (the earlier of
    two), none is made up. ValueError where there are fewer looks than that.
    """
    if len(curve) < looks:
        raise ValueError(f"the curve has {len(curve)} looks, fewer than {looks}.")
    steps, values = [row[0] for row in curve], [fmean(row[2:]) for row in curve]
    wanted = [steps[-1] * (i + 1) / looks for i in range(looks)]
    return [
        values[min(range(len(steps)), key=lambda i: (abs(steps[i] - w), i))]
        for w in wanted
    ]


def setback(values: Sequence[float]) -> float:
    """How far a value falls, at most, below the best before it; 0 if it never falls."""
    best, found = values[0], 0.0
    for value in values:
        best = max(best, value)
        found = max(found, best - value)
    return found


def steadiness(runs: Sequence[Mapping], looks: int = 8) -> dict[str, float]:
    """Of runs with a "curve", one a seed: how alike they end, how far they fall back.

    "end": the mean over seeds of the last look; "spread": its deviation over seeds;
    "setback": the mean of each seed's largest; "largest setback": the worst seed's.
    All looks are at the same 400 captions (lessons 08 to 11). Had each its own, two at
    one network would differ by 0.03 or so by chance (one deviation): much smaller
    setbacks say nothing. ValueError for fewer than two runs.
    """
    if len(runs) < 2:
        raise ValueError("a spread over seeds needs two runs at least.")
    curves = [equalised(run["curve"], looks) for run in runs]
    ends, falls = [c[-1] for c in curves], [setback(c) for c in curves]
    found = {"end": fmean(ends), "spread": stdev(ends), "setback": fmean(falls),
             "largest setback": max(falls)}  # fmt: skip
    return {name: round(value, 4) for name, value in found.items()}
