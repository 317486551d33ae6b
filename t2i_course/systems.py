"""Every system of the course by name, built from what the papers' files declare.

`build` makes a system at a preset with all that it needs, `source_for` what it trains
on, `from_checkpoint` what a training of one's own left, `shipped` a trained network
that comes with the course, `judge` what measures it;
`parameter_counts` says how large a system's networks are. No paper, world or data set
is named here: see `declarations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import declarations
from .datasets import LATER
from .declarations import DataInfo, Network, Part, SystemInfo, resolve

__all__ = [
    "Chosen", "build", "chosen", "data_info", "data_of", "default_network",
    "from_checkpoint", "info", "judge", "network_info", "oracle_for",
    "parameter_counts", "shipped", "source_for", "systems", "untrained",
]  # fmt: skip

systems = declarations.all_systems


def _entry(entries: dict, kind: str, name: str):
    if name not in entries:
        raise ValueError(f"No {kind} {name!r}; there are {', '.join(entries)}.")
    return entries[name]


def info(name: str) -> SystemInfo:
    """The entry of a system; ValueError names those there are."""
    return _entry(systems(), "system", name)


def data_info(name: str) -> DataInfo:
    """The entry of a world or data set; ValueError names those there are."""
    return _entry(declarations.all_data(), "data", name)


def network_info(name: str) -> Network:
    """The entry of a shipped network; ValueError names those there are."""
    return _entry(declarations.all_networks(), "network", name)


def data_of(name: str, data: str | None = None) -> str:
    """What the system will train on: `data`, or its default; ValueError if it can't."""
    can = list(info(name).data)
    if data is None or data in can:
        return data or can[0]
    known = declarations.all_data()
    if data not in known and (data in LATER or Path(data).is_dir()):
        folders = "folders in the papers' layout come with a later lesson"
        why = LATER.get(data, folders)
        raise ValueError(f"{why}; for now {name} trains on {' or '.join(can)}.")
    raise ValueError(f"{name} trains on {' or '.join(can)}, not on {data!r}.")


def run_of(name: str, preset: str, data: str) -> tuple[str, str]:
    """The command that trains a system, and the folder in runs/ that it writes to."""
    command, folder = f"t2i train {name} --preset {preset}", f"{name}-{preset}"
    if data != data_of(name):
        command, folder = f"{command} --data {data}", f"{folder}-{data}"
    return command, folder


# --------------------------------------------------------------------------- building


def build(
    name: str,
    preset: str,
    data: str | None = None,
    trained: bool = True,
    **checkpoints: str | Path | None,
):
    """The system of that name at a preset ("smoke", "cpu", "gpu", "paper").

    trained: with the shipped networks as its parts, where it is built on others; False
    makes them with random weights, of the preset's size (for counting and for tests).
    checkpoints: those parts from trainings of one's own, by their options: text=path,
    codes=path.
    Raises ValueError for an unknown name, preset or data, and where a part is missing,
    or has not the preset's size, or isn't used; WeightsError or CheckpointError for bad
    weights.
    """
    entry, data = info(name), data_of(name, data)
    settings, extra = entry.settings(preset, data), entry.changes(preset, data)
    given = {option: path for option, path in checkpoints.items() if path is not None}
    for part in entry.parts:
        if part.needed(settings):
            path = given.pop(part.option, None)
            extra[part.argument] = _part(part, settings, preset, data, trained, path)
    for option in given:
        why = next(p.unused for p in parts() if p.option == option)
        raise ValueError(f"{name} on {data} {why}: leave --{option} away")
    make = entry.make or (lambda preset, data, **more: entry.kind.from_preset(
        preset, **more))  # fmt: skip
    system = make(preset, data, **extra)
    system.origin = {"system": name, "preset": preset, "data": data}
    return system


def parts() -> list[Part]:
    """What systems are built on, one for each option of `t2i train`."""
    found = {p.option: p for entry in systems().values() for p in entry.parts}
    return list(found.values())


# ------------------------------------------------------------------ what it is built on


def part_from(name: str, path: str | Path):
    """What a training of one's own of that system serves others with, frozen.

    path: its checkpoint; CheckpointError if it is of another system.
    """
    from .training import checkpoint

    entry = info(name)
    if entry.from_checkpoint is not None:
        return entry.from_checkpoint(path)
    system = checkpoint.rebuild(path, entry.kind, f"t2i train {name}")
    return entry.serves(system.eval().requires_grad_(False))


def _part(part: Part, settings: dict, preset: str, data: str, trained: bool, path):
    """The frozen part of a system with these settings; ValueError unless it fits."""
    if path is None and not trained:
        return _untrained_part(part, settings, preset, data)[1]
    name = default_network(part.system, data)
    if path is None and name is None:
        advice = _advice(part, settings, preset, data)
        raise ValueError(f"this system needs a trained {part.called}; {advice}")
    found = shipped(name) if path is None else part_from(_trained_by(part, path), path)
    if why := part.misfit(found, settings):
        which = part.called if path is None else f"{part.called} of {path}"
        advice = _advice(part, settings, preset, data)
        raise ValueError(f"the {which} {why}; {advice}")
    return found


def _trained_by(part: Part, path) -> str:
    """Which of the systems that can make a part made this checkpoint; or the first."""
    from .training import checkpoint

    kind = checkpoint.read(Path(path))["fingerprint"]["system"]
    makers = [name for name in part.also if info(name).kind.__name__ == kind]
    return next(iter(makers), part.system)


def _untrained_part(part: Part, settings: dict, preset: str, data: str):
    """The preset of a part that fits, and the part with random weights.

    The shipped network's kind where that fits (its preset is None), else its system's
    at this preset, else at another. ValueError where none fits.
    """
    for size, found in _candidates(part, preset, data):
        if not part.misfit(found, settings):
            return size, found
    raise ValueError(f"no preset of {part.system} fits these settings: {settings}")


def _candidates(part: Part, preset: str, data: str) -> Iterator[tuple[str | None, Any]]:
    """The kinds of a part that the course can make: (preset, or None if shipped, it).

    Frozen, with random weights; that preset first, on that data where it can.
    """
    name, maker = default_network(part.system, data), info(part.system)
    if name is not None:
        yield None, untrained(name, trained=False)
    own = data if data in maker.data else None
    for size in dict.fromkeys([preset, *maker.presets]):
        found = maker.serves(build(part.system, size, own, trained=False))
        yield size, found.eval().requires_grad_(False)


def _advice(part: Part, settings: dict, preset: str, data: str) -> str:
    """How to get a part that fits."""
    import torch

    with torch.device("meta"):
        size, _ = _untrained_part(part, settings, preset, data)
    if size is None:
        return f"leave --{part.option} away for the one that ships"
    own = data if data in info(part.system).data else data_of(part.system)
    command, folder = run_of(part.system, size, own)
    return (
        f"train one with {command}, then add --{part.option} "
        f"runs/{folder}/checkpoint.pt"
    )


# ------------------------------------------------------------------- shipped networks


def default_network(system: str, data: str) -> str | None:
    """The shipped network of a system to take where nobody names one, or None."""
    for name, network in declarations.all_networks().items():
        if network.default and (network.system, network.data) == (system, data):
            return name
    return None


def untrained(name: str, trained: bool = True):
    """The shipped network of that name before training: its system, with its parts.

    trained: whether those are; else they have random weights.
    Raises ValueError for a name that nobody declares, WeightsError for bad weights of
    a part.
    """
    network, extra = network_info(name), {}
    if network.system:
        entry = info(network.system)
        settings = entry.settings(network.preset, network.data)
        for part in (p for p in entry.parts if p.needed(settings)):
            there = trained and default_network(part.system, network.data) is not None
            extra[part.argument] = _part(
                part, settings, network.preset, network.data, there, None
            )
    return network.make(**extra)


def shipped(name: str):
    """A trained network of the course with all it needs, frozen, in evaluation mode.

    Of a GAN the networks that don't draw stay untrained. Raises as `untrained`, and
    WeightsError for bad weights.
    """
    from . import weights

    network, system = network_info(name), untrained(name)
    weights.check_reader(name)
    weights.load_into(network.part(system), name)
    return system.eval().requires_grad_(False)


def draws(name: str) -> str:
    """What a shipped network draws from, one of `declarations.DRAWS`."""
    system = network_info(name).system
    return info(system).draws if system else ""


def judge(name: str) -> Callable | None:
    """What measures a shipped network, (system, count, seed) -> {what: value}."""
    network = network_info(name)
    if network.measure is not None:
        return resolve(network.measure)
    return judge_of(network.system, network.data)


def judge_of(system: str, data: str) -> Callable | None:
    """What measures a system (or "") that learned this data, or None."""
    found = info(system).measures.get(data) if system else None
    if found is None:
        found = data_info(data).judges.get(info(system).draws if system else "")
    return None if found is None else resolve(found)


def oracle_for(data: str, size: int):
    """What reads the pictures of that data; ValueError where nothing does."""
    entry = data_info(data)
    if entry.oracle is None:
        raise ValueError(f"Nothing reads the pictures of {data}.")
    return resolve(entry.oracle)(size)


# ------------------------------------------------------------------------- one's own


def from_checkpoint(path: str | Path, **parts):
    """The trained system of a checkpoint, with all it needs, frozen and ready to draw.

    As `shipped`, of a training of one's own: the networks are built as the checkpoint
    says, and its parts (a text encoder, a coder) are in it. parts: such a part by its
    class's argument, where it is of a size of one's own; what it holds is replaced.
    `system.origin` says what it is: {"system", "preset", "data"}. To train on, build
    the system and `fit` with resume=True.

    Raises CheckpointError when the file is damaged or none, or says too little.
    """
    from .training import checkpoint

    content = checkpoint.read(Path(path))
    name, preset, data = _origin(content, path)
    entry = info(name)
    shapes = content["fingerprint"]["shapes"]
    for can in [data] if data else list(entry.data):
        extra = dict(parts)
        for part in entry.parts:
            own = _shapes_of(part.argument, shapes)
            if part.argument not in extra and own:
                extra[part.argument] = _part_like(part, own, preset, can)
        if None not in extra.values():
            break
    for argument in (argument for argument, part in extra.items() if part is None):
        raise checkpoint.CheckpointError(
            f"{path} holds a {argument} of a size that no preset has; build one and "
            f"name it: from_checkpoint(path, {argument}=...)."
        )
    system = checkpoint.rebuild(path, entry.kind, f"t2i train {name}", **extra)
    system.origin = {"system": name, "preset": preset, "data": can}
    return system.eval().requires_grad_(False)


def _origin(content: dict, path) -> tuple[str, str, str]:
    """System, preset and data of a checkpoint; the data "" where it doesn't say."""
    from .training.checkpoint import CheckpointError

    kind = content["fingerprint"]["system"]
    origin = content.get("origin")
    origin = origin if isinstance(origin, dict) else {}
    same = [n for n, entry in systems().items() if entry.kind.__name__ == kind]
    name = origin.get("system") or next(iter(same), "")
    if name not in systems():
        raise CheckpointError(f"{path} is of {kind}, which is no system of the course.")
    data = origin.get("data") or ""
    preset = origin.get("preset") or "cpu"
    if (data and data not in info(name).data) or preset not in info(name).presets:
        raise CheckpointError(f"{path} is of another version: {name}, {preset}, {data}")
    return name, preset, data


def _shapes_of(part, shapes: dict) -> dict:
    """The shapes of the weights below a name."""
    start = f"{part}."
    return {k.removeprefix(start): v for k, v in shapes.items() if k.startswith(start)}


def _part_like(part: Part, shapes: dict, preset: str, data: str):
    """A part with these weights' shapes that the course can make, or None."""
    for maker in (part.system, *part.also):
        for _, found in _candidates(replace(part, system=maker), preset, data):
            own = found.state_dict().items()
            if {k: list(v.shape) for k, v in own if hasattr(v, "shape")} == shapes:
                return found
    return None


@dataclass(frozen=True)
class Chosen:
    """A network that somebody named: a shipped one, or a checkpoint of one's own.

    system: the network, ready; kind: whose it is, "" for one that no system trains;
    preset, data: as trained; draws: one of `declarations.DRAWS`; noise: the seed of the
    noise that it is measured with
    """

    name: str
    system: Any
    kind: str
    preset: str
    data: str
    noise: int = 0

    @property
    def draws(self) -> str:
        """What it draws from."""
        return info(self.kind).draws if self.kind else ""

    @property
    def judge(self) -> Callable | None:
        """What measures it, (system, count, seed) -> {what: value}, or None."""
        if self.name in declarations.all_networks():
            return judge(self.name)
        return judge_of(self.kind, self.data)


def chosen(name: str) -> Chosen:
    """The network of that name, or of that checkpoint (or of the folder it lies in).

    Raises ValueError as `shipped`, CheckpointError as `from_checkpoint`.
    """
    if name not in declarations.all_networks() and is_path(name):
        path = Path(name)
        path = path / "checkpoint.pt" if path.is_dir() else path
        system = from_checkpoint(path)
        kind, preset, data = system.origin.values()
        return Chosen(name, system, kind, preset, data)
    network = network_info(name)
    system = shipped(name)
    made = network.system, network.preset, network.data, network.noise
    return Chosen(name, system, *made)


def is_path(name: str) -> bool:
    """Whether a name is meant as a file's: with a folder, an ending, or it's there."""
    return Path(name).name != name or bool(Path(name).suffix) or Path(name).exists()


# --------------------------------------------------------------------------- training


def source_for(name: str, preset: str, data: str | None = None, seed: int = 0):
    """What the system of that name trains on at a preset; a `data.Source`.

    Draws (or reads) a world where it is needed. ValueError as `build`.
    """
    entry, data = info(name), data_of(name, data)
    settings = entry.settings(preset, data)
    side = settings["shape"][-1] if "shape" in settings else settings["size"]
    world = data_info(data)
    source = world.source(
        world.splits[0], side, settings["batch_size"], seed, preset == "smoke"
    )
    return source if entry.wrap is None else entry.wrap(source, settings)


# --------------------------------------------------------------------------- counting


def parameter_counts(name: str, preset: str) -> dict[str, int]:
    """How many weights each network of a system has at a preset; frozen ones too.

    Built on the meta device: nothing is allocated, whatever the size. What stands in
    two networks counts with the first.
    """
    import torch

    with torch.device("meta"):
        system = build(name, preset, trained=False)
    found, met = {}, set()
    for part, network in system.named_children():
        several = isinstance(network, torch.nn.ModuleDict)
        for key, inner in network.items() if several else [("", network)]:
            label = f"{part}.{key}" if key else part
            new = {weight for weight in inner.parameters() if weight not in met}
            found[label] = sum(weight.numel() for weight in new)
            met |= new
    return found
