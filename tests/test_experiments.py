"""The experiments: every row of every table runs, resumes, and is told apart."""

import json
import math
from pathlib import Path

import pytest
import torch

from t2i_course import cli, weights
from t2i_course.experiments import recorded as kept
from t2i_course.experiments import records
from t2i_course.experiments import reproduce as command
from t2i_course.experiments.run import Run
from t2i_course.experiments.tables import Table, table_of, tables
from t2i_course.measure import yardstick
from t2i_course.papers import efficientnet_lite
from t2i_course.papers.gan import points_gan
from t2i_course.worlds.points import Ring

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
ROWS = [row for table in tables() for row in table.rows.values()]
IDS = [f"{row.table.lesson}/{row.table.name}/{row.name}" for row in ROWS]


def numbers(value) -> list:
    """All numbers within figures."""
    if isinstance(value, dict):
        return [number for inner in value.values() for number in numbers(inner)]
    if isinstance(value, (list, tuple)):
        return [number for inner in value for number in numbers(inner)]
    return [] if isinstance(value, str) else [value]


def missing(row) -> str:
    """The extra that a row needs and that isn't installed here, or ""."""
    if row.name == "MiniLM" and not yardstick.installed():
        return "yardstick"
    of_imagenet = row.table.lesson == "17" and (
        row.table.name in ("imagenet", "peppers") or row.name.startswith("ImageNet")
    )
    if of_imagenet and not efficientnet_lite.installed("lite0", "lite1"):
        return "imagenet"
    return ""


# ------------------------------------------------------------------------ every row


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_row_runs_and_gives_what_is_on_record(row, one_thread):
    """In two steps and on a handful of pictures: the same figures, by their names."""
    if extra := missing(row):
        pytest.skip(f"the extra {extra!r} is not installed")
    found = row.make(Run(row, row.seeds[0], smoke=True))
    assert numbers(json.loads(json.dumps(found)))
    for run in row.on_record():
        assert set(found) == set(run) - {"seed"}


def test_rows_that_need_an_extra_are_known(monkeypatch):
    """Without the extras these are left out: MiniLM, and what is of ImageNet."""
    monkeypatch.setattr(yardstick, "installed", lambda: False)
    monkeypatch.setattr(efficientnet_lite, "installed", lambda *names: False)
    left = {extra: [row for row in ROWS if missing(row) == extra]
            for extra in ("yardstick", "imagenet")}  # fmt: skip
    assert [row.table.name for row in left["yardstick"]] == ["yardstick"]
    home = "t2i_course.experiments.lesson17_imagenet"
    of_imagenet = [
        row
        for row in ROWS
        if row.make.__module__ == home or row.name.startswith("ImageNet")
    ]
    assert left["imagenet"] == of_imagenet
    assert len(left["imagenet"]) > 10
    monkeypatch.setattr(yardstick, "installed", lambda: True)
    monkeypatch.setattr(efficientnet_lite, "installed", lambda *names: True)
    assert not any(missing(row) for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_what_is_on_record_says_how_it_was_made(row):
    known = row.on_record()
    assert bool(known) == row.recorded
    if not known:
        return
    assert [run["seed"] for run in known] == list(row.seeds)
    assert row.hardware()
    if not row.table.networks:
        assert records(row.table.lesson)[row.table.name][row.name]["command"] == (
            row.command
        )
    took = [run["seconds"] for run in known if run.get("seconds")]
    if took:  # training alone; the cost is with measuring, on a quiet machine
        assert min(took) * 0.8 <= row.cost <= 6 * max(took) + 60


def test_most_rows_have_three_seeds():
    """One seed is an anecdote: those that have fewer are known, and few."""
    few = {
        f"{row.table.lesson} {row.table.name} {row.name}"
        for row in ROWS
        if len(row.seeds) < 3 and not row.table.networks and not row.only
    }
    assert few == {
        "08 larger gan_int_cls_64",
        "08 larger without R1",
        "09 larger as published",
        "09 larger held to the sketch",
        "14 editors flowers, style encoder",
    }


def test_nothing_is_on_record_without_a_row():
    there = {(r.table.lesson, r.table.name, r.name) for r in ROWS}
    for file in kept.FOLDER.glob("lesson*.json"):
        for table, rows in records(lesson := file.stem[6:]).items():
            assert {(lesson, table, name) for name in rows} <= there


def test_every_network_of_the_course_has_a_row_that_makes_it():
    makers = {row.ships: row for row in ROWS if row.ships}
    assert sorted(makers) == weights.names()
    for name, row in makers.items():
        assert weights.entry(name)["command"] == row.ship_command
        assert weights.entry(name)["seed"] == row.seeds[0]


def test_files_of_rows_differ():
    places = [(r.table.lesson, r.table.name, command.slug(r.name)) for r in ROWS]
    assert len(set(places)) == len(places)


# --------------------------------------------------------------------- the course's


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A table of two rows that share a training; records and runs are elsewhere."""
    from t2i_course.experiments import tables as home

    monkeypatch.setattr(home, "_TABLES", dict(home._TABLES))
    monkeypatch.setattr(kept, "FOLDER", tmp_path / "records")
    monkeypatch.setenv("T2I_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.chdir(tmp_path)
    table = Table("77", "small", "two rows", ("weight",), seeds=(0, 1))
    table.trained, table.stops = [], []

    def look(system, history, step):
        table.trained.append(step)
        if step in table.stops:
            table.stops.remove(step)
            raise KeyboardInterrupt("stopped")

    def make(run, factor):
        torch.manual_seed(run.seed)
        system = points_gan("smoke")
        run.fit(system, Ring(16, run.seed), 4, part="shared", on_step=look)
        weight = float(next(system.parameters()).detach().sum())
        run.ship(system, 1.0, {"weight": weight})
        return {"weight": factor * weight}

    table.add("one", lambda run: make(run, 1), cost=1, ships="tiny_ring")
    table.add("two", lambda run: make(run, 2), cost=1)
    return table


def t2i(*arguments: str) -> int:
    return cli.main(["reproduce", *arguments])


def test_rows_are_made_kept_and_set_beside_the_record(small, capsys):
    kept.note("77", "small", "one", {"seed": 0, "weight": 5.0}, "a command", "a CPU")
    assert t2i("77", "small", "--seed", "0") == 0
    said = capsys.readouterr().out
    assert "one, on record, seed 0" in said and "two, here, seed 0" in said
    assert "on record: a CPU" in said and "about 2 s" in said
    one, two = (
        json.loads(Path(f"runs/reproduce/77/small/{name}-seed0.json").read_text())
        for name in ("one", "two")
    )
    assert two["figures"]["weight"] == 2 * one["figures"]["weight"]
    assert one["command"] == "t2i reproduce 77 small --row one" and one["hardware"]
    assert small.trained == [
        1,
        2,
        3,
        4,
    ]  # the second row found the first one's training
    assert records("77")["small"]["one"]["runs"] == [{"seed": 0, "weight": 5.0}]
    assert not Path("runs/reproduce/77/small/unfinished").exists()
    assert t2i("77", "small", "--seed", "0") == 0 and len(small.trained) == 4
    assert "made before" in capsys.readouterr().out
    assert t2i("77", "small", "--seed", "0", "--again") == 0 and len(small.trained) == 8


def test_a_stopped_row_goes_on(small, monkeypatch):
    assert t2i("77", "small", "--row", "one", "--seed", "1") == 0
    file = Path("runs/reproduce/77/small/one-seed1.json")
    whole = json.loads(file.read_text())["figures"]
    file.unlink()
    small.trained.clear()
    import t2i_course.experiments.run as home

    fit = home.fit
    monkeypatch.setattr(home, "fit", lambda *a, **k: fit(*a, **k, every=2))
    small.stops.append(3)
    assert t2i("77", "small", "--row", "one", "--seed", "1") == 130
    assert t2i("77", "small", "--row", "one", "--seed", "1") == 0
    assert small.trained == [1, 2, 3, 3, 4]
    assert json.loads(file.read_text())["figures"] == whole


def test_record_and_ship_write_into_the_course(small):
    assert t2i("77", "small", "--record", "--ship") == 0
    rows = records("77")["small"]
    assert [run["seed"] for run in rows["two"]["runs"]] == [0, 1]
    assert rows["one"]["command"] == "t2i reproduce 77 small --row one"
    made = weights.entry("tiny_ring")
    assert made["command"] == "t2i reproduce 77 small --row one --seed 0 --ship"
    assert made["measured"]["weight"] == rows["one"]["runs"][0]["weight"]


def test_a_quick_look_keeps_nothing(small, tmp_path, capsys):
    assert t2i("77", "small", "--smoke") == 0
    assert "mean" in capsys.readouterr().out and small.trained == [1, 2] * 4
    assert list(tmp_path.iterdir()) == []


def test_a_new_table_is_listed_with_its_cost(small, capsys):
    assert t2i("77") == 0
    said = capsys.readouterr().out
    assert "77 small" in said and "4 s" in said and "one: 1 s a seed" in said
    with pytest.raises(ValueError, match="two tables"):
        Table("77", "small", "again", ())
    with pytest.raises(ValueError, match="two rows"):
        small.add("one", print, cost=1)


# --------------------------------------------------------------------------- t2i's


def test_the_list_has_every_table(capsys):
    assert t2i() == 0
    said = capsys.readouterr().out
    for table in tables():
        assert f"{table.lesson} {table.name}" in said and table.line in said
        assert math.isfinite(table.cost) and table.cost > 0


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        (("55",), "no experiments of lesson '55'; there are 00, 01"),
        (("08", "variant"), "no table 'variant'; there are variants, larger"),
        (("08", "variants", "--row", "gan"), "no row 'gan'; there are 'gan_32'"),
        (("08", "variants", "--seed", "-1"), "from 0 to"),
        (("01", "ring", "--seed", "7"), "has no seed 7, only 0, 1, 2, 3, 4"),
        (("08", "variants", "--smoke", "--record"), "keeps nothing"),
        (("08", "networks", "--record"), "the manifest's"),
        (("08", "--row", "gan_32"), "name a lesson and a table"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(asked, part, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert t2i(*asked) == 2
    said = capsys.readouterr().err
    assert part in said and said.startswith("t2i reproduce: ") and said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_figure_over_seeds_in_words():
    runs = [{"a": 1.0, "way": [1, 2]}, {"a": 3.0}]
    assert command.over(runs, "a") == "2 ± 1.4" and command.over(runs[:1], "a") == "1"
    assert command.over(runs, "b") == "" and command.over(runs[:1], "way") == "[1, 2]"
    assert [command.in_words(s) for s in (0.2, 40, 600, 9000)] == [
        "1 s", "40 s", "10 min", "2.5 h"]  # fmt: skip


def test_table_of_names_tables():
    assert table_of("08", "variants").rows["gan_cls_32"].ships == "gan_cls_32"
