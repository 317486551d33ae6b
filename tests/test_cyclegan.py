"""CycleGAN: its networks, its turns, its pool; what it is measured by."""

import pytest
import torch
from torch.nn import functional as F
from training_toys import count

from t2i_course.measure import translation
from t2i_course.papers import cyclegan
from t2i_course.papers.cyclegan import CycleGan, PicturePool, ResnetGenerator
from t2i_course.papers.pix2pix import PatchDiscriminator
from t2i_course.training import fit
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.domains import Pairs


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("T2I_CACHE", str(tmp_path))


def small(**more):
    torch.manual_seed(0)
    return CycleGan.from_preset("smoke", **more)


def source(domains="wings"):
    return Pairs(Birds("train", 32, 4, 2), domains, paired=False)


def networks(system):
    to = system.generators["to_y"], system.generators["to_x"]
    return *to, system.discriminators["x"], system.discriminators["y"]


def test_published_counts():
    with torch.device("meta"):
        assert count(ResnetGenerator()) == 11_378_179
        assert count(ResnetGenerator(blocks=6)) == 7_837_699
        assert count(PatchDiscriminator(3, affine=False)) == 2_764_737


def test_a_translation_has_the_size_of_what_is_translated():
    net = ResnetGenerator(4, 1)
    for size in (16, 32):
        made = net(torch.randn(2, 3, size, size))
        assert made.shape == (2, 3, size, size) and made.abs().max() <= 1


def test_the_turn_by_a_second_derivation():
    system = small()
    x, y = torch.randn(2, 2, 3, 32, 32)
    to_y, to_x, d_x, d_y = networks(system)
    loss, fake_y, fake_x = cyclegan.generators_turn(x, y, to_y, to_x, d_x, d_y, 3.0)
    assert torch.equal(fake_y, to_y(x)) and torch.equal(fake_x, to_x(y))
    ones = torch.ones_like(d_y(fake_y))
    game = F.mse_loss(d_y(fake_y), ones) + F.mse_loss(d_x(fake_x), ones)
    back = (to_x(fake_y) - x).abs().mean() + (to_y(fake_x) - y).abs().mean()
    assert torch.allclose(loss, game + 3 * back, atol=1e-5)


def test_translations_are_drawn_once_a_round():
    """Two of each generator with the cycle, one without, three with the identity."""
    for settings, wanted in (({}, 2), ({"cycle": 0.0}, 1), ({"identity": 0.5}, 3)):
        system, calls = small(**settings), []
        for net in system.generators.values():
            net.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        dict(system.round(source().batch(0).to("cpu")))
        assert len(calls) == 2 * wanted


def test_the_discriminators_are_shown_the_pool():
    system, batch = small(), source().batch(0).to("cpu")
    turns = dict(system.round(batch))
    x, y = batch.image.chunk(2, 1)
    to_y, to_x, d_x, d_y = networks(system)
    want = 0.0
    for d, real, fake in ((d_x, x, to_x(y)), (d_y, y, to_y(x))):
        want = want + ((d(real) - 1).square().mean() + d(fake).square().mean()) / 2
    assert torch.allclose(turns["discriminators"], want, atol=1e-5), "a pool not full"
    assert system.pools["y"].held == 4 and torch.equal(
        system.pools["y"].pictures[:4], to_y(x).detach()
    )


# ----------------------------------------------------------------------------- the pool


def test_a_pool_fills_then_shows_half_of_the_old():
    pool, rng = PicturePool(50, (1, 2, 2)), torch.Generator().manual_seed(0)
    shown_new = []
    for step in range(600):
        new = torch.full((4, 1, 2, 2), float(step))
        shown = pool(new, rng)
        if step < 12:
            assert torch.equal(shown, new)
        elif step > 12:
            shown_new.append((shown[:, 0, 0, 0] == step).float().mean())
    assert abs(float(torch.stack(shown_new).mean()) - 0.5) < 0.04
    assert len(pool.pictures[:, 0, 0, 0].unique()) > 10


def test_nothing_is_lost_or_doubled_by_an_exchange():
    """What was in the pool and what came is afterwards shown or in the pool."""
    pool, rng = PicturePool(6, (1, 1, 1)), torch.Generator().manual_seed(1)
    pool(torch.arange(6.0).view(6, 1, 1, 1), rng)
    for step in range(20):
        new = 100 + 10 * step + torch.arange(3.0).view(3, 1, 1, 1)
        before = torch.cat([pool.pictures.clone(), new]).flatten().sort().values
        shown = pool(new, rng)
        after = torch.cat([pool.pictures, shown]).flatten().sort().values
        assert torch.equal(before, after)


def test_a_pool_refuses_what_it_can_t_take():
    with pytest.raises(ValueError, match="a pool of 2 can't take a batch of 3"):
        PicturePool(2, (1, 1, 1))(torch.zeros(3, 1, 1, 1))


def test_a_pool_is_no_player():
    system = small()
    assert count(system.pools) == 0
    assert not system.train().pools.training


# --------------------------------------------------------------------------- the system


def test_the_rate_falls_in_the_second_half():
    system = small(steps=10)
    factors = [system.learning_rate_factor(step) for step in range(10)]
    assert factors[:6] == [1.0] * 6
    assert factors[6:] == pytest.approx([0.8, 0.6, 0.4, 0.2])


def test_resumed_is_never_stopped(tmp_path):
    """The pools too: they are part of the checkpoint."""
    path, data = tmp_path / "c.pt", source()
    one, other, again = small(), small(), small()
    fit(one, data, 5, seed=3, device="cpu", progress=False)
    fit(other, data, 3, seed=3, device="cpu", progress=False, checkpoint=path)
    fit(again, data, 5, seed=3, device="cpu", progress=False, checkpoint=path,
        resume=True)  # fmt: skip
    assert again.pools["x"].held == 8
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name


def test_a_learner_s_functions_play():
    used = []

    def turn(*given):
        used.append("turn")
        return cyclegan.generators_turn(*given)

    def exchange(*given):
        used.append("exchange")
        return cyclegan.exchange(*given)

    system = small(turn=turn, exchange=exchange)
    dict(system.round(source().batch(0).to("cpu")))
    assert used == ["turn", "exchange", "exchange"]


def test_unknown_domains_are_named():
    with pytest.raises(ValueError, match="No domains 'zebras'; there are parts, wings"):
        small(domains="zebras")
    with pytest.raises(ValueError, match="multiple of 4"):
        small(size=30)


# ------------------------------------------------------------------------- the measures


class Perfect:
    """Knows the hidden truth by heart."""

    reads = (6, 32, 32)

    def __init__(self, domains):
        self.domains = domains
        self.x, self.y, _ = translation.unseen(domains, 50)

    def sample(self, pictures, to="y"):
        mine, other = (self.x, self.y) if to == "y" else (self.y, self.x)
        apart = torch.cdist(pictures.flatten(1), mine.flatten(1))
        return other[apart.argmin(1)]


@pytest.mark.parametrize("domains", ["wings", "dusk"])
def test_the_truth_has_no_error(domains):
    found = translation.of_domains(Perfect(domains), 50)
    assert found["to y"] == found["to x"] == found["there and back"] == 0
    assert found["kept"] == 1 and found.get("changed", 1) == 1


def test_who_changes_nothing_keeps_all_but_the_pattern():
    x, y, masks = translation.unseen("wings", 100)
    found = translation.as_read("wings", y, x, x, y, masks)
    assert found["kept"] > 0.97 and found["changed"] < 0.05
