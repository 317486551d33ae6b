"""t2i edit: a picture changed by a sentence, as one PNG file."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from . import UserError

MOST = 8  # changed pictures that one file shows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `t2i edit`."""
    parser.add_argument(
        "picture",
        metavar="PICTURE",
        help="a picture file, or birds:17 or flowers:17, a drawing of a species that "
        "no network has seen",
    )
    sentence = parser.add_argument(
        "sentence",
        metavar="SENTENCE",
        nargs="+",
        default=[],
        help="what the picture is to show, in quotes",
    )
    sentence.required = False  # the answer to none is ours; nargs="*" would take none
    parser.add_argument(
        "--system",
        metavar="NAME",
        help="a shipped network that edits, or a checkpoint of t2i train (default: the "
        "shipped one for birds, or for flowers where picture or sentence is of them)",
    )
    parser.add_argument(
        "--count",
        type=int,
        default=1,
        metavar="N",
        help=f"how many changed pictures, 1 to {MOST}, each with other noise",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="of the noise: the same seed changes alike (default 0)",
    )
    parser.add_argument(
        "--out",
        default="edited.png",
        metavar="FILE.png",
        help="where to write (default edited.png)",
    )


def main(options: argparse.Namespace) -> int:
    """Changes the picture, writes the file, and prints its name."""
    from .draw import write_png

    sentence, out = checked(options)
    world, number = numbered(options.picture)
    network = editor(options.system or the_editor(world or spoken_of(sentence)))
    batch, notes = asked(sentence, network)
    size = network.system.network("generator").size
    source, cut_off = picture_of(options.picture, world, number, size)
    for line in filter(None, [cut_off, *notes]):
        note(line)
    if world not in ("", network.data):
        note(
            f"{network.name} has learned {network.data}, and the picture is of {world}"
        )
    after = changed(network.system, source, batch, options)
    if world:
        note(read(world, source, after[0]))
    figure = sheet(source, after, sentence)
    write_png(out, lambda file: figure.savefig(file, format="png"))
    print(out)
    return 0


def note(text: str) -> None:
    """A line on stderr."""
    print(f"t2i edit: {text}", file=sys.stderr)


# ------------------------------------------------------------------------ what is asked


def checked(options: argparse.Namespace) -> tuple[str, Path]:
    """The sentence, and the file to write; UserError for options that can't be."""
    words, usage = options.sentence, 't2i edit PICTURE "SENTENCE"'
    if not words:
        raise UserError(f"what is to change? Add a sentence in quotes: {usage}")
    if len(words) > 1:
        if any(" " in word.strip() for word in words):
            raise UserError(f"one picture and one sentence at a time: {usage}")
        said = " ".join(words)
        raise UserError(
            f'put the sentence in quotes: t2i edit {options.picture} "{said}"'
        )
    if not words[0].strip():
        raise UserError(f"the sentence is empty; say what is to change: {usage}")
    if not 1 <= options.count <= MOST:
        raise UserError(f"--count is 1 to {MOST}, not {options.count}")
    out = Path(options.out)
    if out.suffix.lower() != ".png":
        raise UserError(f"--out names a .png file, not {options.out!r}")
    if out.resolve() == Path(options.picture).resolve():
        raise UserError(f"{out} is the picture itself; name another file by --out")
    if not out.parent.is_dir():
        raise UserError(f"there is no folder {out.parent} to write {out.name} to")
    return words[0], out


def numbered(picture: str) -> tuple[str, int]:
    """("birds", 17) of "birds:17"; ("", 0) of a file; UserError for other numbers."""
    found = re.fullmatch(r"(\w\w+):(.*)", picture)  # C:\a.png is a file
    if found is None or Path(picture).exists():
        return "", 0
    from ..measure.one_edit import how_many
    from ..worlds.kinds import KINDS

    world, number = found.groups()
    if world not in KINDS:
        raise UserError(
            f"no world {world!r} and no file {picture}; there are "
            f"{' and '.join(f'{name}:17' for name in KINDS)}"
        )
    last = how_many(KINDS[world]) - 1
    if not re.fullmatch(r"\d{1,9}", number, re.ASCII) or int(number) > last:
        raise UserError(
            f"drawings of unseen {world} are {world}:0 to {world}:{last}, not {picture}"
        )
    return world, int(number)


def spoken_of(sentence: str) -> str:
    """Which world a sentence is about: the one that knows most of its words."""
    from ..worlds.kinds import KINDS

    unknown = {
        name: len(kind.world.vocabulary().unknown(sentence))
        for name, kind in KINDS.items()
    }
    return min(unknown, key=unknown.get)


def asked(sentence: str, network):
    """The sentence as the network reads it, and what it doesn't understand of it."""
    import torch

    from .. import systems
    from ..data import Batch

    words = systems.data_info(network.data).vocabulary()
    batch = Batch(torch.zeros(0), [sentence], *words.encode([sentence]))
    return batch, words.notes([sentence])


# -------------------------------------------------------------------------- the network


def editors() -> dict[str, str]:
    """{name: what it has learned} of the shipped networks that edit; defaults first."""
    from .. import systems
    from ..declarations import all_networks
    from ..weights import manifest

    known = manifest()
    found = {
        name: network
        for name, network in all_networks().items()
        if name in known and systems.draws(name) == "pictures"
    }
    return {name: found[name].data for name in sorted(
        found, key=lambda name: not found[name].default)}  # fmt: skip


def the_editor(world: str) -> str:
    """The shipped editor for a world; UserError where there is none."""
    for name, data in editors().items():
        if data == world:
            return name
    from ..declarations import all_systems

    can = [name for name, entry in all_systems().items() if entry.draws == "pictures"]
    raise UserError(
        f"no network that edits {world} ships with the course; train one (t2i train "
        f"{' or '.join(can)}), and name its checkpoint by --system"
    )


def editor(name: str):
    """The network of that name (`systems.Chosen`); UserError unless it edits."""
    from .. import systems
    from ..declarations import all_networks

    known = name in all_networks()
    network = None if known and systems.draws(name) != "pictures" else (
        systems.chosen(name))  # fmt: skip
    if network is None or network.draws != "pictures":
        there = [*editors(), "checkpoints of your own"]
        raise UserError(f"{name} changes no pictures; {', '.join(there)} may do so")
    return network


# ------------------------------------------------------------------------- the pictures


def picture_of(picture: str, world: str, number: int, size: int):
    """(3, size, size) in [-1, 1], and what was cut off; UserError for no picture."""
    from ..datasets.own_pictures import NoPicture, square
    from ..measure.one_edit import drawing
    from ..worlds.kinds import KINDS

    if world:
        return drawing(KINDS[world], number, size).to("cpu").image[0], ""
    try:
        found = square(picture, size)
    except NoPicture as error:
        more = ""
        if not Path(picture).exists():
            more = "; a picture comes first, then the sentence (birds:17 is a drawing)"
        raise UserError(f"{error}{more}") from None
    return found.picture, found.note


def changed(system, source, batch, options: argparse.Namespace):
    """(N, 3, S, S): what the system makes of the picture, with N noises."""
    from dataclasses import replace

    from ..drawing import from_pictures

    told = replace(batch, image=source[None])
    return from_pictures(system, told, options.seed, samples=options.count)


def read(world: str, before, after) -> str:
    """What the world's oracle reads otherwise than before, in words."""
    from ..measure.one_edit import read_otherwise
    from ..weights import WeightsError
    from ..worlds.kinds import KINDS

    try:
        pairs = read_otherwise(KINDS[world], before, after)
    except (ValueError, WeightsError) as error:
        return f"the oracle reads nothing: {error}"
    each = ", ".join(f"{name.replace('_', ' ')} {now} (was {was})"
                     for name, (was, now) in pairs.items())  # fmt: skip
    return f"the oracle reads {f'otherwise: {each}' if each else 'all as before'}"


def sheet(source, after, sentence: str):
    """The figure; `show.edited.changed_by`."""
    from ..show.edited import changed_by

    return changed_by(source, after, sentence)
