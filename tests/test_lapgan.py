"""LAPGAN: the pyramid and its inverse, sizes, three games of their own, sampling."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from training_toys import Repeated, count, random_pictures, ready

from t2i_course.papers import lapgan
from t2i_course.papers.lapgan import LEVELS, Lapgan, build, collapse, expand, reduce
from t2i_course.training import fit

SMALL = {"size": 32, "width": 4, "hidden": 8, "units": 8, "noise_size": 6}


def batch_of(many=4, size=32):
    return random_pictures(many, size)


def small(**switches):
    return ready(lambda: Lapgan(**SMALL | switches))


# The pyramid --------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [1, 2, 3, 5])
def test_collapse_is_the_inverse_of_build(levels):
    image = batch_of().image
    for x, bound in ((image, 5e-7), (image.double(), 1e-15)):
        pyramid = build(x, levels)
        assert len(pyramid) == levels
        assert (collapse(pyramid) - x).abs().max() <= bound


def test_build_is_the_inverse_of_collapse_for_a_picture_s_pyramid():
    pyramid = build(batch_of().image.double())
    for band, again in zip(pyramid, build(collapse(pyramid))):
        assert torch.allclose(band, again, atol=1e-12)


def test_inverse_for_any_pair_of_operations(monkeypatch):
    """Nothing rests on the choice: every other pixel, each repeated, will do."""
    monkeypatch.setattr(lapgan, "reduce", lambda x: x[..., ::2, ::2])
    monkeypatch.setattr(lapgan, "expand", lambda x: F.interpolate(x, scale_factor=2))
    image = batch_of().image.double()
    assert torch.allclose(collapse(build(image)), image, atol=1e-12)


def test_shapes_and_order():
    shapes = [tuple(band.shape[1:]) for band in build(batch_of().image)]
    assert shapes == [(3, 8, 8), (3, 16, 16), (3, 32, 32)]
    assert torch.equal(build(batch_of().image)[0], reduce(reduce(batch_of().image)))
    wide = torch.zeros(1, 1, 8, 12)
    assert [tuple(b.shape[2:]) for b in build(wide)] == [(2, 3), (4, 6), (8, 12)]


def test_a_plain_picture_has_no_details():
    coarse, *details = build(torch.full((1, 3, 16, 16), 0.3))
    assert torch.allclose(coarse, torch.tensor(0.3))
    assert all(detail.abs().max() < 1e-6 for detail in details)


def test_details_have_a_mean_of_about_zero_and_are_small_for_smooth_pictures():
    ramp = torch.linspace(-1, 1, 32).expand(1, 1, 32, 32)
    _, *details = build(ramp)
    inside = [detail[..., 4:-4] for detail in details]  # a border has no neighbour
    assert all(part.abs().max() < 1e-6 for part in inside)
    noise = build(batch_of().image)[-1]
    assert noise.std() > 0.4 and abs(noise.mean()) < 0.01


def test_reduce_and_expand_keep_the_mean():
    image = batch_of().image
    assert torch.allclose(reduce(image).mean((2, 3)), image.mean((2, 3)), atol=1e-6)
    assert torch.allclose(expand(image).mean((2, 3)), image.mean((2, 3)), atol=1e-6)


@pytest.mark.parametrize("shape", [(30, 32), (32, 6)])
def test_pictures_that_cannot_be_halved(shape):
    with pytest.raises(ValueError, match="can't be halved 2 times"):
        build(torch.zeros(1, 3, *shape))


# Sizes --------------------------------------------------------------------------------


def test_counts_by_hand():
    """The authors' networks: 7x7, 7x7, 5x5 and 5x5, 5x5 by twos, one linear layer."""
    with torch.device("meta"):
        system = Lapgan.from_preset("paper")
    generator = 49 * 4 * 64 + 64 + 49 * 64 * 64 + 64 + 25 * 64 * 3 + 3
    assert count(system.generator_fine) == count(system.generator_middle) == generator
    trunk = 25 * 3 * 64 + 64 + 25 * 64 * 64 + 64
    assert count(system.discriminator_middle) == trunk + 64 * 4 * 4 + 1
    assert count(system.discriminator_fine) == trunk + 64 * 12 * 12 + 1
    dense = 100 * 1200 + 1200 + 1200 * 1200 + 1200 + 1200 * 192 + 192
    assert count(system.generator_coarse) == dense
    judge = 192 * 600 + 600 + 600 * 600 + 600 + 600 + 1
    assert count(system.discriminator_coarse) == judge


@pytest.mark.parametrize("size", [16, 30])
def test_sizes_that_dont_fit_are_errors(size):
    with pytest.raises(ValueError, match=f"multiple of 4, at least 20, not {size}"):
        small(size=size)
    for player, loss in small(size=20).round(batch_of(size=20)):
        assert loss.isfinite(), player


def test_shapes_of_the_networks():
    blurred = torch.rand(2, 3, 16, 16)
    details = lapgan.DetailGenerator(4)(torch.randn(2, 256), blurred)
    assert details.shape == blurred.shape
    for size in (16, 32, 64):
        picture = torch.rand(2, 3, size, size)
        assert lapgan.DetailDiscriminator(size, 4)(picture, picture).shape == (2,)


def test_details_are_judged_on_their_picture():
    """The two are added first, so only the sum can matter."""
    judge = lapgan.DetailDiscriminator(16, 4).eval()
    details, blurred = torch.randn(2, 3, 3, 16, 16).unbind(0)
    assert torch.allclose(judge(details, blurred), judge(blurred, details), atol=1e-6)
    assert not torch.allclose(judge(details, blurred), judge(details, 0 * blurred))


def test_details_depend_on_noise_and_picture():
    generator = lapgan.DetailGenerator(4)
    noise, other = torch.randn(2, 2, 256).unbind(0)
    blurred = torch.rand(2, 3, 16, 16)
    drawn = generator(noise, blurred)
    assert not torch.allclose(drawn, generator(other, blurred))
    assert not torch.allclose(drawn, generator(noise, 1 - blurred))


# The games ----------------------------------------------------------------------------


def test_round():
    system, order = small(), []
    for player, loss in system.round(batch_of()):
        assert loss.shape == () and loss.isfinite()
        found = torch.autograd.grad(
            loss, list(system.parameters()), allow_unused=True, retain_graph=True
        )
        names = [name.split(".")[0] for name, _ in system.named_parameters()]
        reached = {name for name, g in zip(names, found) if g is not None}
        level = player.split("_")[1]
        allowed = {f"discriminator_{level}"}
        if player.startswith("generator"):
            allowed.add(player)
        assert reached == allowed, "each level learns alone"
        order.append(player)
    assert tuple(order) == system.players == Lapgan.players
    assert [name.split("_")[1] for name in order[::2]] == list(LEVELS)


def test_each_level_starts_from_real_pictures():
    system, seen = small(), []
    for generator in (system.generator_middle, system.generator_fine):
        generator.register_forward_pre_hook(lambda _, x: seen.append(x[1]))
    image = batch_of().image
    list(system.round(batch_of()))
    half, quarter = reduce(image), reduce(reduce(image))
    assert torch.allclose(seen[0], expand(quarter), atol=1e-6)
    assert torch.allclose(seen[1], expand(half), atol=1e-6)


def test_the_discriminators_see_whole_pictures():
    """Details and blurred picture add up to the real picture of the level."""
    system, seen = small(), []
    system.discriminator_fine.net.register_forward_pre_hook(
        lambda _, x: seen.append(x[0])
    )
    list(system.round(batch_of()))
    assert torch.allclose(seen[0], batch_of().image, atol=1e-6)
    assert not torch.allclose(seen[1], seen[0], atol=1e-2)


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_training_moves_every_network(precision):
    system = small(norm=True)
    before = {name: p.clone() for name, p in system.named_parameters()}
    history = fit(system, Repeated(batch_of()), 2, precision=precision, progress=False)
    assert list(history.losses) == list(system.players)
    for name, p in system.named_parameters():
        if not name.startswith("averages") and "weight" in name:
            assert not torch.equal(p, before[name]), name


def test_optimizers():
    adam = small().optimizer("generator_fine")
    assert isinstance(adam, torch.optim.Adam)
    sgd = Lapgan.from_preset("paper").optimizer("generator_fine")
    (group,) = sgd.param_groups
    assert isinstance(sgd, torch.optim.SGD)
    assert (group["lr"], group["momentum"]) == (0.02, 0.5)


def test_half_halves_the_discriminators_losses_alone():
    assert lapgan.PRESETS["paper"]["half"]
    losses = []
    for half in (False, True):
        torch.manual_seed(0)
        system = small(half=half).eval()  # no dropout
        system.rng = torch.Generator().manual_seed(0)
        losses.append({name: x.item() for name, x in system.round(batch_of())})
    for name, loss in losses[0].items():
        factor = 0.5 if name.startswith("discriminator") else 1
        assert losses[1][name] == pytest.approx(factor * loss, rel=1e-4), name


def test_the_coarse_level_is_the_plain_gan():
    system = small(norm=True)
    found = [type(m) for m in system.generator_coarse.modules()]
    assert nn.BatchNorm1d in found and nn.Conv2d not in found
    drops = [m.p for m in system.discriminator_coarse.modules()
             if isinstance(m, nn.Dropout)]  # fmt: skip
    assert drops == [0.5, 0.5]


# Sampling -----------------------------------------------------------------------------


def test_sample_level_by_level():
    system = small()
    pictures = system.sample_levels(5)
    assert [tuple(p.shape) for p in pictures] == [
        (5, 3, 8, 8), (5, 3, 16, 16), (5, 3, 32, 32)
    ]  # fmt: skip
    assert all(p.abs().max() <= 1 for p in pictures)
    noise = [system.draw_noise(level, 5) for level in LEVELS]
    assert all(z.abs().max() <= 1 for z in noise)
    assert torch.equal(system.sample(5, noise), system.sample_levels(5, noise)[-1])


def test_each_level_adds_details_to_the_one_before():
    """Generators that draw no details leave a picture that is only made larger."""
    system = small()
    for level in LEVELS[1:]:
        for weight in system.player(f"generator_{level}").parameters():
            nn.init.zeros_(weight)
    coarse, middle, fine = system.sample_levels(3)
    assert torch.allclose(middle, expand(coarse), atol=1e-6)
    assert torch.allclose(fine, expand(middle), atol=1e-6)


def test_new_noise_at_a_fine_level_keeps_what_is_coarse():
    system = small()
    noise = [system.draw_noise(level, 3) for level in LEVELS]
    first = system.sample_levels(3, noise)
    again = system.sample_levels(3, [*noise[:2], system.draw_noise("fine", 3)])
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[2], again[2])


def test_sample_draws_with_the_averaged_generators():
    system = small()
    fit(system, Repeated(batch_of()), 2, progress=False)
    noise = [system.draw_noise(level, 2) for level in LEVELS]
    averaged = system.sample(2, noise)
    del system.averages
    assert not torch.equal(system.sample(2, noise), averaged)
