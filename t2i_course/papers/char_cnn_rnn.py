"""Reading letter by letter: the char-CNN-RNN that Reed's GAN read with (lesson 07).

Reed, Akata, Lee, Schiele: Learning Deep Representations of Fine-Grained Visual
Descriptions, CVPR 2016; slide TM-10. Letters as one-hot columns go through three
convolutions with pooling, then through a recurrent network whose states are averaged,
then through a linear layer. Trained by the structured loss of joint_embedding.py, whose
word encoder is its sister.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data import Batch
from ..declarations import Network, SystemInfo
from .joint_embedding import (
    FalseTwins,
    JointEmbedding,
    made_ready,
    structured_loss,
)

__all__ = [
    "ALPHABET",
    "LENGTH",
    "CharCnnRnn",
    "CharEmbedding",
    "char_encoder_from",
    "characters",
    "lengths_through",
    "notes",
]

# As in the authors' release (github.com/reedscot/cvpr2016): 70 entries, 69 different
# ones. "-" stands twice, at the 37th and at the 60th place; a table from letters to
# places keeps the later one, so that column 37 of the input is never lit.
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:'\"/\\|_@#$%^&*~`+-=<>()[]{} "
LENGTH = 201  # letters; what is longer is cut
PLACES = {letter: place for place, letter in enumerate(ALPHABET, start=1)}

# "paper": the default network of the release, with its loss and margin, 40 classes a
# batch, RMSprop at 7e-4 times 0.98 an epoch (of 150 steps); ours are the features of
# 32 x 32 pictures and a linear layer over them (theirs: GoogLeNet's 1024 as they are),
# false twins, averaged weights, and the steps. The smaller presets have narrower layers
# and Adam, and read 128 letters (1 caption in 50 is longer).
PRESETS = {
    "smoke": {"size": 32, "channels": (8, 8, 8), "width": 8, "embedding": 256,
              "length": 96, "classes": 8, "batch_size": 8, "steps": 4},
    "cpu": {"size": 32, "channels": (96, 128, 128), "width": 128, "embedding": 256,
            "length": 128, "classes": 75, "batch_size": 75, "steps": 3000},
    "gpu": {"size": 32, "channels": (192, 256, 256), "width": 256, "embedding": 512,
            "length": 201, "classes": 150, "batch_size": 150, "steps": 10_000},
    "paper": {"size": 32, "channels": (384, 512, 256), "width": 256, "embedding": 1024,
              "length": 201, "classes": 40, "batch_size": 40, "steps": 45_000,
              "released": True},
}  # fmt: skip


def characters(captions: list[str], length: int = LENGTH) -> Tensor:
    """Captions as codes (B, length) int64: 1 to 70, a letter's place, or 0 for nothing.

    Capitals are made small; a letter that the alphabet lacks is nothing, and so is
    what is left of the row; what is longer is cut. ValueError for no caption and for
    one without a letter or figure that is known, TypeError for what is no string.
    Slide TM-10; lesson 07.
    """
    captions = [captions] if isinstance(captions, str) else captions
    if not captions:
        raise ValueError("There is no caption. Give at least one sentence.")
    rows = [codes_of(caption, length) for caption in captions]
    return torch.tensor([row + [0] * (length - len(row)) for row in rows])


def codes_of(caption: str, length: int) -> list[int]:
    """One caption's codes, at most `length`; raises as `characters`."""
    if not isinstance(caption, str):
        raise TypeError(
            f"A caption is a sentence in quotes (str), not {type(caption).__name__}."
        )
    letters = caption.lower()[:length]
    if not any(letter.isalnum() and letter in PLACES for letter in letters):
        raise ValueError(
            f"The caption {caption!r} has no letter that can be read (a to z, 0 to 9). "
            "Try: a bird with blue wings and a red belly"
        )
    return [PLACES.get(letter, 0) for letter in letters]


def notes(captions: list[str], length: int = LENGTH) -> list[str]:
    """What is not read of these captions, in words; [] where all is."""
    said = []
    lost = sorted({c for caption in captions for c in caption.lower()} - set(PLACES))
    if lost:
        said.append(f"letters it doesn't know: {' '.join(lost[:8])}")
    if any(len(caption) > length for caption in captions):
        said.append(f"only the first {length} letters are read")
    return said


def lengths_through(length: int, layers) -> list[int]:
    """How long a row is after each layer without padding: [(kernel, stride), ...].

    The row itself comes first. 201 letters: 201, 198, 66, 63, 21, 18, 8.
    """
    found = [length]
    for kernel, stride in layers:
        found.append((found[-1] - kernel) // stride + 1)
    return found


class PlainRnn(nn.Module):
    """The release's plain recurrent layer: h_i = relu(W x_i + U h_(i-1) + b).

    W is `enter`, U is `keep`; each has a row of numbers of its own, and b is their sum.
    In the first step only that of `enter` counts, as in the release.
    """

    def __init__(self, inside: int, width: int):
        super().__init__()
        self.enter, self.keep = nn.Linear(inside, width), nn.Linear(width, width)

    def forward(self, steps: Tensor) -> Tensor:
        """(B, T, inside) to the mean of its states, (B, width)."""
        entered = self.enter(steps).unbind(1)
        state = entered[0].relu()
        total = state
        for x in entered[1:]:
            state = (x + self.keep(state)).relu()
            total = total + state
        return total / len(entered)


class GatedRnn(nn.Module):
    """The release's GRU: it resets before the matrix, and starts without gates.

    h = u * candidate + (1 - u) * h; the first state is tanh(W x). PyTorch's own GRU
    resets after the matrix.
    """

    def __init__(self, inside: int, width: int):
        super().__init__()
        self.enter = nn.ModuleList(nn.Linear(inside, width) for _ in range(3))
        self.keep = nn.ModuleList(nn.Linear(width, width) for _ in range(3))

    def forward(self, steps: Tensor) -> Tensor:
        """(B, T, inside) to the mean of its states, (B, width)."""
        entered = [layer(steps).unbind(1) for layer in self.enter]
        state = entered[2][0].tanh()
        total = state
        for update, reset, new in list(zip(*entered))[1:]:
            u = (update + self.keep[0](state)).sigmoid()
            r = (reset + self.keep[1](state)).sigmoid()
            candidate = (new + self.keep[2](r * state)).tanh()
            state = u * candidate + (1 - u) * state
            total = total + state
        return total / len(entered[0])


class CharCnnRnn(nn.Module):
    """Letters (B, length) to embeddings (B, embedding).

    channels: of the three convolutions, each of 4 letters; width: of the recurrent
    layer. gated: the release's other variant ("gru18"), with a GRU over the 18 steps
    that the last pooling, left out, would have made 8. The defaults have 1,814,144
    weights; gated, with channels (384, 512, 512) and width 512, 4,045,184.
    Reed et al. 2016; slide TM-10.
    """

    reads = "characters"

    def __init__(self, channels=(384, 512, 256), width=256, embedding=1024,
                 length=LENGTH, gated=False):  # fmt: skip
        super().__init__()
        self.embedding, self.length, self.gated = embedding, length, gated
        first, second, third = channels
        self.convolutions = nn.ModuleList([
            nn.Conv1d(len(ALPHABET), first, 4),
            nn.Conv1d(first, second, 4),
            nn.Conv1d(second, third, 4),
        ])  # fmt: skip
        kind = GatedRnn if gated else PlainRnn
        self.recurrent = kind(third, width)
        self.out = nn.Linear(width, embedding)
        if lengths_through(length, self.layers(gated))[-1] < 1:
            raise ValueError(f"{length} letters are too few for three convolutions.")

    @staticmethod
    def layers(gated: bool = False) -> list[tuple[int, int]]:
        """(kernel, stride) of its convolutions and poolings, in order."""
        every = [(4, 1), (3, 3), (4, 1), (3, 3), (4, 1), (3, 2)]
        return every[:-1] if gated else every

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (B, T) of `characters` to (B, embedding).

        Nothing after the end of a caption is left out: it is read as blank columns, as
        in the release.
        """
        # The release's ReLU comes before its pooling: the same, on three times as many
        x = F.max_pool1d(self.first(codes), 3, 3).relu()
        x = F.max_pool1d(self.convolutions[1](x), 3, 3).relu()
        x = self.convolutions[2](x)
        if not self.gated:
            x = F.max_pool1d(x, 3, 2)
        mean = self.recurrent(x.relu().transpose(1, 2))  # the mean of its states
        return self.out(mean)

    def first(self, codes: Tensor) -> Tensor:
        """The first convolution (B, channels, T - 3) over one-hot columns of letters.

        A column that holds a single 1 picks one column of the weights, so the sum over
        4 letters and 70 places is a sum of 4 rows of a table: half the time.
        """
        layer = self.convolutions[0]
        table = F.pad(layer.weight.permute(2, 1, 0), (0, 0, 1, 0))  # code 0: nothing
        each = torch.arange(4, device=codes.device) * (len(ALPHABET) + 1)
        rows = (codes.long().unfold(1, 4, 1) + each).reshape(-1, 4)
        x = F.embedding_bag(rows, table.reshape(-1, table.shape[2]), mode="sum")
        return (x + layer.bias).view(len(codes), -1, x.shape[1]).transpose(1, 2)

    def notes(self, captions: list[str]) -> list[str]:
        """What it doesn't read of these captions, in words; see `notes`."""
        return notes(captions, self.length)

    def of(self, batch: Batch) -> Tensor:
        """Embeddings (B, embedding) of a batch's captions, on the encoder's device."""
        codes = characters(batch.caption, self.length)
        return self(codes.to(self.out.weight.device))


class CharEmbedding(JointEmbedding):
    """`JointEmbedding` with letters in place of words.

    released: the release's start U(-0.08, 0.08), RMSprop and rate. loss: the structured
    loss, or a learner's own (images, texts, false twins) -> scalar.
    """

    def __init__(self, channels=(96, 128, 128), width=128, embedding=256, length=128,
                 gated=False, features=256, steps=3000, released=False,
                 loss: Callable = structured_loss):  # fmt: skip
        text = CharCnnRnn(channels, width, embedding, length, gated)
        super().__init__(embedding=embedding, features=features, steps=steps,
                         text=text, loss=loss)  # fmt: skip
        self.released = released
        if released:
            for weight in text.parameters():
                nn.init.uniform_(weight, -0.08, 0.08)

    def optimizer(self, player: str) -> torch.optim.Optimizer:
        """RMSprop at 7e-4, as in the release, or Adam."""
        if not self.released:
            return super().optimizer(player)
        return torch.optim.RMSprop(self.player(player).parameters(), 7e-4)

    def learning_rate_factor(self, step: int) -> float:
        """Times 0.98 every 150 steps, as in the release, or linear."""
        if self.released:
            return 0.98 ** (step // 150)
        return super().learning_rate_factor(step)

    def sentences(self, batch: Batch) -> Tensor:
        """Embeddings of all captions of a batch, true ones and false twins."""
        return self.encoders["text"].of(batch)


def char_encoder_from(path) -> CharCnnRnn:
    """The encoder of a training of one's own, made ready for a GAN.

    path: a checkpoint of `t2i train char_cnn_rnn`. CheckpointError if it is none.
    """
    return made_ready(path, CharEmbedding, "t2i train char_cnn_rnn")


def _shipped() -> CharCnnRnn:
    """Of the cpu preset's sizes, in full, so that a changed preset leaves it be."""
    return CharCnnRnn((96, 128, 128), 128, 256, 128)


SYSTEMS = {
    "char_cnn_rnn": SystemInfo(
        CharEmbedding,
        "07",
        "sentences letter by letter, and pictures, in one space",
        {"birds": {}},
        draws="",
        wrap=lambda birds, settings: FalseTwins(birds, settings["classes"]),
        serves=lambda system: system.network("encoders")["text"],
        from_checkpoint=char_encoder_from,
    )
}
SHIPPED = {
    "text_chars": Network(_shipped, "birds", "char_cnn_rnn", default=True),
}
