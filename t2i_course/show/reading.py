"""Tables of lesson 07 whose cells are lists on record: slips, and length."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean

from ..experiments import values
from .tables import Table, with_spread

__all__ = ["length_table", "slips_table"]


def slips_table(found: dict, rows: Mapping[str, str], note: str = "") -> Table:
    """A row a reader, a column a number of slips: mean ± deviation over seeds of R@1.

    found: `experiments.records("07")`; rows: {name: place}.
    """
    lines, heads = {}, []
    for name, place in rows.items():
        runs = values(found, place, "slips as they stand")
        heads = [f"{n} slips" for n in runs[0]] if runs else heads
        lines[name] = [with_spread([run[n] for run in runs], 3) for n in runs[0]]
    return Table(heads, lines, note)


def length_table(found: dict, rows: Mapping[str, str], note: str = "") -> Table:
    """A row a reader, a column a number of attributes named: R@1 and its ceiling."""
    lines, heads, best = {}, [], []
    for name, place in rows.items():
        runs = values(found, place, "length")
        heads = [f"{n} named" for n in runs[0]]
        lines[name] = [with_spread([run[n][0] for run in runs], 3) for n in runs[0]]
        best = [f"{mean(run[n][1] for run in runs):.3f}" for n in runs[0]]
    lines["who sees and understands all"] = best
    return Table(heads, lines, note)
