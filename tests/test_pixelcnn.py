"""PixelCNN: exact likelihoods, causality, no blind spot, a sampler that recalls."""

import math
from itertools import product

import pytest
import torch
from torch import nn

from t2i_course.blocks import bits_per_dimension
from t2i_course.data import Batch
from t2i_course.papers import pixelcnn
from t2i_course.papers.pixelcnn import (
    BlindPixelCnn,
    GatedPixelCnn,
    GreyLevels,
    PixelCnn,
)
from t2i_course.training import fit
from t2i_course.worlds.digits import Digits


def network(values=5, **settings):
    """A small one in double precision, its weights well away from zero."""
    torch.manual_seed(0)
    settings = {"channels": 6, "layers": 3, "out": 8, "first": 5, **settings}
    made = GatedPixelCnn(values, **settings).double()
    for weight in made.parameters():
        nn.init.normal_(weight, 0, 0.4)
    return made


def before(row, column, height, width):
    """(height, width) bool: what comes before a place in reading order."""
    order = torch.arange(height * width).view(height, width)
    return order < row * width + column


# Likelihood ---------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2, 2), (1, 4), (3, 1)])
def test_the_probabilities_of_all_pictures_sum_to_one(shape):
    """Every picture of a tiny space, with a class and a latent vector."""
    values, places = 3, math.prod(shape)
    made = network(values, classes=2, latent=2)
    every = torch.tensor(list(product(range(values), repeat=places))).view(-1, *shape)
    kind = torch.ones(len(every), dtype=torch.long)
    latent = torch.randn(1, 2, dtype=torch.float64).expand(len(every), -1)
    log_prob = made.log_prob(every, kind, latent)
    assert log_prob.exp().sum().item() == pytest.approx(1, abs=1e-12)
    assert log_prob.exp().std() > 1e-3  # and they are not all alike


def test_log_prob_is_the_product_of_the_conditionals():
    made = network(4)
    codes = torch.randint(4, (2, 3, 3))
    chances = made(codes).softmax(1)
    total = torch.ones(2, dtype=torch.float64)
    for row, column in product(range(3), range(3)):
        total *= chances[[0, 1], codes[:, row, column], row, column]
    assert torch.allclose(made.log_prob(codes), total.log())


def test_bits_per_dimension():
    uniform = torch.full((2,), -10 * math.log(17))
    assert torch.allclose(bits_per_dimension(uniform, 10), torch.tensor(math.log2(17)))
    # A density of 1 / 2 on [-1, 1], cut into 256 levels, is 8 bits.
    density = torch.full((2,), 10 * math.log(1 / 2))
    assert torch.allclose(bits_per_dimension(density, 10, 2 / 256), torch.tensor(8.0))


# Causality ----------------------------------------------------------------------------


def seen_from(read, channels, row, column, height=7, width=7):
    """(height, width) bool: the places whose input moves the output of one place."""
    features = torch.randn(1, channels, height, width, dtype=torch.float64)
    features.requires_grad_()
    read(features)[0, :, row, column].pow(2).sum().backward()
    return features.grad[0].abs().sum(0) > 0


@pytest.mark.parametrize("place", [(0, 0), (0, 6), (3, 3), (5, 0), (6, 6), (4, 1)])
def test_each_place_sees_all_before_it_and_nothing_else(place):
    """Gradients reach every earlier place (no blind spot), and no other."""
    made = network(layers=6)
    assert torch.equal(seen_from(made.read, 6, *place), before(*place, 7, 7))


def test_the_first_pixelcnn_has_a_blind_spot():
    made = BlindPixelCnn(2, 8, layers=6).double()
    for place in ((0, 0), (3, 3), (6, 2)):
        seen = seen_from(made, 2, *place)
        assert not (seen & ~before(*place, 7, 7)).any()
    blind = before(5, 2, 7, 7) & ~seen_from(made, 2, 5, 2)
    assert blind[4, 4:].all() and not blind[:, :3].any()


def test_a_wrong_mask_leaks():
    """With "B" in the first layer the value to be predicted is seen."""

    def leaking(size, kind):
        return pixelcnn.beside_mask(size, "B")

    made = network(beside=leaking)
    assert seen_from(made.read, 6, 3, 3)[3, 3]


def test_masks():
    assert pixelcnn.raster_mask(3, "A").tolist() == [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
    assert pixelcnn.raster_mask(3, "B").tolist() == [[1, 1, 1], [1, 1, 0], [0, 0, 0]]
    assert pixelcnn.above_mask(3, "A").tolist() == [[1, 1, 1], [0, 0, 0]]
    assert pixelcnn.above_mask(3, "B").tolist() == [[1, 1, 1], [1, 1, 1]]
    assert pixelcnn.beside_mask(5, "A").tolist() == [[1, 1, 0]]
    assert pixelcnn.beside_mask(5, "B").tolist() == [[1, 1, 1]]


def test_a_convolution_with_a_mask_is_one_with_those_weights_at_zero():
    mask = pixelcnn.raster_mask(3, "A")
    layer = pixelcnn.MaskedConv(2, 4, mask, (1, 1, 1, 1))
    x = torch.randn(1, 2, 5, 6)
    expected = nn.functional.conv2d(x, layer.weight * mask, layer.bias, padding=1)
    assert torch.allclose(layer(x), expected, atol=1e-6)
    layer(x).sum().backward()
    assert (layer.weight.grad[..., mask == 0] == 0).all()


# Conditions ---------------------------------------------------------------------------


def test_conditions_change_every_place_even_the_first():
    made, codes = network(classes=3, latent=2), torch.zeros(2, 4, 4, dtype=torch.long)
    latent = torch.zeros(2, 2, dtype=torch.float64)
    logits = made(codes, torch.tensor([0, 1]), latent)
    assert (logits[0] != logits[1]).all()
    latent[1] = 1
    logits = made(codes, torch.tensor([1, 1]), latent)
    assert (logits[0] != logits[1]).all()


def test_a_map_of_latents_is_heard_where_it_is():
    made, codes = network(latent=2), torch.zeros(1, 4, 4, dtype=torch.long)
    latent = torch.zeros(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    made(codes, latent=latent)[0, :, 0, 0].pow(2).sum().backward()
    reached = latent.grad[0].abs().sum(0) > 0
    assert reached[0, 0] and not reached[1:].any()
    vector = torch.randn(1, 2, dtype=torch.float64)
    everywhere = vector[:, :, None, None].expand(-1, -1, 4, 4)
    assert torch.allclose(made(codes, latent=vector), made(codes, latent=everywhere))


def test_a_missing_or_unwanted_condition_is_an_error():
    codes = torch.zeros(1, 2, 2, dtype=torch.long)
    with pytest.raises(ValueError, match="needs class_id"):
        network(classes=3)(codes)
    with pytest.raises(ValueError, match="not made for latent"):
        network()(codes, latent=torch.zeros(1, 2))


# Sampling -----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 5), (2, 7), (6, 1)])
def test_the_sampler_that_recalls_draws_the_same_as_the_slow_one(shape):
    made = network(4, classes=3, latent=2, first=7)
    uniform = torch.rand(3, *shape, dtype=torch.float64)
    latent = torch.randn(3, 2, *shape, dtype=torch.float64)
    kind = torch.tensor([0, 1, 2])
    fast = made.sample(uniform, kind, latent)
    assert torch.equal(fast, made.sample_slowly(uniform, kind, latent))
    assert len(fast.unique()) > 1


def test_the_sampler_that_recalls_has_the_networks_own_logits():
    made, codes = network(4), torch.randint(4, (2, 4, 5))
    drawing, expected = pixelcnn.Drawing(made, codes.shape), made(codes)
    with torch.no_grad():
        for row in range(4):
            drawing.look_up(row)
            for column in range(5):
                found = drawing.logits(column)
                assert torch.allclose(found, expected[:, :, row, column])
                drawing.put(row, column, made.embed(codes[:, row, column]))


def test_samples_come_as_often_as_they_are_probable():
    made = network(2)
    every = torch.tensor(list(product(range(2), repeat=4))).view(-1, 2, 2)
    count = 20_000
    rng = torch.Generator().manual_seed(0)
    drawn = made.sample(torch.rand(count, 2, 2, generator=rng).double())
    number = (drawn.flatten(1) * torch.tensor([8, 4, 2, 1])).sum(1)
    share = torch.bincount(number, minlength=16) / count
    assert torch.allclose(share, made.log_prob(every).exp().float(), atol=0.015)


def test_known_places_stay_and_the_rest_follows_them():
    made = network(4)
    uniform = torch.rand(2, 4, 4, dtype=torch.float64)
    given = made.sample(uniform)
    other = torch.rand(2, 4, 4, dtype=torch.float64)
    half = given.clone()
    half[:, 2:] = -1
    drawn = made.sample(other, given=half)
    assert torch.equal(drawn[:, :2], given[:, :2])
    uniform[:, 2:] = other[:, 2:]
    assert torch.equal(drawn, made.sample(uniform))


def test_draw_is_the_inverse_of_the_cumulative_distribution():
    logits = torch.tensor([[0.2, 0.5, 0.3]]).log().expand(5, -1)
    uniform = torch.tensor([0.0, 0.19, 0.21, 0.69, 0.999])
    assert pixelcnn.draw(logits, uniform).tolist() == [0, 0, 1, 1, 2]


# The system ---------------------------------------------------------------------------


def test_grey_levels_of_the_scans_are_their_own():
    digits = Digits(16)
    coder = GreyLevels(17, (8, 8))
    codes = coder.codes(digits.pictures())
    assert codes.min() == 0 and codes.max() == 16
    scans = (digits.images[:, 0].long() * 16 + 127) // 255
    assert torch.equal(codes, scans)
    assert torch.allclose(coder.decode(codes), digits.pictures(), atol=0.005)
    assert torch.equal(coder.codes(coder.decode(codes)), codes)
    with pytest.raises(ValueError, match="3 channels"):
        coder.codes(torch.zeros(1, 3, 8, 8))


def test_parameter_count_at_paper_size():
    """The released prior's count; 65,536 of its weights are masked for ever."""
    with torch.device("meta"):
        system = PixelCnn.from_preset("paper")
    count = sum(p.numel() for p in system.pixelcnn.parameters())
    assert count == 1_841_472
    first = system.pixelcnn.layers[0]
    layer = pixelcnn.GatedLayer(64, 7, "A")  # the same, with numbers in its masks
    masked = 0
    for name in ("vertical", "horizontal"):
        conv = getattr(layer, name)
        assert conv.weight.shape == getattr(first, name).weight.shape
        masked += int((conv.mask.expand_as(conv.weight) == 0).sum())
    assert masked == 65_536


def test_a_coder_must_have_the_networks_values():
    with pytest.raises(ValueError, match="2 values, not 17"):
        PixelCnn(GreyLevels(2, (8, 8)), values=17)


def test_it_learns_and_draws_digits_of_a_class():
    torch.manual_seed(0)
    system, source = PixelCnn.from_preset("smoke", rate=1e-2), Digits(32)
    held = Digits(split="held-out")
    picture, kind = held.pictures(), held.class_id
    before = system.bits_per_dimension(picture, kind).mean()
    fit(system, source, 40, progress=False, device="cpu")
    after = system.bits_per_dimension(picture, kind).mean()
    assert after < before - 0.8 and after < math.log2(17)
    drawn = system.sample(torch.tensor([1, 2, 3]))
    assert drawn.shape == (3, 1, 8, 8) and drawn.abs().max() <= 1
    given = torch.full((3, 8, 8), -1)
    given[:, 0] = 16
    assert (system.sample(torch.tensor([1, 2, 3]), given=given)[:, :, 0] == 1).all()


def test_without_classes_the_labels_are_not_read():
    system = PixelCnn.from_preset("smoke", classes=0)
    batch = Batch(image=torch.zeros(2, 1, 8, 8), class_id=torch.tensor([1, 2]))
    ((player, loss),) = system.round(batch)
    assert player == "pixelcnn" and loss.isfinite()
    assert system.sample(count=2).shape == (2, 1, 8, 8)


def test_the_loss_is_in_nats_a_place():
    system = PixelCnn.from_preset("smoke")
    image, kind = torch.zeros(4, 1, 8, 8), torch.arange(4)
    ((_, loss),) = system.round(Batch(image=image, class_id=kind))
    bits = system.bits_per_dimension(image, kind).mean()
    assert loss.item() == pytest.approx(bits.item() * math.log(2), rel=1e-5)
