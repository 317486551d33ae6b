"""The commands of t2i, a file each: `add_arguments` and `main`, light to import."""

from __future__ import annotations

import os

PRESETS = ("smoke", "cpu", "gpu", "paper")  # presets.ALL, without importing torch


class UserError(ValueError):
    """What was asked for can't be; the message says why, in a line."""


def first_process() -> bool:
    """Whether this is the one of several that speaks (torchrun sets RANK)."""
    return os.environ.get("RANK", "0") == "0"
