"""The course's best painter: StackGAN++'s tree before lesson 08's judge (lesson 10).

Not a paper's network. The generator is the tree of `stackgan_v2.py`; at each size it is
judged by the projection discriminator of lesson 08, which reads the whole embedding.
The remedies are those of lesson 09's painter (mirrors, a price on sameness, rates that
fall), and GAN-INT's sentences half-way between two others. The price is asked of coarse
pictures, and falls with the rates.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import initialize
from ..declarations import Network, SystemInfo
from ..training import System
from .gan_cls import READER, between, mismatched
from .painter import Painter, alike_cost, mirrored
from .projection import ProjectionDiscriminator, hinge_discriminator_loss
from .stackgan import kl_to_standard
from .stackgan_v2 import Tree

__all__ = ["PRESETS", "TreePainter"]

PRESETS = {
    "smoke": {"size": 64, "scales": 3, "base": 8, "depths": (4, 4, 4), "blocks": 1,
              "condition": 16, "z_size": 16, "embedding": 256, "batch_size": 8,
              "steps": 4},
    "cpu": {"size": 64, "scales": 3, "base": 32, "depths": (32, 32, 16), "blocks": 1,
            "condition": 128, "z_size": 100, "embedding": 256, "batch_size": 32,
            "steps": 5000},
    "gpu": {"size": 128, "scales": 3, "base": 64, "depths": (64, 64, 32), "blocks": 2,
            "condition": 128, "z_size": 100, "embedding": 256, "batch_size": 64,
            "steps": 40_000},
    "paper": {"size": 256, "scales": 3, "base": 64, "depths": (64, 64, 32), "blocks": 2,
              "condition": 128, "z_size": 100, "embedding": 1024, "batch_size": 24,
              "steps": 600 * 368},
}  # fmt: skip
COARSE = 8  # places a side at which pictures are compared


class TreePainter(Painter):
    """The tree, a projection discriminator a branch, mirrors, a price on sameness.

    depths: `ProjectionDiscriminator`'s depth, of each branch, smallest first. kl:
    weight of the KL; seeking: of `alike_cost`, 0 for none; steps: the training's
    length, after whose half rates and price fall.
    """

    players = (*(f"discriminators.{i}" for i in (1, 2, 3)), "generator")

    def __init__(self, text_encoder: nn.Module | None = None, size=64, scales=3,
                 base=32, depths=(32, 32, 16), blocks=1, z_size=100, embedding=256,
                 condition=128, kl=0.02, seeking=0.1, rates=(4e-4, 1.2e-3),
                 steps=5000):  # fmt: skip
        System.__init__(self)
        self.text_encoder, self.kl, self.seeking = text_encoder, kl, seeking
        self.reads, self.steps = (3, size, size), steps
        tree = Tree(size, scales, base, blocks, z_size, embedding, condition)
        self.generator = initialize(tree).to(memory_format=torch.channels_last)
        judges = {
            str(i): ProjectionDiscriminator(side, depth, embedding)
            for i, (side, depth) in enumerate(zip(tree.sizes, depths), start=1)
        }
        judges = nn.ModuleDict(judges).to(memory_format=torch.channels_last)
        self.discriminators = judges
        self.players = (*(f"discriminators.{i}" for i in judges), "generator")
        self.rates = dict.fromkeys(self.players, rates[0]) | {"generator": rates[1]}

    def round(self, batch) -> Iterator[tuple[str, Tensor]]:
        """Each judge's turn on B pictures of its size, then the tree's on 2 B.

        Those are the batch's sentences, half of them with another noise, and B // 2
        mixed ones, which no judge's turn shows.
        """
        with torch.no_grad():
            text = self.text_encoder.of(batch)
        count, half = len(text), len(text) // 2
        asked = torch.cat([text, text[:half], between(text)])
        noise = self.noise(len(asked), self.generator.noise_size)
        drawn, mean, log_sigma = self.generator.draw(noise, asked)
        real, judges = mirrored(batch.image, self.rng), self.discriminators.values()
        wrong = text[mismatched(batch.class_id, self.rng)]
        for name, d, made in zip(self.players, judges, drawn):
            looked = F.adaptive_avg_pool2d(real, made.shape[-1])
            seen = d.features(torch.cat([looked, made[:count].detach()]))
            other = d.match(seen[:count], wrong)
            right, fake = d.match(seen, torch.cat([text, text])).split(count)
            yield name, hinge_discriminator_loss(right, fake, other)
        loss = sum(-d(made, asked).mean() for d, made in zip(judges, drawn))
        loss = loss + self.kl * kl_to_standard(mean[:count], log_sigma[:count])
        yield "generator", loss + self.price(drawn[-1], noise, count, half)

    def price(self, drawn: Tensor, noise: Tensor, count: int, half: int) -> Tensor:
        """What pictures of one sentence cost that are alike in their coarse forms."""
        coarse = F.adaptive_avg_pool2d(drawn[: count + half], COARSE)
        pairs = coarse[:half], coarse[count:], noise[:half], noise[count:][:half]
        fallen = self.learning_rate_factor(self.played)
        return self.seeking * fallen * alike_cost(*pairs)


SYSTEMS = {
    "tree_painter": SystemInfo(
        TreePainter, "10", "the tree, projection judges, a price on sameness",
        {"birds": {}}, parts=(READER,), draws="sentences",
    ),
}  # fmt: skip
SHIPPED = {  # in full, so that a changed preset leaves it as it is
    "tree_painter_64": Network(
        partial(
            TreePainter, size=64, base=32, depths=(32, 32, 16), blocks=1, z_size=100,
            embedding=256, condition=128,
        ),
        "birds",
        "tree_painter",
        part=attrgetter("generator"),
        default=True,
    ),
}  # fmt: skip
