"""Of a hundred captions, is the true one the best? And what does a reader tell?"""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from ..worlds.bird_species import ATTRIBUTES
from ..worlds.birds import Birds

__all__ = ["caption_ceiling", "caption_lists", "first_rank", "matched", "told"]


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
    scores = (images[:, None] * texts[lists]).sum(2)
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


@torch.inference_mode()
def matched(system, count: int = 2000, seed: int = 0) -> dict[str, float]:
    """R-precision of real pictures: is the own caption the first of a hundred?

    system: has a player "encoders" with `see(pictures)`, `text.of(batch)` and `size`;
    both to (B, D), compared by cosines. Of unseen species; with what an observer
    reaches who sees everything (`caption_ceiling`). AT-6; lesson 11.
    """
    encoders = system.network("encoders").eval()
    birds = Birds("test", encoders.size or system.reads[-1])
    batch = birds.all(count).to(system.device)
    seen = [encoders.see(part) for part in batch.image.split(250)]
    lists = caption_lists(batch.class_id.cpu(), seed=seed)
    pair = [torch.nn.functional.normalize(x, dim=1).cpu()
            for x in (torch.cat(seen), encoders.text.of(batch))]  # fmt: skip
    ceiling = caption_ceiling(batch.attributes.cpu(), batch.named.cpu(), lists)
    return {"first of 100": round(first_rank(*pair, lists), 4),
            "who sees everything": round(ceiling, 4)}  # fmt: skip
