"""A playground for codes: mark places of a bird's map, and put other entries there.

`CodeLab` is plain Python and needs no browser; `CodeLab.widget` puts a button on every
place, with what ipywidgets 7.7 and 8 share. Used in lesson 04.
"""

from __future__ import annotations

import html

import torch
from torch import Tensor
from torch.nn import functional as F

from ..show.pictures import grid
from .caption_lab import as_png, read_birds

__all__ = ["WAYS", "CodeLab", "exchanged"]

WAYS = ("the other bird's codes", "one entry", "drawn by the prior")
SHOWN = ("the bird", "from its codes", "the other bird", "marked", "changed")
CONTROLS = ("bird", "other", "way", "entry", "seed")


def exchanged(codes: Tensor, other: Tensor, marked: Tensor) -> Tensor:
    """Codes with those of another map at the marked places; all (h, w), marked bool."""
    return torch.where(marked, other, codes)


class CodeLab:
    """Birds as maps of codes, which one may change place by place.

    prior: a `papers.pixelcnn.PixelCnn` without classes over a VQ-VAE's codes
    pictures: (N, 3, S, S) in [-1, 1]; reader: pictures to N dicts {part: value}
    """

    def __init__(self, prior, pictures: Tensor, reader=read_birds):
        self.prior, self.reader = prior.eval(), reader
        self.coder, self.pictures = prior.coder, pictures
        with torch.no_grad():
            self.codes = self.coder.codes(pictures)

    def change(self, bird: int, marked: Tensor, way: str = WAYS[0], other: int = 1,
               entry: int = 0, seed: int = 0) -> Tensor:  # fmt: skip
        """The bird's codes (h, w), changed where marked; see `WAYS`.

        other: whose codes; entry: which entry, everywhere; seed: of the prior's draw,
        which sees the places before each marked one. ValueError for another way.
        """
        codes = self.codes[bird]
        if way == WAYS[0]:
            return exchanged(codes, self.codes[other], marked)
        if way == WAYS[1]:
            return exchanged(codes, torch.full_like(codes, entry), marked)
        if way != WAYS[2]:
            raise ValueError(f"there is no way {way!r}; there are {', '.join(WAYS)}")
        given = exchanged(codes, torch.full_like(codes, -1), marked)[None]
        rng = torch.Generator().manual_seed(int(seed))
        noise = torch.rand(given.shape, generator=rng)
        return self.prior.pixelcnn.sample(noise, given=given)[0]

    def draw(self, codes: Tensor) -> Tensor:
        """The picture (1, 3, S, S) of a map of codes."""
        return self.coder.decode(codes[None])

    def bits(self, codes: Tensor) -> float:
        """How many bits a map of codes costs under the prior: few for a likely one."""
        with torch.no_grad():
            nats = -self.prior.pixelcnn.log_prob(codes[None])[0]
        return float(nats / torch.tensor(2.0).log())

    def words(self, codes: Tensor) -> str:
        """A line: what the oracle reads, and what the codes cost under the prior."""
        said = f"{self.bits(codes):.0f} bits under the prior"
        if self.reader:
            read = self.reader(self.draw(codes))[0]
            parts = ", ".join(f"{part} {value}" for part, value in read.items())
            said = f"the oracle reads {parts}; {said}"
        return said

    def row(self, bird: int, codes: Tensor, marked: Tensor, other: int) -> Tensor:
        """Five: the bird, from its codes, the other bird, what is marked, changed."""
        ends = self.coder.decode(self.codes[[bird, other]])
        size = self.pictures.shape[-2:]
        where = F.interpolate(marked[None, None].float(), size)[0]
        shown = ends[:1] * (1 - 0.75 * where) + 0.75 * where
        return torch.cat(
            [self.pictures[[bird]], ends, shown, self.draw(codes)]
        )  # (5, 3, S, S)

    def figure(self, bird: int, marked: Tensor, way: str = WAYS[0], other: int = 1,
               entry: int = 0, seed: int = 0):  # fmt: skip
        """The same five pictures, captioned, for a page that only is read."""
        codes = self.change(bird, marked, way, other, entry, seed)
        return grid(self.row(bird, codes, marked, other), 5, SHOWN, self.words(codes),
                    size=1.35)  # fmt: skip

    def widget(self, bird: int = 0, other: int = 1):
        """A button for every place; draws once before it is shown.

        Its parts are in `box.parts` so that a test can play without a browser.
        """
        import ipywidgets as w

        parts, quiet = self._controls(w, bird, other), []

        def act(_=None):
            if not quiet:  # not empty while many buttons change at once
                self._redraw(parts)

        def set_all(value):
            quiet.append(True)
            for place in parts["places"]:
                place.value = value
            quiet.clear()
            act()

        parts["all"].on_click(lambda _: set_all(True))
        parts["none"].on_click(lambda _: set_all(False))
        for control in (*(parts[name] for name in CONTROLS), *parts["places"]):
            control.observe(act, "value")
        act()
        return self._box(w, parts)

    def _redraw(self, parts: dict) -> None:
        """Picture, numbers and line, as the controls now stand."""
        places, line = parts["places"], parts["line"]
        marked = torch.tensor([place.value for place in places])
        bird, other, way, entry, seed = (parts[name].value for name in CONTROLS)
        try:
            marked = marked.view(self.codes.shape[1:])
            codes = self.change(bird, marked, way, other, entry, seed)
            shown = self.row(bird, codes, marked, other)
            parts["image"].value = as_png(shown, columns=5)
            for place, code in zip(places, codes.flatten().tolist()):
                place.description = str(code)
            line.value = html.escape(self.words(codes))
        except Exception as error:  # a widget's traceback would be lost in a log
            line.value = html.escape(f"This could not be drawn: {error}")

    def _box(self, w, parts: dict):
        """Everything in its place; the parts are kept in `box.parts`."""
        wide, places = self.codes.shape[2], parts["places"]
        rows = [w.HBox(places[i : i + wide]) for i in range(0, len(places), wide)]
        marks = w.HBox([parts["all"], parts["none"]])
        controls = w.VBox([*(parts[name] for name in CONTROLS), marks])
        names = w.HTML("From the left: " + ", ".join(SHOWN) + ".")
        below = w.HBox([w.VBox(rows), controls])
        box = w.VBox([parts["image"], names, parts["line"], below])
        box.parts = parts
        return box

    def _controls(self, w, bird: int, other: int) -> dict:
        """The widgets by name."""
        small = w.Layout(width="40px", padding="0px", margin="1px")
        last = len(self.pictures) - 1
        common = {"style": {"description_width": "90px"},
                  "layout": w.Layout(width="330px")}  # fmt: skip
        return {
            "places": [w.ToggleButton(value=False, layout=small)
                       for _ in range(self.codes[0].numel())],
            "bird": w.IntSlider(bird, 0, last, description="bird", **common),
            "other": w.IntSlider(other, 0, last, description="other bird", **common),
            "way": w.Dropdown(options=WAYS, value=WAYS[0], description="put there",
                              **common),
            "entry": w.IntSlider(0, 0, self.coder.values - 1, description="entry",
                                 **common),
            "seed": w.IntSlider(0, 0, 99, description="draw number", **common),
            "all": w.Button(description="mark all"),
            "none": w.Button(description="mark none"),
            "image": w.Image(format="png", value=b""),
            "line": w.HTML(),
        }  # fmt: skip
