"""Checks of lesson 05, Conditional GANs: labels, the round, the ways to use them."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..papers import acgan, cgan, infogan
from .compare import normal
from .core import (
    Promise,
    Wrong,
    diagnose,
    exercise,
    expect,
    expect_close,
    expect_shape,
)
from .toy_labels import ROUND_ERRORS, arguments, play, round_with


def labels(count: int, kinds: int, seed: int = 3) -> Tensor:
    """Seeded labels (count,), of which the first `kinds` are all of them."""
    random = torch.Generator().manual_seed(seed)
    drawn = torch.randint(kinds, (count,), generator=random)
    drawn[:kinds] = torch.randperm(kinds, generator=random)[:count]
    return drawn


# ------------------------------------------------------------ 05.1, how to ask


def _as_one_number(noise: Tensor, y: Tensor, count: int) -> Tensor:
    return torch.cat([noise, y[:, None].to(noise.dtype)], 1)


def _one_hot(noise: Tensor, y: Tensor, count: int) -> Tensor:
    return F.one_hot(y, count).to(noise.dtype)


@exercise(
    "05.1",
    title="A label beside the noise",
    minutes=5,
    difficulty=1,
    reference=cgan.joined,
    promise=Promise(
        "tensor",
        lambda: [
            {"noise": normal(5, 4), "y": torch.tensor([2, 0, 1, 2, 1]), "count": 3},
            {"noise": normal(12, 32), "y": labels(12, 10), "count": 10},
            {"noise": normal(2, 52), "y": torch.tensor([1, 0]), "count": 10},
        ],
        gradient=("noise",),
    ),
)
def _(answer):
    """Shapes first: a highest label that isn't there must not make it narrower."""
    noise, y = normal(5, 4), torch.tensor([2, 0, 1, 2, 1])
    known = {
        "the label stands there as one number. Then 9 is said three times as loudly as "
        "3, and 5 lies between 4 and 6; digits have no such order. Give each label a "
        "place of its own: F.one_hot.": _as_one_number,
        "the noise is missing: every 3 would be the same 3.": _one_hot,
        "the label is missing: this is the noise alone.": lambda z, y, n: z,
        "the label comes first here; the noise does, then the label: the order is a "
        "convention, but the lesson's networks rely on "
        "it.": lambda z, y, n: torch.cat([_one_hot(z, y, n), z], 1),
        "the label's 1 stands at another place than y: place y counts from 0.":
            lambda z, y, n: torch.cat([z, _one_hot(z, (y - 1) % n, n)], 1),
        "this adds up where it should join: [z, onehot(y)] is one longer vector, "
        "torch.cat([...], 1).": lambda z, y, n: z + _padded(_one_hot(z, y, n), z),
        "the one-hot vector's places are turned round: a 0 stands at y, and 1 "
        "elsewhere.": lambda z, y, n: torch.cat([z, 1 - _one_hot(z, y, n)], 1),
    }  # fmt: skip
    square = answer(noise.clone(), y.clone(), 4)
    if isinstance(square, Tensor) and tuple(square.shape) == (10, 4):
        raise Wrong("this puts labels below the noise; join along axis 1.")
    few = torch.tensor([0, 1, 0, 1, 1])
    made = answer(noise.clone(), few.clone(), 7)
    if isinstance(made, Tensor) and tuple(made.shape) == (5, 6):
        raise Wrong(
            "of 7 labels only 0 and 1 are in this batch, and the result has 2 places "
            "for them: F.one_hot(y) counts what it sees. Tell it: F.one_hot(y, count)."
        )
    inputs = [(noise, y, 3), (normal(4, 6), torch.tensor([0, 5, 3, 3]), 6)]
    diagnose(answer, inputs, cgan.joined, known, what="what G gets")


def _padded(small: Tensor, like: Tensor) -> Tensor:
    return F.pad(small, (0, like.shape[1] - small.shape[1]))


# ----------------------------------------------------- 05.2, joined is embedded


@exercise(
    "05.2",
    title="One-hot and embedding are one map",
    minutes=10,
    difficulty=3,
    reference=cgan.as_embedding,
    promise=Promise(
        "tensors",
        lambda: [
            {"weight": normal(o, n + k), "bias": normal(o, seed=2), "noise_size": n}
            for o, n, k in [(5, 4, 3), (256, 32, 10)]
        ],
        gradient=("weight", "bias"),
    ),
)
def _(answer):
    """The two parts, and that they give the layer's output for any z and y."""
    _unturned(answer)
    weight, bias, n = normal(5, 7), normal(5, seed=2), 4
    got = answer(weight.clone(), bias.clone(), n)
    if not (isinstance(got, (tuple, list)) and len(got) == 2):
        raise Wrong("two things are asked for: the weight of z, and the table of y.")
    of_z, table = got
    _turned(of_z, table)
    expect_shape(of_z, (5, 4), "the weight of z")
    expect_shape(table, (3, 5), "the table", "(labels, outputs)")
    if torch.allclose(of_z, weight[:, -n:]):
        raise Wrong(
            "the weight of z is taken from the last columns; z comes first, so the "
            "first noise_size columns meet it."
        )
    expect_close(of_z, weight[:, :n], "the weight of z")
    right = weight[:, n:].T + bias
    slips = {
        "the bias is missing: without it the two parts give too little. Each row of "
        "the table may carry it.": right - bias,
        "the bias is taken off where it should be added.": right - 2 * bias,
        "the table is made of the columns that meet z; those of the label come after "
        "them.": weight[:, : 3].T + bias,
    }  # fmt: skip
    for message, wrong in slips.items():
        if torch.allclose(table, wrong, atol=1e-5):
            raise Wrong(message)
    expect_close(table, right, "the table of y")


def _unturned(answer) -> None:
    """The bias added to the label's columns as they lie: it fits where O = K alone."""
    weight, bias = normal(3, 7), normal(3, seed=2)
    got = answer(weight.clone(), bias.clone(), 4)
    pair = isinstance(got, (tuple, list)) and len(got) == 2
    table = got[1] if pair else None
    if not (isinstance(table, Tensor) and table.shape == (3, 3)):
        return
    if torch.allclose(table, weight[:, 4:] + bias, atol=1e-5):
        raise Wrong(
            "the label's columns are not turned: weight[:, noise_size:] is (O, K), and "
            "row y of the table is to be the vector of label y. Turn them first (.T), "
            "to (K, O); then the bias, (O,), fits each row. (As it stands, torch stops "
            "wherever K is not O.)"
        )


def _turned(of_z, table) -> None:
    """The two exchanged, or the table as it stands in the weight."""
    shapes = [tuple(x.shape) if isinstance(x, Tensor) else None for x in (of_z, table)]
    if shapes == [(3, 5), (5, 4)]:
        raise Wrong("the two are exchanged: the weight of z first, then the table.")
    if shapes[1] == (5, 3):
        raise Wrong(
            "the table lies on its side: row y is to be the vector of label y, so the "
            "columns of the weight become its rows (.T)."
        )


# --------------------------------------------------------------- 05.3, the round


@exercise(
    "05.3",
    title="A round with labels",
    minutes=15,
    difficulty=3,
    reference=cgan.conditional_round,
    promise=Promise(
        "round",
        lambda: [arguments()],
        gradient=("generator", "discriminator"),
        either=("real", "z"),
    ),
)
def _(answer):
    """Turn by turn on a toy, against the rounds that we know."""
    got, want = play(answer), play(cgan.conditional_round)
    if len(got) == 1:
        raise Wrong(f"only the {got[0][0]} has a turn; yield once for each player.")
    expect(len(got) == 2, "the round ended without a turn; yield once for each player.")
    expect(
        not (got[0][0] == "discriminator" and got[0][3]),
        "in the discriminator's turn a gradient reaches the generator: the drawn "
        "picture is not detached.",
    )
    if _same(got, want):
        return
    for message, wrong in ROUND_ERRORS.items():
        if _same(got, play(round_with(**wrong))):
            raise Wrong(message)
    for (player, loss, own, _), (name, right, wanted, _) in zip(got, want):
        expect(player == name, f"the {name}'s turn comes here, not the {player}'s.")
        expect_close(loss, right, f"the {player}'s loss on a tiny example", 1e-6)
        expect(
            torch.allclose(own, wanted, atol=1e-6),
            f"the {player}'s loss is right in value, but only a part of its gradient "
            f"comes back to the {player}: are logits detached in its turn?",
        )


def _same(one: list, other: list) -> bool:
    return [t[0] for t in one] == [t[0] for t in other] and all(
        torch.allclose(a[i], b[i], atol=1e-6)
        for a, b in zip(one, other)
        for i in (1, 2)
    )


# ------------------------------------------------------- 05.4, the auxiliary loss


def _likelihood(real, drawn, y):
    return sum(x.softmax(1).gather(1, y[:, None]).mean() for x in (real, drawn))


@exercise(
    "05.4",
    title="Name it",
    minutes=10,
    difficulty=2,
    reference=acgan.auxiliary_loss,
    promise=Promise(
        "scalar",
        lambda: [
            {"real_logits": normal(b, k), "fake_logits": normal(b, k, seed=2),
             "y": labels(b, k)}
            for b, k in [(6, 4), (64, 10), (32, 20)]
        ],
        gradient=("real_logits", "fake_logits"),
    ),
)  # fmt: skip
def _(answer):
    """Values, then logits of a sure classifier."""
    ce = F.cross_entropy
    known = {
        "this is L_C's negative, the log-likelihood, which is to go up; a loss goes "
        "down.": lambda r, f, y: -ce(r, y) - ce(f, y),
        "the drawn pictures are missing: nobody would ask G for the right class, and "
        "it would get no gradient.": lambda r, f, y: ce(r, y),
        "the real pictures are missing: the classifier would learn the classes from "
        "drawings alone, and the two can agree on a code of their "
        "own.": lambda r, f, y: ce(f, y),
        "the two are averaged; eq. (3) adds them.": lambda r, f, y: (
            ce(r, y) + ce(f, y)) / 2,
        "this adds up the batch; eq. (3) has means.": lambda r, f, y: ce(
            r, y, reduction="sum") + ce(f, y, reduction="sum"),
        "the drawn pictures are to be named anything but y (a minus too many): G and D "
        "both want the right name. They differ on real or drawn, not "
        "here.": lambda r, f, y: ce(r, y) - ce(f, y),
        "the probability of the right class stands here without its log.":
            (lambda r, f, y: -_likelihood(r, f, y), _likelihood),
        "softmax is taken twice: F.cross_entropy wants logits, and does it "
        "itself.": lambda r, f, y: ce(r.softmax(1), y) + ce(f.softmax(1), y),
        "this takes the logits for log-probabilities: P is their softmax, and nothing "
        "holds the loss from below without it. F.cross_entropy does it (F.nll_loss "
        "wants log_softmax's).": lambda r, f, y: -sum(
            x.gather(1, y[:, None]).mean() for x in (r, f)),
        "log-softmax of the wrong axis: the classes are axis 1.": lambda r, f, y: -sum(
            x.log_softmax(0).gather(1, y[:, None]).mean() for x in (r, f)),
        "this is a yes-or-no loss for each class (binary cross-entropy); here exactly "
        "one class is right: softmax over the classes.": (
            lambda r, f, y: sum(F.binary_cross_entropy_with_logits(
                x, F.one_hot(y, x.shape[1]).to(x)) for x in (r, f))),
    }  # fmt: skip
    inputs = [(normal(6, 4, scale=2.0), normal(6, 4, seed=2), labels(6, 4))]
    inputs += [(normal(5, 3, seed=4), normal(5, 3, seed=5), labels(5, 3))]
    diagnose(answer, inputs, acgan.auxiliary_loss, known, what="the loss")
    sure = torch.tensor([[300.0, -300.0]])
    expect_close(
        answer(sure.clone(), sure.clone(), torch.tensor([1])),
        1200.0,
        "the loss of a classifier that is very sure and wrong. (A log of a softmax is "
        "-inf there, and a small number inside the log cuts it off; F.cross_entropy or "
        "log_softmax stay right.) It",
        rtol=1e-2,
    )


# --------------------------------------------------------------- 05.5, projection


@exercise(
    "05.5",
    title="A label as a direction",
    minutes=10,
    difficulty=2,
    reference=cgan.projection_score,
    promise=Promise(
        "tensor",
        lambda: [
            {"h": normal(b, f), "y": labels(b, k), "v": normal(f, seed=4),
             "table": normal(k, f, seed=5)}
            for b, f, k in [(5, 4, 3), (64, 256, 10), (32, 512, 20)]
        ],
        gradient=("h", "v", "table"),
    ),
)  # fmt: skip
def _(answer):
    """Values on seeded features."""
    known = {
        "the label's part is missing: this score asks only whether it is "
        "real.": lambda h, y, v, t: h @ v,
        "the first part is missing: this asks only whether the class fits. A picture "
        "of no class at all would not be found out.": lambda h, y, v, t: (
            t[y] * h).sum(1),
        "the label's row is added to h's score without h: multiply it with the "
        "features, number by number.": lambda h, y, v, t: h @ v + t[y].sum(1),
        "this compares each picture with all labels of the batch: (B, B). Each picture "
        "meets the row of its own label.": lambda h, y, v, t: h @ v + h @ t[y].T,
        "this is one score for each class, (B, K); the label says which one "
        "counts.": lambda h, y, v, t: (h @ v)[:, None] + h @ t.T,
        "all rows of the table are added up; only row y of each picture's label "
        "counts: table[y].": lambda h, y, v, t: h @ v + h @ t.sum(0),
        "the two parts are multiplied; log-probabilities add.": lambda h, y, v, t: (
            h @ v) * (t[y] * h).sum(1),
        "the label's part is subtracted: a picture that fits its label would score "
        "less.": lambda h, y, v, t: h @ v - (t[y] * h).sum(1),
        "the label's part is averaged over the features; it is a dot product, a "
        "sum.": lambda h, y, v, t: h @ v + (t[y] * h).mean(1),
        "the label's part is summed over the whole batch, so that each picture gets "
        "the agreement of all: a sum over the features alone, "
        ".sum(1).": lambda h, y, v, t: h @ v + (t[y] * h).sum(),
        "the agreement of another picture's label: the rows of the table are taken in "
        "the batch's order, not by y.": lambda h, y, v, t: h @ v + (
            t[torch.arange(len(h)) % len(t)] * h).sum(1),
        "this is the sigmoid; the losses want the score itself.": lambda h, y, v, t: (
            cgan.projection_score(h, y, v, t).sigmoid()),
    }  # fmt: skip
    inputs = [(normal(5, 4), labels(5, 3), normal(4, seed=4), normal(3, 4, seed=5))]
    inputs += [(normal(3, 6, seed=6), labels(3, 2), normal(6), normal(2, 6, seed=7))]
    diagnose(answer, inputs, cgan.projection_score, known, what="the score")


# ------------------------------------------------------ 05.6, a bound on information


@exercise(
    "05.6",
    title="A bound on information",
    minutes=15,
    difficulty=3,
    reference=infogan.code_bound,
    promise=Promise(
        "scalar",
        lambda: [
            {"logits": normal(b, k), "code": labels(b, k)}
            for b, k in [(6, 4), (64, 10), (2000, 3)]
        ],
        gradient=("logits",),
    ),
)
def _(answer):
    """Values, then that it never exceeds the exact information, and reaches it."""
    ce = F.cross_entropy
    known = {
        "H(c) is missing: without log K the bound is too low by a constant. (Training "
        "would go the same way, but the number would say "
        "nothing.)": lambda x, c: -ce(x, c),
        "this is the loss, E[-log Q]; the bound goes the other way, and has H(c) "
        "beside it.": ce,
        "the sign of the first part is turned round: it is log Q, not -log "
        "Q.": lambda x, c: math.log(x.shape[1]) + ce(x, c),
        "log of the batch's size stands here; H(c) is that of K, the number of "
        "codes.": lambda x, c: math.log(len(x)) - ce(x, c),
        "log 10 stands here, whatever K is; take K from the logits: "
        "logits.shape[1].": lambda x, c: math.log(10) - ce(x, c),
        "K itself stands here; the entropy of an even draw from K is log "
        "K.": lambda x, c: x.shape[1] - ce(x, c),
        "this is in bits (log2); the lesson counts in nats, so that both parts have "
        "the same unit.": (
            lambda x, c: (math.log(x.shape[1]) - ce(x, c)) / math.log(2),
            lambda x, c: math.log2(x.shape[1]) - ce(x, c)),
        "the probability of the right code stands here without its "
        "log.": lambda x, c: math.log(x.shape[1]) + x.softmax(1).gather(
            1, c[:, None]).mean(),
        "this is Q's own entropy; it asks how sure Q is, not whether it is "
        "right.": lambda x, c: math.log(x.shape[1]) + (
            x.softmax(1) * x.log_softmax(1)).sum(1).mean(),
        "this adds up the batch; E is a mean.": (
            lambda x, c: math.log(x.shape[1]) - ce(x, c, reduction="sum")),
        "this takes the logits for log-probabilities; Q is their "
        "softmax.": lambda x, c: math.log(x.shape[1]) + x.gather(
            1, c[:, None]).mean(),
        "softmax is taken twice: F.cross_entropy wants "
        "logits.": lambda x, c: math.log(x.shape[1]) - ce(x.softmax(1), c),
    }  # fmt: skip
    inputs = [(normal(6, 4, scale=2.0), labels(6, 4))]
    inputs += [(normal(5, 3, seed=4), labels(5, 3))]
    diagnose(answer, inputs, infogan.code_bound, known, what="the bound")
    _sure_and_wrong(answer)


def _sure_and_wrong(answer) -> None:
    """A bound that is finite where Q is very sure of another code."""
    sure = torch.tensor([[300.0, -300.0]])
    found = float(answer(sure.clone(), torch.tensor([1])).detach())
    expect(
        math.isfinite(found) and abs(found + 599.3) < 1,
        "where Q is very sure and wrong the bound should be about -599, but is "
        f"{found:.4g}: a log of a softmax is -inf there, and a small number inside "
        "the log cuts it off. Use F.cross_entropy or log_softmax.",
    )
