"""Known answers to lesson 14: wrong ones with part of their diagnosis; right ones."""

import numpy as np
import torch
from torch.nn import functional as F

soft = F.softplus

# 14.1, what is to be seen -------------------------------------------------------------


def wanted_by_copy(attributes, named):
    made = attributes.clone()
    mask = named != -1
    made[mask] = named[mask]
    return made


def wanted_by_mask(attributes, named):
    says = (named >= 0).long()
    return says * named + (1 - says) * attributes


def wanted_one_by_one(attributes, named):
    rows = zip(attributes.tolist(), named.tolist())
    made = [[n if n >= 0 else a for a, n in zip(*row)] for row in rows]
    return torch.tensor(made, device=attributes.device)


def wanted_in_place(attributes, named):
    attributes[named >= 0] = named[named >= 0]
    return attributes


def wanted_in_place_alone(attributes, named):
    attributes[named >= 0] = named[named >= 0]


def wanted_by_if(attributes, named):
    if named >= 0:
        return named
    return attributes


def wanted_of_floats(attributes, named):
    says = (named >= 0).float()
    return says * named + (1 - says) * attributes


def chosen(mask, this=lambda a, n: n, that=lambda a, n: a):
    return lambda a, n: torch.where(mask(n), this(a, n), that(a, n))


# 14.2, inside and outside -------------------------------------------------------------


def sides_by_channels(before, after, inside):
    size = (after - before).abs().movedim(1, -1)
    return size[inside].mean(), size[~inside].mean()


def sides_by_sums(before, after, inside):
    size = (before - after).abs()
    made = []
    for mask in (inside, torch.logical_not(inside)):
        wide = mask.unsqueeze(1).to(size.dtype)
        made.append((size * wide).sum() / (3 * wide.sum()))
    return made


def sides_by_select(before, after, inside):
    size = torch.abs(before - after).mean(dim=1)
    return (
        torch.masked_select(size, inside).mean(),
        torch.masked_select(size, inside.logical_not()).mean(),
    )


def sides(change=None, pool=None, other=lambda m: ~m):
    def answer(before, after, inside):
        c = (after - before).abs().mean(1) if change is None else change(before, after)
        take = pool or (lambda c, m: c[m].mean())
        return take(c, inside), take(c, other(inside))

    return answer


def of_pixels(before, after):
    return (after - before).abs().mean(1)


def sides_all_channels(before, after, inside):
    """The mask, without an axis, beside pictures."""
    size = (after - before).abs()
    return tuple((size * m).sum() / m.sum() for m in (inside, ~inside))


def sides_chosen(before, after, inside):
    size = (after - before).abs()
    return size[inside].mean(), size[~inside].mean()


def sides_of_pictures(before, after, inside):
    size = of_pixels(before, after)
    each = [(c[m].mean(), c[~m].mean()) for c, m in zip(size, inside)]
    return tuple(torch.stack(part).mean() for part in zip(*each))


def sides_in_place(before, after, inside):
    size = after.sub_(before).abs().mean(1)
    return size[inside].mean(), size[~inside].mean()


# 14.3, whose sentence -----------------------------------------------------------------


def half_by_index(text):
    count = len(text)
    places = torch.arange(count, device=text.device)
    half = count // 2
    places[:half] = (places[:half] + 1) % max(half, 1)
    return text[places]


def half_in_parts(text):
    half = len(text) // 2
    first, second = text.split([half, len(text) - half])
    return torch.cat((first[1:], first[:1], second), dim=0)


def half_in_a_copy(text):
    half = len(text) // 2
    made = text.clone()
    made[:half] = text[:half].roll(-1, 0)
    return made


def half_backwards(text):
    """Each gets the sentence before its own; as good, but other lots."""
    half = len(text) // 2
    return torch.cat([text[:half].roll(1, 0), text[half:]])


def half_of_more(text):
    """Of an odd number the middle one belongs to the first half."""
    half = (len(text) + 1) // 2
    return torch.cat([text[:half].roll(-1, 0), text[half:]])


def cut(parts):
    def answer(text):
        half = len(text) // 2
        return torch.cat(parts(text[:half], text[half:]))

    return answer


def on_half(change, rest=lambda t: t):
    return cut(lambda first, second: [change(first), rest(second)])


def once(t):
    return t.roll(-1, 0)


def half_in_place(text):
    half = len(text) // 2
    text[:half] = text[:half].roll(-1, 0)
    return text


def half_of_chunks(text):
    one, two = text.view(2, -1, text.shape[1])
    return torch.cat([one.roll(-1, 0), two])


def half_interleaved(text):
    made = text.clone()
    made[::2] = text[::2].roll(-1, 0)
    return made


def half_in_pairs(text):
    places = torch.arange(len(text))
    return text[(places ^ 1).clamp_max(len(text) - 1)]


def half_side_by_side(text):
    half = len(text) // 2
    return text[:half].roll(-1, 0), text[half:]


def half_by_lot(text):
    half = len(text) // 2
    turn = int(torch.randint(1, max(half, 2), ()))
    return torch.cat([text[:half].roll(turn, 0), text[half:]])


def half_first_for_all(text):
    half = len(text) // 2
    places = torch.arange(len(text))
    places[:half] = 0
    places[0] = min(1, half)
    return text[places]


# 14.4, yes weighs as much as no -------------------------------------------------------


def loss_by_logits(real, wrong, made):
    no = torch.zeros_like(wrong)
    bce = F.binary_cross_entropy_with_logits
    return bce(real, torch.ones_like(real)) + 0.5 * (bce(wrong, no) + bce(made, no))


def loss_by_logsigmoid(real, wrong, made):
    log = F.logsigmoid
    return -(log(real).mean() + (log(-wrong).mean() + log(-made).mean()) / 2)


def loss_by_cat(real, wrong, made):
    return soft(-real).mean() + soft(torch.cat([wrong, made])).mean()


def loss(weights=(1, 0.5, 0.5), signs=(-1, 1, 1)):
    def answer(*logits):
        terms = [soft(s * x).mean() for s, x in zip(signs, logits)]
        return sum(w * term for w, term in zip(weights, terms))

    return answer


def loss_of_sigmoids(real, wrong, made):
    r, w, m = real.sigmoid(), wrong.sigmoid(), made.sigmoid()
    return -(r.log().mean() + ((1 - w).log().mean() + (1 - m).log().mean()) / 2)


def loss_with_floor(real, wrong, made):
    r, w, m = (x.sigmoid().clamp(1e-7, 1 - 1e-7) for x in (real, wrong, made))
    return -(r.log() + ((1 - w).log() + (1 - m).log()) / 2).mean()


def loss_by_bce(real, wrong, made):
    r, w, m = real.sigmoid(), wrong.sigmoid(), made.sigmoid()
    bce, no = F.binary_cross_entropy, torch.zeros_like(w)
    return bce(r, torch.ones_like(r)) + (bce(w, no) + bce(m, no)) / 2


def loss_of_logs(real, wrong, made):
    return -(real.log().mean() + ((1 - wrong).log() + (1 - made).log()).mean() / 2)


def loss_one_less(real, wrong, made):
    log = F.logsigmoid
    return -log(real).mean() + ((1 - log(wrong)).mean() + (1 - log(made)).mean()) / 2


def loss_of_squares(real, wrong, made):
    return ((real - 1) ** 2).mean() + ((wrong**2).mean() + (made**2).mean()) / 2


def loss_of_hinges(real, wrong, made):
    no = F.relu(1 + wrong).mean() + F.relu(1 + made).mean()
    return F.relu(1 - real).mean() + no / 2


# 14.5, between two pictures -----------------------------------------------------------


def between_by_sum(generator, one, other, text, noise, share):
    c = generator.augmentation(text, noise)[0]
    seen = (1 - share) * generator.encoder(one) + share * generator.encoder(other)
    return generator.decode(seen, c)


def between_by_step(generator, one, other, text, noise, share):
    c, _, _ = generator.augmentation(text, noise)
    start = generator.encoder(one)
    return generator.decode(start + share * (generator.encoder(other) - start), c)


def between_at_once(generator, one, other, text, noise, share):
    seen = generator.encoder(torch.cat([one, other])).chunk(2)
    mixed = seen[0] * (1 - share) + seen[1] * share
    return generator.decode(mixed, generator.augmentation(text, noise)[0])


def between(mix=None, told=0, at=lambda s: s, end=lambda x: x, words=None):
    def answer(generator, one, other, text, noise, share):
        s = at(share)
        given = words(text, noise, s) if words else (text, noise)
        c = generator.augmentation(*given)[told]
        a, b = generator.encoder(one), generator.encoder(other)
        return end(generator.decode((1 - s) * a + s * b if mix is None else
                                    mix(a, b, s), c))  # fmt: skip

    return answer


def rounded(a, b, s):
    """Between them in direction and in length."""
    size = [x.flatten(1).norm(dim=1)[:, None, None, None] for x in (a, b)]
    mixed = (1 - s) * a + s * b
    whole = mixed.flatten(1).norm(dim=1)[:, None, None, None]
    return mixed / whole * ((1 - s) * size[0] + s * size[1])


def between_pixels(generator, one, other, text, noise, share):
    return generator(torch.lerp(one, other, share), text, noise)


def between_drawn(generator, one, other, text, noise, share):
    a, b = generator(one, text, noise), generator(other, text, noise)
    return (1 - share) * a + share * b


def turned(way):
    return lambda g, a, b, t, n, share: way(g, a, b, t, n, 1 - share)


def between_all_three(generator, one, other, text, noise, share):
    seen = torch.lerp(generator.encoder(one), generator.encoder(other), share)
    return generator.decode(seen, generator.augmentation(text, noise))


def between_drawn_three(generator, one, other, text, noise, share):
    a, b = generator.draw(one, text, noise), generator.draw(other, text, noise)
    return (1 - share) * a + share * b


def between_told_text(generator, one, other, text, noise, share):
    seen = torch.lerp(generator.encoder(one), generator.encoder(other), share)
    return generator.decode(seen, text)


def seen_between(generator, one, other, text, noise, share):
    return torch.lerp(generator.encoder(one), generator.encoder(other), share)


def between_untold(generator, one, other, text, noise, share):
    return generator.decoder(seen_between(generator, one, other, 0, 0, share))


def between_with_more(generator, one, other, text, noise, share):
    c, mean, log_sigma = generator.augmentation(text, noise)
    seen = torch.lerp(generator.encoder(one), generator.encoder(other), share)
    return generator.decode(seen, c), mean, log_sigma


def between_frozen(generator, one, other, text, noise, share):
    with torch.no_grad():
        seen = torch.lerp(generator.encoder(one), generator.encoder(other), share)
    return generator.decode(seen, generator.augmentation(text, noise)[0])


def between_resting(generator, one, other, text, noise, share):
    with torch.no_grad():
        return between()(generator, one, other, text, noise, share)


def between_training(generator, one, other, text, noise, share):
    made = between()(generator, one, other, text, noise, share)
    generator.train()
    return made


def between_behind(generator, one, other, text, noise, share):
    seen = torch.cat([generator.encoder(one), generator.encoder(other)])
    c = generator.augmentation(text, noise)[0]
    return generator.decode(seen, torch.cat([c, c]))


WRONG = {
    "14.1": [
        (chosen(lambda n: n > 0), "with number 0 gets lost"),
        (chosen(lambda n: n != 0), "other than 0"),
        (lambda a, n: n.clone(), "stands there as it came"),
        (lambda a, n: a.clone(), "nothing is changed"),
        (lambda a, n: torch.where(n >= 0, a, n), "turned round"),
        (lambda a, n: torch.maximum(a, n), "the larger of both"),
        (lambda a, n: torch.minimum(a, n), "the smaller of both"),
        (lambda a, n: a + n.clamp_min(0), "the two numbers are added"),
        (lambda a, n: a + n, "the two tables are added"),
        (lambda a, n: n + a * (n == -1), "1 too small"),
        (lambda a, n: n * (n >= 0), "there is a 0"),
        (chosen(lambda n: (n >= 0).any(1)[:, None]), "a whole row"),
        (chosen(lambda n: (n >= 0).all(1)[:, None]), "names every attribute"),
        (chosen(lambda n: (n[0] >= 0).expand_as(n)), "first sentence's places"),
        (lambda a, n: torch.where(n[:1] >= 0, n[:1], a), "what the first sentence"),
        (lambda a, n: n >= 0, "where something is named"),
        (lambda a, n: n[n >= 0], "lost its rows"),
        (wanted_in_place, "`attributes` is changed"),
        (wanted_by_if, "number by number"),
        (wanted_of_floats, "float32, not int64"),
        (lambda a, n: torch.where(n >= 0, n, a).int(), "int32, not int64"),
        (lambda a, n: np.where(n >= 0, n, a), "NumPy array"),
    ],
    "14.2": [
        (sides_all_channels, "meet the channels"),
        (sides_chosen, "inside[:, None]"),
        (sides(lambda b, a: (a - b).mean(1)), "with a sign cancel"),
        (sides(lambda b, a: (a - b).mean(1).abs()), "a red that grows"),
        (sides(lambda b, a: (a.abs() - b.abs()).abs().mean(1)), "sizes of both"),
        (sides(lambda b, a: ((a - b) ** 2).mean(1)), "these are squares"),
        (sides(lambda b, a: ((a - b) ** 2).mean(1).sqrt()), "a root of squares"),
        (sides(lambda b, a: (a - b).abs().sum(1)), "three times too large"),
        (sides(lambda b, a: (a - b).abs().max(1).values), "the largest of them"),
        (sides(lambda b, a: (a - b).abs()[:, 0]), "only one channel"),
        (sides(lambda b, a: of_pixels(b, a) / 2), "is halved"),
        (sides(lambda b, a: a.abs().mean(1)), "`before` isn't used"),
        (sides(lambda b, a: b.abs().mean(1)), "`after` isn't used"),
        (sides(pool=lambda c, m: c[m].sum()), "these are sums"),
        (sides(pool=lambda c, m: (c * m).mean()), "all pixels of the batch"),
        (sides(pool=lambda c, m: c[m].sum() / len(c)), "number of pictures"),
        (sides_of_pictures, "mean of the pictures' means"),
        (sides(pool=lambda c, m: c[m & (c > 0)].mean()), "didn't change are left"),
        (sides(pool=lambda c, m: (c[m] > 0).float().mean()), "share of pixels"),
        (sides(pool=lambda c, m: c[m].median()), "a median"),
        (sides(pool=lambda c, m: (c * m[:, None]).sum() / m.sum()), "every mask"),
        (sides(other=lambda m: m), "both numbers are of the inside"),
        (sides(other=lambda m: m | ~m), "the second number is of all"),
        (lambda b, a, m: sides()(b, a, ~m), "exchanged"),
        (lambda b, a, m: (of_pixels(b, a).mean(), sides()(b, a, m)[1]), "the first"),
        (lambda b, a, m: (sides()(b, a, m)[0], 1 - sides()(b, a, m)[0]), "left of 1"),
        (sides(other=lambda m: 1 - m), "~inside"),
        (lambda *x: [part.item() for part in sides()(*x)], "Leave .item()"),
        (lambda *x: torch.stack(sides()(*x)), "in one tensor"),
        (lambda *x: dict(zip("ab", sides()(*x))), "side by side: return one, other"),
        (lambda b, a, m: sides()(b, a, m)[0], "the single number"),
        (sides(pool=lambda c, m: (c * m).mean((1, 2))), "a number for each picture"),
        (sides_in_place, "`after` is changed"),
    ],
    "14.3": [
        (lambda text: text.roll(-1, 0), "the whole batch is moved on, so"),
        (cut(lambda a, b: [torch.cat([a[1:], b[:1]]), b]), "and then cut"),
        (on_half(once, once), "is moved, too"),
        (on_half(lambda t: t, once), "the halves are exchanged"),
        (on_half(lambda t: t.roll(-1, 1)), "*numbers*"),
        (on_half(lambda t: t.roll(-1)), "without a dimension"),
        (lambda text: text.clone(), "keeps its own sentence"),
        (cut(lambda a, b: [once(a), b[: len(a)]]), "the last one gets lost"),
        (lambda text: text[: len(text) // 2].roll(-1, 0), "one half alone"),
        (cut(lambda a, b: [once(a), a, b]), "stand there twice"),
        (cut(lambda a, b: [b, once(a)]), "and the halves are exchanged"),
        (cut(lambda a, b: [b[-len(a) :], b]), "the second keeps its own"),
        (half_interleaved, "every other picture"),
        (half_in_pairs, "pairs of pictures"),
        (on_half(lambda t: t.flip(0)), "1 of 3 rows"),
        (on_half(lambda t: (t + t.roll(-1, 0)) / 2), "half-way sentences"),
        (on_half(lambda t: -t), "sign is turned"),
        (half_first_for_all, "is given twice"),
        (cut(lambda a, b: [torch.cat([a[1:], b[-1:]]), b]), "has the sentence of row"),
        (half_by_lot, "draw no lots"),
        (half_in_place, "`text` is changed"),
        (half_side_by_side, "a comma at its end"),
        (on_half(lambda t: once(t).detach()), "only a part of it"),
    ],
    "14.4": [
        (loss((1, 1, 1)), "count in full, as eq. (2)"),
        (lambda *x: -loss()(*x), "turn its sign"),
        (lambda *x: -loss((1, 1, 1))(*x), "And its negative"),
        (lambda r, w, m: soft(torch.cat([-r, w, m])).mean(), "all three kinds"),
        (loss((0.5, 0.5, 0.5)), "reaches the real pairs"),
        (loss((0.5, 1, 1)), "before the real pairs' term"),
        (loss((1, 0.5, 1)), "only the wrong pairs'"),
        (loss((1, 1, 0.5)), "only the made pictures'"),
        (loss((1, 0.25, 0.25)), "a quarter each"),
        (loss((1, 0, 1)), "wrong pairs are missing"),
        (loss((1, 1, 0)), "made pictures are missing"),
        (loss((0, 0.5, 0.5)), "real pairs are missing"),
        (loss((1, 0, 0)), "the real pairs alone"),
        (loss(signs=(-1, -1, 1)), "the wrong pairs are counted"),
        (loss(signs=(-1, 1, -1)), "counted as real ones"),
        (loss(signs=(-1, -1, -1)), "both negative kinds"),
        (loss(signs=(1, -1, -1)), "signs within softplus"),
        (loss(signs=(1, 1, 1)), "real pairs' sign"),
        (lambda r, w, m: loss()(w, r, m), "real and wrong are exchanged"),
        (lambda r, w, m: loss()(m, w, r), "real and made are exchanged"),
        (loss((1, -0.5, -0.5)), "the negative terms are subtracted"),
        (loss((1, 0.5, -0.5)), "one negative term"),
        (loss((1, -0.5, -0.5), (-1, -1, -1)), "not of 1 - s"),
        (lambda r, w, m: soft(-m).mean(), "the generator's loss"),
        (lambda *x: loss()(*(one.sigmoid() for one in x)), "taken twice"),
        (loss_of_logs, "taken for probabilities"),
        (loss_one_less, "1 - log s"),
        (loss_of_squares, "squares"),
        (loss_of_hinges, "hinges"),
        (lambda r, w, m: (w + m).mean() / 2 - r.mean(), "logs are missing"),
        (lambda *x: loss()(*(one.mean() for one in x)), "before the log"),
        (lambda r, w, m: loss()(r, w, m) * len(r), "sums over the batch"),
        (lambda r, w, m: soft(-r) + (soft(w) + soft(m)) / 2, "mean over the batch"),
        (loss_of_sigmoids, "fragile"),
        (loss_with_floor, "cut off"),
        (lambda r, w, m: loss()(r, w, m.detach()), "comes back to `made`"),
        (lambda r, w, m: (loss((1, 0, 0))(r, w, m), soft(m)), "a comma at its end"),
        (lambda r, w, m: loss()(r, w, m).item(), "A plain number"),
    ],
    "14.5": [
        (between_pixels, "two birds laid over"),
        (between_drawn, "cross-fade"),
        (turned(between_by_sum), "wrong way round: at 0"),
        (turned(between_pixels), "the pixels are mixed, not"),
        (turned(between_drawn), "the changed pictures are mixed, not"),
        (between(told=1), "mu is told"),
        (between(told=2), "log sigma is told"),
        (between(words=lambda t, n, s: (t, s * n)), "isn't used as it came"),
        (between(words=lambda t, n, s: (s * t, n)), "weighed by share, too"),
        (between_untold, "isn't told"),
        (between(end=torch.tanh), "takes it twice"),
        (between(end=lambda x: (x + 1) / 2), "0 to 1"),
        (between(lambda a, b, s: a), "`other` isn't used"),
        (between(lambda a, b, s: b), "`one` isn't used"),
        (between(at=lambda s: 0.5), "half-way"),
        (between(lambda a, b, s: a + b), "added without weights"),
        (between(lambda a, b, s: a + s * b), "only one of the two"),
        (between(lambda a, b, s: s * (a + b)), "the same weight"),
        (between(lambda a, b, s: a + s * (a - b)), "the other way round"),
        (between(lambda a, b, s: ((1 - s) * a + s * b) / 2), "once more"),
        (between(words=lambda t, n, s: (t, torch.randn_like(n))), "draw none of"),
        (between_all_three, "gives three things, c,"),
        (between_drawn_three, "is a tuple"),
        (between_told_text, "not the text itself"),
        (between(words=lambda t, n, s: (n, t)), "the text (B, embedding) first"),
        (seen_between, "makes a picture of it"),
        (between_with_more, "a comma at its end"),
        (between_behind, "twice as many"),
        (between_frozen, "comes back to `one` and `other`"),
        (between_resting, "`generator` and `one` and"),
        (between(lambda a, b, s: (1 - s) * a + s * b.detach()), "back to `other`"),
        (between_training, "another mode"),
        (between(at=lambda s: min(max(s, 0.1), 0.9)), "at share 0"),
    ],
}  # fmt: skip

ALSO_WRONG = {
    "14.1": [
        (wanted_in_place_alone, "`attributes` is changed"),
    ],
    "14.2": [
        (sides(lambda b, a: (b - a).mean(1)), "with a sign cancel"),
        (sides(pool=lambda c, m: c[m].max()), "a maximum"),
        (sides(lambda b, a: (a - b).norm(dim=1)), "a root of squares"),
        (sides(lambda b, a: (a - b) ** 2, lambda c, m: (c * m[:, None]).sum() /
               (3 * m.sum())), "these are squares"),
        (sides(pool=lambda c, m: (c * m).sum((1, 2)).div(m.sum((1, 2)).clamp(1))
               .mean()), "mean of the pictures' means"),
        (sides(pool=lambda c, m: (c * m).sum() / (c * m).count_nonzero()),
         "didn't change are left"),
    ],
    "14.3": [
        (lambda text: text.roll(1, 0), "the whole batch is moved on, so"),
        (lambda text: text.roll(-1), "without a dimension"),
        (lambda text: text.flip(0), "and the halves are exchanged"),
        (lambda text: text.roll(len(text) // 2, 0), "the first half gets the"),
        (on_half(lambda t: t.roll(1, 0), once), "is moved, too"),
        (on_half(lambda t: (once(t), t)[1]), "keeps its own sentence"),
        (half_of_chunks, "your code stops"),
        (on_half(lambda t: t[torch.randperm(len(t))]), "two calls give two orders"),
        (on_half(lambda t: t.roll(-2, 0)[: len(t)]), "keeps its own sentence"),
    ],
    "14.4": [
        (loss((1, 0, 0.5)), "wrong pairs are missing"),
        (loss((1, 0.5, 0)), "made pictures are missing"),
        (loss((1 / 3, 1 / 3, 1 / 3)), "all three kinds of logits"),
        (loss_by_bce, "cut off"),
        (lambda r, w, m: soft(-r).mean() - soft(w).mean() - soft(m).mean(),
         "the negative terms are subtracted"),
        (lambda r, w, m: (1 + (-r).exp()).log().mean() + soft(w).mean() / 2
         + soft(m).mean() / 2, "an exp grows"),
        (lambda r, w, m: soft(-r).sum() + (soft(w).sum() + soft(m).sum()) / 2,
         "sums over the batch"),
        (lambda r, w, m: loss()(r, w.detach(), m), "comes back to `wrong`"),
        (lambda r, w, m: loss()(r.detach(), w, m), "comes back to `real`"),
    ],
    "14.5": [
        (between(lambda a, b, s: (a + b) / 2), "half-way"),
        (between(words=lambda t, n, s: (t, torch.zeros_like(n))), "mu is told"),
        (between(rounded), "along a circle"),
    ],
}  # fmt: skip

RIGHT = {
    "14.1": [wanted_by_copy, wanted_by_mask, wanted_one_by_one],
    "14.2": [sides_by_channels, sides_by_sums, sides_by_select],
    "14.3": [
        half_by_index,
        half_in_a_copy,
        half_backwards,
        half_in_parts,
        half_of_more,
    ],
    "14.4": [loss_by_logits, loss_by_logsigmoid, loss_by_cat],
    "14.5": [between_by_sum, between_by_step, between_at_once],
}

OTHER_LOTS = {"14.3": [half_backwards]}
