"""Captions of flowers are true, say what their record says, in words that we know.

The reader below knows nothing of the grammar that wrote them: it finds what people say
of petals, stamens, centre and leaves, and binds words to parts as a person would.
"""

import re
from random import Random

import numpy as np
import pytest

from t2i_course.text.vocabulary import UNKNOWN, split_words
from t2i_course.worlds.flower_captions import (
    FORMS,
    HELD_OUT,
    caption,
    describe,
    named_by,
    untrue,
)
from t2i_course.worlds.flower_species import ATTRIBUTES, STYLE, variety_table
from t2i_course.worlds.flower_words import WORDS
from t2i_course.worlds.flowers import vocabulary

NAMES = list(ATTRIBUTES)
KINDS = variety_table().reshape(-1, len(ATTRIBUTES))
COLOUR_OF = {c: c for c in (*ATTRIBUTES["petal"], *ATTRIBUTES["centre"])} | {
    **{"crimson": "red", "scarlet": "red", "golden": "yellow", "yellowish": "yellow"},
    **{"pinkish": "pink", "rose": "pink", "violet": "purple", "lavender": "purple"},
    **{"purplish": "purple", "bluish": "blue", "whitish": "white", "wine": "maroon"},
    **{"burgundy": "maroon", "greenish": "green", "brownish": "brown"},
}
PLAIN = ("plain", "solid", "single")
SHAPE_OF = {"rounded": "rounded", "round": "rounded", "oval": "rounded"} | {
    **{"pointed": "pointed", "pointy": "pointed", "sharp": "pointed"},
    **{"star": "pointed", "spiky": "pointed"},
}
NUMBER_OF = {
    "five": "five",
    "5": "five",
    "eight": "eight",
    "8": "eight",
} | dict.fromkeys(("many", "lots", "numerous", "lot"), "many")
LEAF_OF = {"narrow": "narrow", "thin": "narrow", "slender": "narrow"} | {
    **{"broad": "broad", "wide": "broad", "large": "broad"},
}
STAMENS = "anther filaments|stamens?|anthers|filaments"
CENTRE = "center|centre|middle|pistil|disc"
STREAKS = "stripes|streaks|lines|markings|veins|patches|touches"
ASIDES = (
    r"a? ?(thin |long )?(green|long) stem|(soft|smooth|delicate) petals|a nice smell"
)
EVERY_FORM = [*FORMS, *HELD_OUT]
COLOUR = "|".join(sorted(COLOUR_OF, key=len, reverse=True))


def read(sentence):
    """{attribute: value} as a person reads the sentence."""
    text = re.sub(ASIDES, "", sentence).replace("lime green", "green")
    text, found = f" {text} ", {}
    for name, part in (("stamen", STAMENS), ("centre", CENTRE)):
        text = take(text, found, name, [
            rf"\b({COLOUR}) (?:in its|on its|on the) (?:{part})\b",
            rf"\b({COLOUR}) (?:{part})\b",
            rf"\b(?:{part})(?: that)?(?: is| are|:) (?:\w+ )?({COLOUR})\b",
        ])  # fmt: skip
    leaves = "|".join(LEAF_OF)
    text = take(text, found, "leaves", [
        rf"\b({leaves})(?: (?:{leaves}|green|long))* leaves\b",
        rf"\bleaves(?: that)?(?: are|:) (?:long |big )?({leaves})\b",
    ], LEAF_OF)  # fmt: skip
    text = take(text, found, "stripe", [
        rf"\b({COLOUR}) (?:{STREAKS})\b",
        rf"\b(?:{STREAKS}) of (?:\w+ )?({COLOUR})\b",
    ])  # fmt: skip
    for word in re.findall(r"[a-z]+|\d", text):
        for name, values in (("shape", SHAPE_OF), ("number", NUMBER_OF)):
            if word in values:
                put(found, name, values[word])
        if word in PLAIN:
            put(found, "stripe", "plain")
    colours = [COLOUR_OF[w] for w in re.findall(rf"\b({COLOUR})\b", text)]
    assert len(colours) <= 2, sentence
    for name, colour in zip(("petal", "stripe"), colours):
        put(found, name, colour)
    return found


def take(text, found, name, patterns, values=COLOUR_OF):
    """Notes what is said of one part, and gives back what else is said."""
    for pattern in patterns:
        for match in list(re.finditer(pattern, text)):
            put(found, name, values[match[1]])
        text = re.sub(pattern, " ; ", text)
    return text


def put(found, name, value):
    """Notes a reading; the same thing may be said twice but not in two ways."""
    assert found.setdefault(name, value) == value, f"{name}: {found[name]} and {value}"


def sentences(form, count=400):
    """(content, sentence, named) of `count` captions of a form, over all varieties."""
    for i in range(count):
        row = KINDS[(i * 97) % len(KINDS)]
        yield row, *describe(row, Random(f"{form}-{i}"), form)


def said(row):
    """Values by name, of what is named."""
    return {n: ATTRIBUTES[n][v] for n, v in zip(NAMES, row) if v >= 0}


def test_the_reader_reads():
    """A check of the check: sentences in the phrasing of Oxford-102's captions."""
    found = read("this flower has petals that are pink and white with yellow stamens")
    assert found == {"petal": "pink", "stripe": "white", "stamen": "yellow"}
    found = read("this flower has petals that are white and has patches of yellow")
    assert found == {"petal": "white", "stripe": "yellow"}
    found = read("this pink flower has oval petals and a large yellow stamen")
    assert found == {"petal": "pink", "shape": "rounded", "stamen": "yellow"}
    with pytest.raises(AssertionError):
        read("narrow leaves and leaves that are broad")


@pytest.mark.parametrize("form", EVERY_FORM)
def test_captions_are_true_and_say_what_is_recorded(form):
    for content, sentence, named in sentences(form):
        found, truth = read(sentence), said(content)
        wrong = {n: v for n, v in found.items() if truth[n] != v}
        assert not wrong, f"{sentence!r} says {wrong}, but the flower is {truth}"
        assert found == said(named), sentence


def test_a_false_twin_is_false():
    """It says something of the flower that is not so, unless a slip hides it."""
    false, clash = 0, 0
    for i in range(300):
        row = KINDS[(i * 97) % len(KINDS)]
        try:
            found = read(untrue(row, (i % 102, i, 1)))
        except AssertionError:  # a slip in a word that the reader needs
            clash += 1
            continue
        false += any(said(row)[name] != value for name, value in found.items())
    assert false / (300 - clash) > 0.95 and clash < 10


def test_each_caption_names_something_and_most_name_a_few():
    counts = [(n >= 0).sum() for form in FORMS for _, _, n in sentences(form, 100)]
    assert min(counts) >= 1 and 2 <= np.mean(counts) <= 5


def test_petals_are_named_most_often():
    named = np.array([caption(KINDS[i % 612], (i, 0, 0))[1] for i in range(2000)]) >= 0
    share = dict(zip(NAMES, named.mean(0)))
    assert share["petal"] == max(share.values()) and min(share.values()) > 0.1


def test_the_same_seed_writes_the_same_caption():
    row = KINDS[3]
    assert caption(row, (3, 1, 2))[0] == caption(row, (3, 1, 2))[0]
    assert len({caption(row, (3, 1, j))[0] for j in range(10)}) >= 8


def test_captions_never_speak_of_style():
    of_style = {"left", "right", "tilted", "soil", "sky", "meadow", "foliage", "shade"}
    assert not of_style & set(WORDS.split()) and not set(STYLE) & set(WORDS.split())


def test_the_words_are_those_of_the_grammar():
    used = set()
    for form in FORMS:
        for _, sentence, _ in sentences(form, 2500):
            used.update(split_words(sentence))
    known = set(WORDS.split())
    assert not used - known, "the grammar uses words that flower_words.py lacks"
    assert not known - used, "flower_words.py has words that the grammar never uses"


def test_training_captions_hold_no_unknown_word():
    """Not even the misspelt ones, but for slips that make another real word."""
    words, unknown, count = vocabulary(), 0, 0
    for i in range(4000):
        numbers = words.numbers_of(caption(KINDS[i % 612], (i % 102, i, 0))[0])
        count += len(numbers)
        unknown += numbers.count(UNKNOWN)
    assert unknown / count < 0.0005


def test_named_by():
    row = named_by({"petal": "pink", "stripe": "plain", "leaves": "broad"})
    assert said(row) == {"petal": "pink", "stripe": "plain", "leaves": "broad"}
    with pytest.raises(ValueError, match="No attribute 'petals'; there are petal, st"):
        named_by({"petals": "blue"})
    with pytest.raises(ValueError, match="petal can't be 'black', only red, orange"):
        named_by({"petal": "black"})
