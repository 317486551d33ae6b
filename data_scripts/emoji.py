"""Build the emoji set that ships with the course (t2i_course/datasets/emoji_data).

    python data_scripts/emoji.py --check             build it, compare, change nothing
    python data_scripts/emoji.py --out DIR           build it into a folder
    python data_scripts/emoji.py --out DIR --openmoji    with a fourth maker, see below

Learners never need this. It takes the makers' packages from `npm pack` (or from
--tarballs, a folder that holds the .tgz files already), checks each against its sha256,
draws every emoji on white at 64x64 with resvg (`pip install resvg-py==0.5.0 pillow`),
finds the look-alikes, decides the splits, and writes one lossless WebP sheet a maker
and `emoji.json`. Nothing is unpacked: only the members that are named here are read,
in memory. Another version of resvg may move a few edge pixels by one; --check says so.

OpenMoji is CC BY-SA 4.0 (share alike). A set that holds it must be passed on under that
licence, so the course doesn't ship it.
"""

import argparse
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from t2i_course.datasets.emoji import FOLDER, FORMAT, SIDE, _pictures, checksum

COLUMNS = 43
ALIKE = 0.06  # root mean square distance at 32x32 that a held-out picture must keep
SAME = 0.02  # below this two pictures are one picture
HELD_OUT_EMOJI, HELD_OUT_MAKER = 0.10, 0.15  # shares of the names
MAX_MEMBER = 100 << 20  # bytes; no member of these packages is larger

PACKAGES = {  # package@version: the tarball's name and its sha256
    "emojibase-data@17.0.0": (
        "emojibase-data-17.0.0.tgz",
        "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a",
    ),
    "@iconify-json/noto@1.2.9": (
        "iconify-json-noto-1.2.9.tgz",
        "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad",
    ),
    "@iconify-json/twemoji@1.2.5": (
        "iconify-json-twemoji-1.2.5.tgz",
        "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7",
    ),
    "@iconify-json/fluent-emoji-flat@1.2.6": (
        "iconify-json-fluent-emoji-flat-1.2.6.tgz",
        "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175",
    ),
    "openmoji@17.0.0": (
        "openmoji-17.0.0.tgz",
        "55ee7d13485dec86e9f38c1f3a645a13382d33ff97c0cd845ee824b0aef45e68",
    ),
}
MAKERS = {
    "noto": "@iconify-json/noto@1.2.9",
    "twemoji": "@iconify-json/twemoji@1.2.5",
    "fluent": "@iconify-json/fluent-emoji-flat@1.2.6",
}


# ---- packages -----------------------------------------------------------------------


def fetch(package: str, folder: Path) -> Path:
    """The package's tarball in `folder`, from npm if it isn't there; sha256 checked.

    Raises SystemExit with what to do when npm is missing or the bytes are others.
    """
    name, expected = PACKAGES[package]
    path = folder / name
    if not path.exists():
        command = ["npm", "pack", "--silent", "--ignore-scripts", package]
        try:
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SystemExit(
                f"`{' '.join(command)}` failed ({error}). Install Node.js with npm, or "
                f"put {name} into a folder and name it with --tarballs."
            ) from error
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise SystemExit(f"{path}: sha256 {found}, expected {expected}. Delete it.")
    return path


def read_members(path: Path, wanted) -> dict[str, bytes]:
    """The tarball's regular files whose name `wanted(name)` accepts, in memory.

    Nothing is written, so no name, link or device in an archive can do harm.
    Raises SystemExit for a member larger than MAX_MEMBER.
    """
    found = {}
    with tarfile.open(path, "r:gz") as tar:
        for member in tar:
            if not (member.isreg() and wanted(member.name)):
                continue
            if member.size > MAX_MEMBER:
                raise SystemExit(f"{path}: {member.name} is too large to be genuine.")
            found[member.name] = tar.extractfile(member).read()
    return found


def read_json(path: Path, *names: str) -> list:
    """Named JSON files of a tarball, parsed, in the order asked for."""
    full = [f"package/{name}" for name in names]
    found = read_members(path, full.__contains__)
    return [json.loads(found[name]) for name in full]


def codepoints(text: str) -> str:
    """The key that all packages share: "1F468-200D-FE0F" to "1f468-200d"."""
    parts = text.lower().split("-")
    return "-".join(part.lstrip("0") for part in parts if part != "fe0f")


# ---- words --------------------------------------------------------------------------


def plain(text: str) -> str:
    """Words that a person types: ascii, no brackets, quotes or "&"."""
    text = text.replace("’", "'").replace("&", "and").replace(" / ", " or ")
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(re.sub(r'["()!*#]', "", text).split())


def plain_name(label: str) -> str:
    """An emoji's name as it stands in a sentence.

    "flag: Austria" to "flag of Austria", "family: man, girl" to "family of man and
    girl", "woman: red hair" to "woman with red hair".
    """
    special = {"keycap: #": "keycap number sign", "keycap: *": "keycap asterisk"}
    label = special.get(label, label)
    if ": " not in label:
        return plain(label)
    head, rest = label.split(": ", 1)
    rest = " and ".join(rest.rsplit(", ", 1)).replace(", ", " ")
    of = {"flag": "of", "family": "of", "kiss": "of", "keycap": "", "person": "with"}
    of |= {"man": "with", "woman": "with", "couple with heart": "of"}
    return plain(f"{head} {of.get(head, '')} {rest}")


def plain_tags(tags: list[str], name: str) -> list[str]:
    """At most eight tags without signs and codes, first those that the name lacks.

    Tags that only repeat words of the name help out when fewer than three are left.
    """
    said = set(re.findall(r"\w+", name.lower()))
    fresh, repeated = [], []
    for tag in dict.fromkeys(plain(tag) for tag in tags):
        letters = re.sub(r"[ '-]", "", tag)
        if not letters.isalpha() or len(letters) < 3 or tag == name:
            continue
        known = set(re.findall(r"\w+", tag.lower())) <= said
        (repeated if known else fresh).append(tag)
    return fresh[:8] if len(fresh) >= 3 else (fresh + repeated)[:3]


def read_words(path: Path) -> tuple[list[list], list[str], list[str]]:
    """(emoji, groups, subgroups); an emoji: [key, name, tags, group, subgroup].

    Only base emoji: no skin tones, no single letters of flags.
    """
    data, messages = read_json(path, "en/data.json", "en/messages.json")
    groups = {g["order"]: plain(g["message"]) for g in messages["groups"]}
    subgroups = {s["order"]: subgroup_name(s) for s in messages["subgroups"]}
    parts = next(g["order"] for g in messages["groups"] if g["key"] == "component")
    used = [d for d in data if d.get("group", parts) != parts]
    used.sort(key=lambda d: d["order"])
    group_list, subgroup_list = sorted(groups), sorted(subgroups)
    emoji = []
    for entry in used:
        name = plain_name(entry["label"])
        where = group_list.index(entry["group"]), subgroup_list.index(entry["subgroup"])
        tags = plain_tags(entry.get("tags", []), name)
        emoji.append([codepoints(entry["hexcode"]), name, tags, *where])
    return (
        emoji,
        [groups[g] for g in group_list],
        [subgroups[s] for s in subgroup_list],
    )


def subgroup_name(subgroup: dict) -> str:
    """ "with tongue" is the name of a kind of faces: "face with tongue"."""
    special = {
        "food-asian": "asian food",
        "food-prepared": "cooked food",
        "face-costume": "creatures",
    }
    if subgroup["key"] in special:
        return special[subgroup["key"]]
    name = plain(subgroup["message"])
    if subgroup["key"].startswith("face-"):
        return f"face {name}" if name.startswith("with") else f"{name} face"
    return name


# ---- pictures -----------------------------------------------------------------------


def svgs_of_iconify(path: Path) -> dict[str, str]:
    """{key: SVG} of an Iconify package; an odd shape is centred on a square."""
    icons, chars = read_json(path, "icons.json", "chars.json")
    result = {}
    for code, name in chars.items():
        icon = icons["icons"].get(name)
        if icon is None:  # an alias: same picture under another name
            icon = icons["icons"][icons["aliases"][name]["parent"]]
        width = icon.get("width", icons["width"])
        height = icon.get("height", icons["height"])
        left, top = icon.get("left", 0), icon.get("top", 0)
        result[codepoints(code)] = (
            f'<svg xmlns="http://www.w3.org/2000/svg" '
            f'xmlns:xlink="http://www.w3.org/1999/xlink" width="{SIDE}" '
            f'height="{SIDE}" viewBox="{left} {top} {width} {height}">'
            f"{icon['body']}</svg>"
        )
    return result


def svgs_of_openmoji(path: Path) -> dict[str, str]:
    """{key: SVG} of the OpenMoji package (colour)."""
    pattern = re.compile(r"package/color/svg/([0-9A-F-]+)\.svg")
    members = read_members(path, pattern.fullmatch)
    return {
        codepoints(pattern.fullmatch(name)[1]): data.decode()
        for name, data in members.items()
    }


def draw(svg: str) -> np.ndarray:
    """An SVG on white, (64, 64, 3) uint8; no fonts of this machine are used."""
    import resvg_py

    png = resvg_py.svg_to_bytes(
        svg_string=svg,
        width=SIDE,
        height=SIDE,
        background="#ffffff",
        skip_system_fonts=True,
    )
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    if picture.shape != (SIDE, SIDE, 3):
        raise SystemExit(f"resvg drew {picture.shape}, not {(SIDE, SIDE, 3)}.")
    return picture


def write_sheet(path: Path, pictures: np.ndarray) -> None:
    """(N, 64, 64, 3) pictures as one lossless sheet with 43 columns."""
    rows = -(-len(pictures) // COLUMNS)
    sheet = np.full((rows * COLUMNS, SIDE, SIDE, 3), 255, np.uint8)
    sheet[: len(pictures)] = pictures
    sheet = sheet.reshape(rows, COLUMNS, SIDE, SIDE, 3).transpose(0, 2, 1, 3, 4)
    image = Image.fromarray(sheet.reshape(rows * SIDE, COLUMNS * SIDE, 3))
    image.save(path, "webp", lossless=True, quality=75, method=6, exact=True)


# ---- look-alikes and splits ---------------------------------------------------------


def look_alikes(pictures: np.ndarray, limit: float) -> list[tuple[int, int, float]]:
    """Pairs (i, j, distance) with i < j and a distance under `limit`.

    pictures: (N, 64, 64, 3) uint8. Distance: root mean square difference at 32x32,
    colours from 0 to 1.
    """
    n = len(pictures)
    small = pictures.reshape(n, 32, 2, 32, 2, 3).mean((2, 4), dtype=np.float32)
    flat = small.reshape(n, -1) / 255
    squares = (flat.astype(np.float64) ** 2).sum(1)
    pairs = []
    for start in range(0, n, 512):
        part = slice(start, start + 512)
        square = squares[part, None] + squares - 2.0 * (flat[part] @ flat.T)
        distance = np.sqrt(np.maximum(square, 0) / flat.shape[1])
        for a, b in zip(*np.nonzero(distance < limit)):
            if start + a < b:
                pairs.append((int(start + a), int(b), float(distance[a, b])))
    return pairs


def joined(count: int, pairs) -> list[int]:
    """For each of `count` things the first of those it is joined to by `pairs`."""
    first = list(range(count))

    def find(i: int) -> int:
        while first[i] != i:
            i = first[i]
        return i

    for a, b in pairs:
        low, high = sorted((find(a), find(b)))
        first[high] = low
    return [find(i) for i in range(count)]


def core(name: str) -> str:
    """What a family shares: "woman farmer" and "farmer" to "farmer"."""
    who = r"(wo)?m[ae]n|persons?|people|girl|boy|child|adult|merm\w+|merperson"
    rest = re.sub(rf"\b({who}|facing right|with|of|and)\b", "", name)
    return " ".join(rest.split()) or "person"


def chance(*what: str) -> float:
    """A number in 0..1 that depends on the words only: the same on every machine."""
    digest = hashlib.sha256(" ".join(what).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def families(emoji: list[list], owner: list[int], pairs) -> list[int]:
    """For each emoji its family: names of one core, or pictures that look alike.

    owner: the emoji of each picture.
    """
    links = [(owner[a], owner[b]) for a, b, _ in pairs]
    known: dict[str, int] = {}
    for number, entry in enumerate(emoji):
        links.append((known.setdefault(core(entry[1]), number), number))
    return joined(len(emoji), links)


def decide_splits(
    emoji: list[list], makers: dict[str, list[int]], pairs, family: list[int]
) -> dict[str, str]:
    """{maker: a digit per picture}: 0 train, 1 new_emoji, 2 new_maker."""
    alike = {i for a, b, _ in pairs for i in (a, b)}
    drawn_by: dict[int, list[str]] = {}
    for maker, members in makers.items():
        for e in members:
            drawn_by.setdefault(e, []).append(maker)
    result, row = {}, 0
    for maker, members in makers.items():
        digits = ""
        for e in members:
            key = emoji[e][0]
            digit = "0"
            if chance("emoji", emoji[family[e]][0]) < HELD_OUT_EMOJI:
                digit = "1"
            elif len(drawn_by[e]) >= 3 and row not in alike:
                turn = int(chance("which", key) * len(drawn_by[e]))
                if chance("maker", key) < HELD_OUT_MAKER:
                    digit = "2" if drawn_by[e][turn] == maker else "0"
            digits += digit
            row += 1
        result[maker] = digits
    return result


# ---- the whole ----------------------------------------------------------------------


def build(out: Path, tarballs: Path, openmoji: bool) -> dict:
    """Write the set into `out`; returns its table (what emoji.json holds)."""
    emoji, groups, subgroups = read_words(fetch("emojibase-data@17.0.0", tarballs))
    packages = dict(MAKERS) | ({"openmoji": "openmoji@17.0.0"} if openmoji else {})
    parts, members = {}, {}
    for maker, package in packages.items():
        read = svgs_of_openmoji if maker == "openmoji" else svgs_of_iconify
        svgs = read(fetch(package, tarballs))
        members[maker] = [e for e, entry in enumerate(emoji) if entry[0] in svgs]
        parts[maker] = np.stack([draw(svgs[emoji[e][0]]) for e in members[maker]])
        print(f"{maker}: {len(members[maker])} pictures", flush=True)
    pictures = np.concatenate(list(parts.values()))
    owner = [e for part in members.values() for e in part]
    pairs = look_alikes(pictures, ALIKE)
    family = families(emoji, owner, pairs)
    splits = decide_splits(emoji, members, pairs, family)
    same = [(owner[a], owner[b]) for a, b, distance in pairs if distance < SAME]
    table = {
        "format": FORMAT,
        "columns": COLUMNS,
        "groups": groups,
        "subgroups": subgroups,
        "emoji": emoji,
        "class_id": joined(len(emoji), same),
        "family": family,
        "pixels": hashlib.sha256(pictures.tobytes()).hexdigest(),
        "words": "emojibase-data@17.0.0",
        "makers": {},
    }
    for maker, part in parts.items():
        path = out / f"{maker}.webp"
        write_sheet(path, part)
        table["makers"][maker] = {
            "file": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "package": packages[maker],
            "emoji": members[maker],
            "split": splits[maker],
        }
    table["checksum"] = checksum(table)
    text = json.dumps(table, ensure_ascii=True, separators=(",", ":"))
    # One emoji a line: a change of the set can be read in a diff.
    (out / "emoji.json").write_text(re.sub(r'\],\["', '],\n["', text) + "\n")
    return table


def compare(built: Path, table: dict) -> int:
    """Say how a set just built differs from the shipped one; 0 if it doesn't."""
    shipped = json.loads((FOLDER / "emoji.json").read_text())
    volatile = ("checksum", "makers", "pixels")
    for key in table:
        if key not in volatile and table[key] != shipped[key]:
            print(f"{key} differs from the shipped set.")
            return 1
    for maker, part in table["makers"].items():
        if any(part[k] != shipped["makers"][maker][k] for k in ("emoji", "split")):
            print(f"{maker}: the splits or the list of emoji differ.")
            return 1
    if table["pixels"] == shipped["pixels"]:
        print("Equal to the shipped set: every word and every pixel.")
        return 0
    new, old = (_pictures(f, SIDE).astype(np.int16) for f in (built, FOLDER))
    difference = np.abs(new - old)
    print(
        f"{(difference.max((1, 2, 3)) > 0).sum()} of {len(new)} pictures differ, by at "
        f"most {difference.max()} of 255. Another version of resvg-py than 0.5.0?"
    )
    return 1


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="folder to write to")
    parser.add_argument("--check", action="store_true", help="only compare")
    parser.add_argument("--tarballs", type=Path, help="folder with the .tgz files")
    parser.add_argument("--openmoji", action="store_true", help="add it (CC BY-SA 4.0)")
    arguments = parser.parse_args()
    if arguments.check == bool(arguments.out):
        parser.error("give either --check or --out DIR")
    if arguments.check and arguments.openmoji:
        parser.error("the shipped set has no OpenMoji: --openmoji needs --out")
    with tempfile.TemporaryDirectory() as scratch:
        out = arguments.out or Path(scratch)
        out.mkdir(parents=True, exist_ok=True)
        table = build(out, arguments.tarballs or Path(scratch), arguments.openmoji)
        return compare(out, table) if arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
