"""What lesson 02 measures of GANs that draw birds without being asked for any.

Quality against real birds, by the oracle; smooth paths through the noise; arithmetic
on averaged noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..drawing import from_noise, unasked
from ..inside.latent import (
    arithmetic,
    around,
    average,
    is_as,
    lerp,
    path,
    random_directions,
    slerp,
    smoothness,
    to_shell,
)
from ..worlds.bird_species import ATTRIBUTES, COLOURS
from ..worlds.birds import Birds
from .oracle import oracle
from .scores import oracle_frechet_distance, oracle_inception_score

__all__ = [
    "attributes_wanted", "draw", "in_parts", "paths", "quality", "real_birds",
    "smoothness_of", "trial", "trials",
]  # fmt: skip

# ------------------------------------------------------------------------- quality


def real_birds(count: int = 2000, size: int = 32, part: int = 0) -> Tensor:
    """`count` pictures (count, 3, size, size) uint8 of the species trained on.

    part: 0 or 1, two sets of different birds. ValueError where there are too few.
    """
    birds = Birds("train", size)
    if count * (part + 1) > len(birds):
        raise ValueError(f"There are {len(birds)} birds, too few for this part.")
    order = np.random.default_rng(0).permutation(len(birds))
    return torch.from_numpy(birds.images[order[part * count : (part + 1) * count]])


def draw(system, count: int = 2000, seed: int = 0) -> Tensor:
    """`count` pictures by a system that needs no captions, from that seed's noise."""
    return from_noise(system, unasked(count), seed)


def quality(pictures: Tensor) -> dict[str, float]:
    """Inception score and Frechet distance of pictures (N, 3, S, S), by the oracle.

    The distance is to as many real birds. Neither can be compared with scores by an
    ImageNet network. S: 32 or 64.
    """
    reader, real = oracle(pictures.shape[-1]), real_birds(*pictures.shape[::3])
    score, _ = oracle_inception_score(reader.kinds, pictures, splits=1)
    distance = oracle_frechet_distance(reader.features, real, pictures)
    return {"score": round(score, 2), "distance": round(distance, 1)}


# ----------------------------------------------------------------- noise and meaning


@torch.no_grad()
def in_parts(generator, noise: Tensor) -> Tensor:
    """Pictures of many noise vectors (N, D), 500 at a time."""
    return torch.cat([generator(part) for part in noise.split(500)])


def smoothness_of(pictures: Tensor) -> dict[str, float]:
    """How evenly a path of pictures (T, 3, S, S) changes, in pixels and for the oracle.

    "oracle": in the features that it sees; see `inside.latent.smoothness`.
    """
    with torch.no_grad():
        features = oracle(pictures.shape[-1]).features(pictures)
    return {"pixels": smoothness(pictures), "oracle": smoothness(features)}


def paths(
    generator,
    count: int = 200,
    points: int = 17,
    seed: int = 0,
    pairs: int = 2000,
    ways: Sequence[str] = ("line", "arc", "cross-fade"),
) -> dict:
    """Three ways from one picture to another, {way: figures}; slide GM-19; lesson 02.

    "line" and "arc" go through the noise, "cross-fade" mixes the two pictures. Figures:
    smoothness in "pixels" and for the "oracle", means of `count` paths of `points`
    pictures; "distance", the Frechet distance of `pairs` middles to real birds;
    "length" of the middle's noise, in parts of the ends'.
    """
    rng, d = torch.Generator().manual_seed(seed), generator.noise_size
    ends = to_shell(torch.randn(2, pairs, d, generator=rng))
    t, made = torch.linspace(0, 1, points)[:, None, None, None], {}
    drawn = [in_parts(generator, end) for end in ends]
    middles = {"line": lerp(*ends, 0.5), "arc": slerp(*ends, 0.5)}
    for way in ways:
        along, found = {"line": lerp, "arc": slerp}.get(way), []
        for i in range(count):
            if along is None:
                pictures = lerp(drawn[0][i], drawn[1][i], t)
            else:
                noise = path(ends[0, i], ends[1, i], points, along)
                pictures = in_parts(generator, noise)
            found.append(list(smoothness_of(pictures).values()))
        middle = (in_parts(generator, middles[way]) if along else
                  lerp(*drawn, 0.5))  # fmt: skip
        pixels, seen = np.mean(found, 0).round(3).tolist()
        made[way] = {"pixels": pixels, "oracle": seen, **quality(middle)}
        if along:
            long = (middles[way].norm(dim=1) / ends[0].norm(dim=1)).mean()
            made[way]["length"] = round(float(long), 3)
    return made


def attributes_wanted(**values: str) -> Tensor:
    """(A,) int64 as `is_as` wants it: attributes_wanted(wing="red", crown="blue").

    -1 for what isn't named. KeyError or ValueError for what doesn't exist.
    """
    wanted = torch.full((len(ATTRIBUTES),), -1)
    for name, value in values.items():
        wanted[list(ATTRIBUTES).index(name)] = ATTRIBUTES[name].index(value)
    return wanted


def share(seen: Tensor, wanted: Tensor) -> float:
    """How many of the pictures in which the oracle `seen` (N, A) are as wanted (A,)."""
    return float(is_as(seen, wanted).float().mean())


def average_of(noise: Tensor, seen: Tensor, kind: dict, examples: int | None) -> Tensor:
    """The mean (D,) of the first `examples` vectors whose pictures are of that kind.

    noise (N, D), seen (N, A); kind: {"wing": "red"}; examples: None for all there are.
    """
    chosen = is_as(seen, attributes_wanted(**kind)).nonzero()[:, 0]
    chosen = chosen[:examples] if examples else chosen
    return average(noise, torch.isin(torch.arange(len(noise)), chosen))


def trial(
    generator,
    noise: Tensor,
    seen: Tensor,
    given: dict[str, str],
    other: dict[str, str],
    rng: torch.Generator,
    count: int = 16,
    examples: int | None = None,
    shell: bool = False,
) -> dict[str, float]:
    """One sum on averaged noise, and how often the oracle sees what it should give.

    noise (N, D) and what the oracle `seen` (N, A) in its pictures. given, other: two
    attributes with two values each, {"wing": "red", "crown": "blue"}. The sum is
    (given) - (given, the second attribute as in `other`) + (other): it should
    show the second attribute as `given` has it and the first as `other` has it.
    examples: average so many vectors each, None for all there are. shell: bring every
    point to the length of noise before it is drawn.
    Returns shares of `count` pictures around each point that are as wanted: "sum"; that
    of a "random" vector of the same length added; "start", with nothing added;
    "chance", the share of all pictures; around the "average" of the first term, how
    many show the colours that its own examples have; and around the sum, how many show
    the wanted colour that it "kept", and the one that it "brought", whatever the other
    is. Radford et al. 2016; slide GM-20; lesson 02.
    """
    first, second = given
    kinds = [given, {first: given[first], second: other[second]}, other]
    means = [average_of(noise, seen, kind, examples) for kind in kinds]
    wanted = attributes_wanted(**{first: other[first], second: given[second]})
    change = means[0] - means[1]
    points = {"sum": arithmetic(*means)[None], "start": means[2][None]}
    points["random"] = means[2] + random_directions(change, count, rng)
    points["average"] = means[0][None]
    found = {"chance": share(seen, wanted)}
    for name, centers in points.items():
        centers = to_shell(centers) if shell else centers
        near = torch.cat([around(c, count // len(centers), 0.25, rng) for c in centers])
        read = oracle(generator.size).read(in_parts(generator, near))
        asked = attributes_wanted(**given) if name == "average" else wanted
        found[name] = share(read, asked)
        if name == "sum":
            found["kept"] = share(read, attributes_wanted(**{first: other[first]}))
            found["brought"] = share(read, attributes_wanted(**{second: given[second]}))
    return found


def trials(
    generator,
    count: int = 60,
    seed: int = 0,
    examples: int | None = None,
    shell: bool = False,
    pool: int = 20_000,
) -> dict[str, float]:
    """The mean of many sums with colours drawn at random; see `trial`.

    Wing and crown, belly and crown, or wing and belly, with two colours each. Pairs of
    colours that fewer than three of `pool` pictures show are drawn anew. "together":
    the correlation, over the sums, of "sum" and "average".
    """
    torch_rng = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    noise = torch.randn(pool, generator.noise_size, generator=torch_rng)
    seen = oracle(generator.size).read(in_parts(generator, noise))
    found = []
    while len(found) < count:
        first, second = rng.choice(["wing", "belly", "crown"], 2, replace=False)
        a, b = (rng.choice(COLOURS, 2, replace=False) for _ in range(2))
        given, other = ({first: a[i], second: b[i]} for i in (0, 1))
        kinds = (given, {first: a[0], second: b[1]}, other)
        enough = min(int(is_as(seen, attributes_wanted(**k)).sum()) for k in kinds)
        if enough >= 3:
            found.append(trial(generator, noise, seen, given, other, torch_rng,
                               examples=examples, shell=shell))  # fmt: skip
    means = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
    both = [[one[name] for one in found] for name in ("sum", "average")]
    together = np.corrcoef(both)[0, 1] if all(np.ptp(both, axis=1)) else 0.0
    return means | {"together": float(together)}
