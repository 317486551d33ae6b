"""Train one network that draws birds from captions, measure it, ship or record it.

    python benchmarks/train_birds.py gan_int_cls_32 --seed 0 --steps 1200

Seed 0 is shipped; every seed's measures go to t2i_course/measure/results_birds.json,
and the obedience on the way (for learning curves over time) with them.
"""

import argparse
import json

from t2i_course import weights
from t2i_course.measure.birds import (
    RESULTS,
    obedience_of,
    report,
    results,
    unseen_captions,
)
from t2i_course.papers.gan_cls import SHIPPED, untrained
from t2i_course.papers.joint_embedding import text_encoder
from t2i_course.papers.projection import ProjectionGan
from t2i_course.training import fit
from t2i_course.worlds.birds import Birds


def record(name: str, seed: int, entry: dict) -> None:
    """Add one run's figures to the results file."""
    found = results()
    found.setdefault(name, {})[str(seed)] = entry
    RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


def build(name: str):
    """The system of that name, untrained."""
    if name == "projection_32":
        return ProjectionGan.from_preset("cpu", text_encoder=text_encoder())
    return untrained(name)


def main() -> None:
    """Train, measure on unseen species, save."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("name", choices=[*SHIPPED, "projection_32"])
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--steps", type=int, required=True)
    arguments.add_argument("--batch", type=int, default=32)
    arguments.add_argument("--precision", choices=("no", "bf16"), default="no")
    arguments.add_argument("--checkpoint")
    arguments.add_argument("--try-out", action="store_true", help="measure only")
    arguments.add_argument("--look-every", type=int, default=200)
    chosen = arguments.parse_args()
    system = build(chosen.name)
    size = system.generator.size
    look = unseen_captions(400, size, seed=1)
    curve = []

    def watch(system, history, step):
        if step % chosen.look_every == 0:
            found = obedience_of(system, look)
            curve.append(
                [
                    step,
                    round(history.seconds[-1], 1),
                    round(found["wing"], 3),
                    round(found["belly"], 3),
                    round(found.get("crown", 0), 3),
                ]
            )
            print(*curve[-1], flush=True)

    history = fit(
        system,
        Birds("train", size, chosen.batch),
        chosen.steps,
        seed=chosen.seed,
        checkpoint=chosen.checkpoint,
        resume=chosen.checkpoint is not None,
        on_step=watch,
        precision=chosen.precision,
        progress=False,
    )
    found = report(system.eval(), 2000, size=size)
    print(chosen.name, chosen.seed, f"{history.seconds[-1]:.0f} s", found, flush=True)
    if chosen.try_out:
        return
    hardware = weights.hardware_in_words()
    record(
        chosen.name,
        chosen.seed,
        {
            "steps": chosen.steps,
            "seconds": round(history.seconds[-1]),
            "hardware": hardware,
            "measured": found,
            "curve": curve,
        },
    )
    if chosen.seed == 0 and chosen.name in SHIPPED:
        command = (
            f"python benchmarks/train_birds.py {chosen.name} --steps {chosen.steps}"
        )
        weights.save(
            system.network("generator"),
            chosen.name,
            command=command,
            seed=0,
            seconds=history.seconds[-1],
            measured=found,
            half=True,
        )


if __name__ == "__main__":
    main()
