"""Sizes that don't fit are refused in words, at building and at the first batch."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from t2i_course import systems
from t2i_course.data import Batch
from t2i_course.declarations import all_systems
from t2i_course.measure.oracle import oracle
from t2i_course.papers import dcgan, gan_cls, lapgan, projection, vae, vqvae, vqvae2
from t2i_course.papers.joint_embedding import FalseTwins
from t2i_course.training import fit
from t2i_course.worlds.birds import Birds

PAIRS = [(name, data) for name, entry in all_systems().items() for data in entry.data]


class Other:
    """A source whose pictures are another's, changed."""

    def __init__(self, batch):
        self.one, self.batch_size = batch, len(batch)

    def batch(self, step, rank=0, world=1):
        return self.one


@pytest.fixture(scope="module")
def built():
    """Each system at smoke, with random weights, and its first batch."""
    found = {}
    for name, data in PAIRS:
        system = systems.build(name, "smoke", data, trained=False)
        found[name, data] = system, systems.source_for(name, "smoke", data).batch(0)
    return found


@pytest.mark.parametrize(("name", "data"), PAIRS)
def test_every_system_knows_what_it_reads(built, name, data):
    system, batch = built[name, data]
    assert system.reads == tuple(batch.image.shape[1:])


def refused(system, batch, image):
    """What `fit` says of a batch with other pictures."""
    with pytest.raises(ValueError, match="learns from") as error:
        fit(system, Other(replace(batch, image=image)), 1, progress=False)
    return str(error.value)


@pytest.mark.parametrize(("name", "data"), PAIRS)
def test_other_sizes_are_refused_at_the_first_batch(built, name, data):
    system, batch = built[name, data]
    image = batch.image
    if image.ndim < 4:  # points, features
        assert "rows of" in refused(system, batch, torch.cat([image, image], 1))
        return
    side = image.shape[-1]
    said = refused(system, batch, image.repeat(1, 1, 2, 2))
    assert f"pictures of {side} x {side} pixels" in said and f"size={2 * side}" in said
    assert f"take a source of {side}" in said


@pytest.mark.parametrize(("name", "data"), PAIRS)
def test_grey_and_colour_are_not_mixed(built, name, data):
    system, batch = built[name, data]
    if batch.image.ndim < 4:
        return
    grey = batch.image.shape[1] == 1
    image = batch.image.expand(-1, 3, -1, -1) if grey else batch.image[:, :1]
    said = refused(system, batch, image)
    assert "colour pictures" in said and "grey pictures" in said
    advised = image.shape[1] == 1 and system.reads[0] == 3
    assert ("image.expand(-1, 3, -1, -1)" in said) == advised


@pytest.mark.parametrize(
    "build",
    [
        lambda size: gan_cls.GanCls(size=size, base=4, depth=4),
        lambda size: gan_cls.Discriminator(size=size, depth=4),
        lambda size: gan_cls.StyleEncoder(size=size, depth=4),
        lambda size: projection.ProjectionGan(size=size, base=4, depth=4),
        lambda size: projection.ProjectionDiscriminator(size=size, depth=4),
        lambda size: dcgan.Dcgan(size=size, base=4, depth=4),
        lambda size: lapgan.Lapgan(size=size + 2, width=4),
        lambda size: vqvae.VqVae(size=size + 2, hidden=4),
        lambda size: vqvae2.VqVae2(size=size + 4, hidden=4),
        lambda size: vae.Vae(shape=(3, size, size), network="conv", hidden=8),
    ],
)
@pytest.mark.parametrize("size", [48, 0, -32])
def test_sizes_that_cannot_be_built_are_refused(build, size):
    with pytest.raises(ValueError, match="size is"):
        build(size)


def test_the_smallest_gan_cls():
    """Two doublings at least: at 8 the generator drew 16."""
    with pytest.raises(ValueError, match="size is 16, 32, 64"):
        gan_cls.Generator(size=8, base=4)
    drawn = gan_cls.Generator(16, 4, 4, 4, 4)(torch.zeros(2, 4), torch.zeros(2, 4))
    assert drawn.shape == (2, 3, 16, 16)


def test_classes_are_compared_with_others():
    """A joint embedding with a batch of one: its loss would have nothing to compare."""
    with pytest.raises(ValueError, match="2 or more, not 1"):
        FalseTwins(Birds("train", 32, individuals=2), 1)
    system = systems.build("joint_embedding", "smoke", trained=False)
    batch = systems.source_for("joint_embedding", "smoke").batch(0)
    one = Batch(batch.image[:1], tokens=batch.tokens[:1], lengths=batch.lengths[:1])
    with pytest.raises(ValueError, match="two classes or more"):
        fit(system, Other(one), 1, progress=False)


def test_larger_pictures_are_read_at_64():
    """The oracle and the ruler shrink them; other sizes are refused in words."""
    birds = Birds("test", 128, individuals=1).all(20).to("cpu")
    small = F.avg_pool2d(birds.image, 2)
    assert oracle(128).size == 64
    assert torch.equal(oracle(128).read(birds.image), oracle(64).read(small))
    assert torch.allclose(oracle(64).features(birds.image), oracle(64).features(small))
    with pytest.raises(ValueError, match="There are oracles for"):
        oracle(48)
    with pytest.raises(ValueError, match="reads pictures of 3x32x32"):
        oracle(32).read(small)
