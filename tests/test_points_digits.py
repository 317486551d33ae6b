"""The worlds of points and the digits: what they promise as sources, and as judges."""

import pytest
import torch

from t2i_course.worlds.digits import DigitReader, Digits, digits_split
from t2i_course.worlds.points import WORLDS, Moons, Ring, points


@pytest.mark.parametrize("name", WORLDS)
def test_a_batch_is_a_function_of_seed_step_and_rank(name):
    world = points(name, batch_size=32, seed=3)
    first, again = world.batch(5), points(name, 32, 3).batch(5)
    assert torch.equal(first.image, again.image)
    assert first.image.shape == (32, 2) and first.image.dtype == torch.float32
    assert not torch.equal(first.image, world.batch(6).image)
    assert not torch.equal(first.image, points(name, 32, 4).batch(5).image)


def test_ranks_share_one_global_batch():
    whole = Ring(batch_size=32).batch(2)
    parts = [Ring(batch_size=8).batch(2, rank, 4) for rank in range(4)]
    assert torch.equal(whole.image, torch.cat([part.image for part in parts]))
    assert torch.equal(whole.class_id, torch.cat([part.class_id for part in parts]))


@pytest.mark.parametrize("name, modes", [("ring", 8), ("grid", 25), ("moons", 40)])
def test_real_points_cover_their_world(name, modes):
    world = points(name, batch_size=5000)
    found = world.coverage(world.batch(0).image)
    assert (found.modes, found.of) == (modes, modes)
    assert found.close > 0.97 and int(found.counts.sum()) == round(found.close * 5000)


@pytest.mark.parametrize("name", WORLDS)
def test_densities_integrate_to_one(name):
    world = points(name)
    line = torch.linspace(-world.reach - 1, world.reach + 1, 501, dtype=torch.float64)
    cell = float(line[1] - line[0]) ** 2
    total = world.density(torch.cartesian_prod(line, line)).sum() * cell
    assert abs(total - 1) < 1e-3


def test_a_collapsed_cloud_covers_one_mode_and_a_far_one_none():
    ring = Ring()
    assert ring.coverage(ring.centers[:1].repeat(100, 1)).modes == 1
    assert ring.coverage(torch.zeros(100, 2)).modes == 0


def test_moons_have_two_classes_and_unknown_worlds_are_named():
    assert set(Moons(batch_size=200).batch(0).class_id.tolist()) == {0, 1}
    with pytest.raises(ValueError, match="ring, grid, moons"):
        points("spiral")


def test_digits_come_as_bytes_and_the_splits_are_disjoint():
    train, held = digits_split()
    assert len(train) + len(held) == 1797 and not set(train) & set(held)
    source = Digits(batch_size=20, seed=1)
    batch = source.batch(3)
    assert batch.image.shape == (20, 1, 8, 8) and batch.image.dtype == torch.uint8
    assert torch.equal(batch.image, Digits(batch_size=20, seed=1).batch(3).image)
    moved = batch.to("cpu").image
    assert moved.min() == -1 and moved.max() == 1
    assert Digits(side=28).images.shape[1:] == (1, 28, 28)
    with pytest.raises(ValueError, match="train, held-out, all"):
        Digits(split="test")


def test_every_digit_is_in_both_splits():
    for split in ("train", "held-out"):
        assert len(Digits(split=split).class_id.unique()) == 10


def test_the_reader_reads_real_digits_and_refuses_noise():
    reader, real = DigitReader(), Digits(split="held-out").pictures()
    assert reader.accuracy > 0.98
    assert (reader.counts(real) > 30).all()
    noise = torch.rand(200, 1, 8, 8) * 2 - 1
    assert reader.counts(noise).sum() == 0
    assert 0 < reader.typical < reader.reach
    copied = Digits(split="train").pictures()[:50]
    assert reader.distance(copied).max() < 1e-2
