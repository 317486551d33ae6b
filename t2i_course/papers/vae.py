"""Pictures with a cause: the variational autoencoder (lesson 03).

Kingma, Welling: Auto-Encoding Variational Bayes, ICLR 2014; slides GM-1 to GM-5. A
picture x is thought to come from a hidden vector z ~ N(0, I) by a decoder p(x | z).
p(x) itself is an integral that nobody can take, but an encoder q(z | x) gives a bound:

    log p(x) = log of the integral of p(x, z) over z
            >= E_q[log p(x, z) - log q(z | x)]                    (Jensen)
             = E_q[log p(x | z)] - KL(q(z | x) || p(z))           the ELBO

A better bound averages several weights p(x, z) / q(z | x) before the logarithm (Burda,
Grosse, Salakhutdinov: Importance Weighted Autoencoders, ICLR 2016).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from ..blocks import bits_per_dimension, check_size
from ..declarations import Network, SystemInfo
from ..likelihoods import (
    bernoulli_log_likelihood,
    dequantize,
    gaussian_log_likelihood,
    log_normal,
    rounded_log_likelihood,
)
from ..training import System
from .pixelcnn import GatedPixelCnn, GreyLevels  # one of the decoders extends it

__all__ = [
    "BIRDS", "COLLAPSE", "GREY", "PIXELCNN", "PRESETS", "BernoulliDecoder", "Encoder",
    "GaussianDecoder", "PixelCnnDecoder", "RoundedDecoder", "Vae",
    "bernoulli_log_likelihood", "dequantize", "elbo", "free_bits",
    "gaussian_log_likelihood", "importance_bound", "kl_standard_normal", "log_normal",
    "reparameterize", "rounded_log_likelihood",
]  # fmt: skip

# Digits in black and white. "paper": sizes, optimizer, batch and ten epochs of 469
# steps are not the paper's but those of PyTorch's example, which takes grey levels for
# probabilities; here pixels are black or white, as a Bernoulli likelihood wants them.
PRESETS = {
    "smoke": {"shape": (1, 8, 8), "hidden": 32, "latent": 4, "batch_size": 16,
              "steps": 4},
    "cpu": {"shape": (1, 8, 8), "hidden": 200, "latent": 8, "batch_size": 64,
            "steps": 2000},
    "gpu": {"shape": (1, 8, 8), "hidden": 400, "latent": 16, "batch_size": 64,
            "steps": 4000},
    "paper": {"shape": (1, 28, 28), "hidden": 400, "latent": 20, "batch_size": 128,
              "steps": 10 * 469},
}  # fmt: skip

# The same digits in their scans' 17 grey levels. From here on, all sizes are ours.
LEVELS = {"likelihood": "rounded", "levels": 17}
GREY = {
    "smoke": LEVELS,
    "cpu": LEVELS | {"hidden": 400, "steps": 3000},
    "gpu": LEVELS | {"hidden": 800, "steps": 3000},
    "paper": LEVELS | {"hidden": 800},
}

# Birds: convolutions, and a Gaussian around the decoder's picture.
CONV = {"network": "conv", "likelihood": "gaussian", "levels": 256}
BIRDS = {
    "smoke": CONV | {"shape": (3, 32, 32), "hidden": 8, "latent": 8},
    "cpu": CONV | {"shape": (3, 32, 32), "hidden": 32, "latent": 32, "rate": 2e-3,
                   "batch_size": 32, "steps": 3000},
    "gpu": CONV | {"shape": (3, 64, 64), "hidden": 64, "latent": 128, "steps": 20000},
    "paper": CONV | {"shape": (3, 64, 64), "hidden": 64, "latent": 128,
                     "steps": 50000},
}  # fmt: skip

# Digits with a decoder that can do without z: for posterior collapse, slide GM-5.
PIXELCNN = {
    "smoke": {"likelihood": "pixelcnn", "channels": 8, "layers": 2, "out": 16},
    "cpu": {"likelihood": "pixelcnn", "channels": 16, "layers": 4, "out": 32,
            "rate": 3e-3, "steps": 800},
    "gpu": {"likelihood": "pixelcnn", "channels": 32, "layers": 6, "out": 64,
            "rate": 2e-3, "steps": 1500},
    "paper": {"likelihood": "pixelcnn", "channels": 64, "layers": 12, "out": 128},
}  # fmt: skip

# The comparison of lesson 03: one encoder, as many steps, two decoders, two remedies.
COLLAPSE = {
    "mlp": {"rate": 3e-3, "steps": 800},
    "pixelcnn": PIXELCNN["cpu"],
    "warm-up": PIXELCNN["cpu"] | {"warm": 400},
    "free bits": PIXELCNN["cpu"] | {"free": 0.5},
}


# ------------------------------------------------------------------------ the formulas


def reparameterize(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """z = mu + sigma * eps: a draw of N(mu, sigma^2) whose gradient reaches mu, sigma.

    All (B, D); log_variance is log sigma^2, noise is eps ~ N(0, 1). Slide GM-3.
    """
    return mean + (log_variance / 2).exp() * noise


def kl_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mu, sigma^2) || N(0, 1)) of each latent number, in nats: (B, D), at least 0.

    The integral of q (log q - log p) in closed form, with E_q[z^2] = mu^2 + sigma^2:
    (mu^2 + sigma^2 - 1 - log sigma^2) / 2. Appendix B; slide GM-2; lesson 03.
    """
    return (mean.square() + log_variance.exp() - 1 - log_variance) / 2


def elbo(log_likelihood: Tensor, kl: Tensor, beta: float | Tensor = 1.0) -> Tensor:
    """The evidence lower bound of each picture, (B,) nats: slide GM-2.

    log_likelihood: (B,), log p(x | z) at one draw of z; kl: (B, D) by latent number.
    beta: 1 is the bound; more asks for simpler z (Higgins et al. 2017), less for more.
    """
    return log_likelihood - beta * kl.sum(1)


def free_bits(kl: Tensor, least: float) -> Tensor:
    """The KL to pay for: each latent number's mean, but never under `least` nats.

    (B, D) to (1, D). Below `least` there is no gradient, so saying a little costs
    nothing: against posterior collapse. Kingma et al. 2016.
    """
    return kl.mean(0, keepdim=True).clamp_min(least)


def importance_bound(log_weights: Tensor) -> Tensor:
    """log of the mean weight: a lower bound of log p(x), (B,) nats, from K draws of z.

    log_weights: (K, B), log p(x, z) - log q(z | x). K = 1 is the ELBO; more draws come
    closer to log p(x) from below. Burda et al. 2016.
    """
    return log_weights.logsumexp(0) - math.log(len(log_weights))


# ----------------------------------------------------------------------- the networks

NETWORKS = ("mlp", "conv")
LIKELIHOODS = ("bernoulli", "gaussian", "rounded", "pixelcnn")


def check_known(what: str, name: str, known: tuple[str, ...]) -> None:
    """ValueError, naming those there are, unless the name is known."""
    if name not in known:
        raise ValueError(f"No {what} {name!r}; there are {', '.join(known)}.")


def check_network(network: str, shape: tuple[int, int, int]) -> None:
    """ValueError unless there is that network for pictures (C, H, W)."""
    check_known("network", network, NETWORKS)
    if network == "conv":
        _, height, width = shape
        check_size(width)
        if height != width:
            raise ValueError(f"conv is for square pictures, not {height} x {width}.")


class Encoder(nn.Module):
    """q(z | x): pictures (B, C, H, W) to the mean and log variance of z, (B, D) each.

    network: "mlp", one hidden layer of `hidden` units; or "conv", strided convolutions
    down to 4 x 4 that begin with `hidden` channels and double them. ValueError for
    another one, and for "conv" unless pictures are squares of 8, 16, 32, ...
    """

    def __init__(self, shape=(1, 28, 28), hidden=400, latent=20, network="mlp"):
        super().__init__()
        check_network(network, shape)
        if network == "mlp":
            inside = math.prod(shape)
            layers = [nn.Flatten(), nn.Linear(inside, hidden), nn.ReLU()]
            wide = hidden
        else:
            layers, inside, side = [], shape[0], shape[-1]
            while side > 4:
                layers += [nn.Conv2d(inside, hidden, 4, 2, 1), nn.ReLU()]
                inside, hidden, side = hidden, 2 * hidden, side // 2
            layers, wide = [*layers, nn.Flatten()], inside * 16
        self.net = nn.Sequential(*layers, nn.Linear(wide, 2 * latent))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """mu and log sigma^2, in the weights' own precision under autocast too.

        Near the prior the KL is a small difference of large numbers, of which bfloat16
        leaves nothing.
        """
        seen, last = self.net[:-1](pictures), self.net[-1]
        with torch.autocast(seen.device.type, enabled=False):
            return last(seen.to(last.weight.dtype)).chunk(2, 1)


def painter(shape, hidden: int, latent: int, network: str) -> nn.Sequential:
    """The encoder's mirror: z (B, D) to (B, *shape), any real numbers.

    ValueError as there.
    """
    check_network(network, shape)
    if network == "mlp":
        size = math.prod(shape)
        layers = [nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, size)]
        return nn.Sequential(*layers, nn.Unflatten(1, tuple(shape)))
    wide = hidden * shape[-1] // 8
    layers = [nn.Linear(latent, wide * 16), nn.Unflatten(1, (wide, 4, 4)), nn.ReLU()]
    while wide > hidden:
        layers += [nn.ConvTranspose2d(wide, wide // 2, 4, 2, 1), nn.ReLU()]
        wide //= 2
    return nn.Sequential(*layers, nn.ConvTranspose2d(wide, shape[0], 4, 2, 1))


class BernoulliDecoder(nn.Module):
    """p(x | z) of black and white pixels, -1 or 1, each alone given z."""

    spacing = 1.0  # a probability, not a density

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def observe(self, pictures: Tensor, rng=None) -> Tensor:
        """The picture as this likelihood knows it: what is over 0 is white."""
        return torch.where(pictures > 0, 1.0, -1.0)

    def log_likelihood(self, pictures: Tensor, z: Tensor) -> Tensor:
        """log p(x | z), (B,) nats, of pictures from `observe`."""
        return bernoulli_log_likelihood(self.net(z), (pictures + 1) / 2)

    def picture(self, z: Tensor, rng=None) -> Tensor:
        """The mean of p(x | z), in [-1, 1]."""
        return 2 * self.net(z).sigmoid() - 1


class GaussianDecoder(nn.Module):
    """p(x | z) = N(net(z), sigma^2), one sigma for all; it learns with the rest.

    levels: how many values a pixel can have on disk, see `dequantize`. sigma begins at
    0.25: Adam moves its logarithm by little more than the learning rate a step.
    """

    def __init__(self, net: nn.Module, levels: int = 256):
        super().__init__()
        self.net, self.spacing = net, 2 / (levels - 1)
        self.log_deviation = nn.Parameter(torch.tensor(0.25).log())

    def observe(self, pictures: Tensor, rng=None) -> Tensor:
        """Pictures with the noise of `dequantize`."""
        return dequantize(pictures, self.spacing, rng)

    def log_likelihood(self, pictures: Tensor, z: Tensor) -> Tensor:
        """log of the density at pictures from `observe`, (B,) nats."""
        return gaussian_log_likelihood(self.net(z), self.log_deviation, pictures)

    def picture(self, z: Tensor, rng=None) -> Tensor:
        """The mean of p(x | z), cut off at -1 and 1."""
        return self.net(z).clamp(-1, 1)


class RoundedDecoder(GaussianDecoder):
    """A Gaussian draw rounded to grey levels: a probability, not a density.

    For pictures of few levels, many of them black: a density can't say "exactly black",
    and pays for each such pixel. levels: from black (-1) to white (1).
    """

    def __init__(self, net: nn.Module, levels: int = 17):
        super().__init__(net, levels)
        self.width, self.spacing = self.spacing, 1.0

    def observe(self, pictures: Tensor, rng=None) -> Tensor:
        """Pictures with each pixel at the nearest of the grey levels."""
        return ((pictures + 1) / self.width).round() * self.width - 1

    def log_likelihood(self, pictures: Tensor, z: Tensor) -> Tensor:
        """log of the probability of pictures from `observe`, (B,) nats."""
        made = self.net(z), self.log_deviation
        return rounded_log_likelihood(*made, pictures, self.width)


class PixelCnnDecoder(nn.Module):
    """p(x | z) by a PixelCNN that hears z in every layer, and could do without it.

    values: grey levels; the other settings as `GatedPixelCnn`. Slide GM-5.
    """

    spacing = 1.0

    def __init__(self, shape, latent, values=2, channels=16, layers=4, out=32):
        super().__init__()
        self.levels = GreyLevels(values, shape[1:])
        self.net = GatedPixelCnn(values, channels, layers, out, first=5, latent=latent)

    def observe(self, pictures: Tensor, rng=None) -> Tensor:
        """Pictures with each pixel at the nearest of the grey levels."""
        return self.levels.decode(self.levels.codes(pictures))

    def log_likelihood(self, pictures: Tensor, z: Tensor) -> Tensor:
        """log p(x | z), (B,) nats, by the chain rule."""
        return self.net.log_prob(self.levels.codes(pictures), latent=z)

    def picture(self, z: Tensor, rng=None) -> Tensor:
        """A draw of p(x | z): its mean would be a long way to go."""
        shape = (len(z), *self.levels.grid)
        noise = torch.rand(shape, device=z.device, generator=rng)
        return self.levels.decode(self.net.sample(noise, latent=z))


# ------------------------------------------------------------------------ the system


class Vae(System):
    """Encoder and decoder, one player going up the ELBO.

    network: "mlp" or "conv"; likelihood: one of LIKELIHOODS
    levels: grey levels of a pixel; channels, layers, out: of the PixelCNN
    beta: of `elbo`; warm: over so many rounds it rises from 0 (Bowman et al. 2016);
    free: nats a latent number, see `free_bits`; both are against posterior collapse
    reparameterize, kl, elbo, floor (`free_bits`): may be a learner's own. ValueError
    for names and sizes that don't exist. Slides GM-2 to GM-5; lesson 03.
    """

    players = ("autoencoder",)
    betas = (0.9, 0.999)

    def __init__(self, shape=(1, 28, 28), hidden=400, latent=20, network="mlp",
                 likelihood="bernoulli", levels=2, channels=16, layers=4, out=32,
                 beta=1.0, warm=0, free=0.0, rate=1e-3,
                 reparameterize: Callable = reparameterize,
                 kl: Callable = kl_standard_normal, elbo: Callable = elbo,
                 floor: Callable = free_bits):  # fmt: skip
        super().__init__()
        check_known("likelihood", likelihood, LIKELIHOODS)
        self.shape = self.reads = tuple(shape)
        self.latent, self.learning_rate = latent, rate
        self.beta, self.warm, self.free = beta, warm, free
        self.reparameterize, self.kl, self.elbo = reparameterize, kl, elbo
        self.floor = floor
        if likelihood == "pixelcnn":
            decoder = PixelCnnDecoder(shape, latent, levels, channels, layers, out)
        elif likelihood in ("gaussian", "rounded"):
            kind = GaussianDecoder if likelihood == "gaussian" else RoundedDecoder
            decoder = kind(painter(shape, hidden, latent, network), levels)
        else:
            decoder = BernoulliDecoder(painter(shape, hidden, latent, network))
        encoder = Encoder(shape, hidden, latent, network)
        self.autoencoder = nn.ModuleDict({"encoder": encoder, "decoder": decoder})
        self.register_buffer("rounds", torch.zeros(()))

    @property
    def encoder(self) -> nn.Module:
        """q(z | x)."""
        return self.autoencoder["encoder"]

    @property
    def decoder(self) -> nn.Module:
        """p(x | z)."""
        return self.autoencoder["decoder"]

    def round(self, batch):
        """The autoencoder goes down -ELBO, the mean over the batch in nats."""
        x = self.decoder.observe(batch.image, self.rng)
        mean, log_variance = self.encoder(x)
        noise = self.noise(len(x), self.latent)
        z = self.reparameterize(mean, log_variance, noise)
        kl = self.kl(mean, log_variance)
        if self.free:
            kl = self.floor(kl, self.free)
        bound = self.elbo(self.decoder.log_likelihood(x, z), kl, self.next_beta())
        yield "autoencoder", -bound.mean()

    def next_beta(self) -> float | Tensor:
        """beta of this round; counts the rounds where it still rises."""
        if not self.warm:
            return self.beta
        if self.training:
            self.rounds += 1
        return self.beta * (self.rounds / self.warm).clamp(max=1)

    # ------------------------------------------------------------ what it has learned

    @torch.no_grad()
    def log_weights(self, pictures: Tensor, draws: int) -> Tensor:
        """log p(x, z) - log q(z | x) at draws of z from q, (draws, B) nats.

        pictures: (B, C, H, W) in [-1, 1]; `observe` is done here.
        """
        x = self.decoder.observe(pictures, self.rng)
        mean, log_variance = self.encoder(x)
        zero, found = torch.zeros_like(mean), []
        for _ in range(draws):
            z = reparameterize(mean, log_variance, self.noise(*mean.shape))
            above = self.decoder.log_likelihood(x, z) + log_normal(z, zero, zero)
            found.append(above - log_normal(z, mean, log_variance))
        return torch.stack(found)

    def importance_bound(self, pictures: Tensor, draws: int = 64) -> Tensor:
        """A lower bound of log p(x), (B,) nats; see `importance_bound`."""
        return importance_bound(self.log_weights(pictures, draws))

    @torch.no_grad()
    def bound(self, pictures: Tensor) -> Tensor:
        """The ELBO (beta = 1) at one draw of z, (B,) nats, the KL in closed form."""
        x = self.decoder.observe(pictures, self.rng)
        mean, log_variance = self.encoder(x)
        z = reparameterize(mean, log_variance, self.noise(*mean.shape))
        kl = kl_standard_normal(mean, log_variance)
        return elbo(self.decoder.log_likelihood(x, z), kl)

    def bits_per_dimension(self, pictures: Tensor, draws: int = 64) -> Tensor:
        """At most so many bits a number of the picture, (B,), by the importance bound.

        For black and white pixels bits of those; else of the levels on disk.
        """
        bound = self.importance_bound(pictures, draws)
        return bits_per_dimension(bound, math.prod(self.shape), self.decoder.spacing)

    @torch.no_grad()
    def kl_per_latent(self, pictures: Tensor) -> Tensor:
        """Nats that each latent number says of a picture, on average: (D,).

        Near 0 it says nothing: the posterior has collapsed onto the prior. GM-5.
        """
        x = self.decoder.observe(pictures, self.rng)
        return kl_standard_normal(*self.encoder(x)).mean(0)

    @torch.no_grad()
    def encode(self, pictures: Tensor, noise: Tensor | None = None) -> Tensor:
        """A draw of q(z | x) for each picture, (B, D)."""
        mean, log_variance = self.encoder(self.decoder.observe(pictures, self.rng))
        noise = self.noise(*mean.shape) if noise is None else noise
        return reparameterize(mean, log_variance, noise)

    @torch.no_grad()
    def reconstruct(self, pictures: Tensor) -> Tensor:
        """Pictures from the mean of q(z | x), in [-1, 1]."""
        mean, _ = self.encoder(self.decoder.observe(pictures, self.rng))
        return self.decoder.picture(mean, self.rng)

    @torch.no_grad()
    def sample(self, count: int, noise: Tensor | None = None) -> Tensor:
        """Pictures (count, *shape) in [-1, 1] of z ~ N(0, I)."""
        noise = self.noise(count, self.latent) if noise is None else noise
        return self.decoder.picture(noise, self.rng)


def _shipped(**settings) -> Network:
    """On digits, at the cpu preset but for these settings."""
    return Network(partial(Vae.from_preset, "cpu", **settings), "digits", "vae")


SYSTEMS = {
    "vae": SystemInfo(
        Vae,
        "03",
        "variational autoencoder: digits in black and white, or birds",
        {"digits": {}, "birds": BIRDS},
    )
}
SHIPPED = {
    "vae_digits": _shipped(**GREY["cpu"]),
    "vae_plane": _shipped(**GREY["cpu"] | {"latent": 2}),
    "vae_mlp": _shipped(**COLLAPSE["mlp"]),
    "vae_pixelcnn": _shipped(**COLLAPSE["pixelcnn"]),
    "vae_free_bits": _shipped(**COLLAPSE["free bits"]),
    "vae_birds_32": Network(
        partial(Vae.from_preset, "cpu", **BIRDS["cpu"]), "birds", "vae"
    ),
}
