"""InfoGAN's codes to turn by hand: which digit, and what do the numbers move?

`CodeSliders` is plain Python and needs no browser; `CodeSliders.widget` puts sliders in
front of it, with what ipywidgets 7.7 and 8 share.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..show.pictures import grid, soften
from .caption_lab import as_png

__all__ = ["CodeSliders"]

STEPS = 9  # pictures along a number
REACH = 2.0  # how far a number goes; trained with -1 to 1


class CodeSliders:
    """A trained InfoGAN, one noise at a time. Used in lesson 05.

    system: `papers.infogan.InfoGan`, or whatever draws by sample(count, code, numbers,
    noise) and has codes, numbers and noise_size.
    """

    def __init__(self, system):
        self.system = system.eval()

    def noise(self, picture: int) -> Tensor:
        """The noise (1, N) of that number."""
        rng = torch.Generator().manual_seed(int(picture))
        return torch.randn(1, self.system.noise_size, generator=rng)

    def _draw(self, code: Tensor, numbers: Tensor, noise: Tensor) -> Tensor:
        device = next(self.system.parameters()).device
        given = (part.to(device) for part in (code, numbers, noise))
        return self.system.sample(len(code), *given).cpu()

    def codes(self, numbers, picture: int = 0) -> Tensor:
        """A picture of every code (K, C, S, S), with these numbers and one noise."""
        count = self.system.codes
        values = torch.tensor([list(numbers)]).float().expand(count, -1)
        noise = self.noise(picture).expand(count, -1)
        return self._draw(torch.arange(count), values, noise)

    def walk(self, code: int, numbers, along: int, picture: int = 0) -> Tensor:
        """(9, C, S, S): number `along` goes from -2 to 2, all else stays."""
        values = torch.tensor([list(numbers)]).float().repeat(STEPS, 1)
        values[:, along] = torch.linspace(-REACH, REACH, STEPS)
        noise = self.noise(picture).expand(STEPS, -1)
        return self._draw(torch.full((STEPS,), int(code)), values, noise)

    def figure(self, code: int = 0, picture: int = 0):
        """A row for each number, from -2 to 2; for a page that only is read."""
        still = [0.0] * self.system.numbers
        rows = [self.walk(code, still, i, picture) for i in range(self.system.numbers)]
        heads = [f"{value:g}" for value in torch.linspace(-REACH, REACH, STEPS)]
        names = [f"number {i + 1}" for i in range(self.system.numbers)]
        pictures = torch.cat(rows)
        small = pictures.shape[1] == 1
        return grid(pictures, heads, rows=names, smooth=small)

    def widget(self):
        """The sliders for a browser; its parts are attributes of the box, for tests."""
        import ipywidgets as w

        code = w.IntSlider(min=0, max=self.system.codes - 1, description="code")
        numbers = [
            w.FloatSlider(value=0.0, min=-REACH, max=REACH, step=0.1,
                          description=f"number {i + 1}")
            for i in range(self.system.numbers)
        ]  # fmt: skip
        picture = w.IntSlider(min=0, max=99, description="noise")
        every, walks, line = (
            w.Image(format="png"), w.Image(format="png"), w.HTML()
        )  # fmt: skip

        def draw(_=None):
            values = [slider.value for slider in numbers]
            every.value = _png(self.codes(values, picture.value), self.system.codes)
            rows = [
                self.walk(code.value, values, i, picture.value)
                for i in range(len(numbers))
            ]
            walks.value = _png(torch.cat(rows), STEPS)
            line.value = (
                "Above: every code with these numbers. Below: a row for each number, "
                f"going from {-REACH:g} to {REACH:g}, of code {code.value}."
            )

        controls = [code, *numbers, picture]
        for control in controls:
            control.observe(draw, "value")
        draw()
        box = w.VBox([w.HBox([code, picture]), *numbers, line, every, walks])
        box.controls, box.every, box.walks, box.line = controls, every, walks, line
        return box


def _png(pictures: Tensor, columns: int) -> bytes:
    if pictures.shape[1] == 1:
        pictures = soften(pictures, 48)
    return as_png(pictures, columns)
