"""Run the pipeline with another profile: ``python -m tools.run_profile NAME [STAGE ...]``.

A clone of the last commit in ``build/NAME`` gets ``profiles/NAME.yaml`` as its params.yaml and a
link to the data set, and ``dvc repro`` runs there; killed and started again, it goes on. Stages
that make nothing but models which the profile does not compare (``benchmark.models``) are left out
of its dvc.yaml. Then the lock file comes to ``profiles/NAME.lock`` and the results to
``metrics/profiles/NAME/``: what a profile gave is committed with the hashes of what it was made of,
as it is for params.yaml. With stages named, only they and those before them run, and nothing comes
home.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from ruamel.yaml import YAML

from litefake import comparison, errors, params
from litefake.errors import ParamsInvalid
from tools import clones, pipeline
from tools.pipeline import ROOT


def main(name: str, stages: Sequence[str] = ()) -> None:
    """Run profile ``name``, as far as ``stages`` if any are given, else to the end and home.

    Raises ParamsInvalid or DataMissing.
    """
    folder = prepare(name)
    known = pipeline.stages(folder)
    for stage in stages:
        if stage not in known:
            raise ParamsInvalid(
                f"{stage}: no stage of profile {name}; there are {', '.join(known)}"
            )
    subprocess.run(["dvc", "repro", *stages], cwd=folder, check=True)
    if stages:
        print(f"{name}: {', '.join(stages)} ran in {folder}")
        return
    collect(folder, name)
    print(f"{name}: profiles/{name}.lock and metrics/profiles/{name}/ are of this run")


def prepare(name: str) -> Path:
    """``build/NAME`` at the last commit, with the profile's parameters and data."""
    profile = ROOT / "profiles" / f"{name}.yaml"
    if not profile.is_file():
        known = ", ".join(sorted(path.stem for path in profile.parent.glob("*.yaml")))
        raise ParamsInvalid(f"{profile}: not found; there are {known}")
    folder = clones.at_head(ROOT / "build" / name)
    shutil.copyfile(profile, folder / "params.yaml")
    compared = params.section("benchmark", comparison.BenchmarkParams, profile).models
    leave_out(folder, set(get_args(comparison.Model)) - set(compared))
    clones.link_inputs(folder)
    clones.lock_of(name, folder)
    return folder


def leave_out(folder: Path, models: set[str]) -> None:
    """Take ``models`` out of the dvc.yaml of ``folder``, with the stages that then make nothing
    for another one."""
    yaml = YAML()
    yaml.width = 4096
    declared = yaml.load(folder / "dvc.yaml")
    stages, unwanted = declared["stages"], {f"models/{name}" for name in models}
    # Which model is pruned is a parameter: models/${prune.student}.safetensors.
    needed = {name: stage["deps"] for name, stage in pipeline.stages(folder).items()}
    judge = stages["benchmark"]
    judge["deps"] = [path for path in judge["deps"] if path.split(".")[0] not in unwanted]
    unwanted |= {f"metrics/benchmark/{name}" for name in models}
    judge["metrics"] = [out for out in judge["metrics"] if _path(out).split(".")[0] not in unwanted]
    for name in reversed(list(stages)):
        made = {path for path in map(_path, stages[name]["outs"]) if path.startswith("models/")}
        used = {path for user in stages if user != "benchmark" for path in needed[user]}
        used |= set(judge["deps"])
        if made and all(path.split(".")[0] in unwanted for path in made) and not made & used:
            del stages[name]
    yaml.dump(declared, folder / "dvc.yaml")


def _path(out: str | Mapping[str, Any]) -> str:
    """An entry of ``outs`` or ``metrics`` is a path, or one with options."""
    return out if isinstance(out, str) else next(iter(out))


def collect(folder: Path, name: str) -> None:
    """Copy the lock file and the results of a finished run home."""
    lock = folder / "dvc.lock"
    shutil.copyfile(lock, ROOT / "profiles" / f"{name}.lock")
    home = ROOT / "metrics" / "profiles" / name
    shutil.rmtree(home, ignore_errors=True)
    outs = [Path(path) for path in pipeline.locked(lock.read_text(encoding="utf-8"))]
    for out in (out for out in outs if out.parts[0] == "metrics"):
        target = home / out.relative_to("metrics")
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (folder / out).is_dir() else shutil.copyfile
        copy(folder / out, target)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(f"usage: {sys.argv[0]} NAME of a file in profiles/ [STAGE ...]")
    errors.run(lambda: main(sys.argv[1], sys.argv[2:]))
