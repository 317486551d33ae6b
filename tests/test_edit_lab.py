"""The editing lab without a browser, one drawing's wish, and pictures of one's own."""

import io
import time

import numpy as np
import pytest
import torch
from editing_toys import Toy, Wanted, untrained
from PIL import Image

from t2i_course.datasets.own_pictures import NoPicture, square
from t2i_course.measure import one_edit
from t2i_course.measure.editing import changes
from t2i_course.play import edit_lab
from t2i_course.play.edit_lab import START, STEP, Changed, EditLab
from t2i_course.weights import WeightsError
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.flowers import Flowers

pytestmark = pytest.mark.usefixtures("one_thread")
KINDS = (Birds, Flowers)


@pytest.fixture(scope="module")
def lab():
    return EditLab({"toy": Toy(), "untrained": untrained()})


def as_file(pixels, kind="PNG", mode=None, **how):
    """An array, or a picture, as the content of a file."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.convert(mode or image.mode).save(file, kind, **how)
    return file.getvalue()


def noise(high, wide, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (high, wide, 3), np.uint8)


# one drawing and one wish ---------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_drawing_by_number_is_that_of_the_world(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("T2I_CACHE", str(tmp_path))
    world = kind("test", 32, individuals=2, details=True)
    for species, i in ((0, 0), (3, 1)):
        one = one_edit.drawing(kind, 60 * species + i)
        same = world.at([2 * species + i], [0])
        for name in ("image", "attributes", "style", "masks", "class_id", "named"):
            assert torch.equal(getattr(one, name), getattr(same, name)), name
        assert one.caption == same.caption and torch.equal(one.tokens, same.tokens)


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_end_where_the_drawings_do(kind):
    last = one_edit.how_many(kind) - 1
    assert last + 1 == 60 * len(kind.world.splits()["test"])
    assert len(one_edit.drawing(kind, last)) == 1
    for number in (-1, last + 1):
        with pytest.raises(ValueError, match=f"numbered 0 to {last}"):
            one_edit.drawing(kind, number)


@pytest.mark.parametrize("kind", KINDS)
def test_what_may_be_asked_changes_a_part_and_is_said_in_known_words(kind):
    world = kind.world
    parts = {n for n, part in world.part_of.items() if part in world.parts[1:]}
    asked = one_edit.may_be_asked(kind)
    assert set(asked) == parts
    for name, values in asked.items():
        said = [one_edit.sentence_for(kind, name, value) for value in values]
        assert len(set(said)) == len(said)
        for value, sentence in zip(values, said):
            assert f" {value} " in f"{sentence} "
            assert not world.vocabulary().notes([sentence])
            assert sentence.startswith(f"this {world.thing} has ")


def test_sentences_read_well():
    said = one_edit.sentence_for
    assert said(Birds, "belly", "orange") == "this bird has an orange belly"
    assert said(Birds, "beak_colour", "grey") == "this bird has a grey beak"
    assert said(Flowers, "stripe", "plain") == "this flower has plain petals"
    assert said(Flowers, "stripe", "red") == "this flower has petals with red stripes"
    for wrong in (("nose", "red"), ("wing", "pink"), ("size", "large")):
        with pytest.raises(ValueError, match=r"No attribute|can't be|no attribute of"):
            said(Birds, *wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wish_has_its_drawing(kind):
    source = one_edit.drawing(kind, STEP)
    name, values = next(iter(one_edit.may_be_asked(kind).items()))
    value = values[int(source.attributes[0, 0]) - 1]
    edit = one_edit.wish(kind, source, name, value)
    assert edit.changed.sum() == 1 and edit.attributes[0, 0] == values.index(value)
    inside = edit.parts(edit.named >= 0)
    change = changes(source.to("cpu").image, edit.wanted)
    assert change[inside].mean() > 10 * change[~inside].mean()


def test_what_cannot_be_drawn_has_none():
    source = one_edit.drawing(Flowers, 0)
    source.attributes = source.attributes.clone()
    source.attributes[0, :2] = torch.tensor([0, 1])  # red petals, white stripes
    assert one_edit.wish(Flowers, source, "petal", "white") is None
    assert one_edit.wish(Flowers, source, "petal", "pink") is not None


def test_what_is_read_otherwise():
    source = one_edit.drawing(Birds, START)
    edit = one_edit.wish(Birds, source, "wing", "blue")
    before = source.to("cpu").image[0]
    found = one_edit.read_otherwise(Birds, before, edit.wanted[0])
    was = Birds.world.attributes["wing"][int(source.attributes[0, 0])]
    assert found["wing"] == (was, "blue")
    assert one_edit.read_otherwise(Birds, before, before) == {}


# the lab --------------------------------------------------------------------------


def test_the_wanted_picture_is_praised():
    """An editor that draws what is wanted: told so, in and around the wing."""
    edit = one_edit.wish(Birds, one_edit.drawing(Birds, START), "wing", "blue")
    found = EditLab({"ideal": Toy(Wanted(edit.wanted))}).view()
    assert found.sentence == "this bird has blue wings" and found.asked
    assert torch.equal(found.wanted, edit.wanted[0]) and torch.equal(
        found.after, found.wanted)  # fmt: skip
    assert found.inside > 10 * found.outside and found.part == "wing"
    assert "wing: the oracle reads " in found.words
    assert "before, blue after, as asked. Of the rest it reads" in found.words
    assert f"A pixel of the wing changed by {found.inside:.2f}" in found.words


def test_what_is_not_done_is_told():
    source = one_edit.drawing(Birds, START).to("cpu").image
    found = EditLab({"idle": Toy(Wanted(source))}).view()
    assert "after, not blue. Of the rest it reads all as before." in found.words
    assert found.inside == found.outside == 0 and found.otherwise == {}


def test_a_sentence_of_ones_own(lab):
    found = lab.view("a bird with a shiny tail", attribute="tail", value="red")
    assert not found.asked and found.wanted is None and found.part == "tail"
    assert "as asked" not in found.words and "The oracle reads" in found.words
    assert "Words it doesn't know: shiny." in found.words
    assert "A pixel of the tail changed by" in found.words
    assert found.figure().alt.startswith("a bird with a shiny tail")


def test_the_noise_and_the_editor_are_chosen(lab):
    one, other = lab.view(seed=1), lab.view(seed=2)
    assert not torch.equal(one.after, other.after)
    assert torch.equal(one.after, lab.view(seed=1).after)
    assert not torch.equal(lab.view(name="untrained", seed=1).after, one.after)


def test_png_and_answer_within_a_second(lab):
    lab.view().png()
    spent = []
    for number in range(0, 3 * STEP, STEP):
        start = time.process_time()
        assert lab.view(number=number).png().startswith(b"\x89PNG")
        spent.append(time.process_time() - start)
    assert min(spent) < 1


@pytest.mark.parametrize(
    ("how", "part"),
    [
        ({"sentence": ""}, "The caption is empty"),
        ({"sentence": "zzz qqq"}, "None of the caption's words is known"),
        ({"sentence": 7}, "not int"),
        ({"number": 3000}, "numbered 0 to 2999"),
        ({"name": "x"}, "There is no editor 'x'; there are toy, untrained"),
        ({"attribute": "nose"}, "No attribute 'nose'"),
        ({"attribute": "size", "value": "large"}, "no attribute of a part"),
        ({"value": "pink"}, "Wing can't be 'pink'"),
        ({"seed": -1}, "eed"),
        ({"own": b"no picture"}, "The file is no picture"),
    ],
)
def test_what_cannot_be_is_one_line(lab, how, part):
    found = lab.view(**how)
    assert found.after is None and part in found.words and "\n" not in found.words
    with pytest.raises(ValueError, match=r".+"):
        found.figure()


def test_a_picture_of_ones_own(lab):
    own = as_file(noise(40, 60))
    found = lab.view(own=own)
    assert torch.equal(found.before, square(own, 32).picture)
    assert found.inside is None and found.wanted is None
    assert "A pixel changed by" in found.words and "20 columns are cut off" in (
        found.words)  # fmt: skip
    assert "has learned to read drawn birds alone" in found.words


def test_without_an_oracle_nothing_is_read(lab, monkeypatch):
    def none(*_):
        raise WeightsError("There are no weights")

    monkeypatch.setattr(edit_lab, "read_in", none)
    found = lab.view()
    assert "oracle" not in found.words and "A pixel of the wing" in found.words


def test_a_wish_that_cannot_be_drawn_is_asked_all_the_same(monkeypatch):
    monkeypatch.setattr(edit_lab, "read_in", lambda kind, pictures: [{}, {}])
    monkeypatch.setattr(edit_lab, "wish", lambda *_: None)
    found = EditLab({"toy": Toy()}, Flowers).view(number=0)
    assert found.wanted is None and found.inside is not None
    assert "can't be drawn here: no wanted picture." in found.words


def test_an_editor_needs_its_world():
    with pytest.raises(ValueError, match="Of which world is 'toy'"):
        EditLab({"toy": Toy()}, {"other": Birds})
    assert Changed("x", problem="y").words == "y"


# the widget -----------------------------------------------------------------------


@pytest.fixture
def both(monkeypatch):
    monkeypatch.setattr(edit_lab, "read_in", lambda kind, pictures: [{}, {}])
    editors = {"birds one": Toy(), "birds two": untrained(), "flowers": Toy()}
    kinds = {"birds one": Birds, "birds two": Birds, "flowers": Flowers}
    return EditLab(editors, kinds)


def test_menus_write_the_sentence(both):
    box = both.widget()
    parts, before = box.parts, bytes(box.image.value)
    assert before.startswith(b"\x89PNG") and "of the wing" in box.line.value
    assert parts["sentence"].value == "this bird has blue wings"
    parts["value"].value = "red"
    assert parts["sentence"].value == "this bird has red wings"
    parts["attribute"].value = "beak"
    assert parts["sentence"].value == "this bird has a long beak"
    assert list(parts["value"].options) == ["short", "long"]
    assert "of the beak" in box.line.value and bytes(box.image.value) != before


def test_one_choice_is_one_answer(both, monkeypatch):
    asked, view = [], both.view
    monkeypatch.setattr(both, "view", lambda *a: asked.append(a) or view(*a))
    parts = both.widget().parts
    for name, value in (("attribute", "tail"), ("editor", "birds two"),
                        ("editor", "flowers"), ("number", 2 * STEP), ("seed", 3),
                        ("sentence", "a red flower")):  # fmt: skip
        count = len(asked)
        parts[name].value = value
        assert len(asked) == count + 1, name
    assert asked[-1][:2] == ("a red flower", 2 * STEP)


def test_another_world_has_other_menus(both):
    box = both.widget()
    box.parts["number"].value = 40 * STEP
    box.parts["editor"].value = "flowers"
    assert "petal" in box.parts["attribute"].options
    assert box.parts["number"].value <= one_edit.how_many(Flowers) - 1
    assert box.parts["sentence"].value == "this flower has purple petals"
    assert "of the petals" in box.line.value


@pytest.mark.parametrize("form", ["7", "8"])
def test_a_file_of_either_widgets(both, form):
    """ipywidgets 7 gives a dictionary of files, 8 a tuple."""
    entry = {"content": as_file(noise(40, 40))}
    value = {"my.png": entry} if form == "7" else (entry,)
    assert edit_lab._content(value) == entry["content"]
    assert edit_lab._content({} if form == "7" else ()) is None


def test_an_uploaded_picture_stays_until_another_is_chosen(both, monkeypatch):
    box, given = both.widget(), []
    view = both.view
    monkeypatch.setattr(both, "view", lambda *a: given.append(a[-1]) or view(*a))
    content = as_file(noise(40, 40))
    box.parts["own"].notify_change(
        {"name": "value", "owner": box.parts["own"], "type": "change", "old": (),
         "new": ({"content": content},)})  # fmt: skip
    box.parts["seed"].value = 5
    box.parts["number"].value = 0
    assert given == [content, content, None]


def test_the_widget_says_what_is_wrong_and_goes_on(both, monkeypatch):
    box = both.widget()
    before = bytes(box.image.value)
    box.parts["sentence"].value = "<b>zzz</b>"
    assert "None of the caption" in box.line.value and "<b>" not in box.line.value
    assert bytes(box.image.value) == before
    monkeypatch.setattr(edit_lab, "from_pictures", lambda *_: 1 / 0)
    box.parts["sentence"].value = "a red bird"
    assert "could not be changed: division by zero" in box.line.value


def test_the_still_says_nothing_of_a_file_that_is_not_there():
    from notebook_outputs import _setting

    for empty in (None, [], {}):
        assert _setting({"description": "a picture of yours", "value": empty}) == ""
    assert _setting({"description": "noise", "value": 0}) == "noise 0"


# pictures of one's own ------------------------------------------------------------


def test_a_square_as_it_is(tmp_path):
    pixels = noise(32, 32)
    found = square(as_file(pixels), 32)
    back = ((found.picture + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    assert np.array_equal(back, pixels) and found.note == ""
    (tmp_path / "a.png").write_bytes(as_file(pixels))
    assert torch.equal(square(tmp_path / "a.png", 32).picture, found.picture)


@pytest.mark.parametrize(
    ("high", "wide", "note"),
    [(64, 97, "33 columns are cut off"), (33, 32, "1 row is cut off"), (1, 1, ""),
     (1, 300, "middle, 1 x 1, is taken"), (700, 500, "200 rows are")],
)  # fmt: skip
def test_any_size_becomes_square(high, wide, note):
    found = square(as_file(noise(high, wide)), 32)
    assert found.picture.shape == (3, 32, 32) and note in found.note
    assert found.picture.abs().max() <= 1 and bool(found.note) == (high != wide)


def test_the_middle_is_taken():
    pixels = np.zeros((32, 96, 3), np.uint8)
    pixels[:, 32:64] = 255
    assert (square(as_file(pixels), 32).picture == 1).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_any_mode_is_read(mode):
    grey = np.linspace(0, 255, 32 * 32).reshape(32, 32).astype(np.uint8)
    kind = "TIFF" if mode == "CMYK" else "PNG"
    if mode == "I;16":
        content = as_file(Image.fromarray(grey.astype(np.uint16) * 257))
    else:
        content = as_file(grey, kind, mode)
    picture = square(content, 32).picture
    assert picture[:, :8].mean() < -0.5 and picture[:, -8:].mean() > 0.5


def test_what_is_transparent_is_white():
    pixels = np.zeros((32, 32, 4), np.uint8)
    assert (square(as_file(pixels), 32).picture == 1).all()


def test_a_photograph_is_turned_as_its_camera_says():
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:16] = 255
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter to the right
    picture = square(as_file(pixels, exif=turned), 32).picture
    assert picture[:, :, 20:].mean() > 0.9 and picture[:, :, :12].mean() < -0.9


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "is no picture"),
        (b"not a picture at all", "is no picture; a PNG or JPEG"),
        (as_file(noise(64, 64))[:2000], "is a damaged picture"),
        (as_file(noise(64, 64), "JPEG")[:1500], "is a damaged picture"),
    ],
)
def test_bad_files_are_one_line(content, part, tmp_path):
    for file in (content, tmp_path / "bad.png"):
        if file is not content:
            file.write_bytes(content)
        with pytest.raises(NoPicture, match=part) as refused:
            square(file, 32)
        assert "\n" not in str(refused.value)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(NoPicture, match="there is no file"):
        square(tmp_path / "none.png", 32)
    with pytest.raises(NoPicture, match="can't be read: Is a directory"):
        square(tmp_path, 32)


def test_a_picture_of_too_many_pixels(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(NoPicture, match="too many pixels"):
        square(as_file(noise(64, 64)), 32)
