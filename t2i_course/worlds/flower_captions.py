"""Captions as people write them about Oxford's flowers, true by construction.

As for the birds (`bird_captions`), a caption is put together from phrases ("yellow
stamens", "petals that are pink and white") by one of many sentence forms, and what it
names is recorded. Of two colours of the petals, the first is what they are, the second
what they are streaked with. Forms in HELD_OUT are never used for training.
"""

import bisect
from itertools import combinations
from random import Random

import numpy as np

from .flower_species import ATTRIBUTES, COLOURED, possible
from .phrases import BasePhrases, row_of, weighted, with_slips

__all__ = ["FORMS", "HELD_OUT", "caption", "describe", "named_by", "untrue"]

NAMES = list(ATTRIBUTES)
OF_PETALS = ("petal", "stripe", "shape", "number")
COLOUR_WORDS = {
    "red": "red|red|red|bright red|crimson|scarlet",
    "orange": "orange|orange|orange|bright orange",
    "yellow": "yellow|yellow|yellow|bright yellow|golden|yellowish",
    "pink": "pink|pink|pink|soft pink|rose colored|pinkish",
    "purple": "purple|purple|purple|violet|lavender|purplish",
    "blue": "blue|blue|blue|bright blue|bluish",
    "white": "white|white|white|pure white|creamy white|whitish",
    "maroon": "maroon|maroon|burgundy|wine colored",
    "green": "green|green|lime green|greenish",
    "brown": "brown|brown|brownish",
    "black": "black|black|dark black",
}
PART_WORDS = {
    "stamen": "stamens|stamens|stamen|stamen|anthers|filaments|anther filaments",
    "centre": "center|center|center|centre|middle|pistil|disc",
}
LEAF_WORDS = {
    "narrow": ("narrow", "thin", "slender", "long thin", "long narrow"),
    "broad": ("broad", "wide", "large", "big broad", "large wide"),
}
SHAPE_WORDS = {
    "rounded": ("rounded", "round", "oval", "oval shaped", "round tipped"),
    "pointed": ("pointed", "pointy", "sharp", "star shaped", "spiky"),
}
NUMBER_WORDS = {
    "five": ("five", "five", "5"),
    "eight": ("eight", "eight", "8"),
    "many": ("many", "many", "lots of", "numerous", "a lot of"),
}
PLAIN_WORDS = ("plain", "solid", "single colored")
STREAKS = "stripes|stripes|streaks|lines|markings|veins"
SUBJECTS = (
    "this flower|this flower|this flower|this flower|a flower|the flower|flower"
    "|this particular flower|this is a flower that|it|this beautiful flower"
)
ASIDES = (
    "a green stem",
    "a long stem",
    "a thin green stem",
    "soft petals",
    "smooth petals",
    "delicate petals",
    "a nice smell",
)


class Phrases(BasePhrases):
    """Phrases about one flower."""

    attributes, asides = ATTRIBUTES, ASIDES

    def colour(self, name: str) -> str:
        """A colour word for a part, now named."""
        return self.one_of(COLOUR_WORDS[self.note(name)])

    def streaks(self) -> str:
        """ "white stripes", "patches of yellow"; only where there are some."""
        colour = self.colour("stripe")
        if self.rng.random() < 0.25:
            return f"{self.one_of('patches|streaks|lines|touches')} of {colour}"
        return f"{colour} {self.one_of(STREAKS)}"

    def adjectives(self, names: list[str]) -> str:
        """What stands before "petals", in the usual order: "five rounded pink".

        Streaks follow as "and white", where the petals' colour is named too.
        """
        words = []
        if "number" in names:
            words.append(self.one_of(NUMBER_WORDS[self.note("number")]))
        if "shape" in names:
            words.append(self.one_of(SHAPE_WORDS[self.note("shape")]))
        if "stripe" in names and not self.streaked(names):
            words.append(self.plain())
        if "petal" in names:
            words.append(self.colour("petal"))
            if self.streaked(names):
                words.append(f"and {self.colour('stripe')}")
        return " ".join(words)

    def plain(self) -> str:
        """A word for petals without streaks, which is now named."""
        self.note("stripe")
        return self.one_of(PLAIN_WORDS)

    def streaked(self, names: list[str]) -> bool:
        """Whether streaks are to be named, and there are some."""
        return "stripe" in names and self.value("stripe") != "plain"

    def petals(self, names: list[str]) -> str:
        """All that is said of the petals, as a noun: "five pink and white petals"."""
        if not self.streaked(names) or ("petal" in names and self.rng.random() < 0.4):
            return f"{self.adjectives(names)} petals"
        rest = [name for name in names if name != "stripe"]
        if not rest and self.rng.random() < 0.4:
            return f"{self.streaks()} on {self.one_of('its|the')} petals"
        joint = self.one_of(" with | with | that have " + ("| and " if rest else ""))
        return f"{self.adjectives(rest)} petals{joint}{self.streaks()}"

    def petals_are(self, names: list[str], that: str = " that ") -> str:
        """ "petals that are pink and white", "petals have red stripes"."""
        of = [name for name in names if name != "number"]
        if not of:
            return f"petals{that}are {self.note('number')} in number"
        start = self.adjectives(["number"]) + " " if "number" in names else ""
        start = f"{start}petals{that}"
        if not self.streaked(of) or ("petal" in of and self.rng.random() < 0.4):
            return f"{start}are {self.said(of)}"
        have = "have" if self.rng.random() < 0.7 else "has"  # people write so
        rest = [name for name in of if name != "stripe"]
        if not rest:
            return f"{start}{have} {self.streaks()}"
        joint = self.one_of(f" and {have} | with | with ")
        return f"{start}are {self.said(rest)}{joint}{self.streaks()}"

    def said(self, names: list[str]) -> str:
        """Adjectives joined by "and", after "are"."""
        words = []
        if "shape" in names:
            words.append(self.one_of(SHAPE_WORDS[self.note("shape")]))
        if "petal" in names:
            words.append(self.colour("petal"))
        if self.streaked(names):
            words.append(self.colour("stripe"))
        elif "stripe" in names:
            words.append(self.plain())
        return " and ".join(words)

    def noun(self, name: str) -> str:
        """ "yellow stamens", "a green center", "narrow leaves"."""
        if name == "leaves":
            green = self.one_of("|| green")
            return f"{self.one_of(LEAF_WORDS[self.note(name)])}{green} leaves"
        part = self.one_of(PART_WORDS[name])
        words = f"{self.colour(name)} {part}"
        if part in ("stamens", "anthers", "filaments", "anther filaments"):
            return words
        return self.article(words if self.rng.random() < 0.9 else f"large {words}")

    def predicate(self, name: str, that: str = " that ") -> str:
        """ "stamens that are yellow", "center is green", "leaves are narrow"."""
        if name == "leaves":
            return f"leaves{that}are {self.one_of(LEAF_WORDS[self.note(name)])}"
        part = self.one_of(PART_WORDS[name])
        return (
            f"{part}{that}{'are' if part.endswith('s') else 'is'} {self.colour(name)}"
        )

    def start(self, verbs: str) -> str:
        """Who the sentence is about, and one of these verbs: "this flower has "."""
        subject = self.one_of(SUBJECTS)
        verb = self.one_of(verbs).strip()
        if subject.endswith(" that") and verb in ("with", "featuring", "having"):
            verb = "has"
        return f"{subject} {verb} "

    def nouns(self, names: list[str]) -> list[str]:
        """A phrase for the petals, and one for each other part."""
        of = [name for name in NAMES if name in names and name in OF_PETALS]
        rest = [self.noun(name) for name in names if name not in OF_PETALS]
        return ([self.petals(of)] if of else []) + rest

    def predicates(self, names: list[str], that: str) -> list[str]:
        """The same as predicates."""
        of = [name for name in NAMES if name in names and name in OF_PETALS]
        rest = [self.predicate(name, that) for name in names if name not in OF_PETALS]
        return ([self.petals_are(of, that)] if of else []) + rest


def _has(p: Phrases, names: list[str]) -> str:
    start = p.start("has|has|has|with|with|featuring|having|displays")
    return start + p.listed(p.nouns(names))


def _that_are(p: Phrases, names: list[str]) -> str:
    of = [name for name in names if name in OF_PETALS]
    if not of:
        return _has(p, names)
    first = p.predicates(of, " that ")[0]
    rest = p.nouns([name for name in names if name not in OF_PETALS])
    joint = p.one_of(" and has | and has | and | with | with | along with ")
    text = p.start("has|has|with") + first
    return text + (joint + p.listed(rest) if rest else "")


def _is_are(p: Phrases, names: list[str]) -> str:
    start = p.one_of("the |its |the flower's |this flower's |")
    between = p.one_of(f" and {start}|, {start}| while {start}|, and {start}")
    return start + between.join(p.predicates(names, " "))


def _of_the_flower(p: Phrases, names: list[str]) -> str:
    of = [name for name in names if name in OF_PETALS and name != "number"]
    if not of:
        return _is_are(p, names)
    whose = p.one_of(
        " of the flower | of this flower | of the flower | on this flower "
    )
    text = "the " + p.petals_are(of, whose)
    rest = [p.noun(name) for name in names if name not in of and name != "number"]
    joint = p.one_of(" and it has | with |, and the flower has ")
    return text + (joint + p.listed(rest) if rest else "")


def _fragments(p: Phrases, names: list[str]) -> str:
    things = [t.removeprefix("a ").removeprefix("an ") if not t.startswith("a lot")
              else t for t in p.nouns(names)]  # fmt: skip
    return p.one_of("|flower, |") + ", ".join(things)


def _coloured(p: Phrases, names: list[str]) -> str:
    """ "this pink flower has long and oval petals and a large yellow stamen"."""
    if "petal" not in names:
        return _has(p, names)
    start = p.one_of("this|this|a|the")
    both = p.streaked(names) and p.rng.random() < 0.6
    colour = p.adjectives(["petal", "stripe"] if both else ["petal"])
    spoken = {"petal", "stripe"} if both else {"petal"}
    rest = p.nouns([name for name in names if name not in spoken])
    text = f"{start} {colour} flower"
    return text + (p.one_of(" has | has | with ") + p.listed(rest) if rest else "")


def _colour_on(p: Phrases, names: list[str]) -> str:
    """ "a flower with white on its petals and yellow on its stamens"."""
    pieces = []
    for name in names:
        if name in ("stamen", "centre"):
            where = p.one_of(PART_WORDS[name])
            pieces.append(
                f"{p.colour(name)} {p.one_of('on its|on the|in its')} {where}"
            )
        elif name == "leaves":
            pieces.append(p.noun(name))
    of = [name for name in NAMES if name in names and name in OF_PETALS]
    pieces = ([p.petals(of)] if of else []) + pieces
    return p.start("has|with|shows") + p.listed(pieces)


def _two_sentences(p: Phrases, names: list[str]) -> str:
    things = p.nouns(names)
    text = p.start("has|with|has") + things[0]
    if not things[1:]:
        return text
    joint = p.one_of(". it has |. it also has |; |. the flower has ")
    return text + joint + p.listed(things[1:])


def _there_is(p: Phrases, names: list[str]) -> str:
    return "there is a flower whose " + " and whose ".join(p.predicates(names, " "))


def _you_see(p: Phrases, names: list[str]) -> str:
    start = p.one_of("you can see |notice |look at |here we see |i see ")
    return start + p.listed(p.nouns(names))


def _colon(p: Phrases, names: list[str]) -> str:
    pairs = "; ".join(p.predicates(names, ": "))
    for verb in ("is", "are", "have", "has"):
        pairs = pairs.replace(f": {verb} ", ": ")
    return pairs


def _possessive(p: Phrases, names: list[str]) -> str:
    things = p.nouns(names)
    text = f"what a pretty flower, {things[0]} and all"
    return text + (", and then " + p.listed(things[1:]) if things[1:] else "")


FORMS = {
    "has": _has,
    "that are": _that_are,
    "is": _is_are,
    "of the flower": _of_the_flower,
    "fragments": _fragments,
    "coloured": _coloured,
    "colour on": _colour_on,
    "two sentences": _two_sentences,
}
HELD_OUT = {
    "there is": _there_is,
    "you see": _you_see,
    "colon": _colon,
    "possessive": _possessive,
}
FORM_WEIGHTS = [0.26, 0.48, 0.57, 0.67, 0.75, 0.88, 0.94, 1.0]  # cumulated
COUNT_WEIGHTS = [0.06, 0.36, 0.76, 1.0]  # cumulated: 1, 2, 3 or 4 attributes
PART_WEIGHTS = {
    "petal": 2.0,
    "stripe": 0.6,
    "stamen": 0.8,
    "centre": 0.6,
    "shape": 0.45,
    "number": 0.45,
    "leaves": 0.35,
}


def describe(
    content: np.ndarray, rng: Random, form: str | None = None
) -> tuple[str, np.ndarray]:
    """One true sentence about a flower with this content.

    content: (len(ATTRIBUTES),) whole numbers; form: a key of FORMS or HELD_OUT, or None
    for one drawn from FORMS
    Returns the sentence (lower case) and what it names: (len(ATTRIBUTES),), or -1.
    """
    p = Phrases(content, rng)
    count = 1 + bisect.bisect(COUNT_WEIGHTS, rng.random())
    names = weighted(PART_WEIGHTS, count, rng)
    if form is None:
        form = list(FORMS)[bisect.bisect(FORM_WEIGHTS, rng.random())]
    text = (FORMS.get(form) or HELD_OUT[form])(p, names)
    return " ".join(text.split()), p.named


def caption(content: np.ndarray, seed: tuple[int, ...]) -> tuple[str, np.ndarray]:
    """Training caption `seed`: a form of FORMS, sometimes with a typing error."""
    return with_slips(describe, content, seed)


def exchanged(content: np.ndarray, one: int, other: int) -> list[np.ndarray]:
    """The content with the colours of two parts exchanged; none where it can't be."""
    values = [list(ATTRIBUTES.values())[i] for i in (one, other)]
    here, there = values[0][content[one]], values[1][content[other]]
    if here == there or there not in values[0] or here not in values[1]:
        return []
    found = content.copy()
    found[one], found[other] = values[0].index(there), values[1].index(here)
    return [found] if possible(found) else []


def untrue(content: np.ndarray, seed: tuple[int, ...]) -> str:
    """A false twin of training caption `seed`: the same words, but one thing is wrong.

    Two parts that the caption names exchange their colours, or anything that it names
    has another value. Petals and their stripes never exchange theirs: "pink and white"
    would be as true as "white and pink".
    """
    _, named = caption(content, seed)
    rng = Random("untrue-" + "-".join(map(str, seed)))
    spoken = [i for i in range(len(NAMES)) if named[i] >= 0]
    coloured = [i for i in spoken if NAMES[i] in COLOURED]
    pairs = [pair for pair in combinations(coloured, 2) if pair != (0, 1)]
    swaps = [false for pair in pairs for false in exchanged(content, *pair)]
    if swaps and rng.random() < 0.4:
        return caption(rng.choice(swaps), seed)[0]
    while True:
        false, i = content.copy(), rng.choice(spoken)
        values = len(ATTRIBUTES[NAMES[i]])
        false[i] = (content[i] + rng.randrange(1, values)) % values
        if possible(false):
            return caption(false, seed)[0]


def named_by(pairs: dict[str, str]) -> np.ndarray:
    """{"petal": "pink", "stamen": "yellow"} as a row like `describe`'s second result.

    Raises ValueError for an attribute or value that this world does not have.
    """
    return row_of(ATTRIBUTES, pairs)
