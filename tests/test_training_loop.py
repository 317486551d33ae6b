"""The loop: the same as written by hand, whatever the machine; and how it stops."""

import copy
import math
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from torch import nn
from training_toys import Pictures, Toy, toy, train

from t2i_course.training import NonFiniteLoss, System, fit
from t2i_course.training.machine import accelerator_for, batches

HERE = Path(__file__).parent


pytestmark = pytest.mark.usefixtures("one_thread")


def same(first, second):
    """Whether two state dicts are equal bit for bit."""
    assert first.keys() == second.keys()
    return all(torch.equal(first[key], second[key]) for key in first)


# --------------------------------------------------------------------------- the loop


def by_hand(system, steps, seed=0):
    """The toy's training with nothing hidden: what fit must be equal to."""
    torch.manual_seed(seed)
    system.rng = torch.Generator().manual_seed(seed)
    system.train()
    average = copy.deepcopy(system.generator)
    optimizers = {name: system.optimizer(name) for name in system.players}
    losses = {name: [] for name in system.players}
    for step in range(steps):
        for player, loss in system.round(Pictures().batch(step).to("cpu")):
            optimizer = optimizers[player]
            optimizer.param_groups[0]["lr"] = 2e-3 * system.learning_rate_factor(step)
            system.zero_grad()
            loss.backward()
            optimizer.step()
            losses[player].append(loss.item())
        with torch.no_grad():
            pairs = zip(average.parameters(), system.generator.parameters())
            for slow, fast in pairs:
                decay = min(0.9, (1 + step) / (10 + step))
                slow.lerp_(fast, 1 - decay) if step else slow.copy_(fast)
    return losses, average


def test_fit_is_equal_to_a_loop_written_by_hand():
    first, second = toy(), toy()
    history = train(first, 20)
    losses, average = by_hand(second, 20)
    assert history.losses == losses
    assert same(first.generator.state_dict(), second.generator.state_dict())
    assert same(first.discriminator.state_dict(), second.discriminator.state_dict())
    for a, b in zip(first.network("generator").parameters(), average.parameters()):
        assert torch.allclose(a, b, atol=1e-7)
    assert history.steps == list(range(1, 21)) and history.step == 20
    assert history.seconds == sorted(history.seconds) and history.elapsed > 0


def test_only_the_player_learns_and_only_its_gradients_are_computed():
    class Watched(Toy):
        def round(self, batch):
            other = {"discriminator": self.generator, "generator": self.discriminator}
            for player, loss in super().round(batch):
                before = copy.deepcopy(other[player].state_dict())
                mine = [p.clone() for p in self.player(player).parameters()]
                loss.register_hook(lambda grad: seen.append(player))  # noqa: B023
                yield player, loss
                assert all(p.grad is None for p in self.parameters())
                for name, p in other[player].named_parameters():
                    assert torch.equal(p, before[name])
                changed = zip(mine, self.player(player).parameters())
                assert any(not torch.equal(a, b) for a, b in changed)

    seen = []
    made = []
    system = Watched(still=True)
    for name, part in system.named_parameters():
        part.register_hook(lambda grad, name=name: made.append((len(seen), name)))
    train(system, 2)
    assert seen == ["discriminator", "generator"] * 2
    for turn, name in made:
        assert name.startswith(seen[turn - 1])


def test_random_numbers_outside_neither_matter_nor_change():
    torch.manual_seed(5)
    first, second = toy(), toy()
    torch.manual_seed(6)
    train(first, 3)
    drawn = torch.rand(1)
    torch.manual_seed(6)
    assert torch.equal(torch.rand(1), drawn)
    train(second, 3)
    assert same(first.state_dict(), second.state_dict())


def test_the_seed_matters():
    first, second = toy(), toy()
    train(first, 2, seed=1), train(second, 2, seed=2)
    assert not same(first.state_dict(), second.state_dict())


def test_hooks_leave_no_trace():
    pictures = []

    def draw(system, history):
        assert not system.generator.training and not torch.is_grad_enabled()
        pictures.append(system.sample(2))
        torch.rand(3)

    def measure(system, history, step):
        assert step == history.step
        history.measure("brightness", system.sample(2).mean())

    first, second = toy(), toy()
    history = train(first, 6, show=draw, show_every=3, on_step=measure)
    train(second, 6)
    assert same(first.state_dict(), second.state_dict())
    assert first.generator.training and len(pictures) == 2
    points = history.measures["brightness"]
    assert [point[0] for point in points] == list(range(1, 7))
    assert points[-1][1] == history.elapsed
    assert history.values("brightness") == [point[2] for point in points]
    assert history.times("brightness") == history.seconds


def test_the_time_of_hooks_is_not_counted():
    import time

    history = train(toy(), 3, on_step=lambda *_: time.sleep(0.2))
    assert history.elapsed < 0.4


def test_bf16_runs_and_stays_finite():
    kinds = set()

    class Watched(Toy):
        def round(self, batch):
            for player, loss in super().round(batch):
                kinds.add(self.discriminator(batch.image).dtype)
                yield player, loss

    system = Watched()
    history = train(system, 8, precision="bf16")
    assert kinds == {torch.bfloat16}
    assert all(math.isfinite(x) for past in history.losses.values() for x in past)
    assert all(p.dtype == torch.float32 for p in system.parameters())
    train(system, 1, precision="no")  # the next training may choose otherwise


def test_players_may_play_several_times_or_rest():
    class Uneven(Toy):
        players = ("discriminator", "generator", "encoder")

        def round(self, batch):
            for _ in range(2):
                fake = self.generator(self.noise(len(batch), 6))
                loss = self.discriminator(fake).mean()
                turns.append(loss.item())
                yield "generator", loss

    turns = []
    system = Uneven()
    system.encoder = nn.Linear(2, 2)
    losses = train(system, 3).losses
    means = [(a + b) / 2 for a, b in zip(turns[::2], turns[1::2])]
    assert losses["generator"] == means
    assert len(losses["encoder"]) == 3 and all(map(math.isnan, losses["encoder"]))


def test_parts_that_are_no_player_stay_in_evaluation_mode():
    system = toy()
    system.text = nn.Dropout()
    train(system, 1)
    assert system.generator.training and not system.text.training
    assert not system.averages["generator"].training


# --------------------------------------------------------------------- clear mistakes


def test_a_loss_that_is_cut_off_from_its_player_is_named():
    class Cut(Toy):
        def round(self, batch):
            fake = self.generator(self.noise(len(batch), 6)).detach()
            yield "generator", self.discriminator(fake).mean()

    with pytest.raises(ValueError, match="generator's loss doesn't depend on"):
        train(Cut(), 1)


def test_players_without_network_and_bad_settings_are_named():
    class Nameless(System):
        players = ("painter",)

    with pytest.raises(ValueError, match="no sub-module 'painter'"):
        train(Nameless(), 1)
    with pytest.raises(ValueError, match='"no" or "bf16"'):
        train(toy(), 1, precision="fp16")
    with pytest.raises(ValueError, match="name of a checkpoint"):
        train(toy(), 1, resume=True)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without GPU")
def test_a_missing_gpu_is_named():
    with pytest.raises(ValueError, match="no cuda here"):
        fit(toy(), Pictures(), 1, device="cuda")


@pytest.mark.parametrize("player", ["discriminator", "generator"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_before_the_step(player, value, tmp_path):
    class Spoiled(Toy):
        def round(self, batch):
            self.turns = getattr(self, "turns", 0)
            for who, loss in super().round(batch):
                self.turns += 1
                bad = who == player and self.turns > 9  # both play their 5th turn
                self.before = copy.deepcopy(self.state_dict())
                yield who, loss * value if bad else loss

    system = Spoiled(norm=False)
    path = tmp_path / "toy.pt"
    with pytest.raises(NonFiniteLoss, match=f"{player}'s loss is .* at step") as caught:
        train(system, 20, checkpoint=path, every=2)
    assert "lower learning rate" in str(caught.value)
    assert same(system.state_dict(), system.before)
    assert all(p.grad is None for p in system.parameters())
    resumed = toy(norm=False)
    resumed.__class__ = Toy
    with pytest.raises(Exception, match="belongs to another training: its system"):
        train(resumed, 5, checkpoint=path, resume=True)
    again = torch.load(path, weights_only=True)
    assert len(again["history"]["seconds"]) == 4


def test_gradients_that_are_not_finite_never_reach_a_checkpoint(tmp_path):
    class Rooted(Toy):
        def round(self, batch):
            for player, loss in super().round(batch):
                spoil = loss.new_zeros(()) * self.generator[0].weight.sum()
                bad = player == "generator" and self.rooted
                yield player, loss + spoil.abs().sqrt() if bad else loss

        rooted = False

    system, path = Rooted(), tmp_path / "toy.pt"
    train(system, 1, checkpoint=path)
    good = path.read_bytes()
    system.rooted = True
    with pytest.raises(NonFiniteLoss, match="generator's weights are not finite"):
        train(system, 2, checkpoint=path, resume=True)
    assert path.read_bytes() == good


# ------------------------------------------------------------------------- interrupts


def pressed_at(step):
    """A hook that presses Ctrl-C after that step."""

    def hook(system, history, now):
        if now == step:
            signal.raise_signal(signal.SIGINT)

    return hook


def test_a_script_is_stopped_by_an_interrupt_with_a_good_checkpoint(tmp_path):
    path = tmp_path / "toy.pt"
    stopped, straight = toy(), toy()
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match=r"step 4 of 9\..*resume=True"):
        train(stopped, 9, checkpoint=path, on_step=pressed_at(4))
    assert signal.getsignal(signal.SIGINT) is handler
    history = train(toy(), 9, checkpoint=path, resume=True)
    assert history.losses == train(straight, 9).losses


def test_an_interrupt_within_a_round_lets_it_finish(tmp_path):
    class Pressed(Toy):
        def round(self, batch):
            for turn, (player, loss) in enumerate(super().round(batch)):
                if turn == 1 and self.pressed:
                    self.pressed = False
                    signal.raise_signal(signal.SIGINT)
                yield player, loss

        pressed = True

    torch.manual_seed(1)
    system, path = Pressed(), tmp_path / "toy.pt"
    with pytest.raises(KeyboardInterrupt, match="step 1 of 5"):
        train(system, 5, checkpoint=path)
    history = train(system, 5, checkpoint=path, resume=True)
    assert history.losses == train(toy(), 5).losses


def test_a_second_interrupt_stops_at_once():
    class Stuck(Toy):
        def round(self, batch):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            yield from super().round(batch)

    with pytest.raises(KeyboardInterrupt):
        train(Stuck(), 3)


def test_training_in_a_thread_works():
    results = []
    thread = threading.Thread(target=lambda: results.append(train(toy(), 2)))
    thread.start()
    thread.join()
    assert results[0].step == 2


NOTEBOOK_CELL = """
import sys
sys.path.insert(0, {tests!r})
from training_toys import *
system = toy()
history = fit(system, Pictures(), 10**6, device="cpu", checkpoint={path!r})
"""


def messages(kernel, cell, kind):
    """A cell's messages of one kind, until the cell has ended."""
    while True:
        message = kernel.get_iopub_msg(timeout=300)
        if message["parent_header"].get("msg_id") != cell:
            continue
        if message["msg_type"] == kind:
            yield message["content"]
        if message["content"].get("execution_state") == "idle":
            return


def test_an_interrupted_notebook_lives_and_its_checkpoint_is_good(tmp_path):
    """A real kernel: run a cell, press stop, run another cell."""
    client = pytest.importorskip("jupyter_client")
    path = str(tmp_path / "toy.pt")
    manager = client.KernelManager()
    manager.start_kernel(cwd=str(HERE.parent))
    kernel = manager.client()
    kernel.start_channels()
    try:
        kernel.wait_for_ready(timeout=300)
        cell = kernel.execute(NOTEBOOK_CELL.format(tests=str(HERE), path=path))
        bar = next(messages(kernel, cell, "update_display_data"))["data"]
        assert "step " in bar["text/plain"] and "<progress" in bar["text/html"]
        manager.interrupt_kernel()
        said = "".join(text["text"] for text in messages(kernel, cell, "stream"))
        assert "Stopped at step" in said and "resume=True" in said
        cell = kernel.execute("print(history.interrupted, history.step > 0)")
        said = "".join(text["text"] for text in messages(kernel, cell, "stream"))
        assert said == "True True\n"
    finally:
        kernel.stop_channels()
        manager.shutdown_kernel(now=True)
    step = len(torch.load(path, weights_only=True)["history"]["seconds"])
    assert train(toy(), step + 2, checkpoint=path, resume=True).step == step + 2


# -------------------------------------------------------------------- several processes


def free_port():
    """A port of this computer that nobody listens to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two processes that trained together: (folder of checkpoints, what each said)."""
    folder = tmp_path_factory.mktemp("pair")
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
    common |= {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    common |= {"PYTHONPATH": str(HERE.parent)}
    command = [sys.executable, str(HERE / "training_toys.py"), "one_of_two"]
    processes = [
        subprocess.Popen(
            [*command, str(folder)],
            env={**os.environ, **common, "RANK": rank, "LOCAL_RANK": rank},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in "01"
    ]
    try:
        said = [process.communicate(timeout=600) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert all(process.returncode == 0 for process in processes), said
    return folder, [output for output, _ in said]


def test_two_processes_train_as_one_with_the_doubled_batch(pair):
    together = torch.load(pair[0] / "still.pt", weights_only=True)
    system = toy(still=True)
    history = train(system, 6, source=Pictures(8))
    for name, tensor in system.state_dict().items():
        assert torch.allclose(tensor, together["system"][name], atol=1e-6), name
    for player, past in history.losses.items():
        expected = together["history"]["losses"][player]
        assert torch.allclose(torch.tensor(past).double(), expected, atol=1e-6)
    assert len(together["random"]) == 2


def test_batch_norm_sees_only_its_own_process(pair):
    """What batch norm changes: each process normalizes by its own half of the batch.

    So two processes of 4 are not one of 8, already after a step: the generator's
    weights differ, and process 0's running mean is that of its own 4 pictures.
    """
    together = torch.load(pair[0] / "norm.pt", weights_only=True)["system"]
    wholes = {}
    for size in (4, 8):
        system = toy()
        system.still = True
        system.discriminator[2].p = 0.0
        train(system, 1, source=Halves(size))
        wholes[size] = system.state_dict()
    name = "generator.0.weight"
    assert not torch.allclose(together[name], wholes[8][name], atol=1e-6)
    name = "generator.2.running_mean"
    assert torch.allclose(together[name], wholes[4][name], atol=1e-6)
    assert not torch.allclose(together[name], wholes[8][name], atol=1e-6)


class Halves(Pictures):
    """The first pictures of the batch of 8."""

    def batch(self, step, rank=0, world=1):
        return Pictures(self.batch_size).batch(step, rank, 8 // self.batch_size)


def test_a_bad_loss_in_one_process_stops_both(pair):
    for output in pair[1]:
        assert "loss is nan at step 3" in output


# ------------------------------------------------------------------------- the machine


def test_batches_made_ahead_are_the_same():
    """The thread that feeds a GPU, tried without one."""
    accelerator, _ = accelerator_for("cpu")

    class OnCpu:
        type = "cuda"

    assert list(batches(Plain(), 2, 6, accelerator, OnCpu())) == [2, 3, 4, 5]


class Plain:
    """Batches that are numbers."""

    def batch(self, step, rank=0, world=1):
        return Number(step)


class Number(int):
    """A batch that stays where it is."""

    def to(self, device):
        return self
