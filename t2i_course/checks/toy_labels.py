"""A conditional GAN small enough to follow by hand: what check 05.3 plays with."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..papers import gan
from .core import Wrong
from .toy_gan import watch

__all__ = ["ROUND_ERRORS", "arguments", "play", "round_with"]

KINDS, COUNT = 3, 4


def _is_labels(value, count: int) -> bool:
    whole = isinstance(value, Tensor) and not value.is_floating_point()
    return whole and value.shape == (count, 1)


def _expect_handed_on(y: Tensor, whose: str) -> None:
    """Raises Wrong for labels of no slip that has a diagnosis of its own."""
    given = arguments_y()
    if not any(torch.equal(y, x) for x in (given, given.roll(1, 0), 0 * given)):
        raise Wrong(
            f"{whose} gets labels that are not the round's y: hand y on as it came. "
            "Drawn pictures are asked for with it, and D is told it of both kinds."
        )


def arguments_y() -> Tensor:
    """The labels of the toy's round, (4, 1)."""
    return torch.tensor([0, 1, 2, 1])[:, None]


class ToyGenerator(nn.Module):
    """Noise (B, 2) and labels (B, 1) to pictures (B, 3)."""

    def __init__(self):
        super().__init__()
        rows = torch.arange(15.0, dtype=torch.float64).view(5, 3)
        self.weight, self.calls = nn.Parameter(torch.sin(1 + rows)), 0
        self.heard = None  # the noise that it drew from last

    def forward(self, noise, y):
        self.calls += 1
        if not (isinstance(noise, Tensor) and noise.shape[1:] == (2,)):
            raise Wrong("the generator gets the noise first, then y: generator(z, y).")
        if not _is_labels(y, len(noise)):
            raise Wrong(
                "the generator gets y as it came, (B, 1), and joins "
                "it itself: generator(z, y)."
            )
        _expect_handed_on(y, "the generator")
        self.heard = noise.detach()
        both = torch.cat([noise, F.one_hot(y[:, 0], KINDS).to(noise)], 1)
        return (both @ self.weight).tanh()


class ToyDiscriminator(nn.Module):
    """Pictures (B, 3) and labels (B, 1) to logits (B,)."""

    def __init__(self):
        super().__init__()
        rows = torch.arange(9, dtype=torch.float64).view(KINDS, 3)
        self.weight = nn.Parameter(torch.cos(1 + 2 * rows))

    def forward(self, x, y):
        if not (isinstance(x, Tensor) and x.shape[1:] == (3,)):
            raise Wrong("the discriminator gets a picture first: discriminator(x, y).")
        if not _is_labels(y, len(x)):
            raise Wrong(
                "the discriminator gets y as it came, (B, 1), with the picture: "
                "discriminator(x, y)."
            )
        if len(x) != COUNT:
            raise Wrong(
                "the discriminator is shown another number of pictures than a "
                "minibatch has; real and drawn ones glued together? Call it once for "
                "each kind: what a layer keeps of its batches (batch norm, spectral "
                "norm) would change."
            )
        _expect_handed_on(y, "the discriminator")
        return (x * self.weight[y[:, 0]]).sum(1)


def arguments() -> dict:
    """A round's arguments, in order."""
    return {
        "generator": ToyGenerator(),
        "discriminator": ToyDiscriminator(),
        "real": torch.cos(torch.arange(12.0)).view(4, 3).double(),
        "y": arguments_y(),
        "z": torch.sin(torch.arange(8.0)).view(4, 2).double(),
    }


def play(algorithm):
    """What happens in a round, turn by turn; see `toy_gan.watch`."""
    given = arguments()
    system = SimpleNamespace(**given)
    seen = watch(system, algorithm(*given.values()))
    if system.generator.calls > 1:
        raise Wrong(
            f"the generator draws {system.generator.calls} times in a round. Once is "
            "enough, and its batch norm would count these pictures twice: keep `fake`, "
            "and give fake.detach() to D in D's own turn."
        )
    heard = system.generator.heard
    if heard is not None and not torch.allclose(heard.to(given["z"]), given["z"]):
        raise Wrong(
            "the generator draws from other noise than the round's z: is new noise "
            "drawn in the round? z has been drawn already; hand it on as it came, "
            "generator(z, y)."
        )
    return seen


def round_with(fresh=True, told="y", asked="y", hears="y", order="dg", swap=False,
               real_told="y", g_loss=gan.nonsaturating_loss, g_both=""):  # fmt: skip
    """The round with one thing done otherwise: the answers we know.

    asked: what G is asked for; real_told, told, hears: what D is told of the real
    pictures, of the drawn ones, and of these in G's turn. g_both: G's loss is D's, of
    the real pictures' logits, "old" or asked for anew, and the drawn ones'.
    """

    def algorithm(generator, discriminator, real, y, z):
        labels = {"y": y, "others": y.roll(1, 0), "nothing": torch.zeros_like(y)}
        fake = generator(z, labels[asked])

        def generators():
            if g_both:
                real_logits = logits[0] if g_both == "old" else discriminator(real, y)
                return gan.discriminator_loss(real_logits, discriminator(fake, y))
            return g_loss(discriminator(fake, labels[hears]))

        logits = [discriminator(real, labels[real_told])]
        logits.append(discriminator(fake.detach(), labels[told]))
        loss = gan.discriminator_loss(*reversed(logits) if swap else logits)
        early = generators()
        if order == "gd":
            yield "generator", early
        yield "discriminator", loss
        if order == "dg":
            yield "generator", generators() if fresh else early

    return algorithm


ROUND_ERRORS = {
    "the generator's loss is worked out before the discriminator has stepped; ask "
    "discriminator(fake, y) again after the first yield.": {"fresh": False},
    "the discriminator's loss gets its two logits swapped: real ones first.": {
        "swap": True
    },
    "the generator plays first; Algorithm 1's discriminator does.": {"order": "gd"},
    "the discriminator is told another label of the drawn pictures than they were "
    "asked with; it gets the same y.": {"told": "others"},
    "the generator is asked for other labels than D is told of; both get y.": {
        "asked": "others"
    },
    "in the generator's turn D is told other labels than G was asked for.": {
        "hears": "others"
    },
    "D is told nothing of the drawn pictures (a label of 0 for each): it needs y, for "
    "both kinds.": {"told": "nothing", "hears": "nothing"},
    "D is told nothing of y (a label of 0 for each picture): this is the GAN of lesson "
    "01 beside a generator that may ignore y.": {
        "told": "nothing",
        "hears": "nothing",
        "real_told": "nothing",
    },
    "this is the saturating loss for G, log(1 - D): nonsaturating_loss(logits) is "
    "ready.": {"g_loss": lambda logits: -nn.functional.softplus(logits).mean()},
    "the sign of the generator's loss is turned round: nonsaturating_loss(logits) is "
    "-log D already, what is to go down.": {
        "g_loss": lambda logits: -gan.nonsaturating_loss(logits)
    },
    "the generator gets the discriminator's loss on fakes: it would learn to be found "
    "out.": {"g_loss": lambda logits: nn.functional.softplus(logits).mean()},
    "in the generator's turn stands discriminator_loss: it teaches G to be found out "
    "(and G can't change how real pictures score). G's own loss is "
    "nonsaturating_loss(logits of the drawn ones).": {"g_both": "anew"},
    "in the generator's turn stands discriminator_loss, of the real logits of D's "
    "turn: G would learn to be found out. Its own is nonsaturating_loss(logits of the "
    "drawn ones).": {"g_both": "old"},
}
