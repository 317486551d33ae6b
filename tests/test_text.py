"""From sentences to numbers: whatever people type, read well or refused clearly."""

from random import Random

import pytest
import torch

from t2i_course.text import NoKnownWord, Vocabulary, split_words
from t2i_course.text.typing_errors import misspell
from t2i_course.text.vocabulary import MAX_WORDS, NOT_ERRORS, UNKNOWN
from t2i_course.worlds.bird_captions import COLOUR_WORDS, describe
from t2i_course.worlds.bird_species import species_table
from t2i_course.worlds.birds import vocabulary


@pytest.fixture(scope="module")
def words():
    """The bird world's vocabulary."""
    return vocabulary()


@pytest.mark.parametrize(
    "sentence",
    [
        "A RED Bird, with blue wings!",
        "a red bird with blue wings",
        "  a red  bird\twith\nblue wings ... ",
        "a red-bird (with) 'blue' wings;",
        "a red bird — with “blue” wings…",
    ],
)
def test_case_and_punctuation_change_nothing(words, sentence):
    assert split_words(sentence) == "a red bird with blue wings".split()
    assert words.numbers_of(sentence) == words.numbers_of("a red bird with blue wings")


def test_possessives_and_numbers():
    assert split_words("the bird's 2 wings") == ["the", "bird", "2", "wings"]


@pytest.mark.parametrize("empty", ["", "   ", "...", "!?", "\n\t"])
def test_an_empty_caption_says_what_to_type(words, empty):
    with pytest.raises(NoKnownWord, match=r"empty\. Try: a bird with"):
        words.numbers_of(empty)


@pytest.mark.parametrize("thing", [None, 3, 2.5, b"a red bird", ["a", "bird"]])
def test_what_is_no_string_is_refused(words, thing):
    kind = type(thing).__name__
    with pytest.raises(TypeError, match=rf"in quotes \(str\), not {kind}"):
        words.numbers_of(thing)


def test_no_known_word_names_near_ones(words):
    with pytest.raises(NoKnownWord) as caught:
        words.numbers_of("xylophon blu krwn")
    said = str(caught.value)
    assert "near: blue" in said and "crown" in said and "such as" in said
    assert isinstance(caught.value, ValueError)


def test_other_scripts_are_refused_not_guessed(words):
    for caption in ("красная птица", "赤い鳥", "αβγ!"):
        with pytest.raises(NoKnownWord, match=r"isn't English: .* English words"):
            words.numbers_of(caption)
    with pytest.raises(NoKnownWord):
        words.numbers_of("zygote quux")


def test_an_unknown_word_among_known_ones_is_marked(words):
    numbers = words.numbers_of("a turquoise bird")
    assert numbers[1] == UNKNOWN and UNKNOWN not in (numbers[0], numbers[2])
    assert words.unknown("a turquoise bird with zebra wings") == ["turquoise", "zebra"]


def test_ten_thousand_words_are_cut(words):
    long = "a red bird " * 3334
    assert words.numbers_of(long) == words.numbers_of(long[:400])
    assert len(words.numbers_of(long)) == MAX_WORDS
    tokens, lengths = words.encode([long, "red"])
    assert tokens.shape == (2, MAX_WORDS) and lengths.tolist() == [MAX_WORDS, 1]


def test_ten_thousand_unknown_words_are_refused_at_once(words):
    with pytest.raises(NoKnownWord) as caught:
        words.numbers_of("xqz " * 10_000)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("caption", "denied"),
    [
        ("a bird that is not red", ["not"]),
        ("no red, and never blue", ["no", "never"]),
        ("the belly isn't red", ["isn"]),
        ("a red bird in the snow", []),
        ("a knot, a note, nobody", []),
    ],
)
def test_denials_are_named(words, caption, denied):
    assert words.negations(caption) == denied
    notes = [note for note in words.notes([caption]) if "denied" in note]
    assert len(notes) == bool(denied)
    for word in denied:
        assert repr(word) in notes[0]


def test_a_denial_that_is_known_is_none():
    """ "no entry" is a word of the emoji's captions like any other."""
    assert Vocabulary(["no", "entry"]).notes(["no entry"]) == []


def test_notes_say_what_is_not_understood(words):
    assert words.notes(["a red bird", "a blue bird"]) == []
    long = "a red bird " * 11
    assert words.notes([long]) == ["only the first 32 words are read"]
    unknown, cut = words.notes(["a bleen bird", long])
    assert unknown == "words it doesn't know: bleen"
    assert cut == "only the first 32 words of caption 2 are read"
    assert words.notes(["a red bird " * 10 + "sky red bleen"])[0].startswith("only")


def test_encode_pads_with_zero(words):
    tokens, lengths = words.encode(["a red bird", "red"])
    assert tokens.dtype == torch.int64 and lengths.tolist() == [3, 1]
    assert tokens[1, 1:].tolist() == [0, 0] and (tokens[0] > UNKNOWN).all()
    assert torch.equal(words.encode("a red bird")[0], tokens[:1])  # one sentence
    with pytest.raises(NoKnownWord, match="no caption"):
        words.encode([])


def test_a_vocabulary_of_equal_words_is_refused():
    with pytest.raises(ValueError, match="distinct"):
        Vocabulary(["red", "red"])


def test_fingerprint_changes_with_the_words():
    one, two = Vocabulary(["red", "blue"]), Vocabulary(["blue", "red"])
    assert one.fingerprint == Vocabulary(["red", "blue"]).fingerprint
    assert one.fingerprint != two.fingerprint and len(one) == 4


def slips(count=3000):
    """(word, misspelt word) as `misspell` makes them in captions."""
    rng, found = Random(5), []
    while len(found) < count:
        row = species_table()[rng.randrange(200)]
        sentence = describe(row, rng)[0]
        pairs = zip(sentence.split(" "), misspell(sentence, rng).split(" "))
        found += [(before, after) for before, after in pairs if before != after]
    return found


def test_typing_errors_are_read_as_meant(words):
    """Nearly all single slips are mended, and no colour is read as another colour."""
    pairs = slips()
    right = sum(words.number(after) == words.numbers[before] for before, after in pairs)
    assert right / len(pairs) > 0.975
    colour = {w: c for c, many in COLOUR_WORDS.items() for w in many.split("|")}
    for before, after in pairs:
        number = words.number(after)
        if number != UNKNOWN and before in colour:
            seen = colour.get(words.words[number - 2])
            assert seen in (None, colour[before]), (before, after)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("balck", "black"),
        ("yelow", "yellow"),
        ("purplle", "purple"),
        ("brest", "breast"),
        ("winngs", "wings"),
        ("ornage", "orange"),
        ("whtie", "white"),
        ("bellly", "belly"),
    ],
)
def test_people_s_slips(words, typed, meant):
    assert words.number(typed) == words.numbers[meant]
    assert Vocabulary(words.words, correct=False).number(typed) == UNKNOWN


def test_real_words_are_not_turned_into_colours(words):
    """ "grown" is no brown and "while" no white: they stay themselves, or unknown."""
    for word in sorted(NOT_ERRORS):
        assert words.number(word) == words.numbers.get(word, UNKNOWN), word


@pytest.mark.parametrize("word", "pink teal tan bread crew bled river flower".split())
def test_other_real_words_are_not_turned_into_colours(words, word):
    number = words.number(word)
    seen = words.words[number - 2] if number != UNKNOWN else None
    assert seen in (None, word)


def test_misspell_changes_one_word_and_keeps_its_first_letter():
    rng = Random(1)
    for _ in range(300):
        sentence = "this small yellow bird has brownish wings"
        before, after = sentence.split(), misspell(sentence, rng).split()
        changed = [(b, a) for b, a in zip(before, after) if a != b]
        assert len(before) == len(after) and len(changed) <= 1
        for b, a in changed:
            assert b[0] == a[0] and abs(len(a) - len(b)) <= 1
    assert misspell("a red bird", rng) == "a red bird"
