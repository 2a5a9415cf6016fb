"""From the scored faces of a clip to one answer: real, fake, or undecided with its reason."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Answer = Literal["real", "fake", "undecided"]
MINIMUM_FACES = 4
BLOCK_SECONDS = 0.5  # faces nearer in time than this are taken as one observation
DRAWS = 2000
LEVEL = 90  # per cent, of the interval


@dataclass(frozen=True)
class Verdict:
    """``probability`` is that of the track most likely to be fake; None when nothing was judged."""

    answer: Answer
    reason: str
    probability: float | None
    interval: tuple[float, float] | None
    fake_rate: float | None  # share of all classified faces at or above the threshold


def judge_tracks(faces: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """One row a track: its faces, span, share called fake, mean probability and interval.

    ``faces`` has one row a classified face: ``track, frame, seconds, probability``.
    """
    rows = []
    for number, ours in faces.groupby("track", sort=True):
        low, high = interval(ours["seconds"].to_numpy(), ours["probability"].to_numpy())
        rows.append(
            {
                "track": number,
                "faces": len(ours),
                "first_frame": int(ours["frame"].iloc[0]),
                "last_frame": int(ours["frame"].iloc[-1]),
                "probability": float(ours["probability"].mean()),
                "low": low,
                "high": high,
                "fake_rate": float((ours["probability"] >= threshold).mean()),
            }
        )
    columns = ["track", "faces", "first_frame", "last_frame"]
    columns += ["probability", "low", "high", "fake_rate"]
    return pd.DataFrame(rows, columns=columns)


def decide(faces: pd.DataFrame, threshold: float, minimum_faces: int = MINIMUM_FACES) -> Verdict:
    """The verdict on a clip by the mean probability of its most suspicious track.

    Undecided when no track has ``minimum_faces`` faces, or when the interval of the deciding
    track spans ``threshold``.
    """
    if faces.empty:
        return Verdict("undecided", "no face was found in the frames looked at", None, None, None)
    fake_rate = float((faces["probability"] >= threshold).mean())
    tracks = judge_tracks(faces, threshold)
    enough = tracks[tracks["faces"] >= minimum_faces]
    if enough.empty:
        most = int(tracks["faces"].max())
        reason = f"no face was seen in {minimum_faces} of the frames looked at (at most in {most})"
        return Verdict("undecided", reason, None, None, fake_rate)
    worst = enough.loc[enough["probability"].idxmax()]
    probability, low, high = (float(worst[name]) for name in ("probability", "low", "high"))
    span = f"{LEVEL} % interval {low:.2f} to {high:.2f}"
    if low < threshold <= high:
        reason = f"the {span} of its probability spans the threshold {threshold:.2f}"
        return Verdict("undecided", reason, probability, (low, high), fake_rate)
    answer: Answer = "fake" if probability >= threshold else "real"
    side = "at or above" if answer == "fake" else "below"
    reason = f"probability {probability:.2f} ({span}) is {side} the threshold {threshold:.2f}"
    return Verdict(answer, reason, probability, (low, high), fake_rate)


def interval(seconds: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[float, float]:
    """The interval of the mean of ``values`` under resampling of whole blocks of time.

    Non-overlapping block bootstrap (Carlstein, 1986): faces of neighbouring frames look
    alike, so blocks of BLOCK_SECONDS are drawn with replacement, not faces. Times that are
    unknown (NaN) make every face a block of its own. Both arrays have shape N.
    """
    known = np.isfinite(seconds).all()
    labels = np.floor(seconds / BLOCK_SECONDS) if known else np.arange(len(values))
    _, block = np.unique(labels, return_inverse=True)
    sums = np.bincount(block, weights=values)
    sizes = np.bincount(block)
    drawn = np.random.default_rng(0).integers(0, len(sums), (DRAWS, len(sums)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.percentile(means, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return float(low), float(high)
