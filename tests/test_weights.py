"""Weights: saved and loaded as they were, and clear words for what can go wrong."""

import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load as read_tensors
from torch import nn

from t2i_course import weights
from t2i_course.training import System

MADE = {"command": "t2i train thing", "seed": 3, "seconds": 1.26, "measured": {"x": 1}}


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("T2I_WEIGHTS", str(tmp_path))
    return tmp_path


def network(width=5):
    return nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width))


def test_saved_weights_come_back_with_their_entry(own_folder):
    first, second = network(), network()
    made = weights.save(first, "thing", **MADE)
    assert weights.names() == ["thing"] and weights.entry("thing") == made
    assert weights.load_into(second, "thing") == made
    for a, b in zip(first.state_dict().values(), second.state_dict().values()):
        assert torch.equal(a, b)
    assert made["seconds"] == 1.3 and made["seed"] == 3 and made["hardware"]
    kept = sorted(file.name for file in own_folder.iterdir())
    assert kept == ["manifest.json", "thing.safetensors"]


def test_a_folder_that_is_not_there_is_named(own_folder, monkeypatch):
    monkeypatch.setenv("T2I_WEIGHTS", str(own_folder / "gone"))
    for call in (weights.manifest, lambda: weights.load("thing")):
        with pytest.raises(weights.WeightsError, match=r"T2I_WEIGHTS is .*gone"):
            call()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: [m], "its  ?is no table|is no table"),
        (lambda m: {"thing": ["a"]}, "its thing is no table"),
        (
            lambda m: {"thing": m["thing"] | {"file": 3}},
            "thing.file is of the kind int",
        ),
        (lambda m: drop(m, "sha256"), "it has no thing.sha256"),
        (lambda m: drop(m, "command"), "it has no thing.command"),
        (lambda m: drop(m, "measured"), "it has no thing.measured"),
    ],
)
def test_an_odd_manifest_is_named_with_its_key(own_folder, change, said):
    weights.save(network(), "thing", **MADE)
    file = own_folder / "manifest.json"
    file.write_text(json.dumps(change(json.loads(file.read_text()))))
    with pytest.raises(weights.WeightsError, match=said) as error:
        weights.load("thing")
    assert str(file) in str(error.value) and str(error.value).count("Restore") == 1


def drop(manifest, key):
    """The manifest without a key of its entry."""
    return {"thing": {k: v for k, v in manifest["thing"].items() if k != key}}


def test_a_painter_is_refused_with_another_reader():
    weights.save(network(), "reader", **MADE)
    weights.save(network(), "painter", reads="reader", **MADE)
    weights.check_reader("painter")
    weights.save(network(), "reader", **MADE)  # trained anew, of the same shape
    with pytest.raises(weights.WeightsError, match="than the one that is here"):
        weights.check_reader("painter")


def test_half_stores_fp16_and_casts_back():
    first, second = network(), network()
    weights.save(first, "thing", half=True, **MADE)
    stored = weights.load("thing")
    assert stored["0.weight"].dtype == torch.float16
    assert stored["1.num_batches_tracked"].dtype == torch.int64
    weights.load_into(second, "thing")
    assert second[0].weight.dtype == torch.float32
    assert torch.allclose(first[0].weight, second[0].weight, atol=1e-3)


def test_half_refuses_what_fp16_cannot_hold():
    module = network()
    module[1].running_var.fill_(1e6)
    with pytest.raises(weights.WeightsError, match="too large"):
        weights.save(module, "thing", half=True, **MADE)


def test_a_state_with_shared_tensors_can_be_saved():
    module = nn.ModuleList([nn.Linear(2, 2)])
    module.append(module[0])
    weights.save(module, "thing", **MADE)
    weights.load_into(module, "thing")


def test_a_systems_averages_are_loaded_too():
    class Drawing(System):
        players = averaged = ("generator",)

        def __init__(self):
            super().__init__()
            self.generator = nn.Linear(2, 2)

    trained, fresh = Drawing(), Drawing()
    trained.start_averages()
    weights.save(trained, "drawing", **MADE)
    weights.load_into(fresh, "drawing")
    expected = trained.averages["generator"].module.weight
    assert torch.equal(fresh.network("generator").weight, expected)
    assert fresh.network("generator") is not fresh.generator


def test_unknown_name_names_the_known_ones():
    weights.save(network(), "thing", **MADE)
    with pytest.raises(weights.WeightsError, match="'thin'; there are: thing"):
        weights.entry("thin")
    with pytest.raises(ValueError, match="no name"):
        weights.path("../thing")


@pytest.mark.parametrize("damage", ["cut", "flip", "gone", "empty"])
def test_damaged_weights_are_noticed(damage):
    weights.save(network(), "thing", **MADE)
    file = weights.path("thing")
    content = bytearray(file.read_bytes())
    if damage == "gone":
        file.unlink()
    else:
        content[-1] ^= 1
        kept = {"cut": content[:-9], "flip": content, "empty": b""}[damage]
        file.write_bytes(bytes(kept))
    with pytest.raises(weights.WeightsError, match="t2i train thing") as caught:
        weights.load_into(network(), "thing")
    assert len(str(caught.value).splitlines()) == 1


def test_another_network_is_refused_and_left_alone():
    weights.save(network(5), "thing", **MADE)
    other = network(6)
    before = other[0].weight.clone()
    with pytest.raises(weights.OtherNetwork, match=r"0.bias is \[5\] .* \[6\] here"):
        weights.load_into(other, "thing")
    with pytest.raises(weights.OtherNetwork, match="missing"):
        weights.load_into(nn.Linear(3, 5), "thing")
    assert torch.equal(other[0].weight, before)


def test_a_damaged_manifest_is_named(own_folder):
    (own_folder / "manifest.json").write_text("{")
    with pytest.raises(weights.WeightsError, match=r"manifest\.json"):
        weights.names()


def test_large_weights_do_not_ship(monkeypatch, own_folder):
    monkeypatch.setattr(weights, "SHIPPED", own_folder)
    with pytest.raises(weights.WeightsError, match=r"6\.0 MB, above"):
        weights.save({"w": torch.zeros(3 * 2**19)}, "large", **MADE)
    weights.save({"w": torch.zeros(3 * 2**19)}, "large", half=True, **MADE)


@pytest.mark.parametrize("pixels, most", [(None, 4), (32, 4), (64, 4), (128, 8)])
def test_networks_for_large_pictures_may_be_larger(
    pixels, most, monkeypatch, own_folder
):
    monkeypatch.setattr(weights, "SHIPPED", own_folder)
    room = {"w": torch.zeros((most << 18) - 100)}
    made = weights.save(room, "fits", pixels=pixels, **MADE)
    assert made.get("pixels") == weights.entry("fits").get("pixels") == pixels
    over = {"w": torch.zeros((most << 18) + 1)}
    with pytest.raises(weights.WeightsError, match=rf"limit of {most} MB"):
        weights.save(over, "over", pixels=pixels, **MADE)


def test_no_permission_is_said_in_a_line(own_folder, monkeypatch):
    (own_folder / "file").write_text("not a folder")
    monkeypatch.setenv("T2I_WEIGHTS", str(own_folder / "file"))
    with pytest.raises(weights.WeightsError, match="Can't"):
        weights.save(network(), "thing", **MADE)


FULL = """
import resource, sys, torch
from t2i_course import weights
made = dict(command="c", seed=0, seconds=1.0, measured={})
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
try:
    weights.save({"w": torch.ones(5000)}, "thing", **made)
except weights.WeightsError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [10_000, 20_500])
def test_a_full_disk_keeps_the_weights_of_before(own_folder, limit):
    """Full while the weights are written, or only when the manifest is (20,500)."""
    notes = {"why": "long " * 5000}
    weights.save({"w": torch.zeros(5)}, "other", **{**MADE, "measured": notes})
    weights.save({"w": torch.zeros(5000)}, "thing", **MADE)
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(limit)], capture_output=True, text=True
    )
    assert "Can't write the weights 'thing'" in done.stdout, done.stderr
    assert weights.entry("thing")["seed"] == 3
    assert weights.load("thing")["w"].sum() == 0
    assert not list(own_folder.glob("*.part"))


def test_load_or_fit_loads_else_trains_and_says_so(capsys):
    trained = []

    def train(system):
        trained.append(system)
        return "history"

    module = network()
    assert weights.load_or_fit(module, "thing", train) == "history"
    assert trained == [module] and "Training" in capsys.readouterr().out
    weights.save(module, "thing", **MADE)
    assert weights.load_or_fit(network(), "thing", train) is None
    assert len(trained) == 1 and "Loaded" in capsys.readouterr().out
    assert weights.load_or_fit(network(7), "thing", train) == "history"
    assert "of another network" in capsys.readouterr().out
    weights.path("thing").write_bytes(b"damaged")
    with pytest.raises(weights.WeightsError, match="damaged"):
        weights.load_or_fit(network(), "thing", train)


def test_the_manifest_of_the_package_describes_its_files(monkeypatch):
    """Every shipped file is listed and whole, and all of it is small."""
    monkeypatch.delenv("T2I_WEIGHTS")
    listed = {entry["file"] for entry in weights.manifest().values()}
    there = list(weights.folder().glob("*.safetensors"))
    assert listed == {file.name for file in there}
    assert sum(file.stat().st_size for file in there) <= weights.ALL == 80 * 2**20
    for name in weights.names():
        most = weights.limit(weights.entry(name).get("pixels"))
        assert weights.path(name).stat().st_size <= most
        needed = {"command", "seed", "seconds", "hardware", "measured"}
        assert needed <= weights.entry(name).keys()
    assert json.loads((weights.folder() / "manifest.json").read_text()) is not None


def test_all_shipped_weights_are_in_half_precision(monkeypatch):
    """Networks are only used; counters (of batch norm) stay whole numbers."""
    monkeypatch.delenv("T2I_WEIGHTS")
    for name in weights.names():
        kinds = {value.dtype for value in weights.load(name).values()}
        assert torch.float16 in kinds, name
        assert not kinds & {torch.float32, torch.float64, torch.bfloat16}, name


def test_what_is_borrowed_is_stored_once_and_comes_back(own_folder):
    lender, both = nn.Linear(3, 2), nn.ModuleDict({"mine": nn.Linear(2, 2)})
    both["lent"] = lender
    kept = MADE | {"half": True}
    weights.save(lender, "lender", **kept)
    made = weights.save(both, "both", borrows={"lent.": "lender"}, **kept)
    assert made["borrows"]["lent."][0] == "lender"
    assert set(read_tensors(weights.path("both").read_bytes())) == {
        "mine.weight", "mine.bias"
    }  # fmt: skip
    assert torch.equal(weights.load("both")["lent.weight"], lender.weight.half())
    with torch.no_grad():
        lender.weight += 1
    with pytest.raises(weights.WeightsError, match="isn't the one to be borrowed"):
        weights.save(both, "both", borrows={"lent.": "lender"}, **kept)
    weights.save(lender, "lender", **kept)
    with pytest.raises(weights.WeightsError, match="another 'lender' than"):
        weights.load("both")
