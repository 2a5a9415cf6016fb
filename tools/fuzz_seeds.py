"""Write the clips that the fuzzer mutates to tests/fuzz/: ``python -m tools.fuzz_seeds``.

They are committed, since another encoder would make other bytes.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "fuzz"
FRAMES, HEIGHT, WIDTH = 24, 48, 64
H264 = {"g": "8", "sc_threshold": "0", "threads": "1", "crf": "30"}
H265 = {"x265-params": "log-level=none:pools=1:frame-threads=1:keyint=8:open-gop=1", "crf": "36"}
# name: encoder, its options, milliseconds between frames
SEEDS = {
    "plain.mp4": ("libx264", H264 | {"bf": "0"}, [40]),
    "b_frames.mp4": ("libx264", H264 | {"bf": "3"}, [40]),
    "variable_rate.mp4": ("libx264", H264 | {"bf": "2"}, [7, 40, 300]),
    "h265.mp4": ("libx265", H265, [40]),
    "matroska.mkv": ("libx264", H264 | {"bf": "2"}, [40]),
    "avi.avi": ("libx264", H264 | {"bf": "0"}, [40]),
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (encoder, coding, steps) in SEEDS.items():
        write(FOLDER / name, encoder, coding, steps)


def write(path: Path, encoder: str, coding: dict[str, str], steps: list[int]) -> None:
    """A bright square that moves over noise; ``steps`` repeat."""
    noise = np.random.default_rng(0).integers(60, 120, (HEIGHT, WIDTH, 3), np.uint8)
    options = {"movflags": "+faststart"} if path.suffix == ".mp4" else {}  # cut, it still opens
    with av.open(str(path), "w", options=options) as container:
        stream: Any = container.add_stream(encoder, rate=25, options=coding)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        constant = len(steps) == 1
        stream.codec_context.time_base = Fraction(1, 25) if constant else Fraction(1, 1000)
        time = 0
        for number in range(FRAMES):
            image = noise.copy()
            image[8:24, 2 * number : 2 * number + 16] = 230
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = time, stream.codec_context.time_base
            time += 1 if constant else steps[number % len(steps)]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
