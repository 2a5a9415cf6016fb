"""List a data set whole, as far as it is there, and name what its own lists miss."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from litefake import manifest, params
from litefake.audit import leaks
from litefake.audit.findings import Finding
from litefake.errors import DataMissing
from litefake.layouts import celebdf, dfdc, faces, ffpp, folder
from litefake.layouts.params import Layout
from litefake.layouts.rows import REAL, videos
from litefake.manifest import SourceParams

PRESENT = {"faces": faces.present, "folder": folder.present}


def list_parts(root: Path, layout: Layout) -> Iterator[tuple[str, pd.DataFrame]]:
    """The clips of each compression under its name, or all under ``""``. Raises DataMissing."""
    if layout != "ffpp":
        values: dict[str, Any] = {"root": str(root), "layout": layout}
        if layout in PRESENT:
            values["methods"] = PRESENT[layout](root)
            if not values["methods"]:
                raise DataMissing(f"{root}: no folder of fakes with a file in it; add some")
        listed = manifest.list_source(params.validate(str(root), values, SourceParams))
        yield "", listed
        return
    lists = _first_split(root)
    levels = ffpp.present(root)
    if not levels:
        raise DataMissing(f"{root}: no video in any compression ({', '.join(ffpp.COMPRESSIONS)})")
    for level, methods in _with_reals(root, levels).items():
        rows = ffpp.rows(root, methods, level, lists)
        name = level if len(levels) > 1 else ""
        yield name, manifest.one_each(root, pd.DataFrame(rows))


def _with_reals(root: Path, levels: dict[str, list[str]]) -> dict[str, list[str]]:
    """The compressions that have real clips; all of them when none has, which is an error."""
    reals = ffpp.folder_of(root, REAL)
    found = [level for level in levels if videos(reals / level / "videos")]
    return {level: levels[level] for level in found} or levels


def list_findings(root: Path, layout: Layout) -> Iterator[Finding]:
    """What is wrong with the lists that a data set brings. Raises DataMissing."""
    if layout == "ffpp" and (root / "splits").is_dir():
        lists = ffpp.read_lists(root)
        yield from leaks.listed_twice(lists)
        yield from leaks.shared_sources(ffpp.read_sources(root), _first_split(root))
        yield from _absent(_ffpp_absent(root))
    if layout == "ffpp":
        levels = ffpp.present(root)
        whole = _with_reals(root, levels)
        for level in [level for level in levels if level not in whole]:
            text = f"{level} has no real clip, so nothing of it is looked at"
            yield Finding("absent", text, [f"{method}/{level}" for method in levels[level]])
    elif layout == "celebdf":
        names = celebdf.read_test_list(root)
        yield from _absent([name for name in names if not (root / name).is_file()])
    elif layout == "dfdc":
        yield from _absent(_dfdc_absent(root))


def _first_split(root: Path) -> dict[str, str]:
    """Person -> split; of one who is in several lists, the first."""
    if not (root / "splits").is_dir():
        return {}
    people: dict[str, str] = {}
    for split, pairs in ffpp.read_lists(root).items():
        for person in (person for pair in pairs for person in pair):
            people.setdefault(person, split)
    return people


def _ffpp_absent(root: Path) -> list[str]:
    listed = [pair for pairs in ffpp.read_lists(root).values() for pair in pairs]
    people = sorted({person for pair in listed for person in pair})
    fakes = sorted(name for a, b in listed for name in (f"{a}_{b}", f"{b}_{a}"))
    absent = []
    for level, methods in ffpp.present(root).items():
        for method in (*methods, REAL):
            folder = ffpp.folder_of(root, method) / level / "videos"
            names = people if method == REAL else fakes
            if method in (REAL, *ffpp.METHODS):
                paths = [folder / f"{name}.mp4" for name in names]
                absent += [str(path.relative_to(root)) for path in paths if not path.is_file()]
    return absent


def _dfdc_absent(root: Path) -> list[str]:
    paths = [part / name for part in dfdc.parts(root) for name in dfdc.read_metadata(part)]
    return [str(path.relative_to(root)) for path in paths if not path.is_file()]


def _absent(names: list[str]) -> Iterator[Finding]:
    if names:
        text = f"{len(names)} files are listed, but not there: {', '.join(names[:3])}"
        yield Finding("absent", text, names)
