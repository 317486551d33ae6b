"""What a training leaves behind besides the networks: losses, times, measurements."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch


@dataclass
class History:
    """Losses, times and measurements of one training; it survives checkpoints.

    losses:   {player: one float a step}; the mean where a player has several turns in
              a round, NaN where it has none
    steps:    the steps done, 1, 2, ... (as long as each list of losses)
    seconds:  training time at the end of each step, without hooks and pictures
    measures: {name: list of (step, seconds, value)}, see `measure`
    interrupted: whether the training was stopped by hand before its last step
    """

    losses: dict[str, list[float]] = field(default_factory=dict)
    steps: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    measures: dict[str, list[tuple[int, float, float]]] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def step(self) -> int:
        """How many steps are done."""
        return self.steps[-1] if self.steps else 0

    @property
    def elapsed(self) -> float:
        """Seconds of training so far."""
        return self.seconds[-1] if self.seconds else 0.0

    def add(self, losses: dict[str, list[float]], seconds: float) -> None:
        """Note a step: each player's losses, turn by turn, and the seconds it took."""
        for player, turns in losses.items():
            mean = sum(turns) / len(turns) if turns else math.nan
            self.losses.setdefault(player, []).append(mean)
        self.seconds.append(self.elapsed + seconds)
        self.steps.append(self.step + 1)

    def measure(self, name: str, value: float) -> None:
        """Note a measurement at the present step; meant for fit's `on_step`."""
        point = (self.step, self.elapsed, float(value))
        self.measures.setdefault(name, []).append(point)

    def values(self, name: str) -> list[float]:
        """A measurement's values, in order."""
        return [value for _, _, value in self.measures[name]]

    def times(self, name: str) -> list[float]:
        """The seconds of training at which a measurement was taken."""
        return [seconds for _, seconds, _ in self.measures[name]]

    def state(self) -> dict:
        """The history as plain containers and tensors, for a checkpoint."""
        exact = {"dtype": torch.float64}
        return {
            "losses": {k: torch.tensor(v, **exact) for k, v in self.losses.items()},
            "seconds": torch.tensor(self.seconds, **exact),
            "measures": {name: list(points) for name, points in self.measures.items()},
        }

    @classmethod
    def from_state(cls, state: dict) -> History:
        """The history that `state` wrote down."""
        seconds = state["seconds"].tolist()
        return cls(
            losses={name: values.tolist() for name, values in state["losses"].items()},
            steps=list(range(1, len(seconds) + 1)),
            seconds=seconds,
            measures={n: [tuple(p) for p in v] for n, v in state["measures"].items()},
        )
