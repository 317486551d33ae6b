"""How networks draw: from sentences, from noise alone, or from classes.

One function for each kind in `declarations.DRAWS`; all take a batch that asks, and
return pictures in [-1, 1] on the CPU. The same seed draws the same.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .data import Batch

__all__ = ["PROTOCOLS", "from_classes", "from_noise", "from_sentences", "unasked"]

PART = 250  # pictures drawn at a time


@torch.inference_mode()
def from_sentences(system, batch: Batch, seed: int = 0, samples: int = 1) -> Tensor:
    """Pictures (B * samples, 3, S, S) for a batch's captions; samples adjoin.

    system: has `text_encoder` and a player "generator" of noise and text.
    """
    device = system.device
    network = system.network("generator").eval()
    made, rng = [], torch.Generator().manual_seed(seed)
    for i in range(0, len(batch.lengths), PART):
        part = slice(i, i + PART)
        text = system.text_encoder(
            batch.tokens[part].to(device), batch.lengths[part].to(device)
        )
        text = text.repeat_interleave(samples, 0)
        noise = torch.randn(len(text), network.noise_size, generator=rng)
        made.append(network(noise.to(device), text).float().cpu())
    return torch.cat(made)


def from_noise(system, batch: Batch, seed: int = 0, samples: int = 1) -> Tensor:
    """As many pictures as the batch has rows, times `samples`; by `sample(count)`."""
    system.rng = torch.Generator(system.device).manual_seed(seed)
    count = len(batch) * samples
    parts = [min(PART, count - done) for done in range(0, count, PART)]
    return torch.cat([system.sample(part).cpu() for part in parts])


def from_classes(system, batch: Batch, seed: int = 0, samples: int = 1) -> Tensor:
    """Pictures (B * samples, ...) of a batch's classes; `sample(class_id, count)`."""
    system.rng = torch.Generator(system.device).manual_seed(seed)
    kinds = batch.class_id.to(system.device).repeat_interleave(samples)
    made = [system.sample(part, count=len(part)) for part in kinds.split(PART)]
    return torch.cat([part.cpu() for part in made])


def unasked(count: int) -> Batch:
    """A batch of `count` rows that asks for nothing in particular."""
    return Batch(torch.zeros(count, 0))


PROTOCOLS = {
    "sentences": from_sentences,
    "noise": from_noise,
    "classes": from_classes,
}
