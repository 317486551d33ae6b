"""GAN-CLS as an editor: a picture's style, and another sentence (lessons 08 and 14).

Reed et al. 2016, eq. (6); slide TM-12, and the first row of slide TM-13's table. The
style encoder turns a picture into the noise that would have drawn it; the generator
draws that noise with the new sentence. What the noise doesn't hold is lost.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..training import System
from .gan_cls import GanCls, StyleEncoder  # the paper's two halves

__all__ = ["StyleEditor"]


class Restyled(nn.Module):
    """x' = G(S(x), phi(t)), with the signature of an editor's generator.

    noise: (B, noise_size), which is added to the style where some is wanted.
    """

    def __init__(self, generator: nn.Module, style: StyleEncoder):
        super().__init__()
        self.generator, self.style = generator, style
        self.size, self.noise_size = generator.size, generator.noise_size

    def forward(self, pictures: Tensor, text: Tensor, noise: Tensor | None = None):
        """Pictures (B, 3, size, size), drawn anew as embeddings (B, D) say."""
        return self.generator(self.style(pictures), text)


class StyleEditor(System):
    """A trained GAN-CLS and its style encoder, as one system that changes pictures."""

    players = ("generator",)

    def __init__(self, gan: GanCls, style: StyleEncoder):
        super().__init__()
        self.text_encoder = gan.text_encoder
        self.generator = Restyled(gan.network("generator"), style)

    @torch.no_grad()
    def sample(self, pictures: Tensor, text: Tensor, noise=None) -> Tensor:
        """Pictures in [-1, 1], drawn anew; noise isn't used: a style is one."""
        return self.network("generator").eval()(pictures, text)
