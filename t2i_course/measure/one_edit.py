"""One drawing and one wish: an edit of which a world knows everything (lesson 14).

`editing` measures editors over a thousand edits; here is a single one, for those who
try: a numbered drawing of an unseen species, a plain sentence for a value of one of
its attributes, and what the oracle reads otherwise after the change.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..data import Batch
from ..worlds.drawn import Drawn
from .editing import Edits, put_together
from .oracle import oracle

__all__ = [
    "INDIVIDUALS", "drawing", "how_many", "may_be_asked", "read_in", "read_otherwise",
    "sentence_for", "wish",
]  # fmt: skip

INDIVIDUALS = 60  # of each species, as in `Drawn`
# How people say it: the commonest words for each attribute of a part.
SAID = {
    "birds": {
        "wing": "{} wings",
        "belly": "a {} belly",
        "crown": "a {} crown",
        "tail": "a {} tail",
        "pattern": "{} wings",
        "beak": "a {} beak",
        "beak_colour": "a {} beak",
    },
    "flowers": {
        "petal": "{} petals",
        "stripe": "petals with {} stripes",
        "shape": "{} petals",
        "number": "{} petals",
        "stamen": "{} stamens",
        "centre": "a {} center",
        "leaves": "{} leaves",
    },
}


def how_many(kind: type[Drawn]) -> int:
    """How many drawings of unseen species a world has; they are numbered from 0."""
    return len(kind.world.splits()["test"]) * INDIVIDUALS


@lru_cache(maxsize=16)
def drawing(kind: type[Drawn], number: int, size: int = 32) -> Batch:
    """Drawing `number` of the unseen species, with all that is known: a batch of one.

    As `kind("test", size, details=True).at([number], [0])`, and drawn alone.
    ValueError for a number that there is not.
    """
    world = kind.world
    if not 0 <= number < how_many(kind):
        raise ValueError(
            f"the unseen {world.name} are numbered 0 to {how_many(kind) - 1}; there is "
            f"no {world.name}:{number}"
        )
    species, i = divmod(number, INDIVIDUALS)
    species = int(world.splits()["test"][species])
    content = world.contents(species, i + 1)[i:]
    style = world.styles(species, i + 1)[i:]
    pictures, masks = world.draw(content, style, size)
    sentence, named = world.caption(content[0], (species, i, 0))
    tokens, lengths = world.vocabulary().encode([sentence])
    return Batch(
        torch.from_numpy(pictures),
        [sentence],
        tokens,
        lengths,
        class_id=torch.tensor([species]),
        attributes=torch.from_numpy(content),
        named=torch.from_numpy(named)[None],
        style=torch.from_numpy(style),
        masks=torch.from_numpy(masks),
    )


def may_be_asked(kind: type[Drawn]) -> dict[str, tuple[str, ...]]:
    """{attribute: its values} of those that change a part, and leave the rest alone."""
    world = kind.world
    return {name: world.attributes[name] for name in SAID[world.name]}


def sentence_for(kind: type[Drawn], attribute: str, value: str) -> str:
    """A plain sentence that names one thing: "this bird has blue wings".

    ValueError for an attribute or a value that can't be asked for.
    """
    world = kind.world
    world.named_by({attribute: value})
    if attribute not in SAID[world.name]:
        raise ValueError(f"{attribute} is no attribute of a part.")
    said = SAID[world.name][attribute].format(value)
    if said == "petals with plain stripes":
        said = "plain petals"
    if value[0] in "aeiou":
        said = said.replace(f"a {value}", f"an {value}")
    return f"this {world.thing} has {said}"


def wish(kind: type[Drawn], source: Batch, attribute: str, value: str) -> Edits | None:
    """The edit that asks for one value, with the wanted drawing.

    source: a batch of one, with bytes as `drawing` gives it. None where such a thing
    can't be drawn: petals streaked with their own colour.
    """
    named = kind.world.named_by({attribute: value})[None]
    content = np.where(named >= 0, named, source.attributes.numpy())
    if not kind.world.possible(content)[0]:
        return None
    sentence = sentence_for(kind, attribute, value)
    tokens, lengths = kind.world.vocabulary().encode([sentence])
    asked = Batch(torch.zeros(1, 0), [sentence], tokens, lengths)
    asked.named = torch.from_numpy(named)
    return put_together(kind, source, asked, source.image.shape[-1])


def read_in(kind: type[Drawn], pictures: Tensor) -> list[dict[str, str]]:
    """What the world's oracle reads in pictures (B, 3, S, S): {attribute: value} each.

    ValueError where it reads no pictures of that size.
    """
    world = kind.world
    rows = oracle(pictures.shape[-1], world=world.name).read(pictures).tolist()
    return [
        {name: values[n] for (name, values), n in zip(world.attributes.items(), row)}
        for row in rows
    ]


def read_otherwise(
    kind: type[Drawn], before: Tensor, after: Tensor
) -> dict[str, tuple[str, str]]:
    """{attribute: (read before, read after)} of what the oracle reads otherwise.

    before, after: pictures (3, S, S) in [-1, 1].
    """
    was, now = read_in(kind, torch.stack([before, after]))
    return {name: (was[name], now[name]) for name in was if was[name] != now[name]}
