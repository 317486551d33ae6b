"""A caption, word by word: where each is looked at while a bird is drawn.

`AttentionLab` is plain Python and needs no browser; `AttentionLab.widget` puts a text
box, a row of words to point at, a menu and a slider in front of it: ipywidgets 7.7 or 8
and, for the words, an anywidget that JupyterLab, Colab and VS Code show.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..data import Batch
from ..drawing import with_attention
from ..show.attended import lit
from ..text import NoKnownWord, split_words
from ..worlds.birds import vocabulary
from .caption_lab import as_png, read_birds

__all__ = ["START", "Attended", "AttentionLab"]

START = "a bird with yellow wings and a blue belly"
MANY = 4


@dataclass
class Attended:
    """Pictures (4, 3, S, S) and attention of a caption, or why there are none.

    words: of the caption, T; place: of the chosen one; looked: (4, T, H, W) a stage.
    """

    pictures: Tensor | None
    looked: list[Tensor] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    place: int = 0
    problem: str = ""

    @property
    def sheet(self) -> Tensor:
        """The pictures, then lit by the chosen word's attention, a row a stage."""
        rows = [lit(self.pictures, maps[:, self.place]) for maps in self.looked]
        return torch.cat([self.pictures, *rows])

    @property
    def shares(self) -> list[float]:
        """Of all attention of each stage, the chosen word's part."""
        return [float(maps[:, self.place].mean()) for maps in self.looked]

    @property
    def line(self) -> str:
        """How much the word is looked at, and what the oracle reads."""
        if self.pictures is None:
            return self.problem
        fair = 100 / len(self.words)
        each = (f"{100 * share:.0f} % at stage {number}"
                for number, share in enumerate(self.shares, start=1))  # fmt: skip
        said = f"'{self.words[self.place]}' has {', '.join(each)} of the attention"
        read = read_birds(self.pictures)
        seen = (f"{part} {', '.join(sorted({r[part] for r in read}))}"
                for part in ("wing", "belly", "crown"))  # fmt: skip
        return (f"{said}; were all words alike, {fair:.0f} %. "
                f"The oracle reads: {'; '.join(seen)}.")  # fmt: skip


class AttentionLab:
    """Systems that look at words, by name: {name: system}."""

    def __init__(self, systems: Mapping):
        self.systems = {name: system.eval() for name, system in systems.items()}
        self._last: tuple = (None, None)

    def view(self, caption: str = START, word: str | int | None = None,
             name: str = "", style: int = 0) -> Attended:  # fmt: skip
        """Four pictures of a caption, and where each stage looked for a word.

        word: one of the caption's, or its place, 0 the first; None is the one looked at
        most. name: which system, the first by default; style: chooses the noise.
        """
        asked = caption, name or next(iter(self.systems)), int(style)
        if self._last[0] != asked:  # another word of the same picture needs no drawing
            self._last = asked, self._drawn(*asked)
        found = self._last[1]
        if found.pictures is None:
            return found
        place = self._place(found, word)
        if place is None:
            why = f"The caption has no word {word!r}; it has {', '.join(found.words)}."
            return Attended(None, words=found.words, problem=why)
        return Attended(found.pictures, found.looked, found.words, place)

    def _drawn(self, caption: str, name: str, style: int) -> Attended:
        """Pictures and attention, no word chosen."""
        try:
            tokens, lengths = vocabulary().encode([caption])
        except (NoKnownWord, TypeError) as error:
            return Attended(None, problem=str(error))
        asked = Batch(torch.zeros(0), [caption] * MANY, tokens.expand(MANY, -1),
                      lengths.expand(MANY))  # fmt: skip
        pictures, looked = with_attention(self.systems[name], asked, style)
        return Attended(pictures, looked, split_words(caption)[: tokens.shape[1]])

    @staticmethod
    def _place(found: Attended, word: str | int | None) -> int | None:
        """Where a word stands; None where it doesn't."""
        if word is None:
            return int(found.looked[-1].mean((0, 2, 3)).argmax())
        return place_in(found.words, word)

    def widget(self, caption: str = START):
        """The lab for a browser; its parts are attributes of the box, for tests."""
        return word_box(self.view, self.systems, "noise", 99, MANY, caption)


def place_in(words: Sequence[str], word: str | int) -> int | None:
    """Where a word, or its place, stands among words; None where it doesn't."""
    if isinstance(word, int):
        return word if 0 <= word < len(words) else None
    said = split_words(word)
    return words.index(said[0]) if said and said[0] in words else None


def word_box(
    view: Callable, names: Iterable[str], slider: str, last: int, columns: int,
    caption: str,
):  # fmt: skip
    """A caption's words to point at, a menu, a slider from 0 to `last`, and a sheet.

    view: (caption, word, name, number) -> what has `sheet`, `line`, `words`, `place`,
    `problem`; slider: the number's name; columns: of the sheet. The parts are the box's
    `controls`, `row`, `image`, `line`.
    """
    import ipywidgets as w

    text = w.Text(value=caption, description="caption", continuous_update=False,
                  layout=w.Layout(width="95%"))  # fmt: skip
    name = w.Dropdown(options=list(names), description="network")
    number = w.IntSlider(value=0, min=0, max=last, description=slider)
    image, line, row = w.Image(format="png", value=b""), w.HTML(), word_row()

    def draw(_=None):
        known = text.value == row.caption
        word = row.place if known else None
        found = view(text.value, word, name.value, number.value)
        if not found.problem:
            image.value = as_png(found.sheet, columns)
            row.caption, row.words = text.value, found.words
            row.place = found.place
        line.value = html.escape(found.line)

    controls = text, name, number
    for control in controls:
        control.observe(draw, "value")
    row.observe(draw, "place")
    draw()
    box = w.VBox([text, row, w.HBox([name, number]), image, line])
    box.controls, box.row, box.image, box.line = controls, row, image, line
    return box


# A button a word; the one that is pointed at, clicked, or reached by the Tab key is
# chosen.
SCRIPT = """
function render({ model, el }) {
  const row = document.createElement("div");
  row.className = "t2i-words";
  const mark = () => [...row.children].forEach((button, i) => {
    const chosen = i === model.get("place");
    button.setAttribute("aria-pressed", String(chosen));
    button.style.background = chosen ? "#ffd54f" : "transparent";
  });
  const build = () => {
    row.replaceChildren(...model.get("words").map((word, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = word;
      Object.assign(button.style, { border: "1px solid #bbb", borderRadius: "4px",
        color: "inherit", font: "inherit", margin: "2px", padding: "2px 6px" });
      const choose = () => {
        if (model.get("place") === i) return;
        model.set("place", i);
        model.save_changes();
      };
      for (const event of ["mouseenter", "focus", "click"])
        button.addEventListener(event, choose);
      return button;
    }));
    mark();
  };
  model.on("change:words", build);
  model.on("change:place", mark);
  build();
  el.appendChild(row);
}
export default { render };
"""


def word_row():
    """A row of words, one of them chosen: `words`, `place`; `caption` is Python's."""
    import anywidget
    import traitlets

    class Words(anywidget.AnyWidget):
        _esm = SCRIPT
        words = traitlets.List(traitlets.Unicode()).tag(sync=True)
        place = traitlets.Int(0).tag(sync=True)
        caption = traitlets.Unicode("")

    return Words()
