"""Judge every finished model on the test split, which no other stage opens."""

from pathlib import Path

import pandas as pd
from tqdm import tqdm

from litefake import comparison, errors, params, plots, reproducibility
from litefake.artifacts import write_csv, write_json, write_text
from litefake.locks import alone

FACES, SPLIT, METRICS = "data/faces", "data/split.csv", Path("metrics")


@alone("benchmark")
def main() -> None:
    reproducibility.setup(params.section("reproducibility", reproducibility.Reproducibility))
    settings = params.section("benchmark", comparison.BenchmarkParams)
    names = settings.models
    ratios = {name: ("prune" in name) * float(params.value("prune.ratio")) for name in names}
    scored = ((n, comparison.score(comparison.path_of(n), FACES, SPLIT, ratios[n])) for n in names)
    finished = dict(tqdm(scored, "benchmark -> metrics/comparison.md", len(names), unit="model"))
    rows = {name: comparison.figures(one, settings) for name, one in finished.items()}
    latency = comparison.measure_latency(finished, settings.latency)
    table = comparison.table(rows, latency)
    scores = {name: one.scores for name, one in finished.items()}
    thresholds = {name: one.card.threshold for name, one in finished.items()}
    write_csv("data/scores.csv", pd.concat(scores, names=["model"]).reset_index("model"))
    for name, row in rows.items():
        write_json(METRICS / "benchmark" / f"{name}.json", row)
    write_json(METRICS / "latency.json", latency)
    write_csv(METRICS / "comparison.csv", table, digits=4)
    write_text(METRICS / "comparison.md", comparison.markdown(table, rows, latency))
    plots.write(METRICS / "plots", table, scores, thresholds, rows["b0"]["majority_baseline"])


if __name__ == "__main__":
    errors.run(main)
