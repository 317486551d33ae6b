"""Lesson 11: DAMSM, its second examiner, and AttnGAN's table of slide AT-8.

lambda is the release's: DAMSM's four terms are means over a batch, and a scale's two
losses are summed. Equations (4) and (5) halve these two, so that a lambda of the
equations is half of ours. The rows are named by the paper's lambda all the same, as
the release runs them.
"""

from __future__ import annotations

import torch

from ..drawing import lit
from ..measure.birds import draw, report, unseen_captions
from ..measure.oracle import oracle
from ..measure.pointing import of_drawn, of_encoders, some_of
from ..measure.retrieval import matched, r_precision, r_precision_by_words
from ..measure.rewording import changed
from ..measure.scores import oracle_inception_score
from ..papers.attngan import AttnGan
from ..papers.damsm import Damsm
from ..systems import shipped
from ..worlds.birds import vocabulary
from .lesson08 import curve_of
from .lesson09 import trained
from .run import Run, rounded
from .tables import Table

# ------------------------------------------------------------------------ similarity

DAMSM = Table("11", "damsm", "words find their regions; birds of unseen species",
              ("first of 100", "who sees everything", "first picture of 100",
               "who sees every picture", "by words", "part words, mass",
               "colour words, mass", "colour words, by chance",
               "colour words, another's mass", "function words, mass",
               "seconds"))  # fmt: skip
EXAMINER = Table("11", "examiner", "another seed of it, which trains nobody",
                 DAMSM.columns, (1,), networks=True)  # fmt: skip


@torch.inference_mode()
def by_each_word(system, batch) -> torch.Tensor:
    """A batch's first picture, lit by each word of its caption: (T, 3, S, S)."""
    encoders = system.network("encoders").eval()
    maps = encoders.attend(batch.image[:1], some_of(batch, slice(1)))[0]
    maps = maps[: int(batch.lengths[0])]
    return lit(batch.image[:1].expand(len(maps), -1, -1, -1), maps)


def matching(run: Run) -> dict:
    """DAMSM of the cpu preset: whom it matches, and where its words look."""
    system = run.build(Damsm, words=len(vocabulary()))
    source = run.birds(system.settings["batch_size"], 64)
    bird = some_of(unseen_captions(12, 64).to("cpu"), slice(4, 5))  # lesson 11a's
    looks = run.looks({100, 400, 1500}, lambda system: by_each_word(system, bird))
    history = run.fit(system, source, on_step=looks)
    run.keep(history, looks)
    found = matched(system.eval(), run.choose(150, 2000))
    encoders = system.network("encoders")
    some = unseen_captions(run.choose(150, 500), 64).to("cpu")
    by_words = r_precision_by_words(encoders, some.image, some, run.choose(1, 10))
    found |= rounded(**{"by words": by_words})
    found |= of_encoders(encoders, run.choose(40, 2000))
    run.ship(encoders, history.elapsed, found)
    return {"seconds": round(history.elapsed), **found}


DAMSM.add("cpu", matching, cost=350, ships="damsm_64")
EXAMINER.add("damsm_64_other", matching, cost=350, ships="damsm_64_other")

# --------------------------------------------------------------------------- table 8

PUBLISHED = (
    "Inception score and R-precision on CUB (AttnGAN, slide AT-8): one stage, no DAMSM "
    "3.98, 10.37 %; lambda 0.1: 4.19, 16.55 %; 1: 4.35, 34.96 %; 5: 4.35, 58.65 %; 10: "
    "4.29, 63.87 %; two stages, lambda 5: 4.36, 67.82 %. Scores by a network of bird "
    "species, not to be set beside ours."
)
TABLE = Table("11", "table8", "the weight of DAMSM, one stage of attention and two",
              ("inception score", "frechet distance", "all", "own", "foreign",
               "diversity", "stage 1, part words, mass", "stage 2, part words, mass",
               "seconds"), published=PUBLISHED)  # fmt: skip


def examined(run: Run, pictures, batch) -> dict[str, float]:
    """R-precision by the encoders that train AttnGAN, and by others."""
    return rounded(**{
        name: r_precision(shipped(which), pictures, batch, run.choose(1, 10))
        for name, which in (("own", "damsm_64"), ("foreign", "damsm_64_other"))
    })  # fmt: skip


def answers(run: Run, system) -> dict[str, float]:
    """R-precision of a system's pictures, and what a changed word changes."""
    asked = unseen_captions(run.choose(150, 1000), 64, seed=run.seed)
    found = examined(run, draw(system, asked, run.seed), asked)
    reworded = changed(system, run.choose(150, 1000), run.seed)
    return found | {f"changed, {name}": value for name, value in reworded.items()}


def attending(run: Run, **settings) -> dict:
    """An AttnGAN of the cpu preset, and all that is measured of it."""
    system = run.build(AttnGan, damsm=shipped("damsm_64"), **settings)
    steps = system.settings["steps"]
    system, history = trained(run, system, steps, every=steps // 10)
    found = report(system, run.choose(40, 2000), size=64) | answers(run, system)
    found |= of_drawn(system, run.choose(40, 1000), run.seed)
    run.ship(system.network("generator"), history.elapsed, found, reads="damsm_64")
    return {"steps": history.step, "seconds": round(history.elapsed), **found,
            "curve": curve_of(history)}  # fmt: skip


ROWS = {
    "two stages, lambda 5": ({"stages": 2, "lambda_": 5.0}, 600),
    "no DAMSM": ({"stages": 1, "lambda_": 0.0}, 600),
    "lambda 5": ({"stages": 1, "lambda_": 5.0}, 600),
    "lambda 0.1": ({"stages": 1, "lambda_": 0.1}, 600),
    "lambda 1": ({"stages": 1, "lambda_": 1.0}, 600),
    "lambda 10": ({"stages": 1, "lambda_": 10.0}, 600),
}
for name, (settings, cost) in ROWS.items():
    TABLE.add(
        name,
        lambda run, settings=settings: attending(run, **settings),
        cost=cost,
        ships="attngan_64" if name.startswith("two") else None,
    )


@TABLE.row("real birds", cost=10, only=True)
def real_birds(run: Run) -> dict:
    """What the same examiners give to real birds of the captions."""
    asked = unseen_captions(run.choose(150, 1000), 64, seed=run.seed).to("cpu")
    score, _ = oracle_inception_score(oracle(64).kinds, asked.image, splits=1)
    found = {"inception score": score}
    return rounded(**found) | examined(run, asked.image, asked)


@TABLE.row("StackGAN++", cost=20, only=True)
def stackgan_tree(run: Run) -> dict:
    """The shipped tree of lesson 10, which reads with another encoder."""
    system = shipped("stackgan_tree_64")
    return report(system, run.choose(40, 2000), run.seed, 64) | answers(run, system)
