"""Is the unit the one that a grown picture excites most, of all in its layer?

Three things can be maximized: the activation itself, its softmax over the layer, and
the softmax's logarithm (slides AM-9 and AM-11). Used in lesson 17.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..inside.maximize import Prior, maximize, of_units
from .stimuli import Layer, lead, read, recognized

__all__ = ["at_the_start", "grown_of_units", "selectivity"]


def at_the_start(
    layer: Layer, units: Tensor, shape, prior: Prior, seed: int, form: str
):
    """(B,) shares s_i, and the root mean square of each picture's gradient, (B,)."""
    rng = torch.Generator().manual_seed(seed)
    numbers = prior.canvas.start((len(units), *shape), rng).requires_grad_()
    picture = prior.canvas.picture(numbers)
    found = of_units(layer, units, form)(picture)
    (gradient,) = torch.autograd.grad(found.sum(), numbers)
    with torch.no_grad():
        share = of_units(layer, units, "softmax")(picture)
    return share, gradient.flatten(1).square().mean(1).sqrt()


def grown_of_units(layer: Layer, units: Tensor, shape, prior: Prior, form: str, *,
                   part: int = 25, **more) -> Tensor:  # fmt: skip
    """(N, C, H, W): a picture for each unit, a few at a time, each group one noise."""
    grown = (maximize(of_units(layer, some, form), (len(some), *shape), prior, **more)
             for some in units.split(part))  # fmt: skip
    return torch.cat([one.picture for one in grown])


def selectivity(layer: Layer, units: Tensor, shape, prior: Prior, form: str,
                normed: bool, *, steps: int, step: float = 0.02, seed: int = 0,
                judge: Layer | None = None) -> dict[str, Tensor]:  # fmt: skip
    """What maximizing each unit in one of three forms gives: means over units.

    shape: (C, H, W). normed: steps of one length; otherwise (2) with one epsilon_1 for
    all three forms, such that the first step of the raw activation has the length
    `step` in the mean. "first": the share of units that are the highest of the layer;
    "lead": over the next; "first, the other": the same of another network, `judge`.
    """
    share, gradient = at_the_start(layer, units[:50], shape, prior, seed, form)
    if not normed:
        _, raw = at_the_start(layer, units[:50], shape, prior, seed, "raw")
        step = step / raw.mean().item()
    pictures = grown_of_units(layer, units, shape, prior, form, steps=steps, step=step,
                              seed=seed, normed=normed)  # fmt: skip
    rows = read(layer, pictures)
    found = {
        "first": recognized(rows, units).float().mean(),
        "lead": lead(rows, units).mean(),
        "activation": rows.gather(1, units[:, None]).mean(),
        "share at the start": share.mean(),
        "gradient at the start": gradient.mean(),
    }
    if judge is not None:
        others = read(judge, pictures)
        found["first, the other"] = recognized(others, units).float().mean()
    return found
