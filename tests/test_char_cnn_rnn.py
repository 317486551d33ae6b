"""The char-CNN-RNN: letters to codes, published sizes, its layers by hand, its game."""

import pytest
import torch
from torch.nn import functional as F
from training_toys import count

from t2i_course import cli, systems
from t2i_course.papers.char_cnn_rnn import (
    ALPHABET,
    LENGTH,
    PLACES,
    CharCnnRnn,
    CharEmbedding,
    GatedRnn,
    PlainRnn,
    characters,
    lengths_through,
    notes,
)
from t2i_course.papers.joint_embedding import FalseTwins, structured_loss
from t2i_course.training import checkpoint, fit
from t2i_course.worlds.birds import Birds

GATED = {"channels": (384, 512, 512), "width": 512, "gated": True}
SMALL = {"channels": (6, 5, 4), "width": 4, "embedding": 7}


# Letters ------------------------------------------------------------------------------


def test_the_alphabet_has_seventy_entries_and_sixty_nine_letters():
    """The doubled hyphen counts as its later place: column 37 is never lit."""
    assert len(ALPHABET) == 70 and len(set(ALPHABET)) == 69
    assert [i for i, c in enumerate(ALPHABET, 1) if c == "-"] == [37, 60]
    assert PLACES["-"] == 60 and 37 not in PLACES.values()
    every = characters([ALPHABET])
    assert set(every[0, :70].tolist()) == set(range(1, 71)) - {37}


def test_codes_are_places_in_the_alphabet():
    codes = characters(["A b-2?é"])
    assert codes.shape == (1, LENGTH) and codes.dtype == torch.int64
    assert codes[0, :8].tolist() == [1, 70, 2, 60, 29, ALPHABET.index("?") + 1, 0, 0]
    assert not codes[0, 7:].any()


def test_a_row_of_letters_is_cut_and_what_is_lost_is_said():
    long = "a red bird " * 30
    assert characters([long])[0, -1] == PLACES[long[200]]
    assert characters([long], 12).shape == (1, 12)
    assert "first 201 letters" in notes([long])[0]
    assert "doesn't know: é" in notes(["a réd bird"])[0]
    assert notes(["a red bird, with 2 blue wings."]) == []


@pytest.mark.parametrize("empty", ["", "   ", "...", "é — ü"])
def test_a_caption_without_letters_is_refused(empty):
    with pytest.raises(ValueError, match="no letter that can be read"):
        characters(["a red bird", empty])


def test_what_is_no_caption_is_refused():
    with pytest.raises(TypeError, match="not int"):
        characters([3])
    with pytest.raises(ValueError, match="There is no caption"):
        characters([])
    assert torch.equal(characters("a red bird"), characters(["a red bird"]))


# Sizes --------------------------------------------------------------------------------


def test_published_parameter_counts():
    assert count(CharCnnRnn()) == 1_814_144
    assert count(CharCnnRnn(**GATED)) == 4_045_184
    with torch.device("meta"):
        paper = CharEmbedding.from_preset("paper")
    assert count(paper.encoders["text"]) == 1_814_144
    assert paper.settings["classes"] == 40
    assert paper.optimizer("encoders").param_groups[0]["lr"] == 7e-4


def test_lengths_after_each_layer():
    assert lengths_through(201, CharCnnRnn.layers()) == [201, 198, 66, 63, 21, 18, 8]
    assert lengths_through(201, CharCnnRnn.layers(True)) == [201, 198, 66, 63, 21, 18]


@pytest.mark.parametrize(("gated", "steps"), [(False, 8), (True, 18)])
def test_the_recurrent_layer_takes_as_many_steps(gated, steps):
    network, seen = CharCnnRnn(**SMALL, gated=gated), []
    network.recurrent.register_forward_pre_hook(lambda _, x: seen.append(x[0].shape))
    assert network(characters(["a red bird", "blue"])).shape == (2, 7)
    assert seen == [(2, steps, 4)]


def test_too_few_letters_are_refused():
    with pytest.raises(ValueError, match="30 letters are too few"):
        CharCnnRnn(**SMALL, length=30)


# Layers -------------------------------------------------------------------------------


def test_the_first_convolution_is_one_over_one_hot_columns():
    """A sum of rows of a table equals the convolution, its gradient too."""
    network = CharCnnRnn(**SMALL)
    layer, codes = network.convolutions[0], characters(["a red bird!", "blue - é"], 40)
    columns = F.one_hot(codes, 71)[..., 1:].float().transpose(1, 2)
    assert not columns[:, 36].any()  # of the first hyphen
    assert torch.allclose(network.first(codes), layer(columns), atol=1e-6)
    found, wanted = (
        torch.autograd.grad(made.square().sum(), layer.weight)[0]
        for made in (network.first(codes), layer(columns))
    )
    assert torch.allclose(found, wanted, atol=1e-5)


def by_hand(network, caption):
    """The published order, a caption alone: ReLU before pooling, states one by one."""
    columns = F.one_hot(characters([caption], network.length), 71)[..., 1:]
    x = columns.float().transpose(1, 2)
    for i, layer in enumerate(network.convolutions):
        x = layer(x).relu()
        if i < 2:
            x = F.max_pool1d(x, 3, 3)
        elif not network.gated:
            x = F.max_pool1d(x, 3, 2)
    keep, enter, states = network.recurrent.keep, network.recurrent.enter, []
    for column in x[0].T:
        if not network.gated:
            before = keep(states[-1]) if states else 0
            states.append((enter(column) + before).relu())
        elif not states:
            states.append(enter[2](column).tanh())
        else:
            h = states[-1]
            update = (enter[0](column) + keep[0](h)).sigmoid()
            reset = (enter[1](column) + keep[1](h)).sigmoid()
            new = (enter[2](column) + keep[2](reset * h)).tanh()
            states.append(update * new + (1 - update) * h)
    return network.out(torch.stack(states).mean(0))


@pytest.mark.parametrize("gated", [False, True])
def test_a_sentence_by_hand(gated):
    torch.manual_seed(0)
    network, captions = CharCnnRnn(**SMALL, gated=gated), ["a red bird", "blue wings"]
    found = network(characters(captions))
    for row, caption in zip(found, captions, strict=True):
        assert torch.allclose(row, by_hand(network, caption), atol=1e-5)


@pytest.mark.parametrize("kind", [PlainRnn, GatedRnn])
def test_the_first_state_has_no_past(kind):
    """One step alone: no weight that keeps a state is used."""
    layer, x = kind(3, 4), torch.randn(2, 1, 3)
    before = layer(x)
    for weight in layer.keep.parameters():
        torch.nn.init.constant_(weight, 5.0)
    assert torch.equal(layer(x), before)


def test_a_word_in_another_place_is_read_otherwise():
    """Letters are ordered: the same words, exchanged, give another sentence."""
    torch.manual_seed(0)
    network = CharCnnRnn((32, 32, 32), 32, 8).double()
    same = characters(["blue wings, red belly"] * 2 + ["red wings, blue belly"])
    one, again, other = network(same)
    assert torch.equal(one, again) and (one - other).abs().max() > 1e-6


# The game -----------------------------------------------------------------------------


def test_a_batch_is_read_by_its_captions_alone():
    """True ones and false twins, in the source's order; its words are not used."""
    system = CharEmbedding.from_preset("smoke")
    batch = FalseTwins(Birds("train", 32, individuals=2), 8).batch(0)
    rows, reader = system.sentences(batch), system.encoders["text"]
    assert len(batch.caption) == 16 == len(rows)
    assert torch.allclose(rows, reader(characters(batch.caption, 96)))
    batch.tokens, batch.lengths = None, None
    assert torch.equal(rows, system.sentences(batch))


def test_its_loss_is_the_structured_one():
    torch.manual_seed(0)
    system = CharEmbedding.from_preset("smoke").eval()
    batch = FalseTwins(Birds("train", 32, individuals=2), 8).batch(0)
    (player, loss), *more = system.round(batch)
    images, texts = system.encoders["image"](batch.image), system.sentences(batch)
    assert player == "encoders" and not more
    assert torch.allclose(loss, structured_loss(images, texts[:8], texts[8:]))


def test_it_learns_to_tell_a_few_birds_apart(one_thread):
    torch.manual_seed(0)
    birds = Birds("train", 32, individuals=2)
    system = CharEmbedding.from_preset("smoke", channels=(32, 32, 32), width=32,
                                       steps=60)  # fmt: skip
    system.learning_rate = 4e-3
    history = fit(system, FalseTwins(birds, 8), 60, progress=False, device="cpu")
    losses = history.losses["encoders"]
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])


def test_the_release_s_rate_and_start():
    system = CharEmbedding.from_preset("smoke", released=True)
    weights = torch.cat([w.flatten() for w in system.encoders["text"].parameters()])
    assert weights.abs().max() <= 0.08 and weights.abs().mean() > 0.03
    assert system.learning_rate_factor(149) == 1
    assert system.learning_rate_factor(300) == pytest.approx(0.98**2)
    assert isinstance(system.optimizer("encoders"), torch.optim.RMSprop)


def test_a_gan_reads_with_it(tmp_path, capsys, monkeypatch):
    """Trained by the command line; the GAN's own checkpoint is read back and draws."""
    monkeypatch.chdir(tmp_path)
    train = ["train", "--preset", "smoke", "--steps", "1"]
    assert cli.main([*train, "char_cnn_rnn"]) == 0
    text = ["--text", "runs/char_cnn_rnn-smoke/checkpoint.pt"]
    assert cli.main([*train, "gan_cls", *text]) == 0
    assert "kept in runs/gan_cls-smoke" in capsys.readouterr().out
    path = tmp_path / "runs/gan_cls-smoke/checkpoint.pt"
    found = systems.from_checkpoint(path)
    assert isinstance(found.text_encoder, CharCnnRnn)
    kept = checkpoint.read(path)["system"]
    own = found.text_encoder.state_dict()
    assert all(torch.equal(own[k], kept[f"text_encoder.{k}"]) for k in own)
    words = ["draw", "a red bird", "--system", str(path), "--count", "2"]
    assert cli.main([*words, "--out", "own.png"]) == 0


def test_at_paper_size_it_is_what_the_paper_s_gan_reads():
    """Nothing is needed that the course doesn't make: 1,024 numbers a sentence."""
    from t2i_course.papers.joint_embedding import READER

    with torch.device("meta"):
        reader = CharEmbedding.from_preset("paper").encoders["text"]
    assert (
        READER.misfit(reader, systems.info("gan_cls").settings("paper", "birds")) == ""
    )
    assert "char_cnn_rnn" in READER.also
