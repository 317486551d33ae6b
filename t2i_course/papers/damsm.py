"""DAMSM: how well each word of a sentence is found in a picture (lesson 11a).

Xu, Zhang, Huang, Zhang, Gan, Huang, He: AttnGAN: Fine-Grained Text to Image Generation
with Attentional Generative Adversarial Networks, CVPR 2018, section 3.2; slides AT-4
and TM-23, eqs. (6) to (14). Two encoders learn one space: an LSTM each way reads a word
at each step, a convolutional network sees a picture's regions. Each word looks at the
regions that it fits, and a picture belongs to a sentence if every word finds something.
Only whole pairs are taught, never which word belongs where.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..blocks import check_size, initialize
from ..data import Batch
from ..declarations import Network, SystemInfo
from ..training import System
from ..worlds.birds import vocabulary

__all__ = [
    "GAMMAS", "PRESETS", "Damsm", "DamsmLoss", "Encoders", "RegionEncoder",
    "SmallRegionEncoder", "WordEncoder", "attention_maps", "damsm_loss",
    "matching_losses", "relevance", "sentence_scores", "word_cosines",
    "word_region_attention", "word_scores",
]  # fmt: skip

GAMMAS = (5.0, 5.0, 10.0)  # gamma_1, gamma_2, gamma_3 of the paper; released: 4, 5, 10

# "paper": the encoders, batch, rate, clipping and 200 epochs of the authors' release
# for birds (github.com/taoxugit/AttnGAN). What differs from it, at every preset:
# - gamma_1 is 5, and eq. (10) has its 1 / gamma_2; the release has 4 and leaves it out;
# - the rate falls a little at each step, there by 2 in 100 an epoch, to a tenth alike;
# - Adam remembers; there it is made anew at each epoch;
# - a sentence that is too long loses its end; there it loses words by lot;
# - averaged weights serve.
# The smaller presets see pictures by a small network that learns, too. "cpu" drops a
# tenth of a word's vector and clips at 5: in 400 steps, one seed, this has 12.0 % of
# real birds' captions first of a hundred where the release's 0.5 and 0.25 have 10.6 %,
# and 7.4 % of a colour word's attention on its part where they have 5.4 % (by chance
# 3.9 %).
PRESETS = {
    "smoke": {"size": 64, "word": 16, "embedding": 128, "base": 4, "batch_size": 8,
              "steps": 4, "fall": 4},
    "cpu": {"size": 64, "word": 64, "embedding": 128, "base": 16, "dropout": 0.1,
            "clip": 5.0, "batch_size": 48, "steps": 1500, "fall": 1500},
    "gpu": {"size": 128, "word": 128, "embedding": 256, "base": 64, "batch_size": 96,
            "steps": 15_000, "fall": 15_000},
    "paper": {"size": 299, "word": 300, "embedding": 256, "base": None,
              "batch_size": 48, "steps": 200 * 184, "fall": 114 * 184},
}  # fmt: skip


# ------------------------------------------------------------------------- the encoders


class WordEncoder(nn.Module):
    """Word vectors, an LSTM each way: what is read at each word, and at the ends.

    words: size of the vocabulary; word: of a word's vector; embedding: D, half from
    each direction; dropout: the share of a vector's numbers that training drops.
    2,075,320 weights at the paper's sizes and CUB's 5,450 words. AT-4; lesson 11a.
    """

    def __init__(self, words: int, word=300, embedding=256, dropout=0.5):
        super().__init__()
        self.embedding = embedding
        self.word_vectors = nn.Embedding(words, word)
        nn.init.uniform_(self.word_vectors.weight, -0.1, 0.1)
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(word, embedding // 2, batch_first=True, bidirectional=True)

    def forward(self, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Sentences (B, T) of lengths (B,), any order, to (B, D, T) and (B, D).

        The first are the words', exactly 0 at padding; the second the sentences': where
        either direction ends up. ValueError for a sentence without a word.
        """
        if lengths.device.type == "cpu" and bool((lengths < 1).any()):
            raise ValueError("A caption has no word. Each needs at least one.")
        packed = pack_padded_sequence(
            self.dropout(self.word_vectors(tokens)), lengths.cpu(), batch_first=True,
            enforce_sorted=False,
        )  # fmt: skip
        read, (last, _) = self.lstm(packed)
        read, _ = pad_packed_sequence(
            read, batch_first=True, total_length=tokens.shape[1]
        )
        return read.mT, torch.cat(tuple(last), 1)

    def read(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """A batch's words (B, D, T), mask (B, T) True at words, sentences (B, D)."""
        device = self.word_vectors.weight.device
        tokens, lengths = batch.tokens.to(device), batch.lengths.to(device)
        words, sentence = self(tokens, lengths)
        places = torch.arange(tokens.shape[1], device=device)
        return words, places < lengths[:, None], sentence

    def words_of(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The words (B, D, T) of a batch's captions, and the mask (B, T)."""
        return self.read(batch)[:2]

    def of(self, batch: Batch) -> Tensor:
        """The sentences (B, D) of a batch's captions, on the encoder's device."""
        return self.read(batch)[2]


class RegionEncoder(nn.Module):
    """Inception-v3, which rests, and two layers that learn: eq. (6).

    22,506,720 weights, of which 721,152 learn. The layout is torchvision's; the paper's
    weights are ImageNet's: `low` and `high` load torchvision's state dict, each its
    own part (strict=False). Slide AT-4; lesson 11a.
    """

    def __init__(self, embedding: int = 256):
        super().__init__()
        from torchvision.models import inception_v3  # slow to import

        whole = inception_v3(weights=None, init_weights=False, aux_logits=False)
        layers = list(whole.named_children())
        names = [name for name, _ in layers]
        split, end = names.index("Mixed_6e") + 1, names.index("Mixed_7c") + 1
        self.low = nn.Sequential(OrderedDict(layers[:split])).requires_grad_(False)
        self.high = nn.Sequential(OrderedDict(layers[split:end])).requires_grad_(False)
        self.to_regions = nn.Conv2d(768, embedding, 1, bias=False)
        self.to_picture = nn.Linear(2048, embedding)
        for weight in (self.to_regions.weight, self.to_picture.weight):
            nn.init.uniform_(weight, -0.1, 0.1)

    def train(self, mode: bool = True) -> RegionEncoder:
        """What rests stays in evaluation mode; released, its batch norm drifts."""
        super().train(mode)
        self.low.eval()
        self.high.eval()
        return self

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (B, 3, H, W) in [-1, 1] to regions (B, D, 17, 17) and (B, D)."""
        seen = self.low(F.interpolate(pictures, size=(299, 299), mode="bilinear"))
        whole = self.high(seen).mean((2, 3))
        return self.to_regions(seen), self.to_picture(whole)


class SmallRegionEncoder(nn.Module):
    """The same for small drawn pictures, learned from nothing: 8 x 8 regions.

    size: of the pictures, 32, 64, ...; base: channels of the first layer. Ours.
    """

    def __init__(self, size: int = 64, embedding: int = 128, base: int = 32):
        super().__init__()
        check_size(size, least=32)
        self.size, leaky = size, nn.LeakyReLU(0.2)
        layers, channels, inside = [], base, 3
        for _ in range((size // 8).bit_length() - 1):
            layers += [nn.Conv2d(inside, channels, 4, 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(channels), leaky]
            inside, channels = channels, 2 * channels
        self.low = nn.Sequential(*layers)
        conv = nn.Conv2d(inside, channels, 4, 2, 1, bias=False)
        self.high = nn.Sequential(conv, nn.BatchNorm2d(channels), leaky)
        self.to_regions = nn.Conv2d(inside, embedding, 1, bias=False)
        self.to_picture = nn.Linear(channels, embedding)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (B, 3, size, size) in [-1, 1] to (B, D, 8, 8) and (B, D)."""
        seen = self.low(pictures)
        whole = self.high(seen).mean((2, 3))
        return self.to_regions(seen), self.to_picture(whole)


# ---------------------------------------------------------------- words look at regions


def attended(scores: Tensor, mask: Tensor, gamma1: float) -> Tensor:
    """Eqs. (8) and (9): scores s (A, T, B, R) to alpha, the same, of sum 1 over R.

    mask: (A, T), True at words. Each region first chooses among a sentence's words;
    then each word among a picture's regions, by how much they chose it.
    """
    scores = scores.masked_fill(~mask[:, :, None, None], -torch.inf)
    return (gamma1 * scores.softmax(1)).softmax(3)


def word_region_attention(
    words: Tensor, mask: Tensor, regions: Tensor, gamma1: float = GAMMAS[0]
) -> Tensor:
    """alpha (B, T, R): what each word looks at in its own picture; eqs. (7) to (9).

    words: (B, D, T); mask: (B, T), True at words; regions: (B, D, R) or (B, D, H, W).
    Sums to 1 over regions at words, and is 0 at padding. Slide AT-4; lesson 11a.
    """
    scores = words.mT @ regions.flatten(2)
    found = attended(scores[:, :, None], mask, gamma1)[:, :, 0]
    return found * mask[:, :, None]


def attention_maps(
    words: Tensor, mask: Tensor, regions: Tensor, gamma1: float = GAMMAS[0]
) -> Tensor:
    """`word_region_attention` as maps (B, T, H, W), of regions (B, D, H, W)."""
    alpha = word_region_attention(words, mask, regions, gamma1)
    return alpha.unflatten(2, regions.shape[2:])


def word_cosines(
    words: Tensor, mask: Tensor, regions: Tensor, gamma1: float = GAMMAS[0]
) -> Tensor:
    """R(c_i, e_i), (B, T): how well each word fits what it looks at; eq. (9).

    words: (B, D, T); mask: (B, T), True at words; regions: (B, D, R) or (B, D, H, W),
    of the same B pairs. 0 at padding. Slide AT-4; lesson 11a.
    """
    alpha = word_region_attention(words, mask, regions, gamma1)
    context = regions.flatten(2) @ alpha.mT  # (B, D, T)
    return F.cosine_similarity(context, words, dim=1) * mask


def relevance(cosines: Tensor, mask: Tensor, gamma2: float = GAMMAS[1]) -> Tensor:
    """R(Q, D), eq. (10): cosines (B, A, T) of words, mask (A, T), to scores (B, A).

    The sum is over all words; released without the 1 / gamma_2: gamma_2 times as large.
    Slide AT-4; lesson 11a.
    """
    exponents = (gamma2 * cosines).masked_fill(~mask, -torch.inf)
    return exponents.logsumexp(2) / gamma2


AT_ONCE, PART = 2**22, 2**20  # numbers s kept at once; at a time, where more


def word_scores(
    words: Tensor, mask: Tensor, regions: Tensor, gamma1: float = GAMMAS[0],
    gamma2: float = GAMMAS[1],
) -> Tensor:  # fmt: skip
    """R(Q_i, D_j), (B, A): how well each of B pictures fits each of A captions.

    words: (A, D, T); mask: (A, T), True at words; regions: (B, D, R) or (B, D, H, W).
    Eqs. (7) to (10): R = log(sum over words of exp(gamma_2 cos(c, e))) / gamma_2, near
    the best word's cosine. The sum of eq. (10) is over all words. Many pictures are
    compared in parts, whose inner values are worked out again on the way back: less to
    keep, and faster, as a part stays in a processor's cache. In float32 (or 64) under
    any autocast. Slide AT-4; lesson 11a.
    """
    words, regions = (x if x.dtype == torch.float64 else x.float()
                      for x in (words, regions.flatten(2)))  # fmt: skip
    each = mask.numel() * regions.shape[2]
    told = mask, gamma1, gamma2
    with torch.autocast(words.device.type, enabled=False):
        if each * len(regions) <= AT_ONCE:
            return _word_scores(words, regions, *told)
        return _InParts.apply(words, regions, max(PART // each, 1), *told)


class _InParts(torch.autograd.Function):
    """`_word_scores` of some pictures at a time, each worked out again for gradients.

    What `torch.utils.checkpoint` does, without the 150 MB that it loads to do so.
    """

    @staticmethod
    def forward(ctx, words, regions, some: int, *told):
        """The scores; nothing in between is kept."""
        ctx.save_for_backward(words, regions, told[0])
        ctx.some, ctx.gammas = some, told[1:]
        parts = (_word_scores(words, part, *told) for part in regions.split(some))
        return torch.cat(list(parts))

    @staticmethod
    @once_differentiable
    def backward(ctx, slopes):
        """Gradients of words, summed over the parts, and of regions."""
        words, regions, mask = ctx.saved_tensors
        need = ctx.needs_input_grad[:2]
        of_words, of_regions = torch.zeros_like(words) if need[0] else None, []
        words = words.detach().requires_grad_(need[0])
        for part, slope in zip(regions.split(ctx.some), slopes.split(ctx.some)):
            part = part.detach().requires_grad_(need[1])
            given = [x for x in (words, part) if x.requires_grad]
            with torch.enable_grad():
                scores = _word_scores(words, part, mask, *ctx.gammas)
            found = list(torch.autograd.grad(scores, given, slope))
            if need[0]:
                of_words += found.pop(0)
            of_regions += found
        of_regions = torch.cat(of_regions) if need[1] else None
        return of_words, of_regions, None, None, None, None


def _word_scores(words, regions, mask, gamma1: float, gamma2: float) -> Tensor:
    """`word_scores`, all at once."""
    (count, size, many), places = words.shape, regions.shape[2]
    rows = words.mT.reshape(-1, size)  # (A T, D)
    columns = regions.transpose(0, 1).reshape(size, -1)  # (D, B R)
    s = (rows @ columns).view(count, many, -1, places)  # eq. (7)
    alpha = attended(s, mask, gamma1).flatten(0, 1).transpose(0, 1)  # (B, A T, R)
    if places < size:  # c and its length by way of what is smaller, v^T v or v
        s = s.flatten(0, 1).transpose(0, 1)
        fit = (alpha * s).sum(2)
        square = (alpha @ (regions.mT @ regions) * alpha).sum(2)
    else:
        context = alpha @ regions.mT  # c, eq. (9): (B, A T, D)
        fit, square = (context * rows).sum(2), context.square().sum(2)
    lengths = (square * rows.square().sum(1)).clamp_min(1e-16).sqrt()
    return relevance((fit / lengths).view(-1, count, many), mask, gamma2)


def sentence_scores(pictures: Tensor, sentences: Tensor) -> Tensor:
    """Cosines (B, A) of pictures' vectors (B, D) and sentences' (A, D)."""
    return F.normalize(pictures, dim=1) @ F.normalize(sentences, dim=1).T


# --------------------------------------------------------------------------- the losses


class DamsmLoss(NamedTuple):
    """The four terms of eq. (14), scalars; their sum is the loss.

    words, sentences: -log P(D_i|Q_i), the caption of a picture, by words and by the
    whole sentence; words_back, sentences_back: -log P(Q_i|D_i), a caption's picture.
    """

    words: Tensor
    words_back: Tensor
    sentences: Tensor
    sentences_back: Tensor


def matching_losses(
    scores: Tensor, class_id: Tensor | None = None, gamma3: float = GAMMAS[2]
) -> tuple[Tensor, Tensor]:
    """Eqs. (11) to (13), of scores (B, B), pictures by captions: two scalars.

    Which caption belongs to a picture, and which picture to a caption, among those of
    the batch: the mean over B, where the paper has the sum. class_id: (B,); others of
    the own class aren't compared with, as released.
    """
    scores = gamma3 * scores
    own = torch.arange(len(scores), device=scores.device)
    if class_id is not None:
        alike = class_id[:, None] == class_id
        alike = alike & (own[:, None] != own)
        scores = scores.masked_fill(alike, -torch.inf)
    return F.cross_entropy(scores, own), F.cross_entropy(scores.T, own)


def damsm_loss(
    words: Tensor, mask: Tensor, sentences: Tensor, regions: Tensor, pictures: Tensor,
    class_id: Tensor | None = None, gammas: tuple[float, float, float] = GAMMAS,
) -> DamsmLoss:  # fmt: skip
    """Eq. (14) of B pairs, in its four terms. Slides AT-4, TM-23; lesson 11a.

    words: (B, D, T); mask: (B, T), True at words; sentences: (B, D); regions: (B, D, R)
    or (B, D, H, W); pictures: (B, D), of the whole pictures; class_id: (B,).
    """
    gamma1, gamma2, gamma3 = gammas
    by_words = word_scores(words, mask, regions, gamma1, gamma2)
    whole = sentence_scores(pictures, sentences)
    return DamsmLoss(
        *matching_losses(by_words, class_id, gamma3),
        *matching_losses(whole, class_id, gamma3),
    )


# --------------------------------------------------------------------------- the system


class Encoders(nn.Module):
    """Both encoders, as they serve: `text` reads words, `image` sees regions.

    base: of `SmallRegionEncoder`; None is Inception-v3, for pictures of any size.
    """

    def __init__(self, words: int, word=300, embedding=256, size=299,
                 base: int | None = None, gammas=GAMMAS, dropout=0.5):  # fmt: skip
        super().__init__()
        self.embedding, self.gammas = embedding, tuple(gammas)
        self.size = size if base else None
        self.text = WordEncoder(words, word, embedding, dropout)
        small = base and initialize(SmallRegionEncoder(size, embedding, base))
        self.image = small or RegionEncoder(embedding)

    def loss(self, pictures, words, mask, sentences, class_id=None) -> DamsmLoss:
        """The four terms of eq. (14), of pictures (B, 3, H, W) and what was read."""
        seen = self.image(pictures)
        return damsm_loss(words, mask, sentences, *seen, class_id, self.gammas)

    def see(self, pictures: Tensor) -> Tensor:
        """The whole pictures' vectors (B, D), to compare with sentences' by cosines."""
        return self.image(pictures)[1]

    def attend(self, pictures: Tensor, batch: Batch, covered=None) -> Tensor:
        """What each word of the captions looks at in its picture: (B, T, H, W).

        covered: (B, T), True at words that are read but take no part in looking.
        """
        words, mask, _ = self.text.read(batch)
        mask = mask if covered is None else mask & ~covered
        return attention_maps(words, mask, self.image(pictures)[0], self.gammas[0])

    def by_words(self, pictures: Tensor, batch: Batch) -> Tensor:
        """How well each picture fits each caption, word by word; eq. (10): (B, A)."""
        words, mask, _ = self.text.read(batch)
        return word_scores(words, mask, self.image(pictures)[0], *self.gammas[:2])

    def each_word(self, pictures: Tensor, batch: Batch) -> Tensor:
        """How well each word fits what it looks at in its own picture: (B, T)."""
        words, mask, _ = self.text.read(batch)
        return word_cosines(words, mask, self.image(pictures)[0], self.gammas[0])

    def pairs_by_words(self, pictures: Tensor, batch: Batch) -> Tensor:
        """Eq. (10) of each picture and its own caption alone: (B,)."""
        mask = self.text.read(batch)[1]
        return relevance(self.each_word(pictures, batch)[None], mask, self.gammas[1])[0]


class Damsm(System):
    """Both encoders learn which caption belongs to which picture; one player.

    words: size of the vocabulary; other sizes, gammas and dropout as `Encoders`; fall:
    steps in which the rate falls to a tenth, where it stays; clip: how long the text
    encoder's gradient may be.
    """

    players = ("encoders",)
    averaged = ("encoders",)  # ours
    average_decay = 0.99
    learning_rate = 2e-3

    def __init__(self, words=153, word=300, embedding=256, size=299,
                 base: int | None = None, gammas=GAMMAS, fall=114 * 184, clip=0.25,
                 dropout=0.5):  # fmt: skip
        super().__init__()
        self.fall, self.clip, self.reads = fall, clip, (3, size, size)
        made = Encoders(words, word, embedding, size, base, gammas, dropout)
        self.encoders = made.to(memory_format=torch.channels_last)

    def learning_rate_factor(self, step: int) -> float:
        """Down to a tenth, by the same share at each step."""
        return max(0.1 ** (step / self.fall), 0.1)

    def optimizer(self, player: str) -> torch.optim.Optimizer:
        """Adam; before each step the text encoder's gradient is clipped."""
        adam, text = super().optimizer(player), list(self.encoders.text.parameters())
        adam.register_step_pre_hook(
            lambda *_: nn.utils.clip_grad_norm_(text, self.clip) and None
        )
        return adam

    def round(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """The sum of the four terms; ValueError for a batch of one pair."""
        if len(batch) < 2:
            raise ValueError("This loss compares pairs: a batch needs two or more.")
        told = self.encoders.text.read(batch)
        terms = self.encoders.loss(batch.image, *told, batch.class_id)
        yield "encoders", torch.stack(terms).sum()


def _make(preset: str, data: str, **changes) -> Damsm:
    """For the world's words."""
    return Damsm.from_preset(preset, words=len(vocabulary()), **changes)


SYSTEMS = {
    "damsm": SystemInfo(
        Damsm, "11a", "DAMSM: words find their regions", {"birds": {}}, draws="",
        make=_make, serves=lambda system: system.network("encoders"),
        measures={"birds": "t2i_course.measure.retrieval:matched"},
    ),
}  # fmt: skip
# What `t2i reproduce` trained at the cpu preset, in full: a changed one leaves it.
SMALL = partial(Encoders, len(vocabulary()), 64, 128, 64, 16)
JUDGE = "t2i_course.measure.retrieval:matched"
SHIPPED = {
    "damsm_64": Network(SMALL, "birds", "damsm", default=True, measure=JUDGE),
    "damsm_64_other": Network(SMALL, "birds", "damsm", measure=JUDGE),
}
