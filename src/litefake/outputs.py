"""Whether a file can be written, found out before the work that fills it."""

import os
from pathlib import Path

from litefake.errors import LitefakeError


def require_writable(path: Path | None) -> Path | None:
    """``path`` as it is, if any: what an option of a command calls back with its value.

    Makes its folder. Raises LitefakeError when ``path`` is a folder, or its own cannot be made
    or written.
    """
    if path is None:
        return None
    if path.is_dir():
        raise LitefakeError(f"{path}: is a folder; name a file in it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LitefakeError(f"{path.parent}: cannot be made ({error.strerror})") from None
    if not os.access(path.parent, os.W_OK):
        raise LitefakeError(f"{path.parent}: not writable; name a file in another folder")
    return path
