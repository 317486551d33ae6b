"""Known answers to lesson 09: wrong ones with part of their diagnosis; right ones."""

import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from t2i_course.papers.stackgan import kl_to_standard

soft = F.softplus


def shaken_by_torch(mean, log_sigma, noise):
    return torch.addcmul(mean, torch.exp(log_sigma), noise)


def shaken_by_square(mean, log_sigma, noise):
    return (2 * log_sigma).exp().sqrt() * noise + mean


def shaken_anew(mean, log_sigma, noise):
    return mean + log_sigma.exp() * torch.randn_like(noise)


def shaken_detached(mean, log_sigma, noise):
    return mean + log_sigma.exp().detach() * noise


def kl_of_torch(mean, log_sigma):
    standard = Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return kl_divergence(Normal(mean, log_sigma.exp()), standard).mean()


def kl_by_rows(mean, log_sigma):
    each = -0.5 * (1 + 2 * log_sigma - mean.pow(2) - (2 * log_sigma).exp())
    return each.sum(1).mean() / mean.shape[1]


def kl_floored(mean, log_sigma):
    variance = (2 * log_sigma).exp()
    return ((mean**2 + variance - 1 - (variance + 1e-8).log()) / 2).mean()


def kl_detached(mean, log_sigma):
    return kl_to_standard(mean.detach(), log_sigma)


def loss_by_bce(fake, mean, log_sigma, weight):
    game = F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))
    return game + weight * kl_of_torch(mean, log_sigma)


def loss_by_logsigmoid(fake, mean, log_sigma, weight):
    return weight * kl_to_standard(mean, log_sigma) - F.logsigmoid(fake).mean()


def loss_without_minus(fake, mean, log_sigma, weight):
    return F.logsigmoid(fake).mean() + weight * kl_to_standard(mean, log_sigma)


def loss_fragile(fake, mean, log_sigma, weight):
    return -fake.sigmoid().log().mean() + weight * kl_to_standard(mean, log_sigma)


def loss_detached(fake, mean, log_sigma, weight):
    return soft(-fake).mean() + weight * kl_to_standard(mean, log_sigma.detach())


def loss_plain(fake, mean, log_sigma, weight, game=None, kl=None):
    game = soft(-fake).mean() if game is None else game
    return game + weight * (kl_to_standard(mean, log_sigma) if kl is None else kl)


def second_by_split(sketcher, refiner, noise, text):
    own, eps = noise.tensor_split([sketcher.noise_size], dim=1)
    with torch.no_grad():
        sketch = sketcher(own, text)
    return refiner(sketch, text, eps)


def second_by_detach(sketcher, refiner, noise, text):
    sketch = sketcher(noise[:, : sketcher.noise_size], text).detach()
    return refiner(sketch, text, noise[:, sketcher.noise_size :])


def second_learning(sketcher, refiner, noise, text):
    own = sketcher.noise_size
    return refiner(sketcher(noise[:, :own], text), text, noise[:, own:])


def second_resting(sketcher, refiner, noise, text):
    own = sketcher.noise_size
    with torch.no_grad():
        return refiner(sketcher(noise[:, :own], text), text, noise[:, own:])


def second_first(sketcher, refiner, noise, text):
    return sketcher(noise[:, : sketcher.noise_size], text)


def second_same(sketcher, refiner, noise, text):
    sketch = sketcher(noise[:, : sketcher.noise_size], text).detach()
    return refiner(sketch, text, noise[:, :9])


def second_turned(sketcher, refiner, noise, text):
    sketch = sketcher(noise[:, -sketcher.noise_size :], text).detach()
    return refiner(sketch, text, noise[:, : -sketcher.noise_size])


def second_whole(sketcher, refiner, noise, text):
    sketch = sketcher(noise[:, : sketcher.noise_size], text).detach()
    return refiner(sketch, text, noise)


def second_untold(sketcher, refiner, noise, text):
    sketch = sketcher(noise[:, : sketcher.noise_size], text).detach()
    return refiner(sketch, torch.zeros_like(text), noise[:, sketcher.noise_size :])


def second_sure(sketcher, refiner, noise, text):
    sketch = sketcher(noise[:, : sketcher.noise_size], text).detach()
    eps = torch.zeros_like(noise[:, sketcher.noise_size :])
    return refiner(sketch, text, eps)


def second_uncut(sketcher, refiner, noise, text):
    return refiner(sketcher(noise, text).detach(), text, noise)


def second_fixed(sketcher, refiner, noise, text):
    return refiner(sketcher(noise[:, :100], text).detach(), text, noise[:, 100:])


def second_halved(sketcher, refiner, noise, text):
    first, later = noise.chunk(2, 1)
    return refiner(sketcher(first, text).detach(), text, later)


def second_of_halves(sketcher, refiner, noise, text):
    half = noise.shape[1] // 2
    return refiner(sketcher(noise[:, :half], text).detach(), text, noise[:, half:])


def second_inferred(sketcher, refiner, noise, text):
    own = sketcher.noise_size
    with torch.inference_mode():
        sketch = sketcher(noise[:, :own], text)
    return refiner(sketch, text, noise[:, own:])


def second_exchanged(sketcher, refiner, noise, text):
    sketch = sketcher(text, noise[:, : sketcher.noise_size]).detach()
    return refiner(sketch, text, noise[:, sketcher.noise_size :])


def second_anew(sketcher, refiner, noise, text):
    sketch = sketcher(noise[:, : sketcher.noise_size], text).detach()
    return refiner(sketch, text, torch.randn_like(noise[:, sketcher.noise_size :]))


def both_by_counts(facing):
    right = facing.sum(1)
    return ((right > 0) & (right < facing.shape[1])).double().mean().item()


def both_by_ends(facing):
    numbers = facing.int()
    return float((numbers.amax(1) != numbers.amin(1)).float().mean())


WRONG = {
    "09.2": [
        (lambda mean, log_sigma, noise: mean - log_sigma.exp() * noise, "taken off"),
        (lambda m, s, e: m + s * e, "log sigma stands where sigma"),
        (lambda m, s, e: m + (s / 2).exp() * e, "lesson 03"),
        (lambda m, s, e: m + (2 * s).exp() * e, "sigma is squared"),
        (lambda m, s, e: m + s.exp(), "noise is missing"),
        (lambda m, s, e: s.exp() * e, "mu is missing"),
        (lambda m, s, e: (m + e) * s.exp(), "multiplied by sigma too"),
        (lambda m, s, e: m + e / s.exp(), "divides by sigma"),
        (lambda m, s, e: m + soft(s) * e, "softplus or ReLU"),
        (lambda m, s, e: m + s.log() * e, "a logarithm already"),
        (lambda m, s, e: s.exp() + m * e, "multiplies mu"),
        (lambda m, s, e: (m + s.exp()) * e, "only sigma is"),
        (lambda m, s, e: m + (s * e).exp(), "of the product"),
        (lambda m, s, e: m + s.abs() * e, "size of log sigma"),
        (lambda m, s, e: m + s.relu().exp() * e, "1 or more"),
        (shaken_anew, "draw none of your own"),
        (shaken_detached, "log_sigma"),
    ],
    "09.3": [
        (lambda m, s: kl_to_standard(m, s) * m.shape[1], "whole vectors"),
        (lambda m, s: kl_to_standard(m, s) * m.numel(), "adds up the batch"),
        (lambda m, s: ((m**2 + s.exp() - 1 - s) / 2).mean(), "lesson 03's"),
        (lambda m, s: ((m**2 + s.exp() - 1) / 2 - s).mean(), "is sigma; the KL"),
        (lambda m, s: ((m**2 + s**2 - 1) / 2 - s).mean(), "log_sigma is squared"),
        (lambda m, s: (m**2 + (2 * s).exp() - 1 - 2 * s).mean(), "twice as large"),
        (lambda m, s: ((m**2 + (2 * s).exp() - 1) / 2 - 2 * s).mean(), "counts once"),
        (lambda m, s: -kl_to_standard(m, s), "never below 0"),
        (lambda m, s: ((m**2 + (2 * s).exp()) / 2 - s).mean(), "the 1 is missing"),
        (lambda m, s: ((m**2 + (2 * s).exp() - 1) / 2).mean(), "log sigma is missing"),
        (lambda m, s: ((m**2 + (2 * s).exp() - 1) / 2 + s).mean(), "is added"),
        (lambda m, s: ((m + (2 * s).exp() - 1) / 2 - s).mean(), "without its square"),
        (lambda m, s: (((2 * s).exp() - 1) / 2 - s).mean(), "mu's term is missing"),
        (lambda m, s: (((1 + m**2) / (2 * s).exp() - 1) / 2 + s).mean(), "exchanged"),
        (kl_floored, "very narrow"),
        (kl_detached, "mean"),
    ],
    "09.4": [
        (loss_without_minus, "a minus is missing"),
        (lambda f, m, s, w: loss_plain(f, m, s, w, -soft(f).mean()), "saturates"),
        (lambda f, m, s, w: loss_plain(f, m, s, w, soft(f).mean()), "is turned"),
        (lambda f, m, s, w: loss_plain(f, m, s, -w), "is subtracted"),
        (lambda f, m, s, w: soft(-f).mean(), "KL term is missing"),
        (lambda f, m, s, w: w * kl_to_standard(m, s), "game is missing"),
        (lambda f, m, s, w: loss_plain(f, m, s, 1.0), "weight is missing"),
        (lambda f, m, s, w: loss_plain(f, m, s, 2.0), "2 stands here"),
        (lambda f, m, s, w: w * loss_plain(f, m, s, 1.0), "multiplies the game"),
        (
            lambda f, m, s, w: loss_plain(f, m, s, w * m.shape[1]),
            "whole vectors",
        ),
        (lambda f, m, s, w: loss_plain(f, m, s, w, soft(-f).sum()), "added up"),
        (lambda f, m, s, w: loss_plain(f, m, s, w, -f.mean()), "hinge game"),
        (lambda f, m, s, w: loss_plain(f, m, s, w, -f.log().mean()), "probabilities"),
        (lambda f, m, s, w: loss_plain(f, s, m, w), "are exchanged"),
        (loss_fragile, "D is sure"),
        (loss_detached, "log_sigma"),
    ],
    "09.5": [
        (second_first, "these are the sketches"),
        (second_learning, "reaches stage I"),
        (second_resting, "comes back to `refiner`"),
        (second_same, "stage I's numbers"),
        (second_turned, "its part comes first"),
        (second_whole, "numbers of noise"),
        (second_untold, "isn't told"),
        (second_sure, "eps is 0"),
        (second_uncut, "14 numbers of noise"),
        (second_of_halves, "got 7 numbers of noise"),
        (second_inferred, "inference"),
        (second_exchanged, "its noise first"),
        (second_anew, "draw none of your own"),
    ],
    "09.1": [
        (lambda f: (f.any(1) & f.all(1)).float().mean().item(), "where all look right"),
        (
            lambda f: ((f.sum(1) > 0) & (f.sum(1) < 8)).float().mean().item(),
            "taken for 8",
        ),
        (lambda f: float(f.float().mean()), "share of pictures"),
        (lambda f: float(f.any(1).float().mean()), "any bird that looks right"),
        (lambda f: float((f.all(1) | ~f.any(1)).float().mean()), "the opposite"),
        (lambda f: float((~f.all(1)).float().mean()), "where none does"),
        (lambda f: float((f.any(0) & ~f.all(0)).float().mean()), "down the columns"),
        (lambda f: float((f.any(1) & ~f.all(1)).sum()), "a count"),
        (lambda f: float((f.float().mean(1) == 0.5).float().mean()), "in halves"),
        (lambda f: float((f[:, 0] != f[:, 1]).float().mean()), "first two"),
        (lambda f: float((f[:, 1:] != f[:, :-1]).float().mean()), "one picture to"),
    ],
}

ALSO_WRONG = {"09.5": [(second_fixed, "no fixed number")]}

RIGHT = {
    "09.2": [shaken_by_torch, shaken_by_square],
    "09.3": [kl_of_torch, kl_by_rows],
    "09.4": [loss_by_bce, loss_by_logsigmoid],
    "09.5": [second_by_split, second_by_detach],
    "09.1": [both_by_counts, both_by_ends],
}
