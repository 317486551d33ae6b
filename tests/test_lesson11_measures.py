"""What fools scores, maps of birds, novel captions, counting, denying, masks."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_pointing import gan_of_the_world

from t2i_course.experiments import records, runs_of
from t2i_course.measure import (
    fooling,
    limits,
    mapped,
    novelty,
    padding,
    steadiness,
)
from t2i_course.measure.birds import asked, unseen_captions
from t2i_course.measure.pointing import some_of
from t2i_course.measure.retrieval import r_precision
from t2i_course.show.mapped import RIM, SIDE, framed, on_map
from t2i_course.show.padded import beside_released, spread_by_length
from t2i_course.show.reworded import same_noises
from t2i_course.systems import shipped
from t2i_course.text.vocabulary import NoKnownWord
from t2i_course.worlds.bird_captions import named_by
from t2i_course.worlds.bird_drawing import draw_birds
from t2i_course.worlds.bird_species import ATTRIBUTES, COLOURS
from t2i_course.worlds.birds import Birds, vocabulary

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def system():
    return gan_of_the_world().requires_grad_(False)


def captions(count: int, seed: int = 5):
    return unseen_captions(count, 64, seed).to("cpu")


# pictures that fool -------------------------------------------------------------------


def test_a_copier_shows_training_birds_whatever_is_asked():
    some, others = captions(20, 1), captions(20, 2)
    shown = fooling.copied(some, 64, seed=3)
    assert torch.equal(shown, fooling.copied(others, 64, seed=3))
    assert not torch.equal(shown, fooling.copied(some, 64, seed=4))
    there = {p.tobytes() for p in Birds("train", 64).images}
    pixels = ((shown + 1) * 127.5).round().to(torch.uint8)
    assert all(p.numpy().tobytes() in there for p in pixels)


def test_one_drawing_each_obeys_two_colours_and_never_varies():
    batch = captions(150)
    pictures = fooling.one_each(batch)
    assert len(pictures.flatten(1).unique(dim=0)) <= 100
    twice = torch.cat([fooling.one_each(batch, seed=0), pictures])
    assert torch.equal(twice[:150], twice[150:])
    alone = fooling.one_each(some_of(batch, [7]))
    assert torch.equal(alone[0], pictures[7])  # whoever stands beside it
    found = fooling.scored(pictures, batch, {}, batch.image)
    assert found["both"] > 0.97 and found["all"] < 0.7


def test_an_adversary_pleases_its_examiner_and_draws_no_bird():
    own, batch = shipped("damsm_64"), captions(150)
    pictures = fooling.forged(own, batch, steps=15)
    assert pictures.shape == batch.image.shape and pictures.abs().max() <= 1
    real, made = (r_precision(own, p, batch, 2) for p in (batch.image, pictures))
    assert made > real + 0.15
    found = fooling.scored(pictures, batch, {}, batch.image)
    true = fooling.scored(batch.image, batch, {}, batch.image)
    assert found["all"] < 0.5 < 0.95 < true["all"]
    assert found["inception score"] < 0.5 * true["inception score"]
    assert not any(p.requires_grad for p in own.parameters())


# a map --------------------------------------------------------------------------------


def test_neighbours_of_one_kind_by_hand():
    places = np.array([[0, 0], [0, 1], [9, 0], [9, 1.0]])
    kinds = torch.tensor([3, 3, 5, 5])
    assert mapped.neighbours(places, kinds, 1) == {"same": 1, "by chance": 0.3333}
    assert mapped.neighbours(places, torch.tensor([3, 5, 3, 5]), 1)["same"] == 0


def test_cells_are_distinct_and_keep_what_lies_on_them():
    y, x = np.divmod(np.arange(12), 4)
    places = np.stack([x * 10.0, y * 3.0], 1)[::-1]
    assert mapped.on_cells(places, 4, 3).tolist() == list(range(11, -1, -1))
    rng = np.random.default_rng(0)
    assert len(set(mapped.on_cells(rng.normal(size=(11, 2)), 4, 3))) == 11
    with pytest.raises(ValueError, match="too few"):
        mapped.on_cells(places, 3, 3)


def test_real_birds_of_one_colour_lie_together_and_are_framed():
    batch = mapped.that_name(80)
    kinds = batch.named[:, 0]
    assert (kinds >= 0).all() and len(kinds) == 80
    places = mapped.places_of(batch.image)
    found = mapped.neighbours(places, kinds)
    assert found["same"] > 2 * found["by chance"]
    small = framed(batch.image[:2], torch.tensor([0, 8]))
    assert small.shape[-1] == SIDE + 2 * RIM
    assert small[0, 0, RIM - 1, 9] > small[0, 1, RIM - 1, 9]  # red
    figure = on_map(batch.image, places, kinds, "A title", columns=10)
    assert "80 small pictures" in figure.alt and "for the wing" in figure.alt


# novel captions, and the worst --------------------------------------------------------


def test_novel_captions_name_birds_that_training_has_not():
    there, new = novelty.triples()
    assert len(there) + len(new) == 720 and min(len(there), len(new)) > 300
    known = set(map(tuple, Birds("train", 32).content[:, :3].tolist()))
    for name, batch in novelty.novel_or_not(40).items():
        told = set(map(tuple, batch.named[:, :3].tolist()))
        assert len(told) == 40 and (batch.named[:, 3:] < 0).all()
        assert (told <= known) == (name == "occurs")
        assert bool(told & known) == (name == "occurs")
        assert not vocabulary().notes(batch.caption)
    wing, belly, crown = (COLOURS[n] for n in batch.named[0, :3])
    assert batch.caption[0].startswith(f"a bird with {wing} wings, a")
    assert f" {belly} belly and a" in batch.caption[0]
    assert batch.caption[0].endswith(f" {crown} crown")
    with pytest.raises(ValueError, match="there are"):
        novelty.novel_or_not(500)


def test_the_worst_are_those_with_the_fewest_wishes_fulfilled():
    batch = captions(60)
    assert (novelty.fulfilled(batch.image, batch.named) == 1).float().mean() > 0.95
    enough = ((batch.named >= 0).sum(1) >= 3).nonzero()[:, 0]
    spoilt = batch.image.clone()
    spoilt[enough[4]] = -spoilt[enough[4]]
    few = (batch.named >= 0).sum(1).argmin()  # has too few wishes to count
    spoilt[few] = -spoilt[few]
    assert novelty.worst(spoilt, batch, 1).tolist() == [enough[4]]
    silent = torch.full((1, len(ATTRIBUTES)), -1)
    assert novelty.fulfilled(batch.image[:1], silent) == 1


def test_the_tree_is_measured_on_novel_captions():
    found = novelty.on_novel(shipped("stackgan_tree_64"), 40)
    assert set(found) == {f"{a}, {b}" for a in ("occurs", "novel")
                          for b in ("all", "whole")}  # fmt: skip
    assert found["novel, whole"] <= found["novel, all"]


# counting and denying -----------------------------------------------------------------


def test_the_instrument_can_count_to_two():
    for two in (False, True):
        seen = limits.two_seen(limits.scenes(100, 64, two, seed=9)).float().mean()
        assert abs(float(seen) - two) < 0.08
    real = captions(100).image
    assert limits.two_seen(real).float().mean() < 0.08


def test_words_that_are_read_as_others_or_not_at_all():
    """What the lesson says of these captions' words."""
    words = vocabulary()
    numbers = {w: words.number(w) for w in ("not", "no", "without", "three", "birds")}
    assert [numbers[w] for w in ("not", "no", "without")] == [1, 1, 1]
    assert numbers["three"] == words.number("tree")
    assert numbers["birds"] == words.number("bird") and words.number("two") > 1


def test_pairs_differ_in_what_they_count_or_deny():
    pairs = limits.counted(100)
    for one, two in zip(pairs["one"].caption, pairs["two"].caption):
        assert two == one.replace("a bird", "two birds")
    assert torch.equal(pairs["one"].named, pairs["two"].named)
    for name in limits.DENIALS:
        said, denied = limits.denied(name, 2)
        assert len(said.caption) == 20 and torch.equal(said.named, denied.named)
        assert (denied.tokens == 1).sum(1).tolist() == [1] * 20
        assert not (said.tokens == 1).any()


class Understanding:
    """A system that draws wings of the colour said, and another where it is denied."""

    device = "cpu"
    colours = {vocabulary().number(name): i for i, name in enumerate(COLOURS)}

    def __init__(self):
        self.text_encoder = SimpleNamespace(of=self.read)

    def read(self, batch):
        said = [next(self.colours[n] for n in row if n in self.colours)
                for row in batch.tokens.tolist()]  # fmt: skip
        return (torch.tensor(said) + (batch.tokens == 1).any(1)) % len(COLOURS)

    def network(self, name):
        return self

    def eval(self):
        return self

    noise_size, size = 4, 64

    def __call__(self, noise, wings):
        birds = Birds("test", 64)
        content = birds.content[: len(wings)].copy()
        content[:, 0] = wings.numpy()
        pictures, _ = draw_birds(content, birds.style[: len(wings)].copy(), 64)
        return torch.from_numpy(pictures).float() / 127.5 - 1


def test_one_who_understands_denials_draws_something_else():
    found = limits.denying(Understanding(), 4)
    for name in limits.DENIALS:
        assert found[name] > 0.95 and found[f"{name}, denied"] < 0.05
    apart = limits.counting(Understanding(), 10)
    assert apart["apart"] == 0 and apart["two asked, two seen"] < 0.2


# steadiness ---------------------------------------------------------------------------


def curve(*values: float) -> dict:
    return {"curve": [[i + 1, 0.0, v, v, v] for i, v in enumerate(values)]}


def test_spread_and_setbacks_by_hand():
    assert steadiness.setback([0.1, 0.5, 0.2, 0.4, 0.6, 0.5]) == pytest.approx(0.3)
    assert steadiness.setback([0.1, 0.2]) == 0
    runs = [curve(0.2, 0.6, 0.5, 0.6), curve(0.2, 0.3, 0.4, 0.8)]
    found = steadiness.steadiness(runs, looks=4)
    assert found == {"end": 0.7, "spread": 0.1414, "setback": 0.05,
                     "largest setback": 0.1}  # fmt: skip
    with pytest.raises(ValueError, match="two runs"):
        steadiness.steadiness(runs[:1])


def test_curves_have_the_same_number_of_looks():
    ten = curve(*(i / 10 for i in range(1, 11)))["curve"]
    found = steadiness.equalised(ten, 8)
    assert found == pytest.approx([0.1, 0.2, 0.4, 0.5, 0.6, 0.7, 0.9, 1])
    assert steadiness.equalised(ten, 10) == pytest.approx([row[2] for row in ten])
    with pytest.raises(ValueError, match="fewer than 12"):
        steadiness.equalised(ten, 12)


def test_curves_on_record_can_be_compared():
    """Interpolation alone, in lesson 08, sways; the tree of lesson 10 does not."""
    found = {
        lesson: steadiness.steadiness(runs_of(records(lesson), place))
        for lesson, place in (("08", "variants/gan_int_32"), ("10", "table5/full"))
    }
    assert found["10"]["setback"] < 0.03 < 0.1 < found["08"]["setback"]


# the released mask --------------------------------------------------------------------


def test_padding_is_heard_by_the_released_mask_alone(system):
    batch = captions(24)
    right = padding.in_batches(system, batch, "words", 8)
    wrong = padding.in_batches(system, batch, "released", 8)
    assert right.padding.max() < 1e-6 and wrong.padding.max() > 0.2
    assert right.unheard.max() == 0 and wrong.unheard.max() > 0.2
    assert wrong.where.shape == (24, 32, 32)
    assert torch.allclose(wrong.where.mean((1, 2)), wrong.padding[-1], atol=1e-5)
    short = batch.lengths < batch.lengths.median()
    assert wrong.padding[-1, short].mean() > wrong.padding[-1, ~short].mean()
    assert all(m.mask == "words" for m in system.generator.modules()
               if hasattr(m, "mask"))  # fmt: skip


def test_alone_both_masks_are_the_same_and_order_matters(system):
    batch = captions(8)
    right, alone = (padding.in_batches(system, batch, mask, 1) for mask in
                    ("words", "released"))  # fmt: skip
    assert torch.allclose(right.pictures, alone.pictures, atol=1e-5)
    together = padding.in_batches(system, batch, "words", 8)
    assert torch.allclose(right.pictures, together.pictures, atol=1e-4)
    order = torch.arange(7, -1, -1)
    one, other = (padding.in_batches(system, batch, "released", 8, order=o)
                  for o in (None, order))  # fmt: skip
    assert (one.pictures - other.pictures).abs().max() > 1e-5
    assert torch.allclose(one.padding.sum(1), other.padding.sum(1), rtol=0.3)


def test_what_is_heard_by_hand():
    maps = torch.zeros(1, 3, 1, 2)  # two words and padding, two places
    maps[0, :, 0, 0], maps[0, :, 0, 1] = torch.tensor([[0.5, 0, 0.5], [0.2, 0.8, 0]])
    where, shares, unheard = padding.heard([maps], torch.tensor([2]))
    assert where[0].tolist() == [[0.5, 0]] and shares.item() == 0.25
    assert unheard.item() == 0.25  # of two words at two places
    lengths = torch.tensor([3, 8, 9, 20])
    by = padding.by_length(torch.tensor([1.0, 0, 3, 4]), lengths)
    assert list(by.values()) == [0.5, 3, 4]


def test_the_masks_are_compared_and_shown(system):
    found = padding.padding(system, 40, 20)
    assert found["share, words"] == 0 < found["share"] < found["share, largest"]
    assert found["share, sorted"] < found["share"]
    batch = captions(16)
    rows = spread_by_length(batch, 4)
    lengths = batch.lengths[rows].tolist()
    assert lengths == sorted(lengths) and lengths[0] == batch.lengths.min()
    figure = beside_released(system, batch, "A title", count=4)
    assert "12 pictures in 3 rows of 4" in figure.alt and "padding gets" in figure.alt


def test_a_caption_of_ones_own_is_measured_too(system):
    batch = asked(["a red bird"], named_by({"wing": "red"})[None])
    assert padding.in_batches(system, batch, "released").padding.max() < 1e-6


def test_sentences_are_drawn_with_the_same_noises(system):
    figure = same_noises(system, ["a bird", "two birds"], "A title", count=3)
    assert "6 pictures in 2 rows of 3" in figure.alt and "two birds" in figure.alt
    with pytest.raises(NoKnownWord):
        same_noises(system, ["zebra"], "A title")
