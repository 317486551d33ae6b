"""Every shipped network that has figures in the manifest still earns them."""

import pytest
import torch

from t2i_course import weights
from t2i_course.datasets.emoji import Emoji
from t2i_course.datasets.emoji import vocabulary as emoji_words
from t2i_course.declarations import all_networks
from t2i_course.measure import editing
from t2i_course.measure.birds import draw, obedience_of, unseen_captions
from t2i_course.measure.gan import clear_digits
from t2i_course.measure.obedience import accuracies
from t2i_course.measure.oracle import Oracle
from t2i_course.papers.gan import Gan
from t2i_course.papers.gan_cls import StyleTraining
from t2i_course.papers.gan_crowd import GanCrowd
from t2i_course.papers.joint_embedding import text_encoder
from t2i_course.systems import draws, shipped
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.digits import DigitReader
from t2i_course.worlds.flowers import Flowers
from t2i_course.worlds.points import Ring

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
PAINTERS = [
    name
    for name, network in all_networks().items()
    if network.data == "birds" and draws(name) == "sentences"
]
READERS = [n for n in weights.names() if n.startswith(("oracle", "features"))
           and n[-2:].isdigit()]  # fmt: skip


@pytest.mark.parametrize("name", PAINTERS)
def test_birds_obey_as_the_manifest_says(name):
    """Five hundred other captions: a share of .7 has a deviation of .03 here."""
    written, system = weights.entry(name)["measured"], shipped(name)
    found = obedience_of(system, unseen_captions(500, system.generator.size, seed=3))
    for part in ("wing", "belly", "crown"):
        assert found[part] == pytest.approx(written[part], abs=0.12), part


@pytest.mark.parametrize("name", READERS)
def test_attributes_are_read_as_the_manifest_says(name):
    network = Oracle(int(name[-2:]))
    written = weights.load_into(network, name)["measured"]
    birds = Birds("test", network.size).all(500).to("cpu")
    found = accuracies(network.eval().read(birds.image), birds.attributes)
    for attribute, right in found.items():
        assert right == pytest.approx(written[f"accuracy {attribute}"], abs=0.01)
        assert right >= 0.98


@pytest.mark.parametrize(
    ("name", "size", "order"),
    [("oracle64_other", 64, (0, 1, 2)), ("oracle32_brg", 32, (2, 0, 1))],
)
def test_lesson_17s_readers_read_as_the_manifest_says(name, size, order):
    """Half as wide as the oracles; the second was taught for 400 steps only."""
    network = Oracle(size, 16)
    written = weights.load_into(network, name)["measured"]
    birds = Birds("test", size).all(500).to("cpu")
    found = accuracies(
        network.eval().read(birds.image[:, list(order)]), birds.attributes
    )
    for attribute, right in found.items():
        assert right == pytest.approx(written[f"accuracy {attribute}"], abs=0.06)
    assert min(found[part] for part in ("wing", "belly", "crown", "tail")) > 0.95


@pytest.mark.parametrize("name", ["sisgan_birds", "sisgan_flowers"])
def test_editors_change_and_keep_as_the_manifest_says(name):
    """Four hundred other edits; a share of a thousand answers deviates by .02."""
    written, system = weights.entry(name)["measured"], shipped(name)
    kind = {"birds": Birds, "flowers": Flowers}[name.partition("_")[2]]
    some = editing.edits(kind, 400, seed=8)
    found = editing.of_pictures(some, editing.edited(system, some))
    for figure in ("obeyed", "kept", "background", "outside", "from wanted"):
        assert found[figure] == pytest.approx(written[figure], abs=0.06), figure
    error = editing.rebuilt(system, some)
    assert error == pytest.approx(written["L2 error"], rel=0.15)


def test_sentence_encoders_of_editors_know_who_has_what():
    """Same meaning in other words is nearer than the same words exchanged."""
    for name, kind, sentences in (
        ("vse_birds", Birds, (
            "a bird with blue wings and a red belly",
            "this bird has a crimson breast and bluish feathers on its wings",
            "a bird with red wings and a blue belly",
        )),
        ("vse_flowers", Flowers, (
            "a flower with orange petals and yellow stamens",
            "this flower has a bright yellow stamen and petals that are orange",
            "a flower with yellow petals and orange stamens",
        )),
    ):  # fmt: skip
        words = kind.world.vocabulary()
        codes = shipped(name)(*words.encode(list(sentences)))
        near, far = torch.cosine_similarity(codes[:1], codes[1:])
        assert near > far, name


def test_the_text_encoder_knows_who_wears_what():
    """Same meaning in other words is nearer than the same words exchanged."""
    birds, reader = Birds("test", 32), text_encoder()
    sentences = [
        "a bird with blue wings and a red belly",
        "this bird has a crimson breast and bluish feathers on its wings",
        "a bird with red wings and a blue belly",
    ]
    with torch.no_grad():
        codes = reader(*birds.vocabulary.encode(sentences))
    near, far = torch.cosine_similarity(codes[:1], codes[1:])
    assert near > far + 0.3


def test_emoji_are_of_their_captions_group_as_the_manifest_says():
    written = weights.entry("gan_emoji_32")["measured"]
    training, found = (
        Emoji("train", 32, vocabulary=emoji_words()),
        shipped("gan_emoji_32"),
    )
    for split in ("train", "new_maker", "new_emoji"):
        emoji = Emoji(split, 32, vocabulary=emoji_words())
        chosen = [len(emoji) * i // 200 for i in range(200)]
        drawn = draw(found, emoji.take(chosen, [4] * 200), seed=3)
        distance, same, group = training.likeness(drawn, emoji, chosen)
        assert group == pytest.approx(written[f"same group, {split}"], abs=0.12)
        assert 0.2 < distance < 0.6 and same < 0.05


@pytest.mark.parametrize(
    ("name", "group"), [("gan_ring", 0), ("gan_ring_deviation", 8)]
)
def test_the_ring_is_covered_as_the_manifest_says(name, group):
    """At the noise that the manifest's counts were taken with, each game's own."""
    system = GanCrowd.from_preset("cpu", group=group)
    written = weights.load_into(system, name)["measured"]["modes"]
    system.rng = torch.Generator().manual_seed(0)
    assert [Ring(8).coverage(points).modes for points in system.sample(2000)] == written


def test_digits_are_clear_as_the_manifest_says():
    system = Gan.from_preset("cpu")
    written = weights.load_into(system, "gan_digits")["measured"]["clear"]
    system.rng = torch.Generator().manual_seed(5)
    clear = clear_digits(DigitReader(), system.eval().sample(1000))
    assert clear == pytest.approx(written / 1000, abs=0.04)


@pytest.mark.parametrize("painter", ["gan_int_cls_32", "projection_32"])
def test_styles_are_read_as_the_manifest_says(painter):
    """1 would be knowing nothing."""
    system = StyleTraining(shipped(painter), depth=32)
    name = f"style_of_{painter}"
    written = weights.load_into(system.style, name)["measured"]["squared error"]
    system.rng, source = torch.Generator().manual_seed(0), Birds("train", 32, 64)
    with torch.no_grad():
        losses = [next(system.round(source.batch(step).to("cpu")))[1].item()
                  for step in range(8)]  # fmt: skip
    assert sum(losses) / 8 == pytest.approx(written, abs=0.04)
