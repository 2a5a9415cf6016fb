"""What happens to a video on its way to us, done to a frame before the face is searched."""

import io
from collections.abc import Callable, Sequence

import av
import cv2
import numpy as np

from litefake.degradation import through_jpeg
from litefake.inputs import Image

# Five strengths each, the weakest first.
STRENGTHS: dict[str, tuple[float, ...]] = {
    "jpeg": (90, 70, 50, 30, 10),  # quality
    "resize": (0.8, 0.65, 0.5, 0.35, 0.25),  # down to this share of the side, and back
    "blur": (0.5, 1.0, 1.5, 2.5, 4.0),  # px, sigma
    "noise": (2, 5, 10, 15, 25),  # gray levels, sigma
    "brightness": (0.8, 0.6, 0.4, 0.25, 0.15),  # gain
    "h264": (18, 23, 30, 40, 48),  # CRF
}


def degrade(frames: Sequence[Image], kind: str, strength: float, seed: int) -> list[Image]:
    """``frames`` of one clip (H x W x 3, uint8, RGB), each changed by ``kind``.

    Only ``h264`` looks at more than one frame: it encodes all of them as one clip. The same
    seed draws the same noise.
    """
    if kind == "h264":
        return _reencoded(frames, round(strength))
    random = np.random.default_rng(seed)
    return [_CHANGES[kind](frame, strength, random) for frame in frames]


def _jpeg(frame: Image, quality: float, _random: np.random.Generator) -> Image:
    return np.ascontiguousarray(through_jpeg(frame, round(quality)))


def _resize(frame: Image, share: float, _random: np.random.Generator) -> Image:
    height, width = frame.shape[:2]
    size = (max(1, round(width * share)), max(1, round(height * share)))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _blur(frame: Image, sigma: float, _random: np.random.Generator) -> Image:
    return np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma), np.uint8)


def _noise(frame: Image, sigma: float, random: np.random.Generator) -> Image:
    noisy = frame + random.normal(0, sigma, frame.shape)
    return np.asarray(noisy.round().clip(0, 255), np.uint8)


def _brightness(frame: Image, gain: float, _random: np.random.Generator) -> Image:
    return np.asarray((frame * gain).round().clip(0, 255), np.uint8)


_CHANGES: dict[str, Callable[[Image, float, np.random.Generator], Image]] = {
    "jpeg": _jpeg,
    "resize": _resize,
    "blur": _blur,
    "noise": _noise,
    "brightness": _brightness,
}


def _reencoded(frames: Sequence[Image], crf: int) -> list[Image]:
    height, width = (side // 2 * 2 for side in frames[0].shape[:2])  # H.264 wants even sides
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            even = np.ascontiguousarray(frame[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as coded:
        pictures = [picture.to_ndarray(format="rgb24") for picture in coded.decode(video=0)]
    return [np.asarray(picture, np.uint8) for picture in pictures]
