"""Deep symmetric structured joint embedding: sentences and pictures in one space.

Reed, Akata, Lee, Schiele: Learning Deep Representations of Fine-Grained Visual
Descriptions, CVPR 2016; slide TM-10, eqs. (2)-(4). A text encoder and an image encoder
are trained together so that a sentence agrees more with pictures of its own class than
with any other picture, and a picture more with sentences of its own class. The text
encoder then serves, frozen, as the eyes that a GAN reads captions with (lesson 08).

Here sentences are words (the paper's word-CNN-RNN); lesson 07 has its characters.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import weights
from ..text.vocabulary import UNKNOWN
from ..training import System
from ..worlds.bird_captions import untrue
from ..worlds.bird_species import PLUMAGES, SPECIES

__all__ = [
    "FalseTwins",
    "Features",
    "JointEmbedding",
    "TextEncoder",
    "standardize",
    "structured_loss",
    "text_encoder",
]

PRESETS = {
    "smoke": {
        "size": 32,
        "width": 8,
        "word": 16,
        "hidden": 16,
        "embedding": 256,
        "classes": 16,
        "batch_size": 16,
        "steps": 4,
    },
    "cpu": {
        "size": 32,
        "width": 16,
        "word": 64,
        "hidden": 192,
        "embedding": 256,
        "classes": 150,
        "batch_size": 150,
        "steps": 2000,
    },
    "gpu": {
        "size": 64,
        "width": 48,
        "word": 128,
        "hidden": 256,
        "embedding": 512,
        "classes": 150,
        "batch_size": 150,
        "steps": 10000,
    },
    "paper": {
        "size": 224,
        "width": 64,
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
    species is measured by benchmarks/train_text.py.

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


@torch.no_grad()
def standardize(encoder: TextEncoder, tokens: Tensor, lengths: Tensor) -> None:
    """Give every number of the embedding mean 0 and variance 1 over these sentences.

    A linear change, folded into the last layer: beside noise N(0, 1) a generator would
    not hear embeddings whose numbers are a twentieth as large.
    """
    values = encoder(tokens, lengths)
    scale = values.std(0).clamp_min(1e-4)
    encoder.out.weight /= scale[:, None]
    encoder.out.bias.sub_(values.mean(0)).div_(scale)


class Features(nn.Module):
    """A small convolutional network; pictures (B, 3, S, S) to (B, count), normalized.

    The paper's features are GoogLeNet's, trained to name what ImageNet's pictures show;
    these are trained to name what is on the world's pictures.
    """

    def __init__(self, size: int = 32, width: int = 32):
        super().__init__()
        layers, channels, side = [], 3, size
        while side > 4:
            out = width if channels == 3 else min(2 * channels, 4 * width)
            layers += [
                nn.Conv2d(channels, out, 4, 2, 1),
                nn.BatchNorm2d(out),
                nn.ReLU(),
            ]
            layers += [nn.Conv2d(out, out, 3, 1, 1), nn.BatchNorm2d(out), nn.ReLU()]
            channels, side = out, side // 2
        self.count = channels * side * side
        self.look = nn.Sequential(*layers)
        self.normalize = nn.BatchNorm1d(self.count, affine=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures in [-1, 1] to features."""
        return self.normalize(self.look(pictures).flatten(1))


def structured_loss(
    images: Tensor, texts: Tensor, untrue: Tensor | None = None, margin: float = 1.0
) -> Tensor:
    """The hinge that stands in for the 0-1 loss of eq. (2), both ways.

    images, texts: (B, D) embeddings of B different classes, row i of class i. Every
    other picture and every other sentence should agree less than the pair's own, by
    the margin: mean of max(0, margin + F(v_j, t_i) - F(v_i, t_i)) over j, and of the
    same with the sentence exchanged, where F is the dot product. untrue: (B, D), for
    each picture a sentence in which one colour is wrong, treated alike. A scalar.
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


class FalseTwins:
    """Batches of one bird and sentence a species, and each sentence's false twin.

    The 2B rows of tokens are B true sentences, then B in which one colour is wrong
    (worlds.bird_captions.untrue): 150 species alone hardly ever differ in one wing.
    class_id: what the bird wears, species * PLUMAGES + plumage.
    """

    def __init__(self, birds, classes: int):
        self.birds, self.batch_size = birds, classes

    def batch(self, step: int, rank: int = 0, world: int = 1):
        """The batch of `step`; see data.Source."""
        batch, seeds = self.birds.distinct(step * world + rank, self.batch_size)
        twins = [
            untrue(row.numpy(), seed) for row, seed in zip(batch.attributes, seeds)
        ]
        worn = [species * PLUMAGES + i % PLUMAGES for species, i, _ in seeds]
        tokens, lengths = self.birds.vocabulary.encode(twins)
        longest = max(batch.tokens.shape[1], tokens.shape[1])
        rows = [F.pad(t, (0, longest - t.shape[1])) for t in (batch.tokens, tokens)]
        return replace(
            batch,
            tokens=torch.cat(rows),
            lengths=torch.cat([batch.lengths, lengths]),
            class_id=torch.tensor(worn),
        )


class JointEmbedding(System):
    """Features that learn to name pictures; on top of them both encoders, one player.

    Batches hold one picture and sentence a class; class_id says what is to be named,
    one of `kinds`. In the paper the features have learned that before, from ImageNet.
    """

    players = ("naming", "encoders")
    averaged = ("encoders",)
    average_decay = 0.99
    learning_rate = 1e-3
    betas = (0.9, 0.999)

    def __init__(
        self,
        words=153,
        size=32,
        width=16,
        word=64,
        hidden=192,
        embedding=256,
        steps=1500,
        kinds=SPECIES * PLUMAGES,
    ):
        super().__init__()
        self.steps = steps
        features = Features(size, width)
        names = nn.Linear(features.count, kinds)
        self.naming = nn.ModuleDict({"features": features, "names": names})
        image = nn.Sequential(nn.Dropout(0.5), nn.Linear(features.count, embedding))
        text = TextEncoder(words, word, hidden, embedding)
        self.encoders = nn.ModuleDict({"image": image, "text": text})

    def learning_rate_factor(self, step: int) -> float:
        """Linear, down to a fiftieth."""
        return max(1 - step / self.steps, 0.02)

    def blurred(self, tokens: Tensor) -> Tensor:
        """Some words made unknown, as words that nobody taught will be later."""
        lost = torch.rand(tokens.shape, device=tokens.device, generator=self.rng) < 0.04
        return torch.where(lost & (tokens > 0), UNKNOWN, tokens)

    def shifted(self, pictures: Tensor) -> Tensor:
        """All moved alike by up to two pixels: places are not to learn."""
        by = torch.randint(-2, 3, (2,), device=self.device, generator=self.rng)
        places = torch.arange(pictures.shape[-1], device=self.device)
        rows, columns = ((places - move) % len(places) for move in by)
        return pictures[:, :, rows][..., columns]

    def round(self, batch):
        """The features learn names, then both encoders go down the structured loss."""
        seen = self.naming["features"](self.shifted(batch.image))
        yield "naming", F.cross_entropy(self.naming["names"](seen), batch.class_id)
        images = self.encoders["image"](seen.detach())
        texts = self.encoders["text"](self.blurred(batch.tokens), batch.lengths)
        true, false = texts[: len(images)], texts[len(images) :]
        loss = structured_loss(images, true, false if len(false) else None)
        yield "encoders", loss

    def embed_pictures(self, pictures: Tensor) -> Tensor:
        """Pictures in [-1, 1] to (B, embedding), by the averaged encoder."""
        return self.network("encoders")["image"](self.naming["features"](pictures))


def text_encoder(name: str = "text_birds") -> TextEncoder:
    """A shipped text encoder, frozen, in evaluation mode."""
    words, word = weights.load(name)["word_vectors.weight"].shape
    network = TextEncoder(words, word)
    weights.load_into(network, name)
    return network.eval().requires_grad_(False)
