"""Small tables of results: mean and spread over seeds, published figures beside."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from statistics import mean, stdev

__all__ = ["Table", "seeds_row", "with_spread"]


class Table:
    """Rows under named columns; a notebook shows it as a table, `print` as text.

    rows: {name of the row: its cells, numbers or texts}. Used in lesson 08.
    """

    def __init__(
        self, columns: Sequence[str], rows: Mapping[str, Sequence], note: str = ""
    ):
        self.columns, self.note = list(columns), note
        self.rows = [[name, *map(_as_text, cells)] for name, cells in rows.items()]
        for row in self.rows:
            if len(row) != len(self.columns) + 1:
                raise ValueError(
                    f"{row[0]!r} has {len(row) - 1} cells, not {len(self.columns)}"
                )

    def __repr__(self) -> str:
        """Aligned plain text."""
        lines = [["", *self.columns], *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        texts = [
            "  ".join(cell.ljust(w) for cell, w in zip(x, widths)).rstrip()
            for x in lines
        ]
        return "\n".join(texts + ([self.note] if self.note else []))

    def _repr_html_(self) -> str:
        """What a notebook shows."""

        def row(cells, tag):
            rest = "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells[1:])
            first = html.escape(cells[0])
            return f"<tr><th style='text-align:left'>{first}</th>{rest}</tr>"

        body = "".join(row(cells, "td") for cells in self.rows)
        note = f"<p><small>{html.escape(self.note)}</small></p>" if self.note else ""
        return f"<table>{row(['', *self.columns], 'th')}{body}</table>{note}"


def _as_text(cell) -> str:
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)


def with_spread(values: Sequence[float], digits: int = 2) -> str:
    """Mean and standard deviation over seeds, "0.93 ± 0.01"; one stands alone."""
    values = list(values)
    if not values:
        return "not measured"
    if len(values) == 1:
        return f"{values[0]:.{digits}f} (one seed)"
    return f"{mean(values):.{digits}f} ± {stdev(values):.{digits}f}"


def seeds_row(values: Sequence[float], digits: int = 2) -> list[str]:
    """A row's cells: mean ± deviation over seeds, the least, the greatest, how many."""
    values = list(values)
    ends = [f"{end:.{digits}f}" for end in (min(values), max(values))] if values else []
    return [with_spread(values, digits), *(ends or ["", ""]), str(len(values))]
