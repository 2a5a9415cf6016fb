"""The pictures whose faces ``tools.robustness`` searches, of each run that it measures.

Validation, not test: only the benchmark opens the test split, and the curves are compared with
each other, not with its table.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from litefake import dataset, images
from litefake.card import Card
from litefake.errors import DataMissing
from litefake.inputs import Image
from litefake.seeds import seed_of

SEED = 0
CLIPS, FRAMES = 60, 4  # of the built-in data; of each clip
PAIRS = 2  # of each person


class Clip(NamedTuple):
    """Pictures, H x W x 3, uint8, RGB, that are changed together; label 1 = fake."""

    label: int
    frames: list[Image]


Sample = Callable[[Path, Card], list[Clip]]  # from a run's folder and the card of its models


def clips(run: Path, _card: Card) -> list[Clip]:
    """FRAMES of each of up to CLIPS validation clips, both classes alike; of short ones fewer."""
    split = pd.read_csv(run / "data/split.csv", keep_default_na=False)
    split = split[split["split"] == "val"].sort_values(["key", "frame"])
    found = [rows for _, rows in split.groupby("key")]
    order = np.random.default_rng(SEED).permutation(len(found))
    chosen = []
    for label in (0, 1):
        ours = [found[index] for index in order if found[index]["label"].iloc[0] == label]
        chosen += ours[: CLIPS // 2]
    spread = [rows.iloc[spread_over(len(rows))] for rows in chosen]
    found = [Clip(int(rows["label"].iloc[0]), _read(run, rows)) for rows in spread]
    return [clip for clip in found if clip.frames]


def spread_over(length: int) -> list[int]:
    """FRAMES places of ``length``, evenly apart, none twice."""
    places = np.linspace(0, length - 1, min(FRAMES, length))
    return [int(place) for place in places.round()]


def _read(run: Path, rows: pd.DataFrame) -> list[Image]:
    frames = [images.read(run / "data/frames" / path) for path in rows["path"]]
    return [frame for frame in frames if frame is not None]


def pairs(run: Path, card: Card) -> list[Clip]:
    """Both halves of PAIRS pairs of every validation person, each a picture of its own.

    They are whole pictures as they were blended: what training does to a pair afterwards
    (``litefake.degradation``) is left to the changes. Raises DataMissing.
    """
    val = dataset.read_split(run / "data/faces", run / "data/split.csv", "val", card)
    if val.maker is None:
        raise DataMissing(f"{run}/data/faces: holds no portraits; run `make packaged` first")
    rows = val.table[(val.table["label"] == 1) & (val.table["draw"] < PAIRS)]
    found = []
    for path, draw in zip(rows["path"], rows["draw"], strict=True):
        pair = val.maker.pair(path, seed_of(SEED, "pair", path, int(draw)))
        found += [Clip(0, [pair.real]), Clip(1, [pair.fake])]
    return found
