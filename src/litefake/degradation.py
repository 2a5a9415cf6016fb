"""What happens to a picture on its way into a published video: smaller, coded, coded again."""

from fractions import Fraction
from typing import Annotated

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from litefake.params import Section

Image = NDArray[np.uint8]
Crf = Annotated[int, Field(ge=0, le=51)]
Quality = Annotated[int, Field(ge=1, le=100)]
Span = Field(min_length=2, max_length=2)


class DegradationParams(Section):
    """Drawn anew for every picture; the same for both halves of a pair."""

    smallest: float = Field(gt=0.05, le=1)  # share of the side that a picture may shrink to
    blur: float = Field(ge=0, lt=5)  # px, largest sigma
    noise: float = Field(ge=0, lt=50)  # of 255, largest standard deviation
    h264: float = Field(ge=0, le=1)  # probability that a pass is H.264, else JPEG
    crf: Annotated[list[Crf], Span]  # of H.264, least and most
    quality: Annotated[list[Quality], Span]  # of JPEG, from and to
    again: float = Field(ge=0, le=1)  # probability of a second pass

    @field_validator("crf", "quality")
    @classmethod
    def _in_order(cls, limits: list[int]) -> list[int]:
        if limits[0] > limits[1]:
            raise ValueError("must go from the smaller to the larger")
        return limits


def degrade(image: Image, rng: np.random.Generator, p: DegradationParams) -> Image:
    """``image`` (side x side x 3, uint8, RGB) as a video might show it; the side shrinks."""
    side = image.shape[0]
    smaller = 2 * round(side * np.exp(rng.uniform(np.log(p.smallest), 0)) / 2)
    image = np.asarray(cv2.resize(image, (smaller, smaller), interpolation=cv2.INTER_AREA))
    sigma, deviation = rng.uniform(0, p.blur), rng.uniform(0, p.noise)
    if sigma > 0.2:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma))
    if deviation > 0.5:
        noisy = image + deviation * rng.standard_normal(image.shape, np.float32)
        image = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    for _ in range(1 + (rng.random() < p.again)):
        if rng.random() < p.h264:
            image = through_h264(image, _draw(rng, p.crf))
        else:
            image = through_jpeg(image, _draw(rng, p.quality))
    return image


def _draw(rng: np.random.Generator, limits: list[int]) -> int:
    return int(rng.integers(limits[0], limits[1], endpoint=True))


def through_h264(image: Image, crf: int) -> Image:
    """``image``, of even sides, coded as a single H.264 picture (4:2:0) and decoded again."""
    height, width = image.shape[:2]
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate, encoder.thread_count = Fraction(25), 1
    encoder.options = {"crf": str(crf), "preset": "veryfast"}
    # OpenCV's conversion: PyAV's starts threads for each picture, ten times the time.
    planes = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420), np.uint8)
    frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return np.asarray(cv2.cvtColor(frames[0].to_ndarray(), cv2.COLOR_YUV2RGB_I420), np.uint8)


def through_jpeg(image: Image, quality: int) -> Image:
    """``image`` as JPEG of ``quality`` and back."""
    _, coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return decoded[..., ::-1]
