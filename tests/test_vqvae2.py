"""VQ-VAE-2: sizes, two levels of codes and their swap, the prior over both."""

import pytest
import torch
from cuda_pretend import assert_plays_on_pretend_cuda
from torch.nn import functional as F
from training_toys import count, patches

from t2i_course.papers.vqvae2 import (
    PRESETS,
    PRIOR,
    TwoLevelPrior,
    VqVae2,
    painter,
    reader,
)
from t2i_course.training import fit

SMALL = {"size": 16, "hidden": 8, "inner": 4, "entries": 6, "code_size": 3}


def small(**settings):
    torch.manual_seed(0)
    return VqVae2(**{**SMALL, **settings})


def test_parameter_counts_at_paper_size():
    with torch.device("meta"):
        system = VqVae2.from_preset("paper")
        parts = system.levels
    assert count(system) == 1_388_867
    assert count(parts.read_bottom) == 364_160 and count(parts.read_top) == 287_232
    assert count(parts.paint_top) == 287_232 and count(parts.paint) == 364_035
    assert system.top_grid == (32, 32) and system.grid == (64, 64)


@pytest.mark.parametrize("size", [4, 20])
def test_sizes_that_dont_fit_are_errors(size):
    with pytest.raises(ValueError, match=f"multiple of 8, at least 8, not {size}"):
        small(size=size)


@pytest.mark.parametrize("steps", [1, 2])
def test_sizes_are_halved_and_doubled(steps):
    x = torch.randn(2, 3, 16, 16)
    small = reader(3, 8, 4, steps)(x)
    assert small.shape == (2, 8, 16 >> steps, 16 >> steps)
    assert painter(8, 8, 4, 5, steps)(small).shape == (2, 5, 16, 16)


def test_codes_of_both_levels_and_their_swap():
    system, image = small().eval(), torch.rand(4, 3, 16, 16) * 2 - 1
    top, bottom = system.codes(image)
    assert top.shape == (4, 2, 2) and bottom.shape == (4, 4, 4)
    assert torch.equal(system.swap(image, image), system.decode(top, bottom))
    swapped = system.swap(image[:2], image[2:])
    assert torch.equal(swapped, system.decode(top[:2], bottom[2:]))
    assert swapped.shape == (2, 3, 16, 16) and swapped.abs().max() <= 1
    assert system.sample(3).shape == (3, 3, 16, 16)


def test_asking_for_codes_teaches_nothing():
    system, image = small().train(), torch.rand(4, 3, 16, 16) * 2 - 1
    before = {name: value.clone() for name, value in system.state_dict().items()}
    system.codes(image)
    after = system.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert system.training and system.levels.top.training


def test_the_bottom_level_knows_the_top():
    """Gradients: bottom codes' vectors depend on the top's entries."""
    system = small().eval()
    top, bottom = system.levels.encode(torch.rand(1, 3, 16, 16))
    encoded, _ = bottom
    (gradient,) = torch.autograd.grad(
        encoded.sum(), system.levels.paint_top[0].weight, retain_graph=True
    )
    assert gradient.abs().sum() > 0
    (through,) = torch.autograd.grad(encoded.sum(), top[0])
    assert through.abs().sum() > 0  # straight through the top's look-up


def test_all_weights_learn_and_it_paints():
    system = small(decay=0.9, revive=0.2, rate=1e-2)
    source = patches(16)
    system.train()
    ((_, loss),) = system.round(source.batch(0))
    loss.backward()
    assert all(p.grad is not None for p in system.parameters())
    system.zero_grad()
    fit(system, source, 60, progress=False, device="cpu")
    image = source.batch(0).image
    drawn = system.decode(*system.codes(image))
    assert F.mse_loss(drawn, image) < 0.75 * image.var()


def test_a_prior_over_both_levels():
    coder = small().eval()
    settings = {"classes": 4, "channels": 4, "layers": 2, "out": 8}
    prior = TwoLevelPrior(coder, **settings)
    history = fit(prior, patches(16), 2, progress=False, device="cpu")
    assert list(history.losses) == ["top", "bottom"]
    assert prior.sample(torch.tensor([0, 3])).shape == (2, 3, 16, 16)
    assert prior.above(torch.zeros(2, 2, 2, dtype=torch.long)).shape == (2, 3, 4, 4)
    free = TwoLevelPrior(coder, **settings | {"classes": 0})
    assert free.sample(count=3).shape == (3, 3, 16, 16)
    turns = assert_plays_on_pretend_cuda(
        lambda: TwoLevelPrior(small(), **settings), lambda: patches(16).batch(0)
    )
    assert turns == ["top", "bottom"]


@pytest.mark.parametrize("preset", PRIOR)
def test_the_prior_has_presets_of_its_own_for_the_coders_of_the_others(preset):
    with torch.device("meta"):
        coder = VqVae2.from_preset(preset)
        prior = TwoLevelPrior.from_preset(preset, coder=coder)
    assert prior.settings == {**PRIOR[preset], "coder": coder}
    assert prior.learning_rate == PRIOR[preset].get("rate", 1e-3)
    assert len(prior.top.layers) == len(prior.bottom.layers) == PRIOR[preset]["layers"]
    size = PRESETS[preset]["size"]
    made = (3, size, size), PRESETS[preset]["entries"]
    assert (PRIOR[preset]["shape"], PRIOR[preset]["values"]) == made
