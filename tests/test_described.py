"""Every figure says in words what is to be seen in it, and a notebook keeps that."""

import numpy as np
import pytest
import torch

from t2i_course.show import birds, codes, curves, family, latent
from t2i_course.show.described import course_in_words, list_in_words, number_in_words
from t2i_course.show.pictures import crossed, grid, new_figure, strip
from t2i_course.training import History

PICTURES = torch.zeros(6, 3, 8, 8)


def a_history():
    history = History()
    for i in range(4):
        history.add({"generator": [2.0 - i / 2]}, 0.1)
        history.measure("obedience", i / 10)
    return history


FIGURES = {
    "grid": (lambda: grid(PICTURES, 3, title="dcgan, step 5"), "dcgan, step 5. 6 pict"),
    "captions": (lambda: grid(PICTURES, 3, list("abcdef")), "Below them: a; b; c; d."),
    "crossed": (lambda: crossed(PICTURES, "ab", "xyz", "t"), "rows, from above: a and"),
    "strip": (lambda: strip([np.zeros((4, 4, 3), np.uint8)], ["one"]), "1 moments"),
    "lines": (lambda: curves.lines(None, {"p": [1, 2]}, "x", "y"), "p rises from 1 to"),
    "curves": (
        lambda: curves.curves(a_history()),
        "generator falls from 2 to 0.5. Beside it obedience rises from 0 to 0.3",
    ),
    "bars": (lambda: curves.bars("ab", {"n": [1, 2]}, "x", "y"), "n: 1 at a, 2 at b"),
    "many bars": (
        lambda: curves.bars(range(12), {"n": np.arange(12)}, "x", "y"),
        "12 bars, the highest 11 at 11, the lowest 0 at 0",
    ),
    "paths": (
        lambda: curves.paths({"p": [[3, 4], [0, 1]]}, "x", "y"),
        "p: 2 places, from 5 to 1 away from the origin",
    ),
    "clouds": (
        lambda: curves.clouds([torch.zeros(4, 2)] * 2, torch.zeros(4, 2), "ring"),
        "ring. Clouds of points",
    ),
    "planes": (
        lambda: codes.planes({"m": (torch.zeros(3, 2), torch.eye(2))}),
        "m: 3 vectors have 1 of 2 entries as their nearest, 1 away",
    ),
    "views": (
        lambda: codes.views({"v": (torch.ones(2, 2) > 0, (1, 0))}),
        "v: it sees 2 of 2 earlier places, and 2 that it must not see",
    ),
    "anatomy": (
        lambda: birds.anatomy(*(kept[0] for kept in birds.flock([3]))),
        "To be seen: wing, belly",
    ),
    "family": (family.family_map, "the loss (9 names)"),
    "codes": (
        lambda: latent.code_map({"VAE": torch.ones(2, 2)}, torch.arange(2)),
        "VAE: 100% of the dots",
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_what_a_figure_knows_it_says(name):
    make, part = FIGURES[name]
    assert part in make().alt


def test_the_author_has_the_last_word():
    figure = grid(PICTURES, 6, title="Six birds").described("None of them is drawn yet")
    assert figure.alt == "Six birds. A row of 6 pictures. None of them is drawn yet."
    figure.suptitle("Seen twice")
    assert figure.alt.startswith("Seen twice. Six birds.")
    assert new_figure(1, 1).alt == ""


def test_a_notebook_gets_picture_and_words():
    from IPython.core.interactiveshell import InteractiveShell

    shown = InteractiveShell.instance().display_formatter.format
    data, beside = shown(grid(PICTURES, 3, title="Six birds"))
    assert set(data) == {"image/png", "text/plain"}
    assert beside == {"image/png": {"alt": "Six birds. 6 pictures in 2 rows of 3."}}
    bare = new_figure(1, 1)
    bare.subplots()
    assert shown(bare)[1] == {}


def test_numbers_lists_and_courses_in_words():
    numbers = [number_in_words(x) for x in (1200.4, 0.69314, 24.0, float("nan"))]
    assert numbers == ["1,200", "0.693", "24", "no number"]
    assert list_in_words(["a"]) == "a" and list_in_words("abc") == "a, b and c"
    assert list_in_words(["a, b", "c", "d"]) == "a, b; c and d"
    assert list_in_words("abcdef", most=3) == "a, b and 4 more"
    assert course_in_words("p", [3, 3]) == "p stays at 3"
    assert course_in_words("p", [0, 5, float("nan"), 1]) == (
        "p rises from 0 to 1, as high as 5"
    )
    assert course_in_words("p", [1, -4, 1]) == "p goes from 1 to 1, as low as -4"
