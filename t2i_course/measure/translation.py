"""What lesson 06 measures: is a translation the truth, and what does it still know?

The world draws the same bird in both domains, so a translation has a truth: `Pairs` of
unseen species hold it, also for networks that learned without pairs. Errors of pixels
are mean absolute differences, as a share of the whole range.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torchvision.transforms.v2.functional import gaussian_blur

from ..worlds.bird_drawing import PARTS
from ..worlds.bird_species import ATTRIBUTES
from ..worlds.birds import Birds
from ..worlds.domains import Pairs, nearest_part
from .dcgan import in_parts, quality
from .oracle import oracle
from .scores import diversity

__all__ = [
    "DAMAGES", "alike", "as_parts", "as_read", "class_iou", "colourfulness",
    "in_median_colours", "kept_and_changed", "of_domains", "of_pairs", "part_maps",
    "patterns", "pixel_error", "read", "segmenter", "segmenter_score", "survival",
    "unseen",
]  # fmt: skip

PATTERN = list(ATTRIBUTES).index("pattern")


def unseen(domains: str, count: int, size: int = 32) -> tuple[Tensor, Tensor, Tensor]:
    """Birds of unseen species in both domains: x, y (N, 3, S, S), masks (N, S, S)."""
    batch = Pairs(Birds("test", size), domains, split="test").all(count).to("cpu")
    x, y = batch.image.chunk(2, 1)
    return x.contiguous(), y.contiguous(), batch.masks


def pixel_error(made: Tensor, truth: Tensor) -> float:
    """E|made - truth| of pictures in [-1, 1], as a share of the range: 0 to 1."""
    return float((made - truth).abs().mean() / 2)


def class_iou(found: Tensor, truth: Tensor, count: int) -> Tensor:
    """Of each of `count` parts, pixels that both call so by pixels that either does.

    found, truth (B, H, W) whole numbers below count; all pictures together. (count,)
    in 0..1; NaN of a part that neither has. Isola et al. 2017, "Class IOU"; lesson 06.
    """
    a, b = (torch.nn.functional.one_hot(m.long(), count).bool() for m in (found, truth))
    both, either = (a & b).sum((0, 1, 2)), (a | b).sum((0, 1, 2))
    return both / either


# ------------------------------------------------------------------- learned from pairs


@lru_cache(maxsize=1)
def segmenter():
    """The shipped network that turns birds into part maps, of `t2i reproduce 06`."""
    from ..systems import shipped

    return shipped("pix2pix_segment")


def part_maps(pictures: Tensor) -> Tensor:
    """Where the segmenter sees which part: (N, 32, 32) uint8, numbers in PARTS.

    pictures: (N, 3, S, S), S a multiple of 32, which it is shown at 32 pixels, each the
    mean of a square. Used in lesson 11.
    """
    side = segmenter().reads[-1]
    small = torch.nn.functional.adaptive_avg_pool2d(pictures, side)
    return nearest_part(in_parts(segmenter().sample, small))


def segmenter_score(birds: Tensor, masks: Tensor) -> dict[str, float]:
    """How well painted birds are read as the part maps they were painted from.

    By a network that segments real birds: the paper's FCN-score. Accuracy of pixels,
    and class IoU.
    """
    found = nearest_part(in_parts(segmenter().sample, birds))
    return {
        "accuracy": float((found == masks).float().mean()),
        "iou": float(class_iou(found, masks, len(PARTS)).nanmean()),
    }


def colourfulness(birds: Tensor, masks: Tensor) -> float:
    """The mean, over the birds' own pixels, of the largest channel less the smallest.

    In 0..1; a grey bird has 0.
    """
    spread = (birds.amax(1) - birds.amin(1)) / 2
    return float(spread[masks > 0].mean())


def in_median_colours(masks: Tensor, birds: Tensor, of: Tensor) -> Tensor:
    """Part maps `masks` (N, H, W), each part in the median colour of `birds` there.

    birds (M, 3, H, W), of (M, H, W) their part maps. Of all paintings with one colour a
    part the one with the least E|y - G(x)|. Returns (N, 3, H, W). Lesson 06.
    """
    pixels = birds.movedim(1, -1)
    table = [
        pixels[of == part].median(0).values if (of == part).any() else torch.zeros(3)
        for part in range(len(PARTS))
    ]
    return torch.stack(table)[masks.long()].movedim(-1, 1).contiguous()


def of_pairs(system, count: int = 2000, seed: int = 0) -> dict[str, float]:
    """What a pix2pix does with unseen birds or maps; the judge of its way.

    Segmenting: accuracy of pixels and class IoU against the known masks. Painting: the
    segmenter's score, error of pixels, colour as a share of real birds', Frechet
    distance, and the diversity of eight drawings of one map by dropout, as a share of
    that of eight birds.
    """
    maps, birds, masks = unseen("parts", count, system.reads[-1])
    if system.way == "segment":
        found = nearest_part(in_parts(system.sample, birds))
        made = {
            "accuracy": float((found == masks).float().mean()),
            "iou": float(class_iou(found, masks, len(PARTS)).nanmean()),
        }
        return {name: round(value, 4) for name, value in made.items()}
    drawn = in_parts(system.sample, maps)
    found = segmenter_score(drawn, masks)
    found["error"] = pixel_error(drawn, birds)
    found["colour"] = colourfulness(drawn, masks) / colourfulness(birds, masks)
    some = maps[:: max(len(maps) // 50, 1)][:50]
    again = torch.stack([system.sample(some, seed + i) for i in range(8)], 1)
    others = birds[: len(birds) // 8 * 8]
    mixed = others.view(8, -1, *birds.shape[1:]).transpose(0, 1)
    found["diversity"] = diversity(again) / diversity(mixed)
    found["distance"] = quality(drawn)["distance"]
    return {name: round(float(value), 4) for name, value in found.items()}


# ---------------------------------------------------------------- learned without pairs


def kept_and_changed(made: Tensor, truth: Tensor) -> tuple[float, float]:
    """(share of attributes but the pattern, share of patterns) read as in the truth.

    made, truth (N, 3, 32, 32); both are read by the oracle, so that what it misreads in
    a real picture is no fault of a translation.
    """
    seen, true = (oracle(made.shape[-1]).read(p.contiguous()) for p in (made, truth))
    same = (seen == true).float().mean(0)
    rest = [i for i in range(len(same)) if i != PATTERN]
    return float(same[rest].mean()), float(same[PATTERN])


def read(pictures: Tensor, attribute: str) -> list[str]:
    """What the oracle reads in each of pictures (N, 3, S, S): "barred", "water", ..."""
    values, column = ATTRIBUTES[attribute], list(ATTRIBUTES).index(attribute)
    seen = oracle(pictures.shape[-1]).read(pictures.contiguous())
    return [values[number] for number in seen[:, column].tolist()]


def alike(some: Tensor, others: Tensor, attribute: str) -> Tensor:
    """(N,) bool: whether the oracle reads the same of both pictures of each pair."""
    pairs = zip(read(some, attribute), read(others, attribute), strict=True)
    return torch.tensor([a == b for a, b in pairs])


def patterns(system, x: Tensor, y: Tensor) -> tuple[float, float]:
    """(share of G(x) read as barred, share of F(y) read as plain).

    x: birds with plain wings, y: with barred ones. A translation that bars every wing
    has (1, 0), one that changes nothing (0, 0), and a coin (0.5, 0.5).
    """
    barred = read(in_parts(system.sample, x), "pattern")
    plain = read(in_parts(lambda part: system.sample(part, "x"), y), "pattern")
    return barred.count("barred") / len(x), plain.count("plain") / len(y)


def of_domains(system, count: int = 1000, seed: int = 0) -> dict[str, float]:
    """What a CycleGAN does with unseen birds, both ways, against the hidden truth.

    "to y", "to x": error of pixels; "there and back": of F(G(x)) and G(F(y)), their
    mean. Of birds on both sides also attributes "kept" and, of wings, patterns
    "changed", read in the translation by the oracle (at dusk: in what is made day); of
    part maps the class IoU of the maps.
    """
    x, y, masks = unseen(system.domains, count, system.reads[-1])
    to_y = in_parts(system.sample, x)
    to_x = in_parts(lambda part: system.sample(part, "x"), y)
    back_x = in_parts(lambda part: system.sample(part, "x"), to_y)
    back_y = in_parts(system.sample, to_x)
    found = {"to y": pixel_error(to_y, y), "to x": pixel_error(to_x, x)}
    found["there and back"] = (pixel_error(back_x, x) + pixel_error(back_y, y)) / 2
    found |= as_read(system.domains, to_x, to_y, x, y, masks)
    return {name: round(float(value), 4) for name, value in found.items()}


def as_read(domains: str, to_x, to_y, x, y, masks) -> dict[str, float]:
    """What the oracle, or the known masks, say of the translations."""
    if domains == "parts":
        each = class_iou(nearest_part(to_x), masks, len(PARTS))
        return {"iou": float(each.nanmean())}
    kept, changed = kept_and_changed(to_x, x)
    if domains == "dusk":
        return {"kept": kept}
    other = kept_and_changed(to_y, y)
    return {"kept": (kept + other[0]) / 2, "changed": (changed + other[1]) / 2}


# -------------------------------------------------------------- what a picture can hide


def to_bytes(pictures: Tensor) -> Tensor:
    """Each number rounded to one of 256, as a file keeps it."""
    return ((pictures + 1) * 127.5).round() / 127.5 - 1


def with_noise(pictures: Tensor, deviation: float = 0.2) -> Tensor:
    """Normal noise added, the same each time."""
    rng = torch.Generator().manual_seed(0)
    noise = torch.randn(pictures.shape, generator=rng)
    return (pictures + deviation * noise).clamp(-1, 1)


def as_parts(pictures: Tensor) -> Tensor:
    """Each pixel as the corner of the colour cube that it is nearest to."""
    return pictures.sign()


DAMAGES = {
    "as it is": lambda pictures: pictures,
    "8 bits": to_bytes,
    "noise": with_noise,
    "blurred": lambda pictures: gaussian_blur(pictures, [5, 5], [1.0, 1.0]),
    "nearest colours": as_parts,
}


def survival(system, y: Tensor, damages=DAMAGES) -> dict[str, float]:
    """Error of pixels of G(d(F(y))) for each damage d: what of y its translation holds.

    y (N, 3, S, S), of the second domain. What comes back from an undamaged translation
    and not from a damaged one was hidden in what no eye sees.
    """
    middle = in_parts(lambda part: system.sample(part, "x"), y)
    return {
        name: round(pixel_error(in_parts(system.sample, damage(middle)), y), 4)
        for name, damage in damages.items()
    }
