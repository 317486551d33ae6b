"""Answers to lesson 14's last exercise that go wrong in one step, and why.

A small editor whose maps bend strongly, so that it shows what was mixed, and where:
pixels, what the encoder sees, or changed pictures. SOURCES holds slips by diagnosis.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..papers import sisgan
from .compare import Wrong, expect_close, normal

__all__ = ["SOURCES", "STOPS", "editor", "expect_ends", "sources", "tried"]


def editor(size: int = 16, downs: int = 1) -> sisgan.Generator:
    """A seeded generator in evaluation mode: text of 6 numbers, a c of 3."""
    made = sisgan.Generator(size, base=4, blocks=1, embedding=6, condition=3,
                            downs=downs)  # fmt: skip
    for number, weight in enumerate(made.parameters()):
        wide = weight[0].numel() if weight.ndim > 1 else 1
        drawn = normal(*weight.shape, seed=20 + number)
        weight.data = 1.5 * drawn / wide**0.5 if weight.ndim > 1 else 0.3 * drawn
    for layer in made.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.weight.data += 1.0
    return made.eval()


def sources(share: float = 0.3, size: int = 16, downs: int = 1, seed: int = 1) -> dict:
    """A call of 14.5."""
    one, other = (
        normal(3, 3, size, size, seed=seed + i, scale=0.6).clamp(-1, 1)
        for i in range(2)
    )
    return {"generator": editor(size, downs), "one": one, "other": other,
            "text": normal(3, 6, seed=seed + 2), "noise": normal(3, 3, seed=seed + 3),
            "share": share}  # fmt: skip


# Part of what torch says, and what it means here.
PARTS = (
    "generator.augmentation(text, noise) gives three things, c, mu and log sigma; "
    "decode wants the first alone: c, *_ = ..."
)
MIXED = (
    "one of the two that are mixed is a tuple: generator.draw and "
    "generator.augmentation give three things at once. Mix what generator.encoder "
    "gives, which is one tensor."
)
STOPS = {
    "tuple indices must be": PARTS,
    "'tuple' object has no attribute": PARTS,
    "'tuple' and": MIXED,
    "and 'tuple'": MIXED,
    "must be Tensor, not tuple": MIXED,
    "can't multiply sequence": MIXED,
    "shapes cannot be multiplied": "generator.augmentation takes the text (B, "
    "embedding) first and then the noise (B, noise_size).",
    "channels": "a map has a number of channels that a layer doesn't expect: decode "
    "takes first what the encoder has seen, generator.encoder(pictures), then c (B, "
    "condition), the first of what generator.augmentation gives. (Not pictures, and "
    "not the text itself.)",
    "the number of sizes provided": "decode takes first what the encoder has seen, and "
    "then c, (B, condition).",
    "has no attribute 'encode'": "the generator's parts are called encoder, "
    "augmentation and decode.",
}


def tried(answer, *given, stops=STOPS):
    """The answer's result; where torch stops, what that means here."""
    try:
        return answer(*given)
    except (RuntimeError, TypeError, AttributeError, IndexError) as error:
        meant = [stops[part] for part in stops if part in str(error)]
        if not meant:
            raise
        raise Wrong(meant[0]) from None


# -------------------------------------------------------------------------- the slips


def _mixed(one: Tensor, other: Tensor, share: float) -> Tensor:
    return (1 - share) * one + share * other


def _slip(told=lambda c, mean, log_sigma: c, mix=_mixed, end=lambda x: x):
    """A wrong answer: what is told, how maps are mixed, or what is done at the end."""

    def wrong(generator, one, other, text, noise, share):
        c = told(*generator.augmentation(text, noise))
        seen = mix(generator.encoder(one), generator.encoder(other), share)
        return end(generator.decode(seen, c))

    return wrong


def _of_text(change):
    def wrong(generator, one, other, text, noise, share):
        return _slip()(generator, one, other, *change(text, noise, share), share)

    return wrong


def _pixels(generator, one, other, text, noise, share):
    return generator(_mixed(one, other, share), text, noise)


def _afterwards(generator, one, other, text, noise, share):
    made = (generator(pictures, text, noise) for pictures in (one, other))
    return _mixed(*made, share)


def _untold(generator, one, other, text, noise, share):
    seen = _mixed(generator.encoder(one), generator.encoder(other), share)
    return generator.decoder(seen)


def _unjoined(generator, one, other, text, noise, share):
    seen = _mixed(generator.encoder(one), generator.encoder(other), share)
    return generator.decoder(generator.blocks(seen))


def _turned(way):
    return lambda g, a, b, t, n, share: way(g, a, b, t, n, 1 - share)


def _round(one: Tensor, other: Tensor, share: float) -> Tensor:
    """On a sphere: the mixture as long as the two are in the mean."""
    long = _mixed(*(x.flatten(1).norm(dim=1) for x in (one, other)), share)
    made = _mixed(one, other, share)
    return made * (long / made.flatten(1).norm(dim=1))[:, None, None, None]


def _arc(one: Tensor, other: Tensor, share: float) -> Tensor:
    angle = torch.tensor(share * torch.pi / 2)
    return angle.cos() * one + angle.sin() * other


SOURCES = {
    "the pixels are mixed, and then the encoder looks: it sees two birds laid over one "
    "another. Let it see each picture alone, and mix what it has seen.": _pixels,
    "the changed pictures are mixed: that is a cross-fade of two pictures, whatever "
    "the network knows. Mix what the encoder sees, and decode once.": _afterwards,
    "share is the wrong way round: at 0 the picture is `one`'s, at 1 `other`'s, (1 - "
    "share) of one and share of other.": _turned(_slip()),
    "the pixels are mixed, not what the encoder sees, and share is the wrong way "
    "round.": _turned(_pixels),
    "the changed pictures are mixed, not what the encoder sees, and share is the wrong "
    "way round.": _turned(_afterwards),
    "mu is told in place of c, so that the noise goes unused: augmentation gives c "
    "first, then mu and log sigma.": _slip(told=lambda c, mean, log_sigma: mean),
    "log sigma is told in place of c: augmentation gives c first, then mu and log "
    "sigma.": _slip(told=lambda c, mean, log_sigma: log_sigma),
    "the noise given isn't used as it came; hand it to the augmentation.": (
        _of_text(lambda t, n, s: (t, -n)), _of_text(lambda t, n, s: (t, s * n)),
        _of_text(lambda t, n, s: (t, (1 - s) * n)),
        _of_text(lambda t, n, s: (t, torch.ones_like(n)))),
    "the sentence is weighed by share, too; both sources are told one and the same, in "
    "full.": (
        _of_text(lambda t, n, s: (s * t, n)),
        _of_text(lambda t, n, s: ((1 - s) * t, n)),
        lambda g, a, b, t, n, s: g.decode(
            _mixed(g.encoder(a), g.encoder(b), s), s * g.augmentation(t, n)[0]),
        lambda g, a, b, t, n, s: g.decode(
            _mixed(g.encoder(a), g.encoder(b), s), (1 - s) * g.augmentation(t, n)[0])),
    "the sentence isn't told: decoder alone draws without it; decode(seen, c) joins "
    "the two first.": (
        _untold, _unjoined, _slip(told=lambda c, mean, log_sigma: torch.zeros_like(c))),
    "all pictures are told the first one's sentence; row b belongs to picture b.":
        _slip(told=lambda c, mean, log_sigma: c[:1].expand_as(c)),
    "decode ends in a tanh already; this takes it twice.": _slip(end=torch.tanh),
    "the pictures are brought to 0 to 1; leave them in [-1, 1], as decode gives them.":
        (_slip(end=lambda x: (x + 1) / 2), _slip(end=lambda x: x.clamp(0, 1))),
    "`other` isn't used: this is `one` alone, changed.": _slip(mix=lambda a, b, s: a),
    "`one` isn't used: this is `other` alone, changed.": _slip(mix=lambda a, b, s: b),
    "share isn't used: this is half-way, wherever it should be.": _slip(
        mix=lambda a, b, s: (a + b) / 2),
    "both are added without weights: (1 - share) of the one, share of the other.":
        _slip(mix=lambda a, b, s: a + b),
    "only one of the two is weighed: they have (1 - share) and share.": (
        _slip(mix=lambda a, b, s: a + s * b),
        _slip(mix=lambda a, b, s: (1 - s) * a + b),
        _slip(mix=lambda a, b, s: s * a + b),
        _slip(mix=lambda a, b, s: a + (1 - s) * b)),
    "both have the same weight; they have (1 - share) and share.": (
        _slip(mix=lambda a, b, s: s * (a + b)),
        _slip(mix=lambda a, b, s: (1 - s) * (a + b))),
    "the difference is taken the other way round: one + share (other - one).": (
        _slip(mix=lambda a, b, s: a + s * (a - b)),
        _slip(mix=lambda a, b, s: b + s * (b - a))),
    "the mixture is halved once more: the two shares sum to 1 already.":
        _slip(mix=lambda a, b, s: _mixed(a, b, s) / 2),
    "this goes along a circle, as in the noise of earlier lessons; here it is the "
    "straight line, (1 - share) of the one and share of the other.": (
        _slip(mix=_round), _slip(mix=_arc)),
    "the mixture is cut from both: some channels or places are one's and the rest "
    "other's. Mix each number of the two maps.": (
        _slip(mix=lambda a, b, s: torch.where(torch.arange(a.shape[1])[:, None, None]
              < round(s * a.shape[1]), b, a)),
        _slip(mix=lambda a, b, s: torch.where(torch.arange(a.shape[3])
              < round(s * a.shape[3]), b, a))),
}  # fmt: skip


def expect_ends(answer) -> None:
    """At share 0 and 1 nothing is mixed: each source alone, changed by the sentence."""
    for share, name in ((0.0, "one"), (1.0, "other")):
        call = sources(share, seed=8)
        wanted = call["generator"](call[name], call["text"], call["noise"])
        expect_close(
            answer(*call.values()), wanted,
            f"at share {share:.0f}, where it should be what the generator makes of "
            f"`{name}` alone, the picture", rtol=1e-3, atol=1e-4,
        )  # fmt: skip
