"""Find the face in a frame and cut it out as a square crop."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import cv2
import numpy as np
from pydantic import Field

from litefake.params import Section

CASCADE = "haarcascade_frontalface_default.xml"


class CropParams(Section):
    """Detection and crop. Frames wider than ``detection_width`` are scaled down to be searched."""

    scale_factor: float = Field(gt=1, le=2)  # between two searched face sizes
    min_neighbors: int = Field(ge=0)  # raw hits that make a face
    min_size: float = Field(gt=0, lt=1)  # smallest face side / shorter side of the frame
    detection_width: int = Field(ge=32)  # px
    margin: float = Field(ge=0, le=2)  # added to the box's side, half on each side
    size: int = Field(ge=32, le=1024)  # px, side of the crop
    format: Literal["png", "jpg"]
    quality: int = Field(ge=1, le=100)  # of jpg


class Box(NamedTuple):
    """A detected face, in pixels of the frame."""

    x: int
    y: int
    width: int
    height: int


class Square(NamedTuple):
    """The part of a frame that is cut out, in its pixels; it may reach past the border."""

    x: int
    y: int
    side: int


class Detector(Protocol):
    """Anything that finds faces."""

    def detect(self, image: np.ndarray) -> list[Box]:
        """Faces in ``image`` (height x width x 3, uint8, RGB)."""


class HaarDetector:
    """OpenCV's frontal-face Haar cascade (Viola and Jones, CVPR 2001; Lienhart, 2002)."""

    def __init__(self, p: CropParams) -> None:
        self._p = p
        folder = Path(cv2.__file__).parent / "data"
        self._cascade = cv2.CascadeClassifier(str(folder / CASCADE))

    def detect(self, image: np.ndarray) -> list[Box]:
        """Faces in ``image`` (height x width x 3, uint8, RGB), sorted by position."""
        height, width = image.shape[:2]
        scale = min(1.0, self._p.detection_width / width)
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        if scale < 1:
            size = (round(width * scale), max(1, round(height * scale)))
            gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
        smallest = max(1, round(self._p.min_size * min(gray.shape)))
        found = self._cascade.detectMultiScale(
            gray,
            scaleFactor=self._p.scale_factor,
            minNeighbors=self._p.min_neighbors,
            minSize=(smallest, smallest),
        )
        # The cascade searches with several threads, so its order is not fixed.
        return sorted(Box(*(round(float(value) / scale) for value in box)) for box in found)


def biggest(boxes: Sequence[Box]) -> Box | None:
    """The box of largest area, the first of equals; None when there is none."""
    return max(boxes, key=lambda box: box.width * box.height, default=None)


def square_around(box: Box, margin: float) -> Square:
    """The square about the centre of ``box``, its longer side enlarged by ``margin``."""
    side = max(1, round(max(box.width, box.height) * (1 + margin)))
    x = round(box.x + (box.width - side) / 2)
    y = round(box.y + (box.height - side) / 2)
    return Square(x, y, side)


def whole(image: np.ndarray) -> Square:
    """The smallest square that holds all of ``image``."""
    height, width = image.shape[:2]
    return square_around(Box(0, 0, width, height), margin=0)


def cut(image: np.ndarray, square: Square, size: int) -> np.ndarray:
    """``square`` of ``image`` as size x size x 3 uint8.

    Past the border the edge pixels are repeated: a black bar would be an edge that says where
    in the frame the face was, a reflection could show a second mouth or eye.
    """
    height, width = image.shape[:2]
    rows = np.clip(np.arange(square.y, square.y + square.side), 0, height - 1)
    columns = np.clip(np.arange(square.x, square.x + square.side), 0, width - 1)
    interpolation = cv2.INTER_AREA if square.side > size else cv2.INTER_CUBIC
    return cv2.resize(image[np.ix_(rows, columns)], (size, size), interpolation=interpolation)


def crop(image: np.ndarray, box: Box, p: CropParams) -> np.ndarray:
    """The face in ``box`` with its margin, size x size x 3 uint8 RGB."""
    return cut(image, square_around(box, p.margin), p.size)


def locate(image: np.ndarray, detector: Detector, margin: float) -> Square | None:
    """Where to cut the biggest face of ``image``; None when there is no face."""
    box = biggest(detector.detect(image))
    return None if box is None else square_around(box, margin)


@functools.cache
def detector(p: CropParams) -> Detector:
    """The detector that ``p`` describes, made once in a process."""
    return HaarDetector(p)
