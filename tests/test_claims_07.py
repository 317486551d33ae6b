"""Lesson 07's claims: each sentence beside the numbers that hold it."""

from statistics import mean

import torch
from claims import says

from t2i_course.experiments import records, values
from t2i_course.measure import sentences
from t2i_course.measure.retrieval import caption_lists
from t2i_course.papers import joint_embedding
from t2i_course.systems import parameter_counts, shipped

LETTERS = ("letters", "letters, gated")
WORDS = ("words", "bilstm", "vse")
EVERY = (*LETTERS, *WORDS, "vse, hardest", "letters, longer")


def of(row: str, name: str) -> list:
    """A figure of every recorded seed."""
    found = values(records("07"), f"encoders/{row}", name)
    assert len(found) == 3, f"{row} is on record with {len(found)} seeds"
    return found


def below(low: list[float], high: list[float]) -> bool:
    """Whether each seed of one lies below the same seed of the other."""
    return all(a < b for a, b in zip(low, high, strict=True))


def test_who_reads_best():
    says("07", "Words read far better than letters after as many steps: R@1 is about "
         "twice as high.")  # fmt: skip
    assert 1.8 < mean(of("words", "R@1")) / mean(of("letters", "R@1")) < 2.7
    for way in LETTERS:
        assert below(of(way, "R@1"), of("words", "R@1"))
        assert below(of(way, "zero-shot"), of("words", "zero-shot"))
    says("07", "More steps help letters, and don't close the gap.")
    assert below(of("letters", "R@1"), of("letters, longer", "R@1"))
    assert below(of("letters, longer", "R@1"), of("words", "R@1"))
    says("07", "Of the readers of words the simplest is the best")
    for way in ("bilstm", "vse", "vse, hardest"):
        assert mean(of(way, "R@1")) < mean(of("words", "R@1"))
    says("07", "here it reads much worse than the sum of all.")
    assert below([1.3 * v for v in of("vse, hardest", "R@1")], of("vse", "R@1"))
    says("07", "Nobody is near the ceiling.")
    for way in EVERY:
        assert max(of(way, "R@1")) < 0.7 * of(way, "ceiling")[0]


def test_what_slips_cost():
    says("07", "One slip of the fingers costs letters next to nothing.")
    for way in (*LETTERS, "letters, longer"):
        as_written, typed = of(way, "R@1"), of(way, "typed as it stands")
        assert mean(typed) > 0.9 * mean(as_written)
    says("07", "It costs words a good part of R@1")
    for way in WORDS:
        assert mean(of(way, "typed as it stands")) < 0.85 * mean(of(way, "R@1"))
    says("07", "and then words lose nothing either.")
    for way in WORDS:
        assert mean(of(way, "typed")) > 0.98 * mean(of(way, "R@1"))
    says("07", "Four slips a caption cost letters little, and words most of what they "
         "knew.")  # fmt: skip
    letters = of("letters, longer", "slips as they stand")
    words = of("words", "slips as they stand")
    assert mean(run["4"] / run["0"] for run in letters) > 0.75
    assert mean(run["4"] / run["0"] for run in words) < 0.5


def test_new_forms():
    says("07", "All readers lose something there; part of that is not their fault, for "
         "the ceiling is lower, too (0.738 against 0.788).")  # fmt: skip
    for way in EVERY:
        assert mean(of(way, "held-out")) < mean(of(way, "R@1"))
        assert {round(v, 3) for v in of(way, "held-out ceiling")} == {0.738}
        assert {round(v, 3) for v in of(way, "ceiling")} == {0.788}


def test_length():
    says("07", "the more a caption names, the easier its bird is found, for both; but "
         "the ceiling rises faster.")  # fmt: skip
    for way in ("letters, longer", "words"):
        runs = of(way, "length")
        found = [mean(run[str(n)][0] for run in runs) for n in range(1, 6)]
        best = [mean(run[str(n)][1] for run in runs) for n in range(1, 6)]
        assert found[0] < found[2] < found[4]
        assert best[4] - best[0] > found[4] - found[0]
        assert best[0] < 0.25 and best[4] > 0.95


def test_the_shipped_reader_of_letters():
    says("07", "are far above chance and far below what is possible.")
    unseen = sentences.unseen(1000)
    encoder = shipped("text_chars")
    encoder = getattr(encoder, "text", encoder)
    reader = joint_embedding.reader_of(encoder)
    lists = caption_lists(unseen.class_id)
    pictures, texts = reader.see(unseen.image), reader.read(unseen.caption)
    rank = sentences.own_rank(sentences.scores_of(pictures, texts, lists))
    first = float((rank <= 1).float().mean())
    assert 0.1 < first < 0.6 * sentences.ceilings(unseen)["R@1"]
    says("07", 'a caption that only says "a small bird" is true of half of all birds.')
    small = list(sentences.ATTRIBUTES).index("size")
    assert 0.35 < float((unseen.attributes[:, small] == 0).float().mean()) < 0.65
    says("07", '"A bird without red wings" lies near red wings')
    near = [
        "a bird without red wings",
        "a bird with red wings",
        "a bird with blue wings",
    ]
    a, b, c = torch.nn.functional.normalize(reader.read(near), dim=1)
    assert a @ b > a @ c


def test_published():
    says("07", "Reed and others published 54.0 % for letters and 56.8 % for words")
    assert parameter_counts("char_cnn_rnn", "paper")["encoders.text"] == 1_814_144
