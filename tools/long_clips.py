"""Clips of 720p and of any length, made from a small built-in one, for timing."""

from pathlib import Path

import av
import cv2
import numpy as np

from litefake.video import read_frames

WIDTH, HEIGHT, RATE = 1280, 720, 30


def made(path: Path, source: Path, seconds: int, keyframe: int) -> Path:
    """The frames of ``source`` forth and back, in the middle of a 720p picture."""
    pictures = [_in_the_middle(frame.image) for frame in read_frames(source)]
    order = [*range(len(pictures)), *range(len(pictures) - 2, 0, -1)]
    frames = [pictures[order[number % len(order)]] for number in range(seconds * RATE)]
    keyframes = {"g": str(keyframe), "keyint_min": str(keyframe)}
    return encode(path, frames, {"crf": "23", **keyframes, "preset": "veryfast"})


def encode(path: Path, frames: list[np.ndarray], options: dict[str, str]) -> Path:
    """``frames``, all of one size, as H.264 with these ``options`` of x264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def repeated(clip: Path, path: Path, times: int) -> Path:
    """``clip`` so many times one after the other, its packets copied, not encoded anew."""
    with av.open(str(clip)) as source, av.open(str(path), "w") as container:
        video = source.streams.video[0]
        stream = container.add_stream_from_template(video)
        length = video.duration or 0
        for turn in range(times):
            source.seek(0)
            for packet in source.demux(video):
                if packet.pts is None or packet.dts is None:  # the empty one at the end
                    continue
                packet.pts, packet.dts = packet.pts + turn * length, packet.dts + turn * length
                packet.stream = stream
                container.mux(packet)
    return path


def _in_the_middle(face: np.ndarray) -> np.ndarray:
    """``face`` as high as the picture, before a blurred copy of itself."""
    picture = cv2.GaussianBlur(cv2.resize(face, (WIDTH, HEIGHT)), (0, 0), 20)
    left = (WIDTH - HEIGHT) // 2
    picture[:, left : left + HEIGHT] = cv2.resize(face, (HEIGHT, HEIGHT))
    return picture
