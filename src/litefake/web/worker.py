"""The process that opens an uploaded clip: ``python -m litefake.web.worker MODEL MEGABYTES``.

It loads the model, says ``{"ready": true}``, reads one job as a line of JSON from standard
input, writes its results as files into the job's folder, and ends. Each line that it writes is
a JSON object: ``{"share", "doing"}`` while it works, at last ``{"done"}`` or
``{"refused", "status"}``. Nothing of the clip outlives it, nor does a crash reach the server.
"""

import contextlib
import json
import os
import re
import resource
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import torch

from litefake import annotation, report
from litefake.artifacts import rounded, write_json
from litefake.errors import LitefakeError, VideoUnreadable
from litefake.report import Judge
from litefake.video import opened
from litefake.web.limits import BeyondLimits, Limits, NotAVideo, Refused
from litefake.web.pictures import pictures_of
from litefake.web.process import CLIP, PICTURES, REPORT, VIDEO

Tell = Callable[[dict[str, Any]], None]
MAX_OUTPUT = 2**30  # bytes of one written file
THREADS = 1  # workers stand side by side


def main() -> None:
    tell = _private_output()
    model, megabytes = sys.argv[1:]
    torch.set_num_threads(THREADS)
    cv2.setNumThreads(THREADS)
    try:
        judge = Judge.load(model)
    except LitefakeError as error:
        tell({"refused": str(error), "status": 500})
        return
    _bound_resources(int(megabytes))
    tell({"ready": True})
    line = sys.stdin.readline()
    if not line:  # the server ended
        return
    threading.Thread(target=_end_with_server, daemon=True).start()
    job = json.loads(line)
    try:
        work(job, judge, tell)
    except Refused as error:
        tell({"refused": str(error), "status": error.status})
    except VideoUnreadable as error:
        tell({"refused": _without_path(error, job), "status": BeyondLimits.status})
    else:
        tell({"done": True})


def work(job: dict[str, Any], judge: Judge, tell: Tell) -> None:
    """Judge the clip of ``job`` and write REPORT; with ``pictures`` also PICTURES and VIDEO.

    ``job``: ``folder`` (holds CLIP), ``name`` (what the clip is called), ``every``,
    ``pictures``, ``limits``. Raises Refused and VideoUnreadable.
    """
    folder = Path(job["folder"])
    clip = folder / CLIP
    check(clip, Limits.model_validate(job["limits"]))
    share = 0.5 if job["pictures"] else 1.0
    with contextlib.redirect_stderr(_Meter(tell, share)):  # type: ignore[type-var]
        found = report.judge_file(clip, judge, job["every"])
    write_json(folder / REPORT, found.as_dict(judge) | {"file": job["name"]}, digits=6)
    if not job["pictures"]:
        return
    tell({"share": 0.55, "doing": "Cutting out the faces"})
    pictures = pictures_of(clip, found.looks.faces, judge)
    write_json(folder / PICTURES, rounded(pictures), digits=6)
    tell({"share": 0.75, "doing": "Drawing the faces into the clip"})
    annotation.annotate(clip, folder / VIDEO, found.looks.faces, judge.card.threshold)


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


class _Meter:
    """Stands in for standard error while the detector draws its bar there."""

    def __init__(self, tell: Tell, share: float) -> None:
        self._tell, self._share = tell, share

    def write(self, text: str) -> int:
        """Pass on the bar's percentage, and anything else to the real standard error."""
        found = re.search(r"(\d+)%\|", text)
        if found:
            share = self._share * int(found[1]) / 100
            self._tell({"share": share, "doing": "Looking for faces and judging them"})
        elif text.strip():
            sys.__stderr__.write(text)  # type: ignore[union-attr]
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def _private_output() -> Tell:
    """Keep standard output for the server: what a library prints goes to standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def tell(message: dict[str, Any]) -> None:
        print(json.dumps(message), file=channel, flush=True)

    return tell


def _bound_resources(megabytes: int) -> None:
    """A clip that asks for more memory or disk ends this process, and this process alone."""
    resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 2**20,) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_OUTPUT,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end_with_server() -> None:
    sys.stdin.read()
    os._exit(1)


def _without_path(error: LitefakeError, job: dict[str, Any]) -> str:
    text = " ".join(str(error).split())
    return text.replace(str(Path(job["folder"]) / CLIP), job["name"])


if __name__ == "__main__":
    main()
