"""One place at a time: gated PixelCNN, for pictures and for codes (lessons 03, 04).

van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves, Kavukcuoglu: Conditional Image
Generation with PixelCNN Decoders, NIPS 2016; slides GM-1, GM-5 and GM-8. The chain rule
p(x) = p(x_1) p(x_2 | x_1) ... p(x_n | x_1, ..., x_{n-1}) is exact, so the likelihood is
too. A stack of masked convolutions computes all factors of a known picture at once;
drawing a new one goes place by place, in reading order.

A place holds one of K values: a pixel's grey level (`GreyLevels`), or an entry of a
VQ-VAE's codebook (any `coder` with `codes`, `decode`, `values` and `grid`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import bits_per_dimension
from ..declarations import Network, Part, SystemInfo
from ..training import System, falling

__all__ = [
    "BIRDS", "PRESETS", "BlindPixelCnn", "Drawing", "GatedLayer", "GatedPixelCnn",
    "GreyLevels", "MaskedConv", "PixelCnn", "above_mask", "beside_mask",
    "draw", "gate", "log_probability", "raster_mask",
]  # fmt: skip

# Digits. "paper": the prior over a VQ-VAE's 512 codes, 7 x 7 of them, by class; sizes
# and learning rate as in the released prior (github.com/ritheshkumar95/pytorch-vqvae).
# Batch size and steps are ours. The other presets model grey levels: the scans have 17.
PRESETS = {
    "smoke": {"shape": (1, 8, 8), "values": 17, "channels": 8, "layers": 3, "out": 16,
              "classes": 10, "codes": False, "batch_size": 16, "steps": 4},
    "cpu": {"shape": (1, 8, 8), "values": 17, "channels": 16, "layers": 4, "out": 32,
            "first": 5, "classes": 10, "codes": False, "rate": 3e-3, "cool": 300,
            "batch_size": 64, "steps": 600},
    "gpu": {"shape": (1, 8, 8), "values": 17, "channels": 24, "layers": 5, "out": 48,
            "first": 5, "classes": 10, "codes": False, "rate": 2e-3, "cool": 300,
            "batch_size": 64, "steps": 600},
    "paper": {"shape": (1, 28, 28), "codes": True, "values": 512, "channels": 64,
              "layers": 15, "out": 512, "classes": 10, "rate": 3e-4, "batch_size": 128,
              "steps": 50000},
}  # fmt: skip

# Birds: the prior over the codes of a trained `papers.vqvae.VqVae`, by species; sizes
# and steps are ours, but for the digits' "paper" networks at that preset. Where nothing
# is said the rate stays: `cool` counts steps, and the digits' are others.
CODES = {"codes": True, "classes": 200, "cool": 0}
BIRDS = {
    "smoke": CODES | {"shape": (3, 32, 32), "values": 32},
    "cpu": CODES | {"shape": (3, 32, 32), "values": 128, "channels": 32, "layers": 5,
                    "out": 96, "rate": 3e-3, "cool": 750, "batch_size": 32,
                    "steps": 1500},
    "gpu": CODES | {"shape": (3, 64, 64), "values": 256, "channels": 64, "layers": 12,
                    "out": 256, "rate": 5e-4, "steps": 20000},
    "paper": CODES | {"shape": (3, 128, 128)},
}  # fmt: skip


# ----------------------------------------------------------------------- grey levels


class GreyLevels(nn.Module):
    """The simplest coder: pictures of one channel to their grey levels and back.

    values: how many levels from black (-1) to white (1); 2 is black and white.
    """

    def __init__(self, values: int, grid: tuple[int, int]):
        super().__init__()
        self.values, self.grid = values, tuple(grid)

    def codes(self, pictures: Tensor) -> Tensor:
        """(B, 1, H, W) in [-1, 1] to (B, H, W) int64 in 0..values-1.

        Raises ValueError for pictures of several channels: a place holds one value.
        """
        if pictures.shape[1] != 1:
            raise ValueError(f"grey levels of {pictures.shape[1]} channels")
        return ((pictures[:, 0] + 1) * ((self.values - 1) / 2)).round().long()

    def decode(self, codes: Tensor) -> Tensor:
        """(B, H, W) int64 to pictures (B, 1, H, W) in [-1, 1]."""
        return codes.unsqueeze(1) * (2 / (self.values - 1)) - 1


# ------------------------------------------------------------------------- the masks


def raster_mask(size: int, kind: str) -> Tensor:
    """1 where a kernel (size, size) may look, at what comes before in reading order.

    Elsewhere 0. kind "A" leaves out the middle, the value that is to be predicted; "B",
    for the layers after the first, keeps it. Stacked, these masks have a blind spot:
    places above and to the right that no path reaches. Figure 1 of the paper.
    """
    mask, middle = torch.ones(size, size), size // 2
    mask[middle, middle + (kind == "B") :] = 0
    mask[middle + 1 :] = 0
    return mask


def above_mask(size: int, kind: str) -> Tensor:
    """For the vertical stack: (size // 2 + 1, size), rows above and the present one.

    kind "A" leaves out the present row; "B" keeps it, as its input has seen only rows
    above. There is no blind spot: whole rows are seen.
    """
    mask = torch.ones(size // 2 + 1, size)
    mask[-1] = float(kind == "B")
    return mask


def beside_mask(size: int, kind: str) -> Tensor:
    """For the horizontal stack: (1, size // 2 + 1), what is left of the present place.

    kind "A" leaves out the present place; "B" keeps it.
    """
    mask = torch.ones(1, size // 2 + 1)
    mask[:, -1] = float(kind == "B")
    return mask


class MaskedConv(nn.Conv2d):
    """A convolution whose weights are multiplied by a mask.

    mask: (rows, columns) of 0 and 1, the kernel's shape
    border: zeros added on the (left, right, top, bottom), so that the size is kept and
        the kernel's present place falls on the output's
    """

    def __init__(self, inside: int, outside: int, mask: Tensor, border: tuple):
        super().__init__(inside, outside, tuple(mask.shape))
        self.border = border
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inside, H, W) to (B, outside, H, W)."""
        return self.within(F.pad(x, self.border))

    def within(self, window: Tensor) -> Tensor:
        """The same for a part that has its border already: the output is smaller."""
        return F.conv2d(window, self.weight * self.mask, self.bias)


class BlindPixelCnn(nn.Module):
    """PixelCNN as it first was, to show what it can't see: `raster_mask` in each layer.

    features (B, inside, H, W) to (B, channels, H, W). Used in lesson 04.
    """

    def __init__(self, inside=1, channels=16, layers=4, size=3, mask=raster_mask):
        super().__init__()
        border, stack = (size // 2,) * 4, []
        for i in range(layers):
            kind, wide = ("B", channels) if i else ("A", inside)
            stack += [MaskedConv(wide, channels, mask(size, kind), border), nn.Tanh()]
        self.stack = nn.Sequential(*stack)

    def forward(self, features: Tensor) -> Tensor:
        """What each place's prediction is made from."""
        return self.stack(features)


# ----------------------------------------------------------------------- the network


def gate(x: Tensor) -> Tensor:
    """tanh of half the channels times the sigmoid of the other half; eq. (2)."""
    signal, openness = x.chunk(2, 1)
    return signal.tanh() * openness.sigmoid()


class GatedLayer(nn.Module):
    """One layer: a vertical stack looks at rows above, a horizontal one to the left.

    The horizontal stack also hears from the vertical one, never the other way round
    (figure 2 of the paper). kind "A" is the first layer, which has no residual way past
    it: the value to be predicted would take it. classes, latent: of the conditions, 0
    for none. Each is added to both stacks before the gate, eqs. (4) and (5).
    """

    def __init__(self, channels, size, kind, classes=0, latent=0,
                 above=above_mask, beside=beside_mask):  # fmt: skip
        super().__init__()
        half, wide = size // 2, 2 * channels
        self.half, self.residual = half, kind == "B"
        self.vertical = MaskedConv(
            channels, wide, above(size, kind), (half, half, half, 0)
        )
        self.horizontal = MaskedConv(
            channels, wide, beside(size, kind), (half, 0, 0, 0)
        )
        self.across = nn.Conv2d(wide, wide, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        self.of_class = nn.Embedding(classes, wide) if classes else None
        self.of_latent = nn.Conv2d(latent, wide, 1, bias=False) if latent else None

    def condition(self, class_id: Tensor | None, latent: Tensor | None) -> Tensor:
        """What the conditions add: (B, 2 channels, 1 or H, 1 or W).

        class_id: (B,); latent: (B, latent) or a map (B, latent, H, W). ValueError when
        one is missing, or is given to a network that was made without it.
        """
        total = self.out.bias.new_zeros(1, 1, 1, 1)
        if wanted(self.of_class, class_id, "class_id"):
            total = total + self.of_class(class_id)[:, :, None, None]
        if wanted(self.of_latent, latent, "latent"):
            latent = latent[:, :, None, None] if latent.ndim == 2 else latent
            total = total + self.of_latent(latent)
        return total

    def forward(self, vertical, horizontal, condition) -> tuple[Tensor, Tensor]:
        """Both stacks (B, channels, H, W) to their next layer."""
        seen = self.vertical(vertical)
        beside = self.horizontal(horizontal) + self.across(seen)
        out = self.out(gate(beside + condition))
        out = out + horizontal if self.residual else out
        return gate(seen + condition), out


def wanted(layer: nn.Module | None, given: Tensor | None, name: str) -> bool:
    """Whether there is a condition; ValueError where layer and condition disagree."""
    if (layer is None) != (given is None):
        asked = "was not made for" if layer is None else "needs"
        raise ValueError(f"this PixelCNN {asked} {name}")
    return layer is not None


class GatedPixelCnn(nn.Module):
    """p(codes | class, latent) over maps of K values, exactly.

    values: K; channels, layers: of both stacks; out: width of the last hidden layer
    first, kernel: sizes of the first layer's kernels and of the others'
    classes, latent: see `GatedLayer`. Slides GM-1, GM-5 and GM-8.
    """

    def __init__(self, values, channels=64, layers=15, out=512, first=7, kernel=3,
                 classes=0, latent=0,
                 above=above_mask, beside=beside_mask):  # fmt: skip
        super().__init__()
        self.values = values
        self.embed = nn.Embedding(values, channels)
        self.layers = nn.ModuleList(
            GatedLayer(channels, kernel if i else first, "B" if i else "A",
                       classes, latent, above, beside)
            for i in range(layers)
        )  # fmt: skip
        self.out = nn.Sequential(
            nn.Conv2d(channels, out, 1), nn.ReLU(), nn.Conv2d(out, values, 1)
        )

    def forward(self, codes: Tensor, class_id=None, latent=None) -> Tensor:
        """Logits (B, K, H, W) of each place's value, from the places before it.

        codes: (B, H, W) int64; class_id: (B,); latent: (B, L) or (B, L, H, W).
        """
        return self.read(self.embed(codes).movedim(-1, 1), class_id, latent)

    def read(self, features: Tensor, class_id=None, latent=None) -> Tensor:
        """The same from embedded codes (B, channels, H, W): to look at gradients."""
        vertical = horizontal = features
        for layer in self.layers:
            condition = layer.condition(class_id, latent)
            vertical, horizontal = layer(vertical, horizontal, condition)
        return self.out(horizontal)

    def log_prob(self, codes: Tensor, class_id=None, latent=None) -> Tensor:
        """log p(codes) in nats, (B,): the sum over places of the chain rule."""
        return log_probability(self(codes, class_id, latent), codes)

    @torch.no_grad()
    def sample(self, uniform: Tensor, class_id=None, latent=None, given=None) -> Tensor:
        """Codes (B, H, W) drawn place by place, each layer's past kept (`Drawing`).

        uniform: (B, H, W) random numbers in [0, 1), one for each place
        given: (B, H, W) int64, places already known; -1 where one is to be drawn
        """
        drawing = Drawing(self, uniform.shape, class_id, latent)
        codes = torch.empty_like(uniform, dtype=torch.long)
        for row in range(uniform.shape[1]):
            drawing.look_up(row)
            for column in range(uniform.shape[2]):
                code = draw(drawing.logits(column), uniform[:, row, column])
                if given is not None:
                    known = given[:, row, column]
                    code = torch.where(known < 0, code, known)
                codes[:, row, column] = code
                drawing.put(row, column, self.embed(code))
        return codes

    @torch.no_grad()
    def sample_slowly(self, uniform: Tensor, class_id=None, latent=None) -> Tensor:
        """The same codes as `sample`; the whole picture is computed for each place."""
        codes = torch.zeros_like(uniform, dtype=torch.long)
        for row in range(uniform.shape[1]):
            for column in range(uniform.shape[2]):
                logits = self(codes, class_id, latent)[:, :, row, column]
                codes[:, row, column] = draw(logits, uniform[:, row, column])
        return codes


def log_probability(logits: Tensor, codes: Tensor) -> Tensor:
    """log p(codes) in nats, (B,), from the logits of all places: the chain rule.

    logits: (B, K, H, W), each place's from the places before it; codes: (B, H, W).
    Slide GM-1; lesson 04.
    """
    return -F.cross_entropy(logits, codes, reduction="none").sum((1, 2))


def draw(logits: Tensor, uniform: Tensor) -> Tensor:
    """One value of each row: the first whose cumulative probability reaches uniform.

    logits: (B, K); uniform: (B,) in [0, 1). Returns (B,) int64.
    """
    reached = logits.softmax(1).cumsum(1)
    return (reached < uniform[:, None] * reached[:, -1:]).sum(1)


# ----------------------------------------------------------------------- the sampler


class Drawing:
    """Pictures under way: what each layer has computed, so that nothing is done twice.

    A layer's vertical stack needs rows above, so it moves on once a row (`look_up`);
    its horizontal stack needs what is left of a place, so it computes one place at a
    time (`logits`). Each layer's inputs are kept, with zeros around them (`edge`):
    rows[i]: of the vertical stack, (B, channels, edge + H, edge + W + edge)
    line[i]: of the horizontal stack, the present row, (B, channels, 1, edge + W)
    """

    def __init__(self, network: GatedPixelCnn, shape, class_id=None, latent=None):
        count, height, width = shape
        self.layers, self.out, self.width = network.layers, network.out, width
        self.edge = edge = max(layer.half for layer in self.layers)
        self.conditions = [
            layer.condition(class_id, latent).expand(-1, -1, height, width)
            for layer in self.layers
        ]
        empty, wide = network.embed.weight.new_zeros, network.embed.embedding_dim
        depth = range(len(self.layers) + 1)  # the last is what the last layer gives
        self.rows = [empty(count, wide, edge + height, width + 2 * edge) for _ in depth]
        self.line = [empty(count, wide, 1, edge + width) for _ in depth]

    def look_up(self, row: int) -> None:
        """Begin a row: every layer's vertical stack, from the rows above."""
        self.heard, here = [], slice(self.edge, self.edge + self.width)
        for i, layer in enumerate(self.layers):
            first, last = self.edge - layer.half, self.edge + self.width + layer.half
            window = self.rows[i][:, :, first + row : self.edge + row + 1, first:last]
            seen = layer.vertical.within(window)
            condition = self.conditions[i][:, :, row : row + 1]
            self.heard.append(layer.across(seen) + condition)
            made = gate(seen + condition)
            self.rows[i + 1][:, :, self.edge + row, here] = made[:, :, 0]

    def logits(self, column: int) -> Tensor:
        """Logits (B, K) of the place in that column of the present row."""
        here = self.edge + column
        for i, layer in enumerate(self.layers):
            left = self.line[i][..., here - layer.half : here + 1]
            beside = layer.horizontal.within(left)
            out = layer.out(gate(beside + self.heard[i][..., column : column + 1]))
            out = out + left[..., -1:] if layer.residual else out
            self.line[i + 1][..., here] = out[..., 0]
        return self.out(out)[:, :, 0, 0]

    def put(self, row: int, column: int, embedded: Tensor) -> None:
        """Write down the value of a place, embedded as (B, channels)."""
        self.rows[0][:, :, self.edge + row, self.edge + column] = embedded
        self.line[0][:, :, 0, self.edge + column] = embedded


# ------------------------------------------------------------------------ the system


class PixelCnn(System):
    """A gated PixelCNN for pictures' grey levels, or a prior over a coder's codes.

    coder: a frozen module with `codes` and `decode` (a trained VQ-VAE); None for
    `GreyLevels(values)` of pictures of `shape`. classes: 0 to ignore the batch's.
    cool: after so many steps the learning rate falls in a straight line, to 0 after as
    many again; 0 for never. The few digits are soon known by heart: train longer, and
    held-out ones cost more bits again.
    above, beside: the masks, may be a learner's own. Slides GM-1 and GM-8; lesson 04.
    """

    players = ("pixelcnn",)
    betas = (0.9, 0.999)

    def __init__(self, coder: nn.Module | None = None, shape=(1, 8, 8), values=17,
                 channels=32, layers=5, out=64, first=7, kernel=3, classes=10,
                 rate=1e-3, cool=0, above: Callable = above_mask,
                 beside: Callable = beside_mask):  # fmt: skip
        super().__init__()
        coder = GreyLevels(values, shape[1:]) if coder is None else coder
        if coder.values != values:
            raise ValueError(f"the coder has {coder.values} values, not {values}")
        self.coder, self.classes = coder, classes
        side = getattr(coder, "size", None)
        self.reads = (coder.channels, side, side) if side else tuple(shape)
        self.learning_rate, self.cool = rate, cool
        self.coder.requires_grad_(False).eval()
        self.pixelcnn = GatedPixelCnn(
            values, channels, layers, out, first, kernel, classes, 0, above, beside
        )

    def learning_rate_factor(self, step: int) -> float:
        """By `cool`."""
        return falling(step, self.cool, 2 * self.cool) if self.cool else 1.0

    def round(self, batch):
        """The network goes down -log p(codes), in nats a place."""
        log_prob = self.log_prob(batch.image, batch.class_id)
        yield "pixelcnn", -log_prob.mean() / self.places

    @property
    def places(self) -> int:
        """How many codes there are in a picture."""
        return math.prod(self.coder.grid)

    def log_prob(self, image: Tensor, class_id: Tensor | None = None) -> Tensor:
        """log p(codes of the pictures | class), (B,) nats."""
        with torch.no_grad():
            codes = self.coder.codes(image)
        return self.pixelcnn.log_prob(codes, class_id if self.classes else None)

    @torch.no_grad()
    def bits_per_dimension(self, image: Tensor, class_id=None) -> Tensor:
        """Bits a place, (B,): of grey levels the picture's, of codes the prior's."""
        return bits_per_dimension(self.log_prob(image, class_id), self.places)

    @torch.no_grad()
    def sample(self, class_id: Tensor | None = None, count: int = 1, given=None):
        """Pictures in [-1, 1] of these classes (B,); `count` where there are none.

        given: (B, h, w) codes already known, -1 where they are to be drawn.
        """
        kind = class_id if self.classes else None
        count = count if kind is None else len(kind)
        noise = self.uniform_noise(count, *self.coder.grid)
        return self.coder.decode(self.pixelcnn.eval().sample(noise, kind, given=given))


def _misfit(coder, settings: dict) -> str:
    """Why a coder can't serve a prior of these settings, or ""."""
    shape = (coder.channels, coder.size, coder.size)
    if (coder.values, shape) == (settings["values"], settings["shape"]):
        return ""
    return (
        f"has {coder.values} entries for pictures {shape}, this preset is for "
        f"{settings['values']} and {settings['shape']}"
    )


def coder_of(system: str) -> Part:
    """The trained VQ-VAE (of that system) whose codes a prior learns."""
    return Part(
        "coder",
        system,
        called="VQ-VAE",
        option="codes",
        line="learn the codes of the VQ-VAE of this checkpoint "
        "(made by t2i train vqvae, or vqvae2)",
        unused="learns no codes",
        misfit=_misfit,
        needed=lambda settings: settings["codes"],
    )


SYSTEMS = {
    "pixelcnn": SystemInfo(
        PixelCnn,
        "04",
        "gated PixelCNN: grey levels of digits, or a VQ-VAE's codes",
        {"digits": {}, "birds": BIRDS},
        parts=(coder_of("vqvae"),),
        draws="classes",
    )
}
BY_CODES = partial(PixelCnn.from_preset, "cpu", **BIRDS["cpu"])
SHIPPED = {
    "pixelcnn_digits": Network(
        partial(PixelCnn.from_preset, "cpu", classes=0), "digits", "pixelcnn"
    ),
    "pixelcnn_birds": Network(partial(BY_CODES, classes=0), "birds", "pixelcnn"),
    "pixelcnn_birds_species": Network(BY_CODES, "birds", "pixelcnn"),
}
