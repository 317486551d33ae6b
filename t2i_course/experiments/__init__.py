"""The experiments: what the lessons' tables are made of, and what was found.

Lessons read what is on record with `records` and `values`; `t2i reproduce` makes it
anew. One file a lesson says how (lesson01.py, ...); its records are in `records/`.
"""

from .recorded import on_the_way, records, runs_of, values

__all__ = ["on_the_way", "records", "runs_of", "values"]
