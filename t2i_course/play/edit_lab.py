"""A picture and a sentence: what is changed, where, and what is read before and after.

`EditLab` is plain Python and needs no browser; `EditLab.widget` puts menus, a text box,
two sliders and a button for a picture of one's own in front of it, with what ipywidgets
7.7 and 8 share.
"""

from __future__ import annotations

import html
import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..data import Batch
from ..datasets.own_pictures import square
from ..drawing import from_pictures
from ..measure.editing import Edits, changes, inside_and_outside
from ..measure.one_edit import (
    INDIVIDUALS,
    drawing,
    how_many,
    may_be_asked,
    read_in,
    sentence_for,
    wish,
)
from ..show.edited import changed_by
from ..weights import WeightsError
from ..worlds.birds import Birds
from ..worlds.drawn import Drawn

__all__ = ["Changed", "EditLab"]

STEP = INDIVIDUALS + 1  # of the slider: each stop is of another species
START = 8 * STEP  # neither blue wings nor purple petals
FIRST = 4  # the value that is asked for at the start: blue wings, purple petals


@dataclass
class Changed:
    """What a sentence made of a picture, or why it made nothing.

    before, after: (3, S, S) in [-1, 1]; wanted: the drawing that was asked for, or None
    attribute, value: what the menus ask for; asked: whether the sentence is theirs
    was, now: {attribute: value} that the oracle reads in both; {} where it can't
    inside, outside: the mean change of a pixel of the attribute's part and of one
        elsewhere; None where the parts aren't known
    part: that part's name; notes: what is not understood of the sentence
    """

    sentence: str
    before: Tensor | None = None
    after: Tensor | None = None
    wanted: Tensor | None = None
    attribute: str = ""
    value: str = ""
    asked: bool = False
    was: dict[str, str] = field(default_factory=dict)
    now: dict[str, str] = field(default_factory=dict)
    inside: float | None = None
    outside: float | None = None
    part: str = ""
    notes: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def otherwise(self) -> dict[str, tuple[str, str]]:
        """{attribute: (before, after)} of what the oracle reads otherwise."""
        both = {name: (self.was[name], self.now[name]) for name in self.was}
        return {name: pair for name, pair in both.items() if pair[0] != pair[1]}

    @property
    def words(self) -> str:
        """What is read before and after, and how much was changed where."""
        if self.problem:
            return self.problem
        said = [*self._read(), self._moved()]
        return " ".join(said + [f"{note[0].upper()}{note[1:]}." for note in self.notes])

    def _read(self) -> list[str]:
        """What the oracle reads, in sentences."""
        if not self.was:
            return []
        pairs, said = self.otherwise, []
        if self.asked:
            name = self.attribute
            was, now = self.was[name], self.now[name]
            right = "as asked" if now == self.value else f"not {self.value}"
            said = [f"{_words(name)}: the oracle reads {was} before, {now} after, "
                    f"{right}."]  # fmt: skip
            pairs = {other: pair for other, pair in pairs.items() if other != name}
        each = ", ".join(f"{_words(n)} {b} (was {a})" for n, (a, b) in pairs.items())
        of = "Of the rest it reads" if self.asked else "The oracle reads"
        return [*said, f"{of} otherwise: {each}." if each else f"{of} all as before."]

    def _moved(self) -> str:
        """How much a pixel has changed, in a sentence."""
        if self.inside is None:
            change = float(changes(self.before[None], self.after[None]).mean())
            return f"A pixel changed by {change:.2f} on average (2 at most)."
        return (
            f"A pixel of the {self.part} changed by {self.inside:.2f} on average, one "
            f"elsewhere by {self.outside:.2f} (2 at most)."
        )

    def figure(self):
        """Before, after, wanted and the map of the change; ValueError where none is."""
        if self.after is None:
            raise ValueError(self.problem)
        return changed_by(self.before, self.after[None], self.sentence, self.wanted)

    def png(self) -> bytes:
        """The figure as a PNG file."""
        file = io.BytesIO()
        self.figure().savefig(file, format="png")
        return file.getvalue()


def _words(attribute: str) -> str:
    """An attribute's name as one says it: "beak colour"."""
    return attribute.replace("_", " ")


class EditLab:
    """Editors to try, by name: {name: system}.

    kind: Birds or Flowers, whose drawings are to be changed; or {name of an editor:
    which}, where they differ. Lessons 14 and 15.
    """

    def __init__(
        self, editors: Mapping, kind: type[Drawn] | Mapping[str, type[Drawn]] = Birds
    ):
        self.editors = {name: system.eval() for name, system in editors.items()}
        self.kinds = (
            dict(kind)
            if isinstance(kind, Mapping)
            else dict.fromkeys(self.editors, kind)
        )
        for name in self.editors:
            if name not in self.kinds:
                raise ValueError(f"Of which world is {name!r}? `kind` doesn't say.")

    def size(self, name: str) -> int:
        """Pixels a side of an editor's pictures."""
        return self.editors[name].network("generator").size

    def view(self, sentence: str | None = None, number: int = START, name: str = "",
             seed: int = 0, attribute: str = "", value: str = "",
             own: bytes | None = None) -> Changed:  # fmt: skip
        """What an editor makes of a picture, told a sentence.

        sentence: None is the menus' own; number: of a drawing of the unseen species, as
        in `t2i edit birds:17`; name: which editor, the first by default; seed: of the
        noise; attribute, value: what the menus ask for; own: a picture file's content,
        in place of the drawing. What can't be gives a Changed with a problem.
        """
        name = name or next(iter(self.editors))
        try:
            kind, attribute, value = self._wish(name, attribute, value)
            plain = sentence_for(kind, attribute, value)
            sentence = plain if sentence is None else sentence
            tokens, lengths = kind.world.vocabulary().encode([sentence])
            source, notes = self._source(kind, number, self.size(name), own)
            asked = Batch(source.image, [sentence], tokens, lengths)
            after = from_pictures(self.editors[name], asked, seed)[0]
        except (ValueError, TypeError) as error:  # NoKnownWord and NoPicture, too
            why = str(error)
            return Changed(str(sentence), problem=f"{why[0].upper()}{why[1:]}")
        before = source.to("cpu").image[0]
        notes = kind.world.vocabulary().notes([sentence]) + notes
        found = Changed(sentence, before, after, attribute=attribute, value=value,
                        asked=sentence == plain, notes=notes)  # fmt: skip
        found.was, found.now = _readings(kind, before, after)
        if own is None:
            _measure(found, kind, source, wish(kind, source, attribute, value))
        return found

    def _wish(self, name: str, attribute: str, value: str):
        """An editor's world, and what the menus ask for; ValueError for no editor."""
        if name not in self.editors:
            there = ", ".join(self.editors)
            raise ValueError(f"there is no editor {name!r}; there are {there}")
        kind = self.kinds[name]
        attribute = attribute or next(iter(may_be_asked(kind)))
        return kind, attribute, value or _start(may_be_asked(kind).get(attribute, [""]))

    @staticmethod
    def _source(kind, number: int, size: int, own: bytes | None):
        """The picture as a batch of one, and what there is to say of it."""
        if own is None:
            return drawing(kind, number, size), []
        opened = square(own, size)
        knows = f"the oracle has learned to read drawn {kind.world.name} alone"
        return Batch(opened.picture[None]), [*filter(None, [opened.note]), knows]

    def widget(self, number: int = START):
        """The lab for a browser; its parts are attributes of the box, for tests.

        `box.parts` has the controls by name; the figure is `box.image`.
        """
        import ipywidgets as w

        parts = self._controls(w, number)
        image, line = w.Image(format="png", value=b""), w.HTML()
        shown = _Shown()

        def draw(_=None):
            keys = ("sentence", "number", "editor", "seed", "attribute", "value")
            asked = (*(parts[key].value for key in keys), shown.own)
            if shown.busy or asked == shown.last:
                return
            shown.last = asked
            try:
                found = self.view(*asked)
            except Exception as error:  # a widget's traceback is lost in a log
                found = Changed("", problem=f"This could not be changed: {error}")
            if not found.problem:
                image.value = found.png()
            colour = "#b3372f" if found.problem else "inherit"
            said = html.escape(found.words)
            line.value = f'<span style="color:{colour}">{said}</span>'

        def follow(change):
            if shown.busy:
                return
            with shown:
                self._follow(parts, change["owner"])
            draw()

        def choose(change):
            if shown.busy:
                return
            if change["owner"] is parts["number"]:
                shown.own = None
            elif (content := _content(change["new"])) is not None:
                shown.own = content
            draw()

        for name in ("sentence", "seed"):
            parts[name].observe(draw, "value")
        for name in ("editor", "attribute", "value"):
            parts[name].observe(follow, "value")
        for name in ("number", "own"):
            parts[name].observe(choose, "value")
        draw()
        rows = [["editor", "number", "own"], ["attribute", "value", "seed"]]
        boxes = [w.HBox([parts[n] for n in row]) for row in rows]
        box = w.VBox([*boxes, parts["sentence"], image, line])
        box.parts, box.image, box.line = parts, image, line
        return box

    def _follow(self, parts: dict, owner) -> None:
        """Menus that depend on what was chosen, and the sentence that they write."""
        kind = self.kinds[parts["editor"].value]
        if owner is parts["editor"]:
            parts["number"].max = how_many(kind) - 1
            if list(parts["attribute"].options) != list(may_be_asked(kind)):
                parts["attribute"].options = list(may_be_asked(kind))
                owner = parts["attribute"]
            else:
                return  # the same sentence for another editor
        if owner is parts["attribute"]:
            values = may_be_asked(kind)[parts["attribute"].value]
            parts["value"].options = values
            parts["value"].value = _start(values)
        asked = parts["attribute"].value, parts["value"].value
        parts["sentence"].value = sentence_for(kind, *asked)

    def _controls(self, w, number: int) -> dict:
        """The widgets by name."""
        first = next(iter(self.editors))
        kind = self.kinds[first]
        attribute, values = next(iter(may_be_asked(kind).items()))
        return {
            "editor": w.Dropdown(options=list(self.editors), description="editor"),
            "number": w.IntSlider(value=number, min=0, max=how_many(kind) - 1,
                                  step=STEP, description="picture",
                                  continuous_update=False),
            "own": w.FileUpload(accept="image/*", multiple=False,
                                description="a picture of yours"),
            "attribute": w.Dropdown(options=list(may_be_asked(kind)),
                                    description="ask for"),
            "value": w.Dropdown(options=values, value=_start(values),
                                description="to be"),
            "seed": w.IntSlider(value=0, min=0, max=99, description="noise",
                                continuous_update=False),
            "sentence": w.Text(value=sentence_for(kind, attribute, _start(values)),
                               description="sentence", continuous_update=False,
                               layout=w.Layout(width="95%")),
        }  # fmt: skip


class _Shown:
    """What the widget shows; `with` it, controls move and nothing is drawn."""

    last: tuple | None = None
    own: bytes | None = None
    busy = False

    def __enter__(self):
        self.busy = True

    def __exit__(self, *_):
        self.busy = False


def _start(values: tuple[str, ...]) -> str:
    """The value to ask for before anyone chooses."""
    return values[min(FIRST, len(values) - 1)]


def _content(value) -> bytes | None:
    """The file in a FileUpload's value: ipywidgets 7 has a dictionary, 8 a tuple."""
    files = list(value.values() if isinstance(value, dict) else value)
    return bytes(files[0]["content"]) if files else None


def _readings(kind, before: Tensor, after: Tensor) -> list[dict[str, str]]:
    """What the oracle reads in both; nothing where it reads no such pictures."""
    try:
        return read_in(kind, torch.stack([before, after]))
    except (ValueError, WeightsError):  # none of that size, or of that world
        return [{}, {}]


def _measure(found: Changed, kind, source: Batch, edit: Edits | None) -> None:
    """Adds the wanted drawing, and the change within the attribute's part and outside.

    edit: None where the wish can't be drawn; then the part lies as in the source.
    """
    world = kind.world
    found.part = world.part_of[found.attribute]
    if edit is None:
        inside = source.masks == world.parts.index(found.part)
        found.notes.append(f"{found.value} can't be drawn here: no wanted picture")
    else:
        inside = edit.parts(edit.named >= 0)
        found.wanted = edit.wanted[0] if found.asked else None
    if inside.any():  # it may be hidden
        both = inside_and_outside(found.before[None], found.after[None], inside)
        found.inside, found.outside = (float(each) for each in both)
