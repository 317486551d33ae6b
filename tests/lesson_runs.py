"""A lesson run in this process, cell by cell: with its own answers, with others, again.

The cells of a work sheet (solutions/NN_*.py) share one namespace, as in a kernel. What
a cell prints, and the tables and texts that it ends with, are kept as text. The state
of all random numbers before each cell is kept too, so that a cell run once more, with
another answer, draws what it drew the first time.
"""

import ast
import contextlib
import io
import linecache
import random
import re
import sys
import time
import types

import build_notebooks
import matplotlib
import numpy as np
import torch
from matplotlib import pyplot

from t2i_course.show.tables import Table

matplotlib.use("Agg")
SHOWN = (Table, str, int, float, list, tuple, dict)  # what a cell's last line may show


class Cell:
    """One code cell: its source, what it reads, binds and changes, and its exercise."""

    def __init__(self, number, cell):
        self.number, self.source = number, cell.source
        self.exercise = cell.metadata.get("exercise", "")
        self.is_check = "check" in build_notebooks.tags(cell)
        self.statements = []
        for statement in ast.parse(cell.source).body:
            self.statements.append(_Names())
            self.statements[-1].visit(statement)
        self.reads = set().union(*(part.reads for part in self.statements))
        self.binds = set().union(*(part.binds for part in self.statements))
        self.changes = set().union(*(part.changes for part in self.statements))


class _Names(ast.NodeVisitor):
    """The names a cell takes from others, binds, and changes in place.

    In the order of execution: a name that the cell binds before it reads it (a loop's
    variable, say) is not taken from another cell.
    """

    def __init__(self):
        self.reads, self.binds, self.changes = set(), set(), set()

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load):
            if node.id not in self.binds:
                self.reads.add(node.id)
        else:
            self.binds.add(node.id)

    def visit_Assign(self, node):
        for part in (node.value, *node.targets):
            self.visit(part)

    def visit_AugAssign(self, node):
        self.reads |= {node.target.id} if isinstance(node.target, ast.Name) else set()
        self.visit(node.value)
        self.visit(node.target)

    def visit_For(self, node):
        for part in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(part)

    def visit_Import(self, node):
        self.binds |= {(a.asname or a.name).split(".")[0] for a in node.names}

    visit_ImportFrom = visit_Import

    def _inner(self, node, own):
        """What is inside has names of its own and reads the cell's."""
        inside = _Names()
        inside.binds |= own
        for child in ast.iter_child_nodes(node):
            inside.visit(child)
        self.reads |= inside.reads - self.binds
        self.changes |= inside.changes - inside.binds

    def visit_FunctionDef(self, node):
        arguments = node.args.args + node.args.kwonlyargs
        extra = [a for a in (node.args.vararg, node.args.kwarg) if a]
        self.binds.add(node.name)
        self._inner(node, {a.arg for a in (*arguments, *extra)})

    def visit_Lambda(self, node):
        self._inner(node, {a.arg for a in node.args.args})

    def visit_ClassDef(self, node):
        self.binds.add(node.name)
        self._inner(node, set())

    def _comprehension(self, node):
        targets = [t for g in node.generators for t in ast.walk(g.target)]
        self._inner(node, {t.id for t in targets if isinstance(t, ast.Name)})

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = (
        _comprehension
    )

    def visit_Subscript(self, node):
        self._change(node, isinstance(node.ctx, ast.Store))

    def visit_Attribute(self, node):
        stored = isinstance(node.ctx, ast.Store)
        self._change(node, stored or node.attr in ("append", "load_state_dict"))

    def _change(self, node, changes):
        if changes and isinstance(node.value, ast.Name):
            self.changes.add(node.value.id)
        self.generic_visit(node)


class Sheet:
    """A lesson's work sheet and the namespace that its cells share."""

    def __init__(self, source):
        cells = build_notebooks.read(source).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        self.name, self.number = source.stem, source.stem.split("_")[0]
        self.cells = [Cell(i, cell) for i, cell in enumerate(code)]
        self.module = types.ModuleType("__main__")
        self.module.display = self._display
        self.shown, self.seconds, self.states = "", {}, {}

    @property
    def space(self):
        """{name: value}, as in the kernel."""
        return vars(self.module)

    def run_all(self):
        """Every cell in order; {number of the cell: what it printed and showed}."""
        said = {}
        for cell in self.cells:
            torch.manual_seed(cell.number)  # whatever lots an answer before it drew
            self.states[cell.number] = _random_state()
            began = time.perf_counter()
            said[cell.number] = self.run(cell)
            self.seconds[cell.number] = time.perf_counter() - began
        return said

    def run(self, cell):
        """Runs one cell; what it printed and showed."""
        tree, last = ast.parse(cell.source), None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            last = ast.Expression(tree.body.pop().value)
        file = f"<{self.name}, cell {cell.number}>"
        lines = cell.source.splitlines(keepends=True)
        linecache.cache[file] = len(cell.source), None, lines, file
        self.shown, out = "", io.StringIO()
        before, sys.modules["__main__"] = sys.modules["__main__"], self.module
        quiet = contextlib.redirect_stderr(io.StringIO())
        try:
            with contextlib.redirect_stdout(out), quiet:
                exec(compile(tree, file, "exec"), self.space)
                if last:
                    self._display(eval(compile(last, file, "eval"), self.space))
        finally:
            sys.modules["__main__"] = before
            pyplot.close("all")
        return out.getvalue() + self.shown

    def _display(self, *things, **options):
        self.shown += "".join(f"{x!r}\n" for x in things if isinstance(x, SHOWN))

    def hang_on(self, names):
        """The cells that read one of these names, or what was made with them.

        A name bound anew, without any of them, no longer counts.
        """
        names, found = set(names), []
        for cell in self.cells:
            if cell.exercise or cell.is_check:
                continue
            hangs = False
            for part in cell.statements:
                if part.reads & names:
                    hangs, names = True, names | part.binds | part.changes
                else:
                    names = names - part.binds
            if hangs:
                found.append(cell)
        return found

    def run_with(self, answers, names):
        """Runs what hangs on the answers {name: function} once more; what each said.

        names: {exercise: the names of its answer}.
        """
        again, said = {cell.number for cell in self.hang_on(answers)}, {}
        for cell in self.cells:
            if cell.exercise:
                for name in names[cell.exercise]:
                    self.space[name] = answers[name]
            elif cell.is_check or cell.number in again:
                _set_random_state(self.states[cell.number])
                said[cell.number] = self.run(cell)
        return said

    def sees_the_same_at_the_end(self, cell):
        """Whether no later cell binds a name that this one reads."""
        later = self.cells[cell.number + 1 :]
        return not any(cell.reads & (other.binds | other.changes) for other in later)


def _random_state():
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def _set_random_state(states):
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])


TIME = re.compile(r"\d[\d.]* s\b")  # how long something took, no two times alike
NUMBER = re.compile(r"-?(?:\d[\d,]*\.?\d*(?:e-?\d+)?|nan|inf)")


def parts(text):
    """The text with its numbers taken out, and the numbers as they are written."""
    text = TIME.sub("some s", text)
    words = re.sub(r"\s+", " ", NUMBER.sub("#", text))
    return words, NUMBER.findall(text)


def close(one, other):
    """Whether two written numbers differ by no more than rounding does."""
    if one == other:
        return True
    values = [float(number.replace(",", "").rstrip(".")) for number in (one, other)]
    digits = len(one.partition(".")[2])
    last = 10.0**-digits if "e" not in one else 0.0
    return abs(values[0] - values[1]) <= 1.5 * last + 0.01 * abs(values[0])


def differences(one, other, numbers=True):
    """In words, where two texts differ; "" where only rounding does."""
    (words, first), (others, second) = parts(one), parts(other)
    if words != others:
        return f"{one!r} became {other!r}"
    apart = [f"{a} became {b}" for a, b in zip(first, second) if not close(a, b)]
    return "; ".join(apart[:5]) if numbers else ""
