"""How models stand what happens to a video on its way: ``python -m tools.robustness [RUN]``.

Pictures of the validation split are changed *before* the face is searched; the biggest face is
cut out and scored. RUN is ``built-in`` (the default: frames of the rendered clips) or
``portraits`` (blended pairs, the run of the packaged model). Writes metrics/NAME.csv (model,
kind, strength, AUC, shares of the fake and real faces that are called fake at the model's
threshold, share of pictures without a face), NAME.json with the settings, and a plot.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from litefake import detection, errors, faces, reproducibility, robustness
from litefake.artifacts import write_csv, write_figure, write_json
from litefake.detectors import detector
from litefake.errors import DataMissing, ParamsInvalid
from litefake.report import Judge
from litefake.seeds import seed_of
from tools import package_model
from tools.robustness_samples import SEED, Clip, Sample, clips, pairs

OUT = Path("metrics")


class Run(NamedTuple):
    """A run of the pipeline: where it is, its models in the order of the legend, its pictures."""

    folder: Path
    models: tuple[str, ...]
    sample: Sample
    name: str  # of what is written


RUNS = {
    "built-in": Run(
        Path(),
        (
            "b0.safetensors",
            "lite0.safetensors",
            "kd_lite0.safetensors",
            "prune_kd.safetensors",
            "prune_kd_int8.onnx",
        ),
        clips,
        "robustness",
    ),
    # The fp32 student as ONNX: the same logits as its safetensors in half the time.
    package_model.PROFILE: Run(
        Path(package_model.RUN),
        ("b0.safetensors", "prune_kd.onnx", "prune_kd_int8.onnx"),
        pairs,
        "robustness_portraits",
    ),
}


def main(chosen: str) -> None:
    if chosen not in RUNS:
        raise ParamsInvalid(f"{chosen}: no such run; there are {', '.join(RUNS)}")
    run = RUNS[chosen]
    torch.set_num_threads(1)
    if chosen == package_model.PROFILE:
        package_model.require_locked(["data/split.csv", *(f"models/{name}" for name in run.models)])
    judges = {path.stem: Judge.load(path, threads=1) for path in _model_files(run)}
    sample = run.sample(run.folder, next(iter(judges.values())).card)
    table = measure(judges, sample)
    write_csv(OUT / f"{run.name}.csv", table, digits=4)
    settings = {
        "clips": len(sample),
        "frames": sum(len(clip.frames) for clip in sample),
        "split": "val",
        "seed": SEED,
        "machine": reproducibility.machine(),
    }
    write_json(OUT / f"{run.name}.json", settings)
    plot(table, OUT / f"{run.name}.png")
    print(table.pivot_table(index=["kind", "strength"], columns="model", values="auc").round(3))


def _model_files(run: Run) -> list[Path]:
    """Every finished model of the run. Raises DataMissing when none is."""
    folder = run.folder / "models"
    found = [path for path in map(folder.joinpath, run.models) if path.exists()]
    if not found:
        raise DataMissing(f"{folder}: no model; run `make repro` (or `make packaged`) first")
    return found


def measure(judges: dict[str, Judge], sample: list[Clip]) -> pd.DataFrame:
    """A row a model, kind and strength; the first rows are of the untouched pictures.

    All ``judges`` look through the detector of the first.
    """
    kinds = [("none", 0.0)]
    kinds += [(kind, value) for kind, values in robustness.STRENGTHS.items() for value in values]
    rows = []
    for kind, strength in tqdm(kinds, "robustness", unit="change"):
        labels, crops, lost = _faces(sample, kind, strength, next(iter(judges.values())))
        for name, judge in judges.items():
            rows.append((name, kind, strength, *_scores(labels, crops, judge), lost, len(labels)))
    columns = ["model", "kind", "strength", "auc", "found", "alarms", "without_face", "faces"]
    return pd.DataFrame(rows, columns=columns)


def _faces(
    sample: list[Clip], kind: str, strength: float, judge: Judge
) -> tuple[np.ndarray, list[np.ndarray], float]:
    """Labels and crops of the faces that are still found, and the share that is not."""
    finder, rule = detector(judge.card.crop), judge.card.crop
    labels, crops, looked = [], [], 0
    for number, (label, frames) in enumerate(sample):
        if kind != "none":
            frames = robustness.degrade(frames, kind, strength, seed_of(SEED, kind, number))
        looked += len(frames)
        for frame in frames:
            square = faces.locate(frame, finder, rule.margin)
            if square is not None:
                crops.append(faces.cut(frame, square, rule.size))
                labels.append(label)
    return np.array(labels), crops, 1 - len(crops) / looked


def _scores(
    labels: np.ndarray, crops: list[np.ndarray], judge: Judge
) -> tuple[float, float, float]:
    """AUC, and the shares of fakes and reals called fake; NaN when a class has no face left."""
    if len(set(labels)) < 2:
        return (float("nan"),) * 3
    found = detection.probabilities(crops, judge.model, judge.card)
    called = found >= judge.card.threshold
    auc = float(roc_auc_score(labels, found))
    return auc, float(called[labels == 1].mean()), float(called[labels == 0].mean())


def plot(table: pd.DataFrame, path: Path) -> None:
    """The AUC of each model against the strength, an axis a kind."""
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
    write_figure(path, figure, dpi=110)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        raise SystemExit(f"usage: {sys.argv[0]} [{' | '.join(RUNS)}]")
    errors.run(lambda: main((sys.argv[1:] or ["built-in"])[0]))
