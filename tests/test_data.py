"""Which items a batch holds, and how a batch travels to a device."""

import numpy as np
import pytest
import torch

from t2i_course.data import Batch, batch_indices


def test_indices_are_a_function_of_seed_and_step():
    first = batch_indices(100, 8, seed=1, step=3)
    assert np.array_equal(first, batch_indices(100, 8, seed=1, step=3))
    assert not np.array_equal(first, batch_indices(100, 8, seed=2, step=3))
    assert not np.array_equal(first, batch_indices(100, 8, seed=1, step=4))


@pytest.mark.parametrize("world", [1, 2, 4])
def test_ranks_partition_the_whole(world):
    for step in (0, 5, 40):
        parts = [batch_indices(96, 4, 0, step, rank, world) for rank in range(world)]
        whole = batch_indices(96, 4 * world, 0, step)
        assert np.array_equal(np.concatenate(parts), whole)
        assert len(set(whole.tolist())) == 4 * world


def test_an_epoch_shows_everything_once_in_a_new_order():
    epochs = [
        np.concatenate([batch_indices(60, 6, 0, 10 * e + i) for i in range(10)])
        for e in range(2)
    ]
    for epoch in epochs:
        assert sorted(epoch.tolist()) == list(range(60))
    assert not np.array_equal(*epochs)


def test_an_incomplete_last_batch_is_left_out():
    seen = np.concatenate([batch_indices(10, 4, 0, step) for step in range(2)])
    assert len(seen) == len(set(seen.tolist())) == 8


@pytest.mark.parametrize(("count", "size"), [(3, 8), (1, 1), (1, 5)])
def test_a_batch_larger_than_the_data_repeats_it(count, size):
    chosen = batch_indices(count, size, 0, step=7)
    assert len(chosen) == size and set(chosen.tolist()) == set(range(count))


def test_late_steps_cost_no_more():
    """A resumed run asks for step 10 million without going through those before."""
    assert len(batch_indices(9000, 64, 0, step=10_000_000)) == 64


def test_pictures_become_floats_on_the_device():
    image = torch.tensor([0, 255], dtype=torch.uint8).expand(2, 3, 4, 2)
    batch = Batch(image, ["a", "b"], class_id=torch.tensor([3, 4]))
    moved = batch.to("cpu")
    assert moved.image.dtype == torch.float32
    assert moved.image[0, 0, 0].tolist() == [-1.0, 1.0]
    assert batch.image.dtype == torch.uint8  # the batch itself is left alone
    assert moved.caption == ["a", "b"] and moved.class_id.tolist() == [3, 4]
    assert moved.tokens is None and len(moved) == 2


def test_floats_and_masks_stay_what_they_are():
    masks = torch.ones(2, 4, 4, dtype=torch.uint8)
    moved = Batch(torch.full((2, 2), 0.5), masks=masks).to("cpu")
    assert torch.equal(moved.image, torch.full((2, 2), 0.5))
    assert moved.masks.dtype == torch.uint8
