"""DAMSM's loss: all pairs at once against a loop over captions, in time and memory.

    python benchmarks/similarity.py [--captions 48] [--words 18] [--regions 289]
                                    [--size 256] [--rounds 5] [--json]

A step is the four terms of eq. (14) and their gradients. The loop takes one caption
after another, with its words against the regions of all pictures, as the authors'
release does; the course's `damsm_loss` compares all words with all regions in one
product, in parts. Each way has processes of its own, which take turns, so that a busy
machine slows both; the figures are the best step of all rounds, and the memory that
steps need beyond what a small one does (the process's largest resident size, the
smallest of all rounds).

What it gave on one thread of a virtual Intel Xeon core, torch 2.14, three rounds, with
48 captions of 18 words:

                                loop              all pairs       ratio
    289 regions, D 256     1047 ms  316 MB      453 ms  107 MB     2.31
     64 regions, D 128      182 ms  108 MB       78 ms  110 MB     2.33
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import t2i_course  # noqa: F401  # isort: skip  (before torch: how threads wait)
import torch
from torch import Tensor
from torch.nn import functional as F

from t2i_course.papers.damsm import (
    GAMMAS,
    DamsmLoss,
    damsm_loss,
    matching_losses,
    sentence_scores,
)

WAYS = ("loop", "pairs")


def looped_loss(words, mask, sentences, regions, pictures) -> DamsmLoss:
    """`damsm_loss` by a loop over captions."""
    gamma1, gamma2, gamma3 = GAMMAS
    columns = []
    for told, length in zip(words, mask.sum(1).tolist()):
        told = told[:, :length].expand(len(regions), -1, -1)  # (B, D, T)
        chosen = (regions.mT @ told).softmax(2)  # (B, R, T)
        alpha = (gamma1 * chosen.mT).softmax(2)  # (B, T, R)
        context = regions @ alpha.mT  # (B, D, T)
        cosines = F.cosine_similarity(context, told, dim=1)
        columns.append((gamma2 * cosines).logsumexp(1) / gamma2)
    whole = sentence_scores(pictures, sentences)
    return DamsmLoss(
        *matching_losses(torch.stack(columns, 1), None, gamma3),
        *matching_losses(whole, None, gamma3),
    )


def drawn(captions: int, words: int, regions: int, size: int) -> list[Tensor]:
    """What the loss compares: words, mask, sentences, regions, pictures."""
    rng = torch.Generator().manual_seed(0)
    shapes = [(size, words), (size,), (size, regions), (size,)]
    told, *rest = (0.3 * torch.randn(captions, *s, generator=rng) for s in shapes)
    mask = torch.ones(captions, words, dtype=torch.bool)
    given = [told, mask, *rest]
    return [x.requires_grad_() if x.is_floating_point() else x for x in given]


def step(loss, given) -> list[Tensor]:
    """The loss and its gradients."""
    total = torch.stack(loss(*given)).sum()
    learn = [x for x in given if x.requires_grad]
    return [total, *torch.autograd.grad(total, learn)]


def megabytes() -> float:
    """The largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(way: str, sizes: list[int], steps: int = 4) -> dict[str, float]:
    """Seconds of the best step, and MB beyond what small steps take."""
    loss = {"loop": looped_loss, "pairs": damsm_loss}[way]
    small = drawn(8, sizes[1], 16, 8)
    given, best = drawn(*sizes), float("inf")
    for _ in range(2):
        step(loss, small)
    before = megabytes()
    for _ in range(steps):
        begin = time.perf_counter()
        step(loss, given)
        best = min(best, time.perf_counter() - begin)
    return {"seconds": best, "MB": megabytes() - before}


def in_turns(sizes: list[int], rounds: int) -> dict[str, dict[str, float]]:
    """Both ways in processes of their own, the best of all rounds."""
    found = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            words = [sys.executable, __file__, "--child", way, *map(str, sizes)]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            found[way].append(json.loads(done.stdout))
    return {
        way: {key: min(row[key] for row in rows) for key in rows[0]}
        for way, rows in found.items()
    }


def same(sizes: list[int]) -> bool:
    """Whether both ways give one loss and one gradient."""
    given = drawn(*sizes)
    pair = zip(step(looped_loss, given), step(damsm_loss, given))
    return all(torch.allclose(*p, rtol=1e-3, atol=1e-5) for p in pair)


def main() -> None:
    """Measure and print a line, or JSON."""
    if "--child" in sys.argv:
        way, *sizes = sys.argv[2:]
        print(json.dumps(measure(way, [int(s) for s in sizes])))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = {"captions": 48, "words": 18, "regions": 289, "size": 256}
    for name, value in {**names, "rounds": 5}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    sizes = [getattr(chosen, name) for name in names]
    found = in_turns(sizes, chosen.rounds)
    found["ratio"] = found["loop"]["seconds"] / found["pairs"]["seconds"]
    found["same result"] = same(sizes)
    if chosen.json:
        print(json.dumps(found))
        return
    for way in WAYS:
        row = found[way]
        print(f"{way:<6}{row['seconds'] * 1e3:8.0f} ms {row['MB']:8.0f} MB")
    print(f"{found['ratio']:.2f} times as fast, same result: {found['same result']}")


if __name__ == "__main__":
    main()
