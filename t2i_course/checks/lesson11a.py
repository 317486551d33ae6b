"""Checks of lesson 11a, DAMSM: looking, relevance, matching, R-precision, pointing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..measure import pointing, retrieval
from ..papers import damsm
from . import region_slips as off
from .compare import normal
from .core import Promise, diagnose, exercise, expect, expect_close, expect_shape


def told(count: int, lengths: list[int], places: int, size: int = 6, seed: int = 1):
    """Words (B, D, T), 0 at padding, their mask (B, T), and regions (B, D, R)."""
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    words = normal(count, size, max(lengths), seed=seed) * mask[:, None]
    return words, mask, normal(count, size, places, seed=seed + 1)


# --------------------------------------------------------- 11a.1, words look at regions


@exercise(
    "11a.1",
    title="Words look at regions",
    minutes=15,
    difficulty=3,
    reference=damsm.word_region_attention,
    promise=Promise(
        "tensor",
        lambda: [
            dict(zip(("words", "mask", "regions"), told(len(n), n, r, d)))
            for n, r, d in [([4, 2], 9, 6), ([3] * 4, 16, 5), ([7, 1, 4], 64, 128)]
        ],
        gradient=("words", "regions"),
    ),
)
def _(answer):
    """Values on captions of two lengths; another gamma; large products."""
    known = {
        "the softmax over words, (8), is missing: each region divides one vote among "
        "the "
        "words first, s.softmax(1).": off.slip(first=False),
        "the axes of the two softmaxes are exchanged: first over words (axis 1), then, "
        "times gamma1, over regions (axis 2).": (off.slip(over=2, then=1), off.turned),
        "both softmaxes go over regions; the first, (8), goes over words, axis 1.":
            off.slip(over=2, then=2),
        "both softmaxes go over words; the second, (9), goes over regions, axis 2.":
            off.slip(over=1, then=1),
        "gamma1 is missing in (9): it multiplies the votes before the softmax over "
        "regions.": off.slip(factor=False),
        "gamma1 stands in the first softmax; in (9) it multiplies the votes, before "
        "the "
        "second one.": off.squashed,
        "gamma1 multiplies the attention that is already finished, so that it sums to "
        "gamma1; it belongs inside the softmax over regions.": lambda w, m, r, g=5.0: (
            g * off.look(w, m, r, factor=False)),
        "padding votes in (8), for exp(0) is 1: put -inf where mask is False, before "
        "the softmax over words.": (off.slip(inside=False), off.of_zero),
        "rows of padding look at all regions alike; they are to be 0: multiply by "
        "mask[:, :, None] at the end.": off.slip(end=False),
        "padding has a vote in (8) and looks at the end, too: the mask isn't used.":
            off.slip(inside=False, end=False),
        "these are the votes of (8); (9) has a second softmax, over regions.":
            off.votes,
        "the votes are divided by their sum; (9) has a softmax of gamma1 times them.":
            off.by_sums,
        "vectors are brought to length 1 first; (7) is the plain product.": off.cosines,
        "the products are divided by the root of D, as in other kinds of attention; "
        "(7) "
        "has no such factor.": lambda words, mask, regions, gamma1=5.0: off.look(
            words, mask, regions, gamma1, before=words.shape[1] ** -0.5),
        "the mask is turned round: it is True at words, so that ~mask gets -inf.":
            lambda w, m, r, g=5.0: off.look(w, ~m, r, g),
        "gamma1 is fixed at 5; take what the function is given.":
            lambda w, m, r, g=5.0: off.look(w, m, r, 5.0),
    }  # fmt: skip
    inputs = [told(2, [4, 2], 9), (*told(3, [5, 3, 1], 7, seed=5), 2.0)]
    expect_shape(answer(*inputs[0]), (2, 4, 9), "alpha", "(B, T, R)")
    diagnose(answer, inputs, damsm.word_region_attention, known, what="the attention")
    words, mask, regions = told(2, [4, 2], 9)
    expect_close(
        answer(100 * words, mask, regions),
        damsm.word_region_attention(100 * words, mask, regions),
        "the attention where products are in the hundreds. (exp of these overflows; "
        "softmax doesn't.) It", rtol=1e-3,
    )  # fmt: skip


# ----------------------------------------------------- 11a.2, the best words count most


def _relevance(cosines, mask, gamma2=5.0, *, hide=True, power=True, within=True):
    inside = gamma2 * cosines if within else cosines
    if hide:
        inside = inside.masked_fill(~mask, -torch.inf)
    return inside.logsumexp(2) / (gamma2 if power else 1.0)


def _relevant(**settings):
    return lambda *given: _relevance(*given, **settings)


def _mean_word(cosines, mask, gamma2=5.0):
    return (cosines * mask).sum(2) / mask.sum(1)


def _each_its_own(cosines, mask, gamma2=5.0):
    return (gamma2 * cosines).masked_fill(~mask, -torch.inf).logsumexp(0) / gamma2


def _pairs(seed: int = 1, shape=(3, 2, 4), lengths=(4, 2)):
    cosines = normal(*shape, seed=seed).tanh()
    mask = torch.arange(shape[2]) < torch.tensor(lengths)[:, None]
    return cosines, mask


@exercise(
    "11a.2",
    title="The best words count most",
    minutes=10,
    difficulty=2,
    reference=damsm.relevance,
    promise=Promise(
        "tensor",
        lambda: [
            dict(zip(("cosines", "mask"), _pairs(1, shape, lengths)))
            for shape, lengths in [
                ((3, 2, 4), (4, 2)),
                ((1, 4, 9), (9, 9, 9, 3)),
                ((5, 3, 7), (7, 1, 4)),
            ]
        ],
        gradient=("cosines",),
    ),
)
def _(answer):
    """Values with padding, for two gammas; then for one that would overflow."""
    known = {
        "padding counts: exp(0) is 1. Put -inf there, before the sum.":
            _relevant(hide=False),
        "1 / gamma2 is missing: in (10) it is a power inside the logarithm, so that it "
        "divides the logarithm. (The authors' code leaves it out, too.)":
            _relevant(power=False),
        "gamma2 is missing inside: exp(gamma2 R), summed.": _relevant(within=False),
        "gamma2 is missing, inside and as 1 / gamma2.":
            _relevant(within=False, power=False),
        "the result is multiplied by gamma2; 1 / gamma2 divides it.":
            lambda c, m, g=5.0: _relevance(c, m, g) * g * g,
        "this is the mean over words; (10) lets the best count most.": _mean_word,
        "this is the best word alone, which is what a very large gamma2 would give.":
            lambda c, m, g=5.0: c.masked_fill(~m, -torch.inf).amax(2),
        "this is a mean inside the logarithm; (10) has a sum over words.":
            lambda c, m, g=5.0: _relevance(c, m, g) - m.sum(1).log() / g,
        "this is the plain sum of cosines.": lambda c, m, g=5.0: (c * m).sum(2),
        "the logarithm is missing.": (
            lambda c, m, g=5.0: (g * c).exp().mul(m).sum(2),
            lambda c, m, g=5.0: (g * c).exp().mul(m).sum(2) / g,
            lambda c, m, g=5.0: (g * c).exp().mul(m).sum(2) ** (1 / g)),
        "the first word is left out, as the slide's sum from 1 has it; take all.":
            lambda c, m, g=5.0: _relevance(c[:, :, 1:], m[:, 1:], g),
        "the last word is left out: T - 1 is the last number where one counts from 0.":
            lambda c, m, g=5.0: _relevance(c[:, :, :-1], m[:, :-1], g),
        "gamma2 is fixed at 5; take what the function is given.":
            lambda c, m, g=5.0: _relevance(c, m, 5.0),
        "the mask is turned round: it is True at words, so that ~mask gets -inf.":
            lambda c, m, g=5.0: _relevance(c, ~m, g),
        "padding is made 0 after the product, and exp(0) is 1; it must be -inf.":
            lambda c, m, g=5.0: (g * c * m).logsumexp(2) / g,
        "this is a mean of the words, weighted by a softmax; (10) is the logarithm of "
        "the "
        "sum.": lambda c, m, g=5.0: ((g * c).masked_fill(~m, -torch.inf).softmax(2)
                                     * c).sum(2),
        "the sum goes over pictures, axis 0; it goes over words, axis "
        "2.": _each_its_own,
        "the sign is turned: a good word lifts the score.":
            lambda c, m, g=5.0: -_relevance(c, m, g),
    }  # fmt: skip
    inputs = [_pairs(), (*_pairs(4, (2, 3, 5), (5, 3, 2)), 2.0)]
    expect_shape(answer(*inputs[0]), (3, 2), "the scores", "(B, A)")
    diagnose(answer, inputs, damsm.relevance, known, what="the score")
    cosines, mask = _pairs()
    expect_close(
        answer(cosines, mask, 1000.0), damsm.relevance(cosines, mask, 1000.0),
        "the score for gamma2 = 1000. (exp(1000) is inf, and its log, too; logsumexp "
        "takes the largest out first.) It", rtol=1e-3,
    )  # fmt: skip


# ------------------------------------------------------ 11a.3, own caption, own picture


def _matching(scores, class_id, gamma3=10.0, *, alike="others", summed=False):
    scores, own = gamma3 * scores, torch.arange(len(scores), device=scores.device)
    same = class_id[:, None] == class_id
    if alike == "others":
        same = same & (own[:, None] != own)
    if alike != "none":
        scores = scores.masked_fill(same, 0.0 if alike == "zero" else -torch.inf)
    how = "sum" if summed else "mean"
    return (F.cross_entropy(scores, own, reduction=how),
            F.cross_entropy(scores.T, own, reduction=how))  # fmt: skip


def _both(function):
    """Of both losses."""
    return lambda *given: tuple(map(function, _matching(*given)))


def _zeros(scores, class_id, gamma3=10.0):
    own = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    same = (class_id[:, None] == class_id) & ~own
    return _matching(scores.masked_fill(same, 0.0), torch.arange(len(scores)), gamma3)


def _to_the_class(scores, class_id, gamma3=10.0):
    same = (class_id[:, None] == class_id).float()
    goal = same / same.sum(1, keepdim=True)
    return (F.cross_entropy(gamma3 * scores, goal),
            F.cross_entropy(gamma3 * scores.T, goal))  # fmt: skip


def _hinged(scores, class_id, gamma3=10.0):
    own = scores.diag()
    return ((1 - own[:, None] + scores).relu().mean(),
            (1 - own + scores).relu().mean())  # fmt: skip


def _some_scores(count: int, kinds: int, seed: int = 1):
    return normal(count, count, seed=seed, scale=0.4), torch.arange(count) % kinds


@exercise(
    "11a.3",
    title="Own caption, own picture",
    minutes=12,
    difficulty=3,
    reference=damsm.matching_losses,
    promise=Promise(
        "tensors",
        lambda: [
            dict(zip(("scores", "class_id"), _some_scores(count, kinds)))
            for count, kinds in [(5, 3), (8, 8), (48, 30)]
        ],
        gradient=("scores",),
    ),
)
def _(answer):
    """Values with species that stand twice in the batch."""
    known = {
        "other pairs of the own species are still compared with: -inf where class_id "
        "is "
        "the same, off the diagonal.": lambda *g: _matching(*g, alike="none"),
        "others of the own species get 0, which is a score like any other; -inf takes "
        "them out of the softmax.": _zeros,
        "the two losses stand in the other order: first picture to caption, (12).":
            lambda *g: _matching(*g)[::-1],
        "both losses go the same way: (13) is of scores.T.": (
            lambda *g: (_matching(*g)[0],) * 2, lambda *g: (_matching(*g)[1],) * 2),
        "gamma3 is missing: it multiplies the scores before the softmax.":
            lambda s, k, g=10.0: _matching(s, k, 1.0),
        "gamma3 divides the scores; it multiplies them.":
            lambda s, k, g=10.0: _matching(s, k, 1 / g),
        "gamma3 multiplies the loss; it belongs inside the softmax.":
            lambda s, k, g=10.0: tuple(g * x for x in _matching(s, k, 1.0)),
        "gamma3 is fixed at 10; take what the function is given.":
            lambda s, k, g=10.0: _matching(s, k, 10.0),
        "the batch's losses are added up; take their means.":
            lambda *g: _matching(*g, summed=True),
        "the two losses are halved; each counts whole.": _both(lambda x: x / 2),
        "the sign is turned: a loss is the negative logarithm.": _both(lambda x: -x),
        "these are probabilities' products, not their logarithms: take -log.":
            _both(lambda x: (-x).exp()),
        "every caption of the own species is called right; here only the own one is, "
        "and "
        "the others aren't compared with.": _to_the_class,
        "this is lesson 07's hinge; (11) is a softmax over all captions of the batch.":
            _hinged,
    }  # fmt: skip
    inputs = [_some_scores(6, 4), (*_some_scores(5, 3, seed=3), 3.0)]
    found = answer(*inputs[0])
    expect(isinstance(found, (tuple, list)) and len(found) == 2,
           "return the two losses, (12) and (13), side by side: return one, other. "
           "They "
           "are added later, in (14).")  # fmt: skip
    expect(not any(bool(torch.as_tensor(x).isposinf().any()) for x in found),
           "a loss is inf: the own pairs, on the diagonal, got -inf as well, or all "
           "of a "
           "row did. Only *others* of the own class are taken out.")  # fmt: skip
    diagnose(answer, inputs, damsm.matching_losses, known, what="the losses")
    sure = torch.tensor([[-40.0, 40.0], [40.0, -40.0]])
    expect_close(
        answer(sure, torch.arange(2)), (torch.tensor(800.0),) * 2,
        "the losses of scores that are sure and wrong, 40 and -40. (A softmax is 0 "
        "there, "
        "and its log -inf.) They", rtol=1e-3,
    )  # fmt: skip


# ----------------------------------------------------------- 11a.4, the first of a list


def _scores(images, texts, lists):
    return (images[:, None] * texts[lists]).sum(2)


def _places(images, texts, lists):
    scores = _scores(images, texts, lists)
    return (scores > scores[:, :1]).sum(1).float()


def _lists_of(count: int, many: int, seed: int = 1) -> Tensor:
    """(B, N): a picture's own text, then others, none twice."""
    rng = torch.Generator().manual_seed(seed)
    rows = [torch.randperm(count - 1, generator=rng)[: many - 1] for _ in range(count)]
    return torch.stack([torch.cat([torch.tensor([i]), (i + 1 + row) % count])
                        for i, row in enumerate(rows)])  # fmt: skip


def _vectors(count: int, many: int, seed: int = 1, size: int = 5, twins: int = 2):
    """Images, texts of length 1, some texts alike; lists."""
    texts = F.normalize(normal(count, size, seed=seed), dim=1)
    images = F.normalize(texts + 0.6 * normal(count, size, seed=seed + 1), dim=1)
    texts[-twins:] = texts[-2 * twins : -twins]
    return images, texts, _lists_of(count, many, seed)


@exercise(
    "11a.4",
    title="The first of a hundred",
    minutes=10,
    difficulty=2,
    reference=retrieval.first_rank,
    promise=Promise(
        "number",
        lambda: [
            dict(zip(("images", "texts", "lists"), _vectors(count, many, size=size)))
            for count, many, size in [(12, 4, 5), (20, 10, 3), (120, 100, 16)]
        ],
        either=("images", "texts"),
        any_float=True,
        anywhere=False,
    ),
)
def _(answer):
    """Values with texts that are alike; then where all are."""
    known = {
        "of captions that fit alike the own one always wins, since argmax takes the "
        "first; count 1 / (how many they are).": (
            lambda *g: (_scores(*g).argmax(1) == 0).float().mean().item(),
            lambda *g: (_places(*g) == 0).float().mean().item()),
        "of captions that fit alike the own one never wins; count 1 / (how many they "
        "are).": lambda *g: (
            (_scores(*g)[:, 1:] < _scores(*g)[:, :1]).all(1).float().mean().item()),
        "this counts pictures; divide by how many there are.":
            lambda *g: len(g[0]) * retrieval.first_rank(*g),
        "this is a percentage; return a share, from 0 to 1.":
            lambda *g: 100 * retrieval.first_rank(*g),
        "this counts how often the own caption is *not* the first.":
            lambda *g: 1 - retrieval.first_rank(*g),
        "the lists aren't used: all texts are compared with. texts[lists] are those of "
        "each picture's list.": lambda images, texts, lists: (
            ((images @ texts.T).argmax(1) == torch.arange(len(images))).float().mean()
            .item()),
        "pictures are looked up in the lists, images[lists], and compared with one "
        "text; "
        "lists are numbers of texts.": lambda images, texts, lists: (
            retrieval.first_rank(texts, images, lists)),
        "the worst is taken for the best: the largest product fits best.":
            lambda images, texts, lists: retrieval.first_rank(-images, texts, lists),
        "this is the own caption's mean place, not how often it is the first.":
            lambda *g: _places(*g).mean().item(),
        "this is the mean of 1 / place (another measure, the mean reciprocal rank).":
            lambda *g: (1 / (1 + _places(*g))).mean().item(),
        "the place of the best is compared with the picture's number; the own caption "
        "is "
        "the first in its list, place 0.": lambda *g: (
            (_scores(*g).argmax(1) == torch.arange(len(g[0]))).float().mean().item()),
        "the own caption is among the first *five*; it must be the first.":
            lambda *g: (_places(*g) < 5).float().mean().item(),
        "this is the own caption's mean score.":
            lambda *g: _scores(*g)[:, 0].mean().item(),
    }  # fmt: skip
    inputs = [_vectors(12, 8, seed=4), _vectors(30, 10, seed=9)]
    diagnose(answer, inputs, retrieval.first_rank, known, what="the share")
    alike = torch.ones(6, 2)
    expect_close(
        float(answer(alike, alike, _lists_of(6, 4))), 0.25,
        "the share where all texts are alike (lots would find one of four). It",
    )  # fmt: skip


# ----------------------------------------------------------- 11a.5, attention on a part


def _covered(seed: int = 1, shape=(2, 3, 8), parts: int = 4):
    """Maps (B, T, R), one of them 0, and what the parts cover, (B, P, R)."""
    maps = normal(*shape, seed=seed).abs()
    maps[-1, -1] = 0.0
    cover = normal(shape[0], parts, shape[2], seed=seed + 1).softmax(1)
    return maps, cover


def _over(total):
    """`mass` with another sum below the line."""
    return lambda a, c: a @ c.mT / total(a, c).clamp_min(1e-12)


@exercise(
    "11a.5",
    title="Attention on a part",
    minutes=10,
    difficulty=2,
    reference=pointing.mass,
    promise=Promise(
        "tensor",
        lambda: [
            dict(zip(("attention", "cover"), _covered(1, shape, parts)))
            for shape, parts in [((2, 3, 8), 4), ((3, 18, 64), 6), ((1, 2, 9), 2)]
        ],
        either=("attention", "cover"),
    ),
)
def _(answer):
    """Values of maps of any sum, one of them 0."""
    known = {
        "the maps aren't divided by their own sums: a share is wanted.":
            lambda a, c: a @ c.mT,
        "this is divided by the part's size; the share of the *map* is wanted, so "
        ""
        "divide by the map's sum.": _over(lambda a, c: c.sum(2)[:, None]),
        "this is divided by both sums, the map's and the part's; only the map's.":
            _over(lambda a, c: a.sum(2, keepdim=True) * c.sum(2)[:, None]),
        "this is divided by the number of regions; divide by the map's sum.":
            lambda a, c: a @ c.mT / a.shape[2],
        "this is divided by the sum over words, axis 1; each map has a sum of its own, "
        "over regions, axis 2.": (
            lambda a, c: (a / a.sum(1, keepdim=True).clamp_min(1e-12)) @ c.mT,),
        "this is divided by the sum over all maps of a picture; each word's map has "
        "its own.": _over(lambda a, c: a.sum((1, 2), keepdim=True)),
        "this is divided by the largest number of a map, not by its sum.":
            _over(lambda a, c: a.amax(2, keepdim=True)),
        "a map of a small sum isn't divided by it: the floor below the line is for "
        "0 / 0 alone, so make it tiny, 1e-12.": (
            lambda a, c: a @ c.mT / a.sum(2, keepdim=True).clamp_min(1.0),
            lambda a, c: a @ c.mT / (a.sum(2, keepdim=True) + 1e-3)),
        "the map goes through a softmax; it is attention already: divide by its sum.":
            lambda a, c: a.softmax(2) @ c.mT,
        "a region counts wholly as soon as the part touches it; it counts by the share "
        "that the part covers.": lambda a, c: pointing.mass(a, (c > 0).to(c)),
        "a region counts for the part that covers most of it; it counts for each part "
        "by its share.": lambda a, c: pointing.mass(
            a, (c == c.amax(1, keepdim=True)).to(c)),
        "this is a cosine of map and part; the share is the sum of products, divided "
        "by the map's sum.": lambda a, c: (
            F.normalize(a, dim=2) @ F.normalize(c, dim=2).mT),
        "the shares are made to sum to 1 over parts; over all parts they do where "
        "parts cover everything, but what is asked is each part's share of the map.":
            lambda a, c: (a @ c.mT).softmax(2),
        "words and parts are exchanged: (B, T, P), not (B, P, T).":
            lambda a, c: pointing.mass(a, c).mT,
        "the result is averaged over the words.":
            lambda a, c: pointing.mass(a, c).mean(1),
    }  # fmt: skip
    maps, cover = _covered(5, (2, 4, 6), 4)
    lame = cover * torch.tensor([1.0, 0.5, 0.2, 0.1])[:, None]  # not all is covered
    inputs = [(maps, lame), (0.02 * maps, lame), _covered(8, (3, 2, 5), 3)]
    found = answer(*inputs[0])
    expect_shape(found, (2, 4, 4), "the shares", "(B, T, P)")
    if bool(found.isnan().any()):
        expect_close(
            found, pointing.mass(*inputs[0]),
            "the share of a map that is 0 everywhere (0 / 0 is nan: .clamp_min(1e-12) "
            "below the line gives 0). It",
        )  # fmt: skip
    diagnose(answer, inputs, pointing.mass, known, what="the share")
