"""t2i measure: a shipped network afresh."""

from __future__ import annotations

import argparse
import json

from . import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `t2i measure`."""
    parser.add_argument("name", metavar="NAME", help="a shipped network")
    parser.add_argument(
        "--captions",
        metavar="FILE.tsv",
        help="measure obedience on these: a caption, a tab, and what it "
        "names, as in wing=blue,belly=red",
    )
    parser.add_argument(
        "--count",
        type=int,
        default=1000,
        metavar="N",
        help="how many pictures, or captions that were not trained on (default 1000)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="default 0")
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(options: argparse.Namespace) -> int:
    """Prints what the network's judge finds."""
    from .. import systems, threads

    threads.keep_watch()
    if not 1 <= options.count <= 100_000:
        raise UserError(f"--count is 1 to 100000, not {options.count}")
    judge, more = judge_of(options.name), {}
    if options.captions:
        if systems.draws(options.name) != "sentences":
            raise UserError(f"{options.name} reads no captions; leave --captions out")
        more["captions"] = options.captions
    system = systems.shipped(options.name)
    found = judge(system, options.count, options.seed, **more)
    if options.json:
        print(json.dumps({"network": options.name, "measured": found}))
        return 0
    for name, value in found.items():
        print(f"{name:<18} {value:8.4f}")
    return 0


def judge_of(name: str):
    """What measures a shipped network; UserError names those that are measured."""
    from .. import systems, weights
    from ..declarations import all_networks

    known = all_networks()
    judge = systems.judge(name) if name in known else None
    if judge is None:
        made = weights.manifest().get(name)
        why = "is no network of the course"
        if made is not None:
            why = f"is measured by {made['command']}"
        can = ", ".join(filter(systems.judge, known))
        raise UserError(f"{name!r} {why}; t2i measures {can}")
    return judge
