"""Checks of lesson 06, Pictures to pictures: patches, skips, losses, cycles, a pool."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..measure import translation
from ..papers import cyclegan, pix2pix
from ..papers.gan import nonsaturating_loss
from .compare import normal
from .core import Promise, Wrong, diagnose, exercise, expect, expect_close, expect_shape
from .toy_pictures import networks, steps, translators, turn_with

# ------------------------------------------------------------------- 06.1, the skips


@exercise(
    "06.1",
    title="Down and up, with joins",
    minutes=15,
    difficulty=3,
    reference=pix2pix.u_shape,
    promise=Promise(
        "tensor",
        lambda: [
            {"x": normal(2, 3, 8, 8), **steps(3, torch.float32)},
            {"x": normal(1, 3, 32, 32), **steps(5, torch.float32)},
        ],
        gradient=("x",),
        double=False,  # the layers have weights of float32
        anywhere=False,  # and are on the CPU
    ),
)
def _(answer):
    """Layers that say what they were given, and values on a small one."""
    x, made = normal(2, 3, 8, 8), steps(3, torch.float32)
    try:
        got = answer(x.clone(), **made)
    except RuntimeError as error:
        if "Sizes of tensors must match" not in str(error):
            raise
        raise Wrong(
            "maps of two sizes meet in a join. Is the innermost map still in the list? "
            "Drop it before going up. And take kept maps from the end: the last one "
            "kept is the first one needed. Or is the result of up(x) not kept? "
            "A layer changes nothing in place."
        ) from None
    want = pix2pix.u_shape(x.clone(), **made)
    expect_shape(got, tuple(want.shape), "the picture")
    if torch.allclose(got, want, atol=1e-5):
        return
    swapped = _joined_first(x.clone(), **made)
    expect(
        not torch.allclose(got, swapped, atol=1e-5),
        "the join has the map of the way down first. The map from below comes first, "
        "then the one of the way down: torch.cat([x, kept], 1).",
    )
    expect_close(got, want, "the picture")


def _joined_first(x: Tensor, downs, ups) -> Tensor:
    kept = []
    for down in downs:
        x = down(x)
        kept.append(x)
    kept.pop()
    for up in ups[:-1]:
        x = torch.cat([kept.pop(), up(x)], 1)
    return ups[-1](x)


# ---------------------------------------------------------------------- 06.2, overlap


def _maps(seed: int, *shape: int, count: int = 4) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randint(count, shape, generator=random)


def _counts(found: Tensor, truth: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels of each part that both, the first and the second call so."""
    a, b = (F.one_hot(m.long(), count).float() for m in (found, truth))
    return tuple(t.sum((0, 1, 2)) for t in (a * b, a, b))


def _of_counts(rule):
    return lambda found, truth, count: rule(*_counts(found, truth, count))


def _each_picture(found, truth, count):
    pairs = zip(found.split(1), truth.split(1))
    return torch.stack([translation.class_iou(*p, count) for p in pairs]).nanmean(0)


@exercise(
    "06.2",
    title="How well do two maps agree?",
    minutes=10,
    difficulty=2,
    reference=translation.class_iou,
    promise=Promise(
        "tensor",
        lambda: [
            {"found": _maps(1, 3, 4, 4), "truth": _maps(2, 3, 4, 4), "count": 4},
            {"found": _maps(3, 20, 32, 32, count=8).to(torch.uint8),
             "truth": _maps(4, 20, 32, 32, count=8).to(torch.uint8), "count": 8},
        ],
    ),
)  # fmt: skip
def _(answer):
    """Values; then a part that nobody has."""
    known = {
        "this divides by all pixels; intersection over union divides by those that "
        "either map calls so.": lambda f, t, n: _counts(f, t, n)[0] / f.numel(),
        "this divides by the pixels of the truth (recall): painting everything as wing "
        "would find every wing.": _of_counts(lambda both, a, b: both / b),
        "this divides by the pixels that were found (precision): one right pixel would "
        "be perfect.": _of_counts(lambda both, a, b: both / a),
        "the union counts the common pixels twice: take them off "
        "once.": _of_counts(lambda both, a, b: both / (a + b)),
        "this is 2 |A and B| / (|A| + |B|), the Dice score; the paper's is "
        "intersection over union.": _of_counts(lambda both, a, b: 2 * both / (a + b)),
        "this is the mean of each picture's own; count the pixels of all pictures "
        "together first, else a part of three pixels weighs as much as a "
        "whole.": _each_picture,
        "this is one number for all parts (the accuracy of pixels); give one for each "
        "part.": lambda f, t, n: (f == t).float().mean(),
        "this is the mean over parts; give one number for each "
        "part.": lambda f, t, n: translation.class_iou(f, t, n).nanmean(),
    }  # fmt: skip
    inputs = [(_maps(5, 3, 4, 4), _maps(6, 3, 4, 4), 4)]
    inputs += [(_maps(7, 2, 5, 5, count=3), _maps(8, 2, 5, 5, count=3), 3)]
    diagnose(answer, inputs, translation.class_iou, known, what="the agreement")
    _bytes_and_absent_parts(answer, *inputs[0])


def _bytes_and_absent_parts(answer, found: Tensor, truth: Tensor, count: int) -> None:
    """Maps of bytes, as the lesson has them; then parts that neither map holds."""
    bytes_ = [m.to(torch.uint8) for m in (found, truth)]
    got = answer(*[m.clone() for m in bytes_], count)
    expect(
        not isinstance(got, Tensor) or got.dtype != torch.float64,
        "the values are right, but of type float64; the course's numbers are float32. "
        "Divide the whole numbers as they are (torch makes float32 of it), or end with "
        ".float().",
    )
    expect(
        isinstance(got, Tensor)
        and torch.allclose(got, translation.class_iou(*bytes_, count)),
        "the maps of the lesson are uint8, bytes: sums of bytes, or their use as "
        "indices, go wrong. Compare first, or take .long().",
    )
    got = answer(torch.zeros(1, 2, 2).long(), torch.zeros(1, 2, 2).long(), 3)
    expect(
        isinstance(got, Tensor) and tuple(got.shape) == (3,),
        "one number for each of `count` parts is asked for, also of parts that these "
        "maps don't hold: count to `count`, not to the largest part that is there.",
    )
    expect(
        bool(got[0] == 1) and bool(got[1:].isnan().all()),
        "a part that neither map has gives 0 / 0: leave it NaN, so that a mean over "
        "parts can leave it out (nanmean). 0 would call it wrong, 1 right.",
    )


# ---------------------------------------------------------------- 06.3, the patch


def _forward(layers):
    """Stride and kernel as if the first layer were the last."""
    return pix2pix.receptive_field(layers[::-1])


def _without_strides(layers):
    return 1 + sum(kernel - 1 for kernel, _ in layers)


def _product(layers):
    field = 1
    for kernel, _ in layers:
        field *= kernel
    return field


def _whole_stride(layers):
    field = 1
    for kernel, stride in reversed(layers):
        field = field * stride + kernel
    return field


def _from_nothing(layers):
    field = 0
    for kernel, stride in reversed(layers):
        field = (field - 1) * stride + kernel
    return field


@exercise(
    "06.3",
    title="What one logit sees",
    minutes=10,
    difficulty=2,
    reference=pix2pix.receptive_field,
    promise=Promise(
        "number",
        lambda: [
            {"layers": [(3, 1)]},
            {"layers": [(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)]},
            {"layers": [(1, 1), (1, 1), (1, 1)]},
        ],
    ),
)
def _(answer):
    """Small stacks, counted by hand; then the paper's."""
    known = {
        "the layers are gone through from the first to the last. A pixel of the last "
        "layer is known to be one; begin there and go back.": _forward,
        "the strides are left out: after a layer of stride 2, neighbours lie two "
        "pixels apart.": _without_strides,
        "this multiplies kernels. Two 3 x 3 layers see 5 pixels, not 9: their windows "
        "overlap.": _product,
        "r * stride + kernel counts one stride too many: r neighbours have r - 1 gaps "
        "between them.": _whole_stride,
        "this begins with 0 pixels; the last layer's number is one pixel: begin with "
        "1.": _from_nothing,
        "kernel and stride are exchanged: each entry is (kernel, "
        "stride).": lambda layers: pix2pix.receptive_field(
            [(stride, kernel) for kernel, stride in layers]),
        "this multiplies strides; it is the step from one logit to the next, not what "
        "a logit sees.": lambda layers: _strides(layers),
        "the last layer's kernel alone is returned.": lambda layers: layers[-1][0],
        "this is the patch's area, in pixels; its side is asked "
        "for.": lambda layers: pix2pix.receptive_field(layers) ** 2,
    }  # fmt: skip
    stacks = [[(3, 1)], [(3, 1), (3, 1)], [(4, 2), (3, 1)], [(2, 2), (5, 3), (3, 1)]]
    stacks.append([(4, 3), (3, 2)])
    inputs = [(stack,) for stack in stacks]
    diagnose(answer, inputs, pix2pix.receptive_field, known, what="the field")


def _strides(layers):
    step = 1
    for _, stride in layers:
        step *= stride
    return step


# ---------------------------------------------------------------- 06.4, the two terms


@exercise(
    "06.4",
    title="Look real, and be near",
    minutes=10,
    difficulty=2,
    reference=pix2pix.generator_loss,
    promise=Promise(
        "scalar",
        lambda: [
            {"fake_logits": normal(2, 1, 3, 3), "drawn": normal(2, 3, 8, 8, seed=2),
             "truth": normal(2, 3, 8, 8, seed=3), "weight": 100.0},
            {"fake_logits": normal(16, 1, 14, 14), "drawn": normal(16, 3, 32, 32),
             "truth": normal(16, 3, 32, 32, seed=3), "weight": 0.0},
        ],
        gradient=("fake_logits", "drawn"),
        either=("truth",),
    ),
)  # fmt: skip
def _(answer):
    """Values, by the parts that are missing or of another kind."""
    game, near = nonsaturating_loss, F.l1_loss

    known = {
        "the distance is missing: G would be free to draw any bird that looks "
        "real.": lambda f, d, t, w: game(f),
        "the game is missing: the distance alone gives the dull median of all birds "
        "that fit.": lambda f, d, t, w: w * near(d, t),
        "the distance is squared (L2); eq. (1) has absolute "
        "differences.": lambda f, d, t, w: game(f) + w * F.mse_loss(d, t),
        "the weight stands at both parts; it belongs to the distance "
        "alone.": lambda f, d, t, w: w * (game(f) + near(d, t)),
        "100 stands here, whatever `weight` is.":
            lambda f, d, t, w: game(f) + 100 * near(d, t),
        "the weight stands at the game; it belongs to the "
        "distance.": lambda f, d, t, w: w * game(f) + near(d, t),
        "the weight is missing.": lambda f, d, t, w: game(f) + near(d, t),
        "this is the saturating loss, log(1 - D): nonsaturating_loss(fake_logits) is "
        "ready.": lambda f, d, t, w: -F.softplus(f).mean() + w * near(d, t),
        "the logits went through a sigmoid first; nonsaturating_loss has it inside and "
        "takes them as they are.":
            lambda f, d, t, w: game(f.sigmoid()) + w * near(d, t),
        "the sign of the game is turned round: G would learn to be found "
        "out.": (lambda f, d, t, w: F.softplus(f).mean() + w * near(d, t),
                 lambda f, d, t, w: w * near(d, t) - game(f)),
        "the distance is added up over the pixels; E is a mean over pixels and "
        "channels.": (
            lambda f, d, t, w: game(f) + w * (d - t).abs().sum(),
            lambda f, d, t, w: game(f) + w * (d - t).abs().sum() / len(d)),
        "the game is added up over the patches; it is their "
        "mean.": lambda f, d, t, w: F.softplus(-f).sum() + w * near(d, t),
        "the signs of differences cancel here: take the absolute value of each first, "
        "then the mean.": (
            lambda f, d, t, w: game(f) + w * (d - t).mean(),
            lambda f, d, t, w: game(f) + w * (d - t).mean().abs()),
    }  # fmt: skip
    inputs = [
        (normal(2, 1, 3, 3), normal(2, 3, 4, 4, seed=2), normal(2, 3, 4, 4, seed=3), w)
        for w in (100.0, 2.5)
    ]
    diagnose(answer, inputs, pix2pix.generator_loss, known, what="the loss")
    _where_d_is_sure(answer)


def _where_d_is_sure(answer) -> None:
    """A game that is finite where D is very sure."""
    sure = answer(torch.full((1, 1, 2, 2), -300.0), *[torch.zeros(1, 3, 2, 2)] * 2, 1.0)
    expect_close(
        sure,
        300.0,
        "the loss where D is very sure. (A log of a sigmoid is -inf there, and a small "
        "number inside the log cuts it off; nonsaturating_loss stays right.) It",
        rtol=1e-2,
    )


# ------------------------------------------------------------------ 06.5, the way back


@exercise(
    "06.5",
    title="There and back",
    minutes=15,
    difficulty=3,
    reference=cyclegan.generators_turn,
    promise=Promise(
        "tensors",
        lambda: [
            {"x": normal(2, 3, 4, 4), "y": normal(2, 3, 4, 4, seed=2), **networks(),
             "weight": 10.0},
            {"x": normal(4, 3, 8, 8), "y": normal(4, 3, 8, 8, seed=2), **networks(),
             "weight": 10.0},
        ],
        gradient=("to_y", "to_x"),
        either=("x", "y", "d_x", "d_y"),
        double=False,  # the networks have weights of float32
        anywhere=False,  # and are on the CPU
    ),
)  # fmt: skip
def _(answer):
    """Turns that we know, on translators that count what they draw."""
    inputs = [normal(2, 3, 4, 4), normal(2, 3, 4, 4, seed=2)]
    to_y, to_x, d_x, d_y = translators()
    got = answer(*[p.clone() for p in inputs], to_y, to_x, d_x, d_y, 10.0)
    if not (isinstance(got, (tuple, list)) and len(got) == 3):
        raise Wrong("three things are asked for: the loss, G(x) and F(y).")
    expect(
        max(to_y.calls, to_x.calls) <= 2,
        f"the two generators draw {to_y.calls} and {to_x.calls} times; two each are "
        "enough: G(x) and G(F(y)), F(y) and F(G(x)). Keep what you drew.",
    )
    loss, fake_y, fake_x = got
    if not isinstance(loss, Tensor):
        raise Wrong(
            "a tensor is wanted: .item(), float() and .numpy() lose its gradient."
        )
    if loss.ndim:
        raise Wrong("the loss comes first, one number: (loss, G(x), F(y)).")
    expect_shape(fake_y, (2, 3, 4, 4), "G(x)")
    want = cyclegan.generators_turn(*inputs, to_y, to_x, d_x, d_y, 10.0)
    expect(
        not torch.allclose(fake_y, want[2]) or torch.allclose(want[1], want[2]),
        "the two translations are exchanged: G(x) first, then F(y).",
    )
    expect(
        not torch.allclose(fake_y, to_x(inputs[0])),
        "the generators are exchanged: G is `to_y`, it takes x to Y.",
    )
    expect_close(fake_y, want[1], "G(x)")
    expect_close(fake_x, want[2], "F(y)")
    expect(
        not loss.requires_grad or (fake_y.requires_grad and fake_x.requires_grad),
        "the loss may be right; hand the two translations on as they are, not "
        "detached: the discriminators' turn detaches them itself.",
    )
    if not torch.allclose(loss, want[0], atol=1e-5):
        known = turn_with(*inputs, to_y, to_x, d_x, d_y, 10.0)
        for message, wrong in known.items():
            ways = [wrong] if isinstance(wrong, Tensor) else wrong
            if any(torch.allclose(loss, way, atol=1e-5) for way in ways):
                raise Wrong(message)
        expect_close(loss, want[0], "the loss")
    _without_the_way_back(answer, inputs)


def _without_the_way_back(answer, inputs) -> None:
    """With weight 0 the loss is the game's alone."""
    given = *inputs, *translators()
    loss = answer(*given, 0.0)[0]
    ten = cyclegan.generators_turn(*given, 10.0)[0]
    expect(not torch.allclose(loss, ten), "10 stands here, whatever `weight` is.")
    expect_close(
        loss,
        cyclegan.generators_turn(*given, 0.0)[0],
        "with weight 0, the loss",
    )


# --------------------------------------------------------------------- 06.6, the pool


def _places(count: int, of: int, seed: int = 5) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randperm(of, generator=random)[:count]


def _by_number(new, pool, places, swap):
    """The first places of the pool, whatever was drawn."""
    return cyclegan.exchange(new, pool, torch.arange(len(new)), swap)


POOL_SLIPS = {
    "where swap is true the old picture is shown, else the new one; here it is the "
    "other way round.": lambda n, p, i, s: cyclegan.exchange(n, p, i, ~s),
    "the new picture is shown and kept, and the old one lost without having been shown "
    "again.": lambda n, p, i, s: (n, cyclegan.exchange(n, p, i, s)[1]),
    "the old picture is shown and stays in the pool: the new one is lost, and the pool "
    "never changes.": lambda n, p, i, s: (cyclegan.exchange(n, p, i, s)[0], p),
    "every new picture goes into the pool, swapped or not; where swap is false the "
    "pool stays as it is.": lambda n, p, i, s: (
        cyclegan.exchange(n, p, i, s)[0], p.index_copy(0, i, n)),
    "the first places of the pool are taken; take those of `places`.": _by_number,
    "every picture is exchanged, whatever swap says.": lambda n, p, i, s: (
        cyclegan.exchange(n, p, i, torch.ones_like(s))),
    "the old picture is shown each time; where swap is false the new one is "
    "shown.": lambda n, p, i, s: (p[i], cyclegan.exchange(n, p, i, s)[1]),
    "nothing is ever exchanged: D sees the new pictures only.":
        lambda n, p, i, s: (n, p),
}  # fmt: skip


@exercise(
    "06.6",
    title="A pool of old pictures",
    minutes=15,
    difficulty=3,
    reference=cyclegan.exchange,
    promise=Promise(
        "tensors",
        lambda: [
            {"new": normal(b, 3, 4, 4), "pool": normal(n, 3, 4, 4, seed=2),
             "places": _places(b, n), "swap": torch.arange(b) % 2 == 0}
            for b, n in [(3, 5), (4, 50), (50, 50)]
        ],
        either=("new", "pool"),
    ),
)  # fmt: skip
def _(answer):
    """What is shown and what is kept, by the slips that we know."""
    new, pool = normal(4, 1, 2, 2), normal(6, 1, 2, 2, seed=2)
    swap = torch.tensor([True, False, False, True])
    given = new, pool, _places(4, 6), swap
    got = answer(*[part.clone() for part in given])
    if not (isinstance(got, (tuple, list)) and len(got) == 2):
        raise Wrong("two things are asked for: what D is shown, and the pool after.")
    want = cyclegan.exchange(*given)
    expect_shape(got[0], (4, 1, 2, 2), "what D is shown", "(B, C, H, W)")
    expect_shape(got[1], (6, 1, 2, 2), "the pool", "(N, C, H, W)")
    if all(torch.allclose(g, w) for g, w in zip(got, want)):
        return
    for message, wrong in POOL_SLIPS.items():
        if all(torch.allclose(g, w) for g, w in zip(got, wrong(*given))):
            raise Wrong(message)
    expect_close(got[0], want[0], "what D is shown")
    expect_close(got[1], want[1], "the pool after")
