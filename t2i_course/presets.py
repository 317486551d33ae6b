"""The four presets: how large a system is and how long it trains.

| preset | when         | what                                                      |
|--------|--------------|-----------------------------------------------------------|
| smoke  | tests        | seconds; proves that it runs, claims nothing              |
| cpu    | no GPU found | live training of a few minutes a lesson on two cores      |
| gpu    | one GPU      | at most half an hour a lesson                             |
| paper  | on request   | the published networks, schedule and data set             |
"""

from __future__ import annotations

import os

import torch

SMOKE, CPU, GPU, PAPER = "smoke", "cpu", "gpu", "paper"
ALL = (SMOKE, CPU, GPU, PAPER)


def current() -> str:
    """The preset in force: T2I_PRESET if set, else "gpu" or "cpu" by the hardware.

    Raises ValueError, naming the four, when T2I_PRESET is none of them.
    """
    wanted = os.environ.get("T2I_PRESET", "").strip().lower()
    if not wanted:
        return GPU if torch.cuda.is_available() else CPU
    if wanted not in ALL:
        raise ValueError(
            f"T2I_PRESET is {wanted!r}, but the presets are {', '.join(ALL)}. "
            "Set it to one of these, or unset it."
        )
    return wanted
