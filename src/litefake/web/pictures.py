"""The faces that the page shows of a judged clip: along its timeline, and where it looks fake."""

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from litefake import inputs
from litefake.faces import Square, cut
from litefake.inputs import Image
from litefake.report import Judge, Judgement
from litefake.sightings import Sightings
from litefake.video import read_frames

MAX_POINTS = 100  # faces of a timeline that can be looked at
SUSPECTS = 4
APART = 0.5  # seconds between two of them: neighbouring frames look alike
SIDE = 128  # px


def pictures_of(clip: Path, found: Judgement, judge: Judge) -> dict[str, Any]:
    """What the page draws beside the report; images are JPEG as base64.

    Returns ``points`` (frame, seconds, track, probability, answer, image) in the order of the
    faces of ``found``, and ``suspects`` (the same with ``heat``: None where the model gives
    none), most suspicious first.
    """
    faces = found.looks.faces
    if not len(faces):
        return {"points": [], "suspects": []}
    suspects = suspicious(faces, found.verdict.track)
    shown = sorted({*evenly(len(faces), MAX_POINTS), *suspects})
    crops = _crops(clip, faces, shown, max(SIDE, judge.card.image_size))
    points = {row: _point(faces[row], judge) | {"image": jpeg(crops[row])} for row in shown}
    heats = _heat([crops[row] for row in suspects], judge)
    looked_at = [points[row] | {"heat": heat} for row, heat in zip(suspects, heats, strict=True)]
    return {"points": list(points.values()), "suspects": looked_at}


def evenly(count: int, most: int) -> list[int]:
    """``most`` of the numbers below ``count``, evenly spread with both ends; all if fewer."""
    return sorted({round(value) for value in np.linspace(0, count - 1, min(count, most))})


def suspicious(faces: Sightings, track: int | None) -> list[int]:
    """Row numbers of the SUSPECTS most probable fakes of the deciding track, APART in time.

    Without a track that decides, all faces count.
    """
    rows = np.arange(len(faces))
    if track is not None:
        rows = rows[faces["track"] == track]
    probability, seconds = faces["probability"], faces["seconds"]
    chosen: list[int] = []
    for row in rows[np.argsort(-probability[rows], kind="stable")]:
        if all(not abs(seconds[row] - seconds[other]) < APART for other in chosen):
            chosen.append(int(row))
        if len(chosen) == SUSPECTS:
            break
    return chosen


def jpeg(image: Image) -> str:
    """``image`` (H x W x 3, RGB) as a small JPEG in base64."""
    small = inputs.resize(image, SIDE)
    options = [cv2.IMWRITE_JPEG_QUALITY, 85]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), options)
    return base64.b64encode(data.tobytes()).decode("ascii")


def overlay(face: Image, heat: NDArray[np.float32]) -> Image:
    """``face`` (S x S x 3, RGB) under the ``heat`` (S x S): bright where the evidence is."""
    levels = np.asarray(np.round(heat * 255), np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    part = 0.6 * heat[..., None]
    return np.asarray(face * (1 - part) + colours * part, np.uint8)


def _crops(clip: Path, faces: Sightings, shown: list[int], size: int) -> dict[int, Image]:
    """The faces ``shown``, by row number, from a second pass through the clip."""
    places: dict[int, list[tuple[int, Square]]] = {}
    for row in shown:
        square = Square(*(int(faces[row][name]) for name in ("x", "y", "side")))
        places.setdefault(int(faces[row]["frame"]), []).append((row, square))
    return {
        row: np.asarray(cut(frame.image, square, size), np.uint8)
        for frame in read_frames(clip, places.keys())
        for row, square in places[frame.index]
    }


def _heat(faces: list[Image], judge: Judge) -> list[str | None]:
    card = judge.card
    heats = judge.model.heat(inputs.normalise(faces, card.image_size, card.mean, card.std))
    if heats is None:
        return [None] * len(faces)
    small = [inputs.resize(face, card.image_size) for face in faces]
    return [jpeg(overlay(face, heat)) for face, heat in zip(small, heats, strict=True)]


def _point(face: np.void, judge: Judge) -> dict[str, Any]:
    point = {name: face[name].item() for name in ("frame", "seconds", "track", "probability")}
    # Decided here: what the page reads is rounded.
    return point | {"answer": judge.rule.answer(face["probability"], face["side"])}
