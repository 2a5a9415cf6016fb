"""One pass through a clip: decode, find every face, follow it, score it. No file in between."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from litefake import calibration, images, transforms
from litefake.detectors import detector
from litefake.errors import LitefakeError
from litefake.faces import Square, crop, square_around
from litefake.models import Card
from litefake.tracking import Tracker
from litefake.video import Frame, Health, count_packets, read_frames

BATCH = 32  # faces scored together, and so held in memory
COLUMNS = ["frame", "seconds", "track", "x", "y", "side", "probability"]


@dataclass(frozen=True)
class Looks:
    """What was seen in a clip.

    faces: one row a classified face, with COLUMNS; x, y, side of its square in pixels.
    looked: numbers of the frames that were looked at, in order.
    health: what reading the clip met.
    """

    faces: pd.DataFrame
    looked: list[int]
    health: Health

    @property
    def without_face(self) -> int:
        """How many of the frames looked at showed no face."""
        return len(self.looked) - len(set(self.faces["frame"]))


class _Seen(NamedTuple):
    frame: Frame
    track: int
    square: Square
    face: np.ndarray


def look(
    path: Path | str,
    model: nn.Module,
    card: Card,
    every: int,
    minimum_looks: int,
    progress: bool = False,
) -> Looks:
    """Score every face in one frame of ``every`` of the clip at ``path``.

    A short clip is looked at more often: at least ``minimum_looks`` times if it has as many
    frames. Crops, scaling and detector are those of the model's ``card``, as in training.
    Memory does not grow with the clip but for a row a face. Raises VideoUnreadable.
    """
    length = count_packets(path)
    step = max(1, min(every, length // minimum_looks))
    health = Health()
    looked: list[int] = []
    frames = read_frames(path, range(0, 10**9, step), health)
    total = math.ceil(length / step)
    # Without a terminal tqdm's None means no bar at all.
    disable = None if progress else True
    bar = tqdm(frames, Path(path).name, total, unit="frame", leave=False, disable=disable)
    parts = [_score(seen, model, card) for seen in _batches(_faces(bar, card, looked))]
    faces = pd.DataFrame([row for part in parts for row in part], columns=COLUMNS)
    return Looks(faces, looked, health)


def look_at_image(path: Path | str, model: nn.Module, card: Card) -> Looks:
    """The same for a still image. Raises LitefakeError when it cannot be read."""
    image = images.read(path)
    if image is None:
        raise LitefakeError(f"{path}: cannot be read as an image; replace or remove the file")
    looked: list[int] = []
    seen = list(_faces([Frame(0, float("nan"), image)], card, looked))
    rows = _score(seen, model, card) if seen else []
    return Looks(pd.DataFrame(rows, columns=COLUMNS), looked, Health(frames=1))


def _faces(frames: Iterable[Frame], card: Card, looked: list[int]) -> Iterator[_Seen]:
    tracker = Tracker()
    finder = detector(card.crop)
    for frame in frames:
        looked.append(frame.index)
        boxes = finder.detect(frame.image)
        for box, track in zip(boxes, tracker.look(boxes), strict=True):
            face = crop(frame.image, box, card.crop)
            # The frame's pixels would stay in memory with it.
            small = Frame(frame.index, frame.seconds, np.empty(0))
            yield _Seen(small, track, square_around(box, card.crop.margin), face)


def _batches(seen: Iterator[_Seen]) -> Iterator[list[_Seen]]:
    batch: list[_Seen] = []
    for one in seen:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _score(seen: list[_Seen], model: nn.Module, card: Card) -> list[tuple[float, ...]]:
    values = probabilities([one.face for one in seen], model, card)
    return [
        (one.frame.index, one.frame.seconds, one.track, *one.square, float(value))
        for one, value in zip(seen, values, strict=True)
    ]


def probabilities(faces: list[np.ndarray], model: nn.Module, card: Card) -> NDArray[np.float64]:
    """The calibrated probability of fake of each crop (uint8, RGB), shape N."""
    inputs = transforms.to_input(faces, card.image_size, card.mean, card.std)
    with torch.inference_mode():
        logits = model.eval()(inputs)[:, 0].double().numpy()
    return calibration.probabilities(logits, card.scaling)
