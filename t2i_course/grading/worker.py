"""The child process of `t2i grade`: runs a notebook's cells and judges its answers.

    python -P -m t2i_course.grading.worker PIPE PARENT

Imports what checks need, then forks a child for each line of stdin: a JSON object with
token, lesson, cells, names, steps (how those of earlier runs ended) and memory. The
children report on the pipe (see `Channel`); `run` watches them from outside. It ends,
with all that it started, when the process PARENT is gone.
"""

from __future__ import annotations

import builtins
import json
import math
import os
import re
import resource
import shutil
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, NoReturn

import matplotlib
import numpy
import torch
import torch.nn.functional

from .. import checks
from ..checks import core
from .borrowed import Watch
from .processes import (
    MARK,
    adopt_orphans,
    doomed,
    end_leftovers,
    end_with_parent,
    kill,
)
from .run import defines_name
from .statements import STOPPED, Runner
from .warm import prepare

# Modules whose functions a check relies on; a notebook that replaces one of them in
# passing (or on purpose) doesn't change how it is judged.
RELIED_ON = [builtins, math, numpy, torch, torch.nn, torch.nn.functional]
OUT_OF_MEMORY = ("stops with MemoryError", "can't allocate memory")


class Channel:
    """Messages to the grader: one JSON object a line, each with the token."""

    def __init__(self, pipe: int, token: str) -> None:
        self._pipe, self._token = pipe, token
        self._open: list[str] = []
        self.launcher, self.owner = 0, os.getpid()

    def tell(self, **message: Any) -> None:
        """Sends a message, unless the step before has ended the launcher.

        A copy of the process that the notebook forked has nothing to say.
        """
        if os.getpid() != self.owner:
            return
        if self.launcher and doomed(self.launcher):
            time.sleep(60)  # the end that is on its way is that step's doing
        line = json.dumps(message | {"token": self._token}) + "\n"
        os.write(self._pipe, line.encode())

    def begin(self, step: str, guess: bool = False) -> None:
        """From now on the time of this step runs; a guess gets less of it."""
        self._open.append(step)
        self.tell(what="begin", step=step, guess=guess)

    def end(self, step: str, status: str, message: str = "", **more: Any) -> None:
        """How the step ended; the step around it, if any, goes on."""
        self._open.pop()
        within = self._open[-1] if self._open else None
        result = {"status": status, "message": message, **more}
        self.tell(what="result", step=step, result=result, within=within)

    def finish(self) -> None:
        """The notebook was run and judged to its end."""
        self.tell(what="end")


class Worker:
    """Runs the cells in one namespace, and judges each answer as it appears."""

    def __init__(self, channel: Channel, specification: dict) -> None:
        self.channel = channel
        self.cells = specification["cells"]
        self.names = specification["names"]
        self.steps = specification["steps"]
        self.tasks = core.exercises(specification["lesson"])
        self.judge = core.judge
        self.cell = 0
        self.judging = False
        self.asked: dict[str, int] = {}
        self.found: list[tuple[str, Any]] = []  # answers known by their name
        self.judged: list[tuple[str, Any, str]] = []  # exercise, answer, status
        self.module = types.ModuleType("__main__")
        self.module.get_ipython = _NoShell
        self.module.display = lambda *things, **options: None
        sys.modules["__main__"] = self.module
        self.runner = Runner(vars(self.module))
        checks.check = core.check = self.check
        self.untouched = {m: dict(vars(m)) for m in _guarded()}

    def run(self) -> None:
        """Every cell in order, then the answers that no check has asked for.

        Cells after the last that could bring an answer are not run, and none is once
        every exercise is done.
        """
        last = max(
            [n for n, c in enumerate(self.cells) if self._may_answer(c)], default=0
        )
        for cell in self.cells[: last + 1]:
            if self._all_done():
                break
            if "live" not in cell["tags"]:
                self._run_cell(cell)
        self.cell, self.asked = 0, {}
        for id, answer in self.found:
            if id in self.tasks and not self._status(id, answer):
                self._judge(id, answer)
        self._try_the_rest()
        self.channel.finish()

    def _may_answer(self, cell: dict) -> bool:
        """Whether the cell makes a function or class, or asks for a check."""
        names = [name for names in self.names.values() for name in names if name]
        words = ["check", "def", "class", "lambda", *map(re.escape, self.tasks), *names]
        return re.search(rf"\b({'|'.join(words)})\b", cell["source"]) is not None

    def _all_done(self) -> bool:
        done = {
            key.split()[0] for key, r in self.steps.items() if r["status"] == "done"
        }
        return set(self.tasks) <= done

    def _run_cell(self, cell: dict) -> None:
        """Runs a cell, less what stopped an earlier worker; notes what it defines."""
        step = f"cell {cell['cell']}"
        known = self.steps.get(step, {})
        skip = known.get("skip", [])
        self.cell, self.asked = cell["cell"], {}
        before = dict(vars(self.module))
        self.channel.begin(step)
        failures = self.runner.run(
            f"<cell {cell['cell']}>",
            cell["source"],
            skip,
            lambda number: self.channel.tell(what="at", statement=number),
        )
        status, message = "done", ""
        if failures:
            status, message = "crashed", failures[0].message
        if skip:
            status, message = known["status"], known["message"]
        for failure in failures if skip else ():
            failure.message = failure.message.replace(STOPPED, message)
        noted = [asdict(failure) for failure in failures]
        self.channel.end(step, status, message, failures=noted, skip=skip)
        self._bind_references(cell)
        for id, names in self.names.items():
            for name in names:
                answer = vars(self.module).get(name)
                if answer is not before.get(name) and _written_here(answer):
                    self.found.append((id, answer))

    def _bind_references(self, cell: dict) -> None:
        """Where a cell should have defined an answer but failed, later exercises go on
        with the course's version, as after a check."""
        for id, names in self.names.items():
            defines = [n for n in names if defines_name(cell["source"], n)]
            if len(names) == 1 and defines and names[0] not in vars(self.module):
                setattr(self.module, names[0], self.tasks[id].reference)

    def check(self, id: str, answer: Any) -> Any:
        """Stands for `checks.check` in the notebook: judges, prints nothing."""
        if id not in self.tasks:
            raise LookupError(f'there is no exercise "{id}"')
        task = self.tasks[id]
        status = self._status(id, answer)
        if self.judging:  # an answer asks about itself: that would have no end
            right = status == "done" or (not status and callable(answer))
            return answer if right else task.reference
        if core.is_reference(task, answer):
            self.channel.begin(f"{id} own")
            self.channel.end(
                f"{id} own", "missing", "this is the course's own function"
            )
        elif status not in ("done", "timed out", "crashed"):
            status = self._judge(id, answer)
        return answer if status == "done" else task.reference

    def _status(self, id: str, answer: Any) -> str:
        """What was found for this very answer before; "" if it wasn't judged."""
        found = [s for i, a, s in self.judged if i == id and a is answer]
        return found[-1] if found else ""

    def _judge(self, id: str, answer: Any, guess: bool = False) -> str:
        """Judges an answer under its own step; returns the status."""
        self.asked[id] = self.asked.get(id, 0) + 1
        step = f"{id} in cell {self.cell}, {self.asked[id]}"
        if step not in self.steps:  # else an earlier worker knows, or was stopped by it
            self.channel.begin(step, guess)
            status, message = self._verdict(self.tasks[id], answer)
            if any(sign in message for sign in OUT_OF_MEMORY):
                status = "crashed"
            self.channel.end(step, status, message, guess=guess)
            self.steps[step] = {"status": status}
        status = self.steps[step]["status"]
        self.judged.append((id, answer, status))
        return status

    def _verdict(self, task: core.Exercise, answer: Any) -> tuple[str, str]:
        """Status and message; a right answer that is the course's own is borrowed."""
        watch = Watch(answer, task.reference)
        with self._as_imported():
            self.judging = True
            try:
                verdict = watch.run(self.judge, task, answer)
            finally:
                self.judging = False
        if verdict.status == "done" and watch.borrowed:
            return "borrowed", (
                f"it calls {watch.borrowed}, the course's own answer; write the line "
                "that the exercise asks for"
            )
        return verdict.status, verdict.message

    def _try_the_rest(self) -> None:
        """Tries functions that were never judged on exercises without any answer.

        A renamed function whose check was deleted is found this way. Only a right
        answer counts: a wrong guess says nothing about the learner.
        """
        answered = {id for id, _, status in self.judged if status != "missing"}
        judged = [answer for _, answer, _ in self.judged]
        for value in list(vars(self.module).values()):
            if not _written_here(value) or any(value is known for known in judged):
                continue
            for id in sorted(set(self.tasks) - answered):
                if self._judge(id, value, guess=True) == "done":
                    answered.add(id)

    @contextmanager
    def _as_imported(self) -> Iterator[None]:
        """Undoes what the notebook replaced in the modules that checks rely on."""
        replaced = []
        for module, attributes in self.untouched.items():
            now = vars(module)
            for name, value in attributes.items():
                if now.get(name) is not value:
                    replaced.append((module, name, now.get(name)))
                    setattr(module, name, value)
        try:
            yield
        finally:
            for module, name, value in replaced:
                setattr(module, name, value)


def _guarded() -> list[types.ModuleType]:
    """The course's modules and those that its checks rely on."""
    course = [
        module
        for name, module in sys.modules.items()
        if name.split(".")[0] == __package__.partition(".")[0] and module is not None
    ]
    return course + RELIED_ON


class _NoShell:
    """Stands for IPython's shell: takes any magic and does nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments, **options: None


def _written_here(value: Any) -> bool:
    """Whether a function or class was defined in one of the notebook's cells."""
    if isinstance(value, types.FunctionType):
        return value.__code__.co_filename.startswith("<cell ")
    return isinstance(value, type) and value.__module__ == "__main__"


def _limit(megabytes: int) -> None:
    """Python's own MemoryError before the machine suffers, where the system can."""
    try:
        with open("/proc/self/status") as status:
            held = next(int(x.split()[1]) for x in status if x.startswith("VmData"))
        size = held * 1024 + megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**30, 2**30))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):
        pass  # the grader watches from outside as well


def main() -> None:
    """Forks a child for each specification that comes in."""
    pipe, parent = map(int, sys.argv[1:])
    adopt_orphans()
    matplotlib.use("Agg")
    ready = set()
    for line in sys.stdin.buffer:
        specification = json.loads(line)
        channel = Channel(pipe, specification["token"])
        lesson = specification["lesson"]
        core.exercises(lesson)  # imported once for all its notebooks
        if lesson not in ready:
            ready.add(lesson)
            prepare(lesson, specification["cells"])
        folder = tempfile.mkdtemp(dir=".")
        launcher, pid = os.getpid(), os.fork()
        if pid == 0:
            _child(channel, specification, folder, launcher)
        channel.tell(what="forked", pid=pid)
        _wait(pid, parent)
        end_leftovers(os.environ[MARK], launcher)
        shutil.rmtree(folder, ignore_errors=True)
        channel.tell(what="gone")


def _wait(pid: int, parent: int) -> None:
    """Waits until the child has ended; if the grader ends first, nothing is left."""
    while os.getppid() == parent:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return
        time.sleep(0.01)
    kill(pid)
    end_leftovers(os.environ[MARK], os.getpid())
    os._exit(1)


def _child(
    channel: Channel, specification: dict, folder: str, launcher: int
) -> NoReturn:
    """Runs one notebook in a process group and a folder of its own; never returns."""
    channel.launcher, channel.owner = launcher, os.getpid()
    os.setsid()
    end_with_parent()
    if os.getppid() != launcher:
        os._exit(1)
    os.chdir(folder)
    sys.path.insert(0, "")  # a notebook may import what lies beside it
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0)
    _limit(specification["memory"])
    Worker(channel, specification).run()
    os._exit(0)  # whatever the notebook left running


if __name__ == "__main__":
    main()
