"""What a generator does where places hear padding: the released mask (lesson 11).

AttnGAN's release lays the masks of a batch over its scores in a wrong order, so that a
place is masked as another caption of its batch (`papers.attngan`). What is drawn then
depends on the captions beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data import Batch
from ..drawing import noise_rows
from .birds import unseen_captions
from .obedience import obedience
from .oracle import oracle
from .pointing import mean, some_of

__all__ = ["LENGTHS", "Heard", "by_length", "heard", "in_batches", "masked", "padding"]

LENGTHS = {"8 words or fewer": (1, 8), "9 to 16 words": (9, 16),
           "17 words or more": (17, 99)}  # fmt: skip


@contextmanager
def masked(network, mask: str) -> Iterator[None]:
    """Within this block places of a generator that looks at words have that mask."""
    parts = [m for m in network.modules() if isinstance(getattr(m, "mask", 0), str)]
    before = [part.mask for part in parts]
    for part in parts:
        part.mask = mask
    try:
        yield
    finally:
        for part, mask in zip(parts, before):
            part.mask = mask


@dataclass
class Heard:
    """What was drawn in batches, and what places heard.

    pictures: (B, 3, S, S); padding: (stages, B), the share of a caption's attention
    that padding gets; where: (B, H, W), that share at each place of the last stage;
    unheard: (stages, B), of pairs of a place and an own word the share that is masked.
    """

    pictures: Tensor
    padding: Tensor
    where: Tensor
    unheard: Tensor


@torch.inference_mode()
def in_batches(
    system, batch: Batch, mask: str = "words", many: int = 32, seed: int = 0,
    order: Tensor | None = None,
) -> Heard:  # fmt: skip
    """Draw a batch's captions `many` at a time, with that mask.

    order: (B,) of the captions, 0, 1, 2, ... unless named; what comes back is in the
    batch's own order, and the noise of a caption is the same in any.
    """
    network, count = system.network("generator").eval(), len(batch.lengths)
    noise = noise_rows(seed, count, network.noise_size)
    order = torch.arange(count) if order is None else order
    parts = []
    with masked(network, mask):
        for rows in order.split(many):
            text = system.text_encoder.of(some_of(batch, rows))
            drawn, looked = network.look(noise[rows].to(text.device), text)
            maps = [each.cpu() for each in looked]
            parts.append((drawn[-1].cpu(), *heard(maps, batch.lengths[rows].cpu())))
    pictures, where, padding, unheard = (list(each) for each in zip(*parts))
    back = order.argsort()
    return Heard(torch.cat(pictures)[back], torch.cat(padding, 1)[:, back],
                 torch.cat(where)[back], torch.cat(unheard, 1)[:, back])  # fmt: skip


def heard(maps: list[Tensor], lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`Heard.where`, `padding`, `unheard`, of attention (B, T, H, W) a stage."""
    own = torch.arange(maps[0].shape[1]) < lengths[:, None]
    beyond = [(m * ~own[:, :, None, None]).sum(1) for m in maps]
    masked = [((m == 0).float().mean((2, 3)) * own).sum(1) / lengths for m in maps]
    shares = torch.stack([share.mean((1, 2)) for share in beyond])
    return beyond[-1], shares, torch.stack(masked)


def by_length(values: Tensor, lengths: Tensor) -> dict[str, float]:
    """Means of values (B,) over captions of LENGTHS (B,) words; 0 where none is."""
    return {name: mean(values[(lengths >= low) & (lengths <= high)])
            for name, (low, high) in LENGTHS.items()}  # fmt: skip


def padding(system, count: int = 960, many: int = 32, seed: int = 0) -> dict:
    """The released mask against the right one, in a generator trained with the right.

    "share": of all attention that padding gets in the last stage, mean over captions of
    unseen species, the "largest", and by the caption's length; "unheard": of a
    caption's words; "change": of the pictures, the mean difference of pixels as a share
    of their range, beside that of "another noise"; "all" and "all, released":
    obedience. "sorted": the same captions in batches of like lengths. In batches of
    one both masks are the same.
    """
    batch = unseen_captions(count, system.network("generator").size, seed).to("cpu")
    right = in_batches(system, batch, "words", many, seed)
    wrong = in_batches(system, batch, "released", many, seed)
    other = in_batches(system, batch, "words", many, seed + 1)
    alike = in_batches(system, batch, "released", many, seed, batch.lengths.argsort())
    found = {"share, words": float(right.padding.max()),
             "share": mean(wrong.padding[-1]),
             "share, largest": float(wrong.padding[-1].max()),
             "unheard": mean(wrong.unheard[-1]),
             "share, sorted": mean(alike.padding[-1])}  # fmt: skip
    found |= {f"share, {name}": value for name, value in
              by_length(wrong.padding[-1], batch.lengths).items()}  # fmt: skip
    for name, drawn in (("change", wrong), ("change, sorted", alike),
                        ("change, another noise", other)):  # fmt: skip
        found[name] = float((drawn.pictures - right.pictures).abs().mean()) / 2
    for name, drawn in (("all", right), ("all, released", wrong),
                        ("all, released, sorted", alike)):  # fmt: skip
        read = oracle(drawn.pictures.shape[-1]).read(drawn.pictures)
        found[name] = obedience(read, batch.named)["all"]
    return {name: round(value, 4) for name, value in found.items()}
