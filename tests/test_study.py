"""Studies: what is declared is valid, what is shared runs once, what is shown is computed."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from litefake import comparison, models, params
from litefake.errors import DataMissing, ParamsInvalid
from tools.pipeline import ROOT
from tools.study import declaration, judging, notes, overrides, pages, plots, running, tables
from tools.study import workspace as workspaces
from tools.study.declaration import Published, Study
from tools.study.workspace import StageFailed, Workspace

BASE = params.read(ROOT / "params.yaml")
SOURCE = Path("studies/mine.yaml")
SETTINGS = {
    "models": ["b0"],
    "bootstrap_samples": 10,
    "bootstrap_seed": 0,
    "latency": {"threads": 1, "warmup": 1, "repeats": 3},
}


def study(**changes) -> Study:
    declared = {
        "title": "Mine",
        "claim": "More is better.",
        "columns": ["accuracy", "auc", "speedup", "best_epoch"],
        "plot": {"kind": "curves"},
        "variants": [
            {"name": "plain", "model": "lite0", "published": "lite0"},
            {"name": "other", "model": "lite0", "set": {"lite0.weights": "xavier"}},
        ],
    }
    return Study.model_validate(declared | changes)


class FakeWorkspace:
    """Answers like the clone and remembers what was asked; a stage leaves a network behind."""

    def __init__(self, folder: Path, model_file: Path, split_folder: Path, fails: str = "") -> None:
        self.folder, self.fails = folder, fails
        self.asked: list[tuple] = []
        shutil.copytree(split_folder / "faces", folder / "data" / "faces")
        shutil.copy(split_folder / "split.csv", folder / "data")
        (folder / "models").mkdir()
        for model in ("b0", "lite0", "kd_lite0", "prune_kd"):
            (folder / "models" / f"{model}.safetensors").symlink_to(model_file)
        (folder / "metrics" / "curves").mkdir(parents=True)
        for stage in ("train_b0", "train_lite0", "kd_lite0", "prune_kd"):
            metrics = {"best_epoch": 2, "train_seconds": 7.0, "val_auc": 0.9, "device": "cpu"}
            (folder / "metrics" / f"{stage}.json").write_text(json.dumps(metrics))
            curve = "epoch,val_loss\n1,0.7\n2,0.6\n"
            (folder / "metrics" / "curves" / f"{stage}.csv").write_text(curve)

    def repro(self, loaded: dict, *stages: str, alone: bool = False) -> None:
        self.asked.append((stages, alone, loaded))
        if self.fails == "training" and loaded["lite0"]["weights"] == "xavier":
            raise StageFailed("train_lite0: loss is nan in epoch 1")
        if self.fails == "disk" and loaded["lite0"]["weights"] == "xavier":
            raise StageFailed("dvc repro train_lite0")
        if self.fails == "data" and loaded["dataset"]["root"] != "data/videos":
            raise DataMissing("elsewhere: no such folder")

    def needed_by(self, stage: str, loaded: dict) -> list[str]:
        return ["split", "train_b0"]

    def hash_of(self, path: str) -> str:
        return "f00d"


@pytest.fixture(scope="session")
def model_file(student, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("student") / "student.safetensors"
    models.save(*student, path)
    return path


@pytest.fixture
def workspace(tmp_path: Path, model_file: Path, split_folder: Path) -> FakeWorkspace:
    return FakeWorkspace(tmp_path, model_file, split_folder)


def trained(one: Study, workspace: FakeWorkspace, stash: Path) -> list[running.Run]:
    return list(running.train(running.plan(one, BASE, SOURCE), workspace, stash, SOURCE))


def judged(runs: list[running.Run], workspace: FakeWorkspace) -> pd.DataFrame:
    settings = comparison.BenchmarkParams.model_validate(SETTINGS)
    figures, _ = judging.judge(runs, workspace, settings)
    return tables.with_speed(pd.DataFrame([tables.flat(one) for one in figures]))


def test_some_of_the_seeds_can_be_run_first():
    three = study(seeds=[0, 1, 2])
    planned = running.plan(three, BASE, SOURCE, [2, 0])
    assert [(run.seed, run.variant.name) for run in planned] == [
        (0, "plain"), (0, "other"), (2, "plain"), (2, "other"),
    ]  # fmt: skip
    with pytest.raises(ParamsInvalid, match=r"seed 3 is not one of its seeds \[0, 1, 2\]"):
        running.plan(three, BASE, SOURCE, [3])


@pytest.mark.parametrize("name", declaration.names())
def test_a_declared_study_can_be_planned(name):
    one = declaration.load(name)
    base = params.read(declaration.params_of(one))
    planned = running.plan(one, base, declaration.FOLDER / f"{name}.yaml")
    assert len(planned) == len(one.variants) * max(1, len(one.seeds))
    for variant in one.variants:
        assert declaration.stage_of(variant.model)


def test_a_study_starts_from_its_profile_and_from_what_all_its_rows_share():
    one = study(profile="ffpp_faces", set={"faces.size": 112})
    base = params.read(declaration.params_of(one))
    first, _ = running.plan(one, base, SOURCE)
    assert first.params == overrides.apply(base, {"faces.size": 112}, SOURCE)
    assert first.params["dataset"]["layout"] == "faces"
    assert first.judged["faces"]["size"] == 112
    assert not first.unchanged  # make repro trains no such network, whatever the hashes say
    assert running.plan(study(), BASE, SOURCE)[0].unchanged
    assert not running.plan(study(set={"faces.size": 96}), BASE, SOURCE)[0].unchanged
    with pytest.raises(ParamsInvalid, match=r"none\.yaml: not found; a study names it"):
        declaration.params_of(study(profile="none"))


def test_a_study_like_another_differs_in_what_it_says_alone():
    ours, theirs = declaration.load("two_in_one_faces"), declaration.load("two_in_one")
    assert ours.profile == "ffpp_faces"
    said = ("title", "profile", "set", "seeds", "variants")
    assert ours.model_copy(update={key: getattr(theirs, key) for key in said}) == theirs
    assert ours.against in {variant.name for variant in ours.variants}


def test_the_hashes_are_of_the_lock_of_the_profile_if_it_has_one(tmp_path, monkeypatch):
    shutil.copy(ROOT / "dvc.lock", tmp_path)
    monkeypatch.setattr(workspaces.clones, "at_head", lambda folder: folder)
    monkeypatch.setattr(workspaces, "_output", lambda *words: "")
    usual = Workspace(folder=tmp_path).locked
    assert usual
    trained = Workspace("ffpp_faces", tmp_path).locked
    assert trained["models/b0.safetensors"] != usual["models/b0.safetensors"]
    assert Workspace("tiny", tmp_path).locked == {}  # a profile that was never run


def test_the_published_studies_are_all_declared():
    assert set(declaration.names()) >= {
        *("init", "schedule", "scaling", "lite", "kd_alpha", "prune_scope", "prune_steps"),
        *("prune_ratio", "prune_kind", "final", "unseen"),
    }


def test_three_seeds_where_one_would_not_do():
    seeds = {name: declaration.load(name).seeds for name in declaration.names()}
    several = {name for name, ours in seeds.items() if ours == [0, 1, 2]}
    assert several == {"kd_alpha", "prune_ratio", "final", "two_in_one"}


def test_the_published_mixes_give_the_published_accuracies():
    """Decoded from the figures per method: two rows fit a test half of reals, the others 40 %."""
    rows = declaration.published()
    decoded = {name: row for name, row in rows.items() if row.methods}
    assert {name for name, row in decoded.items() if row.reals == 0.5} == {"b0", "lite0"}
    for name, row in decoded.items():
        reals = row.reals
        elsewhere = row.model_copy(update={"reals": 0.99})
        assert elsewhere.accuracy_at(reals) == pytest.approx(row.accuracy, abs=0.005), name
    assert rows["b0"].accuracy_at(0.4) == pytest.approx(93.956)
    assert rows["lite0"].accuracy_at(0.4) == pytest.approx(91.352)


def test_an_unknown_study_is_one_clear_line():
    with pytest.raises(ParamsInvalid, match=r"nothing.yaml: no such study; there are final, init"):
        declaration.load("nothing")


def test_overrides_change_what_they_name_and_nothing_else():
    after = overrides.apply(BASE, {"kd.alpha": 1, "faces.size": {"times": 240 / 224}}, SOURCE)
    assert (after["kd"]["alpha"], after["faces"]["size"]) == (1.0, 120)
    assert isinstance(after["kd"]["alpha"], float)
    after["kd"]["alpha"], after["faces"]["size"] = BASE["kd"]["alpha"], BASE["faces"]["size"]
    assert after == BASE


def test_a_list_can_lack_an_item():
    changed = overrides.apply(BASE, {"dataset.methods": {"without": "FaceSwap"}}, SOURCE)
    others = [name for name in BASE["dataset"]["methods"] if name != "FaceSwap"]
    assert changed["dataset"]["methods"] == others


def test_the_built_in_data_are_not_changed_where_others_are_used():
    base = overrides.apply(BASE, {"dataset.root": "FaceForensics++"}, SOURCE)
    with pytest.raises(ParamsInvalid, match=r"mine.yaml, demo.crf: changes nothing, since"):
        overrides.apply(base, {"demo.crf": 40}, SOURCE)


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ({"kd.alhpa": 0.5}, "studies/mine.yaml, kd.alhpa: is not in params.yaml"),
        ({"kd.alpha": 3.0}, "studies/mine.yaml, kd.alpha: must be less than or equal to 1"),
    ],
)
def test_a_wrong_override_is_found_before_anything_runs(override, line):
    wrong = study(
        variants=[{"name": "a", "model": "b0"}, {"name": "b", "model": "b0", "set": override}]
    )
    with pytest.raises(ParamsInvalid) as failed:
        running.plan(wrong, BASE, SOURCE)
    assert str(failed.value).startswith(line)


def test_every_variant_runs_with_every_seed(workspace, tmp_path):
    runs = trained(study(seeds=[3, 4]), workspace, tmp_path / "stash")
    assert [(run.variant.name, run.seed) for run in runs] == [
        *(("plain", 3), ("other", 3), ("plain", 4), ("other", 4)),
    ]
    asked = [
        (stages, p["reproducibility"]["seed"], p["lite0"]["weights"])
        for stages, _, p in workspace.asked
    ]
    assert asked == [
        *((("train_lite0",), 3, "packaged"), (("train_lite0",), 3, "xavier")),
        *((("train_lite0",), 4, "packaged"), (("train_lite0",), 4, "xavier")),
    ]
    assert len({run.path for run in runs}) == 4
    assert not any(run.unchanged for run in runs)
    assert [run.unchanged for run in running.plan(study(), BASE, SOURCE)] == [True, False]


def test_what_is_set_last_is_unknown_to_the_stages_before(workspace, tmp_path):
    last = {"name": "short", "model": "kd_lite0", "set_last": {"finetune.epochs": 0}}
    trained(
        study(variants=[{"name": "plain", "model": "kd_lite0"}, last]), workspace, tmp_path / "s"
    )
    asked = [(stages, alone, p["finetune"]["epochs"]) for stages, alone, p in workspace.asked]
    full = BASE["finetune"]["epochs"]
    assert asked == [
        (("kd_lite0",), False, full),
        (("split", "train_b0"), False, full),
        (("kd_lite0",), True, 0),
    ]


def test_judged_on_other_data_than_trained_on(workspace, tmp_path):
    fewer = {"dataset.methods": {"without": "FaceSwap"}, "kd.alpha": 0.5}
    runs = running.plan(
        study(
            variants=[
                {"name": "own", "model": "lite0", "set": fewer},
                {"name": "all", "model": "lite0", "set": fewer, "judged_on": {}},
            ]
        ),
        BASE,
        SOURCE,
    )
    own, everything = (run.judged for run in runs)
    assert "FaceSwap" not in own["dataset"]["methods"]
    assert everything == BASE
    assert own["kd"] == everything["kd"]  # no data, so no other judge


def test_a_failed_training_is_a_result_only_where_it_may_be(tmp_path, model_file, split_folder):
    workspace = FakeWorkspace(tmp_path, model_file, split_folder, fails="training")
    with pytest.raises(StageFailed):
        trained(study(), workspace, tmp_path / "stash")
    plain, other = (one.model_dump() for one in study().variants)
    one = study(variants=[plain, other | {"may_fail": True}])
    runs = trained(one, workspace, tmp_path / "stash")
    assert [run.failed for run in runs] == ["", "train_lite0: loss is nan in epoch 1"]
    rows = judged(runs, workspace)
    assert "| other | n/a | n/a | n/a | n/a |" in tables.markdown(
        one, rows, declaration.published()
    )
    said = notes.notes(one, rows, [32], 1)
    assert "* other, seed 0: train_lite0: loss is nan in epoch 1." in said


def test_what_is_no_failed_training_is_an_error_everywhere(tmp_path, model_file, split_folder):
    workspace = FakeWorkspace(tmp_path, model_file, split_folder, fails="disk")
    variants = [one.model_dump() | {"may_fail": True} for one in study().variants]
    with pytest.raises(StageFailed, match="dvc repro"):
        trained(study(variants=variants), workspace, tmp_path / "stash")


def test_a_study_of_failures_alone_has_no_curve():
    assert running.curves([]).empty


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"plot": {"kind": "points", "x": "nonsense"}}, "plot.x: nonsense is no column"),
        ({"plot": {"kind": "methods"}}, "of which the study has no figure"),
    ],
)
def test_a_plot_without_its_figures_is_refused_when_it_is_declared(change, said):
    with pytest.raises(ValueError, match=said):
        study(**change)


def test_what_a_stage_needs_is_read_with_the_parameters_it_runs_with(tmp_path, monkeypatch):
    """dvc.yaml takes the student that is pruned from params.yaml."""
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setattr(Workspace, "__init__", lambda self, folder: setattr(self, "folder", folder))
    plain = overrides.apply(BASE, {"prune.student": "lite0"}, SOURCE)
    assert "train_lite0" in Workspace(folder=tmp_path).needed_by("prune_kd", plain)
    assert "train_lite0" not in Workspace(folder=tmp_path).needed_by("prune_kd", BASE)


def test_an_absent_data_set_of_one_row_is_said_and_of_all_an_error(
    tmp_path, model_file, split_folder
):
    workspace = FakeWorkspace(tmp_path, model_file, split_folder, fails="data")
    elsewhere = {"dataset.root": "elsewhere"}
    one = study(
        variants=[
            {"name": "plain", "model": "lite0"},
            {"name": "there", "model": "lite0", "set": elsewhere},
            {"name": "judged there", "model": "lite0", "judged_on": elsewhere},
        ]
    )
    rows = judged(trained(one, workspace, tmp_path / "stash"), workspace)
    assert list(rows["failed"]) == [
        "",
        "not run: elsewhere: no such folder",
        "not judged: elsewhere: no such folder",
    ]
    base = overrides.apply(BASE, elsewhere, SOURCE)
    planned = running.plan(study(), base, SOURCE)
    with pytest.raises(DataMissing):
        list(running.train(planned, workspace, tmp_path / "stash", SOURCE))


def test_figures_are_those_of_the_benchmark(workspace, tmp_path):
    runs = trained(study(), workspace, tmp_path / "stash")
    settings = comparison.BenchmarkParams.model_validate(SETTINGS)
    figures, scores = judging.judge(runs, workspace, settings)
    rows = tables.with_speed(pd.DataFrame([tables.flat(one) for one in figures]))
    data = tmp_path / "data"
    finished = comparison.score(str(runs[0].path), str(data / "faces"), str(data / "split.csv"), 0)
    expected = comparison.figures(finished, settings)
    assert rows["accuracy"][0] == expected["accuracy"]
    assert list(scores) == [("plain", 0), ("other", 0)]
    pd.testing.assert_frame_equal(scores["plain", 0], finished.scores)
    assert rows["auc:Deepfakes"][0] == expected["methods"]["Deepfakes"]["auc"]
    assert rows["nonzero"][0] <= rows["parameters"][0] == expected["parameters"]
    assert rows["speedup"][0] == 1
    assert (rows["cpu_ms"] > 0).all()
    assert list(rows["faces:youtube"]) == [6, 6]


def rows_of(values: dict[str, list[float]], **more) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"variant": name, "seed": seed, "failed": "", "accuracy": value, "auc_low": None}
            for name, ours in values.items()
            for seed, value in enumerate(ours)
        ]
    ).assign(**more)


def test_a_difference_within_the_spread_is_called_so():
    rows = rows_of({"plain": [0.80, 0.82, 0.84], "other": [0.81, 0.83, 0.85]})
    text = tables.markdown(study(columns=["accuracy"]), rows, declaration.published())
    assert "| plain | 82.0 % ± 2.0 % | 90.78 % (91.35 % at 40 : 60) |" in text
    assert "| other | 83.0 % ± 2.0 % ≈ |  |" in text
    rows = rows_of({"plain": [0.80, 0.82, 0.84], "other": [0.61, 0.63, 0.65]})
    assert "≈" not in tables.markdown(study(columns=["accuracy"]), rows, declaration.published())
    assert "Seeds 0, 1, 2: mean ± standard deviation." in notes.notes(study(), rows, [32], 1)
    four = study(seeds=[0, 1, 2, 3])
    assert "Seeds 0, 1, 2 (not yet 3): mean" in notes.notes(four, rows, [32], 1)


def test_a_difference_that_equals_the_spread_is_not_within_it_whatever_was_rounded():
    # Thirteen faces of 543 in both: what rounds up in runs.csv must say what the run itself said.
    exact = [443, 456, 430]
    for digits in (6, 17):
        ours = [round(faces / 543, digits) for faces in exact]
        b0 = [round(faces / 543, digits) for faces in (433, 427, 430)]
        text = tables.markdown(
            study(columns=["accuracy"]),
            rows_of({"plain": b0, "other": ours}),
            declaration.published(),
        )
        assert "| other | 81.6 % ± 2.4 % |" in text


def test_one_seed_is_said_to_be_one():
    rows = rows_of({"plain": [0.80], "other": [0.81]}, auc_low=0.7, auc_high=0.9)
    text = tables.markdown(study(columns=["accuracy"]), rows, declaration.published())
    assert "±" not in text
    assert "≈" not in text
    said = notes.notes(study(), rows, [32], 1)
    assert "**One seed** (0);" in said
    assert "**One seed** (0) of the 3 declared;" in notes.notes(
        study(seeds=[0, 1, 2]), rows, [32], 1
    )
    assert "The AUC of plain has a 95 % interval over people of 0.700 to 0.900." in said


def test_published_times_are_ratios_to_their_first_row():
    variants = [
        {"name": "B0", "model": "b0", "published": "b0"},
        {"name": "pruned", "model": "prune_kd", "published": "kd_lite0_35_pruned"},
    ]
    rows = rows_of({"B0": [0.9], "pruned": [0.9]}, speedup=1.0)
    known = declaration.published()
    text = tables.markdown(study(columns=["speedup"], variants=variants), rows, known)
    assert "| pruned | 1.00 | 2.07 |" in text


def test_where_accuracy_falls_off():
    variants = [
        {"name": f"{group} {x}", "model": "prune_kd", "x": x, "group": group}
        for group in ("plain", "taught")
        for x in (0, 20, 40, 60)
    ]
    one = study(variants=variants, falls_off=2.0, plot={"kind": "line", "x": "channels"})
    accuracies = [0.9, 0.89, 0.7, 0.6, 0.9, 0.7, 0.881, 0.881]
    rows = rows_of({v["name"]: [a] for v, a in zip(variants, accuracies, strict=True)})
    said = notes.notes(one, rows, [32], 1)
    assert "* plain: more than 2 points below its first row from plain 40 on." in said
    assert "* taught: more than 2 points below its first row nowhere up to taught 60." in said
    rows.loc[rows["variant"] == "plain 0", "accuracy"] = np.nan  # its training failed
    assert "plain: more than" not in notes.notes(one, rows, [32], 1)


def test_unseen_methods_are_bold_and_summed_up():
    variants = [
        {"name": "all", "model": "lite0"},
        {"name": "without A", "model": "lite0", "unseen": "A"},
        {"name": "without B", "model": "lite0", "unseen": "B"},
    ]
    one = study(variants=variants, methods="auc")
    rows = rows_of({"all": [0.9], "without A": [0.8], "without B": [0.8]})
    rows["auc:A"], rows["auc:B"], rows["auc:youtube"] = [0.9, 0.6, 0.9], [0.8, 0.8, 0.7], math.nan
    text = tables.markdown(one, rows, declaration.published())
    assert text.splitlines()[-5:] == [
        "| AUC (%) on | A | B |",
        "| --- | --- | --- |",
        "| all | 90.0 | 80.0 |",
        "| without A | **60.0** | 80.0 |",
        "| without B | 90.0 | **70.0** |",
    ]
    said = notes.notes(one, rows, [32], 1)
    assert "Their mean AUC is 0.650; of all it is 0.850 on the same methods." in said


@pytest.mark.parametrize("kind", ["curves", "line", "points", "methods"])
def test_every_kind_of_plot_is_drawn(kind, workspace, tmp_path):
    one = study(seeds=[0, 1], methods="accuracy", plot={"kind": kind, "x": "parameters"})
    runs = trained(one, workspace, tmp_path / "stash")
    path = tmp_path / "plot.png"
    plots.draw(path, one, judged(runs, workspace), running.curves(runs), declaration.published())
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_plot_of_times_shows_those_of_the_last_run_alone(monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(plots, "write_figure", lambda path, figure, dpi: drawn.append(figure))
    one = study(plot={"kind": "points", "x": "cpu_ms"})
    names = [variant.name for variant in one.variants]
    rows = pd.DataFrame({"variant": names, "seed": 0, "accuracy": 0.9, "cpu_ms": 9.0, "kept": True})
    rows.loc[0, ["cpu_ms", "kept"]] = [5.0, False]
    plots.draw(tmp_path / "plot.png", one, rows, pd.DataFrame(), {})
    shown = [place[0] for part in drawn[0].axes[0].collections for place in part.get_offsets()]
    assert shown == [5.0]


def test_gradients_of_two_branches_are_drawn_as_the_mean_of_the_seeds(monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(plots, "write_figure", lambda path, figure, dpi: drawn.append(figure))
    one = study(seeds=[0, 1])
    first, second = (variant.name for variant in one.variants[:2])
    curves = pd.DataFrame(
        [(name, seed, epoch) for name in (first, second) for seed in (0, 1) for epoch in (1, 2)],
        columns=["variant", "seed", "epoch"],
    )
    assert not plots.draw_gradients(tmp_path / "none.png", one, curves)
    assert drawn == []
    ours = curves["variant"] == first  # the other one has no branches
    for name in ("norm_before", "norm_after"):
        curves.loc[ours, f"{name}_spatial"] = 2.0
        curves.loc[ours, f"{name}_frequency"] = 1.0 + (name == "norm_after")
    curves.loc[ours, "cosine_before"] = [0.1, 0.2, 0.3, 0.4]
    curves.loc[ours, "cosine_after"] = [0.5, 0.6, 0.5, 0.6]
    curves.loc[ours, "moved_spatial"] = [0.0, 0.5, 0.0, 0.7]
    assert plots.draw_gradients(tmp_path / "gradients.png", one, curves)
    found = [[list(line.get_ydata()) for line in axes.lines] for axes in drawn[0].axes]
    assert found[0] == [[0.5, 0.5], [1.0, 1.0]]
    assert found[1] == [pytest.approx([0.2, 0.3]), [0.5, 0.6]]
    assert found[2] == [[0.0, 0.6]]


def test_a_page_says_whether_a_study_is_of_the_last_run():
    table, lock = "| a |\n\n* One seed.\n", "stages: {train_b0: {outs: [{path: m, md5: f00d}]}}"
    files = {
        "metrics/studies/init/table.md": table,
        "metrics/studies/init/runs.csv": "variant,md5,unchanged\na,f00d,True\nb,1,False\n",
        "metrics/studies/init/curves.csv": "variant,epoch\na,1\n",
        "dvc.lock": lock,
    }
    page = pages.results(files.__getitem__, "init")
    assert "are the models in dvc.lock" in page
    assert "gradients.png" not in page
    files["metrics/studies/init/curves.csv"] = "variant,epoch,cosine_before\na,1,0.5\n"
    assert "gradients.png" in pages.results(files.__getitem__, "init")
    files["dvc.lock"] = lock.replace("f00d", "beef")
    assert "**Of an earlier run**" in pages.results(files.__getitem__, "init")

    def absent(name: str) -> str:
        raise FileNotFoundError(name)

    assert pages.results(absent, "init").endswith("Not run yet: `make study NAME=init`.")


def test_a_row_of_another_mix_needs_its_methods():
    with pytest.raises(ParamsInvalid, match="a row of another mix needs its figures per method"):
        params.validate("b0", {"accuracy": 94.0, "reals": 0.5}, Published, SOURCE)
