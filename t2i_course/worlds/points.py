"""Points in the plane: the smallest worlds, where everything can be seen and counted.

Three of them: a ring of 8 Gaussians, a grid of 25, and two moons. Their density is
known, so "how much of the data does the generator cover?" has an answer in numbers.
The ring and the grid are the toy worlds on which the unrolled GAN (Metz et al. 2017)
and PacGAN (Lin et al. 2018) showed mode collapse. Slide GM-35; used in lesson 01.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .. import seeds
from ..data import Batch
from ..declarations import DataInfo

__all__ = ["WORLDS", "Coverage", "Grid", "Moons", "Points", "Ring", "points"]


@dataclass(frozen=True)
class Coverage:
    """How well a cloud of points covers a world.

    modes: how many of the world's bumps hold at least a hundredth of all points
    of: how many bumps there are
    close: share of the points within three standard deviations of a bump, in [0, 1]
    counts: (of,) int64, the close points at each bump
    """

    modes: int
    of: int
    close: float
    counts: Tensor


class Points:
    """A mixture of round Gaussians in the plane; the worlds below choose its bumps.

    centers: (M, 2) where the bumps sit; deviation: of each bump, along each axis;
    reach: the plane is worth looking at from -reach to reach.
    """

    def __init__(
        self, centers: Tensor, deviation: float, batch_size: int = 128, seed: int = 0
    ):
        self.centers, self.deviation = centers, deviation
        self.batch_size, self.seed = batch_size, seeds.checked(seed)
        self.reach = float(centers.abs().max()) + max(0.6, 4 * deviation)

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The points of that step, a function of (seed, step, rank); see `Source`.

        image: (batch_size, 2) float; class_id: (batch_size,) the bump of each point.
        """
        key = (self.seed * 1_000_003 + step) * 2 + 1
        generator = torch.Generator().manual_seed(key % 2**63)
        where, bump = self.draw(self.batch_size * world, generator)
        part = slice(rank * self.batch_size, (rank + 1) * self.batch_size)
        return Batch(image=where[part], class_id=bump[part])

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """`count` fresh points (count, 2) and the bump each comes from (count,)."""
        bump = torch.randint(len(self.centers), (count,), generator=generator)
        jitter = self.deviation * torch.randn(count, 2, generator=generator)
        return self.centers[bump] + jitter, bump

    def density(self, where: Tensor) -> Tensor:
        """The density p_data at points (..., 2); it integrates to 1. Returns (...)."""
        squared = (where.unsqueeze(-2) - self.centers).square().sum(-1)
        variance = self.deviation**2
        bumps = torch.exp(-squared / (2 * variance)) / (2 * math.pi * variance)
        return bumps.mean(-1)

    def coverage(self, where: Tensor, least: float = 0.01) -> Coverage:
        """How well points (N, 2) cover the world; a mode counts from least * N points.

        A point within three standard deviations of a bump is close: 98.9 % of real
        points are. Slide GM-35 calls the two numbers coverage and accuracy.
        """
        distance, bump = torch.cdist(where, self.centers.to(where)).min(1)
        close = distance < 3 * self.deviation
        counts = torch.bincount(bump[close], minlength=len(self.centers)).cpu()
        modes = int((counts >= max(least * len(where), 1)).sum())
        return Coverage(modes, len(self.centers), float(close.float().mean()), counts)


class Ring(Points):
    """Eight Gaussians on a circle of radius 2; the world of slide GM-35's collapse."""

    def __init__(self, batch_size: int = 128, seed: int = 0, deviation: float = 0.05):
        angle = torch.arange(8) * (2 * math.pi / 8)
        centers = 2 * torch.stack([angle.cos(), angle.sin()], 1)
        super().__init__(centers, deviation, batch_size, seed)


class Grid(Points):
    """Twenty-five Gaussians on a 5 x 5 grid from -2 to 2."""

    def __init__(self, batch_size: int = 128, seed: int = 0, deviation: float = 0.05):
        line = torch.arange(-2.0, 3.0)
        super().__init__(torch.cartesian_prod(line, line), deviation, batch_size, seed)


class Moons(Points):
    """Two interleaved half circles with a little noise.

    The density is a mixture too: of 40 narrow Gaussians, 20 along each half circle.
    class_id is the moon (0 or 1) for `batch`; `coverage` counts stretches of the moons.
    """

    def __init__(self, batch_size: int = 128, seed: int = 0, deviation: float = 0.12):
        angle = (torch.arange(20) + 0.5) * (math.pi / 20)
        upper = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], 1)
        lower = torch.stack([0.5 - angle.cos(), 0.25 - angle.sin()], 1)
        super().__init__(1.4 * torch.cat([upper, lower]), deviation, batch_size, seed)

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """As `Points.batch`, with the moon instead of the bump as class_id."""
        made = super().batch(step, rank, world)
        made.class_id = made.class_id // 20
        return made


WORLDS: dict[str, type[Points]] = {"ring": Ring, "grid": Grid, "moons": Moons}


def points(name: str, batch_size: int = 128, seed: int = 0) -> Points:
    """The world of that name ("ring", "grid", "moons"); ValueError names the three."""
    if name not in WORLDS:
        raise ValueError(f"no world of points {name!r}; there are {', '.join(WORLDS)}")
    return WORLDS[name](batch_size=batch_size, seed=seed)


def source(split, size, batch_size, seed=0, few=False) -> Points:
    """The ring; other worlds by `points`. Points have no pixels: size is ignored."""
    return points("ring", batch_size, seed)


DATA = {
    "points": DataInfo(source, judges={"noise": "t2i_course.measure.judges:points"})
}
