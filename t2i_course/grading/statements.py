"""Runs a notebook's cell statement by statement, so that one that fails costs itself.

In Jupyter the rest of a cell is not run after an error: an import of a package that
isn't there, and every answer below is unknown. Here the other statements run, and
`Failure` says what was lost.
"""

from __future__ import annotations

import ast
import asyncio
import codeop
import inspect
import linecache
import re
import types
from collections.abc import Callable
from dataclasses import dataclass, field

try:
    from IPython.core.inputtransformer2 import TransformerManager
except ImportError:  # then a simpler rule must do
    TransformerManager = None

from ..checks import core

STOPPED = "it had to be stopped"


@dataclass
class Failure:
    """A statement that stopped: its source, the line, why, and names left unbound."""

    source: str
    line: str
    message: str
    lost: list[str] = field(default_factory=list)


class Runner:
    """Runs cells in one namespace; `from __future__` and the event loop last, too."""

    def __init__(self, namespace: dict) -> None:
        self.namespace = namespace
        self._compile = codeop.Compile()
        self._compile.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._loop = asyncio.Runner()

    def run(
        self, name: str, source: str, skip: list, starts: Callable[[int], None]
    ) -> list[Failure]:
        """Runs the statements but those whose numbers are in `skip`.

        `starts` hears each number before its statement runs; `skip` with None in it
        skips the whole cell.
        """
        source = plain(source)
        lines = source.splitlines(keepends=True)
        linecache.cache[name] = (len(source), None, lines, name)  # for messages
        failures = []
        for number, (statement, problem, text) in enumerate(statements(source)):
            error: BaseException | None = problem
            try:
                if number in skip or None in skip:
                    why = STOPPED
                elif problem:
                    why = what_happened(problem)
                else:
                    starts(number)
                    self._execute(statement, name)
                    continue
            except BaseException as stop:
                why, error = what_happened(stop), stop
            names = bound_by(statement) if statement else []
            lost = [name for name in names if name not in self.namespace]
            line = " ".join(text.strip().partition("\n")[0].split())[:80]
            failures.append(Failure(text, line, why, lost))
            if isinstance(error, SystemExit):  # the learner wants the cell to end
                break
        return failures

    def _execute(self, statement: ast.stmt, name: str) -> None:
        """Runs it while the event loop does, as in Jupyter."""
        module = ast.Module([statement], type_ignores=[])
        code = self._compile(module, name, "exec")
        error = self._loop.run(self._in_the_loop(code))
        if error is not None:
            raise error

    async def _in_the_loop(self, code: types.CodeType) -> BaseException | None:
        """What it raises, which a coroutine would change or end the loop by."""
        try:
            if code.co_flags & inspect.CO_COROUTINE:
                await eval(code, self.namespace)
            else:
                exec(code, self.namespace)
        except BaseException as error:
            return error
        return None


def statements(
    source: str,
) -> list[tuple[ast.stmt | None, SyntaxError | None, str]]:
    """The source's statements with their text; for what can't be read, the error.

    With an error in it, the source is taken apart where a line begins at the margin.
    """
    try:
        return _parsed(source)
    except (SyntaxError, ValueError) as error:
        whole = error
    found, line = [], 0
    for piece in _pieces(source):
        try:
            found += _parsed("\n" * line + piece)
        except (SyntaxError, ValueError) as error:
            known = isinstance(error, SyntaxError)
            found.append((None, error if known else SyntaxError(str(whole)), piece))
        line += piece.count("\n")
    return found


def _parsed(source: str) -> list[tuple]:
    lines = source.splitlines(keepends=True)
    return [
        (one, None, "".join(lines[one.lineno - 1 : one.end_lineno]))
        for one in ast.parse(source).body
    ]


def _pieces(source: str) -> list[str]:
    """Parts that begin at the margin; a block's later branches stay with it."""
    pieces: list[str] = []
    for part in re.split(r"^(?=[^\s#)\]}])", source, flags=re.MULTILINE):
        goes_on = re.match(r"(else|elif|except|finally)\b", part)
        decorated = pieces and re.fullmatch(r"(@.*\s*)+", pieces[-1])
        if pieces and (goes_on or decorated):
            pieces[-1] += part
        elif part:
            pieces.append(part)
    return pieces


def bound_by(statement: ast.stmt) -> list[str]:
    """The names that a statement of a cell binds there; not those inside functions."""
    found: list[str] = []

    def look(node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append(node.name)
            return
        if isinstance(node, ast.Lambda):
            return
        if isinstance(node, ast.alias):
            found.append(node.asname or node.name.split(".")[0])
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.append(node.id)
        for child in ast.iter_child_nodes(node):
            look(child)

    look(statement)
    return found


def what_happened(error: BaseException) -> str:
    """Why a statement stopped, in a line or two."""
    if isinstance(error, SyntaxError):
        return f"{error.msg} in line {error.lineno}: {(error.text or '').strip()}"
    return core.describe(error)


def plain(source: str) -> str:
    """A cell's source as Python: magics and shell commands become calls of nothing."""
    if source.lstrip().startswith("%%"):
        first = source.lstrip().split()[0]
        rest = source.lstrip().partition("\n")[2]
        return rest if first in ("%%time", "%%capture", "%%timeit") else ""
    if TransformerManager is None:
        return re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)
    return TransformerManager().transform_cell(source)
