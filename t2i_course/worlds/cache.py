"""Where drawn worlds are kept."""

import os
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """T2I_CACHE, or .cache/t2i_course in your home."""
    return Path(os.environ.get("T2I_CACHE") or Path.home() / ".cache" / "t2i_course")
