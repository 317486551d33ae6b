"""Train the bird world's text encoder, measure retrieval, and ship it.

python benchmarks/train_text.py
"""

import argparse
from random import Random

import numpy as np
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression

from t2i_course import weights
from t2i_course.measure.retrieval import caption_ceiling, caption_lists, first_rank
from t2i_course.papers.joint_embedding import (
    FalseTwins,
    JointEmbedding,
    seen,
    standardize,
)
from t2i_course.training import fit
from t2i_course.worlds.bird_captions import HELD_OUT, describe
from t2i_course.worlds.birds import Birds


def measure(system, size: int, count: int = 1000) -> dict[str, float]:
    """Retrieval on unseen species: trained sentence forms, then forms held out."""
    birds = Birds("test", size)
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


def carried_over(encoder) -> dict[str, float]:
    """How the embedding of unseen species' captions holds what they name.

    A wing colour is read by a line fitted on training captions; the last figure is the
    share of the variance that a sum over the named values explains.
    """
    known, named = embedded(encoder, Birds("train", 32))
    other, said = embedded(encoder, Birds("test", 32))
    line = LogisticRegression(max_iter=300)
    line.fit(known[named[:, 0] >= 0], named[named[:, 0] >= 0, 0])
    right = line.score(other[said[:, 0] >= 0], said[said[:, 0] >= 0, 0])
    values = np.concatenate(
        [said[:, i : i + 1] == np.arange(10) for i in range(said.shape[1])], 1
    )
    total = LinearRegression().fit(values, other).score(values, other)
    return {"wing colour read": right, "explained by a sum": total}


def main() -> None:
    """Train on 150 species, measure on 50 others, save the text encoder."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--checkpoint")
    arguments.add_argument("--seed", type=int, default=0)
    chosen = arguments.parse_args()
    torch.manual_seed(chosen.seed)  # of the first weights
    birds = Birds("train", 32)
    system = JointEmbedding.from_preset("cpu", words=len(birds.vocabulary))
    source = FalseTwins(birds, system.settings["classes"])
    history = fit(
        system,
        source,
        system.settings["steps"],
        seed=chosen.seed,
        checkpoint=chosen.checkpoint,
        resume=chosen.checkpoint is not None,
    )
    found = measure(system.eval(), 32)
    encoder, some = system.network("encoders")["text"], birds.all()
    standardize(encoder, some.tokens, some.lengths)
    found |= carried_over(encoder)
    found = {name: round(float(value), 4) for name, value in found.items()}
    print(found)
    weights.save(
        encoder,
        "text_birds",
        command="python benchmarks/train_text.py",
        seed=chosen.seed,
        seconds=history.seconds[-1],
        measured=found,
        half=True,
    )


if __name__ == "__main__":
    main()
