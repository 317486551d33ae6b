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
        help="a shipped network, or a checkpoint of t2i train (default: the best "
        "shipped one that reads captions)",
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
    parser.add_argument(
        "--attention",
        action="store_true",
        help="beside the picture, where each stage of the network looked for the five "
        "words that it looked at most; of one caption, and a network with attention",
    )
    # argparse's own words for a caption that is missing where one is needed
    parser.set_defaults(refuse=parser.error)


def main(options: argparse.Namespace) -> int:
    """Draws, writes the file, and prints its name."""
    from .. import systems
    from ..drawing import PROTOCOLS

    out = checked(options)
    network = systems.chosen(options.system or the_best())
    if not network.draws:
        raise UserError(f"{network.name} draws nothing by itself")
    if network.draws == "pictures":
        raise UserError(
            f"{network.name} changes pictures; use t2i edit: t2i edit birds:17 "
            f'"this bird has blue wings" --system {network.name}'
        )
    if network.draws != "sentences" and options.caption:
        raise UserError(f"{network.name} reads no captions; leave them out")
    if network.draws == "sentences" and not options.caption:
        options.refuse("a caption is needed: a sentence in quotes")
    if options.attention:
        check_attention(options, network)
    batch, more = asked(options, network)
    if options.attention:
        save_attended(network, batch, options, out)
        print(out)
        return 0
    pictures = PROTOCOLS[network.draws](network.system, batch, options.seed, **more)
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
    """The shipped network that draws where nobody names one: it obeys most."""
    from .. import systems
    from ..declarations import all_networks
    from ..weights import manifest

    known = manifest()
    obeyed = {
        name: known[name]["measured"]["all"]
        for name, network in all_networks().items()
        if network.default and name in known and systems.draws(name) == "sentences"
    }
    return max(obeyed, key=obeyed.get)


def asked(options: argparse.Namespace, network):
    """The batch that asks for what is to be drawn, and how else to draw.

    What a caption holds that the network doesn't understand is said on stderr.
    """
    import torch

    from .. import drawing, systems
    from ..data import Batch

    if network.draws == "noise":
        return drawing.unasked(1), {"samples": options.count}
    if network.draws == "classes":  # of one that it has seen, another for each seed
        source = systems.source_for(network.kind, network.preset, network.data)
        seen = source.batch(options.seed)
        more = None if seen.attributes is None else seen.attributes[:1]
        one = Batch(torch.zeros(1, 0), class_id=seen.class_id[:1], attributes=more)
        return one, {"samples": options.count}
    captions = [caption for caption in options.caption for _ in range(options.count)]
    words = systems.data_info(network.data).vocabulary()
    batch = Batch(torch.zeros(len(captions), 0), captions, *words.encode(captions))
    for note in words.notes(options.caption):
        print(f"t2i draw: {note}", file=sys.stderr)
    # Picture k of caption c has noise c + k, however many there are of each.
    rows = torch.arange(len(options.caption))[:, None] + torch.arange(options.count)
    return batch, {"rows": rows.flatten()}


def check_attention(options: argparse.Namespace, network) -> None:
    """UserError unless the network looks at words, and one picture is asked for."""
    from ..drawing import looks

    if network.draws != "sentences" or not looks(network.system):
        raise UserError(
            f"{network.name} looks at no words: it has no attention to show"
        )
    if len(options.caption) != 1 or options.count != 1:
        raise UserError("--attention shows one picture: one caption, and no --count")


def save_attended(network, batch, options: argparse.Namespace, out: Path) -> None:
    """Writes the picture and its attention maps; `show.attended`."""
    from ..drawing import with_attention
    from ..show.attended import attended
    from ..text import split_words

    pictures, looked = with_attention(network.system, batch, options.seed)
    words = split_words(options.caption[0])[: batch.tokens.shape[1]]
    maps = [stage[0] for stage in looked]
    figure = attended(pictures[0], maps, words, options.caption[0])
    write_png(out, lambda file: figure.savefig(file, format="png"))


def write_png(out: Path, write) -> None:
    """The file whole or not at all; UserError where there is no folder for it."""
    from ..training.checkpoint import write_whole

    if not out.parent.is_dir():
        raise UserError(f"there is no folder {out.parent} to write {out.name} to")
    write_whole(out, write)


def save_sheet(pictures, out: Path) -> None:
    """Writes pictures (N, C, S, S) side by side, enlarged to be looked at.

    The file is there whole or not at all; a former one stays until then.
    """
    from PIL import Image

    from ..show.pictures import mosaic

    if pictures.ndim != 4:
        raise UserError("this network makes points, not pictures; t2i measure reads it")
    columns = min(len(pictures), 8 if len(pictures) > 4 else 4)
    enlarge = max((256 if len(pictures) == 1 else 128) // pictures.shape[-1], 1)
    sheet = Image.fromarray(mosaic(pictures, columns, gap=4, enlarge=enlarge))
    write_png(out, lambda file: sheet.save(file, "PNG"))
