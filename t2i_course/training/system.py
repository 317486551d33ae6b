"""A system: networks that play, and the round in which they take turns.

The loop in `fit.py` knows nothing of any paper. Everything a paper adds is a `System`:
its networks (the players), and `round`, a generator that reads like the paper's
algorithm and yields whose turn it is together with that player's loss.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


@torch.no_grad()
def moving_average(decay: float, model: AveragedModel, averages, weights, _) -> None:
    """One step of a model's averages: w <- d w + (1 - d) w_player, in place.

    d = min(decay, (1 + n) / (10 + n)) at step n: a long average soon forgets the start,
    where nothing was learned yet. Whole numbers (a counter in batch norm) are copied.
    n is read from the model's own counter, on the CPU: the last argument is a copy of
    it on the device, which a GPU would have to be waited for.
    """
    n = int(model.n_averaged)
    d = min(decay, (1 + n) / (10 + n))
    if averages[0].is_floating_point():
        torch._foreach_lerp_(averages, weights, 1 - d)
    else:
        torch._foreach_copy_(averages, weights)


def in_words(shape: tuple[int, ...]) -> str:
    """A shape for people: "colour pictures of 32 x 32 pixels"."""
    if len(shape) != 3:
        return f"rows of {' x '.join(map(str, shape))} numbers"
    channels, height, width = shape
    kinds = {1: "grey", 3: "colour", 6: "pairs of colour"}
    colours = kinds.get(channels, f"{channels}-channel")
    return f"{colours} pictures of {height} x {width} pixels"


class System(nn.Module):
    """Networks and their round of play; every paper of the course subclasses this.

    A subclass sets `players` (names of its sub-modules, in order of play) and writes
    `round`. Sub-modules that are no player (a frozen text encoder, the averages) are
    kept in evaluation mode and are never stepped. Whatever must survive a checkpoint
    has to be a parameter, a registered buffer or `get_extra_state`.

    Slides GM-13 (Algorithm 1) and RE-5; used in every lesson.
    """

    players: tuple[str, ...] = ()
    averaged: tuple[str, ...] = ()
    average_decay: float = 0.999
    learning_rate: float = 2e-4
    rates: dict[str, float] = {}  # of players that have a rate of their own
    betas: tuple[float, float] = (0.5, 0.999)
    rng: torch.Generator | None = None
    reads: tuple[int, ...] | None = None  # the shape of a batch's pictures
    least_rows: int = 0  # of noise at each draw; more than are asked for are left
    played: int = 0  # rounds so far; the loop sets it, also after a checkpoint
    presets: dict[str, dict] | None = None  # None: the PRESETS of the paper's file
    preset: str | None = None
    settings: dict | None = None
    origin: dict[str, str] | None = None  # {"system", "preset", "data"}, by `build`

    # --------------------------------------------------------------- the round

    def round(self, batch) -> Iterator[tuple[str, Tensor]]:
        """Play one round: yield (player, scalar loss), once for each turn.

        The loop steps that player and then goes on with the generator, so the code
        after a `yield` sees the player updated. batch: `t2i_course.data.Batch` on the
        system's device. All noise comes from `self.noise` and `self.uniform_noise`
        (that is, from `self.rng`).
        """
        raise NotImplementedError(f"{type(self).__name__} has no round of play")

    def check(self, batch) -> None:
        """ValueError, in words, if the batch's pictures are not those it is built for.

        By `reads`, the shape (C, H, W) of a picture; None takes any.
        """
        wanted, given = self.reads, tuple(batch.image.shape[1:])
        if wanted is None or given == tuple(wanted):
            return
        kind, pictures = type(self).__name__, len(wanted) == len(given) == 3
        if pictures and given[0] != wanted[0]:
            advice = "give it a source of such pictures" + (
                " (grey ones can be repeated three times: image.expand(-1, 3, -1, -1))"
                if given[0] == 1 and wanted[0] == 3
                else ""
            )
        elif pictures:
            advice = f"build it with size={given[-1]}, or take a source of {wanted[-1]}"
        else:
            advice = "give it a source of such data"
        raise ValueError(
            f"This {kind} learns from {in_words(wanted)}, and the batch has "
            f"{in_words(given)}: {advice}."
        )

    def optimizer(self, player: str) -> torch.optim.Optimizer:
        """The optimizer of one player: Adam with `betas` and the player's rate.

        That is the one in `rates`, or else `learning_rate`. The optimizer holds what a
        turn of the player steps: all parameters of the sub-module that want a gradient.
        Radford et al. 2016 chose the default values.
        """
        parameters = [p for p in self.player(player).parameters() if p.requires_grad]
        if not parameters:
            raise ValueError(f"player {player!r} has no parameter that learns")
        return torch.optim.Adam(
            parameters,
            lr=self.rates.get(player, self.learning_rate),
            betas=self.betas,
            fused=True,  # four times as fast on a CPU: one pass over the weights
        )

    def learning_rate_factor(self, step: int) -> float:
        """What every learning rate is multiplied by at this step (from 0); 1.0."""
        return 1.0

    def noise(self, count: int, size: int) -> Tensor:
        """(count, size) draws of N(0, 1) from `self.rng`, on the system's device."""
        return self._rows(torch.randn, count, size)

    def uniform_noise(self, count: int, *shape: int) -> Tensor:
        """(count, *shape) draws from U[0, 1), likewise."""
        return self._rows(torch.rand, count, *shape)

    def _rows(self, draw, count: int, *shape: int) -> Tensor:
        """`count` rows, of `least_rows` that are drawn at least; see `drawing`."""
        many = max(count, self.least_rows)
        return draw(many, *shape, device=self.device, generator=self.rng)[:count]

    def sample(self, *arguments, **keywords) -> Tensor:
        """Draw pictures (B, C, H, W) in [-1, 1]; the arguments are the paper's."""
        raise NotImplementedError(f"{type(self).__name__} draws nothing")

    # ------------------------------------------------------------- the players

    @property
    def device(self) -> torch.device:
        """The device of the system's first parameter."""
        return next(self.parameters()).device

    def player(self, name: str) -> nn.Module:
        """The sub-module of that name; a clear error when there is none."""
        try:
            return self.get_submodule(name)
        except AttributeError:
            raise ValueError(
                f"{type(self).__name__} has no sub-module {name!r}; "
                f"its players are {', '.join(self.players) or 'none'}"
            ) from None

    def network(self, name: str) -> nn.Module:
        """The network to draw with: the player's averaged weights, if it has them."""
        averages = self._modules.get("averages")
        if averages is not None and name in averages:
            return averages[name].module
        return self.player(name)

    def train(self, mode: bool = True) -> System:
        """Training mode for the players only; all else stays in evaluation mode."""
        super().train(mode)
        for name, part in self.named_children():
            if not any(f"{p}.".startswith(f"{name}.") for p in self.players):
                part.eval()
        return self

    # ------------------------------------------------------------ the averages

    def start_averages(self) -> None:
        """Begin the exponential averages of `averaged`, unless they have begun.

        self.averages[name].module is a copy of the player whose weights and buffers
        follow w <- decay w + (1 - decay) w_player, once a step (see `moving_average`).
        They are part of `state_dict`. Sources: Polyak and Juditsky 1992; Yazici et al.
        2019.
        """
        if not self.averaged or "averages" in self._modules:
            return
        self.averages = nn.ModuleDict()
        for name in self.averaged:
            copy = AveragedModel(self.player(name), use_buffers=True)
            copy.multi_avg_fn = partial(moving_average, self.average_decay, copy)
            self.averages[name] = copy.requires_grad_(False).eval()

    def update_averages(self) -> None:
        """Move each average one step towards its player."""
        for name in self.averaged:
            self.averages[name].update_parameters(self.player(name))

    def load_state_dict(self, state_dict, strict: bool = True, assign: bool = False):
        """As `nn.Module`; begins the averages first when the state holds some."""
        if any(key.startswith("averages.") for key in state_dict):
            self.start_averages()
        return super().load_state_dict(state_dict, strict, assign)

    def _apply(self, move, recurse: bool = True) -> System:
        """Moves as `nn.Module` does, but leaves the averages' counters on the CPU."""
        super()._apply(move, recurse)
        for average in self._modules.get("averages", {}).values():
            # `update_parameters` reads this number: on a GPU that would wait for it.
            average.n_averaged = average.n_averaged.cpu()
        return self

    # ------------------------------------------------------------- the presets

    @classmethod
    def from_preset(cls, preset: str, **overrides) -> System:
        """Build the system as its paper's file lists it under `PRESETS[preset]`.

        (Or as its own `presets` have it, where one file has several systems.)

        Settings that `__init__` names are passed to it; all of them (batch size and
        steps too) are kept in `system.settings`. overrides replace single settings
        or fill other arguments of `__init__`. A subclass without presets of its own (in
        a notebook, say) has its parent's. An unknown name raises ValueError.
        """
        homes = (sys.modules[base.__module__] for base in cls.__mro__)
        found = next((m.PRESETS for m in homes if hasattr(m, "PRESETS")), {})
        presets = found if cls.presets is None else cls.presets
        if preset not in presets:
            raise ValueError(
                f"{cls.__name__} has no preset {preset!r}; it has {', '.join(presets)}"
            )
        accepted = inspect.signature(cls.__init__).parameters
        unknown = set(overrides) - set(presets[preset]) - set(accepted)
        if unknown:
            raise ValueError(
                f"{cls.__name__} knows no setting {', '.join(sorted(unknown))}"
            )
        settings = {**presets[preset], **overrides}
        system = cls(**{k: v for k, v in settings.items() if k in accepted})
        system.preset, system.settings = preset, settings
        return system
