"""Procedural textures of one person, drawn once from a seed.

Skin features live on two charts of the *base* mesh, so they follow every identity:
the front chart (x, y seen from the front) and the round chart (angle, y).
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from litefake.demo.assets import FloatArray
from litefake.demo.identity import Identity

CHART = 512
# The front chart's extent in decimetres: x in [-HALF_WIDTH, HALF_WIDTH], y in [BOTTOM, TOP].
HALF_WIDTH, BOTTOM, TOP = 1.0, 6.0, 8.6
BROW_STROKES = 300


class Textures(NamedTuple):
    """Maps of CHART x CHART pixels, float32.

    blotches (CHART, CHART, 3): relative change of skin colour; brow, beard: coverage
    in [0, 1]; strands: brightness of hair around 0; cloth: weave around 0.
    """

    blotches: FloatArray
    brow: FloatArray
    beard: FloatArray
    strands: FloatArray
    cloth: FloatArray


def paint(person: Identity) -> Textures:
    """The textures of ``person``."""
    rng = np.random.default_rng(person.texture_seed)
    return Textures(
        blotches=person.blotchiness * _blotches(rng),
        brow=_brow(rng, person),
        beard=_beard(rng),
        strands=_strands(rng),
        cloth=noise(rng, CHART, 1, 1.0)[..., 0],
    )


def noise(rng: np.random.Generator, size: int, channels: int, grain: float) -> FloatArray:
    """Gaussian noise (size, size, channels) with features of about ``grain`` pixels."""
    side = max(2, round(size / grain))
    coarse = rng.standard_normal((side, side, channels), dtype=np.float32)
    fine = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    return fine.reshape(size, size, channels)


def smoothstep(value: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 below ``start``, 1 above ``end``, cubic between."""
    t = np.clip((value - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)


def _blotches(rng: np.random.Generator) -> FloatArray:
    """Uneven skin: patches of two sizes, pores and, for some people, moles or freckles."""
    patches = 0.035 * noise(rng, CHART, 3, 90) * np.array([0.6, 1, 1], np.float32)
    patches += 0.025 * noise(rng, CHART, 3, 22) * np.array([0.5, 1, 1], np.float32)
    pores = 0.03 * noise(rng, CHART, 1, 3) + 0.03 * noise(rng, CHART, 1, 1.1)
    spots: FloatArray = np.zeros((CHART, CHART), np.float32)
    if rng.random() < 0.5:
        for _ in range(rng.integers(2, 14)):
            centre = tuple(int(v) for v in rng.integers(0, CHART, 2))
            cv2.circle(spots, centre, int(rng.integers(1, 4)), 0.25, -1)
        spots = cv2.GaussianBlur(spots, (0, 0), 1)
    blotches: FloatArray = patches + pores - spots[..., None] * np.array([0.6, 1, 1.1], np.float32)
    return blotches


def _brow(rng: np.random.Generator, person: Identity) -> FloatArray:
    """Two brows of single strokes: upright near the nose, flat and thin at the temple."""
    image: NDArray[Any] = np.zeros((CHART, CHART), np.uint8)  # OpenCV smooths lines of 8 bit only
    for side in (-1, 1):
        for _ in range(BROW_STROKES):
            along = rng.random() ** 0.9
            spread = rng.normal(0, 0.3) * person.brow_thickness * (1 - 0.7 * along)
            arch = person.brow_arch * np.sin(0.75 * np.pi * along)
            x, y = 0.10 + 0.44 * along, 7.50 + person.brow_height + arch + spread
            angle = np.deg2rad(70 - 75 * along + rng.normal(0, 8))
            length = rng.uniform(0.04, 0.08)
            tip_x, tip_y = x + 0.9 * length * np.cos(angle), y + 0.45 * length * np.sin(angle)
            cv2.line(
                image,
                _fixed_point(side * x, y),
                _fixed_point(side * tip_x, tip_y),
                int(rng.integers(140, 256)),
                1,
                cv2.LINE_AA,
                shift=3,
            )
    return cv2.GaussianBlur(image.astype(np.float32) / 255, (0, 0), 0.9)


def _fixed_point(x: float, y: float) -> tuple[int, int]:
    """Front-chart pixel of a point, in OpenCV's fixed point with three fractional bits."""
    column = (x + HALF_WIDTH) / (2 * HALF_WIDTH) * CHART
    row = (TOP - y) / (TOP - BOTTOM) * CHART
    return round(column * 8), round(row * 8)


def _beard(rng: np.random.Generator) -> FloatArray:
    """Stubble below the nose and along the jaw."""
    y = np.linspace(TOP, BOTTOM, CHART, dtype=np.float32)[:, None]
    x = np.abs(np.linspace(-HALF_WIDTH, HALF_WIDTH, CHART, dtype=np.float32))[None, :]
    upper_edge = 6.95 + 0.35 * smoothstep(x, 0.45, 0.62)
    coverage = smoothstep(upper_edge - y, 0, 0.3)
    stubble = np.clip(0.5 + 0.5 * noise(rng, CHART, 1, 1.25)[..., 0], 0, 1)
    return (coverage * stubble).astype(np.float32)


def _strands(rng: np.random.Generator) -> FloatArray:
    """Vertical strands of several widths plus fine noise."""
    fine = 0.4 * noise(rng, CHART, 1, 2)[..., 0]
    for width, strength in ((3, 0.6), (12, 0.4)):
        rows = rng.standard_normal((12, CHART // width), dtype=np.float32)
        fine += strength * cv2.resize(rows, (CHART, CHART), interpolation=cv2.INTER_CUBIC)
    return fine.astype(np.float32)
