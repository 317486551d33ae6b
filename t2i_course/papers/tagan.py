"""TAGAN: a judge that asks a picture for each word by itself (lesson 15).

Nam, Kim, Kim: Text-Adaptive Generative Adversarial Networks: Manipulating Images with
Natural Language, NeurIPS 2018; slides TM-25 to TM-29. SISGAN's judge hears one vector
for the whole sentence. Here each word makes a small discriminator of its own, which
looks at the picture for one thing; their product judges, each with the weight that its
word has. And a picture that is told what it shows already must come back as it was.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..blocks import check_size, initialize
from ..data import Batch
from ..training import System
from .gan_cls import mismatched
from .sisgan import Augmentation as SisganAugmentation
from .sisgan import Generator as SisganGenerator  # TAGAN's editor extends SISGAN's
from .stackgan import kl_to_standard

__all__ = [
    "PRESETS", "Generator", "Tagan", "TextAdaptiveDiscriminator", "WordReader",
    "WordVectors", "discriminator_loss", "generator_loss", "local_logits",
    "log_product", "reconstruction", "word_attention",
]  # fmt: skip

# "paper": networks, rates, batch, schedule and weights of the authors' release
# (github.com/woozzu/tagan). What differs from it, at every preset:
# - eq. (6) sums the conditional terms, and so do we; the release means the two;
# - log D of eq. (5) is a sum of logarithms; the release multiplies, and adds 1e-7;
# - a wrong sentence is of another class; there it is the next of the batch;
# - padding is where word vectors are 0; there lengths say so, right by an accident of
#   its alphabet; the attention's softmax there doesn't subtract its largest score;
# - changed and kept pictures share a batch norm's batch; there each has its own;
# - one drawing serves judge and painter; there the painter draws again;
# - linear layers keep PyTorch's start; there weights are N(0, 0.02), biases 0;
# - word vectors come from `vse.py`; there they are fastText's;
# - averaged weights draw (`average_decay`).
PRESETS = {
    "smoke": {"size": 32, "base": 8, "depth": 8, "blocks": 1, "downs": 2, "hidden": 16,
              "condition": 8, "word": 64, "batch_size": 8, "steps": 4},
    "cpu": {"size": 32, "base": 32, "depth": 64, "blocks": 2, "downs": 2, "hidden": 128,
            "condition": 64, "word": 64, "rates": (5e-4, 2e-3), "batch_size": 32,
            "steps": 1200},
    "gpu": {"size": 64, "base": 64, "depth": 64, "blocks": 4, "downs": 2, "hidden": 256,
            "condition": 128, "word": 64, "batch_size": 64, "steps": 30_000},
    "paper": {"size": 128, "base": 64, "depth": 64, "blocks": 4, "downs": 3,
              "hidden": 512, "condition": 128, "word": 300, "batch_size": 64,
              "steps": 600 * 138},
}  # fmt: skip
LEVELS = 3  # of the judge's features: maps of 16, 8 and 4 places a side


# ------------------------------------------------------------------------------ reading


class WordVectors(nn.Module):
    """A sentence as the vectors of its words, resting: (B, T, word), 0 at padding.

    weight: (words, word), row 0 that of padding. `of(batch)` reads a batch's captions.
    """

    def __init__(self, words: int = 153, word: int = 300):
        super().__init__()
        self.embedding = word
        self.word_vectors = nn.Embedding(words, word, padding_idx=0)
        self.requires_grad_(False)

    def of(self, batch: Batch) -> Tensor:
        """Vectors (B, T, word) of a batch's captions, on the module's device."""
        return self.word_vectors(batch.tokens.to(self.word_vectors.weight.device))


def is_word(vectors: Tensor) -> Tensor:
    """(B, T) bool: where word vectors (B, T, word) are a word's, and not padding."""
    return (vectors != 0).any(2)


class WordReader(nn.Module):
    """A GRU each way over word vectors, from scratch: what each word is read as.

    (B, T, word) to (B, T, hidden), the mean of both directions, 0 at padding; and the
    mask (B, T). 2,500,608 weights at paper size. Slide TM-25.
    """

    def __init__(self, word: int = 300, hidden: int = 512):
        super().__init__()
        self.gru = nn.GRU(word, hidden, batch_first=True, bidirectional=True)

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """States and mask; a sentence ends at its own last word."""
        mask = is_word(vectors)
        packed = pack_padded_sequence(
            vectors, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False
        )
        read, _ = pad_packed_sequence(
            self.gru(packed)[0], batch_first=True, total_length=vectors.shape[1]
        )
        return (
            read[..., : read.shape[2] // 2] + read[..., read.shape[2] // 2 :]
        ) / 2, mask


def averaged(states: Tensor, mask: Tensor) -> Tensor:
    """The mean (B, H) of states (B, T, H) where the mask (B, T) is True."""
    kept = states * mask[..., None]
    return kept.sum(1) / mask.sum(1, keepdim=True)


# ------------------------------------------------------------------------ the generator


class Augmentation(SisganAugmentation):
    """Conditioning augmentation of the mean of what was read. Word vectors go in."""

    def __init__(self, word=300, hidden=512, condition=128):
        super().__init__(hidden, condition, bias=True)
        self.reader = WordReader(word, hidden)

    def spread(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """mu and log sigma (B, condition) of word vectors (B, T, word)."""
        return super().spread(averaged(*self.reader(text)))


class Generator(SisganGenerator):
    """SISGAN's editor with its own reader, and a way around the change.

    Pictures (B, 3, size, size) and word vectors (B, T, word) to pictures. What the
    encoder saw is added to what the residual blocks made of it. 28,771,651 weights at
    paper size. Slide TM-25.
    """

    skip, last, joined = True, False, True

    def __init__(self, size=128, base=64, blocks=4, word=300, hidden=512, condition=128,
                 downs=3):  # fmt: skip
        super().__init__(size, base, blocks, hidden, condition, downs)
        self.augmentation = Augmentation(word, hidden, condition)


# ------------------------------------------------------------- the discriminator's word


def local_logits(vectors: Tensor, filters: Tensor) -> Tensor:
    """Eq. (2) before its sigmoid: W(w_i) v + b(w_i), (B, T).

    vectors: v, a picture's numbers (B, C); filters: for each word W(w_i) and then
    b(w_i), (B, T, C + 1). Slide TM-26; lesson 15.
    """
    weight, bias = filters[..., :-1], filters[..., -1]
    return torch.einsum("btc,bc->bt", weight, vectors) + bias


def word_attention(states: Tensor, mask: Tensor) -> Tensor:
    """Eq. (3): alpha (B, T), the softmax over a caption's words of u^T w_i.

    states: w, (B, T, H); mask: (B, T), True at words; u: the mean of a caption's w.
    Exactly 0 at padding. Slide TM-26; lesson 15.
    """
    u = averaged(states, mask)
    scores = torch.einsum("bth,bh->bt", states, u)
    return scores.masked_fill(~mask, -torch.inf).softmax(1)


def log_product(logits: Tensor, beta: Tensor, alpha: Tensor) -> Tensor:
    """Eqs. (4) and (5): log D(x, t) = sum_i alpha_i log sum_j beta_ij f_ij, (B,).

    logits: of the local discriminators f_ij, (B, T, J), J levels; beta: (B, T, J), sums
    to 1 over levels; alpha: (B, T), sums to 1 over words. A product of many small
    numbers is 0 to a computer; its logarithm is a sum. The slide's (5) raises f_ij to
    alpha_i before the levels are summed; released, and here, the sum is raised, which
    is (4) for one level as well. Slide TM-26; lesson 15.
    """
    return (alpha * (beta.log() + F.logsigmoid(logits)).logsumexp(2)).sum(1)


class TextAdaptiveDiscriminator(nn.Module):
    """Is a picture real (B,), and does it show what each word says (B,)?

    depth: channels of the first layer; maps of 16, 8 and 4 places a side are looked at.
    15,432,263 weights at paper size. Figure 2 (b) of the paper; slide TM-26.
    """

    local = staticmethod(local_logits)
    attention = staticmethod(word_attention)
    product = staticmethod(log_product)

    def __init__(self, size=128, depth=64, word=300, hidden=512):
        super().__init__()
        check_size(size, least=32)
        leaky = nn.LeakyReLU(0.2)
        layers: list[nn.Module] = [nn.Conv2d(3, depth, 4, 2, 1), leaky]
        channels, side = depth, size // 2
        while side > 16:
            layers += self.down(channels, 2 * channels)
            channels, side = 2 * channels, side // 2
        wide = (channels, 2 * channels, 2 * channels)
        self.levels = nn.ModuleList([
            nn.Sequential(*layers),
            nn.Sequential(*self.down(wide[0], wide[1])),
            nn.Sequential(*self.down(wide[1], wide[2])),
        ])  # fmt: skip
        self.to_vectors = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(c, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c), leaky
            )
            for c in wide
        )
        self.real = nn.Conv2d(wide[2], 1, 4)
        self.reader = WordReader(word, hidden)
        self.filters = nn.ModuleList(nn.Linear(hidden, c + 1) for c in wide)
        self.weights = nn.Linear(hidden, LEVELS)

    @staticmethod
    def down(inside: int, outside: int) -> list[nn.Module]:
        """A convolution that halves the side, batch norm, LeakyReLU."""
        return [
            nn.Conv2d(inside, outside, 4, 2, 1, bias=False),
            nn.BatchNorm2d(outside),
            nn.LeakyReLU(0.2),
        ]

    def features(self, pictures: Tensor) -> list[Tensor]:
        """Maps of the three levels: (B, C, 16, 16), (B, 2C, 8, 8), (B, 2C, 4, 4)."""
        maps = []
        for level in self.levels:
            pictures = level(pictures)
            maps.append(pictures)
        return maps

    def alone(self, maps: list[Tensor]) -> Tensor:
        """Logits (B,) that the picture is real."""
        return self.real(maps[-1]).flatten()

    def vectors(self, maps: list[Tensor]) -> list[Tensor]:
        """v_j (B, C_j): each level's mean over places, after a convolution."""
        return [look(m).mean((2, 3)) for look, m in zip(self.to_vectors, maps)]

    def read(self, text: Tensor):
        """Of word vectors (B, T, word): states, mask, alpha (B, T), beta (B, T, J)."""
        states, mask = self.reader(text)
        beta = self.weights(states).softmax(2)
        return states, mask, self.attention(states, mask), beta

    def words(self, vectors: list[Tensor], states: Tensor) -> Tensor:
        """The local discriminators' logits (B, T, J); a word's f is their sigmoid."""
        found = [self.local(v, make(states)) for v, make in zip(vectors, self.filters)]
        return torch.stack(found, 2)

    def fits(self, vectors: list[Tensor], text: Tensor) -> Tensor:
        """log D(x, t) (B,) of pictures' vectors and word vectors (B, T, word)."""
        states, _, alpha, beta = self.read(text)
        return self.product(self.words(vectors, states), beta, alpha)

    def forward(self, pictures: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """Logits that the pictures are real, and log D(x, t); (B,) each."""
        maps = self.features(pictures)
        return self.alone(maps), self.fits(self.vectors(maps), text)


# --------------------------------------------------------------------------- the losses


def log_not(log_score: Tensor) -> Tensor:
    """log(1 - D) of log D (B,) below 0, exact where D is near 0 or 1.

    At 1 itself its slope has no end: D counts as 1e-6 less.
    """
    return torch.log(-torch.expm1(log_score.clamp(max=-1e-6)))


def reconstruction(pictures: Tensor, again: Tensor) -> Tensor:
    """Eq. (1): the mean distance of pictures from themselves, after a true sentence."""
    return F.l1_loss(again, pictures)


def discriminator_loss(
    real: Tensor, made: Tensor, right: Tensor, wrong: Tensor, lambda1: float = 10.0
) -> Tensor:
    """Eq. (6) as a loss to go down; a scalar.

    real, made: logits (B,) that real and changed pictures are real; right, wrong:
    log D(x, t) and log D(x, t^) (B,) of real pictures. A changed picture is not
    shown with its sentence. Slide TM-27; lesson 15.
    """
    alone = F.softplus(-real).mean() + F.softplus(made).mean()
    return alone - lambda1 * (right.mean() + log_not(wrong).mean())


def generator_loss(
    made: Tensor, fits: Tensor, kept: Tensor, lambda1: float = 10.0, lambda2=0.2
) -> Tensor:
    """Eq. (7) as a loss to go down; a scalar.

    made: logits (B,) that changed pictures are real; fits: log D(G(x, t^), t^) (B,);
    kept: L_rec of eq. (1). Slide TM-27; lesson 15.
    """
    return F.softplus(-made).mean() - lambda1 * fits.mean() + lambda2 * kept


# --------------------------------------------------------------------------- the system


class Tagan(System):
    """The game of eqs. (6) and (7).

    lambda1: the weight of words; lambda2: of reconstruction; kl: of conditioning
    augmentation's KL, which the paper's equations leave out. words: size of the
    vocabulary. kept, losses: the functions above, which may be replaced by one's own;
    others as the networks'.
    """

    players = ("discriminator", "generator")
    averaged = ("generator",)  # ours: the release draws with the last weights
    average_decay = 0.998
    Judge = TextAdaptiveDiscriminator
    kept: Callable = staticmethod(reconstruction)
    judged: Callable = staticmethod(discriminator_loss)
    changed: Callable = staticmethod(generator_loss)

    def __init__(self, text_encoder: nn.Module | None = None, size=128, base=64,
                 depth=64, blocks=4, word=300, hidden=512, condition=128, downs=3,
                 lambda1=10.0, lambda2=0.2, kl=0.5, rates=(2e-4, 2e-4)):  # fmt: skip
        super().__init__()
        self.lambda1, self.lambda2, self.kl = lambda1, lambda2, kl
        self.reads, self.rates = (3, size, size), dict(zip(self.players, rates))
        self.text_encoder = text_encoder  # word vectors, which rest
        self.generator = Generator(size, base, blocks, word, hidden, condition, downs)
        self.discriminator = self.Judge(size, depth, word, hidden)
        for network in (self.generator, self.discriminator):
            initialize(network).to(memory_format=torch.channels_last)

    def learning_rate_factor(self, step: int) -> float:
        """Halved every 100 epochs of CUB's 138 steps, as released."""
        return 0.5 ** (step // 13_800)

    def embed(self, batch: Batch) -> Tensor:
        """Word vectors (B, T, word) of the batch's captions."""
        return self.text_encoder.of(batch)

    def round(self, batch: Batch):
        """The judge's turn, then the painter's; one drawing serves both."""
        text, g, d = self.embed(batch), self.generator, self.discriminator
        wrong = text[mismatched(batch.class_id, self.rng)]
        # Changed by another's sentence, then told its own: the encoder looks once.
        noise = self.noise(2 * len(text), g.noise_size)
        c, mean, log_sigma = g.augmentation(torch.cat([wrong, text]), noise)
        drawn = g.decode(g.encoder(batch.image).repeat(2, 1, 1, 1), c)
        made, again = drawn.chunk(2)

        seen = d.features(batch.image)
        vectors = d.vectors(seen)
        yield (
            "discriminator",
            self.judged(
                d.alone(seen),
                d.alone(d.features(made.detach())),
                d.fits(vectors, text),
                d.fits(vectors, wrong),
                self.lambda1,
            ),
        )
        seen = d.features(made)
        loss = self.changed(
            d.alone(seen),
            d.fits(d.vectors(seen), wrong),
            self.kept(batch.image, again),
            self.lambda1,
            self.lambda2,
        )
        cloud = 2 * kl_to_standard(mean, log_sigma)  # of both sentences
        yield "generator", loss + self.kl * cloud

    @torch.no_grad()
    def sample(self, pictures: Tensor, text: Tensor, noise=None) -> Tensor:
        """Pictures (B, 3, size, size), changed by word vectors (B, T, word).

        noise: (B, noise_size), that of conditioning augmentation; None draws it.
        """
        if noise is None:
            noise = self.noise(len(text), self.generator.noise_size)
        return self.network("generator").eval()(pictures, text, noise)
