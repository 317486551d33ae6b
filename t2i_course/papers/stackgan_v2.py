"""StackGAN++: a tree of generators, a judge at each scale (lesson 10).

Zhang, Xu, Li, Zhang, Wang, Huang, Metaxas: StackGAN++: Realistic Image Synthesis with
Stacked Generative Adversarial Networks, TPAMI 2018 (its StackGAN-v2); slides TM-17 to
TM-19. One generator draws small, middling and large pictures at once, from features
that grow. A discriminator of its own looks at each size, and asks two questions: is
this a picture, and does it fit the sentence?
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import check_size, initialize
from ..declarations import Network, SystemInfo
from ..training import System
from .gan_cls import (
    READER,
    discriminator_loss,
    generator_loss,
    judged_together,
    mismatched,
)
from .stackgan import (  # the same authors' second paper builds on their first
    ConditioningAugmentation,
    Discriminator,
    StackGan,
    kl_to_standard,
)

__all__ = [
    "LAYOUTS", "PRESETS", "GatedAugmentation", "StackGanTree", "StackGanTreeAlone",
    "Tree", "branch_features", "colour_consistency", "colours", "gated",
    "joint_discriminator_loss", "painters_loss",
]  # fmt: skip

# "paper": the networks, batch, rates and schedule of the authors' release for birds
# (github.com/hanzhanggit/StackGAN-v2). What differs from it, at every preset:
# - the first weights are DCGAN's (`blocks.initialize`); there they are orthogonal;
# - a wrong pair is a picture with a sentence of another class, as in `gan_cls.py`;
#   there it is another picture with the sentence, and the unconditional head is shown
#   that picture as one more real one;
# - wrong and drawn pairs count half each; there all six terms are summed;
# - right, wrong and drawn pairs are judged in one batch (`judged_together`);
# - smaller real pictures are means of squares of pixels; there they are resized crops;
# - the augmentation gives log sigma; there its second half is log sigma^2.
# The release also puts averaged weights in the generator's place at each snapshot, by
# mistake; here averaged weights only draw.
PRESETS = {
    "smoke": {"size": 64, "scales": 3, "base": 8, "depth": 4, "blocks": 1,
              "condition": 8, "z_size": 16, "embedding": 256, "batch_size": 8,
              "steps": 4},
    "cpu": {"size": 64, "scales": 3, "base": 32, "depth": 16, "judge": 256, "blocks": 1,
            "condition": 64, "z_size": 100, "embedding": 256, "kl": 0.1,
            "rates": (5e-4, 2e-3), "batch_size": 32, "steps": 1200},
    "gpu": {"size": 128, "scales": 3, "base": 64, "depth": 48, "blocks": 2,
            "condition": 128, "z_size": 100, "embedding": 256, "kl": 0.1,
            "batch_size": 32, "steps": 20_000},
    "paper": {"size": 256, "scales": 3, "base": 64, "depth": 64, "blocks": 2,
              "condition": 128, "z_size": 100, "embedding": 1024, "batch_size": 24,
              "steps": 600 * 368},
}  # fmt: skip
TEXTS_OWN = ("condition", "embedding", "kl", "judge")  # nothing without sentences
# Where the branches stand and what they draw: table 5 of the paper, slide TM-19. The
# slide gives sizes and no more. Ours: features go through all of F_0 to F_m-1 in each
# layout; "three tops" are three last layers, each with a judge of its own; "level" has
# all doublings in F_0, whose channels are halved on to those of the last branch.
LAYOUTS = {
    "tree": "each branch twice as large as the one before",
    "top": "the last branch alone, at full depth",
    "three tops": "as many last branches as scales, on the same features",
    "level": "all branches at full size",
}


# ------------------------------------------------------------------------- the networks


def gated(x: Tensor) -> Tensor:
    """The first half of the channels, each times the sigmoid of one of the second.

    x: (B, 2 C, ...) to (B, C, ...): a gated linear unit, in place of a ReLU. Dauphin et
    al. 2017; lesson 10.
    """
    value, gate = x.chunk(2, 1)
    return value * gate.sigmoid()


class Gated(nn.Module):
    """`gated` as a layer; gate: the function, which may be replaced by one's own."""

    gate = staticmethod(gated)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 2 C, ...) to (B, C, ...)."""
        return self.gate(x)


def convolved(inside: int, outside: int) -> list[nn.Module]:
    """A 3x3 convolution to twice the channels, batch norm, and the gates."""
    wide = 2 * outside
    conv = nn.Conv2d(inside, wide, 3, 1, 1, bias=False)
    return [conv, nn.BatchNorm2d(wide), Gated()]


def doubled(inside: int, outside: int) -> list[nn.Module]:
    """Twice the size by repeating pixels, then `convolved`."""
    return [nn.Upsample(scale_factor=2, mode="nearest"), *convolved(inside, outside)]


class Residual(nn.Module):
    """x plus two convolutions of it; no activation after the sum."""

    def __init__(self, channels: int):
        super().__init__()
        last = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        layers = [*convolved(channels, channels), last, nn.BatchNorm2d(channels)]
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return x + self.body(x)


class GatedAugmentation(ConditioningAugmentation):
    """Conditioning augmentation behind a gated linear layer."""

    def __init__(self, embedding=1024, condition=128, augment="drawn"):
        super().__init__(embedding, condition, augment)
        wide = 2 * (condition + self.noise_size)
        self.project = nn.Sequential(nn.Linear(embedding, wide), Gated())


class First(nn.Sequential):
    """F_0: numbers (B, told) to features (B, channels, side, side)."""

    def __init__(self, told: int, channels: int, side: int):
        steps = (side // 4).bit_length() - 1
        wide = channels << steps
        layers = [nn.Linear(told, 32 * wide, bias=False), nn.BatchNorm1d(32 * wide)]
        layers += [Gated(), nn.Unflatten(1, (wide, 4, 4))]
        for step in range(steps):
            layers += doubled(wide >> step, wide >> step + 1)
        super().__init__(*layers)


class Joined(nn.Conv2d):
    """A 3x3 convolution of features with told numbers behind them, at each place.

    What is told is the same everywhere, and so is its convolution but at the border:
    it is worked out on 3 x 3 places, the corners, sides and middle, and stretched. The
    same sums as of `everywhere(features, told)`, in less than half the time.
    """

    def __init__(self, inside: int, told: int, outside: int):
        super().__init__(inside + told, outside, 3, padding=1, bias=False)
        self.inside = inside

    def forward(self, features: Tensor, told: Tensor) -> Tensor:
        """(B, inside, H, W) and (B, told) to (B, outside, H, W)."""
        places = told[:, :, None, None].expand(-1, -1, 3, 3)
        said = F.conv2d(places, self.weight[:, self.inside :], padding=1)
        seen = F.conv2d(features, self.weight[:, : self.inside], padding=1)
        return seen + stretched(said, *seen.shape[2:])


def stretched(maps: Tensor, height: int, width: int) -> Tensor:
    """Maps (B, C, 3, 3) to (B, C, height, width): the middle is repeated."""
    first, middle, last = maps.split(1, 2)
    maps = torch.cat([first, middle.expand(-1, -1, height - 2, -1), last], 2)
    first, middle, last = maps.split(1, 3)
    return torch.cat([first, middle.expand(-1, -1, -1, width - 2), last], 3)


class Next(nn.Module):
    """F_i: features (B, C, s, s), told (B, told) once more, to (B, C / 2, 2 s, 2 s).

    grows: False keeps size and channels.
    """

    def __init__(self, told: int, channels: int, blocks: int, grows: bool = True):
        super().__init__()
        self.join = Joined(channels, told, 2 * channels)
        layers = [nn.BatchNorm2d(2 * channels), Gated()]
        layers += [Residual(channels) for _ in range(blocks)]
        layers += doubled(channels, channels // 2) if grows else []
        self.body = nn.Sequential(*layers)

    def forward(self, features: Tensor, told: Tensor) -> Tensor:
        """What the branch's generator draws from."""
        return self.body(self.join(features, told))


def branch_features(first, others, z: Tensor, c: Tensor | None = None) -> list[Tensor]:
    """h_0, h_1, ..., h_m-1: eq. (7), and as text converts it; slides TM-17, TM-18.

    h_0 = F_0(c, z) and h_i = F_i(h_i-1, c); without c it is z that each F_i gets.
    """
    told = z if c is None else c
    found = [first(z if c is None else torch.cat([c, z], 1))]
    for branch in others:
        found.append(branch(found[-1], told))
    return found


class Tree(nn.Module):
    """Noise (B, noise_size) and text (B, embedding) to pictures at each scale.

    size: of the largest picture; scales: branches, each twice as large as the one
    before. base: channels at the smallest scale; layout: a key of LAYOUTS. The noise is
    z, then conditioning augmentation's eps. embedding: None is a tree that reads no
    text. 21,239,696 weights at paper size, without text 16,472,208. TM-17.
    """

    def __init__(self, size=256, scales=3, base=64, blocks=2, z_size=100,
                 embedding: int | None = 1024, condition: int | None = 128,
                 layout="tree"):  # fmt: skip
        super().__init__()
        if layout not in LAYOUTS:
            raise ValueError(f"layout is one of {', '.join(LAYOUTS)}, not {layout!r}.")
        check_size(size >> (scales - 1), least=16)
        self.size, self.z_size, self.layout = size, z_size, layout
        self.noise_size, self.augmentation, told = z_size, None, z_size
        if embedding is not None:
            self.augmentation = GatedAugmentation(embedding, condition)
            self.noise_size, told = z_size + self.augmentation.noise_size, condition
        rest, level = scales - 1, layout == "level"
        channels = base >> rest if level else base
        read = z_size if embedding is None else z_size + condition
        self.first = First(read, channels, size if level else size >> rest)
        self.others = nn.ModuleList(
            Next(told, channels if level else base >> i, blocks, grows=not level)
            for i in range(rest)
        )
        wide = [channels] * scales if level else [base >> i for i in range(scales)]
        wide = {"top": wide[-1:], "three tops": wide[-1:] * scales}.get(layout, wide)
        self.to_pictures = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c, 3, 3, 1, 1, bias=False), nn.Tanh()) for c in wide
        )
        small = [size >> i for i in range(rest, -1, -1)]
        self.sizes = small if layout == "tree" else [size] * len(wide)

    def draw(self, noise: Tensor, text: Tensor | None = None):
        """Pictures in [-1, 1], a tensor a branch; and the mu and log sigma of c."""
        z, eps = noise[:, : self.z_size], noise[:, self.z_size :]
        if self.augmentation is None:
            return self.branches(None, z), None, None
        c, mean, log_sigma = self.augmentation(text, eps)
        return self.branches(c, z), mean, log_sigma

    def features(self, c: Tensor | None, z: Tensor) -> list[Tensor]:
        """h_0, h_1, ..., of conditions (B, condition) and noise (B, z_size)."""
        return branch_features(self.first, self.others, z, c)

    def branches(self, c: Tensor | None, z: Tensor) -> list[Tensor]:
        """The pictures s_i = G_i(h_i), eq. (8), of conditions and noise."""
        found = self.features(c, z)
        if self.layout in ("top", "three tops"):
            found = [found[-1]] * len(self.to_pictures)
        return [make(h) for make, h in zip(self.to_pictures, found)]

    def paint(self, c: Tensor | None, z: Tensor) -> Tensor:
        """The largest pictures of conditions (B, condition) and noise (B, z_size)."""
        return self.branches(c, z)[-1]

    def forward(self, noise: Tensor, text: Tensor | None = None) -> Tensor:
        """The largest pictures alone."""
        return self.draw(noise, text)[0][-1]


# --------------------------------------------------------------------------- the losses


def joint_discriminator_loss(
    real: Tensor, drawn: Tensor, right: Tensor, fake: Tensor, wrong: Tensor
) -> Tensor:
    """Eq. (11) of one scale, from logits (B,) each: a scalar. Slide TM-18; lesson 10.

    real, drawn: of pictures alone, the unconditional loss. right (real picture, its
    sentence), fake (drawn picture, its sentence), wrong (real picture, another
    sentence): the conditional loss. Wrong pairs aren't in the slide's equation; they
    are in the release, and without them D never learns what a sentence says. fake and
    wrong count half each.
    """
    return discriminator_loss(real, drawn) + discriminator_loss(right, fake, wrong)


def painters_loss(alone: Tensor, pairs: Tensor) -> Tensor:
    """Eqs. (10) and (12): the tree's loss, from logits (M, B) of M scales; a scalar.

    alone: of drawn pictures; pairs: of them with their sentences. The mean over a
    scale's pictures, the sum over scales. Slides TM-17, TM-18; lesson 10.
    """
    return (F.softplus(-alone) + F.softplus(-pairs)).mean(1).sum()


def colours(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Of each picture the mean colour (B, 3), and its pixels' covariance (B, 3, 3).

    pictures: (B, 3, H, W). The covariance divides by H * W. Lesson 10.
    """
    pixels = pictures.flatten(2)
    mean = pixels.mean(2)
    apart = pixels - mean[:, :, None]
    return mean, apart @ apart.mT / pixels.shape[2]


def colour_consistency(
    fine: Tensor, coarse: Tensor, covariances: float = 5.0
) -> Tensor:
    """How far two scales' colours are apart: a scalar. Lesson 10.

    fine (B, 3, H, W) and coarse (B, 3, h, w) show the same scenes. The mean squared
    error of their mean colours, plus `covariances` times that of their covariances. The
    coarse picture leads: no gradient reaches it. Zhang et al. 2018; as released.
    """
    (mean, spread), (mean_led, spread_led) = colours(fine), colours(coarse.detach())
    means = F.mse_loss(mean, mean_led)
    return means + covariances * F.mse_loss(spread, spread_led)


# -------------------------------------------------------------------------- the systems


class StackGanTree(StackGan):
    """The tree and its judges: pictures from sentences; eqs. (7) to (12).

    joint: False leaves the judges' unconditional heads out (the table's "no JCU").
    colour: the weight of colour consistency between neighbouring branches; 50 in the
    paper where no text is read, and 0 where it is, since the text says the colours. kl,
    rates as `StackGan`; sizes and layout as `Tree`; depth, judge as `Discriminator`.
    """

    players = (*(f"discriminators.{i}" for i in (1, 2, 3)), "generator")
    reads_text = True
    Tree = Tree  # a subclass may bring its own
    judged = staticmethod(joint_discriminator_loss)
    painted = staticmethod(painters_loss)
    consistent = staticmethod(colour_consistency)

    def __init__(self, text_encoder: nn.Module | None = None, size=256, scales=3,
                 base=64, depth=64, blocks=2, z_size=100, embedding=1024, condition=128,
                 layout="tree", joint=True, colour=0.0, kl=2.0, rates=(2e-4, 2e-4),
                 judge=None):  # fmt: skip
        System.__init__(self)
        if not self.reads_text:
            embedding = condition = None
        self.text_encoder, self.kl, self.colour = text_encoder, kl, colour
        self.reads = (3, size, size)
        tree = self.Tree(
            size, scales, base, blocks, z_size, embedding, condition, layout
        )
        self.put(tree, depth, condition, judge, joint, rates)

    def put(self, tree, depth, condition, judge, joint, rates) -> None:
        """Put the tree in its place, and before each size that it draws a judge."""
        self.generator = initialize(tree).to(memory_format=torch.channels_last)
        judges = {
            str(i): initialize(Discriminator(side, depth, condition, judge, joint))
            for i, side in enumerate(tree.sizes, start=1)
        }
        judges = nn.ModuleDict(judges).to(memory_format=torch.channels_last)
        self.discriminators = judges
        self.players = (*(f"discriminators.{i}" for i in judges), "generator")
        self.rates = dict.fromkeys(self.players, rates[0]) | {"generator": rates[1]}

    def learning_rate_factor(self, step: int) -> float:
        """The rates stay as they are."""
        return 1.0

    def real(self, pictures: Tensor) -> list[Tensor]:
        """Real pictures at each branch's size, a pixel the mean of a square of them."""
        side = pictures.shape[-1]
        return [
            pictures if size == side else F.avg_pool2d(pictures, side // size)
            for size in self.generator.sizes
        ]

    def round(self, batch) -> Iterator[tuple[str, Tensor]]:
        """Each judge's turn at its own scale, then the tree's; one drawing for all."""
        text = self.embed(batch) if self.reads_text else None
        noise = self.noise(len(batch), self.generator.noise_size)
        drawn, mean, log_sigma = self.generator.draw(noise, text)
        c, wrong = None, None
        if self.reads_text:
            c = self.heard(text, mean)
            wrong = c[mismatched(batch.class_id, self.rng)]
        looked, judges = [], self.discriminators.values()
        for name, d, real, made in zip(
            self.players, judges, self.real(batch.image), drawn
        ):
            seen = d.features(real)  # one look serves both sentences, and both turns
            looked.append(seen.detach())
            made = d.features(made.detach())
            yield name, self.judges_loss(d, seen, made, c, wrong)
        turns = [
            self.asked(d, seen, d.features(made), mean, c, wrong)
            for d, seen, made in zip(judges, looked, drawn)
        ]
        loss = self.tree_loss(turns, drawn, mean, log_sigma)
        yield "generator", self.with_more(loss, drawn[-1], text, batch)

    def judges_loss(self, d, seen: Tensor, made: Tensor, c, wrong) -> Tensor:
        """One judge's loss, by the heads that it has, of what it saw in pictures."""
        alone = () if d.real is None else (d.alone(seen), d.alone(made))
        if d.judge is None:
            return discriminator_loss(*alone)
        right, wrong, fake = judged_together(d, (seen, c), (seen, wrong), (made, c))
        if not alone:
            return discriminator_loss(right, fake, wrong)
        return self.judged(*alone, right, fake, wrong)

    def asked(self, d, seen: Tensor, made: Tensor, mean, c, wrong) -> list[Tensor]:
        """A judge's logits of drawn pictures, one (B,) from each head that it has.

        In the tree's turn mu is not detached, as released: what the judge makes of it
        teaches the augmentation, too.
        """
        found = [] if d.real is None else [d.alone(made)]
        if d.judge is not None:
            *_, fake = judged_together(d, (seen, c), (seen, wrong), (made, mean))
            found.append(fake)
        return found

    def tree_loss(self, turns, drawn, mean, log_sigma) -> Tensor:
        """The generator's loss: each scale's, the KL and the colours."""
        heads = [torch.stack(logits) for logits in zip(*turns)]
        if len(heads) == 2:
            loss = self.painted(*heads)
        else:
            loss = len(turns) * generator_loss(heads[0])
        if log_sigma is not None:
            loss = loss + self.kl * kl_to_standard(mean, log_sigma)
        if self.colour:
            pairs = zip(drawn[1:], drawn[:-1])
            loss = loss + self.colour * sum(self.consistent(*p) for p in pairs)
        return loss

    def with_more(self, loss: Tensor, pictures: Tensor, text, batch) -> Tensor:
        """The generator's loss, and what a subclass asks of the largest pictures."""
        return loss


class StackGanTreeAlone(StackGanTree):
    """The same without sentences: F_i gets z again, and judges have one head."""

    reads_text = False
    presets = {
        name: {key: value for key, value in settings.items() if key not in TEXTS_OWN}
        | {"colour": 50.0}
        for name, settings in PRESETS.items()
    }  # fmt: skip

    @torch.no_grad()
    def sample(self, count: int) -> Tensor:
        """Pictures in [-1, 1] by the averaged tree."""
        noise = self.noise(count, self.generator.noise_size)
        return self.network("generator").eval()(noise)


SYSTEMS = {
    "stackgan_tree": SystemInfo(
        StackGanTree, "10", "StackGAN++: a tree of generators", {"birds": {}},
        parts=(READER,), draws="sentences",
    ),
    "stackgan_tree_alone": SystemInfo(
        StackGanTreeAlone, "10", "StackGAN++ without sentences", {"birds": {}},
    ),
}  # fmt: skip
SHIPPED = {  # in full, so that a changed preset leaves them as they are
    "stackgan_tree_64": Network(
        partial(
            StackGanTree, size=64, base=32, depth=16, judge=256, blocks=1,
            condition=64, embedding=256,
        ),
        "birds",
        "stackgan_tree",
        part=attrgetter("generator"),
        default=True,
    ),
    "stackgan_tree_alone_64": Network(
        partial(StackGanTreeAlone, size=64, base=32, depth=16, blocks=1),
        "birds",
        "stackgan_tree_alone",
        part=attrgetter("generator"),
        default=True,
    ),
}  # fmt: skip
