"""Tell by its folders which layout a data set has."""

from pathlib import Path
from typing import get_args

from litefake.errors import DataMissing, ParamsInvalid
from litefake.layouts import celebdf, dfdc, faces, ffpp, folder
from litefake.layouts.params import Layout

# Pictures alone are no sign of portraits: fakes among them would count as reals.
TESTS = {
    "ffpp": ffpp.fits,
    "celebdf": celebdf.fits,
    "folder": folder.fits,
    "dfdc": dfdc.fits,
    "faces": faces.fits,
}


def layout_of(root: Path, named: str | None = None) -> Layout:
    """The layout that is ``named``, or else that ``root`` has.

    Raises ParamsInvalid when there is none of that name, DataMissing when ``root`` has none.
    """
    if named is not None:
        if named not in get_args(Layout):
            known = ", ".join(get_args(Layout))
            raise ParamsInvalid(f"--layout {named}: no such layout; one of {known}")
        return named  # type: ignore[return-value]
    if not root.is_dir():
        raise DataMissing(f"{root}: no such folder; name the root of a data set")
    for name, fits in TESTS.items():
        if fits(root):
            return name  # type: ignore[return-value]
    raise DataMissing(
        f"{root}: the layout cannot be told ({', '.join(TESTS)} can); name it with --layout, "
        "docs/data-sets.md shows them"
    )
