"""Small trained networks that come with the course, and where they come from.

Each network is a safetensors file (nothing in it can run) with an entry in
manifest.json: file, sha256, the command that made it, seed, seconds of training, the
hardware, and what was measured. T2I_WEIGHTS may name another folder. Numbers are stored
in half precision, for networks are only used; tests measure them again as stored.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor, nn

from ..training.checkpoint import misfit, write_whole

SHIPPED = Path(__file__).parent
# The limits, in bytes, for what ships with the course: a network for pictures of up to
# 64 pixels a side, one for larger ones, and all of them together.
ENTRY = {"file": str, "sha256": str, "command": str, "measured": dict}
SMALL, LARGE, ALL = 4 * 2**20, 8 * 2**20, 80 * 2**20


class WeightsError(RuntimeError):
    """A network's weights are missing, damaged, or of another network."""


class OtherNetwork(WeightsError):
    """The weights are good, but their network has other parts or other shapes."""


def limit(pixels: int | None) -> int:
    """How many bytes a network may ship with; pixels: a side of its pictures, or None.

    4 MB, and 8 MB above 64 pixels.
    """
    return LARGE if pixels is not None and pixels > 64 else SMALL


def folder() -> Path:
    """Where the weights are: T2I_WEIGHTS, or this package's own folder."""
    return Path(os.environ.get("T2I_WEIGHTS") or SHIPPED)


def path(name: str) -> Path:
    """The file of a network's weights, whether it exists or not."""
    if not name or Path(name).name != name:
        raise ValueError(f"{name!r} is no name for weights: it must be a plain word")
    return folder() / f"{name}.safetensors"


def manifest() -> dict[str, dict]:
    """All entries by name; empty where there is no manifest yet."""
    file = folder() / "manifest.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not folder().is_dir():
            raise WeightsError(
                f"T2I_WEIGHTS is {folder()}, and there is no such folder. Unset it for "
                "the course's own networks, or make the folder."
            ) from None
        return {}
    except (OSError, ValueError) as error:
        raise WeightsError(f"Can't read {file} ({error}). Restore it.") from error
    return checked(found, file)


def checked(entries, file: Path) -> dict[str, dict]:
    """A manifest's entries; WeightsError names the entry and key that is amiss."""
    wanted = dict.fromkeys(entries, ENTRY) if isinstance(entries, dict) else ENTRY
    if wrong := misfit(entries, wanted):
        raise WeightsError(f"{file} is no manifest: {wrong}. Restore it.")
    return entries


def names() -> list[str]:
    """The names of all networks in the manifest."""
    return sorted(manifest())


def entry(name: str) -> dict:
    """A network's manifest entry; WeightsError, naming those there are, if none."""
    entries = manifest()
    if name not in entries:
        there = ", ".join(sorted(entries)) or "none yet"
        raise WeightsError(f"There are no weights named {name!r}; there are: {there}.")
    return entries[name]


# -------------------------------------------------------------------------- reading


def load(name: str) -> dict[str, Tensor]:
    """The tensors of a network by name, on the CPU and as stored (perhaps fp16).

    Raises WeightsError when the file is missing, cut off or otherwise not the one
    that the manifest describes.
    """
    known, file = entry(name), path(name)
    advice = "Restore it, or make it anew: " + known["command"]
    try:
        content = file.read_bytes()
    except OSError as error:
        raise WeightsError(f"Can't read {file} ({error.strerror}). {advice}") from error
    if hashlib.sha256(content).hexdigest() != known["sha256"]:
        raise WeightsError(
            f"{file} is damaged, cut off or changed: its SHA-256 isn't the manifest's. "
            + advice
        )
    try:
        return read_tensors(content) | borrowed(known)
    except SafetensorError as error:
        raise WeightsError(f"{file} is no safetensors file. {advice}") from error


def borrowed(known: dict) -> dict[str, Tensor]:
    """The tensors of an entry that stand in another network's file; see `save`.

    WeightsError where that network isn't the one that it was trained with.
    """
    found = {}
    for prefix, (name, sha256) in known.get("borrows", {}).items():
        if entry(name)["sha256"] != sha256:
            raise WeightsError(
                f"{known['file']} was trained over another {name!r} than the one that "
                f"is here. Train it anew: {known['command']}"
            )
        found |= {prefix + key: value for key, value in load(name).items()}
    return found


def load_into(module: nn.Module, name: str) -> dict:
    """Load a network's weights into a module (a `System` too); the manifest entry.

    Weights stored as fp16 become what the module has. Nothing changes unless all fits.
    Raises OtherNetwork, saying what differs, and WeightsError as `load` does.
    """
    state = load(name)
    begin = getattr(module, "start_averages", None)
    if begin is not None and any(key.startswith("averages.") for key in state):
        begin()
    own = {k: v for k, v in module.state_dict().items() if isinstance(v, Tensor)}
    for key in sorted(own.keys() | state.keys()):
        here, there = (
            list(side[key].shape) if key in side else "missing" for side in (own, state)
        )
        if here != there:
            raise OtherNetwork(
                f"The weights {name!r} are of another network: "
                f"{key} is {there} in the file and {here} here."
            )
    module.load_state_dict(state)
    return entry(name)


def check_reader(name: str) -> None:
    """WeightsError if a network reads with another text encoder than it learned with.

    Nothing else would show it: the shapes are the same, and the birds merely disobey.
    """
    for reader, sha256 in entry(name).get("reads", {}).items():
        if entry(reader)["sha256"] != sha256:
            raise WeightsError(
                f"The weights {name!r} were trained with another {reader!r} than the "
                f"one that is here. Train them anew: {entry(name)['command']}"
            )


# -------------------------------------------------------------------------- writing


def save(
    module_or_state: nn.Module | dict[str, Tensor],
    name: str,
    *,
    command: str,
    seed: int,
    seconds: float,
    measured: dict,
    half: bool = False,
    hardware: str | None = None,
    reads: str | None = None,
    pixels: int | None = None,
    borrows: dict[str, str] | None = None,
) -> dict:
    """Write a network's weights and their manifest entry; the entry.

    command, seed, seconds: how they were made; measured: {what: value}, checked again
    by a test. half=True stores float32 as fp16 (half the size; `load_into` casts back).
    hardware: by default this machine's device. reads: the text encoder that it was
    trained with, whose sha256 is kept beside it (see `check_reader`). pixels: a side of
    the network's pictures, to be named above 64 (see `limit`); it is kept too. borrows:
    {"sketcher.": "stackgan_32"}: tensors whose names begin so stand in that network's
    file, and are left there. Each file appears whole or not at all.
    Raises WeightsError on a full disk, without permission, above the limit, and where
    what is to be borrowed isn't the lender's.
    """
    state = module_or_state
    if isinstance(state, nn.Module):
        state = {k: v for k, v in state.state_dict().items() if isinstance(v, Tensor)}
    packed = {key: pack(value, half) for key, value in state.items()}
    lent = lenders(borrows or {})
    content = tensors_to_bytes(without_borrowed(packed, lent, name))
    made = {
        "file": path(name).name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "command": command,
        "seed": seed,
        "seconds": round(seconds, 1),
        "hardware": hardware or hardware_in_words(),
        "measured": measured,
    }
    if reads is not None:
        made["reads"] = {reads: entry(reads)["sha256"]}
    if pixels is not None:
        made["pixels"] = pixels
    if lent:
        made["borrows"] = lent
    write(name, content, made)
    return made


def lenders(borrows: dict[str, str]) -> dict[str, list[str]]:
    """{prefix: lender} as an entry keeps it: {prefix: [lender, its file's sha256]}."""
    return {prefix: [name, entry(name)["sha256"]] for prefix, name in borrows.items()}


def without_borrowed(
    packed: dict[str, Tensor], lent: dict[str, list[str]], name: str
) -> dict[str, Tensor]:
    """What of a network stands in its own file; WeightsError where lenders differ."""
    for key, value in borrowed({"borrows": lent}).items():
        if key not in packed or not torch.equal(packed[key], value):
            raise WeightsError(f"{key} of {name!r} isn't the one to be borrowed.")
    return {k: v for k, v in packed.items() if not k.startswith(tuple(lent))}


def write(name: str, content: bytes, made: dict) -> None:
    """Write a weights file and its manifest entry: both of them or neither."""
    most = limit(made.get("pixels"))
    if len(content) > most and folder() == SHIPPED:
        raise WeightsError(
            f"The weights {name!r} take {len(content) / 2**20:.1f} MB, above the limit "
            f"of {most >> 20} MB: save only the network that draws, or use half=True. "
            "(It is 4 MB, and 8 MB where pixels=... says more than 64.)"
        )
    known = manifest() if folder().is_dir() else {}  # or it is made below
    entries = dict(sorted({**known, name: made}.items()))
    text = json.dumps(entries, indent=2, ensure_ascii=False) + "\n"

    def fill(file) -> None:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # the disk holds it; now the manifest may speak of it
        write_whole(
            folder() / "manifest.json", lambda other: other.write(text.encode())
        )

    try:
        write_whole(path(name), fill)
    except OSError as error:
        raise WeightsError(
            f"Can't write the weights {name!r} to {folder()} ({error.strerror}). Free "
            "some space, or name a folder where you may write in T2I_WEIGHTS."
        ) from error


def pack(value: Tensor, half: bool) -> Tensor:
    """A tensor as it is stored: on the CPU, with storage of its own, perhaps fp16.

    Raises WeightsError for numbers that are not finite, or not within fp16's range.
    """
    value = value.detach().cpu().contiguous().clone()
    if half and value.dtype == torch.float32:
        value = value.half()
    if value.is_floating_point() and not value.isfinite().all():
        raise WeightsError("Some weights aren't finite, or too large for half=True.")
    return value


def hardware_in_words() -> str:
    """The device that trains here: the GPU's name, or the CPU's kind and threads."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    return f"CPU ({platform.machine()}), {threads} thread{'s' * (threads > 1)}"


# ------------------------------------------------------------------ load, or train


def load_or_fit(system: nn.Module, name: str, train: Callable):
    """Load the weights if there are any for this very network, else train it.

    train(system) trains it; what it returns (a `History`) is returned, or None where
    the weights were loaded. Says on a line which of the two it was. Damaged weights
    are an error, not a reason to train.
    """
    why = "none are shipped"
    if name in manifest() and path(name).exists():
        try:
            made = load_into(system, name)
        except OtherNetwork as error:
            why = f"{error}".rstrip(".")
        else:
            print(
                f"Loaded the weights {name!r}: {made['seconds']:.0f} s of training "
                f"on {made['hardware']}, by {made['command']}"
            )
            return None
    print(f"Training, for there are no weights {name!r} to load: {why}.")
    return train(system)
