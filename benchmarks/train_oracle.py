"""Train the oracle for one size, measure it on unseen species, and ship it.

python benchmarks/train_oracle.py 32
python benchmarks/train_oracle.py 32 --features

With --features a second network, trained on other birds, becomes the features that
text encoders see pictures through; the oracle has no part in any training.
"""

import argparse
import time

import torch

from t2i_course import weights
from t2i_course.measure.obedience import accuracies
from t2i_course.measure.oracle import OracleTraining, RandomBirds
from t2i_course.training import fit
from t2i_course.worlds.birds import Birds


def main() -> None:
    """Train, measure on all 3,000 test pictures, save."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("size", type=int, choices=(32, 64))
    arguments.add_argument("--features", action="store_true")
    arguments.add_argument("--checkpoint")
    chosen = arguments.parse_args()
    torch.manual_seed(int(chosen.features))  # of the first weights
    system = OracleTraining.from_preset("cpu", size=chosen.size)
    settings = system.settings
    seed = int(chosen.features)
    source = RandomBirds(
        settings["pictures"], chosen.size, settings["batch_size"], seed
    )
    begin = time.time()
    history = fit(
        system,
        source,
        settings["steps"],
        seed=seed,
        checkpoint=chosen.checkpoint,
        resume=chosen.checkpoint is not None,
    )
    print(f"{time.time() - begin:.0f} s, loss {history.losses['oracle'][-1]:.3f}")
    network = system.network("oracle").eval()
    test = Birds("test", chosen.size).all().to("cpu")
    right = accuracies(network.read(test.image), test.attributes)
    print({name: round(value, 4) for name, value in right.items()})
    weights.save(
        network,
        f"{'features' if chosen.features else 'oracle'}{chosen.size}",
        seed=seed,
        half=True,
        command=f"python benchmarks/train_oracle.py {chosen.size}"
        + " --features" * chosen.features,
        seconds=history.seconds[-1],
        measured={f"accuracy {k}": round(v, 4) for k, v in right.items()},
    )


if __name__ == "__main__":
    main()
