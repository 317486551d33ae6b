"""What every answer owes, whatever its exercise: the guards behind each check.

An exercise declares what an answer promises, in its decorator::

    promise=Promise(
        "scalar",
        lambda: [
            {"real_logits": normal(6), "fake_logits": normal(6, seed=2)},
            {"real_logits": normal(1000, 1), "fake_logits": normal(1000, 1, seed=2)},
        ],
        gradient=("real_logits", "fake_logits"),
    )

The calls are dicts in the order of the arguments, one for every shape that the lesson
passes. `keep` holds an answer to its promise by trying it on them beside the course's
own version: inputs left as they were, the promised type, shape and dtype, on the
device of the inputs, and each gradient as the course's version has it. A term that was
detached on the way is found by that, for the gradient is not the same then.

Devices are tried without one: torch's "meta" tensors have a shape and a device but no
numbers, and refuse to meet a tensor that was left on the CPU, as a GPU's do. What needs
numbers on the way (`.item()`, a loop over values) can't be tried so and passes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from . import state
from .compare import Wrong, agree, fresh, in_words
from .slips import slip

__all__ = ["RETURNS", "Promise", "keep", "keep_basics"]

RETURNS = {
    "scalar": "a tensor with one number, shape ()",
    "number": "one number: a float, or a tensor of shape ()",
    "tensor": "a tensor",
    "tensors": "a list or tuple of tensors",
    "numbers": "a list or tuple of numbers",
    "dict": "a dict",
    "round": "a Python generator that yields (player, loss)",
    "network": "the network that it was given, changed in place",
    "class": "a network (the answer is its class)",
}
LONGEST = 50  # turns of a round that is played
APART = 0.02  # a gradient that differs by more, relative to its length, is another


@dataclass(frozen=True)
class Promise:
    """What an answer hands back, and where its gradients go.

    returns: a key of `RETURNS`. calls(): dicts {argument: value}, in order, small ones
    first; one for every shape that the lesson passes. `gradient` names the arguments
    (tensors, tuples of them, networks) that get one, `stopped` those that must not,
    `either` those where it does not matter; together all networks and tensors of floats
    among the arguments. `random`: the answer draws numbers, so that only shapes and the
    presence of gradients can be compared. `in_place` names arguments that it may
    change. double: tensors of float64 give float64. any_float: a result of floats may
    have any precision, whatever comes in. anywhere: it may run on a GPU.
    """

    returns: str
    calls: Callable[[], Sequence[Mapping[str, Any]]]
    gradient: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    in_place: tuple[str, ...] = ()
    random: bool = False
    double: bool = True
    any_float: bool = False
    anywhere: bool = True

    def __post_init__(self) -> None:
        if self.returns not in RETURNS:
            raise ValueError(f"{self.returns!r} is none of {', '.join(RETURNS)}")


def keep(promise: Promise, answer: Any, reference: Any) -> None:
    """Raises `Wrong` where the answer breaks its promise, in words for the learner."""
    if promise.returns == "class":
        answer, reference = answer(), reference()
    cases = [
        _Case(promise, answer, reference, call, number)
        for number, call in enumerate(promise.calls())
    ]
    for case in cases:
        _beside_the_reference(case)
    for case in cases if promise.returns not in ("network", "round") else ():
        if promise.double:
            _in_double(case)
        if promise.anywhere:
            _on_the_inputs_device(case)
        _expect_gradients(case)


def keep_basics(promise: Promise, answer: Any) -> None:
    """Raises `Wrong` if the first call changes its inputs or gives no tensor.

    For an answer that its check found wrong; says nothing of one that stops.
    """
    if promise.returns in ("class", "network") or not callable(answer):
        return
    case = _Case(promise, answer, None, promise.calls()[0], 0)
    try:
        given = fresh(dict(case.call))
        before = {name: state.of(value) for name, value in given.items()}
        got = case.run(answer, given)
    except Exception:
        return
    _expect_unchanged(case, before, given)
    if isinstance(got, Tensor) and not promise.any_float:
        _expect_no_double(got, case.call)
    elif got is not None and promise.returns != "round":
        _expect_kind(got, promise.returns)


def _expect_no_double(got: Tensor, call: Mapping[str, Any]) -> None:
    """float32 in, float32 out: what a check that stops would say less clearly."""
    types = {x.dtype for x in call.values() if isinstance(x, Tensor)}
    if (
        got.dtype == torch.float64
        and torch.float64 not in types
        and torch.float32 in types
    ):
        raise Wrong(_other_type("the result", torch.float32, got.dtype, "float32"))


@dataclass(frozen=True)
class _Case:
    """One call of an answer, beside the course's own version."""

    promise: Promise
    answer: Any
    reference: Any
    call: Mapping[str, Any]
    number: int

    def run(self, function: Callable, arguments: Mapping[str, Any]) -> Any:
        """The result from a fixed seed; a round is played to its end."""
        torch.manual_seed(self.number)
        made = function(*arguments.values())
        return list(islice(made, LONGEST)) if _is_round(made) else made

    def shapes(self) -> str:
        """ "(6,) and (6,)": the shapes of the arguments, for a message."""
        sizes = [tuple(x.shape) for x in self.call.values() if isinstance(x, Tensor)]
        return " and ".join(map(str, sizes)) or "other values"


def _is_round(made: Any) -> bool:
    return hasattr(made, "__next__")


def _beside_the_reference(case: _Case) -> None:
    """Inputs unchanged; type, shape, dtype and values as the course's version has."""
    got, want = _first_run(case)
    if case.promise.returns != "network":
        _expect_like(got, want, case)


def _first_run(case: _Case) -> tuple[Any, Any]:
    """Both results; the answer's inputs must be as they were."""
    given = fresh(dict(case.call))
    before = {name: state.of(value) for name, value in given.items()}
    try:
        got = case.run(case.answer, given)
    except Exception as error:
        if case.number == 0 or isinstance(error, Wrong):
            raise
        raise Wrong(
            _not_for_this(case, f"it stops there with {error!s:.150}")
        ) from None
    _expect_unchanged(case, before, given)
    try:
        _expect_kind(got, case.promise.returns)
    except Wrong as wrong:
        said = str(wrong)
        raise Wrong(_not_for_this(case, said) if case.number else said) from None
    return got, case.run(case.reference, fresh(dict(case.call)))


def _expect_unchanged(case: _Case, before: Mapping, given: Mapping) -> None:
    """Only the values of what the answer may change in place can differ."""
    for name, value in given.items():
        may = ("values",) if name in case.promise.in_place else ()
        changed = state.difference(before[name], state.of(value), may)
        if changed:
            raise Wrong(_changed(name, changed, isinstance(value, list)))


def _changed(name: str, what: str, is_list: bool = False) -> str:
    if what == "grad":
        return (
            f"after the call gradients lie in `{name}`: the function only works out a "
            "result, and the training's loop calls .backward(). Take that out, or use "
            "torch.autograd.grad, which leaves nothing behind."
        )
    if what == "requires_grad":
        return (
            f"after the call `{name}` no longer learns as before: requires_grad was "
            "switched, and stays so for all cells that follow. Use torch.no_grad() "
            "or .detach() instead."
        )
    if what == "training":
        return (
            f"after the call `{name}` is in another mode: .train() or .eval() was "
            "called, and stays so for all cells that follow. Leave the mode alone."
        )
    way = f"(+=, *=, .add_(), `{name}[...] = ...`)? Make a new tensor, or work on "
    way += f"{name}.clone()."
    if is_list:
        way = f"(.pop(), .append(), .reverse())? Work on a copy of it: list({name})."
    return (
        f"the result may be right, but `{name}` is changed by the call, so later cells "
        f"would go on with another one. Is something done in place {way}"
    )


def _expect_kind(got: Any, returns: str) -> None:
    """The promised type of thing: a tensor, not a float or an array."""
    number = isinstance(got, (int, float, np.number)) and not isinstance(got, bool)
    fits = {
        "scalar": isinstance(got, Tensor) and got.ndim == 0,
        "number": number or (isinstance(got, Tensor) and got.ndim == 0),
        "tensor": isinstance(got, Tensor),
        "tensors": isinstance(got, (list, tuple)),
        "numbers": isinstance(got, (list, tuple)),
        "dict": isinstance(got, dict),
        "round": isinstance(got, list) or _is_round(got),
    }
    if fits.get(returns, True):
        return
    slip = ""
    if returns in ("scalar", "tensor") and isinstance(got, np.ndarray | np.generic):
        slip = (
            " Leave .numpy() out: an array has no gradient, and later cells need one."
        )
    elif returns in ("scalar", "tensor") and number:
        slip = (
            " Is a .item(), float() or math function in it? A plain number has no "
            "gradient, and later cells call .item() themselves: stay with torch."
        )
    elif returns in ("scalar", "tensor") and isinstance(got, (list, tuple)):
        slip = " Does more stand behind `return`, a comma at its end, or a .tolist()?"
    elif returns in ("tensors", "numbers"):
        slip = " Hand them back side by side: return one, other."
    raise Wrong(f"{RETURNS[returns]} is promised, but this is {_words(got)}.{slip}")


def _words(got: Any) -> str:
    if isinstance(got, np.ndarray | np.generic):
        return f"a NumPy array of shape {np.shape(got)}"
    return in_words(got)


def _expect_like(got: Any, want: Any, case: _Case, what: str = "the result") -> None:
    """Shapes, dtypes and (unless it draws lots) values of the course's version."""
    if isinstance(want, Tensor):
        _expect_tensor_like(got, want, case, what)
    elif isinstance(want, dict):
        if not isinstance(got, dict) or set(got) != set(want):
            raise Wrong(f"{what} should be a dict of {sorted(map(str, want))}.")
        for key in want:
            _expect_like(got[key], want[key], case, f"{what}[{key!r}]")
    elif isinstance(want, (list, tuple)) and case.promise.returns != "round":
        if not isinstance(got, (list, tuple)) or len(got) != len(want):
            raise Wrong(f"{what} should be {len(want)} things, but is {in_words(got)}.")
        for i, (g, w) in enumerate(zip(got, want)):
            _expect_like(g, w, case, f"part {i + 1} of {what}")


def _expect_tensor_like(got: Any, want: Tensor, case: _Case, what: str) -> None:
    if not isinstance(got, Tensor):
        if case.promise.returns in ("number", "numbers") and want.ndim == 0:
            return
        raise Wrong(f"{what} should be a tensor, but is {_words(got)}.")
    if got.shape != want.shape:
        raise Wrong(
            _not_for_this(
                case,
                f"there {what} should have shape {tuple(want.shape)}, but has "
                f"{tuple(got.shape)}",
            )
        )
    free = case.promise.returns == "number" or (
        case.promise.any_float and got.is_floating_point() and want.is_floating_point()
    )
    if not free and got.dtype != want.dtype:
        raise Wrong(_other_type(what, want.dtype, got.dtype, "float32"))
    if not case.promise.random and not agree(got, want, *_loosely(want)):
        raise Wrong(_other_values(case, what, got, want))


def _loosely(want: Tensor) -> tuple[float, float]:
    """(atol, rtol): float32, and two right formulas that round differently."""
    largest = float(want.detach().double().abs().max()) if want.numel() else 0.0
    return 1e-3 * max(largest, 1e-3), 1e-3


def _not_for_this(case: _Case, said: str) -> str:
    return (
        f"it is not right for inputs of shape {case.shapes()}, which a later cell "
        f"passes: {said}. Does the code take a number of axes or a size for granted? "
        "Let it follow the shape of what comes in."
    )


def _other_values(case: _Case, what: str, got: Tensor, want: Tensor) -> str:
    """Right where the check looked first, but not on this call."""
    first = case.promise.calls()[0]
    left_out = [f"`{name}`" for name in first if name not in case.call]
    if left_out:
        return (
            f"{what} is not right where {' and '.join(left_out)} is left out, as a "
            "later cell does: keep the default that the exercise's first line has."
        )
    likely = slip(got.detach().double(), want.detach().double())
    if case.number == 0:
        return f"for other numbers of the same shape {what} has wrong values. {likely}"
    return _not_for_this(case, f"there {what} has other values")


def _other_type(what: str, want: torch.dtype, got: torch.dtype, given: str) -> str:
    whole = not want.is_floating_point
    slip = (
        "a number that is to index or count must be whole: .long()"
        if whole
        else f"for inputs of {given} it should be that too; a tensor made inside "
        "(torch.zeros, torch.tensor, torch.linspace, .double()) has a type of its own: "
        "torch.zeros_like(x) or dtype=x.dtype follow the input"
    )
    return f"{what} is of type {str(got)[6:]}, not {str(want)[6:]}: {slip}."


# -------------------------------------------------------------- float64, other devices


def _moved(value: Any, **to: Any) -> Any:
    """Tensors of floats and networks in another dtype, or all tensors elsewhere."""
    if isinstance(value, nn.Module):
        return fresh(value).to(**to)
    if isinstance(value, Tensor) and ("device" in to or value.is_floating_point()):
        return value.detach().to(**to).requires_grad_(value.requires_grad)
    if type(value) is tuple:
        return tuple(_moved(part, **to) for part in value)
    return fresh(value)


def _in_double(case: _Case) -> None:
    """Inputs of float64 give float64, to the digits that it has."""
    given = {name: _moved(x, dtype=torch.float64) for name, x in case.call.items()}
    want = case.run(case.reference, fresh(given))
    try:
        got = case.run(case.answer, given)
    except RuntimeError as error:
        raise Wrong(
            "it works for float32, but stops for inputs of float64, which cells that "
            f"compute exactly pass ({str(error).splitlines()[0][:120]}). A tensor made "
            "inside should follow the input: torch.zeros_like(x), or dtype=x.dtype."
        ) from None
    parts = zip(got, want) if isinstance(want, (list, tuple)) else [(got, want)]
    for g, w in parts:
        tensors = isinstance(g, Tensor) and isinstance(w, Tensor)
        if tensors and g.dtype != w.dtype and case.promise.returns != "number":
            raise Wrong(_other_type("the result", w.dtype, g.dtype, "float64"))


TWO_DEVICES = re.compile(r"not on the expected device|on the same device", re.I)


def _on_the_inputs_device(case: _Case) -> None:
    """Tensors made inside must lie where the inputs do; tried on torch's "meta"."""
    if not any(isinstance(x, Tensor) for x in case.call.values()):
        return
    given = {name: _moved(x, device="meta") for name, x in case.call.items()}
    slip = (
        "the values are right; only on a GPU this would stop: a tensor made inside "
        "lies on the CPU, while the inputs lie on the GPU. torch.zeros_like(x), "
        "x.new_zeros(...) or device=x.device (torch.eye and torch.arange take it, "
        "too) follow the input."
    )
    try:
        got = case.run(case.answer, given)
    except Exception as error:
        if TWO_DEVICES.search(str(error)):
            raise Wrong(slip) from None
        return  # it needs numbers, or torch can't do this one without: nothing learned
    if isinstance(got, Tensor) and got.device.type != "meta" and got.ndim:
        raise Wrong(slip)


# ----------------------------------------------------------------------- gradients


def _leaves(value: Any) -> list[Tensor]:
    if isinstance(value, nn.Module):
        return list(value.parameters())
    return list(value) if isinstance(value, tuple) else [value]


def _gradients(case: _Case, function: Callable) -> dict[str, Tensor | None]:
    """{argument: the gradient that arrives there, all in one vector, or None}."""
    given = fresh(dict(case.call))
    watched = {*case.promise.gradient, *case.promise.stopped} & set(given)
    for name in watched:
        for leaf in () if isinstance(given[name], nn.Module) else _leaves(given[name]):
            leaf.requires_grad_()
    made = case.run(function, given)
    total = _weighed(made)
    found: dict[str, Tensor | None] = dict.fromkeys(watched)
    if total is None or not total.requires_grad:
        return found
    for name in watched:
        parts = torch.autograd.grad(
            total, _leaves(given[name]), retain_graph=True, allow_unused=True
        )
        parts = [
            torch.zeros_like(leaf) if part is None else part
            for part, leaf in zip(parts, _leaves(given[name]))
            if part is not None or not isinstance(given[name], Tensor)
        ]
        if parts:
            found[name] = torch.cat([part.flatten() for part in parts])
    return found


def _weighed(made: Any) -> Tensor | None:
    """A sum of all that came out, each number with a weight of its own."""
    parts = made if isinstance(made, (list, tuple)) else [made]
    total = None
    for part in parts:
        if not isinstance(part, Tensor) or not part.is_floating_point():
            continue
        weights = 1 + torch.linspace(0, 1, part.numel()).view(part.shape).to(part)
        one = (part * weights).sum()
        total = one if total is None else total + one
    return total


def _expect_gradients(case: _Case) -> None:
    promise = case.promise
    if not promise.gradient and not promise.stopped:
        return
    got = _gradients(case, case.answer)
    want = _gradients(case, case.reference)
    missing = [name for name in promise.gradient if name in got and _is_none(got[name])]
    missing = [name for name in missing if not _is_none(want[name])]
    if missing:
        where = " and ".join(f"`{name}`" for name in missing)
        raise Wrong(
            f"the value is right, but no gradient comes back to {where}: is something "
            "detached on the way (.detach(), no_grad), rounded, or turned into a plain "
            "number (.item(), float())?"
        )
    for name in promise.stopped:
        if not _is_none(got.get(name)):
            raise Wrong(
                f"the value is right, but a gradient reaches `{name}`, where it should "
                "stop; is a .detach() or a torch.no_grad() missing?"
            )
    if promise.random:
        return
    for name in promise.gradient:
        if name in got and not _same(got[name], want[name]):
            raise Wrong(_partly(name, got[name], want[name]))


def _is_none(gradient: Tensor | None) -> bool:
    return gradient is None or not bool((gradient != 0).any())


def _same(got: Tensor | None, want: Tensor | None) -> bool:
    if _is_none(got) or _is_none(want):
        return _is_none(got) == _is_none(want)
    return bool((got - want).norm() <= APART * want.norm() + 1e-9)


def _partly(name: str, got: Tensor, want: Tensor) -> str:
    """The gradient that arrives is another one than the value has."""
    if not bool(got.isfinite().all()):
        return (
            f"the value is right, but the gradient that comes back to `{name}` is not "
            "finite: is there a root or a log of 0, or a division by 0, on the way?"
        )
    return (
        f"the value is right, but only a part of its gradient comes back to `{name}`, "
        "or another one: is one of the terms detached, worked out under no_grad, or "
        "turned into a plain number on the way? Every part that depends on "
        f"`{name}` must stay attached, unless the text says otherwise."
    )
