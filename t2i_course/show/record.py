"""A shipped network's training on record: what it drew on the way, and its losses.

So that a page, and a reader who loads the network in place of training it, see how it
learned: `lesson.train` shows the record below the training. One small JSON file a
network, in `experiments/records`. Used in lessons 01 to 03.
"""

from __future__ import annotations

import base64
import io
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..experiments.recorded import FOLDER
from ..training import History
from ..training.checkpoint import write_whole
from .curves import clouds
from .pictures import grid, soften

__all__ = ["Record", "keep", "on_record", "recorded"]

HERE = FOLDER
POINTS = 200  # of each cloud on record
REACH = 8.0  # points further out are cut off there


@dataclass
class Record:
    """What was kept of one training.

    steps: of the looks; seen: what was drawn at each, of the same noise each time,
    pictures (looks, N, C, H, W) uint8 or points (looks, N, P, 2); real: points (P, 2)
    to compare with, or None; history: the losses, each number the mean of some steps;
    command: made it.
    """

    name: str
    steps: list[int]
    seen: Tensor
    real: Tensor | None
    history: History
    command: str

    def figure(
        self,
        title: str | None = None,
        side: int = 40,
        columns=None,
        only: Sequence[int] | None = None,
        of: str = "noise",
        given: Tensor | None = None,
    ):
        """A row for each look, with its step beside it; columns: heads, or None.

        only: the columns shown, by number; of: what a column is drawn of in all rows;
        given: that, a picture a column shown in [-1, 1], for a first row.
        """
        rows = [f"step {step:,}" for step in self.steps]
        title = title or f"{self.name} on the way ({self.command})"
        seen = self.seen if only is None else self.seen[:, list(only)]
        count, seen = seen.shape[1], seen.flatten(0, 1)
        if self.real is not None:
            return clouds(seen, self.real, title, rows=rows)
        if given is not None:
            first = ((given.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
            seen, rows = torch.cat([first.cpu(), seen]), ["given", *rows]
        side = max(side, seen.shape[-1])
        heads = list(columns) if columns else count
        figure = grid(soften(seen, side), heads, title=title, rows=rows)
        made = "" if self.command in title else f"Made by {self.command}"
        return figure.knows(
            made, f"Each column is drawn from the same {of} in all rows"
        )


def path(name: str) -> Path:
    """The file of that network's record."""
    return HERE / f"course_{name}.json"


def on_record(name: str) -> bool:
    """Whether that network's training is on record."""
    return path(name).exists()


def keep(
    name: str,
    history: History,
    looks: dict[int, Tensor],
    command: str,
    every: int = 20,
    real: Tensor | None = None,
) -> None:
    """Write the record of a training.

    looks: {step: pictures (N, C, H, W) in [-1, 1]}, or with `real` points (P, 2) to
    compare with {step: points (N, P, 2)}, of which the first 200 are kept; every: so
    many steps' losses become one number, their mean.
    """
    seen = torch.stack(list(looks.values())).cpu()
    drawn = {"pictures": packed_pictures(seen)} if real is None else {
        "points": packed_points(seen), "real": packed_points(real)
    }  # fmt: skip
    count = len(history.steps) // every
    losses = {
        player: torch.tensor(all_of[: count * every])
        .view(count, every)
        .mean(1)
        .tolist()
        for player, all_of in history.losses.items()
    }
    made = {
        "command": command,
        "steps": list(looks),
        **drawn,
        "every": every,
        "losses": {k: [round(v, 3) for v in kept] for k, kept in losses.items()},
    }
    text = json.dumps(made) + "\n"
    write_whole(path(name), lambda file: file.write(text.encode()))


def packed_pictures(images: Tensor) -> dict:
    """Pictures (looks, N, C, H, W) in [-1, 1], or bytes, as text: one lossless WebP.

    A row of its sheet is a look. {"shape", "sheet"}; `unpacked_pictures` is the way
    back, bit for bit.
    """
    if images.dtype != torch.uint8:
        images = ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    looks, count, channels, high, wide = images.shape
    sheet = images.permute(0, 3, 1, 4, 2).reshape(looks * high, count * wide, channels)
    colours = Image.fromarray(sheet.expand(-1, -1, 3).contiguous().numpy())
    file = io.BytesIO()
    colours.save(file, "WEBP", lossless=True, quality=100, method=6, exact=True)
    text = base64.b64encode(file.getvalue()).decode()
    return {"shape": list(images.shape), "sheet": text}


def unpacked_pictures(kept: dict) -> Tensor:
    """(looks, N, C, H, W) uint8."""
    looks, count, channels, high, wide = kept["shape"]
    sheet = Image.open(io.BytesIO(base64.b64decode(kept["sheet"]))).convert("RGB")
    pixels = torch.from_numpy(np.array(sheet)[..., :channels])
    apart = pixels.view(looks, high, count, wide, channels)
    return apart.permute(0, 2, 4, 1, 3).contiguous()


def packed_points(points: Tensor) -> dict:
    """Points (..., P, 2) as text, the first of them, in steps of 1/4000."""
    points = points[..., :POINTS, :].detach().cpu().clamp(-REACH, REACH)
    whole = (points * (32_000 / REACH)).round().to(torch.int16)
    text = base64.b64encode(zlib.compress(whole.numpy().tobytes(), 9)).decode()
    return {"shape": list(whole.shape), "packed": text}


def unpacked_points(kept: dict) -> Tensor:
    """(..., P, 2) float."""
    raw = bytearray(zlib.decompress(base64.b64decode(kept["packed"])))
    whole = torch.frombuffer(raw, dtype=torch.int16).view(kept["shape"])
    return whole.float() * (REACH / 32_000)


def recorded(name: str) -> Record | None:
    """The record of a network's training; None, and a word, where there is none."""
    if not on_record(name):
        print(f"The training of {name!r} is not on record here.")
        return None
    kept = json.loads(path(name).read_text())
    count = len(next(iter(kept["losses"].values())))
    history = History(kept["losses"], [kept["every"] * (i + 1) for i in range(count)])
    if "points" in kept:
        seen, real = unpacked_points(kept["points"]), unpacked_points(kept["real"])
    else:
        seen, real = unpacked_pictures(kept["pictures"]), None
    return Record(name, kept["steps"], seen, real, history, kept["command"])
