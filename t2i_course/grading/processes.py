"""Processes: what they use, and how they and all that they started are ended.

A notebook's processes are known by three signs: the process group of its worker, their
ancestor (the launcher, which on Linux adopts every orphan below it), and a variable of
their environment. The last two need /proc, so on macOS a daemon in a session of its own
outlives its notebook.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

MARK = "T2I_GRADER"  # the variable that every process of a launcher inherits
PDEATHSIG, CHILD_SUBREAPER = 1, 36  # of Linux's prctl


def resident(pid: int) -> float:
    """Megabytes of memory that the process holds; 0 where that can't be known."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_seconds(pid: int) -> float:
    """Seconds that the process has computed; 0 where that can't be known."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def doomed(parent: int) -> bool:
    """Whether this process's parent has been killed, though it may not be gone yet."""
    try:
        fields = Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return os.getppid() != parent
    exiting, pending = int(fields[6]) & 4, int(fields[28]) & 1 << signal.SIGKILL - 1
    return bool(exiting or pending or fields[0] in "ZX" or os.getppid() != parent)


def kill(pid: int) -> None:
    """Ends the process and everything that it started in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def end_with_parent() -> None:
    """From now on this process is killed when its parent dies, where Linux runs."""
    _prctl(PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> None:
    """From now on orphans below this process become its children, where Linux runs."""
    _prctl(CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def end_leftovers(mark: str, root: int) -> None:
    """Ends what is below the process `root` or carries its mark, but not `root`."""
    for _ in range(50):  # what they start meanwhile is ended as well
        found = leftovers(mark, root)
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if root == os.getpid():
            reap()
        time.sleep(0.01)


def reap() -> None:
    """Takes note of every child that has ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def leftovers(mark: str, root: int) -> list[int]:
    """The living processes below `root` or with the mark; [] without /proc."""
    parents, marked = {}, set()
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        with contextlib.suppress(OSError):  # gone, or another user's
            stat = (folder / "stat").read_text(errors="replace")
            state, parent = stat.rpartition(")")[2].split()[:2]
            if state in "ZX":
                continue
            parents[pid] = int(parent)
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes():
                marked.add(pid)
    below = {pid for pid in parents if root in _ancestors(pid, parents)}
    return sorted((marked | below) - {root, os.getpid()})


def _ancestors(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while pid in parents:
        pid = parents[pid]
        yield pid


@contextlib.contextmanager
def signals_go_to(put: Callable[[BaseException], None]) -> Iterator[None]:
    """Ctrl-C, an ended session and `kill` are put, not raised; for the main thread.

    A signal that was ignored (by nohup, say) stays so.
    """
    before = {}

    def take(number: int, frame: object) -> None:
        by_hand = number == signal.SIGINT
        put(KeyboardInterrupt() if by_hand else SystemExit(128 + number))

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, take)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
