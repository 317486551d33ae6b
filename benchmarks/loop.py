"""What does `fit` cost above the same steps written bare?

    python benchmarks/loop.py [--steps 5] [--blocks 40] [--json]

Both train the same small convolutional GAN on the same batches and end with the same
weights. They take turns in short blocks, so that a busy machine slows both alike, and
on a CPU the time is that which the processor spent on this process. The figure is the
median over blocks of fit's time per step divided by the bare one's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import t2i_course  # noqa: F401  # isort: skip  (before torch: how threads wait)
import torch
import torch.nn.functional as F
from torch import nn

from t2i_course.data import Batch
from t2i_course.training import System, fit


class Pictures:
    """Ready pictures in memory: what is measured is the loop, not the drawing."""

    def __init__(self, batch_size: int = 32):
        self.batch_size = batch_size
        random = torch.Generator().manual_seed(0)
        shape = (8, batch_size, 3, 32, 32)
        self.images = torch.randint(0, 256, shape, generator=random, dtype=torch.uint8)

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The pictures of a step."""
        return Batch(image=self.images[step % len(self.images)])


class SmallGan(System):
    """A DCGAN of about 0.2 M weights at 32x32."""

    players = ("discriminator", "generator")

    def __init__(self, width: int = 32):
        super().__init__()
        self.generator = nn.Sequential(
            nn.Linear(32, width * 2 * 64),
            nn.Unflatten(1, (width * 2, 8, 8)),
            nn.BatchNorm2d(width * 2),
            nn.ReLU(),
            nn.ConvTranspose2d(width * 2, width, 4, 2, 1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, 3, 4, 2, 1),
            nn.Tanh(),
        )
        self.discriminator = nn.Sequential(
            nn.Conv2d(3, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, width * 2, 4, 2, 1),
            nn.BatchNorm2d(width * 2),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(width * 2 * 64, 1),
        )

    def round(self, batch: Batch):
        """Goodfellow et al. 2014, Algorithm 1, with the non-saturating loss."""
        fake = self.generator(self.noise(len(batch), 32))
        right = F.softplus(-self.discriminator(batch.image)).mean()
        wrong = F.softplus(self.discriminator(fake.detach())).mean()
        yield "discriminator", right + wrong
        yield "generator", F.softplus(-self.discriminator(fake)).mean()


class Bare:
    """The same steps with nothing around them: no check, no history, no progress.

    Like fit it computes only the player's gradients; anything else would compare two
    algorithms and not two loops.
    """

    def __init__(self, system: SmallGan, source: Pictures, device):
        self.system, self.source, self.device, self.step = system, source, device, 0
        system.to(device).train()
        system.rng = torch.Generator(device).manual_seed(0)
        self.players = {"discriminator": system.discriminator}
        self.players["generator"] = system.generator
        self.weights = {k: list(v.parameters()) for k, v in self.players.items()}
        self.optimizers = {name: system.optimizer(name) for name in system.players}

    @torch.enable_grad()  # it runs within a hook, where gradients are off
    def run(self, steps: int) -> float:
        """Take some steps; the seconds they took."""
        begin = clock(self.device)
        for _ in range(steps):
            batch = self.source.batch(self.step).to(self.device)
            self.step += 1
            for player, loss in self.system.round(batch):
                loss.backward(inputs=self.weights[player])
                self.optimizers[player].step()
                self.optimizers[player].zero_grad()
        return clock(self.device) - begin


def clock(device) -> float:
    """Seconds: of the processor's work, or until a GPU has done what it was given."""
    if device.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def measure(steps: int, blocks: int, device) -> dict:
    """Alternate blocks of fit and of the bare loop; the figures.

    fit runs once, in one call, with its progress on. At each block's end its `show`
    hook lets the bare loop take as many steps.
    """
    torch.manual_seed(0)
    system, other = SmallGan(), SmallGan()
    other.load_state_dict(system.state_dict())
    bare, source = Bare(other, Pictures(), device), Pictures()
    times: list[tuple[float, float]] = []
    block = {"begin": 0.0}

    def alternate(system, history) -> None:
        within_fit = clock(device) - block["begin"]
        times.append((within_fit, bare.run(steps)))
        block["begin"] = clock(device)

    block["begin"] = clock(device)
    whole = steps * (blocks + 1)
    fit(system, source, whole, device=device, show=alternate, show_every=steps)
    del times[0]  # warming up
    pairs = zip(system.parameters(), other.parameters())
    return {
        "ratio": statistics.median(fitted / plain for fitted, plain in times),
        "fit_ms": 1e3 * statistics.median(t for t, _ in times) / steps,
        "bare_ms": 1e3 * statistics.median(t for _, t in times) / steps,
        "blocks": blocks,
        "steps": steps,
        "same_weights": all(torch.equal(a, b) for a, b in pairs),
        "device": str(device),
        "threads": torch.get_num_threads(),
    }


def main() -> None:
    """Measure and print a line, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=5, help="steps in a block")
    parser.add_argument("--blocks", type=int, default=40, help="blocks of each loop")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    found = measure(chosen.steps, chosen.blocks, chosen.device)
    if chosen.json:
        print(json.dumps(found))
        return
    print(
        f"fit {found['fit_ms']:.2f} ms a step, bare {found['bare_ms']:.2f} ms: "
        f"{100 * (found['ratio'] - 1):+.1f} % (median of {found['blocks']} blocks of "
        f"{found['steps']} steps; {found['device']}, {found['threads']} threads; same "
        f"weights: {'yes' if found['same_weights'] else 'NO'})"
    )


if __name__ == "__main__":
    main()
