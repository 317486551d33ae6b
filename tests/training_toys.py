"""Small systems and sources for the tests of the training room and of the papers.

Run as a script it is the child process that a test kills, interrupts or pairs.
"""

import signal
import sys
from pathlib import Path

import numpy
import torch
import torch.nn.functional as F
from torch import nn

from t2i_course.data import Batch
from t2i_course.training import NonFiniteLoss, System, fit


def fails(capsys, *arguments, code=2):
    """The one line on stderr that a command of t2i fails with."""
    from t2i_course import cli

    assert cli.main([*map(str, arguments)]) == code
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"t2i {arguments[0]}: "), lines
    return lines[0]


def usual_signals():
    """For a child: hang-up and Ctrl-C end it, even under nohup or in a script."""
    for name in ("SIGHUP", "SIGINT"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


class Pictures:
    """Small uint8 pictures: a function of the step alone, split among processes."""

    def __init__(self, batch_size=8, spoiled=()):
        self.batch_size, self.spoiled = batch_size, spoiled

    def batch(self, step, rank=0, world=1):
        random = numpy.random.default_rng(step)
        whole = random.integers(0, 256, (self.batch_size * world, 3, 8, 8))
        style = random.standard_normal((self.batch_size * world, 6), dtype="float32")
        part = slice(rank * self.batch_size, (rank + 1) * self.batch_size)
        batch = Batch(
            image=torch.from_numpy(whole[part].astype("uint8")),
            style=torch.from_numpy(style[part]),
        )
        if (step, rank) in self.spoiled:
            batch.style[0] = float("nan")
        return batch


class Repeated:
    """A source that always gives the same batch."""

    def __init__(self, batch):
        self.one, self.batch_size = batch, len(batch)

    def batch(self, step, rank=0, world=1):
        return self.one


def patches(size):
    """A source of the same eight pictures, 2 x 2 patches of colour, of four classes."""
    rng = torch.Generator().manual_seed(0)
    coarse = torch.rand(8, 3, 2, 2, generator=rng) * 2 - 1
    image = F.interpolate(coarse, (size, size))
    return Repeated(Batch(image, class_id=torch.arange(8) % 4))


def random_pictures(many, size, seed=0):
    """A batch of noise in [-1, 1] in place of pictures."""
    rng = torch.Generator().manual_seed(seed)
    return Batch(torch.rand(many, 3, size, size, generator=rng) * 2 - 1)


def ready(build, noise=1):
    """The system that `build()` makes, always alike and ready to play.

    noise: the seed of the random numbers that it plays with
    """
    torch.manual_seed(0)
    system = build()
    system.rng = torch.Generator().manual_seed(noise)
    return system.train()


def count(network):
    """How many weights it has."""
    return sum(p.numel() for p in network.parameters())


class Toy(System):
    """A GAN with all that a checkpoint carries: noise, dropout, batch norm, averages.

    still=True leaves out what differs between one process and two: the batch norm (its
    statistics are a process's own) and random draws (the noise comes with the batch).
    """

    players = ("discriminator", "generator")
    averaged = ("generator",)
    average_decay = 0.9

    def __init__(self, still=False, norm=True, learning_rate=2e-3):
        super().__init__()
        self.still, self.learning_rate = still, learning_rate
        self.generator = nn.Sequential(
            nn.Linear(6, 4 * 4 * 4),
            nn.Unflatten(1, (4, 4, 4)),
            nn.BatchNorm2d(4) if norm and not still else nn.Identity(),
            nn.ReLU(),
            nn.ConvTranspose2d(4, 3, 4, 2, 1),
            nn.Tanh(),
        )
        self.discriminator = nn.Sequential(
            nn.Conv2d(3, 4, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.0 if still else 0.3),
            nn.Flatten(),
            nn.Linear(64, 1),
        )

    def round(self, batch):
        noise = batch.style if self.still else self.noise(len(batch), 6)
        fake = self.generator(noise)
        right = F.softplus(-self.discriminator(batch.image)).mean()
        wrong = F.softplus(self.discriminator(fake.detach())).mean()
        yield "discriminator", right + wrong
        yield "generator", F.softplus(-self.discriminator(fake)).mean()

    def learning_rate_factor(self, step):
        return 1 / (1 + step / 50)

    def sample(self, count):
        return self.network("generator")(self.noise(count, 6))


def toy(**keywords):
    """A toy that always begins alike."""
    torch.manual_seed(1)
    return Toy(**keywords)


def train(system, steps, **keywords):
    """`fit` on a CPU, silently, on the toy's pictures."""
    keywords = {"device": "cpu", "progress": False, **keywords}
    return fit(system, keywords.pop("source", None) or Pictures(), steps, **keywords)


def to_be_killed(path, steps):
    """Train from the checkpoint until the parent, told of each step, kills us."""

    def tell(system, history, step):
        print(step, flush=True)
        sys.stdin.readline()

    train(toy(), int(steps), checkpoint=path, every=3, resume=True, on_step=tell)


def one_of_two(folder):
    """Train as one of two processes: still, then with batch norm, then spoiled."""
    folder = Path(folder)
    still, path = toy(still=True), folder / "still.pt"
    train(still, 6, source=Pictures(4), checkpoint=path, device=None)
    norm = toy()
    norm.still = True  # batch norm is the only difference
    norm.discriminator[2].p = 0.0
    train(norm, 1, source=Pictures(4), checkpoint=folder / "norm.pt")
    try:
        train(toy(still=True), 6, source=Pictures(4, spoiled=[(2, 1)]))
    except NonFiniteLoss as error:
        print(error)
    torch.distributed.barrier()  # neither leaves while the other still listens
    torch.distributed.destroy_process_group()


def on_a_full_disk(path, limit):
    """Train where no file can grow beyond `limit` bytes."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    train(toy(), 8, checkpoint=path, every=4, resume=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    globals()[sys.argv[1]](*sys.argv[2:])
