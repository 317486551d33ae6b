"""DCGAN: five rules that let convolutional GANs learn, and four losses for them.

Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks, ICLR 2016; slides GM-18 to GM-20; lesson 02. The rules:

1. no pooling: strided convolutions in the discriminator, fractionally strided ones in
   the generator (`strided`);
2. batch norm in both, but not at the generator's output or the discriminator's input
   (`norm`);
3. no fully connected hidden layers;
4. ReLU in the generator, tanh at its output;
5. leaky ReLU in the discriminator (`leaky`).

The switches in brackets break a rule, to see what it buys. `LOSSES` holds the losses of
the following years (slide GM-17) for the same two networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import FromPoint, check_size, initialize
from ..declarations import Network, SystemInfo
from ..training import System
from .gan import discriminator_loss, nonsaturating_loss  # the game that DCGAN plays

__all__ = [
    "LOSSES", "NORMS", "PRESETS", "SHIPPED", "TORCH_RELEASE", "WGAN_GP", "Dcgan",
    "Discriminator", "Generator", "batch_norm", "fractionally_strided",
    "gradient_penalty", "hinge_discriminator_loss", "least_squares_discriminator_loss",
    "least_squares_generator_loss", "wasserstein_discriminator_loss",
    "wasserstein_generator_loss",
]  # fmt: skip

# "paper": figure 1's networks as its first author released them
# (github.com/Newmu/dcgan_code), with noise, batch, rates and start as there. Ours are
# the pictures, so the steps too: 600 epochs of 69 batches, as long as GAN-CLS trains on
# CUB in lesson 08 (theirs: 25 epochs of 350,000 faces); that the generator's turn sees
# the discriminator's last pictures, where theirs draws new ones; and no weight decay,
# where theirs has 1e-5.
PRESETS = {
    "smoke": {"size": 32, "base": 4, "depth": 4, "noise_size": 16, "batch_size": 8,
              "steps": 4},
    "cpu": {"size": 32, "base": 32, "depth": 32, "noise_size": 100,
            "rates": (2e-4, 1e-3), "beta2": 0.99, "batch_size": 32, "steps": 2400},
    "gpu": {"size": 64, "base": 64, "depth": 64, "noise_size": 100, "batch_size": 128,
            "steps": 12_000},
    "paper": {"size": 64, "base": 128, "depth": 128, "noise_size": 100, "kernel": 5,
              "apart": True, "uniform": True, "batch_size": 128, "steps": 600 * 69},
}  # fmt: skip

# What most people mean by DCGAN: half as many channels, kernels of 4, normal noise, as
# in a later release by one of the authors (github.com/soumith/dcgan.torch) and in
# PyTorch's examples: `Dcgan.from_preset("paper", **TORCH_RELEASE)`. The course's own
# presets are of this kind.
TORCH_RELEASE = {"base": 64, "depth": 64, "kernel": 4, "apart": False, "uniform": False,
                 "batch_size": 64}  # fmt: skip

# How WGAN-GP's authors train theirs, in their script for 64x64 pictures
# (github.com/igul222/improved_wgan_training): `Dcgan.from_preset("gpu", **WGAN_GP)`.
# Each of the critic's turns sees 64 pictures of its own.
# loss="wgan_gp" alone changes the loss, the penalty and the critic's norm.
WGAN_GP = {"loss": "wgan_gp", "turns": 5, "batch_size": 5 * 64, "rates": (1e-4, 1e-4),
           "beta1": 0.0, "beta2": 0.9}  # fmt: skip


# ------------------------------------------------------- two of the rules, by hand


def fractionally_strided(maps: Tensor, kernel: Tensor) -> Tensor:
    """A convolution at half steps: maps (B, I, S, S) to (B, O, 2S, 2S).

    kernel: (O, I, 4, 4), of an ordinary convolution, which goes over the maps with a
    zero between neighbours. `nn.ConvTranspose2d(I, O, 4, 2, 1)` is the same with its
    kernel turned by 180 degrees, and faster. Slide GM-18; lesson 02.
    """
    batch, channels, side, _ = maps.shape
    apart = maps.new_zeros(batch, channels, 2 * side - 1, 2 * side - 1)
    apart[:, :, ::2, ::2] = maps
    return F.conv2d(apart, kernel, padding=2)


def batch_norm(maps: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Batch norm in training: each channel with mean `shift` and deviation `scale`.

    maps: (B, C, H, W); mean and variance are those of a channel, over all pictures and
    places; scale, shift: (C,). 1e-5 is added to the variance. `nn.BatchNorm2d` also
    keeps running averages of both, for drawing. Ioffe and Szegedy 2015; slide GM-18;
    lesson 02.
    """
    mean = maps.mean((0, 2, 3), keepdim=True)
    variance = maps.var((0, 2, 3), unbiased=False, keepdim=True)
    normal = (maps - mean) / (variance + 1e-5).sqrt()
    return scale[:, None, None] * normal + shift[:, None, None]


# ----------------------------------------------------------------------- the networks

# What may follow a convolution of so many channels. "layer" treats each picture alone:
# its mean and deviation are those of all channels and places of one picture. It has as
# many weights as batch norm: one scale and one shift a channel.
NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "layer": lambda channels: nn.GroupNorm(1, channels),
    "none": lambda channels: nn.Identity(),
}


def normalization(norm: str) -> Callable[[int], nn.Module]:
    """The entry of NORMS; ValueError names those there are."""
    if norm not in NORMS:
        raise ValueError(f"No norm {norm!r}; there are {', '.join(NORMS)}.")
    return NORMS[norm]


def first_norm(channels: int, norm: str, apart: bool) -> nn.Module:
    """What follows a generator's first layer: (B, channels, 4, 4) to the same shape.

    apart: batch norm of each of the map's numbers by itself, over the batch alone. In
    the paper's release that layer is a matrix product, and no map yet.
    """
    if not apart or norm != "batch":
        return normalization(norm)(channels)
    flat = nn.BatchNorm1d(16 * channels)
    return nn.Sequential(nn.Flatten(), flat, nn.Unflatten(1, (channels, 4, 4)))


def doubling(
    inside: int, outside: int, strided: bool, bias: bool, kernel: int = 4
) -> list[nn.Module]:
    """Layers from (B, inside, S, S) to (B, outside, 2S, 2S).

    kernel: 4 or 5 places a side. With padding 1 or 2 a kernel of 4 doubles exactly; one
    of 5 gives 2S - 1, so a row and a column are added.
    strided=False: each value is repeated 2x2 times, then a 3x3 convolution; rule 1
    broken.
    """
    if strided:
        sizes = {"kernel_size": kernel, "stride": 2, "padding": (kernel - 1) // 2}
        sizes["output_padding"] = kernel % 2
        return [nn.ConvTranspose2d(inside, outside, **sizes, bias=bias)]
    return [nn.Upsample(scale_factor=2), nn.Conv2d(inside, outside, 3, 1, 1, bias=bias)]


def halving(
    inside: int, outside: int, strided: bool, bias: bool, kernel: int = 4
) -> list[nn.Module]:
    """Layers from (B, inside, S, S) to (B, outside, S/2, S/2), for an even S.

    kernel: 4 or 5, padded by 1 or 2. strided=False: a 3x3 convolution, then the largest
    of each 2x2 values; rule 1 broken.
    """
    if strided:
        padding = (kernel - 1) // 2
        return [nn.Conv2d(inside, outside, kernel, 2, padding, bias=bias)]
    return [nn.Conv2d(inside, outside, 3, 1, 1, bias=bias), nn.MaxPool2d(2)]


class Generator(nn.Module):
    """Noise (B, noise_size) to pictures (B, 3, size, size) in [-1, 1].

    base: channels before the last layer; each step back towards 4x4 doubles them.
    norm: "batch", "layer" or "none", where each channel has a bias in its place.
    kernel: as for `doubling`; apart: as for `first_norm`.
    Raises ValueError for another norm, or a size that isn't 8, 16, 32, ...
    3,576,704 weights at the default sizes, 18,885,760 at the paper's (base=128,
    kernel=5, apart=True). Radford et al. 2016; slide GM-18.
    """

    def __init__(self, size=64, base=64, noise_size=100, norm="batch", strided=True,
                 kernel=4, apart=False):  # fmt: skip
        super().__init__()
        check_size(size)
        self.size, self.noise_size = size, noise_size
        normal, bias = normalization(norm), norm == "none"
        channels = base * size // 8
        first = first_norm(channels, norm, apart)
        layers = [FromPoint(noise_size, channels, bias), first, nn.ReLU()]
        while channels > base:
            layers += doubling(channels, channels // 2, strided, bias, kernel)
            channels //= 2
            layers += [normal(channels), nn.ReLU()]
        layers += doubling(channels, 3, strided, False, kernel)
        self.net = nn.Sequential(*layers, nn.Tanh())

    def forward(self, noise: Tensor) -> Tensor:
        """x = G(z)."""
        return self.net(noise)


class Discriminator(nn.Module):
    """Pictures (B, 3, size, size) to logits (B,); D of the papers is their sigmoid.

    depth: channels after the first layer; each step towards 4x4 doubles them. norm
    and kernel as in the generator. leaky=False: plain ReLU, rule 5 broken. ValueError
    as there. 2,765,568 weights at the default sizes, 17,232,768 at the paper's
    (depth=128, kernel=5). Radford et al. 2016; slide GM-18.
    """

    def __init__(self, size=64, depth=64, norm="batch", strided=True, leaky=True,
                 kernel=4):  # fmt: skip
        super().__init__()
        check_size(size)
        normal, bias = normalization(norm), norm == "none"
        active = nn.LeakyReLU(0.2) if leaky else nn.ReLU()
        layers = [*halving(3, depth, strided, bias, kernel), active]
        channels, side = depth, size // 2
        while side > 4:
            layers += halving(channels, 2 * channels, strided, bias, kernel)
            channels, side = 2 * channels, side // 2
            layers += [normal(channels), active]
        self.net = nn.Sequential(*layers, nn.Conv2d(channels, 1, 4, bias=False))

    def forward(self, pictures: Tensor) -> Tensor:
        """How real each picture looks, as a logit."""
        return self.net(pictures).flatten()


# ------------------------------------------------------------------------- the losses
#
# Of the discriminator from the logits of real and drawn pictures, (B,) each, and of the
# generator from those of drawn pictures; scalars to go down.


def least_squares_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """LSGAN: real pictures are to score 1, drawn ones 0.

    1/2 E[(D(x) - b)^2] + 1/2 E[(D(G(z)) - a)^2] with a = 0, b = 1.
    Mao et al. 2017; slide GM-17; lesson 02.
    """
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def least_squares_generator_loss(fake: Tensor) -> Tensor:
    """LSGAN: 1/2 E[(D(G(z)) - c)^2] with c = 1. Mao et al. 2017; slide GM-17."""
    return (fake - 1).square().mean() / 2


def wasserstein_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """WGAN: E[D(G(z))] - E[D(x)]. The discriminator is called a critic here.

    Its negative estimates how far the two distributions are apart, if the critic's
    slope is at most 1: `gradient_penalty` sees to that. Arjovsky et al. 2017; slide
    GM-17; lesson 02.
    """
    return fake.mean() - real.mean()


def wasserstein_generator_loss(fake: Tensor) -> Tensor:
    """-E[D(G(z))], of WGAN and with the hinge loss; any number, no lower bound."""
    return -fake.mean()


def hinge_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]: nothing to gain beyond the margin.

    Lim and Ye 2017 (Geometric GAN, on slide GM-17's list); lesson 02.
    """
    return (1 - real).relu().mean() + (1 + fake).relu().mean()


# name: (discriminator's loss, generator's loss)
LOSSES: dict[str, tuple[Callable, Callable]] = {
    "nonsaturating": (discriminator_loss, nonsaturating_loss),
    "lsgan": (least_squares_discriminator_loss, least_squares_generator_loss),
    "wgan_gp": (wasserstein_discriminator_loss, wasserstein_generator_loss),
    "hinge": (hinge_discriminator_loss, wasserstein_generator_loss),
}


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    generator: torch.Generator | None = None,
) -> Tensor:
    """How far the critic's slope is from 1 between real and drawn pictures; a scalar.

    real, fake: (B, ...), no gradient flows into them. critic: pictures to scores (B,),
    each of its own picture alone, so without batch norm. The result's gradient reaches
    the critic's weights. Eq. (3), Gulrajani et al. 2017; slide GM-17; lesson 02.
    """
    shape = len(real), *(1 for _ in real.shape[1:])
    # x^ = eps x + (1 - eps) x~ with eps from U[0, 1]
    eps = torch.rand(shape, device=real.device, dtype=real.dtype, generator=generator)
    between = (eps * real + (1 - eps) * fake).detach().requires_grad_()
    # grad D(x^): the sum's gradient holds each picture's own
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    # E[(||grad D(x^)||_2 - 1)^2]
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


# ------------------------------------------------------------------------- the system


class Dcgan(System):
    """The two networks and their game; reads nothing but `batch.image`.

    norm, strided, leaky: the rules to break, in both networks. kernel, apart: as for
    them. loss: a name in LOSSES.
    turns: of the discriminator in a round; the source's batches then hold so many
    minibatches. penalty: lambda of `gradient_penalty`; None is 10 for "wgan_gp" (its
    authors' value), else 0. With a penalty, layer norm takes the place of the
    discriminator's batch norm, as Gulrajani et al. 2017 advise: batch norm mixes the
    pictures of a batch, and the slope is wanted at each one alone. rates:
    (discriminator's, generator's), in the paper 2e-4 for both. uniform: noise from
    U[-1, 1] in place of N(0, 1). start: sets the first weights of a network and
    returns it; may be a learner's own. ValueError for names and sizes that don't exist.
    Slides GM-17, GM-18; lesson 02.
    """

    players = ("discriminator", "generator")
    averaged = ("generator",)  # ours: the paper draws with the last weights
    average_decay = 0.995

    def __init__(self, size=64, base=64, depth=64, noise_size=100, norm="batch",
                 strided=True, leaky=True, loss="nonsaturating", turns=1, penalty=None,
                 rates=(2e-4, 2e-4), beta1=0.5, beta2=0.999,
                 uniform=False, kernel=4, apart=False, start=initialize):  # fmt: skip
        super().__init__()
        if loss not in LOSSES:
            raise ValueError(f"No loss {loss!r}; there are {', '.join(LOSSES)}.")
        if penalty is None:
            penalty = 10.0 if loss == "wgan_gp" else 0.0
        self.losses, self.turns, self.penalty = LOSSES[loss], turns, penalty
        self.rates, self.betas = dict(zip(self.players, rates)), (beta1, beta2)
        self.uniform, self.reads = uniform, (3, size, size)
        alone = "layer" if penalty and norm == "batch" else norm
        self.generator = start(
            Generator(size, base, noise_size, norm, strided, kernel, apart)
        )
        self.discriminator = start(
            Discriminator(size, depth, alone, strided, leaky, kernel)
        )
        # The convolutions' own order of numbers, faster on a CPU.
        self.to(memory_format=torch.channels_last)

    def draw_noise(self, count: int) -> Tensor:
        """(count, noise_size), normal or uniform."""
        size = self.generator.noise_size
        if not self.uniform:
            return self.noise(count, size)
        return 2 * self.uniform_noise(count, size) - 1

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """The discriminator's loss on real and drawn pictures, with the penalty.

        Each kind is a batch of its own, as in the released code: batch norm's mean and
        deviation are then a kind's own.
        """
        d = self.discriminator
        loss = self.losses[0](d(real), d(fake))
        if self.penalty:
            loss = loss + self.penalty * gradient_penalty(d, real, fake, self.rng)
        return loss

    def round(self, batch) -> Iterator[tuple[str, Tensor]]:
        """Algorithm 1; the generator's turn looks at the last pictures once more."""
        for real in batch.image.tensor_split(self.turns):
            drawn = self.generator(self.draw_noise(len(real)))
            yield "discriminator", self.discriminator_loss(real, drawn.detach())
        yield "generator", self.losses[1](self.discriminator(drawn))

    @torch.no_grad()
    def sample(self, count: int, noise: Tensor | None = None) -> Tensor:
        """`count` pictures (count, 3, size, size) in [-1, 1], by the averaged weights.

        noise: (count, noise_size), or None to draw it.
        """
        noise = self.draw_noise(count) if noise is None else noise
        return self.network("generator").eval()(noise)


SYSTEMS = {
    "dcgan": SystemInfo(
        Dcgan,
        "02",
        "DCGAN: pictures from noise by convolutions",
        {"birds": {}, "emoji": {}},
    )
}
# Only averaged generators ship (t2i reproduce 02 networks makes them).
SHIPPED = {
    f"dcgan_{size}": Network(
        partial(Dcgan.from_preset, "cpu", size=size),
        "birds",
        "dcgan",
        part=attrgetter("generator"),
        noise=1,
    )
    for size in (32, 64)
}
