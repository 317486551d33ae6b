"""Deep symmetric structured joint embedding: sentences and pictures in one space.

Reed, Akata, Lee, Schiele: Learning Deep Representations of Fine-Grained Visual
Descriptions, CVPR 2016; slide TM-10, eqs. (2)-(4). A text encoder and an image encoder
are trained together so that a sentence agrees more with pictures of its own class than
with any other picture, and a picture more with sentences of its own class. The text
encoder then serves, frozen, as the eyes that a GAN reads captions with (lesson 08).

Pictures are seen through frozen features, the paper's through GoogLeNet's, which had
learned from ImageNet. Sentences are words here (the paper's word-CNN-RNN); lesson 07
has its characters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from .. import weights
from ..data import Batch
from ..datasets import emoji
from ..declarations import Network, Part, SystemInfo
from ..text.vocabulary import MAX_WORDS, UNKNOWN, Vocabulary, split_words
from ..training import System, checkpoint
from ..worlds import flower_species
from ..worlds.birds import Birds, vocabulary
from ..worlds.drawn import Drawn
from ..worlds.kinds import KINDS
from ..worlds.oracle import Oracle

__all__ = [
    "FalseTwins",
    "JointEmbedding",
    "Reader",
    "TextEncoder",
    "features_of",
    "linear_image_encoder",
    "reader_of",
    "seen",
    "standardize",
    "structured_loss",
    "text_encoder",
    "text_encoder_from",
]

# The worlds whose sentences and pictures can meet.

# "paper": batches of 40 classes and embeddings of 1024 numbers as in the authors'
# release (github.com/reedscot/cvpr2016), and its loss and margin at every preset. All
# else is ours: pictures of 32 x 32 through 256 features and a linear layer (theirs:
# GoogLeNet's 1024, taken as they are); word vectors, two convolutions and a sum
# (theirs: three of 512 channels with max pooling, then a recurrent layer averaged over
# its steps); Adam at 2e-3 falling to a fiftieth (theirs: RMSprop at 7e-4, times 0.98 an
# epoch); false twins, words made unknown, averaged weights, the steps.
PRESETS = {
    "smoke": {
        "size": 32,
        "word": 16,
        "hidden": 16,
        "embedding": 256,
        "classes": 16,
        "batch_size": 16,
        "steps": 4,
    },
    "cpu": {
        "size": 32,
        "word": 64,
        "hidden": 192,
        "embedding": 256,
        "classes": 150,
        "batch_size": 150,
        "steps": 3500,
    },
    "gpu": {
        "size": 32,
        "word": 128,
        "hidden": 256,
        "embedding": 512,
        "classes": 150,
        "batch_size": 150,
        "steps": 10000,
    },
    "paper": {
        "size": 32,
        "word": 384,
        "hidden": 256,
        "embedding": 1024,
        "classes": 40,
        "batch_size": 40,
        "steps": 45000,
    },
}


class TextEncoder(nn.Module):
    """Word vectors, two convolutions over neighbouring words, their sum.

    The paper's word-level convolutional encoder without its recurrent layer: what a
    phrase means ("blue wings") should not depend on the phrases around it, and a sum of
    phrases is meant to carry over to new combinations. What it is worth on unseen
    species is measured by `t2i reproduce 08 networks`.

    words: size of the vocabulary; word, hidden: widths; embedding: size of the result
    """

    def __init__(
        self, words: int, word: int = 64, hidden: int = 192, embedding: int = 256
    ):
        super().__init__()
        self.embedding = embedding
        self.word_vectors = nn.Embedding(words, word, padding_idx=0)
        self.near = nn.Conv1d(word, hidden, 3, padding=1)
        self.wide = nn.Conv1d(hidden, hidden, 5, padding=2)
        self.out = nn.Linear(hidden, embedding)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Sentences (B, T) with their lengths (B,) to (B, embedding).

        Padding changes nothing: it is zero before each layer and left out of the sum.
        """
        places = torch.arange(tokens.shape[1], device=tokens.device)
        own = (places < lengths[:, None]).unsqueeze(1)
        x = self.word_vectors(tokens).transpose(1, 2) * own
        x = self.near(x).relu() * own
        x = self.wide(x).relu() * own
        return self.out(x.sum(2) / lengths[:, None].sqrt())

    def of(self, batch) -> Tensor:
        """Embeddings (B, embedding) of a batch's sentences, on the encoder's device."""
        device = self.out.weight.device
        return self(batch.tokens.to(device), batch.lengths.to(device))


@torch.no_grad()
def standardize(encoder: nn.Module, batch) -> None:
    """Give every number of the embedding mean 0 and variance 1 over these sentences.

    A linear change, folded into the last layer: beside noise N(0, 1) a generator would
    not hear embeddings whose numbers are a twentieth as large.
    """
    values = encoder.of(batch)
    if hasattr(encoder, "standardize"):  # its last layer can't take a change
        encoder.standardize(values)
        return
    scale = values.std(0).clamp_min(1e-4)
    encoder.out.weight /= scale[:, None]
    encoder.out.bias.sub_(values.mean(0)).div_(scale)


def structured_loss(
    images: Tensor, texts: Tensor, untrue: Tensor | None = None, margin: float = 1.0
) -> Tensor:
    """The hinge that stands in for the 0-1 loss of eq. (2), both ways.

    images, texts: (B, D) embeddings of B different classes, row i of class i. Every
    other picture and every other sentence should agree less than the pair's own, by
    the margin: mean of max(0, margin + F(v_j, t_i) - F(v_i, t_i)) over j, and of the
    same with the sentence exchanged, where F is the dot product. untrue: (B, D), for
    each picture a sentence in which one thing is wrong, treated alike. A scalar.
    """
    agreement = images @ texts.T
    own = agreement.diagonal()
    wrong_text = (margin + agreement - own[:, None]).relu()
    wrong_image = (margin + agreement - own[None, :]).relu()
    others = 1 - torch.eye(len(images), device=images.device)
    loss = ((wrong_text + wrong_image) * others).mean()
    if untrue is not None:
        loss = loss + (margin + (images * untrue).sum(1) - own).relu().mean()
    return loss


@lru_cache(maxsize=2)
def features_of(world: str = "birds") -> Oracle:
    """What a world's pictures are seen through: the stand-in for GoogLeNet.

    world: a key of KINDS. It learned to read drawings of a wider world, with
    attributes drawn independently. It is built like the oracle but is not the oracle:
    other drawings, other weights.
    """
    name = {"birds": "features32", "flowers": "flower_features32"}[world]
    network = SHIPPED[name].make()
    weights.load_into(network, name)
    return network.eval().requires_grad_(False)


@torch.inference_mode()
def seen(pictures: Tensor, world: str = "birds") -> Tensor:
    """Features (B, 256) of bytes or of numbers in [-1, 1]; any size from 32 on."""
    network, rows = features_of(world), []
    for part in pictures.split(500):
        if part.dtype == torch.uint8:
            part = part.float() / 127.5 - 1
        rows.append(network.features(F.adaptive_avg_pool2d(part, network.size)))
    return torch.cat(rows)


class FalseTwins:
    """Batches of one drawing and sentence a species, and each sentence's false twin.

    birds: a source of birds, or of flowers. In place of pictures, `image` holds their
    features (B, 256): they never change, so they are computed once. The 2B rows of
    tokens are B true sentences, then B in which one thing is wrong (the world's
    `untrue`): 150 species alone hardly ever differ in one wing.
    """

    def __init__(self, birds: Drawn, classes: int):
        if classes < 2:
            raise ValueError(f"classes to compare are 2 or more, not {classes}.")
        self.birds, self.batch_size = birds, classes
        self.seen = seen(torch.tensor(birds.images), birds.world.name).clone()

    def batch(self, step: int, rank: int = 0, world: int = 1):
        """The batch of `step`; see data.Source."""
        batch, seeds = self.birds.distinct(step * world + rank, self.batch_size)
        untrue = self.birds.world.untrue
        twins = [
            untrue(row.numpy(), seed) for row, seed in zip(batch.attributes, seeds)
        ]
        tokens, lengths = self.birds.vocabulary.encode(twins)
        longest = max(batch.tokens.shape[1], tokens.shape[1])
        rows = [F.pad(t, (0, longest - t.shape[1])) for t in (batch.tokens, tokens)]
        first = np.searchsorted(self.birds.species, batch.class_id.numpy())
        return replace(
            batch,
            image=self.seen[first + [individual for _, individual, _ in seeds]],
            caption=[*batch.caption, *twins],
            tokens=torch.cat(rows),
            lengths=torch.cat([batch.lengths, lengths]),
        )


class JointEmbedding(System):
    """Both encoders, one player.

    Batches hold one picture's features (B, 256) as `image` and one sentence a class.
    text: the text encoder, for another than `TextEncoder`; loss: `structured_loss`, or
    a learner's own.
    """

    players = ("encoders",)
    averaged = ("encoders",)
    average_decay = 0.99
    learning_rate = 2e-3
    betas = (0.9, 0.999)
    unit = False  # agreement is the dot product

    def __init__(self, words=153, word=64, hidden=192, embedding=256, features=256,
                 steps=3500, text: nn.Module | None = None,
                 loss: Callable = structured_loss):  # fmt: skip
        super().__init__()
        self.steps, self.reads, self.loss = steps, (features,), loss
        image = nn.Sequential(
            nn.BatchNorm1d(features, affine=False), nn.Linear(features, embedding)
        )
        text = text or TextEncoder(words, word, hidden, embedding)
        self.encoders = nn.ModuleDict({"image": image, "text": text})

    def learning_rate_factor(self, step: int) -> float:
        """Linear, down to a fiftieth."""
        return max(1 - step / self.steps, 0.02)

    def blurred(self, tokens: Tensor) -> Tensor:
        """Some words made unknown, as words that nobody taught will be later."""
        lost = torch.rand(tokens.shape, device=tokens.device, generator=self.rng) < 0.04
        return torch.where(lost & (tokens > 0), UNKNOWN, tokens)

    def check_classes(self, batch) -> None:
        """ValueError for a batch of one."""
        if len(batch.image) < 2:
            raise ValueError(
                "This loss compares the classes of a batch with one another: a batch "
                "needs two classes or more, not one."
            )

    def round(self, batch):
        """Both encoders go down the structured loss; ValueError for a batch of one."""
        self.check_classes(batch)
        images, texts = self.encoders["image"](batch.image), self.sentences(batch)
        true, false = texts[: len(images)], texts[len(images) :]
        yield "encoders", self.loss(images, true, *([false] if len(false) else []))

    def sentences(self, batch) -> Tensor:
        """Embeddings of all sentences of a batch, true ones and false twins."""
        return self.encoders["text"](self.blurred(batch.tokens), batch.lengths)

    def reader(self, world: str = "birds") -> Reader:
        """Both encoders as they look and read: their averaged weights, at rest."""
        encoders = self.network("encoders").eval()
        return Reader(encoders["image"], encoders["text"], self.unit, world)


@dataclass(frozen=True)
class Reader:
    """Looks at pictures and reads captions, into one space.

    image: features (B, 256) of `seen` -> (B, D); text: an encoder with `of(batch)`;
    unit: embeddings get length 1, so that agreement is the cosine
    world: a key of KINDS, whose pictures and words they are
    """

    image: Callable[[Tensor], Tensor]
    text: nn.Module
    unit: bool = False
    world: str = "birds"

    @torch.no_grad()
    def see(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, H, W), bytes or in [-1, 1], to embeddings (B, D)."""
        return self.finished(self.image(seen(pictures, self.world).clone()))

    @torch.no_grad()
    def read(self, captions: list[str], correct: bool = True) -> Tensor:
        """Captions to embeddings (B, D).

        correct: whether likely typing errors are read as the words that were meant,
        where the encoder reads words; if not, they are unknown words, and so may all
        be. NoKnownWord or ValueError for a caption in which nothing can be read.
        """
        batch = Batch(torch.zeros(0), list(captions))
        if getattr(self.text, "reads", "words") == "words":
            words = KINDS[self.world].world.vocabulary()
            encode = words.encode if correct else partial(as_they_stand, words=words)
            batch.tokens, batch.lengths = encode(batch.caption)
        return self.finished(self.text.of(batch))

    def finished(self, rows: Tensor) -> Tensor:
        """Of length 1, where it is to be."""
        return F.normalize(rows, dim=1) if self.unit else rows

    def agreement(self, pictures: Tensor, captions: list[str]) -> Tensor:
        """How well every picture fits every caption: (pictures, captions)."""
        return self.see(pictures) @ self.read(captions).T


def as_they_stand(
    captions: list[str], words: Vocabulary | None = None
) -> tuple[Tensor, Tensor]:
    """Tokens (B, T) and lengths of captions whose typing errors nobody corrects.

    words: the vocabulary, the birds' by default
    """
    known = (words or vocabulary()).numbers
    rows = [
        torch.tensor([known.get(word, UNKNOWN) for word in split_words(c)[:MAX_WORDS]])
        for c in captions
    ]
    lengths = torch.tensor([len(row) for row in rows])
    return pad_sequence(rows, batch_first=True), lengths


def reader_of(encoder: nn.Module, count: int = 3000) -> Reader:
    """A shipped text encoder with an image side that is fitted to it at once.

    count: training birds that it is fitted on, a caption each. The image side that
    `JointEmbedding` trained doesn't ship. Here least squares guesses the embedding
    (`linear_image_encoder`), and the guess is divided by the covariance of what it
    misses: directions in which captions of one picture differ count less, as in
    Fisher's discriminant.
    """
    known = Birds("train", 32).all(count)
    features = seen(known.image).clone()
    with torch.no_grad():
        texts = encoder.of(known)
    guess = linear_image_encoder(features, texts, float(count))
    missed = texts - guess(features)
    spread = missed.T @ missed / count + 0.05 * torch.eye(texts.shape[1])
    weight = torch.linalg.inv(spread)
    return Reader(lambda some: guess(some) @ weight, encoder)


def text_encoder(name: str = "text_birds") -> TextEncoder:
    """A shipped text encoder, frozen, in evaluation mode."""
    network = SHIPPED[name].make()
    weights.load_into(network, name)
    return network.eval().requires_grad_(False)


def text_encoder_from(path: str | Path) -> TextEncoder:
    """The text encoder of a training of one's own, made ready for a GAN.

    path: a checkpoint of `t2i train joint_embedding`. CheckpointError if it is none.
    """
    return made_ready(path, JointEmbedding, "t2i train joint_embedding")


def made_ready(path: str | Path, kind: type, command: str, source=Birds):
    """The standardized, frozen text encoder of a checkpoint of that kind of system.

    source: of the captions that it was trained on.
    """
    system = checkpoint.rebuild(path, kind, command)
    encoder = system.network("encoders")["text"].eval()
    standardize(encoder, source("train", 32).all())
    return encoder.requires_grad_(False)


def linear_image_encoder(features: Tensor, texts: Tensor, strength: float = 1000.0):
    """An image encoder for a text encoder that rests: least squares, in closed form.

    features: (N, F) of pictures (`seen`); texts: (N, D) embeddings of their sentences;
    strength: of the ridge. Returns a function of features (A, F) to (A, D). It stands
    in for the one that `JointEmbedding` trains and that does not ship.
    """
    middle, offset = features.mean(0), texts.mean(0)
    spread = features - middle
    gram = spread.T @ spread + strength * torch.eye(features.shape[1])
    weight = torch.linalg.solve(gram, spread.T @ (texts - offset))
    return lambda some: (some - middle) @ weight + offset


def _misfit(encoder: TextEncoder, settings: dict) -> str:
    """Why a text encoder can't serve a GAN of these settings, or ""."""
    made, read = encoder.embedding, settings["embedding"]
    if made == read:
        return ""
    return f"makes {made} numbers of a sentence, this preset reads {read}"


def _make(preset: str, data: str, **changes) -> JointEmbedding:
    """For the world's words."""
    return JointEmbedding.from_preset(preset, words=len(vocabulary()), **changes)


# What a GAN reads captions with.
READER = Part(
    "text_encoder",
    "joint_embedding",
    called="text encoder",
    option="text",
    line="read captions with the text encoder of this checkpoint "
    "(made by t2i train joint_embedding, or char_cnn_rnn)",
    unused="reads no sentences",
    misfit=_misfit,
    also=("char_cnn_rnn",),
)
SYSTEMS = {
    "joint_embedding": SystemInfo(
        JointEmbedding,
        "08",
        "sentences and pictures in one space",
        {"birds": {}},
        draws="",
        make=_make,
        wrap=lambda birds, settings: FalseTwins(birds, settings["classes"]),
        serves=lambda system: system.network("encoders")["text"],
        from_checkpoint=text_encoder_from,
    )
}
SHIPPED = {
    "text_birds": Network(
        lambda: TextEncoder(len(vocabulary())), "birds", "joint_embedding", default=True
    ),
    "text_emoji": Network(
        lambda: TextEncoder(len(emoji.vocabulary())),
        "emoji",
        "joint_embedding",
        default=True,
    ),
    "features32": Network(
        partial(Oracle, 32), "birds", measure="t2i_course.measure.judges:reading"
    ),
    "flower_features32": Network(
        partial(Oracle, 32, 16, flower_species.ATTRIBUTES, largest=True),
        "flowers",
        measure="t2i_course.measure.judges:reading_flowers",
    ),
}
