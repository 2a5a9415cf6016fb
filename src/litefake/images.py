"""Image files as arrays: height x width x 3, uint8, RGB."""

from pathlib import Path

import cv2
import numpy as np

MAX_BYTES = 2**29  # of a file: no picture of a frame's size needs more


def read(path: Path | str) -> np.ndarray | None:
    """The image, upright; None when it is absent, cannot be decoded or is beyond all limits."""
    try:  # not imread: it ends the process on a name that is not UTF-8
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        return None
    return decode(data) if len(data) <= MAX_BYTES else None


def decode(data: bytes) -> np.ndarray | None:
    """The image in the bytes of a file, upright; None when it cannot be decoded."""
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # no bytes, or more pixels than the package allows
        return None
    return None if pixels is None else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def write(path: Path | str, image: np.ndarray, quality: int = 95) -> None:
    """Write in the format that the suffix names; ``quality`` is that of JPEG, 1 to 100.

    Raises OSError when the file cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if path.suffix == ".jpg" else []
    # Not imwrite, which does not say why it could not write.
    _, data = cv2.imencode(path.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    path.write_bytes(data.tobytes())
