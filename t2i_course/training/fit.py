"""The loop: one for every system of the course.

Read `fit` first, then `Run.step` and `Run.turn`. Algorithm 1 of the slides (GM-13) is
the system's `round`; here is everything that all rounds share.
"""

from __future__ import annotations

import math
import time
import warnings
from pathlib import Path

import torch

from .. import seeds, threads
from . import checkpoint as checkpoints
from .history import History
from .machine import Interrupt, LossReading, accelerator_for, batches, in_notebook
from .progress import progress_for
from .randomness import own_seed, seeded, states_of, undisturbed
from .system import System


class NonFiniteLoss(ArithmeticError):
    """A player's loss (or weight) is not a number any more; training stopped."""


def fit(
    system: System, source, steps: int, *, seed: int = 0, device=None,
    precision: str | None = None, checkpoint=None, every: int = 500,
    resume: bool = False, progress: bool = True, show=None,
    show_every: int | None = None, on_step=None, warn: bool = True,
) -> History:  # fmt: skip
    """Train a system for `steps` rounds in all; the history of its losses.

    source: gives each step's batch (`data.Source`). seed: of all noise. device: None is
    the best. precision: "no", or "bf16" for autocast. checkpoint: a file, written every
    `every` steps and at the end; resume=True goes on from it, if it is there, as if the
    run had never stopped. show(system, history): every `show_every` steps; a notebook
    shows its figure in place. on_step(system, history, step): after each. An interrupt
    lets the step finish and saves; a notebook goes on with `history.interrupted` set, a
    script gets KeyboardInterrupt. warn=False: a game that is lost is not warned of.
    Raises NonFiniteLoss, CheckpointError, ValueError.
    """
    threads.keep_watch()
    seeds.checked(seed)
    accelerator, device = accelerator_for(device, precision)
    with seeded(own_seed(seed, accelerator.process_index)):
        run = Run(system, seed, accelerator, device, checkpoint, resume)
        run.target, run.watch = steps, Watch(warn)
        bar = progress_for(steps, run.history.step, progress and run.first)
        with Interrupt(accelerator) as interrupt, bar:
            for batch in batches(source, run.history.step, steps, accelerator, device):
                run.step(batch)
                bar.update(run.history)
                run.call(on_step, run.history.step)
                if run.history.step % (show_every or max(steps // 20, 1)) == 0:
                    bar.picture(run.call(show))
                if interrupt.asked:
                    break
                if run.history.step % every == 0:
                    run.save()
            run.save()
    if interrupt.asked:
        stopped_by_hand(run.history, steps, checkpoint)
    return run.history


class LostGame(UserWarning):
    """The discriminator has won for good; the generator learns hardly anything."""


class Watch:
    """Looks for a lost game: one discriminator's loss near 0, its generator's high.

    Near 0 is below LOW, high above HIGH, in each of PATIENCE rounds in a row. The
    numbers are for losses of logits by log, the course's usual ones: at LOW real
    pictures are real and drawn ones drawn to 99 in 100. Said once a training.
    """

    LOW, HIGH, PATIENCE = 0.02, 4.0, 200

    def __init__(self, wanted: bool = True):
        self.wanted = wanted
        self.rounds: dict[str, int] = {}

    def look(self, history: History) -> None:
        """Counts the rounds, and warns."""
        for judge in history.losses if self.wanted else ():
            maker = judge.replace("discriminator", "generator")
            if maker == judge or maker not in history.losses:
                continue
            low = abs(history.losses[judge][-1]) < self.LOW  # a critic's is any number
            lost = low and history.losses[maker][-1] > self.HIGH
            self.rounds[judge] = self.rounds.get(judge, 0) + 1 if lost else 0
            if self.rounds[judge] == self.PATIENCE:
                self.wanted = False
                self.warn(judge, maker, history)

    def warn(self, judge: str, maker: str, history: History) -> None:
        """Says what happened, and what to try."""
        warnings.warn(
            f"The game is lost at step {history.step}: for {self.PATIENCE} rounds the "
            f"{judge}'s loss was below {self.LOW:g} and the {maker}'s above "
            f"{self.HIGH:g}. It tells real from drawn without fail, and the {maker} "
            f"gets next to nothing to learn from. Try a lower rate for the {judge} or "
            f"a higher one for the {maker}, a smaller {judge}, a gradient penalty, or "
            "another seed. (fit(..., warn=False) is silent.)",
            LostGame,
            stacklevel=5,  # of who called `fit`
        )


class Run:
    """A training under way: the system, its optimizers, its history, its checkpoint."""

    def __init__(self, system, seed: int, accelerator, device, checkpoint, resume):
        self.system, self.seed, self.accelerator = system, seed, accelerator
        self.first = accelerator.is_main_process
        self.alone = accelerator.num_processes == 1
        self.path = Path(checkpoint) if checkpoint is not None else None
        self.move(device)
        self.optimizers = {name: system.optimizer(name) for name in system.players}
        self.learning = {
            name: [p for group in optimizer.param_groups for p in group["params"]]
            for name, optimizer in self.optimizers.items()
        }
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", group["lr"])
        self.target, self.watch, self.batch = None, Watch(False), None
        self.history = self.recall(resume)
        self.saved = self.history.step
        self.clock = time.perf_counter()

    def move(self, device) -> None:
        """Put the system on its device, ready to play."""
        self.system.to(device)
        if not self.alone:  # all begin with the weights of process 0
            from accelerate.utils import broadcast

            broadcast(list(self.system.state_dict().values()))
        self.system.start_averages()
        self.system.to(device).train()
        seed = own_seed(self.seed, self.accelerator.process_index)
        self.system.rng = torch.Generator(device).manual_seed(seed)

    # ------------------------------------------------------- one round and its turns

    def step(self, batch) -> None:
        """Play one round on a batch: every turn, then the averages of the weights."""
        self.system.check(batch)
        self.batch, self.system.played = batch, self.history.step
        factor = self.system.learning_rate_factor(self.history.step)
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * factor
        losses = {name: [] for name in self.system.players}
        turns = iter(self.system.round(batch))
        while True:
            with self.accelerator.autocast():
                player, loss = next(turns, (None, None))
            if player is None:
                break
            losses[player].append(self.turn(player, loss))
        self.system.update_averages()
        now = time.perf_counter()
        self.history.add(losses, now - self.clock)
        self.watch.look(self.history)
        self.clock = now

    def turn(self, player: str, loss) -> float:
        """Step one player down the gradient of its loss; the loss as a number.

        Only this player's gradients are computed: the loss is followed back through the
        opponents' networks, but the gradients of their weights are never worked out.
        """
        parameters, optimizer = self.learning[player], self.optimizers[player]
        reading = LossReading(loss)
        if self.alone and loss.device.type == "cpu":
            self.check(reading, player)  # before the backward pass, and free
        self.accelerator.backward(loss, inputs=parameters)
        if all(p.grad is None for p in parameters):
            raise ValueError(
                f"The {player}'s loss doesn't depend on the {player}'s weights. "
                "Was something detached on the way?"
            )
        if not self.alone:
            reading = LossReading(average_gradients(self.accelerator, loss, parameters))
        value = self.check(reading, player)
        optimizer.step()
        optimizer.zero_grad()
        return value

    def check(self, reading: LossReading, player: str) -> float:
        """The loss as a number, or NonFiniteLoss with what to do about it."""
        value = reading.value()
        if math.isfinite(value):
            return value
        self.optimizers[player].zero_grad()
        stopped = (
            f"The {player}'s loss is {value} at step {self.history.step + 1}; training "
            "stopped before the weights took it in; the last checkpoint (if any) is "
            "good. "
        )
        if bad := self.batch.not_finite():
            raise NonFiniteLoss(
                f"{stopped}The cause is in the data: the batch's {bad} holds numbers "
                "that aren't finite (NaN or infinity). Look at the source's batch("
                f"{self.history.step})."
            )
        raise NonFiniteLoss(
            f"{stopped}Try a lower learning rate; look for log(0), 0/0 or the root of "
            '0 in this loss; with precision="bf16", try "no". (The batch\'s numbers '
            "are all finite.)"
        )

    # ------------------------------------------------------------ hooks, checkpoints

    def call(self, hook, *step):
        """Call a hook, if there is one, without a trace in the training.

        It sees the networks in evaluation mode, has random numbers of its own (the same
        noise at each call, so pictures change only as the networks do), and its time is
        not counted in `history.seconds`.
        """
        if hook is None:
            return None
        before = time.perf_counter()
        with undisturbed(self.system), torch.no_grad():
            result = hook(self.system, self.history, *step)
        self.clock += time.perf_counter() - before
        return result

    def recall(self, resume: bool) -> History:
        """The history to go on from: the checkpoint's, or an empty one."""
        if self.path is None:
            if resume:
                raise ValueError("resume=True needs the name of a checkpoint")
            return History()
        if self.first:
            checkpoints.check_writable(self.path)
        if not (resume and self.path.exists()):
            return History()
        rank = self.accelerator.process_index
        return checkpoints.load(
            self.path, self.system, self.optimizers, self.seed, rank
        )

    def save(self) -> None:
        """Write the checkpoint, if one is wanted and there is news.

        A loss may be finite and its gradient not (the root of 0): weights that are not
        finite are never saved, and stop the training too.
        """
        if self.path is None or self.saved == self.history.step:
            return
        for player, parameters in self.learning.items():
            if not all(p.isfinite().all() for p in parameters):
                raise NonFiniteLoss(
                    f"The {player}'s weights are not finite after step "
                    f"{self.history.step}, though the losses were; the last checkpoint "
                    "(if any) is good. Look for a gradient of 0/0 or the root of 0 "
                    "in its loss, or try a lower learning rate."
                )
        states = gather(self.accelerator, states_of(self.system))
        if self.first:
            checkpoints.save(
                self.path, self.system, self.optimizers, self.history, self.seed,
                states, self.target,
            )  # fmt: skip
        self.saved = self.history.step


# ---------------------------------------------------------------- several processes


def average_gradients(accelerator, loss, parameters):
    """Average the loss and the gradients over all processes; the mean loss.

    One flat vector makes one all-reduce. With the loss in it, a loss that is not finite
    in one process is seen, and stops the training, in all of them. DataParallel's
    wrapper is not used: it expects one forward pass to each backward pass.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([loss.detach().flatten(), *(g.flatten() for g in gradients)])
    mean = accelerator.reduce(flat, reduction="mean")
    first, *parts = mean.split([1, *(g.numel() for g in gradients)])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))
    return first.squeeze()


def gather(accelerator, states: dict) -> list[dict]:
    """Every process's random states, by rank."""
    if accelerator.num_processes == 1:
        return [states]
    from accelerate.utils import gather_object

    return gather_object([states])


def stopped_by_hand(history: History, steps: int, checkpoint) -> None:
    """Say how to go on after an interrupt: a script ends with it, a notebook lives."""
    history.interrupted = True
    message = f"Stopped at step {history.step} of {steps}. "
    if checkpoint is None:
        message += "Name a file with checkpoint=... to be able to go on another time."
    else:
        message += f'Go on with fit(..., checkpoint="{checkpoint}", resume=True).'
    if not in_notebook():
        raise KeyboardInterrupt(message)
    print(message)
