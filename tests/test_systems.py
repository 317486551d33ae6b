"""Every system: four presets, something to train on, and ready for a GPU."""

from dataclasses import replace
from functools import cache

import pytest
import torch
from cuda_pretend import assert_plays_on_pretend_cuda
from torch import nn
from training_toys import count

from t2i_course import presets
from t2i_course.declarations import all_systems
from t2i_course.systems import build, data_of, parameter_counts, source_for
from t2i_course.training import CheckpointError, fit

SYSTEMS = all_systems()


@cache
def small(name, data):
    """A batch of what the system trains on, as small as it gets."""
    return source_for(name, "smoke", data).batch(0)


def batch_for(name, preset, data=None):
    """The same in the preset's size, without drawing any larger picture."""
    data = data_of(name, data)
    batch, settings = small(name, data), SYSTEMS[name].settings(preset, data)
    if batch.image.ndim < 4:  # points, or features in place of pictures
        return replace(batch)
    side = settings["shape"][-1] if "shape" in settings else settings["size"]
    count, channels = batch.image.shape[:2]
    return replace(batch, image=torch.zeros(count, channels, side, side))


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_has_the_four_presets(name):
    found = SYSTEMS[name].presets
    assert tuple(found) == presets.ALL
    for settings in found.values():
        assert settings["batch_size"] >= 1 and settings["steps"] >= 1
    sizes = [sum(parameter_counts(name, preset).values()) for preset in presets.ALL]
    assert sizes == sorted(sizes), "a larger preset has fewer weights"


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_would_run_on_a_gpu_at_paper_scale(name):
    turns = assert_plays_on_pretend_cuda(
        lambda: build(name, "paper", trained=False), lambda: batch_for(name, "paper")
    )
    assert set(turns) == set(SYSTEMS[name].kind.players)


@pytest.mark.parametrize("name", SYSTEMS)
def test_counts_are_those_of_the_real_networks(name):
    system = build(name, "smoke", trained=False)
    counted = parameter_counts(name, "smoke")
    assert sum(counted.values()) == count(system)
    assert torch.zeros(1).device.type == "cpu"


EVERYWHERE = [(name, data) for name, entry in SYSTEMS.items() for data in entry.data]


@cache
def bare(name, preset, data):
    """A system without numbers in it: nothing is allocated."""
    with torch.device("meta"):
        return build(name, preset, data, trained=False)


@pytest.mark.parametrize(("name", "data"), EVERYWHERE)
def test_on_any_data_the_sizes_grow_with_the_preset(name, data):
    systems = [bare(name, preset, data) for preset in presets.ALL]
    sizes = [count(system) for system in systems]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("preset", presets.ALL)
@pytest.mark.parametrize(("name", "data"), EVERYWHERE)
def test_the_rate_is_above_zero_to_the_last_step(name, data, preset):
    system = bare(name, preset, data)
    assert system.learning_rate_factor(system.settings["steps"] - 1) > 0


def test_published_sizes():
    """Reed et al.'s networks: 18,909,699 and 4,032,321 weights with their biases.

    Those of the release's convolutions are 0 for ever; ours have none.
    """
    system = bare("gan_cls", "paper", "birds")
    released = {"generator": 18_909_699, "discriminator": 4_032_321}
    for name, weights in released.items():
        layers = [m for m in system.player(name).modules()
                  if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]  # fmt: skip
        assert all(layer.bias is None for layer in layers)
        dead = sum(layer.out_channels for layer in layers)
        assert count(system.player(name)) + dead == weights, name


@pytest.mark.parametrize("data", ["digits", "points"])
def test_the_first_gan_plays_on_its_data(data):
    system, source = build("gan", "smoke", data), source_for("gan", "smoke", data)
    turns = [player for player, _ in system.round(source.batch(0).to("cpu"))]
    assert turns == ["discriminator", "generator"]


def test_gan_cls_plays_on_emoji():
    source = source_for("gan_cls", "smoke", "emoji")
    system = build("gan_cls", "smoke", "emoji")
    turns = dict(system.round(source.batch(0).to("cpu")))
    assert list(turns) == ["discriminator", "generator"]
    assert all(loss.isfinite() for loss in turns.values())


@pytest.mark.parametrize("name", ["dcgan", "lapgan"])
@pytest.mark.parametrize("data", ["birds", "emoji"])
def test_networks_of_lesson_02_play_on_their_data(name, data, tmp_path, monkeypatch):
    monkeypatch.setenv("T2I_CACHE", str(tmp_path))
    system, source = build(name, "smoke", data), source_for(name, "smoke", data)
    turns = dict(system.round(source.batch(0).to("cpu")))
    assert tuple(turns) == system.players
    assert all(loss.isfinite() for loss in turns.values())


PICTURES = [
    (name, data)
    for name in ("vae", "aae", "pixelcnn", "vqvae", "vqvae2", "two_level_prior")
    for data in SYSTEMS[name].data
]


@pytest.mark.parametrize(("name", "data"), PICTURES)
def test_models_of_pictures_play_on_their_data(name, data, tmp_path, monkeypatch):
    monkeypatch.setenv("T2I_CACHE", str(tmp_path))
    source = source_for(name, "smoke", data)
    system = build(name, "smoke", data, trained=False)
    turns = dict(system.round(source.batch(0).to("cpu")))
    assert list(turns) == list(system.players)
    assert all(loss.isfinite() for loss in turns.values())


def test_a_prior_takes_the_vqvae_that_fits(tmp_path, monkeypatch):
    monkeypatch.setenv("T2I_CACHE", str(tmp_path))
    path, source = tmp_path / "vqvae.pt", source_for("vqvae", "smoke")
    fit(build("vqvae", "smoke"), source, 1, progress=False, device="cpu",
        checkpoint=path)  # fmt: skip
    prior = build("pixelcnn", "smoke", "birds", codes=path)
    assert prior.places == 64 and prior.coder.values == 32
    with pytest.raises(ValueError, match=r"32 entries for pictures \(3, 32, 32\)"):
        build("pixelcnn", "cpu", "birds", codes=path)
    with pytest.raises(ValueError, match="leave --codes away"):
        build("pixelcnn", "smoke", "digits", codes=path)


def test_a_prior_over_two_levels_takes_the_vqvae2_that_fits(tmp_path, monkeypatch):
    monkeypatch.setenv("T2I_CACHE", str(tmp_path))
    path, source = tmp_path / "vqvae2.pt", source_for("vqvae2", "smoke")
    fit(build("vqvae2", "smoke"), source, 1, progress=False, device="cpu",
        checkpoint=path)  # fmt: skip
    prior = build("two_level_prior", "smoke", codes=path)
    assert prior.coder.values == 16 and prior.settings["steps"] == 4
    source = source_for("two_level_prior", "smoke")
    fit(prior, source, 1, progress=False, device="cpu", checkpoint=tmp_path / "prior")
    with pytest.raises(ValueError, match=r"16 entries for pictures \(3, 32, 32\)"):
        build("two_level_prior", "cpu", codes=path)
    with pytest.raises(CheckpointError, match="`t2i train vqvae2`"):
        build("two_level_prior", "smoke", codes=tmp_path / "prior")


def test_birds_for_sentences(tmp_path, monkeypatch):
    monkeypatch.setenv("T2I_CACHE", str(tmp_path))
    source = source_for("joint_embedding", "smoke")
    batch = source.batch(0)
    assert len(batch.class_id.unique()) == source.batch_size == 16
    other = source.batch(0, rank=1, world=2)
    assert not torch.equal(batch.class_id, other.class_id)
    system = build("joint_embedding", "smoke")
    turns = dict(system.round(batch.to("cpu")))
    assert list(turns) == ["encoders"]
    assert all(loss.isfinite() for loss in turns.values())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: build("dcgan3", "cpu"), "No system 'dcgan3'; there are gan, "),
        (lambda: build("gan_cls", "huge"), "No preset 'huge'; there are smoke, cpu"),
        (lambda: data_of("gan", "cub"), "later lesson; for now gan trains on digits"),
        (lambda: data_of("gan", "moon"), "digits or points, not on 'moon'"),
        (lambda: build("gan_cls", "paper"), "makes 256 numbers .* reads 1024"),
        (
            lambda: build("pixelcnn", "paper"),
            "vqvae --preset paper --data digits, .* runs/vqvae-paper-digits/check",
        ),
        (
            lambda: build("two_level_prior", "cpu"),
            "t2i train vqvae2 --preset cpu, .* --codes runs/vqvae2-cpu/check",
        ),
        (
            lambda: build("pixelcnn", "cpu", "birds"),
            "vqvae --preset cpu, .* --codes runs/vqvae-cpu/check",
        ),
    ],
)
def test_what_is_not_there_is_said(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_a_folder_in_the_papers_layout_comes_later(tmp_path):
    with pytest.raises(ValueError, match="papers' layout come with a later lesson"):
        data_of("gan_cls", str(tmp_path))


def test_a_subclass_without_presets_has_its_parents():
    """As in a notebook, where the learner's own class is defined."""
    from t2i_course.papers import gan_cls

    class Mine(gan_cls.GanCls):
        """A learner's variant."""

    system = Mine.from_preset("smoke")
    assert system.settings == gan_cls.PRESETS["smoke"]
