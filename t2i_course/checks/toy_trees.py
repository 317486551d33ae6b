"""Toy branches of a tree of generators, for lesson 10's second exercise."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .compare import normal
from .core import Wrong

__all__ = ["a_tree", "slipped"]


class ToyFirst(nn.Module):
    """c and z (B, 10) to features (B, 2, 4, 4)."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(normal(10, 32, seed=11, scale=0.3))

    def forward(self, both: Tensor, *more) -> Tensor:
        if more:
            raise Wrong(
                "F_0 takes one tensor, c and z side by side: torch.cat([c, z], 1)."
            )
        if both.shape[1] != 10:
            raise Wrong(
                f"F_0 got {both.shape[1]} numbers; it takes c and z side by side, 5 "
                "and 5 here: torch.cat([c, z], 1)."
            )
        return (both @ self.weight).view(-1, 2, 4, 4).tanh()


class ToyNext(nn.Module):
    """Features (B, 2, s, s) and what is told (B, 5) to (B, 2, 2 s, 2 s)."""

    def __init__(self, seed: int):
        super().__init__()
        self.weight = nn.Parameter(normal(5, 2, seed=seed, scale=0.3))

    def forward(self, features: Tensor, told: Tensor | None = None) -> Tensor:
        if told is None:
            raise Wrong(
                "a later branch takes two things, the features and then c, and not "
                "both joined to one."
            )
        if features.ndim == 2:
            raise Wrong("a later branch takes the features first, and then c.")
        if told.shape[1] != 5:
            raise Wrong(
                f"a later branch was told {told.shape[1]} numbers; besides the "
                "features it takes c alone, 5 numbers here."
            )
        large = F.interpolate(features, scale_factor=2.0)
        return (large + (told @ self.weight)[:, :, None, None]).sin()


def a_tree(branches: int) -> dict:
    """A call of 10.2, with so many branches behind F_0."""
    others = nn.ModuleList(ToyNext(20 + i) for i in range(branches))
    return {"first": ToyFirst(), "others": others, "z": normal(3, 5),
            "c": normal(3, 5, seed=2)}  # fmt: skip


def slipped(start=lambda z, c: torch.cat([c, z], 1), tell=lambda z, c, i: c,
          told=lambda found: found[-1], end=lambda found: found):  # fmt: skip
    """A wrong answer: one thing is another than in (7)."""

    def wrong(first, others, z, c):
        found = [first(start(z, c))]
        for i, branch in enumerate(others):
            found.append(branch(told(found), tell(z, c, i)))
        return end(found)

    return wrong
