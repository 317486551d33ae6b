"""Lesson 07's playground and figures, without a browser."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from t2i_course.measure import sentences
from t2i_course.papers.char_cnn_rnn import CharEmbedding
from t2i_course.papers.joint_embedding import JointEmbedding
from t2i_course.play.agreement import Agreement
from t2i_course.show.reading import (
    Watched,
    by_letters,
    length_table,
    likeness_table,
    slips_and_length,
    slips_table,
)
from t2i_course.show.sentences import agreement_row, sentence_map
from t2i_course.training import History
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
    assert f"bird {int(want[0].argmax()) + 1}, B" in found.words
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
    assert "A agrees most with bird 1" in figure.alt
    assert "B agrees most with bird 2" in figure.alt


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
    assert table.columns == ["0 slips", "1 slip"]
    assert table.rows == [["by words", "0.200 ± 0.000", "0.150 ± 0.071"]]
    table = length_table(found, {"by words": "encoders/words"})
    assert table.columns == ["1 named", "2 named"]
    assert table.rows[0] == ["by words", "0.100 ± 0.000", "0.250 ± 0.071"]
    assert table.rows[1] == ["the observer", "0.300", "0.500"]
    assert table.rows[2] == ["captions", "40", "60"]
    figure = slips_and_length(found, {"by words": "encoders/words"}, "R@1")
    left, right = figure.axes
    assert list(left.lines[0].get_ydata()) == pytest.approx([0.2, 0.15])
    assert list(right.lines[1].get_ydata()) == pytest.approx([0.3, 0.5])
    assert "the observer" in figure.alt


def test_a_table_by_letters_counts_every_caption():
    batch = sentences.unseen(150)
    table = by_letters({"letters": lab().reader}, batch)
    assert table.columns[0] == "under 25 letters" and table.columns[-1] == "70 or more"
    names = [row[0] for row in table.rows]
    assert names == ["letters", "the observer", "captions"]
    assert sum(map(int, table.rows[2][1:])) == 150
    table = by_letters({"letters": lab().reader}, batch, named=2)
    assert table.columns == ["under 40 letters", "40 to 54", "55 to 69", "70 or more"]
    two = int((sentences.names_so_many(batch) == 2).sum())
    assert sum(map(int, table.rows[2][1:])) == two < 150


def test_a_table_of_likeness_says_what_can_t_be_read():
    readers = {
        "letters": lab().reader,
        "words": lab(JointEmbedding, words=len(vocabulary())).reader,
    }
    table = likeness_table(readers, [(A, A), (A, "xyzzy")])
    assert table.rows[0] == [f"{A} · {A}", "1.00", "1.00"]
    assert table.rows[1][2] == "no word it knows"


def test_a_reader_is_watched_as_it_learns():
    batch, history = sentences.unseen(150), History()
    system = CharEmbedding.from_preset("smoke")
    show = Watched(batch, "letters", asked=2)
    history.add({"encoders": [1.0]}, 0.1)
    show(system, history)
    figure = show(system, history)
    want = sentences.retrieval(system.reader(), batch)["R@1"]
    assert history.values("R@1") == [pytest.approx(want)] * 2
    assert "the observer" in figure.alt and "step 1" in figure.alt
    key = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert key[0] == "R@1"
    said = [text.get_text().replace("\n", " ") for text in figure.axes[0].texts]
    assert said[0] in batch.caption
    assert all(
        part.weight.device.type == "cpu" for part in [system.encoders["text"].out]
    )
