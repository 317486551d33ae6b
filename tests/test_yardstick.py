"""The yardstick, MiniLM: where its package is installed, and what is said where not."""

import socket

import pytest
import torch

from t2i_course.data import Batch
from t2i_course.measure import sentences, yardstick
from t2i_course.papers.joint_embedding import reader_of
from t2i_course.worlds.birds import Birds

here = pytest.mark.skipif(not yardstick.installed(), reason="no extra 'yardstick'")
SAID = ["a bird with blue wings", "its belly is red and its beak long", "zorgon!"]


def batch(captions):
    return Batch(torch.zeros(0), list(captions))


@pytest.fixture(scope="module")
def minilm():
    return yardstick.MiniLm()


def test_where_it_is_missing_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(yardstick, "PACKAGES", ("no_such_weights", "torch"))
    assert not yardstick.installed()
    with pytest.raises(ModuleNotFoundError, match=r"no_such_weights.*yardstick"):
        yardstick.MiniLm()


@here
def test_nothing_is_fetched(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("it reaches for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert yardstick.MiniLm().of(batch(SAID)).shape == (3, 384)


@here
def test_a_caption_has_the_same_numbers_alone_and_among_others(minilm):
    together = minilm.of(batch(SAID))
    assert torch.allclose(together.norm(dim=1), torch.ones(3), atol=1e-5)
    for caption, row in zip(SAID, together):
        assert torch.allclose(minilm([caption])[0], row, atol=1e-5)
    named = minilm.named_parameters()  # its last layer, a pooler, goes unused
    used = [weight.numel() for name, weight in named if "pooler" not in name]
    assert sum(used) == 22_565_376
    assert not any(weight.requires_grad for weight in minilm.parameters())


@here
def test_it_serves_as_a_reader():
    encoder = yardstick.MiniLm()
    known = Birds("train", 32).all(300)
    rows = encoder.standardize(known).of(known)
    assert torch.allclose(rows.mean(0), torch.zeros(384), atol=1e-4)
    alive = rows.std(0) > 0.5  # three are the same whatever it reads
    assert int(alive.sum()) == 381
    assert torch.allclose(rows.std(0)[alive], torch.ones(381), atol=1e-3)
    found = sentences.retrieval(reader_of(encoder, 300), sentences.unseen(150))
    assert found["R@5"] > 0.08  # by guessing 0.05
