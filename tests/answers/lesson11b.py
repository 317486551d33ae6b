"""Known answers to lesson 11b: wrong ones with part of their diagnosis; right ones."""

import torch
from torch.nn import functional as F

# 11b.1, each place looks at the words -------------------------------------------------


def scored(h, told):
    return torch.einsum("bchw,bct->bthw", h, told)


def masked(scores, mask, low=-torch.inf):
    return torch.where(mask[:, :, None, None], scores, low)


def mixed(attention, told):
    return torch.einsum("bthw,bct->bchw", attention, told), attention


def attend_by_einsum(h, told, mask):
    return mixed(masked(scored(h, told), mask).softmax(1), told)


def attend_by_loops(h, told, mask):
    """Caption by caption, of its words alone."""
    contexts, maps = torch.zeros_like(h), h.new_zeros(*mask.shape, *h.shape[2:])
    for i, heard in enumerate(mask):
        words = told[i, :, heard]
        share = torch.softmax(torch.tensordot(words, h[i], ([0], [0])), 0)
        contexts[i] = torch.tensordot(words, share, ([1], [0]))
        maps[i, heard] = share
    return contexts, maps


def attend_by_a_low_number(h, told, mask):
    b, c, height, width = h.shape
    query = h.view(b, c, height * width).transpose(1, 2)
    scores = torch.bmm(query, told).masked_fill(~mask.unsqueeze(1), -1e9)
    share = F.softmax(scores, dim=-1).transpose(1, 2)
    context = torch.bmm(told, share).view(b, c, height, width)
    return [context, share.view(b, -1, height, width)]


def attend_by_adding(h, told, mask):
    lows = torch.zeros_like(told[:, 0]).masked_fill(~mask, -torch.inf)
    return mixed((scored(h, told) + lows[..., None, None]).softmax(1), told)


def attend_by_exp(h, told, mask):
    """The largest score is taken off first, by hand."""
    scores = masked(scored(h, told), mask)
    weights = (scores - scores.amax(1, keepdim=True)).exp()
    return mixed(weights / weights.sum(1, keepdim=True), told)


def attend_by_torch(h, told, mask):
    query, key = h.flatten(2).mT, told.mT
    asked = F.scaled_dot_product_attention(query, key, key, mask[:, None], scale=1.0)
    return asked.mT.reshape(h.shape), attend_by_einsum(h, told, mask)[1]


def look(change=lambda s: s, share=None, end=mixed):
    """Wrong in one step: scores, shares from scores and mask, or what is returned."""
    share = share or (lambda s, m: masked(s, m).softmax(1))
    return lambda h, told, mask: end(share(change(scored(h, told)), mask), told)


def over(attention, mask):
    return attention * mask[:, :, None, None]


def attend_dealt(h, told, mask):
    b, c, height, width = h.shape
    scores = h.view(b, height * width, c) @ told
    share = scores.masked_fill(~mask[:, None], -torch.inf).softmax(2).mT
    return (told @ share).view(h.shape), share.view(b, -1, height, width)


def ended(context=True, attention=True):
    """The reshape that deals: of the context, of the attention."""

    def answer(h, told, mask):
        share = (h.flatten(2).mT @ told).masked_fill(~mask[:, None], -torch.inf)
        share = share.softmax(2)
        right = attend_by_einsum(h, told, mask)
        made = (share @ told.mT).reshape(h.shape), share.reshape(right[1].shape)
        return made[0] if context else right[0], made[1] if attention else right[1]

    return answer


def attend_tiled(h, told, mask):
    scores = h.flatten(2).mT @ told
    laid = mask.repeat(scores.shape[1], 1).view(scores.shape)
    share = (
        scores.masked_fill(~laid, -torch.inf).softmax(2).mT.unflatten(2, h.shape[2:])
    )
    return mixed(share, told)


def attend_turned(h, told, mask):
    context, attention = attend_by_einsum(h, told, mask)
    return context.mT, attention.transpose(2, 3)


def attend_cosines(h, told, mask):
    return mixed(
        masked(scored(F.normalize(h), F.normalize(told)), mask).softmax(1), told
    )


def attend_silent(h, told, mask):
    return attend_by_einsum(h, told * mask[:, None], torch.ones_like(mask))


def attend_scaled(h, told, mask):
    return mixed(masked(scored(h, told) * h.shape[1] ** -0.5, mask).softmax(1), told)


def attend_mean(h, told, mask):
    return attend_by_einsum(h * 0, told, mask)


def then(function):
    return lambda h, told, mask: function(*attend_by_einsum(h, told, mask), h, told)


def attend_detached(h, told, mask):
    return mixed(masked(scored(h, told), mask).softmax(1).detach(), told)


def attend_half(h, told, mask):
    attention = masked(scored(h, told), mask).softmax(1)
    return mixed(attention, told.detach())


def renormalised(s, m):
    shares = over(s.softmax(1), m)
    return shares / shares.sum(1, keepdim=True)


def exponentials(s, m):
    weights = over(s.exp(), m)
    return weights / weights.sum(1, keepdim=True)


def batch_by_batch(s, m):
    return s.softmax(0)


def attend_in_place(h, told, mask):
    told *= mask[:, None]
    return attend_by_einsum(h, told, mask)


def attend_for_squares(h, told, mask):
    context, attention = attend_by_einsum(h, told, mask)
    return context, attention.flatten(2).unflatten(2, (int(h[0, 0].numel() ** 0.5), -1))


def attend_by_distances(h, told, mask):
    apart = torch.cdist(h.flatten(2).mT, told.mT).mT.unflatten(2, h.shape[2:])
    return mixed(masked(-apart, mask).softmax(1), told)


# 11b.2, the game and lambda -----------------------------------------------------------


def fit_by_stack(game, terms, lambda_=5.0):
    return game + torch.stack(list(terms)).sum().mul(lambda_)


def fit_by_names(game, terms, lambda_=5.0):
    words, words_back, sentences, sentences_back = terms
    return game + lambda_ * (words + words_back + sentences + sentences_back)


def fit_by_steps(game, terms, lambda_=5.0):
    for term in terms:
        game = game + lambda_ * term
    return game


def fit_in_place(game, terms, lambda_=5.0):
    game += lambda_ * sum(terms)
    return game


def fit_of_other_default(game, terms, lambda_=1.0):
    return game + lambda_ * sum(terms)


def fit_detached(game, terms, lambda_=5.0):
    return game + lambda_ * torch.tensor([t.item() for t in terms]).sum()


def fit_half(game, terms, lambda_=5.0):
    words, back, *others = terms
    return game + lambda_ * (words + back.detach() + sum(others))


# 11b.3, a caption's mask --------------------------------------------------------------


def lay_by_repeat(mask, places):
    return mask.unsqueeze(1).repeat(1, places, 1)


def lay_by_interleave(mask, places):
    return mask.repeat_interleave(places, 0).view(len(mask), places, mask.shape[1])


def lay_by_stack(mask, places):
    return torch.stack([mask] * places, 1)


def lay_by_columns(mask, places):
    return mask.repeat(1, places).view(len(mask), places, -1)


def lay_by_turning(mask, places):
    return mask.repeat(places, 1).view(places, *mask.shape).transpose(0, 1)


def lay_by_and(mask, places):
    return mask[:, None] & mask.new_ones(places, 1)


def lay_for_a_square(mask, places):
    side = int(places**0.5)
    return mask[:, None].expand(-1, side * side, -1)


# 11b.4, within the part and outside it ------------------------------------------------


def change_by_loop(before, after, part):
    within, without = [], []
    for one, other, where in zip(before, after, part):
        apart = (other - one).abs() / 2
        within.append(apart[:, where].mean())
        without.append(apart[:, ~where].mean())
    return torch.stack(within), torch.stack(without)


def change_by_nan(before, after, part):
    apart = (after - before).abs().mean(1) / 2
    masks = (part, ~part)
    return [apart.masked_fill(~m, torch.nan).flatten(1).nanmean(1) for m in masks]


def change_by_einsum(before, after, part):
    apart = ((before + 1) / 2 - (after + 1) / 2).abs()
    masks = [m.to(apart.dtype) for m in (part, part.logical_not())]
    return tuple(
        torch.einsum("bchw,bhw->b", apart, m) / (3 * m.sum(dim=(1, 2))) for m in masks
    )


def pixels(before, after):
    return (before - after).abs().mean(1) / 2


def parted(function, of=pixels):
    """Wrong: of each mask, function(changes, mask)."""
    return lambda before, after, part: (
        function(of(before, after), part),
        function(of(before, after), ~part),
    )


def average(x, m):
    return (x * m).sum((1, 2)) / m.sum((1, 2))


def change_of_means(before, after, part):
    def colour(x, m):
        return (x * m[:, None]).sum((2, 3)) / m.sum((1, 2))[:, None]

    masks = (part, ~part)
    return [(colour(before, m) - colour(after, m)).abs().mean(1) / 2 for m in masks]


def change_of_the_whole(before, after, part):
    apart = pixels(before, after)
    return average(apart, part), apart.flatten(1).mean(1)


def change_of_masked(before, after, part):
    both = (part[:, None], ~part[:, None])
    return [(before * m - after * m).abs().mean((1, 2, 3)) / 2 for m in both]


def change_as_numbers(before, after, part):
    return [x.tolist() for x in change_by_loop(before, after, part)]


right_change, right_fit, right_lay = change_by_loop, fit_by_stack, lay_by_stack
ALSO_WRONG = {
    "11b.1": [
        (then(lambda c, a, h, told: c.flatten(2).mT), "only the context"),
        (then(lambda c, a, h, told: a.flatten(2).mT), "only the attention"),
        (look(share=lambda s, m: over(s.flatten(2).softmax(2).view(s.shape), m)),
         "over places"),
        (look(share=lambda s, m: masked(s, ~m).softmax(1)), "turned round"),
        (look(share=lambda s, m: masked(s, m, -20.0).softmax(1)), "may be lower"),
        (attend_silent, "exp(0) = 1"),
    ],
    "11b.3": [
        (lambda m, n: m.repeat_interleave(n).view(len(m), n, -1),
         "each word's True or False"),
        (lambda m, n: m.expand(n, -1, -1), "places come first"),
        (lambda m, n: right_lay(m, n) * torch.ones(n, 1), "as numbers"),
    ],
    "11b.4": [
        (parted(average, lambda b, a: (b - a).abs().sum(1)), "added up"),
        (lambda b, a, p: torch.stack(right_change(b, a, p), 1), "in one tensor"),
    ],
}  # fmt: skip

WRONG = {
    "11b.1": [
        (look(share=lambda s, m: s.flatten(2).softmax(2).view(s.shape)), "over places"),
        (
            look(share=lambda s, m: masked(s, m).flatten(1).softmax(1).view(s.shape)),
            "at once",
        ),
        (look(share=batch_by_batch), "over the batch"),
        (attend_scaled, "a Transformer's"),
        (look(lambda s: s / 4), "No slip"),
        (look(share=lambda s, m: s.softmax(1)), "isn't masked"),
        (look(share=lambda s, m: over(s.softmax(1), m)), "doesn't sum to 1"),
        (look(share=lambda s, m: over(s, m).softmax(1)), "exp(0) = 1"),
        (look(share=lambda s, m: masked(s, m, -10.0).softmax(1)), "not low enough"),
        (look(share=lambda s, m: masked(s, ~m, -1e9).softmax(1)), "turned round"),
        (look(share=renormalised), "0 / 0"),
        (look(share=exponentials), "inf / inf"),
        (look(share=lambda s, m: masked(s, m, -50.0).softmax(1)), "may be lower"),
        (look(share=lambda s, m: over(s, m)), "softmax is missing"),
        (look(share=lambda s, m: over(s.sigmoid(), m)), "a sigmoid of its own"),
        (look(share=lambda s, m: masked(s, m).log_softmax(1)), "logs of shares"),
        (
            look(share=lambda s, m: (s == masked(s, m).amax(1, True)).to(s)),
            "the one word",
        ),
        (look(lambda s: -s), "sign of the scores"),
        (attend_tiled, "another caption's mask"),
        (
            lambda h, told, mask: attend_by_einsum(h, told, mask[:1].repeat(len(h), 1)),
            "first one's mask",
        ),
        (attend_mean, "all words count alike"),
        (attend_cosines, "cosines"),
        (attend_by_distances, "distances"),
        (attend_dealt, "one channel of its neighbours"),
        (ended(attention=False), "the context is dealt"),
        (ended(context=False), "the attention is dealt"),
        (ended(), "context and attention are dealt"),
        (attend_turned, "height and width"),
        (then(lambda c, a, h, told: c), "only the context"),
        (then(lambda c, a, h, told: a), "only the attention"),
        (then(lambda c, a, h, told: (a, c)), "are exchanged"),
        (then(lambda c, a, h, told: (c, a.flatten(2))), "attention isn't a map"),
        (then(lambda c, a, h, told: (c, a.permute(0, 2, 3, 1))), "last axis"),
        (then(lambda c, a, h, told: (c.flatten(2), a)), "context isn't a map"),
        (then(lambda c, a, h, told: (h, a)), "made of h"),
        (then(lambda c, a, h, told: (h + c, a)), "side by side"),
        (then(lambda c, a, h, told: (c / told.shape[2], a)), "are averaged"),
        (
            then(lambda c, a, h, told: (told.mean(2)[..., None, None] + 0 * h, a)),
            "aren't weighted",
        ),
        (attend_detached, "back to `h`"),
        (attend_half, "comes back to `told`"),
        (attend_in_place, "`told` is changed"),
        (attend_for_squares, "stops"),
    ],
    "11b.2": [
        (lambda g, t, lambda_=5.0: g + sum(t), "lambda is missing"),
        (lambda g, t, lambda_=5.0: g + 5 * sum(t), "5 stands there"),
        (lambda g, t, w=5.0: w * g + sum(t), "lambda is at the game"),
        (lambda g, t, w=5.0: w * right_fit(g, t, 1.0), "counts once"),
        (lambda g, t, w=5.0: g + w * torch.stack(t).mean(), "add the four up"),
        (lambda g, t, w=5.0: g + w * (t[0] + t[1]), "sentences' terms"),
        (lambda g, t, w=5.0: g + w * (t[2] + t[3]), "words' terms"),
        (lambda g, t, w=5.0: g + w * (t[0] + t[2]), "one direction"),
        (lambda g, t, w=5.0: g + w * t[0], "one of the four terms alone"),
        (lambda g, t, w=5.0: g + w * sum(t[:3]), "four terms is missing"),
        (lambda g, t, w=5.0: g + w * t[0] + sum(t[1:]), "put parentheses"),
        (lambda g, t, w=5.0: right_fit(g, t, -w), "sign is turned"),
        (lambda g, t, w=5.0: right_fit(g, t, 1 / w), "lambda divides"),
        (lambda g, t, w=5.0: w * sum(t), "needn't look real"),
        (lambda g, t, w=5.0: g * 1, "lesson 10's game alone"),
        (lambda g, t, w=5.0: torch.lerp(g, sum(t), w), "share one whole"),
        (lambda g, t, w=5.0: sum(g + w * x for x in t), "once with each term"),
        (lambda g, t, w=5.0: g + w * torch.stack(t).prod(), "multiplied with one"),
        (lambda g, t, w=5.0: g + w * torch.stack(t), "number for each term"),
        (lambda g, t, w=5.0: (g, w * sum(t)), "a tuple of 2"),
        (lambda g, t, w=5.0: g * w * sum(t), "it is added"),
        (lambda g, t, w=5.0: g + w * torch.stack(t).square().sum(), "are squared"),
        (lambda g, t, w=5.0: (g + w * sum(t)) / 2, "half of"),
        (fit_of_other_default, "is left out"),
        (fit_detached, "no gradient comes back to `terms`"),
        (fit_half, "gradient comes back to `terms`"),
        (fit_in_place, "`game` is changed"),
    ],
    "11b.3": [
        (lambda m, n: m.repeat(n, 1).view(len(m), n, -1), "the authors' release"),
        (lambda m, n: ~right_lay(m, n), "stands at padding"),
        (lambda m, n: m[:, :, None].repeat(1, 1, n), "last two axes"),
        (lambda m, n: torch.stack([m] * n), "places come first"),
        (lambda m, n: m.repeat_interleave(n, dim=0), "give it three axes"),
        (lambda m, n: m.repeat(n, 1), "the captions alternate"),
        (lambda m, n: m.clone(), "isn't repeated"),
        (lambda m, n: m.unsqueeze(1), "there is one place"),
        (lambda m, n: m[0].expand(len(m), n, -1), "first one's mask"),
        (lambda m, n: m[-1].expand(len(m), n, -1), "last one's mask"),
        (lambda m, n: m.any(0).expand(len(m), n, -1), "any caption has one"),
        (lambda m, n: m.all(0).expand(len(m), n, -1), "all captions have one"),
        (lambda m, n: torch.ones_like(right_lay(m, n)), "all are True"),
        (
            lambda m, n: m.repeat_interleave(n, 1).view(len(m), n, -1),
            "each word's True or False",
        ),
        (
            lambda m, n: m.repeat_interleave(n, 0).view(n, *m.shape).transpose(0, 1),
            "dealt out as (places, B, T)",
        ),
        (lambda m, n: right_lay(m, n).float().log(), "to add to scores"),
        (lambda m, n: right_lay(m, n).long(), "as numbers"),
        (lambda m, n: m.sum(1), "captions' lengths"),
        (lay_for_a_square, "Print the .shape"),
    ],
    "11b.4": [
        (parted(average, lambda b, a: (b - a).abs().mean(1)), "isn't halved"),
        (parted(average, lambda b, a: (b - a).abs().sum(1) / 2), "added up"),
        (parted(average, lambda b, a: (a - b).mean(1) / 2), "signs are kept"),
        (parted(average, lambda b, a: (b.mean(1) - a.mean(1)).abs() / 2), "too late"),
        (change_of_means, "mean colours"),
        (parted(average, lambda b, a: ((b - a) / 2).pow(2).mean(1)), "squares;"),
        (
            parted(lambda x, m: average(x, m).sqrt(),
                   lambda b, a: ((b - a) / 2).pow(2).mean(1)),
            "root of mean squares",
        ),
        (parted(average, lambda b, a: (b - a).abs().max(1)[0] / 2), "of the three"),
        (
            parted(average, lambda b, a: (b != a).any(1).float()),
            "that changed at all",
        ),
        (change_of_masked, "almost nothing"),
        (
            lambda b, a, p: (
                change_of_masked(b, a, p)[0],
                right_change(b, a, p)[1],
            ),
            "divide by those of the part",
        ),
        (
            lambda b, a, p: (
                right_change(b, a, p)[0],
                change_of_masked(b, a, p)[1],
            ),
            "divide by those outside",
        ),
        (
            lambda b, a, p: (
                right_change(b, a, p)[0],
                (pixels(b, a) * ~p).sum((1, 2)) / p.sum((1, 2)),
            ),
            "pixels within",
        ),
        (parted(lambda x, m: (x * m).sum((1, 2))), "sums over pixels"),
        (change_of_the_whole, "over the whole picture"),
        (lambda b, a, p: right_change(b, a, p)[::-1], "order is turned"),
        (parted(lambda x, m: x[m].mean()), "number for each picture"),
        (
            lambda b, a, p: [x.mean() for x in right_change(b, a, p)],
            "batch is averaged",
        ),
        (lambda b, a, p: right_change(b, a, p[:1].repeat(len(b), 1, 1)), "first one's"),
        (lambda b, a, p: right_change(b, a, p.transpose(1, 2)), "height and width"),
        (lambda b, a, p: right_change(b, a, p)[0], "only the change within"),
        (lambda b, a, p: right_change(b, a, p)[1], "only the change outside"),
        (
            lambda b, a, p: right_change(b, a, p)[0] / right_change(b, a, p)[1],
            "how many times",
        ),
        (parted(lambda x, m: (x * m).flatten(1).amax(1)), "largest change of a pixel"),
        (parted(lambda x, m: x * m), "pixel by pixel"),
        (change_as_numbers, "tensor"),
        (lambda b, a, p: torch.stack(right_change(b, a, p)), "both are in one tensor"),
    ],
}  # fmt: skip

RIGHT = {
    "11b.1": [attend_by_einsum, attend_by_loops, attend_by_a_low_number,
              attend_by_adding, attend_by_exp, attend_by_torch],
    "11b.2": [fit_by_stack, fit_by_names, fit_by_steps],
    "11b.3": [lay_by_repeat, lay_by_interleave, lay_by_stack, lay_by_columns,
              lay_by_turning, lay_by_and],
    "11b.4": [change_by_loop, change_by_nan, change_by_einsum],
}  # fmt: skip
