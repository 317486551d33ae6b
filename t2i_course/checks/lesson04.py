"""Checks of lesson 04: the look-up and its gradient, the loss, masks, chain rule."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..papers import pixelcnn, vqvae
from .compare import normal
from .core import (
    Promise,
    Wrong,
    diagnose,
    exercise,
    expect,
    expect_close,
    expect_shape,
    fresh,
)
from .stop_gradients import diagnose_copy, diagnose_pulls, gradients, pulls

# --------------------------------------------------------------------- 04.1, looking up


@exercise(
    "04.1",
    title="The nearest entry",
    minutes=8,
    difficulty=2,
    reference=vqvae.nearest,
    promise=Promise(
        "tensor",
        lambda: [
            {"vectors": normal(n, d), "codebook": normal(k, d, seed=2)}
            for n, k, d in [(60, 9, 3), (16, 4, 2)]
        ],
        either=("vectors", "codebook"),
    ),
)
def _(answer):
    """Numbers for seeded vectors, entries of very different lengths among them."""
    known = {
        "this finds the farthest entry: argmin, not argmax, of the distances.":
            lambda v, e: torch.cdist(v, e).argmax(1),
        "this is the entry with the largest product z.e, which favours long entries: "
        "|z - e|^2 = |z|^2 - 2 z.e + |e|^2, and |e|^2 is missing.":
            lambda v, e: (v @ e.T).argmax(1),
        "this is the entry in the most similar direction (the cosine); the nearest one "
        "is meant, and lengths count.":
            lambda v, e: (F.normalize(v, dim=1) @ F.normalize(e, dim=1).T).argmax(1),
        "this is the other way round: the nearest vector to each entry. The entries "
        "run along dimension 1 of the distances: argmin(1).":
            lambda v, e: torch.cdist(v, e).argmin(0),
        "these are the entries themselves; the code is the entry's number, (N,). "
        "(codebook[codes] gives the entries afterwards.)":
            lambda v, e: e[torch.cdist(v, e).argmin(1)],
        "these are the distances to the nearest entries; the code is the entry's "
        "number: argmin, not min.": lambda v, e: torch.cdist(v, e).min(1).values,
        "these are the squared distances to the nearest entries; the code is the "
        "entry's number: argmin, not min.":
            lambda v, e: torch.cdist(v, e).square().min(1).values,
        "this adds up absolute differences; the distance of slide GM-6 is Euclidean, "
        "with squares.": lambda v, e: torch.cdist(v, e, p=1).argmin(1),
        "this looks at the first number of each vector only; sum over all of them.":
            lambda v, e: (v[:, None, 0] - e[None, :, 0]).square().argmin(1),
        "this is one table of zeros and ones; the code is the entry's number, (N,).":
            lambda v, e: F.one_hot(torch.cdist(v, e).argmin(1), len(e)),
        "|e|^2 has the wrong weight: |z - e|^2 = |z|^2 - 2 z.e + |e|^2 has the product "
        "twice.": lambda v, e: (e.square().sum(1) - v @ e.T).argmin(1),
    }  # fmt: skip
    vectors, codebook = normal(60, 3), normal(9, 3, seed=2)
    codebook = codebook * torch.linspace(0.2, 2.0, 9)[:, None]
    inputs = [(vectors, codebook), (normal(40, 2, seed=3), normal(12, 2, seed=4))]
    diagnose(answer, inputs, vqvae.nearest, known, what="the codes")
    found = answer(vectors, codebook)
    expect(
        not found.is_floating_point(),
        "the numbers are right, but they are floats; a code looks up a row of the "
        "codebook, so it must be a whole number (int64).",
    )


# ----------------------------------------------------------- 04.2, straight through it


@exercise(
    "04.2",
    title="Straight through",
    minutes=8,
    difficulty=3,
    reference=vqvae.straight_through,
    promise=Promise(
        "tensor",
        lambda: [
            {"encoded": normal(*shape), "entries": normal(*shape, seed=2)}
            for shape in [(2, 3, 4, 4), (16, 2)]
        ],
        gradient=("encoded",),
        stopped=("entries",),
    ),
)
def _(answer):
    """The entries' values; the gradient copied to z_e, and none to the entries."""
    known = {
        "these are the encoder's own vectors; the decoder must get the "
        "entries.": lambda z, e: z,
        "this is half-way between z_e and e; the decoder must get the entries "
        "exactly.": lambda z, e: (z + e) / 2,
        "the difference has the wrong sign: z_e + (e - z_e) is "
        "e.": lambda z, e: z + (z - e).detach(),
        "only the difference e - z_e is left; add it to z_e.":
            lambda z, e: (e - z).detach(),
    }  # fmt: skip
    shape = 2, 3, 4, 4
    z, e, weight = (normal(*shape, seed=i) for i in range(3))
    diagnose(answer, [(z, e)], vqvae.straight_through, known, what="the vectors")
    to_encoder, to_entries, cancels = gradients(answer, z, e, weight)
    diagnose_copy(to_encoder, to_entries, weight, cancels)


# ---------------------------------------------------------------- 04.3, the three terms


def _apart(z, e):
    return (z - e).square().mean()


TERM_ERRORS = {
    "the reconstruction error has a minus: the slide writes log p(x | z_q), which "
    "should go up; a loss goes down, and `reconstruction` is already the "
    "error.": lambda r, z, e, b: -r + (1 + b) * _apart(z, e),
    "the second term is missing: with this no entry ever moves towards the vectors "
    "that choose it.": lambda r, z, e, b: r + b * _apart(z, e.detach()),
    "the third term is missing: nothing keeps the encoder near its "
    "entries.": lambda r, z, e, b: r + _apart(z.detach(), e),
    "beta belongs to the third term alone; here it multiplies "
    "both.": lambda r, z, e, b: r + 2 * b * _apart(z, e),
    "beta is missing: both terms count alike here.":
        lambda r, z, e, b: r + 2 * _apart(z, e),
    "this sums the squares over the whole batch; here every term is a mean over "
    "its numbers.": lambda r, z, e, b: r + (1 + b) * (z - e).square().sum(),
    "this sums the squares over the channels; here every term is a mean over "
    "all of its numbers.": lambda r, z, e, b: r + (1 + b) * 3 * _apart(z, e),
    "beta is fixed at 0.25 here; use the argument.":
        lambda r, z, e, b: r + 1.25 * _apart(z, e),
    "this is the distance; both terms have its square.":
        lambda r, z, e, b: r + (1 + b) * (z - e).norm(),
    "these are absolute differences; both terms have squares.":
        lambda r, z, e, b: r + (1 + b) * (z - e).abs().mean(),
    "the reconstruction error is missing.":
        lambda r, z, e, b: (1 + b) * _apart(z, e),
}  # fmt: skip


@exercise(
    "04.3",
    title="The three-term loss",
    minutes=10,
    difficulty=2,
    reference=vqvae.three_term_loss,
    promise=Promise(
        "scalar",
        lambda: [
            {
                "reconstruction": torch.tensor(0.3),
                "encoded": normal(2, 3, 4, 4),
                "entries": normal(2, 3, 4, 4, seed=2).requires_grad_(),
                **beta,
            }
            for beta in [{"beta": 1.5}, {}]
        ],
        gradient=("reconstruction", "encoded", "entries"),
    ),
)
def _(answer):
    """Values first; then who gets which gradient, for only that tells sg from none."""
    inputs = []
    for seed, beta in ((1, 0.25), (3, 1.5)):
        z, e = normal(2, 3, 4, 4, seed=seed), normal(2, 3, 4, 4, seed=seed + 1)
        inputs.append((torch.tensor(0.3 * seed), z, e.requires_grad_(), beta))
    diagnose(answer, inputs, vqvae.three_term_loss, TERM_ERRORS, what="the loss")
    beta = 0.25
    to_error, encoder, entries = pulls(answer, beta=beta)
    expect(
        abs(to_error - 1) < 1e-4,
        "the value is right, but no gradient goes back into the reconstruction error; "
        "the networks would not learn to reconstruct.",
    )
    if abs(encoder - beta) < 1e-3 and abs(entries - 1) < 1e-3:
        return
    diagnose_pulls(encoder, entries, beta)


# --------------------------------------------------------------------- 04.4, perplexity


def _shares(codes: Tensor, entries: int) -> Tensor:
    return torch.bincount(codes.flatten(), minlength=entries) / codes.numel()


def _each_picture() -> list:
    """Perplexities picture by picture: their mean, their sum, all of them."""

    def answer(reduce):
        return lambda c, k: reduce(torch.stack([vqvae.perplexity(x, k) for x in c]))

    return [answer(reduce) for reduce in (torch.mean, torch.sum, lambda x: x)]


def _entropy(codes: Tensor, entries: int) -> Tensor:
    return torch.special.entr(_shares(codes, entries)).sum()


@exercise(
    "04.4",
    title="How many entries are in use",
    minutes=8,
    difficulty=2,
    reference=vqvae.perplexity,
    promise=Promise(
        "scalar",
        lambda: [
            {"codes": torch.arange(count).view(shape) % 16, "entries": 16}
            for count, shape in [(100, (4, 5, 5)), (4, (4,)), (100, (100,))]
        ],
    ),
)
def _(answer):
    """Values on maps of codes with entries that nobody uses among them."""
    known = {
        "this is the entropy, in nats; the perplexity is its exp, so that it counts "
        "entries.": _entropy,
        "this is the entropy, in bits; the perplexity is 2 to that power, so that it "
        "counts entries.": lambda c, k: _entropy(c, k) / torch.tensor(2.0).log(),
        "exp goes with an entropy in nats; yours is in bits: use the natural "
        "logarithm, or 2 to that power.":
            lambda c, k: (_entropy(c, k) / torch.tensor(2.0).log()).exp(),
        "2 goes with an entropy in bits; yours is in nats: take exp.":
            lambda c, k: 2 ** _entropy(c, k),
        "the sign of the entropy is lost: it is minus the sum of p log p.":
            lambda c, k: (-_entropy(c, k)).exp(),
        "this counts every entry that is used at all, however seldom; weigh them by "
        "their share.": lambda c, k: torch.tensor(float(len(c.unique()))),
        "this is one divided by the sum of the squared shares, another measure of how "
        "many are used; the perplexity is exp of the entropy.":
            lambda c, k: 1 / _shares(c, k).square().sum(),
        "the shares don't sum to 1: divide the counts by how many codes there are, not "
        "by the number of entries.": lambda c, k: torch.special.entr(
            torch.bincount(c.flatten(), minlength=k) / k).sum().exp(),
        "this takes the codes of each picture alone and averages (or lists) the "
        "results; count over all codes together, codes.flatten().":
            _each_picture(),
        "this is the mean over the entries; the entropy is the sum.":
            lambda c, k: (_entropy(c, k) / k).exp(),
        "this takes every entry to be used alike; count the codes.":
            lambda c, k: torch.tensor(float(k)),
    }  # fmt: skip
    rng = torch.Generator().manual_seed(7)
    skew = (torch.rand(4, 5, 5, generator=rng) ** 3 * 9).long()
    inputs = [(skew, 12), (torch.tensor([[0, 0, 1], [5, 5, 5]]), 8)]
    values = [answer(*fresh(arguments)) for arguments in inputs]
    expect(
        all(torch.as_tensor(value).isfinite().all() for value in values),
        "the result is not a finite number: an entry that nobody uses has share 0, and "
        "0 log 0 is taken as 0 (torch.special.entr does so).",
    )
    diagnose(answer, inputs, vqvae.perplexity, known, what="the perplexity", atol=1e-3)


# ----------------------------------------------------------------------- 04.5, the mask


def _raster(size: int) -> Tensor:
    """Each place's number in reading order, (size, size)."""
    return torch.arange(size * size).view(size, size)


def _exchanged(size: int, kind: str) -> Tensor:
    return pixelcnn.raster_mask(size, "B" if kind == "A" else "A")


def _left_only(size: int, kind: str) -> Tensor:
    mask = pixelcnn.raster_mask(size, kind)
    mask[:, size // 2 + 1 :] = 0
    return mask


def _whole_row(size: int, kind: str) -> Tensor:
    mask = pixelcnn.raster_mask(size, kind)
    mask[size // 2, size // 2 + 1 :] = 1
    return mask


def _below_too(size: int, kind: str) -> Tensor:
    mask = torch.ones(size, size)
    mask[size // 2, size // 2 + (kind == "B") :] = 0
    return mask


def _mask_known() -> dict:
    right = pixelcnn.raster_mask
    return {
        "this is a lower triangle, as for a sequence; in a picture all of each row "
        "above comes before, and of the own row what is left of the middle.": [
            lambda s, k: torch.ones(s, s).tril(-1 if k == "A" else 0),
            lambda s, k: torch.ones(s, s).tril(0 if k == "A" else -1),
            lambda s, k: torch.ones(s, s).tril(),
            lambda s, k: torch.ones(s, s).tril(-1),
        ],
        "this is an upper triangle; what comes before in reading order is all of each "
        "row above, and of the own row what is left of the middle.": [
            lambda s, k: torch.ones(s, s).triu(1 if k == "A" else 0),
            lambda s, k: torch.ones(s, s).triu(), lambda s, k: torch.ones(s, s).triu(1),
        ],
        "the kinds are exchanged: A, for the first layer, leaves the middle out; B "
        "keeps it.": _exchanged,
        "the middle is kept in both kinds: with A the first layer sees the very value "
        "that is to be predicted.": lambda s, k: right(s, "B"),
        "the middle is left out in both kinds: with B it holds what the layer before "
        "found out about the past, and may be seen.": lambda s, k: right(s, "A"),
        "the rows below are open: they come later in reading order.": _below_too,
        "what is right of the middle in its own row is open: it comes later in reading "
        "order.": _whole_row,
        "of the rows above only the left half is open; all of a row above comes before "
        "in reading order.": _left_only,
        "this looks at what comes after: turn it round.":
            lambda s, k: right(s, k).flip(0, 1),
        "this reads column by column; reading order goes row by row.":
            lambda s, k: right(s, k).T,
        "this is open everywhere.": lambda s, k: torch.ones(s, s),
        "open and shut are exchanged: 1 where the kernel may look.":
            lambda s, k: 1 - right(s, k),
    }  # fmt: skip


@exercise(
    "04.5",
    title="What a kernel may see",
    minutes=10,
    difficulty=2,
    reference=pixelcnn.raster_mask,
    promise=Promise(
        "tensor",
        lambda: [{"size": size, "kind": kind} for size in (3, 5, 7) for kind in "AB"],
    ),
)
def _(answer):
    """Both kinds at two sizes, each entry."""
    for size in (3, 5):
        made = answer(size, "A")
        expect_shape(made, (size, size), f"the mask of size {size}")
    inputs = [(size, kind) for size in (3, 5) for kind in ("A", "B")]

    def as_numbers(function):
        return lambda size, kind: torch.as_tensor(function(size, kind)).float()

    diagnose(as_numbers(answer), inputs, pixelcnn.raster_mask, _mask_known(),
             what="the mask")  # fmt: skip
    made = answer(3, "A")
    expect(
        made.is_floating_point(),
        "the mask is right, but not of floats: it will be multiplied by weights; "
        "begin with torch.zeros or torch.ones, or add .float().",
    )


# ----------------------------------------------------------------- 04.6, the chain rule


def _chain(logits: Tensor, codes: Tensor) -> Tensor:
    return -F.cross_entropy(logits, codes, reduction="none").sum((1, 2))


def _picked(scores, codes):
    """The score (B, H, W) of each place's own value."""
    return scores.gather(1, codes[:, None]).squeeze(1)


CHAIN_ERRORS = {
    "the sign: log p of a picture is never above 0. (cross_entropy is "
    "-log p.)": lambda s, c: -_chain(s, c),
    "this is the mean over the places; the logarithm of a product is the sum of "
    "the logarithms.": lambda s, c: _chain(s, c) / c[0].numel(),
    "the sign, and the mean: this is cross_entropy as a loss; log p is minus the "
    "sum over the places.": lambda s, c: -_chain(s, c) / c[0].numel(),
    "this is one number for the whole batch; each picture has its own, "
    "(B,).": lambda s, c: _chain(s, c).sum(),
    "this is one number, the loss of the batch; each picture has its own log p, "
    "(B,): reduction=\"none\", then sum over the places.":
        lambda s, c: F.cross_entropy(s, c),
    "this adds up the logits themselves; they become probabilities by a softmax "
    "over the K values first.": lambda s, c: _picked(s, c).sum((1, 2)),
    "the softmax runs over places, so that the whole picture shares one "
    "probability; it belongs to the values, dimension 1.":
        lambda s, c: _picked(s.log_softmax(3), c).sum((1, 2)),
    "the softmax runs over the rows; it belongs to the values, dimension "
    "1.": lambda s, c: _picked(s.log_softmax(2), c).sum((1, 2)),
    "the softmax runs over the batch; it belongs to the values, dimension "
    "1.": lambda s, c: _picked(s.log_softmax(0), c).sum((1, 2)),
    "this adds up probabilities; the chain rule multiplies them, so add up their "
    "logarithms.": lambda s, c: _picked(s.softmax(1), c).sum((1, 2)),
    "this is p itself, without the logarithm; for a large picture it rounds to "
    "0.": lambda s, c: _chain(s, c).exp(),
    "this is in bits; nats are wanted, the natural logarithm.":
        lambda s, c: _chain(s, c) / math.log(2),
    "this takes the most probable value at each place, not the one that is "
    "there.": lambda s, c: s.log_softmax(1).amax(1).sum((1, 2)),
    "this gives each place its own number; add them up, (B,).":
        lambda s, c: _picked(s.log_softmax(1), c),
}  # fmt: skip


@exercise(
    "04.6",
    title="The chain rule",
    minutes=10,
    difficulty=3,
    reference=pixelcnn.log_probability,
    promise=Promise(
        "tensor",
        lambda: [
            {
                "logits": normal(b, k, h, w),
                "codes": torch.arange(b * h * w).view(b, h, w) % k,
            }
            for b, k, h, w in [(3, 5, 4, 4), (9, 3, 2, 3)]
        ],
        gradient=("logits",),
    ),
)
def _(answer):
    """Values, per picture; shifting all logits of a place must change nothing."""
    codes = torch.randint(5, (3, 4, 4), generator=torch.Generator().manual_seed(3))
    inputs = [(normal(3, 5, 4, 4, scale=2.0), codes),
              (normal(2, 7, 2, 3, seed=2), codes[:2, :2, :3])]  # fmt: skip
    diagnose(
        answer, inputs, pixelcnn.log_probability, CHAIN_ERRORS, what="log p", atol=1e-4
    )
    sure = 200 * normal(2, 5, 3, 3)
    few = codes[:2, :3, :3]
    try:
        expect_close(answer(sure, few), _chain(sure, few), "log p", atol=1e-2)
    except Wrong:
        raise Wrong(
            "where the network is very sure, a probability rounds to 0 and its "
            "logarithm to minus infinity: use F.cross_entropy or log_softmax, not the "
            "log of a softmax."
        ) from None
    logits = normal(2, 5, 3, 3).requires_grad_()
    made = answer(logits, few)
    expect(
        made.requires_grad,
        "the values are right, but no gradient comes back to the logits: is something "
        "detached, or turned into a plain number?",
    )
