"""What a profile does not compare is not trained, and single stages run alone."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from litefake.comparison import BenchmarkParams
from litefake.errors import ParamsInvalid
from tests.commands import run_tool
from tools import run_profile
from tools.pipeline import ROOT
from tools.run_profile import leave_out

DECLARED = ROOT / "dvc.yaml"
REST = {"bootstrap_samples": 10, "bootstrap_seed": 0}
TIMES = {"threads": 1, "warmup": 1, "repeats": 3}


def without(folder: Path, *models: str, student: str = "kd_lite0") -> dict:
    shutil.copyfile(DECLARED, folder / "dvc.yaml")
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["prune"]["student"] = student
    (folder / "params.yaml").write_text(yaml.safe_dump(values))
    leave_out(folder, set(models))
    return yaml.safe_load((folder / "dvc.yaml").read_text())["stages"]


def test_nothing_left_out_is_the_same_pipeline(tmp_path):
    assert without(tmp_path) == yaml.safe_load(DECLARED.read_text())["stages"]


def test_two_models_go_with_the_stages_that_make_them_alone(tmp_path):
    before = yaml.safe_load(DECLARED.read_text())["stages"]
    after = without(tmp_path, "dual", "kd_two_in_one")
    assert set(before) - set(after) == {"train_dual", "kd_two_in_one"}
    for name in set(after) - {"benchmark"}:
        assert after[name] == before[name]
    gone = set(before["benchmark"]["deps"]) - set(after["benchmark"]["deps"])
    assert gone == {"models/dual.safetensors", "models/kd_two_in_one.safetensors"}
    said = str(after["benchmark"])
    assert "dual.json" not in said
    assert "kd_two_in_one" not in said
    assert "models/kd_lite0_int8.onnx" in said


def test_a_stage_that_another_needs_stays(tmp_path):
    assert "train_dual" in without(tmp_path, "dual")
    assert "export" in without(tmp_path, "kd_lite0_int8")


def test_the_student_that_is_pruned_stays_and_one_that_nobody_needs_goes(tmp_path):
    others = ("dual", "kd_two_in_one")
    assert "kd_two_in_one" not in without(tmp_path, *others)
    kept = without(tmp_path, *others, student="kd_two_in_one")
    assert {"train_dual", "kd_two_in_one"} <= set(kept)


@pytest.mark.parametrize(
    ("models", "why"),
    [
        (["lite0"], "models lacks b0"),
        (["b0", "lite0", "lite0"], "models names one twice"),
        (["b0", "lite1"], "Input should be"),
        ([], "at least 1 item"),
    ],
)
def test_a_comparison_of_nothing_sensible_is_refused(models, why):
    with pytest.raises(ValidationError, match=why):
        BenchmarkParams.model_validate({"models": models, "latency": TIMES, **REST})


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """The commands that a prepared profile in ``tmp_path`` is run with, and what came home."""
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    done = []
    monkeypatch.setattr(run_profile, "prepare", lambda *_what: tmp_path)
    monkeypatch.setattr(run_profile, "collect", lambda *_what: done.append("collected"))
    monkeypatch.setattr(run_profile.subprocess, "run", lambda command, **_: done.append(command))
    return done


def test_named_stages_run_alone_and_bring_nothing_home(ran):
    run_profile.main("tiny", ["train_lite0"])
    assert ran == [["dvc", "repro", "train_lite0"]]


def test_without_a_stage_all_run_and_the_results_come_home(ran):
    run_profile.main("tiny")
    assert ran == [["dvc", "repro"], "collected"]


def test_a_run_with_other_values_brings_nothing_home(ran):
    run_profile.main("tiny", [], "other", {"train.epochs": 1})
    assert ran == [["dvc", "repro"]]


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """A clone that is no clone: what ``prepare`` makes of this checkout's dvc.yaml."""

    def at_head(folder):
        made = tmp_path / folder.name
        made.mkdir()
        shutil.copyfile(DECLARED, made / "dvc.yaml")
        return made

    monkeypatch.setattr(run_profile.clones, "at_head", at_head)
    monkeypatch.setattr(run_profile.clones, "link_inputs", lambda _folder: None)
    return run_profile.prepare


def test_other_values_are_those_of_the_profile_but_for_the_ones_named(prepared):
    profile = ROOT / "profiles" / "tiny.yaml"
    folder = prepared("tiny", "other", {"reproducibility.seed": 7, "train.lr": 1})
    assert folder.name == "other"
    values, theirs = (yaml.safe_load(p.read_text()) for p in (folder / "params.yaml", profile))
    assert values["reproducibility"].pop("seed") == 7
    assert repr(values["train"].pop("lr")) == "1.0"
    del theirs["reproducibility"]["seed"], theirs["train"]["lr"]
    assert values == theirs
    assert (prepared("tiny", "", {}) / "params.yaml").read_bytes() == profile.read_bytes()


@pytest.mark.parametrize(
    ("place", "changes", "why"),
    [
        ("other", {"train.epoch": 1}, r"tiny.yaml, train.epoch: is not in params.yaml"),
        ("other", {"train.epochs": "few"}, "tiny.yaml.*epochs"),
        ("portraits", {"train.epochs": 1}, "--as portraits: is a profile, .*another name"),
    ],
)
def test_values_that_no_run_could_have_are_refused_before_one_starts(
    prepared, tmp_path, place, changes, why
):
    with pytest.raises(ParamsInvalid, match=why):
        prepared("tiny", place, changes)
    assert not list(tmp_path.iterdir())


def test_stages_may_be_named_before_and_after_the_values():
    values = ["--as", "other", "--set", "train.epochs=1", "--set", "kd.alpha=0.5"]
    for words in (["tiny", "split", *values], ["tiny", *values, "split"]):
        given = run_profile.arguments(words)
        assert (given.name, given.stages, given.place) == ("tiny", ["split"], "other")
        assert dict(given.changes) == {"train.epochs": 1, "kd.alpha": 0.5}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--set", "train.epochs=1"], "need each other"),
        (["--as", "other"], "need each other"),
        (["--as", "../other", "--set", "train.epochs=1"], "--as ../other: must be a plain name"),
        (["--as", "other", "--set", "train.epochs"], "train.epochs: is not KEY=VALUE"),
        (["--as", "other", "--set", "train.epochs=["], "is not KEY=VALUE with a value of YAML"),
    ],
)
def test_a_change_is_named_in_full_or_refused_in_one_line(words, why):
    done = run_tool("run_profile", "tiny", *words, cwd=ROOT)
    assert done.returncode == 2
    assert why in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_an_unknown_stage_is_named_with_the_known_ones(ran):
    with pytest.raises(
        ParamsInvalid, match="train_lite1: no stage of profile tiny; there are .*kd"
    ):
        run_profile.main("tiny", ["train_lite0", "train_lite1"])
    assert ran == []


def test_a_tool_finds_dvc_in_its_own_environment_though_it_is_not_active():
    code = "import shutil, tools; print(shutil.which('dvc'), shutil.which('python'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [str(Path(name).parent) for name in done.stdout.split()] == [
        str(Path(sys.executable).parent)
    ] * 2
