"""One face of a split, not augmented yet: a stored crop, or half of a pair, made when read."""

from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import pandas as pd

from litefake import crop_store, inputs
from litefake.batches import Rows
from litefake.errors import DataMissing
from litefake.inputs import Image
from litefake.pairs import PairMaker
from litefake.seeds import seed_of
from litefake.transforms import Mask

KEPT_HALVES = 2000  # of validation in memory, 77 KB each at 160 px: the same every epoch
NEVER_VARIES = 0  # the seed of faces that are the same every time


class Reader(Protocol):
    """Reads the rows of a table, each at the size that a network sees.

    ``places``: the weight that training gives to where a fake was made; 0 when nobody knows.
    ``pairs``: which rows are of one pair, a number a row; None when rows are on their own.
    ``lead``: batches to read before they are needed.
    """

    places: float
    pairs: Rows | None
    lead: int

    def expect(self, count: int) -> None:
        """Prepare for batches of up to ``count`` faces."""
        ...

    def face(self, index: int, seed: int) -> Image:
        """The face of a row (S x S x 3, RGB); what is drawn for it depends on ``seed``.

        Raises DataMissing when its file is gone or damaged.
        """
        ...

    def replaced(self, index: int, seed: int) -> Mask:
        """Where ``face`` was replaced, S x S; only for readers whose ``places`` are not 0."""
        ...

    def own(self, index: int, seed: int) -> int:
        """The seed of what is drawn for one row."""
        ...


class Crops:
    """Crops as they are stored in ``folder``."""

    places = 0.0
    pairs: Rows | None = None
    lead = 1

    def __init__(self, folder: Path, table: pd.DataFrame, size: int) -> None:
        self._folder, self._paths, self._size = folder, table["path"].tolist(), size

    def expect(self, count: int) -> None:
        """Nothing is kept between batches."""

    def face(self, index: int, _seed: int) -> Image:
        name = self._paths[index]
        image = crop_store.read(self._folder, name)
        if image is None:
            raise DataMissing(
                f"{self._folder / name}: face crop is gone or damaged; run `dvc repro crop_faces`"
            )
        return inputs.resize(image, self._size)

    def replaced(self, index: int, seed: int) -> Mask:
        raise NotImplementedError("a stored crop does not say where it was replaced")

    def own(self, index: int, seed: int) -> int:
        return seed_of(seed, "face", index)


class Halves:
    """Halves of pairs: of a row's ``path``, the pair number ``draw``, the half ``label``."""

    lead = 3  # the first halves of pairs take longer to read than the second

    def __init__(self, maker: PairMaker, table: pd.DataFrame, size: int) -> None:
        self._maker, self._table, self._size = maker, table, size
        self._paths, self._draws = table["path"].tolist(), table["draw"].tolist()
        self._fake = table["label"].astype(bool).tolist()
        self.places = maker.places
        self.pairs = table.groupby(["path", "draw"]).ngroup().to_numpy()
        self._kept: dict[int, Image] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process: without the faces that are kept here."""
        return Halves, (self._maker, self._table, self._size)

    def expect(self, count: int) -> None:
        self._maker.keep(count)

    def face(self, index: int, seed: int) -> Image:
        if seed == NEVER_VARIES and index in self._kept:
            return self._kept[index]
        half = self._maker.half(self._paths[index], self._fake[index], self.own(index, seed))
        face = inputs.resize(half, self._size)
        if seed == NEVER_VARIES and len(self._kept) < KEPT_HALVES:
            self._kept[index] = face
        return face

    def replaced(self, index: int, seed: int) -> Mask:
        own = self.own(index, seed)
        mask = self._maker.replaced(self._paths[index], self._fake[index], own)
        return np.asarray(cv2.resize(mask, (self._size, self._size)), np.float32)

    def own(self, index: int, seed: int) -> int:
        return seed_of(seed, "pair", self._paths[index], self._draws[index])
