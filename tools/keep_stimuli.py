"""Grow the pictures of ImageNet's units that lesson 17 shows, and put them on record.

    python tools/keep_stimuli.py [NAME ...]

Needs the extra "imagenet"; about four minutes on one core for all. Seed 0 throughout.
"""

from __future__ import annotations

import argparse
import sys

import torch

from t2i_course.experiments.lesson17_imagenet import (
    BELL_PEPPER,
    VIEWS,
    priors_of,
    reader,
)
from t2i_course.inside.maximize import Prior, layer_of, maximize, of_units
from t2i_course.inside.priors import PHOTOGRAPHS, Fourier, Views
from t2i_course.papers.efficientnet_lite import class_names
from t2i_course.show.stimuli import Sheet, keep_sheet, stretched

ALL = Prior(canvas=Fourier(PHOTOGRAPHS), views=VIEWS)
WIDE = Prior(canvas=Fourier(PHOTOGRAPHS), views=Views(32, 20, 0.3))
COMMAND = "python tools/keep_stimuli.py {}"


def numbers_of(*names: str) -> list[int]:
    """Classes by their names."""
    return [class_names().index(name) for name in names]


def readings(pictures, name: str = "lite1") -> list[str]:
    """What a network says of each picture: its first three classes, with shares."""
    said = []
    with torch.no_grad():
        for shares in reader(name)(pictures).softmax(1):
            best = shares.argsort(descending=True)[:3].tolist()
            each = (f"{class_names()[i]} {shares[i]:.2f}" for i in best)
            said.append(", ".join(each))
    return said


def priors() -> Sheet:
    """Each prior alone, four classes, at 128 pixels, stretched."""
    names = ("bell pepper", "volcano", "flamingo", "monarch butterfly")
    names = [name if name in class_names() else name.split()[0] for name in names]
    shown = ("none", "total variation", "Gaussian blur", "bilateral filter", "jitter",
             "waves", "waves, photographs' colours",
             "waves, colours, views")  # fmt: skip
    pictures = []
    for name in shown:
        activation = of_units(reader(), numbers_of(*names))
        grown = maximize(activation, (4, 3, 128, 128), priors_of()[name])
        pictures.append(grown.picture)
    said = [text for group in pictures for text in readings(group)]
    rows = [name.replace(", ", ",\n", 1) for name in shown]
    return Sheet(torch.cat([stretched(p) for p in pictures]), rows, names, said)


def peppers() -> Sheet:
    """The same class at 224 pixels, from four noises, with narrow and wide views."""
    pictures = [
        maximize(of_units(reader(), BELL_PEPPER), (4, 3, 224, 224), prior).picture
        for prior in (ALL, WIDE)
    ]
    said = [text for group in pictures for text in readings(group)]
    return Sheet(torch.cat(pictures), ["views", "wider views"], list("1234"), said)


def hidden() -> Sheet:
    """Channels of five layers, the first six of each, at 96 pixels."""
    picked = {"stem": "stem", "block 3": "blocks.2", "block 6": "blocks.5",
              "block 11": "blocks.10", "block 16": "blocks.15"}  # fmt: skip
    pictures = []
    for name in picked.values():
        activation = of_units(layer_of(reader(), name), torch.arange(6))
        grown = maximize(activation, (6, 3, 96, 96), ALL)
        pictures.append(grown.picture)
    return Sheet(torch.cat(pictures), list(picked), [f"channel {i}" for i in range(6)])


def several() -> Sheet:
    """Two classes alone, and both at once, at 160 pixels."""
    one, two = numbers_of("goldfish", "volcano")
    alone = maximize(of_units(reader(), [one, two]), (2, 3, 160, 160), ALL).picture

    def both(pictures):
        rows = reader()(pictures)
        return rows[:, one] + rows[:, two]

    together = maximize(both, (1, 3, 160, 160), ALL).picture
    pictures = torch.cat([alone, together])
    return Sheet(pictures, [], ["goldfish", "volcano", "both"], readings(pictures))


def selective() -> Sheet:
    """The slides' hartebeest and impala: activation, and logarithm of the softmax."""
    names = ("hartebeest", "impala")
    names = [next(n for n in class_names() if n.startswith(name)) for name in names]
    pictures = [
        maximize(of_units(reader(), numbers_of(*names), form), (2, 3, 128, 128), ALL)
        for form in ("raw", "log-softmax")
    ]
    pictures = torch.cat([grown.picture for grown in pictures])
    return Sheet(pictures, ["raw", "log-softmax"], names, readings(pictures, "lite0"))


SHEETS = {f.__name__: f for f in (priors, peppers, hidden, several, selective)}


def main(arguments: list[str]) -> None:
    """Make the sheets that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *SHEETS], metavar="NAME")
    for name in parser.parse_args(arguments).names or SHEETS:
        sheet = SHEETS[name]()
        sheet.command = COMMAND.format(name)
        keep_sheet(name, sheet)
        print(name, sheet.said, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
