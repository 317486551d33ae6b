"""Does the bird obey its caption? The share of named attributes the oracle sees.

Of flowers too, where `attributes` are theirs.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from ..worlds.bird_species import ATTRIBUTES

__all__ = ["accuracies", "obedience", "two_colours", "whole"]


def obedience(
    seen: Tensor, named: Tensor, attributes: Iterable[str] = ATTRIBUTES
) -> dict[str, float]:
    """Per attribute and over "all": the share of captions that name it and are obeyed.

    seen: (B, A) what the oracle reads in the pictures; named: (B, A) what the captions
    name, -1 where they are silent; attributes: their names, in order. Attributes that
    no caption names are left out.
    Chance is 0.10 for a colour, 0.25 for the beak's, 0.5 for a pair.
    """
    if seen.shape != named.shape:
        raise ValueError(
            f"seen {tuple(seen.shape)} and named {tuple(named.shape)} differ."
        )
    spoken, right = named >= 0, (seen == named) & (named >= 0)
    found = {
        name: right[:, i].sum().item() / spoken[:, i].sum().item()
        for i, name in enumerate(attributes)
        if spoken[:, i].any()
    }
    if spoken.any():
        found["all"] = right.sum().item() / spoken.sum().item()
    return found


def accuracies(
    seen: Tensor, truth: Tensor, attributes: Iterable[str] = ATTRIBUTES
) -> dict[str, float]:
    """Share of pictures (B, A) in which each attribute is read as it is."""
    share = (seen == truth).to(torch.float32).mean(0)
    return dict(zip(attributes, share.tolist()))


def names_two(named: Tensor, parts: tuple[str, str] = ("wing", "belly")) -> Tensor:
    """(B,) bool: whether a caption names two parts, each with a colour of its own."""
    one, other = (named[:, list(ATTRIBUTES).index(part)] for part in parts)
    return (one >= 0) & (other >= 0) & (one != other)


def two_colours(
    seen: Tensor, named: Tensor, parts: tuple[str, str] = ("wing", "belly")
) -> dict[str, float]:
    """What becomes of two different colours that a caption names for two parts.

    seen, named: (B, A) as for `obedience`. Shares of the captions that name two:
    "right", both where they belong; "exchanged", each on the other part; "one on both"
    parts; the rest is something else. ValueError where no caption names two.
    """
    one, other = (list(ATTRIBUTES).index(part) for part in parts)
    asked, read = named[:, [one, other]], seen[:, [one, other]]
    told = names_two(named, parts)
    if not told.any():
        raise ValueError(f"no caption names two colours for {' and '.join(parts)}.")
    asked, read = asked[told], read[told]
    same = read[:, 0] == read[:, 1]
    found = {
        "right": (read == asked).all(1),
        "exchanged": (read == asked.flip(1)).all(1),
        "one on both": same & (read[:, :1] == asked).any(1),
    }
    return {name: share.float().mean().item() for name, share in found.items()}


def whole(seen: Tensor, named: Tensor, most: int = 5) -> dict[int, float]:
    """{wishes: the share of captions with so many that are obeyed in each of them}.

    seen, named: (B, A) as for `obedience`; captions with more than `most` are counted
    there, and those that name nothing are left out.
    """
    kept = ((seen == named) | (named < 0)).all(1)
    wishes = (named >= 0).sum(1).clamp(max=most)
    counts = [n for n in range(1, most + 1) if (wishes == n).any()]
    return {n: kept[wishes == n].float().mean().item() for n in counts}
