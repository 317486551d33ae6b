"""Making the outputs of an executed notebook fit to be committed and published.

Noise goes (stderr, progress bars, live widgets), pictures stay, with their
descriptions, and are made as small as the budget asks. Used by build_notebooks.py and
run_course.py.
"""

from __future__ import annotations

import base64
import html
import io
import json
import re

import nbformat
from nbformat import NotebookNode
from PIL import Image

WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
PICTURES = ("image/png", "image/jpeg")


def clean(notebook: NotebookNode) -> None:
    """Drops noise from every cell's outputs, in place.

    A widget leaves the pictures that it shows (a page without a kernel can't run it);
    other widgets, progress bars among them, and stderr leave nothing.
    """
    state = notebook.metadata.pop("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    count = 0
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        kept = [part for output in cell.outputs for part in _static(output, state)]
        cell.outputs = _joined(kept)
        if cell.execution_count is not None:
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count


def _static(output: NotebookNode, state: dict) -> list[NotebookNode]:
    """The outputs that stand for this one on a page without a kernel."""
    if output.output_type == "stream":
        return [output] if output.name == "stdout" and output.text.strip() else []
    data = output.get("data", {})
    output.pop("transient", None)
    if WIDGET not in data:
        return [output]
    model = data[WIDGET]["model_id"]
    stills = _shown_by_widget(model, state)
    if not stills:
        return []
    words = f"A still of the playground: {_words_of_widget(model, state)}"
    for still in stills:
        _describe(still, words)
    return [*stills, _caption(words)]


def _children(model_id: str, state: dict) -> list[str]:
    """The ids of the widgets inside a widget."""
    children = state.get(model_id, {}).get("state", {}).get("children", [])
    return [str(child).removeprefix("IPY_MODEL_") for child in children]


def _shown_by_widget(model_id: str, state: dict) -> list[NotebookNode]:
    """Pictures inside a widget: in its Output areas, Image widgets and children."""
    model = state.get(model_id, {})
    if model.get("model_name") == "OutputModel":
        outputs = model.get("state", {}).get("outputs", ())
        return [
            nbformat.from_dict(output)
            for output in outputs
            if any(kind in output.get("data", {}) for kind in PICTURES)
        ]
    if model.get("model_name") == "ImageModel":
        values = [b["data"] for b in model.get("buffers", []) if b["path"] == ["value"]]
        return [_as_output(value) for value in values if value]
    inside = _children(model_id, state)
    return [part for name in inside for part in _shown_by_widget(name, state)]


def _words_of_widget(model_id: str, state: dict) -> str:
    """What a widget says: how its controls stand, then its lines of text."""
    settings, lines = _settings_and_lines(model_id, state)
    return "; ".join([", ".join(settings), *lines] if settings else lines)


def _settings_and_lines(model_id: str, state: dict) -> tuple[list[str], list[str]]:
    """Of a widget and those inside it: ["pictures 4", ...] and the texts it shows."""
    model = state.get(model_id, {})
    kind, now = model.get("model_name", ""), model.get("state", {})
    if kind in ("HTMLModel", "LabelModel"):
        text = html.unescape(re.sub(r"<[^>]*>", "", now.get("value", "")))
        return [], [" ".join(text.split())] if text.strip() else []
    setting = _setting(now)
    settings, lines = [setting] if setting else [], []
    for inside in _children(model_id, state):
        more_settings, more_lines = _settings_and_lines(inside, state)
        settings, lines = settings + more_settings, lines + more_lines
    return settings, lines


def _setting(now: dict) -> str:
    """How a control with a name stands, "style 0"; empty for a button and the like."""
    name, value = now.get("description", ""), now.get("value")
    if "index" in now and "_options_labels" in now:  # a choice
        index, labels = now["index"], now["_options_labels"]
        if isinstance(index, (list, tuple)):  # of several
            value = " ".join(str(labels[i]) for i in index)
        else:
            value = None if index is None else labels[index]
    if not name or value in (None, [], {}):  # none chosen, no file given
        return ""
    if isinstance(value, bool):
        return name if value and not name.isdigit() else ""
    value = f"{value:.3g}" if isinstance(value, float) else str(value)
    return f"{name} {value}" if value != name else name


def _caption(words: str) -> NotebookNode:
    """A line below a still."""
    page = f"<p><em>{html.escape(words)}</em></p>"
    data = {"text/html": page, "text/plain": words}
    return nbformat.v4.new_output("display_data", data=data)


def _describe(output: NotebookNode, words: str) -> None:
    """Puts a description beside a picture that has none."""
    for kind in PICTURES:
        if kind in output.data and not description(output):
            output.metadata[kind] = {"alt": words}


def description(output: NotebookNode) -> str:
    """What an output's metadata says of its picture; empty where nothing is said."""
    found = [output.get("metadata", {}).get(kind, {}).get("alt") for kind in PICTURES]
    return next(filter(None, found), "")


def faults_of_descriptions(notebook: NotebookNode, least: int = 20) -> list[str]:
    """What is wrong with the pictures' descriptions, a line for each bad cell.

    A description says in `least` letters or more what is to be seen, and no two
    different pictures of a lesson share one.
    """
    faults, seen = [], {}
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            picture = next((data[kind] for kind in PICTURES if kind in data), None)
            if picture is None:
                continue
            words, start = description(output), cell.source.strip()[:60]
            if len(words) < least:
                faults.append(f"cell {number} shows a picture without words: {start}")
            elif seen.setdefault(words, picture) != picture:
                faults.append(f"cell {number} says what another says: {words[:60]}")
    return faults


def _as_output(encoded: str) -> NotebookNode:
    data = {"image/png": to_png(base64.b64decode(encoded)), "text/plain": "a picture"}
    return nbformat.v4.new_output("display_data", data=data)


def to_png(picture: bytes) -> str:
    """Any picture file's bytes as base64 text of a PNG."""
    made = io.BytesIO()
    Image.open(io.BytesIO(picture)).save(made, "PNG", optimize=True)
    return base64.b64encode(made.getvalue()).decode()


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Neighbouring pieces of stdout become one, as a front end would show them."""
    joined: list[NotebookNode] = []
    for output in outputs:
        if joined and output.output_type == joined[-1].output_type == "stream":
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def size(notebook: NotebookNode) -> int:
    """Bytes of the notebook as a file."""
    return len(as_text(notebook).encode())


def as_text(notebook: NotebookNode) -> str:
    """The notebook as its file's text, always the same for the same notebook.

    Read once more before it is written: the two ways differ in how they cut lines.
    """
    once_read = nbformat.reads(nbformat.writes(notebook), as_version=4)
    plain = json.loads(nbformat.writes(once_read))
    return json.dumps(plain, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def shrink(notebook: NotebookNode, limit: int) -> None:
    """Makes the pictures smaller, in place, until the file has at most `limit` bytes.

    First without loss, then as JPEG or with 256 colours, then in steps of 15 %
    smaller. ValueError, naming the largest cells, when that is not enough.
    """
    steps = [(1.0, False)] + [(0.85**k, True) for k in range(8)]
    pictures = _pictures(notebook)
    originals = [dict(output.data) for output in pictures]
    for scale, lossy in steps:
        if size(notebook) <= limit:
            return
        for output, original in zip(pictures, originals):
            _reencode(output, original, scale, lossy)
    if size(notebook) > limit:
        largest = sorted(notebook.cells, key=lambda cell: len(str(cell)))[-3:]
        starts = "; ".join(cell.source.strip()[:50] for cell in largest[::-1])
        raise ValueError(
            f"the notebook has {size(notebook):,} bytes, {limit:,} are allowed; "
            f"its largest cells begin: {starts}"
        )


def _pictures(notebook: NotebookNode) -> list[NotebookNode]:
    """The outputs that hold a PNG or a JPEG."""
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    return [o for o in outputs if any(kind in o.get("data", {}) for kind in PICTURES)]


def _reencode(output: NotebookNode, original: dict, scale: float, lossy: bool) -> None:
    """Replaces the picture by the smallest of its encodings at that scale."""
    bundle, words = output.data, description(output)
    kind = next(kind for kind in PICTURES if kind in original)
    picture = Image.open(io.BytesIO(base64.b64decode(original[kind])))
    picture.load()
    if scale < 1:
        wanted = [max(1, round(side * scale)) for side in picture.size]
        picture = picture.convert("RGBA").resize(wanted, Image.Resampling.LANCZOS)
    made = [("image/png", _encoded(picture, "PNG", optimize=True))]
    if lossy:
        flat = _on_white(picture)
        colours = flat.quantize(256, dither=Image.Dither.NONE)
        made += [
            ("image/png", _encoded(colours, "PNG", optimize=True)),
            ("image/jpeg", _encoded(flat, "JPEG", quality=82, optimize=True)),
        ]
    new_kind, text = min(made, key=lambda pair: len(pair[1]))
    if len(text) < len(bundle.get(kind) or bundle.get(new_kind) or ""):
        for old in PICTURES:
            bundle.pop(old, None)
            output.metadata.pop(old, None)
        bundle[new_kind] = text
        if words:
            output.metadata[new_kind] = {"alt": words}


def _encoded(picture: Image.Image, form: str, **options) -> str:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return base64.b64encode(file.getvalue()).decode()


def _on_white(picture: Image.Image) -> Image.Image:
    """Without transparency, which JPEG doesn't have."""
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")


def thumbnail(notebook: NotebookNode, width: int = 480) -> str | None:
    """A picture for the lesson's card, as a data address; None if it has no picture.

    That of the cell tagged `cover`, else the first that is as wide as the card.
    """
    tagged = [c for c in notebook.cells if "cover" in c.metadata.get("tags", [])]
    pictures = []
    for cell in tagged or notebook.cells:
        for output in _pictures(nbformat.v4.new_notebook(cells=[cell])):
            encoded = next(
                output.data[kind] for kind in PICTURES if kind in output.data
            )
            pictures.append(Image.open(io.BytesIO(base64.b64decode(encoded))))
    if not pictures:
        return None
    chosen = next((p for p in pictures if p.width >= width), pictures[0])
    flat = _on_white(chosen)
    flat.thumbnail((width, 4 * width), Image.Resampling.LANCZOS)
    return "data:image/jpeg;base64," + _encoded(flat, "JPEG", quality=85)
