"""Checks of lesson 03, Variational autoencoders: draws, divergence, likelihood, bounds.

Every quantity here is in nats and checked on seeded numbers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..papers import vae
from .compare import normal
from .core import Promise, Wrong, diagnose, exercise, expect, expect_shape

# ------------------------------------------------------------- 03.1, a draw of q(z | x)


@exercise(
    "03.1",
    title="A draw with a way back",
    minutes=10,
    difficulty=2,
    reference=vae.reparameterize,
    promise=Promise(
        "tensor",
        lambda: [
            {
                "mean": normal(*shape),
                "log_variance": normal(*shape, seed=2),
                "noise": normal(*shape, seed=3),
            }
            for shape in [(3, 4), (100, 1)]
        ],
        gradient=("mean", "log_variance"),
        either=("noise",),
    ),
)
def _(answer):
    """Values, then the gradients that must reach both inputs."""
    known = {
        "this takes log sigma^2 for sigma itself; take half of it, then exp.":
            lambda m, v, e: m + v * e,
        "this multiplies by sigma^2, the variance: exp(log_variance). Its root is "
        "exp(log_variance / 2).": lambda m, v, e: m + v.exp() * e,
        "the noise is missing: this is mu, the same z each time.": lambda m, v, e: m,
        "the mean is missing: every picture would get a z round "
        "0.": lambda m, v, e: (v / 2).exp() * e,
        "mu and sigma have changed places: the noise is multiplied by sigma, and mu is "
        "added.": lambda m, v, e: m * e + (v / 2).exp(),
        "this adds sigma to the noise; sigma makes it wide, so "
        "multiply.": lambda m, v, e: m + (v / 2).exp() + e,
    }  # fmt: skip
    inputs = [(normal(3, 4), normal(3, 4, seed=2), normal(3, 4, seed=3))]
    inputs += [(normal(2, 5), normal(2, 5, seed=5), normal(2, 5, seed=6))]
    _uses_the_noise(answer, inputs[0])
    diagnose(answer, inputs, vae.reparameterize, known, what="z")
    mean, log_variance, noise = (part.clone() for part in inputs[0])
    mean.requires_grad_(), log_variance.requires_grad_()
    z = answer(mean, log_variance, noise)
    for part, name in ((mean, "mu (mean)"), (log_variance, "sigma (log_variance)")):
        reached = None
        if z.requires_grad:
            reached = torch.autograd.grad(
                z.sum(), part, retain_graph=True, allow_unused=True
            )[0]
        expect(
            reached is not None and bool(reached.abs().sum() > 0),
            f"the values are right, but no gradient comes back to {name}: is something "
            "detached, or drawn by a random function inside?",
        )


def _uses_the_noise(answer, arguments) -> None:
    """Two calls with one noise agree, unless something is drawn inside."""
    if not torch.allclose(answer(*arguments), answer(*arguments)):
        raise Wrong(
            "the same noise gave two different z: this draws random numbers inside. "
            "All chance comes in by `noise`; what is left is arithmetic, and that has "
            "a gradient."
        )


# ------------------------------------------------------------------ 03.2, KL by formula


@exercise(
    "03.2",
    title="KL in closed form",
    minutes=10,
    difficulty=2,
    reference=vae.kl_standard_normal,
    promise=Promise(
        "tensor",
        lambda: [
            {"mean": normal(*shape), "log_variance": normal(*shape, seed=2)}
            for shape in [(3, 4), (1, 1)]
        ],
        gradient=("mean", "log_variance"),
    ),
)
def _(answer):
    """Values by latent number, 0 at the prior, and no negative one."""
    known = {
        "the sign is wrong: this is -KL. A divergence is never below 0.":
            lambda m, v: -(m**2 + v.exp() - 1 - v) / 2,
        "this is twice the divergence: the factor 1/2 is missing.":
            lambda m, v: m**2 + v.exp() - 1 - v,
        "log_variance is log sigma^2, but is taken for log sigma here: sigma^2 is "
        "exp(log_variance), and the last term is log_variance itself.":
            lambda m, v: (m**2 + (2 * v).exp() - 1 - 2 * v) / 2,
        "log_variance is taken for sigma^2 itself; sigma^2 is its "
        "exp.": lambda m, v: (m**2 + v - 1 - v.log()) / 2,
        "the -1 is missing: at the prior (mu 0, sigma 1) the divergence must be "
        "0.": lambda m, v: (m**2 + v.exp() - v) / 2,
        "mu is not squared: a mean of -2 is as far from the prior as one of "
        "2.": lambda m, v: (m + v.exp() - 1 - v) / 2,
        "the -log sigma^2 is missing: without it sigma = 0 would be the "
        "cheapest.": lambda m, v: (m**2 + v.exp() - 1) / 2,
        "sigma stands here where sigma^2 belongs: exp(log_variance), not "
        "exp(log_variance / 2).": lambda m, v: (m**2 + (v / 2).exp() - 1 - v) / 2,
        "this is KL(p || q), the other way round; the ELBO has KL(q || p), an average "
        "over q.": lambda m, v: ((m**2 + 1) * (-v).exp() - 1 + v) / 2,
        "this adds up the latent numbers; keep them apart, (B, D): we will look at "
        "each one. The ELBO adds them later.":
            lambda m, v: ((m**2 + v.exp() - 1 - v) / 2).sum(1),
        "this averages over everything; keep each picture's latent numbers apart, "
        "(B, D).": lambda m, v: ((m**2 + v.exp() - 1 - v) / 2).mean(),
    }  # fmt: skip
    inputs = [
        (normal(3, 4), normal(3, 4, seed=2)),
        (normal(2, 3), torch.zeros(2, 3)),
    ]
    inputs += [(torch.zeros(2, 3), torch.zeros(2, 3))]
    diagnose(answer, inputs, vae.kl_standard_normal, known, what="the KL")


# ----------------------------------------------------------------- 03.3, KL by sampling


def kl_by_sampling(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """E_q[log q(z | x) - log p(z)] by draws of z: one picture's KL, a scalar in nats.

    mean, log_variance: (D,); noise: (K, D). Slide GM-2; lesson 03.
    """
    z = vae.reparameterize(mean, log_variance, noise)
    zero = torch.zeros_like(z)
    q = vae.log_normal(z, mean.expand_as(z), log_variance.expand_as(z))
    return (q - vae.log_normal(z, zero, zero)).mean()


def _log_ratio(mean, log_variance, z) -> Tensor:
    """log q(z | x) - log p(z), (K, D), of given z."""
    far = (z - mean) ** 2 / log_variance.exp()
    return (z**2 - far - log_variance) / 2


@exercise(
    "03.3",
    title="KL by sampling",
    minutes=15,
    difficulty=3,
    reference=kl_by_sampling,
    promise=Promise(
        "scalar",
        lambda: [
            {
                "mean": normal(d),
                "log_variance": normal(d, seed=2),
                "noise": normal(k, d, seed=3),
            }
            for d, k in [(4, 9), (2, 2)]
        ],
        gradient=("mean", "log_variance"),
        either=("noise",),
    ),
)
def _(answer):
    """Values on seeded draws: the very same draws give the very same mean."""

    def draws(m, v, e):
        return m + (v / 2).exp() * e

    known = {
        "the z are drawn from the prior here (z = noise): the average is over q, so "
        "z = mu + sigma * noise, your exercise 03.1.":
            lambda m, v, e: _log_ratio(m, v, e).sum(1).mean(),
        "the ratio is upside down: log p(z) - log q(z | x) gives "
        "-KL.": lambda m, v, e: -_log_ratio(m, v, draws(m, v, e)).sum(1).mean(),
        "the latent numbers are averaged; log densities of independent numbers add up, "
        "so sum over D first.": lambda m, v, e: _log_ratio(m, v, draws(m, v, e)).mean(),
        "the draws are added up; an expectation is their "
        "mean.": lambda m, v, e: _log_ratio(m, v, draws(m, v, e)).sum(),
        "this is one value for each draw; the expectation is the mean over all "
        "K.": lambda m, v, e: _log_ratio(m, v, draws(m, v, e)).sum(1),
        "log p(z) is missing: this is E_q[log q], minus the entropy of "
        "q.": lambda m, v, e: vae.log_normal(draws(m, v, e), m, v).mean(),
        "log q is missing: this is -E_q[log "
        "p].": lambda m, v, e: -vae.log_normal(
            draws(m, v, e), torch.zeros_like(m), torch.zeros_like(v)).mean(),
        "this is the closed form of exercise 03.2; here the point is to find the same "
        "number without it, from draws: use the noise.":
            lambda m, v, e: vae.kl_standard_normal(m, v).sum(),
        "the logarithm is missing: this averages q / p, and that is no divergence.":
            lambda m, v, e: _log_ratio(m, v, draws(m, v, e)).sum(1).exp().mean(),
    }  # fmt: skip
    inputs = [(normal(4), normal(4, seed=2), normal(9, 4, seed=3))]
    inputs += [(normal(2, seed=4), normal(2, seed=5), normal(5, 2, seed=6))]
    diagnose(answer, inputs, kl_by_sampling, known, what="the KL", atol=1e-4)


# -------------------------------------------------------------------- 03.4, likelihood


def _each(m, s, x):
    """The log density of each number."""
    return -(((x - m) * (-s).exp()) ** 2) / 2 - s - HALF_LOG


def _total(made):
    return made.flatten(1).sum(1)


HALF_LOG = math.log(2 * math.pi) / 2
DENSITY_ERRORS = {
    "this is the mean over pixels; a picture's log density is the sum. With a mean "
    "the KL weighs as many times too much as there are pixels, and z falls "
    "silent.": lambda m, s, x: _each(m, s, x).flatten(1).mean(1),
    "the batch is added up or averaged too: one log-likelihood for each picture, "
    "(B,).": lambda m, s, x: _each(m, s, x).sum(),
    "the term -log sigma is missing: then a huge sigma costs nothing, and the best "
    "sigma is infinite.": lambda m, s, x: _total(_each(m, s, x) + s),
    "the constant log(2 pi) / 2 for each number is missing: it changes no "
    "gradient, but the value is no density then, and bits would be "
    "wrong.": lambda m, s, x: _total(_each(m, s, x) + HALF_LOG),
    "the sign is wrong: this is the loss, -log p(x | z); the function is asked for "
    "log p(x | z).": lambda m, s, x: -_total(_each(m, s, x)),
    "log_deviation is log sigma, but is taken for log sigma^2 "
    "here.": lambda m, s, x: _total(_each(m, s / 2, x)),
    "log_deviation is taken for sigma itself; sigma is its exp.":
        lambda m, s, x: _total(-(((x - m) / s) ** 2) / 2 - s.abs().log() - HALF_LOG),
    "this is the squared error alone: a Gaussian with sigma = 1, whatever the data "
    "say, and without its constants.":
        lambda m, s, x: _total(-((x - m) ** 2) / 2),
    "this is the squared error itself: a number to go down, and sigma has no part in "
    "it. A log-likelihood goes up, and asks sigma too.":
        lambda m, s, x: _total((x - m) ** 2),
    "this is the squared error with a minus: sigma, the 1/2 and the constants are "
    "missing.": lambda m, s, x: _total(-((x - m) ** 2)),
    "the squared distance is divided by sigma, not by "
    "sigma^2.": lambda m, s, x: _total(
        -((x - m) ** 2) * (-s).exp() / 2 - s - HALF_LOG),
    "the factor 1/2 in front of the squared distance is missing.":
        lambda m, s, x: _total(-(((x - m) * (-s).exp()) ** 2) - s - HALF_LOG),
}  # fmt: skip


@exercise(
    "03.4",
    title="A likelihood, not an error",
    minutes=10,
    difficulty=2,
    reference=vae.gaussian_log_likelihood,
    promise=Promise(
        "tensor",
        lambda: [
            {
                "mean": normal(b, 1, s, s),
                "log_deviation": torch.tensor(-0.7),
                "x": normal(b, 1, s, s, seed=2),
            }
            for b, s in [(3, 4), (1, 4), (5, 8)]
        ],
        gradient=("mean", "log_deviation"),
        either=("x",),
    ),
)
def _(answer):
    """Values for pictures and several sigmas; a tensor sigma that learns."""
    shape = (3, 1, 4, 4)
    inputs = [
        (normal(*shape, scale=0.5), torch.tensor(level), normal(*shape, seed=seed))
        for level, seed in ((-0.7, 2), (0.4, 3))
    ]
    diagnose(answer, inputs, vae.gaussian_log_likelihood, DENSITY_ERRORS, atol=1e-3,
             what="log p(x | z)")  # fmt: skip
    level = torch.tensor(-0.7, requires_grad=True)
    made = answer(inputs[0][0], level, inputs[0][2])
    expect(
        made.requires_grad
        and bool(torch.autograd.grad(made.sum(), level)[0].abs() > 0),
        "the values are right, but no gradient reaches log_deviation: sigma must be "
        "able to learn. Is it turned into a plain number (.item(), float())?",
    )


# ---------------------------------------------------------------- 03.5, a tighter bound


def _underflows(answer) -> None:
    """Weights of e^-2000 are 0 in any floating-point number; their logs are not."""
    low = normal(5, 3) - 2000
    made = torch.as_tensor(answer(low))
    expect(
        made.isfinite().all(),
        "for weights of e^-2000, as real pictures have, this gives infinity: exp is 0 "
        "there. Stay in logarithms: torch.logsumexp (or take out the largest first).",
    )
    want = vae.importance_bound(low)
    expect(
        (made - want).abs().max() < 0.01,
        "for weights of e^-2000 this gives "
        f"{float(made[0]):.4g} in place of {float(want[0]):.4g}: a small number added "
        "inside the log cuts it off. Use torch.logsumexp.",
    )


@exercise(
    "03.5",
    title="A tighter bound",
    minutes=10,
    difficulty=3,
    reference=vae.importance_bound,
    promise=Promise(
        "tensor",
        lambda: [{"log_weights": normal(*shape)} for shape in [(7, 5), (1, 4)]],
        gradient=("log_weights",),
    ),
)
def _(answer):
    """Values, one draw, and weights far below what exp can hold."""
    known = {
        "this is the mean of the logarithms: the ELBO again, however many draws. The "
        "mean goes inside, before the log.": lambda w: w.mean(0),
        "the division by K is missing: a sum of K weights is K times too large, so "
        "this grows with every draw and is no bound.": lambda w: w.logsumexp(0),
        "this divides the logarithm by K; the weights are to be divided, so subtract "
        "log K.": lambda w: w.logsumexp(0) / len(w),
        "this averages over the pictures (axis 1); draws are along axis "
        "0.": lambda w: w.logsumexp(1) - math.log(w.shape[1]),
        "this takes the best draw alone; the bound is the log of the mean "
        "weight.": lambda w: w.amax(0),
        "the logarithm is missing: this is the mean weight.":
            lambda w: w.exp().mean(0),
        "log K is added; to divide by K, subtract it.":
            lambda w: w.logsumexp(0) + math.log(len(w)),
        "the weights are given as logarithms: this takes the log of their log.":
            lambda w: w.mean(0).log(),
        "this is one number for the whole batch; each picture has its own bound, "
        "(B,).": lambda w: (w.logsumexp(0) - math.log(len(w))).mean(),
    }  # fmt: skip
    inputs = [(normal(7, 5),), (normal(1, 4, seed=2),), (normal(3, 2, seed=3),)]
    diagnose(answer, inputs, vae.importance_bound, known, what="the bound")
    _underflows(answer)


# -------------------------------------------------------------------- 03.6, free bits


@exercise(
    "03.6",
    title="Free bits",
    minutes=10,
    difficulty=3,
    reference=vae.free_bits,
    promise=Promise(
        "tensor",
        lambda: [
            {"kl": normal(*shape).abs(), "least": 0.5} for shape in [(6, 4), (30, 16)]
        ],
        gradient=("kl",),
    ),
)
def _(answer):
    """Values, one row for the batch; and where a gradient is."""

    known = {
        "the floor is put under each picture's own KL; it goes under the batch's mean, "
        "so take the mean over the pictures first.":
            lambda k, b: k.clamp_min(b).mean(0, keepdim=True),
        "this cuts off above: the price would never be more than `least`, so z could "
        "say everything for nothing.":
            lambda k, b: k.mean(0, keepdim=True).clamp_max(b),
        "this takes `least` off the price; then below the floor it is not free but "
        "rewarded (or zero). The price is max(KL, least).":
            lambda k, b: (k.mean(0, keepdim=True) - b).clamp_min(0),
        "the latent numbers are added up before the floor: then one of them may say "
        "all of it, and the others nothing.":
            lambda k, b: k.mean(0).sum().clamp_min(b),
        "the average goes over the latent numbers (axis 1); it goes over the pictures "
        "(axis 0).": lambda k, b: k.mean(1, keepdim=True).clamp_min(b),
        "the floor is missing: this is the price as it was.":
            lambda k, b: k.mean(0, keepdim=True),
        "`least` is added to every price; a constant has no gradient, so nothing "
        "changes. The price is the larger of the two.":
            lambda k, b: k.mean(0, keepdim=True) + b,
        "each picture keeps its own KL here; the price is that of the batch's mean: "
        "(1, D).": lambda k, b: k.clamp_min(b),
    }  # fmt: skip
    kl = normal(6, 4).abs() * torch.tensor([0.1, 0.6, 1.0, 3.0])
    inputs = [(kl, 0.5), (normal(5, 3, seed=2).abs(), 0.9)]
    diagnose(answer, inputs, vae.free_bits, known, what="the price")
    kl = kl.clone().requires_grad_()
    paid = answer(kl, 0.5)
    expect_shape(paid, (1, 4), "the price")
    slopes = torch.zeros_like(kl)
    if paid.requires_grad:
        slopes = torch.autograd.grad(paid.sum(), kl)[0]
    expect(
        bool((slopes[:, -1].abs() > 0).all()),
        "the values are right, but above the floor no gradient comes back: there the "
        "price must still push the KL down.",
    )
    expect(
        bool((slopes[:, 0] == 0).all()),
        "below the floor a gradient comes back; there z should be free of any push.",
    )
