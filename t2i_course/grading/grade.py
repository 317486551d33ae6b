"""`t2i grade NOTEBOOK...`: what a learner's notebook has solved.

The notebook's cells run in a child process (`worker`) with a limit on time and
memory, at the smoke preset, without its live trainings. Every answer is judged by the
course's own checks, which the grader calls itself: what the notebook prints counts for
nothing. Answers are found by check("01.3", answer), whatever the answer is called; by
the name that the work sheet gave the function, if the check is gone; and at last by
trying every other function of the notebook. An exercise is done when any of its
answers is right, so copies of cells do no harm. A right answer that calls the course's
own answer to that exercise is "borrowed".

A statement that fails, a step that loops forever or kills the process costs only
itself: the other statements of its cell run, and the grader starts the notebook again
without what had to be stopped. A class is graded by several workers beside one
another, a thread each.

This judges honest work and honest mistakes fairly. It is not a sandbox: the notebook
runs with your rights, and somebody who studies this file can forge a verdict or send
your files away. Grade strangers' notebooks in a container without network and secrets;
solutions/README.md has the command for one.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from .processes import signals_go_to
from .reading import find_lesson, read_cells
from .run import DONE, MISSING, NO_FORK, Launcher, Run

LEAST_MEMORY = 256  # megabytes: with less, the course's own answers fail


@dataclass
class Result:
    """The verdict on one exercise: status, and what to tell the learner."""

    exercise: str
    title: str
    status: str = MISSING
    message: str = ""


@dataclass
class Report:
    """The verdicts on a notebook; `problem` if it could not be graded at all."""

    notebook: str
    lesson: str = ""
    exercises: list[Result] = field(default_factory=list)
    seconds: float = 0.0
    problem: str = ""

    @property
    def done(self) -> int:
        """How many exercises are done."""
        return sum(result.status == DONE for result in self.exercises)


@dataclass(frozen=True)
class Limits:
    """What a notebook may take; ValueError for limits under which none could pass.

    timeout: seconds for all of it; step_timeout: seconds of computing for a cell or a
    check; memory: megabytes beyond what torch itself takes
    """

    timeout: float = 300
    step_timeout: float = 30
    memory: int = 4096

    def __post_init__(self) -> None:
        for name in ("timeout", "step_timeout"):
            seconds = getattr(self, name)
            if not seconds > 0 or math.isnan(seconds):
                option = "--" + name.replace("_", "-")
                raise ValueError(f"{option} must be above 0 seconds, not {seconds:g}")
        if self.memory < LEAST_MEMORY:
            raise ValueError(
                f"--memory must be at least {LEAST_MEMORY} megabytes, what the lessons "
                f"themselves need, not {self.memory}"
            )


def answer_names(lesson: str) -> dict[str, list[str]]:
    """Which functions answer which exercise of the lesson, by the work sheet."""
    file = Path(__file__).resolve().parents[1] / "checks" / "names.json"
    names = json.loads(file.read_text()) if file.exists() else {}
    return {id: found for id, found in names.items() if id.startswith(lesson + ".")}


def grade(
    path: str | Path,
    *,
    timeout: float = 300,
    step_timeout: float = 30,
    memory: int = 4096,
    launcher: Launcher | None = None,
) -> Report:
    """Grades one notebook.

    `timeout`, `step_timeout` and `memory` as in `Limits`; a `launcher` makes several
    notebooks faster. Never raises because of the notebook: see `Report.problem`. Needs
    Linux or macOS; ValueError elsewhere.
    """
    limits = Limits(timeout, step_timeout, memory)
    report, specification = _read(path)
    if not report.problem:
        with nullcontext(launcher) if launcher else Launcher() as own:
            _run(report, specification, own, limits)
    return report


def grade_all(
    paths: Iterable[str | Path],
    *,
    jobs: int | None = None,
    events: queue.SimpleQueue | None = None,
    **limits: float,
) -> Iterator[Report]:
    """Grades a class; each report as it is known, those that can't be read first.

    jobs: notebooks at a time (default: as many as cores); limits: as in `Limits`
    events: an exception that is put here is raised between two reports
    """
    if jobs is None:
        jobs = _cores()
    if jobs < 1:
        raise ValueError(f"--jobs must be at least 1, not {jobs}")
    if not hasattr(os, "fork"):
        raise ValueError(NO_FORK)
    return _reports(paths, jobs, events or queue.SimpleQueue(), Limits(**limits))


def _cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _reports(
    paths: Iterable[str | Path], jobs: int, events: queue.SimpleQueue, limits: Limits
) -> Iterator[Report]:
    """Reads all, starts the workers, and hands on what they put among the events."""
    work: queue.SimpleQueue = queue.SimpleQueue()
    for path in paths:
        report, specification = _read(path)
        if report.problem:
            yield report
        else:
            work.put((report, specification))
    waiting, stop = work.qsize(), threading.Event()
    workers = [
        threading.Thread(target=_work, args=(work, events, limits, stop))
        for _ in range(min(jobs, waiting))
    ]
    try:
        for worker in workers:
            worker.start()
        while waiting:
            event = events.get()
            if isinstance(event, BaseException):
                raise event
            waiting -= 1
            yield event
    finally:
        stop.set()
        for worker in workers:
            worker.join()


def _work(
    work: queue.SimpleQueue,
    events: queue.SimpleQueue,
    limits: Limits,
    stop: threading.Event,
) -> None:
    """Grades notebook after notebook in a launcher of its own until none is left."""
    try:
        with Launcher(stop) as launcher:
            while not stop.is_set():
                try:
                    report, specification = work.get_nowait()
                except queue.Empty:
                    return
                try:
                    _run(report, specification, launcher, limits)
                except (RuntimeError, OSError) as error:
                    report.problem = f"could not be graded: {error}"
                if not stop.is_set():
                    events.put(report)
    except BaseException as error:
        events.put(error)


def _read(path: str | Path) -> tuple[Report, dict]:
    """A report without verdicts, and what a run of the notebook needs to know."""
    path = Path(path)
    report = Report(str(path))
    try:
        cells = read_cells(path)
        report.lesson = find_lesson(path, cells)
        tasks = _tasks(report.lesson)
    except ValueError as error:
        report.problem = str(error)
        return report, {}
    report.exercises = [Result(task.id, task.title) for task in tasks.values()]
    names = _names(report.lesson, tasks)
    return report, {"lesson": report.lesson, "cells": cells, "names": names}


def _run(
    report: Report, specification: dict, launcher: Launcher, limits: Limits
) -> None:
    """Fills the report with what a run of the notebook gives."""
    started = time.monotonic()
    run = Run(
        launcher,
        specification | {"memory": limits.memory},
        timeout=limits.timeout,
        step_timeout=limits.step_timeout,
    )
    run.go()
    for result in report.exercises:
        result.status, result.message = run.verdict(result.exercise)
    report.seconds = round(time.monotonic() - started, 1)


def _names(lesson: str, tasks: dict) -> dict[str, list[str]]:
    """By exercise, the names that its answer may have.

    Where the work sheets were never built, the reference's name is the best guess.
    """
    known = answer_names(lesson)
    return {
        task.id: known.get(task.id) or [getattr(task.reference, "__name__", "")]
        for task in tasks.values()
    }


def _tasks(lesson: str) -> dict:
    """The lesson's exercises; ValueError where it has none."""
    from ..checks import core  # imports torch

    tasks = core.exercises(lesson)
    if not tasks:
        raise ValueError(f"lesson {lesson} has no exercises")
    return tasks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `t2i grade`."""
    parser.add_argument("notebooks", nargs="+", metavar="NOTEBOOK")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--json",
        action="store_true",
        help="a JSON list, each notebook as it is known; whole when it is stopped, too",
    )
    form.add_argument(
        "--csv",
        action="store_true",
        help="a row a student and exercise, for a learning platform",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="notebooks at a time (default: as many as cores)",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=Limits.timeout,
        metavar="S",
        help="seconds for a notebook (default 300)",
    )
    parser.add_argument(
        "--step-timeout",
        type=float,
        default=Limits.step_timeout,
        metavar="S",
        help="seconds of computing for a cell or a check (default 30)",
    )
    parser.add_argument(
        "--memory",
        type=int,
        default=Limits.memory,
        metavar="MB",
        help="megabytes for a notebook (default 4096)",
    )


def main(arguments: argparse.Namespace | list[str] | None = None) -> int:
    """Grades the notebooks; 0 if each could be graded, else 1."""
    from .show import Csv, JsonList, Tables

    if not isinstance(arguments, argparse.Namespace):
        parser = argparse.ArgumentParser(
            prog="t2i grade", description=__doc__.split("\n")[0]
        )
        add_arguments(parser)
        arguments = parser.parse_args(arguments)
    events: queue.SimpleQueue = queue.SimpleQueue()
    reports = grade_all(
        arguments.notebooks,
        jobs=arguments.jobs,
        events=events,
        timeout=arguments.timeout,
        step_timeout=arguments.step_timeout,
        memory=arguments.memory,
    )
    kind = JsonList if arguments.json else Csv if arguments.csv else Tables
    graded = True
    with signals_go_to(events.put), kind(arguments.notebooks) as show:
        for report in reports:
            show(report)
            graded = graded and not report.problem
    return int(not graded)
