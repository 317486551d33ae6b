"""Checkpoints: a run that was killed goes on as if nothing had been; bad files."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from training_toys import Toy, toy, train

from t2i_course.training import CheckpointError, History
from t2i_course.training import checkpoint as checkpoints

HERE = Path(__file__).parent


pytestmark = pytest.mark.usefixtures("one_thread")


def child(*arguments, **keywords):
    """The toys' script as a process of its own."""
    return subprocess.Popen(
        [sys.executable, str(HERE / "training_toys.py"), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(HERE.parent), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **keywords,
    )


def equal(first, second):
    """Whether two checkpoints' contents are equal, bit for bit, but for the times."""
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        return all(equal(first[k], second[k]) for k in first if k != "seconds")
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(equal, first, second))
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    return first == second


def content(path):
    """What a checkpoint holds."""
    return torch.load(path, weights_only=True)


# --------------------------------------------------------------- killed and resumed


def killed(path, step):
    """Train in a child process, killed somewhere in the step after this one."""
    process = child("to_be_killed", path, 10**6, stdin=subprocess.PIPE)
    for line in process.stdout:
        process.stdin.write("go on\n")
        process.stdin.flush()
        if int(line) == step:
            time.sleep(0.01 * random.random())
            process.kill()
            break
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_a_killed_run_resumed_equals_one_never_stopped(tmp_path):
    """Killed twice with SIGKILL at a random moment; weights, averages, optimizers,
    losses and random states are those of a run in one piece."""
    path, whole = tmp_path / "killed.pt", tmp_path / "whole.pt"
    steps = [random.randint(2, 12), random.randint(14, 24)]
    for step in steps:
        killed(path, step)
    history = train(toy(), 30, checkpoint=path, every=3, resume=True)
    expected = train(toy(), 30, checkpoint=whole)
    assert history.losses == expected.losses, f"killed after the steps {steps}"
    assert equal(content(path), content(whole)), f"killed after the steps {steps}"


def test_a_run_in_two_parts_equals_one_in_one(tmp_path):
    path, whole = tmp_path / "parts.pt", tmp_path / "whole.pt"
    train(toy(), 7, checkpoint=path)
    torch.manual_seed(99)  # what the fresh system begins with doesn't matter
    history = train(Toy(), 12, checkpoint=path, resume=True)
    train(toy(), 12, checkpoint=whole)
    assert equal(content(path), content(whole))
    assert history.steps == list(range(1, 13))
    assert history.seconds == sorted(history.seconds)


def test_resume_without_a_file_begins_anew_and_at_the_end_does_nothing(tmp_path):
    path = tmp_path / "folder" / "toy.pt"
    first = train(toy(), 3, checkpoint=path, resume=True)
    written = path.read_bytes()
    again = train(toy(), 3, checkpoint=path, resume=True)
    assert again.losses == first.losses and again.seconds == first.seconds
    assert path.read_bytes() == written


def test_measures_survive(tmp_path):
    path = tmp_path / "toy.pt"
    train(
        toy(),
        2,
        checkpoint=path,
        on_step=lambda _, history, step: history.measure("a", 1),
    )
    measures = train(toy(), 3, checkpoint=path, resume=True).measures
    assert [(step, value) for step, _, value in measures["a"]] == [(1, 1.0), (2, 1.0)]


def test_another_kind_of_device_gives_other_noise_but_goes_on(tmp_path):
    path = tmp_path / "toy.pt"
    train(toy(), 2, checkpoint=path)
    changed = content(path)
    changed["random"][0] |= {"device": "cuda", "system": torch.zeros(16).byte()}
    torch.save(changed, path)
    assert train(toy(), 3, checkpoint=path, resume=True).step == 3


def test_history_survives_its_own_writing():
    history = History()
    history.add({"a": [1.0, 2.0], "b": []}, 0.5)
    history.add({"a": [3.0], "b": [4.0]}, 0.5)
    history.measure("score", 0.25)
    again = History.from_state(history.state())
    assert again.losses["a"] == [1.5, 3.0] and again.losses["b"][1] == 4.0
    assert again.seconds == [0.5, 1.0] and again.steps == [1, 2]
    assert again.measures == {"score": [(2, 1.0, 0.25)]}


# ------------------------------------------------------------------------- bad files


@pytest.fixture
def good(tmp_path):
    """A good checkpoint of two steps."""
    path = tmp_path / "toy.pt"
    train(toy(), 2, checkpoint=path)
    return path


def refused(path, words, system=None, **keywords):
    """Resuming must fail in one line with these words, the system left alone."""
    system = system or toy()
    before = {name: value.clone() for name, value in system.state_dict().items()}
    with pytest.raises(CheckpointError, match=words) as caught:
        train(system, 4, checkpoint=path, resume=True, **keywords)
    assert len(str(caught.value).splitlines()) == 1
    after = system.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


@pytest.mark.parametrize("damage", ["cut", "short", "empty", "text", "flipped"])
def test_damaged_files_are_refused(good, damage):
    content = bytearray(good.read_bytes())
    if damage == "flipped":
        content[len(content) // 3] ^= 64
    damaged = {
        "cut": content[: len(content) // 2],
        "short": content[:-1],
        "empty": b"",
        "text": b"not a checkpoint",
        "flipped": content,
    }[damage]
    good.write_bytes(bytes(damaged))
    refused(good, "damaged.*Delete it and begin anew")


def test_foreign_files_are_refused(good):
    torch.save({"weights": torch.zeros(3)}, good)
    refused(good, "no checkpoint of this course")
    torch.save(toy(), good)  # a pickled module: code that could run when it is read
    refused(good, "no checkpoint")


def test_checkpoints_of_another_training_are_refused(good):
    class Other(Toy):
        pass

    refused(good, "its system is Toy, not Other", Other())
    refused(good, "its seed is 0, not 5", seed=5)
    refused(good, r"generator\.2\.bias is \[4\], not missing", toy(norm=False))
    system = toy()
    system.settings = {"steps": 9, "batch_size": 8}
    refused(good, "setting batch_size is missing, not 8", system)


def test_a_half_written_file_beside_does_no_harm(good):
    good.with_name("toy.pt.part").write_bytes(b"left behind by a kill")
    assert train(toy(), 4, checkpoint=good, resume=True).step == 4
    assert sorted(file.name for file in good.parent.iterdir()) == ["toy.pt"]


# ----------------------------------------------------------------- where none can be


def test_a_failed_write_leaves_the_old_file(good):
    before = good.read_bytes()

    def fail(file):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError):
        checkpoints.write_whole(good, fail)
    assert good.read_bytes() == before
    assert sorted(file.name for file in good.parent.iterdir()) == ["toy.pt"]


def test_a_full_disk_stops_with_the_old_checkpoint_intact(good):
    before = good.read_bytes()
    process = child("on_a_full_disk", good, len(before) // 2)
    errors = process.communicate()[1]
    assert process.returncode == 1
    last = errors.strip().splitlines()[-1]
    assert "CheckpointError: Can't write the checkpoint" in last and "step 4" in last
    assert good.read_bytes() == before
    assert sorted(file.name for file in good.parent.iterdir()) == ["toy.pt"]


def test_a_place_that_cannot_be_written_is_noticed_before_training(tmp_path):
    (tmp_path / "file").write_text("no folder")
    steps = []

    def note(system, history, step):
        steps.append(step)

    with pytest.raises(CheckpointError, match="where you may write"):
        train(toy(), 2, checkpoint=tmp_path / "file" / "toy.pt", on_step=note)
    with pytest.raises(CheckpointError, match="is a folder"):
        train(toy(), 2, checkpoint=tmp_path, on_step=note)
    assert not steps


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_read_only_folder_is_noticed(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(CheckpointError, match="Permission denied"):
        train(toy(), 2, checkpoint=tmp_path / "toy.pt")
