"""How fast do trainings step while another process wants a core? Policies compared.

    python benchmarks/busy.py [--rounds 3] [--seconds 1] [--settle 1.2] [--json]

Three works at the sizes of a laptop: GAN-CLS and DCGAN at the cpu preset, and one
photograph of 224 pixels through EfficientNet-B0 (random weights) and back. Each policy
has a process of its own, since OpenMP reads the environment once. The processes take
turns, quiet and with one other process at 100 % of a core, so that an hour in which
the machine is slow slows all alike. A figure is the median over the rounds, in
milliseconds a step; the ratio is to the quiet time of torch's own policy. Nothing else
should run meanwhile; three rounds of all policies take about six minutes and 8 GB.

What it gave on two virtual cores of an AMD EPYC with nothing else at work, torch 2.14
with GNU's OpenMP, three rounds. The time of a step as a ratio to torch's own policy,
quiet; 1 is 94 ms for GAN-CLS, 36 for DCGAN and 110 for the photograph.

                          GAN-CLS         DCGAN      photograph
                        quiet  busy    quiet  busy    quiet  busy
    as torch sets it     1.00  4.07     1.00  3.64     1.00  3.70
    the course's         0.95  1.97     1.01  1.87     0.92  1.77
    spin 1000            1.07  2.18     1.17  2.15     1.06  2.23
    spin 3000            0.97  2.75     1.04  2.79     1.12  3.51
    spin 10000           0.96  3.60     1.02  4.15     1.00  5.11
    passive              1.39  1.89     1.45  1.89     1.97  1.72
    one thread           1.64  1.69     1.69  1.75     1.31  1.34

"spin" is GOMP_SPINCOUNT; the course's is 10000 with what `t2i_course.threads.Watch`
does. No policy of the environment alone is good at both: the short spins that help on a
busy machine cost time on a quiet one, and 10000, which costs nothing quiet, does not
help there. The watch has both. (In worse hours, with other work beside, torch's own
policy took up to 14.5 times as long busy, and the watch, which then took less for work,
cost GAN-CLS 1.49 quiet, once.)

Intel's OpenMP in place of GNU's (loaded before it), in such an hour, as a ratio to its
own KMP_BLOCKTIME=200 quiet: as it is 2.26 and 4.49 busy (GAN-CLS, photograph);
KMP_BLOCKTIME=1 quiet 1.43 and 1.12, busy 1.69 and 2.47; KMP_BLOCKTIME=0 quiet 1.37 and
2.13, busy 1.43 and 1.85. Nobody has measured it on macOS or Windows.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager

COURSE = "the course's"  # what `import t2i_course` and keep_watch do
POLICIES: dict[str, dict[str, str]] = {
    "as torch sets it": {},
    COURSE: {},
    "GOMP_SPINCOUNT=1000": {"GOMP_SPINCOUNT": "1000"},
    "GOMP_SPINCOUNT=3000": {"GOMP_SPINCOUNT": "3000"},
    "GOMP_SPINCOUNT=10000": {"GOMP_SPINCOUNT": "10000"},
    "OMP_WAIT_POLICY=PASSIVE": {"OMP_WAIT_POLICY": "PASSIVE"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
WORKS = ("gan_cls", "dcgan", "photograph")
NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS")

# ------------------------------------------------------------------- a policy's process


def training(name: str) -> Callable[[], None]:
    """A step of a system's training at the cpu preset, bare: without progress."""
    import torch

    from t2i_course import systems

    torch.manual_seed(0)
    system, source = systems.build(name, "cpu").train(), systems.source_for(name, "cpu")
    system.rng = torch.Generator().manual_seed(0)
    optimizers = {player: system.optimizer(player) for player in system.players}
    batches = [source.batch(step).to(torch.device("cpu")) for step in range(4)]

    def step() -> None:
        batches.append(batches.pop(0))
        for player, loss in system.round(batches[0]):
            optimizer = optimizers[player]
            learning = [w for group in optimizer.param_groups for w in group["params"]]
            loss.backward(inputs=learning)
            optimizer.step()
            optimizer.zero_grad()

    return step


def photograph() -> Callable[[], None]:
    """One photograph through a network for photographs, and the gradients back."""
    import torch
    from torchvision.models import efficientnet_b0

    network, picture = efficientnet_b0(weights=None), torch.randn(1, 3, 224, 224)
    return lambda: network(picture).sum().backward()


def work(policy: str) -> None:
    """Answers each line "work settle seconds" with the milliseconds a step took."""
    if policy == COURSE:
        from t2i_course import threads  # before torch: this sets the environment

        threads.keep_watch()
    import torch  # noqa: F401  (before t2i_course: what was given stays)

    steps = {name: training(name) for name in WORKS[:2]} | {WORKS[2]: photograph()}
    for step in steps.values():
        step()
    print("ready", flush=True)
    for line in sys.stdin:
        name, settle, seconds = line.split()
        run_for(steps[name], float(settle))
        print(run_for(steps[name], float(seconds)), flush=True)


def run_for(step: Callable[[], None], seconds: float) -> float:
    """Takes steps until the time is over; milliseconds of the clock a step."""
    begin, taken = time.perf_counter(), 0
    while not taken or time.perf_counter() - begin < seconds:
        step()
        taken += 1
    return (time.perf_counter() - begin) / taken * 1e3


# ------------------------------------------------------------------------- the measure


@contextmanager
def processes(policies: dict[str, dict[str, str]]):
    """The policies' processes, once all are ready; ended afterwards."""
    plain = {name: v for name, v in os.environ.items() if name not in NAMES}
    command = [sys.executable, __file__, "--work"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    made = {
        policy: subprocess.Popen([*command, policy], env=plain | told, **pipes)
        for policy, told in policies.items()
    }
    try:
        for policy, process in made.items():
            if process.stdout.readline() != "ready\n":
                raise RuntimeError(f"the process of {policy} ended; see above")
        yield made
    finally:
        for process in made.values():
            process.terminate()
            process.wait()


@contextmanager
def another(busy: bool):
    """Another process that computes without end, if busy."""
    if not busy:
        yield
        return
    spinner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        spinner.kill()
        spinner.wait()


def ask(process: subprocess.Popen, *words) -> float:
    """What a policy's process answers to a line."""
    process.stdin.write(" ".join(map(str, words)) + "\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def measure(policies, rounds: int, settle: float, seconds: float, say) -> list[dict]:
    """One entry for each work and policy: milliseconds a step, quiet and busy.

    say: what is done with the entries after each round but the last.
    """
    times: dict[tuple, list[float]] = {}
    with processes(policies) as made:
        for turn in range(rounds):
            if turn:
                say(summary(times))
            for name in WORKS:
                for busy in (False, True):
                    with another(busy):
                        for policy, process in made.items():
                            found = ask(process, name, settle, seconds)
                            times.setdefault((name, policy, busy), []).append(found)
    return summary(times)


def summary(times: dict[tuple, list[float]]) -> list[dict]:
    """Medians and their ratios to the first policy's quiet one, of each work.

    times: (work, policy, busy) to the milliseconds of each round.
    """
    found, plain = [], {}
    for name, policy in dict.fromkeys((name, policy) for name, policy, _ in times):
        quiet, busy = (statistics.median(times[name, policy, b]) for b in (False, True))
        first = plain.setdefault(name, quiet)
        entry = {"work": name, "policy": policy, "quiet_ms": quiet, "busy_ms": busy}
        found.append(entry | {"quiet": quiet / first, "busy": busy / first})
    return found


def table(found: list[dict]) -> None:
    """Prints the entries, a line each."""
    for one in found:
        print(
            f"{one['work']:11}{one['policy']:25}quiet {one['quiet_ms']:6.0f} ms "
            f"({one['quiet']:.2f})   busy {one['busy_ms']:6.0f} ms ({one['busy']:.2f})"
        )
    print(flush=True)


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="turns of each policy")
    parser.add_argument("--seconds", type=float, default=1.0, help="measured, a turn")
    parser.add_argument("--settle", type=float, default=1.2, help="before that, a turn")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--policies", nargs="+", choices=POLICIES, help="default: all")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work:
        work(chosen.work)
        return
    policies = {name: POLICIES[name] for name in chosen.policies or POLICIES}
    say = (lambda found: None) if chosen.json else table
    found = measure(policies, chosen.rounds, chosen.settle, chosen.seconds, say)
    print(json.dumps(found)) if chosen.json else table(found)


if __name__ == "__main__":
    main()
