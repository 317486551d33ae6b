"""Activation maximization: a picture that a unit of a network likes to see.

Gradient ascent on the picture, with the network's parameters at rest: slides AM-2 to
AM-6, equations (1) to (5). Nguyen, Yosinski and Clune 2019. Used in lesson 17.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from .priors import Operator, Penalty, Pixels, Views

__all__ = ["FORMS", "Grown", "Prior", "gradient_ascent", "layer_of", "layers",
           "maximize", "of_units", "operator_step", "three_derivatives"]  # fmt: skip


# ----------------------------------------------------------------- what is maximized


def layers(network: nn.Module, picture: Tensor) -> dict[str, tuple[int, ...]]:
    """{name: shape of one picture's output} of every layer that sees pictures.

    Names are those of `network.named_modules()`; picture: (1, C, H, W).
    """
    shapes, hooks = {}, []

    def note(name):
        def hook(module, given, out):
            if isinstance(out, Tensor):
                shapes[name] = tuple(out.shape[1:])

        return hook

    for name, module in network.named_modules():
        if name and not list(module.children()):
            hooks.append(module.register_forward_hook(note(name)))
    with torch.no_grad():
        network(picture)
    for hook in hooks:
        hook.remove()
    return shapes


def layer_of(network: nn.Module, name: str) -> Callable[[Tensor], Tensor]:
    """Pictures to the output of a layer by its name. KeyError names those there are."""
    parts = dict(network.named_modules())
    if name not in parts or not name:
        there = ", ".join(list(parts)[1:])
        raise KeyError(f"the network has no layer {name!r}; it has {there}")

    def look(pictures: Tensor) -> Tensor:
        seen = []
        hook = parts[name].register_forward_hook(lambda *given: seen.append(given[2]))
        try:
            network(pictures)
        finally:
            hook.remove()
        return seen[-1]

    return look


FORMS = {
    "raw": lambda rows, i: rows.gather(1, i)[:, 0],
    "softmax": lambda rows, i: rows.softmax(1).gather(1, i)[:, 0],
    "log-softmax": lambda rows, i: rows.log_softmax(1).gather(1, i)[:, 0],
    # log(s / (1 - s)): the direction of log s, where 1 - s is too small to be stored
    "log-odds": lambda rows, i: (
        rows.gather(1, i)[:, 0] - rows.scatter(1, i, -math.inf).logsumexp(1)
    ),
}


def of_units(layer, units, form: str = "raw", centre: bool = False) -> Callable:
    """Pictures (B, C, H, W) to the activations (B,) of one unit each, a^l_i.

    layer: pictures to (B, N), or to maps (B, N, H', W'), of which the mean over places
    is taken, or the one in the centre. units: B numbers, or one for all. form: the
    activation itself, or its share s in a softmax over the layer, or the logarithm of
    that (AM-9, AM-11), or log(s / (1 - s)), which goes the same way and isn't rounded.
    """
    if form not in FORMS:
        raise ValueError(f"form is one of {', '.join(FORMS)}, not {form!r}")
    units = torch.as_tensor(units)

    def activation(pictures: Tensor) -> Tensor:
        rows = layer(pictures)
        if rows.ndim == 4:
            high, wide = rows.shape[2:]
            rows = rows[..., high // 2, wide // 2] if centre else rows.mean((2, 3))
        chosen = units.to(rows.device).expand(len(rows))
        return FORMS[form](rows, chosen[:, None])

    return activation


# -------------------------------------------------------------------------- the ascent


@dataclass(frozen=True)
class Prior:
    """Which priors are switched on: `priors` has them all; nothing by default.

    penalty: R(x) to (B,), with its weight beside the activation's step (see
    `maximize`); operator: r(x); views: what the network sees; canvas: what makes the
    picture.
    """

    penalty: Penalty | None = None
    weight: float = 0.5
    operator: Operator | None = None
    views: Views | None = None
    canvas: object = field(default_factory=Pixels)


@dataclass
class Grown:
    """What came of it.

    picture: (B, C, H, W) in [-1, 1]; activations: (steps + 1, B), before each step of
    what the network saw then (a view, if there are views), and at the end of the
    picture itself; steps: (B,) taken by each; moments: {step: pictures}.
    """

    picture: Tensor
    activations: Tensor
    steps: Tensor
    moments: dict[int, Tensor] = field(default_factory=dict)


def maximize(
    activation: Callable[[Tensor], Tensor],
    shape: tuple[int, ...],
    prior: Prior = Prior(),
    *,
    steps: int = 128,
    step: float = 0.02,
    threshold: float = math.inf,
    seed: int = 0,
    moments: Iterable[int] = (),
    normed: bool = True,
    device: str | torch.device = "cpu",
) -> Grown:
    """Grow pictures of `shape` (B, C, H, W) from noise: gradient ascent, (2) to (5).

    activation: pictures to (B,), as `of_units`; its network has to be at rest
    (`requires_grad_(False)`), and is left as it is. step: epsilon_1. normed: each
    picture's gradient is divided by its root mean square, so that `step` is how far a
    number moves in the mean, whatever the network's scale; otherwise (2) as it
    stands. The penalty's gradient is brought to the same length and times
    `prior.weight`: epsilon_2 / epsilon_1 in (4). A picture whose activation has
    reached `threshold` stays as it is, and when all have, it ends. moments: steps
    after which pictures are kept. device: where the network is; the noise is the same
    everywhere. ValueError where an activation isn't finite.
    """
    if prior.operator is not None and not isinstance(prior.canvas, Pixels):
        raise ValueError("an operator r(x) works on pixels, not on another canvas")
    rng = torch.Generator().manual_seed(seed)
    canvas, moments, kept = prior.canvas, set(moments), {}
    numbers = canvas.start(shape, rng).to(device)
    taken, course = torch.zeros(shape[0], dtype=torch.int64, device=device), []
    going = torch.ones(shape[0], dtype=torch.bool, device=device)
    for done in range(steps):
        with torch.enable_grad():
            picture = canvas.picture(numbers.requires_grad_())
            seen = picture if prior.views is None else prior.views(picture, rng)
            found = activation(seen)
        value = finite(found.detach(), done)
        going = going & (value < threshold)
        if not going.any():
            break
        course.append(value)
        if done in moments:
            kept[done] = picture.detach()
        keep = prior.penalty is not None  # the graph, for its gradient
        move = step * direction(found, numbers, normed, keep)
        if keep:
            with torch.enable_grad():
                price = prior.penalty(picture)
            move -= step * prior.weight * direction(price, numbers, normed)
        with torch.no_grad():
            start = numbers if prior.operator is None else prior.operator(numbers)
            new = canvas.kept(start + move)
            numbers = torch.where(broad(going, new), new, numbers).detach()
        taken += going
    with torch.no_grad():
        picture = canvas.picture(numbers.detach())
        course.append(finite(activation(picture), len(course)))
    kept |= {done: picture for done in moments if done >= int(taken.max())}
    return Grown(picture, torch.stack(course), taken, kept)


def direction(
    values: Tensor, numbers: Tensor, normed: bool, keep: bool = False
) -> Tensor:
    """The gradient of each value (B,) by its own numbers (B, ...), of length 1 if so.

    Length: the root mean square. A gradient of 0 stays 0. keep: the graph is used
    again.
    """
    ones = torch.ones_like(values)
    (gradient,) = torch.autograd.grad(values, numbers, ones, retain_graph=keep)
    if not normed:
        return gradient
    length = gradient.flatten(1).square().mean(1).sqrt()
    return gradient / broad(length.clamp_min(1e-30), gradient)


def broad(values: Tensor, like: Tensor) -> Tensor:
    """(B,) to (B, 1, 1, ...)."""
    return values.view(-1, *[1] * (like.ndim - 1))


def finite(activation: Tensor, done: int) -> Tensor:
    """The same; ValueError where one isn't finite."""
    if not activation.isfinite().all():
        raise ValueError(
            f"after {done} steps an activation isn't finite: take a smaller step"
        )
    return activation


# ------------------------------------------------ the slides' equations, one at a time


def gradient_ascent(
    activation: Callable[[Tensor], Tensor],
    x: Tensor,
    step: float,
    steps: int,
    threshold: float = math.inf,
) -> Tensor:
    """(2) as it stands: x + step * da/dx, at most `steps` times; the last x (B, ...).

    activation: (B, ...) to (B,). A picture of the batch whose activation has reached
    `threshold` is left as it is. Slide AM-2; lesson 17.
    """
    for _ in range(steps):
        x = x.detach().requires_grad_()
        found = activation(x)
        (gradient,) = torch.autograd.grad(found.sum(), x)
        going = broad((found < threshold).to(x.dtype), x)
        x = x + step * going * gradient
    return x.detach()


def operator_step(activation, x: Tensor, operator: Operator, step: float) -> Tensor:
    """(5): r(x) + step * da(x)/dx, with the gradient at x and not at r(x).

    x: (B, ...). Slide AM-5; lesson 17.
    """
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(activation(x).sum(), x)
    return (operator(x) + step * gradient).detach()


def three_derivatives(rows: Tensor, jacobian: Tensor, unit: int) -> tuple[Tensor, ...]:
    """By x: a_i, its softmax s_i, and log s_i; each (D,). Table of slide AM-11.

    rows: (N,) activations of a layer; jacobian: (N, D), row j is da_j/dx; unit: i.
    """
    shares = rows.softmax(0)
    raw = jacobian[unit]
    log_softmax = raw - shares @ jacobian
    return raw, shares[unit] * log_softmax, log_softmax
