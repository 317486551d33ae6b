"""What a learner sees of a training: lines, a bar, pictures in place."""

import sys

import pytest
from training_toys import toy, train

from t2i_course.training import History, progress


def history_of(step):
    history = History()
    for _ in range(step):
        history.add({"generator": [0.5]}, 0.25)
    return history


def test_a_log_gets_about_ten_lines(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    train(toy(), 25, progress=True)
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert 10 <= len(lines) <= 14 and not said.out
    assert lines[0].startswith("step 1/25  discriminator ")
    assert lines[-1].startswith("step 25/25") and lines[-1].endswith("0 s left")


def test_silence_when_none_is_wanted(capsys):
    train(toy(), 3, progress=False)
    said = capsys.readouterr()
    assert not said.out and not said.err


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    train(toy(), 5, progress=True)
    said = capsys.readouterr().err
    assert "5/5" in said and "generator" in said and said.endswith("\n")


class Handle:
    """Stands for a place in a notebook's output."""

    def __init__(self, shown):
        self.shown = [shown]

    def update(self, shown, raw=False):
        self.shown.append(shown)


@pytest.fixture
def handles(monkeypatch):
    """The places that were opened by a training in a pretended notebook."""
    display = pytest.importorskip("IPython.display")
    opened = []

    def show(shown, display_id=None, raw=False):
        opened.append(Handle(shown))
        return opened[-1]

    monkeypatch.setattr(display, "display", show)
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    return opened


def test_a_notebook_gets_a_bar_and_one_changing_picture(handles):
    from matplotlib import pyplot

    def draw(system, history):
        return pyplot.figure()

    before = pyplot.get_fignums()
    train(toy(), 6, progress=True, show=draw, show_every=2)
    bar, picture = handles
    assert "6/6" in bar.shown[-1]["text/plain"] and "left" not in bar.shown[-1]
    assert '<progress value="6" max="6">' in bar.shown[-1]["text/html"]
    assert len(picture.shown) == 3
    assert pyplot.get_fignums() == before  # or the notebook would show them again


def test_a_hook_that_returns_nothing_shows_nothing(handles):
    train(toy(), 4, progress=True, show=lambda system, history: None, show_every=1)
    assert len(handles) == 1


@pytest.mark.parametrize(
    "seconds, words", [(3.2, "3 s"), (119, "119 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_times_in_words(seconds, words):
    assert progress.time_in_words(seconds) == words


def test_the_line_says_it_all():
    silent = progress.Silent(10, 0)
    line = silent.line(history_of(4))
    assert line.startswith("step 4/10  generator 0.500  1 s, ")
