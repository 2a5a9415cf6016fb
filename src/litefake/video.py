"""Exact frames of a video, also of a damaged or hostile one.

A frame's index is its place, in presentation order, among the frames that can be decoded.
Neither the header's frame count nor the frame rate is trusted: a clip of variable frame
rate or cut short gives the same frames as its complete decoding, though what no wanted frame
needs is not decoded. Damage in there is not seen, and its pictures are counted as frames
(docs/decisions/frame-reader.md).
"""

import contextlib
import heapq
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition

from litefake import gops, group_reader
from litefake.errors import VideoUnreadable
from litefake.group_reader import Distrusted
from litefake.orientation import upright

MAX_PIXELS = 8192 * 4320
# Containers only: a playlist or a concat script named .mp4 would open other files.
FORMATS = "mov,matroska,avi"
READABLE = "MP4, MOV, Matroska, WebM and AVI can be read: replace or convert the file"
MAX_READ_ERRORS = 100
LENGTH = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d*)?)")
SLACK = 0.2  # s by which the last frame may end before its stream is said to


class FrameTooLarge(VideoUnreadable):
    """The frames of a video have more than MAX_PIXELS."""


@dataclass(frozen=True)
class Frame:
    """One decoded frame, upright."""

    index: int
    seconds: float  # presentation time; NaN when the file gives none
    image: np.ndarray  # height x width x 3, uint8, RGB


@dataclass
class Health:
    """What reading a video met. ``truncated``: it holds fewer packets than its index says."""

    frames: int = 0  # of the clip
    bad_packets: int = 0
    concealed: int = 0  # frames that the decoder marked as damaged
    truncated: bool = False
    # Frames that no wanted one needs: damage within them is not seen.
    skipped: int = field(default=0, compare=False)


def count_packets(path: Path | str) -> int:
    """Packets of the video stream: its number of frames when all of it can be decoded.

    Raises VideoUnreadable.
    """
    with opened(path) as (container, stream):
        packets = each_packet(container, stream, Health())
        return sum(packet.size > 0 and not packet.is_discard for packet in packets)


def read_frames(
    path: Path | str, wanted: Collection[int] | None = None, health: Health | None = None
) -> Iterator[Frame]:
    """Yield the ``wanted`` frames (all by default) in order, one in memory at a time.

    Groups of pictures without a wanted frame are not decoded, where the clip allows to number
    its frames without that; else all of it is. Broken packets are passed over and counted in
    ``health``, which is complete once the iterator is exhausted. Raises VideoUnreadable when
    no frame can be decoded.
    """
    health = Health() if health is None else health
    given = -1
    if wanted is not None:
        with contextlib.suppress(Distrusted), opened(path) as (container, stream):
            for index, shown in _by_groups(container, stream, wanted, health):
                yield _frame(path, index, shown)
                given = index
            return
    with opened(path) as (container, stream):
        health.frames = health.skipped = 0
        for shown in pictures(container, stream, health):
            index, health.frames = health.frames, health.frames + 1
            if index > given and (wanted is None or index in wanted):
                yield _frame(path, index, shown)
    if not health.frames:
        raise VideoUnreadable(f"{path}: no frame can be decoded; replace or remove the file")


def _by_groups(
    container: Any, stream: Any, wanted: Collection[int], health: Health
) -> Iterator[tuple[int, Any]]:
    """The wanted pictures, decoding only what they need. Raises Distrusted, also midway."""
    met = Health()
    listed = group_reader.listed(stream, each_packet(container, stream, met))
    if met != Health():
        raise Distrusted
    stretches = gops.plan(listed, wanted)
    health.frames = len(listed)
    health.skipped = len(listed) - sum(len(stretch.feed) for stretch in stretches)
    for index, shown in group_reader.decoded(container, stream, listed, stretches):
        if index in wanted:
            yield index, shown


def _frame(path: Path | str, index: int, shown: Any) -> Frame:
    try:
        image = upright(shown)
    except av.error.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        kind = f"pixels of the kind {shown.format.name}"
        raise VideoUnreadable(f"{path}: {kind} cannot be converted; {READABLE}") from None
    return Frame(index, float("nan") if shown.time is None else shown.time, image)


@contextlib.contextmanager
def opened(path: Path | str) -> Iterator[tuple[Any, Any]]:
    """The container of a video file and the stream that players show. Raises VideoUnreadable."""
    options = {"format_whitelist": FORMATS, "max_pixels": str(MAX_PIXELS)}
    try:
        container = av.open(f"file:{path}", options=options, metadata_errors="ignore")
    except av.error.FFmpegError as error:
        reason = f"cannot be opened as a video: {error.strerror}"
        raise VideoUnreadable(f"{path}: {reason}; {READABLE}") from None
    with container:
        if not container.streams.video:
            raise VideoUnreadable(f"{path}: has no video stream; {READABLE}")
        # Not the first: that may be a cover, and of several a player shows the default one.
        stream: Any = container.streams.best("video") or container.streams.video[0]
        if stream.disposition & Disposition.attached_pic:
            raise VideoUnreadable(f"{path}: is sound with a cover picture, no video; {READABLE}")
        codec = stream.codec_context
        if codec is None:
            raise VideoUnreadable(f"{path}: no decoder for its video stream; {READABLE}")
        if codec.width * codec.height > MAX_PIXELS:
            pixels = f"{codec.width}x{codec.height} pixels"
            raise FrameTooLarge(f"{path}: {pixels} are too many; scale the clip down")
        codec.thread_count = 1  # processes run side by side, one clip each
        codec.options = {"max_pixels": str(MAX_PIXELS)}  # the size may change within a stream
        yield container, stream


def each_packet(container: Any, stream: Any, health: Health) -> Iterator[Any]:
    """Every packet of the stream; a read error ends PyAV's loop, so it is started again."""
    errors = packets = last = end = 0
    reading = container.demux(stream)
    while errors < MAX_READ_ERRORS:
        try:
            packet = next(reading)
        except StopIteration:
            break
        except av.error.FFmpegError:
            errors += 1
            reading = container.demux(stream)
            continue
        packets += packet.size > 0
        last = max(last, packet.dts or 0)
        end = max(end, (packet.pts or 0) + (packet.duration or 0))
        yield packet
    health.bad_packets += errors
    if container.format.name == "avi":
        # Its header counts the places of frames that are left out, too, for which no packet
        # comes; times are numbers of places, and the last frame may have several.
        packets = max(packets, last + last // max(packets - 1, 1))
    early = end * stream.time_base < _length_by_its_tag(stream) - SLACK
    health.truncated = packets < _meant(container, stream) or early


def _meant(container: Any, stream: Any) -> int:
    """The packets that the file's index says it has; 0 when it says nothing.

    An edit list leaves out some of those that the header counts.
    """
    listed = len(stream.index_entries) if "mov" in container.format.name else stream.frames
    return int(min(stream.frames, listed))


def _length_by_its_tag(stream: Any) -> float:
    """Seconds that a Matroska file, which counts no packets, says of its stream; else 0."""
    said = LENGTH.fullmatch(stream.metadata.get("DURATION", ""))
    if said is None:
        return 0.0
    hours, minutes, seconds = (float(part) for part in said.groups())
    return 3600 * hours + 60 * minutes + seconds


def pictures(container: Any, stream: Any, health: Health) -> Iterator[Any]:
    """Every frame that can be decoded, in order, as PyAV gives it; ``health`` counts the rest."""
    stored: list[int] = []  # a heap: an AVI's times of the packets whose frames are to come
    for packet in each_packet(container, stream, health):
        try:
            decoded = packet.decode()
        except av.error.FFmpegError:
            health.bad_packets += 1
            continue
        if container.format.name == "avi" and packet.size and packet.pts is not None:
            heapq.heappush(stored, packet.pts)
        for picture in decoded:
            health.concealed += picture.is_corrupt
            _retime(picture, stored)
            yield picture


def _retime(picture: Any, stored: list[int]) -> None:
    """Give a frame the earliest of the times that are ``stored``, and take that out.

    An AVI says when to decode, not when to show: by the times that are made of it, H.264's
    B-frames stand out of order, though together they are the right ones. Packets that gave
    no frame leave theirs behind: at a key frame, which nothing fed before it follows, they go.
    """
    while stored and picture.key_frame and stored[0] < (picture.pts or 0):
        heapq.heappop(stored)
    if stored:
        picture.pts = heapq.heappop(stored)
