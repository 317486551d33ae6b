"""`t2i doctor`: what is here, what is missing, and what to do about it.

Each examination yields lines to read and, where something is wrong, a `Problem` with
its cure. Nothing is downloaded or repaired.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata

from . import __version__
from .declarations import Problem, all_data, all_networks

NEEDED = (  # what the package imports
    "torch",
    "numpy",
    "matplotlib",
    "pillow",
    "tqdm",
    "safetensors",
    "accelerate",
    "torchmetrics",
    "scikit-learn",
    "ipywidgets",
)
NOTEBOOKS = ("jupyterlab", "nbclient", "nbconvert", "jupytext", "nbgrader")
LEAST_DISK = 2 * 2**30  # bytes: worlds of 64 pixels and a few checkpoints


def versions() -> Iterator[str | Problem]:
    """Python's and the packages' versions."""
    python = platform.python_version()
    system = platform.platform(terse=True)
    yield f"t2i-course {__version__}, Python {python} on {system}"
    found, missing = [], []
    for name in (*NEEDED, *NOTEBOOKS):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    yield "packages: " + ", ".join(found)
    if lost := [name for name in missing if name in NEEDED]:
        cure = f"{sys.executable} -m pip install {' '.join(lost)}"
        yield Problem(f"missing packages: {', '.join(lost)}", cure)
    elif missing:
        yield Problem(
            f"no {', '.join(missing)}: notebooks can't be run or built here",
            f"{sys.executable} -m pip install {' '.join(missing)}",
        )


def machine() -> Iterator[str | Problem]:
    """Device, threads and preset."""
    import torch

    from . import presets
    from . import threads as waiting

    device = "no GPU, CPU"
    if torch.cuda.is_available():
        device = f"GPU {torch.cuda.get_device_name()}"
    threads, cores = torch.get_num_threads(), os.cpu_count() or 1
    yield f"device: {device}; {threads} of {cores} cores used by torch"
    if threads < cores and not torch.cuda.is_available():
        yield Problem(
            f"torch uses {threads} of {cores} cores",
            "unset OMP_NUM_THREADS, or set it to the number of cores",
        )
    yield waiting.in_force()
    if waiting.late():
        yield Problem(waiting.LATE, waiting.CURE)
    try:
        preset = presets.current()
    except ValueError as error:
        yield Problem("T2I_PRESET is not a preset", str(error))
        return
    chosen = "by T2I_PRESET" if os.environ.get("T2I_PRESET") else "by the hardware"
    yield f"preset: {preset} (chosen {chosen})"
    if preset in ("gpu", "paper") and not torch.cuda.is_available():
        yield Problem(
            f"the preset {preset} takes hours without a GPU", "T2I_PRESET=cpu"
        )


def disk() -> Iterator[str | Problem]:
    """Free space, and whether drawn worlds can be kept."""
    from .worlds.cache import cache_folder

    folder = cache_folder()
    place = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(place).free
    yield f"disk: {free / 2**30:.1f} GB free for {folder}"
    if free < LEAST_DISK:
        yield Problem(
            "little free space for drawn worlds and checkpoints",
            "free some, or set T2I_CACHE to a folder on another disk",
        )
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        yield Problem(
            f"can't write to {place} ({error.strerror}), so worlds are never kept",
            "set T2I_CACHE to a folder where you may write",
        )


def data() -> Iterator[str | Problem]:
    """The worlds and data sets that are there."""
    from .datasets import LATER

    known = all_data()
    for entry in known.values():
        if entry.report is not None:
            yield from entry.report()
    for name, line in LATER.items():
        if name not in known:
            yield line


def networks() -> Iterator[str | Problem]:
    """Every trained network's file, held against the manifest."""
    from . import weights

    good = []
    for name in weights.names():
        try:
            weights.load(name)
            good.append(name)
        except weights.WeightsError as error:
            yield Problem(f"network {name}", str(error))
    size = sum(weights.path(name).stat().st_size for name in good) / 2**20
    yield f"networks: {', '.join(good) or 'none'} ({size:.1f} MB in {weights.folder()})"
    wanted = set(all_networks()) - set(weights.names())
    if wanted:
        yield Problem(
            f"no network {', '.join(sorted(wanted))}",
            "get a complete copy of the course (unset T2I_WEIGHTS if you set it)",
        )


EXAMINATIONS = (versions, machine, disk, data, networks)


def examine() -> Iterator[str | Problem]:
    """All examinations; one that fails is itself a problem."""
    for examination in EXAMINATIONS:
        try:
            yield from examination()
        except Exception as error:
            said = " ".join(str(error).split()) or type(error).__name__
            yield Problem(f"{examination.__name__} can't be examined", said)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`t2i doctor` has no options."""


def main(options: argparse.Namespace | None = None) -> int:
    """Prints what was found; 0 if all is well, else 1."""
    problems = []
    for found in examine():
        if isinstance(found, Problem):
            problems.append(found)
        else:
            print(found, flush=True)
    for problem in problems:
        print(f"PROBLEM: {problem.what}\n     do: {problem.cure}")
    print("all is well" if not problems else f"{len(problems)} to look at")
    return int(bool(problems))
