"""The few building blocks that several papers share."""

import math

import torch
from torch import Tensor, nn

__all__ = [
    "FromPoint", "bits_per_dimension", "check_multiple", "check_size", "initialize",
]  # fmt: skip


def check_size(size: int, least: int = 8) -> None:
    """ValueError unless pictures of size x size come of doubling 4x4: 8, 16, 32, ...

    least: the smallest of them that will do.
    """
    if size < least or size & (size - 1):
        raise ValueError(f"size is {least}, {2 * least}, {4 * least}, ..., not {size}.")


def check_multiple(size: int, of: int, least: int) -> None:
    """ValueError unless size is a multiple of `of`, and `least` or more."""
    if size < least or size % of:
        raise ValueError(f"size is a multiple of {of}, at least {least}, not {size}.")


class FromPoint(nn.ConvTranspose2d):
    """The first layer of a generator: a code (B, inside) to a map (B, outside, 4, 4).

    A fractionally strided convolution of a single point is one matrix product; on a CPU
    its backward pass is twenty times as fast that way (benchmarks/layers.py).
    """

    def __init__(self, inside: int, outside: int, bias: bool = False):
        super().__init__(inside, outside, 4, bias=bias)

    def forward(self, code: Tensor) -> Tensor:
        """(B, inside) to (B, outside, 4, 4)."""
        made = (code @ self.weight.flatten(1)).view(len(code), -1, 4, 4)
        return made if self.bias is None else made + self.bias[:, None, None]


@torch.no_grad()
def initialize(network: nn.Module) -> nn.Module:
    """DCGAN's start: convolutions N(0, 0.02), scales of the norms N(1, 0.02), biases 0.

    In place; returns the network. The second number is the standard deviation. Scales
    start around 1: around 0 each norm would erase what it was given. Linear layers keep
    PyTorch's own start. Radford et al. 2016 (the scales: its released code).
    """
    norms = nn.BatchNorm1d | nn.BatchNorm2d | nn.GroupNorm
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, norms):
            nn.init.normal_(module.weight, 1.0, 0.02)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    return network


def bits_per_dimension(
    log_likelihood: Tensor, dimensions: int, spacing: float = 1.0
) -> Tensor:
    """-log2 p(x) of each picture, shared among its numbers.

    log_likelihood: (B,) in nats; dimensions: numbers in a picture (C * H * W)
    spacing: 1 for a probability. A density must first become a probability: a number
        that can only be one of many levels this far apart has density * spacing.
    Returns (B,): the unit that likelihoods are compared in. Slide GM-9; lessons 03, 04.
    """
    nats = -log_likelihood / dimensions - math.log(spacing)
    return nats / math.log(2)
