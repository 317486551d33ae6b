"""How torch's threads wait: set before torch is loaded, watched while it trains."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from t2i_course import threads

ROOT = Path(__file__).resolve().parents[1]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="GNU's OpenMP")


def fresh(code: str, **environment) -> subprocess.CompletedProcess:
    """A Python that has imported nothing yet, and nobody's policy but that given."""
    kept = {k: v for k, v in os.environ.items() if k not in threads.NAMES}
    kept |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2"} | environment
    return subprocess.run(
        [sys.executable, "-c", code],
        env=kept,
        capture_output=True,
        text=True,
        check=True,
    )


@LINUX
def test_torchs_openmp_is_told_before_it_loads():
    """libgomp itself says what it read: once for each copy that a process loads."""
    code = "from t2i_course import lesson"
    told = fresh(code, OMP_DISPLAY_ENV="VERBOSE").stderr
    assert f"GOMP_SPINCOUNT = '{threads.POLICY['GOMP_SPINCOUNT']}'" in told
    code = "import torch; from t2i_course import lesson"
    told = fresh(code, OMP_DISPLAY_ENV="VERBOSE").stderr
    assert "GOMP_SPINCOUNT" in told
    assert f"'{threads.POLICY['GOMP_SPINCOUNT']}'" not in told


SAY = "import os, t2i_course; from t2i_course import threads as t; "
SAY += "print(t.owner(), t.late(), *(os.environ.get(n) for n in t.NAMES), sep='|')"


def test_the_course_has_a_policy_and_its_children_keep_it():
    expected = ["course", "False", "None", *threads.POLICY.values(), "None"]
    assert fresh(SAY).stdout.strip().split("|") == expected
    child = fresh("import torch; " + SAY, **threads.POLICY)
    assert child.stdout.strip().split("|") == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [("OMP_WAIT_POLICY", "ACTIVE"), ("GOMP_SPINCOUNT", "7"), ("KMP_BLOCKTIME", "3")],
)
def test_a_users_own_policy_stays(name, value, monkeypatch):
    for other in threads.NAMES:
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(threads, "_watching", None)
    threads.settle()
    threads.keep_watch()
    assert [os.environ.get(n) for n in threads.NAMES if n != name] == [None] * 3
    assert os.environ[name] == value and threads._watching is None
    assert threads.in_force() == f"waiting threads: {name}={value} (yours)"


def test_a_lesson_and_the_doctor_say_that_torch_came_first():
    begin = "from t2i_course import doctor, lesson; lesson.begin('00'); "
    begin += "print(*doctor.machine(), sep='\\n')"
    first, later = (
        fresh(start + begin, T2I_PRESET="cpu", CUDA_VISIBLE_DEVICES="").stdout
        for start in ("import torch; ", "")
    )
    assert first.count(threads.LATE) == 2 and later.count(threads.LATE) == 0
    assert "GOMP_SPINCOUNT=" in later and "GOMP_SPINCOUNT=" not in first


COUNT = """
import resource, threading, time
import torch
from t2i_course.threads import Watch

def sleeps():
    "How often threads of this process went to sleep in 100 operations."
    before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
    for _ in range(100):
        x.add_(1)
        time.sleep(2e-5)  # one sleep each is this one's
    return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before

x, watch, found = torch.ones(2**17), Watch(), []
for others in (0.0, float(len(watch.cores)), 0.0):
    watch.act(others)
    time.sleep(0.2)  # teams begin and end
    found.append(sleeps())
print(*found, threading.active_count())
"""


@LINUX
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core has nobody to wait for")
def test_threads_sleep_while_others_want_the_cores():
    own = str(len(os.sched_getaffinity(0)))
    told = {"OMP_NUM_THREADS": own, "GOMP_SPINCOUNT": "3000000"}
    quiet, busy, after, alive = map(int, fresh(COUNT, **told).stdout.split())
    assert busy > quiet + 80 and after < busy - 80, (quiet, busy, after)
    assert alive == 1


def test_core_seconds_counts_what_is_not_idle(monkeypatch):
    monkeypatch.setattr(os, "sysconf", lambda name: 100)
    text = (
        "cpu  999 999 999 999 999 999 999 999 0 0\n"
        "cpu0 100 10 50 7000 600 0 5 35 0 0\n"
        "cpu1 100 0 0 7000 0 0 0 0 0 0\n"
        "cpu10 500 0 0 7000 0 0 0 0 0 0\nintr 5 6\n"
    )
    assert threads.core_seconds(text, {0, 1}) == pytest.approx(3.0)


@pytest.mark.parametrize("name", ["layers", "loop", "stimuli", "world"])
def test_what_measures_time_gets_the_policy_before_torch(name):
    text = (ROOT / "benchmarks" / f"{name}.py").read_text()
    first = re.search(r"^\s*(import|from) t2i_course", text, re.MULTILINE).start()
    assert first < re.search(r"^\s*import torch", text, re.MULTILINE).start()


def test_the_benchmark_compares_with_torchs_own_policy_quiet():
    times = {
        ("a", "torch", False): [10, 30, 20],
        ("a", "torch", True): [200, 100, 60],
        ("a", "ours", False): [22, 22, 22],
        ("a", "ours", True): [30, 30, 90],
        ("b", "torch", False): [1, 1, 1],
        ("b", "torch", True): [4, 4, 4],
    }
    code = f"import busy; print(busy.summary({times!r}))"
    found = fresh(
        f"import sys; sys.path.insert(0, {str(ROOT / 'benchmarks')!r}); {code}"
    )
    rows = ast.literal_eval(found.stdout)
    assert [(row["quiet"], row["busy"]) for row in rows] == [(1, 5), (1.1, 1.5), (1, 4)]
