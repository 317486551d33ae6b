"""The checks of lesson 08: from joining a sentence to a picture to the whole round."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..papers import gan_cls
from .compare import normal
from .core import (
    Promise,
    Wrong,
    diagnose,
    exercise,
    expect,
    expect_close,
    expect_gradient,
    expect_shape,
)
from .places import KINDS, expect_other_class, expect_places
from .toy_gan import ToyGenerator, ToySystem, gradient, play, toy_batch
from .toy_rounds import ROUND_ERRORS, round_with

__all__ = ["join", "style_loss"]


# ------------------------------------------------- 08.1: text joins picture, RE-4


def join(seen: Tensor, words: Tensor) -> Tensor:
    """Text at every place of the picture's map, behind its channels. RE-4.

    seen: (B, C, H, W); words: (B, T). Returns (B, C + T, H, W).
    """
    places = words[:, :, None, None].expand(-1, -1, *seen.shape[2:])
    return torch.cat([seen, places], 1)


def _corner(seen, words):
    places = seen.new_zeros(*words.shape, *seen.shape[2:])
    places[:, :, 0, 0] = words
    return torch.cat([seen, places], 1)


def _scrambled(seen, words):
    many = words.repeat(1, seen.shape[2] * seen.shape[3])
    return torch.cat([seen, many.view(*words.shape, *seen.shape[2:])], 1)


JOIN_ERRORS = {
    "the text stands in front of the picture's channels; the picture comes first.": (
        lambda s, w: join(s, w).roll(w.shape[1], 1)
    ),
    "the text stands at one place of the map only; replicate it to all 16.": _corner,
    "repeat and view have scrambled the text: channel C + j should hold number j of "
    "the text at all 16 places. Add two axes of length 1, then expand.": _scrambled,
    "every item has got the text of the first one; row i belongs to picture i.": (
        lambda s, w: join(s, w[:1].expand_as(w))
    ),
    "the text is divided by the number of places; replicate it as it is.": (
        lambda s, w: join(s, w / 16)
    ),
}


@exercise(
    "08.1",
    title="The text joins the picture",
    reference=join,
    minutes=8,
    difficulty=2,
    promise=Promise(
        "tensor",
        lambda: [
            {"seen": normal(b, c, 4, 4), "words": normal(b, t, seed=2)}
            for b, c, t in [(3, 5, 2), (2, 8, 16)]
        ],
        gradient=("seen", "words"),
    ),
)
def _(answer):
    inputs = [
        (torch.randn(b, c, 4, 4), torch.randn(b, t))
        for b, c, t in [(3, 5, 2), (2, 4, 6)]
    ]
    (seen, words), (b, c, t) = inputs[0], (3, 5, 2)
    try:
        got = answer(seen.clone(), words.clone())
    except RuntimeError as error:
        expect(
            "must match the size" not in str(error),
            "the map (B, C, 4, 4) and the text (B, T) can't be added: give the text "
            "two axes more, and put it behind the map's channels with torch.cat.",
        )
        raise
    shape = tuple(got.shape) if isinstance(got, Tensor) else None
    expect(
        shape != (b, t, 4, 4),
        "only the text is left: put the picture's channels in front of it.",
    )
    expect(
        shape != (b, c, 4, 4),
        "the result has no more channels than the picture alone: put the text behind "
        "them (a depth concatenation, torch.cat over axis 1), don't add it to them.",
    )
    expect_shape(got, (b, c + t, 4, 4), "the joint map", "(batch, C + T, 4, 4)")
    diagnose(answer, inputs, join, JOIN_ERRORS, what="the joint map")
    parts = seen.requires_grad_(), words.requires_grad_()
    joint = answer(*parts)
    expect_gradient(joint, {"the picture's map": parts[0], "the text": parts[1]})


# ------------------------------------- 08.2: captions of another class, TM-11 line 4


@exercise(
    "08.2",
    title="Wrong captions",
    reference=gan_cls.mismatched,
    minutes=12,
    difficulty=3,
    promise=Promise(
        "tensor",
        lambda: [
            {"class_id": KINDS, "generator": torch.Generator().manual_seed(1)},
            {
                "class_id": torch.tensor([7, 9]),
                "generator": torch.Generator().manual_seed(1),
            },
        ],
        random=True,
        anywhere=False,
    ),
)
def _(answer):
    def draw(kinds, seed):
        return answer(kinds.clone(), torch.Generator().manual_seed(seed))

    for kinds in (KINDS, torch.tensor([7, 9])):
        draws = []
        for seed in range(150 if len(kinds) > 2 else 5):
            draws.append(draw(kinds, seed))
            expect_places(draws[-1], kinds)
        draws = torch.stack(draws)
        expect_other_class(draws, kinds)
        if len(kinds) == 2:
            continue
        expect(
            (draws != draws[0]).any(),
            "each call gives the same places; draw lots, so that a picture meets many "
            "wrong captions.",
        )
        expect(
            all(torch.equal(draw(kinds, 3), draws[3]) for _ in range(3)),
            "the same generator in the same state gives other places each time; draw "
            "the lots with generator=generator, so that a training can be repeated.",
        )
        for i, kind in enumerate(kinds):
            reached = set(draws[:, i].tolist())
            allowed = set(torch.nonzero(kinds != kind).flatten().tolist())
            expect(
                reached == allowed,
                f"item {i} never gets the caption of item "
                f"{min(allowed - reached, default=0)}, "
                "though that is of another class; all of them should have a chance.",
            )


# ------------------------------------------- 08.3: the discriminator's loss, lines 7-10


def _mean_logs(real, fake, wrong, halves=(0.5, 0.5)):
    """Line 10 with other weights for (wrong, fake)."""
    negatives = (
        halves[0] * F.softplus(wrong).mean() + halves[1] * F.softplus(fake).mean()
    )
    return F.softplus(-real).mean() + negatives


def _one_less(sign: int):
    """1 - log s in place of log(1 - s), with either sign in front."""

    def answer(real, fake, wrong):
        log, mean = F.logsigmoid, torch.mean
        less = (mean(1 - log(wrong)) + mean(1 - log(fake))) / 2
        return -mean(log(real)) + sign * less

    return answer


DISCRIMINATOR_ERRORS = {
    "log(1 - s) is taken for 1 - log s, which is another number. It is F.logsigmoid of "
    "minus the logit, or -F.softplus of the logit.": [_one_less(1), _one_less(-1)],
    "this is L_D of line 10 itself, which should grow; a loss goes down, so turn its "
    "sign. (The slide's line 11 has the same slip: it subtracts the gradient.)": (
        lambda r, f, w: -gan_cls.discriminator_loss(r, f, w)
    ),
    "the two negative terms count in full; line 10 takes half of their sum, so that "
    "right and wrong weigh the same.": lambda r, f, w: _mean_logs(r, f, w, (1, 1)),
    "this is the mean of the three terms; in line 10 the first counts in full, and the "
    "other two half each.": lambda r, f, w: _mean_logs(r, f, w, (1, 1)) / 3,
    "the half reaches the first term too; line 10 halves the negative ones only.": (
        lambda r, f, w: _mean_logs(r, f, w, (1, 1)) / 2
    ),
    "the wrong caption doesn't count: this is GAN without CLS.": (
        lambda r, f, w: gan_cls.discriminator_loss(r, f)
    ),
    "the signs within softplus are turned round: this is large where the discriminator "
    "is right. A right pair costs F.softplus(-real).": lambda r, f, w: (
        gan_cls.discriminator_loss(-r, -f, -w)
    ),
    "the wrong pair is taken for a right one: s_w should go to 0.": (
        lambda r, f, w: gan_cls.discriminator_loss(r, f, -w)
    ),
    "real and fake are exchanged: s_r should go to 1 and s_f to 0.": (
        lambda r, f, w: gan_cls.discriminator_loss(f, r, w)
    ),
    "the sums over the batch are taken; take means, or the batch size changes the "
    "step.": (
        lambda r, f, w: gan_cls.discriminator_loss(r, f, w) * len(r)
    ),
}  # fmt: skip


@exercise(
    "08.3",
    title="The matching-aware loss",
    reference=gan_cls.discriminator_loss,
    minutes=10,
    difficulty=2,
    promise=Promise(
        "scalar",
        lambda: [
            {"real": normal(b), "fake": normal(b, seed=2), "wrong": normal(b, seed=3)}
            for b in (6, 1)
        ],
        gradient=("real", "fake", "wrong"),
    ),
)
def _(answer):
    ordinary = tuple(torch.randn(6) * 2 for _ in range(3))
    got = answer(*(x.clone() for x in ordinary))
    expect_shape(got, (), "the loss")
    diagnose(
        answer,
        [ordinary],
        gan_cls.discriminator_loss,
        DISCRIMINATOR_ERRORS,
        what="the loss",
    )
    _expect_sturdy(answer)


def _expect_sturdy(answer) -> None:
    """The right value also where the discriminator is very sure."""
    for sure in (torch.tensor([-120.0, 3.0, 90.0]), torch.tensor([-30.0, 3.0, 30.0])):
        logits = [sure.roll(i) for i in range(3)]
        want = gan_cls.discriminator_loss(*logits)
        got = torch.as_tensor(answer(*(x.clone() for x in logits)))
        expect(
            got.isfinite(),
            "this is right in mathematics, but fragile in floating-point numbers: "
            "where the discriminator is sure, the sigmoid rounds to 0 or 1, and the "
            "log of 0 is minus infinity. F.softplus or F.logsigmoid of the logits "
            "are exact: log(1 - s) is F.logsigmoid of minus the logit.",
        )
        expect(
            torch.isclose(got.to(want), want, rtol=1e-3),
            "this is right for moderate logits, but where the discriminator is sure "
            "the value is off: the sigmoid is kept away from 0 and 1 by force (a "
            "clamp, a small number inside the log), so there is no gradient there; "
            "F.softplus or F.logsigmoid of the logits are exact.",
        )


# --------------------------------------------- 08.4: half-way sentences, eq. (3), RE-6


def _neighbours(text, beta=0.5):
    half = len(text) // 2
    return beta * text[0 : 2 * half : 2] + (1 - beta) * text[1 : 2 * half : 2]


def _halves(text, mix):
    half = len(text) // 2
    return mix(text[:half], text[half : 2 * half])


BETWEEN_ERRORS = {
    "beta weighs the second half; in eq. (3) it weighs t1, the first.": (
        lambda t, beta=0.5: gan_cls.between(t, 1 - beta)
    ),
    "the sentences are added without weights; they should be beta t1 + (1 - beta) "
    "t2.": (lambda t, beta=0.5: _halves(t, lambda a, b: a + b)),
    "beta is not used: it weighs t1, and 1 - beta weighs t2.": (
        lambda t, beta=0.5: gan_cls.between(t)
    ),
    "item i is mixed with its neighbour; mix the first half with the second, item by "
    "item.": _neighbours,
    "this goes on beyond t2 (an extrapolation): the weights should sum to 1 and lie "
    "between 0 and 1.": lambda t, beta=0.5: _halves(t, lambda a, b: a + beta * (a - b)),
    "the mixture is scaled to length 1; leave it as it is.": (
        lambda t, beta=0.5: F.normalize(gan_cls.between(t, beta), dim=1)
    ),
    "this is the first half as it was; mix it with the second.": (
        lambda t, beta=0.5: _halves(t, lambda a, b: a)
    ),
}


@exercise(
    "08.4",
    title="Sentences that nobody wrote",
    reference=gan_cls.between,
    minutes=6,
    difficulty=1,
    promise=Promise(
        "tensor",
        lambda: [{"text": normal(6, 3), "beta": 0.3}, {"text": normal(5, 64)}],
        gradient=("text",),
    ),
)
def _(answer):
    text = torch.randn(6, 3)
    got = answer(text.clone())
    if isinstance(got, Tensor) and got.shape == (9, 3):
        raise Wrong(
            "the true sentences are in the result too; return only the mixed ones, "
            "(B // 2, D)."
        )
    expect_shape(got, (3, 3), "the mixtures", "(B // 2, D)")
    try:
        answer(text[:5].clone())
    except RuntimeError:
        raise Wrong(
            "a batch of five has halves of two lengths, which can't be mixed; leave "
            "the last item out: the second half is text[half : 2 * half]."
        ) from None
    inputs = [(text, 0.3), (text, 0.5), (torch.randn(4, 2), 0.8), (text[:5], 0.3)]
    diagnose(answer, inputs, gan_cls.between, BETWEEN_ERRORS, what="the mixtures")
    expect_close(
        answer(text), gan_cls.between(text), "the mixtures where beta is not given"
    )


# -------------------------------------------------------- 08.5: the round, Algorithm 1


@exercise(
    "08.5",
    title="A round of GAN-INT-CLS",
    reference=gan_cls.GanCls.round,
    minutes=20,
    difficulty=4,
    promise=Promise(
        "round",
        lambda: [{"system": ToySystem(size), "batch": toy_batch()} for size in (2, 5)],
        gradient=("system",),
        either=("batch",),
    ),
)
def _(answer):
    got = play(answer)
    if len(got) == 1:
        raise Wrong(f"only the {got[0][0]} has a turn; yield once for each player.")
    expect(len(got) == 2, "the round ended without a turn; yield once for each player.")
    expect(
        not (got[0][0] == "discriminator" and got[0][3]),
        "in the discriminator's turn a gradient reaches the generator; the drawn "
        "picture goes into that turn as .detach().",
    )

    def same(one, other):
        return [t[0] for t in one] == [t[0] for t in other] and all(
            torch.allclose(a[i], b[i], atol=1e-6)
            for a, b in zip(one, other)
            for i in (1, 2)
        )

    want = play(gan_cls.GanCls.round)
    if same(got, want) or same(got, play(round_with(look_again=True))):
        return
    for message, wrong in ROUND_ERRORS.items():
        for again in (False, True):
            if same(got, play(round_with(**wrong, look_again=again))):
                raise Wrong(message)
    for (player, loss, own, _), (name, right, wanted, _) in zip(got, want):
        expect(player == name, f"the {name}'s turn comes here, not the {player}'s.")
        expect_close(loss, right, f"the {player}'s loss on a tiny example", 1e-6)
        expect(
            torch.allclose(own, wanted, atol=1e-6),
            f"the {player}'s loss is right in value, but only a part of its gradient "
            f"comes back to the {player}: are logits or features detached in its turn?",
        )
    raise Wrong("both losses are right in value, but a gradient goes another way.")


# ----------------------------------------------------- 08.6: style, RE-7, eq. (4)


def style_loss(style, generator, text: Tensor, noise: Tensor) -> Tensor:
    """Mean squared error of S(G(z, t)) and z; the generator rests. Eq. (4), RE-7."""
    with torch.no_grad():
        pictures = generator(noise, text)
    return F.mse_loss(style(pictures), noise)


def _error(style, generator, text, noise, measure):
    with torch.no_grad():
        pictures = generator(noise, text)
    return measure(style(pictures) - noise)


STYLE_ERRORS = {
    "this is the absolute difference; eq. (4) squares it.": (
        lambda *a: _error(*a, lambda e: e.abs().mean())
    ),
    "the squares are summed over the numbers of the noise; take the mean over them "
    "too, so that 1 means: knows nothing.": (
        lambda *a: _error(*a, lambda e: e.square().sum(1).mean())
    ),
    "this is the root of the mean square; leave the root out.": (
        lambda *a: _error(*a, lambda e: e.square().mean().sqrt())
    ),
    "the difference is averaged before it is squared, so errors cancel.": (
        lambda *a: _error(*a, lambda e: e.mean().square())
    ),
    "the text is compared instead of the noise: style is what the noise decides.": (
        lambda s, g, t, z: F.mse_loss(s(g(z, t)), t)
    ),
    "the pictures are compared; eq. (4) compares the noise with what S recovers.": (
        lambda s, g, t, z: F.mse_loss(g(s(g(z, t)), t), g(z, t))
    ),
    "another noise is drawn for the picture than the one that S should find.": (
        lambda s, g, t, z: F.mse_loss(s(g(torch.randn_like(z), t)), z)
    ),
}  # fmt: skip


class _Style(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.cos(torch.arange(6.0)).view(3, 2).double())

    def forward(self, pictures):
        return pictures @ self.weight


@exercise(
    "08.6",
    title="Finding the noise again",
    reference=style_loss,
    minutes=8,
    difficulty=2,
    promise=Promise(
        "scalar",
        lambda: [
            {
                "style": _Style(),
                "generator": ToyGenerator(),
                "text": normal(b, 2).double(),
                "noise": normal(b, 2, seed=2).double(),
            }
            for b in (5, 3)
        ],
        gradient=("style",),
        stopped=("generator",),
        either=("text", "noise"),
    ),
)
def _(answer):
    text, noise = torch.randn(5, 2).double(), torch.randn(5, 2).double()
    arguments = (_Style(), ToyGenerator(), text, noise)
    expect_shape(answer(*arguments), (), "the loss")
    diagnose(answer, [arguments], style_loss, STYLE_ERRORS, what="the loss")
    style, generator = _Style(), ToyGenerator()
    loss = answer(style, generator, text, noise)
    expect_gradient(loss, {"the style encoder": style})
    if gradient(loss, generator) is not None:
        raise Wrong(
            "a gradient reaches the generator, which should rest while S learns; draw "
            "the pictures under torch.no_grad()."
        )
