"""The course's best painter: it obeys, and its birds of a sentence differ (lesson 09).

Not a paper's network. Conditioning augmentation in front of GAN-CLS's generator, judged
by the projection discriminator of lesson 08, with three remedies more: real pictures
are mirrored by lots (no sentence says which way a bird looks), pictures of one sentence
that are too alike cost something (Mao, Lee, Tseng, Ma, Yang: Mode Seeking Generative
Adversarial Networks, CVPR 2019), and the rates fall to 0 over the training's second
half.
"""

from __future__ import annotations

from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn

from ..blocks import initialize
from ..declarations import Network, SystemInfo
from ..training import falling
from .gan_cls import READER, mismatched
from .gan_cls import Generator as GanClsGenerator
from .projection import ProjectionGan, hinge_discriminator_loss
from .stackgan import ConditioningAugmentation, Shaken, kl_to_standard

__all__ = ["PRESETS", "Painter", "ShakenGenerator", "alike_cost", "mirrored"]

PRESETS = {
    "smoke": {"size": 32, "base": 8, "depth": 8, "condition": 16, "z_size": 16,
              "embedding": 256, "batch_size": 8, "steps": 4},
    "cpu": {"size": 64, "base": 32, "depth": 16, "condition": 128, "z_size": 100,
            "embedding": 256, "batch_size": 48, "steps": 9000},
    "gpu": {"size": 64, "base": 96, "depth": 64, "condition": 128, "z_size": 100,
            "embedding": 256, "batch_size": 64, "steps": 40_000},
    "paper": {"size": 64, "base": 128, "depth": 64, "condition": 128, "z_size": 100,
              "embedding": 1024, "batch_size": 64, "steps": 600 * 138},
}  # fmt: skip


class ShakenGenerator(Shaken):
    """GAN-CLS's generator behind conditioning augmentation.

    Noise (B, z_size + condition), z and then eps, and text (B, embedding) to pictures
    (B, 3, size, size) in [-1, 1].
    """

    def __init__(self, size=64, base=32, z_size=100, embedding=256, condition=128):
        super().__init__()
        self.augmentation = ConditioningAugmentation(embedding, condition)
        self.size, self.z_size = size, z_size
        self.noise_size = z_size + condition
        self.net = GanClsGenerator(size, base, condition, z_size, condition).net

    def paint(self, c: Tensor, z: Tensor) -> Tensor:
        """Pictures of conditions (B, condition) and noise (B, z_size)."""
        return self.net(torch.cat([z, c], 1))


def mirrored(pictures: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Pictures (B, C, H, W), each left-right reversed or not by a lot of its own."""
    lots = torch.rand(len(pictures), device=pictures.device, generator=generator) < 0.5
    return torch.where(lots[:, None, None, None], pictures.flip(3), pictures)


def alike_cost(one: Tensor, other: Tensor, noise: Tensor, other_noise: Tensor):
    """1 / (how far pictures differ / how far their noises do): a scalar.

    one, other: pictures (B, 3, S, S) of the same sentences; noise, other_noise: (B, N),
    what each was drawn with. Distances are means of absolute differences. Mao et al.
    2019, eq. (2) as their code takes it.
    """
    apart = (one - other).abs().mean() / (noise - other_noise).abs().mean()
    return 1 / (apart + 1e-5)


class Painter(ProjectionGan):
    """A projection GAN with a shaken condition, mirrors and a price on sameness.

    kl: weight of the KL; seeking: weight of `alike_cost`, 0 for none; mirrors: whether
    real pictures are mirrored; steps: the training's length, after whose half the
    rates fall.
    """

    average_decay = 0.998

    def __init__(self, text_encoder: nn.Module | None = None, size=64, base=32,
                 depth=16, z_size=100, embedding=256, condition=128, kl=0.05,
                 seeking=0.05, mirrors=True, steps=9000):  # fmt: skip
        super().__init__(text_encoder, size, base, depth, condition, z_size, embedding)
        self.kl, self.seeking, self.mirrors, self.steps = kl, seeking, mirrors, steps
        made = ShakenGenerator(size, base, z_size, embedding, condition)
        self.generator = initialize(made).to(memory_format=torch.channels_last)
        self.discriminator.to(memory_format=torch.channels_last)

    def learning_rate_factor(self, step: int) -> float:
        """1, and over the second half in a line to 0."""
        return falling(step, self.steps // 2, self.steps)

    def round(self, batch):
        """The discriminator's turn, then the generator's, of B and B // 2 pictures."""
        with torch.no_grad():
            text = self.text_encoder.of(batch)
        d, count, half = self.discriminator, len(text), len(text) // 2
        noise = self.noise(count + half, self.generator.noise_size)
        asked = torch.cat([text, text[:half]])
        drawn, mean, log_sigma = self.generator.draw(noise, asked)
        real = mirrored(batch.image, self.rng) if self.mirrors else batch.image
        seen = d.features(torch.cat([real, drawn[:count].detach()]))  # one look at all
        wrong = d.match(seen[:count], text[mismatched(batch.class_id, self.rng)])
        right, fake = d.match(seen, torch.cat([text, text])).split(count)
        yield "discriminator", hinge_discriminator_loss(right, fake, wrong)
        loss = -d(drawn[:count], text).mean()
        loss = loss + self.kl * kl_to_standard(mean[:count], log_sigma[:count])
        pairs = drawn[:half], drawn[count:], noise[:half], noise[count:]
        yield "generator", loss + self.seeking * alike_cost(*pairs)


SYSTEMS = {
    "painter": SystemInfo(
        Painter, "09", "shaken condition, projection judge, a price on sameness",
        {"birds": {}}, parts=(READER,), draws="sentences",
    ),
}  # fmt: skip
SHIPPED = {  # in full, so that a changed preset leaves it as it is
    "painter_64": Network(
        partial(Painter, size=64, base=32, depth=16, z_size=100, embedding=256),
        "birds",
        "painter",
        part=attrgetter("generator"),
        default=True,
    ),
}
