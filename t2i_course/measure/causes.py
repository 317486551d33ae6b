"""A unit whose nine favourite pictures mislead, though its cause is known.

In a collection of birds all those with one wing colour, and only these, stand in one
habitat. A unit that reads the colour and one that reads the habitat then love the same
pictures. Drawing a bird again with one thing changed shows which is which. Slide AM-1;
used in lesson 17.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..worlds.bird_drawing import draw_birds
from ..worlds.bird_species import ATTRIBUTES, individual_styles

__all__ = ["Collection", "collection", "misleading", "pictures_of", "top", "two_units",
           "without"]  # fmt: skip

NAMES = list(ATTRIBUTES)
WING, HABITAT = NAMES.index("wing"), NAMES.index("habitat")


class Collection:
    """Birds of chosen attributes: content (N, A), style, and pictures (N, 3, S, S)."""

    def __init__(self, content: np.ndarray, style: np.ndarray, size: int = 64):
        self.content, self.style, self.size = content, style, size
        self.pictures = pictures_of(content, style, size)

    def __len__(self) -> int:
        return len(self.content)


def pictures_of(content: np.ndarray, style: np.ndarray, size: int = 64) -> Tensor:
    """The drawings (N, 3, S, S) in [-1, 1] of these attributes and styles."""
    parts = [draw_birds(content[i : i + 64], style[i : i + 64], size)[0]
             for i in range(0, len(content), 64)]  # fmt: skip
    return torch.from_numpy(np.concatenate(parts)).float() / 127.5 - 1


def collection(colour: int, habitat: int, count: int = 400, seed: int = 0):
    """Birds, a half of them with wings of this colour in this habitat.

    The other half has other wings and other habitats; everything else is drawn by lot.
    """
    rng = np.random.default_rng((17, seed, colour, habitat))
    content = np.stack([rng.integers(len(v), size=count) for v in ATTRIBUTES.values()],
                       1)  # fmt: skip
    half = count // 2
    for column, value in ((WING, colour), (HABITAT, habitat)):
        values = len(ATTRIBUTES[NAMES[column]])
        content[:half, column] = value
        others = value + rng.integers(1, values, size=count - half)
        content[half:, column] = others % values
    return Collection(content, individual_styles(5000 + seed, count))


def two_units(colour: str, habitat: str) -> dict[str, tuple[str, int]]:
    """{"unit A", "unit B"}: (attribute, value) of the two that love the same birds."""
    return {"unit A": ("wing", ATTRIBUTES["wing"].index(colour)),
            "unit B": ("habitat", ATTRIBUTES["habitat"].index(habitat))}  # fmt: skip


@torch.inference_mode()
def readings(oracle, birds: Collection, attribute: str, value: int) -> Tensor:
    """(N,): the activation of a unit of the oracle at each bird."""
    return torch.cat([oracle(some)[attribute][:, value]
                      for some in birds.pictures.split(100)])  # fmt: skip


def top(activations: Tensor, count: int = 9) -> Tensor:
    """The numbers of the pictures that excite it most, the first one most."""
    return activations.argsort(descending=True)[:count]


def without(birds: Collection, rows: Tensor, attribute: str, seed: int = 0):
    """These birds again, with another value of one attribute and all else the same."""
    rng = np.random.default_rng((18, seed))
    column, values = NAMES.index(attribute), len(ATTRIBUTES[attribute])
    content = birds.content[rows.numpy()].copy()
    content[:, column] += rng.integers(1, values, size=len(content))
    content[:, column] %= values
    return Collection(content, birds.style[rows.numpy()], birds.size)


def misleading(oracle, unit: str, pairs, count: int = 400, seed: int = 0) -> dict:
    """The top nine of a unit, over collections; means, and what the unit follows.

    unit: "wing" or "habitat"; pairs: (colour, habitat) of each collection. Shares of
    the nine that have "the colour" and stand in "the habitat"; and by how much the
    unit's activation falls, where all else stays, without either.
    """
    rows = []
    for colour, habitat in pairs:
        birds = collection(colour, habitat, count, seed)
        value = colour if unit == "wing" else habitat
        every = readings(oracle, birds, unit, value)
        nine = top(every)
        content = birds.content[nine.numpy()]
        before = every[nine].mean()
        fall = {
            name: float(before - readings(oracle, without(birds, nine, name, seed),
                                          unit, value).mean())
            for name in ("wing", "habitat")
        }  # fmt: skip
        rows.append([
            float((content[:, WING] == colour).mean()),
            float((content[:, HABITAT] == habitat).mean()),
            fall["wing"], fall["habitat"],
        ])  # fmt: skip
    names = ("the colour", "the habitat", "falls without the colour",
             "falls without the habitat")  # fmt: skip
    return dict(zip(names, np.mean(rows, 0).round(4).tolist()))
