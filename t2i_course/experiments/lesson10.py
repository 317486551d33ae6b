"""Lesson 10: StackGAN++'s table 5, colours of neighbouring scales, two processes."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor

from ..measure.birds import unseen_captions
from ..measure.branches import (
    branches,
    real_branches,
    report,
    report_alone,
    who_decides,
)
from ..measure.obedience import obedience
from ..measure.oracle import oracle
from ..measure.samples import detail
from ..papers.joint_embedding import text_encoder
from ..papers.stackgan_v2 import StackGanTree, StackGanTreeAlone, colours
from ..papers.tree_painter import TreePainter
from .lesson08 import curve_of
from .lesson09 import trained, variety_of
from .pace import pace
from .run import Run, rounded
from .tables import Table

PUBLISHED = (
    "Inception scores on CUB, by a network of bird species: 4.04 ± 0.05 in full, "
    "3.77 ± 0.04 without JCU, 3.49 ± 0.04 G3 alone, 3.22 ± 0.02 three G3, "
    "2.89 ± 0.02 all at 256 (StackGAN++, table 5; slide TM-19). Not to be set beside "
    "ours."
)


def rms(one: Tensor, other: Tensor) -> Tensor:
    """The root of the mean squared difference."""
    return (one - other).square().mean().sqrt()


def colours_apart(drawn: list[Tensor]) -> dict[str, float]:
    """How far neighbouring branches' colours are apart, over all pictures.

    "mean colour": the root mean square of the difference of a picture's mean colours,
    in units of pictures (white less black is 2); "covariance": of its covariances.
    {} where there is one branch.
    """
    if len(drawn) < 2:
        return {}
    pairs = [(colours(a), colours(b)) for a, b in pairwise(drawn)]
    apart = {
        name: sum(rms(a[i], b[i]) for a, b in pairs) / len(pairs)
        for i, name in enumerate(("mean colour", "covariance"))
    }
    return rounded(**apart)


# -------------------------------------------------------------------------- table 5

TABLE = Table("10", "table5", "the tree, and what it is without some of its branches",
              ("wing", "belly", "crown", "all", "inception score", "frechet distance",
               "diversity", "detail", "seconds"), published=PUBLISHED)  # fmt: skip


def looks_of(run: Run, steps: int, draw):
    """What `draw` draws, at four moments, if the row ships."""
    return run.looks({steps // 12, steps // 3, 2 * steps // 3, steps}, draw)


def asked(run: Run, steps: int | None = None, **switches) -> dict:
    """A tree that reads sentences, of the cpu preset, and what is measured of it."""
    system = run.build(StackGanTree, text_encoder=text_encoder(), **switches)
    steps = steps or system.settings["steps"]
    system, history = trained(run, system, steps, every=steps // 8)
    count, size = run.choose(40, 2000), system.generator.size
    found = report(system, count)
    drawn = branches(system, unseen_captions(count, size))
    found |= colours_apart(drawn)
    if system.generator.layout == "tree":
        found |= who_decides(system, count) | middle(drawn[-2], count)
    run.ship(system.network("generator"), history.elapsed, found, reads="text_birds")
    return {"steps": history.step, "seconds": round(history.elapsed), **found,
            "curve": curve_of(history)}  # fmt: skip


def middle(pictures: Tensor, count: int) -> dict[str, float]:
    """How well the branch of 32 pixels obeys."""
    named = unseen_captions(count, pictures.shape[-1]).named
    seen = oracle(pictures.shape[-1]).read(pictures)
    return rounded(**{"32 pixels, all": obedience(seen, named)["all"]})


ROWS = {
    "full": ({}, 375),
    "no JCU": ({"joint": False}, 375),
    "G3": ({"layout": "top"}, 300),
    "three G3": ({"layout": "three tops"}, 485),
    "all 64": ({"layout": "level"}, 560),
}
for name, (switches, cost) in ROWS.items():
    TABLE.add(
        name,
        lambda run, switches=switches: asked(run, **switches),
        cost=cost,
        ships="stackgan_tree_64" if name == "full" else None,
    )

LONGER = Table("10", "longer", "the tree for as long as lesson 09's two stages took",
               TABLE.columns)  # fmt: skip
LONGER.add("3,000 steps", lambda run: asked(run, steps=3000), cost=1600)

# --------------------------------------------------------------------------- colours

COLOUR = Table("10", "colour", "colours of neighbouring scales, by their term",
               ("mean colour", "covariance", "inception score", "frechet distance",
                "detail", "seconds"))  # fmt: skip


def unasked(run: Run, colour: float) -> dict:
    """A tree that reads nothing, of the cpu preset."""
    system = run.build(StackGanTreeAlone, colour=colour)
    looks = looks_of(
        run, system.settings["steps"], lambda system: branches(system, count=6)[-1]
    )
    source = run.birds(system.settings["batch_size"], 64)
    history = run.fit(system, source, on_step=looks)
    run.keep(history, looks)
    found = report_alone(system.eval(), run.choose(40, 2000))
    found |= colours_apart(branches(system, count=run.choose(40, 2000)))
    run.ship(system.network("generator"), history.elapsed, found)
    return {"steps": history.step, "seconds": round(history.elapsed), **found}


@COLOUR.row("real birds", cost=10)
def real_birds(run: Run) -> dict:
    """Real pictures and their reductions: the same means, narrower covariances."""
    pictures = real_branches(run.choose(40, 2000), seed=run.seed)
    return colours_apart(pictures) | rounded(detail=detail(pictures[-1]))


COLOUR.add("no sentences, 0", lambda run: unasked(run, 0.0), cost=280)
COLOUR.add("no sentences, 50", lambda run: unasked(run, 50.0), cost=280,
           ships="stackgan_tree_alone_64")  # fmt: skip
COLOUR.add("sentences, 50", lambda run: asked(run, colour=50.0), cost=375)


# ------------------------------------------------------------------- the best painter

PAINTER = Table("10", "painter", "the course's best painter, at 64 pixels",
                ("wing", "belly", "crown", "all", "diversity", "both ways", "detail",
                 "seconds"), (0,), networks=True)  # fmt: skip


@PAINTER.row("tree_painter_64", cost=2400, ships="tree_painter_64")
def tree_painter_64(run: Run) -> dict:
    """The tree before projection judges, at its cpu preset."""
    system = run.build(TreePainter, text_encoder=text_encoder())
    system, history = trained(run, system, system.settings["steps"], every=500)
    found = report(system, run.choose(40, 2000)) | variety_of(run, system)
    run.ship(system.network("generator"), history.elapsed, found, reads="text_birds")
    return {"seconds": round(history.elapsed), **found}


# ----------------------------------------------------------------------- in parallel

PARALLEL = Table("10", "parallel", "seconds a step, in one process and in two; gloo",
                 ("seconds a step",))  # fmt: skip
WAYS = {"one process": (1, 1), "one process, two threads": (1, 2),
        "two processes": (2, 1)}  # fmt: skip


def timed(run: Run, processes: int, threads: int) -> dict:
    """The cpu preset's batch of 32, 40 steps; the seeds are repetitions."""
    return rounded(**{
        "seconds a step": pace(processes, threads, 32, run.choose(2, 40))
    })  # fmt: skip


for name, way in WAYS.items():
    PARALLEL.add(name, lambda run, way=way: timed(run, *way), cost=40)
