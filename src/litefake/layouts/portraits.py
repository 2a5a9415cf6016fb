"""Pictures of real faces, one person a file, at any depth: fakes are made of them (``pairs``)."""

from pathlib import Path

from litefake.errors import DataMissing
from litefake.layouts.rows import REAL, Row, below, pictures, row


def rows(root: Path) -> list[Row]:
    """One row a portrait; the path without its suffix stands for the person. Raises DataMissing."""
    found = pictures(below(root))
    if not found:
        raise DataMissing(f"{root}: no image; `make portraits` brings some, see docs/portraits.md")
    people = [path.relative_to(root).with_suffix("").as_posix() for path in found]
    return [
        row(root, path, f"{REAL}/{person}", REAL) | {"target": person, "person": person}
        for path, person in zip(found, people, strict=True)
    ]
