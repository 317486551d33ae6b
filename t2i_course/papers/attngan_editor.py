"""AttnGAN made an editor: what TAGAN is compared with in its table 1 (lesson 15).

Nam et al. 2018 compare with "AttnGAN", which draws from noise. How they had it change
pictures isn't in the slides; here SISGAN's encoder stands where the noise stood, and
all else is AttnGAN's: places look at words, a judge at each scale, a similarity model.
"""

from __future__ import annotations

from torch import Tensor, nn

from ..data import Batch
from .attngan import AttentionalTree, AttnGan, unpacked  # what is made an editor
from .gan_cls import judged_together, mismatched
from .sisgan import Residual, encoder, relevant  # and the way it is made one
from .stackgan import doubled, everywhere

__all__ = ["PRESETS", "AttnEditor", "EditingTree", "Seen"]

PRESETS = {
    "smoke": {"size": 32, "stages": 1, "base": 4, "depth": 4, "blocks": 1, "seen": 4,
              "condition": 8, "embedding": 128, "batch_size": 8, "steps": 4},
    "cpu": {"size": 32, "stages": 1, "base": 32, "depth": 32, "judge": 256, "blocks": 1,
            "seen": 32, "condition": 64, "embedding": 128, "lambda_": 1.0, "kl": 0.1,
            "loud": 13.0, "rates": (5e-4, 2e-3), "batch_size": 32, "steps": 1200},
    "gpu": {"size": 64, "stages": 1, "base": 32, "depth": 48, "blocks": 2, "seen": 64,
            "condition": 100, "embedding": 128, "lambda_": 1.0, "kl": 0.1,
            "loud": 13.0, "batch_size": 32, "steps": 20_000},
    "paper": {"size": 128, "stages": 1, "base": 32, "depth": 64, "blocks": 2,
              "seen": 128, "condition": 100, "embedding": 256, "lambda_": 5.0,
              "kl": 1.0, "batch_size": 20, "steps": 600 * 442},
}  # fmt: skip


class Seen(nn.Module):
    """F_0 of an editor: pictures (B, 3, size, size) and c (B, condition) to features.

    SISGAN's encoder (two halvings, `seen` channels first), its residual blocks, and
    doublings up to `side`: (B, base, side, side).
    """

    def __init__(self, condition: int, base: int, size: int, side: int, seen=32):
        super().__init__()
        wide = 4 * seen
        self.encoder = encoder(seen, 2)
        self.join = nn.Sequential(
            nn.Conv2d(wide + condition, wide, 3, 1, 1, bias=False),
            nn.BatchNorm2d(wide),
            Residual(wide),
            Residual(wide),
        )
        ups, channels = [], wide
        for _ in range((4 * side // size).bit_length() - 1):
            ups += doubled(channels, channels // 2)
            channels //= 2
        self.up = nn.Sequential(*ups, nn.Conv2d(channels, base, 1))

    def forward(self, pictures: Tensor, c: Tensor) -> Tensor:
        """The first features, (B, base, side, side)."""
        return self.up(self.join(everywhere(self.encoder(pictures), c)))


class EditingTree(AttentionalTree):
    """Pictures and rows of `attngan.packed` to pictures at each scale.

    The first features come from a picture where AttnGAN's come from noise; `noise` is
    that of conditioning augmentation. seen: channels of the encoder's first layer;
    others as `AttentionalTree`.
    """

    def __init__(self, size=128, stages=1, base=32, blocks=2, embedding=256,
                 condition=100, seen=64):  # fmt: skip
        super().__init__(size, stages, base, blocks, 0, embedding, condition)
        self.first = Seen(condition, base, size, size >> stages, seen)

    def begin(self, c: Tensor, z: Tensor) -> Tensor:
        """h_0 = F_0(c, x): z is the picture."""
        return self.first(z, c)

    def draw(self, pictures: Tensor, text: Tensor, noise: Tensor):
        """Changed pictures of each scale in [-1, 1]; mu and log sigma of c."""
        _, *told = unpacked(text, self.embedding)
        c, mean, log_sigma = self.augmentation(text, noise)
        found, _ = self.features(c, pictures, *told)
        made = [make(h) for make, h in zip(self.to_pictures, found)]
        return made, mean, log_sigma

    def forward(self, pictures: Tensor, text: Tensor, noise: Tensor) -> Tensor:
        """The largest pictures alone."""
        return self.draw(pictures, text, noise)[0][-1]


class AttnEditor(AttnGan):
    """AttnGAN's game, for pictures and SISGAN's relevant sentences.

    seen: as `Seen`; others as `AttnGan`.
    """

    def __init__(self, damsm=None, seen=64, size=128, stages=1, base=32, depth=64,
                 blocks=2, embedding=256, condition=100, **more):  # fmt: skip
        self.seen = seen
        super().__init__(damsm, size, stages, base, depth, blocks, 0, embedding,
                         condition, **more)  # fmt: skip

    def Tree(self, size, stages, base, blocks, _, embedding, condition, *__):
        """The tree of these sizes."""
        return EditingTree(size, stages, base, blocks, embedding, condition, self.seen)

    def round(self, batch: Batch):
        """Each judge's turn, then the tree's; as SISGAN's, at each scale."""
        text = self.embed(batch)
        asked, kinds = relevant(text), relevant(batch.class_id)
        noise = self.noise(len(batch), self.generator.noise_size)
        drawn, mean, log_sigma = self.generator.draw(batch.image, asked, noise)
        own, told = self.heard(text, mean), self.heard(asked, mean)
        wrong = own[mismatched(batch.class_id, self.rng)]
        looked, judges = [], self.discriminators.values()
        for name, d, real, made in zip(
            self.players, judges, self.real(batch.image), drawn
        ):
            seen, made = d.features(real), d.features(made.detach())
            pairs = (seen, own), (seen, wrong), (made, told)
            looked.append([(seen.detach(), text) for seen, text in pairs[:2]])
            right, bad, fake = judged_together(d, *pairs)
            yield name, self.judged(d.alone(seen), d.alone(made), right, fake, bad)
        turns = []
        for d, pairs, made in zip(judges, looked, drawn):
            made = d.features(made)
            fake = judged_together(d, *pairs, (made, told))[-1]
            turns.append([d.alone(made), fake])
        loss = self.tree_loss(turns, drawn, mean, log_sigma)
        told_of = Batch(batch.image, class_id=kinds)
        yield "generator", self.with_more(loss, drawn[-1], asked, told_of)
