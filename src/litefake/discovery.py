"""Tell from a folder which data set it is, so that nobody has to describe it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from litefake import params
from litefake.errors import DataMissing
from litefake.layouts import faces, folder
from litefake.layouts.guess import layout_of
from litefake.layouts.rows import REAL, entries
from litefake.manifest import DatasetParams


def describe(
    root: Path,
    layout: str | None = None,
    compression: str | None = None,
    methods: Sequence[str] = (),
) -> DatasetParams:
    """The data set under ``root``; what is None or empty is found out.

    Raises DataMissing when there is no data set, or several compressions to choose from, and
    ParamsInvalid when a given value is not one that exists.
    """
    if root.is_file():
        raise DataMissing(
            f"{root}: a single file has no label; give the folder of a data set, "
            "or judge the file with `litefake detect`"
        )
    if not root.is_dir() or not any(root.iterdir()):
        problem = "is empty" if root.is_dir() else "no such folder"
        raise DataMissing(f"{root}: {problem}; give the folder of a data set")
    layout = layout or layout_of(root)
    values: dict[str, Any] = {"root": str(root), "layout": layout}
    values["methods"] = list(methods) or None
    if layout == "ffpp":
        values["compression"] = compression or _compression(root)
        values["methods"] = list(methods) or _ffpp_methods(root, values["compression"])
    elif layout == "faces" and not methods:
        values["methods"] = _faces_methods(root)
    elif layout == "folder" and not methods:
        values["methods"] = folder.present(root)
    return params.validate("dataset", values, DatasetParams, Path("command line"))


def _compression(root: Path) -> str:
    reals = root / "original_sequences" / REAL
    found = [name for name in ("raw", "c23", "c40") if (reals / name / "videos").is_dir()]
    if not found:
        raise DataMissing(f"{reals}: no raw, c23 or c40 with videos/ in it; download the reals")
    if len(found) > 1:
        raise DataMissing(f"{root}: there is {', '.join(found)}; choose one with --compression")
    return found[0]


def _ffpp_methods(root: Path, compression: str) -> list[str]:
    methods = entries(root / "manipulated_sequences")
    present = sorted(path.name for path in methods if path.is_dir())
    for method in present:
        if not (root / "manipulated_sequences" / method / compression / "videos").is_dir():
            raise DataMissing(
                f"{root}: {method} has no {compression}/videos; name those to use with --method, "
                "or choose another --compression"
            )
    if not present:
        raise DataMissing(f"{root}/manipulated_sequences: no method in it; download one")
    return present


def _faces_methods(root: Path) -> list[str]:
    found = faces.present(root)
    if not found:
        raise DataMissing(f"{root}: no folder of a method beside {REAL}; docs/evaluate.md")
    return found
