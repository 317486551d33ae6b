"""What lesson 04 measures: likelihoods, codebooks in use, pictures drawn from codes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..blocks import bits_per_dimension
from ..worlds.birds import Birds
from .dcgan import real_birds
from .oracle import oracle
from .samples import detail
from .scores import oracle_frechet_distance, oracle_inception_score

__all__ = [
    "FEW_CODES",
    "FEW_CODES_PRIOR",
    "all_maps",
    "deviation_of",
    "exact_bits",
    "follows",
    "log_prior_of",
    "of_species",
    "pictures_in_figures",
    "real_birds",
    "unseen_birds",
]

# A VQ-VAE of digits with 2 x 2 codes of 16 entries: 65,536 maps, which can all be
# listed; and the prior over them.
FEW_CODES = {"size": 8, "channels": 1, "hidden": 32, "entries": 16, "code_size": 8,
             "decay": 0.95, "revive": 0.5, "rate": 2e-3}  # fmt: skip
FEW_CODES_PRIOR = {"values": 16, "classes": 0, "channels": 16, "layers": 3, "out": 32,
                   "first": 3, "rate": 3e-3, "cool": 200}  # fmt: skip


def all_maps(values: int, grid: Sequence[int]) -> Tensor:
    """Every map of codes that there is, (values ** places, h, w) int64.

    ValueError where they are more than a million.
    """
    places = math.prod(grid)
    if values**places > 1_000_000:
        raise ValueError(f"{values} to the power of {places} maps are too many to list")
    number = torch.arange(values**places)
    digits = values ** torch.arange(places - 1, -1, -1)
    return (number[:, None] // digits % values).view(-1, *grid)


@torch.no_grad()
def log_prior_of(prior, maps: Tensor) -> Tensor:
    """log p(codes), (M,) nats, of maps of codes (M, h, w) by a trained prior.

    prior: a `papers.pixelcnn.PixelCnn` without classes, or None for the uniform one.
    """
    if prior is None:
        values = len(maps) ** (1 / maps[0].numel())  # `maps` are all that there are
        return torch.full((len(maps),), -math.log(round(values)) * maps[0].numel())
    return torch.cat([prior.pixelcnn.log_prob(part) for part in maps.split(4096)])


def deviation_of(system, pictures: Tensor) -> float:
    """sigma of a VQ-VAE's p(x | z_q): the root of these pictures' squared error."""
    return float((system.reconstruct(pictures) - pictures).square().mean().sqrt())


def exact_bits(system, pictures: Tensor, deviation: float, prior=None) -> Tensor:
    """Bits a pixel of a small VQ-VAE, (B,), exact: summed over all maps of codes.

    system: a `papers.vqvae.VqVae` of digits at 17 grey levels; deviation: sigma of its
    p(x | z_q); prior: as `log_prior_of`.
    """
    every = all_maps(system.values, system.grid)
    log_prior = log_prior_of(prior, every)
    log_p = system.exact_log_likelihood(pictures, deviation, log_prior, every)
    return bits_per_dimension(log_p, pictures[0].numel())


def unseen_birds(count: int = 2000, size: int = 32):
    """Birds of species that no network was trained on, as one batch."""
    return Birds("test", size).all(count).to("cpu")


def pictures_in_figures(drawn: Tensor, real: Tensor | None = None) -> dict[str, float]:
    """Inception score, Frechet distance and detail of drawn birds (N, 3, 32, 32).

    real: what they are compared with; None is as many of the birds trained on, as in
    lesson 02. detail: the share of fine waves in them, in units of the real pictures'
    share; 1 is as sharp as those. By the oracle's features: not comparable with scores
    by an ImageNet network.
    """
    real = real_birds(*drawn.shape[::3]) if real is None else real
    reader = oracle(drawn.shape[-1])
    found = {
        "inception score": oracle_inception_score(reader.kinds, drawn, splits=1)[0],
        "frechet distance": oracle_frechet_distance(reader.features, real, drawn),
        "detail": detail(drawn) / detail(real),
    }
    return {name: round(float(value), 4) for name, value in found.items()}


OF_A_SPECIES = ("habitat", "size", "beak", "pattern")  # colours are the plumage's


def of_species(drawn: Tensor, attributes: Tensor, parts=OF_A_SPECIES):
    """Share of drawn birds that are as their species is, {attribute: share}.

    attributes: (N, A) what a bird of the species that was asked for looks like
    """
    from .obedience import accuracies

    right = accuracies(oracle(drawn.shape[-1]).read(drawn), attributes)
    return {part: round(right[part], 4) for part in parts}


def follows(
    drawn: Tensor, one: Tensor, other: Tensor
) -> dict[str, tuple[float, float]]:
    """Whose attributes a picture made of two birds has: {attribute: (one's, other's)}.

    drawn, one, other: pictures (N, 3, S, S). Each share is of the pairs in which the
    oracle reads different values in the two birds; the two needn't add up to 1.
    """
    from ..worlds.bird_species import ATTRIBUTES

    reader = oracle(drawn.shape[-1])
    seen, first, second = (reader.read(x) for x in (drawn, one, other))
    differ = first != second
    found = {}
    for i, name in enumerate(ATTRIBUTES):
        where = differ[:, i]
        if where.any():
            of_one = (seen == first)[where, i].float().mean().item()
            of_other = (seen == second)[where, i].float().mean().item()
            found[name] = round(of_one, 4), round(of_other, 4)
    return found
