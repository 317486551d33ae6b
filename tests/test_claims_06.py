"""Lesson 06's claims: each sentence beside the numbers that hold it."""

from statistics import mean

import pytest
import torch
from claims import says

from t2i_course.experiments import records, values
from t2i_course.measure import translation
from t2i_course.measure.oracle import oracle
from t2i_course.papers.pix2pix import PatchDiscriminator
from t2i_course.systems import parameter_counts, shipped
from t2i_course.worlds.bird_drawing import PARTS
from t2i_course.worlds.bird_species import ATTRIBUTES
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.domains import PALETTE, Pairs


def of(place: str, name: str, seeds: int = 3) -> list:
    """A figure of every recorded seed."""
    found = values(records("06"), place, name)
    assert len(found) == seeds, f"{place} is on record with {len(found)} seeds"
    return found


def below(low: list[float], high: list[float]) -> bool:
    """Whether each seed of one lies below the same seed of the other."""
    return all(a < b for a, b in zip(low, high, strict=True))


# --------------------------------------------------------------------------- with pairs


def test_a_grey_bird_is_nearer_than_a_real_one():
    says("06", "by (1) its colours are better than those of another real bird.")
    train = Pairs(Birds("train", 32)).all(3000).to("cpu")
    _, birds, masks = translation.unseen("parts", 500)
    best = translation.in_median_colours(masks, train.image[:, 3:], train.masks)
    same = (masks == masks.roll(100, 0)) & (masks > 0)
    error, other = ((g - birds).abs().mean(1)[same].mean() for g in
                    (best, birds.roll(100, 0)))  # fmt: skip
    assert error < 0.8 * other


def test_painting():
    says("06", "The distance alone has the least error, the palest birds, and a large "
         "Fréchet distance.")  # fmt: skip
    l1, game, both, straight = (
        f"paint/{row}" for row in ("L1", "cGAN", "L1 + cGAN", "no skips")
    )
    for other in (game, both, straight):
        assert below(of(l1, "error"), of(other, "error"))
        assert below(of(l1, "colour"), of(other, "colour"))
    says("06", "The five large parts are read even better than those of real birds.")
    (real,) = of("paint/real birds", "iou", 1)
    assert min(of(l1, "iou")) > real
    says("06", "The game alone has the largest error, and its parts lie less well.")
    for other in (l1, both, straight):
        assert below(of(other, "error"), of(game, "error"))
    assert below(of(game, "iou"), of(both, "iou"))
    says(
        "06",
        "Both together: nearly the error and the parts of the first, far more colour, "
        "and by far the least Fréchet distance.",
    )
    assert mean(of(both, "error")) < 1.1 * mean(of(l1, "error"))
    assert abs(mean(of(both, "iou")) - mean(of(l1, "iou"))) < 0.01
    assert mean(of(both, "colour")) > 1.1 * mean(of(l1, "colour"))
    for other in (l1, game, straight):
        assert mean(of(both, "distance")) < 0.65 * mean(of(other, "distance"))
    says("06", "By the Fréchet distance it is hardly better than the distance alone")
    assert 0.85 < mean(of(game, "distance")) / mean(of(l1, "distance")) < 1
    says("06", "Without the joins the parts are drawn in the wrong places")
    assert mean(of(straight, "iou")) < mean(of(both, "iou")) - 0.1
    says("06", "With both terms it is about a twentieth.")
    assert all(abs(share - 0.05) < 0.012 for share in of(both, "diversity"))


def test_segmenting():
    says("06", "The middle seed fails in both rows.")
    says("06", "four of the seven parts have blue in their colour")
    assert sum(PALETTE[part][2] > 0 for part in PARTS[1:]) == 4
    says(
        "06",
        "In the other two seeds the game raises the overlap and lowers the share of "
        "right pixels",
    )
    alone, both = "segment/L1", "segment/L1 + cGAN"
    for place in (alone, both):
        first, failed, third = of(place, "iou")
        assert failed < 0.45 < 0.5 < min(first, third)
    for i in (0, 2):
        assert of(both, "iou")[i] > of(alone, "iou")[i] + 0.03
        assert of(both, "accuracy")[i] < of(alone, "accuracy")[i]


@pytest.mark.parametrize(
    ("system", "counts"),
    [("pix2pix", (54_413_955, 2_768_705)), ("cyclegan", (2 * 11_378_179,))],
)
def test_published_sizes(system, counts):
    found = parameter_counts(system, "paper").values()
    assert all(count in found or count == sum(sorted(found)[-2:]) for count in counts)
    assert PatchDiscriminator().field == 70


# ------------------------------------------------------------------------ without pairs


def test_wings():
    no, cycle, same = (
        f"wings/{row}" for row in ("no cycle", "cycle", "cycle and identity")
    )
    says("06", "blind guessing would keep about a quarter")
    shares = [1 / len(v) for n, v in ATTRIBUTES.items() if n != "pattern"]
    assert 0.2 < mean(shares) < 0.32
    says("06", "The game alone makes other birds of them: about three attributes in ten "
         "are kept.")  # fmt: skip
    assert all(0.24 < value < 0.36 for value in of(no, "kept"))
    says(
        "06",
        "With the cycle the way there and back is closed far better, and yet no more is "
        "kept, and the error against the truth is even the largest of the table.",
    )
    assert mean(of(cycle, "there and back")) < 0.6 * mean(of(no, "there and back"))
    assert abs(mean(of(cycle, "kept")) - mean(of(no, "kept"))) < 0.1
    for side in ("to y", "to x"):
        assert mean(of(cycle, side)) == max(
            mean(of(p, side)) for p in (no, cycle, same)
        )
    says("06", "nine attributes in ten, and a third of the error.")
    assert all(0.85 < value < 0.95 for value in of(same, "kept"))
    for side in ("to y", "to x"):
        assert mean(of(same, side)) < 0.42 * min(
            mean(of(no, side)), mean(of(cycle, side))
        )
    says("06", "It costs patterns")
    assert mean(of(same, "changed")) < mean(of(cycle, "changed"))
    says(
        "06", "Whoever changes nothing has by far the least error and keeps everything."
    )
    (error,), (kept,) = (of("wings/nothing", name, 1) for name in ("to y", "kept"))
    assert error < 0.2 * min(of(same, "to y")) and kept > 0.99


def test_patches():
    one, six, whole = (f"patches/{field}" for field in (1, 6, 34))
    usual, alone = "paint/L1 + cGAN", "paint/L1"
    says(
        "06",
        "its birds are more colourful than those of the distance alone, at a far smaller "
        "Fréchet distance.",
    )
    assert below(of(alone, "colour"), of(one, "colour"))
    assert mean(of(one, "distance")) < 0.7 * mean(of(alone, "distance"))
    says("06", "16 pixels and all 34 are ahead of single pixels in every seed.")
    for larger in (usual, whole):
        assert below(of(larger, "distance"), of(one, "distance"))
    says("06", "Between 16 and the whole picture these three seeds can't decide.")
    ahead = [a < b for a, b in zip(of(usual, "distance"), of(whole, "distance"))]
    assert any(ahead) and not all(ahead)
    says("06", "The outlines are as good with each of them")
    shares = [mean(of(place, "iou")) for place in (one, six, usual, whole)]
    assert max(shares) - min(shares) < 0.005


def test_what_a_map_hides():
    says(
        "06",
        "some birds stand in another scene: of 200 about one in eight, and none before.",
    )
    hider, names = shipped("cyclegan_parts"), list(ATTRIBUTES)
    _, birds, _ = translation.unseen("parts", 200)
    middle = hider.sample(birds, "x")
    back = [hider.sample(m) for m in (middle, translation.as_parts(middle))]
    habitat = [oracle(32).read(p)[:, names.index("habitat")] for p in (birds, *back)]
    kept = [float((seen == habitat[0]).float().mean()) for seen in habitat[1:]]
    assert kept[0] == 1 and abs(kept[1] - 7 / 8) < 0.03


def test_three_ways_to_close_the_cycle():
    first, second, third = of("parts/cycle", "survival")
    overlap = of("parts/cycle", "iou")
    says("06", "Rounding its maps to the 256 levels of a file destroys nothing")
    assert abs(first["8 bits"] - first["as it is"]) < 0.001
    says("06", "destroy some, and the nearest colours most.")
    assert first["as it is"] < min(first["noise"], first["blurred"])
    assert max(first, key=first.get) == "nearest colours"
    says("06", "Seed 1 hides next to nothing")
    assert max(second.values()) - min(second.values()) < 0.002
    says("06", "Seed 2 brings the bird back best of all.")
    assert third["as it is"] < min(first["as it is"], second["as it is"])
    says("06", "their overlap is that of a map without a bird")
    *_, masks = translation.unseen("parts", 1000)
    blank = translation.class_iou(torch.zeros_like(masks), masks, len(PARTS))
    assert abs(overlap[2] - float(blank.nanmean())) < 0.002
    says("06", "in differences smaller than one level of 256.")
    assert third["8 bits"] > 3 * third["as it is"]
    assert third["8 bits"] == third["nearest colours"]
    says(
        "06",
        "With pairs the overlap of the maps was above 0.5 in two seeds of three; without "
        "them it is a third in two",
    )
    assert all(abs(value - 1 / 3) < 0.01 for value in overlap[:2])
    assert sum(value > 0.5 for value in of("segment/L1", "iou")) == 2


def test_dusk():
    no, cycle, same = (
        f"dusk/{row}" for row in ("no cycle", "cycle", "cycle and identity")
    )
    says("06", "whoever changes nothing is furthest from the truth.")
    for side in ("to y", "to x"):
        (still,) = of("dusk/nothing", side, 1)
        assert still > max(of(no, side) + of(cycle, side) + of(same, side))
    says("06", "of their attributes no more are kept than by guessing.")
    assert max(of(no, "kept")) < 0.3
    says("06", "With the cycle two seeds of three keep more than half; the third")
    assert [value > 0.5 for value in of(cycle, "kept")] == [True, False, True]
    for side in ("to y", "to x"):
        assert of(cycle, side)[1] > max(of(no, side))
    says("06", "With the identity loss all three agree.")
    assert max(of(same, "kept")) - min(of(same, "kept")) < 0.05
    says("06", "in every row the way back to day has the larger error")
    for place in (no, cycle, same):
        assert below(of(place, "to y"), of(place, "to x"))
