"""Looking at the bird world: flocks, and what is known about one drawing."""

from __future__ import annotations

import numpy as np
import torch

from ..worlds.bird_drawing import PARTS, draw_birds
from ..worlds.bird_species import (
    ATTRIBUTES,
    individual_contents,
    individual_styles,
    species_table,
)
from ..worlds.birds import boxes_of
from .described import list_in_words
from .pictures import new_figure, to_pixels

__all__ = ["anatomy", "content_of", "flock"]


def content_of(species: int) -> dict[str, str]:
    """What a species is in its first plumage, {"wing": "blue", ...}."""
    row = species_table()[species]
    return {name: ATTRIBUTES[name][value] for name, value in zip(ATTRIBUTES, row)}


def flock(species, individuals: int = 1, size: int = 64):
    """`individuals` birds of each of these species, each in the next plumage.

    Returns pictures (N, 3, size, size) uint8 and part maps (N, size, size) uint8,
    species by species; the numbers of a part map index `PARTS`. The same call draws the
    same birds.
    """
    species = np.asarray(species)
    style = np.concatenate([individual_styles(int(s), individuals) for s in species])
    content = np.concatenate(
        [individual_contents(int(s), individuals) for s in species]
    )
    pictures, parts = draw_birds(content, style, size)
    return torch.from_numpy(pictures), torch.from_numpy(parts)


def anatomy(picture, parts, title: str | None = None):
    """One bird (3, S, S), its part map (S, S) in colours, and its parts' boxes."""
    import matplotlib

    colours = np.array([matplotlib.colors.to_rgb(f"C{i}") for i in range(6)])
    table = np.vstack([[0.93, 0.93, 0.93], colours, [0.3, 0.3, 0.3]])[: len(PARTS)]
    figure = new_figure(7.4, 2.7)
    axes = figure.subplots(1, 3)
    axes[0].imshow(to_pixels(picture)[0])
    axes[1].imshow(table[np.asarray(parts)])
    axes[2].imshow(to_pixels(picture)[0])
    size = np.shape(parts)[-1]
    boxes = boxes_of(np.asarray(parts)[None])[0]
    for number, (x0, y0, x1, y1) in enumerate(boxes * size, start=1):
        if x1 > x0:
            box = matplotlib.patches.Rectangle(
                (x0 - 0.5, y0 - 0.5),
                x1 - x0,
                y1 - y0,
                fill=False,
                lw=1.8,
                ec=table[number],
                label=PARTS[number],
            )
            axes[2].add_patch(box)
    for axis, name in zip(axes, ("the picture", "its parts", "their boxes")):
        axis.set_title(name, fontsize=10)
        axis.set_axis_off()
    axes[2].legend(loc="upper left", bbox_to_anchor=(1.02, 1), fontsize=9)
    if title:
        figure.suptitle(title, fontsize=11)
    seen = [name for name, (x0, _, x1, _) in zip(PARTS[1:], boxes) if x1 > x0]
    return figure.knows(
        "Three views of one drawn bird: the picture, its parts each in a colour of its "
        "own, and a box round each part",
        f"To be seen: {list_in_words(seen)}",
    )
