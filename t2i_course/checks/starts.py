"""A network of every kind of layer, and how it was started: for exercise 02.3."""

from __future__ import annotations

import torch
from torch import nn

from ..blocks import FromPoint
from .compare import expect

__all__ = [
    "NAMES",
    "SomeLayers",
    "check_convolutions",
    "check_norms",
    "few_layers",
    "touched",
]


class SomeLayers(nn.Module):
    """One of each kind of layer, with biases, all at values of their own."""

    def __init__(self):
        super().__init__()
        self.first = FromPoint(20, 64, bias=True)
        self.up = nn.ConvTranspose2d(64, 64, 4, bias=True)
        self.down = nn.Conv2d(64, 64, 4, bias=True)
        self.norms = nn.Sequential(*(nn.BatchNorm2d(64) for _ in range(16)))
        self.deep = nn.Sequential(nn.Sequential(nn.Conv2d(8, 8, 4)))
        for weight in self.parameters():
            nn.init.constant_(weight, 0.5)


NAMES = {"first": "FromPoint, the generator's first layer", "up": "ConvTranspose2d",
         "down": "Conv2d"}  # fmt: skip


def touched(layer: nn.Module) -> bool:
    """Whether the layer's weights are other than before."""
    return not bool((layer.weight == 0.5).all())


def few_layers() -> nn.Module:
    """A network whose convolution has no bias, as those before a batch norm."""
    return nn.Sequential(nn.Conv2d(3, 4, 4, bias=False), nn.BatchNorm2d(4))


def check_convolutions(network: SomeLayers) -> None:
    """Every convolution has weights from N(0, 0.02), its bias at 0; else `Wrong`."""
    for name, words in NAMES.items():
        layer = network.get_submodule(name)
        weight = layer.weight.detach()
        untouched = bool((weight == 0.5).all())
        expect(
            not (untouched and name == "first"),
            "FromPoint, the generator's first layer, is left as it was: it is a kind "
            "of ConvTranspose2d, which isinstance(module, nn.ConvTranspose2d) knows "
            "(comparing types or names doesn't).",
        )
        expect(not untouched, f"the weights of {words} are left as they were.")
        expect(
            weight.std() > 0.002,
            f"the weights of {words} are all but equal (deviation {weight.std():.1g}); "
            "0.02 is the deviation, not the variance, and not a constant.",
        )
        expect(
            weight.std() < 0.1,
            f"the weights of {words} have deviation {weight.std():.2f} in place of "
            "0.02: is 0.02 taken for the variance?",
        )
        close = abs(weight.std() - 0.02) < 0.002 and abs(weight.mean()) < 0.002
        expect(
            close,
            f"the weights of {words} should have mean 0 and deviation 0.02; these have "
            f"mean {weight.mean():.3f} and deviation {weight.std():.3f}.",
        )
        expect(
            weight.abs().max() > 0.05,
            f"the weights of {words} never go beyond {weight.abs().max():.3f}: they "
            "come from a uniform distribution; a normal one is wanted.",
        )


def check_norms(network: SomeLayers) -> None:
    """The norms' scales are from N(1, 0.02), their shifts 0; else `Wrong`."""
    scales = torch.cat([norm.weight.detach() for norm in network.norms])
    expect(not bool((scales == 0.5).all()), "the scales of the batch norms (their "
           ".weight) are left as they were.")  # fmt: skip
    expect(
        scales.mean().abs() > 0.5,
        f"the scales of the batch norms are around {scales.mean():.2f}: each norm "
        "would all but erase what it was given. They start around 1.",
    )
    expect(
        scales.std() > 1e-3,
        "the scales of the batch norms are all 1; they are drawn from N(1, 0.02).",
    )
    expect(
        abs(scales.mean() - 1) < 0.01 and abs(scales.std() - 0.02) < 0.003,
        "the scales of the batch norms should have mean 1 and deviation 0.02; these "
        f"have mean {scales.mean():.3f} and deviation {scales.std():.3f}.",
    )
    shifts = torch.cat([norm.bias.detach() for norm in network.norms])
    expect(not bool(shifts.any()), "the shifts of the batch norms (their .bias) are "
           f"not 0: they are around {shifts.abs().mean():.2f}.")  # fmt: skip
