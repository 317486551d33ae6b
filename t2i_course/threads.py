"""How torch's threads wait for one another, so that a busy machine stays usable.

The threads of an operation wait for the slowest. OpenMP lets them spin: they ask again
and again, for some milliseconds, before they sleep. On a machine of one's own that is
fastest. As soon as another process wants a core, the spinning ones take it from the
very thread that they wait for, and a step takes several times as long.
`benchmarks/busy.py` measures it, and holds the figures.

`settle` shortens the wait of every platform's OpenMP by the environment, which OpenMP
reads once, when torch is loaded; `import t2i_course` calls it. `keep_watch` does more
on Linux: while other processes want the cores the threads sleep at once. Neither
changes a result: who computes what stays the same.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from pathlib import Path

# GNU's OpenMP (torch on Linux) counts looks, a hundred thousand to a millisecond or so;
# Intel's and LLVM's (Windows, macOS, conda) milliseconds. Each ignores the other's.
POLICY = {"GOMP_SPINCOUNT": "10000", "KMP_BLOCKTIME": "1"}
NAMES = ("OMP_WAIT_POLICY", *POLICY, "KMP_LIBRARY")  # who sets one has a policy
PERIOD = 0.5  # seconds between two looks at the machine
SLACK = 0.35  # cores that others may use before it counts as busy

LATE = (
    "torch was imported before t2i_course: training may be several times slower while "
    "other programs run"
)
CURE = "restart Python and import t2i_course first"
_late = False


def settle() -> None:
    """Sets the policy for this process and its children, unless the user has one."""
    global _late
    if owner() == "nobody":
        _late = "torch._C" in sys.modules  # this process's threads were told nothing
        os.environ.update(POLICY)


def owner() -> str:
    """Whose policy the environment holds: "nobody", "course" or "user"."""
    found = {name: os.environ[name] for name in NAMES if os.environ.get(name)}
    if not found:
        return "nobody"
    return "course" if found == POLICY else "user"


def late() -> bool:
    """Whether torch was there first, so that its threads spin as they always do."""
    return _late


def in_force() -> str:
    """The policy in a line, for people."""
    if late():
        return "waiting threads: as torch sets them (it was imported before t2i_course)"
    names = [f"{name}={os.environ[name]}" for name in NAMES if os.environ.get(name)]
    if owner() == "user":
        return f"waiting threads: {' '.join(names)} (yours)"
    more = ", asleep at once while other programs compute" if _can_watch() else ""
    return f"waiting threads: {' '.join(names)} (the course's){more}"


# ------------------------------------------------------------------------- the watch


class Watch:
    """Looks at the machine now and then, and sends torch's threads to sleep if busy.

    GNU's OpenMP hardly spins while it manages more threads than there are cores. So
    where others want the cores, an additional thread of Python opens an OpenMP team of
    its own, which sleeps from then on; where they don't, it ends, and its team with it.
    (libgomp, config/linux/wait.h and team.c. Another OpenMP would go on as ever.)
    """

    def __init__(self):
        self.cores = os.sched_getaffinity(0)
        self.last = self._times()
        self.end: threading.Event | None = None  # of the additional threads

    def _times(self) -> tuple[float, float, float]:
        """Seconds: of all processes on our cores, of this one, and of the clock."""
        used = core_seconds(Path("/proc/stat").read_text(), self.cores)
        return used, time.process_time(), time.perf_counter()

    def look(self) -> float:
        """How many cores other processes used since the last look."""
        now = self._times()
        used, own, span = (b - a for a, b in zip(self.last, now))
        self.last = now
        return (used - own) / span

    def act(self, others: float) -> None:
        """Sends the threads to sleep, or lets them spin."""
        import torch

        threads, cores = torch.get_num_threads(), len(self.cores)
        busy = threads > 1 and threads + others > cores + SLACK
        if busy and self.end is None:
            self.end = threading.Event()
            for _ in range(math.ceil((cores - 1) / (threads - 1))):
                threading.Thread(target=_team, args=(self.end,), daemon=True).start()
        elif not busy and self.end is not None:
            self.end.set()
            self.end = None


def core_seconds(text: str, cores: set[int]) -> float:
    """Seconds that those cores were not idle; text: /proc/stat (man 5 proc)."""
    names, ticks = {f"cpu{core}" for core in cores}, 0
    for line in text.splitlines():
        name, *numbers = line.split()
        if name in names:
            user_to_steal = [int(number) for number in numbers[:8]]
            ticks += sum(user_to_steal) - sum(user_to_steal[3:5])  # idle, iowait
    return ticks / os.sysconf("SC_CLK_TCK")


def _team(end: threading.Event) -> None:
    """Has a team, by one operation on all threads, until the end."""
    import torch

    torch.ones(torch.get_num_threads() * 2**16).add_(1)  # torch splits from 2**15 on
    end.wait()


def _watch() -> None:
    """For the life of the process; ends where the machine can't be read."""
    try:
        watch = Watch()
        while True:
            time.sleep(PERIOD)
            watch.act(watch.look())
    except (OSError, ValueError):
        return


_watching: int | None = None  # the process that does; a fork has not its threads


def _can_watch() -> bool:
    """Whether this platform has what `Watch` reads, and the user no own policy."""
    return sys.platform == "linux" and owner() != "user"


def keep_watch() -> None:
    """Starts the watch, once a process, where it is of use.

    Called by `fit`, `lesson.begin` and `t2i measure`.
    """
    global _watching
    if _watching == os.getpid() or not _can_watch():
        return
    _watching = os.getpid()
    threading.Thread(target=_watch, name="t2i-watch", daemon=True).start()
