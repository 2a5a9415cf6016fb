"""Three ways from a clip to its faces, each with its processor time by what was done."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from litefake import detectors, faces, images
from litefake.faces import CropParams
from litefake.video import Frame, read_frames

EVERY = 30  # frames, the published rule for real clips
# OpenCV's own values: no smallest face but the cascade's 24 px, at the frame's full size.
NAIVE = {"scale_factor": 1.1, "min_neighbors": 3, "min_size": 1e-6, "detection_width": 10**6}


class Times:
    """Processor seconds by the name of what was done, and the clock's in ``wall``."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._begun = time.perf_counter()

    @contextlib.contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Add the time of the block to ``name``."""
        started = time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - started

    def result(self, found: int) -> dict[str, Any]:
        """All times of a clip, their sum, and the faces found."""
        wall = time.perf_counter() - self._begun
        total = sum(self.seconds.values())
        return {"faces": found, **self.seconds, "cpu": total, "wall": wall}


def naive(clip: Path, folder: Path, p: CropParams) -> dict[str, Any]:
    """All frames to JPEG, then Haar at full size on the wanted ones."""
    times, found = Times(), 0
    haar = detectors.HaarDetector(p.model_copy(update=NAIVE))
    reader, count = cv2.VideoCapture(str(clip)), 0
    while True:
        with times.of("decode"):
            read, pixels = reader.read()
        if not read:
            break
        with times.of("store"):
            cv2.imwrite(str(folder / f"{count}.jpg"), pixels)
        count += 1
    for number in range(0, count, EVERY):
        with times.of("read"):
            image = images.read(folder / f"{number}.jpg")
        assert image is not None
        found += _crop(image, haar, folder / f"face{number}.png", p, times)
    return times.result(found)


def one_pass(clip: Path, folder: Path, p: CropParams) -> dict[str, Any]:
    """Wanted frames from the decoder to the face, without a file in between."""
    times, found = Times(), 0
    finder = detectors.detector(p)
    for frame in _decoded(clip, times):
        found += _crop(frame.image, finder, folder / f"face{frame.index}.png", p, times)
    return times.result(found)


def two_stages(clip: Path, folder: Path, p: CropParams) -> dict[str, Any]:
    """As the pipeline's two stages do it: wanted frames as PNG, then faces."""
    times, found, names = Times(), 0, []
    finder = detectors.detector(p)
    for frame in _decoded(clip, times):
        with times.of("store"):
            images.write(folder / f"{frame.index}.png", frame.image)
        names.append(frame.index)
    for name in names:
        with times.of("read"):
            image = images.read(folder / f"{name}.png")
        assert image is not None
        found += _crop(image, finder, folder / f"face{name}.png", p, times)
    return times.result(found)


def _decoded(clip: Path, times: Times) -> Iterator[Frame]:
    """The wanted frames of ``clip``; only the reader's own time is counted."""
    frames = read_frames(clip, range(0, 10**9, EVERY))
    while True:
        with times.of("decode"):
            frame = next(frames, None)
        if frame is None:
            return
        yield frame


def _crop(
    image: np.ndarray, finder: faces.Detector, path: Path, p: CropParams, times: Times
) -> bool:
    with times.of("detect"):
        square = faces.locate(image, finder, p.margin)
    if square is not None:
        with times.of("crop"):
            images.write(path, faces.cut(image, square, p.size))
    return square is not None
