"""How every model stands what happens to a video on its way: ``make robustness``.

Frames of the validation clips are changed *before* the face is searched; the biggest face is
cut out and scored. Writes metrics/robustness.csv (model, kind, strength, AUC, share of frames
without a face), .json with the settings, and a plot. Validation, not test: only the benchmark
opens the test split, and these curves are compared with each other, not with the table.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from litefake import detection, errors, faces, images, report, reproducibility, robustness
from litefake.artifacts import replacing, write_csv, write_json
from litefake.detectors import detector
from litefake.errors import DataMissing
from litefake.reproducibility import seed_of

MODELS = (
    "b0.safetensors",
    "lite0.safetensors",
    "kd_lite0.safetensors",
    "prune_kd.safetensors",
    "prune_kd_int8.onnx",
)
CLIPS, FRAMES, SEED = 60, 4, 0
OUT = Path("metrics")


def main() -> None:
    torch.set_num_threads(1)
    judges = {path.stem: report.Judge.load(path, threads=1) for path in _model_files()}
    clips = _validation_clips()
    rows = []
    kinds = [("none", 0.0)]
    kinds += [(kind, value) for kind, values in robustness.STRENGTHS.items() for value in values]
    for kind, strength in tqdm(kinds, "robustness", unit="change"):
        labels, crops, lost = _faces(clips, kind, strength, next(iter(judges.values())))
        for name, judge in judges.items():
            auc = _auc(labels, crops, judge)
            rows.append((name, kind, strength, auc, lost, len(labels)))
    columns = ["model", "kind", "strength", "auc", "without_face", "faces"]
    table = pd.DataFrame(rows, columns=columns)
    write_csv(OUT / "robustness.csv", table, digits=4)
    settings = {"clips": len(clips), "frames_of_a_clip": FRAMES, "split": "val", "seed": SEED}
    write_json(OUT / "robustness.json", settings | {"machine": reproducibility.machine()})
    _plot(table, OUT / "robustness.png")
    print(table.pivot_table(index=["kind", "strength"], columns="model", values="auc").round(3))


def _model_files() -> list[Path]:
    """Every finished model, in the order of the table. Raises DataMissing when none is."""
    found = [path for path in map(Path("models").joinpath, MODELS) if path.exists()]
    if not found:
        raise DataMissing("models: no model; run `make repro` first")
    return found


def _validation_clips() -> list[pd.DataFrame]:
    """The frames of up to CLIPS validation clips, both classes alike, FRAMES of each."""
    split = pd.read_csv("data/split.csv", keep_default_na=False)
    split = split[split["split"] == "val"].sort_values(["key", "frame"])
    clips = [rows for _, rows in split.groupby("key")]
    order = np.random.default_rng(SEED).permutation(len(clips))
    chosen = []
    for label in (0, 1):
        ours = [clips[index] for index in order if clips[index]["label"].iloc[0] == label]
        chosen += ours[: CLIPS // 2]
    places = np.linspace(0, 1, FRAMES)
    return [rows.iloc[(places * (len(rows) - 1)).round().astype(int)] for rows in chosen]


def _faces(
    clips: list[pd.DataFrame], kind: str, strength: float, judge: report.Judge
) -> tuple[list[int], list[np.ndarray], float]:
    """Labels and crops of the faces that are still found, and the share that is not."""
    finder, rule = detector(judge.card.crop), judge.card.crop
    labels, crops, looked = [], [], 0
    for number, rows in enumerate(clips):
        frames = [images.read(Path("data/frames") / path) for path in rows["path"]]
        whole = [frame for frame in frames if frame is not None]
        if kind != "none":
            seed = seed_of(SEED, kind, number)
            whole = robustness.degrade(whole, kind, strength, seed)
        looked += len(whole)
        for frame in whole:
            square = faces.locate(frame, finder, rule.margin)
            if square is not None:
                crops.append(faces.cut(frame, square, rule.size))
                labels.append(int(rows["label"].iloc[0]))
    return labels, crops, 1 - len(crops) / looked


def _auc(labels: list[int], crops: list[np.ndarray], judge: report.Judge) -> float:
    """NaN when the faces of a class are no longer found."""
    if len(set(labels)) < 2:
        return float("nan")
    scores = [detection.probabilities(part, judge.model, judge.card) for part in _parts(crops)]
    return float(roc_auc_score(labels, np.concatenate(scores)))


def _parts(crops: list[np.ndarray], size: int = 32) -> list[list[np.ndarray]]:
    return [crops[start : start + size] for start in range(0, len(crops), size)]


def _plot(table: pd.DataFrame, path: Path) -> None:
    figure = Figure(figsize=(11, 6), layout="constrained")
    axes = figure.subplots(2, 3, sharey=True)
    clean = table[table["kind"] == "none"].set_index("model")["auc"]
    for axis, (kind, strengths) in zip(axes.flat, robustness.STRENGTHS.items(), strict=True):
        for model, rows in table[table["kind"] == kind].groupby("model", sort=False):
            axis.plot(range(6), [clean[model], *rows["auc"]], marker="o", ms=3, label=model)
        axis.set_xticks(range(6), ["none", *(f"{value:g}" for value in strengths)])
        axis.set_title(kind)
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel("AUC on validation")
    axes[1, 0].set_ylabel("AUC on validation")
    axes[0, 0].legend(fontsize=8)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, metadata={"Software": ""})


if __name__ == "__main__":
    errors.run(main)
