"""Grown pictures shown: stretched, as a film, as spectra, and as sheets on record."""

import base64
import html
import io
import json
import re
from html.parser import HTMLParser

import keep_stimuli
import numpy as np
import pytest
import torch
from PIL import Image

from t2i_course.experiments.recorded import FOLDER
from t2i_course.measure.stimuli import middles, photographs, spectrum
from t2i_course.show import stimuli
from t2i_course.show.pictures import to_pixels
from t2i_course.show.stimuli import Film, Sheet, keep_sheet, kept_sheet, spectra
from t2i_course.worlds.birds import Birds

pytestmark = pytest.mark.usefixtures("one_thread")
SHEETS = sorted(file.stem[8:] for file in FOLDER.glob("stimuli_*.json"))


def noise(count=4, side=32, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, side, side, generator=rng)


# stretched ----------------------------------------------------------------------------


def test_faint_and_strong_pictures_look_alike():
    pictures = noise()
    strong = stimuli.stretched(0.5 * pictures)
    faint = stimuli.stretched(0.001 * pictures + 0.4)
    assert torch.allclose(strong, faint, atol=1e-3)
    assert torch.equal(strong, stimuli.stretched(0.5 * pictures.clone()))


def test_each_picture_has_its_own_contrast_around_grey():
    pictures = noise() * torch.tensor([1e-3, 0.1, 1.0, 30.0]).view(4, 1, 1, 1)
    found = stimuli.stretched(pictures + torch.tensor([0.0, 3, -1, 9]).view(4, 1, 1, 1))
    assert found.abs().amax((1, 2, 3)).tolist() == [1] * 4
    assert found.mean((1, 2, 3)).abs().max() < 0.01
    cut = (found.abs() == 1).float().mean((1, 2, 3))
    assert cut.tolist() == pytest.approx([0.01] * 4, abs=0.002)
    for one, other in zip(pictures, found):
        within = other.abs() < 1
        line = np.corrcoef(one[within].numpy(), other[within].numpy())
        assert line[0, 1] > 0.99999  # a straight line, but for what is cut off


def test_a_picture_without_contrast_is_grey():
    found = stimuli.stretched(torch.full((2, 3, 8, 8), 0.75))
    assert found.isfinite().all() and found.abs().max() < 1e-3


# a film -------------------------------------------------------------------------------


class Tags(HTMLParser):
    """The tags of a text, with their attributes."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def frames_of(data: bytes) -> list[np.ndarray]:
    film = Image.open(io.BytesIO(data))
    assert film.format == "WEBP" and film.info["loop"] == 0
    frames = []
    for number in range(film.n_frames):
        film.seek(number)
        frames.append(np.asarray(film.convert("RGB")).astype(float))
    return frames


@pytest.mark.parametrize(("count", "frames"), [(2, 2), (5, 8)])
def test_a_film_goes_to_and_fro(count, frames):
    greys = torch.linspace(-1, 1, count).view(-1, 1, 1, 1).expand(-1, 3, 10, 14)
    seen = frames_of(Film(greys, "from black to white").webp())
    assert len(seen) == frames and all(one.shape == (10, 14, 3) for one in seen)
    levels = np.linspace(0, 255, count).tolist()
    levels += levels[-2:0:-1]
    assert [one.mean() for one in seen] == pytest.approx(levels, abs=3)


def test_a_film_lasts_as_long_as_is_said():
    pictures = noise(3).clamp(-1, 1)
    film = Image.open(io.BytesIO(Film(pictures, "", milliseconds=250).webp()))
    film.load()
    assert film.info["duration"] == 250 and film.size == (32, 32)


def test_a_film_is_told_to_those_who_cannot_see_it():
    said = "From 'wing red' to \"sky\": <half> & half"
    pictures = noise(3).clamp(-1, 1)
    film = Film(pictures, said)
    tags = Tags()
    tags.feed(film._repr_html_())
    tag, attributes = tags.found[0]
    assert tag == "img" and attributes["width"] == "96"
    assert attributes["alt"] == said
    assert html.escape(said) in film._repr_html_().split("<em>")[1]
    kind, _, data = attributes["src"].partition(",")
    assert kind == "data:image/webp;base64"
    assert len(frames_of(base64.b64decode(data))) == 4


# spectra ------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "marks"), [(32, "2 4 8 16"), (64, "2 4 8 16 32"),
                                             (128, "2 4 8 16 32 64")])  # fmt: skip
def test_a_line_for_each_group(size, marks):
    groups = {"noise": noise(6, size), "photographs": photographs(size),
              "faint": 0.01 * photographs(size)}  # fmt: skip
    figure = spectra(groups, "Three spectra")
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == list(groups)
    for line, pictures in zip(axes.lines, groups.values()):
        x, y = line.get_data()
        expected = spectrum(pictures).mean(0)
        assert np.allclose(x, middles(size) * size)
        assert np.allclose(y, expected - expected.mean(), atol=1e-5)
    seen, faint = (line.get_ydata() for line in axes.lines[1:])
    assert np.allclose(seen, faint, atol=0.02) and axes.get_xscale() == "log"
    figure.canvas.draw()
    ticks = [label.get_text() for label in axes.get_xticklabels()]
    assert ticks == marks.split()
    assert not any(label.get_text() for label in axes.get_xticklabels(minor=True))
    assert axes.get_title() == "Three spectra" and "noise" in figure.alt
    assert "waves" in axes.get_xlabel() and "power" in axes.get_ylabel()


# sheets -------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where sheets are kept in a test."""
    monkeypatch.setattr(stimuli, "FOLDER", tmp_path)
    return tmp_path


def test_a_sheet_comes_back_with_a_little_loss(folder):
    birds = Birds("test", 64).all(6).to("cpu").image
    said = [f"bird {i}" for i in range(6)]
    sheet = Sheet(birds, ["above", "below"], ["a", "b", "ü"], said, "a command")
    keep_sheet("birds", sheet)
    assert [file.name for file in folder.iterdir()] == ["stimuli_birds.json"]
    found = kept_sheet("birds")
    assert found.pictures.dtype == torch.uint8 and found.pictures.shape == birds.shape
    assert (found.rows, found.columns) == (["above", "below"], ["a", "b", "ü"])
    assert (found.said, found.command) == (said, "a command")
    apart = found.pictures.float() - torch.from_numpy(to_pixels(birds)).permute(
        0, 3, 1, 2
    )
    loss = apart.square().mean((1, 2, 3)).sqrt()
    others = (found.pictures[0] - found.pictures[1].float()).square().mean().sqrt()
    assert loss.max() < 14 and others > 40  # each picture is at its place
    assert found.pictures.float().mean() == pytest.approx(
        127.5 * (birds.mean().item() + 1), abs=2
    )


def test_bytes_are_kept_as_well_and_quality_has_its_price(folder):
    birds = torch.from_numpy(Birds("test", 64).images[:4].copy())
    sizes, losses = [], []
    for quality in (30, 80, 98):
        keep_sheet("birds", Sheet(birds, [], list("1234")), quality)
        sizes.append((folder / "stimuli_birds.json").stat().st_size)
        apart = kept_sheet("birds").pictures.float() - birds
        losses.append(apart.square().mean().item())
    assert sizes == sorted(sizes) and losses == sorted(losses, reverse=True)
    found = kept_sheet("birds")
    assert found.rows == [] and found.said == [] and found.command == ""


def test_pictures_need_not_fill_the_screen(folder):
    """Tall sheets and wide ones; a picture of one colour stays what it is."""
    colours = torch.linspace(-1, 1, 6).view(6, 1, 1, 1).expand(-1, 3, 16, 16)
    for across in (1, 2, 6):
        keep_sheet("grey", Sheet(colours, [], ["x"] * across))
        found = kept_sheet("grey").pictures.float().mean((1, 2, 3))
        assert found.tolist() == pytest.approx([0, 51, 102, 153, 204, 255], abs=3)


def test_a_sheet_that_is_not_there(folder):
    with pytest.raises(LookupError, match="no sheet 'birds'"):
        kept_sheet("birds")
    for name in ("two", "one"):
        keep_sheet(name, Sheet(noise(1, 16), [], ["x"]))
    with pytest.raises(LookupError, match=r"no sheet 'birds'; there are one, two$"):
        kept_sheet("birds")


def test_a_sheet_as_a_figure(folder):
    sheet = Sheet(noise(6), ["above", "below"], list("abc"), command="t2i something")
    figure = sheet.figure("Six", side=48)
    assert "Made by t2i something." in figure.alt and "Six." in figure.alt
    assert "above and below" in figure.alt and "a, b and c" in figure.alt
    captioned = sheet.figure("Six", captions=[f"picture {i}" for i in range(6)])
    assert "picture 0" in captioned.alt and len(captioned.axes) == 6


@pytest.mark.parametrize("name", SHEETS)
def test_every_sheet_on_record_can_be_shown(name):
    sheet = kept_sheet(name)
    count, channels, high, wide = sheet.pictures.shape
    assert count == max(len(sheet.rows), 1) * len(sheet.columns)
    assert channels == 3 and high == wide >= 96
    spread = sheet.pictures.float().std((1, 2, 3))
    assert (spread > 10).float().mean() > 0.9  # two channels like black and white
    assert not sheet.said or len(sheet.said) == count
    for text in sheet.said:  # a network's first three classes, with their shares
        shares = [float(share) for share in re.findall(r" (\d\.\d\d)(?:,|$)", text)]
        assert len(shares) == 3 and shares == sorted(shares, reverse=True)
        assert sum(shares) < 1.02
    assert sheet.command == f"python tools/keep_stimuli.py {name}"
    assert sheet.command in sheet.figure("A sheet").alt


def test_sheets_on_record_are_those_that_the_tool_makes():
    assert sorted(keep_stimuli.SHEETS) == SHEETS and SHEETS
    for name, make in keep_stimuli.SHEETS.items():
        assert make.__name__ == name and make.__doc__
        assert keep_stimuli.COMMAND.format(name) == kept_sheet(name).command


@pytest.mark.parametrize("name", SHEETS)
def test_sheets_are_small(name):
    file = FOLDER / f"stimuli_{name}.json"
    assert file.stat().st_size <= 320 * 1024
    made = json.loads(file.read_text(encoding="utf-8"))
    assert set(made) == {"command", "rows", "columns", "said", "side", "sheet"}


def test_the_tool_keeps_what_is_named(folder, monkeypatch, capsys):
    monkeypatch.setattr(keep_stimuli, "SHEETS", {
        name: lambda name=name: Sheet(noise(2, 16), [], ["a", "b"], [name, name])
        for name in ("one", "two")
    })  # fmt: skip
    keep_stimuli.main(["two"])
    assert capsys.readouterr().out == "two ['two', 'two']\n"
    assert [file.name for file in folder.iterdir()] == ["stimuli_two.json"]
    assert kept_sheet("two").command == "python tools/keep_stimuli.py two"
    keep_stimuli.main([])
    assert sorted(file.stem[8:] for file in folder.iterdir()) == ["one", "two"]
    with pytest.raises(SystemExit):
        keep_stimuli.main(["three"])
    assert "three" in capsys.readouterr().err


def test_what_a_network_reads_is_written_beside_a_picture(monkeypatch):
    """The first three classes by their shares, of a reader of known shares."""
    shares = torch.full((2, 1000), 1e-9)
    shares[0, [7, 3, 900]] = torch.tensor([0.6, 0.3, 0.08])
    shares[1, [0, 1, 2]] = torch.tensor([0.02, 0.9, 0.05])
    monkeypatch.setattr(keep_stimuli, "reader", lambda name: lambda x: shares.log())
    names = [f"class {number}" for number in range(1000)]
    monkeypatch.setattr(keep_stimuli, "class_names", lambda: names)
    said = keep_stimuli.readings(noise(2))
    assert said[0] == f"{names[7]} 0.61, {names[3]} 0.31, {names[900]} 0.08"
    assert said[1] == f"{names[1]} 0.93, {names[2]} 0.05, {names[0]} 0.02"
    assert [names[i] for i in keep_stimuli.numbers_of(*names[4:2:-1])] == names[4:2:-1]
