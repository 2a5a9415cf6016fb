"""Accuracy against size over the studies, beside the publication's points.

    python -m tools.study.front     # after studies that have B0 among their rows or share its seeds

Both axes are relative to B0 of the same data: share of its parameters, and points of accuracy
above or below it with the same seed. Writes metrics/studies/front.csv and .png.
"""

import pandas as pd
from matplotlib.figure import Figure

from litefake import errors
from litefake.artifacts import write_csv, write_figure
from litefake.errors import DataMissing
from tools.pipeline import ROOT
from tools.study import declaration
from tools.study.declaration import COMMON_MIX, Published

HOME = ROOT / "metrics" / "studies"
# Those whose rows are all trained and judged on the data of params.yaml.
STUDIES = ("final", "lite", "prune_kind", "prune_ratio", "prune_target", "two_in_one")
PUBLISHED = "published, other data"


def main() -> None:
    """Raises DataMissing when no study with B0 was run."""
    found = {
        name: pd.read_csv(HOME / name / "runs.csv")
        for name in STUDIES
        if (HOME / name / "runs.csv").is_file()
    }
    if not found:
        raise DataMissing(f"{HOME}: has no study; run `make study NAME=final`")
    points = pd.concat([ours(found), published(declaration.published())], ignore_index=True)
    write_csv(HOME / "front.csv", points)
    draw(points)


def ours(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """A row a variant: ``size`` (share of B0's parameters), ``points`` (of accuracy against B0 with
    the same seed, mean), ``spread`` (its standard deviation), ``seeds``.

    A study without B0 is compared with that of the first study that has it. Networks that stand in
    several studies count once, a larger one than B0 (the teacher of two branches) not at all.
    Raises DataMissing without any B0.
    """
    runs = pd.concat([rows.assign(study=name) for name, rows in found.items()], ignore_index=True)
    runs = runs[runs["md5"].notna()]
    all_b0 = runs[runs["variant"] == "B0"]
    if all_b0.empty:
        raise DataMissing(f"{HOME}: no study with B0 was run; run `make study NAME=final`")
    own = all_b0.drop_duplicates(["study", "seed"]).set_index(["study", "seed"])
    first = all_b0.drop_duplicates("seed").set_index("seed")
    runs = _each_once(runs[runs["seed"].isin(first.index)])

    def of_b0(column: str) -> pd.Series:
        places = pd.MultiIndex.from_frame(runs[["study", "seed"]])
        theirs = own[column].reindex(places).set_axis(runs.index)
        return theirs.fillna(runs["seed"].map(first[column]))

    size = runs["parameters"] / of_b0("parameters")
    points = 100 * (runs["accuracy"] - of_b0("accuracy"))
    runs = runs.assign(size=size, points=points)[size <= 1]
    groups = runs.groupby(["study", "variant"], sort=False)
    return groups.agg(
        size=("size", "mean"),
        points=("points", "mean"),
        spread=("points", "std"),
        seeds=("seed", "nunique"),
    ).reset_index()


def _each_once(runs: pd.DataFrame) -> pd.DataFrame:
    """``runs`` without the variants all of whose networks stand in another, the fuller one."""
    networks = {
        key: frozenset(zip(rows["seed"], rows["md5"], strict=True))
        for key, rows in runs.groupby(["study", "variant"], sort=False)
    }
    order = list(networks)
    again = [
        key
        for place, key in enumerate(order)
        if any(
            networks[key] < networks[other] or (networks[key] == networks[other] and before < place)
            for before, other in enumerate(order)
        )
    ]
    named = pd.MultiIndex.from_frame(runs[["study", "variant"]])
    return runs[~named.isin(again)]


def published(known: dict[str, Published]) -> pd.DataFrame:
    """The publication's rows with a size, in the columns of ``ours``."""
    b0 = known["b0"]
    assert b0.parameters is not None
    return pd.DataFrame(
        {
            "study": PUBLISHED,
            "variant": name,
            "size": row.parameters / b0.parameters,
            "points": row.accuracy_at(COMMON_MIX) - b0.accuracy_at(COMMON_MIX),
        }
        for name, row in known.items()
        if row.parameters is not None
    )


def not_dominated(points: pd.DataFrame) -> pd.DataFrame:
    """The rows that no smaller one equals or beats, from the smallest on."""
    ordered = points.sort_values(["size", "points"], ascending=[True, False])
    return ordered[ordered["points"] > ordered["points"].cummax().shift(fill_value=float("-inf"))]


def draw(points: pd.DataFrame) -> None:
    """Both fronts, and every point with its spread where several seeds were run."""
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.axhline(0, color="gray", lw=0.8)
    for name, rows in points.groupby("study", sort=False):
        marker = "x" if name == PUBLISHED else "o"
        axes.errorbar(
            100 * rows["size"],
            rows["points"],
            yerr=rows["spread"],
            ls="",
            marker=marker,
            capsize=3,
            alpha=0.7,
            label=name,
        )
    for theirs, style in ((False, "-"), (True, "--")):
        front = not_dominated(points[(points["study"] == PUBLISHED) == theirs])
        axes.plot(100 * front["size"], front["points"], style, color="gray", lw=1, zorder=0)
    axes.set(
        xlabel="parameters (% of B0)",
        ylabel="accuracy against B0 on the same data (points)",
        title="Accuracy against size",
    )
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    write_figure(HOME / "front.png", figure, dpi=110)


if __name__ == "__main__":
    errors.run(main)
