"""Sentences one below the other, drawn with the same noises (lesson 11)."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import torch

from ..drawing import from_sentences
from ..measure.birds import asked
from ..worlds.bird_species import ATTRIBUTES
from .pictures import grid

__all__ = ["same_noises"]


def same_noises(
    system, sentences: Sequence[str], title: str, count: int = 8, seed: int = 0
):
    """A row a sentence, a column a noise: what changes down a column is the words.

    Words that the world's vocabulary doesn't know are read as "unknown"; NoKnownWord
    where it knows none. Used in lesson 11, for "two birds" and "not red".
    """
    named = np.full((len(sentences), len(ATTRIBUTES)), -1)
    noises = torch.arange(count).repeat(len(sentences))
    each = [sentence for sentence in sentences for _ in range(count)]
    batch = asked(each, named.repeat(count, 0))
    pictures = from_sentences(system, batch, seed, rows=noises)
    rows = [textwrap.fill(sentence, 20) for sentence in sentences]
    return grid(pictures, count, title=title, rows=rows, size=0.64, numbered=True)
