"""StackGAN's stage I, and conditioning augmentation (lesson 09).

Zhang, Xu, Li, Zhang, Wang, Huang, Metaxas: StackGAN: Text to Photo-realistic Image
Synthesis with Stacked Generative Adversarial Networks, ICCV 2017; slides TM-14 to
TM-16. Stage I draws a small picture from noise and text; stage II reads that picture
and the text again, and draws a larger one. Both read the text as a draw from a Gaussian
around its embedding: conditioning augmentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn

from ..blocks import check_size, initialize
from ..declarations import Network, SystemInfo
from ..training import System
from .gan_cls import (  # StackGAN's judges are GAN-CLS's: right, wrong and drawn pairs
    READER,
    discriminator_loss,
    generator_loss,
    judged_together,
    mismatched,
)

__all__ = [
    "AUGMENTATIONS",
    "PRESETS",
    "ConditioningAugmentation",
    "Discriminator",
    "Shaken",
    "StackGan",
    "StageOne",
    "doubled",
    "everywhere",
    "kl_to_standard",
    "shaken",
    "sketcher_loss",
]  # fmt: skip

# "paper": the networks of the authors' PyTorch release (github.com/hanzhanggit/
# StackGAN-Pytorch), whose sizes are easily checked, with the text encoder, batch, rates
# and schedule of the paper. The first release, in TensorFlow, has bottleneck residuals
# in stage I and a discriminator that projects the text itself; here, as in the second,
# it reads mu. What differs from the second:
# - mu and log sigma are free; there a ReLU makes both 0 or more (`augment="released"`);
# - a wrong pair is of another class; there it is the batch's next picture;
# - right, wrong and drawn pairs are judged in one batch (`judged_together`);
# - averaged weights draw.
PRESETS = {
    "smoke": {"size": 32, "base": 8, "depth": 8, "condition": 16, "z_size": 16,
              "embedding": 256, "batch_size": 8, "steps": 4},
    "cpu": {"size": 32, "base": 32, "depth": 32, "judge": 256, "condition": 128,
            "z_size": 100, "embedding": 256, "kl": 0.1, "rates": (5e-4, 2e-3),
            "batch_size": 32, "steps": 1600},
    "gpu": {"size": 64, "base": 64, "depth": 64, "condition": 128, "z_size": 100,
            "embedding": 256, "kl": 0.1, "batch_size": 64, "steps": 30_000},
    "paper": {"size": 64, "base": 128, "depth": 64, "condition": 128, "z_size": 100,
              "embedding": 1024, "batch_size": 64, "steps": 600 * 138},
}  # fmt: skip
AUGMENTATIONS = ("drawn", "off", "released")


# ------------------------------------------------------------ conditioning augmentation


def shaken(mean: Tensor, log_sigma: Tensor, noise: Tensor) -> Tensor:
    """c = mu + sigma * eps, one draw of N(mu, sigma^2). All (B, C). Slide TM-14."""
    return mean + log_sigma.exp() * noise


def kl_to_standard(mean: Tensor, log_sigma: Tensor) -> Tensor:
    """KL(N(mu, sigma^2) || N(0, I)) a number, in nats: a scalar.

    mean, log_sigma: (B, C); the mean over both. Of each number
    (mu^2 + sigma^2 - 1) / 2 - log sigma. The slide's KL is of the whole vector, that is
    the sum over its C numbers: C times as much. The released code takes the mean, and
    so do we. Slide TM-14, eqs. (4), (6).
    """
    variance = (2 * log_sigma).exp()
    return ((mean.square() + variance - 1) / 2 - log_sigma).mean()


class ConditioningAugmentation(nn.Module):
    """Text (B, embedding) to mu and log sigma (B, condition) each; TM-14.

    augment: "drawn" as in the paper; "off" has mu alone, and no noise; "released" has
    the ReLU of the authors' PyTorch code before the two: mu >= 0, and sigma >= 1.
    """

    def __init__(self, embedding=1024, condition=128, augment="drawn"):
        super().__init__()
        if augment not in AUGMENTATIONS:
            raise ValueError(f"augment is one of {AUGMENTATIONS}, not {augment!r}.")
        self.augment, self.condition = augment, condition
        self.noise_size = 0 if augment == "off" else condition
        self.project = nn.Linear(embedding, condition + self.noise_size)

    def spread(self, text: Tensor) -> tuple[Tensor, Tensor | None]:
        """mu and log sigma; None where there is none."""
        made = self.project(text)
        if self.augment == "off":
            return made, None
        if self.augment == "released":
            made = made.relu()
        mean, log_sigma = made.chunk(2, 1)
        # The release takes its second half for log sigma^2.
        return mean, log_sigma / 2 if self.augment == "released" else log_sigma

    def forward(self, text: Tensor, noise: Tensor):
        """c (B, condition), drawn with noise (B, noise_size); its mu and log sigma."""
        mean, log_sigma = self.spread(text)
        c = mean if log_sigma is None else shaken(mean, log_sigma, noise)
        return c, mean, log_sigma


# ------------------------------------------------------------------------- the networks


def doubled(inside: int, outside: int) -> list[nn.Module]:
    """Twice the size by repeating pixels, then a 3x3 convolution, batch norm, ReLU."""
    return [
        nn.Upsample(scale_factor=2, mode="nearest"),
        nn.Conv2d(inside, outside, 3, 1, 1, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(),
    ]


def everywhere(seen: Tensor, condition: Tensor) -> Tensor:
    """The condition (B, C) behind the channels of a map (B, D, H, W), at each place."""
    places = condition[:, :, None, None].expand(-1, -1, *seen.shape[2:])
    return torch.cat([seen, places], 1)


class Shaken(nn.Module):
    """A generator behind a cloud: `augmentation`, z_size, and `paint(c, z)`.

    Its noise is z (z_size numbers), then conditioning augmentation's eps.
    """

    def draw(self, noise: Tensor, text: Tensor):
        """Pictures in [-1, 1], and the mu and log sigma that they were drawn with."""
        z, eps = noise[:, : self.z_size], noise[:, self.z_size :]
        c, mean, log_sigma = self.augmentation(text, eps)
        return self.paint(c, z), mean, log_sigma

    def forward(self, noise: Tensor, text: Tensor) -> Tensor:
        """Pictures alone."""
        return self.draw(noise, text)[0]


class StageOne(Shaken):
    """Noise (B, noise_size) and text (B, embedding) to pictures (B, 3, size, size).

    The noise is z (z_size numbers), then conditioning augmentation's eps. base: half of
    it are the last layer's channels; each step down doubles them. 10,301,248 weights at
    paper size. TM-15.
    """

    Augmentation = ConditioningAugmentation  # a subclass may bring its own

    def __init__(self, size=64, base=128, z_size=100, embedding=1024, condition=128,
                 augment="drawn"):  # fmt: skip
        super().__init__()
        check_size(size)
        self.augmentation = self.Augmentation(embedding, condition, augment)
        self.size, self.z_size = size, z_size
        self.noise_size = z_size + self.augmentation.noise_size
        channels = base * size // 8
        wide = channels * 16
        layers = [nn.Linear(z_size + condition, wide, bias=False), nn.BatchNorm1d(wide)]
        layers += [nn.ReLU(), nn.Unflatten(1, (channels, 4, 4))]
        for _ in range((size // 4).bit_length() - 1):
            layers += doubled(channels, channels // 2)
            channels //= 2
        last = nn.Conv2d(channels, 3, 3, 1, 1, bias=False)
        self.net = nn.Sequential(*layers, last, nn.Tanh())

    def paint(self, c: Tensor, z: Tensor) -> Tensor:
        """Pictures of conditions (B, condition) and noise (B, z_size)."""
        return self.net(torch.cat([c, z], 1))


class Discriminator(nn.Module):
    """Pictures (B, 3, size, size) and a condition (B, condition) to logits (B,).

    `features` looks at the picture alone, down to a 4x4 map; `match` joins the
    condition, and `alone` judges the picture without it (unconditional=True).
    condition: None leaves the first of the two heads out. judge: channels of the layer
    that compares (None: as many as the map has). 5,715,713 weights at 64 pixels,
    71,269,122 at 256 with the second head; also StackGAN++'s.
    """

    def __init__(self, size=64, depth=64, condition=128, judge=None,
                 unconditional=False):  # fmt: skip
        super().__init__()
        check_size(size, least=16)
        leaky, conv = nn.LeakyReLU(0.2), partial(nn.Conv2d, bias=False)
        layers, channels, side = [conv(3, depth, 4, 2, 1), leaky], depth, size // 2
        while side > 4:
            layers += [conv(channels, 2 * channels, 4, 2, 1)]
            channels, side = 2 * channels, side // 2
            layers += [nn.BatchNorm2d(channels), leaky]
        while channels > 8 * depth:
            layers += [conv(channels, channels // 2, 3, 1, 1)]
            channels //= 2
            layers += [nn.BatchNorm2d(channels), leaky]
        self.look, judge = nn.Sequential(*layers), judge or channels
        self.judge = None if condition is None else nn.Sequential(
            conv(channels + condition, judge, 3, 1, 1), nn.BatchNorm2d(judge), leaky,
            nn.Conv2d(judge, 1, 4),
        )  # fmt: skip
        self.real = nn.Conv2d(channels, 1, 4) if unconditional else None

    def features(self, pictures: Tensor) -> Tensor:
        """What is seen in the pictures alone: (B, channels, 4, 4)."""
        return self.look(pictures)

    def match(self, seen: Tensor, condition: Tensor) -> Tensor:
        """Logits (B,) that what was seen is real and fits the condition."""
        return self.judge(everywhere(seen, condition)).flatten()

    def alone(self, seen: Tensor) -> Tensor:
        """Logits (B,) that what was seen is real, whatever was said."""
        return self.real(seen).flatten()

    def forward(self, pictures: Tensor, condition: Tensor) -> Tensor:
        """Logits (B,) of pictures with a condition."""
        return self.match(self.features(pictures), condition)


# --------------------------------------------------------------------------- the losses


def sketcher_loss(
    fake: Tensor, mean: Tensor, log_sigma: Tensor, weight: float = 2.0
) -> Tensor:
    """Eq. (4), non-saturating: -log D of drawn pictures, and weight times the KL.

    fake: logits (B,); mean, log_sigma: (B, C), of the Gaussians that the pictures' text
    was drawn from. Returns a scalar. Slide TM-15; lesson 09.
    """
    return generator_loss(fake) + weight * kl_to_standard(mean, log_sigma)


# -------------------------------------------------------------------------- the systems


class StackGan(System):
    """Stage I: a small picture from noise and text; eqs. (3), (4).

    kl: lambda of eq. (4), for a KL that is a mean over numbers (2 as released). rates:
    (discriminator's, generator's), with Adam; the paper has 2e-4 for both.
    """

    players = ("discriminator", "generator")
    averaged = ("generator",)  # ours: the paper draws with the last weights
    average_decay = 0.998
    Sketcher = StageOne  # a subclass may bring its own

    def __init__(self, text_encoder: nn.Module | None = None, size=64, base=128,
                 depth=64, z_size=100, embedding=1024, condition=128, augment="drawn",
                 kl=2.0, rates=(2e-4, 2e-4), judge=None):  # fmt: skip
        super().__init__()
        made = self.Sketcher(size, base, z_size, embedding, condition, augment)
        judges = Discriminator(size, depth, condition, judge)
        self.build(text_encoder, initialize(made), judges, kl, rates)

    def build(self, text_encoder, generator, discriminator, kl, rates) -> None:
        """Put the parts in their places."""
        self.text_encoder, self.kl = text_encoder, kl  # the encoder rests: no player
        self.rates, self.reads = (
            dict(zip(self.players, rates)),
            (3, *2 * (generator.size,)),
        )
        channels_last = torch.channels_last  # a fifth faster on a CPU
        self.generator = generator.to(memory_format=channels_last)
        self.discriminator = initialize(discriminator).to(memory_format=channels_last)

    def learning_rate_factor(self, step: int) -> float:
        """Halved every 50 epochs of CUB's 138 steps, as released."""
        return 0.5 ** (step // (50 * 138))

    def embed(self, batch) -> Tensor:
        """phi(t) of the batch's captions (B, embedding); the encoder is frozen."""
        with torch.no_grad():
            return self.text_encoder.of(batch)

    def heard(self, text: Tensor, mean: Tensor | None) -> Tensor:
        """What the discriminator hears of the text: mu, which it doesn't move."""
        return mean.detach()

    def round(self, batch) -> Iterator[tuple[str, Tensor]]:
        """Right, wrong and drawn pairs for the judge, then the generator's turn."""
        text = self.embed(batch)
        noise = self.noise(len(text), self.generator.noise_size)
        drawn, mean, log_sigma = self.generator.draw(noise, text)
        d, c = self.discriminator, self.heard(text, mean)
        seen = d.features(batch.image)  # one look serves both sentences
        real = [(seen, c), (seen, c[mismatched(batch.class_id, self.rng)])]
        made = d.features(drawn.detach())
        right, wrong, fake = judged_together(d, *real, (made, c))
        yield "discriminator", self.judges_loss((right, fake, wrong), seen, made)
        real = [(seen.detach(), c) for seen, c in real]
        made = d.features(drawn)
        *_, fake = judged_together(d, *real, (made, c))
        yield "generator", self.painters_loss(fake, made, mean, log_sigma)

    def judges_loss(self, pairs, seen: Tensor, made: Tensor) -> Tensor:
        """The discriminator's loss, of (right, fake, wrong) logits and what it saw."""
        return discriminator_loss(*pairs)

    def painters_loss(self, fake, made, mean, log_sigma) -> Tensor:
        """The generator's, of logits and of what D saw in the drawn pictures."""
        if log_sigma is None:
            return generator_loss(fake)
        return sketcher_loss(fake, mean, log_sigma, self.kl)

    @torch.no_grad()
    def sample(self, text: Tensor, noise: Tensor | None = None) -> Tensor:
        """Pictures in [-1, 1] for embeddings (B, D), by the averaged generator."""
        if noise is None:
            noise = self.noise(len(text), self.generator.noise_size)
        return self.network("generator").eval()(noise, text)


SYSTEMS = {
    "stackgan_1": SystemInfo(
        StackGan, "09", "StackGAN, stage I: a sketch of a sentence", {"birds": {}},
        parts=(READER,), draws="sentences",
        serves=lambda system: system.network("generator"),
    ),
}  # fmt: skip
# Each network in full, so that a changed preset leaves it as it is.
SKETCHES_32 = {"size": 32, "base": 32, "depth": 32, "judge": 256, "condition": 128,
               "z_size": 100, "embedding": 256}  # fmt: skip


def _shipped(**changes) -> Network:
    """Stage I at 32 pixels; only averaged generators ship."""
    default = changes.pop("default", False)
    make = partial(StackGan, **SKETCHES_32 | changes)
    return Network(
        make, "birds", "stackgan_1", attrgetter("generator"), default=default
    )


SHIPPED = {
    "stackgan_off_32": _shipped(augment="off"),
    "stackgan_32": _shipped(kl=0.1, default=True),
    "stackgan_wide_32": _shipped(kl=2.0),
}
