"""Pointing and rewording, by hand-made maps and masks; R-precision by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_attngan import SMALL

from t2i_course.data import Batch
from t2i_course.measure import pointing, rewording
from t2i_course.measure.birds import asked, unseen_captions
from t2i_course.measure.pointing import KINDS, held_against, on_grid
from t2i_course.measure.retrieval import (
    caption_lists,
    first_of,
    picture_ceiling,
    r_precision,
    r_precision_by_words,
)
from t2i_course.systems import shipped
from t2i_course.worlds.bird_captions import FORMS, caption, named_by
from t2i_course.worlds.bird_drawing import PARTS
from t2i_course.worlds.birds import Birds, vocabulary

pytestmark = pytest.mark.usefixtures("one_thread")
WING, BELLY, BEAK = (PARTS.index(part) for part in ("wing", "belly", "beak"))


def told(sentence: str, **named: str) -> Batch:
    return asked([sentence], named_by(named)[None])


def said_of(sentence: str, which) -> dict[str, str]:
    """{word: part} of the words that a function finds in a sentence."""
    words = vocabulary().words
    batch, row = sentence, which(sentence)[0].tolist()
    numbers = batch.tokens[0].tolist()
    return {words[n - 2]: PARTS[p] for n, p in zip(numbers, row) if p}


# what words name ----------------------------------------------------------------------


def test_words_name_their_parts():
    sentence = "a red winged bird with feathers on its back, a short bill and a throat"
    batch = told(sentence, wing="red", beak="short")
    found = said_of(batch, pointing.part_words)
    assert found == {"winged": "wing", "bill": "beak", "throat": "belly"}
    assert said_of(batch, pointing.colour_words) == {"red": "wing"}
    assert pointing.function_words(batch)[0].sum() == 6  # a with its a and a


def test_every_part_phrase_of_the_grammar_names_its_part():
    """Of thousands of captions, each that names a part's colour has a word for it."""
    birds, missing = Birds("test", 32), 0
    content = birds.content
    for i in range(0, len(content), 7):
        sentence, names = caption(content[i], (int(birds.species[i]), i, 1))
        batch = asked([sentence], names[None])
        there = set(pointing.part_words(batch)[0].tolist())
        missing += any(names[k] >= 0 and k + 1 not in there for k in range(4))
        for number in set(pointing.colour_words(batch)[0].tolist()) - {0, BEAK}:
            assert names[number - 1] >= 0
    # "a mostly red bird": the form "overall" says colours of no part in particular
    assert "overall" in FORMS and missing / len(content[::7]) < 0.25


def test_a_colour_of_two_parts_or_said_twice_is_nobodys():
    both = told("red wings and a red belly", wing="red", belly="red")
    assert said_of(both, pointing.colour_words) == {}
    twice = told("black wings and a black eye", wing="black")
    assert said_of(twice, pointing.colour_words) == {}
    one = told("grey wings, a jet black belly and an orange bill", wing="grey",
               belly="black", beak_colour="orange")  # fmt: skip
    assert said_of(one, pointing.colour_words) == {
        "grey": "wing", "black": "belly", "orange": "beak",
    }  # fmt: skip


# maps and masks -----------------------------------------------------------------------


def quarters() -> torch.Tensor:
    """A part map 4 x 4: wing above left, belly above right, a beak of one pixel."""
    masks = torch.zeros(1, 4, 4, dtype=torch.uint8)
    masks[:, :2, :2], masks[:, :2, 2:], masks[:, 3, 3] = WING, BELLY, BEAK
    return masks


def test_masks_are_stretched_by_area():
    small, large = on_grid(quarters(), (2, 2)), on_grid(quarters(), (8, 8))
    assert torch.equal(small[0, WING], torch.tensor([[1.0, 0], [0, 0]]))
    assert small[0, BEAK, 1, 1] == 0.25 and small[0, 0, 1].tolist() == [1, 0.75]
    assert torch.allclose(small.sum(1), torch.ones(1, 2, 2))
    assert large[0, BEAK].sum() == 4 and torch.allclose(large.mean((2, 3)),
                                                        small.mean((2, 3)))  # fmt: skip


def test_mass_and_hit_by_hand():
    maps = torch.zeros(1, 3, 2, 2)
    maps[0, 0] = torch.tensor([[3.0, 1], [0, 0]])  # three in the wing, one in the belly
    maps[0, 1] = 0.2  # alike everywhere
    found = held_against(maps, quarters())
    assert found["mass"][0, :, WING].tolist() == pytest.approx([0.75, 0.25, 0])
    assert found["mass"][0, :, BELLY].tolist() == pytest.approx([0.25, 0.25, 0])
    assert found["by chance"][0, 0, [WING, BEAK]].tolist() == [0.25, 1 / 16]
    assert found["hit"][0, 0, [WING, BELLY]].tolist() == [1, 0]
    assert found["hit by chance"][0, 0, [WING, BEAK]].tolist() == [0.25, 0.25]


def test_a_word_that_points_is_told_from_one_that_does_not():
    """Two birds; the words for parts look there, the others everywhere."""
    masks = torch.cat([quarters(), quarters().flip(1)])
    one = told("the red wing", wing="red")
    batch = Batch(one.image.expand(2, 0), one.caption * 2, one.tokens.expand(2, -1),
                  one.lengths.expand(2), named=one.named.expand(2, -1))  # fmt: skip
    maps = torch.full((2, 3, 4, 4), 0.1)
    maps[:, 2] = (masks == WING).float()
    found = pointing.pointing(maps, batch, masks)
    assert found["part words, mass"] == found["part words, hit"] == 1
    assert found["part words, another's mass"] == 0  # that bird is upside down
    for kind in KINDS[1:]:
        assert found[f"{kind}, mass"] == found[f"{kind}, by chance"] == 0.25
    assert found["wing, mass"] == 1 and found["belly, mass"] == 0
    unseen = pointing.pointing(maps, batch, torch.zeros_like(masks))
    assert unseen["part words, mass"] == 0


def test_encoders_that_know_point_well():
    """Attention made of the masks themselves; with wrong captions it points no less."""
    birds = pointing.with_masks(40, 64, 0)
    cover = on_grid(birds.masks, (8, 8))

    class Knowing:
        size = 64

        def attend(self, pictures, batch):
            rows = [int((birds.image == p).flatten(1).all(1).nonzero()[0, 0])
                    for p in pictures]  # fmt: skip
            which = pointing.part_words(batch)
            return torch.stack([cover[row][w] for row, w in zip(rows, which)])

    found = pointing.of_encoders(Knowing(), 40)
    assert found["part words, hit"] == 1
    assert found["part words, mass"] > 0.5 > 5 * found["part words, by chance"]
    assert found["shuffled part words, mass"] > 0.5
    assert found["function words, mass"] < 0.02


def test_stages_of_a_generator_are_measured():
    """An untrained one looks everywhere: what it finds is about what chance finds."""
    system = gan_of_the_world()
    found = pointing.of_drawn(system, 30)
    stages = {name.split(" ")[1].rstrip(",") for name in found}
    assert stages == {"1", "2"} and not any("beak" in name for name in found)
    for name in ("part words", "function words"):
        mass, chance = (
            found[f"stage 2, {name}, {what}"] for what in ("mass", "by chance")
        )
        assert mass == pytest.approx(chance, abs=0.02)


def gan_of_the_world():
    """An untrained AttnGAN that knows the world's words."""
    from t2i_course.papers.attngan import AttnGan
    from t2i_course.papers.damsm import Encoders

    torch.manual_seed(0)
    encoders = Encoders(len(vocabulary()), 6, 8, 64, 4).eval().requires_grad_(False)
    return AttnGan(encoders, **SMALL).eval()


# one word is changed ------------------------------------------------------------------


def test_captions_are_reworded_in_one_word():
    batch = unseen_captions(60, 64)
    pairs = rewording.reworded(batch)
    moved = pairs.before.tokens != pairs.after.tokens
    assert (moved.sum(1) == 1).all() and 20 < len(moved) <= 60
    assert torch.equal(moved.int().argmax(1), pairs.place)
    apart = pairs.before.named != pairs.after.named
    assert (apart.sum(1) == 1).all() and torch.equal(apart.int().argmax(1), pairs.part)
    for i, sentence in enumerate(pairs.after.caption):
        again = vocabulary().encode([sentence])[0][0]
        known = pairs.after.tokens[i, : len(again)]
        assert torch.equal(again, known) or "?" in sentence
    with pytest.raises(ValueError, match="no caption names a colour"):
        rewording.reworded(told("a bird with a long beak", beak="long"))


def test_change_by_hand():
    one = torch.zeros(2, 3, 4, 4)
    other = one.clone()
    masks = torch.cat([quarters(), torch.zeros_like(quarters())])
    other[0, :, :2, :2], other[0, :, :2, 2:], other[1] = 1.0, 0.5, 2.0
    found = rewording.change(one, other, torch.tensor([WING, WING]), masks)
    assert found["inside"] == 0.5 and found["background"] == 0  # the second has no wing
    assert found["other parts"] == pytest.approx(0.25 * 4 / 5)
    assert found["times"] == pytest.approx(2.5)


def test_change_inside_and_outside_by_hand():
    before, part = torch.zeros(2, 3, 2, 2), torch.zeros(2, 2, 2, dtype=torch.bool)
    after = before.clone()
    part[0, 0, 0] = part[1] = True
    after[0, :, 0, 0], after[0, 0, 1, 1], after[1, :, 0] = -2.0, 0.9, 1.0
    inside, outside = rewording.inside_outside(before, after, part)
    assert inside.tolist() == [1.0, 0.25]
    assert outside.tolist() == pytest.approx([0.05, 0.0])  # nothing lies outside


def test_a_system_that_repaints_the_part_alone():
    """Real birds, drawn again with one part in another colour."""
    from t2i_course.worlds.bird_drawing import draw_birds

    birds = Birds("test", 64)
    rows = np.arange(0, len(birds), 60)
    pairs = rewording.reworded(birds.at(rows, np.zeros(len(rows), int)).to("cpu"))
    content = birds.content[rows][: len(pairs.part)].copy()
    style = birds.style[rows][: len(pairs.part)]
    before = draw_birds(content, style, 64)[0]
    new = pairs.after.named.gather(1, pairs.part[:, None])[:, 0].numpy()
    content[np.arange(len(content)), pairs.part.numpy()] = new
    after = draw_birds(content, style, 64)[0]
    one, other = (torch.from_numpy(p).float() / 127.5 - 1 for p in (before, after))
    found = rewording.compared(one, other, pairs)
    assert found["times"] > 4 and found["background"] < 0.01
    assert found["takes the colour"] > 0.95 and found["keeps the rest"] > 0.95


def test_the_tree_of_lesson_10_changes_more_than_the_part():
    found = rewording.changed(shipped("stackgan_tree_64"), 100)
    assert found["other parts"] > 0.5 * found["inside"] > 0
    assert found["keeps the rest"] < 0.6


# R-precision --------------------------------------------------------------------------


def world(count=150):
    return unseen_captions(count, 64, seed=5).to("cpu")


def test_r_precision_of_one_who_knows_and_of_one_who_guesses():
    batch = world()
    codes = torch.eye(len(batch))

    class Knowing(torch.nn.Linear):
        text = SimpleNamespace(of=lambda batch: codes)

        def see(self, pictures):
            return codes[: len(pictures)]

        def by_words(self, pictures, batch):
            start = int((batch.image == pictures[0]).flatten(1).all(1).nonzero()[0, 0])
            return codes[start : start + len(pictures)]

    knowing = Knowing(1, 1)
    assert r_precision(knowing, batch.image, batch, repeats=2) == 1
    assert r_precision_by_words(knowing, batch.image, batch, repeats=2) == 1
    knowing.see = lambda pictures: torch.ones(len(pictures), len(codes))
    assert r_precision(knowing, batch.image, batch, 3) == pytest.approx(0.01, abs=1e-6)


def test_lots_and_ceilings_by_hand():
    scores = torch.tensor([[1.0, 0, 0], [1, 1, 0], [0, 1, 0], [2, 2, 2]])
    assert first_of(scores) == pytest.approx((1 + 1 / 2 + 0 + 1 / 3) / 4)
    truth, named = (
        torch.tensor([[1, 2], [1, 3], [4, 3]]),
        torch.tensor([[1, -1], [1, 3], [-1, -1]]),
    )
    lists = torch.tensor([[0, 1, 2], [1, 0, 2], [2, 0, 1]])
    wanted = (1 / 2 + 1 + 1 / 3) / 3
    assert picture_ceiling(truth, named, lists) == pytest.approx(wanted)
    kinds = torch.arange(150) // 3
    assert (kinds[caption_lists(kinds)][:, 1:] != kinds[:, None]).all()
