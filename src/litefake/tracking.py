"""Follow each face through a clip, so that everybody in it gets a score of their own."""

from collections.abc import Sequence
from dataclasses import dataclass

from litefake.faces import Box

MINIMUM_OVERLAP = 0.2  # intersection over union with the last box of the track
LONGEST_GAP = 3  # looked-at frames that a face may be missed in before it counts as another


@dataclass
class Track:
    """One face: where it was seen last, and in which look."""

    number: int
    last_look: int
    last_box: Box


class Tracker:
    """Give every box of every look to a track: greedily, the largest overlap first."""

    def __init__(self) -> None:
        self._open: list[Track] = []  # those that a face may still belong to
        self._looks = self._count = 0

    def look(self, boxes: Sequence[Box]) -> list[int]:
        """The number of the track of each of ``boxes``, all found in the next looked-at frame."""
        self._looks += 1
        self._open = [
            track for track in self._open if self._looks - track.last_look <= LONGEST_GAP + 1
        ]
        pairs = sorted(
            (
                (-overlap(track.last_box, box), track.number, index)
                for track in self._open
                for index, box in enumerate(boxes)
            ),
        )
        given: dict[int, int] = {}
        for negative, number, index in pairs:
            if -negative >= MINIMUM_OVERLAP and index not in given and number not in given.values():
                given[index] = number
        seen = {number: index for index, number in given.items()}
        for track in self._open:
            if track.number in seen:
                track.last_look, track.last_box = self._looks, boxes[seen[track.number]]
        for index, box in enumerate(boxes):
            if index not in given:
                given[index] = self._count
                self._open.append(Track(self._count, self._looks, box))
                self._count += 1
        return [given[index] for index in range(len(boxes))]


def overlap(first: Box, second: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width = min(first.x + first.width, second.x + second.width) - max(first.x, second.x)
    height = min(first.y + first.height, second.y + second.height) - max(first.y, second.y)
    shared = max(width, 0) * max(height, 0)
    return shared / (first.width * first.height + second.width * second.height - shared)
