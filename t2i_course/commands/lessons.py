"""t2i lessons: the lessons, their minutes and slides."""

from __future__ import annotations

import argparse
import json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `t2i lessons`."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(options: argparse.Namespace) -> int:
    """Prints the list."""
    from ..lesson import LESSONS

    if options.json:
        keys = ("number", "title", "line", "slides", "minutes", "file", "wants_gpu")
        rows = [{key: getattr(x, key) for key in keys} for x in LESSONS.values()]
        print(json.dumps(rows, indent=1))
        return 0
    for x in LESSONS.values():
        print(f"{x.number}  {x.title}: {x.line}")
        work, computing = x.minutes["work"], x.minutes["cpu"]
        minutes = f"{work:g} to work through, {computing:g} of computing on a CPU"
        print(f"    lessons/{x.file}.ipynb; minutes: {minutes}\n    slides: {x.slides}")
    return 0
