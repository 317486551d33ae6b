"""The two-sample test keeps its promise, and the spectrum knows its waves."""

import math

import pytest
import torch
from torch.nn import functional as F

from t2i_course.measure import samples


def heap(count, size, seed, shift=0.0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(count, size, generator=rng) + shift


def test_mmd_by_hand():
    """Pair by pair, from the definition."""
    one, other = heap(5, 2, 0), heap(4, 2, 1, 0.5)
    pooled = torch.cat([one, other]).double()
    far = [(a - b).norm() for i, a in enumerate(pooled) for b in pooled[i + 1 :]]
    median = torch.stack(far + far).median()

    def likeness(a, b):
        square = float((a - b).double().square().sum()) / float(median) ** 2
        return sum(math.exp(-square / (2 * w * w)) for w in (0.25, 0.5, 1, 2))

    first = sum(likeness(one[i], one[j]) for i in range(5) for j in range(5) if i != j)
    second = sum(
        likeness(other[i], other[j]) for i in range(4) for j in range(4) if i != j
    )
    across = sum(likeness(a, b) for a in one for b in other)
    expected = first / 20 + second / 12 - 2 * across / 20
    found = samples.maximum_mean_discrepancy(one, other)
    assert found == pytest.approx(expected, abs=1e-6)
    assert samples.two_sample_test(one, other, 10).distance == pytest.approx(found)


def test_p_is_uniform_when_nothing_differs():
    found = [
        samples.two_sample_test(heap(20, 2, s), heap(25, 2, 1000 + s), 49, s).p
        for s in range(150)
    ]
    found = torch.tensor(found)
    for level in (0.1, 0.3, 0.6):
        assert (found <= level + 1e-9).float().mean() == pytest.approx(level, abs=0.1)
    assert found.min() >= 1 / 50 - 1e-9 and found.max() <= 1


@pytest.mark.parametrize(
    "change", [lambda x: x + 1, lambda x: 0.4 * x, lambda x: 1.25 * F.normalize(x)]
)
def test_a_difference_of_place_width_or_form_is_found(change):
    one, other = heap(200, 2, 0), change(heap(200, 2, 1))
    found = samples.two_sample_test(one, other, 200)
    same = samples.two_sample_test(one, heap(200, 2, 2), 200)
    assert found.p < 0.01 < same.p and found.distance > same.distance


def test_the_same_seed_gives_the_same_p():
    one, other = heap(30, 2, 0), heap(30, 2, 1, 0.2)
    first = samples.two_sample_test(one, other, 50, seed=3)
    assert first == samples.two_sample_test(one, other, 50, seed=3)


def test_heaps_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match=r"got \(3, 2\) and \(3, 4\)"):
        samples.two_sample_test(torch.zeros(3, 2), torch.zeros(3, 4))
    with pytest.raises(ValueError, match="at least two"):
        samples.maximum_mean_discrepancy(torch.zeros(1, 2), torch.zeros(3, 2))


def wave(cycles_x, cycles_y, side=16):
    place = torch.arange(side) / side * 2 * math.pi
    phase = cycles_y * place[:, None] + cycles_x * place
    return phase.cos().expand(2, 3, side, side)


@pytest.mark.parametrize(("x", "y", "ring"), [(3, 0, 3), (0, 5, 5), (3, 4, 5)])
def test_a_wave_is_at_its_own_frequency(x, y, ring):
    spectrum = samples.radial_power_spectrum(wave(x, y))
    assert spectrum.shape == (9,) and spectrum.argmax() == ring
    others = spectrum.sum() - spectrum[ring]
    assert others < 1e-6 * spectrum[ring]


def test_all_waves_together_are_the_mean_square():
    pictures = torch.rand(4, 3, 16, 16) * 2 - 1
    power, _ = samples._power(pictures)
    assert power.sum().item() == pytest.approx(pictures.square().mean().item(), 1e-5)


def test_white_noise_is_flat_and_blur_takes_the_high_end():
    noise = heap(200, 16 * 16, 0).view(200, 1, 16, 16)
    spectrum = samples.radial_power_spectrum(noise)
    assert torch.allclose(spectrum, torch.tensor(1 / 256), rtol=0.1)
    blurred = F.avg_pool2d(F.pad(noise, (1, 1, 1, 1), mode="circular"), 3, 1)
    ratio = samples.radial_power_spectrum(blurred) / spectrum
    assert ratio[0] == pytest.approx(1, abs=1e-3) and (ratio[5:] < 0.2).all()
    assert samples.detail(blurred) < 0.3 * samples.detail(noise)
    assert samples.detail(wave(1, 0)) < 1e-6 and samples.detail(wave(8, 0)) > 0.999


def test_bytes_are_pictures_too():
    pictures = torch.randint(256, (3, 3, 8, 8), dtype=torch.uint8)
    expected = samples.radial_power_spectrum(pictures.float() / 127.5 - 1)
    assert torch.allclose(samples.radial_power_spectrum(pictures), expected)
    with pytest.raises(ValueError, match="square pictures"):
        samples.radial_power_spectrum(torch.zeros(1, 3, 8, 9))
