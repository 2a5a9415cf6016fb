"""Choose frames of every clip by the rule of its class, and count what cannot be read."""

import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import Field, model_validator

from litefake import images, parallel
from litefake.errors import VideoUnreadable
from litefake.params import Section
from litefake.video import Health, count_packets, read_frames

NAMED = 20  # lost clips in a message


class Rule(Section):
    """Which frames of a clip are taken: exactly one of the three."""

    every: int | None = Field(default=None, ge=1)  # each N-th frame, from the first
    random: int | None = Field(default=None, ge=1)  # N frames drawn without replacement
    spread: int | None = Field(default=None, ge=1)  # the middles of N equal parts

    @model_validator(mode="after")
    def _one(self) -> "Rule":
        if [self.every, self.random, self.spread].count(None) != 2:
            raise ValueError("must have exactly one of the keys every, random, spread")
        return self

    def choose(self, count: int, seed: str) -> list[int]:
        """Ascending indices into ``count`` frames; ``seed`` matters to ``random`` alone."""
        if self.every is not None:
            return list(range(0, count, self.every))
        if self.random is not None:
            drawn = random.Random(seed).sample(range(count), min(self.random, count))
            return sorted(drawn)
        parts = min(self.spread or 0, count)
        return [(2 * part + 1) * count // (2 * parts) for part in range(parts)]


class SamplingParams(Section):
    """Frames taken per clip, by class, and how they are stored."""

    real: Rule
    fake: Rule
    seed: int = Field(ge=0)
    format: Literal["png", "jpg"]
    quality: int = Field(ge=1, le=100)  # of jpg
    # Share of a method's clips that may be lost; files from before this key keep working.
    max_unreadable: float = Field(default=0.05, ge=0, le=1)


@dataclass
class Extraction:
    """The frames written for one clip, or why there are none."""

    key: str
    method: str
    rows: list[dict[str, Any]] = field(default_factory=list)  # key, frame, seconds, path
    health: Health = field(default_factory=Health)
    error: str = ""
    killed: bool = False  # every process that read it died

    @property
    def final(self) -> bool:
        """Whether another try would find the same."""
        return not self.error


def killer(clip: dict[str, Any]) -> Extraction:
    """What is said of a clip that killed every process that read it."""
    return Extraction(clip["key"], clip["method"], error=parallel.killed(clip["key"]), killed=True)


def extract(
    clip: dict[str, Any], root: Path, folder: Path, real: str, p: SamplingParams
) -> Extraction:
    """Write the chosen frames of ``clip`` (key, method, path) to ``folder/<key>/``.

    ``real`` is the name of the real class. An unreadable clip is reported, not raised.
    """
    result = Extraction(clip["key"], clip["method"])
    rule = p.real if clip["method"] == real else p.fake
    path, seed = root / clip["path"], f"{p.seed}/{clip['key']}"
    try:
        expected = count_packets(path)
        _write_frames(result, path, rule.choose(expected, seed), folder, p)
        if result.health.frames != expected:
            # Some packets gave no frame: choose again among those that exist.
            shutil.rmtree(folder / result.key, ignore_errors=True)
            _write_frames(result, path, rule.choose(result.health.frames, seed), folder, p)
        if result.health.truncated:
            # What is left of it is not what was meant.
            end = f"truncated after {result.health.frames} frames; replace the file"
            raise VideoUnreadable(f"{result.key}: {end}")
    except VideoUnreadable as error:
        shutil.rmtree(folder / result.key, ignore_errors=True)
        result.rows, result.error = [], str(error)
    return result


def _write_frames(
    result: Extraction, path: Path, wanted: Sequence[int], folder: Path, p: SamplingParams
) -> None:
    result.rows, result.health = [], Health()
    for frame in read_frames(path, frozenset(wanted), result.health):
        name = f"{result.key}/{frame.index:06d}.{p.format}"
        images.write(folder / name, frame.image, p.quality)
        row = {"key": result.key, "frame": frame.index, "seconds": frame.seconds, "path": name}
        result.rows.append(row)


def index(clips: pd.DataFrame, extractions: Sequence[Extraction]) -> pd.DataFrame:
    """One row per written frame: the columns of ``clips``, then frame, seconds and path.

    Raises VideoUnreadable when every clip of a method is unreadable.
    """
    for method in dict.fromkeys(result.method for result in extractions):
        ours = [result for result in extractions if result.method == method]
        if all(result.error for result in ours):
            raise VideoUnreadable(f"{method}: all {len(ours)} clips unreadable; {ours[0].error}")
    rows = [row for result in extractions for row in result.rows]
    frames = pd.DataFrame(rows, columns=["key", "frame", "seconds", "path"])
    return clips.merge(frames, on="key", validate="one_to_many")


def check_losses(extractions: Sequence[Extraction], p: SamplingParams) -> None:
    """Raises VideoUnreadable when a method lost a larger share of its clips than allowed."""
    for method in dict.fromkeys(result.method for result in extractions):
        ours = [result for result in extractions if result.method == method]
        lost = [result for result in ours if result.error]
        if len(lost) > p.max_unreadable * len(ours):
            named = "; ".join(result.error for result in lost[:NAMED])
            more = f"; and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
            raise VideoUnreadable(
                f"{method}: {len(lost)} of {len(ours)} clips lost, frames.max_unreadable in"
                f" params.yaml allows {p.max_unreadable:g}; metrics/extract_frames.json names"
                f" all: {named}{more}"
            )


def summary(extractions: Sequence[Extraction]) -> dict[str, Any]:
    """Counts for the metrics file; every clip that is not whole is named."""
    unreadable = {result.key: result.error for result in extractions if result.error}
    truncated = [result.key for result in extractions if result.health.truncated]
    damaged = [r.key for r in extractions if r.health.bad_packets or r.health.concealed]
    killers = [result.key for result in extractions if result.killed]
    per_method: dict[str, dict[str, int]] = {}
    for result in extractions:
        counts = per_method.setdefault(result.method, {"videos": 0, "frames": 0, "unreadable": 0})
        counts["videos"] += 1
        counts["frames"] += len(result.rows)
        counts["unreadable"] += bool(result.error)
    return {
        "videos": len(extractions),
        "frames": sum(len(result.rows) for result in extractions),
        # Of no chosen frame's group: damage within them is not looked for.
        "frames_not_decoded": sum(result.health.skipped for result in extractions),
        "unreadable": len(unreadable),
        "unreadable_videos": unreadable,
        "killed_their_process": len(killers),
        "killed_their_process_videos": killers,
        "truncated": len(truncated),
        "truncated_videos": truncated,
        "damaged": len(damaged),
        "damaged_videos": damaged,
        "per_method": per_method,
    }
