"""Tables of what is on record: a lesson names rows and columns, not cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..experiments import values
from .tables import Table, with_spread

__all__ = ["SCORES", "measured"]

# Columns that many tables of lesson 02 share: {head: (figure on record, digits)}.
SCORES = {
    "inception score": ("score", 1),
    "Frechet distance": ("distance", 0),
    "seconds, one thread": ("seconds", 0),
}


def by_row(row: str, column: tuple[str, int]) -> tuple[str, str, int]:
    """The row says the place, the column the figure and its digits."""
    return row, *column


def measured(
    found: dict,
    rows: Mapping[str, object],
    columns: Mapping[str, object] = SCORES,
    note: str = "",
    *,
    cell: Callable = by_row,
    times: float = 1,
    once: bool = False,
) -> Table:
    """Mean ± deviation over seeds of what is on record.

    found: `experiments.records(lesson)`; rows: {name: place}, such as "rules/all five";
    columns: {head: (figure, digits)}. Where it is not so simple: cell(row, column)
    returns (place, figure, digits) of the values of both. times: multiplies all, 100
    for percent. once: one run is all, for nothing is drawn by lot. A cell without runs
    says "not measured".
    """

    def text(row, column) -> str:
        place, figure, digits = cell(row, column)
        runs = [times * v for v in values(found, place, figure)]
        return f"{runs[0]:.{digits}f}" if once and runs else with_spread(runs, digits)

    return Table(
        list(columns),
        {name: [text(row, c) for c in columns.values()] for name, row in rows.items()},
        note,
    )
