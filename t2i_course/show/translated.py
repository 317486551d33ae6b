"""What came back from a translation that was damaged on the way: lesson 06's table."""

from __future__ import annotations

from ..experiments import runs_of
from .tables import Table

__all__ = ["survival_table"]


def survival_table(found: dict, place: str, note: str = "") -> Table:
    """A column a seed: the map's overlap, and by damage the error of what comes back.

    found: `experiments.records(lesson)`; place: the table and the row, whose figures
    are "iou" and "survival", {damage: error}.
    """
    runs = runs_of(found, place)
    rows = {"overlap of the map (IoU)": [f"{run['iou']:.3f}" for run in runs]}
    for name in runs[0]["survival"] if runs else ():
        rows[f"back, {name}"] = [f"{run['survival'][name]:.3f}" for run in runs]
    return Table([f"seed {run['seed']}" for run in runs], rows, note)
