"""t2i_course: how machines learned to draw what a sentence says."""

from . import threads

__version__ = "0.1.0"

threads.settle()  # OpenMP reads it when torch is loaded, so it comes before all else
