"""Checks of lesson 10, StackGAN++: gates, joint losses over scales, colours."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..papers import stackgan_v2
from .compare import normal
from .core import Promise, diagnose, exercise, expect_close
from .toy_trees import a_tree, slipped


def yes(logits: Tensor) -> Tensor:
    """-log D, a batch's mean."""
    return F.softplus(-logits).mean()


def no(logits: Tensor) -> Tensor:
    """-log(1 - D), a batch's mean."""
    return F.softplus(logits).mean()


# ------------------------------------------------------------------- 10.1, the gates


def _halves(x: Tensor) -> tuple[Tensor, ...]:
    return x.chunk(2, 1)


def _of_halves(function):
    return lambda x: function(*_halves(x))


@exercise(
    "10.1",
    title="Channels that open and close",
    minutes=5,
    difficulty=1,
    reference=stackgan_v2.gated,
    promise=Promise(
        "tensor",
        lambda: [
            {"x": normal(*shape)}
            for shape in [(3, 6), (2, 6, 4, 4), (4, 512), (2, 64, 16, 16)]
        ],
        gradient=("x",),
    ),
)
def _(answer):
    """Values on a table and on maps."""
    known = {
        "the halves are exchanged: the first half is the value, the second the gate, "
        "which goes through the sigmoid.": _of_halves(lambda a, b: a.sigmoid() * b),
        "the sigmoid is missing: the product of two halves isn't bounded by either; a "
        "gate lies between 0 and 1.": _of_halves(lambda a, b: a * b),
        "tanh stands where the sigmoid is meant: a gate is between 0, closed, and 1, "
        "open; tanh would also turn the sign.": _of_halves(lambda a, b: a * b.tanh()),
        "this is lesson 04's gate, tanh times sigmoid; here the value passes as it is.":
            _of_halves(lambda a, b: a.tanh() * b.sigmoid()),
        "the second half stands there twice, as the sigmoid and once more without it; "
        "only its sigmoid multiplies.": _of_halves(lambda a, b: a * b * b.sigmoid()),
        "the value opens itself; another channel, of the second half, is to decide.":
            _of_halves(lambda a, b: a * a.sigmoid()),
        "the gate is wholly open or shut; a sigmoid opens by any part, and lets a "
        "gradient through.": _of_halves(lambda a, b: a * (b > 0)),
        "a softmax makes the channels share one opening; each gate has a sigmoid of "
        "its own.": _of_halves(lambda a, b: a * b.softmax(1)),
        "the gate is a ReLU: it can open without bound.":
            _of_halves(lambda a, b: a * b.relu()),
        "gate and value are added; the gate multiplies.":
            _of_halves(lambda a, b: a + b.sigmoid()),
        "both halves go through the sigmoid; the value stays as it is.":
            _of_halves(lambda a, b: a.sigmoid() * b.sigmoid()),
        "the sigmoid is taken of the product; only the gate goes through it.":
            _of_halves(lambda a, b: (a * b).sigmoid()),
        "nothing is split: each channel gates itself, and twice as many come out as "
        "the next layer takes. Halve the channels, x.chunk(2, 1).":
            lambda x: x * x.sigmoid(),
        "the last axis is split, that is the columns of a map; channels are axis 1.":
            lambda x: x.chunk(2, -1)[0] * x.chunk(2, -1)[1].sigmoid(),
        "the batch is split (axis 0): one picture would gate another. Channels are "
        "axis 1.": lambda x: x.chunk(2, 0)[0] * x.chunk(2, 0)[1].sigmoid(),
        "even and odd channels are paired; here the first half are the values and the "
        "second half their gates.": lambda x: x[:, ::2] * x[:, 1::2].sigmoid(),
        "the gates are left out: this is the first half alone.":
            _of_halves(lambda a, b: a),
    }  # fmt: skip
    inputs = [(normal(2, 6, 4, 4, seed=3),), (normal(4, 6),)]
    diagnose(answer, inputs, stackgan_v2.gated, known, what="the gated features")


# ------------------------------------------------------ 10.2, the features of a tree


@exercise(
    "10.2",
    title="Features that grow",
    minutes=8,
    difficulty=2,
    reference=stackgan_v2.branch_features,
    promise=Promise(
        "tensors",
        lambda: [a_tree(2), a_tree(1), a_tree(3)],
        gradient=("first", "others"),
        either=("z", "c"),
        double=False,
        anywhere=False,
    ),
)
def _(answer):
    """Values on toy branches, two and three of them."""
    known = {
        "the later branches are told z, as (7) has it where nothing is asked for; with "
        "a sentence it is c that they are told.": slipped(tell=lambda z, c, i: z),
        "F_0 takes c first and z behind it: torch.cat([c, z], 1).":
            slipped(start=lambda z, c: torch.cat([z, c], 1)),
        "each branch reads h_0; it reads the features of the branch before it, h_i-1.":
            slipped(told=lambda found: found[0]),
        "h_0 is missing in the list: the first branch draws, too.":
            slipped(end=lambda found: found[1:]),
        "only the last features are here; each branch draws from its own. Return the "
        "list of all.": (
            slipped(end=lambda found: found[-1]),
            slipped(end=lambda found: found[-1:])),
        "the list is turned round: the smallest first.":
            slipped(end=lambda found: found[::-1]),
        "the last branch is missing.": slipped(end=lambda found: found[:-1]),
        "the first of the later branches is passed over: `others` begins with F_1, so "
        "go over all of it.": lambda first, others, z, c: stackgan_v2.branch_features(
            first, others[1:], z, c),
        "only the first of the later branches is told the sentence.":
            slipped(tell=lambda z, c, i: c if i == 0 else torch.zeros_like(c)),
        "there may be more or fewer later branches than two: go over all of `others`.":
            lambda first, others, z, c: stackgan_v2.branch_features(
                first, others[:2], z, c),
        "the later branches aren't told the sentence; each hears c again.":
            slipped(tell=lambda z, c, i: torch.zeros_like(c)),
    }  # fmt: skip
    inputs = [tuple(a_tree(branches).values()) for branches in (2, 3)]
    diagnose(answer, inputs, stackgan_v2.branch_features, known, what="the features")


# ------------------------------------------------------- 10.3, a judge's joint loss


def _conditional(right, fake, wrong):
    return yes(right) + (no(fake) + no(wrong)) / 2


def _hinges(real, drawn, right, fake, wrong):
    good = F.relu(1 - real).mean() + F.relu(1 - right).mean()
    bad = [F.relu(1 + logits).mean() for logits in (drawn, fake, wrong)]
    return good + bad[0] + (bad[1] + bad[2]) / 2


def _five(seed: int, many: int = 6) -> tuple[Tensor, ...]:
    return tuple(normal(many, seed=seed + i, scale=2.0) for i in range(5))


NAMES = ("real", "drawn", "right", "fake", "wrong")


@exercise(
    "10.3",
    title="Two questions to one judge",
    minutes=10,
    difficulty=2,
    reference=stackgan_v2.joint_discriminator_loss,
    promise=Promise(
        "scalar",
        lambda: [dict(zip(NAMES, _five(many, many))) for many in (4, 8, 32)],
        gradient=NAMES,
    ),
)
def _(answer):
    """Values on seeded logits, then at a judge who is sure and wrong."""
    known = {
        "only the conditional loss is here: this is the table's row without JCU.":
            lambda r, d, t, f, w: _conditional(t, f, w),
        "only the unconditional loss is here: the sentence is not heard of.":
            lambda r, d, t, f, w: yes(r) + no(d),
        "the wrong pairs are missing. The slide's (11) leaves them out, too; without "
        "them a real picture always fits, and D never learns what a sentence says.": (
            lambda r, d, t, f, w: yes(r) + no(d) + yes(t) + no(f),
            lambda r, d, t, f, w: yes(r) + no(d) + yes(t) + no(f) / 2),
        "one of fake and wrong counts whole and the other half: both are halved, "
        "(no(fake) + no(wrong)) / 2.": (
            lambda r, d, t, f, w: yes(r) + no(d) + yes(t) + no(f) + no(w) / 2,
            lambda r, d, t, f, w: yes(r) + no(d) + yes(t) + no(f) / 2 + no(w)),
        "`drawn` is halved here; it counts whole, as the only one that the "
        "unconditional loss calls drawn. `fake` and `wrong` are halved.": (
            lambda r, d, t, f, w: yes(r) + no(d) / 2 + _conditional(t, f, w),
            lambda r, d, t, f, w: yes(r) + yes(t) + (no(d) + no(f) + no(w)) / 2),
        "one of the two losses is halved as a whole; only `fake` and `wrong` are.": (
            lambda r, d, t, f, w: yes(r) + no(d) + _conditional(t, f, w) / 2,
            lambda r, d, t, f, w: (yes(r) + no(d)) / 2 + _conditional(t, f, w)),
        "`drawn` and `fake` are exchanged: `drawn` are logits of pictures alone, and "
        "count whole; `fake` are of pairs, and count half.":
            lambda r, d, t, f, w: yes(r) + no(f) + _conditional(t, d, w),
        "drawn pictures are missing in the unconditional loss.":
            lambda r, d, t, f, w: yes(r) + _conditional(t, f, w),
        "this is a hinge loss; (11) has logarithms: softplus.": _hinges,
        "fake and wrong pairs count whole; they count half each, as in lesson 08, so "
        "that yes and no weigh alike.": lambda r, d, t, f, w: (
            yes(r) + no(d) + yes(t) + no(f) + no(w)),
        "this is the mean of the two losses; (11) adds them.":
            lambda r, d, t, f, w: (yes(r) + no(d) + _conditional(t, f, w)) / 2,
        "these are lesson 09's weights, of stage II's release: the mean of two yeses "
        "and of three noes. (11) adds the unconditional and the conditional loss.":
            lambda r, d, t, f, w: (yes(r) + yes(t)) / 2 + (no(d) + no(f) + no(w)) / 3,
        "the wrong pair is called right: its picture is real, but it isn't what the "
        "sentence says, so the conditional answer is no.": lambda r, d, t, f, w: (
            yes(r) + no(d) + yes(t) + (no(f) + yes(w)) / 2),
        "drawn pictures are called real by the unconditional loss; the tree wants "
        "that, the judge doesn't.": lambda r, d, t, f, w: (
            yes(r) + yes(d) + _conditional(t, f, w)),
        "yes and no are exchanged: -log D of a logit is softplus(-logit).":
            lambda r, d, t, f, w: no(r) + yes(d) + no(t) + (yes(f) + yes(w)) / 2,
        "this is what D should make large; a loss goes down: turn the sign.":
            lambda *x: -stackgan_v2.joint_discriminator_loss(*x),
        "the batch's losses are added up; take their means.":
            lambda *x: len(x[0]) * stackgan_v2.joint_discriminator_loss(*x),
        "the logits of both heads are added before the log; each head gives an answer "
        "of its own.": lambda r, d, t, f, w: (
            yes(r + t) + no(d + f) / 2 + no(r + w) / 2),
    }  # fmt: skip
    inputs, judged = [_five(1), _five(11, 4)], stackgan_v2.joint_discriminator_loss
    diagnose(answer, inputs, judged, known, what="the judge's loss")
    sure = torch.full((2,), 200.0)
    expect_close(
        answer(-sure, sure.clone(), -sure, sure.clone(), sure.clone()), 800.0,
        "the loss of a judge who is sure and wrong, logits of 200 and -200. (A sigmoid "
        "is 0 or 1 there, and one of the logs -inf.) It", rtol=1e-3,
    )  # fmt: skip


# ------------------------------------------------------- 10.4, the tree's loss, (12)


def _each(alone: Tensor, pairs: Tensor) -> Tensor:
    return F.softplus(-alone) + F.softplus(-pairs)


@exercise(
    "10.4",
    title="One loss for three painters",
    minutes=7,
    difficulty=2,
    reference=stackgan_v2.painters_loss,
    promise=Promise(
        "scalar",
        lambda: [
            {"alone": normal(m, b), "pairs": normal(m, b, seed=2)}
            for m, b in [(3, 4), (3, 32), (1, 8), (2, 5)]
        ],
        gradient=("alone", "pairs"),
    ),
)
def _(answer):
    """Values for three scales and for two."""
    known = {
        "this is the mean over the scales, too; (10) adds them up.":
            lambda a, p: _each(a, p).mean(),
        "this adds up over the batch, too: take each scale's mean, then the sum over "
        "scales.": lambda a, p: _each(a, p).sum(),
        "the axes are exchanged: rows are scales, columns pictures. Mean over axis 1, "
        "sum over axis 0.": lambda a, p: _each(a, p).mean(0).sum(),
        "there is one loss a scale; (10) adds the scales to one number.":
            lambda a, p: _each(a, p).mean(1),
        "the smallest scale is left out: branches are counted from 0, as the slide's "
        "(7) does and its (10) doesn't.": lambda a, p: _each(a, p)[1:].mean(1).sum(),
        "one head's sign is turned: both -log D of pictures and -log D of pairs are "
        "softplus(-logit).": (
            lambda a, p: _each(-a, p).mean(1).sum(),
            lambda a, p: _each(a, -p).mean(1).sum()),
        "only the largest scale counts here; the small ones are what helps it.":
            lambda a, p: _each(a, p)[-1].mean(),
        "only the smallest scale counts here.": lambda a, p: _each(a, p)[0].mean(),
        "the unconditional loss is missing: this is the table's row without JCU.":
            lambda a, p: F.softplus(-p).mean(1).sum(),
        "the conditional loss is missing: the tree would paint birds, whatever the "
        "sentence.": lambda a, p: F.softplus(-a).mean(1).sum(),
        "this is the mean of the two heads' losses; (12) adds them.":
            lambda a, p: _each(a, p).mean(1).sum() / 2,
        "the sign of the game is turned: this wants its pictures called drawn. -log D "
        "is softplus(-logit).": lambda a, p: _each(-a, -p).mean(1).sum(),
        "this is log(1 - D), which saturates where D is sure (lesson 01); (12) goes "
        "down -log D: softplus(-logit).": lambda a, p: -_each(-a, -p).mean(1).sum(),
        "the heads' logits are added before the log; each head gives an answer of its "
        "own.": lambda a, p: F.softplus(-a - p).mean(1).sum(),
        "logits are taken for log-probabilities: log D is logsigmoid of a logit.":
            lambda a, p: -(a + p).mean(1).sum(),
    }  # fmt: skip
    inputs = [(normal(3, 4, seed=4), normal(3, 4, seed=5)),
              (normal(2, 5, seed=6), normal(2, 5, seed=7))]  # fmt: skip
    diagnose(answer, inputs, stackgan_v2.painters_loss, known, what="the tree's loss")
    sure = torch.full((2, 3), -200.0)
    expect_close(
        answer(sure.clone(), sure.clone()), 800.0,
        "the loss where both heads of two judges are sure that pictures are drawn, "
        "logits -200. (A sigmoid is 0 there, and its log -inf.) It", rtol=1e-3,
    )  # fmt: skip


# -------------------------------------------------- 10.5, mean colour and covariance


def _pixels(x: Tensor) -> Tensor:
    return x.flatten(2)


def _many(x: Tensor) -> int:
    return x.shape[2] * x.shape[3]


def _apart(x: Tensor, over: tuple[int, ...] = (2,)) -> Tensor:
    return _pixels(x) - _pixels(x).mean(over, keepdim=True)


def _spread(x: Tensor) -> Tensor:
    return stackgan_v2.colours(x)[1]


def _mean(x: Tensor) -> Tensor:
    return x.mean((2, 3))


def _variances(x: Tensor) -> Tensor:
    return _spread(x).diagonal(dim1=1, dim2=2)


def _dealt(x: Tensor) -> tuple[Tensor, Tensor]:
    rows = x.reshape(len(x), -1, 3)
    apart = rows - rows.mean(1, keepdim=True)
    return rows.mean(1), apart.mT @ apart / rows.shape[1]


def _correlation(x: Tensor) -> Tensor:
    width = _variances(x).sqrt()
    return _spread(x) / (width[:, :, None] * width[:, None])


@exercise(
    "10.5",
    title="The colours of a picture in twelve numbers",
    minutes=12,
    difficulty=3,
    reference=stackgan_v2.colours,
    promise=Promise(
        "tensors",
        lambda: [
            {"pictures": normal(b, 3, side, side)}
            for b, side in [(2, 4), (3, 16), (2, 32), (2, 64)]
        ],
        gradient=("pictures",),
    ),
)
def _(answer):
    """Means and covariances of small random pictures."""
    known = {
        "the covariances divide by H W - 1; here by H W. (torch.cov does the former "
        "unless told correction=0.)": lambda x: (
            _mean(x), _spread(x) * _many(x) / (_many(x) - 1)),
        "the mean isn't subtracted before the product: these are second moments, and a "
        "plain grey picture would seem to vary.": lambda x: (
            _mean(x), _pixels(x) @ _pixels(x).mT / _many(x)),
        "the products are added up and not divided by H W: a larger picture would seem "
        "to vary more.": lambda x: (_mean(x), _spread(x) * _many(x)),
        "only variances are here: how two colours go together is in the other six "
        "numbers of the 3 x 3 table.": (
            lambda x: (_mean(x), _variances(x)),
            lambda x: (_mean(x), _variances(x).diag_embed())),
        "these are standard deviations; the variances are their squares, and the "
        "covariances between colours belong to them.":
            lambda x: (_mean(x), _variances(x).sqrt()),
        "these are correlations, divided by both deviations: how strong the colours "
        "are is lost.": lambda x: (_mean(x), _correlation(x)),
        "the batch is averaged away: each picture has colours of its own, (B, 3) and "
        "(B, 3, 3).": (
            lambda x: (_mean(x).mean(0), _spread(x).mean(0)),
            lambda x: (_mean(x).mean(0).expand(len(x), 3), _spread(x)),
            lambda x: (x.mean((0, 2, 3)), _spread(x))),
        "the whole batch's mean colour is subtracted; take each picture's own.":
            lambda x: (_mean(x), _apart(x, (0, 2)) @ _apart(x, (0, 2)).mT / _many(x)),
        "this compares each pixel with each, H W x H W numbers; the colours are "
        "compared: (B, 3, H W) times its transpose.": (
            lambda x: (_mean(x), _apart(x).mT @ _apart(x) / _many(x)),
            lambda x: (_mean(x), _apart(x).mT @ _apart(x) / 3)),
        "reshape deals the numbers out anew, three in a row, and mixes colours with "
        "places: flatten(2) keeps each colour's pixels together.": (
            lambda x: _dealt(x), lambda x: (_mean(x), _dealt(x)[1])),
        "the products are divided by 3, the colours; divide by H W, the pixels.":
            lambda x: (_mean(x), _spread(x) * _many(x) / 3),
        "the products are divided by the batch; divide by H W, the pixels.":
            lambda x: (_mean(x), _spread(x) * _many(x) / len(x)),
        "covariance and mean come in the other order; the mean first.":
            lambda x: (_spread(x), _mean(x)),
        "the mean is taken over the colours (axis 1); it goes over the pixels, and "
        "leaves one number for each colour.": (
            lambda x: (x.mean(1), _spread(x)),
            lambda x: (_pixels(x).mean(1), _spread(x))),
        "the sum of the pixels stands for their mean.":
            lambda x: (x.sum((2, 3)), _spread(x)),
    }  # fmt: skip
    inputs = [(normal(2, 3, 4, 4) + 0.7,), (normal(4, 3, 6, 6, seed=2) - 0.4,)]
    diagnose(answer, inputs, stackgan_v2.colours, known, what="the colours")


# ------------------------------------------------------------ 10.6, colour consistency


def _gap(fine, coarse, i, measure=lambda gap: gap.square().mean()):
    return measure(stackgan_v2.colours(fine)[i] - stackgan_v2.colours(coarse)[i])


def _gaps(means, covariances, measure=lambda gap: gap.square().mean()):
    """A wrong answer: weights of both terms by the one given, and their measure."""
    return lambda fine, coarse, w=5.0: (
        means(w) * _gap(fine, coarse, 0, measure)
        + covariances(w) * _gap(fine, coarse, 1, measure)
    )


def _pair(side: int, weight: float | None = 5.0, many: int = 2) -> dict:
    call = {"fine": normal(many, 3, side, side) + 0.3,
            "coarse": normal(many, 3, side // 2, side // 2, seed=2)}  # fmt: skip
    return call if weight is None else call | {"covariances": weight}


one, given, nothing = (lambda w: 1.0), (lambda w: w), (lambda w: 0.0)


@exercise(
    "10.6",
    title="The larger picture keeps the colours",
    minutes=8,
    difficulty=2,
    reference=stackgan_v2.colour_consistency,
    promise=Promise(
        "scalar",
        lambda: [_pair(8), _pair(32, 5.0), _pair(64, 2.0), _pair(32, None)],
        gradient=("fine",),
        stopped=("coarse",),
    ),
)
def _(answer):
    """Values at two weights."""
    mean = _gaps(one, given)
    known = {
        "the weight is at the means; it belongs to the covariances.":
            _gaps(given, one),
        "the weight is missing: `covariances` times the second term.":
            _gaps(one, one),
        "5 stands there for the weight; take the one that is given.":
            _gaps(one, lambda w: 5.0),
        "the weight multiplies both terms; the means count once.":
            _gaps(given, given),
        "the covariances' term is missing.": _gaps(one, nothing),
        "the means' term is missing.": _gaps(nothing, given),
        "squares are added up over the numbers, as the paper's norms have it; the "
        "weights here are the release's, for means over 3 and over 9 numbers.":
            _gaps(one, given, lambda g: g.square().flatten(1).sum(1).mean()),
        "squares are added up over batch and numbers; take means.":
            _gaps(one, given, lambda g: g.square().sum()),
        "these are absolute differences; the squares are meant.":
            _gaps(one, given, lambda g: g.abs().mean()),
        "norms are taken, not their squares: in (3) both are squared.":
            lambda f, c, w=5.0: (
                _gap(f, c, 0, lambda g: g.flatten(1).norm(dim=1).mean())
                + w * _gap(f, c, 1, lambda g: g.flatten(1).norm(dim=1).mean())),
        "lambda_1 = 50 stands in it; here it is 1, and the training multiplies.":
            _gaps(lambda w: 50.0, lambda w: 50.0 * w),
        "a root is taken: leave the squares' mean as it is (its slope at 0 is 0, a "
        "root's isn't finite there).":
            _gaps(one, given, lambda g: g.square().mean().sqrt()),
        "the batch is averaged before the difference is squared: pictures too red and "
        "too green would make good for each other.":
            _gaps(one, given, lambda g: g.mean(0).square().mean()),
        "this compares pixels: the larger picture, shrunk, would have to be the "
        "smaller one. Only the colours are compared, wherever they stand.": (
            lambda f, c, w=5.0: F.mse_loss(F.avg_pool2d(f, 2), c),
            lambda f, c, w=5.0: F.mse_loss(f, F.interpolate(c, scale_factor=2.0))),
        "the sign is turned: colours would drift apart.":
            lambda f, c, w=5.0: -mean(f, c, w),
    }  # fmt: skip
    inputs = [tuple(_pair(8, weight, 3).values()) for weight in (2.0, 7.0)]
    reference = stackgan_v2.colour_consistency
    diagnose(answer, inputs, reference, known, what="the distance of the colours")
