"""The ruler for style reads real drawings, and agreement is a correlation."""

import numpy as np
import pytest
import torch

from t2i_course.measure import style


def test_agreement_is_a_correlation():
    one = torch.randn(200, len(style.READ), dtype=torch.float64)
    other = 0.5 * one + torch.randn(one.shape)
    found = style.agreement(one, other)
    for i, name in enumerate(style.READ):
        expected = np.corrcoef(one[:, i], other[:, i])[0, 1]
        assert found[name] == pytest.approx(expected)
    assert style.agreement(one, 3 - 2 * one)["flip"] == pytest.approx(-1)
    assert style.agreement(one, torch.zeros_like(one))["tilt"] == 0


@pytest.fixture(scope="module")
def ruler():
    return style.StyleRuler(32, count=600)


def test_ruler_reads_pose_and_light_of_unseen_species(ruler):
    assert ruler.trust["flip"] > 0.95 and ruler.trust["tilt"] > 0.75
    assert ruler.trust["shade"] > 0.85 and ruler.trust["light"] > 0.85


def test_ruler_sees_a_mirrored_bird_look_the_other_way(ruler):
    pictures = style.drawings("test", 32, 50, seed=1).image
    here, mirrored = ruler.read(pictures), ruler.read(pictures.flip(3))
    assert (here[:, 0].sign() == -mirrored[:, 0].sign()).float().mean() > 0.95
    assert style.agreement(here, mirrored)["x"] < -0.5


def test_drawings_know_their_style():
    batch = style.drawings("test", 32, 60)
    assert len(batch) == 60 and batch.style.shape[0] == 60
    assert len(batch.class_id.unique()) > 30
    assert batch.image.min() >= -1 and batch.image.max() <= 1
