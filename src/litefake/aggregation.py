"""What faces are grouped by: the clip that they are from, and its data set."""

import pandas as pd


def by_dataset(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each data set under its name; all of them under ``""`` when there is but one.

    A table has a column ``dataset`` only when a run uses several.
    """
    if "dataset" not in table:
        return [("", table)]
    return [(str(name), rows) for name, rows in table.groupby("dataset", sort=True)]


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
