"""Captions of a batch drawn with the right mask and with the released one (lesson 11).

The instrument is `measure.padding`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..data import Batch
from ..measure.padding import in_batches
from .pictures import grid

__all__ = ["beside_released", "spread_by_length"]


def spread_by_length(batch: Batch, count: int = 8) -> Tensor:
    """(count,) rows of a batch: its shortest caption to its longest, evenly between."""
    order = batch.lengths.cpu().argsort(stable=True)
    return order[torch.linspace(0, len(order) - 1, count).round().long()]


def beside_released(system, batch: Batch, title: str, count: int = 8, seed: int = 0):
    """Some captions of one batch, by both masks, and where places heard padding.

    Columns go from the shortest caption to the longest; above each, its words and the
    share of attention in the last stage that padding gets. In the third row a place is
    the lighter, the more of its attention padding gets.
    """
    many = len(batch.lengths)
    right, wrong = (in_batches(system, batch, mask, many, seed)
                    for mask in ("words", "released"))  # fmt: skip
    rows = spread_by_length(batch, count)
    size = right.pictures.shape[-2:]
    light = F.interpolate(wrong.where[rows, None], size=size).expand(-1, 3, -1, -1)
    heads = [f"{n} word{'s' * (n > 1)}" for n in batch.lengths[rows].tolist()]
    shares = [f"{100 * s:.0f} %" for s in wrong.padding[-1, rows].tolist()]
    pictures = torch.cat([right.pictures[rows], wrong.pictures[rows], 2 * light - 1])
    rows_named = ["right mask", "released", "padding's share\n(% above)"]
    figure = grid(pictures, [f"{head}, {share}" for head, share in zip(heads, shares)],
                  title=title, size=0.96, rows=rows_named)  # fmt: skip
    heard = (f"{head} {share}" for head, share in zip(heads, shares))
    return figure.knows("Of attention padding gets: " + "; ".join(heard))
