"""Priors of lesson 17: penalties, operators, views and canvases."""

import math

import numpy as np
import pytest
import torch

from t2i_course.inside import priors
from t2i_course.inside.priors import (
    PHOTOGRAPHS,
    Fourier,
    Pixels,
    Views,
    alpha_norm,
    bilateral,
    colour_axes,
    frequencies,
    gaussian_blur,
    spectrum_to_picture,
    total_variation,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


# penalties ----------------------------------------------------------------------------


def test_total_variation_is_a_loop():
    pictures = torch.randn(2, 3, 4, 6, generator=rng())
    for picture, found in zip(pictures, total_variation(pictures)):
        right, below = [], []
        for channel in picture.tolist():
            for y in range(4):
                for x in range(6):
                    if x < 5:
                        right.append(abs(channel[y][x + 1] - channel[y][x]))
                    if y < 3:
                        below.append(abs(channel[y + 1][x] - channel[y][x]))
        assert float(found) == pytest.approx(np.mean(right) + np.mean(below), rel=1e-5)
    assert total_variation(torch.full((1, 3, 4, 4), 0.7)) == 0


@pytest.mark.parametrize("alpha", [2, 6])
def test_alpha_norm_is_a_loop(alpha):
    pictures = torch.randn(2, 3, 4, 6, generator=rng())
    for picture, found in zip(pictures, alpha_norm(pictures, alpha)):
        by_hand = sum(abs(x) ** alpha for x in picture.flatten().tolist()) / (3 * 4 * 6)
        assert float(found) == pytest.approx(by_hand, rel=1e-5)
    assert torch.equal(alpha_norm(pictures), alpha_norm(pictures, 6))


# operators ----------------------------------------------------------------------------


@pytest.mark.parametrize("operator", [gaussian_blur, bilateral])
def test_operators_keep_what_is_constant_and_lower_the_variation(operator):
    flat = torch.linspace(-1, 1, 6).view(2, 3, 1, 1).expand(2, 3, 9, 13)
    assert torch.allclose(operator(flat), flat, atol=1e-5)
    noise = 0.1 * torch.randn(2, 3, 9, 13, generator=rng())
    once = operator(noise)
    assert once.shape == noise.shape
    assert (total_variation(once) < 0.9 * total_variation(noise)).all()


def test_a_blur_is_a_mean_over_neighbours():
    spot = torch.zeros(1, 1, 15, 15)
    spot[..., 7, 7] = 1
    blurred = gaussian_blur(spot, 1.0)[0, 0]
    places = torch.arange(15.0) - 7
    weights = torch.exp(-places.square() / 2)
    weights[places.abs() > 3] = 0
    weights /= weights.sum()
    assert torch.allclose(blurred, weights[:, None] * weights, atol=1e-6)


def test_a_bilateral_filter_keeps_an_edge_that_a_blur_smears():
    edge = torch.full((1, 3, 12, 16), -0.8)
    edge[..., 8:] = 0.8
    noisy = edge + 0.05 * torch.randn(edge.shape, generator=rng())
    kept, smeared = bilateral(noisy), gaussian_blur(noisy, 1.0)
    steps = [float((x[..., 8] - x[..., 7]).mean()) for x in (noisy, kept, smeared)]
    assert steps[1] > 0.95 * steps[0] and steps[2] < 0.5 * steps[0]
    for side in (slice(0, 6), slice(10, 16)):  # and smooths what lies beside it
        assert kept[..., side].std() < 0.6 * noisy[..., side].std()


# views --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (2, 3, 9, 14)])
def test_no_views_are_the_picture(shape):
    pictures = torch.randn(shape, generator=rng())
    assert torch.allclose(Views()(pictures, rng()), pictures, atol=1e-5)
    doubled = Views(0, 0, 0)(pictures.double(), rng())
    assert doubled.dtype == torch.float64
    assert torch.allclose(doubled, pictures.double(), atol=1e-9)


@pytest.mark.parametrize("shape", [(10, 10), (9, 14), (14, 9)])
def test_jitter_moves_by_whole_pixels(shape):
    """Each view is the mirrored picture, a whole number of pixels away."""
    high, wide = shape
    picture = torch.rand(1, 2, high, wide, generator=rng(1))
    edges = ((0, 0), (0, 0), (3, 3), (3, 3))
    mirrored = torch.from_numpy(np.pad(picture.numpy(), edges, mode="symmetric"))
    views = Views(jitter=3)(picture.expand(400, -1, -1, -1), rng())
    found = set()
    for y in range(7):
        for x in range(7):
            here = mirrored[..., y : y + high, x : x + wide]
            same = (views - here).abs().amax((1, 2, 3)) < 1e-4
            found |= {(i, y - 3, x - 3) for i in same.nonzero().flatten().tolist()}
    assert len(found) == len({i for i, _, _ in found}) == 400
    assert {y for _, y, _ in found} == {x for *_, x in found} == set(range(-3, 4))


@pytest.fixture
def at_the_most(monkeypatch):
    """The lots fall at the upper end: each view turned and scaled as far as may be."""
    most = torch.tensor([[1.0, 1.0, 0.5, 0.5]])
    monkeypatch.setattr(priors.torch, "rand", lambda *a, **k: most)


def bar(high, wide, tall, broad):
    """A white bar in the middle."""
    picture = torch.zeros(1, 1, high, wide)
    y, x = (high - tall) // 2, (wide - broad) // 2
    picture[..., y : y + tall, x : x + broad] = 1
    return picture


@pytest.mark.parametrize("shape", [(41, 41), (41, 71), (71, 41)])
def test_a_quarter_turn_keeps_a_shape(at_the_most, shape):
    lying, standing = bar(*shape, 5, 31), bar(*shape, 31, 5)
    turned, (y, x) = Views(rotate=90)(lying, rng()), ((n - 41) // 2 for n in shape)
    middle = ..., slice(y, y + 41), slice(x, x + 41)  # beyond it stands a mirror image
    assert torch.allclose(turned[middle], standing[middle], atol=1e-3)


@pytest.mark.parametrize("shape", [(64, 64), (64, 96)])
@pytest.mark.parametrize("angle", [30, -30, 10])
def test_a_turn_is_by_its_angle(at_the_most, shape, angle):
    """A bar's axis, from its second moments in pixels, lies at the angle."""
    turned = Views(rotate=angle)(bar(*shape, 6, 40), rng())[0, 0]
    y, x = torch.meshgrid(
        *(torch.arange(n) - (n - 1) / 2 for n in shape), indexing="ij"
    )
    total = turned.sum()
    assert float(total) == pytest.approx(240, rel=0.02)
    xx, yy, xy = ((turned * a * b).sum() / total for a, b in ((x, x), (y, y), (x, y)))
    axis = math.degrees(0.5 * math.atan2(2 * xy, xx - yy))
    assert abs(axis) == pytest.approx(abs(angle), abs=0.5)
    longest = (xx + yy) / 2 + torch.hypot((xx - yy) / 2, xy)
    assert float(longest) == pytest.approx(40**2 / 12, rel=0.03)


@pytest.mark.parametrize(("scale", "times"), [(0.5, 1.5), (-0.5, 0.5)])
def test_a_scale_is_alike_in_both_directions(at_the_most, scale, times):
    scaled = Views(scale=scale)(bar(64, 96, 20, 32), rng())[0, 0]
    scaled = scaled[16:-16, 24:-24] if times < 1 else scaled  # without mirror images
    high, wide = scaled.shape
    assert float(scaled[high // 2].sum()) == pytest.approx(32 * times, abs=1)
    assert float(scaled[:, wide // 2].sum()) == pytest.approx(20 * times, abs=1)


def test_lots_lie_within_the_bounds(monkeypatch):
    angles, sizes = [], []
    real = priors.F.affine_grid

    def looked(places, *rest, **options):
        a, b = places[:, 0, 0], places[:, 1, 0]
        angles.append(torch.atan2(b, a))
        sizes.append(1 / torch.hypot(a, b))
        return real(places, *rest, **options)

    monkeypatch.setattr(priors.F, "affine_grid", looked)
    Views(0, 10, 0.1)(torch.zeros(500, 1, 4, 4), rng())
    turned, size = angles[0].rad2deg(), sizes[0]
    assert 9.5 < turned.max() <= 10 and -10 <= turned.min() < -9.5
    assert 1.095 < size.max() <= 1.1001 and 0.8999 <= size.min() < 0.905


def test_a_gradient_comes_through_a_view():
    pictures = torch.randn(1, 3, 8, 8, requires_grad=True)
    (slope,) = torch.autograd.grad(Views(2, 10, 0.1)(pictures, rng()).sum(), pictures)
    assert slope.abs().min() >= 0 and float(slope.sum()) == pytest.approx(192, rel=0.2)


# canvases -----------------------------------------------------------------------------


def test_pixels_are_faint_at_first_and_kept_within():
    start = Pixels().start((4, 3, 16, 16), rng())
    assert float(start.std()) == pytest.approx(Pixels.spread, rel=0.1)
    assert torch.equal(Pixels().picture(start), start)
    assert torch.equal(Pixels().kept(torch.tensor([-3.0, 0.2, 3.0])),
                       torch.tensor([-1.0, 0.2, 1.0]))  # fmt: skip


@pytest.mark.parametrize("colours", [PHOTOGRAPHS, None])
def test_waves_make_pictures_within_bounds(colours):
    canvas, shape = Fourier(colours), (2, 3, 12, 20)
    numbers = canvas.start(shape, rng())
    assert numbers.shape == (2, 3, 12, 11, 2)
    assert canvas.picture(numbers).shape == shape
    loud = canvas.picture(canvas.kept(1000 * numbers))
    assert loud.abs().max() <= 1 and loud.abs().mean() > 0.5
    assert canvas.picture(0 * numbers).abs().max() == 0  # grey


def test_an_odd_width_is_refused():
    with pytest.raises(ValueError, match="even width, not 33"):
        Fourier().start((1, 3, 32, 33), rng())
    numbers = Fourier().start((1, 3, 33, 32), rng())
    assert Fourier().picture(numbers).shape == (1, 3, 33, 32)


@pytest.mark.parametrize("colours", [PHOTOGRAPHS, None])
def test_the_power_of_waves_falls_with_their_square_at_the_start(colours):
    canvas = Fourier(colours)
    pictures = canvas.picture(canvas.start((32, 3, 64, 64), rng()))
    assert pictures.abs().max() < 0.2  # where the sigmoid is nearly straight
    power = torch.fft.rfft2(pictures, norm="ortho").abs().square().mean((0, 1))
    often = frequencies(64, 64)
    inside = (often > 0) & (often < 0.5)
    inside[:, [0, -1]] = False  # waves without a partner
    x, y = often[inside].log(), power[inside].log()
    x, y = x - x.mean(), y - y.mean()
    assert float((x * y).sum() / x.square().sum()) == pytest.approx(-2, abs=0.05)


@pytest.mark.parametrize(("high", "wide"), [(8, 8), (6, 10), (7, 4)])
def test_frequencies_are_how_often_a_wave_comes(high, wide):
    """Two neighbouring samples of exp(2 pi i (u y / H + v x / W)) tell, each way."""
    found = frequencies(high, wide)
    assert found.shape == (high, wide // 2 + 1)
    for u in range(high):
        for v in range(wide // 2 + 1):
            down, across = (
                abs(np.angle(np.exp(2j * np.pi * a / n))) / (2 * np.pi)
                for a, n in ((u, high), (v, wide))
            )
            assert float(found[u, v]) == pytest.approx(math.hypot(down, across))


@pytest.mark.parametrize(("u", "v"), [(0, 1), (2, 3), (5, 2), (0, 0)])
def test_one_wave_is_a_cosine_as_large_as_it_is_slow(u, v):
    high, wide = 6, 10
    spectrum = torch.zeros(1, 1, high, wide // 2 + 1, dtype=torch.complex64)
    spectrum[0, 0, u, v] = 1
    y, x = torch.meshgrid(torch.arange(high), torch.arange(wide), indexing="ij")
    wave = torch.cos(2 * torch.pi * (u * y / high + v * x / wide))
    often = max(math.hypot(min(u, high - u) / high, v / wide), 1 / wide)
    both = 2 if v else 1  # a wave and its mirror image
    found = spectrum_to_picture(spectrum, high, wide)[0, 0]
    expected = both * wave / often / math.sqrt(high * wide)
    assert torch.allclose(found, expected, atol=1e-5)


def test_axes_of_colour_are_found_again():
    """Pictures mixed from independent numbers along three axes of their own lengths."""
    axes, _ = torch.linalg.qr(torch.randn(3, 3, generator=rng()))
    spread = torch.tensor([2.0, 1.0, 0.25])
    free = torch.randn(4, 3, 64, 64, generator=rng())
    pictures = torch.einsum("dc,bchw->bdhw", axes * spread, free)
    found, true = colour_axes(pictures), axes * spread / 2
    assert torch.allclose((found * true).sum(0).abs(), true.square().sum(0), rtol=0.03)


def test_colours_are_lucids_constants():
    """Brightness first, then blue against orange, then green against purple."""
    assert float(PHOTOGRAPHS.norm(dim=0).max()) == pytest.approx(1)
    first, second, third = PHOTOGRAPHS.T
    assert (first > 0).all() and second[0] > 0 > second[2]
    assert third[1] < 0 < min(third[0], third[2])
    numbers = torch.zeros(1, 3, 4, 3, 2)
    numbers[0, 1, 0, 0, 0] = 1  # the mean of the second axis
    picture = Fourier(PHOTOGRAPHS).picture(numbers)[0]
    assert picture[0].min() > 0 and picture[2].max() < 0
    assert picture[1].abs().max() < 1e-6
