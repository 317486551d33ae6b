"""Notices an answer that has the course's own answer do its work.

While an answer is judged, the check calls the course's answer too, to compare. What
counts is a call from beneath the learner's function. Only the answer to the same
exercise is meant: after a failed check a lesson goes on with the course's versions,
so an answer may well stand on those of earlier exercises.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any


class Watch:
    """Watches one answer; `borrowed` is what of the course it uses, or ""."""

    def __init__(self, answer: Any, reference: Any) -> None:
        self._reference = reference
        # by identity: equal code may stand in a cell
        self._codes = {id(code) for code in codes(reference)}
        self._answers: set[int] = set()
        with suppress(Exception):  # what a learner's object does when it is looked at
            self._answers |= {id(code) for code in codes(answer)}
        self._top: types.FrameType | None = None
        self.borrowed = ""
        inherits = isinstance(answer, type) and reference in answer.__mro__
        if inherits or self._answers & self._codes:
            self._found()

    def _found(self) -> None:
        of = self._reference
        self.borrowed = f"{of.__module__}.{of.__qualname__}"

    def run(self, function: Callable, *arguments: Any) -> Any:
        """Calls the function and watches the calls made within, on this thread."""
        self._top, before = sys._getframe(), sys.getprofile()
        sys.setprofile(self._see)
        try:
            return function(*arguments)
        finally:
            sys.setprofile(before)

    def _see(self, frame: types.FrameType, event: str, value: Any) -> None:
        """A call of the course's answer; or its generator handed on as it is."""
        if event == "call":
            used = id(frame.f_code) in self._codes and self._beneath_the_answer(frame)
        elif event == "return" and isinstance(value, types.GeneratorType):
            used = id(value.gi_code) in self._codes and self._learners(frame)
        else:
            return
        if used:
            self._found()

    def _beneath_the_answer(self, frame: types.FrameType | None) -> bool:
        while frame is not None and frame is not self._top:
            if self._learners(frame):
                return True
            frame = frame.f_back
        return False

    def _learners(self, frame: types.FrameType) -> bool:
        code = frame.f_code
        return id(code) in self._answers or code.co_filename.startswith("<cell ")


def codes(thing: Any) -> Iterator[types.CodeType]:
    """The code of a function, without its wrappers, or of all methods of a class."""
    if isinstance(thing, type):
        for value in vars(thing).values():
            if not isinstance(value, type):
                yield from codes(value)
        return
    while isinstance(thing, functools.partial | functools.partialmethod):
        thing = thing.func
    if isinstance(thing, types.MethodWrapperType | types.MethodType):
        thing = getattr(thing, "__func__", thing.__self__)
    thing = inspect.unwrap(thing) if callable(thing) else thing
    thing = getattr(thing, "__func__", thing)
    if isinstance(thing, types.FunctionType):
        yield thing.__code__
