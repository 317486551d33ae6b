"""InfoGAN: the bound against the exact information, sizes, who learns what."""

import math

import pytest
import torch
from torch.nn import functional as F
from training_toys import ready

from t2i_course import systems
from t2i_course.measure import labels
from t2i_course.papers.infogan import (
    InfoGan,
    code_bound,
    exact_information,
    numbers_bound,
)
from t2i_course.training import fit
from t2i_course.worlds.bird_species import STYLE
from t2i_course.worlds.digits import Digits

# ------------------------------------------------------------------------- the bound

# p(x | c) of 3 codes, evenly drawn, and 4 pictures
GIVEN = torch.tensor([[0.7, 0.1, 0.1, 0.1], [0.0, 0.5, 0.5, 0.0], [0.1, 0.1, 0.2, 0.6]])
JOINT = GIVEN / 3


def bound_by(q):
    """The bound for Q(c | x), a table (M, K), over very many draws of (c, x)."""
    c, x = torch.where(torch.ones_like(JOINT, dtype=torch.bool))
    weight = JOINT[c, x]
    log_q = q.log()[x]
    each = torch.stack([code_bound(row[None], k[None]) for row, k in zip(log_q, c)])
    return float((weight * each)[weight > 0].sum())


def test_exact_information_against_entropies():
    def entropy(p):
        return -torch.xlogy(p, p).sum()

    want = entropy(JOINT.sum(0)) - (JOINT.sum(1) * torch.stack(
        [entropy(row) for row in GIVEN])).sum()  # fmt: skip
    assert torch.isclose(exact_information(JOINT), want, atol=1e-6)
    apart = JOINT.sum(1, keepdim=True) * JOINT.sum(0)
    assert abs(float(exact_information(apart))) < 1e-6
    assert float(exact_information(torch.eye(5) / 5)) == pytest.approx(math.log(5))


def test_the_bound_is_tight_for_the_posterior_and_below_for_others():
    posterior = (JOINT / JOINT.sum(0)).T
    exact = float(exact_information(JOINT))
    assert bound_by(posterior.clamp_min(1e-12)) == pytest.approx(exact, abs=1e-5)
    torch.manual_seed(0)
    for _ in range(20):
        q = torch.softmax(2 * torch.randn(4, 3), 1)
        assert bound_by(q) < exact
    even = torch.full((4, 3), 1 / 3)
    assert bound_by(even) == pytest.approx(0, abs=1e-6)


def test_the_bound_is_a_cross_entropy():
    logits, code = torch.randn(7, 10), torch.randint(10, (7,))
    want = math.log(10) - F.cross_entropy(logits, code)
    assert torch.isclose(code_bound(logits, code), want)


def test_numbers_are_read_by_a_gaussian():
    mean, numbers = torch.randn(6, 2), torch.rand(6, 2) * 2 - 1
    normal = torch.distributions.Normal(mean, 1.0)
    want = normal.log_prob(numbers).sum(1).mean() + 2 * math.log(2)
    assert torch.isclose(numbers_bound(mean, numbers), want, atol=1e-5)


# ------------------------------------------------------------------------ who learns


def turns_of(information):
    system = ready(lambda: InfoGan.from_preset("smoke", information=information))
    batch = Digits(16).batch(0).to("cpu")
    for player, loss in system.round(batch):
        loss.backward()
        moved = {name for name, p in system.named_parameters()
                 if p.grad is not None and p.grad.abs().max() > 0}  # fmt: skip
        yield player, moved
        system.zero_grad()


def test_with_the_term_everybody_hears_of_the_code():
    (judges, seen), (generator, drawn) = turns_of(1.0)
    assert (judges, generator) == ("judges", "generator")
    assert any("reader" in n for n in seen) and not any("generator" in n for n in seen)
    assert any("generator" in n for n in drawn) and any("reader" in n for n in drawn)


def test_without_it_the_reader_learns_and_nobody_hears():
    """Q's gradient stays in Q: G and the trunk play the plain game."""
    (_, seen), (_, drawn) = turns_of(0.0)
    assert any("reader" in n for n in seen)
    assert not any("reader" in n for n in drawn)


def test_codes_are_even_and_numbers_uniform():
    system = ready(lambda: InfoGan.from_preset("smoke"))
    code, numbers = system.draw_codes(20_000)
    assert (torch.bincount(code, minlength=10) / 2000 - 1).abs().max() < 0.1
    assert numbers.abs().max() <= 1 and numbers.mean().abs() < 0.02
    assert numbers.var().item() == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize("data", ["digits", "birds"])
def test_it_plays_and_draws(data):
    system = systems.build("infogan", "smoke", data)
    source = systems.source_for("infogan", "smoke", data)
    history = fit(system, source, 3, progress=False)
    assert list(history.losses) == ["judges", "generator"]
    assert system.sample(5).shape == (5, *system.reads)
    code, numbers = system.read(system.sample(5))
    assert code.shape == (5,) and numbers.shape == (5, system.numbers)


def test_the_release_s_sizes():
    counts = systems.parameter_counts("infogan", "paper")
    assert counts["generator"] == 6_652_481
    assert counts["judges.trunk"] == 6_558_144


def test_the_paper_preset_takes_a_step():
    system = systems.build("infogan", "paper")
    fit(system, Digits(4, side=28), 1, progress=False)
    assert system.sample(2).shape == (2, 1, 28, 28)
    assert (system.rates["judges"], system.rates["generator"]) == (2e-4, 1e-3)


def test_a_code_is_soon_heard():
    """Some hundred steps, and the code can be read; without the term it can't."""
    found = {}
    for information in (1.0, 0.0):
        torch.manual_seed(0)
        system = InfoGan.from_preset("cpu", information=information)
        fit(system, Digits(64, split="all"), 300, progress=False)
        system.rng = torch.Generator().manual_seed(1)
        code, numbers = system.draw_codes(300)
        read, _ = system.eval().read(system.sample(300, code, numbers))
        found[information] = float((read == code).float().mean())
    assert found[1.0] > 0.9 and found[0.0] < 0.5


# ------------------------------------------------------------------- what is measured


def test_purity():
    code = torch.tensor([0, 0, 0, 1, 1, 2])
    assert labels.purity(code, code) == 1
    assert labels.purity(code, torch.tensor([5, 5, 3, 3, 3, 1])) == pytest.approx(5 / 6)
    clear = torch.tensor([True, True, False, False, False, False])
    assert labels.purity(code, torch.tensor([5, 5, 3, 3, 3, 1]), clear) == 1
    assert labels.purity(code, code, torch.zeros(6, dtype=torch.bool)) == 0


def test_correlations_are_pearson_s():
    import numpy as np

    a, b = torch.randn(50, 2), torch.randn(50, 3)
    want = np.corrcoef(a.T.numpy(), b.T.numpy())[:2, 2:]
    assert torch.allclose(
        labels.correlations(a, b).double(), torch.tensor(want), atol=1e-5
    )
    causes = torch.stack([b[:, 0], -a[:, 1], b[:, 1]], 1)
    name, value = labels.moved(a, causes, ("x", "y", "z"))[1]
    assert name == "y" and value == -1


def test_slant_and_ink():
    """A bar that leans right has slant above 0; a darker one more ink."""
    upright, leaning = torch.full((2, 1, 8, 8), -1.0)
    for row in range(8):
        upright[0, row, 4] = 1
        leaning[0, row, 6 - row // 2] = 1
    found = labels.slant_and_ink(torch.stack([upright, leaning, leaning.flip(-1)]))
    slant, ink, width, height = found.T
    assert slant[0].abs() < 1e-5 and slant[1] > 0.3
    assert torch.isclose(slant[2], -slant[1], atol=1e-5)
    assert torch.allclose(ink, torch.full((3,), 1 / 8)) and width[1] > width[0]
    assert torch.allclose(height, height[:1].expand(3))


def test_the_style_reader_reads_real_birds():
    """On species that it never saw, where the oracle's features hold enough."""
    reader = labels.style_reader()
    assert set(reader.skill) == set(STYLE)
    for name in ("flip", "x", "y", "light"):
        assert reader.skill[name] > 0.5, name


def test_evenly_spread_labels():
    y = labels.evenly((20, 10), 400)
    assert y.shape == (400, 2)
    pairs = {tuple(row) for row in y.tolist()}
    assert len(pairs) == 200 and set(torch.bincount(y[:, 0]).tolist()) == {20}
