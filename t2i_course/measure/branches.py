"""Pictures of all branches of a tree of generators, and reports on them (lesson 10)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..data import Batch
from ..drawing import PART, noise_rows
from .birds import report as of_sentences
from .birds import unseen_captions
from .dcgan import draw, quality
from .obedience import obedience
from .oracle import oracle
from .samples import detail
from .stages import shrunk

__all__ = [
    "apart", "branches", "by_branch", "real_branches", "report", "report_alone", "told",
    "who_decides",
]  # fmt: skip


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
def told(system, texts: Sequence[Tensor], noise: Tensor) -> tuple[Tensor, ...]:
    """Pictures of each branch, where each is told a sentence of its own.

    texts: embeddings (B, D), one for each branch, of F_0 first; noise (B, noise_size):
    all conditions are drawn with its eps.
    """
    tree = system.network("generator").eval()
    z, eps = noise[:, : tree.z_size], noise[:, tree.z_size :]
    first, *others = (tree.augmentation(text, eps)[0] for text in texts)
    features = [tree.first(torch.cat([first, z], 1))]
    for branch, c in zip(tree.others, others):
        features.append(branch(features[-1], c))
    return tuple(make(h) for make, h in zip(tree.to_pictures, features))


def apart(system, those: Sequence[int], count: int, seed: int) -> tuple[float, float]:
    """Obedience of the largest pictures to either sentence, if two are told.

    The first is what the branches `those` are told, the second what all others are.
    Both are captions of unseen species, matched by lots.
    """
    tree = system.network("generator").eval()
    batch, made = unseen_captions(count, tree.size, seed), []
    text = system.text_encoder.of(batch)
    noise = noise_rows(seed, count, tree.noise_size)
    parts = (x.split(PART) for x in (text, text.roll(1, 0), noise))
    for one, other, lots in zip(*parts):
        texts = [one if i in those else other for i in range(len(tree.sizes))]
        made.append(told(system, texts, lots)[-1].float().cpu())
    seen, named = oracle(tree.size).read(torch.cat(made)), batch.named
    found = (obedience(seen, which)["all"] for which in (named, named.roll(1, 0)))
    return tuple(round(float(value), 4) for value in found)


def who_decides(system, count: int = 2000, seed: int = 0) -> dict[str, float]:
    """Obedience to F_0's sentence, and to another that all later branches are told."""
    return dict(zip(("F_0's", "others'"), apart(system, [0], count, seed)))


def by_branch(system, count: int = 2000, seed: int = 0) -> dict[str, float]:
    """Obedience to the sentence of all branches but one, by which one is told another.

    "none" is told another at first. What a branch takes away it had to say.
    """
    number = len(system.network("generator").sizes)
    ways = {"none": []} | {f"F_{i}": [i] for i in range(number)}
    return {name: apart(system, those, count, seed)[1] for name, those in ways.items()}


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
