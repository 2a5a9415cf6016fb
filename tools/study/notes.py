"""The sentences under a study's tables: what the figures are of, and what they do not show."""

from typing import Any

import pandas as pd

from litefake.reproducibility import machine
from tools.study import tables
from tools.study.declaration import COMMON_MIX, REAL, Study
from tools.study.tables import of


def notes(study: Study, rows: pd.DataFrame, image_sizes: list[int], threads: int) -> str:
    """A list of what to know; made where and when the study was run."""
    said = [*_failures(rows), *_seeds(study, rows), *_falls(study, rows), *_unseen(study, rows)]
    said += [_faces(rows), _times(rows, image_sizes, threads), _machines(rows)]
    return "\n".join(f"* {line}" for line in said if line) + "\n"


def _failures(rows: pd.DataFrame) -> list[str]:
    found = rows[rows["failed"].fillna("") != ""]
    return [f"{one.variant}, seed {one.seed}: {one.failed}." for one in found.itertuples()]


def _seeds(study: Study, rows: pd.DataFrame) -> list[str]:
    seeds = sorted(set(rows["seed"]))
    if len(seeds) > 1:
        missing = ", ".join(str(seed) for seed in study.seeds if seed not in seeds)
        of = f" (not yet {missing})" if missing else ""
        return [
            f"Seeds {', '.join(map(str, seeds))}{of}: mean ± standard deviation. ≈: differs from "
            "the first row of its kind by less than the larger of the two deviations, so by "
            "nothing that these runs show."
        ]
    first = rows.dropna(subset=["auc_low"]).head(1)
    of = f" of the {len(study.seeds)} declared" if len(study.seeds) > 1 else ""
    text = f"**One seed** ({seeds[0]}){of}; two seeds of one recipe are about .02 of AUC apart."
    for one in first.itertuples():
        text += (
            f" The AUC of {one.variant} has a 95 % interval over people of {one.auc_low:.3f} to "
            f"{one.auc_high:.3f}."
        )
    return [text]


def _falls(study: Study, rows: pd.DataFrame) -> list[str]:
    """Where the accuracy of each group falls off for good: a dip that mends is noise."""
    if study.falls_off is None:
        return []
    said = []
    for group in dict.fromkeys(variant.group for variant in study.variants):
        ours = [variant for variant in study.variants if variant.group == group]
        means = {variant.name: 100 * of(rows, variant)["accuracy"].mean() for variant in ours}
        lowest = means[ours[0].name] - study.falls_off
        held = [place for place, mean in enumerate(means.values()) if mean >= lowest]
        if not held:  # the first row itself has no figure
            continue
        fallen = list(means)[held[-1] + 1 :]
        where = f"from {fallen[0]} on" if fallen else f"nowhere up to {ours[-1].name}"
        said.append(f"{group}: more than {study.falls_off:g} points below its first row {where}.")
    return said


def _unseen(study: Study, rows: pd.DataFrame) -> list[str]:
    """Methods that were not trained on against the same ones in the first row."""
    pairs = [
        (of(rows, variant)[f"auc:{variant.unseen}"].mean(), variant.unseen)
        for variant in study.variants
        if f"auc:{variant.unseen}" in rows
    ]
    if not pairs:
        return []
    seen = of(rows, study.variants[0])[[f"auc:{name}" for _, name in pairs]].mean().mean()
    unseen = sum(value for value, _ in pairs) / len(pairs)
    return [
        f"Bold: a method that was not trained on. Their mean AUC is {unseen:.3f}; of "
        f"{study.variants[0].name} it is {seen:.3f} on the same methods."
    ]


def _faces(rows: pd.DataFrame) -> str:
    judged = rows.dropna(subset=["faces"]) if "faces" in rows else rows.head(0)
    if judged.empty:
        return ""
    mixes = sorted({(int(one["faces"]), _reals(one)) for _, one in judged.iterrows()})
    ours = "; ".join(f"{faces} test faces, {100 * reals:.0f} % real" for faces, reals in mixes)
    return (
        f"{ours}. Published: FaceForensics++, a random split of frames that shares people, "
        f"{100 * COMMON_MIX:.0f} % real unless a second figure says so; compare orders and "
        "differences, not levels."
    )


def _reals(row: "pd.Series[Any]") -> float:
    names = (f"faces:{REAL}", "faces:control")
    reals = sum(float(row[name]) for name in names if pd.notna(row.get(name)))
    return round(reals / float(row["faces"]), 2)


def _times(rows: pd.DataFrame, sizes: list[int], threads: int) -> str:
    pixels = " or ".join(str(size) for size in sizes)
    ours = tables.latest(rows)
    devices = sorted(set(ours["device"].dropna())) if "device" in rows else []
    seeds = f"seed {_listed(ours['seed'])}" if _seeds_apart(rows) else "the rows that were run last"
    whose = f" of {seeds}" if len(ours) < len(rows) else ""
    return (
        f"CPU time{whose}: one face of {pixels} px, PyTorch, eager, fp32, {threads} thread(s), "
        f"{machine()['cpu']}. Training seconds: of the studied stage alone, on "
        f"{' and '.join(devices) or 'nothing'}, when it ran first."
    )


def _machines(rows: pd.DataFrame) -> str:
    """Which seed, or how many rows, were run on which processor, when they are not of one run."""
    if len(tables.latest(rows)) == len(rows):
        return ""
    apart = _seeds_apart(rows)
    where = rows.groupby("cpu", sort=False)["seed"].apply(_listed if apart else len)
    said = "; ".join(f"{which} on {cpu}" for cpu, which in where.items())
    what = "Seeds" if apart else "Rows"
    return (
        f"{what} of several runs, with the same parameters and, by dvc.lock, the same data and "
        f"code: {said}. Times are of the last run alone."
    )


def _seeds_apart(rows: pd.DataFrame) -> bool:
    """Whether every seed is of one run."""
    ours = tables.latest(rows)
    return set(ours["seed"]).isdisjoint(rows.drop(ours.index)["seed"])


def _listed(seeds: "pd.Series[int]") -> str:
    return ", ".join(str(seed) for seed in sorted(set(seeds)))
