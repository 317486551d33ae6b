"""Answers to lesson 14's first two exercises that go wrong in one step, and why.

What a picture is to show (WANTED), and how much it has changed where it should and
elsewhere: slips of a pixel's change, of the mean over many, and of the two masks
(CHANGES).
"""

from __future__ import annotations

import torch
from torch import Tensor

from .compare import normal

__all__ = ["CHANGES", "WANTED", "asked", "pictures"]


# ---------------------------------------------------------- 14.1, what is to be seen


def asked(*shape: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    """Attributes and what sentences name: 0 to 4 each, and -1 at a half of places.

    From four rows on one sentence names everything, and one nothing.
    """
    lots = torch.Generator().manual_seed(seed)
    attributes = torch.randint(0, 5, shape, generator=lots)
    named = torch.randint(0, 5, shape, generator=lots)
    silent = torch.rand(shape, generator=lots) < 0.5
    if len(silent) > 3:
        silent[1], silent[2] = False, True
    return attributes, torch.where(silent, -1, named)


def _by(mask, then=lambda a, n: n, other=lambda a, n: a):
    return lambda a, n: torch.where(mask(n), then(a, n), other(a, n))


def _named(n: Tensor) -> Tensor:
    return n >= 0


WANTED = {
    "0 is a value like any other (the first of its kind), and only -1 stands for "
    "silence; here what is named with number 0 gets lost: named >= 0.":
        _by(lambda n: n > 0),
    "this asks whether `named` is other than 0; a 0 is a value like any other, and -1 "
    "stands for silence: named >= 0.": _by(lambda n: n != 0),
    "-1 isn't left out: named stands there as it came. Where the sentence is silent, "
    "the picture's own attribute belongs.": lambda a, n: n,
    "nothing is changed: these are the picture's own attributes, whatever the sentence "
    "names.": lambda a, n: a,
    "it is turned round: where the sentence names something its number belongs, and "
    "where it is silent the picture's.": _by(lambda n: n < 0),
    "the larger of both numbers is taken; numbers of attributes have no order, and "
    "what is named counts, be it larger or smaller.": torch.maximum,
    "the smaller of both numbers is taken; numbers of attributes have no order, and -1 "
    "isn't one of them.": torch.minimum,
    "the two numbers are added where the sentence names one; it takes the place of the "
    "picture's.": (_by(_named, then=lambda a, n: a + n), lambda a, n: a + n * (n >= 0)),
    "the two tables are added; where one is named, it takes the other's place.":
        lambda a, n: a + n,
    "-1 is added at the silent places, so that each is 1 too small: multiply `named` "
    "by its mask, too, or use torch.where.": lambda a, n: a * (n < 0) + n,
    "where the sentence is silent there is a 0; the picture's own attribute belongs "
    "there.": lambda a, n: n.clamp_min(0),
    "a whole row is taken as soon as its sentence names something, -1 and all; ask of "
    "each number alone, named >= 0.": (
        _by(lambda n: (n >= 0).any(1, keepdim=True)),
        _by(lambda n: (n >= 0).any(1, keepdim=True), then=lambda a, n: n.clamp_min(0))),
    "a row is changed only where its sentence names every attribute; ask of each "
    "number alone, named >= 0.": _by(lambda n: (n >= 0).all(1, keepdim=True)),
    "all pictures get the first sentence's places; each row of `named` has its own.":
        _by(lambda n: (n[:1] >= 0).expand_as(n)),
    "all pictures get what the first sentence names; row b of `named` belongs to "
    "picture b.": lambda a, n: torch.where(n[:1] >= 0, n[:1], a),
    "this says where something is named or changed; asked for are the attributes "
    "themselves.": (
        lambda a, n: n >= 0, lambda a, n: n < 0, lambda a, n: (n >= 0) & (n != a)),
}  # fmt: skip


# ---------------------------------------------------------- 14.2, inside and outside


def pictures(count: int, high: int, wide: int, seed: int = 1) -> tuple[Tensor, ...]:
    """Before, after and a mask; a part of the pixels stays, inside and outside.

    From three pictures on one has no pixel inside, and one none outside.
    """
    before, after = (
        normal(count, 3, high, wide, seed=seed + i, scale=0.6).clamp(-1, 1)
        for i in range(2)
    )
    stays = normal(count, 1, high, wide, seed=seed + 2) > 0.3
    inside = normal(count, high, wide, seed=seed + 3) > 0.6
    after = torch.where(stays, before, (after + 0.3 * inside[:, None]).clamp(-1, 1))
    if count > 2:
        inside[1], inside[2] = False, True
    return before, after, inside


def _change(before: Tensor, after: Tensor) -> Tensor:
    return (after - before).abs().mean(1)


def _mean(change: Tensor, mask: Tensor) -> Tensor:
    return change[mask].mean()


def _pair(change=_change, pool=_mean, outside=torch.logical_not):
    """A wrong answer: one of three steps is another."""

    def wrong(before, after, inside):
        found = change(before, after)
        return pool(found, inside), pool(found, outside(inside))

    return wrong


def _changing(*changes):
    return tuple(_pair(change) for change in changes)


def _pooling(*pools, change=_change):
    return tuple(_pair(change, pool) for pool in pools)


def _signed(before: Tensor, after: Tensor) -> Tensor:
    return (after - before).mean(1)


def _of_pictures(change: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Each picture's sum and count, (B,) both."""
    return (change * mask).sum((1, 2)), mask.sum((1, 2))


def _each(way):
    return lambda change, mask: way(*_of_pictures(change, mask))


def _astray(before, after, inside, pool):
    """The mask (B, H, W) beside (B, 3, H, W): its pictures meet the channels."""
    change = (after - before).abs()
    return tuple(pool(change, mask) for mask in (inside, ~inside))


def _exchanged(before, after, inside):
    return _pair()(before, after, ~inside)


ASTRAY = tuple(
    lambda before, after, inside, pool=pool: _astray(before, after, inside, pool)
    for pool in (
        lambda c, m: c[:, m].mean(),
        lambda c, m: (c * m).sum() / m.sum(),
        lambda c, m: (c * m).mean(),
        lambda c, m: (c * m).sum() / (c.shape[0] * c.shape[1] * m.sum()),
    )
)

# Each picture's mean first, then the mean of those: with a picture that has no pixel.
MEANS = _pooling(
    _each(lambda s, n: (s / n).mean()),
    _each(lambda s, n: (s / n).nanmean()),
    _each(lambda s, n: (s / n.clamp_min(1)).mean()),
    _each(lambda s, n: (s / n).nan_to_num().mean()),
    _each(lambda s, n: (s / (n + 1e-8)).mean()),
)

CHANGES = {
    "the mask (B, H, W) is laid on pictures (B, 3, H, W), and shapes meet from the "
    "right: its pictures meet the channels (it runs only since 3 pictures are tried "
    "here). Take the mean over channels first, or give the mask an axis, "
    "inside[:, None].": ASTRAY,
    "an axis is too many: (B, H, W) beside (B, 1, H, W) lays every picture under every "
    "mask. After the mean over channels both have the shape (B, H, W).": _pooling(
        lambda c, m: (c * m[:, None]).sum() / m.sum(),
        lambda c, m: (c * m[:, None]).sum() / (m.sum() * len(m)),
        lambda c, m: (c * m[:, None]).mean()),
    "changes with a sign cancel: a pixel that grows lighter and one that grows darker "
    "give 0 together. Take .abs() of the difference before any mean.": (
        *_changing(_signed, lambda b, a: -_signed(b, a)),
        *_pooling(lambda c, m: _mean(c, m).abs(), change=_signed)),
    "the size is taken after the mean over channels, where a red that grows and a "
    "green that fades cancel: .abs() first, then .mean(1).":
        _changing(lambda b, a: _signed(b, a).abs()),
    "the sizes of both pictures' numbers are compared, not the pictures: first the "
    "difference, then .abs().": _changing(
        lambda b, a: (a.abs() - b.abs()).abs().mean(1),
        lambda b, a: (a.abs() - b.abs()).mean(1)),
    "these are squares; the mean absolute change is asked for: .abs().": (
        *_changing(lambda b, a: (a - b).square().mean(1),
                   lambda b, a: (a - b).square().sum(1)),
        *_pooling(lambda c, m: c[m].sum(), lambda c, m: 3 * c[m].sum(),
                  lambda c, m: (c * m).mean(),
                  change=lambda b, a: (a - b).square().mean(1))),
    "this is a root of squares; the mean absolute change is asked for: .abs().": (
        *_changing(lambda b, a: (a - b).square().mean(1).sqrt(),
                   lambda b, a: (a - b).square().sum(1).sqrt()),
        *_pooling(lambda c, m: _mean(c, m).sqrt(),
                  change=lambda b, a: (a - b).square().mean(1)),
        *_pooling(lambda c, m: _mean(c, m).sqrt(),
                  change=lambda b, a: (a - b).square().sum(1))),
    "it is three times too large: a pixel's change is the mean over its three channels "
    "(where all channels are added up, divide by 3 times the number of pixels).":
        _changing(lambda b, a: (a - b).abs().sum(1)),
    "a pixel's change is the mean over its three channels; this is the largest of "
    "them.": _changing(lambda b, a: (a - b).abs().amax(1)),
    "only one channel is looked at; a pixel's change is the mean over its three.":
        _changing(*(lambda b, a, i=i: (a - b).abs()[:, i] for i in range(3))),
    "the change is halved; numbers from -1 to 1 may change by 2, and so this may be up "
    "to 2.": _changing(lambda b, a: _change(b, a) / 2),
    "`before` isn't used: a change is the difference of both.": _changing(
        lambda b, a: a.abs().mean(1), lambda b, a: a.mean(1)),
    "`after` isn't used: a change is the difference of both.": _changing(
        lambda b, a: b.abs().mean(1), lambda b, a: b.mean(1)),
    "these are sums; the larger part has the larger one, however little it changes. "
    "Divide each by the number of its own pixels.": _pooling(
        lambda c, m: c[m].sum(), lambda c, m: 3 * c[m].sum()),
    "all pixels of the batch are in the count: after multiplying with a mask .mean() "
    "divides by all, and zeros stand where the mask is False. Choose, change[inside], "
    "or divide the sum by the mask's.": _pooling(lambda c, m: (c * m).mean()),
    "the sum is divided by the number of pictures; divide it by the number of pixels "
    "that it adds up.": _pooling(lambda c, m: c[m].sum() / len(c)),
    "this is a mean of the pictures' means: there a picture counts as much with two "
    "pixels inside as with two hundred, and with none at all it is 0 / 0. Choose from "
    "all pictures at once, and take one mean.": MEANS,
    "pixels that are inside and didn't change are left out; they count, as 0: choose "
    "by the mask alone.": _pooling(
        lambda c, m: (c * m)[c * m != 0].mean(), lambda c, m: c[m & (c > 0)].mean()),
    "this is the share of pixels that changed; asked for is how much they did.":
        _pooling(lambda c, m: (c[m] > 0).to(c).mean()),
    "this is a median or a maximum; take the mean.": _pooling(
        lambda c, m: c[m].median(), lambda c, m: c[m].max()),
    "both numbers are of the inside: the second is of the pixels where the mask is "
    "False, ~inside.": _pair(outside=lambda m: m),
    "the second number is of all pixels; it belongs to those outside alone, ~inside.":
        _pair(outside=torch.ones_like),
    "the two are exchanged: the inside comes first.": (
        _exchanged, lambda b, a, m: _pair(pool=lambda c, k: (c * k).mean())(b, a, ~m)),
    "the first number is of all pixels; it belongs to those inside alone.":
        lambda b, a, m: (_change(b, a).mean(), _mean(_change(b, a), ~m)),
    "the second is what is left of 1, which says nothing of the pixels outside: turn "
    "the mask round, not the change; it is the mean of change[~inside].":
        lambda b, a, m: (_mean(_change(b, a), m), 1 - _mean(_change(b, a), m)),
}  # fmt: skip
