"""Train the bird world's text encoder, measure retrieval, and ship it.

python benchmarks/train_text.py
"""

import argparse
from random import Random

import numpy as np
import torch

from t2i_course import weights
from t2i_course.measure.retrieval import caption_ceiling, caption_lists, first_rank
from t2i_course.papers.joint_embedding import FalseTwins, JointEmbedding, standardize
from t2i_course.training import fit
from t2i_course.worlds.bird_captions import HELD_OUT, describe
from t2i_course.worlds.birds import Birds


def measure(system, size: int, count: int = 1000) -> dict[str, float]:
    """Retrieval on unseen species: trained sentence forms, then forms held out."""
    birds = Birds("test", size)
    seen = birds.all(count).to("cpu")
    rng = Random(5)
    forms = [
        describe(row.numpy(), rng, rng.choice(list(HELD_OUT)))
        for row in seen.attributes
    ]
    tokens, lengths = birds.vocabulary.encode([text for text, _ in forms])
    lists = caption_lists(seen.class_id)
    named = torch.from_numpy(np.stack([n for _, n in forms]))
    text = system.network("encoders")["text"]
    with torch.inference_mode():
        images = system.embed_pictures(seen.image)
        trained, other = text(seen.tokens, seen.lengths), text(tokens, lengths)
    return {
        "true caption first of 100": first_rank(images, trained, lists),
        "ceiling": caption_ceiling(seen.attributes, seen.named, lists),
        "held-out forms": first_rank(images, other, lists),
        "held-out forms, ceiling": caption_ceiling(seen.attributes, named, lists),
    }


def main() -> None:
    """Train on 150 species, measure on 50 others, save the text encoder."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--checkpoint")
    arguments.add_argument("--seed", type=int, default=0)
    chosen = arguments.parse_args()
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
    found = {n: round(value, 4) for n, value in measure(system.eval(), 32).items()}
    print(found)
    encoder, some = system.network("encoders")["text"], birds.all()
    standardize(encoder, some.tokens, some.lengths)
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
