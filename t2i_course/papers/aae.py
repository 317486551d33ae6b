"""A GAN in the space of codes: the adversarial autoencoder (lesson 03).

Makhzani, Shlens, Jaitly, Goodfellow, Frey: Adversarial Autoencoders, 2015; slide GM-27.
An autoencoder's codes lie where they like, so that nobody knows which codes to draw
pictures from. A VAE asks each picture's codes to be near the prior. Here a
discriminator sees codes of pictures beside draws of the prior, and the encoder learns
to hide among the latter: only all codes together (the aggregate posterior) must look
like the prior. No density of codes is written down, and log p(x) has no bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..declarations import Network, SystemInfo
from ..training import System
from .gan import discriminator_loss, nonsaturating_loss  # a GAN, but of codes

__all__ = ["PRESETS", "Aae", "mlp"]

# "paper": two hidden layers of 1000 in each network, 8 latent numbers, a prior of
# deviation 5 and batches of 100, as two reimplementations agree (one is
# github.com/conan7882/adversarial-autoencoders; the authors' code is not public). Ours
# are tanh at the picture, the steps, and Adam, at the rate of PyTorch-GAN, in place of
# plain gradient steps. The smaller presets have the VAE's prior, of deviation 1.
PRESETS = {
    "smoke": {"shape": (1, 8, 8), "hidden": 16, "latent": 2, "batch_size": 16,
              "steps": 4},
    "cpu": {"shape": (1, 8, 8), "hidden": 128, "latent": 2, "rates": (1e-3, 1e-3, 1e-3),
            "batch_size": 64, "steps": 3000},
    "gpu": {"shape": (1, 8, 8), "hidden": 256, "latent": 2, "rates": (5e-4, 5e-4, 5e-4),
            "batch_size": 64, "steps": 8000},
    "paper": {"shape": (1, 28, 28), "hidden": 1000, "latent": 8, "deviation": 5.0,
              "batch_size": 100, "steps": 100_000},
}  # fmt: skip


def mlp(inside: int, hidden: int, outside: int) -> nn.Sequential:
    """Two hidden layers with ReLU: (B, inside) to (B, outside)."""
    return nn.Sequential(
        nn.Linear(inside, hidden),
        nn.ReLU(),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Linear(hidden, outside),
    )


class Aae(System):
    """Three players: the autoencoder, the discriminator of codes, the encoder alone.

    The encoder learns twice a round: to be painted from, and, as the generator of a
    GAN, to give codes that look like draws of the prior.
    deviation: of a Gaussian prior. prior: None for that one, or a function that turns
    draws of N(0, I) (B, latent) into draws of any other prior: no density is needed.
    The encoder is deterministic, the first of the paper's three choices. rates: of the
    players, in their order. Slide GM-27.
    """

    players = ("autoencoder", "discriminator", "autoencoder.encoder")

    def __init__(self, shape=(1, 28, 28), hidden=1000, latent=8, deviation=1.0,
                 rates=(2e-4, 2e-4, 2e-4), prior: Callable | None = None,
                 discriminator_loss: Callable = discriminator_loss,
                 generator_loss: Callable = nonsaturating_loss):  # fmt: skip
        super().__init__()
        self.shape = self.reads = tuple(shape)
        self.latent, self.prior = latent, prior
        self.deviation = deviation
        self.rates = dict(zip(self.players, rates))
        self.losses = discriminator_loss, generator_loss
        size = math.prod(shape)
        encoder = nn.Sequential(nn.Flatten(), mlp(size, hidden, latent))
        decoder = nn.Sequential(
            mlp(latent, hidden, size), nn.Tanh(), nn.Unflatten(1, self.shape)
        )
        self.autoencoder = nn.ModuleDict({"encoder": encoder, "decoder": decoder})
        self.discriminator = mlp(latent, hidden, 1)

    def judge(self, codes: Tensor) -> Tensor:
        """Logits (B,) that codes (B, latent) were drawn from the prior."""
        return self.discriminator(codes).squeeze(1)

    def draw_codes(self, count: int) -> Tensor:
        """(count, latent) from the prior."""
        noise = self.noise(count, self.latent)
        return self.deviation * noise if self.prior is None else self.prior(noise)

    def round(self, batch) -> Iterator[tuple[str, Tensor]]:
        """The reconstruction phase, then the two turns of the regularization phase."""
        encoder, decoder = self.autoencoder["encoder"], self.autoencoder["decoder"]
        loss_d, loss_g = self.losses
        drawn = decoder(encoder(batch.image))
        yield "autoencoder", F.mse_loss(drawn, batch.image)
        codes = encoder(batch.image)  # by the encoder as it is now
        real = self.draw_codes(len(codes))
        yield "discriminator", loss_d(self.judge(real), self.judge(codes.detach()))
        yield "autoencoder.encoder", loss_g(self.judge(codes))

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Tensor:
        """Codes (B, latent); of many pictures they are the aggregate posterior."""
        return self.autoencoder["encoder"](pictures)

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """Pictures (B, *shape) in [-1, 1]."""
        return self.autoencoder["decoder"](codes)

    def reconstruct(self, pictures: Tensor) -> Tensor:
        """Pictures from their own codes."""
        return self.decode(self.encode(pictures))

    def sample(self, count: int, codes: Tensor | None = None) -> Tensor:
        """Pictures (count, *shape) of codes drawn from the prior."""
        return self.decode(self.draw_codes(count) if codes is None else codes)


SYSTEMS = {
    "aae": SystemInfo(
        Aae, "03", "adversarial autoencoder: a GAN of codes", {"digits": {}}
    )
}
SHIPPED = {"aae_digits": Network(partial(Aae.from_preset, "cpu"), "digits", "aae")}
