"""Codes at two scales: VQ-VAE-2 (lesson 04).

Razavi, van den Oord, Vinyals: Generating Diverse High-Fidelity Images with VQ-VAE-2,
NeurIPS 2019; slide GM-12. A small map of top codes sees the picture from afar; a map of
bottom codes, twice as fine, is chosen knowing the top's. The decoder paints from both.
Drawing goes the same way: first the top codes, then the bottom codes given them.

Layers and sizes are those of a widely used small version of the paper's network
(github.com/rosinality/vq-vae-2-pytorch).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import check_multiple
from ..declarations import Network, SystemInfo
from ..training import System, checkpoint
from .pixelcnn import GatedPixelCnn, coder_of  # the prior of each level
from .vqvae import ResidualBlock, VectorQuantizer, commitment_loss  # it extends VQ-VAE

__all__ = [
    "PRESETS", "PRIOR", "Levels", "TwoLevelPrior", "VqVae2", "from_checkpoint",
    "painter", "reader",
]  # fmt: skip

# "paper": networks, optimizer and batch of the small version named above, on pictures
# of 256 x 256; the steps are ours (its 560 epochs are of other pictures), and so is the
# codebooks' start.
PRESETS = {
    "smoke": {"size": 32, "hidden": 8, "inner": 4, "entries": 16, "code_size": 4,
              "batch_size": 8, "steps": 4},
    "cpu": {"size": 32, "hidden": 48, "inner": 24, "entries": 64, "code_size": 16,
            "decay": 0.95, "revive": 0.5, "rate": 2e-3, "batch_size": 32,
            "steps": 1500},
    "gpu": {"size": 64, "hidden": 96, "inner": 32, "entries": 256, "code_size": 32,
            "revive": 0.5, "rate": 1e-3, "batch_size": 64, "steps": 20000},
    "paper": {"size": 256, "hidden": 128, "inner": 32, "entries": 512, "code_size": 64,
              "decay": 0.99, "rate": 3e-4, "batch_size": 128, "steps": 300_000},
}  # fmt: skip

# The prior over the codes of a trained VqVae2, by species; sizes and steps are ours, at
# every preset far below the paper's.
CODES = {"codes": True, "classes": 200}
PRIOR = {
    "smoke": CODES | {"shape": (3, 32, 32), "values": 16, "channels": 8, "layers": 2,
                      "out": 16, "batch_size": 8, "steps": 4},
    "cpu": CODES | {"shape": (3, 32, 32), "values": 64, "channels": 48, "layers": 6,
                    "out": 128, "rate": 1e-3, "batch_size": 64, "steps": 1500},
    "gpu": CODES | {"shape": (3, 64, 64), "values": 256, "channels": 64, "layers": 12,
                    "out": 256, "rate": 5e-4, "batch_size": 64, "steps": 20000},
    "paper": CODES | {"shape": (3, 256, 256), "values": 512, "channels": 128,
                      "layers": 20, "out": 512, "rate": 3e-4, "batch_size": 128,
                      "steps": 300_000},
}  # fmt: skip


def reader(inside: int, hidden: int, inner: int, halvings: int) -> nn.Sequential:
    """An encoder: `halvings` strided convolutions, a 3x3 one, two residual blocks.

    (B, inside, S, S) to (B, hidden, S / 2^halvings, S / 2^halvings).
    """
    layers, wide = [], inside
    for i in reversed(range(halvings)):
        out = hidden // 2 if i or halvings == 1 else hidden
        layers += [nn.Conv2d(wide, out, 4, 2, 1), nn.ReLU()]
        wide = out
    layers += [nn.Conv2d(wide, hidden, 3, 1, 1)]
    layers += [ResidualBlock(hidden, inner), ResidualBlock(hidden, inner), nn.ReLU()]
    return nn.Sequential(*layers)


def painter(inside: int, hidden: int, inner: int, outside: int, doublings: int):
    """A decoder: a 3x3 convolution, two residual blocks, then twice the size each time.

    (B, inside, s, s) to (B, outside, s * 2^doublings, s * 2^doublings).
    """
    layers = [nn.Conv2d(inside, hidden, 3, 1, 1)]
    layers += [ResidualBlock(hidden, inner), ResidualBlock(hidden, inner), nn.ReLU()]
    wide = hidden
    for i in reversed(range(doublings)):
        out = hidden // 2 if i else outside
        layers += [nn.ConvTranspose2d(wide, out, 4, 2, 1), *([nn.ReLU()] if i else [])]
        wide = out
    return nn.Sequential(*layers)


class Levels(nn.Module):
    """The networks of both levels: what one player learns.

    size: numbers in an entry; both codebooks have `entries` of them
    """

    def __init__(self, channels, hidden, inner, entries, size, decay, revive):
        super().__init__()
        self.read_bottom = reader(channels, hidden, inner, 2)
        self.read_top = reader(hidden, hidden, inner, 1)
        self.to_top = nn.Conv2d(hidden, size, 1)
        self.paint_top = painter(size, hidden, inner, size, 1)
        self.to_bottom = nn.Conv2d(hidden + size, size, 1)
        self.enlarge_top = nn.ConvTranspose2d(size, size, 4, 2, 1)
        self.paint = painter(2 * size, hidden, inner, channels, 2)
        # Uniform with variance 1; the small version named above begins with N(0, 1).
        settings = {"decay": decay, "revive": revive, "spread": 3**0.5}
        self.top = VectorQuantizer(entries, size, **settings)
        self.bottom = VectorQuantizer(entries, size, **settings)

    def encode(self, pictures: Tensor, rng=None):
        """(z_e, what was found) of the top level and of the bottom level."""
        fine = self.read_bottom(pictures)
        coarse = self.to_top(self.read_top(fine))
        top = self.top(coarse, rng)
        # The bottom level sees what the top has said, and adds what is missing.
        fine = self.to_bottom(torch.cat([self.paint_top(top.vectors), fine], 1))
        return (coarse, top), (fine, self.bottom(fine, rng))

    def decode(self, top: Tensor, bottom: Tensor) -> Tensor:
        """Pictures (B, channels, S, S) of entries at both levels."""
        return self.paint(torch.cat([self.enlarge_top(top), bottom], 1))


class VqVae2(System):
    """Both levels, one player: squared error + beta (commitment, top and bottom).

    At the paper preset 1,388,867 weights, as in the small version named above; the
    codebooks follow moving averages and have none. Pictures of 256 x 256 then have
    32 x 32 top codes and 64 x 64 bottom codes. size: a multiple of 8, else ValueError.
    """

    players = ("levels",)
    betas = (0.9, 0.999)

    def __init__(self, size=256, channels=3, hidden=128, inner=32, entries=512,
                 code_size=64, beta=0.25, decay=0.99, revive=0.0,
                 rate=3e-4):  # fmt: skip
        super().__init__()
        check_multiple(size, of=8, least=8)
        self.size, self.channels, self.values = size, channels, entries
        self.reads = (channels, size, size)
        self.beta = beta
        self.top_grid, self.grid = (size // 8, size // 8), (size // 4, size // 4)
        self.learning_rate = rate
        self.levels = Levels(channels, hidden, inner, entries, code_size, decay, revive)

    def round(self, batch):
        """The levels go down the loss of section 3.1."""
        both = self.levels.encode(batch.image, self.rng)
        drawn = self.levels.decode(*(found.vectors for _, found in both))
        loss = F.mse_loss(drawn, batch.image)
        for encoded, found in both:
            loss = loss + self.beta * commitment_loss(encoded, found.entries)
        yield "levels", loss

    @torch.no_grad()
    def codes(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Top codes (B, S / 8, S / 8) and bottom codes (B, S / 4, S / 4), int64.

        In evaluation mode: otherwise the codebooks would learn from these pictures.
        """
        training = self.training
        self.eval()
        (_, top), (_, bottom) = self.levels.encode(pictures)
        self.train(training)
        return top.codes, bottom.codes

    @torch.no_grad()
    def decode(self, top: Tensor, bottom: Tensor) -> Tensor:
        """Pictures in [-1, 1] of top and bottom codes, which may be of two pictures."""
        entries = self.levels.top.lookup(top), self.levels.bottom.lookup(bottom)
        return self.levels.decode(*entries).clamp(-1, 1)

    def reconstruct(self, pictures: Tensor) -> Tensor:
        """What is left of pictures when only their codes are kept."""
        return self.decode(*self.codes(pictures))

    def swap(self, one: Tensor, other: Tensor) -> Tensor:
        """Pictures with the top codes of `one` and the bottom codes of `other`."""
        return self.decode(self.codes(one)[0], self.codes(other)[1])

    @torch.no_grad()
    def sample(self, count: int) -> Tensor:
        """Pictures of codes drawn alike and alone; a learned prior: `TwoLevelPrior`."""
        top, bottom = (
            torch.randint(
                self.values, (count, *grid), device=self.device, generator=self.rng
            )
            for grid in (self.top_grid, self.grid)
        )
        return self.decode(top, bottom)


def from_checkpoint(path: str | Path) -> VqVae2:
    """The VQ-VAE-2 of a training of one's own, frozen: the coder for a prior.

    path: a checkpoint of `t2i train vqvae2`. CheckpointError if it is none.
    """
    system = checkpoint.rebuild(path, VqVae2, "t2i train vqvae2")
    return system.eval().requires_grad_(False)


class TwoLevelPrior(System):
    """p(top | class) p(bottom | top, class): two PixelCNNs over a trained VqVae2.

    The paper's priors also have attention; these are the gated PixelCNN of lesson 04,
    the lower one conditioned on a map of the top codes. channels, layers, out: of both.
    """

    presets = PRIOR
    players = ("top", "bottom")
    betas = (0.9, 0.999)

    def __init__(self, coder: VqVae2, classes=200, channels=48, layers=6, out=128,
                 rate=1e-3):  # fmt: skip
        super().__init__()
        self.coder, self.classes, self.learning_rate = coder, classes, rate
        self.reads = coder.reads
        self.coder.requires_grad_(False).eval()
        settings = {"channels": channels, "layers": layers, "out": out}
        self.top = GatedPixelCnn(coder.values, **settings, classes=classes)
        code_size = coder.levels.top.codebook.shape[1]
        self.bottom = GatedPixelCnn(
            coder.values, **settings, classes=classes, latent=code_size
        )

    def above(self, top: Tensor) -> Tensor:
        """Top entries at the bottom's places: (B, code_size, S / 4, S / 4)."""
        return F.interpolate(self.coder.levels.top.lookup(top), scale_factor=2)

    def round(self, batch):
        """Each level goes down its -log p, in nats a place."""
        top, bottom = self.coder.codes(batch.image)
        kind = batch.class_id if self.classes else None
        log_prob = self.top.log_prob(top, kind)
        yield "top", -log_prob.mean() / top[0].numel()
        log_prob = self.bottom.log_prob(bottom, kind, self.above(top))
        yield "bottom", -log_prob.mean() / bottom[0].numel()

    @torch.no_grad()
    def sample(self, class_id: Tensor | None = None, count: int = 1) -> Tensor:
        """Pictures in [-1, 1] of these classes (B,); `count` where there are none."""
        kind = class_id if self.classes else None
        count = count if kind is None else len(kind)
        grids = self.coder.top_grid, self.coder.grid
        noise = [self.uniform_noise(count, *grid) for grid in grids]
        top = self.top.eval().sample(noise[0], kind)
        bottom = self.bottom.eval().sample(noise[1], kind, self.above(top))
        return self.coder.decode(top, bottom)


SYSTEMS = {
    "vqvae2": SystemInfo(
        VqVae2,
        "04",
        "VQ-VAE-2: codes at two scales",
        {"birds": {}},
        draws="",
        measures={"birds": "t2i_course.measure.judges:birds_rebuilt"},
    ),
    "two_level_prior": SystemInfo(
        TwoLevelPrior,
        "04",
        "a PixelCNN over each level of a VQ-VAE-2's codes",
        {"birds": {}},
        parts=(coder_of("vqvae2"),),
        draws="classes",
    ),
}
SHIPPED = {
    "vqvae2_birds": Network(partial(VqVae2.from_preset, "cpu"), "birds", "vqvae2")
}
