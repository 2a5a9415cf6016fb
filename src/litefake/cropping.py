"""Cut the faces out of all frames of a data set, and count what is lost on the way."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from litefake import images, manifest
from litefake.detectors import detector
from litefake.errors import DataMissing, NoFaceFound
from litefake.faces import CropParams, Square, cut, locate, whole

LONGEST = 8192  # px; a ready crop becomes a square of its longer side
SHEET_ROWS, SHEET_COLUMNS, SHEET_TILE = 6, 8, 112  # crops, crops, px


@dataclass
class ClipFaces:
    """What became of one clip's frames."""

    key: str
    method: str
    frames: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)  # key, frame, path, x, y, side
    unreadable: list[str] = field(default_factory=list)  # paths of damaged or huge images
    killed: bool = False  # every process that looked at them died

    @property
    def final(self) -> bool:
        """Whether another try would find the same."""
        return not self.unreadable


def killer(frames: Sequence[dict[str, Any]]) -> ClipFaces:
    """What is said of a clip whose frames killed every process that looked at them."""
    return ClipFaces(frames[0]["key"], frames[0]["method"], len(frames), killed=True)


def crop_clip(
    frames: Sequence[dict[str, Any]], root: Path, folder: Path, p: CropParams, ready: bool = False
) -> ClipFaces:
    """Write the biggest face of each of one clip's ``frames`` (key, method, frame, path).

    ``path`` is relative to ``root``; the crop goes to the same path in ``folder``. Images that
    are ``ready`` crops are only brought to the crop's size, whole, if no side is over ``LONGEST``.
    """
    clip = ClipFaces(frames[0]["key"], frames[0]["method"], len(frames))
    for frame in frames:
        image = images.read(root / frame["path"])
        if image is None or (ready and max(image.shape) > LONGEST):
            clip.unreadable.append(frame["path"])
            continue
        square = whole(image) if ready else locate(image, detector(p), p.margin)
        if square is not None:
            name = f"{Path(frame['path']).with_suffix('')}.{p.format}"
            images.write(folder / name, cut(image, square, p.size), p.quality)
            row = {"key": clip.key, "frame": frame["frame"], "path": name}
            clip.rows.append(row | square._asdict())
    return clip


def frames_of(held_ready: bool) -> pd.DataFrame:
    """What is to be cropped: the extracted frames, or the images that the data set holds."""
    if held_ready:
        frames = manifest.read_table("data/manifest.csv").assign(frame=0, seconds=float("nan"))
    else:
        frames = manifest.read_table("data/frames/index.csv")
    return frames[[*manifest.identity_columns(frames), "frame", "seconds", "path"]]


def by_clip(frames: pd.DataFrame) -> list[list[dict[str, Any]]]:
    """The rows of ``frames`` as dictionaries, a list a clip: the items of ``crop_clip``."""
    return [rows.to_dict("records") for _, rows in frames.groupby("key", sort=False)]


def index(frames: pd.DataFrame, clips: Sequence[ClipFaces]) -> pd.DataFrame:
    """One row per crop: the columns of ``frames``, its own path, and x, y, side of the square.

    Raises NoFaceFound when a method has no face at all, and DataMissing when no image of it
    can be read.
    """
    for method in dict.fromkeys(clip.method for clip in clips):
        ours = [clip for clip in clips if clip.method == method]
        damaged = [path for clip in ours for path in clip.unreadable]
        if damaged and len(damaged) == sum(clip.frames for clip in ours):
            raise DataMissing(
                f"{damaged[0]}: cannot be read, nor any other image of {method}; replace them, or"
                f" take {method} out of dataset.methods in params.yaml"
            )
        if not any(clip.rows for clip in ours):
            raise NoFaceFound(
                f"{method}: no face in any frame; lower faces.min_neighbors or faces.min_size"
                " in params.yaml, or look at the frames"
            )
    columns = ["key", "frame", "path", *Square._fields]
    crops = pd.DataFrame([row for clip in clips for row in clip.rows], columns=columns)
    return frames.drop(columns="path").merge(crops, on=["key", "frame"], validate="one_to_one")


def summary(clips: Sequence[ClipFaces]) -> dict[str, Any]:
    """Counts for the metrics file; every clip that gave no crop is named."""
    empty = [clip.key for clip in clips if not clip.rows and not clip.killed]
    killers = [clip.key for clip in clips if clip.killed]
    unreadable = [path for clip in clips for path in clip.unreadable]
    by_method: dict[str, list[ClipFaces]] = {}
    for clip in clips:
        by_method.setdefault(clip.method, []).append(clip)
    return _counts(clips) | {
        "unreadable": len(unreadable),
        "unreadable_images": unreadable,
        "killed_their_process": len(killers),
        "killed_their_process_clips": killers,
        "clips_without_face": len(empty),
        "clips_without_face_names": empty,
        "per_method": {method: _counts(ours) for method, ours in by_method.items()},
    }


def _counts(clips: Sequence[ClipFaces]) -> dict[str, Any]:
    frames = sum(clip.frames for clip in clips)
    faces = sum(len(clip.rows) for clip in clips)
    looked = sum(clip.frames - len(clip.unreadable) for clip in clips if not clip.killed)
    missed = looked - faces
    lost = (frames - faces) / frames if frames else None
    return {"frames": frames, "faces": faces, "without_face": missed, "share_lost": lost}


def write_contact_sheets(crops: pd.DataFrame, root: Path, folder: Path) -> None:
    """``folder/<method>.png``: up to 48 crops of the method, evenly taken from its rows.

    What was in ``folder`` goes.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for method, ours in crops.groupby("method"):
        wanted = min(len(ours), SHEET_ROWS * SHEET_COLUMNS)
        rows = np.linspace(0, len(ours) - 1, wanted).round().astype(int)
        tiles = [images.read(root / path) for path in ours["path"].iloc[rows]]
        sheet = _sheet([tile for tile in tiles if tile is not None])
        images.write(folder / f"{method}.png", sheet)


def _sheet(tiles: Sequence[np.ndarray]) -> np.ndarray:
    rows = -(-len(tiles) // SHEET_COLUMNS)
    sheet = np.zeros((rows * SHEET_TILE, SHEET_COLUMNS * SHEET_TILE, 3), np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, SHEET_COLUMNS)
        y, x = row * SHEET_TILE, column * SHEET_TILE
        sheet[y : y + SHEET_TILE, x : x + SHEET_TILE] = cut(tile, whole(tile), SHEET_TILE)
    return sheet
