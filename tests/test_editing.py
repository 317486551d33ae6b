"""What an edit should be, in both worlds; do its figures know good from bad?"""

import numpy as np
import pytest
import torch

from t2i_course.measure import editing
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.flowers import Flowers

KINDS = pytest.mark.parametrize("kind", [Birds, Flowers], ids=["birds", "flowers"])


@pytest.fixture(scope="module")
def known():
    return {kind: editing.edits(kind, 120, seed=3) for kind in (Birds, Flowers)}


@KINDS
def test_sentences_are_of_other_species_and_of_parts(known, kind):
    found, world = known[kind], kind.world
    assert (found.source.class_id != found.asked.class_id).all()
    parts = [
        name for name in world.attributes if world.part_of[name] in world.parts[1:]
    ]
    for i, name in enumerate(world.attributes):
        if name not in parts:
            assert (found.named[:, i] < 0).all(), name
    assert (found.named >= 0).any(1).all()
    assert set(found.source.class_id.tolist()) <= set(world.splits()["test"].tolist())


@KINDS
def test_the_same_seed_asks_the_same(kind):
    first, again = (editing.edits(kind, 20, seed=4) for _ in range(2))
    assert first.asked.caption == again.asked.caption
    assert torch.equal(first.wanted, again.wanted)
    assert first.asked.caption != editing.edits(kind, 20, seed=5).asked.caption


@KINDS
def test_what_is_wanted_is_named_or_as_it_was(known, kind):
    found = known[kind]
    for own, said, wish in zip(*(
        t.tolist() for t in (found.source.attributes, found.named, found.attributes)
    )):  # fmt: skip
        assert wish == [s if s >= 0 else o for o, s in zip(own, said)]
    assert kind.world.possible(found.attributes.numpy()).all()


@KINDS
def test_wanted_pictures_are_the_worlds_drawings(known, kind):
    found = known[kind]
    drawn, masks = kind.world.draw(
        found.attributes.numpy()[:5], found.source.style.numpy()[:5], 32
    )
    assert np.array_equal(((found.wanted[:5] + 1) * 127.5).round().numpy(), drawn)
    assert np.array_equal(found.masks[:5].numpy(), masks)


@KINDS
def test_a_picture_left_alone_keeps_all_and_obeys_nothing(known, kind):
    found = known[kind]
    figures = editing.of_pictures(found, found.source.image)
    assert figures["obeyed"] <= 0.03  # the oracle misreads one drawing in a hundred
    assert figures["kept"] >= 0.96
    assert figures["pose"] == pytest.approx(1)
    for name in ("inside", "outside", "background", "from source"):
        assert figures[name] == 0


@KINDS
def test_the_wanted_picture_obeys_and_keeps(known, kind):
    found = known[kind]
    figures = editing.of_pictures(found, found.wanted)
    assert figures["obeyed"] >= 0.95 and figures["kept"] >= 0.95
    assert figures["from wanted"] == 0 and figures["inside"] > 5 * figures["outside"]


def test_another_picture_obeys_nothing_and_keeps_nothing(known):
    found = known[Birds]
    other = editing.of_pictures(found, found.source.image.roll(1, 0))
    assert other["kept"] < 0.6 and abs(other["pose"]) < 0.4 and other["outside"] > 0.2


def test_inside_and_outside_of_a_change_that_is_known():
    before = torch.zeros(2, 3, 4, 4)
    after, inside = before.clone(), torch.zeros(2, 4, 4, dtype=torch.bool)
    inside[0, :2], inside[1, 0, 0] = True, True
    after[0, :, :2] = 1.0  # all of the first picture's inside
    after[1, 0, 3, 3] = -0.6  # one channel of one pixel outside
    within, beyond = editing.inside_and_outside(before, after, inside)
    assert within.item() == pytest.approx(8 / 9)
    assert beyond.item() == pytest.approx(0.2 / 23)


def test_parts_cover_what_the_sentence_changes(known):
    found = known[Birds]
    i = next(i for i in range(len(found)) if found.changed[i].any())
    one = found.parts(found.changed)[i]
    names = {
        Birds.world.part_of[name]
        for name, changed in zip(found.attribute_names, found.changed[i]) if changed
    }  # fmt: skip
    numbers = torch.tensor(
        [Birds.world.parts.index(name) for name in names], dtype=torch.uint8
    )
    before, after = found.source.masks[i], found.masks[i]
    there = torch.isin(before, numbers) | torch.isin(after, numbers)
    assert torch.equal(one, there)
    assert not (one & found.background[i]).any()


class Still(torch.nn.Module):
    """An editor that returns its picture, a little darker by its noise."""

    noise_size, size = 1, 32

    def forward(self, pictures, text, noise):
        return (pictures - noise.abs()[:, :, None, None] / 10).clamp(-1, 1)


class StillSystem:
    device = torch.device("cpu")

    class text_encoder:
        @staticmethod
        def of(batch):
            return torch.zeros(len(batch.lengths), 1)

    def network(self, name):
        return Still()


def test_a_report_has_every_figure():
    figures = editing.report(StillSystem(), Flowers, 60, seed=1)
    assert set(figures) == {
        "obeyed", "all named", "kept", "inside", "outside", "background", "pose",
        "from wanted", "from source", "frechet distance", "L2 error", "diversity",
    }  # fmt: skip
    assert 0 < figures["L2 error"] < 0.05 and 0 < figures["diversity"] < 0.2
    assert figures["obeyed"] < 0.1 < 0.8 < figures["kept"]
