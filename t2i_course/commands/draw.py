"""t2i draw: pictures for captions, or for none, as one PNG file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `t2i draw`."""
    caption = parser.add_argument(
        "caption",
        metavar="CAPTION",
        nargs="+",
        default=[],
        help="a sentence in quotes, or more; none for a network that reads none",
    )
    caption.required = False  # nargs="*" would take none where options come first
    parser.add_argument(
        "--system",
        metavar="NAME",
        help="a shipped network (default: the best that reads captions)",
    )
    parser.add_argument(
        "--count",
        type=int,
        default=1,
        metavar="N",
        help="how many pictures of each caption, side by side (default 1)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="of the noise: the same seed draws the same (default 0)",
    )
    parser.add_argument(
        "--out",
        default="birds.png",
        metavar="FILE.png",
        help="where to write (default birds.png)",
    )
    # argparse's own words for a caption that is missing where one is needed
    parser.set_defaults(refuse=parser.error)


def main(options: argparse.Namespace) -> int:
    """Draws, writes the file, and prints its name."""
    from .. import systems
    from ..drawing import PROTOCOLS

    out = checked(options)
    name = options.system or the_best()
    kind = systems.draws(name)
    if not kind:
        raise UserError(f"{name} draws nothing by itself")
    if kind != "sentences" and options.caption:
        raise UserError(f"{name} reads no captions; leave them out")
    if kind == "sentences" and not options.caption:
        options.refuse("a caption is needed: a sentence in quotes")
    batch = asked(options, name, kind)
    pictures = PROTOCOLS[kind](
        systems.shipped(name), batch, options.seed, options.count
    )
    save_sheet(pictures, out)
    print(out)
    return 0


def checked(options: argparse.Namespace) -> Path:
    """The file to write; UserError for options that can't be."""
    captions = options.caption
    if len(captions) > 1 and not any(" " in caption.strip() for caption in captions):
        raise UserError(f'put the sentence in quotes: t2i draw "{" ".join(captions)}"')
    rows = max(len(captions), 1)
    if not 1 <= options.count * rows <= 400:
        raise UserError(f"--count is 1 to {400 // rows}, not {options.count}")
    out = Path(options.out)
    if out.suffix.lower() != ".png":
        raise UserError(f"--out names a .png file, not {options.out!r}")
    return out


def the_best() -> str:
    """The shipped network that draws where nobody names one."""
    from .. import systems
    from ..declarations import all_networks

    best = (
        name
        for name, network in all_networks().items()
        if network.default and systems.draws(name) == "sentences"
    )
    return next(best)


def asked(options: argparse.Namespace, name: str, kind: str):
    """The batch that asks for what is to be drawn; unknown words are told of."""
    import torch

    from .. import drawing, systems
    from ..data import Batch

    network = systems.network_info(name)
    if kind == "noise":
        return drawing.unasked(1)
    if kind == "classes":  # of a class that it has seen, another for each seed
        source = systems.source_for(network.system, network.preset, network.data)
        seen = source.batch(options.seed)
        return Batch(torch.zeros(1, 0), class_id=seen.class_id[:1])
    captions, words = options.caption, systems.data_info(network.data).vocabulary()
    batch = Batch(torch.zeros(len(captions), 0), captions, *words.encode(captions))
    unknown = [word for caption in captions for word in words.unknown(caption[:1000])]
    if unknown:
        named = ", ".join(dict.fromkeys(unknown[:8]))
        print(f"t2i draw: words this network doesn't know: {named}", file=sys.stderr)
    return batch


def save_sheet(pictures, out: Path) -> None:
    """Writes pictures (N, C, S, S) side by side, enlarged to be looked at."""
    from PIL import Image

    from ..show.pictures import mosaic

    columns = min(len(pictures), 8 if len(pictures) > 4 else 4)
    enlarge = max((256 if len(pictures) == 1 else 128) // pictures.shape[-1], 1)
    sheet = mosaic(pictures, columns, gap=4, enlarge=enlarge)
    Image.fromarray(sheet).save(out)
