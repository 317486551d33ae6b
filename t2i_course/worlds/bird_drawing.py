"""Drawing birds with signed distances: smooth edges at any size, many at a time.

How shapes are painted: `canvas`. The bird is drawn in coordinates of its own: x to
where it looks, y up, body around the origin; flip, tilt, scale and place lead from
picture to bird.
"""

from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor

from .bird_species import ATTRIBUTES, BEAK_COLOURS, COLOURS, STYLE
from .canvas import (
    RGB,
    Canvas,
    checked_size,
    columns,
    disc,
    ellipse,
    finished,
    grid,
    paint_of,
    polygon,
    rgb,
    smooth_union,
)

__all__ = ["PARTS", "PART_OF", "RGB", "draw_birds"]

PARTS = ("background", "wing", "belly", "crown", "tail", "beak", "eye", "legs")
# Where a change of an attribute shows; "" is for the whole bird.
PART_OF = {
    "wing": "wing",
    "belly": "belly",
    "crown": "crown",
    "tail": "tail",
    "pattern": "wing",
    "beak": "beak",
    "beak_colour": "beak",
    "size": "",
    "habitat": "background",
}
BACKDROP = {  # (top, bottom) of the picture behind each habitat
    "sky": ((0.55, 0.78, 0.96), (0.88, 0.95, 1.00)),
    "grass": ((0.93, 0.96, 0.86), (0.87, 0.94, 0.76)),
    "water": ((0.90, 0.94, 0.96), (0.97, 0.93, 0.86)),
    "branch": ((0.97, 0.92, 0.84), (0.93, 0.85, 0.76)),
}
EDGE_DARK = 0.62  # outlines and shadows are the colour below times this


def _background(c: SimpleNamespace, x: Tensor, y: Tensor, pixel: float) -> Canvas:
    """The habitat: backdrop, then clouds, meadow, waves or leaves."""
    names = ATTRIBUTES["habitat"]
    tops = torch.tensor([BACKDROP[n][0] for n in names])[c.habitat.flatten()].T
    lows = torch.tensor([BACKDROP[n][1] for n in names])[c.habitat.flatten()].T
    height = (y + 1) / 2
    tints = torch.lerp(lows[:, :, None, None], tops[:, :, None, None], height)
    tints = tints.expand(3, len(c.habitat), x.shape[2], x.shape[2]).clone()
    warm = torch.tensor([0.07, 0.0, -0.09])[:, None, None, None]
    tints += warm * c.shade
    canvas = Canvas(tints, torch.tensor(pixel), PARTS)
    for name, scenery in zip(names, (_clouds, _meadow, _waves, _leaves)):
        chosen = (c.habitat == names.index(name)).flatten()
        if chosen.any():
            part = Canvas(canvas.rgb[:, chosen], canvas.pixel, PARTS)
            seed = c.scenery[chosen] * 1.5 + 10
            scenery(part, x, y, seed)
            canvas.rgb[:, chosen] = part.rgb
    canvas.rgb *= 1 + 0.07 * c.light
    return canvas


def _clouds(canvas: Canvas, x: Tensor, y: Tensor, seed: Tensor) -> None:
    for k in range(3):
        cx, cy = (
            0.85 * torch.sin(seed * (3.1 + k)),
            0.15 + 0.7 * torch.sin(seed * (5.3 + k)),
        )
        puff = smooth_union(
            ellipse(x, y, cx - 0.14, cy, 0.24, 0.10),
            ellipse(x, y, cx + 0.13, cy + 0.05, 0.2, 0.13),
            0.1,
        )
        canvas.paint(puff, rgb(1, 1, 1), strength=0.8)


def _meadow(canvas: Canvas, x: Tensor, y: Tensor, seed: Tensor) -> None:
    hill = y + 0.30 - 0.08 * torch.sin(1.7 * x + seed)
    canvas.paint(hill, rgb(0.62, 0.80, 0.42))
    blades = (
        0.10
        * torch.sin(23 * x + 3 * seed).abs()
        * (0.6 + 0.4 * torch.sin(5 * x + seed))
    )
    canvas.paint(y + 0.58 - blades, rgb(0.46, 0.69, 0.30))
    canvas.paint(y + 0.86 - 0.8 * blades, rgb(0.36, 0.60, 0.24))
    for k in range(4):
        cx, cy = torch.sin(seed * (2.3 + k)), -0.72 + 0.17 * torch.sin(seed * (7.1 + k))
        petal = rgb(1.0, 0.95, 0.75) if k % 2 else rgb(1.0, 0.80, 0.86)
        canvas.paint(disc(x, y, cx, cy, 0.045), petal)


def _waves(canvas: Canvas, x: Tensor, y: Tensor, seed: Tensor) -> None:
    level = y + 0.28 - 0.03 * torch.sin(6 * x + seed)
    canvas.paint(level, rgb(0.36, 0.66, 0.80))
    canvas.paint(y + 0.66 - 0.04 * torch.sin(4 * x + 2 * seed), rgb(0.27, 0.56, 0.73))
    for k in range(4):
        row = -0.42 - 0.15 * k
        crest = (y - row - 0.025 * torch.sin(9 * x + seed * (2 + k))).abs() - 0.012
        broken = torch.sin(4 * x + seed * (3 + k)) - 0.2
        canvas.paint(torch.maximum(crest, -0.1 * broken), rgb(0.80, 0.92, 0.97))


def _leaves(canvas: Canvas, x: Tensor, y: Tensor, seed: Tensor) -> None:
    lean = 0.10 * torch.sin(seed * 2.7)
    wood = y + 0.66 - lean * x - 0.02 * torch.sin(7 * x + seed)
    thick = 0.085 - 0.02 * x * torch.sign(lean)
    canvas.paint(wood.abs() - thick, rgb(0.45, 0.31, 0.20))
    canvas.paint((wood - 0.03).abs() - 0.022, rgb(0.60, 0.44, 0.30))
    for k in range(5):
        cx = 0.95 * torch.sin(seed * (1.9 + k))
        below = torch.sign(torch.sin(seed * (4.2 + k)))
        cy = -0.66 + lean * cx + below * 0.17
        leaf = ellipse(
            x, y, cx, cy, 0.15, 0.06, 0.7 * below + 0.5 * torch.sin(seed * k)
        )
        canvas.paint(leaf, rgb(0.47, 0.64, 0.32))


def _shapes(c: SimpleNamespace, u: Tensor, v: Tensor) -> SimpleNamespace:
    """Signed distances of the bird's parts, in bird coordinates."""
    small = c.size == 0
    head_r = torch.where(small, 0.37, 0.31)
    head_x, head_y = torch.where(small, 0.36, 0.43), torch.where(small, 0.40, 0.44)
    head = disc(u, v, head_x, head_y, head_r)
    trunk = ellipse(u, v, -0.05, -0.10, 0.60, 0.43, 0.42)
    body = smooth_union(trunk, head, 0.16)
    brow = -((v - head_y) * 0.90 + (u - head_x) * 0.30) - 0.10 * head_r / 0.31
    crown = torch.maximum(torch.maximum(body - 0.005, brow), head - 0.10)
    back = torch.maximum(body - 0.005, 0.16 + 0.55 * u - v)
    back = torch.maximum(back, -crown)
    wing = ellipse(u, v, -0.21, 0.03, 0.45, 0.235, 0.62 - 0.25 * c.wing_lift)
    tail = polygon(
        u,
        v,
        [
            (-0.40, -0.16),
            (-0.98, -0.34),
            (-1.04, -0.60),
            (-0.84, -0.68),
            (-0.22, -0.42),
        ],
    )
    reach = torch.where(c.beak == 1, 0.46, 0.22)
    tip_x, tip_y = head_x + head_r + reach, head_y - 0.04
    half = torch.where(c.beak == 1, 0.13, 0.15)
    root = head_x + head_r * 0.80
    slope = half / (tip_x - root)
    upper = (v - tip_y) - slope * (tip_x - u)
    lower = (tip_y - v) - slope * (tip_x - u)
    beak = torch.maximum(torch.maximum(upper, lower), root - u)
    eye_x, eye_y = head_x + 0.40 * head_r, head_y - 0.02
    return SimpleNamespace(
        body=body, crown=crown, back=back, wing=wing, tail=tail, beak=beak,
        eye=disc(u, v, eye_x, eye_y, 0.068),
        glint=disc(u, v, eye_x + 0.022, eye_y + 0.026, 0.022),
        gape=(v - tip_y).abs() - 0.008,
    )  # fmt: skip


def _legs(c: SimpleNamespace, u: Tensor, v: Tensor) -> Tensor:
    """Two thin legs, tucked away in the sky and on the water."""
    hidden = (c.habitat == 0) | (c.habitat == 2)
    both = None
    for foot in (-0.10, 0.14):
        leg = torch.maximum(
            (u - foot - 0.06 * (v + 0.7)).abs() - 0.030, (v + 0.62).abs() - 0.24
        )
        toes = ellipse(u, v, foot + 0.05, -0.87, 0.11, 0.035)
        leg = torch.minimum(leg, toes)
        both = leg if both is None else torch.minimum(both, leg)
    return both + 9.0 * hidden


def _bars(c: SimpleNamespace, u: Tensor, v: Tensor) -> Tensor:
    """Stripes across a barred wing, 0..1; zero on a plain one."""
    along = 0.80 * u + 0.60 * v
    stripes = (torch.sin(along * 21.0) * 2.2 + 0.1).clamp_(0, 1)
    return stripes * (c.pattern == 1)


def _paint_bird(canvas: Canvas, c: SimpleNamespace, u: Tensor, v: Tensor) -> None:
    """The bird over the background, from the tail to the eye."""
    s = _shapes(c, u, v)
    wing = paint_of(COLOURS, c.wing, c.tone_wing)
    belly = paint_of(COLOURS, c.belly, c.tone_belly)
    crown = paint_of(COLOURS, c.crown, c.tone_crown)
    tail = paint_of(COLOURS, c.tail, c.tone_tail)
    beak = paint_of(BEAK_COLOURS, c.beak_colour)
    line = 0.030
    canvas.paint(_legs(c, u, v), 0.85 * beak, "legs")
    canvas.paint(s.tail - line, EDGE_DARK * tail * 0.9)
    canvas.paint(s.tail, tail, "tail")
    canvas.paint(s.beak - line * 0.8, EDGE_DARK * 0.8 * beak)
    canvas.paint(s.beak, beak, "beak")
    canvas.paint(torch.maximum(s.gape, s.beak + 0.01), EDGE_DARK * beak)
    canvas.paint(s.body - line, EDGE_DARK * 0.75 * belly)
    light = 1.0 + 0.10 * (v + 0.15).clamp(-0.5, 0.6)
    canvas.paint(s.body, belly * light, "belly")
    canvas.paint(s.back, wing * 0.90, "wing")
    canvas.paint(s.crown, crown * light, "crown")
    pale = wing.mean(0, keepdim=True) > 0.60
    stripe = torch.where(pale, wing * 0.62, wing + (1 - wing) * 0.55)
    canvas.paint(s.wing - line, EDGE_DARK * wing)
    canvas.paint(s.wing, torch.lerp(wing, stripe, _bars(c, u, v)), "wing")
    canvas.paint(s.eye - 0.028, rgb(0.97, 0.97, 0.97), "eye")
    canvas.paint(s.eye, rgb(0.05, 0.05, 0.07), "eye")
    canvas.paint(s.glint, rgb(1, 1, 1))


def draw_birds(
    attributes: np.ndarray, style: np.ndarray, size: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    """Draw B birds.

    attributes: (B, len(ATTRIBUTES)) whole numbers; style: (B, len(STYLE)) float32
    size: height and width in pixels, 16 to 512
    Returns pictures (B, 3, size, size) uint8 and part maps (B, size, size) uint8 whose
    numbers index PARTS. The same input gives the same bytes.
    """
    x, y = grid(checked_size(size))
    content = columns(np.asarray(attributes), ATTRIBUTES)
    c = SimpleNamespace(**content, **columns(np.asarray(style, np.float32), STYLE))
    canvas = _background(c, x, y, 2 / size)
    scale = torch.where(c.size == 0, 0.65, 0.77) * c.scale
    centre = c.x - c.flip * torch.where(c.beak == 1, 0.10, 0.02)
    px, py = x - centre, y - c.y + torch.where(c.size == 0, 0.06, 0.0)
    px = px * c.flip
    cos, sin = torch.cos(c.tilt), torch.sin(c.tilt)
    u, v = (cos * px + sin * py) / scale, (cos * py - sin * px) / scale
    canvas.pixel = (2 / size) / scale
    _paint_bird(canvas, c, u, v)
    return finished(canvas)
