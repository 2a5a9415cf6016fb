"""Make crops of portraits ready for pairs: larger ones, with the points of each face."""

from pathlib import Path

import numpy as np
import pandas as pd

from litefake import images
from litefake.errors import NoFaceFound
from litefake.face_mesh import FaceMesh
from litefake.faces import CropParams
from litefake.pairs import PairParams, Recipe, write


def larger(crop: CropParams, p: PairParams) -> CropParams:
    """How the stored crops are cut, of which training cuts what ``crop`` describes."""
    return crop.model_copy(update={"size": p.size, "margin": p.margin, "format": "png"})


def prepare(
    folder: Path, crops: pd.DataFrame, crop: CropParams, p: PairParams
) -> tuple[pd.DataFrame, list[str]]:
    """Write beside ``crops`` what pairs need; those with points, and the paths of the others.

    Raises NoFaceFound when no crop has points.
    """
    mesh = FaceMesh()
    found = {path: mesh.find(_crop(folder / path)) for path in crops["path"]}
    points = [points for points in found.values() if points is not None]
    if not points:
        raise NoFaceFound(f"{folder}: the face mesh fits no portrait; look at the crops")
    without = [path for path in found if found[path] is None]
    kept = crops[~crops["path"].isin(without)].reset_index(drop=True)
    write(folder, kept, np.stack(points), Recipe(pairs=p, margin=crop.margin))
    return kept, without


def _crop(path: Path) -> np.ndarray:
    image = images.read(path)
    assert image is not None, "crop_faces has just written it"
    return image
