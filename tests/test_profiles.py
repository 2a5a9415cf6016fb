"""The published recipe, every stage of it, at the size of a postage stamp."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from litefake import demo, params
from tools import pipeline
from tools.pipeline import ROOT

STAGES = list(pipeline.stages())
# One process for all: loading the libraries takes longer than such a stage.
ALL = """
import runpy, sys
for stage in sys.argv[1:]:
    runpy.run_module(f"stages.{stage}", run_name="__main__")
"""
# What must change for a test: the data, the size, the length, and what needs a network.
SMALL = {
    "reproducibility": {"threads": 1},
    "faces": {"size": 32, "min_size": 0.2, "min_neighbors": 3},
    "split": {"real": 60, "per_method": 12},
    "train": {"epochs": 1, "batch_size": 16},
    "finetune": {"epochs": 1, "batch_size": 16},
    "b0": {"weights": "packaged"},
    "lite0": {"weights": "packaged"},
    "export": {"faces": 8},
    "benchmark": {"bootstrap_samples": 10, "latency": {"threads": 1, "warmup": 1, "repeats": 3}},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    tiny = params.section("demo", demo.DemoParams, ROOT / "profiles" / "tiny.yaml")
    demo.build(folder / "FaceForensics++", tiny)
    published = params.read(ROOT / "profiles" / "ffpp.yaml")
    for section, values in SMALL.items():
        published[section] |= values
    published["dataset"]["root"] = "FaceForensics++"
    published["prune"] |= {"iterations": 1, "samples": 8}
    published["prune"]["recipe"] |= {"epochs": 1, "batch_size": 16}
    (folder / "params.yaml").write_text(yaml.safe_dump(published))
    return folder


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "LITEFAKE_WORKERS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    with start(folder, *arguments) as process:
        out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def test_every_stage_of_the_published_recipe_runs(folder: Path):
    done = run(folder, "-c", ALL, *STAGES)
    assert done.returncode == 0, done.stderr[-2000:]
    assert not (folder / "data" / "videos" / "original_sequences").exists()
    table = (folder / "metrics" / "comparison.md").read_text()
    assert [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| ")][2:10] == [
        "| b0",
        "| dual",
        "| lite0",
        "| kd_lite0",
        "| kd_two_in_one",
        "| prune_kd",
        "| kd_lite0_int8",
        "| prune_kd_int8",
    ]
    keys = [
        set(yaml.safe_load((folder / "metrics" / "benchmark" / f"{name}.json").read_text()))
        for name in ("b0", "dual", "lite0", "kd_two_in_one", "prune_kd", "prune_kd_int8")
    ]
    assert all(one == keys[0] for one in keys)


def test_a_killed_stage_resumes_and_makes_the_same_file(folder: Path):
    model, states = folder / "models" / "lite0.safetensors", folder / "checkpoints" / "train_lite0"
    expected = model.read_bytes()
    model.unlink()
    with start(folder, "-m", "stages.train_lite0") as killed:
        deadline = time.monotonic() + 120
        while not (states / "fit.pt").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        killed.kill()
    assert (states / "fit.pt").exists()
    assert not model.exists()
    done = run(folder, "-m", "stages.train_lite0")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "train_lite0: resuming from" in done.stdout
    assert model.read_bytes() == expected
    assert not states.exists()


@pytest.mark.parametrize(
    ("stage", "change", "expected"),
    [
        ("train_b0", {"weights": "imagenets"}, "params.yaml, b0.weights: must be"),
        (
            "benchmark",
            {"bootstrap_samples": 0},
            "params.yaml, benchmark.bootstrap_samples: must be",
        ),
    ],
)
def test_a_bad_value_is_one_line_and_exit_code_2(folder: Path, stage, change, expected):
    file = folder / "params.yaml"
    good = file.read_text()
    loaded = yaml.safe_load(good)
    loaded["b0" if stage == "train_b0" else stage] |= change
    file.write_text(yaml.safe_dump(loaded))
    try:
        done = run(folder, "-m", f"stages.{stage}")
    finally:
        file.write_text(good)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {expected}")
    assert len(done.stderr.splitlines()) == 1


def test_a_pickled_model_is_refused_by_the_stage_that_reads_it(folder: Path):
    model = folder / "models" / "prune_kd.safetensors"
    good = model.read_bytes()
    model.write_bytes(b"\x80\x04]q\x00.")
    try:
        done = run(folder, "-m", "stages.benchmark")
    finally:
        model.write_bytes(good)
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: models/prune_kd.safetensors: not a safetensors file")
    assert last.endswith("pickled models are never opened")
