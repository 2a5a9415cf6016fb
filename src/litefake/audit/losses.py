"""How many faces the detector would lose in each method."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
import pandas as pd

from litefake import images
from litefake.audit.findings import Finding
from litefake.detectors import detector
from litefake.errors import VideoUnreadable
from litefake.extraction import SamplingParams
from litefake.faces import CropParams
from litefake.layouts.rows import IMAGE_SUFFIXES, REAL
from litefake.parallel import killed
from litefake.video import count_packets, read_frames

FRAMES = 3  # looked at in a clip
MOST_LOST = 0.25  # share of a method's frames without a face
FEWEST = 6  # frames that say anything of a method


class Look(NamedTuple):
    """What was seen of one clip: frames looked at, those without a face, and what went wrong."""

    method: str
    frames: int = 0
    lost: int = 0
    error: str = ""


class Loss(NamedTuple):
    """Frames of a method that were looked at, and those of them without a face."""

    method: str
    frames: int
    lost: int

    def finding(self) -> Finding | None:
        """None when most faces are found, or hardly a frame was looked at."""
        if self.frames < FEWEST or self.lost <= MOST_LOST * self.frames:
            return None
        text = f"no face in {self.lost} of {self.frames} frames of {self.method}"
        return Finding("faces_lost", f"{text}; see faces in params.yaml", [self.method])


def sample(clips: pd.DataFrame, per_method: int) -> pd.DataFrame:
    """At most ``per_method`` clips of each method, evenly taken."""
    parts = []
    for _, rows in clips.groupby("method", sort=True):
        count = min(len(rows), per_method)
        parts.append(rows.iloc[np.linspace(0, len(rows) - 1, count).round().astype(int)])
    return pd.concat(parts) if parts else clips


def look(clip: dict[str, Any], root: Path, sampling: SamplingParams, crop: CropParams) -> Look:
    """Search for faces in a few frames of one clip."""
    try:
        pictures = list(_pictures(clip, root, sampling))
    except (VideoUnreadable, av.error.FFmpegError, cv2.error, MemoryError) as error:
        said = str(error) or type(error).__name__
        return Look(clip["method"], error=f"{root / clip['path']}: {said.splitlines()[0]}")
    lost = sum(not detector(crop).detect(picture) for picture in pictures)
    return Look(clip["method"], len(pictures), lost)


def killed_by(clip: dict[str, Any]) -> Look:
    """The ``look`` of a clip that ended every process which searched it."""
    return Look(clip["method"], error=killed(clip["path"]))


def unsearched(looks: Sequence[Look]) -> Finding | None:
    """The clips in which no face could be looked for though they could be read."""
    errors = [look.error for look in looks if look.error]
    if not errors:
        return None
    text = f"clips in which no face could be looked for: {len(errors)}; the first: {errors[0]}"
    return Finding("unsearched", text, errors)


def losses(looks: Sequence[Look]) -> list[Loss]:
    """What ``look`` saw, over each method."""
    table = pd.DataFrame(looks, columns=list(Look._fields)).drop(columns="error")
    sums = table.groupby("method", sort=True).sum()
    return [Loss(str(name), int(row["frames"]), int(row["lost"])) for name, row in sums.iterrows()]


def _pictures(clip: dict[str, Any], root: Path, sampling: SamplingParams) -> Iterator[np.ndarray]:
    path = root / clip["path"]
    if path.suffix.lower() in IMAGE_SUFFIXES:
        image = images.read(path)
        if image is not None:
            yield image
        return
    rule = sampling.real if clip["method"] == REAL else sampling.fake
    chosen = rule.choose(count_packets(path), f"{sampling.seed}/{clip['key']}")
    few = np.linspace(0, len(chosen) - 1, min(FRAMES, len(chosen))).round().astype(int)
    wanted = frozenset(chosen[place] for place in few)
    for frame in read_frames(path, wanted):
        yield frame.image
