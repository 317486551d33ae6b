"""The flower world: its species, what is drawn, how it is kept, its batches."""

import hashlib

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from t2i_course.worlds import drawn as worlds
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.flower_captions import caption
from t2i_course.worlds.flower_drawing import PART_OF, PARTS, draw_flowers
from t2i_course.worlds.flower_species import (
    ATTRIBUTES,
    BACKDROPS,
    COLOURED,
    STYLE,
    VARIETIES,
    individual_contents,
    individual_styles,
    possible,
    species_table,
    split_species,
    variety_table,
)
from t2i_course.worlds.flowers import Flowers

NAMES, SIZE, EACH = list(ATTRIBUTES), 32, 2


@pytest.fixture(scope="module")
def drawn():
    """A small world: 82 species, two flowers of each."""
    return Flowers("train", SIZE, batch_size=16, individuals=EACH, details=True)


def some(count, seed=0):
    """Content and style of `count` flowers with free attributes."""
    content = Flowers.world.random(count, np.random.default_rng(seed))
    return content, individual_styles(7, count)


# ---------------------------------------------------------------- species and styles


def test_species_are_split_as_in_oxford_102():
    split = split_species()
    train, test = set(split["train"].tolist()), set(split["test"].tolist())
    assert (len(train), len(test)) == (82, 20)
    assert not train & test and train | test == set(range(102))


def test_species_fix_content_and_differ():
    table = species_table()
    assert table.shape == (102, len(ATTRIBUTES))
    assert len(np.unique(table, axis=0)) >= 98
    assert np.bincount(variety_table()[:, :, 0].ravel()).min() >= 50  # no rare colour


def test_varieties_change_colours_only():
    table = variety_table()
    first, colours = table[:, :1], len(COLOURED)
    assert table.shape == (102, VARIETIES, len(ATTRIBUTES))
    assert (first[:, 0] == species_table()).all()
    assert (table[:, :, colours:] == first[:, :, colours:]).all()
    kept = (table[:, 1:, :colours] == first[:, :, :colours]).mean()
    assert 0.45 < kept < 0.6


def test_every_value_is_taught_and_tested():
    for kinds in split_species().values():
        table = variety_table()[kinds].reshape(-1, len(ATTRIBUTES))
        for column, values in zip(table.T, ATTRIBUTES.values()):
            assert set(column) == set(range(len(values)))


def test_no_petal_is_streaked_with_its_own_colour():
    assert possible(variety_table()).all()
    assert possible(some(500)[0]).all()
    own = np.array([[ATTRIBUTES["petal"].index("red"), 3, 0, 0, 0, 0, 0]])
    assert ATTRIBUTES["stripe"][3] == "red" and not possible(own).any()
    for petal in range(len(ATTRIBUTES["petal"])):
        assert possible(np.array([petal, 0, 0, 0, 0, 0, 0]))  # plain is always possible


def test_an_individual_does_not_depend_on_how_many_there_are():
    assert np.array_equal(individual_styles(3, 5)[:2], individual_styles(3, 2))
    assert not np.array_equal(individual_styles(3, 1), individual_styles(4, 1))
    styles = individual_styles(3, 400)
    assert styles.shape == (400, len(STYLE)) and styles.dtype == np.float32
    assert set(styles[:, STYLE.index("backdrop")]) == set(range(len(BACKDROPS)))
    assert (individual_contents(7, 8)[:6] == variety_table()[7]).all()


# --------------------------------------------------------------------------- drawing


def test_drawing_is_deterministic():
    content, style = some(8)
    first, parts = draw_flowers(content, style, 32)
    again, _ = draw_flowers(content, style, 32)
    assert np.array_equal(first, again)
    assert first.shape == (8, 3, 32, 32) and first.dtype == np.uint8
    assert parts.shape == (8, 32, 32) and parts.max() < len(PARTS)
    alone = draw_flowers(content[3:4], style[3:4], 32)[0]
    assert np.abs(alone.astype(int) - first[3:4]).max() <= 1  # alone or in company


@pytest.mark.parametrize("size", [16, 64, 128, 200])
def test_any_resolution_shows_the_same_picture(size):
    """Pictures of two sizes, averaged down to the smaller one, are about equal."""
    content, style = some(6)
    small = torch.from_numpy(draw_flowers(content, style, 32)[0]).float()
    other = torch.from_numpy(draw_flowers(content, style, size)[0]).float()
    assert other.shape[-1] == size
    low, high = (F.adaptive_avg_pool2d(p, min(size, 32)) for p in (small, other))
    assert (low - high).abs().mean() < (8 if size == 16 else 6)


@pytest.mark.parametrize("size", [15, 513, 0])
def test_sizes_that_cannot_be_drawn_are_refused(size):
    with pytest.raises(ValueError, match="Flowers are drawn at 16 to 512 pixels"):
        draw_flowers(*some(1), size)


def test_content_and_style_show_in_the_picture():
    """Each attribute and each entry of style changes some pixels."""
    content, style = some(1)
    content[0, :2] = ATTRIBUTES["petal"].index("blue"), 0
    before = draw_flowers(content, style, 48)[0].astype(int)
    for column, values in enumerate(ATTRIBUTES.values()):
        other = content.copy()
        other[0, column] = (other[0, column] + 1) % len(values)
        assert np.abs(draw_flowers(other, style, 48)[0] - before).max() > 20, column
    for column, name in enumerate(STYLE):
        other = style.copy()
        changed = {"scale": 1.06, "backdrop": (style[0, column] + 1) % len(BACKDROPS)}
        other[0, column] = changed.get(name, -style[0, column])
        if name.startswith("tone"):
            other[0, column] = -np.sign(style[0, column])
        assert np.abs(draw_flowers(content, other, 48)[0] - before).sum() > 0, name


def test_an_attribute_changes_the_part_that_is_said_to_change():
    """Colours change pixels of their part alone; shapes may uncover what is behind."""
    assert set(PART_OF) == set(ATTRIBUTES) and set(PART_OF.values()) < set(PARTS)
    content, style = some(12)
    content[:, 1] = 0
    pictures, parts = draw_flowers(content, style, 64)
    for name in (*COLOURED[2:], "petal", "leaves"):
        other = content.copy()
        column = NAMES.index(name)
        other[:, column] = (other[:, column] + 1) % len(ATTRIBUTES[name])
        changed, moved = draw_flowers(other, style, 64)
        differs = np.abs(changed.astype(int) - pictures).max(1) > 60
        own = (parts == PARTS.index(PART_OF[name])) | (
            moved == PARTS.index(PART_OF[name])
        )
        grown = F.max_pool2d(torch.from_numpy(own).float()[:, None], 3, 1, 1)[:, 0] > 0
        outside = differs & ~grown.numpy()
        assert differs.any((1, 2)).mean() > 0.9, name
        assert outside.sum() < 0.02 * differs.sum() + 1, name


def test_every_part_can_be_seen(drawn):
    """At 32 pixels each part covers enough to be read."""
    for number, part in enumerate(PARTS):
        assert ((drawn.masks == number).sum((1, 2)) >= 8).all(), part


def test_a_part_has_its_colour_where_the_mask_says(drawn):
    for name, value in (("petal", "blue"), ("stamen", "purple")):
        chosen = drawn.content[:, NAMES.index(name)] == ATTRIBUTES[name].index(value)
        chosen &= drawn.content[:, 1] == 0
        where = np.asarray(drawn.masks)[chosen] == PARTS.index(PART_OF[name])
        pixels = np.asarray(drawn.images)[chosen].transpose(0, 2, 3, 1)[where]
        red, green, blue = pixels.reshape(-1, 3).mean(0)
        assert blue > 1.1 * red and blue > 1.25 * green, name


def test_inner_parts_are_whole_in_every_pose():
    """They are painted within a window: the farthest poses reach its border nowhere."""
    content, style = some(16)
    column = {name: STYLE.index(name) for name in ("tilt", "nod", "x", "y", "scale")}
    corners = np.array(np.meshgrid(*[[-1, 1]] * 4)).reshape(4, 16).T
    for name, most in (("tilt", 0.45), ("nod", 0.4), ("x", 0.08), ("y", 0.06)):
        style[:, column[name]] = most * corners[:, list(column).index(name)]
    style[:, column["scale"]] = 1.07
    for size in (32, 64, 100):
        _, parts = draw_flowers(content, style, size)
        inner = np.isin(parts, [PARTS.index("stamens"), PARTS.index("centre")])
        rows, across = (
            np.nonzero(inner.any((0, 2)))[0],
            np.nonzero(inner.any((0, 1)))[0],
        )
        assert rows[0] > 3 * size // 16 and rows[-1] < 11 * size // 16 - 1
        assert across[0] > size // 4 and across[-1] < 3 * size // 4 - 1


# Mean red, green and blue of four pictures each.
FLOWERS = [
    [60.9, 65.7, 61.0],
    [36.9, 54.7, 53.1],
    [136.9, 163.9, 135.8],
    [190.0, 201.9, 181.3],
]
BIRDS = [
    [162.5, 189.1, 215.1],
    [154.4, 196.3, 226.7],
    [158.8, 191.6, 204.3],
    [174.9, 184.4, 138.2],
]


def test_the_drawing_is_the_one_that_the_oracles_know():
    """A changed drawing needs new weights. No processor's rounding matters here."""
    content, style = some(4)
    pictures, _ = draw_flowers(content, style, 32)
    assert np.allclose(pictures.mean((2, 3)), FLOWERS, atol=0.2)
    birds = Birds("test", 32, individuals=2)
    assert np.allclose(birds.images[::25].mean((2, 3)), BIRDS, atol=0.2)


def test_birds_are_spoken_of_as_ever():
    """What both worlds share has changed no word about a bird."""
    birds = Birds("test", 32, individuals=2)
    digest = hashlib.sha256("\n".join(birds.captions).encode()).hexdigest()
    assert digest[:16] == "7ce530dc3d2f78f3"


# --------------------------------------------------------------------------- batches


def test_a_batch_holds_what_is_known(drawn):
    batch = drawn.batch(3)
    assert len(batch) == len(batch.caption) == 16
    assert batch.image.dtype == torch.uint8 and batch.image.shape == (16, 3, SIZE, SIZE)
    table = torch.from_numpy(variety_table())
    same = (table[batch.class_id] == batch.attributes[:, None]).all(2)
    assert same.any(1).all()  # each flower is of one of its species' varieties
    spoken = batch.named >= 0
    assert torch.equal(batch.named[spoken], batch.attributes[spoken])
    assert spoken.any(1).all() and batch.style.shape == (16, len(STYLE))
    tokens, lengths = drawn.vocabulary.encode(batch.caption)
    assert torch.equal(batch.tokens, tokens) and torch.equal(batch.lengths, lengths)
    assert batch.boxes.shape == (16, len(PARTS) - 1, 4) and batch.labels.tolist() == [
        *range(1, len(PARTS))
    ]


def test_a_batch_is_a_function_of_its_step(drawn):
    first, later = drawn.batch(5), drawn.batch(6)
    other = Flowers("train", SIZE, 16, EACH).batch(5)  # another object, the same batch
    assert torch.equal(first.image, other.image) and first.caption == other.caption
    assert not torch.equal(first.image, later.image)
    parts = [drawn.batch(1, rank, 2) for rank in range(2)]
    whole = Flowers("train", SIZE, 32, EACH).batch(1)
    assert torch.equal(torch.cat([p.image for p in parts]), whole.image)


def test_distinct_species(drawn):
    batch, seeds = drawn.distinct(0, 40)
    assert len(batch.class_id.unique()) == len(batch) == 40
    assert [
        caption(row, seed)[0] for row, seed in zip(batch.attributes.numpy(), seeds)
    ] == batch.caption
    assert len(drawn.distinct(0, 1000)[0]) == 82


def test_masks_and_boxes_agree(drawn):
    batch = drawn.batch(0)
    for boxes, mask in zip(batch.boxes, batch.masks):
        for number, box in zip(batch.labels, boxes):
            rows, columns = torch.nonzero(mask == number, as_tuple=True)
            found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert torch.allclose(box * SIZE, torch.tensor(found, dtype=torch.float32))


def test_unknown_split_is_refused():
    with pytest.raises(ValueError, match="flower world has the splits train and test"):
        Flowers("valid")


# ------------------------------------------------------------------------- the cache


def test_a_damaged_cache_is_noticed_and_drawn_anew(tmp_path, monkeypatch, capsys):
    """All else about the cache: test_birds.py, whose code it is."""
    monkeypatch.setenv("T2I_CACHE", str(tmp_path))
    good = np.array(Flowers("test", 16, individuals=1).images)
    (folder,) = [p for p in tmp_path.iterdir() if p.name.startswith("flowers1-test-16")]
    content = bytearray((folder / "images.npy").read_bytes())
    content[-3] ^= 0xFF
    (folder / "images.npy").write_bytes(content)
    worlds.arrays_of.cache_clear()
    assert np.array_equal(Flowers("test", 16, individuals=1).images, good)
    assert "drawn flowers" in (said := capsys.readouterr().err) and "damaged" in said
    worlds.arrays_of.cache_clear()


def test_worlds_have_fingerprints_of_their_own():
    flowers, birds = Flowers.world.fingerprint(), Birds.world.fingerprint()
    assert len(flowers) == len(birds) == 12 and flowers != birds
    assert any("flower world: drawn" in line for line in worlds.reported(Flowers.world))
