"""InfoGAN: a generator's own codes that the picture must show (lesson 05).

Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel: InfoGAN: Interpretable
Representation Learning by Information Maximizing Generative Adversarial Nets, NIPS
2016; slide GM-26. Beside the noise the generator gets a code: one of K, and some
numbers. A network Q must read it from the picture, so it can't be ignored: their mutual
information is kept high, by a bound that needs no label at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import initialize
from ..declarations import Network, SystemInfo
from ..training import System
from . import dcgan, gan
from .cgan import check_shape
from .gan import discriminator_loss, nonsaturating_loss

__all__ = [
    "BIRDS", "PRESETS", "InfoGan", "Trunk", "WideGenerator", "WideTrunk", "code_bound",
    "exact_information", "numbers_bound",
]  # fmt: skip

# "paper": networks, codes, rates, batch and steps of the authors' release for MNIST
# (github.com/openai/InfoGAN): 62 numbers of noise, one code of 10, two uniform numbers
# in [-1, 1] that Q reads with a fixed deviation of 1. Ours are the digits
# (scikit-learn's at 28 x 28) and averaged weights that draw.
PRESETS = {
    "smoke": {"shape": (1, 8, 8), "noise_size": 8, "codes": 10, "numbers": 2,
              "hidden": 32, "units": 32, "batch_size": 16, "steps": 4},
    "cpu": {"shape": (1, 8, 8), "noise_size": 16, "codes": 10, "numbers": 2,
            "hidden": 256, "units": 256, "rates": (5e-4, 1e-3), "batch_size": 64,
            "steps": 3000},
    "gpu": {"shape": (1, 8, 8), "noise_size": 16, "codes": 10, "numbers": 2,
            "hidden": 512, "units": 512, "rates": (5e-4, 1e-3), "batch_size": 64,
            "steps": 12_000},
    "paper": {"shape": (1, 28, 28), "noise_size": 62, "codes": 10, "numbers": 2,
              "wide": True, "rates": (2e-4, 1e-3), "batch_size": 128, "steps": 5000},
}  # fmt: skip
# Birds: three numbers and ten codes beside the noise, DCGAN's networks of lesson 02.
BIRDS = {
    "smoke": {"shape": (3, 32, 32), "noise_size": 16, "codes": 10, "numbers": 3,
              "base": 4, "depth": 4, "batch_size": 8, "steps": 4},
    "cpu": {"shape": (3, 32, 32), "noise_size": 64, "codes": 10, "numbers": 3,
            "base": 32, "depth": 32, "rates": (2e-4, 1e-3), "batch_size": 32,
            "steps": 1800},
    "gpu": {"shape": (3, 64, 64), "noise_size": 64, "codes": 10, "numbers": 3,
            "base": 64, "depth": 64, "rates": (2e-4, 1e-3), "batch_size": 64,
            "steps": 15_000},
    "paper": {"shape": (3, 64, 64), "noise_size": 128, "codes": 10, "numbers": 3,
              "wide": False, "base": 64, "depth": 64, "rates": (2e-4, 1e-3),
              "batch_size": 128, "steps": 600 * 69},
}  # fmt: skip


# ------------------------------------------------------------------------- the bound


def code_bound(logits: Tensor, code: Tensor) -> Tensor:
    """A lower bound, in nats, of I(c; x) for a code c drawn evenly from K. A scalar.

    logits (B, K) of Q(c | x), code (B,) int64, the one that x was drawn with:
    L_I = E[log Q(c | x)] + H(c), and H(c) = log K. Eq. (4) and (5); slide GM-26;
    lesson 05.
    """
    return math.log(logits.shape[1]) - F.cross_entropy(logits, code)


def numbers_bound(mean: Tensor, numbers: Tensor) -> Tensor:
    """The same of numbers from U[-1, 1] that Q reads as N(mean, 1), summed. A scalar.

    mean, numbers (B, C). H(c) is log 2 for each. With a fixed deviation of 1 it is
    half the squared error, turned round, and a constant: never above log 2 - 0.92.
    """
    error = (numbers - mean).square().sum(1).mean() / 2
    constant = math.log(2) - math.log(2 * math.pi) / 2
    return numbers.shape[1] * constant - error


def exact_information(joint: Tensor) -> Tensor:
    """I(c; x) in nats of a table of probabilities (K, M) that sums to 1. A scalar."""
    apart = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    known = joint > 0
    return (joint[known] * (joint[known] / apart[known]).log()).sum()


# ----------------------------------------------------------------------- the networks


class WideGenerator(nn.Module):
    """The release's: 1024 units, 128 maps of 7 x 7, 64 of 14 x 14, then 28 x 28.

    6,652,481 weights for 74 inputs.
    """

    def __init__(self, inside=74):
        super().__init__()
        self.noise_size = inside
        self.net = nn.Sequential(
            *(nn.Linear(inside, 1024), nn.BatchNorm1d(1024), nn.ReLU()),
            *(nn.Linear(1024, 6272), nn.BatchNorm1d(6272), nn.ReLU()),
            nn.Unflatten(1, (128, 7, 7)),
            nn.ConvTranspose2d(128, 64, 4, 2, 1),
            *(nn.BatchNorm2d(64), nn.ReLU()),
            *(nn.ConvTranspose2d(64, 1, 4, 2, 1), nn.Tanh()),
        )

    def forward(self, noise: Tensor) -> Tensor:
        """(B, inside) to (B, 1, 28, 28)."""
        return self.net(noise)


class WideTrunk(nn.Module):
    """The release's, which D and Q share: 64 and 128 maps, 1024 units. (B, 1024)."""

    features = 1024

    def __init__(self):
        super().__init__()
        leaky = nn.LeakyReLU(0.01)
        self.net = nn.Sequential(
            *(nn.Conv2d(1, 64, 4, 2, 1), leaky),
            *(nn.Conv2d(64, 128, 4, 2, 1), nn.BatchNorm2d(128), leaky),
            nn.Flatten(),
            *(nn.Linear(6272, 1024), nn.BatchNorm1d(1024), leaky),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features that D and Q share."""
        return self.net(x)


class Trunk(nn.Module):
    """What D and Q share of a picture: two plain layers, or DCGAN's convolutions."""

    def __init__(self, shape, units: int, depth: int):
        super().__init__()
        if shape[0] == 1:
            size = torch.Size(shape).numel()
            layers = [nn.Flatten(), nn.Linear(size, units), nn.LeakyReLU(0.2)]
            layers += [nn.Linear(units, units), nn.LeakyReLU(0.2)]
            self.net, self.features = nn.Sequential(*layers), units
        else:
            whole = dcgan.Discriminator(shape[-1], depth)
            self.net = nn.Sequential(*initialize(whole).net[:-1], nn.Flatten())
            self.features = 16 * depth * shape[-1] // 8

    def forward(self, x: Tensor) -> Tensor:
        """(B, *shape) to (B, features)."""
        return self.net(x)


# ------------------------------------------------------------------------- the system


class InfoGan(System):
    """The GAN's game, in which both players also raise the bound on I(c; x).

    The discriminator's turn steps its trunk, its head and Q; the generator's turn G
    alone (the release steps Q with the discriminator, too). information: lambda, the
    bound's weight; 0 is the same network without the term: Q still learns to read, but
    its gradient reaches neither G nor the trunk.
    codes: K of the one code; numbers: how many of U[-1, 1]. bound: may be a learner's
    own. Slide GM-26; lesson 05.
    """

    players = ("judges", "generator")
    averaged = ("generator",)
    average_decay = 0.995
    betas = (0.5, 0.999)

    def __init__(self, shape=(1, 8, 8), noise_size=16, codes=10, numbers=2, hidden=256,
                 units=256, base=32, depth=32, wide=False, information=1.0,
                 rates=(2e-4, 1e-3), bound: Callable = code_bound):  # fmt: skip
        super().__init__()
        check_shape(shape)
        self.reads, self.noise_size = tuple(shape), noise_size
        self.codes, self.numbers, self.information = codes, numbers, information
        self.rates, self.bound = dict(zip(self.players, rates)), bound
        inside = noise_size + codes + numbers
        if wide:
            self.generator, trunk = WideGenerator(inside), WideTrunk()
        elif shape[0] == 1:
            self.generator = gan.Generator(shape, inside, hidden, norm=True)
            trunk = Trunk(shape, units, depth)
        else:
            self.generator = initialize(dcgan.Generator(shape[-1], base, inside))
            trunk = Trunk(shape, units, depth)
        wanted = codes + numbers
        reader = nn.Sequential(
            nn.Linear(trunk.features, 128, bias=False),
            *(nn.BatchNorm1d(128), nn.LeakyReLU(0.1), nn.Linear(128, wanted)),
        )
        real = nn.Linear(trunk.features, 1)
        self.judges = nn.ModuleDict({"trunk": trunk, "real": real, "reader": reader})
        if shape[0] == 3:
            self.to(memory_format=torch.channels_last)

    def draw_codes(self, count: int) -> tuple[Tensor, Tensor]:
        """A code (count,) int64 for each picture, evenly, and numbers from U[-1, 1]."""
        code = (self.uniform_noise(count, 1).squeeze(1) * self.codes).long()
        return code, 2 * self.uniform_noise(count, self.numbers) - 1

    def inputs(self, code: Tensor, numbers: Tensor, noise: Tensor) -> Tensor:
        """What G gets: noise, the code as one-hot, the numbers; (B, inside)."""
        hot = F.one_hot(code, self.codes).to(noise.dtype)
        return torch.cat([noise, hot, numbers], 1)

    def score(self, seen: Tensor) -> Tensor:
        """How real, (B,), from what the trunk saw."""
        return self.judges["real"](seen).squeeze(1)

    def judge(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B,) of being real, and what Q reads: (B, codes + numbers)."""
        seen = self.judges["trunk"](pictures)
        heard = seen if self.information else seen.detach()
        return self.score(seen), self.judges["reader"](heard)

    def information_bound(self, read: Tensor, code: Tensor, numbers: Tensor) -> Tensor:
        """L_I of the code and the numbers together, in nats."""
        logits, mean = read.split([self.codes, self.numbers], 1)
        return self.bound(logits, code) + numbers_bound(mean, numbers)

    def round(self, batch) -> Iterator[tuple[str, Tensor]]:
        """D and Q, then G; reads nothing of the batch but its pictures."""
        code, numbers = self.draw_codes(len(batch))
        noise = self.noise(len(batch), self.noise_size)
        fake = self.generator(self.inputs(code, numbers, noise))
        real_score = self.score(self.judges["trunk"](batch.image))
        score, read = self.judge(fake.detach())
        bound = self.information_bound(read, code, numbers)
        weight = self.information or 1.0  # without the term, of Q's own learning
        yield "judges", discriminator_loss(real_score, score) - weight * bound
        score, read = self.judge(fake)
        loss = nonsaturating_loss(score)
        if self.information:
            bound = self.information_bound(read, code, numbers)
            loss = loss - self.information * bound
        yield "generator", loss

    @torch.no_grad()
    def read(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Q's reading of pictures: the likeliest code (B,), and the numbers (B, C)."""
        _, read = self.judge(pictures)
        logits, mean = read.split([self.codes, self.numbers], 1)
        return logits.argmax(1), mean

    @torch.no_grad()
    def sample(self, count: int, code: Tensor | None = None,
               numbers: Tensor | None = None, noise: Tensor | None = None):  # fmt: skip
        """`count` pictures in [-1, 1]; what isn't given is drawn."""
        drawn = self.draw_codes(count)
        code = drawn[0] if code is None else code
        numbers = drawn[1] if numbers is None else numbers
        noise = self.noise(count, self.noise_size) if noise is None else noise
        return self.network("generator").eval()(self.inputs(code, numbers, noise))


SYSTEMS = {
    "infogan": SystemInfo(
        InfoGan,
        "05",
        "InfoGAN: codes that the picture must show, and no labels",
        {"digits": {}, "birds": BIRDS},
    )
}
SHIPPED = {
    name: Network(
        partial(InfoGan.from_preset, "cpu", **settings), data, "infogan",
        part=attrgetter("generator"),
    )
    for name, data, settings in (
        ("infogan_digits", "digits", {}),
        ("infogan_birds", "birds", BIRDS["cpu"]),
    )
}  # fmt: skip
