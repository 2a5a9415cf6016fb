"""Regions of a face by its 468 points, and soft masks over them."""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Region = Literal["whole", "no_forehead", "mouth", "eyes"]

# Points of MediaPipe's canonical face, as ``face_mesh`` finds them.
CHIN, FOREHEAD, NOSE_BASE = 152, 10, 2
BROWS = (70, 63, 105, 66, 107, 300, 293, 334, 296, 336)
RIGHT_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
LEFT_EYE = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)


def region_points(points: FloatArray, region: Region) -> FloatArray:
    """The points of (468, 2) whose hull is ``region``."""
    if region == "whole":
        return points
    heights = height(points)
    if region == "no_forehead":
        return np.asarray(points[heights <= heights[list(BROWS)].max()])
    if region == "mouth":  # all that moves with it: from under the nose to the chin
        return np.asarray(points[heights <= heights[NOSE_BASE]])
    return points[[*RIGHT_EYE, *LEFT_EYE, *BROWS]]


def height(points: FloatArray) -> FloatArray:
    """How far up each point lies along the line from chin to forehead, px."""
    up = points[FOREHEAD] - points[CHIN]
    return np.asarray(points @ (up / np.linalg.norm(up)))


def soft_mask(
    points: FloatArray,
    side: int,
    rng: np.random.Generator,
    weights: Sequence[float],
    deformation: float,
    softness: float,
) -> FloatArray:
    """A region of the face, its outline bent and softened on one side of itself or the other.

    One of the four regions, drawn by ``weights``; side x side, from 0 to 1, which it reaches.
    ``deformation`` is the largest shift of the outline and ``softness`` the largest sigma of its
    edge, shares of the side.
    """
    shares = np.array(weights)
    regions: tuple[Region, ...] = ("whole", "no_forehead", "mouth", "eyes")
    region = regions[rng.choice(4, p=shares / shares.sum())]
    mask = hull(region_points(points, region), side)
    mask = _bend(mask, rng, deformation * side)
    # Blurred, cut at a level, blurred again: the level grows or shrinks the region (the
    # paper's erosion and dilation), the second blur is the edge that one sees.
    soft = _blur(mask, rng.uniform(0.5, 1) * softness * side)
    # A level of the peak: blurred widely, a strip about the eyes stays below .8 everywhere.
    hard = (soft > rng.uniform(0.2, 0.8) * soft.max()).astype(np.float32)
    edge = _blur(hard, max(0.5, rng.uniform(0, 1) * softness * side))
    # For the same reason: a region narrower than its edge would leave a fake that is none.
    return np.asarray(edge / max(edge.max(), np.finfo(np.float32).tiny), np.float32)


def _blur(mask: FloatArray, sigma: float) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma), np.float32)


def hull(points: FloatArray, side: int) -> FloatArray:
    """The convex hull of ``points``, px: side x side, 1 inside and 0 outside."""
    mask = np.zeros((side, side), np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(points).astype(np.int32)), 1.0)
    return mask


def _bend(mask: FloatArray, rng: np.random.Generator, limit: float) -> FloatArray:
    """``mask`` under a smooth random displacement of at most ``limit`` pixels an axis."""
    side = mask.shape[0]
    coarse = rng.uniform(-limit, limit, (5, 5, 2)).astype(np.float32)
    field = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    return np.asarray(cv2.remap(mask, x + field[..., 0], y + field[..., 1], cv2.INTER_LINEAR))
