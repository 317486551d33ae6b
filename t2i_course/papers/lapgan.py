"""LAPGAN: a small picture first, then its details, each level by a GAN of its own.

Denton, Chintala, Szlam, Fergus: Deep Generative Image Models using a Laplacian Pyramid
of Adversarial Networks, NIPS 2015; slide GM-25; lesson 02. A Laplacian pyramid holds a
picture as a small one and the details that each doubling lacks. A plain GAN draws the
small picture; at each further level a conditional GAN draws the details for a picture
that it is given. The levels never meet in training: each is given real pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import check_multiple, initialize
from ..declarations import Network, SystemInfo
from ..training import System
from . import dcgan, gan  # the coarse level is one of these
from .gan import discriminator_loss, halved, nonsaturating_loss

__all__ = [
    "LEVELS", "PRESETS", "DetailDiscriminator", "DetailGenerator", "Lapgan", "build",
    "collapse", "expand", "generators", "reduce",
]  # fmt: skip

LEVELS = ("coarse", "middle", "fine")  # pictures of size / 4, size / 2, size

# "paper": detail networks, noise, batch (64 real pictures and 64 drawn ones), optimizer
# and the discriminator's objective as in the authors' scripts for CIFAR-10
# (github.com/facebook/eyescream); the coarse level has the 1200 and 600 hidden units of
# the paper's appendix. Ours are: a coarse generator with ReLU twice and tanh at its end
# (theirs: ReLU, then sigmoid, then nothing), PyTorch's start, a generator's turn on the
# 64 pictures that its opponent saw (theirs draws 128 new ones), no rise of the momentum
# to 0.7, no decay by 1.000004 an epoch, the steps, and Adam in the smaller presets.
PRESETS = {
    "smoke": {"size": 32, "width": 4, "hidden": 16, "units": 16, "noise_size": 16,
              "batch_size": 8, "steps": 4},
    "cpu": {"size": 32, "width": 16, "base": 64, "noise_size": 100, "batch_size": 32,
            "steps": 700},
    "gpu": {"size": 32, "width": 64, "base": 128, "noise_size": 100, "batch_size": 64,
            "steps": 15_000},
    "paper": {"size": 32, "width": 64, "hidden": 1200, "units": 600, "noise_size": 100,
              "half": True, "momentum": 0.5, "rate": 0.02, "batch_size": 64,
              "steps": 200_000},
}  # fmt: skip


# ------------------------------------------------------------------------ the pyramid


def reduce(pictures: Tensor) -> Tensor:
    """d(I), half the size: the mean of each 2x2 pixels. (B, C, H, W), H and W even."""
    return F.avg_pool2d(pictures, 2)


def expand(pictures: Tensor) -> Tensor:
    """u(I), twice the size and smooth (bilinear). (B, C, H, W) to (B, C, 2H, 2W)."""
    return F.interpolate(pictures, scale_factor=2, mode="bilinear")


def build(pictures: Tensor, levels: int = len(LEVELS)) -> list[Tensor]:
    """The Laplacian pyramid of pictures (B, C, H, W): a small picture, then details.

    Returns, from coarse to fine, I_K (B, C, H/2^K, W/2^K) with K = levels - 1, then
    h_{K-1}, ..., h_0 of (B, C, H, W). Pictures in [-1, 1] have details in [-2, 2].
    Raises ValueError when H or W can't be halved K times.
    Burt and Adelson 1983; Denton et al. 2015; slide GM-25; lesson 02.
    """
    if any(side % 2 ** (levels - 1) for side in pictures.shape[2:]):
        raise ValueError(
            f"Pictures of {tuple(pictures.shape[2:])} pixels can't be halved "
            f"{levels - 1} times."
        )
    details = []
    for _ in range(levels - 1):
        smaller = reduce(pictures)  # I_{k+1} = d(I_k)
        details.append(pictures - expand(smaller))  # h_k = I_k - u(I_{k+1})
        pictures = smaller
    return [pictures, *reversed(details)]


def collapse(pyramid: list[Tensor]) -> Tensor:
    """The picture of a Laplacian pyramid, coarse to fine: the inverse of `build`.

    It is so for any `reduce` and `expand`, but for rounding.
    """
    picture, *details = pyramid
    for detail in details:
        picture = expand(picture) + detail  # I_k = u(I_{k+1}) + h_k
    return picture


# ----------------------------------------------------------------------- the networks


class DetailGenerator(nn.Module):
    """G_k: a plane of noise and a blurred picture to the details it lacks.

    width: channels of the two hidden layers. 7x7, 7x7, 5x5, none of them strided. The
    details have no squashing at the end: they may be of any size.
    """

    def __init__(self, width: int = 64):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3 + 1, width, 7, padding=3),
            nn.ReLU(),
            nn.Conv2d(width, width, 7, padding=3),
            nn.ReLU(),
            nn.Conv2d(width, 3, 5, padding=2),
        )

    def forward(self, noise: Tensor, blurred: Tensor) -> Tensor:
        """noise (B, H*W), blurred (B, 3, H, W) = u(I_{k+1}); h_k of that shape."""
        plane = noise.view(-1, 1, *blurred.shape[2:])
        return self.net(torch.cat([plane, blurred], 1))


class DetailDiscriminator(nn.Module):
    """D_k: details (B, 3, size, size) on a blurred picture of that shape, to logits.

    The two are added at once: it judges the whole picture.
    """

    def __init__(self, size: int, width: int = 64):
        super().__init__()
        side = (size - 4 - 5) // 2 + 1
        self.net = nn.Sequential(
            nn.Conv2d(3, width, 5),
            nn.ReLU(),
            nn.Conv2d(width, width, 5, stride=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(),
            nn.Linear(width * side * side, 1),
        )

    def forward(self, details: Tensor, blurred: Tensor) -> Tensor:
        """Logits (B,) that the details are those of the picture."""
        return self.net(details + blurred).squeeze(1)


# ------------------------------------------------------------------------- the system


class Lapgan(System):
    """Three GANs, one for each level of the pyramid; reads only `batch.image`.

    size: pixels of the finest level, a multiple of 4, at least 20 (half of it must hold
    D_k's two 5x5 kernels); else ValueError. width: of all networks but the coarse
    level's; hidden, units, noise_size, norm: of those (papers/gan.py). base: channels
    of a DCGAN in their place (papers/dcgan.py; the coarse size is then a power of 2),
    which learns at rates of its own.
    momentum: None for Adam, else plain gradient steps with that momentum. half: the
    discriminators' losses by `gan.halved`.
    Denton et al. 2015; slide GM-25; lesson 02.
    """

    players = tuple(
        f"{role}_{level}" for level in LEVELS for role in ("discriminator", "generator")
    )
    averaged = tuple(f"generator_{level}" for level in LEVELS)  # ours
    average_decay = 0.995

    def __init__(self, size=32, width=64, hidden=1200, units=600, noise_size=100,
                 norm=False, momentum=None, rate=5e-4, base=0, half=False):  # fmt: skip
        super().__init__()
        check_multiple(size, of=4, least=20)
        self.reads = (3, size, size)
        sizes = [size // 4, size // 2, size]
        noises = [noise_size, *(side * side for side in sizes[1:])]
        self.noise_sizes = dict(zip(LEVELS, noises))
        self.momentum, self.learning_rate = momentum, rate
        self.judge_loss = halved(discriminator_loss) if half else discriminator_loss
        shape = (3, sizes[0], sizes[0])
        if base:
            self.rates = {"discriminator_coarse": 2e-4, "generator_coarse": 1e-3}
            coarse = (
                dcgan.Generator(sizes[0], base, noise_size),
                dcgan.Discriminator(sizes[0], base),
            )
            coarse = map(initialize, coarse)
        else:
            coarse = (
                gan.Generator(shape, noise_size, hidden, norm),
                gan.Discriminator(shape, units, dropout=(0.0, 0.5), leak=0.0),
            )
        self.generator_coarse, self.discriminator_coarse = coarse
        for level, side in zip(LEVELS[1:], sizes[1:]):
            self.add_module(f"generator_{level}", DetailGenerator(width))
            self.add_module(f"discriminator_{level}", DetailDiscriminator(side, width))
        self.to(memory_format=torch.channels_last)

    def optimizer(self, player: str) -> torch.optim.Optimizer:
        """Adam, or gradient steps with momentum as in the authors' scripts."""
        if self.momentum is None:
            return super().optimizer(player)
        parameters = self.player(player).parameters()
        return torch.optim.SGD(parameters, self.learning_rate, self.momentum)

    def draw_noise(self, level: str, count: int) -> Tensor:
        """(count, N) from U[-1, 1]: 100 numbers, then one for each pixel."""
        return 2 * self.uniform_noise(count, self.noise_sizes[level]) - 1

    def round(self, batch) -> Iterator[tuple[str, Tensor]]:
        """A game at each level, coarse to fine, with real pictures to start from."""
        real, *bands = build(batch.image)
        yield from self.game("coarse", real)
        for level, band in zip(LEVELS[1:], bands):
            blurred = expand(real)
            yield from self.game(level, band, blurred)
            real = blurred + band  # I_k = u(I_{k+1}) + h_k

    def game(self, level: str, real: Tensor, *given: Tensor) -> Iterator:
        """Two turns at one level, Algorithm 1: real and drawn details for `given`.

        real: (B, 3, S, S) the small picture or h_k. given: nothing, or u(I_{k+1}).
        """
        generator = self.player(f"generator_{level}")
        judge = self.player(f"discriminator_{level}")
        drawn = generator(self.draw_noise(level, len(real)), *given)
        loss = self.judge_loss(judge(real, *given), judge(drawn.detach(), *given))
        yield f"discriminator_{level}", loss
        yield f"generator_{level}", nonsaturating_loss(judge(drawn, *given))

    @torch.no_grad()
    def sample_levels(
        self, count: int, noise: list[Tensor] | None = None
    ) -> list[Tensor]:
        """The same `count` pictures at each level, a list from coarse to fine.

        noise: for each level (count, N), or None to draw it. Pictures (count, 3, S, S),
        held in [-1, 1] at each level, where the next generator knows them (ours).
        """
        if noise is None:
            noise = [self.draw_noise(level, count) for level in LEVELS]
        makers = [self.network(f"generator_{level}").eval() for level in LEVELS]
        pictures = [makers[0](noise[0])]
        for generator, z in zip(makers[1:], noise[1:]):
            blurred = expand(pictures[-1])
            pictures.append((blurred + generator(z, blurred)).clamp(-1, 1))
        return pictures

    @torch.no_grad()
    def sample(self, count: int, noise: list[Tensor] | None = None) -> Tensor:
        """`count` pictures (count, 3, size, size) in [-1, 1], by the averaged weights.

        noise: as for `sample_levels`.
        """
        return self.sample_levels(count, noise)[-1]


def generators(system: Lapgan) -> nn.ModuleDict:
    """What draws, level by level; these weights ship as lapgan_32."""
    return nn.ModuleDict({name: system.network(name) for name in system.averaged})


SYSTEMS = {
    "lapgan": SystemInfo(
        Lapgan,
        "02",
        "LAPGAN: a small picture first, then its details",
        {"birds": {}, "emoji": {}},
    )
}
SHIPPED = {
    "lapgan_32": Network(
        partial(Lapgan.from_preset, "cpu"), "birds", "lapgan", generators, noise=1
    )
}
