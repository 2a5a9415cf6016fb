"""Ready face crops: ``<root>/<split>/<youtube or method>/*.{jpg,jpeg,png,webp,bmp}``."""

from collections.abc import Sequence
from pathlib import Path

from litefake.errors import DataMissing
from litefake.layouts.rows import REAL, SPLITS, Row, entries, images, remedy, row


def fits(root: Path) -> bool:
    """Whether ``root`` looks like this layout."""
    return any((root / split).is_dir() for split in SPLITS)


def rows(root: Path, methods: Sequence[str]) -> list[Row]:
    """Every image of ``methods`` and of the real class.

    A method may lack a folder where another split has one: training is not to see it, or
    ``evaluate`` needs no more. Raises DataMissing for a folder without an image, for a split
    without reals, and for a method without any folder.
    """
    there = [split for split in SPLITS if (root / split).is_dir()]
    if not there:
        raise DataMissing(f"{root / 'test'}: no such folder; layout faces needs train and test")
    elsewhere = {
        method for method in methods for split in there if (root / split / method).is_dir()
    }
    found = []
    for split in there:
        for method in (*sorted(methods), REAL):
            folder = root / split / method
            if method in elsewhere and not folder.is_dir():
                continue
            for path in _images(folder, method):
                crop = row(root, path, f"{method}/{split}/{path.stem}", method)
                found.append(crop | {"given_split": split})
    return found


def present(root: Path) -> list[str]:
    """The methods that ``root`` has a folder of in any split."""
    folders = [path for split in SPLITS for path in entries(root / split) if path.is_dir()]
    return sorted({path.name for path in folders} - {REAL})


def _images(folder: Path, method: str) -> list[Path]:
    found = images(folder)
    if not found:
        raise DataMissing(f"{folder}: no image; {remedy(method)}")
    return found
