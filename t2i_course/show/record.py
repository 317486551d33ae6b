"""A shipped network's training on record: pictures on the way, and its losses.

So that a page, and a reader who loads the network in place of training it, see how it
learned. One small JSON file a network, in `experiments/records`. Used in lesson 01.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..experiments.recorded import FOLDER
from ..training import History
from ..training.checkpoint import write_whole
from .pictures import grid, soften

__all__ = ["Record", "keep", "recorded"]

HERE = FOLDER


@dataclass
class Record:
    """What was kept of one training.

    steps: of the looks; pictures: (looks, N, C, H, W) uint8, of the same noise each
    time; history: the losses, each number the mean of some steps; command: made it.
    """

    steps: list[int]
    pictures: Tensor
    history: History
    command: str

    def figure(self, title: str | None = None, side: int = 40):
        """A row of pictures for each look, with its step beside it."""
        rows = [f"step {step:,}" for step in self.steps]
        images = soften(self.pictures.flatten(0, 1), side)
        columns = self.pictures.shape[1]
        figure = grid(images, columns, title=title or self.command, rows=rows)
        return figure.knows("Each column is drawn from the same noise in all rows")


def path(name: str) -> Path:
    """The file of that network's record."""
    return HERE / f"course_{name}.json"


def keep(
    name: str, history: History, looks: dict[int, Tensor], command: str, every: int = 20
) -> None:
    """Write the record of a training.

    looks: {step: pictures (N, C, H, W) in [-1, 1]}; every: so many steps' losses
    become one number, their mean.
    """
    count = len(history.steps) // every
    losses = {
        player: torch.tensor(all_of[: count * every])
        .view(count, every)
        .mean(1)
        .tolist()
        for player, all_of in history.losses.items()
    }
    images = torch.stack(list(looks.values()))
    images = ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu()
    packed = zlib.compress(images.numpy().tobytes(), 9)
    made = {
        "command": command,
        "steps": list(looks),
        "shape": list(images.shape),
        "pictures": base64.b64encode(packed).decode(),
        "every": every,
        "losses": {k: [round(v, 3) for v in kept] for k, kept in losses.items()},
    }
    text = json.dumps(made) + "\n"
    write_whole(path(name), lambda file: file.write(text.encode()))


def recorded(name: str) -> Record | None:
    """The record of a network's training; None, and a word, where there is none."""
    if not path(name).exists():
        print(f"The training of {name!r} is not on record here.")
        return None
    kept = json.loads(path(name).read_text())
    raw = bytearray(zlib.decompress(base64.b64decode(kept["pictures"])))
    images = torch.frombuffer(raw, dtype=torch.uint8).view(kept["shape"])
    count = len(next(iter(kept["losses"].values())))
    steps = [kept["every"] * (i + 1) for i in range(count)]
    return Record(
        kept["steps"], images, History(kept["losses"], steps), kept["command"]
    )
