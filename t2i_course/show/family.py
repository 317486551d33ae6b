"""The named GANs of the lecture as a map: which idea each of them changes.

The names are those of slide GM-17, where its pages and its list give a title; the
grouping is the course's. Used in lesson 02.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection

from .described import list_in_words
from .pictures import new_figure
from .tables import Table

__all__ = ["FAMILY", "HERE", "family", "family_map"]

# {what is changed: {name: how}}; each name stands where its main idea is.
FAMILY: dict[str, dict[str, str]] = {
    "the loss": {
        "LSGAN": "squared errors in place of the logistic loss",
        "WGAN": "a critic with bounded slope; its gap estimates a distance",
        "f-GAN": "a game for every f-divergence, the first GAN's among them",
        "b-GAN": "D estimates the ratio of the two densities, as such",
        "EBGAN": "D is an autoencoder; its error is an energy, low on real data",
        "BEGAN": "as EBGAN, with the spread of the errors held in balance",
        "BS-GAN": "samples weighed by D, so that discrete data work too",
        "Geometric GAN": "the hinge loss: D as a classifier with a margin",
        "GoGAN": "a row of GANs, each to beat the last one by a margin",
    },
    "the networks, or how they learn": {
        "DCGAN": "convolutions, batch norm, ReLU: the five rules",
        "LAPGAN": "a small picture first, then its details, level by level",
        "3D-GAN": "convolutions in space: objects of voxels",
        "Improved GAN": "minibatch discrimination and other aids to training",
        "AdaGAN": "one GAN after another, each on the data that were missed",
        "Bayesian GAN": "distributions over what is learned, from implicit models",
        "C-RNN-GAN": "recurrent networks, for music",
        "Context-RNN-GAN": "recurrent networks, for the next diagram of a row",
        "LAGAN": "layers that know where they are, for particle jets",
        "CaloGAN": "several layers at once, for particle showers",
    },
    "a condition": {
        "CGAN": "a label for both players",
        "AC-GAN": "D names the class as well",
        "AM-GAN": "D's classes guide G, as if each were drawn at its strongest",
        "CatGAN": "no labels: D is to be sure of a class on real data alone",
        "acGAN": "the age of a face",
        "AL-CGAN": "layout and attributes of a landscape",
        "GAWWN": "what to draw, and where",
        "ArtGAN": "the style of an artwork; its class errors reach G",
        "DR-GAN": "the pose of a face, apart from whose it is",
        "CVAE-GAN": "a fine class, with a variational autoencoder as G",
        "CS-GAN": "a sentence, to be translated",
    },
    "a way back from picture to noise": {
        "ALI": "an encoder learns beside G; D sees pairs of picture and noise",
        "BiGAN": "the same idea, found independently",
        "AEGAN": "an autoencoder learns to undo G",
        "IcGAN": "encoders find noise and label, to change the label",
        "IAN": "a GAN and an autoencoder in one, to edit photographs",
        "iGAN": "finds the noise of a photograph, and edits along G's pictures",
        "AnoGAN": "what no noise can draw is an anomaly",
        "InfoGAN": "part of the noise must be readable from the picture",
    },
    "pictures to pictures": {
        "CycleGAN": "two worlds without pairs: there and back must agree",
        "DiscoGAN": "the same idea, to discover relations",
        "DualGAN": "the same idea, from dual learning",
        "DTN": "into another world, with the same features",
        "CoGAN": "two GANs that share layers, for two worlds at once",
        "GeneGAN": "exchanges one attribute between two pictures",
        "AffGAN": "a large picture for a small one",
        "CCGAN": "fills a hole from its surroundings",
        "FF-GAN": "turns a face to the front",
        "GP-GAN": "blends one picture into another",
        "ID-CGAN": "takes the rain out of a picture",
    },
}
HERE = {"LSGAN": "02", "WGAN": "02", "Geometric GAN": "02", "DCGAN": "02",
        "LAPGAN": "02", "Improved GAN": "01", "CGAN": "05", "InfoGAN": "05",
        "CycleGAN": "06"}  # fmt: skip


def family(change: str, ready: Collection[str] = ()) -> Table:
    """The GANs that change one thing, with how, and the lesson that has them.

    change: a key of FAMILY, or part of one ("loss"); ValueError names those there are.
    ready: the lessons that are finished, "02"; the others are planned.
    """
    found = [group for group in FAMILY if change.lower() in group]
    if not found:
        raise ValueError(f"No group {change!r}; there are: {', '.join(FAMILY)}.")
    rows = {
        name: [how, f"lesson {place(name, ready)}" if name in HERE else ""]
        for name, how in FAMILY[found[0]].items()
    }
    return Table(["what it changes", "here"], rows, f"GANs that change {found[0]}")


def place(name: str, ready: Collection[str]) -> str:
    """The number of the lesson that has it, "02", or "05, planned"."""
    return HERE[name] if HERE[name] in ready else f"{HERE[name]}, planned"


def family_map(ready: Collection[str] = ()):
    """All names in a figure, under what they change; those in a ready lesson in bold.

    ready: the lessons that are finished, "02". Lessons that are planned are named too.
    """
    figure = new_figure(9.4, 3.6)
    places = figure.subplots(1, len(FAMILY))
    for i, (axes, (change, names)) in enumerate(zip(places, FAMILY.items())):
        axes.set(xlim=(0, 1), ylim=(0, 12.6))
        axes.set_axis_off()
        box = {"boxstyle": "round,pad=0.4", "fc": f"C{i}", "ec": "none"}
        title = "\n".join(textwrap.wrap(change, 18))
        axes.text(0.5, 12.4, title, ha="center", va="top", fontsize=10, color="white",
                  bbox=box)  # fmt: skip
        for j, name in enumerate(names):
            here = f"  ({place(name, ready)})" if name in HERE else ""
            weight = "bold" if HERE.get(name) in ready else "normal"
            axes.text(0.5, 10.1 - 0.95 * j, name + here, ha="center", va="top",
                      fontsize=9, weight=weight)  # fmt: skip
    bold = [name for name in HERE if HERE[name] in ready]
    groups = [f"{change} ({len(names)} names)" for change, names in FAMILY.items()]
    return figure.knows(
        "The names of many GANs, in columns by what they change: " + ", ".join(groups),
        f"In bold, with their lesson: {list_in_words(bold, 12)}",
    )
