"""Run the whole pipeline with another profile: ``python -m tools.run_profile NAME``.

A clone of the last commit in ``build/NAME`` gets ``profiles/NAME.yaml`` as its params.yaml and a
link to the data set, and ``dvc repro`` runs there; killed and started again, it goes on. Then the
lock file comes to ``profiles/NAME.lock`` and the results to ``metrics/profiles/NAME/``: what a
profile gave is committed with the hashes of what it was made of, as it is for params.yaml.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from litefake import errors, manifest, params, starting
from litefake.errors import DataMissing, ParamsInvalid

ROOT = Path(__file__).resolve().parent.parent


def main(name: str) -> None:
    """Run profile ``name`` and bring its results home. Raises ParamsInvalid or DataMissing."""
    folder = prepare(name)
    subprocess.run(["dvc", "repro"], cwd=folder, check=True)
    collect(folder, name)
    print(f"{name}: profiles/{name}.lock and metrics/profiles/{name}/ are of this run")


def prepare(name: str) -> Path:
    """``build/NAME`` at the last commit, with the profile's parameters and data."""
    profile = ROOT / "profiles" / f"{name}.yaml"
    if not profile.is_file():
        known = ", ".join(sorted(path.stem for path in profile.parent.glob("*.yaml")))
        raise ParamsInvalid(f"{profile}: not found; there are {known}")
    dataset = params.section("dataset", manifest.DatasetParams, profile)
    folder = ROOT / "build" / name
    if (folder / ".git").is_dir():
        git(folder, "fetch", "--quiet", str(ROOT), "HEAD")
        git(folder, "reset", "--quiet", "--hard", "FETCH_HEAD")
    else:
        git(ROOT, "clone", "--quiet", str(ROOT), str(folder))
    shutil.copyfile(profile, folder / "params.yaml")
    if not manifest.is_demo(dataset):
        link(ROOT / dataset.root, folder / dataset.root)
    for file in starting_files(profile):
        link(ROOT / file, folder / file)
    lock = ROOT / "profiles" / f"{name}.lock"
    (folder / "dvc.lock").unlink(missing_ok=True)
    if lock.is_file():
        shutil.copyfile(lock, folder / "dvc.lock")
    return folder


def starting_files(profile: Path) -> set[str]:
    """The models of ours that the networks of ``profile`` start from."""
    networks = [params.section(name, starting.ModelParams, profile) for name in ("b0", "lite0")]
    return {network.weights for network in networks if network.from_file}


def link(source: Path, target: Path) -> None:
    if not source.exists():
        raise DataMissing(f"{source}: not found; the profile names it")
    if source != target and not target.exists():  # an absolute root needs no link
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source, target_is_directory=source.is_dir())


def collect(folder: Path, name: str) -> None:
    """Copy the lock file and the results of a finished run home."""
    lock = folder / "dvc.lock"
    shutil.copyfile(lock, ROOT / "profiles" / f"{name}.lock")
    home = ROOT / "metrics" / "profiles" / name
    shutil.rmtree(home, ignore_errors=True)
    stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"]
    outs = [Path(out["path"]) for stage in stages.values() for out in stage.get("outs", [])]
    for out in (out for out in outs if out.parts[0] == "metrics"):
        target = home / out.relative_to("metrics")
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (folder / out).is_dir() else shutil.copyfile
        copy(folder / out, target)


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} NAME of a file in profiles/")
    errors.run(lambda: main(sys.argv[1]))
