"""Captions as people write them about CUB's birds, true by construction.

A caption is put together from phrases ("blue wings", "a belly that is red") by one of
many sentence forms. What it names is recorded, so that a drawing can be held to it.
Forms in HELD_OUT are never used for training: with them we measure whether a text
encoder understands sentences that nobody trained it on.
"""

import bisect
from random import Random

import numpy as np

from .bird_species import ATTRIBUTES, COLOUR_PARTS
from .phrases import BasePhrases, row_of, weighted, with_slips

__all__ = ["FORMS", "HELD_OUT", "caption", "describe", "named_by", "untrue"]

NAMES = list(ATTRIBUTES)
INDEX = {name: i for i, name in enumerate(NAMES)}
PART_WORDS = {
    "wing": (
        "wings|wings|wings|wings|wings|feathers on its wings|wing feathers|primaries"
        "|secondaries|coverts|plumage on its wings|back and wings|wings and back"
    ),
    "belly": (
        "belly|belly|belly|breast|breast|chest|throat|underbelly|underside|abdomen"
        "|underparts|stomach|belly and breast|breast and belly|throat and chest"
        "|throat and breast|chest and belly|breast and throat"
    ),
    "crown": (
        "crown|crown|head|head|head|cap|crest|nape and crown|crown and nape|forehead"
    ),
    "tail": "tail|tail|tail|tail feathers|rectrices|tailfeathers|retrices",
}
PLURAL = (
    "wings",
    "feathers",
    "primaries",
    "secondaries",
    "coverts",
    "underparts",
    "rectrices",
    "retrices",
    "and",
)
COLOUR_WORDS = {
    "red": "red|red|red|red|bright red|crimson|scarlet|reddish",
    "orange": "orange|orange|orange|bright orange|orangish",
    "yellow": "yellow|yellow|yellow|bright yellow|golden|yellowish",
    "green": "green|green|green|greenish|bright green",
    "blue": "blue|blue|blue|bright blue|bluish",
    "purple": "purple|purple|purple|violet|purplish",
    "brown": "brown|brown|brown|brownish",
    "black": "black|black|black|jet black|blackish",
    "white": "white|white|white|snow white|whitish|pure white",
    "grey": "grey|gray|grey|gray|greyish|grayish",
}
BEAK_WORDS = ("beak", "beak", "bill")
SIZE_WORDS = {
    "small": ("small", "small", "tiny", "little"),
    "large": ("large", "big", "large"),
}
LENGTH_WORDS = {
    "short": ("short", "short", "stubby", "short pointy", "short sharp"),
    "long": ("long", "long", "long pointy", "long thin", "long sharp"),
}
PATTERN_WORDS = {
    "plain": ("plain", "plain", "unmarked"),
    "barred": ("barred", "striped", "banded"),
}
PLACES = {
    "sky": ("in the sky", "flying in the sky", "in the air", "in flight"),
    "grass": ("in the grass", "standing in the grass", "on the grass", "in a meadow"),
    "water": (
        "on the water",
        "swimming in the water",
        "floating on the water",
        "at the lake",
    ),
    "branch": (
        "on a branch",
        "sitting on a branch",
        "perched on a branch",
        "in a tree",
    ),
}
SUBJECTS = (
    "this bird|this bird|this bird|a bird|the bird|bird|this particular bird"
    "|this guy|this magnificent fellow|this colorful bird"
    "|the body of this bird|it"
)
ASIDES = (
    "black eyes",
    "a black eye",
    "a round eye",
    "dark eyes",
    "small black eyes",
    "two eyes",
    "a round body",
    "a rounded head",
    "a pointy beak",
    "a sharp bill",
    "two legs",
)


class Phrases(BasePhrases):
    """Phrases about one bird."""

    attributes, asides = ATTRIBUTES, ASIDES

    def colour(self, name: str) -> str:
        """A colour word for a part or the beak, now named."""
        return self.one_of(COLOUR_WORDS[self.note(name)])

    def part(self, name: str) -> str:
        return self.one_of(PART_WORDS[name])

    def noun(self, name: str) -> str:
        """ "a red belly", "blue wings", "a short orange beak", "barred wings"."""
        if name == "pattern":
            return f"{self.one_of(PATTERN_WORDS[self.note(name)])} wings"
        if name in ("beak", "beak_colour"):
            return f"{self.article(self.beak_words(name))} {self.one_of(BEAK_WORDS)}"
        part, colour = self.part(name), self.colour(name)
        if part.split()[-1] in PLURAL or "and" in part or "feathers" in part:
            return f"{colour} {part}"
        return f"{self.article(colour)} {part}"

    def beak_words(self, name: str) -> str:
        """ "short", "orange" or "short orange"; the other beak attribute may join."""
        both = self.rng.random() < 0.3
        words = []
        if name == "beak" or both:
            words.append(self.one_of(LENGTH_WORDS[self.note("beak")]))
        if name == "beak_colour" or both:
            words.append(self.colour("beak_colour"))
        return " ".join(words)

    def bare(self, name: str) -> str:
        """A noun phrase without its article."""
        return self.noun(name).removeprefix("a ").removeprefix("an ")

    def predicate(self, name: str, that: str = " that ") -> str:
        """ "wings that are blue", "a beak that is short"."""
        if name == "pattern":
            return f"wings{that}are {self.one_of(PATTERN_WORDS[self.note(name)])}"
        if name in ("beak", "beak_colour"):
            return f"{self.one_of(BEAK_WORDS)}{that}is {self.beak_words(name)}"
        part = self.part(name)
        verb = "are" if part.split()[-1] in PLURAL or "and" in part else "is"
        return f"{part}{that}{verb} {self.colour(name)}"

    def subject(self, with_size: bool) -> str:
        """Who the sentence is about; the size comes as an adjective."""
        if not with_size:
            return self.one_of(SUBJECTS)
        size = self.one_of(SIZE_WORDS[self.note("size")])
        return self.one_of(
            f"this {size} bird|a {size} bird|the {size} bird"
            f"|this is a {size} bird that|{size} bird"
        )

    def place(self) -> str:
        return self.one_of(PLACES[self.note("habitat")])


def _has(p: Phrases, names: list[str], size: bool, place: bool) -> str:
    verb = p.one_of(" has | has | has | with | with | featuring | having | displays ")
    return p.subject(size) + verb + p.listed([p.noun(n) for n in names])


def _that_are(p: Phrases, names: list[str], size: bool, place: bool) -> str:
    first = p.predicate(names[0])
    rest = [p.noun(n) for n in names[1:]]
    joint = p.one_of(" and has | and has | and | with | along with ")
    text = p.subject(size) + p.one_of(" has | with ") + first
    return text + (joint + p.listed(rest) if rest else "")


def _is_are(p: Phrases, names: list[str], size: bool, place: bool) -> str:
    start = p.one_of("the |its |the bird's |this bird's |")
    between = p.one_of(f" and {start}|, {start}| while {start}|, and {start}")
    return start + between.join(p.predicate(n, " ") for n in names)


def _fragments(p: Phrases, names: list[str], size: bool, place: bool) -> str:
    head = (
        f"{p.one_of(SIZE_WORDS[p.note('size')])} bird, "
        if size
        else p.one_of("|bird, |")
    )
    return head + ", ".join(p.bare(n) for n in names)


def _colour_on(p: Phrases, names: list[str], size: bool, place: bool) -> str:
    pieces = []
    for name in names:
        if name in COLOUR_PARTS:
            where = p.part(name)
            pieces.append(
                f"{p.colour(name)} {p.one_of('on its|on the|in its')} {where}"
            )
        else:
            pieces.append(p.noun(name))
    return p.subject(size) + p.one_of(" has | with | shows ") + p.listed(pieces)


def _headed(p: Phrases, names: list[str], size: bool, place: bool) -> str:
    forms = {
        "wing": "winged",
        "belly": "bellied|breasted|throated|chested",
        "crown": "headed|crowned|capped",
        "tail": "tailed",
    }
    name = next((n for n in names if n in forms), None)
    if name is None:
        return _has(p, names, size, place)
    size_word = p.one_of(SIZE_WORDS[p.note("size")]) + " " if size else ""
    start = p.one_of("this|a|the")
    text = f"{start} {size_word}{p.colour(name)} {p.one_of(forms[name])} bird"
    rest = [p.noun(n) for n in names if n != name]
    return text + (p.one_of(" has | with ") + p.listed(rest) if rest else "")


def _overall(p: Phrases, names: list[str], size: bool, place: bool) -> str:
    """Names all four colours: the most frequent for the bird, then the exceptions."""
    colours = [p.value(part) for part in COLOUR_PARTS]
    main = max(
        colours, key=lambda colour: (colours.count(colour), -colours.index(colour))
    )
    same = [part for part in COLOUR_PARTS if p.value(part) == main]
    odd = [part for part in COLOUR_PARTS if part not in same]
    if len(same) == 1 or len(odd) > 2:
        return _has(p, names, size, place)
    colour = [p.colour(part) for part in same][-1]
    size_word = p.one_of(SIZE_WORDS[p.note("size")]) + " " if size else ""
    others = [n for n in names if n not in COLOUR_PARTS][:1]
    rest = [p.noun(n) for n in [*odd, *others]]
    if not odd:
        how = p.one_of("completely |all |entirely |totally |almost all |solid |")
    else:
        how = p.one_of("mostly |mainly ||||primarily ")
    text = p.one_of(
        [
            f"this {size_word}bird is {how}{colour}",
            f"{p.one_of('a|this|the')} {size_word}{how}{colour} bird",
            f"this is a {size_word}{how}{colour} bird",
            f"a {size_word}bird that is {how}{colour}",
            f"{how}{colour} {size_word}bird",
            f"the {size_word}bird is {how}{colour} in color",
            f"{how}{colour}",
        ]
    )
    if size_word not in text:  # the shortest form has no bird to be large
        p.named[INDEX["size"]] = -1
    joint = p.one_of(
        " with | with | and has | with "
        if text.endswith("bird")
        else " with | and has | except for | but has "
    )
    return text + (joint + p.listed(rest) if rest else "")


def _two_sentences(p: Phrases, names: list[str], size: bool, place: bool) -> str:
    cut = max(1, len(names) // 2)
    text = _has(p, names[:cut], size, place)
    rest = names[cut:]
    if not rest:
        return text
    return (
        text
        + p.one_of(". it has |. it also has |; |. the bird has ")
        + p.listed([p.noun(n) for n in rest])
    )


def _there_is(p: Phrases, names: list[str], size: bool, place: bool) -> str:
    word = f"{p.one_of(SIZE_WORDS[p.note('size')])} bird" if size else "bird"
    return f"there is a {word} whose " + " and whose ".join(
        p.predicate(n, " ") for n in names
    )


def _you_see(p: Phrases, names: list[str], size: bool, place: bool) -> str:
    start = p.one_of("you can see |notice |look at |here we see |i see ")
    word = f"{p.one_of(SIZE_WORDS[p.note('size')])} bird: " if size else ""
    return start + word + p.listed([p.noun(n) for n in names])


def _colon(p: Phrases, names: list[str], size: bool, place: bool) -> str:
    word = f"{p.note('size')}. " if size else ""
    pairs = [p.predicate(n, ": ") for n in names]
    return word + "; ".join(pairs).replace(": is ", ": ").replace(": are ", ": ")


def _possessive(p: Phrases, names: list[str], size: bool, place: bool) -> str:
    word = f"{p.one_of(SIZE_WORDS[p.note('size')])} " if size else ""
    things = [p.bare(n) for n in names]
    return f"what a pretty {word}bird, {things[0]} and all" + (
        ", and then " + p.listed(things[1:]) if things[1:] else ""
    )


FORMS = {
    "has": _has,
    "that are": _that_are,
    "is": _is_are,
    "fragments": _fragments,
    "colour on": _colour_on,
    "headed": _headed,
    "overall": _overall,
    "two sentences": _two_sentences,
}
HELD_OUT = {
    "there is": _there_is,
    "you see": _you_see,
    "colon": _colon,
    "possessive": _possessive,
}
FORM_WEIGHTS = [0.27, 0.40, 0.49, 0.57, 0.66, 0.74, 0.92, 1.0]  # cumulated
COUNT_WEIGHTS = [0.08, 0.40, 0.80, 1.0]  # cumulated: 1, 2, 3 or 4 attributes
PART_WEIGHTS = {
    "wing": 1.0,
    "belly": 1.0,
    "crown": 0.9,
    "tail": 0.45,
    "pattern": 0.22,
    "beak": 0.35,
    "beak_colour": 0.35,
}


def describe(
    content: np.ndarray, rng: Random, form: str | None = None
) -> tuple[str, np.ndarray]:
    """One true sentence about a bird with this content.

    content: (len(ATTRIBUTES),) whole numbers; form: a key of FORMS or HELD_OUT, or None
    for one drawn from FORMS
    Returns the sentence (lower case) and what it names: (len(ATTRIBUTES),), or -1.
    """
    p = Phrases(content, rng)
    count = 1 + bisect.bisect(COUNT_WEIGHTS, rng.random())
    names = weighted(PART_WEIGHTS, count, rng)
    if "beak" in names and "beak_colour" in names:
        names.remove("beak_colour")
    if form is None:
        form = list(FORMS)[bisect.bisect(FORM_WEIGHTS, rng.random())]
    make = FORMS.get(form) or HELD_OUT[form]
    size, place = rng.random() < 0.25, rng.random() < 0.12
    text = make(p, names, size, place)
    if place:
        text = f"{text} {p.one_of(['', ', '])}{p.place()}".replace(" ,", ",")
    return " ".join(text.split()), p.named


def caption(content: np.ndarray, seed: tuple[int, ...]) -> tuple[str, np.ndarray]:
    """Training caption `seed`: a form of FORMS, sometimes with a typing error."""
    return with_slips(describe, content, seed)


def untrue(content: np.ndarray, seed: tuple[int, ...]) -> str:
    """A false twin of training caption `seed`: the same words, but one thing is wrong.

    Two parts that the caption names exchange their colours, or one of them gets another
    colour; where the caption names anything else, in one case of three that changes.
    """
    _, named = caption(content, seed)
    rng = Random("untrue-" + "-".join(map(str, seed)))
    parts = [i for i in range(len(COLOUR_PARTS)) if named[i] >= 0]
    others = [i for i in range(len(COLOUR_PARTS), len(NAMES)) if named[i] >= 0]
    false = content.copy()
    if others and (not parts or rng.random() < 1 / 3):
        parts = others
    elif len(parts) > 1 and rng.random() < 0.5:
        i, j = rng.sample(parts, 2)
        false[i], false[j] = content[j], content[i]
    if (false == content).all():
        i = rng.choice(parts)
        values = len(ATTRIBUTES[NAMES[i]])
        false[i] = (content[i] + rng.randrange(1, values)) % values
    return caption(false, seed)[0]


def named_by(pairs: dict[str, str]) -> np.ndarray:
    """{"wing": "blue", "belly": "red"} as a row like `describe`'s second result.

    Raises ValueError for an attribute or value that this world does not have.
    """
    spelt = {name: {"gray": "grey"}.get(value, value) for name, value in pairs.items()}
    return row_of(ATTRIBUTES, spelt)
