"""How a decoded frame is to be shown: turned by quarters and mirrored, as its file says."""

from typing import Any

import numpy as np


def upright(picture: Any) -> np.ndarray:
    """A decoded frame as height x width x 3 uint8 RGB, turned and mirrored as the file says."""
    image = picture.to_ndarray(format="rgb24", threads=1)
    matrix = _shown_as(picture)
    if _exchanges(matrix):
        image, right, down = image.swapaxes(0, 1), matrix[1, 0], matrix[0, 1]
    else:
        right, down = matrix[0, 0], matrix[1, 1]
    return np.ascontiguousarray(image[:: -1 if down < 0 else 1, :: -1 if right < 0 else 1])


def is_upright(picture: Any) -> bool:
    """Whether a decoded frame is shown as it is stored."""
    matrix = _shown_as(picture)
    return bool(not _exchanges(matrix) and matrix[0, 0] > 0 and matrix[1, 1] > 0)


def is_transposed(picture: Any) -> bool:
    """Whether a decoded frame is shown with rows and columns exchanged: turned by 90 degrees."""
    return _exchanges(_shown_as(picture))


def _exchanges(matrix: np.ndarray) -> bool:
    size = np.abs(matrix)
    return bool(size.trace() < size[0, 1] + size[1, 0])


def _shown_as(picture: Any) -> np.ndarray:
    """What takes a place (x, y) of the frame to that shown, as a row before a 2 x 2 matrix.

    ``rotation`` alone would take a mirror image for one that stands on its head.
    """
    stored = picture.side_data.get("DISPLAYMATRIX")
    if stored is None:
        return np.eye(2)
    return np.frombuffer(stored, np.int32).reshape(3, 3)[:2, :2].astype(float)
