"""Masks, alignment and blending that the manipulations share. Images are in [0, 1]."""

import cv2
import numpy as np

from litefake.demo.assets import FloatArray

# Where a face border meets hair or background, Poisson blending would bleed without end.
MAX_SHIFT = np.float32(0.15)


def mix(base: FloatArray, layer: FloatArray, mask: FloatArray) -> FloatArray:
    """``layer`` over ``base`` (H, W, 3) where ``mask`` (H, W) is 1."""
    return np.asarray(base + (layer - base) * mask[..., None], np.float32)


def hull_mask(landmarks: FloatArray, shape: tuple[int, int], scale: float) -> FloatArray:
    """The convex hull of points (K, 2), scaled about its centre, as a mask (H, W)."""
    hull = cv2.convexHull(landmarks)[:, 0]
    centre = hull.mean(axis=0)
    points = np.rint((centre + (hull - centre) * scale) * 16).astype(np.int32)
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, points, 255, cv2.LINE_AA, shift=4)
    return mask.astype(np.float32) / 255


def feathered(mask: FloatArray, inset: int, feather: float) -> FloatArray:
    """``mask`` shrunk by ``inset`` pixels, its edge then blurred (sigma ``feather``)."""
    shrunk = cv2.erode(mask, np.ones((2 * inset + 1, 2 * inset + 1), np.uint8))
    return blurred(shrunk, feather)


def blurred(image: FloatArray, sigma: float) -> FloatArray:
    """A Gaussian blur; ``sigma`` 0 leaves the image as it is."""
    return cv2.GaussianBlur(image, (0, 0), sigma) if sigma > 0 else image


def similarity(source: FloatArray, target: FloatArray) -> FloatArray:
    """The rotation, scale and shift (2, 3) that best maps points (K, 2) to points (K, 2)."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    along = (a * b).sum()
    across = (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()
    matrix = np.array([[along, -across], [across, along]]) / (a * a).sum()
    shift = target.mean(axis=0) - matrix @ source.mean(axis=0)
    return np.hstack([matrix, shift[:, None]]).astype(np.float32)


def warp(
    image: FloatArray, matrix: FloatArray, size: tuple[int, int], cubic: bool = False
) -> FloatArray:
    """Warp by a forward matrix (2, 3) to ``size`` (width, height), edges mirrored."""
    flags = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    return cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT)


def resampled(image: FloatArray, scale: float) -> FloatArray:
    """Scale down by area and up again linearly: what ``scale`` of the resolution keeps."""
    height, width = image.shape[:2]
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def match_colour(
    layer: FloatArray, base: FloatArray, mask: FloatArray, contrast: bool = True
) -> FloatArray:
    """``layer`` with the mean (and the contrast) that ``base`` has inside the mask."""
    inside = mask > 0.5
    mean, wanted = layer[inside].mean(axis=0), base[inside].mean(axis=0)
    if not contrast:
        return np.asarray(layer + (wanted - mean), np.float32)
    ratio = base[inside].std(axis=0) / (layer[inside].std(axis=0) + 1e-3)
    return np.asarray((layer - mean) * ratio + wanted, np.float32)


def seamless(base: FloatArray, layer: FloatArray, mask: FloatArray) -> FloatArray:
    """``layer`` in ``base`` with its gradients kept and its border moved to the base's.

    Poisson blending (Perez et al., 2003) solved as a membrane: the difference on the
    mask's border is spread smoothly over its inside by pull-push interpolation.
    """
    inside = (mask > 0.5).astype(np.float32)
    border = cv2.dilate(inside, np.ones((3, 3), np.uint8)) - inside
    difference = np.clip(blurred(base, 1) - blurred(layer, 1), -MAX_SHIFT, MAX_SHIFT)
    correction = _membrane(difference, border)
    return mix(base, layer + correction, inside)


def _membrane(values: FloatArray, known: FloatArray) -> FloatArray:
    """Fill (H, W, 3) smoothly from the pixels where ``known`` (H, W) is 1."""
    height, width = known.shape
    weighted = values * known[..., None]
    if min(height, width) <= 2:
        mean = weighted.sum(axis=(0, 1)) / max(float(known.sum()), 1e-6)
        return np.broadcast_to(mean, values.shape).astype(np.float32)
    weight = cv2.pyrDown(known)
    coarse = cv2.pyrDown(weighted) / np.maximum(weight, 1e-6)[..., None]
    filled = _membrane(coarse, np.minimum(1, 4 * weight))
    spread = cv2.pyrUp(filled, dstsize=(width, height))
    return spread + (values - spread) * known[..., None]
