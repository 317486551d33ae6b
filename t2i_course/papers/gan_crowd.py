"""Several GANs in the plane trained side by side, to count what happens over seeds.

One seed proves nothing about mode collapse. Here S small GANs of `papers.gan` play
their own games in one batched product per layer, five at the cost of about two. Each
has its own start, its own noise and its own points, and none sees another: the loss is
a sum over games, and Adam treats every number alone. Slide GM-35; used in lesson 01.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from ..declarations import Network
from ..training import System
from .gan import (
    POINTS,
    Discriminator,
    Generator,
    discriminator_loss,
    nonsaturating_loss,
    with_deviation,
)

__all__ = ["Crowd", "GanCrowd"]


class Crowd(nn.Module):
    """S networks of one kind as one: (S, B, ...) in, (S, B, ...) out."""

    def __init__(self, networks: list[nn.Module]):
        super().__init__()
        stacked, _ = stack_module_state(networks)
        self.names = list(stacked)
        self.stacked = nn.ParameterList(stacked[name] for name in self.names)
        self.kind = [networks[0].to("meta")]  # in a list: its weights are not ours

    def forward(self, x: Tensor) -> Tensor:
        """Each network looks at its own batch."""
        weights = dict(zip(self.names, self.stacked))
        return vmap(lambda w, part: functional_call(self.kind[0], w, part))(weights, x)


class GanCrowd(System):
    """`seeds` vanilla GANs for points; each starts as `torch.manual_seed(seed)` says.

    group: of `with_deviation`, or 0. The source's batch is cut into one part a seed.
    The two losses and deviation may be a learner's own.
    """

    players = ("discriminator", "generator")
    betas = (0.8, 0.999)
    reads = (2,)

    def __init__(self, seeds=5, noise_size=16, hidden=64, units=64, group=0, leak=0.0,
                 rate=5e-4, discriminator_loss: Callable = discriminator_loss,
                 generator_loss: Callable = nonsaturating_loss,
                 deviation: Callable = with_deviation):  # fmt: skip
        super().__init__()
        makers, judges = [], []
        for seed in range(seeds):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                makers.append(Generator((2,), noise_size, hidden))
                judges.append(
                    Discriminator(
                        (2,), units, group=group, leak=leak, deviation=deviation
                    )
                )
        self.seeds, self.noise_size, self.learning_rate = seeds, noise_size, rate
        self.generator, self.discriminator = Crowd(makers), Crowd(judges)
        self.losses = discriminator_loss, generator_loss

    @classmethod
    def from_preset(cls, preset: str, **overrides) -> GanCrowd:
        """The crowd at `gan.POINTS[preset]`; settings["batch_size"] is of all games."""
        settings = {**POINTS[preset], **overrides}
        steps, size = settings.pop("steps"), settings.pop("batch_size")
        system = cls(**settings)
        whole = {"batch_size": size * system.seeds, "steps": steps}
        system.preset, system.settings = preset, {**settings, **whole}
        return system

    def round(self, batch) -> Iterator[tuple[str, Tensor]]:
        """Algorithm 1 with k = 1 in every game at once."""
        real = batch.image.view(self.seeds, -1, 2)
        judge, (loss_d, loss_g) = self.discriminator, self.losses
        fake = self.generator(self.draw_noise(real.shape[1])).detach()
        pairs = zip(judge(real), judge(fake))
        yield "discriminator", sum(loss_d(r, f) for r, f in pairs)
        fake = self.generator(self.draw_noise(real.shape[1]))
        yield "generator", sum(loss_g(f) for f in judge(fake))

    def draw_noise(self, count: int) -> Tensor:
        """(S, count, noise_size) from N(0, 1)."""
        return self.noise(self.seeds * count, self.noise_size).view(
            self.seeds, count, self.noise_size
        )

    @torch.no_grad()
    def sample(self, count: int) -> Tensor:
        """`count` points of each GAN, (S, count, 2)."""
        return self.generator(self.draw_noise(count))


SHIPPED = {
    name: Network(
        partial(GanCrowd.from_preset, "cpu", group=group),
        data="points",
        measure="t2i_course.measure.judges:points_of_a_crowd",
    )
    for name, group in {"gan_ring": 0, "gan_ring_deviation": 8}.items()
}
