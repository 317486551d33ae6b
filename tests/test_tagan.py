"""TAGAN's networks and equations, and AttnGAN made an editor."""

import pytest
import torch
from test_gan_cls import batch_of
from torch.nn import functional as F
from training_toys import Repeated, count, ready

from t2i_course.drawing import from_pictures
from t2i_course.papers import attngan_editor, damsm, sisgan, tagan
from t2i_course.papers.tagan import (
    Generator,
    Tagan,
    TextAdaptiveDiscriminator,
    WordReader,
    WordVectors,
)
from t2i_course.training import fit

SMALL = {"size": 32, "base": 4, "depth": 4, "blocks": 1, "downs": 2, "word": 6,
         "hidden": 5, "condition": 3}  # fmt: skip
DRAWS = {name: SMALL[name] for name in SMALL if name != "depth"}


def vectors():
    torch.manual_seed(1)
    made = WordVectors(20, 6)
    with torch.no_grad():
        made.word_vectors.weight[1:].normal_()
    return made


def one(**more):
    return ready(lambda: Tagan(vectors(), **SMALL | more))


# Sizes --------------------------------------------------------------------------------


def test_parameter_counts_at_paper_size():
    """Those of the authors' release."""
    with torch.device("meta"):
        generator, judge = Generator(), TextAdaptiveDiscriminator()
    assert count(generator) == 28_771_651
    assert count(generator.augmentation.reader) == 2_500_608
    assert count(judge) == 15_432_263
    assert count(judge.filters) == 658_179


def test_what_tells_its_editor_from_sisgans():
    """A ReLU after the layer that joins, none after the sums: counts can't tell."""
    with torch.device("meta"):
        own, other = Generator(**DRAWS), sisgan.Generator(16, 4, 1, 6, 3)
    assert isinstance(own.join[-1], torch.nn.ReLU)
    assert isinstance(other.join[-1], torch.nn.BatchNorm2d)
    assert isinstance(own.blocks[0].last, torch.nn.Identity)
    assert isinstance(other.blocks[0].last, torch.nn.ReLU)
    assert own.skip and not other.skip


def test_maps_of_the_judge_at_paper_size():
    with torch.device("meta"):
        judge = TextAdaptiveDiscriminator()
        maps = judge.features(torch.zeros(2, 3, 128, 128))
        assert [tuple(m.shape[1:]) for m in maps] == [
            (256, 16, 16), (512, 8, 8), (512, 4, 4),
        ]  # fmt: skip
        assert judge.alone(maps).shape == (2,)


def test_one_training_step_at_paper_size_reaches_every_weight():
    torch.manual_seed(0)
    generator = Generator().train()
    text = torch.randn(1, 4, 300)
    drawn = generator(torch.zeros(1, 3, 128, 128), text, torch.randn(1, 128))
    assert drawn.shape == (1, 3, 128, 128)
    drawn.square().mean().backward()
    assert all(p.grad is not None for p in generator.parameters())


# Reading ------------------------------------------------------------------------------


def test_padding_changes_nothing():
    torch.manual_seed(0)
    read = WordReader(6, 5)
    text = torch.randn(2, 4, 6)
    text[1, 2:] = 0
    states, mask = read(text)
    alone, own = read(text[1:, :2])
    assert mask.tolist() == [[True] * 4, [True, True, False, False]]
    torch.testing.assert_close(states[1:, :2], alone)
    assert own.all() and not states[1, 2:].any()


def test_it_is_two_grus_whose_states_are_averaged():
    """Against the same weights in cells, word by word."""
    torch.manual_seed(0)
    read, text = WordReader(6, 5), torch.randn(1, 3, 6)
    both = []
    for way, order in (("", (0, 1, 2)), ("_reverse", (2, 1, 0))):
        cell, state, found = torch.nn.GRUCell(6, 5), torch.zeros(1, 5), {}
        own = {k: getattr(read.gru, f"{k}_l0{way}") for k in cell.state_dict()}
        cell.load_state_dict({k: v.detach() for k, v in own.items()})
        for place in order:
            state = cell(text[:, place], state)
            found[place] = state
        both.append(torch.stack([found[i] for i in range(3)], 1))
    torch.testing.assert_close(read(text)[0], sum(both) / 2)


# Equations ----------------------------------------------------------------------------


def test_local_discriminators_are_one_dot_product_a_word():
    v, filters = torch.randn(2, 4), torch.randn(2, 3, 5)
    got = tagan.local_logits(v, filters)
    for b in range(2):
        for i in range(3):
            wanted = filters[b, i, :4] @ v[b] + filters[b, i, 4]
            torch.testing.assert_close(got[b, i], wanted)


def test_word_attention_is_a_softmax_over_words_alone():
    states = torch.randn(2, 3, 4)
    mask = torch.tensor([[True, True, True], [True, True, False]])
    states[1, 2] = 0
    alpha = tagan.word_attention(states, mask)
    u = states[1, :2].mean(0)
    torch.testing.assert_close(alpha[1, :2], (states[1, :2] @ u).softmax(0))
    assert alpha[1, 2] == 0
    torch.testing.assert_close(alpha.sum(1), torch.ones(2))


def test_the_product_as_it_is_written():
    """Eqs. (4) and (5) by probabilities, where these are not too small."""
    logits, alpha = torch.randn(2, 3, 3), torch.rand(2, 3).softmax(1)
    beta = torch.rand(2, 3, 3).softmax(2)
    scores = (beta * logits.sigmoid()).sum(2)
    wanted = scores.pow(alpha).prod(1)
    got = tagan.log_product(logits, beta, alpha)
    torch.testing.assert_close(got.exp(), wanted)
    one_level = tagan.log_product(logits[..., :1], torch.ones(2, 3, 1), alpha)
    wanted = logits[..., 0].sigmoid().pow(alpha).prod(1)
    torch.testing.assert_close(one_level.exp(), wanted)


def test_the_product_is_finite_where_probabilities_are_not():
    logits = torch.full((1, 3, 3), -300.0)
    third = torch.full((1, 3, 3), 1 / 3)
    got = tagan.log_product(logits, third, third[..., 0])
    assert got.item() == pytest.approx(-300)
    assert torch.sigmoid(logits.double()).prod() == 0


def test_log_not_is_exact_at_both_ends():
    far = torch.tensor([-1e-5, -1e-3, -1.0, -40.0, 0.0], dtype=torch.float64)
    got = tagan.log_not(far)
    torch.testing.assert_close(got[:4], torch.log1p(-far[:4].exp()))
    assert got.isfinite().all()


def test_losses_are_the_equations():
    real, made = torch.randn(2, 5).unbind()
    right, wrong = -torch.rand(2, 5).unbind()[0], -torch.rand(5) - 0.1
    entropy, yes, no = F.binary_cross_entropy, torch.ones(5), torch.zeros(5)
    wanted = entropy(real.sigmoid(), yes) + entropy(made.sigmoid(), no)
    wanted = wanted + 10 * (entropy(right.exp(), yes) + entropy(wrong.exp(), no))
    got = tagan.discriminator_loss(real, made, right, wrong, 10.0)
    torch.testing.assert_close(got, wanted)
    wanted = entropy(made.sigmoid(), yes) + 10 * entropy(right.exp(), yes) + 0.2 * 3
    got = tagan.generator_loss(made, right, torch.tensor(3.0), 10.0, 0.2)
    torch.testing.assert_close(got, wanted)
    x = torch.randn(2, 3, 4, 4)
    assert tagan.reconstruction(x, x + 0.5).item() == pytest.approx(0.5)


# The round ----------------------------------------------------------------------------


def test_each_turn_reaches_its_own_player():
    system = one()
    for player, loss in system.round(batch_of()):
        weights = dict(system.player(player).named_parameters())
        found = torch.autograd.grad(loss, list(weights.values()), retain_graph=True)
        dead = [n for n, g in zip(weights, found) if g.ndim > 1 and not g.any()]
        assert not dead, (player, dead)


def test_it_trains_and_edits():
    system, batch = one(), batch_of()
    assert fit(system, Repeated(batch), 2, device="cpu", progress=False).step == 2
    system.eval()
    made = from_pictures(system, batch, 3, samples=2)
    assert made.shape[0] == 2 * len(batch) and made.abs().max() <= 1
    text = system.text_encoder.of(batch)
    assert system.sample(batch.image, text).shape == batch.image.shape


# AttnGAN, an editor -------------------------------------------------------------------


def test_attngan_edits():
    torch.manual_seed(0)
    encoders = damsm.Encoders(20, 6, 8, 32, 4)

    def make():
        return attngan_editor.AttnEditor(
            encoders.eval().requires_grad_(False), seen=4, size=32, stages=1, base=4,
            depth=4, blocks=1, embedding=8, condition=3, lambda_=1.0,
        )  # fmt: skip

    system, batch = ready(make), batch_of()
    assert fit(system, Repeated(batch), 2, device="cpu", progress=False).step == 2
    made = from_pictures(system.eval(), batch, 3)
    assert made.shape == batch.image.shape and made.abs().max() <= 1
    batch.image = -batch.image
    other = from_pictures(system, batch, 3)  # it looks at its picture
    assert not torch.equal(made, other)
