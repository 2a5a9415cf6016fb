"""Runs that an earlier run of a study has left, perhaps on another machine.

A run is told by its recipe: the parameters that its stages read, and what dvc.lock holds of the
data and of its stage's network, which stands for the code. While these are the same, another seed
of it is one more draw of the same thing, and its row stands beside it; so does another variant.
"""

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from litefake.artifacts import write_csv
from tools import pipeline
from tools.study import declaration
from tools.study.declaration import Study
from tools.study.overrides import Params
from tools.study.running import DATA, SEED, Run

FACE = ["path", "label", "person"]  # of a scored face, what no network changes
Scores = dict[tuple[str, int], pd.DataFrame]


class Results(NamedTuple):
    """What runs have left: a row each, a row an epoch, and the scored faces by variant and seed."""

    rows: pd.DataFrame
    curves: pd.DataFrame
    scores: Scores

    @property
    def keys(self) -> set[tuple[str, int]]:
        """Variant and seed of each row."""
        return set() if self.rows.empty else set(_keys(self.rows))


NONE = Results(pd.DataFrame(), pd.DataFrame(), {})


def recipe(run: Run, locked: Mapping[str, str]) -> str:
    """A short hash of what decides ``run`` beside its seed; ``locked``: dvc.lock's hashes by path.

    Left out are the sections that no stage of its reads, and those of data of another kind; of
    what it is judged with, all that decides no face.
    """
    network = f"models/{run.variant.model}.safetensors"
    judged = _read(run, run.judged)
    parts = {
        "locked": {path: locked.get(path) for path in ("data/faces", "data/split.csv", network)},
        "trained": _read(run, run.params),
        "last": run.variant.set_last,
        "judged": {name: part for name, part in judged.items() if name in DATA},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _read(run: Run, values: Params) -> Params:
    """The sections of ``values`` that the stages of ``run`` read, without the seed."""
    idle = {"pairs"} if values["dataset"]["layout"] != "portraits" else set()
    names = _sections(run.variant.model, values["prune"]["student"]) - idle
    seed_section, seed = SEED.split(".")
    found = {name: values[name] for name in names}
    others = {key: value for key, value in found[seed_section].items() if key != seed}
    return found | {seed_section: others}


@functools.cache
def _sections(model: str, student: str) -> frozenset[str]:
    """The sections of params.yaml that the stage of ``model`` and those before it read.

    ``student``: the network that is pruned, on which it depends what is before that.
    """
    stages = pipeline.stages(values={"prune": {"student": student}})
    made = pipeline.producers()
    waiting, seen = [declaration.stage_of(model)], set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        before = {made[dep] for dep in stages[name]["deps"] if dep in made}
        waiting += before - seen
    return frozenset(
        param.split(".")[0] for name in seen for param in stages[name].get("params", [])
    )


def load(
    home: Path, study: Study, wanted: Sequence[tuple[Run, str]], *, by_row: bool = False
) -> Results:
    """What ``home`` holds of ``wanted``, runs with their recipes.

    A run is kept if it is of the same recipe, with its scores where networks are compared: a seed
    whole or not at all, or ``by_row`` each for itself. What is left out is printed.
    """
    if not wanted or not all((home / name).is_file() for name in ("runs.csv", "curves.csv")):
        return NONE
    rows = pd.read_csv(home / "runs.csv", dtype={"failed": str, "recipe": str})
    rows["failed"] = rows["failed"].fillna("")
    curves, scores = pd.read_csv(home / "curves.csv"), _scores(home / "scores.csv")
    together: dict[object, list[tuple[Run, str]]] = {}
    for run, recipe in wanted:
        together.setdefault(key_of(run) if by_row else run.seed, []).append((run, recipe))
    kept: set[tuple[str, int]] = set()
    for part in together.values():
        seed = part[0][0].seed
        if seed not in set(rows["seed"]):
            continue
        if missing := _missing(rows[rows["seed"] == seed], study, part, scores):
            print(f"study: seed {seed} in {home / 'runs.csv'} is left out: {missing}")
        else:
            kept |= {key_of(run) for run, _ in part}
    return Results(
        _of(rows, kept),
        _of(curves, kept),
        {key: table for key, table in scores.items() if key in kept},
    )


def key_of(run: Run) -> tuple[str, int]:
    """What tells a run from the others of its study: variant and seed."""
    return run.variant.name, run.seed


def _of(table: pd.DataFrame, kept: set[tuple[str, int]]) -> pd.DataFrame:
    return table[[key in kept for key in _keys(table)]]


def _keys(table: pd.DataFrame) -> list[tuple[str, int]]:
    return list(zip(table["variant"], table["seed"], strict=True))


def _missing(
    rows: pd.DataFrame, study: Study, wanted: Sequence[tuple[Run, str]], scores: Scores
) -> str:
    """Why runs of a seed, with its ``rows``, cannot be kept; empty when they can."""
    found = rows.set_index("variant")
    for run, recipe in wanted:
        name = run.variant.name
        if name not in found.index or found.loc[name, "failed"].startswith("not "):
            return f"{name} was not run or not judged"
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
    """Both as one, in the order of seeds and variants; ``kept`` marks the rows of ``before``."""
    faces = [list(one.scores.values())[:1] for one in (before, ours)]
    if all(faces) and not faces[0][0][FACE].equals(faces[1][0][FACE].reset_index(drop=True)):
        print("study: the seeds of earlier runs are left out: they were judged on other faces")
        before = NONE
    rows = pd.concat([before.rows.assign(kept=True), ours.rows.assign(kept=False)])
    rows, scores = _ordered(study, rows), before.scores | ours.scores
    return Results(
        rows,
        _ordered(study, pd.concat([before.curves, ours.curves])),
        {key: scores[key] for key in _keys(rows) if key in scores},
    )


def _ordered(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    places = {variant.name: place for place, variant in enumerate(study.variants)}
    order = table.assign(place=table["variant"].map(places))
    order = order.sort_values(["seed", "place"], kind="stable")  # epochs stay in their order
    return order.drop(columns="place").reset_index(drop=True)


def write_scores(path: Path, scores: Scores) -> None:
    """A row a face, a column a network, so that a later run can compare with it."""
    first = next(iter(scores.values()))
    columns = {
        f"{seed}:{name}": [repr(float(value)) for value in table["probability"]]
        for (name, seed), table in scores.items()
    }
    assert all(list(table["path"]) == list(first["path"]) for table in scores.values())
    write_csv(path, first[FACE].assign(**columns))  # as texts: rounded, near scores would tie
