"""Rates: a player's own, and falling ones: what settings have always meant."""

import pytest

from t2i_course.papers.aae import Aae
from t2i_course.papers.dcgan import Dcgan
from t2i_course.papers.gan import Gan
from t2i_course.papers.gan_cls import GanCls
from t2i_course.papers.pixelcnn import PixelCnn
from t2i_course.training import falling

STEPS = (0, 1, 99, 100, 101, 150, 173, 198, 199, 200, 201, 1000)


def factors(system):
    return [system.learning_rate_factor(step) for step in STEPS]


@pytest.mark.parametrize("kind", [Aae, Dcgan, GanCls])
def test_players_have_rates_of_their_own_and_asking_changes_nothing(kind):
    rates = [1e-3, 2e-3, 3e-3][: len(kind.players)]
    system = kind.from_preset("smoke", rates=rates)
    before = system.learning_rate
    found = [system.optimizer(player).param_groups[0]["lr"] for player in kind.players]
    assert found == rates and system.learning_rate == before
    system.rates = {kind.players[0]: 1e-3}
    (group,) = system.optimizer(kind.players[1]).param_groups
    assert group["lr"] == before


def test_a_line_between_two_steps():
    found = [falling(step, 100, 300) for step in (0, 100, 150, 200, 300, 400)]
    assert found == [1, 1, 0.75, 0.5, 0, 0]
    assert falling(299, 100, 300, least=0.1) == 0.1


@pytest.mark.parametrize("decay", [1.0, 0.99])
def test_gan(decay):
    line = [max(min(1.0, 2 - step / 100) * decay**step, 1e-5) for step in STEPS]
    system = Gan.from_preset("smoke", cool=100, decay=decay)
    assert factors(system) == pytest.approx(line, rel=1e-12)


def test_pixelcnn():
    line = [max(min(1.0, 2 - step / 100), 0.0) for step in STEPS]
    system = PixelCnn.from_preset("smoke", cool=100)
    assert factors(system) == pytest.approx(line, rel=1e-12)


def test_no_fall_where_none_is_asked_for():
    for system in (Gan.from_preset("smoke"), PixelCnn.from_preset("smoke")):
        assert factors(system) == [1.0] * len(STEPS)
