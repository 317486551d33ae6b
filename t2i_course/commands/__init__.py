"""The commands of t2i, a file each: `add_arguments` and `main`, light to import."""

from __future__ import annotations

PRESETS = ("smoke", "cpu", "gpu", "paper")  # presets.ALL, without importing torch


class UserError(ValueError):
    """What was asked for can't be; the message says why, in a line."""
