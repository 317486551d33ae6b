"""A caption and a real bird: where each word looks, and how well it fits there.

`RegionLab` is plain Python and needs no browser; `RegionLab.widget` puts a text box, a
row of words to point at, a menu and a slider in front of it (see `attention_lab`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..data import Batch
from ..measure.birds import unseen_captions
from ..measure.word_tests import by_sentence
from ..show.attended import lit
from ..text import NoKnownWord, split_words
from ..worlds.birds import vocabulary
from .attention_lab import place_in, word_box

__all__ = ["START", "Found", "RegionLab"]

START = "a bird with violet wings and a brown breast"
BIRDS = 12


@dataclass
class Found:
    """What a caption's words find in a picture (3, S, S), or why nothing is looked for.

    words: T; maps: (T, H, W) of attention; fits: (T,) cosines; by_words, by_sentence:
    how well the caption fits as a whole; place: of the chosen word; notes: what is not
    understood of the caption (`Vocabulary.notes`).
    """

    picture: Tensor | None
    words: list[str]
    maps: Tensor | None = None
    fits: Tensor | None = None
    by_words: float = 0.0
    by_sentence: float = 0.0
    place: int = 0
    problem: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def sheet(self) -> Tensor:
        """The picture, and it lit by the chosen word: (2, 3, S, S)."""
        maps = self.maps[self.place, None]
        return torch.cat([self.picture[None], lit(self.picture[None], maps)])

    @property
    def line(self) -> str:
        """How well the words fit, the chosen one first; or the problem."""
        if self.picture is None:
            return self.problem
        each = ", ".join(f"{w} {f:.2f}" for w, f in zip(self.words, self.fits.tolist()))
        word, fit = self.words[self.place], self.fits[self.place]
        said = (
            f"'{word}' fits what it looks at by {fit:.2f}. All: {each}. The caption "
            f"fits by words {self.by_words:.2f}, as a sentence {self.by_sentence:.2f}."
        )
        return " ".join([said, *(f"{n[0].upper()}{n[1:]}." for n in self.notes)])


class RegionLab:
    """Encoders of words and regions, by name, before a few real birds."""

    def __init__(self, encoders: Mapping, seed: int = 0):
        self.encoders = {name: one.eval() for name, one in encoders.items()}
        size = next(iter(self.encoders.values())).size
        birds = unseen_captions(BIRDS, size, seed).to("cpu")
        self.pictures, self.captions = birds.image, birds.caption

    @torch.inference_mode()
    def view(self, caption: str = START, word: str | int | None = None, bird: int = 0,
             name: str = "") -> Found:  # fmt: skip
        """Where a caption's words look in one of the birds, and how well each fits.

        word: one of the caption's, or its place; None is the one that fits best.
        bird: 0 to 11; name: which encoders, the first by default.
        """
        try:
            tokens, lengths = vocabulary().encode([caption])
        except (NoKnownWord, TypeError) as error:
            return Found(None, [], problem=str(error))
        words = split_words(caption)[: tokens.shape[1]]
        picture = self.pictures[int(bird), None]
        asked = Batch(picture, [caption], tokens, lengths)
        one = self.encoders[name or next(iter(self.encoders))]
        scores = one.pairs_by_words(picture, asked), by_sentence(one, picture, asked)
        fits = one.each_word(picture, asked)[0]
        found = Found(picture[0], words, one.attend(picture, asked)[0], fits,
                      *map(float, scores))  # fmt: skip
        place = self._place(found, word)
        if place is None:
            why = f"The caption has no word {word!r}; it has {', '.join(words)}."
            return Found(None, words, problem=why)
        notes = vocabulary().notes([caption])
        return replace(found, place=place, notes=notes)

    @staticmethod
    def _place(found: Found, word: str | int | None) -> int | None:
        """Where a word stands; None where it doesn't."""
        if word is None:
            return int(found.fits.argmax())
        return place_in(found.words, word)

    def widget(self, caption: str = START):
        """The lab for a browser; its parts are attributes of the box, for tests."""

        def view(caption, word, name, bird):
            return self.view(caption, word, bird, name)

        return word_box(view, self.encoders, "bird", BIRDS - 1, 2, caption)
