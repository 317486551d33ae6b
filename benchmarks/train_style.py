"""Train the style encoder S of a shipped generator, and ship it.

python benchmarks/train_style.py gan_int_cls_32
"""

import argparse

import torch

from t2i_course import weights
from t2i_course.papers.gan_cls import PAINTERS, StyleTraining, shipped
from t2i_course.training import fit
from t2i_course.worlds.birds import Birds


def main() -> None:
    """Train S on what the generator draws; its error is measured on its last steps."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("name", choices=PAINTERS)
    arguments.add_argument("--steps", type=int, default=1500)
    arguments.add_argument("--seed", type=int, default=0)
    chosen = arguments.parse_args()
    torch.manual_seed(chosen.seed)  # of the first weights
    system = StyleTraining(shipped(chosen.name), depth=32)
    birds = Birds("train", system.generator.size)
    history = fit(system, birds, chosen.steps, seed=chosen.seed)
    last = history.losses["style"][-100:]
    error = round(sum(last) / len(last), 4)
    print("squared error, where 1 is knowing nothing:", error)
    weights.save(
        system.style,
        f"style_of_{chosen.name}",
        command=f"python benchmarks/train_style.py {chosen.name} "
        f"--steps {chosen.steps}",
        seed=chosen.seed,
        seconds=history.seconds[-1],
        measured={"squared error": error},
        half=True,
    )


if __name__ == "__main__":
    main()
