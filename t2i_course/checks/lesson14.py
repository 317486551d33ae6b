"""Checks of lesson 14, SISGAN: what an edit is to change, its game, its sources."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..measure import editing
from ..papers import sisgan
from . import edit_slips, source_slips
from .compare import Wrong, in_words, normal
from .core import Promise, diagnose, exercise, expect, expect_shape
from .neighbours import expect_neighbours, expect_same_gradient
from .source_slips import tried

# ------------------------------------------------------------- 14.1, what is to be seen

CHOICE = {
    "more than one value is ambiguous": "`if` asks for one True or False, and here is "
    "one for each number: torch.where(mask, this, that) chooses number by number.",
}


@exercise(
    "14.1",
    title="What is to be seen",
    minutes=5,
    difficulty=1,
    reference=editing.wanted,
    promise=Promise(
        "tensor",
        lambda: [
            dict(zip(("attributes", "named"), edit_slips.asked(*shape)))
            for shape in [(4, 5), (1, 3), (200, 16)]
        ],
    ),
)
def _(answer):
    """Values on tables that hold 0, -1, and numbers both larger and smaller."""
    inputs = [edit_slips.asked(6, 5, seed=2), edit_slips.asked(4, 7, seed=3)]
    got = tried(answer, *inputs[0], stops=CHOICE)
    expect(
        not isinstance(got, Tensor) or got.ndim != 1,
        "the table has lost its rows: a mask in brackets, named[named >= 0], keeps "
        "only what it chooses, in one row. torch.where keeps the shape.",
    )
    expect_shape(got, (6, 5), "what is to be seen", "(batch, attributes)")
    diagnose(answer, inputs, editing.wanted, edit_slips.WANTED,
             what="what is to be seen")  # fmt: skip


# ----------------------------------------------------------- 14.2, where it has changed

MASKED = {
    "the mask": "the mask (B, H, W) doesn't fit pictures (B, 3, H, W): take the mean "
    "over channels first, .mean(1), or give the mask an axis, inside[:, None].",
    "The size of tensor": "the mask (B, H, W) doesn't fit pictures (B, 3, H, W): take "
    "the mean over channels first, .mean(1), or give the mask an axis, "
    "inside[:, None].",
    "indices should be either on": "an array and a tensor meet: stay with torch.",
    "more than one value is ambiguous": "`not`, `and` and `if` ask for one True or "
    "False, and a mask has one for each pixel: outside is ~inside.",
    "by a bool tensor": "outside is where `inside` is False: ~inside.",
    "with a bool tensor": "outside is where `inside` is False: ~inside.",
}


def _expect_two(got) -> None:
    """Two tensors with one number each."""
    both = "the mean change inside and the one outside"
    if isinstance(got, Tensor) and got.numel() == 2:
        raise Wrong(f"the two stand in one tensor; return {both} side by side: return "
                    "a, b.")  # fmt: skip
    expect(
        isinstance(got, (tuple, list)) and len(got) == 2,
        f"return two things, {both}, side by side (return a, b). This is "
        f"{in_words(got)} instead.",
    )
    for part, name in zip(got, ("inside", "outside")):
        expect(
            isinstance(part, Tensor),
            f"the one of the {name} should be a tensor of one number, but is "
            f"{in_words(part)}. Leave .item() and float() out: later cells call them "
            "themselves.",
        )
        expect(
            part.ndim != 1 or len(part) != 3,
            f"the one of the {name} has a number for each picture; it is one number, "
            "the mean over all such pixels of the batch.",
        )
        expect_shape(part, (), f"the mean change of the {name}")


def _edited(count: int, high: int, wide: int, seed: int = 1) -> dict:
    """A call of 14.2."""
    found = edit_slips.pictures(count, high, wide, seed)
    return dict(zip(("before", "after", "inside"), found))


@exercise(
    "14.2",
    title="Inside and outside",
    minutes=8,
    difficulty=2,
    reference=editing.inside_and_outside,
    promise=Promise(
        "tensors",
        lambda: [
            _edited(2, 8, 8), _edited(4, 32, 32, 5), _edited(1, 5, 7, 9),
            _edited(3, 64, 64, 13),
        ],
        either=("before", "after"),
    ),
)  # fmt: skip
def _(answer):
    """Values on three pictures, of which one has no pixel inside, one none outside."""
    inputs = [edit_slips.pictures(3, 6, 9), edit_slips.pictures(3, 8, 5, 20)]
    _expect_two(tried(answer, *inputs[0], stops=MASKED))
    diagnose(answer, inputs, editing.inside_and_outside, edit_slips.CHANGES,
             what="the pair (inside, outside)", atol=1e-6, rtol=1e-4)  # fmt: skip
    tried(answer, *edit_slips.pictures(2, 6, 9, 30), stops=MASKED)


# ----------------------------------------------------------------- 14.3, whose sentence


@exercise(
    "14.3",
    title="Whose sentence?",
    minutes=8,
    difficulty=2,
    reference=sisgan.relevant,
    promise=Promise(
        "tensor",
        lambda: [
            {"text": normal(*shape)} for shape in [(6, 3), (32, 256), (8, 256), (7, 4)]
        ],
        gradient=("text",),
        random=True,  # which of the others' sentences is free
    ),
)
def _(answer):
    """Where each sentence comes from, in batches of several sizes."""
    for count in (8, 6, 7, 4, 32):
        expect_neighbours(answer, count)
    expect_same_gradient(answer)


# -------------------------------------------- 14.4, both kinds of answer weigh the same

soft = F.softplus


def _loss(real, wrong, made, weights=(1.0, 0.5, 0.5)):
    """The three terms, weighed."""
    terms = soft(-real).mean(), soft(wrong).mean(), soft(made).mean()
    return sum(weight * term for weight, term in zip(weights, terms))


def _weighed(*weights):
    return lambda r, w, m: _loss(r, w, m, weights)


def _of_probabilities(change):
    """The loss with another thing done to logits first."""
    return lambda r, w, m: _loss(change(r), change(w), change(m))


def _one_less(real, wrong, made):
    """1 - log s in place of log(1 - s)."""
    log = F.logsigmoid
    return -log(real).mean() + (1 - log(wrong) + 1 - log(made)).mean() / 2


def _logs_of_logits(real, wrong, made):
    return -(real.log().mean() + ((1 - wrong).log() + (1 - made).log()).mean() / 2)


def _squares(real, wrong, made):
    return (real - 1).square().mean() + (wrong.square() + made.square()).mean() / 2


def _hinges(real, wrong, made):
    return (1 - real).relu().mean() + (
        (1 + wrong).relu() + (1 + made).relu()
    ).mean() / 2


def _wasserstein(real, wrong, made):
    return (wrong + made).mean() / 2 - real.mean()


LOSSES = {
    "all three terms count in full, as eq. (2) is printed; here the two negative ones "
    "count half each, so that \"no\" weighs as much as \"yes\".": _weighed(1, 1, 1),
    "this is L_D itself, which should grow; a loss goes down, so turn its sign.":
        _weighed(-1, -0.5, -0.5),
    "this is L_D itself, which should grow; a loss goes down. (And its negative terms "
    "count half each.)": _weighed(-1, -1, -1),
    "this is the mean over all three kinds of logits; the real pairs count in full, "
    "and the two negative ones half each.": _weighed(1 / 3, 1 / 3, 1 / 3),
    "the half reaches the real pairs, too; only the negative terms are halved.":
        _weighed(0.5, 0.5, 0.5),
    "the half stands before the real pairs' term; it belongs to the negative ones.":
        _weighed(0.5, 1, 1),
    "only the wrong pairs' term is halved; both negative ones are.":
        _weighed(1, 0.5, 1),
    "only the made pictures' term is halved; both negative ones are.":
        _weighed(1, 1, 0.5),
    "the negative terms count a quarter each; a half each makes \"no\" weigh as much "
    "as \"yes\".": _weighed(1, 0.25, 0.25),
    "the wrong pairs are missing: a judge without them needn't read the sentence.":
        (_weighed(1, 0, 1), _weighed(1, 0, 0.5)),
    "the made pictures are missing: the judge would never meet the generator.":
        (_weighed(1, 1, 0), _weighed(1, 0.5, 0)),
    "the real pairs are missing: a judge that always says no would win.":
        (_weighed(0, 0.5, 0.5), _weighed(0, 1, 1)),
    "this counts the real pairs alone: a judge that always says yes would win.":
        _weighed(1, 0, 0),
    "the wrong pairs are counted as right ones: a picture with a sentence that doesn't "
    "fit should be called wrong, softplus(wrong).": (
        lambda r, w, m: _loss(r, -w, m), lambda r, w, m: _loss(r, -w, m, (1, 1, 1))),
    "the made pictures are counted as real ones: that is the generator's wish; the "
    "judge should call them drawn, softplus(made).": (
        lambda r, w, m: _loss(r, w, -m), lambda r, w, m: _loss(r, w, -m, (1, 1, 1))),
    "both negative kinds are counted as right ones: they should be called wrong, "
    "softplus(wrong) and softplus(made).": (
        lambda r, w, m: _loss(r, -w, -m), lambda r, w, m: _loss(r, -w, -m, (1, 1, 1))),
    "the signs within softplus are turned round: this is large where the judge is "
    "right. A real pair costs softplus(-real).": (
        lambda r, w, m: _loss(-r, -w, -m),
        lambda r, w, m: _loss(-r, -w, -m, (1, 1, 1))),
    "the real pairs' sign is turned: -log s is softplus(-real).": (
        lambda r, w, m: _loss(-r, w, m), lambda r, w, m: _loss(-r, w, m, (1, 1, 1))),
    "real and wrong are exchanged: s_r+ should go to 1, s_w- to 0.":
        lambda r, w, m: _loss(w, r, m),
    "real and made are exchanged: s_r+ should go to 1, s_s- to 0.":
        lambda r, w, m: _loss(m, w, r),
    "the negative terms are subtracted; in a loss that goes down all three costs are "
    "added.": (_weighed(1, -0.5, -0.5), _weighed(1, -1, -1)),
    "one negative term is subtracted; in a loss that goes down all three costs are "
    "added.": (_weighed(1, 0.5, -0.5), _weighed(1, -0.5, 0.5)),
    "the negative terms are logs of s, not of 1 - s: log(1 - s) is F.logsigmoid of "
    "minus the logit, and -log(1 - s) is F.softplus of the logit.": (
        lambda r, w, m: _loss(r, -w, -m, (1, -0.5, -0.5)),
        lambda r, w, m: _loss(r, -w, -m, (1, -1, -1))),
    "this is the generator's loss, -log of s for made pictures; here the judge's is "
    "asked for.": lambda r, w, m: soft(-m).mean(),
    "a sigmoid is taken twice: these are logits, and the loss (softplus, logsigmoid, "
    "or ..._with_logits) has one in it.": (
        _of_probabilities(torch.sigmoid), lambda r, w, m: _loss(
            r.sigmoid(), w.sigmoid(), m.sigmoid(), (1, 1, 1))),
    "logits are taken for probabilities: log s is F.logsigmoid of a logit, log(1 - s) "
    "is F.logsigmoid of minus the logit.": _logs_of_logits,
    "log(1 - s) is taken for 1 - log s, which is another number. It is F.logsigmoid of "
    "minus the logit.": _one_less,
    "these are squares, as of a least-squares game; eq. (2) has logs.": (
        _squares, lambda r, w, m: _squares(r.sigmoid(), w.sigmoid(), m.sigmoid())),
    "these are hinges, as in lesson 08; eq. (2) has logs.": _hinges,
    "logs are missing: eq. (2) has log s and log(1 - s), not s or logits alone.": (
        _wasserstein,
        lambda r, w, m: _wasserstein(r.sigmoid(), w.sigmoid(), m.sigmoid()),
        lambda r, w, m: 1 + _wasserstein(r.sigmoid(), w.sigmoid(), m.sigmoid())),
    "the mean is taken of the logits, before the log; each pair has its own log, and "
    "the mean comes last.": (
        lambda r, w, m: _loss(r.mean(), w.mean(), m.mean()),
        lambda r, w, m: soft(-r).mean() + soft((w + m) / 2).mean()),
    "the sums over the batch are taken; take means, or the batch's size would change "
    "the step.": (
        lambda r, w, m: _loss(r, w, m) * len(r),
        lambda r, w, m: _loss(r, w, m, (1, 1, 1)) * len(r)),
}  # fmt: skip


def _expect_sturdy(answer) -> None:
    """The right value also where the judge is very sure."""
    for sure in (torch.tensor([-120.0, 3.0, 90.0]), torch.tensor([-30.0, 3.0, 30.0])):
        logits = [sure.roll(i) for i in range(3)]
        got = answer(*(x.clone() for x in logits))
        expect(
            got.isfinite(),
            "this is right in mathematics, but fragile in floating-point numbers: "
            "where the judge is sure, a sigmoid rounds to 0 or 1, whose log is minus "
            "infinity, and an exp grows beyond what a number here can hold. "
            "F.softplus or F.logsigmoid of the logits are exact.",
        )
        expect(
            torch.isclose(got, sisgan.adaptive_loss(*logits).to(got), rtol=1e-3),
            "this is right for moderate logits, but where the judge is sure the value "
            "is off: the sigmoid is rounded to 0 or 1 there, and its log cut off (a "
            "clamp, a small number inside the log, binary_cross_entropy's own limit). "
            "F.softplus or F.logsigmoid of the logits are exact.",
        )


@exercise(
    "14.4",
    title="Yes weighs as much as no",
    minutes=8,
    difficulty=2,
    reference=sisgan.adaptive_loss,
    promise=Promise(
        "scalar",
        lambda: [
            {"real": normal(b), "wrong": normal(b, seed=2), "made": normal(b, seed=3)}
            for b in (6, 1, 32)
        ],
        gradient=("real", "wrong", "made"),
    ),
)
def _(answer):
    """Values at moderate logits; then at large ones."""
    inputs = [
        tuple(normal(b, seed=seed + i, scale=1.5) for i in range(3))
        for b, seed in ((6, 1), (5, 7))
    ]
    got = answer(*(x.clone() for x in inputs[0]))
    expect_shape(got, (), "the loss")
    diagnose(answer, inputs, sisgan.adaptive_loss, LOSSES, what="the loss")
    if isinstance(got, Tensor):
        _expect_sturdy(answer)


# ------------------------------------------------------------ 14.5, between two sources


def _expect_pictures(got, call: dict) -> None:
    """One batch of pictures, not maps, and nothing beside them."""
    shape, seen = tuple(call["one"].shape), call["generator"].encoder(call["one"])
    expect(
        not isinstance(got, Tensor) or got.shape != seen.shape,
        "this is what the encoder sees, mixed; generator.decode(seen, c) makes a "
        "picture of it.",
    )
    expect(
        not isinstance(got, Tensor) or len(got) != 2 * len(seen),
        "twice as many pictures come out as went in: the two sources are to become "
        "one, not to stand one behind the other.",
    )
    expect_shape(got, shape, "what comes out", "(batch, 3, size, size)")


@exercise(
    "14.5",
    title="Between two pictures",
    minutes=10,
    difficulty=3,
    reference=sisgan.between_sources,
    promise=Promise(
        "tensor",
        lambda: [
            source_slips.sources(0.3),
            source_slips.sources(0.0, seed=5),
            source_slips.sources(1.0, seed=6),
            source_slips.sources(0.5, size=32, downs=2, seed=7),
        ],
        gradient=("generator", "one", "other", "text"),
        either=("noise",),
    ),
)
def _(answer):
    """Values on a small editor; then at both ends."""
    calls = [source_slips.sources(0.3), source_slips.sources(0.8, seed=6)]
    got = tried(answer, *calls[0].values())
    _expect_pictures(got, calls[0])
    expect(
        torch.equal(got, answer(*calls[0].values())),
        "two calls with the same noise give two pictures: hand the noise that is given "
        "to the augmentation, and draw none of your own.",
    )
    inputs = [tuple(call.values()) for call in calls]
    diagnose(answer, inputs, sisgan.between_sources, source_slips.SOURCES,
             what="the picture", atol=1e-4, rtol=1e-3)  # fmt: skip
    source_slips.expect_ends(answer)
