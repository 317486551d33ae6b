"""Lesson 05's claims: each sentence beside the numbers that hold it."""

from statistics import mean

import pytest
import torch
from claims import says

from t2i_course.experiments import records, values
from t2i_course.measure.labels import (
    digits_as_labelled,
    found_in,
    of_families,
    purity,
)
from t2i_course.measure.oracle import oracle
from t2i_course.papers.infogan import code_bound, exact_information
from t2i_course.systems import parameter_counts, shipped
from t2i_course.worlds.bird_species import (
    ATTRIBUTES,
    COLOURS,
    FAMILIES,
    SPECIES,
    plumage_table,
    species_table,
    split_species,
)
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.digits import DigitReader

OBEY = ("joined", "projection", "auxiliary")


def of(place: str, name: str) -> list:
    """A figure of every recorded seed."""
    found = values(records("05"), place, name)
    assert len(found) == 3, f"{place} is on record with {len(found)} seeds"
    return found


def below(low: list[float], high: list[float]) -> bool:
    """Whether each seed of one lies below the same seed of the other."""
    return all(a < b for a, b in zip(low, high, strict=True))


def test_a_three_is_waited_for():
    says("05", "You draw until one comes.")
    gan = shipped("gan_digits")
    gan.rng = torch.Generator().manual_seed(0)
    digit, clear = DigitReader().read(gan.sample(1000))
    assert 0.03 < float(((digit == 3) & clear).float().mean()) < 0.25


def test_digits():
    says(
        "05",
        "The control is as good as a guess: a $D$ that isn't told leaves $G$ free to "
        "ignore you, as section 3 said. Joined, projection and auxiliary all obey, at "
        "98 % or more, and their pictures are clear. The auxiliary classifier obeys "
        "most, and has the lowest diversity, in every seed.",
    )
    assert all(abs(value - 0.1) < 0.02 for value in of("digits/none", "obedience"))
    for way in OBEY:
        assert min(of(f"digits/{way}", "obedience")) >= 0.98
        assert min(of(f"digits/{way}", "clear")) > 0.85
    for way in ("none", "joined, bound", "joined", "joined, louder", "projection"):
        place, auxiliary = f"digits/{way}", "digits/auxiliary"
        assert below(of(place, "obedience"), of(auxiliary, "obedience"))
        assert below(of(auxiliary, "diversity"), of(place, "diversity"))


def test_the_bound_layer():
    says("05", "The same network with one layer held by spectral norm, and it obeys far "
         "less.")  # fmt: skip
    says("05", 'Freed, the layer obeys: the row "joined". And bound, but with one-hot '
         'vectors four times as long ("louder"), it obeys in most cases.')  # fmt: skip
    says("05", "Freed, joining does as well as projection here.")
    bound, free = (
        of("digits/joined, bound", "obedience"),
        of("digits/joined", "obedience"),
    )
    louder = of("digits/joined, louder", "obedience")
    assert max(bound) < 0.7 < 0.85 < min(louder) and min(free) > 0.98
    assert abs(mean(free) - mean(of("digits/projection", "obedience"))) < 0.01


def test_auxiliary_is_less_diverse_than_real():
    says("05", "It obeys nearly always. But its diversity is lower than 1.")
    assert max(of("digits/auxiliary", "diversity")) < 0.9
    found = digits_as_labelled(shipped("acgan_digits"), 500, seed=1)
    assert found["obedience"] > 0.98 and found["diversity"] < 0.9


def test_wings():
    says(
        "05",
        "Only projection and the auxiliary classifier obey, in about seven of ten "
        "pictures (of real birds the oracle reads every wing right). Joined stays at a "
        "guesser's one in ten, bound or not",
    )
    for way in ("none", "joined, bound", "joined"):
        assert max(of(f"wings/{way}", "wing")) < 0.13
    for way in ("projection", "auxiliary"):
        assert all(0.65 < value < 0.76 for value in of(f"wings/{way}", "wing"))
    real = Birds("test", 32).all(1000).to("cpu")
    assert (oracle(32).read(real.image)[:, 0] == real.attributes[:, 0]).all()
    says("05", "a table that had only the Fréchet distance would praise joined.")
    joined, others = "wings/joined", ("none", "joined, bound", "auxiliary")
    assert all(
        mean(of(joined, "distance")) < mean(of(f"wings/{way}", "distance"))
        for way in others
    )
    says(
        "05",
        "the auxiliary classifier obeys a little more, and its Fréchet distance is "
        "larger in every seed: its birds are less like real ones. Projection has the "
        "better score.",
    )
    projection, auxiliary = "wings/projection", "wings/auxiliary"
    assert below(of(projection, "wing"), of(auxiliary, "wing"))
    assert mean(of(auxiliary, "wing")) - mean(of(projection, "wing")) < 0.12
    assert below(of(projection, "distance"), of(auxiliary, "distance"))
    assert below(of(auxiliary, "score"), of(projection, "score"))


def test_weights():
    says(
        "05",
        "With more weight on naming, the wings obey more. The price is paid in "
        "everything else: at weight 10 the diversity within a colour is the lowest of "
        "the table in every seed, the score is lower and the Fréchet distance 1.4 to 2 "
        "times that at weight 1. From 0.1 to 1 the distance rises already, in every "
        "seed; the diversity hardly differs",
    )
    places = ("weights/0.1", "wings/auxiliary", "weights/10")
    low, one, ten = ({name: of(place, name) for name in
                      ("wing", "diversity", "score", "distance")}
                     for place in places)  # fmt: skip
    assert below(low["wing"], one["wing"]) and below(one["wing"], ten["wing"])
    for other in (low, one):
        assert below(ten["diversity"], other["diversity"])
    assert below(ten["score"], one["score"])
    pairs = zip(one["distance"], ten["distance"], strict=True)
    assert all(1.4 * a < b < 2 * a for a, b in pairs)
    assert below(low["distance"], one["distance"])
    assert abs(mean(low["diversity"]) - mean(one["diversity"])) < 0.05
    says("05", "All values are above 1")
    assert min(low["diversity"] + one["diversity"] + ten["diversity"]) > 1


def test_codes():
    says(
        "05",
        "With the bound nearly all of the possible $\\log 10 = 2.30$ nats is there: from "
        "the picture the code can be read almost surely. Without it hardly any.",
    )
    assert min(of("codes/with the term", "nats")) > 2.29
    assert max(of("codes/without", "nats")) < 0.1
    says("05", "about 0.16 for codes that mean nothing")
    assert all(abs(value - 0.16) < 0.02 for value in of("codes/without", "purity"))
    says("05", "That the code became digits is a second thing, and less complete")
    assert all(0.7 < value < 0.95 for value in of("codes/with the term", "purity"))


def test_what_the_numbers_move():
    says(
        "05",
        "number 1 goes with the ink in all three seeds, number 2 with the slant in one "
        "and the width in two; the correlations are moderate, and not every seed found "
        "the same thing.",
    )
    every = of("codes/with the term", "moved")
    assert [one[0][0] for one in every] == ["ink"] * 3
    assert sorted(one[1][0] for one in every) == ["slant", "width", "width"]
    assert all(0.2 < abs(r) < 0.6 for one in every for _, r in one)
    assert len({tuple(sorted(name for name, _ in one)) for one in every}) > 1


def test_a_bound_on_the_toy():
    says("05", "With the true posterior the bound is the information. Any other reader "
         "gives less, and a bad one less than nothing.")  # fmt: skip
    given = torch.tensor(
        [[0.7, 0.1, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1], [0.1, 0.1, 0.4, 0.4]]
    )
    random = torch.Generator().manual_seed(0)
    code = torch.randint(3, (100_000,), generator=random)
    x = torch.multinomial(given[code], 1, generator=random).squeeze(1)
    posterior = (given / given.sum(0)).T.log()
    exact = float(exact_information(given / 3))
    assert abs(float(code_bound(posterior[x], code)) - exact) < 0.01
    assert 0 < float(code_bound(posterior[x] / 2, code)) < exact - 0.05
    assert float(code_bound(posterior[x][:, [1, 0, 2]], code)) < 0


def test_styles():
    says(
        "05",
        "the purities are above those of the network without the bound, and far from 1.",
    )
    with_it, without = "styles/with the term", "styles/without"
    for name in ("wing", "habitat"):
        assert below(of(without, name), of(with_it, name))
        assert max(of(with_it, name)) < 0.5
    assert min(of(with_it, "nats")) > 2.29
    says(
        "05",
        "One of them goes with `x`, where the bird sits from left to right, in all three "
        "seeds, and one with the light in two.",
    )
    found = found_in(of(with_it, "moved"))
    assert (
        found["x"] == 3 and found["light"] == 2 and not found_in(of(without, "moved"))
    )
    says(
        "05",
        'For the tones of single parts it is so low that a "found" tone says nothing.',
    )
    (skill,) = values(records("05"), "styles/reader", "skill")
    assert all(
        skill[f"tone_{part}"] < 0.3 for part in ("wing", "belly", "crown", "tail")
    )
    says("05", "No correlation is above 0.5")
    assert all(abs(r) < 0.5 for one in of(with_it, "moved") for _, r in one)


def test_what_the_codes_of_birds_picked():
    says(
        "05",
        "A little of each colour, and the size of the bird: the bars of wing, belly, "
        "crown and tail are about twice as high as chance, and that of the size is "
        "clearly above its own.",
    )
    system = shipped("infogan_birds")
    kinds = torch.arange(10).repeat_interleave(200)
    system.rng = torch.Generator().manual_seed(1)
    seen = oracle(32).read(system.sample(len(kinds), kinds))
    mixed = kinds[
        torch.randperm(len(kinds), generator=torch.Generator().manual_seed(0))
    ]
    gain, names = {}, list(ATTRIBUTES)
    for i, name in enumerate(names):
        own, chance = purity(kinds, seen[:, i]), purity(mixed, seen[:, i])
        gain[name] = own - chance
        if name in ("wing", "belly", "crown", "tail"):
            assert 1.6 < own / chance < 2.5
    assert gain["size"] > 0.1


def test_families():
    says(
        "05",
        "Nine of the 200 pairs are worn by none of the training birds: family 1 has no "
        "blue wings, family 6 neither red nor orange ones.",
    )
    train, wing = split_species()["train"], list(ATTRIBUTES).index("wing")
    worn = {(s % FAMILIES, w) for s in train for w in plumage_table()[s, :, wing]}
    assert len(worn) == 191
    never = [(1, "blue"), (6, "red"), (6, "orange")]
    assert not any((f, COLOURS.index(c)) in worn for f, c in never)
    says(
        "05",
        "a bird of another family has 0.39 of a family's beak, size and habitat, its "
        "own birds 0.96",
    )
    seen, family = torch.from_numpy(species_table()), torch.arange(SPECIES) % FAMILIES
    assert abs(of_families(seen, family) - 0.96) < 0.005
    others = [of_families(seen, (family + k) % FAMILIES) for k in range(1, FAMILIES)]
    assert abs(mean(others) - 0.39) < 0.005


@pytest.mark.parametrize(
    ("system", "counts"),
    [
        ("cgan", (2_413_984, 1_224_351)),
        ("infogan", (6_652_481, 6_558_144)),
    ],
)
def test_published_sizes(system, counts):
    for count in counts:
        says("05", f"{count:,}")
        assert count in parameter_counts(system, "paper").values()
