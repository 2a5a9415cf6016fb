"""Run a study: ``python -m tools.study NAME [SEED ...]``, or ``make study NAME=...``.

Every variant that ``studies/NAME.yaml`` declares is trained with every seed in a clone of the
last commit, ``build/study``, which shares DVC's cache with this checkout; then all are judged, and
``metrics/studies/NAME/`` gets the figures, the table, the curves and a plot. Killed and started
again, it goes on where it was. Seeds given here are run alone; beside them stay those that
``metrics/studies/NAME/`` holds of the same recipe, from whatever machine, and the table says which
are missing; with ``--missing`` every row stays that is held, and the others are run. What is run
later finds in the cache what these have trained. The parameters are those of params.yaml as it is
here, or of the profile that the study names.
"""

import argparse
from pathlib import Path

import pandas as pd

from litefake import comparison, errors, params, reproducibility
from litefake.artifacts import write_csv, write_text
from litefake.errors import DataMissing
from litefake.locks import alone
from tools.pipeline import ROOT
from tools.study import declaration, judging, kept, notes, paired, plots, running, tables
from tools.study.declaration import Study
from tools.study.workspace import Workspace


@alone("study")
def main(name: str, seeds: list[int], missing: bool) -> None:
    """Run study ``name``, of its seeds ``seeds`` alone if any are given, or what is ``missing``.

    Raises ParamsInvalid, DataMissing or StageFailed.
    """
    study = declaration.load(name)
    start = declaration.params_of(study)
    base = params.read(start)
    source = declaration.FOLDER / f"{name}.yaml"
    every = running.plan(study, base, source)
    planned = running.plan(study, base, source, seeds)
    settings = params.section("benchmark", comparison.BenchmarkParams, start)
    reproducibility.setup(params.section("reproducibility", reproducibility.Reproducibility, start))
    workspace, home = Workspace(study.profile), ROOT / "metrics" / "studies" / name
    wanted = [(run, kept.recipe(run, workspace.locked)) for run in every]
    if missing:
        found = kept.load(home, study, wanted, by_row=True)
        planned = [run for run in planned if kept.key_of(run) not in found.keys]
    else:
        others = [pair for pair in wanted if seeds and pair[0].seed not in seeds]
        found = kept.load(home, study, others)
    if planned:
        stash = ROOT / "build" / "studies" / name
        runs = list(running.train(planned, workspace, stash, source))
        figures, scores = judging.judge(runs, workspace, settings)
        table = pd.DataFrame([tables.flat(one) for one in figures]).assign(
            cpu=reproducibility.machine()["cpu"],
            recipe=[kept.recipe(run, workspace.locked) for run in runs],
        )
        # A row that is added to others may have been timed without the one to compare with.
        table = table if missing and found.keys else tables.with_speed(table)
        found = kept.joined(study, found, kept.Results(table, running.curves(runs), scores))
    if missing and len(found.rows) < len(every):
        raise DataMissing(f"{home}: its rows are of other faces; run the study without MISSING")
    sizes = sorted({run.params["faces"]["size"] for run in every})
    print(f"\n{_published(home, study, found, sizes, settings)}\n{name}: {home} is of this run")


def _published(
    home: Path,
    study: Study,
    found: kept.Results,
    sizes: list[int],
    settings: comparison.BenchmarkParams,
) -> str:
    """What ``found`` says, written to ``home``, the rows last: their recipes vouch for the rest."""
    known = declaration.published()
    apart = paired.differences(study, found.scores, settings)
    text = f"{tables.markdown(study, found.rows, known)}\n{paired.markdown(study, apart)}"
    text += notes.notes(study, found.rows, sizes, settings.latency.threads)
    text += paired.note(apart, found.scores)
    write_csv(home / "curves.csv", found.curves)
    if apart.empty:
        for name in ("paired.csv", "scores.csv"):
            (home / name).unlink(missing_ok=True)
    else:
        write_csv(home / "paired.csv", apart)
        kept.write_scores(home / "scores.csv", found.scores)
    write_text(home / "table.md", text)
    plots.draw(home / "plot.png", study, found.rows, found.curves, known)
    plots.draw_gradients(home / "gradients.png", study, found.curves)
    write_csv(home / "runs.csv", found.rows)
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        usage="make study NAME=... [SEEDS=... | MISSING=yes], NAME one of "
        + ", ".join(declaration.names())
    )
    parser.add_argument("name")
    parser.add_argument("seeds", nargs="*", type=int)
    parser.add_argument("--missing", action="store_true")
    words = parser.parse_args()
    if words.missing and words.seeds:
        parser.error("SEEDS says what to run, MISSING that the rest is: give one of them")
    errors.run(lambda: main(words.name, words.seeds, words.missing))
