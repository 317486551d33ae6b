"""What a paper, a world or a data set says of itself, so that nobody else need know it.

A file in `papers/` may hold SYSTEMS, {name: SystemInfo}, SHIPPED, {name: Network}, and
RELEASES, {name: Release}; a file in `worlds/` or `datasets/` DATA, {name: DataInfo},
and SHIPPED too. Every file there is asked: to add a paper or a world is to add a file.
`systems.py` builds from these, and the commands, the doctor and the tests read them.

A function may be given as "t2i_course.measure.judges:digits", where it is of a later
room, or slow to import.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module

__all__ = [
    "DRAWS", "DataInfo", "Network", "Part", "Problem", "Release", "SystemInfo",
    "all_data", "all_networks", "all_releases", "all_systems", "resolve",
]  # fmt: skip

# What a network draws from; see `drawing.py`. "" is for one that draws nothing.
DRAWS = ("sentences", "noise", "classes", "pictures", "")


def itself(system):
    """The system, whole."""
    return system


def always(settings: dict) -> bool:
    """Whatever the settings."""
    return True


@dataclass(frozen=True)
class Part:
    """A frozen network that a system is built on: one that another system trains.

    argument: of the class, which gets it; system: that trains it; called: in words
    option: of `t2i train`, which names a checkpoint of it; line: the option's help
    unused: said of a system that has no use for the option: "reads no sentences"
    misfit: (network, settings) -> "" where it can serve a system of these settings,
        else why not: "makes 256 numbers of a sentence, this preset reads 1024"
    needed: settings -> whether a system of these settings is built on it at all
    also: other systems whose trainings serve as well, with the option alone
    """

    argument: str
    system: str
    called: str
    option: str
    line: str
    unused: str
    misfit: Callable[[object, dict], str]
    needed: Callable[[dict], bool] = always
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class SystemInfo:
    """A system: its class, its lesson, and what it is in a line.

    data: what it can learn, the first by default, and what that changes of the presets:
        {"digits": {}, "birds": {"cpu": {"size": 32}, ...}}
    parts: what it is built on
    draws: what its networks draw from, one of DRAWS
    make: (preset, data, **changes and parts) -> system; None for `kind.from_preset`
    wrap: (source, settings) -> what it trains on, where that is more than the source
    serves: system -> what of it other systems are built on
    from_checkpoint: path -> the same of a training of one's own; None to rebuild it
    measures: {data: function}, where it is not to be measured by its data's judges;
        see DataInfo
    """

    kind: type
    lesson: str
    line: str
    data: Mapping[str, Mapping[str, dict]]
    parts: tuple[Part, ...] = ()
    draws: str = "noise"
    make: Callable | None = None
    wrap: Callable | None = None
    serves: Callable = itself
    from_checkpoint: Callable | None = None
    measures: Mapping[str, Callable | str] = field(default_factory=dict)

    @property
    def presets(self) -> dict[str, dict]:
        """The class's own, or those of its paper's file."""
        return self.kind.presets or import_module(self.kind.__module__).PRESETS

    def settings(self, preset: str, data: str) -> dict:
        """Those of a preset on that data; ValueError names the presets there are."""
        if preset not in self.presets:
            there = ", ".join(self.presets)
            raise ValueError(f"No preset {preset!r}; there are {there}.")
        return {**self.presets[preset], **self.changes(preset, data)}

    def changes(self, preset: str, data: str) -> dict:
        """What that data changes of a preset."""
        return dict(self.data.get(data, {}).get(preset, {}))


@dataclass(frozen=True)
class Network:
    """A trained network that ships with the course (weights/manifest.json).

    make: (**parts) -> the module, untrained; parts: those of the system's `parts` that
        `preset` needs on that data
    data: what it learned; system: whose it is, or "" for one that no system trains
    part: module -> what of it ships
    default: whether it is the one to take where nobody names one: to draw with, or as
        the part of another system
    measure: (module, count, seed) -> {what: value}, where neither the system nor the
        data say it
    noise: the seed of the noise that its figures in the manifest were measured with
    """

    make: Callable
    data: str
    system: str = ""
    part: Callable = itself
    preset: str = "cpu"
    default: bool = False
    measure: Callable | str | None = None
    noise: int = 0


@dataclass(frozen=True)
class Release:
    """Weights that a paper's authors released, which our networks can have.

    convert: (files, out, **choices) -> lines on what is in the file that it wrote
    line: what it is; out: the file by default
    choices: {option of `t2i convert`: (what can be chosen, the first by default; help)}
    """

    convert: Callable
    line: str
    out: str
    choices: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)


@dataclass(frozen=True)
class DataInfo:
    """A world or a data set.

    source: (split, size, batch_size, seed, few) -> data.Source. size: pixels; few: a
        small part of it will do (a test)
    splits: the first is for training
    vocabulary: () -> the words of its captions; None where it has none
    oracle: size -> what reads its pictures; None where nothing does
    judges: {what a network draws from: (system, count, seed) -> {what: value}}; one of
        "sentences" also takes `captions`, a file of one's own
    report: () -> lines for `t2i doctor`, or a Problem
    """

    source: Callable
    splits: tuple[str, ...] = ("train",)
    vocabulary: Callable | None = None
    oracle: Callable | str | None = None
    judges: Mapping[str, Callable | str] = field(default_factory=dict)
    report: Callable[[], Iterator[str | Problem]] | None = None


@dataclass(frozen=True)
class Problem:
    """Something wrong, and what to do about it."""

    what: str
    cure: str


# ----------------------------------------------------------------------- finding them


def resolve(function: Callable | str) -> Callable:
    """The function itself, of "module:name" too."""
    if not isinstance(function, str):
        return function
    module, _, name = function.partition(":")
    return getattr(import_module(module), name)


def collect(declared: str, *packages: str) -> dict:
    """The entries of every dictionary of that name in these packages' files.

    Raises ValueError where two files use one name.
    """
    found, homes = {}, {}
    for package in packages:
        folder = import_module(f"t2i_course.{package}")
        for file in sorted(f.name for f in pkgutil.iter_modules(folder.__path__)):
            module = import_module(f"{folder.__name__}.{file}")
            for name, entry in getattr(module, declared, {}).items():
                if name in found:
                    raise ValueError(
                        f"{name!r} is declared by {homes[name]} and by {file}"
                    )
                found[name], homes[name] = entry, file
    return found


def all_systems() -> dict[str, SystemInfo]:
    """Every system of the course, by lesson."""
    found = collect("SYSTEMS", "papers")
    return dict(sorted(found.items(), key=lambda item: item[1].lesson))


def all_networks() -> dict[str, Network]:
    """Every network that should ship with the course."""
    return collect("SHIPPED", "worlds", "datasets", "papers")


def all_releases() -> dict[str, Release]:
    """Every release that can be converted."""
    return collect("RELEASES", "papers")


def all_data() -> dict[str, DataInfo]:
    """Every world and data set."""
    return collect("DATA", "worlds", "datasets")
