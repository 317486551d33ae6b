"""The first GAN: its networks, presets, algorithm, and what lesson 01 states."""

import math

import pytest
import torch
from cuda_pretend import assert_plays_on_pretend_cuda
from torch.nn import functional as F

from t2i_course.data import Batch
from t2i_course.measure import gan as measure
from t2i_course.papers import gan
from t2i_course.papers.gan_crowd import GanCrowd
from t2i_course.show import record
from t2i_course.training import History, fit
from t2i_course.worlds.digits import DigitReader, Digits
from t2i_course.worlds.points import Ring


def test_losses_are_v_and_its_halves():
    real, fake = torch.tensor([0.3, -1.0]), torch.tensor([0.5, 2.0])
    d, e = torch.sigmoid(real), torch.sigmoid(fake)
    value = d.log().mean() + (1 - e).log().mean()
    assert gan.discriminator_loss(real, fake) == pytest.approx(-value.item())
    assert gan.saturating_loss(fake) == pytest.approx((1 - e).log().mean().item())
    assert gan.nonsaturating_loss(fake) == pytest.approx(-e.log().mean().item())
    zero = torch.zeros(3)
    assert gan.discriminator_loss(zero, zero) == pytest.approx(math.log(4))


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
def test_the_spiral_and_the_ellipse_of_v_equals_xy(rate):
    x, y = u, v = 0.6, -0.8
    for _ in range(200):
        x, y = gan.simultaneous_step(x, y, rate)
        u, v = gan.alternating_step(u, v, rate)
        assert abs(u * u + v * v - rate * u * v - (1 + 0.48 * rate)) < 1e-6
    assert math.hypot(x, y) == pytest.approx((1 + rate**2) ** 100, rel=1e-9)


def test_the_deviation_is_the_groups_own():
    samples = torch.randn(16, 3)
    made = gan.with_deviation(samples, 8)
    assert made.shape == (16, 4) and torch.equal(made[:, :3], samples)
    want = samples[:8].std(0, unbiased=False).mean()
    assert torch.allclose(made[:8, 3], want, atol=1e-4)
    with pytest.raises(ValueError, match="groups of 8"):
        gan.with_deviation(samples[:9], 8)


def test_the_paper_preset_has_the_released_sizes():
    with torch.device("meta"):
        system = gan.Gan.from_preset("paper")
    counts = [sum(p.numel() for p in system.player(n).parameters())
              for n in system.players]  # fmt: skip
    assert counts == [1_231_441, 2_503_984]
    assert isinstance(system.optimizer("generator"), torch.optim.SGD)
    assert system.learning_rate_factor(1000) == pytest.approx(1.000004**-1000)
    noise = gan.Gan.from_preset("smoke", uniform=True).draw_noise(1000)
    assert noise.abs().max() <= 3**0.5
    assert noise.std().item() == pytest.approx(1, abs=0.02)
    assert gan.PRESETS["paper"]["uniform"] and gan.PRESETS["paper"]["half"]


def test_half_is_one_mean_over_real_and_drawn():
    """The release's objective; the generator's stays as it is."""
    real, fake = torch.randn(2, 20).unbind(0)
    logits, labels = torch.cat([real, fake]), torch.ones(20)
    labels = torch.cat([labels, 0 * labels])
    released = F.binary_cross_entropy_with_logits(logits, labels)
    assert torch.allclose(gan.halved(gan.discriminator_loss)(real, fake), released)
    losses, batch = [], Digits(16).batch(0).to("cpu")
    for half in (False, True):
        torch.manual_seed(0)
        system = gan.Gan.from_preset("smoke", half=half)
        system.rng = torch.Generator().manual_seed(0)
        losses.append([loss.item() for _, loss in system.round(batch)])
    assert losses[1][0] == pytest.approx(losses[0][0] / 2)
    assert losses[1][1] == pytest.approx(losses[0][1])


def test_points_at_paper_size():
    """The unrolled GAN's demonstration: 256 to 128 to 128 to 2, and back."""
    with torch.device("meta"):
        system = gan.points_gan("paper")
    wide = 128 * 128 + 128
    made = sum(p.numel() for p in system.generator.parameters())
    assert made == 256 * 128 + 128 + wide + 128 * 2 + 2
    judged = sum(p.numel() for p in system.discriminator.parameters())
    assert judged == 2 * 128 + 128 + wide + 128 + 1


@pytest.mark.parametrize("preset", gan.PRESETS)
def test_every_preset_plays_on_a_pretend_gpu(preset):
    size = gan.PRESETS[preset]["shape"][-1]

    def batch():
        return Digits(16, side=size).batch(0)

    turns = assert_plays_on_pretend_cuda(lambda: gan.Gan.from_preset(preset), batch)
    assert turns == ["discriminator", "generator"]


def test_points_and_crowd_play_on_a_pretend_gpu():
    def batch():
        return Batch(image=torch.randn(40, 2))

    makers = [
        lambda: gan.points_gan("smoke", group=8),
        lambda: GanCrowd.from_preset("smoke", group=8),
    ]
    for make in makers:
        assert assert_plays_on_pretend_cuda(make, batch) == list(gan.Gan.players)


def test_k_turns_of_the_discriminator():
    system = gan.points_gan("smoke", k=3)
    system.rng = torch.Generator()
    turns = [player for player, _ in system.round(Batch(image=torch.randn(12, 2)))]
    assert turns == ["discriminator"] * 3 + ["generator"]


def test_a_learners_own_parts_are_used():
    used = []

    def play(*arguments):
        used.append("play")
        yield from gan.algorithm_1(*arguments)

    def loss(fake):
        used.append("loss")
        return gan.nonsaturating_loss(fake)

    def deviation(x, group):
        used.append("deviation")
        return gan.with_deviation(x, group)

    system = gan.Gan.from_preset("smoke", play=play, generator_loss=loss,
                                 deviation=deviation)  # fmt: skip
    fit(system, Digits(16), 1, progress=False, device="cpu")
    assert set(used) == {"play", "loss", "deviation"}


def test_same_seed_same_digits_gan():
    made = []
    for _ in range(2):
        torch.manual_seed(0)
        system = gan.Gan.from_preset("smoke")
        fit(system, Digits(16), 3, progress=False, device="cpu")
        system.rng = torch.Generator().manual_seed(1)
        made.append(system.sample(4))
    assert torch.equal(*made) and made[0].shape == (4, 1, 8, 8)
    assert made[0].abs().max() <= 1


def test_a_crowd_plays_its_members_games():
    """One crowd of two gives each member the losses it would have on its own."""
    crowd = GanCrowd.from_preset("smoke", seeds=2, group=8)
    crowd.rng = torch.Generator().manual_seed(0)
    real = Ring(32).batch(0).image
    (_, together), *_ = crowd.round(Batch(image=real))
    z = torch.randn(32, 16, generator=torch.Generator().manual_seed(0))
    alone = 0.0
    for seed in range(2):
        torch.manual_seed(seed)
        maker = gan.Generator((2,), 16, 16)
        judge = gan.Discriminator((2,), 16, group=8, leak=0.0)
        part = slice(16 * seed, 16 * (seed + 1))
        alone += gan.discriminator_loss(judge(real[part]), judge(maker(z[part])))
    assert together.item() == pytest.approx(alone.item(), rel=1e-5)


def test_a_crowd_learns():
    crowd = GanCrowd.from_preset("smoke", seeds=2, rate=2e-3)
    before = crowd.state_dict()["generator.stacked.0"].clone()
    history = fit(crowd, Ring(64), 20, progress=False, device="cpu")
    assert len(history.losses["generator"]) == 20
    assert not torch.equal(before, crowd.state_dict()["generator.stacked.0"])
    assert crowd.sample(7).shape == (2, 7, 2)


# What lesson 01 measures and shows ----------------------------------------------------


def test_speckle_and_clear_digits():
    reader, real = DigitReader(), Digits(split="held-out", side=28).pictures()
    noise = torch.rand(200, 1, 28, 28) * 2 - 1
    assert measure.speckle(torch.ones(2, 1, 8, 8)) == 0
    assert measure.speckle(torch.tensor([[[[-1.0, 1.0], [-1.0, 1.0]]]])) == 1
    assert measure.speckle(noise) > 4 * measure.speckle(real)
    assert measure.clear_digits(reader, real) > 0.9
    assert measure.clear_digits(reader, noise) < 0.05


def test_a_record_comes_back_thinned(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "HERE", tmp_path)
    assert (
        record.recorded("tiny") is None and "not on record" in capsys.readouterr().out
    )
    history = History({"generator": [0.0, 1.0, 2.0, 3.0, 9.0]}, [1, 2, 3, 4, 5])
    looks = {2: torch.full((3, 1, 8, 8), -1.0), 4: torch.ones(3, 1, 8, 8)}
    record.keep("tiny", history, looks, "the command", every=2)
    kept = record.recorded("tiny")
    assert kept.steps == [2, 4] and kept.seen.shape == (2, 3, 1, 8, 8)
    assert kept.seen[0].max() == 0 and kept.seen[1].min() == 255
    assert kept.history.losses == {"generator": [0.5, 2.5]}
    assert kept.history.steps == [2, 4] and kept.command == "the command"
    labels = [text.get_text() for text in kept.figure().texts]
    assert labels == ["tiny on the way (the command)", "step 2", "step 4"]
    assert "Made by" not in kept.figure().alt
    titled = kept.figure("three networks")
    assert (
        titled.alt.startswith("three networks") and "Made by the command" in titled.alt
    )


def test_a_record_keeps_pictures_bit_for_bit_and_points_nearly(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "HERE", tmp_path)
    history = History({"generator": [0.0, 1.0]}, [1, 2])
    rng = torch.Generator().manual_seed(0)
    bytes_ = torch.randint(256, (2, 3, 3, 8, 8), dtype=torch.uint8, generator=rng)
    looks = dict(zip((1, 2), bytes_ / 127.5 - 1))
    record.keep("colours", history, looks, "c", every=1)
    assert torch.equal(record.recorded("colours").seen, bytes_)
    points = torch.randn(2, 5, 300, 2, generator=rng)
    looks = dict(zip((1, 2), points))
    record.keep("points", history, looks, "c", every=1, real=points[0, 0])
    kept = record.recorded("points")
    assert kept.seen.shape == (2, 5, 200, 2) and kept.real.shape == (200, 2)
    assert (kept.seen - points[:, :, :200]).abs().max() < 2e-4
    assert len(kept.figure().axes) == 10


def test_records_are_small():
    for file in record.HERE.glob("course_*.json"):
        assert file.stat().st_size < 180_000, file.name
