"""Places of wrong captions in a batch: what exercise 08.2 is judged by."""

from __future__ import annotations

import torch
from torch import Tensor

from .compare import Wrong, expect, expect_shape

__all__ = ["KINDS", "expect_other_class", "expect_places"]

KINDS = torch.tensor([21, 21, 35, 35, 35, 48])


def expect_places(got, kinds):
    """One place of the batch for each item."""
    expect(
        not (isinstance(got, Tensor) and got.ndim == 2),
        "this is a table of pairs; choose one place for each item: shape (B,).",
    )
    expect_shape(got, (len(kinds),), "the places", "(batch,)")
    expect(
        isinstance(got, Tensor)
        and not got.is_floating_point()
        and got.dtype != torch.bool,
        "places are whole numbers (they index the batch), but these are "
        f"{getattr(got, 'dtype', type(got))}.",
    )
    if not 0 <= int(got.min()) <= int(got.max()) < len(kinds):
        known = set(got.tolist()) <= set(kinds.tolist())
        raise Wrong(
            "these are class numbers; asked for is the place in the batch, 0 to B - 1."
            if known
            else f"places run from 0 to {len(kinds) - 1}, but one is {int(got.max())}."
        )


def expect_other_class(draws, kinds):
    """No draw may give an item a sentence of its own class."""
    own = torch.arange(len(kinds))
    same = kinds[draws] == kinds
    shifts = (draws - own) % len(kinds)
    if len(kinds) > 2 and (shifts == shifts[:, :1]).all() and (draws != draws[0]).any():
        raise Wrong(
            "all items are moved by one and the same lot (a random roll), so "
            "neighbours keep their order, and some meet their own class. Draw a lot "
            "for each item, among the items of other classes."
        )
    if not same.any():
        return
    if (draws == own).all():
        raise Wrong("every item gets its own caption, which is the right one.")
    if same.all():
        raise Wrong("the captions come from the same class; they should not.")
    rolled = any((draws == own.roll(k)).all() for k in (1, -1))
    where = "moving the batch on by one is not enough: " if rolled else ""
    raise Wrong(
        f"{where}{100 * same.float().mean():.0f} % of the wrong captions come from the "
        "picture's own class, so a true sentence would be called wrong."
    )
