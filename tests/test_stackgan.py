"""StackGAN: sizes, conditioning augmentation, losses, the two stages' rounds."""

import math

import pytest
import torch
from test_gan_cls import batch_of
from torch.distributions import Normal, kl_divergence
from training_toys import Repeated, count, ready

from t2i_course.papers import stackgan, stackgan_two
from t2i_course.papers.joint_embedding import TextEncoder
from t2i_course.papers.painter import ShakenGenerator
from t2i_course.papers.stackgan import StackGan, StageOne
from t2i_course.papers.stackgan_two import StackGanTwo, StageTwo
from t2i_course.training import fit

SMALL = {"size": 16, "base": 8, "depth": 4, "z_size": 6, "embedding": 16,
         "condition": 8}  # fmt: skip
ONE = {name: SMALL[name] for name in SMALL if name != "depth"}
TWO = {"size": 32, "base": 4, "depth": 4, "blocks": 1, "embedding": 16,
       "condition": 8}  # fmt: skip


def reader():
    return TextEncoder(20, 8, 8, 16).requires_grad_(False)


def one(**more):
    return ready(lambda: StackGan(reader(), **SMALL | more))


def two(**more):
    return ready(lambda: StackGanTwo(reader(), StageOne(**ONE), **TWO | more))


# Sizes --------------------------------------------------------------------------------


def test_parameter_counts_at_paper_size():
    """Those of the authors' PyTorch release."""
    with torch.device("meta"):
        first, second = StackGan.from_preset("paper"), StackGanTwo.from_preset("paper")
    assert count(first.generator) == 10_301_248
    assert count(first.discriminator) == 5_715_713
    assert count(first.generator.augmentation) == 262_400
    own = count(second.generator) - count(second.generator.sketcher)
    assert own == 26_290_080
    assert count(second.discriminator) == 71_269_122


def test_paper_sizes_pass_forward():
    with torch.device("meta"):
        network = StackGanTwo.from_preset("paper").generator
        noise = torch.empty(2, network.noise_size)
        drawn = network(noise, torch.empty(2, 1024))
    assert network.noise_size == 100 + 128 + 128
    assert drawn.shape == (2, 3, 256, 256)


@pytest.mark.parametrize("size", [16, 32, 64])
@pytest.mark.parametrize("augment", stackgan.AUGMENTATIONS)
def test_stage_one_shapes(size, augment):
    network = StageOne(**ONE | {"size": size, "augment": augment}).eval()
    assert network.noise_size == 6 + (0 if augment == "off" else 8)
    with torch.no_grad():
        drawn = network(torch.randn(3, network.noise_size), torch.randn(3, 16))
    assert drawn.shape == (3, 3, size, size) and drawn.abs().max() <= 1


@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_discriminator_ends_at_eight_times_depth_or_less(size):
    network = stackgan.Discriminator(size, 4, 8, unconditional=True).eval()
    seen = network.features(torch.randn(2, 3, size, size))
    assert seen.shape == (2, min(size // 8 * 4, 32), 4, 4)
    assert network.match(seen, torch.randn(2, 8)).shape == (2,)
    assert network.alone(seen).shape == (2,)


def test_what_does_not_fit_is_refused_in_words():
    with pytest.raises(ValueError, match="augment is one of"):
        StageOne(**ONE | {"augment": "sometimes"})
    with pytest.raises(ValueError, match="larger than its sketches of 16"):
        StageTwo(StageOne(**ONE), size=16)


# Conditioning augmentation ------------------------------------------------------------


def test_kl_against_torch_distributions():
    mean, log_sigma = torch.randn(2, 5, 7, dtype=torch.float64).unbind(0)
    standard = Normal(torch.zeros_like(mean), torch.ones_like(mean))
    whole = kl_divergence(Normal(mean, log_sigma.exp()), standard)
    found = stackgan.kl_to_standard(mean, log_sigma)
    assert torch.allclose(found, whole.mean())
    assert torch.allclose(7 * found, whole.sum(1).mean())
    zero = torch.zeros(2, 3)
    assert stackgan.kl_to_standard(zero, zero) == 0


def test_draws_have_the_mean_and_the_spread():
    mean, log_sigma = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, -1.0]])
    noise = torch.randn(40_000, 2, generator=torch.Generator().manual_seed(0))
    draws = stackgan.shaken(mean, log_sigma, noise)
    assert torch.allclose(draws.mean(0), mean[0], atol=0.03)
    assert torch.allclose(draws.std(0), log_sigma[0].exp(), rtol=0.02)


def test_released_sigma_is_never_below_one():
    text, noise = torch.randn(50, 16), torch.randn(50, 8)
    free, released = (
        stackgan.ConditioningAugmentation(16, 8, a) for a in ("drawn", "released")
    )
    released.load_state_dict(free.state_dict())
    mean, log_sigma = released.spread(text)
    assert mean.min() >= 0 and log_sigma.min() >= 0
    assert free.spread(text)[1].min() < 0 and free.spread(text)[0].min() < 0
    wanted = free.project(text).relu()[:, 8:]  # the release's log sigma^2
    assert torch.allclose((2 * log_sigma), wanted)
    c, mean, log_sigma = released(text, noise)
    assert torch.allclose(c, mean + (0.5 * wanted).exp() * noise)


def test_without_augmentation_there_is_no_lot():
    network = StageOne(**ONE | {"augment": "off"}).eval()
    c, mean, log_sigma = network.augmentation(torch.randn(4, 16), torch.zeros(4, 0))
    assert log_sigma is None and torch.equal(c, mean)


# Losses -------------------------------------------------------------------------------


def test_losses_against_logs_of_sigmoids():
    logits = torch.randn(5, 40, dtype=torch.float64).unbind(0)
    right, fake, wrong, real, drawn = logits
    s = [torch.sigmoid(x) for x in logits]
    good = -(s[0].log().mean() + s[3].log().mean()) / 2
    bad = -sum((1 - x).log().mean() for x in (s[1], s[2], s[4])) / 3
    found = stackgan_two.joint_discriminator_loss((right, fake, wrong), (real, drawn))
    assert torch.allclose(found, good + bad)


@pytest.mark.parametrize("make", [one, two])
def test_losses_of_an_undecided_judge(make):
    """log 4 for the judge, log 2 or twice that for the painter, and the KL term."""
    system = make(kl=0.0)
    for network in (system.discriminator.judge, system.discriminator.real):
        if network is not None:
            last = network[-1] if isinstance(network, torch.nn.Sequential) else network
            torch.nn.init.zeros_(last.weight)
            torch.nn.init.zeros_(last.bias)
    batch = batch_of(size=system.generator.size)
    found = {player: loss.item() for player, loss in system.round(batch)}
    heads = 1 if system.discriminator.real is None else 2
    assert found["discriminator"] == pytest.approx(math.log(4), abs=1e-5)
    assert found["generator"] == pytest.approx(heads * math.log(2), abs=1e-5)


@pytest.mark.parametrize("make", [one, two])
def test_kl_is_weighed_into_the_generators_loss(make):
    found = []
    for weight in (0.0, 3.0):
        system = make(kl=weight)
        system.rng = torch.Generator().manual_seed(1)
        batch = batch_of(size=system.generator.size)
        *_, (_, loss) = system.round(batch)
        found.append(loss.item())
    text = system.embed(batch)
    kl = stackgan.kl_to_standard(*system.generator.augmentation.spread(text))
    assert found[1] - found[0] == pytest.approx(3 * kl.item(), rel=1e-4)


# Rounds -------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [one, two])
def test_the_judge_does_not_move_what_it_hears(make):
    """mu is heard detached: the judge's loss has no gradient for the generator."""
    system = make()
    turns = system.round(batch_of(size=system.generator.size))
    _, loss = next(turns)
    weights = [p for p in system.generator.parameters() if p.requires_grad]
    grads = torch.autograd.grad(loss, weights, allow_unused=True)
    assert all(g is None for g in grads)


@pytest.mark.parametrize("augment", stackgan.AUGMENTATIONS)
def test_every_weight_of_stage_one_learns(augment):
    system = one(augment=augment)
    before = {n: p.clone() for n, p in system.generator.named_parameters()}
    fit(system, Repeated(batch_of(size=16)), 3, device="cpu", progress=False)
    for name, parameter in system.generator.named_parameters():
        assert not torch.equal(before[name], parameter), name


@pytest.mark.parametrize("reads", [True, False])
def test_stage_one_rests_in_stage_two(reads):
    system = two(reads=reads)
    before = {n: t.clone() for n, t in system.generator.state_dict().items()}
    fit(system, Repeated(batch_of(size=32)), 3, device="cpu", progress=False)
    for name, tensor in system.generator.state_dict().items():
        same = torch.equal(before[name], tensor)
        assert same == name.startswith("sketcher."), name
    assert not system.generator.sketcher.training


def test_stage_two_redraws_stage_ones_picture():
    """The sketch is stage I's picture for its part of the noise; eps is the rest."""
    network = two().generator.eval()
    noise, text = torch.randn(3, network.noise_size), torch.randn(3, 16)
    own = network.sketcher.noise_size
    with torch.no_grad():
        sketch = network.sketch(noise, text)
        assert torch.equal(sketch, network.sketcher(noise[:, :own], text))
        drawn, *_ = network.refine(sketch, text, noise[:, own:])
        assert torch.equal(drawn, network(noise, text))
        shifted = torch.cat([noise[:, :own], noise[:, own:] + 1], 1)
        assert not torch.equal(drawn, network(shifted, text))


def test_stage_two_may_stand_over_the_painter():
    """Whatever has a cloud and makes pictures can be the sketcher, and then rests."""
    painter = ShakenGenerator(size=16, base=8, embedding=16, condition=8)
    system = ready(lambda: StackGanTwo(reader(), painter, **TWO))
    before = {n: t.clone() for n, t in painter.state_dict().items()}
    fit(system, Repeated(batch_of(size=32)), 2, device="cpu", progress=False)
    for name, tensor in system.generator.sketcher.state_dict().items():
        assert torch.equal(before[name], tensor), name
    assert "painter" in stackgan_two.SKETCHER.also


def test_stage_two_without_text_hears_none():
    network = two(reads=False).generator.eval()
    sketch = torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        a, b = (
            network.refine(sketch, torch.randn(2, 16), torch.zeros(2, 0))[0]
            for _ in range(2)
        )
    assert torch.equal(a, b) and network.noise_size == network.sketcher.noise_size


def test_averaged_stage_two_draws():
    system = two()
    fit(system, Repeated(batch_of(size=32)), 2, device="cpu", progress=False)
    assert system.sample(torch.randn(4, 16)).shape == (4, 3, 32, 32)
