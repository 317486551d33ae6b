"""Lesson 11: DAMSM, alone."""

from __future__ import annotations

from ..measure.birds import unseen_captions
from ..measure.pointing import of_encoders
from ..measure.retrieval import matched, r_precision_by_words
from ..papers.damsm import Damsm
from ..worlds.birds import vocabulary
from .run import Run, rounded
from .tables import Table

# ------------------------------------------------------------------------ similarity

DAMSM = Table("11", "damsm", "words find their regions; birds of unseen species",
              ("first of 100", "who sees everything", "first picture of 100",
               "who sees every picture", "by words", "part words, mass",
               "colour words, mass", "colour words, by chance",
               "colour words, another's mass", "function words, mass",
               "seconds"))  # fmt: skip


def matching(run: Run) -> dict:
    """DAMSM of the cpu preset: whom it matches, and where its words look."""
    system = run.build(Damsm, words=len(vocabulary()))
    source = run.birds(system.settings["batch_size"], 64)
    history = run.fit(system, source)
    found = matched(system.eval(), run.choose(150, 2000))
    encoders = system.network("encoders")
    some = unseen_captions(run.choose(150, 500), 64).to("cpu")
    by_words = r_precision_by_words(encoders, some.image, some, run.choose(1, 10))
    found |= rounded(**{"by words": by_words})
    found |= of_encoders(encoders, run.choose(40, 2000))
    run.ship(encoders, history.elapsed, found)
    return {"seconds": round(history.elapsed), **found}


DAMSM.add("cpu", matching, cost=350, ships="damsm_64", recorded=False)
