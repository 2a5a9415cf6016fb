"""Pixels to light: materials and lighting of a head, compiled by numba.

Everything is linear RGB. Skin is lit by wrapped diffuse light whose wrap is widest
in red, a cheap stand-in for scattering below the surface.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from litefake.demo.assets import FloatArray, Part
from litefake.demo.textures import BOTTOM, CHART, HALF_WIDTH, TOP, Textures

SKIN, EYE, TEETH, TONGUE = int(Part.SKIN), int(Part.EYE), int(Part.TEETH), int(Part.TONGUE)
HAIR, LASHES = int(Part.HAIR), int(Part.LASHES)

# Columns of the vertex attributes that are interpolated over a triangle.
BASE_X, BASE_Y, BASE_Z, LIPS, FACE, EYELID, MOUTH = range(7)
EYE_X, EYE_Y, EYE_Z, HAIR_COVER, OPENNESS = range(7, 12)
NORMAL_X, NORMAL_Y, NORMAL_Z, POSED_X, POSED_Y, POSED_Z = range(12, 18)
ATTRIBUTES = 18

# Channels of the shaded image.
RED, GREEN, BLUE, ALPHA = range(4)
CHANNELS = 4

# Heights on the base mesh: the face ends here, its lower half below the nose.
UPPER_FACE, LOWER_FACE = 7.85, 6.98
HIGHEST_SHIRT = 6.6
REPEAT = CHART - 1  # CHART is a power of two: ``i & REPEAT`` is i modulo CHART, only faster


class Surface(NamedTuple):
    """Materials of a person in their clothes; colours (3,) float32."""

    skin: FloatArray
    lips: FloatArray
    hair: FloatArray
    iris: FloatArray
    shirt: FloatArray
    beard: float
    eyelid_shadow: float
    collar: float
    stripe: float
    textures: Textures


class Lighting(NamedTuple):
    """directions (K, 3) unit, colours (K, 3), ambient (3,), eye: camera position (3,)."""

    directions: FloatArray
    colours: FloatArray
    ambient: FloatArray
    eye: FloatArray


@njit(cache=True, error_model="numpy")
def _step(value: float, start: float, end: float) -> float:
    t = min(1.0, max(0.0, (value - start) / (end - start)))
    return t * t * (3 - 2 * t)


@njit(cache=True, error_model="numpy")
def _sample(chart: FloatArray, u: float, v: float) -> float:
    """Bilinear sample at column ``u``, row ``v``; outside, the chart repeats."""
    column, row = int(np.floor(u)), int(np.floor(v))
    fu, fv = u - column, v - row
    column, row = column & REPEAT, row & REPEAT
    right, below = (column + 1) & REPEAT, (row + 1) & REPEAT
    upper = chart[row, column] * (1 - fu) + chart[row, right] * fu
    lower = chart[below, column] * (1 - fu) + chart[below, right] * fu
    value: float = upper * (1 - fv) + lower * fv
    return value


@njit(cache=True, error_model="numpy")
def _sample_colour(chart: FloatArray, u: float, v: float, channel: int) -> float:
    """``_sample`` of one channel of a chart (CHART, CHART, 3)."""
    column, row = int(np.floor(u)), int(np.floor(v))
    fu, fv = u - column, v - row
    column, row = column & REPEAT, row & REPEAT
    right, below = (column + 1) & REPEAT, (row + 1) & REPEAT
    upper = chart[row, column, channel] * (1 - fu) + chart[row, right, channel] * fu
    lower = chart[below, column, channel] * (1 - fu) + chart[below, right, channel] * fu
    value: float = upper * (1 - fv) + lower * fv
    return value


@njit(cache=True, error_model="numpy")
def _blush(x: float, y: float) -> float:
    """Redness of the cheeks and the tip of the nose."""
    cheek, height = abs(x) - 0.38, y - 6.98
    cheeks = np.exp(-(cheek * cheek / 0.03 + height * height / 0.04))
    nose = np.exp(-(x * x / 0.015 + height * height / 0.02))
    return float(cheeks + 0.7 * nose)


@njit(cache=True, error_model="numpy")
def _paint_skin(point: FloatArray, surface: Surface, colour: FloatArray) -> float:
    """Skin with lips, brows, beard and short hair; returns how much of it is hair."""
    maps = surface.textures
    x, y, z = point[BASE_X], point[BASE_Y], point[BASE_Z]
    front = _step(z, 0.3, 0.7)
    row = (TOP - y) / (TOP - BOTTOM) * (CHART - 1)
    column = (x + HALF_WIDTH) / (2 * HALF_WIDTH) * (CHART - 1)
    around = (np.arctan2(x, z - 0.35) / (2 * np.pi) + 0.5) * (CHART - 1)
    on_front_chart = 0 <= row < CHART - 1 and 0 <= column < CHART - 1

    blush = _blush(x, y) * front if front > 0 else 0.0
    brow = 0.9 * front * _sample(maps.brow, column, row) if on_front_chart else 0.0
    beard = 0.0
    if surface.beard > 0 and y > 6.05 and on_front_chart:
        beard = surface.beard * (1 - point[LIPS]) * _step(z, 0.15, 0.5)
        beard *= _sample(maps.beard, column, row)
    strand = hair = 0.0
    if point[HAIR_COVER] > 0.02:
        strand = _sample(maps.strands, 3 * around, row)
        hair = _step(point[HAIR_COVER] + 0.12 * strand, 0.12, 0.45)
    lips = 0.85 * point[LIPS]
    shadow = 1 - surface.eyelid_shadow * point[EYELID]
    for i in range(3):
        blotch = _sample_colour(maps.blotches, 2 * around, row, i)
        value = surface.skin[i] * (1 + blotch) * (1 + blush * (0.05 if i == 0 else -0.065))
        value += lips * (surface.lips[i] * (1 + 0.8 * blotch) - value)
        value *= shadow
        value += brow * (0.8 * surface.hair[i] - value)
        value += beard * (0.7 * surface.hair[i] + 0.02 - value)
        colour[i] = value
    _paint_hair(surface, strand, hair, colour)
    return hair


@njit(cache=True, error_model="numpy")
def _paint_hair(surface: Surface, strand: float, cover: float, colour: FloatArray) -> None:
    shade = min(2.0, max(0.3, 1 + 0.35 * strand))
    for i in range(3):
        colour[i] += cover * (surface.hair[i] * shade - colour[i])


@njit(cache=True, error_model="numpy")
def _paint_shirt(point: FloatArray, surface: Surface, colour: FloatArray) -> bool:
    """Whether the point lies below the neckline; if so its colour becomes the shirt's."""
    x, y, z = point[BASE_X], point[BASE_Y], point[BASE_Z]
    if y > HIGHEST_SHIRT:
        return False
    neckline = surface.collar - 0.45 * np.exp(-((x / 0.5) ** 2))
    neckline += 0.1 * _step(-z, -0.4, -0.2) + 0.5 * _step(abs(x), 0.6, 1.3)
    if y >= neckline:
        return False
    angle = np.arctan2(x, z - 0.35) / (2 * np.pi)
    weave = 0.06 * _sample(surface.textures.cloth, angle * 4 * CHART, y * 120)
    stripe = surface.stripe if np.sin(25 * y) > 0.3 else 0.0
    for i in range(3):
        colour[i] = surface.shirt[i] * (1 + weave - stripe)
    return True


@njit(cache=True, error_model="numpy")
def _paint_eye(point: FloatArray, surface: Surface, colour: FloatArray) -> float:
    """Sclera, iris and pupil by the angle from the optical axis; returns the lid's shadow."""
    x, y, z = point[EYE_X], point[EYE_Y], point[EYE_Z]
    length = np.sqrt(x * x + y * y + z * z) + 1e-6
    off_axis = np.arccos(min(1.0, max(-1.0, z / length)))
    around = np.arctan2(y, x)
    fibres = (1 + 0.25 * np.sin(23 * around + 3 * np.sin(7 * around))) * (
        1 - 0.6 * _step(off_axis, 0.38, 0.5)
    )
    outside_iris = _step(off_axis, 0.44, 0.52)
    outside_pupil = _step(off_axis, 0.17, 0.21)
    sclera = 1 - 0.12 * _step(off_axis, 0.5, 1.1)
    for i in range(3):
        white = (0.82, 0.77, 0.73)[i] * sclera
        iris = surface.iris[i] * fibres
        value = iris + outside_iris * (white - iris)
        colour[i] = 0.01 + outside_pupil * (value - 0.01)
    return 0.62 + 0.38 * _step(0.02 - y, -0.14, -0.03)


@njit(cache=True, error_model="numpy")
def _specular(part: int, is_hair: bool, lips: float, cosine: float) -> float:
    square = cosine * cosine
    fourth = square * square
    twelfth = fourth * fourth * fourth
    if part == EYE:
        return 2.5 * twelfth**15
    if is_hair:
        return 0.18 * twelfth
    if lips > 0.5:
        return 0.22 * twelfth * twelfth * fourth
    return 0.10 * twelfth + 0.06 * twelfth * twelfth * twelfth * twelfth


@njit(cache=True, error_model="numpy")
def _light(
    point: FloatArray,
    part: int,
    is_hair: bool,
    is_shirt: bool,
    openness: float,
    lighting: Lighting,
    colour: FloatArray,
) -> tuple[float, float, float]:
    """The light (red, green, blue) that leaves the point towards the camera."""
    nx, ny, nz = point[NORMAL_X], point[NORMAL_Y], point[NORMAL_Z]
    scale = 1 / np.sqrt(nx * nx + ny * ny + nz * nz + 1e-9)
    vx = lighting.eye[0] - point[POSED_X]
    vy = lighting.eye[1] - point[POSED_Y]
    vz = lighting.eye[2] - point[POSED_Z]
    far = 1 / np.sqrt(vx * vx + vy * vy + vz * vz)
    vx, vy, vz = vx * far, vy * far, vz * far
    if part >= HAIR and nx * vx + ny * vy + nz * vz < 0:
        scale = -scale  # hair and lashes are sheets: lit on both sides
    nx, ny, nz = nx * scale, ny * scale, nz * scale
    directions, colours = lighting.directions, lighting.colours
    red = green = blue = shine = 0.0
    for k in range(directions.shape[0]):
        lx, ly, lz = directions[k, 0], directions[k, 1], directions[k, 2]
        cosine = nx * lx + ny * ly + nz * lz
        lr, lg, lb = colours[k, 0], colours[k, 1], colours[k, 2]
        red += max(0.0, (cosine + 0.35) / 1.35) * lr
        green += max(0.0, (cosine + 0.18) / 1.18) * lg
        blue += max(0.0, (cosine + 0.12) / 1.12) * lb
        if not is_shirt:
            hx, hy, hz = vx + lx, vy + ly, vz + lz
            half = (nx * hx + ny * hy + nz * hz) / np.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
            strength = _specular(part, is_hair, point[LIPS], max(0.0, half))
            shine += strength * (lr + lg + lb) / 3
    shine *= 0.3 + 0.7 * openness
    grazing = max(0.0, 1 - (nx * vx + ny * vy + nz * vz))
    rim = 0.06 * grazing * grazing * grazing * grazing
    sky = (0.65 + 0.35 * ny) * openness
    direct = 0.35 + 0.65 * openness
    ambient = lighting.ambient
    return (
        colour[0] * (red * direct + ambient[0] * sky) + shine + rim * ambient[0],
        colour[1] * (green * direct + ambient[1] * sky) + shine + rim * ambient[1],
        colour[2] * (blue * direct + ambient[2] * sky) + shine + rim * ambient[2],
    )


@njit(cache=True, error_model="numpy")
def shade(
    attributes: FloatArray,
    triangles: NDArray[np.int32],
    part: NDArray[np.uint8],
    seen: NDArray[np.int32],
    weights: FloatArray,
    surface: Surface,
    lighting: Lighting,
) -> tuple[FloatArray, FloatArray]:
    """Light every rasterised pixel.

    attributes (N, ATTRIBUTES) per vertex; seen (H, W) and weights (H, W, 2) from
    ``rasterize``. Returns the image (H, W, 4), linear RGB with coverage, black where
    nothing is seen, and masks (H, W, 2): the face, and its part below the nose.
    """
    height, width = seen.shape
    image = np.zeros((height, width, CHANNELS), np.float32)
    masks = np.zeros((height, width, 2), np.float32)
    point = np.empty(ATTRIBUTES, np.float32)
    colour = np.empty(3, np.float32)
    for row in range(height):
        for column in range(width):
            t = seen[row, column]
            if t < 0:
                continue
            second, third = weights[row, column, 0], weights[row, column, 1]
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            for i in range(ATTRIBUTES):
                first_share = (1 - second - third) * attributes[a, i]
                point[i] = first_share + second * attributes[b, i] + third * attributes[c, i]
            kind = part[t]
            openness, hair, is_shirt = point[OPENNESS], 0.0, False
            if kind == SKIN:
                hair = _paint_skin(point, surface, colour)
                if point[MOUTH] > 0.5:
                    colour[0], colour[1], colour[2] = 0.32, 0.10, 0.10
                is_shirt = _paint_shirt(point, surface, colour)
            elif kind == HAIR:
                hair = 1.0
                around = np.arctan2(point[BASE_X], point[BASE_Z] - 0.35) / (2 * np.pi)
                strand = _sample(surface.textures.strands, 3 * CHART * around, point[BASE_Y] * 200)
                for i in range(3):
                    colour[i] = surface.hair[i]
                _paint_hair(surface, strand, 1.0, colour)
            elif kind == EYE:
                lid_shadow = _paint_eye(point, surface, colour)
                openness = (0.55 + 0.45 * openness) * lid_shadow
            elif kind == TEETH:
                colour[0], colour[1], colour[2] = 0.78, 0.74, 0.66
            elif kind == TONGUE:
                colour[0], colour[1], colour[2] = 0.55, 0.25, 0.24
            else:
                for i in range(3):
                    colour[i] = 0.3 * surface.hair[i]
            red, green, blue = _light(point, kind, hair > 0.5, is_shirt, openness, lighting, colour)
            image[row, column, RED] = red
            image[row, column, GREEN] = green
            image[row, column, BLUE] = blue
            image[row, column, ALPHA] = 1
            if kind != HAIR:
                face = point[FACE] if kind == SKIN else 1.0
                face *= _step(UPPER_FACE - point[BASE_Y], -0.05, 0.05)
                masks[row, column, 0] = face
                masks[row, column, 1] = face if point[BASE_Y] < LOWER_FACE else 0.0
    return image, masks
