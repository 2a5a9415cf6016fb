"""Run a study: ``python -m tools.study NAME [SEED ...]``, or ``make study NAME=...``.

Every variant that ``studies/NAME.yaml`` declares is trained with every seed in a clone of the
last commit, ``build/study``, which shares DVC's cache with this checkout; then all are judged, and
``metrics/studies/NAME/`` gets the figures, the table, the curves and a plot. Killed and started
again, it goes on where it was. Seeds given here are run alone; beside them stay those that
``metrics/studies/NAME/`` holds of the same recipe, from whatever machine, and the table says which
are missing. Those run later find in the cache what these have trained. The parameters are those of
params.yaml as it is here, or of the profile that the study names.
"""

import argparse

import pandas as pd

from litefake import comparison, errors, params, reproducibility
from litefake.artifacts import write_csv, write_text
from litefake.errors import DataMissing
from litefake.locks import alone
from tools.pipeline import ROOT
from tools.study import declaration, judging, kept, notes, paired, plots, running, tables
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
    workspace = Workspace(study.profile)
    stash = ROOT / "build" / "studies" / name
    home, known = ROOT / "metrics" / "studies" / name, declaration.published()
    wanted = [(run, kept.recipe(run, workspace.locked)) for run in every]
    if missing:
        before = kept.load(home, study, wanted, by_row=True)
        planned = [run for run in planned if kept.key_of(run) not in before.keys]
    else:
        others = [pair for pair in wanted if seeds and pair[0].seed not in seeds]
        before = kept.load(home, study, others)
    if not planned:
        print(f"{name}: metrics/studies/{name}/ has every row")
        return
    runs = list(running.train(planned, workspace, stash, source))
    figures, scores = judging.judge(runs, workspace, settings)
    table = pd.DataFrame([tables.flat(one) for one in figures]).assign(
        cpu=reproducibility.machine()["cpu"],
        recipe=[kept.recipe(run, workspace.locked) for run in runs],
    )
    table = table if missing else tables.with_speed(table)  # what to compare with may not be there
    found = kept.joined(study, before, kept.Results(table, running.curves(runs), scores))
    if missing and len(found.rows) < len(every):
        raise DataMissing(f"{home}: its rows are of other faces; run the study without MISSING")
    rows = found.rows
    apart = paired.differences(study, found.scores, settings)
    sizes = sorted({run.params["faces"]["size"] for run in runs})

    text = tables.markdown(study, rows, known)
    below = paired.markdown(study, apart)
    below += notes.notes(study, rows, sizes, settings.latency.threads)
    below += paired.note(apart, found.scores)
    write_csv(home / "curves.csv", found.curves)
    for path in (home / "paired.csv", home / "scores.csv"):
        path.unlink(missing_ok=True)
    if not apart.empty:
        write_csv(home / "paired.csv", apart)
        kept.write_scores(home / "scores.csv", found.scores)
    write_csv(home / "runs.csv", rows)  # last: its recipes vouch for the others
    write_text(home / "table.md", f"{text}\n{below}")
    plots.draw(home / "plot.png", study, rows, found.curves, known)
    plots.draw_gradients(home / "gradients.png", study, found.curves)
    print(f"\n{text}\n{below}\n{name}: metrics/studies/{name}/ is of this run")


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
