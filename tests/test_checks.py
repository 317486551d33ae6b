"""Checks: every exercise's wrong and right answers, and how a check speaks.

tests/answers/lessonNN.py holds RIGHT and WRONG by exercise, and perhaps ALSO_WRONG:
answers with the same diagnosis as one in WRONG. An answer that a class or
function of the course would be spoilt by is never shared: each test gets it fresh.
"""

import importlib.util
import random
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from t2i_course import checks, lesson
from t2i_course.checks import core
from t2i_course.checks.core import (
    Wrong,
    diagnose,
    expect_close,
    expect_gradient,
    expect_shape,
    fresh,
)

ANSWERS = sorted((Path(__file__).parent / "answers").glob("lesson[0-9][0-9]*.py"))


def load(file):
    """The answers' module of a lesson."""
    spec = importlib.util.spec_from_file_location(f"answers_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODULES = {file.stem.removeprefix("lesson"): load(file) for file in ANSWERS}
EXERCISES = [
    task
    for number in sorted({*lesson.LESSONS, *MODULES} - {"97"})
    for task in core.exercises(number).values()
]


def answers(kind):
    """Parameters: (exercise id, answer) or (exercise id, (answer, message))."""
    made = []
    for module in MODULES.values():
        for id, listed in getattr(module, kind, {}).items():
            for n, answer in enumerate(listed, start=1):
                made.append(pytest.param(id, answer, id=f"{id}-{n}"))
    return made


@cache
def judged(id, answer):
    """The verdict on a known answer; each is judged once."""
    return core.judge(core.find(id), answer)


@pytest.mark.parametrize(("id", "answer"), answers("RIGHT"))
def test_right_answer_passes(id, answer):
    verdict = core.judge(core.find(id), answer)
    assert verdict.status == "done", verdict.message


@pytest.mark.parametrize(("id", "wrong"), answers("WRONG") + answers("ALSO_WRONG"))
def test_wrong_answer_gets_its_diagnosis(id, wrong):
    answer, part = wrong
    verdict = judged(id, answer)
    assert verdict.status == "wrong"
    assert part in verdict.message


# What came, as numbers or a shape, and then nothing more.
BARE = re.compile(
    r"(but (is|has)|got|not|in place of|are)( the single number| a tensor of)?"
    r"( shape)? [-\d.,e() ]*\d[-\d.,e() ]*$"
)


@pytest.mark.parametrize(("id", "wrong"), answers("WRONG") + answers("ALSO_WRONG"))
def test_no_message_ends_with_two_bare_numbers(id, wrong):
    """After what was expected and what came, the likeliest slip is said."""
    said = judged(id, wrong[0]).message
    assert not BARE.search(said), said


def test_bare_numbers_are_seen():
    assert BARE.search("the loss should be about 0.693, but is 0.5.")
    assert BARE.search("at [0, 1] expected about 0.693, got -5e-3.")
    assert BARE.search("should have shape (7,), but has shape (7, 1).")
    assert BARE.search("should be shape (), but is the single number 0.5.")
    assert not BARE.search("expected 0.693, got 0.5. Is a factor missing?")


@pytest.mark.parametrize("task", EXERCISES, ids=lambda task: task.id)
def test_exercise_is_complete(task):
    """The reference passes; five wrong answers, each its own diagnosis, two right."""
    verdict = core.judge(task, task.reference)
    assert verdict.status == "done", verdict.message
    number = task.id.split(".")[0]
    module = MODULES.get(number)
    assert module, f"tests/answers/lesson{number}.py is missing"
    assert len(module.RIGHT.get(task.id, [])) >= 2
    assert all(answer is not task.reference for answer in module.RIGHT[task.id])
    wrong = module.WRONG.get(task.id, [])
    assert len(wrong) >= 5
    said = {judged(task.id, answer).message for answer, _ in wrong}
    assert len(said) == len(wrong), "two wrong answers get the same message"
    assert task.title and task.minutes > 0 and 1 <= task.difficulty <= 5


@pytest.mark.parametrize("task", EXERCISES, ids=lambda task: task.id)
def test_an_untouched_stub_is_not_done_yet(task):
    """NotImplementedError is a RuntimeError: no check may take it for a mistake."""

    def untouched(*arguments, **keywords):
        raise NotImplementedError(f"exercise {task.id}")

    assert core.judge(task, untouched).status == "missing"


def test_lessons_without_exercises_and_unknown_ids():
    assert core.exercises("98") == {}
    with pytest.raises(LookupError, match=r"98\.1"):
        checks.check("98.1", None)


# How a check speaks, on the tiny lesson --------------------------------------------


@pytest.fixture
def check(tiny_course, capsys, monkeypatch):
    """Checks an answer to an exercise of the tiny lesson; returns (answer, said)."""
    monkeypatch.setenv("T2I_STRICT", "0")
    core._results.clear()

    def run(answer, id="97.1"):
        taken = checks.check(id, answer)
        return taken, capsys.readouterr().out

    return run


def right(logits):
    return F.softplus(-logits).mean()


def stub(logits):
    raise NotImplementedError("exercise 97.1")


def test_right_answer_is_handed_back(check):
    taken, said = check(right)
    assert taken is right
    assert said.startswith("97.1 right: The loss.") and "<" not in said
    assert checks.results()["97.1"].status == "done"


def test_unfinished_answer_gives_the_reference(check):
    taken, said = check(stub)
    assert taken.__name__ == "softplus_loss"
    assert said == (
        "Exercise 97.1 is not done yet: the lesson goes on with the course's own "
        "version.\n"
    )


def test_reference_handed_back_is_no_praise(check):
    """Running a check cell again, without the cell above it."""
    taken, _ = check(lambda logits: logits)
    again, said = check(taken)
    assert again is taken and "right" not in said and "your own answer" in said
    assert checks.results()["97.1"].status == "wrong"


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        (lambda x: -F.softplus(x).mean(), "saturating"),
        (lambda x: F.softplus(-x), "a single number, shape (), but has shape (6,)"),
        (lambda x: None, "None (is a `return` missing?)"),
        (lambda x: torch.log(x * 0).mean(), "-inf, which is not a finite number"),
        (lambda x: "a", "the text 'a'"),
        (lambda x: 3 * x.mean(), "expected|should be about"),
        (lambda x: x @ torch.zeros(9, 1), "test_checks.py|in line"),
        (lambda: 1, "positional argument"),
        (None, "not callable"),
        (3, "not callable"),
        (lambda x: exit(), "SystemExit"),
        (lambda x: [][0], "IndexError"),
    ],
)
def test_wrong_answers_never_raise(check, answer, part):
    taken, said = check(answer)
    assert taken.__name__ == "softplus_loss"
    assert re.search(part, said) or part in said
    assert len(said.splitlines()) <= 4 and "Traceback" not in said


def test_error_names_the_line_of_the_learners_code(check):
    def broken(logits):
        return logits.no_such_thing()

    _, said = check(broken)
    assert "return logits.no_such_thing()" in said


def test_torchs_own_not_implemented_error_is_an_error(check):
    class Empty(torch.nn.Module):
        pass

    _, said = check(Empty, "97.3")
    assert "not right yet" in said and "forward" in said


def test_strict_raises(check, monkeypatch):
    monkeypatch.setenv("T2I_STRICT", "1")
    assert check(right)[0] is right
    for answer in (stub, lambda x: x):
        with pytest.raises(Wrong, match=r"97\.1"):
            check(answer)


def test_interrupt_goes_through(check):
    def interrupted(logits):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(interrupted)


def test_answer_can_not_harm_the_rest(check):
    """Seeds, gradient mode and default type stay inside."""

    def rude(logits):
        result = F.softplus(-logits).mean()
        torch.manual_seed(5)
        np.random.seed(5)
        random.seed(5)
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        return result

    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    taken, said = check(rude)
    assert taken is rude, said
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()
    assert random.getstate() == before[2]
    assert torch.is_grad_enabled() and torch.get_default_dtype() is torch.float32


# The tools for writing checks --------------------------------------------------------


def test_expect_shape_in_words():
    expect_shape(torch.zeros(3, 4), (None, 4))
    expect_shape(2.0, ())
    with pytest.raises(Wrong, match="mean over the batch"):
        expect_shape(torch.zeros(3), ())
    with pytest.raises(Wrong, match="One number is wanted, not a list of one"):
        expect_shape(torch.zeros(1, 1), ())
    with pytest.raises(
        Wrong, match=r"shape \(3, any\) \(batch, words\), but has .*\(4,\)"
    ):
        expect_shape(torch.zeros(4), (3, None), axes="(batch, words)")


@pytest.mark.parametrize(
    ("got", "want", "part"),
    [
        ({"a": 1}, {"b": 1}, "should be a dict of"),
        ([1], [1, 2], "should be 2 things"),
        ((1.0, 3.0), (1.0, 2.0), "part 2 of it"),
        ("no", "yes", "should be 'yes'"),
        (1, True, "should be True"),
        (torch.tensor([1.0, 5.0]), torch.tensor([1.0, 2.0]), r"1 of 2 values.*\[1\]"),
        (np.zeros(0), np.zeros(2), "shape"),
        (torch.tensor(float("nan")), 0.0, "finite"),
        (None, {"a": 1}, "None"),
    ],
)
def test_expect_close_in_words(got, want, part):
    expect_close(want, want)
    with pytest.raises(Wrong, match=part):
        expect_close(got, want, "it")


def test_expect_gradient():
    reaches, stops = torch.nn.Linear(2, 1), torch.ones(2, requires_grad=True)
    expect_gradient(reaches(stops.detach()), {"the layer": reaches}, {"x": stops})
    with pytest.raises(Wrong, match="reaches x"):
        expect_gradient(reaches(stops), {"the layer": reaches}, {"x": stops})
    with pytest.raises(Wrong, match="no gradient reaches the layer"):
        expect_gradient(reaches(stops).detach(), {"the layer": reaches})
    with pytest.raises(Wrong, match="no gradient"):
        expect_gradient(3.0, {"the layer": reaches})


def test_diagnose_gives_everybody_the_same_noise():
    def noisy(x):
        return x + torch.randn(3)

    diagnose(lambda x: torch.randn(3) + x, [(torch.ones(3),)], noisy)
    with pytest.raises(Wrong, match="forgot the noise"):
        known = {"fails itself": lambda: 0, "forgot the noise": lambda x: x}
        diagnose(lambda x: x, [(torch.ones(3),)], noisy, known)


def test_fresh_copies_everything():
    generator = torch.Generator().manual_seed(3)
    leaf = torch.ones(2, requires_grad=True)
    things = (leaf, leaf * 2, {"a": [leaf]}, generator, torch.nn.Linear(1, 1), "text")
    copies = fresh(things)
    assert copies[0] is not leaf and copies[0].requires_grad and copies[1].is_leaf
    torch.rand(1, generator=copies[3])
    assert generator.get_state().equal(torch.Generator().manual_seed(3).get_state())
    assert copies[4] is not things[4] and copies[5] == "text"
