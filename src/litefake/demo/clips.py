"""Write frames as an H.264 clip."""

import functools
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]


def write_clip(path: Path, frames: Sequence[Frame], fps: int, crf: int) -> None:
    """Encode RGB frames (H, W, 3), even sides, as MP4 at constant rate factor ``crf``.

    One encoder thread: the bytes must not depend on the machine's cores.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(crf), "preset": "medium", **_same_bytes()}
        stream.codec_context.thread_count = 1
        stream.height, stream.width = frames[0].shape[:2]
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


@functools.cache
def _same_bytes() -> dict[str, str]:
    """What keeps x264 from its code for AVX-512, which rounds otherwise than that for AVX2."""
    try:
        processor = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return {}  # not Linux
    return {"x264-params": "asm=avx2"} if " avx2" in processor else {}
