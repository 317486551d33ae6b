"""Where the gradients of a vector quantizer go: what 04.2 and 04.3 are judged by."""

from __future__ import annotations

import torch
from torch import Tensor

from .compare import Wrong, normal

__all__ = ["diagnose_copy", "diagnose_pulls", "gradients", "pulls"]


def gradients(function, encoded: Tensor, entries: Tensor, weight: Tensor):
    """What arrives at z_e and at the entries when `weight` arrives at the result.

    And whether z_e has any path to it.
    """
    z, e = (x.detach().clone().requires_grad_() for x in (encoded, entries))
    made = function(z, e)
    if not (isinstance(made, Tensor) and made.requires_grad):
        return torch.zeros_like(z), torch.zeros_like(e), False
    found = torch.autograd.grad((made * weight).sum(), [z, e], allow_unused=True)
    arrived = [torch.zeros_like(z) if g is None else g for g in found]
    return *arrived, found[0] is not None


def diagnose_copy(
    to_encoder: Tensor, to_entries: Tensor, weight: Tensor, cancels: bool = False
) -> None:
    """The values are right; says what is wrong with the gradient, if anything is.

    cancels: z_e has a path to the result, though its gradients may add up to 0.
    """
    copied = torch.allclose(to_encoder, weight, atol=1e-5)
    still = to_entries.abs().max() < 1e-6
    if copied and still:
        return
    if copied:
        raise Wrong(
            "the values are right and the encoder gets the gradient, but the entries "
            "get one too; slide GM-7: the dictionary vector is not updated by it. "
            "Detach the entries."
        )
    if to_encoder.abs().max() == 0 and still:
        raise Wrong(
            "the values are right, but no gradient arrives anywhere: with this the "
            "encoder never learns. Copy it to z_e: z_e must enter undetached."
        )
    if to_encoder.abs().max() == 0 and cancels:
        raise Wrong(
            "the value is right, but z_e comes in twice undetached, with a plus and a "
            "minus, and the two gradients cancel: nothing reaches the encoder, and the "
            "entries move instead. Detach the difference, (entries - encoded).detach()."
        )
    if to_encoder.abs().max() == 0:
        raise Wrong(
            "these are the entries as they are: the gradient stops at them and moves "
            "the codebook, and none reaches the encoder. Only their values are wanted, "
            "with the gradient of z_e."
        )
    if torch.allclose(to_encoder, -weight, atol=1e-5):
        raise Wrong(
            "the values are right, but the gradient comes to z_e turned round, as if "
            "walking away from e helped. z_e must enter with a plus, undetached."
        )
    raise Wrong(
        "the values are right, but the gradient that reaches z_e is not a copy of the "
        f"one that arrived: it is {_factor(to_encoder, weight)} times as large. "
        "z_e should enter once, undetached, and nothing else with a gradient: z_e plus "
        "a detached difference."
    )


def _factor(found: Tensor, wanted: Tensor) -> str:
    """How many times as large, on average, in words."""
    return f"{float((found * wanted).sum() / wanted.square().sum()):.2g}"


def pulls(answer, seed: int = 5, beta: float = 0.25):
    """The gradients of a loss, in units of those of |z_e - e|^2's mean."""
    z, e = normal(2, 3, 4, 4, seed=seed), normal(2, 3, 4, 4, seed=seed + 1)
    z.requires_grad_(), e.requires_grad_()
    error = torch.tensor(0.7, requires_grad=True)
    loss = answer(error, z, e, beta)
    found = torch.autograd.grad(loss, [error, z, e], allow_unused=True)
    unit = 2 * (z - e).detach() / z.numel()
    to_error = 0.0 if found[0] is None else float(found[0])
    sides = [
        0.0 if g is None else float((g * unit).sum() / unit.square().sum()) * sign
        for g, sign in zip(found[1:], (1, -1))
    ]
    return to_error, *sides


def diagnose_pulls(encoder: float, entries: float, beta: float) -> None:
    """The values are right; says which sg is wrong."""

    def is_about(x, want):
        return abs(x - want) < 1e-3

    if is_about(encoder, 1 + beta) and is_about(entries, 1 + beta):
        raise Wrong(
            "the value is right, but both terms move both sides: the stop-gradients "
            "sg[.] are missing. Detach z_e in the second term and e in the third."
        )
    if is_about(encoder, 1) and is_about(entries, beta):
        raise Wrong(
            "the stop-gradients are exchanged: beta weighs what holds the encoder, the "
            "term with sg[e]. Here it weighs what moves the entries."
        )
    if is_about(encoder, 1 + beta):
        raise Wrong(
            "the second term also pulls the encoder: detach z_e in it, so that only "
            "the entries move."
        )
    if is_about(entries, 1 + beta):
        raise Wrong(
            "the third term also moves the entries: detach e in it, so that only the "
            "encoder is held."
        )
    if is_about(encoder, 0) and is_about(entries, 0):
        raise Wrong(
            "the value is right, but neither z_e nor e gets a gradient: one side only "
            "is detached in each term."
        )
    raise Wrong(
        f"the value is right, but the encoder's pull is {encoder:.2f} (should be beta "
        f"= {beta}), the entries' {entries:.2f} (should be 1). What is detached?"
    )
