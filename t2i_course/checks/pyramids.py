"""Laplacian pyramids with a part done otherwise: the wrong answers to 02.5 we know."""

from __future__ import annotations

from torch.nn import functional as F

from ..papers import lapgan

__all__ = ["always_from_the_top", "own_ways", "pyramid_of"]


def pyramid_of(pictures, levels, detail, first=None):
    """Levels with another formula for the details, coarse to fine."""
    made, top = [], pictures
    for _ in range(levels - 1):
        small = lapgan.reduce(pictures)
        made.append(detail(pictures, small, top))
        pictures = small
    return [pictures, *reversed(made)]


def _resized(shrink, enlarge):
    """The pyramid with other ways to shrink and to enlarge."""

    def answer(pictures, levels):
        made = []
        for _ in range(levels - 1):
            small = shrink(pictures)
            made.append(pictures - enlarge(small))
            pictures = small
        return [pictures, *reversed(made)]

    return answer


def own_ways() -> dict:
    """{message: pyramids}: pictures shrunk or enlarged in another way."""
    shrinks = [
        lapgan.reduce,
        lambda x: F.max_pool2d(x, 2),
        lambda x: x[..., ::2, ::2],
        lambda x: F.interpolate(x, scale_factor=0.5, mode="bicubic"),
        lambda x: F.avg_pool2d(x, 3, 2, 1),
    ]
    enlarges = [
        lapgan.expand,
        lambda x: F.interpolate(x, scale_factor=2),
        lambda x: F.interpolate(x, scale_factor=2, mode="bicubic"),
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True),
    ]
    other = "; the lesson's networks are trained on pyramids made by"
    return {
        f"the pictures are shrunk in a way of your own{other} `reduce`, the mean of "
        "each 2x2 pixels: use it.": [
            _resized(shrink, lapgan.expand) for shrink in shrinks[1:]
        ],
        f"the pictures are enlarged in a way of your own{other} `expand`, which is "
        "bilinear: use it.": [
            _resized(lapgan.reduce, enlarge) for enlarge in enlarges[1:]
        ],
        f"the pictures are shrunk and enlarged in ways of your own{other} `reduce` and "
        "`expand`: use both.": [
            _resized(shrink, enlarge)
            for shrink in shrinks[1:]
            for enlarge in enlarges[1:]
        ],
    }


def always_from_the_top(pictures, levels):
    """A known mistake: each level is taken from the whole picture, not the last."""
    made = []
    for _ in range(levels - 1):
        made.append(pictures - lapgan.expand(lapgan.reduce(pictures)))
    return [lapgan.reduce(pictures), *reversed(made)]
