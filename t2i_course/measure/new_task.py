"""A head for a new task on a network at rest, and what its units turn out to see.

The task is a bird's family, of which there are twenty. Families share habitat, size
and beak, which nobody tells the head. Slide AM-13; used in lesson 17.
"""

from __future__ import annotations

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from ..data import Batch
from ..worlds.bird_species import ATTRIBUTES, FAMILIES
from ..worlds.birds import Birds

__all__ = ["family_head", "known_birds", "rightly_named", "shown_of_family", "typical"]


def known_birds(count: int = 3000) -> Batch:
    """Birds of the training species."""
    return Birds("train", 64).all(count).to("cpu")


@torch.inference_mode()
def features(reader, pictures: Tensor) -> Tensor:
    """(B, 256): the layer before the reader's last."""
    return torch.cat([reader.features(some) for some in pictures.split(200)])


def family_head(reader, birds: Batch):
    """A layer for the new task: pictures (B, 3, 64, 64) to logits (B, 20) of families.

    Logistic regression on what the reader's layer before the last says of birds. A
    family without a bird is never named. ValueError for birds of fewer than three.
    """
    seen = features(reader, birds.image).clone()
    family = birds.class_id % FAMILIES
    if len(family.unique()) < 3:
        raise ValueError("a head for families needs birds of three families or more")
    head = LogisticRegression(C=0.1, max_iter=500).fit(seen.numpy(), family.numpy())
    weights = torch.zeros(FAMILIES, seen.shape[1])
    weights[head.classes_] = torch.tensor(head.coef_).float()
    offsets = torch.full((FAMILIES,), -100.0)
    offsets[head.classes_] = torch.tensor(head.intercept_).float()

    def layer(pictures: Tensor) -> Tensor:
        return reader.features(pictures) @ weights.T + offsets

    return layer


@torch.inference_mode()
def rightly_named(layer, count: int = 1000) -> float:
    """The share of birds of unseen species whose family the new head names."""
    birds = Birds("test", 64).all(count).to("cpu")
    rows = torch.cat([layer(some) for some in birds.image.split(200)])
    return (rows.argmax(1) == birds.class_id % FAMILIES).float().mean().item()


def typical(birds: Batch) -> Tensor:
    """(20, attributes): of each family's birds the most frequent value."""
    family = birds.class_id % FAMILIES
    return torch.stack([birds.attributes[family == i].mode(0).values
                        if (family == i).any() else birds.attributes[0]
                        for i in range(FAMILIES)])  # fmt: skip


def shown_of_family(pictures: Tensor, judge, birds: Batch) -> dict[str, float]:
    """Of twenty grown pictures, one a family: does `judge` read the family's value?

    {attribute: share of families}, with "wing, by lot" and so on for a guess.
    """
    right = (judge.read(pictures) == typical(birds)).float().mean(0)
    found = dict(zip(ATTRIBUTES, right.tolist()))
    lots = {f"{name}, by lot": 1 / len(values) for name, values in ATTRIBUTES.items()}
    return {name: round(value, 4) for name, value in {**found, **lots}.items()}
