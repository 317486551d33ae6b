"""Lesson 07's two hinges with a part done otherwise: the wrong answers that we know."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..papers import joint_embedding

__all__ = [
    "STRUCTURED_SLIPS",
    "VSE_SLIPS",
    "structured_with",
    "vse_cosines_masked",
    "vse_with",
    "with_diagonal",
]


def structured_with(images, texts, untrue=None, margin=1.0, sides="both", own=True,
                sign=1.0, twin="own", mean=True, squeeze=F.relu, hinge=F.relu,
                at_once=False, unit=False, turn=(1, 1), share=None,
                twins=Tensor.mean):  # fmt: skip
    """(5) of the lesson with one thing done otherwise."""
    if unit:
        images, texts = F.normalize(images, dim=1), F.normalize(texts, dim=1)
        untrue = None if untrue is None else F.normalize(untrue, dim=1)
    agreement = sign * images @ texts.T
    pair = agreement.diagonal() if own else torch.zeros(len(images))
    text, image = (
        margin + turn[0] * (agreement - one) for one in (pair[:, None], pair[None, :])
    )
    others = 1 - torch.eye(len(images))
    each = {"both": (text, image), "text": (text,), "image": (image,)}
    each |= {"text twice": (text, text), "image twice": (image, image)}
    each = each[sides]
    loss = squeeze(sum(each)) if at_once else sum(squeeze(part) for part in each)
    loss = (loss * others).mean() if mean else (loss * others).sum()
    loss = loss if share is None else loss * share(len(images))
    if untrue is None or twin == "none":
        return loss
    false = sign * (images * untrue).sum(1) - pair
    if twin == "all":
        false = sign * images @ untrue.T - pair[:, None]
    return loss + twins(hinge(margin + turn[1] * false))


def _as_is(x):
    return x


def _squared(x):
    return x.relu().square()


def _below(x):
    return (-x).relu()


def _smaller(x):
    return x.clamp(max=0)


def with_diagonal(images, texts, untrue=None, margin=1.0):
    """(5) with each pair among its others."""
    loss = joint_embedding.structured_loss(images, texts, untrue, margin)
    return loss + 2 * margin / len(images)


STRUCTURED_SLIPS = {
    "only sentences are exchanged here (for each picture, the other sentences); "
    "pictures are exchanged, too.": {"sides": "text"},
    "only pictures are exchanged here (for each sentence, the other pictures); "
    "sentences are exchanged, too.": {"sides": "image"},
    "the pair's own agreement is missing: other agreements would be pushed down, "
    "and no pair up.": {"own": False},
    "the sign of the agreement is turned round: others should agree less than the "
    "own.": {"sign": -1.0},
    "the false twins are missing: for each picture its own false sentence should "
    "agree less, too.": {"twin": "none"},
    "this adds up all pairs; the mean over the B x B table is asked for.": {
        "mean": False
    },
    "the term of the false twins is added up over the pairs; its mean, 1 / B of that, "
    "is asked for.": {"twins": Tensor.sum},
    "the table of the pairs is divided by B; (5) divides by B * B: the mean over the "
    "whole table.": {"share": lambda count: count},
    "both terms are added up over the pairs; the mean over the B x B table is asked "
    "for, and that over the B twins.": {"mean": False, "twins": Tensor.sum},
    "the hinge of the pairs is turned round: it is max(0, margin + other - own), for "
    "the other should agree less; here own and other are exchanged.": {"turn": (-1, 1)},
    "the hinge of the false twins is turned round: it is max(0, margin + twin - own), "
    "for the twin should agree less; here the two are exchanged.": {"turn": (1, -1)},
    "the hinge is on its wrong side: it lets through what is below 0, so that pairs "
    "which are right by more than the margin cost most, and wrong ones nothing. "
    "max(0, margin + other - own).": [
        {"squeeze": _below, "hinge": _below},
        {"squeeze": _smaller, "hinge": _smaller},
    ],
    "what is below 0 counts, too: a pair that is right by more than the margin "
    "should cost nothing. max(0, ...), .relu().": {"squeeze": _as_is,
                                                   "hinge": _as_is},
    "the hinge is missing in the table of the pairs: what is below 0 should cost "
    "nothing there.": {"squeeze": _as_is},
    "the hinge is missing in the term of the false twins: what is below 0 should "
    "cost nothing there.": {"hinge": _as_is},
    "the hinge is squared; it is linear.": {"squeeze": _squared, "hinge": _squared},
    "the two tables are added before the hinge, so that a good place in one pays "
    "for a bad one in the other: max(0, ...) of each, then the sum.": {
        "at_once": True
    },
    "the same table stands there twice, with own[:, None]; in the second one the "
    "pictures are exchanged: own[None, :].": {"sides": "text twice"},
    "the same table stands there twice, with own[None, :]; in the first one the "
    "sentences are exchanged: own[:, None].": {"sides": "image twice"},
    "the cosine is taken; here agreement is the dot product: leave the lengths as "
    "they are.": {"unit": True},
    "each picture is held against the false twins of all pairs; it has one of its "
    "own, in its row: (images * untrue).sum(1).": {"twin": "all"},
}  # fmt: skip


def vse_with(images, texts, margin, hardest, unit=1, sides="both", drop=True,
         others_mean="", axes=(1, 0), plain=None, squeeze=F.relu,
         at_once=False, turn=1, pairs=1, table=False):  # fmt: skip
    """The mean of (6) with one thing done otherwise."""
    if unit is not None:
        images, texts = F.normalize(images, dim=unit), F.normalize(texts, dim=unit)
    agreement = images @ texts.T
    own, count = agreement.diagonal(), len(images)
    others = 1 - torch.eye(count) if drop else torch.ones(count, 1)
    text = squeeze(margin + turn * (agreement - own[:, None])) * others
    image = squeeze(margin + turn * (agreement - own[None, :])) * others
    if not (hardest if plain is None else plain(hardest)):
        share = {"": 1, "others": count - 1, "row": count}[others_mean]
        loss = [part.sum() / count / share for part in (text, image)]
    elif table:
        loss = [text.max(), image.max()]
    elif at_once:
        loss = [(text + image).amax(1).mean(), 0.0]
    else:
        loss = [text.amax(axes[0]).mean(), image.amax(axes[1]).mean()]
    total = {"both": sum(loss), "text": loss[0], "image": loss[1]}[sides]
    return total if pairs == 1 else total * count


def vse_cosines_masked(images, texts, margin, hardest):
    """The hardest of cosines whose diagonal is set to 0."""
    if not hardest:
        return vse_with(images, texts, margin, False)
    cosines = F.normalize(images, dim=1) @ F.normalize(texts, dim=1).T
    own, others = cosines.diagonal(), cosines * (1 - torch.eye(len(cosines)))
    return sum((margin - own + others.amax(k)).relu().mean() for k in (1, 0))


VSE_SLIPS = {
    "the dot product is taken; here agreement is the cosine: give each embedding "
    "length 1 first (F.normalize).": {"unit": None},
    "each column is given length 1 here; the rows are the embeddings: "
    "F.normalize(x, dim=1).": {"unit": 0},
    "for each picture the other sentences are here; for each sentence the other "
    "pictures are missing.": {"sides": "text"},
    "for each sentence the other pictures are here; for each picture the other "
    "sentences are missing.": {"sides": "image"},
    "the pair itself is among its others: it adds the margin.": {"drop": False},
    "the mean over the others is taken; the paper adds them up.": {
        "others_mean": "others"
    },
    "the mean over a whole row, or over the table, is taken; the paper adds the "
    "others up, and the mean is over the pairs alone.": {"others_mean": "row"},
    "the loss is added up over the pairs; their mean is asked for: .mean() over "
    "the B pairs in place of .sum().": {"pairs": "all"},
    "with `hardest` the largest of the whole table is taken, one for all pairs; "
    "each pair has a hardest of its own: amax(1) of the first table, amax(0) of "
    "the second, then the mean over the pairs.": {"table": True},
    "the hinge is turned round: it is max(0, margin - own + other), for the other "
    "should agree less; here own and other are exchanged.": {"turn": -1},
    "hardest changes nothing here: it takes the largest of the others in place of "
    "their sum.": {"plain": lambda hardest: False},
    "the hardest alone is always taken; without `hardest` all others are added up.": {
        "plain": lambda hardest: True
    },
    "`hardest` is turned round: if it is True only the largest counts, else the sum.": {
        "plain": lambda hardest: not hardest
    },
    "the hardest picture of each sentence is looked for along the wrong axis: "
    "sentences are columns, amax(0).": {"axes": (1, 1)},
    "the hardest sentence of each picture is looked for along the wrong axis: "
    "pictures are rows, amax(1).": {"axes": (0, 0)},
    "the axes are exchanged: the hardest sentence of a picture is in its row, "
    "amax(1) of the first table; the hardest picture of a sentence in its column, "
    "amax(0) of the second.": {"axes": (0, 1)},
    "the two tables are added before the largest is looked for; each has its own: "
    "amax(1) of one, amax(0) of the other, then the sum.": {"at_once": True},
    "the hinge is missing: what is below 0 should cost nothing (.relu()).": {
        "squeeze": _as_is
    },
}
