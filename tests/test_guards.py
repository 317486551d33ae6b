"""The guards of all exercises: each declares its promise, and is held to it."""

import ast
import copy
import json

import build_notebooks
import pytest
import torch
import torch.nn.functional as F
from test_checks import EXERCISES
from torch import Tensor, nn

from t2i_course.checks import core, guards, state
from t2i_course.checks.core import Promise, Wrong
from t2i_course.checks.slips import slip
from t2i_course.course_map import PLANNED

PLAIN = [task for task in EXERCISES if task.promise.returns not in ("round", "network")]


def named(task):
    return task.id


def floats(value):
    """Whether a gradient could go there."""
    if isinstance(value, nn.Module):
        return any(True for _ in value.parameters())
    return isinstance(value, Tensor) and value.is_floating_point()


# What an exercise declares ------------------------------------------------------------


def test_an_exercise_without_a_promise_is_none():
    with pytest.raises(TypeError, match="promise"):
        core.exercise("97.9", title="A new one", reference=len)
    with pytest.raises(ValueError, match="none of scalar"):
        Promise("a float", list)


@pytest.mark.parametrize("task", EXERCISES, ids=named)
def test_promise_is_complete(task):
    """Names every argument in order, and says of each where a gradient goes."""
    promise = task.promise
    calls = promise.calls()
    assert calls
    said = {*promise.gradient, *promise.stopped, *promise.either}
    inputs = set()
    for call in calls:
        inputs |= {name for name, value in call.items() if floats(value)}
    assert said >= inputs, f"where do gradients go? {sorted(inputs - said)}"
    assert said <= set().union(*calls), "a gradient of an argument that there isn't"
    first = core.judge(task, task.reference)
    assert first.status == "done", first.message


def signatures():
    """{exercise: its function's arguments}, as the lessons' own cells name them."""
    names = json.loads(build_notebooks.NAMES.read_text())
    found = {}
    for source in build_notebooks.sources():
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.FunctionDef):
                for id in names:
                    if names[id] == [node.name] and id[:2] == source.stem[:2]:
                        found[id] = [argument.arg for argument in node.args.args]
    return found


SIGNATURES = signatures()


@pytest.mark.parametrize("task", EXERCISES, ids=named)
def test_promise_uses_the_words_of_the_lesson(task):
    """A message names an argument as the learner's own cell does."""
    if task.id.split(".")[0] in PLANNED:
        pytest.skip("the lesson's text isn't written yet")
    for call in task.promise.calls():
        assert list(call) == SIGNATURES[task.id][: len(call)]


# Each exercise is held to it ----------------------------------------------------------


def changed_in_place(task, last=False):
    """Right, but a tensor of floats that comes in is changed on the way."""

    def answer(*arguments):
        made = task.reference(*copy.deepcopy(arguments))
        tensors = [x for x in arguments if isinstance(x, Tensor)]
        with torch.no_grad():
            tensors[-1 if last else 0].zero_()
        return made

    return answer


def then(task, change):
    """Right, and then `change` is done to each tensor that comes out."""

    def done(made):
        if isinstance(made, Tensor):
            return change(made)
        if isinstance(made, (list, tuple)):
            return type(made)(done(part) for part in made)
        return made

    return lambda *arguments: done(task.reference(*arguments))


def takes_tensors(task):
    calls = task.promise.calls()
    return any(isinstance(x, Tensor) for call in calls for x in call.values())


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("task", filter(takes_tensors, PLAIN), ids=named)
def test_inputs_stay_as_they_were(task, last):
    found = core.judge(task, changed_in_place(task, last))
    assert found.status == "wrong"
    assert "is changed by the call" in found.message or last, found.message


def tensors_come_out(task):
    return task.promise.returns in ("scalar", "tensor", "tensors")


@pytest.mark.parametrize("task", filter(tensors_come_out, PLAIN), ids=named)
def test_a_tensor_is_no_array_and_no_float(task):
    for change in (lambda x: x.detach().numpy(), lambda x: x.tolist()):
        found = core.judge(task, then(task, change))
        assert found.status == "wrong"
        assert "tensor" in found.message, found.message


@pytest.mark.parametrize("task", filter(tensors_come_out, PLAIN), ids=named)
def test_the_type_of_numbers_stays(task):
    def other(x):
        return x.double() if x.dtype == torch.float32 else x.float()

    found = core.judge(task, then(task, other))
    believed = "done" if task.promise.any_float else "wrong"
    assert found.status == believed, found.message or "another dtype is believed"


@pytest.mark.parametrize(
    "task", [t for t in EXERCISES if t.promise.gradient and t in PLAIN], ids=named
)
def test_a_detached_result_is_found(task):
    for change in (
        lambda x: x.detach(),
        lambda x: x.detach().clone().requires_grad_(),
        lambda x: x * 0.5 + x.detach() * 0.5,
    ):
        found = core.judge(task, then(task, change))
        assert found.status == "wrong", "a detached result is believed"


@pytest.mark.parametrize("task", EXERCISES, ids=named)
def test_each_input_is_needed_for_the_gradient(task):
    """An answer that detaches one input, wholly, is found; its name is said."""
    for name in task.promise.gradient if task in PLAIN else ():
        position = list(task.promise.calls()[0]).index(name)

        def answer(*arguments, position=position):
            arguments = list(arguments)
            if isinstance(arguments[position], Tensor):
                arguments[position] = arguments[position].detach()
            else:
                arguments[position] = copy.deepcopy(arguments[position])
            return task.reference(*arguments)

        if task.promise.random:
            continue
        found = core.judge(task, answer)
        assert found.status == "wrong", f"{name} may be detached"


# The guards themselves, on small promises ---------------------------------------------


def held(answer, reference=None, **promise):
    """What the guards say of an answer; "" where they believe it."""
    promise = {"returns": "scalar", "gradient": ("x",), **promise}
    promise.setdefault("calls", lambda: [{"x": torch.linspace(-1.0, 1.0, 6)}])
    try:
        guards.keep(Promise(**promise), answer, reference or answer)
    except Wrong as wrong:
        return str(wrong)
    return ""


def loss(x):
    return F.softplus(x).mean() + x.square().mean()


def half_detached(x):
    return F.softplus(x).mean() + x.detach().square().mean()


def backward_inside(x):
    found = loss(x)
    if found.requires_grad:
        found.backward(retain_graph=True)
    return found


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        (loss, ""),
        (lambda x: loss(x).item(), "A plain number has no gradient"),
        (lambda x: loss(x).detach().numpy(), "NumPy array"),
        (lambda x: loss(x).double(), "is of type float64, not float32"),
        (lambda x: loss(x).float(), "is of type float32, not float64"),
        (half_detached, "only a part of its gradient comes back to `x`"),
        (lambda x: loss(x.detach()), "no gradient comes back to `x`"),
        (lambda x: loss(x) + 0 * x.abs().sqrt().sum(), ""),
        (lambda x: loss(x) + 0 * (x * 0).sqrt().sum(), "is not finite"),
        (lambda x: loss(x + torch.zeros(6)), "on a GPU this would stop"),
        (lambda x: loss(x.add_(1.0)), "`x` is changed by the call"),
    ],
)
def test_guards_of_a_loss(answer, part):
    said = held(answer, loss)
    assert part in said and bool(part) == bool(said), said


def test_every_shape_is_tried():
    shapes = [(6,), (1000, 1)]

    def calls():
        return [{"x": torch.ones(shape)} for shape in shapes]

    def for_vectors(x):
        return F.binary_cross_entropy_with_logits(x, x.new_ones(len(x)))

    def reference(x):
        return F.softplus(-x).mean()

    said = held(for_vectors, reference, calls=calls)
    assert "(1000, 1), which a later cell passes" in said


def test_tuples_of_tensors_are_watched():
    def calls():
        return [{"x": (torch.tensor(1.0), torch.tensor(2.0))}]

    def reference(x):
        return x[0] + 3 * x[1]

    def moved_on(x):
        return x[0] + 3 * x[1].add_(1)

    assert (
        held(lambda x: torch.stack([x[0], 3 * x[1]]).sum(), reference, calls=calls)
        == ""
    )
    for answer, part in ((lambda x: x[0] + 3 * x[1].item(), "only a part"),
                         (lambda x: (x[0] + 3 * x[1]).detach(), "no gradient comes"),
                         (moved_on, "`x` is changed")):  # fmt: skip
        assert part in held(answer, reference, calls=calls)


def test_a_tensor_of_true_and_false_may_be_promised():
    def reference(x):
        return x > 0

    promise = {"returns": "tensor", "gradient": (), "either": ("x",)}
    assert held(lambda x: ~(x <= 0), reference, **promise) == ""
    assert "wrong values" in held(lambda x: x >= -0.3, reference, **promise)


def test_networks_are_left_alone():
    def calls():
        return [{"network": nn.Linear(2, 1), "x": torch.ones(3, 2)}]

    def reference(network, x):
        return network(x).mean()

    def freezing(network, x):
        network.requires_grad_(False)
        return network(x).mean()

    def stepping(network, x):
        reference(network, x).backward()
        return reference(network, x)

    def switching(network, x):
        return network.eval()(x).mean()

    promise = {"calls": calls, "gradient": ("network",), "stopped": ("x",)}
    assert held(reference, **{**promise, "stopped": (), "either": ("x",)}) == ""
    assert "a gradient reaches `x`" in held(reference, **promise)
    for answer, part in ((freezing, "no longer learns"), (stepping, "gradients lie"),
                         (switching, "another mode")):  # fmt: skip
        assert part in held(answer, reference, **promise)


def test_difference_looks_inside():
    things = {"a": [torch.zeros(2)], "n": nn.Linear(1, 1), "f": len, "i": 3}
    before = state.of(things)
    assert state.difference(before, state.of(things)) == ""
    things["a"][0][1] = 1
    assert state.difference(before, state.of(things)) == "values"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda x: -x, "sign turned round"),
        (lambda x: 2 * x, "twice the right value"),
        (lambda x: x + 3, "off by the same amount"),
        (lambda x: x.flip(0), "stand in other places"),
        (lambda x: x.mean().expand_as(x), "All of them are alike"),
        (lambda x: x**2, "No slip that we know"),
    ],
)
def test_the_likeliest_slip_is_said(change, part):
    values = torch.tensor([0.3, 1.7, -2.0, 5.0], dtype=torch.float64)
    assert part in slip(change(values), values)


def test_one_number_is_no_evidence_of_a_factor():
    """Any number is a multiple of any other: only the usual factors are named."""
    one = torch.tensor(3.0, dtype=torch.float64)
    assert "half of" in slip(one / 2, one)
    assert "No slip that we know" in slip(one * 1.37, one)
