"""Lesson 05's pictures and playgrounds, without a browser."""

import io

import pytest
import torch
from PIL import Image

from t2i_course.measure.labels import digits_of_codes, found_in
from t2i_course.papers import cgan
from t2i_course.papers.cgan import ConditionalGan
from t2i_course.papers.infogan import InfoGan
from t2i_course.play.asked_table import COLOUR_NAMES, MOST, Asked, AskedTable
from t2i_course.play.code_sliders import STEPS, CodeSliders
from t2i_course.show.asked import (
    codes_table,
    each_label,
    moved_table,
    names_of,
    side_by_side,
    watched,
)
from t2i_course.training import History


def painter(**more):
    torch.manual_seed(0)
    settings = cgan.BIRDS["smoke"] | {"how": "projection"} | more
    return ConditionalGan.from_preset("smoke", **settings).eval()


def codes():
    torch.manual_seed(0)
    return InfoGan.from_preset("smoke").eval()


# ----------------------------------------------------------------------------- figures


def test_each_label_has_a_column_and_each_noise_a_row():
    digits = ConditionalGan.from_preset("smoke").eval()
    figure = each_label(digits, "ten digits", rows=2)
    assert "20 pictures in 2 rows of 10" in figure.alt
    assert "noise 1" in figure.alt and "noise 2" in figure.alt
    assert names_of(digits) == list("0123456789")
    assert names_of(painter()) == COLOUR_NAMES


def test_noises_seen_before_are_left_out():
    digits = ConditionalGan.from_preset("smoke").eval()
    figure = each_label(digits, "others", rows=2, after=2)
    assert "20 pictures in 2 rows of 10" in figure.alt
    assert "noise 3" in figure.alt and "noise 1" not in figure.alt


def test_what_is_watched_says_its_step():
    digits, past = ConditionalGan.from_preset("smoke").eval(), History()
    assert (
        f"digits, step {digits.settings['steps']}"
        in watched("digits")(digits, past).alt
    )
    past.steps = [1200]
    assert "digits, step 1,200" in watched("digits")(digits, past).alt


def test_codes_at_values_of_the_first_number():
    table = codes_table(codes(), "tiny", (-1, 0.5), each=3)
    assert table.columns == [f"code {code}" for code in range(10)]
    assert [row[0] for row in table.rows] == ["number 1 at -1", "number 1 at 0.5"]
    share = digits_of_codes(codes(), [0.5, 0.0], each=3)
    assert share.shape == (10, 10)
    sums = share.sum(1)  # 0 where no picture of a code is clear
    assert all(min(abs(s), abs(s - 1)) < 1e-5 for s in sums.tolist())
    digit, most = int(share[4].argmax()), float(share[4].max())
    assert table.rows[1][5] == f"{digit} ({most:.0%})"


def test_side_by_side_names_its_networks():
    systems = {"one": painter(), "other": painter(how="joined")}
    figure = side_by_side(systems, "two")
    assert "one" in figure.alt and "other" in figure.alt


def test_a_table_of_what_moved():
    runs = [{"seed": 0, "moved": [["x", 0.4], ["light", -0.3]]},
            {"seed": 1, "moved": [["x", -0.31], ["x", 0.1]]}]  # fmt: skip
    table = moved_table({"styles": {"with": {"runs": runs}}}, "styles/with")
    assert table.columns == ["number 1", "number 2"]
    assert table.rows[1] == ["seed 1", "x -0.31", "x +0.10"]
    assert found_in([run["moved"] for run in runs]) == {"x": 2, "light": 1}
    assert found_in([run["moved"] for run in runs], 0.35) == {"x": 1}
    assert found_in([]) == {}


# ------------------------------------------------------------------------- code sliders


def test_a_walk_moves_one_number_alone():
    lab = CodeSliders(codes())
    walk = lab.walk(3, [0.0, 0.5], 0)
    assert len(walk) == STEPS
    middle = lab.codes([0.0, 0.5])[3]
    assert torch.allclose(walk[STEPS // 2], middle, atol=1e-5)
    assert not torch.allclose(walk[0], walk[-1])
    assert torch.equal(walk, lab.walk(3, [9.0, 0.5], 0)), "its own start doesn't count"
    assert not torch.allclose(walk, lab.walk(3, [0.0, 0.5], 0, picture=1))


def test_sliders_change_the_sheet():
    box = CodeSliders(codes()).widget()
    before = box.image.value
    code, first, _, noise = box.controls
    seen = {before}
    for control, value in ((code, 5), (first, 1.0), (noise, 7)):
        control.value = value
        assert box.image.value not in seen
        seen.add(box.image.value)
    wide, high = Image.open(io.BytesIO(before)).size
    assert wide > 400 and high > 100 and "code 5" in box.line.value


def test_every_code_has_a_column():
    figure = CodeSliders(codes()).every_code("all of them", noises=3)
    assert "30 pictures in 3 rows of 10" in figure.alt and "noise 2" in figure.alt


# -------------------------------------------------------------------------- asked table


def test_slips_are_counted_and_none_is_lost():
    asked = Asked([0, 1], ["red", "blue"], torch.zeros(4), ["red", "grey"] * 2)
    assert asked.words.endswith("asked for (blue read as grey, 2 times).")
    read = [COLOUR_NAMES[(i + 1) % 10] for i in range(10)]
    many = Asked([0], COLOUR_NAMES, torch.zeros(10), read)
    assert many.words.count(" read as ") == MOST and "and 2 more)" in many.words
    assert Asked([0], ["red"], torch.zeros(1), ["red"]).words.endswith("asked for.")


def test_what_disobeys_is_framed():
    pictures = torch.zeros(2, 3, 32, 32)
    lab, asked = (
        AskedTable(painter()),
        Asked([3], ["red", "blue"], pictures, ["red"] * 2),
    )
    figure = lab.framed(asked)
    assert len(figure.axes[0].patches) == 1 and "family 3" in figure.alt
    assert "framed in red" in figure.alt
    obeyed = Asked([3], ["red", "red"], pictures, ["red"] * 2)
    assert not lab.framed(obeyed).axes[0].patches


def test_a_table_is_asked_for_row_by_row():
    lab = AskedTable(painter(labels="family and wing"))
    asked = lab.ask([2, 7], ["blue", "red", "green"], picture=3)
    assert asked.pictures.shape == (6, 3, 32, 32) and len(asked.read) == 6
    noise = torch.randn(1, 16, generator=torch.Generator().manual_seed(3))
    y = torch.tensor([[7, COLOUR_NAMES.index("red")]])
    assert torch.allclose(asked.pictures[4], lab.system.sample(y, noise=noise)[0],
                          atol=1e-5)  # fmt: skip
    wanted = ["blue", "red", "green"] * 2
    assert asked.obeyed == [a == b for a, b in zip(wanted, asked.read)]
    assert asked.words.startswith(f"{sum(asked.obeyed)} of 6 birds")


@pytest.mark.parametrize(
    ("families", "colours", "part"),
    [([20], ["red"], "0 to 19"), ([0], ["mauve"], "there are red"),
     ([], ["red"], "at least"), ([0], [], "at least")],
)  # fmt: skip
def test_what_cannot_be_asked_is_said(families, colours, part):
    with pytest.raises(ValueError, match=part):
        AskedTable(painter(labels="family and wing")).ask(families, colours)


def test_pickers_change_the_table():
    box = AskedTable(painter(labels="family and wing")).widget()
    before = box.image.value
    families, colours, _ = box.controls
    families.value = (4, 5)
    assert box.image.value != before and "families 4, 5" in box.line.value
    before = box.image.value
    colours.value = ()
    assert box.image.value == before and "at least" in box.line.value
