"""Whose sentence did each picture get? What exercise 14.3 is judged by.

The rows that come out are looked up among those that went in, so that every slip is
told by the places themselves.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .compare import Wrong, agree, expect, expect_shape, normal

__all__ = ["expect_neighbours", "expect_same_gradient"]


def expect_neighbours(answer, count: int, size: int = 5) -> None:
    """The first half has each other's sentences, the second its own; else `Wrong`."""
    text = normal(count, size, seed=count)
    got = answer(text.clone())
    _expect_rows(got, text)
    places = _places(got, text)
    if -1 in places:
        raise Wrong(_mixed(got, text))
    expect(
        _places(answer(text.clone()), text) == places,
        "two calls give two orders: draw no lots here, for a training that draws some "
        "of its own could not be repeated. Move the first half on by one.",
    )
    found = _as_a_whole(places, count) or _of_halves(places, count)
    if found:
        raise Wrong(found)


def _expect_rows(got, text: Tensor) -> None:
    count = len(text)
    rows = len(got) if isinstance(got, Tensor) and got.ndim == 2 else count
    half = count // 2
    expect(
        rows != half or rows == count,
        f"of {count} sentences {half} come out: this is one half alone. Put the two "
        "together again, torch.cat([first, second]).",
    )
    expect(
        rows != 2 * half or rows == count,
        f"of {count} sentences {2 * half} come out: where their number is odd the last "
        "one gets lost. The second half is all that is left, text[half:].",
    )
    expect(
        rows != count + half and rows != 2 * count,
        f"of {count} sentences {rows} come out: some stand there twice. One half is "
        "text[:half], the other text[half:].",
    )
    expect_shape(got, tuple(text.shape), "what comes out", "(batch, D)")


def _places(got: Tensor, text: Tensor) -> list[int]:
    """For each row the place where it stood; -1 where it isn't one of the sentences."""
    apart = (got[:, None].detach() - text).abs().amax(2)
    nearest, where = apart.min(1)
    return torch.where(nearest < 1e-5, where, -1).tolist()


# ----------------------------------------------------- rows that are no sentences


def _half(text: Tensor, change) -> Tensor:
    """The first half changed, the second as it is."""
    half = len(text) // 2
    return torch.cat([change(text[:half]), text[half:]])


def _both(text: Tensor, change) -> Tensor:
    half = len(text) // 2
    return torch.cat([change(text[:half]), change(text[half:])])


ALONG = (
    "the *numbers* of each sentence are moved, not the sentences: rows are dimension "
    "0, .roll(-1, 0)."
)
FLAT = (
    ".roll without a dimension moves all numbers on by one, as if they stood in one "
    "row: sentences are rows, so .roll(-1, 0)."
)
MIXED = (
    "each sentence is mixed with its neighbour's, as in lesson 08's half-way "
    "sentences; here each picture gets one whole sentence of another."
)
TURNS = (1, -1)


def _mixed(got: Tensor, text: Tensor) -> str:
    """What was done to sentences that are none of the batch's any more."""
    ways = {
        ALONG: [on(text, lambda t, k=k: t.roll(k, 1))
                for k in TURNS for on in (_half, _both)],
        FLAT: [on(text, lambda t, k=k: t.roll(k))
               for k in TURNS for on in (_half, _both)] + [
                   text.roll(k) for k in TURNS],
        MIXED: [on(text, lambda t, k=k, b=b: b * t + (1 - b) * t.roll(k, 0))
                for k in TURNS for on in (_half, _both) for b in (0.25, 0.5, 0.75)],
        "the sentences are added up; each picture gets one whole sentence of another.":
            [on(text, lambda t, k=k: t + t.roll(k, 0))
             for k in TURNS for on in (_half, _both)],
        "the sentences' sign is turned; a relevant sentence is one that another "
        "picture has.": [on(text, lambda t: -t) for on in (_half, _both)],
        "the sentences are gone (0); a relevant sentence is one that another picture "
        "has.": [on(text, torch.zeros_like) for on in (_half, _both)],
        "the sentences are scaled to length 1; only their places change.": [
            on(text, lambda t, k=k: F.normalize(t.roll(k, 0), dim=1))
            for k in TURNS for on in (_half, _both)],
    }  # fmt: skip
    for said, made in ways.items():
        if any(agree(got, one, 1e-5, 1e-4) for one in made):
            return said
    return (
        "some rows that come out are none of the sentences that went in. Rows are "
        "only to change their places: is something added to them, mixed, or moved "
        "along another dimension than 0?"
    )


# --------------------------------------------------------- rows in a wrong place


def _as_a_whole(places: list[int], count: int) -> str:
    """What was done to the batch as one; "" where that isn't it."""
    own, half = list(range(count)), count // 2
    rolled = [own[k:] + own[:k] for k in (1, -1)]
    if places == own:
        return (
            "every picture keeps its own sentence. The first half is to get each "
            "other's. (.roll gives a new tensor, and leaves the old one as it is; "
            "rolled by as many as there are rows, everything is where it was.)"
        )
    if places in rolled:
        return (
            "the whole batch is moved on, so that no picture keeps its own sentence "
            "and none has to come out as it is. Only the first half, text[:half], is."
        )
    if any(places[:half] == way[:half] for way in rolled) and (
        places[half:] == own[half:]
    ):
        return (
            "the whole batch is moved on and then cut, so that one of the first half "
            f"gets a sentence of the second (row {_strays(places, half)[0]} here). Cut "
            "first, then move the first half alone: text[:half].roll(-1, 0)."
        )
    if sorted(places[:half]) != own[:half] and set(places[:half]) <= set(own[half:]):
        rest = "the second keeps its own" if places[half:] == own[half:] else ""
        return (
            "the first half gets the second's sentences, and "
            f"{rest or 'the halves are exchanged'}. The first half's are to move "
            "among themselves, and row b of what comes out still belongs to picture b."
        )
    return ""


def _strays(places: list[int], half: int) -> list[int]:
    """Rows of the first half with a sentence of the second."""
    return [i for i, place in enumerate(places[:half]) if place >= half]


def _of_halves(places: list[int], count: int) -> str:
    """What is wrong with one of the halves; "" where both are right.

    Of an odd number the middle one may belong to either half.
    """
    half = count // 2
    cut = half if places[half] == half else count - half
    first = places[:cut]
    moved = [i for i in range(cut, count) if places[i] != i]
    kept = [i for i, place in enumerate(first) if place == i]
    if moved:
        return _of_second(kept, moved, places, half)
    if kept:
        return (
            f"in the first half row {kept[0]} keeps its own sentence ({len(kept)} of "
            f"{half} rows do): each of these pictures is to get another's. "
            "text[:half].roll(-1, 0) moves them all, however many."
        )
    for row in _strays(places, cut):
        return (
            f"in the first half row {row} has the sentence of row {places[row]}, which "
            "is one of the second half's; the first half's move among themselves."
        )
    if sorted(first) != list(range(cut)):
        return (
            "a sentence of the first half is given twice, and another to nobody: each "
            "moves on by one place, and the last comes to the first's."
        )
    return ""


def _of_second(kept, moved, places: list[int], half: int) -> str:
    """The second half isn't as it was."""
    count = len(places)
    if len(kept) >= half:
        return (
            "the halves are exchanged: the first keeps its own sentences and the "
            "second is moved. The first half is to get each other's, the second to "
            "keep its own."
        )
    if all(places[i] == i for i in range(1, count, 2)):
        return (
            "every other picture is taken; the halves are the first B // 2 rows and "
            "the rest, text[:half] and text[half:]."
        )
    if all(places[i] == i ^ 1 for i in range(2 * half)):
        return (
            "pairs of pictures exchange their sentences all through the batch; only "
            "the first half, text[:half], is to get another's."
        )
    if not kept and set(places[:half]) <= set(range(half)):
        return (
            f"the second half is moved, too (row {moved[0]}): it keeps its own "
            "sentences, so that the game asks of some pictures to stay as they are."
        )
    return (
        f"in the second half row {moved[0]} has the sentence of row "
        f"{places[moved[0]]}: all of that half keep their own, text[half:]."
    )


# -------------------------------------------------------------------- its gradient


def expect_same_gradient(answer, count: int = 6) -> None:
    """What each sentence is used for comes back to it, once."""
    text = normal(count, 3, seed=4).requires_grad_()
    got = answer(text)
    weights = normal(count, 3, seed=5)
    found = None
    if got.requires_grad:
        (found,) = torch.autograd.grad(got, text, weights, allow_unused=True)
    wanted = torch.zeros_like(weights)
    wanted[_places(got, text)] = weights
    expect(
        found is not None and torch.allclose(found, wanted, atol=1e-5),
        "the sentences are right, but their gradient doesn't come back to `text`, or "
        "only a part of it: is something detached, worked out under no_grad, or turned "
        "into an array on the way? Only places are to change.",
    )
