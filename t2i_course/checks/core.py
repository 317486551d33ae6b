"""How a check works, whatever the exercise.

A check hands back the learner's own answer when it is right, and the course's version
when it is not done yet or wrong: the lesson runs on the learner's code as soon as it
works, and never stops because it doesn't.

Writing one, in ``checks/lesson01.py``::

    @exercise("01.3", title="The non-saturating loss", reference=gan.nonsaturating_loss,
              minutes=5, difficulty=2,
              promise=Promise("scalar", lambda: [{"fake_logits": normal(6)}],
                              gradient=("fake_logits",)))
    def _(answer):
        '''Compares losses on seeded logits.'''
        diagnose(answer, [(logits,)], gan.nonsaturating_loss,
                 {"this is the saturating loss log(1 - D)": saturating})

It raises `Wrong` with a sentence for the learner; to return is to accept. Any other
exception is taken for the learner's and shown with the line of their code.
"""

from __future__ import annotations

import importlib
import importlib.util
import linecache
import os
import random
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from . import guards
from .compare import (
    Wrong,
    diagnose,
    expect,
    expect_close,
    expect_gradient,
    expect_shape,
    fresh,
)
from .guards import Promise

__all__ = [
    "Exercise",
    "Promise",
    "Verdict",
    "Wrong",
    "check",
    "diagnose",
    "exercise",
    "exercises",
    "expect",
    "expect_close",
    "expect_gradient",
    "expect_shape",
    "fresh",
    "judge",
    "results",
]

PACKAGE = str(Path(__file__).resolve().parents[1])
REFERENCE_GOES_ON = "The lesson goes on with the course's own version"


@dataclass(frozen=True)
class Exercise:
    """One exercise: its id ("01.3"), its check, and the course's own answer.

    `promise` is what every answer owes (see `guards`), `minutes` what a learner should
    expect; `difficulty` runs from 1 to 5.
    """

    id: str
    title: str
    reference: Any
    test: Callable[[Any], None]
    promise: Promise
    minutes: int = 5
    difficulty: int = 1


@dataclass(frozen=True)
class Verdict:
    """What a check found: status is "done", "wrong" or "missing" (not done yet)."""

    exercise: str
    status: str
    message: str = ""


_exercises: dict[str, Exercise] = {}
_results: dict[str, Verdict] = {}


def exercise(
    id: str,
    *,
    title: str,
    reference: Any,
    promise: Promise,
    minutes: int = 5,
    difficulty: int = 1,
) -> Callable[[Callable], Callable]:
    """Registers the decorated function as the check of exercise `id`, such as "01.3".

    The function takes the learner's answer (a function or a class), raises `Wrong` with
    a sentence when it isn't right, and returns when it is. The guards then hold the
    answer to its `promise`, beside the reference.
    """

    def register(test: Callable[[Any], None]) -> Callable[[Any], None]:
        _exercises[id] = Exercise(
            id, title, reference, test, promise, minutes, difficulty
        )
        return test

    return register


def exercises(lesson: str) -> dict[str, Exercise]:
    """The exercises of a lesson ("01"), by id, in order; {} where it has none."""
    name = f"t2i_course.checks.lesson{lesson}"
    if importlib.util.find_spec(name) is None:
        return {}
    importlib.import_module(name)
    return {
        id: _exercises[id]
        for id in sorted(_exercises, key=_by_number)
        if id.split(".")[0] == lesson
    }


def _by_number(id: str) -> tuple[str, int]:
    lesson, number = id.split(".")
    return lesson, int(number)


def find(id: str) -> Exercise:
    """The exercise of that id; LookupError with the ids there are, if there is none."""
    known = exercises(id.split(".")[0])
    if id not in known:
        has = ", ".join(known) or "none"
        raise LookupError(f'there is no exercise "{id}" (of this lesson: {has})')
    return known[id]


def check(id: str, answer: Any) -> Any:
    """Says whether `answer` solves exercise `id`; returns what the lesson goes on with.

    That is `answer` itself when it is right and the course's version otherwise. With
    T2I_STRICT=1 in the environment anything but a right answer raises `Wrong`.
    Used after every exercise of every lesson.
    """
    task = find(id)
    if is_reference(task, answer):
        verdict = Verdict(
            id,
            "missing",
            "this is the course's own version, which an earlier check handed back",
        )
        said = (
            f"Exercise {id}: {verdict.message}. Run the cell with your own answer "
            "first, then this one."
        )
        if id in _results:  # what was found for the learner's own answer stays
            verdict = _results[id]
    else:
        verdict = judge(task, answer)
        said = _say(task, verdict)
    _results[id] = verdict
    print(said)
    if verdict.status == "done":
        return answer
    if os.environ.get("T2I_STRICT") == "1":
        raise Wrong(said)
    return task.reference


def is_reference(task: Exercise, answer: Any) -> bool:
    """Whether the answer is the course's own function (equal values don't count)."""
    return callable(answer) and answer is task.reference


def results() -> dict[str, Verdict]:
    """The last verdict on each exercise checked since the kernel started."""
    return dict(_results)


def _say(task: Exercise, verdict: Verdict) -> str:
    if verdict.status == "done":
        stop = "" if task.title[-1] in ".!?" else "."
        said = f"{task.id} right: {task.title}{stop}"
        return f"{said} The lesson goes on with your code."
    if verdict.status == "missing":
        rest = REFERENCE_GOES_ON[0].lower() + REFERENCE_GOES_ON[1:]
        return f"Exercise {task.id} is not done yet: {rest}."
    return (
        f"Exercise {task.id} is not right yet: {verdict.message}\n"
        f"{REFERENCE_GOES_ON} until it is."
    )


def judge(task: Exercise, answer: Any) -> Verdict:
    """Runs the check of `task` on `answer`; never raises because of the answer.

    Random states, gradient mode and default type are put back afterwards, whatever
    the learner's code did to them; the check itself always starts from seed 0.
    """
    try:
        with _shielded():
            _try(task, answer)
    except Wrong as wrong:
        return Verdict(task.id, "wrong", str(wrong))
    except NotImplementedError as error:
        if _is_stub(error):
            return Verdict(task.id, "missing", "not done yet")
        return Verdict(task.id, "wrong", describe(error))
    except (Exception, SystemExit) as error:
        return Verdict(task.id, "wrong", describe(error))
    return Verdict(task.id, "done")


def _try(task: Exercise, answer: Any) -> None:
    """The exercise's own check, then the guards of all exercises.

    Where the check fails or stops, and the answer changes its inputs or gives another
    type of thing than promised, that is the message: it is the likelier cause.
    """
    try:
        task.test(answer)
    except NotImplementedError:
        raise
    except Wrong:
        guards.keep_basics(task.promise, answer)
        raise
    except Exception as error:
        guards.keep_basics(task.promise, answer)
        if not _in_learners_code(error):
            _keep_if_it_can(task, answer)
        raise
    guards.keep(task.promise, answer, task.reference)


def _in_learners_code(error: BaseException) -> bool:
    return any(map(_is_learners, traceback.extract_tb(error.__traceback__)))


def _keep_if_it_can(task: Exercise, answer: Any) -> None:
    """The check itself stopped, at what it got: a guard may say why in plain words."""
    try:
        guards.keep(task.promise, answer, task.reference)
    except Wrong:
        raise
    except Exception:
        return


@contextmanager
def _shielded() -> Iterator[None]:
    """Seeds everything, and puts every global state back afterwards."""
    python, numpy_state = random.getstate(), np.random.get_state()
    grad, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    try:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            np.random.seed(0)
            random.seed(0)
            torch.set_grad_enabled(True)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy_state)
        torch.set_grad_enabled(grad)
        torch.set_default_dtype(dtype)


def _is_stub(error: NotImplementedError) -> bool:
    """Whether the stub of an exercise raised it (torch also raises this type)."""
    if str(error).startswith("exercise "):
        return True
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return _is_learners(frame) and "NotImplementedError" in (frame.line or "")


# What torch says in words of its own, and what to do about it.
ADVICE = {
    "must match the size of tensor": "two tables of different shapes meet here, and "
    "shapes meet from the right: give the smaller one axes of size 1 (None in its "
    "index, or keepdim=True). Chosen from by a mask? Take one mask for both",
    "mean(): could not infer output dtype": "a table of True and False, or of whole "
    "numbers, has no mean: turn it into numbers with .float() first",
    "Boolean value of Tensor with more than one value is ambiguous": "two tables are "
    "joined by `&`, not by `and`; `&` binds tighter than `==`: put each comparison in "
    "parentheses. A floor for each number is `clamp_min`, not `max(a, b)`; "
    "and whether there is a tensor at all, `is not None` asks",
}


def describe(error: BaseException) -> str:
    """The exception in one line or two, with the line of the learner's code."""
    said = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    said = said if len(said) <= 300 else said[:297] + "..."
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _is_learners(f)]
    if not frames:
        return f"it can't be used as the exercise asks ({said})"
    last = frames[-1]
    line = last.line or linecache.getline(last.filename, last.lineno)
    for part, advice in ADVICE.items():
        if part in said:
            said += f" ({advice})"
    return f"your code stops with {said}\n    in line {last.lineno}: {line.strip()}"


def _is_learners(frame: traceback.FrameSummary) -> bool:
    """Whether that line was written by the learner: neither course nor library."""
    library = ("site-packages", "dist-packages", sys.base_prefix, "<frozen")
    if frame.filename.startswith(PACKAGE):
        return False
    return not any(part in frame.filename for part in library)
