"""Grown pictures: made visible where they are faint, as a film, and from the records.

Pictures of ImageNet's units are on record as sheets, so that the lesson shows them
where the network isn't installed. Used in lesson 17.
"""

from __future__ import annotations

import base64
import html
import io
import json
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..experiments.recorded import FOLDER
from ..measure.stimuli import middles, spectrum
from ..training.checkpoint import write_whole
from .curves import lines
from .pictures import grid, soften, to_pixels

__all__ = ["Film", "Sheet", "keep_sheet", "kept_sheet", "spectra", "stretched"]


def stretched(pictures: Tensor) -> Tensor:
    """Pictures (B, C, H, W), each with as much contrast as fits around its own mean.

    All but the hundredth part of values that differ most from the mean lie within
    [-1, 1] afterwards. Faint pictures become visible; a title has to say so.
    """
    mean = pictures.mean((1, 2, 3), keepdim=True)
    differ = pictures - mean
    reach = differ.flatten(1).abs().quantile(0.99, 1).clamp_min(1e-6)
    return (differ / reach.view(-1, 1, 1, 1)).clamp(-1, 1)


def spectra(groups: dict[str, Tensor], title: str):
    """The power of each group's pictures by frequency, a curve each, levels shifted.

    groups: {name: (B, C, S, S)}; each curve is the mean over pictures of log10 of the
    power, less its own mean, so that shapes are compared and not contrasts.
    """
    size = next(iter(groups.values())).shape[-1]
    curves = {}
    for name, pictures in groups.items():
        bands = spectrum(pictures).mean(0)
        curves[name] = (bands - bands.mean()).tolist()
    x = middles(size) * size
    figure = lines(x, curves, "waves across the picture",
                   "powers of ten, less their mean", title,
                   log="x", outside=True)  # fmt: skip
    axes = figure.axes[0]
    marks = [mark for mark in (2, 4, 8, 16, 32, 64, 128) if mark <= size // 2]
    axes.set_xticks(marks, [str(mark) for mark in marks])
    axes.minorticks_off()
    return figure


@dataclass(repr=False)
class Film:
    """Pictures (N, 3, H, W) one after another, to and fro: an animated WebP.

    said: what it shows, in words; they stand below it, and for who can't see it.
    enlarge: times, on the page; milliseconds: of each picture.
    """

    pictures: Tensor
    said: str
    enlarge: int = 3
    milliseconds: int = 120

    def __repr__(self) -> str:
        return f"Film of {len(self.pictures)} pictures: {self.said}"

    def webp(self) -> bytes:
        """The file: 2 N - 2 pictures."""
        frames = [Image.fromarray(one) for one in to_pixels(self.pictures)]
        frames += frames[-2:0:-1]
        file = io.BytesIO()
        frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], loop=0,
                       quality=85, duration=self.milliseconds)  # fmt: skip
        return file.getvalue()

    def _repr_html_(self) -> str:
        """The film as a part of a page, with its words below."""
        text = base64.b64encode(self.webp()).decode()
        said = html.escape(self.said, quote=True)
        wide = self.enlarge * self.pictures.shape[-1]
        return (f'<img alt="{said}" width="{wide}" src="data:image/webp;base64,{text}">'
                f"<p><em>{said}</em></p>")  # fmt: skip


# ---------------------------------------------------------------- sheets on record


@dataclass
class Sheet:
    """Pictures (R * C, 3, S, S) uint8 on record, with what stands beside them.

    rows, columns: names; said: a text for each picture, or nothing; command: made it.
    """

    pictures: Tensor
    rows: list[str]
    columns: list[str]
    said: list[str] = field(default_factory=list)
    command: str = ""

    def figure(self, title: str, size: float | None = None, side: int | None = None,
               captions=None):  # fmt: skip
        """The sheet as a figure; side: pixels of one picture, if not all of them."""
        shown = self.pictures if side is None else soften(self.pictures, side)
        figure = grid(shown, self.columns, captions, title, size, rows=self.rows)
        return figure.knows(f"Made by {self.command}")


def sheet_file(name: str):
    """Where a sheet is."""
    return FOLDER / f"stimuli_{name}.json"


def keep_sheet(name: str, sheet: Sheet, quality: int = 80) -> None:
    """Write a sheet, its pictures in [-1, 1] or bytes, with a little loss (WebP)."""
    pixels = torch.from_numpy(to_pixels(sheet.pictures))
    count, high, wide, _ = pixels.shape
    across = len(sheet.columns)
    whole = pixels.reshape(count // across, across, high, wide, 3)
    whole = whole.permute(0, 2, 1, 3, 4).reshape(-1, across * wide, 3)
    file = io.BytesIO()
    Image.fromarray(whole.numpy()).save(file, "WEBP", quality=quality, method=6)
    made = {"command": sheet.command, "rows": sheet.rows, "columns": sheet.columns,
            "said": sheet.said, "side": high,
            "sheet": base64.b64encode(file.getvalue()).decode()}  # fmt: skip
    text = (json.dumps(made) + "\n").encode()
    write_whole(sheet_file(name), lambda out: out.write(text))


def kept_sheet(name: str) -> Sheet:
    """A sheet on record. LookupError names those there are."""
    if not sheet_file(name).exists():
        there = ", ".join(sorted(f.stem[8:] for f in FOLDER.glob("stimuli_*.json")))
        raise LookupError(f"there is no sheet {name!r}; there are {there}")
    made = json.loads(sheet_file(name).read_text(encoding="utf-8"))
    whole = Image.open(io.BytesIO(base64.b64decode(made["sheet"]))).convert("RGB")
    side = made["side"]
    pixels = torch.from_numpy(np.asarray(whole).copy())
    rows, columns = pixels.shape[0] // side, pixels.shape[1] // side
    cut = pixels.reshape(rows, side, columns, side, 3).permute(0, 2, 4, 1, 3)
    return Sheet(cut.reshape(-1, 3, side, side), made["rows"], made["columns"],
                 made["said"], made["command"])  # fmt: skip
