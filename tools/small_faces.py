"""What the packaged model says of faces that are small: ``python -m tools.small_faces ROOT``.

ROOT holds ready crops of real deepfakes (layout ``faces``). Those of ``train``, by which settings
of the packaged model were chosen before, are shrunk to each of SIDES and enlarged again, as a
small face is before the model sees it. Writes metrics/evaluate/small_faces.csv.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from litefake import detection, discovery, errors, evaluation, images, manifest, report, shipped
from litefake.artifacts import write_csv
from litefake.errors import DataMissing
from litefake.faces import cut, whole
from litefake.inputs import Image
from litefake.scoreboard import auc
from litefake.verdict import called_real
from tools.pipeline import ROOT

OUT = ROOT / "metrics/evaluate/small_faces.csv"
PART = "train"
SIDES = (299, 160, 120, 100, 80, 64, 48, 32)  # px; the crops at hand have 299


def main(root: Path) -> None:
    """Raises DataMissing."""
    listing, _ = evaluation.part_of(manifest.list_videos(discovery.describe(root, "faces")), PART)
    judge = report.Judge.load(shipped.MODEL)
    pictures = [images.read(root / path) for path in listing["path"]]
    whole_ones = [picture for picture in pictures if picture is not None]
    if len(whole_ones) < len(pictures):
        raise DataMissing(f"{root}: {len(pictures) - len(whole_ones)} images cannot be read")
    labels, size = listing["label"].to_numpy(), judge.card.crop.size
    rows = []
    for side in tqdm(SIDES, "small_faces", unit="size"):
        crops = [_enlarged(picture, side, size) for picture in whole_ones]
        scores = detection.probabilities(crops, judge.model, judge.card)
        rows.append({"side": side, **said(labels, scores, judge.card.threshold)})
    table = pd.DataFrame(rows)
    write_csv(OUT, table, digits=4)
    print(table.to_string(index=False))


def _enlarged(picture: Image, side: int, size: int) -> Image:
    """``picture`` at ``size`` px, after it had ``side`` px at most."""
    if side < max(picture.shape[:2]):
        picture = np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA))
    return cut(picture, whole(picture), size)


def said(labels: np.ndarray, scores: np.ndarray, threshold: float) -> dict[str, float]:
    """AUC, and the shares of fakes and of reals that are called fake and real."""
    found = {"auc": auc(labels, scores)}
    for name, label in (("fakes", 1), ("reals", 0)):
        ours = scores[labels == label]
        found[f"{name}_called_fake"] = float((ours >= threshold).mean())
        found[f"{name}_called_real"] = float(called_real(ours, threshold).mean())
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} ROOT of ready face crops")
    errors.run(lambda: main(Path(sys.argv[1])))
