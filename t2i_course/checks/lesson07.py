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


def _structured(images, texts, untrue=None, margin=1.0, sides="both", own=True,
                sign=1.0, twin="own", mean=True, squeeze=F.relu, hinge=F.relu,
                at_once=False, unit=False):  # fmt: skip
    if unit:
        images, texts = F.normalize(images, dim=1), F.normalize(texts, dim=1)
        untrue = None if untrue is None else F.normalize(untrue, dim=1)
    agreement = sign * images @ texts.T
    pair = agreement.diagonal() if own else torch.zeros(len(images))
    text, image = margin + agreement - pair[:, None], margin + agreement - pair[None, :]
    others = 1 - torch.eye(len(images))
    each = {"both": (text, image), "text": (text,), "image": (image,)}
    each |= {"text twice": (text, text), "image twice": (image, image)}
    each = each[sides]
    loss = squeeze(sum(each)) if at_once else sum(squeeze(part) for part in each)
    loss = (loss * others).mean() if mean else (loss * others).sum()
    if untrue is None or twin == "none":
        return loss
    false = sign * (images * untrue).sum(1) - pair
    if twin == "all":
        false = sign * images @ untrue.T - pair[:, None]
    return loss + hinge(margin + false).mean()


def _as_is(x):
    return x


def _squared(x):
    return x.relu().square()


def _with_diagonal(images, texts, untrue=None, margin=1.0):
    loss = joint_embedding.structured_loss(images, texts, untrue, margin)
    return loss + 2 * margin / len(images)


STRUCTURED_SLIPS = {
    "only sentences are exchanged here (for each picture, the other sentences); "
    "pictures are exchanged, too.": {"sides": "text"},
    "only pictures are exchanged here (for each sentence, the other pictures); "
    "sentences are exchanged, too.": {"sides": "image"},
    "the pair's own agreement is missing: other agreements would be pushed down, "
    "and no pair up.": {"own": False},
    "the sign of the agreement is turned round: others should agree less than the "
    "own.": {"sign": -1.0},
    "the false twins are missing: for each picture its own false sentence should "
    "agree less, too.": {"twin": "none"},
    "this adds up all pairs; the mean over the B x B table is asked for.": {
        "mean": False
    },
    "what is below 0 counts, too: a pair that is right by more than the margin "
    "should cost nothing. max(0, ...), .relu().": {"squeeze": _as_is,
                                                   "hinge": _as_is},
    "the hinge is missing in the table of the pairs: what is below 0 should cost "
    "nothing there.": {"squeeze": _as_is},
    "the hinge is missing in the term of the false twins: what is below 0 should "
    "cost nothing there.": {"hinge": _as_is},
    "the hinge is squared; it is linear.": {"squeeze": _squared, "hinge": _squared},
    "the two tables are added before the hinge, so that a good place in one pays "
    "for a bad one in the other: max(0, ...) of each, then the sum.": {
        "at_once": True
    },
    "the same table stands there twice, with own[:, None]; in the second one the "
    "pictures are exchanged: own[None, :].": {"sides": "text twice"},
    "the same table stands there twice, with own[None, :]; in the first one the "
    "sentences are exchanged: own[:, None].": {"sides": "image twice"},
    "the cosine is taken; here agreement is the dot product: leave the lengths as "
    "they are.": {"unit": True},
    "each picture is held against the false twins of all pairs; it has one of its "
    "own, in its row: (images * untrue).sum(1).": {"twin": "all"},
}  # fmt: skip


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
        message: (lambda i, t, u, m, slip=slip: _structured(i, t, u, m, **slip))
        for message, slip in STRUCTURED_SLIPS.items()
    }
    known["each pair is compared with itself as well: the diagonal adds the margin and "
          "teaches nothing. Leave it out."] = _with_diagonal  # fmt: skip
    known["the mean is taken over the B (B - 1) others; the table's own mean, over "
          "B x B, is asked for."] = lambda i, t, u, m: (
        joint_embedding.structured_loss(i, t, None, m) * len(i) / (len(i) - 1)
        + (m + (i * u).sum(1) - (i * t).sum(1)).relu().mean()
    )  # fmt: skip
    known["the margin is missing."] = lambda i, t, u, m: _structured(i, t, u, 0.0)
    known["the margin is always 1 here; take the one that is passed: `margin`."] = (
        lambda i, t, u, m: _structured(i, t, u, 1.0)
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


def _vse(images, texts, margin, hardest, unit=1, sides="both", drop=True,
         others_mean="", axes=(1, 0), plain=None, squeeze=F.relu,
         at_once=False):  # fmt: skip
    if unit is not None:
        images, texts = F.normalize(images, dim=unit), F.normalize(texts, dim=unit)
    agreement = images @ texts.T
    own, count = agreement.diagonal(), len(images)
    others = 1 - torch.eye(count) if drop else torch.ones(count, 1)
    text = squeeze(margin - own[:, None] + agreement) * others
    image = squeeze(margin - own[None, :] + agreement) * others
    if not (hardest if plain is None else plain(hardest)):
        share = {"": 1, "others": count - 1, "row": count}[others_mean]
        loss = [part.sum() / count / share for part in (text, image)]
    elif at_once:
        loss = [(text + image).amax(1).mean(), 0.0]
    else:
        loss = [text.amax(axes[0]).mean(), image.amax(axes[1]).mean()]
    return {"both": sum(loss), "text": loss[0], "image": loss[1]}[sides]


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
    slips = {
        "the dot product is taken; here agreement is the cosine: give each embedding "
        "length 1 first (F.normalize).": {"unit": None},
        "each column is given length 1 here; the rows are the embeddings: "
        "F.normalize(x, dim=1).": {"unit": 0},
        "for each picture the other sentences are here; for each sentence the other "
        "pictures are missing.": {"sides": "text"},
        "for each sentence the other pictures are here; for each picture the other "
        "sentences are missing.": {"sides": "image"},
        "the pair itself is among its others: it adds the margin.": {"drop": False},
        "the mean over the others is taken; the paper adds them up.": {
            "others_mean": "others"
        },
        "the mean over a whole row, or over the table, is taken; the paper adds the "
        "others up, and the mean is over the pairs alone.": {"others_mean": "row"},
        "hardest changes nothing here: it takes the largest of the others in place of "
        "their sum.": {"plain": lambda hardest: False},
        "the hardest alone is always taken; without `hardest` all others are added "
        "up.": {"plain": lambda hardest: True},
        "`hardest` is turned round: if it is True only the largest counts, else the "
        "sum.": {"plain": lambda hardest: not hardest},
        "the hardest picture of each sentence is looked for along the wrong axis: "
        "sentences are columns, amax(0).": {"axes": (1, 1)},
        "the hardest sentence of each picture is looked for along the wrong axis: "
        "pictures are rows, amax(1).": {"axes": (0, 0)},
        "the axes are exchanged: the hardest sentence of a picture is in its row, "
        "amax(1) of the first table; the hardest picture of a sentence in its column, "
        "amax(0) of the second.": {"axes": (0, 1)},
        "the two tables are added before the largest is looked for; each has its own: "
        "amax(1) of one, amax(0) of the other, then the sum.": {"at_once": True},
        "the hinge is missing: what is below 0 should cost nothing (.relu()).": {
            "squeeze": _as_is
        },
    }
    known = {
        message: (lambda i, t, m, h, slip=slip: _vse(i, t, m, h, **slip))
        for message, slip in slips.items()
    }
    known["the margin is missing."] = lambda i, t, m, h: _vse(i, t, 0.0, h)
    known["the margin is always 0.2 here; take the one that is passed: `margin`."] = (
        lambda i, t, m, h: _vse(i, t, 0.2, h)
    )
    pairs = normal(5, 4), normal(5, 4, seed=2)
    inputs = [(*pairs, 0.2, False), (*pairs, 0.2, True)]
    inputs += [(normal(3, 6, seed=5), normal(3, 6, seed=6), 0.5, True)]
    diagnose(answer, inputs, vse.vse_loss, known, what="the loss")
