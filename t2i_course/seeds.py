"""Seeds: what the same seed gives again, and what it doesn't.

The same seed, on the same machine with as many threads, gives the same numbers to the
last digit. With another number of threads (`OMP_NUM_THREADS`), on another kind of
processor or GPU, or by another version of PyTorch, sums are taken in another order:
the last digits differ at first, and after some hundred steps of a game so do pictures
and scores, by about as much as from seed to seed. That is why records name their
hardware and threads, and why a single seed proves little.
"""

from __future__ import annotations

LARGEST = 2**32 - 1  # what NumPy takes as a seed, too


def checked(seed: int) -> int:
    """The seed; ValueError unless it is a whole number from 0 to LARGEST."""
    if isinstance(seed, bool) or not hasattr(seed, "__index__"):
        raise ValueError(f"a seed is a whole number, not {seed!r}")
    if not 0 <= seed <= LARGEST:
        raise ValueError(f"a seed is from 0 to {LARGEST}, not {seed}")
    return int(seed)
