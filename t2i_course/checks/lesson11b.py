"""Checks of lesson 11b, AttnGAN: attention of places to words, lambda, masks, parts."""

from __future__ import annotations

import torch
from torch import Tensor

from ..measure import rewording
from ..papers import attngan
from .compare import normal
from .core import Promise, Wrong, diagnose, exercise
from .looks import ENDS, LOUD, SCORES, SHARES, features, first, in_networks_order, some

# ------------------------------------------------- 11b.1, each place looks at the words


@exercise(
    "11b.1",
    title="A place asks the words",
    minutes=12,
    difficulty=3,
    reference=attngan.attend_words,
    promise=Promise(
        "tensors",
        lambda: [
            features(2, 4, 3, 5, 6),
            in_networks_order(features(4, 16, 16, 16, 18)),
            features(2, 16, 32, 32, 32),
            features(32, 16, 16, 16, 32),
            features(3, 16, 16, 8, 18),
            features(1, 16, 16, 16, 9),
        ],
        gradient=("h", "told"),
    ),
)
def _(answer):
    """Values on maps that aren't square, then at scores of hundreds."""
    inputs = [tuple(features(*sizes).values())
              for sizes in [(3, 4, 2, 5, 6), (2, 6, 4, 3, 5)]]  # fmt: skip
    known = SCORES | SHARES | ENDS | LOUD
    reference, what = attngan.attend_words, "the pair (context, attention)"
    diagnose(answer, inputs, reference, known, what=what)
    mask = first((2, 3, 5), 5)
    told = normal(3, 4, 5, seed=8) * mask[:, None]
    loud = [(normal(3, 4, 4, 5, seed=9, scale=150.0), told, mask)]
    what += ", where scores are hundreds and padding's are 0,"
    diagnose(answer, loud, reference, LOUD, what=what)


# ------------------------------------------------------------- 11b.2, game and lambda


def a_round(weight: float | None = 5.0, seed: int = 1) -> dict:
    """A call of 11b.2: the tree's loss, four terms, lambda."""
    game, *terms = (normal(5, seed=seed).abs() + 0.5).unbind()
    call = {"game": game, "terms": tuple(terms)}
    return call if weight is None else call | {"lambda_": weight}


def only(*which: int):
    """A wrong answer: some of the terms alone."""
    return lambda g, t, w=5.0: g + w * sum(t[i] for i in which)


@exercise(
    "11b.2",
    title="The fit counts lambda times",
    minutes=4,
    difficulty=1,
    reference=attngan.with_fit,
    promise=Promise(
        "scalar",
        lambda: [a_round(), a_round(1.0), a_round(0.0, 2), a_round(None)],
        gradient=("game", "terms"),
    ),
)
def _(answer):
    """Values at two lambdas."""
    known = {
        "lambda is missing: the four terms' sum times `lambda_`.":
            lambda g, t, w=5.0: g + sum(t),
        "5 stands there for lambda; take the one that is given.":
            lambda g, t, w=5.0: g + 5.0 * sum(t),
        "lambda is at the game; it belongs to the fit.":
            lambda g, t, w=5.0: w * g + sum(t),
        "lambda multiplies the game, too; that counts once.":
            lambda g, t, w=5.0: w * (g + sum(t)),
        "the terms are averaged; add the four up.":
            lambda g, t, w=5.0: g + w * sum(t) / 4,
        "both pairs are averaged; add the four terms up.":
            lambda g, t, w=5.0: g + w * sum(t) / 2,
        "the sentences' terms are missing.": only(0, 1),
        "the words' terms are missing.": only(2, 3),
        "only one direction is here, that in which captions are chosen for pictures, "
        "or the other; both count.": (only(0, 2), only(1, 3)),
        "one of the four terms alone is here.": tuple(only(i) for i in range(4)),
        "one of the four terms is missing.": tuple(
            only(*({0, 1, 2, 3} - {i})) for i in range(4)),
        "lambda multiplies one of the terms alone; put parentheses round the sum.": (
            lambda g, t, w=5.0: g + w * t[0] + t[1] + t[2] + t[3],
            lambda g, t, w=5.0: g + t[0] + t[1] + t[2] + w * t[3]),
        "the sign is turned: the terms are losses, small where the picture fits, and "
        "the tree's loss goes down.": lambda g, t, w=5.0: g - w * sum(t),
        "lambda divides; it multiplies.": lambda g, t, w=5.0: g + sum(t) / w,
        "the game is missing: pictures would fit, and needn't look real.":
            lambda g, t, w=5.0: w * sum(t),
        "the fit is missing: this is lesson 10's game alone.": lambda g, t, w=5.0: g,
        "game and fit share one whole here, 1 - lambda to lambda; (3) adds lambda "
        "times the fit to the whole game.":
            lambda g, t, w=5.0: (1 - w) * g + w * sum(t),
        "the game is added once with each term; it counts once.":
            lambda g, t, w=5.0: sum(g + w * x for x in t),
        "the terms are multiplied with one another; add them.":
            lambda g, t, w=5.0: g + w * t[0] * t[1] * t[2] * t[3],
        "this gives a number for each term; add the four up to one.":
            lambda g, t, w=5.0: g + w * torch.stack(t),
        "the game is multiplied with the fit; it is added.":
            lambda g, t, w=5.0: g * w * sum(t),
        "the terms are squared; they are losses already.":
            lambda g, t, w=5.0: g + w * sum(x * x for x in t),
    }  # fmt: skip
    inputs = [tuple(a_round(weight, 3).values()) for weight in (2.0, 7.0)]
    diagnose(answer, inputs, attngan.with_fit, known, what="the tree's whole loss")


# ------------------------------------------------------ 11b.3, a caption's mask


def tiled(mask: Tensor, places: int) -> Tensor:
    """Captions in turn, over and over: (places * B, T)."""
    return mask.repeat(places, 1)


def followed(mask: Tensor, places: int) -> Tensor:
    """Each caption's mask, as often as there are places: (B * places, T)."""
    return mask.repeat_interleave(places, 0)


def everywhere(rows):
    """A wrong answer: each place of each caption gets one of these (B, T) rows."""
    return lambda mask, n: attngan.words_mask(rows(mask).expand_as(mask), n)


right_mask = attngan.words_mask


@exercise(
    "11b.3",
    title="Each place its own caption's mask",
    minutes=6,
    difficulty=2,
    reference=attngan.words_mask,
    promise=Promise(
        "tensor",
        lambda: [
            {"mask": some(many, longest), "places": places}
            for many, longest, places in [
                (3, 5, 4), (2, 18, 256), (32, 32, 256), (4, 32, 1024), (8, 18, 15),
                (1, 9, 64),
            ]
        ],
    ),
)  # fmt: skip
def _(answer):
    """Values for captions of different lengths; then the type."""
    known = {
        "this is the line of the authors' release: it lays the captions' masks in "
        "turn, 1, 2, 3, 1, 2, 3, where all places of the first caption come first. A "
        "place gets another caption's mask, and looks at padding.": (
            attngan.released_mask,
            lambda m, n: attngan.released_mask(m, n).float()),
        "True stands at padding; here it stays at words.":
            lambda m, n: ~right_mask(m, n),
        "the last two axes are exchanged: (B, places, T), places before words.":
            lambda m, n: right_mask(m, n).mT,
        "the places come first here; captions do: (B, places, T).": (
            lambda m, n: m[None].expand(n, -1, -1),
            lambda m, n: followed(m, n).view(n, *m.shape)),
        "these are all captions' places in one row, each with its own mask: give it "
        "three axes, (B, places, T).": followed,
        "these are all captions' places in one row, and the captions alternate: each "
        "place needs its own caption's mask, in (B, places, T).": tiled,
        "the mask isn't repeated: (B, T) becomes (B, places, T).": lambda m, n: m,
        "there is one place: .expand or .repeat it to all of them.":
            lambda m, n: m[:, None],
        "all captions get the first one's mask.": everywhere(lambda m: m[:1]),
        "all captions get the last one's mask.": everywhere(lambda m: m[-1:]),
        "a word counts here where any caption has one, so that short captions keep "
        "their padding.": everywhere(lambda m: m.any(0, keepdim=True)),
        "a word counts here only where all captions have one, so that long ones lose "
        "theirs.": everywhere(lambda m: m.all(0, keepdim=True)),
        "all are True: the lengths of the captions are lost.":
            everywhere(torch.ones_like),
        "each word's True or False is repeated, not the row: other words get it. "
        "Repeat along a new axis, mask[:, None].": (
            lambda m, n: m.repeat_interleave(n, 1).view(len(m), n, -1),
            lambda m, n: right_mask(m, n).reshape(len(m), -1, n).mT),
        "the row is right, but its view is not: these numbers lie as (B, places, T), "
        "and are dealt out as (places, B, T).":
            lambda m, n: followed(m, n).view(n, *m.shape).transpose(0, 1),
        "only the first place gets the mask, and the others hear nothing.":
            lambda m, n: right_mask(m, n) & (torch.arange(n) == 0)[:, None],
        "place after place hears one word more; all places hear the whole caption.":
            lambda m, n: right_mask(m, n)
            & torch.ones(n, m.shape[1], dtype=torch.bool).tril(),
        "these are numbers to add to scores, 0 and -inf; return True and False.":
            lambda m, n: torch.where(right_mask(m, n), 0.0, -torch.inf),
        "these are the captions' lengths; return True and False for each word.":
            lambda m, n: m.sum(1),
    }  # fmt: skip
    inputs = [(first((3, 5, 2, 4), 6), 3), (first((4, 1), 5), 6)]
    diagnose(answer, inputs, attngan.words_mask, known, what="the masks")
    made = answer(*inputs[0])
    if isinstance(made, Tensor) and made.dtype != torch.bool:
        raise Wrong(
            "the values are right, but as numbers: a tensor of True and False is "
            "wanted, which ~ turns round and masked_fill takes. Leave .float(), .int() "
            "and products out, or end with .bool()."
        )


# -------------------------------------------------- 11b.4, did the right part change?


def a_change(many: int, side: int, scale: float = 1.0) -> dict:
    """A call of 11b.4: pictures in [-1, 1], and parts of 1 pixel up to a quarter."""
    part = torch.zeros(many, side, side, dtype=torch.bool)
    for i in range(many):
        part[i, i % 3 : i % 3 + 1 + i % (side // 2), : 1 + i % (side // 2)] = True
    return {"before": normal(many, 3, side, side).tanh(),
            "after": (scale * normal(many, 3, side, side, seed=2)).tanh(),
            "part": part}  # fmt: skip


def means(x: Tensor, part: Tensor) -> tuple[Tensor, Tensor]:
    """Means over the part, and outside it."""
    return rewording.over(x, part), rewording.over(x, ~part)


def measured(change, over=means):
    """A wrong answer: change(before, after) (B, S, S), and how it is averaged."""
    return lambda before, after, part: over(change(before, after), part)


def averaged(over):
    """A wrong answer: the right changes, averaged in another way."""
    return measured(rewording.moved, over)


CHANGES = {
    "it isn't halved: pictures lie in [-1, 1], a range of 2, so that a share of it is "
    "half the difference.": measured(lambda b, a: (b - a).abs().mean(1)),
    "the three colours are added up; take their mean.": (
        measured(lambda b, a: (b - a).abs().sum(1) / 2),
        measured(lambda b, a: (b - a).abs().sum(1))),
    "signs are kept: where one pixel gets lighter and another darker, that would be no "
    "change. Take the absolute value.": (
        measured(lambda b, a: (a - b).mean(1) / 2),
        measured(lambda b, a: (b - a).mean(1) / 2)),
    "the absolute value comes after the colours' mean, too late: red to green would be "
    "no change.": measured(lambda b, a: (b - a).mean(1).abs() / 2),
    "mean colours are compared, before and after: a pixel lighter and one darker would "
    "be no change. Take absolute values first, then means.": (
        lambda b, a, part: tuple(
            sum(x.abs() for x in both) / 6
            for both in zip(*(means((b - a)[:, i], part) for i in range(3)))),
        measured(lambda b, a: (b - a).mean(1) / 2,
                 lambda x, part: tuple(y.abs() for y in means(x, part)))),
    "these are squares; absolute differences are asked for.": (
        measured(lambda b, a: (b - a).square().mean(1) / 2),
        measured(lambda b, a: ((b - a) / 2).square().mean(1)),
        measured(lambda b, a: (b - a).square().mean(1))),
    "this is the root of mean squares; the mean of absolute differences is asked "
    "for.": (
        measured(lambda b, a: (b - a).square().mean(1).sqrt() / 2),
        measured(lambda b, a: ((b - a) / 2).square().mean(1),
                 lambda x, part: tuple(y.sqrt() for y in means(x, part)))),
    "the largest of the three changes is taken; take the colours' mean.":
        measured(lambda b, a: (b - a).abs().amax(1) / 2),
    "this counts the pixels that changed at all; how much they did is asked for.":
        measured(lambda b, a: ((b - a).abs().mean(1) > 0).float()),
}  # fmt: skip


def _by(inside, outside):
    """Of sums over the part and outside: divided by these numbers of pixels."""
    return averaged(
        lambda x, p: (
            (x * p).sum((1, 2)) / inside(p),
            (x * ~p).sum((1, 2)) / outside(p),
        )
    )


def within(p: Tensor) -> Tensor:
    """How many pixels the part has."""
    return p.sum((1, 2))


def without(p: Tensor) -> Tensor:
    """How many pixels lie outside it."""
    return (~p).sum((1, 2))


def whole(p: Tensor) -> int:
    """How many pixels a picture has."""
    return p[0].numel()


AREAS = {
    "both are divided by all pixels of the picture: a beak, however it changes, would "
    "count for almost nothing. Divide each by its own number of pixels.":
        _by(whole, whole),
    "the change within is divided by all pixels of the picture; divide by those of the "
    "part.": _by(whole, without),
    "the change outside is divided by all pixels of the picture; divide by those "
    "outside.": _by(within, whole),
    "the change outside is divided by the pixels within.": _by(within, within),
    "these are sums over pixels; take means.": _by(lambda p: 1, lambda p: 1),
    "the second is the mean over the whole picture, the part included; `~part` is what "
    "lies outside.": averaged(lambda x, p: (means(x, p)[0], x.mean((1, 2)))),
    "the order is turned: first within the part, then outside it.":
        averaged(lambda x, p: means(x, ~p)),
    "the pixels of all pictures are in one mean; give a number for each picture.":
        averaged(lambda x, p: (x[p].mean(), x[~p].mean())),
    "the batch is averaged, too; give a number for each picture.": averaged(
        lambda x, p: tuple(y.mean() for y in means(x, p))),
    "all pictures get the first one's part.":
        averaged(lambda x, p: means(x, p[:1].expand_as(p))),
    "height and width of the part are exchanged.": averaged(
        lambda x, p: means(x, p.mT)),
    "only the change within the part is returned; return both.":
        averaged(lambda x, p: means(x, p)[0]),
    "only the change outside the part is returned; return both.":
        averaged(lambda x, p: means(x, p)[1]),
    "both are in one tensor; return two, each with a number for each picture.": (
        averaged(lambda x, p: torch.stack(means(x, p))),
        averaged(lambda x, p: torch.stack(means(x, p), 1)),
        averaged(lambda x, p: torch.cat(means(x, p)))),
    "this is how many times more the part changed; return both numbers.":
        averaged(lambda x, p: means(x, p)[0] / means(x, p)[1]),
    "the second is 1 minus the first; measure what lies outside.":
        averaged(lambda x, p: (means(x, p)[0], 1 - means(x, p)[0])),
    "these are changes pixel by pixel; take a mean over each picture's.": averaged(
        lambda x, p: (x * p, x * ~p)),
    "this is the largest change of a pixel; take the mean.": averaged(
        lambda x, p: ((x * p).amax((1, 2)), (x * ~p).amax((1, 2)))),
}  # fmt: skip


@exercise(
    "11b.4",
    title="Did the right part change?",
    minutes=8,
    difficulty=2,
    reference=rewording.inside_outside,
    promise=Promise(
        "tensors",
        lambda: [a_change(2, 8), a_change(32, 16), a_change(4, 64), a_change(1, 32)],
        either=("before", "after"),
    ),
)
def _(answer):
    """Values on parts of different sizes."""
    inputs = [tuple(a_change(*sizes).values()) for sizes in [(3, 8), (4, 6, 0.5)]]
    diagnose(answer, inputs, rewording.inside_outside, CHANGES | AREAS,
             what="the pair (within, outside)")  # fmt: skip
