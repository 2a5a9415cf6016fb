"""From face crops to the numbers that a network expects."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def normalise(
    faces: list[Image], size: int, mean: list[float], std: list[float]
) -> NDArray[np.float32]:
    """N faces (uint8, RGB) as N x 3 x size x size, channels last in memory."""
    values = np.stack([resize(face, size) for face in faces]).astype(np.float32)
    rows = values.reshape(-1, size * 3)  # numpy is slow where the last axis has three values
    rows /= np.float32(255)
    rows -= np.tile(np.asarray(mean, np.float32), size)
    rows /= np.tile(np.asarray(std, np.float32), size)
    return values.transpose(0, 3, 1, 2)


def resize(face: Image, size: int) -> Image:
    """``face`` as a square of ``size`` pixels; unchanged when it is one already."""
    if face.shape[:2] == (size, size):
        return face
    interpolation = cv2.INTER_AREA if face.shape[0] > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(face, (size, size), interpolation=interpolation), np.uint8)
