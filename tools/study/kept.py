"""Seeds that an earlier run of a study has left, perhaps on another machine.

A run is told by its recipe: what its parameters are other than the committed ones, and the hash
that dvc.lock holds of its stage's network, which stands for the code and the data. While both are
the same, another seed of it is one more draw of the same thing, and its row stands beside it.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from litefake.artifacts import write_csv
from tools import pipeline
from tools.study.declaration import Study
from tools.study.overrides import Params
from tools.study.running import SEED, Run

FACE = ["path", "label", "person"]  # of a scored face, what no network changes
Scores = dict[tuple[str, int], pd.DataFrame]


class Results(NamedTuple):
    """What runs have left: a row each, a row an epoch, and the scored faces by variant and seed."""

    rows: pd.DataFrame
    curves: pd.DataFrame
    scores: Scores


def recipe(run: Run, committed: Params, lock: str) -> str:
    """A short hash of what decides ``run`` beside its seed; ``lock`` is the text of dvc.lock."""
    parts = {
        "network": pipeline.locked(lock).get(f"models/{run.variant.model}.safetensors"),
        "trained": _difference(run.params, committed),
        "last": run.variant.set_last,
        "judged": _difference(run.judged, committed),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _difference(ours: Params, theirs: Params) -> dict[str, Any]:
    """The values of ``ours`` that ``theirs`` has otherwise, by dotted key, the seed left out."""
    known = _flat(theirs)
    return {
        key: value
        for key, value in _flat(ours).items()
        if key != SEED and (key not in known or known[key] != value)
    }


def _flat(values: Params, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        inner = isinstance(value, dict) and value
        found |= _flat(value, f"{prefix}{key}.") if inner else {f"{prefix}{key}": value}
    return found


def load(home: Path, study: Study, wanted: Sequence[tuple[Run, str]]) -> Results:
    """What ``home`` holds of the seeds of ``wanted``, runs with their recipes.

    A seed is kept whole or not at all: every variant is there, of the same recipe, and with its
    scores where networks are compared. What is left out is printed.
    """
    none = Results(pd.DataFrame(), pd.DataFrame(), {})
    if not wanted or not (home / "runs.csv").is_file():
        return none
    rows = pd.read_csv(home / "runs.csv", dtype={"failed": str, "recipe": str})
    rows["failed"] = rows["failed"].fillna("")
    curves, scores = pd.read_csv(home / "curves.csv"), _scores(home / "scores.csv")
    kept = []
    for seed in dict.fromkeys(run.seed for run, _ in wanted):
        of_seed = [pair for pair in wanted if pair[0].seed == seed]
        if seed not in set(rows["seed"]):
            continue
        if missing := _missing(rows[rows["seed"] == seed], study, of_seed, scores):
            print(f"study: seed {seed} in {home / 'runs.csv'} is left out: {missing}")
        else:
            kept.append(seed)
    return Results(
        # Times of another run, perhaps of another machine, are no times of this one.
        rows[rows["seed"].isin(kept)].drop(columns=["cpu_ms", "speedup"], errors="ignore"),
        curves[curves["seed"].isin(kept)],
        {key: table for key, table in scores.items() if key[1] in kept},
    )


def _missing(
    rows: pd.DataFrame, study: Study, wanted: Sequence[tuple[Run, str]], scores: Scores
) -> str:
    """Why a seed, with its ``rows``, cannot be kept; empty when it can."""
    found = rows.set_index("variant")
    for run, recipe in wanted:
        name = run.variant.name
        if name not in found.index:
            return f"{name} was not run"
        if "recipe" not in found or found.loc[name, "recipe"] != recipe:
            return f"{name} is of other parameters, code or data"
        if study.against and not found.loc[name, "failed"] and (name, run.seed) not in scores:
            return f"the scores of {name} are not there"
    return ""


def _scores(path: Path) -> Scores:
    """The scored faces of a ``scores.csv``; empty when there is none."""
    if not path.is_file():
        return {}
    table = pd.read_csv(path, dtype={"person": str}, keep_default_na=False)
    found = {}
    for column in table.columns.drop(FACE):
        seed, name = column.split(":", 1)
        found[name, int(seed)] = table[FACE].assign(probability=table[column])
    return found


def joined(study: Study, before: Results, ours: Results) -> Results:
    """Both as one, in the order of the seeds and variants."""
    return Results(
        _ordered(study, pd.concat([before.rows, ours.rows])),
        _ordered(study, pd.concat([before.curves, ours.curves])),
        before.scores | ours.scores,
    )


def _ordered(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    places = {variant.name: place for place, variant in enumerate(study.variants)}
    order = table.assign(place=table["variant"].map(places))
    order = order.sort_values(["seed", "place"], kind="stable")  # epochs stay in their order
    return order.drop(columns="place").reset_index(drop=True)


def write_scores(path: Path, scores: Scores) -> None:
    """A row a face, a column a network, so that a later run can compare with it."""
    first = next(iter(scores.values()))
    columns = {f"{seed}:{name}": table["probability"] for (name, seed), table in scores.items()}
    assert all(list(table["path"]) == list(first["path"]) for table in scores.values())
    write_csv(path, first[FACE].assign(**columns))
