"""Keeping what was drawn on disk: whole and undamaged, or not at all."""

import ast
import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

import numpy as np

__all__ = ["fingerprint", "half_made", "load", "store", "umask"]


@lru_cache(maxsize=4)
def fingerprint(files: tuple[Path, ...]) -> str:
    """Changes with the code in these files; not with comments or line breaks."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(ast.dump(ast.parse(file.read_text("utf-8"))).encode())
    return digest.hexdigest()[:12]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def store(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays to `folder` so that it appears whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in half_made(folder.parent):
        shutil.rmtree(left, ignore_errors=True)
    prefix = f".making-{platform.node()}-{os.getpid()}-"
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=prefix))
    work.chmod(0o777 & ~umask())  # mkdtemp's folders are their maker's alone
    try:
        for name, array in arrays.items():
            np.save(work / f"{name}.npy", array)
        sums = {f.name: _digest(f) for f in sorted(work.glob("*.npy"))}
        (work / "complete.json").write_text(json.dumps(sums))
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def umask() -> int:
    """What new folders and files are not allowed, by this process's settings."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def half_made(folder: Path) -> list[Path]:
    """What stopped processes left in the cache: nobody will finish it.

    A process of this machine that is gone, or, of another machine (a shared folder),
    one that has written nothing for a day.
    """
    return [path for path in folder.glob(".making-*") if not _in_work(path)]


def _in_work(path: Path) -> bool:
    """Whether the process that makes this folder may still be at it."""
    _, _, host_and_pid = path.name.rpartition(".making-")
    host, pid, _ = [*host_and_pid.rsplit("-", 2), "", ""][:3]
    try:
        if host == platform.node() and os.name == "posix":
            os.kill(int(pid), 0)  # no signal: only asks whether it is there
            return True
        return time.time() - path.stat().st_mtime < 24 * 3600
    except PermissionError:
        return True  # somebody else's
    except (ValueError, OSError):
        return False


def load(
    folder: Path, names: tuple[str, ...], things: str
) -> dict[str, np.ndarray] | None:
    """The arrays of a whole and undamaged folder (memory-mapped), else None.

    names: of the arrays that must be there; things: what is drawn, for a message
    """
    try:
        sums = json.loads((folder / "complete.json").read_text())
        if not isinstance(sums, dict) or not {f"{n}.npy" for n in names} <= set(sums):
            raise ValueError("complete.json doesn't list all its files")
        if any(_digest(folder / name) != value for name, value in sums.items()):
            raise ValueError("a file has changed since it was written")
        return {Path(n).stem: np.load(folder / n, mmap_mode="r") for n in sums}
    except FileNotFoundError:
        return None
    except PermissionError:
        print(
            f"The drawn {things} in {folder} belong to somebody else and may not be "
            "read; drawing them anew, in memory. Ask for permission (chmod -R a+rX), "
            "or set T2I_CACHE to a folder of your own.",
            file=sys.stderr,
        )
        return None
    except (ValueError, OSError) as error:
        print(
            f"The drawn {things} in {folder} are damaged ({error}); drawing them anew.",
            file=sys.stderr,
        )
        return None
