"""DFDC, the Deepfake Detection Challenge (Dolhansky et al., 2020).

    <root>/dfdc_train_part_0/metadata.json      {"aa.mp4": {"label": "FAKE", "split": "train",
    <root>/dfdc_train_part_0/aa.mp4                         "original": "bb.mp4"}, ...}

``metadata.json`` may also lie in the root itself (a single part) or one folder deeper. In place
of ``label`` it may have ``is_fake`` (0 or 1); without ``split`` the name of a folder above
(``train``, ``validation`` or ``test``) is the split.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from litefake.errors import DataMissing
from litefake.layouts.rows import REAL, Row, read_json, row, videos

METHOD = "DFDC"
METADATA = "metadata.json"
DEPTHS = (METADATA, f"*/{METADATA}", f"*/*/{METADATA}")
SPLIT_NAMES = {"train": "train", "validation": "val", "val": "val", "test": "test"}


class Entry(BaseModel):
    """What ``metadata.json`` says of a clip; further keys do not matter here."""

    label: Literal["REAL", "FAKE"] | None = None
    is_fake: Literal[0, 1] | None = None
    split: str | None = None
    original: str | float | None = None  # NaN in files that pandas wrote

    @property
    def method(self) -> str:
        """The class of the clip, empty when it is not given."""
        if self.label is None and self.is_fake is None:
            return ""
        return METHOD if self.label == "FAKE" or self.is_fake else REAL

    @property
    def source_clip(self) -> str:
        """The real clip that a fake was made from, empty when it is not given."""
        return Path(self.original).stem if isinstance(self.original, str) else ""


def fits(root: Path) -> bool:
    """Whether ``root`` looks like this layout."""
    return any(_folders(root))


def rows(root: Path) -> list[Row]:
    """Every clip of every part.

    Raises DataMissing when there is no ``metadata.json``, or it leaves a clip without a label.
    """
    found = [clip for folder in parts(root) for clip in _part(root, folder)]
    for method, name in ((METHOD, "FAKE"), (REAL, "REAL")):
        if not any(clip["method"] == method for clip in found):
            raise DataMissing(f"{root}: no clip is labelled {name}; check dataset.root")
    return found


def parts(root: Path) -> list[Path]:
    """The folders that hold a ``metadata.json``. Raises DataMissing when there are none."""
    found = sorted(_folders(root))
    if not found:
        raise DataMissing(f"{root}: no {METADATA} in it or in its folders; check dataset.root")
    return found


def _folders(root: Path) -> Iterator[Path]:
    """Those with a ``metadata.json`` that are not hidden, as the wastebasket of a desktop is."""
    for path in (path for depth in DEPTHS for path in root.glob(depth)):
        if not any(part.startswith(".") for part in path.relative_to(root).parts):
            yield path.parent


def read_metadata(folder: Path) -> dict[str, Entry]:
    """File name -> entry. Raises DataMissing."""
    wanted = 'a mapping such as {"aa.mp4": {"label": "FAKE", "original": "bb.mp4"}}'
    entries: dict[str, Entry] = read_json(folder / METADATA, dict[str, Entry], wanted)
    return entries


def _part(root: Path, folder: Path) -> list[Row]:
    metadata = read_metadata(folder)
    above = folder.relative_to(root).parts
    usual = next((SPLIT_NAMES[name] for name in above if name in SPLIT_NAMES), "")
    found = []
    for path in videos(folder):
        entry = metadata.get(path.name, Entry())
        if not entry.method:
            raise DataMissing(f"{path}: {METADATA} gives it no label; add one or remove the file")
        # No actor is named: clips of one original are known to show one person, others may.
        original = entry.source_clip or path.stem
        clip = row(root, path, "/".join([entry.method, *above, path.stem]), entry.method)
        names = {"target": original, "person": original}
        found.append(clip | names | {"given_split": SPLIT_NAMES.get(entry.split or "", usual)})
    return found
