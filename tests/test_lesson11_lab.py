"""Lesson 11's lab, its figure, and t2i draw --attention."""

import pytest
import torch
from PIL import Image
from test_attngan import SMALL

from t2i_course import cli, systems
from t2i_course.drawing import DIM, from_sentences, lit, looks, with_attention
from t2i_course.measure.birds import unseen_captions
from t2i_course.papers.attngan import AttnGan
from t2i_course.papers.damsm import Encoders
from t2i_course.play import attention_lab
from t2i_course.play.attention_lab import MANY, START, AttentionLab
from t2i_course.show.attended import attended, most_attended
from t2i_course.systems import Chosen, shipped
from t2i_course.worlds.birds import vocabulary

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def system():
    """An untrained AttnGAN of two stages that knows the world's words."""
    torch.manual_seed(0)
    encoders = Encoders(len(vocabulary()), 6, 8, 64, 4).eval().requires_grad_(False)
    return AttnGan(encoders, **SMALL).eval().requires_grad_(False)


def test_pictures_with_attention_are_those_without(system):
    asked = unseen_captions(5, 64)
    pictures, looked = with_attention(system, asked, seed=3)
    assert torch.allclose(pictures, from_sentences(system, asked, 3), atol=1e-5)
    assert [maps.shape[2:] for maps in looked] == [(16, 16), (32, 32)]
    for maps in looked:
        assert maps.shape[1] == asked.tokens.shape[1]
        assert torch.allclose(maps.sum(1), torch.ones(5, *maps.shape[2:]), atol=1e-5)
        assert maps[asked.tokens == 0].abs().max() == 0  # padding
    again, _ = with_attention(system, asked, 3, torch.full((5,), 2))
    assert torch.allclose(again[2], pictures[2], atol=1e-5)
    assert looks(system) and not looks(shipped("stackgan_tree_64"))


# the figure ---------------------------------------------------------------------------


def test_light_falls_where_attention_is():
    white, maps = torch.ones(2, 3, 4, 4), torch.zeros(2, 2, 2)
    maps[0, 0, 0], maps[1] = 0.3, 0.01
    one, other = lit(white, maps)
    assert (one[:, :2, :2] == 1).all() and torch.equal(other, white[1])
    assert one[:, 2:].unique().tolist() == pytest.approx([2 * DIM - 1])


def test_the_most_attended_words_come_first():
    maps = torch.zeros(3, 2, 2)
    maps[0, 0, 0], maps[2] = 0.9, 0.5
    assert most_attended(maps) == [2, 0, 1] and most_attended(maps, 1) == [2]
    figure = attended(torch.zeros(3, 8, 8), [maps], ["a", "red", "bird"], "A title", 2)
    assert "Stage 1: bird, 69 %, a, 31 %" in figure.alt
    assert len(figure.axes) == 3


# the lab ------------------------------------------------------------------------------


def test_a_word_is_chosen_by_name_or_place(system):
    lab = AttentionLab({"attngan": system})
    found = lab.view(START, "blue")
    assert found.words == START.split() and found.place == found.words.index("blue")
    assert found.sheet.shape == (3 * MANY, 3, 64, 64)
    assert torch.equal(found.sheet[:MANY], found.pictures)
    assert len(found.shares) == 2 and all(0 < share < 1 for share in found.shares)
    assert "'blue' has" in found.line and "oracle reads" in found.line
    assert lab.view(START, 3).place == 3
    most = lab.view(START)
    assert most.shares[-1] == max(lab.view(START, i).shares[-1] for i in range(9))
    other = lab.view(START, "blue", style=5)
    assert not torch.equal(other.pictures, found.pictures)


def test_another_word_of_the_same_picture_needs_no_drawing(system, monkeypatch):
    drawn, draw = [], attention_lab.with_attention
    monkeypatch.setattr(
        attention_lab, "with_attention", lambda *a: drawn.append(a) or draw(*a)
    )
    lab = AttentionLab({"attngan": system})
    one, other = lab.view(START, "blue"), lab.view(START, "yellow")
    assert len(drawn) == 1 and one.place != other.place
    lab.view("a red bird")
    assert len(drawn) == 2


def test_what_the_lab_does_not_know_is_told(system):
    lab = AttentionLab({"attngan": system})
    assert "zebra" in lab.view("zebra").line and lab.view("").pictures is None
    assert "has no word 'green'" in lab.view(START, "green").line
    assert lab.view(START, 99).pictures is None


def test_the_widget_follows_the_word_and_the_caption(system):
    box = AttentionLab({"attngan": system}).widget()
    before = box.image.value
    assert box.row.words == START.split() and before
    box.row.place = 3 if box.row.place != 3 else 7
    assert box.image.value != before and "'yellow'" in box.line.value.replace(
        "&#x27;", "'"
    ).replace("'blue'", "'yellow'")
    box.controls[0].value = "a red bird"
    assert box.row.words == ["a", "red", "bird"] and box.row.place < 3
    kept = box.image.value
    box.controls[0].value = "zebra"
    assert "zebra" in box.line.value and box.image.value == kept


def test_the_row_of_words_speaks_of_the_same_traits():
    row = attention_lab.word_row()
    for trait in ("words", "place"):
        assert row.has_trait(trait) and f'get("{trait}")' in attention_lab.SCRIPT


# t2i draw --attention -----------------------------------------------------------------


def test_draw_saves_the_attention(system, monkeypatch, tmp_path):
    found = Chosen("mine.pt", system, "attngan", "cpu", "birds")
    monkeypatch.setattr(systems, "chosen", lambda name: found)
    out = tmp_path / "seen.png"
    words = ["draw", START, "--system", "mine.pt", "--attention", "--out", str(out)]
    assert cli.main(words) == 0
    wide, high = Image.open(out).size
    assert wide > 6 * 100 and high > 2 * 100


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--system", "stackgan_tree_64"], "stackgan_tree_64 looks at no words"),
        (["--system", "mine.pt", "--count", "2"], "one caption, and no --count"),
        (["a red bird", "--system", "mine.pt"], "one caption, and no --count"),
    ],
)
def test_draw_refuses_attention_in_a_line(system, monkeypatch, capsys, words, said):
    real = systems.chosen
    mine = Chosen("mine.pt", system, "attngan", "cpu", "birds")
    monkeypatch.setattr(
        systems, "chosen", lambda name: mine if name == "mine.pt" else real(name)
    )
    assert cli.main(["draw", "a blue bird", *words, "--attention"]) == 2
    assert said in capsys.readouterr().err
