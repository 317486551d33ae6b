"""How `t2i grade` runs a notebook: a child process, watched, killed where need be.

`Launcher` keeps one process that has imported torch and the checks; each run of a
notebook is a fork of it (`worker`), so that starting again is cheap. `Run`
follows such a child's messages, and starts another one without the step that had to be
killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from .processes import MARK, cpu_seconds, end_leftovers, kill, resident

DONE, BORROWED, WRONG, MISSING = "done", "borrowed", "wrong", "missing"
TIMED_OUT, CRASHED = "timed out", "crashed"
# When an exercise has several answers, the verdict that counts.
BEST_FIRST = [DONE, BORROWED, WRONG, TIMED_OUT, CRASHED, MISSING]
UNDEFINED = re.compile(r"NameError: name '(\w+)' is not defined")
MOST_RESTARTS = 12
TORCH_ITSELF = 1024  # megabytes that a notebook holds before its first cell, at most
START = 300  # seconds to import torch on a busy machine


NO_FORK = (
    "grading needs Linux or macOS: each notebook runs in a fork of one process, with "
    "limits that Windows lacks. On Windows install WSL (`wsl --install`), install the "
    "course in it and grade there"
)


class Launcher:
    """The process from which every run of a notebook is forked; use it in a `with`.

    A notebook that ends this process costs its own step: the next start makes another.
    `stop`: once this is set, runs end at once.
    """

    def __init__(self, stop: threading.Event | None = None) -> None:
        self.stop = stop or threading.Event()

    def __enter__(self) -> Launcher:
        if not hasattr(os, "fork"):
            raise ValueError(NO_FORK)
        self._open()
        return self

    def _open(self) -> None:
        self._scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._inbox, outbox = os.pipe()
        self._buffer = b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._inbox, selectors.EVENT_READ)
        self._mark = secrets.token_hex(16)
        command = [sys.executable, "-P", "-m", "t2i_course.grading.worker"]
        self._process = subprocess.Popen(
            [*command, str(outbox), str(os.getpid())],
            cwd=self._scratch.name,
            env=_environment(self._scratch.name) | {MARK: self._mark},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[outbox],
            start_new_session=True,
        )
        os.close(outbox)

    def __exit__(self, *problem: Any) -> None:
        self._close()

    def _close(self) -> None:
        if self.alive():
            end_leftovers(self._mark, self._process.pid)
            kill(self._process.pid)
        self._process.wait()
        end_leftovers(self._mark, self._process.pid)
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._selector.close()
        os.close(self._inbox)
        self._scratch.cleanup()

    def alive(self) -> bool:
        """Whether the process to fork from is there."""
        return self._process.poll() is None

    def start(self, specification: dict) -> int:
        """Forks a child for a notebook; returns its process id.

        RuntimeError if the process to fork from did not come up.
        """
        if not self.alive():
            self._close()
            self._open()
        with contextlib.suppress(ProcessLookupError):  # a notebook may have stopped it
            os.kill(self._process.pid, signal.SIGCONT)
        line = json.dumps(specification) + "\n"
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        ends = time.monotonic() + START
        while time.monotonic() < ends and self.alive() and not self.stop.is_set():
            for message in self.messages(specification["token"], 0.5):
                if message["what"] == "forked":
                    return message["pid"]
        raise RuntimeError("the grader's process did not start; try `t2i doctor`")

    def messages(self, token: str, seconds: float) -> list[dict]:
        """What came within that time and carries the token, which the run was told."""
        if not self._selector.select(timeout=seconds):
            return []
        data = os.read(self._inbox, 65536)
        if not data:  # nobody can write any more
            time.sleep(seconds)
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        messages = []
        for line in lines:
            with contextlib.suppress(ValueError):
                message = json.loads(line)
                if isinstance(message, dict) and message.get("token") == token:
                    messages.append(message)
        return messages


class Run:
    """One notebook's run: a worker, and another one after each that had to be killed.

    `steps` holds how each step ended, by its key ("cell 7", "01.3 in cell 7, 1");
    a new worker skips the steps that failed and doesn't repeat the checks.
    """

    def __init__(
        self,
        launcher: Launcher,
        specification: dict,
        *,
        timeout: float,
        step_timeout: float,
    ) -> None:
        """`specification`: lesson, cells, names, memory (see `worker`)."""
        self.launcher, self.specification = launcher, specification
        self.timeout, self.step_timeout = timeout, step_timeout
        self.cells, self.names = specification["cells"], specification["names"]
        self.memory = specification["memory"]
        self.steps: dict[str, dict] = {}
        self.guessing = False
        self.at: int | None = None  # the statement that runs in its cell
        self.deadline = float("inf")

    def go(self) -> None:
        """Runs children until one reaches the end, or time or patience is over."""
        for attempt in range(MOST_RESTARTS):
            token = secrets.token_hex(16)
            more = {"token": token, "steps": self.steps}
            pid = self.launcher.start(self.specification | more)
            if attempt == 0:
                self.deadline = time.monotonic() + self.timeout
            try:
                ended = self._follow(pid, token)
            finally:
                kill(pid)
            if (
                ended
                or time.monotonic() >= self.deadline
                or self.launcher.stop.is_set()
            ):
                return

    def _follow(self, pid: int, token: str) -> bool:
        """Reads the child's messages until it ends, dies, is late or grows too big."""
        step, limit = None, self.step_timeout
        wall, cpu = time.monotonic(), cpu_seconds(pid)
        while not self.launcher.stop.is_set():
            messages = self.launcher.messages(token, 0.05)
            if not messages and not self.launcher.alive():
                return self._ended(step, CRASHED, "it ended the grader's own process")
            for message in messages:
                if message["what"] == "end":
                    return True
                if message["what"] == "gone":
                    return self._ended(step, CRASHED, "the process died here")
                step, limit = self._note(message, step)
                wall, cpu = time.monotonic(), cpu_seconds(pid)
            # computing counts: a busy machine fails nobody; sleeping counts less
            late = cpu_seconds(pid) - cpu > limit or time.monotonic() - wall > 4 * limit
            if late or time.monotonic() > self.deadline:
                return self._ended(step, TIMED_OUT)
            if resident(pid) > self.memory + TORCH_ITSELF:
                return self._ended(step, CRASHED)
        return True

    def _note(self, message: dict, step: str | None) -> tuple[str | None, float]:
        """Takes a message in; returns the step that goes on, and its seconds."""
        if message["what"] == "at":
            self.at = message["statement"]
            return step, self.step_timeout
        if message["what"] == "begin":
            self.guessing, self.at = message["guess"], None
            short = min(5, self.step_timeout)
            return message["step"], short if self.guessing else self.step_timeout
        self.steps[message["step"]] = message["result"]
        return message["within"], self.step_timeout

    def _ended(self, step: str | None, status: str, message: str = "") -> bool:
        """Notes that the step ended the worker; True if nothing is left to try."""
        if not message and status == TIMED_OUT:
            limit = f"{self.step_timeout:g} seconds"
            over = time.monotonic() > self.deadline
            message = (
                "the time for the notebook was over"
                if over
                else (f"not finished after {limit}; does a loop never end?")
            )
        message = message or f"it took more than {self.memory} MB of memory"
        skip = [*self.steps.get(step or "start", {}).get("skip", []), self.at]
        result = {"status": status, "message": message, "guess": self.guessing}
        self.steps[step or "start"] = result | {"skip": skip}
        return step is None

    def verdict(self, id: str) -> tuple[str, str]:
        """Status and message of an exercise, from all that was seen."""
        of_id = [r for key, r in self.steps.items() if key.startswith(id + " ")]
        if any(result["status"] == DONE for result in of_id):
            return DONE, ""
        tried = [result for result in of_id if not result.get("guess")]
        real = [r for r in tried if r["status"] != MISSING]
        if not real:
            real = self._broken_cells(id) or tried
        if not real:
            return MISSING, self._because(self._why_missing(id))
        best = min(real, key=lambda r: BEST_FIRST.index(r["status"]))
        return best["status"], self._because(best.get("message", ""))

    def _broken_cells(self, id: str) -> list[dict]:
        """How the cells ended that should have answered the exercise, but failed."""
        broken = []
        names = [name for name in self.names.get(id, []) if name]
        for cell in self.cells:
            result = self.steps.get(f"cell {cell['cell']}")
            if result is None or result["status"] == DONE:
                continue
            for failure in result.get("failures") or [{"lost": None, **result}]:
                lost, source = failure["lost"], failure.get("source", cell["source"])
                asks = re.search(rf"check\(\s*[\"']{re.escape(id)}[\"']", source)
                if asks and "NameError" in failure["message"]:
                    continue  # the answer isn't there, no fault of the check
                defines = any(
                    n in (lost or []) or defines_name(source, n) for n in names
                )
                if defines or asks:
                    said = f"cell {cell['cell']}: {failure['message']}"
                    broken.append({"status": result["status"], "message": said})
        return broken

    def _because(self, message: str) -> str:
        """The message, with the broken cells that its missing names come from."""
        said, asked = message, set(UNDEFINED.findall(message))
        for cell in reversed(self.cells):  # a cause stands above what hangs on it
            result = self.steps.get(f"cell {cell['cell']}", {})
            for failure in reversed(result.get("failures", [])):
                if asked & set(failure["lost"]):
                    asked |= set(UNDEFINED.findall(failure["message"]))
                    why = failure["message"].splitlines()[0]
                    why = why.removeprefix("your code stops with ")
                    line = failure["line"]
                    said += f" (cell {cell['cell']} stopped at `{line}`: {why})"
        return said

    def _why_missing(self, id: str) -> str:
        if "start" in self.steps:
            return f"the notebook did not run: {self.steps['start']['message']}"
        if time.monotonic() >= self.deadline:
            return "the time for the notebook was over before its turn"
        names = " or ".join(filter(None, self.names.get(id, []))) or "a function"
        return f'there is no {names} and no check("{id}", ...) that was reached'


def defines_name(source: str, name: str) -> bool:
    """Whether the source has a function or class of that name, even if it can't run."""
    pattern = rf"^\s*(def|class)\s+{re.escape(name)}\b"
    return re.search(pattern, source, re.MULTILINE) is not None


def _environment(scratch: str) -> dict[str, str]:
    """The worker's environment: this package, small presets, no window, no home."""
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    chosen = {
        "PYTHONPATH": path,
        "T2I_PRESET": "smoke",
        "T2I_LIVE": "0",
        "T2I_STRICT": "0",
        "MPLBACKEND": "Agg",
        "IPYTHONDIR": scratch,
        "OMP_NUM_THREADS": "1",  # a fork may not share threads, and time is fair so
    }
    return os.environ | chosen
