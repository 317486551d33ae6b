"""What grown pictures are worth: who recognizes them, their spectrum, their truth."""

import numpy as np
import pytest
import torch
from test_efficientnet_lite import seeded
from torch.nn import functional as F

from t2i_course.measure import stimuli
from t2i_course.measure.oracle import oracle
from t2i_course.worlds.bird_drawing import PARTS, RGB
from t2i_course.worlds.bird_species import ATTRIBUTES, COLOURS
from t2i_course.worlds.birds import Birds

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def birds():
    """60 birds of unseen species, all different."""
    return Birds("test", 64).all(60).to("cpu")


# the birds' units ---------------------------------------------------------------------


def test_names_stand_in_the_order_of_the_layer(birds):
    """The truth of real birds, unit by unit, is where the layer is highest."""
    rows = stimuli.read(stimuli.every_attribute(oracle(64)), birds.image)
    names = stimuli.attribute_units()
    assert rows.shape == (60, 54) and len(names) == len(set(names)) == 54
    right = []
    for row, attributes in zip(rows, birds.attributes):
        said = [f"{name} {values[value]}" for (name, values), value
                in zip(ATTRIBUTES.items(), attributes.tolist())]  # fmt: skip
        units = torch.tensor(stimuli.unit_numbers(*said))
        right.append(stimuli.first_of_attribute(row.expand(len(units), -1), units))
    assert torch.stack(right).float().mean() > 0.97


def test_numbers_are_found_by_names():
    assert stimuli.unit_numbers("wing red", "belly red", "wing grey") == [0, 10, 9]
    assert stimuli.unit_numbers("habitat branch") == [53]
    assert stimuli.of_part("crown") == list(range(20, 30))
    names = [stimuli.attribute_units()[unit] for unit in stimuli.of_part("tail")]
    assert names == [("tail", colour) for colour in COLOURS]
    with pytest.raises(ValueError, match="beak red"):
        stimuli.unit_numbers("beak red")


def test_a_unit_is_held_only_against_its_attribute():
    short, long, sky = stimuli.unit_numbers("beak short", "beak long", "habitat sky")
    rows = torch.zeros(3, 54)
    rows[:, sky] = 9.0
    rows[:, short] = 2.0
    rows[:, long] = torch.tensor([1.0, 3.0, -5.0])
    units = torch.tensor([short, short, sky])
    assert stimuli.first_of_attribute(rows, units).tolist() == [True, False, True]
    assert stimuli.recognized(rows, units).tolist() == [False, False, True]


def test_first_of_attribute_by_another_way():
    """Logits of each attribute apart, as the oracle gives them."""
    rng = torch.Generator().manual_seed(0)
    apart = {name: torch.randn(54, len(values), generator=rng)
             for name, values in ATTRIBUTES.items()}  # fmt: skip
    rows = stimuli.every_attribute(lambda pictures: apart)(None)
    expected = [
        apart[name][unit].argmax() == ATTRIBUTES[name].index(value)
        for unit, (name, value) in enumerate(stimuli.attribute_units())
    ]
    found = stimuli.first_of_attribute(rows, torch.arange(54))
    shares = [
        apart[name][unit].softmax(0)[ATTRIBUTES[name].index(value)]
        for unit, (name, value) in enumerate(stimuli.attribute_units())
    ]
    share = stimuli.share_of_attribute(rows, torch.arange(54))
    assert torch.allclose(share, torch.stack(shares), atol=1e-6)
    assert found.tolist() == [bool(one) for one in expected] and 3 < found.sum() < 40


# who else recognizes it ---------------------------------------------------------------


def test_recognized_and_lead_by_hand():
    rows = torch.tensor([[1.0, 4.0, 2.5], [1.0, 4.0, 2.5], [-1.0, -2.0, -9.0]])
    units = torch.tensor([1, 2, 0])
    assert stimuli.recognized(rows, units).tolist() == [True, False, True]
    assert stimuli.lead(rows, units).tolist() == [1.5, -1.5, 1.0]
    assert rows[0].tolist() == [1.0, 4.0, 2.5]


def test_it_leads_where_it_is_recognized():
    rows = torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    units = torch.arange(200) % 5
    known, lead = stimuli.recognized(rows, units), stimuli.lead(rows, units)
    assert torch.equal(known, lead > 0) and 20 < known.sum() < 60
    assert torch.allclose(stimuli.lead(rows + 3, units), lead, atol=1e-5)


def test_pictures_are_read_a_few_at_a_time():
    seen = []

    def layer(pictures):
        seen.append(len(pictures))
        return pictures.flatten(1)

    pictures = torch.randn(7, 1, 2, 2)
    assert torch.equal(stimuli.read(layer, pictures, 3), pictures.flatten(1))
    assert seen == [3, 3, 1]


# its spectrum -------------------------------------------------------------------------


def cloud(power, size, count=40, seed=0):
    """Noise whose power falls as 1 / f^power: squares cut out of larger ones."""
    rng = torch.Generator().manual_seed(seed)
    whole = 2 * size  # so that the squares don't fit together at their edges
    noise = torch.fft.fft2(torch.randn(count, 1, whole, whole, generator=rng))
    places = torch.fft.fftfreq(whole)
    frequency = (places[:, None].square() + places.square()).sqrt()
    frequency[0, 0] = 1 / whole
    noise = torch.fft.ifft2(noise * frequency ** (-power / 2)).real
    return 0.05 * noise[..., :size, :size].expand(-1, 3, -1, -1)


@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize("power", [0, 1, 2, 3])
def test_steepness_is_the_power(power, size):
    bands = stimuli.spectrum(cloud(power, size))
    found = stimuli.steepness(bands, size)
    assert found.shape == (40,) and found.mean() == pytest.approx(power, abs=0.13)


@pytest.mark.parametrize("size", [32, 64, 96, 128, 224])
def test_a_straight_line_is_found_exactly(size):
    """Bands that some size doesn't have leave no gap: each stands at its own middle."""
    at = stimuli.middles(size).log10()
    assert stimuli.spectrum(torch.randn(1, 3, size, size)).shape == (1, len(at))
    assert 10 ** at[0] > 2 / size and 10 ** at[-1] < 0.5 and (at.diff() > 0).all()
    lines = torch.stack([5 - 2 * at, -3 + 0 * at])
    assert stimuli.steepness(lines, size).tolist() == pytest.approx([2, 0], abs=1e-4)


def test_noise_has_the_same_power_everywhere():
    bands = stimuli.spectrum(cloud(0, 128, 50))
    high = bands[:, 6:].mean(0)  # a mean over many waves each
    assert (high - high.mean()).abs().max() < 0.03


def test_noises_power_is_as_parseval_says():
    """The mean power is the variance times the sum of squares of what fades it out."""
    rng = torch.Generator().manual_seed(0)
    pictures = 0.3 * torch.randn(100, 3, 64, 64, generator=rng)
    fade = torch.hann_window(64, periodic=False).square().sum()
    power = (0.3**2 / 3) * fade.square()  # the mean of three channels
    found = (10 ** stimuli.spectrum(pictures)).mean(0)[-6:]
    assert (found / power - 1).abs().max() < 0.05


def test_a_wave_is_in_its_band():
    x = torch.arange(128) / 128
    for waves in (4, 12, 40):
        picture = torch.sin(2 * np.pi * waves * x).expand(1, 3, 128, 128)
        best = stimuli.spectrum(picture)[0].argmax()
        middle = stimuli.middles(128)[best] * 128
        assert 1 / 1.1 < middle / waves < 1.1  # bands are 1.19 times as high as wide


def test_contrast_is_a_level_and_not_a_shape():
    one, real = stimuli.spectrum(cloud(2, 64)), stimuli.spectrum(cloud(1.5, 64, seed=1))
    faint = stimuli.spectrum(cloud(2, 64) / 10 + 0.3)
    assert torch.allclose(one - faint, torch.full_like(one, 2.0), atol=0.02)
    there, then = stimuli.unnatural(one, real), stimuli.unnatural(faint, real)
    assert torch.allclose(there, then, atol=0.01) and there.min() > 0.05
    steep = [stimuli.steepness(bands, 64) for bands in (one, faint)]
    assert torch.allclose(*steep, atol=0.02)


def test_unnatural_is_nothing_for_the_mean_itself():
    real = stimuli.spectrum(cloud(2, 64))
    mean = real.mean(0, keepdim=True)
    assert stimuli.unnatural(torch.cat([mean, mean + 5]), real).abs().max() < 1e-5
    off = mean.clone()
    off[0, 3] += 1.0
    count = real.shape[1]
    expected = np.sqrt((1 - 1 / count) / count)  # one of `count` bands, less the mean
    assert stimuli.unnatural(off, real).item() == pytest.approx(expected, rel=1e-3)


def test_noise_is_less_natural_than_a_bird(birds):
    real = stimuli.spectrum(birds.image[::2])
    other = stimuli.unnatural(stimuli.spectrum(birds.image[1::2]), real).mean()
    noise = stimuli.unnatural(stimuli.spectrum(cloud(0, 64)), real).mean()
    assert noise > 5 * other > 0


def test_photographs():
    for size in (64, 128):
        pictures = stimuli.photographs(size)
        assert pictures.shape == (24, 3, size, size)
        assert pictures.min() >= -1 and pictures.max() <= 1 and pictures.std() > 0.3
        steep = stimuli.steepness(stimuli.spectrum(pictures), size)
        palace, flower = steep[:12].mean(), steep[12:].mean()
        assert 2.2 < palace < 2.9 and palace < flower < 3.5  # it stands before a blur
        assert steep.min() > 2 and steep.max() < 4.5
    assert (
        2.29 < steep.min() < 2.31 and 3.87 < steep.max() < 3.89
    )  # as `steepness` says


# one thing, or pieces -----------------------------------------------------------------


def drawn(*lines):
    """A map (H, W): "#" is 1, "+" is 0.5, "-" is 0.2, "." is -1."""
    values = {"#": 1.0, "+": 0.5, "-": 0.2, ".": -1.0}
    return torch.tensor([[values[sign] for sign in line] for line in lines])


def test_pieces_on_drawn_maps():
    maps = [
        drawn("##..", "##..", "....", "...."),  # one
        drawn("##..", "....", "..##", "...."),  # two
        drawn("#...", ".#..", "..#.", "...#"),  # joined at their corners: one
        drawn("#.#.", "....", "#.#.", "...."),  # four
        drawn("##..", "....", "..++", "...."),  # a weaker one counts
        drawn("##..", "....", "..--", "...."),  # one below 0.3 of the highest doesn't
        drawn("#--#", "....", "....", "...."),  # nor does it join two
        drawn("....", "....", "....", "...."),  # nothing speaks for the class
    ]
    assert stimuli.pieces(torch.stack(maps)).tolist() == [1, 2, 1, 4, 2, 1, 2, 0]
    assert stimuli.pieces(7 * torch.stack(maps[:5])).tolist() == [1, 2, 1, 4, 2]
    assert stimuli.pieces(maps[5][None], above=0.1).item() == 2
    assert stimuli.pieces(torch.zeros(1, 4, 4)).item() == 0


@pytest.fixture(scope="module")
def network():
    """A network with weights by lot, made so that its features say something."""
    network = seeded()
    network.last.weight.normal_()
    network.last.bias.normal_()
    return network


@pytest.mark.parametrize(("larger", "side"), [(1.0, 1), (1.5, 2)])
def test_a_class_map_sums_to_its_logit(network, larger, side):
    pictures = torch.rand(26, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    pictures, units = 2 * pictures - 1, torch.arange(26) * 30
    maps = stimuli.class_maps(network, pictures, units, larger)
    assert maps.shape == (26, side, side)
    if larger > 1:
        pictures = F.interpolate(pictures, scale_factor=larger, mode="bicubic")
    with torch.no_grad():
        logits = network(pictures).gather(1, units[:, None])[:, 0]
    found = maps.mean((1, 2)) + network.last.bias[units]
    apart = (found - logits).abs().max()
    assert apart < 1e-3 and logits.std() > 1000 * apart
    assert side == 1 or maps.flatten(1).std(1).min() > 100 * apart  # places differ


# the truth of the bird world ----------------------------------------------------------


def test_places_are_shares():
    places = stimuli.part_places(64)
    assert places.shape == (8, 64, 64) and places.min() >= 0
    assert torch.allclose(places.sum(0), torch.ones(64, 64), atol=1e-5)


def test_parts_lie_where_they_are_drawn():
    """Against birds' boxes: a part covers what its boxes hold, and nothing outside."""
    birds = Birds("test", 64, details=True)
    rows = np.arange(0, len(birds), len(birds) // 400)
    boxes = birds.at(rows, 0 * rows).boxes
    places, line = stimuli.part_places(64), torch.arange(64)
    for part in ("wing", "belly", "crown", "tail", "beak", "eye"):
        number = PARTS.index(part)
        left, top, right, low = (64 * boxes[:, number - 1]).T
        held = ((line >= left[:, None]) & (line < right[:, None]))[:, None] & (
            (line >= top[:, None]) & (line < low[:, None])
        )[:, :, None]
        share = held.float().mean(0)
        assert (places[number] <= share + 1e-6).all()
    heights = [
        (places[i].sum(1) * line).sum() / places[i].sum() for i in range(len(PARTS))
    ]
    wing, belly, crown, tail = (heights[PARTS.index(p)] for p in stimuli.COLOURED)
    assert crown < wing < belly < tail
    assert places[PARTS.index("wing"), 28:34, 28:34].mean() > 0.6


def test_the_palette():
    assert stimuli.palette().shape == (10, 3) and stimuli.palette().abs().max() <= 1
    red, grey = stimuli.palette()[0], stimuli.palette()[9]
    assert torch.allclose(red, 2 * torch.tensor(RGB["red"]) - 1)
    assert grey.std() < 0.1 < red.std()


def patches(part, colours=None, elsewhere=False):
    """Ten pictures of the same bird with a patch of each colour, there or elsewhere."""
    places = stimuli.part_places(64)[PARTS.index(part)]
    where = (places > 0.5 * places.max()).float()
    where = where.roll(26, 0) if elsewhere else where
    colours = stimuli.palette() if colours is None else colours
    pictures = Birds("test", 64).all(1).to("cpu").image.expand(10, -1, -1, -1)
    return torch.lerp(pictures, colours[:, :, None, None], where)


@pytest.mark.parametrize("part", stimuli.COLOURED)
def test_truth_of_patches_at_the_parts_place(part):
    found = stimuli.truth_of(patches(part), part)
    assert found["colour"] == 1 and found["place"] > 0.999
    assert 0.04 < found["place by chance"] < 0.12
    turned = stimuli.truth_of(patches(part, stimuli.palette().roll(1, 0)), part)
    assert turned["colour"] == 0 and turned["place"] > 0.999


def test_truth_of_half_the_colours():
    colours = stimuli.palette().clone()
    colours[:4] = colours[[1, 0, 3, 2]]  # as many of each: the mean stays
    assert stimuli.truth_of(patches("wing", colours), "wing")["colour"] == (
        pytest.approx(0.6)
    )


def test_truth_of_patches_elsewhere():
    found = stimuli.truth_of(patches("wing", elsewhere=True), "wing")
    assert found["place"] < 0.05
    found = stimuli.truth_of(patches("tail"), "crown")
    assert found["place"] < 0.05


def test_truth_of_noise_is_chance():
    rng = torch.Generator().manual_seed(0)
    found = [stimuli.truth_of(torch.randn(10, 3, 64, 64, generator=rng), "belly")
             for _ in range(30)]  # fmt: skip
    colour = np.mean([one["colour"] for one in found])
    assert colour == pytest.approx(0.1, abs=0.06)
    place = np.mean([one["place"] for one in found])
    assert place == pytest.approx(found[0]["place by chance"], rel=0.03)


def test_truth_of_birds_drawn_with_one_colour_changed():
    """The bird world itself, drawn ten times: colours and places are right."""
    from t2i_course.measure.causes import pictures_of
    from t2i_course.worlds.bird_species import individual_styles

    for column, part in enumerate(stimuli.COLOURED):
        content = np.tile([3, 5, 8, 2, 0, 1, 1, 1, 1], (10, 1))
        content[:, column] = np.arange(10)
        pictures = pictures_of(content, individual_styles(3, 1).repeat(10, 0))
        found = stimuli.truth_of(pictures, part)
        assert found["colour"] >= 0.8 and found["place"] > 6 * found["place by chance"]
