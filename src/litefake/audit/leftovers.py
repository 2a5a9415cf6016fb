"""Files of the right kind that the layout does not read: what nobody says is easily missed."""

import os
from collections import Counter
from pathlib import Path

import pandas as pd

from litefake.layouts.params import Layout
from litefake.layouts.rows import IMAGE_SUFFIXES, VIDEO_SUFFIXES

OF_IMAGES = ("faces", "portraits")


def leftovers(root: Path, layout: Layout, listed: "pd.Series[str]") -> dict[str, int]:
    """How many videos (or images) each folder below ``root`` has beside those ``listed``.

    Folders are relative to ``root``; hidden files and folders do not count.
    """
    suffixes = IMAGE_SUFFIXES if layout in OF_IMAGES else VIDEO_SUFFIXES
    known = set(listed)
    found: Counter[str] = Counter()
    for name, folders, files in os.walk(root):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        folder = Path(name).relative_to(root)
        for file in files:
            seen = Path(file).suffix.lower() in suffixes and not file.startswith(".")
            if seen and (folder / file).as_posix() not in known:
                found[folder.as_posix()] += 1
    return dict(found)
