"""t2i: help, errors in one line, and each command at work."""

import json
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from training_toys import fails

from t2i_course import cli, doctor, systems, weights
from t2i_course.course_map import PLANNED
from t2i_course.lesson import LESSONS
from t2i_course.measure import judges

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = [
    "draw",
    "edit",
    "train",
    "systems",
    "measure",
    "convert",
    "grade",
    "lessons",
]
COMMANDS += ["doctor"]


@pytest.fixture
def artist(monkeypatch):
    """A small untrained network in place of the shipped ones."""

    def shipped(name):
        torch.manual_seed(0)
        return systems.build("gan_cls", "smoke", trained=False).eval()

    monkeypatch.setattr(systems, "shipped", shipped)


# ------------------------------------------------------------------------------ help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    assert stop.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 5


def test_help_is_light_and_shows_every_command():
    """No torch for --help; `python -m t2i_course` is t2i."""
    code = (
        "import sys, runpy; sys.argv = ['t2i', '--help']\n"
        "try: runpy.run_module('t2i_course', run_name='__main__')\n"
        "except SystemExit: sys.exit(10 * ('torch' in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert all(f"\n    {command} " in done.stdout for command in COMMANDS)


@pytest.mark.parametrize(
    "words", [[], ["paint"], ["draw"], ["train", "--preset", "big"]]
)
def test_bad_usage_is_exit_code_2(words, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(words)
    assert stop.value.code == 2 and "t2i" in capsys.readouterr().err


# ------------------------------------------------------------------------------ draw


@pytest.mark.parametrize(
    ("count", "size"), [(1, (256, 256)), (4, (524, 128)), (9, None)]
)
def test_draw_writes_a_picture(artist, tmp_path, capsys, count, size):
    out = tmp_path / "birds.png"
    assert (
        cli.main(["draw", "a red bird", "--count", str(count), "--out", str(out)]) == 0
    )
    assert capsys.readouterr().out.strip() == str(out)
    assert size is None or Image.open(out).size == size


def test_draw_takes_several_captions(artist, tmp_path, capsys):
    out = tmp_path / "birds.png"
    cli.main(["draw", "a red bird", "a bleen bird", "--count", "2", "--out", str(out)])
    assert Image.open(out).size == (524, 128)
    assert "doesn't know: bleen" in capsys.readouterr().err


def test_draw_is_seeded(artist, tmp_path):
    made = []
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        out = tmp_path / f"{name}.png"
        cli.main(["draw", "a red bird", "--seed", str(seed), "--out", str(out)])
        made.append(np.asarray(Image.open(out)))
    assert np.array_equal(made[0], made[1]) and not np.array_equal(made[0], made[2])


@pytest.mark.parametrize(
    ("caption", "said"),
    [
        ("a turquoise bird", "words it doesn't know: turquoise"),
        ("a bird that is not red", "doesn't understand 'not'"),
        ("a red bird " * 11, "only the first 32 words are read"),
    ],
)
def test_draw_and_measure_name_what_is_not_understood(
    artist, tmp_path, capsys, monkeypatch, caption, said
):
    assert cli.main(["draw", caption, "--out", str(tmp_path / "x.png")]) == 0
    (line,) = [x for x in capsys.readouterr().err.splitlines() if said in x]
    assert line.startswith("t2i draw: ")
    monkeypatch.setattr(judges, "obedience_of", lambda system, batch, seed: {})
    (tmp_path / "own.tsv").write_text(f"{caption}\twing=red\n")
    words = ["measure", "gan_32", "--captions", str(tmp_path / "own.tsv")]
    assert cli.main(words) == 0
    (line,) = [x for x in capsys.readouterr().err.splitlines() if said in x]
    assert line.startswith("t2i measure: ")


def test_a_full_disk_leaves_the_picture_that_was_there(artist, tmp_path, monkeypatch):
    out = tmp_path / "keep.png"
    assert cli.main(["draw", "a red bird", "--out", str(out)]) == 0
    good = out.read_bytes()

    def full(self, file, kind):
        file.write(b"half a picture")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    assert cli.main(["draw", "a blue bird", "--out", str(out)]) == 1
    assert out.read_bytes() == good and [p.name for p in tmp_path.iterdir()] == [
        "keep.png"
    ]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([""], "The caption is empty. Try:"),
        (["xqz krwn"], "None of the caption's words is known"),
        (["красная птица"], "isn't English: this network reads English words"),
        (["a red bird", "--count", "0"], "--count is 1 to 400"),
        (["a red bird", "a blue bird", "--count", "300"], "--count is 1 to 200"),
        (["a", "red", "bird"], 'in quotes: t2i draw "a red bird"'),
        (["a red bird", "--out", "birds.gif"], ".png file"),
        (["a red bird", "--system", "picasso"], "No network 'picasso'"),
    ],
)
def test_draw_refuses_in_a_line(artist, capsys, words, part):
    assert part in fails(capsys, "draw", *words)


def test_draw_into_a_folder_that_is_not_there(artist, tmp_path, capsys):
    out = tmp_path / "none" / "birds.png"
    assert "no folder" in fails(capsys, "draw", "a red bird", "--out", out)


def test_draw_ten_thousand_words(artist, tmp_path):
    out = tmp_path / "long.png"
    assert cli.main(["draw", "a red bird " * 3334, "--out", str(out)]) == 0


# ----------------------------------------------------------------------------- train


def test_train_and_resume(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["train", "gan", "--preset", "smoke", "--steps", "2"]
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert "2 steps" in said and "runs/gan-smoke/checkpoint.pt" in said
    assert "--resume" in fails(capsys, *words)
    assert cli.main([*words[:-1], "3", "--resume"]) == 0
    assert "3 steps, last losses" in capsys.readouterr().out
    Path("runs/gan-smoke/checkpoint.pt").write_bytes(b"not a checkpoint")
    fails(capsys, *words, "--resume", code=1)


def test_the_seed_decides_the_whole_training(tmp_path, monkeypatch):
    """The first weights too: another process with the same seed gets the same ones."""

    def weights(seed, folder):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        words = ["train", "gan", "--preset", "smoke", "--steps", "1", "--seed"]
        assert cli.main([*words, str(seed)]) == 0
        kept = torch.load("runs/gan-smoke/checkpoint.pt", weights_only=True)
        return torch.cat([w.double().flatten() for w in kept["system"].values()])

    first = weights(3, "a")
    torch.rand(5)  # a random state that nobody set
    assert torch.equal(first, weights(3, "b"))
    assert not torch.equal(first, weights(4, "c"))


def test_a_text_encoder_of_one_s_own(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train = ["train", "--preset", "smoke", "--steps", "1"]
    assert cli.main([*train, "joint_embedding"]) == 0
    text = ["--text", "runs/joint_embedding-smoke/checkpoint.pt"]
    assert cli.main([*train, "gan_cls", *text]) == 0
    assert "kept in runs/gan_cls-smoke" in capsys.readouterr().out
    text = ["--text", "runs/gan_cls-smoke/checkpoint.pt"]
    said = fails(capsys, *train, "projection", *text, code=1)
    assert "is of GanCls. Name a checkpoint" in said
    said = fails(capsys, *train, "projection", "--text", "none.pt", code=1)
    assert "Can't read none.pt" in said


def test_a_prior_over_the_codes_of_a_vqvae(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train = ["train", "--preset", "smoke", "--steps", "1"]
    assert cli.main([*train, "vqvae"]) == 0
    codes = ["--codes", "runs/vqvae-smoke/checkpoint.pt"]
    assert cli.main([*train, "pixelcnn", "--data", "birds", *codes]) == 0
    assert "kept in runs/pixelcnn-smoke-birds" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["picasso"], "No system 'picasso'; there are gan"),
        (["gan", "--data", "cub"], "later lesson"),
        (["gan", "--data", "birds"], "trains on digits or points"),
        (["gan_cls", "--preset", "paper"], "joint_embedding --preset paper"),
        (["gan", "--text", "none.pt"], "reads no sentences"),
        (["pixelcnn", "--preset", "paper"], "vqvae --preset paper --data digits"),
        (["gan", "--codes", "none.pt"], "leave --codes away"),
        (["gan", "--preset", "smoke", "--steps", "-1"], "--steps is 1 or more"),
    ],
)
def test_train_refuses_in_a_line(tmp_path, capsys, monkeypatch, words, part):
    monkeypatch.chdir(tmp_path)
    assert part in fails(capsys, "train", *words)
    assert not list(tmp_path.iterdir())


# ------------------------------------------------------------------- systems, lessons


def test_systems_lists_every_network(capsys):
    assert cli.main(["systems", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows["gan_cls"]["parameters"]["paper"]["generator"] == 18_905_472
    for row in rows.values():
        assert row["lesson"] in {*LESSONS, *PLANNED}
        assert set(row["parameters"]) == set(cli.PRESETS)
    assert cli.main(["systems"]) == 0
    assert "18,905,472" in capsys.readouterr().out


def test_lessons(capsys):
    assert cli.main(["lessons", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["number"] for row in rows] == list(LESSONS)
    assert cli.main(["lessons"]) == 0
    assert "slides: GM-13" in capsys.readouterr().out


# --------------------------------------------------------------------------- measure


def test_captions_file(tmp_path):
    file = tmp_path / "captions.tsv"
    file.write_text("# mine\na gray bird with red wings\twing=red, belly=gray\n\n")
    batch = judges.read_captions(str(file))
    assert batch.caption == ["a gray bird with red wings"]
    assert batch.named.tolist() == [[0, 9, -1, -1, -1, -1, -1, -1, -1]]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (b"a red bird", "line 1: expected a caption, a tab"),
        (b"a red bird\twing", "line 1: expected a caption, a tab"),
        (b"a red bird\twing=red\nb\twing=pink", "line 2: wing can't be 'pink'"),
        (b"a red bird\tnose=red", "line 1: No attribute 'nose'"),
        (b"\twing=red", "line 1: The caption is empty"),
        (b"\n\n", "holds no captions"),
        (b"\xff\xfe\x00", "no text file"),
        (None, "can't read"),
    ],
)
def test_bad_captions_files(artist, tmp_path, capsys, text, part):
    file = tmp_path / "captions.tsv"
    if text is not None:
        file.write_bytes(text)
    assert part in fails(capsys, "measure", "gan_int_cls_32", "--captions", file)


def test_measure_on_own_captions(artist, tmp_path, capsys, monkeypatch):
    from t2i_course.measure import birds

    seen = types.SimpleNamespace(read=lambda p: np.zeros((len(p), 9), int))
    seen.read = lambda p: birds.torch.zeros(len(p), 9, dtype=birds.torch.int64)
    monkeypatch.setattr(birds, "oracle", lambda size: seen)
    file = tmp_path / "captions.tsv"
    file.write_text("red wings\twing=red\nblue wings\twing=blue\n")
    words = ["measure", "gan_int_cls_32", "--captions", str(file), "--json"]
    assert cli.main(words) == 0
    found = json.loads(capsys.readouterr().out)["measured"]
    assert found == {"wing": 0.5, "all": 0.5}


def test_measure_of_a_network_without_captions(capsys):
    assert cli.main(["measure", "dcgan_32", "--count", "100", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["measured"]
    assert found["inception score"] > 10 and found["frechet distance"] > 0
    asked = fails(capsys, "measure", "dcgan_32", "--captions", "some.tsv")
    assert "reads no captions" in asked
    assert "9,000 birds" in fails(capsys, "measure", "dcgan_32", "--count", "9001")


def test_measure_refuses_in_a_line(capsys):
    said = fails(capsys, "measure", "mona_lisa")
    assert "is no network of the course; t2i measures " in said
    assert ", gan_32, " in said and ", oracle32, " in said.replace("es ", ", ")
    for count in (0, 1):
        said = fails(capsys, "measure", "gan_32", "--count", count)
        assert "--count is 2 to 100000" in said


def test_measure_without_weights(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("T2I_WEIGHTS", str(tmp_path))
    assert "no weights named" in fails(capsys, "measure", "gan_int_cls_32", code=1)


# ---------------------------------------------------------------------------- doctor


def test_doctor_says_what_is_here(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("T2I_CACHE", str(tmp_path))
    cli.main(["doctor"])
    said = capsys.readouterr().out
    for part in (
        "Python 3",
        "device:",
        "preset:",
        "GB free",
        "bird world:",
        "digits:",
        "emoji:",
        "networks:",
    ):
        assert part in said


def test_doctor_s_advice_fits_any_installation(monkeypatch):
    """It names the packages, as an installed wheel has no folder to install from."""
    known = doctor.metadata.version

    def version(name):
        if name in ("accelerate", "tqdm", "jupyterlab"):
            raise doctor.metadata.PackageNotFoundError(name)
        return known(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    (lost,) = found_by(doctor.versions)
    assert lost.cure == f"{sys.executable} -m pip install tqdm accelerate"
    monkeypatch.setattr(doctor, "NEEDED", ())
    (lost,) = found_by(doctor.versions)
    assert lost.cure.endswith("pip install jupyterlab") and "can't be run" in lost.what


def test_what_doctor_needs_is_imported_by_the_package():
    """A package that nothing imports is no problem."""
    code = "".join(f.read_text("utf-8") for f in (ROOT / "t2i_course").rglob("*.py"))
    names = {"pillow": "PIL", "scikit-learn": "sklearn"}
    for name in doctor.NEEDED:
        module = names.get(name, name)
        assert re.search(rf"^\s*(import|from) {module}\b", code, re.MULTILINE), name


def test_doctor_names_a_folder_of_weights_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("T2I_WEIGHTS", str(tmp_path / "gone"))
    monkeypatch.setattr(doctor, "EXAMINATIONS", (doctor.networks,))
    (problem,) = doctor.examine()
    assert "T2I_WEIGHTS is" in problem.cure and "no such folder" in problem.cure


def found_by(examination):
    """What a doctor's examination finds wrong."""
    return [x for x in examination() if isinstance(x, doctor.Problem)]


def test_doctor_finds_damaged_and_missing_networks(tmp_path, monkeypatch):
    names = weights.names()[:1]
    for name in names:
        content = bytearray(weights.path(name).read_bytes())
        content[-1] ^= 1
        (tmp_path / f"{name}.safetensors").write_bytes(content)
    entries = {name: weights.entry(name) for name in names}
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    monkeypatch.setenv("T2I_WEIGHTS", str(tmp_path))
    damaged, missing = found_by(doctor.networks)
    assert "damaged" in damaged.cure and "no network" in missing.what


def test_doctor_finds_a_bad_preset_and_few_threads(monkeypatch):
    monkeypatch.setenv("T2I_PRESET", "huge")
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    whats = " ".join(problem.what for problem in found_by(doctor.machine))
    assert "not a preset" in whats and "of 64 cores" in whats


def test_doctor_finds_a_full_or_closed_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("T2I_CACHE", str(tmp_path / "new"))
    assert not [p for p in found_by(doctor.disk) if "write" in p.what]
    monkeypatch.setattr(doctor, "LEAST_DISK", 2**80)

    def refuse(**keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    little, closed = found_by(doctor.disk)
    assert "little free space" in little.what and "T2I_CACHE" in closed.cure


def test_doctor_survives_a_failing_examination(monkeypatch, capsys):
    def broken():
        yield "so far so good"
        raise RuntimeError("a cable\nis loose")

    monkeypatch.setattr(doctor, "EXAMINATIONS", (broken,))
    assert doctor.main() == 1
    said = capsys.readouterr().out
    assert "broken can't be examined" in said and "a cable is loose" in said


def test_doctor_is_content_when_all_is_well(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "EXAMINATIONS", (lambda: iter(["fine"]),))
    assert doctor.main() == 0 and "all is well" in capsys.readouterr().out
