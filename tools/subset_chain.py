"""Judge every model of ``tools.run_profile ffpp_faces`` on its test crops, and against B0.

The second half of ``make ffpp-faces``. Writes metrics/evaluate/ffpp_faces/MODEL.json, as
``litefake evaluate`` does, and differences.json beside them: each model's AUC less B0's. Nobody is
named in these crops, so single faces are drawn for the intervals, the same ones for both models
of a difference.
"""

from pathlib import Path

import pandas as pd

from litefake import comparison, errors, evaluation, evaluation_report, manifest, params, report
from litefake.artifacts import write_json
from litefake.comparison import BenchmarkParams
from litefake.errors import DataMissing
from litefake.scoreboard import Resampling
from tools.study import paired

NAME = "ffpp_faces"
BUILD = Path("build") / NAME
OUT = Path("metrics/evaluate") / NAME
AGAINST = "b0"


def main() -> None:
    """Raises DataMissing when a model or the crops are absent."""
    profile = Path("profiles") / f"{NAME}.yaml"
    settings = params.section("benchmark", BenchmarkParams, profile)
    models = {name: _built(comparison.path_of(name)) for name in settings.models}
    data = params.section("dataset", manifest.DatasetParams, profile)
    listing = manifest.list_videos(data)
    rows, part = evaluation.part_of(listing, "test")
    left_out = len(listing) - len(rows)
    drawn = Resampling(settings.bootstrap_samples, settings.bootstrap_seed)
    scores: dict[str, pd.DataFrame] = {}
    for name, file in models.items():
        judge = report.Judge.load(file)
        outcome = evaluation.evaluate(rows, Path(data.root), data.layout, judge, 1, left_out)
        figures = evaluation_report.as_dict(outcome, judge, data, part, drawn)
        write_json(OUT / f"{name}.json", figures, digits=6)
        scores[name] = outcome.frame_scores()
        print(f"{name}: AUC {figures['frames']['all']['auc']:.3f}")
    write_json(OUT / "differences.json", differences(scores, settings), digits=6)


def differences(scores: dict[str, pd.DataFrame], settings: BenchmarkParams) -> dict[str, object]:
    """The AUC of each model less that of AGAINST, over all and by method, with 95 % intervals."""

    def apart(ours: pd.DataFrame, theirs: pd.DataFrame, method: str) -> dict[str, float]:
        chosen = (ours["label"] == 0) | (ours["method"] == method) | (method == "all")
        found = paired.difference([(ours[chosen], theirs[chosen])], settings)
        return dict(zip(("difference", "low", "high"), found, strict=True))

    methods = sorted(set(scores[AGAINST].loc[scores[AGAINST]["label"] == 1, "method"]))
    return {
        name: {chosen: apart(table, scores[AGAINST], chosen) for chosen in ("all", *methods)}
        for name, table in scores.items()
        if name != AGAINST
    }


def _built(file: str) -> Path:
    path = BUILD / file
    if not path.is_file():
        raise DataMissing(f"{path}: not found; run `make ffpp-faces`")
    return path


if __name__ == "__main__":
    errors.run(main)
