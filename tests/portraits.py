"""Pictures of a face whose 468 points are known because the test makes them up."""

import numpy as np

from litefake.pairs import PairParams
from litefake.regions import BROWS, CHIN, FOREHEAD, LEFT_EYE, NOSE_BASE, RIGHT_EYE

SIDE = 96
WAY = {
    "whole": 1.0,
    "no_forehead": 1.0,
    "mouth": 1.0,
    "eyes": 1.0,
    "full": 0.0,
    "plain": 0.0,
    "misfit": 0.0,
    "rerendered": 0.0,
}
NOTHING = {"colour": 0.0, "contrast": 0.0, "saturation": 0.0, "detail": 1.0}  # no other change
WHOLE = {"no_forehead": 0.0, "mouth": 0.0, "eyes": 0.0}  # the whole face alone
PAIRS = {
    "size": SIDE,
    "margin": 0.6,
    "draws": 2,
    "zoom": 0.1,
    "shift": 0.05,
    "places": 0.0,
    "blend": {
        "own": WAY | {"share": 1.0},
        "donor": WAY | {"share": 0.0},
        "expression": WAY | {"share": 0.0},
        "matched": 1.0,
        "alike": 0.0,
        "fresh": 0.0,
        "misfit": 0.03,
        "colour": 0.1,
        "contrast": 0.1,
        "saturation": 0.2,
        "detail": 3.0,
        "shift": 0.03,
        "scale": 0.05,
        "deformation": 0.02,
        "softness": 0.03,
    },
    "before": {
        "smallest": 1.0,
        "blur": 0.0,
        "noise": 0.0,
        "h264": 0.0,
        "crf": [18, 18],
        "quality": [100, 100],
        "again": 0.0,
    },
    "degradation": {
        "smallest": 0.5,
        "blur": 1.0,
        "noise": 3.0,
        "h264": 0.5,
        "crf": [18, 30],
        "quality": [60, 95],
        "again": 0.5,
    },
}


def pair_params(way: dict[str, float] | None = None, **blend: float | dict) -> PairParams:
    """PAIRS with other values in section blend, and those of ``way`` in each of its ways."""
    changed = PAIRS["blend"] | blend
    for name in ("own", "donor", "expression"):
        changed[name] = PAIRS["blend"][name] | changed[name] | (way or {})
    return PairParams.model_validate(PAIRS | {"blend": changed})


def make_points(seed: int = 0) -> np.ndarray:
    """An upright oval of 468 points with eyes, brows and the base of the nose in their places."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, 468)
    radius = np.sqrt(rng.uniform(0, 1, 468))
    points = np.stack([48 + 20 * radius * np.cos(angle), 48 + 28 * radius * np.sin(angle)], 1)
    points[FOREHEAD], points[CHIN], points[NOSE_BASE] = (48, 20), (48, 76), (48, 54)
    for eye, x in ((RIGHT_EYE, 40), (LEFT_EYE, 56)):
        points[list(eye)] = np.array([x, 42]) + rng.uniform(-3, 3, (len(eye), 2))
    points[list(BROWS)] = np.stack([np.linspace(35, 61, len(BROWS)), [36.0] * len(BROWS)], 1)
    return points.astype(np.float32)


def make_face(seed: int = 0) -> np.ndarray:
    """Smooth colours with fine grain: something to shift, blur and compress."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    base = np.stack([120 + 60 * x, 100 + 50 * y, 90 + 40 * x * y], axis=-1)
    return np.clip(base + rng.normal(0, 12, base.shape), 0, 255).astype(np.uint8)
