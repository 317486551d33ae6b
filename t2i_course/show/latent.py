"""A plane of codes to look at and to drag through: lesson 03.

`code_map` draws where the codes of real digits lie; `LatentPlane` draws the picture of
any point, for several networks at once; `pad` puts two sliders in front of it, with
what ipywidgets 7.7 and 8 share.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from .curves import as_array
from .pictures import crossed, mosaic, new_figure, soften

__all__ = ["LatentPlane", "code_map", "pad"]

SIDE = 264  # pixels of a sheet in the widget


def code_map(codes: Mapping[str, Tensor], digits: Tensor, reach: float = 4.0):
    """Codes (N, 2) of pictures, a panel a name, each dot in the colour of its digit.

    digits: (N,) 0 to 9. Dotted: circles that hold 39 % and 86 % of the prior N(0, I),
    of radius 1 and 2. Dots beyond `reach` are cut off. Returns the Figure.
    """
    figure = new_figure(4.2 * len(codes) + 0.5, 4.0)
    panels = figure.subplots(1, len(codes), squeeze=False)[0]
    turn = np.linspace(0, 2 * np.pi)
    for axes, (name, points) in zip(panels, codes.items()):
        points, colours = as_array(points), as_array(digits)
        dots = axes.scatter(
            *points.T, c=colours, cmap="tab10", vmin=-0.5, vmax=9.5, s=9
        )
        for radius in (1, 2):
            axes.plot(radius * np.cos(turn), radius * np.sin(turn), ":", color="0.2")
        axes.set(title=name, xlim=(-reach, reach), ylim=(-reach, reach))
        axes.set(xlabel="first latent number", ylabel="second", aspect="equal")
    bar = figure.colorbar(dots, ax=list(panels), ticks=range(10), shrink=0.9)
    bar.set_label("digit")
    count = len(as_array(digits))
    return figure.knows(
        f"Codes of {count} digits in the plane, a dot each in its digit's colour, with "
        "circles of radius 1 and 2",
        *(_spread_in_words(name, as_array(points)) for name, points in codes.items()),
    )


def _spread_in_words(name: str, points: np.ndarray) -> str:
    """How a cloud of codes compares with the prior's circle."""
    inside = (np.hypot(*points.T) <= 2).mean()
    return f"{name}: {inside:.0%} of the dots lie within the outer circle"


class LatentPlane:
    """The pictures of networks with two latent numbers, at any point of the plane.

    systems: {name: network}; each has `latent` 2 and `sample(count, codes)`, as `Vae`
    and `Aae` have. reader: a `DigitReader`, or None. reach: the plane goes from -reach
    to reach both ways, in deviations of the prior. ValueError for other networks.
    """

    def __init__(self, systems: Mapping, reader=None, reach: float = 2.5):
        for name, system in systems.items():
            if system.latent != 2:
                raise ValueError(f"{name} has {system.latent} latent numbers, not 2")
        self.systems, self.reader, self.reach = dict(systems), reader, reach
        self.places = torch.linspace(-reach, reach, 11)
        self._sheets = {name: self._sheet(name) for name in systems}

    def at(self, x: float, y: float) -> dict[str, Tensor]:
        """Each network's picture (1, 8, 8) of the point, its decoder's mean."""
        return {
            name: self.draw(name, torch.tensor([[x, y]]))[0] for name in self.systems
        }

    @torch.no_grad()
    def draw(self, name: str, points: Tensor) -> Tensor:
        """Pictures of points (N, 2), on the CPU."""
        system = self.systems[name].eval()
        return system.sample(len(points), points.to(system.device).float()).cpu()

    def points(self) -> Tensor:
        """The sheet's 121 places, in reading order: the second number falls."""
        down, along = torch.meshgrid(self.places.flip(0), self.places, indexing="ij")
        return torch.stack([along.flatten(), down.flatten()], 1)

    def words(self, x: float, y: float) -> str:
        """What the reader reads there, network by network."""
        if self.reader is None:
            return ""
        said = []
        for name, picture in self.at(x, y).items():
            digit, clear = self.reader.read(picture[None])
            how = "clearly " if clear else "not clear, most like "
            said.append(f"{name}: {how}a {int(digit)}")
        return "; ".join(said)

    def figure(self, name: str, title: str | None = None):
        """The whole plane of one network: a picture at every place of the sheet."""
        along = [f"{place:.1f}" for place in self.places]
        drawn = soften(self.draw(name, self.points()), 24)
        return crossed(drawn, along[::-1], along, title or name)

    def _sheet(self, name: str) -> Image.Image:
        drawn = soften(self.draw(name, self.points()), 24)
        return Image.fromarray(mosaic(drawn, 11, gap=0))

    def image(self, x: float, y: float) -> bytes:
        """A PNG: each network's plane with a cross at the point, its picture below."""
        whole = Image.new(
            "RGB", ((SIDE + 12) * len(self.systems), 2 * SIDE + 44), "white"
        )
        pen, cell = ImageDraw.Draw(whole), SIDE / 11
        for i, (name, picture) in enumerate(self.at(x, y).items()):
            left = i * (SIDE + 12)
            pen.text((left + 4, 4), name, fill="black")
            whole.paste(self._sheets[name], (left, 20))
            scale = (SIDE - cell) / 2 / self.reach
            across, down = SIDE / 2 + scale * x, SIDE / 2 - scale * y
            pen.rectangle((left + across - 12, 20 + down - 12, left + across + 12,
                           20 + down + 12), outline="red", width=2)  # fmt: skip
            large = mosaic(soften(picture[None], SIDE), 1)
            whole.paste(Image.fromarray(large), (left, SIDE + 36))
        kept = io.BytesIO()
        whole.save(kept, "png")
        return kept.getvalue()


def pad(plane: LatentPlane):
    """Two sliders for a point of the plane, its pictures, and what is read there.

    An ipywidgets box; `box.parts` holds the widgets by name, for tests.
    """
    import ipywidgets as w

    common = {"min": -plane.reach, "max": plane.reach, "step": 0.05, "value": 0.0,
              "style": {"description_width": "130px"}}  # fmt: skip
    first = w.FloatSlider(description="first number", **common)
    second = w.FloatSlider(description="second number", **common)
    picture, said = w.Image(format="png"), w.HTML()

    def show(_=None):
        picture.value = plane.image(first.value, second.value)
        said.value = plane.words(first.value, second.value)

    for slider in (first, second):
        slider.observe(show, "value")
    show()
    box = w.VBox([first, second, said, picture])
    box.parts = {"first": first, "second": second, "said": said, "picture": picture}
    return box
