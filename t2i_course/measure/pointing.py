"""Does a word look at what it names? Attention held against known parts (lesson 11).

A map of attention (H, W) belongs to a word; the world knows where a bird's wing, belly,
crown, tail and beak are. "mass": the share of a map that lies within the part, "hit":
whether its maximum lies in a place that the part touches. Each beside chance (the
part's share of the picture; of places, those that it touches) and beside the same maps
held against another bird.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from ..data import Batch
from ..drawing import PART, with_attention
from ..worlds.bird_captions import BEAK_WORDS, COLOUR_WORDS, PART_WORDS
from ..worlds.bird_drawing import PARTS
from ..worlds.bird_species import ATTRIBUTES
from ..worlds.birds import Birds, vocabulary
from .birds import unseen_captions
from .obedience import names_two
from .oracle import oracle
from .translation import part_maps

__all__ = [
    "FUNCTION_WORDS", "KINDS", "NAMED", "colour_words", "function_words",
    "held_against", "if_exchanged", "mass", "of_drawn", "of_encoders", "on_grid",
    "part_words", "pointing", "rows_of", "some_of", "words_of",
]  # fmt: skip

NAMED = ("wing", "belly", "crown", "tail", "beak")  # parts that words name
ADJECTIVES = {
    "wing": "winged", "belly": "bellied breasted throated chested",
    "crown": "headed crowned capped", "tail": "tailed",
}  # fmt: skip
# Words of the parts' phrases that name no part: "feathers on its wings".
OTHERS = {"and", "back", "feathers", "its", "on", "plumage"}
FUNCTION_WORDS = "a an and are has is its of that the this while with".split()
KINDS = ("part words", "colour words", "function words")


# ------------------------------------------------------------------- what words name


def words_of(part: str) -> frozenset[str]:
    """The words that name a part of NAMED in the world's captions."""
    if part == "beak":
        return frozenset(BEAK_WORDS)
    said = {*PART_WORDS[part].replace("|", " ").split()} - OTHERS
    return frozenset(said | set(ADJECTIVES[part].split()))


def by_number(meaning: dict[str, int], otherwise: int) -> Tensor:
    """(V,) what each word's number means."""
    words = vocabulary()
    table = torch.full((len(words),), otherwise)
    for word, value in meaning.items():
        if word in words.numbers:
            table[words.numbers[word]] = value
    return table


@lru_cache(maxsize=1)
def _parts() -> Tensor:
    return by_number({w: PARTS.index(p) for p in NAMED for w in words_of(p)}, 0)


@lru_cache(maxsize=1)
def _colours() -> Tensor:
    """(V,) the number of a colour word's colour, or -1; "jet black" is black's."""
    return by_number(
        {
            phrase.split()[-1]: number
            for number, colour in enumerate(ATTRIBUTES["wing"])
            for phrase in COLOUR_WORDS[colour].split("|")
        },
        -1,
    )


def part_words(batch: Batch) -> Tensor:
    """(B, T): the number in PARTS that each word of a batch's captions names, or 0."""
    return _parts()[batch.tokens.cpu()]


def colour_words(batch: Batch) -> Tensor:
    """(B, T): the number in PARTS that a colour word speaks of, or 0.

    As the captions' `named` says, and only where nothing else can be meant: one part
    alone is said to have that colour, and one word of it stands in the caption.
    """
    names, colours = list(ATTRIBUTES), ATTRIBUTES["wing"]
    colour, named = _colours()[batch.tokens.cpu()], batch.named.cpu()
    beak = named[:, names.index("beak_colour")]
    beaks = [colours.index(value) for value in ATTRIBUTES["beak_colour"]]
    said = [named[:, names.index(part)] for part in NAMED[:-1]]
    said.append(torch.where(beak >= 0, torch.tensor(beaks)[beak.clamp_min(0)], -1))
    said = torch.stack(said, 1)  # (B, 5): the colour that each part is said to have
    found = torch.zeros_like(colour)
    for number in range(len(colours)):
        here, which = colour == number, said == number
        alone = (here.sum(1) == 1) & (which.sum(1) == 1)
        part = torch.tensor([PARTS.index(p) for p in NAMED])[which.int().argmax(1)]
        found = torch.where(here & alone[:, None], part[:, None], found)
    return found


def function_words(batch: Batch) -> Tensor:
    """(B, T) bool: words of FUNCTION_WORDS, which name nothing."""
    return by_number(dict.fromkeys(FUNCTION_WORDS, 1), 0)[batch.tokens.cpu()] > 0


# ----------------------------------------------------------------------- maps and masks


def on_grid(masks: Tensor, size: tuple[int, int]) -> Tensor:
    """Part maps (B, S, S) to (B, P, H, W): the share of each place that each part has.

    By area: places of a coarser grid are shared, those of a finer one repeat.
    """
    each = F.one_hot(masks.long(), len(PARTS)).movedim(3, 1)
    return F.interpolate(each.float(), size=size, mode="area")


def mass(attention: Tensor, cover: Tensor) -> Tensor:
    """The share of each map that lies within each part: (B, T, P).

    attention: (B, T, R), of any sum; cover: (B, P, R), the share of each place that the
    part covers. A map that is 0 everywhere (padding) has mass 0. Lesson 11a.
    """
    return attention @ cover.mT / attention.sum(2, keepdim=True).clamp_min(1e-12)


def held_against(attention: Tensor, masks: Tensor) -> dict[str, Tensor]:
    """Of all words and parts: "mass", "by chance", "hit", "hit by chance", (B, T, P).

    attention: (B, T, H, W), of any sum; masks: (B, S, S), numbers in PARTS. A map that
    is 0 everywhere (padding) has mass 0.
    """
    cover = on_grid(masks, attention.shape[2:]).flatten(2)  # (B, P, R)
    flat = attention.flatten(2).float()
    touched, best = (cover > 0).float(), flat.argmax(2)
    share = mass(flat, cover)
    hit = touched.mT.gather(1, best[:, :, None].expand(-1, -1, cover.shape[1]))
    chance = (x.mean(2)[:, None].expand_as(share) for x in (cover, touched))
    return dict(
        zip(("mass", "hit", "by chance", "hit by chance"), (share, hit, *chance))
    )


def chosen(batch: Batch) -> dict[str, Tensor]:
    """{kind: (B, T, P) bool}: the pairs of a word and a part that are asked about.

    A part's or a colour's word with its part; a function word with each part that its
    caption names.
    """

    def pairs(which):
        return F.one_hot(which, len(PARTS)).bool() & (which > 0)[:, :, None]

    parts = pairs(part_words(batch))
    there = parts.any(1, keepdim=True)
    both = function_words(batch)[:, :, None] & there
    return dict(zip(KINDS, (parts, pairs(colour_words(batch)), both)))


def pointing(attention: Tensor, batch: Batch, masks: Tensor) -> dict[str, float]:
    """What words of each of KINDS look at: {"part words, mass": ...}, over a batch.

    attention: (B, T, H, W), T at least that of the tokens; masks: (B, S, S). Parts that
    can't be seen are left out. "another's mass" and "another's hit" are held against
    the next bird of the batch, in which that part can be seen. Also of the words of
    each part, "wing, mass" and "wing, by chance".
    """
    attention = attention[:, : batch.tokens.shape[1]]
    own, other = (held_against(attention, m) for m in (masks, masks.roll(1, 0)))
    asked = chosen(batch)
    visible, elsewhere = own["by chance"] > 0, other["by chance"] > 0
    found = {}
    for kind, pairs in asked.items():
        here, there = pairs & visible, pairs & elsewhere
        found |= {f"{kind}, {name}": mean(value[here]) for name, value in own.items()}
        found |= {f"{kind}, another's {name}": mean(other[name][there])
                  for name in ("mass", "hit")}  # fmt: skip
    for part in NAMED:
        here, number = asked[KINDS[0]] & visible, PARTS.index(part)
        for name in ("mass", "by chance"):
            values = own[name][..., number][here[..., number]]
            found[f"{part}, {name}"] = mean(values)
    return {name: round(value, 4) for name, value in found.items()}


def mean(values: Tensor) -> float:
    """The mean; 0 where there is nothing to take it of."""
    return float(values.float().mean()) if values.numel() else 0.0


# ------------------------------------------------------------------- whose attention


def some_of(batch: Batch, rows) -> Batch:
    """Some rows of a batch's captions and pictures; as many tokens as before."""

    def part(x):
        return None if x is None else x[rows]

    caption = [
        batch.caption[i] for i in torch.arange(len(batch.lengths))[rows].tolist()
    ]
    return Batch(batch.image[rows], caption, batch.tokens[rows], batch.lengths[rows],
                 named=part(batch.named), masks=part(batch.masks))  # fmt: skip


def with_masks(count: int, size: int, seed: int) -> Batch:
    """`count` birds of unseen species, a caption and the part map of each."""
    birds = Birds("test", size, details=True)
    rng = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(birds), generator=rng)[:count].numpy()
    which = torch.randint(10, (len(rows),), generator=rng).numpy()
    return birds.at(rows, which).to("cpu")


@torch.inference_mode()
def of_encoders(encoders, count: int = 2000, seed: int = 0) -> dict[str, float]:
    """`pointing` in real birds of unseen species; with wrong captions "shuffled".

    encoders: `attend(pictures, batch)` gives (B, T, H, W) and `size` the pixels of the
    pictures. "shuffled, ...": each bird is read another bird's caption, whose words are
    held against the parts of the bird that is seen.
    """
    batch = with_masks(count, encoders.size, seed)
    wrong = some_of(batch, (torch.arange(len(batch.lengths)) + 1) % len(batch.lengths))
    found = {}
    for start, read in (("", batch), ("shuffled ", wrong)):
        maps = torch.cat([
            encoders.attend(batch.image[rows], some_of(read, rows)).cpu()
            for rows in rows_of(len(batch.lengths))
        ])  # fmt: skip
        measured = pointing(maps, read, batch.masks)
        kept = measured if not start else {
            name: value for name, value in measured.items()
            if name in ("part words, mass", "part words, hit", "colour words, mass")
        }  # fmt: skip
        found |= {f"{start}{name}": value for name, value in kept.items()}
    return found


def rows_of(count: int) -> list[slice]:
    """Slices of at most PART rows."""
    return [slice(i, min(i + PART, count)) for i in range(0, count, PART)]


def of_drawn(system, count: int = 1000, seed: int = 0) -> dict[str, float]:
    """`pointing` within a generator, stage by stage: {"stage 1, part words, mass"}.

    system: draws sentences and looks at words (`drawing.with_attention`). Parts are
    those that the segmenter of lesson 06 finds in the largest picture: it finds no
    beaks, so that these aren't asked about.
    """
    batch = unseen_captions(count, system.network("generator").size, seed)
    pictures, looked = with_attention(system, batch, seed)
    masks = part_maps(pictures)
    return {
        f"stage {number}, {name}": value
        for number, maps in enumerate(looked, start=1)
        for name, value in pointing(maps, batch, masks).items()
        if not name.startswith("beak")
    }


def if_exchanged(system, batch: Batch, seed: int = 0) -> dict[str, dict[str, float]]:
    """Where colour words are looked at if wing and belly exchanged their colours.

    Of a batch's captions with one colour for the wing and another for the belly those
    that the oracle reads "right", and those with both colours "exchanged". Of each the
    number of "pictures", and the last stage's share of a colour word's attention in the
    part that it is "asked for", and in the other, "instead": means over the words that
    surely speak of one of the two parts. Lesson 11b.
    """
    batch = some_of(batch, names_two(batch.named.cpu()).nonzero()[:, 0])
    pictures, looked = with_attention(system, batch, seed)
    maps, words = looked[-1][:, : batch.tokens.shape[1]], colour_words(batch)
    mass = held_against(maps, part_maps(pictures))["mass"]
    wing, belly = PARTS.index("wing"), PARTS.index("belly")
    here = torch.where(words == wing, mass[..., wing], mass[..., belly])
    there = torch.where(words == wing, mass[..., belly], mass[..., wing])
    asked = (words == wing) | (words == belly)
    read = oracle(pictures.shape[-1]).read(pictures)[:, :2]
    named, found = batch.named[:, :2].cpu(), {}
    for name, wanted in (("right", named), ("exchanged", named.flip(1))):
        rows = (read == wanted).all(1)
        which = asked & rows[:, None]
        found[name] = {"pictures": int(rows.sum()), "asked for": mean(here[which]),
                       "instead": mean(there[which])}  # fmt: skip
    return found
