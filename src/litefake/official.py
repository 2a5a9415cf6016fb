"""Divide faces by the lists that a data set brings: the protocol ``official``."""

import pandas as pd

from litefake.aggregation import by_dataset
from litefake.errors import DataMissing
from litefake.seeds import seed_of


def require_lists(table: pd.DataFrame) -> None:
    """Raise DataMissing when no data set in ``table`` brings lists that name its test clips."""
    if (table["given_split"] == "").all():
        raise DataMissing(
            "split.protocol is official, but the data set has no splits/{train,val,test}.json "
            "that name its clips, and no other list; add them, or set split.protocol to identity "
            "in params.yaml"
        )
    if not (table["given_split"] == "test").any():
        raise DataMissing(
            "split.protocol is official, but the data set's lists name no test clip; add the "
            "test part, or set split.protocol to identity in params.yaml"
        )


def divide(faces: pd.DataFrame, val: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The faces that lists divide, with a column ``split``, and those of data sets without lists.

    A list that names test clips only (Celeb-DF) leaves validation open: whole people, a share
    ``val`` of those in its training part, are drawn for it. Raises DataMissing.
    """
    require_lists(faces)
    groups: dict[str, list[pd.DataFrame]] = {"whole": [], "no val": [], "none": []}
    for _, rows in by_dataset(faces):
        named = set(rows["given_split"])
        kind = "none" if "test" not in named else "whole" if "val" in named else "no val"
        groups[kind].append(rows)
    whole, open_, without = (_together(parts, faces) for parts in groups.values())
    listed = pd.concat([whole, _with_validation(open_, val, seed)])
    split = listed["given_split"].where(listed["given_split"] != "")
    return listed.assign(split=split), without


def _together(parts: list[pd.DataFrame], like: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(parts) if parts else like.iloc[:0]


def _with_validation(faces: pd.DataFrame, val: float, seed: int) -> pd.DataFrame:
    """``faces`` whose training part gives some of its people to validation.

    Whoever is drawn may still be the donor of a training fake: where everybody was swapped with
    everybody no division avoids it. ``splits.counts`` says how many people are shared.
    """
    training = faces["given_split"] == "train"
    people = sorted(set(faces.loc[training, "person"]))
    drawn = sorted(people, key=lambda person: seed_of(seed, "validation", person))
    chosen = faces["person"].isin(drawn[: round(val * len(people))])
    return faces.assign(given_split=faces["given_split"].mask(training & chosen, "val"))
