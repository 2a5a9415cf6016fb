"""The faces seen in a clip, as the table that everything after the detector reads.

A numpy array with named columns: pandas would take a second to import, for a few rows.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

COLUMNS = [
    ("frame", np.int64),
    ("seconds", np.float64),  # NaN when the clip does not tell
    ("track", np.int64),
    ("x", np.int64),  # px, like y and side: the square that was cut out
    ("y", np.int64),
    ("side", np.int64),
    ("probability", np.float64),
]
Sightings = NDArray[np.void]  # one row a face; columns by name: faces["track"]


def table(rows: Iterable[tuple[Any, ...]]) -> Sightings:
    """Rows with the values of COLUMNS, in that order."""
    return np.array(list(rows), dtype=COLUMNS)


def records(faces: Sightings) -> list[dict[str, Any]]:
    """A dictionary a row, of plain Python numbers."""
    names = faces.dtype.names or ()
    return [dict(zip(names, row, strict=True)) for row in faces.tolist()]


def by_track(faces: Sightings) -> list[tuple[int, Sightings]]:
    """Each track's number and its rows, in the order of the numbers."""
    return [(int(number), faces[faces["track"] == number]) for number in np.unique(faces["track"])]
