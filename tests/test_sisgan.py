"""SISGAN: sizes, VGG at rest, kinds of pairs, the round, walks, a style editor."""

import pytest
import torch
from test_gan_cls import batch_of
from torch.nn import functional as F
from training_toys import Repeated, count, ready

from t2i_course.drawing import from_pictures
from t2i_course.papers import sisgan
from t2i_course.papers.gan_cls import GanCls
from t2i_course.papers.joint_embedding import TextEncoder
from t2i_course.papers.sisgan import Generator, Sisgan, VggEncoder
from t2i_course.papers.style_editor import StyleEditor
from t2i_course.systems import parameter_counts
from t2i_course.training import fit

SMALL = {"size": 32, "base": 4, "depth": 4, "blocks": 1, "embedding": 16,
         "condition": 6}  # fmt: skip
DRAWS = {"size": 16, "base": 4, "blocks": 1, "embedding": 16, "condition": 6}


def one(**more):
    reader = TextEncoder(20, 8, 8, 16).requires_grad_(False)
    return ready(lambda: Sisgan(reader, **SMALL | more))


# Sizes --------------------------------------------------------------------------------


def test_parameter_counts_at_paper_size():
    """Those of the reimplementation, with and without VGG."""
    assert parameter_counts("sisgan", "paper") | {"text_encoder": 0} == {
        "text_encoder": 0,
        "generator": 31_028_931,
        "discriminator": 3_937_217,
    }
    with torch.device("meta"):
        with_vgg, without = Generator(vgg=True), Generator()
    assert count(without) == 26_014_851
    assert count(with_vgg.encoder) == 7_640_640
    assert sum(p.numel() for p in with_vgg.parameters() if p.requires_grad) == (
        23_388_291
    )
    assert count(with_vgg.decoder) == 1_478_787
    joined = count(with_vgg.join) + count(with_vgg.blocks)
    assert joined == 21_832_704
    assert count(with_vgg.augmentation) == 2 * 300 * 128


def test_vgg_sees_sixteen_places_and_rests():
    vgg = VggEncoder().train()
    assert not vgg.training and not any(m.training for m in vgg.modules())
    with torch.inference_mode():
        seen = vgg(torch.zeros(1, 3, 64, 64))
    assert seen.shape == (1, 512, 16, 16)
    wide = [m for m in vgg.layers if getattr(m, "dilation", 1) == (2, 2)]
    assert len(wide) == 3 and all(m.out_channels == 512 for m in wide)


def test_vgg_has_torchvisions_names():
    """So that ImageNet's weights can be loaded: the first 33 layers of `features`."""
    from torchvision.models import vgg16_bn

    with torch.device("meta"):
        whole = vgg16_bn(weights=None, init_weights=False).features.state_dict()
        own = VggEncoder().layers.state_dict()
    assert {name: whole[name].shape for name in own} == {
        name: value.shape for name, value in own.items()
    }


def test_one_training_step_at_paper_size_reaches_all_but_vgg():
    torch.manual_seed(0)
    generator = Generator(vgg=True).train()
    drawn = generator(torch.zeros(1, 3, 64, 64), torch.randn(1, 300),
                      torch.randn(1, 128))  # fmt: skip
    assert drawn.shape == (1, 3, 64, 64)
    drawn.square().mean().backward()
    reached = {n for n, p in generator.named_parameters() if p.grad is not None}
    assert reached == {
        n for n, _ in generator.named_parameters() if not n.startswith("encoder")
    }


def test_sizes_that_can_not_be():
    with pytest.raises(ValueError, match="base is 128, downs 2"):
        Generator(base=64, vgg=True)
    with pytest.raises(ValueError, match="size is 16, 32"):
        Generator(size=48)
    with pytest.raises(ValueError, match="pairs is one of all, without wrong"):
        Sisgan(pairs="half")


# Losses -------------------------------------------------------------------------------


def test_adaptive_loss_is_cross_entropy_with_halves():
    real, wrong, made = torch.randn(3, 7).unbind()
    yes, no = torch.ones(7), torch.zeros(7)
    entropy = F.binary_cross_entropy_with_logits
    wanted = entropy(real, yes) + (entropy(wrong, no) + entropy(made, no)) / 2
    torch.testing.assert_close(sisgan.adaptive_loss(real, wrong, made), wanted)
    alone = entropy(real, yes) + entropy(made, no)
    torch.testing.assert_close(sisgan.adaptive_loss(real, None, made), alone)


@pytest.mark.parametrize("many", [2, 5, 8])
def test_relevant_sentences(many):
    """Half of them are a neighbour's, and nobody's is used twice."""
    text = torch.arange(many * 3.0).view(many, 3)
    asked, half = sisgan.relevant(text), many // 2
    assert torch.equal(asked[half:], text[half:])
    assert sorted(asked[:, 0].tolist()) == text[:, 0].tolist()
    if half > 1:
        assert not (asked[:half] == text[:half]).any()


# The round ----------------------------------------------------------------------------


def seen_by(system, monkeypatch):
    """What sentences a round's edits are made by, and how many kinds D is shown."""
    batch, kinds = batch_of(), []
    judged = sisgan.judged_together
    monkeypatch.setattr(
        sisgan, "judged_together",
        lambda d, *pairs: kinds.append(len(pairs)) or judged(d, *pairs),
    )  # fmt: skip
    asked = system.asked(system.embed(batch), batch.class_id)
    for player, loss in system.round(batch):
        assert loss.ndim == 0 and loss.isfinite(), player
    return system.embed(batch), asked, kinds


def test_kinds_of_pairs(monkeypatch):
    text, asked, kinds = seen_by(one(), monkeypatch)
    assert kinds == [3, 3] and torch.equal(asked, sisgan.relevant(text))
    _, _, kinds = seen_by(one(pairs="without wrong"), monkeypatch)
    assert kinds == [2, 2]
    text, asked, kinds = seen_by(one(pairs="without relevant"), monkeypatch)
    assert kinds == [3, 3] and not (asked == text).all(1).any()


def test_each_turn_reaches_its_own_player():
    system = one()
    turns = system.round(batch_of())
    for player, loss in turns:
        weights = list(system.player(player).parameters())
        found = torch.autograd.grad(loss, weights, retain_graph=True)
        assert all(slope.abs().sum() > 0 for slope in found if slope.ndim > 1), player
        other = {"generator": "discriminator"}.get(player, "generator")
        if player == "discriminator":  # what it judges was detached
            rest = list(system.player(other).parameters())
            away = torch.autograd.grad(loss, rest, allow_unused=True, retain_graph=True)
            assert all(slope is None for slope in away)


def test_it_trains_and_edits():
    system = one()
    batch = batch_of()
    history = fit(system, Repeated(batch), 2, device="cpu", progress=False)
    assert history.step == 2
    system.eval()
    once, twice = (from_pictures(system, batch, 3) for _ in range(2))
    assert torch.equal(once, twice) and once.shape == batch.image.shape
    assert once.abs().max() <= 1
    both = from_pictures(system, batch, 3, samples=2)
    assert both.shape[0] == 2 * len(batch)
    text = system.text_encoder.of(batch)
    assert system.sample(batch.image, text).shape == batch.image.shape


def test_own_sentences_and_losses_are_used():
    marks = []

    def mine(text):
        marks.append(len(text))
        return text

    system = one(relevant=mine, loss=lambda real, wrong, made: real.sum() * 0)
    (_, loss), _ = list(system.round(batch_of()))
    assert loss == 0 and marks


def test_rates_are_halved():
    system = one(halve=10)
    assert [system.learning_rate_factor(step) for step in (0, 9, 10, 25)] == [
        1, 1, 0.5, 0.25,
    ]  # fmt: skip


# Walks --------------------------------------------------------------------------------


def test_a_walk_between_sources_ends_at_both():
    torch.manual_seed(0)
    net = Generator(**DRAWS).eval()
    one_, other = torch.rand(2, 2, 3, 16, 16).unbind()
    text, noise = torch.randn(2, 16), torch.randn(2, 6)
    with torch.no_grad():
        for share, source in ((0.0, one_), (1.0, other)):
            torch.testing.assert_close(
                sisgan.between_sources(net, one_, other, text, noise, share),
                net(source, text, noise),
            )


# The style encoder as an editor -------------------------------------------------------


def test_style_editor_draws_by_style_and_sentence():
    reader = TextEncoder(20, 8, 8, 16).requires_grad_(False)
    gan = GanCls(reader, size=32, base=4, depth=4, projected=4, noise_size=5,
                 embedding=16)  # fmt: skip
    from t2i_course.papers.gan_cls import StyleEncoder

    system = StyleEditor(gan, StyleEncoder(32, 4, 5)).eval()
    batch = batch_of()
    text = reader.of(batch)
    with torch.no_grad():
        style = system.generator.style(batch.image)
        drawn = gan.generator.eval()(style, text)
    torch.testing.assert_close(from_pictures(system, batch), drawn)
    torch.testing.assert_close(system.sample(batch.image, text), drawn)
