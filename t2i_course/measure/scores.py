"""Figures for a whole set of pictures: inception score, Frechet distance, diversity.

The formulas are the papers'; the network behind them is not. The inception score (IS)
and the Frechet inception distance (FID) of papers use a network trained on ImageNet,
which knows nothing of drawn birds. Here the course's own oracle takes its place, so the
functions are called `oracle_...`: their values compare systems on one world, and never
with a value printed in a paper.
"""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = ["diversity", "oracle_frechet_distance", "oracle_inception_score"]

SMALLEST = 1e-12  # a probability of zero has no logarithm


def _as_float(pictures: Tensor) -> Tensor:
    """Pictures (N, C, H, W) as float in [-1, 1]; uint8 pictures are converted."""
    if pictures.ndim != 4:
        shape = tuple(pictures.shape)
        raise ValueError(f"Expected pictures (N, C, H, W), got {shape}.")
    if pictures.dtype == torch.uint8:
        return pictures.float().div(127.5).sub(1)
    if not pictures.is_floating_point():
        raise ValueError(f"Expected uint8 or float pictures, got {pictures.dtype}.")
    low, high = pictures.aminmax()
    if not (low >= -1.001 and high <= 1.001):
        raise ValueError(
            f"Expected float pictures in [-1, 1], got {low:.3g} to {high:.3g}."
        )
    return pictures.float()


class _Features(nn.Module):
    """The network as torchmetrics wants it: a module from pictures to (N, F).

    torchmetrics hands pictures on untouched (`normalize=False`), and asks a test
    picture for F unless it finds `num_features`.
    """

    def __init__(self, network: Callable[[Tensor], Tensor], after=None):
        super().__init__()
        if getattr(network, "training", False):
            raise ValueError(
                "The measuring network is in training mode (dropout and batch norm "
                "would change the score). Call network.eval() first."
            )
        self.network, self.after = [network], after  # a list: no part of the metric
        self.num_features = 0

    def forward(self, pictures: Tensor) -> Tensor:
        network = self.network[0]
        with torch.no_grad():
            features = network(pictures)
        if features.ndim != 2 or len(features) != len(pictures):
            raise ValueError(
                f"The network must give (N, F) for N={len(pictures)} pictures, got "
                f"{tuple(features.shape)}."
            )
        return features if self.after is None else self.after(features)


def _log_probabilities(probabilities: Tensor) -> Tensor:
    """log p, whose softmax is p again: torchmetrics starts from logits."""
    sums = probabilities.sum(1)
    if probabilities.min() < 0 or not torch.allclose(
        sums, torch.ones_like(sums), atol=1e-3
    ):
        raise ValueError(
            "The network must give probabilities: each row at least 0 and of sum 1 "
            f"(got a smallest value {probabilities.min():.3g}, sums from "
            f"{sums.min():.3g} to {sums.max():.3g}). Logits need .softmax(1) first."
        )
    return probabilities.double().clamp_min(SMALLEST).log()


def _parts(pictures: Tensor, size: int):
    return (_as_float(part) for part in pictures.split(size))


def oracle_inception_score(
    probabilities: Callable[[Tensor], Tensor],
    pictures: Tensor,
    splits: int = 10,
    batch_size: int = 256,
    seed: int = 0,
) -> tuple[float, float]:
    """exp of the mean KL(p(y|x) || p(y)): pictures that are clear, and of many classes.

    probabilities: pictures (N, C, H, W) in [-1, 1] to (N, K), rows of sum 1
    pictures: (N, C, H, W), float in [-1, 1] or uint8
    Returns mean and standard deviation over `splits` parts (0 for one part); the mean
    is between 1 (all alike, or all unclear) and K. The deviation is the sample's, over
    n - 1 parts, as torchmetrics takes it; the paper's code divides by n, which gives 5
    percent less with 10 parts. Which picture is in which part depends on `seed` alone.
    Too few pictures for a part bias the mean down: use 10 K or more a part.
    Salimans et al. 2016; slide RE-9; used in lesson 08.
    """
    from torchmetrics.image.inception import InceptionScore

    if not 1 <= splits <= len(pictures):
        raise ValueError(f"{len(pictures)} pictures can't make {splits} parts.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "will save all features": they are few
        metric = InceptionScore(_Features(probabilities, _log_probabilities), splits)
    for part in _parts(pictures, batch_size):
        metric.update(part)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the deviation of one part
        torch.manual_seed(seed)  # torchmetrics shuffles with the global generator
        mean, deviation = metric.compute()
    return float(mean), 0.0 if splits == 1 else float(deviation)


def oracle_frechet_distance(
    features: Callable[[Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    batch_size: int = 256,
) -> float:
    """Distance of two Gaussians fitted to the features of real and generated pictures.

    |m_r - m_f|^2 + tr(C_r + C_f - 2 (C_r C_f)^(1/2)), in the features' units squared:
    0 for equal means and covariances. Needs more pictures than features on each side,
    and the same numbers whenever two values are compared (few pictures bias it up).

    features: pictures (N, C, H, W) in [-1, 1] to (N, F)
    real, fake: (N, C, H, W) float in [-1, 1] or uint8; N may differ, at least 2
    Heusel et al. 2017; used in lesson 08.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance

    if min(len(real), len(fake)) < 2:
        raise ValueError("A covariance needs at least two pictures on each side.")
    network = _Features(features)
    network.num_features = network(_as_float(real[:2])).shape[1]
    metric = FrechetInceptionDistance(feature=network, normalize=False)
    metric.set_dtype(torch.float64)
    metric.to(real.device)
    for pictures, is_real in ((real, True), (fake, False)):
        for part in _parts(pictures, batch_size):
            metric.update(part, real=is_real)
    return max(float(metric.compute()), 0.0)  # rounding can fall just below 0


def diversity(pictures: Tensor) -> float:
    """How much the pictures of one caption differ: mean distance over pairs.

    pictures: (N captions, M samples, C, H, W), float in [-1, 1] or uint8, M >= 2.
    Distance: root mean square difference of two pictures of the same caption, colours
    in [-1, 1]. 0 when the noise changes nothing; compare with the same figure for real
    pictures of one class. Used in lesson 08.
    """
    if pictures.ndim != 5 or pictures.shape[1] < 2:
        raise ValueError(
            "Expected (captions, samples, C, H, W) with at least two samples, got "
            f"{tuple(pictures.shape)}."
        )
    captions, samples = pictures.shape[:2]
    flat = _as_float(pictures.flatten(0, 1)).reshape(captions, samples, -1).double()
    first, second = torch.triu_indices(samples, samples, offset=1)
    # Caption by caption: all pairs of all captions at once may not fit in memory.
    distances = [
        (one[first] - one[second]).square().mean(1).sqrt().mean() for one in flat
    ]
    return float(torch.stack(distances).mean())
