"""t2i train: stopped, resumed, seeded, with a full disk, in several processes."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from training_toys import fails, usual_signals

from t2i_course import cli, seeds
from t2i_course.training import CheckpointError, checkpoint

fit = sys.modules["t2i_course.training.fit"]  # the file; its function has its name

ROOT = Path(__file__).resolve().parents[1]
RUN = Path("runs/gan-smoke/checkpoint.pt")
GAN = ["train", "gan", "--preset", "smoke"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def steps_of(path=RUN):
    return len(checkpoint.read(path)["history"]["seconds"])


# ------------------------------------------------------------------------------ resume


def test_resume_goes_on_to_the_run_s_own_end(capsys):
    """A training of 9 steps, stopped at 5, ends at 9: not at the preset's 4."""
    assert cli.main([*GAN, "--steps", "9"]) == 0
    assert checkpoint.read(RUN)["target"] == 9
    RUN.unlink()
    with stopped_at(5):
        assert cli.main([*GAN, "--steps", "9"]) == 130
    assert steps_of() == 5
    capsys.readouterr()
    assert cli.main([*GAN, "--resume"]) == 0
    assert "on digits: 9 steps" in capsys.readouterr().out and steps_of() == 9
    assert cli.main([*GAN, "--resume"]) == 0
    assert (
        "has all of its 9 steps; --steps N trains for more" in capsys.readouterr().out
    )
    assert "has 9 steps already; --steps 3 is less" in fails(
        capsys, *GAN, "--resume", "--steps", 3
    )
    assert cli.main([*GAN, "--resume", "--steps", "11"]) == 0 and steps_of() == 11


@contextmanager
def stopped_at(step):
    """Ctrl-C after that step of a training."""
    before = fit.Run.step

    def step_and_stop(run, batch):
        before(run, batch)
        if run.history.step == step:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit.Run, "step", step_and_stop)
        yield


def test_resume_without_a_checkpoint_says_so(capsys):
    assert cli.main([*GAN, "--resume", "--steps", "2"]) == 0
    assert "begins anew" in capsys.readouterr().out and steps_of() == 2


def test_a_checkpoint_of_before_knows_no_target(capsys):
    """Then the preset's steps, or all that it has."""
    assert cli.main([*GAN, "--steps", "9"]) == 0
    content = torch.load(RUN, weights_only=True)
    del content["target"], content["origin"]
    torch.save(content, RUN)
    assert cli.main([*GAN, "--resume"]) == 0 and steps_of() == 9
    assert "has all of its 9 steps" in capsys.readouterr().out


@pytest.mark.parametrize("steps", ["0", "-3"])
def test_no_steps_are_refused(capsys, steps):
    assert f"1 or more, not {steps}" in fails(capsys, *GAN, "--steps", steps)
    assert not Path("runs").exists()


def test_after_ctrl_c_the_advice_is_a_command(capsys):
    words = ["--steps", "7", "--seed", "3"]
    with stopped_at(2):
        assert cli.main([*GAN, *words]) == 130
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said == (
        "t2i: Stopped at step 2 of 7. Go on with: "
        "t2i train gan --preset smoke --resume --steps 7 --seed 3"
    )
    command = said.partition("Go on with: t2i ")[2].split()
    assert cli.main(command) == 0 and steps_of() == 7


def test_ctrl_c_on_the_real_command_line():
    """The process itself, by its signal: one line, exit code 130, no traceback."""
    words = [sys.executable, "-m", "t2i_course", *GAN, "--steps", "100000"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.Popen(
        words,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=usual_signals,
    )
    assert "100000 steps" in run.stdout.readline()
    assert run.stderr.readline().startswith("step 1/100000")
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130 and "Traceback" not in said
    assert "--resume --steps 100000" in said.strip().splitlines()[-1]


# ------------------------------------------------------------------------------- seeds


@pytest.mark.parametrize("seed", ["-5", str(2**32), str(2**63), str(2**70)])
@pytest.mark.parametrize(
    "words",
    [
        GAN,
        ["draw", "a red bird"],
        ["measure", "gan_32"],
        ["reproduce", "01", "gradient"],
    ],
)
def test_a_seed_that_cannot_be_is_refused_everywhere(capsys, words, seed):
    said = fails(capsys, *words, "--seed", seed)
    assert said == f"t2i {words[0]}: a seed is from 0 to {seeds.LARGEST}, not {seed}"


def test_the_largest_seed_will_do():
    assert cli.main([*GAN, "--steps", "1", "--seed", str(seeds.LARGEST)]) == 0


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "3", True, None])
def test_seeds_in_python(seed):
    from t2i_course import lesson
    from t2i_course.datasets.emoji import Emoji
    from t2i_course.drawing import noise_rows
    from t2i_course.training import fit
    from t2i_course.worlds.birds import Birds
    from t2i_course.worlds.digits import Digits
    from t2i_course.worlds.points import Ring

    for call in (
        lambda: fit(None, None, 1, seed=seed),
        lambda: noise_rows(seed, 1, 1),
        lambda: Birds("train", 16, individuals=2, seed=seed),
        lambda: Emoji("train", 32, seed=seed),
        lambda: Digits(8, seed),
        lambda: Ring(8, seed),
        lambda: lesson.seed_everything(seed),
    ):
        with pytest.raises(ValueError, match="a seed is"):
            call()


# ------------------------------------------------------------------ disks and processes


def test_a_full_disk_has_words(monkeypatch, capsys):
    """Torch's own for it are "enforce fail at inline_container"."""

    def full(content, file):
        raise RuntimeError(
            "[enforce fail at inline_container.cc:672] . unexpected pos 64"
        )

    assert cli.main([*GAN, "--steps", "2"]) == 0
    good = RUN.read_bytes()
    monkeypatch.setattr(torch, "save", full)
    said = fails_at_the_end(capsys, *GAN, "--resume", "--steps", "4")
    assert "is the disk full?" in said and "enforce" not in said
    assert "t2i train gan --preset smoke --resume --steps 4" in said
    assert RUN.read_bytes() == good and [p.name for p in RUN.parent.iterdir()] == [
        RUN.name
    ]


def fails_at_the_end(capsys, *words):
    assert cli.main([*words]) == 1
    return capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_torch_s_words_for_a_full_disk_are_known():
    """Whatever torch says of a disk that is really full, ours are said."""
    error = pytest.raises((OSError, RuntimeError))
    with error as caught, open("/dev/full", "wb") as file:
        torch.save({"a": torch.zeros(10_000)}, file)
        file.flush()
    words = checkpoint.why(caught.value)
    assert "enforce" not in words and ("full" in words or "No space" in words)


def test_processes_of_one_training_speak_once(monkeypatch, capsys):
    """Under torchrun, which sets RANK: only the first prints."""
    monkeypatch.setenv("RANK", "1")
    assert cli.main([*GAN, "--steps", "0"]) == 2
    found = capsys.readouterr()
    assert found.out == "" and found.err == ""
    monkeypatch.setenv("RANK", "0")
    assert cli.main([*GAN, "--steps", "0"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_torchrun_prints_each_line_once():
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    words += ["--nproc-per-node=2", "-m", "t2i_course", *GAN, "--steps", "2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        words, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    assert len(lines) == len(set(lines)) == 2, lines
    steps = [x for x in done.stderr.splitlines() if x.startswith("step ")]
    assert len(steps) == len(set(steps)) == 2


def test_a_reader_who_has_seen_enough():
    """`t2i systems | head -1` ends quietly."""
    words = f"{sys.executable} -m t2i_course systems | head -1"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", words],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and done.stderr == ""
    assert len(done.stdout.splitlines()) == 1


# --------------------------------------------------------------------------- odd files


def changed(path, change):
    """The checkpoint, with one thing in it changed."""
    content = torch.load(path, weights_only=True)
    change(content)
    torch.save(content, path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.pop("optimizers"), "has no optimizers"),
        (lambda c: c.pop("random"), "has no random"),
        (lambda c: c["fingerprint"].pop("shapes"), "has no fingerprint.shapes"),
        (lambda c: c["history"].pop("losses"), "has no history.losses"),
        (lambda c: c.update(system=[1]), "its system is of the kind list"),
        (lambda c: c.update(fingerprint=[1]), "its fingerprint is no table"),
        (
            lambda c: c["optimizers"]["generator"].pop("state"),
            "optimizers can't be read",
        ),
        (lambda c: c["history"]["losses"].update(generator=3), "history can't be read"),
        (lambda c: c["system"].pop("generator.net.0.weight"), "system can't be read"),
        (lambda c: c.update(random=[{}]), "random can't be read"),
    ],
)
def test_a_checkpoint_that_lacks_something_is_named(capsys, change, said):
    """File and key in a line, with one advice; never a bare key or a traceback."""
    assert cli.main([*GAN, "--steps", "2"]) == 0
    changed(RUN, change)
    capsys.readouterr()
    line = fails(capsys, *GAN, "--resume", "--steps", "3", code=1)
    assert str(RUN) in line and said in line and line.count("Delete it") == 1


def test_no_advice_to_delete_what_is_not_there(tmp_path):
    for path, said in [(tmp_path / "no.pt", "isn't there"), (tmp_path, "is a folder")]:
        with pytest.raises(CheckpointError, match=said) as error:
            checkpoint.read(path)
        assert "Delete" not in str(error.value)
