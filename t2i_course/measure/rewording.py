"""One colour word is exchanged: does that part change, and nothing else? (lesson 11).

The same noise draws a caption twice, once with another colour in one place. What became
of the part's own pixels is held against those of the bird's other parts, and against
the background.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..data import Batch
from ..drawing import from_sentences
from ..worlds.bird_drawing import PARTS
from ..worlds.bird_species import COLOUR_PARTS, COLOURS
from ..worlds.birds import vocabulary
from .birds import unseen_captions
from .oracle import oracle
from .pointing import colour_words, some_of
from .translation import part_maps

__all__ = [
    "Reworded", "change", "changed", "compared", "inside_outside", "reworded",
]  # fmt: skip


@dataclass
class Reworded:
    """Captions in pairs that differ in a colour word.

    before, after: batches of B captions; part: (B,) which of COLOUR_PARTS the word
    speaks of; place: (B,) where in the caption it stands.
    """

    before: Batch
    after: Batch
    part: Tensor
    place: Tensor

    def words(self, i: int) -> str:
        """What was exchanged in the i-th caption: "wing red, then blue"."""
        part = int(self.part[i])
        was, now = (COLOURS[told.named[i, part]] for told in (self.before, self.after))
        return f"{COLOUR_PARTS[part]} {was}, then {now}"


def reworded(batch: Batch, seed: int = 0) -> Reworded:
    """The captions of a batch in which a colour surely speaks of one part, reworded.

    The first such word of each is exchanged for another colour that the caption doesn't
    name. Captions without one are left out; ValueError where that leaves none.
    """
    which = colour_words(batch)
    which = which * torch.isin(
        which, torch.tensor([PARTS.index(p) for p in COLOUR_PARTS])
    )
    rows = which.any(1).nonzero()[:, 0]
    if not len(rows):
        raise ValueError("no caption names a colour of one part")
    before, which = some_of(batch, rows), which[rows]
    place = (which > 0).int().argmax(1)
    part = which.gather(1, place[:, None])[:, 0] - 1  # PARTS begins with the background
    rng, tokens, named = (
        torch.Generator().manual_seed(seed),
        before.tokens,
        before.named,
    )
    tokens, named, captions = tokens.clone(), named.clone(), []
    for i, (where, what) in enumerate(zip(place.tolist(), part.tolist())):
        told = set(named[i, : len(COLOUR_PARTS)].tolist())
        others = [c for c in range(len(COLOURS)) if c not in told]
        new = others[int(torch.randint(len(others), (), generator=rng))]
        tokens[i, where] = vocabulary().numbers[COLOURS[new]]
        named[i, what] = new
        captions.append(sentence(tokens[i, : before.lengths[i]]))
    after = replace(before, caption=captions, tokens=tokens, named=named)
    return Reworded(before, after, part, place)


def sentence(numbers: Tensor) -> str:
    """Words by their numbers, in a line; "?" for one that isn't known."""
    words = vocabulary().words
    return " ".join(words[n - 2] if n > 1 else "?" for n in numbers.tolist())


def moved(one: Tensor, other: Tensor) -> Tensor:
    """(B, S, S): each pixel's mean absolute change over colours, 0 to 1.

    one, other: (B, 3, S, S) in [-1, 1], a range of 2.
    """
    return (one - other).abs().mean(1) / 2


def over(values: Tensor, mask: Tensor) -> Tensor:
    """(B,): the means of values (B, S, S) where the mask (B, S, S) is; 0 for none."""
    return (values * mask).sum((1, 2)) / mask.sum((1, 2)).clamp_min(1)


def inside_outside(
    before: Tensor, after: Tensor, part: Tensor
) -> tuple[Tensor, Tensor]:
    """Mean absolute change of each picture, within a part and outside it: (B,) each.

    before, after: (B, 3, S, S) in [-1, 1]; part: (B, S, S), True where it is. As a
    share of the range, 0 to 1. AT-9; lesson 11b.
    """
    apart = moved(before, after)
    return over(apart, part), over(apart, ~part)


def change(one: Tensor, other: Tensor, part: Tensor, masks: Tensor) -> dict[str, float]:
    """Mean absolute change of pixels: "inside" the part, "other parts", "background".

    one, other: (B, 3, S, S) in [-1, 1]; part: (B,) numbers in PARTS; masks: (B, s, s),
    where the parts are in `one`, s a divisor of S. As a share of the range, 0 to 1; the
    mean over pictures in which the part can be seen. "times": inside by other parts.
    """
    apart = torch.nn.functional.adaptive_avg_pool2d(moved(one, other), masks.shape[1:])
    inside = masks == part[:, None, None]
    background = masks == 0
    where = {"inside": inside, "other parts": ~inside & ~background,
             "background": background}  # fmt: skip
    there = inside.any(2).any(1)
    found = {}
    for name, mask in where.items():
        found[name] = float(over(apart, mask)[there].mean())
    found["times"] = found["inside"] / max(found["other parts"], 1e-6)
    return {name: round(value, 4) for name, value in found.items()}


def compared(one: Tensor, other: Tensor, pairs: Reworded) -> dict[str, float]:
    """`change` of pictures of both captions, and what the oracle reads.

    "takes the colour": the share in which the part has the new colour; "keeps the
    rest": of the four parts' other colours, the share that is read as before.
    """
    found = change(one, other, pairs.part + 1, part_maps(one))
    read = oracle(one.shape[-1]).read
    was, now = read(one), read(other)
    own = pairs.part[:, None]
    wanted = pairs.after.named.gather(1, own)
    others = torch.arange(len(COLOUR_PARTS)) != own
    same = (was == now)[:, : len(COLOUR_PARTS)]
    found["takes the colour"] = float((now.gather(1, own) == wanted).float().mean())
    found["keeps the rest"] = float(same[others].float().mean())
    return {name: round(value, 4) for name, value in found.items()}


def changed(system, count: int = 1000, seed: int = 0) -> dict[str, float]:
    """`compared` for any system that draws sentences, of captions of unseen species.

    Those that can't be reworded are left out. AT-9; lesson 11.
    """
    size = system.network("generator").size
    pairs = reworded(unseen_captions(count, size, seed), seed)
    one, other = (
        from_sentences(system, told, seed) for told in (pairs.before, pairs.after)
    )
    return compared(one, other, pairs)
