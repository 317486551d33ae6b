"""A paper and a world say of themselves what the plumbing needs: nobody names them."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

import t2i_course.papers
import t2i_course.worlds
from t2i_course import cli, declarations, doctor, systems, weights
from t2i_course.declarations import DRAWS, all_data, all_networks, all_systems, resolve

PACKAGE = Path(t2i_course.__file__).parent

TOY_PAPER = '''
"""A paper that nobody has written."""
from functools import partial

import torch
from torch import nn

from t2i_course.declarations import Network, SystemInfo
from t2i_course.training import System

SIZES = {"smoke": 2, "cpu": 3, "gpu": 4, "paper": 5}
PRESETS = {
    name: {"shape": (3, 8, 8), "hidden": hidden, "batch_size": 4, "steps": 2}
    for name, hidden in SIZES.items()
}


class ToyGan(System):
    players = ("maker",)

    def __init__(self, shape=(3, 8, 8), hidden=2):
        super().__init__()
        self.maker = nn.Sequential(
            nn.Linear(hidden, 192), nn.Tanh(), nn.Unflatten(1, shape)
        )

    def round(self, batch):
        drawn = self.sample(len(batch))
        yield "maker", (drawn.mean() - batch.image.mean()).square()

    def sample(self, count):
        return self.maker(self.noise(count, self.maker[0].in_features))


SYSTEMS = {
    "toy_gan": SystemInfo(ToyGan, "01", "draws squares", {"squares": {}}),
}
SHIPPED = {
    "toy_squares": Network(partial(ToyGan.from_preset, "smoke"), "squares", "toy_gan"),
}
'''
TOY_WORLD = '''
"""A world of squares, each of one colour."""
import torch

from t2i_course.data import Batch
from t2i_course.declarations import DataInfo


class Squares:
    def __init__(self, size, batch_size, seed):
        self.size, self.batch_size, self.seed = size, batch_size, seed

    def batch(self, step, rank=0, world=1):
        rng = torch.Generator().manual_seed(self.seed + step * world + rank)
        colour = torch.rand(self.batch_size, 3, 1, 1, generator=rng) * 2 - 1
        return Batch(colour.expand(-1, -1, self.size, self.size))


def source(split, size, batch_size, seed=0, few=False):
    return Squares(size, batch_size, seed)


def brightness(system, count, seed):
    return {"brightness": float(system.sample(count).mean())}


DATA = {
    "squares": DataInfo(
        source,
        judges={"noise": brightness},
        report=lambda: iter(["squares: as many as you like"]),
    )
}
'''


@pytest.fixture
def toys(tmp_path, monkeypatch):
    """A paper and a world in folders of their own, with a trained network."""
    for package, text in (("papers", TOY_PAPER), ("worlds", TOY_WORLD)):
        home = getattr(t2i_course, package)
        folder = tmp_path / package
        folder.mkdir()
        (folder / f"toy_{package}.py").write_text(text)
        monkeypatch.setattr(home, "__path__", [*home.__path__, str(folder)])
    (tmp_path / "weights").mkdir()
    monkeypatch.setenv("T2I_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    made = systems.untrained("toy_squares")
    weights.save(made, "toy_squares", command="t2i train toy_gan", seed=0,
                 seconds=0, measured={})  # fmt: skip
    yield
    for package in ("papers", "worlds"):
        sys.modules.pop(f"t2i_course.{package}.toy_{package}", None)


# ------------------------------------------------------------------ a paper, a world


def test_a_new_paper_is_a_new_file(toys, capsys):
    """Listed, trained, drawn with and measured; nothing else was told of it."""
    assert cli.main(["systems", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["toy_gan"]
    assert row["data"] == ["squares"] and row["parameters"]["paper"] == {"maker": 1152}
    words = ["train", "toy_gan", "--preset", "smoke"]
    assert cli.main(words) == 0 and cli.main([*words, "--resume", "--steps", "3"]) == 0
    assert "kept in runs/toy_gan-smoke/checkpoint.pt" in capsys.readouterr().out
    words = ["draw", "--system", "toy_squares", "--count", "4", "--out", "toy.png"]
    assert cli.main(words) == 0 and Image.open("toy.png").size == (524, 128)
    capsys.readouterr()
    assert cli.main(["measure", "toy_squares", "--json"]) == 0
    assert -1 < json.loads(capsys.readouterr().out)["measured"]["brightness"] < 1
    assert cli.main(["draw", "a red bird", "--system", "toy_squares"]) == 2
    assert "reads no captions" in capsys.readouterr().err


def test_the_tests_of_all_systems_take_a_new_one(toys, monkeypatch):
    import test_systems

    monkeypatch.setattr(test_systems, "SYSTEMS", all_systems())
    test_systems.test_every_system_has_the_four_presets("toy_gan")
    test_systems.test_every_system_would_run_on_a_gpu_at_paper_scale("toy_gan")
    test_systems.test_counts_are_those_of_the_real_networks("toy_gan")
    test_systems.test_on_any_data_the_sizes_grow_with_the_preset("toy_gan", "squares")


def test_a_new_world_is_a_new_file(toys):
    """It can be trained on, and the doctor reports it."""
    source = systems.source_for("toy_gan", "cpu")
    assert source.batch(0).image.shape == (4, 3, 8, 8)
    assert "squares: as many as you like" in list(doctor.data())
    assert "squares" in list(all_data())


def test_one_name_is_declared_once(toys, tmp_path):
    (tmp_path / "papers" / "toy_papers_again.py").write_text(TOY_PAPER)
    with pytest.raises(ValueError, match="'toy_gan' is declared by toy_papers and by"):
        all_systems()
    sys.modules.pop("t2i_course.papers.toy_papers_again")


# ------------------------------------------------------------- what stands is in order


@pytest.mark.parametrize("name", all_systems())
def test_a_system_s_declaration_holds_together(name):
    entry, known = all_systems()[name], all_data()
    assert re.fullmatch(r"\d\d[a-z]?", entry.lesson) and entry.draws in DRAWS
    assert set(entry.data) <= set(known) and entry.data
    for changes in entry.data.values():
        assert set(changes) <= set(entry.presets)
    assert {part.system for part in entry.parts} <= set(all_systems())
    assert all(callable(resolve(judge)) for judge in entry.measures.values())


@pytest.mark.parametrize("name", all_networks())
def test_a_declared_network_ships_and_fits(name):
    network = all_networks()[name]
    system = systems.shipped(name)
    assert not system.training
    assert not any(weight.requires_grad for weight in system.parameters())
    assert network.data in all_data()
    assert systems.judge(name) is None or callable(systems.judge(name))


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("gan_digits", {"clear": 0.25, "digits": 10}),
        ("pixelcnn_digits", {"clear": 0.1, "digits": 8}),
        ("gan_ring_deviation", {"modes, game 0": 7}),
        ("gan_emoji_32", {"same group, train": 0.2}),
        ("vqvae_birds", {"squared error": 0.0}),
    ],
)
def test_networks_of_each_kind_are_measured(name, least, capsys):
    assert cli.main(["measure", name, "--count", "200", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["measured"]
    assert all(found[what] >= value for what, value in least.items()), found


@pytest.mark.parametrize("name", ["vae_digits", "pixelcnn_birds_species", "dcgan_32"])
def test_networks_without_captions_draw(name, tmp_path):
    out = tmp_path / "drawn.png"
    assert cli.main(["draw", "--system", name, "--out", str(out), "--count", "2"]) == 0
    assert Image.open(out).width > 256


def test_a_network_that_draws_nothing_says_so(capsys):
    assert cli.main(["draw", "--system", "text_birds"]) == 2
    assert "text_birds draws nothing by itself" in capsys.readouterr().err


@pytest.mark.parametrize("name", all_data())
def test_every_split_yields_its_batches(name):
    entry = all_data()[name]
    for split in entry.splits:
        batch = entry.source(split, 32, 4, 0, True).batch(0)
        assert len(batch) == 4
        if entry.vocabulary is not None:
            assert int(batch.tokens.max()) < len(entry.vocabulary())


def test_oracles_read_their_own_world():
    for name, entry in all_data().items():
        if entry.oracle is not None:
            size = 8 if name == "digits" else 32
            batch = entry.source(entry.splits[-1], size, 4, 0, True).batch(0).to("cpu")
            assert len(systems.oracle_for(name, size).read(batch.image)) in (2, 4)
    with pytest.raises(ValueError, match="Nothing reads the pictures of emoji"):
        systems.oracle_for("emoji", 32)


# ------------------------------------------------------------------- nobody names them


def strings_and_imports(file):
    """Every literal and imported name of a file, its help's examples left out."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if not node.value.startswith("examples:"):
                yield node.value
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            module = getattr(node, "module", None) or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


PLUMBING = ["cli.py", "systems.py", "doctor.py", "declarations.py", "drawing.py"]
PLUMBING += [f"commands/{file.name}" for file in (PACKAGE / "commands").glob("*.py")]


@pytest.mark.parametrize("name", PLUMBING)
def test_the_plumbing_names_no_paper_no_system_and_no_world(name):
    papers = [file.stem for file in (PACKAGE / "papers").glob("[a-z]*.py")]
    names = {*papers, *all_systems(), *all_networks(), *all_data()}
    for said in strings_and_imports(PACKAGE / name):
        assert said not in names
        if " " not in said and not said.endswith(".png"):
            assert not names & set(re.split(r"[.:]", said)), said
        if not said.startswith('"""') and "\n" not in said:
            assert not names - {*all_data()} & set(said.split()), said


# --------------------------------------------------------------------------- the rooms

# A room imports only from rooms before it (or itself); files stand for rooms, too.
ROOMS = [
    {"__init__", "declarations", "seeds", "threads"},
    {"data", "presets"},
    {"text"},
    {"worlds", "datasets"},
    {"training"},
    {"weights"},
    {"blocks", "likelihoods"},
    {"papers"},
    {"systems", "drawing"},
    {"inside"},
    {"measure"},
    {"experiments"},
    {"show"},
    {"play"},
    {"checks", "lesson", "course_map"},
    {"grading"},
    {"commands", "doctor"},
    {"cli", "__main__"},
]
HEIGHT = {name: height for height, room in enumerate(ROOMS) for name in room}
MAY_NAME_PAPERS = {"papers", "experiments", "checks"}
# Lesson 01's playground, which trains as it plays.
STILL_NAMES_PAPERS = {"play/gan_lab.py"}
# How `t2i reproduce` shows a table, and keeps the course of a training.
STILL_UPWARDS = {"experiments/reproduce.py": ["show"], "experiments/run.py": ["show"]}


def rooms_imported(file):
    """(room, dotted name) of everything of the course that a file imports."""
    here = ("t2i_course", *file.relative_to(PACKAGE).with_suffix("").parts)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = here[: -node.level] if node.level else ()
            module = [*base, *(node.module.split(".") if node.module else [])]
            if module[:1] == ["t2i_course"]:
                for alias in node.names:
                    whole = [*module, alias.name][1:]
                    yield ("__init__" if whole[0] == "__version__" else whole[0]), whole


def course_files():
    return sorted(
        file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py")
    )


@pytest.mark.parametrize("name", course_files())
def test_a_room_imports_only_from_rooms_before_it(name):
    file = PACKAGE / name
    own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for room, whole in rooms_imported(file):
        allowed = HEIGHT[room] <= HEIGHT[own] or room in STILL_UPWARDS.get(name, ())
        assert allowed, f"{own} imports {'.'.join(whole)}"
        if room == "papers" and own not in MAY_NAME_PAPERS:
            assert name in STILL_NAMES_PAPERS, f"{name} names {'.'.join(whole)}"


def test_every_room_has_its_place():
    rooms = {name.split("/")[0].removesuffix(".py") for name in course_files()}
    assert rooms <= set(HEIGHT)


def test_declarations_are_light():
    """Without torch, so that `t2i --help` may know of them."""
    assert declarations.__file__
    names = {whole[0] for _, whole in rooms_imported(PACKAGE / "declarations.py")}
    assert not names
