"""The likeliest slip behind a wrong value, guessed from how it differs from the right.

`slip` looks for the traces that common slips leave: a turned sign, a factor, a constant
too many, values in other places. Its sentence ends each message about a value, so that
none ends with two bare numbers.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["slip"]

FACTORS = {2.0: "twice", 0.5: "half of", 4.0: "four times", 0.25: "a quarter of"}


def slip(got: Tensor, want: Tensor) -> str:
    """One sentence for the learner, from two float64 tensors of one shape."""
    g, w = got.flatten(), want.flatten()
    known = g.isfinite() & w.isfinite()
    g, w = g[known], w[known]
    if len(g) == 0:
        return "Is there a log of 0 or a division by 0?"
    for trace in (_sign, _factor, _constant, _places, _all_alike):
        found = trace(g, w)
        if found:
            return found
    if len(g) == 1:
        return (
            "No slip that we know gives just this; work it out by hand for two or "
            "three inputs, term by term: is a sign turned, a term missing, or a "
            "mean taken over another axis?"
        )
    return (
        "No slip that we know gives just this; try it on a tiny input that you can "
        "work out by hand: is a term missing, a sign turned, or an axis another one?"
    )


def _same(one: Tensor, other: Tensor) -> bool:
    return bool(torch.allclose(one, other, atol=1e-5, rtol=1e-3))


def _sign(g: Tensor, w: Tensor) -> str:
    if _same(g, -w):
        return "This is the right value with its sign turned round."
    return ""


def _factor(g: Tensor, w: Tensor) -> str:
    """Every value is the same multiple of the right one."""
    large = w.abs() > 1e-6
    if not large.any():
        return ""
    ratio = float((g[large] / w[large]).mean())
    if abs(ratio) < 1e-3 or not _same(g, ratio * w):
        return ""
    if len(g) == 1 and min(abs(ratio - factor) for factor in FACTORS) > 1e-3:
        return ""  # one number is a multiple of any other
    named = [word for factor, word in FACTORS.items() if abs(ratio - factor) < 1e-3]
    much = named[0] if named else f"{ratio:.3g} times"
    return (
        f"This is {much} the right value: is a factor missing or one too many, or a "
        "sum taken where a mean belongs (or the other way round)?"
    )


def _constant(g: Tensor, w: Tensor) -> str:
    if len(g) > 1 and _same(g - w, (g - w).mean().expand_as(g)):
        return (
            "Every value is off by the same amount: is a constant term missing, or one "
            "too many?"
        )
    return ""


def _places(g: Tensor, w: Tensor) -> str:
    apart = len(w.unique()) > 1
    if apart and _same(g.sort().values, w.sort().values):
        return (
            "The values are right, but stand in other places: is an axis turned or "
            "exchanged (flip, transpose, view), or the order another one?"
        )
    return ""


def _all_alike(g: Tensor, w: Tensor) -> str:
    if len(g) > 1 and _same(g, g[0].expand_as(g)) and not _same(w, w[0].expand_as(w)):
        return "All of them are alike here: is a mean or a sum taken over too much?"
    return ""
