"""The checks of the tiny lesson: a function, one that builds on it, a class."""

import torch
import torch.nn.functional as F
from torch import nn

from t2i_course.checks.core import Promise, diagnose, exercise, expect, expect_shape


def softplus_loss(logits):
    """The non-saturating loss, a number."""
    return F.softplus(-logits).mean()


def doubled(logits):
    """Twice that loss."""
    return 2 * softplus_loss(logits)


class Doubler(nn.Module):
    """Doubles its input."""

    def forward(self, x):
        """Any shape in, the same out."""
        return 2 * x


def _logits():
    return [{"logits": torch.linspace(-2, 3, 6)}]


@exercise(
    "97.1",
    title="The loss",
    reference=softplus_loss,
    minutes=1,
    promise=Promise("scalar", _logits, gradient=("logits",)),
)
def _(answer):
    logits = torch.linspace(-2, 3, 6)
    saturating = {"this is the saturating loss": lambda x: -F.softplus(x).mean()}
    diagnose(answer, [(logits,), (3 * logits,)], softplus_loss, saturating)


@exercise(
    "97.2",
    title="Twice the loss",
    reference=doubled,
    minutes=1,
    promise=Promise("scalar", _logits, gradient=("logits",)),
)
def _(answer):
    diagnose(answer, [(torch.linspace(-2, 3, 6),)], doubled)


@exercise(
    "97.3",
    title="A doubler",
    reference=Doubler,
    minutes=1,
    promise=Promise("class", lambda: [{"x": torch.ones(2, 3)}], gradient=("x",)),
)
def _(answer):
    expect(isinstance(answer, type) and issubclass(answer, nn.Module), "not a Module")
    x = torch.ones(2, 3)
    expect_shape(answer()(x), (2, 3), "the output", "(batch, features)")
    diagnose(answer(), [(x,)], Doubler())
