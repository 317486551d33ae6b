"""Figures of edits: before and after, where it changed, what is kept and obeyed."""

import numpy as np
import pytest
import torch

from t2i_course.data import Batch
from t2i_course.measure import one_edit
from t2i_course.measure.editing import put_together
from t2i_course.show import edited
from t2i_course.worlds.birds import Birds

BEFORE = torch.zeros(3, 32, 32)


def some_edits(count=3):
    """A few birds with a wish each, put together as one."""
    rows = [one_edit.drawing(Birds, 61 * i) for i in range(count)]
    source = Batch(
        **{
            name: torch.cat([getattr(row, name) for row in rows])
            for name in ("image", "attributes", "style", "masks")
        }
    )
    colours = [int(row.attributes[0, 0] + 1) % 10 for row in rows]
    named = torch.full_like(source.attributes, -1)
    named[:, 0] = torch.tensor(colours)
    said = [one_edit.sentence_for(Birds, "wing", Birds.world.attributes["wing"][c])
            for c in colours]  # fmt: skip
    asked = Batch(torch.zeros(count, 0), said, named=named)
    return put_together(Birds, source, asked, 32)


@pytest.fixture(scope="module")
def found():
    return some_edits()


def words_on(figure):
    """All that is written on a figure."""
    axes = [text.get_text() for a in figure.axes for text in a.get_xticklabels()]
    labels = [a.get_xlabel() for a in figure.axes]
    return [text.get_text() for text in figure.texts] + axes + labels


def test_heat_is_black_where_nothing_changed_and_bright_at_the_top():
    maps = torch.tensor([[[0.0, edited.TOP / 2], [edited.TOP, 2.0]]])
    shown = edited.heat(maps).int()
    assert shown.shape == (1, 3, 2, 2) and shown[0, :, 0, 0].sum() < 20
    light = shown[0].sum(0)
    assert light[0, 0] < light[0, 1] < light[1, 0] == light[1, 1]


def test_a_change_looks_the_same_beside_any_other():
    """Maps of two figures can be compared."""
    one, beside = torch.full((1, 2, 2), 0.4), torch.full((1, 2, 2), 2.0)
    alone, both = edited.heat(one), edited.heat(torch.cat([one, beside]))
    assert torch.equal(alone[0], both[0])


@pytest.mark.parametrize("count", [1, 2, 8])
@pytest.mark.parametrize("side", [32, 64])
def test_before_after_and_map(count, side):
    before = torch.zeros(3, side, side)
    after = before.expand(count, -1, -1, -1).clone()
    after[:, :, :4, :4] = 0.5
    wanted = before if count == 2 else None
    figure = edited.changed_by(before, after, "a red bird", wanted)
    assert "where it changed" in " ".join(words_on(figure)).replace("\n", " ")
    assert edited.KEY_WORDS in words_on(figure) and "by 0.5 at most" in figure.alt
    heads = [text for text in words_on(figure) if text.startswith("after")]
    assert heads == (
        ["after"] if count == 1 else [f"after {i + 1}" for i in range(count)]
    )
    assert ("wanted" in words_on(figure)) == (wanted is not None)
    inside(figure)


def inside(figure):
    """Nothing written lies outside of the figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_canvas(FigureCanvasAgg(figure))
    figure.canvas.draw()
    wide, high = figure.canvas.get_width_height()
    texts = [t for t in figure.texts if t.get_text()]
    texts += [a.xaxis.label for a in figure.axes]
    for legend in (a.get_legend() for a in figure.axes):
        texts += [] if legend is None else [legend]
    for text in texts:
        box = text.get_window_extent()
        assert box.x0 >= -1 and box.x1 <= wide + 1, text
        assert box.y0 >= -1 and box.y1 <= high + 1, text


def test_pixels_are_enlarged_whole():
    figure = edited.changed_by(BEFORE, BEFORE[None] + 0.5, "a red bird")
    sheet = figure.axes[0].images[0].get_array()
    assert sheet.shape[0] == 6 * 32 and figure.dpi == 100
    box = figure.axes[0].get_position()
    assert box.height * figure.get_size_inches()[1] * 100 == pytest.approx(192)


def test_a_long_sentence_and_one_with_dollars():
    for sentence in ("a red bird " * 3000, "a $red bird with _ ^wings$", "$", "\\$"):
        figure = edited.changed_by(BEFORE, BEFORE[None], sentence)
        inside(figure)
        assert figure.get_size_inches()[1] < 5


def test_rows_of_editors(found):
    idle, ideal = found.source.image, found.wanted
    idle = idle.float() / 127.5 - 1 if idle.dtype == torch.uint8 else idle
    figure = edited.before_and_after(found, {"idle": idle, "ideal": ideal}, "A title")
    assert len(figure.axes[0].patches) == 3  # the idle editor's, and only its
    assert "idle: 3 of 3, and a pixel changed by 0 on average" in figure.alt
    assert "ideal: 0 of 3" in figure.alt
    said = [text.replace("\n", " ") for text in words_on(figure)]
    assert [said.count(x) for x in ("source", "idle", "ideal", "wanted")] == [1] * 4
    assert said.count("where it changed") == 2 and edited.KEY_WORDS in said
    assert set(found.asked.caption) <= set(said)
    inside(figure)
    plain = edited.before_and_after(found, {"ideal": ideal}, "A title", maps=False)
    assert len(plain.axes) == 1 and edited.KEY_WORDS not in words_on(plain)
    again = plain.described("Look at the wings").alt
    assert again.endswith("Look at the wings.")


def test_headings_are_legible(found):
    figure = edited.before_and_after(found, {"ideal": found.wanted}, "A title")
    assert min(text.get_fontsize() for text in figure.texts) >= 8
    heads = [t.get_text() for t in figure.texts if t.get_text().startswith("this bird")]
    assert len(heads) == 3
    assert max(len(line) for head in heads for line in head.split("\n")) <= 18


RUNS = {
    "one": [{"kept": 0.6, "obeyed": 0.7, "outside": 0.2},
            {"kept": 0.64, "obeyed": 0.66, "outside": 0.22}],
    "another with a long name": [{"kept": 0.9, "obeyed": 0.2, "outside": 0.1}],
}  # fmt: skip


def test_kept_against_obeyed():
    figure = edited.trade(RUNS, "A title")
    (axes,) = figure.axes
    assert axes.get_xlim()[0] <= 0 and 1 <= axes.get_xlim()[1] < 1.1
    dots = [np.asarray(c.get_offsets()) for c in axes.collections]
    assert [len(each) for each in dots] == [2, 1, 1]
    assert dots[-1].tolist() == [[1, 1]]
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names[:2] == ["one, 2 seeds", "another with a long name, one seed"]
    assert "one: kept 0.60 to 0.64, obeyed 0.66 to 0.70" in figure.alt
    assert len({tuple(c.get_facecolor()[0]) for c in axes.collections}) == 3
    inside(figure)


def test_change_outside_against_obeyed():
    figure = edited.trade(RUNS, "A title", across="outside")
    (axes,) = figure.axes
    assert np.asarray(axes.collections[-1].get_offsets()).tolist() == [[0, 1]]
    assert 0.22 < axes.get_xlim()[1] < 0.3 and axes.get_ylim()[1] < 1.1
    assert edited.trade({"idle": [{"outside": 0, "obeyed": 0}]}, "t", "outside").axes
