"""BlazeFace, run by OpenVINO on one thread (Bazarevsky et al., 2019, arXiv 1907.05047).

A single-shot network for a square picture. Every anchor, a point of a regular grid, gives one
score (a logit) and 16 offsets in input pixels: the centre of a box relative to the anchor, its
width and height, and six points relative to the anchor (right eye, left eye, nose, mouth,
right ear, left ear). Anchors have no size of their own (section 3.2 of the paper). Boxes that
overlap are averaged instead of suppressed, which steadies them in a video (section 3.3).

Thresholds and strides are those of the graphs that MediaPipe 0.10.21 ships beside the two
files; ``tools/build_face_detectors.py`` extracts the files, ``assets/NOTICE`` has the licence.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from litefake.faces import Box
from litefake.landmarks import haar_square
from litefake.tflite import Tflite

FloatArray = NDArray[np.floating]
COORDINATES = 16  # of an anchor: centre, size, six points
SAME_FACE = 0.3  # boxes with a larger intersection over union show one face
PART = 0.6  # side of the squares of the second look / longer side of the frame


@dataclass(frozen=True)
class Variant:
    """One of the published networks.

    grids: (stride in px, anchors a cell), in the order of the network's answers.
    """

    file: str
    size: int  # px, side of the input
    grids: tuple[tuple[int, int], ...]
    least_score: float  # probability of a face


SHORT_RANGE = Variant("face_detection_short_range.tflite", 128, ((8, 2), (16, 6)), 0.5)
FULL_RANGE = Variant("face_detection_full_range_sparse.tflite", 192, ((4, 1),), 0.6)


class Letterbox(NamedTuple):
    """Where a frame lies in the square that the network sees."""

    left: int  # px of the square
    top: int
    scale_x: float  # px of the square / px of the frame
    scale_y: float


def letterbox(image: NDArray[np.uint8], size: int) -> tuple[FloatArray, Letterbox]:
    """``image`` (H, W, 3) as the network wants it: (1, size, size, 3) float32 in [-1, 1].

    The longer side fills the square, the rest is black on both sides.
    """
    height, width = image.shape[:2]
    scale = size / max(height, width)
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    left, top = (size - columns) // 2, (size - rows) // 2
    square = np.full((1, size, size, 3), -1, np.float32)
    small = cv2.resize(image, (columns, rows), interpolation=method)
    square[0, top : top + rows, left : left + columns] = small.astype(np.float32) / 127.5 - 1
    return square, Letterbox(left, top, columns / width, rows / height)


def anchors(variant: Variant) -> FloatArray:
    """Centres (x, y) of all anchors in input pixels, row by row of each grid: (N, 2)."""
    grids = []
    for stride, count in variant.grids:
        middle = (np.arange(variant.size // stride) + 0.5) * stride
        y, x = np.meshgrid(middle, middle, indexing="ij")
        grids.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), count, axis=0))
    return np.concatenate(grids)


def decode(
    offsets: FloatArray, logits: FloatArray, points: FloatArray, least_score: float
) -> tuple[FloatArray, FloatArray]:
    """Faces (N, 8, 2) in input pixels, and their scores (N,), the best first.

    A face is eight points (x, y): top left and bottom right of its box, right and left eye,
    nose, mouth, right and left ear. ``offsets`` (A, 16) and ``logits`` (A,) are the network's
    answers, ``points`` (A, 2) the anchors. Faces that overlap are blended.
    """
    wanted = logits >= np.log(least_score / (1 - least_score))
    wanted &= np.isfinite(offsets).all(axis=1) & (offsets[:, 2:4] > 0).all(axis=1)
    scores = 1 / (1 + np.exp(-logits[wanted].astype(np.float64)))
    relative = offsets[wanted].astype(np.float64).reshape(-1, COORDINATES // 2, 2)
    centre, half = relative[:, :1], relative[:, 1:2] / 2
    corners = np.concatenate([centre - half, centre + half, relative[:, 2:]], axis=1)
    return blend(corners + points[wanted][:, None], scores)


def blend(faces: FloatArray, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """``faces`` (N, 8, 2) that show the same face as one, their mean weighted by ``scores`` (N,).

    The best face that is left takes all whose boxes overlap its own by more than SAME_FACE,
    and keeps its score.
    """
    order = np.argsort(-scores, kind="stable")
    blended, best = [], []
    while len(order):
        near = _overlap(faces[order[0], :2], faces[order, :2]) > SAME_FACE
        near[0] = True  # whatever rounding says
        ours = order[near]
        blended.append(np.average(faces[ours], axis=0, weights=scores[ours]))
        best.append(scores[order[0]])
        order = order[~near]
    return np.array(blended).reshape(-1, *faces.shape[1:]), np.array(best)


def parts(image: NDArray[np.uint8]) -> list[tuple[tuple[int, int], NDArray[np.uint8]]]:
    """Squares that cover ``image`` and overlap, with their corners (x, y)."""
    height, width = image.shape[:2]
    side = round(PART * max(height, width))
    tops, lefts = ([0] if length <= side else [0, length - side] for length in (height, width))
    return [
        ((x, y), np.ascontiguousarray(image[y : y + side, x : x + side]))
        for y in tops
        for x in lefts
    ]


def _overlap(box: FloatArray, others: FloatArray) -> FloatArray:
    """Intersection over union of ``box`` (2, 2), its corners, with each of ``others`` (N, 2, 2)."""
    sides = np.minimum(box[1], others[:, 1]) - np.maximum(box[0], others[:, 0])
    shared = np.maximum(sides, 0).prod(axis=1)
    areas = (others[:, 1] - others[:, 0]).prod(axis=1)
    return np.asarray(shared / ((box[1] - box[0]).prod() + areas - shared))


class BlazeFaceDetector:
    """A variant of BlazeFace that answers with squares like Haar's."""

    def __init__(self, variant: Variant) -> None:
        self._variant = variant
        self._anchors = anchors(variant)
        self._network = Tflite(variant.file)

    def detect(self, image: NDArray[np.uint8]) -> list[Box]:
        """Faces in ``image`` (height x width x 3, uint8, RGB), sorted by position."""
        return sorted(haar_square(*face[[2, 3, 5]]) for face in self.find(image)[0])

    def find(self, image: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        """What BlazeFace itself says: faces (N, 8, 2), as of ``decode`` but in pixels of
        ``image``, and their scores (N,).

        A frame without a face is looked at again in overlapping parts: a face that is a tenth of
        a wide frame is a sixth of its part, and the networks have a least size.
        """
        faces, scores = self._find(image)
        if len(faces):
            return faces, scores
        found = [(corner, self._find(part)) for corner, part in parts(image)]
        moved = [faces + np.array(corner) for corner, (faces, _) in found]
        return blend(np.concatenate(moved), np.concatenate([scores for _, (_, scores) in found]))

    def _find(self, image: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        square, place = letterbox(image, self._variant.size)
        offsets, logits = sorted(self._network(square), key=lambda answer: -answer.shape[-1])
        assert offsets.shape == (len(self._anchors), COORDINATES)
        faces, scores = decode(offsets, logits[:, 0], self._anchors, self._variant.least_score)
        corner, scale = np.array([place.left, place.top]), np.array([place.scale_x, place.scale_y])
        return (faces - corner) / scale, scores
