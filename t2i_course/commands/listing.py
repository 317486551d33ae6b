"""t2i systems: every system, its lesson, and how large its networks are."""

from __future__ import annotations

import argparse
import json

from . import PRESETS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `t2i systems`."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(options: argparse.Namespace) -> int:
    """Prints the list."""
    rows = table()
    if options.json:
        print(json.dumps(rows, indent=1))
        return 0
    for name, row in rows.items():
        data = " or ".join(row["data"])
        print(f"{name}  lesson {row['lesson']}: {row['line']} (on {data})")
        networks = row["parameters"]["paper"]
        wide = max(16, *map(len, networks))
        print("  " + " " * wide + "".join(f"{preset:>13}" for preset in PRESETS))
        for network in networks:
            sizes = [row["parameters"][preset].get(network, 0) for preset in PRESETS]
            print(f"  {network:<{wide}}" + "".join(f"{size:>13,}" for size in sizes))
        print()
    return 0


def table() -> dict[str, dict]:
    """What is to be known of each system, by name."""
    from ..systems import parameter_counts, systems

    return {
        name: {
            "lesson": entry.lesson,
            "line": entry.line,
            "data": list(entry.data),
            "parameters": {p: parameter_counts(name, p) for p in PRESETS},
        }
        for name, entry in systems().items()
    }
