"""Known answers to lesson 04: wrong ones with part of their diagnosis; right ones."""

import torch
import torch.nn.functional as F

from t2i_course.papers import pixelcnn, vqvae


def mean_square(a, b):
    return (a - b).square().mean()


def each(logits, codes, dim=1):
    return logits.log_softmax(dim).gather(1, codes[:, None]).squeeze(1)


# -------------------------------------------------------------------- 04.1, looking up


def nearest_by_loop(vectors, codebook):
    found = []
    for vector in vectors:
        found.append(int(((codebook - vector) ** 2).sum(1).argmin()))
    return torch.tensor(found)


def nearest_by_broadcast(vectors, codebook):
    return (vectors[:, None] - codebook[None]).pow(2).sum(2).min(1).indices


# -------------------------------------------------------------- 04.2, straight through


class Copied(torch.autograd.Function):
    @staticmethod
    def forward(context, encoded, entries):
        return entries.clone()

    @staticmethod
    def backward(context, gradient):
        return gradient, None


# -------------------------------------------------------------------- 04.4, perplexity


def counted_perplexity(codes, entries):
    p = torch.bincount(codes.reshape(-1), minlength=entries).float()
    p = p / p.sum()
    p = p[p > 0]
    return torch.exp(-(p * p.log()).sum())


def by_entropy(codes, entries):
    counts = torch.bincount(codes.flatten(), minlength=entries).float()
    return torch.distributions.Categorical(probs=counts).entropy().exp()


def perplexity_by_powers(codes, entries):
    p = F.one_hot(codes.flatten(), entries).float().mean(0)
    return (p.clamp_min(1e-30) ** -p).prod()


def as_a_float(codes, entries):
    return counted_perplexity(codes, entries).item()


def no_care_for_zero(codes, entries):
    p = torch.bincount(codes.flatten(), minlength=entries) / codes.numel()
    return (-(p * p.log()).sum()).exp()


def shares(codes, entries):
    return torch.bincount(codes.flatten(), minlength=entries) / codes.numel()


def entropy(codes, entries):
    return torch.special.entr(shares(codes, entries)).sum()


# ------------------------------------------------------------------------- 04.5, masks


def mask_by_order(size, kind):
    place = torch.arange(size * size)
    middle = size * size // 2
    return (place < middle + (kind == "B")).float().view(size, size)


def mask_by_loops(size, kind):
    mask = torch.zeros(size, size)
    for y in range(size):
        for x in range(size):
            middle = size // 2
            before = y < middle or (y == middle and x < middle)
            here = y == middle and x == middle
            mask[y, x] = before or (here and kind == "B")
    return mask


def changed(change):
    """The right mask, then a change: (mask, size, kind) to the mask."""
    return lambda size, kind: change(pixelcnn.raster_mask(size, kind), size, kind)


def open_right(mask, size, kind):
    mask[size // 2, size // 2 + 1 :] = 1
    return mask


def open_below(mask, size, kind):
    mask[size // 2 + 1 :] = 1
    mask[size // 2, size // 2 + 1 :] = 0
    return mask


def open_below_and_right(size, kind):
    mask = torch.ones(size, size)
    mask[size // 2, size // 2 + (kind == "B") :] = 0
    return mask


def shut_right(mask, size, kind):
    mask[:, size // 2 + 1 :] = 0
    return mask


# ---------------------------------------------------------------- 04.6, the chain rule


def by_distribution(logits, codes):
    places = torch.distributions.Categorical(logits=logits.movedim(1, -1))
    return places.log_prob(codes).flatten(1).sum(1)


def nats(logits, codes):
    return each(logits, codes).sum((1, 2))


RIGHT = {
    "04.1": [nearest_by_loop, nearest_by_broadcast,
             lambda v, e: torch.cdist(v, e).argmin(dim=1)],
    "04.2": [lambda z, e: e.detach() + z - z.detach(), Copied.apply,
             lambda z, e: z + e.detach() - z.detach()],
    "04.3": [
        lambda r, z, e, beta=0.25: r + F.mse_loss(z.detach(), e)
        + beta * F.mse_loss(z, e.detach()),
        lambda r, z, e, beta=0.25: r + (e - z.detach()).pow(2).mean()
        + beta * (e.detach() - z).pow(2).mean(),
    ],
    "04.4": [counted_perplexity, perplexity_by_powers,
             by_entropy],
    "04.5": [mask_by_order, mask_by_loops],
    "04.6": [nats, by_distribution,
             lambda s, c: -F.cross_entropy(s, c, reduction="none").flatten(1).sum(1)],
}  # fmt: skip

WRONG = {
    "04.1": [
        (lambda v, e: torch.cdist(v, e).argmax(1), "finds the farthest"),
        (lambda v, e: (v @ e.T).argmax(1), "|e|^2 is missing"),
        (lambda v, e: F.cosine_similarity(v[:, None], e[None], 2).argmax(1),
         "direction"),
        (lambda v, e: torch.cdist(v, e).argmin(0), "the other way round"),
        (lambda v, e: e[vqvae.nearest(v, e)], "the entries themselves"),
        (lambda v, e: torch.cdist(v, e).amin(1), "distances to the nearest"),
        (lambda v, e: (v[:, None] - e).pow(2).sum(2).amin(1), "squared distances"),
        (lambda v, e: (v[:, None] - e).abs().sum(2).argmin(1), "absolute differences"),
        (lambda v, e: F.one_hot(vqvae.nearest(v, e), len(e)), "zeros and ones"),
        (lambda v, e: ((e**2).sum(1) - v @ e.T).argmin(1), "the product twice"),
        (lambda v, e: (v[:, :1] - e[:, 0]).abs().argmin(1), "first number"),
        (lambda v, e: vqvae.nearest(v, e).float(), "floats"),
        (lambda v, e: vqvae.nearest(v, e)[:, None], "should have shape"),
    ],
    "04.2": [
        (lambda z, e: e, "moves the codebook"),
        (lambda z, e: e.detach(), "no gradient arrives anywhere"),
        (lambda z, e: z, "the encoder's own"),
        (lambda z, e: z + (e - z), "the two gradients cancel"),
        (lambda z, e: z + (e - z.detach()), "Detach the entries"),
        (lambda z, e: z.detach() + (e - z) + z.detach() - z.detach(), "turned round"),
        (lambda z, e: (z + e) / 2, "half-way"),
        (lambda z, e: z + (z - e).detach(), "wrong sign"),
        (lambda z, e: 2 * z + (e - 2 * z).detach(), "2 times as large"),
        (lambda z, e: (e - z).detach(), "add it to z_e"),
    ],
    "04.3": [
        (lambda r, z, e, b: r + 1.0 * mean_square(z, e) + b * mean_square(z, e),
         "stop-gradients sg[.] are missing"),
        (lambda r, z, e, b: r + mean_square(z, e.detach())
         + b * mean_square(z.detach(), e), "are exchanged"),
        (lambda r, z, e, b: -r + mean_square(z.detach(), e)
         + b * mean_square(z, e.detach()), "has a minus"),
        (lambda r, z, e, b: r + b * mean_square(z, e.detach()),
         "second term is missing"),
        (lambda r, z, e, b: r + mean_square(z.detach(), e), "third term is missing"),
        (lambda r, z, e, b: r + b * (mean_square(z.detach(), e)
         + mean_square(z, e.detach())), "multiplies both"),
        (lambda r, z, e, b: r + mean_square(z.detach(), e)
         + mean_square(z, e.detach()), "beta is missing"),
        (lambda r, z, e, b: r + (z.detach() - e).square().sum(1).mean()
         + b * (z - e.detach()).square().sum(1).mean(), "over the channels"),
        (lambda r, z, e, b: r + mean_square(z.detach(), e)
         + 0.25 * mean_square(z, e.detach()), "use the argument"),
        (lambda r, z, e, b: r + (z.detach() - e).pow(2).sum()
         + b * (z - e.detach()).pow(2).sum(), "sums the squares"),
        (lambda r, z, e, b: r + (z.detach() - e).norm() + b * (z - e.detach()).norm(),
         "this is the distance"),
        (lambda r, z, e, b: r + F.l1_loss(z.detach(), e) + b * F.l1_loss(z, e.detach()),
         "absolute"),
        (lambda r, z, e, b: mean_square(z.detach(), e) + b * mean_square(z, e.detach()),
         "error is missing"),
        (lambda r, z, e, b: r + mean_square(z.detach(), e) + b * mean_square(z, e),
         "also moves the entries"),
        (lambda r, z, e, b: r + mean_square(z, e) + b * mean_square(z, e.detach()),
         "also pulls the encoder"),
        (lambda r, z, e, b: r + (1 + b) * mean_square(z.detach(), e.detach()),
         "neither z_e nor e"),
        (lambda r, z, e, b: r.detach() + mean_square(z.detach(), e)
         + b * mean_square(z, e.detach()), "back into the reconstruction"),
    ],
    "04.4": [
        (entropy, "in nats"),
        (as_a_float, "A plain number has no gradient"),
        (lambda c, k: entropy(c, k) / torch.log(torch.tensor(2.0)), "in bits"),
        (lambda c, k: 2 ** entropy(c, k), "yours is in nats"),
        (lambda c, k: (entropy(c, k) / torch.log(torch.tensor(2.0))).exp(),
         "yours is in bits"),
        (lambda c, k: (-entropy(c, k)).exp(), "sign of the entropy"),
        (lambda c, k: torch.tensor(float(len(set(c.flatten().tolist())))),
         "however seldom"),
        (lambda c, k: 1 / (shares(c, k) ** 2).sum(), "squared shares"),
        (no_care_for_zero, "0 log 0"),
        (lambda c, k: torch.stack([by_entropy(x, k) for x in c]).mean(),
         "the codes of each picture alone"),
        (lambda c, k: (entropy(c, k) / k).exp(), "the entropy is the sum"),
        (lambda c, k: torch.tensor(float(k)), "used alike"),
        (lambda c, k: torch.special.entr(shares(c, k) * c.numel() / k).sum().exp(),
         "don't sum to 1"),
    ],
    "04.5": [
        (lambda s, k: pixelcnn.raster_mask(s, {"A": "B", "B": "A"}[k]),
         "kinds are exchanged"),
        (lambda s, k: mask_by_order(s, "B"), "kept in both"),
        (lambda s, k: mask_by_order(s, "A"), "left out in both"),
        (open_below_and_right, "rows below are open"),
        (changed(open_right), "right of the middle"),
        (changed(shut_right), "only the left half"),
        (lambda s, k: mask_by_order(s, k).flip(0).flip(1), "what comes after"),
        (lambda s, k: mask_by_order(s, k).T, "column by column"),
        (lambda s, k: torch.ones(s, s).tril(-1 if k == "A" else 0), "lower triangle"),
        (lambda s, k: torch.ones(s, s), "open everywhere"),
        (lambda s, k: 1 - mask_by_order(s, k), "open and shut"),
        (lambda s, k: mask_by_order(s, k) > 0, "not of floats"),
        (lambda s, k: mask_by_order(s, k)[None, None], "should have shape"),
    ],
    "04.6": [
        (lambda s, c: -nats(s, c), "never above 0"),
        (lambda s, c: each(s, c).mean((1, 2)), "the mean over the places"),
        (lambda s, c: -each(s, c).mean((1, 2)), "the sign, and the mean"),
        (lambda s, c: nats(s, c).sum(), "whole batch"),
        (lambda s, c: F.cross_entropy(s, c), "the loss of the batch"),
        (lambda s, c: s.gather(1, c[:, None]).sum((1, 2, 3)), "logits themselves"),
        (lambda s, c: each(s, c, 3).sum((1, 2)), "whole picture shares"),
        (lambda s, c: each(s, c, 2).sum((1, 2)), "over the rows"),
        (lambda s, c: each(s, c, 0).sum((1, 2)), "over the batch"),
        (lambda s, c: each(s, c).exp().sum((1, 2)), "adds up probabilities"),
        (lambda s, c: nats(s, c).exp(), "p itself"),
        (lambda s, c: nats(s, c) / torch.tensor(2.0).log(), "in bits"),
        (lambda s, c: s.log_softmax(1).max(1).values.sum((1, 2)), "most probable"),
        (each, "each place its own"),
        (lambda s, c: s.softmax(1).gather(1, c[:, None])[:, 0].log().sum((1, 2)),
         "very sure"),
        (lambda s, c: nats(s, c).detach(), "no gradient comes back"),
    ],
}  # fmt: skip
