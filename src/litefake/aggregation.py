"""From the faces of a clip to one score for the clip."""

import pandas as pd


def by_video(scores: pd.DataFrame) -> pd.DataFrame:
    """One row a clip: its ``method``, ``label``, ``person``, ``control`` and mean probability.

    ``scores`` has one row a face, with ``key`` (the clip) and ``probability``. ``key``
    holds method, target and source: several manipulations of one pair are several clips.
    """
    first = ["method", "label", "person", "control"]
    columns = {name: (name, "first") for name in first}
    grouped = scores.groupby("key", sort=True)
    return grouped.agg(
        **columns, faces=("probability", "size"), probability=("probability", "mean")
    ).reset_index()
