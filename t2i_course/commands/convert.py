"""t2i convert: weights that a paper's authors released, for the course's networks."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import UserError

ENDING = ".safetensors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `t2i convert`; see `add_parts` for those of each release."""
    parser.add_argument("name", metavar="NAME", help="whose weights (listed below)")
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="the authors' files, one of each kind"
    )
    parser.add_argument(
        "--out",
        metavar=f"FILE{ENDING}",
        help=f"where to write (default NAME-released{ENDING})",
    )


def add_parts(parser: argparse.ArgumentParser) -> None:
    """Each release's own options, and their list (imports all papers)."""
    from ..declarations import all_releases

    found = all_releases()
    for release in found.values():
        for option, (can, line) in release.choices.items():
            parser.add_argument(f"--{option}", choices=can, default=can[0], help=line)
    lines = "; ".join(f"{name}: {release.line}" for name, release in found.items())
    parser.epilog = f"{lines}."


def main(options: argparse.Namespace) -> int:
    """Converts, and prints what is in the file, what is missing, and its name."""
    from ..declarations import all_releases

    found = all_releases()
    if options.name not in found:
        raise UserError(f"no release {options.name!r}; there are {', '.join(found)}")
    release = found[options.name]
    out = Path(options.out or release.out)
    if out.suffix.lower() != ENDING:
        raise UserError(f"--out names a {ENDING} file, not {options.out!r}")
    if not out.parent.is_dir():
        raise UserError(f"there is no folder {out.parent} to write {out.name} to")
    given = {option: getattr(options, option) for option in release.choices}
    for line in release.convert(options.files, out, **given):
        print(line)
    print(out)
    return 0
