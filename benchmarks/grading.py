"""How long does a class take to grade? One worker, as many as cores, another checkout.

    python benchmarks/grading.py [--lessons 01 08] [--students 30] [--against FOLDER]

A class is made of copies of a lesson's worked sheet, of which each breaks an answer in
its own way: not done, a wrong value, an import that fails, a syntax error; the first of
every five is right throughout. (No endless loops: one costs the 30 seconds that a step
may take, whatever else is done.) Each class is graded by `t2i grade --json` with
`--jobs 1` and without, and, where FOLDER is a checkout of another state of the course,
by that one too, in a process of its own. Notebooks given other points are counted.

What it gave on two virtual cores of an AMD EPYC, with the birds drawn before and a
training beside it on one of them, so that a second worker had little to gain; "before"
is the state in which notebooks took turns and nothing was made once for all of them.
Its points are fewer: a failing import made right answers wrong.

    lesson 01, 30 notebooks, before        111 s  (3.3 times)  6 other points
    lesson 01, 30 notebooks, one worker     42 s  (1.3 times)
    lesson 01, 30 notebooks, every core     33 s  (1.0 times)
    lesson 08, 30 notebooks, before        492 s  (3.6 times)  6 other points
    lesson 08, 30 notebooks, one worker    156 s  (1.2 times)
    lesson 08, 30 notebooks, every core    136 s  (1.0 times)
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WAYS = {
    "right": "",
    "not done": "\ndef {name}(*_, **__):\n    raise NotImplementedError('exercise')",
    "wrong value": "\ndef {name}(*_, **__):\n    return None",
    "failing import": "\nimport a_package_that_is_not_here\n",
    "syntax error": "\ndef broken(:\n    pass\n",
}


def make(folder: Path, lesson: str, students: int) -> list[str]:
    """Writes a class's notebooks, student01/NN_topic.ipynb and so on; their paths."""
    (sheet,) = (ROOT / "solutions").glob(f"{lesson}_*.ipynb")
    names = json.loads((ROOT / "t2i_course" / "checks" / "names.json").read_text())
    own = [found[0] for id, found in names.items() if id.startswith(lesson + ".")]
    made = []
    for number in range(students):
        notebook = json.loads(sheet.read_text(encoding="utf-8"))
        way = list(WAYS.values())[number % len(WAYS)]
        name = own[number % len(own)]
        for cell in notebook["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and re.search(rf"\bdef {name}\(", source):
                cell["source"] = source + way.format(name=name)
        file = folder / f"student{number + 1:02}" / sheet.name
        file.parent.mkdir()
        file.write_text(json.dumps(notebook), encoding="utf-8")
        made.append(str(file))
    return made


def grade(files: list[str], checkout: Path, options: list[str]) -> tuple[float, dict]:
    """Seconds for the class, and the points by notebook."""
    command = [sys.executable, "-m", "t2i_course.cli", "grade", "--json", *options]
    own = {"cwd": checkout, "env": os.environ | {"PYTHONPATH": str(checkout)}}
    begin = time.perf_counter()
    said = subprocess.run(
        [*command, *files], **own, stdout=subprocess.PIPE, check=True
    ).stdout
    seconds = time.perf_counter() - begin
    return seconds, {row["notebook"]: row["done"] for row in json.loads(said)}


def measure(lesson: str, students: int, against: Path | None) -> None:
    """Prints the class's seconds, and their ratios to the last way's."""
    ways = {"one worker": (ROOT, ["--jobs", "1"]), "every core": (ROOT, [])}
    if against:
        ways = {"before": (against, []), **ways}
    with tempfile.TemporaryDirectory() as folder:
        files = make(Path(folder), lesson, students)
        found = {way: grade(files, *how) for way, how in ways.items()}
    last, points = found["every core"]
    for way, (seconds, done) in found.items():
        other = sum(done[file] != points[file] for file in files)
        print(
            f"lesson {lesson}, {students} notebooks, {way:10}  {seconds:5.0f} s  "
            f"({seconds / last:.1f} times)" + (f"  {other} other points" * bool(other)),
            flush=True,
        )


def main() -> None:
    """Measure each lesson's class."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lessons", nargs="+", default=["01", "08"])
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument(
        "--against", type=lambda folder: Path(folder).resolve(), metavar="FOLDER"
    )
    chosen = parser.parse_args()
    for lesson in chosen.lessons:
        measure(lesson, chosen.students, chosen.against)


if __name__ == "__main__":
    main()
