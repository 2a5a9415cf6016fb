"""MTCNN (Zhang et al., 2016, arXiv 1604.02878), for the comparison of detectors alone.

``uv pip install --no-deps facenet-pytorch==2.6.0`` beside the rest: the package asks for an older
PyTorch and works with ours. Its wheel holds the weights.
"""

import numpy as np

from litefake.errors import DataMissing
from litefake.faces import Box
from litefake.landmarks import haar_square

SMALLEST = 20  # px, its own default; the network's first window is 12 px


class Mtcnn:
    """Haar's square of every face, from the points that MTCNN gives.

    ``min_size`` is the smallest face, as a share of the shorter frame side; 0 leaves it at
    20 px. Raises DataMissing when the package is not installed.
    """

    def __init__(self, min_size: float) -> None:
        try:
            from facenet_pytorch import MTCNN
        except ImportError:
            raise DataMissing(
                "facenet_pytorch: not installed; run `uv pip install --no-deps"
                " facenet-pytorch==2.6.0`, or leave --mtcnn out"
            ) from None
        self._network = MTCNN(keep_all=True)
        self._min_size = min_size

    def detect(self, image: np.ndarray) -> list[Box]:
        """Faces in ``image`` (height x width x 3, uint8, RGB), sorted by position."""
        self._network.min_face_size = max(SMALLEST, self._min_size * min(image.shape[:2]))
        _, _, points = self._network.detect(image, landmarks=True)
        return [] if points is None else sorted(square(five) for five in points)


def square(points: np.ndarray) -> Box:
    """Haar's square for the points of a face: (5, 2) pixels, eyes, nose, corners of the mouth."""
    points = points.astype(np.float64)
    return haar_square(points[0], points[1], points[3:].mean(axis=0))
