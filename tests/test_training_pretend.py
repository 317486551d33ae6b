"""The pretend GPU lets a sound system play and catches a tensor left on the CPU."""

import pytest
import torch
from cuda_pretend import assert_plays_on_pretend_cuda
from torch import nn
from torch.nn.utils import rnn
from training_toys import Pictures, Toy

from t2i_course.training import System


def batch():
    return Pictures().batch(0)


def test_a_sound_system_plays():
    turns = assert_plays_on_pretend_cuda(Toy, batch)
    assert turns == ["discriminator", "generator"]


class Planted(Toy):
    """The toy with a mistake planted in `extra`, added to the generator's noise."""

    def round(self, batch):
        yield from super().round(batch)
        yield "generator", (self.noise(8, 6) + self.extra(batch)).sum() * self.weight()

    def weight(self):
        return self.generator[0].weight.mean()

    def extra(self, batch):
        return 0.0


class NoiseOnCpu(Planted):
    def extra(self, batch):
        return torch.randn(8, 6)


class NoiseOnCpuByName(Planted):
    def extra(self, batch):
        return torch.randn(8, 6, device="cpu")


class UnregisteredTensor(Planted):
    def __init__(self):
        super().__init__()
        self.table = torch.ones(8, 6)

    def extra(self, batch):
        return self.table


class TensorInAList(Planted):
    def __init__(self):
        super().__init__()
        self.tables = [torch.ones(8, 6)]

    def extra(self, batch):
        return self.tables[0]


class HiddenLayer(Planted):
    """A layer in a plain list: its weights don't move with the system."""

    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(6, 6)]

    def extra(self, batch):
        return self.layers[0](batch.style)


class ReadsBack(Planted):
    def extra(self, batch):
        return batch.style.mean().item()


class BackOnCpu(Planted):
    def weight(self):
        return self.generator[0].weight.cpu().mean()

    def extra(self, batch):
        return -self.noise(8, 6).cpu()


MISTAKES = [
    NoiseOnCpu,
    NoiseOnCpuByName,
    UnregisteredTensor,
    TensorInAList,
    HiddenLayer,
    ReadsBack,
    BackOnCpu,
]


@pytest.mark.parametrize("mistaken", MISTAKES)
def test_a_planted_mistake_is_caught(mistaken):
    assert_plays_on_pretend_cuda(Planted, batch)
    with pytest.raises(AssertionError, match="would not run on a GPU, turn 3"):
        assert_plays_on_pretend_cuda(mistaken, batch)


class Rich(System):
    """What later papers use: recurrent text, embeddings, attention, penalties."""

    players = averaged = ("critic",)

    def __init__(self):
        super().__init__()
        self.critic = nn.ModuleDict(
            {
                "words": nn.Embedding(20, 8, padding_idx=0),
                "gru": nn.GRU(8, 8, batch_first=True, bidirectional=True),
                "lstm": nn.LSTM(16, 8, num_layers=2, batch_first=True),
                "cell": nn.LSTMCell(8, 8),
                "attention": nn.MultiheadAttention(8, 2, batch_first=True),
                "norm": nn.utils.parametrizations.spectral_norm(nn.Linear(8, 4)),
                "read": nn.Conv2d(3, 4, 3, 2, 1),
            }
        )
        self.register_buffer("scale", torch.ones(()))

    def text(self, batch):
        words = self.critic["words"](batch.tokens)
        packed = rnn.pack_padded_sequence(
            words, batch.lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        words, _ = rnn.pad_packed_sequence(self.critic["gru"](packed)[0], True)
        words, (last, _) = self.critic["lstm"](words)
        assert words.shape == (8, 5, 8) and last.shape == (2, 8, 8)
        words = self.critic["attention"](words, words, words)[0]
        here = torch.arange(words.shape[1], device=words.device)
        mask = here[None] < batch.lengths[:, None]
        hidden, _ = self.critic["cell"](
            (words * mask[..., None]).sum(1), (last[0],) * 2
        )
        return self.critic["norm"](hidden)

    def round(self, batch):
        image = batch.image.requires_grad_()
        read = self.critic["read"](image).mean((2, 3))
        score = (read * self.text(batch)).sum(1)
        (gradient,) = torch.autograd.grad(score.sum(), image, create_graph=True)
        penalty = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
        yield "critic", score.mean() * self.scale + 10 * penalty


def sentences():
    some = batch()
    some.tokens = torch.randint(1, 20, (8, 5))
    some.lengths = torch.tensor([5, 1, 2, 3, 4, 5, 1, 2])
    return some


def test_recurrent_text_attention_and_penalties_play():
    assert assert_plays_on_pretend_cuda(Rich, sentences) == ["critic"]
    losses = [loss for _, loss in Rich().round(sentences().to("cpu"))]
    assert losses[0].isfinite()  # and the same system plays for real


def test_a_hidden_recurrent_layer_is_caught():
    class Hidden(Rich):
        def text(self, batch):
            return super().text(batch) + self.layers[0](batch.style[:, None])[0][:, 0]

        layers = (nn.GRU(6, 4),)

    with pytest.raises(AssertionError, match="would not run on a GPU"):
        assert_plays_on_pretend_cuda(Hidden, sentences)
