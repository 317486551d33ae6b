"""A critic whose slope is known everywhere: what exercise 02.4 is judged by."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .compare import expect, expect_close, expect_shape

__all__ = ["Bowl", "Critic", "check_places", "check_points", "penalties"]


def _unwrapped(x: Tensor) -> Tensor:
    """The whole batch behind a tensor that torch.func.vmap or grad shows by parts.

    A critic asked for one picture at a time under vmap is asked about all of them.
    """
    while torch._C._functorch.is_functorch_wrapped_tensor(x):
        x = torch._C._functorch.get_unwrapped(x)
    return x


class Critic:
    """Half the squared length: its slope at x is x, as long as x is. Notes calls."""

    def __init__(self):
        self.weight = torch.tensor(0.7, requires_grad=True)
        self.places: list[Tensor] = []

    def asked(self, like: Tensor) -> Tensor:
        """Where it was asked last: all pictures at once, or one after the other."""
        last, seen = self.places[-1], 0
        if last.numel() < like.numel():  # picture by picture
            for first in range(len(self.places) - 1, -1, -1):
                seen += self.places[first].numel()
                if seen == like.numel():
                    last = torch.cat([x.flatten() for x in self.places[first:]])
        return last.view(like.shape) if last.numel() == like.numel() else last

    def __call__(self, x: Tensor) -> Tensor:
        self.places.append(_unwrapped(x).detach().clone())
        return self.weight * x.flatten(1).square().sum(1) / 2


class Bowl(nn.Module):
    """The same critic, as a network."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.7))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x.flatten(1).square().sum(1) / 2


def _between(places: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    """eps of each number of each picture (B, N): places = eps real + (1 - eps) fake."""
    return ((places - fake) / (real - fake)).flatten(1)


def check_places(places: Tensor, real: Tensor, fake: Tensor) -> None:
    """One eps for each picture, uniform between 0 and 1."""
    expect_shape(places, tuple(real.shape), "what the critic is asked about")
    eps = _between(places, real, fake)
    expect(
        not ((eps - 1).abs().max() < 1e-3 or eps.abs().max() < 1e-3),
        "the critic is asked at the real or at the drawn pictures only; it should be "
        "asked in between, at eps * real + (1 - eps) * fake.",
    )
    expect(
        (eps.max(1).values - eps.min(1).values).max() < 1e-3,
        "each pixel has an eps of its own; draw one number for each picture, of shape "
        "(B, 1, 1, 1).",
    )
    eps = eps.mean(1)
    expect(
        eps.std() > 1e-3,
        "all pictures have the same eps; draw one number for each picture, of shape "
        "(B, 1, 1, 1).",
    )
    expect(
        eps.min() >= -1e-3 and eps.max() <= 1.001,
        f"eps goes from {eps.min():.2f} to {eps.max():.2f}; it is uniform between 0 "
        "and 1: torch.rand.",
    )


def penalties(slopes: Tensor) -> dict[str, Tensor]:
    """What comes out by mistake, from the slope of each picture (B, N)."""
    long = slopes.norm(dim=1)
    mean = (long - 1).square().mean()
    return {
        "lambda, the weight of 10, is inside here; the loss multiplies by it: leave it "
        "out, or it would count twice.": 10 * mean,
        "this is half of the penalty: eq. (3) has no 1/2.": mean / 2,
        "the root of the mean square is taken; the penalty is the mean square "
        "itself.": mean.sqrt(),
        "the sign is turned round: a penalty is added to the critic's loss, and is "
        "never negative.": -mean,
        "this adds up the batch; take the mean.": (long - 1).square().sum(),
        "the slope is measured as one length for the whole batch: each picture has its "
        "own; flatten(1), then norm(dim=1).": (slopes.norm() - 1).square(),
        "this is (||g||^2 - 1)^2: the length itself is wanted, not its "
        "square.": (long.square() - 1).square().mean(),
        "this is | ||g|| - 1 |: square it.": (long - 1).abs().mean(),
        "this is the mean square of the slope: take 1 away from each length "
        "first.": long.square().mean(),
        "only slopes above 1 are punished here; eq. (3) pulls the small ones up as "
        "well.": (long - 1).relu().square().mean(),
        "the mean slope is squared: take the mean after the square, since slopes above "
        "and below 1 must not cancel.": (long.mean() - 1).square(),
        "the slope is that of the mean score: the batch's size makes it B times too "
        "small. Take the gradient of the sum.": (long / len(long) - 1).square().mean(),
        "the length is taken along the channels at each place; flatten each picture "
        "first: one length for a picture.": (
            slopes.view(len(slopes), 3, -1).norm(dim=1) - 1).square().mean(),
    }  # fmt: skip


def check_points(answer) -> None:
    """The lesson's figure uses numbers (B, 1), the networks pictures (B, 3, S, S)."""
    line, sizes = torch.tensor([[3.0]], requires_grad=True), []

    def critic(x):
        sizes.append(_unwrapped(x).numel())
        return (x @ line)[..., 0]

    try:
        found, said = answer(critic, torch.ones(5, 1), torch.zeros(5, 1)), ""
    except (RuntimeError, IndexError) as error:
        found, said = None, f" ({str(error).splitlines()[0][:80]})"
    expect(
        found is not None and sizes[-1] in (5, 1),
        "it works for pictures, but not for numbers of shape (B, 1), which the next "
        "cells use: give eps as many axes of length 1 as `real` has after the first: "
        f"eps.view(-1, *[1] * (real.ndim - 1)).{said}",
    )
    expect_close(found, 4.0, "the penalty of a straight line with slope 3, (3 - 1)^2,")
