"""The check of lesson 00: obedience, the number that judges every bird."""

from __future__ import annotations

import torch
from torch import Tensor

from .core import Promise, diagnose, exercise, expect


def obedience_share(seen: Tensor, named: Tensor) -> float:
    """The share of named attributes that are seen as named, in tables of any width.

    On whole readings it is `measure.obedience`'s "all".
    """
    return ((seen == named).sum() / (named >= 0).sum()).item()


def _right(seen, named):
    return (seen == named).float()


def _per_caption(seen, named):
    return (_right(seen, named).sum(1) / (named >= 0).sum(1)).mean()


def _completely(seen, named):
    return ((seen == named) | (named < 0)).all(1).float().mean()


def _per_attribute(seen, named):
    count = (named >= 0).sum(0)
    return (_right(seen, named).sum(0)[count > 0] / count[count > 0]).mean()


def _per_attribute_if_named(seen, named):
    """NaN where an attribute is never named."""
    return (_right(seen, named).sum(0) / (named >= 0).sum(0)).mean()


def _share_of_right(seen, named, among):
    """How many are right among those, as a share of them."""
    return (_right(seen, named) * among).sum() / among.sum()


KNOWN = {
    "this counts attributes that a caption does not name (-1) as disobeyed. A caption "
    "that is silent about the tail asks nothing of it: divide by the number of named "
    "attributes only.": lambda s, n: _right(s, n).mean(),
    "this counts silence (-1) as obedience: a caption that names nothing would be "
    "obeyed by any picture. Leave the -1 out of both counts.": lambda s, n: (
        ((s == n) | (n < 0)).float().mean()
    ),
    "this is how many named attributes are right; obedience is a share: divide by how "
    "many are named.": lambda s, n: _right(s, n).sum(),
    "this is disobedience: one minus the share that was asked for.": lambda s, n: (
        1 - _right(s, n).sum() / (n >= 0).sum()
    ),
    "this averages within each caption first, so that a caption that names one thing "
    "weighs as much as one that names four. Count over all captions together.": (
        _per_caption
    ),
    "this is the share of captions that are obeyed in everything they name; one wrong "
    "tail loses the wing too. Count attributes, not captions.": _completely,
    "this averages within each attribute first, so that a rarely named one weighs as "
    "much as the wing. Count over all attributes together.": _per_attribute,
    "this averages within each attribute first, and is 0/0 where one is never named "
    "(nan, not a number). Count over all attributes together: one sum divided by one "
    "sum.": _per_attribute_if_named,
    "this divides by the number of captions. A caption names several things, or one: "
    "divide by how many attributes are named in all, the sum of `named >= 0`.": (
        lambda s, n: _right(s, n).sum() / len(n)
    ),
    "value 0 is a value too (it is red, or plain, or short): named is where the number "
    "is not -1, so `named >= 0` and not `named > 0`.": lambda s, n: _share_of_right(
        s, n, n > 0
    ),
    "your sum is right, but you divide by the sum of `named > 0`, and value 0 is a "
    "value too (it is red, or plain, or short): `named >= 0`.": lambda s, n: (
        _right(s, n).sum() / (n > 0).sum()
    ),
    "`named != 0` takes silence (-1) for a wish, and a wish for value 0 (red, plain, "
    "short) for silence: named is where the number is not -1, so `named >= 0`.": (
        lambda s, n: _share_of_right(s, n, n != 0)
    ),
    "your sum is right, but you divide by the sum of `named != 0`, which counts "
    "silence (-1) and leaves out value 0 (red, plain, short): `named >= 0`.": (
        lambda s, n: _right(s, n).sum() / (n != 0).sum()
    ),
    "this is 0. Either nothing was counted as obeyed (compare number by number, `seen "
    "== named`), or the share was cut off to a whole number, as `//` and `int` do.": (
        lambda s, n: _right(s, n).sum() // (n >= 0).sum()
    ),
    "`named.sum()` adds up the values, colours and -1 alike; how many are named is the "
    "sum of a table of True and False, `(named >= 0).sum()`.": lambda s, n: (
        _right(s, n).sum() / n.sum()
    ),
    "this looks at three rows and three columns, as in the example. The tables here "
    "are larger: use all of `seen` and `named`.": lambda s, n: obedience_share(
        s[:3, :3], n[:3, :3]
    ),
    "this is the example's 3/4, whatever the tables hold: work it out from `seen` and "
    "`named`.": lambda s, n: 0.75,
    "`&` binds tighter than `==`, so `seen == named & (named >= 0)` joins the wrong "
    "things: put each comparison in parentheses.": lambda s, n: (
        (s == n & (n >= 0)).sum() / (n >= 0).sum()
    ),
    "this is a percentage: a share lies between 0 and 1.": lambda s, n: (
        100 * _right(s, n).sum() / (n >= 0).sum()
    ),
    "this is the share of attributes that are named at all; it never looks at the "
    "picture.": lambda s, n: (n >= 0).float().mean(),
}


def _examples() -> list[tuple[Tensor, Tensor]]:
    """Two batches in which each known mistake gives another number."""
    rng = torch.Generator().manual_seed(4)
    seen = torch.randint(0, 4, (12, 9), generator=rng)
    slips = torch.randint(0, 4, (12, 9), generator=rng)
    wrong = torch.rand(12, 9, generator=rng) < 0.35
    named = torch.where(wrong, slips, seen)
    spoken = torch.rand(12, 9, generator=rng) < torch.linspace(0.9, 0.1, 9)
    spoken[:, 0] |= ~spoken.any(1)  # every caption names something
    named = torch.where(spoken, named, -1)
    return [(seen, named), (seen[:3], named[:3])]


@exercise(
    "00.1",
    title="Obedience",
    reference=obedience_share,
    minutes=5,
    difficulty=1,
    promise=Promise(
        "number",
        lambda: [
            dict(zip(("seen", "named"), tables))
            for tables in [*_examples(), [table[:, [1]] for table in _examples()[0]]]
        ],
    ),
)
def _(answer):
    """Shares on seeded readings; every known mistake by its name."""
    seen, named = _examples()[0]
    got = answer(seen.clone(), named.clone())
    expect(
        not (torch.is_tensor(got) and got.numel() > 1),
        f"one number is wanted for all captions together, but this is a tensor of "
        f"shape {tuple(getattr(got, 'shape', ()))}: which sum is missing?",
    )
    diagnose(answer, _examples(), obedience_share, KNOWN, what="obedience")
