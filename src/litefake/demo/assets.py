"""The head: one mesh shared by all identities, and the targets that deform it.

Lengths are decimetres, y points up and z forwards; the eyes of the base mesh lie
near (±0.3, 7.3, 1.2). ``tools/build_head_asset.py`` rebuilds the file, and
docs/data-card.md names its sources and licences.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

# float32 throughout; the type checker is not told, for OpenCV's stubs do not keep it.
FloatArray: TypeAlias = NDArray[Any]
HEAD_FILE = Path(__file__).with_name("head.npz")


class Part(IntEnum):
    """What a triangle belongs to."""

    SKIN = 0
    EYE = 1
    TEETH = 2
    TONGUE = 3
    HAIR = 4
    LASHES = 5


@dataclass(frozen=True)
class Target:
    """A sparse deformation: ``offset`` (K, 3) for the vertices ``index`` (K,) at weight 1."""

    index: NDArray[np.int64]
    offset: FloatArray


@dataclass(frozen=True)
class Head:
    """The base mesh. N vertices, M triangles.

    vertices (N, 3), triangles (M, 3), part (M,) of each triangle, vertex_part (N,),
    masks: name -> (N,) in [0, 1] for lips, face, eyelids, ears, inside_mouth.
    Target names start with ``race/``, ``weight/``, ``local/`` or ``expression/``.
    """

    vertices: FloatArray
    triangles: NDArray[np.int32]
    part: NDArray[np.uint8]
    vertex_part: NDArray[np.uint8]
    masks: Mapping[str, FloatArray]
    targets: Mapping[str, Target]

    def deform(self, vertices: FloatArray, weights: Mapping[str, float]) -> FloatArray:
        """A copy of ``vertices`` (N, 3) with every named target added at its weight."""
        moved = vertices.copy()
        for name, weight in weights.items():
            target = self.targets[name]
            moved[target.index] += np.float32(weight) * target.offset
        return moved

    def eyeballs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Vertex indices of the left (x > 0) and the right eyeball."""
        eye = self.vertex_part == Part.EYE
        left = self.vertices[:, 0] > 0
        return np.flatnonzero(eye & left), np.flatnonzero(eye & ~left)

    def face_vertices(self) -> NDArray[np.int64]:
        """Skin vertices between the chin and the hair line: the region a face swap replaces."""
        face = (self.masks["face"] > 0.6) & (self.vertices[:, 1] < 7.72)
        return np.flatnonzero(face & (self.vertex_part == Part.SKIN))


@functools.cache
def load_head(path: Path = HEAD_FILE) -> Head:
    """Read the head asset (0.8 MB, 40 ms); later calls return the same object."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    triangles = arrays["triangles"].astype(np.int32)
    vertex_part = np.zeros(len(arrays["vertices"]), np.uint8)
    for part in Part:
        vertex_part[np.unique(triangles[arrays["part"] == part])] = part
    masks = {
        name.removeprefix("mask_"): array.astype(np.float32)
        for name, array in arrays.items()
        if name.startswith("mask_")
    }
    return Head(arrays["vertices"], triangles, arrays["part"], vertex_part, masks, _targets(arrays))


def _targets(arrays: Mapping[str, NDArray]) -> dict[str, Target]:
    start = arrays["target_start"]
    index = arrays["target_index"].astype(np.int64)
    offset = arrays["target_offset"].astype(np.float32)
    return {
        str(name): Target(index[begin:end], offset[begin:end])
        for name, begin, end in zip(arrays["target_names"], start[:-1], start[1:], strict=True)
    }
