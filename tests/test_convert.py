"""t2i convert: the authors' AttnGAN weights in our networks, and what doesn't fit."""

import json
import os
import pickle

import pytest
import released_toys as toys
import torch
from released_toys import (
    CUB,
    SMALL,
    filled,
    generator_shapes,
    image_shapes,
    text_shapes,
)
from safetensors.torch import load_file, save_file

from t2i_course import cli
from t2i_course.papers import attngan_released as released
from t2i_course.papers.attngan_released import ReleaseError, convert, load

pytestmark = pytest.mark.usefixtures("one_thread")
COCO = CUB | {"gf": 48, "residuals": 3}
DCGAN = CUB | {"residuals": 0, "alone": True}
LENGTHS = {"equal": (4, 4, 4), "unequal": (2, 4, 1)}


@pytest.fixture
def put(tmp_path):
    """Saves a state dict under a name; its path."""

    def save(content, name="netG_epoch_1.pth"):
        torch.save(content, tmp_path / name)
        return tmp_path / name

    return save


def generator(seed=0, **more):
    return filled(generator_shapes(**SMALL | more), seed)


def text(seed=1, **more):
    return filled(text_shapes(**more), seed)


def turned(state, kind):
    """A released state dict as our network, in evaluation mode."""
    made, sizes = released.converted(state, kind)
    network = released.built(kind, sizes)
    network.load_state_dict(made, assign=True)
    return network.eval().requires_grad_(False)


def captions(lengths):
    rng = torch.Generator().manual_seed(5)
    lengths = torch.tensor(lengths)
    tokens = torch.randint(1, 20, (len(lengths), 6), generator=rng)
    return tokens * (torch.arange(6) < lengths[:, None]), lengths


# names and sizes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "shapes", "count"),
    [
        ("generator", generator_shapes(**CUB), 7_084_592),
        ("generator", generator_shapes(**COCO), 13_811_456),
        ("generator", generator_shapes(**DCGAN), 6_638_960),
        ("generator", generator_shapes(**SMALL | {"nets": 1}), None),
        ("text", text_shapes(5450, 300, 256), 2_075_320),
        ("text", text_shapes(27297, 300, 256), 8_629_420),
        ("image", image_shapes(256), 22_506_720),
    ],
    ids=["CUB", "COCO", "AttnDCGAN", "one net", "text", "COCO's text", "image"],
)
def test_every_released_tensor_has_its_place(kind, shapes, count):
    """Those written down in released_toys.py, at true sizes; nothing is allocated."""
    state = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    assert released.kind_of(state, "") == kind
    sizes = released.READ_SIZES[kind](state, "")
    network = released.built(kind, sizes)
    names, own = released.released_names(kind, sizes, network), network.state_dict()
    assert sorted(names) == sorted(shapes) and sorted(names.values()) == sorted(own)
    for theirs, ours in names.items():
        assert released._released_shape(theirs, own[ours].shape) == shapes[theirs]
    if count is not None:
        assert sum(p.numel() for p in network.parameters()) == count


def test_sizes_are_read_from_the_file():
    assert released.converted(generator(), "generator")[1] == {
        "size": 128, "stages": 1, "base": 2, "blocks": 2, "z_size": 3, "embedding": 8,
        "condition": 5, "layout": "tree",
    }  # fmt: skip
    found = released.converted(text(), "text")[1]
    assert found == {"words": 20, "word": 6, "embedding": 8}


# what the networks compute ------------------------------------------------------------


@pytest.mark.parametrize("mask", ["words", "released"])
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize(
    "more", [{}, {"nets": 3, "residuals": 3}, {"alone": True, "residuals": 0}],
    ids=["two", "three", "AttnDCGAN"],
)  # fmt: skip
def test_the_same_pictures_as_by_the_released_layout(
    put, tmp_path, more, lengths, mask
):
    state, reader = generator(**more), text()
    out = tmp_path / "out.safetensors"
    convert([put(state), put(reader, "text_encoder1.pth")], out, mask)
    network, (tokens, lengths) = load(out), captions(lengths)
    network.generator.double(), network.text.double()
    state, reader = toys.doubled(state), toys.doubled(reader)
    noise = torch.randn(3, 8, dtype=torch.float64)
    found, looked = network.draw(noise, tokens, lengths)
    words, sentences = noise.new_zeros(3, 8, 4), []
    for i, length in enumerate(lengths):
        words[i, :, :length], sentence = toys.read(reader, tokens[i, :length])
        sentences.append(sentence)
    padding = torch.arange(4) >= lengths[:, None]
    sentences = torch.stack(sentences)
    told = noise[:, :3], noise[:, 3:], sentences, words, padding
    pictures, attention, mean, logvar = toys.drawn(state, *told, mask)
    assert len(found) == len(pictures) and len(looked) == len(attention)
    for one, other in zip(found, pictures):
        assert other.std() > 0.1 and torch.allclose(one, other, atol=1e-9)
    for one, other in zip(looked, attention):
        assert torch.allclose(one, other.permute(0, 3, 1, 2), atol=1e-9)
    _, mu, log_sigma = network.generator.augmentation(sentences, noise[:, 3:])
    assert torch.allclose(mu, mean)
    assert torch.allclose(2 * log_sigma, logvar)


def test_masks_differ_where_captions_are_not_equally_long():
    """Or the two above would have shown nothing."""
    padding = torch.arange(4) >= torch.tensor(LENGTHS["unequal"])[:, None]
    laid = [toys.hidden_places(padding, 6, mask) for mask in ("words", "released")]
    assert not torch.equal(*laid)


def test_the_same_words_as_by_the_released_layout():
    state, (tokens, lengths) = text(), captions((6, 2, 5))
    words, sentences = turned(state, "text")(tokens, lengths)
    for i, length in enumerate(lengths):
        wanted, sentence = toys.read(state, tokens[i, :length])
        assert torch.allclose(words[i, :, :length], wanted, atol=1e-6)
        assert torch.allclose(sentences[i], sentence, atol=1e-6)
        assert words[i, :, length:].abs().sum() == 0


def test_the_image_encoder_is_torchvision_s_and_two_layers(put, tmp_path):
    from torchvision.models import inception_v3

    state = filled(image_shapes())
    out = tmp_path / "out.safetensors"
    files = [put(state, "image_encoder1.pth"), put(text(), "text_encoder1.pth")]
    convert(files, out)
    encoders, pictures = load(out).encoders, torch.rand(1, 3, 64, 64) * 2 - 1
    assert encoders.gammas == (4, 5, 10) and not encoders.training
    whole = inception_v3(weights=None, init_weights=False).eval()
    whole.load_state_dict(state, strict=False)
    seen = {}
    for name in ("Mixed_6e", "Mixed_7c"):
        keep = lambda _, __, made, name=name: seen.update({name: made})  # noqa: E731
        getattr(whole, name).register_forward_hook(keep)
    with torch.no_grad():
        regions, vector = encoders.image(pictures)
        whole(torch.nn.functional.interpolate(pictures, (299, 299), mode="bilinear"))
    wanted = torch.einsum(
        "dc,bcyx->bdyx", state["emb_features.weight"][:, :, 0, 0], seen["Mixed_6e"]
    )
    assert torch.allclose(regions, wanted, rtol=1e-4, atol=1e-4 * wanted.std())
    wanted = seen["Mixed_7c"].mean((2, 3)) @ state["emb_cnn_code.weight"].T
    wanted = wanted + state["emb_cnn_code.bias"]
    assert torch.allclose(vector, wanted, rtol=1e-4, atol=1e-4 * wanted.std())


# how files were saved -----------------------------------------------------------------


def test_files_of_2017_are_read(tmp_path):
    """Python 2, PyTorch 0.3, on a GPU; norms counted no batches then."""
    state = {k: v for k, v in generator().items() if not k.endswith("batches_tracked")}
    toys.save_as_in_2017(state, tmp_path / "netG_epoch_600.pth")
    found = released.read_state(tmp_path / "netG_epoch_600.pth")
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)
    network = turned(found, "generator")
    assert network.first[1].num_batches_tracked == 0


@pytest.mark.parametrize("turn", ["module", "older zip", "double", "module in 2017"])
def test_however_it_was_saved_it_is_the_same(put, tmp_path, turn):
    state, path = generator(), tmp_path / "netG.pth"
    wanted, _ = released.converted(state, "generator")
    if turn.startswith("module"):
        state = {f"module.{name}": value for name, value in state.items()}
    if turn == "double":
        state = toys.doubled(state)
    if turn.endswith("2017"):
        floats = {k: v for k, v in state.items() if v.is_floating_point()}
        toys.save_as_in_2017(floats, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=turn != "older zip")
    found, _ = released.converted(released.read_state(path), "generator")
    counts = [name for name in found if name.endswith("batches_tracked")]
    assert counts and all(found[name].dtype == torch.int64 for name in counts)
    assert all(torch.equal(found[k], wanted[k]) for k in found if k not in counts)
    assert all(value.dtype == torch.float32 for k, value in found.items()
               if k not in counts)  # fmt: skip


# a round trip -------------------------------------------------------------------------


def test_a_round_trip_keeps_every_number(put, tmp_path):
    state, reader, out = generator(), text(), tmp_path / "out.safetensors"
    lines = convert([put(reader, "t.pth"), put(state, "g.pth")], out)
    found = load(out)
    assert found.mask == found.generator.others[0].attend.mask == "released"
    assert found.image is None and lines[-1].startswith("missing: the image encoder")
    own = found.generator.state_dict() | found.text.state_dict()
    assert len(own) == len(state) + len(reader)
    assert torch.equal(own["first.0.weight"], state["h_net1.fc.0.weight"])
    assert torch.equal(own["lstm.bias_hh_l0_reverse"], reader["rnn.bias_hh_l0_reverse"])
    halved = state["ca_net.fc.weight"].clone()
    halved[5:10] /= 2  # log sigma^2's values; not mu's, and not the gates
    assert torch.equal(own["augmentation.project.0.weight"], halved)
    for network in (found.generator, found.text):
        assert not network.training
        assert not any(p.requires_grad for p in network.parameters())
    assert os.listdir(tmp_path).count("out.safetensors.part") == 0


def test_what_was_not_converted_is_said(put, tmp_path):
    out = tmp_path / "out.safetensors"
    lines = convert([put(generator())], out, "words")
    assert [line.split(" (")[0] for line in lines[1:]] == [
        "missing: the text encoder", "missing: the image encoder"
    ]  # fmt: skip
    found = load(out)
    assert found.text is None and found.mask == "words"
    with pytest.raises(ValueError, match=r"The text encoder .* was not converted"):
        found.draw(torch.zeros(1, 8), *captions((2,)))
    with pytest.raises(ValueError, match=r"The text encoder .* was not converted"):
        _ = found.encoders
    convert([put(text(), "text.pth")], out)
    with pytest.raises(ValueError, match=r"The image encoder .* was not converted"):
        _ = load(out).encoders


# what doesn't fit ---------------------------------------------------------------------


def without(state, *names):
    return {k: v for k, v in state.items() if not any(n in k for n in names)}


def reshaped(state, name, *shape):
    return state | {name: torch.zeros(shape)}


GRU = {"rnn.weight_ih_l0": (12, 6), "rnn.weight_hh_l0": (12, 4)}
WRONG = {
    "a tensor missing": (
        lambda: without(generator(), "img_net2"),
        r"1 missing: img_net2.img.0.weight \(3, 2, 3, 3\)\.",
    ),
    "many missing": (
        lambda: without(generator(), "upsample3"),
        r"5 missing: h_net1.upsample3.1.weight \(8, 8, 3, 3\), .*, \.\.\.",
    ),
    "left over": (
        lambda: generator() | {"h_net1.more": torch.zeros(2)},
        r"1 left over: h_net1.more \(2,\)",
    ),
    "another shape": (
        lambda: reshaped(generator(), "h_net2.upsample.1.weight", 4, 4, 5, 5),
        r"h_net2.upsample.1.weight is \(4, 4, 5, 5\), not \(4, 4, 3, 3\)",
    ),
    "all three": (
        lambda: reshaped(without(text(), "bias_hh_l0_reverse"), "rnn.bias_ih_l0", 3)
        | {"rnn.bias_hh_l1": torch.zeros(1)},
        "1 missing: .*; 1 left over: .*; 1 of another shape: ",
    ),
    "one way": (lambda: without(text(), "reverse"), "4 missing: rnn.weight_ih_l0_rev"),
    "a GRU": (lambda: filled(text_shapes() | GRU), "by a GRU; our encoder has an LSTM"),
    "no sizes": (lambda: without(generator(), "ca_net"), "has no ca_net.fc.weight"),
    "odd sizes": (
        lambda: reshaped(generator(), "h_net1.fc.0.weight", 1024, 4),
        r"ca_net.fc.weight \(20, 8\) and h_net1.fc.0.weight \(1024, 4\) don't belong",
    ),
    "flat": (
        lambda: reshaped(text(), "encoder.weight", 20),
        r"encoder.weight can't be of the shape \(20,\)",
    ),
    "not finite": (
        lambda: reshaped(generator(), "ca_net.fc.bias", 20) | {
            "ca_net.fc.bias": torch.full((20,), torch.nan)},
        "numbers in ca_net.fc.bias that aren't finite",
    ),
    "half a prefix": (
        lambda: {("module." if "hh" in k else "") + k: v for k, v in text().items()},
        "has no rnn.weight_hh_l0",
    ),
    "a judge": (
        lambda: {"img_code_s16.0.weight": torch.zeros(1)}, r"is a judge \(netD\*.pth\)",
    ),
    "two in one": (lambda: generator() | text(), "parts of a generator and of a text"),
    "another network": (
        lambda: {"layer1.0.weight": torch.zeros(1)}, "it holds layer1.0.weight",
    ),
    "plain Inception": (
        lambda: {"Mixed_7c.x": torch.zeros(1), "fc.bias": torch.zeros(1)},
        "has no emb_features.weight",
    ),
    "a checkpoint": (lambda: {"epoch": 3, "netG": {}}, "its epoch is of kind int"),
    "a list": (lambda: [torch.zeros(1)], "holds no tensors by name"),
    "nothing": (dict, "holds no tensors by name"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "said"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_said(put, tmp_path, make, said):
    path, out = put(make()), tmp_path / "out.safetensors"
    with pytest.raises(ReleaseError, match=said) as error:
        convert([path], out)
    assert str(path) in str(error.value) and not out.exists()


class Bomb:
    def __reduce__(self):
        return (os.mkdir, ("exploded",))


def damage(how, path):
    """Leaves a file that can't be read."""
    whole = path.read_bytes()
    if how == "a bit":
        middle = len(whole) // 2
        whole = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    elif how == "2017, cut off":
        toys.save_as_in_2017(without(generator(), "num_batches"), path)
        whole = path.read_bytes()[:-100]
    else:
        whole = {"cut off": whole[:-200], "empty": b"", "text": b"<html>no</html>",
                 "code": pickle.dumps({"ca_net.fc.weight": Bomb()})}[how]  # fmt: skip
    path.write_bytes(whole)


@pytest.mark.parametrize(
    "how", ["a bit", "cut off", "2017, cut off", "empty", "text", "code"]
)
def test_a_damaged_file_is_said_and_nothing_in_it_runs(put, tmp_path, monkeypatch, how):
    monkeypatch.chdir(tmp_path)
    path = put(generator())
    damage(how, path)
    with pytest.raises(ReleaseError, match="damaged"):
        convert([path], tmp_path / "out.safetensors")
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("name", ["none.pth", "."])
def test_a_file_that_is_not_there(tmp_path, name):
    with pytest.raises(ReleaseError, match=r"isn't there|is a folder"):
        convert([tmp_path / name], tmp_path / "out.safetensors")


def test_files_that_do_not_go_together(put, tmp_path):
    one, other = put(generator(), "a.pth"), put(generator(1), "b.pth")
    out = tmp_path / "out.safetensors"
    with pytest.raises(ValueError, match=r"a.pth and .*b.pth are both the generator"):
        convert([one, other], out)
    wide = put(text(sentence=16), "wide.pth")
    with pytest.raises(ValueError, match="sentence: generator 8, text 16"):
        convert([one, wide], out)
    with pytest.raises(ValueError, match="mask is one of words, released, not 'no'"):
        convert([one], out, "no")
    with pytest.raises(ValueError, match="no file"):
        convert([], out)
    assert not out.exists()


def test_what_load_refuses(put, tmp_path):
    out, bad = tmp_path / "out.safetensors", tmp_path / "bad.safetensors"
    convert([put(generator())], out)
    told = {"format": released.FORMAT, "mask": "released"}
    sizes, state = released.converted(generator(), "generator")[1], load_file(out)
    cases = [
        (state, {}, "isn't of t2i convert"),
        (state, told, "damaged"),
        (state, told | {"sizes": "{"}, "damaged"),
        (state, told | {"sizes": json.dumps({"generator": {"sides": 3}})}, "damaged"),
        (state, told | {"sizes": json.dumps({"generator": sizes | {"base": 4}})},
         "don't fit"),
        (without(state, "to_pictures"), told | {
            "sizes": json.dumps({"generator": sizes})}, "2 missing"),
    ]  # fmt: skip
    for tensors, metadata, said in cases:
        save_file(tensors, bad, metadata)
        with pytest.raises(ReleaseError, match=said):
            load(bad)
    bad.write_bytes(out.read_bytes()[:-50])
    for path in (bad, tmp_path / "none.safetensors", put(text(), "t.pth")):
        with pytest.raises(ReleaseError):
            load(path)


# the command --------------------------------------------------------------------------


def test_the_command_says_what_it_made(put, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    files = [str(put(generator())), str(put(text(), "text_encoder1.pth"))]
    assert cli.main(["convert", "attngan", *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("generator, of ") and "base 2, blocks 2" in lines[0]
    assert lines[0].endswith("mask released") and lines[1].startswith("text, of ")
    assert lines[2:] == ["missing: the image encoder (image_encoder*.pth)",
                         "attngan-released.safetensors"]  # fmt: skip
    assert load("attngan-released.safetensors").text.embedding == 8
    words = [
        "convert",
        "attngan",
        files[0],
        "--mask",
        "words",
        "--out",
        "w.safetensors",
    ]
    assert cli.main(words) == 0 and load("w.safetensors").mask == "words"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["gan", "x.pth"], 2, "no release 'gan'; there are attngan"),
        (["attngan", "none.pth"], 1, "none.pth: it isn't there"),
        (["attngan", "g.pth", "--out", "x.pt"], 2, "--out names a .safetensors file"),
        (["attngan", "g.pth", "--out", "no/x.safetensors"], 2, "there is no folder no"),
        (["attngan", "g.pth", "g.pth"], 2, "are both the generator"),
    ],
)
def test_the_command_refuses_in_a_line(
    put, tmp_path, monkeypatch, capsys, words, code, said
):
    monkeypatch.chdir(tmp_path)
    put(generator(), "g.pth")
    assert cli.main(["convert", *words]) == code
    found = capsys.readouterr()
    assert found.err.startswith("t2i convert: ") and said in found.err
    assert found.err.count("\n") == 1 and os.listdir(tmp_path) == ["g.pth"]


def test_an_unknown_mask_is_bad_usage(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["convert", "attngan", "g.pth", "--mask", "none"])
    assert stop.value.code == 2 and "--mask" in capsys.readouterr().err
