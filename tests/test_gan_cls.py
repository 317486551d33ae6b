"""GAN-CLS and its relatives: sizes, losses, mismatching, the round, text encoder."""

import math

import pytest
import torch
from training_toys import Repeated, count, ready

from t2i_course.data import Batch
from t2i_course.papers import gan_cls, projection
from t2i_course.papers.gan_cls import GanCls, GanClsR1, StyleEncoder, StyleTraining
from t2i_course.papers.joint_embedding import TextEncoder, structured_loss
from t2i_course.systems import shipped
from t2i_course.training import fit

SMALL = {
    "size": 32,
    "base": 8,
    "depth": 8,
    "projected": 8,
    "noise_size": 6,
    "embedding": 16,
}


def batch_of(kinds=(0, 0, 1, 1, 2, 2), size=32, seed=0):
    """A batch with those classes; captions of five words and padding."""
    rng = torch.Generator().manual_seed(seed)
    many = len(kinds)
    tokens = torch.randint(2, 20, (many, 7), generator=rng)
    tokens[:, 5:] = 0
    image = torch.rand(many, 3, size, size, generator=rng) * 2 - 1
    return Batch(image, tokens=tokens, lengths=torch.full((many,), 5),
                 class_id=torch.tensor(kinds))  # fmt: skip


def small(kind=GanCls, **switches):
    def build():
        reader = TextEncoder(20, 8, 8, 16).requires_grad_(False)
        return kind(reader, **SMALL, **switches)

    return ready(build)


# Sizes --------------------------------------------------------------------------------


def dead_biases(network):
    """What the released code adds: a bias per convolution, set to zero at each step."""
    kinds = (torch.nn.Conv2d, torch.nn.ConvTranspose2d)
    layers = [m for m in network.modules() if isinstance(m, kinds)]
    assert all(layer.bias is None for layer in layers)
    return sum(layer.out_channels for layer in layers)


def test_parameter_counts_at_paper_size():
    """The published counts, less the biases that the released code keeps at zero."""
    with torch.device("meta"):
        system = GanCls.from_preset("paper")
    assert count(system.generator) == 18_905_472
    assert count(system.discriminator) == 4_030_080
    assert dead_biases(system.generator) == 4_227
    assert dead_biases(system.discriminator) == 2_241
    assert 18_905_472 + 4_227 == 18_909_699 and 4_030_080 + 2_241 == 4_032_321


@pytest.mark.parametrize("size", [32, 64])
def test_shapes(size):
    settings = SMALL | {"size": size}
    generator = gan_cls.Generator(size, 8, 8, 6, 16).eval()
    discriminator = gan_cls.Discriminator(size, 8, 8, 16).eval()
    with torch.no_grad():
        pictures = generator(torch.randn(3, 6), torch.randn(3, 16))
        assert pictures.shape == (3, 3, size, size) and pictures.abs().max() <= 1
        seen = discriminator.features(pictures)
        assert seen.shape == (3, 8 * size // 8, 4, 4)
        text = torch.randn(3, 16)
        assert discriminator(pictures, text).shape == (3,)
        assert torch.equal(
            discriminator.match(seen, text), discriminator(pictures, text)
        )
        assert StyleEncoder(size, 8, settings["noise_size"]).eval()(pictures).shape == (
            3,
            6,
        )


def test_first_layer_is_a_transposed_convolution():
    layer, code = gan_cls.FromPoint(5, 7), torch.randn(3, 5)
    expected = torch.nn.functional.conv_transpose2d(
        code[:, :, None, None], layer.weight
    )
    assert torch.allclose(layer(code), expected, atol=1e-6)


def test_text_is_everywhere_in_the_discriminator():
    """Replication: the joint layer gets the same of the text at all 16 places."""
    network, caught = gan_cls.Discriminator(32, 8, 8, 16).eval(), []
    network.judge.register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0]))
    network(torch.rand(2, 3, 32, 32), torch.randn(2, 16))
    words = caught[0][:, -8:]
    assert torch.equal(words, words[:, :, :1, :1].expand_as(words))


# Losses -------------------------------------------------------------------------------


def test_losses_against_logs_of_sigmoids():
    """A second derivation, letter by letter from Algorithm 1, in float64."""
    real, fake, wrong = torch.randn(3, 50, dtype=torch.float64).unbind(0)
    s_r, s_f, s_w = (1 / (1 + (-x).exp()) for x in (real, fake, wrong))
    up = s_r.log().mean() + ((1 - s_w).log().mean() + (1 - s_f).log().mean()) / 2
    assert torch.allclose(gan_cls.discriminator_loss(real, fake, wrong), -up)
    plain = s_r.log().mean() + (1 - s_f).log().mean()
    assert torch.allclose(gan_cls.discriminator_loss(real, fake), -plain)
    assert torch.allclose(gan_cls.generator_loss(fake), -s_f.log().mean())


def test_losses_at_known_logits():
    zero = torch.zeros(4)
    assert gan_cls.discriminator_loss(zero, zero, zero).item() == pytest.approx(
        math.log(4)
    )
    assert gan_cls.generator_loss(zero).item() == pytest.approx(math.log(2))
    sure = torch.tensor([200.0])
    assert gan_cls.discriminator_loss(-sure, sure, sure).item() == pytest.approx(400)


def test_hinge_loss():
    real, fake, wrong = (
        torch.tensor([2.0, 0.0]),
        torch.tensor([-3.0, 1.0]),
        torch.tensor([-0.5, -2.0]),
    )
    loss = projection.hinge_discriminator_loss(real, fake, wrong)
    assert loss.item() == pytest.approx(0.5 + (1.0 + 0.25) / 2)


# Captions -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_wrong_captions_are_always_of_another_class(seed):
    rng = torch.Generator().manual_seed(seed)
    kinds = torch.randint(4, (64,), generator=rng)
    for _ in range(20):
        place = gan_cls.mismatched(kinds, rng)
        assert (kinds[place] != kinds).all()


def test_every_other_item_has_the_same_chance():
    kinds = torch.tensor([0, 0, 1, 2])
    rng = torch.Generator().manual_seed(0)
    drawn = torch.stack([gan_cls.mismatched(kinds, rng) for _ in range(3000)])
    for i, allowed in enumerate([[2, 3], [2, 3], [0, 1, 3], [0, 1, 2]]):
        share = torch.bincount(drawn[:, i], minlength=4) / 3000
        assert torch.allclose(share[allowed], torch.tensor(1 / len(allowed)), atol=0.05)


def test_one_class_is_a_clear_error():
    for kinds in (torch.tensor([3]), torch.tensor([3, 3, 3])):
        with pytest.raises(ValueError, match="another class"):
            gan_cls.mismatched(kinds)


def test_half_way_sentences():
    text = torch.randn(6, 4)
    assert torch.allclose(gan_cls.between(text), (text[:3] + text[3:]) / 2)
    assert torch.allclose(gan_cls.between(text, 0.2), 0.2 * text[:3] + 0.8 * text[3:])
    assert torch.allclose(gan_cls.between(text, 1.0), text[:3])
    assert gan_cls.between(text[:5]).shape == (2, 4)


def test_padding_changes_nothing():
    torch.manual_seed(0)
    encoder = TextEncoder(20, 8, 8, 16).eval()
    batch = batch_of()
    short = encoder(batch.tokens[:, :5], batch.lengths)
    longer = torch.nn.functional.pad(batch.tokens, (0, 9))
    assert torch.allclose(encoder(longer, batch.lengths), short, atol=1e-6)
    alone = torch.cat([encoder(t[None, :5], torch.tensor([5])) for t in batch.tokens])
    assert torch.allclose(alone, short, atol=1e-6)


def test_structured_loss_by_hand():
    images, texts = torch.randn(3, 4).double(), torch.randn(3, 4).double()
    total = 0.0
    for i in range(3):
        for j in range(3):
            if i != j:
                own = images[i] @ texts[i]
                total += max(0.0, 1 + float(images[i] @ texts[j] - own))
                total += max(0.0, 1 + float(images[j] @ texts[i] - own))
    assert structured_loss(images, texts).item() == pytest.approx(total / 9)


# The round ----------------------------------------------------------------------------


def play(system, batch):
    """(player, loss, which networks its gradient reaches) for each turn, with steps."""
    seen = []
    for player, loss in system.round(batch):
        reached = []
        for name in system.players:
            parameters = list(system.player(name).parameters())
            found = torch.autograd.grad(
                loss, parameters, retain_graph=True, allow_unused=True
            )
            if any(g is not None and g.abs().sum() > 0 for g in found):
                reached.append(name)
        seen.append((player, loss.detach(), reached))
    return seen


@pytest.mark.parametrize("cls", [True, False])
@pytest.mark.parametrize("interpolate", [True, False])
def test_round(cls, interpolate):
    system = small(cls=cls, interpolate=interpolate)
    (first, d_loss, reached), (second, g_loss, _) = play(system, batch_of())
    assert (first, second) == ("discriminator", "generator")
    assert reached == ["discriminator"], "the drawn pictures are detached in its turn"
    assert (
        d_loss.shape == g_loss.shape == () and d_loss.isfinite() and g_loss.isfinite()
    )


def test_what_the_discriminator_is_shown():
    """True sentences only in its own turn; half-way ones too in the generator's."""
    system, shown = small(), []
    system.discriminator.judge.register_forward_pre_hook(
        lambda _, inputs: shown.append(len(inputs[0]))
    )
    turns = system.round(batch_of())
    next(turns)
    next(turns)  # right, wrong, fake in one batch; then 6 + 6 // 2 drawn ones
    assert shown == [6 + 6 + 6, 6 + 6 + 9]


def test_judged_together():
    """In one batch, so that batch norm can't hide what a whole batch has in common."""
    d = gan_cls.Discriminator(32, 8, 8, 16)
    seen, text = torch.randn(10, 32, 4, 4), torch.randn(10, 16)
    pairs = (seen[:4], text[:4]), (seen[4:], text[4:])
    four, six = gan_cls.judged_together(d, *pairs)
    assert torch.equal(torch.cat([four, six]), d.match(seen, text))
    assert not torch.allclose(four, d.match(*pairs[0]), atol=1e-3)  # alone: otherwise
    d.eval()
    four, _ = gan_cls.judged_together(d, *pairs)
    assert torch.allclose(four, d.match(*pairs[0]), atol=1e-6)


def test_r1_of_a_plane():
    """A logit that is a plane over the picture has the same slope everywhere."""
    plane = torch.randn(3, 4, 4, requires_grad=True)
    found = gan_cls.r1_penalty(
        lambda x, text: (x * plane).sum((1, 2, 3)) + text.sum(1),
        torch.randn(5, 3, 4, 4),
        torch.randn(5, 2),
    )
    assert torch.allclose(found, plane.square().sum(), rtol=1e-5)
    (slope,) = torch.autograd.grad(found, plane)  # it can be trained on
    assert torch.allclose(slope, 2 * plane, rtol=1e-4)


def test_r1_against_differences():
    """|grad D|^2 by central differences, for the paper's discriminator in doubles."""
    torch.manual_seed(0)
    d = gan_cls.Discriminator(32, 4, 4, 6).eval()
    pictures, text = torch.randn(1, 3, 32, 32), torch.randn(1, 6)
    found = gan_cls.r1_penalty(d, pictures, text).item()
    d, pictures, text = d.double(), pictures.double(), text.double()
    moves = torch.eye(3 * 32 * 32, dtype=torch.float64).view(-1, 3, 32, 32) * 1e-5
    with torch.no_grad():
        rise = [
            d(pictures + sign * moves, text.expand(len(moves), -1)) for sign in (1, -1)
        ]
    want = ((rise[0] - rise[1]) / 2e-5).square().sum().item()
    assert found == pytest.approx(want, rel=1e-3)


@pytest.mark.parametrize("played", [0, 1, gan_cls.R1_EVERY])
def test_r1_comes_every_few_rounds(played):
    """Eight times as heavy in one round of eight; without it the paper's loss."""
    losses = []
    for kind in ({}, {"kind": GanClsR1, "r1": 0.5}):
        system = small(**kind)
        system.played = played
        losses.append(next(system.round(batch_of()))[1])
    batch = batch_of()
    slope = gan_cls.r1_penalty(system.discriminator, batch.image, system.embed(batch))
    due = played % gan_cls.R1_EVERY == 0
    assert torch.allclose(losses[1] - losses[0], due * 0.5 / 2 * 8 * slope, atol=1e-5)


def test_r1_under_bfloat16_and_after_a_stop(tmp_path):
    """It is taken in the same rounds by a run that was stopped and one that wasn't."""
    whole, parts = small(GanClsR1, r1=0.5), small(GanClsR1, r1=0.5)
    how = {"precision": "bf16", "progress": False}
    fit(whole, Repeated(batch_of()), 10, **how)
    file = tmp_path / "kept.pt"
    fit(parts, Repeated(batch_of()), 5, checkpoint=file, **how)
    parts = small(GanClsR1, r1=0.5)
    fit(parts, Repeated(batch_of()), 10, checkpoint=file, resume=True, **how)
    states = whole.state_dict().values(), parts.state_dict().values()
    assert all(map(torch.equal, *states))


def test_text_encoder_rests():
    system = small()
    before = {k: v.clone() for k, v in system.text_encoder.state_dict().items()}
    fit(system, Repeated(batch_of()), 2, progress=False)
    assert all(
        torch.equal(v, before[k]) for k, v in system.text_encoder.state_dict().items()
    )
    assert not system.text_encoder.training


def test_batch_of_one_is_a_clear_error():
    with pytest.raises(ValueError, match=r"another class|more than 1 value"):
        fit(small(), Repeated(batch_of((4,))), 1, progress=False)


def test_same_seed_same_losses():
    runs = [
        fit(small(), Repeated(batch_of()), 2, seed=3, progress=False) for _ in range(2)
    ]
    assert runs[0].losses == runs[1].losses


def test_projection():
    system = small(projection.ProjectionGan)
    (first, _, reached), (second, *_) = play(system, batch_of())
    assert (first, second) == ("discriminator", "generator") and reached == [
        "discriminator"
    ]
    d, text = system.discriminator.eval(), torch.randn(6, 16)
    pictures = batch_of().image
    real = d.real(d.features(pictures)).squeeze(1)
    agree = d(pictures, text) - real
    # the text's part is linear in the text: twice the text, twice the agreement
    assert torch.allclose(d(pictures, 2 * text) - real, 2 * agree, atol=1e-4)
    assert torch.allclose(d(pictures, 0 * text), real, atol=1e-5)


def test_spectral_norm_is_at_most_one():
    d = projection.ProjectionDiscriminator(32, 8, 16)
    with torch.no_grad():
        for _ in range(60):  # power iterations
            d(torch.rand(4, 3, 32, 32), torch.randn(4, 16))
        d.eval()
        for layer in (d.code, d.real, d.agree):
            assert torch.linalg.matrix_norm(layer.weight, 2) == pytest.approx(
                1, abs=0.02
            )


def test_style_training_moves_only_the_style_encoder():
    gan = small()
    system = StyleTraining(gan, depth=8)
    before = [p.clone() for p in system.generator.parameters()]
    history = fit(system, Repeated(batch_of()), 3, progress=False)
    assert all(torch.equal(p, q) for p, q in zip(system.generator.parameters(), before))
    assert 0.3 < history.losses["style"][0] < 3  # nothing known yet: about 1


def test_unknown_shipped_network():
    with pytest.raises(ValueError, match="gan_int_cls_32"):
        shipped("stylegan")


def test_the_rates_fall():
    """Halved every 100 epochs, as published."""
    system = GanCls.from_preset("smoke")
    steps = (0, 13_799, 13_800, 27_600)
    assert [system.learning_rate_factor(step) for step in steps] == [1, 1, 0.5, 0.25]
