"""Pictures of all branches of a tree of generators, and reports on them (lesson 10)."""

from __future__ import annotations

import torch
from torch import Tensor

from ..data import Batch
from ..drawing import PART, noise_rows
from ..papers.stackgan_v2 import branch_features
from .birds import report as of_sentences
from .birds import unseen_captions
from .dcgan import draw, quality
from .obedience import obedience
from .oracle import oracle
from .samples import detail
from .stages import shrunk

__all__ = ["branches", "real_branches", "report", "report_alone", "told", "who_decides"]


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


@torch.inference_mode()
def told(system, first: Tensor, later: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
    """Pictures of each branch, where F_0 is told one sentence and the rest another.

    first, later: embeddings (B, D); noise (B, noise_size): both are drawn with its eps.
    """
    tree = system.network("generator").eval()
    z, eps = noise[:, : tree.z_size], noise[:, tree.z_size :]
    c, other = (tree.augmentation(text, eps)[0] for text in (first, later))
    started = tree.first(torch.cat([c, z], 1))
    features = branch_features(lambda _: started, tree.others, z, other)
    return tuple(make(h) for make, h in zip(tree.to_pictures, features))


def who_decides(system, count: int = 2000, seed: int = 0) -> dict[str, float]:
    """Obedience of the largest pictures to either sentence, if two are told.

    "F_0's": to the one that F_0 is told; "others'": to the one that all later branches
    are told. Both are captions of unseen species, matched by lots.
    """
    tree = system.network("generator").eval()
    batch, made = unseen_captions(count, tree.size, seed), []
    text = system.text_encoder.of(batch)
    noise = noise_rows(seed, count, tree.noise_size)
    parts = (x.split(PART) for x in (text, text.roll(1, 0), noise))
    for one, other, lots in zip(*parts):
        made.append(told(system, one, other, lots)[-1].float().cpu())
    seen = oracle(tree.size).read(torch.cat(made))
    found = {"F_0's": obedience(seen, batch.named)["all"],
             "others'": obedience(seen, batch.named.roll(1, 0))["all"]}  # fmt: skip
    return {name: round(float(value), 4) for name, value in found.items()}


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
