"""What the tests show to a reader and a detector: numbered frames and drawn faces."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

WIDTH, HEIGHT, BITS = 160, 96, 8


def numbered(number: int) -> np.ndarray:
    """A picture that spells ``number`` in black and white bars, left bar = highest bit."""
    bits = [(number >> bit) & 1 for bit in reversed(range(BITS))]
    row = np.repeat(np.array(bits, np.uint8) * 255, WIDTH // BITS)
    return np.broadcast_to(row[None, :, None], (HEIGHT, WIDTH, 3)).copy()


def number_in(image: np.ndarray) -> int:
    """The number that a decoded picture spells."""
    bars = image.mean(axis=(0, 2)).reshape(BITS, -1).mean(axis=1) > 127
    return int("".join("1" if bar else "0" for bar in bars), 2)


def write_clip(
    path: Path,
    frames: Sequence[np.ndarray],
    times: Sequence[int] | None = None,
    **codec: str,
) -> Path:
    """An H.264 clip of ``frames``, at 25 a second or at ``times`` (ms)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "10", "g": "12", **codec}
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = 40 * number if times is None else times[number]
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def raw_clip(path: Path, tag: bytes, pictures: int = 8) -> Path:
    """Uncompressed pictures in Matroska that call their planes ``tag``, four bytes."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(pictures):
            frame = av.VideoFrame(64, 64, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace(b"I420", tag))
    return path


def rotate_header(path: Path, quarter_turns: int) -> None:
    """Write the display matrix of ``quarter_turns`` clockwise turns, as phones do."""
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarter_turns]
    write_matrix(path, cos, sin, -sin, cos)


def write_matrix(path: Path, *shown: int) -> None:
    """Write a display matrix: x of x, y of x, x of y, y of y, each -1, 0 or 1."""
    a, b, c, d = (value << 16 for value in shown)
    values = (a, b, 0, c, d, 0, 0, 0, 1 << 30)
    matrix = b"".join(value.to_bytes(4, "big", signed=True) for value in values)
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40  # version 0: 40 bytes stand before the matrix
    data[start : start + 36] = matrix
    path.write_bytes(data)


def draw_face(height: int = 240, width: int = 320, side: int = 120) -> np.ndarray:
    """A face plain enough to draw, and face-like enough for the Haar cascade.

    The cascade looks for dark eyes under a bright brow, a bright nose between them and a dark
    mouth under it.
    """
    unit = side / 100
    image = np.full((height, width), 90, np.uint8)
    cx, cy = width // 2, height // 2

    def ellipse(x: float, y: float, a: float, b: float, gray: int) -> None:
        centre = (round(cx + x * unit), round(cy + y * unit))
        cv2.ellipse(image, centre, (round(a * unit), round(b * unit)), 0, 0, 360, gray, -1)

    ellipse(0, 4, 44, 60, 190)  # head
    for side_of in (-1, 1):
        ellipse(side_of * 19, -14, 15, 8, 110)  # socket
        ellipse(side_of * 19, -12, 9, 4, 40)  # eye
        ellipse(side_of * 19, -25, 15, 3, 60)  # brow
    ellipse(0, 2, 5, 18, 215)  # bridge of the nose
    ellipse(0, 17, 9, 3, 120)  # nostrils
    ellipse(0, 34, 19, 5, 80)  # mouth
    return cv2.cvtColor(cv2.GaussianBlur(image, (0, 0), 2 * unit), cv2.COLOR_GRAY2RGB)
