"""What all notebooks of a lesson have in common, made once, in the launcher.

Every run of a notebook is a fork of the launcher: what this has imported and computed
is there at no cost, and what a notebook does to it stays in the fork.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import sys

from .statements import plain, statements

PACKAGE = __package__.partition(".")[0]
# What checks and pictures import when first used; seconds each.
ALWAYS = ("torch._dynamo", "matplotlib.pyplot")
LIBRARIES = {
    "01": ("sklearn.datasets",),
    "02": ("torchmetrics",),
    "03": ("sklearn.datasets",),
    "04": ("sklearn.datasets", "torchmetrics"),
    "08": ("torchmetrics",),
}
# Functions of the course that keep their result: module, name, arguments.
KEPT = {
    "08": (
        ("measure.style", "ruler", (32,)),
        ("measure.oracle", "oracle", (64,)),
        ("datasets.emoji", "vocabulary", ()),
        ("datasets.emoji", "Emoji", ("train", 32)),
    ),
}


def prepare(lesson: str, cells: list[dict]) -> None:
    """Imports what the lesson's notebooks import, and makes what the course keeps.

    Of what the notebook names only the course's modules are imported.
    """
    for name in [*ALWAYS, *LIBRARIES.get(lesson, ()), *course_modules(cells)]:
        if name not in sys.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    for module, name, arguments in KEPT.get(lesson, ()):
        with contextlib.suppress(Exception):
            getattr(importlib.import_module(f"{PACKAGE}.{module}"), name)(*arguments)


def course_modules(cells: list[dict]) -> list[str]:
    """The modules of the course that the cells import, whole or in part."""
    found: dict[str, None] = {}
    for cell in cells:
        for statement, _, _ in statements(plain(cell["source"])):
            for node in ast.walk(statement) if statement else ():
                names = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module:
                    parts = [f"{node.module}.{alias.name}" for alias in node.names]
                    names = [node.module, *parts]
                found |= dict.fromkeys(n for n in names if n.startswith(PACKAGE + "."))
    return [name for name in found if "__main__" not in name]
