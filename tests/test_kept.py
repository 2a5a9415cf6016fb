"""Seeds of an earlier run stay beside new ones of the same recipe, and beside no others."""

import pandas as pd
import pytest

from litefake import comparison, params
from litefake.artifacts import write_csv
from tools.pipeline import ROOT
from tools.study import kept, notes, overrides, paired, running, tables
from tools.study.declaration import Study
from tools.study.kept import Results

BASE = params.read(ROOT / "params.yaml")
SOURCE = ROOT / "studies" / "mine.yaml"
LOCKED = {"data/split.csv": "beaf", "models/lite0.safetensors": "f00d"}
DECLARED = {
    "title": "Mine",
    "claim": "More is better.",
    "seeds": [0, 1, 2],
    "columns": ["auc", "cpu_ms"],
    "plot": {"kind": "curves"},
    "against": "plain",
    "variants": [
        {"name": "plain", "model": "lite0"},
        {"name": "other: rate", "model": "lite0", "set": {"finetune.lr": 1.0e-4}},
    ],
}
STUDY = Study.model_validate(DECLARED)
SETTINGS = comparison.BenchmarkParams.model_validate(
    BASE["benchmark"] | {"models": ["b0"], "bootstrap_samples": 20}
)


def recipe_of(run: running.Run, locked: dict = LOCKED) -> str:
    return kept.recipe(run, locked)


def runs(study: Study = STUDY, *seeds: int, base: dict = BASE) -> list[running.Run]:
    return running.plan(study, base, SOURCE, seeds)


def scored(shift: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "path": [f"{place}.png" for place in range(8)],
            "label": [0, 1] * 4,
            "person": list("aabbccdd"),
            "method": ["youtube", "FaceSwap"] * 4,
            "probability": [0.1, 0.9, 0.4, 0.6 - shift, 0.3, 0.7 - shift, 0.2, 0.25],
        }
    )


def results(*seeds: int) -> Results:
    ours = runs(STUDY, *seeds)
    names = [(run.variant.name, run.seed) for run in ours]
    rows = pd.DataFrame(names, columns=["variant", "seed"]).assign(
        failed="", auc=0.9, auc_low=0.8, auc_high=1.0, cpu_ms=5.0, speedup=1.0, train_seconds=7.0,
        cpu="this", device="cpu", recipe=[recipe_of(run) for run in ours],
    )  # fmt: skip
    curves = pd.DataFrame(
        [(*name, epoch, 0.5) for name in names for epoch in (1, 2)],
        columns=["variant", "seed", "epoch", "val_loss"],
    )
    scores = {name: scored(0.1 * place + 0.01 * name[1]) for place, name in enumerate(names)}
    return Results(rows, curves, scores)


@pytest.fixture
def home(tmp_path):
    """What a run of seeds 0 and 2 leaves."""
    found = results(0, 2)
    write_csv(tmp_path / "runs.csv", found.rows.assign(cpu="elsewhere"))
    write_csv(tmp_path / "curves.csv", found.curves)
    kept.write_scores(tmp_path / "scores.csv", found.scores)
    return tmp_path


def load(home, study: Study = STUDY, base: dict = BASE, locked: dict = LOCKED) -> Results:
    others = [run for run in runs(study, base=base) if run.seed != 1]
    return kept.load(home, study, [(run, recipe_of(run, locked)) for run in others])


def test_seeds_of_two_runs_make_one_table(home):
    before, ours = load(home), results(1)
    found = kept.joined(STUDY, before, ours)
    assert list(found.rows["seed"]) == [0, 0, 1, 1, 2, 2]
    assert list(found.rows["variant"]) == ["plain", "other: rate"] * 3
    assert list(found.curves["epoch"]) == [1, 2] * 6
    assert list(found.rows["cpu"]) == ["elsewhere"] * 2 + ["this"] * 2 + ["elsewhere"] * 2
    assert paired.differences(STUDY, found.scores, SETTINGS)["seeds"].tolist() == [3]


def test_scores_come_back_to_the_last_bit(home):
    """Sure answers differ by less than any rounding would leave."""
    sure = {name: table.assign(probability=[*(1 - table["probability"][:4] / 1e9),
                                            *(table["probability"][4:] / 1e20)])
            for name, table in results(0, 2).scores.items()}  # fmt: skip
    kept.write_scores(home / "scores.csv", sure)
    for name, table in load(home).scores.items():
        assert table["probability"].tolist() == sure[name]["probability"].tolist()


def test_times_of_another_run_are_not_mixed_with_these(home):
    elsewhere = pd.read_csv(home / "runs.csv").assign(cpu_ms=500.0, train_seconds=1000.0)
    write_csv(home / "runs.csv", elsewhere)
    found = kept.joined(STUDY, load(home), results(1))
    timed = Study.model_validate(DECLARED | {"columns": ["cpu_ms", "train_seconds"]})
    assert "| plain | 5.00 | 7 |" in tables.markdown(timed, found.rows, {})
    assert found.rows["cpu_ms"].tolist() == [500.0, 500.0, 5.0, 5.0, 500.0, 500.0]
    said = notes.notes(STUDY, found.rows, [112], 1)
    assert "* CPU time of seed 1: one face" in said
    assert "* Seeds of several runs" in said
    assert ": 0, 2 on elsewhere; 1 on this." in said
    alone = notes.notes(STUDY, results(0, 1, 2).rows, [112], 1)
    assert "* CPU time: one face" in alone
    assert "Seeds of several runs" not in alone


def test_a_row_that_is_missing_is_run_beside_those_that_are_there(home):
    for name in ("runs.csv", "curves.csv"):
        table = pd.read_csv(home / name)
        lacks = (table["variant"] == "plain") & (table["seed"] == 2)
        write_csv(home / name, table[~lacks].assign(**{"cpu_ms": 500.0} if "cpu" in table else {}))
    write_csv(home / "scores.csv", pd.read_csv(home / "scores.csv").drop(columns="2:plain"))
    wanted = [(run, recipe_of(run)) for run in runs() if run.seed != 1]
    before, ours = kept.load(home, STUDY, wanted, by_row=True), results(2)
    assert before.keys == {("plain", 0), ("other: rate", 0), ("other: rate", 2)} == {*before.scores}
    first = ours.rows["variant"] == "plain"
    ours = Results(ours.rows[first], ours.curves[ours.curves["variant"] == "plain"],
                   {("plain", 2): ours.scores["plain", 2]})  # fmt: skip
    found = kept.joined(STUDY, before, ours)
    assert list(zip(found.rows["variant"], found.rows["seed"], strict=True)) == [*found.scores]
    assert [*found.scores] == [(name, seed) for seed in (0, 2) for name in ("plain", "other: rate")]
    assert list(found.curves["epoch"]) == [1, 2] * 4
    assert list(found.rows["kept"]) == [True, True, False, True]
    timed = Study.model_validate(DECLARED | {"columns": ["cpu_ms"]})
    assert "| other: rate | n/a |" in tables.markdown(timed, found.rows, {})
    said = notes.notes(STUDY, found.rows, [112], 1)
    assert "* CPU time of the rows that were run last: one face" in said
    assert "* Rows of several runs" in said
    assert ": 3 on elsewhere; 1 on this." in said


def test_without_an_earlier_run_nothing_is_kept(tmp_path):
    assert load(tmp_path).rows.empty
    found = kept.joined(STUDY, load(tmp_path), results(1))
    assert list(found.rows["seed"]) == [1, 1]


LONGER = {"base": overrides.apply(BASE, {"train.epochs": 9}, SOURCE)}
RETRAINED = {"locked": LOCKED | {"models/lite0.safetensors": "d00f"}}
RESPLIT = {"locked": LOCKED | {"data/split.csv": "fabe"}}
UNUSED_BY_THE_DEFAULT = {"base": overrides.apply(BASE, {"split.val": 0.3}, SOURCE)}
LAST = DECLARED["variants"][1] | {"set_last": {"kd.alpha": 0.0}}
REDECLARED = {
    "study": Study.model_validate(DECLARED | {"variants": [DECLARED["variants"][0], LAST]})
}


@pytest.mark.parametrize("change", [LONGER, RETRAINED, RESPLIT, UNUSED_BY_THE_DEFAULT, REDECLARED])
def test_what_has_changed_is_left_out_and_said(home, capsys, change):
    changed = load(home, **change)
    assert changed.rows.empty
    assert changed.curves.empty
    assert changed.scores == {}
    said = capsys.readouterr().out.splitlines()
    assert [line[:13] for line in said] == ["study: seed 0", "study: seed 2"]
    assert all(line.endswith("is of other parameters, code or data") for line in said)


def test_a_seed_that_lacks_a_row_or_scores_is_left_out_whole(home, capsys):
    rows = pd.read_csv(home / "runs.csv")
    write_csv(home / "runs.csv", rows.drop(index=1))
    assert set(load(home).rows["seed"]) == {2}
    assert "seed 0" in (said := capsys.readouterr().out)
    assert said.endswith("other: rate was not run or not judged\n")
    (home / "scores.csv").unlink()
    assert load(home).rows.empty
    assert "left out: the scores of plain are not there" in capsys.readouterr().out
    nobody = Study.model_validate(DECLARED | {"against": ""})
    assert set(load(home, nobody).rows["seed"]) == {2}


@pytest.mark.parametrize("reason", ["not run: x: no such folder", "not judged: x: no such folder"])
def test_what_lacked_its_data_is_no_result_to_keep(home, capsys, reason):
    rows = pd.read_csv(home / "runs.csv", dtype={"failed": str})
    rows.loc[0, "failed"] = reason
    write_csv(home / "runs.csv", rows)
    assert set(load(home).rows["seed"]) == {2}
    assert "plain was not run or not judged" in capsys.readouterr().out


def test_seeds_that_were_judged_on_other_faces_are_left_out(home, capsys):
    ours = results(1)
    others = {name: table.assign(path=table["path"] + "x") for name, table in ours.scores.items()}
    found = kept.joined(STUDY, load(home), ours._replace(scores=others))
    assert set(found.rows["seed"]) == {1}
    assert "left out: they were judged on other faces" in capsys.readouterr().out


def test_rows_from_before_recipes_were_noted_are_left_out(home, capsys):
    write_csv(home / "runs.csv", pd.read_csv(home / "runs.csv").drop(columns="recipe"))
    assert load(home).rows.empty
    assert "left out" in capsys.readouterr().out


def test_a_failed_training_is_kept_without_scores(home):
    rows = pd.read_csv(home / "runs.csv", dtype={"failed": str})
    rows.loc[rows["variant"] == "other: rate", "failed"] = "loss is nan"
    write_csv(home / "runs.csv", rows)
    scores = pd.read_csv(home / "scores.csv").drop(columns=["0:other: rate", "2:other: rate"])
    write_csv(home / "scores.csv", scores)
    assert list(load(home).rows["failed"]) == ["", "loss is nan"] * 2


def test_the_recipe_is_of_all_but_the_seed():
    first, second = runs()[0], runs(STUDY, 2)[0]
    assert recipe_of(first) == recipe_of(second) != recipe_of(runs()[1])
    judged = Study.model_validate(
        DECLARED | {"against": "", "variants": [
            {"name": "plain", "model": "lite0", "judged_on": {"dataset.compression": "c40"}},
            {"name": "last", "model": "lite0", "set_last": {"finetune.epochs": 0}},
        ]}
    )  # fmt: skip
    assert len({recipe_of(run) for run in [first, *runs(judged, 0)]}) == 3


def test_the_recipe_of_a_pruned_network_is_of_the_student_that_its_row_names():
    student = {"prune.student": "kd_two_in_one"}
    says = Study.model_validate(
        DECLARED | {"variants": [
            {"name": "usual", "model": "prune_kd"},
            {"name": "of two", "model": "prune_kd", "set": student},
        ]} | {"against": ""}
    )  # fmt: skip
    other = overrides.apply(BASE, {"dual.dropout": 0.9}, SOURCE)
    usual, of_two = ([recipe_of(run) for run in runs(says, 0, base=base)] for base in (BASE, other))
    assert usual[0] == of_two[0]
    assert usual[1] != of_two[1]


def test_a_recipe_is_not_of_what_its_own_row_overrides():
    """Another default in params.yaml leaves a row that says itself what it is as it was."""
    says = Study.model_validate(
        DECLARED | {"variants": [
            {"name": name, "model": "kd_two_in_one", "set": {"two_in_one.variant": name}}
            for name in ("none", "both")
        ]} | {"against": ""}
    )  # fmt: skip
    other = overrides.apply(BASE, {"two_in_one.variant": "spatial"}, SOURCE)
    found = [[recipe_of(run) for run in runs(says, 0, base=base)] for base in (BASE, other)]
    assert found[0] == found[1]
    assert found[0][0] != found[0][1]
