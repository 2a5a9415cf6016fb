"""468 points of a face, run by OpenVINO on one thread (Kartynnik et al., 2019, arXiv 1907.06724).

The points are numbered as in MediaPipe's canonical face. ``tools/build_face_detectors.py``
extracts the file, ``assets/NOTICE`` has the licence.
"""

import threading
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_name("assets") / "face_landmark.tflite"
POINTS, SIZE = 468, 192  # points; px, side of the input
LEAST_LOGIT = 0.0  # an even chance that this is a face


class FaceMesh:
    """The network, for one caller at a time."""

    def __init__(self) -> None:
        import openvino  # half a second, which most runs need not spend

        settings = {
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": 1,
            "INFERENCE_PRECISION_HINT": "f32",  # some CPUs would take bf16 and other points
            "ENABLE_CPU_PINNING": False,
        }
        self._network = openvino.Core().compile_model(FILE, "CPU", settings)
        self._turn = threading.Lock()

    def find(self, face: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """Points (468, 2), (x, y) in pixels of ``face``; None when the network sees no face.

        ``face`` is square, side x side x 3, uint8, RGB, and shows one upright face that fills
        about two thirds of it.
        """
        side = face.shape[0]
        method = cv2.INTER_AREA if side > SIZE else cv2.INTER_LINEAR
        small = cv2.resize(face, (SIZE, SIZE), interpolation=method).astype(np.float32) / 255
        with self._turn:
            answers = [output[0].copy() for output in self._network([small[None]]).values()]
        points, logit = sorted((answer.ravel() for answer in answers), key=len, reverse=True)
        if logit[0] < LEAST_LOGIT:
            return None
        found: NDArray[np.float32] = points.reshape(POINTS, 3)[:, :2] * (side / SIZE)
        return found
