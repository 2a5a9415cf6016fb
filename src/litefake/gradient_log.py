"""What homogenisation did to the gradients of two branches, epoch by epoch, to see if it does."""

from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from litefake.artifacts import write_csv, write_figure

mpl.use("Agg")
PANELS = {
    "norm_before": "gradient norm, before",
    "norm_after": "gradient norm, after",
    "cosine": "cosine of the two gradients",
    "moved": "distance of R from the identity",
}


def write(log: Path | str, picture: Path | str, curve: pd.DataFrame) -> None:
    """Keep the ``table`` of ``curve`` as CSV and as a picture."""
    gradients = table(curve)
    write_csv(log, gradients)
    draw(picture, gradients)


def table(curve: pd.DataFrame) -> pd.DataFrame:
    """The columns of ``curve`` that tell of gradients; those that its variant has.

    norm_before_*, norm_after_*: gradient of a branch's feature loss at the student's feature map.
    cosine_before, cosine_after: of the two branches' gradients behind and before the rotations.
    moved_*: ||R - I|| / ||I||.
    """
    logged = [name for name in curve if str(name).startswith(tuple(PANELS))]
    return curve.reindex(columns=["epoch", *logged])  # without any epoch there is no column


def draw(path: Path | str, gradients: pd.DataFrame) -> None:
    """Draw a ``table`` as one panel a kind of column."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    for place, (kind, title) in enumerate(PANELS.items(), start=1):
        axes: Axes = figure.add_subplot(2, 2, place)
        axes.set(title=title, xlabel="epoch")
        axes.grid(alpha=0.3)
        for name in (name for name in gradients if str(name).startswith(kind)):
            label = str(name).removeprefix(f"{kind}_")
            axes.plot(gradients["epoch"], gradients[name], marker="o", label=label)
        if axes.lines:
            axes.legend()
        else:
            axes.text(0.5, 0.5, "not part of this variant", ha="center", transform=axes.transAxes)
    write_figure(path, figure, dpi=100)
