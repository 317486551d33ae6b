"""StackGAN's stage II: a sketch and its sentence, drawn larger (lesson 09).

The second half of the paper of `stackgan.py`; slides TM-15 and TM-16. Stage II looks at
stage I's picture, reads the text again with a conditioning augmentation of its own, and
mends and refines.
"""

from __future__ import annotations

from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import check_size, initialize
from ..declarations import Network, Part, SystemInfo
from ..training import System
from .gan_cls import READER, discriminator_loss, generator_loss
from .painter import ShakenGenerator
from .stackgan import (  # one paper in two files
    ConditioningAugmentation,
    Discriminator,
    StackGan,
    StageOne,
    doubled,
    everywhere,
)

__all__ = [
    "PRESETS", "StackGanTwo", "StageTwo", "joint_discriminator_loss", "second_look",
]  # fmt: skip

# "paper": as in `stackgan.py`. Stage I rests in evaluation mode while stage II learns;
# in both releases its batch norm goes on.
PRESETS = {
    "smoke": {"size": 64, "base": 4, "depth": 4, "blocks": 1, "condition": 16,
              "embedding": 256, "batch_size": 8, "steps": 4},
    "cpu": {"size": 64, "base": 32, "depth": 16, "judge": 256, "blocks": 2,
            "condition": 128, "embedding": 256, "kl": 0.1, "rates": (5e-4, 2e-3),
            "batch_size": 32, "steps": 800},
    "gpu": {"size": 128, "base": 64, "depth": 32, "blocks": 4, "condition": 128,
            "embedding": 256, "batch_size": 32, "steps": 20_000},
    "paper": {"size": 256, "base": 128, "depth": 64, "blocks": 4, "condition": 128,
              "embedding": 1024, "batch_size": 64, "steps": 600 * 138},
}  # fmt: skip


# ------------------------------------------------------------------------- the networks


class Residual(nn.Module):
    """ReLU of x plus two 3x3 convolutions of it."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return F.relu(x + self.body(x))


def second_look(sketcher, refiner, noise: Tensor, text: Tensor):
    """Stage II's picture of stage I's sketch: G(G_0(z, c_0), c), TM-15; lesson 09.

    sketcher(noise, text) has a noise_size and rests; refiner(sketch, text, eps). noise:
    (B, N), first the sketcher's, then stage II's eps. Returns what the refiner does.
    """
    own = sketcher.noise_size
    with torch.no_grad():
        sketch = sketcher(noise[:, :own], text)
    return refiner(sketch, text, noise[:, own:])


def held_to(sketch: Tensor, made: Tensor, places: int) -> Tensor:
    """Pictures whose coarse colours are their sketches'; ours, not the paper's.

    sketch (B, 3, s, s), made (B, 3, S, S) to (B, 3, S, S) in [-1, 1]: where the two
    differ when shrunk to places x places, the difference is put on, stretched.
    """
    gap = F.adaptive_avg_pool2d(sketch, places) - F.adaptive_avg_pool2d(made, places)
    gap = F.interpolate(gap, made.shape[-2:], mode="bilinear", align_corners=False)
    return (made + gap).clamp(-1, 1)


class StageTwo(nn.Module):
    """A stage I, which rests, and what makes larger pictures of its sketches.

    The noise is stage I's, then an eps of stage II's own. The sketch goes down to a
    quarter of its width, takes the text in, passes `blocks` residual blocks and grows
    to size x size. reads: False leaves the text out of stage II; held: as `held_to`,
    None for the paper's. 26,290,080 weights at paper size without stage I. TM-15.
    """

    def __init__(self, sketcher: StageOne, size=256, base=128, blocks=4, embedding=1024,
                 condition=128, augment="drawn", reads=True,
                 held: int | None = None):  # fmt: skip
        super().__init__()
        check_size(size)
        if size <= sketcher.size:
            raise ValueError(
                f"Stage II makes pictures larger than its sketches of {sketcher.size} "
                f"pixels: size={2 * sketcher.size} or more, not {size}."
            )
        self.sketcher, self.size = sketcher.eval().requires_grad_(False), size
        self.held = held
        self.augmentation, more = None, 0
        if reads:
            self.augmentation = ConditioningAugmentation(embedding, condition, augment)
            more = condition
        own = self.augmentation.noise_size if reads else 0
        self.noise_size = sketcher.noise_size + own
        relu, norm, conv = nn.ReLU(), nn.BatchNorm2d, partial(nn.Conv2d, bias=False)
        self.look = nn.Sequential(
            conv(3, base, 3, 1, 1), relu,
            conv(base, 2 * base, 4, 2, 1), norm(2 * base), relu,
            conv(2 * base, 4 * base, 4, 2, 1), norm(4 * base), relu,
        )  # fmt: skip
        channels = 4 * base
        layers = [conv(channels + more, channels, 3, 1, 1), norm(channels), relu]
        layers += [Residual(channels) for _ in range(blocks)]
        for _ in range((size // (sketcher.size // 4)).bit_length() - 1):
            layers += doubled(channels, channels // 2)
            channels //= 2
        self.net = nn.Sequential(*layers, conv(channels, 3, 3, 1, 1), nn.Tanh())

    def train(self, mode: bool = True) -> StageTwo:
        """Training mode for stage II alone."""
        super().train(mode)
        self.sketcher.eval()
        return self

    def refine(self, sketch: Tensor, text: Tensor, eps: Tensor):
        """Sketches (B, 3, s, s) to pictures (B, 3, size, size), mu and log sigma."""
        seen, mean, log_sigma = self.look(sketch), None, None
        if self.augmentation is not None:
            c, mean, log_sigma = self.augmentation(text, eps)
            seen = everywhere(seen, c)
        made = self.net(seen)
        if self.held:
            made = held_to(sketch, made, self.held)
        return made, mean, log_sigma

    def sketch(self, noise: Tensor, text: Tensor) -> Tensor:
        """Stage I's pictures, from its part of the noise."""
        with torch.no_grad():
            return self.sketcher(noise[:, : self.sketcher.noise_size], text)

    def draw(self, noise: Tensor, text: Tensor):
        """Pictures in [-1, 1], and the mu and log sigma that they were drawn with."""
        return second_look(self.sketcher, self.refine, noise, text)

    def forward(self, noise: Tensor, text: Tensor) -> Tensor:
        """Pictures alone."""
        return self.draw(noise, text)[0]


# ---------------------------------------------------------------------------- the loss


def joint_discriminator_loss(pairs: tuple[Tensor, Tensor, Tensor],
                             alone: tuple[Tensor, Tensor]) -> Tensor:  # fmt: skip
    """Stage II's loss in the release, from logits (B,) each; lesson 09.

    pairs: real picture and right text, drawn and right, real and wrong; alone: real and
    drawn picture, whatever was said. What should be called real counts as the mean of
    two, what should not as the mean of three.
    """
    right, fake, wrong = pairs
    real, drawn = alone
    good = F.softplus(-right).mean() + F.softplus(-real).mean()
    bad = sum(F.softplus(logits).mean() for logits in (fake, wrong, drawn))
    return good / 2 + bad / 3


# -------------------------------------------------------------------------- the system


def drawing_part(sketcher: System | nn.Module) -> nn.Module:
    """The network that draws, of a system; a network itself."""
    return sketcher.network("generator") if isinstance(sketcher, System) else sketcher


class StackGanTwo(StackGan):
    """Stage II: a larger picture from stage I's sketch and the text; eqs. (5), (6).

    sketcher: a trained stage I, which rests: its system, or its network. reads: False
    leaves the text out of stage II's generator. unconditional: the judge's second head,
    as released. held: as `StageTwo`. Others as `StackGan`.
    """

    Refiner = StageTwo  # a subclass may bring its own

    def __init__(self, text_encoder: nn.Module | None = None,
                 sketcher: StackGan | StageOne | None = None, size=256, base=128,
                 depth=64, blocks=4, embedding=1024, condition=128, augment="drawn",
                 reads=True, unconditional=True, kl=2.0, rates=(2e-4, 2e-4),
                 judge=None, held=None):  # fmt: skip
        System.__init__(self)
        self.sketcher = StageOne() if sketcher is None else drawing_part(sketcher)
        made = self.Refiner(self.sketcher, size, base, blocks, embedding, condition,
                            augment, reads, held)  # fmt: skip
        for part in (made.look, made.net):
            initialize(part)
        heard = condition if reads else self.sketcher.augmentation.condition
        judges = Discriminator(size, depth, heard, judge, unconditional)
        self.build(text_encoder, made, judges, kl, rates)

    def learning_rate_factor(self, step: int) -> float:
        """Halved every 100 epochs of CUB's 138 steps, the first 100 whole."""
        return 0.5 ** (step // (100 * 138))

    def heard(self, text: Tensor, mean: Tensor | None) -> Tensor:
        """mu of stage II, or that of stage I where stage II reads nothing."""
        if mean is None:
            with torch.no_grad():
                mean, _ = self.generator.sketcher.augmentation.spread(text)
        return mean.detach()

    def judges_loss(self, pairs, seen: Tensor, made: Tensor) -> Tensor:
        """With the second head, where there is one."""
        d = self.discriminator
        if d.real is None:
            return discriminator_loss(*pairs)
        return joint_discriminator_loss(pairs, (d.alone(seen), d.alone(made)))

    def painters_loss(self, fake, made, mean, log_sigma) -> Tensor:
        """With the second head, where there is one."""
        loss = super().painters_loss(fake, made, mean, log_sigma)
        d = self.discriminator
        return loss if d.real is None else loss + generator_loss(d.alone(made))


def _misfit(sketcher, settings: dict) -> str:
    """Whether a stage I can stand below a stage II of these settings; "" if it can."""
    network = drawing_part(sketcher)
    reads, wanted = network.augmentation.project.in_features, settings["embedding"]
    if reads != wanted:
        return f"reads {reads} numbers of a sentence, this preset {wanted}"
    if network.size >= settings["size"]:
        return f"draws {network.size} pixels, this preset no more: {settings['size']}"
    return ""


SKETCHER = Part(
    "sketcher",
    "stackgan_1",
    called="stage I",
    option="sketcher",
    line="stand on the stage I of this checkpoint (made by t2i train stackgan_1)",
    unused="stands on no stage I",
    misfit=_misfit,
    also=("painter",),
)
SYSTEMS = {
    "stackgan_2": SystemInfo(
        StackGanTwo, "09", "StackGAN, stage II: the sketch drawn larger", {"birds": {}},
        parts=(READER, SKETCHER), draws="sentences",
    ),
}  # fmt: skip
SHIPPED_TWO = {"base": 32, "depth": 16, "judge": 256, "blocks": 2, "embedding": 256}


def _over_the_painter(text_encoder, sketcher=None) -> StackGanTwo:
    """Stage II from 64 pixels to 128; its sketcher is no stage I, but the painter."""
    return StackGanTwo(
        text_encoder, ShakenGenerator(), size=128, held=32, **SHIPPED_TWO
    )


SHIPPED = {
    "stackgan_64": Network(
        partial(StackGanTwo, size=64, **SHIPPED_TWO),
        "birds",
        "stackgan_2",
        part=attrgetter("generator"),
        default=True,
    ),
    "stackgan_128": Network(
        _over_the_painter, "birds", "stackgan_2", part=attrgetter("generator")
    ),
}
