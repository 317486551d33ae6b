"""Of a hundred captions, is the true one the best? And what does a reader tell?"""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from ..worlds.bird_species import ATTRIBUTES
from ..worlds.birds import Birds

__all__ = [
    "caption_ceiling", "caption_lists", "compared", "encoders_of", "first_of",
    "first_rank", "matched", "picture_ceiling", "r_precision", "r_precision_by_words",
    "told",
]  # fmt: skip


def caption_lists(class_id: Tensor, others: int = 99, seed: int = 0) -> Tensor:
    """(B, 1 + others) places of captions for each of B pictures: its own, then others.

    The others are drawn from pictures of other classes, as in the R-precision protocol
    of AttnGAN (AT-6).
    """
    rng, kinds = np.random.default_rng(seed), class_id.numpy()
    rows = []
    for i, kind in enumerate(kinds):
        rows.append(
            [i, *rng.choice(np.flatnonzero(kinds != kind), others, replace=False)]
        )
    return torch.as_tensor(np.asarray(rows))


def first_rank(images: Tensor, texts: Tensor, lists: Tensor) -> float:
    """How often the own caption agrees most: images, texts (B, D), lists (B, 100).

    Among captions that agree equally lots are drawn.
    """
    return first_of((images[:, None] * texts[lists]).sum(2))


def first_of(scores: Tensor) -> float:
    """How often the first of a row of scores (B, N) is the best; of equals, by lot."""
    best = scores == scores.max(1, keepdim=True).values
    return (best[:, 0].float() / best.sum(1)).mean().item()


def caption_ceiling(truth: Tensor, named: Tensor, lists: Tensor) -> float:
    """What an observer reaches who sees every attribute and understands every word.

    truth, named: (B, A). Of the captions that are true of the picture the observer
    takes the one that names most, and draws lots among equals: captions that name only
    some attributes cannot be told apart further.
    """
    said = named[lists]
    true = ((said < 0) | (said == truth[:, None])).all(2)
    detail = torch.where(true, (said >= 0).sum(2), -1)
    best = detail == detail.max(1, keepdim=True).values
    return (best[:, 0].float() / best.sum(1)).mean().item()


def told(encoder, count: int = 3000, size: int = 32) -> dict[str, float]:
    """By attribute: the share of unseen captions from whose embedding a line reads it.

    encoder: frozen, `of(batch)` makes (B, D) of a batch's captions. The line is fitted
    on captions of training species, and asked about captions that name the attribute.
    Lesson 08.
    """
    (known, named), (new, said) = (
        _embedded(encoder, Birds(split, size).all(count)) for split in ("train", "test")
    )
    found = {}
    for i, attribute in enumerate(ATTRIBUTES):
        learned, asked = named[:, i] >= 0, said[:, i] >= 0
        line = LogisticRegression(max_iter=300).fit(known[learned], named[learned, i])
        found[attribute] = float(line.score(new[asked], said[asked, i]))
    return found


@torch.inference_mode()
def _embedded(encoder, batch) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (B, D) of a batch's captions, and what each names (B, A)."""
    return encoder.of(batch.to("cpu")).numpy(), batch.named.numpy()


def picture_ceiling(truth: Tensor, named: Tensor, lists: Tensor) -> float:
    """`caption_ceiling` the other way: a hundred pictures for a caption.

    truth, named: (B, A). Among the pictures of which the caption is true lots are
    drawn; the own one is always among them.
    """
    said = named[:, None]
    true = ((said < 0) | (said == truth[lists])).all(2)
    return (true[:, 0].float() / true.sum(1)).mean().item()


def encoders_of(system):
    """Both encoders of a system that trains them; what isn't a system is both itself.

    They have `see(pictures)` and `text.of(batch)`, both to (B, D), and `size`, of their
    pictures (None: of any).
    """
    trains = hasattr(system, "network")
    return (system.network("encoders") if trains else system).eval()


@torch.inference_mode()
def compared(encoders, pictures: Tensor, batch) -> tuple[Tensor, Tensor]:
    """Vectors (B, D) of length 1 of pictures and of their captions, on the CPU."""
    device = next(encoders.parameters()).device
    seen = [encoders.see(part.to(device)) for part in pictures.split(250)]
    both = torch.cat(seen), encoders.text.of(batch)
    return tuple(torch.nn.functional.normalize(x, dim=1).cpu() for x in both)


def r_precision(
    encoders, pictures: Tensor, batch, repeats: int = 10, seed: int = 0
) -> float:
    """How often a picture's own caption fits it best of a hundred, by these encoders.

    pictures: (B, 3, S, S), drawn for a batch's captions or real; the 99 others belong
    to other classes and are drawn `repeats` times. The paper asks 30,000 pictures of
    its generator, each once, ten times over. AT-6; lesson 11.
    """
    pair = compared(encoders, pictures, batch)
    each = (caption_lists(batch.class_id.cpu(), seed=seed + i) for i in range(repeats))
    return float(np.mean([first_rank(*pair, lists) for lists in each]))


@torch.inference_mode()
def r_precision_by_words(
    encoders, pictures: Tensor, batch, repeats: int = 10, seed: int = 0
) -> float:
    """`r_precision` by how well words find regions, eq. (10), not by whole vectors.

    encoders: with `by_words(pictures, batch)`, scores (B, A); all captions of the batch
    are compared with all pictures, so that a few hundred are enough.
    """
    parts = pictures.to(next(encoders.parameters()).device).split(50)
    scores = torch.cat([encoders.by_words(part, batch).cpu() for part in parts])
    each = (caption_lists(batch.class_id.cpu(), seed=seed + i) for i in range(repeats))
    return float(np.mean([first_of(scores.gather(1, lists)) for lists in each]))


def matched(system, count: int = 2000, seed: int = 0) -> dict[str, float]:
    """R-precision of real pictures: is the own caption the first of a hundred?

    system: `encoders_of` tells what it needs. Of unseen species; also the other way, a
    hundred pictures for a caption, and each with what an observer reaches who sees
    everything (`caption_ceiling`). AT-6; lesson 11. At least 150 pictures are taken, so
    that each has 99 of other species beside it.
    """
    encoders, count = encoders_of(system), max(count, 150)
    batch = Birds("test", encoders.size or system.reads[-1]).all(count).to("cpu")
    lists = caption_lists(batch.class_id, seed=seed)
    seen, told = compared(encoders, batch.image, batch)
    known = batch.attributes, batch.named, lists
    found = {
        "first of 100": first_rank(seen, told, lists),
        "who sees everything": caption_ceiling(*known),
        "first picture of 100": first_rank(told, seen, lists),
        "who sees every picture": picture_ceiling(*known),
    }
    return {name: round(value, 4) for name, value in found.items()}
