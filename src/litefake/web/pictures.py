"""The faces that the page shows of a judged clip: along its timeline, and where it looks fake."""

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from litefake import saliency, transforms, verdict
from litefake.faces import Square, cut
from litefake.report import Judge
from litefake.transforms import Image
from litefake.video import read_frames

MAX_POINTS = 100  # faces of a timeline that can be looked at
SUSPECTS = 4
APART = 0.5  # seconds between two of them: neighbouring frames look alike
SIDE = 128  # px


def pictures_of(clip: Path, faces: pd.DataFrame, judge: Judge) -> dict[str, Any]:
    """What the page draws beside the report; images are JPEG as base64.

    ``faces``: the table of ``detection.Looks``. Returns ``points`` (frame, seconds, track,
    probability, image) in the table's order, and ``suspects`` (the same with ``heat``: None
    where the model gives no gradients), most suspicious first.
    """
    if faces.empty:
        return {"points": [], "suspects": []}
    suspects = suspicious(faces, judge.card.threshold)
    shown = sorted({*evenly(len(faces), MAX_POINTS), *suspects})
    crops = _crops(clip, faces.iloc[shown], max(SIDE, judge.card.image_size))
    points = [_point(faces.iloc[row]) | {"image": jpeg(crops[row])} for row in shown]
    heats = _heat([crops[row] for row in suspects], judge)
    looked_at = [
        _point(faces.iloc[row]) | {"image": jpeg(crops[row]), "heat": heat}
        for row, heat in zip(suspects, heats, strict=True)
    ]
    return {"points": points, "suspects": looked_at}


def evenly(count: int, most: int) -> list[int]:
    """``most`` of the numbers below ``count``, evenly spread with both ends; all if fewer."""
    return sorted({round(value) for value in np.linspace(0, count - 1, min(count, most))})


def suspicious(faces: pd.DataFrame, threshold: float) -> list[int]:
    """Row numbers of the SUSPECTS most probable fakes of the deciding track, APART in time.

    Without a track that has enough faces to decide, all faces count.
    """
    tracks = verdict.judge_tracks(faces, threshold)
    enough = tracks[tracks["faces"] >= verdict.MINIMUM_FACES]
    rows = np.arange(len(faces))
    if not enough.empty:
        worst = enough.loc[enough["probability"].idxmax(), "track"]
        rows = rows[(faces["track"] == worst).to_numpy()]
    probability, seconds = faces["probability"].to_numpy(), faces["seconds"].to_numpy()
    chosen: list[int] = []
    for row in rows[np.argsort(-probability[rows], kind="stable")]:
        if all(not abs(seconds[row] - seconds[other]) < APART for other in chosen):
            chosen.append(int(row))
        if len(chosen) == SUSPECTS:
            break
    return chosen


def jpeg(image: Image) -> str:
    """``image`` (H x W x 3, RGB) as a small JPEG in base64."""
    small = transforms.resize(image, SIDE)
    options = [cv2.IMWRITE_JPEG_QUALITY, 85]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), options)
    return base64.b64encode(data.tobytes()).decode("ascii")


def _crops(clip: Path, rows: pd.DataFrame, size: int) -> dict[int, Image]:
    """The face of each of ``rows``, by row number, from a second pass through the clip."""
    places: dict[int, list[tuple[int, Square]]] = {}
    for row, values in rows[["frame", "x", "y", "side"]].astype(int).iterrows():
        square = Square(*values[["x", "y", "side"]].tolist())
        places.setdefault(values["frame"], []).append((int(str(row)), square))
    return {
        row: np.asarray(cut(frame.image, square, size), np.uint8)
        for frame in read_frames(clip, places.keys())
        for row, square in places[frame.index]
    }


def _heat(faces: list[Image], judge: Judge) -> list[str | None]:
    if not hasattr(judge.model, "forward_features"):  # exported: it has no gradients
        return [None] * len(faces)
    card = judge.card
    inputs = transforms.to_input(faces, card.image_size, card.mean, card.std)
    heats = saliency.grad_cam(judge.model, inputs)
    small = [transforms.resize(face, card.image_size) for face in faces]
    return [jpeg(saliency.overlay(face, heat)) for face, heat in zip(small, heats, strict=True)]


def _point(row: pd.Series) -> dict[str, Any]:
    return {name: row[name] for name in ("frame", "seconds", "track", "probability")}
