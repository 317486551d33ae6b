"""The 102 species of the flower world: what content is, and what style is.

Species and variety fix *content*, all that a caption may speak of: the petals' colour,
what they are streaked with, their shape and number, the colours of stamens and centre,
the leaves. As gardeners breed them, a species has several varieties, which share about
four colours in ten with the first. An individual adds *style*, which no caption
mentions: how it is turned, where it stands, what is behind it, the light. 82 species
are for training and 20 others for testing, as many as in Oxford-102.
"""

from functools import lru_cache

import numpy as np

__all__ = [
    "ATTRIBUTES",
    "BACKDROPS",
    "COLOURED",
    "FAMILIES",
    "SPECIES",
    "STYLE",
    "VARIETIES",
    "individual_contents",
    "individual_styles",
    "possible",
    "species_table",
    "split_species",
    "variety_table",
]

PETALS = ("red", "orange", "yellow", "pink", "purple", "blue", "white", "maroon")
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "petal": PETALS,
    "stripe": ("plain", "white", "yellow", "red", "purple"),
    "stamen": ("yellow", "orange", "white", "purple"),
    "centre": ("green", "brown", "black", "yellow"),
    "shape": ("rounded", "pointed"),
    "number": ("five", "eight", "many"),
    "leaves": ("narrow", "broad"),
}
COLOURED = ("petal", "stripe", "stamen", "centre")  # the first columns
BACKDROPS = ("dark", "soil", "foliage", "meadow", "sky")  # from dark to light
STYLE = (
    *("rotation", "tilt", "nod", "x", "y", "scale", "shade", "light", "lean"),
    *("backdrop", "tone_petal", "tone_stamen", "tone_centre", "tone_leaves"),
    "scenery",
)
SPECIES, FAMILIES, TEST_SPECIES = 102, 17, 20
VARIETIES = 6  # of a species; individual i is of variety i modulo 6
SEED = 2008


def possible(content: np.ndarray) -> np.ndarray:
    """(..., len(ATTRIBUTES)) to (...,) bool: no petal is streaked with its own colour.

    All else can be combined.
    """
    petal, stripe = np.asarray(content)[..., 0], np.asarray(content)[..., 1]
    own = [
        PETALS.index(name) if name in PETALS else -1 for name in ATTRIBUTES["stripe"]
    ]
    return np.asarray(own)[stripe] != petal


def _colours(rng: np.random.Generator) -> np.ndarray:
    """(SPECIES, len(COLOURED)): every colour about equally often, half of all plain."""
    columns = [
        rng.permutation(np.arange(SPECIES) % len(ATTRIBUTES[name])) for name in COLOURED
    ]
    found = np.stack(columns, 1)
    found[rng.random(SPECIES) < 0.35, 1] = 0
    while not (fits := possible(found)).all():
        found[~fits, 1] = rng.integers(1, len(ATTRIBUTES["stripe"]), (~fits).sum())
    return found


@lru_cache(maxsize=1)
def species_table() -> np.ndarray:
    """(SPECIES, len(ATTRIBUTES)) int64: every species' content in its first variety.

    Columns are in the order of ATTRIBUTES. Families share shape, number and leaves;
    three members in ten depart in one of them.
    """
    rng = np.random.default_rng(SEED)
    family = np.arange(SPECIES) % FAMILIES
    names = list(ATTRIBUTES)[len(COLOURED) :]
    shared = [
        rng.permutation(np.arange(FAMILIES) % len(ATTRIBUTES[name])) for name in names
    ]
    rest = np.stack([values[family] for values in shared], 1)
    for row in rest:
        if rng.random() < 0.3:
            column = rng.integers(len(names))
            row[column] = rng.integers(len(ATTRIBUTES[names[column]]))
    return np.concatenate([_colours(rng), rest], 1).astype(np.int64)


@lru_cache(maxsize=1)
def variety_table() -> np.ndarray:
    """(SPECIES, VARIETIES, len(ATTRIBUTES)) int64: what each species looks like.

    Number 0 is `species_table`; the others have new colours, but for one or two that
    stay those of number 0. All else is the species' own.
    """
    rng = np.random.default_rng(SEED + 2)
    table = np.repeat(species_table()[:, None], VARIETIES, 1)
    for number in range(1, VARIETIES):
        places = np.tile(np.arange(len(COLOURED)), (SPECIES, 1))
        stays = rng.permuted(places, axis=1) < rng.integers(1, 3, (SPECIES, 1))
        first, new = table[:, 0, : len(COLOURED)], _colours(rng)
        mixed = np.where(stays, first, new)
        while not (fits := possible(mixed)).all():
            again = _colours(rng)
            mixed[~fits] = np.where(stays, first, again)[~fits]
        table[:, number, : len(COLOURED)] = mixed
    return table


def individual_contents(species: int, count: int) -> np.ndarray:
    """(count, len(ATTRIBUTES)) int64: content of `count` individuals of a species."""
    return variety_table()[species, np.arange(count) % VARIETIES]


@lru_cache(maxsize=1)
def split_species() -> dict[str, np.ndarray]:
    """Species numbers of "train" (82) and "test" (20); no species is in both."""
    order = np.random.default_rng(SEED + 1).permutation(SPECIES)
    return {
        "test": np.sort(order[:TEST_SPECIES]),
        "train": np.sort(order[TEST_SPECIES:]),
    }


def individual_styles(species: int, count: int, seed: int = 0) -> np.ndarray:
    """(count, len(STYLE)) float32: pose, place, backdrop, light of `count` individuals.

    rotation in petals (-0.5 to 0.5); tilt and nod: how far the flower looks aside and
    up, 0 to us, together at most 0.6 or so; x, y in half picture widths; scale times
    the usual size; backdrop: a number of BACKDROPS; the rest in [-1, 1] (scenery seeds
    what is behind). Individual i is the same however many are asked for.
    """
    rows = []
    for i in range(count):
        rng = np.random.default_rng((SEED, seed, species, i))
        u = dict(zip(STYLE, rng.uniform(-1, 1, len(STYLE))))
        u["rotation"] *= 0.5
        u["tilt"] *= 0.45
        u["nod"] *= 0.4
        u["x"] *= 0.08
        u["y"] *= 0.06
        u["scale"] = 1 + 0.07 * u["scale"]
        u["backdrop"] = rng.integers(len(BACKDROPS))
        rows.append(list(u.values()))
    return np.asarray(rows, np.float32).reshape(count, len(STYLE))
