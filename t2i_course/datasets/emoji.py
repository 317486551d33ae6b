"""Emoji of several makers with their names and tags: a small real data set.

Real means that people drew the pictures and people wrote the words. About 1,900 emoji,
each drawn by up to three makers (Noto by Google, Twemoji by Twitter, Fluent by
Microsoft), on white, 64x64; ten captions a picture, put together from the emoji's name,
its tags, its group and its maker. The pictures and their licences are in `emoji_data/`,
built by `data_scripts/emoji.py`; nothing is downloaded.

Three splits, fixed in the file, so that learning and memorizing can be told apart:
- `train`
- `new_emoji`: emoji of which training holds no maker's picture. Whole families go
  together: "woman farmer" is not new to somebody who knows "man farmer".
- `new_maker`: single pictures whose name is known in training only from the other
  makers, and whose maker is known only from other names ("a pear as Noto draws it").
No picture of the last two is close to one of training (less than 0.06 root mean square
distance at 32x32, colours from 0 to 1).
"""

import hashlib
import io
import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .. import seeds
from ..data import Batch, batch_indices
from ..declarations import DataInfo, Problem

__all__ = ["FOLDER", "SPLITS", "DamagedData", "Emoji", "captions", "checksum", "words"]

FOLDER = Path(__file__).parent / "emoji_data"
FORMAT = 1
SIDE = 64  # pixels of a picture on disk
SIZES = (32, 64)
SPLITS = ("train", "new_emoji", "new_maker")
CAPTIONS = 10  # per picture, as CUB has


class DamagedData(RuntimeError):
    """The emoji on disk can't be used; the message says why and what to do."""

    def __init__(self, path: Path, why: str):
        super().__init__(
            f"{path} {why}. Get the file again (in a clone: `git checkout -- {path}`; "
            f"installed: install the package again), or build the set anew with "
            f"`python data_scripts/emoji.py --out {path.parent}`."
        )


# ---- from disk ----------------------------------------------------------------------


def checksum(table: dict) -> str:
    """The sha256 that `emoji.json` carries of everything else in it."""
    rest = {key: value for key, value in table.items() if key != "checksum"}
    text = json.dumps(rest, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DamagedData(path, f"can't be read ({error.strerror})") from error


@lru_cache(maxsize=2)
def _table(folder: Path) -> dict:
    """`emoji.json`, checked: names, tags, groups, and what each maker's sheet holds."""
    path = folder / "emoji.json"
    try:
        table = json.loads(_read(path))
        whole = table["checksum"] == checksum(table)
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedData(path, f"is damaged ({error})") from error
    if not whole:
        raise DamagedData(path, "is damaged or was changed (its checksum is wrong)")
    if table["format"] != FORMAT:
        raise DamagedData(path, f"has format {table['format']}, not {FORMAT}")
    return table


def _sheet(folder: Path, maker: dict, columns: int) -> np.ndarray:
    """One maker's pictures, (N, 3, 64, 64) uint8, cut from the maker's sheet."""
    path = folder / maker["file"]
    data = _read(path)
    if hashlib.sha256(data).hexdigest() != maker["sha256"]:
        raise DamagedData(path, f"is damaged ({len(data)} bytes, wrong sha256)")
    try:
        sheet = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    except OSError as error:  # the bytes are right, so it is Pillow that can't
        raise RuntimeError(
            f"This Pillow can't read {path} ({error}). It was built without WebP: "
            f"`pip install --upgrade pillow`."
        ) from error
    rows = sheet.shape[0] // SIDE
    cells = sheet.reshape(rows, SIDE, columns, SIDE, 3).transpose(0, 2, 4, 1, 3)
    return cells.reshape(rows * columns, 3, SIDE, SIDE)[: len(maker["emoji"])]


@lru_cache(maxsize=2)
def _pictures(folder: Path, size: int) -> np.ndarray:
    """All pictures, (N, 3, size, size) uint8: the makers one after the other.

    Smaller sizes are the mean over areas, so nothing flickers and thin lines stay.
    """
    table = _table(folder)

    def at_size(maker: dict) -> np.ndarray:
        part = _sheet(folder, maker, table["columns"])
        if size == SIDE:
            return part
        n = SIDE // size
        places = [(y, x) for y in range(n) for x in range(n)]
        total = sum(part[..., y::n, x::n].astype(np.uint16) for y, x in places)
        return ((total + n * n // 2) // (n * n)).astype(np.uint8)

    with ThreadPoolExecutor() as pool:  # decoding is most of the time a load takes
        return np.concatenate(list(pool.map(at_size, table["makers"].values())))


# ---- captions -----------------------------------------------------------------------

# Each has a word of its own ("emoji", "drawing", "style"), so that even an emoji whose
# name and tags no network has seen leaves a caption with a known word in it.
TEMPLATES = (
    "{name} emoji",
    "a flat drawing of {a_name}",
    "{name}, {tag}, in {maker} style",
    "an emoji of {a_name}, {group}",
    "a picture of {a_name} drawn by {maker}",
    "a {maker} drawing of {a_name}, {tag}",
    "a small picture of {a_name} on white",
    "{subgroup} emoji: {name}, {tag}",
    "{three_tags} emoji in {maker} style",
    "{a_name}, {two_tags}, drawn on white",
)
assert len(TEMPLATES) == CAPTIONS

_HEAD = re.compile(r" (with|of|in|on|over|showing|facing|wearing|at|without) .*")
_NO_ARTICLE = ("laughing", "hair", "people", "men", "women", "music", "no", "on")


def _with_article(name: str, group: str) -> str:
    """ "red apple" to "a red apple"; plurals, symbols and the like stay as they are."""
    if name.startswith("flag of "):
        return f"the {name}"
    head = _HEAD.sub("", name).split()[-1].lower()
    plural = head.endswith("s") and not head.endswith(("ss", "us", "is"))
    if plural or head in _NO_ARTICLE or group == "symbols" or name[0].isdigit():
        return name
    an = name[0].lower() in "aeio" or name.startswith(("umb", "upside"))
    return f"{'an' if an else 'a'} {name}"


def captions(
    name: str, tags: list[str], group: str, subgroup: str, maker: str
) -> list[str]:
    """The ten captions of one picture; the same every time.

    Tags take turns in a different order for each maker, so that the makers' captions
    of one emoji differ in more than the maker's name. Used in lesson 08.
    """
    given = tags or [group]
    turn = sum(map(ord, name + maker))
    same = {"name": name, "group": group, "subgroup": subgroup, "maker": maker}
    same["a_name"] = _with_article(name, group)
    result = []
    for number, template in enumerate(TEMPLATES):
        chosen = [given[(turn + 3 * number + i) % len(given)] for i in range(3)]
        sentence = template.format(
            **same,
            tag=chosen[0],
            two_tags=", ".join(dict.fromkeys(chosen[:2])),  # each once
            three_tags=", ".join(dict.fromkeys(chosen)),
        )
        result.append(sentence)
    return result


def _captions_of(table: dict, emoji: int, maker: str) -> list[str]:
    name, tags, group, subgroup = table["emoji"][emoji][1:]
    where = table["groups"][group], table["subgroups"][subgroup]
    return captions(name, tags, *where, maker)


@lru_cache(maxsize=2)
def words(limit: int = 2500, folder: Path = FOLDER) -> list[str]:
    """The most frequent words of the training captions, most frequent first.

    Held-out pictures have no say here, so some of their words are unknown, as it is
    with new words in life.
    """
    from ..text import split_words

    table = _table(folder)
    count: Counter[str] = Counter()
    for maker, part in table["makers"].items():
        for emoji, split in zip(part["emoji"], part["split"]):
            if SPLITS[int(split)] == "train":
                for caption in _captions_of(table, emoji, maker):
                    count.update(split_words(caption))
    order = sorted(count, key=lambda word: (-count[word], word))
    return order[:limit]


@lru_cache(maxsize=1)
def vocabulary():
    """The words that the shipped emoji networks read; a `text.Vocabulary`.

    It guesses at no typing errors: these words are many and near each other.
    """
    from ..text import Vocabulary

    return Vocabulary(words(), correct=False)


# ---- the source ---------------------------------------------------------------------


class Emoji:
    """Emoji pictures with captions, as batches; the splits: see the top of this file.

    split: "train", "new_emoji" or "new_maker"; size: 32 or 64 pixels
    vocabulary: gives batches `tokens` and `lengths` (None: they have none)
    groups, makers: keep only these, e.g. groups=["food and drink"]
    folder: another set built by `data_scripts/emoji.py`

    Per picture i: `pictures[i]` (3, size, size) uint8, `captions[i]` ten sentences,
    `names[i]`, `makers[i]`, `groups[i]`, and `class_id[i]`, the emoji's number.
    Emoji that a maker draws exactly alike (Norway's flag and Bouvet Island's) share a
    number, so a caption of another class is a wrong caption.
    Raises ValueError for an unknown split, size, group or maker, or an empty choice;
    DamagedData for files that are missing or not as built. Used in lesson 08.
    """

    def __init__(
        self,
        split: str = "train",
        size: int = 64,
        batch_size: int = 64,
        seed: int = 0,
        vocabulary=None,
        groups: list[str] | None = None,
        makers: list[str] | None = None,
        folder: Path | str = FOLDER,
    ):
        folder = Path(folder)
        table = _table(folder)
        _known("split", [split], SPLITS)
        _known("size", [size], SIZES)
        _known("group", groups or [], table["groups"])
        _known("maker", makers or [], table["makers"])
        self.split, self.size, self.seed = split, size, seeds.checked(seed)
        self.batch_size, self.vocabulary = batch_size, vocabulary
        chosen = _choose(table, split, groups, makers)
        if not chosen:
            raise ValueError(f"No picture of {split} is of {groups} and by {makers}.")
        rows, emoji, self.makers = map(list, zip(*chosen))
        self.pictures = torch.from_numpy(_pictures(folder, size)[rows])
        self.names = [table["emoji"][e][1] for e in emoji]
        self.groups = [table["groups"][table["emoji"][e][3]] for e in emoji]
        self.class_id = torch.tensor([table["class_id"][e] for e in emoji])
        self.captions = [_captions_of(table, e, m) for e, m in zip(emoji, self.makers)]
        self._rows: dict[str, Tensor] = {}  # captions as numbers, once they are needed

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch of that step, a function of (seed, step, rank) only.

        Every picture once an epoch, each time with one of its ten captions.
        """
        size = self.batch_size
        index = batch_indices(len(self), size, self.seed, step, rank, world)
        rng = np.random.default_rng((self.seed, step, CAPTIONS))
        which = rng.integers(CAPTIONS, size=size * world)[rank * size :][:size]
        return self.take(index.tolist(), which.tolist())

    def take(self, index: list[int], which: list[int]) -> Batch:
        """A batch of the pictures `index`, picture i with its caption `which[i]`."""
        sentences = [self.captions[i][j] for i, j in zip(index, which)]
        tokens, lengths = self._encode(sentences)
        return Batch(
            image=self.pictures[index],
            caption=sentences,
            tokens=tokens,
            lengths=lengths,
            class_id=self.class_id[index],
        )

    def _encode(self, sentences: list[str]) -> tuple[Tensor | None, Tensor | None]:
        if self.vocabulary is None:
            return None, None
        for sentence in sentences:
            if sentence not in self._rows:
                tokens, lengths = self.vocabulary.encode([sentence])
                self._rows[sentence] = tokens[0, : int(lengths[0])]
        rows = [self._rows[sentence] for sentence in sentences]
        padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        return padded, torch.tensor([len(row) for row in rows])

    def nearest(self, pictures: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
        """The k pictures of this set nearest to each given one, pixel by pixel.

        pictures: (B, 3, size, size), uint8 or float in [-1, 1].
        Returns indices (B, k) and distances (B, k): the root mean square difference of
        colours in [-1, 1], nearest first. On the training set this measures memorizing:
        compare with the distances of real held-out pictures. Used in lesson 08.
        """
        if pictures.shape[1:] != self.pictures.shape[1:]:
            raise ValueError(
                f"Expected pictures (B, {', '.join(map(str, self.pictures.shape[1:]))})"
                f", got {tuple(pictures.shape)}."
            )
        if not 1 <= k <= len(self):
            raise ValueError(f"k is from 1 to {len(self)}, not {k}.")
        queries = _flat(pictures.detach().cpu())
        distances = torch.cat(
            [torch.cdist(queries, _flat(part)) for part in self.pictures.split(1024)], 1
        )
        found = distances.topk(k, dim=1, largest=False)
        return found.indices, found.values / queries.shape[1] ** 0.5

    def likeness(self, pictures: Tensor, of: "Emoji", index: list[int]) -> list[float]:
        """How like this set pictures are that were made for `of`'s captions.

        pictures[i] was made for picture index[i] of the set `of`. Returns the mean
        distance to the nearest picture here, and the shares of nearest ones that show
        the same emoji, and one of the same group. Used in lesson 08.
        """
        nearest, distance = self.nearest(pictures)
        near = nearest[:, 0].tolist()
        same = [bool(self.class_id[n] == of.class_id[i]) for n, i in zip(near, index)]
        alike = [self.groups[n] == of.groups[i] for n, i in zip(near, index)]
        return [float(distance.mean()), *(sum(x) / len(index) for x in (same, alike))]


def _flat(pictures: Tensor) -> Tensor:
    if pictures.dtype == torch.uint8:
        pictures = pictures.float().div_(127.5).sub_(1)
    return pictures.float().flatten(1)


def _known(what: str, given, known) -> None:
    for item in given:
        if item not in known:
            raise ValueError(
                f"There is no {what} {item!r}. Choose from: "
                f"{', '.join(str(k) for k in known)}."
            )


def _choose(table: dict, split: str, groups, makers) -> list[tuple[int, int, str]]:
    """(row among all pictures, emoji, maker) of the pictures that are asked for."""
    chosen, row = [], 0
    for maker, part in table["makers"].items():
        for emoji, number in zip(part["emoji"], part["split"]):
            group = table["groups"][table["emoji"][emoji][3]]
            if (
                SPLITS[int(number)] == split
                and (groups is None or group in groups)
                and (makers is None or maker in makers)
            ):
                chosen.append((row, emoji, maker))
            row += 1
    return chosen


# ---- what the course may ask --------------------------------------------------------


def source(split, size, batch_size, seed=0, few=False) -> Emoji:
    """Emoji in batches, with their captions' words."""
    return Emoji(split, size, batch_size, seed, vocabulary())


def report():
    """Whether they are whole, for `t2i doctor`."""
    try:
        yield f"emoji: {len(Emoji('train', 32))} training pictures"
    except DamagedData as error:
        yield Problem("the emoji are damaged", str(error))


DATA = {
    "emoji": DataInfo(
        source,
        SPLITS,
        vocabulary,
        judges={"sentences": "t2i_course.measure.judges:emoji_as_asked"},
        report=report,
    )
}
