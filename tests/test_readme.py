"""The README says what is: its commands exist, its table is that of the lessons."""

import re
from pathlib import Path

import build_notebooks
import pytest

from t2i_course import cli
from t2i_course.course_map import PLANNED, course_map
from t2i_course.declarations import all_networks, all_systems
from t2i_course.grading.run import BEST_FIRST
from t2i_course.grading.show import COLUMNS
from t2i_course.lesson import LESSONS

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "solutions" / "README.md").read_text(encoding="utf-8")


def row(info):
    """A lesson's line of the table."""
    page = build_notebooks.REPOSITORY.replace(
        "https://github.com", "https://colab.research.google.com/github"
    )
    path = f"lessons/{info.file}.ipynb"
    address = f"{page}/blob/{build_notebooks.TAG}/{path}"
    badge = f"[![Open in Colab]({build_notebooks.BADGE})]({address})"
    minutes = f"{info.minutes['course']:g} | {info.minutes['cpu']:g}"
    name = f"[{info.number} {info.title}]({path})"
    return f"| {name} | {minutes} | {info.slides} | {badge} |"


def test_the_table_is_that_of_the_lessons():
    rows = [line for line in TEXT.splitlines() if line.startswith("| [")]
    assert rows == [row(info) for info in LESSONS.values()]


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    used = set(re.findall(r"make (course|test|lab|notebooks|\w+)\b", TEXT))
    assert {"course", "test", "lab", "notebooks"} <= used
    for target in used:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def lessons() -> str:
    """The blocks of commands in the lessons' texts."""
    blocks = []
    for source in sorted((ROOT / "solutions").glob("[0-9]*.py")):
        text = re.sub(r"^# ?", "", source.read_text("utf-8"), flags=re.MULTILINE)
        blocks += re.findall(r"^```\n(t2i .*?)^```", text, re.MULTILINE | re.DOTALL)
    return "".join(blocks)


def commands():
    """Every t2i command of the README, the teachers' page and the lessons' blocks."""
    text = (TEXT + GUIDE + lessons()).replace("\\\n", "")  # one over several lines
    lines = re.findall(
        r"`(t2i [^`\n]+)`|^(t2i [^#>\n]+)|'(t2i [^'\n]+)'", text, re.MULTILINE
    )
    return ["".join(pair).strip() for pair in lines]


@pytest.mark.parametrize("command", commands())
def test_commands_exist(command):
    words = [a or b for a, b in re.findall(r'"([^"]*)"|(\S+)', command)][1:]
    options = cli.parser().parse_args(words)
    if options.command == "train":
        assert options.system in all_systems()
    if options.command == "measure":
        assert options.name in all_networks()


def test_every_command_is_shown():
    assert len(commands()) >= 12
    assert "t2i train stackgan_2 --preset paper" in lessons()


def test_the_page_for_teachers_has_its_parts():
    parts = re.findall(r"^## (.+)$", GUIDE, re.MULTILINE)
    assert parts == [
        "Assign",
        "Collect",
        "Grade",
        "What is and isn't safe",
        "Exercises of your own",
    ]
    assert "docker run" in GUIDE and "--network none" in GUIDE
    for word in [*COLUMNS, *BEST_FIRST]:  # what the grader writes is explained
        assert word in GUIDE, word
    assert len(GUIDE.splitlines()) <= 120


def test_files_exist():
    names = re.findall(r"\]\((?!http)([^)]+)\)", TEXT)
    names += re.findall(r"`((?:tests|t2i_course|solutions)/[\w./]*)`", TEXT + GUIDE)
    for name in {name for name in names if "NN" not in name}:
        # the work sheets are built; their sources are what must be there
        source = re.sub(r"lessons/(.+)\.ipynb", r"solutions/\1.py", name)
        assert (ROOT / source).exists(), name


def test_the_map_holds_every_lesson_once():
    assert not set(PLANNED) & set(LESSONS)
    numbers = {number[:2] for number in (*PLANNED, *LESSONS)}  # 11a and 11b are 11
    assert sorted(numbers) == [f"{n:02d}" for n in range(21)]
    shown = {line[0]: line[2] for line in course_map().rows}
    assert {n for n, state in shown.items() if state == "ready"} == set(LESSONS)
