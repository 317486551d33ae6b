"""Writes both notebooks of each lesson from its one source, solutions/NN_topic.py.

    python tools/build_notebooks.py                execute, then write both notebooks
    python tools/build_notebooks.py --only 08      one lesson
    python tools/build_notebooks.py --no-execute   keep the outputs of unchanged cells
    python tools/build_notebooks.py --check        compare with the files, write nothing

lessons/NN_topic.ipynb is the work sheet (nbgrader's ClearSolutions takes the solutions
out; only pinned outputs stay), solutions/NN_topic.ipynb the same sheet worked and
executed. Also writes t2i_course/checks/names.json: which function answers which
exercise, for the grader.
"""

from __future__ import annotations

import argparse
import ast
import copy
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jupytext
import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import notebook_outputs  # noqa: E402

from t2i_course import __version__  # noqa: E402

REPOSITORY = "https://github.com/t2i-course/t2i-course"
TAG = f"v{__version__}"
LIMIT = 1_000_000  # bytes of a notebook
LARGER = {"17": 2_000_000}  # whose pictures are textures, which nothing packs well


def limit_of(file: Path) -> int:
    """How many bytes a lesson's notebook may have; its name begins with the number."""
    return LARGER.get(file.stem.split("_")[0], LIMIT)


LONGEST_CELL = 3600  # seconds
PINNED = "nbval-check-output"
NAMES = ROOT / "t2i_course" / "checks" / "names.json"
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
# What Colab may lack. Everything else it has, and pip must not change any of that.
LIGHT = "accelerate anywidget psygnal safetensors torchmetrics lightning_utilities"

SETUP = f"""\
# On Colab this installs the course; elsewhere it says what to do if it isn't there.
import importlib.util, subprocess, sys
missing = not importlib.util.find_spec("t2i_course")
if missing and "google.colab" in sys.modules:
    light = "{LIGHT}"
    light = [name for name in light.split() if not importlib.util.find_spec(name)]
    subprocess.check_call([sys.executable, "-m", "pip", "install", "-q", "--no-deps",
                           "git+{REPOSITORY}@{TAG}", *light])
elif missing:
    raise ModuleNotFoundError(
        f"This kernel's Python, {{sys.executable}}, doesn't have the course.\\n"
        "Choose the kernel of the environment that has it (Kernel, Change Kernel),\\n"
        "or install it with this Python (in the course's folder:\\n"
        "pip install -e '.[all]') and restart the kernel.")
"""


class SourceError(ValueError):
    """A lesson's source breaks a rule; the message names the file and the rule."""


def sources() -> list[Path]:
    """The lessons' sources, in order."""
    return sorted((ROOT / "solutions").glob("[0-9][0-9]*_*.py"))


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def read(source: Path) -> NotebookNode:
    """The lesson as a notebook with solution markers in it and nothing executed.

    Gives every cell an id made from its text, the first text cell the badge, the
    `setup` cell the lines for Colab, each exercise its id as metadata (`exercise`);
    folded texts get room (see `with_room_in_details`).
    """
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(_metadata(source))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({"tags": tags(cell)} if tags(cell) else {})
        nth = seen[cell.source] = seen.get(cell.source, 0) + 1
        text = f"{cell.cell_type} {nth} {cell.source}"
        cell["id"] = hashlib.sha1(text.encode()).hexdigest()[:10]
        if cell.cell_type == "markdown":
            cell.source = with_room_in_details(cell.source)
    _set_up(notebook, source)
    _name_exercises(notebook, source)
    return notebook


def with_room_in_details(text: str) -> str:
    """A text with blank lines round what its <details> fold away.

    Without them Markdown takes it for HTML, and shows `code` with its backticks.
    """
    text = re.sub(r"</summary>\s*", "</summary>\n\n", text)
    return re.sub(r"\s*</details>", "\n\n</details>", text)


def _metadata(source: Path) -> dict:
    """A notebook's metadata; asks Colab for a GPU where the lesson wants one."""
    from t2i_course.lesson import LESSONS

    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    info = LESSONS.get(source.stem.split("_")[0])
    if info is not None and info.wants_gpu:
        metadata |= {"accelerator": "GPU", "colab": {"gpuType": "T4"}}
    return metadata


def _set_up(notebook: NotebookNode, source: Path) -> None:
    """Puts Colab's lines in front of the one `setup` cell."""
    cells = [cell for cell in notebook.cells if "setup" in tags(cell)]
    first = next((c for c in notebook.cells if c.cell_type == "code"), None)
    number = source.stem.split("_")[0]
    if len(cells) != 1 or cells[0] is not first:
        raise SourceError(f"{source.name}: its first code cell must be tagged setup")
    if f'lesson.begin("{number}")' not in cells[0].source:
        raise SourceError(f'{source.name}: setup must call lesson.begin("{number}")')
    cells[0].source = SETUP + "\n" + cells[0].source


def _name_exercises(notebook: NotebookNode, source: Path) -> None:
    """Notes in each exercise cell which exercise it is, and holds it to the rules."""
    for i, cell in enumerate(notebook.cells):
        solved = "BEGIN SOLUTION" in cell.source
        if solved != ("exercise" in tags(cell)):
            raise SourceError(
                f"{source.name}: a cell is tagged exercise if and only if it holds a "
                f"solution region:\n{cell.source}"
            )
        if not solved:
            continue
        if re.search(r"^### BEGIN SOLUTION", cell.source, re.MULTILINE):
            raise SourceError(
                f"{source.name}: a solution region stands inside a function, or the "
                f"unfinished sheet would stop here:\n{cell.source}"
            )
        cell.metadata["exercise"] = _exercise_id(notebook.cells[i:], source)


def _exercise_id(cells: list[NotebookNode], source: Path) -> str:
    """From a tag `exercise-01.3`, a line `# exercise 01.3`, or the next check cell."""
    tagged = [t for t in tags(cells[0]) if re.fullmatch(r"exercise-\d\d[a-z]?\.\d+", t)]
    if tagged:
        return tagged[0].removeprefix("exercise-")
    line = re.search(r"# exercise (\d\d[a-z]?\.\d+)", cells[0].source)
    checks = [c.source for c in cells if "check" in tags(c)]
    found = line or (
        checks and re.search(r'check\(\s*["\'](\d\d[a-z]?\.\d+)', checks[0])
    )
    if not found:
        raise SourceError(f"{source.name}: no check follows\n{cells[0].source}")
    return found[1]


def solved(base: NotebookNode, source: Path, badge: bool = True) -> NotebookNode:
    """The worked sheet, not yet executed: the base without the solution markers."""
    notebook = copy.deepcopy(base)
    for cell in notebook.cells:
        lines = cell.source.split("\n")
        kept = [x for x in lines if not re.match(r"\s*### (BEGIN|END) SOLUTION", x)]
        cell.source = "\n".join(kept)
    if badge:
        _add_badge(notebook, f"solutions/{source.stem}.ipynb")
    return notebook


def work_sheet(base: NotebookNode, worked: NotebookNode, source: Path) -> NotebookNode:
    """The learner's sheet: stubs for solutions, no outputs but the pinned ones.

    nbval compares a cell only if it has an execution count, so pinned cells keep it.
    """
    from nbgrader.preprocessors import ClearSolutions
    from traitlets.config import Config

    config = Config()
    config.ClearSolutions.enforce_metadata = False
    stub = 'raise NotImplementedError("exercise @id@")'
    config.ClearSolutions.code_stub = {"python": stub}
    notebook, _ = ClearSolutions(config=config).preprocess(copy.deepcopy(base), {})
    for cell, done in zip(notebook.cells, worked.cells, strict=True):
        if "exercise" in cell.metadata:
            cell.source = cell.source.replace("@id@", cell.metadata["exercise"])
        if cell.cell_type == "code" and PINNED in tags(cell):
            cell.outputs = copy.deepcopy(done.outputs)
            cell.execution_count = done.execution_count
    _add_badge(notebook, f"lessons/{source.stem}.ipynb")
    return notebook


def _add_badge(notebook: NotebookNode, path: str) -> None:
    """The way to Colab, under the title in the first text cell."""
    page = REPOSITORY.replace(
        "https://github.com", "https://colab.research.google.com/github"
    )
    badge = f"[![Open in Colab]({BADGE})]({page}/blob/{TAG}/{path})"
    cell = next(c for c in notebook.cells if c.cell_type == "markdown")
    title, _, rest = cell.source.partition("\n")
    cell.source = f"{title}\n\n{badge}\n\n{rest.lstrip()}"


def execute(
    notebook: NotebookNode,
    *,
    environment: dict[str, str] | None = None,
    timeout: int | None = None,
    allow_errors: bool = False,
) -> None:
    """Runs every cell in a fresh kernel of this Python, in place, in a scratch folder.

    timeout: seconds a cell, or LONGEST_CELL. CellExecutionError with the cell's
    traceback where a cell fails, CellTimeoutError where its kernel doesn't answer.
    """
    metadata = copy.deepcopy(notebook.metadata)
    manager = AsyncKernelManager(kernel_name="python3")
    manager.kernel_spec.argv[0] = sys.executable
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    kernel_environment = os.environ | (environment or {})
    kernel_environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    kernel_environment.pop("MPLBACKEND", None)  # or its pictures would go elsewhere
    with tempfile.TemporaryDirectory() as scratch:
        client = NotebookClient(
            notebook,
            km=manager,
            timeout=timeout or LONGEST_CELL,
            allow_errors=allow_errors,
            resources={"metadata": {"path": scratch}},
        )
        # the kernel's own log lines are no concern of who builds
        client.execute(env=kernel_environment, stderr=subprocess.DEVNULL)
    notebook_outputs.clean(notebook)
    notebook.metadata = metadata  # without this machine's version of Python


def keep_outputs(notebook: NotebookNode, file: Path) -> None:
    """Takes over the outputs of the file's cells whose text is the same."""
    if not file.exists():
        return
    old = {cell.get("id"): cell for cell in nbformat.read(file, as_version=4).cells}
    for cell in notebook.cells:
        before = old.get(cell["id"])
        if cell.cell_type != "code" or not before:
            continue
        # The id holds the source's own lines; what _set_up adds to them prints nothing.
        if before.source == cell.source or "setup" in tags(cell):
            cell.outputs = before.outputs
            cell.execution_count = before.execution_count


def build(source: Path, run: bool) -> dict[Path, str]:
    """The text of both notebooks of a lesson, by file.

    `run` executes the worked sheet (T2I_PRESET, default cpu; T2I_LIVE, default 1: the
    committed solution shows the real training); otherwise outputs are kept.
    """
    base = read(source)
    worked = solved(base, source)
    file = ROOT / "solutions" / f"{source.stem}.ipynb"
    if run:
        execute(
            worked,
            environment={
                "T2I_STRICT": "1",
                "T2I_PRESET": os.environ.get("T2I_PRESET", "cpu"),
                "T2I_LIVE": os.environ.get("T2I_LIVE", "1"),
            },
        )
        notebook_outputs.shrink(worked, limit_of(source))
        _hold_to_descriptions(worked, source)
    else:
        keep_outputs(worked, file)
    sheet = work_sheet(base, worked, source)
    texts = {}
    for path, notebook in {file: worked, ROOT / "lessons" / file.name: sheet}.items():
        nbformat.validate(notebook)
        texts[path] = notebook_outputs.as_text(notebook)
    return texts


def _hold_to_descriptions(worked: NotebookNode, source: Path) -> None:
    """SourceError, naming the cells, where a picture isn't described in words."""
    faults = notebook_outputs.faults_of_descriptions(worked)
    if faults:
        advice = "add .described('what is to be seen') to the figure"
        raise SourceError("\n  ".join([f"{source.name}: {advice}", *faults]))


def names() -> str:
    """The text of names.json: the functions and classes that each exercise asks for."""
    found: dict[str, list[str]] = {}
    for source in sources():
        for cell in read(source).cells:
            if "exercise" in cell.metadata:
                defined = [
                    node.name
                    for node in ast.parse(cell.source).body
                    if isinstance(node, (ast.FunctionDef, ast.ClassDef))
                ]
                found.setdefault(cell.metadata["exercise"], []).extend(defined)
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Builds the lessons asked for; returns the number of files that --check finds
    different, or of lessons that failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", metavar="NN", help="one lesson, for example 08")
    parser.add_argument(
        "--no-execute",
        action="store_true",
        help="keep the outputs of cells that did not change",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail if a notebook is not what its source gives",
    )
    options = parser.parse_args(arguments)
    chosen = [s for s in sources() if options.only in (None, s.stem.split("_")[0])]
    if not chosen:
        print(f"no source solutions/{options.only or 'NN'}_*.py", file=sys.stderr)
        return 1
    bad = 0
    for source in chosen:
        started = time.perf_counter()
        try:
            texts = build(source, run=not (options.check or options.no_execute))
        except (SourceError, CellExecutionError, ValueError) as error:
            print(f"{source.name}: {error}", file=sys.stderr)
            bad += 1
            continue
        bad += _deliver(texts, options.check)
        print(f"{source.stem}: {time.perf_counter() - started:.0f} s", flush=True)
    return bad + _deliver({NAMES: names()}, options.check)


def _deliver(texts: dict[Path, str], only_check: bool) -> int:
    """Writes the files, or counts those that differ."""
    different = 0
    for path, text in texts.items():
        if only_check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                print(f"{path.relative_to(ROOT)} differs: run `make notebooks`")
                different += 1
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return different


if __name__ == "__main__":
    sys.exit(min(main(), 1))
