"""The caption playground: type a sentence, see what is drawn and what is read in it.

`Playground` is plain Python and needs no browser; `Playground.widget` puts a text box,
two sliders and a button in front of it, with what ipywidgets 7.7 and 8 share.
"""

from __future__ import annotations

import html
import io
from collections import Counter
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..data import Batch
from ..drawing import noise_rows
from ..show.pictures import grid, mosaic
from ..text import NoKnownWord, Vocabulary

__all__ = ["Drawing", "Playground"]

START = "a bird with yellow wings and a blue belly"
LARGEST = 12  # pictures at a time


@dataclass
class Drawing:
    """What one caption gave.

    pictures: (N, 3, S, S) in [-1, 1], or None where nothing could be drawn
    readings: what the reader sees in each picture, {part: value}
    notes: what is not understood of the caption (`Vocabulary.notes`)
    problem: why nothing is drawn, or ""
    """

    caption: str
    pictures: Tensor | None = None
    readings: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def words(self) -> str:
        """One line: the problem, or what was read and what was not understood."""
        if self.problem:
            return self.problem
        said = []
        if self.readings:
            said.append("The oracle reads: " + "; ".join(self._votes()) + ".")
        said += [f"{note[0].upper()}{note[1:]}." for note in self.notes]
        return " ".join(said)

    def _votes(self):
        """Per part the value that most pictures show, "wing blue (4 of 4)"."""
        for part in self.readings[0]:
            value, votes = Counter(r[part] for r in self.readings).most_common(1)[0]
            yield f"{part} {value} ({votes} of {len(self.readings)})"


class Playground:
    """A network that draws from captions, with its vocabulary and perhaps a reader.

    system: has `text_encoder` and `sample(text, noise)`; see `systems.shipped`
    vocabulary: turns sentences into numbers
    reader: pictures (N, 3, S, S) to N dicts {part: value}, or None
    Used in lessons 00 and 08.
    """

    def __init__(self, system, vocabulary: Vocabulary, reader=None):
        self.system, self.vocabulary, self.reader = system.eval(), vocabulary, reader

    @classmethod
    def birds(cls, name: str = "projection_32") -> Playground:
        """A shipped network of the bird world, with the oracle as its reader."""
        from ..systems import shipped
        from ..worlds.birds import vocabulary

        system = shipped(name)
        return cls(system, vocabulary(), read_birds)

    def draw(self, caption: str, count: int = 4, style: int = 0) -> Drawing:
        """Draw `count` pictures of a caption; a bad one gives a Drawing with a problem.

        style: chooses the noise. The same number gives the same noise whatever the
        caption, so what changes with the words is the words' doing.
        """
        try:
            text = self.understand(caption)
        except (NoKnownWord, TypeError) as error:
            return Drawing(str(caption), problem=str(error))
        count = min(max(int(count), 1), LARGEST)
        pictures = self.picture(text, count, style)
        readings = self.reader(pictures) if self.reader else []
        return Drawing(caption, pictures, readings, self.vocabulary.notes([caption]))

    def understand(self, caption: str) -> Tensor:
        """A caption's embedding (1, D)."""
        tokens, lengths = self.vocabulary.encode([caption])
        asked = Batch(torch.zeros(0), [caption], tokens, lengths)
        with torch.no_grad():
            return self.system.text_encoder.of(asked)

    def picture(self, text: Tensor, count: int, style: int) -> Tensor:
        """Pictures (count, 3, S, S) of one embedding, with the noise of that style."""
        size = self.system.network("generator").noise_size
        noise = noise_rows(int(style), count, size).to(text.device)
        return self.system.sample(text.expand(count, -1), noise).float().cpu()

    def figure(self, drawing: Drawing, columns: int = 4, of: str = ""):
        """The pictures with what is read in each; for a page that only is read.

        of: which network and noise, for the title.
        """
        if drawing.pictures is None:
            raise ValueError(drawing.problem)
        below = [", ".join(f"{p} {v}" for p, v in r.items()) for r in drawing.readings]
        title = f"{of}: {drawing.caption}" if of else drawing.caption
        return grid(drawing.pictures, columns, below or None, title=title[:120])

    def widget(self, caption: str = START, count: int = 4):
        """The playground for a browser; draws once before it is shown.

        Its parts are attributes of the box (`box.text`, `box.button`, `box.image` ...)
        so that a test can play without a browser.
        """
        import ipywidgets as w

        wide = w.Layout(width="95%")
        text = w.Text(value=caption, description="caption", layout=wide,
                      continuous_update=False)  # fmt: skip
        number = w.IntSlider(value=count, min=1, max=8, description="pictures")
        style = w.IntSlider(value=0, min=0, max=99, description="style")
        button = w.Button(description="Draw", button_style="primary")
        image = w.Image(format="png", value=b"")
        line = w.HTML()

        def draw(_=None):
            self._show(image, line, text.value, number.value, style.value)

        button.on_click(draw)
        for part in (text, number, style):
            part.observe(draw, "value")
        draw()
        box = w.VBox([text, w.HBox([number, style, button]), image, line])
        box.text, box.count, box.style, box.button = text, number, style, button
        box.image, box.line = image, line
        return box

    def _show(self, image, line, caption: str, count: int, style: int) -> None:
        """Put the pictures and the line into the widget; errors become the line."""
        try:
            drawing = self.draw(caption, count, style)
        except Exception as error:  # a widget's traceback would be lost in a log
            drawing = Drawing(caption, problem=f"This could not be drawn: {error}")
        if drawing.pictures is not None:
            image.value = as_png(drawing.pictures)
        colour = "#b3372f" if drawing.problem else "inherit"
        line.value = f'<span style="color:{colour}">{html.escape(drawing.words)}</span>'


def as_png(pictures: Tensor, columns: int = 4) -> bytes:
    """All pictures in one PNG, each about 160 pixels wide."""
    from PIL import Image

    enlarge = max(160 // pictures.shape[-1], 1)
    file = io.BytesIO()
    Image.fromarray(mosaic(pictures, columns, 6, enlarge)).save(file, "PNG")
    return file.getvalue()


def read_birds(
    pictures: Tensor, parts=("wing", "belly", "crown", "tail")
) -> list[dict]:
    """What the shipped oracle sees in each picture: {"wing": "blue", ...}."""
    from ..measure.oracle import oracle
    from ..worlds.bird_species import ATTRIBUTES

    seen = oracle(pictures.shape[-1]).read(pictures)
    names = list(ATTRIBUTES)
    return [
        {part: ATTRIBUTES[part][int(row[names.index(part)])] for part in parts}
        for row in seen
    ]
