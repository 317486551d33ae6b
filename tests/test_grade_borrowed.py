"""Borrowed answers of every exercise of the course: what is one, and what isn't."""

import pytest
from test_checks import EXERCISES, MODULES

from t2i_course.checks import core
from t2i_course.grading.borrowed import Watch


def judged(task, answer):
    """The status, and what of the course's own was called."""
    watch = Watch(answer, task.reference)
    return watch.run(core.judge, task, answer).status, watch.borrowed


def name(task):
    """What the learner is told."""
    return f"{task.reference.__module__}.{task.reference.__qualname__}"


@pytest.mark.parametrize("task", EXERCISES, ids=lambda task: task.id)
def test_the_courses_answer_in_another_function_is_borrowed(task):
    """Generators too, which only run once they are out of the learner's function."""

    def mine(*arguments, **options):
        return task.reference(*arguments, **options)

    assert judged(task, mine) == ("done", name(task))


@pytest.mark.parametrize("task", EXERCISES, ids=lambda task: task.id)
def test_an_answer_of_ones_own_is_not(task):
    """Though the checks call the course's answer beside it."""
    right = [a for module in MODULES.values() for a in module.RIGHT.get(task.id, [])]
    assert right and [judged(task, answer) for answer in right] == [
        ("done", "") for _ in right
    ]
