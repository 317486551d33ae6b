"""The drawn worlds by name: each knows the truth of its pictures."""

from .birds import Birds
from .drawn import Drawn
from .flowers import Flowers

__all__ = ["KINDS"]

KINDS: dict[str, type[Drawn]] = {kind.world.name: kind for kind in (Birds, Flowers)}
