"""Editors for tests: SISGAN's networks untrained, and one that does what it is told."""

import torch
from torch import nn

from t2i_course.papers.sisgan import Sisgan
from t2i_course.papers.vse import GruEncoder
from t2i_course.worlds.birds import Birds


def untrained(kind=Birds):
    """SISGAN at the smoke preset, for the words of a world."""
    torch.manual_seed(0)
    reader = GruEncoder(len(kind.world.vocabulary()), 16, 256)
    return Sisgan.from_preset("smoke", text_encoder=reader).eval().requires_grad_(False)


class Tinter(nn.Module):
    """Makes a corner of the picture as bright as sentence and noise say."""

    size, noise_size = 32, 4

    def forward(self, pictures, text, noise):
        made = pictures.clone()
        bright = (text.sum(1) + noise.sum(1)).tanh()
        made[:, :, :8, :8] = bright[:, None, None, None]
        return made


class Words(nn.Module):
    """Sentences (B, 1): the sine of the sum of their words' numbers."""

    def of(self, batch):
        return batch.tokens.float().sum(1, keepdim=True).sin()


class Toy(nn.Module):
    """A system with the protocol of editors, and nothing more."""

    players = ("generator",)
    device = torch.device("cpu")

    def __init__(self, generator=None):
        super().__init__()
        self.generator, self.text_encoder = generator or Tinter(), Words()

    def network(self, name):
        return {"generator": self.generator}[name]


class Wanted(Tinter):
    """Knows the wanted picture (1, 3, S, S), and goes a share of the way there."""

    def __init__(self, wanted, share=1.0):
        super().__init__()
        self.wanted, self.share = wanted, share

    def forward(self, pictures, text, noise):
        return torch.lerp(pictures, self.wanted.expand_as(pictures), self.share)
