"""What lesson 07 shows of readers: tables and curves by slips and by length."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import mean

from ..data import Batch
from ..experiments import values
from ..measure import sentences
from ..measure.retrieval import caption_lists
from .curves import lines
from .pictures import new_figure, to_pixels
from .tables import Table, with_spread

__all__ = [
    "Watched",
    "by_letters",
    "length_table",
    "likeness_table",
    "slips_and_length",
    "slips_table",
]

OBSERVER = "the observer"


def slips_table(found: dict, rows: Mapping[str, str], note: str = "") -> Table:
    """A row a reader, a column a number of slips: mean ± deviation over seeds of R@1.

    found: `experiments.records("07")`; rows: {name: place}.
    """
    cells, heads = {}, []
    for name, place in rows.items():
        runs = values(found, place, "slips as they stand")
        heads = [_slips(n) for n in runs[0]] if runs else heads
        cells[name] = [with_spread([run[n] for run in runs], 3) for n in runs[0]]
    return Table(heads, cells, note)


def _slips(number: str) -> str:
    return f"{number} slip" if number == "1" else f"{number} slips"


def length_table(found: dict, rows: Mapping[str, str], note: str = "") -> Table:
    """A row a reader, a column a number of attributes named: R@1, and the observer's.

    Below them how many captions there are of each kind.
    """
    cells, heads, best, many = {}, [], [], []
    for name, place in rows.items():
        runs = values(found, place, "length")
        heads = [f"{n} named" for n in runs[0]]
        cells[name] = [with_spread([run[n][0] for run in runs], 3) for n in runs[0]]
        best = [f"{mean(run[n][1] for run in runs):.3f}" for n in runs[0]]
        many = [str(runs[0][n][2]) for n in runs[0]]
    return Table(heads, {**cells, OBSERVER: best, "captions": many}, note)


def slips_and_length(found: dict, rows: Mapping[str, str], title: str):
    """R@1 by slips of the fingers, and by attributes named beside the observer's.

    Means over seeds; rows: {name: place}. Returns the Figure.
    """
    figure = new_figure(9.0, 3.4)
    left, right = figure.subplots(1, 2, sharey=True)
    slips, named, best = {}, {}, []
    for name, place in rows.items():
        runs = values(found, place, "slips as they stand")
        slips[name] = [mean(run[n] for run in runs) for n in runs[0]]
        counts = [int(n) for n in runs[0]]
        runs = values(found, place, "length")
        named[name] = [mean(run[n][0] for run in runs) for n in runs[0]]
        best = [mean(run[n][1] for run in runs) for n in runs[0]]
    lines(counts, slips, "slips of the fingers in a caption", "R@1", axes=left)
    named[OBSERVER] = best
    names = range(1, len(best) + 1)
    lines(names, named, "attributes named (5: or more)", "", axes=right,
          dashed=[OBSERVER], between=(0, 1.02))  # fmt: skip
    left.set_xticks(counts)
    right.set_xticks(names)
    figure.suptitle(title, fontsize=11)
    return figure


def by_letters(
    readers: Mapping[str, object], batch: Batch, note: str = "", named: int = 0
) -> Table:
    """R@1 by how many letters a caption has: a row a reader, and the observer's.

    named: only the captions that name so many attributes (2, in the lesson).
    """
    edges = [0, *(sentences.LETTERS_OF_TWO if named else sentences.LETTERS)]
    kind = sentences.letters_in(batch, edges[1:])
    if named:
        kind = kind.where(sentences.names_so_many(batch) == named, -1)
    heads = [f"{a} to {b - 1}" for a, b in pairwise(edges)]
    heads[0] = f"under {edges[1]} letters"
    heads.append(f"{edges[-1]} or more")
    found = {name: sentences.found_by(r, batch) for name, r in readers.items()}
    found[OBSERVER] = sentences.observer_by(batch)
    each = range(len(edges))
    rows = {name: [_share(x[kind == k]) for k in each] for name, x in found.items()}
    rows["captions"] = [str(int((kind == k).sum())) for k in each]
    return Table(heads, rows, note)


def _share(found) -> str:
    return f"{found.mean().item():.2f}" if len(found) else "none"


def likeness_table(readers: Mapping[str, object], pairs: Sequence, note: str = ""):
    """The cosines of pairs of sentences: a row a pair, a column a reader. A Table."""
    rows = {
        f"{a} · {b}": [_likeness(reader, a, b) for reader in readers.values()]
        for a, b in pairs
    }
    return Table(list(readers), rows, note)


def _likeness(reader, first: str, second: str) -> str:
    try:
        return f"{sentences.likeness(reader, first, second):.2f}"
    except ValueError:
        return "no word it knows"


class Watched:
    """Looks in on a reader that learns: R@1 on unseen birds so far, and one picture.

    batch: birds that nobody trains on, a caption each; the curve is drawn beside the
    observer's line (`sentences.ceilings`). show: a figure, for `fit`.
    """

    def __init__(self, batch: Batch, name: str, asked: int = 0):
        self.batch, self.name, self.asked = batch, name, asked
        self.lists = caption_lists(batch.class_id)
        self.level = sentences.ceilings(batch)["R@1"]

    def __call__(self, system, history):
        """Measure, note it in the history as "R@1", and draw."""
        reader = _on_cpu(system.reader())
        pictures, texts = reader.see(self.batch.image), reader.read(self.batch.caption)
        scores = sentences.scores_of(pictures, texts, self.lists)
        history.measure("R@1", sentences.within(scores, 1).mean().item())
        best = self.lists[self.asked, scores[self.asked].argmax()]
        return self.figure(history, self.batch.caption[best], int(best) == self.asked)

    def figure(self, history, best: str, own: bool):
        """The curve so far, and what one bird is taken for."""
        figure = new_figure(7.6, 3.0)
        left, right = figure.subplots(1, 2, width_ratios=[1, 2.2])
        left.imshow(to_pixels(self.batch.image[self.asked : self.asked + 1])[0])
        left.set_axis_off()
        said = "\n".join(textwrap.wrap(best, 30))
        left.set_title("its own caption" if own else "the best of its 100", fontsize=9)
        left.text(0.5, -0.05, said, fontsize=8, ha="center", va="top",
                  transform=left.transAxes)  # fmt: skip
        steps = [step for step, _, _ in history.measures["R@1"]]
        many = len(self.batch)
        lines(steps, {"R@1": history.values("R@1")}, "step",
              f"R@1, {many} unseen birds", marks={OBSERVER: self.level}, axes=right,
              between=(0, 1))  # fmt: skip
        figure.suptitle(f"{self.name}, step {history.step:,}", fontsize=11)
        return figure.knows(
            f'At the left a bird; of its 100 captions "{best}" fits best'
        )


def _on_cpu(reader):
    """A reader's copy where the pictures lie."""
    image, text = (copy.deepcopy(part).cpu() for part in (reader.image, reader.text))
    return replace(reader, image=image, text=text)
