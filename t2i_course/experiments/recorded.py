"""The records: what the lessons' trainings gave, over seeds. Read here, written here.

One file a lesson, records/lessonNN.json:
{table: {row: {"command", "hardware", "runs": [{"seed", ...figures}, ...]}}}.
Beside them, records/course_NAME.json is how a shipped network learned (see
`show.record`). Everything here is light: nothing of torch.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean

__all__ = ["FOLDER", "note", "on_the_way", "records", "runs_of", "values", "written"]

FOLDER = Path(__file__).parent / "records"


def file_of(lesson: str) -> Path:
    """Where a lesson's records are."""
    return FOLDER / f"lesson{lesson}.json"


def records(lesson: str) -> dict:
    """{table: {row: {"command", "hardware", "runs": [a seed's figures, ...]}}}.

    lesson: "08". LookupError where nothing of that lesson is on record.
    """
    if not file_of(lesson).exists():
        there = ", ".join(sorted(file.stem[6:] for file in FOLDER.glob("lesson*.json")))
        raise LookupError(f"nothing of lesson {lesson!r} is on record, but of {there}")
    return json.loads(file_of(lesson).read_text(encoding="utf-8"))


def runs_of(found: dict, place: str) -> list[dict]:
    """The recorded runs of a row, a seed each; [] where nothing was recorded.

    found: `records(lesson)`; place: the table and the row, "variants/gan_cls_32".
    """
    table, _, row = place.partition("/")
    return found.get(table, {}).get(row, {}).get("runs", [])


def values(found: dict, place: str, name: str) -> list:
    """A figure of every recorded seed; [] where nothing was recorded.

    found: `records(lesson)`; place: as `runs_of`; name: the figure's, "wing".
    """
    return [run[name] for run in runs_of(found, place) if name in run]


def on_the_way(
    found: dict, places: dict[str, str], measure: int = 2
) -> tuple[list[int], dict[str, list[float]]]:
    """Steps, and by name the mean over seeds of a measure on the way.

    found: `records("02")`; places: {name: "losses/hinge"}, of which those not measured
    are left out; measure: 1 is the score, 2 the distance.
    """
    steps, means = [], {}
    for name, place in places.items():
        looks = values(found, place, "way")
        if looks:
            steps = [look[0] for look in looks[0]]
            means[name] = [fmean(one[measure] for one in seeds)
                           for seeds in zip(*looks)]  # fmt: skip
    return steps, means


# -------------------------------------------------------------------------- writing


def written(found: dict) -> str:
    """Records as text: a line for each run, so that a new one is a small change."""
    tables = []
    for table, rows in found.items():
        lines = []
        for name, row in rows.items():
            head = {key: value for key, value in row.items() if key != "runs"}
            runs = ",\n".join(f"   {json.dumps(run)}" for run in row["runs"])
            start = json.dumps(head)[:-1]
            lines.append(f'  {json.dumps(name)}: {start}, "runs": [\n{runs}]}}')
        rest = ",\n".join(lines)
        tables.append(f" {json.dumps(table)}: {{\n{rest}}}")
    return "{\n" + ",\n".join(tables) + "\n}\n"


def note(
    lesson: str, table: str, row: str, figures: dict, command: str, hardware: str
) -> None:
    """Put one seed's figures on record, in place of an older run of that seed.

    figures: {"seed": 0, ...}. The file appears whole or not at all; two processes
    shouldn't write records of one lesson at the same moment.
    """
    from ..training.checkpoint import write_whole

    found = records(lesson) if file_of(lesson).exists() else {}
    here = found.setdefault(table, {}).setdefault(row, {})
    others = [run for run in here.get("runs", []) if run["seed"] != figures["seed"]]
    here |= {"command": command, "hardware": hardware}
    here["runs"] = sorted([*others, figures], key=lambda run: run["seed"])
    text = written(found).encode()
    write_whole(file_of(lesson), lambda file: file.write(text))
