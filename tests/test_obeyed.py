"""Birds beside what was asked for: heads, frames, curves; the stand-in encoder."""

import pytest
import torch

from t2i_course.measure import birds as measure
from t2i_course.papers.joint_embedding import linear_image_encoder
from t2i_course.show import obeyed


@pytest.fixture(scope="module")
def drawings():
    """Six real birds: the oracle reads them as they are."""
    return measure.unseen_captions(6, 32, seed=2).to("cpu")


def test_wishes_are_what_is_named():
    named = torch.tensor([[2, 1, -1, -1, 0], [-1, -1, -1, -1, 1], [-1, 4, -1, 0, -1]])
    assert obeyed.wishes(named) == ["wing yellow, belly orange", "no colour",
                                    "belly blue, tail red"]  # fmt: skip
    assert obeyed.wishes(named, ("wing",)) == ["wing yellow", "no colour", "no colour"]


def test_real_drawings_miss_nothing_and_others_do(drawings):
    assert not obeyed.missed(drawings.image, drawings.named).any()
    bytes_ = ((drawings.image + 1) * 127.5).round().to(torch.uint8)
    assert not obeyed.missed(bytes_, drawings.named).any()
    wrong = drawings.named.clone()
    wrong[:3, 0] = (drawings.attributes[:3, 0] + 1) % 10
    assert obeyed.missed(drawings.image, wrong).tolist() == [True] * 3 + [False] * 3
    assert not obeyed.missed(drawings.image, wrong, ()).any()


def test_frames_and_words_of_the_figure(drawings):
    wrong = (drawings.attributes + 1) % 10  # another colour in each part
    rows = {"right": drawings.image, "again": drawings.image}
    figure = obeyed.beside_wishes(rows, wrong, "A title")
    frames = figure.axes[0].patches
    assert len(frames) == 12 and "again: 6 of 6" in figure.alt
    plain = obeyed.beside_wishes(rows, drawings.named, "A title")
    assert not plain.axes[0].patches and "right: 0 of 6" in plain.alt


RUNS = [{"curve": [[200, 10.0, 0.2, 0.4, 0.0], [400, 20.0, 0.6, 0.8, 0.0]]}] * 2


def test_curves_of_all_seeds():
    figure = obeyed.learned_over_time({"one": RUNS, "two": RUNS[:1]}, "a CPU", "Title")
    drawn = figure.axes[0].lines
    assert len(drawn) == 3 and list(drawn[0].get_ydata()) == pytest.approx([0.3, 0.7])
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [
        "one, 2 seeds", "two, one seed"]  # fmt: skip
    assert "from 0.30 to 0.70" in figure.alt


def test_seconds_until_a_level():
    levels = (0.3, 0.31, 0.8)
    assert [obeyed.seconds_until(RUNS[0], x) for x in levels] == [10.0, 20.0, None]


def test_linear_image_encoder_finds_a_linear_map():
    """What is linear it finds, nearly; a strong ridge leaves the mean alone."""
    features, weight = torch.randn(200, 5), torch.randn(5, 3)
    texts = features @ weight + 2
    near = linear_image_encoder(features, texts, 1e-3)
    assert torch.allclose(near(features), texts, atol=1e-3)
    flat = linear_image_encoder(features, texts, 1e9)
    assert torch.allclose(flat(features), texts.mean(0).expand(200, 3), atol=1e-3)
