"""Pictures of all branches of a tree of generators, and reports on them (lesson 10)."""

from __future__ import annotations

import torch
from torch import Tensor

from ..data import Batch
from ..drawing import PART, noise_rows
from .birds import report as of_sentences
from .birds import unseen_captions
from .dcgan import draw, quality
from .samples import detail
from .stages import shrunk

__all__ = ["branches", "real_branches", "report", "report_alone"]


@torch.inference_mode()
def branches(
    system, batch: Batch | None = None, count: int = 8, seed: int = 0
) -> list[Tensor]:
    """The pictures of each branch, (B, 3, s, s) each, smallest first.

    Of a batch's captions; without a batch `count` of a system that reads none.
    """
    network, parts = system.network("generator").eval(), []
    count = count if batch is None else len(batch.lengths)
    noise = noise_rows(seed, count, network.noise_size).split(PART)
    text = [None] * len(noise)
    if batch is not None:
        text = system.text_encoder.of(batch).split(PART)
    for z, words in zip(noise, text):
        drawn, *_ = network.draw(z.to(system.device), words)
        parts.append([pictures.float().cpu() for pictures in drawn])
    return [torch.cat(pictures) for pictures in zip(*parts)]


def real_branches(count: int = 2000, sizes=(16, 32, 64), seed: int = 0) -> list[Tensor]:
    """Real birds of unseen species at each size, each pixel the mean of a square."""
    image = unseen_captions(count, max(sizes), seed).to("cpu").image
    return [shrunk(image, size) for size in sizes]


def report(system, count: int = 2000, seed: int = 0) -> dict[str, float]:
    """`birds.report` of the largest pictures, and their detail."""
    size = system.network("generator").size
    found = of_sentences(system, count, seed, size)
    pictures = branches(system, unseen_captions(count, size, seed), seed=seed)[-1]
    return found | {"detail": round(float(detail(pictures)), 4)}


def report_alone(system, count: int = 2000, seed: int = 0) -> dict[str, float]:
    """Scores and detail of pictures that nobody asked for."""
    pictures = draw(system, count, seed)
    found = quality(pictures)
    return {"inception score": found["score"], "frechet distance": found["distance"],
            "detail": round(float(detail(pictures)), 4)}  # fmt: skip
