"""Conditional GANs: a drawing that is asked for (lesson 05).

Mirza and Osindero: Conditional Generative Adversarial Nets, 2014; report RE-3, eq. (2);
slide GM-21. Generator and discriminator are both told y: here labels, as whole numbers.
`Conditional` is the game for any two networks that take (noise, y) and (picture, y).
How a discriminator may use y is a choice, of which these play here, with all else
alike: not at all, joined to its features, by an auxiliary classifier (papers/acgan.py),
and by projection (that of lesson 08, for labels).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from ..blocks import check_size, initialize
from ..data import Batch
from ..declarations import Network, SystemInfo
from ..training import System
from ..worlds.bird_species import COLOURS, FAMILIES
from . import dcgan, gan
from .gan import discriminator_loss, nonsaturating_loss
from .projection import ProjectionDiscriminator

__all__ = [
    "HOW", "LABELS", "PRESETS", "ConditionalGan", "JoinedDiscriminator",
    "LabelGenerator", "Labelled", "MaxoutDiscriminator", "Unlabelled", "WideGenerator",
    "as_embedding", "conditional_round", "one_hot", "projection_score",
    "spectral_trunk",
]  # fmt: skip

# "paper": the networks of the paper's MNIST experiment (section 4.1), their dropout,
# batch, rate and its decay. Ours are tanh for a sigmoid, PyTorch's start, a momentum
# that stays at 0.5 (theirs rises to 0.7), and the steps. The smaller presets are plain
# networks with batch norm, as lesson 01's.
PRESETS = {
    "smoke": {"shape": (1, 8, 8), "labels": "digit", "noise_size": 16, "hidden": 32,
              "units": 32, "batch_size": 16, "steps": 4},
    "cpu": {"shape": (1, 8, 8), "labels": "digit", "noise_size": 32, "hidden": 256,
            "units": 256, "rates": (1e-3, 1e-3), "batch_size": 64, "steps": 2500},
    "gpu": {"shape": (1, 8, 8), "labels": "digit", "noise_size": 32, "hidden": 512,
            "units": 512, "rates": (1e-3, 1e-3), "batch_size": 64, "steps": 10_000},
    "paper": {"shape": (1, 28, 28), "labels": "digit", "noise_size": 100,
              "wide": True, "momentum": 0.5, "rates": (0.1, 0.1), "decay": 1 / 1.00004,
              "batch_size": 100, "steps": 100_000},
}  # fmt: skip

# Birds, by the colour of the wing: DCGAN's generator of lesson 02 with the label beside
# the noise, and one discriminator's trunk for all ways (`HOW`). No paper has this
# world; "paper" is DCGAN's size of both networks.
BIRDS = {
    "smoke": {"shape": (3, 32, 32), "labels": "wing", "base": 4, "depth": 4,
              "noise_size": 16, "batch_size": 8, "steps": 4},
    "cpu": {"shape": (3, 32, 32), "labels": "wing", "base": 32, "depth": 32,
            "noise_size": 100, "rates": (4e-4, 4e-4), "batch_size": 32, "steps": 1500},
    "gpu": {"shape": (3, 64, 64), "labels": "wing", "base": 64, "depth": 64,
            "noise_size": 100, "rates": (2e-4, 2e-4), "batch_size": 64,
            "steps": 15_000},
    "paper": {"shape": (3, 64, 64), "labels": "wing", "wide": False, "base": 128,
              "depth": 128, "noise_size": 100, "rates": (2e-4, 2e-4), "decay": 1.0,
              "momentum": None, "batch_size": 128, "steps": 600 * 69},
}  # fmt: skip

# What may be asked for: how many values each label has, and where a batch holds them.
LABELS: dict[str, tuple[tuple[int, ...], Callable[[Batch], Tensor]]] = {
    "digit": ((10,), lambda batch: batch.class_id[:, None]),
    "wing": ((len(COLOURS),), lambda batch: batch.attributes[:, :1]),
    "family": ((FAMILIES,), lambda batch: (batch.class_id % FAMILIES)[:, None]),
    "family and wing": (
        (FAMILIES, len(COLOURS)),
        lambda batch: torch.stack(
            [batch.class_id % FAMILIES, batch.attributes[:, 0]], 1
        ),
    ),
}
HOW = ("none", "joined, bound", "joined", "projection", "auxiliary")


def labels_of(labels: str) -> tuple[tuple[int, ...], Callable[[Batch], Tensor]]:
    """The entry of LABELS; ValueError names those there are."""
    if labels not in LABELS:
        raise ValueError(f"No labels {labels!r}; there are {', '.join(LABELS)}.")
    return LABELS[labels]


# --------------------------------------------------------------- the label as numbers


def one_hot(y: Tensor, classes: tuple[int, ...]) -> Tensor:
    """Labels (B, L) int64 to (B, sum(classes)): of each label's numbers one is 1.

    classes: how many values each label has. Report RE-3's y; lesson 05.
    """
    parts = [F.one_hot(y[:, i], n) for i, n in enumerate(classes)]
    return torch.cat(parts, 1).float()


def joined(noise: Tensor, y: Tensor, count: int) -> Tensor:
    """Noise (B, N) with the one-hot label beside it, (B, N + count).

    y (B,) int64, below count. What a generator is asked with; lesson 05.
    """
    return torch.cat([noise, F.one_hot(y, count).to(noise.dtype)], 1)


def as_embedding(weight: Tensor, bias: Tensor, noise_size: int):
    """A linear layer of [z, one-hot y], taken apart: (weight of z, table of y).

    weight (O, N + K), bias (O,); N is noise_size. Returns (O, N) and a table (K, O)
    such that weight @ [z, onehot(y)] + bias = weight_z @ z + table[y]. A one-hot vector
    beside the noise and a learned vector for each label are one linear map. Lesson 05.
    """
    return weight[:, :noise_size], weight[:, noise_size:].T + bias


# --------------------------------------------------------------------- the objective


def conditional_round(
    generator: nn.Module, discriminator: nn.Module, real: Tensor, y: Tensor, z: Tensor
) -> Iterator[tuple[str, Tensor]]:
    """A round of eq. (2): Algorithm 1 with k = 1, where both networks are told y.

    real (B, ...), y (B, L), z (B, N); generator(z, y), discriminator(x, y) to logits
    (B,). Yields (player, loss), the discriminator first; the generator's turn looks at
    the same pictures once more, by the non-saturating loss. Report RE-3; lesson 05.
    """
    fake = generator(z, y)
    real_logits, fake_logits = discriminator(real, y), discriminator(fake.detach(), y)
    yield "discriminator", discriminator_loss(real_logits, fake_logits)
    yield "generator", nonsaturating_loss(discriminator(fake, y))


def projection_score(h: Tensor, y: Tensor, v: Tensor, table: Tensor) -> Tensor:
    """v . h + table[y] . h: how real, and how much of class y. (B,).

    h (B, F) features, y (B,) labels, v (F,), table (K, F). Miyato and Koyama 2018, eq.
    (5), whose features are an identity's; lesson 05, and lesson 08 for sentences.
    """
    return h @ v + (table[y] * h).sum(1)


# ----------------------------------------------------------------------- the networks


class LabelGenerator(nn.Module):
    """Noise (B, noise_size) and labels (B, L) to pictures, the one-hot label joined.

    net: takes (B, noise_size + sum(classes)). join: `joined`, or a learner's own.
    """

    def __init__(self, net: nn.Module, noise_size: int, classes: tuple[int, ...],
                 join: Callable = joined):  # fmt: skip
        super().__init__()
        self.net, self.noise_size, self.classes = net, noise_size, tuple(classes)
        self.join = join

    def forward(self, noise: Tensor, y: Tensor) -> Tensor:
        """x = G(z, y)."""
        for label, count in zip(y.unbind(1), self.classes):
            noise = self.join(noise, label, count)
        return self.net(noise)


class WideGenerator(nn.Module):
    """The paper's: noise through 200 units, y through 1000, 1200 for both together.

    2,413,984 weights for 100 numbers of noise, 10 classes and 28 x 28 pixels.
    """

    def __init__(self, shape=(1, 28, 28), noise_size=100, classes=(10,)):
        super().__init__()
        self.noise_size, self.classes = noise_size, tuple(classes)
        size = torch.Size(shape).numel()
        self.from_noise = nn.Linear(noise_size, 200)
        self.from_label = nn.Linear(sum(classes), 1000)
        self.together, self.out = nn.Linear(1200, 1200), nn.Linear(1200, size)
        self.shape = nn.Sequential(nn.Unflatten(1, tuple(shape)), nn.Tanh())

    def forward(self, noise: Tensor, y: Tensor) -> Tensor:
        """x = G(z, y)."""
        label = self.from_label(one_hot(y, self.classes)).relu()
        both = torch.cat([self.from_noise(noise).relu(), label], 1)
        return self.shape(self.out(self.together(both).relu()))


class MaxoutDiscriminator(nn.Module):
    """The paper's: maxout layers of 240 units for x, 50 for y, 240 for both together.

    1,224,351 weights at the paper's sizes; dropout as in the release of the GAN.
    """

    def __init__(self, shape=(1, 28, 28), classes=(10,)):
        super().__init__()
        self.classes = tuple(classes)
        self.picture = gan.Maxout(torch.Size(shape).numel(), 240, 5)
        self.label = gan.Maxout(sum(classes), 50, 5)
        self.together = gan.Maxout(290, 240, 4)
        self.seen, self.known = nn.Dropout(0.2), nn.Dropout(0.5)
        self.out = nn.Linear(240, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Logits (B,) that x is real and of class y."""
        x, y = self.seen(x.flatten(1)), one_hot(y, self.classes)
        both = torch.cat([self.picture(x), self.label(y)], 1)
        return self.out(self.known(self.together(self.known(both)))).squeeze(1)


def spectral_trunk(shape: tuple[int, ...], units: int) -> tuple[nn.Module, int]:
    """What looks at the picture alone, and how many features it gives: (B, F).

    Every layer's largest stretch is held at 1 (spectral norm), so that all heads
    meet under the same conditions. Colour pictures go through strided convolutions, as
    the projection discriminator's do, grey ones through two linear layers.
    """
    leaky, spectral = nn.LeakyReLU(0.2), spectral_norm
    if shape[0] == 1:
        size = torch.Size(shape).numel()
        layers = [nn.Flatten(), spectral(nn.Linear(size, units)), leaky]
        layers += [spectral(nn.Linear(units, units)), leaky]
        return nn.Sequential(*layers), units
    trunk = ProjectionDiscriminator(shape[-1], units, 1)
    layers = [trunk.look, nn.Flatten(), trunk.code, leaky]
    return nn.Sequential(*layers), trunk.code.out_features


class Unlabelled(nn.Module):
    """The control: a discriminator that isn't told y."""

    def __init__(self, shape, units: int, classes: tuple[int, ...]):
        super().__init__()
        self.look, features = spectral_trunk(shape, units)
        self.real = spectral_norm(nn.Linear(features, 1))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Scores (B,), whatever y."""
        return self.real(self.look(x)).squeeze(1)


class JoinedDiscriminator(nn.Module):
    """y joined to the features, and a layer over both: Mirza and Osindero's way.

    bound: whether that one layer, too, is held by spectral norm: then it may stretch
    the label no more than the features beside it. loud: how long the label's vector is.
    """

    def __init__(self, shape, units: int, classes: tuple[int, ...], bound=False,
                 loud: float = 1.0):  # fmt: skip
        super().__init__()
        self.classes, self.loud = tuple(classes), loud
        self.look, features = spectral_trunk(shape, units)
        both = nn.Linear(features + sum(classes), features)
        self.both = spectral_norm(both) if bound else both
        self.real = spectral_norm(nn.Linear(features, 1))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Scores (B,) that x is real and of class y."""
        both = torch.cat([self.look(x), self.loud * one_hot(y, self.classes)], 1)
        return self.real(F.leaky_relu(self.both(both), 0.2)).squeeze(1)


class LabelProjection(nn.Module):
    """y by a dot product with the features: lesson 08's, for labels.

    score: `projection_score`, or a learner's own.
    """

    def __init__(self, shape, units: int, classes: tuple[int, ...],
                 score: Callable = projection_score):  # fmt: skip
        super().__init__()
        self.classes, self.score = tuple(classes), score
        self.look, features = spectral_trunk(shape, units)
        self.real = spectral_norm(nn.Linear(features, 1))
        self.agree = spectral_norm(nn.Linear(sum(classes), features, bias=False))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Scores (B,) that x is real and of each label in y; see `projection_score`."""
        h = self.look(x)
        scores, v = self.real(h).squeeze(1), h.new_zeros(h.shape[1])  # v . h is in it
        for label, table in zip(y.unbind(1), self.agree.weight.T.split(self.classes)):
            scores = scores + self.score(h, label, v, table)
        return scores


DISCRIMINATORS = {
    "none": Unlabelled,
    "joined": JoinedDiscriminator,
    "joined, bound": partial(JoinedDiscriminator, bound=True),
    "joined, louder": partial(JoinedDiscriminator, bound=True, loud=4.0),
    "projection": LabelProjection,
}


def label_generator(shape, noise_size: int, classes, hidden: int, base: int,
                    join: Callable = joined):  # fmt: skip
    """A generator for grey pictures of plain layers, for colour ones DCGAN's."""
    inside = noise_size + sum(classes)
    if shape[0] == 1:
        net = gan.Generator(shape, inside, hidden, norm=True)
    else:
        net = initialize(dcgan.Generator(shape[-1], base, inside))
    return LabelGenerator(net, noise_size, classes, join)


# ------------------------------------------------------------------------- the system


class Labelled(System):
    """What the systems share that draw what labels ask for: a generator of (z, y).

    A subclass has a `generator` and calls `ask_for` in its `__init__`.
    """

    players = ("discriminator", "generator")
    averaged = ("generator",)
    average_decay = 0.995
    betas = (0.5, 0.999)

    def ask_for(self, labels: str, shape: tuple[int, ...], rates) -> None:
        """Keep what is asked for, and of which pictures; ValueError if it can't be."""
        check_shape(shape)
        self.reads, self.labels = tuple(shape), labels
        self.classes, self.asked = labels_of(labels)
        self.rates = dict(zip(self.players, rates))

    def asked_of(self, batch: Batch) -> Tensor:
        """The labels (B, L) of a batch; what `drawing.from_classes` asks for."""
        return self.asked(batch)

    @torch.no_grad()
    def sample(self, y: Tensor, count: int = 0, noise: Tensor | None = None) -> Tensor:
        """Pictures in [-1, 1] of labels y, (B, L) or (B,), by the averaged weights."""
        y = y[:, None] if y.ndim == 1 else y
        if noise is None:
            noise = self.noise(len(y), self.generator.noise_size)
        return self.network("generator").eval()(noise, y)


class ConditionalGan(Labelled):
    """The game of eq. (2) on labels.

    labels: a name in LABELS. how: what D does with y, "none", "joined", "projection"
    or "joined, bound" ("auxiliary" is `acgan.AcGan`). wide: the paper's networks, with
    maxout. join, score: of labels, may be a learner's own (score: of "projection").
    rates: (discriminator's, generator's); momentum: None for Adam, else plain gradient
    steps with that momentum; decay: what the rate is multiplied by each step.
    play: `conditional_round`, or a learner's own. ValueError for names and sizes that
    don't exist. Report RE-3; lesson 05.
    """

    def __init__(self, shape=(1, 8, 8), labels="digit", how="joined", noise_size=32,
                 hidden=256, units=256, base=32, depth=32, wide=False,
                 rates=(2e-4, 2e-4), momentum=None, decay=1.0,
                 play: Callable = conditional_round, join: Callable = joined,
                 score: Callable = projection_score):  # fmt: skip
        super().__init__()
        if how not in DISCRIMINATORS:
            raise ValueError(f"No way {how!r}; there are {', '.join(DISCRIMINATORS)}.")
        self.ask_for(labels, shape, rates)
        self.momentum, self.decay, self.play = momentum, decay, play
        if wide:
            self.generator = WideGenerator(shape, noise_size, self.classes)
            self.discriminator = MaxoutDiscriminator(shape, self.classes)
        else:
            sizes = noise_size, self.classes, hidden, base
            self.generator = label_generator(shape, *sizes, join)
            wanted = units if shape[0] == 1 else depth
            more = {"score": score} if how == "projection" else {}
            kind = DISCRIMINATORS[how]
            self.discriminator = kind(shape, wanted, self.classes, **more)
        if shape[0] == 3:
            self.to(memory_format=torch.channels_last)

    def optimizer(self, player: str) -> torch.optim.Optimizer:
        """Adam, or momentum as in the paper."""
        if self.momentum is None:
            return super().optimizer(player)
        parameters, rate = self.player(player).parameters(), self.rates[player]
        return torch.optim.SGD(parameters, rate, self.momentum)

    def learning_rate_factor(self, step: int) -> float:
        """By `decay`, down to the paper's least rate, 1e-6."""
        return max(self.decay**step, 1e-5)

    def round(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """D's turn, then G's, which looks at the same pictures once more."""
        y, z = self.asked(batch), self.noise(len(batch), self.generator.noise_size)
        networks = self.generator, self.discriminator
        yield from self.play(*networks, batch.image, y, z)


def check_shape(shape: tuple[int, ...]) -> None:
    """ValueError for colour pictures of a size that convolutions can't reach."""
    if shape[0] == 3:
        check_size(shape[-1], least=16)


SYSTEMS = {
    "cgan": SystemInfo(
        ConditionalGan,
        "05",
        "conditional GAN: digits, or birds by a colour",
        {"digits": {}, "birds": BIRDS},
        draws="classes",
        measures={
            "digits": "t2i_course.measure.labels:digits_as_labelled",
            "birds": "t2i_course.measure.labels:birds_as_labelled",
        },
    )
}
TABLE = BIRDS["cpu"] | {"labels": "family and wing", "how": "projection"}
SHIPPED = {
    name: Network(
        partial(ConditionalGan.from_preset, "cpu", **settings),
        data,
        "cgan",
        part=attrgetter("generator"),
    )
    for name, data, settings in (
        ("cgan_digits", "digits", {}),
        ("cgan_projection", "digits", {"how": "projection"}),
        ("cgan_birds", "birds", TABLE),
    )
}
