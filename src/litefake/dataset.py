"""The faces of the splits, read in batches whose content depends on names, never on history."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from litefake import images, inputs, reproducibility, transforms
from litefake.card import Card
from litefake.errors import DataMissing
from litefake.inputs import Image
from litefake.pairs import PairMaker, is_paired
from litefake.reproducibility import seed_of
from litefake.transforms import Augmentation

TEXT_COLUMNS = ("key", "method", "target", "source", "person", "source_person")


class Batch(NamedTuple):
    """Images N x 3 x S x S, normalised float; labels N, float, 1 = fake."""

    images: torch.Tensor
    labels: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same batch on ``device``."""
        return Batch(self.images.to(device), self.labels.to(device))


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

    def __len__(self) -> int:
        return len(self.table)

    @property
    def labels(self) -> torch.Tensor:
        """Float tensor of length N, 1 = fake."""
        return torch.tensor(self.table["label"].to_numpy(), dtype=torch.float32)

    def image(self, index: int) -> Image:
        """The crop as stored, RGB. Raises DataMissing when the file is gone or damaged."""
        path = self.folder / self.table["path"].iloc[index]
        image = images.read(path)
        if image is None:
            raise DataMissing(f"{path}: face crop is gone or damaged; run `dvc repro crop_faces`")
        return image

    def only(self, table: pd.DataFrame) -> "Faces":
        """The faces of ``table``, some of the rows of this one's, read alike."""
        return Faces(self.folder, table, self.size, self.mean, self.std, self.maker)

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """Every face once, in the table's order, unchanged."""
        return self._load(_cut(np.arange(len(self)), batch_size), None, 0)

    def shuffled(
        self, batch_size: int, seed: int, epoch: int, augmentation: Augmentation | None
    ) -> Iterator[Batch]:
        """Every face once, in an order and with changes fixed by ``seed`` and ``epoch``.

        The halves of a pair come in neighbouring batches. A batch with less than two faces a
        thread is dropped: BatchNorm cannot use one.
        """
        epoch_seed = seed_of(seed, "epoch", epoch)
        chunks = self._mixed(np.random.default_rng(epoch_seed), batch_size)
        large = [chunk for chunk in chunks if len(chunk) >= 2 * reproducibility.threads()]
        return self._load(large or chunks, augmentation, epoch_seed)

    def sample(self, count: int, batch_size: int, seed: int) -> Iterator[Batch]:
        """``count`` faces (at most all), chosen by ``seed``, unchanged."""
        chunks = self._mixed(np.random.default_rng(seed_of(seed, "sample")), batch_size)
        return self._load(_cut(np.concatenate(chunks)[:count], batch_size), None, 0)

    def _mixed(self, random: np.random.Generator, batch_size: int) -> list[np.ndarray]:
        """All rows in random order, in batches, none of which holds both halves of a pair.

        Side by side the halves betray each other: they share all but the blend, and batch
        normalisation compares them, as it cannot when a single face is judged
        (docs/decisions/self-blending.md).
        """
        order = random.permutation(len(self))
        if self.maker is None:
            return _cut(order, batch_size)
        pairs = self.table.groupby(["path", "draw"]).ngroup().to_numpy()[order]
        second = pd.Series(pairs).duplicated().to_numpy()
        other = dict(zip(pairs[second], order[second], strict=True))
        chunks = []
        for ours in _cut(np.flatnonzero(~second), batch_size):
            others = [other[pair] for pair in pairs[ours] if pair in other]
            chunks += [order[ours], np.array(others, int)]
        return [chunk for chunk in chunks if len(chunk)]

    def _face(self, index: int, seed: int) -> tuple[Image, int]:
        """The face as it is before augmentation, and the seed of that."""
        if self.maker is None:
            return self.image(index), seed_of(seed, "face", index)
        row = self.table.iloc[index]
        own = seed_of(seed, "pair", row["path"], int(row["draw"]))
        return self.maker.half(row["path"], bool(row["label"]), own), own

    def _load(
        self,
        chunks: list[np.ndarray],
        augmentation: Augmentation | None,
        seed: int,
    ) -> Iterator[Batch]:
        labels = self.labels

        def read(index: int) -> Image:
            face, own = self._face(index, seed)
            face = inputs.resize(face, self.size)
            return face if augmentation is None else transforms.augment(face, augmentation, own)

        def load(indices: np.ndarray) -> Batch:
            faces = [read(int(index)) for index in indices]
            images = transforms.to_input(faces, self.size, self.mean, self.std)
            return Batch(images, labels[torch.from_numpy(indices)])

        # One thread reads the next batch while the network works on this one.
        with ThreadPoolExecutor(1) as reader:
            pending = None
            for chunk in chunks:
                following = reader.submit(load, chunk)
                if pending is not None:
                    yield pending.result()
                pending = following
            if pending is not None:
                yield pending.result()


def _cut(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def sources(folder: Path | str, table: Path | str) -> list[str]:
    """The files that decide what is read: an unfinished training starts anew when one changes."""
    return [str(table), *(str(path) for path in Path(folder).glob("pairs.json"))]


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
