"""Fakes from real faces alone: a face blended into itself, or another's into it.

Self-blended images (Shiohara and Yamasaki, CVPR 2022, arXiv 2204.08376, section 3.2): of two
copies of one face, one is changed in colour, frequency content and place, and put back into the
other through a deformed, softened mask. What is left is what every face swap leaves, a seam
between two sources, with no face swap made. With a donor, the second copy is another person's
face brought to the same colours (face X-ray, Li et al., CVPR 2020, arXiv 1912.13458) and, point by
point, to the same shape (as FaceSwap brings a texture to a fitted model); with an expression it is
the face itself in the shape that another's mouth and eyes have (as Face2Face re-enacts a face).
"""

from typing import Literal, NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from litefake import face_warp
from litefake.params import Section

Image = NDArray[np.uint8]
FloatArray = NDArray[np.float32]
Region = Literal["whole", "no_forehead", "mouth", "eyes"]

# Points of MediaPipe's canonical face, as ``face_mesh`` finds them.
CHIN, FOREHEAD, NOSE_BASE = 152, 10, 2
BROWS = (70, 63, 105, 66, 107, 300, 293, 334, 296, 336)
RIGHT_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
LEFT_EYE = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
BELOW_NOSE, ABOVE_NOSE = (0.4, 1.2), (0.0, 0.5)  # share of another's expression that is taken
RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)  # of the second copy under the mask (the paper's)


class BlendParams(Section):
    """How two copies of a face are made to differ, and where they meet.

    The first six are relative weights and probabilities; but for ``matched`` the others are the
    largest change to either side, drawn uniformly.
    """

    whole: float = Field(ge=0)  # weights of the regions that are replaced
    no_forehead: float = Field(ge=0)
    mouth: float = Field(ge=0)
    eyes: float = Field(ge=0)
    donor: float = Field(ge=0, le=1)  # probability that another person is the second copy
    expression: float = Field(ge=0, le=1)  # that it is the face with another's expression
    matched: float = Field(ge=0, le=1)  # least share of the way to the face's colours, of a donor
    colour: float = Field(ge=0, lt=1)  # of each channel and of all, share of the range
    contrast: float = Field(ge=0, lt=1)
    saturation: float = Field(ge=0, lt=1)
    detail: float = Field(ge=1, le=8)  # a copy loses detail as if it were this many times smaller
    shift: float = Field(ge=0, lt=0.2)  # share of the picture's side
    scale: float = Field(ge=0, lt=0.5)
    deformation: float = Field(ge=0, lt=0.1)  # of the mask, share of the side
    softness: float = Field(gt=0, lt=0.2)  # of the mask's edge, share of the side

    @model_validator(mode="after")
    def _probabilities_sum(self) -> Self:
        if self.donor + self.expression > 1:
            raise ValueError("donor and expression together are above 1")
        return self


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
    return _blend(face, face, points, rng, p)


def swap(
    face: Image,
    points: FloatArray,
    donor: Image,
    donor_points: FloatArray,
    rng: np.random.Generator,
    p: BlendParams,
) -> Pair:
    """The face of ``donor`` in the place of ``face``'s, in its shape and near its colours."""
    moved = face_warp.warp(donor, donor_points, points)
    alike = _same_colours(moved, face, _hull(points, face.shape[0]) > 0)
    share = rng.uniform(p.matched, 1)
    coloured = moved + share * (alike.astype(np.float32) - moved)
    return _blend(face, np.rint(coloured).astype(np.uint8), points, rng, p)


def reenact(
    face: Image, points: FloatArray, other: FloatArray, rng: np.random.Generator, p: BlendParams
) -> Pair:
    """``face`` with the expression of the face whose points are ``other``, most of it below."""
    wanted = face_warp.mapped(face_warp.affine_map(other, points), other)
    height = _height(points)
    share = np.where(
        height <= height[NOSE_BASE], rng.uniform(*BELOW_NOSE), rng.uniform(*ABOVE_NOSE)
    )
    shape = (points + share[:, None] * (wanted - points)).astype(np.float32)
    return _blend(face, face_warp.warp(face, points, shape), points, rng, p)


def region_points(points: FloatArray, region: Region) -> FloatArray:
    """The points of (468, 2) whose hull is ``region``."""
    if region == "whole":
        return points
    height = _height(points)
    if region == "no_forehead":
        return np.asarray(points[height <= height[list(BROWS)].max()])
    if region == "mouth":  # all that moves with it: from under the nose to the chin
        return np.asarray(points[height <= height[NOSE_BASE]])
    return points[[*RIGHT_EYE, *LEFT_EYE, *BROWS]]


def _height(points: FloatArray) -> FloatArray:
    """How far up each point lies along the line from chin to forehead, px."""
    up = points[FOREHEAD] - points[CHIN]
    return np.asarray(points @ (up / np.linalg.norm(up)))


def _blend(
    target: Image, source: Image, points: FloatArray, rng: np.random.Generator, p: BlendParams
) -> Pair:
    side = target.shape[0]
    if rng.random() < 0.5:
        source = _alter(source, rng, p)
    else:
        target = _alter(target, rng, p)
    source = _move(source, rng, p)
    mask = _mask(points, side, rng, p) * rng.choice(RATIOS)
    mask = mask.astype(np.float32)
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


def _move(image: Image, rng: np.random.Generator, p: BlendParams) -> Image:
    side = image.shape[0]
    zoom = 1 + rng.uniform(-p.scale, p.scale)
    shift = rng.uniform(-p.shift, p.shift, 2) * side + (1 - zoom) * (side - 1) / 2
    matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
    moved = cv2.warpAffine(image, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _mask(points: FloatArray, side: int, rng: np.random.Generator, p: BlendParams) -> FloatArray:
    """A region of the face, its outline bent and softened on one side of itself or the other."""
    weights = np.array([p.whole, p.no_forehead, p.mouth, p.eyes])
    regions: tuple[Region, ...] = ("whole", "no_forehead", "mouth", "eyes")
    region = regions[rng.choice(4, p=weights / weights.sum())]
    mask = _hull(region_points(points, region), side)
    mask = _bend(mask, rng, p.deformation * side)
    # Blurred, cut at a level, blurred again: the level grows or shrinks the region (the
    # paper's erosion and dilation), the second blur is the edge that one sees.
    soft = _blur(mask, rng.uniform(0.5, 1) * p.softness * side)
    hard = (soft > rng.uniform(0.2, 0.8)).astype(np.float32)
    return _blur(hard, max(0.5, rng.uniform(0, 1) * p.softness * side))


def _blur(mask: FloatArray, sigma: float) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma), np.float32)


def _hull(points: FloatArray, side: int) -> FloatArray:
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


def _same_colours(image: Image, like: Image, where: NDArray[np.bool_]) -> Image:
    """Mean and spread of each channel of L*a*b* brought to those of ``like`` (Reinhard, 2001)."""
    ours = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    theirs = cv2.cvtColor(like, cv2.COLOR_RGB2LAB).astype(np.float32)
    mean, wanted = ours[where].mean(axis=0), theirs[where].mean(axis=0)
    gain = theirs[where].std(axis=0) / np.maximum(ours[where].std(axis=0), 1)
    values = (ours - mean) * gain + wanted
    mapped = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(mapped, cv2.COLOR_LAB2RGB))
