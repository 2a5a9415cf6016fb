"""Prove that the pipeline reproduces: the whole DAG at a tiny size, in two fresh clones.

``python -m tools.reproduce`` needs dvc and git and takes some minutes. It fails unless

* two clones with separate caches give the same artefacts to the bit, and the same metrics
  (times aside),
* a second ``dvc repro`` runs no stage,
* ``-S prune.ratio=0.4`` runs ``prune_kd``, ``export`` and ``benchmark`` and nothing else,
* a typo in params.yaml is one clear line, and its correction trains nothing again,
* a clip added to a data set outside is noticed by ``litefake check`` and then listed.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from tools import pipeline
from tools.pipeline import ROOT

TINY = ROOT / "profiles" / "tiny.yaml"
PASSED: list[str] = []
# What a clock measured, or is computed from it.
TIMES = re.compile(r"seconds|per_second|cpu_ms|speedup|milliseconds")


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        first, second = (clone(Path(scratch) / name) for name in ("first", "second"))
        for folder in (first, second):
            ran = repro(folder)
            require(len(ran) == stage_count(), f"every stage runs in a fresh clone, got {ran}")
        compare(first, second)
        require(repro(first) == [], "a second `dvc repro` runs no stage")
        ran = stages_run(dvc(first, "exp", "run", "-S", "prune.ratio=0.4"))
        require(ran == ["prune_kd", "export", "benchmark"], f"-S prune.ratio=0.4 ran {ran}")
        check_typo(first)
        check_changed_folder(first, Path(scratch) / "real data é")
    print(f"{len(PASSED)} passed, 0 failed")


def clone(folder: Path) -> Path:
    """A clone of the working tree's last commit, with a cache of its own and tiny params."""
    run(ROOT, "git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder))
    (folder / "params.yaml").write_text(TINY.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def check_typo(folder: Path) -> None:
    """A bad value stops before any work, and its correction gives back what was there."""
    file = folder / "params.yaml"
    good = file.read_text(encoding="utf-8")
    ratio = yaml.safe_load(good)["prune"]["ratio"]
    file.write_text(good.replace(f"ratio: {ratio}", "ratio: 1.4"), encoding="utf-8")
    failed = dvc(folder, "repro", check=False)
    line = "error: params.yaml, prune.ratio: must be less than 1, got 1.4"
    require(line in failed, f"a bad value is one clear line, got {failed[-500:]}")
    file.write_text(good, encoding="utf-8")
    require(repro(folder) == [], "after the correction nothing is trained again")


def check_changed_folder(folder: Path, root: Path) -> None:
    """A clip added to a data set that is not the demo is listed by the next run."""
    shutil.copytree(folder / "data" / "videos", root)
    file = folder / "params.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("root: data/videos", f"root: {root}"), encoding="utf-8")
    before = listed(folder)
    clip = next((root / "original_sequences").rglob("*.mp4"))
    shutil.copy(clip, clip.with_name("999.mp4"))
    require(listed(folder) == before, "a bare `dvc repro` trusts the last listing")
    environment = {"PYTHONPATH": str(folder / "src")}
    said = run(folder, "python", "-m", "litefake", "check", environment=environment)
    require("changed since it was listed" in said, "the check sees the clip that was added")
    require(listed(folder) == before + 1, "and the next `dvc repro` lists it")


def listed(folder: Path) -> int:
    """How many clips ``list_videos`` lists when DVC runs it alone."""
    dvc(folder, "repro", "--single-item", "list_videos")
    return len(pd.read_csv(folder / "data" / "manifest.csv"))


def repro(folder: Path) -> list[str]:
    """Run ``dvc repro``; the stages whose command ran."""
    return stages_run(dvc(folder, "repro"))


def stages_run(output: str) -> list[str]:
    return re.findall(r"Running stage '(\w+)'", output)


def stage_count() -> int:
    return len(pipeline.stages())


def compare(first: Path, second: Path) -> None:
    """Fail when an artefact differs by a bit between the two clones, or a metric at all."""
    made, again = (artefacts(folder) for folder in (first, second))
    differing = [name for name in made if made[name] != again[name]]
    require(not differing, f"every artefact is equal to the bit in both clones, not {differing}")
    files = sorted(path.relative_to(first) for path in (first / "metrics").rglob("*.json"))
    require(len(files) >= stage_count(), f"metrics files: {len(files)}")
    for name in files:
        left, right = (without_times(json.loads((at / name).read_text())) for at in (first, second))
        require(left == right, f"{name} is equal in both clones")
    for name in [path.relative_to(first) for path in (first / "metrics").rglob("*.csv")]:
        left, right = (timeless_table(at / name) for at in (first, second))
        require(left == right, f"{name} is equal in both clones")


def artefacts(folder: Path) -> dict[str, str]:
    """The hashes of what the stages made and Git does not hold, from dvc.lock."""
    outs = pipeline.locked((folder / "dvc.lock").read_text(encoding="utf-8"))
    return {path: md5 for path, md5 in outs.items() if not path.startswith("metrics/")}


def without_times(value: Any) -> Any:
    """``value`` without the keys that a clock fills."""
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if not TIMES.search(key)}
    return value


def timeless_table(path: Path) -> str:
    table = pd.read_csv(path)
    return str(table[[name for name in table.columns if not TIMES.search(name)]].to_csv())


def dvc(folder: Path, *command: str, check: bool = True) -> str:
    return run(folder, "dvc", *command, check=check)


def run(
    folder: Path, *command: str, check: bool = True, environment: Mapping[str, str] | None = None
) -> str:
    """Run ``command`` in ``folder``; both its streams. Fails when it does and ``check``."""
    done = subprocess.run(
        command,
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "DVC_NO_ANALYTICS": "1", **(environment or {})},
        check=False,
    )
    if check and done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}")
    return done.stdout


def require(condition: bool, claim: str) -> None:
    """Fail with ``claim`` unless ``condition``."""
    if not condition:
        raise SystemExit(f"reproduction failed: {claim}")
    PASSED.append(claim)
    print(f"ok: {claim}", flush=True)


if __name__ == "__main__":
    main()
