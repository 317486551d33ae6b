"""Known answers to lesson 03: wrong ones with part of their diagnosis; right ones."""

import math

import torch
from torch import distributions

from t2i_course.papers import vae

HALF_LOG = math.log(2 * math.pi) / 2


def drawn_inside(mean, log_variance, noise):
    return torch.normal(mean, (log_variance / 2).exp())


def new_noise(mean, log_variance, noise):
    return mean + (log_variance / 2).exp() * torch.randn_like(mean)


def detached(mean, log_variance, noise):
    return mean.detach() + (log_variance / 2).exp() * noise


def sigma_detached(mean, log_variance, noise):
    with torch.no_grad():
        sigma = (log_variance / 2).exp()
    return mean + sigma * noise


def kl_by_library(mean, log_variance):
    q = distributions.Normal(mean, log_variance.exp().sqrt())
    return distributions.kl_divergence(q, distributions.Normal(0.0, 1.0))


def draws(m, v, e):
    return m + (v / 2).exp() * e


def log_q(m, v, z):
    return -((z - m) ** 2) / v.exp() / 2 - v / 2 - HALF_LOG


def log_p(z):
    return -(z**2) / 2 - HALF_LOG


def ratio(m, v, z):
    return log_q(m, v, z) - log_p(z)


def sampled_by_library(m, v, e):
    q = distributions.Normal(m, (v / 2).exp())
    z = q.mean + q.stddev * e
    return (q.log_prob(z) - distributions.Normal(0.0, 1.0).log_prob(z)).sum(-1).mean()


def sampled_in_a_loop(m, v, e):
    found = [ratio(m, v, draws(m, v, one)).sum() for one in e]
    return sum(found) / len(found)


def density(m, s, x):
    return -(((x - m) / s.exp()) ** 2) / 2 - s - HALF_LOG


def total(each):
    return each.flatten(1).sum(1)


def density_by_library(m, s, x):
    return distributions.Normal(m, s.exp()).log_prob(x).sum((1, 2, 3))


def density_by_hand(m, s, x):
    count = x[0].numel()
    far = ((x - m) ** 2).flatten(1).sum(1)
    return -far / (2 * (2 * s).exp()) - count * (s + HALF_LOG)


def sigma_as_number(m, s, x):
    return total(density(m, torch.tensor(s.item()), x))


def stable_by_hand(w):
    top = w.max(0).values
    return top + (w - top).exp().mean(0).log()


def bound_in_a_loop(w):
    total = w[0]
    for row in w[1:]:
        total = torch.logaddexp(total, row)
    return total - math.log(w.shape[0])


def floor_by_where(kl, least):
    mean = kl.mean(0, keepdim=True)
    return torch.where(mean > least, mean, torch.full_like(mean, least))


def floor_by_max(kl, least):
    return torch.clamp(kl.sum(0, keepdim=True) / len(kl), min=least)


def floor_detached(kl, least):
    return kl.detach().mean(0, keepdim=True).clamp_min(least)


def floor_with_a_push(kl, least):
    mean = kl.mean(0, keepdim=True)
    return mean + (least - mean).clamp_min(0).detach()


WRONG = {
    "03.1": [
        (lambda m, v, e: m + v * e, "log sigma^2 for sigma itself"),
        (lambda m, v, e: m + v.exp() * e, "multiplies by sigma^2"),
        (lambda m, v, e: m, "the noise is missing"),
        (lambda m, v, e: (v / 2).exp() * e, "the mean is missing"),
        (lambda m, v, e: m * e + (v / 2).exp(), "changed places"),
        (lambda m, v, e: m + (v / 2).exp() + e, "so multiply"),
        (drawn_inside, "draws random numbers inside"),
        (detached, "comes back to mu"),
        (sigma_detached, "comes back to sigma"),
    ],
    "03.2": [
        (lambda m, v: (1 + v - m**2 - v.exp()) / 2, "this is -KL"),
        (lambda m, v: m**2 + v.exp() - 1 - v, "factor 1/2"),
        (lambda m, v: (m**2 + (2 * v).exp() - 1 - 2 * v) / 2, "taken for log sigma"),
        (lambda m, v: (m**2 + v.exp() - v) / 2, "the -1 is missing"),
        (lambda m, v: (m + v.exp() - 1 - v) / 2, "mu is not squared"),
        (lambda m, v: (m**2 + v.exp() - 1) / 2, "the -log sigma^2 is missing"),
        (lambda m, v: (m**2 + (v / 2).exp() - 1 - v) / 2, "sigma stands here"),
        (lambda m, v: ((m**2 + 1) / v.exp() - 1 + v) / 2, "the other way round"),
        (lambda m, v: (m**2 + v - 1 - v.log()) / 2, "taken for sigma^2 itself"),
        (lambda m, v: kl_by_library(m, v).sum(1), "adds up the latent numbers"),
        (lambda m, v: kl_by_library(m, v).mean(), "averages over everything"),
    ],
    "03.3": [
        (lambda m, v, e: ratio(m, v, e).sum(1).mean(), "drawn from the prior"),
        (lambda m, v, e: -sampled_by_library(m, v, e), "upside down"),
        (lambda m, v, e: ratio(m, v, draws(m, v, e)).mean(), "sum over D first"),
        (lambda m, v, e: ratio(m, v, draws(m, v, e)).sum(), "draws are added up"),
        (lambda m, v, e: ratio(m, v, draws(m, v, e)).sum(1), "one value for each draw"),
        (
            lambda m, v, e: log_q(m, v, draws(m, v, e)).sum(1).mean(),
            "log p(z) is missing",
        ),
        (lambda m, v, e: -log_p(draws(m, v, e)).sum(1).mean(), "log q is missing"),
        (lambda m, v, e: kl_by_library(m, v).sum(), "closed form"),
        (
            lambda m, v, e: ratio(m, v, draws(m, v, e)).sum(1).exp().mean(),
            "no divergence",
        ),
    ],
    "03.4": [
        (lambda m, s, x: density(m, s, x).flatten(1).mean(1), "the mean over pixels"),
        (lambda m, s, x: density(m, s, x).sum(), "one log-likelihood for each picture"),
        (lambda m, s, x: total(density(m, s, x) + s), "-log sigma is missing"),
        (lambda m, s, x: total(density(m, s, x) + HALF_LOG), "no density then"),
        (lambda m, s, x: -total(density(m, s, x)), "the sign is wrong"),
        (lambda m, s, x: total(density(m, s / 2, x)), "taken for log sigma^2"),
        (lambda m, s, x: total(-((x - m) ** 2) / 2), "squared error alone"),
        (lambda m, s, x: total((x - m) ** 2), "squared error itself"),
        (lambda m, s, x: total(-((x - m) ** 2)), "squared error with a minus"),
        (
            lambda m, s, x: total(-((x - m) ** 2) / s.exp() / 2 - s - HALF_LOG),
            "divided by sigma, not",
        ),
        (
            lambda m, s, x: total(-(((x - m) / s.exp()) ** 2) - s - HALF_LOG),
            "the factor 1/2",
        ),
        (sigma_as_number, "no gradient reaches log_deviation"),
    ],
    "03.5": [
        (lambda w: w.mean(0), "the ELBO again"),
        (lambda w: w.logsumexp(0), "division by K is missing"),
        (lambda w: w.logsumexp(0) / len(w), "divides the logarithm"),
        (lambda w: w.logsumexp(1) - math.log(w.shape[1]), "over the pictures"),
        (lambda w: w.max(0).values, "best draw alone"),
        (lambda w: w.exp().mean(0), "the logarithm is missing"),
        (lambda w: w.exp().mean(0).log(), "exp is 0 there"),
        (lambda w: (w.exp().mean(0) + 1e-12).log(), "cuts it off"),
        (lambda w: vae.importance_bound(w).mean(), "one number for the whole batch"),
    ],
    "03.6": [
        (lambda k, b: k.clamp_min(b).mean(0, keepdim=True), "each picture's own KL"),
        (lambda k, b: k.mean(0, keepdim=True).clamp_max(b), "cuts off above"),
        (lambda k, b: (k.mean(0, keepdim=True) - b).relu(), "takes `least` off"),
        (lambda k, b: k.mean(0).sum().clamp_min(b), "added up before the floor"),
        (lambda k, b: k.mean(1, keepdim=True).clamp_min(b), "over the latent numbers"),
        (lambda k, b: k.mean(0, keepdim=True), "the floor is missing"),
        (lambda k, b: k.mean(0, keepdim=True) + b, "added to every price"),
        (lambda k, b: k.clamp_min(b), "keeps its own KL"),
        (floor_detached, "above the floor no gradient"),
        (floor_with_a_push, "below the floor a gradient"),
    ],
}

ALSO_WRONG = {
    "03.1": [(new_noise, "draws random numbers inside")],
    "03.3": [
        (lambda m, v, e: sampled_by_library(m, v, e)[None], "a single number"),
    ],
}

RIGHT = {
    "03.1": [
        lambda m, v, e: e * v.exp().sqrt() + m,
        lambda m, v, e: torch.addcmul(m, torch.exp(0.5 * v), e),
    ],
    "03.2": [
        kl_by_library,
        lambda m, v: -0.5 * (1 + v - m.pow(2) - v.exp()),
    ],
    "03.3": [sampled_by_library, sampled_in_a_loop],
    "03.4": [density_by_library, density_by_hand],
    "03.5": [stable_by_hand, bound_in_a_loop],
    "03.6": [floor_by_where, floor_by_max],
}
