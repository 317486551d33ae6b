"""Every random state that a training depends on: kept apart, saved, restored.

PyTorch, NumPy and Python have global random numbers (dropout, for one, draws from
PyTorch's); a system has its own generator, `system.rng`, for the noise of its rounds.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy
import torch


def own_seed(seed: int, rank: int = 0, step: int = 0) -> int:
    """A seed for one process that begins at `step`; process 0 at step 0 has `seed`."""
    if rank == step == 0:
        return seed
    return int(numpy.random.SeedSequence((seed, rank, step)).generate_state(1)[0])


def global_states() -> dict:
    """The global states as tensors and plain values (safe for a checkpoint)."""
    name, keys, *rest = numpy.random.get_state()
    version, words, gauss = random.getstate()
    states = {
        "torch": torch.get_rng_state(),
        "numpy": [name, torch.from_numpy(keys.astype("int64")), *rest],
        "python": [version, torch.tensor(words, dtype=torch.int64), gauss],
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def set_global_states(states: dict) -> None:
    """Put the global states back as `global_states` found them."""
    torch.set_rng_state(states["torch"])
    name, keys, *rest = states["numpy"]
    numpy.random.set_state((name, keys.numpy().astype("uint32"), *rest))
    version, words, gauss = states["python"]
    random.setstate((version, tuple(words.tolist()), gauss))
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Run a block on global states of its own, begun from `seed`.

    Afterwards the states outside are as they were: a training neither depends on
    random numbers drawn before it nor changes those drawn after it.
    """
    outside = global_states()
    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    try:
        yield
    finally:
        set_global_states(outside)


@contextmanager
def undisturbed(system) -> Iterator[None]:
    """Lend a system out for drawing and measuring, and take it back as it was.

    Inside the block it is in evaluation mode and its noise comes from a generator with
    a fixed seed; afterwards all random states and the mode are those of before.
    """
    training, rng = system.training, system.rng
    states = torch.get_rng_state(), numpy.random.get_state(), random.getstate()
    system.rng = torch.Generator(system.device).manual_seed(0)
    system.eval()
    try:
        yield
    finally:
        system.train(training)
        system.rng = rng
        torch.set_rng_state(states[0])
        numpy.random.set_state(states[1])
        random.setstate(states[2])


def states_of(system) -> dict:
    """All that `restore` needs: the global states and that of `system.rng`."""
    return {
        **global_states(),
        "system": system.rng.get_state(),
        "device": str(system.rng.device.type),
    }


def restore(system, states: dict) -> bool:
    """Put the states back; False if they are of another kind of device.

    A GPU's generator can't go on where the CPU's stopped (nor the other way round):
    such a run continues with other noise instead.
    """
    set_global_states(states)
    if states["device"] != system.rng.device.type:
        return False
    system.rng.set_state(states["system"])
    return True
