"""Layers and translators small enough to follow by hand: what lesson 06 plays with."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..papers.cyclegan import least_squares
from .core import Wrong

__all__ = ["networks", "steps", "translators", "turn_with"]


class Step(nn.Module):
    """Halves or doubles the side, from `inside` to `outside` channels; or says why not.

    what: its name for the learner; below: the step before it on the way, or None.
    """

    def __init__(self, what: str, inside: int, outside: int, below: Step | None = None):
        super().__init__()
        self.what, self.inside, self.up = what, inside, what.startswith("ups")
        self.below, self.made = [below], None  # a list: it is no part of this layer
        rows = torch.arange(float(inside * outside)).view(outside, inside)
        self.weight = nn.Parameter(torch.sin(1 + rows))

    def forward(self, x: Tensor) -> Tensor:
        if not isinstance(x, Tensor) or x.shape[1] != self.inside:
            raise Wrong(self._slip(x))
        x = torch.einsum("oi,bihw->bohw", self.weight, x).tanh()
        self.made = (
            F.interpolate(x, scale_factor=2.0) if self.up else F.avg_pool2d(x, 2)
        )
        return self.made

    def _slip(self, x) -> str:
        """What was likely done in place of the join."""
        got = x.shape[1] if isinstance(x, Tensor) else type(x).__name__
        said = f"{self.what} takes maps of {self.inside} channels, and got {got}: "
        below = self.below[0]
        if not isinstance(x, Tensor):
            return said + "it wants a tensor."
        if 2 * got == self.inside and below is not None and x is below.made:
            return said + "nothing is joined to the map from below."
        if below is not None and x.shape[2:] + x.shape[:1] != (
            below.made.shape[2:] + below.made.shape[:1]
        ):
            return said + "the maps are joined along another axis than 1, the channels."
        if 2 * got == self.inside:
            return said + "were the two maps added? Join them along axis 1 (torch.cat)."
        if got == 2 * self.inside:
            return said + (
                "the innermost map is joined to itself. The first layer up gets it "
                "alone; it has no mirror image."
            )
        return said + (
            "each layer up, but for the first, gets the map from below and, joined to "
            "it, the map of the way down that has its size."
        )


def steps(depth: int, dtype: torch.dtype) -> dict[str, list[nn.Module]]:
    """{"downs", "ups"}: `depth` layers each; channels grow from 3 by one a layer."""
    downs = [Step(f"downs[{i}]", 3 + i, 4 + i) for i in range(depth)]
    ups, below = [], None
    for j, i in enumerate(reversed(range(depth))):
        below = Step(f"ups[{j}]", (4 + i) * (2 if j else 1), 3 + i, below)
        ups.append(below)
    both = {"downs": downs, "ups": ups}
    return {name: [layer.to(dtype) for layer in some] for name, some in both.items()}


class Translator(nn.Module):
    """Pictures (B, 3, H, W) to the same, by a matrix of the channels; counts calls."""

    def __init__(self, start: float):
        super().__init__()
        rows = torch.arange(9.0).view(3, 3)
        self.weight, self.calls = nn.Parameter(torch.sin(start + rows)), 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return torch.einsum("oi,bihw->bohw", self.weight, x).tanh()


class Judge(nn.Module):
    """Pictures (B, 3, H, W) to scores (B, 1, H, W)."""

    def __init__(self, start: float):
        super().__init__()
        self.weight = nn.Parameter(torch.cos(start + torch.arange(3.0)))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("i,bihw->bhw", self.weight, x)[:, None]


def translators() -> tuple[Translator, Translator, Judge, Judge]:
    """(to_y, to_x, d_x, d_y), the same each time."""
    return Translator(1.0), Translator(2.0), Judge(3.0), Judge(4.0)


def networks() -> dict[str, nn.Module]:
    """The same by their arguments' names."""
    return dict(zip(("to_y", "to_x", "d_x", "d_y"), translators()))


def _ways_back(x, y, to_y, to_x) -> dict:
    """What else stands in place of the way back, by its diagnosis."""
    fake_y, fake_x = to_y(x), to_x(y)
    there = F.l1_loss(fake_y, y) + F.l1_loss(fake_x, x)
    same = F.l1_loss(fake_y, x) + F.l1_loss(fake_x, y)
    around = F.l1_loss(to_x(fake_y), y) + F.l1_loss(to_y(fake_x), x)
    onward = F.l1_loss(to_y(fake_y), x) + F.l1_loss(to_x(fake_x), y)
    itself = F.l1_loss(to_x(x), x) + F.l1_loss(to_y(y), y)
    return {
        "the translation is compared with the other picture of the batch. They are two "
        "different birds: nobody knows the true G(x). Compare x with F(G(x)).": there,
        "the translation is compared with what it was made of: G would learn to change "
        "nothing. Translate back first.": same,
        "F(G(x)) is compared with y; it should be x again.": around,
        "the way back goes on with the same generator: from G(x) it is F that leads "
        "back.": onward,
        "the way back starts from the picture itself: F(x) compared with x. It starts "
        "from the translation, F(G(x)).": itself,
    }


def turn_with(x, y, to_y, to_x, d_x, d_y, weight) -> dict:
    """The losses of the slips that we know, by their diagnoses: one, or several."""
    fake_y, fake_x = to_y(x), to_x(y)
    game = least_squares(d_y(fake_y), 1) + least_squares(d_x(fake_x), 1)
    back = F.l1_loss(to_x(fake_y), x) + F.l1_loss(to_y(fake_x), y)
    crossed = least_squares(d_x(fake_y), 1) + least_squares(d_y(fake_x), 1)
    found_out = least_squares(d_y(fake_y), 0) + least_squares(d_x(fake_x), 0)
    logits = F.softplus(-d_y(fake_y)).mean() + F.softplus(-d_x(fake_x)).mean()
    squared = F.mse_loss(to_x(fake_y), x) + F.mse_loss(to_y(fake_x), y)
    half_game, half_back = least_squares(d_y(fake_y), 1), F.l1_loss(to_x(fake_y), x)
    other_back = back - half_back
    brackets = (
        "the weight stands at one way back only: put brackets round their sum, "
        "weight * (a + b)."
    )
    other = {
        name: game + weight * loss
        for name, loss in _ways_back(x, y, to_y, to_x).items()
    }
    other |= _parts_missing(game, back, weight, half_game, half_back)
    return other | {
        brackets: (
            game + weight * half_back + other_back,
            game + half_back + weight * other_back,
        ),
        "the game is halved; lesson 02's 1/2 is not in (6).": game / 2 + weight * back,
        "the discriminators are crossed: G(x) arrives in Y, so D_Y judges it; D_X "
        "judges F(y).": crossed + weight * back,
        "the translations are to score 0 here, what D wants of them; G and F want "
        "1.": found_out + weight * back,
        "this is the loss by logs; this paper has squares: (D(.) - 1)^2.": logits
        + weight * back,
        "the way back is squared; the paper has absolute differences.": game
        + weight * squared,
        "the weight stands at everything; it belongs to the way back alone.": weight
        * (game + back),
        "the way back is missing.": game,
        "the game is missing: nothing asks that G(x) look like Y.": weight * back,
        "the two halves of the loss are averaged; they are added.": (
            game + weight * back
        )
        / 2,
    }


def _parts_missing(game, back, weight, half_game, half_back) -> dict[str, Tensor]:
    """Losses of which something was left out, or weighed otherwise."""
    return {
        "only the way from X to Y and back is here; Y to X and back is the other "
        "half.": (half_game + weight * half_back),
        "of the ways back only one is here: F(G(x)); G(F(y)) is missing.": game
        + weight * half_back,
        "of the two games only D_Y's is here.": half_game + weight * back,
        "the weight is missing at the way back.": game + back,
        "the weight stands at the game; it belongs to the way back.": weight * game
        + back,
    }
