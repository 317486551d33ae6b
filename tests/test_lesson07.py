"""Lesson 07's playground and figures, without a browser."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from t2i_course.papers.char_cnn_rnn import CharEmbedding
from t2i_course.papers.joint_embedding import JointEmbedding
from t2i_course.play.agreement import Agreement
from t2i_course.show.reading import length_table, slips_table
from t2i_course.show.sentences import agreement_row, sentence_map
from t2i_course.worlds.bird_species import COLOURS
from t2i_course.worlds.birds import vocabulary

A, B = "a bird with blue wings", "a red belly"


def lab(kind=CharEmbedding, **more):
    torch.manual_seed(0)
    pictures = torch.rand(5, 3, 32, 32) * 2 - 1
    return Agreement(kind.from_preset("smoke", **more).eval().reader(), pictures)


def test_agreement_is_the_reader_s():
    game = lab()
    found = game.of(A, B)
    want = game.reader.agreement(game.pictures, [A, B]).T
    assert torch.allclose(found.scores, want, atol=1e-5) and found.scores.shape == (
        2,
        5,
    )
    a, b = game.reader.read([A, B])
    assert abs(found.cosine - float(a @ b / a.norm() / b.norm())) < 1e-5
    assert f"picture {int(want[0].argmax()) + 1}, B" in found.words
    assert abs(game.of(A, A).cosine - 1) < 1e-5


@pytest.mark.parametrize("empty", ["", "  ", "?!"])
def test_what_can_t_be_read_is_said(empty):
    for game in (lab(), lab(JointEmbedding, words=len(vocabulary()))):
        found = game.of(A, empty)
        assert found.scores is None and "bird with blue wings" in found.words
        with pytest.raises(ValueError, match="blue wings"):
            game.figure(A, empty)


def test_what_is_not_understood_is_named():
    assert "é" in lab().of("a blué bird", B).words
    words = lab(JointEmbedding, words=len(vocabulary()))
    assert "zorgon" in words.of("a zorgon bird", B).words


def test_the_widget_compares():
    box = lab().widget(A, B)
    before = box.image.value
    assert Image.open(io.BytesIO(before)).size[0] > 300
    box.texts[0].value = "a yellow crown"
    assert box.image.value != before and "cosine" in box.line.value
    now = box.image.value
    box.texts[0].value = ""
    assert box.image.value == now and "blue wings" in box.line.value


def test_a_row_says_which_agrees_most():
    figure = agreement_row(torch.zeros(3, 3, 8, 8), torch.eye(3)[:2], ("A", "B"), "row")
    assert "A agrees most with picture 1" in figure.alt
    assert "B agrees most with picture 2" in figure.alt


def test_a_map_has_a_colour_for_each_name():
    kinds = np.array([0, 1, 9, -1, -1])
    figure = sentence_map(np.eye(5, 2), kinds, COLOURS, "a map", "wing")
    (axes,) = figure.axes
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["no wing named", *COLOURS]
    assert "5 sentences" in figure.alt


def test_tables_of_lists():
    runs = [{"seed": s, "slips as they stand": {"0": 0.2, "1": 0.1 + s / 10},
             "length": {"1": [0.1, 0.3, 40], "2": [0.2 + s / 10, 0.5, 60]}}
            for s in range(2)]  # fmt: skip
    found = {"encoders": {"words": {"runs": runs}}}
    table = slips_table(found, {"by words": "encoders/words"})
    assert table.columns == ["0 slips", "1 slips"]
    assert table.rows == [["by words", "0.200 ± 0.000", "0.150 ± 0.071"]]
    table = length_table(found, {"by words": "encoders/words"})
    assert table.columns == ["1 named", "2 named"]
    assert table.rows[0] == ["by words", "0.100 ± 0.000", "0.250 ± 0.071"]
    assert table.rows[1] == ["who sees and understands all", "0.300", "0.500"]
