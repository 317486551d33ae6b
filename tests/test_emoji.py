"""The emoji set: what is in it, that its splits are clean, and what bad files say."""

import importlib.util
import io
import json
import shutil
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from t2i_course.data import Batch
from t2i_course.datasets import emoji as module
from t2i_course.datasets.emoji import (
    FOLDER,
    SPLITS,
    DamagedData,
    Emoji,
    captions,
    checksum,
    words,
)
from t2i_course.text import Vocabulary, split_words

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def sets():
    return {split: Emoji(split, size=32) for split in SPLITS}


@pytest.fixture(scope="module")
def table():
    return json.loads((FOLDER / "emoji.json").read_text())


@pytest.fixture(scope="module")
def builder():
    spec = importlib.util.spec_from_file_location("b", ROOT / "data_scripts/emoji.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


# ---- what is in it ------------------------------------------------------------------


def test_counts_and_notices(sets):
    assert [len(sets[split]) for split in SPLITS] == [4464, 508, 188]
    makers = sum((Counter(d.makers) for d in sets.values()), Counter())
    assert makers == {"noto": 1652, "twemoji": 1914, "fluent": 1594}
    notice = (FOLDER / "NOTICE.md").read_text()
    for needed in ("Apache License 2.0", "CC BY 4.0", "MIT License", "Miles Johnson"):
        assert needed in notice
    assert "END OF TERMS" in (FOLDER / "LICENSE-Apache-2.0.txt").read_text()
    assert sum(f.stat().st_size for f in FOLDER.iterdir()) < 8 << 20


def test_pictures_are_small_coloured_and_on_white(sets):
    train = sets["train"]
    assert train.pictures.shape == (len(train), 3, 32, 32)
    assert train.pictures.dtype == torch.uint8
    flat = train.pictures.flatten(2)
    assert (flat == 255).all(1).any(1).float().mean() > 0.95  # white is somewhere
    assert (flat.amax(2) > flat.amin(2)).any(1).all()  # no picture is empty
    heart = [i for i, n in enumerate(train.names) if n == "red heart"]
    for i in heart:
        red, green, blue = train.pictures[i, :, 12, 16].tolist()
        assert red > 180 and green < 90 and blue < 110, train.makers[i]


def test_the_small_size_is_the_mean_over_areas(sets):
    large = Emoji("new_maker", size=64).pictures.float()
    mean = torch.nn.functional.avg_pool2d(large, 2)
    assert (sets["new_maker"].pictures.float() - mean).abs().max() <= 0.5


def test_filters():
    food = Emoji("train", size=32, groups=["food and drink"], makers=["noto"])
    assert set(food.groups) == {"food and drink"} and set(food.makers) == {"noto"}
    assert 80 < len(food) < 131


# ---- splits -------------------------------------------------------------------------


def test_new_emoji_are_new_from_every_maker(sets, table):
    seen = set(sets["train"].names)
    assert not seen & set(sets["new_emoji"].names)
    classes = [set(d.class_id.tolist()) for d in sets.values()]
    assert not classes[0] & classes[1] and not classes[2] & classes[1]
    family = {entry[1]: f for entry, f in zip(table["emoji"], table["family"])}
    held_out = {family[n] for n in sets["new_emoji"].names}
    assert not held_out & {family[n] for n in [*seen, *sets["new_maker"].names]}


def test_new_maker_pictures_have_their_name_in_training_from_others(sets):
    train = sets["train"]
    seen = set(zip(train.names, train.makers))
    for name, maker in zip(sets["new_maker"].names, sets["new_maker"].makers):
        assert (name, maker) not in seen
        others = {"noto", "twemoji", "fluent"} - {maker}
        assert {(name, other) for other in others} <= seen


def test_no_picture_is_on_both_sides(sets):
    train = sets["train"]
    for split in SPLITS[1:]:
        _, distance = train.nearest(sets[split].pictures)
        assert distance.min() / 2 >= 0.06  # from colours in [-1, 1] to 0..1
    # The measure itself finds a planted copy.
    _, distance = train.nearest(train.pictures[:5])
    assert distance.max() < 1e-3


def test_pictures_that_are_one_picture_are_one_class(sets):
    train = sets["train"]
    first: dict[bytes, int] = {}
    repeated = 0
    for picture, number in zip(train.pictures, train.class_id.tolist()):
        key = picture.numpy().tobytes()
        repeated += key in first
        assert first.setdefault(key, number) == number
    assert repeated > 20  # so the test looked at something


# ---- captions and words -------------------------------------------------------------


def test_ten_captions_a_picture(sets):
    for data in sets.values():
        assert len(data.captions) == len(data)
        for sentences, maker in zip(data.captions, data.makers):
            assert len(set(sentences)) == 10
            assert sum(maker in split_words(s) for s in sentences) >= 4
            assert all(s.isascii() and "{" not in s for s in sentences)


def test_captions_read_well():
    found = captions("red apple", ["fruit", "ripe"], "food and drink", "fruit", "noto")
    assert found[0] == "red apple emoji"
    assert found[1] == "a flat drawing of a red apple"
    assert found[4] == "a picture of a red apple drawn by noto"
    assert found == captions(
        "red apple", ["fruit", "ripe"], "food and drink", "fruit", "noto"
    )
    article = module._with_article
    assert article("owl", "animals and nature") == "an owl"
    assert article("unicorn", "animals and nature") == "a unicorn"
    assert article("umbrella", "objects") == "an umbrella"
    assert article("bus", "travel and places") == "a bus"
    assert article("grapes", "food and drink") == "grapes"
    assert article("nest with eggs", "animals and nature") == "a nest with eggs"
    assert article("flag of Japan", "flags") == "the flag of Japan"


def test_words_come_from_training_only(sets):
    found = words()
    assert len(found) == len(set(found)) == 2500
    vocabulary = Vocabulary(found, correct=False)
    everything = {w for c in sets["train"].captions for s in c for w in split_words(s)}
    assert set(found) <= everything
    for split in SPLITS[1:]:  # every caption has a word that is known
        for sentences in sets[split].captions:
            for sentence in sentences:
                assert vocabulary.numbers_of(sentence)


# ---- batches ------------------------------------------------------------------------


def equal(a: Batch, b: Batch) -> bool:
    return a.caption == b.caption and torch.equal(a.image, b.image)


def test_a_batch_depends_on_seed_step_and_rank_only():
    a, b = (Emoji("new_maker", size=32, batch_size=8, seed=3) for _ in range(2))
    later = a.batch(30)
    for step in (0, 7, 30):
        assert equal(a.batch(step), b.batch(step))
    assert equal(later, a.batch(30))
    assert not equal(a.batch(0), a.batch(1))
    other = Emoji("new_maker", size=32, batch_size=8, seed=4)
    assert not equal(a.batch(0), other.batch(0))


def test_two_ranks_see_the_parts_of_one_larger_batch():
    small = Emoji("new_maker", size=32, batch_size=8)
    large = Emoji("new_maker", size=32, batch_size=16)
    parts = [small.batch(5, rank, 2) for rank in (0, 1)]
    whole = large.batch(5)
    assert parts[0].caption + parts[1].caption == whole.caption
    assert torch.equal(torch.cat([p.image for p in parts]), whole.image)


def test_a_batch_is_complete_and_its_caption_fits_its_picture():
    data = Emoji("new_maker", size=32, batch_size=16, vocabulary=Vocabulary(words()))
    batch = data.batch(0)
    assert batch.image.shape == (16, 3, 32, 32) and batch.image.dtype == torch.uint8
    assert batch.tokens.dtype == batch.lengths.dtype == torch.int64
    assert batch.tokens.shape == (16, int(batch.lengths.max()))
    tokens, lengths = data.vocabulary.encode(batch.caption)
    assert torch.equal(batch.tokens, tokens) and torch.equal(batch.lengths, lengths)
    for i in range(16):
        where = (data.pictures == batch.image[i]).flatten(1).all(1).nonzero()[0, 0]
        assert batch.caption[i] in data.captions[where]
        assert batch.class_id[i] == data.class_id[where]
    picture = batch.to("cpu").image
    assert picture.min() >= -1 and picture.max() == 1
    assert Emoji("new_maker", size=32).batch(0).tokens is None


def test_nearest(sets):
    train = sets["train"]
    asked = train.pictures[[5, 900]].float() / 127.5 - 1
    index, distance = train.nearest(asked + 0.01, k=3)
    assert index.shape == distance.shape == (2, 3)
    assert index[:, 0].tolist() == [5, 900]
    assert distance[:, 0].tolist() == pytest.approx([0.01, 0.01], abs=1e-3)
    assert (distance.diff(dim=1) >= 0).all()
    difference = (asked[0] - (train.pictures[index[0, 1]].float() / 127.5 - 1)) + 0.01
    expected = float(difference.square().mean().sqrt())
    assert float(distance[0, 1]) == pytest.approx(expected, rel=1e-3)
    with pytest.raises(ValueError, match="Expected pictures"):
        train.nearest(torch.zeros(1, 3, 64, 64))
    with pytest.raises(ValueError, match="k is from 1"):
        train.nearest(asked, k=0)


# ---- bad input ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "test"}, "no split 'test'.*new_emoji"),
        ({"size": 48}, "no size 48.*32, 64"),
        ({"groups": ["fruit"]}, "no group 'fruit'.*food and drink"),
        ({"makers": ["apple"]}, "no maker 'apple'.*noto"),
        ({"groups": ["flags"], "makers": []}, "No picture of train"),
    ],
)
def test_wrong_choices_name_the_right_ones(options, message):
    with pytest.raises(ValueError, match=message):
        Emoji(**options)


def missing(path):
    path.unlink()


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def one_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [missing, truncated, one_byte])
@pytest.mark.parametrize("name", ["emoji.json", "fluent.webp"])
def test_damaged_files_say_what_to_do(tmp_path, name, damage):
    folder = tmp_path / "set"
    shutil.copytree(FOLDER, folder)
    damage(folder / name)
    with pytest.raises(DamagedData, match="git checkout") as caught:
        Emoji("new_maker", folder=folder)
    assert name in str(caught.value)


def test_another_format_is_refused(tmp_path, table):
    changed = dict(table, format=2)
    changed["checksum"] = checksum(changed)
    (tmp_path / "emoji.json").write_text(json.dumps(changed))
    with pytest.raises(DamagedData, match="format 2"):
        Emoji(folder=tmp_path)


# ---- the builder --------------------------------------------------------------------


def test_names_become_words(builder):
    name = builder.plain_name
    assert name("flag: Côte d’Ivoire") == "flag of Cote d'Ivoire"
    assert name("family: man, woman, boy") == "family of man woman and boy"
    assert name("woman: red hair") == "woman with red hair"
    assert name("man running: facing right") == "man running facing right"
    assert name("keycap: #") == "keycap number sign"
    assert name("Japanese “here” button") == "Japanese here button"
    assert builder.codepoints("0023-FE0F-20E3") == "23-20e3"
    assert builder.core("woman farmer") == builder.core("farmer") == "farmer"


def test_splits_of_a_planted_look_alike(builder):
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (12, 64, 64, 3), dtype=np.uint8)
    pictures[7] = pictures[2]  # y's d is x's c
    owner = [0, 1, 2, 3] * 3
    pairs = builder.look_alikes(pictures, builder.ALIKE)
    assert [(a, b) for a, b, _ in pairs] == [(2, 7)]
    members = {m: [0, 1, 2, 3] for m in ("x", "y", "z")}
    met = Counter()
    for number in range(100):  # many draws of chance, which depends on the keys
        emoji = [[f"{number}-{name}", name, [], 0, 0] for name in "abcd"]
        family = builder.families(emoji, owner, pairs)
        assert family == [0, 1, 2, 2]
        splits = builder.decide_splits(emoji, members, pairs, family)
        held_out = {split[e] == "1" for split in splits.values() for e in (2, 3)}
        assert len(held_out) == 1  # c and d stay together
        assert splits["x"][2] != "2" and splits["y"][3] != "2"
        for e in range(4):  # one maker at most is held out of an emoji
            assert sum(split[e] == "2" for split in splits.values()) <= 1
        met.update("".join(splits.values()))
    assert 80 < met["1"] < 170 and 20 < met["2"] < 90


def tarball(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def test_a_hostile_archive_writes_nothing(builder, tmp_path):
    link = tarfile.TarInfo("package/icons.json")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    outside = tarfile.TarInfo("../outside.json")
    good = tarfile.TarInfo("package/chars.json")
    path = tmp_path / "inner" / "bad.tgz"
    path.parent.mkdir()
    tarball(path, [(link, b""), (outside, b"{}"), (good, b'{"a": 1}')])
    found = builder.read_members(path, lambda name: name.startswith("package/"))
    assert found == {"package/chars.json": b'{"a": 1}'}
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["bad.tgz", "inner"]


def test_a_tarball_with_other_bytes_is_refused(builder, tmp_path):
    (tmp_path / "emojibase-data-17.0.0.tgz").write_bytes(b"other")
    with pytest.raises(SystemExit, match="sha256"):
        builder.fetch("emojibase-data@17.0.0", tmp_path)


def test_without_npm_it_says_what_to_do(builder, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="Install Node"):
        builder.fetch("openmoji@17.0.0", tmp_path)


def test_sheets_keep_every_pixel(builder, tmp_path, table):
    first = module._pictures(FOLDER, 64)[:50].transpose(0, 2, 3, 1)
    builder.write_sheet(tmp_path / "s.webp", first)
    maker = {"file": "s.webp", "emoji": list(range(50))}
    data = (tmp_path / "s.webp").read_bytes()
    maker["sha256"] = module.hashlib.sha256(data).hexdigest()
    again = module._sheet(tmp_path, maker, builder.COLUMNS)
    assert (again.transpose(0, 2, 3, 1) == first).all()
    whole = module._pictures(FOLDER, 64).transpose(0, 2, 3, 1)
    assert module.hashlib.sha256(whole.tobytes()).hexdigest() == table["pixels"]
