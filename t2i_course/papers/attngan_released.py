"""The authors' own AttnGAN weights, put into our networks (lesson 11).

github.com/taoxugit/AttnGAN has three kinds of files: a generator (bird_AttnGAN2.pth or
bird_AttnDCGAN2.pth; netG_epoch_600.pth in training), a text encoder and an image
encoder (text_encoder200.pth, image_encoder200.pth). `convert` reads any of them and
writes one safetensors file; `load` makes our networks of it. Every tensor's name and
shape must be the release's.

Our networks then compute what the release's do, of the same noise, words and mask. What
was to be turned, not only renamed, is the augmentation: its second half is log sigma^2
there and log sigma here. What stays different:

- eq. (10) of the paper and `word_scores` have a 1 / gamma_2 that the release leaves
  out, so that its scores of words are gamma_2, or 5, times as large;
- gamma_1 is 4 in the release's settings, and 5 in the paper: `RELEASED_GAMMAS`;
- a batch's captions end there with its longest, and rows of `packed` don't: with the
  mask "released", under which places look at padding, draw by `Released.draw`;
- it draws of at most 25 words (COCO 20; 18 and 12 in training), by lot of a longer
  caption; ours of the first 32;
- the words' numbers are those of captions.pickle, which isn't read here. 0 is padding,
  too, and no number stands for unknown words: they are left out of a caption;
- before version 0.4 PyTorch aligned corners when it enlarged pictures for Inception.

The generator's weights are averages, the running means of its norms are not.
"""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor, nn

from ..declarations import Release
from ..training.checkpoint import DAMAGE, write_whole
from ..weights import WeightsError
from .attngan import MASKS, AttentionalTree
from .damsm import Encoders, RegionEncoder, WordEncoder  # the paper's other half

__all__ = ["KINDS", "RELEASED_GAMMAS", "ReleaseError", "Released", "convert", "load"]

RELEASED_GAMMAS = (4.0, 5.0, 10.0)
FORMAT = "t2i-attngan-released-1"
# What a file is known by: how the names of its tensors begin.
KINDS = {
    "generator": ("ca_net.", "h_net", "img_net"),
    "text": ("encoder.", "rnn."),
    "image": ("emb_features.", "emb_cnn_code.", "Conv2d_", "Mixed_"),
}
CALLED = {
    "generator": "generator (*_AttnGAN2.pth, netG_epoch_*.pth)",
    "text": "text encoder (text_encoder*.pth)",
    "image": "image encoder (image_encoder*.pth)",
}
JUDGES = ("img_code_s", "COND_DNET.", "UNCOND_DNET.")
COUNT = "num_batches_tracked"  # of a norm; files from before PyTorch 0.4.1 have none


class ReleaseError(WeightsError):
    """A file is damaged, is none of the release's, or its tensors don't fit."""


# ------------------------------------------------------------------- what a file holds


def read_state(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a state dict by name, on the CPU; DataParallel's "module." goes.

    Nothing that the file may hold is run. ReleaseError if it is damaged or no state
    dict.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "isn't there"
        raise ReleaseError(f"Can't read {path}: it {what}. Name a .pth file.")
    try:
        if zipfile.is_zipfile(path):  # as PyTorch writes since 1.6; checksums in it
            with zipfile.ZipFile(path) as archive:
                if archive.testzip() is not None:
                    raise ReleaseError(f"{path} is damaged. Download it again.")
        with warnings.catch_warnings(action="ignore"):  # of foreign files' protocols
            content = torch.load(path, map_location="cpu", weights_only=True)
    except ReleaseError:
        raise
    except OSError as error:
        raise ReleaseError(f"Can't read {path} ({error.strerror}).") from error
    except DAMAGE as error:
        raise ReleaseError(
            f"{path} is cut off, damaged, or not a file of tensors alone. Download it "
            "again; nothing that it may hold was run."
        ) from error
    if not isinstance(content, Mapping) or not content:
        raise ReleaseError(f"{path} holds no tensors by name.")
    for name, value in content.items():
        if not isinstance(value, Tensor):
            kind = type(value).__name__
            raise ReleaseError(
                f"{path} is no state dict: its {name} is of kind {kind}."
            )
    if all(name.startswith("module.") for name in content):
        content = {name.removeprefix("module."): v for name, v in content.items()}
    return dict(content)


def kind_of(state: Mapping, path) -> str:
    """Which of KINDS a state dict is, by its names; ReleaseError if it is none."""
    found = [kind for kind, starts in KINDS.items()
             if any(name.startswith(starts) for name in state)]  # fmt: skip
    if len(found) == 1:
        return found[0]
    some = ", ".join(sorted(state)[:3])
    if any(name.startswith(JUDGES) for name in state):
        raise ReleaseError(f"{path} is a judge (netD*.pth); only what draws, reads and "
                           "sees is converted.")  # fmt: skip
    if found:
        both = " and of a ".join(found)
        raise ReleaseError(f"{path} holds parts of a {both}, as no released file does.")
    raise ReleaseError(f"{path} is none of AttnGAN's networks: it holds {some}.")


# ------------------------------------------------------------ sizes, read from a file


def _shape(state: Mapping, name: str, dimensions: int, path) -> torch.Size:
    """The shape of a tensor that tells sizes; ReleaseError unless it's there."""
    if name not in state:
        raise ReleaseError(f"{path} has no {name}: is it whole?")
    shape = state[name].shape
    if len(shape) != dimensions or 0 in shape:
        raise ReleaseError(f"{path}: {name} can't be of the shape {tuple(shape)}.")
    return shape


def _generator_sizes(state: Mapping, path) -> dict:
    """As `AttentionalTree` takes them, but the mask."""
    wide, embedding = _shape(state, "ca_net.fc.weight", 2, path)
    rows, told = _shape(state, "h_net1.fc.0.weight", 2, path)
    condition, base = wide // 4, rows // 512  # 16 * 4 * 4 numbers, twice for the gates
    if told <= condition or not condition or not base:
        raise ReleaseError(
            f"{path}: ca_net.fc.weight {(wide, embedding)} and h_net1.fc.0.weight "
            f"{(rows, told)} don't belong together."
        )
    parts = [name.split(".") for name in state]
    stages = {p[0] for p in parts if p[0].startswith("h_net")} - {"h_net1"}
    blocks = {p[2] for p in parts if p[0] in stages and p[1] == "residual"}
    return {
        "size": 64 << len(stages), "stages": len(stages), "base": base,
        "blocks": len(blocks), "z_size": told - condition, "embedding": embedding,
        "condition": condition,
        "layout": "top" if any(p[0] == "img_net" for p in parts) else "tree",
    }  # fmt: skip


def _text_sizes(state: Mapping, path) -> dict:
    """As `WordEncoder` takes them."""
    words, word = _shape(state, "encoder.weight", 2, path)
    gates, hidden = _shape(state, "rnn.weight_hh_l0", 2, path)
    if gates == 3 * hidden:
        raise ReleaseError(f"{path} reads by a GRU; our encoder has an LSTM.")
    return {"words": words, "word": word, "embedding": 2 * hidden}


def _image_sizes(state: Mapping, path) -> dict:
    """As `RegionEncoder` takes them."""
    return {"embedding": _shape(state, "emb_features.weight", 4, path)[0]}


READ_SIZES = {
    "generator": _generator_sizes,
    "text": _text_sizes,
    "image": _image_sizes,
}


def built(kind: str, sizes: Mapping, mask: str = MASKS[0]) -> nn.Module:
    """The network of these sizes, on the meta device: nothing is allocated."""
    with torch.device("meta"):
        if kind == "generator":
            return AttentionalTree(**sizes, mask=mask)
        return WordEncoder(**sizes) if kind == "text" else RegionEncoder(**sizes)


# ------------------------------------------------------------- their names, and ours


def _generator_layers(stages: int, blocks: int, layout: str) -> dict[str, str]:
    """The release's name of each of our layers that has weights."""
    layers = {
        "augmentation.project.0": "ca_net.fc",
        "first.0": "h_net1.fc.0",
        "first.1": "h_net1.fc.1",
    }
    for step in range(4):  # enlarging, a convolution, its norm, gates
        layers[f"first.{4 * step + 5}"] = f"h_net1.upsample{step + 1}.1"
        layers[f"first.{4 * step + 6}"] = f"h_net1.upsample{step + 1}.2"
    for stage in range(stages):
        ours, theirs = f"others.{stage}", f"h_net{stage + 2}"
        layers[f"{ours}.attend.project"] = f"{theirs}.att.conv_context"
        for block in range(blocks):
            for layer in (0, 1, 3, 4):  # at 2 there are gates
                name = f"{theirs}.residual.{block}.block.{layer}"
                layers[f"{ours}.body.{block}.body.{layer}"] = name
        layers[f"{ours}.body.{blocks + 1}"] = f"{theirs}.upsample.1"
        layers[f"{ours}.body.{blocks + 2}"] = f"{theirs}.upsample.2"
    if layout == "top":
        return layers | {"to_pictures.0.0": "img_net.img.0"}
    return layers | {
        f"to_pictures.{i}.0": f"img_net{i + 1}.img.0" for i in range(stages + 1)
    }


ENCODERS = {  # layers of both encoders; Inception's have torchvision's names
    "word_vectors": "encoder",
    "lstm": "rnn",
    "to_regions": "emb_features",
    "to_picture": "emb_cnn_code",
}


def released_names(kind: str, sizes: Mapping, network: nn.Module) -> dict[str, str]:
    """{the release's name of a tensor: ours}, of every tensor of the network."""
    layers = ENCODERS
    if kind == "generator":
        layers = _generator_layers(sizes["stages"], sizes["blocks"], sizes["layout"])
    found = {}
    for name in network.state_dict():
        layer, _, leaf = name.rpartition(".")
        if kind == "image" and layer not in layers:
            theirs = layer.removeprefix("low.").removeprefix("high.")
        else:
            theirs = layers[layer]
        found[f"{theirs}.{leaf}"] = name
    return found


def _released_shape(name: str, ours: torch.Size) -> tuple:
    """Their words are projected by a convolution in two dimensions, ours in one."""
    return (*ours, 1) if name.endswith("conv_context.weight") else tuple(ours)


def check_fits(state: Mapping, wanted: Mapping[str, tuple], path) -> None:
    """ReleaseError, saying what is missing, left over or of another shape, if any is.

    wanted: {name: shape}. Of each fault the first three are named. Counts of batches
    may be missing.
    """
    missing = [f"{name} {shape}" for name, shape in wanted.items()
               if name not in state and not name.endswith(COUNT)]  # fmt: skip
    over = [f"{name} {tuple(t.shape)}" for name, t in state.items()
            if name not in wanted]  # fmt: skip
    other = [f"{name} is {tuple(state[name].shape)}, not {shape}"
             for name, shape in wanted.items()
             if name in state and tuple(state[name].shape) != shape]  # fmt: skip
    said = []
    for faults, what in (
        (missing, "missing"), (over, "left over"), (other, "of another shape")
    ):  # fmt: skip
        if faults:
            more = ", ..." if len(faults) > 3 else ""
            said.append(f"{len(faults)} {what}: {', '.join(faults[:3])}{more}")
    if said:
        raise ReleaseError(f"The tensors of {path} don't fit. {'; '.join(said)}.")


def converted(state: Mapping[str, Tensor], kind: str, path="the file"):
    """A released state dict as (our state dict, sizes); ReleaseError unless it fits."""
    sizes = READ_SIZES[kind](state, path)
    network = built(kind, sizes)
    names, own = released_names(kind, sizes, network), network.state_dict()
    wanted = {n: _released_shape(n, own[ours].shape) for n, ours in names.items()}
    check_fits(state, wanted, path)
    made = {}
    for name, ours in names.items():
        if name.endswith(COUNT):
            made[ours] = state.get(name, torch.zeros(())).long().clone()
            continue
        value = state[name].detach().reshape(own[ours].shape).float()
        if not value.isfinite().all():
            raise ReleaseError(f"{path} has numbers in {name} that aren't finite.")
        made[ours] = value.contiguous().clone()
    if kind == "generator":
        half = slice(sizes["condition"], 2 * sizes["condition"])
        for leaf in ("weight", "bias"):  # log sigma^2 becomes log sigma; gates stay
            made[f"augmentation.project.0.{leaf}"][half] /= 2
    return made, sizes


# ------------------------------------------------------------------ a file of our own


def convert(files, out: str | Path, mask: str = MASKS[1]) -> list[str]:
    """Writes the released files' networks to the safetensors file `out`.

    mask: "released", by which the weights were trained, or "words"; see
    `WordAttention`. Returns what is in it, and what is missing, in lines.
    Raises ReleaseError for files that are damaged or don't fit, ValueError for two of a
    kind and for encoders that don't serve the generator; then nothing is written.
    """
    if mask not in MASKS:
        raise ValueError(f"mask is one of {', '.join(MASKS)}, not {mask!r}.")
    tensors, sizes, homes = {}, {}, {}
    for path in files:
        state = read_state(path)
        kind = kind_of(state, path)
        if kind in homes:
            raise ValueError(f"{homes[kind]} and {path} are both the {CALLED[kind]}")
        made, sizes[kind] = converted(state, kind, path)
        tensors |= {f"{kind}.{name}": value for name, value in made.items()}
        homes[kind] = path
    if not homes:
        raise ValueError("no file to convert")
    read = {kind: found["embedding"] for kind, found in sizes.items()}
    if len({*read.values()}) > 1:
        each = ", ".join(f"{kind} {size}" for kind, size in read.items())
        raise ValueError(f"these don't belong together: numbers of a sentence: {each}")
    told = {"format": FORMAT, "sizes": json.dumps(sizes), "mask": mask}
    content = tensors_to_bytes(tensors, told)
    write_whole(Path(out), lambda file: file.write(content))
    return list(_report(sizes, homes, mask))


def _report(sizes: dict, homes: dict, mask: str) -> Iterator[str]:
    """What was converted, and what is missing, in lines."""
    for kind, path in homes.items():
        own = ", ".join(f"{name} {size}" for name, size in sizes[kind].items())
        more = f", mask {mask}" if kind == "generator" else ""
        yield f"{kind}, of {path}: {own}{more}"
    for kind in (kind for kind in KINDS if kind not in homes):
        yield f"missing: the {CALLED[kind]}"


@dataclass(frozen=True)
class Released:
    """Networks of the release, frozen, in evaluation mode; None where a file had none.

    mask: of the generator's attention, "released" or "words".
    """

    generator: AttentionalTree | None
    text: WordEncoder | None
    image: RegionEncoder | None
    mask: str

    @property
    def encoders(self) -> Encoders:
        """Both encoders, with the release's gammas; ValueError where one is missing."""
        if self.text is None or self.image is None:
            lacks = "text" if self.text is None else "image"
            raise ValueError(f"The {CALLED[lacks]} was not converted.")
        words, word = self.text.word_vectors.weight.shape
        with torch.device("meta"):  # both parts are put in below
            made = Encoders(words, word, self.text.embedding, gammas=RELEASED_GAMMAS)
        made.text, made.image = self.text, self.image
        return made.eval()

    @torch.no_grad()
    def draw(self, noise: Tensor, tokens: Tensor, lengths: Tensor):
        """Pictures of each scale, and each stage's attention (B, T, H, W).

        noise: (B, generator.noise_size); tokens: (B, T) by captions.pickle, 0 at
        padding; lengths: (B,). ValueError without generator or text encoder.
        """
        for kind in ("generator", "text"):
            if getattr(self, kind) is None:
                raise ValueError(f"The {CALLED[kind]} was not converted.")
        tokens = tokens[:, : int(lengths.max())]
        words, sentences = self.text(tokens, lengths)
        mask = torch.arange(tokens.shape[1], device=lengths.device) < lengths[:, None]
        return self.generator.draw_with_attention(noise, words, mask, sentences)


def load(path: str | Path) -> Released:
    """The networks of a file that `convert` wrote; ReleaseError if it is none, damaged.

    Drawing, and what DAMSM thinks of it:

        released = load("attngan-released.safetensors")
        (*_, pictures), attention = released.draw(noise, tokens, lengths)
        regions, whole = released.encoders.image(pictures)
    """
    try:
        with safe_open(path, "pt") as file:
            told = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if told.get("format") != FORMAT:
            raise ReleaseError(f"{path} isn't of t2i convert. Make it anew.")
        sizes, mask = json.loads(told["sizes"]), told["mask"]
        parts = {kind: built(kind, own, mask) for kind, own in sizes.items()}
    except ReleaseError:
        raise
    except OSError as error:
        raise ReleaseError(f"Can't read {path} ({error}).") from error
    except (SafetensorError, *DAMAGE) as error:
        raise ReleaseError(
            f"{path} is cut off, damaged or no safetensors file. Make it anew."
        ) from error
    wanted = {f"{kind}.{name}": tuple(value.shape) for kind, network in parts.items()
              for name, value in network.state_dict().items()}  # fmt: skip
    check_fits(state, wanted, path)
    for kind, network in parts.items():
        start = f"{kind}."
        own = {name.removeprefix(start): value for name, value in state.items()
               if name.startswith(start)}  # fmt: skip
        network.load_state_dict(own, assign=True)
        network.eval().requires_grad_(False)
    return Released(*map(parts.get, KINDS), mask)


RELEASES = {
    "attngan": Release(
        convert,
        "AttnGAN's networks, from github.com/taoxugit/AttnGAN's .pth files",
        out="attngan-released.safetensors",
        choices={
            "mask": (MASKS[::-1], "what places may look at: as the weights were "
                     "trained, or the caption's words alone (default released)"),
        },
    ),
}  # fmt: skip
