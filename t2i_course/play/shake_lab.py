"""Eight birds of one sentence: what is drawn anew, and how far it is shaken.

`ShakeLab` is plain Python and needs no browser; `ShakeLab.widget` puts a text box, two
menus and two sliders in front of it, with what ipywidgets 7.7 and 8 share.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data import Batch
from ..drawing import noise_rows
from ..measure.scores import diversity
from ..measure.style import ruler
from ..measure.variety import z_size
from ..text import NoKnownWord
from ..worlds.birds import vocabulary
from .caption_lab import as_png, read_birds

__all__ = ["ANEW", "START", "Eight", "ShakeLab"]

ANEW = ("z and eps", "z alone", "eps alone")
START = "a bird with yellow wings and a blue belly"
MANY = 8


@dataclass
class Eight:
    """Eight pictures (8, 3, S, S) of a sentence, or why there are none."""

    pictures: Tensor | None
    problem: str = ""

    @property
    def words(self) -> str:
        """How far they differ, which way they look, and what the oracle reads."""
        if self.pictures is None:
            return self.problem
        left = int((ruler(self.pictures.shape[-1]).read(self.pictures)[:, 0] < 0).sum())
        apart = float(diversity(self.pictures[None]))
        colours = [
            f"{part} " + ", ".join(sorted({r[part] for r in self.readings}))
            for part in ("wing", "belly")
        ]
        return (
            f"Diversity {apart:.2f}; {left} look left, {MANY - left} right. "
            f"The oracle reads: {'; '.join(colours)}."
        )

    @property
    def readings(self) -> list[dict[str, str]]:
        """What the oracle reads in each."""
        return read_birds(self.pictures)


class ShakeLab:
    """Stages I of lesson 09 to compare, by name.

    systems: {name: system}, with z and eps in their noise (`measure.variety`).
    """

    def __init__(self, systems: Mapping):
        self.systems = {name: system.eval() for name, system in systems.items()}

    @torch.no_grad()
    def view(self, caption: str = START, name: str = "", anew: str = ANEW[0],
             shake: float = 1.0, style: int = 0) -> Eight:  # fmt: skip
        """Eight pictures of a sentence.

        name: which network, the first by default; anew: what differs from picture to
        picture, one of `ANEW`; shake: eps is multiplied by it, 0 leaves mu alone;
        style: chooses the noise.
        """
        system = self.systems[name or next(iter(self.systems))]
        try:
            tokens, lengths = vocabulary().encode([caption])
        except (NoKnownWord, TypeError) as error:
            return Eight(None, str(error))
        noise = noise_rows(int(style), MANY, system.network("generator").noise_size)
        z = z_size(system)
        if anew == "z alone":
            noise[:, z:] = noise[:1, z:].clone()
        elif anew == "eps alone":
            noise[:, :z] = noise[:1, :z].clone()
        noise[:, z:] *= shake
        asked = Batch(torch.zeros(0), [caption], tokens, lengths)
        text = system.text_encoder.of(asked).expand(MANY, -1)
        return Eight(system.sample(text, noise).float().cpu())

    def widget(self, caption: str = START):
        """The lab for a browser; its parts are attributes of the box, for tests."""
        import ipywidgets as w

        text = w.Text(value=caption, description="caption", continuous_update=False,
                      layout=w.Layout(width="95%"))  # fmt: skip
        name = w.Dropdown(options=list(self.systems), description="network")
        anew = w.Dropdown(options=list(ANEW), description="anew")
        shake = w.FloatSlider(value=1.0, min=0.0, max=3.0, step=0.25,
                              description="shake")  # fmt: skip
        style = w.IntSlider(value=0, min=0, max=99, description="noise")
        image, line = w.Image(format="png", value=b""), w.HTML()
        controls = text, name, anew, shake, style

        def draw(_=None):
            found = self.view(*(control.value for control in controls))
            if found.pictures is not None:
                image.value = as_png(found.pictures)
            line.value = html.escape(found.words)

        for control in controls:
            control.observe(draw, "value")
        draw()
        rows = [w.HBox([name, anew]), w.HBox([shake, style])]
        box = w.VBox([text, *rows, image, line])
        box.controls, box.image, box.line = controls, image, line
        return box
