"""A head for families on a network at rest, and what is typical of a family."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from t2i_course.data import Batch
from t2i_course.measure import new_task
from t2i_course.measure.new_task import family_head, shown_of_family, typical
from t2i_course.measure.oracle import oracle
from t2i_course.worlds.bird_species import ATTRIBUTES, FAMILIES
from t2i_course.worlds.birds import Birds

pytestmark = pytest.mark.usefixtures("one_thread")


class Reader(nn.Module):
    """A network of one layer, for pictures of 3 x 4 x 4."""

    def __init__(self, width=12):
        super().__init__()
        rng = torch.Generator().manual_seed(0)
        self.weights = torch.randn(48, width, generator=rng)

    def features(self, pictures):
        return (pictures.flatten(1) @ self.weights).relu()


def told_apart(families, each=12, seed=0) -> Batch:
    """Birds of these families, each family around a picture of its own."""
    rng = torch.Generator().manual_seed(seed)
    centre = torch.randn(FAMILIES, 3, 4, 4, generator=torch.Generator().manual_seed(9))
    family = torch.tensor(families).repeat_interleave(each)
    noise = 0.3 * torch.randn(len(family), 3, 4, 4, generator=rng)
    species = family + FAMILIES * (torch.arange(len(family)) % 10)
    return Batch(centre[family] + noise, class_id=species)


def decisions(birds: Batch, pictures) -> tuple[np.ndarray, np.ndarray]:
    """(families that are there, their decision function): scikit-learn's own."""
    family = (birds.class_id % FAMILIES).numpy()
    features = Reader().features
    model = LogisticRegression(C=0.1, max_iter=500)
    model.fit(features(birds.image).numpy(), family)
    return model.classes_, model.decision_function(features(pictures).numpy())


# the head -----------------------------------------------------------------------------


@pytest.mark.parametrize("families", [range(20), (3, 7, 11, 19)])
def test_logits_are_scikit_learns_decisions(families):
    birds = told_apart(list(families))
    layer = family_head(Reader(), birds)
    pictures = told_apart(list(families), 5, seed=1).image
    classes, expected = decisions(birds, pictures)
    rows = layer(pictures)
    assert rows.shape == (len(pictures), 20) and classes.tolist() == list(families)
    assert np.allclose(rows[:, classes].numpy(), expected, atol=1e-3)
    assert np.abs(expected).max() > 1


def test_a_family_without_a_bird_is_never_named():
    birds = told_apart([3, 7, 11, 19])
    layer = family_head(Reader(), birds)
    rng = torch.Generator().manual_seed(1)
    rows = layer(torch.randn(500, 3, 4, 4, generator=rng))
    assert set(rows.argmax(1).tolist()) == {3, 7, 11, 19}
    assert rows.softmax(1)[:, [0, 1, 2, 18]].max() < 1e-6


def test_families_that_are_told_apart_are_named():
    birds = told_apart(range(20))
    other = told_apart(range(20), seed=1)
    named = family_head(Reader(), birds)(other.image).argmax(1)
    assert (named == other.class_id % FAMILIES).float().mean() > 0.9


def test_fewer_than_three_families_are_refused():
    with pytest.raises(ValueError, match="three families"):
        family_head(Reader(), told_apart([3, 7]))


def test_a_slope_leads_to_the_picture():
    """By the layer, and by hand: the weights of the unit through what is above 0."""
    birds = told_apart(range(20))
    reader = Reader()
    layer = family_head(reader, birds)
    picture = birds.image[:2].clone().requires_grad_()
    rows = layer(picture)
    (slope,) = torch.autograd.grad(rows[:, 5].sum(), picture)
    family = (birds.class_id % FAMILIES).numpy()
    model = LogisticRegression(C=0.1, max_iter=500)
    model.fit(reader.features(birds.image).numpy(), family)
    on = (picture.flatten(1) @ reader.weights > 0).float()
    expected = (on * torch.tensor(model.coef_[5]).float()) @ reader.weights.T
    assert torch.allclose(slope.flatten(1), expected, atol=1e-3)
    assert slope.abs().min(0).values.max() > 0


def test_the_oracle_at_rest_keeps_its_slope_and_its_weights():
    before = oracle(64).code.weight.clone()
    birds = Birds("train", 64).all(40).to("cpu")
    layer = family_head(oracle(64), birds)
    picture = birds.image[:2].clone().requires_grad_()
    (slope,) = torch.autograd.grad(layer(picture)[:, 3].sum(), picture)
    assert slope.shape == picture.shape and slope.flatten(1).norm(dim=1).min() > 1e-4
    assert torch.equal(oracle(64).code.weight, before)
    assert not oracle(64).code.weight.requires_grad


def test_rightly_named_is_the_share_on_unseen_species():
    """A layer that knows each bird's family, but for those of family 4."""
    birds = Birds("test", 64).all(300).to("cpu")
    family, done = birds.class_id % FAMILIES, 0

    def layer(pictures):
        nonlocal done
        known = family[done : done + len(pictures)].clone()
        assert torch.equal(pictures, birds.image[done : done + len(pictures)])
        done += len(pictures)
        known[known == 4] = 5
        return torch.nn.functional.one_hot(known, FAMILIES).float()

    found = new_task.rightly_named(layer, 300)
    assert done == 300 and found == pytest.approx(1 - (family == 4).float().mean())
    assert 0.9 < found < 1


def test_known_birds_are_of_the_species_that_train():
    birds = new_task.known_birds(150)
    assert len(birds) == 150 and birds.image.dtype == torch.float32
    assert not set(birds.class_id.tolist()) & set(Birds("test", 64).species.tolist())
    assert len((birds.class_id % FAMILIES).unique()) == FAMILIES


# what is typical of a family ----------------------------------------------------------


def by_hand(rows, species) -> Batch:
    """Birds of these attributes (nine each) and species."""
    return Batch(torch.zeros(len(rows), 0), class_id=torch.tensor(species),
                 attributes=torch.tensor(rows))  # fmt: skip


def test_the_most_frequent_value_is_typical():
    rows = [[1, 0, 5, 2, 0, 1, 3, 0, 2], [1, 4, 5, 3, 1, 1, 3, 0, 2],
            [6, 4, 5, 3, 0, 0, 2, 1, 2], [7, 7, 7, 7, 1, 1, 1, 1, 1]]  # fmt: skip
    found = typical(by_hand(rows, [0, 20, 180, 39]))
    assert found.shape == (20, len(ATTRIBUTES))
    assert found[0].tolist() == [1, 4, 5, 3, 0, 1, 3, 0, 2]
    assert found[19].tolist() == rows[3]


def test_typical_of_the_bird_world_is_what_families_share():
    """Habitat, size and beak, in seven of ten members or more; colours are no such."""
    birds = new_task.known_birds(600)
    same = birds.attributes == typical(birds)[birds.class_id % FAMILIES]
    share = dict(zip(ATTRIBUTES, same.float().mean(0).tolist()))
    for name in ("beak", "beak_colour", "size", "habitat"):
        assert share[name] > 0.8
    assert max(share[name] for name in ("wing", "belly", "crown", "tail")) < 0.45


class Judge:
    """Reads what it is told to."""

    def __init__(self, rows):
        self.rows = rows

    def read(self, pictures):
        assert len(pictures) == FAMILIES
        return self.rows


def test_shown_of_family_counts_families():
    birds = new_task.known_birds(300)
    seen = typical(birds).clone()
    seen[:5, 0] = (seen[:5, 0] + 1) % 10  # five wings are wrong
    seen[:, 8] = (seen[:, 8] + 1) % 4  # all habitats
    found = shown_of_family(torch.zeros(20, 3, 4, 4), Judge(seen), birds)
    assert found["wing"] == 0.75 and found["habitat"] == 0 and found["belly"] == 1
    assert found["wing, by lot"] == 0.1 and found["beak, by lot"] == 0.5
    assert set(found) == {*ATTRIBUTES, *(f"{name}, by lot" for name in ATTRIBUTES)}
