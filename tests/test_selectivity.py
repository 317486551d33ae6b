"""Selective units: three forms of what is maximized, on layers with closed forms."""

import pytest
import torch

from t2i_course.inside.maximize import Prior, maximize, of_units, three_derivatives
from t2i_course.inside.priors import Fourier, Pixels
from t2i_course.measure.selectivity import at_the_start, grown_of_units, selectivity

pytestmark = pytest.mark.usefixtures("one_thread")

SHAPE = (3, 4, 4)
UNITS = torch.tensor([2, 0, 4])


def linear(scale=1.0, offset=None, count=5):
    """A layer of `count` units, and its weights (count, 48); offset: of the rows."""
    weights = torch.randn(count, 48, generator=torch.Generator().manual_seed(1)) * scale
    more = 0.0 if offset is None else offset
    return (lambda pictures: pictures.flatten(1) @ weights.T + more), weights


def start(seed=3, count=3):
    """What pixels begin with, (count, 48)."""
    rng = torch.Generator().manual_seed(seed)
    return Pixels().start((count, *SHAPE), rng).flatten(1)


def rms(x):
    return x.square().mean(1).sqrt()


# at the start -------------------------------------------------------------------------


def test_shares_and_slopes_at_the_start_in_closed_form():
    layer, weights = linear()
    shares = (start() @ weights.T).softmax(1)
    own, mean = weights[UNITS], shares @ weights
    share = shares.gather(1, UNITS[:, None])
    expected = {"raw": own, "softmax": share * (own - mean), "log-softmax": own - mean}
    for form, slope in expected.items():
        found = at_the_start(layer, UNITS, SHAPE, Prior(), 3, form)
        assert torch.allclose(found[0], share[:, 0], atol=1e-6)
        assert torch.allclose(found[1], rms(slope), rtol=1e-4)
        assert not found[0].requires_grad


def test_slopes_are_those_of_the_slides_table():
    """The other derivation: `three_derivatives`, for each picture with its own unit."""
    layer, weights = linear()
    slopes = [three_derivatives(row, weights, unit)
              for row, unit in zip(layer(start()), UNITS.tolist())]  # fmt: skip
    for i, form in enumerate(("raw", "softmax", "log-softmax")):
        _, found = at_the_start(layer, UNITS, SHAPE, Prior(), 3, form)
        expected = rms(torch.stack([three[i] for three in slopes]))
        assert torch.allclose(found, expected, rtol=1e-4)


def test_a_tiny_share_leaves_the_softmax_without_a_slope():
    """Its slope is the logarithm's times the share: here e^-40 of it."""
    layer, _ = linear(offset=torch.tensor([0.0, 40, 0, 0, 0]))
    share, slope = at_the_start(layer, UNITS, SHAPE, Prior(), 3, "softmax")
    _, logarithm = at_the_start(layer, UNITS, SHAPE, Prior(), 3, "log-softmax")
    assert share.max() < 1e-14 and logarithm.min() > 0.5
    assert torch.allclose(slope, share * logarithm, rtol=1e-3)


def test_other_canvases_have_slopes_by_their_numbers():
    layer, _ = linear()
    prior = Prior(canvas=Fourier())
    share, slope = at_the_start(layer, UNITS, SHAPE, prior, 3, "raw")
    rng = torch.Generator().manual_seed(3)
    numbers = prior.canvas.start((3, *SHAPE), rng)

    def values(some):
        pictures = prior.canvas.picture(some.view_as(numbers))
        return layer(pictures).gather(1, UNITS[:, None])[:, 0]

    jacobian = torch.autograd.functional.jacobian(values, numbers.flatten(1))
    own = jacobian[torch.arange(3), torch.arange(3)]
    assert torch.allclose(slope, rms(own), rtol=1e-4)
    rows = layer(prior.canvas.picture(numbers))
    assert torch.allclose(share, rows.softmax(1).gather(1, UNITS[:, None])[:, 0])


# the first move -----------------------------------------------------------------------


def moved(layer, form, normed, steps=1, step=0.02):
    """How a picture differs from what it began with, (3, 48)."""
    pictures = grown_of_units(layer, UNITS, SHAPE, Prior(), form, steps=steps,
                              step=step, seed=3, normed=normed)  # fmt: skip
    return pictures.flatten(1) - start()


def test_plain_steps_of_a_softmax_stand_still_and_normed_ones_do_not():
    layer, _ = linear(offset=torch.tensor([0.0, 15, 0, 0, 0]))
    plain = {form: moved(layer, form, False) for form in ("softmax", "log-softmax")}
    assert rms(plain["softmax"]).max() < 1e-5 * rms(plain["log-softmax"]).min()
    normed = {form: moved(layer, form, True) for form in ("softmax", "log-softmax")}
    for change in normed.values():
        assert torch.allclose(rms(change), torch.full((3,), 0.02), rtol=1e-2)
    alike = torch.cosine_similarity(normed["softmax"], normed["log-softmax"])
    assert alike.min() > 0.999
    raw = moved(layer, "raw", True)
    alike = torch.cosine_similarity(raw, normed["log-softmax"])
    assert alike.max() < 0.9  # the logarithm also goes away from the other


def test_groups_are_each_of_one_noise():
    """A group at a time equals `maximize` a group at a time, with the same seed."""
    layer, _ = linear(count=7)
    units, more = torch.arange(7), {"steps": 3, "step": 0.1, "seed": 5}
    found = grown_of_units(layer, units, SHAPE, Prior(), "raw", part=3, **more)
    each = []
    for some in ([0, 1, 2], [3, 4, 5], [6]):
        activation = of_units(layer, torch.tensor(some))
        each.append(maximize(activation, (len(some), *SHAPE), Prior(), **more).picture)
    assert found.shape == (7, *SHAPE) and torch.equal(found, torch.cat(each))


def test_one_by_one_each_begins_with_the_same_noise():
    layer, _ = linear()
    more = {"steps": 2, "step": 0.1, "seed": 5}
    found = grown_of_units(layer, torch.tensor([1, 1, 3]), SHAPE, Prior(), "raw",
                           part=1, **more)  # fmt: skip
    alone = maximize(of_units(layer, 1), (1, *SHAPE), Prior(), **more).picture
    assert torch.equal(found[0], found[1]) and torch.equal(found[:1], alone)
    assert not torch.equal(found[0], found[2])
    together = grown_of_units(layer, torch.tensor([1, 1]), SHAPE, Prior(), "raw",
                              **more)  # fmt: skip
    assert not torch.equal(together[0], together[1])  # one noise has two pictures


# all of it ----------------------------------------------------------------------------


def test_figures_of_a_linear_layer_in_closed_form():
    """Nothing moves in no steps: all that is measured is known of the start."""
    layer, weights = linear()
    judge, others = linear(count=5, scale=-1.0)
    found = selectivity(layer, UNITS, SHAPE, Prior(), "raw", True, steps=0, seed=3,
                        judge=judge)  # fmt: skip
    rows = start() @ weights.T
    own = rows.gather(1, UNITS[:, None])[:, 0]
    rest = rows.scatter(1, UNITS[:, None], -torch.inf).amax(1)
    expected = {
        "first": (own > rest).float().mean(),
        "lead": (own - rest).mean(),
        "activation": own.mean(),
        "share at the start": rows.softmax(1).gather(1, UNITS[:, None]).mean(),
        "gradient at the start": rms(weights[UNITS]).mean(),
        "first, the other": (rows.argmin(1) == UNITS).float().mean(),
    }
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(float(value), rel=1e-4, abs=1e-6)
    assert torch.equal(others, -weights)
    found = selectivity(layer, UNITS, SHAPE, Prior(), "raw", True, steps=0, seed=3)
    assert "first, the other" not in found


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_plain_steps_begin_with_the_length_that_is_asked(scale):
    """One epsilon_1 for all forms: raw's first step has the length, in the mean."""
    layer, weights = linear(scale)
    found = selectivity(layer, UNITS, SHAPE, Prior(), "raw", False, steps=1, step=0.02,
                        seed=3)  # fmt: skip
    epsilon = 0.02 / rms(weights[UNITS]).mean()
    after = start() + epsilon * weights[UNITS]
    expected = (after @ weights.T).gather(1, UNITS[:, None]).mean()
    assert found["activation"].item() == pytest.approx(expected.item(), rel=1e-3)


def test_the_logarithm_makes_units_selective_where_a_neighbour_is_steeper():
    """Unit 1 goes the same way as unit 0, but faster: only (AM-11) leaves it behind.

    The raw activation of unit 0 lifts unit 1 above it. Its softmax's logarithm turns
    towards where unit 1 falls.
    """
    way, other = torch.zeros(2, 48)
    way[:24], other[24:] = 1.0, 1.0
    weights = torch.stack([way, 1.5 * way + other, torch.zeros(48)])

    def layer(pictures):
        return pictures.flatten(1) @ weights.T

    found, unit, more = {}, torch.tensor([0]), {"steps": 60, "step": 0.05, "seed": 0}
    for form in ("raw", "log-softmax"):
        found[form] = selectivity(layer, unit, SHAPE, Prior(), form, True, **more)
    assert found["raw"]["first"] == 0 and found["raw"]["lead"] < -5
    assert found["log-softmax"]["first"] == 1 and found["log-softmax"]["lead"] > 5
    assert found["raw"]["activation"] >= found["log-softmax"]["activation"]
