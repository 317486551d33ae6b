"""Known answers to lesson 05: wrong ones with part of their diagnosis; right ones."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from t2i_course.papers import acgan, cgan, infogan
from t2i_course.papers.gan import discriminator_loss, nonsaturating_loss


def hot(z, y, n):
    return F.one_hot(y, n).to(z.dtype)


def joined_by_hand(z, y, n):
    place = torch.zeros(len(z), n, dtype=z.dtype, device=z.device)
    return torch.cat([z, place.scatter(1, y[:, None], 1.0)], 1)


def joined_by_rows(z, y, n):
    return torch.hstack([z, torch.eye(n, dtype=z.dtype, device=z.device)[y]])


def joined_in_numpy(z, y, n):
    return np.concatenate([z.detach().numpy(), np.eye(n)[y.numpy()]], 1)


def embedded_by_slices(weight, bias, noise_size):
    of_z, of_y = weight.split([noise_size, weight.shape[1] - noise_size], dim=1)
    return of_z, of_y.T + bias


def embedded_by_layer(weight, bias, noise_size):
    places = torch.eye(weight.shape[1] - noise_size).to(weight)
    none = weight.new_zeros(len(places), noise_size)
    table = F.linear(torch.cat([none, places], 1), weight, bias)
    return [weight[:, :noise_size], table]


# --------------------------------------------------------------------- rounds


def round_right(generator, discriminator, real, y, z):
    fake = generator(z, y)
    right = discriminator(real, y)
    yield "discriminator", discriminator_loss(right, discriminator(fake.detach(), y))
    yield "generator", nonsaturating_loss(discriminator(fake, y))


def round_asked_otherwise(generator, discriminator, real, y, z):
    fake = generator(z, (y + 1) % 3)
    right = discriminator(real, y)
    yield "discriminator", discriminator_loss(right, discriminator(fake.detach(), y))
    yield "generator", nonsaturating_loss(discriminator(fake, y))


def round_told_otherwise(generator, discriminator, real, y, z):
    fake, other = generator(z, y), (y + 1) % 3
    wrong = discriminator(fake.detach(), other)
    yield "discriminator", discriminator_loss(discriminator(real, y), wrong)
    yield "generator", nonsaturating_loss(discriminator(fake, other))


def round_by_softplus(generator, discriminator, real, y, z):
    fake = generator(z, y)
    logits = [discriminator(x, y) for x in (real, fake.detach())]
    loss = F.softplus(-logits[0]).mean() + F.softplus(logits[1]).mean()
    yield "discriminator", loss
    logits = discriminator(fake, y)
    yield "generator", F.softplus(-logits).mean()


def round_twice_drawn(generator, discriminator, real, y, z):
    with torch.no_grad():
        fake = generator(z, y)
    wrong = discriminator(fake, y)
    yield "discriminator", discriminator_loss(discriminator(real, y), wrong)
    yield "generator", nonsaturating_loss(discriminator(generator(z, y), y))


def round_glued(generator, discriminator, real, y, z):
    fake = generator(z, y)
    both = discriminator(torch.cat([real, fake.detach()]), torch.cat([y, y]))
    yield "discriminator", discriminator_loss(*both.chunk(2))
    yield "generator", nonsaturating_loss(discriminator(fake, y))


def round_attached(generator, discriminator, real, y, z):
    fake = generator(z, y)
    loss = discriminator_loss(discriminator(real, y), discriminator(fake, y))
    yield "discriminator", loss
    yield "generator", nonsaturating_loss(discriminator(fake, y))


def round_early(generator, discriminator, real, y, z):
    fake = generator(z, y)
    loss = discriminator_loss(discriminator(real, y), discriminator(fake.detach(), y))
    other = nonsaturating_loss(discriminator(fake, y))
    yield "discriminator", loss
    yield "generator", other


def round_returned(generator, discriminator, real, y, z):
    return list(round_right(generator, discriminator, real, y, z))


def round_of_d_alone(generator, discriminator, real, y, z):
    yield next(round_right(generator, discriminator, real, y, z))


def round_swapped(generator, discriminator, real, y, z):
    fake = generator(z, y)
    loss = discriminator_loss(discriminator(fake.detach(), y), discriminator(real, y))
    yield "discriminator", loss
    yield "generator", nonsaturating_loss(discriminator(fake, y))


def round_other_labels(generator, discriminator, real, y, z):
    fake, other = generator(z, y), y.roll(1, 0)
    wrong = discriminator(fake.detach(), other)
    yield "discriminator", discriminator_loss(discriminator(real, y), wrong)
    yield "generator", nonsaturating_loss(discriminator(fake, y))


def round_unlabelled(generator, discriminator, real, y, z):
    yield from round_right(
        generator, lambda x, _: discriminator(x, torch.zeros_like(y)), real, y, z
    )


def round_saturating(generator, discriminator, real, y, z):
    fake = generator(z, y)
    right = discriminator(real, y)
    yield "discriminator", discriminator_loss(right, discriminator(fake.detach(), y))
    yield "generator", torch.log(1 - discriminator(fake, y).sigmoid()).mean()


def round_turned(generator, discriminator, real, y, z):
    turns = round_right(generator, discriminator, real, y, z)
    yield next(turns)
    yield "generator", -next(turns)[1]


def round_fresh_noise(generator, discriminator, real, y, z):
    yield from round_right(generator, discriminator, real, y, torch.randn_like(z))


def round_judged(generator, discriminator, real, y, z):
    fake = generator(z, y)
    right = discriminator(real, y)
    yield "discriminator", discriminator_loss(right, discriminator(fake.detach(), y))
    right = discriminator(real, y)
    yield "generator", discriminator_loss(right, discriminator(fake, y))


def round_judged_before(generator, discriminator, real, y, z):
    fake = generator(z, y)
    right = discriminator(real, y)
    yield "discriminator", discriminator_loss(right, discriminator(fake.detach(), y))
    yield "generator", discriminator_loss(right, discriminator(fake, y))


def round_arguments(generator, discriminator, real, y, z):
    yield from round_right(lambda z, y: generator(y, z), discriminator, real, y, z)


def round_d_arguments(generator, discriminator, real, y, z):
    yield from round_right(generator, lambda x, y: discriminator(y, x), real, y, z)


def round_flat_labels(generator, discriminator, real, y, z):
    yield from round_right(generator, discriminator, real, y[:, 0], z)


def round_generator_first(generator, discriminator, real, y, z):
    first, second = round_early(generator, discriminator, real, y, z)
    yield second
    yield first


# --------------------------------------------------------------------- losses


def likelihoods(r, f, y):
    return [x.log_softmax(1).gather(1, y[:, None]) for x in (r, f)]


def naming_by_hand(r, f, y):
    return -sum(found.mean() for found in likelihoods(r, f, y))


def naming_at_once(r, f, y):
    return 2 * F.cross_entropy(torch.cat([r, f]), torch.cat([y, y]))


def naming_fragile(r, f, y):
    picked = [x.softmax(1).gather(1, y[:, None]) for x in (r, f)]
    return -sum(found.log().mean() for found in picked)


def naming_floored(r, f, y):
    picked = [x.softmax(1).gather(1, y[:, None]) for x in (r, f)]
    return -sum((found + 1e-12).log().mean() for found in picked)


def naming_detached(r, f, y):
    return F.cross_entropy(r, y) + F.cross_entropy(f.detach(), y)


def score_by_bmm(h, y, v, table):
    return torch.einsum("bf,bf->b", h, v + table[y])


def score_by_hot(h, y, v, table):
    rows = F.one_hot(y, len(table)).to(h.dtype) @ table
    return h.mv(v) + (h * rows).sum(-1)


def score_detached(h, y, v, table):
    return h @ v + (table[y].detach() * h).sum(1)


def score_kept(h, y, v, table):
    return cgan.projection_score(h, y, v, table)[:, None]


def bound_by_hand(logits, code):
    found = logits.log_softmax(1)[torch.arange(len(code)), code]
    return found.mean() + math.log(logits.shape[1])


def bound_by_loss(logits, code):
    return -F.nll_loss(F.log_softmax(logits, dim=1), code) + math.log(logits.size(1))


def bound_fragile(logits, code):
    picked = logits.softmax(1).gather(1, code[:, None])
    return picked.log().mean() + math.log(logits.shape[1])


def bound_as_number(logits, code):
    return logits.new_tensor(infogan.code_bound(logits, code).item())


def ce(x, y, **more):
    return F.cross_entropy(x, y, **more)


WRONG = {
    "05.1": [
        (lambda z, y, n: torch.cat([z, y[:, None].to(z.dtype)], 1), "as one number"),
        (hot, "every 3 would be the same 3"),
        (lambda z, y, n: z, "the noise alone"),
        (lambda z, y, n: torch.cat([hot(z, y, n), z], 1), "the label comes first"),
        (
            lambda z, y, n: torch.cat([z, hot(z, (y - 1) % n, n)], 1),
            "place y counts from 0",
        ),
        (
            lambda z, y, n: torch.cat([z, F.one_hot(y).to(z.dtype)], 1),
            "counts what it sees",
        ),
        (lambda z, y, n: torch.cat([z, 1 - hot(z, y, n)], 1), "1 elsewhere"),
        (joined_in_numpy, "a tensor is promised"),
    ],
    "05.2": [
        (lambda w, b, n: (w[:, :n], w[:, n:].T), "the bias is missing"),
        (lambda w, b, n: (w[:, :n], w[:, n:] + b[:, None]), "lies on its side"),
        (lambda w, b, n: (w[:, n:].T + b, w[:, :n]), "the two are exchanged"),
        (lambda w, b, n: (w[:, -n:], w[:, :-n].T + b), "from the last columns"),
        (lambda w, b, n: (w[:, :n], w[:, n:].T - b), "taken off where"),
        (lambda w, b, n: (w[:, :n], w[:, n:] + b), "Turn them first (.T)"),
        (lambda w, b, n: (w[:, :n], w[:, :3].T + b), "columns that meet z"),
        (lambda w, b, n: w[:, n:].T + b, "two things are asked for"),
        (lambda w, b, n: (w[:, :n], (w[:, n:].T + b).detach()), "gradient"),
    ],
    "05.3": [
        (round_attached, "not detached"),
        (round_twice_drawn, "draws 2 times"),
        (round_glued, "glued together"),
        (round_early, "before the discriminator has stepped"),
        (round_returned, "in place of `return`"),
        (round_of_d_alone, "only the discriminator has a turn"),
        (round_swapped, "real ones first"),
        (round_other_labels, "another label of the drawn pictures"),
        (round_unlabelled, "told nothing of y"),
        (round_saturating, "saturating loss"),
        (round_turned, "turned round"),
        (round_fresh_noise, "other noise than the round's z"),
        (round_judged, "can't change how real pictures score"),
        (round_judged_before, "of the real logits of D's turn"),
        (round_arguments, "noise first"),
        (round_d_arguments, "a picture first"),
        (round_flat_labels, "y as it came"),
        (round_generator_first, "the generator plays first"),
    ],
    "05.4": [
        (lambda r, f, y: ce(r, y), "the drawn pictures are missing"),
        (lambda r, f, y: ce(f, y), "the real pictures are missing"),
        (lambda r, f, y: (ce(r, y) + ce(f, y)) / 2, "averaged"),
        (lambda r, f, y: ce(r, y) - ce(f, y), "anything but y"),
        (lambda r, f, y: -ce(r, y) - ce(f, y), "negative"),
        (
            lambda r, f, y: ce(r, y, reduction="sum") + ce(f, y, reduction="sum"),
            "adds up the batch",
        ),
        (lambda r, f, y: ce(r.softmax(1), y) + ce(f.softmax(1), y), "taken twice"),
        (
            lambda r, f, y: (
                -sum(x.softmax(1).gather(1, y[:, None]).mean() for x in (r, f))
            ),
            "without its log",
        ),
        (
            lambda r, f, y: F.nll_loss(r, y) + F.nll_loss(f, y),
            "logits for log-probabilities",
        ),
        (naming_fragile, "very sure and wrong"),
        (naming_floored, "very sure and wrong"),
        (naming_detached, "fake_logits"),
    ],
    "05.5": [
        (lambda h, y, v, t: h @ v, "only whether it is real"),
        (lambda h, y, v, t: (t[y] * h).sum(1), "only whether the class fits"),
        (lambda h, y, v, t: h @ v + t[y].sum(1), "without h"),
        (lambda h, y, v, t: h @ v + h @ t[y].T, "all labels of the batch"),
        (lambda h, y, v, t: (h @ v)[:, None] + h @ t.T, "each class, (B, K)"),
        (lambda h, y, v, t: (h @ v) * (t[y] * h).sum(1), "log-probabilities add"),
        (lambda h, y, v, t: h @ v - (t[y] * h).sum(1), "subtracted"),
        (lambda h, y, v, t: h @ v + (t[y] * h).mean(1), "averaged over the features"),
        (lambda h, y, v, t: h @ v + (t[y] * h).sum(), "over the whole batch"),
        (score_detached, "`table`"),
        (score_kept, "An axis of length 1 is too many"),
    ],
    "05.6": [
        (lambda x, c: -ce(x, c), "H(c) is missing"),
        (lambda x, c: ce(x, c), "this is the loss"),
        (lambda x, c: math.log(x.shape[1]) + ce(x, c), "turned round"),
        (lambda x, c: math.log(len(x)) - ce(x, c), "batch's size"),
        (lambda x, c: x.shape[1] - ce(x, c), "K itself"),
        (lambda x, c: (math.log(x.shape[1]) - ce(x, c)) / math.log(2), "in bits"),
        (
            lambda x, c: math.log(x.shape[1]) - ce(x, c, reduction="sum"),
            "adds up the batch",
        ),
        (lambda x, c: math.log(x.shape[1]) - ce(x.softmax(1), c), "taken twice"),
        (
            lambda x, c: (
                math.log(x.shape[1]) + (x.softmax(1) * x.log_softmax(1)).sum(1).mean()
            ),
            "how sure Q is",
        ),
        (bound_fragile, "very sure and wrong"),
        (bound_as_number, "no gradient"),
    ],
}

ALSO_WRONG = {
    "05.1": [
        (lambda z, y, n: torch.cat([z, F.pad(hot(z, y, n), (0, 9))[:, : z.shape[1]]]),
         "join along axis 1"),
        (lambda z, y, n: torch.cat([z, hot(z, y, n)]), "join along axis 1"),
    ],
    "05.3": [(round_asked_otherwise, "hand y on"), (round_told_otherwise, "hand y on")],
    "05.5": [(lambda h, y, v, t: h @ v + h @ t.sum(0), "all rows of the table")],
    "05.6": [(lambda x, c: math.log(10) - ce(x, c), "log 10 stands here")],
    "05.4": [
        (lambda r, f, y: acgan.auxiliary_loss(r, f, y).item(), "a tensor"),
    ],
}  # fmt: skip

RIGHT = {
    "05.1": [joined_by_hand, joined_by_rows],
    "05.2": [embedded_by_slices, embedded_by_layer],
    "05.3": [round_right, round_by_softplus],
    "05.4": [naming_by_hand, naming_at_once],
    "05.5": [score_by_bmm, score_by_hot],
    "05.6": [bound_by_hand, bound_by_loss],
}
