"""What encoders of words and regions understand: which word is wrong, and whose.

The captions are put together by rule, or changed in one place, so that one thing alone
differs. Encoders are those of lesson 11a (`each_word`, `attend`, `pairs_by_words`), for
whole sentences also others that have `see` and `text.of`, as lesson 07's reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from ..data import Batch
from ..worlds.bird_captions import COLOUR_WORDS, named_by
from ..worlds.bird_drawing import PARTS
from ..worlds.bird_species import ATTRIBUTES, COLOURS
from ..worlds.birds import Birds
from .birds import asked, unseen_captions
from .pointing import colour_words, held_against, mean, rows_of, some_of
from .retrieval import caption_lists, compared
from .rewording import reworded, sentence

__all__ = [
    "SAID", "by_sentence", "colours_exchanged", "disagreement", "hears_order",
    "maps_of", "matters", "pictured", "wrong_word",
]  # fmt: skip

NOUNS = ("wing", "belly")
SAID = "a bird with {} wings and a {} belly".format
# Words that only stand before a colour of their own: "jet black", "snow white".
BOUND = {phrase.split()[0] for words in COLOUR_WORDS.values()
         for phrase in words.split("|") if " " in phrase} - {"bright"}  # fmt: skip


# ---------------------------------------------------------------- which word is wrong


@torch.inference_mode()
def wrong_word(encoders, count: int = 1000, seed: int = 0) -> dict[str, float]:
    """One colour of a true caption is exchanged: does its word stand out?

    Real birds of unseen species; see `rewording.reworded`. "falls": the share in which
    the word's cosine falls; "falls by": how far, in the mean, and "others fall by" the
    caption's other words; "is the lowest": of all its colour words, where there are
    two or more, and "by lot", how often lots would find it.
    """
    batch = unseen_captions(count, encoders.size, seed).to("cpu")
    pairs = reworded(batch, seed)
    parts = rows_of(len(pairs.place))
    true, false = (
        torch.cat([encoders.each_word(b.image[r], some_of(b, r)) for r in parts])
        for b in (pairs.before, pairs.after)
    )
    places, own = torch.arange(true.shape[1]), pairs.place[:, None]
    words, changed = places < pairs.before.lengths[:, None], places == own
    fall, colours = true - false, colour_words(pairs.after) > 0
    rest = (fall * (words & ~changed)).sum(1) / (words & ~changed).sum(1).clamp_min(1)
    several = (colours & words).sum(1) > 1
    lowest = false.masked_fill(~(colours & words), torch.inf).argmin(1) == pairs.place
    lots = 1 / (colours & words).sum(1).clamp_min(1)
    return rounded({
        "falls": mean(fall.gather(1, own) > 0),
        "falls by": mean(fall.gather(1, own)),
        "others fall by": mean(rest),
        "is the lowest": mean(lowest[several]),
        "by lot": mean(lots[several]),
    })  # fmt: skip


# ------------------------------------------------------------------ whose colour it is


def colours_exchanged(batch: Batch) -> tuple[Batch, Batch]:
    """Captions that give two parts two colours, and the same with these exchanged.

    Of a batch's captions those in which two colour words surely speak of a part each;
    the first two are exchanged. ValueError where there are none.
    """
    which = colour_words(batch)
    bound = torch.tensor([[word in BOUND for word in padded(row)]
                          for row in batch.tokens])  # fmt: skip
    rows = (((which > 0).sum(1) > 1) & ~bound.any(1)).nonzero()[:, 0]
    if not len(rows):
        raise ValueError("no caption names two colours of two parts")
    true, which = some_of(batch, rows), which[rows]
    first = (which > 0).int().argmax(1, keepdim=True)
    second = ((which > 0).int().cumsum(1) == 2).int().argmax(1, keepdim=True)
    tokens = true.tokens.clone()
    tokens.scatter_(1, first, true.tokens.gather(1, second))
    tokens.scatter_(1, second, true.tokens.gather(1, first))
    captions = [sentence(row[:n]) for row, n in zip(tokens, true.lengths)]
    return true, replace(true, caption=captions, tokens=tokens)


def padded(numbers: Tensor) -> list[str]:
    """The words of a row of tokens, "?" at padding."""
    return sentence(numbers).split(" ")


@torch.inference_mode()
def by_sentence(encoders, pictures: Tensor, batch: Batch) -> Tensor:
    """(B,) cosines of whole pictures and their captions, of any encoders."""
    seen = torch.cat([encoders.see(part) for part in pictures.split(250)])
    return F.cosine_similarity(seen, encoders.text.of(batch), dim=1)


@torch.inference_mode()
def hears_order(encoders, count: int = 2000, seed: int = 0, size: int = 64) -> dict:
    """How often a true caption fits better than with two of its colours exchanged.

    Both have the same words. Real birds of unseen species at `size` pixels; "captions":
    how many have two colours. "by words" only of encoders that look at words. Half
    would be a guess.
    """
    true, false = colours_exchanged(unseen_captions(count, size, seed).to("cpu"))
    found = {"captions": float(len(true.lengths))}
    parts = rows_of(len(true.lengths))
    ways = {"by the sentence": lambda p, b: by_sentence(encoders, p, b)}
    if hasattr(encoders, "pairs_by_words"):
        ways["by words"] = encoders.pairs_by_words
    for name, score in ways.items():
        one, other = (torch.cat([score(b.image[r], some_of(b, r)) for r in parts])
                      for b in (true, false))  # fmt: skip
        found[name] = mean((one > other).float() + (one == other).float() / 2)
    return rounded(found)


# ----------------------------------------------- what a colour word's look follows


def pictured(alike: bool, count: int = 500, seed: int = 0) -> tuple:
    """Birds of unseen species with part maps, and the colours of wings and bellies.

    alike: wing and belly have one colour; or two. A batch and two lists of words.
    """
    birds, names = Birds("test", 64, details=True), list(ATTRIBUTES)
    colours = birds.content[:, [names.index(part) for part in NOUNS]]
    rows = ((colours[:, 0] == colours[:, 1]) == alike).nonzero()[0]
    rng = torch.Generator().manual_seed(seed)
    rows = rows[torch.randperm(len(rows), generator=rng)[:count].numpy()]
    batch = birds.at(rows, 0 * rows).to("cpu")
    return batch, *([COLOURS[i] for i in column] for column in colours[rows].T)


@torch.inference_mode()
def maps_of(encoders, batch: Batch, captions: Sequence[str], words: Sequence[str],
            covered=()) -> Tensor:  # fmt: skip
    """Where one word of each caption looks in a batch's pictures: (B, H, W).

    captions, words: B, each word once in its caption. covered: words that eq. (8)
    leaves out, though the text encoder has read them.
    """
    told = asked(list(captions), named_by({})[None].repeat(len(captions), 0))
    told.image, parts = batch.image, rows_of(len(captions))
    said = [caption.split() for caption in captions]
    gone = torch.tensor([[word in covered for word in row] for row in said])
    places = [row.index(word) for row, word in zip(said, words)]
    maps = torch.cat([
        encoders.attend(batch.image[r], some_of(told, r), gone[r]) for r in parts
    ])  # fmt: skip
    return maps[torch.arange(len(places)), places]


def looks_at(encoders, batch: Batch, *asked_of, **covered) -> dict[str, float]:
    """Of `maps_of`: "wing, mass", "wing, hit", both by chance, and of the belly."""
    maps = maps_of(encoders, batch, *asked_of, **covered)
    held, found = held_against(maps[:, None], batch.masks), {}
    for part in NOUNS:
        number = PARTS.index(part)
        there = held["by chance"][:, 0, number] > 0
        for name, value in held.items():
            found[f"{part}, {name}"] = mean(value[:, 0, number][there])
    return rounded(found)


def matters(encoders, count: int = 500, seed: int = 0) -> dict[str, dict[str, float]]:
    """What a word's look follows, the colour or the noun; and who takes a noun's place.

    {row: `looks_at`}. "alike": birds whose wing and belly have one colour, which is
    said of the wing, then of the belly. "two colours": the wing's colour is said of the
    wing, then (not true) of the belly. "covered": a noun, beside colours that are read
    and take no part in eq. (8); and "with", which names nothing, to compare.
    """
    found = {}
    batch, one, _ = pictured(True, count, seed)
    for part, noun in (("wings", "{} wings"), ("belly", "a {} belly")):
        said = [f"a bird with {noun.format(colour)}" for colour in one]
        found[f"alike, said of the {part}"] = looks_at(encoders, batch, said, one)
    batch, wing, belly = pictured(False, count, seed)
    true, false = list(map(SAID, wing, belly)), list(map(SAID, belly, wing))
    found["two colours, said of the wings"] = looks_at(encoders, batch, true, wing)
    found["two colours, said of the belly"] = looks_at(encoders, batch, false, wing)
    for noun in ("wings", "belly"):
        nouns = [noun] * len(true)
        found[noun] = looks_at(encoders, batch, true, nouns)
        found[f"{noun}, colours covered"] = looks_at(encoders, batch, true, nouns,
                                                     covered=COLOURS)  # fmt: skip
    found["with, colours covered"] = looks_at(
        encoders, batch, true, ["with"] * len(true), covered=COLOURS
    )
    return found


# ------------------------------------------------------------------------ two examiners


@torch.inference_mode()
def disagreement(one, other, count: int = 1000, seed: int = 0) -> dict[str, float]:
    """Two pairs of encoders choose one of the same hundred captions for real birds.

    Shares: "both right", "one right", "both wrong", "the same wrong" (of all).
    """
    batch = unseen_captions(count, one.size, seed).to("cpu")
    lists = caption_lists(batch.class_id, seed=seed)
    chosen = []
    for encoders in (one, other):
        seen, told = compared(encoders, batch.image, batch)
        chosen.append((seen[:, None] * told[lists]).sum(2).argmax(1))
    right = torch.stack(chosen) == 0
    same = (chosen[0] == chosen[1]) & ~right[0]
    return rounded({
        "both right": mean(right.all(0)), "one right": mean(right[0] ^ right[1]),
        "both wrong": mean(~right.any(0)), "the same wrong": mean(same),
    })  # fmt: skip


def rounded(found: dict[str, float]) -> dict[str, float]:
    """To four digits."""
    return {name: round(value, 4) for name, value in found.items()}
