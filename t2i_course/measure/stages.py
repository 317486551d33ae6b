"""A sketch, and what stage II makes of it: added, kept, mended (lesson 09)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..data import Batch
from ..drawing import PART, noise_rows
from .birds import unseen_captions
from .obedience import obedience
from .oracle import oracle
from .samples import detail
from .style import READ, ruler

__all__ = ["compared", "enlarged", "pairs", "report", "shrunk"]


@torch.inference_mode()
def pairs(system, batch: Batch, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Stage I's sketches (B, 3, s, s) and stage II's pictures (B, 3, S, S) of them."""
    network, sketches, pictures = system.network("generator").eval(), [], []
    noise = noise_rows(seed, len(batch.lengths), network.noise_size)
    own = network.sketcher.noise_size
    for part, text in zip(noise.split(PART), system.text_encoder.of(batch).split(PART)):
        sketches.append(network.sketch(part, text))
        pictures.append(network.refine(sketches[-1], text, part[:, own:])[0])
    return torch.cat(sketches), torch.cat(pictures)


def shrunk(pictures: Tensor, size: int) -> Tensor:
    """Pictures at a smaller size, each pixel the mean of a square of them."""
    return F.adaptive_avg_pool2d(pictures, size)


def report(system, count: int = 2000, seed: int = 0) -> dict[str, float]:
    """`compared`, of stage I's sketches and stage II's pictures of unseen captions."""
    batch = unseen_captions(count, 64, seed)
    return compared(*pairs(system, batch, seed), batch.named)


def compared(sketches: Tensor, pictures: Tensor, named: Tensor) -> dict[str, float]:
    """Obedience of sketch and picture, what of the sketch was kept, and the detail.

    sketches (B, 3, s, s) and larger pictures (B, 3, S, S) of them; named (B, A).
    "kept": of the attributes that the oracle reads in the sketch, the share that it
    reads in the picture; "mended": of the named ones that the sketch missed, the share
    that the picture has right; "spoiled": of those that the sketch had right, the share
    that it has wrong. "place": the correlation of the bird's place and direction.
    """
    small, large = sketches.shape[-1], pictures.shape[-1]
    before, after = oracle(small).read(sketches), oracle(large).read(pictures)
    right = [(seen == named)[named >= 0] for seen in (before, after)]
    found = {f"sketch, {k}": v for k, v in obedience(before, named).items()}
    found |= obedience(after, named)
    found["kept"] = (before == after).float().mean()
    found["mended"] = right[1][~right[0]].float().mean()
    found["spoiled"] = (~right[1])[right[0]].float().mean()
    found["place"] = same_place(sketches, pictures)
    found["detail"], found["sketch, detail"] = (
        detail(pictures),
        detail(enlarged(sketches, large)),
    )
    return {name: round(float(value), 4) for name, value in found.items()}


def enlarged(pictures: Tensor, size: int = 64) -> Tensor:
    """Pictures at a larger size, interpolated."""
    made = F.interpolate(pictures, size=size, mode="bilinear", align_corners=False)
    return made.clamp(-1, 1)


def same_place(sketches: Tensor, pictures: Tensor) -> float:
    """The mean correlation of direction, tilt and place, read by two rulers."""
    columns = [READ.index(name) for name in ("flip", "tilt", "x", "y")]
    one, other = (
        ruler(p.shape[-1]).read(p)[:, columns].double() for p in (sketches, pictures)
    )
    one, other = ((t - t.mean(0)) / t.std(0).clamp_min(1e-12) for t in (one, other))
    return float((one * other).mean())
