"""Conditional GANs, AC-GAN and TAC-GAN: labels as numbers, losses, sizes, four ways."""

import math

import pytest
import torch
from torch.nn import functional as F
from training_toys import ready

from t2i_course import systems
from t2i_course.papers import acgan, cgan, gan
from t2i_course.papers.acgan import AcGan, auxiliary_loss
from t2i_course.papers.cgan import ConditionalGan, as_embedding, one_hot
from t2i_course.training import fit
from t2i_course.worlds.bird_species import FAMILIES
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.digits import Digits

# ------------------------------------------------------------------ labels as numbers


def test_one_hot_of_several_labels():
    hot = one_hot(torch.tensor([[2, 0], [0, 1]]), (3, 2))
    assert hot.tolist() == [[0, 0, 1, 1, 0], [1, 0, 0, 0, 1]]


def test_one_hot_and_an_embedding_are_one_map():
    layer = torch.nn.Linear(5 + 4, 7)
    z, y = torch.randn(6, 5), torch.tensor([0, 3, 1, 1, 2, 0])
    weight, table = as_embedding(layer.weight, layer.bias, 5)
    assert weight.shape == (7, 5) and table.shape == (4, 7)
    joined = layer(torch.cat([z, F.one_hot(y, 4).float()], 1))
    assert torch.allclose(joined, z @ weight.T + table[y], atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "size"),
    [("wing", (4, 1)), ("family", (4, 1)), ("family and wing", (4, 2))],
)
def test_labels_of_birds(labels, size):
    batch = Birds("train", 32, 4, individuals=2).batch(3)
    classes, asked = cgan.labels_of(labels)
    y = asked(batch)
    assert y.shape == size and (y >= 0).all() and (y < torch.tensor(classes)).all()
    truth = {"wing": batch.attributes[:, 0], "family": batch.class_id % FAMILIES}
    for column, name in zip(y.unbind(1), labels.split(" and ")):
        assert torch.equal(column, truth[name])


def test_names_that_do_not_exist():
    with pytest.raises(ValueError, match="No labels 'beak'; there are digit, wing"):
        ConditionalGan(labels="beak")
    with pytest.raises(ValueError, match="No way 'auxiliary'; there are none, joined"):
        ConditionalGan(how="auxiliary")


# -------------------------------------------------------------------------- the losses


def test_a_round_is_eq_2():
    """Against the formula with probabilities, and by who gets which gradient."""
    system = ready(lambda: ConditionalGan.from_preset("smoke"))
    g, d = system.generator, system.discriminator.eval()  # spectral norm rests
    real, y = torch.rand(8, 1, 8, 8) * 2 - 1, torch.arange(8)[:, None]
    z = torch.randn(8, 16)
    turns = cgan.conditional_round(g, d, real, y, z)
    player, loss = next(turns)
    with torch.no_grad():
        p, q = torch.sigmoid(d(real, y)), torch.sigmoid(d(g(z, y), y))
    want = -p.log().mean() - (1 - q).log().mean()
    assert player == "discriminator" and torch.allclose(loss, want, atol=1e-5)
    loss.backward()
    assert all(w.grad is None for w in g.parameters())
    player, loss = next(turns)
    assert player == "generator" and torch.allclose(loss, -q.log().mean(), atol=1e-5)
    loss.backward()
    assert any(w.grad is not None and w.grad.abs().max() > 0 for w in g.parameters())


def test_the_auxiliary_loss_is_a_log_likelihood():
    real, fake, y = torch.randn(5, 4), torch.randn(5, 4), torch.tensor([0, 1, 2, 3, 1])
    rows = torch.arange(5)
    want = sum(-x.softmax(1)[rows, y].log().mean() for x in (real, fake))
    assert torch.allclose(auxiliary_loss(real, fake, y), want)


def test_projection_is_a_posterior_and_a_prior():
    """f = log p(x, y) / g(x, y) of exponential families is of this form, exactly."""
    h, v, table = torch.randn(6, 3), torch.randn(3), torch.randn(4, 3)
    y = torch.tensor([0, 1, 2, 3, 0, 2])
    found = cgan.projection_score(h, y, v, table)
    for i in range(6):
        assert torch.isclose(found[i], h[i] @ (v + table[y[i]]), atol=1e-5)


# --------------------------------------------------------------- what D knows of y


@pytest.mark.parametrize("how", list(cgan.DISCRIMINATORS))
def test_what_a_discriminator_makes_of_the_label(how):
    torch.manual_seed(0)
    d = cgan.DISCRIMINATORS[how]((3, 32, 32), 8, (10,)).eval()
    pictures = torch.rand(4, 3, 32, 32) * 2 - 1
    scores = [d(pictures, torch.full((4, 1), y)) for y in (1, 7)]
    assert scores[0].shape == (4,)
    assert torch.equal(*scores) == (how == "none")


def test_projection_reads_labels_as_lesson_08_reads_sentences():
    """The same network: lesson 08's discriminator on the one-hot label."""
    torch.manual_seed(0)
    own = cgan.LabelProjection((3, 32, 32), 8, (10,)).eval()
    other = cgan.ProjectionDiscriminator(32, 8, 10).eval()
    other.look.load_state_dict(own.look[0].state_dict())
    other.code.load_state_dict(own.look[2].state_dict())
    other.real.load_state_dict(own.real.state_dict())
    other.agree.load_state_dict(own.agree.state_dict())
    pictures, y = torch.rand(4, 3, 32, 32) * 2 - 1, torch.arange(4)[:, None]
    assert torch.allclose(
        own(pictures, y), other(pictures, one_hot(y, (10,))), atol=1e-5
    )


@pytest.mark.parametrize("kind", [ConditionalGan, AcGan])
@pytest.mark.parametrize("data", ["digits", "birds"])
def test_they_play_and_draw_what_is_asked(kind, data):
    name = "cgan" if kind is ConditionalGan else "acgan"
    system = systems.build(name, "smoke", data)
    source = systems.source_for(name, "smoke", data)
    history = fit(system, source, 3, progress=False)
    assert list(history.losses) == ["discriminator", "generator"]
    y = torch.arange(10)
    noise = torch.randn(1, 16).expand(10, -1)
    drawn = system.sample(y, noise=noise)
    assert drawn.shape == (10, *system.reads) and drawn.abs().max() <= 1
    assert not torch.allclose(drawn[0], drawn[1])  # one noise, two labels


def test_the_weight_of_naming():
    """0 leaves the plain game of an unlabelled D; more adds so many losses."""

    def first(weight):
        system = ready(lambda: AcGan.from_preset("smoke", weight=weight))
        return next(system.round(Digits(16).batch(0).to("cpu")))[1]

    none, one, two = map(first, (0.0, 1.0, 2.0))
    assert torch.isclose(two - one, one - none, atol=1e-4) and one > none + math.log(2)


def test_tac_gan_names_the_class_of_the_picture():
    system = ready(lambda: systems.build("tacgan", "smoke", trained=False))
    batch = systems.source_for("tacgan", "smoke").batch(0).to("cpu")
    turns = dict(system.round(batch))
    assert set(turns) == {"discriminator", "generator"}
    turns["generator"].backward()
    assert system.discriminator.name.weight.grad.abs().max() > 0
    assert all(p.grad is None for p in system.text_encoder.parameters())


# --------------------------------------------------------------------------- the papers


def test_the_paper_s_sizes():
    """Mirza and Osindero's section 4.1; AC-GAN's table for CIFAR-10."""
    counts = systems.parameter_counts("cgan", "paper")
    layers = (100 * 200 + 200, 10 * 1000 + 1000, 1200 * 1200 + 1200, 1200 * 784 + 784)
    assert counts["generator"] == sum(layers)
    maxout = ((784 + 1) * 240 * 5, (10 + 1) * 50 * 5, (290 + 1) * 240 * 4, 240 + 1)
    assert counts["discriminator"] == sum(maxout)
    with torch.device("meta"):
        paper = systems.build("acgan", "paper", "birds", trained=False)
    convolutions = [
        m for m in paper.discriminator.look if isinstance(m, torch.nn.Conv2d)
    ]
    assert [c.out_channels for c in convolutions] == [16, 32, 64, 128, 256, 512]
    assert [c.stride[0] for c in convolutions] == [2, 1, 2, 1, 2, 1]
    up = [m for m in paper.generator.net if isinstance(m, torch.nn.ConvTranspose2d)]
    assert [u.out_channels for u in up] == [384, 192, 96, 3]
    with pytest.raises(ValueError, match="32 x 32"):
        AcGan(shape=(1, 8, 8), released=True)


@pytest.mark.parametrize(
    ("name", "data"), [("cgan", "digits"), ("acgan", "digits"), ("acgan", "birds")]
)
def test_the_paper_preset_takes_a_step(name, data):
    system = systems.build(name, "paper", data)
    side, few = system.reads[-1], 4
    source = Birds("train", side, few, individuals=2)
    if data == "digits":
        source = Digits(few, side=side)
    fit(system, source, 1, progress=False)
    assert system.sample(torch.arange(3)).shape == (3, *system.reads)


def test_momentum_and_decay_are_the_paper_s():
    system = ConditionalGan.from_preset("paper")
    group = system.optimizer("generator").param_groups[0]
    assert (group["lr"], group["momentum"]) == (0.1, 0.5)
    assert system.learning_rate_factor(1) == pytest.approx(1 / 1.00004)
    assert 0.1 * system.learning_rate_factor(10**7) == pytest.approx(1e-6)


def test_a_gan_of_digits_learns_the_label_a_little():
    """Some steps suffice for projection to obey; the control never does."""
    from t2i_course.measure.labels import digits_as_labelled

    found = {}
    for how in ("projection", "none"):
        torch.manual_seed(0)
        system = ConditionalGan.from_preset("cpu", how=how)
        fit(system, Digits(64), 150, progress=False)
        found[how] = digits_as_labelled(system.eval(), 300)["obedience"]
    assert found["projection"] > 0.4 > found["none"] + 0.2


def test_the_course_s_own_losses_are_used():
    assert cgan.discriminator_loss is gan.discriminator_loss
    assert acgan.nonsaturating_loss is gan.nonsaturating_loss


def test_only_the_joining_layer_is_freed_or_bound():
    """Bound, a label moves what the layer gives by its own length at most."""
    from torch.nn.utils.parametrize import is_parametrized

    bound, free = (
        ready(lambda how=how: ConditionalGan.from_preset("smoke", how=how))
        for how in ("joined, bound", "joined")
    )
    assert is_parametrized(bound.discriminator.both)
    assert not is_parametrized(free.discriminator.both)
    for system in (bound, free):
        assert is_parametrized(system.discriminator.real)
    columns = bound.discriminator.eval().both.weight[:, -10:].norm(dim=0)
    assert columns.max() <= 1 + 1e-3


def test_a_learner_s_join_and_score_are_used():
    """The same networks with functions of one's own, and what they get."""
    seen = []

    def join(noise, y, count):
        seen.append((y.shape, count))
        return cgan.joined(noise, y, count)

    def score(h, y, v, table):
        seen.append((h.shape, v.shape, table.shape))
        return cgan.projection_score(h, y, v, table)

    both = {"labels": "family and wing", "how": "projection"}
    settings = cgan.BIRDS["smoke"] | both | {"join": join, "score": score}
    system = ready(lambda: ConditionalGan.from_preset("smoke", **settings))
    y = torch.tensor([[3, 1], [19, 9]])
    system.generator(torch.randn(2, 16), y)
    assert seen == [((2,), 20), ((2,), 10)]
    del seen[:]
    system.discriminator(torch.rand(2, 3, 32, 32), y)
    features = seen[0][0][1]
    assert [one[2] for one in seen] == [(20, features), (10, features)]
