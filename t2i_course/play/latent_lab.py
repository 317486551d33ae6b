"""The noise space to walk in: two birds, a way between them, and a wish.

`LatentLab` is plain Python and needs no browser; `LatentLab.widget` puts sliders in
front of it, with what ipywidgets 7.7 and 8 share.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

import torch
from torch import Tensor

from ..inside.latent import average, is_as, lerp, path, slerp, to_shell
from ..measure.dcgan import attributes_wanted, in_parts
from ..measure.oracle import oracle
from ..show.pictures import grid
from ..worlds.bird_species import COLOURS
from .caption_lab import as_png, read_birds

__all__ = ["LatentLab", "View"]

WAYS = {"arc": slerp, "straight line": lerp}
PARTS = ("wing", "belly", "crown")
STEPS = 7  # pictures of a walk


@dataclass
class View:
    """A walk's pictures (7, 3, S, S), what is read in each, each noise's length."""

    pictures: Tensor
    readings: list[dict[str, str]]
    lengths: list[float]

    @property
    def words(self) -> str:
        """One line: the colours at both ends and in the middle."""
        said = []
        for where, i in (("left", 0), ("middle", STEPS // 2), ("right", -1)):
            parts = ", ".join(f"{p} {self.readings[i][p]}" for p in PARTS)
            said.append(f"{where}: {parts} (length {self.lengths[i]:.1f})")
        return "The oracle reads, " + "; ".join(said) + "."


class LatentLab:
    """A generator's noise space, with directions found by averaging.

    generator: noise (B, D) to pictures of 32 or 64 pixels. Used in lesson 02.
    """

    def __init__(self, generator, examples: int = 4000):
        self.generator = generator.eval()
        rng = torch.Generator().manual_seed(0)
        self.known = torch.randn(examples, generator.noise_size, generator=rng)
        self.seen = oracle(generator.size).read(in_parts(generator, self.known))

    def noise(self, bird: int) -> Tensor:
        """The noise (D,) of a bird by number, on the shell where noise lies."""
        rng = torch.Generator().manual_seed(int(bird))
        return to_shell(torch.randn(self.generator.noise_size, generator=rng))

    def direction(self, part: str, colour: str) -> Tensor:
        """(D,) from the average noise to that of birds with this colour; or zeros.

        Zeros for colour "as it is", or where no example shows it.
        """
        if colour == "as it is":
            return torch.zeros(self.generator.noise_size)
        chosen = is_as(self.seen, attributes_wanted(**{part: colour}))
        if not chosen.any():
            return torch.zeros(self.generator.noise_size)
        return average(self.known, chosen) - self.known.mean(0)

    def view(self, left: int = 0, right: int = 1, way: str = "arc", part: str = "wing",
             colour: str = "as it is", strength: float = 1.0) -> View:  # fmt: skip
        """A walk from one bird to another, all of it moved towards a wish.

        strength: how many times the direction is added.
        """
        points = path(self.noise(left), self.noise(right), STEPS, WAYS[way])
        points = points + strength * self.direction(part, colour)
        pictures = in_parts(self.generator, points)
        return View(pictures, read_birds(pictures), points.norm(dim=1).tolist())

    def figure(self, **choice):
        """A walk with what is read in each picture; for a page that only is read."""
        view = self.view(**choice)
        below = [", ".join(f"{p} {r[p]}" for p in PARTS) for r in view.readings]
        return grid(view.pictures, STEPS, below)

    def widget(self):
        """The lab for a browser; its parts are attributes of the box, for tests."""
        import ipywidgets as w

        left, right = (
            w.IntSlider(value=v, min=0, max=99, description=name)
            for v, name in ((0, "left bird"), (1, "right bird"))
        )
        way = w.Dropdown(options=list(WAYS), description="way")
        part = w.Dropdown(options=list(PARTS), description="part")
        colour = w.Dropdown(options=["as it is", *COLOURS], description="colour")
        strength = w.FloatSlider(value=1.0, min=0.0, max=4.0, step=0.5,
                                 description="strength")  # fmt: skip
        image, line = w.Image(format="png", value=b""), w.HTML()
        controls = left, right, way, part, colour, strength

        def draw(_=None):
            view = self.view(*(control.value for control in controls))
            image.value = as_png(view.pictures, STEPS)
            line.value = html.escape(view.words)

        for control in controls:
            control.observe(draw, "value")
        draw()
        rows = [w.HBox([left, right, way]), w.HBox([part, colour, strength])]
        box = w.VBox([*rows, image, line])
        box.controls, box.image, box.line = controls, image, line
        return box
