"""What lessons 14 and 15 show: a picture before and after, and where it changed.

A picture that didn't change is black on the map; the scale is the same in all maps,
and its key stands below. `trade` holds what is kept against what is obeyed.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ..measure.editing import Edits, changes
from .described import number_in_words
from .pictures import grid, new_figure, to_pixels

__all__ = ["before_and_after", "changed_by", "heat", "learned", "missed", "trade"]

COLOURS = "inferno"
KEY = 0.55  # inches below the maps, for their scale
KEY_WORDS = "mean change of a pixel, 1.5 or more"
TOP = 1.5  # where the scale of every map ends, so that figures can be compared
SHARES = ("kept", "obeyed", "all named", "pose")  # 0 to 1, where 1 is wanted
MARKERS = "osD^vPX"
LONGEST = 240  # letters of a sentence above a picture


def heat(maps: Tensor) -> Tensor:
    """Maps (B, S, S) as pictures (B, 3, S, S) of bytes: 0 is black, TOP bright."""
    from matplotlib import colormaps

    colours = colormaps[COLOURS]((maps / TOP).clamp(0, 1).numpy(), bytes=True)
    return torch.from_numpy(colours[..., :3].copy()).permute(0, 3, 1, 2)


def as_bytes(pictures: Tensor) -> Tensor:
    """Pictures (B, 3, S, S), bytes or in [-1, 1], as bytes."""
    return torch.from_numpy(to_pixels(pictures)).permute(0, 3, 1, 2)


def add_key(figure) -> None:
    """The scale of the figure's maps, in the room left below them."""
    wide, high = figure.get_size_inches()
    long = min(2.4, 0.45 * wide)
    box = 0.5 - long / 2 / wide, 0.38 / high, long / wide, 0.1 / high
    axes = figure.add_axes(box)
    axes.imshow(np.linspace(0, 1, 256)[None], cmap=COLOURS, aspect="auto",
                extent=(0, TOP, 0, 1))  # fmt: skip
    axes.set_yticks([])
    axes.set_xticks([0, TOP / 2, TOP])
    axes.tick_params(labelsize=8, length=2, pad=1)
    axes.set_xlabel(KEY_WORDS, fontsize=8, labelpad=1)


def changed_by(
    before: Tensor, after: Tensor, sentence: str, wanted: Tensor | None = None
):
    """A picture, what became of it, and a map of where it changed.

    before: (3, S, S) in [-1, 1]; after: (N, 3, S, S), of one sentence with N noises;
    wanted: (3, S, S), the drawing that was asked for, where it is known. One row where
    N is 1, else the maps stand below the pictures. Lesson 14.
    """
    maps = changes(before.expand_as(after), after)
    count = len(after)
    last = [] if wanted is None else [wanted]
    shown = as_bytes(torch.stack([before, *after, *last]))
    if count == 1:
        heads = ["before", "after", "wanted"][: len(shown)]
        shown = torch.cat([shown, heat(maps)])
        heads, rows = [*heads, "where it changed"], None
    else:
        heads = ["before", *(f"after {i + 1}" for i in range(count)), "wanted"]
        heads, blank = heads[: len(shown)], torch.full_like(shown[:1], 255)
        ends = [blank] * len(last)
        shown = torch.cat([shown, blank, heat(maps), *ends])
        rows = ["picture", "where it\nchanged"]
    size = 1.92 if count == 1 else 1.28 if count < 5 else 0.96
    title = textwrap.shorten(sentence, LONGEST, placeholder=" ...").replace("$", r"\$")
    figure = grid(shown, heads, title=title, size=size, rows=rows, below=KEY)
    add_key(figure)
    means = ", ".join(number_in_words(float(each.mean())) for each in maps)
    return figure.knows(f"A pixel changed by {means} on average, by "
                        f"{number_in_words(float(maps.max()))} at most")  # fmt: skip


def missed(found: Edits, pictures: Tensor) -> Tensor:
    """(B,) bool: the oracle reads something that the sentence names otherwise."""
    seen = found.reader.read(pictures)
    return ((found.named >= 0) & (seen != found.named)).any(1)


def before_and_after(
    found: Edits, rows: Mapping[str, Tensor], title: str, maps: bool = True
):
    """Sources, what each editor makes of them, and the wanted drawings, a column each.

    found: a few edits, whose sentences head the columns; rows: {editor: pictures
    (B, 3, S, S)}. A red frame says that the oracle reads something that the sentence
    names otherwise. maps: below each editor's row stands where it changed the sources,
    all on one scale. Lessons 14 and 15.
    """
    source, many = found.source.image, len(found)
    change = {name: changes(source, each) for name, each in rows.items()}
    shown, names, framed = [as_bytes(source)], ["source"], [False] * many
    for name, pictures in rows.items():
        shown.append(as_bytes(pictures))
        names.append(name)
        framed += missed(found, pictures).tolist()
        if maps:
            shown.append(heat(change[name]))
            names.append("where it\nchanged")
            framed += [False] * many
    shown, names = torch.cat([*shown, as_bytes(found.wanted)]), [*names, "wanted"]
    figure = grid(shown, found.asked.caption, title=title, size=1.28, rows=names,
                  framed=framed, below=KEY if maps else 0.0)  # fmt: skip
    if maps:
        add_key(figure)
    said = (f"{name}: {int(missed(found, pictures).sum())} of {many}, and a pixel "
            f"changed by {number_in_words(float(change[name].mean()))} on average"
            for name, pictures in rows.items())  # fmt: skip
    return figure.knows("Framed in red, where the oracle reads otherwise than asked: "
                        + "; ".join(said))  # fmt: skip


def trade(
    rows: Mapping[str, Sequence[Mapping[str, float]]], title: str,
    across: str = "kept", up: str = "obeyed",
):  # fmt: skip
    """What is kept (or changed elsewhere) against what is obeyed: a dot a seed.

    rows: {editor: runs}, each with `across` and `up` as `editing.report` names them.
    Shares reach from 0 to 1 and 1 is wanted; of a change ("outside") 0 is. A star marks
    the corner where one would like to be. Lessons 14 and 15.
    """
    figure, said = new_figure(8.0, 3.8, layout="constrained"), []
    axes = figure.subplots()
    for i, (name, runs) in enumerate(rows.items()):
        x, y = ([run[what] for run in runs] for what in (across, up))
        seeds = "one seed" if len(runs) == 1 else f"{len(runs)} seeds"
        axes.scatter(x, y, s=50, marker=MARKERS[i % len(MARKERS)], color=f"C{i % 10}",
                     edgecolor="white", label=f"{name}, {seeds}", zorder=3)  # fmt: skip
        said.append(f"{name}: {across} {_span(x)}, {up} {_span(y)}")
    for what, put, runs in ((across, axes.set_xlim, rows), (up, axes.set_ylim, rows)):
        most = max(0.1, *(run[what] for each in runs.values() for run in each))
        put(*((-0.03, 1.05) if what in SHARES else (-0.02 * most, 1.15 * most)))
    best = [1.0 if what in SHARES else 0.0 for what in (across, up)]
    axes.scatter(*best, marker="*", s=170, color="0.35", label="where one would like "
                 "to be", clip_on=False, zorder=4)  # fmt: skip
    axes.set(xlabel=AXES.get(across, across), ylabel=AXES.get(up, up), title=title)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure.knows(f"Dots of {up} over {across}", *said)


AXES = {
    "kept": "kept: read as before, of what isn't named",
    "obeyed": "obeyed: read as asked, of what is to change",
    "outside": "mean change of a pixel outside (2 at most)",
}


def _span(values: Sequence[float]) -> str:
    """ "0.31 to 0.35", or the one value."""
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


def learned(trainings: Mapping[str, Sequence[Mapping]], title: str):
    """Both halves of an edit over a training's steps: obeyed left, kept right.

    trainings: {name: runs with a "curve" of (step, seconds, obeyed, kept, ...)}, as
    `experiments.runs_of` gives them; a line a seed, a colour a training. Lesson 14.
    """
    figure, ends = new_figure(7.6, 3.0), []
    both = figure.subplots(1, 2, sharey=True)
    for axes, column, what in zip(both, (2, 3), ("obeyed", "kept")):
        for number, (name, runs) in enumerate(trainings.items()):
            for place, run in enumerate(runs):
                steps, values = zip(*((row[0], row[column]) for row in run["curve"]))
                axes.plot(steps, values, color=f"C{number}", marker=".",
                          label=name if place == 0 else None)  # fmt: skip
                ends.append(f"{name}, {what} from {values[0]:.2f} to {values[-1]:.2f}")
        axes.set(xlabel="step", title=what, ylim=(0, 1))
    both[0].legend(loc="upper left")
    figure.suptitle(title)
    return figure.knows(title, "; ".join(ends))
