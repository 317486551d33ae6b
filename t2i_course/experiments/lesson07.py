"""Lesson 07: who reads how well? Letters, words, recurrent networks, three losses.

And a yardstick, a sentence encoder from elsewhere; its row needs the extra
"yardstick".
"""

from __future__ import annotations

from ..measure.sentences import report
from ..measure.yardstick import MiniLm
from ..papers.bilstm import BiLstmEncoder
from ..papers.char_cnn_rnn import CharEmbedding
from ..papers.joint_embedding import (
    FalseTwins,
    JointEmbedding,
    reader_of,
    standardize,
)
from ..papers.vse import Vse
from ..systems import shipped
from ..worlds.birds import vocabulary
from .run import Run
from .tables import Table

STEPS, CLASSES = 1200, 75  # of every row but the longer one; species a batch
PUBLISHED = (
    "Zero-shot classification of CUB's 50 test species is what Reed et al. (2016) "
    "report of letters and words. Theirs are photographs and people's sentences, ours "
    "drawings and made ones: not to be set beside ours."
)
ENCODERS = Table(
    "07",
    "encoders",
    "readers of sentences on unseen species: letters, words, two ways, three losses",
    ("R@1", "R@5", "median", "zero-shot", "typed", "held-out", "order", "seconds"),
    published=PUBLISHED,
)


def reading(run: Run, system: JointEmbedding) -> dict:
    """Train a reader on 150 species; every figure of it on 50 others."""
    birds = run.birds(CLASSES)
    history = run.fit(system, FalseTwins(birds, CLASSES))
    found = report(system.reader(), run.choose(150, 1000))
    found |= {"steps": history.step, "seconds": round(history.elapsed, 1)}
    if run.shipping:
        encoder = system.network("encoders")["text"]
        standardize(encoder, birds.all())
        figures = {k: v for k, v in found.items() if isinstance(v, float)}
        run.ship(encoder, history.elapsed, figures)
    return found


@ENCODERS.row("letters", cost=100)
def letters(run: Run) -> dict:
    """The char-CNN-RNN, narrow, for as many steps as the others."""
    return reading(run, run.build(CharEmbedding, steps=STEPS))


@ENCODERS.row("letters, gated", cost=110)
def gated(run: Run) -> dict:
    """The release's other variant: no last pooling, a GRU."""
    return reading(run, run.build(CharEmbedding, steps=STEPS, gated=True))


@ENCODERS.row("words", cost=100)
def words(run: Run) -> dict:
    """Lesson 08's encoder: two convolutions over words, and a sum."""
    count = len(vocabulary())
    return reading(run, run.build(JointEmbedding, words=count, steps=STEPS))


@ENCODERS.row("bilstm", cost=140)
def bilstm(run: Run) -> dict:
    """A recurrent network each way over words, by the same loss."""
    count = len(vocabulary())
    system = run.build(JointEmbedding, words=count, steps=STEPS)
    system.encoders["text"] = BiLstmEncoder(count)
    return reading(run, system)


@ENCODERS.row("vse", cost=130)
def vse(run: Run) -> dict:
    """A GRU over words; the hinge on cosines over all other partners."""
    return reading(run, run.build(Vse, words=len(vocabulary()), steps=STEPS))


@ENCODERS.row("vse, hardest", cost=130)
def hardest(run: Run) -> dict:
    """The same, over the hardest other partner alone."""
    count = len(vocabulary())
    return reading(run, run.build(Vse, words=count, steps=STEPS, hardest=True))


@ENCODERS.row("letters, longer", cost=250, ships="text_chars")
def longer(run: Run) -> dict:
    """Letters again, for the preset's 3,000 steps: what ships."""
    return reading(run, run.build(CharEmbedding))


# ---------------------------------------------------------------------- a yardstick

YARDSTICK = Table(
    "07",
    "yardstick",
    "text encoders at rest, an image side by least squares: ours, and MiniLM",
    (*ENCODERS.columns[:4], "typed as it stands", "held-out", "order", "synonyms"),
    seeds=(0,),
    published=PUBLISHED,
)


def at_rest(run: Run, encoder) -> dict:
    """Fit an image side to an encoder by least squares; every figure of the two."""
    reader = reader_of(encoder, run.choose(60, 3000))
    return report(reader, run.choose(150, 1000))


def only_zero(name: str, cost: float):
    """A row of the yardstick: nothing in it is drawn by lot, so one seed is all."""
    return YARDSTICK.row(name, cost=cost, only=True)


@only_zero("letters", cost=20)
def letters_at_rest(run: Run) -> dict:
    """This lesson's shipped reader of letters."""
    return at_rest(run, shipped("text_chars"))


@only_zero("words", cost=20)
def words_at_rest(run: Run) -> dict:
    """Lesson 08's shipped reader of words."""
    return at_rest(run, shipped("text_birds"))


@only_zero("MiniLM", cost=200)
def minilm(run: Run) -> dict:
    """An encoder that never saw a bird of ours; see `measure.yardstick`."""
    known = run.birds(CLASSES).all(run.choose(60, 3000))
    return at_rest(run, MiniLm().standardize(known))
