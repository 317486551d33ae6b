"""The projection discriminator: text by a dot product, hinge loss, spectral norm.

Miyato and Koyama: cGANs with Projection Discriminator, ICLR 2018; Miyato et al.:
Spectral Normalization for GANs, ICLR 2018. The closing section of lesson 08: the same
generator as GAN-CLS, against an opponent of two years later.
"""

from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ..blocks import check_size, initialize
from ..declarations import Network, SystemInfo
from ..training import System
from .gan_cls import PRESETS as GAN_CLS  # the same generator, on purpose
from .gan_cls import READER, Generator, StyleEncoder, mismatched

__all__ = ["ProjectionDiscriminator", "ProjectionGan", "hinge_discriminator_loss"]

# The generator's sizes are GAN-CLS's; its learning rates are not. "paper" is not the
# projection paper's, at any size: that one has residual networks, five turns of the
# discriminator for one of the generator, a rate of 2e-4, and classes as conditions.
# Here both take one turn at 4e-4, the discriminator is a strided one with a hidden
# layer, and it learns from wrong sentences too. Hinge loss, spectral norm and betas are
# as there.
SIZES = ("size", "base", "depth", "projected", "noise_size", "embedding")
PRESETS = {
    name: {key: settings[key] for key in SIZES} | {"batch_size": 64, "steps": steps}
    for (name, settings), steps in zip(GAN_CLS.items(), (4, 400, 20_000, 600 * 138))
}
PRESETS["smoke"]["batch_size"] = 8


class ProjectionDiscriminator(nn.Module):
    """f(x, t) = v . h(x) + t' W h(x): realism plus agreement, no batch norm.

    size, depth as in GAN-CLS; embedding: numbers in a text embedding
    """

    def __init__(self, size=64, depth=64, embedding=1024):
        super().__init__()
        check_size(size, least=16)
        leaky, layers, channels, side = nn.LeakyReLU(0.2), [], 3, size
        while side > 4:
            out = depth if channels == 3 else 2 * channels
            layers += [spectral_norm(nn.Conv2d(channels, out, 4, 2, 1)), leaky]
            channels, side = out, side // 2
        self.look = nn.Sequential(*layers)
        self.code = spectral_norm(nn.Linear(channels * 16, channels * 4))
        self.real = spectral_norm(nn.Linear(channels * 4, 1))
        self.agree = spectral_norm(nn.Linear(embedding, channels * 4, bias=False))

    def features(self, pictures: Tensor) -> Tensor:
        """h(x): (B, F)."""
        return nn.functional.leaky_relu(self.code(self.look(pictures).flatten(1)), 0.2)

    def match(self, seen: Tensor, text: Tensor) -> Tensor:
        """Scores (B,), any real number, for what was seen and the text."""
        return self.real(seen).squeeze(1) + (self.agree(text) * seen).sum(1)

    def forward(self, pictures: Tensor, text: Tensor) -> Tensor:
        """Scores (B,)."""
        return self.match(self.features(pictures), text)


def hinge_discriminator_loss(real: Tensor, fake: Tensor, wrong: Tensor) -> Tensor:
    """Mean of max(0, 1 - real) + (max(0, 1 + fake) + max(0, 1 + wrong)) / 2."""
    negatives = (1 + fake).relu().mean() + (1 + wrong).relu().mean()
    return (1 - real).relu().mean() + negatives / 2


class ProjectionGan(System):
    """GAN-CLS's round with the hinge loss and the projection discriminator."""

    players = ("discriminator", "generator")
    averaged = ("generator",)
    average_decay = 0.99
    learning_rate = 4e-4
    betas = (0.0, 0.9)

    def __init__(
        self,
        text_encoder: nn.Module | None = None,
        size=64,
        base=128,
        depth=64,
        projected=128,
        noise_size=100,
        embedding=1024,
    ):
        super().__init__()
        self.text_encoder, self.reads = text_encoder, (3, size, size)
        self.generator = initialize(
            Generator(size, base, projected, noise_size, embedding)
        )
        self.discriminator = ProjectionDiscriminator(size, depth, embedding)

    @torch.no_grad()
    def sample(self, text: Tensor, noise: Tensor | None = None) -> Tensor:
        """Pictures in [-1, 1] for embeddings (B, D), by the averaged generator."""
        if noise is None:
            noise = self.noise(len(text), self.generator.noise_size)
        return self.network("generator").eval()(noise, text)

    def round(self, batch):
        """The discriminator's turn, then the generator's."""
        with torch.no_grad():
            text = self.text_encoder.of(batch)
        drawn = self.generator(self.noise(len(text), self.generator.noise_size), text)
        d = self.discriminator
        seen = d.features(batch.image)
        wrong = d.match(seen, text[mismatched(batch.class_id, self.rng)])
        fake = d(drawn.detach(), text)
        yield (
            "discriminator",
            hinge_discriminator_loss(d.match(seen, text), fake, wrong),
        )
        yield "generator", -d(drawn, text).mean()


SYSTEMS = {
    "projection": SystemInfo(
        ProjectionGan,
        "08",
        "projection discriminator with hinge loss",
        {"birds": {}, "emoji": {}},
        parts=(READER,),
        draws="sentences",
    )
}
SHIPPED = {
    "projection_32": Network(
        partial(ProjectionGan.from_preset, "cpu"),
        "birds",
        "projection",
        part=attrgetter("generator"),
        default=True,
    ),
    "style_of_projection_32": Network(partial(StyleEncoder, 32, 32), "birds"),
}
