"""Checkpoints: all of a training in one file, written whole or not at all.

A file is first written beside its final place and then renamed, which a file system
does in one go. Whatever happens (a kill, a full disk, a power cut), the name stands
for a complete checkpoint: the new one or the one before.
"""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from contextlib import suppress
from inspect import signature
from pathlib import Path
from typing import BinaryIO

import torch

from . import randomness
from .history import History

FORMAT = 1
CONTENT = {  # of every checkpoint, whatever else it holds
    "fingerprint": {"system": str, "seed": int, "settings": dict, "shapes": dict},
    "system": dict,
    "optimizers": dict,
    "history": {"losses": dict, "seconds": torch.Tensor, "measures": dict},
    "random": list,
}
DAMAGE = (
    zipfile.BadZipFile, EOFError, pickle.UnpicklingError, RuntimeError, ArithmeticError,
    AttributeError, LookupError, TypeError, ValueError,
)  # fmt: skip


class CheckpointError(RuntimeError):
    """A checkpoint can't be written, or can't be read into this system."""


# ------------------------------------------------------------- writing a file whole


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Let `write` fill a file that appears at `path` only when it is complete.

    Raises OSError (or what `write` raises) with the old file intact and nothing left
    beside it. The name of the unfinished file is fixed, so that one left behind by a
    kill is overwritten next time.
    """
    path = Path(path)
    unfinished = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(unfinished, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):  # the first error says it all
            unfinished.unlink(missing_ok=True)
        raise


def check_writable(path: Path) -> None:
    """Raise CheckpointError now, not after an hour, if `path` can't be written."""
    if Path(path).is_dir():
        raise CheckpointError(f"{path} is a folder; name a file for the checkpoint.")
    probe = Path(path).with_name(Path(path).name + ".probe")
    try:
        write_whole(probe, lambda file: None)
        probe.unlink()
    except OSError as error:
        raise CheckpointError(
            f"Can't write the checkpoint {path} ({error.strerror}). "
            "Name a file in a folder where you may write."
        ) from error


# -------------------------------------------------------------- what is written down


def fingerprint(system, seed: int) -> dict:
    """What a checkpoint must share with the system that reads it.

    The class, its settings (but not the number of steps: a run may be prolonged), the
    seed, and the shape of every weight.
    """
    settings = {
        name: value
        for name, value in (system.settings or {}).items()
        if name != "steps" and isinstance(value, (int, float, str, bool, type(None)))
    }
    shapes = {
        name: list(tensor.shape)
        for name, tensor in system.state_dict().items()
        if isinstance(tensor, torch.Tensor)
    }
    kind = type(system).__name__
    return {"system": kind, "seed": seed, "settings": settings, "shapes": shapes}


def is_plain(value) -> bool:
    """Whether a setting can be written down: a number, a word, or a row of such."""
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return isinstance(value, (int, float, str, bool, type(None)))


def origin_of(system) -> dict:
    """What the system can be built by again: {"system", "preset", "data", "settings"}.

    The first three as `systems.build` knows them ("" where a notebook built it).
    """
    settings = {k: v for k, v in (system.settings or {}).items() if is_plain(v)}
    unknown = {"system": "", "preset": system.preset or "", "data": ""}
    return {**unknown, **(system.origin or {}), "settings": settings}


def why(error: Exception) -> str:
    """Why a file could not be written, in words of one's own where torch has none."""
    said = getattr(error, "strerror", None) or str(error).partition("\n")[0]
    if "inline_container" in said or "enforce fail" in said:  # torch's zip writer
        return "the file could not be written whole: is the disk full?"
    return said


def save(
    path: Path, system, optimizers: dict, history: History, seed: int, states,
    target: int | None = None,
):  # fmt: skip
    """Write the checkpoint. states: every process's random states, by rank.

    target: how many steps the training is to have in all. Raises CheckpointError (disk
    full, no permission), the former checkpoint intact.
    """
    content = {
        "format": FORMAT,
        "origin": origin_of(system),
        "target": target,
        "fingerprint": fingerprint(system, seed),
        "system": system.state_dict(),
        "optimizers": {name: o.state_dict() for name, o in optimizers.items()},
        "history": history.state(),
        "random": states,
    }
    try:
        write_whole(path, lambda file: torch.save(content, file))
    except (OSError, RuntimeError) as error:
        raise CheckpointError(
            f"Can't write the checkpoint {path} at step {history.step} ({why(error)}). "
            "What was there before is intact: free some space (or choose another "
            "folder), then resume the training."
        ) from error


# ------------------------------------------------------------------- what is read back


def read(path: Path) -> dict:
    """The content of a checkpoint, read without running any code that it may hold.

    Raises CheckpointError when the file is cut off, damaged or no checkpoint, naming
    the key that is missing or isn't what it should be.
    """
    if not Path(path).is_file():
        what = "is a folder" if Path(path).is_dir() else "isn't there"
        raise CheckpointError(f"Can't read {path}: it {what}. Name a checkpoint.pt.")
    advice = "Delete it and begin anew, or name another file."
    try:
        # `torch.load` doesn't compare checksums: a flipped bit would pass unnoticed.
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                raise CheckpointError(f"{path} is damaged. {advice}")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(f"Can't read {path} ({why(error)}).") from error
    except DAMAGE as error:
        raise CheckpointError(
            f"{path} is cut off, damaged or no checkpoint. {advice}"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path} is no checkpoint of this course. {advice}")
    if wrong := misfit(content, CONTENT):
        raise CheckpointError(f"{path} is no whole checkpoint: {wrong}. {advice}")
    return content


def misfit(content, wanted, place: str = "") -> str:
    """The first key that is missing or of another kind, in words; "" if all is well.

    wanted: a type, or a table {key: wanted}; place: where content stands.
    """
    if isinstance(wanted, type):
        if isinstance(content, wanted):
            return ""
        return f"its {place} is of the kind {type(content).__name__}"
    if not isinstance(content, dict):
        return f"its {place} is no table"
    for key, inner in wanted.items():
        name = f"{place}.{key}" if place else key
        if key not in content:
            return f"it has no {name}"
        if found := misfit(content[key], inner, name):
            return found
    return ""


def difference(there: dict, here: dict) -> str | None:
    """The first difference of two fingerprints in words, or None."""
    for what in ("system", "seed"):
        if there[what] != here[what]:
            return f"its {what} is {there[what]}, not {here[what]}"
    for part, word in (("settings", "its setting"), ("shapes", "the shape of")):
        names = there[part].keys() | here[part].keys()
        for name in sorted(names, key=lambda n: (n.startswith("averages."), n)):
            old, new = (side[part].get(name, "missing") for side in (there, here))
            if old != new:
                return f"{word} {name} is {old}, not {new}"
    return None


def load(path: Path, system, optimizers: dict, seed: int, rank: int = 0) -> History:
    """Put a checkpoint back into a system and its optimizers; its history.

    Nothing is touched unless all of it fits. Raises CheckpointError when the file is
    damaged or belongs to another system, preset or seed (naming what differs).
    """
    content = read(path)
    differs = difference(content["fingerprint"], fingerprint(system, seed))
    if differs is None and content["optimizers"].keys() != optimizers.keys():
        differs = f"its players are {', '.join(content['optimizers'])}"
    if differs is not None:
        raise CheckpointError(
            f"{path} belongs to another training: {differs}. "
            "Name another file, or delete this one and begin anew."
        )
    reading = "history"
    try:
        history = History.from_state(content["history"])
        for reading in ("optimizers", "system", "random"):
            put_back(reading, content, system, optimizers, rank, seed, history)
    except DAMAGE as error:
        raise CheckpointError(
            f"{path} is no whole checkpoint: its {reading} can't be read. Delete it "
            "and begin anew, or name another file."
        ) from error
    return history


def put_back(what: str, content: dict, system, optimizers, rank, seed, history) -> None:
    """Put one part of a checkpoint's content back; see `load`."""
    if what == "system":
        system.load_state_dict(content["system"])
    elif what == "optimizers":
        for name, optimizer in optimizers.items():
            optimizer.load_state_dict(content["optimizers"][name])
    else:
        states = content["random"]
        if rank >= len(states) or not randomness.restore(system, states[rank]):
            # More processes than before, or another kind of device: other noise.
            system.rng.manual_seed(randomness.own_seed(seed, rank, history.step))


def settings_of(content: dict) -> dict:
    """The settings that a checkpoint's system was built by, as far as they are plain.

    Checkpoints of before the course's version 0.2 have no rows of numbers among them.
    """
    origin = content.get("origin")
    kept = origin.get("settings") if isinstance(origin, dict) else None
    return kept if isinstance(kept, dict) else content["fingerprint"]["settings"]


def rebuild(path: str | Path, kind: type, command: str, **parts):
    """The trained system of a checkpoint, built by the settings that stand in it.

    kind: its class; command: what makes such checkpoints, for the messages; parts: what
    it is built on, by its class's arguments. Raises CheckpointError when the file is
    none of them, or doesn't say how large its networks are: only the settings of
    `from_preset` are written down.
    """
    content = read(Path(path))
    made = content["fingerprint"]
    if made["system"] != kind.__name__:
        raise CheckpointError(
            f"{path} is of {made['system']}. Name a checkpoint of `{command}`."
        )
    accepted, settings = signature(kind.__init__).parameters, settings_of(content)
    try:
        system = kind(**{k: v for k, v in settings.items() if k in accepted}, **parts)
        system.load_state_dict(content["system"])
    except DAMAGE as error:
        raise CheckpointError(
            f"{path} doesn't hold all settings of its {kind.__name__}, which was not "
            f"made by from_preset alone. Name a checkpoint of `{command}`."
        ) from error
    system.settings = settings
    return system
