"""Lesson 17 on the bird world: priors, selective units, misleading ones, channels.

The network that is looked into is the shipped oracle for 64 pixels; who else
recognizes its pictures is another one, half as wide and taught by other birds. A seed
is that of the noise which a picture starts from, and of the networks in `order`.
"""

from __future__ import annotations

import time
from itertools import product

import torch

from ..inside.channels import ORDERS, agreement, channel_order
from ..inside.maximize import Prior, maximize, of_units
from ..inside.priors import (
    PHOTOGRAPHS,
    Fourier,
    Views,
    alpha_norm,
    bilateral,
    colour_axes,
    gaussian_blur,
    total_variation,
)
from ..measure import stimuli
from ..measure.causes import misleading
from ..measure.new_task import (
    family_head,
    known_birds,
    rightly_named,
    shown_of_family,
)
from ..measure.obedience import accuracies
from ..measure.oracle import OracleTraining, RandomBirds, oracle
from ..measure.selectivity import selectivity
from ..systems import shipped
from ..worlds.birds import Birds
from .run import Run, rounded
from .tables import Table

# ---------------------------------------------------------------------- the networks

NETWORKS = Table("17", "networks", "a second reader; one that sees blue, red, green",
                 ("accuracy wing", "accuracy belly", "seconds"), (0,),
                 networks=True)  # fmt: skip
BRG = (2, 0, 1)
STEPS = 400  # of a reader whose channels are to be found


def taught(run: Run, size: int, order, seed: int, **settings):
    """A reader, half as wide as the oracles, of birds with channels in this order."""
    system = run.build(OracleTraining, size=size, width=16, **settings)
    pictures = run.choose(64, 6000 if size == 32 else system.settings["pictures"])
    batch = 64 if size == 32 else system.settings["batch_size"]
    return system, RandomBirds(pictures, size, batch, seed, order)


def seen_right(run: Run, network, size: int, order) -> dict[str, float]:
    """How well it reads unseen species."""
    test = Birds("test", size).all(run.choose(50, None)).to("cpu")
    right = accuracies(network.read(test.image[:, list(order)]), test.attributes)
    return rounded(**{f"accuracy {name}": share for name, share in right.items()})


@NETWORKS.row("oracle64_other", cost=250, ships="oracle64_other")
def other_reader(run: Run) -> dict:
    """Half as wide as oracle64, taught by other birds: it judges, and isn't asked."""
    system, source = taught(run, 64, (0, 1, 2), seed=7, steps=600)
    history = run.fit(system, source)
    network = system.network("oracle").eval()
    found = seen_right(run, network, 64, (0, 1, 2))
    run.ship(network, history.elapsed, found)
    return {**found, "seconds": round(history.elapsed)}


def wings(system) -> torch.Tensor:
    """What the ten wing units of a reader under way like to see, as it sees it."""
    network = system.network("oracle").eval()
    units = torch.tensor(stimuli.of_part("wing"))
    layer = stimuli.every_attribute(network)
    prior = Prior(total_variation)
    grown = maximize(of_units(layer, units), (10, 3, 32, 32), prior, steps=64)
    network.train()
    return grown.picture


@NETWORKS.row("oracle32_brg", cost=60, ships="oracle32_brg")
def brg_reader(run: Run) -> dict:
    """The reader that lesson 17 trains: its channels are blue, red and green."""
    system, source = taught(run, 32, BRG, seed=run.seed, steps=STEPS)
    looks = run.looks({10, 25, 50, 100, 200, 400}, wings)
    history = run.fit(system, source, on_step=looks)
    run.keep(history, looks)
    network = system.network("oracle").eval()
    found = seen_right(run, network, 32, BRG)
    run.ship(network, history.elapsed, found)
    return {**found, "seconds": round(history.elapsed)}


# ------------------------------------------------------------------------- the priors

VIEWS = Views(jitter=4, rotate=10, scale=0.1)
PRIORS = {
    "none": Prior(),
    "alpha-norm": Prior(alpha_norm),
    "total variation": Prior(total_variation),
    "Gaussian blur": Prior(operator=gaussian_blur),
    "bilateral filter": Prior(operator=bilateral),
    "jitter": Prior(views=Views(jitter=4)),
    "rotation": Prior(views=Views(rotate=10)),
    "scale": Prior(views=Views(scale=0.1)),
    "waves": Prior(canvas=Fourier()),
    "waves, photographs' colours": Prior(canvas=Fourier(PHOTOGRAPHS)),
    "waves, colours, views": Prior(canvas=Fourier(PHOTOGRAPHS), views=VIEWS),
    "pixels, views, total variation": Prior(total_variation, views=VIEWS),
}
TABLE = Table("17", "priors", "each prior alone, 54 units of a reader of birds",
              ("activation", "first, itself", "first, the other", "colour", "place",
               "place by chance", "unnatural", "seconds"))  # fmt: skip
LENGTH = 128


def worth(run: Run, prior: Prior, steps: int = LENGTH) -> dict:
    """Pictures of all 54 units, grown with a prior, and what they are worth."""
    layer, units = stimuli.every_attribute(oracle(64)), torch.arange(54)
    began = time.perf_counter()
    grown = maximize(of_units(layer, units), (54, 3, 64, 64), prior,
                     steps=run.steps(steps), seed=run.seed)  # fmt: skip
    seconds = time.perf_counter() - began
    return {**judged(grown.picture, run), "seconds": round(seconds, 1)}


def judged(pictures: torch.Tensor, run: Run) -> dict[str, float]:
    """What 54 pictures, one a unit, are worth."""
    units = torch.arange(54)
    rows, others = (stimuli.read(stimuli.every_attribute(one), pictures)
                    for one in (oracle(64), shipped("oracle64_other")))  # fmt: skip
    real = stimuli.spectrum(Birds("test", 64).all(run.choose(50, 1000)).to("cpu").image)
    bands = stimuli.spectrum(pictures)
    truths = [stimuli.truth_of(pictures[stimuli.of_part(part)], part)
              for part in stimuli.COLOURED]  # fmt: skip
    truth = {name: sum(t[name] for t in truths) / len(truths) for name in truths[0]}
    return rounded(**{
        "activation": rows.gather(1, units[:, None]).mean(),
        "first, itself": stimuli.first_of_attribute(rows, units).float().mean(),
        "first, the other": stimuli.first_of_attribute(others, units).float().mean(),
        **truth,
        "unnatural": stimuli.unnatural(bands, real).mean(),
    })  # fmt: skip


for name, prior in PRIORS.items():
    TABLE.add(name, lambda run, prior=prior: worth(run, prior), cost=35)


@TABLE.row("waves, birds' colours", cost=35)
def birds_colours(run: Run) -> dict:
    """The axes of colour measured on birds, and not on photographs."""
    return worth(run, Prior(canvas=Fourier(axes_of_birds())))


def axes_of_birds() -> torch.Tensor:
    """(3, 3): along which the birds' colours vary, of 300 birds that train."""
    return colour_axes(Birds("train", 64, individuals=2).all(300).to("cpu").image)


@TABLE.row("real birds", cost=5)
def real_birds(run: Run) -> dict:
    """For each unit a real bird that has it, of unseen species."""
    birds = Birds("test", 64).all().to("cpu")
    rng = torch.Generator().manual_seed(run.seed)
    rows, names = [], list(stimuli.ATTRIBUTES)
    for name, value in stimuli.attribute_units():
        column = birds.attributes[:, names.index(name)]
        having = (column == stimuli.ATTRIBUTES[name].index(value)).nonzero()[:, 0]
        rows.append(having[torch.randint(len(having), (1,), generator=rng)])
    return judged(birds.image[torch.cat(rows)], run)


# --------------------------------------------------------------------- selective units

SELECTIVE = Table("17", "selective", "the activation, its softmax, its logarithm",
                  ("first", "lead", "activation", "share at the start",
                   "gradient at the start", "first, the other"))  # fmt: skip


def add_forms(world: str, make, cost: float) -> None:
    """A row for each form, with steps of one length and as (2) stands.

    make: (run, form, normed) to figures. The log-odds only with steps of one length.
    """
    ways = {"steps of one length": True, "as (2) stands": False}
    for form, how in [*product(("raw", "softmax", "log-softmax"), ways),
                      ("log-odds", "steps of one length")]:  # fmt: skip
        SELECTIVE.add(
            f"{world}, {form}, {how}",
            lambda run, form=form, how=how: make(run, form, ways[how]),
            cost=cost,
        )


def selective(run: Run, form: str, normed: bool) -> dict:
    """Pictures of the forty colour units; a layer is one part's ten colours."""
    found = []
    for part in stimuli.COLOURED:
        layer, judge = (lambda x, one=one, part=part: one(x)[part]
                        for one in (oracle(64), shipped("oracle64_other")))  # fmt: skip
        found.append(selectivity(
            layer, torch.arange(10), (3, 64, 64), Prior(views=VIEWS), form, normed,
            steps=run.steps(64), seed=run.seed, judge=judge,
        ))  # fmt: skip
    return rounded(6, **{k: sum(f[k] for f in found) / len(found) for k in found[0]})


add_forms("birds", selective, cost=20)

# ------------------------------------------------------------ top nine that mislead

MISLEADING = Table("17", "misleading", "nine favourites of a colour and of a habitat",
                   ("the colour", "the habitat", "falls without the colour",
                    "falls without the habitat",
                    "grown: read by the other"))  # fmt: skip


def favourites(run: Run, unit: str) -> dict:
    """Over all forty pairs of a wing colour and a habitat; and what the units grow."""
    values = {name: len(stimuli.ATTRIBUTES[name]) for name in ("wing", "habitat")}
    pairs = list(product(range(values["wing"]), range(values["habitat"])))
    found = misleading(oracle(64), unit, run.choose(pairs[:2], pairs),
                       run.choose(40, 400), run.seed)  # fmt: skip
    units = torch.arange(values[unit])
    activation = of_units(lambda pictures: oracle(64)(pictures)[unit], units)
    prior = Prior(total_variation, views=VIEWS)
    grown = maximize(activation, (len(units), 3, 64, 64), prior,
                     steps=run.steps(LENGTH), seed=run.seed)  # fmt: skip
    seen = shipped("oracle64_other")(grown.picture)[unit]
    right = stimuli.recognized(seen, units).float().mean()
    return found | rounded(**{"grown: read by the other": right})


for unit in ("wing", "habitat"):
    MISLEADING.add(unit, lambda run, unit=unit: favourites(run, unit), cost=120)

# --------------------------------------------------------------------- several at once

SEVERAL = Table("17", "several", "one to four units at once, 100 wishes by lot",
                ("read by the other", "all read by the other",
                 "read by itself"))  # fmt: skip


def wished(pictures_of: dict, which: torch.Tensor, parts) -> torch.Tensor:
    """(B,): the sum of log-softmaxes of each picture's units, one in each part."""
    return sum(
        pictures_of[part].log_softmax(1).gather(1, which[:, i, None])[:, 0]
        for i, part in enumerate(parts)
    )


def several(run: Run, count: int) -> dict:
    """Colours of `count` parts, drawn by lot, in one picture."""
    rng = torch.Generator().manual_seed(run.seed)
    wishes = run.choose(4, 100)
    which = torch.randint(10, (wishes, len(stimuli.COLOURED)), generator=rng)
    parts = stimuli.COLOURED[:count]
    reader, judge = oracle(64), shipped("oracle64_other")
    grown = maximize(lambda x: wished(reader(x), which, parts), (wishes, 3, 64, 64),
                     Prior(total_variation, views=VIEWS), steps=run.steps(LENGTH),
                     seed=run.seed)  # fmt: skip
    found = {}
    for name, one in (("itself", reader), ("the other", judge)):
        rows = one(grown.picture)
        right = torch.stack([rows[part].argmax(1) == which[:, i]
                             for i, part in enumerate(parts)], 1).float()  # fmt: skip
        found[f"read by {name}"] = right.mean()
        found[f"all read by {name}"] = right.prod(1).mean()
    return rounded(**found)


for count in (1, 2, 3, 4):
    name = f"{count} unit{'s' * (count > 1)}"
    SEVERAL.add(name, lambda run, count=count: several(run, count), cost=30)

# ------------------------------------------------------------------------- a new task

FAMILIES = Table("17", "families", "a new head names families: what does it look at?",
                 ("named", "habitat", "beak", "beak_colour", "size", "pattern", "wing",
                  "belly"))  # fmt: skip


@FAMILIES.row("a new head", cost=45)
def new_head(run: Run) -> dict:
    """Twenty families' units, by what another reader sees in their grown pictures."""
    birds = known_birds(run.choose(200, 3000))
    layer = family_head(oracle(64), birds)
    grown = maximize(of_units(layer, torch.arange(20)), (20, 3, 64, 64),
                     Prior(total_variation, views=VIEWS), steps=run.steps(LENGTH),
                     seed=run.seed)  # fmt: skip
    named = rounded(named=rightly_named(layer, run.choose(50, 1000)))
    return named | shown_of_family(grown.picture, shipped("oracle64_other"), birds)


# ------------------------------------------------------------------ the channels' order

ORDER = Table("17", "order", "readers of reordered channels, found out by a rule",
              ("found", "agreement", "the next best", "accuracy wing",
               "seconds"))  # fmt: skip


def found_out(run: Run, order: tuple[int, ...]) -> dict:
    """Teach a reader with channels in this order, then find it from forty units."""
    system, source = taught(run, 32, order, seed=run.seed, steps=STEPS)
    history = run.fit(system, source)
    network = system.network("oracle").eval().requires_grad_(False)
    seen, colours = channels_seen(network, run.steps(64), run.seed)
    ranking = sorted(
        (agreement(seen, colours, o) for o in ORDERS.values()), reverse=True
    )
    found = rounded(**{
        "found": float(channel_order(seen, colours) == order),
        "agreement": agreement(seen, colours, order),
        "the best": ranking[0], "the next best": ranking[1],
    })  # fmt: skip
    found |= seen_right(run, network, 32, order)
    return {**found, "seconds": round(history.elapsed)}


def channels_seen(network, steps: int = 64, seed: int = 0):
    """(40, 3) means of the colour units' grown pictures, and their true colours."""
    units = torch.tensor(
        [u for part in stimuli.COLOURED for u in stimuli.of_part(part)]
    )
    layer = stimuli.every_attribute(network)
    grown = maximize(of_units(layer, units), (len(units), 3, 32, 32),
                     Prior(total_variation), steps=steps, seed=seed)  # fmt: skip
    return grown.picture.mean((2, 3)), stimuli.palette().repeat(4, 1)


for letters, order in ORDERS.items():
    ORDER.add(letters, lambda run, order=order: found_out(run, order), cost=50)
