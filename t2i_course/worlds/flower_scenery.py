"""What is behind a flower: style, which no caption speaks of."""

from collections.abc import Iterable
from functools import reduce
from types import SimpleNamespace

import torch
from torch import Tensor

from .canvas import Canvas, disc, ellipse, rgb, smooth_union
from .flower_species import BACKDROPS

__all__ = ["background"]

TOP_AND_BOTTOM = {
    "dark": ((0.04, 0.07, 0.06), (0.09, 0.14, 0.11)),
    "soil": ((0.33, 0.24, 0.17), (0.22, 0.15, 0.10)),
    "foliage": ((0.17, 0.36, 0.20), (0.08, 0.20, 0.11)),
    "meadow": ((0.80, 0.88, 0.66), (0.52, 0.70, 0.38)),
    "sky": ((0.50, 0.73, 0.95), (0.88, 0.95, 1.00)),
}
SOFT = 8.0  # how many times softer than a pixel's at 64 pixels blurred edges are


def background(
    c: SimpleNamespace, x: Tensor, y: Tensor, pixel: float, parts: tuple[str, ...]
) -> Canvas:
    """A canvas with one of BACKDROPS on it, each (B) its own."""
    which = c.backdrop.flatten().long()
    tops, lows = (
        torch.tensor([TOP_AND_BOTTOM[n][i] for n in BACKDROPS])[which].T[
            ..., None, None
        ]
        for i in (0, 1)
    )
    tints = torch.lerp(lows, tops, (y + 1) / 2)
    tints = tints.expand(3, len(which), x.shape[2], x.shape[2]).clone()
    canvas = Canvas(tints, torch.tensor(pixel), parts)
    for number, scenery in enumerate((glimmer, pebbles, thicket, bokeh, clouds)):
        chosen = which == number
        if chosen.any():
            part = Canvas(canvas.rgb[:, chosen], canvas.pixel)
            scenery(part, x, y, c.scenery[chosen] * 1.5 + 10)
            canvas.rgb[:, chosen] = part.rgb
    warm = torch.tensor([0.07, 0.0, -0.09])[:, None, None, None]
    canvas.rgb += warm * c.shade * (0.35 + canvas.rgb)
    return canvas


def softly(canvas: Canvas, distance: Tensor, colour: Tensor, strength: float) -> None:
    """Paint out of focus: the edge is as soft in a large picture as in a small one."""
    sharp, canvas.pixel = canvas.pixel, torch.tensor(SOFT / 32)
    canvas.paint(distance, colour, strength=strength)
    canvas.pixel = sharp


def glimmer(canvas: Canvas, x: Tensor, y: Tensor, seed: Tensor) -> None:
    """Darkness, with a little light far behind."""
    for k in range(2):
        cx, cy = 0.9 * torch.sin(seed * (2.9 + k)), 0.8 * torch.sin(seed * (4.7 + k))
        softly(canvas, disc(x, y, cx, cy, 0.30), rgb(0.13, 0.24, 0.16), 0.8)


def union(shapes: Iterable[Tensor]) -> Tensor:
    """Signed distance to several shapes together."""
    return reduce(torch.minimum, shapes)


def pebbles(canvas: Canvas, x: Tensor, y: Tensor, seed: Tensor) -> None:
    """Earth with crumbs and pebbles."""
    crumbs = torch.sin(19 * x + 7 * y + seed) * torch.sin(17 * y - 5 * x + 2 * seed)
    canvas.rgb *= 1 + 0.10 * crumbs
    for grey in (0.30, 0.38):
        stones = union(
            ellipse(
                *(x, y, 0.98 * torch.sin(seed * (2.3 + 1.7 * k + 9 * grey))),
                *(0.98 * torch.sin(seed * (3.1 + 1.3 * k) + k + 20 * grey),),
                *(0.08 + 0.02 * k, 0.07, k + seed),
            )
            for k in range(3)
        )
        light = 0.45 + 0.55 * canvas.cover(stones)
        canvas.paint(stones - 0.02, rgb(grey + 0.08, grey, grey - 0.06) * light)


def thicket(canvas: Canvas, x: Tensor, y: Tensor, seed: Tensor) -> None:
    """Leaves in the shade behind, out of focus."""
    for shade in (0.6, 0.85, 1.2):
        leaves = union(
            ellipse(
                *(x, y, torch.sin(seed * (1.9 + 1.3 * k + 3 * shade))),
                *(torch.sin(seed * (2.7 + 1.1 * k) + 7 * shade),),
                *(0.34, 0.13, seed * (k + 1) + 5 * shade),
            )
            for k in range(2)
        )
        softly(canvas, leaves, shade * rgb(0.19, 0.40, 0.20), 0.75)


def bokeh(canvas: Canvas, x: Tensor, y: Tensor, seed: Tensor) -> None:
    """A meadow far behind: discs of light."""
    tints = (rgb(0.96, 0.97, 0.80), rgb(0.66, 0.82, 0.50), rgb(1.0, 0.90, 0.88))
    for number, tint in enumerate(tints):
        discs = union(
            disc(
                *(x, y, torch.sin(seed * (2.1 + 1.3 * k) + 2 * number)),
                *(0.95 * torch.sin(seed * (3.3 + 1.1 * k) + number),),
                0.14 + 0.03 * k,
            )
            for k in range(2)
        )
        softly(canvas, discs, tint, 0.55)


def clouds(canvas: Canvas, x: Tensor, y: Tensor, seed: Tensor) -> None:
    """Sky with three clouds."""
    for k in range(3):
        cx = 0.85 * torch.sin(seed * (3.1 + k))
        cy = 0.25 + 0.65 * torch.sin(seed * (5.3 + k))
        puff = smooth_union(
            ellipse(x, y, cx - 0.14, cy, 0.27, 0.11),
            ellipse(x, y, cx + 0.13, cy + 0.06, 0.22, 0.15),
            0.1,
        )
        softly(canvas, puff, rgb(1, 1, 1), 0.85)
