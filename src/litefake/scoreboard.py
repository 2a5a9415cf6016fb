"""From the scores of a data set to its figures, overall and method by method."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score

from litefake.aggregation import by_video
from litefake.layouts.rows import IMAGE_SUFFIXES
from litefake.metrics import Figure, bootstrap_interval, equal_error_rate
from litefake.seeds import seed_of
from litefake.verdict import called_real

ANSWERS = ("real", "undecided", "fake")


class Resampling(NamedTuple):
    """How the 95 % intervals are made: ``samples`` draws of whole units; 0 makes none."""

    samples: int
    seed: int = 0


def figures(
    frames: pd.DataFrame, threshold: float, resampling: Resampling, people_known: bool = True
) -> dict[str, Any]:
    """Figures over the rows of ``frames`` (key, method, label, person, control, probability).

    ``frames``: one score a frame. ``videos``: one a clip, the mean of its frames; None for
    pictures. ``unit`` is what the intervals resample: people; where ``people_known`` is False,
    and ``person`` names the original of a clip, all clips of an original; where nothing is
    named, single frames. The last two can make the intervals too narrow.
    """
    clips = frames[~frames["path"].map(_is_image)]
    named = bool((frames["person"] != "").all())
    unit = ("person" if people_known else "original") if named else "frame"
    if not named:
        frames = frames.assign(person=frames.index.astype(str))
    videos = by_video(frames.loc[clips.index])
    return {
        "unit": unit,
        "frames": _group(frames, threshold, resampling),
        "videos": _group(videos, threshold, resampling) if len(videos) else None,
    }


def _is_image(path: str) -> bool:
    return any(path.lower().endswith(suffix) for suffix in IMAGE_SUFFIXES)


def _group(scores: pd.DataFrame, threshold: float, resampling: Resampling) -> dict[str, Any]:
    """All together, the reals alone, and each method against all reals."""
    fakes, reals = scores[scores["label"] == 1], scores[scores["label"] == 0]
    methods = {
        str(name): _against_reals(pd.concat([reals, rows]), threshold, resampling)
        for name, rows in fakes.groupby("method", sort=True)
    }
    return {
        "all": _against_reals(scores, threshold, resampling),
        "methods": methods,
        "reals": _called_fake(reals, threshold, resampling),
        "controls": _called_fake(reals[reals["control"].astype(bool)], threshold, resampling),
    }


def _against_reals(scores: pd.DataFrame, threshold: float, resampling: Resampling) -> dict:
    labels, probability = scores["label"].to_numpy(), scores["probability"].to_numpy()
    found: dict[str, Any] = {"real": int((labels == 0).sum()), "fake": int((labels == 1).sum())}
    both = found["real"] > 0 and found["fake"] > 0
    ranking: dict[str, Figure] = {
        "auc": auc,
        "ap": lambda labels, scores: float(average_precision_score(labels, scores)),
        "eer": equal_error_rate,
    }
    found |= {
        name: figure(labels, probability) if both else None for name, figure in ranking.items()
    }
    found["auc_interval"] = _interval(scores, auc, resampling, 2) if both else None
    accuracy = partial(_accuracy, threshold=threshold)
    found["accuracy"] = accuracy(labels, probability)
    found["accuracy_interval"] = _interval(scores, accuracy, resampling, 1)
    detected = _called_fake(scores[labels == 1], threshold, resampling)
    return found | {
        "detected": detected["rate"],
        "detected_interval": detected["interval"],
        "missed": detected["called_real"],
    }


def _called_fake(scores: pd.DataFrame, threshold: float, resampling: Resampling) -> dict[str, Any]:
    """The share of ``scores`` at or above the threshold: false alarms, when they are reals.

    ``called_real``: the share that a verdict would call real; what lies between is undecided.
    """
    rate = partial(_rate, threshold=threshold)
    probability = scores["probability"]
    return {
        "count": len(scores),
        "rate": rate(None, probability) if len(scores) else None,
        "interval": _interval(scores, rate, resampling, 1),
        "called_real": float(called_real(probability, threshold).mean()) if len(scores) else None,
    }


def _interval(scores: pd.DataFrame, figure: Figure, resampling: Resampling, classes: int) -> Any:
    """None also when all draws give one figure, as of 3 right answers of 3: it is not certain."""
    seed = seed_of(resampling.seed, "bootstrap")
    found = bootstrap_interval(scores, figure, resampling.samples, seed, classes)
    return None if found is None or found[0] == found[1] else found


def auc(labels: NDArray[np.int64], probability: NDArray[np.float64]) -> float:
    """The area under the ROC by ranks (Mann and Whitney, 1947); ties count half.

    The same number as scikit-learn's ``roc_auc_score``, in a tenth of its time, which an
    interval of thousands of draws needs.
    """
    fake = labels == 1
    fakes, reals = int(fake.sum()), int((~fake).sum())
    above = rankdata(probability)[fake].sum() - fakes * (fakes + 1) / 2
    return float(above / (fakes * reals))


def _accuracy(labels: Any, probability: Any, threshold: float) -> float:
    return float(((probability >= threshold) == labels).mean())


def _rate(_: Any, probability: Any, threshold: float) -> float:
    return float((probability >= threshold).mean())


def answers(judged: pd.DataFrame) -> dict[str, dict[str, int]] | None:
    """How often ``detect`` says what, of real and of fake clips; None when there are none."""
    if judged.empty:
        return None
    return {
        name: {
            said: int((judged.loc[judged["label"] == label, "answer"] == said).sum())
            for said in ANSWERS
        }
        for label, name in ((0, "real"), (1, "fake"))
    }
