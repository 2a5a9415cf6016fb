"""What happens to a trained model's answers when another detector cuts its faces.

    python -m tools.swap_detector models/lite0.safetensors

Judges the clips of the built-in data set's test people (first real clip and five fakes of each)
once with the model's own detector and once with each other one, the same frames each time.
"""

import sys
from pathlib import Path
from typing import Any

import cv2
import pandas as pd
from sklearn.metrics import roc_auc_score

from litefake import detection, errors, networks
from litefake.artifacts import write_json
from litefake.card import Card
from litefake.networks import Network
from tools.demo_clips import clips_of

OUT = Path("metrics/bench/swap_detector.json")
DETECTORS = ("haar", "blazeface", "blazeface_full")
EVERY = 6  # frames


def answers(model: Network, card: Card, detector: str) -> pd.DataFrame:
    """One row a frame looked at with a face: clip, frame, label, probability (biggest face)."""
    crop = card.crop.model_copy(update={"detector": detector, "detector_file": ""})
    swapped = card.model_copy(update={"crop": crop})
    parts = []
    for path, label in clips_of("test"):
        found = pd.DataFrame(detection.look(path, model, swapped, EVERY, 1).faces)
        clip = f"{path.parents[2].name}/{path.name}"
        parts.append(biggest(found).assign(clip=clip, label=label))
    return pd.concat(parts)[["clip", "frame", "label", "probability", "side"]]


def biggest(found: pd.DataFrame) -> pd.DataFrame:
    """The largest face of every frame: a row each of ``found``, by its side."""
    return found.sort_values("side").drop_duplicates("frame", keep="last")


def compare(own: pd.DataFrame, other: pd.DataFrame, threshold: float) -> dict[str, Any]:
    """AUC of ``other``, and how far its answers on the same frames are from ``own``."""
    clips = other.groupby("clip")[["label", "probability"]].mean()
    both = own.merge(other, on=["clip", "frame", "label"], suffixes=("", "_other"))
    moved = (both["probability_other"] - both["probability"]).abs()
    sides = (both["probability"] >= threshold) != (both["probability_other"] >= threshold)
    return {
        "faces": len(other),
        "auc": roc_auc_score(other["label"], other["probability"]),
        "clip_auc": roc_auc_score(clips["label"], clips["probability"]),
        "moved_median": moved.median(),
        "moved_90": moved.quantile(0.9),
        "other_answer": sides.mean(),
        "side_ratio": (both["side_other"] / both["side"]).median(),
    }


def main(path: Path) -> None:
    cv2.setNumThreads(1)
    model, card = networks.load(path, threads=1)
    own = answers(model, card, card.crop.detector)
    others = (name for name in DETECTORS if name != card.crop.detector)
    tables = {card.crop.detector: own} | {name: answers(model, card, name) for name in others}
    results = {name: compare(own, table, card.threshold) for name, table in tables.items()}
    write_json(OUT, {"model": path.name, "frames": EVERY, "detectors": results})
    print(pd.DataFrame(results).T.round(4).to_string())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} MODEL")
    errors.run(lambda: main(Path(sys.argv[1])))
