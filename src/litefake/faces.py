"""Find the face in a frame and cut it out as a square crop."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import cv2
import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from litefake.params import Section


class CropParams(Section):
    """Detection and crop.

    ``scale_factor``, ``min_neighbors`` and ``min_size`` are Haar's alone. Frames wider than
    ``detection_width`` are scaled down for Haar and YuNet; BlazeFace has a size of its own.
    A model file without ``detector`` was trained behind Haar.
    """

    detector: Literal["haar", "blazeface", "blazeface_full", "yunet"] = "haar"
    detector_file: str = Field(default="", validate_default=True)  # of yunet alone
    scale_factor: float = Field(gt=1, le=2)  # between two searched face sizes
    min_neighbors: int = Field(ge=0)  # raw hits that make a face
    min_size: float = Field(gt=0, lt=1)  # smallest face side / shorter side of the frame
    detection_width: int = Field(ge=32)  # px
    margin: float = Field(ge=0, le=2)  # added to the box's side, half on each side
    size: int = Field(ge=32, le=1024)  # px, side of the crop
    format: Literal["png", "jpg"]
    quality: int = Field(ge=1, le=100)  # of jpg

    @field_validator("detector_file")
    @classmethod
    def _yunet_alone_needs_a_file(cls, value: str, others: ValidationInfo) -> str:
        if (others.data.get("detector") == "yunet") != bool(value):
            raise ValueError('must name the model file when detector is yunet, else be ""')
        return value


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
    top, bottom, above = _inside(square.y, square.side, height)
    left, right, before = _inside(square.x, square.side, width)
    below = square.side - above - (bottom - top)
    after = square.side - before - (right - left)
    part = image[top:bottom, left:right]
    if above or below or before or after:
        part = cv2.copyMakeBorder(part, above, below, before, after, cv2.BORDER_REPLICATE)
    interpolation = cv2.INTER_AREA if square.side > size else cv2.INTER_CUBIC
    return cv2.resize(part, (size, size), interpolation=interpolation)


def _inside(start: int, side: int, length: int) -> tuple[int, int, int]:
    """First and last + 1 of the pixels that a frame has, and how many are missing before."""
    first = min(max(start, 0), length - 1)
    last = min(max(start + side - 1, 0), length - 1)
    return first, last + 1, min(max(-start, 0), side - 1)


def crop(image: np.ndarray, box: Box, p: CropParams) -> np.ndarray:
    """The face in ``box`` with its margin, size x size x 3 uint8 RGB."""
    return cut(image, square_around(box, p.margin), p.size)


def locate(image: np.ndarray, detector: Detector, margin: float) -> Square | None:
    """Where to cut the biggest face of ``image``; None when there is no face."""
    box = biggest(detector.detect(image))
    return None if box is None else square_around(box, margin)
