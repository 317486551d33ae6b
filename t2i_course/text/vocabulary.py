"""From a sentence to numbers: words, their numbers, and what to do with unknown ones.

A sentence is cut into lower-case words; each word has a number, 0 is padding and 1 is
"unknown". A word that is not in the vocabulary but is a likely typing error of one that
is ("balck") is read as that word; real captions hold many.
"""

import difflib
import hashlib
import re
from functools import lru_cache

import torch
from torch import Tensor

__all__ = ["MAX_WORDS", "PAD", "UNKNOWN", "NoKnownWord", "Vocabulary", "split_words"]

PAD, UNKNOWN = 0, 1
MAX_WORDS = 32  # longer sentences are cut, as in the papers

# Words of real bird captions that look like a misspelt word of ours but are not.
NOT_ERRORS = frozenset(
    """brow brows eyebrow eyebrows tall talon talons bead wine wind back backs band
    bands pile bold beard behind bright light feather leather weather breath breadth
    gravy fray ready bred read bell bells bull bulls wring winds king rings ring crow
    crows drown brawn grown growth frown town shore sport shirt shot throw though
    through cheat heat lead dead heal heads boat blow below while what where there
    then them when were wear hear near dear year lone lone line like lake likes whole
    plan plane plant plants small smell tell toil wail nail nails rail""".split()
)


NEGATIONS = frozenset(
    "not no never without neither nor none nothing cannot isn aren hasn doesn".split()
)


class NoKnownWord(ValueError):
    """A caption in which not one word is known."""


def split_words(sentence: str) -> list[str]:
    """Lower-case words of a sentence; punctuation goes, hyphens separate."""
    if not isinstance(sentence, str):
        raise TypeError(
            f"A caption is a sentence in quotes (str), not {type(sentence).__name__}."
        )
    return re.findall(r"[a-z]+|\d+", sentence.lower().replace("'s ", " "))


def too_long(sentence: str) -> bool:
    """Whether a caption has more words than are read."""
    return len(split_words(sentence)) > MAX_WORDS


class Vocabulary:
    """The words that a text encoder knows; word i has number i + 2.

    words: distinct lower-case words
    correct: read likely typing errors as the word that was meant
    """

    def __init__(self, words: list[str], correct: bool = True):
        if len(set(words)) != len(words):
            raise ValueError("The words of a vocabulary must be distinct.")
        self.words = list(words)
        self.numbers = {word: i + 2 for i, word in enumerate(self.words)}
        self._near = lru_cache(maxsize=10_000)(self._find_near)
        self.correct = correct
        self._long = [word for word in self.words if len(word) >= 4]

    def __len__(self) -> int:
        return len(self.words) + 2

    @property
    def fingerprint(self) -> str:
        """Eight letters that change when any word does; weights remember it."""
        return hashlib.sha256(" ".join(self.words).encode()).hexdigest()[:8]

    def _find_near(self, word: str) -> str | None:
        if len(word) < 4 or word in NOT_ERRORS:
            return None
        found = difflib.get_close_matches(word, self._long, n=3, cutoff=0.79)
        found = [near for near in found if abs(len(near) - len(word)) <= 1]
        swapped = [near for near in found if sorted(near) == sorted(word)]
        return next(iter(swapped + found), None)

    def number(self, word: str) -> int:
        """A word's number; UNKNOWN if it is neither known nor a likely typing error."""
        number = self.numbers.get(word)
        if number is None and self.correct:
            number = self.numbers.get(self._near(word))
        return UNKNOWN if number is None else number

    def unknown(self, sentence: str) -> list[str]:
        """The words of a sentence that the vocabulary does not know."""
        return [w for w in split_words(sentence) if self.number(w) == UNKNOWN]

    def negations(self, sentence: str) -> list[str]:
        """The words of a sentence that deny something, and that it doesn't know."""
        found = [w for w in split_words(sentence) if w in NEGATIONS]
        return [w for w in found if self.number(w) == UNKNOWN]

    def notes(self, sentences: list[str]) -> list[str]:
        """What isn't understood of these captions, in words, a line each; [] if all is.

        Unknown words, denials, and words beyond the first MAX_WORDS.
        """
        read = [" ".join(split_words(s)[:MAX_WORDS]) for s in sentences]
        unknown = dict.fromkeys(w for s in read for w in self.unknown(s))
        denied = dict.fromkeys(w for s in read for w in self.negations(s))
        notes = []
        if words := [w for w in unknown if w not in denied]:
            notes.append(f"words it doesn't know: {', '.join(words[:8])}")
        if denied:
            notes.append(
                f"it doesn't understand {', '.join(map(repr, denied))}: what "
                "is denied may be drawn all the same"
            )
        long = [i for i, s in enumerate(sentences, 1) if too_long(s)]
        if long:
            which = f"of caption {', '.join(map(str, long[:8]))} "
            which = which if len(sentences) > 1 else ""
            notes.append(f"only the first {MAX_WORDS} words {which}are read")
        return notes

    def numbers_of(self, sentence: str) -> list[int]:
        """A sentence's word numbers, at most MAX_WORDS.

        Raises NoKnownWord for an empty caption or one with no known word, with the
        nearest words that are known; TypeError for what is not a string.
        """
        words = split_words(sentence)
        if not words:
            what = "is empty"
            if any(letter.isalpha() for letter in sentence):
                what = "isn't English: this network reads English words, of a to z"
            raise NoKnownWord(
                f"The caption {what}. Try: a bird with blue wings and a red belly"
            )
        numbers = [self.number(word) for word in words[: 4 * MAX_WORDS]]
        if all(number == UNKNOWN for number in numbers):
            raise NoKnownWord(self._advice(words))
        return numbers[:MAX_WORDS]

    def _advice(self, words: list[str]) -> str:
        near = {
            w: difflib.get_close_matches(w, self.words, n=3, cutoff=0.5)
            for w in words[:5]
        }
        hints = [
            f"{w!r} (near: {', '.join(n)})" if n else repr(w) for w, n in near.items()
        ]
        some = self.words[:: max(len(self.words) // 8, 1)][:8]
        return (
            f"None of the caption's words is known: {', '.join(hints)}. This network "
            f"knows {len(self.words)} words, such as: {', '.join(some)}."
        )

    def encode(self, sentences: list[str]) -> tuple[Tensor, Tensor]:
        """Sentences to (tokens (B, T) int64 padded with 0, lengths (B,) int64)."""
        if isinstance(sentences, str):
            sentences = [sentences]
        rows = [self.numbers_of(sentence) for sentence in sentences]
        if not rows:
            raise NoKnownWord("There is no caption. Give at least one sentence.")
        lengths = torch.tensor([len(row) for row in rows])
        tokens = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
        for i, row in enumerate(rows):
            tokens[i, : len(row)] = torch.tensor(row)
        return tokens, lengths
