"""Train the emoji's text encoder and then a network that draws emoji; ship both.

python benchmarks/train_emoji.py

The text encoder sees a picture through its first 256 principal components: no network
is at hand that has learned to look at emoji.
"""

import argparse
from dataclasses import replace

import numpy as np
import torch
from sklearn.decomposition import PCA

from t2i_course import weights
from t2i_course.datasets.emoji import Emoji, vocabulary
from t2i_course.measure.birds import draw
from t2i_course.papers.gan_cls import untrained
from t2i_course.papers.joint_embedding import JointEmbedding, standardize
from t2i_course.training import fit

CLASSES = 100  # emoji in a batch of the text encoder


class OneOfEach:
    """Batches of as many different emoji, for the structured loss.

    `image` holds the pictures' principal components (B, 256).
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


def train_reader(emoji: Emoji, steps: int) -> None:
    """The text encoder text_emoji."""
    system = JointEmbedding.from_preset("cpu", words=len(vocabulary()), steps=steps)
    history = fit(system, OneOfEach(emoji), steps)
    encoder = system.network("encoders")["text"].eval()
    some = emoji.take(list(range(0, len(emoji), 2)), [4] * len(range(0, len(emoji), 2)))
    standardize(encoder, some.tokens, some.lengths)
    loss = float(np.mean(history.losses["encoders"][-50:]))
    save(encoder, "text_emoji", history, {"loss": round(loss, 4)})


def same_group(system, training: Emoji, split: str, count: int = 300) -> float:
    """How often the picture nearest to what is drawn is of the caption's group."""
    emoji = Emoji(split, 32, vocabulary=vocabulary())
    chosen = [len(emoji) * i // count for i in range(count)]
    drawn = draw(system, emoji.take(chosen, [4] * count), seed=2)
    return training.likeness(drawn, emoji, chosen)[-1]


def save(network, name: str, history, measured: dict, reads=None) -> None:
    """Ship one of the two networks."""
    command = "python benchmarks/train_emoji.py"
    weights.save(
        network,
        name,
        command=command,
        seed=0,
        seconds=history.seconds[-1],
        measured=measured,
        half=True,
        reads=reads,
    )


def main() -> None:
    """First the reader, then the painter."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--reader-steps", type=int, default=700)
    arguments.add_argument("--steps", type=int, default=1500)
    chosen = arguments.parse_args()
    torch.manual_seed(0)  # of the first weights
    emoji = Emoji("train", 32, 32, vocabulary=vocabulary())
    train_reader(emoji, chosen.reader_steps)
    system = untrained("gan_emoji_32")
    history = fit(system, emoji, chosen.steps)
    found = {
        f"same group, {split}": round(same_group(system, emoji, split), 3)
        for split in ("train", "new_maker", "new_emoji")
    }
    save(
        system.network("generator"), "gan_emoji_32", history, found, reads="text_emoji"
    )


if __name__ == "__main__":
    main()
