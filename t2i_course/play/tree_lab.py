"""One sentence for the smallest branch of a tree, another for all later ones.

`TreeLab` is plain Python and needs no browser; `TreeLab.widget` puts two text boxes, a
menu and a slider in front of it, with what ipywidgets 7.7 and 8 share.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..data import Batch
from ..drawing import noise_rows
from ..measure.branches import told
from ..text import NoKnownWord
from ..worlds.birds import vocabulary
from .caption_lab import as_png, read_birds

__all__ = ["START", "TreeLab", "Twice"]

START = "a completely blue bird", "a completely red bird"
MANY = 4


@dataclass
class Twice:
    """Pictures of each branch, (4, 3, s, s) each, or why there are none."""

    pictures: tuple[Tensor, ...] | None
    problem: str = ""

    @property
    def sheet(self) -> Tensor:
        """All pictures at the largest size, a row a branch: (4 * branches, 3, S, S)."""
        size = self.pictures[-1].shape[-1]
        return torch.cat([F.interpolate(made, size) for made in self.pictures])

    @property
    def words(self) -> str:
        """What the oracle reads in the largest pictures."""
        if self.pictures is None:
            return self.problem
        found = read_birds(self.pictures[-1])
        said = [
            f"{part} " + ", ".join(sorted({r[part] for r in found}))
            for part in ("wing", "belly", "crown")
        ]
        return f"In the largest the oracle reads: {'; '.join(said)}."


class TreeLab:
    """Trees that read sentences, by name: {name: system}."""

    def __init__(self, systems: Mapping):
        self.systems = {name: system.eval() for name, system in systems.items()}

    def view(self, first: str = START[0], later: str = "", name: str = "",
             style: int = 0) -> Twice:  # fmt: skip
        """Four pictures of each branch.

        first: what F_0 is told; later: what all other branches are told, the same if
        empty; name: which tree, the first by default; style: chooses the noise.
        """
        system = self.systems[name or next(iter(self.systems))]
        try:
            tokens, lengths = vocabulary().encode([first, later.strip() or first])
        except (NoKnownWord, TypeError) as error:
            return Twice(None, str(error))
        asked = Batch(torch.zeros(0), [first, later], tokens, lengths)
        with torch.no_grad():
            texts = system.text_encoder.of(asked)
        one, other = (text.expand(MANY, -1) for text in texts)
        size = system.network("generator").noise_size
        heard = [one] + [other] * (len(system.network("generator").sizes) - 1)
        return Twice(told(system, heard, noise_rows(int(style), MANY, size)))

    def widget(self, first: str = START[0], later: str = START[1]):
        """The lab for a browser; its parts are attributes of the box, for tests."""
        import ipywidgets as w

        wide = {"continuous_update": False, "layout": w.Layout(width="95%")}
        one = w.Text(value=first, description="F_0", **wide)
        other = w.Text(value=later, description="later", **wide)
        name = w.Dropdown(options=list(self.systems), description="tree")
        style = w.IntSlider(value=0, min=0, max=99, description="noise")
        image, line = w.Image(format="png", value=b""), w.HTML()
        controls = one, other, name, style

        def draw(_=None):
            found = self.view(*(control.value for control in controls))
            if found.pictures is not None:
                image.value = as_png(found.sheet, MANY)
            line.value = html.escape(found.words)

        for control in controls:
            control.observe(draw, "value")
        draw()
        box = w.VBox([*controls, image, line])
        box.controls, box.image, box.line = controls, image, line
        return box
