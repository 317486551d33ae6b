"""Lesson 08: four variants of GAN-CLS, a larger one, a newer one; over seeds."""

from __future__ import annotations

import torch

from ..measure.birds import draw, obedience_of, report, unseen_captions
from ..papers import gan_cls, projection
from ..papers.joint_embedding import text_encoder
from ..systems import shipped, untrained
from .mean import Mean
from .run import Run
from .tables import Table

PARTS = ("wing", "belly", "crown")
COLUMNS = (*PARTS, "all", "inception score", "frechet distance", "diversity", "seconds")
PUBLISHED = (
    "GAN-INT-CLS, inception score by an ImageNet-type network: 2.88 ± 0.04 on CUB, "
    "7.88 ± 0.07 on COCO (AttnGAN, table 3; slide AT-7). Not to be set beside ours."
)


def curve_of(history) -> list[list]:
    """Rows of step, seconds, and obedience on wing, belly and crown."""
    columns = zip(*(history.measures.get(part, []) for part in PARTS))
    return [
        [row[0][0], round(row[0][1], 1), *(value for *_, value in row)]
        for row in columns
    ]


def watcher(run: Run, size: int, every: int):
    """A hook that notes obedience on unseen species every so many steps."""
    asked = unseen_captions(run.choose(40, 400), size, seed=1)

    def watch(system, history, step):
        if step % run.choose(1, every) == 0:
            found = obedience_of(system, asked)
            for part in PARTS:
                history.measure(part, round(found.get(part, 0), 3))

    return watch


def course_of(run: Run):
    """Looks at section 2's captions on the way, for the course that a page shows."""
    asked = unseen_captions(8, 32, seed=11)
    return run.looks({200, 600, 1200}, lambda system: draw(system, asked))


def painter(run: Run, system, batch: int, steps: int, precision=None, mean_from=None,
            look_every=200) -> dict:  # fmt: skip
    """Train one network that draws birds from captions; its report, and its curve.

    mean_from: draw with the mean of the weights from that step on.
    """
    size, name = system.generator.size, run.row.name
    watch = watcher(run, size, look_every)
    mean_from = None if run.smoke else mean_from
    mean = Mean(mean_from, run.file(f"{name}.pt"))
    looks = course_of(run) if name == "gan_int_cls_32" else None

    def each_step(system, history, step):
        watch(system, history, step)
        mean.take(system, step)
        if looks is not None:
            looks(system, history, step)

    source = run.birds(batch, size, seed=0)
    history = run.fit(system, source, steps, precision=precision, on_step=each_step)
    mean.give(system)
    found = report(system.eval(), run.choose(40, 2000), size=size)
    if looks is not None:
        run.keep(history, looks)
    run.ship(system.network("generator"), history.elapsed, found, reads="text_birds")
    return {"steps": history.step, "seconds": round(history.elapsed), **found,
            "curve": curve_of(history)}  # fmt: skip


def variant(run: Run, name: str, steps: int, r1: float | None = None, **more) -> dict:
    """A network of `papers.gan_cls`, from the seed's first weights."""
    torch.manual_seed(run.seed)
    system = untrained(name)
    if r1 is not None:
        system.r1 = r1
    return painter(run, system, gan_cls.PRESETS["cpu"]["batch_size"], steps, **more)


# -------------------------------------------------------------------------- the tables

VARIANTS = Table("08", "variants", "GAN with and without wrong and half-way sentences",
                 COLUMNS, published=PUBLISHED)  # fmt: skip
for name in ("gan_32", "gan_cls_32", "gan_int_32", "gan_int_cls_32"):
    VARIANTS.add(name, lambda run, name=name: variant(run, name, 2200), cost=200,
                 ships=name)  # fmt: skip

LARGER = Table("08", "larger", "GAN-INT-CLS at 64 x 64 pixels, 15,500 steps",
               COLUMNS, (0, 1), published=PUBLISHED)  # fmt: skip


@LARGER.row("gan_int_cls_64", cost=2700, ships="gan_int_cls_64")
def larger(run: Run) -> dict:
    """With R1, and the mean of the weights from step 8,000 on."""
    return variant(run, "gan_int_cls_64", 15_500, precision="bf16", mean_from=8000,
                   look_every=500)  # fmt: skip


@LARGER.row("without R1", cost=2100, recorded=False)
def without_r1(run: Run) -> dict:
    """The losses of section 8 alone, so long: will it break down?"""
    return variant(run, "gan_int_cls_64", 12_000, r1=0.0, precision="bf16",
                   look_every=500)  # fmt: skip


NEWER = Table("08", "projection", "a projection discriminator with the hinge loss",
              COLUMNS)  # fmt: skip


@NEWER.row("projection_32", cost=260, ships="projection_32")
def newer(run: Run) -> dict:
    """The same generator with another opponent, 2,400 steps."""
    torch.manual_seed(run.seed)
    encoder = text_encoder()
    system = projection.ProjectionGan.from_preset("cpu", text_encoder=encoder)
    return painter(run, system, projection.PRESETS["cpu"]["batch_size"], 2400)


LETTERS = Table("08", "letters", "GAN-INT-CLS, reading letters in place of words",
                COLUMNS, published=PUBLISHED)  # fmt: skip


@LETTERS.row("gan_int_cls_32, letters", cost=220)
def letters(run: Run) -> dict:
    """The network of `variants` with lesson 07's letters as its reader."""
    torch.manual_seed(run.seed)
    encoder = shipped("text_chars")
    system = gan_cls.GanCls(text_encoder=encoder, **gan_cls.BIRD_32)
    return painter(run, system, gan_cls.PRESETS["cpu"]["batch_size"], 2200)
