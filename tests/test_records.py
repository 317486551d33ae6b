"""The records that the lessons' tables are printed from: whole, and as published."""

import hashlib
import json

import pytest

from t2i_course.experiments import on_the_way, records, runs_of, values
from t2i_course.experiments import recorded as kept

LESSONS = sorted(file.stem[6:] for file in kept.FOLDER.glob("lesson*.json"))

# Of every figure that was on record before the records came here, by table: numbers
# that no move of files may change. Whoever measures a table anew on purpose replaces
# its line by what the failing test prints (and reads the lesson's sentences again).
PUBLISHED = {
    "01/gradient": "f8752a3900a10a92",
    "01/ring": "e951dc9f240848de",
    "01/digits": "68625476bbded5bc",
    "01/wide": "dec12cb5ed7f996a",
    "02/rules": "db248f20035bc163",
    "02/losses": "db0cab5bcf53fa9c",
    "02/rates": "43a08f16c3f8de68",
    "02/lapgan": "fcc6b44ace67e14a",
    "02/paths": "38b454746091d7d1",
    "02/sums": "e4f06934305fb9a7",
    "02/specks": "007a1b34431c0a32",
    "03/grey": "ac3cfdabef4b9cb0",
    "03/collapse": "0d368057dd94fdb9",
    "03/birds": "3ff2efbf4051480f",
    "03/codes": "6cc20e3fb39f0f07",
    "03/beta": "886a68d140043194",
    "04/codebook": "5c39f6c2ad32b46d",
    "04/birds": "2f9fa0703ba98621",
    "04/rivals": "2acaf354be680d80",
    "04/digits": "e35a22ca5e1a6022",
    "04/levels": "c9e4fee458bbec98",
    "04/speed": "7c8c1d3850f173c5",
    "05/codes": "f147412400fc1630",
    "05/digits": "a1198c3ab16f1f14",
    "05/wings": "1d33f3c18415d384",
    "05/families": "236ec08f1ae144ff",
    "05/styles": "4f12a5f7dfd40250",
    "05/weights": "74ff5d38b0493ef8",
    "06/segment": "c03ec77b226ea1e2",
    "06/paint": "7e8c136d0c098a41",
    "06/wings": "35c174cca95afa8a",
    "06/patches": "2a2a2cec09506f9e",
    "06/parts": "58902b55b6e1e6e9",
    "06/dusk": "3310dca448913576",
    "07/encoders": "e2552d30f0a6b077",
    "07/yardstick": "770f7ffd17006b69",
    "08/variants": "4635473fe81de691",
    "08/larger": "c3026b7d4168d2b5",
    "08/letters": "8d21dfcb1c93fa3e",
    "08/projection": "267e3bc1ddebc9cf",
    "09/augmentation": "fad5283cc373cf76",
    "09/remedies": "8d559f902f80f491",
    "09/stages": "13e54ffa062d6b8b",
    "09/styles": "678bdcba329f18ca",
    "11/damsm": "14cdb29a4a850604",
    "11/table8": "24dbd20ab2d6a4dd",
    "11/fooled": "f463fb85b1b1394e",
    "11/map": "21847a3e98e367e2",
    "11/novel": "3df768513c09739e",
    "11/limits": "7fc942f09eb87705",
    "11/padding": "15fb131ce6f02c04",
    "17/priors": "6f58e7e24479eb0d",
    "17/selective": "b9450843578199ad",
    "17/misleading": "6424092210639d49",
    "17/several": "67abea825a7c8ad5",
    "17/families": "cf08da0d8c529bad",
    "17/order": "f2ce1d1e4099a48f",
    "17/imagenet": "6ef5dea169337c2d",
    "17/peppers": "3d922bd377b098e9",
}


def digest(rows: dict) -> str:
    """Of all figures of a table, wherever they stand in it."""
    figures = []
    for name, row in rows.items():
        for run in row["runs"]:
            named = {key: value for key, value in run.items() if key != "seed"}
            figures += [
                json.dumps([name, run["seed"], key, named[key]]) for key in named
            ]
    return hashlib.sha256("\n".join(sorted(figures)).encode()).hexdigest()[:16]


@pytest.mark.parametrize("place", PUBLISHED)
def test_no_published_figure_has_changed(place):
    lesson, table = place.split("/")
    found = digest(records(lesson)[table])
    assert found == PUBLISHED[place], f'"{place}": "{found}",'


def test_a_digest_sees_every_figure():
    rows = {"one": {"runs": [{"seed": 0, "a": 1, "b": [1, 2]}]}}
    others = [{"seed": 1, "a": 1, "b": [1, 2]}, {"seed": 0, "a": 1, "b": [1, 3]},
              {"seed": 0, "b": [1, 2]}]  # fmt: skip
    assert all(digest({"one": {"runs": [run]}}) != digest(rows) for run in others)
    assert digest({"one": {"hardware": "x", "runs": rows["one"]["runs"]}}) == digest(
        rows
    )


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_file_is_as_it_is_written(lesson):
    text = kept.file_of(lesson).read_text(encoding="utf-8")
    assert kept.written(records(lesson)) == text


def test_values_by_place():
    found = {"ring": {"vanilla": {"runs": [{"modes": 1}, {"modes": 3}, {}]}},
             "rates": {"hinge/8": {"runs": [{"seed": 0}]}}}  # fmt: skip
    assert values(found, "ring/vanilla", "modes") == [1, 3]
    assert runs_of(found, "rates/hinge/8") == [{"seed": 0}]
    assert values(found, "digits/gan", "clear") == []
    assert values(records("01"), "ring/vanilla", "modes")


def test_an_unknown_lesson_is_named_with_those_there_are():
    with pytest.raises(LookupError, match=r"'77'.*01.*08"):
        records("77")


def test_values_on_the_way():
    def runs(*distances):
        return {"runs": [{"way": [[10, 1.0, d], [20, 2.0, d / 2]]} for d in distances]}

    found = {"losses": {"hinge": runs(8.0, 4.0)}}
    places = {"hinge": "losses/hinge", "other": "losses/other"}
    assert on_the_way(found, places) == ([10, 20], {"hinge": [6.0, 3.0]})
    assert on_the_way({}, places) == ([], {})


def test_a_run_is_noted_in_place_of_an_older_one(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    for seed, wing in ((1, 0.5), (0, 0.7), (1, 0.6)):
        kept.note("77", "birds", "a row", {"seed": seed, "wing": wing}, "cmd", "CPU")
    row = records("77")["birds"]["a row"]
    assert row["runs"] == [{"seed": 0, "wing": 0.7}, {"seed": 1, "wing": 0.6}]
    assert (row["command"], row["hardware"]) == ("cmd", "CPU")
