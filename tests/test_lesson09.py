"""Lesson 09's painter, its lab and its figures."""

import pytest
import torch

from t2i_course.measure import birds, variety
from t2i_course.papers.painter import (
    Painter,
    ShakenGenerator,
    alike_cost,
    mirrored,
)
from t2i_course.play.shake_lab import ANEW, ShakeLab
from t2i_course.systems import parameter_counts, shipped
from t2i_course.worlds.bird_captions import named_by
from t2i_course.worlds.birds import Birds


@pytest.fixture(scope="module")
def lab():
    return ShakeLab(
        {"off": shipped("stackgan_off_32"), "wide": shipped("stackgan_wide_32")}
    )


def test_mirrors_turn_some_and_change_nothing_else():
    pictures = torch.rand(64, 3, 8, 8)
    kept = pictures.clone()
    turned = mirrored(pictures, torch.Generator().manual_seed(0))
    same = (turned == pictures).flatten(1).all(1)
    other = (turned == pictures.flip(3)).flatten(1).all(1)
    assert (same ^ other).all()
    assert 16 < int(same.sum()) < 48
    assert torch.equal(pictures, kept)


def test_a_price_on_sameness_by_hand():
    one, other = torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.5)
    noise, others = torch.zeros(2, 7), torch.full((2, 7), 2.0)
    assert alike_cost(one, other, noise, others) == pytest.approx(4.0, rel=1e-3)
    near = alike_cost(one, other / 10, noise, others)
    assert near == pytest.approx(40.0, rel=1e-2)  # ten times as alike
    assert alike_cost(one, one, noise, others).isfinite()


def test_the_price_pushes_apart():
    one = torch.zeros(1, 3, 2, 2)
    other = torch.full((1, 3, 2, 2), 0.1, requires_grad=True)
    alike_cost(one, other, torch.zeros(1, 5), torch.ones(1, 5)).backward()
    assert (other.grad < 0).all()  # downhill is away from `one`


def test_the_painters_draw_is_its_paint():
    network = ShakenGenerator(32, 8, 16, 32, 8).eval()
    noise, text = torch.randn(3, network.noise_size), torch.randn(3, 32)
    pictures, mean, log_sigma = network.draw(noise, text)
    c = mean + log_sigma.exp() * noise[:, 16:]
    assert torch.allclose(pictures, network.paint(c, noise[:, :16]))
    assert pictures.shape == (3, 3, 32, 32)


@pytest.mark.parametrize("change", [{}, {"seeking": 0.0}, {"mirrors": False}])
def test_a_round_reaches_who_plays(change):
    system = Painter.from_preset("smoke", text_encoder=_Reader(), **change)
    system.rng = torch.Generator().manual_seed(0)
    batch = Birds("train", 32, 6).batch(0).to("cpu")
    for player, loss in system.round(batch):
        system.zero_grad()
        loss.backward()
        other = {"discriminator": "generator", "generator": ""}[player]
        assert all(p.grad.isfinite().all() for p in system.player(player).parameters())
        if other:
            assert all(p.grad is None for p in system.player(other).parameters())


class _Reader(torch.nn.Module):
    """Embeddings by a seed."""

    def of(self, batch):
        return torch.randn(len(batch), 256, generator=torch.Generator().manual_seed(1))


def test_rates_rest_then_fall_to_nothing():
    system = Painter.from_preset("smoke", text_encoder=_Reader(), steps=100)
    factors = [system.learning_rate_factor(step) for step in (0, 50, 75, 100)]
    assert factors == [1.0, 1.0, 0.5, 0.0]


def test_the_generator_is_gan_cls_behind_a_cloud():
    ours, theirs = (
        parameter_counts("painter", "paper"),
        parameter_counts("gan_cls", "paper"),
    )
    shaken_, projected = 1024 * 256 + 256, 1024 * 128 + 128
    assert ours["generator"] - shaken_ == theirs["generator"] - projected


# ------------------------------------------------------------------------------ the lab


@pytest.mark.parametrize("anew", ANEW)
def test_without_augmentation_eps_changes_nothing(lab, anew):
    eight = lab.view(name="off", anew=anew)
    alike = bool((eight.pictures == eight.pictures[:1]).all())
    assert alike == (anew == "eps alone")


def test_no_shake_and_one_z_is_one_bird(lab):
    still = lab.view(name="wide", anew="eps alone", shake=0.0).pictures
    assert torch.allclose(still, still[:1].expand_as(still), atol=1e-5)
    assert "Diversity 0.00" in lab.view(name="wide", anew="eps alone", shake=0.0).words


def test_more_shake_more_variety(lab):
    apart = [
        float(lab.view(name="wide", anew="eps alone", shake=s).pictures.std(0).mean())
        for s in (0.0, 0.5, 1.0)
    ]
    assert apart == sorted(apart) and apart[0] < 1e-4 < apart[1]


def test_a_sentence_without_known_words_is_told(lab):
    assert lab.view("zebra").pictures is None
    box = lab.widget("a red bird")
    box.controls[0].value = "zebra"
    assert "zebra" in box.line.value
    before = box.image.value
    box.controls[0].value, box.controls[1].value = "a blue bird", "wide"
    assert box.image.value != before and "Diversity" in box.line.value


def test_by_lot_agrees_with_the_lab(lab):
    batch = birds.unseen_captions(4, 32, seed=5)
    lots = variety.by_lot(lab.systems["off"], batch)
    assert lots["eps"] == 0.0 < lots["z"]


def test_walks_begin_and_end_at_the_sentences(lab):
    wish = birds.asked(["a red bird", "a blue bird"], named_by({})[None].repeat(2, 0))
    system = lab.systems["wide"]
    network = system.network("generator")
    (walk,) = variety.walks(system, wish, stops=5, seed=3)
    means, _ = network.augmentation.spread(system.text_encoder.of(wish))
    z = variety.noise_rows(3, 1, network.z_size).expand(2, -1)
    ends = network.paint(means, z)
    assert torch.allclose(walk[[0, -1]], ends, atol=1e-5)
    assert not torch.allclose(walk[2], walk[0], atol=0.1)
