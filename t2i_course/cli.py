"""The command t2i: draw, train, measure, grade, and find out what is wrong.

Exit codes: 0 all well; 2 you asked for something that can't be; 1 something failed (a
full disk, damaged weights, a loss that is not finite); 130 stopped by hand. Errors are
one line on stderr. Nothing heavy is imported before it is needed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

PRESETS = ("smoke", "cpu", "gpu", "paper")

EXAMPLES = """\
examples:
  t2i draw "a small bird with blue wings and a red belly" --count 8 --out birds.png
  t2i systems                          what there is to train, and how large it is
  t2i train gan --preset cpu           the first GAN, on handwritten digits
  t2i train gan_cls --resume           go on where a training stopped
  t2i measure gan_int_cls_32           do the birds obey their captions?
  t2i grade lessons/01_*.ipynb         what a work sheet has solved
  t2i reproduce                        every table of the lessons, to be made again
  t2i doctor                           what is here, what is missing, what to do

T2I_PRESET chooses the preset, T2I_CACHE where drawn worlds are kept, T2I_WEIGHTS
another folder of trained networks.
"""


class UserError(ValueError):
    """What was asked for can't be; the message says why, in a line."""


# -------------------------------------------------------------------------- commands


def draw(options: argparse.Namespace) -> int:
    """t2i draw: pictures for each caption, as one PNG file."""
    import torch

    from .data import Batch
    from .measure.birds import draw as pictures_for
    from .papers.gan_cls import shipped

    asked = options.caption
    if len(asked) > 1 and not any(" " in caption.strip() for caption in asked):
        raise UserError(f'put the sentence in quotes: t2i draw "{" ".join(asked)}"')
    if not 1 <= options.count * len(asked) <= 400:
        raise UserError(f"--count is 1 to {400 // len(asked)}, not {options.count}")
    out = Path(options.out)
    if out.suffix.lower() != ".png":
        raise UserError(f"--out names a .png file, not {options.out!r}")
    words = vocabulary_of(options.system)
    batch = Batch(torch.zeros(len(asked), 0), asked, *words.encode(asked))
    unknown = [word for caption in asked for word in words.unknown(caption[:1000])]
    if unknown:
        named = ", ".join(dict.fromkeys(unknown[:8]))
        print(f"t2i draw: words this network doesn't know: {named}", file=sys.stderr)
    system = shipped(options.system) if options.system else shipped()
    save_sheet(pictures_for(system, batch, options.seed, options.count), out)
    print(out)
    return 0


def vocabulary_of(name: str | None):
    """The words that a shipped network reads; those of the birds by default."""
    from .papers.gan_cls import READERS

    if READERS.get(name) == "text_emoji":
        from .datasets.emoji import vocabulary
    else:
        from .worlds.birds import vocabulary
    return vocabulary()


def save_sheet(pictures, out: Path) -> None:
    """Writes pictures (N, 3, S, S) side by side, enlarged to be looked at."""
    from PIL import Image

    from .show.pictures import mosaic

    columns = min(len(pictures), 8 if len(pictures) > 4 else 4)
    enlarge = max((256 if len(pictures) == 1 else 128) // pictures.shape[-1], 1)
    sheet = mosaic(pictures, columns, gap=4, enlarge=enlarge)
    Image.fromarray(sheet).save(out)


def train(options: argparse.Namespace) -> int:
    """t2i train: one system, with checkpoints in runs/SYSTEM-PRESET/."""
    import torch

    from . import presets
    from .systems import build, data_of, info, source_for
    from .training import fit

    preset = options.preset or presets.current()
    data = data_of(options.system, options.data)
    folder = f"{options.system}-{preset}"
    if data != info(options.system).data[0]:
        folder += f"-{data}"
    checkpoint = Path("runs") / folder / "checkpoint.pt"
    if checkpoint.exists() and not options.resume:
        raise UserError(
            f"{checkpoint} holds a training already: go on with --resume, or delete it"
        )
    if options.text and options.system not in ("gan_cls", "projection"):
        raise UserError(f"{options.system} reads no sentences: leave --text away")
    torch.manual_seed(options.seed)  # of the first weights
    system = build(options.system, preset, data, text=options.text, codes=options.codes)
    steps = options.steps or (system.settings or {})["steps"]
    if steps < 1:
        raise UserError(f"--steps is 1 or more, not {steps}")
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    source = source_for(options.system, preset, data, options.seed)
    every = max(min(steps // 10, 500), 1)
    print(f"{options.system} at preset {preset} on {data}: {steps} steps", flush=True)
    history = fit(
        system,
        source,
        steps,
        seed=options.seed,
        checkpoint=checkpoint,
        every=every,
        resume=options.resume,
    )
    losses = ", ".join(f"{player} {v[-1]:.3f}" for player, v in history.losses.items())
    print(f"{history.step} steps, last losses: {losses}; kept in {checkpoint}")
    return 0


def systems(options: argparse.Namespace) -> int:
    """t2i systems: every system, its lesson, and how large its networks are."""
    from .systems import SYSTEMS, parameter_counts

    rows = {}
    for name, entry in SYSTEMS.items():
        counts = {preset: parameter_counts(name, preset) for preset in PRESETS}
        rows[name] = {
            "lesson": entry.lesson,
            "line": entry.line,
            "data": list(entry.data),
            "parameters": counts,
        }
    if options.json:
        print(json.dumps(rows, indent=1))
        return 0
    for name, row in rows.items():
        data = " or ".join(row["data"])
        print(f"{name}  lesson {row['lesson']}: {row['line']} (on {data})")
        networks = row["parameters"]["paper"]
        wide = max(16, *map(len, networks))
        print("  " + " " * wide + "".join(f"{preset:>13}" for preset in PRESETS))
        for network in networks:
            sizes = [row["parameters"][preset].get(network, 0) for preset in PRESETS]
            print(f"  {network:<{wide}}" + "".join(f"{size:>13,}" for size in sizes))
        print()
    return 0


def measure(options: argparse.Namespace) -> int:
    """t2i measure: a shipped network afresh, on unseen species or on your captions."""
    from . import threads, weights
    from .papers import dcgan
    from .papers.gan_cls import PAINTERS, shipped

    threads.keep_watch()
    if not 1 <= options.count <= 100_000:
        raise UserError(f"--count is 1 to 100000, not {options.count}")
    oracles = [n for n in weights.names() if n.startswith("oracle")]
    if options.name in PAINTERS:
        from .measure.birds import obedience_of, report

        asked = read_captions(options.captions) if options.captions else None
        system = shipped(options.name)
        if asked is not None:
            found = obedience_of(system, asked, options.seed)
            found = {name: round(share, 4) for name, share in found.items()}
        else:
            size = system.generator.size
            found = report(system, options.count, options.seed, size)
    elif options.name in dcgan.SHIPPED:
        found = measure_gan(options)
    elif options.name in oracles:
        found = measure_oracle(int(options.name[6:]))
    else:
        can = [*PAINTERS, *dcgan.SHIPPED, *oracles]
        known = (
            "is measured by " + weights.manifest()[options.name]["command"]
            if options.name in weights.manifest()
            else "is no network of the course"
        )
        raise UserError(f"{options.name!r} {known}; t2i measures {', '.join(can)}")
    if options.json:
        print(json.dumps({"network": options.name, "measured": found}))
        return 0
    for name, value in found.items():
        print(f"{name:<18} {value:8.4f}")
    return 0


def measure_gan(options: argparse.Namespace) -> dict[str, float]:
    """Scores by the oracle of a network that draws birds without captions."""
    from .measure.dcgan import draw, quality
    from .papers.dcgan import shipped

    if options.captions:
        raise UserError(f"{options.name} reads no captions; leave --captions out")
    if not 2 <= options.count <= 9000:
        raise UserError("there are 9,000 birds to compare with: --count is 2 to 9000")
    found = quality(draw(shipped(options.name), options.count, options.seed))
    return {"inception score": found["score"], "frechet distance": found["distance"]}


def measure_oracle(size: int) -> dict[str, float]:
    """Share of unseen species' drawings in which the oracle reads each attribute."""
    from .measure.obedience import accuracies
    from .measure.oracle import oracle
    from .worlds.birds import Birds

    seen = Birds("test", size).all().to("cpu")
    found = accuracies(oracle(size).read(seen.image), seen.attributes)
    return {f"accuracy {name}": round(share, 4) for name, share in found.items()}


def read_captions(file: str):
    """A batch from lines "caption<tab>wing=blue,belly=red"; UserError if bad."""
    import numpy as np

    from .measure.birds import asked
    from .worlds.bird_captions import named_by
    from .worlds.birds import vocabulary

    sentences, rows = [], []
    for number, line in enumerate(read_lines(file), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            caption, tab, names = line.partition("\t")
            pairs = [pair.partition("=") for pair in names.split(",")]
            if not tab or not all(equals for _, equals, _ in pairs):
                raise ValueError("expected a caption, a tab, and wing=blue,belly=red")
            row = named_by({key.strip(): value.strip() for key, _, value in pairs})
            vocabulary().numbers_of(caption)
        except ValueError as error:
            raise UserError(f"{file}, line {number}: {error}") from None
        sentences.append(caption)
        rows.append(row)
    if not rows:
        raise UserError(f"{file} holds no captions")
    return asked(sentences, np.stack(rows))


def read_lines(file: str) -> list[str]:
    """The lines of a text file; UserError if it can't be read as one."""
    try:
        return Path(file).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise UserError(f"can't read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{file} is no text file (UTF-8)") from None


def grade(options: argparse.Namespace) -> int:
    """t2i grade: what notebooks have solved."""
    from .grading import grade as grading

    return grading.main(options)


def reproduce(options: argparse.Namespace) -> int:
    """t2i reproduce: the lessons' tables, made again."""
    from .experiments import reproduce as experiments

    return experiments.main(options)


def lessons(options: argparse.Namespace) -> int:
    """t2i lessons: the lessons, their minutes and slides."""
    from .lesson import LESSONS

    if options.json:
        keys = ("number", "title", "line", "slides", "minutes", "file", "wants_gpu")
        rows = [{key: getattr(x, key) for key in keys} for x in LESSONS.values()]
        print(json.dumps(rows, indent=1))
        return 0
    for x in LESSONS.values():
        print(f"{x.number}  {x.title}: {x.line}")
        minutes = ", ".join(
            f"{x.minutes[key]:g} {what}"
            for key, what in [
                ("work", "to work through"),
                ("cpu", "of computing on a CPU"),
            ]
        )
        print(f"    lessons/{x.file}.ipynb; minutes: {minutes}\n    slides: {x.slides}")
    return 0


def doctor(options: argparse.Namespace) -> int:
    """t2i doctor: what is here, what is missing, what to do."""
    from . import doctor as examination

    return examination.main()


# --------------------------------------------------------------------------- options


def parser() -> argparse.ArgumentParser:
    """All options; nothing of the course is imported to show them."""
    from . import __version__
    from .experiments import reproduce as experiments  # light, too
    from .grading.grade import add_arguments  # light: it imports torch only to grade

    top = argparse.ArgumentParser(
        prog="t2i",
        description="Text-to-image GANs: the course's commands.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"t2i {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(function, line: str, more: str = "") -> argparse.ArgumentParser:
        made = commands.add_parser(
            function.__name__,
            help=line,
            description=f"{line[0].upper()}{line[1:]}. {more}",
        )
        made.set_defaults(function=function)
        return made

    _drawing(command)
    _training(command)
    listing = command(systems, "list every system, its lesson and its networks' sizes")
    listing.add_argument("--json", action="store_true", help="print JSON")
    _measuring(command)
    add_arguments(
        command(
            grade,
            "say which exercises a learner's notebooks have solved",
            "They run with your rights: strangers' notebooks belong in a container.",
        )
    )
    experiments.add_arguments(
        command(
            reproduce,
            "list the lessons' tables with their cost, or make rows of one again",
            "They are shown beside the figures on record, in which nothing changes.",
        )
    )
    listing = command(lessons, "list the lessons, their minutes and slides")
    listing.add_argument("--json", action="store_true", help="print JSON")
    command(doctor, "say what is here, what is missing, and what to do about it")
    return top


def _drawing(command) -> None:
    made = command(
        draw,
        "draw pictures for captions",
        "Words it doesn't know are named on stderr.",
    )
    made.add_argument(
        "caption", metavar="CAPTION", nargs="+", help="a sentence in quotes, or more"
    )
    made.add_argument(
        "--system",
        metavar="NAME",
        help="a shipped network (default: the best)",
    )
    made.add_argument(
        "--count",
        type=int,
        default=1,
        metavar="N",
        help="how many pictures of each caption, side by side (default 1)",
    )
    made.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="of the noise: the same seed draws the same (default 0)",
    )
    made.add_argument(
        "--out",
        default="birds.png",
        metavar="FILE.png",
        help="where to write (default birds.png)",
    )


def _training(command) -> None:
    made = command(
        train,
        "train a system of the course",
        "Checkpoints are kept in runs/SYSTEM-PRESET/; Ctrl-C saves one and "
        "--resume goes on from it as if nothing had happened.",
    )
    made.add_argument("system", metavar="SYSTEM", help="see t2i systems")
    made.add_argument(
        "--preset",
        choices=PRESETS,
        help="size and length (default: by the hardware, or T2I_PRESET)",
    )
    made.add_argument(
        "--data",
        metavar="D",
        help="birds, emoji, digits or points (default: the system's own)",
    )
    made.add_argument(
        "--text",
        metavar="FILE",
        help="read captions with the text encoder of this checkpoint "
        "(made by t2i train joint_embedding)",
    )
    made.add_argument(
        "--codes",
        metavar="FILE",
        help="learn the codes of the VQ-VAE of this checkpoint "
        "(made by t2i train vqvae, or vqvae2)",
    )
    made.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    made.add_argument(
        "--steps",
        type=int,
        metavar="N",
        help="train for N steps in all (default: the preset's)",
    )
    made.add_argument("--seed", type=int, default=0, metavar="S", help="default 0")


def _measuring(command) -> None:
    made = command(
        measure,
        "measure a shipped network afresh",
        "Scores use the course's own oracle and are not comparable with "
        "scores by an ImageNet network.",
    )
    made.add_argument("name", metavar="NAME", help="a shipped network")
    made.add_argument(
        "--captions",
        metavar="FILE.tsv",
        help="measure obedience on these: a caption, a tab, and what it "
        "names, as in wing=blue,belly=red",
    )
    made.add_argument(
        "--count",
        type=int,
        default=1000,
        metavar="N",
        help="captions of unseen species (default 1000)",
    )
    made.add_argument("--seed", type=int, default=0, metavar="S", help="default 0")
    made.add_argument("--json", action="store_true", help="print JSON")


# ------------------------------------------------------------------------------ main


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; its exit code. Errors become one line on stderr."""
    options = parser().parse_args(arguments)
    try:
        return options.function(options)
    except KeyboardInterrupt as stop:
        print(f"t2i: {str(stop) or 'stopped'}", file=sys.stderr)
        return 130
    except (ValueError, LookupError, TypeError) as error:
        return fail(options.command, error, 2)
    except (OSError, RuntimeError, ArithmeticError) as error:
        return fail(options.command, error, 1)


def fail(command: str, error: Exception, code: int) -> int:
    """Prints the error in one line; the exit code."""
    if os.environ.get("T2I_DEBUG"):
        raise error
    said = str(error)
    if isinstance(error, OSError) and error.strerror:
        said = (
            f"{error.strerror}: {error.filename}" if error.filename else error.strerror
        )
    print(f"t2i {command}: {' '.join(said.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
