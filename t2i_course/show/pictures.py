"""Pictures in rows and columns, crisp and labelled; every lesson shows them this way.

All functions return a matplotlib Figure that a notebook shows when it is a cell's last
value. Pictures may be uint8 or floats in [-1, 1], of one channel (drawn as dark ink on
paper) or three.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .described import DescribedFigure, list_in_words

__all__ = [
    "crossed",
    "font",
    "grid",
    "mosaic",
    "new_figure",
    "soften",
    "strip",
    "to_pixels",
]

DPI = 100


def new_figure(width: float, height: float, **keywords) -> DescribedFigure:
    """A figure of that size in inches which shows once: as a cell's value.

    pyplot would show an open figure a second time at the end of the cell, so it is
    closed there; keywords go to `plt.figure`. layout="none" leaves everything where it
    was put. (An engine that does nothing stands for it: with none at all, saving takes
    the style's "constrained", which warns that it has nothing to lay out.)
    """
    import matplotlib.pyplot as plt
    from matplotlib.layout_engine import PlaceHolderLayoutEngine

    if keywords.get("layout") == "none":
        keywords["layout"] = PlaceHolderLayoutEngine(True, False)
    figure = plt.figure(
        figsize=(width, height), dpi=DPI, FigureClass=DescribedFigure, **keywords
    )
    plt.close(figure)
    return figure


def to_pixels(images: Tensor | np.ndarray) -> np.ndarray:
    """Pictures (N, C, H, W) as (N, H, W, 3) uint8; one channel becomes ink on paper.

    Floats are taken to be in [-1, 1] and cut off there. ValueError for other shapes.
    """
    images = torch.as_tensor(images).detach().cpu()
    if images.ndim == 3:
        images = images.unsqueeze(0)
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"pictures are (N, 1 or 3, H, W), not {tuple(images.shape)}")
    if images.dtype != torch.uint8:
        images = ((images.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    if images.shape[1] == 1:
        images = (255 - images).expand(-1, 3, -1, -1)
    return np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())


def mosaic(images, columns: int = 8, gap: int = 1, enlarge: int = 1) -> np.ndarray:
    """All pictures in one (H, W, 3) uint8 array, row by row, with white gaps.

    enlarge: each pixel becomes a square of that many pixels, so small ones stay crisp.
    """
    pixels = to_pixels(images).repeat(enlarge, 1).repeat(enlarge, 2)
    count, high, wide, _ = pixels.shape
    columns = max(min(columns, count), 1)
    rows = -(-count // columns)
    step_y, step_x = high + gap, wide + gap
    sheet = np.full((rows * step_y - gap, columns * step_x - gap, 3), 255, np.uint8)
    for i, picture in enumerate(pixels):
        y, x = (i // columns) * step_y, (i % columns) * step_x
        sheet[y : y + high, x : x + wide] = picture
    return sheet


def font(size: int = 12):
    """A font for PIL that comes with matplotlib, so it is there on every machine."""
    import matplotlib
    from PIL import ImageFont

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(folder / "DejaVuSans.ttf"), size)


def soften(images, side: int = 64) -> Tensor:
    """Small pictures (N, C, h, w) drawn at side x side pixels, bicubic, as floats."""
    images = torch.as_tensor(images).detach().cpu()
    if images.dtype == torch.uint8:
        images = images.float() / 127.5 - 1
    return F.interpolate(images.float(), (side, side), mode="bicubic").clamp(-1, 1)


def grid(
    images,
    columns: int | Sequence[str] = 8,
    captions: Sequence[str] | None = None,
    title: str | None = None,
    size: float | None = None,
    smooth: bool = False,
    numbered: bool = False,
    rows: Sequence[str] | None = None,
    framed: Sequence[bool] = (),
    below: float = 0.0,
):
    """Pictures row by row, with the names of rows and columns, or captions below.

    columns: how many, or their names; rows: their names, at the left. size: of one
    picture in inches; by default so that the figure is 7 inches wide, or less for few
    small pictures. smooth: draw small pictures with soft pixels instead of crisp
    squares (a softer view; nothing is added). numbered: the columns have numbers above.
    framed: True for each picture to point out with a red frame. below: inches that stay
    free at the foot of crisp pictures, for a key. Returns a Figure.
    ValueError where the rows' names are fewer than the rows. Used in every lesson.
    """
    pixels = to_pixels(images)
    count = columns if isinstance(columns, int) else len(columns)
    count = max(min(count, len(pixels)), 1)
    heads = [] if isinstance(columns, int) else list(columns)
    if numbered and not heads:
        heads = [str(number + 1) for number in range(count)]
    lines = -(-len(pixels) // count)
    rows = list(rows or [])
    if rows and len(rows) != lines:
        raise ValueError(f"{len(rows)} names for {lines} rows of {count} pictures")
    size = size or min((7.0 - _width(rows)) / count, 1.5 if captions is None else 2.0)
    if smooth:
        pixels = to_pixels(soften(images, round(size * DPI)))
    if captions is None:
        figure = _crisp(pixels, count, size, rows, heads, title, framed,
                        below)  # fmt: skip
    else:
        figure = _captioned(pixels, count, size, rows, heads, title, captions)
    return figure.knows(*_words(len(pixels), count, rows, heads, captions))


def _words(number, columns, rows, heads, captions) -> list[str]:
    """What a grid shows, in sentences."""
    lines = -(-number // columns)
    shape = f"{number} pictures in {lines} rows of {columns}"
    if lines == 1:
        shape = "One picture" if number == 1 else f"A row of {number} pictures"
    said = [shape]
    if any(rows):
        said.append(f"The rows, from above: {list_in_words(rows, 12)}")
    if any(heads) and heads != [str(i + 1) for i in range(columns)]:
        said.append(f"The columns, from the left: {list_in_words(heads, 12)}")
    if captions is not None and any(captions):
        texts = [textwrap.shorten(text, 80, placeholder=" ...") for text in captions]
        said.append(f"Below them: {'; '.join(texts[:4])}")
    return said


def _width(names: Sequence[str]) -> float:
    """Inches that names at the left of their rows need."""
    letters = max((len(part) for n in names for part in n.split("\n")), default=0)
    return 0.085 * letters + 0.15 if letters else 0.0


@dataclass
class _Margins:
    """Where things stand on a sheet of pictures; all in inches."""

    wide: float  # of the pictures together
    high: float
    step: tuple[float, float]  # from one picture to the next: along, down
    side: tuple[float, float]  # of a picture: width, height
    rows: list[str]
    heads: list[str]
    title: str | None
    below: float = 0.0

    def __post_init__(self):
        self.left = _width(self.rows)
        letters = max(int(self.step[0] * 12), 6)
        self.heads = ["\n".join(textwrap.wrap(head, letters)) for head in self.heads]
        self.above = 0.17 * max((h.count("\n") + 1 for h in self.heads if h), default=0)
        self.above += 0.06 if self.above else 0.0
        whole = max(int((self.left + self.wide) * 13), 12)
        self.title = "\n".join(textwrap.wrap(self.title or "", whole))
        self.head = 0.2 * (self.title.count("\n") + 1) + 0.12 if self.title else 0.0
        self.top = self.head + self.above

    def figure(self):
        """The empty figure, with its title and the names of rows and columns."""
        high = self.top + self.high + self.below
        figure = new_figure(self.left + self.wide, high, layout="none")
        wide, high = figure.get_size_inches()
        middle = {"ha": "center", "va": "center"}
        if self.title:
            place = 0.5, 1 - self.head / 2 / high
            figure.text(*place, self.title, fontsize=11, **middle)
        for i, name in enumerate(self.heads):
            x = self.left + i * self.step[0] + self.side[0] / 2
            y = self.head + self.above / 2
            figure.text(x / wide, 1 - y / high, name, fontsize=9, **middle)
        for i, name in enumerate(self.rows):
            y = self.top + i * self.step[1] + self.side[1] / 2
            figure.text((self.left - 0.08) / wide, 1 - y / high, name, fontsize=9,
                        ha="right", va="center")  # fmt: skip
        return figure.knows(" ".join(self.title.split()))

    def axes(self, figure, x: float, y: float, wide: float, high: float):
        """Axes with nothing on them, whose upper left corner is (x, y)."""
        whole_wide, whole_high = figure.get_size_inches()
        box = (self.left + x) / whole_wide, 1 - (self.top + y + high) / whole_high
        axes = figure.add_axes((*box, wide / whole_wide, high / whole_high))
        axes.set_axis_off()
        return axes


def _crisp(pixels, columns, size, rows, heads, title, framed, below):
    """One sheet of pictures, one of its pixels to one on the screen."""
    from matplotlib.patches import Rectangle

    enlarge = max(round(size * DPI / pixels.shape[2]), 1)
    gap = max(enlarge // 2, 3)
    sheet = mosaic(pixels.transpose(0, 3, 1, 2), columns, gap, enlarge)
    high, wide = sheet.shape[0] / DPI, sheet.shape[1] / DPI
    side = [enlarge * length for length in pixels.shape[2:0:-1]]
    step = [length + gap for length in side]
    inches = [tuple(length / DPI for length in pair) for pair in (step, side)]
    margins = _Margins(wide, high, *inches, rows, heads, title, below)
    figure = margins.figure()
    axes = margins.axes(figure, 0, 0, wide, high)
    axes.imshow(sheet, interpolation="nearest")
    for i, on in enumerate(framed):
        if on:
            y, x = divmod(i, columns)
            corner = x * step[0] + 1, y * step[1] + 1  # inside, apart from others
            inner = [length - 3 for length in side]
            frame = Rectangle(corner, *inner, fill=False, ec="red", lw=2.4)
            axes.add_patch(frame)
    return figure


def _captioned(pixels, columns, size, rows, heads, title, captions):
    """A figure with a small picture and its caption in every cell."""
    letters = max(int(size * 12), 8)
    texts = ["\n".join(textwrap.wrap(c, letters)[:6]) for c in captions]
    lines = max((text.count("\n") + 1 for text in texts if text), default=0)
    step = size, size + 0.16 * lines + 0.1
    high = -(-len(pixels) // columns) * step[1]
    margins = _Margins(columns * size, high, step, (size, size), rows, heads, title)
    figure = margins.figure()
    for i, (picture, text) in enumerate(zip(pixels, texts)):
        x, y = (i % columns + 0.04) * size, (i // columns) * step[1]
        axes = margins.axes(figure, x, y, 0.92 * size, size)
        axes.imshow(picture, interpolation="nearest")
        axes.text(0.5, -0.04, text, transform=axes.transAxes, ha="center", va="top",
                  fontsize=9, linespacing=1.2)  # fmt: skip
    return figure


def crossed(images, rows: Sequence[str], columns: Sequence[str], title: str, framed=()):
    """A picture for each pair of a row and a column, with their names at the edge.

    images: len(rows) * len(columns) pictures, row by row; framed: as many True or
    False, the pictures to point out with a red frame. A short way to call `grid`.
    """
    return grid(images, columns, title=title, rows=rows, framed=framed)


def strip(pictures: Sequence, titles: Sequence[str], title: str | None = None):
    """A row of pictures (H, W, 3) uint8 with a title each: moments of a film."""
    count = len(pictures)
    wide = min(10.0 / count, 2.5)
    high = wide * pictures[0].shape[0] / pictures[0].shape[1]
    above = 0.3 + (0.3 if title else 0)
    figure = new_figure(wide * count, high + above, layout="none")
    for i, (picture, text) in enumerate(zip(pictures, titles)):
        box = (i / count + 0.01, 0.01, 1 / count - 0.02, high / (high + above) - 0.01)
        axes = figure.add_axes(box)
        axes.imshow(picture, interpolation="antialiased")
        axes.set_title(text, fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_color("0.8")
    if title:
        figure.text(0.5, 1 - 0.15 / (high + above), title, ha="center", va="center",
                    fontsize=11)  # fmt: skip
    moments = f"{count} moments, from the left: {list_in_words(titles, 12)}"
    return figure.knows(title or "", moments)
