"""Measures of readers: against readers whose understanding is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from t2i_course.measure import sentences
from t2i_course.measure.retrieval import caption_ceiling, caption_lists
from t2i_course.papers.char_cnn_rnn import CharCnnRnn
from t2i_course.papers.joint_embedding import (
    Reader,
    TextEncoder,
    as_they_stand,
    linear_image_encoder,
    reader_of,
    seen,
    text_encoder,
)
from t2i_course.text.vocabulary import UNKNOWN, split_words
from t2i_course.worlds.bird_species import ATTRIBUTES
from t2i_course.worlds.birds import Birds, vocabulary


@pytest.fixture(scope="module")
def batch():
    return sentences.unseen(200)


def one_hot(rows):
    """(B, A) attributes, -1 for silence, to (B, A * 10) ones and zeros."""
    return (rows[..., None] == torch.arange(10)).flatten(1).float()


class Knowing:
    """Sees every attribute, and reads what the captions of a batch are known to name.

    A caption is worth a point for each true attribute, and loses many for a false one.
    """

    def __init__(self, batch):
        self.truth = {self.key(p): t for p, t in zip(batch.image, batch.attributes)}
        self.named = dict(zip(batch.caption, batch.named))

    @staticmethod
    def key(picture):
        return picture.numpy().tobytes()

    def see(self, pictures):
        truth = torch.stack([self.truth[self.key(p)] for p in pictures])
        rows = one_hot(truth)
        return torch.cat([rows, torch.ones(len(rows), 1)], 1)

    def read(self, captions, correct=True):
        named = torch.stack([self.named[c] for c in captions])
        rows = one_hot(named)
        return torch.cat([101 * rows, -100 * rows.sum(1, keepdim=True)], 1)


class Blind:
    """Says the same of everything."""

    def see(self, pictures):
        return torch.ones(len(pictures), 3)

    def read(self, captions, correct=True):
        return torch.ones(len(captions), 3)


class Colours:
    """Reads and sees plain colours of wings and belly, by the order of words or not."""

    def __init__(self, batch, ordered):
        self.truth = batch.attributes[:, :2]
        self.image, self.ordered = batch.image, ordered

    def rows(self, pairs):
        rows = F.one_hot(pairs, 10).float()
        return rows.flatten(1) if self.ordered else rows.sum(1)

    def see(self, pictures):
        same = (pictures[:, None] == self.image[None]).flatten(2).all(2)
        return self.rows(self.truth[same.float().argmax(1)])

    def read(self, captions, correct=True):
        colours = ATTRIBUTES["wing"]
        found = [[colours.index(w) for w in split_words(c) if w in colours]
                 for c in captions]  # fmt: skip
        return self.rows(torch.tensor(found))


# Retrieval ----------------------------------------------------------------------------


def test_places_and_chances_among_equals():
    scores = torch.tensor([[3.0, 1, 2], [1, 2, 3], [2, 2, 2], [2, 2, 3]])
    better, equal = sentences.places(scores)
    assert better.tolist() == [0, 2, 0, 1] and equal.tolist() == [1, 1, 3, 2]
    first, two = sentences.within(scores, 1), sentences.within(scores, 2)
    assert first.tolist() == pytest.approx([1, 0, 1 / 3, 0])
    assert two.tolist() == pytest.approx([1, 0, 2 / 3, 0.5])
    assert sentences.within(scores, 3).tolist() == [1, 1, 1, 1]


def test_lots_are_drawn_as_often_as_the_chance_says():
    """By simulation: equals in a random order."""
    rng, scores = np.random.default_rng(0), torch.tensor([[2.0, 2, 2, 5, 1]])
    noise = rng.uniform(0, 0.1, (4000, 5))
    order = (scores.numpy() + noise).argsort(1)[:, ::-1]
    place = (order == 0).argmax(1)
    for k in (1, 2, 3, 4):
        chance = sentences.within(scores, k).item()
        assert (place < k).mean() == pytest.approx(chance, abs=0.03)


def test_a_blind_reader_draws_lots(batch):
    found = sentences.retrieval(Blind(), batch)
    assert found["R@1"] == pytest.approx(0.01) and found["R@5"] == pytest.approx(0.05)
    assert found["median"] == found["picture median"] == 50.5
    assert sentences.word_order(Blind(), batch) == 0.5


def test_one_who_knows_all_reaches_the_ceiling(batch):
    """One who sees and understands all does as the observer does."""
    knowing, top = Knowing(batch), sentences.ceilings(batch)
    found = sentences.retrieval(knowing, batch)
    assert found["R@1"] == pytest.approx(top["R@1"], abs=1e-6)
    assert found["R@5"] == pytest.approx(top["R@5"], abs=1e-6)
    assert 0.5 < top["R@1"] < 1 and top["picture R@1"] < 1


def test_the_ceiling_is_that_of_lesson_08(batch):
    lists = caption_lists(batch.class_id)
    known = caption_ceiling(batch.attributes, batch.named, lists)
    assert sentences.ceilings(batch)["R@1"] == pytest.approx(known)


def test_longer_captions_have_higher_ceilings(batch):
    found = sentences.by_length(Knowing(batch), batch)
    assert sum(count for *_, count in found.values()) == len(batch)
    assert all(r == pytest.approx(top) for r, top, _ in found.values())
    assert found["1"][1] < found["3"][1] < found["5"][1]


def test_who_prefers_the_shortest_wins_where_little_is_named(batch):
    longest, shortest = (sentences.observer_by(batch, way) for way in (False, True))
    count = sentences.names_so_many(batch)
    assert shortest[count == 1].mean() > longest[count == 1].mean()
    assert shortest.mean() < longest.mean()
    assert longest.mean().item() == pytest.approx(sentences.ceilings(batch)["R@1"])


def test_captions_fall_in_classes_by_length(batch):
    kind = sentences.letters_in(batch).tolist()
    edges = [0, *sentences.LETTERS, 10_000]
    for caption, k in zip(batch.caption, kind):
        assert edges[k] <= len(caption) < edges[k + 1]


def test_what_was_met(batch):
    assert sentences.met(batch, batch, ["wing", "tail"]).all()
    one = batch.attributes[:1]
    known = replace(batch, attributes=one)
    same = (batch.attributes[:, 0] == one[0, 0]) & (batch.attributes[:, 3] == one[0, 3])
    assert torch.equal(sentences.met(known, batch, ["wing", "tail"]), same)


def test_likeness_is_the_cosine(batch):
    reader = reader_of(text_encoder(), 500)
    a, b = F.normalize(reader.read(["a blue bird", "red wings"]), dim=1)
    found = sentences.likeness(reader, "a blue bird", "red wings")
    assert found == pytest.approx(float(a @ b), abs=1e-6)


def test_captions_of_other_species_may_be_true():
    """Seldom of two species, mostly of a whole batch; found again by hand."""
    few, many = (sentences.true_of_others(n, 5) for n in (2, 75))
    assert few < 0.2 < many <= 1
    batch, _ = Birds("train", 32).distinct(0, 20)
    rows = zip(batch.attributes.tolist(), range(20))
    true = [
        any(
            all(n in (-1, t) for n, t in zip(named, truth))
            for j, named in enumerate(batch.named.tolist())
            if j != i
        )
        for truth, i in rows
    ]
    assert sentences.true_of_others(20, 1) == pytest.approx(sum(true) / 20)


# Other sentences ----------------------------------------------------------------------


def test_slips_are_added_one_by_one():
    captions = ["a bird with purple wings and a yellow belly"] * 20
    assert sentences.mistyped(captions, 0) == captions
    once = sentences.mistyped(captions, 1)
    assert once == sentences.mistyped(captions, 1) and len(set(once)) > 5
    for caption in once:
        wrong = [a for a, b in zip(caption.split(), captions[0].split()) if a != b]
        assert len(wrong) <= 1


def test_words_are_read_with_and_without_correction():
    """Corrected, "yelow" is yellow; as it stands, an unknown word."""
    tokens, lengths = as_they_stand(["a yelow bird", "red"])
    assert lengths.tolist() == [3, 1] and tokens.shape == (2, 3)
    assert tokens[0, 1] == UNKNOWN and tokens[1].tolist()[1:] == [0, 0]
    assert tokens[1, 0] == vocabulary().numbers["red"]
    reader = Reader(lambda rows: rows, text_encoder())
    right, wrong = "a bird with yellow wings", "a bird with yelow wings"
    assert torch.allclose(reader.read([right]), reader.read([wrong]), atol=1e-5)
    plain = reader.read([right, wrong], correct=False)
    assert torch.allclose(plain[0], reader.read([right])[0], atol=1e-5)
    assert (plain[0] - plain[1]).abs().max() > 0.1


def test_a_reader_of_letters_has_no_list_to_correct_by():
    reader = Reader(lambda rows: rows, CharCnnRnn((8, 8, 8), 8, 4))
    rows = [reader.read(["a yelow bird, xyzzy"], correct=c) for c in (True, False)]
    assert torch.equal(*rows)


def test_forms_held_out_say_what_is_true(batch):
    captions, named = sentences.held_out(batch)
    assert len(captions) == len(batch) == len(named)
    assert ((named < 0) | (named == batch.attributes)).all()
    starts = ("there is", "what a pretty", "you can see", "look at", "notice")
    known = [c.startswith(starts) for c in batch.caption]
    assert sum(c.startswith(starts) for c in captions) > 80 and not any(known)


def test_word_order_tells_a_bag_of_words_from_a_reader(batch):
    assert sentences.word_order(Colours(batch, ordered=True), batch) == 1
    assert sentences.word_order(Colours(batch, ordered=False), batch) == 0.5
    chosen, true, false = sentences.swapped(batch)
    assert len(chosen) == len(true) == len(false) > 50
    assert all(sorted(a.replace("an ", "a ")) == sorted(b.replace("an ", "a "))
               for a, b in zip(true, false))  # fmt: skip


def test_synonyms_need_understanding():
    """One who knows the words is right; one of random vectors seldom."""
    torch.manual_seed(0)
    untaught = Reader(lambda rows: rows, TextEncoder(len(vocabulary())).eval())
    taught = Reader(lambda rows: rows, text_encoder())
    assert sentences.synonyms(untaught) < 0.5 < 0.9 < sentences.synonyms(taught)


# Species, neighbours ------------------------------------------------------------------


def test_species_are_told_by_one_who_knows():
    birds = Birds("test", 32)
    whole = birds.all()
    truth = {p.numpy().tobytes(): t for p, t in zip(whole.image, whole.attributes)}
    named = {}
    for i in range(len(birds)):
        for j in range(3):
            named[birds.captions[10 * i + j]] = torch.from_numpy(
                birds.named[i, j].astype(int)
            )

    class Half(Knowing):
        def __init__(self):
            self.truth, self.named = truth, named

        def read(self, captions, correct=True):
            return one_hot(torch.stack([self.named[c] for c in captions]))

        def see(self, pictures):
            return one_hot(torch.stack([self.truth[self.key(p)] for p in pictures]))

    assert sentences.zero_shot(Half()) > 0.5
    assert sentences.zero_shot(Blind()) == pytest.approx(0.02, abs=1e-6)


def test_nearest_sentences_and_the_map():
    reader = Reader(lambda rows: rows, text_encoder())
    among = [f"a bird with {c} wings" for c in ATTRIBUTES["wing"]]
    found = sentences.nearest(reader, ["this bird has crimson wings"], among, 3)
    assert found[0][0] == "a bird with red wings" and len(found[0]) == 3
    places = sentences.on_a_plane(reader, among)
    assert places.shape == (10, 2) and np.allclose(places.mean(0), 0, atol=1e-6)
    assert places[:, 0].std() >= places[:, 1].std() > 0


# Readers ------------------------------------------------------------------------------


def test_a_shipped_encoder_gets_an_image_side(batch):
    """Fitted on training birds, it finds unseen ones' captions among a hundred."""
    reader = reader_of(text_encoder(), 500)
    pictures = batch.image[:8]
    scores = reader.agreement(pictures, batch.caption[:5])
    assert scores.shape == (8, 5)
    wanted = reader.see(pictures) @ reader.read(batch.caption[:5]).T
    assert torch.allclose(scores, wanted, atol=1e-4)
    assert sentences.retrieval(reader, batch)["R@5"] > 0.3


def test_the_fitted_image_side_is_fisher_s_discriminant(batch):
    """It ranks captions as the log-likelihood of a Gaussian about the guess does."""
    encoder = text_encoder()
    reader = reader_of(encoder, 500)
    known = Birds("train", 32).all(500)
    features, texts = seen(known.image).clone(), encoder.of(known)
    guess = linear_image_encoder(features, texts, 500.0)
    missed = (texts - guess(features)).double()
    spread = missed.T @ missed / 500 + 0.05 * torch.eye(256)
    looked = guess(seen(batch.image[:4]).clone()).double()
    read = reader.read(batch.caption[:9]).double()
    solved = torch.linalg.solve(spread, read.T)
    wanted = looked @ solved
    assert torch.allclose(reader.see(batch.image[:4]).double() @ read.T, wanted,
                          rtol=1e-2, atol=0.5)  # fmt: skip


def test_cosines_have_length_one(batch):
    reader = Reader(lambda rows: rows[:, :256], text_encoder(), unit=True)
    for rows in (reader.see(batch.image[:3]), reader.read(batch.caption[:3])):
        assert torch.allclose(rows.norm(dim=1), torch.ones(3))


def test_a_report_has_every_figure():
    found = sentences.report(reader_of(text_encoder(), 500), 150)
    assert {"R@1", "R@5", "median", "zero-shot", "typed", "held-out", "order",
            "synonyms", "slips", "length"} <= set(found)  # fmt: skip
    assert found["typed"] == found["slips"]["1"]
    assert found["slips as they stand"]["4"] < found["slips"]["4"]
    assert found["R@1"] <= found["ceiling"] and found["order"] > 0.8
