"""The face detectors, all behind ``faces.Detector`` and with one definition of the box.

The box is Haar's: a square from the brows to under the lips. What another detector answers is
mapped to it, so that a model trained behind one detector is valid behind another.
"""

import functools
from pathlib import Path

import cv2
import numpy as np

from litefake import blazeface
from litefake.blazeface import BlazeFaceDetector
from litefake.errors import ModelUnreadable
from litefake.faces import Box, CropParams, Detector
from litefake.landmarks import haar_square

YUNET_SCORE, YUNET_OVERLAP = 0.9, 0.3  # OpenCV's defaults
CASCADE = "haarcascade_frontalface_default.xml"


class HaarDetector:
    """OpenCV's frontal-face Haar cascade (Viola and Jones, CVPR 2001; Lienhart, 2002)."""

    def __init__(self, p: CropParams) -> None:
        self._p = p
        folder = Path(cv2.__file__).parent / "data"
        self._cascade = cv2.CascadeClassifier(str(folder / CASCADE))

    def detect(self, image: np.ndarray) -> list[Box]:
        """Faces in ``image`` (height x width x 3, uint8, RGB), sorted by position."""
        gray, scale = _narrowed(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), self._p.detection_width)
        smallest = max(1, round(self._p.min_size * min(gray.shape)))
        found = self._cascade.detectMultiScale(
            gray,
            scaleFactor=self._p.scale_factor,
            minNeighbors=self._p.min_neighbors,
            minSize=(smallest, smallest),
        )
        # The cascade searches with several threads, so its order is not fixed.
        return sorted(Box(*(round(float(value) / scale) for value in box)) for box in found)


class YuNetDetector:
    """OpenCV's YuNet (Wu, Peng and Yu, Machine Intelligence Research, 2023), from a user's file.

    Raises ModelUnreadable when ``p.detector_file`` is absent or not such a network.
    """

    def __init__(self, p: CropParams) -> None:
        path = Path(p.detector_file)
        if not path.is_file():
            raise ModelUnreadable(
                f"{path}: no such YuNet model; put face_detection_yunet_2023mar.onnx of OpenCV's"
                " model zoo there, or set faces.detector to another detector"
            )
        try:
            self._network = cv2.FaceDetectorYN.create(
                str(path), "", (320, 320), YUNET_SCORE, YUNET_OVERLAP
            )
        except cv2.error as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelUnreadable(f"{path}: not a YuNet model ({reason})") from None
        self._width = p.detection_width

    def detect(self, image: np.ndarray) -> list[Box]:
        """Faces in ``image`` (height x width x 3, uint8, RGB), sorted by position."""
        small, scale = _narrowed(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), self._width)
        self._network.setInputSize(small.shape[1::-1])
        _, found = self._network.detect(small)
        return [] if found is None else sorted(yunet_square(row / scale) for row in found)


def yunet_square(row: np.ndarray) -> Box:
    """Haar's square for an answer of YuNet, (15,) pixels.

    Its points, from the fifth value on: right eye, left eye, nose, corners of the mouth.
    """
    points = row[4:14].reshape(5, 2).astype(np.float64)
    return haar_square(points[0], points[1], points[3:].mean(axis=0))


def _narrowed(image: np.ndarray, width: int) -> tuple[np.ndarray, float]:
    """``image`` at most ``width`` wide, and the scale that made it so (1 when it was)."""
    rows, columns = image.shape[:2]
    scale = min(1.0, width / columns)
    if scale == 1:
        return image, scale
    size = (round(columns * scale), max(1, round(rows * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), scale


@functools.cache
def detector(p: CropParams) -> Detector:
    """The detector that ``p`` describes, made once in a process.

    Raises ModelUnreadable when it needs a file that is not there.
    """
    match p.detector:
        case "haar":
            return HaarDetector(p)
        case "blazeface":
            return BlazeFaceDetector(blazeface.SHORT_RANGE)
        case "blazeface_full":
            return BlazeFaceDetector(blazeface.FULL_RANGE)
        case "yunet":
            return YuNetDetector(p)
