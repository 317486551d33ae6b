"""Paths through noise, how smooth they are, and arithmetic on averages."""

import math

import pytest
import torch

from t2i_course.inside.latent import (
    arithmetic,
    around,
    average,
    is_as,
    lerp,
    path,
    random_directions,
    slerp,
    smoothness,
    step_lengths,
    to_shell,
)


def two(seed=0, size=100, dtype=torch.float64):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(2, size, generator=rng, dtype=dtype).unbind(0)


# Paths --------------------------------------------------------------------------------


@pytest.mark.parametrize("along", [lerp, slerp])
def test_paths_meet_their_ends(along):
    start, end = two()
    assert torch.allclose(along(start, end, 0.0), start, atol=1e-12)
    assert torch.allclose(along(start, end, 1.0), end, atol=1e-12)
    whole = path(start, end, 7, along)
    assert whole.shape == (7, 100) and whole.dtype == start.dtype
    assert torch.allclose(whole[0], start) and torch.allclose(whole[-1], end)
    back = path(end, start, 7, along)
    assert torch.allclose(whole, back.flip(0))


def test_slerp_keeps_the_length_and_lerp_does_not():
    start, end = (to_shell(z) for z in two())
    lengths = path(start, end, 9, slerp).norm(dim=1)
    assert torch.allclose(lengths, torch.full_like(lengths, 10.0))
    middle = lerp(start, end, 0.5).norm()
    assert middle < 8.5, "two random directions are nearly at right angles"


def test_slerp_turns_at_a_steady_rate():
    start, end = two(1)
    whole = path(start, end, 9)
    units = whole / whole.norm(dim=1, keepdim=True)
    turns = (units[1:] * units[:-1]).sum(1).acos()
    assert torch.allclose(turns, turns[:1].expand(8))
    total = torch.nn.functional.cosine_similarity(start, end, dim=0).acos()
    assert torch.allclose(turns.sum(), total), "the shortest arc"


def test_slerp_known_values():
    east, north = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    found = slerp(east, north, 1 / 3)
    assert torch.allclose(found, torch.tensor([math.sqrt(3), 1.0]), atol=1e-6)
    assert torch.allclose(slerp(east, 3 * north, 0.5).norm(), torch.tensor(4.0))


@pytest.mark.parametrize("gap", [0, 1e-6, 1e-4, 5e-4, 2e-3, 0.1])
def test_slerp_of_neighbours_is_a_straight_line(gap):
    start, side = torch.eye(2, dtype=torch.float64)
    end = start + gap * side
    found = slerp(start, end, 0.25)
    assert found.isfinite().all()
    assert torch.allclose(found, lerp(start, end, 0.25), atol=1e-12 + gap**2)


def test_slerp_in_single_precision_between_equal_vectors():
    start, _ = two(dtype=torch.float32)
    assert torch.allclose(slerp(start, start.clone(), 0.3), start, atol=1e-6)


def test_slerp_of_many_pairs_at_once():
    rng = torch.Generator().manual_seed(0)
    start, end = torch.randn(2, 5, 20, generator=rng).unbind(0)
    together = slerp(start, end, 0.4)
    alone = torch.stack([slerp(a, b, 0.4) for a, b in zip(start, end)])
    assert torch.allclose(together, alone, atol=1e-6)


def test_where_there_is_no_arc():
    start, _ = two()
    with pytest.raises(ValueError, match="no shortest arc"):
        slerp(start, -2 * start, 0.5)
    with pytest.raises(ValueError, match="zeros has no direction"):
        slerp(start, 0 * start, 0.5)
    with pytest.raises(ValueError, match="2 or more, not 1"):
        path(start, start, 1)


# Smoothness ---------------------------------------------------------------------------


def test_step_lengths():
    pictures = torch.zeros(3, 3, 4, 4)
    pictures[1], pictures[2] = 0.5, -0.5
    assert step_lengths(pictures).tolist() == [0.5, 1.0]


def test_smoothness_of_a_fade_and_of_a_jump():
    rng = torch.Generator().manual_seed(0)
    first, last = torch.rand(2, 3, 8, 8, generator=rng).unbind(0)
    t = torch.linspace(0, 1, 9)[:, None, None, None]
    assert smoothness(lerp(first, last, t)) == pytest.approx(1, abs=1e-5)
    jump = torch.stack([first] * 4 + [last] * 5)
    assert smoothness(jump) == pytest.approx(1 / 8)
    squeezed = smoothness(lerp(first, last, t**3))
    assert 1 / 8 < squeezed < 0.5
    assert smoothness(torch.stack([first] * 5)) == 1.0


def test_smoothness_does_not_ask_how_much_changes():
    path_of = torch.randn(6, 10, generator=torch.Generator().manual_seed(0))
    assert smoothness(path_of) == pytest.approx(smoothness(0.1 * path_of + 3), rel=1e-4)
    assert smoothness(path_of) == pytest.approx(smoothness(path_of.flip(0)), rel=1e-5)


def test_smoothness_needs_a_path():
    with pytest.raises(ValueError, match="at least two"):
        smoothness(torch.zeros(1, 3, 4, 4))


# Arithmetic ---------------------------------------------------------------------------


def test_is_as():
    seen = torch.tensor([[1, 2, 3], [1, 0, 3], [0, 2, 3]])
    assert is_as(seen, torch.tensor([1, -1, -1])).tolist() == [True, True, False]
    assert is_as(seen, torch.tensor([1, 2, -1])).tolist() == [True, False, False]
    assert is_as(seen, torch.tensor([-1, -1, -1])).all()
    assert not is_as(seen, torch.tensor([5, 2, 3])).any()


def test_average():
    noise = torch.tensor([[1.0, 0.0], [3.0, 2.0], [9.0, 9.0]])
    chosen = torch.tensor([True, True, False])
    assert average(noise, chosen).tolist() == [2.0, 1.0]
    with pytest.raises(ValueError, match="there is no average"):
        average(noise, torch.zeros(3, dtype=torch.bool))


def test_averages_do_arithmetic_where_attributes_are_directions():
    """A world where two directions decide, and eighteen others mean nothing."""
    rng = torch.Generator().manual_seed(0)
    noise = torch.randn(4000, 20, generator=rng)

    def read(z):
        return (z[..., :2] > 0).long()

    def mean_of(*wanted):
        return average(noise, is_as(read(noise), torch.tensor(wanted)))

    found = arithmetic(mean_of(1, 1), mean_of(1, 0), mean_of(0, 0))
    wanted = torch.tensor([0, 1])
    near = around(found, 200, 0.25, rng)
    assert is_as(read(near), wanted).float().mean() == 1
    other = mean_of(0, 0) + random_directions(found - mean_of(0, 0), 500, rng)
    assert is_as(read(other), wanted).float().mean() < 0.3


def test_arithmetic_of_equals_changes_nothing():
    first, other = two()
    assert torch.allclose(arithmetic(first, other, other), first)
    assert torch.allclose(arithmetic(first, first, other), other)


def test_to_shell():
    many = torch.randn(5, 64, generator=torch.Generator().manual_seed(0)) * 0.1
    found = to_shell(many)
    assert torch.allclose(found.norm(dim=1), torch.full((5,), 8.0))
    assert torch.allclose(torch.nn.functional.cosine_similarity(many, found),
                          torch.ones(5))  # fmt: skip


def test_around_and_random_directions():
    rng = torch.Generator().manual_seed(0)
    center = torch.arange(4.0)
    near = around(center, 1000, 0.25, rng) - center
    assert near.abs().max() <= 0.25 and near.abs().mean() > 0.1
    found = random_directions(center, 2000, rng)
    assert torch.allclose(found.norm(dim=1), center.norm().expand(2000))
    assert found.mean(0).norm() < 0.2, "no direction is preferred"
