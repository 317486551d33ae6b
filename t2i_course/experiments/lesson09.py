"""Lesson 09: conditioning augmentation by its weight; two stages; the best painter."""

from __future__ import annotations

import torch

from ..measure import stages, variety
from ..measure.birds import draw, report, unseen_captions
from ..measure.style import COLUMNS as STYLED
from ..measure.style import READ, agreement, drawings, ruler
from ..papers.gan_cls import StyleTraining
from ..papers.joint_embedding import text_encoder
from ..papers.painter import Painter
from ..papers.stackgan import StackGan
from ..papers.stackgan_two import StackGanTwo
from ..systems import shipped
from .lesson08 import curve_of, watcher
from .run import Run, rounded
from .tables import Table

COLUMNS = ("wing", "belly", "crown", "all", "diversity", "by z", "by eps", "both ways",
           "sigma", "evenness", "frechet distance", "seconds")  # fmt: skip


def looks_of(run: Run, steps: int, size: int):
    """Eight captions at four moments; of larger pictures fewer, for a small file."""
    asked = unseen_captions(8, size, seed=11)
    moments = {steps // 12, steps}
    if size < 128:
        moments |= {steps // 3, 2 * steps // 3}
    many = {32: 8, 64: 6, 128: 2}[size]
    return run.looks(moments, lambda system: draw(system, asked)[:many])


def trained(run: Run, system, steps: int, every: int = 250) -> tuple:
    """Train a system with looks and a curve; the system, and what is known of it."""
    size = system.generator.size
    looks, watch = looks_of(run, steps, size), watcher(run, size, every)

    def each_step(system, history, step):
        watch(system, history, step)
        if looks is not None:
            looks(system, history, step)

    source = run.birds(system.settings["batch_size"], size)
    history = run.fit(system, source, steps, on_step=each_step)
    run.keep(history, looks)
    return system.eval(), history


def variety_of(run: Run, system) -> dict[str, float]:
    """Diversity by what is drawn anew, and how many captions show both directions."""
    asked = unseen_captions(run.choose(4, 100), system.generator.size, seed=21)
    lots = variety.by_lot(system, asked, seed=run.seed)
    many = variety.all_lots(system, len(asked.lengths), 8, run.seed + 1)
    both = variety.both_ways(variety.drawn_with(system, asked, many))
    found = {"by z": lots["z"], "by eps": lots["eps"], "both ways": both}
    return {name: round(value, 4) for name, value in found.items()}


@torch.no_grad()
def spread_of(run: Run, system) -> dict[str, float]:
    """Mean sigma, the deviation of mu over captions, the KL a number; evenness in c."""
    from ..papers.stackgan import kl_to_standard

    asked = unseen_captions(run.choose(8, 200), 32, seed=22)
    text = system.text_encoder.of(asked)
    mean, log_sigma = system.network("generator").augmentation.spread(text)
    found = {"mu": mean.std(0).mean(), "sigma": 0.0, "kl": 0.0}
    if log_sigma is not None:
        found["sigma"] = log_sigma.exp().mean()
        found["kl"] = kl_to_standard(mean, log_sigma)
    found["evenness"] = variety.evenness(system, asked, seed=run.seed)
    return {name: round(float(value), 4) for name, value in found.items()}


def sketching(run: Run, augment: str, kl: float) -> dict:
    """A stage I at 32 pixels, and all that is measured of it."""
    torch.manual_seed(run.seed)
    system = StackGan.from_preset(
        "cpu", text_encoder=text_encoder(), augment=augment, kl=kl
    )
    system, history = trained(run, system, system.settings["steps"])
    found = report(system, run.choose(40, 2000))
    found |= variety_of(run, system) | spread_of(run, system)
    run.ship(system.network("generator"), history.elapsed, found, reads="text_birds")
    return {"steps": history.step, "seconds": round(history.elapsed), **found,
            "curve": curve_of(history)}  # fmt: skip


AUGMENTATION = Table("09", "augmentation", "conditioning augmentation, by its weight",
                     COLUMNS)  # fmt: skip
WAYS = {"off": ("off", 0.0), "0": ("drawn", 0.0), "0.1": ("drawn", 0.1),
        "2": ("drawn", 2.0), "256": ("drawn", 256.0),
        "2, sigma 1 or more": ("released", 2.0)}  # fmt: skip
SHIPS = {"off": "stackgan_off_32", "0.1": "stackgan_32", "2": "stackgan_wide_32"}

for name, (augment, kl) in WAYS.items():
    AUGMENTATION.add(
        name,
        lambda run, augment=augment, kl=kl: sketching(run, augment, kl),
        cost=350,
        ships=SHIPS.get(name),
    )


# ------------------------------------------------------------------------- two stages

STAGES = Table("09", "stages", "stage II with its text and without; 64 pixels at once",
               ("sketch, all", "all", "kept", "mended", "spoiled", "place", "detail",
                "diversity", "frechet distance", "seconds"))  # fmt: skip


def refining(run: Run, reads: bool) -> dict:
    """A stage II at 64 pixels over the shipped stage I."""
    torch.manual_seed(run.seed)
    system = StackGanTwo.from_preset(
        "cpu", text_encoder=text_encoder(), reads=reads,
        sketcher=shipped("stackgan_32"),
    )  # fmt: skip
    system, history = trained(run, system, system.settings["steps"])
    found = report(system, run.choose(40, 2000), size=64)
    found |= stages.report(system, run.choose(40, 2000))
    run.ship(system.network("generator"), history.elapsed, found, reads="text_birds",
             borrows={"sketcher.": "stackgan_32"})  # fmt: skip
    return {"steps": history.step, "seconds": round(history.elapsed), **found,
            "curve": curve_of(history)}  # fmt: skip


for name, reads in (("with text", True), ("without text", False)):
    STAGES.add(name, lambda run, reads=reads: refining(run, reads), cost=450,
               ships="stackgan_64" if reads else None)  # fmt: skip

LARGER = Table("09", "larger", "stage II from 64 pixels to 128, over the painter",
               ("sketch, all", "wing", "belly", "crown", "all", "kept", "mended",
                "spoiled", "place", "detail", "sketch, detail", "diversity",
                "both ways", "frechet distance", "seconds"), (0,))  # fmt: skip


def enlarging(run: Run, held: int | None, steps: int) -> dict:
    """A stage II at 128 pixels over the shipped painter."""
    system = run.build(
        StackGanTwo, text_encoder=text_encoder(), sketcher=shipped("painter_64"),
        size=128, held=held,
    )  # fmt: skip
    system, history = trained(run, system, steps)
    found = stages.report(system, run.choose(40, 2000))
    found |= report(system, run.choose(40, 2000), size=128) | variety_of(run, system)
    run.ship(system.network("generator"), history.elapsed, found, reads="text_birds",
             pixels=128, borrows={"sketcher.": "painter_64"})  # fmt: skip
    return {"steps": history.step, "seconds": round(history.elapsed), **found}


LARGER.add("as published", lambda run: enlarging(run, None, 1600), cost=2400)
LARGER.add("held to the sketch", lambda run: enlarging(run, 32, 800), cost=1300,
           ships="stackgan_128")  # fmt: skip


# ----------------------------------------------------------------------------- styles

STYLES = Table("09", "styles", "style transfer by lesson 08's ruler, shipped stages I",
               ("squared error", *READ))  # fmt: skip


def styled(run: Run, name: str) -> dict:
    """A style encoder of a shipped stage I, 1,500 steps; what of a style comes over."""
    torch.manual_seed(run.seed)
    gan = shipped(name)
    system = StyleTraining(gan)
    history = run.fit(system, run.birds(32), 1500)
    last = history.losses["style"][-100:]
    queries = drawings("test", 32, run.choose(30, 1000), seed=3)
    with torch.no_grad():
        found = system.eval().style(queries.image)
        text = gan.text_encoder.of(unseen_captions(len(found), 32, seed=8))
        made = gan.sample(text, found)
    heights = agreement(queries.style[:, STYLED], ruler(32).read(made))
    return rounded(**{"squared error": sum(last) / len(last)}, **heights)


for name, ships in SHIPS.items():
    STYLES.add(name, lambda run, ships=ships: styled(run, ships), cost=90)


# ------------------------------------------------------------------- the best painter

PAINTER = Table("09", "painter", "the course's best painter, at 64 pixels",
                ("wing", "belly", "crown", "all", "diversity", "both ways", "seconds"),
                (0,), networks=True)  # fmt: skip


@PAINTER.row("painter_64", cost=4000, ships="painter_64")
def painter_64(run: Run) -> dict:
    """The painter at its cpu preset."""
    torch.manual_seed(run.seed)
    system = Painter.from_preset("cpu", text_encoder=text_encoder())
    size, steps = system.settings["size"], system.settings["steps"]
    asked = unseen_captions(8, size, seed=11)
    moments = {steps // 3, 2 * steps // 3, steps}
    looks = run.looks(moments, lambda system: draw(system, asked)[:4])
    source = run.birds(system.settings["batch_size"], size)
    history = run.fit(system, source, steps, on_step=looks)
    run.keep(history, looks)
    found = report(system.eval(), run.choose(40, 2000), size=size)
    found |= variety_of(run, system) | spread_of(run, system)
    run.ship(system.network("generator"), history.elapsed, found, reads="text_birds")
    return {"seconds": round(history.elapsed), **found}


REMEDIES = Table("09", "remedies", "the painter's remedies, one left out; 32 pixels",
                 ("wing", "belly", "crown", "all", "diversity", "both ways",
                  "frechet distance", "seconds"))  # fmt: skip
SMALL = {"size": 32, "base": 32, "depth": 32, "batch_size": 48, "steps": 600}
LEFT_OUT = {"all remedies": {}, "no price on sameness": {"seeking": 0.0},
            "no mirrors": {"mirrors": False}, "no KL": {"kl": 0.0}}  # fmt: skip


def remedied(run: Run, changes: dict) -> dict:
    """A small painter with some of its remedies."""
    torch.manual_seed(run.seed)
    system = Painter.from_preset("cpu", text_encoder=text_encoder(), **SMALL, **changes)
    history = run.fit(system, run.birds(SMALL["batch_size"]))
    found = report(system.eval(), run.choose(40, 2000)) | variety_of(run, system)
    return {"steps": history.step, "seconds": round(history.elapsed), **found}


for name, changes in LEFT_OUT.items():
    REMEDIES.add(name, lambda run, changes=changes: remedied(run, changes), cost=150)
