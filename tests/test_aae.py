"""The adversarial autoencoder: its three turns, its sizes, the prior it reaches."""

import pytest
import torch
from torch.nn import functional as F
from training_toys import ready

from t2i_course.data import Batch
from t2i_course.measure.samples import two_sample_test
from t2i_course.papers import gan
from t2i_course.papers.aae import Aae
from t2i_course.training import fit
from t2i_course.worlds.digits import Digits


def small(**settings):
    return ready(lambda: Aae.from_preset("smoke", **settings), noise=0)


def batch():
    return Digits(16).batch(0).to("cpu")


def test_parameter_counts_at_paper_size():
    with torch.device("meta"):
        system = Aae.from_preset("paper")
    parts = [*system.autoencoder.values(), system.discriminator]
    counts = [sum(p.numel() for p in part.parameters()) for part in parts]
    assert counts == [1_794_008, 1_794_784, 1_011_001]
    assert system.deviation == 5 and system.settings["batch_size"] == 100


def test_the_priors_deviation():
    codes = small(deviation=5.0).draw_codes(2000)
    assert codes.std().item() == pytest.approx(5, rel=0.05)
    moved = small(deviation=5.0, prior=lambda noise: noise + 1).draw_codes(2000)
    assert moved.std().item() == pytest.approx(1, rel=0.05)


def test_each_turn_is_its_players():
    """Who gets a gradient, and the losses written out."""
    system, image = small(), batch().image
    encoder, decoder = system.autoencoder["encoder"], system.autoencoder["decoder"]
    turns = system.round(batch())
    player, loss = next(turns)
    assert player == "autoencoder"
    assert torch.equal(loss, F.mse_loss(decoder(encoder(image)), image))
    player, loss = next(turns)
    loss.backward()
    assert player == "discriminator"
    assert all(p.grad is None for p in system.autoencoder.parameters())
    assert all(p.grad is not None for p in system.discriminator.parameters())
    real = torch.randn(16, 2, generator=torch.Generator().manual_seed(0))
    chance, fooled = (system.judge(c).sigmoid() for c in (real, encoder(image)))
    expected = -chance.log().mean() - (1 - fooled).log().mean()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    player, loss = next(turns)
    loss.backward()
    assert player == "autoencoder.encoder"
    assert loss.item() == pytest.approx(-fooled.log().mean().item(), rel=1e-5)
    assert all(p.grad is not None for p in encoder.parameters())
    assert all(p.grad is None for p in decoder.parameters())


def test_the_encoder_of_two_players_is_one_network():
    system = small(rates=(1e-3, 2e-3, 3e-3))
    optimizers = [system.optimizer(name) for name in system.players]
    assert [o.param_groups[0]["lr"] for o in optimizers] == [1e-3, 2e-3, 3e-3]
    shared = {id(p) for p in optimizers[2].param_groups[0]["params"]}
    assert shared < {id(p) for p in optimizers[0].param_groups[0]["params"]}


def test_codes_come_to_look_like_the_prior():
    """Codes begin far from N(0, 1), and after some rounds much nearer."""
    system = small(hidden=32, rates=(1e-3, 1e-3, 1e-3))
    pictures = Digits(split="all").pictures()[:300]
    prior = torch.randn(300, 2, generator=torch.Generator().manual_seed(1))
    before = two_sample_test(system.encode(pictures), prior, 100)
    fit(system, Digits(64), 300, progress=False, device="cpu")
    after = two_sample_test(system.encode(pictures), prior, 100)
    assert before.p < 0.02 and after.distance < before.distance / 4
    assert system.sample(5).shape == (5, 1, 8, 8)
    assert system.reconstruct(pictures).abs().max() <= 1


def test_a_prior_and_losses_of_ones_own():
    used = []

    def loss(fake):
        used.append("loss")
        return gan.nonsaturating_loss(fake)

    def ring(noise):
        return F.normalize(noise, dim=1)

    system = small(prior=ring, generator_loss=loss)
    assert torch.allclose(system.draw_codes(9).norm(dim=1), torch.ones(9))
    turns = list(system.round(Batch(image=batch().image)))
    assert [player for player, _ in turns] == list(Aae.players) and used == ["loss"]
