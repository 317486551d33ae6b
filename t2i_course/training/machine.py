"""What the loop needs of the machine: device, processes, batches, interrupts."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch


def accelerator_for(device=None, precision: str | None = None):
    """Accelerate's `Accelerator`, and the device to train on.

    device: None for the best there is, or "cpu", "cuda", "cuda:1", "mps".
    precision: "no", "bf16" (autocast), or None for what `accelerate launch` was told,
    else "no". Raises ValueError for a device or precision that can't be had.
    """
    from accelerate import Accelerator  # slow to import: not for who only draws
    from accelerate.state import AcceleratorState

    precision = precision or os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if precision not in ("no", "bf16"):
        raise ValueError(f'precision is {precision!r}, but may be "no" or "bf16"')
    wanted = None if device is None else torch.device(device)
    if wanted is not None and wanted.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"There is no {device} here; leave out device, or say 'cpu'.")
    # Accelerate remembers the first choice for the life of the process. In a notebook
    # the next training may choose otherwise; only a group of processes must stay.
    alone = int(os.environ.get("WORLD_SIZE", 1)) == 1
    AcceleratorState._reset_state(reset_partial_state=alone)
    cpu = wanted is not None and wanted.type == "cpu"
    if wanted is None and not alone:  # only told so does it join processes on CPUs
        cpu = not torch.cuda.is_available()
    accelerator = Accelerator(cpu=cpu, mixed_precision=precision)
    return accelerator, wanted or accelerator.device


def batches(source, first: int, last: int, accelerator, device) -> Iterator:
    """Yield this process's batches of the steps first..last-1, on the device.

    For a GPU a thread makes the next batch while the GPU works. On a CPU both would
    want the same cores, so a batch is made when it is needed.
    """
    rank, world = accelerator.process_index, accelerator.num_processes
    if device.type != "cuda":
        for step in range(first, last):
            yield source.batch(step, rank, world).to(device)
        return
    with ThreadPoolExecutor(1) as helper:
        coming = None
        for step in range(first, last):
            batch = coming.result() if coming else source.batch(step, rank, world)
            if step + 1 < last:
                coming = helper.submit(source.batch, step + 1, rank, world)
            yield batch.to(device)


class LossReading:
    """A loss on its way to the CPU, to be looked at before the player steps.

    On a GPU the copy is ordered before the backward pass is, so that waiting for it
    (`value`) leaves the GPU with work to do.
    """

    def __init__(self, loss: torch.Tensor):
        self.arrived = None
        self.number = loss.detach()
        if loss.device.type == "cuda":
            self.number = torch.empty((), dtype=loss.dtype, pin_memory=True)
            self.number.copy_(loss.detach(), non_blocking=True)
            self.arrived = torch.cuda.Event()
            self.arrived.record()

    def value(self) -> float:
        """The loss; waits until it is there."""
        if self.arrived is not None:
            self.arrived.synchronize()
        return self.number.item()


class Interrupt:
    """Ctrl-C, or a notebook's stop button, noted and acted on between two steps.

    A step cut in two could not be resumed exactly. A second Ctrl-C stops at once.
    """

    def __init__(self, accelerator):
        # Several processes would stop at different steps and wait for each other.
        alone = accelerator.num_processes == 1
        self.here = alone and threading.current_thread() is threading.main_thread()
        self.asked = False

    def __enter__(self) -> Interrupt:
        if self.here:
            self.former = signal.getsignal(signal.SIGINT)
            self.here = callable(self.former)  # not where Ctrl-C is to be ignored
        if self.here:
            signal.signal(signal.SIGINT, self.note)
        return self

    def note(self, number, frame) -> None:
        """The signal's handler: remember it, and let a second one through."""
        self.asked = True
        signal.signal(signal.SIGINT, self.former)

    def __exit__(self, *error) -> None:
        if self.here:
            signal.signal(signal.SIGINT, self.former)


def in_notebook() -> bool:
    """Whether this runs in a Jupyter kernel (JupyterLab, Colab, VS Code)."""
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return getattr(shell, "kernel", None) is not None
