"""The notebooks are what their sources give, and the machinery that makes them."""

import base64
import io
import json
import re
import shutil
import subprocess
import sys

import build_notebooks
import nbformat
import notebook_outputs
import numpy as np
import pytest
import run_course
from bs4 import BeautifulSoup
from PIL import Image

from t2i_course import __version__
from t2i_course.lesson import LESSONS

PINNED = build_notebooks.PINNED
SOURCES = build_notebooks.sources()
NOTEBOOKS = [
    build_notebooks.ROOT / folder / f"{source.stem}.ipynb"
    for source in SOURCES
    for folder in ("lessons", "solutions")
]


def named(path):
    return f"{path.parent.name}/{path.name}"


# The committed notebooks -------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_notebooks_are_what_the_source_gives(source):
    """Sources, metadata, tags and pinned outputs: a notebook edited alone fails."""
    for file, text in build_notebooks.build(source, run=False).items():
        same = file.exists() and file.read_text(encoding="utf-8") == text
        assert same, f"{named(file)} is not what its source gives: make notebooks"


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_source_fits_its_row_in_the_table_of_lessons(source):
    info = LESSONS[source.stem.split("_")[0]]
    assert source.stem == info.file
    first = build_notebooks.read(source).cells[0]
    assert first.cell_type == "markdown" and info.title in first.source.split("\n")[0]


def test_names_of_answers_are_up_to_date():
    if SOURCES:
        assert build_notebooks.NAMES.read_text() == build_notebooks.names()


@pytest.mark.parametrize("file", NOTEBOOKS, ids=named)
def test_notebook_is_small_and_quiet(file):
    text = file.read_text(encoding="utf-8")
    assert len(text.encode()) <= build_notebooks.limit_of(file)
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
            assert notebook_outputs.WIDGET not in output.get("data", {})
        if file.parent.name == "lessons" and PINNED not in build_notebooks.tags(cell):
            assert not cell.get("outputs") and not cell.get("execution_count")


@pytest.mark.parametrize("file", NOTEBOOKS, ids=named)
def test_notebook_pins_at_least_three_outputs(file):
    """With an execution count: nbval would skip a marked cell without one."""
    cells = nbformat.read(file, as_version=4).cells
    pinned = [cell for cell in cells if PINNED in build_notebooks.tags(cell)]
    for cell in pinned:
        assert cell.execution_count and cell.outputs, cell.source
    numbers = [cell for cell in pinned if re.search(r"\d", str(cell.outputs))]
    assert len(numbers) >= 3


LONGEST = 22  # lines of a cell; most have at most 15
DIRECTIVE = re.compile(
    r"#\s*(fmt|isort|yapf|ruff|noqa|pylint|pragma|type)\b\s*(:|$)", re.MULTILINE
)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_every_picture_is_described(source):
    """In words of its own: what is to be seen, for who can't see it."""
    file = build_notebooks.ROOT / "solutions" / f"{source.stem}.ipynb"
    notebook = nbformat.read(file, as_version=4)
    assert not notebook_outputs.faults_of_descriptions(notebook)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_cells_are_short_and_for_people(source):
    """The plumbing is in the package; no line talks to a formatter or a linter."""
    for cell in build_notebooks.read(source).cells:
        if cell.cell_type == "code" and "setup" not in build_notebooks.tags(cell):
            assert len(cell.source.splitlines()) <= LONGEST, cell.source
            assert not DIRECTIVE.search(cell.source), cell.source


# The machinery, on the tiny lesson ---------------------------------------------------


@pytest.fixture(scope="module")
def built(tiny_course, tmp_path_factory):
    """A course that has only the tiny lesson, built and executed."""
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(tiny_course / "solutions", root / "solutions")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_notebooks, "ROOT", root)
        patch.setattr(build_notebooks, "NAMES", root / "names.json")
        patch.setattr(build_notebooks, "LONGEST_CELL", 120)  # a silent kernel fails
        patch.setenv("T2I_PRESET", "smoke")
        # the kernel imports the course from the real root
        patch.setenv("PYTHONPATH", f"{tiny_course}:{tiny_course.parents[1]}")
        assert build_notebooks.main([]) == 0
        yield root


@pytest.fixture
def source(built):
    return built / "solutions" / "97_tiny.py"


@pytest.fixture
def sheet(built):
    return nbformat.read(built / "lessons" / "97_tiny.ipynb", as_version=4)


@pytest.fixture
def worked(built):
    return nbformat.read(built / "solutions" / "97_tiny.ipynb", as_version=4)


def test_work_sheet_has_stubs_and_pinned_outputs_only(sheet):
    code = "\n".join(c.source for c in sheet.cells if c.cell_type == "code")
    assert "SOLUTION" not in code and "softplus" not in code
    for id in ("97.1", "97.2", "97.3"):
        assert f'raise NotImplementedError("exercise {id}")' in code
    kept = [cell for cell in sheet.cells if cell.get("outputs")]
    assert [c.outputs[0].text for c in kept] == ["0.6931\n", "1.3863\n", "(4, 2)\n"]
    assert all(cell.execution_count for cell in kept)


def test_worked_sheet_keeps_pictures_and_drops_noise(worked):
    code = "\n".join(c.source for c in worked.cells if c.cell_type == "code")
    assert "SOLUTION" not in code and "softplus" in code
    text = json.dumps(worked)
    assert "stderr" not in re.findall(r'"name": "(\w+)"', text)
    assert "widget-view" not in text and "widgets" not in worked.metadata
    still, caption = worked.cells[-1].outputs
    assert list(still.data) == ["image/png", "text/plain"]
    words = "A still of the playground: caption a red bird"
    assert notebook_outputs.description(still) == words
    assert caption.data["text/html"] == f"<p><em>{words}</em></p>"


def test_both_sheets_have_badge_gpu_and_the_same_ids(sheet, worked):
    for folder, notebook in (("lessons", sheet), ("solutions", worked)):
        badge = f"/blob/v{__version__}/{folder}/97_tiny.ipynb"
        assert badge in notebook.cells[0].source
        assert notebook.metadata.accelerator == "GPU"
    assert [c.id for c in sheet.cells] == [c.id for c in worked.cells]


def test_building_again_changes_nothing(built, capsys):
    assert build_notebooks.main(["--check"]) == 0
    assert build_notebooks.main(["--no-execute"]) == 0
    assert build_notebooks.main(["--check", "--only", "97"]) == 0
    assert build_notebooks.main(["--only", "55"]) == 1
    assert "no source" in capsys.readouterr().err


def test_an_edited_notebook_is_noticed(built, source, capsys):
    file = built / "lessons" / "97_tiny.ipynb"
    text = file.read_text()
    file.write_text(text.replace("Twice the loss", "twice the loss"))
    assert build_notebooks.main(["--check"]) == 1
    assert "97_tiny.ipynb differs" in capsys.readouterr().out
    file.write_text(text)


def test_outputs_of_changed_cells_are_not_kept(built, source):
    text = source.read_text()
    source.write_text(text.replace(':.4f}")\n', ':.3f}")\n', 1))
    worked = next(iter(build_notebooks.build(source, run=False).values()))
    source.write_text(text)
    cells = nbformat.reads(worked, as_version=4).cells
    changed = next(cell for cell in cells if ":.3f" in cell.source)
    assert not changed.outputs and changed.execution_count is None


def test_a_changed_number_fails_nbval_and_an_unsolved_sheet_runs(
    built, sheet, tmp_path
):
    """All cells of the unfinished sheet pass but the one whose number was changed."""
    pinned = next(cell for cell in sheet.cells if cell.get("outputs"))
    pinned.outputs[0].text = "0.6932\n"
    nbformat.write(sheet, tmp_path / "changed.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env"]
    command += ["-p", "no:cacheprovider", "-p", "no:xdist", "-q", "changed.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout
    cells = sum(cell.cell_type == "code" for cell in sheet.cells)
    assert f"1 failed, {cells - 1} passed" in done.stdout
    assert "0.6932" in done.stdout and "0.6931" in done.stdout


def test_colab_cell_installs_lightly(sheet, monkeypatch):
    """On Colab one pip call without dependencies; elsewhere, if it lacks, advice."""
    calls = []
    monkeypatch.setattr(subprocess, "check_call", calls.append)
    setup = next(cell.source for cell in sheet.cells if cell.cell_type == "code")
    install = setup.partition("from t2i_course")[0]
    exec(install, {})
    assert calls == []
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="Choose the kernel") as error:
        exec(install, {})
    assert sys.executable in str(error.value) and "pip install" in str(error.value)
    assert calls == []
    monkeypatch.setitem(sys.modules, "google.colab", object())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    exec(install, {})
    assert "--no-deps" in calls[0] and f"@v{__version__}" in calls[0][6]
    assert not {"torch", "torchvision", "numpy", "ipywidgets"} & set(calls[0])


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('# %% tags=["setup"]', "# %%", "tagged setup"),
        ('begin("97")', 'begin("96")', 'must call lesson.begin("97")'),
        ('# %% tags=["exercise"]', "# %%", "tagged exercise"),
        ('check("97.3", ', 'str("97.3", ', "no check follows"),
        ("    ### BEGIN", "### BEGIN", "inside a function"),
    ],
)
def test_rules_of_a_source(built, tmp_path, source, old, new, rule):
    broken = tmp_path / source.name
    broken.write_text(source.read_text().replace(old, new))
    with pytest.raises(build_notebooks.SourceError, match=re.escape(rule)):
        build_notebooks.read(broken)


def test_exercise_may_be_named_by_tag_or_line(built, tmp_path, source):
    text = source.read_text()
    broken = tmp_path / source.name
    first = '# %% tags=["exercise"]\n'
    for new in (
        '# %% tags=["exercise", "exercise-97.9"]\n',
        first + "# exercise 97.9\n",
    ):
        broken.write_text(text.replace(first, new, 1))
        cells = build_notebooks.read(broken).cells
        assert (
            next(c for c in cells if "exercise" in c.metadata).metadata.exercise
            == "97.9"
        )


def test_folded_text_is_markdown():
    """Code in a hint is code; neighbours stay apart; a second time changes nothing."""
    from nbconvert.filters import markdown2html

    fold = "<details><summary>Hint</summary>`a >= 0` is *what*\nyou want.</details>"
    text = build_notebooks.with_room_in_details(f"Try.\n\n{fold}\n{fold}\n\n**So**.")
    page = markdown2html(text)
    assert page.count("<code>a &gt;= 0</code> is <em>what</em>") == 2
    assert page.count("</details>") == 2 and "<strong>So</strong>" in page
    assert build_notebooks.with_room_in_details(text) == text


def test_shrink_meets_the_budget():
    """Noise is what compresses worst; a notebook that can't be shrunk says why."""
    pixels = np.random.default_rng(0).integers(0, 256, (500, 500, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    picture = base64.b64encode(file.getvalue()).decode()
    output = nbformat.v4.new_output("display_data", data={"image/png": picture})
    cell = nbformat.v4.new_code_cell("noise()", outputs=[output])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    assert notebook_outputs.size(notebook) > 900_000
    notebook_outputs.shrink(notebook, 200_000)
    assert notebook_outputs.size(notebook) <= 200_000
    nbformat.validate(notebook)
    assert notebook_outputs.thumbnail(notebook).startswith("data:image/jpeg")
    with pytest.raises(ValueError, match=r"noise\(\)"):
        notebook_outputs.shrink(notebook, 1000)


def test_descriptions_survive_shrinking_and_are_asked_for():
    """A JPEG keeps the words of its PNG; a picture without words, or with another's,
    is named by its cell."""
    pixels = np.random.default_rng(0).integers(0, 256, (99, 99, 3), dtype=np.uint8)
    pictures = [pixels, pixels[::-1], pixels]
    outputs = [a_picture(array, "Noise in three colours, 1") for array in pictures]
    cells = [nbformat.v4.new_code_cell(f"draw({i})") for i in range(4)]
    for cell, output in zip(cells, [*outputs, a_picture(pixels, "")]):
        cell.outputs = [output]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook_outputs.shrink(notebook, notebook_outputs.size(notebook) // 2)
    assert "image/jpeg" in outputs[0].data
    assert outputs[0].metadata == {"image/jpeg": {"alt": "Noise in three colours, 1"}}
    assert notebook_outputs.faults_of_descriptions(notebook) == [
        "cell 2 says what another says: Noise in three colours, 1",
        "cell 4 shows a picture without words: draw(3)",
    ]
    page = run_course.page(notebook, "A page")
    assert page.count('alt="Noise in three colours, 1"') == 3


def a_picture(pixels, words):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    data = {"image/png": base64.b64encode(file.getvalue()).decode()}
    beside = {"image/png": {"alt": words}} if words else {}
    return nbformat.v4.new_output("display_data", data=data, metadata=beside)


# make course -------------------------------------------------------------------------


@pytest.fixture
def course(built, tmp_path, monkeypatch, worked):
    """Runs `make course` on the tiny course; executing is replaced by known outputs."""

    def execute(notebook, allow_errors):
        file = built / "solutions" / "97_tiny.ipynb"
        build_notebooks.keep_outputs(notebook, file)

    monkeypatch.setattr(build_notebooks, "execute", execute)
    return lambda *options: run_course.main(["--build", str(tmp_path), *options])


def test_course_writes_pages_that_stand_alone(course, tmp_path, capsys):
    assert course("--only", "97") == 0
    line = capsys.readouterr().out.splitlines()[0]
    assert re.match(r"97  Tiny +expected +6 s   used +\d+ s   ok$", line)
    page = (tmp_path / "97_tiny.html").read_text()
    assert page.count('src="data:image/png') == 2 and "0.6931" in page
    assert "colab-badge" not in page and not re.search(r"src=.https?://", page)
    index = (tmp_path / "index.html").read_text()
    assert 'href="97_tiny.html"' in index and "data:image/jpeg" in index
    assert "A lesson for tests." in index


def test_pages_fold_hints_and_describe_pictures(course, tmp_path):
    """What is folded away lies inside its fold; an image's alt is its description."""
    course("--only", "97")
    page = BeautifulSoup((tmp_path / "97_tiny.html").read_text(), "html.parser")
    (fold,) = page.select("details")
    assert fold.summary.text == "What is to be seen?"
    assert "Nothing but noise, and that is folded." in fold.text
    assert [code.text for code in fold.select("code")] == ["noise"]
    assert [image["alt"] for image in page.select(".jp-RenderedImage img")] == [
        "a picture. A row of 4 pictures.",
        "A still of the playground: caption a red bird",
    ]
    assert "A still of the playground" in page.select(".jp-Cell")[-1].em.text


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_every_fold_of_a_lesson_holds_its_text(source):
    """Each <details> of the source is one on the page, with its text in it."""
    notebook = build_notebooks.read(source)
    cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    text = "\n".join(cell.source for cell in cells)
    page = run_course.page(nbformat.v4.new_notebook(cells=cells), source.stem)
    folds = BeautifulSoup(page, "html.parser").select("details")
    assert len(folds) == text.count("<details>") == text.count("</details>")
    for fold in folds:
        inside = fold.text.replace(fold.summary.text, "", 1)
        assert len(inside.split()) > 2, fold.summary.text


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_every_formula_of_a_lesson_is_read_whole(source):
    """A command that the converter doesn't know would stand in the page as it is."""
    from nbconvert.filters import markdown2html

    cells = [cell.source for cell in build_notebooks.read(source).cells
             if cell.cell_type == "markdown"]  # fmt: skip
    page, left = run_course.with_mathml(markdown2html("\n\n".join(cells)))
    unread = re.findall(r"<m[ion][^>]*>(\\[A-Za-z]+)", page)
    assert not left and not unread


def test_formulas_become_mathml():
    """So that a page needs no network; code and prices without a pair stay."""
    made, left = run_course.with_mathml(
        "<p>for $x &lt; 1$ and <code>$y$</code>: $$\\begin{aligned}a&amp;=b\\\\"
        "c&amp;=d\\end{aligned}$$ for $5</p>"
    )
    assert made.count("<math") == 2 and "<code>$y$</code>" in made and "$5" in made
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in made
    assert "<mtable" in made and not left


def test_an_index_of_a_norm_leaves_its_bar_in_place():
    tagged = run_course.with_mathml(r"$$x \tag{7}$$")
    assert tagged == run_course.with_mathml(r"$$x \qquad (7)$$")
    made, _ = run_course.with_mathml(r"$\lVert x_j\rVert_2$")
    assert made == run_course.with_mathml(r"$\|x_j\|_2$")[0]
    assert "&#x02016;</mo><mn>2</mn></msub>" in made


def test_formula_that_can_not_be_converted_is_left_to_mathjax(monkeypatch):
    monkeypatch.setattr(run_course, "mathml", lambda *a, **k: 1 / 0)
    assert run_course.with_mathml("<p>$x$</p>") == ("<p>$x$</p>", True)
    cell = nbformat.v4.new_markdown_cell("so $x$")
    made = run_course.page(nbformat.v4.new_notebook(cells=[cell]), "A page")
    assert "MathJax" in made and "$x$" in made and "<title>A page</title>" in made


def test_course_reports_a_lesson_that_fails(course, tmp_path, capsys, monkeypatch):
    def fail(notebook, allow_errors):
        error = nbformat.v4.new_output("error", ename="KeyError", evalue="'x'")
        notebook.cells[3].outputs = [error]

    monkeypatch.setattr(build_notebooks, "execute", fail)
    assert course() == 1
    assert "FAILED at cell 4: KeyError: 'x'" in capsys.readouterr().out
    assert "stopped at cell 4" in (tmp_path / "index.html").read_text()
    assert course("--only", "98") == 1
    assert "there is no lesson 98; there are 97" in capsys.readouterr().err
