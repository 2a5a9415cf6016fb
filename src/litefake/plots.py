"""Pictures and plot data of a comparison: ROC, confusion, reliability, accuracy against time.

The tables feed ``dvc plots``; the PNG files need no browser and no network.
"""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from litefake.artifacts import write_csv, write_figure

mpl.use("Agg")
mpl.rcParams.update({"axes.grid": True, "grid.alpha": 0.3})
BINS = 10
DPI = 120
POINTS = 200


def roc_points(scores: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Points of every model's ROC: ``model, false_positive_rate, true_positive_rate``."""
    parts = []
    for model, table in scores.items():
        false_rate, true_rate, _ = roc_curve(table["label"], table["probability"])
        keep = np.unique(np.linspace(0, len(false_rate) - 1, POINTS).round().astype(int))
        parts.append(
            pd.DataFrame(
                {
                    "model": model,
                    "false_positive_rate": false_rate[keep],
                    "true_positive_rate": true_rate[keep],
                }
            )
        )
    return pd.concat(parts)


def confusion_rows(
    scores: Mapping[str, pd.DataFrame], thresholds: Mapping[str, float]
) -> pd.DataFrame:
    """One row a face: ``model, actual, predicted`` in words."""
    words = np.array(["real", "fake"])
    return pd.concat(
        pd.DataFrame(
            {
                "model": model,
                "actual": words[table["label"]],
                "predicted": words[(table["probability"] >= thresholds[model]).astype(int)],
            }
        )
        for model, table in scores.items()
    )


def reliability_rows(scores: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Per model and bin of probability: mean probability, share of fakes, faces."""
    parts = []
    for model, table in scores.items():
        bins = np.minimum((table["probability"] * BINS).astype(int), BINS - 1)
        grouped = table.groupby(bins).agg(
            probability=("probability", "mean"), fakes=("label", "mean"), faces=("label", "size")
        )
        parts.append(grouped.assign(model=model))
    return pd.concat(parts)[["model", "probability", "fakes", "faces"]]


def write(
    folder: Path,
    comparison: pd.DataFrame,
    scores: Mapping[str, pd.DataFrame],
    thresholds: Mapping[str, float],
    majority: float,
) -> None:
    """The plot data as ``<kind>/<model>.csv`` and the four pictures as PNG, in ``folder``."""
    roc, reliability = roc_points(scores), reliability_rows(scores)
    confusion = confusion_rows(scores, thresholds)
    points = comparison[["model", "accuracy", "cpu_ms"]]
    tables = {"roc": roc, "reliability": reliability, "confusion": confusion, "latency": points}
    for kind, table in tables.items():
        # DVC tells curves apart by their files.
        for model, rows in table.groupby("model", sort=False):
            write_csv(folder / kind / f"{model}.csv", rows)
    _draw_roc(folder / "roc.png", roc)
    _draw_confusion(folder / "confusion.png", confusion)
    _draw_reliability(folder / "reliability.png", reliability)
    _draw_latency(folder / "accuracy_latency.png", comparison, majority)


def _draw_roc(path: Path, roc: pd.DataFrame) -> None:
    figure, axes = _axes("false positive rate (reals called fake)", "true positive rate")
    for model, rows in roc.groupby("model", sort=False):
        axes.plot(rows["false_positive_rate"], rows["true_positive_rate"], label=model)
    axes.plot([0, 1], [0, 1], color="gray", linestyle=":", label="chance")
    axes.legend(loc="lower right")
    write_figure(path, figure, DPI)


def _draw_confusion(path: Path, confusion: pd.DataFrame) -> None:
    models = list(confusion["model"].unique())
    words = ["real", "fake"]
    figure = Figure(figsize=(3 * len(models), 3.2), layout="constrained")
    for place, model in enumerate(models, start=1):
        axes = figure.add_subplot(1, len(models), place)
        rows = confusion[confusion["model"] == model]
        counts = pd.crosstab(rows["actual"], rows["predicted"]).reindex(
            index=words, columns=words, fill_value=0
        )
        shares = counts.to_numpy() / counts.to_numpy().sum(axis=1, keepdims=True)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.grid(visible=False)
        for row in range(2):
            for column in range(2):
                axes.text(
                    column,
                    row,
                    f"{counts.iat[row, column]}\n{shares[row, column]:.0%}",
                    ha="center",
                    va="center",
                    color="white" if shares[row, column] > 0.6 else "black",
                )
        axes.set(
            title=model,
            xticks=[0, 1],
            yticks=[0, 1],
            xticklabels=words,
            yticklabels=words,
            xlabel="predicted",
            ylabel="actual" if place == 1 else "",
        )
    write_figure(path, figure, DPI)


def _draw_reliability(path: Path, reliability: pd.DataFrame) -> None:
    figure, axes = _axes("mean probability of the bin", "share of fakes in the bin")
    axes.plot([0, 1], [0, 1], color="gray", linestyle=":", label="calibrated")
    for model, rows in reliability.groupby("model", sort=False):
        axes.plot(rows["probability"], rows["fakes"], marker="o", label=model)
    axes.legend()
    write_figure(path, figure, DPI)


def _draw_latency(path: Path, comparison: pd.DataFrame, majority: float) -> None:
    figure, axes = _axes("CPU time of one face (ms)", "accuracy (%)")
    for row in comparison.itertuples():
        accuracy = 100 * row.accuracy
        label = f"{row.model}, {row.size_mb:.1f} MB"
        axes.scatter(row.cpu_ms, accuracy, s=40 * row.size_mb, alpha=0.6, label=label)
    axes.axhline(100 * majority, color="gray", linestyle=":", label="larger class always")
    axes.set_xlim(0, 1.3 * comparison["cpu_ms"].max())
    axes.margins(y=0.25)
    # The area of a point is the model's size; in the legend all are equally small.
    # Beside the axes, where it hides no point.
    legend = axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set_sizes([60])
    write_figure(path, figure, DPI)


def _axes(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=x_label, ylabel=y_label)
    return figure, axes
