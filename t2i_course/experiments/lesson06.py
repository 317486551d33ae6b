"""Lesson 06: from picture to picture, with pairs and without; what a picture hides."""

from __future__ import annotations

import torch

from ..measure import translation
from ..measure.dcgan import quality
from ..measure.translation import of_domains, of_pairs, pixel_error, survival, unseen
from ..papers.cyclegan import CycleGan
from ..papers.pix2pix import Pix2Pix
from ..worlds.domains import Pairs
from .run import Run
from .tables import Table

# Networks that ship for a picture of what fails; their courses aren't shown.
FAILING = {
    "pix2pix_distance", "pix2pix_straight", "cyclegan_wings_game",
    "cyclegan_wings_cycle",
}  # fmt: skip


def looks_of(run: Run, steps: int, draw):
    """Looks at a training whose course a page shows; None for another."""
    return None if run.row.ships in FAILING else run.looks(moments(steps), draw)


def moments(steps: int) -> set[int]:
    """The steps at which a training is looked at."""
    return {steps // 12, steps // 3, 2 * steps // 3, steps}


def eight(domains: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Eight birds of unseen species in both domains."""
    x, y, _ = unseen(domains, 500)
    return x[::63], y[::63]


# ------------------------------------------------------------------------- with pairs


def paired(run: Run, part: str = "", **settings) -> dict:
    """Train a pix2pix, measure it by its way."""
    system = run.build(Pix2Pix, **settings)
    source = Pairs(run.birds(system.settings["batch_size"]))
    x, y = eight("parts")
    given = x if system.way == "paint" else y
    looks = looks_of(run, system.settings["steps"], lambda s: s.sample(given))
    history = run.fit(system, source, part=part, on_step=looks)
    run.keep(history, looks)
    found = of_pairs(system.eval(), run.choose(60, 2000), run.seed)
    found["seconds"] = round(history.elapsed, 1)
    run.ship(system.network("generator"), history.elapsed, found)
    return found


SEGMENT = Table("06", "segment", "birds to part maps: the distance alone, and the game",
                ("iou", "accuracy", "seconds"))  # fmt: skip
PAINT = Table("06", "paint", "part maps to birds: what each part of the loss does",
              ("iou", "accuracy", "error", "colour", "diversity", "distance",
               "seconds"))  # fmt: skip
PATCHES = Table("06", "patches", "part maps to birds: how much of it D sees at once",
                PAINT.columns)  # fmt: skip
SEGMENT.add(
    "L1", lambda run: paired(run, way="segment", adversarial=False), cost=35,
    ships="pix2pix_segment",
)  # fmt: skip
SEGMENT.add("L1 + cGAN", lambda run: paired(run, way="segment"), cost=50)
WAYS = {
    "L1": {"adversarial": False},
    "cGAN": {"weight": 0.0},
    "L1 + cGAN": {},
    "no skips": {"skips": False},
}
PAINTERS = {
    "L1": "pix2pix_distance",
    "L1 + cGAN": "pix2pix_paint",
    "no skips": "pix2pix_straight",
}
for name, settings in WAYS.items():
    PAINT.add(
        name,
        lambda run, settings=settings: paired(run, **settings),
        cost=50,
        ships=PAINTERS.get(name),
    )


@PAINT.row("real birds", cost=5, seeds=(0,), only=True)
def real(run: Run) -> dict:
    """What the segmenter makes of the real birds: as well as a painting can score."""
    _, birds, masks = unseen("parts", run.choose(60, 2000))
    found = translation.segmenter_score(birds, masks)
    found |= {"error": 0.0, "colour": 1.0, "diversity": 1.0}  # by definition
    found["distance"] = quality(birds)["distance"]
    return {name: round(value, 4) for name, value in found.items()}


# Fields of 1, 6 and 34 pixels a side; that of 16 is the row "L1 + cGAN" of "paint".
for field, patch in {1: {"layers": 0}, 6: {"kernel": 2}, 34: {"layers": 2}}.items():
    PATCHES.add(str(field), lambda run, patch=patch: paired(run, **patch), cost=75)


# ---------------------------------------------------------------------- without pairs


def unpaired(run: Run, domains: str, **settings) -> dict:
    """Train a CycleGAN, measure it against the hidden truth, and what survives."""
    system = run.build(CycleGan, domains=domains, **settings)
    source = Pairs(run.birds(system.settings["batch_size"]), domains, paired=False)
    x, y = eight(domains)

    def look(system: CycleGan) -> torch.Tensor:
        return torch.cat([system.sample(x), system.sample(y, "x")])

    looks = looks_of(run, system.settings["steps"], look)
    history = run.fit(system, source, on_step=looks)
    run.keep(history, looks)
    found = of_domains(system.eval(), run.choose(60, 1000), run.seed)
    found["survival"] = survival(system, unseen(domains, run.choose(60, 1000))[1])
    found["seconds"] = round(history.elapsed, 1)
    run.ship(system.network("generators"), history.elapsed, found)
    return found


BOTH = ("to y", "to x", "there and back", "kept")
WINGS = Table("06", "wings", "plain wings and barred ones, without pairs",
              (*BOTH, "changed", "seconds"))  # fmt: skip
DUSK = Table("06", "dusk", "day and dusk, without pairs", (*BOTH, "seconds"))
PARTS = Table("06", "parts", "part maps and birds, without pairs: what a map hides",
              ("iou", "to y", "to x", "there and back", "seconds"))  # fmt: skip
DEMANDS = {
    "no cycle": {"cycle": 0.0},
    "cycle": {},
    "cycle and identity": {"identity": 0.5},
}
TRANSLATORS = {
    ("wings", "no cycle"): "cyclegan_wings_game",
    ("wings", "cycle"): "cyclegan_wings_cycle",
    ("wings", "cycle and identity"): "cyclegan_wings",
    ("dusk", "cycle and identity"): "cyclegan_dusk",
}
for name, settings in DEMANDS.items():
    # A change of the light alone is learned in half the steps.
    for table, domains, steps in ((WINGS, "wings", 1200), (DUSK, "dusk", 600)):
        table.add(
            name,
            lambda run, domains=domains, settings=settings | {"steps": steps}: unpaired(
                run, domains, **settings
            ),
            cost=steps / 8,
            ships=TRANSLATORS.get((domains, name)),
        )
PARTS.add("cycle", lambda run: unpaired(run, "parts"), cost=150, ships="cyclegan_parts")


def untouched(run: Run, domains: str) -> dict:
    """Of a translation that changes nothing."""
    x, y, masks = unseen(domains, run.choose(60, 1000))
    found = {"to y": pixel_error(x, y), "to x": pixel_error(y, x)}
    found |= {"there and back": 0.0, "seconds": 0.0}
    found |= translation.as_read(domains, y, x, x, y, masks)
    return {name: round(value, 4) for name, value in found.items()}


WINGS.add("nothing", lambda run: untouched(run, "wings"), cost=5, seeds=(0,), only=True)
DUSK.add("nothing", lambda run: untouched(run, "dusk"), cost=5, seeds=(0,), only=True)
