"""Run the pipeline with another profile: ``python -m tools.run_profile NAME [STAGE ...]``.

A clone of the last commit in ``build/NAME`` gets ``profiles/NAME.yaml`` as its params.yaml and a
link to the data set, and ``dvc repro`` runs there; killed and started again, it goes on. Stages
that make nothing but models which the profile does not compare (``benchmark.models``) are left out
of its dvc.yaml. Then the lock file comes to ``profiles/NAME.lock`` and the results to
``metrics/profiles/NAME/``: what a profile gave is committed with the hashes of what it was made of,
as it is for params.yaml. With stages named, only they and those before them run, and nothing comes
home; nor does it of a run with other values, ``--as OTHER --set KEY=VALUE``, in ``build/OTHER``.
"""

import argparse
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from ruamel.yaml import YAML

from litefake import comparison, errors, params
from litefake.errors import ParamsInvalid
from tools import clones, pipeline
from tools.pipeline import ROOT
from tools.study import overrides


def main(
    name: str, stages: Sequence[str] = (), place: str = "", changes: Mapping[str, Any] | None = None
) -> None:
    """Run profile ``name``, as far as ``stages`` if any are given, else to the end and home.

    With ``place`` it runs in ``build/PLACE`` with ``changes`` of its values, by dotted key, and
    nothing comes home. Raises ParamsInvalid or DataMissing.
    """
    folder = prepare(name, place, changes or {})
    known = pipeline.stages(folder)
    for stage in stages:
        if stage not in known:
            raise ParamsInvalid(
                f"{stage}: no stage of profile {name}; there are {', '.join(known)}"
            )
    subprocess.run(["dvc", "repro", *stages], cwd=folder, check=True)
    if stages or place:
        print(f"{name}: {', '.join(stages) or 'every stage'} ran in {folder}")
        return
    collect(folder, name)
    print(f"{name}: profiles/{name}.lock and metrics/profiles/{name}/ are of this run")


def prepare(name: str, place: str, changes: Mapping[str, Any]) -> Path:
    """``build/NAME`` or ``build/PLACE`` at the last commit, with the profile's parameters, but
    for ``changes``, and its data."""
    profile = ROOT / "profiles" / f"{name}.yaml"
    known = sorted(path.stem for path in profile.parent.glob("*.yaml"))
    if name not in known:
        raise ParamsInvalid(f"{profile}: not found; there are {', '.join(known)}")
    if place in known:
        raise ParamsInvalid(f"--as {place}: is a profile, whose run lies there; take another name")
    changed = overrides.apply(params.read(profile), changes, profile)
    folder = clones.at_head(ROOT / "build" / (place or name))
    if changes:
        (folder / "params.yaml").write_text(yaml.safe_dump(changed, sort_keys=False))
    else:
        shutil.copyfile(profile, folder / "params.yaml")
    compared = changed["benchmark"]["models"]
    leave_out(folder, set(get_args(comparison.Model)) - set(compared))
    clones.link_inputs(folder)
    clones.lock_of(name, folder)
    return folder


def leave_out(folder: Path, models: set[str]) -> None:
    """Take ``models`` out of the dvc.yaml of ``folder``, with the stages that then make nothing
    for another one."""
    file = YAML()
    file.width = 4096
    declared = file.load(folder / "dvc.yaml")
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
    file.dump(declared, folder / "dvc.yaml")


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


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What was asked for; stages may be named before or after the options."""
    parser = argparse.ArgumentParser(prog="python -m tools.run_profile", description=__doc__)
    parser.add_argument("name", metavar="NAME", help="of a file in profiles/")
    parser.add_argument("stages", metavar="STAGE", nargs="*", help="run these alone")
    parser.add_argument("--as", dest="place", metavar="OTHER", default="", help="in build/OTHER")
    parser.add_argument(
        "--set",
        dest="changes",
        type=_change,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="another value, as in train.epochs=5; needs --as",
    )
    given = parser.parse_intermixed_args(words)
    if bool(given.place) != bool(given.changes):
        parser.error("--as OTHER and --set KEY=VALUE need each other")
    if given.place.startswith(".") or given.place != Path(given.place).name:
        parser.error(f"--as {given.place}: must be a plain name, of a folder in build/")
    return given


def _change(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    try:
        return key, yaml.safe_load(value if sign else "[")
    except yaml.YAMLError:
        raise argparse.ArgumentTypeError(f"{text}: is not KEY=VALUE with a value of YAML") from None


if __name__ == "__main__":
    given = arguments()
    errors.run(lambda: main(given.name, given.stages, given.place, dict(given.changes)))
