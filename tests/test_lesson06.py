"""Lesson 06's playground and table, without a browser."""

import io

import pytest
import torch
from PIL import Image

from t2i_course.papers.pix2pix import Pix2Pix
from t2i_course.play import part_painter
from t2i_course.play.part_painter import PartPainter, altered
from t2i_course.show.translated import both_ways, each_seed, survival_table
from t2i_course.worlds.domains import nearest_part


def system(way="paint"):
    torch.manual_seed(0)
    return Pix2Pix.from_preset("smoke", way=way).eval()


@pytest.fixture
def painter(monkeypatch):
    monkeypatch.setattr(part_painter, "segmenter", lambda: system("segment"))
    start = torch.zeros(32, 32, dtype=torch.uint8)
    start[8:20, 8:24] = 1
    return PartPainter(system(), start)


def test_a_map_is_painted_as_the_system_does(painter):
    made = painter.paint(painter.start)
    assert made.pictures.shape == (2, 3, 32, 32)
    assert torch.equal(nearest_part(made.pictures[:1])[0], painter.start)
    assert torch.equal(made.pictures[1:], painter.system.sample(made.pictures[:1]))
    assert "wing" in made.words and "legs" not in made.words
    flat = painter.paint(painter.start.flatten().tolist())
    assert torch.equal(flat.pictures, made.pictures)


def test_an_empty_map_is_painted_too(painter):
    assert painter.paint([0] * 1024).words == "nothing is painted."


@pytest.mark.parametrize("parts", [[0] * 1023, [8] * 1024, [-1] * 1024])
def test_what_is_no_part_map_is_said(painter, parts):
    with pytest.raises(ValueError, match="32 x 32 numbers from 0 to 7"):
        painter.paint(parts)


def test_the_still_says_what_is_read(painter):
    figure = painter.figure(title="a map")
    assert "read back" in figure.alt and "part map" in figure.alt


def test_painting_on_the_canvas_changes_the_bird(painter):
    box = painter.widget()
    before = box.image.value
    assert Image.open(io.BytesIO(before)).size[0] > 300
    assert box.canvas.parts == painter.start.flatten().tolist()
    parts = list(box.canvas.parts)
    parts[300:320] = [4] * 20
    box.canvas.parts = parts
    assert box.image.value != before and "tail" in box.line.value
    again, clear = box.buttons
    clear.click()
    assert set(box.canvas.parts) == {0} and "nothing" in box.line.value
    again.click()
    assert box.image.value == before


def test_the_canvas_knows_the_world_s_parts(painter):
    canvas = painter.widget().canvas
    assert canvas.names[1] == "wing" and canvas.colours[1] == [0, 0, 255]
    for trait in ("side", "names", "colours", "parts"):
        assert f'get("{trait}")' in part_painter.CANVAS


def test_a_table_of_what_survives():
    runs = [{"seed": s, "iou": 0.3, "survival": {"as it is": 0.1, "noise": s / 10}}
            for s in range(2)]  # fmt: skip
    table = survival_table({"parts": {"cycle": {"runs": runs}}}, "parts/cycle")
    assert table.columns == ["seed 0", "seed 1"]
    assert table.rows[0] == ["overlap of the map (IoU)", "0.300", "0.300"]
    assert table.rows[1:] == [
        ["back, as it is", "0.100", "0.100"],
        ["back, noise", "0.000", "0.100"],
    ]


def test_a_table_of_each_seed():
    runs = [{"seed": s, "iou": s / 10, "accuracy": 0.9} for s in range(2)]
    found = {"segment": {"L1": {"runs": runs}}}
    table = each_seed(found, {"alone": "segment/L1"}, {"overlap": ("iou", 2)})
    assert table.columns == ["overlap, seed 0", "overlap, seed 1"]
    assert table.rows == [["alone", "0.00", "0.10"]]


def test_a_table_of_both_ways():
    table = both_ways({"bars every wing": (1.0, 0.0)}, "a note")
    assert table.columns == ["G(x) barred", "F(y) plain", "mean"]
    assert table.rows == [["bars every wing", "1.00", "0.00", "0.50"]]


def test_the_questions_are_part_maps(painter):
    start = painter.start.clone()
    start[20:22, 20:24], start[10, 6:8] = 4, 5
    asked = altered(start)
    assert torch.equal(asked["as it was"], start)
    assert (asked["a second tail"] == 4).sum() == 16 and (asked["no beak"] != 5).all()
    assert torch.equal(asked["no beak"] == 4, start == 4)
    assert (asked["all wing"] == 1).all() and (asked["nothing"] == 0).all()


def test_the_strip_has_a_column_for_each_question(painter):
    figure = painter.answers("four questions")
    assert "10 pictures in 2 rows of 5" in figure.alt and "a second tail" in figure.alt
