"""Checks of lesson 01, Vanilla GAN: the game, its losses, its algorithm, its repair."""

from __future__ import annotations

import math
import re

import torch
from torch import Tensor
from torch.nn import functional as F

from ..papers import gan
from .algorithm_1 import (
    check_losses,
    check_minibatches,
    check_order,
    check_turns,
    play,
    round_of,
)
from .compare import normal
from .core import Promise, Wrong, diagnose, exercise, expect

# ---------------------------------------------------------------- 01.1, the optimal D


@exercise(
    "01.1",
    title="The optimal discriminator",
    minutes=5,
    difficulty=1,
    reference=gan.optimal_discriminator,
    promise=Promise(
        "tensor",
        lambda: [
            {
                "p_data": normal(*shape).abs() + 0.1,
                "p_g": normal(*shape, seed=2).abs() + 0.1,
            }
            for shape in [(7,), (3, 4)]
        ],
        either=("p_data", "p_g"),
    ),
)
def _(answer):
    """Values on seeded densities; known mistakes by name."""
    p_data, p_g = normal(7).abs() + 0.05, normal(7, seed=2).abs() + 0.05
    grid = torch.rand(3, 4) + 0.1, torch.rand(3, 4) + 0.1
    known = {
        "the two densities are swapped: this is 1 - D*, the belief that x is fake. The "
        "real density belongs in the numerator.": lambda p, g: g / (p + g),
        "this is the ratio p_data / p_g, which can exceed 1; D is a probability, so "
        "divide by everything that may have made x.": lambda p, g: p / g,
        "this is log(p_data / p_g), the logit of D*; the sigmoid of it is "
        "D*.": lambda p, g: (p / g).log(),
        "0.5 is the value at the end of the game, where p_data = p_g; before that D* "
        "depends on x.": lambda p, g: torch.full_like(p, 0.5),
        "this normalizes over all points x; D* looks at one x at a time: divide by "
        "p_data(x) + p_g(x) at the same x.": lambda p, g: p / (p + g).sum(),
        "this is the difference of the densities; set the derivative of "
        "p_data log D + p_g log(1 - D) to 0.": lambda p, g: p - g,
    }  # fmt: skip
    diagnose(answer, [(p_data, p_g), grid], gan.optimal_discriminator, known, what="D*")


# ------------------------------------------------------------------ 01.2, 01.3, losses

SURE = 150.0  # a logit at which the sigmoid is exactly 0 or 1 in float32


def _stays_finite(loss: Tensor, what: str) -> None:
    """At logits of +-150 a log of the sigmoid is -inf; softplus is not."""
    if not torch.isfinite(torch.as_tensor(loss)).all():
        raise Wrong(
            f"{what} is right in mathematics, but fragile in floating-point numbers: "
            f"it is not finite when D is very sure (logits of {SURE:.0f} and "
            f"-{SURE:.0f}): the sigmoid rounds to 0 or 1 there, and its log is "
            "infinite. Use F.softplus or F.logsigmoid on the logits instead."
        )


def _without_clamp(loss: Tensor, want: float) -> None:
    """The right value at sure logits: log(sigmoid + eps) has a wrong, flat one."""
    if abs(float(torch.as_tensor(loss).detach()) - want) > 0.01 * abs(want):
        raise Wrong(
            f"where D is very sure the loss should be about {want:.0f}, but is "
            f"{float(loss.detach()):.4g}: a small number added inside the log, "
            "or a clamp, cuts it off (and with it the gradient). Use F.softplus on the "
            "logits instead."
        )


@exercise(
    "01.2",
    title="The discriminator's loss",
    minutes=10,
    difficulty=2,
    reference=gan.discriminator_loss,
    promise=Promise(
        "scalar",
        lambda: [
            {"real_logits": normal(*shape), "fake_logits": normal(*shape, seed=2)}
            for shape in [(6,), (1000, 1)]
        ],
        gradient=("real_logits", "fake_logits"),
    ),
)
def _(answer):
    """Values, then very sure logits, where a log of the sigmoid fails."""
    s = F.softplus
    known = {
        "this is V itself, which D wants to go up; the optimizer goes down, so the "
        "loss is -V.": lambda r, f: -s(-r).mean() - s(f).mean(),
        "real and fake are swapped: here D learns to call real pictures "
        "fake.": lambda r, f: s(r).mean() + s(-f).mean(),
        "the fake half is missing: such a D may call everything "
        "real.": lambda r, f: s(-r).mean(),
        "the real half is missing: such a D may call everything "
        "fake.": lambda r, f: s(f).mean(),
        "this adds up the batch; V holds expectations, so take the mean (of each half "
        "on its own).": lambda r, f: s(-r).sum() + s(f).sum(),
        "this is half of -V: the two expectations are added, not "
        "averaged.": lambda r, f: (s(-r).mean() + s(f).mean()) / 2,
        "the fake half rewards D for believing the fakes: it needs log(1 - D), and "
        "this has log D.": lambda r, f: s(-r).mean() + s(-f).mean(),
        "both halves have the same sign: this D learns to call everything fake, real "
        "pictures too. log D of the real ones is -F.softplus(-real_logits).":
            lambda r, f: s(r).mean() + s(f).mean(),
        "log(1 - D) is taken for 1 - log D; it is F.logsigmoid of minus the logit, "
        "-F.softplus(fake_logits).": (
            lambda r, f: s(-r).mean() - (1 + s(-f)).mean(),
            lambda r, f: s(-r).mean() + (1 + s(-f)).mean()),
        "this takes the logits for probabilities; D is their "
        "sigmoid.": lambda r, f: -r.log().mean() - (1 - f).log().mean(),
    }  # fmt: skip
    inputs = [(normal(6, scale=2.0), normal(6, seed=2, scale=2.0))]
    inputs += [(normal(4, seed=3), normal(4, seed=4))]
    diagnose(answer, inputs, gan.discriminator_loss, known, what="the loss")
    wrong_all = torch.full((3,), -SURE), torch.full((3,), SURE)
    loss = answer(*wrong_all)
    _stays_finite(loss, "the loss")
    _without_clamp(loss, 2 * SURE)


@exercise(
    "01.3",
    title="The non-saturating loss",
    minutes=5,
    difficulty=2,
    reference=gan.nonsaturating_loss,
    promise=Promise(
        "scalar",
        lambda: [{"fake_logits": normal(*shape)} for shape in [(6,), (1,), (500, 1)]],
        gradient=("fake_logits",),
    ),
)
def _(answer):
    """Values, very sure logits, and that a gradient comes back."""
    s = F.softplus
    known = {
        "this is the saturating loss log(1 - D(G(z))): flat where D is sure. Maximize "
        "log D instead.": lambda f: -s(f).mean(),
        "this is the mean logit with its sign turned; -log D needs the sigmoid and its "
        "log: softplus of minus the logits.": lambda f: -f.mean(),
        "the sign is wrong: this is log D(G(z)), which G wants to go up; a loss goes "
        "down.": lambda f: -s(-f).mean(),
        "this is the discriminator's loss on fakes: it drives D(G(z)) to "
        "0.": lambda f: s(f).mean(),
        "this adds up the batch; take the mean.": lambda f: s(-f).sum(),
        "this is -D(G(z)) without the log: as flat as the saturating loss where D is "
        "sure.": lambda f: -torch.sigmoid(f).mean(),
        "this gives one loss per sample; a loss is a single number, so take the "
        "mean.": lambda f: s(-f),
        "this takes the logits for probabilities; D is their "
        "sigmoid.": lambda f: -f.log().mean(),
    }  # fmt: skip
    inputs = [(normal(6, scale=2.0),), (normal(4, seed=3) - 3,)]
    diagnose(answer, inputs, gan.nonsaturating_loss, known, what="the loss")
    sure = torch.full((3,), -SURE, requires_grad=True)
    loss = answer(sure)
    _stays_finite(loss, "the loss")
    _without_clamp(loss, SURE)
    expect(
        loss.requires_grad and torch.autograd.grad(loss, sure)[0].abs().min() > 0,
        "the value is right, but no gradient comes back to the logits: is something "
        "detached, or turned into a plain number?",
    )


# ----------------------------------------------------------------- 01.4, Algorithm 1


@exercise(
    "01.4",
    title="Algorithm 1",
    minutes=15,
    difficulty=3,
    reference=gan.algorithm_1,
    promise=Promise(
        "round",
        lambda: [round_of(3), round_of(1)],
        random=True,
        gradient=("generator", "discriminator"),
        either=("real",),
    ),
)
def _(answer):
    """Plays a round with k = 3 and one with k = 1, and watches."""
    for k in (3, 1):
        turns, noises, pairs, real, g, d = play(answer, k)
        check_order(turns, k)
        expect(
            all(len(z) == len(real) // k for z in noises),
            "a minibatch of noise has m vectors, as many as a real minibatch: "
            "m = len(real) / k.",
        )
        check_turns(turns, d, k)
        check_minibatches(d, real, k)
        often = {1: "once", 2: "twice"}
        expect(
            len(noises) == k + 1 and len(g.seen) == k + 1,
            f"with k = {k} noise should be drawn k + 1 = {k + 1} times, fresh for each "
            "turn (the generator's too); here it is drawn "
            f"{often.get(len(noises), f'{len(noises)} times')}.",
        )
        expect(len(pairs) == k, "discriminator_loss should be used once in each of D's "
               "turns.")  # fmt: skip
        check_losses(turns, pairs, d, real, k)


# ------------------------------------------------------- 01.5, 01.6, spiral and repair


@exercise(
    "01.5",
    title="Taking turns on V = xy",
    minutes=5,
    difficulty=1,
    reference=gan.alternating_step,
    promise=Promise("numbers", lambda: [{"x": 1.0, "y": 0.5, "rate": 0.1}]),
)
def _(answer):
    """Values from a few places; known mistakes by name."""

    def other_first(x, y, rate):
        y = y + rate * x
        return x - rate * y, y

    known = {
        "this is the simultaneous step: y still uses the old x. Take turns: y steps "
        "at the new x.": gan.simultaneous_step,
        "here y steps first; in this exercise x does, and y answers the new "
        "x.": other_first,
        "y goes down too: x wants V = xy small, but y wants it large.":
            lambda x, y, r: (x - r * y, y - r * (x - r * y)),
        "the players have each other's wishes: x goes down V, y goes up.":
            lambda x, y, r: (x + r * y, y - r * (x + r * y)),
        "each player's gradient is the other's place: dV/dx = y and dV/dy = x, not "
        "x and y.": lambda x, y, r: (x - r * x, y + r * y),
        "x goes up: it wants V = xy small, so it steps down: x - rate * y.":
            lambda x, y, r: (x + r * y, y + r * (x + r * y)),
        "this is the circle of infinitely small steps; a step of size rate is "
        "x - rate * y, then y + rate * x at the new x.":
            lambda x, y, r: (x * math.cos(r) - y * math.sin(r),
                             x * math.sin(r) + y * math.cos(r)),
        "the learning rate is missing.": lambda x, y, r: (x - y, y + x - y),
        "the two results are swapped: return x, y in this order.":
            lambda x, y, r: tuple(reversed(gan.alternating_step(x, y, r))),
    }  # fmt: skip
    inputs = [(1.0, 0.0, 0.1), (0.3, -0.7, 0.2), (2.0, 1.0, 0.5)]
    diagnose(answer, inputs, gan.alternating_step, known, what="(x, y)", atol=1e-9)


def _append(x, number):
    return torch.cat([x, number], 1)


def _deviation(x, group, unbiased=False):
    """Of each feature over each group: (B / group, F)."""
    return x.view(-1, group, x.shape[1]).var(1, unbiased=unbiased).add(1e-8).sqrt()


def _spread(number, group):
    """A column with each group's number beside all its samples."""
    return number.repeat_interleave(group)[:, None]


def _deviation_known() -> dict:
    """Slips of 01.6: over what the deviation is taken, and what becomes of it."""
    return _taken_over() | _made_of_it()


def _taken_over() -> dict:
    add, of, spread = _append, _deviation, _spread
    return {
        "this is the deviation over the whole batch; each group of neighbours has its "
        "own.": lambda x, g: add(
            x, x.var(0, unbiased=False).sqrt().mean().expand(len(x), 1)),
        "this is the variance; take its square root.":
            lambda x, g: add(x, spread((of(x, g) ** 2).mean(1), g)),
        "this is the root of the mean variance; take the root of each feature's "
        "variance first, then the mean over the features.":
            lambda x, g: add(x, spread((of(x, g) ** 2).mean(1).sqrt(), g)),
        "this is the deviation over a sample's features; it should be over the samples "
        "of a group, feature by feature (dim=1 of (groups, group, features)).":
            lambda x, g: add(x, x.var(1, unbiased=False, keepdim=True).sqrt()),
        "this is the deviation over the features of one sample of a group; take it "
        "over the group's samples: var(1) of (groups, group, features).":
            lambda x, g: add(x, spread(x.view(-1, g, x.shape[1]).var(2, unbiased=False)
                             .sqrt().mean(1), g)),
        "this mixes the features; take each feature's deviation over the group, then "
        "the mean over the features.":
            lambda x, g: add(x, spread(x.reshape(-1, g * x.shape[1])
                             .var(1, unbiased=False).add(1e-8).sqrt(), g)),
    }  # fmt: skip


def _made_of_it() -> dict:
    add, of, spread = _append, _deviation, _spread
    return {
        "the groups are made of samples that lie far apart; a group is `group` "
        "neighbours: view(-1, group, features).":
            lambda x, g: add(x, x.view(g, -1, x.shape[1]).var(0, unbiased=False)
                             .sqrt().mean(1).repeat(g)[:, None]),
        "the right numbers land at the wrong samples: repeat_interleave gives a number "
        "to a whole group, repeat deals them out in turn.":
            lambda x, g: add(x, of(x, g).mean(1).repeat(g)[:, None]),
        "this divides by group - 1; use unbiased=False, so that a group is described "
        "as it is.": lambda x, g: add(x, spread(of(x, g, True).mean(1), g)),
        "the new feature should come last.":
            lambda x, g: torch.cat([spread(of(x, g).mean(1), g), x], 1),
        "this appends one number per feature; average them over the features "
        "first.": lambda x, g: add(x, of(x, g).repeat_interleave(g, 0)),
        "this is the distance from the group's mean, sample by sample; the whole group "
        "shares one number.": lambda x, g: add(x, (x.view(-1, g, x.shape[1])
            - x.view(-1, g, x.shape[1]).mean(1, keepdim=True)).abs().mean(2)
            .view(-1, 1)),
    }  # fmt: skip


def _gradient_of_deviation(answer) -> None:
    """The last column must tell G, by its gradient, how to spread."""
    samples = normal(8, 3, seed=3).requires_grad_()
    last, gradient = answer(samples, 4)[:, -1], None
    if last.requires_grad:
        (gradient,) = torch.autograd.grad(last.sum(), samples, allow_unused=True)
    expect(
        gradient is not None and gradient.abs().sum() > 0,
        "the numbers are right, but no gradient flows through the deviation: G could "
        "never learn to spread. Remove detach, no_grad, float or .item().",
    )


@exercise(
    "01.6",
    title="Showing D how much its batch varies",
    minutes=10,
    difficulty=3,
    reference=gan.with_deviation,
    promise=Promise(
        "tensor",
        lambda: [
            {"samples": normal(12, 3), "group": 4},
            {"samples": normal(16, 2)},
            {"samples": normal(16, 64), "group": 8},
        ],
        gradient=("samples",),
    ),
)
def _(answer):
    """Values; a gradient through the deviation, finite where a group has collapsed."""
    inputs = [(normal(12, 3), 4), (normal(16, 2, seed=2) * 3 + 1, 8)]
    diagnose(answer, inputs, gan.with_deviation, _deviation_known(), atol=1e-3,
             what="samples with the deviation")  # fmt: skip
    _gradient_of_deviation(answer)
    same = torch.ones(8, 2, requires_grad=True)
    answer(same, 4).sum().backward()
    expect(
        same.grad is not None and same.grad.isfinite().all(),
        "where all samples of a group are equal, the gradient is not finite (the root "
        "of 0 is infinitely steep), and that is just the collapse we want to see. Add "
        "a small number such as 1e-8 under the root.",
    )
    _runs_in_many_games(answer)


def _runs_in_many_games(answer) -> None:
    """Section 6 trains five games at once, by torch.func.vmap."""
    said = "the numbers are right, but this can't run for several games at once"
    try:
        torch.func.vmap(lambda samples: answer(samples, 4))(torch.zeros(2, 8, 3))
    except RuntimeError as error:
        lacking = re.search(r"not implemented for aten::(\w+)", str(error))
        if lacking:
            raise Wrong(
                f"{said}, as section 6 wants it: torch.func.vmap doesn't know "
                f"{lacking[1]}. It knows torch.cat([samples, number[:, None]], 1), "
                "which does the same."
            ) from None
        if "in-place" in str(error) or "inplace" in str(error):
            raise Wrong(
                f"{said}. Put the result together from new tensors (torch.cat); don't "
                "assign into slices."
            ) from None
        raise Wrong(
            f"{said}, as torch.func.vmap does it ({str(error).splitlines()[0][:100]}). "
            "view, var, mean, repeat_interleave and torch.cat all can."
        ) from None
