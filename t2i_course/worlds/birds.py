"""The bird world: 200 species, 60 birds of each, ten captions a picture (our CUB).

Pictures are drawn once, kept on disk, and read as bytes. The folder's name holds a
fingerprint of the code that draws, so a changed drawing is never mixed with old files.
"""

import ast
import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from .. import seeds, text
from ..data import Batch, batch_indices
from ..declarations import DataInfo
from . import bird_words
from .bird_captions import caption
from .bird_drawing import PARTS, draw_birds
from .bird_species import (
    ATTRIBUTES,
    individual_contents,
    individual_styles,
    split_species,
)
from .cache import cache_folder

__all__ = ["Birds", "boxes_of", "vocabulary"]

LAYOUT = 1  # of the files in the cache
ARRAYS = ("images", "masks", "species", "style", "captions", "tokens", "named")
CAPTIONS = 10  # a picture
CHUNK = 32  # pictures drawn at a time: as many as fit the processor's cache


@lru_cache(maxsize=1)
def vocabulary() -> text.Vocabulary:
    """The words of the bird world's captions."""
    return text.Vocabulary(bird_words.WORDS.split())


@lru_cache(maxsize=1)
def _fingerprint() -> str:
    """Changes with the code that draws and writes; not with comments or line breaks."""
    folders = (
        Path(__file__).parent.glob("bird*.py"),
        Path(text.__file__).parent.glob("*.py"),
    )
    digest = hashlib.sha256()
    for file in sorted(f for folder in folders for f in folder):
        if file.name != "birds.py":
            digest.update(ast.dump(ast.parse(file.read_text("utf-8"))).encode())
    return digest.hexdigest()[:12]


def _contents(split: str, individuals: int) -> np.ndarray:
    """What every bird of a split looks like, species by species."""
    return np.concatenate(
        [individual_contents(s, individuals) for s in split_species()[split]]
    )


def _draw(split: str, size: int, individuals: int) -> dict[str, np.ndarray]:
    """Everything about one split, as arrays; the captions as one text of lines."""
    species = np.repeat(split_species()[split], individuals)
    content = _contents(split, individuals)
    style = np.concatenate(
        [individual_styles(s, individuals) for s in split_species()[split]]
    )
    images = np.empty((len(species), 3, size, size), np.uint8)
    masks = np.empty((len(species), size, size), np.uint8)
    for i in range(0, len(species), CHUNK):
        part = slice(i, i + CHUNK)
        images[part], masks[part] = draw_birds(content[part], style[part], size)
    sentences, tokens, named = _write(species, content, individuals)
    return {
        "images": images,
        "masks": masks,
        "species": species,
        "style": style,
        "captions": np.frombuffer("\n".join(sentences).encode(), np.uint8),
        "tokens": tokens,
        "named": named,
    }


def _write(species, content, individuals) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Ten captions a picture: sentences, tokens (N, 10, T) and what each names."""
    words = vocabulary()
    tokens = np.zeros((len(species), CAPTIONS, text.vocabulary.MAX_WORDS), np.uint8)
    named = np.empty((len(species), CAPTIONS, len(ATTRIBUTES)), np.int8)
    sentences = []
    for i, (kind, row) in enumerate(zip(species.tolist(), content)):
        for j in range(CAPTIONS):
            sentence, names = caption(row, (kind, i % individuals, j))
            numbers = words.numbers_of(sentence)
            tokens[i, j, : len(numbers)] = numbers
            named[i, j] = names
            sentences.append(sentence)
    return sentences, tokens, named


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _store(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays to `folder` so that it appears whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in half_made(folder.parent):
        shutil.rmtree(left, ignore_errors=True)
    prefix = f".making-{platform.node()}-{os.getpid()}-"
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=prefix))
    work.chmod(0o777 & ~umask())  # mkdtemp's folders are their maker's alone
    try:
        for name, array in arrays.items():
            np.save(work / f"{name}.npy", array)
        sums = {f.name: _digest(f) for f in sorted(work.glob("*.npy"))}
        (work / "complete.json").write_text(json.dumps(sums))
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def umask() -> int:
    """What new folders and files are not allowed, by this process's settings."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def half_made(folder: Path) -> list[Path]:
    """What stopped processes left in the cache: nobody will finish it.

    A process of this machine that is gone, or, of another machine (a shared folder),
    one that has written nothing for a day.
    """
    return [path for path in folder.glob(".making-*") if not _in_work(path)]


def _in_work(path: Path) -> bool:
    """Whether the process that makes this folder may still be at it."""
    _, _, host_and_pid = path.name.rpartition(".making-")
    host, pid, _ = [*host_and_pid.rsplit("-", 2), "", ""][:3]
    try:
        if host == platform.node() and os.name == "posix":
            os.kill(int(pid), 0)  # no signal: only asks whether it is there
            return True
        return time.time() - path.stat().st_mtime < 24 * 3600
    except PermissionError:
        return True  # somebody else's
    except (ValueError, OSError):
        return False


def _load(folder: Path) -> dict[str, np.ndarray] | None:
    """The arrays of a whole and undamaged folder (memory-mapped), else None."""
    try:
        sums = json.loads((folder / "complete.json").read_text())
        if not isinstance(sums, dict) or not {f"{n}.npy" for n in ARRAYS} <= set(sums):
            raise ValueError("complete.json doesn't list all its files")
        if any(_digest(folder / name) != value for name, value in sums.items()):
            raise ValueError("a file has changed since it was written")
        return {Path(n).stem: np.load(folder / n, mmap_mode="r") for n in sums}
    except FileNotFoundError:
        return None
    except PermissionError:
        print(
            f"The drawn birds in {folder} belong to somebody else and may not be read; "
            "drawing them anew, in memory. Ask for permission (chmod -R a+rX), or set "
            "T2I_CACHE to a folder of your own.",
            file=sys.stderr,
        )
        return None
    except (ValueError, OSError) as error:
        print(
            f"The drawn birds in {folder} are damaged ({error}); drawing them anew.",
            file=sys.stderr,
        )
        return None


@lru_cache(maxsize=8)
def _world(
    split: str, size: int, individuals: int, folder: Path
) -> dict[str, np.ndarray]:
    place = folder / f"birds{LAYOUT}-{split}-{size}-{individuals}-{_fingerprint()}"
    arrays = _load(place)
    if arrays is not None:
        return arrays
    arrays = _draw(split, size, individuals)
    try:
        _store(place, arrays)
    except OSError as error:
        print(
            f"Drawn birds could not be kept in {folder} "
            f"({error.strerror or error}); they stay "
            "in memory. Set T2I_CACHE to a folder with space.",
            file=sys.stderr,
        )
    return arrays


def boxes_of(masks: np.ndarray) -> np.ndarray:
    """(B, H, W) part maps to (B, parts - 1, 4) boxes (x0, y0, x1, y1) in 0..1.

    A part that is hidden has a box of zeros; the background has none.
    """
    size = masks.shape[-1]
    found = masks[:, None] == np.arange(1, len(PARTS), dtype=np.uint8)[:, None, None]
    rows, columns = found.any(3), found.any(2)
    low = [np.argmax(side, -1) for side in (columns, rows)]
    high = [size - np.argmax(side[..., ::-1], -1) for side in (columns, rows)]
    boxes = np.stack([*low, *high], -1).astype(np.float32) / size
    return boxes * rows.any(-1)[..., None]


class Birds:
    """A split of the bird world as a source of batches.

    split: "train" (150 species) or "test" (50 others)
    size: pixels, 16 to 512; individuals: of each species
    details: whether batches carry masks and boxes
    """

    def __init__(
        self,
        split="train",
        size=32,
        batch_size=64,
        individuals=60,
        seed=0,
        details=False,
    ):
        if split not in split_species():
            raise ValueError(
                f"The bird world has the splits train and test, not {split!r}."
            )
        self.batch_size, self.details = batch_size, details
        self.seed = seeds.checked(seed)
        arrays = _world(split, size, individuals, cache_folder())
        self.images, self.masks = arrays["images"], arrays["masks"]
        self.species, self.style = arrays["species"], arrays["style"]
        self.tokens, self.named = arrays["tokens"], arrays["named"]
        self._captions = arrays["captions"]
        self.content = _contents(split, individuals)
        self.size, self.individuals = size, individuals
        self.vocabulary = vocabulary()

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
            boxes=None if masks is None else torch.from_numpy(boxes_of(masks)),
            labels=torch.arange(1, len(PARTS)) if self.details else None,
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


# -------------------------------------------------------------- what the course may ask


def source(split, size, batch_size, seed=0, few=False) -> Birds:
    """Birds in batches; two of each species where a few will do."""
    return Birds(split, size, batch_size, 2 if few else 60, seed)


def report():
    """What is drawn already, for `t2i doctor`."""
    folder = cache_folder()
    kept = sorted(folder.glob("birds*-*")) if folder.is_dir() else []
    half = half_made(folder) if folder.is_dir() else []
    current = [p for p in kept if p.name.endswith(_fingerprint())]
    names = ", ".join(p.name.rpartition("-")[0] for p in current)
    yield f"bird world: {'drawn: ' + names if names else 'drawn at its first use'}"
    old = [p for p in kept if p not in current]
    for what, some in (("by older code", old), ("half made", half)):
        if some:
            size = sum(f.stat().st_size for p in some for f in p.glob("*")) / 2**20
            names = ", ".join(p.name for p in some)
            yield f"  {what}, {size:.0f} MB, may be deleted from {folder}: {names}"


DATA = {
    "birds": DataInfo(
        source,
        ("train", "test"),
        vocabulary,
        oracle="t2i_course.measure.oracle:oracle",
        judges={
            "sentences": "t2i_course.measure.judges:birds_as_asked",
            "noise": "t2i_course.measure.judges:birds",
            "classes": "t2i_course.measure.judges:birds_of_classes",
        },
        report=report,
    )
}
