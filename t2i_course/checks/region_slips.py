"""Slips of exercise 11a.1: words that look at regions, each with one mistake."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def look(words, mask, regions, gamma1=5.0, *, over=1, then=2, inside=True, end=True,
          factor=True, before=1.0, first=True):  # fmt: skip
    """`look` with a slip: axes, masks, the factor's place."""
    s = words.mT @ regions * before
    if inside:
        s = s.masked_fill(~mask[:, :, None], -torch.inf)
    votes = s.softmax(over).nan_to_num() if first else s.masked_fill(s.isinf(), -1e4)
    alpha = ((gamma1 if factor else 1.0) * votes).softmax(then)
    return alpha * mask[:, :, None] if end else alpha


def slip(**settings):
    """`look` with these settings."""
    return lambda *given: look(*given, **settings)


def votes(words, mask, regions, gamma1=5.0):
    """(8) alone."""
    s = (words.mT @ regions).masked_fill(~mask[:, :, None], -torch.inf)
    return s.softmax(1)


def squashed(words, mask, regions, gamma1=5.0):
    """The factor within the first softmax."""
    s = (gamma1 * words.mT @ regions).masked_fill(~mask[:, :, None], -torch.inf)
    return s.softmax(1).softmax(2) * mask[:, :, None]


def turned(words, mask, regions, gamma1=5.0):
    """Both softmaxes over the other axis."""
    s = (words.mT @ regions).softmax(2)
    s = (gamma1 * s).masked_fill(~mask[:, :, None], -torch.inf)
    return s.softmax(1)


def cosines(words, mask, regions, gamma1=5.0):
    """Vectors of length 1."""
    return look(F.normalize(words, dim=1), mask, F.normalize(regions, dim=1), gamma1)


def of_zero(words, mask, regions, gamma1=5.0):
    """Padding's scores are 0, and so take part."""
    s = (words.mT @ regions).masked_fill(~mask[:, :, None], 0.0)
    return (gamma1 * s.softmax(1)).softmax(2) * mask[:, :, None]


def by_sums(words, mask, regions, gamma1=5.0):
    """Divided by sums, without the second softmax."""
    weight = (gamma1 * votes(words, mask, regions)) * mask[:, :, None]
    return weight / weight.sum(2, keepdim=True).clamp_min(1e-12)
