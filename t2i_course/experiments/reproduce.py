"""The command `t2i reproduce`: lists the tables, makes rows again, sets them beside.

What was made is kept in runs/reproduce/, a file a row and seed, with checkpoints of
what is under way: after a stop the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import time
from pathlib import Path
from statistics import mean, stdev

from ..seeds import checked
from .recorded import note

__all__ = ["add_arguments", "main"]

HERE = Path("runs") / "reproduce"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `t2i reproduce`."""
    parser.add_argument("lesson", nargs="?", metavar="LESSON", help="01, 02, ...")
    parser.add_argument("table", nargs="?", metavar="TABLE", help="one of its tables")
    parser.add_argument(
        "--row", action="append", metavar="ROW", help="this row only (or more of them)"
    )
    parser.add_argument(
        "--seed",
        type=int,
        action="append",
        metavar="S",
        help="this seed only (or more of them; default: those on record)",
    )
    parser.add_argument(
        "--again", action="store_true", help="make anew what was made here before"
    )
    parser.add_argument(
        "--smoke", action="store_true", help="seconds: does it run? Keeps nothing"
    )
    parser.add_argument(
        "--record",
        action="store_true",
        help="for maintainers: replace the recorded figures by these",
    )
    parser.add_argument(
        "--ship",
        action="store_true",
        help="for maintainers: save the row's network with the course",
    )


def main(options: argparse.Namespace) -> int:
    """Lists, or makes and compares; LookupError or ValueError for what can't be."""
    if options.table is None:
        if options.row or options.seed or options.record or options.ship:
            raise ValueError("name a lesson and a table, as t2i reproduce lists them")
        print(listing(options.lesson))
        return 0
    from .tables import table_of

    table = table_of(options.lesson, options.table)
    rows, seeds = rows_of(table, options.row), options.seed
    if options.smoke and (options.record or options.ship):
        raise ValueError("--smoke keeps nothing: leave --record and --ship away")
    if options.record and table.networks:
        raise ValueError(f"the figures of {table.command} are the manifest's: --ship")
    for row in rows:
        check_seeds(row, seeds)
    cost = sum(row.cost * len(seeds or row.seeds) for row in rows)
    if not options.smoke:
        print(f"{table.line}: about {in_words(cost)} on one core", flush=True)
    made = make_all(rows, options)
    print(beside(table, made, options.smoke))
    return 0


# --------------------------------------------------------------------------- what is


def in_words(seconds: float) -> str:
    """How long that is: "40 s", "12 min", "1.5 h"."""
    if seconds < 100:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def listing(lesson: str | None) -> str:
    """Every table with its cost; of one lesson the rows too."""
    from .tables import tables

    lines = []
    for table in tables(lesson):
        place = f"{table.lesson} {table.name}"
        lines.append(f"{place:<14} {in_words(table.cost):>7}  {table.line}")
        if lesson is None:
            continue
        for row in table.rows.values():
            seeds = " ".join(map(str, row.seeds))
            more = "" if row.on_record() else "; not on record"
            lines.append(f"{'':<16}{row.name}: {in_words(row.cost)} a seed, seed"
                         f"{'s' * (len(row.seeds) > 1)} {seeds}{more}")  # fmt: skip
    last = "t2i reproduce LESSON TABLE [--row ROW] [--seed S] makes it; times are of "
    return "\n".join([*lines, last + "all rows and seeds, on one core"])


def rows_of(table, names: list[str] | None) -> list:
    """The rows of these names, or all; LookupError names those there are."""
    for name in names or []:
        if name not in table.rows:
            there = ", ".join(map(repr, table.rows))
            raise LookupError(f"{table.command} has no row {name!r}; there are {there}")
    return [row for name, row in table.rows.items() if not names or name in names]


def check_seeds(row, seeds: list[int] | None) -> None:
    """ValueError for a seed that the row can't have."""
    for seed in seeds or []:
        checked(seed)
        if row.only and seed not in row.seeds:
            there = ", ".join(map(str, row.seeds))
            raise ValueError(f"the row {row.name!r} has no seed {seed}, only {there}")


# ------------------------------------------------------------------------ what is made


def make_all(rows: list, options) -> dict:
    """{row: what was made of it, a seed each}; rows of a seed share their trainings."""
    made = {row.name: [] for row in rows}
    folder = HERE / rows[0].table.lesson / rows[0].table.name
    unfinished = None if options.smoke else folder / "unfinished"
    if options.again and unfinished:
        shutil.rmtree(unfinished, ignore_errors=True)
    seeds = options.seed or sorted({seed for row in rows for seed in row.seeds})
    for seed in seeds:
        for row in rows:
            if options.seed or seed in row.seeds:
                found = make(row, seed, options, folder, unfinished)
                made[row.name].append(found)
        if unfinished:
            shutil.rmtree(unfinished / f"seed{seed}", ignore_errors=True)
    if unfinished:
        shutil.rmtree(unfinished, ignore_errors=True)
    return made


def make(row, seed: int, options, folder: Path, unfinished: Path | None) -> dict:
    """One seed of a row, or what was made of it here before: {"figures", ...}."""
    from .run import Run

    run = Run(row, seed, options.smoke, options.ship, unfinished)
    file = folder / f"{slug(row.name)}-seed{seed}.json"
    known = not (options.smoke or options.again or run.shipping) and file.exists()
    if known:
        found = json.loads(file.read_text(encoding="utf-8"))
        print(f"{row.name}, seed {seed}: made before ({file}; --again makes it anew)")
    else:
        began = time.perf_counter()
        figures = {"seed": seed, **row.make(run)}
        took = round(time.perf_counter() - began, 1)
        found = {"command": row.command, "hardware": run.hardware, "took": took,
                 "figures": figures}  # fmt: skip
        print(f"{row.name}, seed {seed}: {took:.0f} s", flush=True)
    if not (options.smoke or known):
        from ..training.checkpoint import write_whole

        text = (json.dumps(found) + "\n").encode()
        write_whole(file, lambda out: out.write(text))
    if options.record:
        note(row.table.lesson, row.table.name, row.name, found["figures"], row.command,
             found["hardware"])  # fmt: skip
    return found


def slug(name: str) -> str:
    """A row's name as part of a file's name."""
    return re.sub(r"[^\w]+", "-", name)


# --------------------------------------------------------------------------- compared


def beside(table, made: dict, smoke: bool = False):
    """A `show.tables.Table`: of each row what is on record, and what was made here."""
    from ..show.tables import Table as Shown

    lines, places = {}, {}
    for name, ones in made.items():
        row = table.rows[name]
        if known := row.on_record():
            seeds = ", ".join(str(run["seed"]) for run in known)
            lines[f"{name}, on record, seed {seeds}"] = known
            places[f"on record: {row.hardware()}"] = None
        for one in ones:
            seed = one["figures"]["seed"]
            same = [run for run in known if run["seed"] == seed]
            if same and len(known) > 1:
                lines[f"{name}, on record, seed {seed}"] = same
            lines[f"{name}, here, seed {seed}"] = [one["figures"]]
            places[f"here: {one['hardware']}"] = None
    runs = [run for some in lines.values() for run in some]
    shown = [column for column in table.columns if any(column in run for run in runs)]
    cells = {name: [over(some, c) for c in shown] for name, some in lines.items()}
    quick = "a quick look: what was made here means nothing" if smoke else ""
    notes = [quick, "; ".join(places), table.published]
    return Shown(shown, cells, "\n".join(note for note in notes if note))


def over(runs: list[dict], column: str) -> str:
    """A figure over these runs: its mean and deviation, or the one there is."""
    found = [run[column] for run in runs if column in run]
    if not found:
        return ""
    if not all(isinstance(value, (int, float)) for value in found):
        return " ".join(map(str, found))
    if len(found) == 1:
        return f"{found[0]:.4g}"
    return f"{mean(found):.4g} ± {stdev(found):.2g}"
