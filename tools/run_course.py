"""Runs the solved lessons in order and leaves pages to open in a browser.

    python tools/run_course.py             every lesson, with the shipped networks
    python tools/run_course.py --only 08   one lesson
    python tools/run_course.py --live      train for real (T2I_LIVE=1)

Writes build/NN_topic.html, each a single file with its pictures inside, and
build/index.html with a card per lesson. Returns 1 if a lesson failed; its page then
shows where.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import re
import sys
import time
from pathlib import Path

from jinja2 import pass_context
from latex2mathml.converter import convert as mathml
from nbconvert import HTMLExporter
from nbformat import NotebookNode

sys.path[:0] = [str(Path(__file__).resolve().parent)]

import build_notebooks  # noqa: E402
import notebook_outputs  # noqa: E402

from t2i_course import presets  # noqa: E402
from t2i_course.lesson import LESSONS, Info  # noqa: E402

STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5b6875; --paper: #fbfaf7;
  --card: #ffffff; --line: #e4e0d8; --accent: #1f6fb4; --bad: #b3372f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9edf1; --soft: #9fabb7;
  --paper: #14181d; --card: #1c2229; --line: #2d353e; --accent: #6cb2ee; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 56px 24px 72px; }
h1 { font-size: 2.1rem; line-height: 1.2; margin: 0 0 8px; letter-spacing: -0.01em; }
header p { color: var(--soft); max-width: 62ch; margin: 0 0 36px; }
.cards { display: grid; gap: 22px; padding: 0; margin: 0; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); }
.card { display: flex; flex-direction: column; height: 100%; overflow: hidden;
  background: var(--card); border: 1px solid var(--line); border-radius: 14px;
  color: inherit; text-decoration: none; transition: transform .12s, box-shadow .12s; }
.card:hover, .card:focus-visible { transform: translateY(-3px);
  box-shadow: 0 10px 28px rgba(20, 30, 45, .14); }
.picture { height: 190px; background: #fff; border-bottom: 1px solid var(--line); }
.picture img { display: block; width: 100%; height: 100%; object-fit: contain;
  padding: 10px; }
.text { padding: 16px 18px 18px; }
.number { color: var(--accent); font-weight: 650; font-size: .85rem; }
h2 { font-size: 1.15rem; margin: 2px 0 6px; }
.text p { margin: 0 0 10px; color: var(--soft); font-size: .95rem; }
small { color: var(--soft); } .failed { color: var(--bad); font-weight: 600; }
"""


def run(source: Path, info: Info | None, build: Path) -> dict:
    """Executes one lesson and writes its page; says how it went.

    Returns {"seconds", "ok", "problem", "picture" (data address or None)}.
    """
    base = build_notebooks.read(source)
    notebook = build_notebooks.solved(base, source, badge=False)
    started = time.perf_counter()
    build_notebooks.execute(notebook, allow_errors=True)
    seconds = time.perf_counter() - started
    problem = first_error(notebook)
    title = info.title if info else source.stem
    (build / f"{source.stem}.html").write_text(page(notebook, title), encoding="utf-8")
    picture = notebook_outputs.thumbnail(notebook)
    return {
        "seconds": seconds,
        "ok": not problem,
        "problem": problem,
        "picture": picture,
    }


def first_error(notebook: NotebookNode) -> str:
    """The first cell's error in one line, or an empty text."""
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                value = (output.evalue.splitlines() or [""])[0]
                return f"cell {number}: {output.ename}: {value}"[:200]
    return ""


FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<!\\)\$([^$]+?)\$", re.DOTALL)
NOT_TEXT = re.compile(r"(<pre.*?</pre>|<code.*?</code>|<[^>]*>)", re.DOTALL)


def with_mathml(page: str) -> tuple[str, bool]:
    """HTML with its TeX formulas as MathML, which browsers show without a script.

    Also whether some formula could not be converted and is left to MathJax.
    """
    left = False

    def convert(match: re.Match) -> str:
        nonlocal left
        tex = html.unescape(match[1] or match[2]).strip()
        tex = tex.replace("{aligned}", "{align*}")  # the same to a reader
        # an index at \rVert would be taken to lower the bar itself
        tex = re.sub(r"\\[lr]Vert(?![A-Za-z])", r"\\|", tex)
        # a tag comes out as text right behind the formula
        tex = re.sub(r"\\tag\{(.+?)\}", r"\\qquad (\1)", tex)
        try:
            return mathml(tex, display="block" if match[1] else "inline")
        except Exception:  # the converter's own errors are of many types
            left = True
            return match[0]

    parts = NOT_TEXT.split(page)
    parts[::2] = [FORMULA.sub(convert, text) for text in parts[::2]]
    return "".join(parts), left


def with_description(picture: str, output: NotebookNode) -> str:
    """The HTML of an output's picture, with what is to be seen in it in words.

    nbconvert's template knows width and height of a picture, not its description.
    """
    words = html.escape(notebook_outputs.description(output))
    return picture.replace("<img ", f'<img alt="{words}" ', 1)


TEMPLATE = """
{%- extends "index.html.j2" -%}
{%- block data_png scoped -%}{{ super() | with_description(output) }}{%- endblock -%}
{%- block data_jpg scoped -%}{{ super() | with_description(output) }}{%- endblock -%}
"""


class Page(HTMLExporter):
    """A notebook as one HTML file that needs no network: everything shown, pictures
    inside, formulas as MathML (MathJax only where one can't be converted)."""

    def __init__(self) -> None:
        # Outputs' pictures are always inside. `embed_images` is for those of the text;
        # it reads HTML tag by tag, and so closes every fold before its content.
        super().__init__(template_name="lab", raw_template=TEMPLATE)
        self.register_filter("with_description", with_description)
        # RequireJS serves live widgets only, and would be fetched from the network
        self.mathjax = self.mathjax_url
        self.mathjax_url = self.require_js_url = "data:,"
        self.log.setLevel("ERROR")

    @pass_context
    def markdown2html(self, context: dict, source: str) -> str:
        """A text cell as HTML."""
        made, left = with_mathml(super().markdown2html(context, source))
        if left:
            context["resources"]["formulas_left"] = True
        return made


def page(notebook: NotebookNode, title: str) -> str:
    """The notebook as the text of a page."""
    exporter = Page()
    described = {"metadata": {"name": title}}
    body, found = exporter.from_notebook_node(notebook, resources=described)
    if found.get("formulas_left"):
        exporter.mathjax_url = exporter.mathjax
        body, _ = exporter.from_notebook_node(notebook, resources=described)
    return body


def index(rows: dict[str, dict]) -> str:
    """The page with a card per lesson; `rows` by the stem of the lesson's file."""
    cards = "\n".join(_card(stem, row) for stem, row in sorted(rows.items()))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Text-to-image GANs</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{STYLE}</style></head><body><main>
<header><h1>How machines learned to draw what a sentence says</h1>
<p>The lessons, worked and executed on this machine. Read them here; to work them
yourself, run <code>make lab</code>.</p></header>
<ul class="cards">
{cards}
</ul></main></body></html>
"""


def _card(stem: str, row: dict) -> str:
    info = LESSONS.get(stem.split("_")[0])
    title = html.escape(info.title if info else stem)
    line = html.escape(info.line if info else "")
    slides = f"slides {html.escape(info.slides)} · " if info else ""
    status = f"{row['seconds']:.0f} s"
    if not row["ok"]:
        status = f'<span class="failed">stopped at {html.escape(row["problem"])}</span>'
    picture = f'<img src="{row["picture"]}" alt="">' if row["picture"] else ""
    return (
        f'<li><a class="card" href="{stem}.html"><div class="picture">{picture}</div>'
        f'<div class="text"><div class="number">Lesson {stem.split("_")[0]}</div>'
        f"<h2>{title}</h2><p>{line}</p><small>{slides}{status}</small></div></a></li>"
    )


def expected_seconds(info: Info | None, live: bool) -> float:
    """What the lesson's table says it should take here."""
    if info is None:
        return 60.0
    return 60 * info.minutes["cpu" if live else "course"]


def main(arguments: list[str] | None = None) -> int:
    """Runs the lessons asked for, one progress line each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", metavar="NN", help="one lesson, for example 08")
    parser.add_argument("--live", action="store_true", help="train for real")
    parser.add_argument("--build", type=Path, default=build_notebooks.ROOT / "build")
    options = parser.parse_args(arguments)
    if options.live:
        os.environ["T2I_LIVE"] = "1"
    os.environ.setdefault("T2I_LIVE", "0")
    live = presets.live()
    sources = build_notebooks.sources()
    chosen = [s for s in sources if options.only in (None, s.stem.split("_")[0])]
    if not chosen:
        have = ", ".join(s.stem.split("_")[0] for s in sources)
        print(f"there is no lesson {options.only}; there are {have}", file=sys.stderr)
        return 1
    options.build.mkdir(parents=True, exist_ok=True)
    record = (
        options.build / "lessons.json"
    )  # so that one lesson run anew keeps the rest
    rows = json.loads(record.read_text()) if record.exists() else {}
    rows = {k: v for k, v in rows.items() if (options.build / f"{k}.html").exists()}
    for source in chosen:
        rows[source.stem] = _run_with_a_line(source, live, options.build)
        record.write_text(json.dumps(rows))
        (options.build / "index.html").write_text(index(rows), encoding="utf-8")
    print(f"open {options.build / 'index.html'}")
    return 0 if all(rows[source.stem]["ok"] for source in chosen) else 1


def _run_with_a_line(source: Path, live: bool, build: Path) -> dict:
    """Runs a lesson between the two halves of its progress line."""
    info = LESSONS.get(source.stem.split("_")[0])
    expected = expected_seconds(info, live)
    name = f"{source.stem.split('_')[0]}  {info.title if info else source.stem}"
    print(f"{name:<34} expected {expected:4.0f} s", end="", flush=True)
    row = run(source, info, build)
    state = "ok" if row["ok"] else f"FAILED at {row['problem']}"
    print(f"   used {row['seconds']:4.0f} s   {state}", flush=True)
    return row


if __name__ == "__main__":
    sys.exit(main())
