"""The two-dimensional playground, and the figures of all lessons, without a browser."""

import io
import warnings

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from t2i_course import lesson
from t2i_course.papers import gan
from t2i_course.play.gan_lab import SIDE, GanLab, playground
from t2i_course.show.curves import bars, clouds, curves, lines, paths, smoothed
from t2i_course.show.pictures import crossed, grid, mosaic, strip, to_pixels
from t2i_course.training.history import History


def weights_of(lab):
    return {name: torch.cat([p.detach().flatten() for p in
                             lab.gan.player(name).parameters()])
            for name in lab.gan.players}  # fmt: skip


def test_a_step_moves_its_player_only():
    lab = GanLab()
    before = weights_of(lab)
    lab.step_discriminator()
    middle = weights_of(lab)
    assert not torch.equal(before["discriminator"], middle["discriminator"])
    assert torch.equal(before["generator"], middle["generator"])
    lab.step_generator()
    after = weights_of(lab)
    assert torch.equal(middle["discriminator"], after["discriminator"])
    assert not torch.equal(middle["generator"], after["generator"])


def test_rounds_count_and_reset_begins_the_same_game_again():
    lab = GanLab(k=3)
    lab.run(4)
    assert lab.turns == {"discriminator": 12, "generator": 4}
    first = lab.pixels()
    lab.reset()
    assert lab.turns == {"discriminator": 0, "generator": 0}
    lab.run(4)
    assert np.array_equal(first, lab.pixels())


@pytest.mark.parametrize("world", ["ring", "grid", "moons"])
@pytest.mark.parametrize("deviation", [False, True])
def test_pictures_of_every_world(world, deviation):
    lab = GanLab(world, deviation=deviation)
    lab.run(2)
    assert lab.pixels().shape == (SIDE, SIDE, 3)
    belief = lab.belief()
    assert 0 <= belief.min() <= belief.max() <= 1
    with Image.open(io.BytesIO(lab.image())) as picture:
        assert picture.format == "PNG" and picture.width == SIDE


def test_belief_lies_where_the_points_are():
    """A discriminator that likes the right half makes the right of the map real."""
    lab = GanLab()
    for parameter in lab.gan.discriminator.parameters():
        torch.nn.init.zeros_(parameter)
    net = lab.gan.discriminator.net
    net[0].weight.data[0] = torch.tensor([1.0, 0.0])
    net[0].weight.data[1] = torch.tensor([0.0, 1.0])
    net[2].weight.data[0, 0] = net[4].weight.data[0, 0] = 5.0
    belief = lab.belief()
    assert belief[:, -1].min() > 0.9 and belief[:, 0].max() < 0.5
    net[2].weight.data[0] = 0.0
    net[2].weight.data[0, 1] = 5.0
    belief = lab.belief()
    assert belief[0].min() > 0.9 and belief[-1].max() < 0.5


def test_a_learners_losses_drive_it():
    used = []

    def loss(fake):
        used.append(len(fake))
        return gan.saturating_loss(fake)

    lab = GanLab(generator_loss=loss)
    lab.run(1)
    assert used == [128]


def test_a_film_is_a_figure_of_its_moments():
    figure = GanLab().film((0, 1, 2))
    assert isinstance(figure, Figure) and len(figure.axes) == 3


def test_buttons_and_sliders():
    lab = GanLab()
    box = playground(lab)
    parts, first = box.parts, box.parts["picture"].value
    parts["discriminator"].click()
    assert lab.turns == {"discriminator": 1, "generator": 0}
    assert parts["picture"].value != first
    parts["generator"].click()
    parts["run"].value = 1
    assert lab.turns["generator"] == 5
    parts["k"].value = 2
    parts["rate_g"].value = 0.01
    assert lab.k == 2 and lab.rates["generator"] == pytest.approx(0.01)
    parts["world"].value = "moons"
    assert lab.name == "moons" and lab.turns["generator"] == 0
    parts["deviation"].value = True
    assert lab.gan.discriminator.group == 8
    parts["hundred"].click()
    assert lab.turns["discriminator"] == 200
    parts["reset"].click()
    assert lab.turns["discriminator"] == 0


def test_a_failing_loss_is_told_and_the_lab_lives():
    lab = GanLab(generator_loss=lambda fake: fake.sum() * float("nan"))
    box = playground(lab)
    box.parts["generator"].click()
    assert "loss is nan" in box.parts["said"].value
    box.parts["discriminator"].click()
    assert box.parts["said"].value == ""


def test_grids_take_bytes_and_floats_of_one_channel_or_three():
    texts = [f"a rather long caption, number {i}" for i in range(5)]
    for channels in (1, 3):
        floats = torch.rand(5, channels, 8, 8) * 2 - 1
        for images in (floats, ((floats + 1) * 127.5).to(torch.uint8)):
            for captions in (None, texts):
                assert isinstance(grid(images, 3, captions, "title"), Figure)
    assert isinstance(grid(torch.zeros(1, 1, 8, 8), smooth=True), Figure)
    with pytest.raises(ValueError, match="pictures are"):
        grid(torch.zeros(4, 2, 8, 8))


def test_a_table_of_pictures_names_its_sides_and_frames_what_is_asked():
    marked = torch.tensor([False, True, False, False, False, True])
    figure = crossed(torch.zeros(6, 3, 8, 8), "ab", "xyz", "title", framed=marked)
    assert [text.get_text() for text in figure.texts] == ["title", *"xyz", *"ab"]
    x, y, z, a, b = (text.get_position() for text in figure.texts[1:])
    assert x[0] < y[0] < z[0] and x[1] == z[1] and a[1] > b[1] and a[0] == b[0] < x[0]
    assert figure.alt.startswith("title. 6 pictures in 2 rows of 3. The rows, from")
    with pytest.raises(ValueError, match="3 names for 2 rows"):
        grid(torch.zeros(6, 3, 8, 8), 3, rows="abc")
    first, last = figure.axes[0].patches  # the second and the sixth picture
    apart = last.get_x() - (first.get_x() + first.get_width())
    assert 1 < apart < first.get_width() / 4  # neighbours share no edge
    assert last.get_y() > first.get_y()


def test_ink_is_dark_and_the_mosaic_keeps_each_picture():
    images = torch.full((3, 1, 2, 2), -1.0)
    images[1] = 1.0
    assert to_pixels(images)[0].min() == 255 and to_pixels(images)[1].max() == 0
    sheet = mosaic(images, columns=2, gap=1, enlarge=2)
    assert sheet.shape == (9, 9, 3)
    assert (sheet[:4, 5:] == 0).all() and (sheet[:4, :4] == 255).all()


def test_curves_of_a_history_with_missing_turns():
    history = History()
    for i in range(10):
        turns = [] if i % 2 else [0.5]
        history.add({"discriminator": [1.0, 1.2], "generator": turns}, 0.1)
        history.measure("obedience", i / 10)
    figure = curves(history, marks={"log 4": 1.386})
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "obedience"]
    assert smoothed([1.0, float("nan"), 3.0], 2).tolist() == [1.0, 1.0, 3.0]
    assert smoothed([1.0, 3.0, 5.0], 2).tolist() == [1.0, 2.0, 4.0]


def test_legends_stand_where_they_hide_nothing():
    """Outside the axes: beside curves that want it, above bars with a level."""
    beside = lines(None, {"a": [1, 2]}, "x", "y", outside=True)
    above = bars(["0"], {"a": [5]}, "x", "y", marks={"equal": 5})
    for figure, legend in (
        (beside, beside.axes[0].get_legend()),
        (above, above.legends[0]),
    ):
        figure.set_layout_engine("constrained")
        figure.canvas.draw()
        axes = figure.axes[0].get_window_extent()
        assert not axes.padded(-1).overlaps(legend.get_window_extent())


def test_other_figures():
    assert isinstance(lines(None, {"a": [1, 2]}, "x", "y", log="xy"), Figure)
    still = lines(None, {"a": [0.2, 0.4]}, "x", "y", between=(0, 1))
    assert still.axes[0].get_ylim() == (0, 1)
    track = torch.zeros(4, 2)
    assert isinstance(paths({"p": track}, "x", "y", circle=1.0), Figure)
    made = bars(
        ["0", "1"], {"a": [1, 2], "b": [3, 4]}, "x", "y", "t", spread={"a": [1, 1]}
    )
    assert isinstance(made, Figure)
    assert len(clouds([torch.zeros(4, 2)] * 3, torch.ones(9, 2), "t").axes) == 3
    assert isinstance(strip([np.zeros((4, 4, 3), np.uint8)], ["one"], "film"), Figure)


def test_a_figure_shows_without_a_warning():
    """In the lessons' style, which matplotlib's own "none" would fall back to."""
    with matplotlib.rc_context():
        lesson._style()
        pictures = grid(torch.rand(4, 3, 8, 8), 2, title="t", rows=["a", "b"])
        film = strip([np.zeros((9, 9, 3), np.uint8)] * 2, "ab")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for figure in (pictures, film):
                first, second = (figure._repr_mimebundle_()[0] for _ in range(2))
                assert first["image/png"] == second["image/png"]
