"""The state of a thing before and after a call: what did an answer change?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["difference", "of"]


def of(value: Any) -> Any:
    """A copy of all that an answer could change in a value, to be compared later.

    Tensors, networks (weights, buffers, their gradients, what learns, the mode), and
    lists, tuples, dicts and namespaces of them. Functions, generators of random
    numbers and plain numbers can't change or may: they are left out.
    """
    if isinstance(value, Tensor):
        return {
            "values": value.detach().clone(),
            "grad": _copied(value.grad) if value.is_leaf else None,
            "requires_grad": value.requires_grad,
        }
    if isinstance(value, nn.Module):
        return {
            "values": {k: v.detach().clone() for k, v in value.state_dict().items()},
            "grad": {k: _copied(p.grad) for k, p in value.named_parameters()},
            "requires_grad": {k: p.requires_grad for k, p in value.named_parameters()},
            "training": {k: m.training for k, m in value.named_modules()},
        }
    if isinstance(value, SimpleNamespace):
        return of(vars(value))
    if isinstance(value, dict):
        return {key: of(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [of(part) for part in value]
    return None


def _copied(gradient: Tensor | None) -> Tensor | None:
    return None if gradient is None else gradient.detach().clone()


ASPECTS = ("values", "grad", "requires_grad", "training")


def difference(before: Any, after: Any, may: tuple[str, ...] = ()) -> str:
    """What changed: "values", "grad", "requires_grad", "training"; "" if nothing.

    `may` names what is not looked at.
    """
    if isinstance(before, dict) and set(before) & set(ASPECTS):
        for aspect in ASPECTS:
            compared = aspect in before and aspect not in may
            if compared and not _equal(before[aspect], after[aspect]):
                return aspect
        return ""
    if isinstance(before, (dict, list)):
        if len(before) != len(after):
            return "values"
        keys = before if isinstance(before, dict) else range(len(before))
        found = (difference(before[key], after[key], may) for key in keys)
        return next(filter(None, found), "")
    return ""


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        same = one.shape == other.shape and one.dtype == other.dtype
        return same and bool(torch.equal(one.nan_to_num(), other.nan_to_num()))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _equal(one[key], other[key]) for key in one
        )
    return one is other or one == other
