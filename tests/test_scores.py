"""The scores agree with closed forms, and refuse what would give a wrong number."""

import math
import statistics

import pytest
import torch

from t2i_course.measure.scores import (
    diversity,
    oracle_frechet_distance,
    oracle_inception_score,
)


def hidden(values):
    """Pictures (N, 1, 1, F) that carry features; `flat` reads them again."""
    return values[:, None, None, :]


def flat(pictures):
    return pictures.flatten(1)


def exact_sample(mean, covariance, count, seed=0):
    """Points whose sample mean and covariance are exactly these."""
    mean, covariance = torch.as_tensor(mean).double(), torch.tensor(covariance).double()
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, len(mean), generator=generator, dtype=torch.double)
    x = x - x.mean(0)
    x = x @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(x.T))).T
    return x @ torch.linalg.cholesky(covariance).T + mean


def test_frechet_distance_of_two_gaussians():
    a = exact_sample([0.1, -0.2], [[0.04, 0.0], [0.0, 0.01]], 400, seed=1) / 4
    b = exact_sample([-0.3, 0.1], [[0.01, 0.0], [0.0, 0.09]], 300, seed=2) / 4
    # Diagonal covariances: |difference of means|^2 + sum of (s_a - s_b)^2.
    expected = (0.4**2 + 0.3**2 + (0.2 - 0.1) ** 2 + (0.1 - 0.3) ** 2) / 16
    found = oracle_frechet_distance(flat, hidden(a), hidden(b), batch_size=64)
    assert found == pytest.approx(expected, rel=1e-4)


def test_frechet_distance_of_gaussians_that_do_not_commute():
    a_cov, b_cov = [[0.02, 0.01], [0.01, 0.03]], [[0.04, -0.01], [-0.01, 0.01]]
    a = exact_sample([0, 0], a_cov, 500, seed=1) / 2
    b = exact_sample([0, 0], b_cov, 500, seed=2) / 2
    product = torch.tensor(a_cov).double() @ torch.tensor(b_cov).double()
    # For 2x2: tr of the square root is sqrt(tr + 2 sqrt(det)).
    root = math.sqrt(product.trace() + 2 * math.sqrt(torch.linalg.det(product)))
    expected = (0.05 + 0.05 - 2 * root) / 4
    found = oracle_frechet_distance(flat, hidden(a), hidden(b))
    assert found == pytest.approx(expected, rel=1e-3)


def test_frechet_distance_is_zero_for_the_same_pictures_and_grows():
    real = torch.rand(200, 1, 1, 4, generator=torch.Generator().manual_seed(0)) - 0.5
    assert oracle_frechet_distance(flat, real, real) == pytest.approx(0, abs=1e-6)
    near = oracle_frechet_distance(flat, real, real + 0.1)
    far = oracle_frechet_distance(flat, real, real + 0.3)
    assert near == pytest.approx(4 * 0.01, rel=1e-3)
    assert far == pytest.approx(4 * 0.09, rel=1e-3)


def test_bytes_and_floats_are_the_same_pictures():
    generator = torch.Generator().manual_seed(0)
    bytes_ = torch.randint(0, 256, (64, 3, 2, 2), generator=generator).byte()
    floats = bytes_.float() / 127.5 - 1
    other = floats.flip(0) * 0.5
    network = lambda x: x.mean((2, 3))  # noqa: E731
    a = oracle_frechet_distance(network, bytes_, other)
    assert a == pytest.approx(oracle_frechet_distance(network, floats, other))
    soft = lambda x: (4 * network(x)).softmax(1)  # noqa: E731
    assert oracle_inception_score(soft, bytes_, 2) == pytest.approx(
        oracle_inception_score(soft, floats, 2)
    )
    pair = torch.stack([bytes_[:2], bytes_[2:4]])
    as_float = torch.stack([floats[:2], floats[2:4]])
    assert diversity(pair) == pytest.approx(diversity(as_float))


def test_a_module_must_be_in_evaluation_mode_and_stays_so():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2))
    pictures = torch.zeros(8, 1, 2, 2)
    with pytest.raises(ValueError, match="eval"):
        oracle_frechet_distance(network, pictures, pictures)
    network.eval()
    oracle_frechet_distance(network, pictures, pictures)
    assert not network.training and not network[1].training


def test_inception_score_of_perfect_and_of_uniform_predictions():
    classes = torch.arange(5).repeat(40)
    perfect = torch.nn.functional.one_hot(classes, 5).float()
    assert oracle_inception_score(flat, hidden(perfect), splits=1)[0] == pytest.approx(
        5, rel=1e-5
    )
    uniform = torch.full((200, 5), 0.2)
    mean, deviation = oracle_inception_score(flat, hidden(uniform))
    assert (mean, deviation) == pytest.approx((1, 0), abs=1e-6)
    collapsed = torch.nn.functional.one_hot(torch.zeros(200).long(), 5).float()
    assert oracle_inception_score(flat, hidden(collapsed))[0] == pytest.approx(1)


def test_inception_score_between_the_extremes():
    # Half the mass on the right one of two classes: exp(log 2 - H(0.9)).
    p = torch.tensor([[0.9, 0.1], [0.1, 0.9]]).repeat(50, 1)
    entropy = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    found = oracle_inception_score(flat, hidden(p), splits=1)
    assert found == (pytest.approx(2 * math.exp(-entropy), rel=1e-5), 0.0)


def test_inception_scores_deviation_is_over_one_part_less_than_there_are():
    p = torch.rand(60, 5, generator=torch.Generator().manual_seed(1)).softmax(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # the order in which torchmetrics shuffles
        parts = p[torch.randperm(60)].chunk(10)
    each = [oracle_inception_score(flat, hidden(part), splits=1)[0] for part in parts]
    mean, deviation = oracle_inception_score(flat, hidden(p), splits=10, seed=0)
    assert mean == pytest.approx(statistics.mean(each), rel=1e-4)
    assert deviation == pytest.approx(statistics.stdev(each), rel=1e-3)
    assert deviation != pytest.approx(statistics.pstdev(each), rel=1e-2)


def test_inception_score_repeats_and_leaves_the_generator_alone():
    generator = torch.Generator().manual_seed(0)
    p = torch.rand(90, 1, 1, 4, generator=generator).softmax(-1)
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    first = oracle_inception_score(flat, p, splits=3)
    assert torch.equal(before, torch.random.get_rng_state())
    assert oracle_inception_score(flat, p, splits=3, batch_size=7) == first
    assert first[1] > 0


def test_diversity_of_known_pictures():
    same = torch.zeros(2, 3, 1, 4, 4)
    assert diversity(same) == 0
    # One caption: -0.5 and 0.5, distance 1; the other: all alike, distance 0.
    two = torch.zeros(2, 2, 1, 4, 4)
    two[0, 0], two[0, 1] = -0.5, 0.5
    assert diversity(two) == pytest.approx(0.5)
    # Differences between captions do not count.
    apart = torch.zeros(2, 2, 1, 4, 4)
    apart[1] = 1
    assert diversity(apart) == 0
    # Three samples 0, 0, 1: pairs at 0, 1, 1.
    three = torch.zeros(1, 3, 1, 2, 2)
    three[0, 2] = 1
    assert diversity(three) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: oracle_frechet_distance(flat, x, x * 200), r"\[-1, 1\]"),
        (lambda x: oracle_frechet_distance(flat, x, x / 0), r"\[-1, 1\]"),
        (lambda x: oracle_frechet_distance(flat, x[:1], x), "at least two"),
        (lambda x: oracle_frechet_distance(lambda y: y, x, x), r"\(N, F\)"),
        (lambda x: oracle_frechet_distance(flat, x[:, 0], x), r"\(N, C, H, W\)"),
        (lambda x: oracle_inception_score(flat, x), "probabilities"),
        (lambda x: oracle_inception_score(flat, x, splits=99), "99 parts"),
        (lambda x: oracle_inception_score(flat, x.long()), "uint8 or float"),
        (lambda x: diversity(x), "samples"),
        (lambda x: diversity(x[:, None]), "two samples"),
    ],
)
def test_what_would_give_a_wrong_number_is_refused(call, message):
    pictures = torch.linspace(-1, 1, 64).reshape(16, 1, 2, 2)
    with pytest.raises(ValueError, match=message):
        call(pictures)
