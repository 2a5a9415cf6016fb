"""Imitations of the five FF++ manipulations, and the null control.

Each takes what the camera saw of the target (``frame``, with sensor noise) and
renders of known geometry, all in one window around the face, and returns the
window's new content. docs/data-card.md says what each imitates and what it does not.
"""

from dataclasses import dataclass

import numpy as np

from litefake.demo.assets import FloatArray
from litefake.demo.blending import (
    blurred,
    feathered,
    hull_mask,
    match_colour,
    mix,
    resampled,
    seamless,
    similarity,
    warp,
)
from litefake.demo.render import View

Generator = np.random.Generator
FACE_WIDTH = 130
COLOUR_SHIFT = 0.6  # share of the difference in mean colour that FaceSwap removes
METHODS = ("Deepfakes", "Face2Face", "FaceShifter", "FaceSwap", "NeuralTextures")


@dataclass(frozen=True)
class Shot:
    """The target in the window: ``frame`` as filmed, ``view`` without noise, its noise."""

    frame: FloatArray
    view: View
    noise: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the window in pixels."""
        return self.frame.shape[1], self.frame.shape[0]

    @property
    def unit(self) -> float:
        """A length of one pixel on a face FACE_WIDTH pixels wide."""
        return float(np.ptp(self.view.landmarks[:, 0])) / FACE_WIDTH

    def soft_edge(self, mask: FloatArray, inset: float, feather: float) -> FloatArray:
        """``mask`` shrunk and feathered by lengths in units."""
        return feathered(mask, round(inset * self.unit), feather * self.unit)

    def hull(self, scale: float = 0.97) -> FloatArray:
        """The mask (H, W) of the face's convex hull."""
        return hull_mask(self.view.landmarks, self.frame.shape[:2], scale)


def deepfakes(
    shot: Shot, donor: View, rng: Generator, bottleneck: int, jitter: float
) -> FloatArray:
    """The donor through an auto-encoder's bottleneck, warped back and blended.

    ``bottleneck``: side in pixels of the aligned face that the auto-encoder gives;
    ``jitter``: error of the alignment in pixels, anew in every frame.
    """
    face = shot.view.landmarks
    side, centre = 1.3 * np.ptp(face[:, 0]), face.mean(axis=0)
    scale = bottleneck / side
    to_face = np.array([[scale, 0, 0], [0, scale, 0]], np.float32)
    to_face[:, 2] = bottleneck / 2 - scale * centre + scale * rng.normal(0, jitter, 2)
    aligned = similarity(donor.landmarks, face)
    small = warp(
        blurred(donor.image, 0.28 / scale),
        _chained(to_face, aligned),
        (bottleneck, bottleneck),
    )
    to_face[:, 2] = bottleneck / 2 - scale * centre
    decoded = warp(small, _inverse(to_face), shot.size, cubic=True)
    mask = shot.hull()
    decoded = match_colour(decoded, shot.frame, mask)
    cloned = seamless(shot.frame, decoded, feathered(mask, 2, 0))
    return mix(
        mix(shot.frame, decoded, shot.soft_edge(mask, 3, 3)), cloned, np.full_like(mask, 0.6)
    )


def face2face(shot: Shot, reenacted: View, rng: Generator, detail: float) -> FloatArray:
    """The target re-rendered with another's expression: resampled, a thin feather.

    ``detail``: share of the resolution that re-rendering keeps.
    """
    layer = resampled(reenacted.image, detail) * np.float32(rng.uniform(0.98, 1.02))
    layer = _filmed(layer, shot, rng, 0.5)
    return mix(shot.frame, layer, feathered(_solid(reenacted.face), 1, 1.2))


def faceswap(shot: Shot, donor: View, rng: Generator, feather: float) -> FloatArray:
    """The donor's texture on the target's geometry: an incomplete shift of the mean colour,
    a visible hull edge.

    ``feather``: width (sigma, pixels) of the blend at the hull's edge.
    """
    aligned = similarity(donor.landmarks, shot.view.landmarks)
    layer = warp(donor.image, aligned, shot.size)
    covered = warp(_solid(donor.face), aligned, shot.size)
    mask = feathered(np.minimum(covered, shot.hull()), 2, feather)
    matched = match_colour(layer, shot.frame, mask, contrast=False)
    layer += np.float32(COLOUR_SHIFT) * (matched - layer)
    return mix(shot.frame, _filmed(layer, shot, rng, 0.5), mask)


def neural_textures(shot: Shot, reenacted: View, rng: Generator, residue: float) -> FloatArray:
    """The lower face from a rendering network: half resolution, a residue, no seam.

    ``residue``: amplitude of the checkerboards that up-convolutions leave.
    """
    layer = resampled(reenacted.image, 0.5) + np.float32(residue) * _checkerboards(shot.size)
    layer = _filmed(layer.astype(np.float32), shot, rng, 0.5)
    return mix(shot.frame, layer, shot.soft_edge(_solid(reenacted.lower_face), 3, 4))


def faceshifter(shot: Shot, blended: View, rng: Generator, detail: float) -> FloatArray:
    """The donor's identity in the target's attributes: no seam, smooth detail.

    ``detail``: share of the finest detail that survives.
    """
    aligned = similarity(blended.landmarks, shot.view.landmarks)
    mask = shot.soft_edge(shot.hull(), 4, 6)
    layer = match_colour(warp(blended.image, aligned, shot.size), shot.frame, mask, False)
    soft = blurred(layer, 1.2)
    layer = _filmed(soft + np.float32(detail) * (layer - soft), shot, rng, 0.5)
    return mix(shot.frame, layer, mask)


def null_control(shot: Shot, rng: Generator) -> FloatArray:
    """The real face re-warped and blended back: resampled like a fake, yet nothing changed.

    The mask is one of those the methods use, the warp a small similarity there and back.
    """
    masks = (
        lambda: shot.soft_edge(shot.hull(), 3, 3),
        lambda: feathered(_solid(shot.view.face), 1, 1.2),
        lambda: shot.soft_edge(_solid(shot.view.lower_face), 3, 4),
        lambda: shot.soft_edge(shot.hull(), 4, 6),
    )
    angle, scale = rng.normal(0, 0.02), rng.uniform(0.85, 1.03)
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    there = np.array([[cosine, -sine, 0], [sine, cosine, 0]], np.float32)
    centre = shot.view.landmarks.mean(axis=0)
    there[:, 2] = centre - there[:, :2] @ centre + rng.normal(0, 1, 2)
    layer = warp(warp(shot.frame, there, shot.size), _inverse(there), shot.size)
    return mix(shot.frame, layer, masks[rng.integers(len(masks))]())


def _solid(mask: FloatArray) -> FloatArray:
    return (mask > 0.5).astype(np.float32)


def _checkerboards(size: tuple[int, int]) -> FloatArray:
    """The mean of boards of period 2, 4 and 8 pixels, (H, W, 1) in [-1, 1].

    Stacked up-convolutions of stride 2 leave one for each layer (Odena et al., 2016).
    """
    width, height = size
    rows, columns = np.indices((height, width))
    boards = [((rows >> level) + (columns >> level)) & 1 for level in range(3)]
    return np.asarray(2 * np.mean(boards, axis=0) - 1, np.float32)[..., None]


def _filmed(layer: FloatArray, shot: Shot, rng: Generator, share: float) -> FloatArray:
    """``layer`` with ``share`` of the target's sensor noise."""
    grain = rng.standard_normal(layer.shape, dtype=np.float32)
    return np.asarray(layer + np.float32(share * shot.noise) * grain)


def _chained(second: FloatArray, first: FloatArray) -> FloatArray:
    """The matrix (2, 3) that applies ``first``, then ``second``."""
    return np.hstack(
        [second[:, :2] @ first[:, :2], second[:, :2] @ first[:, 2:] + second[:, 2:]]
    ).astype(np.float32)


def _inverse(matrix: FloatArray) -> FloatArray:
    inverse = np.linalg.inv(matrix[:, :2].astype(np.float64))
    return np.hstack([inverse, -inverse @ matrix[:, 2:]]).astype(np.float32)
