"""The bird world: 200 species, 60 birds of each, ten captions a picture (our CUB)."""

from functools import lru_cache, partial

import numpy as np

from .. import text
from ..declarations import DataInfo
from . import bird_captions, bird_words, drawn
from .bird_drawing import PART_OF, PARTS, draw_birds
from .bird_species import (
    ATTRIBUTES,
    STYLE,
    individual_contents,
    individual_styles,
    split_species,
)
from .drawn import CAPTIONS, CHUNK, Drawn, World

__all__ = ["CAPTIONS", "CHUNK", "WORLD", "Birds", "boxes_of", "vocabulary"]


@lru_cache(maxsize=1)
def vocabulary() -> text.Vocabulary:
    """The words of the bird world's captions."""
    return text.Vocabulary(bird_words.WORDS.split())


WORLD = World(
    "bird",
    ATTRIBUTES,
    STYLE,
    PARTS,
    PART_OF,
    draw_birds,
    individual_contents,
    individual_styles,
    split_species,
    bird_captions.caption,
    bird_captions.untrue,
    bird_captions.describe,
    bird_captions.named_by,
    vocabulary,
)


def boxes_of(masks: np.ndarray) -> np.ndarray:
    """The boxes (B, parts - 1, 4) of birds' part maps (B, H, W); see `drawn`."""
    return drawn.boxes_of(masks, len(PARTS))


class Birds(Drawn):
    """A split of the bird world: "train" (150 species) or "test" (50 others)."""

    world = WORLD


# -------------------------------------------------------------- what the course may ask


def source(split, size, batch_size, seed=0, few=False) -> Birds:
    """Birds in batches; two of each species where a few will do."""
    return Birds(split, size, batch_size, 2 if few else 60, seed)


DATA = {
    "birds": DataInfo(
        source,
        ("train", "test"),
        vocabulary,
        oracle="t2i_course.measure.oracle:oracle",
        judges={
            "sentences": "t2i_course.measure.judges:birds_as_asked",
            "noise": "t2i_course.measure.judges:birds",
            "classes": "t2i_course.measure.judges:birds_of_classes",
            "pictures": "t2i_course.measure.judges:edited_birds",
        },
        report=partial(drawn.reported, WORLD),
    )
}
