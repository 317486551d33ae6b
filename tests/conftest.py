"""What several test files share: the tiny course, and a quiet machine."""

import importlib.util
import os
import signal
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TINY = Path(__file__).parent / "tiny"

sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import t2i_course  # noqa: E402, F401  (before any test imports torch: how threads wait)

# A job started in the background ignores interrupts, and so would the tests of them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _put_back(name, value):
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


@pytest.fixture
def one_thread():
    """Torch on one thread: sums of one thread and of two differ in the last bit."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _own_environment():
    """A test leaves T2I_* variables as it found them."""
    before = {k: v for k, v in os.environ.items() if k.startswith("T2I_")}
    yield
    for name in {*before, *(k for k in os.environ if k.startswith("T2I_"))}:
        _put_back(name, before.get(name))


@pytest.fixture(scope="module")
def tiny_course():
    """Adds lesson 97 (tests/tiny) to this process and to any Python it starts."""
    before = os.environ.get("PYTHONPATH")
    paths = [str(TINY), str(ROOT), before]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    file = TINY / "sitecustomize.py"
    spec = importlib.util.spec_from_file_location("tiny_course", file)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    yield TINY
    from t2i_course.lesson import LESSONS

    LESSONS.pop("97", None)
    _put_back("PYTHONPATH", before)
