"""How `t2i grade` shows its reports, one after the other: text, JSON or CSV."""

from __future__ import annotations

import csv
import json
import sys
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .grade import Report
from .run import DONE

COLUMNS = "notebook student lesson exercise title status points message".split()


def table(report: Report) -> str:
    """The verdicts as text to read."""
    if report.problem:
        return f"{report.notebook}: {report.problem}"
    count = f"{report.done} of {len(report.exercises)} done"
    head = f"{report.notebook}: lesson {report.lesson}, {count}"
    lines = [f"{head} ({report.seconds:g} s)"]
    for result in report.exercises:
        lines.append(f"  {result.exercise}  {result.status:<9}  {result.title}")
        if result.status != DONE and result.message:
            lines.append(textwrap.indent(textwrap.fill(result.message, 70), " " * 20))
    return "\n".join(lines)


def students(notebooks: list[str]) -> dict[str, str]:
    """Whose each is: by its folder, or by its name where all lie in one folder.

    alice/01.ipynb and bob/01.ipynb are those of alice and bob, class/alice.ipynb is
    alice's. A work sheet's own name is nobody's: then it is the folder all the same.
    """
    from ..lesson import LESSONS

    paths = {str(Path(notebook)): Path(notebook).absolute() for notebook in notebooks}
    together = len({path.parent for path in paths.values()}) == 1
    sheets = {info.file for info in LESSONS.values()}
    return {
        name: path.stem if together and path.stem not in sheets else path.parent.name
        for name, path in paths.items()
    }


class Tables:
    """Writes reports to stdout as text; called with each."""

    def __init__(self, notebooks: list[str]) -> None:
        self._students = students(notebooks)

    def __enter__(self) -> Tables:
        return self

    def __exit__(self, *problem: Any) -> None:
        pass

    def __call__(self, report: Report) -> None:
        """Writes the report."""
        self._say(table(report) + "\n")

    def _say(self, text: str) -> None:
        """At once, with escapes for what the terminal can't show."""
        encoding = sys.stdout.encoding or "utf-8"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
        print(text, end="", flush=True)


class JsonList(Tables):
    """Writes a JSON list, an element as soon as it is known, closed on any stop."""

    def __enter__(self) -> JsonList:
        self._say("[\n")
        self._between = ""
        return self

    def __call__(self, report: Report) -> None:
        """Writes the report."""
        row = asdict(report) | {"done": report.done}
        self._say(self._between + json.dumps(row, indent=1) + "\n")
        self._between = ",\n"

    def __exit__(self, *problem: Any) -> None:
        self._say("]\n")


class Csv(Tables):
    """Writes a row an exercise; one row for a notebook that could not be graded."""

    def __enter__(self) -> Csv:
        self._writer = csv.DictWriter(_Lines(self._say), COLUMNS, lineterminator="\n")
        self._writer.writeheader()
        return self

    def __call__(self, report: Report) -> None:
        """Writes the report."""
        whose = {
            "notebook": report.notebook,
            "student": self._students[report.notebook],
            "lesson": report.lesson,
        }
        if report.problem:
            rows = [{"status": "not graded", "points": 0, "message": report.problem}]
        else:
            points = [int(result.status == DONE) for result in report.exercises]
            rows = [
                asdict(result) | {"points": point}
                for result, point in zip(report.exercises, points)
            ]
        for row in rows:
            row = whose | row
            self._writer.writerow({name: _plain(value) for name, value in row.items()})


class _Lines:
    """What csv.writer writes to."""

    def __init__(self, say: Any) -> None:
        self.write = say


def _plain(value: Any) -> Any:
    """A cell of one line that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    value = " ".join(value.split())
    return "'" + value if value[:1] in tuple("=+-@") else value
