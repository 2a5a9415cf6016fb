"""Groups of pictures: which packets must be decoded to see the wanted frames of a clip.

Only what the bitstream says is believed, never the container's keyframe flag: a decoder that
starts at an H.264 IDR picture or at an H.265 random access picture needs nothing from before it
for the frames shown after it (ITU-T H.264, 7.4.1.2.4; H.265, 3.69 and 8.1.3).
"""

import bisect
import itertools
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

MAX_UNITS = 10_000  # of a packet; a 4K frame cut into single rows of blocks has a few hundred


class _Syntax(NamedTuple):
    """Of a codec: where avcC or hvcC keeps the size of lengths, and NAL unit types."""

    place: int
    shift: int  # of the type within the first byte
    mask: int
    slices: Collection[int]
    entries: Collection[int]  # slices of pictures that decoding may start at
    leading: Collection[int]  # slices of pictures shown before the entry that they follow
    parameters: Collection[int]
    refused: Collection[int]


# H.264, table 7-1: data partitions have no decoder. H.265, table 7-1: broken links and ends of
# a sequence make a decoder leave frames out.
SYNTAX = {
    "h264": _Syntax(4, 0, 31, (1, 5), (5,), (), (7, 8, 13, 15), (2, 3, 4)),
    "hevc": _Syntax(
        21, 1, 63, range(22), (19, 20, 21), (6, 7, 8, 9), (32, 33, 34), (16, 17, 18, 36, 37)
    ),
}


class Picture(NamedTuple):
    """One packet of a clip, in decoding order."""

    pts: int  # presentation time, in the stream's time base
    size: int  # bytes
    entry: bool  # decoding may start here
    leading: bool  # may be shown before the entry that it follows
    disposable: bool  # no other picture refers to it
    parameters: bytes  # parameter sets sent with the picture, mostly none


class Stretch(NamedTuple):
    """Pictures decoded in one go, by their place in decoding order."""

    feed: list[int]  # from an entry on
    shown: list[int]  # those that the decoder must show, by time


def picture(data: memoryview, pts: int | None, codec: str, extradata: bytes) -> Picture | None:
    """What a packet holds; None when it is damaged or not understood.

    ``extradata`` is the avcC or hvcC record of the container (ISO/IEC 14496-15).
    """
    syntax = SYNTAX.get(codec)
    if pts is None or syntax is None or len(extradata) <= syntax.place or extradata[0] != 1:
        return None
    units = list(_units(data, (extradata[syntax.place] & 3) + 1))
    if not all(units):
        return None
    types = [unit[0] >> syntax.shift & syntax.mask for unit in units]
    slices = {kind for kind in types if kind in syntax.slices}
    if not slices or not set(syntax.refused).isdisjoint(types):
        return None
    typed = list(zip(units, types, strict=True))
    return Picture(
        pts=pts,
        size=len(data),
        entry=slices <= set(syntax.entries),
        leading=slices <= set(syntax.leading),
        # H.265 tells no more than that no picture of the same layer refers to it.
        disposable=codec == "h264"
        and not any(unit[0] & 0x60 for unit, kind in typed if kind in slices),  # nal_ref_idc
        parameters=b"".join(unit for unit, kind in typed if kind in syntax.parameters),
    )


def _units(data: memoryview, length: int) -> Iterator[memoryview]:
    """The NAL units of a packet; an empty one in the place of what cannot be one.

    Or of one too many: millions of tiny units would take a hundred times the packet's memory.
    """
    start = found = 0
    while start < len(data):
        found += 1
        stop = start + length + int.from_bytes(data[start : start + length], "big")
        unit = data[start + length : stop]
        # The highest bit is forbidden_zero_bit.
        if not unit or stop > len(data) or unit[0] & 0x80 or found > MAX_UNITS:
            yield data[:0]
            return
        yield unit
        start = stop


def trusted(pictures: Sequence[Picture]) -> bool:
    """Whether the times tell each frame's number, and parameter sets do not change."""
    if not pictures or not pictures[0].entry or len({one.pts for one in pictures}) < len(pictures):
        return False
    first = entry = pictures[0].pts
    for one in pictures:
        if one.pts < (first if one.leading else entry):
            return False
        entry = one.pts if one.entry else entry
    return len({one.parameters for one in pictures} - {b""}) <= 1


def plan(pictures: Sequence[Picture], wanted: Collection[int]) -> list[Stretch]:
    """What to decode, in order, to see the ``wanted`` frames, which are numbered by time."""
    asked = [place for number, place in enumerate(by_time(pictures)) if number in wanted]
    entries = _entries(pictures)
    times = [pictures[entry].pts for entry in entries]
    spans: list[tuple[int, int]] = []
    for place in asked:
        start = entries[bisect.bisect_right(times, pictures[place].pts) - 1]
        stop = place + 1
        if spans and start < spans[-1][1]:
            before = spans.pop()
            start, stop = before[0], max(stop, before[1])
        spans.append((start, stop))
    return [_stretch(pictures, start, stop, frozenset(asked)) for start, stop in spans]


def by_time(pictures: Sequence[Picture]) -> list[int]:
    """The places of all pictures, in the order in which they are shown."""
    return sorted(range(len(pictures)), key=lambda place: pictures[place].pts)


def _entries(pictures: Sequence[Picture]) -> list[int]:
    """Places where decoding may start: no earlier picture is shown after them."""
    sent = any(one.parameters for one in pictures)
    latest = itertools.accumulate((one.pts for one in pictures), max)
    return [
        place
        for place, (one, last) in enumerate(zip(pictures, latest, strict=True))
        if place == 0 or (one.entry and one.pts == last and bool(one.parameters) == sent)
    ]


def _stretch(pictures: Sequence[Picture], start: int, stop: int, kept: frozenset[int]) -> Stretch:
    feed = [n for n in range(start, stop) if n in kept or not pictures[n].disposable]
    shown = [n for n in feed if pictures[n].pts >= pictures[start].pts]
    return Stretch(feed, sorted(shown, key=lambda n: pictures[n].pts))
