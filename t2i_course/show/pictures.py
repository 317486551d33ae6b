"""Pictures in rows and columns, crisp and labelled; every lesson shows them this way.

All functions return a matplotlib Figure that a notebook shows when it is a cell's last
value. Pictures may be uint8 or floats in [-1, 1], of one channel (drawn as dark ink on
paper) or three.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["crossed", "grid", "mosaic", "new_figure", "soften", "strip", "to_pixels"]

DPI = 100


def new_figure(width: float, height: float, **keywords):
    """A figure of that size in inches which shows once: as a cell's value.

    pyplot would show an open figure a second time at the end of the cell, so it is
    closed there; keywords go to `plt.figure`.
    """
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(width, height), dpi=DPI, **keywords)
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


def soften(images, side: int = 64) -> Tensor:
    """Small pictures (N, C, h, w) drawn at side x side pixels, bicubic, as floats."""
    images = torch.as_tensor(images).detach().cpu()
    if images.dtype == torch.uint8:
        images = images.float() / 127.5 - 1
    return F.interpolate(images.float(), (side, side), mode="bicubic").clamp(-1, 1)


def grid(
    images,
    columns: int = 8,
    captions: Sequence[str] | None = None,
    title: str | None = None,
    size: float | None = None,
    smooth: bool = False,
    numbered: bool = False,
):
    """Pictures in rows of `columns`, each with its caption below if there are captions.

    size: of one picture in inches; by default so that the figure is 7 inches wide, or
    less for few small pictures. smooth: draw small pictures with soft pixels instead
    of crisp squares (a softer view; nothing is added). numbered: the columns have
    numbers above. Returns a Figure. Used in every lesson.
    """
    pixels = to_pixels(images)
    if smooth:
        images = soften(images)
        pixels = to_pixels(images)
    columns = max(min(columns, len(pixels)), 1)
    size = size or min(7.0 / columns, 1.5 if captions is None else 2.0)
    if captions is not None:
        return _captioned(pixels, columns, captions, title, size)
    enlarge = max(round(size * DPI / pixels.shape[2]), 1)
    sheet = mosaic(images, columns, max(enlarge // 2, 3), enlarge)
    high, wide = sheet.shape[0] / DPI, sheet.shape[1] / DPI
    head, above = 0.32 if title else 0.0, 0.2 if numbered else 0.0
    head += above
    figure = new_figure(wide, high + head, layout="none")
    axes = figure.add_axes((0, 0, 1, high / (high + head)))
    axes.imshow(sheet, interpolation="nearest")  # one pixel of the sheet to one shown
    axes.set_axis_off()
    if title:
        top = 1 - (head - above) / 2 / (high + head)
        figure.text(0.5, top, title, ha="center", va="center", fontsize=11)
    for i in range(columns if numbered else 0):
        place = (i + 0.5) / columns, (high + above / 2) / (high + head)
        figure.text(*place, str(i + 1), ha="center", va="center", fontsize=9)
    return figure


def _captioned(pixels, columns, captions, title, size):
    """A figure with a small picture and its caption in every cell."""
    letters = max(int(size * 13), 8)
    texts = ["\n".join(textwrap.wrap(c, letters)[:6]) for c in captions]
    lines = max((text.count("\n") + 1 for text in texts if text), default=0)
    rows, below = -(-len(pixels) // columns), 0.15 * lines + 0.1
    head = 0.35 if title else 0.05
    high = rows * (size + below) + head
    figure = new_figure(columns * size, high, layout="none")
    for i, (picture, text) in enumerate(zip(pixels, texts)):
        left, top = (i % columns) / columns, (i // columns) * (size + below) + head
        box = (
            left + 0.04 / columns,
            1 - (top + size) / high,
            0.92 / columns,
            size / high,
        )
        axes = figure.add_axes(box)
        axes.imshow(picture, interpolation="nearest")
        axes.set_axis_off()
        axes.text(0.5, -0.04, text, transform=axes.transAxes, ha="center", va="top",
                  fontsize=8, linespacing=1.25)  # fmt: skip
    if title:
        figure.text(0.5, 1 - 0.5 * head / high, title, ha="center", va="center",
                    fontsize=11)  # fmt: skip
    return figure


def crossed(images, rows: Sequence[str], columns: Sequence[str], title: str, framed=()):
    """A picture for each pair of a row and a column, with their names at the edge.

    images: len(rows) * len(columns) pictures, row by row; framed: as many True or
    False, the pictures to point out with a red frame. Used in lesson 00.
    """
    from matplotlib.patches import Rectangle

    pixels, gap = to_pixels(images), 6
    enlarge = max(round(6.2 * DPI / len(columns) / pixels.shape[2]), 1)
    sheet = mosaic(images, len(columns), gap, enlarge)
    step = [side * enlarge + gap for side in pixels.shape[1:3]]
    high, wide = sheet.shape[0] / DPI, sheet.shape[1] / DPI
    figure = new_figure(wide + 0.75, high + 0.65, layout="none")
    box = (0.65, 0.05, wide, high)  # inches
    place = [side / whole for side, whole in zip(box, 2 * (wide + 0.75, high + 0.65))]
    axes = figure.add_axes(place)
    axes.imshow(sheet, interpolation="nearest")
    for ticks, names, side in (
        (axes.set_xticks, columns, step[1]),
        (axes.set_yticks, rows, step[0]),
    ):
        ticks([i * side + (side - gap) / 2 for i in range(len(names))], names)
    axes.tick_params(labelsize=8, length=0, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    axes.grid(False)
    for i, on in enumerate(framed):
        if on:
            y, x = divmod(i, len(columns))
            corner, size = (x * step[1] - gap / 2, y * step[0] - gap / 2), step[::-1]
            frame = Rectangle(corner, *size, fill=False, ec="red", lw=2, clip_on=False)
            axes.add_patch(frame)
    axes.set_title(title, fontsize=11)
    return figure


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
    return figure
