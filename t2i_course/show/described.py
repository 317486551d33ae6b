"""Figures that say in words what is to be seen in them.

Who can't see a picture, or has to wait for it, reads its description: screen readers
speak it, the pages carry it as `alt`. Every figure of `pictures.new_figure` has one.
The functions of this room write what they know (title, rows, ends of a curve), and an
author adds the sentence that only they know:

    grid(drawn, title="dcgan_32, seed 0").described("Birds, most of them with a beak.")
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

__all__ = ["DescribedFigure", "course_in_words", "list_in_words", "number_in_words"]

PNG = "image/png"
MOST = 8  # names, or curves, that one sentence lists


class DescribedFigure(Figure):
    """A matplotlib figure whose picture takes its description along into a notebook."""

    def __init__(self, *positional, **keywords):
        super().__init__(*positional, **keywords)
        self._known: list[str] = []
        self._said: list[str] = []

    def knows(self, *sentences: str) -> DescribedFigure:
        """Add what the function that draws it knows of it; empty texts are left out."""
        self._known += [_as_sentence(text) for text in sentences if text]
        return self

    def described(self, text: str) -> DescribedFigure:
        """Add the author's sentence: what is to be seen. Returns the figure."""
        self._said += [_as_sentence(text)] if text else []
        return self

    @property
    def alt(self) -> str:
        """The whole description; empty where nobody has said anything."""
        titles = [] if self._suptitle is None else [self._suptitle.get_text()]
        sentences = [_as_sentence(text) for text in titles] + self._known + self._said
        return " ".join(dict.fromkeys(filter(None, sentences)))

    def _repr_mimebundle_(self, include=None, exclude=None):
        """What a notebook keeps of it: the picture, and its description as metadata."""
        from IPython.core.pylabtools import print_figure

        picture = print_figure(self, base64=True)
        if picture is None:  # a figure without axes
            return {"text/plain": repr(self)}
        data = {PNG: picture, "text/plain": repr(self)}
        return data, ({PNG: {"alt": self.alt}} if self.alt else {})


def _as_sentence(text: str) -> str:
    """One line that ends with a stop."""
    text = " ".join(text.split())
    return text if not text or text[-1] in ".!?" else text + "."


def number_in_words(value: float) -> str:
    """Three figures, with a comma at each thousand: 1,200, 0.693, 24."""
    if not np.isfinite(value):
        return "no number"
    if value == round(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def list_in_words(names: Sequence[str], most: int = MOST) -> str:
    """ "wing, belly and crown"; of a long list its first names and how many follow."""
    names = [" ".join(str(name).split()) for name in names]
    between = "; " if any("," in name for name in names) else ", "
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return " and ".join(filter(None, [between.join(names[:-1]), *names[-1:]]))


def course_in_words(name: str, values) -> str:
    """A curve in words: "loss falls from 1.39 to 0.7", with its extremes if inside."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if not len(values):
        return f"{name} has no values"
    first, last = values[0], values[-1]
    span = np.ptp(values)
    if not span:
        return f"{name} stays at {number_in_words(first)}"
    way = "rises" if last > first else "falls"
    if abs(last - first) < 0.05 * span:
        way = "goes"
    said = f"{name} {way} from {number_in_words(first)} to {number_in_words(last)}"
    low, high = values.min(), values.max()
    if min(first, last) - low > 0.1 * span:
        said += f", as low as {number_in_words(low)}"
    if high - max(first, last) > 0.1 * span:
        said += f", as high as {number_in_words(high)}"
    return said
