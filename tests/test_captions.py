"""Captions are true, say what their record says, and use the words that we know.

The reader below knows nothing of the grammar that wrote them: it finds colour words and
part words in a sentence and binds one to the other as a person would.
"""

import re
from random import Random

import numpy as np
import pytest

from t2i_course.text.vocabulary import UNKNOWN, split_words
from t2i_course.worlds.bird_captions import (
    FORMS,
    HELD_OUT,
    caption,
    describe,
    named_by,
    untrue,
)
from t2i_course.worlds.bird_species import (
    ATTRIBUTES,
    COLOUR_PARTS,
    COLOURS,
    STYLE,
    species_table,
)
from t2i_course.worlds.bird_words import WORDS
from t2i_course.worlds.birds import vocabulary

NAMES = list(ATTRIBUTES)
COLOUR_OF = {c: c for c in COLOURS} | {
    "gray": "grey",
    "crimson": "red",
    "scarlet": "red",
    "reddish": "red",
    "orangish": "orange",
    "golden": "yellow",
    "yellowish": "yellow",
    "greenish": "green",
    "bluish": "blue",
    "violet": "purple",
    "purplish": "purple",
    "brownish": "brown",
    "blackish": "black",
    "whitish": "white",
    "greyish": "grey",
    "grayish": "grey",
}
PART_OF = {
    "wing": "wing wings winged primaries secondaries coverts back",
    "belly": "belly breast chest throat underbelly underside abdomen underparts "
    "stomach bellied breasted throated chested",
    "crown": "crown head cap crest nape forehead headed crowned capped",
    "tail": "tail tailed rectrices retrices tailfeathers",
    "beak": "beak bill",
}
PART_OF = {word: part for part, words in PART_OF.items() for word in words.split()}
OTHER = {
    "size": {
        "small": "small",
        "tiny": "small",
        "little": "small",
        "large": "large",
        "big": "large",
    },
    "beak": {"short": "short", "stubby": "short", "long": "long"},
    "pattern": {
        "plain": "plain",
        "unmarked": "plain",
        "barred": "barred",
        "striped": "barred",
        "banded": "barred",
    },
    "habitat": {
        "sky": "sky",
        "air": "sky",
        "flight": "sky",
        "grass": "grass",
        "meadow": "grass",
        "water": "water",
        "lake": "water",
        "branch": "branch",
        "tree": "branch",
    },
}
# what people add that names no attribute of this world; "little guy" is endearment
ASIDES = (
    "little guy|a round body|a rounded head|"
    "(dark|small black|black|a black|a round|two) eyes?"
)
TRANSPARENT = {"feathers", "plumage", "on", "its", "the", "in"}
ADJECTIVES = set("bright jet snow pure short stubby long pointy thin sharp".split())
EVERY_FORM = [*FORMS, *HELD_OUT]


def read(sentence):
    """{attribute: value} as a person reads the sentence; None for a clash."""
    text = re.sub(ASIDES, "", sentence.replace("wing feathers", "wings"))
    text = text.replace("tail feathers", "tail")
    words = re.findall(r"[a-z]+|[:,;.]", text)
    found, free = {}, set(range(len(words)))
    for i, word in enumerate(words):
        for name, values in OTHER.items():
            if word in values:
                put(found, name, values[word])
        if word in PART_OF:
            place = following(words, i)
            place = before(words, i) if place is None else place
            place = after_and(words, i) if place is None else place
            if place is not None:
                part = "beak_colour" if PART_OF[word] == "beak" else PART_OF[word]
                put(found, part, COLOUR_OF[words[place]])
                free.discard(place)
    whole = {COLOUR_OF[words[i]] for i in free if words[i] in COLOUR_OF}
    assert len(whole) <= 1, f"two colours for the whole bird: {sentence}"
    for colour in whole:  # "a mostly blue bird with ...": all parts not excepted
        for part in COLOUR_PARTS:
            found.setdefault(part, colour)
    return found


def put(found, name, value):
    """Notes a reading; the same thing may be said twice but not in two ways."""
    assert found.setdefault(name, value) == value, f"{name}: {found[name]} and {value}"


def following(words, i):
    """Where a colour follows the part: "wings that are blue", "belly: red"."""
    j = i + 2 if words[i + 1 : i + 2] == ["that"] else i + 1
    if words[j : j + 1] not in (["is"], ["are"], [":"]):
        return None
    for k in range(j + 1, len(words)):
        if words[k] in COLOUR_OF:
            return k
        if words[k] not in ADJECTIVES:
            return None
    return None


def joined(words, i):
    """Whether words i to i + 2 are "throat and chest": one part in two words."""
    return (
        words[i + 1 : i + 2] == ["and"]
        and i >= 0
        and i + 2 < len(words)
        and (PART_OF.get(words[i]) == PART_OF.get(words[i + 2], ""))
    )


def after_and(words, i):
    """Where the colour of the other of two words follows: "throat and chest: red"."""
    return following(words, i + 2) if joined(words, i) else None


def before(words, i):
    """Where a colour stands before the part: "bright red belly", "red on its belly"."""
    while joined(words, i - 2):
        i -= 2
    for j in range(i - 1, -1, -1):
        if words[j] in COLOUR_OF:
            return j
        if words[j] not in TRANSPARENT:
            return None
    return None


def sentences(form, count=400):
    """(species, sentence, named) of `count` captions of a form, over all species."""
    for i in range(count):
        kind = (i * 37) % 200
        yield kind, *describe(species_table()[kind], Random(f"{form}-{i}"), form)


def test_the_reader_reads():
    """A check of the check: sentences whose meaning is plain."""
    assert read("this bird has blue wings and a red belly") == {
        "wing": "blue",
        "belly": "red",
    }
    assert read("a bird with a tail that is grey and a bright red cap") == {
        "tail": "grey",
        "crown": "red",
    }
    assert read("black on its wings, crown: white; bill: orange") == {
        "wing": "black",
        "crown": "white",
        "beak_colour": "orange",
    }
    assert read("a mostly green bird, a short beak and white breast and throat") == {
        "wing": "green",
        "crown": "green",
        "tail": "green",
        "belly": "white",
        "beak": "short",
    }
    with pytest.raises(AssertionError):
        read("red wings and wings that are blue")


@pytest.mark.parametrize("form", EVERY_FORM)
def test_captions_are_true_and_say_what_is_recorded(form):
    for kind, sentence, named in sentences(form):
        truth = {n: ATTRIBUTES[n][v] for n, v in zip(NAMES, species_table()[kind])}
        found = read(sentence)
        wrong = {n: v for n, v in found.items() if truth[n] != v}
        assert not wrong, f"{sentence!r} says {wrong}, but the bird is {truth}"
        record = {n: ATTRIBUTES[n][v] for n, v in zip(NAMES, named) if v >= 0}
        assert found == record, sentence


def test_a_false_twin_is_false():
    """It says something of the bird that is not so, unless a slip hides it."""
    false = 0
    for i in range(300):
        row = species_table()[i % 200]
        found = read(untrue(row, (i % 200, i, 1)))
        truth = {n: ATTRIBUTES[n][v] for n, v in zip(NAMES, row)}
        false += any(truth[name] != value for name, value in found.items())
    assert false / 300 > 0.95


def test_each_caption_names_something_and_most_name_a_few():
    counts = [(n >= 0).sum() for form in FORMS for _, _, n in sentences(form, 100)]
    assert min(counts) >= 1 and 2 <= np.mean(counts) <= 5


def test_the_same_seed_writes_the_same_caption():
    row = species_table()[3]
    assert caption(row, (3, 1, 2))[0] == caption(row, (3, 1, 2))[0]
    assert len({caption(row, (3, 1, j))[0] for j in range(10)}) >= 8


def test_captions_never_speak_of_style():
    """Style is not an argument of the grammar, and its words are not in it."""
    of_style = {"left", "right", "flip", "flipped", "tilt", "tilted", "light", "shade"}
    assert not of_style & set(WORDS.split()) and not set(STYLE) & set(WORDS.split())


def test_the_words_are_those_of_the_grammar():
    used = set()
    for form in FORMS:
        for _, sentence, _ in sentences(form, 2500):
            used.update(split_words(sentence))
    known = set(WORDS.split())
    assert not used - known, "the grammar uses words that bird_words.py lacks"
    assert not known - used, "bird_words.py has words that the grammar never uses"


def test_training_captions_hold_no_unknown_word():
    """Not even the misspelt ones, but for slips that make another real word."""
    words, unknown, count = vocabulary(), 0, 0
    for i in range(4000):
        sentence, _ = caption(species_table()[i % 200], (i % 200, i, 0))
        numbers = words.numbers_of(sentence)
        count += len(numbers)
        unknown += numbers.count(UNKNOWN)
    assert unknown / count < 0.0005


def test_named_by():
    row = named_by({"wing": "blue", "belly": "gray", "beak": "long"})
    assert row[NAMES.index("wing")] == COLOURS.index("blue")
    assert row[NAMES.index("belly")] == COLOURS.index("grey")
    assert (row >= 0).sum() == 3
    with pytest.raises(ValueError, match="No attribute 'wings'; there are wing, belly"):
        named_by({"wings": "blue"})
    with pytest.raises(ValueError, match="wing can't be 'pink', only red, orange"):
        named_by({"wing": "pink"})
