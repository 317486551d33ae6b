"""Specks are noise, not edges: what `measure.specks` tells apart."""

import pytest
import torch

from t2i_course.measure.dcgan import real_birds
from t2i_course.measure.gan import speckle
from t2i_course.measure.specks import (
    edges,
    height_of_specks,
    roughness,
    shown,
    specks,
    without_specks,
)


def noise(count=200, side=32, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, side, side, generator=rng)


def shapes():
    """A step, a diagonal step, a ramp, a line of one pixel: all without noise."""
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    plain = [x > 7, x + y > 15, x / 16, y == 5]
    return torch.stack([shape.float() for shape in plain]).unsqueeze(1)


def test_edges_lines_and_ramps_are_no_specks():
    assert specks(shapes()) == 0
    assert speckle(shapes()) > 0.04


def test_a_lone_pixel_is_a_speck_as_high_as_it_stands_out():
    picture = torch.zeros(1, 1, 5, 5)
    picture[0, 0, 2, 3], picture[0, 0, 2, 4] = -0.5, -0.2
    found = height_of_specks(picture)
    assert found[0, 0, 1, 2] == pytest.approx(0.3)
    assert found.sum() == pytest.approx(0.3)


def test_noise_has_the_specks_that_order_statistics_say():
    assert specks(0.1 * noise()) == pytest.approx(0.0267, rel=0.02)


def test_the_median_takes_specks_and_leaves_a_step():
    step = shapes()[:1]
    assert torch.equal(without_specks(step), step)
    salted = step.clone()
    salted[0, 0, 4, 4] = 1.0
    assert torch.equal(without_specks(salted), step)


def test_noise_on_birds_is_seen_as_specks_and_hardly_as_edges():
    birds = real_birds(200)
    noisy = (birds / 127.5 - 1) + 0.1 * noise()
    assert specks(noisy) > 5 * specks(birds)
    assert edges(noisy) < 1.5 * edges(birds)


def test_a_blur_takes_edges_and_adds_no_specks():
    birds = real_birds(200) / 127.5 - 1
    blurred = torch.nn.functional.avg_pool2d(birds, 3, 1, 1)
    assert specks(blurred) < specks(birds) and edges(blurred) < edges(birds)


def test_bytes_and_floats_are_measured_alike_and_shapes_are_checked():
    birds = real_birds(20)
    assert specks(birds) == pytest.approx(specks(birds / 127.5 - 1), rel=1e-5)
    with pytest.raises(ValueError, match="pictures"):
        specks(torch.zeros(3, 32, 32))


def test_the_three_figures_and_the_picture_of_specks():
    birds = real_birds(20)
    found = roughness(birds)
    assert found["neighbours"] > found["edges"] > found["specks"] > 0
    picture = shown(birds)
    assert picture.shape == birds.shape and picture.min() == -1
    assert (picture[..., 1:-1, 1:-1] > -1).equal(height_of_specks(birds) > 0)
