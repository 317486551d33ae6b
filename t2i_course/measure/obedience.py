"""Does the bird obey its caption? The share of named attributes the oracle sees."""

import torch
from torch import Tensor

from ..worlds.bird_species import ATTRIBUTES

__all__ = ["accuracies", "obedience"]


def obedience(seen: Tensor, named: Tensor) -> dict[str, float]:
    """Per attribute and over "all": the share of captions that name it and are obeyed.

    seen: (B, A) what the oracle reads in the pictures; named: (B, A) what the captions
    name, -1 where they are silent. Attributes that no caption names are left out.
    Chance is 0.10 for a colour, 0.25 for the beak's, 0.5 for a pair.
    """
    if seen.shape != named.shape:
        raise ValueError(
            f"seen {tuple(seen.shape)} and named {tuple(named.shape)} differ."
        )
    spoken, right = named >= 0, (seen == named) & (named >= 0)
    found = {
        name: right[:, i].sum().item() / spoken[:, i].sum().item()
        for i, name in enumerate(ATTRIBUTES)
        if spoken[:, i].any()
    }
    if spoken.any():
        found["all"] = right.sum().item() / spoken.sum().item()
    return found


def accuracies(seen: Tensor, truth: Tensor) -> dict[str, float]:
    """Share of pictures (B, A) in which each attribute is read as it is."""
    share = (seen == truth).to(torch.float32).mean(0)
    return dict(zip(ATTRIBUTES, share.tolist()))
