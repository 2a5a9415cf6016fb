"""468 points of a face, run by OpenVINO on one thread (Kartynnik et al., 2019, arXiv 1907.06724).

The points are numbered as in MediaPipe's canonical face. ``tools/build_face_detectors.py``
extracts the file, ``assets/NOTICE`` has the licence.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from litefake.tflite import Tflite

FILE = "face_landmark.tflite"
POINTS, SIZE = 468, 192  # points; px, side of the input
LEAST_LOGIT = 0.0  # an even chance that this is a face


class FaceMesh:
    """The network, for one caller at a time."""

    def __init__(self) -> None:
        self._network = Tflite(FILE)

    def find(self, face: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """Points (468, 2), (x, y) in pixels of ``face``; None when the network sees no face.

        ``face`` is square, side x side x 3, uint8, RGB, and shows one upright face that fills
        about two thirds of it.
        """
        side = face.shape[0]
        method = cv2.INTER_AREA if side > SIZE else cv2.INTER_LINEAR
        small = cv2.resize(face, (SIZE, SIZE), interpolation=method).astype(np.float32) / 255
        answers = (answer.ravel() for answer in self._network(small[None]))
        points, logit = sorted(answers, key=len, reverse=True)
        if logit[0] < LEAST_LOGIT:
            return None
        found: NDArray[np.float32] = points.reshape(POINTS, 3)[:, :2] * (side / SIZE)
        return found
