"""Let a finished model score a whole data set: every face, and what became of every file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from litefake import detection, images, report
from litefake.cropping import LONGEST
from litefake.errors import DataMissing, LitefakeError
from litefake.faces import Square, cut, whole
from litefake.layouts.rows import IMAGE_SUFFIXES
from litefake.manifest import REAL
from litefake.outputs import kept
from litefake.parallel import killed, map_items
from litefake.report import Judge, Judgement

READY = ("faces",)  # layouts whose images are crops already
CLIP = ["key", "method", "label", "person", "source_person", "control", "given_split", "path"]
FACE = ["frame", "seconds", "track", "x", "y", "side", "probability"]


@dataclass
class Outcome:
    """What the files of a data set gave.

    faces: one row a scored face: CLIP, FACE and ``biggest`` (of its frame).
    answers: one row a judged clip: ``path``, ``label`` and ``answer``, as ``detect`` gives it.
    """

    files: int
    left_out: int  # files of the data set in other parts, or in none
    passed_over: dict[str, int] = field(default_factory=dict)  # suffix: files of no row
    frames: int = 0
    frames_without_face: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)  # path: why
    without_face: list[str] = field(default_factory=list)  # paths
    truncated: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    faces: pd.DataFrame = field(default_factory=pd.DataFrame)
    answers: pd.DataFrame = field(default_factory=pd.DataFrame)

    def frame_scores(self) -> pd.DataFrame:
        """The rows of ``faces`` that stand for their frame: its biggest face, as in training."""
        return self.faces[self.faces["biggest"]].reset_index(drop=True)

    def counts(self) -> dict[str, Any]:
        """What was seen and what was lost, each lost file by name."""
        return {
            "files": self.files,
            "files_left_out": self.left_out,
            "files_passed_over": self.passed_over,
            "frames": self.frames,
            "frames_without_face": self.frames_without_face,
            "faces": len(self.faces),
            "faces_not_biggest": int((~self.faces["biggest"]).sum()),
            "unreadable": self.unreadable,
            "files_without_face": self.without_face,
            "truncated": self.truncated,
            "damaged": self.damaged,
        }


def part_of(table: pd.DataFrame, split: str | None) -> tuple[pd.DataFrame, str]:
    """The rows of a listing that belong to ``split``, with labels, and the split's name.

    None means the test part where the data set names parts, else all. A file whose people stand
    in different parts belongs to none. Raises DataMissing when nothing is left.
    """
    table = table.assign(label=(table["method"] != REAL).astype(int))
    named = (table["given_split"] != "").any()
    split = split or ("test" if named else "all")
    if split == "all":
        return table, split
    if not named:
        raise DataMissing("the data set names no parts (train, val, test); use --split all")
    rows = table[table["given_split"] == split]
    if rows.empty:
        parts = ", ".join(sorted(set(table["given_split"]) - {""}))
        raise DataMissing(
            f"the data set has no part {split}; there is {parts}: name one with "
            "--split, or all of them with --split all"
        )
    return rows, split


def evaluate(
    table: pd.DataFrame,
    root: Path,
    layout: str,
    judge: Judge,
    every: int,
    left_out: int = 0,
    keep: Callable[[pd.DataFrame], None] | None = None,
) -> Outcome:
    """Score every file of ``table``, a labelled listing with paths relative to ``root``.

    Clips and pictures go the way of ``litefake detect``: one frame of ``every``, every face
    in it. Ready crops are brought to the model's size whole. ``keep`` is called with the faces
    of the files done so far, now and then and also when it is stopped. Raises DataMissing when
    no file gave a face.
    """
    outcome = Outcome(len(table), left_out)
    see = _see_crops if layout in READY else _see_clips
    parts: list[pd.DataFrame] = []
    write = None if keep is None else lambda: keep(_joined(table, list(parts)))
    with kept(parts, write):
        parts.extend(see(outcome, table, root, judge, every))
    if not parts:
        first = next(iter(outcome.unreadable.values()), "no face was found in any file")
        raise DataMissing(f"{root}: nothing could be scored: {first}")
    outcome.faces = _joined(table, parts)
    outcome.answers = outcome.answers.reindex(columns=["path", "label", "answer"])
    return outcome


def _joined(table: pd.DataFrame, parts: list[pd.DataFrame]) -> pd.DataFrame:
    faces = pd.concat(parts, ignore_index=True)
    joined = table[CLIP].merge(faces, on="path", validate="one_to_many")
    return joined[[*CLIP, *FACE, "biggest"]]


def _see_clips(
    outcome: Outcome, table: pd.DataFrame, root: Path, judge: Judge, every: int
) -> Iterator[pd.DataFrame]:
    work = partial(report.judge_in_pool, model=judge.path, every=every, detector=None)
    files = [root / path for path in table["path"]]
    found = map_items(work, files, "evaluate", "file", lost=killed)
    answers = []
    for path, label, judged in zip(table["path"], table["label"], found, strict=True):
        if isinstance(judged, str):
            outcome.unreadable[path] = judged
            continue
        _count(outcome, path, judged)
        if Path(path).suffix.lower() not in IMAGE_SUFFIXES:
            answers.append({"path": path, "label": label, "answer": judged.verdict.answer})
        faces = pd.DataFrame(judged.looks.faces)
        if len(faces):
            yield faces[FACE].assign(path=path, biggest=_biggest(faces))
    outcome.answers = pd.DataFrame(answers)


def _count(outcome: Outcome, path: str, judged: Judgement) -> None:
    looks = judged.looks
    outcome.frames += len(looks.looked)
    outcome.frames_without_face += looks.without_face
    if not len(looks.faces):
        outcome.without_face.append(path)
    if looks.health.truncated:
        outcome.truncated.append(path)
    if looks.health.bad_packets or looks.health.concealed:
        outcome.damaged.append(path)


def _biggest(faces: pd.DataFrame) -> pd.Series:
    """Whether a face is the biggest of its frame, the first of equals."""
    chosen = faces.groupby("frame", sort=False)["side"].idxmax()
    return pd.Series(faces.index.isin(chosen), index=faces.index)


def _see_crops(
    outcome: Outcome, table: pd.DataFrame, root: Path, judge: Judge, every: int
) -> Iterator[pd.DataFrame]:
    paths = list(table["path"])
    starts = range(0, len(paths), detection.BATCH)
    # Without a terminal tqdm's None means no bar at all.
    for start in tqdm(starts, "evaluate", unit="batch", leave=False, disable=None):
        seen: dict[str, tuple[Square, np.ndarray]] = {}
        for path in paths[start : start + detection.BATCH]:
            try:
                seen[path] = _see_crop(root / path, judge.card.crop.size)
            except LitefakeError as error:
                outcome.unreadable[path] = str(error)
        if seen:
            outcome.frames += len(seen)
            squares, crops = zip(*seen.values(), strict=True)
            rows = pd.DataFrame(squares).assign(path=list(seen), frame=0, seconds=np.nan, track=0)
            scores = detection.probabilities(list(crops), judge.model, judge.card)
            yield rows.assign(probability=scores, biggest=True)


def _see_crop(path: Path, size: int) -> tuple[Square, np.ndarray]:
    """The square of a ready crop and its pixels at ``size``. Raises LitefakeError."""
    detection.require_bearable(path)  # of a bomb not even one is decoded
    image = images.read(path)
    if image is None:
        raise LitefakeError(f"{path}: cannot be read as an image")
    if max(image.shape) > LONGEST:
        raise LitefakeError(f"{path}: a side of more than {LONGEST} px")
    return whole(image), cut(image, whole(image), size)
