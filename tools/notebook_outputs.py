"""Making the outputs of an executed notebook fit to be committed and published.

Noise goes (stderr, progress bars, live widgets), pictures stay and are made as small
as the budget asks. Used by build_notebooks.py and run_course.py.
"""

from __future__ import annotations

import base64
import io
import json

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
    return _shown_by_widget(data[WIDGET]["model_id"], state)


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
    children = model.get("state", {}).get("children", [])
    names = [str(child).removeprefix("IPY_MODEL_") for child in children]
    return [part for name in names for part in _shown_by_widget(name, state)]


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
    originals = {id(data): dict(data) for data in _pictures(notebook)}
    for scale, lossy in steps:
        if size(notebook) <= limit:
            return
        for data in _pictures(notebook):
            _reencode(data, originals[id(data)], scale, lossy)
    if size(notebook) > limit:
        largest = sorted(notebook.cells, key=lambda cell: len(str(cell)))[-3:]
        starts = "; ".join(cell.source.strip()[:50] for cell in largest[::-1])
        raise ValueError(
            f"the notebook has {size(notebook):,} bytes, {limit:,} are allowed; "
            f"its largest cells begin: {starts}"
        )


def _pictures(notebook: NotebookNode) -> list[NotebookNode]:
    """The mime bundles that hold a PNG or a JPEG."""
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    bundles = [output.data for output in outputs if "data" in output]
    return [b for b in bundles if any(kind in b for kind in PICTURES)]


def _reencode(bundle: NotebookNode, original: dict, scale: float, lossy: bool) -> None:
    """Replaces the picture by the smallest of its encodings at that scale."""
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
        bundle[new_kind] = text


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
        for bundle in _pictures(nbformat.v4.new_notebook(cells=[cell])):
            encoded = next(bundle[kind] for kind in PICTURES if kind in bundle)
            pictures.append(Image.open(io.BytesIO(base64.b64decode(encoded))))
    if not pictures:
        return None
    chosen = next((p for p in pictures if p.width >= width), pictures[0])
    flat = _on_white(chosen)
    flat.thumbnail((width, 4 * width), Image.Resampling.LANCZOS)
    return "data:image/jpeg;base64," + _encoded(flat, "JPEG", quality=85)
