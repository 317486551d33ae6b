"""The mean of weights that the larger birds are drawn with."""

import pytest
import torch
from torch import nn

from t2i_course.experiments.mean import Mean
from t2i_course.training.checkpoint import CheckpointError


class Drawing:
    """A system with one network, all of whose numbers are `value`."""

    def __init__(self, value=0.0):
        self.net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        self.become(value)

    def become(self, value):
        for part in [*self.net.parameters(), self.net[1].running_mean]:
            part.data.fill_(value)
        return self

    def network(self, name):
        return self.net

    def seen(self):
        return self.net[0].weight[0, 0].item(), self.net[1].running_mean[0].item()


def test_every_500th_network_counts_alike():
    """Weights and batch norm's averages; the steps before and between do not count."""
    system, mean = Drawing(), Mean(1000, None)
    for step in range(250, 2001, 250):
        mean.take(system.become(float(step)), step)
    mean.give(system)
    assert system.seen() == pytest.approx((1500.0, 1500.0))  # of 1000, 1500, 2000


def test_without_a_beginning_nothing_changes():
    system, mean = Drawing(7.0), Mean(None, None)
    mean.take(system, 500)
    mean.give(system)
    assert system.seen() == (7.0, 7.0)


def test_a_mean_of_nothing_is_refused():
    """A training that ended before the mean began: no network passes for a mean."""
    system, mean = Drawing(7.0), Mean(1000, None)
    mean.take(system, 500)
    with pytest.raises(CheckpointError, match="no mean to draw with"):
        mean.give(system)


def test_the_mean_survives_a_stop(tmp_path):
    """Also one between the mean's file and the checkpoint: no network counts twice."""
    file, system = str(tmp_path / "run.pt"), Drawing()
    first = Mean(500, file)
    for step in (500, 1000):
        first.take(system.become(float(step)), step)
    again = Mean(500, file)
    for step in (1000, 1500):  # goes on from the checkpoint of step 500
        again.take(system.become(float(step)), step)
    Mean(500, file).give(system)  # asked for once more at the end
    assert system.seen() == pytest.approx((1000.0, 1000.0))


def test_the_mean_of_another_training_is_refused(tmp_path):
    file, system = str(tmp_path / "run.pt"), Drawing(1.0)
    for step in (500, 1000, 1500):
        first = Mean(500, file)
        first.take(system, step)
    with pytest.raises(CheckpointError, match="delete it and the checkpoint"):
        Mean(500, file).take(system, 500)
    assert torch.load(file + ".mean", weights_only=True)["n_averaged"] == 3
