"""The bird world: what is drawn, how it is kept, and which batches it gives."""

import json
import os
import platform
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from t2i_course.worlds import drawn as world
from t2i_course.worlds import kept as keeping
from t2i_course.worlds.bird_captions import caption
from t2i_course.worlds.bird_drawing import PARTS, draw_birds
from t2i_course.worlds.bird_species import (
    ATTRIBUTES,
    COLOUR_PARTS,
    PLUMAGES,
    STYLE,
    individual_contents,
    individual_styles,
    plumage_table,
    species_table,
    split_species,
)
from t2i_course.worlds.birds import Birds, boxes_of

SIZE, EACH = 32, 2


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A small world: 150 species, two birds of each, kept in a folder of its own."""
    before = os.environ.get("T2I_CACHE")
    os.environ["T2I_CACHE"] = str(tmp_path_factory.mktemp("world"))
    world.arrays_of.cache_clear()
    yield Birds("train", SIZE, batch_size=16, individuals=EACH, details=True)
    world.arrays_of.cache_clear()
    os.environ.pop("T2I_CACHE")
    if before is not None:
        os.environ["T2I_CACHE"] = before


def some(count, seed=0):
    """Content and style of `count` birds with free attributes."""
    rng = np.random.default_rng(seed)
    values = ATTRIBUTES.values()
    content = np.stack([rng.integers(len(v), size=count) for v in values], 1)
    return content, individual_styles(7, count)


# ---------------------------------------------------------------- species and styles


def test_species_are_split_as_in_cub():
    split = split_species()
    train, test = set(split["train"].tolist()), set(split["test"].tolist())
    assert (len(train), len(test)) == (150, 50)
    assert not train & test and train | test == set(range(200))


def test_species_fix_content_and_differ():
    table = species_table()
    assert table.shape == (200, len(ATTRIBUTES))
    for column, values in zip(table.T, ATTRIBUTES.values()):
        assert set(column) == set(range(len(values)))  # every value is somewhere
    assert len(np.unique(table, axis=0)) >= 195
    colours = table[:, : len(COLOUR_PARTS)]
    assert np.bincount(colours.ravel()).min() >= 40  # no colour is rare
    one = (colours == colours[:, :1]).all(1).mean()
    assert 0.05 < one < 0.2


def test_plumages_change_colours_only():
    worn = plumage_table()
    assert worn.shape == (200, PLUMAGES, len(ATTRIBUTES))
    assert (worn[:, 0] == species_table()).all()
    assert (worn[:, :, 4:] == worn[:, :1, 4:]).all()
    kept = (worn[:, 1:, :4] == worn[:, :1, :4]).mean()
    assert 0.4 < kept < 0.47  # lesson 00: "about four colours in ten"
    one_colour = (worn[:, 1:, :4] == worn[:, 1:, :1]).all(2).mean()
    assert 0.03 < one_colour < 0.2


def test_what_is_new_in_unseen_species():
    """Lesson 00: pairs of colours never, all four together in four plumages of five."""
    taught, unseen = (plumage_table()[split_species()[s]] for s in ("train", "test"))
    taught, unseen = (w.reshape(-1, len(ATTRIBUTES)) for w in (taught, unseen))
    pairs, often = np.unique(taught[:, :2], axis=0, return_counts=True)
    assert len(taught) == 900 and len(pairs) == 100 and often.min() == 2
    known = {tuple(row) for row in taught[:, :4]}
    new = np.mean([tuple(row) not in known for row in unseen[:, :4]])
    assert 0.75 < new < 0.85


def test_an_individual_wears_the_plumage_of_its_number():
    several = individual_contents(7, PLUMAGES + 2)
    assert (several[:PLUMAGES] == plumage_table()[7]).all()
    assert (several[PLUMAGES:] == several[:2]).all()
    birds = Birds("test", 16, individuals=3)
    assert (birds.content[3:6] == individual_contents(birds.species[3], 3)).all()


def test_every_value_is_taught_and_tested():
    for kinds in split_species().values():
        worn = plumage_table()[kinds].reshape(-1, len(ATTRIBUTES))
        for column, values in zip(worn.T, ATTRIBUTES.values()):
            assert set(column) == set(range(len(values)))


def test_an_individual_does_not_depend_on_how_many_there_are():
    assert np.array_equal(individual_styles(3, 5)[:2], individual_styles(3, 2))
    assert not np.array_equal(individual_styles(3, 1), individual_styles(4, 1))
    assert individual_styles(3, 5).shape == (5, len(STYLE))
    assert individual_styles(3, 5).dtype == np.float32


# --------------------------------------------------------------------------- drawing


def test_drawing_is_deterministic():
    content, style = some(8)
    first, parts = draw_birds(content, style, 32)
    again, _ = draw_birds(content, style, 32)
    assert np.array_equal(first, again)
    assert first.shape == (8, 3, 32, 32) and first.dtype == np.uint8
    assert parts.shape == (8, 32, 32) and parts.max() < len(PARTS)
    alone = draw_birds(content[3:4], style[3:4], 32)[0]
    assert np.abs(alone.astype(int) - first[3:4]).max() <= 1  # alone or in company


@pytest.mark.parametrize("size", [16, 64, 128, 256])
def test_any_resolution_shows_the_same_picture(size):
    """Pictures of two sizes, averaged down to the smaller one, are about equal."""
    content, style = some(6)
    small = torch.from_numpy(draw_birds(content, style, 32)[0]).float()
    other = torch.from_numpy(draw_birds(content, style, size)[0]).float()
    assert other.shape[-1] == size
    common = min(size, 32)
    low, high = (F.interpolate(p, common, mode="area") for p in (small, other))
    difference = (low - high).abs().mean().item()
    mixed_up = (low - high.roll(1, 0)).abs().mean().item()
    assert difference < 8 and difference < mixed_up / 6


@pytest.mark.parametrize("size", [15, 513, 0])
def test_sizes_that_cannot_be_drawn_are_refused(size):
    with pytest.raises(ValueError, match="16 to 512 pixels"):
        draw_birds(*some(1), size)


def test_content_and_style_show_in_the_picture():
    """Each attribute and each entry of style changes some pixels."""
    content, style = some(1)
    before = draw_birds(content, style, 48)[0].astype(int)
    for column, values in enumerate(ATTRIBUTES.values()):
        other = content.copy()
        other[0, column] = (other[0, column] + 1) % len(values)
        assert np.abs(draw_birds(other, style, 48)[0] - before).max() > 20, column
    for column, name in enumerate(STYLE):
        other = style.copy()
        other[0, column] = -other[0, column] if name != "scale" else 1.06
        if name.startswith("tone"):
            other[0, column] = -np.sign(style[0, column])
        assert np.abs(draw_birds(content, other, 48)[0] - before).sum() > 0, name


def test_every_named_part_can_be_seen(drawn):
    """At 32 pixels wing, belly, crown and tail cover enough to be read."""
    share = [(drawn.masks == PARTS.index(part)).mean((1, 2)) for part in COLOUR_PARTS]
    assert min(part.min() for part in share) * 32 * 32 >= 10  # pixels


def test_a_part_has_its_colour_where_the_mask_says(drawn):
    """Birds whose crown is red have red pixels in the crown's mask."""
    for part in ("crown", "tail"):
        column = list(ATTRIBUTES).index(part)
        red = drawn.content[:, column] == ATTRIBUTES[part].index("red")
        where = np.asarray(drawn.masks)[red] == PARTS.index(part)
        pixels = np.asarray(drawn.images)[red].transpose(0, 2, 3, 1)[where]
        mean = pixels.reshape(-1, 3).mean(0)
        assert mean[0] > 1.8 * mean[1] and mean[0] > 1.8 * mean[2]


def test_boxes_hold_their_masks():
    masks = np.zeros((2, 8, 8), np.uint8)
    masks[0, 2:5, 1:7] = PARTS.index("wing")
    masks[1, 0, 7] = PARTS.index("tail")
    boxes = boxes_of(masks)
    assert boxes.shape == (2, len(PARTS) - 1, 4)
    wing, tail = PARTS.index("wing") - 1, PARTS.index("tail") - 1
    assert np.allclose(boxes[0, wing], [1 / 8, 2 / 8, 7 / 8, 5 / 8])
    assert np.allclose(boxes[1, tail], [7 / 8, 0, 1, 1 / 8])
    assert not boxes[0, tail].any()  # a hidden part has no box


def test_masks_and_boxes_agree_on_drawn_birds(drawn):
    batch = drawn.batch(0)
    for boxes, mask in zip(batch.boxes, batch.masks):
        for number, box in zip(batch.labels, boxes):
            rows, columns = torch.nonzero(mask == number, as_tuple=True)
            if not len(rows):
                assert not box.any()
                continue
            found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert torch.allclose(box * SIZE, torch.tensor(found, dtype=torch.float32))


# --------------------------------------------------------------------------- batches


def test_a_batch_holds_what_is_known(drawn):
    batch = drawn.batch(3)
    table = torch.from_numpy(plumage_table())
    assert len(batch) == len(batch.caption) == 16
    assert batch.image.dtype == torch.uint8 and batch.image.shape == (16, 3, SIZE, SIZE)
    worn = (table[batch.class_id] == batch.attributes[:, None]).all(2)
    assert worn.any(1).all()  # each bird is in one of its species' plumages
    spoken = batch.named >= 0
    assert torch.equal(batch.named[spoken], batch.attributes[spoken])
    assert batch.style.shape == (16, len(STYLE))
    tokens, lengths = drawn.vocabulary.encode(batch.caption)
    assert torch.equal(batch.tokens, tokens) and torch.equal(batch.lengths, lengths)
    moved = batch.to("cpu").image
    assert moved.dtype == torch.float32 and -1 <= moved.min() and moved.max() <= 1


def test_a_batch_is_a_function_of_its_step(drawn):
    first, again, later = drawn.batch(5), drawn.batch(5), drawn.batch(6)
    other = Birds("train", SIZE, 16, EACH).batch(5)  # another object, the same batch
    for batch in (again, other):
        assert torch.equal(first.image, batch.image)
        assert first.caption == batch.caption
    assert not torch.equal(first.image, later.image)
    seeded = Birds("train", SIZE, 16, EACH, seed=1).batch(5)
    assert not torch.equal(first.image, seeded.image)


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_partition_the_whole_batch(drawn, ranks):
    parts = [drawn.batch(1, rank, ranks) for rank in range(ranks)]
    whole = Birds("train", SIZE, 16 * ranks, EACH).batch(1)
    assert torch.equal(torch.cat([p.image for p in parts]), whole.image)
    assert len({tuple(p.caption) for p in parts}) == ranks
    assert len({tuple(p.lengths.tolist()) for p in parts}) == ranks  # own captions


def test_an_epoch_shows_every_picture_once(drawn):
    per_epoch = len(drawn) // 16
    seen = [drawn.batch(step).style for step in range(per_epoch)]
    assert len(torch.unique(torch.cat(seen), dim=0)) == per_epoch * 16


def test_a_batch_of_one_and_one_larger_than_the_world(drawn):
    assert len(Birds("train", SIZE, 1, EACH).batch(0)) == 1
    assert len(Birds("train", SIZE, 1000, EACH).batch(0)) == 1000


def test_distinct_species(drawn):
    batch, seeds = drawn.distinct(0, 40)
    assert len(batch.class_id.unique()) == len(batch) == 40
    assert [
        caption(row, seed)[0] for row, seed in zip(batch.attributes.numpy(), seeds)
    ] == batch.caption
    assert len(drawn.distinct(0, 1000)[0]) == 150


def test_unknown_split_is_refused():
    with pytest.raises(ValueError, match="train and test, not 'valid'"):
        Birds("valid")


# ------------------------------------------------------------------------- the cache


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder of the test's own; `open()` reads or draws 50 pictures."""
    monkeypatch.setenv("T2I_CACHE", str(tmp_path))
    world.arrays_of.cache_clear()
    yield tmp_path
    world.arrays_of.cache_clear()


def open_world():
    """The test species at 16 pixels, as a new process would open them."""
    world.arrays_of.cache_clear()
    return Birds("test", 16, batch_size=8, individuals=1)  # 50 pictures


def kept(cache):
    """The one folder that holds the drawn world."""
    (folder,) = [p for p in cache.iterdir() if p.is_dir()]
    return folder


def test_a_world_is_drawn_once_and_then_read(cache, monkeypatch):
    first = np.array(open_world().images)
    monkeypatch.setattr(world, "draw", lambda *a: pytest.fail("drawn again"))
    assert np.array_equal(open_world().images, first)
    assert not [p for p in cache.iterdir() if p.name.startswith(".making")]


@pytest.mark.parametrize("file", ["images.npy", "tokens.npy", "captions.npy"])
def test_a_damaged_cache_is_noticed_and_drawn_anew(cache, capsys, file):
    good = np.array(open_world().images)
    path = kept(cache) / file
    content = bytearray(path.read_bytes())
    content[-3] ^= 0xFF
    path.write_bytes(content)
    assert np.array_equal(open_world().images, good)
    assert "are damaged" in capsys.readouterr().err
    open_world()
    assert not capsys.readouterr().err  # mended


@pytest.mark.parametrize("harm", ["cut", "lost", "no list", "odd list", "empty"])
def test_a_half_written_cache_is_noticed_and_drawn_anew(cache, harm):
    good = np.array(open_world().images)
    folder = kept(cache)
    if harm == "cut":
        path = folder / "images.npy"
        path.write_bytes(path.read_bytes()[:500])
    elif harm == "lost":
        (folder / "masks.npy").unlink()
    elif harm == "no list":
        (folder / "complete.json").unlink()
    elif harm == "empty":
        (folder / "complete.json").write_text("{}")
    else:
        (folder / "complete.json").write_text("{")
    assert np.array_equal(open_world().images, good)
    assert len(json.loads((kept(cache) / "complete.json").read_text())) >= 7


def test_a_changed_drawing_never_meets_old_pictures(cache, monkeypatch):
    open_world()
    monkeypatch.setattr(world.World, "fingerprint", lambda self: "another")
    open_world()
    names = sorted(p.name for p in cache.iterdir())
    assert len(names) == 2 and any(name.endswith("another") for name in names)


def test_no_permission_to_keep_the_world(cache, capsys, monkeypatch):
    def refuse(*arguments, **keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(keeping.tempfile, "mkdtemp", refuse)
    assert len(open_world()) == 50
    said = capsys.readouterr().err
    assert "Permission denied" in said and "T2I_CACHE" in said


def test_the_cache_cannot_be_a_folder(cache, capsys, monkeypatch):
    (cache / "file").write_text("")
    monkeypatch.setenv("T2I_CACHE", str(cache / "file" / "below"))
    assert len(open_world()) == 50
    assert "could not be kept" in capsys.readouterr().err


def test_a_full_disk_leaves_nothing_behind(cache, capsys):
    """Files may only grow to 20 kB here, as on a disk with no more space."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        made = open_world()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(made) == 50 and len(made.batch(0)) == 8
    said = capsys.readouterr().err
    assert "could not be kept" in said and "T2I_CACHE" in said
    assert not list(cache.iterdir())


# ------------------------------------------------------------- shared, stopped, odd


def test_half_made_worlds_of_stopped_processes_are_cleared(cache, capsys):
    """After a kill a rerun clears what was left; what another still makes stays."""
    cache.mkdir(exist_ok=True)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = cache / f".making-{platform.node()}-{gone.pid}-abcd"
    mine = cache / f".making-{platform.node()}-{os.getpid()}-abcd"
    far, old = cache / ".making-else-where-12-abcd", cache / ".making-elsewhere-12-ef"
    for folder in (left, mine, far, old):
        folder.mkdir()
        (folder / "images.npy").write_bytes(b"x" * 2**20)
    os.utime(old, (0, 0))
    said = " ".join(world.reported(Birds.world))
    assert "half made, 2 MB" in said and left.name in said and old.name in said
    assert mine.name not in said and far.name not in said
    world.arrays_of.cache_clear()
    Birds("test", SIZE, individuals=EACH)
    assert sorted(cache.glob(".making-*")) == sorted([mine, far])


def test_a_killed_process_leaves_what_the_next_one_clears(cache):
    """The process itself, killed while it writes."""
    code = (
        "import numpy, os, signal\n"
        "from t2i_course.worlds.birds import Birds\n"
        "numpy.save = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"Birds('test', {SIZE}, individuals={EACH})"
    )
    done = subprocess.run([sys.executable, "-c", code], env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL and list(cache.glob(".making-*"))
    world.arrays_of.cache_clear()
    Birds("test", SIZE, individuals=EACH)
    assert not list(cache.glob(".making-*"))


def test_a_shared_folder_may_be_read_by_others(cache):
    """As the umask says, not 0700 as temporary folders are."""
    world.arrays_of.cache_clear()
    Birds("test", SIZE, individuals=EACH)
    folder = kept(cache)
    assert folder.stat().st_mode & 0o777 == 0o777 & ~keeping.umask()
    assert (folder / "images.npy").stat().st_mode & 0o777 == 0o666 & ~keeping.umask()


def test_a_folder_of_somebody_else_is_not_called_damaged(cache, capsys, monkeypatch):
    world.arrays_of.cache_clear()
    Birds("test", SIZE, individuals=EACH)

    def closed(self, *a, **k):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(keeping.Path, "read_text", closed)
    assert keeping.load(kept(cache), world.ARRAYS, "birds") is None
    said = capsys.readouterr().err
    assert "belong to somebody else" in said and "T2I_CACHE" in said
    assert "damaged" not in said


@pytest.mark.parametrize("text", ["[]", "3", '{"images.npy": "00"}', '["images.npy"]'])
def test_an_odd_index_is_named(cache, capsys, text):
    world.arrays_of.cache_clear()
    Birds("test", SIZE, individuals=EACH)
    (kept(cache) / "complete.json").write_text(text)
    assert keeping.load(kept(cache), world.ARRAYS, "birds") is None
    assert "complete.json doesn't list all its files" in capsys.readouterr().err
