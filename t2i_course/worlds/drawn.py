"""What worlds that are drawn share: from species to arrays on disk, and to batches.

A world's own files say what its species look like, how one is drawn, and how people
write of it; its `World` holds these together. Pictures are drawn once, kept on disk,
and read as bytes. The folder's name holds a fingerprint of the code that draws, so a
changed drawing is never mixed with old files.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from .. import seeds, text
from ..data import Batch, batch_indices
from . import kept
from .cache import cache_folder

__all__ = ["CAPTIONS", "CHUNK", "Drawn", "World", "boxes_of", "reported"]

LAYOUT = 1  # of the files in the cache
ARRAYS = ("images", "masks", "species", "style", "captions", "tokens", "named")
CAPTIONS = 10  # a picture
CHUNK = 32  # pictures drawn at a time: as many as fit the processor's cache


def anything(content: np.ndarray) -> np.ndarray:
    """Every combination can be drawn."""
    return np.ones(np.shape(content)[:-1], bool)


@dataclass(frozen=True, eq=False)
class World:
    """What a drawn world is made of.

    thing: one of its inhabitants, "bird"; named so too are its files, "bird*.py"
    attributes: {content: its values}; style: names of the columns that no caption tells
    parts: what part maps number, the background first; part_of: {attribute: the part
        that it changes}, "" for the whole thing
    draw: (content (B, A), style (B, S), size) -> pictures and part maps
    contents, styles: (species, count) -> (count, A) and (count, S), the individuals'
    splits: () -> {split: species}
    caption, untrue, describe, named_by: see `bird_captions`
    vocabulary: () -> the words of its captions
    possible: content (..., A) -> (...) whether such a thing can be drawn
    """

    thing: str
    attributes: Mapping[str, tuple[str, ...]]
    style: tuple[str, ...]
    parts: tuple[str, ...]
    part_of: Mapping[str, str]
    draw: Callable
    contents: Callable
    styles: Callable
    splits: Callable
    caption: Callable
    untrue: Callable
    describe: Callable
    named_by: Callable
    vocabulary: Callable
    possible: Callable = anything

    @property
    def name(self) -> str:
        """Of its inhabitants: "birds"."""
        return f"{self.thing}s"

    def fingerprint(self) -> str:
        """Changes with the code that draws and writes."""
        here, words = Path(__file__).parent, Path(text.__file__).parent
        own = list(here.glob(f"{self.thing}_*.py"))
        shared = [here / "canvas.py", here / "phrases.py", *words.glob("*.py")]
        return kept.fingerprint(tuple(sorted(own + shared)))

    def random(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """(count, A): contents whose attributes are drawn independently."""
        values = self.attributes.values()
        content = np.stack([rng.integers(len(v), size=count) for v in values], 1)
        while not (fits := self.possible(content)).all():
            content[~fits] = self.random(int((~fits).sum()), rng)
        return content


# ----------------------------------------------------------------------------- drawing


def contents_of(world: World, split: str, individuals: int) -> np.ndarray:
    """What everything in a split looks like, species by species."""
    return np.concatenate(
        [world.contents(s, individuals) for s in world.splits()[split]]
    )


def draw(world: World, split: str, size: int, individuals: int) -> dict:
    """Everything about one split, as arrays; the captions as one text of lines."""
    species = np.repeat(world.splits()[split], individuals)
    content = contents_of(world, split, individuals)
    style = np.concatenate(
        [world.styles(s, individuals) for s in world.splits()[split]]
    )
    images = np.empty((len(species), 3, size, size), np.uint8)
    masks = np.empty((len(species), size, size), np.uint8)
    for i in range(0, len(species), CHUNK):
        part = slice(i, i + CHUNK)
        images[part], masks[part] = world.draw(content[part], style[part], size)
    sentences, tokens, named = write(world, species, content, individuals)
    return {
        "images": images,
        "masks": masks,
        "species": species,
        "style": style,
        "captions": np.frombuffer("\n".join(sentences).encode(), np.uint8),
        "tokens": tokens,
        "named": named,
    }


def write(world: World, species, content, individuals):
    """Ten captions a picture: sentences, tokens (N, 10, T) and what each names."""
    words = world.vocabulary()
    tokens = np.zeros((len(species), CAPTIONS, text.vocabulary.MAX_WORDS), np.uint8)
    named = np.empty((len(species), CAPTIONS, len(world.attributes)), np.int8)
    sentences = []
    for i, (kind, row) in enumerate(zip(species.tolist(), content)):
        for j in range(CAPTIONS):
            sentence, names = world.caption(row, (kind, i % individuals, j))
            numbers = words.numbers_of(sentence)
            tokens[i, j, : len(numbers)] = numbers
            named[i, j] = names
            sentences.append(sentence)
    return sentences, tokens, named


@lru_cache(maxsize=8)
def arrays_of(
    world: World, split: str, size: int, individuals: int, folder: Path
) -> dict[str, np.ndarray]:
    """A split's arrays, from `folder` or drawn anew."""
    mark = f"{split}-{size}-{individuals}-{world.fingerprint()}"
    place = folder / f"{world.name}{LAYOUT}-{mark}"
    arrays = kept.load(place, ARRAYS, world.name)
    if arrays is not None:
        return arrays
    arrays = draw(world, split, size, individuals)
    try:
        kept.store(place, arrays)
    except OSError as error:
        print(
            f"Drawn {world.name} could not be kept in {folder} "
            f"({error.strerror or error}); they stay "
            "in memory. Set T2I_CACHE to a folder with space.",
            file=sys.stderr,
        )
    return arrays


def boxes_of(masks: np.ndarray, parts: int) -> np.ndarray:
    """(B, H, W) part maps to (B, parts - 1, 4) boxes (x0, y0, x1, y1) in 0..1.

    A part that is hidden has a box of zeros; the background has none.
    """
    size = masks.shape[-1]
    found = masks[:, None] == np.arange(1, parts, dtype=np.uint8)[:, None, None]
    rows, columns = found.any(3), found.any(2)
    low = [np.argmax(side, -1) for side in (columns, rows)]
    high = [size - np.argmax(side[..., ::-1], -1) for side in (columns, rows)]
    boxes = np.stack([*low, *high], -1).astype(np.float32) / size
    return boxes * rows.any(-1)[..., None]


class Drawn:
    """A split of a drawn world as a source of batches.

    split: "train" or "test", of other species; size: pixels, 16 to 512
    individuals: of each species; details: whether batches carry masks and boxes
    """

    world: ClassVar[World]

    def __init__(
        self,
        split="train",
        size=32,
        batch_size=64,
        individuals=60,
        seed=0,
        details=False,
    ):
        if split not in self.world.splits():
            raise ValueError(
                f"The {self.world.thing} world has the splits train and test, not "
                f"{split!r}."
            )
        self.batch_size, self.details = batch_size, details
        self.seed = seeds.checked(seed)
        arrays = arrays_of(self.world, split, size, individuals, cache_folder())
        self.images, self.masks = arrays["images"], arrays["masks"]
        self.species, self.style = arrays["species"], arrays["style"]
        self.tokens, self.named = arrays["tokens"], arrays["named"]
        self._captions = arrays["captions"]
        self.content = contents_of(self.world, split, individuals)
        self.size, self.individuals = size, individuals
        self.vocabulary = self.world.vocabulary()

    def __len__(self) -> int:
        return len(self.images)

    @property
    def captions(self) -> list[str]:
        """All captions; those of picture i are [10 * i : 10 * i + 10]."""
        if not isinstance(self._captions, list):
            self._captions = bytes(self._captions).decode().split("\n")
        return self._captions

    def at(self, indices, which) -> Batch:
        """The batch of pictures `indices`, each with its caption number `which`."""
        tokens = self.tokens[indices, which]
        lengths = (tokens > 0).sum(1)
        tokens = tokens[:, : lengths.max()].astype(np.int64)
        masks = self.masks[indices] if self.details else None
        return Batch(
            image=torch.from_numpy(self.images[indices]),
            caption=[self.captions[CAPTIONS * i + j] for i, j in zip(indices, which)],
            tokens=torch.from_numpy(tokens),
            lengths=torch.from_numpy(lengths),
            class_id=torch.from_numpy(self.species[indices]),
            attributes=torch.from_numpy(self.content[indices]),
            named=torch.from_numpy(self.named[indices, which].astype(np.int64)),
            style=torch.from_numpy(self.style[indices]),
            masks=None if masks is None else torch.from_numpy(masks),
            boxes=None
            if masks is None
            else torch.from_numpy(boxes_of(masks, len(self.world.parts))),
            labels=torch.arange(1, len(self.world.parts)) if self.details else None,
        )

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The training batch of `step`; see data.Source."""
        chosen = batch_indices(len(self), self.batch_size, self.seed, step, rank, world)
        rng = np.random.default_rng((self.seed, step, 1))
        number = rng.integers(CAPTIONS, size=(world, len(chosen)))
        return self.at(chosen, number[rank])

    def distinct(
        self, step: int, count: int
    ) -> tuple[Batch, list[tuple[int, int, int]]]:
        """`count` pictures of as many species, and the seeds of their captions.

        For losses that compare classes; at most as many as there are species.
        """
        rng = np.random.default_rng((self.seed, step, 2))
        kinds = rng.permutation(len(self) // self.individuals)[:count]
        which = rng.integers(self.individuals, size=len(kinds))
        number = rng.integers(CAPTIONS, size=len(kinds))
        batch = self.at(kinds * self.individuals + which, number)
        seeds = zip(batch.class_id.tolist(), which.tolist(), number.tolist())
        return batch, list(seeds)

    def all(self, limit: int | None = None) -> Batch:
        """Every picture with its first caption, or `limit` spread over the species."""
        count = len(self) if limit is None else min(limit, len(self))
        chosen = np.linspace(0, len(self) - 1, count).round().astype(int)
        return self.at(chosen, np.arange(count) % CAPTIONS)


def reported(world: World) -> Iterator[str]:
    """What is drawn already, for `t2i doctor`."""
    folder = cache_folder()
    there = sorted(folder.glob(f"{world.name}*-*")) if folder.is_dir() else []
    half = kept.half_made(folder) if folder.is_dir() else []
    current = [p for p in there if p.name.endswith(world.fingerprint())]
    names = ", ".join(p.name.rpartition("-")[0] for p in current)
    what = f"drawn: {names}" if names else "drawn at its first use"
    yield f"{world.thing} world: {what}"
    old = [p for p in there if p not in current]
    for what, some in (("by older code", old), ("half made", half)):
        if some:
            size = sum(f.stat().st_size for p in some for f in p.glob("*")) / 2**20
            names = ", ".join(p.name for p in some)
            yield f"  {what}, {size:.0f} MB, may be deleted from {folder}: {names}"
