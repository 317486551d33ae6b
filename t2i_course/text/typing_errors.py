"""Typing errors of the kinds that real annotators make."""

from random import Random

__all__ = ["misspell"]


def misspell(sentence: str, rng: Random) -> str:
    """The sentence with one slip of the fingers in one word of five letters or more.

    Two neighbours change places, a letter is lost, or a letter is struck twice. The
    first letter stays, as it mostly does.
    """
    words = sentence.split(" ")
    long = [i for i, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if not long:
        return sentence
    i = long[rng.randrange(len(long))]
    word, at = words[i], rng.randrange(1, len(words[i]) - 1)
    kind = rng.randrange(3)
    if kind == 0:
        word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    elif kind == 1:
        word = word[:at] + word[at + 1 :]
    else:
        word = word[: at + 1] + word[at:]
    words[i] = word
    return " ".join(words)
