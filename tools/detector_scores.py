"""What the settings of the detectors answer, and how far that is right."""

import itertools
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from litefake import detectors, faces
from litefake.faces import Box, CropParams, Detector
from litefake.tracking import overlap
from tools.mtcnn import Mtcnn

FACTORS, NEIGHBORS, WIDTHS = (1.1, 1.2, 1.3), (3, 5, 8), (320, 640)  # of Haar
SAME = 0.4  # least intersection over union of a face and the box that finds it
FOUND = 0.95  # of the frames: from here on a size of face counts as found


class Setting(NamedTuple):
    """A row of the table: its name, what searches, and whether faces are shrunk for it too."""

    name: str
    detector: Detector
    sized: bool


def settings(base: CropParams, yunet: str, mtcnn: bool) -> list[Setting]:
    """Haar over scale factor x neighbours x width, and the other detectors.

    ``yunet`` is the file of its model, "" for none; ``mtcnn`` adds MTCNN, with its own smallest
    face and with Haar's. Faces of every size are shown to those that stand for a detector.
    """

    def setting(name: str, sized: bool = True, **change: Any) -> Setting:
        haar = {"detector": "haar", "detector_file": ""}
        crop = base.model_copy(update=haar | change)
        return Setting(name, detectors.detector(crop), sized)

    haar = [
        setting(
            f"haar {factor} / {neighbors} / {width} px",
            sized=False,
            scale_factor=factor,
            min_neighbors=neighbors,
            detection_width=width,
        )
        for factor, neighbors, width in itertools.product(FACTORS, NEIGHBORS, WIDTHS)
    ]
    naive: Any = {"scale_factor": 1.1, "min_neighbors": 3, "detection_width": 10**6}
    haar += [
        setting("haar as in params.yaml"),
        setting("haar, min_size 0.05", min_size=0.05),
        setting("haar, naive", min_size=0.05, **naive),
    ]
    others = [setting(name, detector=name) for name in ("blazeface", "blazeface_full")]
    if yunet:
        others += [
            setting(f"yunet / {w} px", detector="yunet", detector_file=yunet, detection_width=w)
            for w in WIDTHS
        ]
    if mtcnn:
        others.append(Setting("mtcnn, faces from 20 px", Mtcnn(0), True))
        others.append(Setting(f"mtcnn, min_size {base.min_size}", Mtcnn(base.min_size), True))
    return haar + others


class Answers(NamedTuple):
    """What a setting says of frames, and its median processor time for one."""

    boxes: list[list[Box]]
    milliseconds: float


def ask(setting: Setting, images: Sequence[np.ndarray]) -> Answers:
    """Search ``images``. Processor time, not the clock's: another program may be running."""
    finder = setting.detector
    finder.detect(images[0])
    boxes, times = [], []
    for image in images:
        started = time.process_time()
        boxes.append(finder.detect(image))
        times.append(time.process_time() - started)
    return Answers(boxes, 1000 * statistics.median(times))


def agreed(answers: Sequence[Answers], frame: int) -> Box | None:
    """The median of every setting's biggest box in a frame; None when half find none."""
    biggest = [faces.biggest(answer.boxes[frame]) for answer in answers]
    boxes = [box for box in biggest if box is not None]
    if 2 * len(boxes) <= len(biggest):
        return None
    return Box(*(round(float(value)) for value in np.median(boxes, axis=0)))


def score(boxes: Sequence[list[Box]], truth: Mapping[int, Box]) -> dict[str, float]:
    """Share of the faces found, and boxes a frame that show none (a face's second box too).

    ``truth`` is the one face of the frames that count, by their place in ``boxes``.
    """
    hits = [[overlap(box, face) >= SAME for box in boxes[n]] for n, face in truth.items()]
    found = sum(any(hit) for hit in hits)
    false = sum(len(hit) - any(hit) for hit in hits)
    return {"found": found / len(truth), "false_a_frame": false / len(truth)}


def smallest(shares: Mapping[int, float]) -> int | None:
    """The smallest side from which on every size is found; ``shares`` found by side."""
    reached = None
    for side in sorted(shares, reverse=True):
        if shares[side] < FOUND:
            break
        reached = side
    return reached
