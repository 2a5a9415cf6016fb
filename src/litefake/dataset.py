"""The faces of the splits, read in batches whose content depends on names, never on history."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from litefake import batches, reproducibility, transforms
from litefake.ahead import ahead
from litefake.batches import Batch, Rows
from litefake.card import Card
from litefake.errors import DataMissing, TrainingFailed
from litefake.face_readers import NEVER_VARIES, Crops, Halves, Reader
from litefake.inputs import Image
from litefake.pairs import PairMaker, is_paired
from litefake.seeds import seed_of
from litefake.transforms import Augmentation

TEXT_COLUMNS = ("key", "method", "target", "source", "person", "source_person")


class Faces:
    """The faces of one split and how a network wants to see them.

    ``table`` has one row a face, with at least ``path`` and ``label``. With a ``maker`` the rows
    are halves of pairs, told apart by ``draw``, which it makes when they are read.
    """

    def __init__(
        self,
        folder: Path,
        table: pd.DataFrame,
        size: int,
        mean: list[float],
        std: list[float],
        maker: PairMaker | None = None,
    ) -> None:
        self.folder = folder
        self.table = table.reset_index(drop=True)
        self.size, self.mean, self.std = size, mean, std
        self.maker = maker
        self._reader: Reader = Crops(folder, self.table, size)
        if maker is not None:
            self._reader = Halves(maker, self.table, size)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def places(self) -> float:
        """The weight that training gives to where a fake was made; 0 when nobody knows."""
        return self._reader.places

    @property
    def labels(self) -> torch.Tensor:
        """Float tensor of length N, 1 = fake."""
        return torch.tensor(self.table["label"].to_numpy(), dtype=torch.float32)

    def only(self, table: pd.DataFrame) -> "Faces":
        """The faces of ``table``, some of the rows of this one's, read alike."""
        return Faces(self.folder, table, self.size, self.mean, self.std, self.maker)

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """Every face once, in the table's order, unchanged."""
        return self._load(batches.cut(np.arange(len(self)), batch_size), None, NEVER_VARIES)

    def shuffled(
        self,
        batch_size: int,
        seed: int,
        epoch: int,
        augmentation: Augmentation | None,
        rank: int = 0,
        world: int = 1,
    ) -> Iterator[Batch]:
        """Every face once, in an order and with changes fixed by ``seed`` and ``epoch``.

        The halves of a pair come in neighbouring batches. A batch with less than two faces a
        thread is dropped, unless there are too few faces for any other: BatchNorm cannot use one.
        Of ``world`` processes, the one with number ``rank`` gets and reads its part of every
        batch. Raises TrainingFailed when ``batch_size`` is too small for threads and processes,
        or several processes have no batch that is large enough for them.
        """
        chunks = self._batched(batch_size, seed, epoch, world)
        return self._load(chunks, augmentation, seed_of(seed, "epoch", epoch), rank, world)

    def steps(self, batch_size: int, seed: int, epoch: int, world: int = 1) -> int:
        """How many batches ``shuffled`` gives; with pairs the number is not that of whole ones."""
        return len(self._batched(batch_size, seed, epoch, world))

    def _batched(self, batch_size: int, seed: int, epoch: int, world: int) -> list[Rows]:
        random = np.random.default_rng(seed_of(seed, "epoch", epoch))
        chunks = self._mixed(random, batch_size)
        smallest = 2 * reproducibility.threads() * world
        large = [chunk for chunk in chunks if len(chunk) >= smallest]
        if batch_size < smallest or (world > 1 and not large):
            raise TrainingFailed(
                f"no batch holds {smallest} faces, two a thread of {world} process(es); lower "
                "reproducibility.threads or reproducibility.devices, or raise batch_size"
            )
        return large or chunks

    def sample(self, count: int, batch_size: int, seed: int) -> Iterator[Batch]:
        """``count`` faces (at most all), chosen by ``seed``, unchanged."""
        chunks = self._mixed(np.random.default_rng(seed_of(seed, "sample")), batch_size)
        return self._load(
            batches.cut(np.concatenate(chunks)[:count], batch_size), None, NEVER_VARIES
        )

    def _mixed(self, random: np.random.Generator, batch_size: int) -> list[Rows]:
        """All rows in random order, in batches, none of which holds both halves of a pair."""
        order = random.permutation(len(self))
        if self._reader.pairs is None:
            return batches.cut(order, batch_size)
        return batches.apart(order, self._reader.pairs, batch_size)

    def _load(
        self,
        chunks: list[Rows],
        augmentation: Augmentation | None,
        seed: int,
        rank: int = 0,
        world: int = 1,
    ) -> Iterator[Batch]:
        labels, reader = self.labels, self._reader
        reader.expect(max(map(len, chunks), default=0))

        def read(index: int) -> Image:
            face = reader.face(index, seed)
            if augmentation is None:
                return face
            return transforms.augment(face, augmentation, reader.own(index, seed))

        def replaced(indices: list[int]) -> torch.Tensor | None:
            if augmentation is None or not reader.places:
                return None
            masks = [
                transforms.augment_mask(
                    reader.replaced(index, seed), augmentation, reader.own(index, seed)
                )
                for index in indices
            ]
            return torch.from_numpy(np.stack(masks))

        def load(chunk: Rows) -> Batch:
            rows = batches.part(chunk, rank, world)
            indices = rows.tolist()
            faces = [read(index) for index in indices]
            images = transforms.to_input(faces, self.size, self.mean, self.std)
            return Batch(images, labels[torch.from_numpy(rows)], len(chunk), replaced(indices))

        return ahead((load(chunk) for chunk in chunks), reader.lead)


def sources(folder: Path | str, table: Path | str) -> list[str]:
    """What decides what is read: an unfinished training starts anew when it changes."""
    return [str(table), str(folder), *(str(path) for path in Path(folder).glob("pairs.json"))]


class TrainVal(NamedTuple):
    """The two splits that training may see, and how training faces are changed."""

    train: Faces
    val: Faces
    augmentation: Augmentation | None


def read_train_val(
    folder: Path | str, table: Path | str, card: Card, augmentation: Augmentation
) -> TrainVal:
    """Both splits as the network of ``card`` wants them. Raises DataMissing."""
    return TrainVal(
        read_split(folder, table, "train", card),
        read_split(folder, table, "val", card),
        augmentation,
    )


def read_split(folder: Path | str, table: Path | str, split: str, card: Card) -> Faces:
    """The faces of ``split`` from the split table.

    Raises DataMissing when the table is absent or the split lacks a class.
    """
    try:
        rows = pd.read_csv(table, dtype=dict.fromkeys(TEXT_COLUMNS, str), keep_default_na=False)
    except FileNotFoundError:
        raise DataMissing(f"{table}: not found; run `dvc repro split`") from None
    rows = rows[rows["split"] == split]
    for label, name in ((0, "real"), (1, "fake")):
        if not (rows["label"] == label).any():
            raise DataMissing(
                f"{table}: split {split} has no {name} face; see split in params.yaml"
            )
    maker = PairMaker(Path(folder), set(rows["path"])) if is_paired(Path(folder)) else None
    return Faces(Path(folder), rows, card.image_size, card.mean, card.std, maker)
