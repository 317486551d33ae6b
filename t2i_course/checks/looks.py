"""Answers to lesson 11b's first exercise that go wrong in one step, and why.

`looks` builds them: scores of places and words, shares of each place, and the maps that
come out. SCORES, SHARES and ENDS hold slips of each by their diagnosis; LOUD those that
show only where scores are large.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..papers import attngan
from .compare import normal

__all__ = [
    "ENDS",
    "LOUD",
    "SCORES",
    "SHARES",
    "features",
    "first",
    "in_networks_order",
    "some",
]


def first(lengths: tuple[int, ...], longest: int) -> Tensor:
    """(B, T) bool: True at the first `lengths` words of each caption."""
    return torch.arange(longest) < torch.tensor(lengths)[:, None]


def some(many: int, longest: int) -> Tensor:
    """A mask of captions of 1, 4, 7, ... words, and one that has no padding."""
    lengths = [1 + 3 * i % longest for i in range(many - 1)]
    return first((*lengths, longest), longest)


def features(many: int, channels: int, height: int, width: int, longest: int) -> dict:
    """A call of 11b.1; padding holds numbers, too, which nobody may hear."""
    return {"h": normal(many, channels, height, width),
            "told": normal(many, channels, longest, seed=2),
            "mask": some(many, longest)}  # fmt: skip


def in_networks_order(call: dict) -> dict:
    """The same, with a place's channels side by side in memory."""
    return call | {"h": call["h"].to(memory_format=torch.channels_last)}


def dots(h: Tensor, told: Tensor) -> Tensor:
    """(B, N, T): each place with each word."""
    return h.flatten(2).mT @ told


def shared(scores: Tensor, mask: Tensor, padding: float = -torch.inf) -> Tensor:
    """(B, N, T): a softmax over words, padding's score being that."""
    return scores.masked_fill(~mask[:, None], padding).softmax(2)


def laid(share: Tensor, told: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    """Contexts and attention, as maps."""
    size = h.shape[2:]
    return (told @ share.mT).unflatten(2, size), share.mT.unflatten(2, size)


def looks(scores=dots, share=shared, end=laid):
    """A wrong answer: one of the three steps is another."""
    return lambda h, told, mask: end(share(scores(h, told), mask), told, h)


def ends(function):
    """A wrong answer that gives something else of context, attention, told and h."""
    return looks(end=lambda s, told, h: function(*laid(s, told, h), told, h))


def dealt(x: Tensor, h: Tensor) -> Tensor:
    """Numbers (B, N, ...) in a map's shape, in the order in which they lie."""
    return x.reshape(len(x), -1, *h.shape[2:])


SCORES = {
    "scores are divided by the root of the number of channels, as a Transformer's are; "
    "here they are plain dot products.":
        looks(lambda h, told: dots(h, told) / h.shape[1] ** 0.5),
    "a dot product adds its products up over channels; this is their mean.":
        looks(lambda h, told: dots(h, told) / h.shape[1]),
    "these are cosines, as in lesson 11a; here the lengths count, too: leave the "
    "vectors as they are.": (
        looks(lambda h, told: dots(F.normalize(h, dim=1), F.normalize(told, dim=1))),
        looks(lambda h, told: dots(h, F.normalize(told, dim=1))),
        looks(lambda h, told: dots(F.normalize(h, dim=1), told))),
    "the sign of the scores is turned: a place would look at what fits it least.":
        looks(lambda h, told: -dots(h, told)),
    "these scores are distances; dot products are asked for.": (
        looks(lambda h, told: -torch.cdist(h.flatten(2).mT, told.mT)),
        looks(lambda h, told: -torch.cdist(h.flatten(2).mT, told.mT).square())),
    "h is dealt out, not turned: reshape keeps the order in which numbers lie, so that "
    "a place gets one channel of its neighbours. Flatten H and W, h.flatten(2), and "
    "exchange the last two axes with .mT.":
        looks(lambda h, told: h.reshape(len(h), -1, h.shape[1]) @ told),
    "told is dealt out, not turned: (B, C, T) becomes (B, T, C) by .mT, never by a "
    "reshape.": (
        looks(end=lambda s, told, h: laid(s, told.reshape(told.mT.shape).mT, h)),
        lambda h, told, mask: looks()(h, told.reshape(told.mT.shape).mT, mask)),
    "height and width are exchanged on the way: rows of h come first, so unflatten "
    "with h.shape[2:].": (
        looks(lambda h, told: dots(h.mT, told)),
        ends(lambda context, attention, told, h: (context.mT, attention.mT)),
        looks(end=lambda s, told, h: laid(s, told, h.mT)),
        looks(lambda h, told: dots(h.mT, told),
              end=lambda s, told, h: laid(s, told, h.mT))),
}  # fmt: skip


def held(s: Tensor, mask: Tensor) -> Tensor:
    """(B, N, T): 0 at padding."""
    return s * mask[:, None]


SHARES = {
    "the softmax is taken over places: each word would share itself out. Here each "
    "place has 1 to share among the words, so the softmax goes over the axis of "
    "words.": (
        looks(share=lambda s, m: s.softmax(1)),
        looks(share=lambda s, m: held(s.softmax(1), m)),
        looks(share=lambda s, m: s.masked_fill(~m[:, None], -torch.inf).softmax(1)),
        looks(share=lambda s, m: s.masked_fill(~m[:, None], -1e9).softmax(1))),
    "the softmax goes over places and words at once: each place has 1 to share.":
        looks(share=lambda s, m: s.masked_fill(~m[:, None], -torch.inf).flatten(1)
              .softmax(1).view(s.shape)),
    "the softmax goes over the batch (axis 0): captions have nothing to do with one "
    "another. Take it over the axis of words.": (
        looks(share=lambda s, m: s.softmax(0)),
        looks(share=lambda s, m: s.masked_fill(~m[:, None], -torch.inf).softmax(0)),
        looks(share=lambda s, m: held(s.softmax(0), m))),
    "padding isn't masked: places look at words that the caption doesn't have.":
        looks(share=lambda s, m: s.softmax(2)),
    "padding is taken out after the softmax, so that what is left of a place doesn't "
    "sum to 1. Mask the scores, before it.":
        looks(share=lambda s, m: held(s.softmax(2), m)),
    "padding's scores are made 0, but a score of 0 isn't none: exp(0) = 1. They must "
    "be -inf, whose exp is 0.": (
        looks(share=lambda s, m: held(s, m).softmax(2)),
        lambda h, told, mask: looks(share=lambda s, m: s.softmax(2))(
            h, told * mask[:, None], mask)),
    "padding's scores are low, but not low enough: it still gets a share. -inf gives "
    "exactly 0.": tuple(
        looks(share=lambda s, m, low=low: shared(s, m, low))
        for low in (-1.0, -5.0, -10.0)),
    "the mask is turned round: True is at words, and padding is ~mask. Now places "
    "look at padding alone.": (
        looks(share=lambda s, m: shared(s, ~m)),
        looks(share=lambda s, m: shared(s, ~m, -1e9))),
    "places get another caption's mask: it stands there once for each place, but the "
    "captions alternate where each should follow itself. mask[:, None] serves all "
    "places of a caption.":
        looks(share=lambda s, m: s.masked_fill(
            ~attngan.released_mask(m, s.shape[1]), -torch.inf).softmax(2)),
    "all captions get the first one's mask.":
        looks(share=lambda s, m: shared(s, m[:1].expand_as(m))),
    "the softmax is missing: a place's shares must be positive and sum to 1.": (
        looks(share=lambda s, m: s), looks(share=held)),
    "each word has a sigmoid of its own; a softmax makes them share.": (
        looks(share=lambda s, m: held(s.sigmoid(), m)),
        looks(share=lambda s, m: s.sigmoid())),
    "scores are divided by their sum, without exp: they may be negative, and their sum "
    "about 0. Use a softmax.": (
        looks(share=lambda s, m: held(s, m) / held(s, m).sum(2, keepdim=True)),
        looks(share=lambda s, m: s / s.sum(2, keepdim=True))),
    "each place takes the one word that fits best; a softmax mixes them, and lets a "
    "gradient through.":
        looks(share=lambda s, m: F.one_hot(
            s.masked_fill(~m[:, None], -torch.inf).argmax(2), s.shape[2]).to(s)),
    "these are logs of shares: softmax, not log_softmax.": (
        looks(share=lambda s, m: s.masked_fill(~m[:, None], -torch.inf).log_softmax(2)),
        looks(share=lambda s, m: s.log_softmax(2))),
    "all words count alike: this is their mean, whatever a place holds.": (
        looks(share=lambda s, m: shared(0 * s, m)),
        looks(share=lambda s, m: torch.full_like(s, 1 / s.shape[2]))),
    "all places get one and the same mixture; each has its own attention.":
        looks(share=lambda s, m: shared(s, m).mean(1, keepdim=True).expand_as(s)),
}  # fmt: skip


def alone(which: int) -> tuple:
    """Wrong answers: one of both alone, as maps or in another shape."""
    return tuple(
        ends(lambda *made, turn=turn: turn(made[which]))
        for turn in (lambda x: x, lambda x: x.flatten(2), lambda x: x.flatten(2).mT,
                     lambda x: x.movedim(1, -1))
    )  # fmt: skip


ENDS = {
    "only the context is returned; return both, context and attention.":
        alone(0),
    "only the attention is returned; return both, context and attention.":
        alone(1),
    "context and attention are exchanged: the context comes first.":
        ends(lambda context, attention, told, h: (attention, context)),
    "the attention isn't a map yet: its H W places in one row are H rows and W "
    "columns, (B, T, H, W). .unflatten(2, h.shape[2:]) does it.": (
        ends(lambda context, a, told, h: (context, a.flatten(2))),
        ends(lambda context, a, told, h: (context, a.flatten(2).mT))),
    "the attention has words as its last axis; here each word has a map: (B, T, H, W).":
        ends(lambda context, a, told, h: (context, a.movedim(1, -1))),
    "the context isn't a map yet: it has the shape of h, (B, C, H, W).": tuple(
        ends(lambda c, a, told, h, i=i, j=j: (
            (c.flatten(2), c.flatten(2).mT, c.movedim(1, -1))[i],
            (a, a.flatten(2), a.flatten(2).mT, a.movedim(1, -1))[j]))
        for i in range(3) for j in range(4)),
    "the context is dealt out, not turned: (B, H W, C) must become (B, C, H W) by .mT "
    "before it is given H and W; a reshape keeps the order in which numbers lie.":
        looks(end=lambda s, told, h: (dealt(s @ told.mT, h), laid(s, told, h)[1])),
    "the attention is dealt out, not turned: (B, H W, T) must become (B, T, H W) by "
    ".mT before it is given H and W.":
        looks(end=lambda s, told, h: (laid(s, told, h)[0], dealt(s, h))),
    "context and attention are dealt out, not turned: exchange the last two axes, "
    ".mT, before they are given H and W.":
        looks(end=lambda s, told, h: (dealt(s @ told.mT, h), dealt(s, h))),
    "this context is made of h: its own features, where words are wanted. Mix the "
    "words, `told`.": (
        ends(lambda context, attention, told, h: (h, attention)),
        looks(end=lambda s, told, h: (h.flatten(2) @ s, laid(s, told, h)[1]))),
    "h is in the context, too; the network puts them side by side afterwards. The "
    "context is the mixture of words alone.": (
        ends(lambda context, attention, told, h: (context + h, attention)),
        ends(lambda context, a, told, h: (torch.cat([h, context], 1), a)),
        ends(lambda context, attention, told, h: (context * h, attention))),
    "the weighted words are averaged; shares sum to 1 already, so add them up.": (
        ends(lambda context, a, told, h: (context / told.shape[2], a))),
    "the words in the context aren't weighted: this is their plain sum or mean.": (
        ends(lambda c, a, told, h: (told.sum(2)[..., None, None].expand_as(h), a)),
        ends(lambda c, a, told, h: (told.mean(2)[..., None, None].expand_as(h), a))),
}  # fmt: skip

LOUD = {
    "it is right, but fragile: exp of a score of 100 is inf, and inf / inf is no "
    "number. torch's softmax takes the largest score off first.": (
        looks(share=lambda s, m: held(s.exp(), m) / held(s.exp(), m).sum(2, True))),
    "it is right, but fragile: padding takes part in the softmax, and is taken out "
    "behind it. Its score is 0, and where all words' are -200, softmax leaves them "
    "nothing: 0 / 0. Give padding -inf before the softmax.": tuple(
        looks(share=lambda s, m, e=e: held(s.softmax(2), m)
              / (held(s.softmax(2), m).sum(2, True) + e))
        for e in (0.0, 1e-12, 1e-8, 1e-6)),
    "padding's score must be -inf; a word's may be lower than the number that stands "
    "for it here, and then places look at padding.": tuple(
        looks(share=lambda s, m, low=low: shared(s, m, low))
        for low in (-20.0, -30.0, -50.0, -99.0, -100.0)),
}  # fmt: skip
