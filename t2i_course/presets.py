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


LIVE = {"": True, **dict.fromkeys(("1", "true", "yes", "on"), True)}
LIVE |= dict.fromkeys(("0", "00", "false", "no", "off"), False)


def live() -> bool:
    """Whether lessons train, by T2I_LIVE; they do where it isn't set.

    0, false, no and off load the shipped networks, 1, true, yes and on train.
    ValueError names them for anything else.
    """
    wanted = os.environ.get("T2I_LIVE", "").strip().lower()
    if wanted not in LIVE:
        raise ValueError(
            f"T2I_LIVE is {wanted!r}, but may be 0 (load the shipped networks) or 1 "
            "(train); false, no, off, true, yes and on will do too."
        )
    return LIVE[wanted]


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
