"""Choose a unit and some priors, and watch grow what the unit likes to see.

`StimulusLab` is plain Python and needs no browser; `StimulusLab.widget` puts menus,
boxes to tick and two sliders in front of it, with what ipywidgets 7.7 and 8 share.
"""

from __future__ import annotations

import copy
import html
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn
from torch.nn import functional as F

from ..inside.maximize import Prior, layer_of, layers, maximize, of_units
from ..inside.priors import (
    PHOTOGRAPHS,
    Fourier,
    Pixels,
    Views,
    bilateral,
    gaussian_blur,
    total_variation,
)
from ..measure.oracle import oracle
from ..show.pictures import font, mosaic
from ..worlds.bird_species import ATTRIBUTES, COLOUR_PARTS

__all__ = ["MOST", "PRIORS", "START", "Found", "StimulusLab"]

PRIORS = ("total variation", "blur", "bilateral", "views", "Fourier", "colours")
START = ("views", "Fourier", "colours")
VIEWS = Views(jitter=4, rotate=10, scale=0.1)
MOST = 96  # steps; on one thread even all filters at once take a second
CONTROLS = ("layer", "unit", "steps", "form", "noise")
CHOICES = ("raw", "log-softmax")
ENLARGE, GAP, LABEL = 2, 6, 20  # pixels of the sheet


@dataclass
class Found:
    """Pictures (N, 3, S, S) on the way to what a unit likes, or why there are none.

    steps: N, after how many each picture stands; unit: "wing red"; before, after: its
    activation of the first and of the last picture; own, other: what the network and a
    second one read in the last; form: of the activation.
    """

    sheet: Tensor | None
    steps: list[int] = field(default_factory=list)
    unit: str = ""
    form: str = "raw"
    before: float = 0.0
    after: float = 0.0
    own: str = ""
    other: str = ""
    problem: str = ""

    @property
    def labels(self) -> list[str]:
        """What stands below each picture."""
        return ["start" if not n else f"step {n}" for n in self.steps]

    @property
    def line(self) -> str:
        """How far the unit got, and who reads what; or the problem."""
        if self.sheet is None:
            return self.problem
        unit = self.unit if self.form == "raw" else f"{self.form} of {self.unit}"
        before, after = (f"{round(x, 2) + 0.0:.2f}" for x in (self.before, self.after))
        return (
            f"{unit}: {before} at the start, {after} after {self.steps[-1]} steps. "
            f"The network itself reads {self.own}; another one, of a smaller picture, "
            f"reads {self.other}."
        )

    def png(self) -> bytes:
        """The sheet in a row, each picture with its label below it."""
        pixels = Image.fromarray(mosaic(self.sheet, len(self.sheet), GAP, ENLARGE))
        paper = Image.new("RGB", (pixels.width, pixels.height + LABEL), "white")
        paper.paste(pixels)
        pen, step = ImageDraw.Draw(paper), ENLARGE * self.sheet.shape[-1] + GAP
        for i, label in enumerate(self.labels):
            place = i * step + (step - GAP) / 2, pixels.height + LABEL / 2
            pen.text(place, label, fill=(40, 40, 40), font=font(13), anchor="mm")
        file = io.BytesIO()
        paper.save(file, "PNG")
        return file.getvalue()


class Impossible(ValueError):
    """What was asked for can't be; the message is a sentence for the learner."""


class StimulusLab:
    """What the units of a network of the bird world like to see.

    network: pictures (1, 3, S, S), S its `size`, to {attribute: logits}; the lab works
    with a copy at rest. hidden: names of layers for the menu, beside the attributes; by
    default the trunk's batch norms, which are what each ReLU is given. other: a second
    network, which reads the grown picture shrunk to its size; by default the oracle for
    32 pixels. Used in lesson 17.
    """

    def __init__(self, network: nn.Module, hidden: Sequence[str] | None = None,
                 other: nn.Module | None = None):  # fmt: skip
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.network.to(memory_format=torch.channels_last)  # a tenth faster
        self.other = other or oracle(32)
        side = network.size
        self.shapes = layers(self.network, torch.zeros(1, 3, side, side))
        if hidden is None:
            parts = dict(self.network.named_modules())
            hidden = [n for n in self.shapes if isinstance(parts[n], nn.BatchNorm2d)]
        self.names = [*ATTRIBUTES, *hidden]

    def units(self, layer: str) -> tuple[str, ...] | tuple[int, ...]:
        """A layer's units: an attribute's by name, others by number."""
        return ATTRIBUTES.get(layer) or tuple(range(self.shapes[layer][0]))

    def grow(self, layer: str = "wing", unit: str | int = "red",
             priors: Collection[str] = START, steps: int = 64, form: str = "raw",
             seed: int = 0) -> Found:  # fmt: skip
        """A picture that a unit likes to see, and how it came to be.

        layer: an attribute or the name of a hidden layer; unit: its name or number;
        priors: some of `PRIORS`; steps: 1 to `MOST`; form: "raw" or "log-softmax";
        seed: of the noise it starts from. What can't be gives a Found with a problem.
        """
        try:
            number = self._number(layer, unit)
            steps, prior = counted(steps), prior_of(priors)
            if form not in CHOICES:
                raise Impossible(f"The form is {' or '.join(CHOICES)}, not {form!r}.")
            activation = of_units(self._look(layer), number, form)
            moments = sorted({0, steps // 8, steps // 4, steps // 2, steps})
            side = self.network.size
            grown = maximize(activation, (1, 3, side, side), prior, steps=steps,
                             seed=int(seed), moments=moments)  # fmt: skip
        except ValueError as error:  # Impossible, or an activation that isn't finite
            return Found(None, problem=str(error))
        sheet = torch.cat([grown.moments[moment] for moment in moments])
        with torch.no_grad():
            before, after = activation(sheet[[0, -1]]).tolist()
        own, other = self._read(layer, sheet[-1:])
        name = f"{layer} {self.units(layer)[number]}"
        return Found(sheet, moments, name, form, before, after, own, other)

    def _number(self, layer: str, unit: str | int) -> int:
        """Which of a layer's units is meant."""
        if layer not in ATTRIBUTES and layer not in self.shapes:
            there = ", ".join(self.names)
            raise Impossible(f"The network has no layer {layer!r}; it has {there}.")
        units = self.units(layer)
        if unit in units:
            return units.index(unit)
        if isinstance(unit, int) and 0 <= unit < len(units):
            return unit
        there = ", ".join(units) if layer in ATTRIBUTES else f"0 to {units[-1]}"
        raise Impossible(f"{layer} has no unit {unit!r}; it has {there}.")

    def _look(self, layer: str):
        """Pictures to a layer's output."""
        if layer in ATTRIBUTES:
            return lambda pictures: self.network(pictures)[layer]
        return layer_of(self.network, layer)

    @torch.no_grad()
    def _read(self, layer: str, picture: Tensor) -> list[str]:
        """What both networks read, ["wing red 1.00", ...]; of a hidden layer, more."""
        said = []
        for network in (self.network, self.other):
            rows = network(F.adaptive_avg_pool2d(picture, network.size))
            parts = [layer] if layer in ATTRIBUTES else COLOUR_PARTS
            found = {part: rows[part].softmax(1)[0].max(0) for part in parts}
            each = (f"{part} {ATTRIBUTES[part][int(best.indices)]} {best.values:.2f}"
                    for part, best in found.items())  # fmt: skip
            said.append(", ".join(each))
        return said

    def widget(self, layer: str = "wing", unit: str | int = "red"):
        """The lab for a browser; its parts are attributes of the box, for tests.

        `box.parts` has the controls by name; the sheet is `box.image`.
        """
        import ipywidgets as w

        parts = self._controls(w, layer, unit)
        image, line = w.Image(format="png", value=b""), w.HTML()
        shown = []

        def draw(_=None):
            chosen = [n for n in PRIORS if parts[n].value and not parts[n].disabled]
            layer, unit, *rest = (parts[n].value for n in CONTROLS)
            asked = (layer, unit, chosen, *rest)
            if shown == [asked]:  # a new layer tells of itself and of its first unit
                return
            shown[:] = [asked]
            found = self.grow(*asked)
            if not found.problem:
                image.value = found.png()
            colour = "#b3372f" if found.problem else "inherit"
            said = html.escape(found.line)
            line.value = f'<span style="color:{colour}">{said}</span>'

        def follow(_=None):
            parts["unit"].options = self.units(parts["layer"].value)
            draw()

        def allow(_=None):
            parts["colours"].disabled = not parts["Fourier"].value

        parts["Fourier"].observe(allow, "value")
        for name, part in parts.items():
            part.observe(follow if name == "layer" else draw, "value")
        draw()
        rows = [["layer", "unit", "form"], PRIORS[:3], PRIORS[3:], ["steps", "noise"]]
        box = w.VBox([*(w.HBox([parts[n] for n in row]) for row in rows), image, line])
        box.parts, box.image, box.line = parts, image, line
        return box

    def _controls(self, w, layer: str, unit: str | int) -> dict:
        """The widgets by name."""
        parts = {
            "layer": w.Dropdown(options=self.names, value=layer, description="layer"),
            "unit": w.Dropdown(options=self.units(layer), value=unit,
                               description="unit"),
            "form": w.Dropdown(options=CHOICES, description="form"),
            "steps": w.IntSlider(value=64, min=8, max=MOST, step=8,
                                 description="steps", continuous_update=False),
            "noise": w.IntSlider(value=0, min=0, max=99, description="noise",
                                 continuous_update=False),
        }  # fmt: skip
        for name in PRIORS:
            parts[name] = w.Checkbox(value=name in START, description=name,
                                     indent=False)  # fmt: skip
        return parts


def counted(steps: int) -> int:
    """Steps, if there may be so many."""
    if not 1 <= steps <= MOST:
        raise Impossible(f"There may be 1 to {MOST} steps, not {steps}.")
    return int(steps)


def prior_of(chosen: Collection[str]) -> Prior:
    """What these names of `PRIORS` switch on. Impossible says what doesn't fit."""
    chosen = {chosen} if isinstance(chosen, str) else set(chosen)
    if unknown := sorted(chosen - set(PRIORS)):
        raise Impossible(
            f"There is no prior {unknown[0]!r}; there are {', '.join(PRIORS)}."
        )
    filters = {"blur": gaussian_blur, "bilateral": bilateral}
    filters = [filters[name] for name in PRIORS if name in chosen & set(filters)]
    if filters and "Fourier" in chosen:
        raise Impossible(
            "A blur or a bilateral filter works on pixels, and a Fourier canvas has "
            "waves in their place: switch off the one or the other."
        )
    if "colours" in chosen and "Fourier" not in chosen:
        raise Impossible("Decorrelated colours need the Fourier canvas: switch it on.")

    def operator(pictures: Tensor) -> Tensor:
        for one in filters:
            pictures = one(pictures)
        return pictures

    waves = Fourier(PHOTOGRAPHS if "colours" in chosen else None)
    return Prior(
        penalty=total_variation if "total variation" in chosen else None,
        operator=operator if filters else None,
        views=VIEWS if "views" in chosen else None,
        canvas=waves if "Fourier" in chosen else Pixels(),
    )
