"""Lesson 07's claims: each sentence beside the numbers that hold it."""

import json
import re
from functools import lru_cache
from statistics import mean, stdev

import torch
from claims import SOURCES, says

from t2i_course import weights
from t2i_course.experiments import records, values
from t2i_course.measure import sentences
from t2i_course.papers import joint_embedding
from t2i_course.papers.vse import vse_loss
from t2i_course.play.agreement import START, Agreement
from t2i_course.systems import parameter_counts, shipped
from t2i_course.worlds.bird_species import ATTRIBUTES, COLOURS
from t2i_course.worlds.birds import Birds, vocabulary

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


def means_of(row: str, name: str, digits: int = 3) -> float:
    """The mean over seeds, as a table prints it."""
    return round(mean(of(row, name)), digits)


@lru_cache(maxsize=1)
def unseen():
    """What the lesson asks."""
    return sentences.unseen(1000)


@lru_cache(maxsize=2)
def ships(name: str):
    """A shipped reader with an image side by least squares."""
    return joint_embedding.reader_of(shipped(name))


def test_labels_were_not_met():
    says("07", "for three of four new birds the label was never met")
    known = Birds("train", 32).all()
    parts = ["wing", "belly", "crown", "tail"]
    together = sentences.met(known, unseen(), parts).float().mean()
    assert 0.2 < float(together) < 0.3 and len(known) == 9000
    says("07", "each colour of each part was met.")
    assert all(sentences.met(known, unseen(), [part]).all() for part in parts)


def test_who_reads_best():
    says("07", "Words read far better than letters after as many steps: R@1 is about "
         "twice as high (0.438 and 0.221).")  # fmt: skip
    assert 1.8 < mean(of("words", "R@1")) / mean(of("letters", "R@1")) < 2.7
    assert (means_of("words", "R@1"), means_of("letters", "R@1")) == (0.438, 0.221)
    for way in LETTERS:
        assert below(of(way, "R@1"), of("words", "R@1"))
        assert below(of(way, "zero-shot"), of("words", "zero-shot"))
    says("07", "After 3,000 steps letters are at 0.399 ± 0.026, and words after 1,200 at "
         "0.438 ± 0.026: one and a half deviations apart.")  # fmt: skip
    longer, words = of("letters, longer", "R@1"), of("words", "R@1")
    assert (round(mean(longer), 3), round(stdev(longer), 3)) == (0.399, 0.026)
    assert round(stdev(words), 3) == 0.026
    assert 1.25 < (mean(words) - mean(longer)) / stdev(words) < 1.75
    assert set(of("letters, longer", "steps")) == {3000}
    assert set(of("words", "steps")) == {1200}
    says("07", "In zero-shot (0.534 and 0.680) and picture R@1 (0.480 and 0.605) words "
         "stay ahead on every seed.")  # fmt: skip
    for name, figures in (("zero-shot", (0.534, 0.68)), ("picture R@1", (0.48, 0.605))):
        assert below(of("letters, longer", name), of("words", name))
        both = means_of("letters, longer", name), means_of("words", name)
        assert both == figures


def test_what_is_compared():
    says("07", "Six readers on the same birds and captions, 1,200 batches each, on three "
         "seeds")  # fmt: skip
    six = [way for way in EVERY if way != "letters, longer"]
    assert len(six) == 6 and all(set(of(way, "steps")) == {1200} for way in six)
    says("07", "Then a seventh row, letters for 3,000 batches")
    assert list(records("07")["encoders"]) and set(EVERY) == set(
        records("07")["encoders"]
    )


def test_readers_of_words():
    says("07", "Of the readers of words the simplest has the highest R@1")
    for way in ("bilstm", "vse", "vse, hardest"):
        assert mean(of(way, "R@1")) < mean(of("words", "R@1"))
    says("07", "In zero-shot the BiLSTM is as good (0.677 and 0.680).")
    found = means_of("bilstm", "zero-shot"), means_of("words", "zero-shot")
    assert found == (0.677, 0.68)
    says("07", "here it reads much worse than the sum of all.")
    assert below([1.3 * v for v in of("vse, hardest", "R@1")], of("vse", "R@1"))
    says("07", "Nobody is near the observer.")
    for way in EVERY:
        assert max(of(way, "R@1")) < 0.7 * of(way, "ceiling")[0]


def test_what_slips_cost():
    says("07", "One slip of the fingers costs letters at most three hundredths of R@1.")
    for way in (*LETTERS, "letters, longer"):
        assert 0 < means_of(way, "R@1") - means_of(way, "typed as it stands") <= 0.03
    says("07", "It costs words of every kind but the weakest eight to twelve")
    lost = [means_of(w, "R@1") - means_of(w, "typed as it stands") for w in WORDS]
    assert (round(min(lost), 2), round(max(lost), 2)) == (0.08, 0.12)
    weakest = means_of("vse, hardest", "R@1")
    assert weakest < min(means_of(way, "R@1") for way in WORDS)
    assert weakest - means_of("vse, hardest", "typed as it stands") < 0.03
    says("07", "and then words lose nothing either.")
    for way in WORDS:
        assert mean(of(way, "typed")) > 0.98 * mean(of(way, "R@1"))


def by_slips(row: str) -> dict[str, float]:
    """{slips: R@1}, the mean over seeds."""
    runs = of(row, "slips as they stand")
    return {n: round(mean(run[n] for run in runs), 3) for n in runs[0]}


def test_what_many_slips_cost():
    letters, words = by_slips("letters, longer"), by_slips("words")
    says("07", "four slips a caption cost letters a quarter of R@1 (0.399 to 0.304), and "
         "words more than half (0.438 to 0.181).")  # fmt: skip
    assert (letters["0"], letters["4"]) == (0.399, 0.304)
    assert 0.2 < 1 - letters["4"] / letters["0"] < 0.28
    assert (words["0"], words["4"]) == (0.438, 0.181)
    says("07", "BiLSTM has 0.380 without a slip and 0.383 as written")
    assert (by_slips("bilstm")["0"], means_of("bilstm", "R@1")) == (0.38, 0.383)
    assert words["0"] > letters["0"] and words["1"] < letters["1"]  # the figure's words


def test_new_forms():
    says("07", "All readers lose something there; part of that is not their fault, for "
         "the observer loses, too (0.738 against 0.788).")  # fmt: skip
    for way in EVERY:
        assert mean(of(way, "held-out")) < mean(of(way, "R@1"))
        assert {round(v, 3) for v in of(way, "held-out ceiling")} == {0.738}
        assert {round(v, 3) for v in of(way, "ceiling")} == {0.788}


def by_names(row: str, place: int = 0) -> list[float]:
    """R@1 (0), or the observer's (1), by attributes named: means over seeds."""
    runs = of(row, "length")
    return [round(mean(run[str(n)][place] for run in runs), 3) for n in range(1, 6)]


def test_length():
    letters, words = by_names("letters, longer"), by_names("words")
    says("07", "the more a caption names, the easier its bird is found, for both.")
    assert letters == sorted(letters) and words == sorted(words)
    says("07", "With one attribute named words are three times as good as letters (0.256 "
         "and 0.085); with four they are level, with five or more letters are ahead by "
         "less than a deviation (0.530 and 0.513).")  # fmt: skip
    assert (words[0], letters[0]) == (0.256, 0.085)
    assert 2.75 < words[0] / letters[0] < 3.25
    assert abs(words[3] - letters[3]) < 0.01
    assert (letters[4], words[4]) == (0.53, 0.513)
    fives = [
        [run["5"][0] for run in of(w, "length")] for w in ("letters, longer", "words")
    ]
    assert 0 < letters[4] - words[4] < min(map(stdev, fives))
    says("07", "words are above the observer (0.197)")
    observer = by_names("words", 1)
    assert observer[0] == 0.197 < words[0]
    says("07", "With five and more the observer is nearly always right, and both readers "
         "find about half")  # fmt: skip
    assert observer[4] > 0.98 and 0.45 < words[4] < letters[4] < 0.55


def test_the_observer_is_no_bound():
    longest, shortest = (sentences.observer_by(unseen(), way) for way in (False, True))
    count = sentences.names_so_many(unseen())
    says("07", "Who prefers the shortest finds 80 % of the captions that name one thing, and "
         "pays for it everywhere else.")  # fmt: skip
    assert round(float(shortest[count == 1].mean()), 2) == 0.8
    for n in range(2, 6):
        assert shortest[count == n].mean() < longest[count == n].mean()
    says("07", "over all captions its rule is by far the better of the two.")
    assert longest.mean() > 2 * shortest.mean()
    says("07", "39 captions of 1,000 name one attribute, 207 two, 282 three, 274 four and "
         "198 more.")  # fmt: skip
    assert [int((count == n).sum()) for n in range(1, 6)] == [39, 207, 282, 274, 198]


def test_the_shipped_reader_of_letters():
    says("07", "are far above chance and far below the observer.")
    reader = ships("text_chars")
    first = float(sentences.found_by(reader, unseen()).mean())
    assert 0.1 < first < 0.6 * sentences.ceilings(unseen())["R@1"]
    says("07", "The shipped network, seed 0, has an R@1 of 0.357 through least squares, and "
         "0.386 through the image side that was trained along with it.")  # fmt: skip
    assert round(first, 3) == 0.357
    assert round(of("letters, longer", "R@1")[0], 3) == 0.386
    says("07", "With all six, and with ninety captions a species in place of ten, the "
         "shipped reader tells 45.8 % through least squares, and 52.1 % through the image "
         "side that was trained along with it.")  # fmt: skip
    assert round(sentences.zero_shot(reader), 3) == 0.458
    assert round(of("letters, longer", "zero-shot")[0], 3) == 0.521
    says("07", "of most species these 1,000 birds show only two.")
    plumages = [
        len(unseen().attributes[unseen().class_id == kind].unique(dim=0))
        for kind in unseen().class_id.unique()
    ]
    assert plumages.count(2) >= 45
    says("07", '"the tail feathers are orange" is true of one bird in eight')
    tails, orange = list(ATTRIBUTES).index("tail"), ATTRIBUTES["tail"].index("orange")
    assert (
        round(float((unseen().attributes[:, tails] == orange).float().mean()), 3)
        == 0.125
    )
    assert "the tail feathers are orange" in unseen().caption
    says("07", "The hardest sentence and the hardest picture cost about 0.2 each")
    pictures, texts = reader.see(unseen().image), reader.read(unseen().caption)
    every = slice(None, None, 20)
    assert len(unseen().class_id[every].unique()) == 50
    cost = vse_loss(pictures[every], texts[every], hardest=True)
    assert 0.17 < float(cost) / 2 < 0.23
    says("07", "In the mean one of them costs little beside the margin of 0.2.")
    assert float(vse_loss(pictures[every], texts[every])) / 98 < 0.05


def test_the_training_that_was_watched():
    """Of the run whose outputs the worked lesson keeps."""
    (file,) = SOURCES.glob("07_*.ipynb")
    text = "".join(
        "".join(output.get("text", ""))
        for cell in json.loads(file.read_text("utf-8"))["cells"]
        for output in cell.get("outputs", ())
    )
    lines = re.findall(r"step +([\d,]+): loss ([\d.]+), R@1 on unseen.* ([\d.]+)", text)
    loss, found = (
        {int(r[0].replace(",", "")): float(r[k]) for r in lines} for k in (1, 2)
    )
    says("07", "R@1 climbs for two thirds of the training, far below the observer's line, "
         "and then stays where it is, while the loss falls on by nearly a third.")  # fmt: skip
    climb = [found[step] for step in (300, 750, 1200, 1650, 2100)]
    assert climb == sorted(climb) and climb[-1] > climb[-2] + 0.03
    assert abs(found[3000] - found[2100]) < 0.03
    assert 0.28 <= 1 - loss[3000] / loss[2100] < 1 / 3
    assert max(found.values()) < 0.6 * sentences.ceilings(sentences.unseen(500))["R@1"]


def test_the_map():
    says("07", "white and orange lie high, green low, yellow at the right, red at the "
         "left.")  # fmt: skip
    some = torch.randperm(1000, generator=torch.Generator().manual_seed(0))[:400]
    captions = [unseen().caption[i] for i in some]
    points = torch.from_numpy(sentences.on_a_plane(ships("text_chars"), captions))
    wing = unseen().named[some, list(ATTRIBUTES).index("wing")]
    middle = {c: points[wing == k].mean(0).tolist() for k, c in enumerate(COLOURS)}
    across = sorted(COLOURS, key=lambda c: middle[c][0])
    high = sorted(COLOURS, key=lambda c: middle[c][1])
    assert set(high[-2:]) == {"white", "orange"} and high[0] == "green"
    assert across[-1] == "yellow" and across[0] == "red"
    says("07", "Captions that say nothing of the wing (crosses) lie in the middle and at "
         "the left; at the far right hardly one.")  # fmt: skip
    silent = points[wing < 0]
    assert float(silent[:, 0].mean()) < -2
    assert int((silent[:, 0] > 8).sum()) <= 2 and int((points[:, 0] > 8).sum()) > 30
    assert len(unseen().class_id[some].unique()) == 50


def test_short_phrases():
    kind = sentences.letters_in(unseen())
    found = {
        n: sentences.found_by(ships(n), unseen()) for n in ("text_chars", "text_birds")
    }
    best = sentences.observer_by(unseen())
    share = {
        n: [float(x[kind == k].mean()) for k in range(4)] for n, x in found.items()
    }
    says("07", "Words keep more than half of the observer's R@1 at every length.")
    for k, value in enumerate(share["text_birds"]):
        assert value > 0.5 * float(best[kind == k].mean())
    says("07", "Letters have none of the shortest captions and next to none of those below "
         "40 letters, though words find about a quarter of both.")  # fmt: skip
    assert share["text_chars"][0] == 0 and share["text_chars"][1] < 0.05
    assert all(0.2 < value < 0.3 for value in share["text_birds"][:2])
    says("07", "Only 16 of 1,000 captions have fewer than 25 letters")
    assert int((kind == 0).sum()) == 16


def test_short_captions_that_name_two():
    two = sentences.names_so_many(unseen()) == 2
    says("07", "So take only the 207 captions that name two attributes")
    assert int(two.sum()) == 207
    kind = sentences.letters_in(unseen(), sentences.LETTERS_OF_TWO)
    assert [int((two & (kind == k)).sum()) for k in range(4)] == [25, 68, 74, 40]

    def by_length(found):
        return [float(found[two & (kind == k)].mean()) for k in range(4)]

    letters, words = (
        by_length(sentences.found_by(ships(f"text_{n}"), unseen()))
        for n in ("chars", "birds")
    )
    says("07", "Letters find one of the 25 captions below 40 letters; then with the length "
         "their share goes up, 0.10, 0.20, 0.40.")  # fmt: skip
    assert round(letters[0] * 25, 2) == 1
    assert [round(v, 2) for v in letters[1:]] == [0.10, 0.20, 0.40]
    says(
        "07",
        "Words don't climb with it (0.44, 0.43, 0.30, 0.35), nor does the observer.",
    )
    assert [round(v, 2) for v in words] == [0.44, 0.43, 0.30, 0.35]
    best = by_length(sentences.observer_by(unseen()))
    assert best[3] < best[1] and max(best) - min(best) < 0.12
    says("07", "the outer columns may well be off by 0.1")
    for share, count in ((words[0], 25), (letters[3], 40), (words[3], 40)):
        assert 0.07 < (share * (1 - share) / count) ** 0.5 < 0.11


def test_the_playground_as_it_stands():
    names = list(ATTRIBUTES)
    eight = unseen().attributes[::125]
    lab = Agreement(ships("text_chars"), unseen().image[::125])
    first, second = lab.of(*START).scores
    says("07", "Bird 1 has blue wings: its agreement with A is 12.5, with B 6.9. Bird 2 has a "
         "blue belly: 0.4 with A, 9.1 with B.")  # fmt: skip
    blue = COLOURS.index("blue")
    assert eight[0, names.index("wing")] == blue == eight[1, names.index("belly")]
    both = [round(float(row[i]), 1) for i in (0, 1) for row in (first, second)]
    assert both == [12.5, 6.9, 0.4, 9.1]
    assert (int(first.argmax()), int(second.argmax())) == (0, 1)
    says("07", "(Nothing on either is red.)")
    parts = [names.index(part) for part in ("wing", "belly", "crown", "tail")]
    assert not (eight[:2, parts] == COLOURS.index("red")).any()
    says("07", "look at bird 4, the green one")
    green = COLOURS.index("green")
    assert (eight[:, parts] == green).all(1).nonzero().flatten().tolist() == [3]
    found = lab.of("a bird with green wings", "a bird without green wings").scores
    assert found[:, 3].min() > 10


BLUE = ["its wings are blue.", "bird has blue wings and a yellowish beak"]
YELLOW = [
    "a bird having yellowish breast and belly",
    "bright yellow throat and breast, white tail.",
    "this bird's rectrices are yellow",
]
CROWN = ["it with a red crown", "the bird is white in color with a reddish head"]


def test_neighbours():
    asked = ["a bird with blue wings", "this bird has a yellow belly",
             "the belly of this bird is yellow", "this bird has a red crown",
             "a red crown"]  # fmt: skip
    blue, yellow, other, crown, short = sentences.nearest(
        ships("text_chars"), asked, unseen().caption, 3
    )
    says("07", "To blue wings, two of three name blue wings.")
    assert set(BLUE) < set(blue)
    says("07", 'To "this bird has a yellow belly" two of three name a yellow breast')
    assert set(yellow) == set(YELLOW)
    says(
        "07", "gets a tail and two bills: the colour came through and the part did not."
    )
    assert all(word in text for word, text in zip(("rectrices", "bill", "bill"), other))
    says("07", 'To "this bird has a red crown" two of three name a red crown or head.')
    assert set(CROWN) < set(crown)
    says("07", 'And "a red crown" alone gets wings and tails')
    assert all("wings" in text or "tail" in text for text in short)


def test_likenesses():
    letters, words = ships("text_chars"), ships("text_birds")

    def near(reader, *pair):
        return round(sentences.likeness(reader, *pair), 2)

    bird = "a bird with red wings"
    says("07", "In whole sentences letters keep red and blue wings apart (0.54). As two "
         "words they don't (0.93), and \"xyzzy\" is the same to them as \"red wings\" "
         "(1.00).")  # fmt: skip
    assert near(letters, bird, "a bird with blue wings") == 0.54
    assert near(letters, "red wings", "blue wings") == 0.93
    assert near(letters, "red wings", "xyzzy") == 1
    says("07", '"Without" changes nothing for either reader (0.98 and 0.99).')
    says("07", 'To both readers that ship "a bird without red wings" lies nearly on red '
         "wings (0.98 and 0.99, above)")  # fmt: skip
    both = [near(r, bird, "a bird without red wings") for r in (letters, words)]
    assert both == [0.98, 0.99]
    says("07", '"Wimgs" costs neither anything; "rde" costs words nearly all')
    assert all(near(r, bird, "a bird with red wimgs") == 1 for r in (letters, words))
    assert near(words, bird, "a bird with rde wings") < 0.25
    assert near(letters, bird, "a bird with rde wings") > 0.9
    says("07", '"turquoise", which the world never says, is an unknown word to one, and '
         "something not far from red to the other.")  # fmt: skip
    other = "a bird with turquoise wings"
    assert "turquoise" in " ".join(vocabulary().notes([other]))
    assert (
        near(letters, bird, other) > near(letters, bird, "a bird with blue wings") + 0.2
    )


def test_a_yardstick_from_elsewhere():
    def at_rest(row, name):
        (value,) = values(records("07"), f"yardstick/{row}", name)
        return value

    says("07", "It has 22.6 million weights, more than a hundred times as many as our reader "
         "of letters")  # fmt: skip
    mine = sum(weight.numel() for weight in shipped("text_chars").parameters())
    assert 100 < 22_565_376 / mine < 110  # counted in tests/test_yardstick.py
    says("07", "MiniLM's R@1 is 0.213, that of our letters 0.357, of our words 0.529")
    every = [round(at_rest(n, "R@1"), 3) for n in ("MiniLM", "letters", "words")]
    assert every == [0.213, 0.357, 0.529]
    says("07", "0.80 of the rare ones it reads rightly")
    assert round(at_rest("MiniLM", "synonyms"), 2) == 0.8
    says("07", "in one pair of five it takes \"blue wings and a red belly\" and its swap the "
         "wrong way round (word order: 0.79).")  # fmt: skip
    assert round(at_rest("MiniLM", "order"), 2) == 0.79
    says("07", "in the other columns, too, it is the last.")
    for name in (
        "R@5",
        "zero-shot",
        "typed as it stands",
        "held-out",
        "order",
        "synonyms",
    ):
        for mine in ("letters", "words"):
            assert at_rest("MiniLM", name) < at_rest(mine, name)


def test_nothing_published_is_printed():
    says("07", "No published figure stands here, for we could not check one against the "
         "paper.")  # fmt: skip
    says("07", "we could check none of their figures against the papers' texts, so none "
         "stands here.")  # fmt: skip
    says("07", "Both have as many weights as the release's.")
    assert parameter_counts("char_cnn_rnn", "paper")["encoders.text"] == 1_814_144


def test_order_and_rare_words():
    says("07", "Words are at 1.00 in both. Letters are at 0.84 and 0.92 after 1,200 steps, "
         "and at 1.00 in both after 3,000. With gates they know the order of words least "
         "of all (0.64), and VSE with the hardest partner is little better there (0.67) "
         "and the worst at rare words (0.57).")  # fmt: skip
    names = list(records("07")["encoders"])
    order, rare = (
        {n: mean(values(records("07"), f"encoders/{n}", figure)) for n in names}
        for figure in ("order", "synonyms")
    )
    said = {"words": (1.0, 1.0), "letters": (0.84, 0.92), "letters, longer": (1.0, 1.0)}
    for name, wanted in said.items():
        assert (round(order[name], 2), round(rare[name], 2)) == wanted
    lowest = sorted(order, key=order.get)[:2]
    assert lowest == ["letters, gated", "vse, hardest"]
    assert [round(order[n], 2) for n in lowest] == [0.64, 0.67]
    assert (
        min(rare, key=rare.get) == "vse, hardest"
        and round(min(rare.values()), 2) == 0.57
    )


def test_the_words_that_ship_learned_longer():
    says("07", "lesson 08's reader has 3,500 steps, and learned for nearly six times as "
         "long by the clock.")  # fmt: skip
    words, letters = (weights.entry(f"text_{n}")["seconds"] for n in ("birds", "chars"))
    assert 5.5 < words / letters < 6
    assert joint_embedding.PRESETS["cpu"]["steps"] == 3500
