"""The generator's first layer as a matrix product, against the convolution it equals.

python benchmarks/layers.py
"""

import time

import t2i_course  # noqa: F401  # isort: skip  (before torch: how threads wait)
import torch
from torch import nn

from t2i_course.blocks import FromPoint


def seconds(layer, code, repeats: int = 10) -> float:
    """Time of a forward and a backward pass, the best of `repeats`."""
    best = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        layer(code).square().mean().backward()
        best = min(best, time.perf_counter() - begin)
    return best


def main() -> None:
    """Print both times and their ratio, at the cpu preset's sizes."""
    plain, product = nn.ConvTranspose2d(228, 128, 4, bias=False), FromPoint(228, 128)
    product.load_state_dict(plain.state_dict())
    code = torch.randn(96, 228)
    slow, fast = seconds(plain, code[:, :, None, None]), seconds(product, code)
    same = torch.allclose(plain(code[:, :, None, None]), product(code), atol=1e-4)
    print(f"convolution {slow * 1e3:.1f} ms, product {fast * 1e3:.1f} ms, "
          f"ratio {slow / fast:.1f}, same result: {same}")  # fmt: skip


if __name__ == "__main__":
    main()
