"""What came back from a translation that was damaged on the way: lesson 06's table."""

from __future__ import annotations

from collections.abc import Mapping

from ..experiments import runs_of
from .tables import Table

__all__ = ["both_ways", "each_seed", "survival_table"]


def survival_table(found: dict, place: str, note: str = "") -> Table:
    """A column a seed: the map's overlap, and by damage the error of what comes back.

    found: `experiments.records(lesson)`; place: the table and the row, whose figures
    are "iou" and "survival", {damage: error}.
    """
    runs = runs_of(found, place)
    rows = {"overlap of the map (IoU)": [f"{run['iou']:.3f}" for run in runs]}
    for name in runs[0]["survival"] if runs else ():
        rows[f"back, {name}"] = [f"{run['survival'][name]:.3f}" for run in runs]
    return Table([f"seed {run['seed']}" for run in runs], rows, note)


def each_seed(
    found: dict,
    rows: Mapping[str, str],
    columns: Mapping[str, tuple[str, int]],
    note: str = "",
) -> Table:
    """A row each of `rows`, and for each of `columns` a column a seed.

    found: `experiments.records(lesson)`; rows: {name: place}; columns: {head: (figure,
    digits)}. Where a mean over seeds would hide that one failed.
    """
    runs = {name: runs_of(found, place) for name, place in rows.items()}
    seeds = [run["seed"] for run in next(iter(runs.values()))]
    heads = [f"{head}, seed {seed}" for head in columns for seed in seeds]
    cells = {
        name: [f"{run[f]:.{d}f}" for f, d in columns.values() for run in every]
        for name, every in runs.items()
    }
    return Table(heads, cells, note)


def both_ways(shares: Mapping[str, tuple[float, float]], note: str = "") -> Table:
    """A row each: the share that G bars, the share that F makes plain, and their mean.

    shares: {name: (barred, plain)}, of `measure.translation.patterns`.
    """
    cells = {
        name: [f"{value:.2f}" for value in (*pair, sum(pair) / 2)]
        for name, pair in shares.items()
    }
    return Table(["G(x) barred", "F(y) plain", "mean"], cells, note)
