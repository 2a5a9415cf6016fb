"""Draw what was seen into a copy of the clip that any browser plays."""

import contextlib
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2

from litefake.artifacts import replacing
from litefake.errors import VideoUnreadable
from litefake.marks import Planes, Timeline, draw, has_planes, planes_of
from litefake.orientation import is_transposed
from litefake.sightings import Sightings
from litefake.verdict import Rule
from litefake.video import Health, opened, pictures

CRF = "20"
# Half the time of the whole copy was spent by veryfast; the copy is to be looked at, not kept.
PRESET = "ultrafast"
PLAYABLE_AUDIO = {"aac", "mp3", "mp3float", "opus"}
BT601, LIMITED = 6, 1  # as ITU-T H.273 numbers them
TICK = Fraction(1, 90_000)  # seconds


def annotate(source: Path | str, target: Path | str, faces: Sightings, rule: Rule) -> int:
    """Write ``source`` with its faces marked to ``target`` (H.264 in MP4); the frames written.

    Every frame keeps its time, and the audio is copied packet by packet where browsers play
    it in MP4; odd sides lose their last pixel. Raises VideoUnreadable, also for a clip that can
    be read but not be written again: sides or times that H.264 in MP4 does not have.
    """
    try:
        return _annotate(source, target, faces, rule)
    except (av.error.FFmpegError, cv2.error, OverflowError) as error:
        raise VideoUnreadable(f"{source}: no marked copy can be made of it ({error})") from None


def _annotate(source: Path | str, target: Path | str, faces: Sightings, rule: Rule) -> int:
    timeline = Timeline(faces)
    written = 0
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(replacing(target))
        container, stream = stack.enter_context(opened(source))
        sound, _ = stack.enter_context(opened(source))
        # Unofficial is, among others, MP3 of less than 16 kHz.
        options = {"movflags": "+faststart", "strict": "unofficial"}
        made = stack.enter_context(av.open(str(temporary), "w", "mp4", options=options))
        writer = _Writer(made, stream.average_rate or Fraction(25))
        audio = _Audio(made, sound)
        for picture in pictures(container, stream, Health()):
            if not written:
                writer.keep_shape(stream, turned=is_transposed(picture))
                writer.keep_colours(stream.codec_context, as_they_are=has_planes(picture))
            planes = planes_of(picture)
            draw(planes, timeline.at(written, picture.time), rule)
            audio.copy_until(writer.write(planes, picture.time))
            written += 1
        writer.close()
        audio.copy_until(math.inf)
    return written


class _Writer:
    """An H.264 stream whose size the first frame decides."""

    def __init__(self, made: Any, rate: Fraction) -> None:
        self._made, self._rate = made, rate
        self._stream = made.add_stream("libx264", rate=rate, options={"crf": CRF, "preset": PRESET})
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = TICK
        self._last: Fraction | None = None

    def keep_colours(self, source: Any, as_they_are: bool) -> None:
        """Say of the copy what ``source`` says of how its planes become colours.

        Planes that were made anew are those of OpenCV: BT.601, limited range.
        """
        copy = self._stream.codec_context
        for name in ("color_primaries", "color_trc", "colorspace", "color_range"):
            setattr(copy, name, getattr(source, name))
        if not as_they_are:
            copy.colorspace, copy.color_range = BT601, LIMITED

    def keep_shape(self, source: Any, turned: bool) -> None:
        """Show pixels that are not square as stream ``source`` does, ``turned`` by 90 degrees."""
        ratio = source.sample_aspect_ratio
        if ratio:
            self._stream.codec_context.sample_aspect_ratio = 1 / ratio if turned else ratio

    def write(self, planes: Planes, seconds: float | None) -> float:
        """Encode one frame; the time it is shown at, in seconds."""
        frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
        if self._last is None:
            self._stream.width, self._stream.height = frame.width, frame.height
        elif (frame.width, frame.height) != (self._stream.width, self._stream.height):
            # The size changed within the clip, which one stream cannot do.
            frame = frame.reformat(self._stream.width, self._stream.height)
        time = self._time(seconds)
        frame.pts, frame.time_base = int(time / TICK), TICK
        self._made.mux(self._stream.encode(frame))
        self._last = time
        return float(time)

    def _time(self, seconds: float | None) -> Fraction:
        time = round(Fraction(seconds or 0) / TICK) * TICK
        if self._last is None or time > self._last:
            return time
        # A damaged clip may go back in time or not tell it.
        return self._last + max(TICK, round(1 / Fraction(self._rate) / TICK) * TICK)

    def close(self) -> None:
        """Encode what the encoder still holds."""
        if self._last is not None:
            self._made.mux(self._stream.encode(None))


class _Audio:
    """The packets of the source's first audio stream, copied in step with the pictures."""

    def __init__(self, made: Any, source: Any) -> None:
        streams = [one for one in source.streams.audio if one.codec_context]
        self._packets: Iterator[Any] = iter(())
        if streams and streams[0].codec_context.name in PLAYABLE_AUDIO:
            self._stream = made.add_stream_from_template(streams[0])
            self._packets = (packet for packet in source.demux(streams[0]) if packet.size)
        self._made = made
        self._last = -math.inf  # seconds at which the last copied packet is decoded
        self._next = self._following()

    def copy_until(self, seconds: float) -> None:
        """Copy the packets that begin before ``seconds``."""
        while self._next is not None:
            packet = self._next
            if packet.pts is not None and packet.pts * packet.time_base > seconds:
                return
            packet.stream = self._stream
            self._made.mux(packet)
            self._next = self._following()

    def _following(self) -> Any:
        """The next packet that goes on in time: MP4 takes no other."""
        try:
            for packet in self._packets:
                if packet.dts is None:
                    return packet
                if packet.dts * packet.time_base > self._last:
                    self._last = packet.dts * packet.time_base
                    return packet
        except av.error.FFmpegError:
            pass  # the file is damaged from here on
        return None
