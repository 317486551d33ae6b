"""SISGAN: a picture and a sentence to the picture that the sentence says (lesson 14).

Dong, Yu, Wu, Guo: Semantic Image Synthesis via Adversarial Learning, ICCV 2017; slides
TM-20 and TM-21. The noise of GAN-CLS gives way to a picture: an encoder takes it apart,
residual blocks join it with the sentence, a decoder puts it together again. There is no
term that says "keep the rest": whatever is kept, the game keeps, because each picture
must be taken for real with sentences that speak of some of it only.
"""

from __future__ import annotations

from functools import partial
from operator import attrgetter

import torch
from torch import Tensor, nn

from ..blocks import check_size, initialize
from ..data import Batch
from ..declarations import Network, SystemInfo
from ..training import System
from .gan_cls import (  # the paper's game and judge are GAN-CLS's
    Bottleneck,
    discriminator_loss,
    generator_loss,
    judged_together,
    mismatched,
)
from .stackgan import (  # and it shakes sentences as StackGAN does
    ConditioningAugmentation,
    doubled,
    everywhere,
    kl_to_standard,
)
from .vse import READER  # and reads by visual-semantic embedding

__all__ = [
    "PRESETS", "Augmentation", "Discriminator", "Generator", "Residual", "Sisgan",
    "VggEncoder", "adaptive_loss", "between_sources", "relevant",
]  # fmt: skip

# "paper": the networks, rates, batch and schedule of a reimplementation that the
# paper's first author advised (github.com/woozzu/dong_iccv_2017), with its VGG encoder.
# What differs from it, at every preset:
# - right, wrong and made pairs are judged in one batch (`judged_together`); there each
#   kind has a batch of its own;
# - a wrong sentence is of another class; there it is the next of the batch, whosever;
# - word vectors learn, with the sentence encoder (`vse.py`); there they are fastText's;
# - VGG's last three convolutions are dilated; there the dilation lands on batch norms
#   by a slip of indices (its issue 9), and does nothing;
# - one drawing serves judge and painter; there the painter draws again;
# - linear layers keep PyTorch's start; there weights are N(0, 0.02), biases 0;
# - averaged weights draw (`average_decay`).
# "cpu" and "gpu" weigh the KL of conditioning augmentation with 0.05: in few steps a
# weight of 1 leaves a cloud in which no sentence can be told from another (lesson 09).
PRESETS = {
    "smoke": {"size": 32, "base": 8, "depth": 8, "blocks": 1, "condition": 8,
              "embedding": 256, "batch_size": 8, "steps": 4},
    "cpu": {"size": 32, "base": 16, "depth": 32, "judge": 512, "blocks": 2,
            "condition": 64, "embedding": 256, "kl": 0.05, "rates": (5e-4, 2e-3),
            "halve": 500, "batch_size": 32, "steps": 1000},
    "gpu": {"size": 64, "base": 64, "depth": 64, "blocks": 4, "condition": 128,
            "embedding": 256, "kl": 0.05, "halve": 5000, "batch_size": 64,
            "steps": 30_000},
    "paper": {"size": 64, "base": 128, "depth": 64, "blocks": 4, "condition": 128,
              "embedding": 300, "vgg": True, "batch_size": 64, "steps": 600 * 138},
}  # fmt: skip
PAIRS = ("all", "without wrong", "without relevant")


# ------------------------------------------------------------------------- the networks


class Augmentation(ConditioningAugmentation):
    """Conditioning augmentation with a LeakyReLU before mu and log sigma, as released.

    bias: whether the layer before it has one; SISGAN's has none.
    """

    def __init__(self, embedding=300, condition=128, bias=False):
        super().__init__(embedding, condition)
        self.project = nn.Sequential(
            nn.Linear(embedding, 2 * condition, bias=bias), nn.LeakyReLU(0.2)
        )


class Residual(nn.Module):
    """Two 3x3 convolutions with batch norm, added to their input.

    last: whether a ReLU follows the sum, as in SISGAN; TAGAN has none there.
    """

    def __init__(self, channels: int, last: bool = True):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.last = nn.ReLU() if last else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) to the same shape."""
        return self.last(x + self.body(x))


def encoder(base: int, downs: int) -> nn.Sequential:
    """Pictures to maps: a 3x3 convolution, then one of stride 2 for each halving.

    base: channels of the first layer; each halving doubles them.
    """
    layers, channels = [nn.Conv2d(3, base, 3, 1, 1), nn.ReLU()], base
    for _ in range(downs):
        layers += [
            nn.Conv2d(channels, 2 * channels, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(),
        ]
        channels *= 2
    return nn.Sequential(*layers)


class VggEncoder(nn.Module):
    """VGG-16 with batch norm, up to its tenth convolution; it rests.

    Pictures (B, 3, 64, 64) in [-1, 1] to (B, 512, 16, 16): the third pooling is left
    out, and the three convolutions after it look twice as far instead. 7,640,640
    weights, none of which learns. They are ImageNet's in the paper, in torchvision's
    layout: `layers.load_state_dict(vgg16_bn's features, strict=False)`.
    """

    def __init__(self):
        super().__init__()
        from torchvision.models import vgg16_bn  # slow to import

        features = vgg16_bn(weights=None, init_weights=False).features
        self.layers = features[:33]  # its tenth convolution is followed by norm, ReLU
        pools = [i for i, m in enumerate(self.layers) if isinstance(m, nn.MaxPool2d)]
        self.layers[pools[2]] = nn.Identity()
        for layer in self.layers[pools[2] :]:
            if isinstance(layer, nn.Conv2d):
                layer.dilation, layer.padding = (2, 2), (2, 2)
        self.requires_grad_(False)
        of_imagenet = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
        for name, numbers in zip(("mean", "deviation"), of_imagenet):
            values = torch.tensor(numbers)[:, None, None]
            self.register_buffer(name, values, persistent=False)

    def train(self, mode: bool = True) -> VggEncoder:
        """It stays in evaluation mode, or its batch norms would drift."""
        return super().train(False)

    def forward(self, pictures: Tensor) -> Tensor:
        """What it sees, (B, 512, H / 4, W / 4)."""
        return self.layers(((pictures + 1) / 2 - self.mean) / self.deviation)


class Generator(nn.Module):
    """Pictures (B, 3, size, size) and text (B, embedding) to pictures, the same shape.

    base: channels of the first layer; downs: halvings, each of which doubles them;
    blocks: residual ones. vgg: whether VGG-16 looks at the picture in place of an
    encoder that learns. 31,028,931 weights at paper size, 26,014,851 without VGG.
    Figure 2 of the paper; slide TM-20.
    """

    Augmentation = Augmentation  # a subclass may bring its own
    # Whether the encoder's map is added at the end; see `Residual`; whether a ReLU
    # follows the layer that joins map and text.
    skip, last, joined = False, True, False

    def __init__(self, size=64, base=128, blocks=4, embedding=300, condition=128,
                 downs=2, vgg=False):  # fmt: skip
        super().__init__()
        check_size(size, least=16)
        self.size, self.noise_size = size, condition
        wide = base * 2**downs
        if vgg and (wide, downs) != (512, 2):
            raise ValueError("VGG's map has 512 channels: base is 128, downs 2.")
        self.encoder = VggEncoder() if vgg else encoder(base, downs)
        self.augmentation = self.Augmentation(embedding, condition)
        self.join = nn.Sequential(
            nn.Conv2d(wide + condition, wide, 3, 1, 1, bias=False),
            nn.BatchNorm2d(wide),
            *([nn.ReLU()] if self.joined else []),
        )
        self.blocks = nn.Sequential(*(Residual(wide, self.last) for _ in range(blocks)))
        ups = [doubled(wide >> i, wide >> (i + 1)) for i in range(downs)]
        self.decoder = nn.Sequential(
            *(layer for up in ups for layer in up),
            nn.Conv2d(base, 3, 3, 1, 1),
            nn.Tanh(),
        )

    def decode(self, seen: Tensor, c: Tensor) -> Tensor:
        """Pictures of what was seen (B, wide, H, W), told c (B, condition)."""
        changed = self.blocks(self.join(everywhere(seen, c)))
        return self.decoder(seen + changed if self.skip else changed)

    def draw(self, pictures: Tensor, text: Tensor, noise: Tensor):
        """Changed pictures in [-1, 1], and the mu and log sigma of what was told."""
        c, mean, log_sigma = self.augmentation(text, noise)
        return self.decode(self.encoder(pictures), c), mean, log_sigma

    def forward(self, pictures: Tensor, text: Tensor, noise: Tensor) -> Tensor:
        """Changed pictures alone."""
        return self.draw(pictures, text, noise)[0]


class Discriminator(nn.Module):
    """Pictures (B, 3, size, size) and text (B, embedding) to logits (B,).

    GAN-CLS's judge, but for the text's batch norm and two biases. depth: channels of
    the first layer; projected: numbers of the text; judge: channels of the layer that
    compares (None: those of the map). 3,937,217 weights at paper size.
    """

    def __init__(self, size=64, depth=64, embedding=300, projected=128, judge=None):
        super().__init__()
        check_size(size, least=16)
        leaky = nn.LeakyReLU(0.2)
        layers: list[nn.Module] = [nn.Conv2d(3, depth, 4, 2, 1), leaky]
        channels, side = depth, size // 2
        while side > 4:
            layers += [
                nn.Conv2d(channels, 2 * channels, 4, 2, 1, bias=False),
                nn.BatchNorm2d(2 * channels),
                leaky,
            ]
            channels, side = 2 * channels, side // 2
        self.look = nn.Sequential(*layers[:-1], Bottleneck(channels, leaky))
        self.project = nn.Sequential(nn.Linear(embedding, projected), leaky)
        judge = judge or channels
        self.judge = nn.Sequential(
            nn.Conv2d(channels + projected, judge, 1, bias=False),
            nn.BatchNorm2d(judge),
            leaky,
            nn.Conv2d(judge, 1, 4),
        )

    def features(self, pictures: Tensor) -> Tensor:
        """What is seen in the pictures alone: (B, channels, 4, 4)."""
        return self.look(pictures)

    def match(self, seen: Tensor, text: Tensor) -> Tensor:
        """Logits (B,) that what was seen is real and fits the text."""
        return self.judge(everywhere(seen, self.project(text))).flatten()

    def forward(self, pictures: Tensor, text: Tensor) -> Tensor:
        """Logits (B,)."""
        return self.match(self.features(pictures), text)


# --------------------------------------------------------------------------- the losses


def relevant(text: Tensor) -> Tensor:
    """Semantically relevant sentences (B, D): what each picture is to be changed by.

    text: (B, D), the pictures' own sentences. The first half of the batch gets its
    neighbour's, the second keeps its own: a picture that fits already must come out a
    real one that fits. (The paper says no more than "relevant"; this is what is
    released.) Slide TM-20; lesson 14.
    """
    half = len(text) // 2
    return torch.cat([text[:half].roll(-1, 0), text[half:]])


def adaptive_loss(real: Tensor, wrong: Tensor | None, made: Tensor) -> Tensor:
    """Eq. (3), L_D as a loss to go down, from logits (B,) each; a scalar.

    real: real picture, matching text (s_r+); wrong: real picture, mismatching text
    (s_w-), or None for a game without; made: changed picture, relevant text (s_s-). The
    equation sums three terms; as released, the two negative ones weigh half each, so
    that both kinds of answer weigh the same. Slide TM-20; lesson 14.
    """
    return discriminator_loss(real, made, wrong)


def between_sources(
    generator: Generator, one: Tensor, other: Tensor, text: Tensor, noise: Tensor,
    share: float,
) -> Tensor:  # fmt: skip
    """A picture between two, changed by one sentence: (B, 3, size, size).

    What the encoder sees is mixed, not the pixels: (1 - share) of one (B, 3, size,
    size), share of the other, told the same c. Slide TM-21, figure 6; lesson 14.
    """
    c, *_ = generator.augmentation(text, noise)
    seen = torch.lerp(generator.encoder(one), generator.encoder(other), share)
    return generator.decode(seen, c)


# --------------------------------------------------------------------------- the system


class Sisgan(System):
    """The game of eq. (3): change pictures by sentences, and be taken for real.

    pairs: one of PAIRS: "all"; "without wrong" doesn't show the judge real pictures
    with wrong sentences; "without relevant" gives every picture another's sentence,
    none its own. rates: (discriminator's, generator's). kl: the weight of conditioning
    augmentation's KL. halve: rates are halved every so many steps; 100 epochs of CUB's
    138 as released. relevant, loss: the functions above, which may be replaced by
    one's own; others as the networks'.
    """

    players = ("discriminator", "generator")
    averaged = ("generator",)  # ours: the release draws with the last weights
    average_decay = 0.998

    def __init__(self, text_encoder: nn.Module | None = None, size=64, base=128,
                 depth=64, blocks=4, embedding=300, condition=128, vgg=False,
                 judge=None, pairs="all", kl=1.0, halve=13_800, rates=(2e-4, 2e-4),
                 relevant=relevant, loss=adaptive_loss):  # fmt: skip
        super().__init__()
        if pairs not in PAIRS:
            raise ValueError(f"pairs is one of {', '.join(PAIRS)}, not {pairs!r}.")
        self.pairs, self.kl, self.reads = pairs, kl, (3, size, size)
        self.relevant, self.loss, self.halve = relevant, loss, halve
        self.rates = dict(zip(self.players, rates))
        self.text_encoder = text_encoder  # frozen: not a player
        self.generator = Generator(size, base, blocks, embedding, condition, vgg=vgg)
        self.discriminator = Discriminator(size, depth, embedding, judge=judge)
        for network in (self.generator, self.discriminator):
            initialize(network).to(memory_format=torch.channels_last)

    def learning_rate_factor(self, step: int) -> float:
        """Halved every `halve` steps."""
        return 0.5 ** (step // self.halve)

    def embed(self, batch: Batch) -> Tensor:
        """phi(t) of the batch's captions (B, embedding); the encoder rests."""
        with torch.no_grad():
            return self.text_encoder.of(batch)

    def asked(self, text: Tensor, class_id: Tensor) -> Tensor:
        """What each picture is to be changed by, (B, embedding)."""
        if self.pairs == "without relevant":
            return text[mismatched(class_id, self.rng)]
        return self.relevant(text)

    def round(self, batch: Batch):
        """The judge's turn, then the painter's; one change serves both."""
        text = self.embed(batch)
        asked = self.asked(text, batch.class_id)
        noise = self.noise(len(text), self.generator.noise_size)
        made, mean, log_sigma = self.generator.draw(batch.image, asked, noise)

        d = self.discriminator
        seen = d.features(batch.image)  # one look serves both sentences
        real = [(seen, text)]
        if self.pairs != "without wrong":
            real.append((seen, text[mismatched(batch.class_id, self.rng)]))
        right, *wrong, fake = judged_together(
            d, *real, (d.features(made.detach()), asked)
        )
        yield "discriminator", self.loss(right, wrong[0] if wrong else None, fake)
        real = [(seen.detach(), text) for seen, text in real]
        *_, fake = judged_together(d, *real, (d.features(made), asked))
        loss = generator_loss(fake) + self.kl * kl_to_standard(mean, log_sigma)
        yield "generator", loss

    @torch.no_grad()
    def sample(self, pictures: Tensor, text: Tensor, noise=None) -> Tensor:
        """Pictures (B, 3, size, size), changed by embeddings (B, D); in [-1, 1].

        noise: (B, noise_size), that of conditioning augmentation; None draws it.
        """
        if noise is None:
            noise = self.noise(len(text), self.generator.noise_size)
        return self.network("generator").eval()(pictures, text, noise)


SYSTEMS = {
    "sisgan": SystemInfo(
        Sisgan, "14", "SISGAN: pictures changed by sentences",
        {"birds": {}, "flowers": {}}, parts=(READER,), draws="pictures",
    ),
}  # fmt: skip
# What `t2i reproduce` trained at the cpu preset, in full: a changed one leaves it.
SHIPPED = {
    f"sisgan_{data}": Network(
        partial(Sisgan, size=32, base=16, depth=32, judge=512, blocks=2, condition=64,
                embedding=256),
        data, "sisgan", default=True, part=attrgetter("generator"),
    )
    for data in ("birds", "flowers")
}  # fmt: skip
