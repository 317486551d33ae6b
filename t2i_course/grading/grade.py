"""`t2i grade NOTEBOOK...`: what a learner's notebook has solved.

The notebook's cells run in a child process (`worker`) with a limit on time and
memory, at the smoke preset, without its live trainings. Every answer is judged by the
course's own checks, which the grader calls itself: what the notebook prints counts for
nothing. Answers are found by check("01.3", answer), whatever the answer is called; by
the name that the work sheet gave the function, if the check is gone; and at last by
trying every other function of the notebook. An exercise is done when any of its
answers is right, so copies of cells do no harm.

A step that loops forever or kills the process costs only itself: the grader starts
the notebook again without it.

This judges honest work and honest mistakes fairly. It is not a sandbox: the notebook
runs with your rights, and somebody who studies this file can forge a verdict or send
your files away. Grade strangers' notebooks in a container without network and secrets.
"""

from __future__ import annotations

import argparse
import json
import re
import textwrap
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .run import DONE, MISSING, Launcher, Run


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


def read_cells(path: Path) -> list[dict]:
    """The code cells of a notebook: {"cell", "source", "tags"}, numbered as they stand.

    ValueError in one line for a file that is no notebook.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = []
        for number, cell in enumerate(notebook["cells"], start=1):
            source = "".join(cell.get("source", ""))
            if cell["cell_type"] == "code":
                tags = list(cell.get("metadata", {}).get("tags", []))
                cells.append({"cell": number, "source": source, "tags": tags})
    except OSError as error:
        raise ValueError(f"can't be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("is not a Jupyter notebook") from None
    return cells


def find_lesson(path: Path, cells: list[dict]) -> str:
    """The lesson's number: from its check and begin calls, else from the file's name.

    ValueError when there is no trace of one.
    """
    text = "\n".join(cell["source"] for cell in cells)
    begun = re.findall(r"begin\(\s*[\"'](\d\d)[\"']", text)
    checked = re.findall(r"check\(\s*[\"'](\d\d)\.\d+", text)
    found = Counter(begun + checked).most_common(1)
    if found:
        return found[0][0]
    named = re.match(r"(\d\d)_", path.name)
    if not named:
        raise ValueError("is no lesson of this course: nothing in it names one")
    return named[1]


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

    `timeout` seconds for all of it, `step_timeout` for a cell or one check, `memory` in
    megabytes beyond what torch itself takes; a `launcher` makes several notebooks
    faster. Never raises because of the notebook: see `Report.problem`. Needs Linux or
    macOS.
    """
    path, started = Path(path), time.monotonic()
    report = Report(str(path))
    try:
        cells = read_cells(path)
        report.lesson = find_lesson(path, cells)
        tasks = _tasks(report.lesson)
    except ValueError as error:
        report.problem = str(error)
        return report
    specification = {
        "lesson": report.lesson,
        "cells": cells,
        "names": _names(report.lesson, tasks),
        "memory": memory,
    }
    with nullcontext(launcher) if launcher else Launcher() as own:
        run = Run(own, specification, timeout=timeout, step_timeout=step_timeout)
        run.go()
    report.exercises = [
        Result(task.id, task.title, *run.verdict(task.id)) for task in tasks.values()
    ]
    report.seconds = round(time.monotonic() - started, 1)
    return report


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


def table(report: Report) -> str:
    """The verdicts as text to read."""
    name = Path(report.notebook).name
    if report.problem:
        return f"{name}: {report.problem}"
    count = f"{report.done} of {len(report.exercises)} done"
    lines = [f"{name}: lesson {report.lesson}, {count} ({report.seconds:g} s)"]
    for result in report.exercises:
        lines.append(f"  {result.exercise}  {result.status:<9}  {result.title}")
        if result.status != DONE and result.message:
            lines.append(textwrap.indent(textwrap.fill(result.message, 70), " " * 20))
    return "\n".join(lines)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `t2i grade`."""
    parser.add_argument("notebooks", nargs="+", metavar="NOTEBOOK")
    parser.add_argument("--json", action="store_true", help="one JSON list, no table")
    parser.add_argument(
        "--timeout",
        type=float,
        default=300,
        metavar="S",
        help="seconds for a notebook (default 300)",
    )
    parser.add_argument(
        "--step-timeout",
        type=float,
        default=30,
        metavar="S",
        help="seconds of computing for a cell or a check (default 30)",
    )
    parser.add_argument(
        "--memory",
        type=int,
        default=4096,
        metavar="MB",
        help="megabytes for a notebook (default 4096)",
    )


def main(arguments: argparse.Namespace | list[str] | None = None) -> int:
    """Grades the notebooks; 0 if each could be graded, else 1."""
    if not isinstance(arguments, argparse.Namespace):
        parser = argparse.ArgumentParser(
            prog="t2i grade", description=__doc__.split("\n")[0]
        )
        add_arguments(parser)
        arguments = parser.parse_args(arguments)
    reports = []
    with Launcher() as launcher:
        for notebook in arguments.notebooks:
            report = grade(
                notebook,
                timeout=arguments.timeout,
                launcher=launcher,
                step_timeout=arguments.step_timeout,
                memory=arguments.memory,
            )
            reports.append(report)
            if not arguments.json:
                print(table(report), flush=True)
    if arguments.json:
        rows = [asdict(report) | {"done": report.done} for report in reports]
        print(json.dumps(rows, indent=1))
    return int(any(report.problem for report in reports))
