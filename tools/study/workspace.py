"""The clone in which a study's stages run, with DVC's cache of this checkout."""

import os
import subprocess
from pathlib import Path

import yaml

from litefake.errors import LitefakeError
from tools import clones, pipeline
from tools.pipeline import ROOT
from tools.study.overrides import Params

PLACE = ROOT / "build" / "study"


class StageFailed(LitefakeError):
    """A stage of a study ended without its outputs; the text is what it said last."""


class Workspace:
    """A clone of the last commit; what runs in it is kept in the cache of this checkout.

    DVC's run cache knows a stage by its command, code, data and parameters, so what another
    variant, another study or ``make repro`` has run is taken from there. ``locked``:
    the hashes of its dvc.lock, or of the lock of ``profile``, by path, before anything ran.
    """

    def __init__(self, profile: str = "", folder: Path = PLACE) -> None:
        self.folder = clones.at_head(folder)
        if profile:
            clones.lock_of(profile, self.folder)
        lock = folder / "dvc.lock"  # a profile that was never run has none
        self.locked = pipeline.locked(lock.read_text(encoding="utf-8")) if lock.is_file() else {}
        cache = _output(ROOT, "dvc", "cache", "dir").strip()
        _output(folder, "dvc", "config", "--local", "cache.dir", cache)

    def repro(self, values: Params, *stages: str, alone: bool = False) -> None:
        """Run ``stages`` and what they need, or only them, with ``values`` in params.yaml.

        Raises DataMissing when a data set is absent, StageFailed when a stage fails.
        """
        self._set(values)
        clones.link_inputs(self.folder)
        command = ["dvc", "repro", *["--single-item"] * alone, *stages]
        with subprocess.Popen(
            command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "DVC_NO_ANALYTICS": "1"},
        ) as process:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                print(line, end="", flush=True)
                said += [line.strip()] * line.lower().startswith("error:")
        if process.returncode != 0:
            raise StageFailed(said[0].removeprefix("error: ") if said else " ".join(command))

    def needed_by(self, stage: str, values: Params) -> list[str]:
        """The stages that make what ``stage`` reads with ``values`` in params.yaml."""
        self._set(values)  # dvc.yaml takes names from it
        made, deps = pipeline.producers(self.folder), pipeline.stages(self.folder)[stage]["deps"]
        return sorted({made[dep] for dep in deps if dep in made})

    def _set(self, values: Params) -> None:
        file = self.folder / "params.yaml"
        file.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")

    def hash_of(self, path: str) -> str:
        """The hash of an output, from dvc.lock."""
        return pipeline.locked((self.folder / "dvc.lock").read_text(encoding="utf-8"))[path]


def _output(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=True)
    return done.stdout
