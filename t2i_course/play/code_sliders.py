"""InfoGAN's codes to turn by hand: which digit, and what do the numbers move?

`CodeSliders` is plain Python and needs no browser; `CodeSliders.widget` puts sliders in
front of it, with what ipywidgets 7.7 and 8 share.
"""

from __future__ import annotations

import io

import torch
from PIL import Image
from torch import Tensor

from ..show.pictures import grid, mosaic, soften

__all__ = ["CodeSliders"]

STEPS = 9  # pictures along a number
REACH = 2.0  # how far a number goes; trained with -1 to 1
GAP = 16  # pixels between the rows of the sheet


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
        """A PNG: all codes in a row, below them a row for each number."""
        walks = [self.walk(code, numbers, i, picture) for i in range(len(numbers))]
        rows = [self.codes(numbers, picture), *walks]
        if rows[0].shape[1] == 1:
            rows = [soften(row, 48) for row in rows]
        enlarge = max(64 // rows[0].shape[-1], 1)
        sheets = [mosaic(row, len(row), 6, enlarge) for row in rows]
        whole = Image.new(
            "RGB",
            (max(sheet.shape[1] for sheet in sheets),
             sum(sheet.shape[0] + GAP for sheet in sheets) - GAP),
            "white",
        )  # fmt: skip
        top = 0
        for sheet in sheets:
            whole.paste(Image.fromarray(sheet), (0, top))
            top += sheet.shape[0] + GAP
        kept = io.BytesIO()
        whole.save(kept, "png")
        return kept.getvalue()
