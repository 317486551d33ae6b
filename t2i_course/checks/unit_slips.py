"""Slips of lesson 17's exercises: ascents and shares with one mistake."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

# ------------------------------------------------------------------ what is climbed


def liking(x: Tensor) -> Tensor:
    """(B, ...) to (B,): a curved activation, another weight for each number."""
    flat = x.flatten(1)
    size = flat.shape[1]
    weights = torch.linspace(-1, 2, size, device=x.device, dtype=x.dtype)
    return (flat.sin() * weights + 0.1 * flat * flat.roll(1, 1)).sum(1) / 2


def squeeze(x: Tensor) -> Tensor:
    """An operator that is no straight line: neighbours' means, then a curve."""
    return (0.5 * x + 0.25 * (x.roll(1, -1) + x.roll(1, -2))).tanh() + 0.1


class Unit(nn.Module):
    """`liking`, times a number that learns."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, ...) to (B,)."""
        return self.scale * liking(x)


# ------------------------------------------------------------------- ascents, 17.1


def uphill(activation, x: Tensor) -> tuple[Tensor, Tensor]:
    """Activations (B,) and each one's gradient by its own picture."""
    x = x.detach().requires_grad_()
    found = activation(x)
    return found.detach(), torch.autograd.grad(found.sum(), x)[0]


def _broad(values: Tensor, like: Tensor) -> Tensor:
    return values.view(-1, *[1] * (like.ndim - 1)).to(like)


def climb(activation, x, step, steps, threshold=math.inf, *, change=None, fit=None,
          pile=False, first=False, more=0):  # fmt: skip
    """Eq. (2) with a slip: in the gradient, the picture, the count of steps."""
    total, start = 0.0, x
    for _ in range(steps + more):
        _, gradient = uphill(activation, start if first else x)
        total = total + gradient if pile else gradient
        x = x + step * (change(total) if change else total)
        x = fit(x) if fit else x
    return x


def climbs(**settings):
    """`climb` with these settings."""
    return lambda *given: climb(*given, **settings)


LENGTHS = (
    torch.sign,
    lambda g: g / _broad(g.flatten(1).norm(dim=1), g),
    lambda g: g / _broad(g.flatten(1).square().mean(1).sqrt(), g),
    lambda g: g / _broad(g.flatten(1).abs().mean(1), g),
    lambda g: g / _broad(g.flatten(1).abs().amax(1), g),
    lambda g: g / g.norm(),
    lambda g: g / g.square().mean().sqrt(),
    lambda g: g / g.abs().mean(),
    lambda g: g / g.abs().max(),
    lambda g: g / g.std(),
)


def by_adam(activation, x, step, steps, threshold=math.inf):
    """Adam's steps, whose size hardly depends on the gradient's."""
    x = x.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([x], lr=step, maximize=True)
    for _ in range(steps):
        x.grad = uphill(activation, x)[1]
        optimizer.step()
    return x.detach()


def stops(reached, *, after=False):
    """All pictures move on until `reached`(their activations, the threshold).

    after: first looks when a step is done.
    """

    def answer(activation, x, step, steps, threshold=math.inf):
        for _ in range(steps):
            found, gradient = uphill(activation, x)
            if not after and reached(found, threshold):
                break
            x = x + step * gradient
            if after and reached(activation(x).detach(), threshold):
                break
        return x

    return answer


def halts(*, late=False, blind=False, short=False, turned=False):
    """Each picture has its own end, with a slip in it.

    late: one step more after it; blind: the first step always; short: not the step
    that reaches it; turned: only those that have reached it move.
    """

    def answer(activation, x, step, steps, threshold=math.inf):
        going = torch.ones(len(x), dtype=torch.bool)
        for done in range(steps):
            found, gradient = uphill(activation, x)
            now = found < threshold
            if turned:
                now = ~now
            if short:
                now = now & (activation(x + step * gradient).detach() < threshold)
            if late:
                now, going = going, now
            if blind and done == 0:
                now = torch.ones_like(now)
            x = x + step * _broad(now, x) * gradient
        return x

    return answer


# ---------------------------------------------------------- one step with r, 17.3


def of_operator(at=None, start=None, around=None, change=None):
    """Eq. (5) with a slip: where the gradient is taken, and what r is done to."""

    def answer(activation, x, r, step):
        _, gradient = uphill(activation, at(x, r) if at else x)
        gradient = change(gradient, r) if change else gradient
        moved = (start(x, r) if start else r(x)) + step * gradient
        return around(moved, r) if around else moved

    return answer


def through_operator(start=None):
    """The gradient of a(r(x)) by x: the chain rule leads through r."""

    def answer(activation, x, r, step):
        _, gradient = uphill(lambda x: activation(r(x)), x)
        return (start(x) if start else r(x)) + step * gradient

    return answer


# ------------------------------------------------------- three derivatives, 17.5


def _inside(rows: Tensor, jacobian: Tensor, unit: int) -> Tensor:
    """da_i/dx - sum_j s_j da_j/dx."""
    return jacobian[unit] - rows.softmax(0) @ jacobian


def _loud(rows, jacobian, unit):
    """exp in place of shares."""
    return jacobian[unit] - rows.exp() @ jacobian


# What stands for da_i/dx - sum_j s_j da_j/dx, with a slip in it.
_INSIDES = {
    "the terms of the other units are dropped, which leaves (1 - s_i) da_i/dx{ppgn}; "
    "the sum over j has all units.": lambda a, J, i: (1 - a.softmax(0)[i]) * J[i],
    "the units' derivatives are added without their shares: sum_j s_j da_j/dx.":
        lambda a, J, i: J[i] - J.sum(0),
    "all units weigh alike (a mean); each weighs by its share s_j.":
        lambda a, J, i: J[i] - J.mean(0),
    "the sum over j is added; it is taken away.":
        lambda a, J, i: J[i] + a.softmax(0) @ J,
    "the sign is turned: da_i/dx comes first, and the sum is taken away from it.":
        lambda a, J, i: a.softmax(0) @ J - J[i],
    "the sum leaves unit i itself out; it goes over all units of the layer.":
        lambda a, J, i: J[i] - a.softmax(0) @ J + a.softmax(0)[i] * J[i],
    "the sum runs over the numbers of x, too; it runs over units alone, axis 0, as in "
    "shares @ jacobian.":
        lambda a, J, i: J[i] - (a.softmax(0)[:, None] * J).sum(),
    "da_i/dx is missing beside the sum over j.": (
        lambda a, J, i: a.softmax(0) @ J, lambda a, J, i: -a.softmax(0) @ J),
    "these are no shares: exp(a_j) isn't divided by its sum over units.": _loud,
    "activations weigh in place of their shares: s = rows.softmax(0).":
        lambda a, J, i: J[i] - a @ J,
    "logarithms of the shares weigh in place of the shares.":
        lambda a, J, i: J[i] - a.log_softmax(0) @ J,
    "this is the derivative of a sigmoid, which sees one unit alone; a softmax sees "
    "all units of the layer.": lambda a, J, i: (1 - a[i].sigmoid()) * J[i],
    "this is unit 0's; take unit i, the argument `unit`.":
        lambda a, J, i: _inside(a, J, 0),
}  # fmt: skip

RAW = {
    "this is unit 0's row; take that of unit i, jacobian[unit].": lambda a, J, i: J[0],
    "the rows of all units are added; the raw activation's derivative is one row, "
    "jacobian[unit].": lambda a, J, i: J.sum(0),
    "this is the mean over units; take unit i's row, jacobian[unit].":
        lambda a, J, i: J.mean(0),
    "it is multiplied by the activation itself; da_i/dx is the row alone.":
        lambda a, J, i: a[i] * J[i],
    "it is multiplied by the share s_i; the raw activation knows of no share.":
        lambda a, J, i: a.softmax(0)[i] * J[i],
    "the rows are added, weighted by their units' shares or activations; take unit "
    "i's alone.": (lambda a, J, i: a.softmax(0) @ J, lambda a, J, i: a @ J),
}  # fmt: skip


def logs() -> dict:
    """Slips of the log-softmax's derivative."""
    ppgn = " (as in the released PPGN code)"
    return {
        f"the log-softmax's derivative: {said.format(ppgn=ppgn)}": way
        for said, way in _INSIDES.items()
    } | {
        "the log-softmax's derivative has a factor s_i; that belongs to the softmax's "
        "alone.": lambda a, J, i: a.softmax(0)[i] * _inside(a, J, i),
        "the log-softmax's derivative is divided by s_i once more; it has been when "
        "the factor s_i went.": lambda a, J, i: _inside(a, J, i) / a.softmax(0)[i],
        "the log-softmax's derivative lacks the sum over units: - sum_j s_j da_j/dx.":
            lambda a, J, i: J[i],
        "the log-softmax's derivative: da_i/dx is divided by the activation or the "
        "share; log s_i is a_i - log sum_j exp(a_j), so that nothing is divided.": (
            lambda a, J, i: J[i] / a[i], lambda a, J, i: J[i] / a.softmax(0)[i]),
    }  # fmt: skip


def softs() -> dict:
    """Slips of the softmax's derivative."""

    def with_share(ways):
        ways = ways if isinstance(ways, tuple) else (ways,)
        return [lambda a, J, i, way=way: a.softmax(0)[i] * way(a, J, i)
                for way in ways]  # fmt: skip

    made = {
        f"the softmax's derivative: {said.format(ppgn=' times s_i')}": with_share(ways)
        for said, ways in _INSIDES.items()
    }
    loud = next(said for said in made if "no shares" in said)
    made[loud] = [lambda a, J, i: a.exp()[i] * _loud(a, J, i)]
    single = next(said for said in made if "a sigmoid" in said)
    made[single] = [lambda a, J, i: a[i].sigmoid() * (1 - a[i].sigmoid()) * J[i]]
    first = next(said for said in made if "unit 0" in said)
    made[first] = [lambda a, J, i: a.softmax(0)[0] * _inside(a, J, 0)]
    return made | {
        "the softmax's derivative: the factor s_i in front is missing, so that this is "
        "the log-softmax's.": _inside,
        "the softmax's derivative: the factor in front is another unit's share; it is "
        "that of unit i.": [
            lambda a, J, i, pick=pick: pick(a.softmax(0)) * _inside(a, J, i)
            for pick in (lambda s: s[0], lambda s: s.max(), lambda s: s[-1])],
        "the softmax's derivative: the factor in front is the activation a_i; it is "
        "its share s_i.": lambda a, J, i: a[i] * _inside(a, J, i),
        "the softmax's derivative: it is divided by s_i; it is multiplied by it.":
            lambda a, J, i: _inside(a, J, i) / a.softmax(0)[i],
        "the softmax's derivative: s_i is there twice.":
            lambda a, J, i: a.softmax(0)[i] ** 2 * _inside(a, J, i),
        "the softmax's derivative: - sum_j s_j da_j/dx is missing beside da_i/dx.":
            lambda a, J, i: a.softmax(0)[i] * J[i],
        "the softmax's derivative: this is the raw activation's.":
            lambda a, J, i: J[i],
    }  # fmt: skip
