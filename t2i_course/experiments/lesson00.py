"""Lesson 00: the bird world's instruments, oracles that read attributes."""

from __future__ import annotations

from ..measure.obedience import accuracies
from ..measure.oracle import OracleTraining, RandomDrawings
from ..worlds.birds import Birds
from ..worlds.flowers import Flowers
from .run import Run, rounded
from .tables import Table

NETWORKS = Table("00", "networks", "the oracles, and the eyes of text encoders",
                 ("accuracy wing", "accuracy belly", "accuracy crown", "seconds"), (0,),
                 networks=True)  # fmt: skip


def reader(run: Run, size: int, width: int = 32, world: str = "birds") -> dict:
    """Trained on drawings of random attributes, measured on species nobody knows."""
    system = run.build(OracleTraining, size=size, width=width, world=world)
    settings = system.settings
    pictures = run.choose(64, settings["pictures"])
    source = RandomDrawings(
        pictures, size, settings["batch_size"], run.seed, world=world
    )
    history = run.fit(system, source)
    network = system.network("oracle").eval()
    kind = {"birds": Birds, "flowers": Flowers}[world]
    test = kind("test", size).all(run.choose(50, None)).to("cpu")
    right = accuracies(network.read(test.image), test.attributes, network.names)
    found = rounded(**{f"accuracy {name}": share for name, share in right.items()})
    run.ship(network, history.elapsed, found)
    return {**found, "seconds": round(history.elapsed, 1)}


NETWORKS.add("oracle32", lambda run: reader(run, 32), cost=600, ships="oracle32")
NETWORKS.add("oracle64", lambda run: reader(run, 64), cost=600, ships="oracle64")
# Trained on other birds: the oracle has no part in any training.
NETWORKS.add("features32", lambda run: reader(run, 32), cost=600, seeds=(1,),
             ships="features32")  # fmt: skip
# The flowers': narrower, for their world is smaller.
NETWORKS.add("flower_oracle32", lambda run: reader(run, 32, 20, "flowers"), cost=700,
             ships="flower_oracle32")  # fmt: skip
NETWORKS.add("flower_features32", lambda run: reader(run, 32, 16, "flowers"), cost=900,
             seeds=(1,), ships="flower_features32")  # fmt: skip
