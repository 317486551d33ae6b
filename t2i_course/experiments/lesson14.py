"""Lesson 14: SISGAN and the style encoder change pictures of birds and of flowers.

Both read with the same encoders, which rest; they are trained here, too. Figures are
of unseen species: `measure.editing`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch.nn import functional as F

from ..measure import editing
from ..measure.obedience import two_colours
from ..measure.sentences import ceilings, retrieval
from ..papers.gan_cls import GanCls, StyleTraining
from ..papers.joint_embedding import FalseTwins, standardize
from ..papers.sisgan import Sisgan
from ..papers.style_editor import StyleEditor
from ..papers.vse import Vse
from ..systems import shipped
from ..worlds.bird_species import COLOUR_PARTS
from ..worlds.birds import Birds
from ..worlds.kinds import KINDS
from .run import Run, rounded
from .tables import Table

CLASSES = 75  # species in a batch of the readers

# ------------------------------------------------------------------------ the readers

READERS = Table("14", "readers", "sentence encoders by visual-semantic embedding",
                ("R@1", "R@5", "ceiling", "seconds"), (0,), networks=True)  # fmt: skip


def source(run: Run, world: str, batch_size: int, seed: int | None = None):
    """What is trained on, in batches; two of each species in a quick look."""
    seed = run.seed if seed is None else seed
    return KINDS[world]("train", 32, batch_size, run.choose(2, 60), seed)


def reader(run: Run, world: str) -> dict:
    """Lesson 07's VSE of the cpu preset, made ready for a GAN."""
    drawn = source(run, world, CLASSES)
    system = run.build(Vse, words=len(drawn.vocabulary))
    history = run.fit(system, FalseTwins(drawn, CLASSES))
    batch = KINDS[world]("test", 32).all(run.choose(150, 1000))
    found = retrieval(replace(system.reader(), world=world), batch)
    found = rounded(**found, ceiling=ceilings(batch)["R@1"])
    encoder = system.network("encoders")["text"]
    standardize(encoder, drawn.all())
    run.ship(encoder, history.elapsed, found)
    return {"seconds": round(history.elapsed), **found}


for world in KINDS:
    READERS.add(f"vse_{world}", partial(reader, world=world), cost=220,
                ships=f"vse_{world}")  # fmt: skip

# ------------------------------------------------------------------------ the editors

PUBLISHED = (
    "L2 error of SISGAN on photographs: 0.30 on CUB, 0.29 on Oxford-102 (TAGAN, table "
    "1; slide TM-28); its unit isn't given, so not to be set beside ours. All else in "
    "that table are people's ranks."
)
COLUMNS = ("obeyed", "kept", "inside", "outside", "background", "pose", "from wanted",
           "L2 error", "frechet distance", "diversity", "seconds")  # fmt: skip
EDITORS = Table("14", "editors", "pictures changed by sentences, birds and flowers",
                COLUMNS, published=PUBLISHED)  # fmt: skip


def watcher(run: Run, world: str, every: int):
    """A hook that notes both halves of an edit every so many steps."""
    some = editing.edits(KINDS[world], run.choose(40, 300), seed=99)

    def watch(system, history, step):
        if step % run.choose(1, every) == 0:
            pictures = editing.edited(system, some)
            figures = editing.where_changed(some, pictures)
            figures["obeyed"] = editing.obeyed(some, pictures)
            figures["kept"] = editing.kept(some, pictures)
            for name, value in figures.items():
                history.measure(name, round(value, 4))

    return watch


CURVE = ("obeyed", "kept", "inside", "outside", "background")


def curve_of(history) -> list[list]:
    """Rows of step, seconds, and the figures of CURVE."""
    columns = zip(*(history.measures.get(name, []) for name in CURVE))
    return [[row[0][0], round(row[0][1], 1), *(value for *_, value in row)]
            for row in columns]  # fmt: skip


def course_of(run: Run, world: str, moments: set[int]):
    """Looks at eight edits on the way, for the course that a page shows."""
    some = editing.edits(KINDS[world], 8, seed=11)
    return run.looks(moments, lambda system: editing.edited(system, some))


def editor(run: Run, system, world: str, every: int = 250) -> dict:
    """Train a system that changes pictures; its report on unseen species."""
    steps = system.settings["steps"]
    watch = watcher(run, world, every)
    looks = course_of(run, world, {steps // 9, steps // 3, steps})

    def each_step(system, history, step):
        watch(system, history, step)
        if looks is not None:
            looks(system, history, step)

    drawn = source(run, world, system.settings["batch_size"])
    history = run.fit(system, drawn, on_step=each_step)
    run.keep(history, looks)
    found = editing.report(system.eval(), KINDS[world], run.choose(40, 1000), run.seed)
    run.ship(system.network("generator"), history.elapsed, found, reads=f"vse_{world}")
    return {"steps": history.step, "seconds": round(history.elapsed), **found,
            "curve": curve_of(history)}  # fmt: skip


def sisgan(run: Run, world: str, **settings) -> dict:
    """SISGAN of the cpu preset."""
    system = run.build(Sisgan, text_encoder=shipped(f"vse_{world}"), **settings)
    return editor(run, system, world)


def styled(run: Run, world: str) -> dict:
    """Lesson 08's GAN-INT-CLS and its style encoder, as an editor."""
    drawn = source(run, world, 32)
    gan = run.build(GanCls, text_encoder=shipped(f"vse_{world}"))
    first = run.fit(gan, drawn, 2200, part=f"gan of {world}")
    training = StyleTraining(gan.eval().requires_grad_(False))
    second = run.fit(training, drawn, 1000, part=f"style of {world}")
    system = StyleEditor(gan, training.style).eval()
    found = editing.report(system, KINDS[world], run.choose(40, 1000), run.seed)
    seconds = round(first.elapsed + second.elapsed)
    return {"steps": first.step, "seconds": seconds, **found}


def shipped_style(run: Run, world: str) -> dict:
    """Lesson 08's own network and style encoder, which read with its own encoder."""
    system = shipped_editor("style encoder of lesson 08")
    return editing.report(system, KINDS[world], run.choose(40, 1000), run.seed)


def coarse(pictures: torch.Tensor) -> torch.Tensor:
    """Pictures shrunk to half their side and enlarged again, with soft edges."""
    small = F.avg_pool2d(pictures, 2)
    return F.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False)


def untrained(run: Run, world: str, which: str) -> dict:
    """Pictures left as they are, exchanged, or drawn as their sentences have them."""
    some = editing.edits(KINDS[world], run.choose(40, 1000), run.seed)
    pictures = {
        "left alone": some.source.image,
        "another picture": some.source.image.roll(1, 0),
        "at half the size": coarse(some.source.image),
        "drawn by the world": some.wanted,
    }[which]
    return rounded(**editing.of_pictures(some, pictures))


SEEDS = {"birds": (0, 1, 2), "flowers": (0, 1)}  # of the style encoder's trainings
EDITORS.add("birds, style encoder of lesson 08", partial(shipped_style, world="birds"),
            cost=15)  # fmt: skip
for world in KINDS:
    for which in ("left alone", "at half the size", "another picture",
                  "drawn by the world"):  # fmt: skip
        EDITORS.add(f"{world}, {which}",
                    partial(untrained, world=world, which=which), cost=8)  # fmt: skip
    EDITORS.add(f"{world}, style encoder", partial(styled, world=world), cost=700,
                seeds=SEEDS[world])  # fmt: skip
    EDITORS.add(f"{world}, SISGAN", partial(sisgan, world=world), cost=300,
                ships=f"sisgan_{world}")  # fmt: skip
for pairs in ("without relevant", "without wrong"):
    EDITORS.add(f"birds, SISGAN {pairs}", partial(sisgan, world="birds", pairs=pairs),
                cost=380)  # fmt: skip

# ---------------------------------------------------------------- which part has it

BINDING = Table("14", "binding", "two colours asked for: do they go where they belong?",
                ("right", "exchanged", "one on both", "somewhere"))  # fmt: skip


def somewhere(seen: torch.Tensor, named: torch.Tensor) -> torch.Tensor:
    """The share of named colours of parts that are read on some part of the bird."""
    many = len(COLOUR_PARTS)
    asked, read = named[:, :many], seen[:, :many]
    there = (read[:, None] == asked[:, :, None]).any(2)
    return there[asked >= 0].float().mean()


def bound(run: Run, which: str) -> dict:
    """What becomes of two different colours, asked for wing and belly."""
    some = editing.edits(Birds, run.choose(150, 1000), run.seed)
    if which == "drawn by the world":
        pictures = some.wanted
    else:
        pictures = editing.edited(shipped_editor(which), some, run.seed)
    seen = some.reader.read(pictures)
    found = two_colours(seen, some.named)
    return rounded(**found, somewhere=somewhere(seen, some.named))


def shipped_editor(which: str):
    """An editor of birds that comes with the course."""
    if which == "SISGAN":
        return shipped("sisgan_birds")
    gan, style = shipped("gan_int_cls_32"), shipped("style_of_gan_int_cls_32")
    return StyleEditor(gan, style).eval()


for which in ("style encoder of lesson 08", "SISGAN", "drawn by the world"):
    BINDING.add(which, partial(bound, which=which), cost=10)
