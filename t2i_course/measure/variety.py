"""Where the variety of one caption's pictures comes from, and how even its meaning is.

For generators of StackGAN's kind, whose noise is z and then the eps of conditioning
augmentation, and whose condition c can be given by hand. Lessons 09 and 10.
"""

from __future__ import annotations

from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from ..data import Batch
from ..drawing import noise_rows
from ..inside.latent import lerp, path, smoothness
from ..worlds.birds import Birds
from .oracle import oracle
from .scores import diversity
from .style import ruler

__all__ = [
    "all_lots", "both_ways", "by_lot", "drawn_with", "evenness", "fitting",
    "plumages", "share_both", "walks",
]  # fmt: skip


def plumages(size: int = 32, kinds: int = 50, many: int = 8) -> Tensor:
    """Real birds (kinds, many, 3, S, S), of one species and one plumage in each row.

    Every sixth bird of a species wears the same. They differ in style alone, so a
    caption's pictures, of which it leaves more open, may differ more: see `fitting`.
    """
    chosen = [60 * kind + 6 * bird for kind in range(kinds) for bird in range(many)]
    batch = Birds("test", size).at(chosen, [0] * len(chosen)).to("cpu")
    return batch.image.view(kinds, many, 3, size, size)


def fitting(batch: Batch, size: int = 64, many: int = 8, seed: int = 0) -> Tensor:
    """Real unseen birds (B', many, 3, S, S) of which a caption is true, a row each.

    Drawn by lot for the B' captions of the batch that fit `many` birds or more.
    """
    birds, rng = Birds("test", size), np.random.default_rng((23, seed))
    named, content = batch.named[:, None].cpu(), torch.as_tensor(birds.content)
    fits = ((named < 0) | (named == content)).all(2)
    chosen = [rng.choice(row.nonzero()[:, 0], many, replace=False)
              for row in fits if row.sum() >= many]  # fmt: skip
    image = birds.at(np.concatenate(chosen), [0] * len(chosen) * many).to("cpu").image
    return image.view(len(chosen), many, 3, size, size)


def both_ways(pictures: Tensor) -> float:
    """The share of captions whose pictures show birds that look left and right.

    pictures: (B, N, 3, S, S), N of each caption. By lots it is 1 - 2^(1 - N): 0.88 for
    four, 0.99 for eight. Read by the ruler of lesson 08.
    """
    facing = ruler(pictures.shape[-1]).read(pictures.flatten(0, 1))[:, 0] > 0
    return share_both(facing.view(pictures.shape[:2]))


def share_both(facing: Tensor) -> float:
    """The share of rows of facing (B, N) bool that hold both True and False."""
    return (facing.any(1) & ~facing.all(1)).float().mean().item()


@torch.inference_mode()
def drawn_with(system, batch: Batch, noise: Tensor) -> Tensor:
    """Pictures (B, N, 3, S, S) of a batch's captions, with noise (B, N, noise_size)."""
    network = system.network("generator").eval()
    text = system.text_encoder.of(batch)
    many = noise.shape[1]
    made = [
        network(some.flatten(0, 1), words.repeat_interleave(many, 0)).cpu()
        for some, words in zip(noise.split(25), text.split(25))
    ]
    pictures = torch.cat(made)
    return pictures.view(*noise.shape[:2], *pictures.shape[1:])


def all_lots(system, captions: int, many: int, seed: int = 0) -> Tensor:
    """Noise (captions, many, noise_size) for `drawn_with`, all of it drawn."""
    size = system.network("generator").noise_size
    return noise_rows(seed, captions * many, size).view(captions, many, size)


def by_lot(system, batch: Batch, many: int = 8, seed: int = 0) -> dict[str, float]:
    """Diversity within a caption by what is drawn anew: z, eps, or both.

    What isn't drawn anew is the same in all pictures of a caption. Figure 7 of the
    StackGAN paper, slide TM-16.
    """
    noise, z = all_lots(system, len(batch.lengths), many, seed), z_size(system)
    first, kept = noise[:, :1].expand_as(noise), {}
    kept["z"] = torch.cat([noise[..., :z], first[..., z:]], 2)
    kept["eps"] = torch.cat([first[..., :z], noise[..., z:]], 2)
    kept["z and eps"] = noise
    return {name: float(diversity(drawn_with(system, batch, lots)))
            for name, lots in kept.items()}  # fmt: skip


def z_size(system) -> int:
    """How many numbers of the noise are z, the rest being eps."""
    return getattr(system.network("generator"), "sketcher",
                   system.network("generator")).z_size  # fmt: skip


@torch.inference_mode()
def walks(system, batch: Batch, stops: int = 21, seed: int = 0) -> Tensor:
    """Pictures (W, stops, 3, S, S) on straight ways in c, z held on each.

    From mu of each caption of the batch's first half to mu of one of its second half.
    """
    network = system.network("generator").eval()
    means, _ = network.augmentation.spread(system.text_encoder.of(batch))
    half = len(means) // 2
    lots = noise_rows(seed, half, network.z_size)
    return torch.stack([
        network.paint(path(one, other, stops, lerp), z.expand(stops, -1))
        for one, other, z in zip(means[:half], means[half:], lots)
    ])  # fmt: skip


def evenness(system, batch: Batch, stops: int = 21, seed: int = 0) -> float:
    """How evenly pictures change on `walks`, as the oracle sees it. Lesson 09.

    The mean of `inside.latent.smoothness`: 1 where all steps are alike, 1 / (stops - 1)
    where everything changes at once.
    """
    reader = oracle(system.network("generator").size)
    ways = walks(system, batch, stops, seed)
    return fmean(smoothness(reader.features(pictures)) for pictures in ways)
