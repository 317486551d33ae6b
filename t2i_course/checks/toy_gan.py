"""A GAN small enough to follow by hand: what the check of a round plays with.

Its noise is a table, and a class has one sentence, so that every loss of a round is
known exactly, however an answer draws its lots or how often it calls a network.
"""

from types import SimpleNamespace

import torch
from torch import nn

from .core import Wrong, expect_shape

__all__ = ["ToyGenerator", "ToySystem", "gradient", "play", "toy_batch", "watch"]


class ToyGenerator(nn.Module):
    """A generator small enough to follow by hand: noise (B, 2), text (B, 2)."""

    def __init__(self, noise_size=2):
        super().__init__()
        self.noise_size = noise_size
        rows = torch.arange(3.0 * (noise_size + 2), dtype=torch.float64).view(-1, 3)
        self.weight = nn.Parameter(torch.sin(1 + rows))

    def forward(self, noise, text):
        if noise.shape[1:] != (self.noise_size,) or text.shape[1:] != (2,):
            raise Wrong(
                "the generator gets the noise first, (B, noise_size), then the "
                "sentences, (B, D): generator(noise, text)."
            )
        if len(noise) != len(text):
            raise Wrong(
                "the generator gets another number of noise vectors than of sentences: "
                "draw one for each sentence asked for, the half-way ones included."
            )
        return (torch.cat([noise, text], 1) @ self.weight).tanh()


class ToyDiscriminator(nn.Module):
    """Looks at pictures (B, 3), then matches with text (B, 2).

    Like batch norm, the match subtracts the batch's mean: who is judged with whom
    matters.
    """

    def __init__(self):
        super().__init__()
        rows = torch.arange(15, dtype=torch.float64).view(5, 3)
        self.weight = nn.Parameter(torch.cos(1 + 2 * rows))

    def features(self, pictures):
        return (pictures @ self.weight[:3]).tanh()

    def match(self, seen, text):
        score = (seen * (1 + text @ self.weight[3:])).sum(1)
        return score - score.mean()

    def forward(self, pictures, text):
        return self.match(self.features(pictures), text)


class ToySystem(nn.Module):
    """A system whose every draw is known, with what a round asks of one."""

    cls = interpolate = True

    def __init__(self, noise_size=2):
        super().__init__()
        self.generator = ToyGenerator(noise_size)
        self.discriminator = ToyDiscriminator()
        self.rng = torch.Generator().manual_seed(0)
        self.device = torch.device("cpu")

    def noise(self, *asked):
        size = self.generator.noise_size
        if not (len(asked) == 2 and all(isinstance(n, int) for n in asked)):
            raise Wrong(
                "noise is drawn by system.noise(count, size): two whole numbers, how "
                "many vectors, and how many numbers in each, "
                "system.generator.noise_size."
            )
        if asked[1] != size:
            turned = " (the two are exchanged: how many vectors comes first)"
            raise Wrong(
                "each noise vector has system.generator.noise_size numbers, the second "
                f"argument of system.noise{turned if asked[0] == size else ''}."
            )
        count = asked[0]
        return torch.sin(torch.arange(count * size, dtype=torch.float64)).view(
            count, size
        )

    def embed(self, batch):
        return batch.text.clone()


def toy_batch():
    """Four pictures of two kinds with their texts, small enough to follow by hand."""
    kinds = torch.tensor([4, 4, 6, 6])
    text = torch.tensor([[0.9, -0.4], [0.9, -0.4], [-0.7, 0.5], [-0.7, 0.5]])
    image = torch.cos(torch.arange(12.0)).view(4, 3)
    return SimpleNamespace(image=image.double(), text=text.double(), class_id=kinds,
                           tokens=kinds[:, None], lengths=torch.ones(4))  # fmt: skip


def gradient(loss, network):
    """The gradient of a loss in a toy network's weight; None where it has none."""
    found = torch.autograd.grad(
        loss, network.weight, retain_graph=True, allow_unused=True
    )
    return found[0]


def _player_and_loss(turn):
    """What a round yields, or Wrong."""
    if not (isinstance(turn, tuple) and len(turn) == 2 and isinstance(turn[0], str)):
        raise Wrong(
            'each yield gives two things: "discriminator" or "generator", and a loss.'
        )
    if turn[0] not in ("discriminator", "generator"):
        raise Wrong(
            f'there is no player {turn[0]!r}; they are "discriminator", "generator".'
        )
    return turn


def _own_gradient(loss, system, player, other, first):
    """The gradient of a turn's loss for the player whose turn it is, or Wrong."""
    learns = loss.requires_grad
    own = gradient(loss, getattr(system, player)) if learns else None
    if own is not None:
        return own
    if learns and first and gradient(loss, getattr(system, other)) is not None:
        raise Wrong(
            f"the {player}'s turn gets a loss that only the {other} can learn from: "
            "are the two names, or the two losses, exchanged?"
        )
    raise Wrong(
        f"the {player}'s loss gives the {player} no gradient; is something detached "
        "that should not be?"
    )


def play(algorithm, turns_wanted=2):
    """What happens in a round of lesson 08's system; see `watch`."""
    system = ToySystem()
    return watch(system, algorithm(system, toy_batch()), turns_wanted)


def watch(system, turns, turns_wanted=2):
    """What happens in a round, turn by turn, with a step of the player after each.

    system: has a `generator` and a `discriminator`, each with one `weight`.
    Returns a list of (player, loss, its gradient for the player, whether the
    discriminator's loss also reaches the generator). Raises Wrong for what is no round.
    """
    seen = []
    if not hasattr(turns, "__next__"):
        raise Wrong(
            "the round should hand over its losses one at a time: `yield name, loss`, "
            "twice, in place of `return`."
        )
    for turn in turns:
        player, loss = _player_and_loss(turn)
        expect_shape(loss, (), f"the {player}'s loss")
        other = "generator" if player == "discriminator" else "discriminator"
        network = getattr(system, player)
        own = _own_gradient(loss, system, player, other, first=not seen)
        leaks = (
            other == "generator" and gradient(loss, getattr(system, other)) is not None
        )
        seen.append((player, loss.detach(), own, leaks))
        # not in place: a loss worked out too early shall reach its diagnosis
        network.weight.data = network.weight.data - 0.5 * own
        if len(seen) > turns_wanted:
            raise Wrong("a round has two turns, but here are more.")
    return seen
