"""Pictures from sentences: GAN, GAN-CLS, GAN-INT and GAN-INT-CLS (lesson 08).

Reed, Akata, Yan, Logeswaran, Schiele, Lee: Generative Adversarial Text to Image
Synthesis, ICML 2016; report RE-2 to RE-8, slides TM-11 and TM-12. A text embedding is
projected to 128 numbers and joined to the noise in the generator, and to every place of
the discriminator's 4x4 map. CLS shows the discriminator real pictures with wrong text;
INT lets the generator practise on sentences half-way between two others.
"""

from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import FromPoint, check_size, initialize
from ..declarations import Network, SystemInfo
from ..training import System
from .joint_embedding import READER  # the paper builds on its authors' encoder

__all__ = [
    "Discriminator",
    "GanCls",
    "GanClsR1",
    "Generator",
    "StyleEncoder",
    "StyleTraining",
    "between",
    "discriminator_loss",
    "generator_loss",
    "judged_together",
    "mismatched",
    "r1_penalty",
]

# "paper": sizes, batch, rates and schedule of the authors' release for birds
# (github.com/reedscot/icml2016, main_cls_int.lua). What differs from it, at every
# preset:
# - the discriminator has a LeakyReLU after each batch norm on the way down; the release
#   leaves it out after the one of 4 * depth channels;
# - right, wrong and drawn pairs are judged in one batch (`judged_together`), where the
#   release judges each kind in a batch of its own;
# - a wrong pair is a picture with a sentence of another class; the release's is a
#   sentence with a picture of another class;
# - one sentence a picture is embedded, where the release embeds the mean of four;
# - averaged weights draw (`average_decay`).
# The release's convolutions have biases, set to 0 before each step; here there are
# none.
PRESETS = {
    "smoke": {
        "size": 32,
        "base": 8,
        "depth": 8,
        "projected": 16,
        "noise_size": 16,
        "embedding": 256,
        "batch_size": 8,
        "steps": 4,
    },
    "cpu": {
        "size": 32,
        "base": 32,
        "depth": 32,
        "judge": 512,
        "projected": 128,
        "noise_size": 100,
        "embedding": 256,
        "batch_size": 32,
        "steps": 3000,
        "rates": (5e-4, 2e-3),
    },
    "gpu": {
        "size": 64,
        "base": 96,
        "depth": 64,
        "projected": 128,
        "noise_size": 100,
        "embedding": 256,
        "batch_size": 64,
        "steps": 40000,
    },
    "paper": {
        "size": 64,
        "base": 128,
        "depth": 64,
        "projected": 128,
        "noise_size": 100,
        "embedding": 1024,
        "batch_size": 64,
        "steps": 600 * 138,
    },
}


R1_EVERY = 8  # rounds from one R1 penalty to the next (Karras et al. 2020: "lazy")


class Bottleneck(nn.Module):
    """Residual bottleneck: 1x1 to a quarter, 3x3, 3x3 back; added to its input."""

    def __init__(self, channels: int, activation: nn.Module):
        super().__init__()
        inner = channels // 4
        self.body = nn.Sequential(
            nn.Conv2d(channels, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            activation,
            nn.Conv2d(inner, inner, 3, 1, 1, bias=False),
            nn.BatchNorm2d(inner),
            activation,
            nn.Conv2d(inner, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) to the same shape."""
        return self.activation(x + self.body(x))


def doubling(inside: int, outside: int) -> list[nn.Module]:
    """A fractionally strided convolution with batch norm: twice the size."""
    return [
        nn.ConvTranspose2d(inside, outside, 4, 2, 1, bias=False),
        nn.BatchNorm2d(outside),
    ]


class Generator(nn.Module):
    """Noise (B, noise_size) and text (B, embedding) to pictures (B, 3, size, size).

    base: channels before the last layer (ngf); each step down doubles them. The text is
    projected and joined to the noise: x = G(z, phi(t)). RE-4.
    """

    def __init__(
        self, size=64, base=128, projected=128, noise_size=100, embedding=1024
    ):
        super().__init__()
        check_size(size, least=16)
        self.noise_size, self.size = noise_size, size
        self.project = nn.Sequential(nn.Linear(embedding, projected), nn.LeakyReLU(0.2))
        relu, wide = nn.ReLU(), base * size // 8
        layers = [FromPoint(noise_size + projected, wide), nn.BatchNorm2d(wide)]
        layers += [Bottleneck(wide, relu), *doubling(wide, wide // 2)]
        layers += [Bottleneck(wide // 2, relu)]
        channels = wide // 2
        while channels > base:
            layers += [*doubling(channels, channels // 2), relu]
            channels //= 2
        last = nn.ConvTranspose2d(channels, 3, 4, 2, 1, bias=False)
        self.net = nn.Sequential(*layers, last, nn.Tanh())

    def forward(self, noise: Tensor, text: Tensor) -> Tensor:
        """Pictures in [-1, 1]."""
        return self.net(torch.cat([noise, self.project(text)], 1))


class Discriminator(nn.Module):
    """Pictures (B, 3, size, size) and text (B, embedding) to logits (B,).

    `features` looks at the picture alone and `match` joins the text, so that one look
    serves a picture's right text and its wrong one. RE-4; depth is the first layer's
    channels (ndf), judge those of the layer that compares (None: as many as the map
    has, 512 in the paper).
    """

    def __init__(self, size=64, depth=64, projected=128, embedding=1024, judge=None):
        super().__init__()
        check_size(size, least=16)
        leaky = nn.LeakyReLU(0.2)
        layers: list[nn.Module] = [nn.Conv2d(3, depth, 4, 2, 1, bias=False), leaky]
        channels, side = depth, size // 2
        while side > 4:
            layers += [
                nn.Conv2d(channels, 2 * channels, 4, 2, 1, bias=False),
                nn.BatchNorm2d(2 * channels),
                leaky,
            ]
            channels, side = 2 * channels, side // 2
        self.look = nn.Sequential(*layers[:-1], Bottleneck(channels, leaky))
        self.project = nn.Sequential(
            nn.Linear(embedding, projected), nn.BatchNorm1d(projected), leaky
        )
        judge = judge or channels
        self.judge = nn.Sequential(
            nn.Conv2d(channels + projected, judge, 1, bias=False),
            nn.BatchNorm2d(judge),
            leaky,
            nn.Conv2d(judge, 1, 4, bias=False),
        )

    def features(self, pictures: Tensor) -> Tensor:
        """What the discriminator sees in the pictures alone: (B, channels, 4, 4)."""
        return self.look(pictures)

    def match(self, seen: Tensor, text: Tensor) -> Tensor:
        """Logits (B,) that what was seen is real and fits the text."""
        words = self.project(text)[:, :, None, None].expand(-1, -1, 4, 4)
        return self.judge(torch.cat([seen, words], 1)).flatten()

    def forward(self, pictures: Tensor, text: Tensor) -> Tensor:
        """Logits (B,); D of the papers is their sigmoid."""
        return self.match(self.features(pictures), text)


def mismatched(class_id: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """For each of B items the place (B,) of a random item of another class.

    Raises ValueError for a batch with one class only: there is nothing to mismatch.
    """
    other = class_id[:, None] != class_id[None, :]
    lottery = torch.rand(other.shape, device=class_id.device, generator=generator)
    best, place = (lottery + 1).mul(other).max(1)
    if (
        not torch.compiler.is_compiling()
        and best.device.type == "cpu"
        and (best == 0).any()
    ):
        raise ValueError(
            "A wrong caption must come from another class, and this batch holds only "
            "one class. Use a larger batch, or train without them (cls=False)."
        )
    return place


def between(text: Tensor, beta: float = 0.5) -> Tensor:
    """Sentences that nobody wrote: beta t1 + (1 - beta) t2 of eq. (3), report RE-6.

    text: (B, D). Item i of the first half is mixed with item i of the second half.
    Returns (B // 2, D); no interpolated text is ever shown to the discriminator's turn.
    """
    half = len(text) // 2
    return beta * text[:half] + (1 - beta) * text[half : 2 * half]


def judged_together(discriminator, *pairs) -> tuple[Tensor, ...]:
    """Logits of several (what was seen, text) pairs, matched in one batch.

    pairs: of (B_i, channels, 4, 4) and (B_i, embedding). Returns (B_i,) each.
    Batch norm subtracts the batch's mean. In a batch of wrong pairs alone that is the
    very evidence that they are wrong, so right, wrong and drawn pairs share a batch.
    (The paper leaves it open.)
    """
    seen, text = (torch.cat(part) for part in zip(*pairs))
    return discriminator.match(seen, text).split([len(s) for s, _ in pairs])


def discriminator_loss(
    real: Tensor, fake: Tensor, wrong: Tensor | None = None
) -> Tensor:
    """Algorithm 1, line 10, as a loss to go down: -L_D, from logits (B,) each.

    real: real picture, right text; fake: drawn picture, right text; wrong: real
    picture, wrong text (None: GAN without CLS). log s = -softplus(-logit) and
    log(1 - s) = -softplus(logit): exact where a sigmoid would round to 0 or 1.
    """
    loss = F.softplus(-real).mean()
    if wrong is None:
        return loss + F.softplus(fake).mean()
    return loss + (F.softplus(wrong).mean() + F.softplus(fake).mean()) / 2


def generator_loss(fake: Tensor) -> Tensor:
    """Algorithm 1, line 12: -log s_f from logits (B,), the non-saturating loss."""
    return F.softplus(-fake).mean()


def r1_penalty(discriminator, pictures: Tensor, text: Tensor) -> Tensor:
    """R1: the mean squared slope of D's logit at real pictures, a scalar.

    E |grad_x D(x, t)|^2 over pictures (B, 3, S, S) with their right text (B, D), whose
    gradient reaches the discriminator. Mescheder et al. 2018, eq. (9), without its
    gamma / 2. In float32 under any autocast. Batch norm lets a picture move its
    neighbours' logits, so a slope here is that of the batch's sum.
    """
    with torch.autocast(pictures.device.type, enabled=False):
        pictures = pictures.detach().float().requires_grad_()
        logits = discriminator(pictures, text.float())
        (slope,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    return slope.flatten(1).square().sum(1).mean()


class GanCls(System):
    """All four variants: cls shows wrong text, interpolate (INT) mixes sentences.

    rates: (discriminator's, generator's), with Adam. The paper has 2e-4 for both. A
    small generator that must learn in minutes wants a higher one, and a discriminator
    that doesn't run ahead of it.
    """

    players = ("discriminator", "generator")
    averaged = ("generator",)  # ours: the paper draws with the last weights
    average_decay = 0.998
    Discriminator = Discriminator  # a subclass may bring its own

    def __init__(
        self,
        text_encoder: nn.Module | None = None,
        size=64,
        base=128,
        depth=64,
        projected=128,
        noise_size=100,
        embedding=1024,
        cls=True,
        interpolate=True,
        rates=(2e-4, 2e-4),
        judge=None,
    ):
        super().__init__()
        self.rates = dict(zip(self.players, rates))
        self.cls, self.interpolate = cls, interpolate
        self.reads = (3, size, size)
        self.text_encoder = text_encoder  # frozen: not a player
        self.generator = initialize(
            Generator(size, base, projected, noise_size, embedding)
        )
        self.discriminator = initialize(
            self.Discriminator(size, depth, projected, embedding, judge)
        )
        # The convolutions' own order of numbers: a fifth faster on a CPU.
        self.generator.to(memory_format=torch.channels_last)
        self.discriminator.to(memory_format=torch.channels_last)

    def learning_rate_factor(self, step: int) -> float:
        """Halved every 100 epochs of CUB's 138 steps, as in the paper."""
        return 0.5 ** (step // 13_800)

    def embed(self, batch) -> Tensor:
        """phi(t) of the batch's captions (B, embedding); the encoder is frozen."""
        with torch.no_grad():
            return self.text_encoder.of(batch)

    def round(self, batch):
        """Algorithm 1: the discriminator's turn, then the generator's."""
        text = self.embed(batch)
        asked = torch.cat([text, between(text)]) if self.interpolate else text
        drawn = self.generator(self.noise(len(asked), self.generator.noise_size), asked)

        d = self.discriminator
        seen = d.features(batch.image)  # one look serves both sentences
        real = [(seen, text)]
        if self.cls:
            real.append((seen, text[mismatched(batch.class_id, self.rng)]))
        fake = d.features(drawn[: len(text)].detach()), text
        right, *wrong, fake = judged_together(d, *real, fake)
        yield "discriminator", discriminator_loss(right, fake, *wrong)
        real = [(seen.detach(), text) for seen, text in real]
        *_, fake = judged_together(d, *real, (d.features(drawn), asked))
        yield "generator", generator_loss(fake)

    @torch.no_grad()
    def sample(self, text: Tensor, noise: Tensor | None = None) -> Tensor:
        """Pictures in [-1, 1] for embeddings (B, D), by the averaged generator."""
        if noise is None:
            noise = self.noise(len(text), self.generator.noise_size)
        return self.network("generator").eval()(noise, text)


class GanClsR1(GanCls):
    """The same game with R1 in the discriminator's loss; ours, for long trainings.

    r1: gamma of `r1_penalty`, taken every R1_EVERY rounds and as many times as heavy; 0
    is none.
    Without it trainings at 64x64 broke down (lesson 08, section 9). Others as `GanCls`.
    """

    def __init__(self, text_encoder: nn.Module | None = None, r1=0.2, **settings):
        super().__init__(text_encoder, **settings)
        self.r1 = r1

    def round(self, batch):
        """The paper's round; now and then its first loss is higher by the penalty."""
        turns = super().round(batch)
        player, loss = next(turns)
        if self.r1 and self.played % R1_EVERY == 0:
            slope = r1_penalty(self.discriminator, batch.image, self.embed(batch))
            loss = loss + self.r1 / 2 * R1_EVERY * slope
        yield player, loss
        yield from turns


class StyleEncoder(nn.Module):
    """S: a picture to the noise that would have drawn it, (B, noise_size). RE-7.

    The paper publishes no architecture; this is the discriminator's trunk and a linear
    layer.
    """

    def __init__(self, size=64, depth=64, noise_size=100):
        super().__init__()
        check_size(size)
        layers, channels, side = [], 3, size
        while side > 4:
            out = depth if channels == 3 else 2 * channels
            layers += [
                nn.Conv2d(channels, out, 4, 2, 1),
                nn.BatchNorm2d(out),
                nn.LeakyReLU(0.2),
            ]
            channels, side = out, side // 2
        self.look = nn.Sequential(*layers)
        self.out = nn.Linear(channels * 16, noise_size)

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, size, size) in [-1, 1] to styles."""
        return self.out(self.look(pictures).flatten(1))


class StyleTraining(System):
    """Trains S by the squared error of eq. (4), against a generator that rests."""

    players = ("style",)
    learning_rate = 5e-4
    betas = (0.9, 0.999)

    def __init__(self, gan: GanCls, depth: int = 32):
        super().__init__()
        self.text_encoder, self.generator = gan.text_encoder, gan.network("generator")
        noise_size = self.generator.noise_size
        self.style = StyleEncoder(self.generator.size, depth, noise_size)

    def round(self, batch):
        """Draw with known noise, and recover it: ||z - S(G(z, phi(t)))||^2."""
        with torch.no_grad():
            text = self.text_encoder.of(batch)
            z = self.noise(len(text), self.generator.noise_size)
            pictures = self.generator(z, text)
        yield "style", F.mse_loss(self.style(pictures), z)


SYSTEMS = {
    "gan_cls": SystemInfo(
        GanCls,
        "08",
        "GAN-INT-CLS: pictures from sentences",
        {"birds": {}, "emoji": {}},
        parts=(READER,),
        draws="sentences",
    )
}
# Each network in full, so that a changed preset leaves it as it is.
BIRD_32 = {
    "size": 32,
    "base": 32,
    "depth": 32,
    "judge": 512,
    "embedding": 256,
    "rates": (5e-4, 2e-3),
}


def _shipped(
    kind: type = GanCls, data: str = "birds", noise: int = 0, **changes
) -> Network:
    """Only averaged generators ship: they alone draw."""
    make = partial(kind, **BIRD_32 | changes)
    return Network(make, data, "gan_cls", attrgetter("generator"), noise=noise)


SHIPPED = {
    "gan_32": _shipped(cls=False, interpolate=False),
    "gan_cls_32": _shipped(cls=True, interpolate=False),
    "gan_int_32": _shipped(cls=False, interpolate=True),
    "gan_int_cls_32": _shipped(cls=True, interpolate=True),
    "gan_int_cls_64": _shipped(GanClsR1, size=64, r1=0.2),
    "gan_emoji_32": _shipped(data="emoji", noise=2),
    "style_of_gan_int_cls_32": Network(partial(StyleEncoder, 32, 32), "birds"),
}
