"""A face moved into the shape of another: what lies at its points is brought to other points."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
FloatArray = NDArray[np.float32]
PLACES = 44  # along a side, where the points are asked; between them it is smooth
REACH = 0.025  # of the face's height: how far a point's own way counts, the sigma of its weight
ALONE = 0.01  # weight of the affine map against a point's, which is 1 where it lies


def warp(
    image: Image, points: FloatArray, wanted: FloatArray, interpolation: int = cv2.INTER_LINEAR
) -> Image:
    """``image`` (side x side x 3, uint8) with what lies at ``points`` (N, 2) moved to ``wanted``.

    An affine map, the best for most points, and the mean of what it leaves of the ways of the
    points near a place (Nadaraya-Watson, Gaussian weights). Far from all, the affine map alone.
    """
    side = image.shape[0]
    affine = affine_map(wanted, points)
    left = points - mapped(affine, wanted)
    sigma = REACH * float(np.ptp(wanted[:, 1]))
    marks = np.linspace(0, side, PLACES + 1, dtype=np.float32)
    # A Gaussian of the distance is the product of one along each axis.
    across, down = (
        np.exp(-((marks[:, None] - wanted[:, axis]) ** 2) / (2 * sigma**2)) for axis in (0, 1)
    )
    # einsum and not @: the threads of BLAS would wait for cores that train the network.
    one, x, y = (
        np.einsum("rp,cp->rc", down * value, across) for value in (1, left[:, 0], left[:, 1])
    )
    field = (np.stack([x, y], axis=-1) / (one + ALONE)[..., None]).astype(np.float32)
    rows = np.arange(side, dtype=np.float32)
    every = np.stack(np.meshgrid(rows, rows), axis=-1)
    smooth = np.asarray(
        cv2.remap(field, *_split(every * np.float32(PLACES / side)), cv2.INTER_LINEAR)
    )
    source = mapped(affine, every.reshape(-1, 2)).reshape(every.shape) + smooth
    moved = cv2.remap(image, *_split(source), interpolation, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def affine_map(points: FloatArray, wanted: FloatArray) -> NDArray[np.float64]:
    """The 2 x 3 matrix that brings most of ``points`` (N, 2) closest to ``wanted``."""
    matrix, _ = cv2.estimateAffine2D(points, wanted, method=cv2.LMEDS)
    return np.asarray(matrix, np.float64)


def mapped(matrix: NDArray[np.float64], points: FloatArray) -> FloatArray:
    """``points`` (N, 2) under a 2 x 3 ``matrix``."""
    return np.asarray(cv2.transform(points.reshape(-1, 1, 2), matrix)[:, 0], np.float32)


def _split(field: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.ascontiguousarray(field[..., 0]), np.ascontiguousarray(field[..., 1])
