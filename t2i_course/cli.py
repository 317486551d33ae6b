"""The command t2i: draw, train, measure, grade, and find out what is wrong.

Exit codes: 0 all well; 2 you asked for something that can't be; 1 something failed (a
full disk, damaged weights, a loss that is not finite); 130 stopped by hand. Errors are
one line on stderr. Nothing heavy is imported before it is needed.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module

from . import seeds
from .commands import PRESETS, first_process

__all__ = ["COMMANDS", "PRESETS", "main", "parser"]

EXAMPLES = """\
examples:
  t2i draw "a small bird with blue wings and a red belly" --count 8 --out birds.png
  t2i systems                          what there is to train, and how large it is
  t2i train gan --preset cpu           the first GAN, on handwritten digits
  t2i train gan_cls --resume           go on where a training stopped
  t2i draw "a red bird" --system runs/gan_cls-cpu/checkpoint.pt
  t2i edit birds:17 "this bird has blue wings" --count 3
  t2i measure gan_int_cls_32           do the birds obey their captions?
  t2i convert attngan *.pth            the authors' own weights, for our networks
  t2i grade lessons/01_*.ipynb         what a work sheet has solved
  t2i reproduce                        every table of the lessons, to be made again
  t2i doctor                           what is here, what is missing, what to do

T2I_PRESET chooses the preset, T2I_CACHE where drawn worlds are kept, T2I_WEIGHTS
another folder of trained networks.
"""

# Each command's file, with `add_arguments(parser)` and `main(options)`, and its help:
# a line, and what `--help` adds to it.
COMMANDS = {
    "draw": (
        "commands.draw",
        "draw pictures for captions",
        "Words it doesn't know are named on stderr.",
    ),
    "edit": (
        "commands.edit",
        "change a picture by a sentence",
        "It writes the picture before and after, and where it changed. Words that it "
        "doesn't know are named on stderr.",
    ),
    "train": (
        "commands.train",
        "train a system of the course",
        "Checkpoints are kept in runs/SYSTEM-PRESET/; Ctrl-C saves one and "
        "--resume goes on from it as if nothing had happened.",
    ),
    "systems": (
        "commands.listing",
        "list every system, its lesson and its networks' sizes",
        "",
    ),
    "measure": (
        "commands.measure",
        "measure a shipped network afresh, or a training of your own",
        "Scores use the course's own oracle and are not comparable with "
        "scores by an ImageNet network.",
    ),
    "convert": (
        "commands.convert",
        "give the course's networks the weights that a paper's authors released",
        "Every tensor's name and shape is checked; nothing in the files is run.",
    ),
    "grade": (
        "grading.grade",
        "say which exercises a learner's notebooks have solved",
        "They run with your rights: strangers' notebooks belong in a container.",
    ),
    "reproduce": (
        "experiments.reproduce",
        "list the lessons' tables with their cost, or make rows of one again",
        "They are shown beside the figures on record, in which nothing changes.",
    ),
    "lessons": ("commands.lessons", "list the lessons, their minutes and slides", ""),
    "doctor": (
        "doctor",
        "say what is here, what is missing, and what to do about it",
        "",
    ),
}


class Command(argparse.ArgumentParser):
    """A command's options; `later` adds those that are known only to slow imports."""

    later: Callable[[argparse.ArgumentParser], None] | None = None

    def parse_known_args(self, args=None, namespace=None):
        """As argparse does, once all options are there."""
        if self.later is not None:
            add, self.later = self.later, None
            add(self)
        return super().parse_known_args(args, namespace)


def parser() -> argparse.ArgumentParser:
    """All commands and options; nothing of the course is imported to show them."""
    from . import __version__

    top = argparse.ArgumentParser(
        prog="t2i",
        description="Text-to-image GANs: the course's commands.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"t2i {__version__}")
    commands = top.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=Command
    )
    for name, (file, line, more) in COMMANDS.items():
        module = import_module(f".{file}", __package__)
        made = commands.add_parser(
            name, help=line, description=f"{line[0].upper()}{line[1:]}. {more}"
        )
        module.add_arguments(made)
        made.later = getattr(module, "add_parts", None)
        made.set_defaults(function=module.main)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; its exit code. Errors become one line on stderr."""
    options = parser().parse_args(arguments)
    warnings.showwarning = partial(warned, options.command)
    try:
        check_seeds(options)
        code = options.function(options)
        sys.stdout.flush()  # or a closed pipe is noticed too late to be caught
        return code
    except BrokenPipeError:  # `t2i systems | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt as stop:
        print(f"t2i: {str(stop) or 'stopped'}", file=sys.stderr)
        return 130
    except (ValueError, LookupError, TypeError) as error:
        return fail(options.command, error, 2)
    except (OSError, RuntimeError, ArithmeticError) as error:
        return fail(options.command, error, 1)


def check_seeds(options: argparse.Namespace) -> None:
    """ValueError for a seed that no random numbers can start from."""
    given = getattr(options, "seed", None)
    for seed in given if isinstance(given, list) else [given]:
        if seed is not None:
            seeds.checked(seed)


def warned(command: str, message, category, *where) -> None:
    """A warning as a line on stderr; the course's own, and once for many processes."""
    if issubclass(category, UserWarning) and first_process():
        print(f"t2i {command}: {' '.join(str(message).split())}", file=sys.stderr)


def fail(command: str, error: Exception, code: int) -> int:
    """Prints the error in one line; the exit code."""
    if os.environ.get("T2I_DEBUG"):
        raise error
    said = str(error)
    if isinstance(error, OSError) and error.strerror:
        said = (
            f"{error.strerror}: {error.filename}" if error.filename else error.strerror
        )
    if code != 2 or first_process():  # what was asked wrong is wrong in all of them
        print(f"t2i {command}: {' '.join(said.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
