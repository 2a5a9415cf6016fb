"""Fakes from real faces alone: a face blended into itself, or another's into it.

Self-blended images (Shiohara and Yamasaki, CVPR 2022, arXiv 2204.08376, section 3.2): of two
copies of one face, one is changed in colour, frequency content and place, and put back into the
other through a deformed, softened mask. What is left is what every face swap leaves, a seam
between two sources, with no face swap made. With a donor, the second copy is another person's
face brought to the same colours (face X-ray, Li et al., CVPR 2020, arXiv 1912.13458) and, point by
point, to the same shape (as FaceSwap brings a texture to a fitted model); with an expression it is
the face itself in the shape that another's mouth and eyes have (as Face2Face re-enacts a face).
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from litefake import face_warp
from litefake.blend_params import BlendParams, CopyParams
from litefake.regions import NOSE_BASE, height, hull, soft_mask
from litefake.rerendering import misfitted, rerendered

Image = NDArray[np.uint8]
FloatArray = NDArray[np.float32]

BELOW_NOSE, ABOVE_NOSE = (0.4, 1.2), (0.0, 0.5)  # share of another's expression that is taken
RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)  # of the second copy under the mask (the paper's)


class Pair(NamedTuple):
    """A real face and the fake made of it, side x side x 3 uint8; the mask is 0 to 1.

    When the outer copy was changed, ``real`` is that copy: the two differ under the mask alone,
    so that no colour or sharpness of the whole picture tells them apart.
    """

    real: Image
    fake: Image
    mask: FloatArray


def self_blend(face: Image, points: FloatArray, rng: np.random.Generator, p: BlendParams) -> Pair:
    """``face`` (side x side x 3, uint8, RGB), with ``points`` (468, 2), blended into itself."""
    return _blend(face, _brought(face, points, points, rng, p, p.own), points, rng, p, p.own)


def swap(
    face: Image,
    points: FloatArray,
    donor: Image,
    donor_points: FloatArray,
    rng: np.random.Generator,
    p: BlendParams,
) -> Pair:
    """The face of ``donor`` in the place of ``face``'s, in its shape and near its colours."""
    moved = _brought(donor, donor_points, points, rng, p, p.donor)
    return _blend(face, _coloured(moved, face, points, rng, p), points, rng, p, p.donor)


def in_place(
    donor: Image,
    donor_points: FloatArray,
    points: FloatArray,
    rng: np.random.Generator,
    p: BlendParams,
) -> Image:
    """The face of ``donor`` in the shape and place of the one at ``points``, for ``put_over``.

    Once resampled, by a cubic: it is to be published afterwards, as sharp as its surroundings.
    """
    fitted = _fitted(points, rng, p, p.donor)
    wanted = face_warp.mapped(_shift(donor.shape[0], rng, p), fitted)
    return face_warp.warp(donor, donor_points, wanted, cv2.INTER_CUBIC)


def put_over(
    face: Image, points: FloatArray, placed: Image, rng: np.random.Generator, p: BlendParams
) -> Pair:
    """What ``in_place`` gave, published, in the place of ``face``'s and near its colours."""
    coloured = _coloured(_made_anew(placed, rng, p.donor), face, points, rng, p)
    return _blend(face, coloured, points, rng, p, p.donor, placed=True)


def reenact(
    face: Image, points: FloatArray, other: FloatArray, rng: np.random.Generator, p: BlendParams
) -> Pair:
    """``face`` with the expression of the face whose points are ``other``, most of it below."""
    wanted = face_warp.mapped(face_warp.affine_map(other, points), other)
    heights = height(points)
    share = np.where(
        heights <= heights[NOSE_BASE], rng.uniform(*BELOW_NOSE), rng.uniform(*ABOVE_NOSE)
    )
    shape = (points + share[:, None] * (wanted - points)).astype(np.float32)
    moved = _brought(face, points, shape, rng, p, p.expression)
    return _blend(face, moved, points, rng, p, p.expression)


def _brought(
    image: Image,
    points: FloatArray,
    wanted: FloatArray,
    rng: np.random.Generator,
    p: BlendParams,
    way: CopyParams,
) -> Image:
    """What lies at ``points`` brought to ``wanted``, as a forger's renderer brings it."""
    wanted = _fitted(wanted, rng, p, way)
    if wanted is not points:
        image = face_warp.warp(image, points, wanted)
    return _made_anew(image, rng, way)


def _fitted(
    points: FloatArray, rng: np.random.Generator, p: BlendParams, way: CopyParams
) -> FloatArray:
    return misfitted(points, rng, p.misfit) if rng.random() < way.misfit else points


def _made_anew(image: Image, rng: np.random.Generator, way: CopyParams) -> Image:
    return rerendered(image, rng) if rng.random() < way.rerendered else image


def _blend(
    target: Image,
    source: Image,
    points: FloatArray,
    rng: np.random.Generator,
    p: BlendParams,
    way: CopyParams,
    placed: bool = False,
) -> Pair:
    side = target.shape[0]
    if rng.random() >= way.plain:
        if rng.random() < 0.5:
            source = _alter(source, rng, p)
        else:
            target = _alter(target, rng, p)
    if not placed:
        shift = _shift(side, rng, p)
        moved = cv2.warpAffine(source, shift, (side, side), borderMode=cv2.BORDER_REPLICATE)
        source = np.asarray(moved, np.uint8)
    ratio = 1.0 if rng.random() < way.full else rng.choice(RATIOS)
    weights = (way.whole, way.no_forehead, way.mouth, way.eyes)
    soft = soft_mask(points, side, rng, weights, p.deformation, p.softness)
    mask = (soft * ratio).astype(np.float32)
    fake = np.asarray(cv2.blendLinear(source, target, mask, 1 - mask), np.uint8)
    return Pair(target, fake, mask)


def _alter(image: Image, rng: np.random.Generator, p: BlendParams) -> Image:
    """Other colours and less (or, by unsharp masking, more) detail."""
    # gray + saturation * (colour - gray), then mean + contrast * (colour - mean), then a shift.
    saturation = 1 + rng.uniform(-p.saturation, p.saturation)
    contrast = 1 + rng.uniform(-p.contrast, p.contrast)
    shift = 255 * rng.uniform(-p.colour, p.colour, 3) + 255 * rng.uniform(-p.colour, p.colour)
    matrix = np.empty((3, 4), np.float32)
    matrix[:, :3] = contrast * (saturation * np.eye(3) + (1 - saturation) / 3)
    matrix[:, 3] = (1 - contrast) * np.mean(cv2.mean(image)[:3]) + shift
    values = np.asarray(cv2.transform(image.astype(np.float32), matrix), np.float32)
    side = image.shape[0]
    smaller = max(8, round(side / rng.uniform(1, p.detail)))
    coarse = cv2.resize(values, (smaller, smaller), interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.5:
        values = np.asarray(coarse, np.float32)
    else:
        values += rng.uniform(0, 0.5) * (values - coarse)
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _shift(side: int, rng: np.random.Generator, p: BlendParams) -> NDArray[np.float64]:
    """The 2 x 3 matrix that moves a copy and makes it smaller or larger about its middle."""
    zoom = 1 + rng.uniform(-p.scale, p.scale)
    shift = rng.uniform(-p.shift, p.shift, 2) * side + (1 - zoom) * (side - 1) / 2
    return np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])


def _coloured(
    image: Image, face: Image, points: FloatArray, rng: np.random.Generator, p: BlendParams
) -> Image:
    """A donor's ``image`` some of the way, or all of it, to the colours of ``face``."""
    alike = _same_colours(image, face, hull(points, face.shape[0]) > 0)
    share = rng.uniform(p.matched, 1)
    coloured = image + share * (alike.astype(np.float32) - image)
    return np.rint(coloured).astype(np.uint8)


def _same_colours(image: Image, like: Image, where: NDArray[np.bool_]) -> Image:
    """Mean and spread of each channel of L*a*b* brought to those of ``like`` (Reinhard, 2001)."""
    ours = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    theirs = cv2.cvtColor(like, cv2.COLOR_RGB2LAB).astype(np.float32)
    mean, wanted = ours[where].mean(axis=0), theirs[where].mean(axis=0)
    gain = theirs[where].std(axis=0) / np.maximum(ours[where].std(axis=0), 1)
    values = (ours - mean) * gain + wanted
    mapped = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(mapped, cv2.COLOR_LAB2RGB))
