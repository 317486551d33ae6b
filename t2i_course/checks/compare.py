"""Comparing a learner's answer with what is expected, and saying so in plain words.

Everything here raises `Wrong` with a sentence for the learner. Values are compared
loosely and on inputs made in the check, never with numbers stored from a random
initialization: those change with the library, and then right answers fail.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .slips import slip

ATOL, RTOL = 1e-5, 1e-4


class Wrong(AssertionError):
    """The answer isn't right; the message says why, in words for the learner."""


def expect(condition: Any, message: str) -> None:
    """Raises `Wrong(message)` unless the condition holds."""
    if not bool(condition):
        raise Wrong(message)


def normal(*shape: int, seed: int = 1, scale: float = 1.0) -> Tensor:
    """Draws of N(0, scale^2), the same for each seed: what an answer is tried on."""
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def fresh(value: Any) -> Any:
    """A deep copy that an answer may change without harm to the check.

    Tensors keep whether they want a gradient but leave their graph; networks,
    generators of random numbers, lists, tuples and dicts are copied with their content.
    """
    if isinstance(value, Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, torch.Generator):
        twin = torch.Generator(value.device)
        return twin.set_state(value.get_state())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(fresh(part) for part in value))
    if isinstance(value, (list, tuple)):
        return type(value)(fresh(part) for part in value)
    if isinstance(value, dict):
        return {key: fresh(part) for key, part in value.items()}
    return copy.deepcopy(value)


def in_words(value: Any) -> str:
    """A value in a few words: a number, a shape, a type."""
    if value is None:
        return "None (is a `return` missing?)"
    if isinstance(value, (Tensor, np.ndarray)):
        if value.size == 0 if isinstance(value, np.ndarray) else value.numel() == 0:
            return f"an empty tensor of shape {tuple(value.shape)}"
        if tuple(value.shape) == ():
            return f"the single number {float(value):.4g}"
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, (bool, int)):
        return f"{value}"
    if isinstance(value, float):
        return f"the number {value:.4g}"
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, str):
        return f"the text {value[:60]!r}"
    return f"something of type {type(value).__name__}"


def _shape_in_words(shape: Sequence[int | None]) -> str:
    if len(shape) == 0:
        return "a single number, shape ()"
    sizes = ", ".join("any" if size is None else str(size) for size in shape)
    return f"shape ({sizes},)" if len(shape) == 1 else f"shape ({sizes})"


def expect_shape(
    got: Any, shape: Sequence[int | None], what: str = "the result", axes: str = ""
) -> None:
    """`got` must be a tensor of that shape; None in `shape` allows any length.

    `axes` names them for the message, for example "(batch, channels)".
    """
    if not isinstance(got, (Tensor, np.ndarray)):
        if isinstance(got, (int, float)) and len(shape) == 0:
            return
        wanted = _shape_in_words(shape)
        wanted = f"a tensor of {wanted}" if len(shape) else wanted
        raise Wrong(f"{what} should be {wanted}, but is {in_words(got)}.")
    fits = len(got.shape) == len(shape) and all(
        want is None or have == want for have, want in zip(got.shape, shape)
    )
    if not fits:
        meaning = f" {axes}" if axes else ""
        hint = _no_number(got) if len(shape) == 0 else _shape_slip(got.shape, shape)
        raise Wrong(
            f"{what} should have {_shape_in_words(shape)}{meaning}, but has "
            f"{_shape_in_words(tuple(got.shape))}.{hint}"
        )


def _no_number(got: Tensor | np.ndarray) -> str:
    """What to do about a tensor where one number is wanted."""
    if all(size == 1 for size in got.shape):
        return (
            " One number is wanted, not a list of one: take the mean or sum over all "
            "axes, without keepdim, or .squeeze() it."
        )
    return " Did you forget the mean over the batch?"


def _shape_slip(got: Sequence[int], want: Sequence[int | None]) -> str:
    """How a tensor comes to another shape than a table's."""
    sizes = [size for size in got if size != 1]
    if len(got) == 0:
        return " Is a mean or a sum taken over all of its axes?"
    if len(got) > len(want) and sizes == [size for size in want if size != 1]:
        return " An axis of length 1 is too many: .squeeze(i), or leave keepdim out."
    if len(got) < len(want) and sizes == [size for size in want if size != 1]:
        return " An axis of length 1 is missing: keepdim=True, or None in the index."
    if len(got) < len(want):
        return " Is a mean or a sum taken over an axis that should stay, or flattened?"
    if sorted(map(str, got)) == sorted(map(str, want)):
        return " Are two axes exchanged?"
    return " Print the .shape after each step, to see where it changes."


def expect_close(
    got: Any,
    want: Any,
    what: str = "the result",
    atol: float = ATOL,
    rtol: float = RTOL,
) -> None:
    """`got` must have the shape and, loosely, the values of `want`.

    Numbers, tensors, arrays, and lists, tuples and dicts of them; texts must be equal.
    """
    if isinstance(want, dict):
        has = sorted(map(str, got)) if isinstance(got, Mapping) else in_words(got)
        expect(
            isinstance(got, Mapping) and set(got) == set(want),
            f"{what} should be a dict of {sorted(map(str, want))}, but is {has}.",
        )
        for key in want:
            expect_close(got[key], want[key], f"{what}[{key!r}]", atol, rtol)
    elif isinstance(want, (list, tuple)):
        expect(
            isinstance(got, (list, tuple)) and len(got) == len(want),
            f"{what} should be {len(want)} things, but is {in_words(got)}.",
        )
        for i, (g, w) in enumerate(zip(got, want)):
            expect_close(g, w, f"part {i + 1} of {what}", atol, rtol)
    elif isinstance(want, (Tensor, np.ndarray, int, float)) and not _is_bool(want):
        _expect_numbers(got, want, what, atol, rtol)
    elif type(got) is not type(want) or got != want:
        raise Wrong(f"{what} should be {want!r}, but is {in_words(got)}.")


def _is_bool(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_))


def _expect_numbers(got: Any, want: Any, what: str, atol: float, rtol: float) -> None:
    expect_shape(
        got, tuple(np.shape(want.detach() if isinstance(want, Tensor) else want)), what
    )
    g, w = _numbers(got), _numbers(want)
    strange = ~torch.isfinite(g) & torch.isfinite(w)
    if strange.any():
        raise Wrong(
            f"{what} holds {g[strange][0].item()}, which is not a finite "
            "number; is there a log of 0 or a division by 0?"
        )
    apart = ~torch.isclose(g, w, atol=atol, rtol=rtol, equal_nan=True)
    if not apart.any():
        return
    where = tuple(apart.nonzero()[0].tolist())
    likely = slip(g, w)
    if where == ():
        raise Wrong(
            f"{what} should be about {w.item():.4g}, but is {g.item():.4g}. {likely}"
        )
    share = f"{int(apart.sum())} of {apart.numel()} values differ; "
    raise Wrong(
        f"{what} has the right shape but not the right values: {share}"
        f"at {list(where)} expected about {w[where].item():.4g}, "
        f"got {g[where].item():.4g}. {likely}"
    )


def _numbers(value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach().to("cpu", torch.float64)
    return torch.as_tensor(np.asarray(value), dtype=torch.float64)


def agree(got: Any, want: Any, atol: float, rtol: float) -> bool:
    """Whether `expect_close` would let these two pass."""
    try:
        expect_close(got, want, "", atol, rtol)
    except Wrong:
        return False
    return True


def _call(function: Callable, arguments: tuple, seed: int) -> Any:
    """Calls it on copies of the arguments, from a fixed seed."""
    torch.manual_seed(seed)
    return function(*fresh(arguments))


def _matches(
    wrong: Callable, inputs: Sequence[tuple], outputs: list, atol: float, rtol: float
) -> bool:
    """Whether a known wrong answer gives these outputs; one that fails doesn't."""
    try:
        made = [_call(wrong, arguments, i) for i, arguments in enumerate(inputs)]
    except Exception:
        return False
    return all(agree(got, want, atol, rtol) for got, want in zip(outputs, made))


def diagnose(
    answer: Callable,
    inputs: Sequence[tuple],
    reference: Callable,
    known: Mapping[str, Callable | Sequence[Callable]] | None = None,
    *,
    what: str = "the result",
    atol: float = ATOL,
    rtol: float = RTOL,
) -> None:
    """Compares `answer` with `reference` on each tuple of arguments in `inputs`.

    Where they differ and a function of `known` gives exactly what the answer gives,
    its key is the message: {"this is the saturating loss": saturating}; or one of
    several functions. Otherwise the message says what was expected and what came, and
    the likeliest slip. Every call gets its own copy of the arguments and the same seed.
    """
    wanted = [_call(reference, arguments, i) for i, arguments in enumerate(inputs)]
    outputs = [_call(answer, arguments, i) for i, arguments in enumerate(inputs)]
    if all(agree(got, want, atol, rtol) for got, want in zip(outputs, wanted)):
        return
    for message, wrong in (known or {}).items():
        ways = [wrong] if callable(wrong) else wrong
        if any(_matches(way, inputs, outputs, atol, rtol) for way in ways):
            raise Wrong(message)
    for got, want in zip(outputs, wanted):
        expect_close(got, want, what, atol, rtol)


def expect_gradient(
    loss: Tensor,
    reaches: Mapping[str, nn.Module | Tensor] = {},
    stops: Mapping[str, nn.Module | Tensor] = {},
) -> None:
    """The loss must give a gradient to each thing in `reaches` and none to `stops`.

    Keys are the names for the message ("the generator"), values networks or tensors.
    """
    for name, thing in {**reaches, **stops}.items():
        leaves = list(thing.parameters()) if isinstance(thing, nn.Module) else [thing]
        gradients = [None] * len(leaves)
        if isinstance(loss, Tensor) and loss.requires_grad:
            gradients = torch.autograd.grad(
                loss.sum(), leaves, retain_graph=True, allow_unused=True
            )
        arrives = any(g is not None and bool(g.abs().sum() > 0) for g in gradients)
        if name in reaches and not arrives:
            raise Wrong(
                f"no gradient reaches {name}; is something detached, or "
                "turned into a number, on the way?"
            )
        if name in stops and arrives:
            raise Wrong(
                f"a gradient reaches {name}, where it should stop; "
                "is a .detach() missing?"
            )
