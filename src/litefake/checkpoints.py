"""Resume a stage where it was killed: its fingerprint and its saved states."""

import hashlib
import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import timm
import torch

from litefake.artifacts import digest, replacing
from litefake.errors import DataMissing
from litefake.locks import FOLDER
from litefake.params import Section
from litefake.reproducibility import device


class Run:
    """One run of a stage, as a context: its states are gone after success.

    States saved under another fingerprint (other parameters, input files, code, libraries or
    another kind of device) are thrown away on entry. The folder belongs to one process
    (``locks.alone``).
    """

    def __init__(
        self,
        stage: str,
        seed: int,
        settings: dict[str, Section | str],
        inputs: list[str],
        folder: Path = FOLDER,
    ) -> None:
        self.stage, self.seed = stage, seed
        self.folder = folder / stage
        described = {
            name: setting if isinstance(setting, str) else setting.model_dump()
            for name, setting in settings.items()
        }
        files = {name: _digest_of_input(name, stage) for name in inputs}
        made_by = [device().type, *(library.__version__ for library in (torch, np, cv2, timm))]
        text = json.dumps([seed, described, files, _code(), made_by], sort_keys=True)
        self._fingerprint = hashlib.sha256(text.encode()).hexdigest()

    def __enter__(self) -> Self:
        self._keep_or_clear()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_details: object) -> None:
        if kind is None:
            shutil.rmtree(self.folder)

    def _keep_or_clear(self) -> None:
        mark = self.folder / "fingerprint"
        if mark.exists() and mark.read_text(encoding="utf-8") == self._fingerprint:
            if len(list(self.folder.iterdir())) > 1:
                print(f"{self.stage}: resuming from {self.folder}")
            return
        if self.folder.exists():
            print(f"{self.stage}: {self.folder} belongs to other inputs; starting over")
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        mark.write_text(self._fingerprint, encoding="utf-8")

    def save(self, name: str, state: dict[str, Any]) -> None:
        """Keep ``state`` (tensors and plain values) under ``name``, all of it or nothing."""
        # Written by Python: of a full disk torch.save says no more than "unexpected pos".
        buffer = io.BytesIO()
        torch.save(state, buffer)
        with replacing(self.folder / f"{name}.pt") as temporary:
            temporary.write_bytes(buffer.getbuffer())

    def load(self, name: str) -> dict[str, Any] | None:
        """The state saved under ``name``, or None."""
        path = self.folder / f"{name}.pt"
        if not path.exists():
            return None
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return state


def _code() -> dict[str, str]:
    """Digests of the loaded modules of this package: other code is another run."""
    package = Path(__file__).parent
    loaded = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    files = {Path(file) for file in loaded if file and file.endswith(".py")}
    return {
        str(file.relative_to(package)): digest(file) for file in files if package in file.parents
    }


def _digest_of_input(path: str, stage: str) -> str:
    """Of a file its content; of a folder the names and sizes in it, which many crops have."""
    try:
        if Path(path).is_dir():
            files = (file for file in Path(path).rglob("*") if file.is_file())
            listed = sorted((str(file.relative_to(path)), file.stat().st_size) for file in files)
            return hashlib.sha256(json.dumps(listed).encode()).hexdigest()
        return digest(path)
    except FileNotFoundError:
        raise DataMissing(f"{path}: not found; run `dvc repro {stage}`, which makes it") from None
