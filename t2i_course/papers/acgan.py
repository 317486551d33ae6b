"""AC-GAN and TAC-GAN: a discriminator that also says the class (lesson 05).

Odena, Olah, Shlens: Conditional Image Synthesis with Auxiliary Classifier GANs, ICML
2017. The discriminator isn't told y; it must name it, of real and of drawn pictures,
and the generator is to be named rightly. Dash, Gamboa, Ahmed, Liwicki, Afzal: TAC-GAN,
2017 (report RE-13) is its form for sentences: the class helps, and the sentence is
what is asked for. Here that is the switch `text`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from ..blocks import FromPoint
from ..data import Batch
from ..declarations import Network, SystemInfo
from ..training import System
from . import gan_cls
from .cgan import (
    BIRDS as CGAN_BIRDS,
)
from .cgan import (
    PRESETS as CGAN,
)
from .cgan import (
    LabelGenerator,
    Labelled,
    label_generator,
    spectral_trunk,
)
from .gan import discriminator_loss, nonsaturating_loss
from .gan_cls import mismatched
from .joint_embedding import READER

__all__ = [
    "PRESETS", "AcGan", "AuxiliaryDiscriminator", "ReleasedDiscriminator", "TacGan",
    "auxiliary_loss", "released_generator",
]  # fmt: skip

# All but "paper" are papers/cgan.py's, so that only the discriminator differs. "paper":
# the networks, rate, noise and batch of the paper's table for CIFAR-10 (appendix A),
# for ten wing colours at 32 x 32, or for digits; weight 1 for the classifier, as there.
# Ours are the steps, and that the activations get no noise (theirs tries 0 to 0.2).
PAPER = {"released": True, "noise_size": 100, "rates": (2e-4, 2e-4), "batch_size": 100,
         "weight": 1.0}  # fmt: skip
SHARED = ("shape", "labels", "noise_size", "hidden", "units", "base", "depth", "rates",
          "batch_size", "steps")  # fmt: skip


def _presets(kind: dict, paper: dict) -> dict:
    shared = {
        name: {key: value for key, value in settings.items() if key in SHARED}
        for name, settings in kind.items()
    }
    return shared | {"paper": PAPER | paper}


PRESETS = _presets(
    CGAN, {"shape": (1, 32, 32), "labels": "digit", "steps": 50_000}
)  # digits are drawn at 32 x 32
BIRDS = _presets(CGAN_BIRDS, {"shape": (3, 32, 32), "labels": "wing", "steps": 50_000})
# Of 32 x 32 pixels too, as the paper's networks are.
BIRDS["gpu"] |= {"shape": (3, 32, 32), "base": 64, "depth": 48}
TAC = {
    name: {key: settings[key] for key in gan_cls.PRESETS["smoke"] if key in settings}
    for name, settings in gan_cls.PRESETS.items()
}


def auxiliary_loss(real_logits: Tensor, fake_logits: Tensor, y: Tensor) -> Tensor:
    """L_C: the class is to be named, of real and of drawn pictures alike. A scalar.

    real_logits, fake_logits (B, K), y (B,) int64: -E[log P(y | x)] - E[log P(y |
    G(z, y))]. Both players go down it. Odena et al. 2017, eq. (3); lesson 05.
    """
    return F.cross_entropy(real_logits, y) + F.cross_entropy(fake_logits, y)


# ----------------------------------------------------------------------- the networks


class AuxiliaryDiscriminator(nn.Module):
    """Pictures to a score of being real (B,) and each label's logits, [(B, K), ...]."""

    def __init__(self, shape, units: int, classes: tuple[int, ...]):
        super().__init__()
        self.look, features = spectral_trunk(shape, units)
        self.real = spectral_norm(nn.Linear(features, 1))
        self.name = nn.ModuleList(nn.Linear(features, n) for n in classes)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(scores, a list of logits); y is not an input."""
        h = self.look(x)
        return self.real(h).squeeze(1), [head(h) for head in self.name]


class ReleasedDiscriminator(nn.Module):
    """The paper's for 32 x 32 pictures: six convolutions, dropout, two heads."""

    def __init__(self, shape=(3, 32, 32), classes: tuple[int, ...] = (10,)):
        super().__init__()
        layers, inside = [], shape[0]
        for channels, stride in zip((16, 32, 64, 128, 256, 512), (2, 1, 2, 1, 2, 1)):
            layers.append(nn.Conv2d(inside, channels, 3, stride, 1))
            layers += [nn.BatchNorm2d(channels)] if inside > 3 else []
            layers += [nn.LeakyReLU(0.2), nn.Dropout(0.5)]
            inside = channels
        self.look = nn.Sequential(*layers, nn.Flatten())
        features = 512 * (shape[-1] // 8) ** 2
        self.real = nn.Linear(features, 1)
        self.name = nn.ModuleList(nn.Linear(features, n) for n in classes)

    forward = AuxiliaryDiscriminator.forward


def released_generator(shape, noise_size: int, classes) -> LabelGenerator:
    """The paper's for 32 x 32 pictures: 384, 192 and 96 channels, 5 x 5 kernels."""

    def up(inside, outside):
        return nn.ConvTranspose2d(inside, outside, 5, 2, 2, 1)

    net = nn.Sequential(
        FromPoint(noise_size + sum(classes), 384, bias=True),
        nn.ReLU(),
        *(up(384, 192), nn.BatchNorm2d(192), nn.ReLU()),
        *(up(192, 96), nn.BatchNorm2d(96), nn.ReLU()),
        *(up(96, shape[0]), nn.Tanh()),
    )
    return LabelGenerator(net, noise_size, classes)


# ------------------------------------------------------------------------ the systems


class AcGan(Labelled):
    """The game of real and drawn, and beside it both players go down `auxiliary_loss`.

    weight: of that loss (1 in the paper). released: the paper's networks. loss: may be
    a learner's own. Others as `cgan.ConditionalGan`.
    """

    def __init__(self, shape=(1, 8, 8), labels="digit", noise_size=32, hidden=256,
                 units=256, base=32, depth=32, weight=1.0, released=False,
                 rates=(2e-4, 2e-4), loss: Callable = auxiliary_loss):  # fmt: skip
        super().__init__()
        self.ask_for(labels, shape, rates)
        self.weight, self.loss = weight, loss
        if released:
            if shape[-1] != 32:
                raise ValueError("the paper's networks are for pictures of 32 x 32")
            self.generator = released_generator(shape, noise_size, self.classes)
            self.discriminator = ReleasedDiscriminator(shape, self.classes)
        else:
            sizes = noise_size, self.classes, hidden, base
            self.generator = label_generator(shape, *sizes)
            wanted = units if shape[0] == 1 else depth
            self.discriminator = AuxiliaryDiscriminator(shape, wanted, self.classes)
        if shape[0] == 3:
            self.to(memory_format=torch.channels_last)

    def named(self, real: list[Tensor], fake: list[Tensor], y: Tensor) -> Tensor:
        """The auxiliary losses of all labels, added up."""
        each = zip(real, fake, y.unbind(1))
        return sum(self.loss(r, f, label) for r, f, label in each)

    def round(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """D names both kinds and tells them apart; then G is named and passes."""
        y, z = self.asked(batch), self.noise(len(batch), self.generator.noise_size)
        fake = self.generator(z, y)
        real_score, real_names = self.discriminator(batch.image)
        score, names = self.discriminator(fake.detach())
        loss = discriminator_loss(real_score, score)
        yield "discriminator", loss + self.weight * self.named(real_names, names, y)
        score, names = self.discriminator(fake)
        real_names = [name.detach() for name in real_names]
        loss = nonsaturating_loss(score)
        yield "generator", loss + self.weight * self.named(real_names, names, y)


class TacDiscriminator(gan_cls.Discriminator):
    """GAN-CLS's discriminator with a second head that names the class."""

    def __init__(self, size=64, depth=64, projected=128, embedding=1024, judge=None,
                 classes=200):  # fmt: skip
        super().__init__(size, depth, projected, embedding, judge)
        channels = self.judge[0].in_channels
        self.name = nn.Conv2d(channels, classes, 4)

    def both(self, seen: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B,) that it is real and fits, and logits (B, classes)."""
        words = self.project(text)[:, :, None, None].expand(-1, -1, 4, 4)
        joined = torch.cat([seen, words], 1)
        return self.judge(joined).flatten(), self.name(joined).flatten(1)


class TacGan(System):
    """TAC-GAN: pictures from sentences, with the class named beside.

    Real, drawn and wrong pairs as in GAN-CLS; of each the class of the *picture* is to
    be named, a wrong pair's too. weight: of the naming. Networks of papers/gan_cls.py
    (the paper's join the text at 8 x 8, and its noise is 100 uniform numbers).
    """

    presets = TAC
    players = ("discriminator", "generator")
    averaged = ("generator",)
    average_decay = 0.998

    def __init__(self, text_encoder: nn.Module | None = None, size=64, base=128,
                 depth=64, projected=128, noise_size=100, embedding=1024, judge=None,
                 classes=200, weight=1.0, rates=(2e-4, 2e-4)):  # fmt: skip
        super().__init__()
        self.text_encoder, self.reads, self.weight = (
            text_encoder,
            (3, size, size),
            weight,
        )
        self.rates = dict(zip(self.players, rates))
        sizes = size, base, projected, noise_size, embedding
        self.generator = gan_cls.initialize(gan_cls.Generator(*sizes))
        self.discriminator = gan_cls.initialize(
            TacDiscriminator(size, depth, projected, embedding, judge, classes)
        )
        self.to(memory_format=torch.channels_last)

    def round(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """The discriminator's turn on three kinds of pairs, then the generator's."""
        with torch.no_grad():
            text = self.text_encoder.of(batch)
        d, y = self.discriminator, batch.class_id
        other = mismatched(y, self.rng)
        drawn = self.generator(self.noise(len(text), self.generator.noise_size), text)
        seen = d.features(batch.image)
        right, name = d.both(seen, text)
        wrong, wrong_name = d.both(seen, text[other])
        fake, fake_name = d.both(d.features(drawn.detach()), text)
        loss = gan_cls.discriminator_loss(right, fake, wrong)
        names = sum(F.cross_entropy(n, y) for n in (name, wrong_name, fake_name))
        yield "discriminator", loss + self.weight * names
        fake, fake_name = d.both(d.features(drawn), text)
        loss = nonsaturating_loss(fake) + self.weight * F.cross_entropy(fake_name, y)
        yield "generator", loss

    @torch.no_grad()
    def sample(self, text: Tensor, noise: Tensor | None = None) -> Tensor:
        """Pictures in [-1, 1] for embeddings (B, D), by the averaged generator."""
        if noise is None:
            noise = self.noise(len(text), self.generator.noise_size)
        return self.network("generator").eval()(noise, text)


MEASURES = {
    "digits": "t2i_course.measure.labels:digits_as_labelled",
    "birds": "t2i_course.measure.labels:birds_as_labelled",
}
SYSTEMS = {
    "acgan": SystemInfo(
        AcGan,
        "05",
        "AC-GAN: the discriminator also names the class",
        {"digits": {}, "birds": BIRDS},
        draws="classes",
        measures=MEASURES,
    ),
    "tacgan": SystemInfo(
        TacGan,
        "05",
        "TAC-GAN: pictures from sentences, the class named beside",
        {"birds": {}},
        parts=(READER,),
        draws="sentences",
    ),
}
SHIPPED = {
    "acgan_digits": Network(
        partial(AcGan.from_preset, "cpu"),
        "digits",
        "acgan",
        part=attrgetter("generator"),
    ),
}
