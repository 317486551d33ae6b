"""Known answers to lesson 11a: wrong ones with part of their diagnosis; right ones."""

import numpy as np
import torch
from torch.nn import functional as F

INF = float("inf")

# 11a.1, words look at regions ---------------------------------------------------------


def products(words, mask, regions, hide=-INF):
    s = torch.einsum("bdt,bdr->btr", words, regions)
    return torch.where(mask[:, :, None], s, torch.full_like(s, hide))


def look_by_einsum(words, mask, regions, gamma1=5.0):
    votes = torch.softmax(products(words, mask, regions), dim=1)
    alpha = torch.softmax(votes * gamma1, dim=-1)
    return alpha.masked_fill(~mask.unsqueeze(-1), 0.0)


def look_by_regions_first(words, mask, regions, gamma1=5.0):
    s = torch.bmm(regions.transpose(1, 2), words)
    votes = s.masked_fill(~mask[:, None], -1e9).softmax(2)
    alpha = (gamma1 * votes).softmax(1) * mask[:, None]
    return alpha.transpose(1, 2)


def look_by_exps(words, mask, regions, gamma1=5.0):
    s = products(words, mask, regions)
    e = (s - s.amax(1, keepdim=True)).exp()
    weight = (gamma1 * e / e.sum(1, keepdim=True)).exp()
    return weight / weight.sum(2, keepdim=True) * mask[:, :, None]


def votes_of(words, mask, regions, gamma1=5.0):
    return products(words, mask, regions).softmax(1)


def look_without_votes(words, mask, regions, gamma1=5.0):
    s = products(words, mask, regions, -1e4)
    return (gamma1 * s).softmax(2) * mask[:, :, None]


def look_turned(words, mask, regions, gamma1=5.0):
    s = products(words, mask, regions, 0.0).softmax(2)
    s = (gamma1 * s).masked_fill(~mask[:, :, None], -INF)
    return s.softmax(1)


def look_regions_twice(words, mask, regions, gamma1=5.0):
    s = products(words, mask, regions, 0.0).softmax(2)
    return (gamma1 * s).softmax(2) * mask[:, :, None]


def look_without_gamma(words, mask, regions, gamma1=5.0):
    return votes_of(words, mask, regions).softmax(2) * mask[:, :, None]


def look_squashed(words, mask, regions, gamma1=5.0):
    s = gamma1 * products(words, mask, regions)
    return s.softmax(1).softmax(2) * mask[:, :, None]


def look_times_gamma(words, mask, regions, gamma1=5.0):
    return gamma1 * look_without_gamma(words, mask, regions)


def look_at_padding(words, mask, regions, gamma1=5.0):
    s = torch.einsum("bdt,bdr->btr", words, regions)
    return (gamma1 * s.softmax(1)).softmax(2) * mask[:, :, None]


def look_with_padding(words, mask, regions, gamma1=5.0):
    return (gamma1 * votes_of(words, mask, regions)).softmax(2)


def look_without_mask(words, mask, regions, gamma1=5.0):
    return (gamma1 * (words.mT @ regions).softmax(1)).softmax(2)


def look_by_shares(words, mask, regions, gamma1=5.0):
    votes = gamma1 * votes_of(words, mask, regions) * mask[:, :, None]
    return votes / votes.sum(2, keepdim=True).clamp_min(1e-9)


def look_by_cosines(words, mask, regions, gamma1=5.0):
    one, other = F.normalize(words, dim=1), F.normalize(regions, dim=1)
    return look_by_einsum(one, mask, other, gamma1)


def look_scaled(words, mask, regions, gamma1=5.0):
    return look_by_einsum(words / words.shape[1] ** 0.5, mask, regions, gamma1)


def look_turned_mask(words, mask, regions, gamma1=5.0):
    return look_by_einsum(words, ~mask, regions, gamma1)


def look_at_five(words, mask, regions, gamma1=5.0):
    return look_by_einsum(words, mask, regions, 5.0)


def look_fragile(words, mask, regions, gamma1=5.0):
    e = products(words, mask, regions).exp()
    return (gamma1 * e / e.sum(1, keepdim=True)).softmax(2) * mask[:, :, None]


def look_detached(words, mask, regions, gamma1=5.0):
    return look_by_einsum(words, mask, regions.detach(), gamma1)


# 11a.2, the best words count most -----------------------------------------------------


def relevance_by_where(cosines, mask, gamma2=5.0):
    inside = torch.where(mask, gamma2 * cosines, -torch.inf)
    return torch.logsumexp(inside, dim=-1) / gamma2


def relevance_by_largest(cosines, mask, gamma2=5.0):
    cosines = cosines.masked_fill(~mask, -1e9)
    most = cosines.amax(2, keepdim=True)
    rest = (gamma2 * (cosines - most)).exp()
    return most[:, :, 0] + rest.sum(2).log() / gamma2


def relevance_by_logs(cosines, mask, gamma2=5.0):
    return (gamma2 * cosines + mask.to(cosines).log()).logsumexp(2) / gamma2


def hidden(cosines, mask, gamma2=5.0):
    return (gamma2 * cosines).masked_fill(~mask, -INF)


def relevance_fragile(cosines, mask, gamma2=5.0):
    return ((gamma2 * cosines).exp() * mask).sum(2).log() / gamma2


def relevance_detached(cosines, mask, gamma2=5.0):
    return relevance_by_where(cosines.detach(), mask, gamma2)


def relevance_in_place(cosines, mask, gamma2=5.0):
    with torch.no_grad():
        cosines.mul_(mask)
    return relevance_by_where(cosines, mask, gamma2)


# 11a.3, own caption, own picture ------------------------------------------------------


def without_kin(scores, class_id, gamma3=10.0):
    others = ~torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    kin = (class_id[:, None] == class_id[None]) & others
    return (gamma3 * scores).masked_fill(kin, -INF)


def matching_by_logs(scores, class_id, gamma3=10.0):
    told = without_kin(scores, class_id, gamma3)
    return (-told.log_softmax(1).diagonal().mean(),
            -told.log_softmax(0).diagonal().mean())  # fmt: skip


def matching_by_logsumexp(scores, class_id, gamma3=10.0):
    told = without_kin(scores, class_id, gamma3)
    return [(told.logsumexp(axis) - told.diag()).mean() for axis in (1, 0)]


def matching_by_nll(scores, class_id, gamma3=10.0):
    told = without_kin(scores, class_id, gamma3)
    own = torch.arange(scores.shape[0]).to(scores.device)
    return tuple(F.nll_loss(F.log_softmax(x, 1), own) for x in (told, told.mT))


def plain(scores, gamma3=10.0):
    own = torch.arange(len(scores), device=scores.device)
    return (F.cross_entropy(gamma3 * scores, own),
            F.cross_entropy(gamma3 * scores.T, own))  # fmt: skip


def matching_all_kin(scores, class_id, gamma3=10.0):
    kin = class_id[:, None] == class_id
    told = (gamma3 * scores).masked_fill(kin, -INF)
    own = torch.arange(len(scores))
    return F.cross_entropy(told, own), F.cross_entropy(told.T, own)


def matching_zero_kin(scores, class_id, gamma3=10.0):
    others = ~torch.eye(len(scores), dtype=torch.bool)
    kin = (class_id[:, None] == class_id) & others
    return plain(scores.masked_fill(kin, 0.0), gamma3)


def matching_to_kin(scores, class_id, gamma3=10.0):
    kin = (class_id[:, None] == class_id).float()
    goal = kin / kin.sum(1)
    return tuple(
        -(goal * (gamma3 * x).log_softmax(1)).sum(1).mean() for x in (scores, scores.T)
    )


def matching_by_hinge(scores, class_id, gamma3=10.0):
    own = scores.diag()
    return (1 - own[:, None] + scores).relu().mean(), (1 - own + scores).relu().mean()


def matching_fragile(scores, class_id, gamma3=10.0):
    told = without_kin(scores, class_id, gamma3)
    return tuple(-told.softmax(axis).diag().log().mean() for axis in (1, 0))


def matching_detached(scores, class_id, gamma3=10.0):
    one, other = matching_by_logs(scores, class_id, gamma3)
    return one, other.detach()


def scaled(by):
    return lambda *given: tuple(by(x) for x in matching_by_logs(*given))


# 11a.4, the first of a hundred --------------------------------------------------------


def scores_of(images, texts, lists):
    return torch.einsum("bd,bnd->bn", images, texts[lists])


def places(*given):
    scores = scores_of(*given)
    return (scores > scores[:, :1] + 1e-6).sum(1).float()


def first_by_table(images, texts, lists):
    scores = (images @ texts.T).gather(1, lists)
    top = scores.amax(1, keepdim=True) - 1e-6
    return float(((scores[:, 0] >= top[:, 0]) / (scores >= top).sum(1)).mean())


def first_by_loop(images, texts, lists):
    won = 0.0
    for image, row in zip(images, lists):
        scores = [float(x) for x in (image * texts[row]).sum(1)]
        won += (scores[0] == max(scores)) / scores.count(max(scores))
    return won / len(images)


def first_as_tensor(images, texts, lists):
    scores = (images[:, None] * texts[lists]).sum(-1)
    best = (scores == scores.max(1)[0][:, None]).float()
    return torch.mean(best[:, 0] / best.sum(1))


# 11a.5, attention on a part -----------------------------------------------------------


def mass_by_shares(attention, cover):
    shares = attention / attention.sum(-1, keepdim=True).clamp(min=1e-12)
    return torch.einsum("btr,bpr->btp", shares, cover)


def mass_by_where(attention, cover):
    total = attention.sum(2)
    total = torch.where(total > 0, total, torch.ones_like(total))
    return (attention[:, :, None] * cover[:, None]).sum(3) / total[:, :, None]


def mass_by_nan_to_num(attention, cover):
    shares = attention / attention.sum(dim=2)[..., None]
    return shares.nan_to_num(0.0).matmul(cover.transpose(1, 2))


def mass_of_nan(attention, cover):
    return attention @ cover.mT / attention.sum(2, keepdim=True)


WRONG = {
    "11a.1": [
        (look_without_votes, "softmax over words, (8), is missing"),
        (look_turned, "are exchanged"),
        (look_regions_twice, "both softmaxes go over regions"),
        (lambda w, m, r, g=5.0: (g * votes_of(w, m, r)).softmax(1) * m[:, :, None],
         "both softmaxes go over words"),
        (look_without_gamma, "gamma1 is missing"),
        (look_squashed, "in the first softmax"),
        (look_times_gamma, "already finished"),
        (look_at_padding, "padding votes"),
        (look_with_padding, "rows of padding"),
        (look_without_mask, "the mask isn't used"),
        (votes_of, "these are the votes"),
        (look_by_shares, "divided by their sum"),
        (look_by_cosines, "length 1"),
        (look_scaled, "root of D"),
        (look_turned_mask, "turned round"),
        (look_at_five, "fixed at 5"),
        (look_fragile, "in the hundreds"),
        (look_detached, "gradient"),
        (lambda *g: look_by_einsum(*g).mT, "shape"),
    ],
    "11a.2": [
        (lambda c, m, g=5.0: (g * c).logsumexp(2) / g, "padding counts"),
        (lambda c, m, g=5.0: hidden(c, m, g).logsumexp(2), "1 / gamma2 is missing"),
        (lambda c, m, g=5.0: hidden(c, m, 1.0).logsumexp(2) / g, "missing inside"),
        (lambda c, m, g=5.0: hidden(c, m, 1.0).logsumexp(2), "inside and as"),
        (lambda c, m, g=5.0: g * hidden(c, m, g).logsumexp(2), "divides it"),
        (lambda c, m, g=5.0: (c * m).sum(2) / m.sum(1), "mean over words"),
        (lambda c, m, g=5.0: c.masked_fill(~m, -9.0).max(2).values, "best word alone"),
        (lambda c, m, g=5.0: (((g * c).exp() * m).sum(2) / m.sum(1)).log() / g,
         "mean inside"),
        (lambda c, m, g=5.0: (c * m).sum(2), "plain sum"),
        (lambda c, m, g=5.0: ((g * c).exp() * m).sum(2), "logarithm is missing"),
        (lambda c, m, g=5.0: hidden(c, m, g)[:, :, 1:].logsumexp(2) / g,
         "first word is left out"),
        (lambda c, m, g=5.0: hidden(c, m, g)[:, :, :-1].logsumexp(2) / g,
         "last word is left out"),
        (lambda c, m, g=5.0: relevance_by_where(c, m), "fixed at 5"),
        (lambda c, m, g=5.0: relevance_by_where(c, ~m, g), "turned round"),
        (lambda c, m, g=5.0: (hidden(c, m, g).softmax(2) * c).sum(2), "weighted by"),
        (lambda c, m, g=5.0: hidden(c, m, g).logsumexp(0) / g, "shape"),
        (lambda c, m, g=5.0: -relevance_by_where(c, m, g), "sign is turned"),
        (relevance_fragile, "gamma2 = 1000"),
        (relevance_detached, "gradient"),
        (relevance_in_place, "changed by the call"),
    ],
    "11a.3": [
        (lambda s, k, g=10.0: plain(s, g), "still compared with"),
        (matching_zero_kin, "get 0"),
        (matching_all_kin, "own pairs"),
        (lambda *g: matching_by_logs(*g)[::-1], "other order"),
        (lambda *g: (matching_by_logs(*g)[0],) * 2, "the same way"),
        (lambda s, k, g=10.0: matching_by_logs(s, k, 1.0), "gamma3 is missing"),
        (lambda s, k, g=10.0: matching_by_logs(s, k, 1 / g), "divides the scores"),
        (lambda s, k, g=10.0: tuple(g * x for x in matching_by_logs(s, k, 1.0)),
         "multiplies the loss"),
        (lambda s, k, g=10.0: matching_by_logs(s, k), "fixed at 10"),
        (lambda s, k, g=10.0: tuple(len(s) * x for x in matching_by_logs(s, k, g)),
         "added up"),
        (scaled(lambda x: x / 2), "halved"),
        (scaled(lambda x: -x), "sign is turned"),
        (scaled(lambda x: (-x).exp()), "not their logarithms"),
        (matching_to_kin, "is called right"),
        (matching_by_hinge, "hinge"),
        (lambda *g: sum(matching_by_logs(*g)), "side by side"),
        (matching_fragile, "sure and wrong"),
        (matching_detached, "gradient"),
    ],
    "11a.4": [
        (lambda *g: (scores_of(*g).argmax(1) == 0).float().mean().item(),
         "always wins"),
        (lambda *g: float(np.mean([bool((r[0] > r[1:]).all()) for r in scores_of(*g)])),
         "never wins"),
        (lambda *g: len(g[0]) * first_by_loop(*g), "counts pictures"),
        (lambda *g: 100 * first_by_loop(*g), "percentage"),
        (lambda *g: 1 - first_by_loop(*g), "not* the first"),
        (lambda i, t, n: ((i @ t.T).argmax(1) == torch.arange(len(i))).float().mean(),
         "lists aren't used"),
        (lambda i, t, n: first_by_loop(t, i, n), "looked up in the lists"),
        (lambda i, t, n: first_by_loop(-i, t, n), "worst"),
        (lambda *g: places(*g).mean().item(), "mean place"),
        (lambda *g: (1 / (1 + places(*g))).mean().item(), "1 / place"),
        (lambda *g: (scores_of(*g).argmax(1) == torch.arange(len(g[0]))).float().mean(),
         "picture's number"),
        (lambda *g: (places(*g) < 5).float().mean().item(), "first *five*"),
        (lambda *g: scores_of(*g)[:, 0].mean(), "mean score"),
        (lambda *g: (scores_of(*g).argmax(1) == 0).float(), "number"),
    ],
    "11a.5": [
        (lambda a, c: a @ c.mT, "own sums"),
        (lambda a, c: a @ c.mT / a.sum(2, keepdim=True).clamp_min(1), "a small sum"),
        (lambda a, c: a @ c.mT / c.sum(2)[:, None], "part's size"),
        (lambda a, c: mass_by_where(a, c) / c.sum(2)[:, None], "both sums"),
        (lambda a, c: (a @ c.mT) / a.shape[-1], "number of regions"),
        (lambda a, c: (a / a.sum(1, keepdim=True)) @ c.mT, "over words"),
        (lambda a, c: a @ c.mT / a.sum((1, 2))[:, None, None], "all maps"),
        (lambda a, c: a @ c.mT / a.amax(2, keepdim=True).clamp_min(1e-9), "largest"),
        (lambda a, c: a.softmax(2) @ c.mT, "softmax"),
        (lambda a, c: mass_by_where(a, (c > 0).float()), "counts wholly"),
        (lambda a, c: mass_by_where(a, (c == c.amax(1, keepdim=True)).float()),
         "covers most"),
        (lambda a, c: F.normalize(a, dim=2) @ F.normalize(c, dim=2).mT, "cosine"),
        (lambda a, c: mass_by_where(a, c).mT, "exchanged"),
        (mass_of_nan, "0 everywhere"),
        (lambda a, c: mass_by_where(a, c).mean(1), "shape"),
        (lambda a, c: mass_by_where(a, c).numpy(), "NumPy"),
    ],
}  # fmt: skip

RIGHT = {
    "11a.1": [look_by_einsum, look_by_regions_first, look_by_exps],
    "11a.2": [relevance_by_where, relevance_by_largest, relevance_by_logs],
    "11a.3": [matching_by_logs, matching_by_logsumexp, matching_by_nll],
    "11a.4": [first_by_table, first_by_loop, first_as_tensor],
    "11a.5": [mass_by_shares, mass_by_where, mass_by_nan_to_num],
}
