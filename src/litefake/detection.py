"""One pass through a clip: decode, find every face, follow it, score it. No file in between."""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from litefake import images, inputs, scaling, sightings
from litefake.ahead import ahead
from litefake.card import Card
from litefake.detectors import detector
from litefake.errors import LitefakeError, ModelUnreadable
from litefake.faces import Square, crop, square_around
from litefake.networks import Network
from litefake.sightings import Sightings
from litefake.tracking import Tracker
from litefake.video import MAX_PIXELS, Frame, Health, count_packets, read_frames

FORMATS = ("JPEG", "PNG", "WEBP", "BMP")  # of a still image, as Pillow calls them
BATCH = 32  # faces scored together, and so held in memory
Progress = Callable[[int, int], None]  # frames looked at, of about how many


@dataclass(frozen=True)
class Looks:
    """What was seen in a clip.

    faces: one row a classified face.
    looked: numbers of the frames that were looked at, in order.
    health: what reading the clip met.
    """

    faces: Sightings
    looked: list[int]
    health: Health

    @property
    def without_face(self) -> int:
        """How many of the frames looked at showed no face."""
        return len(self.looked) - len(np.unique(self.faces["frame"]))


class _Seen(NamedTuple):
    frame: Frame
    track: int
    square: Square
    face: np.ndarray


def look(
    path: Path | str,
    model: Network,
    card: Card,
    every: int,
    minimum_looks: int,
    progress: Progress | None = None,
) -> Looks:
    """Score every face in one frame of ``every`` of the clip at ``path``.

    A short clip is looked at more often: at least ``minimum_looks`` times if it has as many
    frames. Crops, scaling and detector are those of the model's ``card``, as in training.
    Memory grows with the clip by a row a face and some 200 bytes a packet, no more. Raises
    VideoUnreadable.
    """
    length = count_packets(path)
    step = max(1, min(every, length // minimum_looks))
    health = Health()
    looked: list[int] = []
    frames = ahead(read_frames(path, range(0, 10**9, step), health))
    if progress:
        frames = _reported(frames, math.ceil(length / step), progress)
    parts = [_score(seen, model, card) for seen in _batches(_faces(frames, card, looked))]
    return Looks(sightings.table(row for part in parts for row in part), looked, health)


def _reported(frames: Iterator[Frame], total: int, progress: Progress) -> Iterator[Frame]:
    for done, frame in enumerate(frames):
        progress(done, total)
        yield frame


def look_at_image(path: Path | str, model: Network, card: Card) -> Looks:
    """The same for a still image. Raises LitefakeError when it cannot be read or is huge."""
    require_bearable(path)
    image = images.read(path)
    if image is None:
        raise LitefakeError(f"{path}: cannot be read as an image; replace or remove the file")
    _require_at_most(path, *image.shape[:2])
    looked: list[int] = []
    seen = list(_faces([Frame(0, float("nan"), image)], card, looked))
    rows = _score(seen, model, card) if seen else []
    return Looks(sightings.table(rows), looked, Health(frames=1))


def require_bearable(path: Path | str) -> None:
    """Read the header alone, before a decoder makes pixels of the file.

    Raises LitefakeError when it is of no known format, promises more pixels than a frame may
    have, or is an animation, of which one picture would be judged and the others not.
    """
    from PIL import Image  # a clip needs none of it

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=FORMATS) as header:
            width, height = header.size
            # A JPEG with several pictures is a photograph with its preview.
            moves = header.format != "MPO" and getattr(header, "is_animated", False)
    except Image.DecompressionBombError:
        raise LitefakeError(f"{path}: too many pixels; scale the picture down") from None
    except Exception:  # a hostile file; no list of what a library may say of it is complete
        raise LitefakeError(
            f"{path}: cannot be read as an image (JPEG, PNG, WebP, BMP); replace or remove the file"
        ) from None
    _require_at_most(path, height, width)
    if moves:
        raise LitefakeError(f"{path}: is an animation; save it as a video")


def _require_at_most(path: Path | str, height: int, width: int) -> None:
    if width * height > MAX_PIXELS:
        raise LitefakeError(f"{path}: {width}x{height} pixels are too many; scale it down")


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


def _score(seen: list[_Seen], model: Network, card: Card) -> list[tuple[float, ...]]:
    values = probabilities([one.face for one in seen], model, card)
    return [
        (one.frame.index, one.frame.seconds, one.track, *one.square, float(value))
        for one, value in zip(seen, values, strict=True)
    ]


def probabilities(faces: list[np.ndarray], model: Network, card: Card) -> NDArray[np.float64]:
    """The calibrated probability of fake of each crop (uint8, RGB), shape N.

    Raises ModelUnreadable when the model's answer is no number: compared with a threshold, it
    would say "real".
    """
    found = scaling.probabilities(logits(faces, model, card), card.scaling)
    if not np.isfinite(found).all():
        raise ModelUnreadable("the model's answer is no number; its file is damaged: take another")
    return found


def logits(faces: list[np.ndarray], model: Network, card: Card) -> NDArray[np.float64]:
    """What ``model`` itself says of each crop (uint8, RGB), shape N; BATCH are scored at a time."""
    found = [np.empty(0)]
    for start in range(0, len(faces), BATCH):
        part = faces[start : start + BATCH]
        images = inputs.normalise(part, card.image_size, card.mean, card.std)
        found.append(model(images)[:, 0].astype(np.float64))
    return np.concatenate(found)
