"""How well a reader of sentences understands them, held against birds it never saw.

A reader has `see(pictures) -> (B, D)` and `read(captions, correct=True) -> (B, D)`;
how well a picture and a caption agree is their dot product. All captions here are of
the 50 species that nothing was trained on, and what each names is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor
from torch.nn import functional as F

from ..data import Batch
from ..text.typing_errors import misspell
from ..worlds.bird_captions import COLOUR_WORDS, HELD_OUT, PART_WORDS, describe
from ..worlds.bird_species import ATTRIBUTES, COLOUR_PARTS
from ..worlds.birds import Birds
from .retrieval import caption_lists

__all__ = [
    "by_length", "ceilings", "found_by", "held_out", "letters_in", "likeness",
    "met", "mistyped", "names_so_many", "nearest", "nearest_species", "observed",
    "observer_by", "on_a_plane", "own_rank", "places", "report", "retrieval",
    "scores_of", "swapped", "synonyms", "true_of", "true_of_others", "typed",
    "unseen", "within", "word_order", "zero_shot",
]  # fmt: skip

SLIPS = (0, 1, 2, 4)
# Where classes of captions by length begin, after the first: of all captions, and of
# those that name two attributes.
LETTERS, LETTERS_OF_TWO = (25, 40, 70), (40, 55, 70)
HALF = 30  # individuals of a species whose captions stand for it; the rest are asked


def unseen(count: int = 1000) -> Batch:
    """So many pictures of unseen species, a caption each, spread over the species."""
    return Birds("test", 32).all(count)


# -------------------------------------------------------------------------- retrieval


def places(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Where the first of each row stands: scores (B, N) to two rows (B,).

    How many of the row score higher than its first, and how many the same (itself
    among them).
    """
    own = scores[:, :1]
    return (scores > own).sum(1), (scores == own).sum(1)


def own_rank(scores: Tensor) -> Tensor:
    """The rank (B,) of the first of each row of scores (B, N): 1 is the best.

    1, and one for each that scores more, and half of one for each other that scores
    the same: its mean rank if lots were drawn among equals. Lesson 07.
    """
    better, equal = places(scores)
    return better + (equal + 1) / 2


def within(scores: Tensor, k: int) -> Tensor:
    """The chance (B,) that the first of a row is among its k best; lots among equals.

    scores: (B, N).
    """
    better, equal = places(scores)
    return ((k - better) / equal).clamp(0, 1)


def figures(scores: Tensor, start: str = "") -> dict[str, float]:
    """R@1, R@5 and the median place of the first of each row; scores: (B, N)."""
    return {
        f"{start}R@1": within(scores, 1).mean().item(),
        f"{start}R@5": within(scores, 5).mean().item(),
        f"{start}median": own_rank(scores).median().item(),
    }


def scores_of(pictures: Tensor, captions: Tensor, lists: Tensor) -> Tensor:
    """Agreement (B, N) of each picture with the captions of its list; both (B, D)."""
    return torch.einsum("bd,bnd->bn", pictures, captions[lists])


def retrieval(reader, batch: Batch, captions: list[str] | None = None, **how) -> dict:
    """Of a hundred captions, where is the picture's own? And the other way round.

    captions: in place of the batch's, one a picture; how: of `reader.read`. The 99
    others are of other species (AttnGAN's protocol, slide AT-6). {"R@1", "R@5",
    "median", and the same with "picture " before it, for a caption's own picture}.
    """
    lists = caption_lists(batch.class_id)
    pictures = reader.see(batch.image)
    read = reader.read(batch.caption if captions is None else captions, **how)
    return figures(scores_of(pictures, read, lists)) | figures(
        scores_of(read, pictures, lists), "picture "
    )


def true_of(truth: Tensor, named: Tensor) -> Tensor:
    """Whether captions that name (..., A) are true of birds that are (..., A)."""
    return ((named < 0) | (named == truth)).all(-1)


def observed(
    batch: Batch, named: Tensor | None = None, fewest: bool = False
) -> tuple[Tensor, Tensor]:
    """Two rules of one who sees every attribute and understands every word: (B, 100).

    How much each caption of a picture's list is preferred: among those that are true
    of it the one that names most (or, if `fewest`, least). And which pictures of a
    caption's list it is true of: one of them can't be told from another.
    """
    named = batch.named if named is None else named
    lists = caption_lists(batch.class_id)
    said, there = named[lists], batch.attributes[lists]
    detail = (said >= 0).sum(2)
    detail = said.shape[2] - detail if fewest else detail
    true = true_of(batch.attributes[:, None], said)
    return torch.where(true, detail, -1), true_of(there, named[:, None]).long()


def ceilings(batch: Batch, named: Tensor | None = None) -> dict[str, float]:
    """The same figures for one who sees every attribute and understands every word.

    Of the captions that are true of a picture this observer prefers the one that names
    most. A yardstick, no bound: among captions that name little another rule does
    better; see `observed`.
    """
    captions, pictures = observed(batch, named)
    return figures(captions) | figures(pictures, "picture ")


def true_of_others(classes: int = 75, rounds: int = 40) -> float:
    """How often a batch holds another species' caption that is true of a picture.

    Over training batches of a picture and a caption of each of so many species: a loss
    that takes only the hardest other caption will often take such a one for false.
    """
    birds, found = Birds("train", 32), []
    for step in range(rounds):
        batch, _ = birds.distinct(step, classes)
        fits = true_of(batch.attributes[:, None], batch.named[None])
        found.append(fits.fill_diagonal_(False).any(1).float().mean().item())
    return sum(found) / rounds


def by_length(reader, batch: Batch) -> dict[str, list[float]]:
    """{"1": [R@1, the observer's, captions], ...} by how many attributes are named.

    The observer: of `ceilings`. "5": five or more.
    """
    found, best = found_by(reader, batch), observer_by(batch)
    count = names_so_many(batch)
    return {
        str(n): [found[count == n].mean().item(), best[count == n].mean().item(),
                 int((count == n).sum())]
        for n in count.unique().tolist()
    }  # fmt: skip


def found_by(reader, batch: Batch) -> Tensor:
    """The chance (B,) that a picture's own caption is first of its hundred."""
    lists = caption_lists(batch.class_id)
    scores = scores_of(reader.see(batch.image), reader.read(batch.caption), lists)
    return within(scores, 1)


def observer_by(batch: Batch, fewest: bool = False) -> Tensor:
    """The same (B,) for one who sees and understands all; fewest: see `observed`."""
    return within(observed(batch, fewest=fewest)[0], 1)


def names_so_many(batch: Batch) -> Tensor:
    """How many attributes each caption names, (B,): 1 to 5, which means 5 or more."""
    return (batch.named >= 0).sum(1).clamp(max=5)


def letters_in(batch: Batch, edges: Sequence[int] = LETTERS) -> Tensor:
    """Which class the length of each caption falls in, (B,): 0 below edges[0], ..."""
    lengths = torch.tensor([len(caption) for caption in batch.caption])
    return torch.bucketize(lengths, torch.tensor(edges), right=True)


def likeness(reader, first: str, second: str) -> float:
    """The cosine of two sentences' embeddings."""
    rows = F.normalize(reader.read([first, second]), dim=1)
    return float(rows[0] @ rows[1])


def met(known: Batch, asked: Batch, attributes: Sequence[str]) -> Tensor:
    """Which of the asked birds (B,) have a combination that a known bird has."""
    columns = [list(ATTRIBUTES).index(name) for name in attributes]
    seen = set(map(tuple, known.attributes[:, columns].tolist()))
    return torch.tensor(
        [tuple(r) in seen for r in asked.attributes[:, columns].tolist()]
    )


# ------------------------------------------------------------------- other sentences


def mistyped(captions: list[str], slips: int, seed: int = 0) -> list[str]:
    """The captions with so many slips of the fingers each, in words of 5 letters on."""
    rng = Random(f"slips-{seed}")
    for _ in range(slips):
        captions = [misspell(caption, rng) for caption in captions]
    return captions


def typed(reader, batch: Batch, correct: bool = True) -> dict[str, float]:
    """{slips: R@1} with 0, 1, 2 and 4 slips a caption.

    correct: whether a reader of words first takes likely errors for what was meant.
    """
    return {
        str(n): retrieval(reader, batch, mistyped(batch.caption, n), correct=correct)[
            "R@1"
        ]
        for n in SLIPS
    }


def held_out(batch: Batch, seed: int = 5) -> tuple[list[str], Tensor]:
    """A caption for each picture in a form that no training caption has.

    And what each names, (B, A) with -1 for nothing.
    """
    rng = Random(seed)
    found = [
        describe(row.numpy(), rng, rng.choice(list(HELD_OUT)))
        for row in batch.attributes
    ]
    named = np.stack([names for _, names in found])
    return [caption for caption, _ in found], torch.from_numpy(named)


def swapped(batch: Batch) -> tuple[Tensor, list[str], list[str]]:
    """Birds whose wings and belly differ: which, the true sentence, and its swap.

    "a bird with blue wings and a red belly", "a bird with red wings and a blue belly":
    the same words, in another order.
    """
    wing, belly = (list(ATTRIBUTES).index(part) for part in ("wing", "belly"))
    colours, truth = ATTRIBUTES["wing"], batch.attributes
    chosen = torch.nonzero(truth[:, wing] != truth[:, belly])[:, 0]
    pairs = [(colours[truth[i, wing]], colours[truth[i, belly]]) for i in chosen]
    true = [f"a bird with {a} wings and {_a(b)} belly" for a, b in pairs]
    return chosen, true, [f"a bird with {b} wings and {_a(a)} belly" for a, b in pairs]


def _a(word: str) -> str:
    """The word with its article."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def word_order(reader, batch: Batch) -> float:
    """How often the true sentence agrees more with the picture than its swap; .5 blind.

    A reader that only collects words gives both the same: half a point.
    """
    chosen, true, false = swapped(batch)
    pictures = reader.see(batch.image[chosen])
    scores = [(pictures * reader.read(words)).sum(1) for words in (true, false)]
    close = torch.isclose(*scores, rtol=1e-5, atol=1e-6)
    return torch.where(close, 0.5, (scores[0] > scores[1]).float()).mean().item()


def synonyms(reader) -> float:
    """How often a rarer word is read as the plain one that it stands for.

    "crimson wings" should lie nearer (by the cosine) to "red wings" than to the other
    nine colours; "a red abdomen" to "a red belly" than to the other three parts.
    """
    questions = [
        (
            f"a bird with {word} wings",
            [f"a bird with {c} wings" for c in COLOUR_WORDS],
            i,
        )
        for i, (plain, words) in enumerate(COLOUR_WORDS.items())
        for word in _rarer(words, plain)
    ]
    plain = ("wings", "belly", "crown", "tail")
    questions += [
        (f"this bird has red {word}", [f"this bird has red {p}" for p in plain], i)
        for i, part in enumerate(COLOUR_PARTS)
        for word in _rarer(PART_WORDS[part], plain[i])
    ]
    right = [
        nearest(reader, [asked], among)[0][0] == among[i]
        for asked, among, i in questions
    ]
    return sum(right) / len(right)


def _rarer(words: str, plain: str) -> list[str]:
    """The words of a list "red|red|crimson" that aren't the plain one, once each."""
    return [word for word in dict.fromkeys(words.split("|")) if word != plain]


# ----------------------------------------------------------------- species, neighbours


def nearest_species(
    pictures: Tensor, captions: Tensor, labels: Tensor, count: int
) -> Tensor:
    """The species (N,) that each picture agrees most with.

    pictures (N, D); captions (M, D), each of a species labels (M,) below `count`: a
    species is the mean of its captions' embeddings. Reed et al. 2016; lesson 07.
    """
    species = torch.stack([captions[labels == k].mean(0) for k in range(count)])
    return (pictures @ species.T).argmax(1)


def zero_shot(reader, captions: int = 3) -> float:
    """Species that nothing was trained on, told from their captions alone; .02 blind.

    A species is the mean embedding of captions of half its birds; each picture of the
    other half gets the species that agrees most with it (Reed et al. 2016, section 4).
    captions: a picture, of its ten.
    """
    birds = Birds("test", 32)
    number = np.arange(len(birds)) % birds.individuals
    known, asked = (np.flatnonzero(part) for part in (number < HALF, number >= HALF))
    said = [birds.captions[10 * i + j] for i in known for j in range(captions)]
    rows = torch.cat([reader.read(part) for part in _parts(said, 500)])
    kinds, labels = np.unique(birds.species[known], return_inverse=True)
    labels = torch.from_numpy(labels).repeat_interleave(captions)
    pictures = reader.see(torch.from_numpy(birds.images[asked]))
    guessed = kinds[nearest_species(pictures, rows, labels, len(kinds)).numpy()]
    return float((guessed == birds.species[asked]).mean())


def _parts(items: list, size: int):
    """The list in pieces of that size."""
    return (items[i : i + size] for i in range(0, len(items), size))


def nearest(reader, captions: list[str], among: list[str], count: int = 1):
    """For each caption the `count` sentences of `among` nearest by the cosine.

    A list of lists, the nearest first.
    """
    rows, others = (F.normalize(reader.read(c), dim=1) for c in (captions, among))
    order = (rows @ others.T).topk(count, 1).indices.tolist()
    return [[among[i] for i in row] for row in order]


def on_a_plane(reader, captions: list[str]) -> np.ndarray:
    """Where sentences lie on the plane that spreads them most: (B, 2), by PCA."""
    rows = reader.read(captions).double().numpy()
    return PCA(2, random_state=0).fit_transform(rows)


# -------------------------------------------------------------------------- all of it


class _Once:
    """A reader that looks at the same pictures once."""

    def __init__(self, reader):
        self.read, self._see, self._seen = reader.read, reader.see, {}

    def see(self, pictures: Tensor) -> Tensor:
        """As the reader does; the pictures are kept, so that no others take the key."""
        key = pictures.data_ptr(), pictures.shape
        if key not in self._seen:
            self._seen[key] = pictures, self._see(pictures)
        return self._seen[key][1]


def report(reader, count: int = 1000) -> dict:
    """Every figure of a reader on unseen species; `count` pictures for retrieval.

    typed: R@1 with one slip a caption, after the vocabulary's own correction of likely
    errors, and "typed as it stands" without.
    """
    batch, reader = unseen(count), _Once(reader)
    forms, named = held_out(batch)
    slips = {
        "slips": typed(reader, batch),
        "slips as they stand": typed(reader, batch, correct=False),
    }
    found = {
        **retrieval(reader, batch),
        "ceiling": ceilings(batch)["R@1"],
        "zero-shot": zero_shot(reader),
        "typed": slips["slips"]["1"],
        "typed as it stands": slips["slips as they stand"]["1"],
        "held-out": retrieval(reader, batch, forms)["R@1"],
        "held-out ceiling": ceilings(batch, named)["R@1"],
        "order": word_order(reader, batch),
        "synonyms": synonyms(reader),
        **slips,
        "length": by_length(reader, batch),
    }
    return _rounded(found)


def _rounded(figure, digits: int = 4):
    """Numbers rounded, within lists and dictionaries too."""
    if isinstance(figure, dict):
        return {name: _rounded(value) for name, value in figure.items()}
    if isinstance(figure, list):
        return [_rounded(value) for value in figure]
    return round(figure, digits)
