"""What `t2i measure` finds of a network, by its data and by what it draws from.

A world or data set names its judges (see `declarations.DataInfo`). Each takes a system,
how many pictures to look at, and a seed, and returns {what: value}.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch

from .. import drawing
from ..data import Batch
from ..datasets.emoji import Emoji
from ..datasets.emoji import vocabulary as emoji_words
from ..systems import oracle_for
from ..worlds.birds import Birds
from ..worlds.birds import vocabulary as bird_words
from ..worlds.digits import Digits
from ..worlds.drawn import World
from ..worlds.flowers import Flowers
from ..worlds.points import Ring
from . import editing
from .birds import asked, obedience_of, report
from .dcgan import quality
from .obedience import accuracies, obedience
from .oracle import oracle
from .scores import oracle_frechet_distance, oracle_inception_score

# --------------------------------------------------------------------------- the birds


def birds_as_asked(
    system, count: int = 2000, seed: int = 0, captions: str | None = None
) -> dict[str, float]:
    """Obedience and quality on unseen species, or obedience on a file of captions."""
    if captions is None:
        return report(system, count, seed, system.network("generator").size)
    batch = read_captions(captions)
    for note in bird_words().notes(batch.caption):
        warnings.warn(note, stacklevel=2)
    found = obedience_of(system, batch, seed)
    return {name: round(share, 4) for name, share in found.items()}


def birds(system, count: int = 2000, seed: int = 0) -> dict[str, float]:
    """Scores by the oracle of birds that nobody asked for."""
    _enough(count)
    return _scores(drawing.from_noise(system, drawing.unasked(count), seed))


def birds_of_classes(system, count: int = 2000, seed: int = 0) -> dict[str, float]:
    """The same of a network that draws the species that it was trained on."""
    _enough(count)
    asked = Birds("train", 32, count).batch(0)
    return _scores(drawing.from_classes(system, asked, seed))


def _enough(count: int) -> None:
    if not 2 <= count <= 9000:
        raise ValueError("there are 9,000 birds to compare with: --count is 2 to 9000")


def _scores(pictures) -> dict[str, float]:
    found = quality(pictures)
    return {"inception score": found["score"], "frechet distance": found["distance"]}


def birds_rebuilt(system, count: int = 3000, seed: int = 0) -> dict[str, float]:
    """Mean squared error of birds that are painted anew from their own codes."""
    real = Birds("test", system.size).all(count).to("cpu").image
    made = torch.cat([system.reconstruct(part) for part in real.split(250)])
    return {"squared error": round(float((made - real).square().mean()), 4)}


def reading(
    network,
    count: int = 1000,
    seed: int = 0,
    order: tuple[int, ...] = (0, 1, 2),
    source: type = Birds,
) -> dict[str, float]:
    """Share of unseen species' drawings in which a reader gets each attribute right.

    order: in which its pictures have their channels; source: of the drawings.
    """
    seen = source("test", network.size).all().to("cpu")
    read = network.read(seen.image[:, list(order)])
    found = accuracies(read, seen.attributes, source.world.attributes)
    return {f"accuracy {name}": round(share, 4) for name, share in found.items()}


def reading_brg(network, count: int = 1000, seed: int = 0) -> dict[str, float]:
    """The same of a reader whose pictures have blue first, then red, then green."""
    return reading(network, count, seed, (2, 0, 1))


def reading_flowers(network, count: int = 1000, seed: int = 0) -> dict[str, float]:
    """The same of a reader of flowers."""
    return reading(network, count, seed, source=Flowers)


# ------------------------------------------------------------------------- the flowers


def flowers_as_asked(
    system, count: int = 1000, seed: int = 0, captions: str | None = None
) -> dict[str, float]:
    """Obedience on sentences about unseen species, or on a file of captions."""
    if captions is None:
        source, rng = Flowers("test", 32), np.random.default_rng((7, seed))
        chosen = rng.choice(len(source), count, replace=count > len(source))
        batch = source.at(chosen, rng.integers(10, size=count))
    else:
        batch = read_captions(captions, Flowers.world)
    pictures = drawing.from_sentences(system, batch, seed)
    seen = oracle(pictures.shape[-1], world="flowers").read(pictures)
    found = obedience(seen, batch.named, Flowers.world.attributes)
    return {name: round(share, 4) for name, share in found.items()}


def flowers(system, count: int = 1000, seed: int = 0) -> dict[str, float]:
    """Scores by the oracle of flowers that nobody asked for."""
    pictures = drawing.from_noise(system, drawing.unasked(count), seed)
    reader = oracle(pictures.shape[-1], world="flowers")
    real = Flowers("train", pictures.shape[-1]).all(count).to("cpu").image
    score = oracle_inception_score(reader.kinds, pictures, splits=1)[0]
    distance = oracle_frechet_distance(reader.features, real, pictures)
    found = {"inception score": score, "frechet distance": distance}
    return {name: round(float(value), 4) for name, value in found.items()}


# --------------------------------------------------------------------------- editors


def edited_birds(system, count: int = 1000, seed: int = 0) -> dict[str, float]:
    """What an editor changes, and what it keeps, of unseen birds; lesson 14."""
    return editing.report(system, Birds, count, seed, system.network("generator").size)


def edited_flowers(system, count: int = 1000, seed: int = 0) -> dict[str, float]:
    """The same of unseen flowers."""
    return editing.report(
        system, Flowers, count, seed, system.network("generator").size
    )


# ------------------------------------------------------------------ files of captions


def read_captions(file: str, world: World = Birds.world) -> Batch:
    """A batch from lines "caption<tab>wing=blue,belly=red"; ValueError if bad."""
    sentences, rows = [], []
    for number, line in enumerate(read_lines(file), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            caption, tab, names = line.partition("\t")
            pairs = [pair.partition("=") for pair in names.split(",")]
            if not tab or not all(equals for _, equals, _ in pairs):
                raise ValueError("expected a caption, a tab, and wing=blue,belly=red")
            row = world.named_by(
                {key.strip(): value.strip() for key, _, value in pairs}
            )
            world.vocabulary().numbers_of(caption)
        except ValueError as error:
            raise ValueError(f"{file}, line {number}: {error}") from None
        sentences.append(caption)
        rows.append(row)
    if not rows:
        raise ValueError(f"{file} holds no captions")
    return asked(sentences, np.stack(rows), world.vocabulary())


def read_lines(file: str) -> list[str]:
    """The lines of a text file; ValueError if it can't be read as one."""
    try:
        return Path(file).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise ValueError(f"can't read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{file} is no text file (UTF-8)") from None


# ------------------------------------------------------------------ digits and points


def digits(system, count: int = 1000, seed: int = 0) -> dict[str, float]:
    """Share of clear digits, and how many of the ten there are."""
    return _clear(drawing.from_noise(system, drawing.unasked(count), seed))


def digits_of_classes(system, count: int = 1000, seed: int = 0) -> dict[str, float]:
    """The same of a network that draws the classes of real digits."""
    asked = Digits(count, seed, "all").batch(0)
    return _clear(drawing.from_classes(system, asked, seed))


def _clear(pictures) -> dict[str, float]:
    counts = oracle_for("digits", pictures.shape[-1]).counts(pictures)
    share = round(float(counts.sum()) / len(pictures), 4)
    return {"clear": share, "digits": int((counts > 0).sum())}


def points(system, count: int = 1000, seed: int = 0) -> dict[str, float]:
    """How many of the ring's eight modes are hit, and the share of points near one."""
    drawn = drawing.from_noise(system, drawing.unasked(count), seed)
    found = Ring().coverage(drawn)
    return {"modes": found.modes, "close": round(found.close, 4)}


def points_of_a_crowd(system, count: int = 1000, seed: int = 0) -> dict[str, float]:
    """The modes that each of several GANs hits."""
    system.rng = torch.Generator(system.device).manual_seed(seed)
    found = [Ring().coverage(drawn).modes for drawn in system.sample(count)]
    return {f"modes, game {i}": modes for i, modes in enumerate(found)}


# --------------------------------------------------------------------------- the emoji


def emoji_as_asked(
    system, count: int = 900, seed: int = 0, captions: str | None = None
) -> dict[str, float]:
    """How often the nearest real picture is of the caption's group, by split.

    count: of all splits together.
    """
    if captions is not None:
        raise ValueError("nothing reads emoji: leave --captions out")
    size, words, found = system.network("generator").size, emoji_words(), {}
    training = Emoji("train", size, vocabulary=words)
    splits = ("train", "new_maker", "new_emoji")
    for split in splits:
        emoji = Emoji(split, size, vocabulary=words)
        many = max(count // len(splits), 1)
        chosen = [len(emoji) * i // many for i in range(many)]
        drawn = drawing.from_sentences(system, emoji.take(chosen, [4] * many), seed)
        _, _, group = training.likeness(drawn, emoji, chosen)
        found[f"same group, {split}"] = round(group, 4)
    return found
