"""t2i edit: a file, what is said of it, and each wrong way to ask."""

from types import SimpleNamespace

import numpy as np
import pytest
from editing_toys import Toy, untrained
from PIL import Image
from training_toys import fails

from t2i_course import cli, systems
from t2i_course.commands import edit
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.flowers import Flowers

BLUE = "this bird has blue wings"
ORACLE = "oracle reads"


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    """An empty folder, and small editors in place of the shipped ones."""
    monkeypatch.chdir(tmp_path)
    shipped = {"sisgan_birds": ("birds", untrained(Birds)),
               "sisgan_flowers": ("flowers", untrained(Flowers)),
               "toy.pt": ("birds", Toy())}  # fmt: skip

    def chosen(name):
        if name not in shipped:
            systems.network_info(name)
            return SimpleNamespace(name=name, draws="sentences")
        data, system = shipped[name]
        return SimpleNamespace(name=name, system=system, data=data, draws="pictures")

    monkeypatch.setattr(systems, "chosen", chosen)
    there = {name: data for name, (data, _) in shipped.items() if "." not in name}
    monkeypatch.setattr(edit, "editors", lambda: there)
    monkeypatch.setattr("t2i_course.declarations.all_networks", networks(there))
    return tmp_path


def networks(there):
    """All networks, with those editors among them or in place of the declared ones."""
    from t2i_course import declarations

    known = declarations.all_networks()
    return lambda: {n: x for n, x in known.items() if n not in there}


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.jpg")
    return "photo.jpg"


def run(capsys, *words, code=0):
    """(stdout, lines of stderr) of t2i edit."""
    assert cli.main(["edit", *map(str, words)]) == code
    said = capsys.readouterr()
    return said.out.strip(), said.err.strip().splitlines()


def test_a_drawing_is_changed_and_written(capsys, at_home):
    out, said = run(capsys, "birds:17", BLUE)
    assert out == "edited.png" and [p.name for p in at_home.iterdir()] == [out]
    wide, high = Image.open(out).size
    assert wide >= 3 * 192 and high > 192
    assert len(said) == 1 and said[0].startswith("t2i edit: the oracle reads")


def test_a_file_of_any_size(capsys, photo):
    out, said = run(capsys, photo, BLUE, "--out", "b.PNG")
    assert out == "b.PNG" and Image.open(out).format == "PNG"
    (line,) = said
    assert "64 x 48 pixels: its middle, 48 x 48, is taken, and 16 columns are" in line


def test_count_and_seed(capsys, photo):
    sizes, files = [], []
    for count, seed in ((1, 0), (3, 0), (8, 0), (3, 0), (3, 1)):
        out = f"{len(files)}.png"
        run(capsys, photo, BLUE, "--count", count, "--seed", seed, "--out", out,
            "--system", "toy.pt")  # fmt: skip
        sizes.append(Image.open(out).size)
        files.append(np.asarray(Image.open(out)))
    assert sizes[0] != sizes[1] and sizes[2][0] > sizes[1][0]
    assert np.array_equal(files[1], files[3]) and not np.array_equal(*files[3:])


@pytest.mark.parametrize(
    ("picture", "sentence", "name"),
    [("birds:0", "a flower", "sisgan_birds"), ("flowers:0", "red", "sisgan_flowers"),
     ("photo.jpg", "a red bird", "sisgan_birds"),
     ("photo.jpg", "Red petals!", "sisgan_flowers")],
)  # fmt: skip
def test_which_editor(capsys, photo, monkeypatch, picture, sentence, name):
    asked, chosen = [], systems.chosen
    monkeypatch.setattr(systems, "chosen", lambda n: asked.append(n) or chosen(n))
    run(capsys, picture, sentence)
    assert asked == [name]


def test_what_is_not_understood_is_said(capsys, photo):
    _, said = run(capsys, photo, "a turquoise bird that is not red")
    assert "t2i edit: words it doesn't know: turquoise" in said
    assert any("doesn't understand 'not'" in line for line in said)
    _, said = run(capsys, "flowers:3", "red wings", "--system", "sisgan_birds")
    assert any("has learned birds, and the picture is of flowers" in x for x in said)


def test_what_the_oracle_reads_otherwise_is_said(capsys, monkeypatch):
    found = {"beak_colour": ("red", "blue")}
    target = "t2i_course.measure.one_edit.read_otherwise"
    monkeypatch.setattr(target, lambda *_: found)
    _, said = run(capsys, "birds:17", BLUE)
    assert said == ["t2i edit: the oracle reads otherwise: beak colour blue (was red)"]
    found.clear()
    assert run(capsys, "birds:17", BLUE)[1][0].endswith("reads all as before")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["none.png", BLUE], "there is no file none.png; a picture comes first"),
        ([BLUE, "birds:17"], "a picture comes first, then the sentence"),
        ([".", BLUE], ". can't be read: Is a directory"),
        (["text.png", BLUE], "text.png is no picture; a PNG or JPEG"),
        (["half.png", BLUE], "half.png is a damaged picture"),
        (["birds:17"], "what is to change? Add a sentence in quotes"),
        (["birds:17", ""], "the sentence is empty; say what is to change"),
        (["birds:17", "  "], "the sentence is empty"),
        (["birds:17", "?!"], "The caption is empty"),
        (["birds:17", "xqz krwn"], "None of the caption's words is known"),
        (["birds:17", "красные крылья"], "isn't English"),
        (["birds:17", "a", "red", "bird"], 'quotes: t2i edit birds:17 "a red bird"'),
        (["birds:17", "a red bird", "a blue bird"], "one picture and one sentence"),
        (["birds:3000", BLUE], "birds:0 to birds:2999, not birds:3000"),
        (["flowers:1200", BLUE], "flowers:0 to flowers:1199"),
        (["birds:-1", BLUE], "birds:0 to birds:2999"),
        (["birds:", BLUE], "birds:0 to birds:2999, not birds:"),
        (["birds:x", BLUE], "birds:0 to birds:2999"),
        (["birds:²", BLUE], "birds:0 to birds:2999"),
        (["dogs:1", BLUE], "no world 'dogs' and no file dogs:1; there are birds:17"),
        (["C:/none.png", BLUE], "there is no file C:/none.png"),
        (["birds:17", BLUE, "--count", "0"], "--count is 1 to 8, not 0"),
        (["birds:17", BLUE, "--count", "9"], "--count is 1 to 8, not 9"),
        (["birds:17", BLUE, "--seed", "-1"], "eed"),
        (["birds:17", BLUE, "--out", "a.gif"], "--out names a .png file"),
        (["birds:17", BLUE, "--out", "no/a.png"], "there is no folder no"),
        (["text.png", BLUE, "--out", "./text.png"], "is the picture itself"),
        (["birds:17", BLUE, "--system", "picasso"], "No network 'picasso'"),
        (["birds:17", BLUE, "--system", "gan_32"],
         "gan_32 changes no pictures; sisgan_birds, sisgan_flowers, checkpoints of"),
    ],
)  # fmt: skip
def test_refused_in_a_line(capsys, at_home, words, part):
    (at_home / "text.png").write_text("no picture")
    Image.fromarray(np.random.default_rng(0).integers(
        0, 256, (64, 64, 3), np.uint8)).save("whole.png")  # fmt: skip
    (at_home / "half.png").write_bytes((at_home / "whole.png").read_bytes()[:3000])
    before = {p.name: p.read_bytes() for p in at_home.iterdir()}
    assert part in fails(capsys, "edit", *words)
    assert {p.name: p.read_bytes() for p in at_home.iterdir()} == before


def test_options_may_come_first_and_between(capsys):
    run(capsys, "--count", 2, "birds:17", BLUE)
    run(capsys, "birds:17", "--seed", 2, BLUE)
    with pytest.raises(SystemExit) as stop:
        cli.main(["edit"])
    assert stop.value.code == 2


def test_a_full_disk_leaves_the_picture_that_was_there(capsys, at_home, monkeypatch):
    from t2i_course.show.described import DescribedFigure

    run(capsys, "birds:17", BLUE)
    good = (at_home / "edited.png").read_bytes()

    def full(self, file, **_):
        file.write(b"half a picture")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(DescribedFigure, "savefig", full)
    assert cli.main(["edit", "birds:18", BLUE]) == 1
    assert (at_home / "edited.png").read_bytes() == good
    assert [p.name for p in at_home.iterdir()] == ["edited.png"]


def test_where_no_editor_ships(capsys, monkeypatch):
    monkeypatch.setattr(edit, "editors", dict)
    said = fails(capsys, "edit", "flowers:1", "red petals")
    assert "no network that edits flowers ships with the course; train one" in said
    said = fails(capsys, "edit", "flowers:1", "red petals", "--system", "gan_32")
    assert said.endswith(
        "gan_32 changes no pictures; checkpoints of your own may do so"
    )


def test_shipped_editors_are_those_with_weights(monkeypatch):
    monkeypatch.undo()
    for name, data in edit.editors().items():
        assert systems.draws(name) == "pictures" and data in ("birds", "flowers")


def test_draw_sends_to_edit(capsys):
    for words in ([], ["a red bird"]):
        said = fails(capsys, "draw", *words, "--system", "sisgan_birds")
        assert "sisgan_birds changes pictures; use t2i edit: t2i edit birds:17" in said
