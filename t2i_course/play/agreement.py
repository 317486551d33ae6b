"""Two sentences and a row of birds: how well does everything agree?

`Agreement` is plain Python and needs no browser; `Agreement.widget` puts two text boxes
in front of it, with what ipywidgets 7.7 and 8 share.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from textwrap import shorten

from torch import Tensor
from torch.nn import functional as F

from ..show.sentences import agreement_row
from ..worlds.birds import vocabulary

__all__ = ["Agreed", "Agreement"]

START = (
    "a bird with blue wings and a red belly",
    "a bird with red wings and a blue belly",
)


@dataclass
class Agreed:
    """What came of two sentences: scores (2, N) with the pictures, and their cosine.

    notes: what is not understood; problem: why there are no scores, or "".
    """

    sentences: tuple[str, str]
    scores: Tensor | None = None
    cosine: float = 0.0
    notes: tuple[str, ...] = ()
    problem: str = ""

    @property
    def words(self) -> str:
        """One line: the problem, or what was found."""
        if self.problem:
            return self.problem
        best = [int(row.argmax()) + 1 for row in self.scores]
        said = (
            f"A and B with each other: cosine {self.cosine:.2f}. A agrees most with "
            f"bird {best[0]}, B with bird {best[1]}."
        )
        return " ".join([said, *(f"{note}." for note in self.notes)])


class Agreement:
    """A reader and a row of pictures. Used in lesson 07.

    reader: `papers.joint_embedding.Reader`; pictures (N, 3, S, S), bytes or in [-1, 1].
    """

    def __init__(self, reader, pictures: Tensor):
        self.reader, self.pictures = reader, pictures
        self.seen = reader.see(pictures)

    def of(self, first: str, second: str) -> Agreed:
        """How well both agree with each picture, and with each other."""
        both = (str(first), str(second))
        try:
            rows = self.reader.read(list(both))
        except (ValueError, TypeError) as error:
            return Agreed(both, problem=str(error))
        notes = self._notes(list(both))
        cosine = float(F.cosine_similarity(rows[:1], rows[1:]))
        return Agreed(both, rows @ self.seen.T, cosine, tuple(notes))

    def _notes(self, sentences: list[str]) -> list[str]:
        """What the reader's kind doesn't understand."""
        return getattr(self.reader.text, "notes", vocabulary().notes)(sentences)

    def figure(self, first: str = START[0], second: str = START[1], title=None):
        """The row with both agreements below each picture; ValueError for a problem."""
        found = self.of(first, second)
        if found.problem:
            raise ValueError(found.problem)
        return self._drawn(found, title)

    def _drawn(self, found: Agreed, title=None):
        """The row under its two sentences."""
        both = (text.replace("$", r"\$") for text in found.sentences)  # no formulas
        lines = (shorten(f"{n}: {text}", 95) for n, text in zip("AB", both))
        title = title or "\n".join(lines)
        figure = agreement_row(self.pictures, found.scores, ("A", "B"), title)
        return figure.knows(f"With each other: cosine {found.cosine:.2f}")

    def widget(self, first: str = START[0], second: str = START[1]):
        """Two boxes and the row, for a browser; parts of the box, for tests."""
        import ipywidgets as w
        from IPython.core.pylabtools import print_figure

        wide = w.Layout(width="95%")
        texts = [
            w.Text(value=value, description=name, layout=wide, continuous_update=False)
            for name, value in (("A", first), ("B", second))
        ]
        button = w.Button(description="Compare", button_style="primary")
        image, line = w.Image(format="png"), w.HTML()

        def draw(_=None):
            found = self.of(*(text.value for text in texts))
            line.value = html.escape(found.words)
            if not found.problem:
                image.value = print_figure(self._drawn(found))

        for text in texts:
            text.observe(draw, "value")
        button.on_click(draw)
        draw()
        box = w.VBox([*texts, button, line, image])
        box.texts, box.button, box.image, box.line = texts, button, image, line
        return box
