"""t2i grade: a fair verdict on whatever a notebook does."""

import json

import pytest

from t2i_course.grading import grade as grading
from t2i_course.grading.run import Launcher
from t2i_course.grading.show import table

pytestmark = pytest.mark.usefixtures("tiny_course")

NAMES = {"97.1": ["generator_loss"], "97.2": ["doubled"], "97.3": ["Doubler"]}

SETUP = """
from t2i_course import lesson
lesson.begin("97")
"""
IMPORTS = """
%matplotlib inline
import torch, torch.nn.functional as F
from t2i_course.checks import check
"""
LOSS = "def generator_loss(logits):\n    return F.softplus(-logits).mean()"
CHECK_LOSS = 'generator_loss = check("97.1", generator_loss)'
DOUBLED = "def doubled(logits):\n    return 2 * generator_loss(logits)"
CHECK_DOUBLED = 'doubled = check("97.2", doubled)'
DOUBLER = """
class Doubler(torch.nn.Module):
    def forward(self, x):
        return 2 * x
"""
CHECK_DOUBLER = 'Doubler = check("97.3", Doubler)'
SOLVED = [SETUP, IMPORTS, LOSS, CHECK_LOSS, DOUBLED, CHECK_DOUBLED, DOUBLER]
SOLVED += [CHECK_DOUBLER]
STUB = 'def generator_loss(logits):\n    raise NotImplementedError("exercise 97.1")'


@pytest.fixture(scope="module")
def launcher(tiny_course):
    """One for all tests: torch is imported once."""
    with Launcher() as launcher:
        yield launcher


@pytest.fixture
def grade(tmp_path, monkeypatch, launcher):
    """Grades a list of cells; a pair is a cell and its tags. Returns the results."""
    monkeypatch.setattr(grading, "answer_names", lambda lesson: dict(NAMES))

    def run(cells, **limits):
        made = []
        for cell in cells:
            source, tags = cell if isinstance(cell, tuple) else (cell, [])
            made.append(
                {
                    "cell_type": "code",
                    "metadata": {"tags": tags},
                    "source": source,
                    "outputs": [],
                    "execution_count": None,
                }
            )
        file = tmp_path / "97_learner.ipynb"
        file.write_text(
            json.dumps(
                {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
            )
        )
        report = grading.grade(
            file, **{"step_timeout": 20, **limits}, launcher=launcher
        )
        assert not report.problem
        return report

    return run


def statuses(report):
    """The statuses in order of the exercises."""
    return [result.status for result in report.exercises]


def replaced(**cells):
    """SOLVED with some cells replaced, by position."""
    new = list(SOLVED)
    for position, cell in cells.items():
        new[int(position[1:])] = cell
    return new


def test_solved_with_everything_a_sheet_has(grade):
    live = ("raise SystemExit('live cells are not run')", ["live"])
    noise = ["!echo hello", "%%bash\nexit 1", "input()", "display(1)", "1 / 0", live]
    report = grade(SOLVED[:2] + noise + SOLVED[2:])
    assert statuses(report) == ["done", "done", "done"]
    assert "3 of 3 done" in table(report)


def test_wrong_with_its_diagnosis_and_missing(grade):
    wrong = "def generator_loss(logits):\n    return -F.softplus(logits).mean()"
    report = grade(replaced(_2=wrong, _6="", _7=""))
    assert statuses(report) == ["wrong", "done", "missing"]
    assert "saturating" in report.exercises[0].message
    assert "saturating" in table(report)


def test_stub_is_missing(grade):
    report = grade(replaced(_2=STUB))
    assert statuses(report) == ["missing", "done", "done"]
    assert "not done yet" in report.exercises[0].message


def test_loops_forever(grade):
    """In a function, and in a cell: each costs only what depends on it."""
    looping = "def generator_loss(logits):\n    while True:\n        pass"
    bare = "while True:\n    try:\n        pass\n    except:\n        pass"
    report = grade(replaced(_2=looping, _7=CHECK_DOUBLER + "\n" + bare), step_timeout=4)
    assert statuses(report) == ["timed out", "done", "done"]
    assert "never end" in report.exercises[0].message


def test_the_whole_time_is_over(grade):
    report = grade(
        [*SOLVED[:4], "import time; time.sleep(600)", *SOLVED[4:]], timeout=10
    )
    assert statuses(report) == ["done", "missing", "missing"]
    assert "time for the notebook" in report.exercises[1].message


def test_fills_memory(grade):
    """Python's lists in an answer, and a tensor in a cell before the others."""
    filling = (
        "def generator_loss(x):\n    a = []\n    while True:\n"
        "        a.append(bytearray(10**7))"
    )
    cell = "big = torch.ones(3 * 10**9)"
    report = grade([*SOLVED[:2], cell, *replaced(_2=filling)[2:]], memory=600)
    assert statuses(report) == ["crashed", "done", "done"]
    assert "emory" in report.exercises[0].message


def test_kills_its_process(grade):
    dying = "def generator_loss(logits):\n    import os\n    os._exit(0)"
    report = grade(replaced(_2=dying))
    assert statuses(report) == ["crashed", "done", "done"]
    assert "process died" in report.exercises[0].message


def test_deleted_cells(grade):
    """No check cells at all; then no set-up either."""
    report = grade([SETUP, IMPORTS, LOSS, DOUBLED, DOUBLER])
    assert statuses(report) == ["done", "done", "done"]
    report = grade([LOSS, CHECK_LOSS])
    assert statuses(report) == ["wrong", "missing", "missing"]
    assert "NameError" in report.exercises[0].message


def test_renamed_functions(grade):
    """Passed to check under another name, or renamed with the check deleted."""
    mine = "def my_loss(logits):\n    return F.softplus(-logits).mean()"
    renamed = DOUBLED.replace("doubled", "twice").replace("generator_loss", "my_loss")
    report = grade([SETUP, IMPORTS, mine, 'check("97.1", my_loss)', renamed])
    assert statuses(report) == ["done", "done", "missing"]


def test_forged_verdicts(grade):
    """Printing, an own check, a patched course, the course's function: no credit."""
    printed = STUB + '\nprint("97.1 right: The loss. The lesson goes on")'
    own = "def check(id, answer):\n    print(id, 'right')\n    return answer"
    report = grade(replaced(_1=IMPORTS + own, _2=printed, _4="", _6=""))
    assert statuses(report) == ["missing", "missing", "missing"]
    patch = """
import t2i_course.checks.core as core, t2i_course.checks as checks
core.judge = lambda task, answer: core.Verdict(task.id, "done")
core._exercises["97.1"] = core.Exercise("97.1", "", None, lambda answer: None, None)
core.guards.keep = core.guards.keep_basics = lambda *a, **k: None
core.expect_close = core.diagnose = lambda *a, **k: None
checks.lesson97.diagnose = lambda *a, **k: None
torch.isclose = lambda *a, **k: torch.ones(())
def generator_loss(logits):
    return logits.sum()
"""
    report = grade(replaced(_2=patch))
    assert statuses(report) == ["wrong", "done", "done"]
    borrowed = "from t2i_course.checks.lesson97 import softplus_loss as generator_loss"
    report = grade(replaced(_2=borrowed))
    assert statuses(report) == ["missing", "done", "done"]
    assert "own function" in report.exercises[0].message


def test_copied_cells(grade):
    """A right copy counts, wherever an unfinished or wrong one stands."""
    wrong = "def generator_loss(logits):\n    return logits.mean()"
    for copies in ([LOSS, STUB], [STUB, LOSS], [LOSS, CHECK_LOSS, wrong]):
        report = grade([SETUP, IMPORTS, *copies, CHECK_LOSS, *SOLVED[4:]])
        assert statuses(report) == ["done", "done", "done"]


def test_syntax_error_and_value_of_the_wrong_kind(grade):
    report = grade(
        replaced(_2="def generator_loss(logits)\n    return 1", _6="Doubler=3")
    )
    assert statuses(report) == ["crashed", "done", "wrong"]
    assert "line 1" in report.exercises[0].message


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
