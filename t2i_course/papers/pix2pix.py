"""pix2pix: from one picture to another, learned from pairs (lesson 06).

Isola, Zhu, Zhou and Efros: Image-to-Image Translation with Conditional Adversarial
Networks, 2017; slides GM-22 and GM-24. The generator is a U-Net, the discriminator
judges every patch of (x, y), and the generator's loss adds the distance to the truth:
G* = arg min_G max_D L_cGAN(G, D) + lambda L_L1(G), its eq. (4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import check_size, initialize
from ..declarations import Network, SystemInfo
from ..training import System
from ..worlds.domains import Pairs
from .gan import discriminator_loss, nonsaturating_loss

__all__ = [
    "PRESETS", "WAYS", "PatchDiscriminator", "Pix2Pix", "Unet", "generator_loss",
    "receptive_field", "u_shape",
]  # fmt: skip

# "paper": the networks, losses and rates of the paper for 256 x 256 pixels. Ours is the
# world; the steps are 200 epochs of its 400 facades. One picture a batch, so that its
# batch norm is what is written here: each channel of each picture by itself.
PRESETS = {
    "smoke": {"size": 32, "base": 4, "widest": 2, "depth": 4, "layers": 1, "dropped": 1,
              "batch_size": 4, "steps": 4},
    "cpu": {"size": 32, "base": 32, "widest": 4, "depth": 32, "layers": 1, "dropped": 2,
            "rates": (4e-4, 1e-3), "batch_size": 16, "steps": 800},
    "gpu": {"size": 64, "base": 64, "widest": 4, "depth": 64, "layers": 2, "dropped": 2,
            "batch_size": 16, "steps": 20_000},
    "paper": {"size": 256, "base": 64, "widest": 8, "depth": 64, "layers": 3,
              "dropped": 3, "batch_size": 1, "steps": 200 * 400},
}  # fmt: skip
WAYS = {"paint": "part map to bird", "segment": "bird to part map"}


# ------------------------------------------------------------------- patches and skips


def receptive_field(layers: list[tuple[int, int]]) -> int:
    """How many pixels a side one number of the last layer depends on.

    layers: (kernel, stride) of each convolution, the first one first. From the last
    layer back, r pixels of a layer's output are (r - 1) stride + kernel of its input.
    70 for the paper's [(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)]. Lesson 06.
    """
    field = 1
    for kernel, stride in reversed(layers):
        field = (field - 1) * stride + kernel
    return field


def u_shape(x: Tensor, downs: list[nn.Module], ups: list[nn.Module]) -> Tensor:
    """Down, and up again with each map joined to its mirror image on the way down.

    downs: D modules, each halves the side; ups: D modules, each doubles it. All but the
    first of `ups` get 2 C channels: the map from below, then the one of the way down
    that has its size. Returns what the last one makes. Slide GM-22; lesson 06.
    """
    kept = []
    for down in downs:
        x = down(x)
        kept.append(x)
    kept.pop()  # the innermost is handed on as it is
    for up in ups[:-1]:
        x = torch.cat([up(x), kept.pop()], 1)
    return ups[-1](x)


def straight(x: Tensor, downs: list[nn.Module], ups: list[nn.Module]) -> Tensor:
    """The same without the joins: all has to pass the innermost map."""
    for layer in [*downs, *ups]:
        x = layer(x)
    return x


def generator_loss(
    fake_logits: Tensor, drawn: Tensor, truth: Tensor, weight: float = 100.0
) -> Tensor:
    """-E[log D(x, G(x))] + weight * E[|y - G(x)|]: look real, and be near the truth.

    fake_logits: of each patch, any shape; drawn, truth (B, 3, H, W). E of the second
    term is over all pixels and channels. Eq. (4) of the paper; slide GM-22; lesson 06.
    """
    return nonsaturating_loss(fake_logits) + weight * F.l1_loss(drawn, truth)


# ------------------------------------------------------------------------ the networks


def norm(channels: int, affine: bool = True) -> nn.Module:
    """Each channel of each picture with mean 0 and deviation 1; affine: scaled after.

    What batch norm is on batches of one picture, the paper's, at test time too.
    """
    return nn.InstanceNorm2d(channels, affine=affine)


class Unet(nn.Module):
    """Pictures (B, inside, S, S) to pictures (B, outside, S, S) in [-1, 1].

    size: S, a power of 2; base: channels of the first map, doubled with each halving up
    to `widest` times base; dropped: how many of the first layers on the way up drop
    half of their numbers, the only noise there is. through: `u_shape`, or a learner's;
    skips=False: no joins. 54,413,955 weights at the paper's sizes (the defaults).
    """

    def __init__(self, size=256, base=64, widest=8, inside=3, outside=3, dropped=3,
                 skips=True, through: Callable = u_shape):  # fmt: skip
        super().__init__()
        check_size(size)
        self.size, self.through = size, through if skips else straight
        depth = size.bit_length() - 1  # halvings down to one pixel
        widths = [base * min(2**i, widest) for i in range(depth)]
        downs = [nn.Conv2d(inside, base, 4, 2, 1, bias=False)]
        for i in range(1, depth):
            convolution = nn.Conv2d(widths[i - 1], widths[i], 4, 2, 1, bias=False)
            last = i == depth - 1  # one pixel: nothing to normalize
            after = [] if last else [norm(widths[i])]
            downs.append(nn.Sequential(nn.LeakyReLU(0.2), convolution, *after))
        ups, joined = [], 2 if skips else 1
        for i in reversed(range(1, depth)):
            given = widths[i] * (1 if i == depth - 1 else joined)
            grow = nn.ConvTranspose2d(given, widths[i - 1], 4, 2, 1, bias=False)
            drop = [nn.Dropout(0.5)] if len(ups) < dropped else []
            ups.append(nn.Sequential(nn.ReLU(), grow, norm(widths[i - 1]), *drop))
        last = nn.ConvTranspose2d(joined * base, outside, 4, 2, 1)
        ups.append(nn.Sequential(nn.ReLU(), last, nn.Tanh()))
        self.downs, self.ups = nn.ModuleList(downs), nn.ModuleList(ups)

    def forward(self, x: Tensor) -> Tensor:
        """y = G(x)."""
        return self.through(x, list(self.downs), list(self.ups))


class PatchDiscriminator(nn.Module):
    """Pictures (B, inside, S, S) to logits (B, 1, h, w), one of each patch.

    layers: of stride 2; two of stride 1 follow. 0: three layers of single pixels.
    field: pixels a side that a logit sees; with kernel 4 it is 70 for the paper's 3
    layers, 34 for 2, 16 for 1. affine: whether the norms have a scale and a shift (and
    the layers then no bias). 2,768,705 weights at the default sizes.
    """

    def __init__(self, inside=6, depth=64, layers=3, kernel=4, affine=True):
        super().__init__()
        strides = [2] * layers + [1, 1] if layers else [1, 1, 1]
        kernel = kernel if layers else 1
        self.layers = [(kernel, stride) for stride in strides]
        self.field = receptive_field(self.layers)
        net, channels = [], inside
        for i, stride in enumerate(strides[:-1]):
            width = depth * min(2**i, 8)
            sizes = {"kernel_size": kernel, "stride": stride}
            sizes["padding"] = (kernel - 1) // 2
            bias = i == 0 or not affine
            net.append(nn.Conv2d(channels, width, **sizes, bias=bias))
            net += [norm(width, affine)] if i else []
            net.append(nn.LeakyReLU(0.2))
            channels = width
        last = nn.Conv2d(channels, 1, kernel, 1, (kernel - 1) // 2)
        self.net = nn.Sequential(*net, last)

    def forward(self, pictures: Tensor) -> Tensor:
        """How real each patch looks, as logits."""
        return self.net(pictures)


# -------------------------------------------------------------------------- the system


class Pix2Pix(System):
    """The game on pairs: a batch's image holds the part map and the bird, 6 channels.

    way: a name in WAYS. weight: lambda of the distance. adversarial=False: the distance
    alone, without a game; conditional=False: D isn't shown x. skips, dropped: of the
    U-Net; layers, kernel: of the patches. rates: (discriminator's, generator's).
    loss: `generator_loss`, or a learner's own; through: as in `Unet`.
    ValueError for ways and sizes that don't exist. Slides GM-22, GM-24; lesson 06.
    """

    players = ("discriminator", "generator")
    averaged = ("generator",)  # ours: the paper draws with the last weights
    average_decay = 0.99

    def __init__(self, size=256, base=64, widest=8, depth=64, layers=3, kernel=4,
                 dropped=3, way="paint", weight=100.0, adversarial=True,
                 conditional=True, skips=True, rates=(2e-4, 2e-4),
                 loss: Callable = generator_loss,
                 through: Callable = u_shape):  # fmt: skip
        super().__init__()
        if way not in WAYS:
            raise ValueError(f"No way {way!r}; there are {', '.join(WAYS)}.")
        self.way, self.weight, self.loss = way, weight, loss
        self.conditional, self.reads = conditional, (6, size, size)
        self.rates = dict(zip(type(self).players, rates))
        if not adversarial:
            self.players = ("generator",)
        self.generator = initialize(
            Unet(size, base, widest, dropped=dropped, skips=skips, through=through)
        )
        inside = 6 if conditional else 3
        self.discriminator = initialize(
            PatchDiscriminator(inside, depth, layers, kernel)
        )
        self.to(memory_format=torch.channels_last)

    def pair(self, batch) -> tuple[Tensor, Tensor]:
        """(x, y) of a batch: what is given, and what is to be drawn."""
        part_map, bird = batch.image.chunk(2, 1)
        return (part_map, bird) if self.way == "paint" else (bird, part_map)

    def judged(self, x: Tensor, y: Tensor) -> Tensor:
        """D's logits of each patch."""
        return self.discriminator(torch.cat([x, y], 1) if self.conditional else y)

    def round(self, batch) -> Iterator[tuple[str, Tensor]]:
        """D's turn, with half of its loss as in the paper, then G's."""
        x, y = self.pair(batch)
        drawn = self.generator(x)
        if len(self.players) == 1:
            yield "generator", F.l1_loss(drawn, y)
            return
        real, fake = self.judged(x, y), self.judged(x, drawn.detach())
        yield "discriminator", discriminator_loss(real, fake) / 2
        yield "generator", self.loss(self.judged(x, drawn), drawn, y, self.weight)

    @torch.no_grad()
    def sample(self, x: Tensor, seed: int | None = None) -> Tensor:
        """Pictures in [-1, 1] for x (B, 3, S, S), by the averaged weights.

        seed: that of the dropout, which the paper keeps on when it draws; None draws
        without it. ValueError for pictures of another size.
        """
        if tuple(x.shape[1:]) != (3, *self.reads[1:]):
            side = self.reads[-1]
            raise ValueError(f"This network reads pictures of 3 x {side} x {side}.")
        network = self.network("generator").eval()
        if seed is None:
            return network(x)
        drops = [m for m in network.modules() if isinstance(m, nn.Dropout)]
        with torch.random.fork_rng(devices=[x.device] if x.is_cuda else []):
            torch.manual_seed(seed)
            for drop in drops:
                drop.train()
            try:
                return network(x)
            finally:
                network.eval()


def pairs(source, settings) -> Pairs:
    """Birds beside their part maps."""
    return Pairs(source)


SYSTEMS = {
    "pix2pix": SystemInfo(
        Pix2Pix,
        "06",
        "pix2pix: part maps to birds, and back, from pairs",
        {"birds": {}},
        draws="",
        wrap=pairs,
        measures={"birds": "t2i_course.measure.translation:of_pairs"},
    )
}
# Only averaged generators ship (t2i reproduce 06 makes them). Two more painters show
# what fails: one by the distance alone, one without the joins.
SHIPPED = {
    name: Network(
        partial(Pix2Pix.from_preset, "cpu", **settings),
        "birds",
        "pix2pix",
        part=attrgetter("generator"),
    )
    for name, settings in {
        **{f"pix2pix_{way}": {"way": way} for way in WAYS},
        "pix2pix_distance": {"adversarial": False},
        "pix2pix_straight": {"skips": False},
    }.items()
}
