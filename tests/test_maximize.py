"""Activation maximization: the ascent, its equations, and what it looks into."""

import pytest
import torch
from torch import nn

from t2i_course.inside.channels import ORDERS, agreement, channel_order
from t2i_course.inside.maximize import (
    Prior,
    gradient_ascent,
    layer_of,
    layers,
    maximize,
    of_units,
    operator_step,
    three_derivatives,
)
from t2i_course.inside.priors import (
    Fourier,
    Pixels,
    Views,
    alpha_norm,
    gaussian_blur,
    total_variation,
)

pytestmark = pytest.mark.usefixtures("one_thread")

SHAPE = (2, 3, 8, 8)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 5, 3), nn.Tanh(), nn.Conv2d(5, 4, 3), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(64, 6))


@pytest.fixture(scope="module")
def activation(network):
    """The sum of squares of a unit's row: not linear, and another for each picture."""
    return of_units(network, torch.tensor([1, 4]))


def linear(weights):
    """a = w . x for each picture (B,); weights: (B, C, H, W)."""
    return lambda x: (x * weights).flatten(1).sum(1)


def noise(shape=SHAPE, seed=0):
    """What pixels start from."""
    return Pixels().start(shape, torch.Generator().manual_seed(seed))


# the ascent ---------------------------------------------------------------------------


def test_without_priors_it_is_equation_2(activation):
    grown = maximize(activation, SHAPE, steps=5, step=0.01, normed=False)
    plain = gradient_ascent(activation, noise(), 0.01, 5)
    assert torch.allclose(grown.picture, plain, atol=1e-6)
    assert plain.abs().max() < 1  # nothing was cut off at the edges of the cube
    assert grown.activations.shape == (6, 2) and grown.steps.tolist() == [5, 5]
    assert torch.allclose(grown.activations[0], activation(noise()), atol=1e-6)
    assert torch.allclose(grown.activations[-1], activation(plain), atol=1e-6)
    assert (grown.activations.diff(dim=0) > 0).all()


def test_gradient_ascent_by_hand(activation):
    x = noise()
    by_hand = x.clone()
    for _ in range(3):
        by_hand.requires_grad_()
        (slope,) = torch.autograd.grad(activation(by_hand).sum(), by_hand)
        by_hand = (by_hand + 0.1 * slope).detach()
    assert torch.allclose(gradient_ascent(activation, x, 0.1, 3), by_hand)
    assert torch.equal(x, noise()) and not x.requires_grad
    assert torch.equal(gradient_ascent(activation, x, 0.1, 0), x)


def test_a_penalty_that_is_a_square_has_a_closed_form():
    """a - lambda |x|^2 is highest at w / (2 lambda), wherever it starts."""
    shape, weight = (2, 3, 2, 2), 9.0
    weights = 0.4 * torch.randn(shape, generator=torch.Generator().manual_seed(1))
    mean_of_squares = Prior(lambda x: alpha_norm(x, 2), weight)
    grown = maximize(linear(weights), shape, mean_of_squares, steps=200, step=0.2,
                     normed=False)  # fmt: skip
    strength = weight / 12  # alpha_norm is a mean over 12 numbers
    assert torch.allclose(grown.picture, weights / (2 * strength), atol=1e-5)
    assert grown.picture.abs().max() < 1


def test_a_linear_unit_alone_is_followed_to_the_edge():
    weights = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    grown = maximize(linear(weights), SHAPE, steps=400, step=0.5)
    steep = weights.abs() > 0.05
    assert torch.equal(grown.picture[steep], weights.sign()[steep])


@pytest.mark.parametrize("canvas", [Pixels(), Fourier()])
def test_a_step_has_its_length(activation, canvas):
    """Whatever the network's scale: the change's root mean square is the step."""
    lengths = []
    for scale in (1e-3, 1e3):
        start = canvas.start(SHAPE, torch.Generator().manual_seed(0))
        scaled = Recorded(canvas)
        maximize(lambda x, s=scale: s * activation(x), SHAPE, Prior(canvas=scaled),
                 steps=1, step=0.03)  # fmt: skip
        change = scaled.last - start
        lengths += change.flatten(1).square().mean(1).sqrt().tolist()
    assert lengths == pytest.approx([0.03] * 4, rel=1e-3)


class Recorded:
    """A canvas that keeps the last numbers it was given."""

    def __init__(self, canvas):
        self.start, self.picture = canvas.start, canvas.picture

    def kept(self, numbers):
        self.last = numbers
        return numbers


def test_the_penaltys_step_has_its_length_too():
    weights = torch.ones(SHAPE)
    grown = maximize(linear(weights), SHAPE, Prior(total_variation, 0.25), steps=1,
                     step=0.01)  # fmt: skip
    x = noise().requires_grad_()
    (slope,) = torch.autograd.grad(total_variation(x).sum(), x)
    slope = slope / slope.flatten(1).square().mean(1).sqrt().view(-1, 1, 1, 1)
    assert torch.allclose(grown.picture, x + 0.01 - 0.0025 * slope, atol=1e-5)


def test_a_gradient_of_nothing_moves_nothing():
    still = maximize(lambda x: 0 * x.sum((1, 2, 3)), SHAPE, steps=3)
    assert torch.equal(still.picture, noise())


def test_a_picture_that_has_reached_the_threshold_stays():
    weights = torch.ones(SHAPE)
    weights[1] *= 0.25
    unit = linear(weights)
    options = {"step": 0.01, "normed": False}
    grown = maximize(unit, SHAPE, steps=30, threshold=40.0, **options)
    first, second = grown.steps.tolist()
    assert 0 < first < 30 and second == 30
    course = grown.activations
    assert course.shape == (31, 2) and (course[first:, 0] >= 40).all()
    assert course[first - 1, 0] < 40 and (course[first:, 0] == course[-1, 0]).all()
    alone = maximize(unit, SHAPE, steps=first, **options).picture
    assert torch.equal(grown.picture[0], alone[0])
    ended = gradient_ascent(unit, noise(), 0.01, 30, threshold=40.0)
    assert torch.allclose(grown.picture, ended, atol=1e-6)


def test_when_all_have_reached_it_it_ends():
    seen, unit = [], linear(torch.ones(SHAPE))
    grown = maximize(lambda x: seen.append(1) or unit(x), SHAPE, steps=100, step=0.05,
                     threshold=30.0, moments=(0, 1, 50, 100))  # fmt: skip
    most = int(grown.steps.max())
    assert 1 < most < 10 and len(seen) == most + 2
    assert grown.activations.shape == (most + 1, 2)
    assert sorted(grown.moments) == [0, 1, 50, 100]
    assert torch.equal(grown.moments[50], grown.picture)
    assert not any(kept.requires_grad for kept in grown.moments.values())
    none = maximize(unit, SHAPE, steps=100, threshold=-1e9, moments=(0,))
    assert none.steps.tolist() == [0, 0] and none.activations.shape == (1, 2)
    assert torch.equal(none.moments[0], noise())


@pytest.mark.parametrize("canvas", [Pixels(), Fourier()])
def test_moments_are_shorter_runs(activation, canvas):
    prior = Prior(total_variation, views=Views(1, 5, 0.1), canvas=canvas)
    grown = maximize(activation, SHAPE, prior, steps=6, moments=[0, 2, 5, 6])
    for steps, kept in grown.moments.items():
        shorter = maximize(activation, SHAPE, prior, steps=steps)
        assert torch.equal(kept, shorter.picture) and not kept.requires_grad
    assert torch.equal(grown.moments[6], grown.picture)
    assert not torch.equal(grown.moments[5], grown.picture)


def test_the_last_activation_is_the_pictures_own(activation):
    prior = Prior(views=Views(2, 20, 0.2))
    grown = maximize(activation, SHAPE, prior, steps=4)
    assert torch.allclose(grown.activations[-1], activation(grown.picture))
    assert not torch.allclose(grown.activations[0], activation(noise()), atol=1e-5)


def test_an_operator_is_equation_5(activation):
    prior = Prior(operator=gaussian_blur)
    grown = maximize(activation, SHAPE, prior, steps=2, step=0.01, normed=False)
    by_hand = noise()
    for _ in range(2):
        by_hand = operator_step(activation, by_hand, gaussian_blur, 0.01)
    assert torch.allclose(grown.picture, by_hand, atol=1e-6)


def test_the_gradient_of_equation_5_is_at_x():
    x = torch.full((1, 1, 2, 2), 3.0)
    moved = operator_step(lambda x: x.square().sum((1, 2, 3)), x, lambda x: 0 * x, 0.5)
    assert torch.equal(moved, x) and not moved.requires_grad


def test_an_operator_needs_pixels(activation):
    prior = Prior(operator=gaussian_blur, canvas=Fourier())
    with pytest.raises(ValueError, match="works on pixels, not on another canvas"):
        maximize(activation, SHAPE, prior, steps=1)


def test_what_is_not_finite_is_told():
    def sudden(x):
        return x.sum((1, 2, 3)) / (x.abs().amax((1, 2, 3)) < 0.5)

    assert noise().abs().max() < 0.5
    with pytest.raises(ValueError, match=r"after [1-9]\d* steps an activation isn't"):
        maximize(sudden, SHAPE, steps=50, step=0.1)
    with pytest.raises(ValueError, match="after 0 steps an activation"):
        maximize(lambda x: x.sum((1, 2, 3)) * float("nan"), SHAPE, steps=1)
    with pytest.raises(ValueError, match="after 1 steps"):  # the last picture
        maximize(sudden, SHAPE, steps=1, step=9.0)


def test_the_network_is_left_as_it_is(network, activation):
    before = [p.clone() for p in network.parameters()]
    prior = Prior(total_variation, views=Views(1), canvas=Fourier())
    grown = maximize(activation, SHAPE, prior, steps=3)
    gradient_ascent(activation, noise(), 0.1, 2)
    operator_step(activation, noise(), gaussian_blur, 0.1)
    assert all(p.requires_grad and p.grad is None for p in network.parameters())
    assert all(torch.equal(p, q) for p, q in zip(network.parameters(), before))
    assert not grown.picture.requires_grad and not grown.activations.requires_grad


def test_a_seed_is_a_picture(activation):
    prior = Prior(views=Views(2, 10, 0.1), canvas=Fourier())
    one, same = (maximize(activation, SHAPE, prior, steps=3, seed=4) for _ in "ab")
    other = maximize(activation, SHAPE, prior, steps=3, seed=5)
    assert torch.equal(one.picture, same.picture)
    assert not torch.allclose(one.picture, other.picture, atol=1e-3)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    with torch.no_grad():
        again = maximize(activation, SHAPE, prior, steps=3, seed=4)
    assert torch.equal(one.picture, again.picture)
    assert torch.equal(before, torch.get_rng_state())


# what is maximized --------------------------------------------------------------------


def test_layers_are_named_with_their_shapes(network):
    found = layers(network, torch.zeros(1, 3, 8, 8))
    assert found == {"0": (5, 6, 6), "1": (5, 6, 6), "2": (4, 4, 4), "3": (64,),
                     "4": (6,)}  # fmt: skip
    assert not any(part._forward_hooks for part in network.modules())


def test_a_layer_is_found_by_its_name(network):
    pictures = torch.randn(SHAPE)
    assert torch.equal(layer_of(network, "2")(pictures), network[:3](pictures))
    assert not network[2]._forward_hooks
    for wrong in ("9", ""):
        with pytest.raises(KeyError, match="it has 0, 1, 2, 3, 4"):
            layer_of(network, wrong)
    with pytest.raises(RuntimeError):
        layer_of(network, "2")(torch.zeros(1, 4, 8, 8))
    assert not network[2]._forward_hooks


def test_units_are_chosen(network):
    pictures = torch.randn(SHAPE)
    rows, maps = network(pictures), network[:3](pictures)
    assert torch.equal(of_units(network, 2)(pictures), rows[:, 2])
    two = of_units(network, [5, 0])(pictures)
    assert torch.equal(two, torch.stack([rows[0, 5], rows[1, 0]]))
    for form, value in (
        ("softmax", rows.softmax(1)),
        ("log-softmax", rows.log_softmax(1)),
    ):
        assert torch.allclose(of_units(network, 2, form)(pictures), value[:, 2])
    look = layer_of(network, "2")
    whole, middle = (of_units(look, 3, centre=c)(pictures) for c in (False, True))
    assert torch.allclose(whole, maps[:, 3].mean((1, 2)))
    assert torch.equal(middle, maps[:, 3, 2, 2])
    with pytest.raises(ValueError, match="log-softmax, log-odds, not 'cooked'"):
        of_units(network, 0, "cooked")


def test_three_derivatives_are_autograds():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(7, 9), nn.Tanh(), nn.Linear(9, 5)).double()
    x = torch.randn(7, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(net, x)
    forms = [lambda a: a, lambda a: a.softmax(0), lambda a: a.log_softmax(0)]
    for unit in range(5):
        found = three_derivatives(net(x), jacobian, unit)
        for ours, form in zip(found, forms):
            y = x.clone().requires_grad_()
            (theirs,) = torch.autograd.grad(form(net(y))[unit], y)
            assert torch.allclose(ours, theirs, rtol=1e-10)


# the order of channels ----------------------------------------------------------------


@pytest.mark.parametrize("name", list(ORDERS))
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_order_of_channels_is_found_in_noise(name, seed):
    """Pictures that are dull, too bright in one channel, and noisy."""
    rng = torch.Generator().manual_seed(seed)
    palette = torch.rand(8, 3, generator=rng)
    order = ORDERS[name]
    assert "".join("RGB"[c] for c in order) == name
    shared = 3 * torch.randn(3, generator=rng)
    seen = 0.3 * palette[:, list(order)] + shared
    seen += 0.04 * torch.randn(8, 3, generator=rng)
    assert channel_order(seen, palette) == order
    assert agreement(seen, palette, order) > 0.7
    assert agreement(palette, palette, (0, 1, 2)) == pytest.approx(1)
