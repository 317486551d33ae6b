"""Lesson 08's other networks: text encoders, the emoji's painter, style encoders."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression

from ..datasets.emoji import Emoji, vocabulary
from ..measure.birds import draw
from ..measure.retrieval import caption_ceiling, caption_lists, first_rank
from ..papers.gan_cls import StyleTraining
from ..papers.joint_embedding import FalseTwins, JointEmbedding, seen, standardize
from ..systems import shipped, untrained
from ..worlds.bird_captions import HELD_OUT, describe
from ..worlds.birds import Birds
from .run import Run, rounded
from .tables import Table

NETWORKS = Table("08", "networks", "text encoders, the emoji's painter, style encoders",
                 ("true caption first of 100", "held-out forms", "loss",
                  "same group, train", "same group, new_emoji", "squared error",
                  "seconds"), (0,), networks=True)  # fmt: skip

# -------------------------------------------------------------- the birds' text encoder


@NETWORKS.row("text_birds", cost=1250, ships="text_birds")
def text_birds(run: Run) -> dict:
    """Train on 150 species, measure retrieval on 50 others."""
    birds = run.birds(64, seed=0)
    system = run.build(JointEmbedding, words=len(birds.vocabulary))
    history = run.fit(system, FalseTwins(birds, system.settings["classes"]))
    found = retrieval(system.eval(), run.choose(200, 1000))
    encoder, some = system.network("encoders")["text"], birds.all()
    standardize(encoder, some)
    found = rounded(**found, **carried_over(encoder, birds))
    run.ship(encoder, history.elapsed, found)
    return {**found, "seconds": round(history.elapsed, 1)}


def retrieval(system, count: int) -> dict[str, float]:
    """Retrieval on unseen species: trained sentence forms, then forms held out."""
    birds = Birds("test", 32)
    batch = birds.all(count).to("cpu")
    rng = Random(5)
    forms = [
        describe(row.numpy(), rng, rng.choice(list(HELD_OUT)))
        for row in batch.attributes
    ]
    tokens, lengths = birds.vocabulary.encode([text for text, _ in forms])
    lists = caption_lists(batch.class_id)
    named = torch.from_numpy(np.stack([n for _, n in forms]))
    text = system.network("encoders")["text"]
    with torch.inference_mode():
        images = system.network("encoders")["image"](seen(batch.image))
        trained, other = text(batch.tokens, batch.lengths), text(tokens, lengths)
    return {
        "true caption first of 100": first_rank(images, trained, lists),
        "ceiling": caption_ceiling(batch.attributes, batch.named, lists),
        "held-out forms": first_rank(images, other, lists),
        "held-out forms, ceiling": caption_ceiling(batch.attributes, named, lists),
    }


def embedded(encoder, birds: Birds) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of one caption a picture, and what each names."""
    batch = birds.all()
    with torch.inference_mode():
        texts = encoder(batch.tokens, batch.lengths)
    return texts.numpy(), batch.named.numpy()


def carried_over(encoder, birds: Birds) -> dict[str, float]:
    """How the embedding of unseen species' captions holds what they name.

    A wing colour is read by a line fitted on training captions; the last figure is the
    share of the variance that a sum over the named values explains.
    """
    known, named = embedded(encoder, birds)
    other, said = embedded(encoder, Birds("test", 32))
    line = LogisticRegression(max_iter=300)
    line.fit(known[named[:, 0] >= 0], named[named[:, 0] >= 0, 0])
    right = line.score(other[said[:, 0] >= 0], said[said[:, 0] >= 0, 0])
    values = np.concatenate(
        [said[:, i : i + 1] == np.arange(10) for i in range(said.shape[1])], 1
    )
    total = LinearRegression().fit(values, other).score(values, other)
    return {"wing colour read": right, "explained by a sum": total}


# ------------------------------------------------------------------------------- emoji

CLASSES = 100  # emoji in a batch of the text encoder


class OneOfEach:
    """Batches of as many different emoji, for the structured loss.

    `image` holds the pictures' first 256 principal components (B, 256): no network is
    at hand that has learned to look at emoji.
    """

    def __init__(self, emoji: Emoji):
        self.emoji, self.batch_size = emoji, CLASSES
        kinds = torch.as_tensor(emoji.class_id).numpy()
        flat = emoji.pictures.flatten(1).numpy() / 127.5 - 1
        self.seen = torch.tensor(PCA(256, random_state=0).fit_transform(flat)).float()
        self.places = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]

    def batch(self, step: int, rank: int = 0, world: int = 1):
        """The batch of `step`; see data.Source."""
        rng = np.random.default_rng((3, step, rank))
        kinds = rng.choice(len(self.places), CLASSES, replace=False)
        chosen = [int(rng.choice(self.places[k])) for k in kinds]
        batch = self.emoji.take(chosen, rng.integers(10, size=CLASSES).tolist())
        return replace(batch, image=self.seen[chosen])


@NETWORKS.row("text_emoji", cost=30, ships="text_emoji")
def text_emoji(run: Run) -> dict:
    """The emoji's text encoder, 700 steps."""
    emoji = Emoji("train", 32, 32, vocabulary=vocabulary())
    system = run.build(JointEmbedding, words=len(vocabulary()), steps=700)
    history = run.fit(system, OneOfEach(emoji))
    encoder = system.network("encoders")["text"].eval()
    half = list(range(0, len(emoji), 2))
    some = emoji.take(half, [4] * len(half))
    standardize(encoder, some)
    found = rounded(loss=np.mean(history.losses["encoders"][-50:]))
    run.ship(encoder, history.elapsed, found)
    return {**found, "seconds": round(history.elapsed, 1)}


@NETWORKS.row("gan_emoji_32", cost=150, ships="gan_emoji_32")
def gan_emoji(run: Run) -> dict:
    """The emoji's painter, 1,500 steps, with the shipped text encoder."""
    torch.manual_seed(run.seed)
    emoji = Emoji("train", 32, 32, vocabulary=vocabulary())
    system = untrained("gan_emoji_32")
    history = run.fit(system, emoji, 1500)
    count = run.choose(20, 300)
    found = {
        f"same group, {split}": round(same_group(system, emoji, split, count), 3)
        for split in ("train", "new_maker", "new_emoji")
    }
    generator = system.network("generator")
    run.ship(generator, history.elapsed, found, reads="text_emoji")
    return {**found, "seconds": round(history.elapsed, 1)}


def same_group(system, training: Emoji, split: str, count: int) -> float:
    """How often the picture nearest to what is drawn is of the caption's group."""
    emoji = Emoji(split, 32, vocabulary=vocabulary())
    chosen = [len(emoji) * i // count for i in range(count)]
    drawn = draw(system, emoji.take(chosen, [4] * count), seed=2)
    return training.likeness(drawn, emoji, chosen)[-1]


# ------------------------------------------------------------------------------- style


def style(run: Run, name: str) -> dict:
    """The style encoder S of a shipped generator, 1,500 steps.

    Its squared error is that of its last 100 steps; 1 would be knowing nothing.
    """
    torch.manual_seed(run.seed)
    system = StyleTraining(shipped(name), depth=32)
    source = run.birds(64, system.generator.size)
    history = run.fit(system, source, 1500)
    last = history.losses["style"][-100:]
    found = {"squared error": round(sum(last) / len(last), 4)}
    run.ship(system.style, history.elapsed, found)
    return {**found, "seconds": round(history.elapsed, 1)}


for name in ("gan_int_cls_32", "projection_32"):
    NETWORKS.add(f"style_of_{name}", lambda run, name=name: style(run, name), cost=60,
                 ships=f"style_of_{name}")  # fmt: skip
