"""Curves, bars and paths: what a training, a theory or a table looks like.

All functions return a matplotlib Figure (see `pictures.new_figure`), with every axis
named. Used in every lesson.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from .described import course_in_words, list_in_words, number_in_words
from .pictures import new_figure

__all__ = ["bars", "clouds", "curves", "lines", "paths", "smoothed"]


def as_array(values) -> np.ndarray:
    """A tensor, list or array as a NumPy array of floats."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=float)


def smoothed(values, window: int) -> np.ndarray:
    """Running mean over up to `window` values before and at each place; same length."""
    values = as_array(values)
    known = np.where(np.isnan(values), 0.0, values)
    total = np.cumsum(np.insert(known, 0, 0.0))
    number = np.cumsum(np.insert(~np.isnan(values), 0, False))
    end = np.arange(1, len(values) + 1)
    begin = np.maximum(end - window, 0)
    count = np.maximum(number[end] - number[begin], 1)
    return (total[end] - total[begin]) / count


def _levels(marks: Mapping[str, float] | None) -> str:
    """The dotted levels in words; empty where there are none."""
    said = [f"{name} ({number_in_words(y)})" for name, y in (marks or {}).items()]
    return f"Dotted levels: {list_in_words(said)}" if said else ""


def _curves_in_words(x, series: Mapping[str, Sequence], xlabel: str, ylabel: str):
    """What the curves do, in two sentences: over what, and how each goes."""
    first = as_array(next(iter(series.values()), []))
    along = np.arange(1, len(first) + 1) if x is None else as_array(x)
    ends = [number_in_words(value) for value in along[[0, -1]]] if len(along) else []
    over = f"{ylabel} over {xlabel}" + (f", from {' to '.join(ends)}" if ends else "")
    kind = "A curve" if len(series) == 1 else f"{len(series)} curves"
    courses = [course_in_words(name, as_array(v)) for name, v in series.items()]
    return f"{kind}: {over}", "; ".join(courses)


def _mark(axes, marks: Mapping[str, float] | None) -> None:
    """Dotted levels with their names at the right end."""
    where = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "bottom"}
    for name, level in (marks or {}).items():
        axes.axhline(level, color="0.45", lw=1, ls=":")
        axes.annotate(name, (1.0, level), fontsize=8, color="0.35", **where)


def lines(
    x,
    series: Mapping[str, Sequence],
    xlabel: str,
    ylabel: str,
    title: str | None = None,
    *,
    log: str = "",
    marks: Mapping[str, float] | None = None,
    dashed: Sequence[str] = (),
    outside: bool = False,
    between: tuple[float, float] | None = None,
    size: tuple[float, float] = (7.0, 3.0),
    axes=None,
):
    """Curves over a common x, with a legend.

    x: the common values, or None to count from 1. log: "x", "y" or "xy" for logarithmic
    axes. marks: {text: y} dotted levels to compare with. dashed: names of curves drawn
    with dashes, over those they should agree with. outside: put the legend at the
    right of the axes, where no curve can cross it. between: the ends of the y axis, for
    curves that are drawn again as they grow. axes: draw into these. Returns the Figure.
    """
    axes = axes if axes is not None else new_figure(*size).subplots()
    for name, values in series.items():
        values = as_array(values)
        along = np.arange(1, len(values) + 1) if x is None else as_array(x)
        axes.plot(along, values, label=name, lw=2, ls="--" if name in dashed else "-")
    _mark(axes, marks)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    if between:
        axes.set_ylim(*between)
    if title:
        axes.set_title(title)
    if "x" in log:
        axes.set_xscale("log")
    if "y" in log:
        axes.set_yscale("log")
    where = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if outside else {}
    axes.legend(fontsize=9, **where)
    words = _curves_in_words(x, series, xlabel, ylabel)
    return axes.figure.knows(title or "", *words, _levels(marks))


def curves(
    history,
    measures: Sequence[str] | None = None,
    *,
    title: str | None = None,
    window: int | None = None,
    marks: Mapping[str, float] | None = None,
):
    """A training's losses, a curve a player, and beside them its measurements.

    history: what `fit` returns; measures: names in `history.measures` (all by default);
    window: of the running mean, by default a fiftieth of the steps; the values before
    smoothing are drawn faintly. marks: {text: level} in the picture of the losses.
    """
    names = list(history.measures) if measures is None else list(measures)
    figure = new_figure(7.0 if len(names) < 2 else 9.0, 3.0)
    first, *rest = figure.subplots(1, 1 + len(names), squeeze=False)[0]
    window = window or max(len(history.steps) // 50, 1)
    smooth = {name: smoothed(v, window) for name, v in history.losses.items()}
    for i, values in enumerate(history.losses.values()):
        first.plot(history.steps, values, color=f"C{i}", alpha=0.2, lw=0.6)
    lines(history.steps, smooth, "step", "loss", title, marks=marks, axes=first)
    for i, (axes, name) in enumerate(zip(rest, names)):
        points = np.array(history.measures[name], dtype=float).reshape(-1, 3)
        axes.plot(points[:, 0], points[:, 2], color=f"C{2 + i}", lw=2, marker=".")
        axes.set(xlabel="step", ylabel=name)
        figure.knows(f"Beside it {course_in_words(name, points[:, 2])}")
    return figure


def bars(
    names: Sequence[str],
    groups: Mapping[str, Sequence],
    xlabel: str,
    ylabel: str,
    title: str | None = None,
    *,
    spread: Mapping[str, Sequence] | None = None,
    marks: Mapping[str, float] | None = None,
    size: tuple[float, float] = (7.0, 2.8),
):
    """Bars side by side: one place per name, one colour per group, values on top.

    spread: {group: half length of each error bar}; marks: {text: level} to compare
    with. Returns the Figure.
    """
    axes = new_figure(*size).subplots()
    place, wide = np.arange(len(names)), 0.8 / len(groups)
    for i, (group, values) in enumerate(groups.items()):
        where = place + (i - (len(groups) - 1) / 2) * wide
        error = None if spread is None else spread.get(group)
        made = axes.bar(where, as_array(values), wide * 0.94, label=group, yerr=error,
                        capsize=2, error_kw={"lw": 1})  # fmt: skip
        if len(groups) * len(names) <= 16:
            paper = {"fc": "white", "ec": "none", "alpha": 0.8, "pad": 0.5}
            axes.bar_label(made, fmt="{:.3g}", fontsize=8, padding=2, bbox=paper)
    for name, level in (marks or {}).items():  # in the legend: bars would hide a label
        axes.axhline(level, color="0.3", lw=1, ls=":", label=name)
    axes.set_xticks(place, names)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.margins(y=0.12)
    axes.grid(False, axis="x")
    if title:
        axes.set_title(title)
    if len(groups) > 1 or marks:
        axes.figure.set_layout_engine("constrained")  # makes room above the axes
        axes.figure.legend(fontsize=9, ncols=len(groups) + 1, loc="outside upper right")
    words = [_bars_in_words(names, group, values) for group, values in groups.items()]
    over = f"Bars: {ylabel} for each {xlabel}"
    return axes.figure.knows(title or "", over, *words, _levels(marks))


def _bars_in_words(names: Sequence, group: str, values) -> str:
    """The bars of one group: each, or of many the highest and the lowest."""
    values = as_array(values)
    if len(values) <= 10:
        return f"{group}: " + ", ".join(
            f"{number_in_words(value)} at {name}" for name, value in zip(names, values)
        )
    high, low = int(np.nanargmax(values)), int(np.nanargmin(values))
    return (
        f"{group}: {len(values)} bars, the highest {number_in_words(values[high])} at "
        f"{names[high]}, the lowest {number_in_words(values[low])} at {names[low]}"
    )


def paths(
    tracks: Mapping[str, Sequence],
    xlabel: str,
    ylabel: str,
    title: str | None = None,
    *,
    circle: float | None = None,
    size: tuple[float, float] = (5.2, 4.4),
):
    """Paths in the plane, each (T, 2), with a dot where they begin.

    circle: radius of a dotted circle round the origin to compare with.
    """
    axes = new_figure(*size).subplots()
    for name, track in tracks.items():
        track = as_array(track)
        dots = "." if len(track) <= 100 else None  # a long track is a line
        axes.plot(track[:, 0], track[:, 1], lw=1.4, marker=dots, label=name)
    for track in tracks.values():
        axes.plot(*as_array(track)[0], "o", color="black", ms=6, zorder=5)
    if circle:
        turn = np.linspace(0, 2 * np.pi, 200)
        axes.plot(circle * np.cos(turn), circle * np.sin(turn), ":", color="0.4", lw=1)
    axes.plot(0, 0, "+", color="black", ms=9)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.set_aspect("equal")
    if title:
        axes.set_title(title)
    axes.legend(fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    ways = [_path_in_words(name, as_array(track)) for name, track in tracks.items()]
    over = f"Paths in the plane of {xlabel} and {ylabel}, with a cross at the origin"
    return axes.figure.knows(title or "", over, *ways)


def _path_in_words(name: str, track: np.ndarray) -> str:
    """How far from the origin a path begins and ends."""
    begin, end = (number_in_words(np.hypot(*track[i])) for i in (0, -1))
    return f"{name}: {len(track)} places, from {begin} to {end} away from the origin"


def clouds(
    made: Sequence,
    real,
    title: str | None = None,
    *,
    names: Sequence[str] | None = None,
    rows: Sequence[str] = (),
    reach: float = 3.0,
    count: int = 400,
):
    """Small pictures side by side, one a generator: its points over the real ones.

    made: (N, 2) points of each generator, row by row where `rows` names several; real:
    (N, 2), drawn in each; of all of them the first `count`. names: of the generators,
    by default "seed 0" and so on. reach: the plane from -reach to reach. Used in
    lesson 01.
    """
    across = len(made) // max(len(rows), 1)
    names = names or [f"seed {number}" for number in range(across)]
    size = min(2.0, 7.6 / across)
    high = size * len(made) // across + 0.9
    figure = new_figure(size * across, high, layout="constrained")
    places = figure.subplots(len(made) // across, across, squeeze=False)
    for axes, points in zip(places.flat, made):
        axes.scatter(*as_array(real)[:count].T, s=4, color="C0", label="real")
        axes.scatter(*as_array(points)[:count].T, s=4, color="C1", label="generated")
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
        axes.set(xticks=[], yticks=[], aspect="equal")
    for axes, name in zip(places[0], names):
        axes.set_title(name, fontsize=10)
    for axes, name in zip(places[:, 0], rows):
        axes.set_ylabel(name, fontsize=10)
    key = {"handles": places[0, 0].collections, "ncols": 2, "markerscale": 3}
    figure.legend(**key, fontsize=9, loc="outside lower center")
    if title:
        figure.suptitle("\n".join(textwrap.wrap(title, 90)), fontsize=11)
    return figure.knows(
        "Clouds of points, generated (orange) over real (blue)",
        f"The rows, from above: {list_in_words(rows, 12)}" if rows else "",
        f"The columns, from the left: {list_in_words(names)}",
    )
