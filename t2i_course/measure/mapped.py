"""Maps of pictures by t-SNE, and whether alike captions lie together (lesson 11).

Van der Maaten, Hinton: Visualizing Data using t-SNE, JMLR 2008; slide AT-12.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..data import Batch
from ..drawing import from_sentences
from ..worlds.bird_species import ATTRIBUTES
from .birds import unseen_captions
from .oracle import oracle
from .pointing import some_of

__all__ = ["map_of", "neighbours", "on_cells", "places_of", "that_name"]


def that_name(count: int = 300, part: str = "wing", size: int = 64, seed: int = 0):
    """`count` captions of unseen species, as a batch, that all name this part."""
    batch = unseen_captions(6 * count, size, seed).to("cpu")
    names = batch.named[:, list(ATTRIBUTES).index(part)] >= 0
    return some_of(batch, names.nonzero()[:count, 0])


@torch.inference_mode()
def places_of(pictures: Tensor, seed: int = 0) -> np.ndarray:
    """(B, 2) where pictures (B, 3, S, S) lie on a map of the oracle's features.

    t-SNE knows of no caption, and nothing of colours but what the oracle sees.
    """
    from sklearn.manifold import TSNE

    seen = oracle(pictures.shape[-1]).features(pictures).numpy()
    perplexity = min(30, (len(seen) - 1) / 3)
    return TSNE(perplexity=perplexity, random_state=seed).fit_transform(seen)


def neighbours(places: np.ndarray, kinds: Tensor, k: int = 5) -> dict[str, float]:
    """How often one of the k nearest on a map (B, 2) has one's own kind (B,).

    "same": the mean share; "by chance": of all others, whom the map doesn't order.
    """
    places, kinds = torch.as_tensor(places), torch.as_tensor(kinds)
    far = torch.cdist(places.double(), places.double()).fill_diagonal_(torch.inf)
    near = far.topk(k, largest=False).indices
    alike = (kinds[:, None] == kinds).float()
    same = alike.gather(1, near).mean()
    chance = (alike.sum(1) - 1).mean() / (len(kinds) - 1)
    return {"same": round(float(same), 4), "by chance": round(float(chance), 4)}


def on_cells(places: np.ndarray, columns: int, rows: int) -> np.ndarray:
    """(B,) a cell of its own for each place (B, 2), counted row by row.

    So that the way from places, stretched to the sheet, to the cells' middles is
    shortest in all (the sum of squares). ValueError for fewer cells than places.
    """
    from scipy.optimize import linear_sum_assignment  # scikit-learn brings it

    if columns * rows < len(places):
        raise ValueError(f"{columns} x {rows} cells are too few for {len(places)}.")
    low, high = places.min(0), places.max(0)
    there = (places - low) / np.maximum(high - low, 1e-9)
    y, x = np.divmod(np.arange(columns * rows), columns)
    cells = np.stack([(x + 0.5) / columns, (y + 0.5) / rows], 1)
    cost = ((there[:, None] - cells[None]) ** 2 * np.array([columns**2, rows**2])).sum(
        2
    )
    return linear_sum_assignment(cost)[1]


def map_of(
    system, count: int = 300, seed: int = 0, part: str = "wing"
) -> tuple[Tensor, Batch, np.ndarray, dict[str, float]]:
    """Pictures of captions that name a part, the captions, the map, `neighbours`.

    The kind of a picture is the colour that its caption asks for that part.
    """
    batch = that_name(count, part, system.network("generator").size, seed)
    pictures = from_sentences(system, batch, seed)
    places = places_of(pictures, seed)
    kinds = batch.named[:, list(ATTRIBUTES).index(part)]
    return pictures, batch, places, neighbours(places, kinds)
