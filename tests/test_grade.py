"""t2i grade: a fair verdict on whatever a notebook does."""

import sys
import time
from pathlib import Path

import pytest
from grading_toys import (
    CHECK_DOUBLER,
    CHECK_LOSS,
    DOUBLED,
    DOUBLER,
    IMPORTS,
    LOSS,
    NAMES,
    SETUP,
    SOLVED,
    STUB,
    WRONG,
    replaced,
    statuses,
    write,
)

from t2i_course.grading import grade as grading
from t2i_course.grading.run import Launcher
from t2i_course.grading.show import table

pytestmark = pytest.mark.usefixtures("tiny_course")


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
        file = write(tmp_path / "97_learner.ipynb", cells)
        report = grading.grade(
            file, **{"step_timeout": 20, **limits}, launcher=launcher
        )
        assert not report.problem
        return report

    return run


def test_solved_with_everything_a_sheet_has(grade):
    live = ("raise SystemExit('live cells are not run')", ["live"])
    noise = ["!echo hello", "%%bash\nexit 1", "input()", "display(1)", "1 / 0", live]
    report = grade(SOLVED[:2] + noise + SOLVED[2:])
    assert statuses(report) == ["done", "done", "done"]
    assert "3 of 3 done" in table(report)


def test_wrong_with_its_diagnosis_and_missing(grade):
    report = grade(replaced(_2=WRONG, _6="", _7=""))
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


def test_kills_its_parent(grade):
    """It costs itself: its other answers are judged, and so is the next notebook."""
    killing = "import os\ndef generator_loss(logits):\n    os.kill(os.getppid(), 9)"
    group = "import os\nos.killpg(os.getppid(), 9)\nF = None"  # a cell's statement
    report = grade([SETUP, IMPORTS, killing, CHECK_LOSS, group, IMPORTS, *SOLVED[4:]])
    assert statuses(report) == ["crashed", "done", "done"]
    assert "grader's own process" in report.exercises[0].message
    assert statuses(grade(SOLVED)) == ["done", "done", "done"]


def test_stops_its_parent(grade):
    """The next notebook wakes it."""
    stop = "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)"
    for _ in range(2):
        assert statuses(grade([stop, *SOLVED])) == ["done", "done", "done"]


def test_a_statement_that_hangs_costs_itself(grade):
    """The others of its cell run, and so do those of a second one that hangs."""
    hangs = "while True:\n    pass\n"
    cells = [SETUP, IMPORTS + hangs + LOSS, hangs + DOUBLED, *SOLVED[5:]]
    assert statuses(grade(cells, step_timeout=2)) == ["done", "done", "done"]


def alive(pid):
    """Whether the process runs; one that has ended and waits to be noted does not."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="it is known by /proc")
@pytest.mark.parametrize("clean", [False, True])
def test_a_daemon_in_a_session_of_its_own_is_ended(grade, tmp_path, clean):
    """With the grader's environment, or (as `env -i` does) without it."""
    note = tmp_path / "pid"
    daemon = f"""
import os, subprocess, sys
code = "import os, time; open({str(note)!r} + '-', 'w').write(str(os.getpid()));"
code += "os.rename({str(note)!r} + '-', {str(note)!r}); time.sleep(600)"
if os.fork() == 0:
    os.setsid()
    subprocess.Popen([sys.executable, "-c", code], env={{}} if {clean} else None,
                     start_new_session=True)
    os._exit(0)
os.wait()
while not os.path.exists({str(note)!r}):
    pass
"""
    assert statuses(grade([*SOLVED[:2], daemon, *SOLVED[2:]])) == ["done"] * 3
    pid, until = int(note.read_text()), time.monotonic() + 20
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(pid)


def test_a_failing_import_costs_itself(grade):
    imports = IMPORTS.replace(
        "import torch,", "import seaborn_not_here as s\nimport torch,"
    )
    assert statuses(grade(replaced(_1=imports))) == ["done", "done", "done"]


def test_verdicts_name_the_cell_that_broke_them(grade):
    """Also over a cell between; a verdict that doesn't hang on it doesn't."""
    cells = [
        *SOLVED[:2],
        "import nowhere_here as n",
        "softplus = n.softplus",
        LOSS.replace("F.softplus", "softplus"),
        CHECK_LOSS,
        "def doubled(logits):\n    return logits",
        *SOLVED[5:],
    ]
    report = grade(cells)
    assert statuses(report) == ["wrong", "wrong", "done"]
    said = report.exercises[0].message
    assert "(cell 4 stopped at `softplus = n.softplus`: NameError" in said
    assert "(cell 3 stopped at `import nowhere_here as n`: ModuleNotFoundError" in said
    assert "cell" not in report.exercises[1].message
    # a function that was never defined, since its decorator is missing
    cells = replaced(_2="from nowhere_here import mine\n@mine\n" + LOSS)
    report = grade(cells)
    assert statuses(report) == ["crashed", "done", "done"]
    assert "cell 3 stopped at `from nowhere_here import" in report.exercises[0].message


def test_a_syntax_error_costs_its_statement(grade):
    """Before and after it; decorators and branches stay with what they belong to."""
    cell = (
        IMPORTS + "@torch.no_grad()\ndef helper(x):\n    return x\n"
        "def broken(x)\n    return x\n"
        "if True:\n    pass\nelse:\n    wrong = 1\n" + LOSS
    )
    assert statuses(grade([SETUP, cell, *SOLVED[3:]])) == ["done", "done", "done"]


def test_await_at_the_top_of_a_cell(grade):
    """One event loop for all cells, as in Jupyter."""
    one = (
        "import asyncio\nasync def one(given):\n    await asyncio.sleep(0)\n"
        "    return given\ntask = asyncio.create_task(one(torch.nn.functional))\n"
        "del F\nassert await one(1) == 1"
    )
    cells = [*SOLVED[:2], one, "F = await task", *SOLVED[2:]]
    assert statuses(grade(cells)) == ["done", "done", "done"]


def test_check_inside_an_answer(grade):
    """It returns at once, also when it asks about the answer that is being judged."""
    loss = (
        "calls = []\ndef generator_loss(logits):\n    calls.append(1)\n"
        '    check("97.1", generator_loss)\n    return F.softplus(-logits).mean()'
    )
    doubled = (
        'def doubled(logits):\n    one = check("97.1", None)\n'
        "    return 2 * one(logits) + 0 * len(calls)"
    )
    assert statuses(grade(replaced(_2=loss, _4=doubled))) == ["done", "done", "done"]


COURSES = (
    "from t2i_course.checks.lesson97 import softplus_loss, doubled as twice, Doubler"
)
BORROWED = {
    "what check gave": (
        'r = check("97.1", None)\ndef generator_loss(x):\n    return r(x)'
    ),
    "two deep": (
        COURSES + "\ndef inner(x):\n    return softplus_loss(x)\n"
        "def generator_loss(x):\n    return inner(x)"
    ),
    "a lambda": COURSES + "\ngenerator_loss = lambda x: softplus_loss(x)",
    "a partial": (
        COURSES
        + "\nfrom functools import partial\ngenerator_loss = partial(softplus_loss)"
    ),
    "of another's": COURSES + "\ndef generator_loss(x):\n    return twice(x) / 2",
}


@pytest.mark.parametrize("how", BORROWED)
def test_borrowed(grade, how):
    report = grade(replaced(_2=BORROWED[how]))
    assert statuses(report) == ["borrowed", "done", "done"]
    assert (
        "calls t2i_course.checks.lesson97.softplus_loss" in report.exercises[0].message
    )
    assert report.done == 2


def test_a_borrowed_class(grade):
    """A subclass, and a class that has one inside."""
    inside = DOUBLER.replace("return 2 * x", "return twice()(x)")
    for cell in ("class Doubler(twice):\n    pass", inside):
        courses = COURSES.replace("Doubler", "Doubler as twice") + "\n"
        report = grade(replaced(_6=courses + cell))
        assert statuses(report) == ["done", "done", "borrowed"]


def test_what_is_not_borrowed(grade):
    """A helper from an earlier exercise, the learner's own or the course's."""
    helper = "def helper(x):\n    return generator_loss(x)\n"
    doubled = helper + DOUBLED.replace("generator_loss", "helper")
    for loss in (LOSS, WRONG, STUB):
        assert statuses(grade(replaced(_2=loss, _4=doubled)))[1:] == ["done", "done"]


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


def test_cells_that_can_bring_no_answer_are_not_run(grade, tmp_path):
    """After the last that could, and after all is done; before it they are."""
    note = tmp_path / "ran"
    leaves = f"open({str(note)!r}, 'a').write('x')"
    assert grade([*SOLVED, leaves + "\ndef more():\n    pass"]).done == 3
    assert not note.exists()
    assert grade([SETUP, leaves, IMPORTS, STUB, CHECK_LOSS, leaves]).done == 0
    assert note.read_text() == "x"
