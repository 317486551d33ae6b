"""Checks of lesson 17, activation maximization: ascents, priors, selectivity, order."""

from __future__ import annotations

import torch
from torch import Tensor

from ..inside import channels, maximize, priors
from . import unit_slips as off
from .channel_slips import CHANNELS, LOW, mixed, orders
from .compare import Wrong, normal
from .core import Promise, diagnose, exercise, expect, expect_close, expect_shape
from .prior_slips import VARIATIONS, WAVES
from .unit_slips import Unit, liking, squeeze

GRAPH = (
    "the result still hangs on the graph that made it (requires_grad is True), and so "
    "would all that follows from it: .detach() it at the end."
)


# Part of what torch says, and what it means where a picture climbs.
STOPS = {
    "more than one value is ambiguous": "`if` asks for one True or False, and there is "
    "one for each picture of the batch. Turn them into a mask of 0 and 1, of shape "
    "(B, 1, 1, 1), and multiply the step by it.",
    "does not require grad": "torch doesn't know that the gradient by x is wanted: "
    "before the activation, and anew for each new x, x = x.detach().requires_grad_(). "
    "(And no torch.no_grad() stands around the activation.)",
    "only for scalar outputs": "the activations are B numbers, and a gradient is taken "
    "of one: of their .sum(). Each picture's part of it is its own gradient.",
    "NoneType": "a gradient is None: .backward() fills x.grad only where x is a leaf, "
    "x = x.detach().requires_grad_() anew in each step; torch.autograd.grad(a.sum(), "
    "x) returns a tuple, whose [0] is the gradient.",
    "can't multiply sequence": "torch.autograd.grad returns a tuple, even of one: take "
    "its [0].",
}


WHOLE = (
    "activation has to get all pictures of the batch at once: its number b belongs to "
    "picture b (each may have a unit of its own). Call it with the whole x, and let "
    "those that are done stay where they are."
)


def tried(answer, *given):
    """The answer's result; where torch stops, what that means here."""
    try:
        return answer(*given)
    except (RuntimeError, TypeError) as error:
        meant = [STOPS[part] for part in STOPS if part in str(error)]
        if not meant:
            raise
        raise Wrong(meant[0]) from None


def expect_nothing_left(answer, *given) -> None:
    """No gradients may lie in a network that learns, after answer(network, *given)."""
    unit = Unit()
    answer(unit, *given)
    expect(unit.scale.grad is None,
           "the picture is right, but after the call gradients lie in the network's "
           "parameters: .backward() fills the .grad of all that could learn. Ask for "
           "the picture's alone: torch.autograd.grad(a.sum(), x)[0].")  # fmt: skip


# ---------------------------------------------------------------- 17.1, gradient ascent


def _start(seed: int, shape=(4, 2, 3, 4)) -> Tensor:
    return normal(*shape, seed=seed, scale=0.8)


def _ascent(seed, shape, step, steps, **more) -> dict:
    """One call's arguments."""
    x = _start(seed, shape)
    return {"activation": liking, "x": x, "step": step, "steps": steps, **more}


def _limits(low, high):
    return lambda x: x.clamp(low, high)


_CLIMBS = {
    "it goes down: the step is added, x + step * gradient, so that a grows.":
        (off.climbs(change=lambda g: -g), off.climbs(change=lambda g: -g / len(g))),
    "this is the gradient of the batch's mean activation, so that steps shrink as the "
    "batch grows. Each picture climbs its own a: take the gradient of the sum.":
        off.climbs(change=lambda g: g / len(g)),
    "gradients pile up: each step also makes all those before it again. x.grad is "
    "added to by .backward(); torch.autograd.grad gives the new one alone.":
        off.climbs(pile=True),
    "the gradient is taken once, at the start, and used for all steps; (2) takes it "
    "at x_t, anew in each step.": off.climbs(first=True),
    "one step is missing: `steps` gradients are followed.": off.climbs(more=-1),
    "that is one step too many: `steps` gradients are followed.": off.climbs(more=1),
    "only one step is made: the loop's second step has to start from the first one's "
    "x (and the return stands behind the loop, not in it).":
        lambda a, x, step, steps, *end: off.climb(a, x, step, 1),
    "the gradient is brought to a fixed length, or only its signs are kept; (2) takes "
    "it as it is.": [off.climbs(change=change) for change in off.LENGTHS],
    "the picture is kept within limits (clamp); (2) has none.": [
        off.climbs(fit=_limits(-1, 1)), off.climbs(fit=_limits(0, 1)),
        lambda *g: off.climb(*g).clamp(-1, 1), lambda *g: off.climb(*g).clamp(0, 1)],
    "these are Adam's steps, whose size hardly depends on the gradient's; (2) has the "
    "gradient itself, times `step`.": off.by_adam,
    "the step's size is missing: the gradient is multiplied by `step`.":
        lambda a, x, step, steps, *end: off.climb(a, x, 1.0, steps),
    "the gradient is divided by `step`; it is multiplied by it.":
        lambda a, x, step, steps, *end: off.climb(a, x, 1 / step, steps),
    "x comes back as it was: is the new x kept, x = x + step * gradient?":
        lambda a, x, *rest: x,
}  # fmt: skip

_STOPS = {
    "`threshold` isn't used: a picture whose activation has reached it stays as it is.":
        off.climbs(),
    "all pictures stop as soon as one has reached the threshold; the others go on. "
    "Multiply each picture's step by 0 or 1.":
        (off.stops(lambda found, end: bool((found >= end).any())),
         off.stops(lambda found, end: bool((found >= end).any()), after=True)),
    "all pictures go on until the last one has reached the threshold; each stops when "
    "it has itself. Multiply each picture's step by 0 or 1.":
        (off.stops(lambda found, end: bool((found >= end).all())),
         off.stops(lambda found, end: bool((found >= end).all()), after=True)),
    "the batch's mean activation is compared with the threshold; each picture has "
    "its own.": off.stops(lambda found, end: bool(found.mean() >= end)),
    "the sum of the batch's activations is compared with the threshold; each picture "
    "has its own.": off.stops(lambda found, end: bool(found.sum() >= end)),
    "a picture makes one step more after it has reached the threshold: compare the "
    "activation at x_t before this very step.": off.halts(late=True),
    "a picture that has reached the threshold at the very start still makes a step: "
    "compare before the first one, too.": off.halts(blind=True),
    "a picture stops one step too early: the step with which it reaches the threshold "
    "belongs to it.": off.halts(short=True),
    "the comparison is turned round: those below the threshold move, not those that "
    "have reached it.": off.halts(turned=True),
}  # fmt: skip


@exercise(
    "17.1",
    title="Gradient ascent",
    minutes=10,
    difficulty=2,
    reference=maximize.gradient_ascent,
    promise=Promise(
        "tensor",
        lambda: [
            _ascent(5, (4, 2, 3, 4), 0.3, 4, threshold=2.0),
            _ascent(6, (4, 2, 3, 4), 0.2, 3),
            _ascent(7, (3, 3, 64, 64), 0.1, 3),
            _ascent(8, (1, 1, 8, 8), 0.1, 1),
        ],
        stopped=("x",),
    ),
)
def _(answer):
    """Without a threshold; with one, which pictures reach at different steps."""
    inputs = [(liking, _start(1, (3, 2, 3, 4)), 0.3, 5), (liking, _start(2), 0.2, 6)]
    got = tried(answer, *inputs[0])
    asked = []
    tried(answer, lambda x: asked.append(len(x)) or liking(x), *inputs[0][1:], 2.0)
    expect(set(asked) <= {3}, WHOLE)
    expect_shape(got, (3, 2, 3, 4), "the last x", "(B, C, H, W)")
    diagnose(answer, inputs, maximize.gradient_ascent, _CLIMBS, what="the last x")
    ends = [(liking, _start(2), 0.3, 5, 0.75), (liking, _start(3), 0.3, 5, 5.9)]
    diagnose(answer, ends, maximize.gradient_ascent, _STOPS,
             what="with a threshold the last x")  # fmt: skip
    expect(not got.requires_grad, GRAPH)
    expect_nothing_left(answer, *inputs[0][1:])


# ---------------------------------------------------------------- 17.2, total variation


@exercise(
    "17.2",
    title="Total variation",
    minutes=8,
    difficulty=1,
    reference=priors.total_variation,
    promise=Promise(
        "tensor",
        lambda: [
            {"x": normal(*shape)}
            for shape in [(2, 3, 6, 6), (4, 3, 64, 64), (1, 1, 8, 8)]
        ],
        gradient=("x",),
    ),
)
def _(answer):
    """Values on pictures that are no squares."""
    inputs = [(normal(4, 3, 5, 8),), (normal(2, 2, 7, 4, seed=2),)]
    got = answer(*inputs[0])
    expect(not isinstance(got, (float, Tensor)) or torch.as_tensor(got).ndim > 0,
           "this is one number for the whole batch; each picture has its own, shape "
           "(B,): take means over axes 1, 2 and 3.")  # fmt: skip
    expect_shape(got, (4,), "the total variation", "(B,)")
    diagnose(answer, inputs, priors.total_variation, VARIATIONS,
             what="the total variation")  # fmt: skip


# ----------------------------------------------------- 17.3, an operator in each step


@exercise(
    "17.3",
    title="An operator in each step",
    minutes=8,
    difficulty=2,
    reference=maximize.operator_step,
    promise=Promise(
        "tensor",
        lambda: [
            {"activation": liking, "x": _start(seed, shape), "r": squeeze, "step": 0.3}
            for seed, shape in [(4, (2, 3, 4, 5)), (5, (3, 3, 64, 64))]
        ],
        stopped=("x",),
    ),
)
def _(answer):
    """Values with an r that bends, so that each place of it shows."""
    slip = off.of_operator
    at_r, plain = (lambda x, r: r(x)), (lambda x, r: x)
    known = {
        "the gradient is taken at r(x); (5) takes it at x_t itself, before r.": (
            slip(at=at_r)),
        "r is applied to the whole sum; in (5) it is applied to x_t alone, and the "
        "step is added after it.": (
            slip(start=plain, around=lambda x, r: r(x))),
        "r isn't used: (5) starts from r(x_t), not from x_t.": slip(start=plain),
        "the gradient is taken at r(x), and the step goes out from x; in (5) it is the "
        "other way round.": slip(at=at_r, start=plain),
        "the gradient leads through r, as that of a(r(x)); in (5) it is that of a(x): "
        "apply r outside of what is differentiated.": (
            off.through_operator(), off.through_operator(lambda x: x)),
        "it goes down: the step is added.": slip(change=lambda g, r: -g),
        "this is the gradient of the batch's mean activation, so that the step shrinks "
        "as the batch grows; take the sum's.": slip(change=lambda g, r: g / len(g)),
        "`step` is missing: the gradient is multiplied by it.":
            lambda a, x, r, step: slip()(a, x, r, 1.0),
        "`step` multiplies r(x), too; only the gradient's part.":
            lambda a, x, r, step: step * slip()(a, x, r, 1.0),
        "r is applied to the gradient, too; only to x_t.": slip(
            change=lambda g, r: r(g)),
        "r is applied to the gradient in place of the picture; (5) has r(x_t).":
            slip(start=plain, change=lambda g, r: r(g)),
        "r is applied twice, to x_t and to the sum; only to x_t.": (
            slip(around=lambda x, r: r(x)), slip(at=at_r, around=lambda x, r: r(x)),
            slip(start=lambda x, r: r(r(x)))),
        "this is r(x_t) alone; the step along the gradient is missing.":
            lambda a, x, r, step: r(x),
        "x_t itself is there beside r(x_t); (5) has r(x_t) in its place.":
            slip(start=lambda x, r: x + r(x)),
        "the gradient is brought to a fixed length, or only its signs are kept; (5) "
        "takes it as it is.": [
            slip(change=lambda g, r, change=change: change(g))
            for change in off.LENGTHS],
        "the picture is kept within [-1, 1] (clamp); (5) has no limits.":
            slip(around=lambda x, r: x.clamp(-1, 1)),
    }  # fmt: skip
    inputs = [(liking, _start(1), squeeze, 0.4),
              (liking, _start(2, (3, 2, 5, 4)), squeeze, 0.7)]  # fmt: skip
    got = tried(answer, *inputs[0])
    expect_shape(got, (4, 2, 3, 4), "the next x", "(B, C, H, W)")
    diagnose(answer, inputs, maximize.operator_step, known, what="the next x")
    expect(not got.requires_grad, GRAPH)
    expect_nothing_left(answer, *inputs[0][1:])


# ---------------------------------------------------------------- 17.4, from waves


def _waved(seed: int, count: int, high: int, wide: int):
    """The waves of pictures, their height and width."""
    return torch.fft.rfft2(normal(count, 3, high, wide, seed=seed)), high, wide


@exercise(
    "17.4",
    title="A picture of waves",
    minutes=15,
    difficulty=3,
    reference=priors.spectrum_to_picture,
    promise=Promise(
        "tensor",
        lambda: [
            dict(zip(("spectrum", "high", "wide"), _waved(seed, count, high, wide)))
            for seed, count, high, wide in [(1, 2, 8, 8), (2, 3, 64, 64), (3, 1, 7, 5)]
        ],
        gradient=("spectrum",),
    ),
)
def _(answer):
    """The shape of an odd width; no division by 0; values of wide and high ones."""
    inputs = [_waved(4, 2, 6, 9), _waved(5, 1, 12, 7)]
    got = answer(*inputs[0])
    if isinstance(got, Tensor):
        expect(
            not got.is_complex(),
            "the picture is of complex numbers; irfft2 gives a real one.",
        )
        expect(
            tuple(got.shape) != (2, 3, 6, 8),
            "the picture is one pixel too narrow where its width is odd: from W // "
            "2 + 1 waves irfft2 can't tell, so hand it s=(high, wide).",
        )
        expect(
            tuple(got.shape) != (2, 3, 9, 6),
            "height and width are exchanged: s=(high, wide).",
        )
        expect(tuple(got.shape) != (2, 3, 6, 5),
               "the picture is as wide as its spectrum, W // 2 + 1: rfft2 keeps half "
               "of the waves, and irfft2 (not ifft2) knows the others.")  # fmt: skip
    expect_shape(got, (2, 3, 6, 9), "the picture", "(B, C, H, W)")
    if not bool(got.isfinite().all()):
        raise Wrong(
            "the picture isn't finite: the wave of frequency 0, in the corner [0, 0], "
            "is divided by 0. Let no frequency be less than 1 / max(H, W): .clamp_min."
        )
    diagnose(answer, inputs, priors.spectrum_to_picture, WAVES, what="the picture")


# ------------------------------------------------------------- 17.5, three derivatives


def _layer(seed: int, units: int, size: int, unit: int):
    """Activations (N,), their derivatives (N, D), a unit."""
    return normal(units, seed=seed), normal(units, size, seed=seed + 1), unit


def _expect_order(parts, inputs) -> None:
    """The three stand in the table's order."""
    right = dict(zip(("raw", "softmax", "log-softmax"),
                     maximize.three_derivatives(*inputs)))  # fmt: skip
    names = [next((name for name, value in right.items()
                   if part.shape == value.shape and torch.allclose(part, value, 1e-4)),
                  "") for part in parts]  # fmt: skip
    if sorted(names) == sorted(right) and names != list(right):
        raise Wrong(
            "the derivatives are right and stand in another order: raw, softmax, "
            f"log-softmax are asked for, and these are {', '.join(names)}."
        )


def _expect_sure(answer) -> None:
    """One activation is 300, another's share is 0: both are to come out finite."""
    rows = torch.tensor([300.0, 1.0, -300.0, 90.0])
    given = rows, normal(4, 5, seed=8), 2
    _, soft, log = answer(*given)
    expect(
        bool(soft.isfinite().all()),
        "where an activation is 300 this isn't finite, for exp(300) is more than a "
        "number here can hold. rows.softmax(0) takes the largest away first.",
    )
    expect(bool(log.isfinite().all()),
           "where a share s_i is so small that it is stored as 0, the log-softmax's "
           "derivative isn't finite: the softmax's divided by s_i is 0 / 0. Leave the "
           "factor s_i out from the beginning.")  # fmt: skip
    for made, right, name in zip(
        (soft, log), maximize.three_derivatives(*given)[1:], ("softmax", "log-softmax")
    ):
        expect_close(made, right, f"where an activation is 300 the {name}'s derivative")


@exercise(
    "17.5",
    title="Three derivatives",
    minutes=12,
    difficulty=3,
    reference=maximize.three_derivatives,
    promise=Promise(
        "tensors",
        lambda: [
            dict(zip(("rows", "jacobian", "unit"), _layer(seed, units, size, unit)))
            for seed, units, size, unit in [(3, 5, 7, 2), (4, 20, 3 * 64 * 64, 11)]
        ],
        either=("rows", "jacobian"),
    ),
)
def _(answer):
    """The three one by one; then where one activation is very large."""
    inputs = [_layer(1, 6, 8, 3), _layer(5, 4, 9, 1)]
    parts = answer(*inputs[0])
    expect(
        isinstance(parts, (tuple, list)) and len(parts) == 3,
        "return three derivatives side by side: return raw, softmax, log_softmax.",
    )
    names = ("raw activation", "softmax", "log-softmax")
    for part, name in zip(parts, names):
        expect_shape(part, (8,), f"the {name}'s derivative", "(D,)")
    _expect_order(parts, inputs[0])
    for k, known in enumerate((off.RAW, off.softs(), off.logs())):
        diagnose(lambda *given, k=k: answer(*given)[k], inputs,
                 lambda *given, k=k: maximize.three_derivatives(*given)[k],
                 known, what=f"the {names[k]}'s derivative", atol=1e-6)  # fmt: skip
    _expect_sure(answer)


# -------------------------------------------------------- 17.6, which channel is which?


def _expect_order_of_three(got) -> None:
    """A tuple of three whole numbers."""
    expect(isinstance(got, (tuple, list)) and len(got) == 3,
           "return three numbers, one for each of the network's channels: a tuple such "
           "as (2, 0, 1).")  # fmt: skip
    expect(
        not any(isinstance(x, str) for x in got),
        "these are letters; return numbers: 0 red, 1 green, 2 blue.",
    )
    expect(not any(isinstance(x, float) for x in got),
           "these are no whole numbers; return which colour each channel holds: 0 red, "
           "1 green, 2 blue.")  # fmt: skip
    expect(all(type(x) is int for x in got),
           "these are numbers of torch or NumPy; return Python's own, int(...) of "
           "each, which later cells print.")  # fmt: skip
    expect(isinstance(got, tuple),
           "this is a list; return a tuple, tuple(order), which later cells compare "
           "with others.")  # fmt: skip


@exercise(
    "17.6",
    title="Which channel is which?",
    minutes=15,
    difficulty=3,
    reference=channels.channel_order,
    promise=Promise(
        "numbers",
        lambda: [
            dict(zip(("seen", "palette"), mixed(order, LOW, seed, count)))
            for order, seed, count in [((2, 0, 1), 11, 12), ((0, 2, 1), 12, 40)]
        ],
        either=("seen", "palette"),
        any_float=True,
        anywhere=False,
    ),
)
def _(answer):
    """All six orders; then channels that hold two colours."""
    inputs = orders()
    for given in inputs:
        _expect_order_of_three(answer(*given))
    other = (
        "this isn't the order of the largest agreement. For each of the six, take "
        "palette[:, list(order)], and each channel's mean away, there and from seen; "
        "the sum of the products is largest for the right one."
    )
    known = {**CHANNELS, other: answer}  # whatever else it is, numbers say no more
    diagnose(answer, inputs, channels.channel_order, known, what="the order")
