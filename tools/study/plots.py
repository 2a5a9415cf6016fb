"""The picture of a study."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from litefake.artifacts import write_figure
from tools.study.declaration import COMMON_MIX, Published, Study
from tools.study.tables import SCORES, TIMES, TITLES, latest, of

mpl.use("Agg")
COLOURS = mpl.colormaps["tab20"].colors  # type: ignore[attr-defined]  # of bars, which may be many


def draw(
    path: Path,
    study: Study,
    rows: pd.DataFrame,
    curves: pd.DataFrame,
    known: Mapping[str, Published],
) -> None:
    """Draw the plot that the study asks for as PNG."""
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(alpha=0.3)
    draw_kind: dict[str, Callable[[], None]] = {
        "curves": lambda: _curves(axes, study, curves),
        "line": lambda: _line(axes, study, rows, known),
        "points": lambda: _points(axes, study, rows),
        "methods": lambda: _methods(axes, study, rows),
    }
    draw_kind[study.plot.kind]()
    axes.set_title(study.title)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    write_figure(path, figure, dpi=110)


def draw_gradients(path: Path, study: Study, curves: pd.DataFrame) -> bool:
    """Draw how far the gradients of two branches agree, in the mean of the seeds; False: none told.

    Broken lines are before homogenisation, whole ones after it (``litefake.gradient_log``).
    """
    if "cosine_before" not in curves:
        return False
    told = curves.dropna(subset=["cosine_before"])
    means = told.groupby(["variant", "epoch"]).mean(numeric_only=True)
    figure = Figure(figsize=(12, 4), layout="constrained")
    ratio, cosine, moved = figure.subplots(1, 3)
    present = [one.name for one in study.variants if one.name in means.index]
    for place, name in enumerate(present):
        ours, colour = means.loc[name], f"C{place}"
        for when, style in (("before", "--"), ("after", "-")):
            norms = ours[f"norm_{when}_frequency"] / ours[f"norm_{when}_spatial"]
            label = name if when == "after" else None
            ratio.plot(norms, style, marker="o", ms=3, color=colour)
            cosine.plot(ours[f"cosine_{when}"], style, marker="o", ms=3, color=colour, label=label)
        for branch in ("spatial", "frequency"):
            if ours.get(f"moved_{branch}", pd.Series(dtype=float)).notna().any():
                moved.plot(ours[f"moved_{branch}"], marker="o", ms=3, label=f"{name}, {branch}")
    ratio.set_title("gradient norm, frequency by spatial")
    cosine.set_title("cosine of the two (broken: before)")
    moved.set_title("distance of R from the identity")
    for axes in (ratio, cosine, moved):
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
    cosine.legend(fontsize=8)
    if moved.lines:
        moved.legend(fontsize=8)
    write_figure(path, figure, dpi=100)
    return True


def _curves(axes: Axes, study: Study, curves: pd.DataFrame) -> None:
    """Validation loss by epoch, a colour a variant, a line a seed."""
    for place, variant in enumerate(study.variants):
        ours = curves[curves["variant"] == variant.name]
        label: str | None = variant.name
        for _, rows in ours.groupby("seed"):
            axes.plot(
                rows["epoch"], rows["val_loss"], marker="o", ms=3, color=f"C{place}", label=label
            )
            label = None
    axes.set(xlabel="epoch", ylabel="cross-entropy on validation, calibrated")


def _line(axes: Axes, study: Study, rows: pd.DataFrame, known: Mapping[str, Published]) -> None:
    """Accuracy by the variant's number, a line a group; published ones broken."""
    for place, group in enumerate(dict.fromkeys(one.group for one in study.variants)):
        ours = [variant for variant in study.variants if variant.group == group]
        places = [variant.x for variant in ours]
        values = [100 * of(rows, variant)["accuracy"] for variant in ours]
        means, spreads = ([f(value) for value in values] for f in (pd.Series.mean, pd.Series.std))
        colour = f"C{place}"
        axes.errorbar(
            places, means, yerr=spreads, marker="o", capsize=3, color=colour, label=group or "ours"
        )
        theirs = [(one.x, known[one.published]) for one in ours if one.published]
        if theirs:
            axes.plot(
                [x for x, _ in theirs],
                [row.accuracy_at(COMMON_MIX) for _, row in theirs],
                linestyle="--",
                marker="x",
                color=colour,
                alpha=0.6,
                label=f"{group} (published, other data)".strip(),
            )
    axes.set(xlabel=study.plot.x, ylabel="accuracy (%)")


def _points(axes: Axes, study: Study, rows: pd.DataFrame) -> None:
    """A score by a column, a point a run."""
    x, y = study.plot.x, study.plot.y
    scale, title, around = (100, "accuracy (%)", 5) if y == "accuracy" else (1, "AUC on test", 0.05)
    for variant in study.variants:
        ours = latest(of(rows, variant)) if x in TIMES else of(rows, variant)
        axes.scatter(ours[x], scale * ours[y], label=variant.name, alpha=0.7)
    axes.set(xlabel=TITLES[x], ylabel=title)
    if x not in SCORES:
        axes.set_xlim(0, 1.05 * axes.dataLim.x1)
    # A picture of tenths of a point would say more than so few faces can.
    low, high = axes.get_ylim()
    axes.set_ylim(low - around, high + around)


def _methods(axes: Axes, study: Study, rows: pd.DataFrame) -> None:
    """A group of bars a method, a bar a variant; hatched where it was not trained on."""
    prefix = f"{study.methods}:"
    names = sorted(name for name in rows if name.startswith(prefix) and rows[name].notna().any())
    places, width = np.arange(len(names)), 0.8 / len(study.variants)
    hatched: dict[str, Any] = {"fill": False, "hatch": "////", "label": "not trained on"}
    for number, variant in enumerate(study.variants):
        heights = 100 * of(rows, variant)[names].mean()
        left, colour = places + width * number - 0.4, COLOURS[number % len(COLOURS)]
        axes.bar(left, heights, width, align="edge", label=variant.name, color=colour)
        unseen = [name == f"{prefix}{variant.unseen}" for name in names]
        if any(unseen):
            axes.bar(left[unseen], heights[unseen], width, align="edge", **hatched)
            hatched["label"] = None  # one entry in the legend
    if study.methods == "auc":
        axes.axhline(50, color="black", lw=1, linestyle=":", label="guessing")
    axes.set_xticks(places, [name.removeprefix(prefix) for name in names], fontsize=8)
    axes.set_ylabel(f"{TITLES[study.methods]} (%)")
