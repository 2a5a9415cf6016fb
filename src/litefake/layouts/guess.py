"""Tell by its folders which layout a data set has."""

from pathlib import Path

from litefake.errors import DataMissing
from litefake.layouts import celebdf, dfdc, faces, ffpp, folder, portraits
from litefake.layouts.params import Layout

# In this order: a folder of portraits is whatever holds pictures and is nothing else.
TESTS = {
    "ffpp": ffpp.fits,
    "celebdf": celebdf.fits,
    "folder": folder.fits,
    "faces": faces.fits,
    "dfdc": dfdc.fits,
    "portraits": portraits.fits,
}


def layout_of(root: Path) -> Layout:
    """The layout that ``root`` has. Raises DataMissing when it has none that is known."""
    if not root.is_dir():
        raise DataMissing(f"{root}: no such folder; name the root of a data set")
    for name, fits in TESTS.items():
        if fits(root):
            return name  # type: ignore[return-value]
    raise DataMissing(f"{root}: no known layout ({', '.join(TESTS)}); see docs/data-sets.md")
