"""Checks of the exercises: one module a lesson, imported when a check first asks.

In a lesson: ``from t2i_course.checks import check``, then
``generator_loss = check("01.3", generator_loss)``. See `core` for how a check works
and how to write one.
"""

from .core import Wrong, check, results

__all__ = ["Wrong", "check", "results"]
