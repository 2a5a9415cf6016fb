"""Frames with a known face, for the benchmark of the detectors."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from litefake import params
from litefake.demo import DemoParams, filming, schedule
from litefake.demo.person import prepare
from litefake.faces import Box
from litefake.video import read_frames

POSES = 4  # of each person, spread over the take
CANVAS = (720, 1280)  # height and width, px, of the frames that show a face of a given size


class Shown(NamedTuple):
    """A frame (H, W, 3) uint8 RGB and the one face in it."""

    image: np.ndarray
    face: Box


def demo_frames() -> list[Shown]:
    """Rendered frames of the test people. The face is that of the mesh, hair line to chin."""
    p = params.section("demo", DemoParams)
    plan = schedule.plan(p.seed, p.split_sizes, 1, 0.0)
    shown = []
    for number in (person for pair in plan.pairs["test"] for person in pair):
        take = filming.stage_take(number, 0, p)
        poses = take.poses[:: max(1, len(take.poses) // POSES)][:POSES]
        rng = schedule.random_stream(p.seed, schedule.Purpose.SENSOR, number, 0)
        few = filming.Take(take.scene, poses)
        for one in filming.film(prepare(plan.people[number]), few, rng, p):
            low, high = one.shot.view.landmarks.min(axis=0), one.shot.view.landmarks.max(axis=0)
            x, y = one.window.left + low[0], one.window.top + low[1]
            box = Box(*(round(float(value)) for value in (x, y, *(high - low))))
            shown.append(Shown(one.frame, box))
    return shown


def clip_frames(path: Path, every: int) -> list[np.ndarray]:
    """One frame of ``every`` of a clip. Raises VideoUnreadable."""
    return [frame.image for frame in read_frames(path, range(0, 10**9, every))]


def at_size(shown: Shown, side: int) -> Shown:
    """The frame shrunk until its face is ``side`` px high, on a canvas of CANVAS.

    What the canvas has beyond the frame repeats the frame's edge: a hard edge would be
    something to detect. What does not fit is cut off about the face.
    """
    scale = side / shown.face.height
    rows, columns = CANVAS
    x, y = shown.face.x + shown.face.width / 2, shown.face.y + shown.face.height / 2
    height, width = shown.image.shape[:2]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(shown.image, size, interpolation=method)
    row = np.clip(np.arange(rows) - rows // 2 + round(y * scale), 0, size[1] - 1)
    column = np.clip(np.arange(columns) - columns // 2 + round(x * scale), 0, size[0] - 1)
    left, top = columns / 2 - shown.face.width * scale / 2, rows / 2 - side / 2
    face = Box(round(left), round(top), max(1, round(shown.face.width * scale)), side)
    return Shown(small[np.ix_(row, column)], face)
