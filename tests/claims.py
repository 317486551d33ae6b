"""What the tests of the lessons' claims share.

A comparative sentence of a lesson is a claim. A test in test_claims_NN.py quotes it
with `says`, and holds the recorded numbers to it: it fails when the sentence changes,
and when the numbers do.
"""

import re
from functools import lru_cache
from pathlib import Path

from t2i_course.experiments import values

SOURCES = Path(__file__).resolve().parents[1] / "solutions"


@lru_cache
def text_of(lesson: str) -> str:
    """All text cells of a lesson's source in one line, without marks of emphasis."""
    (source,) = SOURCES.glob(f"{lesson}_*.py")
    cells = re.split(r"^# %%", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = [cell for cell in cells if cell.startswith(" [markdown]")]
    lines = [line.removeprefix("#") for cell in text for line in cell.splitlines()[1:]]
    return flat(" ".join(lines))


def flat(text: str) -> str:
    """Without line breaks, double blanks, and asterisks."""
    return " ".join(text.replace("*", "").split())


def says(lesson: str, sentence: str) -> None:
    """Fails unless the lesson says this, to the letter but for line breaks."""
    assert flat(sentence) in text_of(lesson), f"lesson {lesson} no longer says this"


def span(numbers, digits: int = 2) -> tuple[str, str]:
    """Least and greatest as the text writes them."""
    return f"{min(numbers):.{digits}f}", f"{max(numbers):.{digits}f}"


def three_seeds(records: dict, place: str, column: str) -> list[float]:
    """A measure of the three recorded seeds."""
    found = values(records, place, column)
    assert len(found) == 3
    return found
