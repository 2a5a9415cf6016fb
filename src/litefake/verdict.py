"""From the scored faces of a clip to one answer: real, fake, or undecided with its reason."""

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from litefake.sightings import Sightings, by_track

Answer = Literal["real", "fake", "undecided"]
MINIMUM_FACES = 4
BLOCK_SECONDS = 0.5  # faces nearer in time than this are taken as one observation
MINIMUM_BLOCKS = 4
DRAWS = 2000
DRAWN_AT_ONCE = 1 << 20  # blocks: a day of one face has 170,000, 2,000 times drawn
LEVEL = 90  # per cent, of the interval
EVEN = 0.5  # a threshold above it spares false alarms; what lies between is not called real

# Of the side of the images that a model sees. Of fakes shrunk to less than that and enlarged again
# the packaged model calls most real (docs/model-card.md, "Small faces").
SMALLEST = 0.5


class TrackVerdict(NamedTuple):
    """One face followed through the clip: its faces, span, mean probability and interval."""

    track: int
    faces: int
    first_frame: int
    last_frame: int
    side: float  # px, the median of its squares
    probability: float
    low: float
    high: float
    fake_rate: float  # share of its faces at or above the threshold


@dataclass(frozen=True)
class Verdict:
    """The answer on a clip and what it rests on.

    probability, interval: those of ``track``, the track most likely to be fake among those
        with enough faces; all None when nothing was judged.
    fake_rate: share of all classified faces at or above the threshold.
    """

    answer: Answer
    reason: str
    tracks: list[TrackVerdict]
    fake_rate: float | None
    probability: float | None = None
    interval: tuple[float, float] | None = None
    track: int | None = None


class Rule(NamedTuple):
    """From which probability on a face is fake, and of how many px it must be to be real."""

    threshold: float
    smallest: float = 0.0

    def answer(self, probability: float, side: float = np.inf) -> Answer:
        """What is said of one face of ``side`` px alone, or of a mean without its interval."""
        if probability >= self.threshold:
            return "fake"
        real = called_real(probability, self.threshold) and side >= self.smallest
        return "real" if real else "undecided"


def judge_tracks(faces: Sightings, threshold: float) -> list[TrackVerdict]:
    """Every track of ``faces`` judged alone, in the order of their numbers."""
    found = []
    for number, ours in by_track(faces):
        low, high = interval(ours["seconds"], ours["probability"])
        one = TrackVerdict(
            track=number,
            faces=len(ours),
            first_frame=int(ours["frame"][0]),
            last_frame=int(ours["frame"][-1]),
            side=float(np.median(ours["side"])),
            probability=float(ours["probability"].mean()),
            low=low,
            high=high,
            fake_rate=float((ours["probability"] >= threshold).mean()),
        )
        found.append(one)
    return found


def decide(faces: Sightings, rule: Rule, minimum_faces: int = MINIMUM_FACES) -> Verdict:
    """The verdict on a clip by the mean probability of its most suspicious track.

    Undecided when no track has ``minimum_faces`` faces, when the interval of the deciding track
    spans the threshold, when its probability lies between EVEN and a higher threshold, or when it
    would be real and its squares are smaller than ``rule`` allows.
    """
    if not len(faces):
        return Verdict("undecided", "no face was found in the frames looked at", [], None)
    fake_rate = float((faces["probability"] >= rule.threshold).mean())
    tracks = judge_tracks(faces, rule.threshold)
    enough = [track for track in tracks if track.faces >= minimum_faces]
    if not enough:
        most = max(track.faces for track in tracks)
        reason = f"no face was seen in {minimum_faces} of the frames looked at (at most in {most})"
        return Verdict("undecided", reason, tracks, fake_rate)
    worst = max(enough, key=lambda track: track.probability)
    answer, reason = _compare(worst, rule)
    span = (worst.low, worst.high) if worst.faces > 1 else None
    return Verdict(answer, reason, tracks, fake_rate, worst.probability, span, worst.track)


def called_real(probability: Any, threshold: float) -> Any:
    """Whether a probability, or each of an array, means real: it is neither fake nor in between."""
    return (probability < threshold) & (probability <= EVEN)


def _compare(track: TrackVerdict, rule: Rule) -> tuple[Answer, str]:
    threshold = rule.threshold
    span = f"{LEVEL} % interval {track.low:.2f} to {track.high:.2f}"
    if track.low < threshold <= track.high:
        return "undecided", f"the {span} of its probability spans the threshold {threshold:.2f}"
    mean = f"probability {track.probability:.2f}"
    mean += f" ({span})" if track.faces > 1 else ""  # one look has no interval
    answer = rule.answer(track.probability, track.side)
    if answer == "fake":
        return answer, f"{mean} is at or above the threshold {threshold:.2f}"
    if not called_real(track.probability, threshold):
        return answer, f"{mean} says rather fake, but below the threshold {threshold:.2f}"
    if answer == "undecided":
        needed = f"{math.floor(track.side)} px, and {math.ceil(rule.smallest)} are needed"
        return answer, f"{mean} is low, but the face is too small to be called real: {needed}"
    low = "is not above one half" if threshold > EVEN else "is below the threshold"
    return answer, f"{mean} {low} (fake from {threshold:.2f} on)"


def interval(seconds: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[float, float]:
    """The interval of the mean of ``values`` under resampling of whole blocks of time.

    Non-overlapping block bootstrap (Carlstein, 1986): faces of neighbouring frames look
    alike, so blocks of BLOCK_SECONDS are drawn with replacement, not faces. Every face is a
    block of its own where times are unknown (NaN), or too near for MINIMUM_BLOCKS blocks: one
    block alone has no spread, and would make any verdict certain. Both arrays have shape N.
    """
    block = _blocks(seconds)
    sums = np.bincount(block, weights=values)
    sizes = np.bincount(block)
    random = np.random.default_rng(0)
    rows = max(1, DRAWN_AT_ONCE // len(sums))
    means = []
    for start in range(0, DRAWS, rows):
        drawn = random.integers(0, len(sums), (min(rows, DRAWS - start), len(sums)))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    low, high = np.percentile(np.concatenate(means), [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return float(low), float(high)


def _blocks(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """The number of the block that each face belongs to, from 0."""
    if np.isfinite(seconds).all():
        _, block = np.unique(np.floor(seconds / BLOCK_SECONDS), return_inverse=True)
        if block.max() + 1 >= MINIMUM_BLOCKS:
            return np.asarray(block, np.int64)
    return np.arange(len(seconds))
