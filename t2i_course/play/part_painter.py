"""Paint a part map, and see the bird: a canvas in front of a pix2pix.

`PartPainter` is plain Python and needs no browser. `PartPainter.widget` puts a small
canvas in front of it, an anywidget that JupyterLab, Colab and VS Code show; it sends
the parts back when the pointer is lifted, and nothing but them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..measure.translation import class_iou, segmenter
from ..show.pictures import grid
from ..worlds.bird_drawing import PARTS
from ..worlds.domains import PALETTE, in_colours, nearest_part
from .caption_lab import as_png

__all__ = ["Painted", "PartPainter", "altered"]

# The canvas: a palette, a brush, and squares that are coloured by the pointer. It holds
# no logic of its own; the parts are a list of numbers, row by row.
CANVAS = """
function render({ model, el }) {
  const side = model.get("side"), scale = 10, colours = model.get("colours");
  let part = 1, brush = 2, cells = model.get("parts").slice(), down = false;
  const box = document.createElement("div");
  box.className = "t2i-painter";
  const bar = document.createElement("div");
  const buttons = model.get("names").map((name, i) => {
    const b = document.createElement("button");
    b.textContent = name;
    b.style.cssText = "margin:2px;padding:2px 8px;border:2px solid transparent;" +
      "background:rgb(" + colours[i] + ");color:" +
      (0.3 * colours[i][0] + 0.6 * colours[i][1] > 120 ? "#000" : "#fff");
    b.onclick = () => { part = i; mark(); };
    bar.appendChild(b);
    return b;
  });
  const width = document.createElement("button");
  width.onclick = () => { brush = brush % 3 + 1; mark(); };
  bar.appendChild(width);
  const mark = () => {
    buttons.forEach((b, i) =>
      b.style.borderColor = i === part ? "#f60" : "transparent");
    width.textContent = "brush " + brush;
  };
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side * scale;
  canvas.style.cssText = "touch-action:none;border:1px solid #888;cursor:crosshair";
  const ink = canvas.getContext("2d");
  const draw = () => cells.forEach((p, i) => {
    ink.fillStyle = "rgb(" + colours[p] + ")";
    ink.fillRect(i % side * scale, Math.floor(i / side) * scale, scale, scale);
  });
  const dab = (event) => {
    const place = canvas.getBoundingClientRect();
    const x = Math.floor((event.clientX - place.left) / place.width * side);
    const y = Math.floor((event.clientY - place.top) / place.height * side);
    const near = Math.floor(brush / 2);
    for (let j = y - near; j < y - near + brush; j++)
      for (let i = x - near; i < x - near + brush; i++)
        if (i >= 0 && j >= 0 && i < side && j < side) cells[j * side + i] = part;
    draw();
  };
  canvas.onpointerdown = (e) => { down = true; canvas.setPointerCapture(e.pointerId);
                                  dab(e); };
  canvas.onpointermove = (e) => { if (down) dab(e); };
  canvas.onpointerup = canvas.onpointercancel = () => {
    down = false;
    model.set("parts", cells.slice());
    model.save_changes();
  };
  model.on("change:parts", () => { cells = model.get("parts").slice(); draw(); });
  box.append(bar, canvas);
  el.appendChild(box);
  mark(); draw();
}
export default { render };
"""


@dataclass
class Painted:
    """What came of a map: the map and the bird, (2, 3, S, S) in [-1, 1], and words."""

    pictures: Tensor
    words: str


def altered(start: Tensor) -> dict[str, Tensor]:
    """The playground's questions as part maps (S, S): {what was done: map}.

    The second tail is the first one, painted once more 14 rows higher.
    """
    tail, beak = PARTS.index("tail"), PARTS.index("beak")
    rows, columns = (start == tail).nonzero(as_tuple=True)
    second = start.clone()
    second[(rows - 14).clamp_min(0), columns] = tail
    return {
        "as it was": start.clone(),
        "a second tail": second,
        "no beak": start.masked_fill(start == beak, 0),
        "all wing": torch.full_like(start, PARTS.index("wing")),
        "nothing": torch.zeros_like(start),
    }


class PartPainter:
    """A pix2pix that paints, and a map to begin with. Used in lesson 06.

    system: `papers.pix2pix.Pix2Pix` of the way "paint"; start: a part map (S, S).
    """

    def __init__(self, system, start):
        self.system = system.eval()
        self.start = torch.as_tensor(np.asarray(start)).to(torch.uint8)
        self.side = system.reads[-1]

    def paint(self, parts) -> Painted:
        """The bird of a part map (S, S), or S * S numbers; ValueError for another."""
        numbers = np.asarray(parts)
        if (
            numbers.size != self.side**2
            or not np.isin(numbers, range(len(PARTS))).all()
        ):
            raise ValueError(
                f"a part map has {self.side} x {self.side} numbers from 0 to "
                f"{len(PARTS) - 1} ({', '.join(PARTS)})"
            )
        numbers = numbers.reshape(1, self.side, self.side).astype(np.uint8)
        given = torch.from_numpy(in_colours(numbers)).float() / 127.5 - 1
        drawn = self.system.sample(given.to(self.system.device)).cpu()
        read = nearest_part(segmenter().sample(drawn))
        asked = torch.from_numpy(numbers)
        there = [p for p in range(1, len(PARTS)) if (asked == p).any()]
        each = class_iou(read, asked, len(PARTS))
        said = [f"{PARTS[p]} {float(each[p]):.0%}" for p in there]
        words = "nothing is painted" if not said else (
            "read back by the network that segments, overlap with your map: "
            + ", ".join(said)
        )  # fmt: skip
        return Painted(torch.cat([given, drawn]), f"{words}.")

    def figure(self, parts=None, title: str | None = None):
        """A map and its bird; for a page that only is read."""
        made = self.paint(self.start if parts is None else parts)
        figure = grid(made.pictures, ["part map", "painted"], title=title, size=1.6)
        return figure.knows(made.words)

    def answers(self, title: str | None = None):
        """The maps of `altered`, and below each what is painted of it."""
        asked = altered(self.start)
        pairs = [self.paint(parts).pictures for parts in asked.values()]
        sheet = torch.stack(pairs, 1).flatten(0, 1)
        return grid(sheet, list(asked), rows=["part map", "painted"], title=title)

    def widget(self):
        """The canvas, the bird, and what is read in it; parts of the box, for tests."""
        import ipywidgets as w

        canvas = canvas_widget(self.start)
        image, line = w.Image(format="png"), w.HTML()
        again, clear = (
            w.Button(description="The first map"),
            w.Button(description="Clear"),
        )

        def draw(_=None):
            made = self.paint(canvas.parts)
            image.value, line.value = as_png(made.pictures, 2), made.words

        canvas.observe(draw, "parts")
        again.on_click(
            lambda _: setattr(canvas, "parts", self.start.flatten().tolist())
        )
        clear.on_click(lambda _: setattr(canvas, "parts", [0] * self.side**2))
        draw()
        box = w.VBox([canvas, w.HBox([again, clear]), line, image])
        box.canvas, box.image, box.line, box.buttons = (
            canvas,
            image,
            line,
            (again, clear),
        )
        return box


def canvas_widget(start: Tensor):
    """The canvas alone: its trait `parts` holds S * S numbers, row by row."""
    import anywidget
    import traitlets

    class Canvas(anywidget.AnyWidget):
        _esm = CANVAS
        side = traitlets.Int(start.shape[-1]).tag(sync=True)
        names = traitlets.List(list(PARTS)).tag(sync=True)
        colours = traitlets.List([list(PALETTE[p]) for p in PARTS]).tag(sync=True)
        parts = traitlets.List().tag(sync=True)

    return Canvas(parts=start.flatten().tolist())
