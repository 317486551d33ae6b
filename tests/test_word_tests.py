"""Lesson 11a: words one by one, tests by rule, and the lab of regions."""

import pytest
import torch

from t2i_course.measure import word_tests
from t2i_course.measure.birds import unseen_captions
from t2i_course.measure.pointing import colour_words
from t2i_course.papers import damsm
from t2i_course.papers.damsm import Encoders
from t2i_course.play.region_lab import BIRDS, START, RegionLab
from t2i_course.show.attended import looked_for
from t2i_course.worlds.bird_captions import named_by
from t2i_course.worlds.birds import vocabulary

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def encoders():
    """Untrained encoders that know the world's words; their regions differ enough."""
    torch.manual_seed(0)
    made = Encoders(len(vocabulary()), 6, 8, 64, 4).eval().requires_grad_(False)
    made.image.to_regions.weight *= 300
    return made


def test_words_one_by_one_make_the_score_of_all(encoders):
    batch = unseen_captions(5, 64).to("cpu")
    table = encoders.by_words(batch.image, batch)
    own = encoders.pairs_by_words(batch.image, batch)
    torch.testing.assert_close(own, table.diag(), rtol=1e-4, atol=1e-5)
    fits = encoders.each_word(batch.image, batch)
    assert fits.shape == batch.tokens.shape
    assert fits[batch.tokens == 0].abs().max() == 0


def test_relevance_lies_above_the_best_word():
    cosines = torch.tensor([[[0.5, -0.5, 0.9]]])
    mask = torch.tensor([[True, True, False]])
    score = damsm.relevance(cosines, mask, 1000.0)
    assert score.item() == pytest.approx(0.5, abs=1e-3)


def test_covered_words_take_no_part(encoders):
    batch = unseen_captions(3, 64).to("cpu")
    gone = torch.zeros_like(batch.tokens, dtype=torch.bool)
    gone[:, 1] = True
    plain, covered = (encoders.attend(batch.image, batch, g) for g in (None, gone))
    assert covered[:, 1].abs().max() == 0 < plain[:, 1].max()
    assert not torch.allclose(covered[:, 0], plain[:, 0])


def test_two_colours_are_exchanged_and_nothing_else():
    true, false = word_tests.colours_exchanged(unseen_captions(300, 64))
    changed = true.tokens != false.tokens
    assert (changed.sum(1) == 2).all()
    assert torch.equal(true.tokens.sort(1).values, false.tokens.sort(1).values)
    assert (colour_words(true)[changed] > 0).all()
    assert not any(word in caption.split() for caption in false.caption
                   for word in word_tests.BOUND)  # fmt: skip
    with pytest.raises(ValueError, match="two colours"):
        word_tests.colours_exchanged(word_tests.asked(["a bird"], named_by({})[None]))


def test_birds_of_one_colour_and_of_two():
    for alike in (True, False):
        batch, wing, belly = word_tests.pictured(alike, 20)
        assert batch.masks is not None
        assert len(wing) == len(belly) == len(batch.image) == 20
        assert all((one == other) == alike for one, other in zip(wing, belly))


def test_the_tests_give_shares(encoders):
    for found in (
        word_tests.wrong_word(encoders, 30),
        word_tests.hears_order(encoders, 60),
        word_tests.disagreement(encoders, encoders, 150),
        *word_tests.matters(encoders, 10).values(),
    ):
        shares = {k: v for k, v in found.items() if k != "captions" and "fall" not in k}
        assert all(0 <= value <= 1 for value in shares.values())
    alike = word_tests.disagreement(encoders, encoders, 150)
    assert alike["one right"] == 0
    assert alike["the same wrong"] == alike["both wrong"]


# the figure and the lab ---------------------------------------------------------------


def test_a_panel_a_word(encoders):
    figure = looked_for(encoders, unseen_captions(1, 64).to("cpu"), "A title")
    assert "A title" in figure.alt and "the picture" in figure.alt


def test_the_lab_finds_words(encoders):
    lab = RegionLab({"damsm": encoders})
    found = lab.view(START, "violet")
    assert found.words == START.split() and found.place == 3
    assert found.sheet.shape == (2, 3, 64, 64)
    assert found.maps.shape == (len(found.words), 8, 8)
    assert "'violet' fits" in found.line
    best = lab.view(START)
    assert best.fits[best.place] == best.fits.max()
    assert lab.view(START, 1, bird=BIRDS - 1).place == 1
    assert "no word 'green'" in lab.view(START, "green").line
    assert lab.view(START, 99).picture is None
    assert "zebra" in lab.view("zebra").line
    assert "Words it doesn't know: zebra." in lab.view("a bird and a zebra").line


def test_the_widget_follows_word_caption_and_bird(encoders):
    box = RegionLab({"damsm": encoders}).widget()
    before = box.image.value
    box.row.place = 3 if box.row.place != 3 else 7
    assert box.image.value != before
    kept = box.image.value
    box.controls[2].value = 5
    assert box.image.value != kept
    box.controls[0].value = "a red bird"
    assert box.row.words == ["a", "red", "bird"] and box.row.place < 3
    kept = box.image.value
    box.controls[0].value = "zebra"
    assert "zebra" in box.line.value and box.image.value == kept
