"""Known answers to lesson 01: wrong ones with part of their diagnosis; right ones."""

import math

import torch
import torch.nn.functional as F

from t2i_course.papers import gan

s = F.softplus


# ------------------------------------------------------------------- Algorithm 1


def attached(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        yield "discriminator", d_loss(d(x), d(g(noise(len(x)))))
    yield "generator", g_loss(d(g(noise(len(real) // k))))


def one_turn_only(real, noise, g, d, k, d_loss, g_loss):
    m = len(real) // k
    yield "discriminator", d_loss(d(real[:m]), d(g(noise(m)).detach()))
    yield "generator", g_loss(d(g(noise(m))))


def same_minibatch(real, noise, g, d, k, d_loss, g_loss):
    m = len(real) // k
    for _ in range(k):
        yield "discriminator", d_loss(d(real[:m]), d(g(noise(m)).detach()))
    yield "generator", g_loss(d(g(noise(m))))


def whole_batch(real, noise, g, d, k, d_loss, g_loss):
    m = len(real) // k
    for _ in range(k):
        yield "discriminator", d_loss(d(real), d(g(noise(m)).detach()))
    yield "generator", g_loss(d(g(noise(m))))


def stale_noise(real, noise, g, d, k, d_loss, g_loss):
    z = noise(len(real) // k)
    for x in real.chunk(k):
        yield "discriminator", d_loss(d(x), d(g(z).detach()))
    yield "generator", g_loss(d(g(z)))


def worked_out_early(real, noise, g, d, k, d_loss, g_loss):
    m = len(real) // k
    losses = [d_loss(d(x), d(g(noise(m)).detach())) for x in real.chunk(k)]
    last = g_loss(d(g(noise(m))))
    for loss in losses:
        yield "discriminator", loss
    yield "generator", last


def generator_first(real, noise, g, d, k, d_loss, g_loss):
    yield "generator", g_loss(d(g(noise(len(real) // k))))
    for x in real.chunk(k):
        yield "discriminator", d_loss(d(x), d(g(noise(len(x))).detach()))


def generator_inside(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        yield "discriminator", d_loss(d(x), d(g(noise(len(x))).detach()))
        yield "generator", g_loss(d(g(noise(len(x)))))
    if k == 1:
        yield "generator", g_loss(d(g(noise(len(real)))))


def generator_detached(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        yield "discriminator", d_loss(d(x), d(g(noise(len(x))).detach()))
    yield "generator", g_loss(d(g(noise(len(real) // k)).detach()))


def swapped_logits(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        yield "discriminator", d_loss(d(g(noise(len(x))).detach()), d(x))
    yield "generator", g_loss(d(g(noise(len(real) // k))))


def too_much_noise(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        yield "discriminator", d_loss(d(x), d(g(noise(len(x))).detach()))
    yield "generator", g_loss(d(g(noise(len(real)))))


def returns_losses(real, noise, g, d, k, d_loss, g_loss):
    return [("generator", g_loss(d(g(noise(len(real) // k)))))]


def loss_only(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        yield d_loss(d(x), d(g(noise(len(x))).detach()))
    yield g_loss(d(g(noise(len(real) // k))))


def unasked(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        yield "discriminator", d_loss(d(x), d(g(noise(len(x))).detach()))
    yield "generator", g_loss(g(noise(len(real) // k))[:, 0])


def glued(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        logits = d(torch.cat([x, g(noise(len(x))).detach()]))
        yield "discriminator", d_loss(logits[: len(x)], logits[len(x) :])
    yield "generator", g_loss(d(g(noise(len(real) // k))))


def short_names(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        yield "D", d_loss(d(x), d(g(noise(len(x))).detach()))
    yield "G", g_loss(d(g(noise(len(real) // k))))


def no_turn_of_g(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        yield "discriminator", d_loss(d(x), d(g(noise(len(x))).detach()))


def drawn_with_replacement(real, noise, g, d, k, d_loss, g_loss):
    m = len(real) // k
    for i in range(k):
        x = real[torch.arange(i, i + m)]  # neighbouring turns share samples
        yield "discriminator", d_loss(d(x), d(g(noise(m)).detach()))
    yield "generator", g_loss(d(g(noise(m))))


def fakes_for_real(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        d(x)
        fake_logits = d(g(noise(len(x))).detach())
        yield "discriminator", d_loss(fake_logits, fake_logits)
    yield "generator", g_loss(d(g(noise(len(real) // k))))


def real_twice(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        d(g(noise(len(x))).detach())
        yield "discriminator", d_loss(d(x), d(x))
    yield "generator", g_loss(d(g(noise(len(real) // k))))


def going_up(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        yield "discriminator", -d_loss(d(x), d(g(noise(len(x))).detach()))
    yield "generator", g_loss(d(g(noise(len(real) // k))))


def saturating_turn(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        yield "discriminator", d_loss(d(x), d(g(noise(len(x))).detach()))
    yield "generator", gan.saturating_loss(d(g(noise(len(real) // k))))


def detached_verdict(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        yield "discriminator", d_loss(d(x), d(g(noise(len(x)))).detach())
    yield "generator", g_loss(d(g(noise(len(real) // k))))


def steps_itself(real, noise, g, d, k, d_loss, g_loss):
    for player, loss in right_by_slices(real, noise, g, d, k, d_loss, g_loss):
        loss.backward(retain_graph=True)
        yield player, loss


def right_by_strides(real, noise, g, d, k, d_loss, g_loss):
    for i in range(k):
        x = real[i::k]
        yield "discriminator", d_loss(d(x), d(g(noise(len(x))).detach()))
    yield "generator", g_loss(d(g(noise(len(real) // k))))


def right_by_shuffling(real, noise, g, d, k, d_loss, g_loss):
    real = real[torch.randperm(len(real))]
    yield from right_by_slices(real, noise, g, d, k, d_loss, g_loss)


def right_with_fakes_first(real, noise, g, d, k, d_loss, g_loss):
    for x in real.chunk(k):
        fake_logits = d(g(noise(len(x))).detach())
        yield "discriminator", d_loss(d(x), fake_logits)
    d(x)  # a needless look in G's turn harms nobody
    yield "generator", g_loss(d(g(noise(len(real) // k))))


def right_by_slices(real, noise, g, d, k, d_loss, g_loss):
    m = len(real) // k
    for i in range(k):
        with torch.no_grad():
            fake = g(noise(m))
        yield "discriminator", d_loss(d(real[i * m : (i + 1) * m]), d(fake))
    yield "generator", g_loss(d(g(noise(m))))


def right_by_view(real, noise, g, d, k, d_loss, g_loss):
    minibatches = real.view(k, -1, *real.shape[1:])
    for x in minibatches:
        fake_logits = d(g(noise(len(x))).detach())
        real_logits = d(x)
        yield ("discriminator", d_loss(real_logits, fake_logits))
    z = noise(minibatches.shape[1])
    yield ("generator", g_loss(d(g(z))))


# -------------------------------------------------------------- the deviation


def grouped(x, group):
    return x.view(-1, group, x.shape[1])


def append(x, number):
    return torch.cat([x, number], 1)


def steep(x, group=8):
    deviation = grouped(x, group).var(1, unbiased=False).sqrt().mean(1)
    return append(x, deviation.repeat_interleave(group)[:, None])


def right_by_std(x, group=8):
    deviation = grouped(x, group).std(1, unbiased=False).mean(1, keepdim=True)
    return append(x, deviation.repeat_interleave(group, 0))


def right_by_hand(x, group=8):
    cut = grouped(x, group)
    away = cut - cut.mean(1, keepdim=True)
    number = (away.square().mean(1) + 1e-8).sqrt().mean(1)
    column = number[:, None, None].expand(-1, group, 1)
    return torch.cat([cut, column], 2).view(len(x), -1)


def in_place(x, group=8):
    made = torch.zeros(len(x), x.shape[1] + 1)
    made[:, :-1] = x
    made[:, -1:] = right_by_hand(x, group)[:, -1:]
    return made


def by_column_stack(x, group=8):
    return torch.column_stack([x, right_by_hand(x, group)[:, -1]])


def cut_off(x, group=8):
    return append(x, right_by_hand(x.detach(), group)[:, -1:])


def by_numbers(x, group=8):
    numbers = [float(right_by_hand(part, group)[0, -1]) for part in x.split(group)]
    column = torch.tensor(numbers).repeat_interleave(group)[:, None]
    return append(x, column)


def without_gradients(x, group=8):
    with torch.no_grad():
        return right_by_hand(x, group)


def y_first(x, y, rate):
    y = y + rate * x
    return x - rate * y, y


def on_the_circle(x, y, rate):
    c, s = math.cos(rate), math.sin(rate)
    return x * c - y * s, x * s + y * c


def per_group(numbers, group):
    """A column with each group's number beside all its samples."""
    return numbers.repeat_interleave(group)[:, None]


def x_with_matrix(x, y, rate):
    return x - rate * y, rate * x + (1 - rate**2) * y


def x_step_by_step(x, y, rate):
    new_x = x + (-rate) * y
    new_y = y + rate * new_x
    return (new_x, new_y)


def for_vectors(logits, label):
    return F.binary_cross_entropy_with_logits(logits, label(len(logits)))


WRONG = {
    "01.1": [
        (lambda p, g: g / (p + g), "swapped"),
        (lambda p, g: p / g, "can exceed 1"),
        (lambda p, g: p.log() - g.log(), "logit of D*"),
        (lambda p, g: torch.full_like(p, 0.5), "end of the game"),
        (lambda p, g: p / (p + g).sum(), "normalizes over all points"),
        (lambda p, g: p - g, "difference"),
        (lambda p, g: (p / (p + g)).mean(), "should have shape (7,)"),
    ],
    "01.2": [
        (
            lambda r, f: for_vectors(r, torch.ones) + for_vectors(f, torch.zeros),
            "(1000, 1) and (1000, 1), which a later cell passes",
        ),
        (
            lambda r, f: s(-r).mean() + s(f).mean().detach(),
            "no gradient comes back to `fake_logits`",
        ),
        (
            lambda r, f: (s(-r).mean() + s(f).mean()).item(),
            "A plain number has no gradient",
        ),
        (lambda r, f: -(s(-r).mean() + s(f).mean()), "this is V itself"),
        (lambda r, f: s(r).mean() + s(-f).mean(), "call real pictures fake"),
        (lambda r, f: s(-r).mean(), "fake half is missing"),
        (lambda r, f: s(f).mean(), "real half is missing"),
        (lambda r, f: s(-r).sum() + s(f).sum(), "adds up the batch"),
        (lambda r, f: (s(-r).mean() + s(f).mean()) / 2, "half of -V"),
        (lambda r, f: s(-r).mean() + s(-f).mean(), "rewards D for believing"),
        (lambda r, f: s(r).mean() + s(f).mean(), "both halves have the same sign"),
        (
            lambda r, f: -F.logsigmoid(r).mean() - (1 - F.logsigmoid(f)).mean(),
            "is taken for 1 - log D",
        ),
        (
            lambda r, f: (
                -torch.sigmoid(r).log().mean() - (1 - torch.sigmoid(f)).log().mean()
            ),
            "not finite when D is very sure",
        ),
        (
            lambda r, f: (
                -(torch.sigmoid(r) + 1e-8).log().mean()
                - (1 - torch.sigmoid(f) + 1e-8).log().mean()
            ),
            "cuts it off",
        ),
    ],
    "01.3": [
        (lambda f: for_vectors(f, torch.ones), "(500, 1), which a later cell passes"),
        (lambda f: s(f.neg_()).mean(), "`fake_logits` is changed by the call"),
        (gan.saturating_loss, "saturating loss"),
        (lambda f: F.logsigmoid(f).mean(), "sign is wrong"),
        (lambda f: -f.mean(), "mean logit with its sign turned"),
        (lambda f: s(f).mean(), "discriminator's loss on fakes"),
        (lambda f: s(-f).sum(), "adds up the batch"),
        (lambda f: -torch.sigmoid(f).mean(), "without the log"),
        (lambda f: s(-f), "one loss per sample"),
        (lambda f: -torch.sigmoid(f).log().mean(), "not finite when D is very sure"),
        (lambda f: -(torch.sigmoid(f) + 1e-6).log().mean(), "a small number added"),
        (lambda f: s(-f).mean().detach(), "no gradient comes back"),
    ],
    "01.4": [
        (attached, "not detached"),
        (detached_verdict, "D's logits for the fakes reach discriminator_loss"),
        (steps_itself, "loop calls .backward()"),
        (one_turn_only, "D has 1 turn in a round; it should have k"),
        (same_minibatch, "fresh minibatch"),
        (whole_batch, "not all of `real`"),
        (
            stale_noise,
            "k + 1 = 4 times, fresh for each turn (the generator's too); here it "
            "is drawn once",
        ),
        (worked_out_early, "before the turn"),
        (generator_first, "plays first"),
        (generator_inside, "one, after the loop"),
        (generator_detached, "its own work"),
        (swapped_logits, "swapped"),
        (too_much_noise, "m vectors"),
        (returns_losses, "no `yield`"),
        (loss_only, "a pair"),
        (unasked, "not asked any more"),
        (glued, "glued together; call it once for each"),
        (short_names, '"discriminator" or "generator", but is "D".'),
        (no_turn_of_g, "the generator has 0 turns"),
        (fakes_for_real, "for the real minibatch first"),
        (real_twice, "for the fakes second"),
        (going_up, "the discriminator's loss should be handed over"),
        (saturating_turn, "the generator's loss should be handed over"),
    ],
    "01.5": [
        (gan.simultaneous_step, "simultaneous step"),
        (y_first, "y steps first"),
        (lambda x, y, r: (x - r * y, y - r * (x - r * y)), "goes down too"),
        (lambda x, y, r: (x + r * y, y - r * (x + r * y)), "each other's wishes"),
        (lambda x, y, r: (x + r * y, y + r * (x + r * y)), "x goes up"),
        (on_the_circle, "infinitely small steps"),
        (lambda x, y, r: (x - r * x, y + r * y), "dV/dx = y"),
        (lambda x, y, r: (x - y, x), "learning rate is missing"),
        (lambda x, y, r: (y + r * (x - r * y), x - r * y), "results are swapped"),
    ],
    "01.6": [
        (in_place, "don't assign into slices"),
        (by_column_stack, "torch.func.vmap doesn't know column_stack"),
        (cut_off, "Remove detach, no_grad, float or .item()"),
        (
            lambda x, g=8: append(x, x.std(0, unbiased=False).mean().expand(len(x), 1)),
            "over the whole batch",
        ),
        (
            lambda x, g=8: append(
                x,
                grouped(x, g)
                .var(1, unbiased=False)
                .mean(1)
                .repeat_interleave(g)[:, None],
            ),
            "this is the variance",
        ),
        (lambda x, g=8: append(x, x.std(1, False, keepdim=True)), "sample's features"),
        (
            lambda x, g=8: append(
                x,
                x.view(g, -1, x.shape[1])
                .std(0, unbiased=False)
                .mean(1)
                .repeat(g)[:, None],
            ),
            "far apart",
        ),
        (
            lambda x, g=8: append(
                x, grouped(x, g).std(1, unbiased=False).mean(1).repeat(g)[:, None]
            ),
            "wrong samples",
        ),
        (
            lambda x, g=8: append(
                x, per_group(grouped(x, g).std(2, unbiased=False).mean(1), g)
            ),
            "over the features of one sample of a group",
        ),
        (
            lambda x, g=8: append(
                x, per_group(grouped(x, g).flatten(1).std(1, unbiased=False), g)
            ),
            "mixes the features",
        ),
        (
            lambda x, g=8: append(
                x, grouped(x, g).std(1).mean(1).repeat_interleave(g)[:, None]
            ),
            "group - 1",
        ),
        (
            lambda x, g=8: torch.cat(
                [right_by_std(x, g)[:, -1:], right_by_std(x, g)[:, :-1]], 1
            ),
            "come last",
        ),
        (
            lambda x, g=8: append(
                x, grouped(x, g).std(1, unbiased=False).repeat_interleave(g, 0)
            ),
            "per feature",
        ),
        (
            lambda x, g=8: append(
                x,
                grouped(x, g)
                .var(1, unbiased=False)
                .mean(1)
                .add(1e-8)
                .sqrt()
                .repeat_interleave(g)[:, None],
            ),
            "root of the mean variance",
        ),
        (steep, "not finite"),
    ],
}

# Wrong in another way, but with the diagnosis of one above.
ALSO_WRONG = {
    "01.4": [(drawn_with_replacement, "don't show D every sample once")],
    "01.6": [
        (by_numbers, "no gradient flows through the deviation"),
        (without_gradients, "no gradient flows through the deviation"),
    ],
}

RIGHT = {
    "01.1": [
        lambda p, g: torch.sigmoid(p.log() - g.log()),
        lambda p, g: 1 / (1 + g / p),
        lambda p, g: 1 - g / (p + g),
    ],
    "01.2": [
        lambda r, f: (
            F.binary_cross_entropy_with_logits(r, torch.ones_like(r))
            + F.binary_cross_entropy_with_logits(f, torch.zeros_like(f))
        ),
        lambda r, f: -(F.logsigmoid(r).mean() + F.logsigmoid(-f).mean()),
    ],
    "01.3": [
        lambda f: F.binary_cross_entropy_with_logits(f, torch.ones_like(f)),
        lambda f: -F.logsigmoid(f).mean(),
        lambda f: torch.logaddexp(torch.zeros_like(f), -f).mean(),
    ],
    "01.4": [
        right_by_slices,
        right_by_view,
        right_by_strides,
        right_by_shuffling,
        right_with_fakes_first,
    ],
    "01.5": [x_with_matrix, x_step_by_step],
    "01.6": [right_by_std, right_by_hand],
}
