"""The space that noise comes from: paths through it, and arithmetic in it.

Radford, Metz, Chintala 2016; slides GM-19 and GM-20; used in lesson 02. Plain functions
of noise vectors and of what was drawn from them; no network is needed here.
"""

import math

import torch
from torch import Tensor

__all__ = [
    "arithmetic", "around", "average", "is_as", "lerp", "path", "random_directions",
    "slerp", "smoothness", "step_lengths", "to_shell",
]  # fmt: skip


# -------------------------------------------------------------------------- the paths


def lerp(start: Tensor, end: Tensor, t: float | Tensor) -> Tensor:
    """The straight line: (1 - t) start + t end.

    start, end: (..., D). t: a number, or a tensor that fits beside them, such as
    (T, 1) for T points (T, D) between two vectors (D,). Slide GM-19; lesson 02.
    """
    return (1 - t) * start + t * end


def slerp(start: Tensor, end: Tensor, t: float | Tensor) -> Tensor:
    """The arc of a great circle from start to end, at a steady turn.

    sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b, with a and b the two directions and
    w the angle between them; the length goes in a straight line from that of start to
    that of end, so two vectors of one length have it all the way. Shapes as `lerp`.
    Raises ValueError for opposite directions (no arc is the shortest), and for a vector
    of zeros (no direction). White 2016 (where lengths agree); slide GM-19; lesson 02.
    """
    lengths = start.norm(dim=-1, keepdim=True), end.norm(dim=-1, keepdim=True)
    if any((length == 0).any() for length in lengths):
        raise ValueError("A vector of zeros has no direction to turn from.")
    a, b = start / lengths[0], end / lengths[1]
    # twice the arc tangent: exact for small angles, where the arc cosine is not
    angle = 2 * torch.atan2((a - b).norm(dim=-1), (a + b).norm(dim=-1))[..., None]
    if (math.pi - angle < 1e-3).any():
        raise ValueError("Opposite directions have no shortest arc between them.")
    # sin(t w) / sin(w), which for small angles is t
    small = angle < 1e-3
    sine = torch.where(small, 1.0, angle.sin())
    from_a = torch.where(small, 1 - t, ((1 - t) * angle).sin() / sine)
    from_b = torch.where(small, t, (t * angle).sin() / sine)
    return lerp(*lengths, t) * (from_a * a + from_b * b)


def path(start: Tensor, end: Tensor, count: int, along=slerp) -> Tensor:
    """`count` vectors (count, D) from start (D,) to end (D,), both included.

    along: `slerp` or `lerp`. Raises ValueError for fewer than two. Slide GM-19.
    """
    if count < 2:
        raise ValueError(f"A path has two ends, so count is 2 or more, not {count}.")
    t = torch.linspace(0, 1, count, device=start.device, dtype=start.dtype)
    return along(start, end, t[:, None])


def step_lengths(pictures: Tensor) -> Tensor:
    """How far each picture of a path is from the one before: (N, ...) to (N - 1,).

    Root mean square difference. pictures: N pictures, or what a network saw in them.
    """
    steps = (pictures[1:] - pictures[:-1]).flatten(1)
    return steps.square().mean(1).sqrt()


def smoothness(pictures: Tensor) -> float:
    """How evenly a path of pictures (N, ...) changes: mean step over largest step.

    1: all steps are alike. 1 / (N - 1): one jump, and nothing else changes. 1 for a
    path that stands still. It says nothing about what lies on the path: a cross-fade of
    two photographs is perfectly smooth. Raises ValueError for fewer than two pictures.
    Slide GM-19; lesson 02.
    """
    if len(pictures) < 2:
        raise ValueError("A path needs at least two pictures.")
    steps = step_lengths(pictures)
    return float(steps.mean() / steps.max()) if steps.max() > 0 else 1.0


# --------------------------------------------------------------------- the arithmetic


def is_as(seen: Tensor, wanted: Tensor) -> Tensor:
    """Which pictures show all that is wanted: (N,) bool.

    seen: (N, A) int64, what the oracle reads. wanted: (A,), -1 where anything will do.
    Its mean is the share of pictures that are as wanted.
    """
    return ((seen == wanted) | (wanted < 0)).all(-1)


def average(noise: Tensor, chosen: Tensor) -> Tensor:
    """The mean (D,) of the chosen noise vectors. noise: (N, D), chosen: (N,) bool.

    One vector says as much about its own picture as about what is wanted; the average
    of several keeps what they share. Raises ValueError when none is chosen.
    Radford et al. 2016; slide GM-20; lesson 02.
    """
    if not chosen.any():
        raise ValueError("No picture shows what is wanted, so there is no average.")
    return noise[chosen].mean(0)


def arithmetic(first: Tensor, minus: Tensor, plus: Tensor) -> Tensor:
    """first - minus + plus, (..., D) each: smiling woman - neutral woman + neutral man.

    The arguments are averages of noise. Slide GM-20; lesson 02.
    """
    return first - minus + plus


def to_shell(noise: Tensor) -> Tensor:
    """The vectors (..., D), each brought to length sqrt(D), where N(0, 1) noise lies.

    Averages are shorter than what they are averages of, and the generator has hardly
    seen such vectors in training.
    """
    return noise * math.sqrt(noise.shape[-1]) / noise.norm(dim=-1, keepdim=True)


def around(
    center: Tensor, count: int, scale: float, generator: torch.Generator | None = None
) -> Tensor:
    """`count` vectors (count, D) near center (D,): plus noise of U[-scale, scale].

    Shows that a result is more than one lucky vector. Radford et al. 2016; slide GM-20.
    """
    shape = count, *center.shape
    drawn = torch.rand(
        shape, device=center.device, dtype=center.dtype, generator=generator
    )
    return center + scale * (2 * drawn - 1)


def random_directions(
    like: Tensor, count: int, generator: torch.Generator | None = None
) -> Tensor:
    """`count` vectors (count, D) as long as `like` (D,), of any direction.

    The baseline: what adding a vector of that length does if it means nothing.
    """
    shape = count, *like.shape
    drawn = torch.randn(
        shape, device=like.device, dtype=like.dtype, generator=generator
    )
    return drawn * like.norm() / drawn.norm(dim=-1, keepdim=True)
