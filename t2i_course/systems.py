"""Every system of the course by name, built from what the papers' files declare.

`build` makes a system at a preset with all that it needs, `source_for` what it trains
on, `shipped` a trained network that comes with the course, `judge` what measures it;
`parameter_counts` says how large a system's networks are. No paper, world or data set
is named here: see `declarations`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from . import declarations
from .datasets import LATER
from .declarations import DataInfo, Network, Part, SystemInfo, resolve

__all__ = [
    "build", "data_info", "data_of", "default_network", "info", "judge", "network_info",
    "oracle_for", "parameter_counts", "shipped", "source_for", "systems", "untrained",
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
    if entry.make is not None:
        return entry.make(preset, data, **extra)
    return entry.kind.from_preset(preset, **extra)


def parts() -> list[Part]:
    """What systems are built on, one for each option of `t2i train`."""
    found = {p.option: p for entry in systems().values() for p in entry.parts}
    return list(found.values())


# ------------------------------------------------------------------ what it is built on


def from_checkpoint(name: str, path: str | Path):
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
    found = shipped(name) if path is None else from_checkpoint(part.system, path)
    if why := part.misfit(found, settings):
        which = part.called if path is None else f"{part.called} of {path}"
        advice = _advice(part, settings, preset, data)
        raise ValueError(f"the {which} {why}; {advice}")
    return found


def _untrained_part(part: Part, settings: dict, preset: str, data: str):
    """The preset of a part that fits, and the part with random weights.

    The shipped network's kind where that fits (its preset is None), else its system's
    at this preset, else at another. ValueError where none fits.
    """
    name, maker = default_network(part.system, data), info(part.system)
    if name is not None and not part.misfit(found := untrained(name), settings):
        return None, found
    own = data if data in maker.data else None
    for size in dict.fromkeys([preset, *maker.presets]):
        found = maker.serves(build(part.system, size, own, trained=False))
        if not part.misfit(found, settings):
            return size, found.eval().requires_grad_(False)
    raise ValueError(f"no preset of {part.system} fits these settings: {settings}")


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


def untrained(name: str):
    """The shipped network of that name before training: its system, with its parts.

    Raises ValueError for a name that nobody declares, WeightsError for bad weights of
    a part.
    """
    network, extra = network_info(name), {}
    if network.system:
        entry = info(network.system)
        settings = entry.settings(network.preset, network.data)
        for part in (p for p in entry.parts if p.needed(settings)):
            trained = default_network(part.system, network.data) is not None
            extra[part.argument] = _part(
                part, settings, network.preset, network.data, trained, None
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
    found = network.measure
    if found is None and network.system:
        found = info(network.system).measures.get(network.data)
    if found is None:
        found = data_info(network.data).judges.get(draws(name))
    return None if found is None else resolve(found)


def oracle_for(data: str, size: int):
    """What reads the pictures of that data; ValueError where nothing does."""
    entry = data_info(data)
    if entry.oracle is None:
        raise ValueError(f"Nothing reads the pictures of {data}.")
    return resolve(entry.oracle)(size)


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

    Built on the meta device: nothing is allocated, whatever the size.
    """
    import torch

    with torch.device("meta"):
        system = build(name, preset, trained=False)
    found = {}
    for part, network in system.named_children():
        several = isinstance(network, torch.nn.ModuleDict)
        for key, inner in network.items() if several else [("", network)]:
            label = f"{part}.{key}" if key else part
            found[label] = sum(weight.numel() for weight in inner.parameters())
    return found
