"""A map of pictures: each at its place, in a frame of the colour asked for (lesson 11).

As in AT-12, but moved to cells of a grid, so that none hides another.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..measure.mapped import on_cells
from ..worlds.bird_drawing import RGB
from ..worlds.bird_species import COLOURS
from .pictures import DPI, mosaic, new_figure

__all__ = ["framed", "on_map"]

SIDE, RIM = 32, 3  # pixels of a small picture, and of its frame
LINE = 0.3  # how light the frame's outermost pixel is, in [-1, 1]


def framed(pictures: Tensor, kinds: Tensor) -> Tensor:
    """Pictures (B, 3, S, S), shrunk to 32 pixels, in frames of colours (B,): 38 pixels.

    kinds: numbers in COLOURS.
    """
    small = F.adaptive_avg_pool2d(pictures, SIDE)
    table = 2 * torch.tensor([RGB[name] for name in COLOURS]) - 1
    sheet = table[kinds][:, :, None, None].repeat(1, 1, SIDE + 2 * RIM, SIDE + 2 * RIM)
    sheet[:, :, [0, -1]] = sheet[..., [0, -1]] = LINE  # or a white one isn't seen
    sheet[:, :, RIM:-RIM, RIM:-RIM] = small
    return sheet


def on_map(
    pictures: Tensor, places: np.ndarray, kinds: Tensor, title: str,
    columns: int = 20, part: str = "wing",
):  # fmt: skip
    """Pictures (B, 3, S, S) at their places (B, 2) on a sheet; frames: kinds (B,).

    kinds: the colour that each caption asks for the part, numbers in COLOURS. Of the
    map's cells, four to three and a tenth more than pictures, some stay empty.
    """
    rows = -(-len(pictures) * 11 // 10 // columns)
    cells = torch.ones(columns * rows, 3, SIDE + 2 * RIM, SIDE + 2 * RIM)
    where = on_cells(places, columns, rows)
    cells[torch.from_numpy(where)] = framed(pictures, kinds)
    sheet = mosaic(cells, columns, gap=2)
    wide, high, above, below = sheet.shape[1] / DPI, sheet.shape[0] / DPI, 0.35, 0.32
    whole = high + above + below
    figure = new_figure(wide, whole, layout="none")
    axes = figure.add_axes((0, below / whole, 1, high / whole))
    axes.imshow(sheet, interpolation="nearest")
    axes.set_axis_off()
    figure.text(
        0.5, 1 - above / 2 / whole, title, ha="center", va="center", fontsize=11
    )
    key(figure, below / whole, part)
    counts = [
        f"{COLOURS[n]} {int((kinds == n).sum())}" for n in kinds.unique().tolist()
    ]
    return figure.knows(
        title, f"{len(pictures)} small pictures on a sheet of {columns} columns and "
        f"{rows} rows, alike ones side by side",
        f"Frames have the colour that the caption asks for the {part}: "
        + ", ".join(counts),
    )  # fmt: skip


def key(figure, top: float, part: str) -> None:
    """Which colour a frame has, below the sheet; top: where that begins, 0 to 1."""
    axes = figure.add_axes((0, 0, 1, top))
    axes.set(xlim=(0, 13), ylim=(0, 1))
    axes.set_axis_off()
    axes.text(0.1, 0.45, f"asked for the {part}:", va="center", fontsize=8.5)
    for number, name in enumerate(COLOURS):
        x = 2.55 + 1.05 * number
        axes.scatter([x], [0.48], s=70, marker="s", color=RGB[name], ec="0.6", lw=0.6)
        axes.text(x + 0.18, 0.45, name, va="center", fontsize=8.5)
