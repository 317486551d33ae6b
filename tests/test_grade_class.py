"""t2i grade for a class: side by side, as it is known, stopped without a trace."""

import csv
import functools
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from grading_toys import (
    IMPORTS,
    LOSS,
    NAMES,
    SETUP,
    SOLVED,
    WRONG,
    replaced,
    statuses,
    write,
)
from training_toys import usual_signals

from t2i_course import cli
from t2i_course.grading import grade as grading
from t2i_course.grading import warm
from t2i_course.grading.reading import read_cells
from t2i_course.grading.show import students, table

pytestmark = pytest.mark.usefixtures("tiny_course")


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """The tiny lesson has no entry in names.json."""
    monkeypatch.setattr(grading, "answer_names", lambda lesson: dict(NAMES))


def waits_for(own, others):
    """A cell that says that it runs and waits until the others do."""
    return (
        f"import os, time\nopen({str(own)!r}, 'w').close()\n"
        f"while not os.path.exists({str(others)!r}):\n    time.sleep(0.01)\n"
        "assert torch.get_num_threads() == 1\n"
    )


def test_a_class_side_by_side(tmp_path, capsys):
    """Two that wait for each other; one kills its grader and costs no other."""
    marks = tmp_path / "a", tmp_path / "b"
    killing = "import os\nos.kill(os.getppid(), 9)"
    ways = {"alice": waits_for(*marks), "bob": waits_for(*marks[::-1]), "eve": killing}
    files = [
        str(write(tmp_path / name / "01.ipynb", [*SOLVED[:2], cell + "\n" + LOSS]))
        for name, cell in ways.items()
    ]
    assert cli.main(["grade", *files, "--jobs", "2", "--json"]) == 0
    rows = {row["notebook"]: row for row in json.loads(capsys.readouterr().out)}
    assert {file: statuses(row)[0] for file, row in rows.items()} == dict.fromkeys(
        files, "done"
    )


def test_as_many_at_a_time_as_there_are_cores(tmp_path, monkeypatch):
    """And never more than there are notebooks."""
    started = []

    def work(waiting, events, limits, stop):
        started.append(1)
        while not waiting.empty():
            events.put(waiting.get()[0])

    monkeypatch.setattr(grading, "_work", work)
    monkeypatch.setattr(grading, "_cores", lambda: 3)
    files = [write(tmp_path / f"{n}.ipynb", [SETUP]) for n in range(5)]
    for count, options, workers in [(5, {}, 3), (2, {}, 2), (5, {"jobs": 4}, 4)]:
        started.clear()
        assert len(list(grading.grade_all(files[:count], **options))) == count
        assert len(started) == workers


def test_tables_and_csv_show_whose_it_is(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = ["=alice/01.ipynb", "bob/01.ipynb"]
    write(Path(files[0]), [SETUP, IMPORTS, WRONG.replace("generator_loss", "mine")])
    write(Path(files[1]), replaced(_2=WRONG))
    (tmp_path / "carol").mkdir()
    (tmp_path / "carol/01.ipynb").write_text("")
    files.append("carol/01.ipynb")
    empty = grading.Report(files[2], problem="is empty")
    assert table(empty) == "carol/01.ipynb: is empty"
    assert table(grading.Report(files[1], "97")).startswith("bob/01.ipynb: lesson 97")
    assert grading.main([*files, "--jobs", "1", "--csv"]) == 1
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert list(rows[0]) == (
        "notebook student lesson exercise title status points message".split()
    )
    found = [(r["student"], r["exercise"], r["status"], r["points"]) for r in rows]
    assert found == [
        ("carol", "", "not graded", "0"),
        *[("'=alice", f"97.{n}", "missing", "0") for n in (1, 2, 3)],
        ("bob", "97.1", "wrong", "0"),
        *[("bob", f"97.{n}", "done", "1") for n in (2, 3)],
    ]
    assert "saturating" in rows[4]["message"] and "empty" in rows[0]["message"]


def test_whose_notebook_it_is():
    folders = {"a/01.ipynb": "a", "b/01.ipynb": "b"}
    files = {"all/ann.ipynb": "ann", "all/bob.ipynb": "bob"}
    sheets = {
        "ann/01_vanilla_gan.ipynb": "ann",
        "ann/08_pictures_from_sentences.ipynb": "ann",
    }
    for expected in (folders, files, sheets):
        assert students(list(expected)) == expected


@pytest.fixture
def started(tmp_path):
    """`t2i grade --json` after its first notebook, while its second never ends.

    Returns it, what it has printed, and the pids of all that the second has started.
    """
    note = tmp_path / "pids"
    never = f"""
import os, time
fork = os.fork()
if fork == 0:
    os.setsid()
    open({str(note)!r} + "-", "w").write(f"{{os.getpid()}} {{os.getppid()}}")
    os.rename({str(note)!r} + "-", {str(note)!r})
while True:
    time.sleep(0.01)
"""
    files = [
        write(tmp_path / "first.ipynb", SOLVED),
        write(tmp_path / "second.ipynb", [SETUP, IMPORTS, never, LOSS]),
    ]
    command = [sys.executable, "-m", "t2i_course.cli", "grade", "--json", "--jobs", "1"]
    process = subprocess.Popen(
        [*command, *map(str, files)],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=usual_signals,
    )
    said = ""
    while not said.endswith("\n}\n"):  # its first element, on lines of its own
        line = process.stdout.readline()
        assert line, said
        said += line
    until = time.monotonic() + 60
    while not note.exists() and time.monotonic() < until:
        time.sleep(0.02)
    yield process, said, [int(pid) for pid in note.read_text().split()]
    process.kill()
    process.communicate()


def running(pids):
    """Those of the processes that run; one that waits to be noted has ended."""
    found = []
    for pid in pids:
        said = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True
        ).stdout
        found += [pid] if said.strip() and not said.strip().startswith("Z") else []
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="as the module `processes` says")
@pytest.mark.parametrize("how", ["SIGTERM", "SIGHUP", "SIGINT", "SIGKILL"])
def test_a_stopped_grader_leaves_nothing(started, how):
    """No process is left, and what was known is a JSON list (but after SIGKILL)."""
    process, said, pids = started
    assert len(running(pids)) == 2
    process.send_signal(getattr(signal, how))
    rest = process.communicate(timeout=60)[0]
    codes = {"SIGTERM": 143, "SIGHUP": 129, "SIGINT": 130, "SIGKILL": -9}
    assert process.returncode == codes[how]
    if how == "SIGKILL":
        rest = "]"
    (row,) = json.loads(said + rest)
    assert statuses(row) == ["done", "done", "done"]
    until = time.monotonic() + 30
    while running(pids) and time.monotonic() < until:
        time.sleep(0.05)
    assert not running(pids)


BAD = {
    "--memory 0": "at least 256 megabytes",
    "--memory -1": "at least 256 megabytes",
    "--timeout 0": "above 0 seconds",
    "--timeout -1": "above 0 seconds",
    "--step-timeout 0": "above 0 seconds",
    "--step-timeout nan": "above 0 seconds",
    "--jobs 0": "at least 1",
    "--jobs -2": "at least 1",
}


@pytest.mark.parametrize("option", BAD)
def test_limits_that_nobody_could_pass_are_refused(option, tmp_path, capsys):
    file = write(tmp_path / "97.ipynb", SOLVED)
    assert cli.main(["grade", str(file), "--json", *option.split()]) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1
    assert option.split()[0] in said.err and BAD[option] in said.err


def test_where_nothing_can_fork_it_says_what_to_do(tmp_path, capsys, monkeypatch):
    monkeypatch.delattr(os, "fork")
    file = write(tmp_path / "97.ipynb", SOLVED)
    assert cli.main(["grade", str(file)]) == 2
    said = capsys.readouterr()
    assert "WSL" in said.err and len(said.err.splitlines()) == 1 and said.out == ""
    with pytest.raises(ValueError, match="WSL"):
        grading.grade(file)


GOOD = json.dumps({"cells": [{"cell_type": "code", "source": "check"}]}).encode()
CONFLICT = b'{\n<<<<<<< HEAD\n "a": 1\n=======\n "a": 2\n>>>>>>> theirs\n}'
NO_NOTEBOOK = {
    "the file is empty": b" \n",
    'line 2 is the mark of a merge conflict ("<<<<<<< HEAD")': CONFLICT,
    "written in UTF-16": GOOD.decode().encode("utf-16"),
    "written in UTF-16 or UTF-32": GOOD.decode().encode("utf-16-le"),
    "line 2 is no UTF-8": b'{\n "a": "\xe9"}',
    "at line 2, column 1; was it cut off?": b'{"cells": [\n',
    "it holds a list": b"[1]",
    "it has no cells": b'{"nbformat": 4}',
    "its cells are a number": b'{"cells": 3}',
    "cell 1 is a text": b'{"cells": ["x"]}',
    "the source of a cell is a number": GOOD.replace(b'"check"', b"3"),
    "a line of a cell is a number": GOOD.replace(b'"check"', b"[3]"),
    "lists in lists": b"[" * 100_000,
}


@pytest.mark.parametrize("reason", NO_NOTEBOOK)
def test_why_a_file_is_no_notebook(reason, tmp_path):
    file = tmp_path / "it.ipynb"
    file.write_bytes(NO_NOTEBOOK[reason])
    with pytest.raises(ValueError, match="is not a Jupyter notebook: ") as error:
        read_cells(file)
    assert reason in str(error.value) and "\n" not in str(error.value)


def test_what_is_plainly_meant_is_read(tmp_path):
    """A byte order mark, null fields, a tag alone, and the format of 2014."""
    file = tmp_path / "it.ipynb"
    cells = [
        {"cell_type": "code", "source": None, "metadata": None},
        {"cell_type": "markdown", "source": "words"},
        {"cell_type": "code", "source": ["a\n", None, "b"], "metadata": {"tags": None}},
        None,
        {"cell_type": "code", "source": "c", "metadata": {"tags": "live"}},
    ]
    expected = [
        {"cell": 1, "source": "", "tags": []},
        {"cell": 3, "source": "a\nb", "tags": []},
        {"cell": 5, "source": "c", "tags": ["live"]},
    ]
    file.write_text(json.dumps({"cells": cells}), encoding="utf-8-sig")
    assert read_cells(file) == expected
    for cell in filter(None, cells):
        cell["input"] = cell.pop("source")
    file.write_text(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}))
    assert read_cells(file) == expected
    file.write_text('{"cells": null}')
    assert read_cells(file) == []


def test_files_that_are_no_lessons(tmp_path, capsys):
    other = tmp_path / "other.ipynb"
    other.write_text('{"cells": []}')
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{")
    files = [str(other), str(broken), str(tmp_path / "none.ipynb")]
    assert grading.main([*files, "--json"]) == 1
    problems = [row["problem"] for row in json.loads(capsys.readouterr().out)]
    assert "names one" in problems[0]
    assert "not a Jupyter notebook" in problems[1]
    assert "No such file" in problems[2]
    assert grading.main(files) == 1
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_what_the_launcher_makes_once_is_kept():
    """Each result that it makes is one that the course keeps, so a fork has it."""
    for lesson, parts in warm.KEPT.items():
        for module, name, _ in parts:
            found = importlib.import_module(f"t2i_course.{module}")
            kept = isinstance(getattr(found, name), functools._lru_cache_wrapper)
            assert kept or (module, name) == ("datasets.emoji", "Emoji"), lesson


def test_the_launcher_imports_the_course_alone():
    cells = [
        {"source": "%matplotlib inline\nimport seaborn, t2i_course.weights\nbroken("},
        {"source": "from t2i_course.show import grid\nimport t2i_course.__main__"},
        {"source": "import t2i_course_of_mine.x"},
    ]
    assert warm.course_modules(cells) == [
        "t2i_course.weights",
        "t2i_course.show",
        "t2i_course.show.grid",
    ]
