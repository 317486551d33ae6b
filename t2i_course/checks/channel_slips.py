"""Slips of exercise 17.6: orders of channels, each found with one mistake."""

from __future__ import annotations

import math
from itertools import permutations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..inside.channels import channel_order

ORDERS = list(permutations(range(3)))


def centred(values: Tensor) -> Tensor:
    """Each channel's mean over the units is 0."""
    return values - values.mean(0)


def best(score, seen: Tensor, palette: Tensor) -> tuple[int, ...]:
    """The order whose palette `score` likes most beside `seen`."""
    return max(ORDERS, key=lambda o: float(score(seen, palette[:, list(o)])))


def product(one: Tensor, two: Tensor) -> Tensor:
    """The sum of products."""
    return (one * two).sum()


def by(score, prepared=None):
    """`best` by this score, of values that are prepared so."""
    ready = prepared or (lambda values: values)
    return lambda seen, palette: best(score, ready(seen), ready(palette))


def inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    """Where red, green and blue are, from what the channels are."""
    return tuple(order.index(colour) for colour in range(3))


def _table(seen: Tensor, palette: Tensor) -> Tensor:
    """(3, 3): how channel and colour go together."""
    return centred(seen).T @ centred(palette)


def _scaled(values: Tensor) -> Tensor:
    return centred(values) / values.std(0)


def alone(seen: Tensor, palette: Tensor) -> tuple[int, ...]:
    """Each channel's best colour, whatever the others take."""
    return tuple(_table(seen, palette).argmax(1).tolist())


def alone_scaled(seen: Tensor, palette: Tensor) -> tuple[int, ...]:
    """The same by correlations."""
    return alone(_scaled(seen), _scaled(palette))


def in_turn(seen: Tensor, palette: Tensor) -> tuple[int, ...]:
    """One channel after the other takes the best colour that is left."""
    table, taken = _table(seen, palette), []
    for row in table:
        row = row.clone()
        row[taken] = -math.inf
        taken.append(int(row.argmax()))
    return tuple(taken)


def in_turn_scaled(seen: Tensor, palette: Tensor) -> tuple[int, ...]:
    """The same by correlations."""
    return in_turn(_scaled(seen), _scaled(palette))


def greedy(seen: Tensor, palette: Tensor) -> tuple[int, ...]:
    """The best pair of all first, then the best of the rest."""
    table, order = _table(seen, palette).clone(), [0, 0, 0]
    for _ in range(3):
        channel, colour = divmod(int(table.argmax()), 3)
        order[channel] = colour
        table[channel], table[:, colour] = -math.inf, -math.inf
    return tuple(order)


def greedy_scaled(seen: Tensor, palette: Tensor) -> tuple[int, ...]:
    """The same by correlations."""
    return greedy(_scaled(seen), _scaled(palette))


def votes(one: Tensor, two: Tensor) -> Tensor:
    """How many units have their largest channel where their colour has it."""
    return (one.argmax(1) == two.argmax(1)).sum()


def by_means(seen: Tensor, palette: Tensor) -> tuple[int, ...]:
    """The brightest channel is the brightest colour, and so on."""
    return best(product, seen.mean(0, keepdim=True), palette.mean(0, keepdim=True))


def mixed(order, lift, seed: int, count: int = 12, mixing=None, noise: float = 0.03):
    """What units like and their colours: (N, 3) each; channels stand in this order.

    lift: what is added to each channel for all units. mixing: (3, 3), of which colours
    each channel has how much; without it each has its own, and noise.
    """
    if mixing is None:
        rng = torch.Generator().manual_seed(seed)
        palette = torch.rand(count, 3, generator=rng) * torch.tensor([0.6, 1.0, 0.8])
        seen = 0.5 * palette[:, list(order)]
        seen = seen + noise * torch.randn(count, 3, generator=rng)
    else:  # the corners of the cube: three colours that have nothing to do with others
        palette = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
        palette = palette + torch.tensor([0.0, 0.1, 0.25])
        seen = 0.5 * palette @ torch.tensor(mixing).T
    return seen + torch.tensor(lift), palette


LOW = (0.0, 0.0, 0.0)
_TWICE = [[1.0, 0.0, 0.0], [0.7, 0.5, 0.0], [0.0, 0.0, 1.0]]
_TURN = [[0.7, 0.5, 0.0], [1.0, 0.0, 0.1], [0.0, 0.1, 1.0]]
_PAIR = [[1.0, 0.0, 0.8], [0.0, 1.0, 0.0], [0.9, 0.8, 0.0]]


def orders() -> list[tuple[Tensor, Tensor]]:
    """What units like, in all six orders, and where channels hold other colours, too.

    Right ways (covariances, correlations, distances) agree on each.
    """
    lifts = [LOW, (0.4, 0.0, -0.4), (-0.5, 0.3, 0.1), (0.0, 0.5, 0.2)]
    made = [mixed(order, lifts[n % 4], seed=n + 1) for n, order in enumerate(ORDERS)]
    made.append(mixed((1, 2, 0), LOW, 117, noise=0.08))
    return made + [
        mixed(None, LOW, 0, mixing=mixing) for mixing in (_TWICE, _TURN, _PAIR)
    ]


def _apart(one: Tensor, two: Tensor) -> Tensor:
    return -(one - two).square().sum()


def _near(one: Tensor, two: Tensor) -> Tensor:
    return -(one - two).abs().sum()


CHANNELS = {
    "this is the inverse: where red, green and blue are. Asked for is, for each of the "
    "network's channels, which colour it holds: (2, 0, 1) for BRG.":
        lambda *g: inverse(channel_order(*g)),
    "each channel takes its best colour alone, and two may take the same; compare the "
    "six orders as wholes.": (alone, alone_scaled),
    "channels choose one after the other, and a later one gets what is left; compare "
    "the six orders as wholes.": (in_turn, in_turn_scaled),
    "the best pair of all is fixed first, and the others get what is left; compare the "
    "six orders as wholes.": (greedy, greedy_scaled),
    "this is the worst order; the best has the largest agreement, or the least "
    "distance.": (
        by(lambda a, b: -product(a, b), centred),
        by(lambda a, b: -_near(a, b), centred)),
    "what all units share is still in it, and decides: take each channel's mean over "
    "the units away first, seen - seen.mean(0). (A mean over a unit's own channels, or "
    "over all numbers, is the same for every order.)": (
        by(product), by(_near), by(_apart),
        by(lambda a, b: F.cosine_similarity(a, b).mean()),
        by(_near, lambda x: x - x.mean()),
        by(_near, lambda x: x - x.mean(1, keepdim=True)),
        by(lambda a, b: F.cosine_similarity(a, b).mean(),
           lambda x: x - x.mean(1, keepdim=True))),
    "only each unit's largest channel counts, and how much larger it is doesn't; "
    "compare all numbers, channel by channel.": (
        by(votes), by(votes, centred), by(votes, _scaled)),
    "only the channels' means are compared, and they say nothing of the order; compare "
    "unit by unit.": by_means,
    "values are sorted before they are compared, so that it is lost which unit likes "
    "which; compare unit by unit.": (
        by(product, lambda x: centred(x.sort(0).values)),
        by(_near, lambda x: centred(x.sort(0).values)),
        by(product, lambda x: x.sort(0).values),
        by(_near, lambda x: x.sort(0).values)),
    "colours are counted from 1; from 0 it is: 0 red, 1 green, 2 blue.":
        lambda *g: tuple(colour + 1 for colour in channel_order(*g)),
    "this is always RGB; compare all six orders, itertools.permutations(range(3)).":
        lambda *g: (0, 1, 2),
}  # fmt: skip
