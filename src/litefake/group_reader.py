"""Decode the stretches of a clip that the wanted frames need, and nothing else.

No container's seeking is trusted: the packets are listed in a first pass, read again in a second,
and fed to the decoder or not.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import av

from litefake import gops
from litefake.gops import Picture, Stretch


class Distrusted(Exception):
    """The packets of a clip do not tell which frames it has; all of it must be decoded."""


def listed(stream: Any, packets: Iterable[Any]) -> list[Picture]:
    """What each of all ``packets`` of the stream holds. Raises Distrusted."""
    codec, extradata = stream.codec_context.name, stream.codec_context.extradata or b""
    found = []
    for packet in packets:
        if packet.size:
            odd = packet.is_discard or packet.is_corrupt or packet.has_sidedata("new_extradata")
            one = gops.picture(memoryview(packet), packet.pts, codec, extradata)
            if odd or one is None:
                raise Distrusted
            found.append(one)
    if not gops.trusted(found):
        raise Distrusted
    return found


def decoded(
    container: Any, stream: Any, pictures: Sequence[Picture], stretches: Iterable[Stretch]
) -> Iterator[tuple[int, Any]]:
    """The numbers and frames of ``stretches``, from the packets listed as ``pictures``.

    Raises Distrusted at the first frame that is not the next one, or damaged.
    """
    numbers = {place: number for number, place in enumerate(gops.by_time(pictures))}
    packets = _again(container, stream, pictures)
    for stretch in stretches:
        expected = iter(stretch.shown)
        for shown in _fed(packets, stream, stretch.feed):
            if shown.pts is not None and shown.pts < pictures[stretch.feed[0]].pts:
                continue  # it belongs to the stretch before
            place = next(expected, None)
            if place is None or shown.pts != pictures[place].pts or shown.is_corrupt:
                raise Distrusted
            yield numbers[place], shown
        if next(expected, None) is not None:
            raise Distrusted


def _again(container: Any, stream: Any, pictures: Sequence[Picture]) -> Iterator[tuple[int, Any]]:
    """The packets once more, with their places. Raises Distrusted if they are others."""
    try:
        container.seek(pictures[0].pts, stream=stream)
        for place, packet in enumerate(container.demux(stream)):
            if packet.size:
                if (packet.pts, packet.size) != pictures[place][:2]:
                    raise Distrusted
                yield place, packet
    except av.error.FFmpegError:
        raise Distrusted from None


def _fed(packets: Iterator[tuple[int, Any]], stream: Any, feed: list[int]) -> Iterator[Any]:
    """What the decoder answers to the packets at the places ``feed``, and to their end."""
    kept, codec, end = frozenset(feed), stream.codec_context, av.Packet()
    end.time_base = stream.time_base
    try:
        for place, packet in packets:
            if place in kept:
                yield from codec.decode(packet)
            if place == feed[-1]:
                break
        yield from codec.decode(end)
    except av.error.FFmpegError:
        raise Distrusted from None
    codec.flush_buffers()
