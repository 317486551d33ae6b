"""AttnGAN: each place of a picture looks at the words that it needs (lesson 11b).

Xu, Zhang, Huang, Zhang, Gan, Huang, He: AttnGAN: Fine-Grained Text to Image Generation
with Attentional Generative Adversarial Networks, CVPR 2018, section 3.1; slides AT-2,
AT-3, TM-23, TM-24. StackGAN++'s tree, in which later branches aren't told the sentence
again: each place of the features before asks the words, and gets a mixture of them. The
similarity model of `damsm.py` says how well the largest pictures fit their captions.
"""

from __future__ import annotations

from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import check_size
from ..data import Batch
from ..declarations import Network, Part, SystemInfo
from ..text.vocabulary import MAX_WORDS
from ..training import System
from .damsm import Encoders, WordEncoder  # the paper's other half
from .stackgan_v2 import (  # AttnGAN is built on its authors' tree, judges and losses
    First,
    GatedAugmentation,
    Residual,
    StackGanTree,
    doubled,
)

__all__ = [
    "DAMSM", "MASKS", "PRESETS", "WORDS", "AttentionalTree", "AttnGan", "Rows",
    "WordAttention", "attend_words", "packed", "padding_share", "released_mask",
    "unpacked", "with_fit", "words_mask",
]  # fmt: skip

# "paper": the networks, batch, rates and weights of the authors' release for birds
# (github.com/taoxugit/AttnGAN). All that `stackgan_v2.py` names differs from it here,
# too; and
# - eqs. (4) and (5) halve each of a scale's losses; here, as in the release's tree,
#   they are summed. Steps of Adam are the same whatever the factor, but lambda and the
#   KL's weight weigh half as much: a lambda of 5 here is one of 2.5 in the equations.
#   DAMSM's four terms are means over a batch, as released; eqs. (11) to (13) sum them.
#   The release means a judge's real pairs by halves and the others by thirds;
# - at padding there is no attention (`mask`).
# "cpu" multiplies the words of damsm_64 by 13: the deviation of their numbers over
# training captions is 0.076. In 200 steps, one seed, stage 2 then has 7.8 % of a colour
# word's attention on its part, and 4.2 % as it is (by chance 3.8 %). With sentences
# multiplied, too, 9.0 %, but birds of a caption are alike (diversity 0.17, not 0.39).
PRESETS = {
    "smoke": {"size": 64, "stages": 2, "base": 4, "depth": 4, "blocks": 1,
              "condition": 8, "z_size": 16, "embedding": 128, "lambda_": 1.0, "kl": 0.1,
              "batch_size": 8, "steps": 4},
    "cpu": {"size": 64, "stages": 2, "base": 16, "depth": 16, "judge": 256, "blocks": 1,
            "condition": 64, "z_size": 100, "embedding": 128, "lambda_": 1.0, "kl": 0.1,
            "loud": 13.0, "rates": (5e-4, 2e-3), "batch_size": 32, "steps": 750},
    "gpu": {"size": 128, "stages": 2, "base": 32, "depth": 48, "blocks": 2,
            "condition": 100, "z_size": 100, "embedding": 256, "lambda_": 5.0,
            "kl": 0.1, "batch_size": 32, "steps": 20_000},
    "paper": {"size": 256, "stages": 2, "base": 32, "depth": 64, "blocks": 2,
              "condition": 100, "z_size": 100, "embedding": 256, "lambda_": 5.0,
              "kl": 1.0, "batch_size": 20, "steps": 600 * 442},
}  # fmt: skip
WORDS = MAX_WORDS  # that a place may look at: all of a caption
MASKS = ("words", "released")


# --------------------------------------------------------------- what was read, in rows


def packed(sentences: Tensor, words: Tensor) -> Tensor:
    """Sentences (B, D) and words (B, D, T) in one row each: (B, (1 + WORDS) D).

    All drawing and measuring hands a generator noise and one tensor of text, and splits
    it, rolls it, repeats and expands its rows. So a row holds first the sentence, then
    WORDS words; 0 stands where there is none, and words beyond are left out.
    """
    rows = F.pad(words, (0, WORDS - words.shape[2])).mT
    return torch.cat([sentences, rows.flatten(1)], 1)


def unpacked(text: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Sentences (B, D), words (B, D, WORDS), mask (B, WORDS) of `packed`; size: D.

    A word is what isn't 0: an LSTM's numbers never all are.
    """
    sentences, *_ = rows = text.unflatten(1, (-1, size)).unbind(1)
    words = torch.stack(rows[1:], 2)
    return sentences, words, (words != 0).any(1)


class Rows(nn.Module):
    """A word encoder, for a generator: `of(batch)` gives rows of `packed`.

    loud: what the words' numbers are multiplied by; the sentences' stay.
    """

    def __init__(self, encoder: WordEncoder, loud: float = 1.0):
        super().__init__()
        self.encoder, self.embedding = encoder, encoder.embedding
        self.loud = loud

    def of(self, batch: Batch) -> Tensor:
        """What was read of a batch's captions, (B, (1 + WORDS) D)."""
        words, _, sentences = self.encoder.read(batch)
        return packed(sentences, self.loud * words)


# ------------------------------------------------------------------------- the networks


def words_mask(mask: Tensor, places: int) -> Tensor:
    """(B, places, T): the mask (B, T) of each caption, for all of its places. AT-2."""
    return mask[:, None].expand(-1, places, -1)


def released_mask(mask: Tensor, places: int) -> Tensor:
    """(B, places, T): the mask (B, T) as the release lays it over its scores.

    The masks follow one another, over and over, where each should stand for all places
    of its own caption: a place gets that of another caption, which may be longer.
    """
    return mask.repeat(places, 1).view(len(mask), places, -1)


def attend_words(h: Tensor, told: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Each place's mixture of words: contexts (B, C, H, W), attention (B, T, H, W).

    h: features (B, C, H, W); told: words (B, C, T), projected to as many numbers; mask:
    (B, T), or (B, H W, T) with one of its own for each place, True at words. Scores are
    dot products; the softmax over words gives those that aren't True exactly 0. Section
    3.1 of the paper; slides AT-2, TM-23; lesson 11b.
    """
    places, size = h.flatten(2).mT, h.shape[2:]  # (B, H W, C)
    heard = mask if mask.ndim == 3 else words_mask(mask, places.shape[1])
    attention = (places @ told).masked_fill(~heard, -torch.inf).softmax(2)
    context = attention @ told.mT  # (B, H W, C): numbers in the convolutions' order
    return context.mT.unflatten(2, size), attention.mT.unflatten(2, size)


class WordAttention(nn.Module):
    """F_i^attn: for each place a mixture of words, by how well they fit there.

    channels: of the features, to which the words (B, embedding, T) are projected; mask:
    "words", no place looks at padding; "released", some do (`released_mask`). look: the
    function `attend_words`, which may be replaced by one's own. Section 3.1 of the
    paper; slides AT-2, TM-23; lesson 11b.
    """

    look = staticmethod(attend_words)

    def __init__(self, channels: int, embedding: int = 256, mask: str = "words"):
        super().__init__()
        if mask not in MASKS:
            raise ValueError(f"mask is one of {', '.join(MASKS)}, not {mask!r}.")
        self.mask = mask
        self.project = nn.Conv1d(embedding, channels, 1, bias=False)

    def forward(self, h: Tensor, words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, C, H, W) to contexts, the same, and attention (B, T, H, W).

        mask: (B, T), True at words. Of each place the attention sums to 1 over words.
        """
        if self.mask == "released":
            mask = released_mask(mask, h.shape[2] * h.shape[3])
        return self.look(h, self.project(words), mask)


def padding_share(attention: Tensor, mask: Tensor) -> Tensor:
    """The share (B,) of each caption's attention (B, T, H, W) that padding gets."""
    share = attention.mean((2, 3))
    return (share * ~mask).sum(1) / share.sum(1)


class SentenceAugmentation(GatedAugmentation):
    """Conditioning augmentation of the sentences in rows of `packed`."""

    def __init__(self, embedding=256, condition=100):
        super().__init__(embedding, condition)
        self.embedding = embedding

    def spread(self, text: Tensor) -> tuple[Tensor, Tensor | None]:
        """mu and log sigma, of the row's first numbers."""
        return super().spread(text[:, : self.embedding])


class NextAttention(nn.Module):
    """F_i: features (B, C, s, s) and words to (B, C, 2 s, 2 s)."""

    def __init__(self, channels: int, embedding: int, blocks: int, mask: str):
        super().__init__()
        self.attend = WordAttention(channels, embedding, mask)
        layers = [Residual(2 * channels) for _ in range(blocks)]
        self.body = nn.Sequential(*layers, *doubled(2 * channels, channels))

    def forward(self, h: Tensor, words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The next features, and the attention (B, T, s, s)."""
        context, attention = self.attend(h, words, mask)
        return self.body(torch.cat([h, context], 1)), attention


class AttentionalTree(nn.Module):
    """Noise (B, noise_size) and rows of `packed` to pictures at each scale.

    size: of the largest picture; stages: with attention, after F_0; each doubles. base:
    channels at each scale. layout: "tree", or "top" for the largest pictures alone.
    7,084,592 weights at paper size; with layout "top" and no blocks 6,638,960, the
    release's AttnDCGAN. AT-2.
    """

    def __init__(self, size=256, stages=2, base=32, blocks=2, z_size=100, embedding=256,
                 condition=100, layout="tree", mask="words"):  # fmt: skip
        super().__init__()
        if layout not in ("tree", "top"):
            raise ValueError(f"layout is tree or top, not {layout!r}.")
        check_size(size >> stages, least=16)
        self.size, self.z_size, self.embedding = size, z_size, embedding
        self.augmentation = SentenceAugmentation(embedding, condition)
        self.noise_size = z_size + condition
        self.first = First(z_size + condition, base, size >> stages)
        self.others = nn.ModuleList(
            NextAttention(base, embedding, blocks, mask) for _ in range(stages)
        )
        sizes = [size >> i for i in range(stages, -1, -1)]
        self.sizes = sizes if layout == "tree" else sizes[-1:]
        self.to_pictures = nn.ModuleList(
            nn.Sequential(nn.Conv2d(base, 3, 3, 1, 1, bias=False), nn.Tanh())
            for _ in self.sizes
        )

    def begin(self, c: Tensor, z: Tensor) -> Tensor:
        """h_0 = F_0(c, z)."""
        return self.first(torch.cat([c, z], 1))

    def features(self, c, z, words, mask) -> tuple[list[Tensor], list[Tensor]]:
        """h_0, h_1, ..., and each later stage's attention; eq. (1).

        h_0 = F_0(c, z), h_i = F_i(h_i-1, F_i^attn(words, h_i-1)).
        """
        found, looked = [self.begin(c, z)], []
        for branch in self.others:
            h, attention = branch(found[-1], words, mask)
            found.append(h)
            looked.append(attention)
        return found, looked

    def _drawn(self, noise, text, words, mask):
        """Pictures, attention, mu and log sigma."""
        z, eps = noise[:, : self.z_size], noise[:, self.z_size :]
        c, mean, log_sigma = self.augmentation(text, eps)
        found, looked = self.features(c, z, words, mask)
        found = found[-len(self.sizes) :]
        pictures = [make(h) for make, h in zip(self.to_pictures, found)]
        return pictures, looked, mean, log_sigma

    def draw_with_attention(
        self, noise: Tensor, words: Tensor, mask: Tensor, sentences: Tensor
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Pictures of each scale, and each stage's attention (B, T, H, W).

        words: (B, D, T); mask: (B, T), True at words; sentences: (B, D).
        """
        return self._drawn(noise, sentences, words, mask)[:2]

    def draw(self, noise: Tensor, text: Tensor):
        """Pictures in [-1, 1], a tensor a scale; and the mu and log sigma of c."""
        _, *told = unpacked(text, self.embedding)
        pictures, _, mean, log_sigma = self._drawn(noise, text, *told)
        return pictures, mean, log_sigma

    def look(self, noise: Tensor, text: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """`draw_with_attention`, of rows of `packed`."""
        _, *told = unpacked(text, self.embedding)
        return self._drawn(noise, text, *told)[:2]

    def forward(self, noise: Tensor, text: Tensor) -> Tensor:
        """The largest pictures alone."""
        return self.draw(noise, text)[0][-1]


# --------------------------------------------------------------------------- the system


def with_fit(game: Tensor, terms: tuple[Tensor, ...], lambda_: float = 5.0) -> Tensor:
    """Eq. (3): the tree's game plus lambda times the sum of terms; a scalar.

    terms: of eq. (14), words and sentences, each both ways. Slide AT-3; lesson 11b.
    """
    return game + lambda_ * torch.stack(tuple(terms)).sum()


class AttnGan(StackGanTree):
    """The attentional tree, its judges, and what fits the words; eqs. (1) to (5).

    damsm: the trained encoders of `damsm.py`, which rest. lambda_: lambda of eq. (3),
    of the similarity model's loss; 0 leaves it out. Judges hear the whole sentence's
    vector, not mu. loud: words that places look at are multiplied by it. stages,
    layout, mask as `AttentionalTree`; others as `StackGanTree`. fitted: the function
    `with_fit`, which may be replaced by one's own.
    """

    Tree = AttentionalTree
    fitted = staticmethod(with_fit)

    def __init__(self, damsm: Encoders | None = None, size=256, stages=2, base=32,
                 depth=64, blocks=2, z_size=100, embedding=256, condition=100,
                 layout="tree", mask="words", joint=True, lambda_=5.0, kl=1.0,
                 loud=1.0, rates=(2e-4, 2e-4), judge=None):  # fmt: skip
        System.__init__(self)
        self.damsm, self.text_encoder = damsm, damsm and Rows(damsm.text, loud)
        self.loud = loud
        self.lambda_, self.kl, self.colour = lambda_, kl, 0.0
        self.reads = (3, size, size)
        tree = self.Tree(size, stages, base, blocks, z_size, embedding, condition,
                         layout, mask)  # fmt: skip
        self.put(tree, depth, embedding, judge, joint, rates)

    def heard(self, text: Tensor, mean: Tensor | None) -> Tensor:
        """What the judges hear of the text: the sentences' vectors."""
        return text[:, : self.generator.embedding]

    def asked(self, d, seen: Tensor, made: Tensor, mean, c, wrong) -> list[Tensor]:
        """As `StackGanTree`; in the tree's turn judges hear the same."""
        return super().asked(d, seen, made, c, c, wrong)

    def with_more(self, loss: Tensor, pictures: Tensor, text, batch) -> Tensor:
        """Eq. (3): and lambda times eq. (14), of the largest pictures."""
        if not self.lambda_:
            return loss
        sentences, words, mask = unpacked(text, self.generator.embedding)
        told = words / self.loud, mask, sentences
        terms = self.damsm.loss(pictures, *told, batch.class_id)
        return self.fitted(loss, terms, self.lambda_)


def _misfit(encoders: Encoders, settings: dict) -> str:
    """Why encoders can't serve an AttnGAN of these settings, or ""."""
    made, read = encoders.embedding, settings["embedding"]
    if made != read:
        return f"makes {made} numbers of a sentence, this preset reads {read}"
    if encoders.size not in (None, settings["size"]):
        return f"sees {encoders.size} pixels, this preset draws {settings['size']}"
    return ""


# What AttnGAN reads captions with, and what says how well a picture fits.
DAMSM = Part(
    "damsm",
    "damsm",
    called="similarity model",
    option="damsm",
    line="read, and compare, with the encoders of this checkpoint (t2i train damsm)",
    unused="asks no similarity model",
    misfit=_misfit,
)
SYSTEMS = {
    "attngan": SystemInfo(
        AttnGan, "11b", "AttnGAN: places look at words", {"birds": {}},
        parts=(DAMSM,), draws="sentences",
    ),
}  # fmt: skip
# What `t2i reproduce` trained at the cpu preset, in full: a changed one leaves it.
SHIPPED = {
    "attngan_64": Network(
        partial(AttnGan, size=64, stages=2, base=16, depth=16, judge=256, blocks=1,
                embedding=128, condition=64, loud=13.0),
        "birds", "attngan", default=True, part=attrgetter("generator"),
    ),
}  # fmt: skip
