"""Whether anything but the manipulation tells real from fake.

If frame size, frame rate, encoder or the place of the chosen frames between two keyframes
differs between the classes, a detector can win by it and has learnt nothing.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from litefake.audit.findings import Finding
from litefake.layouts.rows import REAL

LEAST = 0.55  # balanced accuracy from which on a property is a tell, in any number of clips
DEVIATIONS = 3  # of chance, that it must also exceed
FEWEST = 6  # clips a class: of fewer, any property may divide the classes by chance
DEPTH, FOLDS = 3, 5
PROPERTIES = {
    "frame size": ["width", "height"],
    "frame rate": ["fps"],
    "codec settings": ["codec", "profile", "pixel_format", "settings"],
    "keyframe interval": ["keyframe_interval"],
    "GOP position": ["gop_positions"],
}


class Tell(NamedTuple):
    """How well one property alone tells a method's clips from real ones."""

    method: str
    property: str
    balanced_accuracy: float
    limit: float

    def finding(self) -> Finding | None:
        """None when it is no better than chance."""
        if self.balanced_accuracy < self.limit:
            return None
        percent = f"{100 * self.balanced_accuracy:.0f} %"
        text = f"{self.property} alone tells {self.method} from real in {percent} (chance: 50 %)"
        return Finding("tell", text, [self.method, self.property])


def tells(probes: pd.DataFrame) -> Iterator[Tell]:
    """Every method against the real class by every property. ``probes`` has one row a clip.

    Nothing where a method or the real class has less than FEWEST clips with that property.
    """
    reals = probes[probes["method"] == REAL]
    for method, fakes in probes[probes["method"] != REAL].groupby("method", sort=True):
        for name, columns in PROPERTIES.items():
            both = pd.concat([reals, fakes])[["key", "method", *columns]].explode(columns[-1])
            both = both.dropna(subset=columns[-1])
            clips = both.groupby("method")["key"].nunique()
            if len(clips) == 2 and clips.min() >= FEWEST:
                fake = both["method"] != REAL
                accuracy = _balanced_accuracy(both[columns], fake, both["key"])
                yield Tell(str(method), name, accuracy, _limit(*clips))


def _limit(ours: int, theirs: int) -> float:
    """The balanced accuracy that chance alone does not reach in so many clips of each class."""
    deviation = 0.25 * np.sqrt(1 / ours + 1 / theirs)
    return float(max(LEAST, 0.5 + DEVIATIONS * deviation))


def _balanced_accuracy(
    values: pd.DataFrame, fake: "pd.Series[bool]", clips: "pd.Series[str]"
) -> float:
    """Of a shallow tree on ``values``, cross-validated over ``clips``."""
    if (values.nunique() <= 1).all():
        return 0.5
    features = pd.get_dummies(values.infer_objects()).astype(float)
    tree = DecisionTreeClassifier(max_depth=DEPTH, class_weight="balanced", random_state=0)
    split = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    guessed = cross_val_predict(tree, features, fake, groups=clips, cv=split)
    right = pd.Series(guessed == fake.to_numpy(), index=fake.index)
    return float((right[fake.to_numpy()].mean() + right[~fake.to_numpy()].mean()) / 2)
