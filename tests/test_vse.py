"""VSE and the BiLSTM: published sizes, eq. (4) by hand, packing, their games."""

import math

import pytest
import torch
from training_toys import Repeated, count

from t2i_course.data import Batch
from t2i_course.papers.bilstm import BiLstmEncoder, last_states
from t2i_course.papers.joint_embedding import FalseTwins, JointEmbedding
from t2i_course.papers.vse import GruEncoder, Vse, cosines, vse_loss
from t2i_course.training import fit
from t2i_course.worlds.birds import Birds


def test_published_parameter_counts():
    """The GRU's 541,800 weights; 4,096 features of VGG through a layer without bias."""
    assert count(GruEncoder(2, 300, 300).gru) == 541_800
    with torch.device("meta"):
        paper, published = Vse.from_preset("paper"), Vse(features=4096)
    assert count(paper.encoders["text"].gru) == 541_800
    assert count(published.encoders["image"]) == 1_228_800
    settings = paper.settings
    assert (settings["batch_size"], paper.margin, paper.learning_rate) == (
        64,
        0.2,
        2e-4,
    )
    assert paper.learning_rate_factor(40_000) == 1 and not paper.hardest


def test_the_bilstm_has_attngan_s_size():
    """300 numbers a word, 128 a direction: four gates, two biases, both ways."""
    lstm = BiLstmEncoder(2, 300, 128).lstm
    assert count(lstm) == 2 * (4 * 128 * (300 + 128) + 2 * 4 * 128)


# Eq. (4) ------------------------------------------------------------------------------


def by_hand(images, texts, margin, hardest):
    """Pair by pair in plain numbers."""

    def cosine(a, b):
        dot = sum(x * y for x, y in zip(a, b))
        return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))

    total, gather = 0, max if hardest else sum
    for i, (v, t) in enumerate(zip(images, texts)):
        own = cosine(v, t)
        others = [j for j in range(len(images)) if j != i]
        total += gather(max(0, margin - own + cosine(v, texts[j])) for j in others)
        total += gather(max(0, margin - own + cosine(images[j], t)) for j in others)
    return total / len(images)


@pytest.mark.parametrize("hardest", [False, True])
@pytest.mark.parametrize("margin", [0.2, 1.5])
def test_the_loss_by_hand(margin, hardest):
    torch.manual_seed(0)
    images, texts = torch.randn(2, 5, 4, dtype=torch.double)
    found = vse_loss(images, texts, margin, hardest)
    wanted = by_hand(images.tolist(), texts.tolist(), margin, hardest)
    assert found.shape == () and found.item() == pytest.approx(wanted)


def test_the_loss_sees_directions_alone():
    images, texts = torch.randn(2, 6, 4)
    assert torch.allclose(vse_loss(images, texts), vse_loss(7 * images, texts / 3))
    assert torch.allclose(cosines(images, images).diagonal(), torch.ones(6))


def test_pairs_that_stand_alone_cost_nothing():
    rows = torch.eye(4)
    assert vse_loss(rows, rows) == 0 and vse_loss(rows, rows, hardest=True) == 0
    exchanged = vse_loss(rows, rows.roll(1, 0))
    assert exchanged > vse_loss(rows, rows.roll(1, 0), hardest=True) > 2


def test_the_hardest_alone_pulls_two_partners_a_pair():
    """The gradient of a picture reaches one wrong sentence, not all."""
    torch.manual_seed(1)
    images, texts = torch.randn(2, 6, 4)
    for hardest, least, most in ((True, 1, 2), (False, 3, 6)):
        texts.requires_grad_(True)
        agreement = cosines(images[:1], texts)[0]
        others = agreement[1:]
        wrong = (2 - agreement[0] + others).relu()
        loss = wrong.max() if hardest else wrong.sum()
        (pulled,) = torch.autograd.grad(loss, texts)
        assert least <= int(pulled.any(1).sum()) <= most
    whole = [
        torch.autograd.grad(vse_loss(images, texts, 2.0, hardest), texts)[0]
        for hardest in (False, True)
    ]
    assert whole[0].norm() > 2 * whole[1].norm()


# Packing ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [GruEncoder, BiLstmEncoder])
def test_padding_changes_nothing(kind):
    """Each sentence ends at its own last word, in whatever company it is read."""
    torch.manual_seed(0)
    reader = kind(20, 8, 6)
    tokens, lengths = torch.randint(2, 20, (3, 7)), torch.tensor([3, 7, 1])
    tokens[torch.arange(7) >= lengths[:, None]] = 0
    together = reader(tokens, lengths)
    wider = torch.cat([tokens, torch.zeros(3, 4, dtype=torch.long)], 1)
    assert torch.allclose(together, reader(wider, lengths), atol=1e-6)
    for row, length, found in zip(tokens, lengths, together):
        alone = reader(row[None, :length], length[None])
        assert torch.allclose(alone[0], found, atol=1e-6)


def test_the_last_states_are_those_after_the_last_word():
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(4, 3, batch_first=True, bidirectional=True)
    words = torch.randn(1, 5, 4)
    states, _ = lstm(words[:, :3])
    found = last_states(lstm, words, torch.tensor([3]))
    assert torch.allclose(found[0, :3], states[0, -1, :3])  # from the left: its end
    assert torch.allclose(found[0, 3:], states[0, 0, 3:])  # from the right: its start


@pytest.mark.parametrize("kind", [GruEncoder, BiLstmEncoder])
def test_the_order_of_words_is_read(kind):
    torch.manual_seed(0)
    tokens, lengths = torch.tensor([[2, 3, 4], [4, 3, 2]]), torch.tensor([3, 3])
    one, other = kind(20, 8, 6).of(
        Batch(torch.zeros(0), tokens=tokens, lengths=lengths)
    )
    assert (one - other).abs().max() > 1e-3


# The games ----------------------------------------------------------------------------


def batch_of(count=8, step=0):
    return FalseTwins(Birds("train", 32, individuals=2), count).batch(step)


def test_a_round_is_the_loss_and_the_false_twins():
    torch.manual_seed(0)
    system, batch = Vse.from_preset("smoke").eval(), batch_of()
    system.rng = torch.Generator().manual_seed(0)
    (player, loss), *more = system.round(batch)
    system.rng = torch.Generator().manual_seed(0)  # the same words made unknown
    images, texts = system.encoders["image"](batch.image), system.sentences(batch)
    own = cosines(images, texts[:8]).diagonal()
    twins = cosines(images, texts[8:]).diagonal()
    wanted = vse_loss(images, texts[:8]) + (0.2 - own + twins).relu().mean()
    assert player == "encoders" and not more and torch.allclose(loss, wanted)


def test_a_learner_s_loss_is_played():
    asked = []

    def own(images, texts, margin, hardest):
        asked.append((images.shape, texts.shape, margin, hardest))
        return vse_loss(images, texts, margin, hardest)

    system = Vse.from_preset("smoke", loss=own, hardest=True, margin=0.3)
    fit(system, FalseTwins(Birds("train", 32, individuals=2), 8), 1, progress=False)
    assert asked == [((8, 16), (8, 16), 0.3, True)]


@pytest.mark.parametrize("name", ["vse", "bilstm"])
def test_it_learns_a_batch_by_heart(name, one_thread):
    torch.manual_seed(0)
    if name == "vse":
        system = Vse.from_preset("smoke", steps=60)
    else:
        system = JointEmbedding.from_preset("smoke", steps=60)
        system.encoders["text"] = BiLstmEncoder(153, 16, 16)
    system.learning_rate = 5e-3
    history = fit(system, Repeated(batch_of()), 60, progress=False, device="cpu")
    losses = history.losses["encoders"]
    assert losses[-1] < 0.3 * losses[0]


def test_a_batch_of_one_has_no_other_partner():
    batch = batch_of()
    one = Batch(batch.image[:1], tokens=batch.tokens[:1], lengths=batch.lengths[:1])
    with pytest.raises(ValueError, match="two classes or more"):
        next(Vse.from_preset("smoke").round(one))
