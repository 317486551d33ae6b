"""t2i_course: how machines learned to draw what a sentence says."""

__version__ = "0.1.0"
