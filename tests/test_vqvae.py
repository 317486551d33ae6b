"""VQ-VAE: look-up, the slide's gradient rule, losses, moving averages, revival."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from training_toys import Repeated, count, patches, ready

from t2i_course.data import Batch
from t2i_course.papers import vqvae
from t2i_course.papers.pixelcnn import PixelCnn
from t2i_course.papers.vqvae import VectorQuantizer, VqVae
from t2i_course.training import CheckpointError, fit

SMALL = {"size": 8, "hidden": 6, "entries": 7, "code_size": 3}


def small(**settings):
    return ready(lambda: VqVae(**SMALL | settings))


# Looking up ---------------------------------------------------------------------------


def test_nearest_is_the_smallest_of_all_distances():
    vectors, codebook = torch.randn(50, 4), torch.randn(9, 4)
    assert torch.equal(
        vqvae.nearest(vectors, codebook), torch.cdist(vectors, codebook).argmin(1)
    )


def test_the_toy_of_the_slide():
    """Slide GM-6: a 4 x 4 map of 2 channels, each place to the nearest of K entries."""
    layer = VectorQuantizer(3, 2).eval()
    layer.codebook.data = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    encoded = torch.rand(1, 2, 4, 4)
    found = layer(encoded)
    assert found.vectors.shape == (1, 2, 4, 4) and found.codes.shape == (1, 4, 4)
    for row in range(4):
        for column in range(4):
            point = encoded[0, :, row, column]
            far = (layer.codebook - point).norm(dim=1)
            entry = layer.codebook[found.codes[0, row, column]]
            assert (entry - point).norm() == far.min()
            assert torch.allclose(found.vectors[0, :, row, column], entry, atol=1e-6)
    assert torch.equal(layer.lookup(found.codes), found.entries)


@pytest.mark.parametrize("offset", [0, 3])
def test_half_precision_finds_the_same_entries(offset):
    layer = VectorQuantizer(64, 8, spread=1.0).eval()
    layer.codebook.data += offset
    encoded = torch.randn(200, 8) + offset
    expected = layer.codes(encoded)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer.codes(encoded), expected)
        assert torch.equal(layer(encoded).codes, expected)
        rounded = encoded.bfloat16()
        assert torch.equal(layer.codes(rounded), layer.codes(rounded.float()))


def test_any_number_of_places():
    layer = VectorQuantizer(5, 3).eval()
    assert layer(torch.randn(6, 3)).codes.shape == (6,)
    assert layer(torch.randn(6, 3, 7)).vectors.shape == (6, 3, 7)


# Gradients ----------------------------------------------------------------------------


def test_the_gradient_at_the_entry_is_copied_to_the_encoder():
    """Slide GM-7: what arrives at the entry goes to z_e, and the entry gets nothing."""
    layer = VectorQuantizer(4, 3)
    encoded = torch.randn(2, 3, 2, 2, requires_grad=True)
    found = layer(encoded)
    arriving = torch.randn(2, 3, 2, 2)
    (found.vectors * arriving).sum().backward()
    assert torch.equal(encoded.grad, arriving)
    assert layer.codebook.grad is None
    # The same rule by hand: a decoder's gradient at z_q, whatever the decoder.
    decoder = nn.Linear(3, 3)
    leaf = found.entries.detach().movedim(1, -1).requires_grad_()
    decoder(leaf).pow(3).sum().backward()
    encoded.grad = None
    decoder(layer(encoded).vectors.movedim(1, -1)).pow(3).sum().backward()
    assert torch.allclose(encoded.grad.movedim(1, -1), leaf.grad, atol=1e-5)


def test_who_is_moved_by_which_term():
    z = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    e = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    vqvae.codebook_loss(z, e).backward()
    assert z.grad is None
    assert torch.allclose(e.grad, 2 * (e - z).detach() / 12)
    e.grad = None
    vqvae.commitment_loss(z, e).backward()
    assert e.grad is None
    assert torch.allclose(z.grad, 2 * (z - e).detach() / 12)


def test_three_terms_by_hand():
    z, e = torch.randn(6, 2), torch.randn(6, 2, requires_grad=True)
    square = (z - e).pow(2).mean()
    loss = vqvae.three_term_loss(torch.tensor(3.0), z, e, 0.25)
    assert loss.item() == pytest.approx(3 + 1.25 * square.item(), rel=1e-6)
    frozen = vqvae.three_term_loss(torch.tensor(3.0), z, e.detach(), 0.25)
    assert frozen.item() == pytest.approx(3 + 0.25 * square.item(), rel=1e-6)


def test_all_parts_get_their_gradients():
    system = small()
    ((player, loss),) = system.round(patches(8).batch(0))
    assert player == "autoencoder"
    loss.backward()
    assert all(p.grad is not None for p in system.autoencoder.parameters())


# Moving averages and revival ----------------------------------------------------------


def test_moving_averages_have_their_closed_form():
    """e_k = sum_t d^(n-t) s_t / sum_t d^(n-t) c_t, the beginning counted once."""
    torch.manual_seed(0)
    layer, decay, steps = VectorQuantizer(4, 2, decay=0.8).double(), 0.8, 12
    layer.codebook.copy_(torch.randn(4, 2))
    layer.sums.copy_(layer.codebook)
    counts = [torch.ones(4, dtype=torch.float64)]
    sums = [layer.codebook.clone()]
    for _ in range(steps):
        vectors = torch.randn(30, 2, dtype=torch.float64)
        codes = torch.cdist(vectors, layer.codebook).argmin(1)
        chosen = F.one_hot(codes, 4).double()
        counts.append(chosen.sum(0) * (1 - decay))
        sums.append(chosen.T @ vectors * (1 - decay))
        layer(vectors)
    weight = [decay ** (steps - t) for t in range(steps + 1)]
    uses = sum(w * c for w, c in zip(weight, counts))
    total = sum(w * s for w, s in zip(weight, sums))
    assert torch.allclose(layer.use, uses, atol=1e-5)
    assert torch.allclose(layer.codebook, total / uses[:, None], atol=1e-5)


def test_a_codebook_by_averages_has_no_weights_and_rests_in_evaluation():
    layer = VectorQuantizer(4, 2, decay=0.9)
    assert not list(layer.parameters())
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    layer.eval()(torch.randn(20, 2))
    after = layer.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    layer.train()(torch.randn(20, 2))
    assert not torch.equal(before["codebook"], layer.codebook)


def test_an_entry_that_nobody_chooses_stays():
    layer = VectorQuantizer(2, 1, decay=0.5)
    layer.codebook.copy_(torch.tensor([[0.0], [100.0]]))
    layer.sums.copy_(layer.codebook)
    for _ in range(200):
        layer(torch.randn(8, 1))
    assert layer.codebook[1].item() == pytest.approx(100) and layer.use[1] == 0


@pytest.mark.parametrize("decay", [None, 0.9])
def test_dead_entries_are_put_where_vectors_are(decay):
    layer = VectorQuantizer(6, 2, decay=decay, revive=0.5)
    layer.codebook.data[1:] += 1000
    if decay:
        layer.sums.copy_(layer.codebook)
    vectors = torch.randn(40, 2)
    rng = torch.Generator().manual_seed(0)
    for _ in range(100):
        layer(vectors, rng)
    assert layer.revived >= 5
    assert layer.codebook.abs().max() < 5
    assert vqvae.perplexity(layer(vectors).codes, 6) > 3
    if not decay:  # each revived entry is one of the vectors
        assert torch.cdist(layer.codebook.data[1:], vectors).amin(1).max() < 1e-6


def test_without_revival_they_stay_dead():
    layer = VectorQuantizer(6, 2, decay=0.9)
    layer.codebook[1:] += 1000
    layer.sums.copy_(layer.codebook)
    vectors = torch.randn(40, 2)
    for _ in range(100):
        codes = layer(vectors).codes
    assert vqvae.perplexity(codes, 6).item() == pytest.approx(1) and layer.revived == 0


def test_several_processes_count_together(monkeypatch):
    """Counts and sums are those of all processes, revived entries those of the first"""
    told = []
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda t: t.mul_(2))
    monkeypatch.setattr(torch.distributed, "broadcast", lambda t, _: told.append(t))
    layer = VectorQuantizer(2, 1, decay=0.5, revive=0.1)
    layer(torch.zeros(10, 1))
    assert layer.use.sum().item() == pytest.approx(0.5 * 2 + 0.5 * 20)
    assert len(told) == 1


def test_perplexity():
    assert vqvae.perplexity(torch.arange(8), 8).item() == pytest.approx(8)
    assert vqvae.perplexity(torch.zeros(5, dtype=torch.long), 8).item() == 1
    codes = torch.tensor([[0, 0], [0, 1]])
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    found = vqvae.perplexity(codes, 8)
    assert found.item() == pytest.approx(math.exp(entropy), rel=1e-5)


# The system ---------------------------------------------------------------------------


def test_parameter_counts_at_paper_size():
    """The release's, less its batch norms: one of 2 x 256 a strided layer but the last
    and two a residual block."""
    for channels, released in ((3, 4_882_179), (1, 4_865_793)):
        with torch.device("meta"):
            system = VqVae.from_preset("paper", channels=channels)
        assert count(system) == released - 2 * 256 * (2 + 4 * 2)
    assert count(system) == 4_860_673
    assert system.grid == (32, 32) and system.beta == 0.25


@pytest.mark.parametrize("size", [0, 10])
def test_sizes_that_dont_fit_are_errors(size):
    with pytest.raises(ValueError, match=f"multiple of 4, at least 4, not {size}"):
        small(size=size)


def test_the_first_relu_leaves_the_residual_as_it_is():
    block, x = vqvae.ResidualBlock(4, 4), torch.randn(1, 4, 3, 3)
    kept = x.clone()
    found = block(x)
    assert torch.equal(x, kept)
    assert torch.allclose(found, kept + block.body(kept))


@pytest.mark.parametrize("decay", [None, 0.9])
def test_it_learns_to_paint_from_codes(decay):
    torch.manual_seed(0)
    system = VqVae(**SMALL, decay=decay, revive=0.5, rate=1e-2)
    source = patches(8)
    fit(system, source, 150, progress=False, device="cpu")
    drawn = system.eval().reconstruct(source.one.image)
    assert F.mse_loss(drawn, source.one.image) < 0.4 * source.one.image.var()
    assert drawn.abs().max() <= 1 and system.codes(source.one.image).shape == (8, 2, 2)
    assert system.sample(3).shape == source.one.image[:3].shape


def test_bits_of_a_picture_and_its_codes():
    """Against the level's own probability under the Gaussian, by its distribution."""
    system, image, deviation = small().eval(), patches(8).one.image, 0.5
    levels = 33  # many enough that the density is almost even over one
    image = ((image + 1) * 16).round() / 16 - 1
    found = system.bits_per_dimension(image, deviation, levels=levels)
    mean = system.reconstruct(image)
    bell = torch.distributions.Normal(mean, deviation)
    mass = bell.cdf(image + 1 / 32) - bell.cdf(image - 1 / 32)
    nats = -mass.log().sum((1, 2, 3)) + 4 * math.log(7)
    assert torch.allclose(found, nats / 192 / math.log(2), atol=0.05)
    better = system.bits_per_dimension(image, deviation, torch.zeros(8), levels)
    assert (better < found - 4 * math.log2(7) / 192 + 0.05).all()


@pytest.mark.parametrize("decay", [None, 0.9])
def test_it_plays_in_half_precision(decay):
    system = small(decay=decay, revive=0.5)
    history = fit(system, patches(8), 2, progress=False, device="cpu", precision="bf16")
    assert history.step == 2


def test_the_system_uses_a_learners_own_parts():
    used = []

    def loss(*terms):
        used.append("loss")
        return vqvae.three_term_loss(*terms)

    def nearest(*parts):
        used.append("nearest")
        return vqvae.nearest(*parts)

    layer = VectorQuantizer(7, 3, nearest=nearest)
    system = small(quantizer=layer, loss=loss)
    list(system.round(patches(8).batch(0)))
    assert used == ["nearest", "loss"]


def test_a_trained_one_is_the_coder_of_a_prior(tmp_path):
    path = tmp_path / "vqvae.pt"
    torch.manual_seed(0)
    system = VqVae.from_preset("smoke", **SMALL)
    fit(system, patches(8), 2, progress=False, device="cpu", checkpoint=path)
    coder = vqvae.from_checkpoint(path)
    image = patches(8).one.image
    assert torch.equal(coder.codes(image), system.eval().codes(image))
    prior = PixelCnn.from_preset("smoke", coder=coder, values=7, classes=4)
    batch = Batch(image=image, class_id=torch.arange(8) % 4)
    ((_, loss),) = prior.round(batch)
    assert loss.isfinite() and prior.places == 4
    assert prior.sample(torch.tensor([0, 3])).shape == (2, 3, 8, 8)
    assert not any(p.requires_grad for p in coder.parameters())
    fit(prior, Repeated(batch), 2, progress=False, device="cpu", checkpoint=path)
    with pytest.raises(CheckpointError, match="is of PixelCnn"):
        vqvae.from_checkpoint(path)


def test_a_checkpoint_without_settings_is_refused(tmp_path):
    path = tmp_path / "vqvae.pt"
    fit(small(), patches(8), 1, progress=False, device="cpu", checkpoint=path)
    with pytest.raises(CheckpointError, match=r"all settings .* `t2i train vqvae`"):
        vqvae.from_checkpoint(path)
