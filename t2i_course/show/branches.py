"""What lesson 10 shows: pictures of all branches of a tree, and a table's dots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ..experiments import values
from .obeyed import missed, wishes
from .pictures import grid, new_figure

__all__ = ["dots", "same_size", "sizes"]

READ = (32, 64, 128)  # the sizes that an oracle reads


def same_size(branches: Sequence[Tensor]) -> Tensor:
    """All branches at the largest size, pixels repeated: (M * B, 3, S, S)."""
    largest = max(made.shape[-1] for made in branches)
    return torch.cat([F.interpolate(made.float(), largest) for made in branches])


def sizes(branches: Sequence[Tensor], title: str, named: Tensor | None = None,
          heads: Sequence[str] | None = None):  # fmt: skip
    """A row a branch, enlarged without smoothing; headed by what captions ask for.

    branches: pictures (B, 3, s, s) each; named: (B, A) what their captions name, or
    None where nothing was asked for; heads: other heads. A red frame, at 32 pixels and
    more, says that the oracle reads one of the named colours otherwise.
    """
    count, framed = len(branches[0]), []
    heads = count if heads is None else heads
    if named is not None:
        heads = wishes(named)
        for made in branches:
            read = made.shape[-1] in READ
            framed += missed(made, named).tolist() if read else [False] * count
    rows = [f"{made.shape[-1]} pixels" for made in branches]
    shown = same_size(branches)
    figure = grid(shown, heads, title=title, size=0.96, rows=rows, framed=framed)
    if named is None:
        return figure
    tally = "; ".join(
        f"{row}: {sum(framed[i * count : (i + 1) * count])} of {count}"
        for i, row in enumerate(rows)
        if branches[i].shape[-1] in READ
    )
    return figure.knows(f"Framed in red, for a missed colour, are {tally}")


def dots(found: dict, rows: Mapping[str, str], columns: Mapping[str, str], title: str,
         logarithmic: Sequence[str] = ()):  # fmt: skip
    """A panel a column, a place a row, a dot a seed.

    found: `experiments.records`; rows: {name: place}; columns: {heading: figure};
    logarithmic: headings of panels where each step to the right multiplies.
    """
    figure = new_figure(3.0 * len(columns), 3.0)
    panels = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    for axes, (heading, column) in zip(panels, columns.items()):
        for place, row in enumerate(rows.values()):
            seeds = values(found, row, column)
            axes.plot(seeds, [place] * len(seeds), "o", ms=6, alpha=0.7, color="C0")
        axes.set_yticks(range(len(rows)), rows)
        axes.set(xlabel=heading, ylim=(len(rows) - 0.5, -0.5))
        axes.margins(x=0.1)
        if heading in logarithmic:
            axes.set_xscale("log")
    figure.suptitle(title)
    said = (
        f"{name}, {heading}: {min(seen):.3g} to {max(seen):.3g}"
        for name, row in rows.items()
        for heading, column in columns.items()
        if (seen := values(found, row, column))
    )
    return figure.knows("A dot a seed", *said)
