"""Reads a learner's notebook: its code cells, and the lesson that it belongs to.

What is plainly meant is read: a byte order mark, fields that are null, the format of
Jupyter before 2015. What can't be read is refused in a line that says why.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

CONFLICT = re.compile(r"^(<{7}|={7}|>{7}|\|{7})(?: .*)?$", re.MULTILINE)


def read_cells(path: Path) -> list[dict]:
    """The code cells of a notebook: {"cell", "source", "tags"}, numbered as they stand.

    ValueError in one line for a file that is no notebook.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"can't be read: {error.strerror}") from None
    try:
        cells = [
            {"cell": number, "source": _source(cell), "tags": _tags(cell)}
            for number, cell in enumerate(_cells(json.loads(_text(data))), start=1)
            if cell.get("cell_type") == "code"
        ]
    except RecursionError:
        raise _no_notebook("lists in lists without end") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _no_notebook(f"{error.msg} at {where}; was it cut off?") from None
    return cells


def _no_notebook(reason: str) -> ValueError:
    return ValueError(f"is not a Jupyter notebook: {reason}")


def _text(data: bytes) -> str:
    """The file's text; ValueError where no notebook can be in it."""
    if not data.strip():
        raise _no_notebook("the file is empty")
    if b"\0" in data[:4]:  # a notebook begins with { and perhaps a mark
        raise _no_notebook("it is written in UTF-16 or UTF-32; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
        reason = "it is written in UTF-16" if wide else f"line {line} is no UTF-8"
        raise _no_notebook(f"{reason}; save it as UTF-8") from None
    conflict = CONFLICT.search(text)
    if conflict:
        line = text[: conflict.start()].count("\n") + 1
        raise _no_notebook(
            f'line {line} is the mark of a merge conflict ("{conflict[0][:40]}"); '
            "choose one of the two versions"
        )
    return text


def _cells(notebook: Any) -> list[dict]:
    """All cells, of the format of today or of version 3, which had them in sheets."""
    if not isinstance(notebook, dict):
        raise _no_notebook(f"it holds {_kind(notebook)}, not a notebook's table")
    sheets = notebook.get("worksheets") or []
    if "cells" not in notebook and not (isinstance(sheets, list) and sheets):
        raise _no_notebook("it has no cells")
    found: list = []
    for sheet in [notebook, *sheets]:
        listed = sheet.get("cells") if isinstance(sheet, dict) else sheet
        if not isinstance(listed, list | None):
            raise _no_notebook(f"its cells are {_kind(listed)}")
        found += [{} if cell is None else cell for cell in listed or []]
    for number, cell in enumerate(found, start=1):
        if not isinstance(cell, dict):
            raise _no_notebook(f"cell {number} is {_kind(cell)}")
    return found


def _source(cell: dict) -> str:
    """A cell's text: one string or its lines; version 3 called it input."""
    source = cell.get("source", cell.get("input"))
    lines = [source] if isinstance(source, str | None) else source
    if not isinstance(lines, list):
        raise _no_notebook(f"the source of a cell is {_kind(source)}")
    lines = [line for line in lines if line is not None]
    for line in lines:
        if not isinstance(line, str):
            raise _no_notebook(f"a line of a cell is {_kind(line)}")
    return "".join(lines)


def _tags(cell: dict) -> list[str]:
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    tags = [tags] if isinstance(tags, str) else tags
    return (
        [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    )


def _kind(value: Any) -> str:
    """What JSON calls it, with its article."""
    if value is None:
        return "null"
    kinds = {dict: "a table", list: "a list", str: "a text", bool: "true or false"}
    return kinds.get(type(value), "a number")


def find_lesson(path: Path, cells: list[dict]) -> str:
    """The lesson's number: from its check and begin calls, else from the file's name.

    ValueError when there is no trace of one.
    """
    text = "\n".join(cell["source"] for cell in cells)
    begun = re.findall(r"begin\(\s*[\"'](\d\d[a-z]?)[\"']", text)
    checked = re.findall(r"check\(\s*[\"'](\d\d[a-z]?)\.\d+", text)
    found = Counter(begun + checked).most_common(1)
    if found:
        return found[0][0]
    named = re.match(r"(\d\d[a-z]?)_", path.name)
    if not named:
        raise ValueError("is no lesson of this course: nothing in it names one")
    return named[1]
