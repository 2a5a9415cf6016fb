"""Clones of the last commit under ``build/``, in which the pipeline runs beside this checkout."""

import subprocess
from pathlib import Path

from litefake.errors import DataMissing

ROOT = Path(__file__).resolve().parent.parent


def at_head(folder: Path) -> Path:
    """``folder`` as a clone of this repository at its last commit; what Git ignores in it stays."""
    if (folder / ".git").is_dir():
        git(folder, "fetch", "--quiet", str(ROOT), "HEAD")
        git(folder, "reset", "--quiet", "--hard", "FETCH_HEAD")
    else:
        git(ROOT, "clone", "--quiet", str(ROOT), str(folder))
    return folder


def link(source: Path, target: Path) -> None:
    """Let ``target`` lead to a data set outside. Raises DataMissing when there is none."""
    if not source.is_dir():
        raise DataMissing(f"{source}: no such folder; dataset.root must be there")
    if source != target and not target.exists():  # an absolute root needs no link
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source, target_is_directory=True)


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True)
