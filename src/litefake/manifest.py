"""List the data sets of a run: one row per clip, or per image of a data set of images.

How a data set lies on disk is told in ``litefake.layouts``; here its rows become one table.
With several data sets a last column ``dataset`` says which one a row is from, and keys and
people carry its name, so that nothing of one can be taken for something of another.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from litefake.errors import DataMissing, ParamsInvalid
from litefake.layouts import celebdf, dfdc, faces, ffpp, folder, portraits
from litefake.layouts.params import DatasetParams, SourceParams
from litefake.layouts.rows import COLUMNS, IDENTITY, REAL, Row

__all__ = ["COLUMNS", "DEMO_ROOT", "IDENTITY", "REAL", "DatasetParams", "SourceParams"]

DEMO_ROOT = Path("data/videos")
# What the pipeline empties before it writes there.
WRITTEN = [DEMO_ROOT, *map(Path, ("data/frames", "data/faces", "data/contact_sheets"))]
DATASET = "dataset"


def is_demo(p: DatasetParams) -> bool:
    """Whether the data set is the built-in one alone, which DVC tracks by content."""
    return Path(p.root).resolve() == DEMO_ROOT.resolve() and not p.also


def require_outside(p: DatasetParams) -> None:
    """Raise ParamsInvalid when a run with ``p`` would empty a folder that a data set lies in."""
    for source in p.sources:
        place = Path(source.root).resolve()
        emptied = [one for one in WRITTEN if one.resolve() in [place, *place.parents]]
        if emptied and place != DEMO_ROOT.resolve():
            raise ParamsInvalid(
                f"params.yaml, dataset: {source.root} lies in {emptied[0]}, which the pipeline "
                "empties; move it elsewhere"
            )


def base(p: DatasetParams) -> Path:
    """The folder that the column ``path`` starts from: the root, or what all roots share."""
    if not p.also:
        return Path(p.root)
    return Path(os.path.commonpath([Path(source.root).resolve() for source in p.sources]))


def list_videos(p: DatasetParams) -> pd.DataFrame:
    """Every clip (or image) of the data sets with ``COLUMNS``, in a fixed order.

    ``key`` is unique and safe as a relative path; ``person`` is whose face is filmed,
    ``source_person`` whose face or expression was put in. ``path`` is relative to ``base``.
    A column ``dataset`` follows when there are several, or one in several compressions.
    Raises DataMissing when a root, a named method or a real class is absent or empty.
    """
    parts = [part for source in p.sources for part in _parts(source)]
    several = len(parts) > 1
    rows = [
        _named(row, part, base(p).resolve()) if several else row
        for part in parts
        for row in part.rows
    ]
    return one_each(p.root, pd.DataFrame(rows, columns=[*COLUMNS, *[DATASET] * several]))


def list_source(p: SourceParams) -> pd.DataFrame:
    """Every clip of one data set with ``COLUMNS``. Raises DataMissing."""
    return one_each(p.root, pd.DataFrame(_rows(Path(p.root), p), columns=list(COLUMNS)))


def one_each(root: Path | str, clips: pd.DataFrame) -> pd.DataFrame:
    """``clips``, of which no two may have one key. Raises DataMissing."""
    twice = clips[clips["key"].duplicated(keep=False)]
    if len(twice):
        first, second = twice["path"][twice["key"] == twice["key"].iloc[0]].iloc[:2]
        raise DataMissing(f"{root}: {first} and {second} have one name; rename or remove one")
    return clips


class _Part(NamedTuple):
    """A data set, or one compression of it, under the name that its rows carry."""

    source: SourceParams
    label: str
    rows: list[Row]


def _parts(p: SourceParams) -> Iterator[_Part]:
    root = Path(p.root)
    if not root.is_dir() or not any(root.iterdir()):
        problem = "is empty" if root.is_dir() else "no such folder"
        raise DataMissing(f"{root}: {problem}; set dataset.root in params.yaml to a data set")
    if p.layout != "ffpp":
        yield _Part(p, p.label, _rows(root, p))
        return
    for level in p.compressions:
        label = f"{p.label}_{level}" if len(p.compressions) > 1 else p.label
        yield _Part(p, label, ffpp.rows(root, p.methods or [], level))


def _rows(root: Path, p: SourceParams) -> list[Row]:
    match p.layout:
        case "faces":
            return faces.rows(root, p.methods or [])
        case "celebdf":
            return celebdf.rows(root)
        case "dfdc":
            return dfdc.rows(root)
        case "portraits":
            return portraits.rows(root)
        case _:
            return folder.rows(root, p.methods or folder.present(root))


def _named(row: Row, part: _Part, base: Path) -> Row:
    """``row`` under the name of its data set; a person is one in all compressions of it."""
    people = {
        column: f"{part.source.label}:{row[column]}"
        for column in ("person", "source_person")
        if row[column]
    }
    path = Path(part.source.root).resolve() / row["path"]
    names = {"key": f"{part.label}/{row['key']}", "path": path.relative_to(base).as_posix()}
    return row | people | names | {DATASET: part.label}


def identity_columns(table: pd.DataFrame) -> list[str]:
    """Those columns of ``table`` that say what a clip is, and in which data set."""
    return [*IDENTITY, *[DATASET] * (DATASET in table)]


def read_table(path: Path | str) -> pd.DataFrame:
    """A CSV with the identity columns, numbers of clips and persons kept as text (``000``).

    Raises DataMissing when the file is absent.
    """
    text = dict.fromkeys((*IDENTITY, DATASET, "path"), str)
    del text["control"]
    try:
        return pd.read_csv(path, dtype=text, keep_default_na=False, na_values={"seconds": [""]})
    except FileNotFoundError:
        raise DataMissing(f"{path}: not found; run the stages before this one first") from None


def summary(videos: pd.DataFrame) -> dict[str, Any]:
    """Counts for the metrics file: clips (or images) per method, null controls, bytes."""
    counts = {
        "clips": len(videos),
        "controls": int(videos["control"].sum()),
        "bytes": int(videos["bytes"].sum()),
        "per_method": _sizes(videos, "method"),
    }
    if DATASET not in videos:
        return counts
    return counts | {
        "per_dataset": {str(name): _sizes(rows, "method") for name, rows in videos.groupby(DATASET)}
    }


def _sizes(table: pd.DataFrame, column: str) -> dict[str, int]:
    return {str(name): int(count) for name, count in table.groupby(column).size().items()}
