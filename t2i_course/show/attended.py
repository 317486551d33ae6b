"""What lesson 11 shows: a picture, and beside it where each word was looked at."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..drawing import lit
from ..text import split_words
from .pictures import grid

__all__ = ["attended", "by_words", "lit", "looked_for", "most_attended"]


def most_attended(maps: Tensor, count: int = 5) -> list[int]:
    """The places in a caption of the words with most attention, most first.

    maps: (T, H, W), of one picture. At most `count`, AT-9 shows five.
    """
    share = maps.mean((1, 2))
    return share.argsort(descending=True, stable=True)[:count].tolist()


def by_words(picture: Tensor, maps: Tensor, words: Sequence[str], title: str):
    """A picture (3, S, S), then it lit by each word's map (T, H, W); seven in a row.

    words: the caption's, T or fewer. Lesson 11a.
    """
    count = len(words)
    shown = [picture[None], lit(picture.expand(count, -1, -1, -1), maps[:count])]
    lines = -(-(count + 1) // 7)
    below = ["the picture", *words]
    return grid(torch.cat(shown), -(-(count + 1) // lines), below, title, size=1.0)


@torch.no_grad()
def looked_for(encoders, batch, title: str):
    """`by_words` of a batch's first picture and caption, by encoders that `attend`."""
    device = next(encoders.parameters()).device
    maps = encoders.attend(batch.image.to(device), batch)[0].cpu()
    return by_words(batch.image[0], maps, split_words(batch.caption[0]), title)


def attended(
    picture: Tensor,
    looked: Sequence[Tensor],
    words: Sequence[str],
    title: str,
    count: int = 5,
):
    """A picture, and it lit by the most attended words of each stage; a row a stage.

    picture: (3, S, S); looked: (T, H, W) a stage; words: the caption's T. Below each
    stands its word, and how much of all attention it has. As in AT-9.
    """
    count, shown, below = min(count, len(words)), [], []
    for maps in looked:
        best = most_attended(maps[: len(words)], count)
        shown += [picture[None], lit(picture.expand(count, -1, -1, -1), maps[best])]
        share = maps.mean((1, 2)) / maps.mean((1, 2)).sum()
        below += ["", *(f"{words[i]}, {100 * share[i]:.0f} %" for i in best)]
    rows = [f"stage {number},\n{maps.shape[-2]} x {maps.shape[-1]}"
            for number, maps in enumerate(looked, start=1)]  # fmt: skip
    figure = grid(torch.cat(shown), 1 + count, below, title=title, rows=rows, size=1.2)
    said = (f"Stage {n + 1}: {', '.join(below[n * (count + 1) + 1 :][:count])}"
            for n in range(len(rows)))  # fmt: skip
    return figure.knows("Of all attention the words have", *said)
