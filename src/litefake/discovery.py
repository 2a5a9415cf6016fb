"""Tell from a folder which data set it is, so that nobody has to describe it."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from litefake import params
from litefake.errors import DataMissing, ParamsInvalid
from litefake.layouts import faces, folder
from litefake.layouts.ffpp import COMPRESSIONS
from litefake.layouts.guess import layout_of
from litefake.layouts.rows import REAL, below, entries
from litefake.manifest import DatasetParams

BY_HAND = ("faces", "folder", "portraits")


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
    layout = layout_of(root, layout)
    values: dict[str, Any] = {"root": str(root), "layout": layout}
    if layout == "ffpp":
        if compression and compression not in COMPRESSIONS:
            known = ", ".join(COMPRESSIONS)
            raise ParamsInvalid(f"--compression {compression}: no such one; there are {known}")
        values["compression"] = compression or _compression(root)
    elif compression:
        raise ParamsInvalid(f"--compression is of layout ffpp alone, and {root} is {layout}")
    values["methods"] = list(methods) or _methods(root, layout, values.get("compression", ""))
    _require_present(root, layout, methods)
    return params.validate("dataset", values, DatasetParams, Path("command line"))


def passed_over(data: DatasetParams, taken: Iterable[str]) -> dict[str, int]:
    """How many files below the root of ``data`` are not ``taken``, by their suffix.

    ``taken`` are paths relative to the root. Only of the layouts that anybody makes by hand: a
    published data set holds masks, lists and other compressions by the thousand.
    """
    if data.layout not in BY_HAND:
        return {}
    root = Path(data.root)
    unlisted: list[OSError] = []
    files = {path.relative_to(root).as_posix() for path in below(root, unlisted.append)}
    others = files - set(taken) - {"people.json"}
    kinds = Counter(Path(path).suffix or "no suffix" for path in others)
    if unlisted:
        kinds["folders that cannot be listed"] = len(unlisted)
    return dict(sorted(kinds.items()))


def _methods(root: Path, layout: str, compression: str) -> list[str] | None:
    """The methods that can be used; None where the layout knows its own."""
    if layout == "ffpp":
        return _ffpp_methods(root, compression)
    if layout not in PRESENT:
        return None
    found = PRESENT[layout](root)
    if not found:
        kind = "an image" if layout == "faces" else "a video"
        raise DataMissing(
            f"{root}: no folder of fakes with {kind} in it (layout {layout}); docs/evaluate.md "
            "says how each layout lies"
        )
    return found


def _require_present(root: Path, layout: str, methods: Sequence[str]) -> None:
    if layout == "portraits" and methods:
        raise ParamsInvalid("--method: layout portraits has real faces alone; leave it out")
    found = PRESENT[layout](root) if layout in PRESENT else list(methods)
    if absent := sorted(set(methods) - set(found)):
        raise DataMissing(f"{root}: has no method {absent[0]}; there is {', '.join(found)}")


def _ffpp_folders(root: Path) -> list[str]:
    methods = entries(root / "manipulated_sequences")
    return sorted(path.name for path in methods if path.is_dir())


PRESENT: dict[str, Callable[[Path], list[str]]] = {
    "ffpp": _ffpp_folders,
    "faces": faces.present,
    "folder": folder.present,
}


def _compression(root: Path) -> str:
    reals = root / "original_sequences" / REAL
    found = [name for name in COMPRESSIONS if (reals / name / "videos").is_dir()]
    if not found:
        raise DataMissing(f"{reals}: no raw, c23 or c40 with videos/ in it; download the reals")
    if len(found) > 1:
        raise DataMissing(f"{root}: there is {', '.join(found)}; choose one with --compression")
    return found[0]


def _ffpp_methods(root: Path, compression: str) -> list[str]:
    present = _ffpp_folders(root)
    for method in present:
        if not (root / "manipulated_sequences" / method / compression / "videos").is_dir():
            raise DataMissing(
                f"{root}: {method} has no {compression}/videos; name those to use with --method, "
                "or choose another --compression"
            )
    if not present:
        raise DataMissing(f"{root}/manipulated_sequences: no method in it; download one")
    return present
