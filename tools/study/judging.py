"""Figures of a study's networks on the test split, and their times in one run."""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from litefake import comparison, footprint, latency
from litefake.comparison import BenchmarkParams
from litefake.errors import DataMissing
from tools.study.kept import Scores
from tools.study.running import Run
from tools.study.workspace import Workspace

Figures = dict[str, Any]


def judge(
    runs: list[Run], workspace: Workspace, settings: BenchmarkParams
) -> tuple[list[Figures], Scores]:
    """The figures of every run: those of ``comparison``, of its training, and its CPU time.

    Beside them the scored test faces, by variant and seed. Runs that are judged on
    the same faces are judged together, so that data change seldom. Raises DataMissing when the
    data set of params.yaml is absent; a run on another is marked.
    """
    found = [_described(run) for run in runs]
    networks: dict[int, nn.Module] = {}
    sizes: dict[int, int] = {}
    scores: Scores = {}
    for places in _by_data(runs):
        try:
            workspace.repro(runs[places[0]].judged, "split")
        except DataMissing as error:
            if not all(runs[place].elsewhere for place in places):
                raise
            for place in places:
                found[place]["failed"] = f"not judged: {error}"
            continue
        for place in places:
            scored = _score(runs[place], workspace.folder)
            networks[place], sizes[place] = scored.model, scored.card.image_size
            scores[runs[place].variant.name, runs[place].seed] = scored.scores
            found[place] |= comparison.figures(scored, settings)
            found[place]["nonzero"] = footprint.nonzero_parameters(scored.model)
    for place, milliseconds in _times(networks, sizes, settings).items():
        found[place]["cpu_ms"] = milliseconds
    return found, scores


def _by_data(runs: list[Run]) -> list[list[int]]:
    """The places of the runs with a network, those that are judged on the same data together."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, run in enumerate(runs):
        if run.path is not None:
            places[json.dumps(run.judged)].append(place)
    return list(places.values())


def _described(run: Run) -> Figures:
    return {
        "variant": run.variant.name,
        "seed": run.seed,
        "failed": run.failed,
        "md5": run.md5,
        "unchanged": run.unchanged,
        **(run.metrics or {}),
    }


def _score(run: Run, folder: Path) -> comparison.Finished:
    faces, split = str(folder / "data" / "faces"), str(folder / "data" / "split.csv")
    share = (run.metrics or {}).get("pruned_share", 0.0)
    return comparison.score(str(run.path), faces, split, share)


def _times(
    networks: Mapping[int, nn.Module], sizes: Mapping[int, int], settings: BenchmarkParams
) -> dict[int, float]:
    """Milliseconds of every network at its own image size; those of one size take turns."""
    times: dict[int, float] = {}
    for size in sorted(set(sizes.values())):
        same = {str(place): networks[place] for place in networks if sizes[place] == size}
        measured = latency.cpu_milliseconds(same, size, settings.latency)
        times |= {int(place): value for place, value in measured.items()}
    return times
