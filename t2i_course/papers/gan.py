"""The first GAN: two networks play a game, and one of them learns to draw (lesson 01).

Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio:
Generative Adversarial Nets, NIPS 2014; slides GM-13 to GM-16, report RE-2. Networks of
plain layers for points in the plane and for digits; `algorithm_1` is the paper's
algorithm, and its two losses can be replaced by a learner's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..declarations import Network, SystemInfo
from ..training import System, falling

__all__ = [
    "POINTS", "PRESETS", "Discriminator", "Gan", "Generator", "Maxout", "algorithm_1",
    "alternating_step", "discriminator_loss", "halved", "nonsaturating_loss",
    "optimal_discriminator", "points_gan", "saturating_loss", "simultaneous_step",
    "with_deviation",
]  # fmt: skip

# Digits. "paper": sizes, noise, batch, optimizer, the discriminator's objective and
# dropout as in the authors' released mnist.yaml (github.com/goodfeli/adversarial). Ours
# are: no rise of the momentum to 0.7, PyTorch's start, and that the players take turns,
# as in Algorithm 1 (the release steps both at once). It names no last step: 250 epochs
# are ours too.
PRESETS = {
    "smoke": {"shape": (1, 8, 8), "noise_size": 16, "hidden": 32, "units": 32,
              "group": 8, "batch_size": 16, "steps": 8},
    "cpu": {"shape": (1, 8, 8), "noise_size": 32, "hidden": 256, "units": 256,
            "group": 8, "norm": True, "rate": 1e-3, "cool": 2000, "batch_size": 64,
            "steps": 4000},
    "gpu": {"shape": (1, 8, 8), "noise_size": 32, "hidden": 512, "units": 512,
            "group": 8, "norm": True, "rate": 1e-3, "cool": 6000, "batch_size": 64,
            "steps": 12000},
    "paper": {"shape": (1, 28, 28), "noise_size": 100, "hidden": 1200, "units": 240,
              "pieces": 5, "dropout": (0.2, 0.5), "uniform": True, "half": True,
              "momentum": 0.5, "rate": 0.1, "decay": 1 / 1.000004, "batch_size": 100,
              "steps": 250 * 500},
}  # fmt: skip

# Points in the plane: networks of two hidden layers, which collapse on the ring for
# their first 2,500 steps or so. There is no paper of this very game. "paper": 512
# points, 256 numbers of noise, two layers of 128 and the steps of the demonstration of
# the unrolled GAN by its authors (github.com/poolio/unrolled_gan), which has tanh in
# both networks and learns at 1e-4 (discriminator) and 1e-3 with beta_1 = 0.5. ReLU,
# 5e-4 for both and beta_1 = 0.8 are ours, at each preset.
POINTS = {
    "smoke": {"hidden": 16, "units": 16, "batch_size": 32, "steps": 8},
    "cpu": {"hidden": 64, "units": 64, "batch_size": 128, "steps": 1500},
    "gpu": {"hidden": 64, "units": 64, "batch_size": 128, "steps": 1500},
    "paper": {"noise_size": 256, "hidden": 128, "units": 128, "batch_size": 512,
              "steps": 25000},
}  # fmt: skip


# ------------------------------------------------------------------------- the losses


def optimal_discriminator(p_data: Tensor, p_g: Tensor) -> Tensor:
    """D*(x) = p_data(x) / (p_data(x) + p_g(x)), the best answer to a fixed generator.

    p_data, p_g: densities at the same points, any shape; returns that shape, in [0, 1].
    Proposition 1, Goodfellow et al. 2014; slide GM-14; lesson 01.
    """
    return p_data / (p_data + p_g)


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-V(D, G) of eq. (1), a scalar to go down, from logits (B,) each.

    D = sigmoid(logit), so log D = -softplus(-logit) and log(1 - D) = -softplus(logit):
    exact where the sigmoid would round to 0 or 1. Slides GM-13, GM-15; lesson 01.
    """
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def saturating_loss(fake_logits: Tensor) -> Tensor:
    """log(1 - D(G(z))), the generator's side of the minimax game, a scalar to go down.

    fake_logits: (B,). Flat where D is sure that G's work is fake. Slide GM-16.
    """
    return -F.softplus(fake_logits).mean()


def nonsaturating_loss(fake_logits: Tensor) -> Tensor:
    """-log D(G(z)), a scalar to go down; steep where the saturating loss is flat.

    fake_logits: (B,). Section 3, Goodfellow et al. 2014; slide GM-16; lesson 01.
    """
    return F.softplus(-fake_logits).mean()


def halved(loss: Callable) -> Callable:
    """The same loss of (real, fake) logits, half as large.

    The releases of GAN and LAPGAN take one mean over real and drawn samples together,
    as many of each: half of the two means in eq. (1). To Adam it is all one; a plain
    gradient step is half as long.
    """

    def half(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return loss(real_logits, fake_logits) / 2

    return half


# ---------------------------------------------------------------------- the algorithm


def algorithm_1(
    real: Tensor,
    noise: Callable[[int], Tensor],
    generator: nn.Module,
    discriminator: nn.Module,
    k: int,
    discriminator_loss: Callable = discriminator_loss,
    generator_loss: Callable = nonsaturating_loss,
) -> Iterator[tuple[str, Tensor]]:
    """One round of Algorithm 1: k turns of the discriminator, one of the generator.

    real: (k * m, ...) fresh data, a minibatch of m for each of D's turns; noise(m)
    gives m noise vectors. Yields (player, loss); the caller takes that player's step
    before the generator function goes on. Slide GM-15; lesson 01.
    """
    for x in real.chunk(k):
        fake = generator(noise(len(x))).detach()
        loss = discriminator_loss(discriminator(x), discriminator(fake))
        yield "discriminator", loss
    fake = generator(noise(len(real) // k))
    yield "generator", generator_loss(discriminator(fake))


def simultaneous_step(x: float, y: float, rate: float) -> tuple[float, float]:
    """Both players of V = xy step at once: x goes down, y goes up. Slide GM-34."""
    return x - rate * y, y + rate * x


def alternating_step(x: float, y: float, rate: float) -> tuple[float, float]:
    """x steps down V = xy, then y steps up at the new x. Slide GM-34; lesson 01."""
    x = x - rate * y
    return x, y + rate * x


# ----------------------------------------------------------------------- the networks


def with_deviation(samples: Tensor, group: int = 8) -> Tensor:
    """Appends to each sample how much its group varies: (B, F) to (B, F + 1).

    The batch is cut into groups of neighbours; the standard deviation of each feature
    over a group, averaged over the features, is one number for all of the group. So a
    discriminator sees when a generator repeats itself. Karras et al. 2018's simple
    form of minibatch discrimination (Salimans et al. 2016). Used in lesson 01.
    Raises ValueError when B is no multiple of `group`.
    """
    if len(samples) % group:
        raise ValueError(f"a batch of {len(samples)} can't be cut in groups of {group}")
    grouped = samples.view(-1, group, samples.shape[1])
    deviation = (grouped.var(1, unbiased=False) + 1e-8).sqrt().mean(1)
    return torch.cat([samples, deviation.repeat_interleave(group)[:, None]], 1)


class Maxout(nn.Module):
    """The largest of `pieces` linear functions, for each unit (Goodfellow 2013)."""

    def __init__(self, inside: int, units: int, pieces: int):
        super().__init__()
        self.pieces, self.linear = pieces, nn.Linear(inside, units * pieces)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inside) to (B, units)."""
        return self.linear(x).unflatten(1, (-1, self.pieces)).amax(2)


class Generator(nn.Module):
    """Noise (B, noise_size) to data (B, *shape), through two hidden layers.

    Pictures (three numbers in shape) end in a squashing to [-1, 1]; points are free.
    The paper's sigmoid to [0, 1] is this tanh at half its input, moved to [-1, 1].
    """

    def __init__(self, shape=(2,), noise_size=16, hidden=64, norm=False):
        super().__init__()
        self.noise_size = noise_size
        size = torch.Size(shape).numel()
        layers: list[nn.Module] = []
        for inside in (noise_size, hidden):
            layers += [nn.Linear(inside, hidden)]
            layers += [nn.BatchNorm1d(hidden)] if norm else []
            layers += [nn.ReLU()]
        layers += [nn.Linear(hidden, size), nn.Unflatten(1, shape)]
        self.net = nn.Sequential(*layers, *([nn.Tanh()] if len(shape) == 3 else []))

    def forward(self, noise: Tensor) -> Tensor:
        """x = G(z)."""
        return self.net(noise)


class Discriminator(nn.Module):
    """Data (B, *shape) to logits (B,); the D of the papers is their sigmoid.

    pieces: of the maxout units, or 0 for ReLU with that leak. dropout: at the input,
    and after each hidden layer. group: of `deviation`, or 0 to judge each sample alone.
    """

    def __init__(self, shape=(2,), units=64, pieces=0, dropout=(0.0, 0.0), group=0,
                 leak=0.2, deviation=with_deviation):  # fmt: skip
        super().__init__()
        self.group, self.deviation = group, deviation
        inside = torch.Size(shape).numel() + (1 if group else 0)
        layers: list[nn.Module] = [nn.Dropout(dropout[0])] if dropout[0] else []
        for wide in (inside, units):
            if pieces:
                layers += [Maxout(wide, units, pieces)]
            else:
                layers += [nn.Linear(wide, units), nn.LeakyReLU(leak)]
            layers += [nn.Dropout(dropout[1])] if dropout[1] else []
        self.net = nn.Sequential(*layers, nn.Linear(units, 1))

    def forward(self, x: Tensor) -> Tensor:
        """How real each sample looks, as a logit."""
        x = x.flatten(1)
        return self.net(self.deviation(x, self.group) if self.group else x).squeeze(1)


# ------------------------------------------------------------------------- the system


class Gan(System):
    """Generator and discriminator, playing Algorithm 1 (or a learner's own version).

    k: turns of the discriminator in a round; the source's batches then hold k
    minibatches. play, the two losses and deviation may be a learner's own.
    uniform: noise from U[-sqrt 3, sqrt 3], of variance 1 too, in place of N(0, 1), as
    in the release. half: the discriminator's loss by `halved`.
    momentum: None for Adam, else plain gradient steps with that momentum, as in 2014.
    cool: after so many steps the learning rate falls in a straight line, to 0 after as
    many again; decay: what it is multiplied by each step. Slide GM-15; lesson 01.
    """

    players = ("discriminator", "generator")

    def __init__(self, shape=(2,), noise_size=16, hidden=64, units=64, norm=False,
                 pieces=0, dropout=(0.0, 0.0), group=0, leak=0.2, k=1, rate=5e-4,
                 momentum=None, cool=0, decay=1.0, uniform=False, half=False,
                 play=algorithm_1,
                 discriminator_loss=discriminator_loss,
                 generator_loss=nonsaturating_loss,
                 deviation=with_deviation):  # fmt: skip
        super().__init__()
        self.reads = tuple(shape)
        self.generator = Generator(shape, noise_size, hidden, norm)
        self.discriminator = Discriminator(
            shape, units, pieces, dropout, group, leak, deviation
        )
        self.k, self.learning_rate = k, rate
        self.momentum, self.cool, self.decay = momentum, cool, decay
        self.play, self.uniform = play, uniform
        judged = halved(discriminator_loss) if half else discriminator_loss
        self.losses = judged, generator_loss

    def round(self, batch) -> Iterator[tuple[str, Tensor]]:
        """Algorithm 1 on `batch.image`, (k * m, ...)."""
        networks = self.generator, self.discriminator
        yield from self.play(
            batch.image, self.draw_noise, *networks, self.k, *self.losses
        )

    def draw_noise(self, count: int) -> Tensor:
        """(count, noise_size), normal or uniform, of mean 0 and variance 1."""
        size = self.generator.noise_size
        if not self.uniform:
            return self.noise(count, size)
        return 3**0.5 * (2 * self.uniform_noise(count, size) - 1)

    def optimizer(self, player: str) -> torch.optim.Optimizer:
        """Adam, or momentum as in the paper's section 4."""
        if self.momentum is None:
            return super().optimizer(player)
        network = self.player(player)
        return torch.optim.SGD(network.parameters(), self.learning_rate, self.momentum)

    def learning_rate_factor(self, step: int) -> float:
        """By `cool` and `decay`; the released file's least rate of 1e-6 is kept too."""
        line = falling(step, self.cool, 2 * self.cool) if self.cool else 1.0
        return max(line * self.decay**step, 1e-5)

    @torch.no_grad()
    def sample(self, count: int, noise: Tensor | None = None) -> Tensor:
        """`count` samples (count, *shape); pictures in [-1, 1]."""
        noise = self.draw_noise(count) if noise is None else noise
        return self.network("generator").eval()(noise)


def points_gan(preset: str, **overrides) -> Gan:
    """The GAN for points in the plane at that preset; overrides as for `from_preset`.

    Adam's beta_1 is 0.8 here: more momentum than usual makes the collapse last longer.
    """
    settings = {"shape": (2,), "group": 0, "leak": 0.0, **POINTS[preset], **overrides}
    system = Gan.from_preset("smoke", **settings)
    system.preset, system.betas = preset, (0.8, 0.999)
    return system


def _make(preset: str, data: str, **changes) -> Gan:
    """On digits or points."""
    return points_gan(preset) if data == "points" else Gan.from_preset(preset)


SYSTEMS = {
    "gan": SystemInfo(
        Gan,
        "01",
        "vanilla GAN: digits, or points in the plane",
        {"digits": {}, "points": POINTS},
        make=_make,
    )
}
BIRDS = {"shape": (3, 32, 32), "noise_size": 100, "cool": 0}  # for lesson 02
SHIPPED = {
    "gan_digits": Network(partial(Gan.from_preset, "cpu"), "digits", "gan", noise=1),
    "gan_birds_32": Network(
        partial(Gan.from_preset, "cpu", **BIRDS),
        "birds",
        "gan",
        part=attrgetter("generator"),
        noise=1,
    ),
}
