"""Lesson 03: the plane of codes, what is measured, and the shipped networks."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from t2i_course import weights
from t2i_course.measure import vae as measured
from t2i_course.papers.aae import Aae
from t2i_course.papers.vae import BIRDS, COLLAPSE, GREY, PRESETS, Vae
from t2i_course.show.latent import LatentPlane, code_map, pad
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.digits import DigitReader

# The plane ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plane():
    torch.manual_seed(0)
    systems = {
        "VAE": Vae.from_preset("smoke", **GREY["smoke"], **{"latent": 2}),
        "AAE": Aae.from_preset("smoke"),
    }
    return LatentPlane(systems, DigitReader())


def test_a_point_has_the_picture_of_its_code(plane):
    found = plane.at(0.5, -1.0)
    decoder = plane.systems["VAE"].decoder
    with torch.no_grad():
        wanted = decoder.picture(torch.tensor([[0.5, -1.0]]))[0]
    assert torch.allclose(found["VAE"], wanted, atol=1e-6)
    assert found["AAE"].shape == (1, 8, 8)


def test_the_sheet_is_read_from_the_top_left(plane):
    points = plane.points()
    assert points[0].tolist() == [-2.5, 2.5] and points[-1].tolist() == [2.5, -2.5]
    assert points[1, 0] > points[0, 0] and points[1, 1] == points[0, 1]


def red(png):
    """Where the frame of the first network is: mean column and row of red pixels."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    rows, columns = np.nonzero((pixels[..., 0] > 200) & (pixels[..., 1:].sum(2) < 60))
    first = columns < 264
    return columns[first].mean(), rows[first].mean()


def test_the_frame_moves_with_the_point(plane):
    middle, right, up = (red(plane.image(x, y)) for x, y in ((0, 0), (2, 0), (0, 2)))
    assert right[0] > middle[0] + 60 and abs(right[1] - middle[1]) < 2
    assert up[1] < middle[1] - 60 and abs(up[0] - middle[0]) < 2


def test_sliders_change_the_picture_and_the_words(plane):
    box = pad(plane)
    before = box.parts["picture"].value
    box.parts["first"].value = 1.5
    assert box.parts["picture"].value != before
    assert box.parts["said"].value == plane.words(1.5, 0.0)
    assert "VAE: " in box.parts["said"].value and "; AAE: " in box.parts["said"].value


def test_only_networks_with_two_numbers_have_a_plane():
    with pytest.raises(ValueError, match="VAE has 4 latent numbers, not 2"):
        LatentPlane({"VAE": Vae.from_preset("smoke")})


def test_figures_are_drawn(plane):
    assert plane.figure("AAE").axes
    codes = {name: torch.randn(20, 2) for name in ("VAE", "AAE")}
    figure = code_map(codes, torch.arange(20) % 10)
    assert [axes.get_title() for axes in figure.axes[:2]] == ["VAE", "AAE"]
    assert LatentPlane({"AAE": plane.systems["AAE"]}).words(0, 0) == ""


# What is measured ---------------------------------------------------------------------


def test_bits_fall_with_draws_and_start_at_the_elbo():
    torch.manual_seed(0)
    system = Vae.from_preset("smoke", **GREY["smoke"])
    bits = measured.bits_by_draws(system, (1, 4, 16))
    assert bits[1] > bits[4] > bits[16] > 0
    elbo = measured.grey_levels(system)["elbo"]
    assert elbo == pytest.approx(bits[1], rel=0.02)


def test_blur_is_seen():
    rng = torch.Generator().manual_seed(0)
    sharp = torch.rand(20, 3, 32, 32, generator=rng) * 2 - 1
    soft = torch.nn.functional.avg_pool2d(sharp, 5, 1, 2)
    assert measured.blur(soft)["detail"] < 0.3 * measured.blur(sharp)["detail"]
    assert len(measured.blur(sharp)["spectrum"]) == 17


# What ships ---------------------------------------------------------------------------

DIGITS = {
    "vae_digits": GREY["cpu"],
    "vae_plane": GREY["cpu"] | {"latent": 2},
    "vae_mlp": COLLAPSE["mlp"],
    "vae_pixelcnn": COLLAPSE["pixelcnn"],
    "vae_free_bits": COLLAPSE["free bits"],
}


def shipped(name):
    """A shipped network and what the manifest says of it."""
    kind, settings = (Aae, {}) if name == "aae_digits" else (Vae, DIGITS.get(name))
    system = kind.from_preset("cpu", **(BIRDS["cpu"] if settings is None else settings))
    return system.eval(), weights.load_into(system, name)["measured"]


def test_the_settings_are_those_of_the_presets():
    assert PRESETS["cpu"]["shape"] == (1, 8, 8)
    for name in [*DIGITS, "aae_digits", "vae_birds_32"]:
        assert weights.entry(name)["seed"] == 0


def test_digits_cost_the_bits_that_the_manifest_says():
    system, written = shipped("vae_digits")
    found = measured.grey_levels(system)
    assert found["bits"] == pytest.approx(written["bits"], abs=0.01)
    assert found["elbo"] == pytest.approx(written["elbo"], abs=0.01)
    assert found["clear"] == pytest.approx(written["clear"], abs=0.04)


@pytest.mark.parametrize("name", ["vae_mlp", "vae_pixelcnn", "vae_free_bits"])
def test_z_says_what_the_manifest_says(name):
    system, written = shipped(name)
    kl = system.kl_per_latent(measured.held_out(system))
    assert kl.tolist() == pytest.approx(written["per_latent"], abs=0.02)
    bits = measured.bits_by_draws(system, (64,))[64]
    assert bits == pytest.approx(written["bits"], abs=0.01)


def test_the_strong_decoder_has_silenced_z_and_free_bits_have_not():
    names = ("vae_mlp", "vae_pixelcnn", "vae_free_bits")
    mlp, silent, freed = (sum(shipped(name)[1]["per_latent"]) for name in names)
    assert silent < 0.5 * mlp and silent < 0.5 * freed


@pytest.mark.parametrize("name", ["vae_plane", "aae_digits"])
def test_codes_lie_as_the_manifest_says(name):
    system, written = shipped(name)
    found = measured.codes_and_prior(system)
    assert found.distance == pytest.approx(written["distance"], abs=0.003)
    assert measured.fidelity(system) == pytest.approx(written["error"], abs=0.002)


def test_birds_are_as_soft_as_the_manifest_says():
    system, written = shipped("vae_birds_32")
    drawn = measured.seeded(system, 3).sample(500)
    found = measured.blur(drawn)["detail"]
    assert found == pytest.approx(written["detail"], abs=0.004)
    real = measured.blur(Birds("train", 32).all(500).to("cpu").image)["detail"]
    assert found < 0.6 * real
