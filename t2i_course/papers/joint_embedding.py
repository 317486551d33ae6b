"""Deep symmetric structured joint embedding: sentences and pictures in one space.

Reed, Akata, Lee, Schiele: Learning Deep Representations of Fine-Grained Visual
Descriptions, CVPR 2016; slide TM-10, eqs. (2)-(4). A text encoder and an image encoder
are trained together so that a sentence agrees more with pictures of its own class than
with any other picture, and a picture more with sentences of its own class. The text
encoder then serves, frozen, as the eyes that a GAN reads captions with (lesson 08).

Here sentences are words (the paper's word-CNN-RNN); lesson 07 has its characters.
"""

import torch
from torch import Tensor, nn

from .. import weights
from ..text.vocabulary import UNKNOWN
from ..training import System

__all__ = ["ImageEncoder", "JointEmbedding", "TextEncoder", "structured_loss", "text_encoder"]

PRESETS = {
    "smoke": {"size": 32, "width": 8, "word": 16, "hidden": 16, "embedding": 256,
              "classes": 16, "batch_size": 16, "steps": 4},
    "cpu": {"size": 32, "width": 16, "word": 64, "hidden": 192, "embedding": 256,
            "classes": 100, "batch_size": 100, "steps": 2000},
    "gpu": {"size": 64, "width": 48, "word": 128, "hidden": 256, "embedding": 512,
            "classes": 150, "batch_size": 150, "steps": 10000},
    "paper": {"size": 224, "width": 64, "word": 384, "hidden": 256, "embedding": 1024,
              "classes": 40, "batch_size": 40, "steps": 45000},
}  # fmt: skip


class TextEncoder(nn.Module):
    """Word vectors, a convolution over three words, a recurrent network, their mean.

    words: size of the vocabulary; word, hidden: widths; embedding: size of the result
    """

    def __init__(self, words: int, word: int = 64, hidden: int = 192, embedding: int = 256):
        super().__init__()
        self.embedding = embedding
        self.word_vectors = nn.Embedding(words, word, padding_idx=0)
        self.phrases = nn.Conv1d(word, hidden, 3, padding=1)
        self.reading = nn.GRU(hidden, hidden, batch_first=True)
        self.out = nn.Linear(hidden, embedding)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Sentences (B, T) with their lengths (B,) to (B, embedding).

        The mean runs over a sentence's own words: padding changes nothing.
        """
        own = (torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]).unsqueeze(2)
        vectors = self.word_vectors(tokens) * own
        phrases = self.phrases(vectors.transpose(1, 2)).transpose(1, 2).relu() * own
        states, _ = self.reading(phrases)
        mean = (states * own).sum(1) / lengths[:, None]
        return self.out(mean)


class ImageEncoder(nn.Module):
    """A small convolutional network; pictures (B, 3, S, S) to (B, embedding).

    The paper uses GoogLeNet's features, trained on ImageNet; this learns from birds.
    """

    def __init__(self, size: int = 32, width: int = 32, embedding: int = 256):
        super().__init__()
        layers, channels, side = [], 3, size
        while side > 4:
            out = width if channels == 3 else min(2 * channels, 4 * width)
            layers += [nn.Conv2d(channels, out, 4, 2, 1), nn.BatchNorm2d(out), nn.ReLU()]
            layers += [nn.Conv2d(out, out, 3, 1, 1), nn.BatchNorm2d(out), nn.ReLU()]
            channels, side = out, side // 2
        self.trunk = nn.Sequential(*layers)
        self.out = nn.Sequential(nn.Dropout(0.2), nn.Linear(channels * side * side, embedding))

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures in [-1, 1] to embeddings."""
        return self.out(self.trunk(pictures).flatten(1))


def structured_loss(images: Tensor, texts: Tensor, margin: float = 1.0) -> Tensor:
    """The hinge that stands in for the 0-1 loss of eq. (2), both ways.

    images, texts: (B, D) embeddings of B different classes, row i of class i. Every
    other picture and every other sentence should agree less than the pair's own, by
    the margin: mean of max(0, margin + F(v_j, t_i) - F(v_i, t_i)) over j, and of the
    same with the sentence exchanged, where F is the dot product. Returns a scalar.
    """
    agreement = images @ texts.T
    own = agreement.diagonal()
    wrong_text = (margin + agreement - own[:, None]).relu()
    wrong_image = (margin + agreement - own[None, :]).relu()
    others = 1 - torch.eye(len(images), device=images.device)
    return ((wrong_text + wrong_image) * others).mean()


class JointEmbedding(System):
    """Both encoders as one player; batches hold one picture and sentence a class."""

    players = ("encoders",)
    averaged = ("encoders",)
    learning_rate = 1e-3
    betas = (0.9, 0.999)

    def __init__(self, words=155, size=32, width=16, word=64, hidden=192, embedding=256,
                 steps=2000):  # fmt: skip
        super().__init__()
        self.steps = steps
        self.encoders = nn.ModuleDict({
            "image": ImageEncoder(size, width, embedding),
            "text": TextEncoder(words, word, hidden, embedding),
        })  # fmt: skip

    def learning_rate_factor(self, step: int) -> float:
        """Linear, down to a fiftieth."""
        return max(1 - step / self.steps, 0.02)

    def blurred(self, tokens: Tensor) -> Tensor:
        """Some words made unknown, as words that nobody taught will be later."""
        lost = torch.rand(tokens.shape, device=tokens.device, generator=self.rng) < 0.04
        return torch.where(lost & (tokens > 0), UNKNOWN, tokens)

    def round(self, batch):
        """One turn: both encoders down the structured loss."""
        images = self.encoders["image"](batch.image)
        texts = self.encoders["text"](self.blurred(batch.tokens), batch.lengths)
        yield "encoders", structured_loss(images, texts)


def text_encoder(name: str = "text_birds", words: int = 155) -> TextEncoder:
    """A shipped text encoder, frozen, in evaluation mode."""
    network = TextEncoder(words)
    weights.load_into(network, name)
    return network.eval().requires_grad_(False)
