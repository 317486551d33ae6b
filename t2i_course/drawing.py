"""How networks draw: from sentences, noise alone, classes, or other pictures.

One function for each kind in `declarations.DRAWS`; all take a batch that asks, and
return pictures in [-1, 1] on the CPU. The noise of picture i depends on the seed and on
i alone, however many are drawn: it is drawn PART rows at a time, and what is too much
is left. (`torch.randn` fills a tensor by sixteens, so that the last numbers of a short
one aren't those of a longer one.)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional as F

from . import seeds
from .data import Batch

__all__ = [
    "PROTOCOLS", "from_classes", "from_noise", "from_pictures", "from_sentences",
    "lit", "looks", "noise_rows", "unasked", "with_attention",
]  # fmt: skip

PART = 250  # pictures drawn at a time
DIM = 0.15  # of the light is left where a word is not looked at


def noise_rows(seed: int, count: int, size: int, part: int = PART) -> Tensor:
    """The first `count` rows (count, size) of a seed's N(0, 1); the same of any count.

    On the CPU, so that every device draws the same. part: rows that are drawn at a
    time; from the last of a part on, rows differ with it.
    """
    rng = torch.Generator().manual_seed(seeds.checked(seed))
    parts = [torch.randn(part, size, generator=rng) for _ in range(0, count, part)]
    return torch.cat(parts)[:count]


@torch.inference_mode()
def from_sentences(
    system, batch: Batch, seed: int = 0, samples: int = 1, rows: Tensor | None = None
) -> Tensor:
    """Pictures (B * samples, 3, S, S) for a batch's captions; samples adjoin.

    system: has `text_encoder` and a player "generator" of noise and text. rows: which
    row of the seed's noise each picture gets, (B * samples,); None is 0, 1, 2, ...
    """
    device, network = system.device, system.network("generator").eval()
    many, size = len(batch.lengths) * samples, network.noise_size
    if rows is None:  # in parts of as many captions, as all records were drawn
        noise = noise_rows(seed, many, size, PART * samples)
    else:
        noise = noise_rows(seed, int(rows.max()) + 1, size)[rows]
    made = []
    for i in range(0, len(batch.lengths), PART):
        part = slice(i, i + PART)
        text = system.text_encoder.of(_sentences(batch, part))
        text = text.repeat_interleave(samples, 0)
        z = noise[i * samples :][: len(text)]
        made.append(network(z.to(device), text).float().cpu())
    return torch.cat(made)


@torch.inference_mode()
def from_pictures(system, batch: Batch, seed: int = 0, samples: int = 1) -> Tensor:
    """A batch's pictures (B * samples, 3, S, S), changed by its captions.

    system: has `text_encoder` and a player "generator" of pictures, text and noise;
    samples, with noise of their own, adjoin. The batch's pictures are bytes, or numbers
    in [-1, 1].
    """
    network, device = system.network("generator").eval(), system.device
    many = len(batch.lengths) * samples
    noise = noise_rows(seed, many, network.noise_size, PART * samples)
    made = []
    for i in range(0, len(batch.lengths), PART):
        part = slice(i, i + PART)
        text = system.text_encoder.of(_sentences(batch, part))
        source = Batch(batch.image[part]).to(device).image
        rows = [each.repeat_interleave(samples, 0) for each in (source, text)]
        z = noise[i * samples :][: len(rows[0])]
        made.append(network(*rows, z.to(device)).float().cpu())
    return torch.cat(made)


def lit(pictures: Tensor, maps: Tensor) -> Tensor:
    """Pictures (N, 3, S, S) in [-1, 1], each lit by a map (N, H, W) of attention.

    Where a map is largest its picture keeps its light, where it is 0 it is almost
    black; each place of the map is a square. A map that is the same everywhere lights
    all. Lesson 11.
    """
    size = pictures.shape[-2:]
    share = maps / maps.amax((1, 2), keepdim=True).clamp_min(1e-12)
    light = DIM + (1 - DIM) * F.interpolate(share[:, None], size=size)
    return (pictures + 1) * light - 1


def looks(system) -> bool:
    """Whether a system's generator looks at words, and can say at which."""
    return "generator" in system.players and hasattr(system.generator, "look")


@torch.inference_mode()
def with_attention(
    system, batch: Batch, seed: int = 0, rows: Tensor | None = None
) -> tuple[Tensor, list[Tensor]]:
    """Pictures (B, 3, S, S) of a batch's captions, and where each stage looked.

    The second is a tensor (B, T, H, W) a stage: of each of T words its share at each
    place. system: its generator has `look(noise, text)`, pictures of each branch and
    attention of each stage. rows: as `from_sentences`, whose pictures these are.
    """
    network, many = system.network("generator").eval(), len(batch.lengths)
    rows = torch.arange(many) if rows is None else rows
    noise = noise_rows(seed, int(rows.max()) + 1, network.noise_size)[rows]
    pictures, looked, width = [], [], batch.tokens.shape[1]
    for i in range(0, many, PART):
        part = slice(i, i + PART)
        text = system.text_encoder.of(_sentences(batch, part))
        drawn, maps = network.look(noise[part].to(text.device), text)
        pictures.append(drawn[-1].float().cpu())
        looked.append([each[:, :width].float().cpu() for each in maps])
    return torch.cat(pictures), [torch.cat(stage) for stage in zip(*looked)]


def _sentences(batch: Batch, part: slice) -> Batch:
    """The sentences of some rows of a batch, without their pictures."""
    return Batch(torch.zeros(0), batch.caption[part], batch.tokens[part],
                 batch.lengths[part])  # fmt: skip


@contextmanager
def _seeded(system, seed: int) -> Iterator[None]:
    """The system draws from that seed, and at least PART rows of noise each time."""
    system.rng = torch.Generator(system.device).manual_seed(seeds.checked(seed))
    system.least_rows = PART
    try:
        yield
    finally:
        system.least_rows = 0


def from_noise(system, batch: Batch, seed: int = 0, samples: int = 1) -> Tensor:
    """As many pictures as the batch has rows, times `samples`; by `sample(count)`."""
    count = len(batch) * samples
    parts = [min(PART, count - done) for done in range(0, count, PART)]
    with _seeded(system, seed):
        return torch.cat([system.sample(part).cpu() for part in parts])


def from_classes(
    system, batch: Batch, seed: int = 0, samples: int = 1, kinds: Tensor | None = None
) -> Tensor:
    """Pictures (B * samples, ...) of a batch's classes; `sample(kinds, count)`.

    kinds: those to draw; None is what `system.asked_of(batch)` makes of the batch, or
    its `class_id`.
    """
    if kinds is None:
        kinds = getattr(system, "asked_of", lambda batch: batch.class_id)(batch)
    kinds = kinds.to(system.device).repeat_interleave(samples, 0)
    with _seeded(system, seed):
        made = [system.sample(part, count=len(part)) for part in kinds.split(PART)]
    return torch.cat([part.cpu() for part in made])


def unasked(count: int) -> Batch:
    """A batch of `count` rows that asks for nothing in particular."""
    return Batch(torch.zeros(count, 0))


PROTOCOLS = {
    "sentences": from_sentences,
    "noise": from_noise,
    "classes": from_classes,
    "pictures": from_pictures,
}
