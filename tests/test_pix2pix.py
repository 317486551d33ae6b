"""pix2pix: its networks, losses and rounds; the two domains that the world draws."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchmetrics.functional.classification import multiclass_jaccard_index
from training_toys import count

from t2i_course.measure import translation
from t2i_course.papers import pix2pix
from t2i_course.papers.pix2pix import (
    PatchDiscriminator,
    Pix2Pix,
    Unet,
    generator_loss,
    receptive_field,
)
from t2i_course.training import fit
from t2i_course.worlds.bird_drawing import PARTS
from t2i_course.worlds.bird_species import ATTRIBUTES
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.domains import (
    PALETTE,
    Pairs,
    at_dusk,
    in_colours,
    nearest_part,
)

PATTERN = list(ATTRIBUTES).index("pattern")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("T2I_CACHE", str(tmp_path))


def small(**more):
    torch.manual_seed(0)
    return Pix2Pix.from_preset("smoke", **more)


def pairs(domains="parts", paired=True, size=32, batch_size=4):
    return Pairs(Birds("train", size, batch_size, 2), domains, paired)


# ------------------------------------------------------------------------ the networks


def test_published_counts():
    with torch.device("meta"):
        assert count(Unet()) == 54_413_955
        assert count(PatchDiscriminator()) == 2_768_705


def test_a_u_net_draws_pictures_of_its_size():
    for size in (16, 32):
        net = Unet(size, 4, 2)
        drawn = net(torch.randn(2, 3, size, size))
        assert drawn.shape == (2, 3, size, size) and drawn.abs().max() <= 1


@pytest.mark.parametrize(("layers", "kernel"), [(0, 4), (1, 2), (1, 3), (1, 4), (2, 4)])
def test_the_field_is_what_autograd_sees(layers, kernel):
    """Of one logit in the middle: how many pixels a side have a gradient."""
    judge = PatchDiscriminator(1, 2, layers, kernel)
    convolutions = [m for m in judge.net if isinstance(m, nn.Conv2d)]
    for layer in convolutions:  # no weight cancels another
        nn.init.ones_(layer.weight)
    x = torch.zeros(1, 1, 64, 64, requires_grad=True)
    y = x
    for layer in convolutions:
        y = layer(y)
    y[0, 0, y.shape[2] // 2, y.shape[3] // 2].backward()
    reached = x.grad[0, 0] != 0
    assert int(reached.any(0).sum()) == int(reached.any(1).sum()) == judge.field


def test_published_fields():
    fields = [PatchDiscriminator(6, 2, layers).field for layers in range(7)]
    assert fields == [1, 16, 34, 70, 142, 286, 574]
    assert receptive_field([]) == 1


def test_a_judge_of_single_pixels_sees_no_neighbours():
    judge = PatchDiscriminator(6, 4, 0).eval()
    for module in judge.net:
        if isinstance(module, nn.InstanceNorm2d):
            module.eps = 1e12  # its mean is over all places: leave it out
    x = torch.randn(1, 6, 8, 8)
    other = x.clone()
    other[0, :, 0, 0] += 1
    moved = (judge(x) != judge(other)).sum()
    assert judge(x).shape == (1, 1, 8, 8) and moved >= 1


def test_joins_carry_what_the_bottleneck_loses():
    """Without them all that a picture says passes one pixel of a few channels."""
    with_joins, without = Unet(32, 4, 2), Unet(32, 4, 2, skips=False)
    assert count(without) < count(with_joins)
    x = torch.randn(1, 3, 32, 32)
    assert without(x).shape == with_joins(x).shape


def test_dropout_is_the_only_noise():
    system = small().eval()
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(system.sample(x), system.sample(x))
    assert torch.equal(system.sample(x, seed=1), system.sample(x, seed=1))
    assert not torch.equal(system.sample(x, seed=1), system.sample(x, seed=2))
    before = torch.get_rng_state()
    system.sample(x, seed=1)
    assert torch.equal(before, torch.get_rng_state()), "the caller's numbers go on"
    assert not any(m.training for m in system.generator.modules())


# ---------------------------------------------------------------------------- the game


def test_the_loss_by_a_second_derivation():
    logits, drawn, truth = torch.randn(2, 1, 3, 3), *torch.randn(2, 2, 3, 4, 4)
    by_hand = -logits.double().sigmoid().log().mean() + 7 * (drawn - truth).abs().mean()
    assert torch.allclose(generator_loss(logits, drawn, truth, 7.0).double(), by_hand)


def test_a_round_has_half_of_d_s_loss_and_both_terms_of_g_s():
    system, batch = small(dropped=0), pairs().batch(0).to("cpu")
    turns = dict(system.round(batch))
    x, y = batch.image.chunk(2, 1)
    real, fake = system.judged(x, y), system.judged(x, system.generator(x))
    d = F.softplus(-real).mean() + F.softplus(fake).mean()
    assert torch.allclose(turns["discriminator"], d / 2, atol=1e-5)
    near = 100 * F.l1_loss(system.generator(x), y)
    assert torch.allclose(
        turns["generator"], F.softplus(-fake).mean() + near, atol=1e-4
    )


def test_ways_exchange_what_is_given():
    batch = pairs().batch(0).to("cpu")
    painted, segmented = (small(way=way).pair(batch) for way in pix2pix.WAYS)
    assert torch.equal(painted[0], segmented[1]) and torch.equal(
        painted[1], segmented[0]
    )
    assert painted[0].abs().eq(1).all(), "a part map has pure colours"


def test_the_distance_alone_has_one_player():
    system = small(adversarial=False)
    turns = dict(system.round(pairs().batch(0).to("cpu")))
    assert list(turns) == ["generator"] and system.players == ("generator",)
    assert Pix2Pix.players == ("discriminator", "generator")


def test_unconditional_d_sees_the_drawing_alone():
    system = small(conditional=False)
    x, y = torch.randn(2, 2, 3, 32, 32)
    assert torch.equal(system.judged(x, y), system.judged(y, y))
    other = small()
    assert not torch.equal(other.judged(x, y), other.judged(y, y))


def test_a_learner_s_functions_play():
    used = []

    def loss(*given):
        used.append("loss")
        return generator_loss(*given)

    def through(*given):
        used.append("through")
        return pix2pix.u_shape(*given)

    dict(small(loss=loss, through=through).round(pairs().batch(0).to("cpu")))
    assert set(used) == {"loss", "through"}


def test_resumed_is_never_stopped(tmp_path):
    """Dropout's lots, too, are those of a training in one go."""
    path, source = tmp_path / "c.pt", pairs()
    one, other = small(), small()
    fit(one, source, 4, seed=3, device="cpu", progress=False)
    fit(other, source, 2, seed=3, device="cpu", progress=False, checkpoint=path)
    again = small()
    fit(again, source, 4, seed=3, device="cpu", progress=False, checkpoint=path,
        resume=True)  # fmt: skip
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: small(way="draw"), "No way 'draw'; there are paint, segment"),
        (lambda: small(size=20), "size is 8, 16"),
        (lambda: small().sample(torch.zeros(1, 3, 16, 16)), "3 x 32 x 32"),
        (
            lambda: Pairs(Birds("train", 32, 4, 2), "zebras"),
            "there are parts, wings, dusk",
        ),
    ],
)
def test_what_can_t_be_is_said(call, said):
    with pytest.raises(ValueError, match=said):
        call()


# --------------------------------------------------------------------------- the pairs


def test_a_part_map_in_colours_and_back():
    masks = np.arange(8, dtype=np.uint8).reshape(1, 2, 4)
    picture = in_colours(masks)
    assert tuple(picture[0, :, 0, 1]) == PALETTE["wing"]
    given = torch.from_numpy(picture).float() / 127.5 - 1
    assert torch.equal(nearest_part(given), torch.from_numpy(masks))
    near = given * 0.2
    assert torch.equal(nearest_part(near), torch.from_numpy(masks))
    colours = np.array([PALETTE[p] for p in PARTS])
    noise = torch.rand(1, 3, 5, 5) * 2 - 1
    flat = noise[0].permute(1, 2, 0).reshape(-1, 1, 3) * 127.5 + 127.5
    nearest = (flat - torch.tensor(colours)).square().sum(-1).argmin(1)
    assert torch.equal(nearest_part(noise).flatten().long(), nearest)


def test_pairs_are_of_one_bird_and_unpaired_never():
    together = pairs().batch(0)
    assert torch.equal(
        together.image[:, :3], torch.from_numpy(in_colours(together.masks))
    )
    source = pairs("wings", paired=False, batch_size=8)
    seen_x, seen_y = set(), set()
    for step in range(40):
        x, y = source.batch(step).image.chunk(2, 1)
        seen_x |= {p.numpy().tobytes() for p in x}
        seen_y |= {p.numpy().tobytes() for p in y}
    assert seen_x <= {p.tobytes() for p in source.x[::2]}
    assert seen_y <= {p.tobytes() for p in source.y[1::2]}
    assert len(seen_x) == len(seen_y) == 150


def test_processes_share_a_batch_without_overlap():
    source = pairs("dusk", paired=False, batch_size=3)
    both = [source.batch(0, rank, 2).image for rank in (0, 1)]
    assert not any(torch.equal(a, b) for a in both[0] for b in both[1])


def test_wings_differ_by_their_pattern_alone():
    birds = Birds("train", 32, 4, 2)
    source = Pairs(birds, "wings")
    plain = birds.content[:, PATTERN] == 0
    assert np.array_equal(source.x[plain], birds.images[plain])
    assert np.array_equal(source.y[~plain], birds.images[~plain])
    changed = (source.x != source.y).any(1)
    wing = birds.masks == PARTS.index("wing")
    near = F.max_pool2d(torch.from_numpy(wing).float(), 3, 1, 1).bool().numpy()
    assert changed.any((1, 2)).all() and not (changed & ~near).any()


def test_dusk_is_darker_and_can_be_undone():
    levels = np.arange(256, dtype=np.uint8)[:, None, None, None]
    flat = np.ascontiguousarray(np.broadcast_to(levels, (256, 3, 8, 8)))
    dusk = at_dusk(flat).astype(int)
    assert (dusk[80:] < flat[80:]).all()
    assert (dusk[:, 2] > dusk[:, 0]).all(), "bluer"
    assert (np.diff(dusk, axis=0) >= 0).all(), "in the order they had"
    assert (dusk[255, :, 0, 0] < dusk[255, :, 4, 4]).all(), "dim at the rim"


# ------------------------------------------------------------------------ the measures


def test_overlap_by_torchmetrics():
    torch.manual_seed(0)
    found, truth = torch.randint(4, (2, 3, 9, 9))
    ours = translation.class_iou(found, truth, 4)
    theirs = multiclass_jaccard_index(found, truth, 4, average="none")
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_the_median_has_the_least_distance():
    source = pairs()
    batch = source.all().to("cpu")
    birds, masks = batch.image[:, 3:], batch.masks
    best = translation.in_median_colours(masks, birds, masks)
    least = translation.pixel_error(best, birds)
    rng = torch.Generator().manual_seed(0)
    for _ in range(5):
        other = best + 0.2 * torch.randn(1, 3, 1, 1, generator=rng)
        assert translation.pixel_error(other, birds) > least


def test_colour_is_of_the_bird_alone():
    masks = torch.zeros(1, 2, 2, dtype=torch.uint8)
    masks[0, 0] = 1
    bird = torch.zeros(1, 3, 2, 2)
    bird[0, 0, 0], bird[0, 1, 1] = 1.0, 1.0
    assert translation.colourfulness(bird, masks) == 0.5
    assert translation.colourfulness(torch.zeros(1, 3, 2, 2), masks) == 0


def test_what_survives_which_damage():
    class Hider:
        """Writes the bird into the least digits of a black map, and reads it there."""

        def sample(self, pictures, to="y"):
            if to == "x":
                return pictures * 1e-4 - 1 + 1e-4
            return (pictures + 1 - 1e-4) * 1e4

    birds = torch.rand(6, 3, 8, 8) * 2 - 1
    found = translation.survival(Hider(), birds)
    assert found["as it is"] < 0.01
    assert min(found["8 bits"], found["nearest colours"]) > 0.2
