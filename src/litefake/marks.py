"""The marks of the faces of a clip: where they are in each frame, and how they are drawn."""

import functools
from bisect import bisect_right
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from litefake.faces import Square
from litefake.orientation import is_upright, upright
from litefake.sightings import Sightings, by_track
from litefake.verdict import Rule

# Okabe & Ito (2008): told apart in every common kind of colour blindness.
FAKE, REAL = (213, 94, 0), (0, 114, 178)
COLOURS = {"fake": FAKE, "real": REAL, "undecided": (89, 89, 89)}
FONT = cv2.FONT_HERSHEY_SIMPLEX

Colour = tuple[int, int, int]  # RGB
# A picture of yuv420p as the encoder takes it: brightness (H x W), below it two planes of colour
# at half the size, in the same rows; 3H/2 x W, uint8.
Planes = NDArray[np.uint8]


class Mark(NamedTuple):
    """One face in one frame: where it is and what was said of it."""

    square: Square
    probability: float


class Timeline:
    """Where each track is between two looks: its square moves in a straight line.

    ``faces`` is the table of ``detection.Looks``. A track is shown from its first to its
    last sighting; the probability is that of the latest look. Looks are placed by their time:
    where a clip is damaged, those who skip what they need not decode count other frames than
    those who decode all. Their numbers serve where the clip tells no times, or goes back in them.
    """

    def __init__(self, faces: Sightings) -> None:
        tracks = [ours for _, ours in by_track(faces)]
        told = not np.isnan(faces["seconds"]).any()
        self._timed = told and all((np.diff(ours["seconds"]) > 0).all() for ours in tracks)
        self._tracks = []
        for ours in tracks:
            squares = np.stack([ours[name] for name in ("x", "y", "side")], axis=1).astype(float)
            places = ours["seconds" if self._timed else "frame"].tolist()
            self._tracks.append((places, squares, ours["probability"].tolist()))

    def at(self, frame: int, seconds: float | None) -> list[Mark]:
        """The marks of frame number ``frame``, shown at ``seconds`` if the clip tells it."""
        place = seconds if self._timed else frame
        marks: list[Mark] = []
        if place is None:
            return marks
        for places, squares, values in self._tracks:
            if not places[0] <= place <= places[-1]:
                continue
            before = bisect_right(places, place) - 1
            after = min(before + 1, len(places) - 1)
            gap = places[after] - places[before]
            part = (place - places[before]) / gap if gap else 0.0
            x, y, side = (squares[before] * (1 - part) + squares[after] * part).round().astype(int)
            marks.append(Mark(Square(int(x), int(y), int(side)), values[before]))
        return marks


def planes_of(picture: Any) -> Planes:
    """A decoded frame, upright, in the colours of the copy; odd sides lose their last pixel.

    Most clips have these planes already: to RGB and back would cost as much as the decoding.
    """
    if has_planes(picture):
        return np.asarray(picture.to_ndarray(), np.uint8)
    return _to_planes(upright(picture))


def has_planes(picture: Any) -> bool:
    """Whether a decoded frame has the planes of the copy as it is."""
    even = picture.width % 2 == picture.height % 2 == 0
    return bool(picture.format.name == "yuv420p" and even and is_upright(picture))


def _to_planes(image: np.ndarray) -> Planes:
    height, width = (side // 2 * 2 for side in image.shape[:2])
    return np.asarray(cv2.cvtColor(image[:height, :width], cv2.COLOR_RGB2YUV_I420), np.uint8)


def draw(planes: Planes, marks: list[Mark], rule: Rule) -> None:
    """Draw each mark into ``planes``, in place. The label says in words what the colour says."""
    rows, columns = planes.shape[0] * 2 // 3, planes.shape[1]
    thick = max(2, rows // 480 * 2)
    for (x, y, side), probability in marks:
        answer = rule.answer(probability, side)
        colour = COLOURS[answer]
        for row in (y, y + side):
            _paste(planes, _solid(colour, thick, side + thick), x, row)
        for column in (x, x + side):
            _paste(planes, _solid(colour, side + thick, thick), column, y)
        label = _label(f"{answer.upper()} {probability:.2f}", colour, rows / 720 + 0.2, thick)
        left = max(min(x, columns - label.shape[1]), 0)  # all of it is to be read
        _paste(planes, label, left, max(y - label.shape[0], 0))


def _solid(colour: Colour, height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


@functools.lru_cache(64)
def _label(text: str, colour: Colour, scale: float, thick: int) -> np.ndarray:
    (width, height), below = cv2.getTextSize(text, FONT, scale, thick)
    label = _solid(colour, (height + below + thick) // 2 * 2, (width + thick) // 2 * 2)
    place, stroke = (0, label.shape[0] - below), max(1, thick // 2)
    cv2.putText(label, text, place, FONT, scale, (255, 255, 255), stroke, cv2.LINE_AA)
    return label


def _paste(planes: Planes, patch: np.ndarray, x: int, y: int) -> None:
    """Put ``patch`` (RGB) at the even pixel next to (x, y); what lies outside is cut off."""
    rows, columns = planes.shape[0] * 2 // 3, planes.shape[1]
    x, y = x // 2 * 2, y // 2 * 2
    inside = patch[max(-y, 0) : max(rows - y, 0), max(-x, 0) : max(columns - x, 0)]
    height, width = (side // 2 * 2 for side in inside.shape[:2])
    if not height or not width:
        return
    left, top = max(x, 0), max(y, 0)
    coded = _to_planes(np.ascontiguousarray(inside))
    planes[top : top + height, left : left + width] = coded[:height]
    colours = planes[rows:].reshape(2, rows // 2, columns // 2)  # a view: one plane, then another
    top, left, height, width = top // 2, left // 2, height // 2, width // 2
    colours[:, top : top + height, left : left + width] = coded[2 * height :].reshape(
        2, height, width
    )
