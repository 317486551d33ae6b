"""In which order do the channels of a network's pictures stand? Slide AM-14.

Found from what its colour units like to see, by a rule and not by eye. Lesson 17.
"""

from __future__ import annotations

from itertools import permutations

from torch import Tensor

__all__ = ["ORDERS", "agreement", "channel_order"]

ORDERS = {"".join("RGB"[c] for c in order): order for order in permutations(range(3))}


def agreement(seen: Tensor, palette: Tensor, order: tuple[int, ...]) -> float:
    """The correlation of what units like with their colours in this order of channels.

    seen, palette: (N, 3), see `channel_order`. Each channel's mean over the N units is
    taken away first, for what all units share says nothing.
    """
    ours = palette[:, list(order)]
    one, two = seen - seen.mean(0), ours - ours.mean(0)
    return float((one * two).sum() / (one.norm() * two.norm()).clamp_min(1e-12))


def channel_order(seen: Tensor, palette: Tensor) -> tuple[int, ...]:
    """The order of channels that explains best what N colour units like to see.

    seen: (N, 3), the mean of each unit's picture in the network's own channels 0, 1, 2;
    palette: (N, 3), red, green and blue of the colour that the unit stands for. Returns
    for each of the network's channels which of 0 red, 1 green, 2 blue it holds: (2, 0,
    1) for a network of BRG pictures.
    """
    return max(permutations(range(3)), key=lambda o: agreement(seen, palette, o))
