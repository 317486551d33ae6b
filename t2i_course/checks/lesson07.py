"""Checks of lesson 07, Reading sentences: letters, agreement, ranks, species."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..measure import sentences
from ..papers import char_cnn_rnn, joint_embedding, vse
from ..papers.char_cnn_rnn import ALPHABET, PLACES
from .compare import fresh, normal
from .core import (
    Promise,
    Wrong,
    diagnose,
    exercise,
    expect,
    expect_close,
    expect_shape,
)
from .hinges import (
    STRUCTURED_SLIPS,
    VSE_SLIPS,
    structured_with,
    vse_cosines_masked,
    vse_with,
    with_diagonal,
)

# --------------------------------------------------------------------- 07.1, letters


def _coded(captions, length, places=PLACES, lower=True, unknown=0, blank=0, shift=0,
           end=False, whole=False):  # fmt: skip
    """Codes with one thing done otherwise."""
    rows = []
    for caption in captions:
        text = caption.lower() if lower else caption
        text = text if whole else text[-length:] if end else text[:length]
        row = [places.get(c, unknown) for c in text]
        row = [code - shift if code else 0 for code in row][:length]
        rows.append(row + [blank] * (length - len(row)))
    return torch.tensor(rows)


FIRST = {c: ALPHABET.index(c) + 1 for c in ALPHABET}
CAPTIONS = ["A red-winged bird.", "blue é tail", "this bird has grey wings"]


def _skipping(captions, length):
    known = ["".join(c for c in s.lower() if c in PLACES) for s in captions]
    return _coded(known, length)


def _in_front(captions, length):
    rows = [_coded([caption], len(caption[:length]))[0] for caption in captions]
    return torch.stack([F.pad(row, (length - len(row), 0)) for row in rows])


@exercise(
    "07.1",
    title="Letters as numbers",
    minutes=10,
    difficulty=2,
    reference=char_cnn_rnn.characters,
    promise=Promise(
        "tensor",
        lambda: [
            {"captions": CAPTIONS, "length": 12},
            {"captions": ["a bird", "a blue bird with a red belly"], "length": 201},
        ],
    ),
)
def _(answer):
    """Captions with capitals, a doubled place, a strange letter, and too many."""
    known = {
        "capitals get no code: make the caption small first (.lower()).":
            lambda s, n: _coded(s, n, lower=False),
        "\"-\" has its first place here, 37; the release's table keeps the later one, "
        "60: each entry is written over by the next of the same "
        "letter.": lambda s, n: _coded(s, n, places=FIRST),
        "the codes begin with 0 for a, and 0 is also nothing: count from 1.":
            lambda s, n: _coded(s, n, shift=1),
        "the end of a long caption is read; its beginning is: cut what is "
        "behind.": lambda s, n: _coded(s, n, end=True),
        "a letter that the alphabet lacks is left out, so that all behind it moves up; "
        "it is a 0 in its place.": _skipping,
        "the 0s stand in front of a short caption; they come after it.":
            _in_front,
        "the rest of a row is filled with the blank's code; nothing is 0.":
            lambda s, n: _coded(s, n, blank=PLACES[" "]),
        "a letter that the alphabet lacks is read as a blank; it is nothing, "
        "0.": lambda s, n: _coded(s, n, unknown=PLACES[" "]),
    }  # fmt: skip
    short, long = answer(["a bird"], 10), answer([CAPTIONS[0]], 12)
    if isinstance(short, Tensor) and tuple(short.shape) == (1, 6):
        raise Wrong("a short caption gives a short row; fill it with 0 up to `length`.")
    if isinstance(long, Tensor) and tuple(long.shape) == (1, 18):
        raise Wrong("what is longer than `length` is cut: [:length].")
    expect_shape(short, (1, 10), "the table of codes", "(captions, length)")
    expect(
        isinstance(short, Tensor) and not short.is_floating_point(),
        "the codes look up rows of a table: whole numbers (int64), no floats.",
    )
    inputs = [(CAPTIONS, 12), (CAPTIONS[:1], 40)]
    diagnose(answer, inputs, char_cnn_rnn.characters, known,
             what="the table of codes")  # fmt: skip


# --------------------------------------------------------------------- 07.2, lengths


def _lengths(length, layers, rule):
    found = [length]
    for kernel, stride in layers:
        found.append(rule(found[-1], kernel, stride))
    return found


LENGTH_SLIPS = {
    "the stride is left out: with stride 3 only each third window is taken.":
        lambda n, k, s: n - k + 1,
    "n / stride forgets the kernel: a window must fit in whole.":
        lambda n, k, s: n // s,
    "one window is missing: after (n - k) / stride steps there is still the first one, "
    "+ 1.": lambda n, k, s: (n - k) // s,
    "this rounds up, as if a window could stick out at the end; the release has no "
    "padding: round down.": lambda n, k, s: -((k - n) // s) + 1,
    "this is the length with padding, where the sides stay; there is none "
    "here.": lambda n, k, s: (n - 1) // s + 1,
    "the window is taken off without the first step: n - k, not n - k - "
    "1.": lambda n, k, s: (n - k - 1) // s + 1,
}  # fmt: skip


@exercise(
    "07.2",
    title="How long is a sentence, inside?",
    minutes=5,
    difficulty=1,
    reference=char_cnn_rnn.lengths_through,
    promise=Promise(
        "numbers",
        lambda: [
            {"length": 201, "layers": char_cnn_rnn.CharCnnRnn.layers()},
            {"length": 128, "layers": char_cnn_rnn.CharCnnRnn.layers(True)},
        ],
    ),
)
def _(answer):
    """The release's lengths, and stacks that don't divide."""
    cases = [(201, [(4, 1), (3, 3), (4, 1), (3, 3), (4, 1), (3, 2)]),
             (20, [(3, 2), (2, 2)]), (12, [(5, 3)])]  # fmt: skip
    got = [answer(*fresh(case)) for case in cases]
    if not all(isinstance(g, (list, tuple)) for g in got):
        raise Wrong("a list is asked for: the length at first, and after each layer.")
    want = [char_cnn_rnn.lengths_through(*case) for case in cases]
    if [list(g) for g in got] == [w[1:] for w in want]:
        raise Wrong("the length of the row itself is missing; it comes first.")
    for message, rule in LENGTH_SLIPS.items():
        if [list(g) for g in got] == [_lengths(*case, rule) for case in cases]:
            raise Wrong(message)
    for g, w in zip(got, want):
        expect(
            list(g) == w,
            f"the lengths should be {w}, but are {list(g)}. Count the windows that fit "
            "into a row: the first one, and one more for each step.",
        )
    expect(
        all(isinstance(n, int) for g in got for n in g),
        "lengths are whole numbers: divide by //.",
    )


# ---------------------------------------------------------- 07.3, the structured loss


@exercise(
    "07.3",
    title="Agree with your own",
    minutes=20,
    difficulty=4,
    reference=joint_embedding.structured_loss,
    promise=Promise(
        "scalar",
        lambda: [
            {"images": normal(5, 4), "texts": normal(5, 4, seed=2),
             "untrue": normal(5, 4, seed=3), "margin": 1.0},
            {"images": normal(75, 256, scale=0.1), "texts": normal(75, 256, seed=2),
             "untrue": normal(75, 256, seed=3), "margin": 1.0},
        ],
        gradient=("images", "texts", "untrue"),
    ),
)  # fmt: skip
def _(answer):
    """With and without false twins, by the terms that we know."""
    known = {
        message: [
            lambda i, t, u, m, one=one: structured_with(i, t, u, m, **one)
            for one in (slip if isinstance(slip, list) else [slip])
        ]
        for message, slip in STRUCTURED_SLIPS.items()
    }
    known["the whole loss has the wrong sign: training goes downhill, and it is to go "
          "towards less of it. Leave the minus out."] = lambda i, t, u, m: (
        -joint_embedding.structured_loss(i, t, u, m)
    )  # fmt: skip
    known["each pair is compared with itself as well: the diagonal adds the margin and "
          "teaches nothing. Leave it out."] = with_diagonal  # fmt: skip
    known["the mean is taken over the B (B - 1) others; the table's own mean, over "
          "B x B, is asked for."] = lambda i, t, u, m: (
        joint_embedding.structured_loss(i, t, None, m) * len(i) / (len(i) - 1)
        + (m + (i * u).sum(1) - (i * t).sum(1)).relu().mean()
    )  # fmt: skip
    known["the margin is missing."] = lambda i, t, u, m: structured_with(i, t, u, 0.0)
    known["the margin is taken off; it is put on: 1 + other - own costs something "
          "until the own is ahead by 1."] = (
        lambda i, t, u, m: structured_with(i, t, u, -m)
    )  # fmt: skip
    known["the margin is always 1 here; take the one that is passed: `margin`."] = (
        lambda i, t, u, m: structured_with(i, t, u, 1.0)
    )
    given = [normal(5, 4, scale=0.7), normal(5, 4, seed=2), normal(5, 4, seed=3), 1.0]
    other = [normal(3, 6, seed=5), normal(3, 6, seed=6), normal(3, 6, seed=7), 0.5]
    reference = joint_embedding.structured_loss
    diagnose(answer, [tuple(given), tuple(other)], reference, known, what="the loss")
    try:
        alone = answer(given[0].clone(), given[1].clone())
    except (TypeError, AttributeError):
        raise Wrong(
            "it stops where there are no false twins: `untrue` may be None, which is "
            "its default. Then leave that term out (if untrue is not None: ...)."
        ) from None
    expect_close(alone, reference(*given[:2]), "the loss without false twins")


# ------------------------------------------------------------------------- 07.4, rank


RANK_SLIPS = {
    "the best place is 0 here; count from 1.": lambda s: sentences.own_rank(s) - 1,
    "those that score less are counted: the best caption would come last.":
        lambda s: sentences.own_rank(-s),
    "equal scores are won here: a reader that gives all captions the same would be "
    "first everywhere. Half of the equals stand before it.":
        lambda s: 1.0 + (s[:, 1:] > s[:, :1]).sum(1),
    "equal scores are lost here: half of the equals stand before it, not "
    "all.": lambda s: 1.0 + (s[:, 1:] >= s[:, :1]).sum(1),
    "the own caption is counted among its equals.": lambda s: (
        1 + (s > s[:, :1]).sum(1) + 0.5 * (s == s[:, :1]).sum(1)),
    "this is the column of the best caption, not the rank of the "
    "own.": lambda s: s.argmax(1).float(),
}  # fmt: skip


def _tied(rows: int, columns: int) -> Tensor:
    """Whole scores, so that some are equal."""
    random = torch.Generator().manual_seed(rows)
    return torch.randint(4, (rows, columns), generator=random).float()


@exercise(
    "07.4",
    title="Where does its own caption stand?",
    minutes=10,
    difficulty=2,
    reference=sentences.own_rank,
    promise=Promise(
        "tensor",
        lambda: [{"scores": _tied(6, 5)}, {"scores": normal(500, 100)}],
        either=("scores",),
        double=False,  # a rank is no score: its type is its own
        any_float=True,
    ),
)
def _(answer):
    """Scores with equals."""
    inputs = [(_tied(7, 6),), (normal(4, 9),), (torch.zeros(2, 5),)]
    diagnose(answer, inputs, sentences.own_rank, RANK_SLIPS, what="the row of ranks")


# --------------------------------------------------------------- 07.5, unseen species


def _labels(count: int, kinds: int) -> Tensor:
    random = torch.Generator().manual_seed(3)
    drawn = torch.randint(kinds, (count,), generator=random)
    drawn[:kinds] = torch.arange(kinds).flip(0)  # not in the order of their numbers
    return drawn


def _means(captions, labels, count):
    return torch.stack([captions[labels == k].mean(0) for k in range(count)])


SPECIES_SLIPS = {
    "a species is the sum of its captions here: one that has more captions agrees more "
    "with everything. Take the mean.": lambda p, c, y, k: (
        p @ torch.stack([c[y == i].sum(0) for i in range(k)]).T).argmax(1),
    "each picture gets the species of the one caption that agrees most; average the "
    "captions of a species first.": lambda p, c, y, k: y[(p @ c.T).argmax(1)],
    "the species that agrees least is taken: argmax.": lambda p, c, y, k: (
        p @ _means(c, y, k).T).argmin(1),
    "the cosine is taken; here agreement is the dot product, in which the length of a "
    "species' mean counts: leave F.normalize out.": [
        lambda p, c, y, k: (p @ F.normalize(_means(c, y, k), dim=1).T).argmax(1),
        lambda p, c, y, k: (p @ _means(F.normalize(c, dim=1), y, k).T).argmax(1),
    ],
    "the nearest mean is taken (by distance); agreement is the dot "
    "product.": lambda p, c, y, k: torch.cdist(p, _means(c, y, k)).argmin(1),
    "this gives each species its best picture, (K,); each picture gets a "
    "species.": lambda p, c, y, k: (p @ _means(c, y, k).T).argmax(0),
    "this is the number of a caption, not of a species.": lambda p, c, y, k: (
        p @ c.T).argmax(1),
    "the species stand in the order in which they come; column k is to be species "
    "k.": lambda p, c, y, k: (p @ torch.stack(
        [c[y == i].mean(0) for i in dict.fromkeys(y.tolist())]).T).argmax(1),
}  # fmt: skip


@exercise(
    "07.5",
    title="A species that nobody showed it",
    minutes=10,
    difficulty=2,
    reference=sentences.nearest_species,
    promise=Promise(
        "tensor",
        lambda: [
            {"pictures": normal(8, 4), "captions": normal(12, 4, seed=2),
             "labels": _labels(12, 3), "count": 3},
            {"pictures": normal(300, 256), "captions": normal(500, 256, seed=2),
             "labels": _labels(500, 50), "count": 50},
        ],
        either=("pictures", "captions"),
        double=False,  # which species is no score either
    ),
)  # fmt: skip
def _(answer):
    """Species with few and with many captions."""
    uneven = torch.tensor([0, 1, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3])
    inputs = [
        (normal(40, 4), normal(12, 4, seed=2), _labels(12, 3), 3),
        (normal(40, 4, seed=5), normal(12, 4, seed=6) + 0.5, uneven, 4),
    ]
    diagnose(
        answer, inputs, sentences.nearest_species, SPECIES_SLIPS,
        what="the row of species",
    )  # fmt: skip


# -------------------------------------------------------------------------- 07.6, VSE


@exercise(
    "07.6",
    title="All others, or the hardest",
    minutes=15,
    difficulty=3,
    reference=vse.vse_loss,
    promise=Promise(
        "scalar",
        lambda: [
            {"images": normal(5, 4), "texts": normal(5, 4, seed=2), "margin": 0.2,
             "hardest": False},
            {"images": normal(75, 256), "texts": normal(75, 256, seed=2),
             "margin": 0.2, "hardest": True},
        ],
        gradient=("images", "texts"),
    ),
)  # fmt: skip
def _(answer):
    """Both sums, by the slips that we know."""
    known = {
        message: (lambda i, t, m, h, slip=slip: vse_with(i, t, m, h, **slip))
        for message, slip in VSE_SLIPS.items()
    }
    known["the margin is missing."] = lambda i, t, m, h: vse_with(i, t, 0.0, h)
    known["the margin is always 0.2 here; take the one that is passed: `margin`."] = (
        lambda i, t, m, h: vse_with(i, t, 0.2, h)
    )
    masked = (
        "the pair's own cosine is set to 0 before the largest is looked for, and 0 may "
        "be the largest: leave the pair out of the terms, after max(0, ...)."
    )
    known[masked] = vse_cosines_masked
    pairs = normal(5, 4), normal(5, 4, seed=2)
    inputs = [(*pairs, 0.2, False), (*pairs, 0.2, True)]
    inputs += [(normal(3, 6, seed=5), normal(3, 6, seed=6), 0.5, True)]
    apart = torch.tensor([[1.0, 0], [-1, 0]]), torch.tensor([[0.15, 1], [-0.15, 1]])
    inputs += [(*apart, 0.2, True)]  # all other cosines are below 0
    diagnose(answer, inputs, vse.vse_loss, known, what="the loss")
