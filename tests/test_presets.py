"""Presets: by the hardware, or by T2I_PRESET; and systems made from them."""

import pytest
import torch
from torch import nn

from t2i_course import presets
from t2i_course.training import System


@pytest.mark.parametrize("gpu, expected", [(True, "gpu"), (False, "cpu")])
def test_the_hardware_chooses(monkeypatch, gpu, expected):
    monkeypatch.delenv("T2I_PRESET", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert presets.current() == expected


def test_the_environment_overrides(monkeypatch):
    monkeypatch.setenv("T2I_PRESET", " Paper ")
    assert presets.current() == presets.PAPER
    monkeypatch.setenv("T2I_PRESET", "huge")
    with pytest.raises(ValueError, match="smoke, cpu, gpu, paper"):
        presets.current()


PRESETS = {
    "smoke": {"width": 2, "batch_size": 4, "steps": 3},
    "cpu": {"width": 8, "batch_size": 16, "steps": 100},
}


class Line(System):
    players = ("line",)

    def __init__(self, width, words=None):
        super().__init__()
        self.line = nn.Linear(width, 1)
        self.words = words


def test_a_system_is_built_from_its_papers_presets():
    system = Line.from_preset("smoke", steps=7, words="some")
    assert system.line.in_features == 2 and system.words == "some"
    assert system.settings["batch_size"] == 4 and system.settings["steps"] == 7
    assert system.preset == "smoke" and PRESETS["smoke"]["steps"] == 3


def test_unknown_presets_and_settings_are_named():
    with pytest.raises(ValueError, match="'huge'; it has smoke, cpu"):
        Line.from_preset("huge")
    with pytest.raises(ValueError, match="no setting widht"):
        Line.from_preset("cpu", widht=3)
