"""Measure where Haar's square lies between eyes and mouth, for the constants in landmarks.py.

    python -m tools.fit_face_box [CLIP ...]

The points are BlazeFace's, of both ranges. The fit is the median over the real clips of the
built-in data set's training people, where the Haar settings of params.yaml and BlazeFace find one
face each. Its residuals are measured there and on every CLIP that is named, beside what a fit on
that clip alone would give; nothing is fitted to these. Writes metrics/bench/face_box.json.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from litefake import errors, landmarks, params
from litefake.artifacts import write_json
from litefake.blazeface import FULL_RANGE, SHORT_RANGE, BlazeFaceDetector
from litefake.detectors import HaarDetector
from litefake.faces import Box, CropParams
from litefake.tracking import overlap
from litefake.video import read_frames
from tools.demo_clips import clips_of

OUT = Path("metrics/bench/face_box.json")
EVERY = 6  # frames of a demo clip
EVERY_OF_OTHERS = 10
VARIANTS = {"short range": SHORT_RANGE, "full range": FULL_RANGE}


class Pair(NamedTuple):
    """Right eye, left eye and mouth (3, 2) of a face, and Haar's square around it."""

    points: NDArray[np.floating]
    square: Box


def matched(
    clips: list[Path], every: int, haar: HaarDetector, blaze: BlazeFaceDetector
) -> Iterator[Pair]:
    """The face of every frame where each detector finds exactly one, and the same."""
    for clip in clips:
        for frame in read_frames(clip, range(0, 10**9, every)):
            squares, (faces, _) = haar.detect(frame.image), blaze.find(frame.image)
            if len(squares) == len(faces) == 1:
                points = faces[0][[2, 3, 5]]
                if overlap(landmarks.haar_square(*points), squares[0]) > 0.2:
                    yield Pair(points, squares[0])


def fitted(pairs: list[Pair]) -> tuple[float, float]:
    """ALONG and SIDES. Medians: Haar's square jumps by a step of its search now and then."""
    values = []
    for points, square in pairs:
        eyes = points[:2].mean(axis=0)
        way = points[2] - eyes
        middle = np.array([square.x, square.y]) + square.width / 2
        along = float((middle - eyes) @ way / (way @ way))
        values.append((along, square.width / landmarks.length(*points)))
    along, sides = np.median(values, axis=0)
    return round(float(along), 3), round(float(sides), 3)


def residuals(pairs: list[Pair]) -> dict[str, Any]:
    """What is left between our squares and Haar's, in shares of Haar's side.

    The median of each shift and error, and what nine in ten faces stay below, without its sign.
    """
    left = []
    for points, square in pairs:
        ours = landmarks.haar_square(*points)
        x = (ours.x - square.x + (ours.width - square.width) / 2) / square.width
        y = (ours.y - square.y + (ours.height - square.height) / 2) / square.width
        left.append((x, y, ours.width / square.width - 1, overlap(ours, square)))
    table = np.array(left)
    middle, most = np.median(table, axis=0), np.percentile(np.abs(table), 90, axis=0)
    shifts = {
        name: {"median": middle[column], "nine_in_ten": most[column]}
        for column, name in enumerate(("x", "y", "side"))
    }
    return {"faces": len(pairs), **shifts, "overlap_median": middle[3]}


def measured(pairs: list[Pair]) -> dict[str, Any]:
    """The residuals, and the constants that a fit on these faces alone would give."""
    return residuals(pairs) | {"alone": dict(zip(("along", "sides"), fitted(pairs), strict=True))}


def main(others: list[Path]) -> None:
    cv2.setNumThreads(1)
    haar = HaarDetector(params.section("faces", CropParams))
    people = [clip for clip, label in clips_of("train") if label == 0]  # one clip each
    pairs, ranges = [], {}
    for name, variant in VARIANTS.items():
        blaze = BlazeFaceDetector(variant)
        ours = list(matched(people, EVERY, haar, blaze))
        pairs += ours
        ranges[name] = {"demo": measured(ours)}
        for clip in others:
            found = list(matched([clip], EVERY_OF_OTHERS, haar, blaze))
            ranges[name][clip.stem] = measured(found)
    fit = dict(zip(("along", "sides"), fitted(pairs), strict=True))
    used = {"along": landmarks.ALONG, "sides": landmarks.SIDES}
    write_json(OUT, {"fit": fit, "in_use": used, "fitted_on_people": len(people), "ranges": ranges})
    print(OUT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    errors.run(lambda: main([Path(name) for name in sys.argv[1:]]))
