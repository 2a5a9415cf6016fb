"""What a forger's renderer does to a face before it is put back: rough fits and too little detail.

A face swap draws a face over a fitted model that never fits, so brows and lids come out beside
those they replace; a generator works at its own, mostly smaller, size and smooths skin (face
warping artefacts, Li and Lyu, CVPR Workshops 2019, arXiv 1811.00656).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
FloatArray = NDArray[np.float32]
COARSE, FINE = (4, 1.0), (7, 0.7)  # errors of a fit: places along a side, share of the largest
SHRUNK = (0.22, 0.55)  # side of what a generator makes, share of the picture's
KINDS = (0.4, 0.1, 0.3, 0.2)  # how often: coarser, sharper, smoother skin, a median
UPSAMPLED = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)
WEIGHTS = (0.45, 0.45, 0.1)  # of UPSAMPLED


def misfitted(points: FloatArray, rng: np.random.Generator, largest: float) -> FloatArray:
    """``points`` (N, 2) as a rough fit has them, off by smooth errors of two sizes.

    ``largest`` is the largest coarse error along an axis, share of the face's longer side.
    """
    low, span = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-6)
    found = points.copy()
    for places, share in (COARSE, FINE):
        limit = rng.uniform(0, 1) * share * largest * span.max()
        errors = rng.uniform(-limit, limit, (places, places, 2)).astype(np.float32)
        at = ((points - low) / span * (places - 1)).astype(np.float32)
        found += cv2.remap(
            errors, at[:, :1], at[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )[:, 0]
    return np.asarray(found, np.float32)


def rerendered(image: Image, rng: np.random.Generator) -> Image:
    """``image`` (side x side x 3, uint8) made anew: coarser, sharper, or with smoother skin."""
    kind = rng.choice(4, p=KINDS)
    if kind == 0:
        return _coarser(image, rng)
    if kind == 1:
        return _sharper(image, rng.uniform(0.2, 0.8))
    if kind == 2:
        colours, space = rng.uniform(15, 50), rng.uniform(3, 7)
        return np.asarray(cv2.bilateralFilter(image, 9, colours, space), np.uint8)
    return np.asarray(cv2.medianBlur(image, int(rng.choice((3, 5, 5)))), np.uint8)


def _coarser(image: Image, rng: np.random.Generator) -> Image:
    side = image.shape[0]
    smaller = max(8, round(side * rng.uniform(*SHRUNK)))
    made = cv2.resize(image, (smaller, smaller), interpolation=cv2.INTER_AREA)
    way = UPSAMPLED[rng.choice(len(UPSAMPLED), p=WEIGHTS)]
    image = np.asarray(cv2.resize(made, (side, side), interpolation=way), np.uint8)
    return _sharper(image, 0.6) if rng.random() < 0.4 else image


def _sharper(image: Image, amount: float) -> Image:
    soft = cv2.GaussianBlur(image, (0, 0), 1.5)
    return np.asarray(cv2.addWeighted(image, 1 + amount, soft, -amount, 0), np.uint8)
