"""A mean of a network's weights over a training's later part."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.optim.swa_utils import AveragedModel

from ..training.checkpoint import CheckpointError, write_whole

__all__ = ["Mean"]


class Mean:
    """The mean of the drawing network's weights at every 500th step from `begin` on.

    Izmailov et al. 2018. It is written beside the checkpoint, and read when that is.
    """

    every = 500

    def __init__(self, begin: int | None, checkpoint: Path | str | None):
        self.begin, self.model = begin, None
        self.path = Path(f"{checkpoint}.mean") if checkpoint else None

    def of(self, system) -> AveragedModel:
        """The mean so far."""
        if self.model is None:
            self.model = AveragedModel(system.network("generator"), use_buffers=True)
            if self.path and self.path.exists():
                self.model.load_state_dict(torch.load(self.path, weights_only=True))
        return self.model

    def take(self, system, step: int) -> None:
        """Let the weights of this step in, if it is one that counts."""
        if self.begin is None or step < self.begin or step % self.every:
            return
        model, before = self.of(system), (step - self.begin) // self.every
        if model.n_averaged == before:
            model.update_parameters(system.network("generator"))
            if self.path:
                write_whole(
                    self.path, lambda file: torch.save(model.state_dict(), file)
                )
        elif model.n_averaged != before + 1:  # that one: stopped before its checkpoint
            raise CheckpointError(
                f"{self.path} holds {model.n_averaged} networks at step {step}, not "
                f"{before}: delete it and the checkpoint, and begin anew"
            )

    def give(self, system) -> None:
        """Draw with it from now on, if there is one."""
        if self.begin is None:
            return
        mean = self.of(system)
        if not mean.n_averaged:
            raise CheckpointError(
                f"there is no mean to draw with: it takes every {self.every}th step "
                f"from {self.begin} on (or its file beside the checkpoint is gone)"
            )
        system.network("generator").load_state_dict(mean.module.state_dict())
