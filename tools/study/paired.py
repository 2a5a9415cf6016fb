"""How far the AUC of a study's networks lies from that of one of them, with an interval.

Two networks err on the same faces, so the difference of their scores is known better than either
score: people are drawn once for both.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from litefake import metrics
from litefake.comparison import BenchmarkParams
from litefake.seeds import seed_of
from tools.study.declaration import Study
from tools.study.kept import Scores

COLUMNS = ["variant", "seeds", "difference", "low", "high"]
Drawn = NDArray[np.float64]


def differences(study: Study, scores: Scores, settings: BenchmarkParams) -> pd.DataFrame:
    """A row a variant: its AUC minus that of ``study.against`` with the same seed, mean of seeds.

    scores: by variant and seed, the test faces with ``label``, ``person``, ``probability``.
    ``low`` and ``high``: the 95 % interval over people, or over single faces when the data set
    names nobody; they are drawn once for both networks and all seeds. Empty when nothing is
    compared.
    """
    rows = []
    for variant in study.variants:
        pairs = [
            (table, scores[study.against, seed])
            for (name, seed), table in scores.items()
            if name == variant.name != study.against and (study.against, seed) in scores
        ]
        if pairs:
            rows.append([variant.name, len(pairs), *difference(pairs, settings)])
    return pd.DataFrame(rows, columns=COLUMNS)


def difference(
    pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]], settings: BenchmarkParams
) -> tuple[float, Any, Any]:
    """The mean AUC of the first of each pair less the second's, and its 95 % interval.

    It is over people, or over single faces where nobody is named. A table has ``path``,
    ``label``, ``person`` and ``probability``, all tables the same faces.
    """
    faces = pairs[0][0]
    if unnamed(faces):
        faces = faces.assign(person=faces["path"])
    same = all(list(table["path"]) == list(faces["path"]) for pair in pairs for table in pair)
    assert same, "networks of one comparison are judged on the same faces"
    answers = [tuple(table["probability"].to_numpy() for table in pair) for pair in pairs]

    def mean_gap(labels: NDArray[Any], drawn: Drawn) -> float:
        places = drawn.astype(np.int64)
        gaps = [
            roc_auc_score(labels, ours[places]) - roc_auc_score(labels, theirs[places])
            for ours, theirs in answers
        ]
        return float(np.mean(gaps))

    # Drawn are the faces' numbers, with which every network's answers are looked up.
    numbered = faces.assign(probability=np.arange(len(faces), dtype=np.float64))
    found = mean_gap(faces["label"].to_numpy(), numbered["probability"].to_numpy())
    seed = seed_of(settings.bootstrap_seed, "bootstrap")
    interval = metrics.bootstrap_interval(numbered, mean_gap, settings.bootstrap_samples, seed)
    return found, *(interval or (None, None))


def markdown(study: Study, found: pd.DataFrame) -> str:
    """The differences as Markdown; nothing when there are none."""
    if found.empty:
        return ""
    title = f"AUC against {study.against}"
    lines = [f"| {title} | seeds | difference | 95 % interval |", "| --- | --- | --- | --- |"]
    for row in found.itertuples():
        interval = "n/a" if pd.isna(row.low) else f"{row.low:+.3f} to {row.high:+.3f}"
        lines.append(f"| {row.variant} | {row.seeds} | {row.difference:+.3f} | {interval} |")
    return "\n".join(lines) + "\n\n"


def unnamed(faces: pd.DataFrame) -> bool:
    """Whether the data set says of no face whose it is."""
    return bool((faces["person"] == "").all())


def note(found: pd.DataFrame, scores: Scores) -> str:
    """What the interval is of; nothing when there is none."""
    if found.empty or found["low"].isna().all():
        return ""
    nobody = unnamed(next(iter(scores.values())))
    drawn = "single faces, for nobody is named," if nobody else "people"
    narrow = " Faces of one person or clip are alike, so it is too narrow." if nobody else ""
    return (
        f"* The interval of a difference is over {drawn} of the test split, drawn once for both "
        f"networks and all seeds; over other seeds nothing is drawn.{narrow}\n"
    )
