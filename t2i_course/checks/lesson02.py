"""Checks of lesson 02: half steps, batch norm, the start, a penalty, pyramids, arcs."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..blocks import initialize
from ..inside import latent
from ..papers import dcgan, lapgan
from .compare import normal
from .core import Promise, Wrong, diagnose, exercise, expect, expect_close, expect_shape
from .penalty import Bowl, Critic, check_places, check_points, penalties
from .pyramids import always_from_the_top, own_ways, pyramid_of
from .starts import (
    NAMES,
    SomeLayers,
    check_convolutions,
    check_norms,
    few_layers,
    touched,
)

# ------------------------------------------------------------------ 02.1, half steps


def _apart(maps: Tensor, side: int, first: int = 0) -> Tensor:
    """Maps spread over side x side places, every other one from `first` on."""
    spread = maps.new_zeros(*maps.shape[:2], side, side)
    spread[:, :, first::2, first::2] = maps
    return spread


def _over_repeated() -> list:
    """Convolutions over each value repeated, as long as they get that far."""

    def answer(crop, padding):
        def convolve(maps, kernel):
            large = F.interpolate(maps, scale_factor=2)
            large = large[..., : large.shape[-1] - crop, : large.shape[-1] - crop]
            return F.conv2d(F.pad(large, padding), kernel)

        return convolve

    # left, right, above, below; the last is what padding="same" adds to a kernel of 4
    sides = [(n, n, n, n) for n in (2, 1, 0)] + [(1, 2, 1, 2)]
    return [answer(crop, padding) for crop in (0, 1) for padding in sides]


@exercise(
    "02.1",
    title="A convolution at half steps",
    minutes=10,
    difficulty=2,
    reference=dcgan.fractionally_strided,
    promise=Promise(
        "tensor",
        lambda: [
            {"maps": normal(b, i, s, s), "kernel": normal(o, i, 4, 4, seed=2)}
            for b, i, o, s in [(2, 3, 5, 4), (1, 64, 3, 8)]
        ],
        either=("maps", "kernel"),
        double=False,
        anywhere=False,
    ),
)
def _(answer):
    """Values on seeded maps and kernels; known mistakes by name."""
    known = {
        "the map isn't spread: this convolves it as it is, and each side grows by one "
        "place in place of doubling. Put a zero between neighbours "
        "first.": lambda m, k: F.conv2d(m, k, padding=2),
        "there is a zero after the last value of each row and column, too: a side of S "
        "values has S - 1 gaps, so 2S - 1 places in "
        "all.": lambda m, k: F.conv2d(_apart(m, 2 * m.shape[-1]), k, padding=2),
        "the values sit at the odd places, with a zero before the first: they belong "
        "at 0, 2, 4, ...: [:, :, ::2, ::2].": lambda m, k: F.conv2d(
            _apart(m, 2 * m.shape[-1], 1), k, padding=2),
        "the padding is too small: with padding=1 the result has 2S - 2 places a side; "
        "padding=2 gives 2S.": lambda m, k: F.conv2d(
            _apart(m, 2 * m.shape[-1] - 1), k, padding=1),
        "this repeats each value (nearest upsampling) in place of putting zeros "
        "between: that is what a network with rule 1 broken does.":
            _over_repeated(),
        "this fills the gaps with values in between (interpolation): put zeros there; "
        "the kernel is what fills them.": lambda m, k: F.conv2d(
            F.interpolate(m, 2 * m.shape[-1] - 1, mode="bilinear", align_corners=True),
            k, padding=2),
        "the kernel acts turned by 180 degrees: F.conv2d over the spread map takes it "
        "as it is. (F.conv_transpose2d with stride 2 and padding 1 gives just this: "
        "its kernel must be turned first, kernel.flip(2, 3).)":
            lambda m, k: F.conv_transpose2d(m, k.transpose(0, 1), None, 2, 1),
    }  # fmt: skip
    inputs = [(normal(2, 3, 4, 4), normal(5, 3, 4, 4, seed=2))]
    inputs += [(normal(1, 1, 5, 5, seed=3), normal(2, 1, 4, 4, seed=4))]
    diagnose(answer, inputs, dcgan.fractionally_strided, known, what="the result")


# ------------------------------------------------------------------- 02.2, batch norm


def _norm_over(maps, scale, shift, over, unbiased=False, eps=1e-5, power=0.5):
    """Normalization over any axes."""
    mean = maps.mean(over, keepdim=True)
    variance = maps.var(over, unbiased=unbiased, keepdim=True)
    normal = (maps - mean) / (variance + eps) ** power
    return scale[:, None, None] * normal + shift[:, None, None]


WHOLE = (0, 2, 3)  # the batch and all places
NORM_ERRORS = {
    "the mean is taken over each picture alone (all of its channels): that is "
    "layer norm. Average over the batch and the places, channel by "
    "channel.": lambda m, a, b: _norm_over(m, a, b, (1, 2, 3)),
    "the mean is taken over each channel of each picture alone (instance norm): "
    "average over the batch too, axes (0, 2, "
    "3).": lambda m, a, b: _norm_over(m, a, b, (2, 3)),
    "the mean is taken over the batch for each place: average over the places as "
    "well, axes (0, 2, 3).": lambda m, a, b: _norm_over(m, a, b, (0,)),
    "the mean is taken over everything, the channels too: each channel has its own "
    "mean and variance.": lambda m, a, b: _norm_over(m, a, b, (0, 1, 2, 3)),
    "the variance divides by the count less one; batch norm divides by the count: "
    "unbiased=False.": lambda m, a, b: _norm_over(m, a, b, WHOLE, True),
    "this divides by the variance; the deviation is its "
    "root.": lambda m, a, b: _norm_over(m, a, b, WHOLE, power=1.0),
    "scale and shift are missing: after all channels have mean 0 and deviation 1, "
    "each is multiplied by its scale and moved by its "
    "shift.": lambda m, a, b: _norm_over(m, 0 * a + 1, 0 * b, WHOLE),
    "the shift is missing.": lambda m, a, b: _norm_over(m, a, 0 * b, WHOLE),
    "scale and shift are exchanged.": lambda m, a, b: _norm_over(m, b, a, WHOLE),
    "the shift is added before the scale multiplies: scale * x + "
    "shift.": lambda m, a, b: _norm_over(m, a, a * b, WHOLE),
    "the mean isn't taken away.": lambda m, a, b: _norm_over(m, a, b, WHOLE)
    + a[:, None, None] * m.mean(WHOLE, keepdim=True)
    / (m.var(WHOLE, unbiased=False, keepdim=True) + 1e-5).sqrt(),
}  # fmt: skip


@exercise(
    "02.2",
    title="Batch norm",
    minutes=10,
    difficulty=2,
    reference=dcgan.batch_norm,
    promise=Promise(
        "tensor",
        lambda: [
            {
                "maps": normal(b, c, s, s),
                "scale": normal(c, seed=2),
                "shift": normal(c, seed=3),
            }
            for b, c, s in [(4, 3, 5), (64, 8, 4)]
        ],
        gradient=("maps", "scale", "shift"),
    ),
)
def _(answer):
    """Values, a channel that is the same everywhere, and the gradient."""
    scale, shift = normal(3, seed=2) + 2, normal(3, seed=3)
    inputs = [(normal(4, 3, 5, 5) * 2 + 1, scale, shift)]
    inputs += [(normal(2, 3, 2, 2, seed=5), scale + 1, shift - 1)]
    diagnose(answer, inputs, dcgan.batch_norm, NORM_ERRORS, what="the result")
    flat = answer(torch.ones(2, 3, 4, 4), scale, shift)
    expect(
        torch.isfinite(flat).all(),
        "a channel that is the same everywhere has variance 0, and this divides 0 by "
        "0: add 1e-5 to the variance, under the root.",
    )
    small = 1e-3 * normal(4, 3, 5, 5, seed=6)
    near = dcgan.batch_norm(small, scale, shift)
    expect(
        torch.allclose(answer(small, scale, shift), near, atol=0.02),
        "for a channel that hardly varies the values are off: add 1e-5 to the "
        "variance, under the root (not to the deviation).",
    )
    maps = normal(4, 3, 5, 5, seed=7).requires_grad_()
    weight = normal(4, 3, 5, 5, seed=8)
    (answer(maps, scale, shift) * weight).sum().backward()
    expect(maps.grad is not None, "no gradient reaches the maps.")
    expect(
        maps.grad.sum((0, 2, 3)).abs().max() < 1e-3,
        "the values are right, but the gradient doesn't know that the mean moves with "
        "the maps: leave mean and variance attached (no detach, no no_grad).",
    )


# -------------------------------------------------------------------- 02.3, the start


@exercise(
    "02.3",
    title="The start",
    minutes=10,
    difficulty=2,
    reference=initialize,
    promise=Promise(
        "network",
        lambda: [{"network": few_layers()}],
        in_place=("network",),
        either=("network",),
    ),
)
def _(answer):
    """A network with every kind of layer, all of its values set to one half before."""
    network = SomeLayers()
    given = answer(network)
    expect(
        given is network,
        "the function should change the network itself and return it"
        + (" (a `return network` is missing)." if given is None else "."),
    )
    expect(
        touched(network.down) <= touched(network.deep[0][0]),
        "the layers directly in the network are started, but not those that lie "
        "deeper, in a part of a part: .children() goes one level down, "
        ".modules() all the way.",
    )
    check_convolutions(network)
    check_norms(network)
    biases = [network.get_submodule(name).bias for name in NAMES]
    expect(
        not any(bias.any() for bias in biases),
        "the convolutions' biases are not 0. (Mind that a layer may have none: then "
        "its .bias is None.)",
    )
    answer(few_layers())


# ------------------------------------------------------------------ 02.4, the penalty


@exercise(
    "02.4",
    title="The gradient penalty",
    minutes=15,
    difficulty=4,
    reference=dcgan.gradient_penalty,
    promise=Promise(
        "scalar",
        lambda: [
            {"critic": Bowl(), "real": normal(*shape), "fake": normal(*shape, seed=2)}
            for shape in [(6, 3, 4, 4), (5, 1)]
        ],
        gradient=("critic",),
        stopped=("fake",),
        either=("real",),
        random=True,
        double=False,
        anywhere=False,
    ),
)
def _(answer):
    """A critic whose slope is known everywhere, and that notes where it is asked."""
    critic = Critic()
    real, fake = normal(6, 3, 4, 4, scale=0.3), normal(6, 3, 4, 4, seed=2, scale=0.3)
    fake.requires_grad_()
    found = answer(critic, real, fake)
    expect(critic.places, "the critic isn't asked at all.")
    places = critic.asked(real)
    check_places(places, real, fake.detach())
    expect_shape(found, (), "the penalty")
    slopes = 0.7 * places.flatten(1)
    want = (slopes.norm(dim=1) - 1).square().mean()
    got = torch.as_tensor(found).detach()
    if not torch.allclose(got, want, atol=1e-5, rtol=1e-4):
        for message, value in penalties(slopes).items():
            if torch.allclose(got, value, atol=1e-5, rtol=1e-4):
                raise Wrong(message)
        expect_close(got, want, "the penalty")
    expect(
        torch.as_tensor(found).requires_grad,
        "the value is right, but no gradient leads from it to the critic's weights: "
        "torch.autograd.grad needs create_graph=True.",
    )
    reached = torch.autograd.grad(found, [critic.weight, fake], allow_unused=True)
    expect(
        reached[0] is not None,
        "the value is right, but no gradient leads from it to the critic's weights: "
        "torch.autograd.grad needs create_graph=True.",
    )
    long = places.flatten(1).norm(dim=1)
    expect(
        torch.isclose(reached[0], (2 * (0.7 * long - 1) * long).mean(), rtol=1e-3),
        "the value is right, but only a part of its gradient leads back to the "
        "critic's weights: is a part of the penalty detached?",
    )
    expect(
        reached[1] is None,
        "a gradient flows back into the drawn pictures, and so to the generator, whose "
        "turn it isn't: detach the places in between, then requires_grad_().",
    )
    check_points(answer)


# ------------------------------------------------------------------ 02.5, the pyramid


@exercise(
    "02.5",
    title="The Laplacian pyramid",
    minutes=10,
    difficulty=2,
    reference=lapgan.build,
    promise=Promise(
        "tensors",
        lambda: [
            {"pictures": normal(2, 3, 16, 16), "levels": 3},
            {"pictures": normal(8, 3, 32, 32), "levels": 3},
        ],
        either=("pictures",),
    ),
)
def _(answer):
    """Levels of seeded pictures; known mistakes by name; put together again."""
    up, build = lapgan.expand, lapgan.build
    known = {
        "the order is from fine to coarse; the small picture comes first, then the "
        "details, coarse to fine.": lambda x, n: build(x, n)[::-1],
        "the small picture is there, but the details come fine to coarse: each "
        "reduction makes the next coarser, so turn their order round.": lambda x, n: [
            build(x, n)[0], *build(x, n)[:0:-1]],
        "the details have the wrong sign: they are what is added to the enlarged small "
        "picture.": lambda x, n: pyramid_of(x, n, lambda p, s, _: up(s) - p),
        "these are the pictures themselves at each size, not what the enlarged smaller "
        "one lacks: take expand(small) away.": lambda x, n: pyramid_of(
            x, n, lambda p, s, _: p),
        "these are the enlarged small pictures; the details are what they "
        "lack.": lambda x, n: pyramid_of(x, n, lambda p, s, _: up(s)),
        "each level reduces the first picture again: go on with the smaller "
        "one.": always_from_the_top,
        "there is one level too many: `levels` counts the small picture "
        "too.": lambda x, n: build(x, n + 1),
        "the small picture is missing: details alone can't be put together "
        "again.": lambda x, n: build(x, n)[1:],
        "each level's details are kept, but the last picture is the large one, where "
        "the smallest belongs.": lambda x, n: [x, *build(x, n)[1:]],
    }  # fmt: skip
    known.update(own_ways())
    inputs = [(normal(2, 3, 16, 16), 3), (normal(1, 1, 8, 8, seed=2), 2)]
    diagnose(answer, inputs, build, known, what="the pyramid")


# ---------------------------------------------------------------------- 02.6, the arc


def _arc(start, end, t, weight=None, angle=None):
    """The arc's formula with parts exchanged."""
    cosine = (start * end).sum(-1, keepdim=True)
    if angle is None:
        cosine = cosine / start.norm(dim=-1, keepdim=True)
        cosine = cosine / end.norm(dim=-1, keepdim=True)
        omega = cosine.clamp(-1, 1).acos()
    else:
        omega = angle(cosine)
    weight = weight or (lambda s, w: (s * w).sin() / w.sin())
    return weight(1 - t, omega) * start + weight(t, omega) * end


@exercise(
    "02.6",
    title="Along the arc",
    minutes=10,
    difficulty=2,
    reference=latent.slerp,
    promise=Promise(
        "tensor",
        lambda: [
            {
                "start": latent.to_shell(normal(size)),
                "end": latent.to_shell(normal(size, seed=2)),
                "t": t,
            }
            for size, t in [(30, torch.linspace(0, 1, 5)[:, None]), (100, 0.3)]
        ],
        either=("start", "end", "t"),
    ),
)
def _(answer):
    """Two vectors of one length in many dimensions; known mistakes by name."""

    def shortened(a, b, t):
        line = latent.lerp(a, b, t)
        return line * a.norm() / line.norm(dim=-1, keepdim=True)

    known = {
        "this is the straight line (lerp): its middle is nearer to the origin than "
        "its ends.": latent.lerp,
        "start and end are exchanged: at t = 0 it should be at `start`.":
            lambda a, b, t: latent.slerp(b, a, t),
        "the weights don't divide by sin(w): at t = 0 the weight of `start` should be "
        "1.": lambda a, b, t: _arc(a, b, t, lambda s, w: (s * w).sin()),
        "the weights use the cosine where the formula has the "
        "sine.": lambda a, b, t: _arc(a, b, t, lambda s, w: (s * w).cos() / w.cos()),
        "the result has length 1: the weights multiply `start` and `end` themselves, "
        "not their directions.": lambda a, b, t: latent.slerp(a, b, t) / a.norm(),
        "this is the straight line, stretched to the right length: it is on the arc, "
        "but turns fastest in the middle. The formula turns "
        "evenly.": shortened,
        "w is the cosine of the angle here: take its arc cosine, "
        "torch.acos.": lambda a, b, t: _arc(
            a, b, t, angle=lambda c: c / (a.norm() * b.norm())),
    }  # fmt: skip
    ends = [latent.to_shell(normal(30, seed=seed)) for seed in (1, 2, 3, 4)]
    t = torch.linspace(0, 1, 5)[:, None]
    inputs = [(ends[0], ends[1], t), (ends[2], ends[3], t), (ends[0], ends[3], 0.3)]
    try:
        made = answer(ends[0], ends[1], t)
    except NotImplementedError:  # a kind of RuntimeError: not done yet
        raise
    except RuntimeError as error:
        raise Wrong(f"it can't take t as a column of shape (T, 1): {error}") from error
    expect(
        not torch.isnan(torch.as_tensor(made)).any(),
        "the result is nan: torch.acos was given a number beyond 1. Divide the dot "
        "product by both lengths.",
    )
    diagnose(answer, inputs, latent.slerp, known, what="the arc", atol=1e-4)
    expect(math.isclose(float(answer(ends[0], ends[1], 0.5).norm()),
                        float(ends[0].norm()), rel_tol=1e-3),
           "the middle of the arc should be as far from the origin as its "
           "ends.")  # fmt: skip
