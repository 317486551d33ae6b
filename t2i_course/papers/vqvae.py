"""A dictionary in the middle: VQ-VAE (lesson 04).

van den Oord, Vinyals, Kavukcuoglu: Neural Discrete Representation Learning, NIPS 2017;
slides GM-6 to GM-9. An encoder turns a picture into a small map of vectors, each vector
gives way to the nearest entry of a learned codebook, and a decoder paints the picture
from the entries. What is left of the picture is a map of entry numbers; a PixelCNN
(`papers.pixelcnn`) learns which maps there are, so that new ones can be drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import bits_per_dimension, check_multiple
from ..declarations import Network, SystemInfo
from ..likelihoods import (
    dequantize,
    gaussian_log_likelihood,
    rounded_log_likelihood,
)
from ..training import System, checkpoint

__all__ = [
    "DIGITS", "PRESETS", "Decoder", "Encoder", "Quantized", "ResidualBlock",
    "VectorQuantizer", "VqVae", "codebook_loss", "commitment_loss", "decayed",
    "from_checkpoint", "nearest", "perplexity", "straight_through", "three_term_loss",
]  # fmt: skip

# Birds. "paper": the networks, optimizer, batch and steps of the paper's section 4.1,
# for the pictures of 128 x 128 of its section 4.2 (in place of ImageNet's). Squares are
# averaged, not summed: see `three_term_loss`.
PRESETS = {
    "smoke": {"size": 32, "hidden": 8, "entries": 32, "code_size": 4, "decay": 0.9,
              "batch_size": 8, "steps": 4},
    "cpu": {"size": 32, "hidden": 48, "entries": 128, "code_size": 16, "decay": 0.95,
            "revive": 0.5, "rate": 2e-3, "batch_size": 32, "steps": 1500},
    "gpu": {"size": 64, "hidden": 128, "entries": 256, "code_size": 32, "decay": 0.99,
            "revive": 0.5, "rate": 1e-3, "batch_size": 64, "steps": 20000},
    "paper": {"size": 128, "hidden": 256, "entries": 512, "code_size": 256,
              "rate": 2e-4, "batch_size": 128, "steps": 250_000},
}  # fmt: skip
DIGITS = {
    "smoke": {"size": 8, "channels": 1},
    "cpu": {"size": 16, "channels": 1, "hidden": 32, "entries": 64, "steps": 1000},
    "gpu": {"size": 28, "channels": 1, "hidden": 64, "entries": 128, "steps": 5000},
    "paper": {"size": 28, "channels": 1},
}


# ----------------------------------------------------------------- looking up, eq. (1)


def nearest(vectors: Tensor, codebook: Tensor) -> Tensor:
    """Which entry is nearest to each vector, k = argmin_j |z_e - e_j|; eq. (1).

    vectors: (N, D); codebook: (K, D). Returns (N,) int64. Slide GM-6; lesson 04.
    """
    # |z - e|^2 = |z|^2 - 2 z.e + |e|^2, and |z|^2 is the same for every entry.
    return (codebook.square().sum(1) - 2 * vectors @ codebook.T).argmin(1)


def straight_through(encoded: Tensor, entries: Tensor) -> Tensor:
    """The entries' values with a gradient that goes to the encoder as it is.

    encoded: z_e; entries: the nearest entries, of the same shape. Looking up has no
    gradient: the one that arrives at the entry is copied to z_e, and the entry itself
    gets none. Slide GM-7; section 3.2.
    """
    return encoded + (entries - encoded).detach()


def codebook_loss(encoded: Tensor, entries: Tensor) -> Tensor:
    """|sg[z_e] - e|^2, a scalar: moves entries to the vectors that chose them."""
    return (encoded.detach() - entries).square().mean()


def commitment_loss(encoded: Tensor, entries: Tensor) -> Tensor:
    """|z_e - sg[e]|^2, a scalar: keeps the encoder near the entries it chooses."""
    return (encoded - entries.detach()).square().mean()


def three_term_loss(
    reconstruction: Tensor, encoded: Tensor, entries: Tensor, beta: float = 0.25
) -> Tensor:
    """Eq. (3): reconstruction + |sg[z_e] - e|^2 + beta |z_e - sg[e]|^2, a scalar.

    reconstruction: -log p(x | z_q) up to scale, a scalar: the squared error. The slide
    writes log p without the minus. Every term is a mean over its numbers, as in the
    authors' later code; in the paper the squares are summed. Slide GM-7; lesson 04.
    """
    # With moving averages for a codebook, the middle term has no gradient and is noise.
    middle = codebook_loss(encoded, entries) if entries.requires_grad else 0.0
    return reconstruction + middle + beta * commitment_loss(encoded, entries)


def perplexity(codes: Tensor, entries: int) -> Tensor:
    """How many entries are in use, as if all those were used alike: exp(entropy).

    codes: int64 of any shape. A scalar between 1 (one entry does it all) and K.
    """
    share = counted(codes.flatten(), entries) / codes.numel()
    return torch.special.entr(share).sum().exp()


def rows(encoded: Tensor) -> Tensor:
    """Vectors (B, D, ...) one after the other: (N, D)."""
    return encoded.movedim(1, -1).flatten(0, -2)


def counted(codes: Tensor, entries: int) -> Tensor:
    """How often each entry was chosen: (N,) int64 to (K,) float."""
    ones = torch.ones(codes.shape, device=codes.device)
    return torch.zeros(entries, device=codes.device).index_add_(0, codes, ones)


def decayed(average: Tensor, new: Tensor, decay: float) -> Tensor:
    """Moves an exponential average in place: a <- decay a + (1 - decay) new."""
    return average.mul_(decay).add_(new, alpha=1 - decay)


def everywhere(tensor: Tensor) -> Tensor:
    """The sum over all training processes; the tensor itself where there is one."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(tensor)
    return tensor


def of_the_first(tensor: Tensor) -> Tensor:
    """The tensor that the first training process has, in every process."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.broadcast(tensor, 0)
    return tensor


# ------------------------------------------------------------------------- the layer


class Quantized(NamedTuple):
    """What a quantizer gives: `vectors` for the decoder, `codes`, the `entries`.

    vectors: (B, D, ...) with the straight-through gradient; entries: the same values,
    with a gradient to the codebook where it has one; codes: (B, ...) int64.
    """

    vectors: Tensor
    codes: Tensor
    entries: Tensor


class VectorQuantizer(nn.Module):
    """Vectors (B, D, ...) to the nearest of K entries of a codebook (K, D).

    decay: None for a codebook that learns by its loss; a number for one that follows
        moving averages of the vectors that chose each entry (the paper's appendix)
    revive: an entry that is chosen less often than this many times a batch (a moving
        average) is dead, and is put where some vector of the batch is; 0 for never
    spread: entries begin uniform in [-spread, spread]; None for 1 / K
    nearest, straight_through: may be a learner's own. Slides GM-6, GM-7; lesson 04.
    """

    def __init__(self, entries: int, size: int, decay: float | None = None,
                 revive: float = 0.0, spread: float | None = None,
                 nearest: Callable = nearest,
                 straight_through: Callable = straight_through):  # fmt: skip
        super().__init__()
        self.decay, self.revive, self.averaged = decay or 0.99, revive, bool(decay)
        self.nearest, self.straight_through = nearest, straight_through
        spread = 1 / entries if spread is None else spread
        codebook = torch.empty(entries, size).uniform_(-spread, spread)
        if self.averaged:
            self.register_buffer("codebook", codebook)
            self.register_buffer("sums", codebook.clone())
        else:
            self.codebook = nn.Parameter(codebook)
        self.register_buffer("use", torch.ones(entries))
        self.register_buffer("revived", torch.zeros(()))

    def forward(self, encoded: Tensor, rng: torch.Generator | None = None) -> Quantized:
        """Look up; in training mode, learn from the vectors that were looked up.

        rng: draws the vectors that dead entries are put to.
        """
        codes = self.codes(encoded)
        entries = self.lookup(codes)
        vectors = self.straight_through(encoded, entries)
        if self.training:
            looked_up = rows(encoded.detach()).to(self.codebook.dtype)
            self.learn(looked_up, codes.flatten(), rng)
        return Quantized(vectors, codes, entries)

    def codes(self, encoded: Tensor) -> Tensor:
        """Numbers (B, ...) of the nearest entries; nothing is learned.

        In the codebook's own precision, under autocast too: rounded to bfloat16, many
        distances are alike, and others in the wrong order.
        """
        vectors = rows(encoded).to(self.codebook.dtype)
        with torch.autocast(encoded.device.type, enabled=False):
            found = self.nearest(vectors, self.codebook)
        return found.view(encoded[:, 0].shape)

    def lookup(self, codes: Tensor) -> Tensor:
        """Entries (B, D, ...) of codes (B, ...)."""
        return F.embedding(codes, self.codebook).movedim(-1, 1)

    @torch.no_grad()
    def learn(self, vectors: Tensor, codes: Tensor, rng=None) -> None:
        """What needs no gradient: use, moving averages, the revival of dead entries.

        vectors: (N, D); codes: (N,). With N_k the average count of entry k and m_k the
        average sum of its vectors, e_k = m_k / N_k.
        """
        decayed(self.use, everywhere(counted(codes, len(self.use))), self.decay)
        if self.averaged:
            sums = torch.zeros_like(self.sums).index_add_(0, codes, vectors)
            decayed(self.sums, everywhere(sums), self.decay)
            use = self.use[:, None]  # an entry that nobody chose for long stays
            self.codebook.copy_(torch.where(use > 1e-6, self.sums / use, self.codebook))
        if self.revive:
            self.revive_dead(vectors, rng)

    @torch.no_grad()
    def revive_dead(self, vectors: Tensor, rng: torch.Generator | None = None) -> None:
        """Put every dead entry where a random vector of the batch is.

        It begins with an equal share of use, so that it has time to be found. `revived`
        counts how many there were. Dhariwal et al. 2020 do so for music.
        """
        dead, device = self.use < self.revive, vectors.device
        pick = torch.randint(len(vectors), dead.shape, device=device, generator=rng)
        candidates = of_the_first(vectors[pick])
        share = self.use.mean().clamp_min(self.revive)
        self.use.copy_(torch.where(dead, share, self.use))
        self.codebook.copy_(torch.where(dead[:, None], candidates, self.codebook))
        if self.averaged:
            revived = self.codebook * self.use[:, None]
            self.sums.copy_(torch.where(dead[:, None], revived, self.sums))
        self.revived += dead.sum()


# ---------------------------------------------------------------------- the networks


class ResidualBlock(nn.Module):
    """x + (ReLU, 3x3 convolution, ReLU, 1x1 convolution)(x).

    The first ReLU makes a copy: done in place it would change the x that is added,
    which a well-known release does.
    """

    def __init__(self, channels: int, inner: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(channels, inner, 3, 1, 1),
            nn.ReLU(),
            nn.Conv2d(inner, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) to the same shape."""
        return x + self.body(x)


class Encoder(nn.Module):
    """Pictures (B, channels, S, S) to vectors z_e (B, size, S / 4, S / 4).

    Two strided convolutions and two residual blocks; a 1x1 convolution only where the
    vectors are not as wide as the network. Section 4.1.
    """

    def __init__(self, channels=3, hidden=256, size=256):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(channels, hidden, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(hidden, hidden, 4, 2, 1),
            ResidualBlock(hidden, hidden),
            ResidualBlock(hidden, hidden),
            nn.Conv2d(hidden, size, 1) if size != hidden else nn.Identity(),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """z_e(x)."""
        return self.net(pictures)


class Decoder(nn.Module):
    """Vectors (B, size, h, w) to pictures (B, channels, 4h, 4w); the encoder's mirror.

    The output is free: the mean of p(x | z_q).
    """

    def __init__(self, channels=3, hidden=256, size=256):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(size, hidden, 1) if size != hidden else nn.Identity(),
            ResidualBlock(hidden, hidden),
            ResidualBlock(hidden, hidden),
            nn.ReLU(),
            nn.ConvTranspose2d(hidden, hidden, 4, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(hidden, channels, 4, 2, 1),
        )

    def forward(self, vectors: Tensor) -> Tensor:
        """The picture, about in [-1, 1]."""
        return self.net(vectors)


# ------------------------------------------------------------------------ the system


class VqVae(System):
    """Encoder, quantizer and decoder, one player going down the three-term loss.

    At the paper's size 4,877,059 weights for three channels: the release by
    ritheshkumar95, with 4,882,179, adds batch norm (5,120 weights) and a tanh that the
    paper doesn't mention, and commits with beta = 1; 0.25 is that of the authors' code.
    size: of the pictures, a multiple of 4, else ValueError
    quantizer: one of one's own (like `VectorQuantizer`), in place of the described one
    loss, nearest, straight_through: may be a learner's own.
    """

    players = ("autoencoder",)
    betas = (0.9, 0.999)

    def __init__(self, size=128, channels=3, hidden=256, entries=512, code_size=256,
                 beta=0.25, decay: float | None = None, revive=0.0, rate=2e-4,
                 quantizer: nn.Module | None = None, loss=three_term_loss,
                 nearest=nearest, straight_through=straight_through):  # fmt: skip
        super().__init__()
        check_multiple(size, of=4, least=4)
        self.size, self.channels, self.values = size, channels, entries
        self.reads = (channels, size, size)
        self.grid, self.beta = (size // 4, size // 4), beta
        self.learning_rate, self.loss = rate, loss
        if quantizer is None:
            quantizer = VectorQuantizer(
                entries, code_size, decay, revive, None, nearest, straight_through
            )
        self.autoencoder = nn.ModuleDict(
            {
                "encoder": Encoder(channels, hidden, code_size),
                "quantizer": quantizer,
                "decoder": Decoder(channels, hidden, code_size),
            }
        )

    def round(self, batch):
        """The autoencoder goes down the three-term loss."""
        parts = self.autoencoder
        encoded = parts["encoder"](batch.image)
        found = parts["quantizer"](encoded, self.rng)
        drawn = parts["decoder"](found.vectors)
        error = F.mse_loss(drawn, batch.image)
        yield "autoencoder", self.loss(error, encoded, found.entries, self.beta)

    @torch.no_grad()
    def codes(self, pictures: Tensor) -> Tensor:
        """Entry numbers (B, S / 4, S / 4) int64 of pictures (B, channels, S, S)."""
        encoded = self.autoencoder["encoder"](pictures)
        return self.autoencoder["quantizer"].codes(encoded)

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """Pictures in [-1, 1] of codes (B, h, w); h and w need not be the grid's."""
        vectors = self.autoencoder["quantizer"].lookup(codes)
        return self.autoencoder["decoder"](vectors).clamp(-1, 1)

    def reconstruct(self, pictures: Tensor) -> Tensor:
        """What is left of pictures when only their codes are kept."""
        return self.decode(self.codes(pictures))

    @torch.no_grad()
    def bits_per_dimension(
        self,
        pictures: Tensor,
        deviation: float,
        log_prior: Tensor | None = None,
        levels: int = 256,
        rounded: bool = False,
    ) -> Tensor:
        """At most so many bits a number of the picture, (B,): slide GM-9.

        -log p(x | z_q) - log p(codes). The codes are certain given x, so that the bound
        of the VAE has no third term. deviation: sigma of p(x | z_q), the root of the
        training pictures' mean squared error. log_prior: log p(codes), (B,) nats, from
        a trained prior; None is the uniform one, -log K a place. levels: of a pixel.
        rounded: a probability of each level (see `rounded_log_likelihood`) in place of
        a density, for few levels; pictures are taken at the nearest one.
        """
        codes, spacing = self.codes(pictures), 2 / (levels - 1)
        drawn = self.decode(codes)
        log_deviation = torch.tensor(deviation, device=drawn.device).log()
        if rounded:
            x = ((pictures + 1) / spacing).round() * spacing - 1
            total = rounded_log_likelihood(drawn, log_deviation, x, spacing)
            spacing = 1.0
        else:
            x = dequantize(pictures, spacing, self.rng)
            total = gaussian_log_likelihood(drawn, log_deviation, x)
        uniform = -codes[0].numel() * math.log(self.values)
        total = total + (uniform if log_prior is None else log_prior)
        return bits_per_dimension(total, pictures[0].numel(), spacing)

    @torch.no_grad()
    def exact_log_likelihood(
        self, pictures: Tensor, deviation: float, log_prior: Tensor, every: Tensor,
        levels: int = 17,
    ) -> Tensor:  # fmt: skip
        """log p(x), (B,) nats: the sum over all maps of codes, where they are few.

        pictures: (B, 1, S, S) at their grey levels; every: (M, h, w), all maps of codes
        that there are; log_prior: (M,) their log p; deviation, levels: as above, with a
        probability of each level. No bound: what the bound leaves out are the maps that
        the encoder didn't choose. Lesson 04.
        """
        grey = torch.linspace(-1, 1, levels, device=pictures.device)
        number = ((pictures + 1) * ((levels - 1) / 2)).round().long().flatten(1)
        chosen = F.one_hot(number, levels).float().flatten(1)  # (B, pixels * levels)
        log_deviation = torch.tensor(deviation, device=pictures.device).log()
        total = torch.full((len(pictures),), -math.inf, device=pictures.device)
        for maps, prior in zip(every.split(2048), log_prior.split(2048)):
            mean = self.decode(maps).flatten(1)[..., None].expand(-1, -1, levels)
            x = grey.expand_as(mean)
            table = rounded_log_likelihood(  # of each map, pixel and level
                mean.reshape(-1, 1), log_deviation, x.reshape(-1, 1), 2 / (levels - 1)
            ).clamp_min(-1e4)
            given = chosen @ table.view(len(maps), -1).T
            total = torch.logaddexp(total, (given + prior).logsumexp(1))
        return total

    @torch.no_grad()
    def sample(self, count: int) -> Tensor:
        """Pictures of codes drawn alike and alone: what the uniform prior gives.

        Slide GM-9. For a learned prior see `papers.pixelcnn.PixelCnn`.
        """
        shape = (count, *self.grid)
        codes = torch.randint(
            self.values, shape, device=self.device, generator=self.rng
        )
        return self.decode(codes)


def from_checkpoint(path: str | Path) -> VqVae:
    """The VQ-VAE of a training of one's own, frozen: the coder for a prior.

    path: a checkpoint of `t2i train vqvae`. CheckpointError if it is none.
    """
    system = checkpoint.rebuild(path, VqVae, "t2i train vqvae")
    return system.eval().requires_grad_(False)


SYSTEMS = {
    "vqvae": SystemInfo(
        VqVae,
        "04",
        "VQ-VAE: pictures as maps of codebook entries",
        {"birds": {}, "digits": DIGITS},
        draws="",
        measures={"birds": "t2i_course.measure.judges:birds_rebuilt"},
    )
}
SHIPPED = {"vqvae_birds": Network(partial(VqVae.from_preset, "cpu"), "birds", "vqvae")}
