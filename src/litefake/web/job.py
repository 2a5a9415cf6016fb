"""What is done with one uploaded clip, in the process that is made for it."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av

from litefake import annotation, report
from litefake.artifacts import write_json
from litefake.detection import Progress
from litefake.errors import VideoUnreadable
from litefake.report import Judge
from litefake.video import FrameTooLarge, opened
from litefake.web.limits import BeyondLimits, Limits, NotAVideo
from litefake.web.pictures import pictures_of
from litefake.web.process import CLIP, PICTURES, REPORT, VIDEO

Tell = Callable[[dict[str, Any]], None]


def work(job: dict[str, Any], judge: Judge, tell: Tell) -> None:
    """Judge the clip of ``job`` and write REPORT; with ``pictures`` also PICTURES, then VIDEO.

    ``job``: ``folder`` (holds CLIP), ``name`` (what the clip is called), ``every``,
    ``detector``, ``pictures``, ``limits``. Raises Refused; once there is PICTURES, it says why
    there is no VIDEO.
    """
    judge = judge.behind(job["detector"])
    folder = Path(job["folder"])
    clip = folder / CLIP
    check(clip, Limits.model_validate(job["limits"]))
    share = 0.5 if job["pictures"] else 1.0
    try:
        found = report.judge_file(clip, judge, job["every"], _meter(tell, share))
    except VideoUnreadable as error:
        raise _refusal(error, job) from None
    write_json(folder / REPORT, found.as_dict(judge) | {"file": job["name"]}, digits=6)
    if not job["pictures"]:
        return
    tell({"share": 0.55, "doing": "Cutting out the faces"})
    write_json(folder / PICTURES, pictures_of(clip, found, judge), digits=6)
    tell({"share": 0.75, "doing": "Drawing the faces into the clip"})
    try:
        annotation.annotate(clip, folder / VIDEO, found.looks.faces, judge.rule)
    except VideoUnreadable as error:
        raise _refusal(error, job) from None


def _refusal(error: VideoUnreadable, job: dict[str, Any]) -> BeyondLimits:
    """``error`` with the name that the clip was sent with, and no path of this machine."""
    clip = str(Path(job["folder"]) / CLIP)
    return BeyondLimits(str(error).replace(clip, job["name"]).replace(f"{job['folder']}/", ""))


def check(clip: Path, limits: Limits) -> None:
    """Refuse what is no video or larger or longer than allowed, before a frame is decoded.

    The length is that of the packets: a header may claim anything. Raises NotAVideo and
    BeyondLimits.
    """
    try:
        with opened(clip) as (container, stream):
            width, height = stream.codec_context.width, stream.codec_context.height
            if max(width, height) > limits.max_side:
                raise BeyondLimits(
                    f"the video has {width} x {height} pixels; a side may have "
                    f"{limits.max_side} at most, so scale it down first"
                )
            seconds = _length(container, stream)
    except FrameTooLarge:
        raise BeyondLimits("the frames are too large; scale the video down first") from None
    except VideoUnreadable:
        raise NotAVideo(
            "the file cannot be opened as a video; send an MP4, MOV, MKV, WebM or AVI file"
        ) from None
    if seconds > limits.max_video_seconds:
        raise BeyondLimits(
            f"the video lasts {seconds:.0f} s; {limits.max_video_seconds:g} s are allowed, "
            "so cut out the part in question"
        )


def _length(container: Any, stream: Any) -> float:
    first = last = None
    packets = container.demux(stream)
    # A damaged file: what comes before the damage counts, the job's time limit does the rest.
    with contextlib.suppress(av.error.FFmpegError):
        for packet in packets:
            if packet.pts is None:
                continue
            first = packet.pts if first is None else min(first, packet.pts)
            last = packet.pts if last is None else max(last, packet.pts)
    return 0.0 if first is None or last is None else float((last - first) * stream.time_base)


def _meter(tell: Tell, share: float) -> Progress:
    """Tell of every hundredth that the detector has done, as part of ``share``."""
    told = -1

    def report(done: int, total: int) -> None:
        nonlocal told
        if (hundredths := 100 * done // total) > told:
            told = hundredths
            doing = "Looking for faces and judging them"
            tell({"share": share * min(hundredths, 100) / 100, "doing": doing})

    return report
