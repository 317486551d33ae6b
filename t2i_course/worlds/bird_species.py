"""The 200 species of the bird world: what content is, and what style is.

Species and plumage fix *content*, all that a caption may speak of: the colours of wing,
belly, crown and tail, the wing's pattern, the beak, the size, the habitat. As in nature
(male, female, young, winter) a species wears several plumages, which share about four
colours in ten with the first. An individual adds *style*, which no caption mentions:
where it sits, how it is turned, the light. 150 species are for training and 50 others
for testing, as in CUB.
"""

from functools import lru_cache

import numpy as np

__all__ = [
    "ATTRIBUTES",
    "BEAK_COLOURS",
    "COLOURS",
    "COLOUR_PARTS",
    "FAMILIES",
    "PLUMAGES",
    "SPECIES",
    "STYLE",
    "individual_contents",
    "individual_styles",
    "plumage_table",
    "species_table",
    "split_species",
]

COLOURS = (
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "brown",
    "black",
    "white",
    "grey",
)
BEAK_COLOURS = ("orange", "yellow", "black", "grey")
COLOUR_PARTS = ("wing", "belly", "crown", "tail")
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "wing": COLOURS,
    "belly": COLOURS,
    "crown": COLOURS,
    "tail": COLOURS,
    "pattern": ("plain", "barred"),
    "beak": ("short", "long"),
    "beak_colour": BEAK_COLOURS,
    "size": ("small", "large"),
    "habitat": ("sky", "grass", "water", "branch"),
}
STYLE = (
    *("flip", "tilt", "x", "y", "scale", "shade", "light", "wing_lift"),
    *(f"tone_{part}" for part in COLOUR_PARTS),
    "scenery",
)
SPECIES, FAMILIES, TEST_SPECIES = 200, 20, 50
PLUMAGES = 6  # a species; individual i wears number i modulo 6
SEED = 2016


def _kinds(rng: np.random.Generator) -> np.ndarray:
    """For every species how its colours are related."""
    return rng.choice(
        ["uniform", "mostly", "two", "free"], SPECIES, p=[0.06, 0.12, 0.12, 0.7]
    )


def _colours(rng: np.random.Generator, kinds: np.ndarray) -> np.ndarray:
    """(SPECIES, 4) colours; each part has every colour about equally often."""
    free = np.stack(
        [rng.permutation(np.arange(SPECIES) % len(COLOURS)) for _ in COLOUR_PARTS], 1
    )
    for row, kind in zip(free, kinds):
        if kind == "uniform":
            row[:] = row[0]
        elif kind == "mostly":  # one part differs from the rest
            odd = rng.integers(4)
            row[np.arange(4) != odd] = row[(odd + 1) % 4]
        elif kind == "two":  # crown and tail repeat wing or belly
            row[2:] = row[rng.integers(2, size=2)]
    return free


@lru_cache(maxsize=1)
def species_table() -> np.ndarray:
    """(SPECIES, len(ATTRIBUTES)) int64: every species' content in its first plumage.

    Columns are in the order of ATTRIBUTES. Six species in a hundred have one colour,
    twelve differ in one part, twelve have two colours, seventy have four free ones.
    Families share habitat, size and beak; three members in ten depart in one of them.
    """
    rng = np.random.default_rng(SEED)
    kinds = _kinds(rng)
    family = np.arange(SPECIES) % FAMILIES
    names = list(ATTRIBUTES)[5:]
    shared = {
        name: rng.permutation(np.arange(FAMILIES) % len(ATTRIBUTES[name]))
        for name in names
    }
    rest = np.stack([shared[name][family] for name in names], 1)
    for row in rest:
        if rng.random() < 0.3:
            column = rng.integers(len(names))
            row[column] = rng.integers(len(ATTRIBUTES[names[column]]))
    barred = (rng.random(SPECIES) < 0.4).astype(int)[:, None]
    return np.concatenate([_colours(rng, kinds), barred, rest], 1).astype(np.int64)


@lru_cache(maxsize=1)
def plumage_table() -> np.ndarray:
    """(SPECIES, PLUMAGES, len(ATTRIBUTES)) int64: what each species wears.

    Number 0 is `species_table`; the others have new colours of the same kinds, but
    where all four are free, two of them stay those of number 0. All else is the
    species' own.
    """
    rng = np.random.default_rng(SEED + 2)
    worn = np.repeat(species_table()[:, None], PLUMAGES, 1)
    for number in range(1, PLUMAGES):
        kinds = _kinds(rng)
        stays = rng.permuted(np.arange(SPECIES * 4).reshape(SPECIES, 4) % 4, axis=1) < 2
        stays &= (kinds == "free")[:, None]
        worn[:, number, :4] = np.where(stays, worn[:, 0, :4], _colours(rng, kinds))
    return worn


def individual_contents(species: int, count: int) -> np.ndarray:
    """(count, len(ATTRIBUTES)) int64: content of `count` individuals of a species."""
    return plumage_table()[species, np.arange(count) % PLUMAGES]


@lru_cache(maxsize=1)
def split_species() -> dict[str, np.ndarray]:
    """Species numbers of "train" (150) and "test" (50); no species is in both."""
    order = np.random.default_rng(SEED + 1).permutation(SPECIES)
    return {
        "test": np.sort(order[:TEST_SPECIES]),
        "train": np.sort(order[TEST_SPECIES:]),
    }


def individual_styles(species: int, count: int, seed: int = 0) -> np.ndarray:
    """(count, len(STYLE)) float32: pose, place, light and tones of `count` individuals.

    flip is -1 or 1; tilt in radians; x, y in half picture widths; scale times the
    species' size; the rest in [-1, 1] (scenery seeds clouds, waves and leaves).
    Individual i is the same however many are asked for.
    """
    rows = []
    for i in range(count):
        rng = np.random.default_rng((SEED, seed, species, i))
        u = rng.uniform(-1, 1, len(STYLE))
        u[0] = np.sign(u[0])
        u[1] *= 0.12
        u[2:4] *= (0.05, 0.04)
        u[4] = 1 + 0.04 * u[4]
        rows.append(u)
    return np.asarray(rows, np.float32).reshape(count, len(STYLE))
