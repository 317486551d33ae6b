"""Notebooks of the tiny lesson 97, for the tests of `t2i grade`."""

import json

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
WRONG = "def generator_loss(logits):\n    return -F.softplus(logits).mean()"


def replaced(**cells):
    """SOLVED with some cells replaced, by position."""
    new = list(SOLVED)
    for position, cell in cells.items():
        new[int(position[1:])] = cell
    return new


def write(path, cells):
    """Writes a notebook of code cells; a pair is a cell and its tags. The path."""
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
    notebook = {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook))
    return path


def statuses(report):
    """The statuses in order of the exercises, of a report or its JSON."""
    rows = report["exercises"] if isinstance(report, dict) else report.exercises
    return [r["status"] if isinstance(r, dict) else r.status for r in rows]
