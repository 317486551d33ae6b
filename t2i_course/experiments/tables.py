"""Tables and their rows: what each trains and measures, as a function of the seed.

A lesson's file makes a `Table` and puts functions into it, one a row:

    RING = Table("01", "ring", "how many modes are found", ("modes",), seeds=range(5))

    @RING.row("vanilla", cost=7)
    def vanilla(run): ...

The function gets a `run.Run`, trains and measures with its seed, and returns the
figures, {name: number}. A table that exists is listed; nothing else need be told.
"""

from __future__ import annotations

import pkgutil
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module

from .recorded import file_of, records, runs_of

__all__ = ["Row", "Table", "table_of", "tables"]

_TABLES: dict[tuple[str, str], Table] = {}


@dataclass(frozen=True)
class Row:
    """One row: how it is made, and what that takes.

    cost: seconds a seed on one core, training and measuring; seeds: those on record;
    only: whether there are no others; ships: the network that its first seed makes for
    the course, if any; recorded: whether it has figures on record.
    """

    table: Table
    name: str
    make: Callable[..., dict]
    cost: float
    seeds: tuple[int, ...]
    only: bool = False
    ships: str | None = None
    recorded: bool = True

    @property
    def command(self) -> str:
        """What makes this row again."""
        return f"{self.table.command} --row {shlex.quote(self.name)}"

    @property
    def ship_command(self) -> str:
        """What makes the network that ships."""
        seed = "" if self.table.networks else f" --seed {self.seeds[0]}"
        return f"{self.command}{seed} --ship"

    def on_record(self) -> list[dict]:
        """The recorded figures, a dict a seed; of a table of networks, the manifest's.

        [] where nothing was recorded yet.
        """
        if self.table.networks:
            from ..weights import manifest

            entry = manifest().get(self.ships)
            if entry is None:
                return []
            return [{"seed": entry["seed"], "seconds": entry["seconds"],
                     **entry["measured"]}]  # fmt: skip
        if not file_of(self.table.lesson).exists():
            return []
        return runs_of(records(self.table.lesson), f"{self.table.name}/{self.name}")

    def hardware(self) -> str:
        """Where the recorded figures come from; "" where nothing was recorded."""
        if self.table.networks:
            from ..weights import manifest

            return manifest().get(self.ships, {}).get("hardware", "")
        if not self.on_record():
            return ""
        return records(self.table.lesson)[self.table.name][self.name]["hardware"]


@dataclass
class Table:
    """A table of a lesson: its rows are added by `row` and `add`.

    columns: the figures that `t2i reproduce` shows; seeds: of each row, unless a row
    says otherwise; published: the figures of papers that belong beside it, and whether
    they compare; networks: its rows only make networks that lessons load, whose figures
    are in the weights' manifest.
    """

    lesson: str
    name: str
    line: str
    columns: tuple[str, ...]
    seeds: Iterable[int] = (0, 1, 2)
    published: str = ""
    networks: bool = False
    rows: dict[str, Row] = field(default_factory=dict)

    def __post_init__(self):
        self.seeds = tuple(self.seeds)
        if (self.lesson, self.name) in _TABLES:
            raise ValueError(f"lesson {self.lesson} has two tables {self.name!r}")
        _TABLES[self.lesson, self.name] = self

    @property
    def command(self) -> str:
        """What makes this table again."""
        return f"t2i reproduce {self.lesson} {self.name}"

    @property
    def cost(self) -> float:
        """Seconds for all rows and seeds, on one core."""
        return sum(row.cost * len(row.seeds) for row in self.rows.values())

    def add(self, name: str, make: Callable[..., dict], cost: float, **more) -> Row:
        """Put a row in: make(run) returns its figures; more: see `Row`."""
        if name in self.rows:
            raise ValueError(f"{self.command} has two rows {name!r}")
        seeds = tuple(more.pop("seeds", self.seeds))
        self.rows[name] = Row(self, name, make, cost, seeds, **more)
        return self.rows[name]

    def row(self, name: str, cost: float, **more) -> Callable:
        """Decorates the function that makes a row."""

        def put(make):
            self.add(name, make, cost, **more)
            return make

        return put


def tables(lesson: str | None = None) -> list[Table]:
    """All tables of the course, or of a lesson, in order; imports torch.

    LookupError, naming the lessons that have some, for another lesson.
    """
    home = import_module(__package__)
    for module in pkgutil.iter_modules(home.__path__):
        if module.name.startswith("lesson"):
            import_module(f"{__package__}.{module.name}")
    every = sorted(_TABLES.values(), key=lambda table: table.lesson)
    if lesson is None:
        return every
    found = [table for table in every if table.lesson == lesson]
    if not found:
        there = ", ".join(dict.fromkeys(table.lesson for table in every))
        raise LookupError(f"no experiments of lesson {lesson!r}; there are {there}")
    return found


def table_of(lesson: str, name: str) -> Table:
    """A table; LookupError names those that the lesson has."""
    here = {table.name: table for table in tables(lesson)}
    if name not in here:
        raise LookupError(
            f"lesson {lesson} has no table {name!r}; there are {', '.join(here)}"
        )
    return here[name]
