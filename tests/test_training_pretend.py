"""The pretend GPU lets a sound system play and catches a tensor left on the CPU."""

import pytest
import torch
from cuda_pretend import assert_plays_on_pretend_cuda
from torch import nn
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
                "lstm": nn.LSTM(16, 8, batch_first=True),
                "attention": nn.MultiheadAttention(8, 2, batch_first=True),
                "norm": nn.utils.parametrizations.spectral_norm(nn.Linear(8, 4)),
                "read": nn.Conv2d(3, 4, 3, 2, 1),
            }
        )
        self.register_buffer("scale", torch.ones(()))

    def round(self, batch):
        net = self.critic
        words = net["lstm"](net["gru"](net["words"](batch.tokens))[0])[0]
        words = net["attention"](words, words, words)[0]
        here = torch.arange(words.shape[1], device=words.device)
        mask = here[None] < batch.lengths[:, None]
        text = net["norm"]((words * mask[..., None]).sum(1))
        image = batch.image.requires_grad_()
        score = (net["read"](image).mean((2, 3)) * text).sum(1)
        (gradient,) = torch.autograd.grad(score.sum(), image, create_graph=True)
        penalty = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
        yield "critic", score.mean() * self.scale + 10 * penalty


def test_recurrent_text_attention_and_penalties_play():
    some = batch()
    some.tokens = torch.randint(0, 20, (8, 5))
    some.lengths = torch.randint(1, 6, (8,))
    assert assert_plays_on_pretend_cuda(Rich, lambda: some) == ["critic"]
