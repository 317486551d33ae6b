"""The set-up's files agree with each other and with the rules of the house."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from t2i_course import __version__, lesson, presets

ROOT = Path(__file__).resolve().parents[1]

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_dependencies_have_lower_bounds_and_reasons():
    extras = PROJECT["optional-dependencies"]
    kinds = ("notebooks", "test", "yardstick", "imagenet")
    names = [name for kind in kinds for name in extras[kind]]
    names += PROJECT["dependencies"]
    text = (ROOT / "pyproject.toml").read_text()
    for name in names:
        assert re.fullmatch(r"[\w-]+>=[\d.]+", name), name
        assert re.search(rf'"{re.escape(name)}", +# \S', text), f"{name}: no reason"
    assert extras["all"] == ["t2i-course[notebooks,test]"]
    assert PROJECT["requires-python"] == ">=3.11"


def test_environment_file_is_thin():
    text = (ROOT / "environment.yml").read_text()
    wanted = [
        line.strip("- ") for line in text.splitlines() if "- " in line.strip()[:2]
    ]
    assert wanted == ["python>=3.11", "pip", "pip:", "e .[all]"]


def test_console_command_and_version():
    assert PROJECT["scripts"] == {"t2i": "t2i_course.cli:main"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_importing_the_package_is_light():
    """No torch until something needs it."""
    code = "import sys, t2i_course; sys.exit('torch' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def python_files():
    folders = ("t2i_course", "tools", "tests", "data_scripts", "benchmarks")
    return [file for folder in folders for file in (ROOT / folder).rglob("*.py")]


def test_files_are_short_and_functions_fit_a_screen():
    long = []
    for file in python_files():
        text = file.read_text(encoding="utf-8")
        most = 600 if file.parent.name == "answers" else 500  # lists, which only grow
        if len(text.splitlines()) > most:
            long.append(f"{file.relative_to(ROOT)}: {len(text.splitlines())} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                lines = node.end_lineno - node.lineno + 1
                if lines > 60:
                    long.append(f"{file.relative_to(ROOT)}: {node.name}, {lines} lines")
    assert not long, "\n".join(long)


def test_public_things_have_docstrings():
    bare = []
    for file in (ROOT / "t2i_course").rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        kinds = (ast.FunctionDef, ast.ClassDef)
        public = [n for n in tree.body if isinstance(n, kinds) and n.name[0] != "_"]
        for thing in [*public, tree]:
            if not ast.get_docstring(thing) and (thing is not tree or tree.body):
                name = getattr(thing, "name", "the file")
                bare.append(f"{file.relative_to(ROOT)}: {name}")
    assert not bare, "\n".join(bare)


@pytest.mark.parametrize(
    ("preset", "live", "part"),
    [
        ("cpu", "1", "6 minutes of computing"),
        ("cpu", "0", "a minute with the shipped networks"),
        ("smoke", "1", "in miniature"),
    ],
)
def test_begin_says_what_to_expect(preset, live, part, capsys, monkeypatch):
    monkeypatch.setenv("T2I_PRESET", preset)
    monkeypatch.setenv("T2I_LIVE", live)
    monkeypatch.setitem(lesson.LESSONS["08"].minutes, "course", 1)
    monkeypatch.setitem(lesson.LESSONS["08"].minutes, "cpu", 6)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    run = lesson.begin("08")
    assert run.smoke == (preset == "smoke") and run.live == (live == "1")
    assert run.choose(1, 2) == (1 if run.smoke else 2)
    said = capsys.readouterr().out
    assert "Pictures from sentences" in said and part in said and "device cpu" in said


@pytest.mark.parametrize(
    ("preset", "live", "trains"),
    [("cpu", "1", True), ("cpu", "0", False), ("smoke", "0", True)],
)
def test_a_lesson_trains_or_loads(preset, live, trains, monkeypatch, capsys):
    from t2i_course import weights
    from t2i_course.papers.gan import points_gan
    from t2i_course.worlds.points import Ring

    monkeypatch.setenv("T2I_PRESET", preset)
    monkeypatch.setenv("T2I_LIVE", live)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(weights, "load_or_fit", lambda system, name, train: None)
    run, seen = lesson.begin("01"), []
    history = run.train(
        points_gan("smoke"), Ring(16), 2, shipped="any", progress=False, show_every=1,
        show=lambda system, history: seen.append(history.step),
    )  # fmt: skip
    assert (history is not None) == trains
    assert seen == ([1, 2] if trains else [0])


@pytest.mark.parametrize(
    ("said", "live"),
    [(None, True), ("", True), ("1", True), ("Yes", True), ("on", True),
     ("true", True), ("0", False), ("00", False), ("no", False), ("Off", False),
     (" FALSE ", False)],
)  # fmt: skip
def test_live_means_what_people_mean(said, live, monkeypatch):
    monkeypatch.delenv("T2I_LIVE", raising=False)
    if said is not None:
        monkeypatch.setenv("T2I_LIVE", said)
    assert presets.live() is live and lesson.begin("08").live is live


@pytest.mark.parametrize("said", ["2", "maybe", "nein"])
def test_what_live_cannot_mean_is_named(said, monkeypatch):
    monkeypatch.setenv("T2I_LIVE", said)
    with pytest.raises(ValueError, match=f"T2I_LIVE is '{said}', but may be 0"):
        lesson.begin("08")


def test_begin_warns_of_hours(capsys, monkeypatch):
    monkeypatch.setenv("T2I_PRESET", "paper")
    monkeypatch.setenv("T2I_LIVE", "1")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    lesson.begin("08")
    assert "T2I_PRESET=cpu" in capsys.readouterr().out


def test_begin_refuses_unknown_lessons():
    with pytest.raises(LookupError, match=r"'55'.*08"):
        lesson.begin("55")


def test_begin_finds_the_commands_of_this_python(monkeypatch):
    """JupyterLab may be started without its venv activated; `!t2i` must work."""
    here = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", f"/somewhere{os.pathsep}/else")
    lesson.begin("00")
    assert os.environ["PATH"].split(os.pathsep) == [here, "/somewhere", "/else"]
    lesson.begin("00")
    assert os.environ["PATH"].split(os.pathsep).count(here) == 1
    monkeypatch.delenv("PATH")
    lesson.begin("00")
    assert os.environ["PATH"] == here


@pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")
def test_make_lab_has_the_commands_in_its_path():
    said = subprocess.run(
        ["make", "-n", "-o", ".venv/.ready", "lab"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert f'PATH="{ROOT}/.venv/bin:$PATH" .venv/bin/jupyter lab lessons' in said


def test_begin_seeds():
    import torch

    lesson.begin("08")
    first = torch.rand(3)
    lesson.begin("08")
    assert torch.equal(torch.rand(3), first)
