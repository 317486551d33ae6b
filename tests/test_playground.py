"""The caption playground without a browser: a plain object, and its thin widget."""

import pytest
import torch

from t2i_course.papers.gan_cls import GanCls
from t2i_course.papers.joint_embedding import TextEncoder
from t2i_course.play.caption_lab import LARGEST, Playground
from t2i_course.show.tables import Table, seeds_row, with_spread
from t2i_course.text import Vocabulary
from t2i_course.worlds.birds import vocabulary


@pytest.fixture(scope="module")
def system():
    """An untrained system, small: what it draws doesn't matter here."""
    torch.manual_seed(0)
    text = TextEncoder(len(vocabulary()), 8, 8, 16)
    return GanCls(text, 32, 8, 8, 8, 4, embedding=16).eval()


@pytest.fixture
def play(system):
    """Its reader says what colour a picture's first number has."""

    def reader(pictures):
        return [{"wing": "red" if p[0, 0, 0] > 0 else "blue"} for p in pictures]

    return Playground(system, vocabulary(), reader)


def test_draws_and_reads(play):
    drawing = play.draw("a bird with blue wings", count=3)
    assert drawing.pictures.shape == (3, 3, 32, 32)
    assert drawing.pictures.abs().max() <= 1 and not drawing.problem
    assert len(drawing.readings) == 3 and "The oracle reads: wing " in drawing.words
    assert play.figure(drawing).get_axes()


def test_a_style_is_a_noise_whatever_the_caption(play):
    one = play.draw("a red bird", 2, style=5)
    assert torch.equal(one.pictures, play.draw("a red bird", 2, style=5).pictures)
    assert not torch.equal(one.pictures, play.draw("a red bird", 2, style=6).pictures)
    assert not torch.equal(one.pictures, play.draw("a blue bird", 2, style=5).pictures)


def test_count_is_kept_in_bounds(play):
    assert len(play.draw("red", 0).pictures) == 1
    assert len(play.draw("red", 1000).pictures) == LARGEST


def test_unknown_words_are_named(play):
    drawing = play.draw("a turquoise bird with turquoise and red wings, spectacles")
    assert "Words it doesn't know: turquoise, spectacles." in drawing.words


@pytest.mark.parametrize(
    ("caption", "part"),
    [("", "empty"), ("  ?!", "empty"), ("xylophone", "None of the caption's words"),
     (None, "not NoneType"), (7, "not int"), (["a bird"], "not list")],
)  # fmt: skip
def test_bad_captions_are_one_friendly_line(play, caption, part):
    drawing = play.draw(caption)
    assert drawing.pictures is None and part in drawing.words
    assert "\n" not in drawing.words
    with pytest.raises(ValueError, match=part[:5]):
        play.figure(drawing)


def test_ten_thousand_words(play):
    drawing = play.draw("a red bird with blue wings and " * 1500)
    assert drawing.pictures is not None and "first 32 words" in drawing.words


def test_a_denial_is_named(play):
    said = play.draw("a bird that is not red").words
    assert "It doesn't understand 'not': what is denied may be drawn" in said


def test_more_pictures_change_none(play):
    """Picture i of a style is the same of however many."""
    many = play.draw("a red bird", 8, style=3).pictures
    for count in (1, 3, 4, 5):
        few = play.draw("a red bird", count, style=3).pictures
        assert torch.allclose(few, many[:count], atol=1e-5)


def test_without_a_reader(system):
    drawing = Playground(system, vocabulary()).draw("a red bird")
    assert drawing.words == "" and drawing.readings == []


def test_other_vocabulary(system):
    drawing = Playground(system, Vocabulary(["pear"])).draw("a pear")
    assert drawing.notes == ["words it doesn't know: a"]


# The widget ---------------------------------------------------------------------------


def test_button_draws(play):
    box = play.widget("a red bird", 2)
    first = bytes(box.image.value)
    assert first.startswith(b"\x89PNG") and "wing" in box.line.value
    box.text.value = "a black bird with a white belly"
    second = bytes(box.image.value)
    assert second != first
    box.style.value = 3
    third = bytes(box.image.value)
    box.button.click()
    assert third not in (first, second) and bytes(box.image.value) == third


def test_widget_says_what_is_wrong_and_goes_on(play, monkeypatch):
    box = play.widget()
    before = bytes(box.image.value)
    box.text.value = "<b>zzz</b> qqq"
    assert "None of the caption" in box.line.value and "<b>" not in box.line.value
    assert bytes(box.image.value) == before
    monkeypatch.setattr(play, "picture", lambda *_: 1 / 0)
    box.text.value = "a red bird"
    assert "could not be drawn: division by zero" in box.line.value


def test_widget_uses_what_ipywidgets_7_has(play):
    """Colab has 7.7: classes, and names of their values, that both versions know."""
    from ipywidgets import HTML, Button, HBox, Image, IntSlider, Text, VBox

    kinds = {type(part) for part in play.widget().children}
    assert kinds <= {Text, HBox, Image, HTML} and VBox and Button and IntSlider


# Tables -------------------------------------------------------------------------------


def test_table():
    table = Table(["a", "b"], {"one & two": [0.5, "x"], "three": [2, "-"]}, "a note")
    assert repr(table).splitlines() == [
        "           a     b", "one & two  0.50  x", "three      2     -", "a note",
    ]  # fmt: skip
    page = table._repr_html_()
    assert "one &amp; two" in page and page.count("<tr>") == 3 and "a note" in page
    with pytest.raises(ValueError, match="1 cells, not 2"):
        Table(["a", "b"], {"short": [1]})


def test_mean_and_spread():
    assert with_spread([0.9, 0.94, 0.92]) == "0.92 ± 0.02"
    assert with_spread([0.9]) == "0.90 (one seed)" and with_spread([]) == "not measured"
    assert seeds_row([1, 3], 1) == ["2.0 ± 1.4", "1.0", "3.0", "2"]
    assert seeds_row([]) == ["not measured", "", "", "0"]
