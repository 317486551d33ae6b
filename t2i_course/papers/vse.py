"""Visual-semantic embedding: SISGAN's sentence encoder (slide TM-20, eq. (4)).

Kiros, Salakhutdinov, Zemel: Unifying Visual-Semantic Embeddings with Multimodal Neural
Language Models, 2014; as Dong, Yu, Wu, Guo (SISGAN, ICCV 2017) train it. A picture's
frozen features go through one linear layer, a sentence's words through a GRU whose last
state is kept; a pair should agree, by the cosine, more than either does with another
partner. With the hardest partner alone it is VSE++ (Faghri et al., BMVC 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data import Batch
from ..declarations import Network, SystemInfo
from ..training import checkpoint
from ..worlds.kinds import KINDS
from .bilstm import last_states
from .joint_embedding import READER as ANY_READER
from .joint_embedding import FalseTwins, JointEmbedding, made_ready

__all__ = ["READER", "GruEncoder", "Vse", "cosines", "vse_loss"]

# "paper": word vectors and states of 300 numbers, margin 0.2, a sum over all other
# pairs, batches of 64 and Adam at 2e-4 as in a released SISGAN; its GRU has 541,800
# weights, as there. Ours are the features (256 of 32 x 32 pictures, centred and scaled;
# theirs: 4,096 of VGG-16), word vectors that learn (theirs: fastText's, which rest),
# batches of as many species, false twins, words made unknown, averaged weights, steps.
PRESETS = {
    "smoke": {"size": 32, "word": 16, "hidden": 16, "classes": 16, "batch_size": 16,
              "steps": 4},
    "cpu": {"size": 32, "word": 64, "hidden": 256, "classes": 75, "batch_size": 75,
            "steps": 1200},
    "gpu": {"size": 32, "word": 300, "hidden": 300, "classes": 150, "batch_size": 150,
            "steps": 10_000, "rate": 1e-3},
    "paper": {"size": 32, "word": 300, "hidden": 300, "classes": 64, "batch_size": 64,
              "steps": 45_000, "rate": 2e-4, "steady": True},
}  # fmt: skip


def cosines(images: Tensor, texts: Tensor) -> Tensor:
    """(A, D) and (B, D) to the cosines (A, B) of all pairs, in [-1, 1]."""
    return F.normalize(images, dim=1) @ F.normalize(texts, dim=1).T


def vse_loss(
    images: Tensor, texts: Tensor, margin: float = 0.2, hardest: bool = False
) -> Tensor:
    """Eq. (4): each pair should agree more than either part with another partner.

    images, texts: (B, D), row i of pair i. For each picture the sum over the other
    sentences of max(0, margin - s(pair) + s(picture, other)), s the cosine; for each
    sentence the same over the other pictures; the mean of both over pairs, added.
    hardest: only the partner that agrees most counts, in place of the sum. A scalar.
    """
    agreement = cosines(images, texts)
    own = agreement.diagonal()
    others = 1 - torch.eye(len(images), device=images.device)
    wrong_text = (margin - own[:, None] + agreement).relu() * others
    wrong_image = (margin - own[None, :] + agreement).relu() * others
    if hardest:
        return wrong_text.amax(1).mean() + wrong_image.amax(0).mean()
    return wrong_text.sum(1).mean() + wrong_image.sum(0).mean()


class GruEncoder(nn.Module):
    """Word vectors and a GRU from left to right; its last state is the sentence.

    words: size of the vocabulary; word: of a word's vector; hidden: of the state, which
    is the embedding. centre, spread: of each of its numbers over captions, once
    `standardize` has been asked; it is given less the first, over the second.
    """

    def __init__(self, words: int, word: int = 300, hidden: int = 300):
        super().__init__()
        self.embedding = hidden
        self.word_vectors = nn.Embedding(words, word, padding_idx=0)
        self.gru = nn.GRU(word, hidden, batch_first=True)
        self.register_buffer("centre", torch.zeros(hidden))
        self.register_buffer("spread", torch.ones(hidden))

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Sentences (B, T) with their lengths (B,) to (B, hidden), padding skipped."""
        last = last_states(self.gru, self.word_vectors(tokens), lengths)
        return (last - self.centre) / self.spread

    @torch.no_grad()
    def standardize(self, values: Tensor) -> None:
        """Give every number mean 0 and deviation 1 over embeddings (N, hidden)."""
        spread = values.std(0).clamp_min(1e-4)
        self.centre += values.mean(0) * self.spread
        self.spread *= spread

    def of(self, batch: Batch) -> Tensor:
        """Embeddings (B, hidden) of a batch's sentences, on the encoder's device."""
        device = self.word_vectors.weight.device
        return self(batch.tokens.to(device), batch.lengths.to(device))


class Vse(JointEmbedding):
    """A linear layer over features and a GRU over words, one player.

    Batches as for `JointEmbedding`; pairs agree by the cosine. hardest, margin: of
    `vse_loss`; loss: that, or a learner's own (images, texts, margin, hardest) ->
    scalar; rate: Adam's; steady: it stays as it is, where it else falls to a fiftieth.
    """

    unit = True  # agreement is the cosine

    def __init__(self, words=153, word=300, hidden=300, features=256, steps=1200,
                 rate=2e-3, steady=False, margin=0.2, hardest=False,
                 loss: Callable = vse_loss):  # fmt: skip
        super().__init__(embedding=hidden, features=features, steps=steps,
                         text=GruEncoder(words, word, hidden), loss=loss)  # fmt: skip
        self.encoders["image"] = nn.Sequential(
            nn.BatchNorm1d(features, affine=False),
            nn.Linear(features, hidden, bias=False),
        )
        self.margin, self.hardest = margin, hardest
        self.learning_rate, self.steady = rate, steady

    def learning_rate_factor(self, step: int) -> float:
        """1 where it is steady; else as `JointEmbedding`'s."""
        return 1.0 if self.steady else super().learning_rate_factor(step)

    def round(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """The loss of the pairs, and one more wrong partner: each false twin."""
        self.check_classes(batch)
        images, texts = self.encoders["image"](batch.image), self.sentences(batch)
        true, false = texts[: len(images)], texts[len(images) :]
        loss = self.loss(images, true, self.margin, self.hardest)
        if len(false):
            better = F.cosine_similarity(images, true)
            worse = F.cosine_similarity(images, false)
            loss = loss + (self.margin - better + worse).relu().mean()
        yield "encoders", loss


def _make(preset: str, data: str, **changes) -> Vse:
    """For the world's words."""
    words = KINDS[data].world.vocabulary()
    return Vse.from_preset(preset, words=len(words), **changes)


def encoder_from(path: str | Path) -> GruEncoder:
    """The sentence encoder of a training of one's own, made ready for an editor.

    path: a checkpoint of `t2i train vse`. CheckpointError if it is none.
    """
    origin = checkpoint.read(Path(path)).get("origin") or {}
    source = KINDS[origin.get("data") or "birds"]
    return made_ready(path, Vse, "t2i train vse", source)


SYSTEMS = {
    "vse": SystemInfo(
        Vse,
        "07",
        "sentences and pictures by their cosine: a GRU over words",
        {"birds": {}, "flowers": {"gpu": {"classes": 82, "batch_size": 82}}},
        draws="",
        make=_make,
        wrap=lambda drawn, settings: FalseTwins(drawn, settings["classes"]),
        serves=lambda system: system.network("encoders")["text"],
        from_checkpoint=encoder_from,
    )
}
# What an editor reads sentences with.
READER = replace(
    ANY_READER,
    system="vse",
    line="read captions with the text encoder of this checkpoint (made by t2i train "
    "vse for an editor; by joint_embedding or char_cnn_rnn for a GAN)",
    also=("joint_embedding", "char_cnn_rnn"),
)
SHIPPED = {
    f"vse_{data}": Network(
        partial(GruEncoder, len(kind.world.vocabulary()), 64, 256),
        data,
        "vse",
        default=True,
    )
    for data, kind in KINDS.items()
}
