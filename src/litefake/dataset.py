"""The faces of the splits, read in batches whose content depends on names, never on history."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
import torch

from litefake import crop_store, inputs, reproducibility, transforms
from litefake.ahead import ahead
from litefake.card import Card
from litefake.errors import DataMissing, TrainingFailed
from litefake.inputs import Image
from litefake.pairs import PairMaker, is_paired
from litefake.reproducibility import seed_of
from litefake.transforms import Augmentation, Mask

KEPT_HALVES = 2000  # of validation in memory, 77 KB each at 160 px: the same every epoch
NEVER_VARIES = 0  # the seed of faces that are the same every time
TEXT_COLUMNS = ("key", "method", "target", "source", "person", "source_person")


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
        self._made: dict[int, Image] = {}

    def __len__(self) -> int:
        return len(self.table)

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which makes its pairs itself: a maker keeps some it has made."""
        return {**vars(self), "maker": self.maker is not None, "_made": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.maker = PairMaker(self.folder, set(self.table["path"])) if state["maker"] else None

    @property
    def places(self) -> float:
        """The weight that training gives to where a fake was made; 0 when nobody knows."""
        return 0.0 if self.maker is None else self.maker.places

    @property
    def labels(self) -> torch.Tensor:
        """Float tensor of length N, 1 = fake."""
        return torch.tensor(self.table["label"].to_numpy(), dtype=torch.float32)

    def image(self, index: int) -> Image:
        """The crop as stored, RGB. Raises DataMissing when the file is gone or damaged."""
        name = self.table["path"].iloc[index]
        image = crop_store.read(self.folder, name)
        if image is None:
            raise DataMissing(
                f"{self.folder / name}: face crop is gone or damaged; run `dvc repro crop_faces`"
            )
        return image

    def only(self, table: pd.DataFrame) -> "Faces":
        """The faces of ``table``, some of the rows of this one's, read alike."""
        return Faces(self.folder, table, self.size, self.mean, self.std, self.maker)

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """Every face once, in the table's order, unchanged."""
        return self._load(_cut(np.arange(len(self)), batch_size), None, NEVER_VARIES)

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
        thread is dropped: BatchNorm cannot use one. Of ``world`` processes, the one with number
        ``rank`` gets and reads its part of every batch. Raises TrainingFailed when several
        processes have no batch that is large enough for them.
        """
        epoch_seed = seed_of(seed, "epoch", epoch)
        chunks = self._mixed(np.random.default_rng(epoch_seed), batch_size)
        smallest = 2 * reproducibility.threads() * world
        large = [chunk for chunk in chunks if len(chunk) >= smallest]
        if world > 1 and not large:
            raise TrainingFailed(
                f"no batch holds {smallest} faces, two a thread of {world} processes; "
                "lower reproducibility.devices or raise batch_size"
            )
        return self._load(large or chunks, augmentation, epoch_seed, rank, world)

    def sample(self, count: int, batch_size: int, seed: int) -> Iterator[Batch]:
        """``count`` faces (at most all), chosen by ``seed``, unchanged."""
        chunks = self._mixed(np.random.default_rng(seed_of(seed, "sample")), batch_size)
        return self._load(_cut(np.concatenate(chunks)[:count], batch_size), None, NEVER_VARIES)

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

    def _face(self, index: int, seed: int) -> Image:
        """The face as it is before augmentation."""
        if self.maker is None:
            return self.image(index)
        row = self.table.iloc[index]
        return self.maker.half(row["path"], bool(row["label"]), self._own(index, seed))

    def _unchanged(self, index: int, seed: int) -> Image:
        """The face at the size that the network sees; halves that never vary are made once."""
        if seed == NEVER_VARIES and index in self._made:
            return self._made[index]
        face = inputs.resize(self._face(index, seed), self.size)
        if seed == NEVER_VARIES and self.maker is not None and len(self._made) < KEPT_HALVES:
            self._made[index] = face
        return face

    def _replaced(self, index: int, seed: int) -> Mask:
        """Where the face was replaced, at the size that the network sees."""
        assert self.maker is not None
        row = self.table.iloc[index]
        mask = self.maker.replaced(row["path"], bool(row["label"]), self._own(index, seed))
        return np.asarray(cv2.resize(mask, (self.size, self.size)), np.float32)

    def _own(self, index: int, seed: int) -> int:
        """The seed of what is drawn for one face."""
        if self.maker is None:
            return seed_of(seed, "face", index)
        row = self.table.iloc[index]
        return seed_of(seed, "pair", row["path"], int(row["draw"]))

    def _load(
        self,
        chunks: list[np.ndarray],
        augmentation: Augmentation | None,
        seed: int,
        rank: int = 0,
        world: int = 1,
    ) -> Iterator[Batch]:
        labels = self.labels

        def read(index: int) -> Image:
            if augmentation is None:
                return self._unchanged(index, seed)
            face = inputs.resize(self._face(index, seed), self.size)
            return transforms.augment(face, augmentation, self._own(index, seed))

        def replaced(indices: np.ndarray) -> torch.Tensor | None:
            if augmentation is None or not self.places:
                return None
            masks = [
                transforms.augment_mask(self._replaced(i, seed), augmentation, self._own(i, seed))
                for i in indices.tolist()
            ]
            return torch.from_numpy(np.stack(masks))

        def load(chunk: np.ndarray) -> Batch:
            indices = _part(chunk, rank, world)
            faces = [read(int(index)) for index in indices]
            images = transforms.to_input(faces, self.size, self.mean, self.std)
            own = labels[torch.from_numpy(indices)]
            return Batch(images, own, len(chunk), replaced(indices))

        # The first halves of pairs take longer to read than the second.
        return ahead((load(chunk) for chunk in chunks), 1 if self.maker is None else 3)


def _cut(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def _part(chunk: np.ndarray, rank: int, world: int) -> np.ndarray:
    """What the threads of process ``rank`` would get if one process had the threads of all."""
    threads = reproducibility.threads()
    parts = np.array_split(chunk, threads * world)
    return np.concatenate(parts[rank * threads : (rank + 1) * threads])


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
