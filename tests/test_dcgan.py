"""DCGAN: sizes, the five rules and their switches, the start, four losses, a round."""

import math

import pytest
import torch
from cuda_pretend import assert_plays_on_pretend_cuda
from torch import nn
from torch.nn import functional as F
from training_toys import Repeated, count, random_pictures, ready

from t2i_course.data import Batch
from t2i_course.papers import dcgan
from t2i_course.papers.dcgan import LOSSES, Dcgan, Discriminator, Generator
from t2i_course.training import fit

SMALL = {"size": 16, "base": 4, "depth": 4, "noise_size": 6}


def kinds(network):
    return [type(module) for module in network.modules()]


def batch_of(many=6):
    return random_pictures(many, SMALL["size"])


def small(**switches):
    return ready(lambda: Dcgan(**SMALL | switches))


# Sizes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("release", "generator", "discriminator"),
    [({}, 18_885_760, 17_232_768), (dcgan.TORCH_RELEASE, 3_576_704, 2_765_568)],
)
def test_published_counts(release, generator, discriminator):
    """The paper's own networks, and those of the smaller release."""
    with torch.device("meta"):
        system = Dcgan.from_preset("paper", **release)
    assert count(system.generator) == generator
    assert count(system.discriminator) == discriminator


def test_counts_by_hand():
    """Layer by layer from the paper's rules, at 32 pixels: kernels of 16 numbers."""
    up = 16 * (100 * 256 + 256 * 128 + 128 * 64 + 64 * 3)
    assert count(Generator(32, 64)) == up + 2 * (256 + 128 + 64)
    down = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 1)
    assert count(Discriminator(32, 64)) == down + 2 * (128 + 256)


@pytest.mark.parametrize("side", [4, 7, 8])
@pytest.mark.parametrize("kernel", [4, 5])
def test_both_kernels_double_and_halve_exactly(kernel, side):
    """And are each other's mirror: <conv(x), y> = <x, conv_transposed(y)>."""
    (up,) = dcgan.doubling(3, 2, True, False, kernel)
    (down,) = dcgan.halving(2, 3, True, False, kernel)
    down.weight.data = up.weight.data
    small, large = torch.randn(1, 3, side, side), torch.randn(1, 2, 2 * side, 2 * side)
    assert up(small).shape == large.shape and down(large).shape == small.shape
    left, right = (down(large) * small).sum(), (large * up(small)).sum()
    assert torch.allclose(left, right, atol=1e-4)


def test_apart_each_number_of_the_first_map_has_a_norm_of_its_own():
    layer = dcgan.first_norm(2, "batch", apart=True)
    maps = layer(5 * torch.randn(64, 2, 4, 4) + torch.arange(16.0).view(4, 4))
    assert count(layer) == 2 * 2 * 16 and maps.shape == (64, 2, 4, 4)
    assert maps.mean(0).abs().max() < 1e-5
    assert isinstance(dcgan.first_norm(2, "layer", apart=True), nn.GroupNorm)


@pytest.mark.parametrize(
    "switches",
    [{}, {"norm": "none", "strided": False}, {"kernel": 5}],
)
@pytest.mark.parametrize("size", [8, 32, 64])
def test_shapes(size, switches):
    generator = Generator(size, 4, 6, **switches).eval()
    discriminator = Discriminator(size, 4, **switches).eval()
    with torch.no_grad():
        pictures = generator(torch.randn(3, 6))
        assert pictures.shape == (3, 3, size, size) and pictures.abs().max() <= 1
        assert discriminator(pictures).shape == (3,)


def test_first_layer_is_a_transposed_convolution():
    code = torch.randn(3, 5)
    for bias in (False, True):
        layer = dcgan.FromPoint(5, 7, bias)
        expected = F.conv_transpose2d(code[:, :, None, None], layer.weight, layer.bias)
        assert torch.allclose(layer(code), expected, atol=1e-6)


@pytest.mark.parametrize("size", [0, 4, 24, 63])
def test_a_size_that_is_no_doubling_is_a_clear_error(size):
    for network in (Generator, Discriminator):
        with pytest.raises(ValueError, match=f"size is 8, 16, .* not {size}"):
            network(size)


# The rules ----------------------------------------------------------------------------


def test_the_rules_hold_by_default():
    up, down = kinds(Generator()), kinds(Discriminator())
    for found in (up, down):
        assert not {nn.Linear, nn.MaxPool2d, nn.AvgPool2d, nn.Upsample} & set(found)
        assert found.count(nn.BatchNorm2d) == (4 if found is up else 3)
    assert up[-1] is nn.Tanh and nn.ReLU in up and nn.LeakyReLU not in up
    assert nn.LeakyReLU in down and nn.ReLU not in down
    assert up[-2] is nn.ConvTranspose2d, "no batch norm at the generator's output"
    assert down[2:4] == [nn.Conv2d, nn.LeakyReLU], "nor at the discriminator's input"
    strided = [m for m in Discriminator().modules() if isinstance(m, nn.Conv2d)][:-1]
    assert all(m.stride == (2, 2) for m in strided)
    assert next(m for m in Discriminator().modules() if isinstance(m, nn.LeakyReLU)
                ).negative_slope == 0.2  # fmt: skip


def test_without_batch_norm_a_picture_is_drawn_and_judged_alone():
    noise, image = torch.randn(5, 6), batch_of().image
    for norm, alone in (("batch", False), ("layer", True), ("none", True)):
        g, d = small(norm=norm).generator, small(norm=norm).discriminator
        with torch.no_grad():
            assert torch.allclose(g(noise)[:2], g(noise[:2]), atol=1e-5) == alone
            assert torch.allclose(d(image)[:2], d(image[:2]), atol=1e-5) == alone


def test_without_batch_norm_each_channel_keeps_its_shift():
    """Only the scales are lost: a bias takes the place of batch norm's shift."""
    for network in (Generator, Discriminator):
        with_norm, without = network(norm="batch"), network(norm="none")
        shifts = sum(m.num_features for m in with_norm.modules()
                     if isinstance(m, nn.BatchNorm2d))  # fmt: skip
        first = 64 if network is Discriminator else 0  # never had a norm, has a bias
        assert count(without) == count(with_norm) - shifts + first


def test_layer_norm_has_as_many_weights_as_batch_norm():
    assert count(Discriminator(norm="layer")) == count(Discriminator()) == 2_765_568


def test_pooling_in_place_of_strides():
    g, d = Generator(strided=False), Discriminator(strided=False)
    assert kinds(g).count(nn.Upsample) == kinds(d).count(nn.MaxPool2d) == 4
    assert nn.ConvTranspose2d not in kinds(g)
    inner = [m for m in [*g.modules(), *list(d.modules())[:-1]] if type(m) is nn.Conv2d]
    assert all(m.stride == (1, 1) and m.kernel_size == (3, 3) for m in inner)


def test_pooling_and_repeating_do_what_they_say():
    x = torch.randn(2, 3, 8, 8)
    convolution, pool = dcgan.halving(3, 5, strided=False, bias=False)
    blocks = convolution(x).unfold(2, 2, 2).unfold(3, 2, 2)
    assert torch.equal(pool(convolution(x)), blocks.amax((4, 5)))
    repeat, convolution = dcgan.doubling(3, 5, strided=False, bias=False)
    assert torch.equal(repeat(x), x.repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert convolution(repeat(x)).shape == (2, 5, 16, 16)


def test_relu_in_place_of_leaky_relu():
    found = kinds(Discriminator(leaky=False))
    assert nn.LeakyReLU not in found and nn.ReLU in found
    assert kinds(small(leaky=False).generator) == kinds(small().generator)


def test_names_that_do_not_exist():
    with pytest.raises(ValueError, match="No norm 'spectral'; there are batch, layer"):
        small(norm="spectral")
    with pytest.raises(ValueError, match="No loss 'began'; there are nonsaturating"):
        small(loss="began")


# The start ----------------------------------------------------------------------------


@pytest.mark.parametrize("switches", [{}, {"norm": "layer"}, {"norm": "none"}])
def test_the_start_is_really_applied(switches):
    torch.manual_seed(0)
    system = Dcgan(size=32, base=32, depth=32, **switches)
    seen = 0
    for module in system.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            n = module.weight.numel()
            assert abs(module.weight.mean()) < 5 * 0.02 / math.sqrt(n)
            assert module.weight.std().item() == pytest.approx(0.02, rel=4 / n**0.5)
        elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm):
            n = module.weight.numel()
            assert module.weight.mean().item() == pytest.approx(1, abs=0.1 / n**0.5)
            assert 0.01 < module.weight.std() < 0.03, "around 1, and not all 1"
        else:
            continue
        seen += 1
        assert module.bias is None or not module.bias.any()
    # 4 + 4 convolutions, 3 + 2 norms
    assert seen == (8 if switches == {"norm": "none"} else 13)


def test_layers_keep_their_scale_at_the_start():
    """With scales around 0 the generator would draw one grey picture for all noise."""
    generator = small(size=32, base=32, noise_size=50).generator
    with torch.no_grad():
        pictures = generator(torch.randn(32, 50))
    # The last norm and ReLU give 32 channels whose squares are 1/2 on the average; 4 of
    # a kernel's 16 numbers reach a pixel: 32 * 4 / 2 squares of N(0, 0.02).
    squares = pictures.atanh().square().mean().item()
    assert squares == pytest.approx(64 * 0.02**2, rel=0.35)


# The losses ---------------------------------------------------------------------------

REAL, FAKE = torch.randn(2, 50, dtype=torch.float64).unbind(0)


def cross_entropy(logits, truth):
    """The book's formula, with a sigmoid and logarithms."""
    p = 1 / (1 + (-logits).exp())
    return -(truth * p.log() + (1 - truth) * (1 - p).log()).mean()


# name: (discriminator's loss, generator's loss), derived again
AGAIN = {
    "nonsaturating": (
        lambda r, f: cross_entropy(r, 1.0) + cross_entropy(f, 0.0),
        lambda f: cross_entropy(f, 1.0),
    ),
    "lsgan": (
        lambda r, f: (F.mse_loss(r, torch.ones_like(r))
                      + F.mse_loss(f, torch.zeros_like(f))) / 2,
        lambda f: F.mse_loss(f, torch.ones_like(f)) / 2,
    ),
    "wgan_gp": (lambda r, f: -(sum(r) - sum(f)) / len(r), lambda f: -sum(f) / len(f)),
    "hinge": (
        lambda r, f: -(torch.minimum(r - 1, 0 * r).mean()
                       + torch.minimum(-f - 1, 0 * f).mean()),
        lambda f: -sum(f) / len(f),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_losses_against_a_second_derivation(name):
    for r, f in ((REAL, FAKE), (3 * FAKE, REAL - 2)):
        for mine, again, inputs in zip(LOSSES[name], AGAIN[name], ((r, f), (f,))):
            inputs = [x.clone().requires_grad_() for x in inputs]
            one, two = mine(*inputs), again(*inputs)
            assert torch.allclose(one, two) and one.shape == ()
            slopes = torch.autograd.grad(one, inputs), torch.autograd.grad(two, inputs)
            assert all(torch.allclose(x, y) for x, y in zip(*slopes))


@pytest.mark.parametrize("name", LOSSES)
def test_losses_pull_the_right_way(name):
    """The discriminator wants real up and fake down, the generator wants fake up."""
    r, f = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    if name == "lsgan":  # it is content at 0 already
        f = torch.full((3,), 0.5, requires_grad=True)
    of_real, of_fake = torch.autograd.grad(LOSSES[name][0](r, f), (r, f))
    assert (of_real < 0).all() and (of_fake > 0).all()
    (of_fake,) = torch.autograd.grad(LOSSES[name][1](f), f)
    assert (of_fake < 0).all()


def test_losses_where_their_players_are_content():
    one, zero = torch.ones(4), torch.zeros(4)
    assert LOSSES["lsgan"][0](one, zero) == LOSSES["lsgan"][1](one) == 0
    assert LOSSES["hinge"][0](5 * one, -5 * one) == 0
    sure = LOSSES["nonsaturating"][0](200 * one, -200 * one)
    assert sure.isfinite() and sure.item() == pytest.approx(0, abs=1e-6)


# The penalty --------------------------------------------------------------------------


def test_penalty_of_a_linear_critic():
    """D(x) = w x has slope |w|: (|w| - 1)^2, its derivative 2 (|w| - 1) w / |w|."""
    rng = torch.Generator().manual_seed(0)
    w = torch.randn(3 * 4 * 4, dtype=torch.float64, generator=rng, requires_grad=True)
    real, fake = torch.randn(2, 5, 3, 4, 4, dtype=torch.float64).unbind(0)

    def penalty():
        return dcgan.gradient_penalty(lambda x: x.flatten(1) @ w, real, fake, rng)

    found, length = penalty(), w.norm()
    assert torch.allclose(found, (length - 1) ** 2)
    (slope,) = torch.autograd.grad(found, w)
    assert torch.allclose(slope, (2 * (length - 1) / length * w).detach())
    with torch.no_grad():  # and by finite differences
        for i in (0, 7, 30):
            w[i] += 1e-6
            above = (w.norm() - 1) ** 2
            w[i] -= 2e-6
            below = (w.norm() - 1) ** 2
            w[i] += 1e-6
            assert (above - below) / 2e-6 == pytest.approx(slope[i].item(), rel=1e-5)


def test_penalty_of_a_critic_with_layers_by_finite_differences():
    """Slope and its derivative by differences of the critic's scores alone."""
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(4, 5), nn.Softplus(), nn.Linear(5, 1)).double()
    real, fake = torch.randn(2, 3, 4, dtype=torch.float64).unbind(0)
    steps = 1e-4 * torch.eye(4, dtype=torch.float64)

    def by_differences():
        rng = torch.Generator().manual_seed(2)
        eps = torch.rand(3, 1, dtype=torch.float64, generator=rng)
        x = (eps * real + (1 - eps) * fake)[:, None]
        with torch.no_grad():
            slope = (critic(x + steps) - critic(x - steps)).squeeze(2) / 2e-4
        return ((slope.square().sum(1).sqrt() - 1) ** 2).mean()

    def score(x):
        return critic(x).squeeze(1)

    rng = torch.Generator().manual_seed(2)
    found = dcgan.gradient_penalty(score, real, fake, rng)
    assert found.item() == pytest.approx(by_differences().item(), rel=1e-6)
    weight = critic[0].weight
    (slope,) = torch.autograd.grad(found, weight)
    for place in ((0, 0), (3, 2)):
        values = []
        for change in (1e-4, -2e-4):
            weight.data[place] += change
            values.append(by_differences().item())
        weight.data[place] += 1e-4
        difference = (values[0] - values[1]) / 2e-4
        assert difference == pytest.approx(slope[place].item(), rel=1e-4)


def test_penalty_looks_between_the_pictures():
    caught = []

    def critic(x):
        caught.append(x.detach())
        return x.flatten(1).sum(1)

    real, fake = torch.ones(400, 3, 2, 2), -torch.ones(400, 3, 2, 2)
    fake.requires_grad_()
    found = dcgan.gradient_penalty(critic, real, fake, torch.Generator().manual_seed(0))
    assert found.item() == pytest.approx((12**0.5 - 1) ** 2, rel=1e-5)
    places = caught[0].flatten(1)
    assert (places == places[:, :1]).all(), "one eps for all of a picture"
    assert abs(places[:, 0].mean()) < 0.15  # and uniform: variance 4 / 12
    assert places[:, 0].var().item() == pytest.approx(1 / 3, rel=0.1)


def test_penalty_of_a_flat_critic_is_finite():
    weight = torch.zeros(12, requires_grad=True)
    real = torch.ones(4, 3, 2, 2)
    found = dcgan.gradient_penalty(lambda x: x.flatten(1) @ weight, real, -real)
    assert found.item() == 1
    assert torch.autograd.grad(found, weight)[0].isfinite().all()


# The round ----------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_round(loss):
    system = small(loss=loss)
    turns = system.round(batch_of())
    player, value = next(turns)
    assert player == "discriminator" and value.shape == () and value.isfinite()
    reached = torch.autograd.grad(
        value, list(system.parameters()), allow_unused=True, retain_graph=True
    )
    mine = len(list(system.generator.parameters()))
    assert all(g is None for g in reached[:mine]), "its drawn pictures are detached"
    assert all(g is not None for g in reached[mine:])
    player, value = next(turns)
    assert player == "generator" and value.isfinite()
    found = torch.autograd.grad(value, list(system.generator.parameters()))
    assert all(g.isfinite().all() for g in found) and any(g.any() for g in found)
    assert next(turns, None) is None


def test_wgan_gp_changes_the_critic_and_nothing_else():
    plain, critic = small(), small(loss="wgan_gp")
    assert plain.penalty == 0 and critic.penalty == 10
    assert nn.BatchNorm2d not in kinds(critic.discriminator)
    assert kinds(critic.discriminator).count(nn.GroupNorm) == 1
    assert kinds(critic.generator) == kinds(plain.generator)
    assert count(critic) == count(plain)
    for loss in ("lsgan", "hinge"):
        assert kinds(small(loss=loss)) == kinds(plain)
    assert nn.GroupNorm not in kinds(small(loss="wgan_gp", norm="none"))
    assert small(loss="wgan_gp", penalty=0).penalty == 0


def test_the_penalty_is_added():
    values = {}
    for penalty in (0, 1, 10):
        system = small(loss="wgan_gp", penalty=penalty, norm="none")
        _, values[penalty] = next(system.round(batch_of()))
    assert values[1] > values[0]
    assert torch.allclose(values[10] - values[0], 10 * (values[1] - values[0]))


def test_several_turns_share_the_batch():
    system, shown = small(turns=5, loss="wgan_gp"), []
    batch = batch_of(10)
    system.discriminator.register_forward_pre_hook(lambda _, x: shown.append(x[0]))
    players = [player for player, _ in system.round(batch)]
    assert players == ["discriminator"] * 5 + ["generator"]
    real = shown[:-1:3]  # real, drawn, between them; five times
    assert torch.equal(torch.cat(real), batch.image)
    assert [len(x) for x in shown] == [2] * 16
    uneven = [player for player, _ in system.round(batch_of(12))]
    assert uneven == players, "as many turns whatever the batch"


@pytest.mark.parametrize("precision", ["no", "bf16"])
@pytest.mark.parametrize("loss", LOSSES)
def test_reads_nothing_but_pictures(loss, precision):
    history = fit(small(loss=loss), Repeated(batch_of()), 2, precision=precision,
                  progress=False)  # fmt: skip
    assert all(math.isfinite(x) for values in history.losses.values() for x in values)


def test_same_seed_same_losses():
    one, two = (fit(small(loss="wgan_gp"), Repeated(batch_of()), 2, seed=3,
                    progress=False).losses for _ in range(2))  # fmt: skip
    assert one == two


def test_the_penalty_trains_a_critic_to_slope_one():
    """The loop steps through the gradient of a gradient."""
    system = small(loss="wgan_gp", rates=(1e-2, 0.0), norm="none")
    fit(system, Repeated(batch_of()), 60, progress=False)
    image = batch_of().image.requires_grad_()
    (slope,) = torch.autograd.grad(system.discriminator(image).sum(), image)
    assert 0.5 < slope.flatten(1).norm(dim=1).mean() < 1.5


def test_wgan_gp_at_paper_scale_on_a_gpu():
    turns = assert_plays_on_pretend_cuda(
        lambda: Dcgan.from_preset("paper", **dcgan.WGAN_GP),
        lambda: Batch(torch.zeros(10, 3, 64, 64)),
    )
    assert turns == ["discriminator"] * 5 + ["generator"]


@pytest.mark.parametrize("preset", dcgan.PRESETS)
def test_wgan_gp_has_64_pictures_for_each_turn(preset):
    with torch.device("meta"):
        system = Dcgan.from_preset(preset, **dcgan.WGAN_GP)
    image = torch.zeros(system.settings["batch_size"], 3, 1, 1)
    assert [len(x) for x in image.tensor_split(system.turns)] == [64] * 5


def test_noise_and_rates():
    normal, uniform = small(), small(uniform=True)
    assert normal.draw_noise(1000).std().item() == pytest.approx(1, abs=0.05)
    drawn = uniform.draw_noise(1000)
    assert drawn.abs().max() <= 1
    assert drawn.std().item() == pytest.approx(3**-0.5, abs=0.02)
    paper = dcgan.PRESETS["paper"]
    assert paper["uniform"] and paper["batch_size"] == 128 and "rates" not in paper
    system = small()
    for player in system.players:
        (group,) = system.optimizer(player).param_groups
        assert group["lr"] == 2e-4 and group["betas"] == (0.5, 0.999)
    system = Dcgan.from_preset("smoke", **dcgan.WGAN_GP)
    (group,) = system.optimizer("generator").param_groups
    assert group["lr"] == 1e-4 and group["betas"] == (0.0, 0.9)


def test_sample_draws_with_the_averaged_generator():
    system = small()
    noise = torch.randn(3, 6)
    fit(system, Repeated(batch_of()), 2, progress=False)
    with torch.no_grad():
        averaged = system.averages["generator"].module.eval()(noise)
        last = system.generator.eval()(noise)
    assert torch.equal(system.sample(3, noise), averaged)
    assert not torch.equal(averaged, last)
    assert system.sample(4).shape == (4, 3, 16, 16)
