"""The VAE: formulas derived twice, bounds against a known evidence, its decoders."""

import math
from itertools import product

import pytest
import torch
from cuda_pretend import assert_plays_on_pretend_cuda
from torch import distributions, nn
from training_toys import count, ready

from t2i_course.data import Batch
from t2i_course.papers import vae
from t2i_course.papers.vae import Vae
from t2i_course.training import fit
from t2i_course.worlds.digits import Digits


def normal(mean, log_variance):
    return distributions.Normal(mean, (log_variance / 2).exp())


def small(**settings):
    settings = {"shape": (1, 4, 4), "hidden": 8, "latent": 3, **settings}
    return ready(lambda: Vae(**settings), noise=0)


def pictures(many=6, shape=(1, 4, 4)):
    return torch.rand(many, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def images(shape, many=16):
    return Batch(image=pictures(many, shape), class_id=torch.arange(many))


# The formulas -------------------------------------------------------------------------


def test_kl_in_closed_form():
    mean, log_variance = torch.randn(2, 50, 4, dtype=torch.float64).unbind(0)
    found = vae.kl_standard_normal(mean, log_variance)
    prior = distributions.Normal(torch.zeros(()).double(), 1.0)
    expected = distributions.kl_divergence(normal(mean, log_variance), prior)
    assert torch.allclose(found, expected) and (found >= 0).all()
    zero = torch.zeros(1, 4)
    assert (vae.kl_standard_normal(zero, zero) == 0).all()


def test_kl_is_the_mean_of_the_log_ratio():
    """By drawing: E_q[log q(z) - log p(z)], the derivation's first line."""
    mean, log_variance = torch.tensor([[0.7, -1.2]]), torch.tensor([[-0.5, 0.8]])
    noise = torch.randn(100_000, 2, generator=torch.Generator().manual_seed(0))
    z = vae.reparameterize(mean, log_variance, noise)
    zero = torch.zeros_like(mean)
    ratio = vae.log_normal(z, mean, log_variance) - vae.log_normal(z, zero, zero)
    total = vae.kl_standard_normal(mean, log_variance).sum()
    assert ratio.mean().item() == pytest.approx(total.item(), abs=0.02)


def test_reparameterized_draws_and_their_gradients():
    mean = torch.tensor([[1.0, -2.0]], requires_grad=True)
    log_variance = torch.tensor([[0.0, 2.0]], requires_grad=True)
    noise = torch.randn(50_000, 2, generator=torch.Generator().manual_seed(0))
    z = vae.reparameterize(mean, log_variance, noise)
    assert torch.allclose(z.mean(0), mean[0], atol=0.05)
    assert torch.allclose(z.var(0), log_variance[0].exp(), atol=0.15)
    # d E[z^2] / d mu = 2 mu, and d E[z^2] / d log sigma^2 = sigma^2.
    z.square().mean(0).sum().backward()
    assert torch.allclose(mean.grad, 2 * mean.detach(), atol=0.1)
    assert torch.allclose(log_variance.grad, log_variance.detach().exp(), atol=0.2)


def test_likelihoods_against_distributions():
    logits, pixels = torch.randn(3, 1, 4, 4), (torch.rand(3, 1, 4, 4) > 0.5).float()
    expected = distributions.Bernoulli(logits=logits).log_prob(pixels).sum((1, 2, 3))
    assert torch.allclose(vae.bernoulli_log_likelihood(logits, pixels), expected)
    mean, x, log_deviation = torch.randn(3, 5), torch.randn(3, 5), torch.tensor(-0.7)
    expected = distributions.Normal(mean, log_deviation.exp()).log_prob(x).sum(1)
    found = vae.gaussian_log_likelihood(mean, log_deviation, x)
    assert torch.allclose(found, expected, atol=1e-5)


def test_the_bernoulli_likelihood_sums_to_one_and_the_gaussian_integrates_to_one():
    every = torch.tensor(list(product([0.0, 1.0], repeat=4)))
    logits = torch.randn(4).expand(16, -1)
    total = vae.bernoulli_log_likelihood(logits, every).exp().sum()
    assert total.item() == pytest.approx(1, abs=1e-5)
    x = torch.linspace(-10, 10, 4001)[:, None]
    density = vae.gaussian_log_likelihood(torch.zeros(1, 1), torch.tensor(0.3), x).exp()
    assert density.sum().item() * 0.005 == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("levels", [2, 17])
def test_rounded_probabilities_sum_to_one_and_are_the_bells(levels):
    x = torch.linspace(-1, 1, levels).double()[:, None]
    mean, deviation = torch.tensor([[0.3]]).double(), torch.tensor(0.2).double()
    width = 2 / (levels - 1)
    found = vae.rounded_log_likelihood(mean, deviation.log(), x, width).exp()
    assert found.sum().item() == pytest.approx(1, abs=1e-12)
    bell = distributions.Normal(0.3, deviation)
    middle = bell.cdf(x[1:-1] + width / 2) - bell.cdf(x[1:-1] - width / 2)
    assert torch.allclose(found[1:-1], middle[:, 0])
    assert torch.allclose(found[:1], bell.cdf(x[0] + width / 2))


@pytest.mark.parametrize("mean", [-1.0, 0.1, 40.0])
def test_far_from_its_bell_a_level_is_unlikely_but_finite(mean):
    mean = torch.full((17, 1), mean, requires_grad=True)
    log_deviation = torch.tensor(-3.0, requires_grad=True)
    x = torch.linspace(-1, 1, 17)[:, None]
    found = vae.rounded_log_likelihood(mean, log_deviation, x, 1 / 8)
    found.sum().backward()
    assert found.isfinite().all() and (found <= 0).all()
    assert mean.grad.isfinite().all() and log_deviation.grad.isfinite()


def test_dequantization_is_a_bound():
    """E[density * spacing] over the noise is the level's mass; E[log] is below log."""
    spacing, level, deviation = 0.5, 0.25, 0.4
    x = torch.full((20_000, 1), level)
    noisy = vae.dequantize(x, spacing, torch.Generator().manual_seed(0))
    assert (noisy - level).abs().max() <= spacing / 2
    log_deviation = torch.tensor(math.log(deviation))
    log_density = vae.gaussian_log_likelihood(torch.zeros(1), log_deviation, noisy)
    found = log_density.mean() + math.log(spacing)
    bell = distributions.Normal(0.0, deviation)
    edges = torch.tensor([level - spacing / 2, level + spacing / 2])
    low, high = bell.cdf(edges)
    assert (high - low).log() - 0.1 < found < (high - low).log()
    assert (log_density.exp() * spacing).mean().item() == pytest.approx(
        (high - low).item(), rel=5e-3
    )


def test_elbo_and_free_bits():
    log_likelihood, kl = torch.tensor([-3.0, -5.0]), torch.tensor([[1.0, 0], [0, 0.2]])
    assert torch.allclose(vae.elbo(log_likelihood, kl), torch.tensor([-4.0, -5.2]))
    assert torch.allclose(vae.elbo(log_likelihood, kl, 0), log_likelihood)
    kl.requires_grad_()
    paid = vae.free_bits(kl, 0.3)
    assert torch.allclose(paid, torch.tensor([[0.5, 0.3]]))
    paid.sum().backward()
    assert torch.allclose(kl.grad, torch.tensor([[0.5, 0.0], [0.5, 0.0]]))


def test_importance_bound_of_weights():
    log_weights = torch.randn(7, 5)
    expected = log_weights.exp().mean(0).log()
    assert torch.allclose(vae.importance_bound(log_weights), expected, atol=1e-6)
    assert torch.equal(vae.importance_bound(log_weights[:1]), log_weights[0])


# Bounds where the evidence is known ---------------------------------------------------


class LinearEncoder(nn.Module):
    """The posterior of x = W z + sigma eps, or one that is too wide."""

    def __init__(self, weight, deviation, too_wide=1.0):
        super().__init__()
        self.precision = 1 + weight.square().sum(0) / deviation**2
        self.weight, self.deviation, self.too_wide = weight, deviation, too_wide

    def forward(self, x):
        mean = x.flatten(1) @ self.weight / self.deviation**2 / self.precision
        variance = self.too_wide / self.precision
        return mean, variance.log().expand_as(mean)


def linear_gaussian(too_wide=1.0):
    """A VAE whose evidence is known, five pictures, and log p(x) of each."""
    rng, deviation = torch.Generator().manual_seed(1), 0.6
    square = torch.linalg.qr(torch.randn(4, 4, generator=rng).double())[0]
    weight = square[:, :2] * torch.tensor([1.5, 0.7])  # orthogonal columns
    system = small(shape=(1, 2, 2), latent=2, likelihood="gaussian").double()
    net = nn.Sequential(nn.Linear(2, 4, bias=False), nn.Unflatten(1, (1, 2, 2)))
    net[0].weight = nn.Parameter(weight)
    decoder = vae.GaussianDecoder(net).double()
    decoder.spacing, decoder.log_deviation.data = 0.0, torch.tensor(math.log(deviation))
    system.autoencoder["encoder"] = LinearEncoder(weight, deviation, too_wide)
    system.autoencoder["decoder"] = decoder
    x = torch.randn(5, 1, 2, 2, generator=rng).double()
    covariance = weight @ weight.T + deviation**2 * torch.eye(4)
    zero = torch.zeros(4).double()
    evidence = distributions.MultivariateNormal(zero, covariance).log_prob(x.flatten(1))
    return system, x, evidence


@pytest.mark.parametrize("draws", [1, 5])
def test_with_the_true_posterior_every_bound_is_the_evidence(draws):
    system, x, evidence = linear_gaussian()
    assert torch.allclose(system.importance_bound(x, draws), evidence, atol=1e-5)


def test_bounds_are_in_order():
    """ELBO <= more draws <= log p(x), on average over the noise.

    With q three times too wide in both directions, the ELBO is below log p(x) by
    KL(q || posterior) = 2 (3 - 1 - log 3) / 2 nats.
    """
    system, x, evidence = linear_gaussian(too_wide=3.0)
    many = x.repeat(2000, 1, 1, 1)
    log_weights = system.log_weights(many, 20).view(-1, 5)
    means = [
        vae.importance_bound(log_weights.view(draws, -1, 5)).mean(0)
        for draws in (1, 4, 40)
    ]
    for lower, higher in zip(means, [*means[1:], evidence]):
        assert lower.mean() < higher.mean() and (lower < higher + 0.02).all()
    assert (evidence - means[-1] < 0.05).all()
    elbo = evidence - (2 - math.log(3))
    assert torch.allclose(means[0], elbo, atol=0.1)
    exact = system.bound(many).view(-1, 5).mean(0)
    assert torch.allclose(exact, elbo, atol=0.2)


def test_bits_of_the_system():
    system, x, evidence = linear_gaussian()
    system.decoder.spacing = 0.0001
    bits = system.bits_per_dimension(x, 4)
    expected = -(evidence + 4 * math.log(0.0001)) / 4 / math.log(2)
    assert torch.allclose(bits, expected, atol=1e-3)


# The networks and their decoders ------------------------------------------------------


def test_parameter_count_at_paper_size():
    with torch.device("meta"):
        system = Vae.from_preset("paper")
    assert count(system) == 652_824


@pytest.mark.parametrize(
    ("shape", "network"), [((1, 8, 8), "mlp"), ((3, 16, 16), "conv")]
)
def test_shapes_of_networks(shape, network):
    encoder = vae.Encoder(shape, 8, 5, network)
    mean, log_variance = encoder(pictures(6, shape))
    assert mean.shape == log_variance.shape == (6, 5)
    assert vae.painter(shape, 8, 5, network)(mean).shape == (6, *shape)


@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_half_precision_keeps_a_small_kl(network):
    torch.manual_seed(0)
    encoder, x = vae.Encoder((3, 16, 16), 8, 5, network), pictures(6, (3, 16, 16))
    encoder.net[-1].weight.data.mul_(0.05)  # close to the prior
    encoder.net[-1].bias.data.zero_()
    expected = vae.kl_standard_normal(*encoder(x))
    with torch.autocast("cpu", torch.bfloat16):
        mean, log_variance = encoder(x)
        found = vae.kl_standard_normal(mean, log_variance)
    assert mean.dtype == log_variance.dtype == torch.float32
    assert (found >= -1e-7).all()
    assert torch.allclose(found.sum(1), expected.sum(1), rtol=0.05)


def test_unknown_names_are_errors():
    with pytest.raises(ValueError, match="'gausian'; there are bernoulli, gaussian"):
        small(likelihood="gausian")
    for likelihood in vae.LIKELIHOODS:
        with pytest.raises(ValueError, match="'mpl'; there are mlp, conv"):
            small(network="mpl", likelihood=likelihood)


@pytest.mark.parametrize("side", [4, 24])
def test_sizes_that_dont_fit_the_convolutions_are_errors(side):
    with pytest.raises(ValueError, match=f"size is 8, 16, .* not {side}"):
        small(shape=(3, side, side), network="conv")
    with pytest.raises(ValueError, match="square pictures, not 16 x 32"):
        vae.painter((3, 16, 32), 8, 3, "conv")
    small(shape=(3, side, side))


def test_pixels_as_each_decoder_observes_them():
    image = pictures()
    black_and_white = small().decoder.observe(image)
    assert torch.equal(black_and_white, image.sign())
    assert torch.equal(
        small(likelihood="pixelcnn").decoder.observe(image), image.sign()
    )
    scans = Digits(split="held-out").pictures()
    rounded = small(likelihood="rounded", levels=17).decoder.observe(scans)
    assert (rounded - scans).abs().max() < 0.004  # bytes on disk: 255 has no 16 parts
    assert len(rounded.unique()) == 17
    noisy = small(likelihood="gaussian", levels=17).decoder.observe(image)
    assert 0 < (noisy - image).abs().max() <= 1 / 16


@pytest.mark.parametrize("likelihood", ["bernoulli", "rounded", "pixelcnn"])
def test_probabilities_given_z_sum_to_one(likelihood):
    system = small(shape=(1, 2, 2), likelihood=likelihood)
    every = torch.tensor(list(product([-1.0, 1.0], repeat=4))).view(-1, 1, 2, 2)
    z = torch.randn(1, 3).expand(16, -1)
    total = system.decoder.log_likelihood(every, z).exp().sum()
    assert total.item() == pytest.approx(1, abs=1e-5)


# The system ---------------------------------------------------------------------------


@pytest.mark.parametrize("likelihood", vae.LIKELIHOODS)
def test_each_likelihood_plays_paints_and_is_measured(likelihood):
    system, image = small(likelihood=likelihood), pictures()
    ((player, loss),) = system.round(Batch(image=image))
    loss.backward()
    assert player == "autoencoder"
    assert all(p.grad is not None for p in system.parameters())
    for drawn in (system.sample(6), system.reconstruct(image)):
        assert drawn.shape == image.shape and drawn.abs().max() <= 1
    assert system.bits_per_dimension(image, 3).shape == (6,)
    assert system.kl_per_latent(image).shape == (3,)
    assert system.encode(image).shape == (6, 3)


def test_the_loss_is_the_bound():
    system, image = small(), pictures()
    ((_, loss),) = system.round(Batch(image=image))
    system.rng = torch.Generator().manual_seed(0)
    assert loss.item() == pytest.approx(-system.bound(image).mean().item(), rel=1e-5)


def test_beta_warm_up_and_free_bits_in_the_round():
    image = Batch(image=pictures())
    system = small(beta=2.0, warm=4)
    found = [float(system.next_beta()) for _ in range(6)]
    assert found == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.0, 2.0])
    assert system.rounds == 6 and "rounds" in system.state_dict()
    assert float(system.eval().next_beta()) == 2.0 and system.rounds == 6
    system = small(free=5.0)
    ((_, loss),) = system.round(image)
    loss.backward()  # all KL is below 5 nats: it costs 15 and pulls at nothing
    system.rng = torch.Generator().manual_seed(0)
    z = system.encode(image.image)
    x = system.decoder.observe(image.image)
    paid = -system.decoder.log_likelihood(x, z).mean() + 15
    assert loss.item() == pytest.approx(paid.item(), rel=1e-5)


def test_a_learners_own_parts_are_used():
    used = []

    def own(name):
        def call(*arguments):
            used.append(name)
            return getattr(vae, name)(*arguments)

        return call

    names = {"reparameterize": "reparameterize", "kl": "kl_standard_normal",
             "floor": "free_bits", "elbo": "elbo"}  # fmt: skip
    system = small(free=0.1, **{key: own(name) for key, name in names.items()})
    list(system.round(Batch(image=pictures())))
    assert used == list(names.values())


def test_it_learns_digits():
    torch.manual_seed(0)
    system = Vae.from_preset("smoke", rate=1e-2)
    held = Digits(split="held-out").pictures()
    system.rng = torch.Generator().manual_seed(0)
    before = system.bits_per_dimension(held, 4).mean()
    fit(system, Digits(64), 100, progress=False, device="cpu")
    after = system.bits_per_dimension(held, 4).mean()
    assert after < 0.85 * before and system.kl_per_latent(held).sum() > 1


@pytest.mark.parametrize("preset", vae.PRESETS)
@pytest.mark.parametrize(
    "extra", [vae.BIRDS, vae.GREY, vae.PIXELCNN], ids=["birds", "grey", "pixelcnn"]
)
def test_other_presets_would_play_on_a_gpu(preset, extra):
    settings = extra[preset]
    shape = settings.get("shape") or vae.PRESETS[preset]["shape"]
    turns = assert_plays_on_pretend_cuda(
        lambda: Vae.from_preset(preset, **settings, warm=10, free=0.1),
        lambda: images(shape),
    )
    assert turns == ["autoencoder"]
