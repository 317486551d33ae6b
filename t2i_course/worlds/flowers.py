"""The flower world: 102 species, 60 flowers of each (our Oxford-102).

Ten captions a picture, as in the set of captions that Reed et al. gathered for it.
"""

from functools import lru_cache, partial

from .. import text
from ..declarations import DataInfo
from . import drawn, flower_captions, flower_words
from .drawn import Drawn, World
from .flower_drawing import PART_OF, PARTS, draw_flowers
from .flower_species import (
    ATTRIBUTES,
    STYLE,
    individual_contents,
    individual_styles,
    possible,
    split_species,
)

__all__ = ["WORLD", "Flowers", "vocabulary"]


@lru_cache(maxsize=1)
def vocabulary() -> text.Vocabulary:
    """The words of the flower world's captions."""
    return text.Vocabulary(flower_words.WORDS.split())


WORLD = World(
    "flower",
    ATTRIBUTES,
    STYLE,
    PARTS,
    PART_OF,
    draw_flowers,
    individual_contents,
    individual_styles,
    split_species,
    flower_captions.caption,
    flower_captions.untrue,
    flower_captions.describe,
    flower_captions.named_by,
    vocabulary,
    possible,
)


class Flowers(Drawn):
    """A split of the flower world: "train" (82 species) or "test" (20 others)."""

    world = WORLD


# -------------------------------------------------------------- what the course may ask


def source(split, size, batch_size, seed=0, few=False) -> Flowers:
    """Flowers in batches; two of each species where a few will do."""
    return Flowers(split, size, batch_size, 2 if few else 60, seed)


DATA = {
    "flowers": DataInfo(
        source,
        ("train", "test"),
        vocabulary,
        oracle="t2i_course.measure.oracle:flower_oracle",
        judges={
            "sentences": "t2i_course.measure.judges:flowers_as_asked",
            "noise": "t2i_course.measure.judges:flowers",
            "pictures": "t2i_course.measure.judges:edited_flowers",
        },
        report=partial(drawn.reported, WORLD),
    )
}
