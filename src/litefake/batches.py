"""Batches of faces, and which faces share one: a matter of row numbers, whatever is read."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from litefake import reproducibility

Rows = NDArray[np.int64]


class Batch(NamedTuple):
    """Images N x 3 x S x S, normalised float; labels N, float, 1 = fake.

    ``whole``: faces of the batch that this one is a part of; None when it is no part.
    ``replaced``: N x s x s float, how much of each place was replaced; None when unknown.
    """

    images: torch.Tensor
    labels: torch.Tensor
    whole: int | None = None
    replaced: torch.Tensor | None = None

    def to(self, device: torch.device) -> "Batch":
        """The same batch on ``device``."""
        replaced = None if self.replaced is None else self.replaced.to(device)
        images, labels = self.images.to(device), self.labels.to(device)
        return self._replace(images=images, labels=labels, replaced=replaced)

    def parts(self, count: int) -> list["Batch"]:
        """``count`` batches that together are this one, as nearly equal as can be."""
        whole = self.whole or len(self.labels)
        images, labels = self.images.tensor_split(count), self.labels.tensor_split(count)
        replaced: Sequence[torch.Tensor | None] = [None] * count
        if self.replaced is not None:
            replaced = self.replaced.tensor_split(count)
        parts = zip(images, labels, replaced, strict=True)
        return [Batch(own, label, whole, mask) for own, label, mask in parts]


def cut(order: Rows, batch_size: int) -> list[Rows]:
    """``order`` in pieces of ``batch_size``; the last one may be shorter."""
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def apart(order: Rows, pairs: Rows, batch_size: int) -> list[Rows]:
    """``order`` in batches, none of which holds two rows of a pair; row i is of ``pairs[i]``.

    Side by side the halves of a pair betray each other: they share all but the blend, and batch
    normalisation compares them, as it cannot when a single face is judged
    (docs/decisions/self-blending.md). So they come in neighbouring batches.
    """
    mixed = pairs[order]
    second = pd.Series(mixed).duplicated().to_numpy()
    other = dict(zip(mixed[second], order[second], strict=True))
    chunks = []
    for ours in cut(np.flatnonzero(~second), batch_size):
        others = [other[pair] for pair in mixed[ours] if pair in other]
        chunks += [order[ours], np.array(others, np.int64)]
    return [chunk for chunk in chunks if len(chunk)]


def part(batch: Rows, rank: int, world: int) -> Rows:
    """What the threads of process ``rank`` would get if one process had the threads of all."""
    threads = reproducibility.threads()
    parts = np.array_split(batch, threads * world)
    return np.concatenate(parts[rank * threads : (rank + 1) * threads])
