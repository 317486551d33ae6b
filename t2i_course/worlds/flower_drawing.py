"""Drawing flowers with signed distances: smooth edges at any size, many at a time.

How shapes are painted: `canvas`. The head is drawn in coordinates of its own, its
radius about 1, and foreshortened where the flower looks aside. All petals are one: a
point's angle is folded into the sector of the nearest petal, where a petal points along
`along` and is `across` wide. Stem and leaves are drawn in the picture's coordinates.
"""

from math import pi
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor

from . import canvas as painting
from .canvas import (
    Canvas,
    checked_size,
    columns,
    disc,
    ellipse,
    finished,
    grid,
    paint_of,
    smooth_union,
)
from .flower_scenery import background
from .flower_species import ATTRIBUTES, STYLE

__all__ = ["PARTS", "PART_OF", "RGB", "draw_flowers"]

PARTS = ("background", "petals", "stamens", "centre", "leaves")
# Where a change of an attribute shows.
PART_OF = {
    **dict.fromkeys(("petal", "stripe", "shape", "number"), "petals"),
    **{"stamen": "stamens", "centre": "centre", "leaves": "leaves"},
}
RGB = {
    **painting.RGB,
    "red": (0.86, 0.11, 0.13),
    "orange": (0.99, 0.50, 0.08),
    "pink": (0.98, 0.56, 0.74),
    "purple": (0.52, 0.24, 0.74),
    "blue": (0.20, 0.38, 0.90),
    "maroon": (0.42, 0.05, 0.13),
    "green": (0.48, 0.72, 0.20),
    "brown": (0.47, 0.27, 0.12),
    "leaf": (0.25, 0.56, 0.24),
}
COUNTS = torch.tensor([5.0, 8.0, 16.0])  # petals: five, eight, many
STAMENS = 9  # dots in the ring
EDGE_DARK = 0.55  # outlines and shadows are the colour below times this


def fold(u: Tensor, v: Tensor, count, turn) -> tuple[Tensor, Tensor, Tensor]:
    """Where a point is in the nearest of `count` sectors around the origin.

    turn: of all sectors, in sectors. Returns `along` and `across` (signed) and the
    sector's number, (B, H, W) each.
    """
    angle = torch.atan2(v, u).mul_(1 / (2 * pi)) * count - turn
    number = torch.round(angle)
    rest = angle.sub_(number).mul_(2 * pi / count)
    radius = (u.square() + v.square()).sqrt_()
    return radius * torch.cos(rest), radius * torch.sin(rest), number


def rounded(along: Tensor, b: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """A wedge that ends in an ellipse: signed distance, and half its width there.

    along, b: places in a sector, b >= 0; slope: of the sector's side
    """
    width = (0.60 * slope).clamp(max=0.40)
    tip = ellipse(along, b, 0.66, 0.0, 0.36, width)
    wedge = (b - 0.86 * slope * along).mul_((1 + slope.square()).rsqrt())
    wedge = torch.maximum(wedge, along - 0.66)
    return smooth_union(tip, wedge, 0.05), width * (along / 0.66).clamp_(0.2, 1)


def pointed(along: Tensor, b: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """The lens that two circles share, pointed at its tip; as `rounded`."""
    half = 0.53
    wide = (0.44 * slope).clamp(max=0.30)
    bend = (half**2 + wide.square()) / (2 * wide)
    square = (along - half).square_()
    distance = ((b + (bend - wide)).square_() + square).sqrt_() - bend
    return torch.maximum(distance, along - 1.06), wide - square * (wide / half**2)


def petals(c: SimpleNamespace, u: Tensor, v: Tensor) -> SimpleNamespace:
    """Signed distance to the petals, and where in its petal each point is.

    along: 0 at the heart, 1 at the tip; share: -1 to 1 across. Each petal is a little
    longer or shorter than the next, and lighter or darker (side).
    """
    count = COUNTS[c.number]
    along, across, number = fold(u, v, count, c.rotation)
    number = torch.remainder(number, count)
    along.div_(1 + 0.045 * torch.sin(number * 2.4 + 9 * c.scenery))
    b, slope = across.abs(), torch.tan(pi / count)
    distance, width = torch.empty_like(along), torch.empty_like(along)
    for value, shape in enumerate((rounded, pointed)):
        own = (c.shape == value).flatten()
        distance[own], width[own] = shape(along[own], b[own], slope[own])
    share = across.div_(width.clamp_min_(0.02)).clamp_(-1, 1)
    side = torch.sin(number * 5.1 + 3)
    return SimpleNamespace(distance=distance, along=along, share=share, side=side)


def petal_light(c: SimpleNamespace, p: SimpleNamespace, v: Tensor) -> Tensor:
    """(B, H, W): lighter to the tip, darker at the sides and under the next petal."""
    light = 0.74 + 0.32 * p.along.clamp(0, 1.1) + 0.05 * p.side + 0.05 * v
    away = p.share.abs()
    light *= 1 - 0.15 * away.pow(3) - 0.16 * (p.share * 1.6 - 0.6).clamp_(0, 1)
    veins = torch.sin(p.share * 15) * away
    return light + 0.035 * veins * p.along


def petal_colour(c: SimpleNamespace, p: SimpleNamespace) -> Tensor:
    """(3, B, H, W): a broad streak runs along each petal and ends in three tines."""
    colour = paint_of(ATTRIBUTES["petal"], c.petal, c.tone_petal, RGB)
    streak = paint_of(ATTRIBUTES["stripe"], c.stripe, None, {**RGB, "plain": (0, 0, 0)})
    line = (torch.cos(p.share * pi) * 2.6 - 0.2).clamp_(0, 1)
    end = 0.83 + 0.12 * torch.cos(p.share * (4 * pi))
    line *= ((end - p.along) * 8).clamp_(0, 1) * (c.stripe > 0)
    return torch.lerp(colour, streak, line)


def stem(c: SimpleNamespace, x: Tensor, y: Tensor) -> Tensor:
    """Signed distance to the stem: from below the head down, bent as it leans."""
    below = (c.y_head - y).clamp_min(0)
    middle = c.x_head - 0.30 * c.lean * below * below.clamp(max=1.4)
    return torch.maximum((x - middle).abs() - 0.032, y - c.y_head)


def leaf_pair(c: SimpleNamespace, x: Tensor, y: Tensor) -> SimpleNamespace:
    """Signed distance to two leaves, to their midribs, and how light they are.

    Narrow ones are long and rise; broad ones are short and spread.
    """
    foot_y = -1.0
    below = c.y_head - foot_y
    foot_x = c.x_head - 0.30 * c.lean * below * below.clamp(max=1.4)
    broad = c.leaves == 1
    half = torch.where(broad, 0.43, 0.60)
    wide = torch.where(broad, 0.215, 0.070)
    bend = (half.square() + wide.square()) / (2 * wide)
    found = SimpleNamespace(distance=None, rib=None, light=None)
    for side in (-1.0, 1.0):
        up = torch.where(broad, 0.42, 0.62) + 0.12 * side * c.lean
        cos, sin = side * torch.cos(up), torch.sin(up)
        px, py = x - foot_x, y - foot_y - torch.where(broad, 0.02, -0.04)
        along, b = px * cos + py * sin - half, side * (py * cos - px * sin)
        lens = (along.square() + (b.abs() + bend - wide).square()).sqrt_() - bend
        rib = torch.maximum(b.abs() - 0.013, lens + 0.02)
        # fine veins slant off the midrib of a broad leaf
        light = (
            1.0
            + 0.10 * torch.sign(b)
            + 0.05 * torch.sin(26 * (along - b.abs())) * broad
        )
        if found.distance is None:
            found = SimpleNamespace(distance=lens, rib=rib, light=light)
        else:
            found.light = torch.where(lens < found.distance, light, found.light)
            found.distance = torch.minimum(found.distance, lens)
            found.rib = torch.minimum(found.rib, rib)
    return found


def outlined(canvas: Canvas, distance: Tensor, dark: float) -> Tensor:
    """(B, H, W): 1 within a shape and `dark` on the line around it."""
    return canvas.cover(distance).mul_(1 - dark).add_(dark)


def paint_greenery(canvas: Canvas, c: SimpleNamespace, x: Tensor, y: Tensor) -> None:
    """Stem and leaves, behind the head."""
    green = paint_of(("leaf",), torch.zeros_like(c.leaves), c.tone_leaves, RGB)
    stalk, leaf = stem(c, x, y), leaf_pair(c, x, y)
    line = 0.016
    for distance, light in ((stalk, 0.92), (leaf.distance, leaf.light)):
        light = light * outlined(canvas, distance, EDGE_DARK)
        canvas.paint(distance - line, green * light)
        canvas.mark(distance, "leaves")
    canvas.paint(leaf.rib, green + (1 - green) * 0.38)


def paint_petals(canvas: Canvas, c: SimpleNamespace, u: Tensor, v: Tensor) -> None:
    """All petals, dark around the throat."""
    p = petals(c, u, v)
    line = 0.022
    light = petal_light(c, p, v) * outlined(canvas, p.distance, EDGE_DARK)
    light *= 1 - 0.20 * (1 + p.distance / 0.05).clamp_(0, 1)  # a darker rim
    light *= 1 - 0.60 * (1.7 - p.along / 0.30).clamp_(0, 1)
    canvas.paint(p.distance - line, petal_colour(c, p).mul_(light))
    canvas.mark(p.distance, "petals")


def paint_stamens(canvas: Canvas, c: SimpleNamespace, u: Tensor, v: Tensor) -> None:
    """A ring of anthers on filaments."""
    along, across, _ = fold(u, v, STAMENS, 0.3 * c.rotation)
    anther = paint_of(ATTRIBUTES["stamen"], c.stamen, c.tone_stamen, RGB)
    thread = torch.maximum(across.abs() - 0.020, (along - 0.25).abs() - 0.13)
    canvas.paint(thread, anther + (1 - anther) * 0.25, "stamens")
    dot = disc(along, across, 0.385, 0.0, 0.088)
    light = outlined(canvas, dot, 0.30) * (1.1 + 0.8 * (0.36 - along))
    canvas.paint(dot - 0.028, anther * light)
    canvas.mark(dot, "stamens")


def paint_centre(canvas: Canvas, c: SimpleNamespace, u: Tensor, v: Tensor) -> None:
    """The centre: a small dome with grains and a gleam."""
    colour = paint_of(ATTRIBUTES["centre"], c.centre, c.tone_centre, RGB)
    dome = disc(u, v, 0.0, 0.0, 0.235)
    light = 1.0 + 0.75 * (v - u).clamp(-0.4, 0.4)
    light += 0.10 * torch.sin(46 * u + 9 * v) * torch.sin(46 * v - 9 * u)
    light += 0.35 * canvas.cover(disc(u, v, -0.07, 0.08, 0.05))
    light *= outlined(canvas, dome, 0.35)
    canvas.paint(dome - 0.03, colour * light)
    canvas.mark(dome, "centre")


def head_coordinates(c: SimpleNamespace, x: Tensor, y: Tensor):
    """The picture's points in the head's own plane, which looks along (tilt, nod)."""
    px, py = (x - c.x_head) / c.radius, (y - c.y_head) / c.radius
    square = (c.tilt.square() + c.nod.square()).clamp_min(1e-8)
    stretch = ((1 - square).rsqrt() - 1) / square
    toward = (px * c.tilt + py * c.nod) * stretch
    return px + toward * c.tilt, py + toward * c.nod


def draw_flowers(
    attributes: np.ndarray, style: np.ndarray, size: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    """Draw B flowers.

    attributes: (B, len(ATTRIBUTES)) whole numbers; style: (B, len(STYLE)) float32
    size: height and width in pixels, 16 to 512
    Returns pictures (B, 3, size, size) uint8 and part maps (B, size, size) uint8 whose
    numbers index PARTS. The same input gives the same bytes. Petals that are streaked
    with their own colour look plain; `flower_species.possible` knows which.
    """
    x, y = grid(checked_size(size, "Flowers"))
    content = columns(np.asarray(attributes), ATTRIBUTES)
    c = SimpleNamespace(**content, **columns(np.asarray(style, np.float32), STYLE))
    c.x_head, c.y_head, c.radius = c.x, 0.14 + c.y, 0.72 * c.scale
    canvas = background(c, x, y, 2 / size, PARTS)
    low = slice(2 * size // 5, size)
    paint_greenery(canvas.window(low, slice(size)), c, x, y[:, low])
    canvas.pixel = (2 / size) / c.radius
    u, v = head_coordinates(c, x, y)
    paint_petals(canvas, c, u, v)
    # The inner parts stand forward: they move to where the flower looks.
    rows, across = (
        slice(size // 8, 3 * size // 4 + 1),
        slice(size // 6, size - size // 6),
    )
    u, v = u[:, rows, across] - 0.16 * c.tilt, v[:, rows, across] - 0.16 * c.nod
    inner = canvas.window(rows, across)
    paint_stamens(inner, c, u, v)
    paint_centre(inner, c, u, v)
    canvas.rgb *= 1 + 0.07 * c.light
    return finished(canvas)
