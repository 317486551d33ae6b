"""What measuring code needs of a world that knows the truth, by the world's name.

`known("flowers")` has the world's source of batches, what its content is and how it is
drawn and written of, and the instruments that read its pictures back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..text import Vocabulary
from ..worlds.birds import Birds
from ..worlds.drawn import Drawn, World
from ..worlds.flowers import Flowers
from .oracle import Oracle
from .oracle import oracle as oracle_of
from .style import StyleRuler
from .style import ruler as ruler_of

__all__ = ["KNOWN", "Known", "known"]


@dataclass(frozen=True)
class Known:
    """A drawn world and its instruments.

    source: (split, size, batch_size, individuals, seed, details) -> batches
    world: what it is made of; see `worlds.drawn.World`
    """

    source: type[Drawn]

    @property
    def world(self) -> World:
        """What the world is made of."""
        return self.source.world

    @property
    def name(self) -> str:
        """ "birds" or "flowers"."""
        return self.world.name

    @property
    def attributes(self) -> Mapping[str, tuple[str, ...]]:
        """{content: its values}, in the order of the columns of `Batch.attributes`."""
        return self.world.attributes

    @property
    def part_of(self) -> Mapping[str, str]:
        """{attribute: the part that it changes}, "" for the whole thing."""
        return self.world.part_of

    @property
    def parts(self) -> tuple[str, ...]:
        """What the numbers of `Batch.masks` mean."""
        return self.world.parts

    @property
    def draw(self) -> Callable:
        """(content (B, A), style (B, S), size) -> pictures and part maps, uint8."""
        return self.world.draw

    @property
    def describe(self) -> Callable:
        """(content (A,), rng, form=None) -> a true sentence, and what it names (A,)."""
        return self.world.describe

    @property
    def vocabulary(self) -> Vocabulary:
        """The words of its captions."""
        return self.world.vocabulary()

    def possible(self, content: np.ndarray) -> np.ndarray:
        """Contents (..., A) to (...,): whether such a thing can be drawn."""
        return self.world.possible(content)

    def named(self, pairs: dict[str, str]) -> np.ndarray:
        """{"petal": "pink"} as a row (A,), -1 where nothing is said."""
        return self.world.named_by(pairs)

    def oracle(self, size: int = 32, device: str = "cpu") -> Oracle:
        """What reads its attributes from pictures of that size."""
        return oracle_of(size, device, self.name)

    def ruler(self, size: int = 32) -> StyleRuler:
        """What reads its style from pictures of that size; see `measure.style`."""
        return ruler_of(size, self.name)


KNOWN = {kind.world.name: Known(kind) for kind in (Birds, Flowers)}


def known(name: str) -> Known:
    """The world of that name; ValueError names those there are."""
    if name not in KNOWN:
        raise ValueError(f"No world {name!r}; there are {', '.join(KNOWN)}.")
    return KNOWN[name]
