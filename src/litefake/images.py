"""Image files as arrays: height x width x 3, uint8, RGB."""

from pathlib import Path

import cv2
import numpy as np


def read(path: Path | str) -> np.ndarray | None:
    """The image, upright; None when it is absent or cannot be decoded."""
    try:
        pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    except cv2.error:  # larger than OpenCV's limit
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
