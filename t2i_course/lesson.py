"""The first cell of every lesson, and what there is to know about each lesson.

`begin("08")` greets with device, preset and expected minutes, seeds everything and
sets the style of the figures. `LESSONS` is the one table of lessons: the README, the
index of `make course`, `t2i lessons` and the notebooks' metadata are made from it.
"""

from __future__ import annotations

import os
import random
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from . import presets, seeds, threads


@dataclass(frozen=True)
class Info:
    """What a lesson is.

    `minutes` to expect: "course" with the shipped networks on two CPU cores, "cpu"
    with live training, "work" for a learner who does the exercises. (On a GPU nobody
    has measured them yet.)
    `slides` are IDs of the source slides; `line` is its story in one sentence;
    `wants_gpu` asks Colab for a GPU.
    """

    number: str
    topic: str
    title: str
    line: str
    slides: str
    minutes: dict[str, float] = field(hash=False)
    wants_gpu: bool = False

    @property
    def file(self) -> str:
        """The stem of its files, for example "08_pictures_from_sentences"."""
        return f"{self.number}_{self.topic}"


LESSONS: dict[str, Info] = {
    info.number: info
    for info in [
        Info(
            "00",
            "start_here",
            "Start here",
            "Type a sentence and see a bird drawn; meet the world whose truth we know.",
            "RE-1",
            {"course": 0.5, "cpu": 0.5, "work": 25},
        ),
        Info(
            "01",
            "vanilla_gan",
            "Vanilla GAN",
            "Two networks play a game; the optimum, the flat gradient, the spiral and "
            "the collapse, each measured against theory.",
            "GM-13 to GM-16, GM-33 to GM-35, RE-2",
            {"course": 0.5, "cpu": 2, "work": 90},
        ),
        Info(
            "02",
            "deep_convolutional_gans",
            "Deep convolutional GANs",
            "Five rules that let a GAN draw pictures, what each is worth, a family of "
            "losses, a pyramid, and sums in the noise space.",
            "GM-17 to GM-20, GM-25",
            {"course": 1, "cpu": 4, "work": 120},
        ),
        Info(
            "03",
            "variational_autoencoders",
            "Variational autoencoders",
            "A hidden cause for each picture: the bound, the trick, collapse and blur, "
            "measured; and a GAN of codes.",
            "GM-1 to GM-5, GM-27",
            {"course": 0.5, "cpu": 1.5, "work": 120},
        ),
        Info(
            "04",
            "codes_and_likelihoods",
            "Codes and likelihoods",
            "A picture as whole numbers from a learned dictionary, and a network that "
            "knows exactly how likely they are.",
            "GM-1, GM-6 to GM-12",
            {"course": 0.5, "cpu": 1.5, "work": 120},
        ),
        Info(
            "05",
            "conditional_gans",
            "Conditional GANs",
            "Ask for a digit, or for a wing's colour: four ways to be heard, measured; "
            "and codes that nobody named.",
            "GM-21, GM-26, RE-2, RE-3, RE-13",
            {"course": 0.5, "cpu": 2, "work": 120},
        ),
        Info(
            "06",
            "pictures_to_pictures",
            "Pictures to pictures",
            "Paint a bird from its part map, mark the parts of a bird, try to bar its "
            "wings without ever having seen a pair; and what a picture hides.",
            "GM-22 to GM-24",
            {"course": 0.5, "cpu": 5, "work": 120},
        ),
        Info(
            "07",
            "reading_sentences",
            "Reading sentences",
            "Letter by letter, or word by word: a network learns what sentences mean "
            "from birds alone, and we find out what it understands.",
            "TM-10, TM-20",
            {"course": 0.5, "cpu": 5.5, "work": 120},
        ),
        Info(
            "08",
            "pictures_from_sentences",
            "Pictures from sentences",
            "A GAN that reads: a matching-aware discriminator, interpolated captions, "
            "and a bird that obeys its sentence.",
            "RE-1 to RE-12, GM-21, TM-10 to TM-13",
            {"course": 0.5, "cpu": 4, "work": 120},
            wants_gpu=True,
        ),
        Info(
            "09",
            "stackgan",
            "StackGAN",
            "A cloud of conditions for a point, a sketch and a second look: what "
            "each is worth; and a painter that obeys and varies.",
            "TM-13 to TM-16, RE-13",
            {"course": 0.5, "cpu": 4, "work": 120},
            wants_gpu=True,
        ),
        Info(
            "10",
            "stackgan_plus_plus",
            "StackGAN++",
            "One generator that draws three sizes, a discriminator at each, two "
            "questions at once: what can be left out, and which branch decides.",
            "TM-13, TM-17 to TM-19, TM-22",
            {"course": 0.5, "cpu": 4, "work": 120},
            wants_gpu=True,
        ),
        Info(
            "11a",
            "words_and_regions",
            "Words and regions: DAMSM",
            "A network that finds each word of a sentence in a picture, taught by "
            "whole pairs alone; and a count of how often it points right.",
            "AT-4 to AT-6, TM-23",
            {"course": 0.5, "cpu": 2.5, "work": 90},
            wants_gpu=True,
        ),
        Info(
            "11b",
            "attngan",
            "AttnGAN",
            "Each place of the picture looks at the words that it needs: what that is "
            "worth, where the words land, and whom two scores believe.",
            "AT-1 to AT-3, AT-5, AT-6, AT-8 to AT-12, TM-22 to TM-24",
            {"course": 0.5, "cpu": 4, "work": 90},
            wants_gpu=True,
        ),
        Info(
            "14",
            "sisgan",
            "Changing a picture by words: SISGAN",
            "A picture and a sentence in, the picture that the sentence says out; what "
            "was to change and what was to stay are measured apart, in two worlds.",
            "TM-13, TM-20, TM-21",
            {"course": 0.5, "cpu": 3, "work": 90},
        ),
        Info(
            "17",
            "activation_maximization",
            "What does a unit like to see?",
            "Grow the picture that excites a unit most: rubbish first, then six kinds "
            "of priors, each one's worth measured on a known network and a real one.",
            "AM-1 to AM-6, AM-9, AM-11, AM-13, AM-14",
            {"course": 1, "cpu": 2, "work": 120},
        ),
    ]
}


@dataclass(frozen=True)
class Lesson:
    """How this run of a lesson goes: read by its cells.

    `live` says whether to train for real or to load the shipped networks; `smoke` that
    everything should take seconds and claim nothing.
    """

    info: Info
    preset: str
    device: torch.device
    live: bool

    @property
    def smoke(self) -> bool:
        """Whether this is a quick proof that everything runs."""
        return self.preset == presets.SMOKE

    @property
    def networks(self) -> str:
        """Whose sizes a lesson's networks have: "cpu"'s, as the shipped ones do.

        Only where all is trained in miniature, "smoke"'s.
        """
        return presets.SMOKE if self.smoke and self.live else presets.CPU

    def _ipython_display_(self) -> None:
        """Shows nothing as a cell's value: `begin` has greeted already."""

    def choose(self, smoke, cpu, gpu=None):
        """The value for the preset in force (paper takes gpu's; gpu takes cpu's)."""
        by_preset = {presets.SMOKE: smoke, presets.CPU: cpu}
        return by_preset.get(self.preset, cpu if gpu is None else gpu)

    def train(self, system, source, steps, *, shipped, show=None, look=False, part=None,
              seen="", columns=None, title=None, course=None,
              **keywords):  # fmt: skip
        """Trains a system, or loads its shipped weights; the `History`, or None.

        shipped: the weights' name; they are loaded where T2I_LIVE=0 asks for it (the
        small networks of smoke are always trained). If the training that made them is
        on record, its course is shown below, and stands for the history of a loaded
        system. show(system, history): as for `fit`; of a loaded system whose training
        isn't on record it is shown once, with an empty history. part(system): the
        module whose weights ship, by default all of the system. seen: a sentence that
        says what is to be seen in the pictures on record; columns: their heads; title:
        what stands above them, by default the weights' name and the command; course:
        more for `Record.figure`; look: whether a loaded system is shown, too, where its
        training is on record. keywords: for `fit`. Used in lessons 01 to 10.
        """
        from . import weights
        from .show.record import on_record
        from .training import fit

        def live(system):
            return fit(system, source, steps, device=self.device, show=show, **keywords)

        if self.smoke:
            return live(system)
        if self.live:
            history = live(system)
        else:
            module = system if part is None else part(system)
            history = weights.load_or_fit(module, shipped, lambda _: live(system))
        if history is None and show is not None and (look or not on_record(shipped)):
            _look(system, show)
        if on_record(shipped):
            more = {"title": title, "columns": columns, **(course or {})}
            recorded_history = _course(shipped, seen, more)
            return recorded_history if history is None else history
        return history


def _course(shipped: str, seen: str, more: dict):
    """Shows how a shipped network learned; the `History` of that training."""
    from .show.record import recorded

    record = recorded(shipped)
    _display(record.figure(**more).described(seen))
    return record.history


def _look(system, show) -> None:
    """Shows in a notebook what `show` draws of a system that wasn't trained here."""
    from .training import History
    from .training.randomness import undisturbed

    with undisturbed(system), torch.no_grad():
        _display(show(system, History()))


def _display(figure) -> None:
    """Shows a figure in a notebook."""
    from IPython.display import display

    display(figure)


def begin(number: str, seed: int = 0) -> Lesson:
    """Starts lesson `number` ("08"): prints what to expect, seeds, sets the style.

    T2I_PRESET overrides the preset that the hardware suggests; T2I_LIVE=0 loads the
    shipped networks where the lesson would train. Puts the commands of this Python into
    PATH, so that `!t2i doctor` works in a cell. LookupError for an unknown lesson.
    """
    if number not in LESSONS:
        raise LookupError(
            f"there is no lesson {number!r}; there are " + ", ".join(LESSONS)
        )
    info, preset = LESSONS[number], presets.current()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    lesson = Lesson(info, preset, device, live=presets.live())
    seed_everything(seed)
    _find_commands()
    _style()
    print(f"Lesson {number}: {info.title}\n{_expectation(lesson)}")
    threads.keep_watch()
    if threads.late() and device.type == "cpu":
        print(f"{threads.LATE}. To cure it, {threads.CURE}.")
    return lesson


def _expectation(lesson: Lesson) -> str:
    """One line: device, preset, minutes, and advice where the hardware is slow."""
    device, minutes = lesson.device.type, lesson.info.minutes
    where = f"device {device}, preset {lesson.preset}"
    if lesson.smoke:
        return f"{where}: everything in miniature, in seconds, to see that it runs."
    if not lesson.live:
        wait = _minutes(minutes["course"])
        return f"{where}: about {wait} with the shipped networks."
    if device == "cpu" and lesson.preset != presets.CPU:
        return (
            f"{where}: hours without a GPU. Restart with T2I_PRESET=cpu, or on a "
            "machine with a GPU."
        )
    if device == "cuda":
        return f"{where}: nobody has measured yet how long this takes on a GPU."
    wait = _minutes(minutes["cpu"])
    return f"{where}: about {wait} of computing, if you run it all."


def _minutes(minutes: float) -> str:
    if minutes < 1:
        return f"{round(minutes * 60)} seconds"
    return "a minute" if minutes == 1 else f"{minutes:g} minutes"


def seed_everything(seed: int) -> None:
    """Seeds Python's, NumPy's and torch's random numbers."""
    random.seed(seeds.checked(seed))
    np.random.seed(seed)
    torch.manual_seed(seed)


def _find_commands() -> None:
    """This Python's folder into PATH: a kernel may run without its venv activated."""
    if not sys.executable:
        return
    here = str(Path(sys.executable).parent)
    paths = [path for path in os.environ.get("PATH", "").split(os.pathsep) if path]
    if here not in paths:
        os.environ["PATH"] = os.pathsep.join([here, *paths])


def _style() -> None:
    """Figures of one look: light, legible, small enough to commit."""
    import matplotlib
    from matplotlib import rcParams

    # tqdm advises to update Jupyter where it falls back to a text bar
    warnings.filterwarnings("ignore", message="IProgress not found")
    rcParams.update(
        {
            "figure.figsize": (7.0, 3.2),
            "figure.dpi": 100,
            "savefig.dpi": 100,
            "figure.constrained_layout.use": True,
            "font.size": 10,
            "axes.titlesize": 11,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.25,
            "grid.linewidth": 0.6,
            "legend.frameon": False,
            "image.interpolation": "nearest",
            "axes.prop_cycle": matplotlib.cycler(
                color=["#1f6fb4", "#e07b39", "#3c9d6b", "#b8477a", "#7a62b8", "#8a7a52"]
            ),
        }
    )
