"""Checks of lesson 09, StackGAN: a shaken condition, its KL, two stages."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..measure import variety
from ..papers import stackgan, stackgan_two
from .compare import normal
from .core import Promise, Wrong, diagnose, exercise, expect, expect_close

# --------------------------------------------------- 09.2, conditioning augmentation


@exercise(
    "09.2",
    title="Shake the condition",
    minutes=6,
    difficulty=2,
    reference=stackgan.shaken,
    promise=Promise(
        "tensor",
        lambda: [
            {"mean": normal(b, c), "log_sigma": normal(b, c, seed=2),
             "noise": normal(b, c, seed=3)}
            for b, c in [(4, 3), (32, 128), (64, 16)]
        ],
        gradient=("mean", "log_sigma"),
        either=("noise",),
    ),
)  # fmt: skip
def _(answer):
    """Values on seeded Gaussians."""
    known = {
        "log sigma stands where sigma is meant: sigma = exp(log_sigma), and can't be "
        "negative.": lambda m, s, e: m + s * e,
        "this takes log_sigma for log sigma^2, as lesson 03 had it; here it is log "
        "sigma, so no half.": lambda m, s, e: m + (s / 2).exp() * e,
        "log_sigma is a logarithm already; exp undoes it.": (
            lambda m, s, e: m + s.log() * e, lambda m, s, e: m + s.abs().log() * e),
        "the noise multiplies mu; it belongs to sigma.":
            lambda m, s, e: s.exp() + m * e,
        "both mu and sigma are multiplied by the noise; only sigma is.":
            lambda m, s, e: (m + s.exp()) * e,
        "the exponential is taken of the product; first sigma, then times eps.":
            lambda m, s, e: m + (s * e).exp(),
        "the size of log sigma stands for sigma: sigma = exp(log_sigma).":
            lambda m, s, e: m + s.abs() * e,
        "sigma is squared: exp(2 log sigma) is the variance, and a draw is mu + sigma "
        "eps.": lambda m, s, e: m + (2 * s).exp() * e,
        "the noise is taken off; it is put on: mu + sigma eps. (As chance both are the "
        "same, but here eps is given.)": lambda m, s, e: m - s.exp() * e,
        "the noise is missing: this is the same for each draw.":
            (lambda m, s, e: m + s.exp(), lambda m, s, e: m),
        "mu is missing: all sentences would give draws around 0, and nothing of the "
        "text but its sigma would come through.": lambda m, s, e: s.exp() * e,
        "mu is multiplied by sigma too: only the noise is.":
            lambda m, s, e: (m + e) * s.exp(),
        "this divides by sigma where it should multiply; mu + eps exp(-log_sigma) is "
        "wide where sigma is small.": lambda m, s, e: m + e * (-s).exp(),
        "sigma is made by softplus or ReLU; the network's output is log sigma, so exp.":
            (lambda m, s, e: m + F.softplus(s) * e, lambda m, s, e: m + s.relu() * e),
        "sigma is 1 or more here, as in the released code's ReLU; log_sigma may be "
        "negative.": lambda m, s, e: m + s.relu().exp() * e,
    }  # fmt: skip
    inputs = [(normal(4, 3), normal(4, 3, seed=2), normal(4, 3, seed=3))]
    inputs += [(normal(2, 5, seed=4), normal(2, 5, seed=5), normal(2, 5, seed=6))]
    _own_noise(answer, *inputs[0])
    diagnose(answer, inputs, stackgan.shaken, known, what="the condition")


def _own_noise(answer, mean: Tensor, log_sigma: Tensor, noise: Tensor) -> None:
    """Two calls with the same noise must give the same."""
    one, two = (
        answer(mean.clone(), log_sigma.clone(), noise.clone()) for _ in range(2)
    )
    if (
        isinstance(one, Tensor)
        and one.shape == mean.shape
        and not torch.allclose(one, two, equal_nan=True)
    ):
        raise Wrong(
            "two calls with the same noise give two results: take the noise that is "
            "given (it is eps), and draw none of your own."
        )


# ----------------------------------------------------------------------- 09.3, the KL


def _whole(mean: Tensor, log_sigma: Tensor) -> Tensor:
    return ((mean**2 + (2 * log_sigma).exp() - 1) / 2 - log_sigma).sum(1).mean()


@exercise(
    "09.3",
    title="Not too far, not too sure",
    minutes=12,
    difficulty=3,
    reference=stackgan.kl_to_standard,
    promise=Promise(
        "scalar",
        lambda: [
            {"mean": normal(b, c), "log_sigma": normal(b, c, seed=2)}
            for b, c in [(4, 3), (32, 128), (5, 1)]
        ],
        gradient=("mean", "log_sigma"),
    ),
)
def _(answer):
    """Values, then a very narrow Gaussian."""
    half = (
        "the half of (mu^2 + sigma^2 - 1) / 2 is missing, or it halves log sigma, too."
    )
    known = {
        "this is the KL of whole vectors, the sum over the numbers of c: it is as many "
        "times larger as c has numbers. Here the mean over them is asked for.": _whole,
        "this adds up the batch, too; take the mean over both axes.":
            lambda m, s: _whole(m, s) * len(m),
        "this takes log_sigma for log sigma^2, lesson 03's; with log sigma it is "
        "sigma^2 = exp(2 log_sigma), and log sigma comes without a half.":
            lambda m, s: ((m**2 + s.exp() - 1 - s) / 2).mean(),
        "log_sigma is squared; sigma^2 is exp(2 log_sigma).":
            lambda m, s: ((m**2 + s**2 - 1) / 2 - s).mean(),
        "log_sigma is a logarithm already: sigma^2 = exp(2 log_sigma), and it is "
        "subtracted as it is.": (
            lambda m, s: ((m**2 + s**2 - 1) / 2 - s.log()).mean(),
            lambda m, s: ((m**2 + (2 * s).exp() - 1) / 2 - s.log()).mean()),
        "exp(log_sigma) is sigma; the KL has sigma^2.":
            lambda m, s: ((m**2 + s.exp() - 1) / 2 - s).mean(),
        half: (lambda m, s: (m**2 + (2 * s).exp() - 1 - s).mean(),
               lambda m, s: ((m**2 + (2 * s).exp() - 1 - s) / 2).mean()),
        "log sigma counts once: (mu^2 + sigma^2 - 1) / 2 - log sigma. (As log sigma^2 "
        "it would be halved with the rest.)":
            lambda m, s: ((m**2 + (2 * s).exp() - 1) / 2 - 2 * s).mean(),
        "the KL is twice as large here: (mu^2 + sigma^2 - 1) / 2, less log sigma.":
            lambda m, s: (m**2 + (2 * s).exp() - 1 - 2 * s).mean(),
        "this is the negative of the KL: a KL is never below 0.":
            lambda m, s: -stackgan.kl_to_standard(m, s),
        "the 1 is missing: at N(0, 1) the KL must be 0.":
            lambda m, s: ((m**2 + (2 * s).exp()) / 2 - s).mean(),
        "log sigma is missing: without it nothing keeps sigma from going to 0.":
            lambda m, s: ((m**2 + (2 * s).exp() - 1) / 2).mean(),
        "log sigma is added; it is subtracted: a small sigma costs.":
            lambda m, s: ((m**2 + (2 * s).exp() - 1) / 2 + s).mean(),
        "mu stands there without its square.":
            lambda m, s: ((m + (2 * s).exp() - 1) / 2 - s).mean(),
        "mu's term is missing: how far from 0 mu lies costs nothing.":
            lambda m, s: (((2 * s).exp() - 1) / 2 - s).mean(),
        "this is the other KL, of N(0, 1) from N(mu, sigma^2): the two Gaussians are "
        "exchanged.": lambda m, s: (
            ((1 + m**2) / (2 * s).exp() - 1) / 2 + s).mean(),
    }  # fmt: skip
    inputs = [(normal(4, 3), normal(4, 3, seed=2))]
    inputs += [(normal(2, 5, seed=4), normal(2, 5, seed=5))]
    diagnose(answer, inputs, stackgan.kl_to_standard, known, what="the KL")
    narrow = torch.full((1, 1), -20.0)
    expect_close(
        answer(torch.zeros(1, 1), narrow.clone()), 19.5,
        "the KL of a very narrow Gaussian, log sigma = -20. (A small number added "
        "inside a log cuts it off there.) It", rtol=1e-3,
    )  # fmt: skip


# ------------------------------------------------------------- 09.4, stage I's loss


def _sketchers(fake, mean, log_sigma, weight, game=None, kl=None):
    game = F.softplus(-fake).mean() if game is None else game
    return game + weight * (
        stackgan.kl_to_standard(mean, log_sigma) if kl is None else kl
    )


@exercise(
    "09.4",
    title="What the sketcher pays",
    minutes=6,
    difficulty=2,
    reference=stackgan.sketcher_loss,
    promise=Promise(
        "scalar",
        lambda: [
            {"fake": normal(b), "mean": normal(b, c), "log_sigma": normal(b, c, seed=2),
             "weight": w}
            for b, c, w in [(4, 3, 2.0), (32, 128, 0.1), (64, 16, 2.0)]
        ],
        gradient=("fake", "mean", "log_sigma"),
    ),
)  # fmt: skip
def _(answer):
    """Values at two weights."""
    kl = stackgan.kl_to_standard
    known = {
        "this is eq. (4) to the letter, log(1 - D): it saturates where D is sure "
        "(lesson 01). Go down -log D: softplus(-fake).": lambda f, m, s, w: _sketchers(
            f, m, s, w, game=-F.softplus(f).mean()),
        "the sign of the game is turned: this wants its pictures called drawn. -log D "
        "is softplus(-fake).": lambda f, m, s, w: _sketchers(
            f, m, s, w, game=F.softplus(f).mean()),
        "log D is to go up, so the loss is its negative: a minus is missing before "
        "logsigmoid.": lambda f, m, s, w: _sketchers(
            f, m, s, w, game=F.logsigmoid(f).mean()),
        "the KL is subtracted: it would be made large.": lambda f, m, s, w: _sketchers(
            f, m, s, -w),
        "the KL term is missing.": lambda f, m, s, w: F.softplus(-f).mean(),
        "the game is missing; only the KL is left.": lambda f, m, s, w: w * kl(m, s),
        "the weight is missing: lambda times the KL.":
            lambda f, m, s, w: _sketchers(f, m, s, 1.0),
        "2 stands here for the weight; take the one that is given.":
            lambda f, m, s, w: _sketchers(f, m, s, 2.0),
        "the weight multiplies the game, too: only the KL has lambda.":
            lambda f, m, s, w: w * _sketchers(f, m, s, 1.0),
        "the KL is that of whole vectors (a sum over the numbers of c); the weight is "
        "meant for the mean, exercise 09.3's.": lambda f, m, s, w: _sketchers(
            f, m, s, w, kl=_whole(m, s)),
        "the batch's losses are added up; take their mean.": lambda f, m, s, w: (
            _sketchers(f, m, s, w, game=F.softplus(-f).sum())),
        "this is lesson 08's hinge game, -D; (4) has -log D: softplus(-fake).":
            lambda f, m, s, w: _sketchers(f, m, s, w, game=-f.mean()),
        "D's logits are taken for probabilities: log D is logsigmoid of a logit.":
            lambda f, m, s, w: _sketchers(f, m, s, w, game=-f.log().mean()),
        "mu and log sigma are exchanged: kl_to_standard(mean, log_sigma).":
            lambda f, m, s, w: _sketchers(f, m, s, w, kl=kl(s, m)),
    }  # fmt: skip
    inputs = [
        (normal(4, seed=9), normal(4, 3), normal(4, 3, seed=2), weight)
        for weight in (0.5, 3.0)
    ]
    diagnose(answer, inputs, stackgan.sketcher_loss, known, what="the loss")
    sure = torch.full((2,), -200.0)
    zero = torch.zeros(2, 3)
    expect_close(
        answer(sure.clone(), zero.clone(), zero.clone(), 1.0), 200.0,
        "the loss where D is sure that a picture is drawn, logit -200. (A sigmoid is 0 "
        "there, and its log -inf.) It", rtol=1e-3,
    )  # fmt: skip


# ------------------------------------------------------------ 09.5, the second stage


class ToySketcher(nn.Module):
    """Noise (B, 5) and text (B, 4) to sketches (B, 3, 8, 8)."""

    noise_size = 5

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(normal(9, 192, seed=11, scale=0.3))

    def forward(self, noise: Tensor, text: Tensor) -> Tensor:
        if (noise.shape[1], text.shape[1]) == (4, 5):
            raise Wrong("the sketcher takes its noise first and then the text.")
        if noise.shape[1] != self.noise_size:
            raise Wrong(
                f"stage I got {noise.shape[1]} numbers of noise. Its part are the "
                "first sketcher.noise_size numbers, 5 here (no fixed number, and not "
                "half of them)."
            )
        return (torch.cat([noise, text], 1) @ self.weight).view(-1, 3, 8, 8).tanh()


class ToyRefiner(nn.Module):
    """A sketch, text and eps (B, 9) to pictures (B, 3, 16, 16)."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(normal(13, 3, seed=12, scale=0.3))
        self.loud = nn.Parameter(torch.tensor(1.5))

    def forward(self, sketch: Tensor, text: Tensor, eps: Tensor) -> Tensor:
        if eps.shape[1] != 9:
            raise Wrong(
                f"stage II got {eps.shape[1]} numbers of noise; its eps is what is "
                "left of the noise behind stage I's part, 9 here."
            )
        colour = torch.cat([text, eps], 1) @ self.weight
        large = F.interpolate(self.loud * sketch, scale_factor=2.0)
        return large + colour[:, :, None, None]


def toys() -> dict:
    """A call of 09.5."""
    return {"sketcher": ToySketcher(), "refiner": ToyRefiner(), "noise": normal(4, 14),
            "text": normal(4, 4, seed=2)}  # fmt: skip


def _stages(first, second, text_of=lambda t: t):
    def wrong(sketcher, refiner, noise, text):
        with torch.no_grad():
            sketch = sketcher(first(noise), text_of(text))
        return refiner(sketch, text, second(noise))

    return wrong


@exercise(
    "09.5",
    title="A second look",
    minutes=8,
    difficulty=2,
    reference=stackgan_two.second_look,
    promise=Promise(
        "tensor",
        lambda: [toys()],
        gradient=("refiner",),
        stopped=("sketcher",),
        either=("noise", "text"),
        double=False,
        anywhere=False,
    ),
)
def _(answer):
    """Values on toys; that stage I rests; that both stages have their own noise."""
    call = toys()
    made = answer(**call)
    expect(isinstance(made, Tensor), "a tensor of pictures is asked for.")
    expect(
        torch.equal(made, answer(**call)),
        "two calls with the same noise give two pictures: cut the noise that is given, "
        "and draw none of your own.",
    )
    if tuple(made.shape) == (4, 3, 8, 8):
        raise Wrong("these are the sketches; give them to the refiner.")
    known = {
        "stage II draws with stage I's numbers: its eps is the noise's last part, its "
        "own chance.": _stages(lambda n: n[:, :5], lambda n: n[:, :9]),
        "stage I draws with the last numbers of the noise; its part comes first.": (
            _stages(lambda n: n[:, -5:], lambda n: n[:, :9]),
            _stages(lambda n: n[:, -5:], lambda n: n[:, 5:])),
        "stage I's sketch is drawn without the text.": _stages(
            lambda n: n[:, :5], lambda n: n[:, 5:], torch.zeros_like),
        "stage II isn't told the text: it can't mend what the sketch missed.":
            lambda sketcher, refiner, noise, text: refiner(
                sketcher(noise[:, :5], text), torch.zeros_like(text), noise[:, 5:]),
        "stage II has no chance of its own (eps is 0).": _stages(
            lambda n: n[:, :5], lambda n: torch.zeros_like(n[:, 5:])),
    }  # fmt: skip
    args = tuple(call.values())
    diagnose(answer, [args], stackgan_two.second_look, known, what="the picture")
    made.sum().backward()
    expect(
        call["sketcher"].weight.grad is None,
        "a gradient reaches stage I, which rests: draw the sketch under "
        "torch.no_grad(). (Not needed for the value; without it stage I's part of the "
        "backward pass is worked out for nothing, or stage I learns too.)",
    )


# ------------------------------------------------------------- 09.1, both directions


@exercise(
    "09.1",
    title="Who decides which way it looks?",
    minutes=6,
    difficulty=1,
    reference=variety.share_both,
    promise=Promise(
        "number",
        lambda: [{"facing": normal(b, n) > 0} for b, n in [(6, 4), (100, 8)]],
        double=False,
    ),
)
def _(answer):
    """Shares on tables of directions."""
    known = {
        "this is the share of pictures that look right, over all captions.":
            lambda f: float(f.float().mean()),
        "this counts captions with any bird that looks right, also those where all "
        "do.": lambda f: float(f.any(1).float().mean()),
        "this is the share of captions whose birds all look the same way, the "
        "opposite.": lambda f: 1 - variety.share_both(f),
        "this counts captions where not all look right; those where none does are "
        "alike, too.": lambda f: float((~f.all(1)).float().mean()),
        "this goes down the columns: ask it of each caption's row, axis 1.":
            lambda f: float((f.any(0) & ~f.all(0)).float().mean()),
        "this counts captions where all look right; not all: ~facing.all(1).":
            lambda f: float((f.any(1) & f.all(1)).float().mean()),
        "the width of the table is taken for 8 here; it is facing.shape[1].":
            lambda f: float(((f.sum(1) > 0) & (f.sum(1) < 8)).float().mean()),
        "this counts captions whose birds look one way and the other in halves; one "
        "that looks otherwise is enough.":
            lambda f: float((f.float().mean(1) == 0.5).float().mean()),
        "this is a count; divide by the number of captions.":
            lambda f: float((f.any(1) & ~f.all(1)).sum()),
        "this asks only whether the first two differ; any two of a row may.":
            lambda f: float((f[:, 0] != f[:, 1]).float().mean()),
        "this counts changes from one picture to the next; ask of each caption whether "
        "both directions appear.": lambda f: float(
            (f[:, 1:] != f[:, :-1]).float().mean()),
    }  # fmt: skip
    left, right = torch.zeros(1, 4) > 0, torch.ones(1, 4) > 0
    mixed = torch.tensor([[True, True, False, True], [False, False, True, True]])
    inputs = [(torch.cat([left, right, right, mixed]),)]
    inputs += [(torch.cat([left, mixed[:1], right, left, left, mixed, mixed[1:]]),)]
    inputs += [(inputs[1][0].repeat(1, 2),)]  # eight of each
    turns = mixed[1:, [0, 2, 1, 3]]
    inputs += [(torch.cat([turns, turns, mixed[1:], left]),)]
    diagnose(answer, inputs, variety.share_both, known, what="the share")
