"""What the caption grammars of the drawn worlds share.

A caption is put together from phrases by one of many sentence forms; what it names is
recorded, so that a drawing can be held to it.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from random import Random

import numpy as np

from ..text.typing_errors import misspell

__all__ = ["BasePhrases", "row_of", "weighted", "with_slips"]


class BasePhrases:
    """Phrases about one drawing, by one random generator; notes what it named.

    content: (A,) whole numbers, in the order of `attributes`
    """

    attributes: Mapping[str, tuple[str, ...]]
    asides: tuple[str, ...]  # what people add that names nothing

    def __init__(self, content: np.ndarray, rng: Random):
        self.content, self.rng = content, rng
        self.index = {name: i for i, name in enumerate(self.attributes)}
        self.named = np.full(len(self.index), -1, np.int64)

    def one_of(self, options) -> str:
        """One of "a|b|c", or of a list."""
        options = options.split("|") if isinstance(options, str) else options
        return options[int(self.rng.random() * len(options))]

    def value(self, name: str) -> str:
        """The value of an attribute."""
        return self.attributes[name][self.content[self.index[name]]]

    def note(self, name: str) -> str:
        """The value of an attribute, now named."""
        self.named[self.index[name]] = self.content[self.index[name]]
        return self.value(name)

    def article(self, word: str) -> str:
        """With "a" or "an", which people may drop."""
        if self.rng.random() < 0.12:
            return word
        return ("an " if word[0] in "aeiou" else "a ") + word

    def listed(self, phrases: list[str]) -> str:
        """ "a, b and c", with the commas that people use or leave out."""
        if self.rng.random() < 0.06:
            phrases = [*phrases, self.one_of(self.asides)]
        if len(phrases) == 1:
            return phrases[0]
        comma = self.one_of(", |, |, | and |  ")
        last = self.one_of(" and | and |, and |, | as well as | with ")
        return comma.join(phrases[:-1]) + last + phrases[-1]


def weighted(weights: Mapping[str, float], count: int, rng: Random) -> list[str]:
    """`count` of the names, each with its weight, without repeats."""
    keys = {k: math.log(1 - rng.random()) / w for k, w in weights.items()}
    return sorted(keys, key=keys.get)[-count:]


def with_slips(
    describe: Callable, content: np.ndarray, seed: Iterable[int]
) -> tuple[str, np.ndarray]:
    """Sentence `seed` of a grammar, sometimes with a typing error or a full stop."""
    rng = Random("-".join(map(str, seed)))
    text, named = describe(content, rng)
    if rng.random() < 0.03:
        text = misspell(text, rng)
    return text + ("." if rng.random() < 0.3 else ""), named


def row_of(
    attributes: Mapping[str, tuple[str, ...]], pairs: dict[str, str]
) -> np.ndarray:
    """{"wing": "blue", "belly": "red"} as a row (A,), -1 where nothing is said.

    Raises ValueError for an attribute or value that this world does not have.
    """
    names = list(attributes)
    row = np.full(len(names), -1, np.int64)
    for name, value in pairs.items():
        if name not in attributes:
            raise ValueError(f"No attribute {name!r}; there are {', '.join(names)}.")
        if value not in attributes[name]:
            raise ValueError(
                f"{name} can't be {value!r}, only {', '.join(attributes[name])}."
            )
        row[names.index(name)] = attributes[name].index(value)
    return row
