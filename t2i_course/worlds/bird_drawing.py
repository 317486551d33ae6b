"""Drawing birds with signed distances: smooth edges at any size, many at a time.

A signed distance tells for each point how far it is outside a shape (negative: inside).
Painting a shape means mixing its colour in where the distance is negative, with an edge
one pixel soft. The bird is drawn in coordinates of its own: x to where it looks, y up,
body around the origin; flip, tilt, scale and place lead from picture to bird.
"""

from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor

from .bird_species import ATTRIBUTES, BEAK_COLOURS, COLOURS, STYLE

__all__ = ["PARTS", "draw_birds"]

PARTS = ("background", "wing", "belly", "crown", "tail", "beak", "eye", "legs")

RGB = {
    "red": (0.84, 0.13, 0.14),
    "orange": (0.98, 0.53, 0.07),
    "yellow": (0.99, 0.86, 0.18),
    "green": (0.22, 0.62, 0.24),
    "blue": (0.15, 0.38, 0.86),
    "purple": (0.54, 0.23, 0.68),
    "brown": (0.48, 0.28, 0.13),
    "black": (0.11, 0.11, 0.13),
    "white": (0.97, 0.97, 0.95),
    "grey": (0.56, 0.58, 0.61),
}
BACKDROP = {  # (top, bottom) of the picture behind each habitat
    "sky": ((0.55, 0.78, 0.96), (0.88, 0.95, 1.00)),
    "grass": ((0.93, 0.96, 0.86), (0.87, 0.94, 0.76)),
    "water": ((0.90, 0.94, 0.96), (0.97, 0.93, 0.86)),
    "branch": ((0.97, 0.92, 0.84), (0.93, 0.85, 0.76)),
}
EDGE_DARK = 0.62  # outlines and shadows are the colour below times this


class Canvas:
    """A batch of pictures (3, B, H, W) and part maps that shapes are painted onto."""

    def __init__(self, rgb: Tensor, pixel: Tensor):
        self.rgb, self.pixel = rgb, pixel
        self.parts = torch.zeros(rgb.shape[1:], dtype=torch.uint8)

    def paint(self, distance, colour, part: str | None = None, strength=1.0) -> None:
        """Mix `colour` ((3, B, 1, 1) or (3, B, H, W)) in where `distance` < 0."""
        if part is not None:
            number = torch.tensor(PARTS.index(part), dtype=torch.uint8)
            self.parts = torch.where(distance < 0, number, self.parts)
        alpha = (0.5 - distance / self.pixel).clamp_(0, 1)
        if strength != 1.0:
            alpha *= strength
        torch.lerp(self.rgb, colour, alpha, out=self.rgb)


def disc(x, y, cx, cy, r) -> Tensor:
    """Signed distance to a disc."""
    return ((x - cx).square() + (y - cy).square()).sqrt_() - r


def ellipse(x, y, cx, cy, rx, ry, turn: float | Tensor = 0.0) -> Tensor:
    """Signed distance to an ellipse, exact to first order at its edge."""
    turn = torch.as_tensor(turn)
    c, s = torch.cos(turn), torch.sin(turn)
    across = (c / rx) * x + (s / rx) * y - (c * cx + s * cy) / rx
    along = (c / ry) * y - (s / ry) * x - (c * cy - s * cx) / ry
    across.square_(), along.square_()
    near = (across + along).sqrt_()
    slope = (across / rx**2 + along / ry**2).sqrt_().clamp_min_(1e-6)
    return (near - 1).mul_(near).div_(slope)


def smooth_union(a: Tensor, b: Tensor, k: float) -> Tensor:
    """The union of two shapes with a rounded joint of size k (bird units)."""
    h = (b - a).mul_(0.5 / k).add_(0.5).clamp_(0, 1)
    return torch.lerp(b, a, h).sub_((h - h * h).mul_(k))


def polygon(x, y, corners) -> Tensor:
    """Signed distance to a convex polygon (counter-clockwise corners), exact inside."""
    distance = None
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1]):
        ex, ey = bx - ax, by - ay
        length = (ex * ex + ey * ey) ** 0.5
        side = ((x - ax) * ey - (y - ay) * ex) / length
        distance = side if distance is None else torch.maximum(distance, side)
    return distance


def _grid(size: int) -> tuple[Tensor, Tensor]:
    line = (torch.arange(size) + 0.5) * (2 / size) - 1
    return line[None, None, :], -line[None, :, None]


def _columns(attributes: np.ndarray, style: np.ndarray) -> SimpleNamespace:
    """Names for the columns of content and style, each (B, 1, 1)."""
    made = {
        name: torch.as_tensor(attributes[:, i])[:, None, None]
        for i, name in enumerate(ATTRIBUTES)
    }
    made |= {
        name: torch.as_tensor(style[:, i])[:, None, None]
        for i, name in enumerate(STYLE)
    }
    return SimpleNamespace(**made)


def _paint_of(
    names: tuple[str, ...], which: Tensor, tone: Tensor | None = None
) -> Tensor:
    """(3, B, 1, 1) colours; a tone in [-1, 1] makes them a little darker or lighter."""
    table = torch.tensor([RGB[name] for name in names])
    colour = table[which.flatten()].T[:, :, None, None]
    if tone is None:
        return colour
    lighter = colour + (1 - colour) * 0.16 * tone.clamp_min(0)
    return (lighter * (1 + 0.16 * tone.clamp_max(0))).clamp(0, 1)


def _background(c: SimpleNamespace, x: Tensor, y: Tensor, pixel: float) -> Canvas:
    """The habitat: backdrop, then clouds, meadow, waves or leaves."""
    names = ATTRIBUTES["habitat"]
    tops = torch.tensor([BACKDROP[n][0] for n in names])[c.habitat.flatten()].T
    lows = torch.tensor([BACKDROP[n][1] for n in names])[c.habitat.flatten()].T
    height = (y + 1) / 2
    rgb = torch.lerp(lows[:, :, None, None], tops[:, :, None, None], height)
    rgb = rgb.expand(3, len(c.habitat), x.shape[2], x.shape[2]).clone()
    warm = torch.tensor([0.07, 0.0, -0.09])[:, None, None, None]
    rgb += warm * c.shade
    canvas = Canvas(rgb, torch.tensor(pixel))
    for name, scenery in zip(names, (_clouds, _meadow, _waves, _leaves)):
        chosen = (c.habitat == names.index(name)).flatten()
        if chosen.any():
            part = Canvas(canvas.rgb[:, chosen], canvas.pixel)
            seed = c.scenery[chosen] * 1.5 + 10
            scenery(part, x, y, seed)
            canvas.rgb[:, chosen] = part.rgb
    canvas.rgb *= 1 + 0.07 * c.light
    return canvas


def _rgb(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None, None, None]


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
        canvas.paint(puff, _rgb(1, 1, 1), strength=0.8)


def _meadow(canvas: Canvas, x: Tensor, y: Tensor, seed: Tensor) -> None:
    hill = y + 0.30 - 0.08 * torch.sin(1.7 * x + seed)
    canvas.paint(hill, _rgb(0.62, 0.80, 0.42))
    blades = (
        0.10
        * torch.sin(23 * x + 3 * seed).abs()
        * (0.6 + 0.4 * torch.sin(5 * x + seed))
    )
    canvas.paint(y + 0.58 - blades, _rgb(0.46, 0.69, 0.30))
    canvas.paint(y + 0.86 - 0.8 * blades, _rgb(0.36, 0.60, 0.24))
    for k in range(4):
        cx, cy = torch.sin(seed * (2.3 + k)), -0.72 + 0.17 * torch.sin(seed * (7.1 + k))
        petal = _rgb(1.0, 0.95, 0.75) if k % 2 else _rgb(1.0, 0.80, 0.86)
        canvas.paint(disc(x, y, cx, cy, 0.045), petal)


def _waves(canvas: Canvas, x: Tensor, y: Tensor, seed: Tensor) -> None:
    level = y + 0.28 - 0.03 * torch.sin(6 * x + seed)
    canvas.paint(level, _rgb(0.36, 0.66, 0.80))
    canvas.paint(y + 0.66 - 0.04 * torch.sin(4 * x + 2 * seed), _rgb(0.27, 0.56, 0.73))
    for k in range(4):
        row = -0.42 - 0.15 * k
        crest = (y - row - 0.025 * torch.sin(9 * x + seed * (2 + k))).abs() - 0.012
        broken = torch.sin(4 * x + seed * (3 + k)) - 0.2
        canvas.paint(torch.maximum(crest, -0.1 * broken), _rgb(0.80, 0.92, 0.97))


def _leaves(canvas: Canvas, x: Tensor, y: Tensor, seed: Tensor) -> None:
    lean = 0.10 * torch.sin(seed * 2.7)
    wood = y + 0.66 - lean * x - 0.02 * torch.sin(7 * x + seed)
    thick = 0.085 - 0.02 * x * torch.sign(lean)
    canvas.paint(wood.abs() - thick, _rgb(0.45, 0.31, 0.20))
    canvas.paint((wood - 0.03).abs() - 0.022, _rgb(0.60, 0.44, 0.30))
    for k in range(5):
        cx = 0.95 * torch.sin(seed * (1.9 + k))
        below = torch.sign(torch.sin(seed * (4.2 + k)))
        cy = -0.66 + lean * cx + below * 0.17
        leaf = ellipse(
            x, y, cx, cy, 0.15, 0.06, 0.7 * below + 0.5 * torch.sin(seed * k)
        )
        canvas.paint(leaf, _rgb(0.47, 0.64, 0.32))


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
    wing = _paint_of(COLOURS, c.wing, c.tone_wing)
    belly = _paint_of(COLOURS, c.belly, c.tone_belly)
    crown = _paint_of(COLOURS, c.crown, c.tone_crown)
    tail = _paint_of(COLOURS, c.tail, c.tone_tail)
    beak = _paint_of(BEAK_COLOURS, c.beak_colour)
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
    canvas.paint(s.eye - 0.028, _rgb(0.97, 0.97, 0.97), "eye")
    canvas.paint(s.eye, _rgb(0.05, 0.05, 0.07), "eye")
    canvas.paint(s.glint, _rgb(1, 1, 1))


def draw_birds(
    attributes: np.ndarray, style: np.ndarray, size: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    """Draw B birds.

    attributes: (B, len(ATTRIBUTES)) whole numbers; style: (B, len(STYLE)) float32
    size: height and width in pixels, 16 to 512
    Returns pictures (B, 3, size, size) uint8 and part maps (B, size, size) uint8 whose
    numbers index PARTS. The same input gives the same bytes.
    """
    if not 16 <= size <= 512:
        raise ValueError(f"Birds are drawn at 16 to 512 pixels, not {size}.")
    c = _columns(np.asarray(attributes), np.asarray(style, np.float32))
    x, y = _grid(size)
    canvas = _background(c, x, y, 2 / size)
    scale = torch.where(c.size == 0, 0.65, 0.77) * c.scale
    centre = c.x - c.flip * torch.where(c.beak == 1, 0.10, 0.02)
    px, py = x - centre, y - c.y + torch.where(c.size == 0, 0.06, 0.0)
    px = px * c.flip
    cos, sin = torch.cos(c.tilt), torch.sin(c.tilt)
    u, v = (cos * px + sin * py) / scale, (cos * py - sin * px) / scale
    canvas.pixel = (2 / size) / scale
    _paint_bird(canvas, c, u, v)
    pictures = (canvas.rgb.clamp_(0, 1) * 255 + 0.5).to(torch.uint8)
    return pictures.transpose(0, 1).contiguous().numpy(), canvas.parts.numpy()
