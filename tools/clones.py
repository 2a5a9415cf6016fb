"""Clones of the last commit under ``build/``, in which the pipeline runs beside this checkout."""

import os
import shutil
import subprocess
from pathlib import Path

from litefake import manifest, params, starting
from litefake.errors import DataMissing
from tools.pipeline import ROOT


def at_head(folder: Path) -> Path:
    """``folder`` as a clone of this repository at its last commit; what Git ignores in it stays.

    Raises DataMissing when it is a clone that Git cannot read.
    """
    if (folder / ".git").is_dir():
        try:
            _git(folder, "fetch", "--quiet", str(ROOT), "HEAD")
            _git(folder, "reset", "--quiet", "--hard", "FETCH_HEAD")
        except subprocess.CalledProcessError:
            raise DataMissing(f"{folder}: is a damaged clone; remove it and start again") from None
    else:
        _git(ROOT, "clone", "--quiet", str(ROOT), str(folder))
    return folder


def lock_of(profile: str, folder: Path) -> None:
    """Give the clone ``profiles/PROFILE.lock`` as its dvc.lock, or none where there is none."""
    (folder / "dvc.lock").unlink(missing_ok=True)
    lock = ROOT / "profiles" / f"{profile}.lock"
    if lock.is_file():
        shutil.copyfile(lock, folder / "dvc.lock")


def link_inputs(folder: Path, home: Path = ROOT) -> None:
    """Link what params.yaml of the clone names and Git does not hold: data sets, first weights.

    Raises DataMissing when one is absent, ParamsInvalid.
    """
    file = folder / "params.yaml"
    dataset = params.section("dataset", manifest.DatasetParams, file)
    names = [] if manifest.is_demo(dataset) else [source.root for source in dataset.sources]
    networks = [params.section(name, starting.ModelParams, file) for name in ("b0", "lite0")]
    names += [network.weights for network in networks if network.from_file]
    for name in names:
        _link(home / name, folder / name)


def _link(source: Path, target: Path) -> None:
    if not source.exists():
        raise DataMissing(f"{source}: not found; params.yaml names it")
    if source != target and not target.exists():  # an absolute path needs no link
        target.unlink(missing_ok=True)  # a link of before this checkout was moved
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source, target_is_directory=source.is_dir())


def _git(folder: Path, *words: str) -> None:
    # Else Git takes a damaged clone for a part of the checkout around it, and resets that.
    ceiling = os.environ | {"GIT_CEILING_DIRECTORIES": str(folder.resolve().parent)}
    subprocess.run(["git", *words], cwd=folder, check=True, env=ceiling)
