"""What came back from a translation that was damaged on the way: lesson 06's table."""

from __future__ import annotations

from ..experiments import values
from .tables import Table, with_spread

__all__ = ["survival_table"]


def survival_table(found: dict, place: str, note: str = "") -> Table:
    """A row a damage: mean ± deviation over seeds of the error of what comes back.

    found: `experiments.records(lesson)`; place: the table and the row, whose figure
    "survival" is {damage: error} of each seed.
    """
    runs = values(found, place, "survival")
    names = list(runs[0]) if runs else []
    rows = {name: [with_spread([run[name] for run in runs], 3)] for name in names}
    return Table(["error of what comes back"], rows, note)
