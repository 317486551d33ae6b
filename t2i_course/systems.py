"""Every system of the course by name: its class, its lesson, what it trains on.

`build` makes a system at a preset with all that it needs, `source_for` what it trains
on, `parameter_counts` says how large its networks are. Used by `t2i`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

__all__ = ["SYSTEMS", "SystemInfo", "build", "info", "parameter_counts", "source_for"]


@dataclass(frozen=True)
class SystemInfo:
    """Where a system is: `module`:`name`, its lesson, what it is in a line.

    data: what it can be trained on; the first is the default.
    """

    module: str
    name: str
    lesson: str
    line: str
    data: tuple[str, ...]

    def load(self) -> type:
        """The class itself (imports torch)."""
        return getattr(import_module(f"t2i_course.{self.module}"), self.name)

    @property
    def presets(self) -> dict[str, dict]:
        """The class's own, or those of its paper's file."""
        kind = self.load()
        return kind.presets or import_module(kind.__module__).PRESETS


SYSTEMS: dict[str, SystemInfo] = {
    "gan": SystemInfo(
        "papers.gan",
        "Gan",
        "01",
        "vanilla GAN: digits, or points in the plane",
        ("digits", "points"),
    ),
    "dcgan": SystemInfo(
        "papers.dcgan",
        "Dcgan",
        "02",
        "DCGAN: pictures from noise by convolutions",
        ("birds", "emoji"),
    ),
    "lapgan": SystemInfo(
        "papers.lapgan",
        "Lapgan",
        "02",
        "LAPGAN: a small picture first, then its details",
        ("birds", "emoji"),
    ),
    "vae": SystemInfo(
        "papers.vae",
        "Vae",
        "03",
        "variational autoencoder: digits in black and white, or birds",
        ("digits", "birds"),
    ),
    "aae": SystemInfo(
        "papers.aae",
        "Aae",
        "03",
        "adversarial autoencoder: a GAN of codes",
        ("digits",),
    ),
    "pixelcnn": SystemInfo(
        "papers.pixelcnn",
        "PixelCnn",
        "04",
        "gated PixelCNN: grey levels of digits, or a VQ-VAE's codes",
        ("digits", "birds"),
    ),
    "vqvae": SystemInfo(
        "papers.vqvae",
        "VqVae",
        "04",
        "VQ-VAE: pictures as maps of codebook entries",
        ("birds", "digits"),
    ),
    "vqvae2": SystemInfo(
        "papers.vqvae2",
        "VqVae2",
        "04",
        "VQ-VAE-2: codes at two scales",
        ("birds",),
    ),
    "two_level_prior": SystemInfo(
        "papers.vqvae2",
        "TwoLevelPrior",
        "04",
        "a PixelCNN over each level of a VQ-VAE-2's codes",
        ("birds",),
    ),
    "joint_embedding": SystemInfo(
        "papers.joint_embedding",
        "JointEmbedding",
        "08",
        "sentences and pictures in one space",
        ("birds",),
    ),
    "gan_cls": SystemInfo(
        "papers.gan_cls",
        "GanCls",
        "08",
        "GAN-INT-CLS: pictures from sentences",
        ("birds", "emoji"),
    ),
    "projection": SystemInfo(
        "papers.projection",
        "ProjectionGan",
        "08",
        "projection discriminator with hinge loss",
        ("birds", "emoji"),
    ),
}
# Whose codes a prior learns: a system of this paper's file, by its `from_checkpoint`.
CODERS = {"pixelcnn": "vqvae", "two_level_prior": "vqvae2"}
NOT_YET = {
    "cub": "CUB's real birds come with a later lesson",
    "flowers": "Oxford's flowers come with a later lesson",
    "coco": "COCO comes with a later lesson",
}


def info(name: str) -> SystemInfo:
    """The entry of a system; ValueError names those there are."""
    if name not in SYSTEMS:
        raise ValueError(f"No system {name!r}; there are {', '.join(SYSTEMS)}.")
    return SYSTEMS[name]


def data_of(name: str, data: str | None = None) -> str:
    """What the system will train on: `data`, or its default; ValueError if it can't."""
    can = info(name).data
    if data is None or data in can:
        return data or can[0]
    if data in NOT_YET or Path(data).is_dir():
        why = NOT_YET.get(
            data, "folders in the papers' layout come with a later lesson"
        )
        raise ValueError(f"{why}; for now {name} trains on {' or '.join(can)}.")
    raise ValueError(f"{name} trains on {' or '.join(can)}, not on {data!r}.")


# --------------------------------------------------------------------------- building


def build(
    name: str,
    preset: str,
    data: str | None = None,
    trained: bool = True,
    text: str | Path | None = None,
    codes: str | Path | None = None,
):
    """The system of that name at a preset ("smoke", "cpu", "gpu", "paper").

    trained: with the shipped text encoder where the system reads with one; False makes
    one with random weights, of the preset's size (for counting and for tests), and so
    for the VQ-VAE whose codes a prior learns.
    text: the checkpoint of a text encoder of one's own, in place of the shipped one
    codes: the checkpoint of that VQ-VAE; none is shipped
    Raises ValueError for an unknown name, preset or data, and where the text encoder
    or the VQ-VAE is missing or has not the preset's size; WeightsError or
    CheckpointError for bad weights.
    """
    kind, data = info(name).load(), data_of(name, data)
    if name == "gan" and data == "points":
        from .papers.gan import points_gan

        return points_gan(preset)
    settings, extra = _settings(name, preset, data), _of_data(kind, preset, data)
    if settings.get("codes"):
        extra["coder"] = _coder(name, settings, preset, data, trained, codes)
    elif codes is not None:
        raise ValueError(f"{name} on {data} learns no codes here: leave --codes away")
    if name == "joint_embedding":
        from .worlds.birds import vocabulary

        extra["words"] = len(vocabulary())
    if name in ("gan_cls", "projection"):
        numbers = settings["embedding"]
        if trained or text is not None:
            extra["text_encoder"] = _encoder(numbers, data, text)
        else:
            extra["text_encoder"] = _untrained_encoder(numbers)
    return kind.from_preset(preset, **extra)


def _of_data(kind: type, preset: str, data: str) -> dict:
    """What the preset changes for that data: BIRDS, DIGITS, ... in the paper's file."""
    home = import_module(kind.__module__)
    return dict(getattr(home, data.upper(), {}).get(preset, {}))


def _settings(name: str, preset: str, data: str) -> dict:
    """The settings of a system's preset; ValueError names those there are."""
    presets = info(name).presets
    if preset not in presets:
        raise ValueError(f"No preset {preset!r}; there are {', '.join(presets)}.")
    return presets[preset] | _of_data(info(name).load(), preset, data)


def _side(settings: dict) -> int:
    """How many pixels wide a preset's pictures are."""
    return settings["shape"][-1] if "shape" in settings else settings["size"]


def _coder(name: str, settings: dict, preset, data: str, trained: bool, checkpoint):
    """The frozen VQ-VAE whose codes a prior learns; ValueError unless it fits."""
    vqvae = CODERS[name]
    if checkpoint is None:
        if not trained:
            return build(vqvae, preset, data)
        more = "" if data == info(vqvae).data[0] else f" --data {data}"
        folder = f"{vqvae}-{preset}" + more.replace(" --data ", "-")
        raise ValueError(
            f"a prior over codes needs a trained VQ-VAE; train one with t2i train "
            f"{vqvae} --preset {preset}{more}, then add --codes "
            f"runs/{folder}/checkpoint.pt"
        )
    home = import_module(f"t2i_course.{info(vqvae).module}")
    coder = home.from_checkpoint(checkpoint)
    made = coder.values, (coder.channels, coder.size, coder.size)
    if made != (settings["values"], settings["shape"]):
        raise ValueError(
            f"the VQ-VAE of {checkpoint} has {made[0]} entries for pictures {made[1]}, "
            f"this preset is for {settings['values']} and {settings['shape']}"
        )
    return coder


def _encoder(numbers: int, data: str, checkpoint: str | Path | None):
    """A frozen text encoder; ValueError unless it makes `numbers` numbers."""
    from .papers import joint_embedding as paper

    if checkpoint is not None:
        encoder = paper.text_encoder_from(checkpoint)
    else:
        encoder = paper.text_encoder(f"text_{data}")
    if encoder.embedding != numbers:
        preset = next(p for p, v in paper.PRESETS.items() if v["embedding"] == numbers)
        raise ValueError(
            f"the text encoder makes {encoder.embedding} numbers of a sentence, this "
            f"preset reads {numbers}; train one with t2i train joint_embedding "
            f"--preset {preset}, then add --text runs/joint_embedding-{preset}/"
            "checkpoint.pt"
        )
    return encoder


def _untrained_encoder(numbers: int):
    """One with random weights, for counting and for tests."""
    from .papers import joint_embedding as paper
    from .worlds.birds import vocabulary

    sizes = paper.PRESETS["cpu" if numbers == 256 else "paper"]
    network = paper.TextEncoder(
        len(vocabulary()), sizes["word"], sizes["hidden"], numbers
    )
    return network.eval().requires_grad_(False)


# --------------------------------------------------------------------------- training


def source_for(name: str, preset: str, data: str | None = None, seed: int = 0):
    """What the system of that name trains on at a preset; a `data.Source`.

    Draws (or reads) the bird world where it is needed. ValueError as `build`.
    """
    data = data_of(name, data)
    if data == "points":
        from .papers.gan import POINTS
        from .worlds.points import points

        return points("ring", POINTS[preset]["batch_size"], seed)
    settings = _settings(name, preset, data)
    side = _side(settings)
    if data == "digits":
        from .worlds.digits import Digits

        return Digits(settings["batch_size"], seed, side=side)
    if data == "emoji":
        from .datasets.emoji import Emoji, vocabulary

        return Emoji("train", side, settings["batch_size"], seed, vocabulary())
    from .worlds.birds import Birds

    individuals = 2 if preset == "smoke" else 60
    birds = Birds("train", side, settings["batch_size"], individuals, seed)
    if name == "joint_embedding":
        from .papers.joint_embedding import FalseTwins

        return FalseTwins(birds, settings["classes"])
    return birds


# --------------------------------------------------------------------------- counting


def parameter_counts(name: str, preset: str) -> dict[str, int]:
    """How many weights each network of a system has at a preset; frozen ones too.

    Built on the meta device: nothing is allocated, whatever the size.
    """
    import torch

    with torch.device("meta"):
        system = build(name, preset, trained=False)
    found = {}
    for part, network in system.named_children():
        several = isinstance(network, torch.nn.ModuleDict)
        for key, inner in network.items() if several else [("", network)]:
            label = f"{part}.{key}" if key else part
            found[label] = sum(weight.numel() for weight in inner.parameters())
    return found
