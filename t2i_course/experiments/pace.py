"""How long a step of StackGAN++ takes in one process, and in two that share a batch.

Each training is a process of its own, so that all are timed alike; two find each other
through Accelerate (gloo), each sees half of the batch, and gradients are averaged. Run
as a module this file is such a process: `python -m t2i_course.experiments.pace 32 30`.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from statistics import median

__all__ = ["pace"]

FIRST = 1  # steps that are not timed


def free_port() -> str:
    """A port of this computer that nobody listens to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def pace(processes: int, threads: int, batch_size: int, steps: int) -> float:
    """Seconds a step, the median, of so many processes with so many threads each.

    batch_size: of all of them together. RuntimeError with what a process said where one
    fails.
    """
    common = {"OMP_NUM_THREADS": str(threads), "MASTER_ADDR": "127.0.0.1",
              "PYTHONPATH": str(Path(__file__).parents[2])}  # fmt: skip
    common |= dict.fromkeys(("WORLD_SIZE", "LOCAL_WORLD_SIZE"), str(processes))
    common["MASTER_PORT"] = free_port()
    command = [sys.executable, "-m", __spec__.name, str(batch_size // processes)]
    running = [
        subprocess.Popen(
            [*command, str(steps)],
            env={**os.environ, **common, "RANK": str(i), "LOCAL_RANK": str(i)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(processes)
    ]
    try:
        said = [process.communicate() for process in running]
    finally:
        for process in running:
            process.kill()
    for process, (_, complaint) in zip(running, said):
        if process.returncode:
            raise RuntimeError(f"A process failed: {complaint[-500:]}")
    return max(json.loads(output.splitlines()[-1]) for output, _ in said)


def one(batch_size: int, steps: int) -> float:
    """Train the cpu preset's tree in this process; seconds a step, the median."""
    import torch

    from ..papers.joint_embedding import text_encoder
    from ..papers.stackgan_v2 import StackGanTree
    from ..training import fit
    from ..worlds.birds import Birds

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(0)
    system = StackGanTree.from_preset("cpu", text_encoder=text_encoder())
    birds = Birds("train", 64, batch_size, individuals=2)
    history = fit(system, birds, FIRST + steps, device="cpu", progress=False)
    if torch.distributed.is_initialized():
        torch.distributed.barrier()  # neither leaves while the other still listens
        torch.distributed.destroy_process_group()
    return median(b - a for a, b in pairwise(history.seconds[FIRST - 1 :]))


if __name__ == "__main__":
    print(json.dumps(one(int(sys.argv[1]), int(sys.argv[2]))))
