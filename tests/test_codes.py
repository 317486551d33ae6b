"""Lesson 04's measures, its playground of codes, its figures, its shipped networks."""

import math

import pytest
import torch
from matplotlib.figure import Figure

from t2i_course import weights
from t2i_course.experiments import records
from t2i_course.experiments.families import FAMILIES, comparison, spread
from t2i_course.measure import codes as measure
from t2i_course.papers.pixelcnn import BIRDS, PixelCnn, log_probability
from t2i_course.papers.vae import rounded_log_likelihood
from t2i_course.papers.vqvae import VqVae
from t2i_course.papers.vqvae2 import VqVae2
from t2i_course.play.code_lab import WAYS, CodeLab, exchanged
from t2i_course.show.codes import code_maps, planes, views
from t2i_course.worlds.digits import Digits


def small_prior(values=6):
    torch.manual_seed(0)
    coder = VqVae(16, 3, 8, values, 4).eval()
    return PixelCnn(coder, values=values, classes=0, channels=4, layers=2, out=8,
                    first=3).eval()  # fmt: skip


# Measures ----------------------------------------------------------------------------


def test_every_map_is_listed_once():
    maps = measure.all_maps(3, (2, 2))
    assert maps.shape == (81, 2, 2) and len(maps.unique(dim=0)) == 81
    assert maps.min() == 0 and maps.max() == 2
    with pytest.raises(ValueError, match="too many"):
        measure.all_maps(128, (8, 8))


def test_priors_over_all_maps_sum_to_one():
    prior = PixelCnn(values=3, shape=(1, 2, 2), classes=0, channels=4, layers=2, out=8)
    maps = measure.all_maps(3, (2, 2))
    for which in (prior, None):
        log_prior = measure.log_prior_of(which, maps)
        assert log_prior.exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_the_sum_over_maps_is_the_likelihood():
    """Against a plain sum over the five maps, each term by the paper's formula."""
    torch.manual_seed(0)
    system = VqVae(4, 1, 4, 5, 3).eval()
    pictures = torch.randint(17, (6, 1, 4, 4)) / 8 - 1
    every = measure.all_maps(5, (1, 1))
    log_prior, sigma = torch.randn(5).log_softmax(0), torch.tensor(0.3)
    found = system.exact_log_likelihood(pictures, 0.3, log_prior, every)
    terms = [
        rounded_log_likelihood(system.decode(one[None]), sigma.log(), pictures, 1 / 8)
        for one in every
    ]
    wanted = (torch.stack(terms, 1) + log_prior).logsumexp(1)
    assert torch.allclose(found, wanted, atol=1e-3)
    bound = system.bits_per_dimension(pictures, 0.3, levels=17, rounded=True)
    assert (bound >= measure.exact_bits(system, pictures, 0.3) - 1e-5).all()


def test_exact_likelihoods_of_all_pictures_sum_to_one():
    torch.manual_seed(0)
    system = VqVae(4, 1, 4, 3, 2).eval()
    number = torch.arange(2**16)[:, None] // 2 ** torch.arange(16) % 2
    pictures = (2.0 * number - 1).view(-1, 1, 4, 4)
    every = measure.all_maps(3, (1, 1))
    log_prior = measure.log_prior_of(None, every)
    log_p = system.exact_log_likelihood(pictures, 0.5, log_prior, every, levels=2)
    assert log_p.exp().sum().item() == pytest.approx(1, abs=1e-4)


def test_whose_attributes_a_mixture_has():
    birds = measure.unseen_birds(60).image
    other = birds.roll(17, 0)
    found = measure.follows(birds, birds, other)
    assert all(share == (1.0, 0.0) for share in found.values())
    assert measure.follows(other, birds, other)["habitat"] == (0.0, 1.0)


def test_figures_of_pictures():
    birds = measure.unseen_birds(300)
    found = measure.pictures_in_figures(birds.image, birds.image)
    assert found["detail"] == 1 and found["frechet distance"] < 1
    blurred = torch.nn.functional.avg_pool2d(birds.image, 3, 1, 1)
    worse = measure.pictures_in_figures(blurred, birds.image)
    assert worse["detail"] < 0.5 and worse["frechet distance"] > 100
    kept = measure.of_species(birds.image, birds.attributes)
    assert min(kept.values()) > 0.97


def test_the_lectures_table():
    rows = comparison(records("04"))
    assert len(rows) == 6 and all(len(row) == len(FAMILIES)
                                  for row in rows.values())  # fmt: skip
    assert not any("nan" in cell for row in rows.values() for cell in row)
    assert spread([9.0, 11.0]) == "20%" and spread([1]) != "0%"


def test_the_loss_by_hand_is_the_networks_own():
    prior = small_prior().pixelcnn
    codes = torch.randint(6, (3, 4, 4))
    with torch.no_grad():
        assert torch.equal(log_probability(prior(codes), codes), prior.log_prob(codes))


# The playground ----------------------------------------------------------------------


@pytest.fixture
def lab():
    return CodeLab(small_prior(), torch.rand(4, 3, 16, 16) * 2 - 1, reader=None)


def test_marked_codes_are_exchanged_and_no_others(lab):
    marked = torch.zeros(4, 4, dtype=torch.bool)
    marked[1, 2] = marked[3, 0] = True
    changed = lab.change(0, marked, WAYS[0], other=2)
    assert torch.equal(changed[marked], lab.codes[2][marked])
    assert torch.equal(changed[~marked], lab.codes[0][~marked])
    assert (lab.change(0, marked, WAYS[1], entry=5)[marked] == 5).all()
    drawn = lab.change(0, marked, WAYS[2], seed=3)
    assert torch.equal(drawn[~marked], lab.codes[0][~marked])
    assert torch.equal(drawn, lab.change(0, marked, WAYS[2], seed=3))
    assert torch.equal(exchanged(lab.codes[0], lab.codes[1], marked.new_zeros(4, 4)),
                       lab.codes[0])  # fmt: skip
    with pytest.raises(ValueError, match="no way 'magic'"):
        lab.change(0, marked, "magic")


def test_bits_are_those_of_the_prior(lab):
    nats = -lab.prior.pixelcnn.log_prob(lab.codes[:1])
    assert lab.bits(lab.codes[0]) == pytest.approx(nats.item() / math.log(2), rel=1e-5)
    assert "bits under the prior" in lab.words(lab.codes[0])
    marked = torch.ones(4, 4, dtype=torch.bool)
    assert isinstance(lab.figure(0, marked), Figure)
    assert lab.row(0, lab.codes[1], marked, 1).shape == (5, 3, 16, 16)


def test_the_widget_without_a_browser(lab):
    parts = lab.widget().parts
    before, numbers = parts["image"].value, [p.description for p in parts["places"]]
    assert before[:4] == b"\x89PNG" and len(numbers) == 16
    assert numbers == [str(code) for code in lab.codes[0].flatten().tolist()]
    parts["way"].value, parts["entry"].value = WAYS[1], 3
    parts["places"][5].value = True
    assert parts["places"][5].description == "3"
    assert parts["image"].value != before
    parts["all"].click()
    assert {place.description for place in parts["places"]} == {"3"}
    parts["none"].click()
    assert [place.description for place in parts["places"]] == numbers
    parts["bird"].value = 2
    assert "bits under the prior" in parts["line"].value
    lab.change = lambda *a: 1 / 0
    parts["seed"].value = 4
    assert "could not be drawn" in parts["line"].value


# Figures -----------------------------------------------------------------------------


def test_figures_of_codes():
    vectors, codebook = torch.randn(16, 2), torch.randn(30, 2)
    assert isinstance(planes({"a": (vectors, codebook), "b": (vectors, codebook)}, "t"),
                      Figure)  # fmt: skip
    seen = torch.zeros(5, 5, dtype=torch.bool)
    assert isinstance(views({"a": (seen, (2, 2))}, "t"), Figure)
    for size in (2, 16):
        maps = code_maps(torch.randint(30, (3, 4, 4)), torch.randn(30, size), 8)
        assert maps.shape == (3, 3, 8, 8) and maps.abs().max() <= 1


# What ships --------------------------------------------------------------------------


def test_birds_come_back_from_their_codes_as_the_manifest_says():
    system = VqVae.from_preset("cpu")
    written = weights.load_into(system, "vqvae_birds")["measured"]
    birds = measure.unseen_birds(400).image
    error = (system.eval().reconstruct(birds) - birds).square().mean().item()
    assert error == pytest.approx(written["error"], rel=0.15)


@pytest.mark.parametrize(
    ("name", "classes"), [("pixelcnn_birds", 0), ("pixelcnn_birds_species", 200)]
)
def test_priors_know_the_codes_as_the_manifest_says(name, classes):
    coder = VqVae.from_preset("cpu")
    prior = PixelCnn.from_preset("cpu", coder=coder,
                                 **BIRDS["cpu"] | {"classes": classes})  # fmt: skip
    written = weights.load_into(prior, name)["measured"]
    birds = measure.Birds("train", 32).all(400).to("cpu")
    bits = prior.eval().bits_per_dimension(birds.image, birds.class_id).mean().item()
    assert bits == pytest.approx(written["bits_per_code_trained_on"], rel=0.05)
    if classes:
        prior.rng = torch.Generator().manual_seed(0)
        kept = measure.of_species(prior.sample(birds.class_id), birds.attributes)
        assert kept["habitat"] == pytest.approx(written["habitat"], abs=0.05)


def test_digits_cost_the_bits_that_the_manifest_says():
    held = Digits(split="held-out").pictures()
    pixels = PixelCnn.from_preset("cpu", classes=0)
    written = weights.load_into(pixels, "pixelcnn_digits")["measured"]
    bits = pixels.eval().bits_per_dimension(held).mean().item()
    assert bits == pytest.approx(written["bits"], rel=0.01)
    prior = PixelCnn(VqVae(**measure.FEW_CODES), **measure.FEW_CODES_PRIOR)
    written = weights.load_into(prior, "pixelcnn_few_codes")["measured"]
    sigma = written["deviation"]
    exact = measure.exact_bits(prior.eval().coder, held, sigma, prior).mean().item()
    assert exact == pytest.approx(written["learned_exact"], rel=0.01)


def test_two_levels_bring_birds_back_as_the_manifest_says():
    system = VqVae2.from_preset("cpu")
    written = weights.load_into(system, "vqvae2_birds")["measured"]
    birds = measure.unseen_birds(400).image
    drawn = system.eval().decode(*system.codes(birds))
    error = (drawn - birds).square().mean().item()
    assert error == pytest.approx(written["error"], rel=0.15)
