"""What drawn worlds paint with: shapes by signed distances, smooth at any size.

A signed distance tells for each point how far it is outside a shape (negative: inside).
Painting a shape means mixing its colour in where the distance is negative, with an edge
one pixel soft. Many pictures are painted at a time.
"""

import numpy as np
import torch
from torch import Tensor

__all__ = [
    "RGB", "Canvas", "checked_size", "columns", "disc", "ellipse", "finished", "grid",
    "paint_of", "polygon", "rgb", "smooth_union",
]  # fmt: skip

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


class Canvas:
    """A batch of pictures (3, B, H, W) and part maps that shapes are painted onto.

    pixel: its width, in the coordinates of the distances; names: of the parts, those of
    number 0 first.
    """

    def __init__(self, rgb: Tensor, pixel: Tensor, names: tuple[str, ...] = ()):
        self.rgb, self.pixel, self.names = rgb, pixel, names
        self.parts = torch.zeros(rgb.shape[1:], dtype=torch.uint8)

    def cover(self, distance: Tensor) -> Tensor:
        """How much of each pixel a shape covers, 0..1: its edge is one pixel soft."""
        return (0.5 - distance / self.pixel).clamp_(0, 1)

    def mark(self, distance: Tensor, part: str) -> None:
        """Put a shape on the part maps."""
        self.parts.masked_fill_(distance < 0, self.names.index(part))

    def window(self, rows: slice, across: slice) -> "Canvas":
        """A part of the pictures, on the same memory, for shapes that lie within."""
        seen = Canvas(self.rgb[:, :, rows, across], self.pixel, self.names)
        seen.parts = self.parts[:, rows, across]
        return seen

    def paint(self, distance, colour, part: str | None = None, strength=1.0) -> None:
        """Mix `colour` ((3, B, 1, 1) or (3, B, H, W)) in where `distance` < 0."""
        if part is not None:
            self.mark(distance, part)
        alpha = self.cover(distance)
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
    """The union of two shapes with a rounded joint of size k."""
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


def grid(size: int) -> tuple[Tensor, Tensor]:
    """x (1, 1, W) and y (1, H, 1) of the pixels' middles: -1 to 1, y up."""
    line = (torch.arange(size) + 0.5) * (2 / size) - 1
    return line[None, None, :], -line[None, :, None]


def columns(table: np.ndarray, names) -> dict[str, Tensor]:
    """{name: (B, 1, 1)} for the columns of a table (B, len(names))."""
    return {
        name: torch.as_tensor(table[:, i])[:, None, None]
        for i, name in enumerate(names)
    }


def paint_of(
    names: tuple[str, ...], which: Tensor, tone: Tensor | None = None, table=RGB
) -> Tensor:
    """(3, B, 1, 1) colours; a tone in [-1, 1] makes them a little darker or lighter."""
    colours = torch.tensor([table[name] for name in names], dtype=torch.float32)
    colour = colours[which.flatten()].T[:, :, None, None]
    if tone is None:
        return colour
    lighter = colour + (1 - colour) * 0.16 * tone.clamp_min(0)
    return (lighter * (1 + 0.16 * tone.clamp_max(0))).clamp(0, 1)


def rgb(*values: float) -> Tensor:
    """One colour (3, 1, 1, 1) for all."""
    return torch.tensor(values, dtype=torch.float32)[:, None, None, None]


def checked_size(size: int, things: str = "Birds") -> int:
    """That size; ValueError for one that isn't drawn."""
    if not 16 <= size <= 512:
        raise ValueError(f"{things} are drawn at 16 to 512 pixels, not {size}.")
    return size


def finished(canvas: Canvas) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (B, 3, H, W) and part maps (B, H, W), both uint8."""
    pictures = (canvas.rgb.clamp_(0, 1) * 255 + 0.5).to(torch.uint8)
    return pictures.transpose(0, 1).contiguous().numpy(), canvas.parts.numpy()
