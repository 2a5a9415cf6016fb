"""What ``litefake detect`` says of a clip, as JSON with a stable, versioned schema.

docs/report.md describes every key; SCHEMA changes when one of them does.
"""

import functools
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, TypedDict

import av
import cv2

from litefake import detection, networks, sightings, verdict
from litefake.artifacts import digest
from litefake.card import Card
from litefake.detection import Looks, Progress
from litefake.errors import LitefakeError, VideoUnreadable
from litefake.layouts.rows import IMAGE_SUFFIXES, VIDEO_SUFFIXES, below
from litefake.networks import Network
from litefake.shipped import FaceDetector
from litefake.verdict import Verdict
from litefake.video import READABLE

SCHEMA = "litefake-report-1"
SUFFIXES = IMAGE_SUFFIXES | VIDEO_SUFFIXES


@dataclass(frozen=True)
class Judge:
    """A loaded model and what a report says of it."""

    path: Path
    model: Network
    card: Card
    sha256: str

    @classmethod
    def load(cls, path: Path | str, threads: int | None = None) -> "Judge":
        """``threads``: every core if None. Raises ModelUnreadable."""
        model, card = networks.load(path, threads)
        return cls(Path(path), model, card, digest(path))

    def behind(self, detector: FaceDetector | None) -> "Judge":
        """The same judge behind another detector than that of its training; None: behind that.

        Every detector answers with the same box, so that a model is valid behind each.
        """
        if detector is None:
            return self
        crop = self.card.crop.model_copy(update={"detector": detector, "detector_file": ""})
        return replace(self, card=self.card.model_copy(update={"crop": crop}))

    @property
    def rule(self) -> verdict.Rule:
        """The threshold, and of how many px the square of a face must be to be called real."""
        return verdict.Rule(self.card.threshold, verdict.SMALLEST * self.card.image_size)

    def describe(self) -> dict[str, Any]:
        """The ``model`` part of a report."""
        return {
            "file": self.path.name,
            "sha256": self.sha256,
            "architecture": self.card.architecture,
            "parameters": self.model.parameters,
            "runtime": self.model.describe(),
            "image_size": self.card.image_size,
            "detector": self.card.crop.detector,
            "trained_on": self.card.trained_on,
        }


class Row(TypedDict):
    """A line of ``--csv``, without the file and its error."""

    verdict: str
    probability: float | None
    low: float | None
    high: float | None
    fake_rate: float | None
    frames: int
    faces: int
    frames_without_face: int
    bad_packets: int
    damaged_frames: int
    truncated: bool
    reason: str
    seconds: float


ROW = tuple(Row.__annotations__)  # its columns, also of a table where every file failed


@dataclass(frozen=True)
class Judgement:
    """A judged file: what was seen, what it means, how long that took."""

    path: Path
    looks: Looks
    verdict: Verdict
    seconds: float

    def line(self) -> str:
        """The verdict in one line, with the damage that was met."""
        health = self.looks.health
        damage = [f"{health.bad_packets} damaged packets"] if health.bad_packets else []
        damage += [f"{health.concealed} damaged frames"] if health.concealed else []
        damage += ["the clip ends early"] if health.truncated else []
        said = f"{self.verdict.answer.upper()}, {self.verdict.reason}"
        return f"{said} ({' and '.join(damage)})" if damage else said

    def row(self) -> Row:
        """The figures of one line of the table that ``--csv`` writes."""
        decided, health = self.verdict, self.looks.health
        low, high = decided.interval or (None, None)
        return {
            "verdict": decided.answer,
            "probability": decided.probability,
            "low": low,
            "high": high,
            "fake_rate": decided.fake_rate,
            "frames": len(self.looks.looked),
            "faces": len(self.looks.faces),
            "frames_without_face": self.looks.without_face,
            "bad_packets": health.bad_packets,
            "damaged_frames": health.concealed,
            "truncated": health.truncated,
            "reason": decided.reason,
            "seconds": self.seconds,
        }

    def as_dict(self, judge: Judge) -> dict[str, Any]:
        """The report of SCHEMA. Times in seconds, places in pixels of the upright frame."""
        threshold = judge.card.threshold
        return {
            "schema": SCHEMA,
            "file": self.path.name,
            "verdict": self.verdict.answer,
            "reason": self.verdict.reason,
            "fake_rate": self.verdict.fake_rate,
            "probability": self.verdict.probability,
            "interval": self.verdict.interval,
            "threshold": threshold,
            "frames": len(self.looks.looked),
            "frames_decoded": self.looks.health.frames,
            "faces": len(self.looks.faces),
            "frames_without_face": self.looks.without_face,
            "bad_packets": self.looks.health.bad_packets,
            "damaged_frames": self.looks.health.concealed,
            "truncated": self.looks.health.truncated,
            "tracks": [track._asdict() for track in self.verdict.tracks],
            "timeline": sightings.records(self.looks.faces),
            "model": judge.describe(),
            "seconds": round(self.seconds, 3),
        }


def judge_file(
    path: Path | str, judge: Judge, every: int, progress: Progress | None = None
) -> Judgement:
    """Judge a clip, or a still image when its name ends like one.

    A still has no interval: one face decides. Raises LitefakeError.
    """
    started = time.perf_counter()
    path = Path(path)
    if not path.is_file():
        problem = "is no regular file; save it as one" if path.exists() else "no such file"
        raise LitefakeError(f"{path}: {problem}")
    try:
        looks, decided = _look_and_decide(path, judge, every, progress)
    except MemoryError:
        raise VideoUnreadable(f"{path}: takes more memory than there is; scale it down") from None
    except (av.error.FFmpegError, cv2.error) as error:
        # Libraries that read a hostile file; no list of what they may say is complete.
        raise VideoUnreadable(f"{path}: cannot be read ({error}); {READABLE}") from None
    return Judgement(path, looks, decided, time.perf_counter() - started)


def _look_and_decide(
    path: Path, judge: Judge, every: int, progress: Progress | None
) -> tuple[Looks, Verdict]:
    if path.suffix.lower() in IMAGE_SUFFIXES:
        looks = detection.look_at_image(path, judge.model, judge.card)
        return looks, verdict.decide(looks.faces, judge.rule, minimum_faces=1)
    minimum = 2 * verdict.MINIMUM_FACES
    looks = detection.look(path, judge.model, judge.card, every, minimum, progress)
    return looks, verdict.decide(looks.faces, judge.rule)


def judge_in_pool(
    path: Path, model: Path, every: int, detector: FaceDetector | None
) -> "Judgement | str":
    """``judge_safely`` in one of several processes, which share the cores."""
    return judge_safely(path, _judge_of(model).behind(detector), every)


def judge_safely(
    path: Path, judge: Judge, every: int, progress: Progress | None = None
) -> "Judgement | str":
    """``judge_file``, but an error comes back as its one line."""
    try:
        return judge_file(path, judge, every, progress)
    except LitefakeError as error:
        return " ".join(str(error).split())


@functools.cache
def _judge_of(model: Path) -> Judge:
    return Judge.load(model, threads=1)


def files_of(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Each of ``paths``, or every clip and image below it that is not hidden; and what else is.

    Both in order, no file twice. Raises LitefakeError, and OSError when a folder cannot be listed.
    """
    found, others = zip(*(_files_of(path) for path in paths), strict=True)
    return _each_once(chain.from_iterable(found)), _each_once(chain.from_iterable(others))


def _each_once(paths: Iterable[Path]) -> list[Path]:
    found: dict[Path, Path] = {}
    for path in paths:
        found.setdefault(path.parent.resolve() / path.name, path)  # two links are two names
    return list(found.values())


def _files_of(path: Path) -> tuple[list[Path], list[Path]]:
    if not path.exists():
        raise LitefakeError(f"{path}: no such file")
    if not path.is_dir():
        return [path], []
    everything = sorted(below(path))
    found = [one for one in everything if one.suffix.lower() in SUFFIXES]
    if not found:
        raise LitefakeError(f"{path}: no clip and no image in this folder")
    return found, [one for one in everything if one.suffix.lower() not in SUFFIXES]
