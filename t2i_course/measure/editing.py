"""Was the picture changed as the sentence says, and left alone where it says nothing?

A world that draws its own pictures knows both halves: which attributes a sentence
names, where the parts are that have them, and what the same individual, in the same
pose before the same background, would look like if the sentence were true of it. That
drawing is the *wanted* picture. Lessons 14 and 15.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..data import Batch
from ..drawing import from_pictures
from ..worlds.drawn import Drawn
from .obedience import obedience
from .oracle import oracle
from .scores import diversity, oracle_frechet_distance
from .style import agreement, ruler

__all__ = [
    "Edits", "changes", "edited", "edits", "inside_and_outside", "kept", "obeyed",
    "of_pictures", "rebuilt", "report", "wanted", "where_changed",
]  # fmt: skip

POSE = ("flip", "tilt", "x", "y", "scale")  # of what a world's ruler reads


@dataclass
class Edits:
    """Pictures of unseen species, and for each a sentence to change it by.

    kind: Birds or Flowers; source: the pictures as drawn, with all that is known;
    asked: captions of others, with what they name; wanted: (B, 3, S, S) in [-1, 1],
    each individual drawn again as its sentence has it; attributes: (B, A), the wanted
    picture's truth; masks: its part map (B, S, S)
    """

    kind: type[Drawn]
    source: Batch
    asked: Batch
    wanted: Tensor
    attributes: Tensor
    masks: Tensor

    def __len__(self) -> int:
        return len(self.source)

    @property
    def attribute_names(self) -> list[str]:
        """The names of the columns of attributes."""
        return list(self.kind.world.attributes)

    @property
    def reader(self):
        """The oracle for such pictures."""
        return oracle(self.wanted.shape[-1], world=self.kind.world.name)

    @property
    def ruler(self):
        """The ruler of style for such pictures."""
        return ruler(self.wanted.shape[-1], world=self.kind.world.name)

    @property
    def named(self) -> Tensor:
        """(B, A): what each sentence names, -1 where it is silent."""
        return self.asked.named

    @property
    def changed(self) -> Tensor:
        """(B, A) bool: what it names that the picture hasn't."""
        return (self.named >= 0) & (self.named != self.source.attributes)

    @property
    def batch(self) -> Batch:
        """The pictures with their new sentences, as a system is given them."""
        return Batch(
            self.source.image,
            self.asked.caption,
            self.asked.tokens,
            self.asked.lengths,
        )

    def parts(self, which: Tensor) -> Tensor:
        """(B, S, S) bool: the parts that attributes `which` (B, A) belong to.

        As they lie in the source or in the wanted picture.
        """
        found = torch.zeros_like(self.masks, dtype=torch.bool)
        world = self.kind.world
        for i, name in enumerate(world.attributes):
            if world.part_of[name] not in world.parts:
                continue  # the whole
            part = world.parts.index(world.part_of[name])
            there = (self.source.masks == part) | (self.masks == part)
            found |= there & which[:, i, None, None]
        return found

    @property
    def background(self) -> Tensor:
        """(B, S, S) bool: background before and after."""
        return (self.source.masks == 0) & (self.masks == 0)


def edits(kind: type[Drawn], count: int = 1000, seed: int = 0, size: int = 32) -> Edits:
    """`count` pictures of unseen species, each with the caption of another species.

    kind: Birds or Flowers. Only captions that speak of parts: one that names the size
    or the habitat would have the whole picture changed, and nothing be left to keep.
    """
    drawn, rng = kind("test", size, details=True), np.random.default_rng((14, seed))
    chosen = rng.choice(len(drawn), count, replace=count > len(drawn))
    pictures, numbers = np.nonzero(of_parts(drawn))
    picked = rng.integers(len(pictures), size=count)
    while (bad := ~_fit(drawn, chosen, pictures[picked], numbers[picked])).any():
        picked[bad] = rng.integers(len(pictures), size=int(bad.sum()))
    asked = drawn.at(pictures[picked], numbers[picked])
    source = drawn.at(chosen, np.zeros(count, int))
    return put_together(kind, source, asked, size)


def of_parts(drawn: Drawn) -> np.ndarray:
    """(N, 10) bool: which captions name something, and nothing but parts."""
    world = drawn.world
    parts = [world.part_of[name] in world.parts[1:] for name in world.attributes]
    named = drawn.named >= 0
    return named.any(2) & ~named[:, :, ~np.array(parts)].any(2)


def _fit(drawn: Drawn, sources, others, numbers) -> np.ndarray:
    """(B,) bool: captions of other species, whose wish can be drawn."""
    named, own = drawn.named[others, numbers], drawn.content[sources]
    drawable = drawn.world.possible(np.where(named >= 0, named, own))
    return (drawn.species[others] != drawn.species[sources]) & drawable


def wanted(attributes: Tensor, named: Tensor) -> Tensor:
    """(B, A): what a picture is to show: what its sentence names, else what it has.

    attributes: (B, A) whole numbers, the picture's truth; named: the same, or -1 where
    the sentence is silent. Lesson 14.
    """
    return torch.where(named >= 0, named, attributes)


def put_together(kind: type[Drawn], source: Batch, asked: Batch, size: int) -> Edits:
    """Pictures and sentences, with the drawings that are wanted."""
    attributes = wanted(source.attributes, asked.named)
    pictures, masks = kind.world.draw(attributes.numpy(), source.style.numpy(), size)
    drawn = torch.from_numpy(pictures).float() / 127.5 - 1
    masks = torch.from_numpy(masks)
    return Edits(kind, source.to("cpu"), asked, drawn, attributes, masks)


# ----------------------------------------------------------------------- the two halves


def obeyed(found: Edits, pictures: Tensor) -> float:
    """The share of what a sentence asks to be changed that the oracle then reads."""
    seen = found.reader.read(pictures)
    changed = found.changed
    return (seen == found.named)[changed].float().mean().item()


def kept(found: Edits, pictures: Tensor) -> float:
    """The share of what a sentence doesn't name that the oracle reads as before."""
    seen = found.reader.read(pictures)
    silent = found.named < 0
    return (seen == found.source.attributes)[silent].float().mean().item()


def changes(before: Tensor, after: Tensor) -> Tensor:
    """(B, S, S): how much each pixel has changed, its channels' mean, 0 to 2."""
    return (after - before).abs().mean(1)


def inside_and_outside(
    before: Tensor, after: Tensor, inside: Tensor
) -> tuple[Tensor, Tensor]:
    """The mean change of a pixel where it should change, and of one elsewhere.

    before, after: (B, 3, S, S) in [-1, 1]; inside: (B, S, S) bool. Two scalars, 0 to 2;
    each is a mean over all such pixels of the batch. Lesson 14.
    """
    change = changes(before, after)
    return change[inside].mean(), change[~inside].mean()


def where_changed(found: Edits, pictures: Tensor) -> dict[str, float]:
    """`inside_and_outside` the parts that are to change; and in the background."""
    source = found.source.image
    inside, outside = inside_and_outside(source, pictures, found.parts(found.changed))
    background = changes(source, pictures)[found.background].mean()
    figures = {"inside": inside, "outside": outside, "background": background}
    return {name: value.item() for name, value in figures.items()}


def pose_kept(found: Edits, pictures: Tensor) -> float:
    """Correlation of pose, read in the pictures, with the sources'; mean over POSE."""
    now, before = (found.ruler.read(p) for p in (pictures, found.source.image))
    same = agreement(now, before, found.ruler.names)
    return float(np.mean([same[name] for name in POSE if name in same]))


# ------------------------------------------------------------------------------ reports


def edited(system, found: Edits, seed: int = 0, samples: int = 1) -> Tensor:
    """What a system makes of it, (B * samples, 3, S, S) in [-1, 1]."""
    return from_pictures(system, found.batch, seed, samples)


def rebuilt(system, found: Edits, seed: int = 0) -> float:
    """L2 error on positive pairs: each picture changed by a sentence true of it.

    The mean square of the difference, of numbers in [-1, 1]; 0 for a perfect keeper.
    """
    own = from_pictures(system, found.source, seed)
    return (own - found.source.image).square().mean().item()


def of_pictures(found: Edits, pictures: Tensor) -> dict[str, float]:
    """Every figure of changed pictures that needs nothing but the pictures."""
    reader = found.reader
    source, wanted = found.source.image, found.wanted
    return {
        "obeyed": obeyed(found, pictures),
        "all named": obedience(
            reader.read(pictures), found.named, found.attribute_names
        )["all"],
        "kept": kept(found, pictures),
        **where_changed(found, pictures),
        "pose": pose_kept(found, pictures),
        "from wanted": (pictures - wanted).abs().mean().item(),
        "from source": (pictures - source).abs().mean().item(),
        "frechet distance": oracle_frechet_distance(reader.features, source, pictures),
    }


def report(
    system, kind: type[Drawn], count: int = 1000, seed: int = 0, size: int = 32
) -> dict[str, float]:
    """Every figure of an editor, on unseen species, as {name: number}."""
    found = edits(kind, count, seed, size)
    figures = of_pictures(found, edited(system, found, seed))
    figures["L2 error"] = rebuilt(system, found, seed)
    few = edits(kind, min(count, 50), seed + 1, size)
    many = edited(system, few, seed + 1, samples=8)
    figures["diversity"] = diversity(many.view(len(few), 8, *many.shape[1:]))
    return {name: round(float(value), 4) for name, value in figures.items()}
