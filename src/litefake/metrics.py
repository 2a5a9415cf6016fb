"""How good scores are. ``*_score`` names of scikit-learn; higher is better unless an error.

Labels are 1 for fake; a face is called fake when its probability reaches the threshold.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from litefake.errors import DataMissing

Figure = Callable[[NDArray[Any], NDArray[Any]], float]


def equal_error_rate(labels: NDArray[Any], probability: NDArray[Any]) -> float:
    """The rate at which misses and false alarms are equal, on the ROC's straight lines.

    >>> equal_error_rate(np.array([0, 1, 0, 1]), np.array([0.1, 0.2, 0.3, 0.4]))
    0.5
    """
    false_rate, true_rate, _ = roc_curve(labels, probability)
    gap = false_rate - (1 - true_rate)
    after = int(np.argmax(gap >= 0))
    if gap[after] == 0 or after == 0:
        return float(false_rate[after])
    before = after - 1
    weight = -gap[before] / (gap[after] - gap[before])
    return float(false_rate[before] + weight * (false_rate[after] - false_rate[before]))


def summarise(scores: pd.DataFrame, threshold: float) -> dict[str, Any]:
    """Every figure of a table of scores with ``label``, ``method``, ``control``, ``probability``.

    Raises DataMissing when only one class is present: no figure would mean anything.
    """
    labels, probability = scores["label"].to_numpy(), scores["probability"].to_numpy()
    if len(set(labels)) < 2:
        raise DataMissing("only one class is present: AUC and balanced accuracy are undefined")
    right = (probability >= threshold) == labels
    right_at_half = (probability >= 0.5) == labels
    return {
        "accuracy": float(right.mean()),
        "accuracy_at_half": float(right_at_half.mean()),
        "balanced_accuracy": float((right[labels == 0].mean() + right[labels == 1].mean()) / 2),
        "auc": float(roc_auc_score(labels, probability)),
        "ap": float(average_precision_score(labels, probability)),
        "eer": equal_error_rate(labels, probability),
    }


def per_method(scores: pd.DataFrame, threshold: float) -> dict[str, dict[str, float | int | None]]:
    """Accuracy of each method's faces at both thresholds, and AUC of each method against all reals.

    The rows of null controls are taken out of the reals and given as ``control``.
    """
    right, right_at_half = (
        (scores["probability"] >= limit) == scores["label"] for limit in (threshold, 0.5)
    )
    group = scores["method"].where(~scores["control"].astype(bool), "control")
    reals = scores[scores["label"] == 0]
    figures: dict[str, dict[str, float | int | None]] = {}
    for name, rows in scores.groupby(group, sort=True):
        auc = None
        if rows["label"].all():
            both = pd.concat([reals, rows])
            auc = float(roc_auc_score(both["label"], both["probability"]))
        figures[str(name)] = {
            "faces": len(rows),
            "accuracy": float(right[rows.index].mean()),
            "accuracy_at_half": float(right_at_half[rows.index].mean()),
            "auc": auc,
        }
    return figures


def bootstrap_interval(
    scores: pd.DataFrame, figure: Figure, samples: int, seed: int, classes: int = 2
) -> list[float] | None:
    """The 2.5 and 97.5 percentiles of ``figure(labels, probability)`` over resampled people.

    Whole people are drawn with replacement (cluster bootstrap; Field & Welsh, 2007): the
    faces of one person are not independent. Draws with fewer than ``classes`` classes are left
    out. None when the table names fewer than two people, or no draw remains.
    """
    named = scores[scores["person"] != ""]
    numbers, names = pd.factorize(named["person"], sort=True)
    if len(names) < 2:
        return None
    labels, probability = named["label"].to_numpy(), named["probability"].to_numpy()
    random = np.random.default_rng(seed)
    values = []
    for _ in range(samples):
        people = random.integers(0, len(names), len(names))
        times = np.bincount(people, minlength=len(names))
        drawn = np.repeat(np.arange(len(named)), times[numbers])
        if len(np.unique(labels[drawn])) >= classes:
            values.append(figure(labels[drawn], probability[drawn]))
    if not values:
        return None
    low, high = np.percentile(values, [2.5, 97.5])
    return [float(low), float(high)]
