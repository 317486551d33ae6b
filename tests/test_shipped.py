"""Every shipped network that has figures in the manifest still earns them."""

import pytest
import torch

from t2i_course import weights
from t2i_course.datasets.emoji import Emoji
from t2i_course.datasets.emoji import vocabulary as emoji_words
from t2i_course.measure.birds import draw, obedience_of, unseen_captions
from t2i_course.measure.obedience import accuracies
from t2i_course.measure.oracle import Oracle
from t2i_course.papers.gan_cls import PAINTERS, shipped
from t2i_course.papers.joint_embedding import text_encoder
from t2i_course.worlds.birds import Birds

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
READERS = [n for n in weights.names() if n.startswith(("oracle", "features"))]


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
