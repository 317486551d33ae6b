"""Adds lesson 97, a tiny one for tests, to the course in this and any child Python.

Python imports a module of this name at its start when its folder is on PYTHONPATH.
"""

from pathlib import Path

import t2i_course.checks
from t2i_course import lesson

t2i_course.checks.__path__.append(str(Path(__file__).parent / "checks"))
lesson.LESSONS["97"] = lesson.Info(
    number="97",
    topic="tiny",
    title="Tiny",
    line="A lesson for tests.",
    slides="none",
    minutes={"course": 0.1, "cpu": 0.1, "gpu": 0.1, "work": 1},
    wants_gpu=True,
)
