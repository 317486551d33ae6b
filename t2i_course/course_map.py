"""The map of the course: the lessons that are finished, and those that are planned.

Finished lessons come from `lesson.LESSONS`. A planned one leaves this list when it gets
its entry there. Used in lesson 00.
"""

from __future__ import annotations

from .lesson import LESSONS

__all__ = ["PLANNED", "course_map"]

# number: (title, slides), as in the five source documents
PLANNED = {
    "12": ("Layouts from sentences", "HL-1 to HL-7, AT-11, AT-13, RE-10"),
    "13": ("Pictures from layouts", "GM-28 to GM-32, RE-13"),
    "15": ("Text-adaptive discriminators: TAGAN", "TM-25 to TM-29"),
    "16": ("Retrieval, and arithmetic on meaning", "TM-1, TM-2, TM-30, TM-31"),
    "18": ("Plug and play generators", "AM-7, AM-8, AM-10, AM-12, AM-13"),
    "19": ("What has a GAN learned?", "TM-3 to TM-9"),
    "20": ("Judging pictures", "AT-6, AT-7, HL-7, GM-33"),
}


def course_map():
    """Every lesson with its state and slides, a `show.tables.Table`."""
    from .show.tables import Table

    rows = {
        number: [title, "planned", slides]
        for number, (title, slides) in PLANNED.items()
        if number not in LESSONS
    }
    for number, info in LESSONS.items():
        rows[number] = [info.title, "ready", info.slides]
    return Table(["title", "state", "slides"], dict(sorted(rows.items())))
