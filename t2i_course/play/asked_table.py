"""A table of birds that the learner asks for: families down, wing colours along.

`AskedTable` is plain Python and needs no browser; `AskedTable.widget` puts pickers in
front of it, with what ipywidgets 7.7 and 8 share.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor

from ..measure.oracle import oracle
from ..show.pictures import crossed, grid
from ..worlds.bird_species import COLOURS, FAMILIES

__all__ = ["Asked", "AskedTable"]

COLOUR_NAMES = list(COLOURS)
MOST = 8  # kinds of slips that are named one by one


@dataclass
class Asked:
    """What came of it: pictures (R * C, 3, S, S) row by row, wing colours read.

    obeyed: whether each bird's wings are read as asked.
    """

    families: list[int]
    colours: list[str]
    pictures: Tensor
    read: list[str]

    @property
    def obeyed(self) -> list[bool]:
        """One truth a picture."""
        asked = self.colours * len(self.families)
        return [want == found for want, found in zip(asked, self.read)]

    @property
    def words(self) -> str:
        """How many obey, and what the others are read as."""
        hits = sum(self.obeyed)
        said = f"{hits} of {len(self.obeyed)} birds have wings of the colour asked for"
        asked = self.colours * len(self.families)
        slips = Counter(
            f"{want} read as {read}"
            for want, read in zip(asked, self.read)
            if want != read
        ).most_common()
        named = [slip + (f", {n} times" if n > 1 else "") for slip, n in slips[:MOST]]
        left = sum(n for _, n in slips[MOST:])
        named += [f"and {left} more"] if left else []
        return said + (f" ({'; '.join(named)})." if named else ".")


class AskedTable:
    """A system that draws by family and wing colour. Used in lesson 05.

    system: `papers.cgan.ConditionalGan` with the labels "family and wing", 32 pixels.
    """

    def __init__(self, system):
        self.system = system.eval()

    def ask(self, families, colours, picture: int = 0) -> Asked:
        """A bird for each pair, all from one noise; ValueError for unknown ones."""
        families, colours = [int(family) for family in families], list(colours)
        for family in families:
            if not 0 <= family < FAMILIES:
                raise ValueError(f"no family {family}: they are 0 to {FAMILIES - 1}")
        for colour in colours:
            if colour not in COLOUR_NAMES:
                there = ", ".join(COLOUR_NAMES)
                raise ValueError(f"no wing colour {colour!r}; there are {there}")
        if not families or not colours:
            raise ValueError("choose a family and a colour at least")
        pairs = [(f, COLOUR_NAMES.index(c)) for f in families for c in colours]
        rng = torch.Generator().manual_seed(int(picture))
        noise = torch.randn(1, self.system.generator.noise_size, generator=rng)
        device = next(self.system.generator.parameters()).device
        drawn = self.system.sample(
            torch.tensor(pairs, device=device),
            noise=noise.expand(len(pairs), -1).to(device),
        ).cpu()
        seen = oracle(drawn.shape[-1]).read(drawn)[:, 0]
        return Asked(families, colours, drawn, [COLOUR_NAMES[i] for i in seen])

    def figure(self, families=(0, 1, 2, 3), colours=None, picture: int = 0, title=None):
        """The table with what is read below; for a page that only is read."""
        asked = self.ask(families, colours or COLOUR_NAMES[:6], picture)
        below = [f"read: {r}" for r in asked.read]
        rows = [f"family {family}" for family in asked.families]
        return grid(asked.pictures, asked.colours, below, title, rows=rows)

    def framed(self, asked: Asked):
        """The table with its heads, and a red frame where the wings disobey."""
        rows = [f"family {family}" for family in asked.families]
        slips = [not obeyed for obeyed in asked.obeyed]
        title = "framed in red: the wings are not read as asked" if any(slips) else ""
        return crossed(asked.pictures, rows, asked.colours, title, slips)

    def widget(self):
        """The table for a browser; its parts are attributes of the box, for tests."""
        import ipywidgets as w
        from IPython.core.pylabtools import print_figure

        families = w.SelectMultiple(
            options=list(range(FAMILIES)), value=(3, 8, 10), rows=6,
            description="families",
        )  # fmt: skip
        colours = w.SelectMultiple(
            options=COLOUR_NAMES, value=tuple(COLOUR_NAMES[:5]), rows=6,
            description="wings",
        )  # fmt: skip
        picture = w.IntSlider(min=0, max=99, description="noise")
        image, line = w.Image(format="png"), w.HTML()

        def draw(_=None):
            try:
                asked = self.ask(families.value, colours.value, picture.value)
            except ValueError as error:
                line.value = str(error)
                return
            image.value = print_figure(self.framed(asked))
            line.value = (
                f"Rows: families {', '.join(map(str, asked.families))}; columns: "
                f"{', '.join(asked.colours)} wings. {asked.words}"
            )

        for control in (families, colours, picture):
            control.observe(draw, "value")
        draw()
        box = w.VBox([w.HBox([families, colours]), picture, line, image])
        box.controls, box.image, box.line = (families, colours, picture), image, line
        return box
