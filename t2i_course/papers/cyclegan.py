"""CycleGAN: from one domain to another, and no pairs to learn from (lesson 06).

Zhu, Park, Isola and Efros: Unpaired Image-to-Image Translation using Cycle-Consistent
Adversarial Networks, 2017; slide GM-23. Two generators, G: X -> Y and F: Y -> X, two
discriminators D_Y and D_X, and one demand that ties them together: F(G(x)) is x, and
G(F(y)) is y (its eq. (2)).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import check_multiple, initialize
from ..declarations import Network, SystemInfo
from ..training import System
from ..worlds.domains import DOMAINS, Pairs
from .pix2pix import PatchDiscriminator, norm

__all__ = [
    "PRESETS", "CycleGan", "PicturePool", "ResnetGenerator", "exchange",
    "generators_turn", "least_squares",
]  # fmt: skip

# "paper": the networks for 256 x 256 pixels, losses, pool and rates of the paper, one
# picture a batch, 100 epochs of about 1,200 pictures and 100 more while the rate falls.
PRESETS = {
    "smoke": {"size": 32, "base": 4, "blocks": 1, "depth": 4, "layers": 1, "pool": 8,
              "batch_size": 4, "steps": 4},
    "cpu": {"size": 32, "base": 16, "blocks": 3, "depth": 32, "layers": 1,
            "rates": (2e-3, 5e-4), "batch_size": 4, "steps": 1200},
    "gpu": {"size": 64, "base": 32, "blocks": 6, "depth": 64, "layers": 2,
            "batch_size": 8, "steps": 20_000},
    "paper": {"size": 256, "base": 64, "blocks": 9, "depth": 64, "layers": 3,
              "batch_size": 1, "steps": 200 * 1200},
}  # fmt: skip


# --------------------------------------------------------------------------- the losses


def least_squares(scores: Tensor, wanted: float) -> Tensor:
    """E[(D(.) - wanted)^2], over all patches: 1 for real, 0 for drawn. GM-17, LSGAN."""
    return (scores - wanted).square().mean()


def generators_turn(
    x: Tensor, y: Tensor, to_y: Callable, to_x: Callable, d_x: Callable, d_y: Callable,
    weight: float = 10.0,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """What both generators go down, and what they drew: (loss, G(x), F(y)).

    x, y (B, 3, S, S), of different birds. Each translation is to score 1 with the
    discriminator of the domain it arrives in; and there and back is to be where it
    began: weight * (E|F(G(x)) - x| + E|G(F(y)) - y|). weight 0 leaves the way back out.
    Eqs. (1) to (3) of the paper with the squares of section 4; GM-23; lesson 06.
    """
    fake_y, fake_x = to_y(x), to_x(y)
    loss = least_squares(d_y(fake_y), 1.0) + least_squares(d_x(fake_x), 1.0)
    if weight:
        back = F.l1_loss(to_x(fake_y), x) + F.l1_loss(to_y(fake_x), y)
        loss = loss + weight * back
    return loss, fake_y, fake_x


def exchange(
    new: Tensor, pool: Tensor, places: Tensor, swap: Tensor
) -> tuple[Tensor, Tensor]:
    """What D is shown, and the pool after: (B, ...) and (N, ...), both new tensors.

    new (B, ...), pool (N, ...) of old pictures, places (B,) int64, all different, swap
    (B,) bool. Where swap is true the old picture at that place is shown, and the new
    one takes its place; else the new one is shown and the pool stays. Lesson 06.
    """
    wide = swap.view(-1, *(1 for _ in new.shape[1:]))
    old = pool[places]
    shown = torch.where(wide, old, new)
    return shown, pool.index_copy(0, places, torch.where(wide, new, old))


# ------------------------------------------------------------------------- the networks


class Residual(nn.Module):
    """x + two 3x3 convolutions of it, with reflected borders."""

    def __init__(self, channels: int):
        super().__init__()
        layers = []
        for active in (nn.ReLU(), nn.Identity()):
            layers += [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3)]
            layers += [norm(channels, affine=False), active]
        self.net = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return x + self.net(x)


class ResnetGenerator(nn.Module):
    """Pictures (B, 3, S, S) to pictures (B, 3, S, S) in [-1, 1].

    7x7 convolution, two that halve, `blocks` residual blocks, two that double, 7x7.
    11,378,179 weights with 9 blocks and base 64, 7,837,699 with 6 (the paper's for
    pictures of 128 pixels and less). S is a multiple of 4.
    """

    def __init__(self, base=64, blocks=9):
        super().__init__()
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, base, 7)]
        layers += [norm(base, affine=False), nn.ReLU()]
        for width in (base, 2 * base):
            layers += [nn.Conv2d(width, 2 * width, 3, 2, 1)]
            layers += [norm(2 * width, affine=False), nn.ReLU()]
        layers += [Residual(4 * base) for _ in range(blocks)]
        for width in (2 * base, base):
            layers += [nn.ConvTranspose2d(2 * width, width, 3, 2, 1, 1)]
            layers += [norm(width, affine=False), nn.ReLU()]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(base, 3, 7), nn.Tanh()]
        self.net = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """The translation of x."""
        return self.net(x)


class PicturePool(nn.Module):
    """Translations of former rounds, shown to D among the new ones.

    size: pictures held, at least a batch's; shape: of one. Until it is full, new
    pictures are shown and kept. Then each is shown, or exchanged for an old one, with
    probability 1/2. Kept in checkpoints. exchange: the function above, or a learner's.
    Shrivastava et al. 2017; the paper's section 4.
    """

    def __init__(self, size=50, shape=(3, 256, 256), exchange: Callable = exchange):
        super().__init__()
        self.size, self.exchange = size, exchange
        self.register_buffer("pictures", torch.zeros(size, *shape))
        self.register_buffer("held", torch.zeros((), dtype=torch.int64))

    def forward(self, new: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """(B, C, H, W) to what D is shown, as many. ValueError for a larger batch."""
        count, device = len(new), new.device
        if count > self.size:
            raise ValueError(f"a pool of {self.size} can't take a batch of {count}")
        draw = partial(torch.rand, device=device, generator=generator)
        coin, order = draw(count) < 0.5, draw(self.size).argsort()[:count]
        in_turn = self.held + torch.arange(count, device=device)
        full = self.held >= self.size
        places = torch.where(full, order, in_turn % self.size)
        shown, pool = self.exchange(new, self.pictures, places, coin & full)
        first = ~full & (in_turn < self.size)  # those that are kept as they come
        row = torch.where(first.view(-1, 1, 1, 1), new, pool[places])
        self.pictures = pool.index_copy(0, places, row)
        self.held = (self.held + count).clamp_max(self.size)
        return shown


# --------------------------------------------------------------------------- the system


class CycleGan(System):
    """The game on two domains: a batch's image holds x and y, 6 channels.

    domains: a name in DOMAINS, of x and y. cycle: lambda of the way there and back, 0
    for none; identity: how much, times `cycle`, a generator is to leave what is of its
    target domain already as it is (0.5 in the paper's release). pool: pictures a
    domain. rates: (generators', discriminators'); they fall to 0 in the second half of
    `steps`. turn, exchange: `generators_turn` and `exchange`, or a learner's own.
    ValueError for names and sizes that don't exist. Slide GM-23; lesson 06.
    """

    players = ("generators", "discriminators")
    averaged = ("generators",)  # ours: the paper draws with the last weights
    average_decay = 0.99

    def __init__(self, size=256, base=64, blocks=9, depth=64, layers=3, steps=240_000,
                 domains="wings", cycle=10.0, identity=0.0, pool=50,
                 rates=(2e-4, 2e-4), turn: Callable = generators_turn,
                 exchange: Callable = exchange):  # fmt: skip
        super().__init__()
        if domains not in DOMAINS:
            there = ", ".join(DOMAINS)
            raise ValueError(f"No domains {domains!r}; there are {there}.")
        check_multiple(size, 4, 16)
        self.domains, self.steps, self.turn = domains, steps, turn
        self.cycle, self.identity, self.reads = cycle, identity, (6, size, size)
        self.rates = dict(zip(self.players, rates))
        self.generators = nn.ModuleDict(
            {to: initialize(ResnetGenerator(base, blocks)) for to in ("to_y", "to_x")}
        )
        self.discriminators = nn.ModuleDict(
            {
                of: initialize(PatchDiscriminator(3, depth, layers, affine=False))
                for of in ("x", "y")
            }
        )
        self.pools = nn.ModuleDict(
            {of: PicturePool(pool, (3, size, size), exchange) for of in ("x", "y")}
        )
        self.to(memory_format=torch.channels_last)

    def learning_rate_factor(self, step: int) -> float:
        """1 in the first half of the steps, then down to 0 along a line."""
        half = self.steps // 2
        return min(1.0, max((self.steps - step) / (self.steps - half), 0.0))

    def round(self, batch) -> Iterator[tuple[str, Tensor]]:
        """Both generators' turn, then both discriminators', who see the pools' too."""
        x, y = batch.image.chunk(2, 1)
        to_y, to_x = self.generators["to_y"], self.generators["to_x"]
        d_x, d_y = self.discriminators["x"], self.discriminators["y"]
        loss, fake_y, fake_x = self.turn(x, y, to_y, to_x, d_x, d_y, self.cycle)
        if self.identity:
            same = F.l1_loss(to_y(y), y) + F.l1_loss(to_x(x), x)
            loss = loss + self.identity * self.cycle * same
        yield "generators", loss
        loss = 0.0
        for d, real, fake, of in ((d_x, x, fake_x, "x"), (d_y, y, fake_y, "y")):
            shown = self.pools[of](fake.detach(), self.rng)
            both = least_squares(d(real), 1.0) + least_squares(d(shown), 0.0)
            loss = loss + both / 2
        yield "discriminators", loss

    @torch.no_grad()
    def sample(self, pictures: Tensor, to: str = "y") -> Tensor:
        """Translations in [-1, 1] of pictures (B, 3, S, S), by the averaged weights.

        to: the domain to arrive in, "y" or "x".
        """
        return self.network("generators")[f"to_{to}"].eval()(pictures)


def unpaired(source, settings) -> Pairs:
    """Birds of both domains, no bird in both."""
    return Pairs(source, settings.get("domains", "wings"), paired=False)


SYSTEMS = {
    "cyclegan": SystemInfo(
        CycleGan,
        "06",
        "CycleGAN: plain wings to barred ones, and back, without pairs",
        {"birds": {}},
        draws="",
        wrap=unpaired,
        measures={"birds": "t2i_course.measure.translation:of_domains"},
    )
}
# Only averaged generators ship (t2i reproduce 06 makes them). Of wings also two that
# show what fails: by the game alone, and with the cycle and no identity.
SHIPPED = {
    name: Network(
        partial(CycleGan.from_preset, "cpu", domains=domains),
        "birds",
        "cyclegan",
        part=attrgetter("generators"),
    )
    for name, domains in {
        **{f"cyclegan_{domains}": domains for domains in DOMAINS},
        "cyclegan_wings_game": "wings",
        "cyclegan_wings_cycle": "wings",
    }.items()
}
