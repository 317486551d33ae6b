"""Trainings that go wrong say so: a lost game, data that isn't finite."""

import warnings

import pytest
import torch
from torch import nn
from training_toys import Repeated

from t2i_course import cli
from t2i_course.data import Batch
from t2i_course.training import NonFiniteLoss, System, fit
from t2i_course.training.fit import LostGame, Watch
from t2i_course.training.history import History


class Duel(System):
    """A game whose losses are as told."""

    players = ("discriminator", "generator")

    def __init__(self, low=0.001, high=9.0):
        super().__init__()
        self.discriminator, self.generator = nn.Linear(1, 1), nn.Linear(1, 1)
        self.told = {"discriminator": low, "generator": high}

    def round(self, batch):
        for player in self.players:
            weight = self.player(player).weight.sum()
            yield player, self.told[player] + 0 * weight + 0 * batch.image.mean()


SOURCE = Repeated(Batch(torch.zeros(2, 3, 8, 8)))


def played(system, steps, **keywords):
    """The warnings of a training."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        fit(system, SOURCE, steps, progress=False, **keywords)
    return [w for w in found if issubclass(w.category, LostGame)]


def test_a_lost_game_is_said_once():
    (said,) = played(Duel(), 3 * Watch.PATIENCE)
    words = str(said.message)
    assert f"at step {Watch.PATIENCE}" in words and "lower rate" in words
    assert said.filename == __file__  # of who called fit


@pytest.mark.parametrize(
    ("low", "high"), [(0.5, 9.0), (0.001, 0.7), (-5.0, 9.0), (0.0, -9.0)]
)
def test_other_games_are_not_lost(low, high):
    """Not by one loss alone, nor by a critic's, which may be any number."""
    assert not played(Duel(low, high), Watch.PATIENCE + 5)


def test_a_lesson_can_switch_it_off():
    assert not played(Duel(), Watch.PATIENCE + 5, warn=False)


def test_it_must_last():
    """A round in between begins the count anew; levels are watched each by itself."""
    watch, history = Watch(), History()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for step in range(4 * Watch.PATIENCE):
            level = "fine" if step % (Watch.PATIENCE - 1) else "coarse"
            low = {f"discriminator_{name}": [0.0 if name == level else 1.0]
                   for name in ("fine", "coarse")}  # fmt: skip
            high = {f"generator_{name}": [9.0] for name in ("fine", "coarse")}
            history.add({**low, **high}, 0.1)
            watch.look(history)


def test_on_the_command_line_it_is_one_line(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Watch, "LOW", 99.0)
    monkeypatch.setattr(Watch, "HIGH", 0.0)
    monkeypatch.setattr(Watch, "PATIENCE", 2)
    assert cli.main(["train", "gan", "--preset", "smoke", "--steps", "3"]) == 0
    lines = [x for x in capsys.readouterr().err.splitlines() if "lost" in x]
    assert len(lines) == 1 and lines[0].startswith("t2i train: The game is lost")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_bad_data_is_named_as_the_cause(bad):
    class Mean(Duel):
        def round(self, batch):
            yield "generator", self.generator.weight.sum() * batch.image.mean()

    image = torch.zeros(2, 3, 8, 8)
    image[1, 0, 3, 3] = bad
    with pytest.raises(NonFiniteLoss, match=r"the batch's image holds.*batch\(0\)"):
        fit(Mean(), Repeated(Batch(image)), 3, progress=False)


def test_good_data_is_not_blamed():
    class Log(Duel):
        def round(self, batch):
            yield "generator", (0 * self.generator.weight.sum()).log()

    with pytest.raises(NonFiniteLoss, match="numbers are all finite"):
        fit(Log(), SOURCE, 3, progress=False)
