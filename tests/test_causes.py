"""Nine favourites that mislead: the collections, and a unit whose cause is known."""

import numpy as np
import pytest
import torch
from torch import Tensor

from t2i_course.measure import causes
from t2i_course.measure.causes import HABITAT, NAMES, WING, Collection
from t2i_course.measure.oracle import oracle
from t2i_course.worlds.bird_drawing import PARTS, draw_birds
from t2i_course.worlds.bird_species import ATTRIBUTES, COLOURS

pytestmark = pytest.mark.usefixtures("one_thread")
COUNTS = np.array([len(values) for values in ATTRIBUTES.values()])


@pytest.fixture(scope="module")
def birds():
    return causes.collection(2, 3, 80)


# the collection -----------------------------------------------------------------------


@pytest.fixture
def undrawn(monkeypatch):
    """Collections without pictures, for those that are counted by the thousand."""
    monkeypatch.setattr(causes, "pictures_of", lambda content, *rest: len(content))
    monkeypatch.setattr(causes, "individual_styles", lambda seed, count: None)


@pytest.mark.parametrize(("colour", "habitat"), [(2, 3), (0, 0), (9, 1)])
def test_one_half_has_both_and_the_other_neither(undrawn, colour, habitat):
    content = causes.collection(colour, habitat, 401).content
    assert (content[:200, WING] == colour).all()
    assert (content[:200, HABITAT] == habitat).all()
    assert (content[200:, WING] != colour).all()
    assert (content[200:, HABITAT] != habitat).all()
    others = set(range(10)) - {colour}, set(range(4)) - {habitat}
    assert set(content[200:, WING]) == others[0]
    assert set(content[200:, HABITAT]) == others[1]


def test_all_else_is_drawn_by_lot(undrawn):
    """Each value about equally often in both halves, and columns know no other."""
    half = 4000
    content = causes.collection(2, 3, 2 * half).content
    assert (content >= 0).all() and (content < COUNTS).all()
    free = [i for i in range(len(NAMES)) if i not in (WING, HABITAT)]
    for column in free:
        for part in (content[:half], content[half:]):
            shares = np.bincount(part[:, column], minlength=COUNTS[column]) / half
            assert abs(shares * COUNTS[column] - 1).max() < 0.2
    of_others = np.bincount(content[half:, WING], minlength=10) / half
    assert abs(np.delete(of_others, 2) * 9 - 1).max() < 0.2
    related = np.corrcoef(content[half:].T) - np.eye(len(NAMES))
    assert abs(related).max() < 0.07
    related = np.corrcoef(content[:half, free].T) - np.eye(len(free))
    assert abs(related).max() < 0.07
    both = np.corrcoef(content[:, WING] == 2, content[:, HABITAT] == 3)
    assert both[0, 1] == 1  # that is the trap


def test_it_is_the_same_again(birds):
    again = causes.collection(2, 3, 80)
    assert len(birds) == 80 and birds.pictures.shape == (80, 3, 64, 64)
    assert torch.equal(again.pictures, birds.pictures)
    assert np.array_equal(again.content, birds.content)
    for other in ((2, 3, 80, 1), (2, 2, 80), (3, 3, 80)):
        assert not np.array_equal(causes.collection(*other).content, birds.content)
    style = causes.collection(2, 3, 80, 1).style
    assert not np.array_equal(style, birds.style)


def test_pictures_are_those_of_the_world(birds):
    """Drawn in groups of 64: the 70th is the one that is drawn alone."""
    rows = [0, 63, 64, 70]
    alone = draw_birds(birds.content[rows], birds.style[rows], 64)[0]
    assert torch.equal(birds.pictures[rows], torch.from_numpy(alone) / 127.5 - 1)
    assert causes.pictures_of(birds.content[:2], birds.style[:2], 32).shape[-1] == 32


# favourites, and birds drawn again ----------------------------------------------------


def test_the_top_begins_with_the_highest():
    activations = torch.tensor([0.5, 3.0, -1.0, 2.0, 9.0, 2.5])
    assert causes.top(activations, 4).tolist() == [4, 1, 5, 3]
    assert causes.top(activations).tolist() == [4, 1, 5, 3, 0, 2]
    assert len(causes.top(torch.randn(50))) == 9


@pytest.mark.parametrize("attribute", ["wing", "habitat", "pattern"])
def test_one_attribute_changes_and_nothing_else(birds, attribute):
    rows = torch.tensor([5, 71, 0, 40, 79, 12])
    changed = causes.without(birds, rows, attribute)
    apart = changed.content != birds.content[rows.numpy()]
    assert apart.sum(1).tolist() == [1] * 6 and apart[:, NAMES.index(attribute)].all()
    assert (changed.content >= 0).all() and (changed.content < COUNTS).all()
    assert np.array_equal(changed.style, birds.style[rows.numpy()])
    again = causes.without(birds, rows, attribute)
    assert np.array_equal(again.content, changed.content)
    assert np.array_equal(birds.content, causes.collection(2, 3, 80).content)


def test_many_other_values_are_taken(undrawn):
    birds = Collection(np.tile([4] + [0] * (len(NAMES) - 1), (300, 1)), np.zeros(300))
    changed = causes.without(birds, torch.arange(300), "wing").content[:, WING]
    assert set(changed) == set(range(10)) - {4}
    other = causes.without(birds, torch.arange(300), "wing", seed=1).content[:, WING]
    assert not np.array_equal(changed, other)


def inside(parts, name: str) -> Tensor:
    """(B, S, S) bool: where all pixels within two of this one are of the part."""
    other = torch.from_numpy(parts != PARTS.index(name))[:, None].float()
    return torch.nn.functional.max_pool2d(other, 5, 1, 2)[:, 0] == 0


def test_pictures_differ_where_the_part_is_and_not_where_nothing_of_it_is(birds):
    """By the drawing's own part maps; edges are mixed of what meets there."""
    rows = torch.arange(9)
    parts = draw_birds(birds.content[:9], birds.style[:9], 64)[1]
    differ = {}
    for name in ("wing", "habitat"):
        apart = causes.without(birds, rows, name).pictures - birds.pictures[rows]
        differ[name] = apart.abs().amax(1) > 0
    whole = {name: inside(parts, name) for name in PARTS[:5]}
    assert all(some.any() for some in whole.values())
    assert differ["wing"][whole["wing"]].all()
    for name in ("background", "belly", "crown", "tail"):
        assert not differ["wing"][whole[name]].any()
    assert differ["habitat"][whole["background"]].float().mean() > 0.9
    for name in ("wing", "belly", "crown", "tail"):
        assert not differ["habitat"][whole[name]].any()


# what a unit follows ------------------------------------------------------------------


class Told:
    """An oracle that knows each picture's attributes, and reads one or two of them.

    Its unit "wing" for a value adds `wing` where the wing has it, and `habitat` where
    the bird stands in the habitat that goes with it in the collection.
    """

    def __init__(self, habitat_of: dict[int, int], wing: float, habitat: float):
        self.habitat_of, self.weights = habitat_of, (wing, habitat)
        self.known: dict[bytes, np.ndarray] = {}

    def drawn(self, content, style, size=64) -> Tensor:
        """In place of pictures: a few pixels that say which bird it is."""
        return torch.from_numpy(np.asarray(content))[:, :, None, None].float()

    def __call__(self, pictures: Tensor) -> dict[str, Tensor]:
        content = pictures[:, :, 0, 0].long()
        rows = torch.zeros(len(content), 10)
        for colour, habitat in self.habitat_of.items():
            rows[:, colour] = self.weights[0] * (content[:, WING] == colour).float()
            rows[:, colour] += self.weights[1] * (content[:, HABITAT] == habitat)
        return {"wing": rows}


@pytest.mark.parametrize(("wing", "habitat"), [(3.0, 0.0), (0.0, 2.0), (3.0, 2.0)])
def test_what_a_unit_follows_is_told(monkeypatch, wing, habitat):
    """The same nine in all three; only drawing them again says which it was."""
    pairs = [(0, 1), (6, 3)]
    told = Told(dict(pairs), wing, habitat)
    monkeypatch.setattr(causes, "pictures_of", told.drawn)
    found = causes.misleading(told, "wing", pairs, 120)
    assert found == {
        "the colour": 1.0,
        "the habitat": 1.0,
        "falls without the colour": wing,
        "falls without the habitat": habitat,
    }


def test_a_unit_that_follows_neither(monkeypatch):
    told = Told({}, 0.0, 0.0)
    monkeypatch.setattr(causes, "pictures_of", told.drawn)
    monkeypatch.setattr(causes, "top", lambda rows: torch.arange(56, 65))
    found = causes.misleading(told, "wing", [(0, 1), (4, 2)], 120)
    assert found["falls without the colour"] == found["falls without the habitat"] == 0
    # of numbers 56 to 64, four are of the first half
    assert found["the colour"] == found["the habitat"] == pytest.approx(4 / 9, abs=1e-4)


def test_the_oracles_colour_unit_is_misleading_and_reads_the_wing():
    found = causes.misleading(oracle(64), "wing", [(COLOURS.index("red"), 2)], 60)
    assert found["the colour"] == found["the habitat"] == 1
    assert found["falls without the colour"] > 5
    assert abs(found["falls without the habitat"]) < 2


def test_readings_are_the_oracles(birds):
    found = causes.readings(oracle(64), birds, "wing", 2)
    with torch.inference_mode():
        whole = oracle(64)(birds.pictures)["wing"][:, 2]
    assert torch.allclose(found, whole, atol=1e-3)
    assert found[:40].min() > found[40:].max()  # yellow wings, and others
