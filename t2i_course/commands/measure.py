"""t2i measure: a shipped network afresh, or a training of one's own."""

from __future__ import annotations

import argparse
import json
from inspect import Parameter, signature

from . import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `t2i measure`."""
    parser.add_argument(
        "name", metavar="NAME", help="a shipped network, or a checkpoint of t2i train"
    )
    parser.add_argument(
        "--captions",
        metavar="FILE.tsv",
        help="measure obedience on these: a caption, a tab, and what it "
        "names, as in wing=blue,belly=red",
    )
    parser.add_argument(
        "--count",
        type=int,
        metavar="N",
        help="how many pictures, or captions that were not trained on (default: as "
        "many as the figures on record were measured with)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        metavar="S",
        help="of the noise and of the captions (default: as for the figures on record)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(options: argparse.Namespace) -> int:
    """Prints what the network's judge finds."""
    from .. import systems, threads

    threads.keep_watch()
    if options.count is not None and not 2 <= options.count <= 100_000:
        raise UserError(f"--count is 2 to 100000, not {options.count}")
    refuse_unmeasured(options.name)
    network = systems.chosen(options.name)
    if network.judge is None:
        raise UserError(f"nothing measures {network.kind} on {network.data}; {can()}")
    more = {"count": options.count or usual_count(network.judge)}
    if options.captions:
        if network.draws != "sentences":
            raise UserError(f"{options.name} reads no captions; leave --captions out")
        more["captions"] = options.captions
    seed = network.noise if options.seed is None else options.seed
    found = network.judge(network.system, seed=seed, **more)
    if options.json:
        print(json.dumps({"network": options.name, "measured": found}))
        return 0
    for name, value in found.items():
        print(f"{name:<18} {value:8.4f}")
    return 0


def usual_count(judge) -> int:
    """How many a judge looks at where nobody says: as the figures on record."""
    usual = signature(judge).parameters["count"].default
    return 1000 if usual is Parameter.empty else usual


def can() -> str:
    """What is measured, in words."""
    from .. import systems
    from ..declarations import all_networks

    return f"t2i measures {', '.join(filter(systems.judge, all_networks()))}"


def refuse_unmeasured(name: str) -> None:
    """UserError for a name of none, or of one that isn't measured."""
    from .. import systems, weights
    from ..declarations import all_networks

    known = name in all_networks()
    if systems.judge(name) if known else systems.is_path(name):
        return
    made, why = weights.manifest().get(name), "is no network of the course"
    if made is not None:
        why = f"is measured by {made['command']}"
    raise UserError(f"{name!r} {why}; {can()}")
