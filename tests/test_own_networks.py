"""What a student trains can be used: rebuilt, drawn with, measured."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from training_toys import fails

from t2i_course import cli, systems
from t2i_course.declarations import all_systems
from t2i_course.papers.dcgan import Dcgan
from t2i_course.papers.gan_cls import GanCls
from t2i_course.papers.joint_embedding import TextEncoder
from t2i_course.training import CheckpointError, checkpoint, fit

PAIRS = [(name, data) for name, entry in all_systems().items() for data in entry.data]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder in which each system was trained for a step on each of its data."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, data in sorted(PAIRS, key=lambda pair: "codes" in str(parts(*pair))):
            words = ["train", name, "--preset", "smoke", "--steps", "1", "--data", data]
            assert cli.main([*words, *parts(name, data)]) == 0
    return folder


def parts(name, data):
    """The options that name what a system is built on, where it doesn't ship."""
    info = all_systems()[name]
    for part in info.parts:
        if part.option == "codes" and part.needed(info.settings("smoke", data)):
            return ["--codes", f"runs/{part.system}-smoke/checkpoint.pt"]
    return []


def path_of(name, data):
    return f"{systems.run_of(name, 'smoke', data)[1]}/checkpoint.pt"


@pytest.mark.parametrize(("name", "data"), PAIRS)
def test_a_system_is_rebuilt_from_its_checkpoint_alone(home, name, data):
    """The same weights, its parts too, and it knows what it is."""
    path = home / "runs" / path_of(name, data)
    found = systems.from_checkpoint(path)
    assert found.origin == {"system": name, "preset": "smoke", "data": data}
    kept = checkpoint.read(path)["system"]
    assert kept and kept.keys() == found.state_dict().keys()
    for key, value in found.state_dict().items():
        assert not isinstance(value, torch.Tensor) or torch.equal(value, kept[key])
    assert not found.training and not any(p.requires_grad for p in found.parameters())


@pytest.mark.parametrize(("name", "data"), PAIRS)
def test_what_draws_is_drawn_with_and_measured(home, monkeypatch, capsys, name, data):
    monkeypatch.chdir(home)
    own, draws = f"runs/{path_of(name, data)}", systems.info(name).draws
    captions = ["a red bird"] if draws == "sentences" else []
    if data == "emoji" and captions:
        captions = ["a red apple emoji"]
    words = ["draw", *captions, "--system", own, "--count", "2", "--out", "own.png"]
    if not draws:
        assert "draws nothing" in fails(capsys, *words)
    elif draws == "pictures":
        assert "changes pictures; use t2i edit" in fails(capsys, *words)
        words = ["edit", f"{data}:0", "red", "--system", own, "--out", "own.png"]
        assert cli.main(words) == 0
        assert np.asarray(Image.open("own.png")).std() > 0
    elif data == "points":
        assert "points, not pictures" in fails(capsys, *words)
    else:
        assert cli.main(words) == 0
        assert np.asarray(Image.open("own.png")).std() > 0
    capsys.readouterr()
    if systems.judge_of(name, data) is None:
        assert "nothing measures" in fails(capsys, "measure", own)
        return
    assert cli.main(["measure", own, "--count", "12", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["network"] == own and found["measured"]


def test_a_folder_will_do_and_a_file_that_is_not_there_is_named(home, capsys, tmp_path):
    out = tmp_path / "a.png"
    own = home / "runs" / "dcgan-smoke"
    assert cli.main(["draw", "--system", str(own), "--out", str(out)]) == 0
    capsys.readouterr()
    said = fails(capsys, "draw", "--system", tmp_path / "no.pt", "--out", out, code=1)
    assert "isn't there" in said and "elete" not in said
    said = fails(capsys, "measure", tmp_path, code=1)
    assert "isn't there" in said and "elete" not in said


def test_a_notebook_s_system_is_rebuilt_too(tmp_path):
    """One that `build` never saw: by its class, and its settings with their rows."""
    torch.manual_seed(0)
    changed = Dcgan.from_preset("smoke", size=16, base=6, rates=(1e-4, 3e-4))
    path = tmp_path / "mine.pt"
    source = systems.source_for("dcgan", "smoke")
    source = type(source)("train", 16, 8, 2)
    fit(changed, source, 1, checkpoint=path, progress=False)
    found = systems.from_checkpoint(path)
    assert found.generator.size == 16 and found.settings["rates"] == (1e-4, 3e-4)
    assert found.origin == {"system": "dcgan", "preset": "smoke", "data": "birds"}


def test_the_data_is_known_by_the_words_that_are_read(home, tmp_path):
    """A checkpoint without its origin (an older one): the text encoder tells."""
    path = tmp_path / "old.pt"
    content = torch.load(home / "runs" / path_of("gan_cls", "emoji"), weights_only=True)
    del content["origin"], content["target"]
    torch.save(content, path)
    assert systems.from_checkpoint(path).origin["data"] == "emoji"


def test_a_part_of_a_size_of_one_s_own_is_asked_for(tmp_path):
    reader = TextEncoder(153, 5, 6, 256).requires_grad_(False)
    torch.manual_seed(0)
    system = GanCls.from_preset("smoke", text_encoder=reader)
    path = tmp_path / "mine.pt"
    fit(system, systems.source_for("gan_cls", "smoke"), 1, checkpoint=path)
    with pytest.raises(CheckpointError, match="text_encoder of a size that no preset"):
        systems.from_checkpoint(path)
    found = systems.from_checkpoint(path, text_encoder=TextEncoder(153, 5, 6, 256))
    assert torch.equal(found.text_encoder.out.weight, reader.out.weight)


def test_what_the_course_does_not_know_is_said(home, tmp_path):
    content = torch.load(home / "runs" / "dcgan-smoke/checkpoint.pt", weights_only=True)
    for change, said in [
        ({"fingerprint": content["fingerprint"] | {"system": "Mine"}, "origin": {}},
         "no system of the course"),
        ({"origin": content["origin"] | {"data": "moons"}}, "another version"),
        ({"origin": content["origin"] | {"settings": {"size": 64}}}, "settings"),
    ]:  # fmt: skip
        path = tmp_path / "other.pt"
        torch.save(content | change, path)
        with pytest.raises(CheckpointError, match=said):
            systems.from_checkpoint(path)


# ---------------------------------------------------------- as many as you like


@pytest.mark.parametrize("name", ["dcgan", "lapgan", "two_level_prior", "projection"])
def test_more_pictures_change_none(home, tmp_path, monkeypatch, name):
    """Picture k of any caption stays what it is, whatever --count."""
    monkeypatch.chdir(home)
    reads = systems.info(name).draws == "sentences"
    captions = ["a red bird", "a blue bird"] if reads else []
    sheets = {}
    for count in (1, 3, 4, 7):
        out = tmp_path / f"{count}.png"
        words = ["draw", *captions, "--system", f"runs/{name}-smoke"]
        assert cli.main([*words, "--count", str(count), "--out", str(out)]) == 0
        sheets[count] = tiles(out, count * max(len(captions), 1))
    for count in (1, 3, 4):
        for caption in range(max(len(captions), 1)):
            for k in range(count):
                few = sheets[count][caption * count + k]
                assert np.array_equal(few, sheets[7][caption * 7 + k])


def tiles(out, many):
    """The pictures on a sheet, each 32 x 32 as it was drawn."""
    sheet = np.asarray(Image.open(out))
    columns = min(many, 8 if many > 4 else 4)
    scale = 8 if many == 1 else 4
    step = 32 * scale + 4
    return [
        sheet[y : y + 32 * scale : scale, x : x + 32 * scale : scale]
        for y, x in ((i // columns * step, i % columns * step) for i in range(many))
    ]


def test_noise_depends_on_its_place_alone():
    from t2i_course.drawing import noise_rows

    long = noise_rows(3, 600, 7)
    for count in (1, 3, 249, 250, 251, 599):
        assert torch.equal(noise_rows(3, count, 7), long[:count])
    assert not torch.equal(noise_rows(4, 1, 7), long[:1])


# ------------------------------------------------------- the manifest's figures


def test_measure_gives_the_manifest_s_figures(capsys):
    """By its defaults: as many pictures, and the same noise."""
    written = systems_entry("gan_emoji_32")
    assert cli.main(["measure", "gan_emoji_32", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["measured"]
    for name, value in written.items():
        assert found[name] == pytest.approx(value, abs=0.0015), name


@pytest.mark.parametrize("name", ["gan_digits", "dcgan_32", "gan_int_cls_32"])
def test_defaults_are_those_of_the_record(name):
    from t2i_course.commands.measure import usual_count

    network = systems.chosen(name)
    usual = {
        "gan_digits": (1000, 1),
        "dcgan_32": (2000, 1),
        "gan_int_cls_32": (2000, 0),
    }
    assert (usual_count(network.judge), network.noise) == usual[name]


def systems_entry(name):
    from t2i_course import weights

    return weights.entry(name)["measured"]


def test_a_checkpoint_from_elsewhere_stays_where_it_is(home, tmp_path, monkeypatch):
    """By any path, also from another folder; nothing is written beside it."""
    shutil.copytree(home / "runs" / "gan-smoke", tmp_path / "sent")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["draw", "--system", "sent/checkpoint.pt", "--out", "b.png"]) == 0
    assert sorted(p.name for p in (tmp_path / "sent").iterdir()) == ["checkpoint.pt"]
