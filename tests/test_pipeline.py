"""dvc.yaml says the truth: code, parameters and outputs of every stage; the lock fits."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from litefake import manifest
from tools import pipeline
from tools.pipeline import ROOT
from tools.stage_code import imported_files, is_code

STAGES = pipeline.stages()
LOCK = ROOT / "dvc.lock"


def outputs(stage, kinds=("outs", "metrics", "plots")):
    """Path and options of each output."""
    for kind in kinds:
        for entry in STAGES[stage].get(kind, []):
            if isinstance(entry, dict):
                yield from entry.items()
            else:
                yield entry, {}


def sections_read(path: Path) -> set[str]:
    """Names given to ``params.section``, ``value`` and ``text`` in a file."""
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("params.section", "params.value", "params.text")
    }


def test_stages_and_scripts_are_the_same_names():
    scripts = {path.stem for path in (ROOT / "stages").glob("*.py")} - {"__init__"}
    assert set(STAGES) == scripts


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_a_small_script_without_plumbing(stage):
    text = (ROOT / "stages" / f"{stage}.py").read_text()
    assert len(text.splitlines()) <= 40
    assert STAGES[stage]["cmd"] == f"python -m stages.{stage}"
    assert STAGES[stage]["desc"]
    tree = list(ast.walk(ast.parse(text)))
    imported = {a.name for node in tree if isinstance(node, ast.Import) for a in node.names}
    imported |= {node.module for node in tree if isinstance(node, ast.ImportFrom)}
    assert not {"argparse", "logging", "dvc"} & imported
    assert not any(isinstance(node, ast.Try) for node in tree)


@pytest.mark.parametrize("stage", STAGES)
def test_the_listed_code_is_the_imported_code(stage):
    """After an edit of imports: ``python -m tools.stage_code`` writes the list."""
    listed = {dep for dep in STAGES[stage]["deps"] if is_code(dep)}
    assert listed == imported_files(ROOT / "stages" / f"{stage}.py")


@pytest.mark.parametrize("stage", STAGES)
def test_the_listed_parameters_are_the_ones_read(stage):
    script = ROOT / "stages" / f"{stage}.py"
    read = sections_read(script)
    if "src/litefake/setting.py" in STAGES[stage]["deps"]:
        read |= sections_read(ROOT / "src" / "litefake" / "setting.py")
    assert set(STAGES[stage]["params"]) == read


@pytest.mark.parametrize("stage", STAGES)
def test_outputs_are_literal_and_stand_in_the_script(stage):
    """DVC deletes an output before a run: a templated one could be a user's folder."""
    text = (ROOT / "stages" / f"{stage}.py").read_text()
    for path, options in outputs(stage):
        assert "${" not in path
        assert path.startswith(("data/", "models/", "metrics/"))
        # What the stage looks at before it replaces it.
        assert "persist" not in options or path in ("data/manifest.csv", "data/videos")
        last = Path(path).name
        known = last in text or path.startswith(("metrics/plots", "metrics/benchmark/"))
        assert known, f"{path} is not written by {stage}"
    for path, options in outputs(stage, ["metrics", "plots"]):
        assert options.get("cache") is False, path


def test_no_data_set_is_read_from_a_folder_that_a_stage_writes():
    written = {path for stage in STAGES for path, _ in outputs(stage, ["outs"])}
    folders = {path for path in written if path.startswith("data/") and not Path(path).suffix}
    assert folders == set(map(str, manifest.WRITTEN))


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_an_output_that_is_not_committed(stage):
    """With committed outputs alone a fresh clone would skip it and show another's figures."""
    assert any(not path.startswith("metrics/") for path, _ in outputs(stage))


def test_each_model_of_the_benchmark_is_made_by_one_stage():
    made = {path for stage in STAGES for path, _ in outputs(stage) if path.startswith("models/")}
    judged = {dep for dep in STAGES["benchmark"]["deps"] if dep.startswith("models/")}
    exported = {path for path, _ in outputs("export")}
    assert judged <= made
    assert made - judged < exported
    assert {"models/kd_lite0_int8.onnx", "models/prune_kd_int8.onnx"} <= judged


def test_in_the_lock_every_dependency_has_the_hash_of_its_producer():
    lock = yaml.safe_load(LOCK.read_text())["stages"]
    assert set(lock) == set(STAGES)
    made = pipeline.locked(LOCK.read_text())
    checked = 0
    for name, stage in lock.items():
        assert {dep["path"] for dep in stage["deps"]} == set(STAGES[name]["deps"]), name
        for dep in stage["deps"]:
            assert re.fullmatch(r"[0-9a-f]{32}(\.dir)?", dep["md5"]), (name, dep["path"])
            if dep["path"] in made:
                assert dep["md5"] == made[dep["path"]], (name, dep["path"])
                checked += 1
    assert checked > 10


def test_plots_name_files_that_a_stage_writes():
    declared = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    written = [path for stage in STAGES for path, _ in outputs(stage)]
    files = [
        file
        for plot in declared["plots"]
        for name, options in plot.items()
        for file in (options["y"] if options else [name])
    ]
    assert len(files) > 20
    for file in files:
        assert any(file == path or file.startswith(f"{path}/") for path in written), file


def test_the_student_that_is_pruned_is_the_one_in_the_parameters(tmp_path):
    (tmp_path / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    for student in ("kd_lite0", "kd_two_in_one"):
        values["prune"]["student"] = student
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
        students = {
            dep
            for dep in pipeline.stages(tmp_path)["prune_kd"]["deps"]
            if dep.startswith("models/")
        }
        assert students == {"models/b0.safetensors", f"models/{student}.safetensors"}
