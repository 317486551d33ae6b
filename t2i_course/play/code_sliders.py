"""InfoGAN's codes to turn by hand: which digit, and what do the numbers move?

`CodeSliders` is plain Python and needs no browser; `CodeSliders.widget` puts sliders in
front of it, with what ipywidgets 7.7 and 8 share.
"""

from __future__ import annotations

import io

import torch
from PIL import Image
from torch import Tensor

from ..show.pictures import grid

__all__ = ["CodeSliders"]

STEPS = 9  # pictures along a number
REACH = 2.0  # how far a number goes; trained with -1 to 1
GAP = 10  # pixels between the two parts of the sheet
SIZE = 0.62  # inches that a picture of the sheet is wide


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

    def every_code(self, title: str, noises: int = 2):
        """A column a code, a row a noise; the numbers are 0."""
        still = [0.0] * self.system.numbers
        sheet = torch.cat([self.codes(still, noise) for noise in range(noises)])
        heads = [f"code {code}" for code in range(self.system.codes)]
        rows = [f"noise {noise}" for noise in range(noises)]
        return grid(sheet, heads, None, title, smooth=sheet.shape[1] == 1, rows=rows)

    def walk(self, code: int, numbers, along: int, picture: int = 0) -> Tensor:
        """(9, C, S, S): number `along` goes from -2 to 2, all else stays."""
        values = torch.tensor([list(numbers)]).float().repeat(STEPS, 1)
        values[:, along] = torch.linspace(-REACH, REACH, STEPS)
        noise = self.noise(picture).expand(STEPS, -1)
        return self._draw(torch.full((STEPS,), int(code)), values, noise)

    def figure(self, code=0, picture=0, title=None, numbers=None, size=None):
        """A row for each number, from -2 to 2; for a page that only is read.

        numbers: where those stand that don't move, by default at 0.
        """
        still = [0.0] * self.system.numbers if numbers is None else numbers
        rows = [self.walk(code, still, i, picture) for i in range(self.system.numbers)]
        heads = [f"{value:g}" for value in torch.linspace(-REACH, REACH, STEPS)]
        names = [f"number {i + 1}" for i in range(self.system.numbers)]
        pictures = torch.cat(rows)
        small = pictures.shape[1] == 1
        return grid(pictures, heads, None, title, size, small, rows=names)

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
        image, line = w.Image(format="png"), w.HTML()

        def draw(_=None):
            values = [slider.value for slider in numbers]
            image.value = self.sheet(code.value, values, picture.value)
            line.value = (
                "Above: every code with these numbers. Below: a row for each number, "
                f"from {-REACH:g} to {REACH:g}, of code {code.value}."
            )

        controls = [code, *numbers, picture]
        for control in controls:
            control.observe(draw, "value")
        draw()
        box = w.VBox([w.HBox([code, picture]), *numbers, line, image])
        box.controls, box.image, box.line = controls, image, line
        return box

    def sheet(self, code: int, numbers, picture: int = 0) -> bytes:
        """A PNG: all codes in a row, below them a row for each number, with heads."""
        every = self.codes(numbers, picture)
        heads = [f"code {number}" for number in range(len(every))]
        at = ", ".join(f"number {i + 1} at {x:g}" for i, x in enumerate(numbers))
        title = f"Every code, {at}"
        small = every.shape[1] == 1
        above = grid(every, heads, None, title, SIZE, small, rows=["all codes"])
        title = f"Code {code}: one number moves, the rest stays as set"
        return _stacked([above, self.figure(code, picture, title, numbers, SIZE)])


def _stacked(figures) -> bytes:
    """Figures one below the other in one PNG."""
    from IPython.core.pylabtools import print_figure

    sheets = [Image.open(io.BytesIO(print_figure(figure))) for figure in figures]
    wide = max(sheet.width for sheet in sheets)
    high = sum(sheet.height + GAP for sheet in sheets) - GAP
    whole = Image.new("RGB", (wide, high), "white")
    top = 0
    for sheet in sheets:
        whole.paste(sheet, (0, top))
        top += sheet.height + GAP
    kept = io.BytesIO()
    whole.save(kept, "png")
    return kept.getvalue()
