"""The training room: one loop for every system; checkpoints; averages of weights."""

from .checkpoint import CheckpointError
from .fit import NonFiniteLoss, fit
from .history import History
from .rates import falling
from .system import System

__all__ = ["CheckpointError", "History", "NonFiniteLoss", "System", "falling", "fit"]
