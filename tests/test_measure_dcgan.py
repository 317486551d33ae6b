"""Lesson 02's measures, its map of names, its lab, and the networks it loads."""

import pytest
import torch
from torch import nn

from t2i_course import lesson, weights
from t2i_course.inside.latent import slerp
from t2i_course.measure import dcgan as measure
from t2i_course.papers.gan import Gan
from t2i_course.papers.lapgan import Lapgan, generators
from t2i_course.play.latent_lab import LatentLab
from t2i_course.show.family import FAMILY, HERE, family, family_map
from t2i_course.systems import shipped
from t2i_course.worlds.bird_species import ATTRIBUTES

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def generator():
    return shipped("dcgan_32").generator


@pytest.fixture(scope="module")
def lab(generator):
    return LatentLab(generator, examples=600)


# Measures -----------------------------------------------------------------------------


def test_real_birds_come_in_two_parts():
    one, other = measure.real_birds(300), measure.real_birds(300, part=1)
    assert one.shape == (300, 3, 32, 32) and one.dtype == torch.uint8
    rows = {bytes(bird) for bird in one.flatten(1).numpy()}
    assert not rows & {bytes(bird) for bird in other.flatten(1).numpy()}
    with pytest.raises(ValueError, match="too few"):
        measure.real_birds(6000, part=1)


def test_real_birds_are_nearer_to_real_birds_than_grey_is():
    real = measure.quality(measure.real_birds(300, part=1) / 127.5 - 1)
    grey = measure.quality(torch.zeros(300, 3, 32, 32))
    assert real["score"] > 30 and grey["score"] == pytest.approx(1, abs=0.01)
    assert real["distance"] < grey["distance"] / 20


def test_a_system_draws_the_same_from_the_same_seed():
    system = shipped("dcgan_32")
    one, again, other = (measure.draw(system, 260, seed) for seed in (1, 1, 2))
    assert one.shape == (260, 3, 32, 32)
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_attributes_wanted():
    wanted = measure.attributes_wanted(wing="red", habitat="sky")
    assert (wanted >= 0).sum() == 2
    assert wanted[list(ATTRIBUTES).index("habitat")] == 0
    for wrong in ({"hat": "red"}, {"wing": "pink"}):
        with pytest.raises((KeyError, ValueError)):
            measure.attributes_wanted(**wrong)


def test_a_sum_where_the_noise_says_what_is_drawn(monkeypatch):
    """Two numbers of the noise are the colours of wing and belly; the sum must work."""

    class Draws(nn.Module):
        size = 32

        def forward(self, noise):
            return noise

    class Reads:
        def read(self, noise):
            seen = torch.zeros(len(noise), len(ATTRIBUTES), dtype=torch.int64)
            seen[:, :2] = (noise[:, :2] > 0).long()
            return seen

    monkeypatch.setattr(measure, "oracle", lambda size: Reads())
    rng = torch.Generator().manual_seed(0)
    noise = torch.randn(2000, 10, generator=rng)
    given = {"wing": "red", "belly": "orange"}
    other = {"wing": "orange", "belly": "red"}
    made = measure.trial(Draws(), noise, Reads().read(noise), given, other, rng)
    assert made["sum"] == made["average"] == 1
    assert made["start"] == 0 and made["random"] < 0.5
    assert made["chance"] == pytest.approx(0.25, abs=0.05)


# What ships ---------------------------------------------------------------------------


def plain():
    return Gan.from_preset("cpu", shape=(3, 32, 32), noise_size=100)


SYSTEMS = {
    "dcgan_32": lambda: shipped("dcgan_32"),
    "dcgan_64": lambda: shipped("dcgan_64"),
    "gan_birds_32": plain,
    "lapgan_32": lambda: Lapgan.from_preset("cpu"),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_what_ships_draws_as_well_as_the_manifest_says(name):
    """A thousand pictures of other noise; fewer of them have a larger distance."""
    system = SYSTEMS[name]()
    part = generators(system) if name == "lapgan_32" else system.generator
    written = weights.load_into(part, name)["measured"]
    made = measure.quality(measure.draw(system.eval(), 1000, seed=7))
    assert made["score"] == pytest.approx(written["score"], rel=0.15)
    assert made["distance"] == pytest.approx(written["distance"], rel=0.25)


def test_no_such_network():
    with pytest.raises(ValueError, match=r"No network 'dcgan_128'; .*dcgan_32"):
        shipped("dcgan_128")


def test_a_lesson_loads_a_part_and_shows_its_course(monkeypatch, capsys):
    """A loaded network's recorded training stands for one that was watched."""
    shown = []
    monkeypatch.setattr(lesson, "_display", shown.append)
    monkeypatch.setenv("T2I_LIVE", "0")
    monkeypatch.setenv("T2I_PRESET", "cpu")
    system = plain()
    before = system.discriminator.net[0].weight.clone()
    run, name = lesson.begin("02"), "gan_birds_32"
    history = run.train(system, None, 5, shipped=name, part=lambda s: s.generator)
    assert "Loaded the weights" in capsys.readouterr().out
    assert len(history.steps) == len(history.losses["generator"]) > 10
    (figure,) = shown
    assert figure.alt.startswith("gan_birds_32 on the way") and "step 60" in figure.alt
    assert torch.equal(before, system.discriminator.net[0].weight)


# The lab and the map ------------------------------------------------------------------


def test_a_walk_has_the_two_birds_at_its_ends(lab, generator):
    view = lab.view(3, 8)
    ends = torch.stack([lab.noise(3), lab.noise(8)])
    assert view.pictures.shape == (7, 3, 32, 32)
    assert torch.allclose(view.pictures[[0, -1]], generator(ends), atol=1e-4)
    middle = generator(slerp(*ends, 0.5)[None])
    assert torch.allclose(view.pictures[3:4], middle, atol=1e-4)
    assert view.lengths == pytest.approx([10.0] * 7, abs=1e-3)
    assert min(lab.view(3, 8, "straight line").lengths) < 8.5
    assert "left: wing" in view.words


def test_a_wish_moves_the_walk(lab):
    plain, red = lab.view(3, 8), lab.view(3, 8, part="wing", colour="red", strength=4)
    wings = [reading["wing"] for reading in red.readings]
    assert wings.count("red") > [r["wing"] for r in plain.readings].count("red")
    still = lab.view(3, 8, part="wing", colour="red", strength=0)
    assert torch.equal(still.pictures, plain.pictures)
    assert not lab.direction("wing", "as it is").any()
    assert len(lab.figure(left=3, right=8).axes) == 7


def test_the_widget_answers(lab):
    box = lab.widget()
    before, line = bytes(box.image.value), box.line.value
    assert before.startswith(b"\x89PNG") and "The oracle reads" in line
    box.controls[1].value = 20
    assert bytes(box.image.value) != before and box.line.value != line


def test_the_map_holds_the_slides_names():
    names = [name for group in FAMILY.values() for name in group]
    assert len(names) == len(set(names)) and set(HERE) <= set(names)
    slide = """3D-GAN acGAN AC-GAN AdaGAN AEGAN AffGAN AL-CGAN ALI AM-GAN AnoGAN ArtGAN
        b-GAN BEGAN BiGAN BS-GAN CGAN CaloGAN CCGAN CatGAN CoGAN Context-RNN-GAN
        C-RNN-GAN CS-GAN CVAE-GAN CycleGAN DTN DCGAN DiscoGAN DR-GAN DualGAN EBGAN f-GAN
        FF-GAN GAWWN GeneGAN GoGAN GP-GAN IAN iGAN IcGAN ID-CGAN InfoGAN LAGAN
        LAPGAN LSGAN WGAN""".split()
    assert set(slide) | {"Bayesian GAN", "Geometric GAN", "Improved GAN"} == set(names)
    assert "hinge" in repr(family("loss"))
    with pytest.raises(ValueError, match="No group 'colour'; there are: the loss"):
        family("colour")


def test_the_map_shows_in_bold_what_can_be_run():
    texts = [text for axes in family_map({"02"}).axes for text in axes.texts]
    bold = {text.get_text(): text.get_weight() == "bold" for text in texts}
    assert bold["LAPGAN  (02)"] and not bold["CGAN  (05, planned)"]
    assert not bold["f-GAN"]
    assert "lesson 06, planned" in repr(family("pictures", {"02"}))
