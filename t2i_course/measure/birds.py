"""One report on a network that draws birds from captions."""

import numpy as np
import torch

from ..data import Batch
from ..drawing import from_sentences as draw
from ..worlds.birds import Birds
from .obedience import obedience
from .oracle import oracle
from .scores import diversity, oracle_frechet_distance, oracle_inception_score

__all__ = [
    "asked",
    "draw",
    "obedience_of",
    "report",
    "unseen_captions",
]


def unseen_captions(count: int = 1000, size: int = 32, seed: int = 0) -> Batch:
    """`count` captions of species that no network has seen, with their pictures."""
    birds = Birds("test", size)
    rng = np.random.default_rng((7, seed))
    chosen = rng.choice(len(birds), count, replace=count > len(birds))
    return birds.at(chosen, rng.integers(10, size=count))


def asked(sentences: list[str], named: np.ndarray, words=None) -> Batch:
    """Captions of one's own and what they name (B, A), as a batch without pictures.

    words: their vocabulary, the birds' by default
    """
    from ..worlds.birds import vocabulary

    tokens, lengths = (words or vocabulary()).encode(sentences)
    image = torch.zeros(len(sentences), 0)
    return Batch(image, list(sentences), tokens, lengths, named=torch.as_tensor(named))


def obedience_of(system, batch: Batch, seed: int = 0) -> dict[str, float]:
    """Obedience on a batch's captions, one picture each."""
    pictures = draw(system, batch, seed)
    return obedience(oracle(pictures.shape[-1]).read(pictures), batch.named)


def report(
    system, count: int = 1000, seed: int = 0, size: int = 32
) -> dict[str, float]:
    """Obedience, inception score, Frechet distance and diversity on unseen species.

    All by the oracle's features: not comparable with scores by an ImageNet network.
    """
    batch = unseen_captions(count, size, seed)
    reader = oracle(size)
    pictures = draw(system, batch, seed)
    found = obedience(reader.read(pictures), batch.named)
    real = batch.to("cpu").image
    found["inception score"] = oracle_inception_score(reader.kinds, pictures, splits=1)[
        0
    ]
    found["frechet distance"] = oracle_frechet_distance(reader.features, real, pictures)
    few = unseen_captions(50, size, seed + 1)
    many = draw(system, few, seed + 1, samples=8)
    found["diversity"] = diversity(many.view(50, 8, *many.shape[1:]))
    return {name: round(float(value), 4) for name, value in found.items()}
