"""Tell by its folders which layout a data set has."""

from pathlib import Path

from litefake.errors import DataMissing
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


def layout_of(root: Path) -> Layout:
    """The layout that ``root`` has. Raises DataMissing when it has none that is known."""
    if not root.is_dir():
        raise DataMissing(f"{root}: no such folder; name the root of a data set")
    for name, fits in TESTS.items():
        if fits(root):
            return name  # type: ignore[return-value]
    raise DataMissing(
        f"{root}: the layout cannot be told ({', '.join(TESTS)} can); name it with --layout, "
        "docs/data-sets.md shows them"
    )
